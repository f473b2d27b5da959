"""The command that takes a recording: place."""

from __future__ import annotations

import argparse

from .shared import NOTHING_WRITTEN, Command, device, say


def _place(o: argparse.Namespace) -> None:
    from ..compare.placed import placed_text
    from ..experiment.recording import place_recording
    from ..files import write_json
    from ..surrogates.bundle import load

    surrogate = load(o.surrogate, o.device)
    found = place_recording(
        o.recording, surrogate, junction=o.junction, cells=o.cells, seed=o.seed
    )
    name = _name_of(surrogate, found.placement.nearest)
    print(placed_text(found, name))
    written = found.to_dict() | {"surrogate": surrogate.card.ensemble, "junction": o.junction}
    write_json(o.out, written | {"name of the nearest training cell": name})
    say(f"written: {o.out}")


def _name_of(surrogate, number: int) -> str:
    """The training cell's name where its ensemble is built in, else its number."""
    import numpy as np

    from ..simulate.study import Study, builtin_names

    space = surrogate.latent_space
    if surrogate.card.ensemble in builtin_names():
        latents = Study.load(surrogate.card.ensemble).latents(space.names)
        for name, point in latents.items():
            if np.allclose(point, space.points[number], rtol=1e-9):
                return name
    return f"number {number} of the latent space's points"


def _fill_place(add: argparse.ArgumentParser) -> None:
    add.add_argument("recording", help="NWB 2 file, current clamp, long square steps")
    add.add_argument("--surrogate", default="pvalb", help="built-in name or a bundle")
    add.add_argument(
        "--junction",
        type=float,
        default=0.0,
        help="liquid junction potential, taken off the recorded voltage [mV]; 0: as recorded",
    )
    add.add_argument("--cells", type=int, default=50, help="of the ensemble around the cell")
    add.add_argument("--seed", type=int, default=0, help="of their draw")
    add.add_argument("--out", default="place.json", help="JSON file to write")
    device(add)


COMMANDS = (
    Command(
        "place",
        _place,
        "a recorded cell (NWB): features, its place in a latent space, the ensemble around it",
        _fill_place,
        NOTHING_WRITTEN,
    ),
)
