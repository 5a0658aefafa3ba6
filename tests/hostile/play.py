"""Plays a case: baseline, the steps of the fault, the recovery; and after each the six things that must always hold.

1  nothing lost: at the end the new notice is stored once and was delivered on every channel
2  no false alarm: nothing is told but what the step names
3  no duplicates
4  a failing source is told once, with source, what, since when and what next; and once when it is well again
5  a healthy source is checked on time meanwhile
6  time, memory and bytes are bounded
"""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.hostile import certificates
from tests.hostile.pages import NEW
from tests.hostile.table import DEADLINE, GROUPS, Case, Down, Page, Step, good, renewed
from tests.hostile.world import Names, World, world
from tests.receivers import Posts

#: Beyond its deadline, a check may take so long (seconds); a healthy source is asked within this.
SLACK, ON_TIME = 0.5, DEADLINE


def busy() -> float:
    """How many want each processor: of a busy machine only so much can be asked."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


#: Bytes by which the process may grow in one check.
GROWTH = 64 * 1024 * 1024
MINUTE = timedelta(minutes=1)


def play(case: Case, folder: Path, names: Names) -> None:
    """The whole case."""
    with world(folder, case, names, certificates.good() if case.tls else None) as made:
        Player(made, folder).play()


class Player:
    """One case on its world. `told` is how many changes were told so far."""

    def __init__(self, made: World, folder: Path) -> None:
        self.world, self.case, self.place, self.folder = made, made.case, made.place, folder
        self.told = 0
        self.usual = 0.0  # seconds that a check takes that finds nothing: on a busy machine all takes longer
        self.failing = False
        self.tag = b""

    def play(self) -> None:
        case = self.case
        first = case.first or good(case.kind, case.rows)
        last = case.last or renewed(case.kind, case.rows)
        if case.baseline:
            self.world.says(first, case.paths)
            self._check("the baseline", Step(first, "baseline", after=MINUTE))
            began = time.monotonic()
            self._check("all is quiet", Step(first, "unchanged", after=MINUTE))
            self.usual = time.monotonic() - began
        self._fault(begins=True)
        for number, step in enumerate(case.steps, start=1):
            self.world.says(step.say, dict(case.paths) | dict(step.paths))
            if case.both:
                self.world.healthy.go(up=not isinstance(step.say, Down))
            self._check(f"step {number}", step)
        self._fault(begins=False)
        self.world.healthy.go(up=True)
        self.world.says(last, case.paths)
        kinds = (*case.ends, *(("recovered",) if self.failing else ()))
        self.failing = False
        self._check("the recovery", Step(last, "changed|unchanged", tells=kinds))
        self._check("after it", Step(last, "unchanged"))
        self._kept()

    def _fault(self, *, begins: bool) -> None:
        if self.case.resolver:
            self.world.names.fails = self.case.resolver if begins else ""
        if self.case.tls:
            mode = certificates.wrong(self.case.tls, self.folder) if begins else certificates.good()
            self.world.site.shows(mode, mute=begins and (mode is None or callable(mode)))

    # --- one check

    def _check(self, where: str, step: Step) -> None:
        self.place.clock.at += step.after
        if step.act == "accept":
            self._accept()
        before = self._state()
        self.world.site.sent = 0
        hooked, asked = len(self.world.hook.accepted), len(self.world.site.asked)
        memory = _memory(reset=True)
        began = time.monotonic()
        reports = self.place.check("a", "b")
        grown = _memory() - memory
        report = reports["a"]
        kinds = [kind for kind, _ in self.place.told()[self.told :]]
        self.told += len(kinds)
        said = "\n".join(self.world.hook.accepted.texts[hooked:])
        note = f"{where}: {report.outcome}, {report.error}, told {kinds}: {said[:300]}"
        assert report.outcome in step.outcome.split("|"), note
        expected = [kind for kind in step.tells if report.outcome == "failed" or kind != "failing"]
        assert sorted(kinds) == sorted(expected), note
        self.failing = self.failing and "recovered" not in step.tells
        self._failed(step, report, before, said, note)
        self._bounds(step, reports, began, grown, len(self.world.site.asked) - asked, note)
        for part in step.text:
            assert part in said, note
        for part in step.never:
            assert part not in said, note
        if step.due is not None:
            seconds = (report.next_due_at - self.place.clock.at).total_seconds()
            assert step.due[0] <= seconds <= step.due[1], f"{note}; due in {seconds}"

    def _failed(self, step: Step, report: Any, before: Any, said: str, note: str) -> None:
        if report.outcome != "failed":
            return
        assert self._state() == before, f"{note}; what is remembered of the source changed"
        assert self.place.source("a")["health"] == "failing", note
        if "asks to wait" in report.error:
            assert self.place.source("a")["asked_until"], note
        reason = self.place.value("SELECT error_reason FROM sources WHERE id = 'a'")
        if step.why:
            assert reason in GROUPS[step.why], f"{note}; reason {reason}"
        for part in step.says:
            assert part in report.error, note
        if "failing" in step.tells:
            self.failing = True
            since = self.place.source("a")["failing_since"]
            assert since, note
            if not self.case.both:
                self._says_all(said, report, note)

    def _says_all(self, said: str, report: Any, note: str) -> None:
        """Source, what, since when, what next."""
        since = self.place.value("SELECT failed_since FROM sources WHERE id = 'a'")
        for part in ("a", report.error.partition("<")[0], _local(since), "next look"):
            assert part in said, f"{note}; the message lacks {part!r}"

    def _bounds(self, step: Step, reports: Any, began: float, grown: int, asked: int, note: str) -> None:
        assert self.world.canary.hits == 0, note
        most = DEADLINE + SLACK * busy() + 4 * self.usual
        assert reports["a"].elapsed <= most, f"{note}; {reports['a'].elapsed} s, load {os.getloadavg()[0]}"
        assert grown <= GROWTH, f"{note}; grown by {grown >> 20} MiB"
        assert step.sent is None or self.world.site.sent <= step.sent, f"{note}; {self.world.site.sent} bytes"
        assert step.asks is None or asked <= step.asks, f"{note}; asked {asked} times"
        if not self.case.both:
            assert reports["b"].outcome in ("unchanged", "baseline"), note
            assert self.world.healthy.asked[-1][0] - began <= ON_TIME * busy() + 4 * self.usual, note

    def _state(self) -> tuple[Any, ...]:
        """What a failed check must leave as it is."""
        self.place.loops.flush()
        with self.place.loops.store.read() as conn:
            row = conn.execute(
                "SELECT etag, last_modified, body_hash, state, rows, counts, baseline_at, notices FROM sources WHERE id = 'a'"
            ).fetchone()
            notices = conn.execute("SELECT id, key, title, state, seq FROM notices WHERE source = 'a' ORDER BY id").fetchall()
        return tuple(row), [tuple(one) for one in notices]

    def _accept(self) -> None:
        from monitor.store import sources

        with self.place.loops.store.write() as conn:
            sources.set_accept(conn, "a", self.place.clock.at)

    # --- the end

    def _kept(self) -> None:
        stored = [one["title"] for one in self.place.notices() if one["source"] == "a"]
        for title in self.case.titles:
            assert stored.count(title) == 1, (title, stored)
            for name, posts in (("hook", self.world.hook.accepted), ("robot", self.world.robot.accepted)):
                assert _holding(posts, title) == 1, f"{title} came {_holding(posts, title)} times on {name}"
        assert {one["state"] for one in self.place.deliveries()} <= {"sent"}
        if NEW.title in self.case.titles:
            assert [kind for kind, title in self.place.told() if title == NEW.title] == ["new"]
        for one in self.place.notices():
            assert one["url"] is None or (one["url"].startswith(("http://", "https://")) and "@" not in one["url"]), one["url"]
            one["title"].encode()
        tail = [head for _, path, head in self.world.site.asked if path == self.case.url]
        gone_by = sum((step.after for step in self.case.steps), timedelta())
        if self.case.baseline and all(step.outcome == "failed" for step in self.case.steps) and gone_by < timedelta(hours=23):
            assert self._first_tag() in tail[-2], "the first question after the fault is no longer conditional"

    def _first_tag(self) -> bytes:
        first = self.case.first or good(self.case.kind, self.case.rows)
        if not isinstance(first, Page) or not first.etag:
            return b""
        head = self.world.site._filled(first).answer(b"")
        return head.partition(b"ETag: ")[2].partition(b"\r\n")[0]


def _holding(posts: Posts, title: str) -> int:
    return sum(title in text for text in posts.texts)


def _local(stamp: str) -> str:
    """A moment of the database as messages show it."""
    from datetime import datetime
    from zoneinfo import ZoneInfo

    return datetime.fromisoformat(stamp).astimezone(ZoneInfo("Asia/Shanghai")).strftime("%H:%M")


def _memory(*, reset: bool = False) -> int:
    """The most that this process held since the last reset, in bytes; 0 where the system does not tell."""
    try:
        if reset:
            Path("/proc/self/clear_refs").write_text("5")
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        return 0
    return 0
