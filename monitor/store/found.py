"""`monitor search`: notices whose words answer a query, with the line that does. The index narrows, the query judges."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from fnmatch import fnmatchcase

from monitor.facts import Bodies
from monitor.match import Query, Subject
from monitor.search import TITLE, expression, line
from monitor.store import terms
from monitor.store.fields import fields_of
from monitor.store.lists import Filter, Row, notice_row


def search(conn: sqlite3.Connection, query: Query, given: Filter, bodies: Bodies) -> list[Row]:
    """Notices that answer, best first, with the `line` that does. Raises PatternTooSlow."""
    outline = query.outline()
    asked, titled = expression(outline), expression(outline, only=TITLE)
    found: list[Row] = []
    for row in terms.found(conn, asked, titled):
        if not _wanted(row, given):
            continue
        fields = fields_of(conn, row, bodies)
        if query.matches(Subject(fields | {"source": row["source"]}))[0]:
            found.append(notice_row(conn, row) | {"line": line(query, (fields["text"], fields["title"], *fields.values()))})
        if given.limit is not None and len(found) >= given.limit:
            break
    return found


def _wanted(row: sqlite3.Row, given: Filter) -> bool:
    if given.sources and not any(fnmatchcase(row["source"], glob) for glob in given.sources):
        return False
    if given.states and row["state"] not in given.states:
        return False
    return given.since is None or datetime.fromisoformat(row["first_seen"]) >= given.since
