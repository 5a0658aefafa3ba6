"""Real pages and feeds in GB2312, GBK and Big5: each is read in its charset, with its label or without."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from monitor.fetch.charset import detect, repair

pytestmark = pytest.mark.corpus
CODECS = {"GB2312": "gb18030", "Big5": "big5hkscs"}
#: By a person: words of the page.
WORDS = {
    "_chromium_Big5_with_no_encoding_specified.html": "的",
    "_chromium_gb18030_with_no_encoding_specified.html.xml": "的",
    "cnblog.org.xml": "的",
    "0804.blogspot.com.xml": "的",
}
MEDIA = {".html": "text/html", ".xml": "application/xml", ".txt": "text/plain"}
_LABEL = re.compile(rb"(<\?xml[^>]*?)\s+encoding\s*=\s*[\"'][^\"']*[\"']|(<meta[^>]*?)charset\s*=\s*[\"']?[\w-]+", re.I)


def read(body: bytes, codec: str | None) -> str:
    assert codec is not None
    return repair(body, codec).decode(codec, "replace")


def files(corpus: Path, charset: str) -> list[Path]:
    found = sorted((corpus / "feeds" / "chardet_real_chinese_feeds" / charset).iterdir())
    assert len(found) >= 10
    return found


@pytest.mark.parametrize("charset", CODECS)
@pytest.mark.parametrize("header", ["", "; charset=iso-8859-1", "; charset=utf-8"], ids=["unsaid", "latin", "utf-8"])
def test_each_is_read_in_its_charset_whatever_the_server_says(corpus: Path, charset: str, header: str) -> None:
    found = {}
    for path in files(corpus, charset):
        body = path.read_bytes()
        codec = detect(body, MEDIA[path.suffix] + header)
        said = read(body, codec)
        if codec != CODECS[charset] or "\ufffd" in said or WORDS.get(path.name, "") not in said:
            found[path.name] = codec
    assert found == {}


@pytest.mark.parametrize("charset", CODECS)
def test_each_is_read_in_its_charset_where_nothing_names_it(corpus: Path, charset: str) -> None:
    found = {}
    for path in files(corpus, charset):
        body = _LABEL.sub(rb"\1\2", path.read_bytes())
        if (codec := detect(body, MEDIA[path.suffix])) != CODECS[charset]:
            found[path.name] = codec
    assert found == {}


def test_pages_that_say_gb2312_and_are_utf_8_are_read_as_what_they_are(corpus: Path) -> None:
    for path in (corpus / "gov_pages" / "html_gb2312").glob("*.html"):
        body = path.read_bytes()
        assert b"gb2312" in body[:4096]
        assert detect(body, "text/html; charset=gb2312") == "utf-8"
        assert "京沪高速" in read(body, "utf-8")


def test_every_official_page_is_read_without_a_lost_character(corpus: Path) -> None:
    folders = ("html", "same_article_recaptured", "gov_cn_policies/fragments", "gov_cn_policies/recrawl_next_day")
    for folder in folders:
        for path in (corpus / "gov_pages" / folder).glob("*.html"):
            body = path.read_bytes()
            lost = read(body, detect(body, "text/html")).count("\ufffd") - body.count(b"\xef\xbf\xbd")
            assert lost == 0, path.name
