"""What an SWC file must be before NEURON reads it: Import3d misreads some, and prints."""

from __future__ import annotations

import math
from pathlib import Path

from ..errors import InputError

_SOMA = 1  # type of the soma's points


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
