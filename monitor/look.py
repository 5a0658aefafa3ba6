"""One Request → Looked: fetch, then parse or read. The unit of work that may run on another machine: it needs no database.

It neither paces nor remembers: validators and cookies come with the request and go back with the answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from time import monotonic

from monitor import readers, sources
from monitor.errors import SourceError
from monitor.fetch import fetch
from monitor.model import Document, Listing, Purpose, Request, Source, Unchanged, Validators


@dataclass(frozen=True, slots=True)
class Looked:
    """What one look gave. `elapsed` in seconds; `raw` is the decompressed body of a document or attachment (None for a listing);
    `result` is None for an attachment, whose bytes are all it says."""

    request: Request
    status: int
    url: str
    validators: Validators
    body_hash: str | None
    raw: bytes | None
    elapsed: float
    result: Listing | Document | Unchanged | None
    at: datetime
    media_type: str = ""
    moved: str | None = None


def look(source: Source, request: Request, now: Callable[[], datetime]) -> Looked:
    """Take one look. Raises SourceError, naming the source."""
    started = monotonic()
    try:
        got = fetch(request, source.policy, now=now)
        if isinstance(got, Unchanged):
            elapsed = monotonic() - started
            return Looked(request, 304, request.url, got.validators, got.validators.body_hash, None, elapsed, got, got.at)
        result: Listing | Document | None = None
        if request.purpose is Purpose.LISTING:
            result = sources.kind(source.kind).parse(source, got)
        elif request.purpose is Purpose.DOCUMENT:
            result = readers.read(got, source.reading)
    except SourceError as error:
        error.source_id = source.id
        raise
    return Looked(
        request,
        got.status,
        got.url,
        got.validators,
        got.body_hash,
        None if request.purpose is Purpose.LISTING else got.body,
        monotonic() - started,
        result,
        got.at,
        got.media_type,
        got.moved,
    )
