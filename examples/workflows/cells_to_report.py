"""From cells to a report: a family of small cells, its surrogate, both side by side.

Everything is small here, so that it runs in about a minute; for a surrogate worth having, raise
CURRENTS, the operator and the epochs (see docs/your_own_cells.md).

    python examples/workflows/cells_to_report.py FOLDER
"""

import sys
from pathlib import Path

import my_cells

from noble_neuron.compare.evaluation import evaluate
from noble_neuron.compare.side_by_side import compare
from noble_neuron.operators import NobleConfig
from noble_neuron.simulate.dataset import build_dataset
from noble_neuron.simulate.study import measure
from noble_neuron.simulate.suite import noble_samples
from noble_neuron.surrogates.bundle import load
from noble_neuron.training.config import TrainConfig
from noble_neuron.training.fit import FitConfig, fit

CELLS, CURRENTS, EPOCHS = 4, 10, 2
LATENT = ("I_thr", "max_rate")


def main(folder: Path) -> None:
    # 1. Cells, as descriptions: nothing of NEURON exists yet.
    cells = my_cells.cells(CELLS)
    # 2. Their F-I curves, and one cell that the surrogate will not see.
    study = measure("balls", cells, held_out=1, high=0.3, step=0.05)
    study.save(folder / "study.json")
    # 3. A training set; a second call with the same arguments finds it finished.
    data = build_dataset(study.cells, noble_samples(study, CURRENTS, seed=0), folder / "data.h5")
    # 4. A surrogate; likewise.
    held_out = [name for name, role in study.roles.items() if role == "held out"]
    config = FitConfig(
        LATENT,
        training=TrainConfig(epochs=EPOCHS),
        operator=NobleConfig(layers=2, hidden=8, modes=64),
    )
    result = fit(data, study.latents(LATENT), held_out, folder / "training", config)
    surrogate = load(result.bundle)
    # 5. How good is it, beside answers that know nothing?
    parts = {"held-out currents": result.split.test, "held-out cells": result.split.unseen}
    judged = evaluate(
        surrogate,
        data,
        study.latents(LATENT),
        parts,
        result.split.train,
        cells=study.cells,
        floor_samples=2,
    )
    print(judged.table())
    # 6. Side by side with the full simulation.
    compared = compare(
        surrogate, study.cells[:2], study.latents(LATENT), [-0.05, 0.1, 0.2], roles=study.roles
    )
    print(compared.table())
    print("report:", compared.save_html(folder / "report.html"))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "runs/cells_to_report"))
