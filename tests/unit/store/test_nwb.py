"""Reading NWB 2: files that pynwb 4.2.0 wrote, and files that are something else."""

import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

from noble_neuron.errors import InputError
from noble_neuron.store.nwb import read_sweeps

HERE = Path(__file__).parent
MATCHED_BY = ("table", "sweep", "name")  # intracellular_recordings, sweep_number, names


@pytest.mark.parametrize("how", MATCHED_BY)
def test_a_response_and_its_stimulus_find_each_other(how):
    """A passive cell of 100 MOhm and -70 mV under -20, 50 and 100 pA, 100 to 400 ms."""
    sweeps = read_sweeps(HERE / f"pynwb_{how}.nwb")
    assert [s.name for s in sweeps] == [f"data_{k:05d}_AD0" for k in range(3)]
    for sweep, amplitude in zip(sweeps, (-0.02, 0.05, 0.1), strict=True):
        assert sweep.dt == pytest.approx(1.0)
        assert sweep.v.shape == sweep.current.shape == sweep.t.shape == (500,)
        np.testing.assert_allclose(sweep.current[100:400], amplitude, rtol=1e-6)
        assert not sweep.current[:100].any() and not sweep.current[400:].any()
        assert sweep.v[50] == pytest.approx(-70, abs=1e-4)
        assert sweep.v[399] == pytest.approx(-70 + 100 * amplitude, rel=1e-4)
        assert sweep.bias == pytest.approx(0.005) and sweep.about == "Long Square"


@pytest.fixture
def copy(tmp_path):
    """A copy of a file, to be changed."""
    path = tmp_path / "changed.nwb"
    shutil.copy(HERE / "pynwb_sweep.nwb", path)
    return path


def test_time_stamps_and_gaps_at_the_end(copy):
    with h5py.File(copy, "a") as file:
        series = file["acquisition/data_00000_AD0"]
        del series["starting_time"]
        series["timestamps"] = np.arange(500) * 1e-3
        series["data"][450:] = np.nan  # IPFX pads sweeps that were cut short
    first = read_sweeps(copy)[0]
    assert first.dt == pytest.approx(1.0) and len(first.v) == 450


def _no_stimulus(file):
    del file["stimulus/presentation"]


def _version_1(file):
    file.attrs["nwb_version"] = "NWB-1.0.5"


def _voltage_clamp(file):
    for series in file["acquisition"].values():
        series.attrs["neurodata_type"] = "VoltageClampSeries"


def _in_furlongs(file):
    file["acquisition/data_00001_AD0/data"].attrs["unit"] = "furlongs"


def _another_rate(file):
    file["stimulus/presentation/stimulus_b/starting_time"].attrs["rate"] = 500.0


def _uneven(file):
    series = file["acquisition/data_00000_AD0"]
    del series["starting_time"]
    series["timestamps"] = np.arange(500.0) ** 2


@pytest.mark.parametrize(
    "change, message",
    [
        (_no_stimulus, "no current-clamp sweep with its stimulus"),
        (_version_1, "NWB NWB-1.0.5: this reads NWB 2"),
        (_voltage_clamp, "no current-clamp sweep with its stimulus"),
        (_in_furlongs, "'furlongs', not in volts"),
        (_another_rate, "share one grid"),
        (_uneven, "neither a rate nor evenly spaced"),
    ],
)
def test_what_cannot_be_read_says_why(copy, change, message):
    with h5py.File(copy, "a") as file:
        change(file)
    with pytest.raises(InputError, match=message):
        read_sweeps(copy)


def test_other_files(tmp_path):
    with pytest.raises(InputError, match="No such recording"):
        read_sweeps(tmp_path / "none.nwb")
    (tmp_path / "text.nwb").write_text("not HDF5")
    with pytest.raises(InputError, match="no NWB file"):
        read_sweeps(tmp_path / "text.nwb")
