"""Ensembles: the cells of a hall of fame, and more like them (sections 4.3 and 4.4).

Two ways to more cells stand beside each other on the same pairs of training models and the same
shares of the way: the surrogate between their latent points, and full models whose channel
parameters lie between theirs, run in NEURON (figure 4B). Likewise around a held-out cell: a tenth
of the way to training models, in the latent space and in the parameters (figures 11 and 13).

    full models          the training cells in NEURON, which all others are compared with
    surrogate            at the same cells' points
    between pairs        latent points on the lines between two training cells
    in the hull          mixtures of as many training cells as the space has coordinates, and one
    mixed models         between the same pairs, by channel parameters

How far a population is from the full models is measured, not looked at: Wasserstein distances per
feature, an energy distance over all of them, and the halves of the full models from each other as
the floor.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..cells.mixed import mixed
from ..compare.tables import Table, number
from . import _ensembles_plots as plots
from ._distances import around, distances, floor, spread_of
from ._populations import Currents, Population, of_models, of_points
from .bench import Bench
from .outcome import Outcome, finite

FULL, OWN = "full models", "surrogate"
PAIRS, HULL, MIXED = "surrogate between pairs", "surrogate in the hull", "full models mixed"
HELD, HELD_OWN = "held-out full models", "surrogate at held-out cells"
BESIDE, AROUND = f"{HELD_OWN}, from those cells", "around held-out cells"
FLOOR = "floor (halves of the full models)"
TENTH = 0.1  # of the way from a held-out cell to a training model
SEED = 20261207


@dataclass(frozen=True)
class Sizes:
    """How much is simulated.

    Attributes:
        currents: Of the F-I curve.
        points: Latent points in the hull, and between pairs.
        mixed: Of those pairs, how many are run as mixed models.
        around: Held-out cells with a neighbourhood.
        near: Latent points in each.
        near_mixed: Full models in each.
        training: Training cells at most.
    """

    currents: int
    points: int
    mixed: int
    around: int
    near: int
    near_mixed: int
    training: int = 1000


SIZES = {"quick": Sizes(10, 200, 60, 2, 50, 20), "full": Sizes(24, 1000, 300, 10, 50, 50)}


def run(bench: Bench) -> Outcome:
    """Populations and their distances, at the bench's scale."""
    return measure(bench, bench.size(SIZES))


def measure(bench: Bench, sizes: Sizes) -> Outcome:
    """Populations and their distances."""
    currents = Currents.of(bench, sizes.currents)
    found = populations(bench, sizes, currents)
    reference = found[FULL]
    apart = {name: distances(each, reference) for name, each in found.items() if name != FULL}
    apart[FLOOR] = floor(reference)
    apart[BESIDE] = distances(found[HELD_OWN], found[HELD])
    near = neighbourhoods(bench, sizes, currents)
    clouds = {
        f"{cell}: {kind}": values
        for cell, (truth, kinds) in near.items()
        for kind, values in (
            (k, around(v, truth, lambda n: spread_of(reference.features[n])))
            for k, v in kinds.items()
        )
    }
    return Outcome(
        f"Ensembles: the surrogate of {bench.surrogate.card.ensemble}",
        _said(bench, currents, found, apart, clouds),
        finite(_records(found, apart, clouds, near)),
        _tables(found, apart, clouds),
        {
            "F-I curves of each population; the median is drawn thick.": plots.curves(
                found, currents
            ),
            "Distances from the full models: each feature's, and all features together; "
            "the grey line is the floor.": plots.distances(apart, FLOOR),
            f"Voltage of up to 40 cells at {currents.rising[-1]:g} nA and {currents.silent:g} "
            f"nA.": plots.traces(found, bench.surrogate.card.dt),
            "Around held-out cells, a tenth of the way to training models: by the surrogate in "
            "the latent space, and in NEURON by channel parameters.": plots.clouds(
                near, currents, bench.surrogate.card.dt
            ),
        },
    )


def pairs(bench: Bench, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of training cells, shape (count, 2), and shares of the way, shape (count,)."""
    draw = np.random.default_rng(SEED)
    two = np.array([draw.choice(bench.study.training, 2, replace=False) for _ in range(count)])
    return two, draw.uniform(0.0, 1.0, count)


def in_hull(bench: Bench, count: int) -> np.ndarray:
    """Points in the hull of the training cells, each a mixture of k + 1 of them, (count, k)."""
    space, draw = bench.surrogate.latent_space, np.random.default_rng(SEED + 1)
    return np.array([space.mixture(draw) for _ in range(count)])


def populations(bench: Bench, sizes: Sizes, currents: Currents) -> dict[str, Population]:
    """All of them, by name."""
    study = bench.study
    training, held = study.training[: sizes.training], study.held_out
    two, share = pairs(bench, sizes.points)
    ends = bench.points(two.ravel()).reshape(len(two), 2, -1)
    between = (1 - share)[:, None] * ends[:, 0] + share[:, None] * ends[:, 1]
    models = [
        mixed(study.cells[a], study.cells[b], float(s), f"{study.cells[a].name}+{b}@{s:.4f}")
        for (a, b), s in zip(two[: sizes.mixed], share, strict=False)
    ]
    return {
        FULL: of_models(bench, FULL, [study.cells[k] for k in training], currents),
        OWN: of_points(bench, OWN, bench.points(training), currents),
        PAIRS: of_points(bench, PAIRS, between, currents),
        HULL: of_points(bench, HULL, in_hull(bench, sizes.points), currents),
        MIXED: of_models(bench, MIXED, models, currents),
        HELD: of_models(bench, HELD, [study.cells[k] for k in held], currents),
        HELD_OWN: of_points(bench, HELD_OWN, bench.points(held), currents),
    }


def neighbourhoods(
    bench: Bench, sizes: Sizes, currents: Currents
) -> dict[str, tuple[Population, dict[str, Population]]]:
    """Held-out cell -> what it does in full, and what its two clouds do."""
    study, draw = bench.study, np.random.default_rng(SEED + 2)
    held = np.array(study.held_out)
    order = bench.surrogate.latent_space.distance(bench.points(held)).argsort()
    found = {}
    for k in held[order][: sizes.around]:
        cell, others = study.cells[k], draw.choice(study.training, sizes.near)
        points = (1 - TENTH) * bench.points([k]) + TENTH * bench.points(others)
        models = [
            mixed(cell, study.cells[b], TENTH, f"{cell.name}~{n}+{b}")
            for n, b in enumerate(others[: sizes.near_mixed])
        ]
        found[cell.name] = (
            of_models(bench, f"{cell.name} itself", [cell], currents),
            {
                OWN: of_points(bench, f"around {cell.name}", points, currents),
                MIXED: of_models(bench, f"{cell.name} mixed", models, currents),
                f"{OWN}, at its own point": of_points(
                    bench, f"{cell.name} itself", bench.points([k]), currents
                ),
            },
        )
    return found


_UNITS = {"F-I curve": "Hz", "silent": "of cells", "spread": "of the full models'"}


def _records(found: dict, apart: dict, clouds: dict, near: dict) -> list[dict]:
    sizes = {name: each.size for name, each in found.items()} | {
        FLOOR: found[FULL].size,
        BESIDE: found[HELD].size,
        **{
            f"{cell}: {kind}": cloud.size
            for cell, (_, kinds) in near.items()
            for kind, cloud in kinds.items()
        },
    }
    return [
        {
            "figure": f"{name}/all/{key}",
            "value": value,
            "unit": _UNITS.get(key, "SD"),
            "n": sizes[name],
            "split": split,
            "seed": SEED,
        }
        for split, table in (("distance from the full models", apart), (AROUND, clouds))
        for name, values in table.items()
        for key, value in values.items()
    ]


def _tables(found: dict, apart: dict, clouds: dict) -> tuple[Table, ...]:
    keys = list(apart[OWN])
    head = ["", "cells", *(f"{k} [{_UNITS.get(k, 'SD')}]" for k in keys)]
    rows = [
        [
            name,
            str(found[name].size) if name in found else "",
            *(number(values.get(k, float("nan"))) for k in keys),
        ]
        for name, values in apart.items()
    ]
    near = [[name, *(number(v) for v in values.values())] for name, values in clouds.items()]
    return (
        Table("Distances from the full models, training cells", head, rows),
        Table(
            "Around held-out cells",
            [
                "",
                "mean off by [SD]",
                "SD of the cloud [SD]",
                "F-I curve off by [Hz]",
                "silent [of cells]",
            ],
            near,
        ),
    )


def _said(bench, currents, found, apart, clouds) -> tuple[str, ...]:
    everything = {name: values["all features"] for name, values in apart.items()}
    outside = bench.surrogate.latent_space.contains(bench.points(bench.study.held_out))
    return (
        f"Every cell gets {currents.silent:g} nA and {len(currents.rising)} steps from "
        f"{currents.rising[0]:g} to {currents.rising[-1]:g} nA; features are those at the largest "
        f"and at the silent one. Distances are in SDs of the {found[FULL].size} full models; a "
        f"smaller population is farther from any other by chance, which is why the floor, of two "
        f"halves, is no lower bound for a whole one.",
        "All features together: "
        + "; ".join(f"{name} {number(v)}" for name, v in everything.items())
        + ".",
        f"Spread of the features, against the full models': {PAIRS} "
        f"{number(apart[PAIRS]['spread'])}, {HULL} {number(apart[HULL]['spread'])}, {MIXED} "
        f"{number(apart[MIXED]['spread'])}. Points between cells lie closer together than the "
        f"cells do, the more so the more cells each is mixed of.",
        "Around held-out cells: "
        + "; ".join(
            f"{name}, off by {number(v['off'])} SD and {number(v['wide'])} SD wide"
            for name, v in clouds.items()
        )
        + f". {int((~outside).sum())} of {len(outside)} held-out cells lie outside the hull.",
    )
