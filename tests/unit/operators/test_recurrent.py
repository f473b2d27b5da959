"""Every streaming operator, whatever is inside: causal, its state all there is, and bounded."""

import pytest
import torch

from noble_neuron.errors import InputError
from noble_neuron.operators import DenseConfig, DenseStream, OdeConfig, OdeStream
from noble_neuron.operators.recurrent import State, advance, between, binned

CELLS, CHUNKS, LATENTS = 5, 6, 2
SMALL = {"latent_size": LATENTS, "memory": 7, "width": 24}
STREAMS = {
    "dense": lambda **k: DenseStream(DenseConfig(**SMALL | k)),
    "dense, blind within a chunk": lambda **k: DenseStream(DenseConfig(causal=False, **SMALL | k)),
    "ode": lambda **k: OdeStream(OdeConfig(**SMALL | k)),
}
EXACTLY_CAUSAL = ("dense", "ode")


@pytest.fixture(params=STREAMS)
def stream(request):
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    yield STREAMS[request.param]().eval()
    torch.set_num_threads(before)


def drawn(cells=CELLS, chunks=CHUNKS, steps=10, seed=0):
    """Latents, initial voltages, b [nA] and G [uS] such as a network brings."""
    draw = torch.Generator().manual_seed(seed)
    latent = 0.5 + 3 * torch.rand(cells, LATENTS, generator=draw)
    v = -100 + 50 * torch.rand(cells, generator=draw)
    g = 0.05 * torch.rand(cells, chunks * steps, generator=draw)
    b = 0.5 * torch.rand(cells, chunks * steps, generator=draw) - 40 * g
    return latent, v, b, g


@torch.no_grad()
def answer(stream, latent, v, b, g):
    return stream.run(stream.start(latent, v), latent, b, g)[0]


def test_the_future_does_not_change_the_past(stream, request):
    """At every grid step, or for the blind operator at every chunk."""
    latent, v, b, g = drawn()
    whole = answer(stream, latent, v, b, g)
    exact = request.node.callspec.params["stream"] in EXACTLY_CAUSAL
    points = range(1, CHUNKS * 10) if exact else range(10, CHUNKS * 10, 10)
    for k in points:
        other_b, other_g = b.clone(), g.clone()
        other_b[:, k:] += 0.7
        other_g[:, k:] += 0.03
        changed = answer(stream, latent, v, other_b, other_g)
        assert torch.equal(changed[:, :k], whole[:, :k]), k
        assert not torch.equal(changed[:, k:], whole[:, k:]), k


def test_the_blind_operator_is_not_exactly_causal():
    """Guards the test above: it can tell the two apart."""
    stream = STREAMS["dense, blind within a chunk"]()
    latent, v, b, g = drawn()
    other = b.clone()
    other[:, 5:] += 0.7
    changed = answer(stream, latent, v, other, g)
    assert not torch.equal(changed[:, :5], answer(stream, latent, v, b, g)[:, :5])


def test_chunk_by_chunk_is_the_whole_run(stream):
    latent, v, b, g = drawn()
    with torch.no_grad():
        state = stream.start(latent, v)
        whole, end = stream.run(state, latent, b, g)
        for k in range(CHUNKS):
            part = slice(10 * k, 10 * k + 10)
            answered, state = stream(state, latent, b[:, part], g[:, part])
            assert torch.equal(answered, whole[:, part])
    assert torch.equal(state.v, end.v) and torch.equal(state.h, end.h)


def test_a_saved_state_replays_exactly(stream):
    latent, v, b, g = drawn()
    with torch.no_grad():
        _, state = stream.run(stream.start(latent, v), latent, b[:, :30], g[:, :30])
        saved = State(*(x.clone() for x in state))
        first, _ = stream.run(state, latent, b[:, 30:], g[:, 30:])
        stream.run(stream.start(latent, v), latent, b, g)  # another run in between
        again, _ = stream.run(saved, latent, b[:, 30:], g[:, 30:])
    assert torch.equal(first, again)


def test_a_cell_is_answered_alike_in_any_company(stream):
    """Bit for bit: one cell alone, among 5, 16 or 40, and in any place."""
    latent, v, b, g = drawn(cells=40)
    state = stream.start(latent, v)
    many, _ = advance(stream, state, latent, b, g)
    for rows in ([0], [17], [39, 3, 21, 8, 2], list(range(16))):
        part = State(state.v[rows], state.h[rows])
        few, end = advance(stream, part, latent[rows], b[rows], g[rows])
        assert torch.equal(few, many[rows])
        assert len(end.h) == len(rows)


def test_the_start_follows_voltage_and_latent(stream):
    latent, v, b, g = drawn()
    state = stream.start(latent, v)
    assert state.v.shape == (CELLS, 10) and torch.equal(state.v[:, 0], v)
    assert not torch.equal(stream.start(latent, v + 10).h, state.h)
    assert not torch.equal(stream.start(latent + 1, v).h, state.h)


def test_latent_voltage_and_input_all_matter(stream):
    latent, v, b, g = drawn()
    base = answer(stream, latent, v, b, g)
    for other in ((latent + 1, v, b, g), (latent, v + 9, b, g), (latent, v, b + 1, g)):
        assert not torch.equal(answer(stream, *other), base)
    assert not torch.equal(answer(stream, latent, v, b, g + 0.1), base)


@pytest.mark.parametrize("size", [0.0, 1e3, 1e30, -1e30])
def test_any_finite_input_has_a_finite_answer(stream, size):
    latent, v, b, g = drawn()
    c = stream.config
    for other in ((b * 0 + size, g), (b, g * 0 + size), (b + size, g + size)):
        voltage = answer(stream, latent, v, *other)
        assert torch.isfinite(voltage).all()
        assert voltage.min() >= c.v_low and voltage.max() <= c.v_high


@pytest.mark.parametrize("name", STREAMS)
def test_every_weight_learns(name):
    stream = STREAMS[name]()
    latent, v, b, g = drawn()
    voltage, state = stream.run(stream.start(latent, v), latent, b, g)
    (voltage.square().sum() + state.h.sum()).backward()
    idle = [n for n, p in stream.named_parameters() if p.grad is None or not p.grad.any()]
    assert not idle, f"no gradient reached {idle}"


def test_an_operator_of_one_cell_needs_no_latent():
    stream = STREAMS["ode"](latent_size=0)
    _, v, b, g = drawn()
    assert answer(stream, torch.zeros(CELLS, 0), v, b, g).shape == b.shape


def test_the_ode_is_backward_euler():
    """With its conductances fixed, one step is C dV/dt = b - G V - sum g (V - E), implicit."""
    stream = STREAMS["ode"](latent_size=0, capacitance=0.05).double().eval()
    stream.substeps = 1
    with torch.no_grad():
        stream.out.weight.zero_()
    own = 0.01 * torch.tensor(OdeStream.START, dtype=torch.float64).exp()  # uS
    reversals = torch.tensor(OdeStream.REVERSALS, dtype=torch.float64)  # mV
    v, b, g = -60.0, 0.2, 0.03  # mV, nA, uS
    expected = []
    for _ in range(10):
        rate = 0.05 / 0.1  # nF/ms
        v = (rate * v + b + float(own @ reversals)) / (rate + g + float(own.sum()))
        expected.append(v)
    full = torch.full((1, 10), 1.0, dtype=torch.float64)
    state = stream.start(full[:, :0], -60.0 * full[:, 0])
    found = stream(state, full[:, :0], b * full, g * full)[0]
    torch.testing.assert_close(found[0], torch.tensor(expected).double(), rtol=0, atol=1e-5)


@pytest.mark.parametrize("dt", [0.025, 0.05, 0.1])
def test_a_simulations_step_goes_to_the_grid_and_back(dt):
    n = round(0.1 / dt)
    x = torch.arange(2.0 * 8 * n).reshape(2, -1)
    means = binned(x, dt, 0.1)
    assert means.shape == (2, 8)
    torch.testing.assert_close(means.mean(1), x.mean(1))
    torch.testing.assert_close(means[0, 1], x[0, n : 2 * n].mean())
    ramp = torch.arange(1.0, 9.0)[None]  # mV, rising by 1 per grid step from 0
    fine = between(torch.zeros(1), ramp, dt, 0.1)
    torch.testing.assert_close(fine[0], torch.arange(1.0, 8 * n + 1) / n)


BAD = [
    (lambda: DenseConfig(chunk_ms=1.0, grid_ms=0.3), "chunk_ms (1 ms) has to be a whole"),
    (lambda: DenseConfig(memory=0), "DenseConfig.memory must be positive"),
    (lambda: OdeConfig(width=6.5), "OdeConfig.width must be a whole number"),
    (lambda: DenseConfig(width=23), "DenseConfig.width must be a multiple of 4, got 23"),
    (lambda: DenseConfig(causal=1), "DenseConfig.causal must be True or False"),
    (lambda: OdeConfig(latent_size=-1), "latent_size must be 0 or more"),
    (lambda: OdeConfig(b_scale=float("nan")), "b_scale must be a finite number"),
    (lambda: DenseConfig(v_low=-70.0), "v_low < v_reference < v_high"),
    (lambda: binned(torch.zeros(1, 30), 0.03, 0.1), "(0.1 ms) has to be a whole multiple"),
    (lambda: binned(torch.zeros(1, 7), 0.025, 0.1), "no whole number of grid steps"),
    (lambda: STREAMS["ode"]().start(torch.zeros(2, 1), torch.zeros(2)), "2 latent coordinates"),
]


@pytest.mark.parametrize(("make", "message"), BAD, ids=[m for _, m in BAD])
def test_bad_input_is_refused_by_name(make, message):
    with pytest.raises(InputError) as caught:
        make()
    assert message in str(caught.value)


def test_a_run_of_part_of_a_chunk_is_refused(stream):
    latent, v, b, g = drawn()
    with pytest.raises(InputError, match="whole chunks of 10 steps"):
        answer(stream, latent, v, b[:, :15], g[:, :15])


def test_learning_leaves_the_dense_operator_causal():
    """Weights behind the mask stay zero under AdamW, and both ways through a layer agree."""
    stream = STREAMS["dense"]()
    latent, v, b, g = drawn()
    optimizer = torch.optim.AdamW(stream.parameters(), 0.01)
    for _ in range(3):
        learned = stream.run(stream.start(latent, v), latent, b, g)[0]
        optimizer.zero_grad()
        learned.square().sum().backward()
        optimizer.step()
    for name in ("into", "inner", "mixed", "out"):
        hidden = getattr(stream, f"{name}_mask") == 0
        assert hidden.any() and not getattr(stream, name).weight[hidden].any(), name
    whole = answer(stream, latent, v, b, g)
    taught = stream.run(stream.start(latent, v), latent, b, g)[0]
    assert torch.equal(taught, whole)
    other = b.clone()
    other[:, 25:] += 0.7
    assert torch.equal(answer(stream, latent, v, other, g)[:, :25], whole[:, :25])
