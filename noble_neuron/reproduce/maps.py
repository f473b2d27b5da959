"""Features over the latent plane of threshold and slope, for a choice of currents (section 3.5).

The page draws any of the paper's features at any of the currents, with the training cells on top
in the colour of their own full simulation. How much of a feature the plane holds at all is
measured too: the map read off at each training cell, beside the surrogate at the cell's whole
point, both against the full model, in SDs of the full models: at 1 a figure says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..compare.canvas import FULL, SURROGATE, legend, panels, svg
from ..compare.maps import FeatureMaps, completed, feature_maps, measured
from ..compare.tables import Table, number
from ..features import efel
from ..features.efel import PAPER_FEATURES
from ..protocols.protocol import noble_step
from ..simulate.plan import Sample
from ..types import Trace
from ..units import UNITS
from ._live_map import live
from ._populations import WINDOW, Currents
from .bench import Bench
from .outcome import Outcome, finite

PLANE = ("I_thr", "s_thr")
FIRST = "spikecount"
BY_MAP, BY_POINT = "map", "surrogate at its own point"


@dataclass(frozen=True)
class Sizes:
    """How much is asked.

    Attributes:
        side: Points along each side of the plane.
        currents: Amplitudes that rise, beside one that hyperpolarises.
    """

    side: int
    currents: int


SIZES = {"quick": Sizes(20, 6), "full": Sizes(60, 20)}


def run(bench: Bench) -> Outcome:
    """Maps at the bench's scale."""
    return measure(bench, bench.size(SIZES))


def measure(
    bench: Bench,
    sizes: Sizes,
    plane: tuple[str, str] | None = None,
    features: tuple[str, ...] = PAPER_FEATURES,
) -> Outcome:
    """Maps, and what they are worth at the training cells.

    Args:
        bench: Cells and surrogate.
        sizes: How much is asked.
        plane: Two coordinates of the latent space; threshold and slope if it has them, or its
            first two.
        features: To map.
    """
    known = bench.surrogate.latent_space.names
    plane = plane or (PLANE if set(PLANE) <= set(known) else known[:2])
    amplitudes = Currents.of(bench, sizes.currents).all
    training = bench.study.training
    bench.say(f"maps: {sizes.side} x {sizes.side} points, {len(amplitudes)} currents")
    maps = feature_maps(bench.surrogate, amplitudes, features, plane, sizes.side)
    full = _full(bench, amplitudes, features)
    points = bench.points(training)
    flat = points[:, [bench.surrogate.latent_space.names.index(name) for name in plane]]
    on_plane = completed(bench.surrogate.latent_space, flat, plane, maps.rule)
    answers = {
        name: _asked(bench, amplitudes, where, features)
        for name, where in ((BY_MAP, on_plane), (BY_POINT, points))
    }
    errors = {
        name: {f: _error(found[f], full[f]) for f in features} for name, found in answers.items()
    }
    names = [bench.study.cells[k].name for k in training]
    first = FIRST if FIRST in features else features[0]
    return Outcome(
        f"Features over the latent plane of {bench.surrogate.card.ensemble}",
        (
            f"Squares are answers of the surrogate over the plane of {plane[0]} and {plane[1]}; "
            f"the other coordinates follow these two by {maps.rule}. Dots are the training cells, "
            f"in the colour of their own full simulation: where a dot stands out from its "
            f"surroundings, the plane does not hold what makes that cell different.",
        ),
        finite(_records(errors, full, maps)),
        (_table(errors),),
        {
            f"{first} at the three largest currents: map, and full models on top.": still(
                maps, full, first, amplitudes
            )
        },
        live(maps, names, full, answers[BY_POINT], (first, len(amplitudes) - 1)),
    )


def _full(bench: Bench, amplitudes: tuple[float, ...], features) -> dict[str, np.ndarray]:
    """Features of the training cells' full simulations, each of shape (A, cells)."""
    cells = [bench.study.cells[k] for k in bench.study.training]
    samples = [Sample(k, noble_step(a)) for k in range(len(cells)) for a in amplitudes]
    voltage = bench.voltages("maps", cells, samples)
    t = np.arange(voltage.shape[1]) * bench.surrogate.card.dt
    threshold = bench.surrogate.threshold
    rows = [efel.extract(Trace(t, v.astype(float)), *WINDOW, threshold, features) for v in voltage]
    return {
        name: np.array([row[name] for row in rows]).reshape(len(cells), len(amplitudes)).T
        for name in features
    }


def _asked(bench: Bench, amplitudes, points: np.ndarray, features) -> dict[str, np.ndarray]:
    """Features of the surrogate at some points, each of shape (A, points)."""
    protocols = [noble_step(a) for a in amplitudes for _ in points]
    found = measured(bench.surrogate, protocols, np.tile(points, (len(amplitudes), 1)), features)
    return {name: v.reshape(len(amplitudes), len(points)) for name, v in found.items()}


def _error(answer: np.ndarray, truth: np.ndarray) -> float:
    """RMSE over currents and cells, in SDs of the truth over cells at each current."""
    both = np.isfinite(answer) & np.isfinite(truth)
    if not both.any():
        return float("nan")
    count = np.maximum(both.sum(axis=1, keepdims=True), 1)
    mean = np.where(both, truth, 0.0).sum(axis=1, keepdims=True) / count
    spread = np.sqrt(np.mean(np.square(truth - mean)[both]))
    error = np.sqrt(np.mean(np.square(answer - truth)[both]))
    return float(error / spread) if spread > 0 else float("nan")


def _records(errors: dict, full: dict, maps: FeatureMaps) -> list[dict]:
    rows = [
        {
            "figure": f"{name}/all/{feature}",
            "value": value,
            "unit": "SD",
            "n": full[feature].shape[1],
            "split": "training cells, all currents",
        }
        for name, found in errors.items()
        for feature, value in found.items()
    ]
    share = 100 * float(maps.supported.mean())
    return [*rows, {"figure": "part of the plane with support", "value": share, "unit": "%"}]


def _table(errors: dict) -> Table:
    return Table(
        "Error of a feature at the training cells, over all currents, in SDs of the full models",
        ["", *(f"{name} [SD]" for name in errors)],
        [
            [feature, *(number(found[feature]) for found in errors.values())]
            for feature in errors[BY_MAP]
        ],
    )


def still(maps: FeatureMaps, full: dict, feature: str, amplitudes: tuple[float, ...]) -> str:
    """One feature at three currents, for where nothing can be clicked."""
    chosen = range(max(1, len(amplitudes) - 3), len(amplitudes))
    values = maps.values[feature]
    known = np.concatenate(
        [values[a].ravel() for a in chosen] + [full[feature][a] for a in chosen]
    )
    low, high = np.nanmin(known), np.nanmax(known)
    with panels(1, len(chosen), 2.5, 2.1, sharey=True) as (figure, axes):
        for ax, a in zip(axes[0], chosen, strict=True):
            ax.set_facecolor("#e6e9ee")
            shown = ax.pcolormesh(maps.x, maps.y, values[a], vmin=low, vmax=high, rasterized=True)
            ax.scatter(
                *maps.cells.T,
                c=full[feature][a],
                vmin=low,
                vmax=high,
                s=26,
                edgecolor="white",
                lw=0.9,
            )
            ax.set_title(f"{amplitudes[a]:g} nA", loc="left")
            ax.set_xlabel(f"{maps.plane[0]} [{maps.units[0]}]")
        axes[0, 0].set_ylabel(f"{maps.plane[1]} [{maps.units[1]}]")
        unit = UNITS.get(feature, "")
        bar = figure.colorbar(shown, ax=axes[0].tolist())
        bar.set_label(f"{feature} [{unit}]" if unit else feature)
        marks = [("surrogate", SURROGATE, "", "s"), ("full model", FULL, "", "o")]
        legend(figure, [(label, "#8a93a1", line, mark) for label, _, line, mark in marks])
        return svg(figure)
