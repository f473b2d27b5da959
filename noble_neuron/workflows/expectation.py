"""How good a training is going to be, from a shorter one: stated before, to be checked after.

A streaming operator is judged by the coincidence of its spikes with the full cell's, Gamma. What
its Gamma lacks of the full cell's own at half the time step is taken to shrink in proportion to
the steps of training: a rule of thumb, which every use of it puts to the test.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

BEGUN = 0.3  # of the floor


@dataclass(frozen=True)
class Expectation:
    """What a training is expected to reach, and why.

    Attributes:
        pilot: Gamma after a short training, on stimuli that it has not seen.
        floor: Gamma of the full cell at half its time step, on some of the same.
        steps: Steps of the short training.
        total: Of the whole.
    """

    pilot: float
    floor: float
    steps: int
    total: int

    @property
    def gamma(self) -> float:
        """Gamma that the whole training should have on stimuli that it has not seen."""
        lacking = max(0.0, self.floor - self.pilot)
        return max(self.pilot, self.floor - lacking * self.steps / self.total)

    @property
    def is_vague(self) -> bool:
        """Whether the short training has hardly begun to place spikes: then it tells little."""
        return self.pilot < BEGUN * self.floor

    def text(self) -> str:
        """For a terminal."""
        vague = (
            " It has hardly begun to place spikes, so that this tells little: it may need more "
            "minutes, or another operator."
        )
        return (
            f"expected: Gamma {self.gamma:.2f} on held-out stimuli. (After {self.steps} steps it "
            f"is {self.pilot:.2f}, the full cell at dt/2 has {self.floor:.2f}; what is lacking is "
            f"taken to shrink with the steps, of which there will be {self.total}."
            f"{vague if self.is_vague else ''})"
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {**asdict(self), "gamma": self.gamma}
