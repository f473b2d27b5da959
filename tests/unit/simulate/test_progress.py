"""Progress: a line now and then, with rate and time left; and who we are under mpiexec."""

import pytest

from noble_neuron.simulate import progress
from noble_neuron.simulate.ranks import rank_and_size


@pytest.fixture
def clocked(monkeypatch):
    """A clock that goes on by hand."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_a_log_gets_a_line_every_half_minute(clocked, capsys):
    told = progress.Progress("set.h5", total=1000, done=400)
    for _ in range(70):
        clocked[0] += 1.0
        told.step(2)
    lines = capsys.readouterr().err.splitlines()
    # What an earlier run had done does not count as speed.
    assert lines == [
        "set.h5: 460/1000, 2.00/s, 0:04:30 left",
        "set.h5: 520/1000, 2.00/s, 0:04:00 left",
    ]


def test_short_work_is_silent(clocked, capsys):
    told = progress.Progress("set.h5", total=3)
    for _ in range(3):
        clocked[0] += 1.0
        told.step()
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    "seconds, text", [(0, "0:00:00"), (3725.4, "1:02:05"), (float("inf"), "?")]
)
def test_clock(seconds, text):
    assert progress.clock(seconds) == text


@pytest.mark.parametrize(
    "said, expected",
    [
        ({}, (0, 1)),
        ({"OMPI_COMM_WORLD_RANK": "2", "OMPI_COMM_WORLD_SIZE": "4"}, (2, 4)),
        ({"PMI_RANK": "1", "PMI_SIZE": "3"}, (1, 3)),
    ],
)
def test_rank_is_what_mpiexec_says(monkeypatch, said, expected):
    for name in ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "PMI_RANK", "PMI_SIZE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    assert rank_and_size() == expected
