"""The looks of one check: the first page, further steps, and further pages while the list does not reach what is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from monitor import sources, urls
from monitor.check.desk import Desk
from monitor.decide import Seen, pinned_keys, wants_more
from monitor.errors import FetchError, SourceError
from monitor.look import Looked, look
from monitor.model import Listing, Notice, Request, Source, Unchanged, Validators
from monitor.store import notices
from monitor.store.sources import Row


@dataclass(frozen=True, slots=True)
class Walked:
    """All that one check saw. `seen` is None where the server says that nothing changed; `served` is the fallback address that
    answered, if not the source's own."""

    seen: Seen | None
    validators: Validators | None
    state: Mapping[str, Any]
    problems: tuple[str, ...]
    moved: str | None
    served: str | None


def walk(desk: Desk, source: Source, row: Row) -> Walked:
    """Take the looks of one check. Raises SourceError."""
    first = sources.kind(source.kind).begin(source, row.state, desk.now())
    trusted = row.memory.baseline and not row.memory.rejoin and not row.memory.accept and first.method == "GET"
    if trusted:
        first = replace(first, validators=desk.batch.validators(source.id) or row.validators)
    looked, served = _first(desk, source, first)
    if isinstance(looked.result, Unchanged):
        return Walked(None, looked.validators, row.state, (), looked.moved, served)
    listing = _listing(looked)
    problems, state = list(listing.problems), dict(listing.state)
    while not listing.last_step and listing.next is not None:
        listing = _listing(_turn(desk, source, listing.next))
        problems += listing.problems
        state |= listing.state
    seen = _pages(desk, source, row, listing)
    validators = looked.validators if served is None else None
    return Walked(seen, validators, state, tuple(problems), looked.moved, served)


def _turn(desk: Desk, source: Source, request: Request) -> Looked:
    with desk.pace.turn(urls.host(request.url)):
        return look(source, request, desk.now)


def _listing(looked: Looked) -> Listing:
    assert isinstance(looked.result, Listing)
    return looked.result


def _first(desk: Desk, source: Source, request: Request) -> tuple[Looked, str | None]:
    """The first look; where the source's own address gives no answer, at its fallbacks in turn. Raises the first error."""
    try:
        return _turn(desk, source, request), None
    except FetchError as error:
        for address in source.fallback:
            try:
                return _turn(desk, source, replace(request, url=address, validators=None)), address
            except SourceError:
                continue
        raise error


def _pages(desk: Desk, source: Source, row: Row, first: Listing) -> Seen:
    """Further pages, up to `pages`, while rows at the end of what was seen are unknown."""
    rows = list(first.notices)
    keys = {notice.key for notice in rows}
    listing, page = first, 1
    while (more := _wants_more(desk, source, row, rows)) and listing.next is not None and page < source.pages:
        listing = _listing(_turn(desk, source, listing.next))
        page += 1
        fresh = [notice for notice in listing.notices if notice.key not in keys]
        if not fresh:
            break
        rows += fresh
        keys |= {notice.key for notice in fresh}
    return Seen(tuple(rows), len(first.notices), first.complete or source.complete, more, page > 1)


def _wants_more(desk: Desk, source: Source, row: Row, rows: list[Notice]) -> bool:
    with desk.store.read() as conn:
        known = notices.known_keys(conn, source.id, [notice.key for notice in rows])
    return wants_more(rows, set(known), row.memory, pinned_keys(rows, known, row.memory))
