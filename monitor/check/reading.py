"""Loop 1: read one page or attachment of a notice: look, judge, store, tell, in this order and in one place."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor import decide, schedule, urls
from monitor.check.desk import Desk
from monitor.check.lines import log_changes
from monitor.check.words import Words
from monitor.decide import Known, Restore, Verdict, Withdraw
from monitor.errors import FetchError, SourceError
from monitor.look import Looked, look
from monitor.model import Document, Kind, Purpose, Reading, Request, Source, Unchanged
from monitor.store import changes, notices, readings
from monitor.store.apply import turn
from monitor.store.database import moment
from monitor.tell import tell

#: A page that failed this often in a row is left until its next planned look.
ATTEMPTS = 6


@dataclass(slots=True)
class _Work:
    """One reading inside its transaction: `told` collects the changes that routes must see."""

    desk: Desk
    source: Source
    reading: Reading
    was_gone: bool
    now: datetime
    told: list[int]

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
    reading, was_gone = found
    source = desk.source(reading.source)
    # read differently from now on: "not modified" would leave the page as it was read before
    validators = reading.validators if decide.read_alike(source, row["page_how"]) else None
    request = Request(reading.url, reading.purpose, headers=source.headers, validators=validators)
    try:
        with desk.pace.turn(urls.host(reading.url)):
            looked: Looked | SourceError = look(source, request, desk.now)
    except SourceError as error:
        looked = error
    with desk.store.write() as conn:
        work = _Work(desk, source, reading, was_gone, desk.now(), [])
        if readings.load(conn, reading_id) is None:
            return False
        well = _settle(conn, work, looked)
        if reading.purpose is Purpose.DOCUMENT:
            _release(conn, work)
        tell(conn, desk.config, work.told, work.now)
    log_changes(desk, work.told, but=Kind.NEW)
    return well


def _settle(conn: notices.Connection, work: _Work, looked: Looked | SourceError) -> bool:
    if isinstance(looked, SourceError):
        if isinstance(looked, FetchError) and looked.status in (404, 410):
            _gone(conn, work, f"its page answers {looked.status}")
            return True
        _failed(conn, work, looked)
        return False
    if isinstance(looked.result, Document) and looked.result.gone:
        _gone(conn, work, f"its page says: {looked.result.gone}")
        return True
    _there(conn, work)
    if work.reading.purpose is Purpose.ATTACHMENT:
        _attachment(conn, work, looked)
    elif isinstance(looked.result, Document) and work.source.follow:
        _document(conn, work, looked, looked.result)
    else:
        notices.settle(conn, work.reading.notice, "page")
        _next(conn, work, looked)
    return True


def _release(conn: notices.Connection, work: _Work) -> None:
    """The reading has ended, well or not: a held message goes; one that went is routed again, with the words of the page."""
    change = changes.new_of(conn, work.reading.notice)
    waits = change is not None and (change.silence == changes.HELD or work.reading.why == "first")
    if change is not None and waits and change.id not in work.told:
        work.told.append(change.id)


def _next(conn: notices.Connection, work: _Work, looked: Looked, at: datetime | None = None, why: str = "recheck") -> None:
    """Put the reading where its plan says; `at` where it must be sooner."""
    row = notices.row(conn, work.reading.notice)
    assert row is not None
    planned, step = (None, work.reading.step)
    if work.source.follow:
        planned, step = decide.next_look(work.source, notices.first_seen(row), work.reading.step, work.now)
    readings.done(
        conn,
        work.reading.id,
        work.now,
        why=why,
        next_at=at or planned,
        step=work.reading.step if at else step,
        validators=looked.validators if why != "confirm" else None,
    )


def _failed(conn: notices.Connection, work: _Work, error: SourceError) -> None:
    """Tried again with back-off; then left until the plan's next look."""
    asked = error.retry_after if isinstance(error, FetchError) else None
    attempts = work.reading.attempts + 1
    due: datetime | None = schedule.after_failure(
        work.source.schedule, work.now, work.desk.rng, failures=attempts, retry_after=asked
    )
    if attempts >= ATTEMPTS:
        row = notices.row(conn, work.reading.notice)
        assert row is not None
        due, _ = decide.next_look(work.source, notices.first_seen(row), work.reading.step, work.now)
    readings.failed(conn, work.reading.id, error.message, due)


def _gone(conn: notices.Connection, work: _Work, reason: str) -> None:
    """Gone once is looked at again after `every`; gone twice is withdrawn, and looked at by the plan anew. An attachment that is
    gone is only noted."""
    k, row = notices.one(conn, work.reading.notice, work.now)
    again = work.now + work.every()
    if work.reading.purpose is Purpose.ATTACHMENT:
        readings.failed(conn, work.reading.id, reason, again if work.reading.attempts < ATTEMPTS else None)
        return
    planned: datetime | None = again
    step = work.reading.step
    if k.state == "withdrawn":
        planned, step = decide.next_look(work.source, moment(row["gone_at"]) or work.now, step, work.now)
    elif work.was_gone and work.reading.why != "missing":  # a missing row asks at once: that is not the look after `every`
        planned, step = decide.next_look(work.source, work.now, 0, work.now)
        work.told.append(turn(conn, work.source.id, Withdraw(k, "page", f"{reason}, twice"), work.now))
    readings.done(conn, work.reading.id, work.now, why="confirm", next_at=planned, step=step, validators=None, gone=True)


def _there(conn: notices.Connection, work: _Work) -> None:
    """The page answers: a notice that was withdrawn by its page is back."""
    k, _ = notices.one(conn, work.reading.notice, work.now)
    if work.reading.purpose is Purpose.DOCUMENT and k.state == "withdrawn" and k.gone_by == "page":
        work.told.append(turn(conn, work.source.id, Restore(k, "its page answers again"), work.now))


# --- pages


def _document(conn: notices.Connection, work: _Work, looked: Looked, document: Document) -> None:
    k, row = notices.one(conn, work.reading.notice, work.now)
    verdict = decide.judge_page(work.source, k, document)
    if verdict.act in ("enrich", "revise", "reread"):
        seq = _push(conn, work, looked, document, verdict, row["row_title"])
        if verdict.act == "enrich":
            _enriched(conn, work, k, seq)
        elif verdict.act == "revise":
            _revised(conn, work, k, verdict, seq)
    elif verdict.act == "doubt":
        notices.doubt(conn, k.id, "page", verdict.print, work.now)
        _next(conn, work, looked, work.now + work.every(), "confirm")
        return
    else:
        notices.page_facts(conn, k.id, verdict.how, document)
    if "page" in k.doubts:
        notices.settle(conn, k.id, "page")
    _next(conn, work, looked)


def _push(conn: notices.Connection, work: _Work, looked: Looked, document: Document, verdict: Verdict, row_title: str) -> int:
    seq = notices.push(
        conn,
        work.reading.notice,
        notices.State(
            reason={"enrich": "page", "revise": verdict.reason, "reread": "reread"}[verdict.act],
            how=verdict.how,
            title=notices.shown_title(row_title, document.title),
            text=document.text,
            page_print=verdict.print,
            raw=looked.raw,
            attachments=document.attachments,
        ),
        work.now,
    )
    notices.page_facts(conn, work.reading.notice, verdict.how, document)
    notices.attach(conn, work.reading.notice, document.attachments, work.now)
    for attachment in document.attachments:
        readings.want(conn, work.source.id, work.reading.notice, attachment.url, Purpose.ATTACHMENT, "first", work.now)
    return seq


def _enriched(conn: notices.Connection, work: _Work, k: Known, seq: int) -> None:
    """The first reading is no change: the message about the notice tells of the fuller version, and the routes see its words."""
    change = changes.new_of(conn, k.id)
    if change is not None:
        changes.point(conn, change.id, seq)
        work.told.append(change.id)


def _revised(conn: notices.Connection, work: _Work, k: Known, verdict: Verdict, seq: int) -> None:
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
    change = changes.insert(
        conn,
        Kind.REVISED,
        work.now,
        reason=verdict.reason,
        source=work.source.id,
        notice=k.id,
        before=seq - 1,
        after=seq,
        silence=verdict.silence,
    )
    if verdict.silence is None:
        work.told.append(change)


# --- attachments


def _attachment(conn: notices.Connection, work: _Work, looked: Looked) -> None:
    """The first bytes are kept; other bytes under the same address are a revision."""
    _next(conn, work, looked)
    if isinstance(looked.result, Unchanged) or looked.raw is None:
        return
    notice, url = work.reading.notice, work.reading.url
    sha256 = hashlib.sha256(looked.raw).hexdigest()
    before = next((a for a in notices.attachments_of(conn, notice) if a.url == url), None)
    if before is None or before.sha256 == sha256:
        return
    readings.keep_blob(conn, notice, url, sha256, looked.media_type, looked.raw, work.now)
    if before.sha256 is None:
        return
    attached = notices.attachments_of(conn, notice)
    how = f"attachment:{work.source.how}"
    seq = notices.push(conn, notice, notices.State("attachment", how, attachments=attached), work.now)
    detail = (
        f"attachment replaced: {before.name}, {before.size} bytes, sha256 {before.sha256}"
        f" → {len(looked.raw)} bytes, sha256 {sha256}"
    )
    work.told.append(
        changes.insert(
            conn,
            Kind.REVISED,
            work.now,
            reason="attachment",
            source=work.source.id,
            notice=notice,
            before=seq - 1,
            after=seq,
            detail=detail,
        )
    )
