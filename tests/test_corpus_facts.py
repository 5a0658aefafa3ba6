"""Facts of real texts of the State Council, judged by what the site's own records say of them."""

# ruff: noqa: E501 - titles as they are
from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from benchmarks import facts as benchmark
from monitor import facts
from monitor.facts import BODIES, number
from monitor.html import page
from monitor.model import Facts, Fetched, Purpose, ReadPolicy, Request, Validators

pytestmark = pytest.mark.corpus
#: By hand: the record of the first has another day than its text (27 April); the signature of the second holds "&bsp;" in one capture.
ELSEWHERE = {
    "国务院办公厅关于同意以哈尔滨市名义申办2009年第二十四届世界大学生冬季运动会的复函",
    "国务院办公厅对全国政协十届四次会议第4626号提案的答复",
}
FOLDERS = ("fragments", "recrawl_next_day")


def cases(corpus: Path, folder: str) -> list[dict[str, str]]:
    index = json.loads((corpus / "gov_pages" / "index.json").read_text("utf-8"))
    return [entry for entry in index if entry["file"].startswith(f"gov_cn_policies/{folder}/")]


def read(corpus: Path, entry: dict[str, str]) -> tuple[Facts, str]:
    """The facts of one page by its words alone: without its record, which is what they are judged by."""
    body = (corpus / "gov_pages" / entry["file"]).read_bytes()
    request = Request(entry["url"], Purpose.DOCUMENT)
    got = Fetched(
        request,
        200,
        entry["url"],
        b"<html><body>" + body + b"</body></html>",
        "text/html",
        "utf-8",
        Validators(),
        datetime(2019, 2, 17, tzinfo=UTC),
    )
    said = page.read(got, ReadPolicy(select=("#UCAP-CONTENT",)))
    return facts.read(entry["title"], said.text), body.decode()


@pytest.mark.parametrize("folder", FOLDERS)
def test_numbers_and_issuers_are_those_of_the_record(corpus: Path, folder: str) -> None:
    wrong = []
    for entry in cases(corpus, folder):
        found, _ = read(corpus, entry)
        issuers = tuple(BODIES.full(one) or one for one in entry["issuer"].split("、"))
        if (found.number, found.issuers) != (number.canon(entry["doc_no"]), issuers):
            wrong.append((entry["title"], found.number, entry["doc_no"], found.issuers))
    assert wrong == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_day_of_signing_is_that_of_the_record(corpus: Path, folder: str) -> None:
    dump = (corpus / "gov_pages" / "gov_cn_policies" / "ge_policy_raw-20190217.sql").read_text("utf-8")
    checked, wrong = 0, []
    for entry in cases(corpus, folder):
        record = dump[dump.index(entry["url"]) :][:8000]
        stated = re.search(r"成文日期：</b></td>\s*<td>(\d{4})年(\d{2})月(\d{2})日", record)
        if stated is None:
            continue
        checked += 1
        found, _ = read(corpus, entry)
        if found.signed != date(*map(int, stated.groups())):
            wrong.append(entry["title"])
    assert checked == 13  # two were recorded without a day
    assert set(wrong) <= ELSEWHERE


def test_each_fact_is_as_right_as_it_was_measured(corpus: Path) -> None:
    """The floors of `python -m benchmarks.facts`: what was not read may be missing, what was read is true."""
    for name, read_collection in benchmark.COLLECTIONS.items():
        for fact, tally in read_collection(corpus).items():
            assert tally.wrong == [], (name, fact)
            assert tally.recall >= (0.95 if fact == "signed" else 0.98), (name, fact, tally.missing)


def test_no_weekly_no_digest_and_no_news_of_others_has_a_number(corpus: Path) -> None:
    folder = corpus / "wechat" / "doonsec_md"
    found = {path.stem: benchmark.article(path) for path in sorted(folder.glob("*.md"))}
    assert len(found) >= 330
    numbers = {said.number for _, said in found.values() if said.number}
    assert all(number.parse(one) for one in numbers)
    assert {title for title, said in found.values() if said.number and ("周报" in title or "；" in title)} == set()
