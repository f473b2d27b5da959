"""Sweeps of a current-clamp recording from an NWB 2 file: what was injected, what was seen.

Reads what pynwb writes and what the Allen Institute, IPFX and DANDI publish: each response a
CurrentClampSeries under /acquisition, each stimulus a CurrentClampStimulusSeries under
/stimulus/presentation. Which belongs to which is said, from newest to oldest, by the table
`intracellular_recordings`, by a `sweep_number` on both, or by a number in both names. Series
in voltage clamp, or without current, are left out.

References:
    Rubel et al. 2022, eLife 11:e78362; https://nwb-schema.readthedocs.io
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from ..errors import InputError

RESPONSE, STIMULUS = "CurrentClampSeries", "CurrentClampStimulusSeries"
_IN_MV, _IN_NA = {"volts": 1e3, "V": 1e3}, {"amperes": 1e9, "A": 1e9}
_SAME_RATE = 1e-6  # relative
_TABLE = "general/intracellular_ephys/intracellular_recordings"


@dataclass(frozen=True, eq=False)
class Sweep:
    """One stimulus and the answer to it.

    Attributes:
        name: Of the response in the file.
        dt: Grid step [ms].
        v: Voltage as recorded [mV], shape (steps,).
        current: Injected current [nA], shape (steps,); without any bias current.
        bias: Constant current added by the amplifier [nA]; NaN if the file does not say.
        about: The file's words for the stimulus.
    """

    name: str
    dt: float
    v: np.ndarray
    current: np.ndarray
    bias: float = float("nan")
    about: str = ""

    @property
    def t(self) -> np.ndarray:
        """Time from the sweep's start [ms], shape (steps,)."""
        return np.arange(len(self.v)) * self.dt


def read_sweeps(path: str | Path) -> tuple[Sweep, ...]:
    """All current-clamp sweeps of an NWB 2 file, in the file's order.

    Raises:
        InputError: No NWB 2 file, no current-clamp sweep with its stimulus, or a unit that is
            neither volts nor amperes.
    """
    path = Path(path)
    try:
        file = h5py.File(path, "r")
    except FileNotFoundError:
        raise InputError(f"No such recording: {path}") from None
    except OSError as error:
        raise InputError(f"{path} is no NWB file (HDF5), or a damaged one: {error}") from None
    with file:
        _check_version(path, file)
        sweeps = tuple(_sweep(path, *pair) for pair in _pairs(file))
    if not sweeps:
        raise InputError(
            f"{path} holds no current-clamp sweep with its stimulus: needed are series of type "
            f"{RESPONSE} under /acquisition and {STIMULUS} under /stimulus/presentation, matched "
            f"by intracellular_recordings, by sweep_number or by a number in their names."
        )
    return sweeps


def _check_version(path: Path, file: h5py.File) -> None:
    version = _text(file.attrs.get("nwb_version", ""))
    if not version and "nwb_version" in file:  # NWB 1 has it as a dataset
        version = _text(file["nwb_version"][()])
    if not re.match(r"2\.", version):
        raise InputError(
            f"{path} is NWB {version or 'of no stated version'}: this reads NWB 2. The Allen "
            f"Institute offers its older files in NWB 2 on DANDI."
        )


def _pairs(file: h5py.File) -> Iterator[tuple[h5py.Group, h5py.Group, slice, slice]]:
    """Response, stimulus, and the part of each that is the sweep."""
    if f"{_TABLE}/responses/response" in file:
        yield from _from_table(file)
        return
    stimuli: dict[str, h5py.Group] = {}
    for series in _of_type(file.get("stimulus/presentation", {}), STIMULUS):
        stimuli.setdefault(_number(series), series)
    for response in _of_type(file.get("acquisition", {}), RESPONSE):
        stimulus = stimuli.get(_number(response))
        if stimulus is not None:
            yield response, stimulus, slice(None), slice(None)


def _from_table(file: h5py.File) -> Iterator[tuple[h5py.Group, h5py.Group, slice, slice]]:
    table = file[_TABLE]
    rows = zip(table["responses/response"][()], table["stimuli/stimulus"][()], strict=True)
    for response, stimulus in rows:
        pair = [file[cell["timeseries"]] for cell in (response, stimulus)]
        if [_type(series) for series in pair] == [RESPONSE, STIMULUS]:
            yield *pair, *(_part(cell) for cell in (response, stimulus))


def _part(cell: np.void) -> slice:
    start, count = int(cell["idx_start"]), int(cell["count"])
    return slice(None) if start < 0 else slice(start, start + count)


def _of_type(group, kind: str) -> list[h5py.Group]:
    return [s for s in group.values() if isinstance(s, h5py.Group) and _type(s) == kind]


def _type(series: h5py.Group) -> str:
    return _text(series.attrs.get("neurodata_type", ""))


def _number(series: h5py.Group) -> str:
    """What a response and its stimulus have in common: sweep_number, or a number in the name."""
    if "sweep_number" in series.attrs:
        return f"sweep {int(series.attrs['sweep_number'])}"
    if "sweep_number" in series:
        return f"sweep {int(series['sweep_number'][()])}"
    numbers = re.findall(r"\d+", series.name.rpartition("/")[2])
    return f"number {int(numbers[0])}" if numbers else series.name.rpartition("/")[2]


def _sweep(path: Path, response, stimulus, seen: slice, injected: slice) -> Sweep:
    v, dt = _signal(path, response, seen, _IN_MV)
    current, stimulus_dt = _signal(path, stimulus, injected, _IN_NA)
    if abs(stimulus_dt / dt - 1) > _SAME_RATE:
        raise InputError(
            f"{path}: {response.name} has a sample every {dt:g} ms and its stimulus "
            f"{stimulus.name} every {stimulus_dt:g} ms; they have to share one grid."
        )
    steps = min(len(v), len(current))
    bias = response["bias_current"][()] if "bias_current" in response else np.nan
    about = _text(response.attrs.get("stimulus_description", ""))
    name = response.name.rpartition("/")[2]
    return Sweep(name, dt, v[:steps], current[:steps], 1e9 * float(bias), about)


def _signal(path: Path, series: h5py.Group, part: slice, units) -> tuple[np.ndarray, float]:
    """Samples in our unit, NaN at the end cut off, and their step [ms]."""
    data = series["data"]
    unit = _text(data.attrs.get("unit", ""))
    if unit not in units:
        wanted = next(iter(units))
        raise InputError(f"{path}: {series.name} is in {unit or 'no unit'!r}, not in {wanted}.")
    scale, offset = data.attrs.get("conversion", 1.0), data.attrs.get("offset", 0.0)
    values = (data[part].astype(np.float64) * scale + offset) * units[unit]
    used = np.flatnonzero(np.isfinite(values))
    return values[: used[-1] + 1 if used.size else 0], _step(path, series)


def _step(path: Path, series: h5py.Group) -> float:
    """Grid step [ms], by the rate or by time stamps."""
    if "starting_time" in series:
        return 1e3 / float(series["starting_time"].attrs["rate"])
    steps = np.diff(series["timestamps"][()]) if "timestamps" in series else np.zeros(0)
    if not steps.size or np.ptp(steps) > 1e-3 * steps.mean():
        raise InputError(f"{path}: {series.name} has neither a rate nor evenly spaced timestamps.")
    return 1e3 * float(steps.mean())


def _text(value) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
