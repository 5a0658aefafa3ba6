"""What the kind `json` promises: rows found by JMESPath, each field a line, nothing believed that is not whole, and requests that
ask for a page, a span of time or what came before."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor import config, diff, facts, sources, text
from monitor.check.one import check
from monitor.errors import ConfigError, ParseError
from monitor.model import Fetched, Listing, Request, Source, Validators
from monitor.render import hunks
from monitor.sources import asking, jmes
from monitor.sources.jsonrows import Json
from monitor.store import notices
from tests.house import House, Site

AT = datetime(2026, 9, 10, 4, 0, tzinfo=UTC)
URL = "https://api.example.gov.cn/v1/list"
ROWS = [
    {
        "id": 7,
        "title": "关于开展检查的通知",
        "url": "/art/7.html",
        "time": "2026-09-01 08:00:00",
        "body": {"b": 1, "a": [True, None]},
    },
    {
        "id": "x/8",
        "title": "关于印发办法的通知",
        "url": "https://www.example.gov.cn/art/8.html",
        "time": 1788220800000,
        "body": None,
    },
]


def source_of(url: str = URL, *, options: dict[str, Any] | None = None, **keys: Any) -> Source:
    return Source("example", "json", url, options=Json.Options(**{"title": "title", **(options or {})}), **keys)


def answered(value: Any, request: Request | None = None) -> Fetched:
    body = value if isinstance(value, bytes) else (value if isinstance(value, str) else json.dumps(value)).encode()
    request = request or Request(URL)
    return Fetched(request, 200, request.url, body, "application/json", "utf-8", Validators(), AT)


def read(value: Any, source: Source | None = None, **options: Any) -> Listing:
    return Json().parse(source or source_of(options=options), answered(value))


def only(row: dict[str, Any], **options: Any) -> Any:
    (notice,) = read([row], **options).notices
    return notice


# --- rows


def test_the_kind_is_found_by_its_name() -> None:
    assert isinstance(sources.kind("json"), Json)


def test_a_row_gives_key_title_address_date_and_labels() -> None:
    first, second = read(
        {"data": {"list": ROWS}}, items="data.list", key="id", link="url", date="time", labels={"kind": "time", "tag": "tags"}
    ).notices
    assert (first.key, first.title, first.url) == ("7", "关于开展检查的通知", "https://api.example.gov.cn/art/7.html")
    assert first.published == datetime(2026, 9, 1, 0, 0, tzinfo=UTC)
    assert (second.key, second.published) == ("x/8", datetime(2026, 9, 1, 0, 0, tzinfo=UTC))
    assert first.labels == (("kind", "2026-09-01 08:00:00"),)
    assert first.text is None


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ("url", "https://api.example.gov.cn/art/7.html"),
        ("https://w.example/{id}.html", "https://w.example/7.html"),
        ("../art/{title}?k={body.b}", "https://api.example.gov.cn/art/" + "%E5%85%B3?k=1"),
        ("join('', ['https://w.example/', to_string(id)])", "https://w.example/7"),
        ("https://w.example/{nothing}", None),
        ("nothing", None),
        ("body", None),
        ("'javascript:alert(1)'", None),
    ],
)
def test_a_link_is_an_expression_or_a_template(link: str, url: str | None) -> None:
    assert only({**ROWS[0], "title": "关"}, link=link).url == url


def test_what_is_filled_into_a_link_cannot_change_its_shape() -> None:
    row = {"title": "t", "id": "../a?b=c&d#e f"}
    assert only(row, link="https://w.example/x/{id}").url == "https://w.example/x/..%2Fa%3Fb%3Dc%26d%23e%20f"


@pytest.mark.parametrize(
    ("written", "lines"),
    [
        (["title", "body", "id"], ["title: 关于开展检查的通知", 'body: {"a":[true,null],"b":1}', "id: 7"]),
        (["body.b", "nothing", "url"], ["body.b: 1", "url: /art/7.html"]),
        ("body", ["a: [true,null]", "b: 1"]),
        ("title", ["关于开展检查的通知"]),
        ("[title, url, nothing]", ["关于开展检查的通知", "/art/7.html"]),
        ("nothing", []),
    ],
)
def test_the_text_is_a_line_a_field(written: Any, lines: list[str]) -> None:
    assert only(ROWS[0], text=written).text == "\n".join(lines)


def test_a_whole_text_in_html_is_read_as_html() -> None:
    assert only({"title": "t", "html": "<p>一</p><p>二 &amp; 三</p>"}, text="html").text == "一\n二 & 三"


def test_a_field_is_one_line_whatever_it_holds() -> None:
    assert only({"title": "t", "a": "x\n\n y\u200b", "b": False, "c": 2.0, "d": ""}, text=["a", "b", "c", "d"]).text == (
        "a: x y\nb: false\nc: 2"
    )


@given(st.dictionaries(st.sampled_from("abcdef"), st.integers() | st.text() | st.lists(st.integers(), max_size=2), min_size=1))
def test_the_order_in_which_an_object_names_its_fields_does_not_matter(row: dict[str, Any]) -> None:
    other = dict(reversed(row.items()))
    one, two = (read([{"title": "t", "row": kind}], text="row").notices[0].text for kind in (row, other))
    assert one == two
    assert one == text.clean(one or "")


@pytest.mark.parametrize(
    ("value", "when"),
    [
        ("2026-09-01", date(2026, 9, 1)),
        ("2026年9月1日", date(2026, 9, 1)),
        ("2026-09-01T08:00:00+08:00", datetime(2026, 9, 1, 0, 0, tzinfo=UTC)),
        ("2026-09-01 08:00:00.0", datetime(2026, 9, 1, 0, 0, tzinfo=UTC)),
        (1788220800, datetime(2026, 9, 1, 0, 0, tzinfo=UTC)),
        ("1788220800000", datetime(2026, 9, 1, 0, 0, tzinfo=UTC)),
        (20260901, date(2026, 9, 1)),
        ("soon", None),
        (0, None),
        (-1, None),
        (10**300, None),
        (1e308, None),
        (True, None),
        ([], None),
    ],
)
def test_a_date_is_text_or_seconds_or_milliseconds(value: Any, when: Any) -> None:
    assert only({"title": "t", "time": value}, date="time").published == when


def test_a_row_without_key_is_known_by_its_link_and_without_link_by_its_title() -> None:
    rows = [{"title": "a", "url": "https://w.example/1?utm_source=x"}, {"id": None, "title": "b"}, {"id": {"x": 1}, "title": "c"}]
    keys = [notice.key for notice in read(rows, key="id", link="url").notices]
    assert keys[0] == "w.example/1"
    assert keys[1].startswith("title:")
    assert keys[2].startswith("title:")
    assert len(set(keys)) == 3


def test_two_rows_with_one_key_are_both_there() -> None:
    rows = [{"id": 1, "title": "a"}, {"id": 1, "title": "b"}, {"id": 2, "title": "c"}, {"id": 2, "title": "c"}]
    found = read(rows, key="id").notices
    assert [notice.title for notice in found] == ["a", "b", "c"]
    assert len({notice.key for notice in found}) == 3


@pytest.mark.parametrize(
    ("key", "title", "labels"),
    [
        ("CVE-2026-1002", "Windows 提权漏洞", (("cve", "CVE-2026-1002"),)),
        ("CNNVD-202601-123", "某产品漏洞", (("cnnvd", "CNNVD-202601-123"),)),
        ("CVE-2026-1002", "CVE-2026-1002 提权漏洞", ()),
        ("2026-1002", "通知", ()),
    ],
)
def test_the_id_of_a_flaw_that_is_a_row_s_key_is_said_of_it(key: str, title: str, labels: tuple[tuple[str, str], ...]) -> None:
    notice = only({"id": key, "title": title}, key="id")
    assert notice.labels == labels
    assert facts.read(notice.title, "", labels=notice.labels).cves == ((key,) if key.startswith("CVE") else ())


def test_a_row_without_title_is_called_by_its_key() -> None:
    assert only({"id": "CVE-1"}, key="id").title == "CVE-1"


def test_rows_that_say_nothing_are_counted_and_the_list_is_not_complete() -> None:
    listing = read([{"title": "a"}, None, 5, "x", [], {}], source_of(complete=True))
    assert [notice.title for notice in listing.notices] == ["a"]
    assert listing.problems == ("5 of 6 rows say nothing that could be told",)
    assert not listing.complete
    assert read([{"title": "a"}], source_of(complete=True)).complete


def test_a_row_that_was_read_before_is_read_the_same() -> None:
    one, again = read(ROWS, text="@", key="id"), read(json.dumps(ROWS, indent=8), text="@", key="id")
    assert one == again
    assert one != read(ROWS, text=["title"], key="id")


def test_equal_rows_of_other_types_are_not_confused() -> None:
    assert [only({"title": "t", "v": value}, text=["v"]).text for value in (1, True, 1.5, "1")] == [
        "v: 1",
        "v: true",
        "v: 1.5",
        "v: 1",
    ]


# --- what is no such JSON

DEEP = "[" * 100_000
FOREIGN = {
    "nothing": ("", "is an empty answer"),
    "a page": ("<html><head><title>登录&amp;注册</title></head></html>", "is a page titled “登录&注册”, not JSON"),
    "a page without a title": ("<!DOCTYPE html><p>x", "is a page without a title, not JSON"),
    "a feed": ('<?xml version="1.0"?><rss version="2.0"></rss>', "is a feed, not JSON"),
    "a picture": (b"\x89PNG\r\n\x1a\n", "is a picture, not a list"),
    "a sentence": ("Service Unavailable", "it begins with|Expecting value at line 1"),
    "cut in a text": ('[{"title": "关于开', "is not whole JSON: Unterminated string"),
    "cut after a row": ('[{"title": "a"},', "is not whole JSON: Expecting value at line 1, character"),
    "more than one value": ('[{"title": "a"}] <script>', "goes on after its JSON: “<script>”"),
    "an error": ({"code": 500, "msg": "系统繁忙"}, 'has nothing at "data.list"; .* “code”: 500, “msg”: “系统繁忙”'),
    "an empty object": ({}, "the answer is an empty object"),
    "an array instead": ([1], "the answer is a list of 1"),
    "an object instead of rows": ({"data": {"list": {"total": 0}}}, 'an object with “total”: 0 at "data.list", not a list'),
    "a text instead of rows": ({"data": {"list": "none"}}, 'the text “none” at "data.list", not a list'),
    "null": ("null", 'nothing at "data.list"; the answer is null'),
    "deep nesting": (DEEP, "nests too deeply|not whole JSON"),
    "deep and whole": (DEEP + "]" * 100_000, "nests too deeply"),
    "digits without end": ('{"data": {"list": [' + "9" * 5000 + "]}}", "a number of thousands of digits"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_what_is_no_list_in_json_is_named(name: str) -> None:
    value, said = FOREIGN[name]
    with pytest.raises(ParseError, match=said) as caught:
        read(value, items="data.list")
    assert len(str(caught.value)) < 500
    assert caught.value.hint


@pytest.mark.parametrize("depth", [50, 500, 900, 1500, 5000])
def test_nesting_is_read_or_named_and_never_a_crash(depth: int) -> None:
    raw = '[{"title": "t", "deep": ' + "[" * depth + "]" * depth + "}]"
    said: str | None
    try:
        said = read(raw, text=["deep"]).notices[0].text
    except ParseError as error:
        said = error.reason
    assert said in ("nesting", "deep: " + "[" * depth + "]" * depth)


WRAPPED = {
    "a callback": "callback(%s);",
    "a callback of an object": "jQuery.cb_1 ( %s )",
    "a variable": "var data = %s;",
    "a constant": "const rows=%s",
    "a guard against scripts": ")]}',\n%s",
    "a comment before": "/**/ cb(%s)",
    "a byte order mark": "\ufeff%s",
    "white space": " \r\n%s\r\n\0",
}


@pytest.mark.parametrize("name", WRAPPED)
def test_what_scripts_put_around_json_is_taken_off(name: str) -> None:
    assert [notice.title for notice in read(WRAPPED[name] % json.dumps(ROWS)).notices] == [row["title"] for row in ROWS]


@pytest.mark.parametrize("wrong", ["cb([1]", "cb([1]) cb([2])", "var a = [1]; var b = [2];", "cb[1]"])
def test_a_script_that_does_more_is_no_json(wrong: str) -> None:
    if wrong == "cb([1]":
        assert read(wrong, source_of(complete=False)).notices == ()  # the rows are whole
    else:
        with pytest.raises(ParseError, match="JSON"):
            read(wrong)


def test_nan_is_as_good_as_absent_and_line_ends_in_texts_are_read() -> None:
    assert only_of('[{"title": "a\nb", "v": NaN, "w": -Infinity, "x": 1}]', text=["v", "w", "x"]) == ("a b", "x: 1")


def only_of(raw: str, **options: Any) -> tuple[str, str | None]:
    (notice,) = read(raw, **options).notices
    return notice.title, notice.text


def test_controls_and_lone_surrogates_do_not_come_through() -> None:
    title, said = only_of('[{"title": "a\\u0000b\\ud800", "v": "\\u202ex\\u0007"}]', text=["v"])
    assert (title, said) == ("ab", "v: x")


def test_a_list_that_is_absent_is_empty_where_no_rows_are_a_good_answer() -> None:
    of = source_of(options={"items": "data.list"}, allow_empty=True)
    assert read({"data": None}, of).notices == ()
    with pytest.raises(ParseError):
        read({"data": {"list": "no"}}, of)


# --- how many rows there are

COUNTS = {
    "as many": (3, None),
    "as many, as text": ("3", None),
    "fewer": (1733, "publication truncated: 3 of 1,733 rows"),
    "more": (2, "publication inconsistent: 3 rows, and it says 2"),
    "no number": ("many", 'has no number at "count"'),
    "not there": (None, 'has no number at "count"'),
    "below zero": (-3, 'has no number at "count"'),
    "not whole": (3.5, 'has no number at "count"'),
}


@pytest.mark.parametrize("name", COUNTS)
def test_the_rows_are_counted(name: str) -> None:
    count, said = COUNTS[name]
    answer = {"count": count, "rows": [{"title": title} for title in "abc"]}
    if said is None:
        assert len(read(answer, items="rows", count="count").notices) == 3
        return
    with pytest.raises(ParseError, match=said):
        read(answer, items="rows", count="count")


def test_rows_that_are_exact_copies_are_counted_as_published() -> None:
    answer = {"count": 2, "rows": [{"title": "a"}, {"title": "a"}]}
    assert len(read(answer, items="rows", count="count").notices) == 1


# --- pages


def walk(source: Source, answers: Callable[[Request], Any], most: int = 20) -> tuple[list[str], list[Request], Listing]:
    """Every title, request and the last listing of a walk through all pages."""
    request: Request | None = Json().begin(source, {}, AT)
    titles: list[str] = []
    asked: list[Request] = []
    listing = Listing(())
    while request is not None and len(asked) < most:
        asked.append(request)
        listing = Json().parse(source, answered(answers(request), request))
        titles += [notice.title for notice in listing.notices]
        request = listing.next
    return titles, asked, listing


def query(request: Request) -> dict[str, str]:
    return {name: value[0] for name, value in parse_qs(urlsplit(request.url).query, keep_blank_values=True).items()}


PAGES = {
    "a parameter": (URL + "?size=2&p=1", {"page_param": "p"}, lambda n: f"{URL}?size=2&p={n}"),
    "a parameter that was not there": (URL, {"page_param": "p"}, lambda n: URL if n == 1 else f"{URL}?p={n}"),
    "counted from 0": (URL + "?p={page}", {"first_next": 1}, lambda n: f"{URL}?p={n - 1}"),
    "in the address": (URL + "/{page}", {}, lambda n: f"{URL}/{n}"),
    "by position": (URL + "?start={offset}", {}, lambda n: f"{URL}?start={(n - 1) * 2}"),
    "a template beside it": (
        URL, {"next": "list_{page}.json", "first_next": 1}, lambda n: URL if n == 1 else f"{URL}_{n - 1}.json",
    ),
    "a template of a query": (
        URL + "?a=1", {"next": "?a=1&o={offset}"}, lambda n: f"{URL}?a=1" + ("" if n == 1 else f"&o={n * 2 - 2}"),
    ),
    "an address in the answer": (URL, {"next": "more"}, lambda n: URL if n == 1 else f"{URL}?c=k%26{n}"),
    "a cursor": (URL + "?c=", {"next": "cursor", "page_param": "c"}, lambda n: f"{URL}?c=" + ("" if n == 1 else f"k%26{n}")),
    "a cursor in the address": (
        URL + "?c={next}&s=2", {"next": "cursor"}, lambda n: f"{URL}?c={'' if n == 1 else f'k%26{n}'}&s=2",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PAGES)
def test_the_next_page_is_asked_as_the_site_wants_it(name: str) -> None:
    url, options, expected = PAGES[name]
    asked: list[str] = []

    def answer(request: Request) -> Any:
        asked.append(request.url)
        page = len(asked)
        rows = [{"title": f"{page}{letter}"} for letter in "ab"] if page < 4 else []
        more = {"more": f"?c=k%26{page + 1}", "cursor": f"k&{page + 1}"} if page < 3 else {"more": None, "cursor": ""}
        return {"rows": rows, **more}

    titles, _, _ = walk(source_of(url, options={"items": "rows", **options}), answer)
    assert titles == ["1a", "1b", "2a", "2b", "3a", "3b"]
    assert asked[:3] == [expected(n) for n in (1, 2, 3)]


def test_the_body_of_a_post_is_filled_in_and_escaped_for_what_it_is() -> None:
    body = '{"pageIndex": {page}, "from": {offset}, "keep": {"page": 1}, "since": "{since:%Y-%m-%d}", "c": "{state.c}"}'
    source = source_of(method="POST", body=body, options={"items": "rows", "state": {"c": "c"}})
    _, asked, _ = walk(source, lambda r: {"rows": [{"title": f"{r.page}"}], "c": 'a"b\\'} if r.page < 3 else {"rows": []})
    sent = [json.loads(request.body) for request in asked]
    assert [(one["pageIndex"], one["from"], one["keep"]) for one in sent[:2]] == [(1, 0, {"page": 1}), (2, 1, {"page": 1})]
    assert sent[0]["since"] == "2026-09-03"
    assert {request.url for request in asked} == {URL}
    again = Json().begin(source, {"c": 'a"b\\'}, AT)
    assert json.loads(again.body)["c"] == 'a"b\\'
    form = replace(source, body="page={page}&cat=-7&c={state.c}")
    assert Json().begin(form, {"c": "a&b=ü"}, AT).body == b"page=1&cat=-7&c=a%26b%3D%C3%BC"


def test_headers_and_method_go_with_every_page() -> None:
    source = source_of(method="POST", headers=(("X-Requested-With", "XMLHttpRequest"),), options={"page_param": "p"})
    _, asked, _ = walk(source, lambda r: [{"title": str(r.page)}] if r.page < 3 else [])
    assert {(request.method, request.headers) for request in asked} == {("POST", source.headers)}
    assert [query(request).get("p") for request in asked] == [None, "2", "3"]


def test_a_count_ends_the_pages() -> None:
    source = source_of(options={"items": "rows", "count": "total", "page_param": "p"})
    titles, asked, _ = walk(source, lambda r: {"total": 4, "rows": [{"title": f"{r.page}{x}"} for x in "ab"]})
    assert (titles, len(asked)) == (["1a", "1b", "2a", "2b"], 2)


def test_a_catalogue_of_many_pages_is_had_whole_or_not_at_all() -> None:
    source = source_of(options={"items": "rows", "count": "total", "page_param": "p"}, complete=True)

    def answer(request: Request) -> Any:
        rows = [{"title": f"{request.page}{x}"} for x in "ab"]
        return {"total": 5, "rows": rows if request.page < 3 else []}

    with pytest.raises(ParseError, match="publication truncated: 4 of 5 rows"):
        walk(source, answer)
    first = Json().parse(source, answered(answer(Request(URL)), Json().begin(source, {}, AT)))
    assert (first.last_step, first.complete) == (False, False)
    _, _, last = walk(source, lambda r: {**answer(r), "total": 4})
    assert (last.last_step, last.complete) == (True, True)


def test_a_site_that_ignores_the_page_is_found_out() -> None:
    rows = [{"title": f"{x}"} for x in "ab"]
    whole = source_of(options={"items": "@", "page_param": "p"}, complete=True)
    with pytest.raises(ParseError, match="page 2 is the page before again"):
        walk(whole, lambda _: rows)


# --- spans of time


def test_a_span_begins_where_the_last_accepted_one_ended_and_overlaps_it() -> None:
    source = source_of(URL + "?from={since}&to={now}", since=timedelta(days=7), options={"overlap": "2h"})
    first = Json().begin(source, {}, AT)
    assert query(first) == {"from": "2026-09-03T04:00:00Z", "to": "2026-09-10T04:00:00Z"}
    state = Json().parse(source, answered([], first)).state
    assert state == {"until": AT.isoformat()}
    later = Json().begin(source, json.loads(json.dumps(dict(state))), AT + timedelta(hours=1))
    assert query(later) == {"from": "2026-09-10T02:00:00Z", "to": "2026-09-10T05:00:00Z"}


def test_no_span_is_longer_than_its_window_and_none_is_left_out() -> None:
    source = source_of(URL + "?from={since}&to={now}", options={"window": "120d", "overlap": "2h"})
    state: dict[str, Any] = {"until": (AT - timedelta(days=300)).isoformat()}
    spans = []
    for _ in range(4):
        request = Json().begin(source, state, AT)
        spans.append(tuple(datetime.fromisoformat(query(request)[name]) for name in ("from", "to")))
        state = dict(Json().parse(source, answered([], request)).state)
    assert all(end - begin <= timedelta(days=120) for begin, end in spans)
    assert all(begin == former_end - timedelta(hours=2) for (_, former_end), (begin, _) in itertools.pairwise(spans))
    assert spans[-1][1] == AT
    assert len({end for _, end in spans}) == 3


def test_a_clock_that_was_set_back_does_not_stop_the_span() -> None:
    source = source_of(URL + "?from={since}&to={now}")
    request = Json().begin(source, {"until": (AT + timedelta(days=400)).isoformat()}, AT)
    assert query(request) == {"from": "2026-09-10T02:00:00Z", "to": "2026-09-10T04:00:00Z"}


@pytest.mark.parametrize(
    ("written", "filled"),
    [
        ("{now:%Y-%m-%d %H:%M}", "2026-09-10%2012%3A00"),
        ("{now:s}", "1789012800"),
        ("{now:ms}", "1789012800000"),
        ("{since:%Y/%m/%d}", "2026%2F09%2F03"),
        ("{page}-{offset}-{next}-", "1-0--"),
    ],
)
def test_moments_are_written_as_the_site_wants_them_in_local_time(written: str, filled: str) -> None:
    assert Json().begin(source_of(f"{URL}?x={written}"), {}, AT).url == f"{URL}?x={filled}"


def test_a_span_of_many_pages_is_had_whole() -> None:
    source = source_of(URL + "?from={since}&start={offset}", options={"items": "rows", "count": "total"}, allow_empty=True)
    titles, asked, last = walk(
        source, lambda r: {"total": 3, "rows": [{"title": f"{r.page}{x}"} for x in "ab"][: 5 - 2 * r.page]}
    )
    assert titles == ["1a", "1b", "2a"]
    assert {query(request)["from"] for request in asked} == {"2026-09-03T04:00:00Z"}
    assert last.state == {"until": AT.isoformat()}


def test_what_the_options_keep_stays_when_an_answer_does_not_say_it() -> None:
    source = source_of(URL + "?c={state.token}", options={"items": "rows", "state": {"token": "token"}})
    first = Json().begin(source, {}, AT)
    assert first.url == URL + "?c="
    state = Json().parse(source, answered({"rows": [], "token": "a b"}, first)).state
    second = Json().begin(source, state, AT)
    assert second.url == URL + "?c=a%20b"
    assert Json().parse(source, answered({"rows": []}, second)).state == {"token": "a b"}


# --- the config

WRONG = {
    "an expression": ('items = "data[."', '"items": "data[." is not JMESPath: "." cannot stand at character 6'),
    "one that ends too early": ('key = "a["', '"key": "a[" is not JMESPath: it ends too early'),
    "a name in Chinese": ('date = "发布日期"', "a name that is not letters, digits and _ alone is written in double quotes"),
    "a function": ('summary = "upper(a)"', '"summary": "upper(a)" is not JMESPath: there is no function upper()'),
    "its arguments": ('count = "length(a, b)"', "length() takes 1, not 2 arguments"),
    "in a row of a projection": ('items = "a[].foo(@)"', "there is no function foo"),
    "an item of text": ('text = ["a", "b..c"]', '"text", item 2: "b..c" is not JMESPath'),
    "text": ("text = 5", '"text" must be'),
    "a label": ('labels = { "a:b" = "c" }', '"labels": "a:b" cannot be the name of a label'),
    "what a label says": ('labels = { a = "c[" }', '"labels", "a": "c[" is not JMESPath'),
    "a link to one place": ('link = "https://a.example/"', '"link": "https://a.example/" is the same for every row'),
    "a link with half a hole": ('link = "https://a.example/{id}/{x"', "has a brace without its partner"),
    "a next page without a page": ('next = "https://a.example/{id}"', '"next": "https://a.example/{id}" names no page'),
    "a window": ('window = "3 months"', '"window": "3 months" is not a duration'),
    "a window without since": ('window = "3d"', '"window": goes with {since}'),
    "a window that does not move": ('window = "1h"', '"window": "1h" must be longer than "overlap", which is "2h"'),
    "a state": ('state = { "a b" = "c" }', '"state": "a b" cannot be a name here'),
    "an unknown key": ('tilte = "t"', 'unknown key "tilte" — did you mean "title"'),
}


def load(place: Path, keys: str, url: str = URL) -> config.Config:
    path = place / "monitor.toml"
    title = "" if keys.startswith("tilte") else 'title = "title"\n'
    path.write_text(f'[[source]]\nid = "x"\nkind = "json"\nurl = "{url}"\n{title}{keys}\n', "utf-8")
    path.chmod(0o600)
    return config.load(path, {})


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_a_sentence_when_the_config_is_read(name: str, tmp_path: Path) -> None:
    keys, said = WRONG[name]
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, keys)
    (problem,) = caught.value.problems
    assert said in problem


@pytest.mark.parametrize(
    ("url", "keys", "said"),
    [
        (URL + "?a={sinse}", "", '"url": "{sinse}" in the address is none of {page}'),
        ("https://{state.host}.example/", 'state = { host = "h" }', '"url": the name of the site cannot be filled in'),
        (URL + "?a={next}", "", '"url": {next} goes with `next`'),
        (URL + "?a={state.b}", "", '"url": {state.b} goes with `state = { b = "…" }`'),
        (URL, 'fallback = ["https://b.example/{x}"]', '"fallback": "{x}" in the address'),
        (URL + "?a={since}", 'window = "120d"\noverlap = "120d"', "must be longer"),
    ],
)
def test_an_address_that_nothing_fills_is_a_sentence_too(url: str, keys: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, keys, url)
    assert said in str(caught.value)


def test_a_config_of_all_keys_is_read(tmp_path: Path) -> None:
    source = load(
        tmp_path,
        'items = "data.list"\nkey = "id"\ndate = "time"\nlink = "https://a.example/{id}"\nsummary = "s"\n'
        'text = ["a", \'"字段"\']\nlabels = { cve = "cves" }\ncount = "total"\nnext = "cursor"\npage_param = "c"\n'
        'first_next = 1\nwindow = "120d"\noverlap = "1d12h"\n'
        'state = { t = "t" }\nmethod = "POST"\nbody = \'{"c": "{state.t}"}\'\nsince = "30d"\n',
        URL + "?b={since:%Y-%m-%d}&e={now:%Y-%m-%d}",
    ).sources["x"]
    request = sources.kind("json").begin(source, {}, AT)
    assert (request.url, request.body) == (URL + "?b=2026-08-11&e=2026-09-10", b'{"c": ""}')


def test_only_what_shapes_text_or_key_makes_rows_be_read_differently(tmp_path: Path) -> None:
    plain, more, other = (load(tmp_path, keys).sources["x"].how for keys in ("", 'count = "n"\npage_param = "p"', 'text = "@"'))
    assert plain == more
    assert plain != other


@given(st.text(max_size=40))
def test_no_expression_breaks_the_reader(written: str) -> None:
    for make in (jmes.compiled, jmes.template):
        try:
            ask = make(written)
        except ValueError:
            continue
        for value in (None, [], {"a": [1, {"b": "x"}]}, "x", 5):
            ask(value)


@given(st.text(max_size=30))
def test_what_is_put_into_a_parameter_comes_out_of_it(value: str) -> None:
    made = asking.with_parameter("https://a.example/x?p=1&q=%20a", "p", value)
    assert parse_qs(urlsplit(made).query, keep_blank_values=True) == {"p": [value], "q": [" a"]}


# --- through both loops


class Api(Site):
    """A site whose one address answers with `rows`, in an envelope; the log of its questions is `asked`."""

    serial = 0
    count: int | None = None
    listed: list[dict[str, Any]]

    def answer(self, path: str) -> tuple[int, str, bytes]:
        if not path.startswith("/api"):
            return super().answer(path)
        self.serial += 1
        rows = self.page(path)
        envelope = {"serial": self.serial, "count": len(self.listed) if self.count is None else self.count, "rows": rows}
        return self.status.get("/api", 200), "application/json", json.dumps(envelope).encode()

    def page(self, path: str) -> list[dict[str, Any]]:
        start = int(parse_qs(urlsplit(path).query).get("start", ["0"])[0])
        return self.listed[start : start + 40] if "start" in path else self.listed


CATALOGUE = """
[[source]]
id = "kev"
kind = "json"
url = "{url}/api"
items = "rows"
key = "id"
title = "name"
date = "added"
text = ["vendor", "action", "ransomware", "cwes"]
count = "count"
complete = true
"""


@pytest.fixture
def api() -> Iterator[Api]:
    made = Api()
    made.listed = [row(n) for n in range(60)]
    yield made
    made.close()


@pytest.fixture
def house(tmp_path: Path, api: Api) -> Iterator[House]:
    made = House(tmp_path, api, CATALOGUE)
    made.check()
    yield made
    made.close()


def row(n: int) -> dict[str, Any]:
    return {
        "id": f"CVE-2026-{n:04}",
        "name": f"Example {n} flaw",
        "added": f"2026-01-{n % 10 + 1:02}",
        "vendor": f"Vendor {n}",
        "action": "Apply mitigations per vendor instructions.",
        "ransomware": "Unknown",
        "cwes": [f"CWE-{n}"],
    }


def test_other_bytes_with_the_same_rows_are_unchanged(house: House, api: Api) -> None:
    for _ in range(3):
        assert house.check()["kev"].outcome == "unchanged"
    api.listed = [dict(reversed(one.items())) for one in api.listed]
    assert house.check()["kev"].outcome == "unchanged"
    assert house.changes() == []


def test_a_changed_field_is_revised_and_the_difference_names_it(house: House, api: Api) -> None:
    house.check()
    api.listed[7]["ransomware"] = "Known"
    assert house.check()["kev"].revised == 1
    assert house.told() == [("revised", "Example 7 flaw")]
    (change,) = house.changes()
    with house.loops.store.read() as conn:
        before = notices.text_of(conn, change["notice"], change["from_version"])
        after = notices.text_of(conn, change["notice"], change["to_version"])
    (hunk,) = diff.diff(before, after).hunks
    assert hunk
    told = hunks.unified("1", "2", diff.diff(before, after))
    assert "-ransomware: Unknown" in told
    assert "+ransomware: Known" in told


def test_a_row_that_is_missing_from_a_catalogue_twice_is_withdrawn_and_back_it_is_restored(house: House, api: Api) -> None:
    gone = api.listed.pop()
    assert house.check()["kev"].outcome == "unchanged"
    assert house.told() == []
    assert house.check()["kev"].withdrawn == 1
    house.check()
    api.listed.append(gone)
    house.check()
    house.check()
    assert house.told() == [("withdrawn", gone["name"]), ("restored", gone["name"])]


def test_a_row_that_is_missing_once_is_nothing(house: House, api: Api) -> None:
    gone = api.listed.pop(30)
    house.check()
    api.listed.insert(30, gone)
    for _ in range(3):
        house.check()
    assert house.told() == []


def test_a_truncated_publication_is_a_failed_check_and_says_so(house: House, api: Api) -> None:
    api.listed, whole, api.count = api.listed[:50], api.listed, 60
    report = house.check()["kev"]
    assert (report.outcome, report.new, report.revised, report.withdrawn) == ("failed", 0, 0, 0)
    assert "publication truncated: 50 of 60 rows" in (report.error or "")
    house.check()
    house.check()
    api.listed = whole
    house.check()
    house.check()
    assert [change for change in house.changes() if change["kind"] not in ("failing", "recovered")] == []


def test_a_new_row_anywhere_in_the_catalogue_is_told(house: House, api: Api) -> None:
    api.listed.insert(33, row(900))
    api.listed.append(row(901))
    assert house.check()["kev"].new == 2
    assert house.told() == [("new", "Example 900 flaw"), ("new", "Example 901 flaw")]


def test_a_mirror_is_asked_where_the_catalogue_is_refused(tmp_path: Path, api: Api) -> None:
    house = House(tmp_path, api, CATALOGUE + 'fallback = ["{url}/api2"]\n')
    try:
        house.check()
        api.status["/api"] = 403
        api.bodies["/api2"] = b""
        mirrored = json.dumps({"count": 61, "rows": [*api.listed, row(77)]}).encode()
        api.answer = lambda path: (  # type: ignore[method-assign] # the mirror answers, the catalogue does not
            (200, "application/json", mirrored) if path == "/api2" else (403, "text/html", b"no")
        )
        assert house.check()["kev"].new == 1
        assert house.source("kev")["served"] == f"{api.url}/api2"
    finally:
        house.close()


def test_a_catalogue_of_pages_is_compared_as_one(tmp_path: Path, api: Api) -> None:
    house = House(tmp_path, api, CATALOGUE.replace("/api", "/api?start={{offset}}"))
    try:
        assert house.check()["kev"].rows == 60
        assert [path for path, _ in api.asked] == ["/api?start=0", "/api?start=40"]
        api.listed[50]["ransomware"] = "Known"
        gone = api.listed.pop(55)
        house.check()
        house.check()
        assert house.told() == [("revised", "Example 50 flaw"), ("withdrawn", gone["name"])]
    finally:
        house.close()


WINDOW = """
[[source]]
id = "nvd"
kind = "json"
url = "{url}/api?begin={{since:%Y-%m-%dT%H:%M:%S}}&end={{now:%Y-%m-%dT%H:%M:%S}}"
items = "rows"
key = "id"
title = "name"
text = "@"
since = "7d"
overlap = "2h"
window = "120d"
allow_empty = true
"""


def test_a_window_moves_on_only_with_an_accepted_check(tmp_path: Path, api: Api) -> None:
    api.listed = [row(1)]
    house = House(tmp_path, api, WINDOW)
    try:
        assert house.check()["nvd"].outcome == "baseline"
        house.clock.on(hours=1)
        api.status["/api"] = 503
        assert house.check()["nvd"].outcome == "failed"
        house.clock.on(hours=1)
        api.status.clear()
        api.listed = []
        house.check()
        house.clock.on(hours=1)
        api.listed = [{**row(1), "ransomware": "Known"}, row(2)]
        house.check()
        spans = [parse_qs(urlsplit(path).query) for path, _ in api.asked]
        begins = [span["begin"][0] for span in spans]
        assert begins == ["2026-01-05T10:00:01", "2026-01-12T08:00:01", "2026-01-12T08:00:01", "2026-01-12T10:00:03"]
        assert house.told()[-2:] == [("revised", "Example 1 flaw"), ("new", "Example 2 flaw")]
        assert not [change for change in house.changes() if change["kind"] in ("withdrawn", "gap")]
    finally:
        house.close()


@pytest.mark.slow
def test_1700_rows_that_stayed_the_same_cost_little(tmp_path: Path, api: Api) -> None:
    api.listed = [{**row(n), "text": "Example lets anyone read files it should not. " * 12} for n in range(1700)]
    house = House(tmp_path, api, CATALOGUE)
    try:
        house.check()
        house.check()
        source = house.loops.config.sources["kev"]
        costs = []
        for _ in range(5):
            started = time.process_time()
            assert check(house.loops.desk, source).outcome == "unchanged"
            costs.append(time.process_time() - started)
        print(f"1,700 rows in other bytes: {min(costs) * 1000:.0f} ms CPU, with the site's own")
        assert min(costs) < 0.25  # several times what a quiet machine takes
    finally:
        house.close()
