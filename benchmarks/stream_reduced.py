"""The cells of `pvalb` as neuron_reduce reduces them, on the traces of `stream_pvalb.py`.

    python benchmarks/stream_reduced.py simulate FRESH VOLTAGES
    python benchmarks/stream_reduced.py judge FRESH VOLTAGES TRAINING

neuron_reduce 0.0.7 (Amsalem et al. 2020) maps each dendritic subtree to one cable and leaves soma
and axon as they are. It does not run on NEURON 9, where a mechanism lists its functions among its
variables, so the first command is for an environment with NEURON 8.2.7 (`make test-neuron8` makes
one; then `pip install neuron_reduce==0.0.7` in it). FRESH is the training folder's fresh.h5 that
`stream_pvalb.py` wrote, VOLTAGES an .npz to write. The second command runs in the usual
environment; TRAINING holds the streaming surrogate whose grid and threshold count.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from neuron import h

from noble_neuron.cells.builtin import ensemble
from noble_neuron.cells.python import load_python
from noble_neuron.cells.spec import group_name
from noble_neuron.files import written_whole
from noble_neuron.protocols.protocol import Protocol
from noble_neuron.simulate.run import simulate
from noble_neuron.store.hdf5 import Dataset

GRID = 0.1  # ms
NAME = "neuron_reduce (76 to 26 segments)"
FREQUENCY = 38.0  # Hz, at which the reduced cables' impedances are right: its own default


def reduced(number: int) -> SimpleNamespace:
    """The reduced cell of a model; what has to be held."""
    from neuron_reduce import subtree_reductor

    h.celsius = 34  # it initialises NEURON
    full = ensemble("pvalb").cells[number].build()
    groups: dict[str, list] = {}
    for section in full.sections:
        groups.setdefault(group_name(section), []).append(section)

    class Soma(list):
        """A hoc cell's soma[1], by which the reductor tells a list from a section."""

        def hname(self) -> str:
            return self[0].hname()

    original = SimpleNamespace(
        soma=Soma(groups["soma"]),
        dend=groups["dend"],
        axon=groups["axon"],
        apic=[],
        basal=h.SectionList(groups["dend"]),
        apical=h.SectionList(),
    )
    cell, _, _ = subtree_reductor(original, [], [], reduction_frequency=FREQUENCY)
    return SimpleNamespace(cell=cell, full=full)


def voltages(fresh: Path, out: Path) -> None:
    """Every trace of the data set again, by the reduced cell, on the surrogates' grid."""
    models = {cell.name: cell for cell in ensemble("pvalb").cells}
    answers, spent, segments = {}, {"full": 0.0, "reduced": 0.0}, 0
    with Dataset.open(fresh) as data:
        names = np.array([str(name) for name in data.table["cell"]])
        for name in dict.fromkeys(names[data.ok]):
            full = models[name]
            small = load_python(
                "stream_reduced:reduced",
                {"number": full.hof},
                celsius=full.celsius,
                v_init=full.v_init,
                dt=full.dt,
                threshold=full.threshold,
                name=name,
            )
            rows = [int(i) for i in data.ok if names[i] == name]
            protocols = [
                Protocol.from_dict(json.loads(data.table["protocol"][i])) for i in rows
            ]
            with small.build() as live:
                segments = sum(section.nseg for section in live.soma.wholetree())
                began = time.process_time()
                for i, protocol in zip(rows, protocols, strict=True):
                    answers[str(i)] = simulate(live, protocol, record_dt=GRID).v[1:]
                    answers[str(i)] = answers[str(i)].astype(np.float32)
                spent["reduced"] += (time.process_time() - began) / len(rows)
            with full.build() as live:
                began = time.process_time()
                simulate(live, protocols[0], record_dt=GRID)
                spent["full"] += time.process_time() - began
            print(name, segments, "segments", spent, flush=True)
    ratio = spent["full"] / spent["reduced"]
    with written_whole(out) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, ratio=ratio, segments=segments, **answers)


def judge(fresh: Path, path: Path, training: Path) -> None:
    """Figures of the reduced cells beside the truth, and their record."""
    from record import record
    from stream_pvalb import SEED, rows_of

    from noble_neuron.compare.streaming import SURROGATE, evaluate_streaming
    from noble_neuron.simulate.study import Study
    from noble_neuron.surrogates import bundle

    study, surrogate = Study.load("pvalb"), bundle.load_stream(training / "bundle")
    with np.load(path) as stored:
        ratio, known = float(stored["ratio"]), {k: stored[k] for k in stored.files}
    result = evaluate_streaming(
        surrogate,
        fresh,
        study.latents(surrogate.card.latent_space.names),
        rows_of(study, fresh, surrogate.threshold),
        rivals={NAME: lambda rows: np.stack([known[str(i)] for i in rows])},
    )
    print(result.table())
    rows = [r for r in result.records() if not r["figure"].startswith(f"{SURROGATE}/")]
    rows.append({"figure": "full cell / reduced cell, NEURON 8.2.7", "value": ratio, "unit": "x"})
    record("stream_reduced", [{**row, "seed": SEED} for row in rows])


def main() -> None:
    action, *paths = sys.argv[1:]
    {"simulate": voltages, "judge": judge}[action](*map(Path, paths))


if __name__ == "__main__":
    main()
