"""What the cells of a population are and receive, from a short run of their whole network."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..cells.netpyne import load_netpyne
from ..cells.spec import HofCell
from ..errors import InputError, ModelError, NobleError
from ..features.shotnoise import correlation_time, shot_noise
from ..features.spiketrain import away_from
from ..files import read_json, write_json
from ..hosts.netpyne_model import find_model
from ..hosts.netpyne_run import RunSpec, run_model
from ..protocols.received import NOTHING, Received
from ..protocols.synapses import Synapses
from ..simulate.workers import Job, Workers

LONGEST = 1000.0  # ms of the network's life
SETTLED = 0.2  # share of the run that is left out at its beginning
AROUND = (2.0, 6.0)  # ms about a spike, in which currents through dendrites are the spike's own
REVERSALS = (-130.0, 100.0)  # mV
TAUS = (0.5, 100.0)  # ms
MOST_CELLS = 12  # different ones, of a population whose rule is diverse
SERVED = (0.025, 0.0125)  # ms; solver steps that training traces are kept at
DT = 0.025  # ms, otherwise
TELL_EVERY = 10.0  # s
Say = Callable[[str], None]


@dataclass(frozen=True)
class NetworkInput:
    """A population in its network.

    Attributes:
        cells: The different cells of it, by themselves.
        received: What each of some of them receives.
        rates: What these fire at [Hz].
        different: How many different cells there are.
    """

    cells: tuple[HofCell, ...]
    received: tuple[Received, ...]
    rates: tuple[float, ...]
    different: int

    def text(self) -> str:
        """What was found, for a terminal."""
        lines = [
            f"{len(self.received)} cells looked at, {np.mean(self.rates):.3g} Hz in the mean. At "
            f"their somata, in the median:"
        ]
        for name in ("excitation", "inhibition"):
            some = [getattr(r, name) for r in self.received if getattr(r, name).rate]
            if not some:
                lines.append(f"  {name}: none")
                continue
            rate, weight, decay, reversal = (
                float(np.median([getattr(s, key) for s in some]))
                for key in ("rate", "weight", "decay", "reversal")
            )
            mean = float(np.median([1e-3 * s.rate * s.area for s in some]))
            lines.append(
                f"  {name}: {1e3 * mean:.3g} nS, as of {rate:.3g} events/s of {1e3 * weight:.3g} "
                f"nS that decay in {decay:.2g} ms, reversing at {reversal:.3g} mV"
            )
        mean, sd = (np.median([getattr(r, key) for r in self.received]) for key in ("mean", "sd"))
        lines.append(f"  other current: {mean:.3g} nA, SD {sd:.3g}")
        return "\n".join(lines)


def network_input(model: str | os.PathLike, pop: str, out: Path, say: Say) -> NetworkInput:
    """Run a model's network for a second at most, and look at a population of it.

    Args:
        model: Folder of a NetPyNE model, or an index in it.
        pop: The population.
        out: Folder where the run is kept; a second call makes none again.
        say: Told about progress.

    Raises:
        InputError: No model, no such population, one whose cells cannot be taken out of the
            network; or `out` holds the run of another.
        ModelError: The model cannot be loaded, built or run.
    """
    files = find_model(model)
    about = {"model": files.fingerprint, "pop": pop, "longest": LONGEST}
    run, note = out / "network.npz", out / "network.json"
    if note.exists() and read_json(note) != about:
        raise InputError(
            f"{out} holds a surrogate of another population, or of this model as it was before it "
            f"changed: choose another folder."
        )
    if not run.exists():
        write_json(note, about)
        say(f"running the network, {LONGEST:g} ms at most, to see what {pop} receives")
        spec = RunSpec(str(Path(model).resolve()), (pop,), receive=True, longest=LONGEST)
        _run(spec, run.resolve(), out.resolve() / "network.log", say)
    with np.load(run) as arrays:
        described, ran = (json.loads(str(arrays[key])) for key in ("described", "about"))
        received, rates = _received(arrays, described, ran["duration"])
    cells = _cells(pop, described, files.mod)
    return NetworkInput(cells, received, rates, len(described["cells"]))


def _run(spec: RunSpec, file: Path, log: Path, say: Say) -> None:
    told = time.monotonic()

    def heard(_: Job, label: tuple[float, float]) -> None:
        nonlocal told
        if time.monotonic() - told > TELL_EVERY:
            told = time.monotonic()
            say(f"the network: {label[0]:.0f} of {label[1]:.0f} ms")

    with Workers(1, 86400.0, fresh=True, heard=heard) as pool:
        pool.submit(Job("network", run_model, (spec, str(file), str(log))))
        (outcome,) = pool.outcomes()
    if outcome.kind != "done":
        if isinstance(outcome.value, NobleError):
            raise outcome.value
        raise ModelError(
            f"The network's run ended without an answer: {outcome.text}. All it printed is in "
            f"{log}."
        )


def _received(
    arrays: Mapping[str, np.ndarray], about: Mapping, duration: float
) -> tuple[tuple[Received, ...], tuple[float, ...]]:
    every, received, rates = about["every"], [], []
    first = round(SETTLED * arrays["current"].shape[1])
    for row, gid in enumerate(arrays["received_gids"]):
        spikes = arrays["spike_times"][arrays["spike_gids"] == gid]
        rates.append(1e3 * np.sum(spikes > SETTLED * duration) / ((1 - SETTLED) * duration))
        events = {
            name: _synapses(
                arrays[f"{name}_g"][row, first:],
                arrays[f"{name}_b"][row, first:],
                every,
                getattr(NOTHING, name),
            )
            for name in ("excitation", "inhibition")
        }
        current = arrays["current"][row].astype(float)
        far = away_from(spikes, len(current), every, *AROUND)[first:]
        current = current[first:][far] if far.any() else current[first:]
        tau = correlation_time(current - current.mean(), every) if np.ptp(current) else 0.0
        received.append(
            Received(
                **events,
                mean=float(current.mean()),
                sd=float(current.std()),
                tau=float(np.clip(tau, *TAUS)),
            )
        )
    return tuple(received), tuple(map(float, rates))


def _synapses(g: np.ndarray, b: np.ndarray, every: float, none: Synapses) -> Synapses:
    """The events behind a conductance [uS], and where they reverse."""
    noise = shot_noise(g, every)
    if noise is None:
        return none
    reversal = float(np.clip(b.sum(dtype=float) / g.sum(dtype=float), *REVERSALS))
    return Synapses(noise.rate, noise.weight, noise.rise, noise.decay, reversal)


def _cells(pop: str, about: Mapping, mod: Path | None) -> tuple[HofCell, ...]:
    """The different cells, at most a dozen of them, each by itself."""
    number = len(about["cells"])
    chosen = np.unique(np.linspace(0, number - 1, min(number, MOST_CELLS)).round().astype(int))
    cells = []
    for k in map(int, chosen):
        cell = load_netpyne(
            {"secs": _with_a_soma(about["cells"][k], about["soma"]), "globals": about["globals"]},
            name=pop if number == 1 else f"{pop}/{k}",
            celsius=about["celsius"],
            v_init=about["v_init"],
            dt=about["dt"] if about["dt"] in SERVED else DT,
            threshold=about["threshold"],
            mechanisms=mod,
        )
        cells.append(replace(cell, ensemble=pop, hof=k))
    return tuple(cells)


def _with_a_soma(secs: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The same sections, the soma under the name by which a cell's is known."""
    if name in ("soma", "soma_0"):
        return dict(secs)
    named = {"soma" if key == name else key: dict(section) for key, section in secs.items()}
    for section in named.values():
        if section.get("topol", {}).get("parentSec") == name:
            section["topol"] = {**section["topol"], "parentSec": "soma"}
    return named
