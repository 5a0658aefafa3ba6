"""A notice's own page against what is known of it, and which pages are looked at when. Pure; it writes nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor import text
from monitor.decide.doubt import FLAPS, doubtful, files_print, something_else
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


def shown_title(row_title: str, page_title: str | None) -> str:
    """The title to show: the row's, or the page's where the row cut it short."""
    stem = re.sub(r"[….·\s]+$", "", row_title)
    if page_title and (not row_title or (len(page_title) > len(row_title) and text.fold(page_title).startswith(text.fold(stem)))):
        return page_title
    return row_title


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
    titled = known.page_title is not None and document.title != known.page_title
    if why := doubtful(known, "page", print_, document.title or "", document.text, titled=titled, own=True):
        return Verdict("doubt", print_, how, why)
    same = document.text and document.text == known.text
    if same and titled and document.title == known.shown:
        return Verdict("reread", print_, how, "its row said so before")
    if known.revised_today >= FLAPS:
        return Verdict("revise", print_, how, "flapping", "flapping", flapping=known.last_reason != "flapping")
    return Verdict("revise", print_, how, "title" if same and titled else "attachments" if same else "text")


def is_other(known: Known, document: Document) -> bool:
    """Whether a page says something else entirely than is known of its notice."""
    if known.page_print == page_print(document):
        return False
    return something_else(known, document.title or "", document.text)


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


#: The ages at which pictures are fetched again: they are many, heavy, and seldom exchanged.
PICTURES_AGAIN = (timedelta(days=1), timedelta(days=7))


def next_look(source: Source, first_seen: datetime, now: datetime, purpose: Purpose = Purpose.DOCUMENT) -> datetime | None:
    """When an old notice's page or file is looked at again, by the decaying plan (ages since first sight); None when the plan is
    over. A look for another reason takes nothing from the plan."""
    plan = PICTURES_AGAIN if purpose is Purpose.PICTURE and source.recheck else source.recheck
    return next((first_seen + age for age in plan if first_seen + age > now), None)
