"""What the NOBLE paper shows, measured by `noble-neuron reproduce` and recorded.

    python benchmarks/reproduce.py OUT [NAME ...]      (all)

At quick scale, and at small scale what trains surrogates (half an hour of one core in all). OUT
keeps simulations, trainings and pages; each item's records go to results/reproduce_NAME.json, and
its first picture to docs/reproduce_NAME.svg. `speed` wants a machine that is quiet.
"""

from __future__ import annotations

import base64
import sys
from functools import partial
from pathlib import Path

from record import ROOT, record

from noble_neuron.reproduce.items import find
from noble_neuron.reproduce.run import reproduce

KIND = "data:image/svg+xml;base64,"


def main() -> None:
    out, names = Path(sys.argv[1]), sys.argv[2:] or ["all"]
    for item in find(names):
        say = partial(print, flush=True)
        found = reproduce([item.name], out, item.recorded, say=say)[item.name]
        say(found.text())
        record(f"reproduce_{item.name}", list(found.records))
        picture = next(iter((found.pictures or {}).values()), "")
        if picture.startswith(KIND):
            file = ROOT / "docs" / f"reproduce_{item.name}.svg"
            file.write_bytes(base64.b64decode(picture.removeprefix(KIND)))


if __name__ == "__main__":
    main()
