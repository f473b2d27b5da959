"""What a search's worker process does: keep one cell built, score one candidate at a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from .spec import SearchSpec, targets_of

_held: dict[str, Any] = {}


def score(
    spec: SearchSpec, stage: str, values: dict[str, float], beat: Callable[[Any], None]
) -> dict[str, Any]:
    """Measure one candidate.

    Returns:
        A row of the archive: stage, values, features measured before it proved unfit (if it
        did), z per target (None if any is missing), why, and seconds spent.
    """
    from . import bench as on

    beat(values)
    if _held.get("spec") != spec:
        _held.update(spec=spec, bench=on.build_bench(spec))
    bench = _held["bench"]
    began, features, why = time.perf_counter(), {}, None
    targets = targets_of(spec, stage)
    try:
        bench.set(spec.source(values, passive_only=stage == "passive"))
        features |= on.passive(bench)
        if stage != "passive":
            worst = max(abs(t.z(features[t.feature])) for t in targets if t.stage == "passive")
            if worst > on.HOPELESS:
                raise on.Unfit(f"the passive features are more than {on.HOPELESS:g} SD away")
            features |= on.active(bench)
    except on.Unfit as error:
        why = str(error)
    z = None if why else [t.z(features[t.feature]) for t in targets]
    return row(stage, values, features, z, why, time.perf_counter() - began)


def row(
    stage: str,
    values: dict[str, float],
    features: dict[str, float],
    z: list[float] | None,
    why: str | None,
    seconds: float,
) -> dict[str, Any]:
    """A row of the archive."""
    return {
        "stage": stage,
        "values": values,
        "features": features,
        "z": z,
        "why": why,
        "seconds": round(seconds, 3),
    }
