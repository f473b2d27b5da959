"""Hoc globals that a cell needs, set while it lives and put back when it goes."""

from __future__ import annotations

from collections.abc import Mapping

from neuron import h

from ..errors import CellError, InputError

# name -> [value, value before, how many living cells hold it]
_held: dict[str, list[float]] = {}


class HocGlobals:
    """Values of hoc variables, such as cao0_ca_ion, for the life of one cell.

    They hold for every cell of the process, so two living cells that want different values
    are refused.
    """

    def __init__(self, values: Mapping[str, float], where: str) -> None:
        self._names: list[str] = []
        try:
            for name, value in values.items():
                self._hold(name, float(value), where)
        except Exception:
            self.release()
            raise

    def _hold(self, name: str, value: float, where: str) -> None:
        if not h.name_declared(name):
            raise InputError(
                f"{where}: NEURON has no global {name!r}; if it belongs to a "
                f"foreign mechanism, name the folder of its mod files."
            )
        if name in _held and _held[name][0] != value:
            raise CellError(
                f"{where}: needs {name}={value:g}, and a living cell holds it at "
                f"{_held[name][0]:g}; destroy that one first."
            )
        entry = _held.setdefault(name, [value, getattr(h, name), 0])
        entry[2] += 1
        setattr(h, name, value)
        self._names.append(name)

    def release(self) -> None:
        """Put back what nobody else holds; a second call does nothing."""
        while self._names:
            name = self._names.pop()
            _held[name][2] -= 1
            if not _held[name][2]:
                setattr(h, name, _held.pop(name)[1])
