"""Dates that notices name, as a calendar that other programs read (RFC 5545). It chooses no dates and writes no file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from icalendar import Calendar, Event, vText

from monitor.model import Facts
from monitor.render import said
from monitor.render.words import Words
from monitor.text import line

_PRODUCT = "-//monitor//official announcements//EN"


@dataclass(frozen=True, slots=True)
class Dated:
    """One date of one notice. `fact`: deadline | due | effective; `seq`: its version; `withdrawn`: not published any more."""

    notice: int
    fact: str
    day: date
    title: str
    source: str
    url: str | None
    seq: int
    withdrawn: bool
    facts: Facts


def calendar(dates: Iterable[Dated], language: str, now: datetime) -> bytes:
    """A calendar with one all-day event a date, in UTF-8; the same dates give the same ids, so that a reader updates them.

    A date of a withdrawn notice is cancelled. `now` is aware."""
    words = Words(language)
    made = Calendar()
    made.add("prodid", _PRODUCT)
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    made.add("x-wr-calname", words("calendar"))
    for one in dates:
        made.add_component(_event(one, words, now))
    return bytes(made.to_ical())


def _event(one: Dated, words: Words, now: datetime) -> Event:
    event = Event()
    event.add("uid", f"notice-{one.notice}-{one.fact}@monitor")
    event.add("dtstamp", now.astimezone(UTC))
    event.add("sequence", one.seq)
    event.add("dtstart", one.day)
    event.add("dtend", one.day + timedelta(days=1))
    event.add("transp", "TRANSPARENT")
    event.add("status", "CANCELLED" if one.withdrawn else "CONFIRMED")
    event.add("summary", vText(line(words.fact(f"fact.{one.fact}", one.title))))
    event.add("categories", [words(f"fact.{one.fact}")])
    about = [*said.lines(one.facts, words, annexes=True), words.fact("source", one.source)]
    quoted = dict(one.facts.words).get(one.fact)
    event.add("description", "\n".join([*about, f"“{quoted}”"] if quoted else about))
    if one.url:
        event.add("url", one.url)
    return event
