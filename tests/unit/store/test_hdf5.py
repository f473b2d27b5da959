"""Training sets on disk: what is written is read, and nothing else is taken for one."""

import shutil

import h5py
import numpy as np
import pytest

from noble_neuron.errors import InputError, StoreError
from noble_neuron.store import Dataset, hdf5
from noble_neuron.store.schema import Row

LENGTHS = (101, 0, 101, 64)
RNG = np.random.default_rng(0)
SIGNALS = [tuple(RNG.standard_normal(n).astype("f4") for _ in range(4)) for n in LENGTHS if n]


def row(points, k):
    return Row(
        cell=f"cell {k % 2}",
        hof=k - 1,
        protocol='{"name": "p"}',
        seed=k,
        dt=0.025,
        record_dt=0.025,
        celsius=34.0,
        v_init=-80.0,
        neuron="9.0.2",
        status="ok" if points else "failed",
        reason="" if points else "diverged",
        points=points,
    )


@pytest.fixture
def path(tmp_path):
    rows = [row(n, k) for k, n in enumerate(LENGTHS)]
    hdf5.write(tmp_path / "set.h5", rows, [{"name": "cell 0"}], {"seed": 3}, iter(SIGNALS))
    return tmp_path / "set.h5"


def test_reads_what_was_written(path):
    with Dataset.open(path) as dataset:
        assert len(dataset) == 4
        assert dataset.ok.tolist() == [0, 2, 3]
        assert dataset.about["seed"] == 3
        assert dataset.cells == [{"name": "cell 0"}]
        assert dataset.table["hof"].tolist() == [-1, 0, 1, 2]
        assert dataset.table["cell"][1] == "cell 1"
        for i, (v, current, b, g) in zip(dataset.ok, SIGNALS, strict=True):
            assert dataset.voltage(i).dtype == np.float32
            assert np.array_equal(dataset.voltage(i), v)
            assert np.array_equal(dataset.current(i), current)
            assert np.array_equal(dataset.conductance(i), (b, g))
        assert np.array_equal(dataset.voltage(-1), SIGNALS[-1][0])


def test_reads_several_of_one_length(path):
    with Dataset.open(path) as dataset:
        both = dataset.voltage(slice(0, 4, 2))
        assert np.array_equal(both, np.stack([SIGNALS[0][0], SIGNALS[1][0]]))
        assert np.array_equal(dataset.current([0, 2]), dataset.current(np.array([0, 2])))
        with pytest.raises(InputError, match=r"have \[64, 101\] points"):
            dataset.voltage([0, 3])


def test_a_missing_row_says_why(path):
    with Dataset.open(path) as dataset, pytest.raises(InputError, match="1 is missing: diverged"):
        dataset.voltage(1)


def test_decimated_is_a_view_on_the_coarser_grid(path):
    with Dataset.open(path) as dataset:
        view = dataset.decimated(3)
        assert view.dt(0) == pytest.approx(0.075)
        assert view.voltage(0).shape == view.current(0).shape == (34,)
        assert view.voltage([0, 2]).shape == (2, 34)
        assert np.array_equal(dataset.decimated(1).voltage(0), dataset.voltage(0))
        with pytest.raises(InputError, match="whole number of times"):
            dataset.decimated(2.5)


def test_hash_depends_on_content_alone(path, tmp_path):
    rows = [row(n, k) for k, n in enumerate(LENGTHS)]
    again = tmp_path / "again.h5"
    hdf5.write(again, rows, [{"name": "cell 0"}], {"seed": 4}, iter(SIGNALS))
    changed = [tuple(x.copy() for x in sample) for sample in SIGNALS]
    changed[2][1][5] += 1e-3
    other = tmp_path / "other.h5"
    hdf5.write(other, rows, [{"name": "cell 0"}], {}, iter(changed))
    hashes = []
    for file in (path, again, other):
        with Dataset.open(file) as dataset:
            hashes.append(dataset.content_hash())
    assert hashes[0] == hashes[1]
    assert {k for k in hashes[0] if hashes[0][k] != hashes[2][k]} == {"current"}
    assert set(hashes[0]) > {"v", "current", "b", "g", "cells", "table/protocol", "table/seed"}


def truncated(path):
    with open(path, "r+b") as file:
        file.truncate(path.stat().st_size * 2 // 3)


def text(path):
    path.write_text("time, voltage\n0, -80\n")


def foreign(path):
    with h5py.File(path, "w") as file:
        file["x"] = 1


def newer(path):
    with h5py.File(path, "r+") as file:
        file.attrs["version"] = 99


def gutted(path):
    with h5py.File(path, "r+") as file:
        del file["table"]


@pytest.mark.parametrize(
    "spoil, message",
    [
        (truncated, "is damaged, or no HDF5 file .* Build it again"),
        (text, "is damaged, or no HDF5 file"),
        (foreign, "no training set of noble_neuron"),
        (newer, "has format version 99; .* Update noble_neuron"),
        (gutted, "is damaged"),
        (lambda path: path.unlink(), "No training set at"),
    ],
)
def test_what_is_no_training_set_is_named(path, tmp_path, spoil, message):
    bad = tmp_path / "bad.h5"
    shutil.copy(path, bad)
    spoil(bad)
    with pytest.raises(StoreError, match=message) as caught:
        Dataset.open(bad)
    assert str(bad) in str(caught.value)


def test_an_empty_set_of_failures_is_readable(tmp_path):
    hdf5.write(tmp_path / "none.h5", [row(0, 0)], [{}], {}, iter(()))
    with Dataset.open(tmp_path / "none.h5") as dataset:
        assert len(dataset) == 1
        assert not dataset.ok.size
