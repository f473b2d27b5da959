"""Pictures of two networks side by side: rasters, distributions, distances, voltages, PSPs."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING

import numpy as np

from ..features import population
from .activity import DISTANCES, NetworkRun
from .canvas import FLOOR, FULL, GREY, SURROGATE, legend, panels, png, short, svg
from .network_runs import FULL as NATIVE
from .network_runs import HALF, REPLAYED, SEED, SWAPPED

if TYPE_CHECKING:
    from .network import NetworkComparison

LOOK = {  # run -> colour, line, marker
    NATIVE: (FULL, "-", "o"),
    SWAPPED: (SURROGATE, "-", "o"),
    HALF: (FLOOR, "-", "^"),
    SEED: (GREY, "-", "s"),
}
SIDE = {SWAPPED: -0.2, HALF: 0.0, SEED: 0.2}  # of a row's middle, where its mark is
OTHERS = ("#3c6e9f", "#5b8c5a", "#8a6fb0", "#b08a3e")  # populations that were not swapped
ROWS = 150  # cells of a population in a raster, at most
SHOWN = 1000.0  # ms of a raster
CLOSE, WIDE = 120.0, 500.0  # ms of a voltage


def rasters(result: NetworkComparison) -> str:
    """Spikes of full and swapped network, and of the full one at dt/2 and at another seed."""
    full, pops = result.runs[NATIVE], list(result.distances)
    others = [pop for pop in pops if pop not in result.swaps]
    until = min(SHOWN, full.duration)
    sizes = [min(ROWS, len(full.pops[pop])) for pop in pops]
    height = float(np.clip(0.05 * sum(sizes), 1.3, 3.6))
    with panels(2, 2, 4.9, height, sharex=True, sharey=True) as (figure, axes):
        for ax, (name, (colour, _, _)) in zip(axes.flat, LOOK.items(), strict=True):
            colours = dict.fromkeys(result.swaps, colour) | dict(
                zip(others, cycle(OTHERS), strict=False)
            )
            _raster(ax, result.runs[name], colours, until)
            ax.set_title(name, loc="left")
        edges = np.concatenate([[0], np.cumsum(sizes)])
        for row in axes:
            row[0].set_yticks((edges[1:] + edges[:-1]) / 2, [short(pop) for pop in pops])
            for ax in row:
                ax.tick_params(axis="y", length=0)
        for ax in axes[-1]:
            ax.set_xlabel("ms")
        return png(figure)


def _raster(ax, run: NetworkRun, pops: dict[str, str], until: float) -> None:
    row = 0
    for pop, colour in pops.items():
        trains = run.trains(pop)
        for k in np.linspace(0, len(trains) - 1, min(ROWS, len(trains))).round().astype(int):
            spikes = trains[k][trains[k] <= until]
            ax.vlines(spikes, row + 0.08, row + 0.92, color=colour, lw=0.9)
            row += 1
    ax.set_xlim(0, until)
    ax.set_ylim(0, row)


def distributions(result: NetworkComparison) -> str:
    """Rates, ISI CVs, pair correlations and spectrum: a row per population."""
    pops = list(result.distances)
    titles = ("rate [Hz]", "ISI CV", "pair correlation", "frequency [Hz]")
    with panels(len(pops), 4, 2.35, 1.9) as (figure, axes):
        for row, pop in zip(axes, pops, strict=True):
            for name, (colour, _, _) in LOOK.items():
                run, width = result.runs[name], 1.4 if name in (NATIVE, SWAPPED) else 0.9
                trains = run.trains(pop)
                values = (
                    population.rates(trains, run.duration),
                    population.interval_cvs(trains),
                    population.correlations(trains, run.duration),
                )
                for ax, each in zip(row, values, strict=False):
                    _cumulated(ax, each, colour, width)
                frequencies, power = population.spectrum(trains, run.duration)
                low, high = population.BAND
                known = (frequencies >= low) & (frequencies <= high) & (power > 0)
                level = 10 * np.log10(power[known])
                row[3].semilogx(frequencies[known], level, color=colour, lw=width)
            row[0].set_ylabel(f"{short(pop)}\nshare of cells")
            row[2].set_ylabel("share of pairs")
            row[3].set_ylabel("power [dB, 1 Hz²/Hz]")
            for ax, title in zip(row, titles, strict=True):
                ax.set_xlabel(title)
            row[3].set_xticks([5, 10, 20, 50, 100, 200], ["5", "10", "20", "50", "100", "200"])
            row[3].minorticks_off()
        legend(figure, [(name, colour, "-", "") for name, (colour, _, _) in LOOK.items()])
        return svg(figure)


def _cumulated(ax, values: np.ndarray, colour: str, width: float) -> None:
    """Share of values below each."""
    ax.set_ylim(0, 1)
    if len(values):
        x = np.sort(values)
        y = np.arange(len(x) + 1) / len(x)
        ax.step(np.concatenate([x[:1], x]), y, where="post", color=colour, lw=width)


def distances(result: NetworkComparison) -> str:
    """Each distance from the full network beside the floor: a panel per figure."""
    from matplotlib.ticker import MaxNLocator

    pops = list(result.distances)
    with panels(1, len(DISTANCES), 1.95, 0.4 + 0.5 * len(pops), sharey=True) as (figure, axes):
        for ax, (key, (title, unit)) in zip(axes[0], DISTANCES.items(), strict=True):
            values = {name: [result.distances[pop][name][key] for pop in pops] for name in SIDE}
            for name, x in values.items():
                colour, _, marker = LOOK[name]
                y = np.arange(len(pops)) + SIDE[name]
                ax.scatter(x, y, color=colour, marker=marker, s=28, zorder=3)
            known = [x for each in values.values() for x in each if np.isfinite(x)]
            top = max(known, default=0) or 1.0
            ax.set_xlim(-0.05 * top, 1.1 * top)
            ax.xaxis.set_major_locator(MaxNLocator(3))
            ax.xaxis.set_major_formatter("{x:g}")
            ax.set_title(title, loc="left")
            ax.set_xlabel(f"[{unit}]" if unit else "")
            ax.grid(axis="y", color="#e8ebef", lw=0.8)
        axes[0, 0].set_yticks(range(len(pops)), [short(pop) for pop in pops])
        axes[0, 0].set_ylim(len(pops) - 0.5, -0.5)
        marks = [(name, LOOK[name][0], "", LOOK[name][2]) for name in (SWAPPED, HALF, SEED)]
        legend(figure, marks)
        return svg(figure)


def replayed_voltages(result: NetworkComparison) -> str:
    """Example cells that get the same input: half a second, and a close-up."""
    return _voltages(result, REPLAYED)


def closed_voltages(result: NetworkComparison) -> str:
    """The same cells in closed loop."""
    return _voltages(result, SWAPPED)


def _voltages(result: NetworkComparison, answer: str) -> str:
    full, other = result.runs[NATIVE], result.runs[answer]
    steps = min(full.voltage.shape[1], other.voltage.shape[1])
    t = np.arange(steps) * full.record_dt
    rows = [k for k, gid in enumerate(full.voltage_gids) if _pop_of(result, gid)]
    wide, close = min(WIDE, t[-1]), min(CLOSE, t[-1] / 2)
    with panels(len(rows), 2, 4.9, 1.1, sharey=True) as (figure, axes):
        for (left, right), k in zip(axes, rows, strict=True):
            start = _busiest(full, k, wide, close)
            for ax, (a, b) in ((left, (0.0, wide)), (right, (start, start + close))):
                at = (t >= a) & (t <= b)
                ax.plot(t[at], full.voltage[k, :steps][at], color=FULL, lw=0.9)
                ax.plot(t[at], other.voltage[k, :steps][at], color=SURROGATE, lw=0.7, alpha=0.85)
                ax.set_xlim(a, b)
            gid = full.voltage_gids[k]
            label = f"{short(_pop_of(result, gid))}\ncell {gid}\nmV"
            left.set_ylabel(label, rotation=0, ha="right", va="center")
        for ax in axes[-1]:
            ax.set_xlabel("ms")
        legend(figure, [(NATIVE, FULL, "-", ""), (answer, SURROGATE, "-", "")])
        return png(figure)


def _pop_of(result: NetworkComparison, gid: int) -> str | None:
    return next((pop for pop in result.swaps if gid in result.runs[NATIVE].pops[pop]), None)


def _busiest(run: NetworkRun, row: int, until: float, width: float) -> float:
    """Where the first spike in view is, with something before it [ms]."""
    spikes = np.sort(run.times[(run.gids == run.voltage_gids[row]) & (run.times < until)])
    first = spikes[0] - 0.2 * width if len(spikes) else 0.0
    return float(np.clip(first, 0.0, max(0.0, run.duration - width)))


def psps(result: NetworkComparison) -> str:
    """Somatic answers to single events: a panel per synapse."""
    columns = min(4, len(result.psps))
    rows = -(-len(result.psps) // columns)
    with panels(rows, columns, 2.35, 1.45, sharex=True) as (figure, axes):
        for k, ax in enumerate(axes.flat):
            if k >= len(result.psps):
                ax.axis("off")
                continue
            psp = result.psps[k]
            seen = psp.t <= 60
            for name, width in ((NATIVE, 1.3), (SWAPPED, 0.9)):
                ax.plot(psp.t[seen], psp.voltage[name][seen], color=LOOK[name][0], lw=width)
            title = f"{short(psp.source, 16)}, {short(psp.synapse)}\n{psp.section}"
            title += f", {psp.distance:.0f} µm · cell {psp.gid}"
            ax.set_title(title, loc="left", fontsize=7.5)
            if k >= len(result.psps) - columns:
                ax.set_xlabel("ms after the event")
                ax.tick_params(labelbottom=True)
        for ax in axes[:, 0]:
            ax.set_ylabel("mV")
        legend(figure, [(name, LOOK[name][0], "-", "") for name in (NATIVE, SWAPPED)])
        return svg(figure)
