import importlib.util
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from noble_neuron.errors import InputError, NobleError, StoreError
from noble_neuron.surrogates import weights
from noble_neuron.training import train

TOY = Path(__file__).with_name("toy.py")
PATIENCE = 600  # s; the machine may be busy
ROOT = Path(__file__).parents[3]
_spec = importlib.util.spec_from_file_location("toy", TOY)
toy = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(toy)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def environment():
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}


def start(*arguments):
    command = [sys.executable, str(TOY), *map(str, arguments)]
    return subprocess.Popen(command, env=environment(), stderr=subprocess.PIPE, text=True)


def steps_done(folder):
    path = folder / "checkpoint.safetensors"
    if not path.exists():
        return 0
    return json.loads(weights.read(path)[1]["scalars"])["step"]


def same_tensors(a, b):
    a, b = weights.read(a)[0], weights.read(b)[0]
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def log(folder):
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("recipe", ["reference", "modern"])
def test_a_killed_and_resumed_run_has_the_weights_of_an_uninterrupted_one(tmp_path, recipe):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert start(whole, recipe).wait(PATIENCE) == 0
    run = start(killed, recipe, 0.1)
    limit = time.monotonic() + PATIENCE
    while steps_done(killed) < 8 and time.monotonic() < limit:  # 3 steps an epoch, 21 in all
        time.sleep(0.02)
    run.kill()  # SIGKILL
    run.wait()
    done = steps_done(killed)
    assert 8 <= done < 21
    assert start(killed, recipe).wait(PATIENCE) == 0
    for name in ("checkpoint.safetensors", "best.safetensors"):
        assert same_tensors(whole / name, killed / name), name
    timeless = [[{**row, "minutes": 0} for row in log(f)] for f in (whole, killed)]
    assert [r["step"] for r in timeless[0]] == [r["step"] for r in timeless[1]]
    assert [r["score"] for r in timeless[0]] == [r["score"] for r in timeless[1]]


@pytest.mark.parametrize("recipe", ["reference", "modern"])
def test_it_learns_and_returns_the_best_weights(tmp_path, recipe):
    task, model = toy.Toy(), toy.model()
    before = task.validate(model, "cpu")["score"]
    result = train(model, task, toy.config(recipe, epochs=30, lr=0.01), tmp_path)
    assert result.finished and result.steps == 90
    assert result.score < 0.5 * before
    assert task.validate(model, "cpu")["score"] == pytest.approx(result.score, rel=1e-6)
    assert min(row["score"] for row in log(tmp_path)) == pytest.approx(result.score)


def test_training_leaves_the_callers_random_numbers_alone(tmp_path):
    model = toy.model()
    torch.manual_seed(9)
    expected = torch.rand(3)
    torch.manual_seed(9)
    train(model, toy.Toy(), toy.config("reference", epochs=1), tmp_path)
    assert torch.equal(torch.rand(3), expected)


def test_time_up_stops_the_call_and_the_next_goes_on(tmp_path):
    slow = toy.config("reference", max_minutes=0.005)  # 0.3 s
    first = train(toy.model(), toy.Toy(pause=0.1), slow, tmp_path)
    assert not first.finished and 0 < first.steps < 21
    second = train(toy.model(), toy.Toy(), toy.config("reference"), tmp_path)
    assert second.finished and second.steps == 21
    assert second.minutes > first.minutes


def test_two_processes_share_each_batch(tmp_path):
    alone, together = tmp_path / "alone", tmp_path / "together"
    arguments = [str(TOY), str(together), "reference"]
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    done = subprocess.run(
        [*command, "--nproc-per-node=2", *arguments],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    train(toy.model(), toy.Toy(), toy.config("reference"), alone)
    a, b = ([row["score"] for row in log(f)] for f in (alone, together))
    # Each process draws its own noise (0.1 %), so the two runs are alike, not equal.
    assert len(a) == len(b) == 7
    assert b == pytest.approx(a, rel=0.2)


def test_a_loss_that_is_not_finite_stops_with_a_sentence(tmp_path):
    task = toy.Toy()
    task.voltage[2, 5] = float("nan")
    with pytest.raises(NobleError, match="training loss is nan.*lower the learning rate"):
        train(toy.model(), task, toy.config("reference"), tmp_path)


def test_another_training_in_the_same_folder_is_refused(tmp_path):
    train(toy.model(), toy.Toy(), toy.config("reference", epochs=1), tmp_path)
    with pytest.raises(InputError, match="batch_size: 4 there, 5 now"):
        train(toy.model(), toy.Toy(), toy.config("reference", epochs=1, batch_size=5), tmp_path)


def test_a_damaged_checkpoint_is_one_clear_error(tmp_path):
    train(toy.model(), toy.Toy(), toy.config("reference", epochs=1), tmp_path)
    path = tmp_path / "checkpoint.safetensors"
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(StoreError, match=re.escape(str(path)) + " is not a whole safetensors"):
        train(toy.model(), toy.Toy(), toy.config("reference", epochs=1), tmp_path)


def test_a_tracker_hears_every_validation(tmp_path):
    heard = []

    class Ears:
        def log(self, step, values):
            heard.append((step, values))

    train(toy.model(), toy.Toy(), toy.config("reference", epochs=2), tmp_path, tracker=Ears())
    assert [step for step, _ in heard] == [3, 6]
    assert {"loss", "score", "lr"} <= heard[0][1].keys()


class Overflow(torch.autograd.Function):
    """Nothing, with an infinite gradient."""

    @staticmethod
    def forward(context, x):
        context.save_for_backward(x)
        return 0.0 * x.sum()

    @staticmethod
    def backward(context, gradient):
        return torch.full_like(context.saved_tensors[0], torch.inf)


class Overflowing(toy.Toy):
    """Gradients overflow in every `period`-th loss; the loss itself stays finite."""

    def __init__(self, period):
        super().__init__()
        self.period, self.losses = period, 0

    def loss(self, model, indices, device):
        self.losses += 1
        loss = super().loss(model, indices, device)
        if self.losses % self.period == 0:
            loss = loss + Overflow.apply(next(model.parameters()))
        return loss


def test_a_step_whose_gradients_overflow_is_left_out(tmp_path):
    result = train(toy.model(), Overflowing(7), toy.config("modern"), tmp_path / "some")
    assert result.finished and result.score < log(tmp_path / "some")[0]["score"]
    kept = weights.read(tmp_path / "some" / "best.safetensors")[0]
    assert all(value.isfinite().all() for value in kept.values())


def test_gradients_that_always_overflow_stop_with_a_sentence(tmp_path):
    with pytest.raises(NobleError, match="last 10 steps before step 9 are not finite: lower"):
        train(toy.model(), Overflowing(1), toy.config("modern"), tmp_path)
