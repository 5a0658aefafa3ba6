"""When next: an interval or a cron line, spread by jitter, slowed by failures and by servers' wishes, at the source's own rhythm.

Pure arithmetic: the caller says what time it is and brings the random numbers; nothing is started, stored or waited for here.
All moments that are given and returned are aware and in UTC; `timezone` is an IANA name.
"""

from __future__ import annotations

import math
import random
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from monitor.model import Schedule

if TYPE_CHECKING:
    from apscheduler.triggers.cron import CronTrigger

DEFAULT_EVERY = timedelta(minutes=15)
#: Failed checks wait at most this long, or `every` where that is longer; failed deliveries at most this long.
LONGEST_BACKOFF = timedelta(hours=1)
#: However long a server asks us to wait.
LONGEST_WAIT = timedelta(days=1)
#: Part of an interval by which a moment is moved, so that sources with one rhythm do not come together.
JITTER = 0.05
_CRON_JITTER = timedelta(minutes=1)
#: A steady clock and the wall clock go apart by so much at most, unless that was set, or the machine slept.
JUMP = timedelta(seconds=60)
_FIRST_RETRY = timedelta(minutes=1)
_TICK = timedelta(microseconds=1)
#: One second, the shortest interval, doubled so often is over an hour; more would only overflow.
_MOST_DOUBLINGS = 12
_GROWTH = 1.5
#: How many fires of a cron line are looked at for its spacing: enough to see past a night or a weekend.
_FIRES_SEEN = 8


def next_due(schedule: Schedule, now: datetime, rng: random.Random, *, interval: timedelta | None = None) -> datetime:
    """When a source that was just checked is due again.

    An interval is moved by at most ±5 %. A cron line fires when it says, up to 5 % of its spacing, at most a minute, later.
    `interval` (the source's own rhythm, see `rhythm`) is taken in place of the schedule.
    """
    if schedule.cron is not None and interval is None:
        latest = min(_spacing(schedule, now) * JITTER, _CRON_JITTER)
        return fire_times(schedule, now, 1)[0] + latest * rng.random()
    every = interval or schedule.every or DEFAULT_EVERY
    return now + every * rng.uniform(1 - JITTER, 1 + JITTER)


def after_failure(
    schedule: Schedule, now: datetime, rng: random.Random, *, failures: int, retry_after: float | None = None
) -> datetime:
    """When a source is due again after its `failures`-th failed check in a row (1 and up).

    The interval doubles with each failure, up to an hour or the interval itself, whichever is longer; ±5 %. `retry_after`
    (seconds, as the server asked) takes its place: never earlier than asked nor than the interval, and of what was asked at
    most a day; negative or not a number counts as not asked. Under a cron line the wait is reckoned from the line's own spacing
    and ends when the line fires, so that the hours it leaves out stay left out.
    """
    by_cron = schedule.cron is not None
    every = _spacing(schedule, now) if by_cron else schedule.every or DEFAULT_EVERY
    asked = _asked(retry_after)
    if asked is None:
        wait = min(every * _doubled(failures), max(every, LONGEST_BACKOFF))
        if not by_cron:
            return now + wait * rng.uniform(1 - JITTER, 1 + JITTER)
        return next_due(schedule, now + wait - every, rng)
    if by_cron:
        return next_due(schedule, now + asked, rng)
    return now + max(every * rng.uniform(1 - JITTER, 1 + JITTER), min(asked * rng.uniform(1, 1 + JITTER), LONGEST_WAIT))


def latest_due(schedule: Schedule, now: datetime, *, asked: bool) -> datetime:
    """When a source can be due at the latest; what is planned for later was planned by a wrong clock. `asked`: its server asked
    to wait."""
    wait = LONGEST_WAIT if asked else LONGEST_BACKOFF
    high = schedule.high or timedelta()
    if schedule.cron is not None:
        return max(fire_times(schedule, now + wait, 1)[0] + _CRON_JITTER, now + high * (1 + JITTER))
    return now + max(schedule.every or DEFAULT_EVERY, high, wait) * (1 + JITTER)


def jump(before: datetime, now: datetime, elapsed: float) -> timedelta | None:
    """By how much the wall clock was put forward (or back, below zero) while `elapsed` seconds went by; None for very little."""
    by = now - before - timedelta(seconds=elapsed)
    return by if abs(by) > JUMP else None


def rhythm(schedule: Schedule, last: timedelta | None, changed: bool) -> timedelta | None:
    """The source's own interval after a check: `low` after a change, half as long again each time nothing changed, up to
    `high`. `last` is the interval before, None at the first check. None where the schedule sets no bounds."""
    if schedule.low is None and schedule.high is None:
        return None
    every = schedule.every or DEFAULT_EVERY
    low = schedule.low if schedule.low is not None else min(every, schedule.high or every)
    high = max(low, schedule.high if schedule.high is not None else every)
    if changed:
        return low
    return min(max(every if last is None else last * _GROWTH, low), high)


def parse_cron(line: str, timezone: str) -> CronTrigger:
    """The trigger of a five-field cron line (minute, hour, day of month, month, day of week) in local time of `timezone`.

    Raises ValueError with a sentence for a person. Besides what is no cron line, two are refused that the library reads
    otherwise than cron does: weekdays as numbers (it counts from Monday = 0) and a day of the month together with a weekday
    (cron means either, the library both).
    """
    return _cron(line, timezone)


def fire_times(schedule: Schedule, now: datetime, n: int) -> list[datetime]:
    """The next `n` moments after `now`, without jitter. Raises ValueError for a bad cron line, as `parse_cron` does."""
    if schedule.cron is None:
        every = schedule.every or DEFAULT_EVERY
        return [now + every * count for count in range(1, n + 1)]
    trigger = parse_cron(schedule.cron, schedule.timezone)
    times: list[datetime] = []
    moment = now.astimezone(UTC)
    for _ in range(n):
        moment = _fire(trigger, moment)
        times.append(moment)
    return times


def backoff(attempts: int, rng: random.Random, retry_after: float | None = None) -> timedelta:
    """How long a delivery waits after its `attempts`-th failed try (1 and up): 1 minute, doubling, up to 1 hour, ±20 %.

    `retry_after` (seconds, as the service asked) takes its place: never shorter than asked, at most a day; a service that
    keeps asking for next to nothing is tried ever more slowly, up to once a minute.
    """
    asked = _asked(retry_after)
    if asked is not None:
        floor = min(timedelta(seconds=1) * _doubled(attempts), _FIRST_RETRY)
        return min(max(asked, floor) * rng.uniform(1, 1.1), LONGEST_WAIT)
    wait = min(_FIRST_RETRY * _doubled(attempts), LONGEST_BACKOFF) * rng.uniform(0.8, 1.2)
    return min(max(wait, _FIRST_RETRY), LONGEST_BACKOFF)


def next_local(now: datetime, at: time, timezone: str) -> datetime:
    """The next moment, once for each local day, at which the clock of `timezone` shows `at`.

    Where the clock is put forward past `at`, the moment it is put forward; where it shows `at` twice, the first time.
    """
    zone = ZoneInfo(timezone)
    today = now.astimezone(zone).date()
    days = (today + timedelta(days=ahead) for ahead in range(-1, 4))
    return next(moment for day in days if (moment := _instant(day, at, zone)) > now)


def quiet_until(now: datetime, window: tuple[time, time], timezone: str) -> datetime | None:
    """When the quiet hours that `now` lies in end, or None if it lies in none.

    `window` is (start, end) in local time of `timezone`, the end excluded; it may run over midnight. Equal ends: no window.
    """
    start, end = window
    if start == end:
        return None
    zone = ZoneInfo(timezone)
    today = now.astimezone(zone).date()
    for back in (2, 1, 0, -1):  # a zone may skip a whole day
        day = today - timedelta(days=back)
        until = _instant(day if start < end else day + timedelta(days=1), end, zone)
        if _instant(day, start, zone) <= now < until:
            return until
    return None


def _doubled(failures: int) -> int:
    """1, 2, 4 … for 1, 2, 3 … failures in a row."""
    return 1 << min(max(failures, 1) - 1, _MOST_DOUBLINGS)


def _asked(seconds: float | None) -> timedelta | None:
    """What a server asked for, within [0, 1 day]; None if nothing that can be used."""
    if seconds is None or math.isnan(seconds) or seconds < 0:
        return None
    return timedelta(seconds=min(seconds, LONGEST_WAIT.total_seconds()))


@lru_cache(maxsize=1024)
def _cron(line: str, timezone: str) -> CronTrigger:
    from apscheduler.triggers.cron import CronTrigger

    try:
        zone = ZoneInfo(timezone)
    except (KeyError, ValueError, OSError) as problem:  # unknown, malformed, a folder of the time zone data
        raise ValueError(f'"{timezone}" is no time zone; write a name such as "Asia/Shanghai"') from problem
    fields = line.split()
    if len(fields) != 5:
        raise ValueError(
            f'cron line "{line}" has {len(fields)} fields, not 5 (minute hour day month weekday), e.g. "*/10 8-20 * * mon-fri"'
        )
    if any(char.isdigit() for char in fields[4]):
        raise ValueError(
            f'cron line "{line}": write weekdays as names ("mon-fri", "sat,sun"); '
            f'numbers such as "{fields[4]}" mean other days to other programs'
        )
    if fields[2] != "*" and fields[4] != "*":
        raise ValueError(
            f'cron line "{line}": give a day of the month or a weekday, not both; programs differ in whether both must fit'
        )
    try:
        trigger = CronTrigger.from_crontab(line, timezone=zone)
    except ValueError as problem:
        raise ValueError(f'cron line "{line}" cannot be read: {problem}') from problem
    if trigger.get_next_fire_time(None, datetime(2000, 1, 1, tzinfo=UTC)) is None:
        raise ValueError(f'cron line "{line}" names a day that never comes')
    return trigger


def _fire(trigger: CronTrigger, after: datetime) -> datetime:
    """The first fire later than `after`, in UTC."""
    found: datetime | None = trigger.get_next_fire_time(None, (after + _TICK).astimezone(trigger.timezone))
    if found is None:  # the calendar ends in the year 9999
        raise ValueError("the cron line never fires again")
    return found.astimezone(UTC)


def _spacing(schedule: Schedule, now: datetime) -> timedelta:
    """The shortest time between the next few fires of a cron schedule."""
    times = fire_times(schedule, now, _FIRES_SEEN)
    return min(later - earlier for earlier, later in pairwise(times))


def _instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The first moment of local `day` at which the clock shows `at` or, where it skips that, later; in UTC."""
    wanted = datetime.combine(day, at.replace(tzinfo=None, fold=0))
    first = wanted.replace(tzinfo=zone).astimezone(UTC)
    if first.astimezone(zone).replace(tzinfo=None) == wanted:
        return first
    # A gap: the two readings of the wall time lie around it, and in between the clock runs forward.
    early = wanted.replace(tzinfo=zone, fold=1).astimezone(UTC)
    late = first
    while late - early > timedelta(seconds=1):
        middle = early + (late - early) // 2
        if middle.astimezone(zone).replace(tzinfo=None) >= wanted:
            late = middle
        else:
            early = middle
    return late.replace(microsecond=0)
