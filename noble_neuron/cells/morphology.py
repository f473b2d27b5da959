"""Sections from a reconstruction: checked SWC, NEURON's Import3d, segments, the axon."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from neuron import h

from ..errors import InputError
from . import biophysics
from .spec import HofCell, group_name
from .swc import check_swc
from .tree import Piece, recorded, regrown

AXON_RULES = ("stub", "hl23", "none")
_STUB_LENGTH = 30.0  # um, each of two
_FAR = 60.0  # um from the soma: where the second stub's diameter is measured


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
    groups = grow(source, owner)
    biophysics.apply(groups, source, str(source.get("origin", f"cell {cell.name}")))
    return owner


def grow(source: dict[str, Any], owner: Any) -> dict[str, list]:
    """Sections of the morphology, its segments set and its axon replaced.

    They become attributes of `owner` by group (`owner.dend`), as Import3d would make them.

    Returns:
        Sections by group name.
    """
    rule = source.get("axon", "none")
    if rule not in AXON_RULES:
        raise InputError(f"axon must be one of {', '.join(AXON_RULES)}; got {rule!r}.")
    path = Path(source["morphology"])
    if not path.is_file():
        raise InputError(f"No such morphology file: {path}")
    state = path.stat()
    length = float(source.get("nseg_um", 40))
    pieces = _pieces(path.absolute(), state.st_mtime_ns, state.st_size, rule, length)
    groups: dict[str, list] = {}
    for section in regrown(pieces, owner):
        groups.setdefault(group_name(section), []).append(section)
    for group, sections in groups.items():
        setattr(owner, group, sections)
    return groups


@lru_cache(maxsize=16)
def _pieces(path: Path, modified: int, size: int, rule: str, length: float) -> tuple[Piece, ...]:
    """The geometry of a file by these rules; read again when the file changes."""
    owner, before = _Owner("imported"), set(h.allsec())
    try:
        import_file(path, owner)
        for section in owner.all:
            section.nseg = 1 + 2 * int(section.L / length)
        if rule != "none":
            replace_axon(owner, measured=rule == "hl23")
        return recorded([s for s in h.allsec() if s not in before])
    finally:
        for section in [s for s in h.allsec() if s not in before]:
            h.delete_section(sec=section)


def import_file(path: str | Path, owner: Any) -> None:
    """Make the sections of an SWC or ASC file as attributes of `owner`, without printing."""
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in (".swc", ".asc"):
        raise InputError(f"A morphology must be an .swc or .asc file; got {path}.")
    if suffix == ".swc":
        check_swc(path)
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


def _axon_diameters(soma: Any, axon: list) -> tuple[float, float]:
    """Diameters of the two cylinders [um], 1 um where no axon was imported."""
    if not axon:
        return 1.0, 1.0
    near = axon[0].diam
    far = (s.diam for s in axon if h.distance(soma(0.5), s(0.5)) > _FAR)
    return near, next(far, near)
