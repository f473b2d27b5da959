"""A cell is found in the latent space by its traces."""

import numpy as np
import pytest
import torch

from noble_neuron.operators import OdeConfig, OdeStream
from noble_neuron.training.config import TrainConfig
from noble_neuron.training.placing import place
from noble_neuron.training.streaming import free_run
from noble_neuron.training.streams import Streams

torch.set_num_threads(1)
CPU = torch.device("cpu")
TRUE = np.array([[1.0], [3.0]])


@pytest.fixture
def stream():
    """A family whose capacitance goes with its one latent coordinate."""
    torch.manual_seed(0)
    stream = OdeStream(OdeConfig(latent_size=1, memory=4, width=8))
    with torch.no_grad():
        stream.log_c[1:] = 0.6
    return stream.eval()


def traces(stream, cells, seed):
    """The family's own answers at the true points, told by the number of the cell."""
    rng = np.random.default_rng(seed)
    n, steps = len(cells), 400
    b = np.repeat(rng.normal(0, 0.1, (n, steps // 40)), 40, axis=1).astype(np.float32)
    numbers = np.asarray(cells, np.float32)[:, None]
    points = TRUE[cells].astype(np.float32)
    parts = (b, np.zeros_like(b), np.zeros_like(b), np.full(n, -70, np.float32))
    v = free_run(stream, Streams(*parts, points, ("",) * n, 0.1), CPU)
    return Streams(parts[0], parts[1], v, parts[3], numbers, ("",) * n, 0.1)


def test_points_go_where_their_traces_came_from(stream, tmp_path):
    training, validation = traces(stream, [0, 1] * 2, 0), traces(stream, [0, 1], 1)
    before = {name: value.clone() for name, value in stream.state_dict().items()}
    config = TrainConfig(recipe="modern", epochs=40, batch_size=4, lr=0.1, weight_decay=0.0)
    start = np.full((2, 1), 2.0)
    found = place(stream, training, validation, start, -30.0, tmp_path, config)
    assert (np.abs(found - TRUE) < 0.3).all()
    for name, value in stream.state_dict().items():
        assert torch.equal(value, before[name])
