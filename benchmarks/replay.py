"""What is told, missed and told falsely when real histories pass through both loops, version by version.

    python benchmarks/replay.py                    # every history, one line each
    python benchmarks/replay.py pages lists        # some groups: pages, pages-bare, lists, records, records-bare, kev
    python benchmarks/replay.py --disagree pages   # and each disagreement with the recorded truth
    python benchmarks/replay.py --every 7 lists    # the first and every seventh of a list's runs of polls: quick

Each version is served by a real HTTP server on loopback and checked through the real loops on a temporary database; the clock
moves to the version's own time. What is due at a check counts as told when it is told then or at the next check; anything told
that was not due is false. The histories are those of the collection of real inputs (`MONITOR_CORPUS`).
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import logging
import lzma
import os
import random
import tarfile
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from monitor import config as configs
from monitor.daemon import Loops
from monitor.store import notices

CORPUS = Path(os.environ.get("MONITOR_CORPUS") or Path(__file__).parents[2] / "shared" / "corpus")
#: (kind of change, key of the notice)
Event = tuple[str, str]
#: Told of a source rather than of what it publishes: counted on their own.
HEALTH = ("failing", "recovered")


@dataclass(frozen=True)
class Step:
    """One version and what is true of it. `due`: what must be told; `free`: what may be told or not; `fault`: it must be read as
    a failed check or a doubt, and nothing may be told."""

    name: str
    at: datetime
    body: bytes
    status: int = 200
    due: frozenset[Event] = frozenset()
    free: frozenset[Event] = frozenset()
    fault: bool = False


@dataclass(frozen=True)
class History:
    """One source and its versions in time order. `toml` is its `[[source]]`, with `{url}` for the site's address."""

    group: str
    name: str
    toml: str
    steps: Iterable[Step]
    media_type: str = "text/html; charset=utf-8"


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
        for name in ("checks", "true", "told", "false", "faults", "seen_faults", "cpu"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.health += other.health
        self.outcomes += other.outcomes
        self.wrong += [(f"{other.name} {where}", what) for where, what in other.wrong]

    def line(self) -> str:
        """One row of the table."""
        faults = f"{self.seen_faults}/{self.faults}" if self.faults else "-"
        health = f"{self.health['failing']}/{self.health['recovered']}"
        return (
            f"{self.group:13} {self.name[:44]:44} {self.checks:6} {self.true:6} {self.told:6} {self.missed:6} {self.false:6}"
            f" {self.recall:7.1%} {self.precision:7.1%} {faults:>7} {health:>7} {1000 * self.cpu / max(1, self.checks):7.1f}"
        )


HEAD = (
    f"{'group':13} {'history':44} {'checks':>6} {'true':>6} {'told':>6} {'missed':>6} {'false':>6} {'recall':>7} {'precis.':>7}"
    f" {'faults':>7} {'failing':>7} {'ms CPU':>7}"
)


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
            '[monitor]\ntimezone = "UTC"\n[http]\ndelay = "0s"\nallow_private = ["127.0.0.0/8"]\n'
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
            return conn.execute("SELECT count(*) FROM doubts").fetchone()[0] > 0

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
            score.cpu += time.process_time() - started
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
        if outcome == "baseline":
            return
        self.place += 1
        score.checks += 1
        score.true += len(step.due)
        self.owed += [(self.place, step.name, event) for event in sorted(step.due)]
        for kind, key, reason in told:
            if kind in HEALTH:
                score.health[kind] += 1
                continue
            paid = [owed for owed in self.owed if owed[2] == (kind, key)]
            self.owed = [owed for owed in self.owed if owed not in paid]
            score.told += len(paid)
            if not paid and (kind, key) not in step.free | self.free:
                score.false += 1
                score.wrong.append((step.name, f"FALSE {kind} {key} ({reason})"))
        self.free = step.free
        self._late(self.place)
        if step.fault:
            score.faults += 1
            if outcome == "failed" or house.doubting():
                score.seen_faults += 1
            else:
                score.wrong.append((step.name, f"fault taken for good ({outcome})"))
        elif outcome == "failed":
            score.wrong.append((step.name, "a good version failed"))

    def _late(self, place: int) -> None:
        for owed in [owed for owed in self.owed if owed[0] < place]:
            self.owed.remove(owed)
            self.score.wrong.append((owed[1], f"MISSED {owed[2][0]} {owed[2][1]}"))

    def end(self) -> None:
        """No further check."""
        self._late(self.place + 1)


# --- pages


SELECTORS = {
    "demo--buffer-privacy-policy": ["privacy-policy", "crpn", "gdpr", "dpf", "data-retention"],
    "demo--github-privacy-policy": ["#article-contents"],
    "demo--uptimerobot-privacy-policy": ["main"],
    "france-elections--twitter-community-guidelines-privacy-violations": ["main"],
    "sante-numerique-france--livi-privacy-policy": ["main"],
    "sante-numerique-france--mon-espace-sant-accessibility-statement": [".main-page-container"],
    "sante-numerique-france--withings-privacy-policy": [".document"],
}
#: What the collection's own rules recorded as changed when only its rules had, looked at by hand: the text is the same.
WANTS = {"content_change": "change", "no_content_change": "quiet", "extraction_rule_change": "quiet", "first": "quiet"}
PAGE: Event = ("revised", "page")


def pages(selected: bool) -> Iterator[History]:
    """The recorded pages, with the selectors declared for them or without any."""
    folder = CORPUS / "histories" / "ota_raw_html"
    corrected = json.loads((folder / "corrected_labels.json").read_text("utf-8"))
    for name, selectors in SELECTORS.items():
        css = [one if not name.startswith("demo--buffer") else f"[aria-labelledby={one}]" for one in selectors]
        toml = '[[source]]\nid = "page"\nkind = "page"\nevery = "12h"\nurl = "{url}/watched/page"\n'
        if selected:
            toml += f"select = {json.dumps(css)}\n"
        yield History(
            "pages" if selected else "pages-bare", name.rpartition("--")[2], toml, _page_steps(folder / name, corrected)
        )


def _page_steps(folder: Path, corrected: Mapping[str, Mapping[str, str]]) -> Iterator[Step]:
    versions = json.loads((folder / "index.json").read_text("utf-8"))["versions"]
    bodies = archived(folder / "versions.tar.xz")
    for version in versions:
        name = f"{folder.name}/{version['file']}"
        want = corrected[name]["want"] if name in corrected else WANTS[version["label"]]
        yield Step(
            version["file"],
            datetime.fromisoformat(version["time"]).astimezone(UTC),
            bodies[version["file"]],
            due=frozenset({PAGE} if want == "change" else ()),
            free=frozenset({PAGE} if want == "either" else ()),
            fault=want == "error",
        )


def archived(path: Path) -> dict[str, bytes]:
    """The files of an archive by name."""
    with tarfile.open(path) as archive:
        return {Path(one.name).name: found.read() for one in archive if (found := archive.extractfile(one)) is not None}


# --- a list


def lists(every: int = 1) -> Iterator[History]:
    """5,388 polls of one list. `every` keeps only each n-th stretch of 200 polls."""
    toml = (
        '[[source]]\nid = "list"\nkind = "list"\nevery = "1h"\nurl = "{url}/watched/list"\n'
        'items = "table.tlist tbody tr"\nlink = "a"\ndate = "td.date"\n'
    )
    yield History("lists", "cnvd_list_polls", toml, _list_steps(every))


def _list_steps(every: int) -> Iterator[Step]:
    raw = lzma.open(CORPUS / "histories" / "cnvd_list_polls" / "polls.jsonl.xz", "rt", encoding="utf-8")
    dates: dict[str, str] = {}
    owed: frozenset[Event] = frozenset()
    with raw:
        for place, line in enumerate(raw):
            if place // 200 % every:
                continue
            poll = json.loads(line)
            status = next((int(one) for one in poll["list_http_status"] if one != "200"), 200)
            seen = {} if status != 200 else dict(poll["items"])
            due: set[Event] = set()
            if dates:
                due |= {("new", key) for key in seen if key not in dates}
                due |= {("revised", key) for key, day in seen.items() if dates.get(key, day) != day}
            dates |= seen
            at = datetime.fromisoformat(poll["time"]).astimezone(UTC)
            page = _table(poll["items"]) if status == 200 else b"<html><title>Bad Gateway</title></html>"
            yield Step(str(place), at, page, status, frozenset(due), fault=not seen)


def _table(items: Sequence[tuple[str, str]]) -> bytes:
    rows = "".join(
        f'<tr><td><a href="/flaw/show/{key}" title="{key}">{key}</a></td><td class="date">{day}</td></tr>' for key, day in items
    )
    return (
        "<html><head><title>漏洞列表</title></head><body><table class='tlist'><thead><tr><th>漏洞标题</th><th>时间</th></tr>"
        f"</thead><tbody>{rows}</tbody></table></body></html>"
    ).encode()


# --- records, each as its own page


FIELDS = {
    "cnvd": "CNVD-ID", "open_time": "公开日期", "severity": "危害级别", "cvss_vector": "CVSS", "product": "影响产品", "cve": "CVE ID",
    "description": "漏洞描述", "flaw_type": "漏洞类型", "reference": "参考链接", "solution": "漏洞解决方案", "patch": "厂商补丁",
    "verify": "验证信息", "publish": "报送时间", "submit_time": "收录时间", "update_time": "更新时间",
}  # fmt: skip


def records(selected: bool) -> Iterator[History]:
    """Entries version by version, written as a page of the form that the site has: a table of fields, and around it what changes
    at every look."""
    toml = '[[source]]\nid = "page"\nkind = "page"\nevery = "1h"\nurl = "{url}/watched/page"\n'
    if selected:
        toml += 'select = ["div.blkContainerSblk"]\n'
    root = CORPUS / "histories" / "cnvd_records"
    for folder in sorted(path.parent for path in root.glob("*/*/index.json")):
        group = "records" if selected else "records-bare"
        yield History(group, f"{folder.parent.name}/{folder.name}", toml, _record_steps(folder))


def _record_steps(folder: Path) -> Iterator[Step]:
    for version in json.loads((folder / "index.json").read_text("utf-8"))["versions"]:
        record = json.loads((folder / version["file"]).read_text("utf-8"))
        at = datetime.fromisoformat(version["time"]).astimezone(UTC)
        blank = "blank" in version["label"] and "recovered" not in version["label"]
        due = frozenset({PAGE} if version["label"] == "field_change" else ())
        yield Step(version["file"], at, _record_page(record), due=due, fault=blank)


def _record_page(record: Mapping[str, Any]) -> bytes:
    rows = "".join(
        f"<tr><td class='alignRight'>{label}</td><td>{escape(str(record.get(name) or ''))}</td></tr>"
        for name, label in FIELDS.items()
        if record.get(name) not in (None, "null")
    )
    return (
        f"<html><head><title>国家信息安全漏洞共享平台</title></head><body><div class='nav'><a href='/'>首页</a></div>"
        f"<div class='blkContainerSblk'><h1>{escape(record.get('name') or '')}</h1><div class='tableDiv'><table class='gg_detail'>"
        f"{rows}</table></div></div><div class='foot'>当前时间 {record['parse_time']} 访问量 {record['spider_time']} "
        f"页面编号 {record['data_summary']}</div></body></html>"
    ).encode()


# --- all of them


def kev() -> Iterator[History]:
    """The catalogue of exploited vulnerabilities: placeholder replaced below."""
    return iter(())


GROUPS: dict[str, Callable[[int], Iterator[History]]] = {
    "pages": lambda every: pages(True),
    "pages-bare": lambda every: pages(False),
    "lists": lists,
    "records": lambda every: records(True),
    "records-bare": lambda every: records(False),
    "kev": lambda every: kev(),
}


def run(groups: Sequence[str], every: int = 1, only: str = "", out: Callable[[str], None] = print) -> list[Score]:
    """Replay groups; one score a group, each history's line given to `out`."""
    totals = []
    for group in groups:
        total = Score(group, "all")
        for history in GROUPS[group](every):
            if only in history.name:
                score = replay(history)
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
    asked.add_argument("groups", nargs="*", default=list(GROUPS), choices=[*GROUPS, []])
    asked.add_argument("--disagree", action="store_true", help="show each disagreement with the recorded truth")
    asked.add_argument("--only", default="", help="histories whose name contains this")
    asked.add_argument("--every", type=int, default=1, help="each n-th stretch of a list's polls")
    given = asked.parse_args()
    print(HEAD, flush=True)
    totals = run(given.groups or list(GROUPS), given.every, given.only, lambda line: print(line, flush=True))
    if given.disagree:
        for total in totals:
            for where, what in total.wrong:
                print(f"{total.group:13} {where}: {what}")


if __name__ == "__main__":
    main()
