"""Full simulation and surrogate side by side, and the report of it."""

import re

import numpy as np
import pytest

from noble_neuron.compare.side_by_side import compare
from noble_neuron.errors import InputError
from noble_neuron.protocols.protocol import noble_step
from noble_neuron.simulate.run import simulate

CURRENTS = [-0.1, 0.1, 0.25]  # nA


@pytest.fixture(scope="module")
def result(line):
    roles = {"ball0": "training", "ball2": "held out"}
    return compare(
        line.surrogate, [line.cells[0], line.cells[2]], line.latents, CURRENTS, roles=roles
    )


def test_shapes_and_roles(result):
    assert result.full.shape == result.answer.shape == (2, 3, len(result.t))
    assert [cell.role for cell in result.cells] == ["training", "held out"]
    assert result.t[-1] == pytest.approx(515.0, abs=0.1)


def test_the_full_side_is_the_full_simulation(result, line):
    trace = simulate(line.cells[0], noble_step(-0.1))
    late = slice(2000, 5000)  # well within the step, where the low-pass has nothing to smooth
    assert result.full[0, 0][late] == pytest.approx(trace.v[::3][late], abs=0.05)
    assert result.full_features["spikecount"][0, 2] > 5
    assert result.full_features["spikecount"][0, 0] == 0


def test_the_surrogate_side_is_its_own_prediction(result, line):
    t = np.arange(result.full.shape[2]) * 0.075
    current = np.where((t >= 15) & (t < 415), 0.25, 0.0)
    current[round(415 / 0.075 - 0.5)] = 0.25 / 3  # the interval in which the step ends
    alone = line.surrogate.predict(current, line.latents["ball2"], 0.075)[0]
    assert result.answer[1, 2] == pytest.approx(alone, abs=1e-3)


def test_both_sides_are_timed(result):
    s = result.seconds
    assert s.full > 0 and s.single > 0 and s.traces == 6
    assert s.ratios == (s.full / s.single, s.full / s.batch)


def test_what_lies_outside_training_is_said(line):
    result = compare(line.surrogate, [line.cells[0]], line.latents, [0.6])
    assert any("0.6" in text for text in result.warnings)
    assert "warning:" in result.table()


def test_the_default_currents_follow_each_cells_threshold(line):
    result = compare(line.surrogate, list(line.cells[:2]), line.latents)
    for row, cell in zip(result.amplitudes, line.cells[:2], strict=True):
        i_thr = line.latents[cell.name][0]
        assert row[0] < 0 < row[1] < row[3] < i_thr < row[4]
        assert row[-1] == pytest.approx(1.95 * i_thr, abs=1e-4)
    counts = result.full_features["spikecount"]
    assert (counts[:, :4] == 0).all() and (counts[:, 4:] > 0).all()
    assert len(result.shown) == 4 and len(result.labels) == result.amplitudes.shape[1]


def test_the_report_needs_no_other_file(result, tmp_path):
    text = result.save_html(tmp_path / "report.html").read_text()
    assert text.count("<img") == 6
    assert "ball2" in text and "How far to trust it" in text
    sources = re.findall(r'(?:src|href)\s*=\s*["\']([^"\']{0,40})', text)
    assert sources and all(s.startswith("data:image/") for s in sources)
    assert "<script" not in text and "@import" not in text and "url(" not in text


def test_a_report_that_cannot_be_written_leaves_nothing(result, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="Cannot write"):
        result.save_html(tmp_path / "file" / "report.html")


def test_no_cell_and_no_latent_are_refused(line):
    with pytest.raises(InputError, match="at least one cell"):
        compare(line.surrogate, [], {})
    with pytest.raises(InputError, match="No latent point for ball1"):
        compare(line.surrogate, [line.cells[1]], {}, [0.1])
    with pytest.raises(InputError, match="finite"):
        compare(line.surrogate, [line.cells[1]], line.latents, [np.nan])


def test_a_grid_that_does_not_fit_is_refused(line):
    from dataclasses import replace

    with pytest.raises(InputError, match="whole multiple"):
        compare(line.surrogate, [replace(line.cells[0], dt=0.02)], line.latents, [0.1])
