"""Who we are among the processes that mpiexec started, read from what it tells them.

Ranks share nothing but the folder of shards (so it must lie on a file system that all of them
see): no message passes, and no MPI library is needed in Python.
"""

from __future__ import annotations

import os

_SAID_BY = (
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),  # Open MPI
    ("PMI_RANK", "PMI_SIZE"),  # MPICH, Intel MPI
)


def rank_and_size() -> tuple[int, int]:
    """This process's rank and the number of ranks; (0, 1) outside mpiexec."""
    for rank, size in _SAID_BY:
        if rank in os.environ and size in os.environ:
            return int(os.environ[rank]), int(os.environ[size])
    return 0, 1
