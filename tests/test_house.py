"""The house rules: imports go down only, and heavy packages stay in their rooms."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "noble_neuron"

FLOOR_0 = {"types", "errors", "units", "assets", "files", "contracts"}
LEAVES = {"nrn", "protocols", "features", "store", "operators"}
# Package -> what it may import above floor 0.
MAY_IMPORT = {
    **dict.fromkeys(LEAVES, set()),
    "cells": {"nrn"},
    "surrogates": {"operators", "features"},
    "simulate": {"cells", "protocols", "nrn", "store", "features"},
    "runtime": {"nrn", "surrogates"},
    "training": {"operators", "store", "features", "surrogates"},
    "evolution": {"cells", "protocols", "features", "simulate"},
    "population": {"surrogates", "features"},
    "experiment": {"store", "surrogates", "features", "population"},
}
MAY_IMPORT["hosts"] = {
    *("nrn", "runtime", "surrogates", "cells", "protocols", "simulate", "features"),
}
MAY_IMPORT["compare"] = set(MAY_IMPORT) - {"training", "evolution"}
MAY_IMPORT["reproduce"] = set(MAY_IMPORT) - {"evolution", "hosts"}
MAY_IMPORT["workflows"] = set(MAY_IMPORT)  # puts rooms together that know nothing of each other
MAY_IMPORT["commands"] = set(MAY_IMPORT)
MAY_IMPORT["cli"] = {"commands"}
MAY_IMPORT["__main__"] = {"cli"}

HEAVY = {
    "neuron": {"nrn", "cells", "simulate", "runtime", "evolution", "hosts"},
    "torch": {"operators", "surrogates", "training"},
    "neuralop": {"operators"},
    "safetensors": {"surrogates", "training"},
    "efel": {"features"},
    "h5py": {"store"},
    "matplotlib": {"compare"},
    "bluepyopt": {"evolution"},
    "netpyne": {"hosts"},
    "mpi4py": set(),
    "wandb": set(),
    "pickle": set(),
}

MODULES = sorted(PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    """Top-level part of the package that a file belongs to."""
    parts = path.relative_to(PACKAGE).parts
    return parts[0].removesuffix(".py")


def imports(path: Path):
    """Yield (package, room of noble_neuron or None, line, inside a function) per import."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inner = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.FunctionDef) or _for_types_only(block)
        for node in ast.walk(block)
    }
    depth = len(path.relative_to(PACKAGE).parts)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            targets = _from(node, depth, path)
        else:
            continue
        for target in targets:
            package, _, rest = target.partition(".")
            ours = rest.split(".")[0] if package == "noble_neuron" else None
            yield package, ours, node.lineno, id(node) in inner


def _for_types_only(block: ast.AST) -> bool:
    return isinstance(block, ast.If) and getattr(block.test, "id", "") == "TYPE_CHECKING"


def _from(node: ast.ImportFrom, depth: int, path: Path) -> list[str]:
    if not node.level:
        base = node.module
    else:
        here = ["noble_neuron", *path.relative_to(PACKAGE).parts[:-1]]
        above = here[: len(here) - node.level + 1]
        base = ".".join([*above, node.module] if node.module else above)
    # `from .. import x` names modules; `from ..x import y` names what is in one.
    return [f"{base}.{alias.name}" for alias in node.names]


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_down(path):
    here = room(path)
    if here == "__init__":
        allowed = FLOOR_0
    elif here in FLOOR_0:
        allowed = FLOOR_0
    else:
        assert here in MAY_IMPORT, f"{here} has no floor; give it one in {__file__}"
        allowed = FLOOR_0 | MAY_IMPORT[here] | {here}
    allowed = allowed | {"__version__"}
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {ours}"
        for package, ours, line, _ in imports(path)
        if ours and ours not in allowed
    ]
    assert not wrong, wrong


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_heavy_packages_stay_in_their_rooms(path):
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {package}"
        for package, _, line, _ in imports(path)
        if package in HEAVY and room(path) not in HEAVY[package]
    ]
    assert not wrong, wrong


def test_matplotlib_is_imported_inside_functions():
    wrong = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in MODULES
        for package, _, line, inside in imports(path)
        if package == "matplotlib" and not inside
    ]
    assert not wrong, wrong


def test_the_house_test_sees_a_wrong_import(tmp_path, monkeypatch):
    """Guards the guard: a leaf that imports another, and torch where it must not be."""
    monkeypatch.setitem(globals(), "PACKAGE", tmp_path)
    folder = tmp_path / "features"
    folder.mkdir()
    file = folder / "bad.py"
    file.write_text("from ..store.hdf5 import Store\nfrom .. import cells\nimport torch.nn\n")
    seen = {(package, ours) for package, ours, _, _ in imports(file)}
    assert seen == {("noble_neuron", "store"), ("noble_neuron", "cells"), ("torch", None)}


def test_import_is_silent_and_light():
    code = (
        "import sys, noble_neuron, noble_neuron.cli\n"
        "heavy = {'torch', 'neuron', 'efel', 'matplotlib', 'h5py', 'scipy', 'neuralop',"
        " 'netpyne', 'bluepyopt', 'wandb'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout == "" and run.stderr == ""


def test_every_public_name_loads():
    import noble_neuron

    for name in noble_neuron.__all__:
        assert getattr(noble_neuron, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        noble_neuron.nonsense  # noqa: B018


def test_all_mechanisms_have_their_own_names():
    names = {}
    for file in (ROOT / "mod").glob("*.mod"):
        text = file.read_text()
        suffix = [
            line.split()[1]
            for line in text.splitlines()
            if line.split()[:1] in (["SUFFIX"], ["POINT_PROCESS"])
        ]
        assert len(suffix) == 1, file
        assert suffix[0].startswith(("nn_", "Noble", "noble", "NN")), file
        assert suffix[0] not in names, f"{file} and {names.get(suffix[0])}"
        names[suffix[0]] = file
        assert not re.search(r"\b[fv]?printf", text), f"{file} prints"
