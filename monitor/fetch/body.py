"""The body of an answer: complete, within bounds, decompressed; or the error that says where it broke off.

The standard library's own reading takes negative chunk sizes, missing ends of chunks and a stream that stops between two chunks
for a whole body; a monitor would tell the missing half as withdrawn. So framing (RFC 9112, sections 6 and 7) is read here,
strictly, and content codings (RFC 9110, section 8.4) are undone piece by piece, so that a bomb stops at the limit.
"""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Iterator
from typing import Protocol

from monitor.errors import FetchError, TooLarge
from monitor.fetch.wire import HEADERS_LIMIT, Call

_PIECE = 65536
_CODINGS = 3  # more than this many on top of each other are an attack
_MEMBERS = 10_000  # of one gzip stream; servers send one
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r?\n")
_LENGTH = re.compile(r"[0-9]{1,18}")


class _Inflater(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unconsumed_tail(self) -> bytes: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = 0, /) -> bytes: ...


def length(value: str | None, call: Call) -> int | None:
    """The declared length in bytes; equal repetitions are one. Raises FetchError for anything that is not one number."""
    if value is None:
        return None
    said = {part.strip() for part in value.split(",")}
    number = said.pop()
    if said or not _LENGTH.fullmatch(number):
        raise call.failed("the answer declares an impossible length", "protocol")
    return int(number)


def read(
    stream: io.BufferedReader, *, declared: int | None, chunked: bool, coding: str, limit: int, setting: str, call: Call
) -> bytes:
    """The whole body. `declared` is Content-Length, `coding` the value of Content-Encoding, `limit` bytes before and after
    decompression, `setting` the name of the limit for the user.

    Raises TooLarge, or FetchError with reason "truncated", "protocol", "damaged" or "timeout"."""
    large = TooLarge(f"{call.host}: larger than {_size(limit)}; raise {setting} for this source if that is right")
    if chunked:
        pieces = _chunks(stream, call)
    elif declared is not None:
        if declared > limit:
            raise large
        pieces = _measured(stream, declared, call)
    else:
        pieces = _until_closed(stream, call)
    pieces = _bounded(pieces, limit, large)
    for name in _codings(coding, call):
        pieces = _bounded(_inflated(pieces, name, call), limit, large)
    whole = io.BytesIO()
    for piece in pieces:
        whole.write(piece)
    return whole.getvalue()


def _size(limit: int) -> str:
    return f"{limit / 1048576:g} MiB" if limit >= 1048576 else f"{limit:,} bytes"


def _bounded(pieces: Iterator[bytes], limit: int, large: TooLarge) -> Iterator[bytes]:
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > limit:
            raise large
        yield piece


def _some(stream: io.BufferedReader, most: int, call: Call, so_far: str) -> bytes:
    """Up to `most` bytes; empty at the end of the stream, orderly or not."""
    try:
        return stream.read1(min(most, _PIECE))
    except OSError:
        raise _broken(call, so_far) from None


def _broken(call: Call, so_far: str) -> FetchError:
    return call.failed(f"answer broken off {so_far}", "truncated")


def _measured(stream: io.BufferedReader, declared: int, call: Call) -> Iterator[bytes]:
    got = 0
    while got < declared:
        piece = _some(stream, declared - got, call, f"at {got:,} of {declared:,} bytes")
        if not piece:
            raise _broken(call, f"at {got:,} of {declared:,} bytes")
        got += len(piece)
        yield piece


def _until_closed(stream: io.BufferedReader, call: Call) -> Iterator[bytes]:
    got = 0
    while piece := _some(stream, _PIECE, call, f"after {got:,} bytes"):
        got += len(piece)
        yield piece


def _chunks(stream: io.BufferedReader, call: Call) -> Iterator[bytes]:
    got = framing = 0
    while True:
        line = _line(stream, call, got)
        found = _CHUNK_LINE.fullmatch(line)
        if not found:
            raise call.failed(f"bad chunk in the answer after {got:,} bytes", "truncated")
        framing += len(line) + 2
        if framing > HEADERS_LIMIT + got:  # chunks of a byte each cost more to read than any page is worth
            raise call.swollen()
        left = int(found[1], 16)
        if not left:
            break
        while left:
            piece = _some(stream, left, call, f"after {got:,} bytes")
            if not piece:
                raise _broken(call, f"after {got:,} bytes")
            got, left = got + len(piece), left - len(piece)
            yield piece
        if _line(stream, call, got) not in (b"\r\n", b"\n"):
            raise call.failed(f"bad chunk in the answer after {got:,} bytes", "truncated")
    while (line := _line(stream, call, got)) not in (b"\r\n", b"\n"):
        framing += len(line)  # trailers
        if framing > HEADERS_LIMIT + got:
            raise call.swollen()


def _line(stream: io.BufferedReader, call: Call, got: int) -> bytes:
    try:
        line = stream.readline(4096)
    except OSError:
        raise _broken(call, f"after {got:,} bytes") from None
    if not line:
        raise _broken(call, f"after {got:,} bytes")
    return line


def _codings(value: str, call: Call) -> list[str]:
    """What has to be undone, the last applied first."""
    names = [name for name in (part.strip().lower() for part in value.split(",")) if name not in ("", "identity")]
    for name in names:
        if name not in ("gzip", "x-gzip", "deflate"):
            raise call.failed(f'the answer is compressed as "{name[:20]}", which was not asked for', "damaged")
    if len(names) > _CODINGS:
        raise call.failed(f"the answer is compressed {len(names)} times over", "damaged")
    return names[::-1]


def _inflated(pieces: Iterator[bytes], coding: str, call: Call) -> Iterator[bytes]:
    """One coding undone. What follows the end of the compressed data is not looked at, as in browsers."""
    damaged = call.failed("compressed data damaged", "damaged")
    machine: _Inflater | None = None
    members, held = 1, b""
    for piece in pieces:
        held += piece
        if machine is None:
            if len(held) < 2:
                continue
            machine = _inflater(coding, held)
        while held:
            if machine.eof:
                if coding == "deflate" or not b"\x1f\x8b".startswith(held[:2]):
                    held = b""  # not a further member
                    break
                if len(held) < 2:
                    break
                machine, members = _inflater(coding, held), members + 1
                if members > _MEMBERS:
                    raise damaged
            out = _step(machine, held, damaged)
            held = machine.unused_data if machine.eof else machine.unconsumed_tail
            if out:
                yield out
    while machine and not machine.eof:  # what zlib still holds back
        out = _step(machine, b"", damaged)
        if not out:
            break
        yield out
    if (machine is None and held) or (machine and not machine.eof):
        raise damaged


def _step(machine: _Inflater, data: bytes, damaged: FetchError) -> bytes:
    try:
        return machine.decompress(data, _PIECE)
    except zlib.error:
        raise damaged from None


def _inflater(coding: str, start: bytes) -> _Inflater:
    if coding != "deflate":
        return zlib.decompressobj(16 + zlib.MAX_WBITS)
    # "deflate" is zlib's format; some servers send the bare one. The first two bytes of zlib's are a checked number (RFC 1950).
    wrapped = start[0] & 0x0F == 8 and int.from_bytes(start[:2], "big") % 31 == 0
    return zlib.decompressobj(zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS)
