"""One bad source among two hundred on a real daemon: each hostile case that hangs, drips, floods, bloats or refuses, in turn, and
how late the checks of the others are meanwhile.

    python -m benchmarks.isolation                 # every case, about ten minutes
    python -m benchmarks.isolation --quick         # one case of each kind at once, among thirty, half a minute

The cases are those of `tests/hostile`, as they are played there with a clock that stands still; here the clock runs. It ends with
code 1 where a case makes others later by more than 1 s than they are without it, or where it did not come to a failed check.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import signal
import sqlite3
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.farm import Daemon, Farm, Sites, config, share, until
from tests.hostile import certificates
from tests.hostile.cases import CASES
from tests.hostile.pages import OPTIONS, document
from tests.hostile.table import Case, Down, Page, fault, good
from tests.hostile.world import Site

#: Seconds: between two checks of a source, how long a case is played, how long all is watched before, and what is too late.
EVERY, PLAYED, CALM, LATE = 2, 5.0, 6.0, 1.0
#: Faults that hold somebody up: (row, fault), None for all of a row.
HOLDING = {
    ("slow", None), ("broken off", "reset"), ("compression", "bomb"), ("flood", None), ("circle", "loop"), ("circle", "endless"),
    ("unreachable", "refused"), ("tls", "hang"), ("heavy", None),
}  # fmt: skip
QUICK = ("gzip-bomb", "deep-xml", "deep-json", "handshake-hangs", "a-slow-pattern")
#: What a user's own pattern can do; it is in no table of cases, for it is no fault of a site.
PATTERN = fault(
    "a-slow-pattern", "html", ("heavy", "pattern"), Page(document("办事指南", "a" * 50_000 + "!").encode()), "heavy", kind="page"
)


def name(case: Case) -> str:
    """The source that plays it."""
    return "tls" if case.tls else case.kind


def chosen() -> list[Case]:
    """The cases that are played: those that one source can play as it is."""
    found = [
        case
        for case in CASES
        if any((row, None) in HOLDING or (row, one) in HOLDING for row, one in case.covers)
        and all(step.outcome == "failed" for step in case.steps)
        and not (case.resolver or case.options or case.first or case.both)
    ]
    return [*found, PATTERN]


def play(pipe: Connection) -> None:
    """The bad sites, one of each kind, in a process of their own: well until they are told to play a case."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sites = {kind: Site() for kind in ("list", "feed", "json", "page")} | {"tls": Site(certificates.good())}
    cases = {case.id: case for case in chosen()}
    well = {
        kind: Page(document("办事指南", "正文").encode()) if kind == "page" else good(kind)
        for kind in ("list", "feed", "json", "page")
    }
    for kind, site in sites.items():
        site.ports = {b"{site}": str(site.port).encode(), b"{canary}": b"9"}
        site.says({"/list/": well.get(kind, well["list"])})
    pipe.send({kind: site.port for kind, site in sites.items()})
    while True:
        id_, begins = pipe.recv()
        case = cases[id_]
        site, step = sites[name(case)], case.steps[0]
        if case.tls:
            mode = certificates.wrong(case.tls, Path()) if begins else certificates.good()
            site.shows(mode, mute=begins)
        down = begins and isinstance(step.say, Down)
        site.go(up=not down)
        if not down:
            say = step.say if begins else well.get(name(case), well["list"])
            assert not isinstance(say, Down)
            site.says({"/list/": say} | (dict(step.paths) if begins else {}))
        pipe.send(None)


class Bad:
    """The process with the bad sites, seen from here."""

    def __init__(self) -> None:
        self.pipe, there = multiprocessing.Pipe()
        self.process = multiprocessing.Process(target=play, args=(there,), daemon=True)
        self.process.start()
        self.ports: dict[str, int] = self.pipe.recv()

    def toml(self) -> str:
        text = ""
        for kind, port in self.ports.items():
            plain, scheme = ("list", "https") if kind == "tls" else (kind, "http")
            text += f'[[source]]\nid = "bad-{kind}"\nkind = "{plain}"\nurl = "{scheme}://127.0.0.1:{port}/list/"\nsame = "off"\n'
            text += OPTIONS[plain]
            text += "verify_tls = false\n" if kind == "tls" else ""
            text += 'ignore_text = ["(a|a?)+$"]\n' if kind == "page" else ""
        return text

    def plays(self, case: Case, *, begins: bool) -> None:
        self.pipe.send((case.id, begins))
        self.pipe.recv()

    def close(self) -> None:
        self.process.terminate()
        self.process.join()


def health(database: Path) -> dict[str, str]:
    """How the bad sources are, as it is stored."""
    conn = sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True, timeout=10)
    try:
        return {
            id_.removeprefix("bad-"): said for id_, said in conn.execute("SELECT id, health FROM sources WHERE id LIKE 'bad-%'")
        }
    finally:
        conn.close()


def late(sites: Sites, seconds: float) -> list[float]:
    """How late the checks of these seconds were."""
    time.sleep(seconds)
    return sites.ask()[1]


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--sources", type=int, default=200)
    asked.add_argument("--quick", action="store_true")
    asked.add_argument("--only", default="", help="cases whose names hold this")
    asked.add_argument("--times", type=int, default=1, help="all of it so often")
    given = asked.parse_args()
    cases = [case for case in chosen() if given.only in case.id]
    rounds = [[case for case in cases if case.id in QUICK]] if given.quick else [[case] for case in cases]
    count = min(given.sources, 30) if given.quick else given.sources
    sites, bad, broken = Sites(Farm(EVERY, faults=0, news=0.005)), Bad(), 0
    with tempfile.TemporaryDirectory(prefix="isolation-") as folder:
        database = Path(folder) / "monitor.db"
        daemon = Daemon(config(Path(folder), sites.port, count, f"{EVERY}s", bad.toml()))
        try:
            until(lambda: sites.ask()[0]["again"] >= count, 180, "every source was checked twice")
            until(lambda: set(health(database).values()) == {"ok"}, 60, "the bad sources' first look, while they are well")
            sites.ask("measure")
            sites.ask()
            usual = late(sites, CALM)
            said("all is well", usual, "")
            for played in rounds * given.times:
                broken += not turn(played, sites, bad, database, daemon, max(0.0, *usual))
            code = daemon.stop()
        finally:
            daemon.process.kill()
            sites.close()
            bad.close()
        if code != 0 or "Traceback" in daemon.log.read_text():
            print(f"NOT KEPT: the daemon ended with code {code}: {daemon.log.read_text()[-1000:]}")
            broken += 1
    print(f"{len(rounds)} rounds, {broken} not kept; load average {os.getloadavg()[0]:.1f}")
    return 1 if broken else 0


def said(what: str, found: list[float], more: str) -> None:
    most, median = max(found), share(found, 0.5)
    print(f"{what:<40}{len(found):>6} checks late by {median:5.2f} s (median), {most:.2f} s (most){more}", flush=True)


def turn(played: list[Case], sites: Sites, bad: Bad, database: Path, daemon: Daemon, usual: float) -> bool:
    """One round; whether all was kept."""
    names = {name(case) for case in played}
    sites.ask()
    for case in played:
        bad.plays(case, begins=True)
    found = late(sites, PLAYED)
    seen = health(database)
    unmet = [kind for kind in names if seen[kind] == "ok"]
    size, files, threads = daemon.sample()
    for case in played:
        bad.plays(case, begins=False)
    until(lambda: all(health(database)[kind] == "ok" for kind in names), 60, f"{', '.join(names)} well again")
    found += sites.ask()[1]
    worst = share(found, 0.95) if len(played) > 1 else max(found)  # many at once: one core is busy with them for moments
    kept = worst <= usual + LATE and not unmet
    word = "" if kept else f"  NOT KEPT{': no failed check' if unmet else ''}"
    more = f"; {size:.0f} MiB, {files} files, {threads} threads{word}"
    for case in played[:-1]:
        print(case.id)
    said(played[-1].id, found, more)
    return kept


if __name__ == "__main__":
    sys.exit(main())
