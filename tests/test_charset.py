"""Charsets: a label that lies gives no mojibake, and no word of a page reaches a codec that is not in the table."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.fetch import labels
from monitor.fetch.charset import detect, media_type, repair

TITLE = "关于开展工业领域数据安全能力提升的通知"
PAGE = f"<html><head><title>{TITLE}</title></head><body><p>工业和信息化部办公厅，2026年1月2日。</p></body></html>"
BIG5_PAGE = (
    "<html><head><meta charset=big5><title>關於開展資料安全的通知</title></head><body>經濟部公告，請各機關辦理。</body></html>"
)
HTML = "text/html"


def with_meta(label: str, before: str = "") -> str:
    return PAGE.replace("<head>", f'<head>{before}<meta http-equiv="Content-Type" content="text/html; charset={label}">')


def read(body: bytes, header: str | None, override: str = "") -> str:
    codec = detect(body, header, override=override)
    assert codec is not None
    return repair(body, codec).decode(codec, "replace")


@pytest.mark.parametrize(
    ("what", "body", "header"),
    [
        ("nobody says anything, GBK", PAGE.encode("gbk"), None),
        ("nobody says anything, UTF-8", PAGE.encode(), None),
        ("header gb2312, body GBK", PAGE.encode("gbk"), f"{HTML}; charset=gb2312"),
        ("header gb2312, body UTF-8", PAGE.encode(), f"{HTML}; charset=gb2312"),
        ("header gbk, body UTF-8", PAGE.encode(), f"{HTML}; charset=GBK"),
        ("header iso-8859-1, body UTF-8", PAGE.encode(), f"{HTML}; charset=iso-8859-1"),
        ("header iso-8859-1, body GBK, no meta", PAGE.encode("gbk"), f"{HTML}; charset=ISO-8859-1"),
        ("header iso-8859-1, meta gb2312", with_meta("gb2312").encode("gbk"), f"{HTML}; charset=ISO-8859-1"),
        ("header utf-8, body GBK", PAGE.encode("gbk"), f"{HTML}; charset=utf-8"),
        ("meta utf-8, body GBK", with_meta("utf-8").encode("gbk"), HTML),
        ("meta gb2312, body UTF-8", with_meta("gb2312").encode(), HTML),
        ("meta gb_2312-80", with_meta("gb_2312-80").encode("gbk"), HTML),
        ("meta utf-7, never believed", with_meta("utf-7").encode("gbk"), HTML),
        ("meta utf-16 of a page that is not", with_meta("utf-16").encode(), HTML),
        ("header utf-16 of a page that is not", PAGE.encode(), f"{HTML}; charset=utf-16"),
        ("late meta", with_meta("gbk", "<script>" + "var a;" * 3000 + "</script>").encode("gbk"), HTML),
        ("a meta in a comment lies", with_meta("gbk", "<!-- <meta charset=big5> -->").encode("gbk"), HTML),
        ("UTF-8 with mark", PAGE.encode("utf-8-sig"), HTML),
        ("UTF-16 with mark", PAGE.encode("utf-16"), HTML),
        ("UTF-16, little end first, without mark", PAGE.encode("utf-16-le"), f"{HTML}; charset=utf-16"),
        ("UTF-16, big end first, without mark or label", PAGE.encode("utf-16-be"), HTML),
        ("a quoted label", PAGE.encode("gbk"), f'{HTML}; charset="gb2312"'),
        ("UTF-8 cut within a character", PAGE.encode() + "中".encode()[:2], HTML),
        ("UTF-8 with a damaged byte", PAGE.encode() + b"\xff</p>", HTML),
        ("GBK with a damaged byte", PAGE.encode("gbk") + b"\xff</p>", f"{HTML}; charset=gbk"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-",
)  # fmt: skip
def test_the_title_is_read_right(what: str, body: bytes, header: str | None) -> None:
    assert TITLE in read(body, header), what


def test_big5_by_its_label() -> None:
    body = BIG5_PAGE.encode("big5")
    assert detect(body, HTML) == "big5hkscs"
    assert "關於開展資料安全的通知" in read(body, HTML)


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        (
            "關於開展資料安全的通知：經濟部公告，請各機關依規定辦理，不得延誤；這是為了人民的安全，我們會在年底以前完成。",
            "big5hkscs",
        ),
        ("關於開展資料安全的通知", "gb18030"),  # too short to tell
        ("关于开展数据安全工作的通知：这是为了人民的安全，我们会在年底以前完成，不得延误，请各地以此为准。", "gb18030"),
    ],
)
def test_big5_without_a_label_is_told_by_its_commonest_characters(text: str, codec: str) -> None:
    body = f"<p>{text}</p>".encode("big5" if "關" in text else "gbk")
    assert detect(body, HTML) == codec
    assert (text in read(body, HTML)) == (codec != "gb18030" or "关" in text)


def test_latin_by_its_label_stays_latin() -> None:
    body = "<p>Sécurité : les mises à jour déjà publiées</p>".encode("latin-1")
    assert detect(body, f"{HTML}; charset=iso-8859-1") == "cp1252"


def test_xml_declaration() -> None:
    body = f'<?xml version="1.0" encoding="gb2312"?><rss><title>{TITLE}</title></rss>'.encode("gbk")
    assert detect(body, "application/rss+xml") == "gb18030"


def test_what_declares_no_charset_at_length_costs_little() -> None:
    spaces = b" " * 64_000
    assert detect(b"<meta charset=" + spaces + b",>" + "公告".encode(), "text/html") == "utf-8"
    assert detect("公告".encode(), "text/html; charset=" + " " * 64_000 + ",") == "utf-8"


def test_a_charset_inside_a_json_string_is_no_declaration() -> None:
    body = f'{{"html": "<meta charset=big5>", "title": "{TITLE}"}}'.encode("gbk")
    assert TITLE in read(body, "application/json")


def test_the_windows_euro_sign_is_the_euro_sign_and_costs_no_other_character() -> None:
    body = PAGE.replace("</p>", "欧元 EURO 100</p>").encode("gbk").replace(b"EURO", b"\x80")
    assert "欧元 € 100</p>" in read(body, f"{HTML}; charset=gb2312")


def test_a_body_without_that_euro_sign_is_left_as_it_is() -> None:
    body = (PAGE + "\u4e02\u4e04").encode("gb18030") + b"\xff"
    assert repair(body, "gb18030") is body


def test_the_users_own_encoding_is_believed() -> None:
    assert detect(PAGE.encode(), HTML, override="Big5") == "big5hkscs"


def test_an_encoding_that_is_none_is_refused_with_a_hint() -> None:
    with pytest.raises(ValueError, match='encoding "rot13" is not a known charset'):
        detect(b"x", HTML, override="rot13")


@pytest.mark.parametrize("label", ["utf-7", "idna", "punycode", "rot13", "rot_13", "base64", "unicode_escape", "hz-gb-2312", "x"])
def test_only_labels_in_the_table_reach_a_codec(label: str) -> None:
    assert labels.codec(label) is None
    assert detect(b"abc", f"{HTML}; charset={label}") == "utf-8"


@pytest.mark.parametrize(
    ("label", "codec"),
    [
        ("unicode-1-1-utf-8", "utf-8"), (" UTF8 ", "utf-8"), ("GB2312", "gb18030"), ("x-gbk", "gb18030"),
        ("gb_2312-80", "gb18030"), ("chinese", "gb18030"), ("iso-ir-58", "gb18030"), ("latin1", "cp1252"), ("ascii", "cp1252"),
        ("iso-8859-1", "cp1252"), ("x-x-big5", "big5hkscs"), ("utf-16", "utf-16-le"), ("shift_jis", "cp932"),
        ("ks_c_5601-1987", "cp949"),
    ],
)  # fmt: skip
def test_labels_mean_what_browsers_take_them_for(label: str, codec: str) -> None:
    assert labels.codec(label) == codec


def test_every_codec_of_the_table_is_pythons() -> None:
    assert all(codecs.lookup(codec) for codec in labels.LABELS.values())


@pytest.mark.parametrize(
    "media",
    [
        "application/pdf",
        "image/png",
        "application/msword",
        "application/zip",
        "video/mp4",
        "application/vnd.ms-excel",
        "font/woff2",
    ],
)
def test_binary_media_have_no_charset(media: str) -> None:
    assert detect(PAGE.encode(), media) is None


@pytest.mark.parametrize(
    ("body", "header", "media"),
    [
        (b"<!DOCTYPE html><html>", None, "text/html"),
        (b"\xef\xbb\xbf  <html>", None, "text/html"),
        (b"<?xml version='1.0'?><rss/>", None, "application/xml"),
        (b' {"a": 1}', "", "application/json"),
        (b"%PDF-1.7", None, "application/pdf"),
        (b"PK\x03\x04", None, "application/zip"),
        (b"\0\1\2\3", None, "application/octet-stream"),
        (b"plain words", None, "text/plain"),
        (b"<html>", "Text/HTML; Charset=GBK", "text/html"),
        (b"%PDF-1.7", "text/html", "text/html"),
    ],
)
def test_media_type(body: bytes, header: str | None, media: str) -> None:
    assert media_type(body, header) == media


def test_a_download_of_unknown_kind_has_a_charset_only_if_it_is_text() -> None:
    assert detect(PAGE.encode("gbk"), "application/octet-stream") == "gb18030"
    assert detect(b"\0\1\2\3" * 100, "application/octet-stream") is None


@given(st.text(min_size=1), st.sampled_from(["gb2312", "gbk", "iso-8859-1", "utf-8", "big5", ""]))
def test_utf8_is_never_taken_for_anything_else(text: str, label: str) -> None:
    body = f"通知{text}".encode("utf-8", "ignore")
    header = f"text/plain; charset={label}" if label else "text/plain"
    if body.count(0) < 2:
        assert read(body, header) == body.decode()


@given(
    st.binary(max_size=400),
    st.one_of(st.none(), st.text(max_size=40), st.sampled_from(["text/html; charset=utf-16", "text/xml"])),
)
def test_any_bytes_give_a_codec_that_python_can_use(body: bytes, header: str | None) -> None:
    codec = detect(body, header)
    if codec is not None:
        assert isinstance(repair(body, codec).decode(codec, "replace"), str)


HAN = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=20, max_size=60)


@given(HAN, st.sampled_from(["gb2312", "utf-8", "iso-8859-1"]))
def test_chinese_in_gbk_is_read_whatever_the_label(text: str, label: str) -> None:
    assert text in read(f"<p>{text}。工信部</p>".encode("gb18030"), f"{HTML}; charset={label}")


def test_a_short_text_that_would_be_cyrillic_in_utf8_is_what_its_label_says() -> None:
    assert detect("一一一".encode("gbk"), "text/plain; charset=gbk") == "gb18030"
    assert detect("© 2026 · café".encode(), "text/plain; charset=gbk") == "utf-8"


@pytest.mark.corpus
@pytest.mark.parametrize(("folder", "codec"), [("GB2312", "gb18030"), ("Big5", "big5hkscs")])
def test_real_feeds_that_declare_themselves_lose_no_character(corpus: Path, folder: str, codec: str) -> None:
    files = sorted((corpus / "feeds" / "chardet_real_chinese_feeds" / folder).glob("*.xml"))
    assert files
    for path in files:
        body = path.read_bytes()
        found = detect(body, "application/xml")
        assert found == codec, path.name
        assert "\ufffd" not in body.decode(codec, "replace"), path.name


@pytest.mark.corpus
def test_real_pages_lose_no_character(corpus: Path) -> None:
    files = sorted((corpus / "gov_pages").rglob("*.htm*"))
    assert files
    for path in files:
        body = path.read_bytes()
        if body:
            lost = read(body, HTML).count("\ufffd") - body.count("\ufffd".encode())
            assert lost <= 0, path.name
