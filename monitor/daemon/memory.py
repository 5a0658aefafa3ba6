"""What a large answer took goes back to the system when it is done with. It measures nothing and limits nothing."""

from __future__ import annotations

import ctypes

#: glibc's name of the size from which a block is asked of the system by itself, and given back by itself.
_MMAP_THRESHOLD = -3
_LARGE = 1 << 20


def give_back() -> None:
    """Have the C library give large blocks back at once. Left to itself, glibc raises that size to what was last freed, up to 32
    MiB: then each thread that has once read a large answer keeps room for the next. Another C library does as it does."""
    set_ = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_ is not None:
        set_(_MMAP_THRESHOLD, _LARGE)
