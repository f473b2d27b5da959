"""What is read out of a run's log; the runs themselves are in unit/compare/test_network.py."""

from noble_neuron.hosts import netpyne_run

LOG = """Creating network...:   0%|          |\x1b[AERROR: Some mechanisms were not inserted.
ERROR: Some mechanisms were not inserted.
Traceback (most recent call last):
noble_neuron.errors.SimulationError: cfg.cvode_active is on. Set it off.
NEURON: a cell could not be made a surrogate: see above
RuntimeError: hocobj_call error: hoc_execerror
"""


def test_errors_that_netpyne_goes_on_from_are_told_once(tmp_path):
    log = tmp_path / "run.log"
    log.write_text(LOG)
    assert netpyne_run._complaints(log) == ["ERROR: Some mechanisms were not inserted."]
    log.write_text("all well: no error, RuntimeError: of another kind\n")
    assert netpyne_run._complaints(log) == []


def test_a_surrogates_refusal_is_found_before_hocs(tmp_path):
    log = tmp_path / "run.log"
    log.write_text(LOG)
    assert netpyne_run._refusal(log) == "cfg.cvode_active is on. Set it off."
    log.write_text("RuntimeError: the model's own\n")
    assert netpyne_run._refusal(log) is None
