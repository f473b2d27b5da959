"""A recorded cell beside a surrogate: its features, its place, and the ensemble around it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..population.around import Ensemble, answers
from ..store.nwb import read_sweeps
from ..surrogates.surrogate import Surrogate
from .measured import RecordedCell, characterise_recording
from .placing import Placement, place
from .squares import long_squares

CELLS = 50
CURVE = 8  # amplitudes at which the ensemble answers, at most


@dataclass(frozen=True, eq=False)
class PlacedRecording:
    """What `place_recording` found.

    Attributes:
        cell: The recorded cell's features.
        placement: Its place among the surrogate's training cells.
        ensemble: The surrogate's cells around it, at amplitudes that were recorded.
        recorded: Mean spikes of the recorded cell at those amplitudes, shape (A,).
        notes: What a user must know, one sentence each.
    """

    cell: RecordedCell
    placement: Placement
    ensemble: Ensemble
    recorded: np.ndarray
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        features = {
            name: {"value": one.value, "error": _number(one.error), "note": one.note}
            for name, one in self.cell.features.items()
        }
        low, middle, high = np.quantile(self.ensemble.counts, [0.05, 0.5, 0.95], axis=0)
        curve = zip(self.ensemble.amplitudes, self.recorded, low, middle, high, strict=True)
        keys = ("amplitude", "recorded", "ensemble, 5 %", "ensemble, median", "ensemble, 95 %")
        return {
            "recorded features": features,
            "spacing of amplitudes": _number(self.cell.spacing),
            "placement": self.placement.to_dict(),
            "spikes per step": [dict(zip(keys, map(float, row), strict=True)) for row in curve],
            "points": self.ensemble.points.tolist(),
            "notes": list(self.notes),
        }


def place_recording(
    path: str | Path,
    surrogate: Surrogate,
    *,
    junction: float = 0.0,
    cells: int = CELLS,
    seed: int = 0,
) -> PlacedRecording:
    """Read a current-clamp recording, place its cell, and let the surrogate answer around it.

    Args:
        path: NWB 2 file with long square steps.
        surrogate: A whole-trace surrogate of the family.
        junction: Liquid junction potential [mV], taken off the recorded voltage (14 turns -74
            into -88). The family has its own convention, which the notes state.
        cells: Size of the ensemble.
        seed: Of its draw.
    """
    squares = long_squares(read_sweeps(path), junction)
    cell = characterise_recording(squares, surrogate.threshold)
    values = {name: one.value for name, one in cell.features.items()}
    errors = {name: one.error for name, one in cell.features.items()}
    placement = place(surrogate.latent_space, values, errors)
    amplitudes, counts = _tried(cell, surrogate)
    ensemble = answers(surrogate, placement.around.sample(cells, seed), amplitudes)
    notes = (*cell.notes, *_conventions(surrogate, junction))
    return PlacedRecording(cell, placement, ensemble, counts, notes)


def _tried(cell: RecordedCell, surrogate: Surrogate) -> tuple[np.ndarray, np.ndarray]:
    """Depolarising amplitudes that were recorded and that the surrogate was trained on."""
    top = surrogate.card.current_range[1]
    if surrogate.card.reach is not None:
        top = min(top, surrogate.card.reach * cell.features["I_thr"].value)
    usable = np.flatnonzero((cell.amplitudes > 0) & (cell.amplitudes <= top))
    if len(usable) > CURVE:
        usable = usable[np.linspace(0, len(usable) - 1, CURVE).round().astype(int)]
    if not len(usable):
        usable = np.array([int(np.abs(cell.amplitudes - top).argmin())])
    return cell.amplitudes[usable], cell.counts[usable]


def _conventions(surrogate: Surrogate, junction: float) -> list[str]:
    """Whose millivolts are whose: a shift of 14 mV is three SDs of a family's rest."""
    family = surrogate.card.junction_potential
    own = "as recorded" if junction == 0 else f"less {junction:g} mV"
    theirs = "as recorded" if family == 0 else f"shifted by {family:g} mV"
    if np.isclose(junction, -family):
        return [f"Voltages are {own}; those of {surrogate.card.ensemble!r} are {theirs}, too."]
    return [
        f"Voltages are {own}; those of {surrogate.card.ensemble!r} are {theirs}. Unless the "
        f"recording was corrected before, give a junction potential of {-family:g} mV."
    ]


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
