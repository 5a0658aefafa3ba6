"""Real histories with what is true of each version, as `replay` takes them, from the collection of real inputs.

It runs nothing. Where a record is known to be wrong or not to apply, `JUDGED` says why.
"""

from __future__ import annotations

import json
import lzma
import os
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path
from typing import Any

CORPUS = Path(os.environ.get("MONITOR_CORPUS") or Path(__file__).parents[2] / "shared" / "corpus")
#: (kind of change, key of the notice)
Event = tuple[str, str]


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


# --- what a person found who looked at the disagreements


_BUFFER = {
    "0008": "a name is added to the page's list of thanks", "0023": "the address of the prices is another",
    "0028": "a name is added", "0029": "a name is added", "0051": "the rules of a partner programme are added",
    "0056": "a name is added and a rule on advertising altered", "0061": "an API licence is added to the terms of use",
    "0074": "a name is added", "0114": "a name is added", "0115": "a name is added", "0122": "a name is added",
    "0144": "the API terms are rewritten and dated", "0149": "the API terms number their sections anew",
}  # fmt: skip
_FLIP = "back at the next poll, for the third time in a day: a former state counts only when it stands"
_STILL = "the blank answer of the poll before, once more"
#: (group, history, version) → why what was done there is right, against what is recorded.
JUDGED: dict[tuple[str, str, str], str] = {
    **{
        ("pages-bare", "buffer-privacy-policy", f"{number}.html"): f"{why}, outside the part that the record covers"
        for number, why in _BUFFER.items()
    },
    **{
        (group, "field_change/CNVD-2025-08147", f"{number}.json"): _FLIP
        for group in ("records", "records-bare")
        for number in ("0006", "0007", "0014", "0015")
    },
    **{
        (group, history, version): _STILL
        for group in ("records", "records-bare")
        for history, version in (("blank_flap/CNVD-2025-14367", "0020.json"), ("field_change/CNVD-2025-09465", "0003.json"))
    },
}


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


def lists() -> Iterator[History]:
    """5,388 polls of one list."""
    toml = (
        '[[source]]\nid = "list"\nkind = "list"\nevery = "1h"\nurl = "{url}/watched/list"\n'
        'items = "table.tlist tbody tr"\nlink = "a"\ndate = "td.date"\n'
    )
    yield History("lists", "cnvd_list_polls", toml, _list_steps())


def _list_steps() -> Iterator[Step]:
    dates: dict[str, str] = {}
    with lzma.open(CORPUS / "histories" / "cnvd_list_polls" / "polls.jsonl.xz", "rt", encoding="utf-8") as raw:
        for place, line in enumerate(raw):
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
    "cnvd": "CNVD-ID", "open_time": "公开日期", "severity": "危害级别", "cvss_vector": "CVSS",
    "product": "影响产品", "cve": "CVE ID", "description": "漏洞描述", "flaw_type": "漏洞类型", "reference": "参考链接",
    "solution": "漏洞解决方案", "patch": "厂商补丁",
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
        f"<div class='blkContainerSblk'><h1>{escape(record.get('name') or '')}</h1><div class='tableDiv'>"
        f"<table class='gg_detail'>{rows}</table></div></div><div class='foot'>当前时间 {record['parse_time']} "
        f"访问量 {record['spider_time']} "
        f"页面编号 {record['data_summary']}</div></body></html>"
    ).encode()


# --- a catalogue


KEV = """
[[source]]
id = "kev"
kind = "json"
every = "12h"
url = "{url}/watched/kev.json"
items = "vulnerabilities"
key = "cveID"
title = "vulnerabilityName"
date = "dateAdded"
complete = true
text = [
    "vendorProject", "product", "shortDescription", "requiredAction", "dueDate", "knownRansomwareCampaignUse", "notes", "cwes",
]
"""
_JSON = "application/json"


def kev() -> Iterator[History]:
    """47 versions of a catalogue in one answer; what is true is the difference of the rows as dictionaries."""
    yield History("kev", "cisa_kev_json", KEV, _kev_steps(), _JSON)


def _kev_steps() -> Iterator[Step]:
    folder = CORPUS / "histories" / "cisa_kev_json"
    bodies = archived(folder / "versions.tar.xz")
    before: dict[str, Any] = {}
    for version in json.loads((folder / "index.json").read_text("utf-8"))["versions"]:
        body = bodies[version["file"]]
        try:
            now = {row["cveID"]: row for row in json.loads(body)["vulnerabilities"]}
        except ValueError:
            now = None
        due: set[Event] = set()
        if before and now is not None:
            due |= {("new", key) for key in now.keys() - before.keys()}
            due |= {("withdrawn", key) for key in before.keys() - now.keys()}
            due |= {("revised", key) for key in now.keys() & before.keys() if now[key] != before[key]}
        before = before if now is None else now
        at = datetime.fromisoformat(version["time"]).astimezone(UTC)
        yield Step(version["file"], at, body, due=frozenset(due), fault=now is None)


def kev_seeded() -> Iterator[History]:
    """The last version, then three rows removed for three checks, and back: no real version removes one."""
    yield History("kev-seeded", "three rows removed and back", KEV, _seeded_steps(), _JSON)


def _seeded_steps() -> Iterator[Step]:
    last = list(_kev_steps())[-1]
    whole = json.loads(last.body)
    rows = whole["vulnerabilities"]
    gone = [rows[place]["cveID"] for place in (0, len(rows) // 2, len(rows) - 1)]
    less = json.dumps(whole | {"vulnerabilities": [row for row in rows if row["cveID"] not in gone]}).encode()
    plan = [("whole", last.body, ""), ("whole again", last.body, ""), ("removed", less, "withdrawn")]
    plan += [(f"still removed {i}", less, "") for i in range(3)] + [
        ("back", last.body, "restored"),
        ("still there", last.body, ""),
    ]
    for number, (name, body, kind) in enumerate(plan):
        due = frozenset((kind, key) for key in gone) if kind else frozenset()
        yield Step(name, last.at + timedelta(hours=12 * number), body, due=due)


# --- all of them


GROUPS: dict[str, Callable[[], Iterator[History]]] = {
    "pages": lambda: pages(True),
    "pages-bare": lambda: pages(False),
    "lists": lists,
    "records": lambda: records(True),
    "records-bare": lambda: records(False),
    "kev": kev,
    "kev-seeded": kev_seeded,
}
