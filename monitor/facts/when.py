"""Dates as official texts and lists write them.

It does not look for a date in a page (the readers know where one stands) and never guesses: what is ambiguous or impossible
is None. It reads no clock: the caller says what day it is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from datetime import timezone as fixed_zone
from typing import NamedTuple
from zoneinfo import ZoneInfo

from monitor.model import When
from monitor.text import line

#: Only so much of a text is looked at: a date stands near its label.
_LOOKED_AT = 300
_OLDEST_YEAR = 1900
#: What a database shows for a date that was never set.
_UNSET = date(1970, 1, 1)
#: A year that is not written is chosen so that the date lies at most this far ahead (clocks, and lists dated for tomorrow).
_AHEAD = timedelta(days=3)
_TOO_FAR = timedelta(days=366)

_DIGITS = {char: str(value) for value, char in enumerate("〇一二三四五六七八九")} | dict.fromkeys("○◯零", "0")
_DIGIT = f"[{''.join(_DIGITS)}]"
_NUMERAL = r"(?:[二三]?十[一二三四五六七八九]?|廿[一二三四五六七八九]?|卅一?|[一二三四五六七八九正元])"
_CHINESE = re.compile(rf"({_DIGIT}{{4}})\s*年\s*({_NUMERAL})\s*月\s*(?:({_NUMERAL})\s*[日号])")

_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?"
    r"|dec(?:ember)?|十[一二]月|[一二三四五六七八九十]月|1[0-2]月|0?[1-9]月)"
)
_YMD = re.compile(
    r"(?<![\d.])(\d{4})\s?(?:([-/.])\s?(\d{1,2})\s?\2\s?(\d{2}(?=\d{2}:)|\d{1,2}(?!\d))|年\s?(\d{1,2})\s?月\s?(\d{1,2})(?!\d)\s?[日号]?)"
)
_COMPACT = re.compile(r"(?<!\d)((?:19|20)\d{2})(\d{2})(\d{2})(?:T?(\d{2})(\d{2})(\d{2})?)?(?!\d)")
_DMY = re.compile(r"(?<![\d./-])(\d{1,2})([/.])(\d{1,2})\2(\d{4})(?!\d)")
_D_MON_Y = re.compile(rf"(?<!\d)(\d{{1,2}})(?:st|nd|rd|th)?[\s-]+{_MONTH}\.?,?[\s-]+(\d{{4}}|\d{{2}}(?![\d:]))(?!\d)", re.I)
_MON_D_Y = re.compile(rf"(?<![a-z]){_MONTH}\.?\s+(\d{{1,2}})(?:st|nd|rd|th)?,?\s+(\d{{4}})(?!\d)", re.I)
_ASCTIME = re.compile(
    rf"(?<![a-z]){_MONTH}\s+(\d{{1,2}})\s+(\d{{1,2}}:\d{{2}}:\d{{2}})\s*([a-z]{{3,4}}|[+-]\d{{4}})?\s+(\d{{4}})(?!\d)", re.I
)
_MONTH_DAY_WORDS = re.compile(r"(?<![\d年])(\d{1,2})\s?月\s?(\d{1,2})\s?[日号]")
_LABEL = r"(?:[^\d:]{0,8}(?:时间|日期|发布|发文|更新|date|published|updated)[^\d:]{0,4}:?\s*)?"
_MONTH_DAY = re.compile(rf"{_LABEL}[\[(【〔]?\s?(\d{{1,2}})([-/.])(\d{{1,2}})(?:\s?[\])】〕]|(?=\s)|$)", re.I)
_NUMBER = re.compile(rf"{_LABEL}(\d{{10}}|\d{{13}})(?:\.\d+)?", re.I)
_LABELLED_COMPACT = re.compile(rf"{_LABEL}(?=\d{{8}})", re.I)

_AGO = re.compile(
    r"(\d{1,4}|[一二两三四五六七八九十半])\s*(?:个)?(秒钟?|分钟?|小时|天|日|seconds?|minutes?|mins?|hours?|days?)\s*(?:之?前|ago)",
    re.I,
)
_DAY_WORDS = re.compile(r"(大前天|前天|昨[天日]|今[天日]|刚刚|刚才|just now|yesterday|today)", re.I)
_DAYS_BACK = {"大前天": 3, "前天": 2, "昨天": 1, "昨日": 1, "yesterday": 1}

_TIME = re.compile(
    r"(?:\s?T\s?|[\s,]*\(?(?:星期|周|礼拜)[一二三四五六日天]\)?[\s,]*|[\s,(\])】〕]*(?:at\s)?)"
    r"(?P<half>上午|下午|晚上|中午|凌晨|早上|傍晚)?\s?"
    r"(?<!\d)(?P<hour>\d{1,2})(?:\s?[:时点]\s?(?P<minute>\d{2}|\d(?=分))?(?:\s?[:分]\s?(?P<second>\d{2})?(?:[.,](?P<part>\d+))?)?)[分秒]?(?!\d)"
    r"(?:\s?(?P<ampm>[ap])\.?m\b\.?)?"
    r"(?P<zone>\s?(?:(?:GMT|UTC)\s?[+-]\d{1,2}(?::?\d{2})?|Z\b|[+-]\d{2}(?::?\d{2})?(?!\d)|\(?[A-Z]{2,4}\b))?",
    re.I,
)
_ZONES = {
    "Z": 0, "UT": 0, "UTC": 0, "GMT": 0, "WET": 0, "BST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "MSK": 3, "SGT": 8,
    "HKT": 8, "JST": 9, "KST": 9, "EST": -5, "EDT": -4, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
}  # fmt: skip


def parse_when(text: str, today: date, timezone: str = "Asia/Shanghai") -> When | None:
    """The first date that `text` tells, with its time if it tells one: a `date`, or an aware `datetime` in UTC.

    Read are the forms of Chinese official sites (2026-01-08, 2026年1月8日, 二〇二六年一月八日, [01-08], 20260108, 昨天 10:20,
    发布时间：2026-01-08 10:22 …), ISO 8601, RFC 822 and asctime with their usual mistakes, English dates, epoch seconds and
    milliseconds, and words such as 3小时前. A full date counts before one without a year. A time without a zone is local time
    of `timezone` (IANA name); "CST" is China's in Asia, else America's. Without a year, the latest is meant that puts the date
    at most three days ahead of `today`.

    `today` is the local day of the look; an aware `datetime` is taken as the moment of the look. Words such as 3小时前 give a
    day without time, since the moment they mean moves with each look. None: nothing found; the first date does not exist; it
    lies before 1900 or more than a year ahead, or is 1970-01-01 ("never set"); it can be read in two ways (01/02/2026).

    Raises `zoneinfo.ZoneInfoNotFoundError` for an unknown `timezone`.
    """
    zone = ZoneInfo(timezone)
    moment: datetime | None = None
    if isinstance(today, datetime):
        moment = today if today.tzinfo else today.replace(tzinfo=zone)
        today = moment.astimezone(zone).date()
    words = line(unicodedata.normalize("NFKC", line(text[: _LOOKED_AT * 20])[:_LOOKED_AT]))
    for read in (_numeric, _chinese, _english, _relative, _month_day):
        for found in read(words, _Look(today, moment, zone)):
            return _believable(found, today, zone)
    return None


class _Look(NamedTuple):
    """When and where the text was seen; `moment` is None where only the day is known."""

    today: date
    moment: datetime | None
    zone: ZoneInfo


_Found = Iterator[When | None]


def _believable(when: When | None, today: date, zone: ZoneInfo) -> When | None:
    """`when` in UTC unless it is too old, too far ahead, or what stands for "never set"."""
    if when is None:
        return None
    if not 1 < when.year < 9999:  # what programs write for "never"; another zone may have no such day
        return None
    day = when.astimezone(zone).date() if isinstance(when, datetime) else when
    if day.year < _OLDEST_YEAR or day == _UNSET or day - today > _TOO_FAR:
        return None
    return when.astimezone(UTC) if isinstance(when, datetime) else when


def _day(year: int | str, month: int | str, day: int | str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def _with_time(day: date | None, rest: str, zone: ZoneInfo) -> When | None:
    """`day` with the time of day that `rest` begins with, if it does; a time that does not exist leaves the day alone."""
    found = _TIME.match(rest)
    if day is None or found is None or (found["minute"] is None and ":" in found[0]):
        return day
    hour, minute, second = (int(found[name] or 0) for name in ("hour", "minute", "second"))
    half = (found["ampm"] or "").lower()
    if hour <= 12 and (half == "p" or found["half"] in ("下午", "晚上", "傍晚", "中午")):
        hour += 12 if hour < 12 and not (found["half"] == "中午" and hour >= 11) else 0
    elif hour == 12 and (half == "a" or found["half"] == "凌晨"):
        hour = 0
    extra = timedelta(days=1) if (hour, minute, second) == (24, 0, 0) else timedelta()
    micro = int((found["part"] or "")[:6].ljust(6, "0"))
    try:
        clock = time(0 if extra else hour, minute, min(second, 59) if second == 60 else second, micro)
        exact = found["second"] is not None or "T" in found[0][:3].upper()
        return datetime.combine(day + extra, clock, _zone((found["zone"] or "").strip(" ("), zone, exact=exact))
    except (ValueError, OverflowError):
        return day


def _zone(name: str, local: ZoneInfo, *, exact: bool) -> tzinfo:
    """The zone that a time names, else `local`. "10:22-11:30" is a span of time and no offset, so a negative offset counts
    only after an `exact` time (with seconds, or after a T)."""
    name = name.upper()
    if name == "CST":
        return local if (local.key or "").startswith("Asia/") else fixed_zone(timedelta(hours=-6))
    if name in _ZONES:
        return fixed_zone(timedelta(hours=_ZONES[name]))
    found = re.fullmatch(r"(GMT|UTC)?\s?([+-])(\d{1,2}):?(\d{2})?", name)
    if found is None or (found[2] == "-" and not exact and not found[1]):
        return local
    offset = timedelta(hours=int(found[3]), minutes=int(found[4] or 0))
    if offset > timedelta(hours=14):
        return local
    return fixed_zone(offset if found[2] == "+" else -offset)


def _numeric(words: str, look: _Look) -> _Found:
    """2026-01-08, 2026年1月8日, 20260108102203, 08.01.2026, epoch seconds and milliseconds; each with a time behind it."""
    if found := _NUMBER.fullmatch(words):
        yield datetime.fromtimestamp(int(found[1]) / (1000 if len(found[1]) == 13 else 1), UTC)
    if found := _YMD.search(words):
        day = _day(found[1], found[3] or found[5], found[4] or found[6])
        yield _with_time(day, words[found.end() :], look.zone)
    label = _LABELLED_COMPACT.match(words)
    if label and (found := _COMPACT.match(words, label.end())):
        rest = words[found.end() :]
        if found[4]:
            rest = f" {found[4]}:{found[5]}:{found[6] or '00'}{rest}"
        yield _with_time(_day(found[1], found[2], found[3]), rest, look.zone)
    if found := _DMY.search(words):
        first, second = int(found[1]), int(found[3])
        if found[2] == "." or first > 12 or first == second:
            day = _day(found[4], second, first)
        else:
            day = _day(found[4], first, second) if second > 12 else None
        yield _with_time(day, words[found.end() :], look.zone)


def _numeral(text: str) -> int:
    """A Chinese numeral up to 39."""
    text = text.replace("廿", "二十").replace("卅", "三十").replace("正", "一").replace("元", "一")
    tens, ten, units = text.rpartition("十")
    value = int(_DIGITS.get(units, "0"))
    return value + (int(_DIGITS.get(tens, "1")) * 10 if ten else 0)


def _chinese(words: str, look: _Look) -> _Found:
    """二〇二六年一月八日, with any of the signs that are written for zero."""
    if found := _CHINESE.search(re.sub(r"(?<=[一二三四五六七八九〇○零])[oO0]|[oO0](?=[一二三四五六七八九〇○零])", "〇", words)):
        year = "".join(_DIGITS[char] for char in found[1])
        yield _with_time(_day(year, _numeral(found[2]), _numeral(found[3])), words[found.end() :], look.zone)


def _month_number(name: str) -> int:
    if name.endswith("月"):
        name = name.removesuffix("月")
        return int(name) if name.isdigit() else _numeral(name)
    return _MONTH_NAMES.index(name[:3].lower()) + 1


def _english(words: str, look: _Look) -> _Found:
    """Thu, 08 Jan 2026 10:22:03 +0800; 8 January 2026; January 8, 2026; Thu Jan  8 10:22:03 CST 2026."""
    if found := _ASCTIME.search(words):
        rest = f" {found[3]} {found[4] or ''}"
        yield _with_time(_day(found[5], _month_number(found[1]), found[2]), rest, look.zone)
    if found := _D_MON_Y.search(words):
        year = int(found[3])
        if year < 100:  # RFC 2822, section 4.3
            year += 2000 if year < 50 else 1900
        yield _with_time(_day(year, _month_number(found[2]), found[1]), words[found.end() :], look.zone)
    if found := _MON_D_Y.search(words):
        yield _with_time(_day(found[3], _month_number(found[1]), found[2]), words[found.end() :], look.zone)


def _relative(words: str, look: _Look) -> _Found:
    """昨天 10:20, 前天, 3小时前, 5 minutes ago, 刚刚."""
    if found := _AGO.search(words):
        unit = found[2].lower()
        count = 0.5 if found[1] == "半" else float(found[1]) if found[1].isdigit() else _numeral(found[1].replace("两", "二"))
        if unit[0] in ("天", "日", "d"):
            yield look.today - timedelta(days=int(count))
        else:
            hours = count if unit[0] in ("小", "h") else count / (60 if unit[0] in ("分", "m") else 3600)
            yield _hours_before(hours, look)
    if found := _DAY_WORDS.search(words):
        day = look.today - timedelta(days=_DAYS_BACK.get(found[1].lower(), 0))
        yield _with_time(day, words[found.end() :], look.zone)


def _hours_before(hours: float, look: _Look) -> date:
    if look.moment is not None:
        return (look.moment - timedelta(hours=hours)).astimezone(look.zone).date()
    return look.today - timedelta(days=int(hours // 24))


def _month_day(words: str, look: _Look) -> _Found:
    """1月8日 anywhere; 01-08, [01-08] and 1/8 only where the text is nothing but a date."""
    month = day = ""
    if found := _MONTH_DAY_WORDS.search(words):
        month, day = found[1], found[2]
    elif found := _MONTH_DAY.match(words):
        month, day = found[1], found[3]
        if words[found.end() :].strip() and not _TIME.fullmatch(words[found.end() :]):
            return
    if found:
        yield _with_time(_latest(int(month), int(day), look.today), words[found.end() :], look.zone)


def _latest(month: int, day: int, today: date) -> date | None:
    """The last such day that lies at most a few days ahead; the 29th of February may lie up to eight years back."""
    for year in range(min(today.year + 1, 9999), max(today.year - 9, 1), -1):
        found = _day(year, month, day)
        if found and found - today <= _AHEAD:
            return found
    return None
