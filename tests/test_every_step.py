"""monitor is killed before and after every single database, socket and file call of a check, its reading, its messages and its
notes of them: the next start needs no hand, loses nothing, stores nothing twice and repeats at most the message under way.

Here a spread of the steps; every one, about ten minutes: `pytest tests/test_every_step.py --every-step -s`.
"""

from __future__ import annotations

import resource
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.house import Row, Site
from tests.receivers import WeComReceiver
from tests.stepped import ROOT, Nursery, Ran

#: Seconds of processor time that a start with all its work may take: what it takes by the clock depends on who else is busy.
START = 3.0
#: How many steps of each world the quick form tries, on each side.
SPREAD = 10
OLD, NEW, EDITED = "关于旧事项的通知", "关于新事项的通知", "关于旧事项的通知（修订）"


@dataclass
class World:
    """A site with two notices, two channels, and a folder that is the same at the beginning of each run."""

    folder: Path
    nursery: Nursery
    known: bool  # the baseline is stored already; two things changed since
    site: Site = field(default_factory=lambda: Site([Row("n2", OLD), Row("n1", "关于最旧事项的通知", "2026-01-04")]))
    bots: tuple[WeComReceiver, ...] = ()
    number: int = 0

    def begin(self) -> None:
        self.seed = self.folder / "seed"
        self.seed.mkdir()
        text = '[monitor]\nevery = "1h"\nalive = "0s"\n[http]\ndelay = "0s"\nallow_private = ["127.0.0.0/8"]\n'
        text += f'[[source]]\nid = "a"\nkind = "list"\nurl = "{self.site.url}/list/"\nitems = "ul.l > li"\ndate = "span"\n'
        text += "follow = true\n"
        for name, bot in enumerate(self.bots):
            text += f'[[channel]]\nid = "c{name}"\nurl = "{bot.target}"\nendpoint = "{bot.url}"\nrate = 10000\n'
        (self.seed / "monitor.toml").write_text(text, "utf-8")
        (self.seed / "monitor.toml").chmod(0o600)
        if self.known:
            assert self.nursery.run(self.seed, "check").code == 0
            self.site.rows[0].title = EDITED
            self.site.rows.insert(0, Row("n3", NEW, "2026-01-06", "新事项正文。", attachments=("a.pdf",)))
            self.site.bodies["/f/a.pdf"] = b"%PDF-1.4 annex"

    def fresh(self) -> Path:
        """A folder as it was at the beginning; nobody was told anything."""
        self.number += 1
        place = self.folder / str(self.number)
        shutil.copytree(self.seed, place)
        for bot in self.bots:
            bot.accepted.list.clear()
            bot.refused.list.clear()
        return place

    def check(self, place: Path, **options: Any) -> Ran:
        return self.nursery.run(place, "check", **options)

    def judge(self, place: Path, *, disk: bool = False) -> int:
        """Everything is stored once, told once and settled; how many messages came twice. `disk`: that the disk was full, and has
        room again, may have been told too."""
        conn = sqlite3.connect(place / "monitor.db")
        try:
            assert conn.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert conn.execute("PRAGMA foreign_key_check").fetchall() == []
            titles = Counter(row[0] for row in conn.execute("SELECT title FROM notices"))
            changes = Counter(conn.execute("SELECT kind, silence FROM changes WHERE notice IS NOT NULL").fetchall())
            house = Counter(conn.execute("SELECT kind, reason FROM changes WHERE notice IS NULL").fetchall())
            deliveries = conn.execute(
                "SELECT channel, state, count(*) FROM deliveries d JOIN changes c ON c.id = d.change WHERE c.notice IS NOT NULL"
                " GROUP BY 1, 2 ORDER BY 1"
            ).fetchall()
            read = conn.execute(
                "SELECT count(*) FROM readings r JOIN notices n ON n.id = r.notice WHERE n.title = ? AND r.read_at IS NOT NULL",
                (NEW,),
            ).fetchone()[0]
        finally:
            conn.close()
        assert house == Counter() or (disk and house == Counter([("failing", "disk"), ("recovered", "disk")]))
        assert titles == Counter([row.title for row in self.site.rows])
        if not self.known:
            assert (changes, deliveries) == (Counter(), [])
            assert not any(len(bot.accepted) for bot in self.bots)
            return 0
        assert read == 2, "its page and its annex"
        assert changes == Counter([("new", None), ("revised", None)])
        assert deliveries == [(f"c{number}", "sent", 2) for number in range(len(self.bots))]
        twice = 0
        for bot in self.bots:
            told = Counter(title for text in bot.accepted.texts for title in (NEW, EDITED) if title in text)
            assert told.keys() == {NEW, EDITED}
            repeated = sum(told.values()) - 2
            assert repeated <= 1, "a kill repeats one message of a channel at most"
            twice += repeated
        return twice


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery() as made:
        yield made


@pytest.fixture(params=[False, True], ids=["the first check", "a check with news"])
def world(request: pytest.FixtureRequest, tmp_path: Path, nursery: Nursery) -> Iterator[World]:
    with WeComReceiver("a" * 8 + "-0001") as one, WeComReceiver("b" * 8 + "-0002") as other:
        made = World(tmp_path, nursery, request.param, bots=(one, other))
        made.begin()
        yield made
        made.site.close()


def imports() -> float:
    """What a process takes (seconds of processor time) before its first step, which those of the nursery do not."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", "import monitor.cli.look, monitor.daemon.asked"], cwd=ROOT, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def chosen(steps: list[str], every: bool) -> list[int]:
    """The steps to be killed at: all, or each COMMIT and each byte to a channel and a spread of the others."""
    if every:
        return list(range(1, len(steps) + 1))
    decisive = [n for n, name in enumerate(steps, 1) if name in ("db COMMIT", "socket sendall")]
    few = decisive[:: -(-len(decisive) // SPREAD)]
    return sorted({*few, *range(1, len(steps) + 1, -(-len(steps) // SPREAD))})


@pytest.mark.slow
def test_killed_at_any_step_nothing_is_lost_and_at_most_one_message_comes_twice(
    world: World, pytestconfig: pytest.Config
) -> None:
    every = pytestconfig.getoption("--every-step")
    place = world.fresh()
    whole = world.check(place)
    assert whole.code == 0, whole.err
    assert world.judge(place) == 0
    killed = twice = 0
    slowest = (0.0, 0.0)
    for number in chosen(whole.steps, every):
        for side in ("before", "after"):
            place = world.fresh()
            first = world.check(place, at=number, side=side)
            if first.code == 0:  # threads took fewer steps this time: nothing was left to kill
                continue
            where = f"killed {side} step {number}, {first.steps[-3:]}"
            assert first.code == -9, where + first.err
            killed += 1
            second = world.check(place)
            assert second.code == 0, where + second.err
            slowest = max(slowest, (second.cpu, second.seconds))
            assert second.cpu < START, where
            try:
                twice += world.judge(place)
            except AssertionError as error:
                raise AssertionError(where) from error
            shutil.rmtree(place)
    assert killed >= SPREAD
    assert slowest[0] + imports() < START
    print(
        f"{len(whole.steps)} steps, killed {killed} times: 0 lost, 0 stored twice, {twice} messages came twice;"
        f" slowest start with all its work {slowest[0]:.2f} s of processor time, {slowest[1]:.2f} s by the clock"
    )
