"""What a surrogate cannot work under is refused when NEURON is initialised."""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

from neuron import h

from ..errors import SimulationError, SomaWarning
from ..nrn.mechanisms import carries_current

if TYPE_CHECKING:
    from .cell import NobleCell

# Mechanisms every section has, and the one that is a plain conductance.
HARMLESS = {"capacitance", "morphology", "pas"}


def check(cells: Sequence[NobleCell]) -> None:
    """Look at NEURON's settings, every soma, and the NetCons that listen there.

    Raises:
        SimulationError: Something is wrong; the text says what, where, and what to do.
    """
    _solver()
    for stepper in {id(cell.stepper): cell.stepper for cell in cells}.values():
        _clock(stepper)
        _temperature(stepper)
    for cell in cells:
        _soma(cell)
    _thresholds(cells)


def _solver() -> None:
    wrong = None
    if h.CVode().active():
        wrong = "the variable step is on", "h.CVode().active(False)"
    elif h.secondorder:
        wrong = f"secondorder is {h.secondorder:g}", "h.secondorder = 0"
    elif getattr(sys.modules.get("neuron.coreneuron"), "enable", False):
        wrong = "CoreNEURON is on", "coreneuron.enable = False"
    if wrong:
        raise SimulationError(
            f"NobleCells run at NEURON's fixed step with implicit Euler, and {wrong[0]}. "
            f"Set {wrong[1]}."
        )


def _clock(stepper) -> None:
    if not any(math.isclose(h.dt, dt, rel_tol=1e-9) for dt in stepper.time_steps):
        served = ", ".join(f"{dt:g}" for dt in stepper.time_steps)
        raise SimulationError(
            f"{_named(stepper)} cannot serve h.dt = {h.dt:g} ms; it serves {served} ms. Set h.dt, "
            f"and h.steps_per_ms = 1/h.dt, which h.run() derives it from."
        )


def _temperature(stepper) -> None:
    if abs(h.celsius - stepper.celsius) > 1e-9:
        raise SimulationError(
            f"{_named(stepper)} is at {stepper.celsius:g} degC, but NEURON is at "
            f"{h.celsius:g} degC. Set h.celsius = {stepper.celsius:g}."
        )


def _named(stepper) -> str:
    return f"The stepper {type(stepper).__name__}"


def _soma(cell: NobleCell) -> None:
    soma = cell.soma
    if soma.nseg != 1:
        raise SimulationError(f"{cell}: its soma has {soma.nseg} segments. Set soma.nseg = 1.")
    inserted = {mechanism.name() for mechanism in soma(0.5)}
    ions = sorted(m for m in inserted if m.endswith("_ion"))
    own = sorted(inserted.difference(HARMLESS, ions))
    active = [mechanism for mechanism in own if carries_current(mechanism)]
    if active:
        raise SimulationError(
            f"{cell}: its soma has currents of its own ({', '.join(active)}), which the "
            f"surrogate already contains. Remove them: cell.soma.uninsert({active[0]!r})."
        )
    if "pas" in inserted:
        _say(cell, "pas", "its soma's pas adds to the leak that the surrogate already contains.")
    if cell.twin is None and (soma.children() or soma.parentseg() is not None):
        _say(
            cell,
            "sections",
            "sections are connected to its soma. They add to the dendrites that the surrogate "
            "already contains: with own_tree=True they stand for those.",
        )
    for ion in ions:
        if int(h.ion_style(ion, sec=soma)) % 4:
            _say(
                cell,
                ion,
                f"a mechanism at its soma reads or writes concentrations of {ion[:-4]}, which "
                f"the surrogate's own channels do not change.",
            )


def _thresholds(cells: Sequence[NobleCell]) -> None:
    """Spikes that never reach a NetCon's threshold are never sent."""
    listened = {cell.soma: cell for cell in cells if math.isfinite(cell.lowest_peak)}
    if not listened:
        return
    for netcon in h.List("NetCon"):
        segment = netcon.preseg()
        cell = listened.get(segment.sec) if segment is not None else None
        if cell is not None and netcon.threshold > cell.lowest_peak:
            _say(
                cell,
                "threshold",
                f"a NetCon waits for {netcon.threshold:g} mV, and spikes reach "
                f"{cell.lowest_peak:g} mV. Set netcon.threshold = cell.threshold "
                f"({cell.threshold:g} mV).",
            )


def _say(cell: NobleCell, topic: str, text: str) -> None:
    """Warn once per cell and topic."""
    if topic not in cell.said:
        cell.said.add(topic)
        warnings.warn(f"{cell}: {text}", SomaWarning, stacklevel=2)
