"""A NetPyNE model as it is, and with populations on surrogates: run, and set side by side."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from ..surrogates import library
from . import activity
from .activity import NetworkRun, Psp
from .network_runs import FULL, HALF, REPLAYED, REPLAYED_HALF, SEED, SWAPPED, runs_of

CLOSED = (SWAPPED, HALF, SEED)  # what is set against the full network in closed loop
FLOORS = (HALF, SEED)
PROBED = (FULL, SWAPPED, HALF)  # those with single events afterwards
SPIKE = -20.0  # mV; what rises higher has fired, whatever the model detects
OPEN = (REPLAYED, REPLAYED_HALF, SEED)  # on replayed input; the last is what chance gives


@dataclass(frozen=True)
class NetworkComparison:
    """A network as it is and swapped, and how they differ.

    Attributes:
        model: The model's folder or index.
        swaps: Population -> how it was swapped.
        runs: Name -> run; "full" and "swapped" are those compared.
        figures: Population -> run -> figure -> value; see `activity.FIGURES`.
        distances: Population -> run -> distance from "full"; see `activity.DISTANCES`.
        replay: Swapped population -> run -> agreement with "full"; see `activity.REPLAY`.
        psps: Single synaptic events: full, swapped, and full at dt/2.
        notes: What should be known before trusting the figures.
    """

    model: str
    swaps: dict[str, dict[str, Any]]
    runs: dict[str, NetworkRun]
    figures: dict[str, dict[str, dict[str, float]]]
    distances: dict[str, dict[str, dict[str, float]]]
    replay: dict[str, dict[str, dict[str, float]]]
    psps: tuple[Psp, ...]
    notes: tuple[str, ...]

    def floor(self, pop: str, distance: str) -> float:
        """The larger of the full model's distances from itself: at dt/2, at another seed."""
        values = [self.distances[pop][run][distance] for run in FLOORS]
        known = [x for x in values if x == x]
        return max(known) if known else float("nan")

    def psp_errors(self, pop: str) -> dict[str, dict[str, float]]:
        """Run -> `activity.EVENTS` of a swapped population, the full model's dt/2 beside it."""
        own = [psp for psp in self.psps if psp.pop == pop]
        return {run: activity.psp_errors(own, FULL, run) for run in (SWAPPED, HALF)}

    def table(self) -> str:
        """The comparison as text for a terminal."""
        from .network_tables import comparison_text

        return comparison_text(self)

    def save_html(self, path: str | Path) -> Path:
        """Write the report: one file that needs no other."""
        from .network_report import write

        return write(self, Path(path))


def compare_network(
    model: str | os.PathLike,
    swaps: Mapping[str, str | Mapping[str, Any]],
    out: str | os.PathLike = "network_comparison",
    say: Callable[[str], None] = lambda text: None,
) -> NetworkComparison:
    """Run a NetPyNE model as it is and swapped, with the same seeds, and compare.

    Args:
        model: Its folder (an index.npjson, or netParams.py with cfg.py), or an index in it.
        swaps: Population -> name or folder of a surrogate, or a mapping with "surrogate" and
            other arguments of `netpyne_rules.replace`: `{"PV": {"surrogate": "pvalb", "latent":
            "pvalb/2"}}`.
        out: Folder where runs are kept. A second call with the same model makes none again.
        say: Told about progress, one sentence at a time.

    Raises:
        InputError: No such folder, no model in it, or no such population.
        BundleError: No such surrogate, or a damaged one.
        ModelError: The model cannot be loaded, built or run; its log is named.
    """
    chosen = {pop: _said(pop, how) for pop, how in swaps.items()}
    if not chosen:
        raise InputError("Nothing to compare: name a population and its surrogate, PV=pvalb.")
    runs = runs_of(Path(model), chosen, Path(out).resolve(), say)
    full = runs[FULL]
    pops = sorted(full.populations, key=lambda pop: pop not in chosen)  # the swapped ones first
    replay = {pop: _replay(runs, pop) for pop in chosen}
    probed = {name: runs[name] for name in PROBED}
    pop_of = {gid: pop for pop in chosen for gid in full.pops[pop]}
    return NetworkComparison(
        model=str(model),
        swaps=chosen,
        runs=runs,
        figures={
            pop: {name: activity.figures(runs[name], pop) for name in (FULL, *CLOSED)}
            for pop in pops
        },
        distances={
            pop: {name: activity.distances(full, runs[name], pop) for name in CLOSED}
            for pop in pops
        },
        replay=replay,
        psps=activity.psps(probed, pop_of, runs[SWAPPED].about["thresholds"]),
        notes=tuple(_notes(runs)),
    )


def _said(pop: str, how: str | Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of a swap, its bundle by a name that holds in any folder."""
    said = dict(how) if isinstance(how, Mapping) else {"surrogate": str(how)}
    if "surrogate" not in said:
        raise InputError(f"The swap of {pop!r} names no surrogate: it says {sorted(said)}.")
    name = str(said["surrogate"])
    folder = library.find(name, library.STREAMING)
    known = name in library.names(library.STREAMING)
    return {**said, "surrogate": name if known else str(folder.resolve())}


def _replay(runs: Mapping[str, NetworkRun], pop: str) -> dict[str, dict[str, float]]:
    threshold = runs[SWAPPED].about["thresholds"][pop]
    return {name: activity.replayed(runs[FULL], runs[name], pop, threshold) for name in OPEN}


def _notes(runs: Mapping[str, NetworkRun]) -> list[str]:
    """What the runs themselves tell about how far to trust them."""
    full, swapped, seed = (runs[name] for name in (FULL, SWAPPED, SEED))
    notes = []
    for quantity, seen in swapped.about["outside"].items():
        notes.append(
            f"{seen['cells']:.0f} swapped cells met a {quantity} that their surrogate was not "
            f"trained on, {seen['value']:.3g} {_UNITS[quantity]} at the farthest."
        )
    if len(full.times) and np.array_equal(seed.times, full.times):
        notes.append(
            "Another seed changed nothing: the model sets the seeds of its stimulation itself, or "
            "has none that is random. What chance leaves open is then unknown."
        )
    for run, name in ((full, FULL), (swapped, SWAPPED)):
        if said := run.about["complaints"]:
            notes.append(
                f"NetPyNE went on from an error as it made the {name} network, whose log has all "
                f"of it. {said[0]}"
            )
    for key in full.about["switched_off"]:
        notes.append(
            f"The model's cfg.{key} was switched off: a surrogate has no membrane currents along "
            f"the cell, so a swapped network refuses it."
        )
    notes += [
        _silent(full, pop) for pop in full.populations if not any(map(len, full.trains(pop)))
    ]
    return notes


def _silent(full: NetworkRun, pop: str) -> str:
    """What to say of a population that does not fire in the full model."""
    said = f"No cell of {pop} fires in the full model: what there is to compare is little."
    own = np.isin(full.voltage_gids, full.pops[pop])
    if own.any() and full.voltage[own].max() > SPIKE:
        said += (
            f" But the voltage rises to {full.voltage[own].max():.0f} mV, so the model's "
            f"threshold for spikes may be too high for its cells (NetPyNE's default is 10 mV)."
        )
    return said


_UNITS = {"current": "nA", "conductance": "uS", "voltage": "mV"}
