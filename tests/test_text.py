"""What is stored is clean, what is compared is folded, and the hash of a version lasts."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.text import MAX_MARKS, clean, fingerprint, fold, line

#: Any string that Python can hold, lone surrogates included, with what makes trouble drawn often.
TROUBLE = (
    "\x00\t\n\r\x0b\x85\xa0\xad\u200b\u200c\u200d\u202e\u2028\u2066\u3000\u3164\ufeff\ufffe\ud83d\ude00\u0301\u3099"
    "ｶﾞ１Ａ⼯豈①²㎡ﬁ，：（）"
)
ANY_TEXT = st.text(
    st.one_of(st.characters(), st.sampled_from(TROUBLE), st.characters(categories=["Cs", "Cn", "Mn"])), max_size=60
)


@pytest.mark.parametrize(
    ("raw", "stored"),
    [
        ("a\x00b\x07c\x1bd\x7fe\x9bf", "abcdef"),
        ("一\ud800二\udfff三", "一二三"),
        ("\ud83d\ude00", "😀"),
        ("\ude00\ud83d", ""),
        ("abc\u202etxt.exe\u202c \u2066x\u2069\u200f", "abctxt.exe x"),
        ("a\ufffeb\uffffc\ufdd0d\U0001fffee", "abcde"),
        ("工\u200b业\ufeff和\u2060信\xad息化", "工业和信息化"),
        ("工\u200d业 a\u200cb", "工业 ab"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("２０２６年第３号ＡＢｃ", "2026年第3号ABc"),
        ("⼯业⽇報 ⻟ \uf900", "工业日報 ⻟ 豈"),
        ("ｶﾞｲﾄﾞ", "ガイド"),
        ("e\u0301tude", "étude"),
        ("ﬁle", "file"),
        ("\u212b", "Å"),
        ("damaged \ufffd stays", "damaged \ufffd stays"),
        ("生僻字\ue863\U00020000", "生僻字\ue863\U00020000"),
    ],
)
def test_what_cannot_be_stored_or_seen_is_gone_and_compatible_forms_are_one(raw: str, stored: str) -> None:
    assert clean(raw) == stored


@pytest.mark.parametrize(
    "text", ["，：；！？（）《》〈〉「」、。“”‘’—…【】〔2026〕％＠＃", "10² m³ ½ ① ㈠ ⑴ ℃ ㎡ № ™ Ⅳ 〇 ○", "“引号”——省略……"]
)
def test_what_means_something_stays_as_it_was_written(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize(
    ("raw", "stored"),
    [
        (
            "\u3000\u3000各省、\xa0自治区：\t 通知 \r\n\r\n\r\n\r\n一、总则\r二、附则\n",
            "各省、 自治区： 通知\n\n一、总则\n二、附则",
        ),
        ("a\u2028b\u2029c\vd\fe\x85f", "a\nb\nc\nd\ne\nf"),
        (" \n \t\n ", ""),
        ("a\n \n\u3000\n b", "a\n\nb"),
        ("blank\u3164filler", "blank filler"),
    ],
)
def test_white_space_is_folded_within_lines_and_blank_lines_are_few(raw: str, stored: str) -> None:
    assert clean(raw) == stored


def test_a_title_is_one_line() -> None:
    assert line("关于印发\n\n  《办法》\t的通知 ") == "关于印发 《办法》 的通知"


@given(ANY_TEXT)
@settings(max_examples=500)
def test_clean_text_can_be_stored_anywhere_and_cleaning_twice_changes_nothing(raw: str) -> None:
    stored = clean(raw)
    stored.encode("utf-8", "strict")
    assert clean(stored) == stored
    assert not [char for char in stored if unicodedata.category(char) == "Cc" and char != "\n"]
    assert not [
        char
        for char in stored
        if unicodedata.bidirectional(char) in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    ]
    assert not [char for char in stored if ord(char) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(char) <= 0xFDEF]
    assert "  " not in stored
    assert "\n\n\n" not in stored
    assert stored == stored.strip()
    assert unicodedata.is_normalized("NFC", stored)
    assert "\n" not in line(raw)
    assert line(line(raw)) == line(raw)


@given(ANY_TEXT)
@settings(max_examples=500)
def test_folding_is_idempotent_and_sees_only_the_clean_text(raw: str) -> None:
    folded = fold(raw)
    assert fold(folded) == folded
    assert fold(clean(raw)) == folded


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("关于开展２０２６年（第3批）工作的通知", "关于开展 2026 年(第 3 批)工作的通知"),
        ("工信部〔2026〕3号", "工信部［2026］3 号"),
        ("“人工智能”——应用", '"人工智能"—应用'),
        ("Security UPDATE", "security update"),
        ("Straße", "STRASSE"),
        ("第一段。\n\n第二段。", "第一段。第二段。"),
        ("面积㎡", "面积m²"),
        ("Ⅳ级响应", "IV级响应"),
        ("等等……", "等等..."),
        ("it’s", "it's"),
        ("《办法》", "〈办法〉"),
    ],
)
def test_typographic_noise_is_no_difference(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("10² 米", "102 米"),
        ("①2", "12"),
        ("1½", "11/2"),
        ("10 000 users", "10000 users"),
        ("甲、乙", "甲，乙"),
        ("应当", "可以"),
        ("截至 1月8日", "截至 1月9日"),
        ("3.5%", "35%"),
        ("a-b", "a+b"),
    ],
)
def test_a_difference_in_meaning_survives_folding(one: str, other: str) -> None:
    assert fold(one) != fold(other)


def test_a_fingerprint_does_not_depend_on_order_or_on_fields_without_a_value() -> None:
    old = fingerprint({"title": "通知", "text": "正文"})
    assert old == fingerprint({"text": "正文", "title": "通知"})
    assert old == fingerprint({"title": "通知", "text": "正文", "issuer": None, "number": "", "note": " \u200b"})


def test_a_fingerprint_is_versioned_and_never_changes_between_releases() -> None:
    assert fingerprint({"title": "通知", "text": "正文"}) == "1:e84df0d4e30d11ad5916e450f89952d9"
    assert fingerprint({}) == "1:e3b0c44298fc1c149afbf4c8996fb924"


@pytest.mark.parametrize(
    "fields",
    [
        {"title": "通知", "text": "正文。"},
        {"title": "通知正", "text": "文"},
        {"title": "正文", "text": "通知"},
        {"title": "通知", "body": "正文"},
        {"title": "通知"},
        {"title": "通知", "text": "正文", "issuer": "工信部"},
    ],
)
def test_another_value_another_name_or_another_border_is_another_fingerprint(fields: dict[str, str]) -> None:
    assert fingerprint(fields) != fingerprint({"title": "通知", "text": "正文"})


def test_what_cleaning_removes_does_not_reach_the_fingerprint() -> None:
    assert fingerprint({"text": "第１条\u200b  正文\r\n"}) == fingerprint({"text": "第1条 正文"})


@given(
    st.dictionaries(st.text(max_size=5), st.one_of(st.none(), ANY_TEXT), max_size=5).filter(
        lambda f: all(clean(k) == k for k in f)
    )
)
def test_any_fields_have_a_fingerprint_of_fixed_form(fields: dict[str, str | None]) -> None:
    version, _, digest = fingerprint(fields).partition(":")
    assert (version, len(digest)) == ("1", 32)
    assert set(digest) <= set("0123456789abcdef")


@pytest.mark.parametrize(
    "text",
    [
        "关于开展２０２６年工作的通知，请（各省）认真贯彻。\r\n" * 38_000,
        "a" + "\u0301\u0316" * 500_000,
        "\u200d" * 1_000_000,
        " \n" * 500_000,
        "ﾞ\u0301" * 500_000,
        "<" * 1_000_000,
        "\ud83d" * 1_000_000,
        "é " * 500_000,
    ],
    ids=["chinese", "marks", "joiners", "blank lines", "half-width marks", "signs", "surrogates", "words"],
)
def test_a_megabyte_is_cleaned_and_folded_in_linear_time(text: str) -> None:
    started = time.process_time()
    clean(text)
    fold(text)
    assert time.process_time() - started < 10  # about one second; quadratic ways take minutes


def test_a_letter_keeps_only_so_many_marks() -> None:
    assert len(clean("a" + "\u0316" * 1000)) == 1 + MAX_MARKS


#: A control at both ends: nothing that holds one is seen at a glance to be clean.
@given(ANY_TEXT | st.text(alphabet="ab \n中，（1", max_size=12))
def test_what_is_seen_at_a_glance_to_be_clean_is_what_the_long_way_gives(raw: str) -> None:
    assert clean(raw) == clean(f"\x00{raw}\x00")
    assert line(raw) == line(f"\x00{raw}\x00")


def test_no_character_is_taken_for_clean_that_is_not() -> None:
    for code in range(0x10000):
        between = f"a{chr(code)}b"
        assert clean(between) == clean(between + "\x00"), hex(code)
