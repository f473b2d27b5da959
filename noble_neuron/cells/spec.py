"""A cell as data: a frozen, picklable description, and the living sections it builds."""

from __future__ import annotations

import contextlib
import importlib
import math
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from neuron import h

from ..errors import CellError, InputError, NobleError, SimulationError
from ..nrn import mechanisms
from .hocglobals import HocGlobals

LOADERS = {
    "swc": "noble_neuron.cells.morphology:build",
    "hoc": "noble_neuron.cells.hoc:build",
    "python": "noble_neuron.cells.python:build",
    "netpyne": "noble_neuron.cells.netpyne:build",
}
"""Loader name -> "module:function"; the function takes a `HofCell`, makes its sections,
and returns what has to stay alive with them (None where nothing has)."""


@dataclass(frozen=True)
class HofCell:
    """One model of a hall of fame, described but not built.

    Attributes:
        name: Name in tables, file names and errors.
        loader: Key of `LOADERS`.
        source: What the loader reads; plain values only, so that it pickles. Every loader
            understands `mechanisms`, a folder of mod files of the model's own; `globals`,
            hoc variables that hold while the cell lives; and `soma`, the soma's name.
        celsius: Temperature the model was fitted at [degC].
        v_init: Voltage it starts from [mV].
        dt: Fixed step of its reference simulation [ms].
        threshold: Voltage whose upward crossing is a spike [mV].
        junction_potential: What the model's voltage has been shifted by [mV].
        ensemble: The ensemble it belongs to, if any.
        hof: Its index in that ensemble's hall of fame, if any.
    """

    name: str
    loader: str
    source: dict[str, Any] = field(repr=False)
    celsius: float
    v_init: float
    dt: float
    threshold: float
    junction_potential: float = 0.0
    ensemble: str | None = None
    hof: int | None = None

    def __post_init__(self) -> None:
        if self.loader not in LOADERS:
            raise InputError(
                f"Cell {self.name}: there is no loader {self.loader!r}; "
                f"the loaders are {', '.join(LOADERS)}."
            )
        for key in ("celsius", "v_init", "dt", "threshold", "junction_potential"):
            value = getattr(self, key)
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise InputError(f"Cell {self.name}: {key} must be a number, not {value!r}.")
            if not math.isfinite(value):
                raise InputError(f"Cell {self.name}: {key} must be finite, not {value!r}.")
        if self.dt <= 0:
            raise InputError(f"Cell {self.name}: dt must be above 0 ms, not {self.dt!r}.")

    def build(self) -> LiveCell:
        """Make the sections in this process; `destroy` on the answer removes them all.

        Raises:
            InputError: A file or a value of the description is not usable.
            CellError: The loader failed; nothing of the cell is left behind.
        """
        mechanisms.load()
        if "mechanisms" in self.source:
            mechanisms.load_folder(self.source["mechanisms"])
        loader = _resolve(LOADERS[self.loader])
        before = set(h.allsec())
        keep = None
        held = HocGlobals(self.source.get("globals", {}), f"Cell {self.name}")
        try:
            with _solver_kept():
                keep = loader(self)
            sections = [s for s in h.allsec() if s not in before]
            return LiveCell(self, _soma(self, sections), sections, keep, held)
        except Exception as error:
            keep = None
            _delete([s for s in h.allsec() if s not in before])
            held.release()
            if isinstance(error, NobleError):
                raise
            raise CellError(f"Cell {self.name} could not be built: {error}") from error


class LiveCell:
    """The sections of one built cell; a context manager that destroys them on exit.

    Attributes:
        cell: The description it was built from.
        soma: The section whose middle is stimulated and recorded.
        sections: All sections, in the order they were made.
    """

    def __init__(
        self, cell: HofCell, soma: Any, sections: list, keep: Any, held: HocGlobals
    ) -> None:
        self.cell = cell
        self.soma = soma
        self.sections = sections
        self._keep = keep
        self._held = held
        # Whoever initialises NEURON, at whatever temperature, meets this check. NEURON holds what
        # it calls: our own method would keep the cell alive when nobody else does.
        mine = weakref.ref(self)
        self._guard = h.FInitializeHandler(0, lambda: mine().check_temperature())

    def check_temperature(self) -> None:
        """Refuse a NEURON temperature other than the cell's own."""
        if abs(h.celsius - self.cell.celsius) > 1e-9:
            raise SimulationError(
                f"{self.cell.name} was fitted at celsius={self.cell.celsius:g} degC, but "
                f"NEURON is at {h.celsius:g} degC. Run it inside "
                f"session(celsius={self.cell.celsius:g}, ...) or with simulate()."
            )

    def destroy(self) -> None:
        """Delete every section of this cell; a second call does nothing."""
        self._guard = None
        self._keep = None
        sections, self.sections, self.soma = self.sections, [], None
        alive = set(h.allsec())
        _delete([s for s in sections if s in alive])
        self._held.release()

    def __enter__(self) -> LiveCell:
        return self

    def __exit__(self, *exc: object) -> None:
        self.destroy()


@contextlib.contextmanager
def _solver_kept() -> Iterator[None]:
    """A model's own code may set these on the way; they are the session's to set."""
    names = ("celsius", "dt", "secondorder")
    values = [getattr(h, name) for name in names]
    try:
        yield
    finally:
        for name, value in zip(names, values, strict=True):
            setattr(h, name, value)


def _delete(sections: list) -> None:
    for section in sections:
        h.delete_section(sec=section)


def _resolve(target: str) -> Callable:
    module, _, name = target.partition(":")
    return getattr(importlib.import_module(module), name)


def section_name(section: Any) -> str:
    """Name without the cell's prefix: 'dend[3]' of 'Cell[0].dend[3]'."""
    return section.name().rpartition(".")[2]


def group_name(section: Any) -> str:
    """Group of a section: 'dend' of 'Cell[0].dend[3]'."""
    return section_name(section).partition("[")[0]


def _soma(cell: HofCell, sections: list) -> Any:
    """The one soma, after checking that the sections are one tree."""
    if not sections:
        raise CellError(f"Cell {cell.name}: its loader made no sections.")
    wanted = cell.source.get("soma", "soma")
    somata = [s for s in sections if section_name(s) in (wanted, f"{wanted}[0]")]
    if len(somata) != 1:
        names = ", ".join(section_name(s) for s in sections[:8])
        raise CellError(
            f"Cell {cell.name}: expected one section named {wanted!r} (or {wanted + '[0]'!r}), "
            f"found {len(somata)}. Its {len(sections)} sections begin with: {names}."
        )
    loose = set(sections) - set(somata[0].wholetree())
    if loose:
        names = ", ".join(sorted(section_name(s) for s in loose)[:8])
        raise CellError(
            f"Cell {cell.name}: {len(loose)} of {len(sections)} sections are not connected "
            f"to the soma: {names}."
        )
    return somata[0]
