"""The daemon is killed with SIGKILL again and again while sites publish and services fail: nothing is lost, little is sent twice.

The long form, about twenty minutes: `pytest tests/test_crash.py --kills 300 --notices 10000 -s`.
"""

from __future__ import annotations

import itertools
import os
import random
import re
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from tests.receivers import Answer, Post, QuietServer, WeComReceiver, status

ROOT = Path(__file__).parents[1]
SOURCES, BASELINE = 20, 5
#: Rows that a source shows at most: what is older has rolled off.
SHOWN = 100
SEED = 20260112
#: Seconds: how long a process lives at most before its kill; how long a start may take; how long nothing may get on at the end.
LIFE, START, STILL = 2.5, 60.0, 150.0
NUMBER = re.compile(r"第(\d{5})号")


@dataclass
class Place:
    """Twenty sources on one server, lists and feeds in turn; each shows its newest rows. `asked` is set by a request."""

    rows: list[list[int]] = field(default_factory=lambda: [[90000 + 10 * n + k for k in range(BASELINE)] for n in range(SOURCES)])
    asked: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        place = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                place.asked.set()
                number = int(self.path.rpartition("/")[2])
                with place.lock:
                    rows = place.rows[number][:SHOWN]
                body = (feed if number % 2 else listing)(number, rows).encode()
                try:
                    self.send_response(200)
                    self.send_header("Content-Type", "application/rss+xml" if number % 2 else "text/html; charset=utf-8")
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    self.close_connection = True  # whoever asked was killed

            def log_message(self, *_: object) -> None:
                pass

        self.server = QuietServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def publish(self, source: int, number: int) -> None:
        with self.lock:
            self.rows[source].insert(0, number)

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def title(number: int) -> str:
    return f"关于公布第{number:05d}号目录的公告"


def listing(_: int, rows: list[int]) -> str:
    items = "".join(f"<li><a href='/p/{row}.html'>{title(row)}</a><span>2026-01-12</span></li>" for row in rows)
    return f"<html><body><ul class='l'>{items}</ul></body></html>"


def feed(source: int, rows: list[int]) -> str:
    items = "".join(
        f"<item><guid isPermaLink='false'>n{row}</guid><title>{title(row)}</title><link>http://127.0.0.1/p/{row}.html</link>"
        f"<pubDate>Mon, 12 Jan 2026 02:00:00 GMT</pubDate><description>第{row}条</description></item>"
        for row in rows
    )
    return f"<?xml version='1.0' encoding='utf-8'?><rss version='2.0'><channel><title>f{source}</title>{items}</channel></rss>"


class Moody(WeComReceiver):
    """Takes four messages of five; the fifth fails for a reason that may pass. Seeded."""

    def __init__(self, key: str, seed: int) -> None:
        super().__init__(key)
        self.rng = random.Random(seed)
        self.well = False

    def judge(self, post: Post) -> Answer:
        if self.well or self.rng.random() >= 0.2:
            return super().judge(post)
        return status(503 if self.rng.random() < 0.8 else 429, retry_after="1")


@dataclass
class Killed:
    """A daemon that is started, killed, started again; what was measured."""

    config: Path
    place: Place
    starts: list[float] = field(default_factory=list)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """A new process; the time until its first request is measured."""
        self.place.asked.clear()
        began = time.monotonic()
        with self.config.with_name("log").open("ab") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "monitor", "-c", str(self.config), "run"], cwd=ROOT, env=ENVIRON, stderr=stderr
            )
        assert self.place.asked.wait(START), self.config.with_name("log").read_text()[-2000:]
        self.starts.append(time.monotonic() - began)

    def kill(self) -> None:
        assert self.process is not None
        assert self.process.poll() is None, self.config.with_name("log").read_text()[-2000:]
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(30)


ENVIRON = {"PATH": os.environ["PATH"], "TZ": "UTC"}


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="monitor-") as path:
        yield Path(path)


def write(folder: Path, place: Place, bots: list[Moody]) -> Path:
    """The configuration of the twenty sources and of both channels."""
    url = f"http://127.0.0.1:{place.server.server_port}"
    text = '[monitor]\nevery = "1s"\nlog = "warning"\n[http]\ndelay = "0s"\nper_host = 4\nallow_private = ["127.0.0.0/8"]\n'
    for number in range(SOURCES):
        kind = 'kind = "feed"' if number % 2 else 'kind = "list"\nitems = "ul.l > li"\ndate = "span"'
        text += f'[[source]]\nid = "s{number:02d}"\n{kind}\nurl = "{url}/{number}"\nsame = "off"\n'
    for number, bot in enumerate(bots):
        text += f'[[channel]]\nid = "c{number}"\nurl = "{bot.target}"\nendpoint = "{bot.url}"\nrate = 10000\n'
    path = folder / "monitor.toml"
    path.write_text(text, "utf-8")
    path.chmod(0o600)
    return path


def rows(database: Path, sql: str) -> list[tuple[Any, ...]]:
    conn = sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True, timeout=30)
    try:
        return conn.execute(sql).fetchall()
    finally:
        conn.close()


def told(bot: Moody) -> tuple[Counter[int], int]:
    """In how many accepted messages each number stands, and how many messages repeat something."""
    found: Counter[int] = Counter()
    repeated = 0
    for text in bot.accepted.texts:
        numbers = {int(number) for number in NUMBER.findall(text)}
        repeated += bool(numbers & found.keys())
        found.update(numbers)
    return found, repeated


def until(condition: Any, seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"{what}: not within {seconds:g} s"
        time.sleep(0.1)


def getting_on(measure: Callable[[], Any], end: Any) -> None:
    """Wait for the end as long as something gets on: how fast depends on who else is busy."""
    last, since = measure(), time.monotonic()
    while last != end:
        time.sleep(0.2)
        if (now := measure()) != last:
            last, since = now, time.monotonic()
        assert time.monotonic() - since < STILL, f"{last} stood still for {STILL:g} s, not {end}"


@pytest.mark.slow
def test_nothing_is_lost_however_often_it_is_killed(folder: Path, pytestconfig: pytest.Config) -> None:
    kills, published = pytestconfig.getoption("--kills"), pytestconfig.getoption("--notices")
    rng = random.Random(SEED)
    place = Place()
    database = folder / "monitor.db"
    with Moody("a" * 8 + "-0001", SEED) as one, Moody("b" * 8 + "-0002", SEED + 1) as other:
        daemon = Killed(write(folder, place, [one, other]), place)
        try:
            for _ in range(3):  # killed while it makes its tables and its baseline, too
                daemon.start()
                daemon.kill()
            daemon.start()
            until(
                lambda: rows(database, "SELECT count(*) FROM sources WHERE baseline_at IS NOT NULL") == [(SOURCES,)],
                60,
                "baseline",
            )
            numbers = iter(range(1, published + 1))
            each = -(-published // (kills - 3))
            for _ in range(kills - 3):
                for number in itertools.islice(numbers, each):
                    place.publish(rng.randrange(SOURCES), number)
                time.sleep(rng.random() * LIFE)
                daemon.kill()
                daemon.start()
            for number in numbers:
                place.publish(rng.randrange(SOURCES), number)
            one.well = other.well = True
            left = "SELECT (SELECT count(*) FROM notices WHERE NOT baseline), count(*) FROM deliveries WHERE state != 'sent'"
            getting_on(lambda: rows(database, left)[0], (published, 0))
            assert daemon.stop() == 0
        finally:
            if daemon.process is not None and daemon.process.poll() is None:
                daemon.process.kill()
            place.close()
        assert rows(database, "PRAGMA integrity_check") == [("ok",)]
        assert rows(database, "PRAGMA foreign_key_check") == []
        titles = Counter(row[0] for row in rows(database, "SELECT title FROM notices WHERE NOT baseline"))
        assert titles == Counter(dict.fromkeys(map(title, range(1, published + 1)), 1)), "every notice is stored once"
        changes = Counter(row[0] for row in rows(database, "SELECT kind FROM changes"))
        assert changes["new"] == published
        assert changes.keys() <= {"new", "failing", "recovered"}, changes
        deliveries = rows(database, "SELECT channel, state, count(*) FROM deliveries GROUP BY channel, state ORDER BY channel")
        assert {state for _, state, _ in deliveries} == {"sent"}
        found = [told(bot) for bot in (one, other)]
        starts = sorted(daemon.starts)
        print(
            f"kills {kills}, notices {published}, deliveries {sum(count for *_, count in deliveries)},"
            f" messages {len(one.accepted) + len(other.accepted)},"
            f" failed answers {len(one.refused) + len(other.refused)}, duplicates {sum(n for _, n in found)},"
            f" restart to first request {starts[len(starts) // 2] * 1000:.0f} ms (median), {starts[-1] * 1000:.0f} ms (slowest)"
        )
        for numbers_told, repeated in found:
            assert numbers_told.keys() >= set(range(1, published + 1)), "every change reached every channel"
            assert repeated <= kills, "a kill repeats one message of a channel at most"
        assert starts[len(starts) // 2] < 5
