"""What the kind `feed` promises: whatever a publisher's feed looks like, its notices are all there, or the look has failed."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from monitor import sources
from monitor.errors import ParseError, SourceError
from monitor.model import Fetched, Listing, Request, Schedule, Source, Validators
from monitor.sources.feed import Feed

AT = datetime(2026, 9, 10, 4, 0, tzinfo=UTC)
URL = "https://www.example.gov.cn/rss/feed.xml"
SOURCE = Source("example", "feed", URL, options=Feed.Options())
LF = "\n"


def fetched(body: str | bytes, charset: str | None = "utf-8", request: Request | None = None) -> Fetched:
    data = body.encode(charset or "utf-8") if isinstance(body, str) else body
    return Fetched(request or Request(URL), 200, URL, data, "application/xml", charset, Validators(), AT)


def read(body: str | bytes, charset: str | None = "utf-8", source: Source = SOURCE) -> Listing:
    return Feed().parse(source, fetched(body, charset))


def rss(*items: str, channel: str = "") -> str:
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>公告</title>{channel}{"".join(items)}</channel></rss>'


def item(title: str = "", link: str = "", guid: str = "", rest: str = "") -> str:
    parts = [f"<{name}>{value}</{name}>" for name, value in (("title", title), ("link", link), ("guid", guid)) if value]
    return f"<item>{''.join(parts)}{rest}</item>"


def atom(*listed: str, head: str = "") -> str:
    return f'<feed xmlns="http://www.w3.org/2005/Atom"><title>公告</title>{head}{"".join(listed)}</feed>'


MANY = rss(*(item(f"通知{n}", f"/art/{n}.html") for n in range(50)))
ONE = rss(item("关于开展检查的通知", "https://www.example.gov.cn/art/1.html", "a-1"))


def test_the_kind_is_found_by_its_name() -> None:
    assert isinstance(sources.kind("feed"), Feed)


def test_a_key_that_no_feed_takes_is_refused() -> None:
    with pytest.raises(ValidationError):
        Feed.Options.model_validate({"items": "li"})


def test_the_first_request_says_what_the_source_says() -> None:
    source = replace(SOURCE, method="POST", headers=(("X-Key", "1"),), body="页=1", via="browser")
    request = Feed().begin(source, {}, AT)
    assert (request.url, request.method, request.headers, request.body, request.via, request.page) == (
        URL, "POST", (("X-Key", "1"),), "页=1".encode(), "browser", 1,
    )  # fmt: skip


RDF = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
 xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="https://www.example.gov.cn/"><title>t</title></channel>
<item rdf:about="https://www.example.gov.cn/art/1.html"><title>通知一</title><link>https://www.example.gov.cn/art/1.html</link>
<dc:date>2026-09-01T08:00:00+08:00</dc:date></item></rdf:RDF>"""
ATOM = atom(
    "<entry><id>tag:example,1</id><title>通知一</title><published>2026-09-01T00:00:00Z</published>"
    '<link href="https://www.example.gov.cn/art/1.html"/></entry>'
)
JSON = json.dumps(
    {
        "version": "https://jsonfeed.org/version/1.1",
        "items": [{"id": 1, "url": "/art/1.html", "title": "通知一", "date_published": "2026-09-01T08:00:00+08:00"}],
    },
    ensure_ascii=False,
)
RSS = rss(item("通知一", "https://www.example.gov.cn/art/1.html", rest="<pubDate>Tue, 01 Sep 2026 08:00:00 +0800</pubDate>"))
CDF = '<CHANNEL HREF="https://www.example.gov.cn/"><ITEM HREF="https://www.example.gov.cn/art/1.html"><TITLE>通知一</TITLE></ITEM></CHANNEL>'


@pytest.mark.parametrize(
    "body", [RSS, RDF, ATOM, JSON, RSS.replace("2.0", "0.91")], ids=["rss", "rdf", "atom", "json", "rss 0.91"]
)
def test_every_format_gives_the_same_notice(body: str) -> None:
    (notice,) = read(body).notices
    assert notice.title == "通知一"
    assert notice.url == "https://www.example.gov.cn/art/1.html"
    assert notice.published == datetime(2026, 9, 1, tzinfo=UTC)
    assert notice.source_id == "example"


def test_cdf_is_read_too() -> None:
    assert [notice.title for notice in read(CDF).notices] == ["通知一"]


@pytest.mark.parametrize("charset", ["utf-8", "gb18030", "big5", "utf-16", "utf-8-sig"])
@pytest.mark.parametrize("declared", ["utf-8", "gb2312", "iso-8859-1"])
def test_the_charset_that_was_found_counts_not_the_declared_one(charset: str, declared: str) -> None:
    body = f'<?xml version="1.0" encoding="{declared}"?>' + rss(item("公告", "/a"))[len('<?xml version="1.0"?>') :]
    listing = read(body.encode(charset), charset)
    assert [notice.title for notice in listing.notices] == ["公告"]
    assert listing.problems == ()


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (LF + "\ufeff  " + LF + ONE, None),
        ("<br />\n<b>Warning</b>: mysql_connect() in <b>/www/a.php</b> on line <b>3</b><br />\n" + ONE, "stands before the feed"),
        (ONE + "\n<!-- 0.1 s -->\n", None),
        (ONE + "\n<script>track()</script>", "stands after the end"),
        (ONE.replace("检查", "检\x0b查"), None),
        (ONE.replace("检查", "检&#11;查"), "mended"),
        (ONE.replace("检查", "检&nbsp;查"), None),
        (ONE.replace("检查", "R&D 检查"), "1 loose ampersands"),
        (ONE.replace("art/1.html", "art/1.html?a=1&b=2"), "1 loose ampersands"),
        (ONE.replace("</guid>", "</guid><dc:creator>x</dc:creator>"), "not well-formed XML (line 2: unbound prefix)"),
        (ONE.replace('<?xml version="1.0"?>', '<?xml version="1.0" encoding="utf-8">'), None),
        (ONE.replace('<?xml version="1.0"?>', '<!DOCTYPE rss PUBLIC "-//N//RSS 0.91//EN" "http://n.com/r.dtd">'), None),
    ],
    ids=["blank", "php", "comment", "script", "control", "reference", "nbsp", "amp", "amp in link", "prefix", "prolog", "dtd"],
)  # fmt: skip
def test_a_broken_feed_gives_what_can_be_had_and_says_so(body: str, says: str | None) -> None:
    listing = read(body)
    assert len(listing.notices) == 1
    assert "查" in listing.notices[0].title
    assert listing.notices[0].url is not None
    if says is None:
        assert listing.problems == ()
    else:
        assert any(says in problem for problem in listing.problems), listing.problems


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("<title>通知7</title>", "<title>通知7</titel>"),
        ("<title>通知7<", "<title>通知7 < 8<"),
        ("通知7</title>", "通知7"),
        ("通知7", "<b>通知7"),
    ],
)
def test_one_damaged_item_takes_no_other_with_it(right: str, wrong: str) -> None:
    listing = read(MANY.replace(right, wrong))
    assert {f"/art/{n}.html" for n in range(50) if n != 7} <= {
        (notice.url or "").removeprefix("https://www.example.gov.cn") for notice in listing.notices
    }
    assert any("not well-formed" in problem for problem in listing.problems)


def test_entities_of_html_become_their_characters() -> None:
    (notice,) = read(ONE.replace("检查", "&ldquo;检查&rdquo;&mdash;")).notices
    assert notice.title == "关于开展“检查”—的通知"


def test_cdata_is_not_mended() -> None:
    listing = read(rss(item("甲", "/a", rest="<description><![CDATA[<p>R&amp;D & 研究</p>]]></description>")))
    assert listing.notices[0].summary == "R&D & 研究"
    assert listing.problems == ()


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;">]>'
    "<rss><channel><item><title>&c;</title></item></channel></rss>"
)
MANY = rss(*(item(f"通知{n}", f"/art/{n}.html") for n in range(50)))


@pytest.mark.parametrize(
    ("body", "reason", "says"),
    [
        (BOMB, "entities", "defines entities"),
        (BOMB.replace("<!ENTITY a", "<!ENTITY % a"), "entities", "defines entities"),
        (MANY[: len(MANY) // 2], "truncated", "cut off"),
        (MANY[: MANY.rindex("</channel>")], "truncated", "cut off"),
        (MANY[: MANY.index("<item>")], "truncated", "cut off"),
        (MANY.replace("<title>通知9", "<title><![CDATA[通知9"), "truncated", "never ends"),
        (JSON[:-5], "truncated", "not whole JSON"),
        ("<html><head><title>系统维护中</title></head></html>", "not a feed", "HTML page titled “系统维护中”"),
        (
            '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0//EN" "x"><html><title>登录 &amp; 注册</title>',
            "not a feed",
            "“登录 & 注册”",
        ),
        ("<urlset><url/></urlset>", "not a feed", "root element <urlset>"),
        ('{"code": 500}', "not a feed", "no JSON Feed: an object with the keys code"),
        ("[1, 2]", "not a feed", "no JSON Feed: an array"),
        ("", "not a feed", "empty answer"),
        ("  \n ", "not a feed", "empty answer"),
        ("服务暂不可用", "not a feed", "begins “服务暂不可用”"),
        ("%PDF-1.7 …", "not a list", "a PDF document"),
        ('{"items": ' + "[" * 100_000, "nesting", "too deeply"),
    ],
)
def test_what_is_no_whole_feed_fails_and_is_named(body: str, reason: str, says: str) -> None:
    with pytest.raises(ParseError) as caught:
        read(body)
    assert caught.value.reason == reason
    assert says in str(caught.value)
    assert caught.value.hint


def test_html_that_only_refers_to_outside_definitions_is_no_bomb() -> None:
    definition = (
        '<!DOCTYPE rss [<!ENTITY % HTMLlat1 PUBLIC "-//W3C//ENTITIES Latin 1//EN" "http://www.w3.org/x.ent"> %HTMLlat1;]>'
    )
    assert len(read(ONE.replace('<?xml version="1.0"?>', definition)).notices) == 1


@pytest.mark.parametrize(
    "body", [rss(), atom(), "<rss version='2.0'/>", '{"version": "https://jsonfeed.org/version/1", "items": []}']
)
def test_a_feed_without_notices_is_an_empty_listing(body: str) -> None:
    assert read(body) == Listing(())


SAME_GUID = rss(item("甲", "/a", "same"), item("乙", "/b", "same"), item("丙", "/c", "own"))
SAME_LINK = rss(item("甲", "/a", "same"), item("乙", "/a", "same"))
SAME_TITLE = rss(
    item("公告", "/a", "same", "<description>一</description>"), item("公告", "/a", "same", "<description>二</description>")
)


@pytest.mark.parametrize(
    ("body", "keys"),
    [
        (ONE, ["a-1"]),
        (SAME_GUID, ["www.example.gov.cn/a", "www.example.gov.cn/b", "own"]),
        (SAME_LINK, ["title:", "title:"]),
        (SAME_TITLE, ["title:", "title:"]),
        (rss(item("甲", "/a"), item("乙", "/b")), ["www.example.gov.cn/a", "www.example.gov.cn/b"]),
        (rss(item("甲"), item("乙")), ["title:", "title:"]),
        (rss(item("甲", guid="https://www.example.gov.cn/art/1.html#2")), ["www.example.gov.cn/art/1.html#2"]),
        (rss(item("甲", "/b", "/a"), item("乙", "/a")), ["/a", "www.example.gov.cn/a"]),
    ],
)
def test_the_key_is_the_first_of_guid_link_and_title_that_no_other_shares(body: str, keys: list[str]) -> None:
    found = [notice.key for notice in read(body).notices]
    assert len(set(found)) == len(found)
    assert [key.split(":")[0] + ":" if key.startswith("title:") else key for key in found] == keys


def test_a_row_given_twice_word_for_word_is_one_notice() -> None:
    assert len(read(rss(item("甲", "/a", "1"), item("甲", "/a", "1"))).notices) == 1


def test_a_guid_does_not_change_with_the_scheme() -> None:
    first, second = (
        read(rss(item("甲", guid=f"{scheme}://www.example.gov.cn/a"))).notices[0].key for scheme in ("http", "https")
    )
    assert first == second


def test_a_guid_does_not_change_with_the_feeds_own_address() -> None:
    moved = replace(fetched(rss(item("甲", "/a", "id-1"))), url="http://mirror.example.cn/other/feed.xml")
    assert Feed().parse(SOURCE, moved).notices[0].key == "id-1"


@pytest.mark.parametrize(
    ("raw", "title"),
    [
        ("关于&lt;b&gt;开展&lt;/b&gt;检查的通知", "关于开展检查的通知"),
        ("<![CDATA[ 关于\n  开展 ]]>", "关于 开展"),
        ("AT&amp;amp;T", "AT&T"),
        ("1 &lt; 2", "1 < 2"),
        ("", "正文第一行"),
    ],
)
def test_a_title_is_one_clean_line_or_the_beginning_of_the_text(raw: str, title: str) -> None:
    body = rss(item(raw, "/a", rest="<description>&lt;p&gt;正文第一行&lt;/p&gt;&lt;p&gt;二&lt;/p&gt;</description>"))
    assert read(body).notices[0].title == title


def test_a_long_text_gives_a_short_title() -> None:
    (notice,) = read(rss(item(rest=f"<description>{'字' * 300}</description>"))).notices
    assert len(notice.title) == 80
    assert notice.title.endswith("…")


def test_a_title_that_atom_calls_text_is_taken_word_for_word() -> None:
    body = atom('<entry><id>1</id><title type="text">Use of &lt;b&gt;x&lt;/b&gt; and &amp;amp;</title></entry>')
    assert read(body).notices[0].title == "Use of <b>x</b> and &amp;"


LINKS = '<link rel="self" href="/self"/><link type="application/json" href="/j"/><link type="text/html" href="art/1"/>'


@pytest.mark.parametrize(
    ("listed", "url"),
    [
        (f"<entry><id>1</id><title>t</title>{LINKS}</entry>", "https://www.example.gov.cn/rss/art/1"),
        (f'<entry xml:base="https://other.cn/x/"><id>1</id><title>t</title>{LINKS}</entry>', "https://other.cn/x/art/1"),
        ('<entry><id>1</id><title>t</title><link href="javascript:alert(1)"/></entry>', None),
        ("<entry><id>https://www.example.gov.cn/art/2</id><title>t</title></entry>", "https://www.example.gov.cn/art/2"),
        ('<entry><id>1</id><title>t</title><link rel="enclosure" href="/a.pdf"/></entry>', None),
    ],
)
def test_the_address_is_the_alternate_link_made_absolute_and_safe(listed: str, url: str | None) -> None:
    assert read(atom(listed)).notices[0].url == url


@pytest.mark.parametrize(
    ("raw", "when"),
    [
        ("Tue, 01 Sep 2026 08:00:00 +0800", datetime(2026, 9, 1, tzinfo=UTC)),
        ("Tue, 01 Sep 2026 08:00:00 GMT+8", datetime(2026, 9, 1, tzinfo=UTC)),
        ("Tue, 01 Sep 2026 00:00:00 -0000", datetime(2026, 9, 1, tzinfo=UTC)),
        ("Tue, 01 Sep 2026 08:00:00", datetime(2026, 9, 1, tzinfo=UTC)),
        ("Tue Sep 01 08:00:00 CST 2026", datetime(2026, 9, 1, tzinfo=UTC)),
        ("Tue, 01 Sep 2026", date(2026, 9, 1)),
        ("2026-09-01T08:00:00", datetime(2026, 9, 1, tzinfo=UTC)),
        ("2026-09-01 08:00:00.0", datetime(2026, 9, 1, tzinfo=UTC)),
        ("2026-09-01T00:00:00.123Z", datetime(2026, 9, 1, tzinfo=UTC)),
        ("2026-09-01", date(2026, 9, 1)),
        ("2026/09/01", date(2026, 9, 1)),
        ("2026年9月1日", date(2026, 9, 1)),
        ("2026-13-45", None),
        ("0001-01-01T00:00:00Z", None),
        ("1970-01-01T00:00:00Z", None),
        ("2031-01-01T00:00:00Z", None),
        ("someday", None),
        ("", None),
    ],
)
def test_a_date_is_read_in_the_sources_timezone_or_is_unknown(raw: str, when: date | None) -> None:
    (notice,) = read(rss(item("甲", "/a", rest=f"<pubDate>{raw}</pubDate>"))).notices
    assert notice.published == when
    assert type(notice.published) is type(when)


def test_american_central_time_is_chinas_only_in_china() -> None:
    source = replace(SOURCE, schedule=Schedule(every=timedelta(hours=1), timezone="America/Chicago"))
    body = rss(item("甲", "/a", rest="<pubDate>Tue, 01 Sep 2026 08:00:00 CST</pubDate>"))
    assert read(body, source=source).notices[0].published == datetime(2026, 9, 1, 14, tzinfo=UTC)


def test_the_update_stands_for_a_missing_publication() -> None:
    body = atom("<entry><id>1</id><title>t</title><updated>2026-09-02T00:00:00Z</updated></entry>")
    assert read(body).notices[0].published == datetime(2026, 9, 2, tzinfo=UTC)


FULL = rss(
    item(
        "甲", "/a",
        rest="<description>摘要</description><c:encoded><![CDATA[<div><p>第一条</p><p>第二条<script>x()</script></p></div>]]>"
        '</c:encoded><dc:creator>网安局</dc:creator><category>安全</category><category>公告</category><category>安全</category>'
        '<source url="/s">工信微报</source><enclosure url="/f/%E9%99%84%E4%BB%B6.pdf" type="application/pdf" length="9"/>',
    )
).replace(
    "<rss", '<rss xmlns:c="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"'
)  # fmt: skip


def test_a_full_item_gives_text_labels_and_attachments() -> None:
    (notice,) = read(FULL).notices
    assert notice.summary == "摘要"
    assert notice.text is not None
    assert [line for line in notice.text.splitlines() if line] == ["第一条", "第二条"]
    assert notice.labels == (("author", "网安局"), ("category", "安全"), ("category", "公告"), ("source", "工信微报"))
    (file,) = notice.attachments
    assert (file.url, file.name, file.media_type) == (
        "https://www.example.gov.cn/f/%E9%99%84%E4%BB%B6.pdf",
        "附件.pdf",
        "application/pdf",
    )


def test_text_without_a_summary_is_not_given_twice() -> None:
    body = atom('<entry><id>1</id><title>t</title><content type="html">&lt;p&gt;全文&lt;/p&gt;</content></entry>')
    (notice,) = read(body).notices
    assert (notice.summary, notice.text) == ("", "全文")


def test_a_json_feed_gives_text_labels_and_attachments() -> None:
    listed = {
        "id": "1", "content_html": "<p>第一条</p><p>第二条</p>", "summary": "摘要",
        "authors": [{"name": "网安局"}], "tags": ["安全", 7], "date_modified": "2026-09-01",
        "attachments": [{"url": "/a.pdf", "mime_type": "application/pdf"}, {"url": "data:x"}, 3],
    }  # fmt: skip
    body = json.dumps({"version": "https://jsonfeed.org/version/1.1", "next_url": "?page=2", "items": [listed, 5, {}]})
    listing = read(body)
    (notice,) = listing.notices
    assert notice.title == "摘要"
    assert [line for line in (notice.text or "").splitlines() if line] == ["第一条", "第二条"]
    assert notice.labels == (("author", "网安局"), ("category", "安全"), ("category", "7"))
    assert [file.name for file in notice.attachments] == ["a.pdf"]
    assert notice.published == date(2026, 9, 1)
    assert listing.problems == ("2 of 3 items say nothing that could be told",)
    assert listing.next is not None
    assert (listing.next.url, listing.next.page) == (URL + "?page=2", 2)


def test_a_paged_atom_feed_names_its_next_page_and_the_last_names_none() -> None:
    listed = "<entry><id>1</id><title>t</title></entry>"
    first = read(atom(listed, head='<link rel="next" href="?page=2"/>'))
    assert first.next is not None
    assert (first.next.url, first.next.page) == (URL + "?page=2", 2)
    assert read(atom(listed, head=f'<link rel="next" href="{URL}"/>')).next is None


def test_absence_means_something_only_in_a_whole_catalogue() -> None:
    whole = replace(SOURCE, complete=True)
    assert read(ONE, source=whole).complete
    assert not read(ONE).complete
    assert not read(ONE.replace("检查", "R&D"), source=whole).complete


def test_undecodable_bytes_are_told() -> None:
    listing = read(ONE.encode("gb18030"), "utf-8")
    assert any("encoding" in problem for problem in listing.problems)


HOSTILE = {
    "tags": rss(item("甲") + "<a>" * 5_000),
    "attributes": rss("<item " + " ".join(f"a{n}='1'" for n in range(20_000)) + "><title>甲</title></item>"),
    "declarations": "<?xml" * 100_000 + ONE,
    "document types": "<!DOCTYPE x [" * 50_000 + ONE,
    "comments": "<!--" * 100_000 + ONE,
    "sections": rss(item("甲<![CDATA[" * 50_000)),
    "ampersands": rss(item("&" * 100_000)),
    "markup": rss(item("甲", rest="<description>" + "&lt;div&gt;" * 50_000 + "乙</description>")),
    "number": '{"items": [{"id": ' + "9" * 100_000 + "}]}",
    "markup in json": json.dumps({"items": [{"id": 1, "content_html": "<div>" * 50_000 + "乙"}]}),
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_feed_costs_seconds_at_most(body: str) -> None:
    started = time.process_time()
    outcome(body)
    assert time.process_time() - started < 5


@pytest.mark.parametrize("name", ["markup", "markup in json"])
def test_markup_that_no_parser_takes_hides_no_notice(name: str) -> None:
    (notice,) = read(HOSTILE[name]).notices
    assert "乙" in notice.summary + (notice.text or "")


def outcome(body: str) -> Listing | str:
    """The listing, or the reason why there is none; any other failure fails the test."""
    try:
        return read(body.encode("utf-8", "surrogatepass"))
    except SourceError as error:
        return error.reason


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300) | st.binary(max_size=300).map(lambda raw: raw.decode("latin-1")), st.integers(0, len(FULL)))
def test_junk_inside_a_feed_is_a_named_failure_or_a_clean_listing(junk: str, at: int) -> None:
    found = outcome(FULL[:at] + junk + FULL[at:])
    if isinstance(found, str):
        assert found in {"entities", "truncated", "not a feed", "not a list", "broken feed", "nesting", "too deep"}
    else:
        for notice in found.notices:
            assert notice.key
            assert "\n" not in notice.title
            notice.title.encode()


@settings(max_examples=100, deadline=None)
@given(st.integers(1, len(MANY) - 1))
def test_a_feed_cut_anywhere_never_gives_fewer_notices(at: int) -> None:
    found = outcome(MANY[:at])
    if isinstance(found, str):
        assert found in {"truncated", "not a feed"}
    else:
        assert len(found.notices) == 50
