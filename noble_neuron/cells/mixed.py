"""Cells between and around the models of one hall of fame, by their parameters.

Fifty models say little of the space between them; a cell whose parameters lie between those of
two models is one more full model, to learn from or to compare a surrogate's in-between with
(figure 4B of the NOBLE paper). It is no hall-of-fame model: nothing has fitted it to a recording.

References: Ghafourpour et al. 2025 (NOBLE), section 4.4; Deb & Agrawal 1995, whose simulated
binary crossover also reaches beyond its parents.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..errors import InputError
from .spec import HofCell


def mixed(one: HofCell, other: HofCell, share: float, name: str) -> HofCell:
    """The cell whose parameters lie at `share` of the way from one model to another.

    Parameters that are positive in both are mixed as logarithms (conductances differ by orders
    of magnitude), all others as they are.

    Args:
        one: A model.
        other: Another of the same hall of fame: same loader, morphology and mechanisms.
        share: 0 is `one`, 1 is `other`; a little beyond either is allowed.
        name: Of the new cell.

    Raises:
        InputError: The two differ in more than numbers.
    """
    if not math.isfinite(share):
        raise InputError(f"{name}: the share of a mixture must be a finite number, got {share}.")
    for field in ("loader", "celsius", "dt", "threshold", "junction_potential", "ensemble"):
        a, b = getattr(one, field), getattr(other, field)
        if a != b:
            raise InputError(
                f"{one.name} and {other.name} cannot be mixed: {field} is {a!r} and {b!r}."
            )
    parts = tuple({k: v for k, v in c.source.items() if k != "origin"} for c in (one, other))
    try:
        source = _between(*parts, share, "source")
    except ValueError as error:
        raise InputError(f"{one.name} and {other.name} cannot be mixed: {error}.") from None
    source["origin"] = f"{1 - share:.6g} {one.name} + {share:.6g} {other.name}"
    v_init = _number(one.v_init, other.v_init, share)
    return replace(one, name=name, source=source, v_init=v_init, hof=None)


def _between(a: Any, b: Any, share: float, where: str) -> Any:
    """Nested plain values, number by number; ValueError says where they differ otherwise."""
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        if a.keys() != b.keys():
            odd = ", ".join(map(str, sorted(a.keys() ^ b.keys(), key=str)))
            raise ValueError(f"{odd} of {where} is only in one of them")
        return {key: _between(a[key], b[key], share, f"{where}/{key}") for key in a}
    if _is_number(a) and _is_number(b):
        return _number(a, b, share)
    if a != b:
        raise ValueError(f"{where} is {a!r} and {b!r}")
    return a


def _number(a: float, b: float, share: float) -> float:
    if a == b:
        return a
    if a > 0 and b > 0:
        return math.exp((1 - share) * math.log(a) + share * math.log(b))
    return (1 - share) * a + share * b


def _is_number(x: Any) -> bool:
    return isinstance(x, (int, float)) and not isinstance(x, bool)
