"""Python's garbage collector, kept from deleting parts of the model in the middle of a step."""

from __future__ import annotations

import gc
from collections.abc import Callable


class Collector:
    """What the collector may do while NEURON calls us.

    A section, or a synapse, that it finds in a cycle during a run would be deleted under
    NEURON's hands, which aborts the process.
    """

    def __init__(self) -> None:
        self._withheld = False

    def off(self, work: Callable[[], None]) -> Callable[[], None]:
        """The same work without any collection.

        After an error, NEURON formats the traceback while it still waits in the step; so what
        exists by then stays out of the collector's sight until `resume`.
        """

        def guarded() -> None:
            # First of all: anything that allocates may start a collection.
            collecting = gc.isenabled()
            gc.disable()
            try:
                work()
            except BaseException:
                gc.freeze()
                self._withheld = True
                raise
            finally:
                if collecting:
                    gc.enable()

        return guarded

    def resume(self) -> None:
        """Collect what an error has withheld; for a moment when anything may be deleted."""
        if self._withheld:
            self._withheld = False
            gc.unfreeze()
            gc.collect()
