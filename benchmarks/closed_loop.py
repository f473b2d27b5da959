"""Networks of full PV cells and of surrogates: Gamma, rates, irregularity, correlation, rhythm.

    python benchmarks/closed_loop.py [MS]

The four networks of examples/workflows/networks.py for one second each. The yardsticks are full
cells at half the time step, which is what the solver leaves open, and full cells under other
random inputs, which is what chance leaves open.
"""

from __future__ import annotations

import sys

import numpy as np
from record import ROOT, record

sys.path.insert(0, str(ROOT / "examples" / "workflows"))

import closed_loop as example  # noqa: E402
import networks  # noqa: E402

UNITS = {"rate": "Hz", "rhythm_Hz": "Hz"}


def main(duration: float) -> None:
    rows = []
    for name, build in networks.NETWORKS.items():
        spikes = {v: example.simulated(build, v, duration) for v in example.VERSIONS}
        for version, trains in spikes.items():
            values = example.summary(trains, spikes["full cells"], duration)
            print(f"{name:14s} {version:25s}", values, flush=True)
            rows += [
                {
                    "figure": f"{name}: {version}: {key}",
                    "value": value,
                    "unit": UNITS.get(key, ""),
                    "n": min(len(trains), example.PV),
                    "seed": example.VERSIONS[version][1],
                }
                for key, value in values.items()
                if np.isfinite(value)
            ]
    record("closed_loop", rows)


if __name__ == "__main__":
    main(float(sys.argv[1]) if sys.argv[1:] else 1000.0)
