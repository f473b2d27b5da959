"""Full PV cells against their surrogates in closed loop: four networks, side by side.

    python examples/workflows/closed_loop.py FOLDER [MS]

Each network of networks.py runs with full cells and with surrogates, on the same random inputs;
and for a yardstick with full cells at half the time step, and on other random inputs. Printed and
kept in FOLDER are the distributions, and rasters side by side.
"""

import json
import sys
from pathlib import Path

import networks
import numpy as np

from noble_neuron.features import population
from noble_neuron.features.spiketrain import gamma

PV = 20  # the first cells of each network, or as many as it has
VERSIONS = {
    "full cells": (networks.full, 1, 0.025),
    "surrogates": (networks.surrogate, 1, 0.025),
    "full cells at dt/2": (networks.full, 1, 0.0125),
    "full cells, other inputs": (networks.full, 2, 0.025),
}


def main(folder: Path, duration: float) -> None:
    found = {}
    for name, build in networks.NETWORKS.items():
        spikes = {version: simulated(build, version, duration) for version in VERSIONS}
        found[name] = {v: summary(s, spikes["full cells"], duration) for v, s in spikes.items()}
        for version, values in found[name].items():
            said = ", ".join(f"{key} {value:.3g}" for key, value in values.items())
            print(f"{name:14s} {version:25s} {said}", flush=True)
        raster(spikes, folder / f"{name.replace(' ', '_')}.png", duration)
    (folder / "closed_loop.json").write_text(json.dumps(found, indent=1))
    print("written:", folder / "closed_loop.json")


def simulated(build, version: str, duration: float) -> list[np.ndarray]:
    """Spike times of one version of a network [ms]."""
    make, seed, dt = VERSIONS[version]
    return networks.run(build(make, seed), duration, dt)


def summary(spikes: list, truth: list, duration: float) -> dict[str, float]:
    """Rate [Hz], irregularity, correlation, rhythm of the PV cells; Gamma (2 ms) to `truth`."""
    pv = spikes[:PV]
    cvs = population.interval_cvs(pv)
    gammas = [gamma(a, b, duration) for a, b in zip(pv, truth, strict=False)]
    values = {
        "gamma": np.nanmean(gammas),
        "rate": population.rates(pv, duration).mean(),
        "ISI_CV": cvs.mean() if len(cvs) else np.nan,
    }
    pairs = population.correlations(pv, duration)
    if len(pairs):
        values["correlation"] = pairs.mean()
        values["rhythm_Hz"] = population.rhythm(pv, duration)
    return {key: float(value) for key, value in values.items()}


def raster(spikes: dict[str, list], path: Path, duration: float) -> None:
    """Spikes of every version, one above the other."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(len(spikes), 1, sharex=True, figsize=(7, 6), layout="constrained")
    for ax, (version, trains) in zip(axes, spikes.items(), strict=True):
        ax.eventplot(
            trains, colors=["#b3424a" if k < PV else "#3c6e9f" for k in range(len(trains))]
        )
        ax.set_title(version, fontsize=9, loc="left")
        ax.set_xlim(0, duration)
        ax.set_ylim(-0.5, len(trains) - 0.5)
        ax.set_ylabel("cell")
    axes[-1].set_xlabel("time [ms]")
    figure.savefig(path, dpi=120)
    plt.close(figure)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]) if sys.argv[2:] else 200.0)
