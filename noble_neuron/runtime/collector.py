"""Python's garbage collector, kept from deleting parts of the model in the middle of a step."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


class Collector:
    """What the collector may do while NEURON calls us.

    A section, or a synapse, that it finds in a cycle during a run would be deleted under
    NEURON's hands, which aborts the process.
    """

    def __init__(self) -> None:
        self._withheld = False

    @contextlib.contextmanager
    def off(self) -> Iterator[None]:
        """No collection within the block.

        After an error, NEURON formats the traceback while it still waits in the step; so what
        exists by then stays out of the collector's sight until `resume`.
        """
        collecting = gc.isenabled()
        gc.disable()
        try:
            yield
        except BaseException:
            gc.freeze()
            self._withheld = True
            raise
        finally:
            if collecting:
                gc.enable()

    def resume(self) -> None:
        """Collect what an error has withheld; for a moment when anything may be deleted."""
        if self._withheld:
            self._withheld = False
            gc.unfreeze()
            gc.collect()
