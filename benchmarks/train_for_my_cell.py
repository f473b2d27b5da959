"""Surrogates for the cells of three networks: how long they take, and whether that was foreseen.

    python benchmarks/train_for_my_cell.py FOLDER MINUTES TRACES [NAME ...]

What `noble-neuron surrogate-for` does for the PV cells of examples/models/pv_network (pvalb), and
of the same network of HL23PV or HL23VIP cells, which are read from ../shared/data/hl23 and stay
there, as the surrogates stay in FOLDER/NAME (with NAME_dense by dense layers in place of the
equation); then the network with them, as compare-network sets it beside the full one. MINUTES are
those of training, on TRACES of a second. A killed run goes on; the record has every cell that is
finished in FOLDER.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
from record import ROOT, record

from noble_neuron.compare.network import NetworkComparison, compare_network
from noble_neuron.compare.network_runs import FULL, REPLAYED, REPLAYED_HALF, SWAPPED
from noble_neuron.compare.streaming import HALVED, SURROGATE
from noble_neuron.files import read_json, write_json
from noble_neuron.protocols.suites import RECEIVED
from noble_neuron.workflows.surrogate_for import Effort, surrogate_for

MODEL = ROOT / "examples" / "models" / "pv_network"
SHARED = ROOT.parent / "shared" / "data" / "hl23"
CELLS = {  # name -> weights of the two excitatory connections [uS]; the example's own if None
    "pvalb": None,
    "HL23PV": (1.2e-3, 0.8e-3),
    "HL23VIP": (0.8e-3, 0.4e-3),
}
CELL = '''"""One human cell, as a class that NetPyNE can import."""

from noble_neuron.cells.hl23 import load_hl23


class PVCell:
    """Its sections are NetPyNE's to read."""

    def __init__(self, model):
        self._live = load_hl23("{parameters}").build()
        self.all_sec = self._live.sections
'''


def main() -> None:
    folder, minutes, traces = Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    for name in sys.argv[4:] or CELLS:
        out, (cell, operator) = folder / name, meant(name)
        model = MODEL if CELLS[cell] is None else network_of(cell, folder / "models" / cell)
        made = surrogate_for(
            model,
            "PV",
            out=out,
            operator=operator,
            effort=Effort(minutes=minutes, traces=traces),
            say=said,
        )
        print(name, made.text(), sep="\n", flush=True)
        swapped = {"PV": {"surrogate": str(made.bundle)}}
        result = compare_network(model, swapped, out / "compare", said)
        print(result.table(), flush=True)
        write_json(out / "compare.json", [{"minutes": minutes}, *in_the_network(result)])
    finished = sorted(path.parent for path in folder.glob("*/compare.json"))
    record("train_for_my_cell", [row for path in finished for row in rows(path)])


def meant(name: str) -> tuple[str, str]:
    """Cell and operator of a NAME."""
    cell, _, dense = name.partition("_")
    if cell not in CELLS or dense not in ("", "dense"):
        raise SystemExit(f"No cell {name!r}: {', '.join(CELLS)}, with _dense after it or not.")
    return cell, "stream_dense" if dense else "stream_ode"


def in_the_network(result: NetworkComparison) -> list[dict]:
    """Rates of the network with its PV cells swapped, spikes on the same input, and PSPs."""
    rates = {run: result.figures["PV"][run]["rate"] for run in (FULL, SWAPPED)}
    replay, events = result.replay["PV"], result.psp_errors("PV")
    cells = len(result.runs[FULL].pops["PV"])
    psps = sum(psp.pop == "PV" for psp in result.psps)
    figures = [
        ("rate of the full cells", rates[FULL], "Hz", cells),
        ("rate of the swapped cells", rates[SWAPPED], "Hz", cells),
        ("Gamma on replayed input", replay[REPLAYED]["gamma"], "", cells),
        ("full cells at dt/2, Gamma on it", replay[REPLAYED_HALF]["gamma"], "", cells),
        ("amplitudes of single events, mean error", events[SWAPPED]["amplitude"], "%", psps),
    ]
    return [
        {"figure": f"in the network, {what}", "value": float(value), "unit": unit, "n": n}
        for what, value, unit, n in figures
        if np.isfinite(value)
    ]


def said(text: str) -> None:
    print(text, flush=True)


def network_of(name: str, folder: Path) -> Path:
    """The example's network, of other cells."""
    if folder.exists():
        return folder
    unfinished = folder.with_name(f"{name}.part")
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.copytree(MODEL, unfinished, ignore=shutil.ignore_patterns("__pycache__"))
    parameters = SHARED / f"{name}_params.json"
    about = read_json(parameters)
    (unfinished / "pv_cell.py").write_text(CELL.format(parameters=parameters))
    dendrites, soma = CELLS[name]
    for file, old, new in (
        ("cfg.py", '"v_init": -74', f'"v_init": {about["v_init_mV"]:g}'),
        ("netParams.py", '["threshold"] = -35', '["threshold"] = -20'),
        ("netParams.py", '["dend_0", "dend_5", "dend_14", "dend_21", "dend_26"]', '["dend_0"]'),
        ("netParams.py", '"weight": 3.2e-3', f'"weight": {dendrites}'),
        ("netParams.py", '"weight": 1.7e-3', f'"weight": {soma}'),
    ):
        text = (unfinished / file).read_text()
        assert old in text, (file, old)
        (unfinished / file).write_text(text.replace(old, new))
    unfinished.rename(folder)
    return folder


def rows(folder: Path) -> list[dict]:
    """What is kept of one cell, from its folder."""
    cell, operator = meant(folder.name)
    kind = {"stream_ode": "the equation", "stream_dense": "dense"}[operator]
    asked, *in_network = read_json(folder / "compare.json")
    result, split = (
        read_json(folder / "result.json"),
        read_json(folder / "training" / "split.json"),
    )
    measured = {row["figure"]: row for row in result["measured"]}
    expected, seconds, cpu = (result[key] for key in ("expected", "seconds", "cpu_seconds"))
    all_of_them = measured[f"{SURROGATE}/all/gamma"]
    own = all_of_them["value"]
    figures = [
        ("expected Gamma", expected["gamma"], "", None),
        ("measured Gamma", own, "", all_of_them["n"]),
        ("measured less expected", own - expected["gamma"], "", None),
        ("Gamma after the short training", expected["pilot"], "", None),
        ("traces to train on", len(split["train"]), "", None),
        ("minutes of training asked for", asked["minutes"], "min", None),
        ("steps of training", expected["total"], "", None),
        ("time on the wall", sum(seconds.values()) / 60, "min", None),
        ("time of a core", sum(cpu.values()) / 60, "min", None),
        (
            "both trainings, of a processor core",
            (cpu["pilot"] + cpu["training"]) / 60,
            "min",
            None,
        ),
    ]
    for said, figure in (
        ("full cell at dt/2, Gamma", f"{HALVED}/all/gamma"),
        ("Gamma on input like the network's", f"{SURROGATE}/{RECEIVED}/gamma"),
        ("full cell at dt/2, Gamma on such input", f"{HALVED}/{RECEIVED}/gamma"),
        ("count error", f"{SURROGATE}/all/count_error"),
        ("error below threshold", f"{SURROGATE}/all/below_mV"),
        ("error of peaks", f"{SURROGATE}/all/peak_mV"),
    ):
        if figure in measured:
            row = measured[figure]
            figures.append((said, row["value"], row["unit"], row["n"]))
    found = [
        {"figure": what, "value": value, "unit": unit, "n": n} for what, value, unit, n in figures
    ]
    found += in_network
    return [{**row, "figure": f"{cell}, {kind}: {row['figure']}"} for row in found]


if __name__ == "__main__":
    main()
