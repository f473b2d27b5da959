"""One run of a NetPyNE model in a process of its own: as it is, or swapped; and what came of it.

The model's folder is read and not written to. What the model records, plots and saves by itself
is left out; spikes of all cells and the voltages of a few are kept, as plain arrays in one file.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError, ModelError, NobleError, SimulationError
from ..files import written_whole
from ..units import nearest
from .netpyne_model import find_model, load_model

FORMAT = 1  # of the file that a run writes
RECORD = 0.1  # ms between two samples of a voltage
EXAMPLES = 4  # cells of each population whose voltage is kept
TOLD = 100  # times that a run says how far it is
UNUSED = {  # settings that would record, draw or save
    "recordTraces": {},
    "recordStim": False,
    "recordLFP": [],
    "recordDipole": False,
    "saveLFPCells": False,
    "saveLFPPops": False,
    "saveIMembrane": False,
    "analysis": {},
    "printRunTime": False,
    "verbose": False,
    "recordCellsSpikes": -1,
}
ALSO_SWITCHED_OFF = ("recordLFP", "recordDipole")  # what a swapped network could not do


@dataclass(frozen=True)
class RunSpec:
    """What to run.

    Attributes:
        model: Folder or index of the model.
        pops: Populations that are compared.
        swaps: Population -> arguments of `netpyne_rules.replace`; empty for the model as it is.
        halved: The time step is half the model's.
        seed: Added to the seed of the stimulation.
        inputs: File of an earlier run, whose spikes the compared cells get; None in closed loop.
        probe: Afterwards single synaptic events, one after the other.
        receive: What the compared cells receive is kept, and what they are.
        longest: The run ends then at the latest [ms]; None: when the model's own does.
    """

    model: str
    pops: tuple[str, ...]
    swaps: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    halved: bool = False
    seed: int = 0
    inputs: str | None = None
    probe: bool = False
    receive: bool = False
    longest: float | None = None


def run_model(spec: RunSpec, out: str, log: str, beat: Callable[[Any], None]) -> None:
    """Run, in a process that ends afterwards, and write the arrays to `out`.

    Args:
        spec: What to run.
        out: File to write, npz.
        log: File that takes everything the model prints.
        beat: Told (time, duration) [ms] now and then.

    Raises:
        NobleError: The input is at fault, or the model failed; then the last line of its error
            is in the text, and all of it in the log.
    """
    _quiet_process(log)
    stage = ["could not be loaded"]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            run = _Run(spec, stage, beat)
            arrays = run.arrays()
            arrays["about"] = np.array(json.dumps({**run.about, "complaints": _complaints(log)}))
    except NobleError:
        traceback.print_exc()
        raise
    except (Exception, SystemExit) as error:
        traceback.print_exc()
        sys.stderr.flush()
        refused = _refusal(log) if spec.swaps else None
        if refused:
            raise SimulationError(refused) from None
        raise ModelError(_failure(spec, stage[0], error, log)) from None
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    with written_whole(out) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, **arrays)


def _quiet_process(log: str) -> None:
    """Everything printed goes to the log, and nothing looks for a screen or for arguments."""
    Path(log).parent.mkdir(parents=True, exist_ok=True)
    with open(log, "wb") as file:
        for fd in (1, 2):
            os.dup2(file.fileno(), fd)
    os.environ["MPLBACKEND"] = "Agg"
    os.environ.setdefault("NEURON_MODULE_OPTIONS", "-nogui")
    sys.argv = sys.argv[:1]  # NetPyNE reads them on import
    sys.dont_write_bytecode = True  # not into the model's folder
    os.chdir(Path(log).parent)  # NEURON loads mechanisms of the folder it starts in


def _complaints(log: str) -> list[str]:
    """What NetPyNE printed as errors and went on from, such as a mechanism that it lacks."""
    sys.stdout.flush()
    text = Path(log).read_text(errors="replace")
    return list(dict.fromkeys(re.findall(r"(?<![\w.])(?:ERROR|Error)[:\s].*$", text, flags=re.M)))


def _refusal(log: str) -> str | None:
    """What a surrogate said on refusing: hoc, through which it is made, only prints that."""
    found = re.findall(
        r"^noble_neuron\.errors\.\w+: (.+)$", Path(log).read_text(errors="replace"), flags=re.M
    )
    return found[-1] if found else None


def _failure(spec: RunSpec, stage: str, error: BaseException, log: str) -> str:
    swapped = ", ".join(spec.swaps)
    which = f"with {swapped} on surrogates" if swapped else "as it is"
    last = (str(error).strip().splitlines() or ["no message"])[-1].rstrip(".")
    return (
        f"The model {spec.model}, {which}, {stage}: {type(error).__name__}: {last}. All it "
        f"printed is in {log}."
    )


class _Run:
    """The steps of one run, in order."""

    def __init__(self, spec: RunSpec, stage: list[str], beat: Callable[[Any], None]) -> None:
        self.spec, self.stage, self.beat = spec, stage, beat
        self.seconds: dict[str, float] = {}
        self.switched_off: list[str] = []
        self.about: dict[str, Any] = {}
        self.held: list[Any] = []  # what NEURON must find alive while it runs

    def arrays(self) -> dict[str, np.ndarray]:
        """Load, swap, build, run; the answer is what the file holds."""
        with self._timed("load"):
            cfg, params = load_model(find_model(self.spec.model), self._configure)
            self._check_pops(params)
            self._swap(params)
        self.memory_before = _memory("VmRSS")
        self.stage[0] = "could not be built"
        with self._timed("build"):
            sim = self._built(params, cfg)
        self.stage[0] = "failed while it ran"
        with self._timed("run"):
            sim.runSim()
        kept = self._kept(sim)
        kept |= self._single_events(sim) if self.spec.probe else {}
        return kept | (self._received(sim) if self.spec.receive else {})

    def _timed(self, name: str) -> _Timed:
        return _Timed(self.seconds, name)

    def _configure(self, cfg: Any) -> None:
        """What this run asks of the configuration; the parameters are made after that."""
        self.switched_off = [key for key in ALSO_SWITCHED_OFF if getattr(cfg, key, None)]
        for key, value in UNUSED.items():
            setattr(cfg, key, type(value)(value))
        for key in [name for name in vars(cfg) if name.startswith("save")]:
            if getattr(cfg, key) is True:
                setattr(cfg, key, False)
        cfg.dt = cfg.dt / 2 if self.spec.halved else cfg.dt
        cfg.duration = min(cfg.duration, self.spec.longest or cfg.duration)
        cfg.createPyStruct = cfg.createPyStruct or self.spec.receive
        cfg.seeds["stim"] = cfg.seeds.get("stim", 1) + self.spec.seed

    def _check_pops(self, params: Any) -> None:
        known = list(params.popParams)
        for pop in self.spec.pops:
            if pop not in known:
                raise InputError(
                    f"No population {pop!r}{nearest(pop, known)} The model has "
                    f"{', '.join(map(str, known))}."
                )

    def _swap(self, params: Any) -> None:
        if self.spec.swaps:
            from . import netpyne_rules

            for pop, said in self.spec.swaps.items():
                netpyne_rules.replace(params, pop, **said)

    def _built(self, params: Any, cfg: Any) -> Any:
        """NetPyNE's own steps, with what this run adds between them."""
        from netpyne import sim

        sim.initialize(params, cfg)
        sim.net.createPops()
        sim.net.createCells()
        self.cells = {pop: self._cells_of(sim, pop) for pop in self.spec.pops}
        own = sim.pc
        if self.spec.inputs:
            self._listen_elsewhere(sim, self.spec.inputs)
        sim.net.connectCells()
        sim.net.addStims()
        sim.net.addRxD()
        sim.pc = own
        sim.setupRecording()
        self._record(sim)
        if self.spec.receive:
            from .netpyne_received import Received

            some = [_spread(cells, EXAMPLES) for cells in self.cells.values()]
            self.receivers = Received([cell for cells in some for cell in cells])
        self._tell_time(sim)
        return sim

    def _cells_of(self, sim: Any, pop: str) -> list[Any]:
        cells = [cell for cell in sim.net.cells if cell.tags.get("pop") == pop]
        if not cells or not all(_has_sections(cell) for cell in cells):
            raise InputError(
                f"Population {pop!r} has {len(cells)} cells"
                + (", and they have no sections" if cells else "")
                + ": only cells with a soma can be compared with surrogates."
            )
        return cells

    def _listen_elsewhere(self, sim: Any, inputs: str) -> None:
        """What comes next in NetPyNE's order connects the compared cells to recorded spikes."""
        from .netpyne_replay import Player, Redirected

        offset = 1 + max(cell.gid for cell in sim.net.cells)
        gids = [cell.gid for cells in self.cells.values() for cell in cells]
        sim.pc = Redirected(sim.pc, gids, offset)
        with np.load(inputs) as earlier:
            times, sources = earlier["spike_times"], earlier["spike_gids"]
        self.held.append(Player(times, sources, offset))

    def _record(self, sim: Any) -> None:
        from neuron import h

        self.voltages = {}
        for cells in self.cells.values():
            for cell in _spread(cells, EXAMPLES):
                soma = next(s for s in cell.secs.values() if not s.get("topol"))["hObj"]
                self.voltages[cell.gid] = h.Vector().record(soma(0.5)._ref_v, RECORD)

    def _tell_time(self, sim: Any) -> None:
        from neuron import h

        duration, every = float(sim.cfg.duration), float(sim.cfg.duration) / TOLD

        def tell() -> None:
            self.beat((h.t, duration))
            if h.t + every < duration:
                sim.cvode.event(h.t + every, tell)

        self.held.append(h.FInitializeHandler(1, tell))

    def _kept(self, sim: Any) -> dict[str, np.ndarray]:
        voltages = [np.array(v) for v in self.voltages.values()]
        self.about = {
            "duration": float(sim.cfg.duration),
            "dt": float(sim.cfg.dt),
            "record": RECORD,
            "seconds": self.seconds,
            "memory": {"before": self.memory_before, "peak": _memory("VmHWM")},
            "pops": {
                label: [int(gid) for gid in pop.cellGids] for label, pop in sim.net.pops.items()
            },
            "without_sections": sorted(
                {cell.tags["pop"] for cell in sim.net.cells if not _has_sections(cell)}
            ),
            "switched_off": self.switched_off,
            "outside": self._outside(),
            "latents": self._latents(),
            "thresholds": self._thresholds(),
        }
        return {
            "spike_times": np.array(sim.simData["spkt"], dtype=float),
            "spike_gids": np.array(sim.simData["spkid"], dtype=int),
            "voltage": np.array(voltages, dtype=np.float32).reshape(len(voltages), -1),
            "voltage_gids": np.array(list(self.voltages), dtype=int),
        }

    def _single_events(self, sim: Any) -> dict[str, np.ndarray]:
        from .netpyne_probe import APART, BASELINE, PROBED, Probes

        some = [cell for cells in self.cells.values() for cell in _spread(cells, PROBED)]
        probes = Probes(sim, some, RECORD)
        about = {"events": probes.about, "apart": APART, "baseline": BASELINE}
        return {
            "event_voltage": probes.run().astype(np.float32),
            "event_gids": np.array(probes.gids),
            "event_about": np.array(json.dumps(about)),
        }

    def _received(self, sim: Any) -> dict[str, np.ndarray]:
        from .netpyne_pops import rules_of
        from .netpyne_received import RECORD as every
        from .netpyne_received import described

        cells = [cell for some in self.cells.values() for cell in some]
        rules = [r for pop in self.spec.pops for r in rules_of(sim.net.params, pop).values()]
        about = described(cells, rules, sim.cfg, sim.net.params.defaultThreshold)
        about["every"] = every
        return {
            **self.receivers.arrays(about["v_init"]),
            "received_gids": np.array([cell.gid for cell in self.receivers.cells]),
            "described": np.array(json.dumps(about)),
        }

    def _surrogates(self, pop: str) -> list[Any]:
        from .netpyne_rules import cell_of

        return [cell_of(cell) for cell in self.cells[pop]]

    def _outside(self) -> dict[str, dict[str, float]]:
        """Quantity -> cells that left what their surrogate was trained on, and the farthest."""
        found: dict[str, dict[str, float]] = {}
        for cell in (cell for pop in self.spec.swaps for cell in self._surrogates(pop)):
            for quantity, seen in cell.outside.items():
                entry = found.setdefault(quantity, {"cells": 0, "value": seen.value})
                entry["cells"] += 1
                entry["value"] = max(entry["value"], seen.value, key=abs)
        return found

    def _latents(self) -> dict[str, list[float]]:
        cells = (cell for pop in self.spec.swaps for cell in self._surrogates(pop))
        return {str(cell.gid): cell.latent.tolist() for cell in cells}

    def _thresholds(self) -> dict[str, float]:
        return {pop: self._surrogates(pop)[0].threshold for pop in self.spec.swaps}


class _Timed:
    """Adds the wall time of a block to a table [s]."""

    def __init__(self, table: dict[str, float], name: str) -> None:
        self.table, self.name = table, name

    def __enter__(self) -> None:
        self.began = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self.table[self.name] = time.perf_counter() - self.began


def _has_sections(cell: Any) -> bool:
    """Not so a NetStim or another artificial cell; NetPyNE's cells have any attribute."""
    secs = getattr(cell, "secs", None)
    return isinstance(secs, dict) and bool(secs)


def _spread(cells: list, most: int) -> list:
    """At most so many, evenly over the list."""
    at = np.linspace(0, len(cells) - 1, min(most, len(cells))).round().astype(int)
    return [cells[k] for k in at]


def _memory(key: str) -> float:
    """Resident memory of this process [MB]: now (VmRSS) or at its highest (VmHWM)."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(float(x.split()[1]) for x in lines if x.startswith(key)) / 1024
    except (OSError, StopIteration):  # no Linux
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
