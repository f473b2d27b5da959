"""Maps as a drawing that answers clicks: one block of HTML, with its data and its script."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ..compare.maps import FeatureMaps
from ..units import UNITS

_STYLE = """
.map { border: 1px solid var(--line); border-radius: 6px; padding: 1rem; margin: 1.2rem 0 }
.map select { font: inherit; font-size: .9rem; margin: 0 1.2rem .6rem .3rem; padding: .15rem }
.map label { font-size: .85rem; color: var(--soft) }
.map canvas { display: block; max-width: 100%; cursor: crosshair }
.map .read { min-height: 1.4em; font-size: .88rem; font-variant-numeric: tabular-nums }
"""

SCRIPT = Path(__file__).with_name("live_map.js")


def live(
    maps: FeatureMaps,
    names: list[str],
    full: Mapping[str, np.ndarray],
    own: Mapping[str, np.ndarray],
    first: tuple[str, int],
) -> str:
    """The drawing.

    Args:
        maps: What to draw.
        names: Of the training cells.
        full: Feature -> value of each full model, shape (A, cells).
        own: Likewise, of the surrogate at each cell's own point.
        first: Feature and current that it shows first.
    """
    features = list(maps.values)
    data = {
        "x": _plain(maps.x),
        "y": _plain(maps.y),
        "axes": [f"{n} [{u}]" if u else n for n, u in zip(maps.plane, maps.units, strict=True)],
        "labels": list(maps.labels),
        "features": features,
        "units": [UNITS.get(name, "") for name in features],
        "values": [_plain(maps.values[name]) for name in features],
        "supported": maps.supported.astype(int).tolist(),
        "outside": _plain(maps.outside),
        "cells": _plain(maps.cells),
        "names": names,
        "full": [_plain(full[name]) for name in features],
        "own": [_plain(own[name]) for name in features],
        "first": [features.index(first[0]), first[1]],
    }
    # A closing tag inside the data would end the script.
    text = json.dumps(data, separators=(",", ":")).replace("</", "<\\/")
    other = html.escape(f"Grey: nothing was trained there. The other coordinates: {maps.rule}.")
    return (
        f"<style>{_STYLE}</style><div class=map>"
        "<label>feature<select id=map-feature></select></label>"
        "<label>current<select id=map-current></select></label>"
        "<label>as<select id=map-view><option>map<option>surface</select></label>"
        "<canvas id=map-canvas></canvas><div class=read id=map-read></div>"
        f"<p class=soft>{other}</p></div>"
        f'<script type="application/json" id=map-data>{text}</script>'
        f"<script>{SCRIPT.read_text(encoding='utf-8')}</script>"
    )


def _plain(values: np.ndarray) -> list:
    """Nested lists with four digits; None where there is no number."""
    if np.ndim(values) == 0:
        return float(f"{values:.5g}") if np.isfinite(values) else None
    return [_plain(v) for v in values]
