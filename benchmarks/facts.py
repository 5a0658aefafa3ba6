"""What is read from real texts, judged by the sites' own records and by people: right, missing and wrong, fact by fact.

    python -m benchmarks.facts              # the table, and each disagreement
    python -m benchmarks.facts --quiet      # the table alone

Three collections (`MONITOR_CORPUS`): texts of the State Council, judged by the number, issuers and day of the site's own record
(which is not shown to the reader of facts); articles of WeChat accounts as Markdown, judged by what a person read in them
(`JUDGED`; a fact that is not named there is not in the text); lists of advisories by vendors, judged by the ids that another project
recorded. `right` counts values that agree, `missing` those that were not read, `wrong` those that are not true, whether another value
is or none. Precision is right / (right + wrong), recall right / (right + missing + those read wrongly).
"""

# ruff: noqa: E501 - a table of judgements, an article a line
from __future__ import annotations

import argparse
import json
import os
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

from monitor import facts
from monitor.facts import BODIES, number
from monitor.html import dom, page
from monitor.model import Facts, Fetched, Purpose, ReadPolicy, Request, Validators
from monitor.readers import wechat

Value = str | float | bool | tuple[str, ...] | None
#: By hand: where the record itself is not what the text says.
RECORD_IS_WRONG = {
    (
        "国务院办公厅关于同意以哈尔滨市名义申办2009年第二十四届世界大学生冬季运动会的复函",
        "signed",
    ): "the text is signed on 27 April",
}
READ = ("number", "issuers", "kind", "signed", "effective", "deadline", "severity", "cvss", "exploited", "annexes")
_CAC, _NDRC, _SAC, _NFRA = "国家互联网信息办公室", "国家发展和改革委员会", "国家标准化管理委员会", "国家金融监督管理总局"
_MIIT, _TC260, _CNVD, _CNNVD = (
    "工业和信息化部",
    "全国网络安全标准化技术委员会秘书处",
    "国家信息安全漏洞共享平台",
    "国家信息安全漏洞库",
)
_CAICT, _CNCERT = "中国信息通信研究院", "国家计算机网络应急技术处理协调中心"
#: Article → what a person read there. Issuers by their full names, days as ISO, annexes by their number.
JUDGED: Mapping[str, Mapping[str, object]] = {
    # official texts, whole or reported
    "0000": {"issuers": ("财政部", _CAC), "kind": "办法", "signed": "2024-04-15", "effective": "2024-10-01"},
    "0011": {"issuers": (_MIIT,), "kind": "解读"},
    "0014": {"issuers": (_NFRA,), "kind": "提示"},
    "0016": {"issuers": (_NFRA,)},
    "0024": {"issuers": (_CAC,), "kind": "征求意见", "signed": "2024-09-14", "deadline": "2024-10-14", "annexes": 1},
    "0025": {"issuers": (_CAC,), "kind": "征求意见", "signed": "2024-09-14", "deadline": "2024-10-14", "annexes": 1},
    "0047": {"issuers": ("国家数据局",), "kind": "征求意见", "signed": "2024-10-18", "deadline": "2024-10-27", "annexes": 1},
    "0048": {"number": "国数资源〔2024〕119号", "issuers": ("国家数据局",), "kind": "计划", "signed": "2024-11-21", "annexes": 2},
    "0064": {"issuers": (_CAC, "中央编办", _MIIT, "公安部"), "kind": "规定", "signed": "2024-02-19", "effective": "2024-07-01"},
    "0076": {},
    "0081": {"number": "工信部联科〔2024〕113号", "issuers": (_MIIT, _CAC, _NDRC, _SAC), "kind": "指南", "signed": "2024-06-05"},
    "0145": {"issuers": ("公安部",)},
    "0147": {"issuers": ("中国人民银行",), "kind": "征求意见", "signed": "2024-07-26", "deadline": "2024-08-25", "annexes": 2},
    "0175": {"issuers": ("住房和城乡建设部",), "signed": "2024-10-25", "annexes": 1},
    "0176": {"issuers": (_MIIT,), "kind": "提示"},
    "0177": {"issuers": ("自然资源部办公厅", "工业和信息化部办公厅"), "signed": "2024-04-24"},
    "0178": {"issuers": ("中共中央办公厅", "国务院办公厅"), "kind": "意见", "signed": "2024-08-17"},
    "0179": {"number": "工信部信管函〔2024〕120号", "issuers": (_MIIT,), "signed": "2024-04-25", "annexes": 2},
    "0180": {},
    "0181": {"number": "网安秘字〔2024〕152号", "issuers": (_TC260,), "signed": "2024-11-21", "annexes": 1},
    "0183": {"number": "工信部信管〔2024〕147号", "issuers": (_MIIT,), "kind": "意见", "signed": "2024-07-22"},
    "0185": {"issuers": ("国家密码管理局",), "kind": "解读"},
    "0186": {"issuers": (_CAICT,), "kind": "报告"},
    "0188": {"issuers": ("北京市互联网信息办公室", "北京市商务局", "北京市政务服务和数据管理局"), "signed": "2024-08-26", "annexes": 3},
    "0190": {"number": "网安秘字〔2024〕115号", "issuers": (_TC260,), "kind": "指南", "signed": "2024-09-14", "annexes": 1},
    "0191": {"issuers": ("工业和信息化部信息通信管理局",), "signed": "2024-08-27", "annexes": 1},
    "0203": {"issuers": (_CAC,), "kind": "征求意见", "signed": "2024-09-14", "deadline": "2024-11-13", "annexes": 2},
    "0212": {"issuers": (_NDRC,), "kind": "征求意见", "deadline": "2024-08-24"},
    "0213": {"number": "网安秘字〔2024〕152号", "issuers": (_TC260,), "kind": "通知", "signed": "2024-11-21", "annexes": 1},
    "0221": {"number": "工信部联科函〔2024〕206号", "issuers": (_MIIT, _SAC), "kind": "指南", "signed": "2024-07-22"},
    "0223": {"number": "金规〔2024〕10号", "issuers": (_NFRA,), "kind": "办法", "signed": "2024-07-22", "effective": "2024-08-01"},
    "0227": {
        "issuers": ("中国人民银行", _NDRC, _MIIT, _NFRA, "中国证券监督管理委员会", "国家数据局", "国家外汇管理局"),
        "kind": "方案",
        "signed": "2024-11-21",
    },
    "0230": {"issuers": ("工业和信息化部信息技术发展司",), "kind": "征求意见", "signed": "2024-09-02", "deadline": "2024-10-03", "annexes": 2},
    "0231": {"issuers": (_CAC,), "kind": "征求意见", "signed": "2024-09-27", "deadline": "2024-10-27", "annexes": 1},
    "0235": {},
    "0241": {"number": "金规〔2024〕9号", "issuers": (_NFRA,), "signed": "2024-07-17"},
    "0244": {
        "number": "发改数据〔2024〕1426号",
        "issuers": (_NDRC, "国家数据局", _CAC, _MIIT, "财政部", _SAC),
        "kind": "指南",
        "signed": "2024-09-25",
    },
    "0245": {"number": "国家市场监督管理总局令第91号", "issuers": ("国家市场监督管理总局",), "kind": "规定", "signed": "2024-05-06", "effective": "2024-09-01"},
    "0246": {"number": "网安秘字〔2024〕82号", "issuers": (_TC260,), "kind": "指南", "signed": "2024-06-25"},
    # notices and news of flaws
    "0038": {"issuers": (_CNVD,), "kind": "公告", "severity": "high"},
    "0040": {"issuers": (_CNCERT,), "kind": "公告", "severity": "high"},
    "0056": {"severity": "critical", "cvss": 9.8},
    "0072": {},
    "0085": {"issuers": (_CNNVD,), "kind": "通报"},
    "0088": {"severity": "critical", "cvss": 10.0},
    "0104": {"severity": "critical", "cvss": 9.6},
    "0122": {"severity": "critical"},
    "0144": {"exploited": True},
    "0166": {"severity": "high", "cvss": 7.5},
    "0169": {"issuers": (_CNNVD,), "kind": "通报"},
    "0189": {"issuers": (_CNVD,), "kind": "公告"},
    "0204": {"issuers": (_CNNVD,), "kind": "通报"},
    "0274": {"severity": "critical", "cvss": 9.8},
    "0290": {"severity": "critical"},
    # pieces of several things, and of none
    "0008": {"issuers": (_CNVD,)},
    "0021": {"issuers": (_CNVD,)},
    "0065": {},
    "0102": {},
    "0116": {"exploited": True},
    "0152": {},
    "0182": {},
    "0208": {},
    "0220": {},
    "0254": {},
    "0285": {},
}  # fmt: skip


@dataclass
class Tally:
    """How one fact was read over one collection; `wrong` and `missing` list where."""

    right: int = 0
    wrong: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    misread: int = 0

    @property
    def precision(self) -> float:
        return self.right / (self.right + len(self.wrong)) if self.right + len(self.wrong) else 1.0

    @property
    def recall(self) -> float:
        there = self.right + self.misread + len(self.missing)
        return self.right / there if there else 1.0

    def count(self, where: str, read: Value, true: Value) -> None:
        if read == true:
            self.right += read is not None
        elif read is None:
            self.missing.append(f"{where}: {true} was not read")
        else:
            self.misread += true is not None
            self.wrong.append(f"{where}: {read} was read, {'none is there' if true is None else f'{true} is there'}")


Tallies = dict[str, Tally]


def value(found: Facts, name: str) -> Value:
    """A fact in the form in which it is judged; None where nothing was read."""
    got = getattr(found, name)
    if name == "annexes":
        return str(len(got)) if got else None
    if isinstance(got, date):
        return got.isoformat()
    return (tuple(got) or None) if isinstance(got, tuple) else got


def judged(name: str, true: object) -> Value:
    return None if true is None else str(true) if name == "annexes" else true  # type: ignore[return-value]  # as in `JUDGED`


# --- texts of the State Council


def council(corpus: Path) -> Tallies:
    """By the record of the site, read from its words alone."""
    tallies: Tallies = defaultdict(Tally)
    folder = corpus / "gov_pages"
    dump = (folder / "gov_cn_policies" / "ge_policy_raw-20190217.sql").read_text("utf-8")
    for entry in json.loads((folder / "index.json").read_text("utf-8")):
        if not entry["file"].startswith("gov_cn_policies/") or "doc_no" not in entry:
            continue
        body = b"<html><body>" + (folder / entry["file"]).read_bytes() + b"</body></html>"
        at = datetime(2019, 2, 17, tzinfo=UTC)
        got = Fetched(Request(entry["url"], Purpose.DOCUMENT), 200, entry["url"], body, "text/html", "utf-8", Validators(), at)
        found = facts.read(entry["title"], page.read(got, ReadPolicy(select=("#UCAP-CONTENT",))).text)
        where = f"{entry['file'].split('/')[1]} {entry['title'][:30]}"
        tallies["number"].count(where, found.number, number.canon(entry["doc_no"]))
        issuers = tuple(BODIES.full(one) or one for one in entry["issuer"].split("、"))
        tallies["issuers"].count(where, found.issuers or None, issuers)
        record = dump[dump.index(entry["url"]) :][:8000]
        stated = re.search(r"成文日期：</b></td>\s*<td>(\d{4})年(\d{2})月(\d{2})日", record)
        if stated and (entry["title"], "signed") not in RECORD_IS_WRONG:
            tallies["signed"].count(where, value(found, "signed"), "-".join(stated.groups()))
    return tallies


# --- articles


def article(path: Path) -> tuple[str, Facts]:
    """An article's title and facts, from Markdown with a head of `name: value` lines."""
    head, _, body = path.read_text("utf-8").removeprefix("---\n").partition("\n---\n")
    meta = dict(line.partition(": ")[::2] for line in head.split("\n"))
    title = re.sub(r"\\(.)", r"\1", meta["title"]).strip('"')
    lines = [line for line in _plain(body) if line and line not in (title, meta.get("source"), "原创")]
    end = next(
        (at for at, line in enumerate(lines) if line in ("预览时标签不可点", "微信扫一扫", "继续滑动看下一个")), len(lines)
    )
    lines = wechat.trimmed(lines[:end], set(re.findall(r"(?<!!)\[([^\]]+)\]\([^)]*\)", body)))
    origin = wechat.source_of(lines) or meta.get("source")
    return title, facts.read(title, "\n".join(lines), published=date.fromisoformat(meta["date"]), origin=origin)


def _plain(body: str) -> Iterator[str]:
    body = re.sub(r"!\[[^\]]*\]\([^)]*\)", "", body)
    body = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", body)
    body = re.sub(r"^[ \t]*(?:#+|[*>+-])[ \t]+", "", body, flags=re.M).replace("**", "").replace("`", "")
    for line in re.sub(r"\\([-_.])", r"\1", body).split("\n"):
        said = re.sub(r"\s*\|\s*", " | ", line.strip()).strip(" |") if line.lstrip().startswith("|") else line.strip()
        if not re.fullmatch(r"[-| ]+", said):
            yield said


def articles(corpus: Path) -> Tallies:
    """By what people read in them."""
    tallies: Tallies = defaultdict(Tally)
    for name, true in JUDGED.items():
        title, found = article(corpus / "wechat" / "doonsec_md" / f"{name}.md")
        for fact in READ:
            tallies[fact].count(f"{name} {title[:30]}", value(found, fact), judged(fact, true.get(fact)))
    return tallies


# --- vendors


VENDORS = {
    "apache_kafka/cve-list.html": "apache_kafka/cve-list.html",
    "apache_tomcat/apache_tomcat-selected-advisories.html": "apache_tomcat/parse-apache_tomcat-selected-advisories-expected.json",
    "postgresql/advisories.html": "postgresql/parse-advisory-postgresql-expected.json",
}


def vendors(corpus: Path) -> Tallies:
    """By the ids that another project recorded for the same page."""
    tallies: Tallies = defaultdict(Tally)
    folder = corpus / "feeds" / "vendor_advisories_vulnerablecode" / "vulnerabilities" / "tests" / "test_data"
    for name, expected in VENDORS.items():
        found = facts.read(name, dom.text_of(dom.parse((folder / name).read_text("utf-8"))))
        true = set(re.findall(r"CVE-\d{4}-\d{4,7}", (folder / expected).read_text("utf-8")))
        for one in sorted(true | set(found.cves)):
            tallies["cves"].count(name, one if one in found.cves else None, one if one in true else None)
    return tallies


COLLECTIONS = {"State Council": council, "articles": articles, "vendors": vendors}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quiet", action="store_true", help="the table alone")
    quiet = parser.parse_args().quiet
    corpus = Path(os.environ.get("MONITOR_CORPUS", "../shared/corpus"))
    print(f"{'collection':14} {'fact':10} {'right':>5} {'wrong':>5} {'missing':>7} {'precision':>9} {'recall':>6}")
    for name, read in COLLECTIONS.items():
        for fact, tally in read(corpus).items():
            counts = f"{tally.right:5} {len(tally.wrong):5} {len(tally.missing):7}"
            print(f"{name:14} {fact:10} {counts} {tally.precision:9.1%} {tally.recall:6.1%}")
            for line in () if quiet else (*tally.wrong, *tally.missing):
                print(f"    {line}")


if __name__ == "__main__":
    main()
