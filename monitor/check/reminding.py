"""Reminders: a notice that names a deadline or a date of effect is told again so many days ahead, where a route asks for it.

Each (notice, date, days ahead) is told once. Of several days ahead that have come, only the nearest counts, and none for a notice
that was itself first seen after that moment: who was just told of it needs no reminder.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from monitor.check.desk import Desk
from monitor.model import Change, Kind
from monitor.route import route
from monitor.store import changes, reminders
from monitor.store.database import Connection
from monitor.tell import subject, tell

#: Local time at which a reminder comes, where its route names no `digest`.
AT = time(9)


def due_days(day: date, asked: Iterable[int], first_seen: datetime, now: datetime, zone: ZoneInfo) -> int | None:
    """The days ahead for which a reminder of `day` has come: the fewest of `asked`; None where none has, or the day is over."""

    def moment(days: int) -> datetime:
        return datetime.combine(day - timedelta(days=days), AT, zone)

    if day < now.astimezone(zone).date():
        return None
    come = [days for days in asked if moment(days) <= now]
    return min(come) if come and first_seen < moment(min(come)) else None


def remind(desk: Desk) -> int:
    """Write and route the reminders that have come; their number. Raises StoreError."""
    asked = {days for each in desk.config.routes for days in each.remind}
    if not asked:
        return 0
    now, zone = desk.now(), ZoneInfo(desk.config.timezone)
    today = now.astimezone(zone).date()
    with desk.store.read() as conn:
        dated = reminders.dated(conn, today, today + timedelta(days=max(asked)))
    come = [(one, days) for one in dated if (days := due_days(one.day, asked, one.first_seen, now, zone)) is not None]
    told = 0
    for one, days in come:
        with desk.store.write() as conn:
            told += _tell(conn, desk, one, days, now)
    return told


def _tell(conn: Connection, desk: Desk, one: reminders.Dated, days: int, now: datetime) -> bool:
    """Whether a route asks for this reminder and it had not been told."""
    if reminders.told(conn, one, days):
        return False
    config = desk.config
    change = Change(0, Kind.REMINDER, one.source, one.notice, None, one.seq, one.fact, None, now)
    about = subject(conn, change, config.bodies)
    if not route(change.kind, about, config.routes, tuple(config.channels), now, config.timezone, days=days).deliveries:
        return False
    id_ = changes.insert(conn, change.kind, now, reason=one.fact, source=one.source, notice=one.notice, after=one.seq)
    reminders.keep(conn, one, days, id_)
    tell(conn, config, [id_], now)
    return True
