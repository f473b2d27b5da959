"""A placed recording as tables for a terminal."""

from __future__ import annotations

import numpy as np

from ..experiment.placing import Placement
from ..experiment.recording import PlacedRecording
from ..units import unit
from .tables import Table


def placed_text(found: PlacedRecording, name: str) -> str:
    """Features, place and F-I curves, then what the user must know.

    Args:
        found: The placed recording.
        name: Of the training cell nearest to it.
    """
    parts = [features_table(found), place_table(found.placement), curve_table(found)]
    place = found.placement
    said = (
        f"The nearest point lies {_short(place.distance)} of the family's SDs away (a training "
        f"cell from the others' hull: {_short(np.median(place.usual))} in the median, "
        f"{_short(place.usual.max())} at most); the nearest training cell, {name}, "
        f"{_short(place.nearest_distance)}. The ensemble is drawn around "
        + (
            "the nearest point: the cell itself is farther out than the family's own."
            if place.extrapolated
            else "the measured features."
        )
    )
    return "\n\n".join([*(part.text() for part in parts), "\n".join([said, *found.notes])])


def features_table(found: PlacedRecording) -> Table:
    """What was measured of the cell."""
    rows = [
        (feature, unit(feature), _short(one.value), _short(one.error), one.note)
        for feature, one in found.cell.features.items()
    ]
    return Table("The recorded cell", ("feature", "unit", "value", "error", "from"), rows)


def place_table(place: Placement) -> Table:
    """The cell among the surrogate's training cells."""
    rows = []
    for k, name in enumerate(place.names):
        beyond = place.beyond[k]
        rows.append(
            (
                name,
                place.units[k],
                _short(place.measured[k]),
                f"{_short(place.low[k])} to {_short(place.high[k])}",
                f"{_short(beyond)} ({_short(beyond / place.sd[k])} SD)" if beyond else "inside",
                _short(place.point[k]),
                _short(place.point_sd[k]),
            )
        )
    head = ("feature", "unit", "recorded", "training cells", "beyond", "nearest point", "SD")
    return Table("Its place in the latent space", head, rows)


def curve_table(found: PlacedRecording) -> Table:
    """Spikes per step, recorded and of the ensemble."""
    low, middle, high = np.quantile(found.ensemble.counts, [0.05, 0.5, 0.95], axis=0)
    rows = [
        (f"{1e3 * a:.0f}", _short(own), _short(m), f"{_short(lo)} to {_short(hi)}")
        for a, own, m, lo, hi in zip(
            found.ensemble.amplitudes, found.recorded, middle, low, high, strict=True
        )
    ]
    title = f"Spikes in {found.cell.duration:g} ms: the cell, and {len(found.ensemble.points)} "
    title += "cells of the surrogate around it"
    return Table(title, ("current [pA]", "recorded", "ensemble", "nine in ten"), rows)


def _short(value: float) -> str:
    return f"{value:.3g}" if np.isfinite(value) else "–"
