"""What is told, missed and told falsely when real histories pass through both loops, version by version.

    python -m benchmarks.replay                    # every history, one line each
    python -m benchmarks.replay pages lists        # some groups: pages, pages-bare, lists, records, records-bare, kev, kev-seeded
    python -m benchmarks.replay --disagree pages   # and each disagreement with the recorded truth
    python -m benchmarks.replay --most 300 lists   # the first 300 versions of each history: quick

Each version is served by a real HTTP server on loopback and checked through the real loops on a temporary database; the clock
moves to the version's own time. What is due at a check counts as told when it is told then or at the next check; anything told
that was not due is false. `right` counts the disagreements in which a person who looked found that the recorded truth is wrong or
does not apply (`JUDGED`); they stay in the other columns. `ms CPU` is the mean of a check, the first sight left out. The
histories are those of the collection of real inputs (`MONITOR_CORPUS`).
"""

from __future__ import annotations

import argparse
import contextlib
import io
import logging
import random
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from pathlib import Path

from benchmarks.histories import GROUPS, JUDGED, Event, History, Step
from monitor import config as configs
from monitor.daemon import Loops
from monitor.store import notices

#: Told of a source rather than of what it publishes: counted on their own.
HEALTH = ("failing", "recovered")
#: Likewise, a note: that nothing new came for unusually long.
QUIET = ("note", "quiet")


@dataclass
class Score:
    """What became of one history. `wrong` lists every disagreement: (version, what)."""

    group: str
    name: str
    checks: int = 0
    true: int = 0
    told: int = 0
    false: int = 0
    faults: int = 0
    seen_faults: int = 0
    health: Counter[str] = field(default_factory=Counter)
    cpu: float = 0.0
    right: int = 0
    wrong: list[tuple[str, str]] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)

    @property
    def missed(self) -> int:
        """True changes that were not told in time."""
        return self.true - self.told

    @property
    def recall(self) -> float:
        """Told of all true changes; 1 where there were none."""
        return self.told / self.true if self.true else 1.0

    @property
    def precision(self) -> float:
        """True of all that was told; 1 where nothing was."""
        return self.told / (self.told + self.false) if self.told + self.false else 1.0

    def add(self, other: Score) -> None:
        """Another history of the same group."""
        for name in ("checks", "true", "told", "false", "faults", "seen_faults", "cpu", "right"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.health += other.health
        self.outcomes += other.outcomes
        self.wrong += [(f"{other.name} {where}", what) for where, what in other.wrong]

    def line(self) -> str:
        """One row of the table."""
        faults = f"{self.seen_faults}/{self.faults}" if self.faults else "-"
        health = f"{self.health['failing']}/{self.health['recovered']}"
        counts = (self.checks, self.true, self.told, self.missed, self.false, self.right)
        return (
            f"{self.group:13} {self.name[:44]:44} {' '.join(f'{count:6}' for count in counts)}"
            f" {self.recall:7.1%} {self.precision:7.1%} {faults:>7} {health:>7} {1000 * self.cpu / max(1, self.checks):7.1f}"
        )


HEAD = f"{'group':13} {'history':44} checks   true   told missed  false  right  recall precis.  faults failing  ms CPU"


# --- the running house


class Site:
    """One address on loopback that serves whatever `body` and `status` are; pages behind rows answer a short text."""

    def __init__(self, media_type: str) -> None:
        self.status, self.body = 200, b""
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                watched = self.path.startswith("/watched/")
                body = site.body if watched else b"<html><body><p>The page of a row.</p></body></html>"
                self.send_response(site.status if watched else 200)
                self.send_header("Content-Type", media_type if watched else "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def close(self) -> None:
        """Stop serving."""
        self.server.shutdown()
        self.server.server_close()


class House:
    """Both loops over one source, and a clock that the history moves."""

    def __init__(self, folder: Path, site: Site, toml: str, at: datetime) -> None:
        self.at = at
        path = folder / "monitor.toml"
        path.write_text(
            '[monitor]\ntimezone = "UTC"\nalive = "0s"\n[http]\ndelay = "0s"\nallow_private = ["127.0.0.0/8"]\n'
            + toml.replace("{url}", site.url)
            + '\n[[channel]]\nid = "console"\nurl = "console://"\n',
            "utf-8",
        )
        path.chmod(0o600)
        self.loops = Loops(configs.load(path, {}), workers=2, now=lambda: self.at, rng=random.Random(1))
        self.source = next(iter(self.loops.config.sources))
        self.last = 0

    def check(self, at: datetime) -> tuple[str, list[tuple[str, str, str]]]:
        """Check at that time; the outcome, and (kind, key, reason) of each change that was told."""
        self.at = max(at, self.at + timedelta(seconds=1))
        report = self.loops.check_now([self.source], seconds=5).reports[0]
        return report.outcome, self._told()

    def _told(self) -> list[tuple[str, str, str]]:
        with self.loops.store.read() as conn:
            rows = conn.execute(
                "SELECT c.id, c.kind, n.key, c.reason, c.silence FROM changes c LEFT JOIN notices n ON n.id = c.notice"
                " WHERE c.id > ? ORDER BY c.id",
                (self.last,),
            ).fetchall()
        self.last = rows[-1]["id"] if rows else self.last
        return [(row["kind"], (row["key"] or "").rpartition("/")[2], row["reason"]) for row in rows if row["silence"] is None]

    def doubting(self) -> bool:
        """Whether a state that was seen does not count yet."""
        with self.loops.store.read() as conn:
            return conn.execute("SELECT 1 FROM doubts").fetchone() is not None

    def text(self) -> str:
        """The text that stands, of the first notice."""
        with self.loops.store.read() as conn:
            row = conn.execute("SELECT id, seq FROM notices ORDER BY id LIMIT 1").fetchone()
            return notices.text_of(conn, row["id"], row["seq"]) if row else ""


def replay(history: History, watch: Callable[[Step, House, list[tuple[str, str, str]]], None] | None = None) -> Score:
    """Let one history pass through the loops; `watch` is called after each check."""
    score = Score(history.group, history.name)
    judge = _Judge(score)
    site = Site(history.media_type)
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        house: House | None = None
        for step in history.steps:
            house = house or House(Path(folder), site, history.toml, step.at)
            site.body, site.status = step.body, step.status
            started = time.process_time()
            outcome, told = house.check(step.at)
            score.cpu += time.process_time() - started if score.outcomes else 0.0  # what is done once is not the cost of a check
            judge.check(step, outcome, told, house)
            if watch:
                watch(step, house, told)
        judge.end()
        if house:
            house.loops.close()
        site.close()
    return score


class _Judge:
    """Compares what is told with what is due: at once, or at the next check."""

    def __init__(self, score: Score) -> None:
        self.score = score
        self.owed: list[tuple[int, str, Event]] = []
        self.free: frozenset[Event] = frozenset()
        self.place = -1

    def check(self, step: Step, outcome: str, told: Sequence[tuple[str, str, str]], house: House) -> None:
        """One check."""
        score = self.score
        score.outcomes[outcome] += 1
        if sum(score.outcomes.values()) == 1:
            return
        self.place += 1
        score.checks += 1
        score.true += len(step.due)
        self.owed += [(self.place, step.name, event) for event in sorted(step.due)]
        for kind, key, reason in told:
            if kind in HEALTH or (kind, reason) == QUIET:
                score.health[kind] += 1
                continue
            paid = [owed for owed in self.owed if owed[2] == (kind, key)]
            self.owed = [owed for owed in self.owed if owed not in paid]
            score.told += len(paid)
            if not paid and (kind, key) not in step.free | self.free:
                score.false += 1
                self._disagree(step.name, f"FALSE {kind} {key} ({reason})")
        self.free = step.free
        self._late(self.place)
        if step.fault:
            score.faults += 1
            if outcome == "failed" or house.doubting():
                score.seen_faults += 1
            else:
                self._disagree(step.name, f"a fault taken for good ({outcome})")
        elif outcome == "failed":
            self._disagree(step.name, "a good version failed")

    def _late(self, place: int) -> None:
        for owed in [owed for owed in self.owed if owed[0] < place]:
            self.owed.remove(owed)
            self._disagree(owed[1], f"MISSED {owed[2][0]} {owed[2][1]}")

    def _disagree(self, step: str, what: str) -> None:
        why = JUDGED.get((self.score.group, self.score.name, step))
        self.score.right += why is not None
        self.score.wrong.append((step, what + (f": right, {why}" if why else "")))

    def end(self) -> None:
        """No further check."""
        self._late(self.place + 1)


# --- the command


def run(groups: Sequence[str], *, most: int | None = None, only: str = "", out: Callable[[str], None] = print) -> list[Score]:
    """Replay groups, the first `most` versions of each history; one score a group, each history's line given to `out`."""
    totals = []
    for group in groups:
        total = Score(group, "all")
        for history in GROUPS[group]():
            if only in history.name:
                score = replay(replace(history, steps=islice(history.steps, most)))
                out(score.line())
                total.add(score)
        out(total.line())
        totals.append(total)
    return totals


def main() -> None:
    """The command."""
    logging.getLogger("monitor").addHandler(logging.NullHandler())
    logging.getLogger("monitor").propagate = False
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("groups", nargs="*", metavar="group", help=", ".join(GROUPS))
    asked.add_argument("--disagree", action="store_true", help="show each disagreement with the recorded truth")
    asked.add_argument("--only", default="", help="histories whose name contains this")
    asked.add_argument("--most", type=int, help="so many versions of each history at most")
    given = asked.parse_args()
    if unknown := set(given.groups) - set(GROUPS):
        asked.error(f"no such group: {', '.join(sorted(unknown))}; there are {', '.join(GROUPS)}")
    print(HEAD, flush=True)
    wanted = given.groups or list(GROUPS)
    totals = run(wanted, most=given.most, only=given.only, out=lambda line: print(line, flush=True))
    if given.disagree:
        for total in totals:
            for where, what in total.wrong:
                print(f"{total.group:13} {where}: {what}")


if __name__ == "__main__":
    main()
