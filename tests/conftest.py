"""What tests of every room share; heavy imports wait until a test asks."""

import os

import pytest

os.environ.setdefault("NEURON_MODULE_OPTIONS", "-nogui")


@pytest.fixture(scope="session")
def line(tmp_path_factory):
    """A small real line, see `balls`."""
    from tests.balls import make

    return make(tmp_path_factory.mktemp("balls"))
