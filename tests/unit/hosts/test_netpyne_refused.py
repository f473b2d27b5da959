"""What cannot be swapped, or asked of swapped cells, is refused, by name."""

from copy import deepcopy

import pytest

pytest.importorskip("neuralop", reason="the shipped surrogates need torch and neuraloperator")
pytest.importorskip("netpyne")

from netpyne import sim

import noble_neuron.hosts.netpyne_rules as noble
from noble_neuron.errors import NobleError

from .nets import config, network, run

pytestmark = pytest.mark.usefixtures("as_found")


def swapped(params=None):
    params = params or network()
    noble.replace(params, "PV", surrogate="pvalb", seed=3)
    return params


def soma_lost(params):
    params.cellParams["basket"]["secs"] = {
        name: {"geom": {"L": 10, "diam": 1}} for name in ("left", "right")
    }


def no_rule(params):
    params.cellParams.pop("basket")


def point_cells(params):
    params.popParams["PV"] = {"cellModel": "NetStim", "numCells": 2, "rate": 10}


@pytest.mark.parametrize(
    ("spoil", "pop", "given", "message"),
    [
        (None, "Pv", {}, "No population 'Pv'; did you mean PV"),
        (None, "PV", {"surrogate": "pvlab"}, "pvlab"),
        (None, "PV", {"latent": "pvalb/700"}, "neither 'cells', 'hull', 'tags' nor a training"),
        (None, "PV", {"latent": {"I_thr": 0.3}}, "missing"),
        (soma_lost, "PV", {}, "Rule 'basket' has no soma"),
        (no_rule, "PV", {}, "No rule of netParams.cellParams"),
        (point_cells, "PV", {}, "Point cells have none"),
    ],
)
def test_what_cannot_be_swapped_is_refused_before_anything_changes(spoil, pop, given, message):
    params = network()
    if spoil:
        spoil(params)
    before = deepcopy(dict(params.cellParams))
    with pytest.raises(NobleError, match=message):
        noble.replace(params, pop, **{"surrogate": "pvalb", **given})
    assert dict(params.cellParams) == before


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"cvode_active": True}, "cvode_active is on"),
        ({"coreneuron": True}, "coreneuron is on"),
        ({"recordLFP": [[10, 10, 10]]}, "recordLFP is on"),
        ({"recordDipole": True}, "recordDipole is on"),
        ({"recordDipolesHNN": ["PV"]}, "recordDipolesHNN is on"),
        ({"saveIMembrane": ["PV"]}, "saveIMembrane is on"),
    ],
    ids=lambda given: next(iter(given)) if isinstance(given, dict) else "",
)
def test_settings_that_no_surrogate_serves_are_refused(setting, message, capfd):
    with pytest.raises(RuntimeError):
        sim.create(swapped(), config(**setting))
    assert message in capfd.readouterr().err
    assert not sim.net.cells  # at the first cell


@pytest.mark.parametrize(
    ("trace", "what"),
    [
        ({"mech": "hh", "var": "m"}, "hh.m"),
        ({"var": "ina"}, "ina"),
        ({"var": "gna_hh"}, "gna_hh"),
        ({"var": "i_membrane_"}, "i_membrane_"),
    ],
)
def test_a_variable_that_the_soma_had_is_not_lost_in_silence(trace, what, capfd):
    recorded = {"x": {"sec": "soma", "loc": 0.5, **trace}}
    fast = {"use_fast_imem": True}
    run(network(), recordTraces=recorded, recordCells=["all"], **fast)
    assert len(sim.simData["x"]) == 6
    with pytest.raises(RuntimeError):
        sim.create(swapped(), config(recordTraces=recorded, recordCells=[("PV", [0])], **fast))
    assert f"records {what} at the soma of population 'PV'" in capfd.readouterr().err
    for still in (
        {"recordCells": ["other"]},
        {
            "recordCells": ["all"],
            "recordTraces": {"x": recorded["x"] | {"conds": {"pop": "other"}}},
        },
    ):
        sim.create(swapped(), config(**{"recordTraces": recorded, **fast, **still}))
        assert len(sim.simData["x"]) == 2


def test_conditions_of_a_trace_may_be_latents():
    """Which the cell has when it is looked at."""
    conds = {"pop": "PV", "I_thr": [10.0, 20.0]}  # nobody
    recorded = {"x": {"sec": "soma", "loc": 0.5, "mech": "hh", "var": "m", "conds": conds}}
    sim.create(swapped(network(others=0)), config(recordTraces=recorded, recordCells=["all"]))
    assert not sim.simData["x"]


def test_a_variable_that_the_soma_never_had_is_left_to_netpyne():
    recorded = {"x": {"sec": "soma", "loc": 0.5, "var": "cai"}}
    for params in (network(), swapped()):
        sim.create(params, config(recordTraces=recorded, recordCells=["all"]))
        assert not sim.simData["x"]


def stimulus(params, kind, **target):
    params.stimSourceParams["held"] = {"type": kind, "dur1": 1e9, "amp1": -70, "rs": 1}
    params.stimTargetParams["held->"] = {"source": "held", "loc": 0.5, **target}
    return params


@pytest.mark.parametrize(
    "target",
    [
        {"sec": "soma", "conds": {"pop": "PV"}},
        {"sec": "soma", "conds": {"cellType": ["basket"], "x": [0, 1000]}},
        {"sec": "nowhere", "conds": {"pop": "PV", "cellList": [1]}},
        {"conds": {}},
    ],
)
def test_a_voltage_clamp_at_the_soma_is_refused(target, capfd):
    with pytest.raises(RuntimeError):
        sim.create(swapped(stimulus(network(), "SEClamp", **target)), config())
    said = capfd.readouterr().err
    assert "stimTargetParams['held->'] puts a SEClamp on population 'PV', at the soma" in said


def test_a_voltage_clamp_elsewhere_is_not():
    target = {"sec": "soma", "conds": {"pop": "other"}}
    sim.create(swapped(stimulus(network(), "SEClamp", **target)), config())
    assert [len(cell.stims) for cell in sim.net.cells] == [1] * 4 + [2] * 2


def test_an_extracellular_field_is_refused(capfd):
    params = network()
    params.stimSourceParams["field"] = {"type": "XStim", "field": {"class": "uniform"}}
    params.stimTargetParams["field->"] = {"source": "field", "conds": {"pop": "PV"}}
    with pytest.raises(RuntimeError):
        sim.create(swapped(params), config())
    assert "puts a XStim on population 'PV'" in capfd.readouterr().err


def said(caught, capfd):
    return str(caught.value) + capfd.readouterr().err


def test_a_loaded_network_is_looked_at_again(tmp_path, capfd):
    """It has been made under its own configuration, and gets another for the run."""
    run(swapped(), filename=str(tmp_path / "net"), saveJson=True)
    sim.clearAll()
    sim.load(str(tmp_path / "net_data.json"), simConfig=config(coreneuron=True))
    with pytest.raises(RuntimeError) as caught:
        sim.simulate()
    assert "coreneuron is on" in said(caught, capfd)


@pytest.mark.parametrize(
    ("told", "changed", "message"),
    [
        ('"surrogate": "pvalb"', '"surrogate": "pvlab"', "No bundle 'pvlab'"),
        ('"shift": 0.0', '"shift": 0.0, "mood": 1', "which knows of mood; this is"),
    ],
)
def test_a_refusal_that_netpyne_swallows_is_told_before_the_run(
    tmp_path, capfd, told, changed, message
):
    """It prints what goes wrong when it loads a network, and goes on with half of one."""
    run(swapped(), filename=str(tmp_path / "net"), saveJson=True)
    file = tmp_path / "net_data.json"
    file.write_text(file.read_text().replace(told, changed))
    sim.clearAll()
    sim.load(str(file), simConfig=config())
    with pytest.raises(RuntimeError) as caught:
        sim.simulate()
    found = said(caught, capfd)
    assert "The network is not complete. Cell 0: " in found and message in found


def test_channels_put_into_the_soma_later_are_refused(capfd):
    sim.create(swapped(), config())
    sim.net.modifyCells({"conds": {"pop": "PV"}, "secs": {"soma": {"mechs": {"hh": {}}}}})
    with pytest.raises(RuntimeError) as caught:
        sim.simulate()
    assert "its soma has currents of its own (hh)" in said(caught, capfd)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"dt": 0.03}, "cannot serve h.dt = 0.03 ms"),
        ({"hParams": {"celsius": 6.3, "v_init": -74}}, "Set h.celsius = 34"),
    ],
)
def test_step_and_temperature_are_the_surrogates(setting, message, capfd):
    sim.create(swapped(), config(**setting))
    with pytest.raises(RuntimeError) as caught:
        sim.simulate()
    assert message in said(caught, capfd)
