"""A change and the routes become deliveries, or a silence, each with its reason. It writes and sends nothing.

Routes are tried top to bottom and the first that matches wins, unless it says `continue`. Gap, failing, recovered and note are
about a source, a channel or this machine: they are taken by routes that name them in `kinds` and else go to every channel, so
that a narrow route cannot hide that monitor has stopped seeing; `match` is not applied to them. A reminder is taken only by a
route that asks for one so many days ahead, whatever its `kinds`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from fnmatch import fnmatchcase

from monitor.match import PatternTooSlow, Query, Subject
from monitor.model import HOUSE_KINDS, Kind
from monitor.schedule import next_local, quiet_until

#: The name under which deliveries are planned that no route asked for.
DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Route:
    """One [[route]]. Absent `sources` (globs), `kinds` and `match` mean any; `channels` None means every channel, () silences;
    `digest` and `quiet` are local times; a quiet window may span midnight; `remind` are days before a date that
    a notice names."""

    name: str
    sources: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = ()
    match: Query | None = None
    channels: tuple[str, ...] | None = None
    go_on: bool = False
    digest: time | None = None
    quiet: tuple[time, time] | None = None
    remind: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Planned:
    """One delivery to be owed; `due_at` is aware, in UTC."""

    channel: str
    due_at: datetime
    route: str
    digest: bool


@dataclass(frozen=True, slots=True)
class Tried:
    """One route that was tried, and why it matched or not."""

    route: str
    matched: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Routing:
    """What becomes of a change. `silence` says why there is no delivery, and is None where there is one."""

    deliveries: tuple[Planned, ...]
    silence: str | None
    tried: tuple[Tried, ...]


def route(
    kind: Kind,
    subject: Subject,
    routes: Sequence[Route],
    channels: Sequence[str],
    now: datetime,
    timezone: str,
    *,
    days: int | None = None,
) -> Routing:
    """Where a change goes. `channels` are those configured, `now` is aware, `timezone` an IANA name for `digest` and `quiet`;
    `days`: how far ahead a reminder is.

    Two routes to one channel make one delivery, the earlier. A pattern that is too slow counts as a match: told rather than lost.
    """
    planned: dict[str, Planned] = {}
    tried: list[Tried] = []
    silenced = False
    taken = False
    for each in routes:
        matched, reason = _matches(each, kind, subject, days)
        wanted = tuple(channels) if each.channels is None else each.channels
        present = [channel for channel in wanted if channel in channels]
        if matched and len(present) < len(wanted):
            missing = ", ".join(sorted(set(wanted) - set(channels)))
            reason = f"{reason}; not configured: channel {missing}"
            matched = bool(present)  # a later route may still take it
        tried.append(Tried(each.name, matched, reason))
        if not matched:
            continue
        taken = True
        if not wanted and each.channels is not None:
            silenced = True
            tried[-1] = Tried(each.name, matched, f"{reason}; it has no channels, so it silences")
        for channel in present:
            offer = Planned(channel, _due_at(each, now, timezone), each.name, each.digest is not None)
            if channel not in planned or offer.due_at < planned[channel].due_at:
                planned[channel] = offer
        if not each.go_on:
            break
    if not taken and (kind in HOUSE_KINDS or (not routes and kind is not Kind.REMINDER)):
        planned = {channel: Planned(channel, now, DEFAULT, digest=False) for channel in channels}
    return Routing(tuple(planned.values()), None if planned else _silence(channels, silenced=silenced), tuple(tried))


def _silence(channels: Sequence[str], *, silenced: bool) -> str:
    """Which route silences a change stands among those that were tried."""
    if silenced:
        return "silenced"
    return "no route" if channels else "no channel for it"


def _matches(each: Route, kind: Kind, subject: Subject, days: int | None) -> tuple[bool, str]:
    source = subject.fields.get("source", "")
    house = kind in HOUSE_KINDS
    if kind is Kind.REMINDER:
        if days not in each.remind:
            return False, f"it asks for no reminder {days} days ahead"
    elif each.kinds and kind not in each.kinds:
        return False, f"{kind} is not among its kinds"
    if house and not each.kinds:
        return False, f"{kind} is taken only by a route that names it in kinds"
    if each.sources and not any(fnmatchcase(source, pattern) for pattern in each.sources):
        return False, f'source "{source}" is not among its sources' if source else "it is about no source"
    if each.match is None or house:
        return True, f"{kind} is among its kinds" if house else "source and kind match"
    try:
        return each.match.matches(subject)
    except PatternTooSlow as error:
        return True, f"{error}: taken as a match, so that nothing is lost"


def _due_at(each: Route, now: datetime, timezone: str) -> datetime:
    """Now, the next time of the digest, or the end of the quiet hours, whichever is latest; never inside the quiet hours."""
    due = now if each.digest is None else next_local(now, each.digest, timezone)
    if each.quiet is None:
        return due
    waits = (quiet_until(now, each.quiet, timezone), quiet_until(due, each.quiet, timezone))
    return max([due, *(until for until in waits if until is not None)])
