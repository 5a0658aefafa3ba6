"""When a row was published: the dates of feeds and lists, read strictly. A date that cannot be meant is unknown.

It finds no date in running text; `facts.parse_when` does, and is asked for every form that no standard names.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from datetime import timezone as fixed
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo

from monitor import facts
from monitor.model import When

_ISO = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]\s*(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2})?)?",
    re.IGNORECASE,
)
#: Java's Date.toString(), e.g. "Thu Mar 14 10:00:00 CST 2024", in the order of RFC 822.
_JAVA = re.compile(r"(?:[A-Z][a-z]{2}) ([A-Z][a-z]{2}) (\d{1,2}) (\d{2}:\d{2}:\d{2}) ([A-Z]{3,4}) (\d{4})")
_GMT_OFFSET = re.compile(r"\b(?:GMT|UTC)\s*([+-])(\d{1,2})(?::?(\d{2}))?$")
#: Where CST is China's time, not America's.
_CHINA = frozenset({"Asia/Shanghai", "Asia/Chongqing", "Asia/Harbin", "Asia/Urumqi", "Asia/Taipei", "Asia/Macau", "PRC"})
#: How long ago, rounded: the day that it gives moves while nothing has changed.
_AGO = re.compile(
    r"(?:秒钟?|分钟?|小时|钟头|天|日|周|星期|个?月|年|seconds?|min(?:ute)?s?|hours?|days?|weeks?|months?|years?)\s*(?:之?前|ago)$",
    re.IGNORECASE,
)
_FIRST_YEAR = 1949


def local_day(at: datetime, timezone: str) -> date:
    """The day that it is at `at` in `timezone`, against which dates without a year are read."""
    return at.astimezone(ZoneInfo(timezone)).date()


def published(raw: str, at: datetime, timezone: str) -> When | None:
    """The date or moment (UTC) that `raw` names: ISO 8601 (RFC 3339, W3C-DTF), RFC 822, Java's form, else what `facts` reads.
    Without a zone it is local time of `timezone`. None where it names none, one that cannot be meant, or how long ago it was."""
    raw = " ".join(raw.split())
    if not raw or _AGO.search(raw):
        return None
    try:
        found = _iso(raw, timezone) or _rfc822(raw, timezone)
    except (ValueError, OverflowError):  # the 31st of June
        return None
    return plausible(found or facts.parse_when(raw, local_day(at, timezone), timezone), at)


def exactly(raw: str, timezone: str) -> When | None:
    """What `raw` names where it is written in ISO 8601, which is the same whenever it is read; None where it is not."""
    try:
        return _iso(raw.strip(), timezone)
    except (ValueError, OverflowError):  # the 31st of June
        return None


def plausible(when: When | None, at: datetime) -> When | None:
    """`when`, or None where no publisher can mean it: before 1949, the zero of a clock, or over two days ahead of `at`."""
    if when is None:
        return None
    moment = when if isinstance(when, datetime) else datetime(when.year, when.month, when.day, tzinfo=UTC)
    if moment.year < _FIRST_YEAR or (isinstance(when, datetime) and moment == datetime(1970, 1, 1, tzinfo=UTC)):
        return None
    return when if moment <= at + timedelta(days=2) else None


def _iso(raw: str, timezone: str) -> When | None:
    match = _ISO.fullmatch(raw)
    if match is None:
        return None
    year, month, day = int(match[1]), int(match[2]), int(match[3])
    if match[4] is None:
        return date(year, month, day)
    moment = datetime(
        year, month, day, int(match[4]), int(match[5]), min(int(match[6] or 0), 59), tzinfo=_zone(match[7], timezone)
    )
    return moment.astimezone(UTC)


def _zone(name: str | None, timezone: str) -> tzinfo:
    if name is None:
        return ZoneInfo(timezone)
    if not name.startswith(("+", "-")):
        return UTC
    digits = name[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return fixed(offset if name[0] == "+" else -offset)


def _rfc822(raw: str, timezone: str) -> When | None:
    raw = _JAVA.sub(r"\2 \1 \5 \3 \4", raw)
    raw = _GMT_OFFSET.sub(lambda found: f"{found[1]}{int(found[2]):02}{found[3] or '00'}", raw)
    raw = re.sub(r"-0000$", "+0000", raw)
    if timezone in _CHINA:
        raw = re.sub(r"\bCST\b", "+0800", raw)
    timed = ":" in raw
    try:
        moment = parsedate_to_datetime(raw if timed else f"{raw} 00:00:00")
    except (TypeError, ValueError, IndexError):  # what the standard library raises for text that is no date
        return None
    if not timed:
        return moment.date()
    return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(timezone))).astimezone(UTC)
