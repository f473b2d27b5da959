"""What a training set will hold, decided before anything runs, whoever will run it."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import neuron
import numpy as np

from ..assets import mod_dir
from ..cells.spec import HofCell
from ..errors import InputError
from ..files import sha256
from ..protocols.protocol import Protocol
from ..store.schema import FAILED, OK, VERSION, Row
from .run import stride_of

# No cell of a training set has them.
OF_SURROGATES = {"nn_Bare", "nn_Clamp", "nn_Load", "nn_Noble"}
COARSEST = 0.025  # ms; a raw trace holds every feature of a spike
LARGEST_BLOCK = 32  # samples: what a kill can cost
LEAST_BLOCKS = 64  # so that many workers find work


@dataclass(frozen=True)
class Sample:
    """One simulation to run.

    Attributes:
        cell: Index of the cell.
        protocol: What it is given.
        seed: Seed that drew this sample, for the record; the build's own if None.
    """

    cell: int
    protocol: Protocol
    seed: int | None = None


@dataclass(frozen=True)
class Block:
    """Consecutive samples of one cell: what a worker computes, and writes, at once.

    Attributes:
        number: Its place among the blocks.
        cell: The cell.
        rows: Row of each sample in the finished set.
        protocols: One per row.
        record_dt: Recording grid [ms].
    """

    number: int
    cell: HofCell
    rows: tuple[int, ...]
    protocols: tuple[Protocol, ...]
    record_dt: float


@dataclass(frozen=True)
class Plan:
    """A training set to build: the same plan gives the same arrays, bit for bit.

    Attributes:
        cells: The cells.
        samples: One per row.
        seed: Seed of the build.
        record_dt: Recording grid [ms]; None is each cell's own step.
    """

    cells: tuple[HofCell, ...]
    samples: tuple[Sample, ...]
    seed: int
    record_dt: float | None

    @classmethod
    def of(
        cls,
        cells: Sequence[HofCell],
        samples: Sequence[Sample | tuple[int, Protocol]],
        seed: int,
        record_dt: float | None,
    ) -> Plan:
        """Check what was asked for; (cell, protocol) pairs become samples.

        Raises:
            InputError: Nothing to do, no such cell, or too coarse a grid.
        """
        made = tuple(s if isinstance(s, Sample) else Sample(*s) for s in samples)
        made = tuple(replace(s, seed=seed) if s.seed is None else s for s in made)
        if not made:
            raise InputError("A training set needs at least one sample: got none.")
        plan = cls(tuple(cells), made, seed, record_dt)
        for k, sample in enumerate(made):
            if not 0 <= sample.cell < len(plan.cells):
                raise InputError(
                    f"Sample {k} asks for cell {sample.cell}, but there are "
                    f"{len(plan.cells)} cells, counted from 0."
                )
            sample.protocol.grid(plan.grid(sample))
        return plan

    def grid(self, sample: Sample) -> float:
        """Recording grid of a sample [ms]."""
        cell = self.cells[sample.cell]
        step = cell.dt if self.record_dt is None else self.record_dt
        if step > COARSEST + 1e-9:
            raise InputError(
                f"{cell.name} would be recorded every {step:g} ms; a training set is raw, on a "
                f"grid of {COARSEST:g} ms or finer. Give record_dt, or a smaller dt to the cell."
            )
        stride_of(step, cell.dt)
        return step

    @property
    def key(self) -> str:
        """Names everything the arrays depend on: of a cell's files what is in them, not where."""
        files = (p for p in sorted(mod_dir().glob("*.mod")) if p.stem not in OF_SURROGATES)
        mechanisms = [p.read_bytes() for p in files]
        asked = {
            "cells": _by_content(self.described()),
            "seed": self.seed,
            "record_dt": self.record_dt,
            "samples": [(s.cell, s.seed, s.protocol.to_dict()) for s in self.samples],
            "neuron": neuron.__version__,
            "version": VERSION,
        }
        return sha256(json.dumps(asked, sort_keys=True).encode(), *mechanisms)

    def described(self) -> list[dict[str, Any]]:
        """The cells as JSON values."""
        return [json.loads(json.dumps(asdict(cell), default=_plain)) for cell in self.cells]

    def blocks(self) -> list[Block]:
        """The work, the same for any number of workers."""
        size = min(LARGEST_BLOCK, max(1, len(self.samples) // LEAST_BLOCKS))
        by_cell: dict[tuple[int, float], list[int]] = {}
        for row, sample in enumerate(self.samples):
            by_cell.setdefault((sample.cell, self.grid(sample)), []).append(row)
        parts = [
            (cell, grid, rows[k : k + size])
            for (cell, grid), rows in by_cell.items()
            for k in range(0, len(rows), size)
        ]
        return [
            Block(
                number,
                self.cells[cell],
                tuple(rows),
                tuple(self.samples[row].protocol for row in rows),
                grid,
            )
            for number, (cell, grid, rows) in enumerate(parts)
        ]

    def row(self, k: int, points: int, reason: str) -> Row:
        """The finished table's entry for sample `k`."""
        sample = self.samples[k]
        cell, protocol = self.cells[sample.cell], sample.protocol
        return Row(
            cell=cell.name,
            hof=-1 if cell.hof is None else cell.hof,
            protocol=json.dumps(protocol.to_dict(), sort_keys=True),
            seed=int(sample.seed),
            dt=cell.dt,
            record_dt=self.grid(sample),
            celsius=cell.celsius,
            v_init=cell.v_init if protocol.v_init is None else protocol.v_init,
            neuron=neuron.__version__,
            status=FAILED if reason else OK,
            reason=reason,
            points=points,
        )


def _by_content(value: Any) -> Any:
    """The same JSON values, with each path of a file replaced by a digest of the file."""
    if isinstance(value, dict):
        return {key: _by_content(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_by_content(item) for item in value]
    if isinstance(value, str) and Path(value).suffix and os.path.isfile(value):
        return sha256(Path(value).read_bytes())
    return value


def _plain(value: Any) -> Any:
    """JSON of what a cell's source may hold besides plain values."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Path):
        return str(value)
    raise InputError(f"A cell's source holds {value!r}: only plain values and paths are allowed.")
