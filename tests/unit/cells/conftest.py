"""A small reconstruction, and a guard: no test of a cell may leave anything in NEURON."""

import pytest
from neuron import h

SWC = """# soma, a dendrite of two branches, an axon from the dendrite's root
1 1 0 0 0 8 -1
2 3 0 8 0 1.0 1
3 3 0 60 0 0.8 2
4 3 -40 90 0 0.5 3
5 3 40 90 0 0.5 3
6 2 0 -8 0 0.6 1
7 2 0 -50 0 0.5 6
8 2 0 -120 0 0.3 7
9 2 30 -90 0 0.2 7
"""


@pytest.fixture(autouse=True)
def nothing_left():
    """Fails the test that leaves a section behind or changes NEURON's globals."""
    names = ("celsius", "dt", "secondorder")
    before = [getattr(h, name) for name in names]
    yield
    left = list(h.allsec())
    for section in left:
        h.delete_section(sec=section)
    assert not left
    assert [getattr(h, name) for name in names] == before


@pytest.fixture
def swc(tmp_path):
    """The small reconstruction as a file."""
    path = tmp_path / "small.swc"
    path.write_text(SWC)
    return path
