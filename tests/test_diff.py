"""What `diff` promises: it is exact, it never cuts a number or a word, it marks little, and no text makes it slow."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from itertools import pairwise
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import monitor.diff as room
from monitor.diff import Diff, Mark, apply, clause, diff, matching
from monitor.diff.clauses import cells
from monitor.diff.matching import Steps, encode, matches

ANY = st.text(max_size=60)
DENSE = st.text("ab01. \r\n\n中文，。|第一条（）", max_size=120)
ROWS = st.lists(
    st.sampled_from(["在办\n", "办结\n", "\n", "1 | 甲 | 在办\n", "第三条 应当报告。\n", " \n", "x 1\n", "x 2\n"]), max_size=40
)
TEXT = st.one_of(ANY, DENSE, ROWS.map("".join), ROWS.map(lambda rows: "".join(rows).removesuffix("\n")))


def shown(d: Diff) -> str:
    """The hunks in one line: [-gone-], {+came+}, a slash between edits."""
    signs = {Mark.SAME: "{}", Mark.DELETED: "[-{}-]", Mark.INSERTED: "{{+{}+}}"}
    edits = [edit for hunk in d.hunks for edit in hunk.edits]
    return " / ".join("".join(signs[p.mark].format(p.text) for p in edit.pieces).replace("\n", "") for edit in edits)


def marked(d: Diff) -> int:
    return sum(len(p.text) for h in d.hunks for e in h.edits for p in e.pieces if p.mark is not Mark.SAME)


# ---- exact -----------------------------------------------------------------------------------------------------------------


@given(TEXT, TEXT)
@settings(max_examples=400)
def test_applying_the_difference_gives_the_new_text(a: str, b: str) -> None:
    assert apply(diff(a, b), a) == b


@given(TEXT, TEXT, st.sampled_from([0, 50, 500, 3000]), st.sampled_from([0, 50, 500, 3000]))
@settings(max_examples=300)
def test_it_is_exact_however_few_steps_are_left(a: str, b: str, line_steps: int, inner_steps: int) -> None:
    with patch.object(room, "LINE_STEPS", line_steps), patch.object(room, "INNER_STEPS", inner_steps):
        assert apply(diff(a, b), a) == b


@given(st.lists(st.sampled_from("abc中"), max_size=200), st.lists(st.sampled_from("abc中"), max_size=200))
@settings(max_examples=200)
def test_it_is_exact_where_every_gap_goes_to_myers(a: list[str], b: list[str]) -> None:
    with patch.object(matching, "_DIFFLIB_PAIRS", 0), patch.object(matching, "_WINDOW", 9):
        x, y = "\n".join(a), "\n".join(b)
        assert apply(diff(x, y), x) == y


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("", ""), ("", "a"), ("a", ""), ("a", "a\n"), ("a\n", "a"), ("\n", ""), ("\r", "\r\n"), ("a\r\nb", "a\nb"), (" ", "\t"),
        ("\n\n", " \n"), ("\ud800", "a"), ("e\u0301\n", "e\n"), ("\x00\x01", "\x01\x00"), ("a\u2028b", "a\nb"),
    ],
)  # fmt: skip
def test_odd_texts_are_exact_too(a: str, b: str) -> None:
    d = diff(a, b)
    assert apply(d, a) == b
    assert (d.hunks == ()) == (a == b)


def test_a_difference_is_refused_for_another_text() -> None:
    with pytest.raises(ValueError, match="another text"):
        apply(diff("一\n二\n", "一\n三\n"), "一\n四\n")


@given(TEXT, TEXT)
@settings(max_examples=300)
def test_hunks_stand_in_order_apart_and_hold_what_they_say(a: str, b: str) -> None:
    d = diff(a, b)
    assert ("".join(d.old), "".join(d.new)) == (a, b)
    at_old = at_new = -1
    for hunk in d.hunks:
        assert hunk.old_start > at_old
        assert hunk.new_start > at_new
        at_old, at_new = hunk.old_stop, hunk.new_stop
        assert "".join(edit.old or "" for edit in hunk.edits) == "".join(d.old[hunk.old_start : hunk.old_stop])
        assert "".join(edit.new or "" for edit in hunk.edits) == "".join(d.new[hunk.new_start : hunk.new_stop])
        for edit in hunk.edits:
            assert "".join(p.text for p in edit.pieces if p.mark is not Mark.INSERTED) == (edit.old or "")
            assert "".join(p.text for p in edit.pieces if p.mark is not Mark.DELETED) == (edit.new or "")
            assert all(p.text for p in edit.pieces)
            neighbours = [(x.mark, y.mark) for x, y in pairwise(edit.pieces)]
            assert all(x is not y and (x, y) != (Mark.INSERTED, Mark.DELETED) for x, y in neighbours)


# ---- readable --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("自发布之日起30日前报送。", "自发布之日起15日前报送。", "自发布之日起[-30-]{+15+}日前报送。"),
        ("2026年6月30日", "2025年6月30日", "[-2026-]{+2025+}年6月30日"),
        ("罚款1,000.50元", "罚款1,000.55元", "罚款[-1,000.50-]{+1,000.55+}元"),
        ("增长30%", "增长35%", "增长[-30-]{+35+}%"),
        ("第三十一条", "第三十二条", "第[-三十一-]{+三十二+}条"),
        ("the quick kernel patch", "the slow kernel patches", "the [-quick-]{+slow+} kernel [-patch-]{+patches+}"),
        ("升级至v2.0.1版", "升级至v2.0.10版", "升级至[-v2.0.1-]{+v2.0.10+}版"),
        ("企业应当报告，并整改。", "企业应当备案，应当报告，并整改。", "企业{+应当备案，+}应当报告，并整改。"),
        ("先报告，后整改。", "先报告，再核验，后整改。", "先报告，{+再核验，+}后整改。"),
        ("应当按季度、如实报送。", "应当如实报送。", "应当[-按季度、-]如实报送。"),
        ("1 | 甲公司 | 在办", "1 | 甲公司 | 办结", "1 | 甲公司 | [-在办-]{+办结+}"),
        ("| 甲 | 2026-01-02 | 是 |", "| 甲 | 2026-01-03 | 是 |", "| 甲 | [-2026-01-02-]{+2026-01-03+} | 是 |"),
        ("甲 | 乙", "甲 | 丙 | 乙", "甲 | {+丙 | +}乙"),
        ("今天天气很好。", "关于印发办法的通知", "[-今天天气很好。-]{+关于印发办法的通知+}"),
        ("a b", "a  b", "a[- -]{+  +}b"),
        ("关于开展安全检查的通知", "关于印发管理办法的通知", "关于[-开展安全检查-]{+印发管理办法+}的通知"),
        ("应当报送年度总结材料。", "可以按月提交整改方案。", "[-应当报送年度总结材料。-]{+可以按月提交整改方案。+}"),
        ("he wrote quick brown fox jumps", "he wrote slow red fox jumps", "he wrote [-quick brown-]{+slow red+} fox jumps"),
    ],
)  # fmt: skip
def test_the_marks_stand_where_a_reader_expects_them(a: str, b: str, expected: str) -> None:
    assert shown(diff(a, b)) == expected


def test_a_clause_that_went_is_one_edit_and_its_neighbours_stay() -> None:
    a = "第三条 企业应当报告。\n第四条 违者罚款三万元。\n第五条 自2026年起施行。\n"
    b = "第三条 企业应当立即报告。\n第五条 自2027年起施行。\n"
    assert (
        shown(diff(a, b)) == "第三条 企业应当{+立即+}报告。 / [-第四条 违者罚款三万元。-] / 第五条 自[-2026-]{+2027+}年起施行。"
    )


def test_clauses_that_were_renumbered_are_paired_by_what_they_say() -> None:
    a = "第三条 网络产品提供者应当建立漏洞接收渠道。\n第四条 任何组织不得出售漏洞信息。\n"
    b = "第三条 主管部门负责监督管理工作。\n第四条 网络产品提供者应当建立漏洞接收渠道。\n第五条 任何组织不得出售漏洞信息。\n"
    assert "[-第三条-]" not in shown(diff(a, b))
    assert "第[-三-]{+四+}条 网络产品提供者应当建立漏洞接收渠道。" in shown(diff(a, b))
    assert "第[-四-]{+五+}条 任何组织不得出售漏洞信息。" in shown(diff(a, b))


def test_clauses_stay_paired_when_many_are_put_in_before_them() -> None:
    rng = random.Random(5)
    texts = ["".join(chr(0x4E00 + rng.randrange(2000)) for _ in range(30)) for _ in range(240)]
    numerals = "一二三四五六七八九十"
    count = [f"{x}十{y}" for x in numerals for y in numerals] + [
        f"{x}百{y}十{z}" for x in "一二" for y in numerals for z in numerals
    ]
    old = [f"第{n}条 {words}。\n" for n, words in zip(count, texts[90:], strict=False)]
    new = [f"第{n}条 {words}。\n" for n, words in zip(count, texts, strict=False)]
    edits = [edit for hunk in diff("".join(old), "".join(new)).hunks for edit in hunk.edits]
    assert len([edit for edit in edits if edit.old and edit.new]) == len(old) == 150
    assert not [edit for edit in edits if edit.new is None]


def test_the_same_words_on_other_lines_mark_only_the_line_ends() -> None:
    d = diff("第一句话。第二句话。第三句话。\n", "第一句话。\n第二句话。\n第三句话。\n")
    assert {p.text for h in d.hunks for e in h.edits for p in e.pieces if p.mark is not Mark.SAME} == {"\n"}


def test_a_whole_document_on_one_line_is_marked_where_it_changed() -> None:
    sentences = [f"第{i}条 各单位应当在{i}日内完成{chr(0x4E00 + i)}类事项的整改，并报告结果。" for i in range(1, 400)]
    new = [s.replace("在200日内", "在30个工作日内") for s in sentences]
    assert marked(diff("".join(sentences), "".join(new))) == len("200") + len("30个工作")


@pytest.mark.parametrize(
    ("above", "changed", "expected"),
    [
        ("第二章 义务\n第三条 总则。\n", "（一）三十日内；\n", ("第二章 义务", "第三条 总则。")),
        ("一、总体要求\n（一）原则\n（二）目标\n", "内容。\n", ("一、总体要求", "（二）目标")),
        ("第三条 总则。\n", "第四条 罚款。\n", ()),
        ("没有条款的正文。\n", "内容。\n", ()),
        ("第一条 " + "很长的条文" * 20 + "\n", "内容。\n", ("第一条",)),
    ],
)
def test_a_hunk_names_the_clauses_it_stands_under(above: str, changed: str, expected: tuple[str, ...]) -> None:
    d = diff(above + "不变。\n" + changed, above + "不变。\n" + changed.replace("。", "，改。").replace("三十", "十五"))
    assert d.hunks[0].heading == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("第十二条 内容", (2, "第十二条")), ("第三条之一 内容", (2, "第三条之一")), ("\u3000\u3000（一）内容", (4, "（一）")),
        ("1. 内容", (5, "1.")), ("1.5 倍", None), ("第二章 总则", (0, "第二章")), ("一、内容", (3, "一、")), ("# 标题", (0, "#")),
        ("（2）内容", (6, "（2）")), ("第二款", (7, "第二款")), ("正文", None), ("", None),
    ],
)  # fmt: skip
def test_clause_marks_are_known(line: str, expected: tuple[int, str] | None) -> None:
    assert clause(line) == expected


@given(st.text("ab| \n", max_size=30))
def test_cells_joined_are_the_line(line: str) -> None:
    parts = cells(line)
    assert parts is None or "".join(parts) == line


@given(TEXT, TEXT)
@settings(max_examples=300)
def test_no_mark_begins_or_ends_inside_a_number_or_a_latin_word(a: str, b: str) -> None:
    for hunk in diff(a, b).hunks:
        for edit in hunk.edits:
            for mine in (Mark.DELETED, Mark.INSERTED):
                side = [p.text for p in edit.pieces if p.mark in (mine, Mark.SAME)]
                for x, y in pairwise(side):
                    assert not re.fullmatch("[0-9A-Za-z]{2}", x[-1] + y[0]), edit


@pytest.mark.parametrize("kind", ["number", "phrase", "clause", "word"])
def test_what_is_marked_is_hardly_more_than_what_was_edited(kind: str) -> None:
    rng = random.Random(7)
    han = [chr(0x4E00 + i) for i in range(1500)]
    edited = seen = 0
    for _ in range(150):
        parts = ["".join(rng.choices(han, k=rng.randint(6, 25))) + "，" for _ in range(rng.randint(4, 12))]
        at = rng.randrange(1, len(parts))
        new, size = list(parts), 0
        if kind == "number":
            parts[at], new[at], size = "限30日内报送，", "限115日内报送，", 5
        elif kind == "phrase":
            new[at], size = new[at][:3] + "（含分支机构）" + new[at][3:], 7
        elif kind == "clause":
            size = len(new.pop(at))
        else:
            new[at], size = new[at][:2] + "齉龘" + new[at][4:], 4
        edited += size
        seen += marked(diff("".join(parts) + "\n", "".join(new) + "\n"))
    assert edited * 0.9 <= seen <= edited * 1.3


# ---- small and quick -------------------------------------------------------------------------------------------------------


def longest_common(a: str, b: str) -> int:
    row = [0] * (len(b) + 1)
    for x in a:
        before = 0
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], before + 1 if x == y else max(row[j], row[j - 1])
    return row[-1]


@given(st.text("abc", max_size=40), st.text("abc", max_size=40))
@settings(max_examples=200)
def test_myers_keeps_as_much_as_can_be_kept(a: str, b: str) -> None:
    with patch.object(matching, "_DIFFLIB_PAIRS", 0):
        found = matches(*encode(a, b), Steps(10**9), anchored=False)
    assert sum(n for _, _, n in found) == longest_common(a, b)


@given(DENSE, DENSE, st.booleans())
def test_matches_rise_in_both_and_are_equal(a: str, b: str, anchored: bool) -> None:
    i = j = 0
    for x, y, n in matches(*encode(a, b), Steps(10_000), anchored=anchored):
        assert x >= i
        assert y >= j
        assert a[x : x + n] == b[y : y + n]
        i, j = x + n, y + n


ROW = ["状态：已受理\n", "状态：已办结\n", "经办：张三\n", "备注：无\n", "\n"]


def test_in_a_table_of_repeated_rows_only_the_edited_rows_are_changed() -> None:
    rng = random.Random(3)
    old = rng.choices(ROW, k=8000)
    new = list(old)
    for n, at in enumerate(rng.sample(range(8000), 80)):
        new[at] = f"改动 {n}\n"
    d = diff("".join(old), "".join(new))
    assert sum(h.old_stop - h.old_start + h.new_stop - h.new_start for h in d.hunks) <= 160 * 1.05


MB = 1_000_000


def twice(make: Callable[[], str]) -> tuple[str, str]:
    return make(), make()


def numbered(line: str, first: int, count: int) -> str:
    return "".join(line.format(i) for i in range(first, first + count))


def shuffled(rng: random.Random) -> tuple[str, str]:
    lines = [f"第 {i} 行\n" for i in range(70_000)]
    return "".join(lines), "".join(rng.sample(lines, len(lines)))


HOSTILE: dict[str, Callable[[random.Random], tuple[str, str]]] = {
    "one character": lambda _: ("a" * MB, "a" * (MB - 7)),
    "one character, sown with another": lambda r: ("中" * (MB // 3), "".join(r.choices("中文", [99, 1], k=MB // 3))),
    "two characters at random": lambda r: twice(lambda: "".join(r.choices("中文", k=MB // 3))),
    "two characters, one of them new": lambda r: ("中" * (MB // 3), "中文" * (MB // 6)),
    "two lines at random": lambda r: twice(lambda: "".join(r.choices(["a\n", "b\n"], k=MB // 2))),
    "one line without an end": lambda r: twice(lambda: "".join(f"{r.random()} " for _ in range(50_000))),
    "short lines, all different": lambda _: (numbered("{}\n", 0, 150_000), numbered("{}\n", 150_000, 150_000)),
    "lines shuffled": shuffled,
    "bars": lambda _: ("a | " * (MB // 4), "b | " * (MB // 4 - 1)),
    "bars and spaces": lambda _: ((" " * 500 + "|") * 2000, (" " * 499 + "|") * 2000),
    "white space": lambda _: (" " * MB, "\t" * MB),
    "sentences": lambda _: ("一。" * (MB // 6), "二。" * (MB // 6)),
    "clauses, all rewritten": lambda _: (numbered("第{}条 甲\n", 0, 50_000), numbered("第{0}条 乙丙{0}\n", 0, 50_000)),
    "blank lines": lambda _: ("\n" * MB, "\n \n" * (MB // 3)),
    "opening brackets": lambda _: ("（" * (MB // 3), "第" * (MB // 3)),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_no_text_of_a_megabyte_takes_long(name: str) -> None:
    a, b = HOSTILE[name](random.Random(1))
    start = time.process_time()
    d = diff(a, b)
    assert time.process_time() - start < 5, "CPU seconds; about 1.5 on an idle machine"
    assert apply(d, a) == b
