"""Loop 1: read one page, attachment or picture of a notice: look, judge, store, tell, in this order and in one place."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor import decide, documents, schedule, urls
from monitor.check import attached, parts, passes, texts
from monitor.check.desk import Desk
from monitor.check.lines import log_changes
from monitor.check.prepared import Prepared
from monitor.check.texts import Brought
from monitor.check.walk import led
from monitor.decide import Known, Restore, Verdict, Withdraw
from monitor.errors import Challenge, FetchError, SourceError
from monitor.look import Looked, look
from monitor.model import Document, Kind, Purpose, Reading, Request, Source, when_from
from monitor.store import changes, doubts, files, notices, readings, sources
from monitor.store.apply import turn
from monitor.store.database import Connection, moment
from monitor.tell import elsewhere, tell
from monitor.words import Words

#: A page that failed this often in a row is left until its next planned look.
ATTEMPTS = 6
#: Why a page is looked at that was seen gone, or otherwise, or whose row is missing; and how often where all else is over.
DOUBTS, DOUBTED_AGAIN = ("confirm", "missing"), timedelta(days=1)


@dataclass(slots=True)
class _Work:
    """One reading inside its transaction: `told` collects the changes that routes must see; `gone_at`: when the page was seen
    gone, if it was at the last look."""

    desk: Desk
    source: Source
    reading: Reading
    gone_at: datetime | None
    now: datetime
    told: list[int]
    reads: Prepared
    brought: Brought | None = None

    def every(self) -> timedelta:
        """The source's interval."""
        due = schedule.after_failure(self.source.schedule, self.now, self.desk.rng, failures=1)
        return due - self.now


def read(desk: Desk, reading_id: int) -> bool:
    """Do one reading; whether it went well. False, too, where it is no longer wanted. Raises StoreError."""
    with desk.store.read() as conn:
        found = readings.load(conn, reading_id)
        row = notices.row(conn, found[0].notice) if found else None
    if found is None or row is None or found[0].source not in desk.config.sources:
        return False
    reading, gone_at = found
    if reading.purpose is Purpose.TEXT:
        return texts.work_out(desk, reading)
    source = desk.source(reading.source)
    if source.via == "browser":
        with desk.store.read() as conn:
            passes.recall(desk, source, sources.state(conn, source.id))
        if reading.why == "confirm":
            passes.unsure(desk, source)
    # read differently from now on: "not modified" would leave the page as it was read before
    validators = reading.validators if decide.read_alike(source, row["page_how"]) else None
    is_file = reading.purpose is not Purpose.DOCUMENT
    purpose = Purpose.ATTACHMENT if is_file else Purpose.DOCUMENT
    request = Request(reading.url, purpose, via=source.via, headers=source.headers, validators=validators)
    try:
        with desk.pace.turn(urls.host(reading.url)):
            asked = passes.handed(desk, source, request)
            looked: Looked | SourceError = passes.learn(desk, source, look(source, asked, desk.now))
        if isinstance(looked, Looked) and source.follow:
            looked = parts.whole(desk, source, looked)
    except SourceError as error:
        looked = error
    reads = Prepared(desk.config.bodies, copied=elsewhere(source))
    if isinstance(looked, Looked) and isinstance(looked.result, Document) and looked.result.text != row["text"]:
        _read_ahead(reads, row, looked.result)
    brought = None
    if is_file and isinstance(looked, Looked) and looked.raw is not None:
        brought = texts.brought(desk, reading, looked.raw, hashlib.sha256(looked.raw).hexdigest())
    with desk.store.write() as conn:
        work = _Work(desk, source, reading, gone_at, desk.now(), [], reads, brought)
        if readings.load(conn, reading_id) is None:
            return False
        well = _settle(conn, work, looked)
        if reading.purpose is Purpose.DOCUMENT:
            _release(conn, work)
        elif reading.purpose is Purpose.PICTURE:
            work.told += texts.heard(conn, desk, reading.notice)
        tell(conn, desk.config, work.told, work.now)
    log_changes(desk, work.told, but=Kind.NEW)
    return well


def _read_ahead(reads: Prepared, row: sqlite3.Row, document: Document) -> None:
    """Read what the page says of itself, as `notices.push` will ask for it."""
    title = decide.shown_title(row["row_title"], document.title)
    published = when_from(row["published"]) or document.published
    labels = (*((name, value) for name, value in json.loads(row["labels"])), *document.labels)
    reads(title, document.text, published, document.issuer or row["origin"], labels)


def _settle(conn: Connection, work: _Work, looked: Looked | SourceError) -> bool:
    if isinstance(looked, SourceError):
        if isinstance(looked, FetchError) and looked.status in (404, 410):
            _gone(conn, work, f"its page answers {looked.status}")
            return True
        _failed(conn, work, looked)
        return False
    if isinstance(looked.result, Document) and looked.result.gone:
        _gone(conn, work, f"its page says: {looked.result.gone}")
        return True
    other = _is_other(conn, work, looked)
    if other and _led_away(looked):
        url = looked.url.partition("?")[0]
        _failed(conn, work, SourceError(f"not the notice's page: {url} answered instead, and says nothing of it"))
        return False
    if not other:
        _there(conn, work)
    if work.reading.purpose is not Purpose.DOCUMENT:
        return _file(conn, work, looked)
    if isinstance(looked.result, Document) and work.source.follow:
        _document(conn, work, looked, looked.result)
    else:
        doubts.settle(conn, work.reading.notice, "page")
        _next(conn, work, looked)
    return True


def _is_other(conn: Connection, work: _Work, looked: Looked) -> bool:
    """Whether the page that came says something else entirely than the notice's did; or, where that was never read, than its row:
    there another page must have answered, and it is taken in the end, for what a row says may be a mere "more"."""
    if work.reading.purpose is not Purpose.DOCUMENT or not isinstance(looked.result, Document):
        return False
    k, _ = notices.one(conn, work.reading.notice, work.now)
    if k.page_print is None and (work.reading.attempts >= ATTEMPTS or not _led_away(looked)):
        return False
    return decide.is_other(k, looked.result)


def _led_away(looked: Looked) -> bool:
    """Whether another page answered, for now; the same one of another host (`www`) is no other."""
    asked, answered = (urls.identity(url).partition("/")[2] for url in (looked.request.url, looked.url))
    return led(looked) and asked != answered


def _release(conn: Connection, work: _Work) -> None:
    """The reading has ended, well or not: a held message goes, unless all that the page says stands in its pictures, whose words
    are on their way; one that went is routed again, with the words of the page."""
    change = changes.new_of(conn, work.reading.notice)
    if change is not None and change.silence == changes.HELD and texts.awaited(conn, work.desk, work.reading.notice):
        return
    waits = change is not None and (change.silence == changes.HELD or work.reading.why == "first")
    if change is not None and waits and change.id not in work.told:
        work.told.append(change.id)


def _next(conn: Connection, work: _Work, looked: Looked, at: datetime | None = None, why: str = "recheck") -> None:
    """Put the reading where its plan says; `at` where it must be sooner."""
    row = notices.row(conn, work.reading.notice)
    assert row is not None
    planned = None
    if work.source.follow:
        planned = decide.next_look(work.source, notices.first_seen(row), work.now, work.reading.purpose)
    readings.done(
        conn,
        work.reading.id,
        work.now,
        why=why,
        next_at=at or planned,
        validators=looked.validators if why != "confirm" else None,
    )


def _failed(conn: Connection, work: _Work, error: SourceError) -> None:
    """Tried again with back-off; then left until the plan's next look. What was seen once, and has to be seen again before it
    counts, is never left."""
    asked = error.retry_after if isinstance(error, FetchError | Challenge) else None
    attempts = work.reading.attempts + 1
    due: datetime | None = schedule.after_failure(
        work.source.schedule, work.now, work.desk.rng, failures=attempts, retry_after=asked
    )
    if attempts >= ATTEMPTS:
        row = notices.row(conn, work.reading.notice)
        assert row is not None
        due = decide.next_look(work.source, notices.first_seen(row), work.now, work.reading.purpose)
        if due is None and work.reading.why in DOUBTS:
            due = work.now + DOUBTED_AGAIN
    readings.failed(conn, work.reading.id, error.message, due)


def _gone(conn: Connection, work: _Work, reason: str) -> None:
    """Gone once is looked at again after `every`; gone twice is withdrawn, and looked at by the plan anew. An attachment that is
    gone is only noted."""
    k, row = notices.one(conn, work.reading.notice, work.now)
    again = work.now + work.every()
    if work.reading.purpose is not Purpose.DOCUMENT:
        readings.failed(conn, work.reading.id, reason, again if work.reading.attempts < ATTEMPTS else None)
        return
    planned: datetime | None = again
    if k.state == "withdrawn":
        planned = decide.next_look(work.source, moment(row["gone_at"]) or work.now, work.now)
    elif work.gone_at is not None and (work.reading.why != "missing" or work.now - work.gone_at >= work.every()):
        # a missing row asks at once: that alone is not the look after `every`
        planned = decide.next_look(work.source, work.now, work.now)
        work.told.append(turn(conn, work.source.id, Withdraw(k, "page", f"{reason}, twice"), work.now))
    readings.done(conn, work.reading.id, work.now, why="confirm", next_at=planned, validators=None, gone=True)


def _there(conn: Connection, work: _Work) -> None:
    """The page answers: a notice that was withdrawn by its page is back."""
    k, _ = notices.one(conn, work.reading.notice, work.now)
    if work.reading.purpose is Purpose.DOCUMENT and k.state == "withdrawn" and k.gone_by == "page":
        work.told.append(turn(conn, work.source.id, Restore(k, "its page answers again"), work.now))


# --- pages


def _document(conn: Connection, work: _Work, looked: Looked, document: Document) -> None:
    k, row = notices.one(conn, work.reading.notice, work.now)
    verdict = decide.judge_page(work.source, k, document)
    if verdict.act in ("enrich", "revise", "reread"):
        seq = _push(conn, work, looked, document, verdict, _title(k, row["row_title"], document, verdict), row)
        if verdict.act == "enrich":
            _enriched(conn, work, k, seq)
        elif verdict.act == "revise":
            _revised(conn, work, k, verdict, seq)
    elif verdict.act == "doubt":
        doubts.keep(conn, k.id, "page", verdict.print, work.now)
        _next(conn, work, looked, work.now + work.every(), "confirm")
        return
    else:
        notices.page_facts(conn, k.id, verdict.how, document)
    if "page" in k.doubts:
        doubts.settle(conn, k.id, "page")
    _next(conn, work, looked)


def _title(k: Known, row_title: str, document: Document, verdict: Verdict) -> str:
    """The title to show: where the page has another one than before, that is what is told."""
    if verdict.act == "revise" and k.page_title is not None and document.title and document.title != k.page_title:
        return document.title
    return decide.shown_title(row_title, document.title)


def _push(
    conn: Connection, work: _Work, looked: Looked, document: Document, verdict: Verdict, title: str, row: sqlite3.Row
) -> int:
    notices.page_facts(conn, row["id"], verdict.how, document)
    shown = decide.pictures(
        work.source, document, baseline=bool(row["baseline"]), ocr=documents.engine(work.desk.config.ocr) is not None
    )
    attached = (*document.attachments, *shown)
    had = {one.url for one in files.attachments_of(conn, row["id"])}
    seq = notices.push(
        conn,
        row["id"],
        notices.State(
            reason={"enrich": "page", "revise": verdict.reason, "reread": "reread"}[verdict.act],
            how=verdict.how,
            title=title,
            text=document.text,
            page_print=verdict.print,
            raw=looked.raw,
            attachments=attached,
        ),
        work.now,
        work.reads,
    )
    files.attach(conn, row["id"], attached, work.now)
    for file in document.attachments:
        readings.want(conn, work.source.id, row["id"], file.url, Purpose.ATTACHMENT, "first", work.now)
    for file in shown:
        if file.url not in had:
            readings.want(conn, work.source.id, row["id"], file.url, Purpose.PICTURE, "first", work.now)
    return seq


def _enriched(conn: Connection, work: _Work, k: Known, seq: int) -> None:
    """The first reading is no change: the message about the notice tells of the fuller version, and the routes see its words."""
    change = changes.new_of(conn, k.id)
    if change is not None:
        changes.point(conn, change.id, seq)
        if change.silence != changes.HELD:  # else `_release` says when
            work.told.append(change.id)


def _revised(conn: Connection, work: _Work, k: Known, verdict: Verdict, seq: int) -> None:
    if verdict.flapping:
        say = decide.flapping(k)
        work.told.append(
            changes.insert(
                conn,
                say.kind,
                work.now,
                reason=say.reason,
                source=work.source.id,
                notice=k.id,
                detail=Words(work.desk.config).say(say),
            )
        )
    before, silence = doubts.told_against(conn, k.id, seq, verdict.silence, work.now)
    change = changes.insert(
        conn,
        Kind.REVISED,
        work.now,
        reason=verdict.reason,
        source=work.source.id,
        notice=k.id,
        before=before,
        after=seq,
        silence=silence,
    )
    if silence is None:
        work.told.append(change)


# --- attachments and pictures


def _file(conn: Connection, work: _Work, looked: Looked) -> bool:
    """The bytes of a file; whether they were a file at all."""
    if work.brought is None:
        _next(conn, work, looked)
        return True
    done = attached.settle(conn, work.desk, work.source, work.reading, work.brought, looked.media_type, work.now, work.reads)
    work.told += done.told
    if done.act == "fault":
        _failed(conn, work, SourceError(done.reason))
        return False
    if done.act == "doubt":
        _next(conn, work, looked, work.now + work.every(), "confirm")
    else:
        _next(conn, work, looked)
    return True
