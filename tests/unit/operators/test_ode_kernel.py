"""The machine code of `OdeStream` against torch: the same answers, the same gradients."""

import pytest
import torch

from noble_neuron.errors import MechanismError
from noble_neuron.operators import OdeConfig, OdeStream, native, stream_ode
from noble_neuron.operators.ode_kernel import SOURCE
from noble_neuron.operators.recurrent import Teaching

LATENTS, STEPS, CHUNKS = 3, 10, 4


def drawn(cells, size=1.0, seed=2):
    """Latents, initial voltages [mV], b [nA] and G [uS]."""
    draw = torch.Generator().manual_seed(seed)
    latent = 3 * torch.rand(cells, LATENTS, generator=draw)
    v = -110 + 70 * torch.rand(cells, generator=draw)
    g = size * (0.05 * torch.rand(cells, CHUNKS * STEPS, generator=draw) - 0.01)
    b = size * (torch.rand(cells, CHUNKS * STEPS, generator=draw) - 0.4)
    return latent, v, b, g


def answers(stream, latent, v, b, g, teaching=None):
    """Voltages and memory, and the gradient of a sum of both by all that there is."""
    stream.train()
    torch.manual_seed(0)  # of the draw of substeps
    given = [x.clone().requires_grad_() for x in (latent, v, b, g)]
    start = stream.start(*given[:2])
    if teaching is None:
        voltage, state = stream.run(start, given[0], *given[2:])
    else:
        parts = (x.unflatten(1, (CHUNKS, STEPS)) for x in given[2:])
        voltage, state = stream.taught(start, given[0], *parts, teaching)
        voltage = voltage.flatten(1)
    weights = torch.linspace(-1, 1, STEPS * CHUNKS)
    (((voltage + 70) / 30).square() * weights).sum().add(state.h.square().sum()).backward()
    found = {name: p.grad for name, p in stream.named_parameters()}
    stream.zero_grad(set_to_none=True)
    return voltage.detach(), state.h.detach(), found | dict(enumerate(x.grad for x in given))


@pytest.mark.parametrize("size", [1.0, 1e4], ids=["usual input", "beyond all limits"])
@pytest.mark.parametrize("cells", [1, 16, 37])
@pytest.mark.parametrize("width", [16, 96])
def test_answers_and_gradients_are_torchs(cells, width, size):
    torch.manual_seed(3)
    stream = OdeStream(OdeConfig(memory=width // 2 - 3, width=width, latent_size=LATENTS))
    with torch.no_grad():
        stream.out.weight.mul_(4)  # conductances that change, to their limits now and then
    compare(stream, drawn(cells, size))


@pytest.mark.parametrize("limit", [torch.inf, 0.01, 1e-4])
def test_teaching_is_torchs(limit):
    """Told voltages, and how much of the gradient goes back from chunk to chunk."""
    torch.manual_seed(3)
    stream = OdeStream(OdeConfig(memory=8, width=20, latent_size=LATENTS))
    v = torch.empty(21, CHUNKS, STEPS).uniform_(-90, -40)
    forced = torch.rand(21, CHUNKS) < 0.4
    free = compare(stream, drawn(21))
    taught = compare(stream, drawn(21), Teaching(v, forced, limit))
    assert forced[:, 0].any() and not torch.allclose(taught[0], free[0], atol=1.0)
    assert torch.equal(taught[0][:, :STEPS], free[0][:, :STEPS])  # before the first, nothing


def compare(stream, inputs, teaching=None):
    stream._compiled = None
    plain = answers(stream, *inputs, teaching)
    stream.compile()
    ours = answers(stream, *inputs, teaching)
    torch.testing.assert_close(ours[0], plain[0], rtol=0, atol=2e-3)  # mV
    torch.testing.assert_close(ours[1], plain[1], rtol=0, atol=1e-4)
    for name, expected in plain[2].items():
        scale = expected.abs().max().clamp(min=1e-6)
        torch.testing.assert_close(ours[2][name] / scale, expected / scale, rtol=0, atol=1e-3)
    return ours


def test_a_gradient_is_taken_once():
    """Its room is then another's."""
    stream = OdeStream(OdeConfig(memory=8, width=20, latent_size=LATENTS))
    stream.compile()
    latent, v, b, g = drawn(3)
    total = stream.run(stream.start(latent, v), latent, b, g)[0].sum()
    total.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="taken already"):
        total.backward()


def test_gradients_of_two_segments_do_not_mix():
    torch.manual_seed(3)
    stream = OdeStream(OdeConfig(memory=8, width=20, latent_size=LATENTS)).eval()
    stream.compile()
    latent, v, b, g = drawn(3)

    def loss(sign):
        return stream.run(stream.start(latent, v), latent, sign * b, g)[0].square().mean()

    def gradient(*losses):
        stream.zero_grad(set_to_none=True)
        for value in losses:
            value.backward()
        return stream.inner.weight.grad.clone()

    apart = gradient(loss(1)) + gradient(loss(-1))
    torch.testing.assert_close(gradient(loss(1), loss(-1)), apart)


def test_a_cell_is_the_same_in_any_company():
    torch.manual_seed(3)
    stream = OdeStream(OdeConfig(memory=8, width=20, latent_size=LATENTS))
    stream.compile()
    latent, v, b, g = drawn(21)
    with torch.no_grad():
        many = stream.eval().run(stream.start(latent, v), latent, b, g)[0]
        one = stream.run(stream.start(latent, v)._replace(), latent, b, g)[0][20:]
        rest = [x[20:] for x in (latent, v, b, g)]
        h = stream.start(latent, v).h[20:]  # torch's start may round by company
        alone = stream.run(stream.start(rest[0], rest[1])._replace(h=h), rest[0], *rest[2:])[0]
    assert torch.equal(many[20:], one)
    torch.testing.assert_close(alone, one, rtol=0, atol=1e-3)


def test_torchs_compiler_takes_the_arithmetic_in_one_piece(monkeypatch):
    """As on a GPU, where there is no machine code of ours."""
    torch.manual_seed(3)
    stream = OdeStream(OdeConfig(memory=8, width=16, latent_size=LATENTS))
    latent, v, b, g = drawn(5)
    with torch.no_grad():
        plain = stream.eval().run(stream.start(latent, v), latent, b, g)[0]
        traced = torch.compile(stream_ode._advanced, backend="eager", fullgraph=True)
        monkeypatch.setattr(stream_ode, "_advanced", traced)
        assert torch.equal(stream.run(stream.start(latent, v), latent, b, g)[0], plain)


def test_it_is_compiled_once(tmp_path, monkeypatch):
    monkeypatch.setenv("NOBLE_NEURON_CACHE", str(tmp_path))
    path = native.compiled(SOURCE)
    made = path.stat().st_mtime_ns
    assert path.is_relative_to(tmp_path)
    assert native.compiled(SOURCE) == path and path.stat().st_mtime_ns == made


def test_without_a_compiler_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("NOBLE_NEURON_CACHE", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(MechanismError, match="no C.. compiler in PATH.*apt install"):
        native.compiled(SOURCE)


def test_a_source_that_does_not_compile_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("NOBLE_NEURON_CACHE", str(tmp_path / "cache"))
    (tmp_path / "broken.cpp").write_text("int f( {")
    with pytest.raises(MechanismError, match="Compiling broken.cpp"):
        native.compiled(tmp_path / "broken.cpp")
    assert not [p for p in (tmp_path / "cache").rglob("*") if p.is_file()]
