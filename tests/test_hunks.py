"""What a shown difference promises: readable without colour, harmless whatever it holds, within its limit, right for `patch`."""

from __future__ import annotations

import html
import html.parser
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from monitor.diff import Diff, Edit, Hunk, Mark, Piece, diff
from monitor.render import hunks

NASTY = st.text("ab1. *_~`[](){}<>&@!#+-=|\\/:：。中文第一条（）\n\r\t\x1b\u202e\u200b\ud800\"'", max_size=60)
MARKUP = st.lists(
    st.sampled_from(
        [
            "**",
            "~~",
            "@all ",
            "@所有人",
            "<at id=all></at>",
            "<!channel>",
            "[a](http://x)",
            "http://x/y",
            "www.x.cn",
            "- ",
            "# ",
            "1. ",
            "```\n",
            "\n",
            "    ",
            "> ",
            "---\n",
            "<script>",
            "&lt;",
            "中文",
            "30",
            "（一）",
            "a | b | c",
            "\\",
            "`",
            "![",
            "* ",
            "\t",
        ]
    ),
    max_size=14,
).map("".join)
TEXT = st.one_of(NASTY, MARKUP)
#: Two texts, or one with a part of it replaced: only then unchanged runs stand beside changed ones.
EDITED = st.tuples(MARKUP, TEXT, TEXT, MARKUP).map(lambda parts: (parts[0] + parts[1] + parts[3], parts[0] + parts[2] + parts[3]))
PAIR = st.one_of(st.tuples(TEXT, TEXT), EDITED)

NOTICE = "第二章 义务\n第三条 应当在30日内报告。\n" + "不变的条文。\n" * 12 + "第四条 处三万元罚款。\n第五条 自公布之日起施行。\n"
REVISED = NOTICE.replace("30日", "15日").replace("第四条 处三万元罚款。\n", "")


def plain_signs(colour: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", colour)


# ---- readable --------------------------------------------------------------------------------------------------------------


def test_text_reads_as_old_and_new_lines_with_the_changed_characters_in_brackets() -> None:
    assert hunks.text(diff(NOTICE, REVISED)) == "\n".join(
        [
            "… 1 段未变 …",
            "§ 第二章 义务",
            "- 第三条 应当在【-30-】日内报告。",
            "+ 第三条 应当在【+15+】日内报告。",
            "… 12 段未变 …",
            "- 第四条 处三万元罚款。",
            "… 1 段未变 …",
        ]
    )


def test_english_words_count_rightly() -> None:
    shown = hunks.text(diff(NOTICE, REVISED), language="en")
    assert "… 1 paragraph unchanged …" in shown
    assert "… 12 paragraphs unchanged …" in shown
    assert hunks.text(diff(NOTICE, REVISED), language="en", limit=110).endswith("… 1 more change")


def test_colour_says_the_same_in_other_signs() -> None:
    d = diff("处30日\n", "处15日\n")
    assert plain_signs(hunks.text(d, colour=True)) == "- 处30日\n+ 处15日"
    assert "\x1b[7m15\x1b[27m" in hunks.text(d, colour=True)


def test_markdown_strikes_out_and_sets_bold() -> None:
    shown = hunks.markdown(diff(NOTICE, REVISED))
    assert "第三条 应当在~~30~~**15**日内报告。" in shown
    assert "… 12 段未变 …" in shown


def test_html_carries_its_colours_inline() -> None:
    shown = hunks.html(diff(NOTICE, REVISED))
    assert re.search(r'第三条 应当在<del style="color:#[^"]+">30</del><ins style="color:#[^"]+">15</ins>日内报告。', shown)
    assert "… 12 段未变 …" in shown


def test_a_long_paragraph_is_folded_inside_and_keeps_its_clause() -> None:
    old = "".join(f"第{i}条 各单位应当按照有关规定认真落实第一类要求。" for i in "一二三四五六七八九") + "限30日。\n"
    shown = hunks.text(diff(old, old.replace("30", "15")))
    assert len(shown) < 160
    assert "第九条" in shown
    assert "限【-30-】日。" in shown


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("x", "x\n", "- x\n+ x【+⏎+】"),
        ("a b\n", "a\u3000b\n", "- a【-␣-】b\n+ a【+␣+】b"),
        ("a\r\n", "a\n", "- a【-␍-】\n+ a"),
        ("", "甲\n乙\n", "+ 甲\n+ 乙"),
        ("甲\n乙\n", "", "- 甲\n- 乙"),
        ("甲\x1b[31m\n", "乙\u202e\n", "- 甲␛[31m\n+ 乙\\u202e"),
        ("1 | 在办 | 甲\n", "1 | 办结 | 甲\n", "- 1 | 【-在办-】 | 甲\n+ 1 | 【+办结+】 | 甲"),
        ("同\n", "同\n", ""),
    ],
)
def test_what_cannot_be_seen_is_shown(a: str, b: str, expected: str) -> None:
    assert hunks.text(diff(a, b)) == expected


def test_a_paragraph_that_was_left_unmatched_is_not_shown_as_changed() -> None:
    same = Edit("同\n", "同\n", (Piece(Mark.SAME, "同\n"),))
    gone = Edit("去\n", None, (Piece(Mark.DELETED, "去\n"),))
    assert hunks.text(Diff(("同\n", "去\n"), ("同\n",), (Hunk(0, 2, 0, 1, (same, gone)),))) == "  同\n- 去"


@pytest.mark.parametrize("show", [hunks.text, hunks.markdown, hunks.html])
def test_an_unknown_language_is_refused(show: object) -> None:
    with pytest.raises(ValueError, match="zh or en"):
        show(diff("a", "b"), language="fr")  # type: ignore[operator]  # the three share their signature


# ---- harmless --------------------------------------------------------------------------------------------------------------


@given(PAIR)
@settings(max_examples=300)
def test_nothing_shown_can_steer_a_terminal_or_fail_to_encode(pair: tuple[str, str]) -> None:
    d = diff(*pair)
    for shown in (hunks.text(d), plain_signs(hunks.text(d, colour=True)), hunks.markdown(d), hunks.html(d)):
        shown.encode("utf-8")
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", shown)


MARKDOWN = MarkdownIt("commonmark").enable("strikethrough").enable("table")
ALLOWED = {"paragraph_open", "paragraph_close", "inline", "text", "text_special", "softbreak"}
ALLOWED |= {"strong_open", "strong_close", "s_open", "s_close"}


@given(PAIR)
@settings(max_examples=400)
def test_no_text_can_break_out_of_the_markdown(pair: tuple[str, str]) -> None:
    shown = hunks.markdown(diff(*pair))
    tokens = MARKDOWN.parse(shown)
    flat = [*tokens, *(child for token in tokens for child in token.children or ())]
    assert {token.type for token in flat} <= ALLOWED
    read = "".join(token.content for token in flat if token.type.startswith("text"))
    assert "**" not in read, "every mark of ours is read as a mark"
    assert "~~" not in read


@given(PAIR)
@settings(max_examples=200)
def test_no_mention_survives(pair: tuple[str, str]) -> None:
    d = diff(*pair)
    stripped = html.unescape(re.sub("<[^>]*>", "", hunks.html(d)))  # as services do that want text
    for shown in (hunks.text(d), hunks.markdown(d), hunks.html(d), stripped):
        assert not re.search(r"@(?:all|所有人)|<at |<!|<script", shown)


def test_a_mention_that_only_one_side_makes_whole_is_harmless_too() -> None:
    assert hunks.text(diff("写信给 x@所有人的\n", "写信给 x@所说有人的\n")).startswith("- 写信给 x＠所有人的\n")


@pytest.mark.parametrize("old", ["http://x.cn/a", "看http://x.cn/a后", "www.x.cn/a", "x http://x.cn/a y"])
def test_an_address_does_not_swallow_the_marks(old: str) -> None:
    shown = hunks.markdown(diff(old, old.replace("a", "b")))
    assert "~~a~~**b**" in shown
    assert "http://x.cn/~~" not in shown
    assert "www.x.cn/~~" not in shown


class _Tags(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        assert {name for name, _ in attrs} <= {"style"}
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@given(PAIR, st.integers(0, 600))
@settings(max_examples=300)
def test_html_holds_only_its_own_elements_and_closes_them_even_when_cut(pair: tuple[str, str], limit: int) -> None:
    for shown in (hunks.html(diff(*pair)), hunks.html(diff(*pair), limit=limit)):
        tags = _Tags()
        tags.feed(shown)
        tags.close()
        assert tags.open == []
        assert tags.seen <= {"p", "del", "ins", "br"}


# ---- within the limit ------------------------------------------------------------------------------------------------------


@given(PAIR, st.integers(0, 300), st.sampled_from(["zh", "en"]))
@settings(max_examples=300)
def test_the_limit_is_kept_in_every_format(pair: tuple[str, str], limit: int, language: str) -> None:
    d = diff(*pair)
    for shown in (
        hunks.text(d, limit=limit, language=language),
        hunks.text(d, limit=limit, language=language, colour=True),
        hunks.markdown(d, limit=limit, language=language),
        hunks.html(d, limit=limit, language=language),
        hunks.unified("a", "b", d, limit=limit, language=language),
    ):
        assert len(shown) <= limit


@given(PAIR)
def test_what_fits_exactly_is_not_cut(pair: tuple[str, str]) -> None:
    d = diff(*pair)
    for show in (hunks.text, hunks.markdown, hunks.html):
        assert show(d, limit=len(show(d))) == show(d)


def test_a_cut_says_how_many_changes_are_left_out() -> None:
    old = [f"第{i}条 事项{i}\n不变\n不变\n不变\n" for i in range(40)]
    new = [line.replace("事项", "内容") for line in old]
    shown = hunks.text(diff("".join(old), "".join(new)), limit=400)
    told = shown.count("\n- ") + shown.startswith("- ")
    assert told >= 3
    assert shown.endswith(f"… 另有 {40 - told} 处改动")


@pytest.mark.parametrize("show", [hunks.text, hunks.markdown, hunks.html])
@pytest.mark.parametrize(
    "old", ["", "短\n", "".join(f"第{i}项，限{i}日。" for i in range(3000))], ids=["new", "replaced", "sown"]
)
def test_even_one_giant_paragraph_shows_its_beginning(show: object, old: str) -> None:
    new = "".join(f"第{i}项，限{i + 1}日。" for i in range(3000))
    shown = show(diff(old, new), limit=500)  # type: ignore[operator]  # the three share their signature
    assert 60 < len(shown) <= 500
    assert "第0项" in shown
    assert "…" in shown


# ---- right for patch -------------------------------------------------------------------------------------------------------


def patched(a: str, unified: str) -> str:
    """The new text by the rules of POSIX `patch`: line numbers, context and counts must all fit."""
    old = re.findall("[^\n]*\n|[^\n]+", a)
    lines = re.findall("[^\n]*\n", unified)
    out: list[str] = []
    at = 0
    assert [line[:4] for line in lines[:2]] == (["--- ", "+++ "] if lines else [])
    i = 2
    while i < len(lines):
        head = re.fullmatch(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@\n", lines[i])
        assert head, lines[i]
        gone, come = int(head[2] or 1), int(head[4] or 1)
        start = int(head[1]) - bool(gone)
        out += old[at:start]
        at = start
        assert len(out) == int(head[3]) - bool(come)
        i += 1
        while gone or come or (i < len(lines) and lines[i].startswith("\\")):
            sign, line = lines[i][0], lines[i][1:]
            if i + 1 < len(lines) and lines[i + 1].startswith("\\ No newline"):
                line = line.removesuffix("\n")
            if sign in " -":
                assert old[at] == line
                at, gone = at + 1, gone - 1
            if sign in " +":
                out.append(line)
                come -= 1
            i += 1
    return "".join(out + old[at:])


LINES = st.lists(st.sampled_from(["a\n", "b\n", "\n", "-- x\n", "\\ No\n", "@@ -1 +1 @@\n", "c\r\n", " d\n"]), max_size=40)
DOCUMENT = st.one_of(LINES.map("".join), LINES.map(lambda lines: "".join(lines).removesuffix("\n")), NASTY)


@given(DOCUMENT, DOCUMENT)
@settings(max_examples=400)
def test_the_unified_diff_makes_the_new_text_of_the_old(a: str, b: str) -> None:
    assert patched(a, hunks.unified("a", "b", diff(a, b))) == b


@pytest.mark.skipif(shutil.which("patch") is None, reason="needs the program patch")
@pytest.mark.parametrize(
    ("a", "b"),
    [
        (NOTICE, REVISED), ("", NOTICE), (NOTICE, ""), ("a", "b"), ("a\n", "a"), ("a", "a\n"), ("a\r\nb\r\n", "a\r\nc\n"),
        ("-- a\n\n", "++ b\n\n\n"),
    ],
)  # fmt: skip
def test_patch_itself_agrees(a: str, b: str, tmp_path: Path) -> None:
    file = tmp_path / "notice 一"
    file.write_bytes(a.encode())
    unified = hunks.unified("notice 一", "notice 一", diff(a, b))
    done = subprocess.run(["patch", "--binary", str(file)], input=unified.encode(), capture_output=True, check=False)
    assert done.returncode == 0, done.stdout
    assert (file.read_bytes().decode() if file.exists() else "") == b


def test_a_unified_diff_over_its_limit_ends_between_hunks_and_still_applies() -> None:
    old = "".join(f"{i}\n" for i in range(300))
    new = old.replace("50\n", "五十\n").replace("99\n", "九九\n")
    full = hunks.unified("a", "b", diff(old, new))
    cut = hunks.unified("a", "b", diff(old, new), limit=len(full) - 1)
    body, _, rest = cut.rpartition("\n")
    assert rest.startswith("… 另有 ")
    assert full.startswith(body)
    assert patched(old, body + "\n") != old


def test_file_names_stay_on_their_line() -> None:
    head = hunks.unified("a\n+++ evil", "b\tc", diff("a\n", "b\n")).split("\n")
    assert head[:3] == ["--- a_+++ evil\t", "+++ b_c", "@@ -1 +1 @@"]
