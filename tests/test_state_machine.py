"""Histories of a site, of its faults, the machine's own and the channels', against the reference written from the rules alone.

Everything real runs: the site's server, both loops, the database, a robot's server. Only time is passed in.

    pytest tests/test_state_machine.py --histories 1000 --steps 50                       # the long form
    pytest tests/test_state_machine.py --histories 1000 --steps 50 --hypothesis-seed 7   # other histories
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from monitor import config as configs
from monitor.daemon.asked import Asked
from monitor.store import Store, lists, notices, sources
from tests.house import START, House
from tests.ministry import LIST_FAULTS, NUMBER, PAGE_FAULTS, Ministry, Paper
from tests.receivers import DROP, TAKEN_THEN_DROP, WeComReceiver, errcode, status
from tests.reference import ListLook, Model, Shown, Told, must
from tests.sink import BOXES, Box

LIST = """
[[source]]
id = "a"
kind = "list"
url = "{url}/list/"
items = "ul.%(mark)s > li"
date = "span"
select = "#zoom"
%(keys)s
"""
NEXT = 'next = "/list/index_{{page}}.html"\npages = 3\n'
#: Kinds of source: what its TOML says, rows a page, whether pages are followed, whether the list is the whole catalogue.
SOURCES = {
    "followed": ("follow = true\n" + NEXT, 6, True, False),
    "plain": (NEXT, 6, False, False),
    "one page": ("follow = true\n", 0, True, False),
    "catalogue": ("follow = true\ncomplete = true\n", 0, True, True),
}
MARKER = re.compile(r"【(新|改|撤|复|漏？|障|好|注)】(.*)")
KINDS = {
    "新": "new",
    "改": "revised",
    "撤": "withdrawn",
    "复": "restored",
    "漏？": "gap",
    "障": "failing",
    "好": "recovered",
    "注": "note",
}
#: The same troubles of the robot as of the sink.
ROBOT = {
    "ok": None,
    "passing": status(500),
    "closed": DROP,
    "rate": errcode(45009),
    "channel": errcode(93000),
    "content": errcode(40058),
    "lost": TAKEN_THEN_DROP,
}
#: Free bytes that a file system in memory must have.
ROOM = 256 << 20
#: Whatever a channel's back-off: it is tried again after this long.
TRIED_AGAIN, GIVE_UP = timedelta(minutes=80), timedelta(days=3)
#: Minutes until the next check; 0: none yet.
LATER = st.sampled_from((0, 0, 1, 15, 17, 17, 17, 17, 65, 400, 1500, 4400, 12_000))


class Killed(BaseException):
    """The process is gone: nothing is written or read any more."""


def kill_at(store: Store, count: int) -> None:
    """The process dies when it begins its `count`-th write transaction."""
    left, write, read = count, store.write, store.read

    @contextlib.contextmanager
    def writing() -> Iterator[Any]:
        nonlocal left
        left -= 1
        if left <= 0:
            raise Killed
        with write() as conn:
            yield conn

    @contextlib.contextmanager
    def reading() -> Iterator[Any]:
        if left <= 0:
            raise Killed
        with read() as conn:
            yield conn

    store.write, store.read = writing, reading  # type: ignore[method-assign]


def folder() -> Path:
    """In memory where there is room: that a commit is on the disk is seen elsewhere, and is most of what this would wait for."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > ROOM
    return Path(tempfile.mkdtemp(prefix="histories-", dir=memory if roomy else None))


class World:
    """A house over a ministry, two channels, and the reference beside them."""

    def __init__(self, kind: str, beyond: str) -> None:
        keys, per_page, follow, complete = SOURCES[kind]
        self.keys = keys
        self.folder = folder()
        self.site = Ministry(per_page=per_page, beyond=beyond)
        self.robot = WeComReceiver()
        self.robot.__enter__()
        self.box = BOXES[f"sink://{self.site.url}"] = Box()
        self.model = Model(3 if "pages" in keys else 1, follow, complete)
        for before in range(9, 0, -1):
            self.site.publish((START - timedelta(days=before)).date().isoformat())
        self.edited = 0
        self.house = House(self.folder, self.site, LIST % {"mark": self.site.mark, "keys": keys}, channels=self._channels())
        self.last_change = 0
        self.numbers: dict[int, int | None] = {}
        self.kinds: dict[int, str] = {}
        self.paused = False
        self.well: dict[str, datetime | None] = dict.fromkeys(("ops", "robot"), START - timedelta(days=99))
        self.lenient: dict[str, set[str]] = {"ops": set(), "robot": set()}  # troubles that a channel ever had
        self.twice: Counter[tuple[str, str, int | None]] = Counter()  # may have come twice: channel, kind, number
        self.fault_left = self.page_fault_left = 0
        self.stale_turn = ""
        self.poll(1)

    def _channels(self) -> str:
        return (
            f'[[channel]]\nid = "ops"\nurl = "sink://{self.site.url}"\ngroup = 3\n'
            f'[[channel]]\nid = "robot"\nurl = "{self.robot.target}"\nendpoint = "{self.robot.url}"\nrate = 9000\ngroup = 4\n'
        )

    def close(self) -> None:
        self.house.close()
        self.site.close()
        self.robot.__exit__()
        del BOXES[f"sink://{self.site.url}"]
        shutil.rmtree(self.folder)

    # --- the world

    def publish(self, *, linked: bool = True, at: int = 0) -> Paper:
        return self.site.publish(self.house.clock().date().isoformat(), linked=linked, at=at)

    def another_day(self) -> str:
        """A date that is none of the last ones."""
        self.edited += 1
        return (self.house.clock() - timedelta(days=self.edited % 9)).date().isoformat()

    def answer(self, channel: str, word: str) -> None:
        """How a channel answers from now on."""
        if channel == "robot":
            self.robot.always(ROBOT[word])
        else:
            self.box.answer = "passing" if word == "closed" else word
        self.well[channel] = self.house.clock() if word == "ok" else None
        if word != "ok":
            self.lenient[channel].add(word)

    def reconfigure(self) -> None:
        """The list looks differently, and the configuration follows it."""
        self.site.mark = "m" if self.site.mark == "l" else "l"
        self.house.write(LIST % {"mark": self.site.mark, "keys": self.keys}, channels=self._channels())
        self.house.loops.reload(configs.load(self.house.path, {}))
        self.model.reconfigured()

    def restart(self) -> None:
        self.house.reopen()

    def pause(self, paused: bool) -> None:
        if paused != self.paused:
            Asked(self.house.loops, list)._paused({"source": "a"}, paused)
            self.paused = paused
            self.model.pause(paused)

    def accept(self) -> None:
        """The list as it is at the next check is right."""
        with self.house.loops.store.write() as conn:
            sources.set_accept(conn, "a", self.house.clock())
        self.model.accept = True

    # --- a look, and what came of it

    def poll(self, minutes: float, kill: int = 0) -> None:
        """Time goes on, the source is checked, what is due is read and sent; or the process dies, and a new one starts."""
        self.house.clock.on(minutes=minutes)
        self.site.looks.clear()
        store = self.house.loops.store
        if kill:
            kill_at(store, kill)
        outcome: str | None = None
        with contextlib.suppress(Killed):
            report = self.house.check().get("a") if not self.paused else self.house.loops.check_now([]) and None
            outcome = None if report is None else str(report.outcome)
        died = kill and self._is_dead()
        if died:
            self._bury()
            outcome = self._recorded()
        elif kill:
            del store.write, store.read  # it lived on
        self._faults_pass()
        self._follow(outcome, crashed=bool(died))

    def _is_dead(self) -> bool:
        try:
            with self.house.loops.store.read():
                return False
        except Killed:
            return True

    def _bury(self) -> None:
        """What a dead process leaves: a file whose lock is free. Nothing of its memory is written."""
        loops = self.house.loops
        for end in (loops.checking.stop, loops.delivering.stop, loops.close):
            with contextlib.suppress(Killed):
                end()
        with contextlib.closing(Store(self.house.loops.config.database, writable=False)) as store, store.read() as conn:
            for row in conn.execute("SELECT channel, change FROM deliveries WHERE state = 'sending'").fetchall():
                kind, number = self._of(conn, row["change"])
                self.twice[row["channel"], kind, number] += 1
        self.house.loops = self.house.open()

    def _recorded(self) -> str | None:
        """After a crash: the outcome of the check, if it was written; only looks that were written count."""
        at = self.house.clock().isoformat(timespec="milliseconds")
        with self.house.loops.store.read() as conn:
            row = conn.execute("SELECT last_check, outcome FROM sources").fetchone()
            due = {
                self._key(one["url"], ""): one["due_at"]
                for one in conn.execute("SELECT url, due_at FROM readings WHERE purpose = 'document'")
            }
        written = row["last_check"] == at
        self.site.looks[:] = [
            look
            for look in self.site.looks
            if (written if isinstance(look, ListLook) else look.key in due and (due[look.key] is None or due[look.key] > at))
        ]
        return row["outcome"] if written else None

    def _faults_pass(self) -> None:
        site = self.site
        if self.fault_left:
            self.fault_left -= 1
            if self.stale_turn:
                site.fault = "" if site.fault else self.stale_turn
            if not self.fault_left:
                site.fault = self.stale_turn = ""
        if self.page_fault_left:
            self.page_fault_left -= 1
            if not self.page_fault_left:
                site.page_fault = ""

    def _key(self, url: str | None, title: str) -> str:
        return url.removeprefix(self.site.url) if url else f"title:{title}"

    def _of(self, conn: Any, change: int) -> tuple[str, int | None]:
        row = conn.execute(
            "SELECT c.kind, n.title FROM changes c LEFT JOIN notices n ON n.id = c.notice WHERE c.id = ?", (change,)
        ).fetchone()
        found = NUMBER.search(row["title"] or "")
        return row["kind"], int(found[1]) if found else None

    def _follow(self, outcome: str | None, *, crashed: bool) -> None:
        house, now = self.house, self.house.clock()
        house.loops.flush()
        with house.loops.store.read() as conn:
            rows = lists.change_rows(conn, lists.Filter(after=self.last_change))
            told = [self._told(conn, row) for row in rows]
            for row in rows:
                self.kinds[row["id"]], self.numbers[row["id"]] = self._of(conn, row["id"])
            self.last_change = max([self.last_change, *(row["id"] for row in rows)])
            told = [one for one in told if one.reason != "channel"]
            stands = conn.execute("SELECT url, title, published, text FROM notices").fetchall()
            standing = {self._key(row["url"], row["title"]): Shown(row["title"], row["published"], row["text"]) for row in stands}
            self.model.step(now, list(self.site.looks), outcome, told, standing, crashed=crashed)
            self._known_if_and_only_if_owed(conn)
            self._source(conn, outcome, now)
            if not crashed:
                self._delivered(conn, now)

    def _told(self, conn: Any, row: dict[str, Any]) -> Told:
        key = self._key(row["url"], row["title"]) if row["notice"] else None
        seen = notices.version(conn, row["notice"], row["to_version"]) if row["notice"] and row["to_version"] else None
        view = Shown(seen.title, seen.published.isoformat() if seen.published else None, seen.text) if seen else None
        return Told(row["kind"], key, row["reason"], row["silence"], view)

    def _known_if_and_only_if_owed(self, conn: Any) -> None:
        states: Counter[tuple[str, str]] = Counter()
        news = Counter(row["notice"] for row in conn.execute("SELECT notice FROM changes WHERE kind = 'new'"))
        for row in conn.execute("SELECT id, url, title, state, seq FROM notices").fetchall():
            key = self._key(row["url"], row["title"])
            states[key, row["state"]] += 1
            seqs = [one["seq"] for one in conn.execute("SELECT seq FROM versions WHERE notice = ? ORDER BY seq", (row["id"],))]
            must(seqs == list(range(1, row["seq"] + 1)), f"versions of {key} have holes: {seqs}, newest {row['seq']}")
            known = self.model.known.get(key)
            must(
                known is not None and news[row["id"]] == (0 if known.baseline else 1),
                f"rule 1: {key}: {news[row['id']]} times new",
            )
        must(states == self.model.states(), f"known: {states - self.model.states()}, right: {self.model.states() - states}")

    def _source(self, conn: Any, outcome: str | None, now: datetime) -> None:
        row = conn.execute("SELECT health, next_due_at, fails FROM sources").fetchone()
        if self.paused:
            must(row["health"] == "paused", "a paused source does not say so")
            return
        if outcome is None:
            return
        must((row["health"] == "failing") == (outcome == "failed"), f"rule 16: health {row['health']} after {outcome}")
        wait = (datetime.fromisoformat(row["next_due_at"]) - now) / timedelta(minutes=15)
        most = min(2 ** (self.model.fails - 1), 4) if outcome == "failed" else 1
        must(0.9 * most <= wait <= 1.1 * most, f"rule 16: due in {wait:.2f} x every, {most} is right")

    def _delivered(self, conn: Any, now: datetime) -> None:
        """Every told change is in exactly one accepted message a channel; more only where a receipt was lost."""
        held = conn.execute("SELECT count(*) FROM changes WHERE hold_until IS NOT NULL").fetchone()[0]
        must(not held, f"rule 15: {held} changes are held after a check")
        sent: Counter[tuple[str, str, int | None]] = Counter()
        owed = Counter()
        for row in conn.execute("SELECT change, channel, state, created_at, due_at FROM deliveries").fetchall():
            channel, change = row["channel"], row["change"]
            owed[change] += 1
            if row["state"] == "sent":
                sent[channel, self.kinds[change], self.numbers[change]] += 1
            else:
                self._unsent(row, channel, now)
        copies = {row["notice"] for row in conn.execute("SELECT notice FROM copies WHERE signal <> 'first'")}
        for row in conn.execute("SELECT id, kind, source, notice FROM changes WHERE silence IS NULL").fetchall():
            copy = row["kind"] == "new" and row["notice"] in copies  # told where the other was refused
            right = row["source"] is None or owed[row["id"]] == 2 or (copy and owed[row["id"]] == 1)
            must(right, f"rule 2: change {row['id']} is owed to {owed[row['id']]} channels")
        accepted = Counter(
            (channel, kind, number) for channel, texts in self._accepted().items() for kind, number in map(_entry, _lines(texts))
        )
        lost = Counter(("ops", *_entry(line)) for line in _lines(self.box.lost)) + self.twice
        if "lost" in self.lenient["robot"]:
            lost += Counter({key: 99 for key in accepted if key[0] == "robot"})
        must(not sent - accepted, f"rule 3: sent, and nobody took it: {sent - accepted}")
        must(not accepted - sent - lost, f"rule 2: taken more often than sent: {accepted - sent - lost}")

    def _accepted(self) -> dict[str, list[str]]:
        return {"ops": self.box.accepted, "robot": self.robot.accepted.texts}

    def _unsent(self, row: Any, channel: str, now: datetime) -> None:
        state, troubles, well = row["state"], self.lenient[channel], self.well[channel]
        what = f"{channel}: change {row['change']} is {state}, due {row['due_at']}, now {now}"
        match state:
            case "pending":
                must(well is None or now - well < TRIED_AGAIN, f"rule 4: {what}; the channel is well since {well}")
                must(troubles, f"rule 2: {what}, and the channel never had trouble")
            case "refused":
                must({"content", "channel"} & troubles, f"rule 4: {what}, and the channel never refused anything")
            case "expired":
                must(troubles and now - datetime.fromisoformat(row["created_at"]) >= GIVE_UP * 0.95, f"rule 4: {what}")
            case _:
                must(False, f"rule 2: {what} after everything was sent")


def _lines(texts: list[str]) -> list[str]:
    return [line for text in texts for line in text.split("\n") if MARKER.search(line)]


def _entry(line: str) -> tuple[str, int | None]:
    found = MARKER.search(line)
    assert found is not None
    number = NUMBER.search(found[2])
    return KINDS[found[1]], int(number[1]) if number else None


PLACE = st.integers(0, 8)


class Machine(RuleBasedStateMachine):
    """The rules: what a site, a network, a machine and a person do. Whatever happens, the world is judged after each look."""

    world: World

    @initialize(kind=st.sampled_from(sorted(SOURCES)), beyond=st.sampled_from(("404", "empty")))
    def open(self, kind: str, beyond: str) -> None:
        self.world = World(kind, beyond)

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.close()

    def _paper(self, place: int, *, linked: bool = True) -> Paper | None:
        papers = [paper for paper in self.world.site.papers if paper.linked or not linked]
        return papers[place % len(papers)] if papers else None

    def _then(self, minutes: int) -> None:
        if minutes:
            self.world.poll(minutes)

    # --- the site

    @rule(count=st.integers(1, 3), linked=st.booleans(), later=LATER)
    def publish(self, count: int, linked: bool, later: int) -> None:
        for _ in range(count):
            self.world.publish(linked=linked)
        self._then(later)

    @rule(count=st.integers(4, 24), later=LATER)
    def publish_a_burst(self, count: int, later: int) -> None:
        for _ in range(count):
            self.world.publish()
        self._then(later)

    @rule(place=PLACE, later=LATER)
    def edit_a_title(self, place: int, later: int) -> None:
        if paper := self._paper(place):
            paper.retitle()
        self._then(later)

    @rule(place=PLACE, later=LATER)
    def take_a_title_back(self, place: int, later: int) -> None:
        if (paper := self._paper(place)) and paper.titles:
            paper.titles.append(paper.title)
            paper.title = paper.titles[-2]
        self._then(later)

    @rule(place=PLACE, times=st.integers(5, 9), later=LATER)
    def edit_a_title_again_and_again(self, place: int, times: int, later: int) -> None:
        if paper := self._paper(place):
            for _ in range(times):
                paper.retitle()
                self.world.poll(17)
        self._then(later)

    @rule(place=PLACE, later=LATER)
    def edit_a_text(self, place: int, later: int) -> None:
        if paper := self._paper(place):
            paper.rewrite(paper.text.replace("核实", f"核实{paper.edits}次") + f"\n四、补充第{paper.edits}条。")
        self._then(later)

    @rule(place=PLACE, later=LATER)
    def take_an_edit_back(self, place: int, later: int) -> None:
        if (paper := self._paper(place)) and paper.former:
            paper.rewrite(paper.former[-1])
        self._then(later)

    @rule(place=PLACE, later=LATER)
    def lose_most_of_a_text(self, place: int, later: int) -> None:
        if paper := self._paper(place):
            paper.rewrite(f"第{paper.number}批另行公布。")
        self._then(later)

    @rule(place=PLACE, later=LATER)
    def edit_a_date(self, place: int, later: int) -> None:
        if paper := self._paper(place, linked=False):
            paper.date = self.world.another_day()
        self._then(later)

    @rule(
        place=PLACE, fate=st.sampled_from(("404", "410", "deleted")), what=st.sampled_from(("both", "row", "page")), later=LATER
    )
    def withdraw(self, place: int, fate: str, what: str, later: int) -> None:
        if paper := self._paper(place, linked=False):
            if what != "row":
                paper.fate = fate
            if what != "page":
                self.world.site.papers.remove(paper)
        self._then(later)

    @rule(place=PLACE, where=PLACE, later=LATER)
    def restore(self, place: int, where: int, later: int) -> None:
        site = self.world.site
        gone = [paper for paper in site.archive.values() if paper.fate or paper not in site.papers]
        if gone:
            paper = gone[-1 - place % len(gone)]
            paper.fate = ""
            if paper not in site.papers:
                site.papers.insert(where, paper)
        self._then(later)

    @rule(one=PLACE, other=PLACE, later=LATER)
    def reorder(self, one: int, other: int, later: int) -> None:
        papers = self.world.site.papers
        if max(one, other) < len(papers):
            papers[one], papers[other] = papers[other], papers[one]
        self._then(later)

    @rule(place=PLACE, later=LATER)
    def pin(self, place: int, later: int) -> None:
        papers = self.world.site.papers
        if place < len(papers):
            papers.insert(0, papers.pop(place))
        self._then(later)

    @rule(later=LATER)
    def unpin_all(self, later: int) -> None:
        self.world.site.papers.sort(key=lambda paper: paper.date, reverse=True)
        self._then(later)

    @rule(count=st.integers(1, 4), later=LATER)
    def roll_off(self, count: int, later: int) -> None:
        papers = self.world.site.papers
        del papers[max(4, len(papers) - count) :]
        self._then(later)

    @rule(later=LATER)
    def refresh_all_dates(self, later: int) -> None:
        day = self.world.another_day()
        for paper in self.world.site.papers:
            paper.date = day
        self._then(later)

    @rule(later=LATER)
    def move_all_pages(self, later: int) -> None:
        site = self.world.site
        site.folder = f"p{len(site.folder)}{site.folder}"
        if site.fault == "stale":
            site.fault = ""
        self._then(later)

    @rule(kind=st.sampled_from(LIST_FAULTS), polls=st.integers(1, 6), alternating=st.booleans(), later=LATER)
    def fail(self, kind: str, polls: int, alternating: bool, later: int) -> None:
        site = self.world.site
        site.stale = site.shown()
        site.fault, self.world.fault_left = kind, polls
        self.world.stale_turn = kind if alternating else ""
        self._then(later)

    @rule(kind=st.sampled_from(PAGE_FAULTS), polls=st.integers(1, 4), later=LATER)
    def fail_at_pages(self, kind: str, polls: int, later: int) -> None:
        self.world.site.page_fault, self.world.page_fault_left = kind, polls
        self._then(later)

    # --- the machine, the channels, the person

    @rule(later=LATER.filter(bool))
    def look(self, later: int) -> None:
        self.world.poll(later)

    @rule(later=LATER)
    def restart(self, later: int) -> None:
        self.world.restart()
        self._then(later)

    @rule(writes=st.integers(1, 14), later=LATER.filter(bool))
    def crash(self, writes: int, later: int) -> None:
        self.world.poll(later, kill=writes)

    @rule(channel=st.sampled_from(("ops", "robot")), word=st.sampled_from(sorted(ROBOT)), later=LATER)
    def channel_answers(self, channel: str, word: str, later: int) -> None:
        self.world.answer(channel, word)
        self._then(later)

    @rule(later=LATER)
    def channels_recover(self, later: int) -> None:
        for channel in ("ops", "robot"):
            if self.world.well[channel] is None:
                self.world.answer(channel, "ok")
        self._then(later)

    @rule(later=LATER)
    def pause(self, later: int) -> None:
        self.world.pause(True)
        self._then(later)

    @precondition(lambda self: self.world.paused)
    @rule(later=LATER)
    def resume(self, later: int) -> None:
        self.world.pause(False)
        self._then(later)

    @rule(later=LATER)
    def accept(self, later: int) -> None:
        self.world.accept()
        self._then(later)

    @rule(later=LATER)
    def redesign(self, later: int) -> None:
        self.world.reconfigure()
        self._then(later)


def test_whatever_happens_it_is_told_as_the_rules_say(pytestconfig: pytest.Config) -> None:
    """The same histories each time: those of the seed 1, or of `--hypothesis-seed`. A long one is shown as it is: to make it
    shorter takes longer than to read it."""
    chosen = int(pytestconfig.getoption("hypothesis_seed") or 1)
    shrink = [Phase.shrink] if pytestconfig.getoption("steps") <= 25 else []
    run_state_machine_as_test(
        seed(chosen)(Machine),
        settings=settings(
            max_examples=pytestconfig.getoption("histories"),
            stateful_step_count=pytestconfig.getoption("steps"),
            deadline=None,
            database=None,
            phases=[Phase.explicit, Phase.generate, *shrink],
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
