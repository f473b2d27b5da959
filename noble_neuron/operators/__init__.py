"""Neural operators: maths only. `OPERATORS` and `STREAMS` name every one a bundle may hold."""

from .clocked import ClockedConfig, ClockedNoble
from .fno import NobleConfig, NobleFNO
from .recurrent import State, Stream, StreamConfig
from .stream_dense import DenseConfig, DenseStream
from .stream_ode import OdeConfig, OdeStream

# Name in a bundle's card -> (frozen config, module built from it).
OPERATORS = {
    "noble_fno": (NobleConfig, NobleFNO),
    "noble_clocked": (ClockedConfig, ClockedNoble),
}
STREAMS = {
    "stream_dense": (DenseConfig, DenseStream),
    "stream_ode": (OdeConfig, OdeStream),
}

__all__ = [
    "OPERATORS",
    "STREAMS",
    "ClockedConfig",
    "ClockedNoble",
    "DenseConfig",
    "DenseStream",
    "NobleConfig",
    "NobleFNO",
    "OdeConfig",
    "OdeStream",
    "State",
    "Stream",
    "StreamConfig",
]
