"""The report's pictures, each as text for an <img>: SVG, or PNG where there are many points."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .canvas import FULL, SURROGATE, legend, panels, png, short, svg
from .metrics import FIGURES, RELATIVE_FEATURES

if TYPE_CHECKING:
    from .side_by_side import ComparisonResult

MARKS = {  # answer -> colour, marker
    "surrogate": (SURROGATE, "o"),
    "spike-free oracle": ("#8a93a1", "s"),
    "two-level oracle": ("#b9c0ca", "D"),
    "full model at dt/2": ("#2f7fb8", "^"),
}
ROLES = {"training": ("#20242b", "o"), "held out": ("#c2185b", "X"), "new": ("#2f7fb8", "D")}
CLOSE_UP = (-5.0, 75.0)  # ms about the onset


def overlays(result: ComparisonResult) -> str:
    """Voltage of full simulation and surrogate: a row per cell, a column per shown current."""
    return _traces(result, 0.0, float(result.t[-1]))


def close_ups(result: ComparisonResult) -> str:
    """The same about the onset, wide enough to see the shape of a spike."""
    onset = result.window[0]
    return _traces(result, max(0.0, onset + CLOSE_UP[0]), onset + CLOSE_UP[1])


def _traces(result: ComparisonResult, start: float, stop: float) -> str:
    within = (result.t >= start) & (result.t <= stop)
    t, rows, columns = result.t[within], len(result.cells), len(result.shown)
    with panels(rows, columns, 2.35, 1.25, sharex=True, sharey=True) as (figure, axes):
        for i, cell in enumerate(result.cells):
            for j, k in enumerate(result.shown):
                ax = axes[i, j]
                ax.plot(t, result.full[i, k, within], color=FULL, lw=0.9)
                ax.plot(t, result.answer[i, k, within], color=SURROGATE, lw=0.7, alpha=0.85)
                if i == 0:
                    ax.set_title(result.labels[k], loc="left")
                note = f"{result.amplitudes[i, k]:.3f} nA"
                ax.set_title(note, loc="right", color="#8a93a1", fontsize=7)
                if j == 0:
                    ax.set_ylabel(f"{short(cell.name)}\nmV", rotation=0, ha="right", va="center")
                if i == rows - 1:
                    ax.set_xlabel("ms")
        legend(figure, [("full simulation", FULL, "-", ""), ("surrogate", SURROGATE, "-", "")])
        return png(figure)


def fi_curves(result: ComparisonResult) -> str:
    """Firing rate against current, a panel per cell."""
    duration = (result.window[1] - result.window[0]) / 1e3  # s
    full, answer = (
        f["spikecount"] / duration for f in (result.full_features, result.answer_features)
    )
    columns = min(4, len(result.cells))
    rows = -(-len(result.cells) // columns)
    with panels(rows, columns, 2.35, 1.7, sharex=True, sharey=True) as (figure, axes):
        for k, ax in enumerate(axes.flat):
            if k >= len(result.cells):
                ax.axis("off")
                continue
            ax.plot(result.amplitudes[k], full[k], color=FULL, lw=1.1, marker="o", ms=3)
            ax.plot(
                result.amplitudes[k],
                answer[k],
                color=SURROGATE,
                lw=1.1,
                marker="o",
                ms=3,
                mfc="white",
            )
            ax.set_title(f"{short(result.cells[k].name)} · {result.cells[k].role}", loc="left")
            if k >= len(result.cells) - columns:  # nothing below it
                ax.set_xlabel("nA")
                ax.tick_params(labelbottom=True)
        for ax in axes[:, 0]:
            ax.set_ylabel("Hz")
        legend(figure, [("full simulation", FULL, "-", "o"), ("surrogate", SURROGATE, "-", "o")])
        return svg(figure)


def feature_pairs(result: ComparisonResult) -> str:
    """Each feature of the surrogate against that of the full simulation, a dot per trace."""
    units = {
        "AP1_width": "ms",
        "mean_AP_amplitude": "mV",
        "steady_state_voltage": "mV",
        "time_to_first_spike": "ms",
        "spikecount": "spikes",
    }
    with panels(1, len(units), 1.95, 1.95) as (figure, axes):
        for ax, (name, unit) in zip(axes[0], units.items(), strict=True):
            x, y = result.full_features[name], result.answer_features[name]
            both = x[np.isfinite(x) & np.isfinite(y)], y[np.isfinite(x) & np.isfinite(y)]
            ax.set_title(f"{name}\n[{unit}]", loc="left")
            ax.set_xlabel("full simulation")
            if len(both[0]):
                ends = [np.min(both), np.max(both)]
                ax.plot(ends, ends, color="#b9c0ca", lw=0.8, zorder=0)
            for role, (colour, _) in ROLES.items():
                mask = np.array([cell.role == role for cell in result.cells])
                ax.scatter(x[mask], y[mask], s=9, color=colour, alpha=0.7, lw=0)
        axes[0, 0].set_ylabel("surrogate")
        roles = [r for r in ROLES if any(cell.role == r for cell in result.cells)]
        legend(figure, [(r, ROLES[r][0], "", "o") for r in roles])
        return svg(figure)


def errors(result: ComparisonResult) -> str:
    """Errors on firing currents on a log scale: surrogate, oracles, and the solver's floor."""
    names = ["voltage_l2", "mean_subtracted_l2", *RELATIVE_FEATURES]
    with panels(1, 1, 6.6, 2.4) as (figure, axes):
        ax = axes[0, 0]
        for answer, (colour, marker) in MARKS.items():
            values = np.array([result.scores[answer]["firing"].values[n] for n in names])
            y = np.flatnonzero(np.isfinite(values) & (values > 0))
            ax.scatter(values[y], y, color=colour, marker=marker, s=34, zorder=3, label=answer)
        ax.set_xscale("log")
        ax.set_yticks(range(len(names)), [FIGURES[n][0] for n in names])
        ax.invert_yaxis()
        ax.grid(axis="y", color="#e8ebef", lw=0.8)
        ax.xaxis.set_major_formatter("{x:g}")
        ax.set_xlabel("error on firing currents [%] – further left is better")
        legend(figure, [(n, c, "", m) for n, (c, m) in MARKS.items()])
        return svg(figure)


def latent_plane(result: ComparisonResult) -> str:
    """Where the compared cells lie among the training cells, in the first two coordinates."""
    space = result.surrogate.latent_space
    x, y = _plane(space.points)
    with panels(1, 1, 4.6, 3.1) as (figure, axes):
        ax = axes[0, 0]
        ring = _hull(np.column_stack([x, y]))
        if ring is not None:
            ax.fill(*ring.T, color="#eef1f5", zorder=0)
        ax.scatter(x, y, s=14, color="#8a93a1", lw=0)
        for role, (colour, marker) in ROLES.items():
            those = [cell.latent for cell in result.cells if cell.role == role]
            if those:
                ax.scatter(
                    *_plane(np.array(those)),
                    s=52,
                    marker=marker,
                    color=colour,
                    edgecolor="white",
                    lw=0.8,
                    zorder=3,
                )
        labels = [f"{n} [{u}]" if u else n for n, u in zip(space.names, space.units, strict=True)]
        ax.set_xlabel(labels[0])
        ax.set_ylabel(labels[1] if len(labels) > 1 else "")
        shown = [r for r in ROLES if any(cell.role == r for cell in result.cells)]
        marks = [("training cells, all", "#8a93a1", "", "o")]
        legend(figure, marks + [(f"compared, {r}", *_mark(r)) for r in shown])
        return svg(figure)


def _mark(role: str) -> tuple[str, str, str]:
    colour, marker = ROLES[role]
    return colour, "", marker


def _plane(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return points[:, 0], points[:, 1] if points.shape[1] > 1 else np.zeros(len(points))


def _hull(points: np.ndarray) -> np.ndarray | None:
    """Corners of the convex hull in the plane; None where the points lie on a line."""
    from scipy.spatial import ConvexHull, QhullError

    try:
        return points[ConvexHull(points).vertices]
    except (QhullError, ValueError):
        return None
