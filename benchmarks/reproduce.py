"""What the NOBLE paper shows, measured by `noble-neuron reproduce` and recorded.

    python benchmarks/reproduce.py OUT [NAME ...] [--cells CELLS]      (all of pvalb)

At quick scale, and at small scale what trains surrogates (half an hour of one core in all). OUT
keeps simulations, trainings and pages; each item's records go to results/reproduce_NAME.json, and
its first picture to docs/reproduce_NAME.svg; of another built-in ensemble, to
reproduce_NAME_CELLS. `speed` wants a machine that is quiet.
"""

from __future__ import annotations

import argparse
import base64
from functools import partial
from pathlib import Path

from record import ROOT, record

from noble_neuron.reproduce.items import find
from noble_neuron.reproduce.run import reproduce

KIND = "data:image/svg+xml;base64,"


def options() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--cells", default="pvalb")
    return parser.parse_args()


def main() -> None:
    o = options()
    of = "" if o.cells == "pvalb" else f"_{o.cells}"
    say = partial(print, flush=True)
    for item in find(o.names or ["all"]):
        answer = reproduce(
            [item.name], o.out, item.recorded, surrogate=o.cells, cells=o.cells, say=say
        )
        found = answer[item.name]
        say(found.text())
        record(f"reproduce_{item.name}{of}", list(found.records))
        picture = next(iter((found.pictures or {}).values()), "")
        if picture.startswith(KIND):
            file = ROOT / "docs" / f"reproduce_{item.name}{of}.svg"
            file.write_bytes(base64.b64decode(picture.removeprefix(KIND)))


if __name__ == "__main__":
    main()
