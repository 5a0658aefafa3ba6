"""A message that is too long is divided so that nothing is lost, no link is cut and every part fits."""

from __future__ import annotations

import re

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from monitor.senders.split import LEAST, measure, split, titled, truncate

MARK = re.compile(r"\((\d+)/(\d+)\)\n")
LINK = re.compile(r"https?://[!-~]+")
LINKS = st.from_regex(r"https://[a-z]{1,8}\.gov\.cn/[a-z0-9/]{0,12}(\?a=[0-9];b!)?", fullmatch=True)
WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"), max_size=40)
CHINESE = st.text("关于印发《办法》的通知，。；！\n 各单位", min_size=0, max_size=80)
TEXTS = st.lists(
    st.one_of(LINKS.map(lambda link: f" {link} "), WORDS, CHINESE, st.just("\n\n"), st.just("👨‍👩‍👧é🇨🇳")), max_size=40
).map("".join)
TEN = "一二三四五六七八九十"
UNITS = st.sampled_from(["bytes", "characters"])
LIMITS = st.integers(72, 300)  # above the longest of the LINKS, which else becomes "…"


def bare(parts: tuple[str, ...]) -> list[str]:
    """The parts without their marks."""
    return [MARK.sub("", part, count=1) for part in parts] if len(parts) > 1 else list(parts)


def solid(text: str) -> str:
    return "".join(text.split())


@given(TEXTS, st.integers(LEAST, 300), UNITS)
def test_every_part_fits_the_limit_with_its_mark(text: str, limit: int, unit: str) -> None:
    assert all(measure(part, unit) <= limit for part in split(text, limit, unit))


@given(TEXTS, LIMITS, UNITS)
def test_nothing_but_white_space_is_lost(text: str, limit: int, unit: str) -> None:
    assert solid("".join(bare(split(text, limit, unit)))) == solid(text)


@given(TEXTS, LIMITS, UNITS)
def test_the_parts_are_numbered_in_order(text: str, limit: int, unit: str) -> None:
    parts = split(text, limit, unit)
    if len(parts) > 1:
        marks = [MARK.match(part) for part in parts]
        assert [mark and mark.groups() for mark in marks] == [(str(n), str(len(parts))) for n in range(1, len(parts) + 1)]


@pytest.mark.parametrize("unit", ["bytes", "characters"])
@pytest.mark.parametrize(
    "start",
    [
        "https://example.org/o'brien/view?",
        "https://工信部.政务.cn/view?",
        "https://工信部.政务.cn:8080?",
        "http://münchen.example/#",
    ],
)
@pytest.mark.parametrize("limit", [395, 420, 700])
def test_no_link_is_cut_whatever_letters_its_host_has(start: str, unit: str, limit: int) -> None:
    link = start + "&".join(f"p{n}=value{n}" for n in range(30))[:330]
    text = "\n\n".join(f"【新】某某局：关于第{n}项工作的通知\n来源：a · 日期：2026-01-12\n{link}" for n in range(3))
    assert sum(part.count(link) for part in split(text, limit, unit)) == 3


def test_chinese_that_follows_a_link_at_once_is_still_text() -> None:
    text = "详见https://www.gov.cn" + TEN * 40 + "。"
    assert solid("".join(bare(split(text, 100)))) == solid(text)


@given(st.lists(LINKS, min_size=1, max_size=30), st.text("字a，。 \n", max_size=60), LIMITS, UNITS)
def test_no_link_is_cut(links: list[str], between: str, limit: int, unit: str) -> None:
    text = f" {between} ".join(links)
    found = [link for part in bare(split(text, limit, unit)) for link in LINK.findall(part)]
    assert found == LINK.findall(text)


@given(st.text("👨‍👩‍👧🇨🇳éཧྐ字a", min_size=60, max_size=400), LIMITS, UNITS)
def test_no_grapheme_is_cut(text: str, limit: int, unit: str) -> None:
    largest = max(measure(one, unit) for one in regex.findall(r"\X", text))
    if largest <= limit - 12:
        borders = {match.end() for match in regex.finditer(r"\X", text)}
        place = 0
        for part in bare(split(text, limit, unit)):
            place += len(part)
            assert place in borders


@given(TEXTS, UNITS)
def test_a_text_that_fits_comes_back_as_it_is(text: str, unit: str) -> None:
    assert split(text, max(LEAST, measure(text, unit)), unit) == (text,)


@pytest.mark.parametrize(
    ("border", "text", "limit", "expected"),
    [
        ("a paragraph", f"{TEN}\n\n{TEN}。{TEN}", 32, [TEN, f"{TEN}。{TEN}"]),
        ("a line", f"{TEN}\n{TEN}。一{TEN}", 32, [TEN, f"{TEN}。一{TEN}"]),
        ("a sentence", f"{TEN}。”{TEN}，{TEN}", 32, [f"{TEN}。”", f"{TEN}，{TEN}"]),
        ("a word", "The quick brown fox jumps over the lazy dog", 38, ["The quick brown fox jumps over", "the lazy dog"]),
        ("a link with its words", f"{TEN}[附件](https://a.cn/1.doc)", 32, [TEN, "[附件](https://a.cn/1.doc)"]),
        ("bold text", f"{TEN}{TEN}**{TEN}**", 32, [TEN + TEN, f"**{TEN}**"]),
        ("a grapheme", "👨‍👩‍👧" * 8, 32, ["👨‍👩‍👧" * 5, "👨‍👩‍👧" * 3]),
    ],
)
def test_parts_end_at(border: str, text: str, limit: int, expected: list[str]) -> None:
    assert bare(split(text, limit)) == expected, border


def test_a_link_longer_than_a_part_is_left_out_rather_than_cut() -> None:
    parts = bare(split("前 https://a.cn/" + "x" * 100 + " 后", 40))
    assert parts == ["前", "…", " 后"]


def test_a_link_ends_where_chinese_begins() -> None:
    parts = bare(split("详见https://a.cn/1请各单位遵照执行" + "，各单位" * 20, 40))
    assert "https://a.cn/1" in parts[0]
    assert len("".join(parts)) == len("详见https://a.cn/1请各单位遵照执行" + "，各单位" * 20)


def test_a_part_is_2048_bytes_of_chinese_and_not_2048_characters() -> None:
    text = "通知" * 750
    assert len(split(text, 2048, "characters")) == 1
    parts = split(text, 2048, "bytes")
    assert len(parts) == 3
    assert max(len(part.encode()) for part in parts) <= 2048


def test_the_digits_of_the_mark_are_counted_in() -> None:
    parts = split("字" * 3000, LEAST, "characters")
    assert len(parts) >= 100
    assert max(map(len, parts)) <= LEAST
    assert parts[-1].startswith(f"({len(parts)}/{len(parts)})\n")


def test_a_lone_surrogate_leaves_a_text_that_utf_8_can_carry() -> None:
    assert "".join(split("\ud800" * 10, 100, "bytes")) == "?" * 10


def test_a_limit_without_room_for_a_mark_is_refused() -> None:
    with pytest.raises(ValueError, match="too small"):
        split("text", LEAST - 1, "bytes")


@pytest.mark.parametrize(
    "hostile", ["[" * 50_000, "**a" * 20_000, "[a](" * 20_000, "<" * 50_000, "\n " * 50_000, "https://" * 10_000, "." * 50_000]
)
def test_hostile_text_is_divided_in_bounded_time(hostile: str) -> None:
    assert all(len(part) <= 2048 for part in split(hostile, 2048))


@given(TEXTS, st.integers(3, 60), UNITS)
def test_a_truncated_text_fits_and_is_a_beginning(text: str, limit: int, unit: str) -> None:
    short = truncate(text, limit, unit)
    assert measure(short, unit) <= limit
    assert short == text or text.startswith(short.removesuffix("…"))


@pytest.mark.parametrize(
    ("title", "text", "expected"),
    [
        ("关于印发办法的通知", "全文如下", "关于印发办法的通知\n全文如下"),
        ("关于印发办法的通知", "**关于印发《办法》的通知**\n全文如下", "**关于印发《办法》的通知**\n全文如下"),
        ("a_b", "# a\\_b\ntext", "# a\\_b\ntext"),
        ("", "text", "text"),
        ("title", "long before" * 60 + "title", "title\n" + "long before" * 60 + "title"),
    ],
)
def test_a_title_is_said_once(title: str, text: str, expected: str) -> None:
    assert titled(title, text) == expected
