"""The comparison of two networks as one HTML file."""

from __future__ import annotations

import html
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from . import network_plots as plots
from .activity import DISTANCES
from .network_runs import FULL, HALF, REPLAYED, REPLAYED_HALF, SEED, SWAPPED
from .network_tables import (
    costs_table,
    distances_table,
    figures_table,
    psp_errors_table,
    psps_table,
    replay_table,
)
from .page import facts_line, made_with, picture, section, whole, written
from .tables import number

if TYPE_CHECKING:
    from .network import NetworkComparison


def write(result: NetworkComparison, path: Path) -> Path:
    """Write the report to `path`, whole or not at all."""
    return written(page(result), path)


def page(result: NetworkComparison) -> str:
    """The report as HTML."""
    name = html.escape(Path(result.model).resolve().name)
    swapped = html.escape(", ".join(result.swaps))
    title = f"{name}: as it is, and with {swapped} on surrogates"
    parts = [
        f"<h1>{title}</h1>",
        _lead(result),
        facts_line(_facts(result)),
        _trust(result),
        section("Activity", picture(plots.rasters(result), _raster_caption(result))),
        section(
            "Rates, irregularity, correlation, spectrum",
            picture(
                plots.distributions(result),
                "Share of cells, or of pairs of cells, below each value; power of the mean rate.",
            ),
            figures_table(result).html(),
        ),
        section(
            "Distances beside the floor",
            f"<p>{_FLOOR}</p>",
            picture(plots.distances(result), "Further left is closer to the full network."),
            distances_table(result).html(),
        ),
        section(
            "Spike by spike, on the same input",
            f"<p>{_CHAOS}</p>",
            picture(
                plots.replayed_voltages(result),
                "Somatic voltage on replayed input; on the right, a close-up.",
            ),
            replay_table(result).html(),
            picture(
                plots.closed_voltages(result),
                "The same cells in closed loop, where they need not agree for long.",
            ),
        ),
        section("Single synapses", *_single(result)),
        section(
            "Time and memory",
            costs_table(result).html(),
            "<p class=soft>The two ran alone, one after the other; what else the machine did "
            "meanwhile is in the times. Reading the surrogate brings PyTorch, which is most of "
            "its memory and does not grow with the network.</p>",
        ),
        f"<footer><p>{made_with()} {_versions(result)}</p></footer>",
    ]
    return whole(title, parts)


_CHAOS = (
    "A recurrent network is chaotic: two runs that differ by a rounding have other spikes before "
    "long, so no spike of one is compared with a spike of the other above. Here the cells get the "
    "same input instead. Each connection to them plays the spikes that its source fired in the "
    "full network; synapses, weights and delays are the model's own. The floor is the full model "
    "at half its time step on that same input; the last column is what trains of that rate "
    "share by chance."
)
_FLOOR = (
    "The floor is how far the full model is from itself: at half its time step, which the "
    "solver leaves open, and with other random numbers in its stimulation, which chance leaves "
    "open. The swapped network has the full one's random numbers, so the first of the two is the "
    "harder: what is closer than that is at the solver's own error. What is closer than another "
    "seed could not be told from the full network by one run of this length."
)


def _lead(result: NetworkComparison) -> str:
    full = result.runs[FULL]
    swaps = "; ".join(
        f"{len(full.pops[pop])} cells of <b>{html.escape(pop)}</b> on "
        f"{html.escape(Path(said['surrogate']).name)}{_arguments(said)}"
        for pop, said in result.swaps.items()
    )
    rest = [pop for pop in full.populations if pop not in result.swaps]
    stay = f" {html.escape(', '.join(rest))} stay as they are." if rest else ""
    return (
        f"<p>{full.duration:.0f} ms at a time step of {full.dt:g} ms, once as the model has it, "
        f"once with {swaps}; the same seeds in both.{stay}</p>"
    )


def _arguments(said: dict) -> str:
    others = [f"{k} {v}" for k, v in said.items() if k != "surrogate"]
    return f" ({html.escape(', '.join(others))})" if others else ""


def _facts(result: NetworkComparison) -> list[tuple[str, str]]:
    full, swapped = result.runs[FULL], result.runs[SWAPPED]
    inside, known = _within(result)
    ratio = full.seconds["run"] / swapped.seconds["run"]
    gammas = [(by[REPLAYED]["gamma"], by[REPLAYED_HALF]["gamma"]) for by in result.replay.values()]
    gamma, floor = (float(np.mean(each)) for each in zip(*gammas, strict=True))
    return [
        (f"{inside} of {known}", "distances within the floor, of dt/2 or another seed"),
        (number(gamma), f"Gamma (2 ms) on the same input; floor {number(floor)}"),
        (
            number(max(ratio, 1 / ratio)) + "×",
            "faster, swapped" if ratio > 1 else "slower, swapped",
        ),
        (
            f"{number(full.memory['peak'])} / {number(swapped.memory['peak'])} MB",
            "memory, full / swapped",
        ),
    ]


def _within(result: NetworkComparison) -> tuple[int, int]:
    """How many distances of the swapped network are at most the floor, of how many known."""
    pairs = [
        (result.distances[pop][SWAPPED][key], result.floor(pop, key))
        for pop in result.distances
        for key in DISTANCES
    ]
    known = [(x, floor) for x, floor in pairs if np.isfinite(x) and np.isfinite(floor)]
    return sum(x <= floor for x, floor in known), len(known)


def _trust(result: NetworkComparison) -> str:
    warned = [f"<p class=warning>{html.escape(text)}</p>" for text in result.notes]
    said = []
    for pop in result.distances:
        beyond = [
            f"{label} ({number(result.distances[pop][SWAPPED][key])} against "
            f"{number(result.floor(pop, key))}{' ' + unit if unit else ''})"
            for key, (label, unit) in DISTANCES.items()
            if result.distances[pop][SWAPPED][key] > result.floor(pop, key)
        ]
        said.append(
            f"{pop}: beyond the floor in {', '.join(beyond)}."
            if beyond
            else f"{pop}: no farther than the floor in any figure that has one."
        )
    duration = result.runs[FULL].duration
    said.append(
        f"One run of {duration:.0f} ms and one other seed: a floor of so few numbers is itself "
        f"uncertain, most of all for the correlation and the spectrum. Run it longer before "
        f"resting a result on a small difference."
    )
    said.append(
        "Voltages and spikes are compared at the soma. Calcium, extracellular potentials and "
        "what happens in the axon are not there in a swapped cell."
    )
    bullets = "".join(f"<li>{html.escape(line)}</li>" for line in said)
    return section("How far to trust it", *warned, f"<ul>{bullets}</ul>")


def _raster_caption(result: NetworkComparison) -> str:
    return (
        f"Each line a spike; the swapped population in each run's own colour. {FULL.capitalize()} "
        f"and {SWAPPED} above; below, the full model against itself: at half its time step "
        f"({HALF}), and with other random numbers ({SEED})."
    )


def _single(result: NetworkComparison) -> list[str]:
    if not result.psps:
        return ["<p>No cell came to rest between the events, so there are no PSPs to compare.</p>"]
    return [
        "<p>One event through one synapse at a time, from rest, with all stimulation and all "
        "other connections silent. Of each kind of connection the nearest and the farthest.</p>",
        picture(plots.psps(result), "Somatic voltage less the rest before the event."),
        psp_errors_table(result).html(),
        psps_table(result).html(),
    ]


def _versions(result: NetworkComparison) -> str:
    swaps = ", ".join(f"{pop}={said['surrogate']}" for pop, said in result.swaps.items())
    return f"Model {html.escape(str(result.model))}; {html.escape(swaps)}."
