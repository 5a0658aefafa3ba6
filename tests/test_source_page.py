"""The kind `page`: one page is one notice, and a page without its text is a failed check, never an empty notice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from monitor import sources
from monitor.errors import ParseError
from monitor.model import Fetched, Listing, Notice, ReadPolicy, Request, Source, Validators
from monitor.sources.page import Page, PageOptions

URL = "https://www.example.org/security/advisories.html?lang=zh"
NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)
PAGE = """<html><head><title>安全公告 - 示例网</title><meta name="PubDate" content="2026-11-21 10:00"></head><body>
<div class=menu><a href=/>首页</a></div><div class=TRS_Editor><p>受影响版本：<span id=v>1.2</span></p>
<p>访问量：<b>{count}</b></p><p><a href=fix.zip>补丁.zip</a></p></div></body></html>"""


def source(*, title: str | None = None, **reading: tuple[str, ...]) -> Source:
    return Source("page", "page", URL, options=PageOptions(title=title), reading=ReadPolicy(**reading))


def got(page: str, media_type: str = "text/html", url: str = URL, at: datetime = NOW) -> Fetched:
    return Fetched(Request(URL), 200, url, page.encode(), media_type, "utf-8", Validators(), at)


def parse(page: str, where: Source | None = None, **answer: str) -> Listing:
    return Page().parse(where or source(), got(page, **answer))


def one(listing: Listing) -> Notice:
    (notice,) = listing.notices
    return notice


def test_the_kind_is_known_by_its_name() -> None:
    assert isinstance(sources.kind("page"), Page)


def test_a_check_begins_at_the_sources_address_as_configured() -> None:
    where = Source("p", "page", URL, method="POST", body="a=1", headers=(("X-A", "b"),), via="browser", options=PageOptions())
    request = Page().begin(where, {}, NOW)
    assert (request.url, request.method, request.body, request.headers, request.via) == (
        URL,
        "POST",
        b"a=1",
        (("X-A", "b"),),
        "browser",
    )


def test_a_page_is_one_notice_with_its_title_text_and_files() -> None:
    notice = one(parse(PAGE.format(count=7)))
    assert (notice.source_id, notice.key, notice.url, notice.title) == ("page", "page", URL, "安全公告")
    assert notice.text == "受影响版本：1.2\n补丁.zip"
    assert [(file.name, file.url) for file in notice.attachments] == [("补丁.zip", "https://www.example.org/security/fix.zip")]
    assert notice.published is None


def test_a_redirect_within_the_site_does_not_move_the_notice() -> None:
    assert one(parse(PAGE.format(count=1), url="https://www.example.org/other?sid=1")).url == URL


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        (PAGE.format(count=1), PAGE.format(count=2), True),
        (PAGE.format(count=1), PAGE.format(count=1).replace("首页", "主页"), True),
        (PAGE.format(count=1), PAGE.format(count=1).replace("2026-11-21", "2026-11-22"), True),
        (PAGE.format(count=1), PAGE.format(count=1).replace("<p>", "<p style='color:red'>\n"), True),
        (PAGE.format(count=1), PAGE.format(count=1).replace("<body>", "<body><script>var t=1</script>"), True),
        (PAGE.format(count=1), PAGE.format(count=1).replace("1.2", "1.3"), False),
        (PAGE.format(count=1), PAGE.format(count=1).replace("fix.zip", "fix2.zip"), False),
        (PAGE.format(count=1), PAGE.format(count=1).replace("安全公告 -", "安全通告 -"), False),
    ],
)
def test_only_what_the_page_says_makes_another_notice(before: str, after: str, same: bool) -> None:
    assert (parse(before) == parse(after)) is same


def test_the_user_says_what_is_title_and_text() -> None:
    where = source(title="#v", select=(".TRS_Editor p",), ignore=("#v",), ignore_text=(r"访问量：\d+",))
    notice = one(parse(PAGE.format(count=7), where))
    assert (notice.title, notice.text) == ("1.2", "受影响版本：\n补丁.zip")


@pytest.mark.parametrize(
    ("page", "title"),
    [
        ("<div id=zoom>正文</div>", "advisories.html"),
        ("<title>公告_示例网</title><div id=zoom>正文</div>", "公告"),
    ],
)
def test_a_notice_always_has_a_title(page: str, title: str) -> None:
    assert one(parse(page)).title == title
    assert one(parse(page, source(title=".missing"))).title == title


def test_plain_text_is_a_page() -> None:
    notice = one(parse("Contact: a@example.org\nExpires: 2027", media_type="text/plain"))
    assert (notice.title, notice.text) == ("advisories.html", "Contact: a@example.org\nExpires: 2027")


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        ("", "no text"),
        ("<html><body><div id=app></div><script>run()</script></body></html>", "no text"),
        ("<html><body><p>Loading…</p></body></html>", "no text"),
        ("<html><body><p>Chargement en cours…</p></body></html>", "no text"),
        ("<html><body><p>正在加载，请稍候</p></body></html>", "no text"),
        ("<html><body><img src=a.png></body></html>", "no text"),
        ("<html><body><p>您访问的页面不存在</p></body></html>", "gone"),
        ("<p>x" * 410_000, "too large"),
    ],
)
def test_a_page_without_its_text_is_an_error(page: str, reason: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse(page)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("select", "page"),
    [
        ((".TRS_Editor",), "<title>登录</title><p>请登录</p>"),
        ((".TRS_Editor",), "<div class=TRS_Editor>正在加载…</div><p>其他</p>"),
        ((".TRS_Editor",), "<div class=TRS_Editor> </div><p>其他</p>"),
    ],
)
def test_a_rebuilt_or_half_loaded_page_is_an_error_not_a_revision(select: tuple[str, ...], page: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse(page, source(select=select))
    assert caught.value.reason in ("select", "no text")
    assert caught.value.hint


@pytest.mark.parametrize("media_type", ["application/pdf", "application/json", "image/png", "application/rss+xml"])
def test_what_is_no_page_is_refused_by_its_type(media_type: str) -> None:
    with pytest.raises(ParseError, match=media_type.replace("+", r"\+")):
        parse("{}", media_type=media_type)


def test_damaged_and_cut_pages_are_read_with_a_word_about_it() -> None:
    answer = Fetched(
        Request(URL), 200, URL, "<html><body><p>正文正文".encode() + b"\xff\xfe", "text/html", "utf-8", Validators(), NOW
    )
    problems = " ".join(Page().parse(source(), answer).problems)
    assert "incomplete" in problems
    assert "encoding" in problems


def test_the_time_of_the_look_does_not_enter_the_notice() -> None:
    early, late = got(PAGE.format(count=1)), got(PAGE.format(count=1), at=NOW + timedelta(days=3))
    assert Page().parse(source(), early) == Page().parse(source(), late)


@pytest.mark.parametrize("options", [{"titel": "h1"}, {"title": "h1["}, {"title": " "}, {"title": "p::text"}])
def test_options_that_cannot_be_used_are_refused_at_once(options: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        PageOptions.model_validate(options)


def test_every_option_that_shapes_the_notice_is_said_to() -> None:
    assert Page.shaping == set(PageOptions.model_fields)
