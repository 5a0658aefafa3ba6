"""A notice's own page against what is known of it, and which pages are looked at when. Pure; it writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor import text
from monitor.decide.doubt import FLAPS, doubtful, files_print
from monitor.decide.nouns import Known
from monitor.model import Document, Notice, Purpose, Source, when_text


def page_print(document: Document) -> str:
    """The fingerprint of a page: title, text and the files that it links to. Its date and its pictures never enter it."""
    return text.fingerprint({"title": document.title, "text": document.text, "files": files_print(document.attachments)})


def page_how(source: Source, document: Document) -> str:
    """How a page was read: the reader, its version, and the options that shape its text."""
    return f"{document.reader}:{source.how.rpartition(':')[2]}"


def read_alike(source: Source, how: str | None) -> bool:
    """Whether a page that was read as `how` (None: never) would be read by the same options now."""
    return not how or how.rpartition(":")[2] == source.how.rpartition(":")[2]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a reading of a page means. `act`: enrich | same | revise | reread | doubt | settle; `reason` says why."""

    act: str
    print: str
    how: str
    reason: str
    silence: str | None = None
    flapping: bool = False


def judge_page(source: Source, known: Known, document: Document) -> Verdict:
    """A page against what is known of it: the first reading enriches and is never a revision."""
    print_, how = page_print(document), page_how(source, document)
    if known.page_print is None:
        return Verdict("enrich", print_, how, "first reading")
    if known.page_print == print_:
        return Verdict("settle" if "page" in known.doubts else "same", print_, how, "as it was")
    if known.page_how != how:
        return Verdict("reread", print_, how, f"read by {how}, before by {known.page_how}")
    if why := doubtful(known, "page", print_, document.text):
        return Verdict("doubt", print_, how, why)
    if known.revised_today >= FLAPS:
        return Verdict("revise", print_, how, "flapping", "flapping", flapping=known.last_reason != "flapping")
    return Verdict("revise", print_, how, "attachments" if document.text and document.text == known.text else "text")


#: Between two readings of a baseline's pages.
SLOWLY = timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One page or attachment that is to be read."""

    url: str
    purpose: Purpose
    due_at: datetime
    why: str


def wanted(source: Source, rows: Sequence[Notice], now: datetime, *, baseline: bool) -> dict[str, Wanted]:
    """For each row's key, the reading of its own page. At a baseline: the newest `backfill` rows, newest first, slowly; rows
    without a date after those that have one. Else at once."""
    if not source.follow:
        return {}
    chosen = [row for row in rows if row.url]
    if baseline:
        chosen = sorted(chosen, key=lambda row: when_text(row.published) or "", reverse=True)[: source.backfill]
    return {
        row.key: Wanted(row.url, Purpose.DOCUMENT, now + SLOWLY * place if baseline else now, "first")
        for place, row in enumerate(chosen)
        if row.url
    }


def next_look(source: Source, first_seen: datetime, step: int, now: datetime) -> tuple[datetime | None, int]:
    """When an old notice is looked at again, by the decaying plan (ages since first sight); None when the plan is over."""
    for place, age in enumerate(source.recheck[step:], start=step):
        if first_seen + age > now:
            return first_seen + age, place + 1
    return None, len(source.recheck)
