"""A surrogate of the cells of a NetPyNE network, trained for the input that they have in it.

    python examples/howto/surrogate_for_my_cell.py [FOLDER [MINUTES]]

The network is that of netpyne_population.py, whose basket cells no built-in surrogate stands for.
Everything is kept in FOLDER (basket_surrogate), so that the same call goes on where it was
interrupted. Without MINUTES it only shows the way, by an operator too small and a training too
short to be of use; with 30 or more it makes a surrogate. On the command line the same is
`noble-neuron surrogate-for MODEL_FOLDER PV --out FOLDER`.
"""

import sys
from pathlib import Path

from netpyne_population import config, network

import noble_neuron.hosts.netpyne_rules as noble
from noble_neuron.operators import OdeConfig
from noble_neuron.training.fit_stream import StreamFitConfig
from noble_neuron.workflows.surrogate_for import Effort

SMALL = Effort(
    minutes=0.02,
    traces=20,
    judged=4,
    duration=200.0,
    pilot_epochs=3,
    fit=StreamFitConfig(operator=OdeConfig(memory=8, width=16)),
)


def main(folder: Path, minutes: str | None) -> None:
    effort = Effort(minutes=float(minutes)) if minutes else SMALL
    made = noble.surrogate_for(network(), "PV", config(None), out=folder, effort=effort)
    print(made.text())

    params, settings = network(), config(None)
    settings.duration = 100
    noble.replace(params, "PV", surrogate=made.bundle)  # the line
    from netpyne import sim

    sim.createSimulate(params, settings)
    print(f"{len(sim.net.cells)} cells on {made.bundle}: {len(sim.simData['spkt'])} spikes")


if __name__ == "__main__":
    given = [*sys.argv[1:], None, None]
    sys.argv = sys.argv[:1]  # NetPyNE reads them
    main(Path(given[0] or "basket_surrogate"), given[1])
