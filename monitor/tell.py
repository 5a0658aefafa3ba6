"""A stored change is routed and its deliveries are written, in the caller's transaction. It sends nothing.

A new notice that is the same document as another is not told on a channel that has a message about that one; a vulnerability that
was told is told again only when it escalates.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import datetime

from monitor import identity
from monitor.config import Config
from monitor.facts import Bodies
from monitor.match import Subject
from monitor.model import Change, Kind, Source
from monitor.route import route
from monitor.store import candidates, changes, copies, notices, outbox
from monitor.store.database import dumps
from monitor.store.fields import fields_of


def tell(
    conn: sqlite3.Connection,
    config: Config,
    change_ids: Iterable[int],
    now: datetime,
    *,
    but: str | None = None,
    like: int | None = None,
) -> int:
    """Run the routes for changes and owe what they say; the number of deliveries written. Running it again is harmless. `but`
    names a channel that is left out: the one that the change is about; `like` a change that says the same on its channels."""
    written = 0
    for change_id in change_ids:
        change = changes.load(conn, change_id)
        if change is None:
            continue
        if change.kind is Kind.NEW and change.notice is not None:
            _identify(conn, config, change, change.notice, now)
        channels = tuple(id_ for id_ in config.channels if id_ != but)
        days = changes.days_ahead(conn, change_id) if change.kind is Kind.REMINDER else None
        about = subject(conn, change, config.bodies)
        routing = route(change.kind, about, config.routes, channels, now, config.timezone, days=days)
        told = _told(conn, change, like)
        debts = [outbox.Debt(p.channel, p.due_at, p.route, p.digest) for p in routing.deliveries if p.channel not in told]
        written += outbox.owe(conn, change_id, debts, now)
        tried = [{"route": t.route, "matched": t.matched, "reason": t.reason} for t in routing.tried]
        silence = routing.silence
        if silence is None and not debts and not outbox.owes(conn, change_id):
            silence = f"same as {min(told[p.channel] for p in routing.deliveries)}"
        changes.routed(conn, change_id, silence, dumps(tried))
        if told and change.notice is not None:
            written += _escalated(conn, config, change, change.notice, now)
    return written


def _told(conn: sqlite3.Connection, change: Change, like: int | None) -> dict[str, int]:
    """The channels that have, or are owed, the same message, and of which notice or change."""
    if like is not None:
        return dict.fromkeys(outbox.channels_of(conn, like), like)
    return copies.told_on(conn, change.notice) if change.kind is Kind.NEW and change.notice is not None else {}


def elsewhere(source: Source) -> bool:
    """Whether a source's notices are looked for in other places."""
    return source.same != "off" and source.kind != "page"


def _identify(conn: sqlite3.Connection, config: Config, change: Change, notice: int, now: datetime) -> None:
    """Find the document that a new notice is a copy of, if it is one."""
    source = config.sources.get(change.source or "")
    row = notices.row(conn, notice)
    if source is None or row is None or not elsewhere(source):
        return
    card = candidates.card_of(conn, row)
    found = identity.find(card, candidates.candidates(conn, notice, card))
    if found is not None:
        copies.link(conn, notice, found[0], found[1], now)


def _escalated(conn: sqlite3.Connection, config: Config, change: Change, notice: int, now: datetime) -> int:
    """Tell of a known vulnerability again where a new entry makes it more than it was; the number of deliveries written."""
    copy = copies.reason(conn, notice)
    row = notices.row(conn, notice)
    if copy is None or copy[1] != "flaw" or row is None or changes.has(conn, notice, "escalated"):
        return 0
    known = [each for other in copies.others(conn, notice) if (each := notices.row(conn, other)) is not None]
    why = identity.escalates(candidates.card_of(conn, row), [candidates.card_of(conn, each) for each in known])
    if why is None:
        return 0
    id_ = changes.insert(
        conn, Kind.REVISED, now, reason="escalated", source=change.source, notice=notice, after=change.after, detail=why
    )
    return tell(conn, config, [id_], now)


def subject(conn: sqlite3.Connection, change: Change, bodies: Bodies) -> Subject:
    """What a route's `match` looks at; a body that issued it under all its names."""
    about = {"source": change.source or "", "kind": str(change.kind), "reason": change.reason}
    fields = {"text": change.detail}
    if change.notice is None:
        return Subject(fields | about)
    row = notices.row(conn, change.notice)
    if row is None:
        return Subject(fields | about)
    return Subject(fields | fields_of(conn, row, bodies) | about)
