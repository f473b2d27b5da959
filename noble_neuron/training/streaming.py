"""The task of a streaming operator: segments of traces, half forced and half free."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import InputError
from ..features.agreement import judge
from ..operators.recurrent import State, Stream, Teaching
from .streams import Streams

LENGTHS = ("segment_ms", "forced_ms", "free_ms", "free_end_ms")
STEEPEST_WITHIN = 2  # grid steps, to either side of a point


@dataclass(frozen=True)
class StreamRecipe:
    """How segments are taught.

    Attributes:
        segment_ms: Longest segment that gradients pass through [ms].
        forced_ms: Mean length of the blocks in which the true voltage is fed back [ms].
        free_ms: Mean length of the blocks between them at the beginning of training [ms].
        free_end_ms: The same at its end [ms].
        grow_from: Share of the training after which the free blocks grow.
        noise: Standard deviation of what is added to a fed-back voltage [mV].
        squared: Weight of the mean squared error, in units of the operator's v_scale.
        absolute: Weight of the smooth L1 error, likewise.
        bend: Error at which the latter turns from square to straight, likewise.
        fine: Weight of the smooth L1 error in units of what is tolerated, which is `fine_mV`
            and, near a spike, as much as `fine_ms` of its steepest slope. Against an error of a
            spike that comes late the other two see none of 0.2 mV between spikes, and that is
            what decides when the next one comes.
        fade_ms: Time after a fed-back voltage in which the weight of the first two parts fades
            to 1/e [ms]. Later a spike may be off by more than it is wide, and what they would
            teach then is a spike that is lower and wider.
        fine_mV: [mV]
        fine_ms: [ms]
        passed_back: Largest norm of the gradient that a trace's state passes back from chunk
            to chunk, times the traces of a step. A spiking cell is chaotic now and then: within
            60 ms gradients then grow by tens of orders of magnitude, and drown all others.
    """

    segment_ms: float = 60.0
    forced_ms: float = 3.0
    free_ms: float = 1.0
    free_end_ms: float = 2.5
    grow_from: float = 0.4
    noise: float = 0.3
    squared: float = 0.3
    absolute: float = 0.2
    bend: float = 0.3
    fine: float = 0.03
    fade_ms: float = 3.0
    fine_mV: float = 0.2
    fine_ms: float = 0.01
    passed_back: float = 0.2

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not (number and math.isfinite(value) and value >= 0):
                raise InputError(
                    f"StreamRecipe.{field.name} must be a number of 0 or more, got {value!r}."
                )
        for name in (*LENGTHS, "bend", "fade_ms", "fine_mV", "passed_back"):
            if not getattr(self, name) > 0:
                raise InputError(f"StreamRecipe.{name} must be above 0, got 0.")
        if not self.grow_from < 1:
            raise InputError(f"StreamRecipe.grow_from must be below 1, got {self.grow_from}.")


class StreamTask:
    """Learn `training`, judged by free runs over `validation`.

    Each visit of a trace takes up where the last one left it, with the state that the operator
    had reached, so that the memory meets what it does after a second, not only after a segment.
    Within a segment the true voltage replaces the operator's own in random blocks. Without
    them a spike that comes late has a worse pointwise error than none, and spikes vanish;
    without free blocks nothing learns to run by itself. Free blocks grow during training.

    The score is (1 - Gamma) + |ratio of counts - 1| + RMSE below threshold / 5 mV.

    Attributes:
        n_samples: Training traces; an epoch visits each once.
        at_once: Traces that a CPU takes in one pass.
        memory: What is remembered between steps, and kept in checkpoints.
    """

    at_once = 256

    def __init__(
        self,
        stream: Stream,
        training: Streams,
        validation: Streams,
        epochs: int,
        threshold: float,
        recipe: StreamRecipe = StreamRecipe(),  # noqa: B008 (frozen)
    ) -> None:
        """
        Args:
            stream: The operator that will be trained.
            training: What the loss sees.
            validation: What judges.
            epochs: Of the whole training: over them the free blocks grow.
            threshold: Voltage whose upward crossing is a spike [mV].
            recipe: How segments are taught.
        """
        c = stream.config
        for part in (training, validation):
            if part.grid_ms != c.grid_ms or part.v.shape[1] % c.steps:
                raise InputError(
                    f"Streams on a grid of {part.grid_ms:g} ms with {part.v.shape[1]} steps do "
                    f"not fit an operator with {c.steps} steps of {c.grid_ms:g} ms per chunk: "
                    f"gather them with its config."
                )
        self.config, self.recipe, self.epochs = c, recipe, epochs
        self.training, self.validation, self.threshold = training, validation, threshold
        self.n_samples = len(training)
        self.chunks = training.v.shape[1] // c.steps
        self.memory = {
            "at": torch.zeros(self.n_samples, dtype=torch.long),  # chunk that comes next
            "visits": torch.zeros((), dtype=torch.long),
            "v": torch.zeros(self.n_samples, c.steps),
            "h": torch.zeros(self.n_samples, c.memory),
        }

    def loss(self, model: nn.Module, indices: Tensor, device: torch.device) -> Tensor:
        """Mean loss over a segment of each of the training traces `indices`, shape ()."""
        count = self._length()
        b, g, v, start, latent = self._segments(indices, count, device)
        state = self._taken_up(model, indices, start, latent, device)
        teaching = Teaching(
            self._told(v),
            self._forced(len(indices), count).to(device),
            self.recipe.passed_back / len(indices),
        )
        answer, state = model.taught(state, latent, b, g, teaching)
        self._leave(indices, count, state)
        return self._cost(answer - v, v, self._sharp(teaching.forced))

    def _sharp(self, forced: Tensor) -> Tensor:
        """What is left of the first two parts of the loss in each chunk, shape of `forced`."""
        age, ages = torch.zeros(len(forced), device=forced.device), []
        for told in forced.unbind(1):
            age = torch.where(told, 0.0, age + self.config.chunk_ms)
            ages.append(age)
        return torch.exp(-torch.stack(ages, dim=1) / self.recipe.fade_ms)

    def _told(self, v: Tensor) -> Tensor:
        """The true voltage of the chunk before each, not quite exact, shape of v."""
        noise = self.recipe.noise * torch.randn(v.shape[1], len(v), 1).to(v)
        return v.roll(1, dims=1) + noise.transpose(0, 1)

    def _length(self) -> int:
        """Chunks of this step's segments; it varies, so that no place is always a beginning."""
        longest = min(self.chunks, max(2, round(self.recipe.segment_ms / self.config.chunk_ms)))
        return int(torch.randint(max(1, 3 * longest // 4), longest + 1, ()))

    def _segments(self, indices: Tensor, count: int, device: torch.device) -> tuple:
        """b, g, v (each (rows, count, steps)), start and latent of the segments that come next."""
        at = self.memory["at"]
        at[indices] = torch.where(at[indices] + count > self.chunks, 0, at[indices])
        points = at[indices, None] * self.config.steps + torch.arange(count * self.config.steps)
        rows, points = indices.numpy(), points.numpy()
        data = self.training
        cut = [
            torch.from_numpy(x[rows[:, None], points]).unflatten(1, (count, -1)).to(device)
            for x in (data.b, data.g, data.v)
        ]
        rest = (torch.from_numpy(x[rows]).to(device) for x in (data.start, data.latent))
        return (*cut, *rest)

    def _taken_up(
        self, model: nn.Module, indices: Tensor, start: Tensor, latent: Tensor, device
    ) -> State:
        """The state in which the last visit left each trace, or a start."""
        fresh = (self.memory["at"][indices] == 0)[:, None].to(device)
        begun = model.start(latent, start)
        left = (self.memory[key][indices].to(device) for key in ("v", "h"))
        return State(*(torch.where(fresh, new, old) for new, old in zip(begun, left, strict=True)))

    def _leave(self, indices: Tensor, count: int, state: State) -> None:
        self.memory["at"][indices] += count
        self.memory["v"][indices] = state.v.detach().cpu()
        self.memory["h"][indices] = state.h.detach().cpu()
        self.memory["visits"] += len(indices)

    def _forced(self, rows: int, count: int) -> Tensor:
        """Which chunks begin from the true voltage, in blocks, shape (rows, count)."""
        free, forced = self.free_ms(), self.recipe.forced_ms
        to_forced, to_free = (-math.expm1(-self.config.chunk_ms / x) for x in (free, forced))
        now = torch.rand(rows) < forced / (forced + free)
        drawn, states = torch.rand(count, rows), []
        for k in range(count):
            now = torch.where(now, drawn[k] >= to_free, drawn[k] < to_forced)
            states.append(now)
        return torch.stack(states, dim=1)

    def free_ms(self) -> float:
        """Mean length of the free blocks now [ms]: grows geometrically towards the end."""
        r = self.recipe
        done = float(self.memory["visits"]) / (self.epochs * self.n_samples)
        grown = min(1.0, max(0.0, (done - r.grow_from) / (1 - r.grow_from)))
        return r.free_ms * (r.free_end_ms / r.free_ms) ** grown

    def _cost(self, error: Tensor, v: Tensor, sharp: Tensor) -> Tensor:
        """Of an error [mV] beside the true voltage [mV], each of shape (rows, count, steps)."""
        r, scaled = self.recipe, error / self.config.v_scale
        cost = r.squared * scaled.square() + r.absolute * _smooth_l1(scaled, r.bend)
        fine = r.fine * _smooth_l1(error / self._tolerated(v), 1.0)
        return (cost * sharp[..., None] + fine).mean()

    def _tolerated(self, v: Tensor) -> Tensor:
        """What error is as good as none [mV], shape of v."""
        flat = v.flatten(1)
        slope = nn.functional.pad(flat.diff(dim=1).abs(), (1, 0)) / self.config.grid_ms
        width = 2 * STEEPEST_WITHIN + 1
        near = nn.functional.max_pool1d(slope[:, None], width, 1, STEEPEST_WITHIN)[:, 0]
        return (self.recipe.fine_mV + self.recipe.fine_ms * near).view_as(v)

    def validate(self, model: nn.Module, device: torch.device) -> dict[str, float]:
        """Figures of free runs over the validation traces; "score" is minimised."""
        answer = free_run(model, self.validation, device)
        figures = judge(answer, self.validation.v, self.config.grid_ms, self.threshold)
        gap = 0.0 if math.isnan(figures["gamma"]) else 1.0 - figures["gamma"]
        ratio = figures["count_ratio"]
        off = 0.0 if math.isnan(ratio) else abs(ratio - 1.0)
        return {"score": gap + off + figures["below_mV"] / 5.0, **_finite(figures)}


def _smooth_l1(error: Tensor, bend: float) -> Tensor:
    zero = torch.zeros_like(error)
    return nn.functional.smooth_l1_loss(error, zero, beta=bend, reduction="none")


@torch.no_grad()
def free_run(stream: Stream, data: Streams, device: torch.device, at_once: int = 64) -> np.ndarray:
    """The operator's own voltage [mV] over whole traces, shape (n, steps)."""
    answers = []
    for k in range(0, len(data), at_once):
        rows = np.arange(k, min(k + at_once, len(data)))
        b, g, _, start, latent = data.batch(rows, device)
        answers.append(stream.run(stream.start(latent, start), latent, b, g)[0].cpu().numpy())
    return np.concatenate(answers)


def _finite(figures: dict[str, float]) -> dict[str, float]:
    """Without what no trace could tell: a log is JSON, which knows no NaN."""
    return {k: v for k, v in figures.items() if math.isfinite(v)}
