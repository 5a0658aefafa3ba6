"""A stored change is routed and its deliveries are written, in the caller's transaction. It sends nothing."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from datetime import datetime

from monitor.config import Config
from monitor.match import Subject
from monitor.model import Change
from monitor.route import route
from monitor.store import changes, notices, outbox
from monitor.store.database import dumps


def tell(conn: sqlite3.Connection, config: Config, change_ids: Iterable[int], now: datetime, *, but: str | None = None) -> int:
    """Run the routes for changes and owe what they say; the number of deliveries written. Running it again is harmless. `but`
    names a channel that is left out: the one that the change is about."""
    written = 0
    for change_id in change_ids:
        change = changes.load(conn, change_id)
        if change is None:
            continue
        channels = tuple(id_ for id_ in config.channels if id_ != but)
        routing = route(change.kind, subject(conn, change), config.routes, channels, now, config.timezone)
        debts = [outbox.Debt(p.channel, p.due_at, p.route, p.digest) for p in routing.deliveries]
        written += outbox.owe(conn, change_id, debts, now)
        tried = [{"route": t.route, "matched": t.matched, "reason": t.reason} for t in routing.tried]
        changes.routed(conn, change_id, routing.silence, dumps(tried))
    return written


def subject(conn: sqlite3.Connection, change: Change) -> Subject:
    """What a route's `match` looks at."""
    about = {"source": change.source or "", "kind": str(change.kind), "reason": change.reason}
    fields = {"text": change.detail}
    if change.notice is None:
        return Subject(fields | about)
    row = notices.row(conn, change.notice)
    if row is None:
        return Subject(fields | about)
    for name, value in json.loads(row["labels"]):
        fields[name] = f"{fields[name]} {value}" if fields.get(name) else value
    issuers = json.loads(row["issuers"]) if row["issuers"] else []
    fields |= {
        "title": row["title"],
        "text": row["text"],
        "url": row["url"] or "",
        "number": row["number"] or "",
        "issuer": " ".join([*issuers, row["origin"] or "", fields.get("issuer", "")]).strip(),
        "cve": " ".join(json.loads(row["cves"])) if row["cves"] else "",
    }
    return Subject(fields | about)
