"""Training sets on disk: what a sample carries, how it is written, how it is read."""

from .hdf5 import Dataset, Decimated

__all__ = ["Dataset", "Decimated"]
