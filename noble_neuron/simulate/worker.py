"""What a worker process does: wait for a job, run it, answer; until its owner is gone."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from multiprocessing.connection import Connection
from typing import Any

from ..errors import NobleError, SimulationError


def main(fd: int) -> None:
    """Serve the owner at the other end of the socket `fd`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the owner's affair
    os.dup2(2, 1)  # what NEURON prints must not mix with the owner's output
    owner = Connection(fd)
    try:
        owner.send(("ready", None))
        while True:
            owner.send(_answer(owner))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        os._exit(0)  # the owner was killed or has finished: nobody is left to answer


def _answer(owner: Connection) -> tuple[str, Any]:
    """Wait for a job: ("done", value) or ("raised", error)."""

    def beat(label: Any) -> None:
        owner.send(("beat", label))

    try:
        function, arguments = owner.recv()
        return "done", function(*arguments, beat)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        raise
    except NobleError as error:
        return "raised", error
    except Exception as error:
        traceback.print_exc()
        return "raised", SimulationError(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    # By its full name, so that what it pickles is what the owner knows.
    from noble_neuron.simulate.worker import main as serve

    serve(int(sys.argv[1]))
