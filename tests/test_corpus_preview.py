"""What `monitor preview URL` finds on real pages: on lists the rows that a person sees there, on all else nothing.

The truth of each list (how many rows, the first one's title and date) was read off the page itself, not off the program.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from monitor import discover
from monitor.discover import Suggestion
from monitor.discover.suggestion import parsed
from monitor.fetch import charset
from monitor.model import Fetched, Request, Validators, when_text

pytestmark = pytest.mark.corpus

AT = datetime(2026, 11, 12, tzinfo=UTC)
URL = "https://www.example.gov.cn/xxgk/tz/"

#: Lists of official sites: file, kind, rows, title of the first row, its date.
PAGES: list[tuple[str, str, int, str, str]] = [
    ("html/cnvd_home_or_list.html", "list", 100, "Adobe Experience Manager跨站脚本漏洞（CNVD-2026-0352398）", "2026-01-15"),
    ("html/samr_std_search_iframe.html", "list", 10, "GB/T 9881-2026 橡胶 术语", "2026-01-28"),
    ("transcribed/mof-policy-sample.html", "list", 5, "关于发布《境内单位代扣代缴自然人增值税管理办法》的公告", "2026-09-04"),
    ("transcribed/gov-policy-zuixinzhengce-sample.json", "json", 5, "中华人民共和国审计法实施条例", "2026-09-24"),
    ("transcribed/miit-policy-sample.json", "json", 5, "工业和信息化部关于印发《创新型产业集群建设管理办法》的通知", "2026-09-23"),  # noqa: E501
    ("json/cnvd_list_20260116_082803.json", "json", 1, "CNVD-2026-03", "2026-01-15"),
    ("json/cnvd_list_20260116_083411.json", "json", 100, "CNVD-2026-03712", "2026-01-15"),
    ("json/cnvd_list_20260203_154958.json", "json", 100, "CNVD-2026-09461", "2026-02-02"),
    ("json/cnvd_list_20260203_155354.json", "json", 100, "CNVD-2026-09461", "2026-02-02"),
    ("json/cnvd_list_20260204_152712.json", "json", 100, "CNVD-2026-09624", "2026-02-04"),
    ("json/cnvd_list_20260204_153232.json", "json", 100, "CNVD-2026-09624", "2026-02-04"),
    ("json/cnvd_list_20260204_153247.json", "json", 100, "CNVD-2026-09624", "2026-02-04"),
]  # fmt: skip
#: The same of feeds.
FEEDS: list[tuple[str, int, str, str | None]] = [
    ("GB2312/cindychen.com.xml", 5, "Oceana 的出生", "2005-03-25"),
    ("GB2312/bbs.blogsome.com.xml", 10, "活该麦当劳", None),
    ("GB2312/chen56.blogcn.com.xml", 15, "搬家", None),
    ("GB2312/softsea.net.xml", 100, "Trojan Remover 6.4.5 Date 12.28", "2005-12-28"),
    ("Big5/0804.blogspot.com.xml", 9, "《11月的蕭邦》", "2005-10-21"),
    ("Big5/ebao.us.xml", 15, "新年快樂", "2005-12-30"),
    ("Big5/sanwenji.blogspot.com.xml", 56, "送給自己的", "2005-12-30"),
    ("Big5/myblog.pchome.com.tw.xml", 5, "愛力真正的源頭", "2005-08-11"),
]  # fmt: skip
LISTS = {f"gov_pages/{name}": truth for name, *truth in PAGES} | {
    f"feeds/chardet_real_chinese_feeds/{name}": ["feed", *truth] for name, *truth in FEEDS
}

#: Folders and pages that hold no list: articles, with the related links, menus and rankings around them, tables of words,
#: block pages, advisories, single records.
NO_LISTS = (
    "gov_pages/html/cmse_manned_space_1.html",
    "gov_pages/html/deqing_gov_statistics.html",
    "gov_pages/html/npc_gazette_2007.html",
    "gov_pages/html/sxmu_supervision_law.html",
    "gov_pages/html_gb2312",
    "gov_pages/same_article_recaptured",
    "gov_pages/gov_cn_policies/fragments",
    "gov_pages/waf",
    "gov_pages/json_cnnvd",
    "wechat/article_html_raw",
    "feeds/miniflux/internal/reader/sanitizer/testdata",
    "feeds/cnvd_official_weekly_xml",
    "diff_ground_truth/kafka_cve_list_versions",
)


def fetched(path: Path) -> Fetched:
    """A file as it would come from a server that names its type and no charset."""
    kind = {".json": "application/json", ".xml": "application/xml"}.get(path.suffix, "text/html")
    body = path.read_bytes()
    found = charset.detect(body, kind)
    return Fetched(Request(URL), 200, URL, body, kind, found, Validators(), AT)


def suggested(path: Path) -> list[Suggestion]:
    """What a file suggests."""
    return discover.suggest(fetched(path))


@pytest.mark.parametrize(("name", "truth"), LISTS.items(), ids=LISTS)
def test_a_real_list_is_found_with_the_rows_that_a_person_sees(corpus: Path, name: str, truth: list[str | int | None]) -> None:
    best = discover.best(suggested(corpus / name))
    assert best is not None
    assert best.listing is not None
    first = best.listing.notices[0]
    day = (when_text(first.published) or "")[:10] or None
    assert [best.kind, best.rows, first.title, day] == truth
    assert len({notice.key for notice in best.listing.notices}) == best.rows


@pytest.mark.parametrize("name", NO_LISTS)
def test_what_is_no_list_suggests_none(corpus: Path, name: str) -> None:
    place = corpus / name
    files = [
        path for path in ([place] if place.is_file() else sorted(place.rglob("*"))) if path.suffix in (".html", ".json", ".xml")
    ]
    assert files
    assert {path.name: dict(best.keys) for path in files if (best := discover.best(suggested(path)))} == {}


def test_the_list_of_cnvd_is_its_table_and_not_the_ranking_beside_it(corpus: Path) -> None:
    found = suggested(corpus / "gov_pages" / "html" / "cnvd_home_or_list.html")
    assert [dict(one.keys) for one in found] == [{"items": "#flawList > tbody > tr", "next": "css:a.nextLink"}]
    assert found[0].listing is not None
    assert all(notice.published and "/flaw/show/CNVD-" in (notice.url or "") for notice in found[0].listing.notices)


def test_rows_whose_links_are_scripts_are_known_by_their_titles(corpus: Path) -> None:
    (found,) = suggested(corpus / "gov_pages" / "html" / "samr_std_search_iframe.html")
    assert found.listing is not None
    titles = [notice.title for notice in found.listing.notices]
    assert titles[-1] == "GB/T 5973-2026 起重机械 钢丝绳绳端固接接头"
    assert all(title.startswith("GB/T ") for title in titles)
    assert {notice.url for notice in found.listing.notices} == {None}


def test_every_row_of_the_interfaces_is_one_row_with_its_link_and_date(corpus: Path) -> None:
    wanted: dict[str, dict[str, Any]] = {
        "gov-policy-zuixinzhengce-sample.json": {"title": "TITLE", "link": "URL", "date": "DOCRELPUBTIME"},
        "miit-policy-sample.json": {
            "items": "data.searchResult.dataResults",
            "title": "groupData[0].data.title",
            "link": "groupData[0].data.url",
            "date": "groupData[0].data.deploytime",
        },
    }
    for name, keys in wanted.items():
        (found,) = suggested(corpus / "gov_pages" / "transcribed" / name)
        assert dict(found.keys) == keys
        assert found.listing is not None
        assert all(notice.url and notice.published for notice in found.listing.notices)


def test_every_feed_that_can_be_read_is_suggested_as_one(corpus: Path) -> None:
    read, other = 0, []
    for path in sorted((corpus / "feeds").rglob("*")):
        listing = parsed("feed", URL, fetched(path), {}) if path.suffix in (".xml", ".rss", ".atom") else None
        if listing is not None and listing.notices:
            best = discover.best(suggested(path))
            read += 1
            if best is None or (best.kind, best.rows) != ("feed", len(listing.notices)):
                other.append(path.name)
    assert read >= 150
    assert other == []


def test_every_real_chinese_feed_has_as_many_rows_as_it_has_items(corpus: Path) -> None:
    counts = {}
    for path in sorted((corpus / "feeds" / "chardet_real_chinese_feeds").rglob("*.xml")):
        items = len(re.findall(rb"<(?:item|entry)[\s>]", path.read_bytes(), re.IGNORECASE))
        if items:
            (found,) = suggested(path)
            counts[path.name] = (found.kind, found.rows, items)
    assert len(counts) >= 28
    assert {name: found for name, found in counts.items() if found[0] != "feed" or found[1] != found[2]} == {}
