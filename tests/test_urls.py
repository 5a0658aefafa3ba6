"""Spellings of one address have one identity, different documents keep theirs, and no unsafe link leaves `join`."""

from __future__ import annotations

import itertools
import re
import string
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.urls import MAX_LENGTH, article, host, identity, join

#: Pieces that mean something in an address, strung together at random.
PIECES = st.sampled_from(
    [
        *(
            "http:",
            "https:",
            "HTTP:",
            "javascript:",
            "//",
            "/",
            "\\",
            "?",
            "#",
            "#/",
            "#!",
            "&",
            "=",
            ";",
            ":",
            "@",
            "%",
            "+",
            ".",
            "..",
        ),
        *(
            "%2e",
            "%2F",
            "%25",
            "%e4%b8",
            "%zz",
            "%3D",
            "%26",
            "%00",
            "中",
            "é",
            " ",
            "\n",
            "\x00",
            "\ud800",
            "[",
            "]",
            "[::1]",
            ":80",
            ":443",
        ),
        *(
            "a",
            "B",
            "www.x.cn",
            "中国.cn",
            "mp.weixin.qq.com",
            "/s",
            "__biz=M==",
            "mid=1",
            "idx=2",
            "utm_source=x",
            "from=y",
            "_=1700000000000",
        ),
        *(";jsessionid=1", "/(S(a1))", "xn--a", "ß", "。", "１", "\u200b", "user:pw@"),
    ]
)
ADDRESSES = st.one_of(
    st.text(max_size=40),
    st.lists(PIECES, max_size=12).map("".join),
    st.lists(PIECES, max_size=10).map(lambda pieces: "http://www.x.cn/" + "".join(pieces)),
    st.lists(PIECES, max_size=10).map(lambda pieces: "https://mp.weixin.qq.com/s?" + "".join(pieces)),
)


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("http://www.miit.gov.cn/art/1.html?id=3", "www.miit.gov.cn/art/1.html?id=3"),
        ("https://www.miit.gov.cn/art/1.html?id=3", "www.miit.gov.cn/art/1.html?id=3"),
        ("HTTPS://WWW.MIIT.GOV.CN./art/1.html?id=3", "www.miit.gov.cn/art/1.html?id=3"),
        ("http://www.x.cn", "www.x.cn/"),
        ("http://www.x.cn:80/a", "www.x.cn/a"),
        ("https://www.x.cn:443/a", "www.x.cn/a"),
        ("https://www.x.cn:0443/a", "www.x.cn/a"),
        ("http://www.x.cn:/a", "www.x.cn/a"),
        ("https://www.x.cn:80/a", "www.x.cn:80/a"),
        ("http://www.x.cn:8080/a", "www.x.cn:8080/a"),
        ("http://user:secret@www.x.cn/a", "www.x.cn/a"),
        ("http://www.x.cn/a/./b/../c//d", "www.x.cn/a/c//d"),
        ("http://www.x.cn/a/%2e%2E/b/%2e", "www.x.cn/b/"),
        ("http://www.x.cn/../../a", "www.x.cn/a"),
        ("http://www.x.cn/%e4%b8%ad%7E%61", "www.x.cn/%E4%B8%AD~a"),
        ("http://www.x.cn/中~a", "www.x.cn/%E4%B8%AD~a"),
        ("http://www.x.cn/a b", "www.x.cn/a%20b"),
        ("http://www.x.cn/a%2Fb", "www.x.cn/a%2Fb"),
        ("http://www.x.cn/100%.html", "www.x.cn/100%25.html"),
        ("http://www.x.cn/%D6%D0?q=%d6%d0", "www.x.cn/%D6%D0?q=%D6%D0"),
        ("http://www.x.cn/a?", "www.x.cn/a"),
        ("http://www.x.cn/a?&&", "www.x.cn/a"),
        ("http://www.x.cn/a#top", "www.x.cn/a"),
        ("http://www.x.cn/#/detail?id=3", "www.x.cn/#/detail?id=3"),
        ("http://www.x.cn/a#!3", "www.x.cn/a#!3"),
        ("http://www.x.cn/a?q=%E4%B8%AD+b%20c", "www.x.cn/a?q=%E4%B8%AD%20b%20c"),
        ("http://www.x.cn/a?x=a%26b%3Dc&y=1", "www.x.cn/a?x=a%26b=c&y=1"),
        ("http://www.x.cn/a?path=%2Fb%2Fc", "www.x.cn/a?path=/b/c"),
        ("http://www.x.cn\\a\\b", "www.x.cn/a/b"),
        (" http://www.x.cn/a\n", "www.x.cn/a"),
        ("http://中国.cn/", "xn--fiqs8s.cn/"),
        ("http://XN--FIQS8S.cn/", "xn--fiqs8s.cn/"),
        ("http://ｗｗｗ．x。cn/", "www.x.cn/"),
        ("http://[0:0::1]:8080/a", "[::1]:8080/a"),
        ("http://my_host/a", "my_host/a"),
    ],
)
def test_spellings_of_one_address_have_one_identity(url: str, canonical: str) -> None:
    assert identity(url) == canonical
    assert identity(canonical) == canonical


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("http://x.cn/a?id=3&utm_source=x&UTM_Medium=y&spm=a.b.c", "x.cn/a?id=3"),
        ("http://x.cn/a?utm%5Fsource=x&id=3", "x.cn/a?id=3"),
        ("http://x.cn/a?from=singlemessage&isappinstalled=0&share_token=1&share_from=q", "x.cn/a"),
        ("http://x.cn/a?fbclid=1&gclid=2&bd_vid=3&hmsr=4", "x.cn/a"),
        ("http://x.cn/a;jsessionid=0A1B.node1?id=3", "x.cn/a?id=3"),
        ("http://x.cn/a;JSESSIONID=0A1B/b.html", "x.cn/a/b.html"),
        ("http://x.cn/a%3Bjsessionid=0A1B", "x.cn/a"),
        ("http://x.cn/a.php?PHPSESSID=abc&id=3", "x.cn/a.php?id=3"),
        ("http://x.cn/(S(abc123xyz))/a.aspx?id=3", "x.cn/a.aspx?id=3"),
        ("http://x.cn/a.jsp?id=3&_=1767838923000", "x.cn/a.jsp?id=3"),
        ("http://x.cn/a?wzws_cid=0123abcd", "x.cn/a"),
    ],
)
def test_where_a_reader_came_from_and_which_visit_it_was_is_no_part_of_identity(url: str, canonical: str) -> None:
    assert identity(url) == canonical


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://x.cn/a?b=1&c=2", "http://x.cn/a?c=2&b=1"),
        ("http://x.cn/a?from=20", "http://x.cn/a?from=40"),
        ("http://x.cn/a?from=2026-01-08", "http://x.cn/a"),
        ("http://x.cn/a?_=3", "http://x.cn/a?_=4"),
        ("http://x.cn/a?scene=3", "http://x.cn/a?scene=4"),
        ("http://x.cn/A", "http://x.cn/a"),
        ("http://x.cn/a", "http://x.cn/a/"),
        ("http://x.cn/a%2Fb", "http://x.cn/a/b"),
        ("http://x.cn/a?q=a%2Bb", "http://x.cn/a?q=a+b"),
        ("http://x.cn/a?q=b%26c=1", "http://x.cn/a?q=b&c=1"),
        ("http://x.cn/a%3Fb", "http://x.cn/a?b"),
        ("http://x.cn/a%23/b", "http://x.cn/a#/b"),
        ("http://x.cn/%2541", "http://x.cn/A"),
        ("http://x.cn/#/a", "http://x.cn/#/b"),
        ("http://x.cn:8080/", "http://x.cn/"),
        ("http://www.x.cn/", "http://x.cn/"),
        ("http://x.cn/a;v=1", "http://x.cn/a;v=2"),
    ],
)
def test_addresses_that_may_name_different_documents_stay_apart(one: str, other: str) -> None:
    assert identity(one) != identity(other)


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        (
            "http://mp.weixin.qq.com/s?__biz=MzA4&mid=26540&idx=1&sn=0f8c&chksm=84&scene=27&subscene=10000#wechat_redirect",
            "mp.weixin.qq.com/s?__biz=MzA4&mid=26540&idx=1",
        ),
        ("https://mp.weixin.qq.com/s?idx=1&sn=ffff&mid=26540&__biz=MzA4#rd", "mp.weixin.qq.com/s?__biz=MzA4&mid=26540&idx=1"),
        ("https://mp.weixin.qq.com/s/?__biz=MzA%3D%3D&mid=1&idx=2", "mp.weixin.qq.com/s?__biz=MzA==&mid=1&idx=2"),
        (
            "https://mp.weixin.qq.com/s?__biz=MzA4&amp;mid=26540&amp;idx=1&amp;sn=0f8c#rd",
            "mp.weixin.qq.com/s?__biz=MzA4&mid=26540&idx=1",
        ),
        ("https://mp.weixin.qq.com/s?__biz=MzA==&mid=1&idx=2", "mp.weixin.qq.com/s?__biz=MzA==&mid=1&idx=2"),
        ("https://mp.weixin.qq.com/s/AbC-d_9?scene=25&from=timeline#rd", "mp.weixin.qq.com/s/AbC-d_9"),
        ("https://mp.weixin.qq.com/s?__biz=MzA4&mid=26540&sn=0f8c&scene=1", "mp.weixin.qq.com/s?__biz=MzA4&mid=26540&sn=0f8c"),
        ("https://mp.weixin.qq.com/s?__biz=MzA4&mid=&idx=1&sn=0f8c", "mp.weixin.qq.com/s?__biz=MzA4&mid=&idx=1&sn=0f8c"),
    ],
)
def test_a_wechat_article_is_named_by_account_message_and_place(url: str, canonical: str) -> None:
    assert identity(url) == canonical
    assert identity(canonical) == canonical


LONG = "http://mp.weixin.qq.com/s?{}&chksm=84&scene=27&subscene=10000#rd"


@pytest.mark.parametrize(
    ("url", "named"),
    [
        *(
            (LONG.format("&".join(order)), "mp.weixin.qq.com/s?__biz=MzA4&mid=26540&idx=1")
            for order in itertools.permutations(("__biz=MzA4", "mid=26540", "idx=1", "sn=0f8c"))
        ),
        ("https://mp.weixin.qq.com/s/rF8KEVOH2RuIaRQgONNxAQ?scene=1&from=timeline", "mp.weixin.qq.com/s/rF8KEVOH2RuIaRQgONNxAQ"),
        (LONG.format("__biz=MzA4&mid=26540&sn=0f8c"), None),
        ("https://mp.weixin.qq.com/mp/profile_ext?action=home&__biz=MzA4", None),
        ("https://www.example.org/s/rF8KEVOH2RuIaRQgONNxAQ", None),
        ("", None),
    ],
)
def test_an_article_is_one_under_all_its_links(url: str, named: str | None) -> None:
    assert article(url) == named


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        ":",
        "tag:x.cn,2026:3",
        "urn:uuid:1",
        "mailto:a@x.cn",
        "http://",
        "http://x.cn:99999/",
        "http://[bad/",
        "http://a b/",
    ],
)
def test_what_is_no_web_address_is_its_own_identity_and_has_no_host(text: str) -> None:
    assert identity(f" {text}\n") == text
    assert host(text) == ""


@given(ADDRESSES)
@settings(max_examples=1500)
def test_an_identity_is_stable_and_plain_and_nothing_raises(url: str) -> None:
    name = identity(url)
    assert identity(name) == name
    host(url)
    if host(url):
        assert set(name) <= set(string.ascii_letters + string.digits + string.punctuation), name
        assert name.startswith(host(url).removesuffix(":80").removesuffix(":443"))


@given(ADDRESSES, ADDRESSES)
@settings(max_examples=1500)
def test_every_link_becomes_a_safe_address_or_none(base: str, href: str) -> None:
    url = join(base, href)
    if url is not None:
        parts = urlsplit(url)
        assert parts.scheme in ("http", "https")
        assert parts.hostname
        assert parts.username is None
        assert parts.password is None
        assert parts.port is None or 0 < parts.port < 65536
        assert re.fullmatch(r"[!-~]+", url)
        assert not parts.fragment or parts.fragment[0] in "/!"
        assert len(url) <= MAX_LENGTH
        assert join(base, url) == url
        assert identity(url) == identity(join("", url) or "")
        assert host(url) == parts.netloc


PAGE = "https://www.x.cn/zcfb/tz/index_2.html?p=2"


@pytest.mark.parametrize(
    ("href", "url"),
    [
        ("./202601/t1.html", "https://www.x.cn/zcfb/tz/202601/t1.html"),
        ("../a/t1.html", "https://www.x.cn/zcfb/a/t1.html"),
        ("../../../../t1.html", "https://www.x.cn/t1.html"),
        ("/t1.html", "https://www.x.cn/t1.html"),
        ("//static.x.cn/a.pdf", "https://static.x.cn/a.pdf"),
        ("?p=3", "https://www.x.cn/zcfb/tz/index_2.html?p=3"),
        ("\n   ./t1.html\t ", "https://www.x.cn/zcfb/tz/t1.html"),
        ("/art/\n   2026/t1.html", "https://www.x.cn/art/%20%20%202026/t1.html"),
        ("\u3000/t1.html\xa0", "https://www.x.cn/t1.html"),
        ("\\art\\t1.html", "https://www.x.cn/art/t1.html"),
        ("\\\\y.cn\\a", "https://y.cn/a"),
        ("http:\\\\y.cn\\a?b=\\", "http://y.cn/a?b=%5C"),
        ("http:///y.cn/a", "http://y.cn/a"),
        ("https:t1.html", "https://www.x.cn/zcfb/tz/t1.html"),
        ("https:/t1.html", "https://www.x.cn/t1.html"),
        ("http:y.cn/a", "http://y.cn/a"),
        ("HTTP://Y.CN:80/A", "http://y.cn/A"),
        ("http://y.cn:8080", "http://y.cn:8080/"),
        ("http://user:pw@y.cn/a", "http://y.cn/a"),
        ("http://www.x.cn@evil.example/a", "http://evil.example/a"),
        ("附件 1.pdf", "https://www.x.cn/zcfb/tz/%E9%99%84%E4%BB%B6%201.pdf"),
        ("%e4%b8%ad.pdf", "https://www.x.cn/zcfb/tz/%e4%b8%ad.pdf"),
        ("100%.html", "https://www.x.cn/zcfb/tz/100%25.html"),
        ("/s?q=中&r=a+b", "https://www.x.cn/s?q=%E4%B8%AD&r=a+b"),
        ("/t1.html#part2", "https://www.x.cn/t1.html"),
        ("#/detail/3", "https://www.x.cn/zcfb/tz/index_2.html?p=2#/detail/3"),
        ("/#!3", "https://www.x.cn/#!3"),
        ("http://中国.cn/a", "http://xn--fiqs8s.cn/a"),
        ("/a/b:c", "https://www.x.cn/a/b:c"),
        ("https://[::1]:8443/a", "https://[::1]:8443/a"),
    ],
)
def test_a_link_is_read_as_a_browser_reads_it(href: str, url: str) -> None:
    assert join(PAGE, href) == url


@pytest.mark.parametrize(
    "href",
    [
        *(
            "",
            "  \n",
            "#",
            "#top",
            "javascript:void(0)",
            "JavaScript:alert(1)",
            " java\nscript:alert(1)",
            "\x01javascript:alert(1)",
        ),
        *(
            "data:text/html,x",
            "mailto:a@x.cn",
            "tel:010123",
            "file:///etc/passwd",
            "ftp://y.cn/a",
            "weixin://x",
            "C:\\公文\\1.doc",
            "about:blank",
        ),
        *(
            "http://",
            "http:// /",
            "http://y.cn:99999/",
            "http://y.cn:abc/",
            "http://y.cn:-1/",
            "http://y.cn:0/",
            "http://[::1/",
            "http://[x]/",
            "//[/a",
        ),
        *("http://y..cn/", "http://y cn/", "http://-y.cn/", "http://y.cn%00/", "http://\ufffe.cn/", f"/{'a' * MAX_LENGTH}"),
    ],
)
def test_what_leads_to_no_web_page_is_no_link(href: str) -> None:
    assert join(PAGE, href) is None


@pytest.mark.parametrize(
    ("base", "href", "url"),
    [
        ("", "http://y.cn/a", "http://y.cn/a"),
        ("", "/a", None),
        ("ftp://x.cn/", "a", None),
        ("nonsense", "a", None),
        ("http://x.cn", "a", "http://x.cn/a"),
        ("http://user:pw@x.cn:8080/b/", "a", "http://x.cn:8080/b/a"),
        ("http://x.cn/b#frag", "", None),
        ("http://x.cn/", "https:a", "https://a/"),
    ],
)
def test_the_base_may_be_missing_or_bad(base: str, href: str, url: str | None) -> None:
    assert join(base, href) == url


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://WWW.x.cn/a", "www.x.cn"),
        ("https://www.x.cn:443/a", "www.x.cn"),
        ("http://www.x.cn:443/a", "www.x.cn:443"),
        ("http://127.0.0.1:9000", "127.0.0.1:9000"),
        ("http://[::1]:9000/", "[::1]:9000"),
        ("http://u:p@x.cn/", "x.cn"),
        ("http://中国.cn/", "xn--fiqs8s.cn"),
    ],
)
def test_the_host_is_what_takes_turns(url: str, name: str) -> None:
    assert host(url) == name
