"""A large database: start, an unchanged check, a check with news, every listing, with a million notices of two hundred sources.

    python benchmarks/million.py                      # about 2 GB on the disk for some minutes
    python benchmarks/million.py --notices 50000      # a quick look
    python benchmarks/million.py --keep DIR           # builds it there once, and uses it again

It ends with code 1 where a limit is not kept. Times are the best of some runs: what it costs, not what else the machine does.
"""

from __future__ import annotations

import argparse
import logging
import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from monitor import config as configs
from monitor.check.one import check
from monitor.daemon import Loops
from monitor.store import changes, lists, outbox, readings
from monitor.store.lists import Filter

ROOT = Path(__file__).parents[1]
SOURCES = 200
#: Seconds: a start until the first look, a listing (a process's start apart); seconds of processor time: an unchanged check.
START, LISTING, UNCHANGED = 3.0, 0.2, 0.05
#: Seconds: a listing of what there is next to none of, for which all changes are looked at.
WHOLE = 1.0
NOW = datetime.now(UTC)


def rows(first: int) -> bytes:
    items = "".join(
        f"<li><a href='/p/{i}.html'>关于第{i}项工作的通知</a><span>2026-01-05</span></li>" for i in range(first, first - 24, -1)
    )
    return f"<html><head><title>l</title></head><body><ul class='l'>{items}</ul></body></html>".encode()


class Site:
    """Answers every address with the same list, anew each time: no validators."""

    def __init__(self) -> None:
        self.first = 100
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = rows(site.first)
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def config(folder: Path, port: int) -> Path:
    path = folder / "monitor.toml"
    text = '[monitor]\nevery = "1h"\nalive = "0s"\n[http]\ndelay = "0s"\nallow_private = ["127.0.0.0/8"]\n'
    for i in range(SOURCES):
        url = f"http://127.0.0.1:{port}/l{i}/"
        text += f'[[source]]\nid = "s{i:03d}"\nkind = "list"\nurl = "{url}"\nitems = "ul.l > li"\ndate = "span"\n'
    path.write_text(text + '[[channel]]\nid = "c"\nurl = "json://127.0.0.1:9/"\n', "utf-8")
    path.chmod(0o600)
    return path


def build(folder: Path, port: int, count: int) -> None:
    """One source as it really is, and `count` rows of each table by SQL."""
    began = time.monotonic()
    loops = Loops(configs.load(config(folder, port), {}))
    assert check(loops.desk, loops.config.sources["s000"]).outcome == "baseline"
    loops.close()
    conn = sqlite3.connect(folder / "monitor.db", isolation_level=None)
    conn.executescript("PRAGMA synchronous = OFF; PRAGMA cache_size = -200000; BEGIN")
    day = "strftime('%Y-%m-%dT%H:%M:%S.000+00:00', 'now', '-' || ((:count - n) * 1000000 / :count) || ' minutes')"  # two years
    numbers = "WITH RECURSIVE t (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < :count)"
    text = "这是第' || n || '号通知的正文，说明办理事项、时间和要求，请各单位认真执行。" * 4
    for table, columns, values in (
        ("notices", "id, source, key, url, address, title, row_title, published, text, first_seen, last_seen, listed, state,"
         " baseline, row_print, row_how, number, signed",
         f"n + 1000, printf('s%03d', n % {SOURCES}), 'k' || n, 'https://www.example.org/' || n || '.html',"
         f" 'www.example.org/' || n || '.html', '关于第' || n || '号事项的通知', '关于第' || n || '号事项的通知',"
         f" substr({day}, 1, 10), '{text}', {day}, {day}, n > :count - 4000,"
         " CASE WHEN n % 5000 = 0 THEN 'withdrawn' ELSE 'present' END, 0, 'p' || n, 'list/1:0',"
         " CASE WHEN n % 3 = 0 THEN '国发〔2026〕' || n || '号' END, '2026-01-05'"),
        ("versions", "notice, seq, fingerprint, title, seen_at, how, reason",
         f"n + 1000, 1, 'f' || n, '关于第' || n || '号事项的通知', {day}, 'list/1:0', 'first sight'"),
        ("changes", "id, kind, source, notice, to_version, reason, at, tried",
         f"n + 1000, CASE WHEN n % 50 = 0 THEN 'revised' ELSE 'new' END, printf('s%03d', n % {SOURCES}), n + 1000, 1,"
         f" 'first seen', {day}, '[]'"),
        ("deliveries", "change, channel, state, attempts, created_at, due_at, since, sent_at, route, message",
         f"n + 1000, 'c', CASE WHEN n % 20000 = 0 THEN 'refused' ELSE 'sent' END, 1, {day}, {day}, {day}, {day}, 'default', 'm'"),
        ("readings", "source, notice, url, host, purpose, why, step, due_at, read_at",
         f"printf('s%03d', n % {SOURCES}), n + 1000, 'https://www.example.org/' || n || '.html', 'www.example.org', 'document',"
         f" 'recheck', 6, CASE WHEN n % 10 = 0 THEN '2099-01-01T00:00:00.000+00:00' END, {day}"),
        ("checks", "source, at, until, count, outcome, rows",
         f"printf('s%03d', n % {SOURCES}), {day}, {day}, 90, 'unchanged', 24"),
    ):  # fmt: skip
        conn.execute(f"{numbers} INSERT INTO {table} ({columns}) SELECT {values} FROM t", {"count": count})
    conn.execute(f"UPDATE sources SET notices = notices + {count // SOURCES}")
    conn.execute("UPDATE sources SET baseline_at = coalesce(baseline_at, ?), health = 'ok'", (NOW.isoformat(),))
    conn.execute("COMMIT")
    conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    conn.close()
    os.sync()
    size = (folder / "monitor.db").stat().st_size
    print(f"{count:,} notices built in {time.monotonic() - began:.0f} s, {size / 1e6:,.0f} MB")


class Limits:
    """Prints each figure beside its limit; remembers whether one was not kept."""

    broken = 0

    def say(self, what: str, seconds: float, limit: float | None = None, more: str = "") -> None:
        over = limit is not None and seconds > limit
        self.broken += over
        kept = f"  limit {limit * 1000:,.0f} ms{', NOT KEPT' if over else ''}" if limit else ""
        print(f"{what:<52}{seconds * 1000:>10,.1f} ms{kept}{more}", flush=True)


def best(function: Callable[[], Any], times: int = 3, clock: Callable[[], float] = time.perf_counter) -> float:
    found = []
    for _ in range(times):
        began = clock()
        function()
        found.append(clock() - began)
    return min(found)


def start(folder: Path, limits: Limits) -> None:
    loaded = configs.load(folder / "monitor.toml", {})

    def begin() -> Loops:
        loops = Loops(loaded)
        loops.checking.reload()
        loops.tick()
        return loops

    for what, clock, limit in (
        ("start: opened, planned, first tick", time.perf_counter, START),
        ("  of it processor time", time.process_time, START),
    ):
        found = []
        for _ in range(3):
            began = clock()
            loops = begin()
            found.append(clock() - began)
            loops.close()
        limits.say(what, min(found), limit)


def looks(folder: Path, site: Site, limits: Limits) -> None:
    loops = Loops(configs.load(folder / "monitor.toml", {}))
    try:
        source = loops.config.sources["s000"]
        check(loops.desk, source)

        def unchanged() -> None:
            loops.desk.unchanged.clear()  # compared with the database each time
            assert check(loops.desk, source).outcome == "unchanged"

        limits.say("an unchanged check, processor time", best(unchanged, 10, time.process_time), UNCHANGED)

        def news() -> None:
            site.first += 1
            assert check(loops.desk, source).new == 1

        limits.say("a check with one new row, processor time", best(news, 5, time.process_time), UNCHANGED)
        limits.say("  by the clock", best(news, 5))
        now = loops.desk.now()
        with loops.store.read() as conn:
            for name, query in (
                ("due readings", lambda: readings.due(conn, now, 64)),
                ("due channels", lambda: outbox.due_channels(conn, now)),
                ("what is due to a channel", lambda: outbox.due(conn, "c", now, 200)),
                ("held changes", lambda: changes.overheld(conn, now)),
                ("long silence", lambda: changes.silent_since(conn, now - timedelta(days=7))),
                ("whether offline or full", lambda: (changes.offline(conn), changes.disk_full(conn))),
                ("numbers for a glance", lambda: lists.totals(conn)),
            ):
                limits.say(f"each tick or day: {name}", best(query), LISTING)
        limits.say("records of checks dropped after 400 days", best(loops.prune, 1))
    finally:
        loops.close()


def listings(folder: Path, count: int, limits: Limits) -> None:
    environ = os.environ | {"PYTHONPATH": str(ROOT)}

    def process(*args: str) -> None:
        command = [sys.executable, "-m", "monitor", "--config", str(folder / "monitor.toml"), *args]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environ)

    bare = best(lambda: process("--version"))
    limits.say("a process that does nothing (monitor --version)", bare)
    limits.say("monitor notices --limit 50, the whole process", best(lambda: process("notices", "--limit", "50")), LISTING)
    limits.say("monitor sources, the whole process", best(lambda: process("sources")))
    week, hour = NOW - timedelta(days=7), NOW - timedelta(hours=1)
    with sqlite3.connect(f"{(folder / 'monitor.db').as_uri()}?mode=ro", uri=True) as conn:
        conn.row_factory = sqlite3.Row
        middle = count // 2 + 1000
        asked: list[tuple[str, Callable[..., Any], Filter]] = [
            ("notices", lists.notice_rows, Filter(limit=50)),
            ("notices --source s007", lists.notice_rows, Filter(("s007",), limit=50)),
            ("notices --source 's00*' --source 's1*'", lists.notice_rows, Filter(("s00*", "s1*"), limit=50)),
            ("notices --source none-such", lists.notice_rows, Filter(("none-such*",), limit=50)),
            ("notices --since 1h", lists.notice_rows, Filter(since=hour, limit=50)),
            ("notices --since 7d", lists.notice_rows, Filter(since=week, limit=50)),
            ("notices --since 7d --source s007", lists.notice_rows, Filter(("s007",), since=week, limit=50)),
            ("notices --state withdrawn", lists.notice_rows, Filter(states=("withdrawn",), limit=50)),
            ("notices --kind feed (there is none)", lists.notice_rows, Filter(kinds=("feed",), limit=50)),
            ("notices --after ID", lists.notice_rows, Filter(after=middle, limit=50)),
            ("notices --after ID --source s007", lists.notice_rows, Filter(("s007",), after=middle, limit=50)),
            ("changes", lists.change_rows, Filter(limit=50)),
            ("changes --source s007", lists.change_rows, Filter(("s007",), limit=50)),
            ("changes --since 1h", lists.change_rows, Filter(since=hour, limit=50)),
            ("changes --since 7d", lists.change_rows, Filter(since=week, limit=50)),
            ("changes --kind revised", lists.change_rows, Filter(kinds=("revised",), limit=50)),
            ("changes --kind gap (there is none)", lists.change_rows, Filter(kinds=("gap",), limit=50)),
            ("changes --state silenced (there is none)", lists.change_rows, Filter(states=("silenced",), limit=50)),
            ("deliveries", lists.delivery_rows, Filter(limit=50)),
            ("deliveries --state refused --state expired", lists.delivery_rows, Filter(states=("refused", "expired"), limit=50)),
            ("deliveries --source s007", lists.delivery_rows, Filter(("s007",), limit=50)),
            ("deliveries --since 7d", lists.delivery_rows, Filter(since=week, limit=50)),
            ("sources", lists.sources, Filter()),
        ]
        for name, query, given in asked:
            seconds = best(lambda query=query, given=given: query(conn, given))
            limits.say(f"monitor {name}", seconds, WHOLE if name.startswith("changes") and "none" in name else LISTING)
        limits.say("monitor show URL", best(lambda: lists.show(conn, _found(conn, middle))), LISTING)
        limits.say("monitor explain CHANGE", best(lambda: lists.explain(conn, middle)), LISTING)


def _found(conn: sqlite3.Connection, id_: int) -> int:
    found = lists.find_notice(conn, f"https://www.example.org/{id_ - 1000}.html")
    assert found == id_
    return found


def main() -> int:
    logging.getLogger("monitor").addHandler(logging.NullHandler())
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--notices", type=int, default=1_000_000)
    asked.add_argument("--keep", type=Path)
    given = asked.parse_args()
    site, limits = Site(), Limits()
    port = site.server.server_port
    with tempfile.TemporaryDirectory(prefix="million-") as temporary:
        folder = given.keep or Path(temporary)
        if (folder / "monitor.db").exists():
            config(folder, port)
            site.first = 200
        else:
            folder.mkdir(exist_ok=True)
            build(folder, port, given.notices)
        start(folder, limits)
        looks(folder, site, limits)
        listings(folder, given.notices, limits)
    return 1 if limits.broken else 0


if __name__ == "__main__":
    sys.exit(main())
