"""What a search's worker process does: hold one built cell, score one candidate at a time."""

from __future__ import annotations

import time
from typing import Any

from .spec import SearchSpec

_held: dict[str, Any] = {}


def start(spec: SearchSpec) -> None:
    """Build the cell once for this process."""
    from .bench import build_bench

    _held.update(spec=spec, bench=build_bench(spec.cell))


def score(stage: str, values: dict[str, float]) -> dict[str, Any]:
    """Measure one candidate.

    Returns:
        A row of the archive: stage, values, features measured before it proved unfit (if it
        did), z per target (None if any is missing), why, and seconds spent.
    """
    from . import bench as on

    spec, bench = _held["spec"], _held["bench"]
    began, features, why = time.perf_counter(), {}, None
    try:
        bench.set(spec.source(values, passive_only=stage == "passive"))
        features |= on.passive(bench)
        targets = [t for t in spec.targets if stage != "passive" or t.stage == "passive"]
        worst = max(abs(t.z(features[t.feature])) for t in targets if t.stage == "passive")
        if stage != "passive":
            if worst > 6.0:
                raise on.Unfit("the passive features are more than 6 SD away")
            features |= on.active(bench)
    except on.Unfit as error:
        why = str(error)
    z = None if why else [t.z(features[t.feature]) for t in targets]
    return {"stage": stage, "values": values, "features": features, "z": z, "why": why,
            "seconds": round(time.perf_counter() - began, 3)}
