"""Training sets in HDF5: written whole, opened with checks, read as plain arrays."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ..errors import InputError, StoreError
from .decimate import FACTOR, averaged, low_passed
from .schema import FORMAT, OK, SIGNALS, VERSION, Row, table_of
from .sink import Sink

_CHUNK = 1 << 15  # points per compressed chunk
_TEXT = h5py.string_dtype("utf-8")


def write(
    path: Path,
    rows: list[Row],
    cells: list[dict[str, Any]],
    about: dict[str, Any],
    samples: Iterator[tuple[np.ndarray, ...]],
) -> None:
    """Write a training set to `path` at once.

    Args:
        path: File to write; give it a temporary name and rename it, see `files.written_whole`.
        rows: One per sample.
        cells: Description of each cell, JSON values.
        about: Attributes of the whole set.
        samples: (v, current, b, g) of each good row, in their order; each (points,).

    Raises:
        OSError: The disk is full, or the file could not be written.
    """
    with Sink(path) as sink:
        with h5py.File(sink, "w", libver="v110") as file:
            table = _described(file, rows, cells, about)
            signals = _signals(file, int(table["points"].sum()))
            good = np.flatnonzero(table["status"] == OK)
            for i, values in zip(good, samples, strict=True):
                start = table["offset"][i]
                for signal, value in zip(signals, values, strict=True):
                    signal[start : start + len(value)] = value
                sink.check()
        sink.check()


def _described(
    file: h5py.File, rows: list[Row], cells: list[dict[str, Any]], about: dict[str, Any]
) -> dict[str, np.ndarray]:
    """Write all but the signals; the table as arrays."""
    file.attrs.update({"format": FORMAT, "version": VERSION, **about})
    table = table_of(rows)
    for name, column in table.items():
        kind = _TEXT if column.dtype == object else column.dtype
        file.create_dataset(f"table/{name}", data=column, dtype=kind)
    texts = [json.dumps(cell, sort_keys=True) for cell in cells]
    file.create_dataset("cells", data=texts, dtype=_TEXT)
    return table


def _signals(file: h5py.File, points: int) -> list[h5py.Dataset]:
    """Empty voltage and input arrays; the input compresses to little, a voltage does not."""
    made = []
    for name, unit in SIGNALS.items():
        packed = (
            {}
            if name == "v" or not points
            else {
                "chunks": (min(_CHUNK, points),),
                "compression": "gzip",
                "compression_opts": 1,
                "shuffle": True,
            }
        )
        made.append(file.create_dataset(name, shape=(points,), dtype="<f4", **packed))
        made[-1].attrs["unit"] = unit
    return made


class Dataset:
    """A training set opened for reading.

    Attributes:
        path: The file.
        table: Column name -> array of shape (samples,); `schema.Row` says what each means.
        cells: Description of each cell.
        about: Attributes of the whole set.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._file = _opened(self.path)
        try:
            self.about = dict(self._file.attrs)
            self.table = {name: _column(data) for name, data in self._file["table"].items()}
            self.cells = [json.loads(text) for text in _column(self._file["cells"])]
        except (KeyError, ValueError, OSError) as error:
            self._file.close()
            raise _damaged(self.path, error) from error

    @classmethod
    def open(cls, path: str | Path) -> Dataset:
        """Open the training set at `path`; use it in a `with` block, or `close` it."""
        return cls(path)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Dataset:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self.table["points"])

    @property
    def ok(self) -> np.ndarray:
        """Indices of the samples that have a trace."""
        return np.flatnonzero(self.table["status"] == OK)

    def dt(self, i: int) -> float:
        """Step of sample `i`'s grid [ms]."""
        return float(self.table["record_dt"][i])

    def voltage(self, which: int | slice | np.ndarray) -> np.ndarray:
        """Raw voltage [mV], float32: (points,) of one sample, (samples, points) of several."""
        return self._read("v", which)

    def current(self, which: int | slice | np.ndarray) -> np.ndarray:
        """Injected current [nA] per interval, shaped like `voltage`."""
        return self._read("current", which)

    def conductance(self, which: int | slice | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """b [nA] and G [uS] per interval, each shaped like `voltage`."""
        return self._read("b", which), self._read("g", which)

    def decimated(self, factor: int = FACTOR) -> Decimated:
        """The same samples, low-passed and on every `factor`-th point."""
        return Decimated(self, factor)

    def content_hash(self) -> dict[str, str]:
        """SHA-256 of every array; the same for the same content, however it was built."""
        hashes = {name: _hash_signal(self._file[name]) for name in SIGNALS}
        hashes |= {f"table/{name}": _hash_column(c) for name, c in sorted(self.table.items())}
        hashes["cells"] = _hash_column(
            np.array([json.dumps(c, sort_keys=True) for c in self.cells], dtype=object)
        )
        return hashes

    def _read(self, name: str, which: int | slice | np.ndarray) -> np.ndarray:
        if isinstance(which, (int, np.integer)):
            return self._one(name, range(len(self))[which])
        index = np.arange(len(self))[which]
        lengths = {int(n) for n in self.table["points"][index]}
        if len(lengths) > 1:
            raise InputError(
                f"{self.path}: the samples asked for have {sorted(lengths)} points, so they "
                f"make no array. Choose samples of one length; failed ones have none "
                f"(`ok` lists the others)."
            )
        if not lengths:
            return np.empty((0, 0), np.float32)
        return np.stack([self._one(name, i) for i in index])

    def _one(self, name: str, i: int) -> np.ndarray:
        if self.table["status"][i] != OK:
            raise InputError(f"{self.path}: sample {i} is missing: {self.table['reason'][i]}")
        start = self.table["offset"][i]
        try:
            return self._file[name][start : start + self.table["points"][i]]
        except (OSError, KeyError) as error:
            raise _damaged(self.path, error) from error


class Decimated:
    """A training set seen on a coarser grid, low-passed: what a whole-trace operator learns.

    The filter looks ahead (see `decimate`), so a causal operator must not train on it.
    """

    def __init__(self, dataset: Dataset, factor: int = FACTOR) -> None:
        if factor != int(factor) or factor < 1:
            raise InputError(f"A grid can be a whole number of times coarser, not {factor}.")
        self.dataset, self.factor = dataset, int(factor)
        self.table, self.ok = dataset.table, dataset.ok

    def __len__(self) -> int:
        return len(self.dataset)

    def dt(self, i: int) -> float:
        """Step of sample `i`'s coarser grid [ms]."""
        return self.dataset.dt(i) * self.factor

    def voltage(self, which: int | slice | np.ndarray) -> np.ndarray:
        """Low-passed voltage [mV], float32."""
        return low_passed(self.dataset.voltage(which), self.factor)

    def current(self, which: int | slice | np.ndarray) -> np.ndarray:
        """Mean current [nA] per coarser interval."""
        return averaged(self.dataset.current(which), self.factor)

    def conductance(self, which: int | slice | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean b [nA] and G [uS] per coarser interval."""
        b, g = self.dataset.conductance(which)
        return averaged(b, self.factor), averaged(g, self.factor)


def _opened(path: Path) -> h5py.File:
    """The open file, if it is a training set that this version can read."""
    if not path.is_file():
        raise StoreError(f"No training set at {path}. Build one with `noble-neuron dataset`.")
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise _damaged(path, error) from error
    with contextlib.ExitStack() as on_error:
        on_error.callback(file.close)
        if file.attrs.get("format") != FORMAT:
            raise StoreError(
                f"{path} is HDF5, but no training set of noble_neuron (its attribute `format` "
                f"is {file.attrs.get('format')!r}). Build one with `noble-neuron dataset`."
            )
        version = int(file.attrs["version"])
        if version > VERSION:
            raise StoreError(
                f"{path} has format version {version}; this noble_neuron reads up to "
                f"{VERSION}. Update noble_neuron."
            )
        on_error.pop_all()
    return file


def _damaged(path: Path, error: Exception) -> StoreError:
    return StoreError(
        f"{path} is damaged, or no HDF5 file ({error}). Build it again with "
        f"`noble-neuron dataset`, or copy it anew."
    )


def _column(data: h5py.Dataset) -> np.ndarray:
    return data.asstr()[:] if h5py.check_string_dtype(data.dtype) else data[:]


def _hash_signal(data: h5py.Dataset, at_once: int = 1 << 22) -> str:
    digest = hashlib.sha256(f"{data.dtype.str} {data.shape}".encode())
    for start in range(0, data.shape[0], at_once):
        digest.update(data[start : start + at_once].tobytes())
    return digest.hexdigest()


def _hash_column(column: np.ndarray) -> str:
    text = json.dumps([str(column.dtype), column.tolist()], ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
