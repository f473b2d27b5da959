"""Every example runs as a script, as its own docstring says."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SAYS = {
    "howto/own_cell.py": "I_thr",
    "howto/ask_a_surrogate.py": "spikes",
    "workflows/cells_to_report.py": "report:",
    "workflows/closed_loop.py": "80 and 20      surrogates",
    "howto/noble_cell.py": "spikes",
}
IMPORTED = {"workflows/my_cells.py", "workflows/networks.py"}  # by others


def test_every_example_is_here():
    found = {str(p.relative_to(ROOT / "examples")) for p in (ROOT / "examples").rglob("*.py")}
    assert found == {*SAYS, *IMPORTED}


@pytest.mark.parametrize("name", SAYS)
def test_it_runs(name, tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / name), str(tmp_path)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    assert SAYS[name] in done.stdout
