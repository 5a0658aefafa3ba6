"""The looks of one check: the first page, further steps, and further pages while the list does not reach what is known."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from monitor import sources, urls
from monitor.check import passes
from monitor.check.desk import Desk
from monitor.decide import Seen, from_below, list_end, pinned_keys, something_else, wants_more
from monitor.errors import Challenge, FetchError, SourceError
from monitor.look import Looked, look
from monitor.model import Listing, Notice, Odd, Request, Source, Unchanged, Validators
from monitor.store import notices
from monitor.store.sources import Row

#: The answers that say that there is no such page.
GONE = (404, 410)
#: What is remembered of an accepted list beside what its kind keeps: what was odd about it, and the address that it was led to.
ODD, LED = "was odd", "led to"


@dataclass(frozen=True, slots=True)
class Walked:
    """All that one check saw. `seen` is None where the server says that nothing changed; `served` is the fallback address that
    answered, if not the source's own; `odd` says in what the answer is other than this source's usually are; `ahead`
    is that of `Fetched`."""

    seen: Seen | None
    validators: Validators | None
    state: Mapping[str, Any]
    problems: tuple[str, ...]
    moved: str | None
    served: str | None
    odd: Odd | None = None
    ahead: float | None = None


def walk(desk: Desk, source: Source, row: Row) -> Walked:
    """Take the looks of one check. Raises SourceError."""
    now = desk.now()
    passes.recall(desk, source, row.state)
    known = passes.without(row.state)
    first = sources.kind(source.kind).begin(source, known, now)
    trusted = row.memory.baseline and not row.memory.rejoin and not row.memory.accept and first.method == "GET"
    if trusted and first.url == source.url:  # an address that is filled in anew asks for something else each time
        first = replace(first, validators=desk.batch.validators(source.id) or row.validators)
    looked, asked = _first(desk, source, first, known, now)
    served = None if asked is source else asked.url
    if isinstance(looked.result, Unchanged):
        return Walked(None, looked.validators, passes.within(desk, source, known), (), looked.moved, served)
    listing, problems, state = _steps(desk, asked, _listing(looked))
    odd = _odd(desk, source, row, looked, listing) if listing is looked.result else None
    if listing.odd:
        state[ODD] = listing.odd.reason
    if led(looked) and listing is looked.result:
        state[LED] = looked.url
    seen = _pages(desk, asked, row, listing) if odd is None else Seen(listing.notices, len(listing.notices))
    # "not modified" would be said of the first answer alone
    validators = looked.validators if served is None and listing is looked.result else None
    return Walked(seen, validators, passes.within(desk, source, state), tuple(problems), looked.moved, served, odd, looked.ahead)


def led(looked: Looked) -> bool:
    """Whether another address answered, for now."""
    return looked.moved is None and urls.identity(looked.url) != urls.identity(looked.request.url)


def _odd(desk: Desk, source: Source, row: Row, looked: Looked, listing: Listing) -> Odd | None:
    """What speaks against a list that is otherwise one, or that another address showed while nothing on it is known. None where
    the last accepted list was so, too."""
    if listing.odd and row.state.get(ODD) != listing.odd.reason:
        return listing.odd
    expected = not led(looked) or row.state.get(LED) == looked.url
    if expected or not listing.notices or not row.memory.baseline or row.memory.rejoin:
        return None
    with desk.store.read() as conn:
        if source.kind == "page":
            if not _is_other_page(conn, row.id, listing.notices[0], desk.now()):
                return None
        elif notices.any_known(conn, row.id, listing.notices):
            return None
    return Odd("elsewhere", f"not the list: {looked.url.partition('?')[0]} answered instead, and knows none of its rows")


def _is_other_page(conn: sqlite3.Connection, source: str, page: Notice, now: datetime) -> bool:
    """Whether a page, which always has the same key, has nothing of what is known of it."""
    known = notices.known_keys(conn, source, [page.key]).get(page.key)
    if known is None:
        return False
    k, _ = notices.one(conn, known.id, now)
    return something_else(k, page.title, page.text or "")


def _steps(desk: Desk, source: Source, listing: Listing) -> tuple[Listing, list[str], dict[str, Any]]:
    """The listing after its last step, with the rows, problems and state of all of them; a row that comes again is the same."""
    problems, state = list(listing.problems), dict(listing.state)
    if listing.last_step:
        return listing, problems, state
    found = {notice.key: notice for notice in reversed(listing.notices)}
    rows = list(listing.notices)
    while not listing.last_step and listing.next is not None:
        listing = _listing(_turn(desk, source, listing.next))
        rows += [notice for notice in listing.notices if notice.key not in found]
        found |= {notice.key: notice for notice in listing.notices}
        problems += listing.problems
        state |= listing.state
    return replace(listing, notices=tuple(rows)), problems, state


def _turn(desk: Desk, source: Source, request: Request) -> Looked:
    with desk.pace.turn(urls.host(request.url)):
        return passes.learn(desk, source, look(source, passes.handed(desk, source, request), desk.now))


def _listing(looked: Looked) -> Listing:
    assert isinstance(looked.result, Listing)
    return looked.result


def _first(desk: Desk, source: Source, request: Request, state: Mapping[str, Any], now: datetime) -> tuple[Looked, Source]:
    """The first look, and the source as it was asked: where its own address gives no answer, at its fallbacks in turn. Raises the
    first error."""
    try:
        return _turn(desk, source, request), source
    except (FetchError, Challenge) as error:
        if request.context.get("anew"):  # what was remembered leads nowhere: from the beginning
            return _first(desk, source, sources.kind(source.kind).begin(source, {}, now), {}, now)
        for address in source.fallback:
            other = replace(source, url=address)
            try:
                return _turn(desk, other, sources.kind(other.kind).begin(other, state, now)), other
            except SourceError:
                continue
        raise error


def _pages(desk: Desk, source: Source, row: Row, first: Listing) -> Seen:
    """Further pages, up to `pages`, while rows at the end of what was seen are unknown."""
    if first.complete:
        return Seen(first.notices, len(first.notices), complete=True)
    rows = list(first.notices)
    keys = {notice.key for notice in rows}
    listing, page = first, 1
    while (more := _wants_more(desk, source, row, rows, page > 1)) and listing.next is not None and page < source.pages:
        page += 1
        further = _further(desk, source, listing.next)
        if further is None:
            break
        listing = further
        fresh = [notice for notice in listing.notices if notice.key not in keys]
        if not fresh:
            break
        rows += fresh
        keys |= {notice.key for notice in fresh}
    return Seen(tuple(rows), len(first.notices), more=more, paged=page > 1)


def _further(desk: Desk, source: Source, request: Request) -> Listing | None:
    """A further page; None where there is none: whoever counts up pages learns only so that the last one was before."""
    try:
        return _listing(_turn(desk, source, request))
    except FetchError as error:
        if error.status in GONE:
            return None
        raise


def _wants_more(desk: Desk, source: Source, row: Row, rows: list[Notice], paged: bool) -> bool:
    with desk.store.read() as conn:
        known = notices.known_keys(conn, source.id, [notice.key for notice in rows])
        last = list_end(row.memory) if len(known) < len(rows) else None
        end = notices.one(conn, last, desk.now())[0] if last is not None else None
    old = from_below(rows, known, row.memory, end, paged=paged)
    return wants_more(rows, known.keys() | old, row.memory, pinned_keys(rows, known, row.memory))
