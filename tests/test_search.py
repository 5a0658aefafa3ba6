"""Search finds what a look at every text would find, Chinese of one character too, best first, with the line marked."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor import search
from monitor.match import Subject, parse
from monitor.text import fold
from tests.house import House, Row
from tests.test_cli import Run, run  # noqa: F401 - a fixture

TEXTS = {
    1: "关于印发《“人工智能+制造”专项行动实施意见》的通知",
    2: "人工智能安全标准体系建设指南 CVE-2025-1234 RCE",
    3: "A股 上市公司 source code 安全 检查",
    4: "制造业 数字化 转型 vulnerability 第279号",
    5: "Größe naïve ﬁle ２０２５年 第３批",
    6: "漏洞的通报：攻击者可利用该漏洞；请尽快修复。",
}


@pytest.fixture
def index() -> Iterator[sqlite3.Connection]:
    conn = sqlite3.connect(":memory:")
    conn.execute("CREATE VIRTUAL TABLE terms USING fts5 (title, text, files, about, content='', tokenize='ascii', prefix='5')")
    for id_, text in TEXTS.items():
        conn.execute("INSERT INTO terms (rowid, text) VALUES (?, ?)", (id_, search.terms(text)))
    yield conn
    conn.close()


def asked(conn: sqlite3.Connection, texts: dict[int, str], query: str) -> list[int]:
    """What the index narrows to, judged by the query."""
    parsed = parse(query)
    question = search.expression(parsed.outline())
    rows = [r[0] for r in conn.execute("SELECT rowid FROM terms WHERE terms MATCH ?", (question,))] if question else list(texts)
    return [id_ for id_ in sorted(rows) if parsed.matches(Subject({"text": texts[id_]}))[0]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("安", [2, 3]),
        ("安全", [2, 3]),
        ("检查", [3]),
        ("人工智能 制造", [1]),
        ("人工智能 OR 制造", [1, 2, 4]),
        ("人工智能 NOT 制造", [2]),
        ('"安全 检查"', [3]),
        ("rce", [2]),
        ("source", [3]),
        ("our", []),
        ("vulnerab*", [4]),
        ("cve-2025-1234", [2]),
        ("1234", [2]),
        ("123", []),
        ("279号", [4]),
        ("79号", [4]),
        ("A股", [3]),
        ("2025年", [5]),
        ("grösse", [5]),
        ("file", [5]),
        ("智能+制造", [1]),
        ("漏洞；请", [6]),
        ("/利用.{1,3}洞/", [6]),
        ("title:漏洞", []),
    ],
)
def test_words_are_found(index: sqlite3.Connection, query: str, found: list[int]) -> None:
    assert asked(index, TEXTS, query) == found


letters = st.text(alphabet="人工智能安全漏洞ab1 ２Ａ.+-《》\n的", min_size=1, max_size=12)


@given(st.lists(letters, min_size=1, max_size=6), st.lists(letters, min_size=1, max_size=3), st.sampled_from([" AND ", " OR "]))
def test_the_index_never_finds_too_little(texts: list[str], words: list[str], operator: str) -> None:
    wanted = [word for word in words if any(char.isalnum() for char in fold(word))]
    if not wanted:
        return
    query = parse(operator.join('"' + word.replace("\n", " ") + '"' for word in wanted))
    question = search.expression(query.outline())
    conn = sqlite3.connect(":memory:")
    conn.execute("CREATE VIRTUAL TABLE terms USING fts5 (title, text, files, about, content='', tokenize='ascii', prefix='5')")
    for id_, text in enumerate(texts):
        conn.execute("INSERT INTO terms (rowid, text) VALUES (?, ?)", (id_ + 1, search.terms(text)))
    narrowed = (
        {r[0] - 1 for r in conn.execute("SELECT rowid FROM terms WHERE terms MATCH ?", (question,))}
        if question
        else set(range(len(texts)))
    )
    conn.close()
    assert {id_ for id_, text in enumerate(texts) if query.matches(Subject({"text": text}))[0]} <= narrowed


@pytest.mark.parametrize(
    ("query", "text", "line"),
    [
        ("检查", "第一段。\n第二段说安全检查。", "第二段说安全【检查】。"),
        ("人工智能 279号", "人工智能\n工信部联科〔2025〕279号 人工 智能", "工信部联科〔2025〕【279号】 【人工 智能】"),
        ("RCE", "an rce in ＲＣＥ", "an 【rce】 in 【ＲＣＥ】"),
        ("没有", "第一段", ""),
        ("末尾", "很" * 400 + "末尾", "…" + "很" * 53 + "【末尾】"),
    ],
)
def test_the_line_that_answers_is_shown_with_the_words_marked(query: str, text: str, line: str) -> None:
    assert search.line(parse(query), [text]) == line


def test_the_index_follows_each_version_and_finds_titles_first(build: Callable[..., House], run: Run) -> None:  # noqa: F811
    house = build("follow = true\n")
    house.check()
    house.site.rows.insert(0, Row("x1", "关于网络安全检查的通知", page="正文里说数据出境。"))
    house.site.rows.insert(0, Row("x2", "关于另一件事的通知", page="各单位应当开展网络安全检查。"))
    house.check()
    house.loops.close()
    here = house.folder
    found = [json.loads(line) for line in run("search", "--json", "网络安全检查", folder=here).out.splitlines()]
    assert [(row["title"], row["line"]) for row in found] == [
        ("关于网络安全检查的通知", "关于【网络安全检查】的通知"),
        ("关于另一件事的通知", "各单位应当开展【网络安全检查】。"),
    ]
    assert len(run("search", "--json", "出境 source:a", folder=here).out.splitlines()) == 1
    assert run("search", "出境", "--source", "b*", folder=here).out == ""
    house.loops = house.open()
    house.site.page_of("x1").page = "正文里说数据入境。"
    house.clock.on(days=2)
    house.check()
    house.loops.close()
    assert run("search", "--json", "出境", folder=here).out == ""
    assert len(run("search", "--json", "入境", folder=here).out.splitlines()) == 1
    assert run("search", "(", folder=here).code == 2
    house.loops = house.open()
