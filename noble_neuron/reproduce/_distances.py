"""How far two populations are apart: distances between distributions, and their floor."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.spatial.distance import cdist
from scipy.stats import wasserstein_distance

from ._populations import FIRING, SILENT, Population

HALVINGS = 200
LEAST = 3  # cells that must have a feature


def spread_of(values: np.ndarray) -> float:
    """SD of those that are numbers; NaN of none."""
    return middle(np.std, values)


def middle(how: Callable, values: Sequence[float] | np.ndarray) -> float:
    """Mean, median or SD of those that are numbers; NaN of none."""
    values = np.asarray(values, dtype=float)
    values = values[np.isfinite(values)]
    return float(how(values)) if len(values) else float("nan")


def feature_distance(one: np.ndarray, other: np.ndarray, spread: float) -> float:
    """Wasserstein-1 distance of two samples of a feature, in units of `spread`; NaN if neither."""
    one, other = one[np.isfinite(one)], other[np.isfinite(other)]
    if min(len(one), len(other)) < LEAST or not spread > 0:
        return float("nan")
    return float(wasserstein_distance(one, other) / spread)


def energy(one: np.ndarray, other: np.ndarray) -> float:
    """Energy distance of two samples of many features, rows of each; rows with NaN left out.

    sqrt(2 E|X - Y| - E|X - X'| - E|Y - Y'|), 0 only for equal distributions (Szekely & Rizzo
    2013). Unlike the features' own distances it sees how they go together; and with X and X' two
    different cells it does not grow as samples get small, but is taken as 0 where chance makes
    the root's argument negative.
    """
    one, other = (x[np.isfinite(x).all(axis=1)] for x in (one, other))
    if min(len(one), len(other)) < LEAST or not one.shape[1]:
        return float("nan")
    within = sum(cdist(x, x).sum() / (len(x) * (len(x) - 1)) for x in (one, other))
    return float(np.sqrt(max(0.0, 2 * cdist(one, other).mean() - within)))


def rate_distance(one: Population, other: Population) -> float:
    """Mean over currents of the Wasserstein distance between the firing rates [Hz]."""
    return _rates(one.rates, other.rates)


def _rates(one: np.ndarray, other: np.ndarray) -> float:
    return float(
        np.mean([wasserstein_distance(x, y) for x, y in zip(one.T, other.T, strict=True)])
    )


def distances(one: Population, reference: Population) -> dict[str, float]:
    """Every feature's distance, all of them together, that of the F-I curves, and more.

    Returns:
        A feature's name -> Wasserstein distance in SDs of the reference; "all features" ->
        energy distance, each feature in SDs; "F-I curve" [Hz]; "spread" -> median over features
        of this SD over the reference's; "silent" -> share of cells without a spike.
    """
    names = (*FIRING, *SILENT)
    spread = {n: spread_of(reference.features[n]) for n in names}
    found = {n: feature_distance(one.features[n], reference.features[n], spread[n]) for n in names}
    used = [n for n in names if spread[n] > 0 and np.isfinite(found[n])]
    scale = np.array([spread[n] for n in used])
    own = {n: spread_of(one.features[n]) / spread[n] for n in used}
    return {
        **found,
        "all features": energy(one.table(used) / scale, reference.table(used) / scale),
        "F-I curve": rate_distance(one, reference),
        "spread": middle(np.median, list(own.values())),
        "silent": one.mute,
    }


def floor(population: Population, seed: int = 0) -> dict[str, float]:
    """`distances` of one half of the cells from the other, mean over random halvings."""
    draw, rows = np.random.default_rng(seed), []
    for _ in range(HALVINGS):
        order = draw.permutation(population.size)
        half = population.size // 2
        one, other = (part(population, order[:half]), part(population, order[half:]))
        whole = {k: spread_of(v) for k, v in population.features.items()}
        rows.append(_scaled(one, other, whole))
    return {key: middle(np.mean, [row[key] for row in rows]) for key in rows[0]}


def _scaled(one: Population, other: Population, spread: dict[str, float]) -> dict[str, float]:
    """As `distances`, but in SDs of a whole population."""
    used = [n for n in (*FIRING, *SILENT) if spread[n] > 0]
    scale = np.array([spread[n] for n in used])
    return {
        **{n: feature_distance(one.features[n], other.features[n], spread[n]) for n in used},
        "all features": energy(one.table(used) / scale, other.table(used) / scale),
        "F-I curve": rate_distance(one, other),
    }


def part(population: Population, which: Sequence[int] | np.ndarray) -> Population:
    """Some of its cells."""
    return Population(
        population.name,
        population.rates[which],
        {k: v[which] for k, v in population.features.items()},
        population.traces[:, :0],
    )


def around(
    cloud: Population, truth: Population, spread: Callable[[str], float]
) -> dict[str, float]:
    """How far a cloud's mean lies from one cell, and how wide the cloud is; medians in SDs.

    Args:
        cloud: Cells near it.
        truth: The one cell.
        spread: SD of a feature over the family.

    Returns:
        "off": median over features of |mean - truth|; "wide": median of the SD; "F-I curve": mean
        |mean rate - true rate| [Hz]; "silent": share of cells without a spike.
    """
    names = [n for n in (*FIRING, *SILENT) if spread(n) > 0]
    off = [
        abs(middle(np.mean, cloud.features[n]) - truth.features[n][0]) / spread(n)
        for n in names
        if np.isfinite(cloud.features[n]).sum() >= min(LEAST, cloud.size)
    ]
    wide = [spread_of(cloud.features[n]) / spread(n) for n in names]
    return {
        "off": middle(np.median, off),
        "wide": middle(np.median, wide),
        "F-I curve": float(np.abs(cloud.rates.mean(0) - truth.rates[0]).mean()),
        "silent": cloud.mute,
    }
