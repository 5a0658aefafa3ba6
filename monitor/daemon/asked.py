"""What the running daemon does when it is asked over the socket: check, retry, accept, pause, resume, forget."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from monitor.check import Report
from monitor.control import Handler
from monitor.daemon.loops import Loops, Round
from monitor.deliver import Sent
from monitor.errors import MonitorError
from monitor.model import when_text
from monitor.store import outbox, sources

#: Whoever asked comes for the result within seconds; it is kept so long (seconds).
KEPT = 600.0


def report_json(report: Report) -> dict[str, Any]:
    """A report for another process."""
    return {
        "source": report.source,
        "outcome": str(report.outcome),
        "new": report.new,
        "revised": report.revised,
        "withdrawn": report.withdrawn,
        "error": report.error,
        "elapsed_ms": round(report.elapsed * 1000),
        "hint": report.hint,
        "reason": report.reason,
        "rows": report.rows,
        "newest": report.newest,
        "next_due": when_text(report.next_due_at),
        "problems": list(report.problems),
    }


def sent_json(sent: Sent) -> dict[str, Any]:
    """What became of one message, for another process."""
    return {"channel": sent.channel, "deliveries": list(sent.deliveries), "error": sent.error}


class Asked:
    """The handlers for `control.Server`. A check takes longer than an answer may: it is asked for by a ticket."""

    def __init__(self, loops: Loops, reload: Callable[[], list[str]], monotonic: Callable[[], float] = time.monotonic) -> None:
        self.loops = loops
        self._monotonic = monotonic
        self._reload = reload
        self._tickets = itertools.count(1)
        self._mutex = threading.Lock()
        self._rounds: dict[int, Round | BaseException | None] = {}
        self._ended: dict[int, float] = {}
        self._done: dict[int, list[dict[str, Any]]] = {}

    def handlers(self) -> dict[str, Handler]:
        """Every command that may be asked."""
        return {
            "check": self.check,
            "result": self.result,
            "retry": self.retry,
            "accept": self.accept,
            "pause": self.pause,
            "resume": self.resume,
            "forget": self.forget,
            "reload": self.reload,
        }

    def check(self, question: Mapping[str, Any]) -> Mapping[str, Any]:
        """Start checks; `result` with the ticket tells how far they are."""
        ids = list(question.get("sources", []))
        self._known(ids)
        with self._mutex:
            self._clear()
            ticket = next(self._tickets)
            self._rounds[ticket], self._done[ticket] = None, []
        threading.Thread(target=self._round, args=(ticket, ids), name=f"asked-{ticket}", daemon=True).start()
        return {"ticket": ticket}

    def _round(self, ticket: int, ids: list[str]) -> None:
        outcome: Round | BaseException
        try:
            outcome = self.loops.check_now(ids, lambda report: self._done[ticket].append(report_json(report)))
        except MonitorError as error:
            outcome = error
        except RuntimeError as error:  # a check ended in a fault of the program; its log has the traceback
            outcome = MonitorError(str(error))
        with self._mutex:
            self._rounds[ticket], self._ended[ticket] = outcome, self._monotonic()

    def _clear(self) -> None:
        """Drop results that nobody came for: whoever asked was stopped."""
        before = self._monotonic() - KEPT
        for ticket in [ticket for ticket, at in self._ended.items() if at < before]:
            del self._rounds[ticket], self._done[ticket], self._ended[ticket]

    def result(self, question: Mapping[str, Any]) -> Mapping[str, Any]:
        """How far the checks of a ticket are; the whole result once they are done."""
        ticket = int(question["ticket"])
        with self._mutex:
            if ticket not in self._rounds:
                raise MonitorError("the daemon was restarted meanwhile: ask again")
            outcome, reports = self._rounds[ticket], list(self._done[ticket])
            if outcome is not None:
                del self._rounds[ticket], self._done[ticket], self._ended[ticket]
        if outcome is None:
            return {"done": False, "reports": reports}
        if isinstance(outcome, BaseException):
            raise MonitorError(str(outcome))
        return {
            "done": True,
            "reports": [report_json(report) for report in outcome.reports],
            "sent": [sent_json(sent) for sent in outcome.sent],
            "remaining": outcome.remaining,
        }

    def retry(self, question: Mapping[str, Any]) -> Mapping[str, Any]:
        """Put refused and expired deliveries back."""
        with self.loops.store.write() as conn:
            ids = outbox.retry(conn, list(question.get("deliveries", [])), self.loops.desk.now(), self.loops.config.channels)
        self.loops.delivering.tick()
        return {"deliveries": ids}

    def accept(self, question: Mapping[str, Any]) -> Mapping[str, Any]:
        """The list as it is now is right."""
        id_ = self._known([question.get("source")])[0]
        with self.loops.checking.standing(), self.loops.store.write() as conn:
            sources.set_accept(conn, id_, self.loops.desk.now())
            self.loops.desk.overtake([id_])
        return self.check({"sources": [id_]})

    def pause(self, question: Mapping[str, Any]) -> Mapping[str, Any]:
        """Look at a source no more until `resume`."""
        return self._paused(question, True)

    def resume(self, question: Mapping[str, Any]) -> Mapping[str, Any]:
        """Look at it again."""
        return self._paused(question, False)

    def _paused(self, question: Mapping[str, Any], paused: bool) -> Mapping[str, Any]:
        id_ = self._known([question.get("source")])[0]
        self.loops.flush()
        with self.loops.store.write() as conn:
            done = sources.set_paused(conn, id_, paused, self.loops.desk.now())
        self.loops.checking.reload()
        return {"changed": done}

    def forget(self, question: Mapping[str, Any]) -> Mapping[str, Any]:
        """Delete a source's history."""
        id_ = str(question.get("source"))
        with self.loops.checking.standing():
            with self.loops.store.write() as conn:
                gone = sources.forget(conn, id_, self.loops.desk.now())
                self.loops.desk.overtake([id_])
            self.loops.checking.reload()
        return {"notices": gone}

    def reload(self, _: Mapping[str, Any]) -> Mapping[str, Any]:
        """Read the configuration again."""
        return {"problems": self._reload()}

    def _known(self, ids: list[Any]) -> list[str]:
        if any(id_ not in self.loops.config.sources for id_ in ids):
            self._reload()  # a source that was written into the file just now
        for id_ in ids:
            if id_ not in self.loops.config.sources:
                raise MonitorError(f'the running daemon has no source "{id_}": is its configuration another file?')
        return [str(id_) for id_ in ids]
