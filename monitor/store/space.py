"""Room on the disk: how much is left, and a reserve that is given back when there is none, so that what was sent can be settled.

It pauses nothing: loop 1 asks.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

#: With less than this free (bytes), nothing more is looked at.
LEAST = 32 * 1024 * 1024
#: The reserve's size; it is kept only where four times as much would still be free.
RESERVE = 16 * 1024 * 1024


class Space:
    """The disk that holds one database. Its methods raise nothing: a file system that does not tell has room."""

    def __init__(self, database: Path) -> None:
        self._folder = database.parent
        self._reserve = database.with_name(database.name + ".reserve")

    def lacking(self) -> int | None:
        """The bytes that are free, where they are too few to go on; else None."""
        free = self._free()
        return free if free is not None and free < LEAST else None

    def hold(self) -> None:
        """Keep the reserve, if there is room for it."""
        free = self._free()
        if self._reserve.exists() or free is None or free < 4 * RESERVE + LEAST or not hasattr(os, "posix_fallocate"):
            return
        try:
            handle = os.open(self._reserve, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(handle, 0, RESERVE)
            finally:
                os.close(handle)
        except OSError:
            self.give()  # no reserve is better than half of one

    def give(self) -> None:
        """Free the reserve."""
        try:
            self._reserve.unlink(missing_ok=True)
        except OSError:
            return  # a file system that has become read-only: the reserve would not help

    def _free(self) -> int | None:
        try:
            return shutil.disk_usage(self._folder).free
        except OSError:
            return None
