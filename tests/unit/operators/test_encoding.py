import math

import pytest
import torch

from noble_neuron.operators.encoding import amplitude, nerf


def test_nerf_is_equation_1():
    p, t = torch.tensor([0.7, -1.3]), torch.linspace(0, 1, 7)
    channels = nerf(p, t, 3)
    assert channels.shape == (2, 6, 7)
    for k in range(3):
        for i in range(2):
            for j in range(7):
                phase = 2**k * math.pi * float(p[i]) * float(t[j])
                assert float(channels[i, 2 * k, j]) == pytest.approx(math.sin(phase), abs=1e-5)
                assert float(channels[i, 2 * k + 1, j]) == pytest.approx(math.cos(phase), abs=1e-5)


def test_nerf_takes_several_features_at_once():
    p, t = torch.rand(3, 2), torch.linspace(0, 1, 5)
    both = nerf(p, t, 2)
    assert both.shape == (3, 2, 4, 5)
    assert torch.equal(both[:, 1], nerf(p[:, 1], t, 2))


@pytest.mark.parametrize("onset", [0, 3, 8])
def test_amplitude_is_a_steps_amplitude_wherever_it_starts(onset):
    current = torch.zeros(2, 9)
    current[0, onset:] = -0.11
    current[1, onset:] = 0.28
    assert torch.equal(amplitude(current), torch.tensor([-0.11, 0.28]))


def test_amplitude_of_zero_current_is_zero():
    assert torch.equal(amplitude(torch.zeros(1, 5)), torch.zeros(1))
