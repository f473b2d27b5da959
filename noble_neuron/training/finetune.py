"""A trained surrogate goes on, on the traces that have a feature, with that feature in its loss.

    L = relative L4 of the voltage + weight * relative L2 of the feature

What is trained is what draws the voltage; when a clocked operator spikes stays as it is, and so
does the waveform of its spikes.

Reference: Ghafourpour et al. 2025, section 4.6 and appendix D.7.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import InputError
from ..features import efel
from ..operators import ClockedNoble
from ..store.hdf5 import Dataset, Decimated
from ..surrogates import bundle
from ..types import Trace
from ..units import nearest
from .clocked import SpikedTraces, gather_times
from .config import TrainConfig
from .differentiable import FEATURES
from .fit import FitResult, only_step
from .loop import train
from .losses import relative_lp
from .origin import kept_split
from .split import Split
from .whole_trace import TRACES_AT_ONCE, gather

FINETUNING = TrainConfig(recipe="modern", batch_size=8, lr=5e-4, clip=1.0, epochs=10)


def finetune(
    start: str | os.PathLike,
    dataset: str | os.PathLike,
    latents: Mapping[str, Sequence[float]],
    held_out: Iterable[str],
    out: str | os.PathLike,
    feature: str = "sag_amplitude",
    weight: float = 25.0,
    config: TrainConfig = FINETUNING,
    split: Split | None = None,
) -> FitResult:
    """Train a surrogate on for one feature; goes on where an earlier call in `out` stopped.

    Of the training set only the samples count whose full model has the feature: for
    `sag_amplitude` those below zero current.

    Args:
        start: Built-in whole-trace surrogate or a bundle.
        dataset: The training set; of the step that the surrogate knows.
        latents: Cell name -> its values of the surrogate's latent coordinates, physical units.
        held_out: Names of the cells that it must not see.
        out: Folder: split.json, checkpoint and log, and the bundle.
        feature: One of `differentiable.FEATURES`.
        weight: Of the feature's error; 0 trains on the voltage alone.
        config: Settings of the training.
        split: Which samples train, choose and judge; None: drawn once, and kept in `out`.

    Raises:
        InputError: No such feature, or no sample has it, or the samples are of several steps.
    """
    out = Path(out)
    if feature not in FEATURES:
        raise InputError(f"No differentiable {feature!r}{nearest(feature, sorted(FEATURES))}")
    surrogate = bundle.load(start)
    with Dataset.open(dataset) as data:
        split = split or kept_split(data, set(held_out), 0, out / "split.json")
        split.write(out / "split.json")
        window = _window(data, split)
        view = data.decimated(round(surrogate.card.dt / data.dt(int(data.ok[0]))))
        parts = [
            _having(view, data, rows, latents, surrogate, feature, window)
            for rows in (split.train, split.validation)
        ]
    task = FeatureTask(surrogate.model, *parts, feature, window, weight)
    result = train(task.trained, task, config, out / "finetuning")
    note = (
        f"Trained on, on {task.n_samples} traces with {weight:g} times the error of {feature} "
        f"in the loss: {config.text()}."
    )
    card = replace(surrogate.card, errors={}, notes=(*surrogate.card.notes, note))
    saved = bundle.save(out / "bundle", surrogate.model, card)
    return FitResult(result.finished, result.score, saved, split)


def _window(data: Dataset, split: Split) -> tuple[float, float]:
    """Onset and offset of the step [ms]."""
    step = only_step(data, split.train)
    if step is None:
        raise InputError(f"{data.path} holds several stimuli: fine-tuning needs one square step.")
    return step[0], step[0] + step[1]


def _having(
    view: Decimated,
    data: Dataset,
    rows: Sequence[int],
    latents: Mapping[str, Sequence[float]],
    surrogate,
    feature: str,
    window: tuple[float, float],
) -> SpikedTraces:
    """Those of some samples whose trace has the feature."""
    threshold = surrogate.threshold
    dt = surrogate.card.dt
    kept = []
    for row in rows:
        voltage = view.voltage(int(row)).astype(float)
        trace = Trace(np.arange(len(voltage)) * dt, voltage)
        found = efel.extract(trace, *window, threshold, (feature,))
        kept += [int(row)] * bool(np.isfinite(found[feature]))
    if not kept:
        raise InputError(f"No sample of {data.path} to train or choose by has {feature}.")
    points = np.array([latents[str(data.table["cell"][row])] for row in kept])
    traces = gather(view, kept, surrogate.latent_space.encode(points))
    return SpikedTraces(traces, gather_times(data, kept, threshold))


class FeatureTask:
    """The voltage at the true spike times, and one feature of it.

    The feature's error is of a batch, in units of the feature's root mean square over the
    training traces: its relative L2. The score is the loss; `feature` the feature's part of it.

    Attributes:
        trained: The part of the operator that learns.
    """

    at_once = TRACES_AT_ONCE

    def __init__(
        self,
        model: nn.Module,
        training: SpikedTraces,
        validation: SpikedTraces,
        feature: str,
        window: tuple[float, float],
        weight: float,
    ) -> None:
        self.model, self.trained = model, model
        if isinstance(model, ClockedNoble):
            self.trained = model.shape
        self.training, self.validation = training, validation
        self.feature, self.window, self.weight = FEATURES[feature], window, weight
        self.n_samples = len(training)
        true = self._featured(torch.as_tensor(training.traces.voltage), training.traces.dt)
        self.size = float(true.square().mean().sqrt())

    def loss(self, model: nn.Module, indices: Tensor, device: torch.device) -> Tensor:
        """Loss over the training rows `indices`, shape ()."""
        voltage, missing = self._errors(self.training, indices.numpy(), device)
        return voltage.mean() + self.weight * missing.norm() / len(missing) ** 0.5

    def validate(self, model: nn.Module, device: torch.device) -> dict[str, float]:
        """The loss over the validation rows, and its two parts."""
        parts = [
            self._errors(
                self.validation, np.arange(len(self.validation))[k : k + self.at_once], device
            )
            for k in range(0, len(self.validation), self.at_once)
        ]
        voltage, missing = (torch.cat(x) for x in zip(*parts, strict=True))
        l4, of_feature = float(voltage.mean()), float(missing.square().mean().sqrt())
        score = l4 + self.weight * of_feature
        return {"score": score, "relative_l4": l4, "feature": of_feature}

    def _errors(
        self, data: SpikedTraces, rows: np.ndarray, device: torch.device
    ) -> tuple[Tensor, Tensor]:
        """Relative L4 of each row's voltage, and its feature's error in units of `size`."""
        current, latent, true, times = data.batch(rows, device)
        t = data.traces.times(device)
        if isinstance(self.model, ClockedNoble):
            got = self.model.voltage(current, latent, t, times)
        else:
            got = self.model(current, latent, t)
        wrong = self._featured(got, data.traces.dt) - self._featured(true, data.traces.dt)
        return relative_lp(got, true, 4), wrong / self.size

    def _featured(self, voltage: Tensor, dt: float) -> Tensor:
        return self.feature(voltage, dt, *self.window)
