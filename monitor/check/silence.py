"""Silence is never ambiguous: a source without news for unusually long is told once, monitor says that it lives where nothing
else was said for long, and what changes too often to be told each time is summed up once a day."""

from __future__ import annotations

import sqlite3
from datetime import timedelta

from monitor.check.desk import Desk, log
from monitor.decide import longest_pause
from monitor.model import Kind
from monitor.store import changes, doubts, notices, sources
from monitor.tell import tell
from monitor.words import Words

#: How long versions of a notice that changes too often wait to be told together.
SUMMED_UP = timedelta(days=1)


def mind(desk: Desk) -> int:
    """Write and route what silence asks for; the number of changes. Raises StoreError."""
    desk.batch.flush(desk.store)  # what was looked at last
    told = sum(_quiet(desk, source) for source in desk.config.sources)
    return told + _alive(desk)


def _quiet(desk: Desk, source: str) -> bool:
    """Whether a source is told to be unusually quiet now."""
    now = desk.now()
    with desk.store.read() as conn:
        came = sources.came(conn, source)
        looked = sources.last_ok(conn, source)
    # what was not looked at was not silent: a machine that slept, or a clock that was put forward
    pause = longest_pause(came, min(now, looked or now))
    if pause is None:
        return False
    with desk.store.write() as conn:
        if not sources.quiet(conn, source, now):
            return False
        detail = Words(desk.config)("note.quiet", since=came[0], days=(now - came[0]).days, longest=max(1, pause.days))
        change = changes.insert(conn, Kind.NOTE, now, reason="quiet", source=source, detail=detail)
        tell(conn, desk.config, [change], now)
    log.warning("%s: %s", source, detail)
    return True


def _alive(desk: Desk) -> bool:
    """Whether a sign of life is told: nothing was for `alive`."""
    every, now = desk.config.alive, desk.now()
    if not every:
        return False
    with desk.store.write() as conn:
        if not changes.silent_since(conn, now - every):
            return False
        counts = sources.healths(conn)
        detail = Words(desk.config)("note.alive", **_counted(counts), since=now - every)
        change = changes.insert(conn, Kind.NOTE, now, reason="alive", detail=detail)
        tell(conn, desk.config, [change], now)
    return True


def sum_up(desk: Desk) -> int:
    """Tell what became of notices that changed too often: from the version that people know to the one that stands now. Their
    number. Raises StoreError."""
    with desk.store.read() as conn:
        waiting = doubts.untold(conn, desk.now() - SUMMED_UP)
    for notice in waiting:
        with desk.store.write() as conn:
            _sum_up(conn, desk, notice)
    return len(waiting)


def _sum_up(conn: sqlite3.Connection, desk: Desk, notice: int) -> None:
    now, row = desk.now(), notices.row(conn, notice)
    if row is None or notice not in doubts.untold(conn, now - SUMMED_UP):
        return
    before, silence = doubts.told_against(conn, notice, row["seq"], None, now)
    if row["state"] != "present":
        silence = "withdrawn"
    change = changes.insert(
        conn,
        Kind.REVISED,
        now,
        reason="flapping",
        source=row["source"],
        notice=notice,
        before=before,
        after=row["seq"],
        silence=silence,
    )
    if silence is None:
        tell(conn, desk.config, [change], now)


def _counted(counts: dict[str, int]) -> dict[str, int]:
    well = counts.get("ok", 0)
    return {"sources": sum(counts.values()), "well": well, "failing": counts.get("failing", 0), "quiet": counts.get("quiet", 0)}
