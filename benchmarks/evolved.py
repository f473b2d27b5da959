"""A built-in ensemble in figures: how good, how different, how it fires, what it cost.

Used by evolve_pvalb.py and evolve_vip.py. Every model is simulated again, in a range of its
own, so that what is said of its firing does not rest on the search's word.
"""

from __future__ import annotations

import json
import os
from itertools import combinations
from multiprocessing import get_context

import numpy as np
from record import record

from noble_neuron.assets import library_dir
from noble_neuron.cells.builtin import ensemble
from noble_neuron.evolution.select import MEAN_Z, RANGE, WORST_Z
from noble_neuron.evolution.spec import SearchSpec
from noble_neuron.features import fi
from noble_neuron.protocols.protocol import noble_step
from noble_neuron.simulate.run import simulate

BISECTION = 2e-4  # nA


def _firing(job):
    """F-I curve of one cell at some amplitudes."""
    cell, amplitudes = job
    with cell.build() as live:
        return fi.fi_curve(
            lambda a: simulate(live, noble_step(a)),
            amplitudes,
            threshold=cell.threshold,
        )


def _unit_parameters(spec: SearchSpec, groups: dict) -> np.ndarray:
    """Each searched parameter on 0...1 of its bounds."""
    values = []
    for p in spec.parameters:
        group, *rest = p.paths[0].split(".")
        node = groups[group]
        for key in ["mechanisms", *rest] if len(rest) == 2 else rest:
            node = node[key]
        values.append(p.unit(node))
    return np.array(values)


def evolved(name: str, factors: tuple[float, ...]) -> None:
    """Measure the ensemble `name`, its firing at `factors` of I_thr, and record evolve_NAME."""
    folder = library_dir() / name
    stored = json.loads((folder / "hof.json").read_text())
    family, spec = ensemble(name), SearchSpec.read(folder / "search.json")
    models = stored["models"]
    z = np.array([list(m["z"].values()) for m in models])
    places = np.array([_unit_parameters(spec, m["groups"]) for m in models])
    i_thr = np.array([m["features"]["I_thr"] for m in models])
    jobs = [(cell, np.multiply(factors, i)) for cell, i in zip(family.cells, i_thr, strict=True)]
    with get_context("spawn").Pool(os.cpu_count()) as pool:
        curves = pool.map(_firing, jobs, chunksize=1)
    rates = np.array([c.rates for c in curves])
    tonic = sum(bool(np.all(c.repetitive)) for c in curves)
    apart = [
        (np.linalg.norm(places[i] - places[j]), np.linalg.norm(z[i] - z[j]))
        for i, j in combinations(range(len(models)), 2)
    ]
    with family.cells[0].build() as live:
        segments = sum(section.nseg for section in live.sections)
    choice, n = stored["choice"], len(models)
    common = {
        "n": n,
        "seed": choice["seed"],
        "split": f"{len(family.train)} training, {len(family.test)} held out",
    }
    rows = [
        ("models", n, "", 60),
        ("segments of the morphology", segments, "", "60-140"),
        ("largest mean |z| of a model", np.abs(z).mean(1).max(), "SD", MEAN_Z),
        ("median mean |z|", np.median(np.abs(z).mean(1)), "SD", None),
        ("largest |z|", np.abs(z).max(), "SD", WORST_Z),
        (
            "smallest pairwise distance in parameters (unit bounds)",
            min(a for a, _ in apart),
            "",
            choice["parameter_distance"],
        ),
        (
            "smallest pairwise distance in features",
            min(b for _, b in apart),
            "SD",
            choice["feature_distance"],
        ),
        ("I_thr, smallest", i_thr.min(), "nA", None),
        ("I_thr, median", np.median(i_thr), "nA", None),
        ("I_thr, largest", i_thr.max(), "nA", None),
        ("spread (SD) of I_thr over its bisection error", i_thr.std() / BISECTION, "", 10),
        (f"models that fire tonically at {factors} x I_thr", tonic, "", n),
        *(
            (f"of them, at {factor:g} x I_thr", sum(c.repetitive[k] for c in curves), "", n)
            for k, factor in enumerate(factors)
        ),
        ("lowest rate there", rates.min(), "Hz", spec.trials.rates[0]),
        ("highest rate there", rates.max(), "Hz", spec.trials.rates[1]),
        (
            f"models blocked at or below {RANGE:g} x I_thr",
            sum(
                (m["features"]["I_block"] or np.inf) <= RANGE * m["features"]["I_thr"]
                for m in models
            ),
            "",
            0,
        ),
        ("candidates measured by the search", stored["cost"]["candidates"], "", None),
        ("cost of the search", stored["cost"]["core_hours"], "core hours", None),
    ]
    for target, column in zip(spec.targets, z.T, strict=True):
        rows.append((f"z of {target.feature}, mean over models", column.mean(), "SD", None))
    record(
        f"evolve_{name}",
        [
            {"figure": f, "value": round(float(v), 4), "unit": u, "goal": g, **common}
            for f, v, u, g in rows
        ],
    )
    for figure, value, unit_, goal in rows:
        print(f"{figure:62} {float(value):10.4g} {unit_:11} goal {goal}")
