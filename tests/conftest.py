"""What tests of every room share; heavy imports wait until a test asks."""

import importlib.util
import os
from pathlib import Path

import pytest

os.environ.setdefault("NEURON_MODULE_OPTIONS", "-nogui")


@pytest.fixture(scope="session")
def line(tmp_path_factory):
    """A small real line, see `balls`."""
    # By path: some packages install a `tests` of their own, which would win over this folder.
    spec = importlib.util.spec_from_file_location("balls", Path(__file__).parent / "balls.py")
    balls = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(balls)
    return balls.make(tmp_path_factory.mktemp("balls"))
