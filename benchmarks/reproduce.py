"""What the NOBLE paper shows, measured by `noble-neuron reproduce` at quick scale and recorded.

    python benchmarks/reproduce.py OUT [NAME ...]      (all)

OUT keeps simulations and pages; each item's records go to results/reproduce_NAME.json, and its
first picture to docs/reproduce_NAME.svg. Smoke runs are not recorded. `speed` wants a machine that
is quiet.
"""

from __future__ import annotations

import base64
import sys
from pathlib import Path

from record import ROOT, record

from noble_neuron.reproduce._trained import SMOKE
from noble_neuron.reproduce.items import find
from noble_neuron.reproduce.run import reproduce

KIND = "data:image/svg+xml;base64,"


def main() -> None:
    out, names = Path(sys.argv[1]), sys.argv[2:] or ["all"]
    for item in find(names):
        found = reproduce([item.name], out, say=lambda text: print(text, flush=True))[item.name]
        print(found.text(), flush=True)
        if any(str(row.get("split")).startswith(SMOKE) for row in found.records):
            continue
        record(f"reproduce_{item.name}", list(found.records))
        picture = next(iter((found.pictures or {}).values()), "")
        if picture.startswith(KIND):
            file = ROOT / "docs" / f"reproduce_{item.name}.svg"
            file.write_bytes(base64.b64decode(picture.removeprefix(KIND)))


if __name__ == "__main__":
    main()
