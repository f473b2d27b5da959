import json
import subprocess
import sys

import pytest
import torch

from noble_neuron.contracts import WholeTrace
from noble_neuron.errors import DeviceError, InputError
from noble_neuron.operators import OPERATORS, NobleConfig, NobleFNO
from noble_neuron.operators.device import pick

DT = 0.5  # ms
SMALL = NobleConfig(latent_size=3, window_ms=60.0, layers=2, hidden=5, modes=9)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def grid(steps):
    return torch.arange(steps) * DT


def small(seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return NobleFNO(SMALL)


@pytest.mark.parametrize("steps", [31, 64, 97])
def test_every_weight_learns(steps):
    model = small()
    voltage = model(torch.rand(3, steps), torch.rand(3, 3) + 0.5, grid(steps))
    assert voltage.shape == (3, steps)
    voltage.square().sum().backward()
    idle = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum()]
    assert not idle, f"no gradient reached {idle}"


def test_the_reference_has_the_papers_1_8_million_parameters():
    model = NobleFNO(NobleConfig())
    reals = sum(p.numel() * (2 if p.is_complex() else 1) for p in model.parameters())
    assert reals == 1_801_753


def test_it_keeps_the_contract():
    assert isinstance(small(), WholeTrace)
    assert OPERATORS["noble_fno"] == (NobleConfig, NobleFNO)


def test_the_answer_does_not_depend_on_the_duration_asked_for():
    onset, offset = 10, 60  # steps
    latent = torch.tensor([[1.0, 2.0, 3.0]])
    current = torch.zeros(1, 120)
    current[:, onset:offset] = 0.2
    model = small()
    whole = model(current, latent, grid(120))
    for steps in (60, 77, 119):
        part = model(current[:, :steps], latent, grid(steps))
        torch.testing.assert_close(part, whole[:, :steps], atol=1e-4, rtol=0)


def test_the_embedding_of_a_latent_is_the_same_for_any_current():
    model, latent = small(), torch.rand(1, 3)
    early, late = torch.zeros(2, 1, 120)
    early[:, 5:50] = 0.2
    late[:, 60:105] = 0.2
    a, b = (model.lift(current, latent, grid(120)) for current in (early, late))
    assert not torch.equal(a[:, 0], b[:, 0])  # the current itself has moved
    assert torch.equal(a[:, 1:], b[:, 1:])  # nothing else has


def test_zero_current_gives_a_finite_voltage():
    assert small()(torch.zeros(1, 40), torch.rand(1, 3), grid(40)).isfinite().all()


def test_the_latent_point_matters():
    current = torch.full((2, 40), 0.1)
    a, b = small()(current, torch.tensor([[0.5, 1, 1], [3.5, 1, 1]]), grid(40))
    assert (a - b).abs().max() > 1e-3


def test_a_current_longer_than_the_window_is_refused():
    with pytest.raises(InputError, match="at most 120 steps of 0.5 ms, got 121"):
        small()(torch.zeros(1, 121), torch.rand(1, 3), grid(121))


@pytest.mark.parametrize(
    "wrong, match",
    [
        ({"layers": 0}, "layers must be positive, got 0"),
        ({"modes": 2.5}, "modes must be a whole number, got 2.5"),
        ({"v_sd": float("nan")}, "v_sd must be positive, got nan"),
        ({"window_ms": "515"}, "window_ms must be a number, got '515'"),
    ],
)
def test_a_config_cannot_lie(wrong, match):
    with pytest.raises(InputError, match=match):
        NobleConfig(**wrong)


def test_import_leaves_warnings_and_wandb_alone():
    script = (
        "import json, sys, warnings, torch; before = list(warnings.filters)\n"
        "import noble_neuron.operators\n"
        "print(json.dumps([before == warnings.filters, 'wandb' in sys.modules]))"
    )
    out = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout
    assert json.loads(out) == [True, False]


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_an_absent_gpu_is_one_clear_error():
    with pytest.raises(DeviceError, match='"cuda" was asked for.*Use device="cpu"'):
        pick("cuda")


def test_an_unknown_device_is_one_clear_error():
    with pytest.raises(DeviceError, match="Unknown device 'gpu'"):
        pick("gpu")
