"""An address becomes a source to paste: feeds by content and link, lists by their repeated rows."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor import discover
from monitor.fetch import charset
from monitor.model import Fetched, Request, Validators
from tests.house import House, Site

FEED = (
    "<rss version='2.0'><channel><title>f</title><item><title>通知一则</title><link>https://a.cn/1</link></item></channel></rss>"
)
ROWS = "".join(f"<li><a href='./t{i}.html'>关于第{i}项工作安排的通知</a><span>2026-01-{i:02d}</span></li>" for i in range(1, 9))
MENU = "".join(f"<li><a href='/m{i}/'>栏目{i}</a></li>" for i in range(12))
LIST = f"<html><body><ul class='menu'>{MENU}</ul><div id='main'><ul class='u-list'>{ROWS}</ul></div></body></html>"


def got(body: str | bytes, url: str = "https://www.example.gov.cn/xxgk/tz/") -> Fetched:
    raw = body.encode() if isinstance(body, str) else body
    found = charset.detect(raw, "text/html")
    return Fetched(Request(url), 200, url, raw, "text/html", found, Validators(), datetime(2026, 1, 12, tzinfo=UTC))


def test_a_feed_is_known_by_its_content() -> None:
    found = discover.best(discover.suggest(got(FEED)))
    assert found is not None
    assert (found.kind, [n.title for n in found.listing.notices]) == ("feed", ["通知一则"])


@pytest.mark.parametrize(
    "link",
    [
        "<link rel='alternate' type='application/rss+xml' href='/rss.xml'>",
        "<link rel='ALTERNATE' type='application/atom+xml' href='/rss.xml'>",
        "<a href='/rss.xml'>RSS</a>",
    ],
)
def test_a_feed_that_a_page_links_to_is_suggested(link: str) -> None:
    found = discover.suggest(got(f"<html><head>{link}</head><body>{link}</body></html>"))
    assert [(one.kind, one.url, one.listing) for one in found] == [("feed", "https://www.example.gov.cn/rss.xml", None)]


def test_a_list_is_found_by_its_rows_and_not_the_menu() -> None:
    found = discover.best(discover.suggest(got(LIST)))
    assert found is not None
    assert dict(found.keys) == {"items": "ul.u-list > li"}
    assert found.listing.notices[0].title == "关于第1项工作安排的通知"
    assert len(found.listing.notices) == 8
    assert all(n.published for n in found.listing.notices)


def test_a_table_of_notices_is_a_list() -> None:
    rows = "".join(f"<tr><td><a href='/f/{i}'>某产品存在安全漏洞{i}</a></td><td>2026-01-{i:02d}</td></tr>" for i in range(1, 7))
    found = discover.best(discover.suggest(got(f"<table id='flawList'><tbody>{rows}</tbody></table>")))
    assert found is not None
    assert dict(found.keys) == {"items": "#flawList > tbody > tr"}
    assert len(found.listing.notices) == 6


@pytest.mark.parametrize(
    ("addition", "following"),
    [
        ("<script>createPageHTML(34, 0, 'index', 'html');</script>", "index_{page}.html"),
        ("<a class='next' href='index_1.html'>下一页</a>", "css:a.next"),
        ("<script>createPageHTML(1, 0, 'index', 'html');</script>", None),
        ("", None),
    ],
)
def test_the_way_to_page_2_is_found(addition: str, following: str | None) -> None:
    found = discover.best(discover.suggest(got(LIST.replace("</body>", f"{addition}</body>"))))
    assert found is not None
    assert found.keys.get("next") == following


@pytest.mark.parametrize(
    "page",
    [
        "<html><body><h1>关于某事的通知</h1><p>正文。</p></body></html>",
        f"<html><body><ul>{MENU}</ul></body></html>",
        '{"rows": []}',
        "",
    ],
)
def test_what_is_no_list_gives_no_suggestion(page: str) -> None:
    assert discover.best(discover.suggest(got(page))) is None


def test_what_is_printed_can_be_pasted_and_loads(tmp_path: Path) -> None:
    from monitor import config

    found = discover.best(discover.suggest(got(LIST.replace("</body>", "<a class='next' href='i2.html'>下一页</a></body>"))))
    assert found is not None
    block = discover.toml(found)
    assert tomllib.loads(block)["source"][0]["id"] == "example/tz"
    path = tmp_path / "monitor.toml"
    path.write_text(block + '\n[[channel]]\nid = "c"\nurl = "console://"\n', "utf-8")
    assert config.load(path, {}).sources["example/tz"].options.next == "css:a.next"


@pytest.mark.corpus
@pytest.mark.parametrize(
    ("name", "items", "rows"),
    [
        ("html/cnvd_home_or_list.html", "#flawList > tbody > tr", 100),
        ("transcribed/mof-policy-sample.html", "ul.liBox > li", 5),
    ],
)
def test_lists_on_real_pages_are_found(corpus: Path, name: str, items: str, rows: int) -> None:
    found = discover.best(discover.suggest(got((corpus / "gov_pages" / name).read_bytes())))
    assert found is not None
    assert (found.keys["items"], len(found.listing.notices)) == (items, rows)


@pytest.mark.parametrize(("rule", "said"), [("Disallow: /list/", True), ("Disallow: /private/", False), (None, False)])
def test_preview_says_what_robots_txt_asks(
    rule: str | None, said: bool, site: Site, build: Callable[..., House], capsys: pytest.CaptureFixture[str]
) -> None:
    from monitor.cli import monitor
    from monitor.cli.common import guarded

    house = build()
    if rule:
        site.bodies["/robots.txt"] = f"User-agent: *\n{rule}\n".encode()
    assert guarded(monitor, ["--config", str(house.path), "preview", "a"]) == 0
    assert ("asks programs not to fetch this address" in capsys.readouterr().err) is said
