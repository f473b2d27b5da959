"""The human cells against runs of their original mechanisms: steps and frozen noise."""

import pytest

from . import golden_runs as golden

pytestmark = pytest.mark.skipif(not golden.HL23.is_dir(), reason=golden.WHY)


@pytest.mark.parametrize("name", ["HL23PV", "HL23VIP"])
@pytest.mark.parametrize(
    "runs, number", [(golden.hl23_rows, 13), (golden.hl23_noise_rows, 3)], ids=["steps", "noise"]
)
def test_golden_traces(name, runs, number):
    rows = runs(name)
    assert len(rows) == number
    assert sum(row.golden for row in rows) > 20  # there is something to compare
    for row in rows:
        assert row.voltage < 0.5, row  # mV
        assert row.count == row.golden and row.spikes < 0.1, row  # ms
