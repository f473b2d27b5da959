"""A streaming surrogate whose equation NEURON can solve itself, exported for nn_Noble."""

from __future__ import annotations

import numpy as np
import torch

from ..operators import OdeStream
from ..operators.encoding import standard
from .card import StreamCard
from .stream import StreamSurrogate

# As in nn_Noble.mod.
MAGIC, HEAD, BLOCK, CHANNELS, MOST = 1973.0, 32, 32, 8, 128


class MembraneSurrogate(StreamSurrogate):
    """A `StreamSurrogate` of `OdeStream` on a CPU: a `contracts.Membrane` too.

    In NEURON it is compiled arithmetic inside a mechanism, solved with all that is attached:
    nothing is predicted and no Python runs per step.

    Attributes:
        grid: Step between two evaluations of the network [ms].
    """

    def __init__(self, model: OdeStream, card: StreamCard) -> None:
        super().__init__(model, card, "cpu")
        self.grid = model.config.grid_ms
        self._layers = {
            name: value.numpy().astype(float) for name, value in model.state_dict().items()
        }

    def advance(self, state, latent, b, g):
        # In as many substeps as NEURON would take.
        self.model.substeps = round(self.grid * b.shape[1] / self.chunk)
        return super().advance(state, latent, b, g)

    def exported(self) -> np.ndarray:
        """The operator as the floats that nn_Noble reads: head, then layers, padded."""
        c, of = self.model.config, self._layers
        width, out = _up(c.width), _up(CHANNELS + 2 * c.memory)
        head = np.zeros(HEAD)
        limits = (*self.limits.current, *self.limits.conductance, *self.limits.voltage)
        values = (
            *(MAGIC, c.memory, width, out, c.v_reference, c.v_scale, c.g_unit),
            *self.model.REVERSALS,
            *(c.v_low, c.v_high),
            *limits,
        )
        head[: len(values)] = values
        into = _padded(of["into.weight"][:, : 1 + c.memory].T, 1 + c.memory, width)
        inner = _padded(of["inner.weight"].T, width, width)
        last = _padded(of["out.weight"].T, width, out, self._places())
        inner_bias = _padded(of["inner.bias"][None], 1, width)
        last_bias = _padded(of["out.bias"][None], 1, out, self._places())
        parts = (head, into, inner_bias, inner, last_bias, last)
        return np.concatenate([part.ravel() for part in parts]).astype(np.float32)

    def of_cells(self, latent: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What each cell's latent point adds to the first layer, and its capacitance [nF].

        Args:
            latent: Latent points in physical units, shape (cells, latent_size).

        Returns:
            Shapes (cells, width) and (cells,).
        """
        c, of = self.model.config, self._layers
        z = standard(self.card.latent_space.encode(latent))
        own = z @ of["into.weight"][:, 1 + c.memory :].T + of["into.bias"]
        own = np.pad(own, ((0, 0), (0, _up(c.width) - c.width)))
        return own.astype(np.float32), np.exp(of["log_c"][0] + z @ of["log_c"][1:])

    def memory(self, latent: np.ndarray, v: np.ndarray) -> np.ndarray:
        """What cells that `finitialize(v)` has just set remember, shape (cells, memory).

        Args:
            latent: As for `of_cells`.
            v: Voltage, at the model's own millivolts [mV], shape (cells,).
        """
        # In double precision, so that a cell's does not depend on its company.
        begin = self.model.begin.double()
        c = self.model.config
        z = standard(self.card.latent_space.encode(latent))
        x = np.column_stack([(np.asarray(v) - c.v_reference) / c.v_scale, z])
        with torch.inference_mode():
            found = begin(torch.as_tensor(x)).float().numpy()
        self.model.begin.float()
        return found.astype(float)

    def _places(self) -> np.ndarray:
        """Where nn_Noble expects each output: conductances, then gates, then candidates."""
        channels, memory = len(self.model.REVERSALS), self.model.config.memory
        return np.concatenate([np.arange(channels), CHANNELS + np.arange(2 * memory)])


def _up(n: int) -> int:
    """The next multiple of a block of nn_Noble's."""
    return -(-n // BLOCK) * BLOCK


def _padded(
    w: np.ndarray, rows: int, columns: int, places: np.ndarray | None = None
) -> np.ndarray:
    """Weights in a larger array of zeros, columns at their places."""
    whole = np.zeros((rows, columns))
    places = np.arange(w.shape[1]) if places is None else places
    whole[: len(w), places] = w
    return whole
