"""Older texts and raw bytes, compressed against their newer neighbour (Zstandard, RFC 8878, the neighbour as a raw prefix).

A frame is either a key frame (restored without a neighbour) or a difference (restored with it). Every `KEY_EVERY`-th version is a
key frame, so that any version is at most that many steps away from one. It knows nothing of tables.
"""

from __future__ import annotations

import sys

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

#: One version in this many is kept whole: more would cost space, fewer time.
KEY_EVERY = 64
#: Quick and nearly as small as the highest for texts of this size.
LEVEL = 9
#: Bytes: Zstandard takes no shorter prefix, and a shorter one would save nothing.
SHORTEST = 8


def is_key(seq: int) -> bool:
    """Whether version `seq` is kept whole once it is not the newest."""
    return seq % KEY_EVERY == 0


def pack(data: bytes, neighbour: bytes | None = None) -> bytes:
    """A frame of `data`; a difference where a neighbour is given that is long enough to help."""
    if not neighbour or len(neighbour) < SHORTEST:
        return zstd.compress(data, level=LEVEL)
    options: dict[int, int] = {
        zstd.CompressionParameter.compression_level: LEVEL,
        zstd.CompressionParameter.window_log: _window(len(data) + len(neighbour)),
        zstd.CompressionParameter.enable_long_distance_matching: 0,
    }
    return zstd.compress(data, options=options, zstd_dict=zstd.ZstdDict(neighbour, is_raw=True).as_prefix)


def unpack(frame: bytes, neighbour: bytes | None = None) -> bytes:
    """The inverse of `pack`, with the same neighbour."""
    options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: 27}
    if not neighbour or len(neighbour) < SHORTEST:
        return zstd.decompress(frame, options=options)
    return zstd.decompress(frame, options=options, zstd_dict=zstd.ZstdDict(neighbour, is_raw=True).as_prefix)


def _window(size: int) -> int:
    """The smallest window (a power of two) that reaches over both texts: 1 kB … 128 MB."""
    return max(10, min(27, size.bit_length()))
