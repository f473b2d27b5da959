"""The documentation quotes what was measured, and names what exists."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_every_figure_is_that_of_its_results_file():
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools/figures.py"), "--check"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_commands_are_the_real_ones(page):
    """Every option of `noble-neuron` that a page names is one that the command has."""
    for line in re.findall(r"^\s*noble-neuron (.+)$", page.read_text(), flags=re.M):
        command, *words = line.split()
        done = subprocess.run(
            [sys.executable, "-m", "noble_neuron", command, "--help"],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, line
        for option in re.findall(r"--[a-z-]+", " ".join(words).partition("#")[0]):
            assert option in done.stdout, f"{option} in {line!r}"


def test_every_feature_is_defined_with_its_unit():
    from noble_neuron.units import UNITS

    text = (ROOT / "docs/features.md").read_text()
    for name, unit in UNITS.items():
        if name in (
            "time",
            "voltage",
            "current",
            "conductance",
            "temperature",
            "rate",
            "amplitude",
        ):
            continue
        row = re.search(rf"^\| `{re.escape(name)}` \| ([^|]*) \|", text, flags=re.M)
        assert row, f"{name} is not in docs/features.md"
        assert row[1].strip() == (unit or "–"), name


def test_every_dependency_has_its_licence_stated():
    setup = (ROOT / "setup.py").read_text()
    text = (ROOT / "docs/licences.md").read_text()
    for name in set(re.findall(r'"([a-z0-9]+)>=', setup)):
        assert f"| {name} |" in text, name
