"""What every item works with: cells, a surrogate, a scale, and a folder of simulations."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ..cells.spec import HofCell
from ..compare import metrics
from ..errors import InputError, OutsideTraining, SimulationError
from ..protocols.protocol import Protocol
from ..simulate.dataset import build_dataset
from ..simulate.plan import Plan, Sample
from ..simulate.run import seen
from ..simulate.study import Study
from ..store.decimate import averaged
from ..store.hdf5 import Dataset
from ..surrogates.bundle import Surrogate, load

SCALES = ("quick", "small", "full")
LONGEST_OPENED = 200  # samples read at once, so that raw traces never fill the memory


@dataclass(frozen=True)
class Answer:
    """The surrogate's voltages, and what it warned of.

    Attributes:
        voltage: [mV], shape (n, steps).
        warnings: Each once.
    """

    voltage: np.ndarray
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Bench:
    """Cells, a surrogate and where simulations are kept.

    Attributes:
        cells: Built-in ensemble or study.
        of: Built-in surrogate or bundle.
        scale: "quick" or "full"; "small" is for items that train.
        folder: Simulations are kept in FOLDER/simulations, so that a killed call goes on.
        workers: Processes of full simulations; one per core if None.
        device: Of the surrogate.
        say: Told about progress, a sentence at a time.
    """

    cells: str
    of: str
    scale: str
    folder: Path
    workers: int | None = None
    device: str = "cpu"
    say: Callable[[str], None] = lambda text: None

    def __post_init__(self) -> None:
        if self.scale not in SCALES:
            raise InputError(f"The scale is one of {', '.join(SCALES)}: got {self.scale!r}.")

    @cached_property
    def study(self) -> Study:
        """The cells, their features, and which are held out."""
        return Study.load(self.cells)

    @cached_property
    def surrogate(self) -> Surrogate:
        """The surrogate, loaded."""
        return load(self.of, self.device)

    @cached_property
    def latents(self) -> dict[str, tuple[float, ...]]:
        """Cell name -> latent point, physical units."""
        return self.study.latents(self.surrogate.latent_space.names)

    def size(self, sizes: dict[str, Any]) -> Any:
        """An item's sizes at this scale.

        Raises:
            InputError: The item has no such scale.
        """
        if self.scale not in sizes:
            raise InputError(f"This item has no scale {self.scale!r}, only {', '.join(sizes)}.")
        return sizes[self.scale]

    def points(self, which: Sequence[int]) -> np.ndarray:
        """Latent points of cells of the study, physical units, shape (len(which), k)."""
        return np.array([self.latents[self.study.cells[k].name] for k in which], dtype=float)

    def simulated(
        self, name: str, cells: Sequence[HofCell], samples: Sequence[Sample], seed: int = 0
    ) -> Path:
        """Full simulations as a training set; those of an earlier call are found again."""
        key = Plan.of(cells, samples, seed, None).key
        path = self.folder / "simulations" / f"{name}-{key[:12]}.h5"
        if not path.exists():
            self.say(f"{name}: {len(samples)} full simulations")
        return build_dataset(cells, samples, path, workers=self.workers, seed=seed)

    def voltages(
        self,
        name: str,
        cells: Sequence[HofCell],
        samples: Sequence[Sample],
        *,
        halved: bool = False,
        raw: bool = False,
    ) -> np.ndarray:
        """Full simulations on the surrogate's grid.

        Args:
            name: Of the file that keeps them.
            cells: The cells.
            samples: What to run, all of one duration.
            halved: Solve at half of each cell's step.
            raw: On the solver's own grid, and not low-passed.

        Returns:
            Voltage [mV], float32, shape (samples, steps).

        Raises:
            SimulationError: One of them failed.
        """
        if halved:
            cells = [replace(cell, dt=cell.dt / 2) for cell in cells]
        with Dataset.open(self.simulated(name, cells, samples)) as data:
            if len(data.ok) < len(samples):
                bad = next(k for k in range(len(samples)) if k not in data.ok)
                raise SimulationError(
                    f"{len(samples) - len(data.ok)} of {len(samples)} simulations of {name} "
                    f"failed; the first is {data.table['cell'][bad]}: {data.table['reason'][bad]}"
                )
            view = data if raw else data.decimated(self.factor(data.dt(0)))
            parts = range(0, len(samples), LONGEST_OPENED)
            return np.concatenate(
                [view.voltage(np.arange(len(samples))[k : k + LONGEST_OPENED]) for k in parts]
            )

    def factor(self, dt: float) -> int:
        """How many times coarser the surrogate's grid is than one of `dt` [ms]."""
        own = self.surrogate.card.dt
        factor = round(own / dt)
        if factor < 1 or abs(factor * dt - own) > 1e-6:
            raise InputError(
                f"The surrogate answers every {own:g} ms, and the cells are recorded every "
                f"{dt:g} ms: the first has to be a whole multiple of the second."
            )
        return factor

    def currents(self, protocols: Sequence[Protocol]) -> np.ndarray:
        """What the surrogate is given: means over its grid's intervals [nA], (n, steps)."""
        fine = self.study.cells[0].dt
        unlike = {p: seen(p, fine)[0] for p in dict.fromkeys(protocols)}
        return averaged(np.array([unlike[p] for p in protocols]), self.factor(fine))

    def answered(self, protocols: Sequence[Protocol], latent: np.ndarray) -> Answer:
        """The surrogate's answers, on its own grid.

        Args:
            protocols: One per answer, all of one duration.
            latent: Points in physical units, shape (n, k).
        """
        return self.predicted(self.currents(protocols), latent, self.surrogate.card.dt)

    def predicted(self, current: np.ndarray, latent: np.ndarray, dt: float) -> Answer:
        """`Surrogate.predict`, and what it warned of."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", OutsideTraining)
            voltage = self.surrogate.predict(current, latent, dt)
        said = (str(w.message) for w in caught if issubclass(w.category, OutsideTraining))
        return Answer(voltage, tuple(dict.fromkeys(said)))

    def features(self, voltage: np.ndarray, window: tuple[float, float]) -> dict[str, np.ndarray]:
        """The compared features of each trace on the surrogate's grid: see `metrics.features`."""
        return metrics.features(
            voltage, self.surrogate.card.dt, np.array(window), self.surrogate.threshold
        )
