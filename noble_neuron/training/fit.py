"""From a training set to a bundle: split, latent space, training, card; NOBLE as one call."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ..features.latent import LatentSpace
from ..operators import OPERATORS, ClockedConfig, ClockedNoble, NobleConfig
from ..store.decimate import FACTOR
from ..store.hdf5 import Dataset
from ..surrogates import Card, bundle
from .clocked import SpikedTraces, gather_times, gather_waves, slowest_onset, train_clocked
from .config import TrainConfig
from .loop import train
from .origin import WIDE_LATENT, Cells, kept_split
from .split import Split
from .whole_trace import Traces, WholeTraceTask, gather

CLOCK_TRAINING = TrainConfig(
    recipe="modern", batch_size=32, lr=5e-3, clip=1.0, epochs=450, validate_every=10, ema=0.998
)
SHAPE_TRAINING = TrainConfig(recipe="modern", batch_size=8, lr=2e-3, clip=1.0, epochs=45)
FIRST_TRAINING = TrainConfig(
    recipe="modern", batch_size=64, lr=4e-3, epochs=600, validate_every=20
)
LATER_TRAINING = TrainConfig(
    recipe="modern", batch_size=256, lr=4e-3, epochs=120, validate_every=5
)
SPIKE_TRAINING = TrainConfig(
    recipe="modern", batch_size=256, lr=5e-3, epochs=200, validate_every=5
)


@dataclass(frozen=True)
class FitConfig:
    """What a surrogate is made of.

    Attributes:
        latent: Features that are its latent coordinates.
        factor: How many times coarser than the training set's its grid is.
        operator: Settings of the operator; latent size and voltage scale are set by the data.
        training: Settings of the training; of a clocked operator's shape branch.
        clock_training: Settings of a clocked operator's clock; it needs many cheap steps.
        first_training: Settings of what corrects a clocked operator's first spikes' times.
        later_training: Settings of what corrects the others'.
        spike_training: Settings of a clocked operator's waveforms, whose samples are spikes.
        split_seed: Draws validation and test currents.
        licence: Of the weights.
    """

    latent: tuple[str, ...] = WIDE_LATENT
    factor: int = FACTOR
    operator: NobleConfig | ClockedConfig = field(default_factory=ClockedConfig)
    training: TrainConfig = field(default_factory=lambda: SHAPE_TRAINING)
    clock_training: TrainConfig = field(default_factory=lambda: CLOCK_TRAINING)
    first_training: TrainConfig = field(default_factory=lambda: FIRST_TRAINING)
    later_training: TrainConfig = field(default_factory=lambda: LATER_TRAINING)
    spike_training: TrainConfig = field(default_factory=lambda: SPIKE_TRAINING)
    split_seed: int = 0
    licence: str = "BSD-3-Clause"


# Operator's name -> how it is trained if nothing else is said: ours, and the paper's.
RECIPES = {
    "noble_clocked": FitConfig(),
    "noble_fno": FitConfig(
        latent=("I_thr", "s_thr"), operator=NobleConfig(), training=TrainConfig()
    ),
}


@dataclass(frozen=True)
class FitResult:
    """How a call of `fit` ended.

    Attributes:
        finished: False where the time was up; call again to go on.
        score: Best validation score.
        bundle: Folder of the surrogate as it is now.
        split: Which samples trained, chose and judge.
    """

    finished: bool
    score: float
    bundle: Path
    split: Split


def fit(
    dataset: str | os.PathLike,
    latents: Mapping[str, Sequence[float]],
    held_out: Iterable[str],
    out: str | os.PathLike,
    config: FitConfig = FitConfig(),  # noqa: B008 (frozen)
    split: Split | None = None,
) -> FitResult:
    """Train a surrogate on a training set; goes on where an earlier call in `out` stopped.

    Args:
        dataset: The training set.
        latents: Cell name -> its values of `config.latent`, physical units.
        held_out: Names of the cells that it must not see.
        out: Folder: split.json, checkpoints and log, and the bundle.
        config: What to make.
        split: Which samples train, choose and judge; None: drawn once, and kept in `out`.

    Raises:
        InputError: The training set's samples or cells do not make a whole-trace surrogate.
    """
    out = Path(out)
    with Dataset.open(dataset) as data:
        if split is None:
            split = kept_split(data, set(held_out), config.split_seed, out / "split.json")
        else:
            split.write(out / "split.json")
        cells = Cells(data, latents, config.latent, split)
        view = data.decimated(config.factor)
        rows = (split.train, split.validation)
        parts = [gather(view, r, cells.encoded(r)) for r in rows]
        card = _card(data, split, cells, parts[0], config)
        settings = _scaled(config, parts[0])
        if isinstance(settings, ClockedConfig):
            times = [gather_times(data, r, card.threshold) for r in rows]
            spiked = [
                SpikedTraces(part, when, *gather_waves(data, r, when, config.factor))
                for part, when, r in zip(parts, times, rows, strict=True)
            ]
            settings = _with_thresholds(settings, spiked[0], cells.space)
    model = _new_model(settings, config.training.seed)
    if isinstance(model, ClockedNoble):
        finished, score = train_clocked(model, *spiked, _parts(config), out)
    else:
        result = train(model, WholeTraceTask(*parts), config.training, out)
        finished, score = result.finished, result.score
    return FitResult(finished, score, bundle.save(out / "bundle", model, card), split)


def _parts(config: FitConfig) -> dict[str, TrainConfig]:
    """Settings of each part of a clocked operator."""
    return {
        "clock": config.clock_training,
        "first": config.first_training,
        "later": config.later_training,
        "shape": config.training,
        "spike": config.spike_training,
    }


def _scaled(config: FitConfig, training: Traces) -> NobleConfig | ClockedConfig:
    """The operator's settings, its scales taken from the training traces."""
    mean, sd = training.scale()
    return replace(config.operator, latent_size=len(config.latent), v_mean=mean, v_sd=sd)


def _with_thresholds(
    settings: ClockedConfig, training: SpikedTraces, space: LatentSpace
) -> ClockedConfig:
    """Those settings with what the training cells and traces say of the onset of firing."""
    ends = _thresholds(space)
    if not ends:
        return settings
    i_thr = space.decode(training.traces.latent)[:, ends[0][0]]
    onset = slowest_onset(training, i_thr, settings.clock_ms)
    return replace(settings, thresholds=ends, onset_ms=onset)


def _new_model(settings: NobleConfig | ClockedConfig, seed: int):
    """The untrained operator."""
    import torch

    kind = {settings_kind: operator for settings_kind, operator in OPERATORS.values()}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return kind[type(settings)](settings)


def _thresholds(space: LatentSpace) -> tuple[tuple[int, float, float], ...]:
    """Where I_thr and I_rep stand among the latent coordinates, and the ends of their scale."""
    if "I_thr" not in space.names:
        return ()
    places = [space.names.index(name) for name in ("I_thr", "I_rep") if name in space.names]
    ends = tuple((k, float(space.low[k]), float(space.high[k])) for k in places)
    return ends if all(low > 0 for _, low, _ in ends) else ()


def _card(data: Dataset, split: Split, cells: Cells, training: Traces, config: FitConfig) -> Card:
    """What the bundle says of itself; its errors are added by whoever evaluates it."""
    return Card(
        **cells.said(config.licence),
        dt=training.dt,
        current_range=(
            min(0.0, float(training.current.min())),
            max(0.0, float(training.current.max())),
        ),
        step=only_step(data, split.train),
        reach=_reach(cells.space, training),
        lowest=_lowest(training),
        notes=_notes(split, cells.space, config),
    )


def _notes(split: Split, space: LatentSpace, config: FitConfig) -> tuple[str, ...]:
    """How it was trained, for whoever wants to do it again."""
    notes = [f"Trained on {len(split.train)} traces of {len(space.points)} cells."]
    if isinstance(config.operator, ClockedConfig):
        notes += [f"Training of the {k}: {v.text()}." for k, v in _parts(config).items()]
    else:
        notes.append(f"Training: {config.training.text()}.")
    return tuple(notes)


def _lowest(training: Traces) -> float:
    """Lowest amplitude, an amplitude being the current's value farthest from zero [nA]."""
    current = np.asarray(training.current)
    farthest = np.abs(current).argmax(axis=1)
    return float(current[np.arange(len(current)), farthest].min())


def _reach(space: LatentSpace, training: Traces) -> float | None:
    """Largest current in units of the cell's own threshold."""
    if "I_thr" not in space.names:
        return None
    own = space.decode(training.latent)[:, space.names.index("I_thr")]
    return float((np.asarray(training.current).max(axis=1) / own).max())


def only_step(data: Dataset, rows: Sequence[int]) -> tuple[float, float] | None:
    """Onset and duration of the one square step that all rows share, or None."""
    shapes = set()
    for i in rows:
        stimuli = json.loads(data.table["protocol"][i])["stimuli"]
        if len(stimuli) != 1 or stimuli[0].get("type") != "Step":
            return None
        shapes.add((float(stimuli[0]["onset"]), float(stimuli[0]["duration"])))
    return shapes.pop() if len(shapes) == 1 else None
