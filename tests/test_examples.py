"""Every example runs as a script, as its own docstring says."""

import json
import os
import shutil
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
    "howto/netpyne_population.py": "12 cells (pvalb), spikes:",
    "howto/surrogate_for_my_cell.py": "12 cells on ",
}
HOC = {
    "howto/noble_cell.hoc": "spikes in 100 ms",
    "howto/family_from_hoc.hoc": "cell 5: I_thr",
}
NRNIV = Path(sys.executable).with_name("nrniv")
NOTEBOOKS = {"howto/swap_and_validate.ipynb": "12 cells on pvalb"}
IMPORTED = {"workflows/my_cells.py", "workflows/networks.py"}  # by others
MODELS = {  # folder -> its script and its other files
    "pv_network": {"init.py", "cfg.py", "netParams.py", "pv_cell.py"},
    "ei_network": {"src/init.py", "src/cfg.py", "src/netParams.py", "src/cells/pv_cell.py"},
}


def test_every_example_is_here():
    folder = ROOT / "examples"
    kinds = (".py", ".hoc", ".ipynb")
    found = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.suffix in kinds}
    models = {f"models/{folder}/{file}" for folder, files in MODELS.items() for file in files}
    assert found == {*SAYS, *HOC, *NOTEBOOKS, *IMPORTED, *models}


def shortened(folder):
    """The PV network, for a tenth of its time."""
    shutil.copytree(ROOT / "examples" / "models" / "pv_network", folder)
    config = folder / "cfg.py"
    config.write_text(config.read_text().replace("duration = 1000", "duration = 100"))
    return folder


def test_a_network_runs_by_its_own_script(tmp_path):
    """As a NetPyNE user runs it; that of ei_network needs its mechanisms compiled first."""
    folder = shortened(tmp_path / "pv_network")
    done = subprocess.run(
        [sys.executable, "init.py"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    assert "Spikes:" in done.stdout and (folder / "raster.png").exists()


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


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_runs_from_top_to_bottom(name, tmp_path):
    """Its code in one process, as a kernel runs it; it is kept without outputs."""
    shortened(tmp_path / "models" / "pv_network")
    folder = tmp_path / "howto"
    folder.mkdir()
    cells = json.loads((ROOT / "examples" / name).read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert code and not any(cell.get("outputs") for cell in cells)
    (folder / "notebook.py").write_text("\n".join(code), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "notebook.py"],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": "1",
            "MPLBACKEND": "Agg",
        },
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    assert NOTEBOOKS[name] in done.stdout and "floor" in done.stdout
    assert (folder / "swap_comparison" / "report.html").exists()


@pytest.mark.skipif(not NRNIV.exists(), reason="no nrniv beside this Python")
@pytest.mark.parametrize("name", HOC)
def test_it_runs_in_nrniv(name):
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "HOC_LIBRARY_PATH": str(ROOT / "hoc"),
        "PYTHONEXE": sys.executable,
        "NRN_PYTHONEXE": sys.executable,
    }
    done = subprocess.run(
        [str(NRNIV), "-nogui", str(ROOT / "examples" / name), "-c", "quit()"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert HOC[name] in done.stdout, done.stdout + done.stderr
