"""What the NOBLE paper shows, measured by `noble-neuron reproduce` at quick scale and recorded.

    python benchmarks/reproduce.py OUT [NAME ...] [--cells CELLS]      (all of pvalb)

OUT keeps simulations and pages; each item's records go to results/reproduce_NAME.json, and its
first picture to docs/reproduce_NAME.svg; of another built-in ensemble, to reproduce_NAME_CELLS.
Smoke runs are not recorded. `speed` wants a machine that is quiet.
"""

from __future__ import annotations

import argparse
import base64
from pathlib import Path

from record import ROOT, record

from noble_neuron.reproduce._trained import SMOKE
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
    for item in find(o.names or ["all"]):
        answer = reproduce([item.name], o.out, surrogate=o.cells, cells=o.cells, say=said)
        found = answer[item.name]
        print(found.text(), flush=True)
        if any(str(row.get("split")).startswith(SMOKE) for row in found.records):
            continue
        record(f"reproduce_{item.name}{of}", list(found.records))
        picture = next(iter((found.pictures or {}).values()), "")
        if picture.startswith(KIND):
            file = ROOT / "docs" / f"reproduce_{item.name}{of}.svg"
            file.write_bytes(base64.b64decode(picture.removeprefix(KIND)))


def said(text: str) -> None:
    """Progress, as it comes."""
    print(text, flush=True)


if __name__ == "__main__":
    main()
