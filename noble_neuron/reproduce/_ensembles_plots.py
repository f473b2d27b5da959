"""Pictures of populations of cells."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..compare.canvas import FLOOR, FULL, GREY, SURROGATE, legend, panels, png, svg
from ._populations import FIRING, SILENT, Currents, Population

LINES, TRACES = 60, 40


def colour(name: str) -> str:
    """Black for full models, blue for mixed ones, orange for the surrogate."""
    if "mixed" in name:
        return FLOOR
    return SURROGATE if "surrogate" in name else FULL


def curves(found: Mapping[str, Population], currents: Currents) -> str:
    """F-I curves, a panel per population."""
    columns = 4
    rows = -(-len(found) // columns)
    with panels(rows, columns, 2.2, 1.6, sharex=True, sharey=True) as (figure, axes):
        for ax in axes.flat[len(found) :]:
            ax.axis("off")
        for ax, (name, each) in zip(axes.flat, found.items(), strict=False):
            for line in each.rates[:LINES]:
                ax.plot(currents.rising, line, color=colour(name), lw=0.4, alpha=0.35)
            ax.plot(currents.rising, np.median(each.rates, axis=0), color=colour(name), lw=1.8)
            ax.set_title(f"{name} ({each.size})", loc="left")
        for ax in axes[:, 0]:
            ax.set_ylabel("Hz")
        for ax in axes[-1]:
            ax.set_xlabel("nA")
        return svg(figure)


def distances(apart: Mapping[str, Mapping[str, float]], floor: str) -> str:
    """Distances per feature, a panel each, a dot per population."""
    names = ["all features", *FIRING, *SILENT]
    shown = [name for name in apart if name != floor and "from those" not in name]
    columns = 4
    rows = -(-len(names) // columns)
    with panels(rows, columns, 1.9, 1.15, sharey=True) as (figure, axes):
        for ax in axes.flat[len(names) :]:
            ax.axis("off")
        for ax, key in zip(axes.flat, names, strict=False):
            values = [apart[name].get(key, np.nan) for name in shown]
            for y, (name, value) in enumerate(zip(shown, values, strict=True)):
                ax.plot([0, value], [y, y], color="#e3e7ec", lw=3, zorder=0)
                ax.plot(value, y, "o", color=colour(name), ms=4)
            ax.axvline(apart[floor].get(key, np.nan), color=GREY, lw=1)
            ax.set_yticks(range(len(shown)), shown, fontsize=6.5)
            ax.set_xlim(left=0)
            ax.set_title(key, loc="left", fontsize=7)
        axes[0, 0].set_ylim(len(shown) - 0.5, -0.5)
        for ax in axes[-1]:
            ax.set_xlabel("SD")
        return svg(figure)


def traces(found: Mapping[str, Population], dt: float) -> str:
    """Voltage of some cells, a column per population."""
    with panels(2, len(found), 1.9, 1.4, sharex="row", sharey="row") as (figure, axes):
        for j, (name, each) in enumerate(found.items()):
            for i, part in enumerate(each.traces[::-1]):
                t = np.arange(part.shape[1]) * dt
                near = t < (90.0 if i == 0 else np.inf)
                for v in part[:TRACES]:
                    axes[i, j].plot(t[near], v[near], color=colour(name), lw=0.4, alpha=0.4)
            axes[0, j].set_title(name, loc="left", fontsize=7)
            axes[1, j].set_xlabel("ms")
        axes[0, 0].set_xlim(0, 90)
        axes[0, 0].set_ylabel("mV")
        axes[1, 0].set_ylabel("mV")
        return png(figure)


def clouds(near: Mapping, currents: Currents, dt: float) -> str:
    """Held-out cells and the clouds around them: voltage from the onset on, and F-I curves."""
    kinds = ("surrogate", "full models mixed")
    with panels(max(1, len(near)), 4, 2.6, 1.6, sharex="col") as (figure, axes):
        for i, (cell, (truth, found)) in enumerate(near.items()):
            for j, kind in enumerate(kinds):
                each, line, curve = found[kind], axes[i, j], axes[i, 2 + j]
                t = np.arange(truth.traces.shape[2]) * dt
                early = t < 90.0
                for v in each.traces[1]:
                    line.plot(t[early], v[early], color=colour(kind), lw=0.4, alpha=0.4)
                line.plot(t[early], truth.traces[1, 0, early], color=FULL, lw=0.9)
                for rates in each.rates:
                    curve.plot(currents.rising, rates, color=colour(kind), lw=0.4, alpha=0.4)
                curve.plot(currents.rising, truth.rates[0], color=FULL, lw=1.4)
                line.set_title(cell, loc="left")
            axes[i, 0].set_ylabel("mV")
            axes[i, 2].set_ylabel("Hz")
        for ax, what in zip(axes[-1], ("ms", "ms", "nA", "nA"), strict=True):
            ax.set_xlabel(what)
        marks = [("held-out cell in full", FULL, "-", "")]
        marks += [(kind, colour(kind), "-", "") for kind in kinds]
        legend(figure, marks)
        return png(figure)
