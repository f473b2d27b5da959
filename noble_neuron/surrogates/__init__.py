"""Trained operators as artefacts: a bundle on disk, a surrogate in memory."""

from .bundle import load, load_stream, save, weights_of
from .card import Card, StreamCard
from .stream import StreamSurrogate
from .surrogate import Surrogate

__all__ = [
    "Card",
    "StreamCard",
    "StreamSurrogate",
    "Surrogate",
    "load",
    "load_stream",
    "save",
    "weights_of",
]
