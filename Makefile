# make compare   set everything up, then full simulation and surrogate side by side
# make test      the same environment with the test tools, then lint and tests
# make test-neuron8   mechanisms, cells and runtime again, on NEURON 8.2.7
VENV ?= .venv
VENV8 ?= .venv-neuron8
PYTHON ?= python3
TORCH ?= cpu
export PYTHON TORCH TORCH_INDEX

READY = $(VENV)/.ready-$(TORCH)

REPORT ?= runs/compare.html

.PHONY: compare setup test test-neuron8

compare: $(READY)
	$(VENV)/bin/noble-neuron compare --report $(REPORT)

setup: $(READY)

$(READY): setup.py constraints.txt tools/environment.sh
	tools/environment.sh $(VENV)
	touch $@

$(READY)-test: $(READY)
	tools/environment.sh $(VENV) test
	touch $@

test: $(READY)-test
	$(VENV)/bin/ruff check .
	$(VENV)/bin/python -m pytest -q

# NEURON 8 takes C mechanisms, NEURON 9 takes C++: both have to compile ours alike.
$(VENV8)/.ready: tools/neuron8.txt
	$(PYTHON) -m venv $(VENV8)
	$(VENV8)/bin/python -m pip install --quiet --disable-pip-version-check -r tools/neuron8.txt
	touch $@

test-neuron8: $(VENV8)/.ready
	$(VENV8)/bin/python -m pytest -q tests/unit/nrn tests/unit/cells tests/unit/runtime tests/vs_neuron
