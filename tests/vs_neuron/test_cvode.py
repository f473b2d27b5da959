"""The variable step against a fine fixed step, on a cell with the Allen sodium channel."""

import numpy as np
import pytest

from noble_neuron.cells.spec import HofCell
from noble_neuron.features.efel import spike_times
from noble_neuron.protocols.protocol import Protocol
from noble_neuron.protocols.stimuli import Step
from noble_neuron.simulate.run import simulate

MECHANISMS = {"nn_NaV": {"gbar": 0.1}, "nn_Kv3_1": {"gbar": 0.3}, "pas": {"g": 1e-4, "e": -70.0}}


@pytest.fixture
def ball(tmp_path):
    path = tmp_path / "ball.swc"
    path.write_text("1 1 0 0 0 10 -1\n")
    group = {"cm": 1.0, "ek": -90.0, "ena": 50.0, "mechanisms": MECHANISMS}
    source = {"morphology": str(path), "axon": "none", "Ra": 100.0, "groups": {"soma": group}}
    return HofCell("ball", "swc", source, celsius=34.0, v_init=-70.0, dt=0.025, threshold=-20.0)


def test_cvode_fires_as_a_fine_fixed_step_does(ball):
    protocol = Protocol("step", 60.0, (Step(0.15, 5.0, 50.0),))
    fixed = simulate(ball, protocol, dt=0.0025, record_dt=0.025)
    variable = simulate(ball, protocol, cvode_atol=1e-6)
    a, b = (spike_times(trace, -20.0) for trace in (fixed, variable))
    assert len(a) >= 3 and len(a) == len(b)
    assert np.abs(a - b).max() < 0.25
    again = simulate(ball, protocol, dt=0.0025, record_dt=0.025)
    np.testing.assert_array_equal(again.v, fixed.v)
