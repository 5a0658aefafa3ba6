"""The match language says yes or no, says why, and says where a line is wrong."""

from __future__ import annotations

import contextlib
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.match import MAX_DEPTH, MAX_LENGTH, PatternTooSlow, Subject, parse

NOTICE = Subject(
    {
        "title": "关于印发《“人工智能＋制造”专项行动实施意见》的通知",
        "text": "各省工业和信息化主管部门：\n远程代码执行(RCE)漏洞 CVE-2024-12345，open source 组件 mod_ssl，C++ 库，ＡＩ　Act。",
        "issuer": "工业和信息化部 国家发展改革委",
        "number": "工信部联科〔2025〕12号",
        "url": "https://www.miit.gov.cn/art/1.html",
        "source": "miit/tz",
        "kind": "revised",
        "cve": "CVE-2024-12345 CVE-2024-2",
        "severity": "高危",
        "cvss": "8.1 (CVSS:3.1/AV:N)",
        "vendor": "Apache",
        "dueDate": "2026-03-01",
        "empty": "",
    }
)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        # words
        ("人工智能", True),
        ("量子", False),
        ("人工智能 制造", True),
        ("人工智能 量子", False),
        ("RCE", True),
        ("rce", True),
        ("ource", False),
        ("source", True),  # "open source"
        ("sour", False),
        ("sour*", True),
        ("sou*x", False),
        ("CVE-2024-1234", False),
        ("CVE-2024-12345", True),
        ("C++", True),
        ("执行(RCE)", True),  # a bracket opens a group, with or without a space before it
        ("执行(量子)", False),
        ("AI法", False),
        ("AI", True),  # full width in the text
        ("ＲＣＥ", True),  # full width in the query
        ("实施意见》的通知", True),
        # phrases
        ('"open source"', True),
        ('"open source 组件"', True),
        ('"source open"', False),
        ("“人工智能+制造”", True),
        ("「专项行动」", True),
        ('"sour*"', False),
        # operators
        ("人工智能 AND (制造 OR 工业)", True),
        ("人工智能 AND (量子 OR 化工)", False),
        ("人工智能AND(量子OR制造)", True),
        ("人工智能AND量子", False),
        ("量子 OR 人工智能 AND 制造", True),  # AND binds tighter
        ("人工智能 OR 量子 AND 化工", True),
        ("NOT 量子", True),
        ("NOT 人工智能", False),
        ("人工智能 NOT 量子", True),
        ("NOT NOT 人工智能", True),
        ("NOT (量子 OR 制造)", False),
        ("（人工智能 OR 量子）", True),
        ('"AND"', False),
        # fields
        ("issuer:工业和信息化部", True),
        ("issuer:财政部", False),
        ("issuer：发展改革委", True),
        ("发文机关:发展改革委", True),
        ("标题:通知", True),
        ("title:RCE", False),
        ("text:RCE", True),
        ('title:"专项行动"', True),
        ("title:(量子 OR 通知)", True),
        ("number:12号", True),
        ('number:"工信部联科[2025]12号"', True),
        ("cve:CVE-2024-2", True),
        ("cve:CVE-2024-123", False),
        ("kind:revised", True),
        ("kind:revise", False),
        ("source:miit/tz", True),
        ("source:miit/*", True),
        ("source:miit", False),
        ('source:"miit/*"', False),
        ("url:miit.gov.cn", True),
        ("revised", False),  # bare words do not look at the kind,
        ("miit.gov.cn", False),  # the address or the source
        ("vendor:apache", True),
        ("Vendor:apache", True),
        ("apache", True),  # but at labels
        ("label.vendor:apache", True),
        ("product:apache", False),
        ("empty:x", False),
        ("NOT empty:x", True),
        ("https://example.org/x", False),  # an address is a word, not a field named https
        # order
        ("severity>=high", True),
        ("severity >= 高危", True),
        ("severity≥中危", True),
        ("severity>high", False),
        ("severity<critical", True),
        ("severity<=超危", True),
        ("severity=High", True),
        ("severity=low", False),
        ("cvss>=8", True),
        ("cvss>=8.2", False),
        ("cvss<4", False),  # the 3.1 in CVSS:3.1 is no score
        ("cvss>=high", True),
        ("cvss>=critical", False),
        ("dueDate<2026-03-02", True),
        ("dueDate<2026-03-01", False),
        ("vendor>=high", False),
        ("nothing>=1", False),
        # patterns
        (r"/CVE-\d{4}-\d{5}/", True),
        ("/cve-/", False),
        ("/cve-/i", True),
        (r"title:/^关于.*通知$/", True),
        (r"title:/^关于.*决定$/", False),
        (r"url:/\/art\/\d+/", True),
        ("NOT /量子/", True),
        ("/量子/ OR /制造/", True),
    ],
)
def test_a_line_matches_what_it_says(line: str, expected: bool) -> None:
    assert parse(line).matches(NOTICE)[0] is expected


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("人工智能", '"人工智能" is in title'),
        ("issuer:财政部", '"财政部" is not in issuer'),
        ("人工智能 AND (量子 OR 化工)", '"量子" is not in it; "化工" is not in it'),
        ("人工智能 制造", '"人工智能" is in title; "制造" is in title'),
        ("人工智能 NOT 制造", 'excluded by NOT: "制造" is in title'),
        ("product:x", 'there is no product for "x"'),
        ("/RCE/", "/RCE/ is in text"),
        ("severity>=critical", "severity >= critical is not in severity"),
    ],
)
def test_the_reason_names_the_word_that_decided(line: str, reason: str) -> None:
    assert parse(line).matches(NOTICE)[1] == reason


@pytest.mark.parametrize(
    ("line", "position", "expected"),
    [
        ("", "", "is empty"),
        ("   ", "", "is empty"),
        ("(a", "at the end", 'expected ")" for the "(" at character 1'),
        ("a)", "at character 2", 'that no "(" opened'),
        ("a AND", "at the end", "expected a word"),
        ("OR a", "at character 1", "expected a word"),
        ("a OR OR b", "at character 6", "expected a word"),
        ("NOT", "at the end", "expected a word"),
        ("()", "at character 2", "expected a word"),
        ('"open', "at character 1", 'expected " at the end of the phrase'),
        ("「开", "at character 1", "expected 」"),
        ("a /b", "at character 3", 'expected "/" at the end of the pattern'),
        ("//", "at character 1", "expected a pattern"),
        ("/a/x", "at character 4", 'found "x"'),
        ("/a[/", "at character 4", "the pattern cannot be read"),
        ("/((a{1000}){1000}){1000}/", "at character 1", "repeats more than"),
        ("/" + "(" * 4000 + ")" * 4000 + "/", "at character 1", "nested too deeply"),
        ("issuer:", "at the end", 'expected a value after "issuer:"'),
        ("issuer: AND b", "at character 9", 'expected a value after "issuer:"'),
        ("isuer:工信部", "at character 1", 'did you mean "issuer"'),
        ("severity>=", "at the end", 'expected a value after "severity>="'),
        ("severity>=bad", "at character 11", "expected a number, a date"),
        ("ai and safety", "at character 4", "write AND"),
        ("++", "at character 1", "no letter or digit"),
        ("(" * (MAX_DEPTH + 2) + "a" + ")" * (MAX_DEPTH + 2), "at character", "inside each other"),
        ("NOT " * (MAX_DEPTH + 2) + "a", "at character", "inside each other"),
        ("a" * (MAX_LENGTH + 1), "", "split it into several routes"),
    ],
)
def test_a_wrong_line_is_refused_with_the_position_and_what_was_expected(line: str, position: str, expected: str) -> None:
    with pytest.raises(ValueError, match=re.escape(expected)) as caught:
        parse(line)
    assert position in str(caught.value)


SLOW = Subject({"title": "a" * 5000 + "!", "text": "人工智能"})


def test_a_pattern_that_backtracks_without_end_is_stopped() -> None:
    with pytest.raises(PatternTooSlow, match=r"/\^\(a\|a\)\*\$/ took longer than 100 ms on title"):
        parse("/^(a|a)*$/").matches(SLOW)


@pytest.mark.parametrize(
    ("line", "expected"),
    [("/^(a|a)*$/ OR 人工智能", True), ("/^(a|a)*$/ AND 量子", False), ("NOT (/^(a|a)*$/ OR 人工智能)", False)],
)
def test_a_slow_pattern_is_no_matter_where_the_rest_decides(line: str, expected: bool) -> None:
    assert parse(line).matches(SLOW)[0] is expected


def test_a_query_names_its_fields_and_is_equal_to_one_of_the_same_line() -> None:
    query = parse("人工智能 AND (vendor:x OR NOT cvss>=7) AND url:/a/")
    assert query.names() == {"vendor", "cvss", "url"}
    assert query == parse(str(query))
    assert query != parse("人工智能")


ALPHABET = st.text(
    st.sampled_from(list('ab人工 ()（）"“”「/\\:：><=≥*ANDORNOT.{1}[]i\n')) | st.characters(codec="utf-8"), max_size=40
)


@settings(max_examples=400, deadline=None)
@given(ALPHABET, st.dictionaries(st.sampled_from(["title", "text", "issuer", "severity", "x"]), st.text(max_size=20)))
def test_any_line_is_refused_with_a_sentence_or_gives_an_answer_with_a_reason(line: str, fields: dict[str, str]) -> None:
    try:
        query = parse(line)
    except ValueError as error:
        said = str(error)
    else:
        with contextlib.suppress(PatternTooSlow):
            held, said = query.matches(Subject(fields))
            assert isinstance(held, bool)
            assert said
        return
    assert "the match" in said


WORDS = st.text(st.sampled_from("abz人工智能制造 "), min_size=1, max_size=8).filter(str.strip)


@settings(deadline=None)
@given(WORDS, WORDS, st.text(st.sampled_from("abz人工智能制造 "), max_size=30))
def test_the_operators_are_those_of_logic(a: str, b: str, title: str) -> None:
    subject = Subject({"title": title})

    def held(line: str) -> bool:
        return parse(line).matches(subject)[0]

    one, two = held(f'"{a}"'), held(f'"{b}"')
    assert held(f'"{a}" AND "{b}"') is held(f'"{a}" "{b}"') is (one and two)
    assert held(f'"{a}" OR "{b}"') is (one or two)
    assert held(f'NOT "{a}"') is not one
    assert held(f'NOT ("{a}" OR "{b}")') is held(f'NOT "{a}" AND NOT "{b}"')


@settings(deadline=None)
@given(WORDS, st.text(max_size=20), st.text(max_size=20))
def test_a_phrase_is_found_wherever_it_stands_by_itself(word: str, before: str, after: str) -> None:
    assert parse(f'"{word}"').matches(Subject({"text": f"{before}，{word}。{after}"}))[0]
