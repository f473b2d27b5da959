"""A file that HDF5 can write to on a full disk.

HDF5 cannot close a file whose last writes failed: the error comes again at every attempt, and
the process ends in a segmentation fault. So the first error is kept here, further writes go
nowhere, and whoever writes asks `check` for it once in a while.
"""

from __future__ import annotations

import io
from pathlib import Path


class Sink(io.RawIOBase):
    """A new, writable and readable file at `path` that never raises while it is written."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._file = open(path, "w+b", buffering=0)
        self._error: OSError | None = None

    def check(self) -> None:
        """Raise the first error there was, if any."""
        if self._error is not None:
            raise self._error

    def write(self, data) -> int:
        """Write all of `data`, or remember why that failed."""
        data = memoryview(data).cast("B")
        done = 0
        try:
            while self._error is None and done < len(data):
                done += self._file.write(data[done:])
        except OSError as error:
            self._error = error
        return len(data)

    def truncate(self, size: int | None = None) -> int:
        """Set the file's length, or remember why that failed."""
        try:
            if self._error is None:
                return self._file.truncate(size)
        except OSError as error:
            self._error = error
        return size or 0

    def readinto(self, buffer) -> int:
        """Read into `buffer`; zeros where nothing could be written."""
        count = self._file.readinto(buffer)
        if self._error is not None and count < len(buffer):
            memoryview(buffer).cast("B")[count:] = bytes(len(buffer) - count)
            return len(buffer)
        return count

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a place in the file."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """The place in the file."""
        return self._file.tell()

    def readable(self) -> bool:
        """It is."""
        return True

    def writable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()
