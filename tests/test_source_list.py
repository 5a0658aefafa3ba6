"""What the kind `list` promises: the rows a person sees on the page, each with its address, whole title and date."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from monitor import sources
from monitor.errors import ParseError
from monitor.model import Fetched, Listing, Request, Source, Validators
from monitor.sources.list import List

AT = datetime(2026, 9, 10, 4, 0, tzinfo=UTC)
URL = "https://www.example.gov.cn/zcfb/tz/"


def source_of(url: str = URL, **options: Any) -> Source:
    return Source("example", "list", url, options=List.Options(**{"items": "ul.list > li", **options}))


def fetched(body: str | bytes, request: Request | None = None, charset: str = "utf-8") -> Fetched:
    request = request or Request(URL)
    data = body.encode(charset) if isinstance(body, str) else body
    return Fetched(request, 200, request.url, data, "text/html", charset, Validators(), AT)


def read(body: str | bytes, *, charset: str = "utf-8", **options: Any) -> Listing:
    return List().parse(source_of(**options), fetched(body, charset=charset))


def page(*rows: str, head: str = "<title>通知</title>", after: str = "") -> str:
    return f'<!DOCTYPE html><html><head>{head}</head><body><ul class="list">{"".join(rows)}</ul>{after}</body></html>'


ROW = '<li><a href="./202609/t1.html" title="关于开展检查的通知">关于开展检查的通知</a><span>2026-09-01</span></li>'
#: As NDRC serves its rows: scripts, a box of links to interpretations, the date last; now and then an empty row between.
BOXED = (
    '<li><script>var u = "x";</script><a href="./202608/t2.html" target="_blank">关于印发办法的通知</a>'
    '<div class="popbox"><ul><li><a href="./jd/1.html">解读一</a></li><li><a href="./jd/2.html">解读二</a></li></ul></div>'
    "<script>document.write('2020-01-01')</script><span>2026/08/31</span></li>"
)


def test_the_kind_is_found_by_its_name() -> None:
    assert isinstance(sources.kind("list"), List)


def test_a_row_gives_address_title_and_date() -> None:
    (notice,) = read(page(ROW)).notices
    assert notice.url == "https://www.example.gov.cn/zcfb/tz/202609/t1.html"
    assert notice.key == "www.example.gov.cn/zcfb/tz/202609/t1.html"
    assert (notice.source_id, notice.title, notice.published, notice.text) == (
        "example",
        "关于开展检查的通知",
        date(2026, 9, 1),
        None,
    )


@pytest.mark.parametrize("items", ["ul.list > li", "ul.list li"])
def test_links_inside_a_row_are_no_rows_of_their_own(items: str) -> None:
    listing = read(page(ROW, BOXED, '<li class="empty"></li>'), items=items, date="span")
    assert [(notice.title, notice.published) for notice in listing.notices] == [
        ("关于开展检查的通知", date(2026, 9, 1)),
        ("关于印发办法的通知", date(2026, 8, 31)),
    ]
    assert listing.problems == ()


def test_a_table_that_only_frames_the_list_is_no_row() -> None:
    rows = "".join(f'<tr><td><a href="/{n}.html">通知{n}</a></td><td>2026-09-0{n}</td></tr>' for n in (1, 2))
    body = f"<html><body><table><tr><td><table><tr><th>标题</th><th>日期</th></tr>{rows}</table></td></tr></table></body></html>"
    assert [notice.title for notice in read(body, items="tr").notices] == ["通知1", "通知2"]


@pytest.mark.parametrize(
    ("link", "title"),
    [
        ('<a href="/1" title="关于开展网络安全检查的通知">关于开展网络安全…</a>', "关于开展网络安全检查的通知"),
        ('<a href="/1" title="关于开展网络安全检查的通知">关于开展网络安全...</a>', "关于开展网络安全检查的通知"),
        ('<a href="/1" title="关于开展检查的通知（全文）">关于开展检查的通知</a>', "关于开展检查的通知（全文）"),
        ('<a href="/1" title="关于">关于开展检查的通知</a>', "关于开展检查的通知"),
        ('<a href="/1" title="点击在新窗口打开这一条的全文">关于开展检查的通知</a>', "关于开展检查的通知"),
        ('<a href="/1" title="还是被截断的标题的更长形式…">关于…</a>', "关于…"),
        ('<a href="/1">关于<script>x()</script><style>a{}</style>开展<!-- c -->检查</a>', "关于开展检查"),
        ('<a href="/1">关于\n   开展&nbsp;检查</a>', "关于开展 检查"),
        ('<a href="/1"><img src="x.png" alt="关于开展检查的通知"></a>', "关于开展检查的通知"),
        ('<a href="/1"><img src="x.png"></a><a href="/1">关于开展检查的通知</a>', "关于开展检查的通知"),
        ('<a href="/1"></a>关于开展检查的通知', "关于开展检查的通知"),
        ('<a href="/1"><span>2026-09-01</span>关于开展检查的通知</a>', "关于开展检查的通知"),
    ],
)
def test_the_title_is_whole_and_is_what_people_see(link: str, title: str) -> None:
    assert [notice.title for notice in read(page(f"<li>{link}</li>")).notices] == [title]


def test_the_title_selector_counts_before_the_link() -> None:
    row = '<li><h3>关于开展检查的通知</h3><p class="s">摘要<br>第二行</p><a href="/1">查看详情</a></li>'
    (notice,) = read(page(row), title="h3", summary="p.s").notices
    assert (notice.title, notice.summary) == ("关于开展检查的通知", "摘要\n第二行")


@pytest.mark.parametrize(
    ("row", "selector", "when"),
    [
        ("<span>2026-09-01</span>", "span", date(2026, 9, 1)),
        ("<span>[2026/09/01]</span>", "span", date(2026, 9, 1)),
        ("<span>发布时间：2026年9月1日 来源：网安局</span>", "span", date(2026, 9, 1)),
        ("<span>2026-09-01 08:00:00</span>", "span", datetime(2026, 9, 1, tzinfo=UTC)),
        ('<time datetime="2026-09-01T08:00:00+08:00">昨天</time>', None, datetime(2026, 9, 1, tzinfo=UTC)),
        ("<i>1</i><span>网安局</span><span>2026-09-01</span>", "span", date(2026, 9, 1)),
        ("<span>（2026.09.01）</span>", None, date(2026, 9, 1)),
        ("发布：2026-09-01 浏览：3", None, date(2026, 9, 1)),
        ("<b>01</b><i>2026-09</i>", None, date(2026, 9, 1)),
        ("<i>2026.09</i><b>01</b>", None, date(2026, 9, 1)),
        ("<div><b>01</b><i>2026-09</i></div>", "div", date(2026, 9, 1)),
        ("<span>09-01</span>", None, date(2026, 9, 1)),
        ("<span>2031-01-01</span>", None, None),
        ("<span>近日</span>", "span", None),
        ("<span>2026-09-01</span>", "em", None),
        ("", None, None),
    ],
)
def test_the_date_is_found_or_unknown(row: str, selector: str | None, when: date | None) -> None:
    (notice,) = read(page(f'<li><a href="/1">2020年1月2日会议纪要</a>{row}</li>'), date=selector).notices
    assert notice.published == when
    assert type(notice.published) is type(when)
    assert notice.title == "2020年1月2日会议纪要"


@pytest.mark.parametrize(
    ("head", "href", "url"),
    [
        ("", "t1.html", "https://www.example.gov.cn/zcfb/tz/t1.html"),
        ("", "../gg/t1.html", "https://www.example.gov.cn/zcfb/gg/t1.html"),
        ("", "//other.gov.cn/t1.html", "https://other.gov.cn/t1.html"),
        ("", " http://other.gov.cn/t1.html\n", "http://other.gov.cn/t1.html"),
        ('<base href="/x/">', "t1.html", "https://www.example.gov.cn/x/t1.html"),
        ('<base target="_blank"><base href="https://cdn.gov.cn/y/">', "t1.html", "https://cdn.gov.cn/y/t1.html"),
    ],
)
def test_an_address_is_made_absolute(head: str, href: str, url: str) -> None:
    assert [notice.url for notice in read(page(f'<li><a href="{href}">通知</a></li>', head=head)).notices] == [url]


NOWHERE = ["javascript:void(0)", "mailto:a@example.gov.cn", "#", "#top", "", "data:text/html,x", "./", URL]


@pytest.mark.parametrize("href", NOWHERE)
def test_a_link_that_leads_nowhere_makes_no_notice(href: str) -> None:
    row = f'<li><a href="{href}">更多</a></li>'
    assert [notice.title for notice in read(page(row, ROW)).notices] == ["关于开展检查的通知"]
    assert read(page(row, ROW)).problems == ()
    (problem,) = read(page(row)).problems
    assert "1 rows only hold links that lead nowhere" in problem


def test_a_usable_link_counts_before_one_that_leads_nowhere() -> None:
    row = '<li><a href="javascript:;">收藏</a><a href="/1">通知</a></li>'
    assert [notice.title for notice in read(page(row)).notices] == ["通知"]


def test_a_row_without_a_link_is_known_by_its_title() -> None:
    first, second = read(page("<li>停电公告 <span>2026-09-01</span></li>", "<li>停水公告</li>")).notices
    assert first.url is None
    assert first.key.startswith("title:")
    assert (first.title, first.published) == ("停电公告", date(2026, 9, 1))
    assert second.key != first.key


def test_the_row_may_be_the_link() -> None:
    body = '<html><body><div class="l"><a href="/1">甲</a><a href="/2">乙</a></div></body></html>'
    assert [notice.title for notice in read(body, items="div.l > a").notices] == ["甲", "乙"]


def test_one_address_twice_is_one_notice_in_its_first_place_with_the_longer_title() -> None:
    listing = read(
        page('<li><a href="/1">头条</a></li>', ROW, '<li><a href="/1?utm_source=x">头条的全名</a><i>2026-09-02</i></li>')
    )
    assert [(notice.title, notice.published) for notice in listing.notices] == [
        ("头条的全名", date(2026, 9, 2)),
        ("关于开展检查的通知", date(2026, 9, 1)),
    ]


def row_of(href: str, title: str, day: int = 0) -> str:
    return f'<li><a href="{href}">{title}</a>' + (f"<i>2026-09-{day:02d}</i>" if day else "") + "</li>"


#: rows that lead to one address → how many notices they are
SHARED: dict[str, tuple[list[str], int]] = {
    "a picture and a title": ([row_of("/1", "头条"), row_of("/1", "头条的全名", 2)], 1),
    "a title and a link to more": ([row_of("/1", "头条的全名"), row_of("/1", "详情")], 1),
    "two ways to it": ([row_of("/1?from=top", "头条", 2), row_of("/1?from=list", "头条", 2)], 1),
    "a place on its page, named once": ([row_of("/1", "头条"), row_of("/1#text", "头条的全名")], 1),
    "two places on one page": ([row_of("/1#a", "头条"), row_of("/1#b", "头条")], 2),
    "two days": ([row_of("/1", "周报", 2), row_of("/1", "周报", 1)], 2),
    "two dated titles": ([row_of("/1", "甲公告", 2), row_of("/1", "乙公告", 2)], 2),
    "two titles with parameters that mostly say nothing": (
        [row_of("/1?_=20260105001", "甲公告"), row_of("/1?_=20260105002", "乙公告")],
        2,
    ),
}


@pytest.mark.parametrize(("shown", "count"), SHARED.values(), ids=list(SHARED))
def test_rows_of_one_address_are_one_notice_unless_day_place_or_title_tell_them_apart(shown: list[str], count: int) -> None:
    found = read(page(*shown)).notices
    assert len(found) == len({notice.key for notice in found}) == count
    assert (found[0].key == "www.example.gov.cn/1") is (count == 1)


def test_rows_that_share_an_address_change_no_key_of_others_and_keep_theirs_in_any_order() -> None:
    shown = [row_of(f"/1#n{n}", f"第{n}号公告", n) for n in (3, 2, 1)]
    found = read(page(*shown, ROW)).notices
    assert [notice.key for notice in found[:3]] == [f"www.example.gov.cn/1#n{n}" for n in (3, 2, 1)]
    assert [notice.url for notice in found[:3]] == [f"https://www.example.gov.cn/1#n{n}" for n in (3, 2, 1)]
    assert found[3] == read(page(ROW)).notices[0]
    assert {notice.key for notice in read(page(ROW, *shown[::-1])).notices} == {notice.key for notice in found}


def test_a_page_without_rows_says_what_it_is_and_what_each_selector_found() -> None:
    listing = read("<html><head><title>系统 维护中</title></head><body><a href='/'>x</a></body></html>", date="span.d")
    assert listing.notices == ()
    assert listing.next is None
    (problem,) = listing.problems
    assert problem.startswith(f"no row on the page titled “系统 维护中” at {URL}: ")
    assert 'items "ul.list > li" matches 0, link "a" matches 1, date "span.d" matches 0' in problem


def test_a_page_that_stops_short_is_doubted() -> None:
    whole = page(ROW, ROW.replace("t1", "t2"))
    listing = read(whole[: whole.rindex("</ul>")])
    assert len(listing.notices) == 2
    assert any("incomplete" in problem for problem in listing.problems)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ('{"rows": []}', "is JSON"),
        ("[1]", "is JSON"),
        ('<?xml version="1.0"?><rss><channel/></rss>', "is a feed"),
        ('<?xml version="1.0"?><!-- x --><feed/>', "is a feed"),
        ('<?xml version="1.0"?><Error><Code>x</Code></Error>', "is XML (root element <error>)"),
        (b"%PDF-1.7\n...", "is a PDF document"),
        (b"PK\x03\x04....", "is a ZIP archive or Office document"),
        ("", "is an empty answer"),
        (" \n", "is an empty answer"),
    ],
)
def test_what_is_no_page_fails_and_is_named(body: str | bytes, says: str) -> None:
    with pytest.raises(ParseError, match=r"https://www\.example\.gov\.cn/zcfb/tz/ is ") as caught:
        read(body)
    assert says in str(caught.value)
    assert caught.value.hint


def test_xhtml_with_a_declaration_is_a_page() -> None:
    body = '<?xml version="1.0" encoding="gb2312"?>' + page(ROW)
    assert len(read(body, charset="gb18030").notices) == 1


OPTIONS: list[tuple[dict[str, Any], str]] = [
    ({"items": "li["}, '"li["'),
    ({"items": ""}, "empty CSS selector"),
    ({"items": "li", "link": "a::before::x("}, '"a::before::x("'),
    ({"items": "li", "date": "//span"}, '"//span"'),
    ({"items": "li", "next": "css:a["}, '"a["'),
    ({"items": "li", "next": "index_2.html"}, "names no page"),
    ({"items": "li", "first_next": -1}, "greater than or equal to 0"),
    ({"items": "li", "itmes": "li"}, "itmes"),
    ({}, "items"),
]


@pytest.mark.parametrize(("given_options", "says"), OPTIONS)
def test_a_wrong_option_is_refused_with_what_is_wrong(given_options: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError) as caught:
        List.Options.model_validate(given_options)
    assert says in str(caught.value)


def test_the_options_that_shape_text_or_key_are_options() -> None:
    assert List().shaping <= set(List.Options.model_fields)


@pytest.mark.parametrize(
    ("options", "after", "pages"),
    [
        ({"next": "index_{page}.html"}, "", ["index_1.html", "index_2.html", "index_3.html"]),
        ({"next": "?page={page}", "first_next": 2}, "", ["?page=2", "?page=3", "?page=4"]),
        ({"next": "p/{page}.html", "first_next": 2}, "", ["p/2.html", "p/3.html", "p/4.html"]),
        ({"next": "css:a.next"}, '<a class="next" href="?p=9">下一页</a>', ["?p=9"]),
        ({"next": "css:a.next"}, '<a class="next" href="javascript:;">下一页</a>', []),
        ({"next": "css:a.next"}, "", []),
        ({}, "", []),
    ],
)
def test_pages_follow_one_another(options: dict[str, Any], after: str, pages: list[str]) -> None:
    source = replace(source_of(**options), headers=(("X-Key", "1"),))
    request: Request | None = List().begin(source, {}, AT)
    asked = []
    for number in range(1, 4):
        assert request is not None
        assert request.page == number
        assert request.headers == (("X-Key", "1"),)
        request = List().parse(source, fetched(page(ROW, after=after), request)).next
        if request is None:
            break
        asked.append(request.url)
    assert asked == [URL + name for name in pages]


def test_after_a_page_without_rows_no_page_is_asked() -> None:
    assert read(page(), next="index_{page}.html").next is None


def test_only_a_whole_page_that_is_a_whole_catalogue_is_complete() -> None:
    whole = replace(source_of(), complete=True)
    assert List().parse(whole, fetched(page(ROW))).complete
    assert List().parse(whole, fetched(page())).complete, "whether no row is to be believed is decided elsewhere"
    assert not List().parse(whole, fetched(page(ROW).removesuffix("</body></html>"))).complete
    assert not read(page(ROW)).complete


def test_a_tag_left_open_in_every_row_loses_no_row() -> None:
    rows = [f'<li><span><b><a href="/{n}">通知{n}</a>' for n in range(300)]
    assert len(read("<html><body><div>" + "".join(row.removeprefix("<li>") for row in rows), items="a").notices) == 300


@pytest.mark.parametrize("body", ["<div>" * 100_000, "<b><div>" * 50_000], ids=["div", "b"])
def test_endless_nesting_is_a_failure_not_a_crash(body: str) -> None:
    with pytest.raises(ParseError):
        read(f"<html><body>{body}", items="div")


def test_too_many_rows_are_no_list() -> None:
    with pytest.raises(ParseError, match="30000 elements"):
        read("<html><body>" + "<br>" * 30_000, items="br")


@pytest.mark.parametrize(
    "body",
    [
        f"<html><body>{'<div class=i>' * 240}{''.join(f'<a href=/p/{n}>通知</a>' for n in range(4000))}</body></html>",
        f"{'<!-- a -->' * 60}<",
        f"{'<!-- a -->' * 2000}<html></html>",
        f"{'<?a b?>' * 60}!",
        "<!--" * 5000,
    ],
    ids=["rows in rows", "comments", "comments before a page", "instructions", "comments left open"],
)
def test_what_is_nested_or_repeated_without_end_takes_no_time(body: str) -> None:
    began = time.process_time()
    try:
        read(body, items="div.i")
    except ParseError:
        pass
    assert time.process_time() - began < 3


def test_a_huge_page_is_read_in_time() -> None:
    body = page(*([ROW] * 100), after="<i>x</i>" * 300_000)
    started = time.process_time()
    assert len(read(body).notices) == 1
    assert time.process_time() - started < 5


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200), st.integers(0, 400))
def test_junk_inside_a_page_never_crashes_and_titles_are_clean(junk: str, at: int) -> None:
    body = page(ROW, BOXED)
    for notice in read((body[:at] + junk + body[at:]).encode("utf-8", "surrogatepass"), items="li").notices:
        assert notice.key
        assert "\n" not in notice.title
        notice.title.encode()


REAL: list[tuple[str, str, dict[str, Any], int, str, str]] = [
    (
        "gov_pages/transcribed/mof-policy-sample.html",
        "https://www.mof.gov.cn/zhengwuxinxi/zhengcefabu/",
        {"items": "ul.liBox > li", "date": "span"},
        5,
        "关于发布《境内单位代扣代缴自然人增值税管理办法》的公告",
        "https://www.mof.gov.cn/zhengwuxinxi/zhengcefabu/202609/t20260904_3996707.htm",
    ),
    (
        "gov_pages/html/cnvd_home_or_list.html",
        "https://www.cnvd.org.cn/flaw/list",
        {"items": "table.tlist tr", "link": "a[href*='/flaw/show/']", "date": "td:last-child"},
        100,
        "Adobe Experience Manager跨站脚本漏洞（CNVD-2026-0352398）",
        "https://www.cnvd.org.cn/flaw/show/CNVD-2026-03523",
    ),
    (
        "feeds/vendor_advisories_vulnerablecode/vulnerabilities/tests/test_data/postgresql/advisories.html",
        "https://www.postgresql.org/support/security/",
        {"items": "table tbody > tr", "link": "td:first-child a[href*='/CVE-']", "summary": "td:last-child"},
        2,
        "CVE-2020-10733",
        "https://www.postgresql.org/support/security/CVE-2020-10733/",
    ),
]


@pytest.mark.corpus
@pytest.mark.parametrize(("file", "url", "options", "count", "title", "address"), REAL, ids=["mof", "cnvd", "postgresql"])
def test_real_lists_are_read(
    corpus: Path, file: str, url: str, options: dict[str, Any], count: int, title: str, address: str
) -> None:
    listing = List().parse(source_of(url, **options), fetched((corpus / file).read_bytes(), Request(url)))
    linked = [notice for notice in listing.notices if notice.url]
    assert len(linked) == count
    assert (linked[0].title, linked[0].url) == (title, address)
    assert listing.problems == ()
    if "date" in options:
        assert all(type(notice.published) is date for notice in linked)


@pytest.mark.corpus
def test_every_real_page_is_read_or_named(corpus: Path) -> None:
    for file in sorted((corpus / "gov_pages").rglob("*.html")):
        body = file.read_bytes()
        charset = "gb18030" if "gb2312" in str(file) else "utf-8"
        started = time.process_time()
        listing = List().parse(source_of(items="li, tr"), fetched(body, charset=charset))
        assert time.process_time() - started < 1, file
        assert len({notice.key for notice in listing.notices}) == len(listing.notices)
