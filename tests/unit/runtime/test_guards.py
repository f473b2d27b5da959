"""What a surrogate cannot work under is refused at initialisation, in words that help."""

import math
import re
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from neuron import coreneuron, h

from noble_neuron.errors import BundleError, InputError, SomaWarning
from noble_neuron.nrn import mechanisms
from noble_neuron.runtime import NobleCell
from noble_neuron.runtime.standins import PassiveCell

from . import rings

ROOT = Path(__file__).resolve().parents[3]
mechanisms.load()


@pytest.fixture
def cell():
    return NobleCell(rings.SQUID, rings.CLASSIC, gid=3)


def variable_step(cell):
    h.CVode().active(1)


def second_order(cell):
    h.secondorder = 2


def core_neuron(cell):
    coreneuron.enable = True


def odd_step(cell):
    h.dt = 0.03


def too_long_a_step(cell):
    h.dt = 0.1


def temperature(cell):
    h.celsius = 34


def active_soma(cell):
    cell.soma.insert("hh")


def channel_without_ion(cell):
    cell.soma.insert("nn_Ih")


def segments(cell):
    cell.soma.nseg = 3


REFUSED = {
    second_order: "secondorder is 2. Set h.secondorder = 0",
    core_neuron: "CoreNEURON is on. Set coreneuron.enable = False",
    odd_step: "HodgkinHuxley cannot serve h.dt = 0.03 ms; it serves 0.025, 0.05 ms. Set h.dt",
    too_long_a_step: "cannot serve h.dt = 0.1 ms",
    temperature: "HodgkinHuxley is at 6.3 degC, but NEURON is at 34 degC. Set h.celsius = 6.3",
    active_soma: r"NobleCell\[3\]: its soma has currents of its own \(hh\).*uninsert\('hh'\)",
    channel_without_ion: r"its soma has currents of its own \(nn_Ih\)",
    segments: "its soma has 3 segments. Set soma.nseg = 1",
}


@pytest.fixture(autouse=True)
def core_neuron_off():
    yield
    coreneuron.enable = False


@pytest.mark.parametrize("setting", REFUSED, ids=lambda f: f.__name__)
def test_refused_at_initialisation(cell, setting, capfd):
    setting(cell)
    with pytest.raises(RuntimeError) as caught:
        h.finitialize(-65)
    assert re.search(REFUSED[setting], rings.said(caught, capfd))


def test_variable_step_before_the_cell(capfd):
    h.CVode().active(1)
    cell = NobleCell(rings.SQUID, rings.CLASSIC)
    with pytest.raises(RuntimeError) as caught:
        h.finitialize(-65)
    assert "the variable step is on. Set h.CVode().active(False)" in rings.said(caught, capfd)
    assert cell


def test_variable_step_after_the_cell(cell, capfd):
    """NEURON knows by itself that the clamp cannot, and says its name."""
    with pytest.raises(RuntimeError) as caught:
        h.CVode().active(1)
    assert "nn_Clamp cannot be used with CVODE" in rings.said(caught, capfd)


@pytest.mark.parametrize(
    "name, value, said",
    [
        ("dt", 0.05, "h.dt has changed under a NobleCell. Call h.finitialize()"),
        ("secondorder", 2, "does not run with secondorder. Set h.secondorder = 0"),
    ],
)
@pytest.mark.parametrize("threads", [1, 2])
def test_settings_changed_after_initialisation(cell, name, value, said, threads, capfd):
    idle = h.Section(name="idle")  # so that the cell is not on the main thread
    h.ParallelContext().nthread(threads)
    h.finitialize(-65)
    rings.psolve(1)
    setattr(h, name, value)
    with pytest.raises(RuntimeError) as caught:
        h.continuerun(2)
    assert said in rings.said(caught, capfd)
    assert idle


EXTRACELLULAR = """
import sys
sys.path.insert(0, {folder!r})
from neuron import h
from noble_neuron.runtime import NobleCell
from noble_neuron.runtime.standins import HodgkinHuxley
cell, other = NobleCell(HodgkinHuxley(area=1256.637), (0.12, 0.036, 0.0003)), h.Section()
other.insert("extracellular")
h.celsius = 6.3
h.finitialize(-65)
h.fadvance()
"""


def test_extracellular_anywhere(tmp_path):
    """NEURON cannot take it out again, so it has a process of its own."""
    script = tmp_path / "extracellular.py"
    script.write_text(EXTRACELLULAR.format(folder=str(ROOT)))
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True)
    assert done.returncode != 0
    assert "A NobleCell does not run beside extracellular or LinearMechanism" in done.stderr


def test_works_again_after_a_refusal(cell):
    h.secondorder = 2
    with pytest.raises(RuntimeError):
        h.finitialize(-65)
    h.secondorder = 0
    h.finitialize(-65)
    rings.psolve(1)
    assert cell.soma(0.5).v == pytest.approx(-65, abs=0.1)


def test_no_surrogates_no_checks():
    h.secondorder = 2
    h.finitialize(-65)


def pas(cell):
    cell.soma.insert("pas")
    cell.soma(0.5).pas.g = 0


def calcium(cell):
    cell.soma.insert("nn_CaDynamics")


def dendrite(cell):
    section = h.Section(name="dendrite")
    section.connect(cell.soma(1))
    return section


def high_threshold(cell):
    netcon = h.NetCon(cell.soma(0.5)._ref_v, None, sec=cell.soma)
    netcon.threshold = 30
    return netcon


WARNED = {
    pas: r"NobleCell\[3\]: its soma's pas adds to the leak",
    calcium: "reads or writes concentrations of ca",
    dendrite: "sections are connected to its soma.*own_tree=True",
    high_threshold: "a NetCon waits for 30 mV, and spikes reach 20 mV.*cell.threshold",
}


@pytest.mark.parametrize("setting", WARNED, ids=lambda f: f.__name__)
def test_warned_of_once(cell, setting):
    held = setting(cell)
    with pytest.warns(SomaWarning, match=WARNED[setting]):
        h.finitialize(-65)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        h.finitialize(-65)
        rings.psolve(1)
    del held


def test_nothing_to_warn_of(cell):
    """Point processes with and without ions of their own, and a NetCon at the right threshold."""
    held = [h.Exp2Syn(cell.soma(0.5)), h.IClamp(cell.soma(0.5)), h.AlphaSynapse(cell.soma(0.5))]
    held.append(h.NetCon(cell.soma(0.5)._ref_v, held[0], sec=cell.soma))
    held[-1].threshold = cell.threshold
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        h.finitialize(-65)


def test_a_cell_needs_a_stepper():
    with pytest.raises(InputError, match="a bundle's folder or a Stepper .* got 3.0"):
        NobleCell(3.0, rings.CLASSIC)


def test_a_name_needs_a_bundle():
    pytest.importorskip("neuralop", reason="bundles need torch and neuraloperator")
    with pytest.raises(BundleError, match="No bundle 'nobody'"):
        NobleCell("nobody", rings.CLASSIC)


@pytest.mark.parametrize("latent", [(), (0.1, 0.2), (0.1, 0.2, math.nan), ((0.1, 0.2, 0.3),)])
def test_a_cell_needs_its_latent(latent):
    with pytest.raises(InputError, match="HodgkinHuxley needs 3 finite latent coordinates: got"):
        NobleCell(rings.SQUID, latent)


def test_what_a_cell_says_of_itself():
    cell = NobleCell(rings.SQUID, rings.CLASSIC, gid=12)
    assert str(cell) == "NobleCell[12]" and cell.soma.name() == "NobleCell[12].soma"
    assert cell.threshold == rings.SQUID.threshold and cell.gid == 12
    assert np.array_equal(cell.latent, rings.CLASSIC)
    assert NobleCell(rings.SQUID, rings.CLASSIC).soma.name().startswith("NobleCell_")


def test_each_stepper_is_checked(capfd):
    here = NobleCell(rings.SQUID, rings.CLASSIC)
    warm = NobleCell(replace(PassiveCell(0.01), celsius=34.0), (0.001, -70.0))
    with pytest.raises(RuntimeError) as caught:
        h.finitialize(-65)
    assert "PassiveCell is at 34 degC" in rings.said(caught, capfd)
    assert here and warm
