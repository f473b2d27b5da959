"""From a training set of free-form stimuli to a streaming bundle, as one call."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
import torch

from ..errors import InputError
from ..features.spiketrain import spike_peaks
from ..operators import STREAMS, DenseConfig, OdeConfig, Stream, StreamConfig
from ..store.hdf5 import Dataset
from ..surrogates import StreamCard, bundle
from .config import TrainConfig
from .fit import FitResult
from .loop import train
from .origin import WIDE_LATENT, Cells, kept_split
from .split import Split
from .streaming import StreamRecipe, StreamTask
from .streams import Streams, gather_streams

# Fast at first and annealed to nothing: the figures of a run half way say little of its end.
STREAM_TRAINING = TrainConfig(
    recipe="modern",
    epochs=300,
    batch_size=32,
    lr=3e-3,
    warmup=0.02,
    clip=0.3,
    ema=0.995,
    validate_every=30,
)


@dataclass(frozen=True)
class StreamFitConfig:
    """What a streaming surrogate is made of.

    Attributes:
        latent: Features that are its latent coordinates.
        operator: Settings of the operator; latent size and input scales are set by the data.
        training: Settings of the training.
        recipe: How segments of the traces are taught.
        compiled: Whether the operator is trained as machine code (`OdeStream.compile`), where it
            has some: its many small steps are mostly overhead otherwise.
        threshold: Voltage whose upward crossing is a spike [mV]; the cells' own if None. Under
            strong shunts spikes are smaller than the ones that theirs was chosen for.
        start: Bundle whose weights the training starts from, in place of drawn ones: its operator
            then stands for `operator`, and its training cells must be the same.
        split_seed: Draws validation and test stimuli.
        licence: Of the weights.
    """

    latent: tuple[str, ...] = WIDE_LATENT
    operator: StreamConfig = field(default_factory=lambda: DenseConfig(memory=128, width=256))
    training: TrainConfig = field(default_factory=lambda: STREAM_TRAINING)
    recipe: StreamRecipe = field(default_factory=StreamRecipe)
    compiled: bool = False
    threshold: float | None = None
    start: str | None = None
    split_seed: int = 0
    licence: str = "BSD-3-Clause"


# Operator's name -> how it is trained if nothing else is said.
STREAM_RECIPES = {
    "stream_dense": StreamFitConfig(),
    # Its memory is what adapts, over hundreds of milliseconds: few traces, but long; and left to
    # itself for as long as spikes are apart, it learns not to drift.
    "stream_ode": StreamFitConfig(
        operator=OdeConfig(memory=48, width=96),
        training=replace(STREAM_TRAINING, batch_size=16, lr=1.5e-3),
        recipe=StreamRecipe(segment_ms=240.0, free_end_ms=20.0),
        compiled=True,
    ),
}


def fit_stream(
    dataset: str | os.PathLike,
    latents: Mapping[str, Sequence[float]],
    held_out: Iterable[str],
    out: str | os.PathLike,
    config: StreamFitConfig = StreamFitConfig(),  # noqa: B008 (frozen)
) -> FitResult:
    """Train a streaming surrogate; goes on where an earlier call in `out` stopped.

    Args:
        dataset: The training set, of `simulate.suite.streaming_samples`.
        latents: Cell name -> its values of `config.latent`, physical units. A single training
            cell is told from no other, and has no latent coordinates: {name: ()} will do.
        held_out: Names of the cells that it must not see.
        out: Folder: split.json, checkpoints and log, and the bundle.
        config: What to make.

    Raises:
        InputError: The training set's samples or cells do not make a streaming surrogate.
    """
    out = Path(out)
    with Dataset.open(dataset) as data:
        split = kept_split(data, set(held_out), config.split_seed, out / "split.json")
        if len({str(data.table["cell"][i]) for i in split.train}) == 1:
            config = replace(config, latent=())
            latents = dict.fromkeys(latents, ())
        cells = Cells(data, latents, config.latent, split)
        training, validation = (
            gather_streams(data, rows, cells.encoded(rows), config.operator)
            for rows in (split.train, split.validation)
        )
        said = cells.said(config.licence)
        solver_dt = float(data.table["dt"][split.train[0]])
    if config.threshold is not None:
        said["threshold"] = config.threshold
    stream = _started(config.start, cells) if config.start else _new_stream(config, training)
    if config.compiled:
        stream.compile()
    task = StreamTask(
        stream, training, validation, config.training.epochs, said["threshold"], config.recipe
    )
    result = train(stream, task, config.training, out / "stream")
    card = StreamCard(
        **{k: v for k, v in said.items() if k != "v_init"},
        **_ranges(training, stream.config, said["threshold"]),
        cells=cells.seen,
        solver_dt=solver_dt,
        notes=_notes(split, cells, config),
    )
    return FitResult(
        result.finished, result.score, bundle.save(out / "bundle", stream, card), split
    )


def _new_stream(config: StreamFitConfig, training: Streams) -> Stream:
    """The untrained operator, its input scaled by the training traces'."""
    settings = config.operator
    settings = replace(
        settings,
        latent_size=len(config.latent),
        b_scale=float(_centred(training, settings).std(dtype=float)),
        g_scale=float(training.g.std(dtype=float)) or settings.g_scale,
    )
    (kind,) = (operator for known, operator in STREAMS.values() if type(settings) is known)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.training.seed)
        return kind(settings)


def _started(folder: str, cells: Cells) -> Stream:
    """The operator of a finished training, to be trained on."""
    known = bundle.load_stream(folder)
    if known.card.latent_space.to_dict() != cells.space.to_dict():
        raise InputError(
            f"{folder} was trained on other cells or in other latent coordinates "
            f"({', '.join(known.card.latent_space.names)}): start from a bundle of the same cells."
        )
    return known.model.train().requires_grad_()


def _centred(data: Streams, config: StreamConfig) -> np.ndarray:
    """Somatic current at the operator's reference voltage [nA]."""
    return data.b - data.g * np.float32(config.v_reference)


def _ranges(training: Streams, config: StreamConfig, threshold: float) -> dict:
    """What the training traces reached: the fields of that kind of a card."""
    centred = _centred(training, config)
    peaks = np.concatenate([spike_peaks(v, threshold) for v in training.v])
    lowest = np.percentile(peaks, 1) if len(peaks) else threshold
    return {
        **{
            f"{name}_range": (float(x.min()), float(x.max()))
            for name, x in (("b", centred), ("g", training.g), ("v", training.v))
        },
        "lowest_peak": float(lowest),
    }


def _notes(split: Split, cells: Cells, config: StreamFitConfig) -> tuple[str, ...]:
    """How it was trained, for whoever wants to do it again."""
    return (
        f"Trained on {len(split.train)} traces of {len(cells.seen)} cells.",
        f"Training: {asdict(config.training)}.",
        f"Segments: {asdict(config.recipe)}.",
    )
