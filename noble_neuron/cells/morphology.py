"""Sections from a reconstruction: checked SWC, NEURON's Import3d, segments, the axon."""

from __future__ import annotations

import contextlib
import io
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from neuron import h

from ..errors import InputError
from . import biophysics
from .spec import HofCell, group_name

AXON_RULES = ("stub", "hl23", "none")
_STUB_LENGTH = 30.0  # um, each of two
_FAR = 60.0  # um from the soma: where the second stub's diameter is measured
_SOMA = 1  # SWC type


class _Owner:
    """The Python object Import3d hangs its sections on; its name prefixes theirs."""

    def __init__(self, name: str) -> None:
        self.name = "".join(c if c.isalnum() else "_" for c in name)

    def __str__(self) -> str:
        return self.name


def build(cell: HofCell) -> _Owner:
    """Loader "swc": a morphology file with group parameters (see `biophysics.apply`).

    `cell.source` holds `morphology` (path of an SWC or Neurolucida ASC file), `axon` (one of
    `AXON_RULES`), `nseg_um` (one more pair of segments per so many um, 40 if absent), `Ra`
    [ohm cm], `groups`, and optionally `origin`, the file to name in errors.
    """
    source = cell.source
    owner = _Owner(cell.name)
    grow(source, owner)
    groups: dict[str, list] = {}
    for section in _sections(owner):
        groups.setdefault(group_name(section), []).append(section)
    biophysics.apply(groups, source, str(source.get("origin", f"cell {cell.name}")))
    return owner


def grow(source: dict[str, Any], owner: Any) -> None:
    """Import the morphology onto `owner`, set its segments, and replace its axon."""
    rule = source.get("axon", "none")
    if rule not in AXON_RULES:
        raise InputError(f"axon must be one of {', '.join(AXON_RULES)}; got {rule!r}.")
    import_file(source["morphology"], owner)
    length = source.get("nseg_um", 40)
    for section in owner.all:
        section.nseg = 1 + 2 * int(section.L / length)
    if rule != "none":
        replace_axon(owner, measured=rule == "hl23")


def import_file(path: str | Path, owner: Any) -> None:
    """Make the sections of an SWC or ASC file as attributes of `owner`, without printing."""
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in (".swc", ".asc"):
        raise InputError(f"A morphology must be an .swc or .asc file; got {path}.")
    if suffix == ".swc":
        check_swc(path)
    elif not path.is_file():
        raise InputError(f"No such morphology file: {path}")
    h.load_file("import3d.hoc")
    reader = h.Import3d_SWC_read() if suffix == ".swc" else h.Import3d_Neurolucida3()
    reader.quiet = 1
    with _silent_hoc():
        reader.input(str(path))
        h.Import3d_GUI(reader, False).instantiate(owner)


@contextlib.contextmanager
def _silent_hoc() -> Iterator[None]:
    """Import3d reports each one-point section it drops; nobody asked.

    hoc prints through Python's stdout in Python, and by itself in nrniv.
    """
    h.hoc_stdout("/dev/null")
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        h.hoc_stdout()


def replace_axon(owner: Any, measured: bool) -> None:
    """Put two cylinders of 30 um in place of the imported axon.

    Their diameter is 1 um, or measured: the first one's in the middle of the first imported
    axon section, the second one's that of the first axon section whose middle lies more than
    60 um of path from soma(0.5), if any (the rule of the Allen and Blue Brain pipelines).
    """
    imported = list(getattr(owner, "axon", []))
    diameters = _axon_diameters(owner.soma[0], imported) if measured else (1.0, 1.0)
    for section in imported:
        h.delete_section(sec=section)
    owner.axon = []
    for k, diameter in enumerate(diameters):
        section = h.Section(name=f"axon[{k}]", cell=owner)
        section.L, section.diam, section.nseg = _STUB_LENGTH, diameter, 1
        owner.axon.append(section)
    owner.axon[0].connect(owner.soma[0](1), 0)
    owner.axon[1].connect(owner.axon[0](1), 0)
    owner.all = _sections(owner)


def _axon_diameters(soma: Any, axon: list) -> tuple[float, float]:
    """Diameters of the two cylinders [um], 1 um where no axon was imported."""
    if not axon:
        return 1.0, 1.0
    near = axon[0].diam
    far = (s.diam for s in axon if h.distance(soma(0.5), s(0.5)) > _FAR)
    return near, next(far, near)


def _sections(owner: Any) -> list:
    """All sections of the soma's tree."""
    return list(owner.soma[0].wholetree())


def check_swc(path: str | Path) -> None:
    """Refuse a file that Import3d would misread, naming the line.

    Raises:
        InputError: No such file, a line that is not seven numbers, a point given twice, a
            parent that does not exist or comes later, a cycle, or no soma.
    """
    points = _read_points(Path(path))
    if not any(kind == _SOMA for _, kind, _ in points.values()):
        raise InputError(f"{path} has no soma: no point is of type 1 (the second column).")
    for number, (line, _, parent) in points.items():
        if parent != -1 and parent not in points:
            raise InputError(
                f"{path}, line {line}: point {number} has parent {parent}, "
                f"which the file does not define."
            )
    _refuse_cycle(path, points)
    for number, (line, _, parent) in points.items():
        if parent >= number:
            raise InputError(
                f"{path}, line {line}: point {number} comes before its parent "
                f"{parent}; number the points from the root outwards."
            )


def _read_points(path: Path) -> dict[int, tuple[int, int, int]]:
    """Point number -> (line, type, parent)."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        raise InputError(f"No such morphology file: {path}") from None
    except OSError as error:
        raise InputError(f"Cannot read the morphology {path}: {error.strerror}.") from error
    points: dict[int, tuple[int, int, int]] = {}
    for line, text in enumerate(lines, start=1):
        fields = text.partition("#")[0].split()
        if not fields:
            continue
        number, kind, parent = _point(fields, f"{path}, line {line}")
        if number in points:
            raise InputError(
                f"{path}, line {line}: point {number} was already given on line "
                f"{points[number][0]}."
            )
        points[number] = line, kind, parent
    if not points:
        raise InputError(f"{path} holds no points; an SWC line reads: id type x y z r parent.")
    return points


def _point(fields: list[str], where: str) -> tuple[int, int, int]:
    """(number, type, parent) of one line's fields."""
    if len(fields) < 7:
        raise InputError(
            f"{where}: expected seven numbers (id type x y z r parent), "
            f"got {len(fields)}: {' '.join(fields)}"
        )
    values = []
    for name, text in zip(("id", "type", "x", "y", "z", "r", "parent"), fields, strict=False):
        try:
            value = float(text)
        except ValueError:
            raise InputError(f"{where}: {name} is not a number: {text!r}") from None
        if not math.isfinite(value) or (name in ("id", "type", "parent") and value % 1):
            raise InputError(f"{where}: {name} is not usable: {text!r}")
        values.append(value)
    if values[5] < 0:
        raise InputError(f"{where}: the radius is negative: {fields[5]!r}")
    return int(values[0]), int(values[1]), int(values[6])


def _refuse_cycle(path: Path | str, points: dict[int, tuple[int, int, int]]) -> None:
    rooted: set[int] = set()
    for start in points:
        way: set[int] = set()
        number = start
        while number != -1 and number not in rooted:
            if number in way:
                raise InputError(
                    f"{path}, line {points[number][0]}: point {number} is its own "
                    f"ancestor; the points must form a tree without a cycle."
                )
            way.add(number)
            number = points[number][2]
        rooted |= way
