"""The catalogue of ready sources: each loads, says what it is and what it was checked against, and reads its site's structure."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from monitor import config, sources
from monitor.config import catalogue
from monitor.errors import ConfigError, ParseError
from monitor.model import Fetched, Purpose, Request, Validators

NAMES = list(config.presets())
NOW = datetime(2026, 11, 22, tzinfo=UTC)


def fetched(name: str, body: str, page: int = 1) -> Fetched:
    source = config.source_of({"preset": name})
    return Fetched(
        Request(source.url, Purpose.LISTING, page=page), 200, source.url, body.encode(), "text/html", "utf-8", Validators(), NOW
    )


def test_the_catalogue_holds_the_first_bodies() -> None:
    assert {"ndrc/tz", "gov/zuixin", "doonsec"} <= set(NAMES)
    assert sorted(NAMES) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_preset_is_a_source(name: str) -> None:
    preset = config.presets()[name]
    source = config.source_of({"preset": name})
    assert (source.id, source.kind, source.url) == (name, preset.kind, preset.url)
    assert name.partition("/")[0] in {path.stem for path in catalogue.folder().glob("*.toml")}


@pytest.mark.parametrize("name", NAMES)
def test_every_preset_says_what_it_is_and_what_it_was_checked_against(name: str) -> None:
    preset = config.presets()[name]
    assert preset.body
    assert preset.body_en.isascii()
    assert preset.column
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}, (structure only|real page)", preset.verified)


def test_the_file_of_a_preset_is_named_after_its_body() -> None:
    for path in catalogue.folder().glob("*.toml"):
        if path.name != "monitor.toml":
            assert {preset.name.partition("/")[0] for preset in catalogue.read(path)} == {path.stem}


@pytest.mark.parametrize(
    ("text", "said"),
    [("[body", "cannot be read"), ('[body]\nname = "x"\n', "needs \\[body\\]"), ("[[preset]]\nid = 1\n", "needs \\[body\\]")],
)
def test_a_damaged_file_of_presets_is_named(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=f"x.toml {said}"):
        catalogue.read(path)


NDRC = """<html><head><title>通知</title></head><body><ul class="u-list">
<li><script>var a = "<a href='x'>no</a>";</script>
<a href="./202611/t20261120_1400001.html" title="关于印发某方案的通知">关于印发某方案的通…</a>
<div class="popbox"><ul><li><a href="../jd/jd/202611/t20261121_1400002.html">一图读懂</a></li></ul></div>
<span>2026/11/20</span></li>
<li><a href="./202611/t20261118_1400003.html">关于开展某工作的通知</a><span>2026/11/18</span></li>
<li class="empty"></li></ul></body></html>"""


def test_a_row_of_ndrc_is_the_notice_and_not_its_interpretations() -> None:
    source = config.source_of({"preset": "ndrc/tz"})
    listing = sources.kind("list").parse(source, fetched("ndrc/tz", NDRC))
    assert [(notice.title, notice.published) for notice in listing.notices] == [
        ("关于印发某方案的通知", date(2026, 11, 20)),
        ("关于开展某工作的通知", date(2026, 11, 18)),
    ]
    assert listing.notices[0].url == "https://www.ndrc.gov.cn/xxgk/zcfb/tz/202611/t20261120_1400001.html"
    assert listing.next is not None
    assert listing.next.url == "https://www.ndrc.gov.cn/xxgk/zcfb/tz/index_1.html"


OTHERS = {
    "nda/zcfb": (
        '<ul class="u-list"><li><a href="/sjj/zwgk/zcfb/1119/20261119_pc.html" title="国家数据局公告">国家数据局公告</a>'
        "<span>2026.11.19</span></li></ul>",
        ("国家数据局公告", date(2026, 11, 19), "https://www.nda.gov.cn/sjj/zwgk/zcfb/list/index_pc_2.html"),
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_the_known_structure_of_a_site_is_read(name: str) -> None:
    body, (title, published, following) = OTHERS[name]
    listing = sources.kind("list").parse(config.source_of({"preset": name}), fetched(name, f"<html><body>{body}</body></html>"))
    (notice,) = listing.notices
    assert (notice.title, notice.published) == (title, published)
    assert (listing.next.url if listing.next else None) == following


def test_the_state_councils_list_of_all_ministries_is_read() -> None:
    body = (
        '[{"TITLE":"国务院关于某事的意见","SUB_TITLE":"","URL":"https://www.gov.cn/zhengce/content/202611/content_1.htm",'
        '"DOCRELPUBTIME":"2026-11-19"},{"TITLE":"关于某措施的通知","SUB_TITLE":"副题","URL":"./202611/content_2.htm",'
        '"DOCRELPUBTIME":"2026-11-18"}]'
    )
    listing = sources.kind("json").parse(config.source_of({"preset": "gov/zuixin"}), fetched("gov/zuixin", body))
    assert [(notice.key, notice.title, notice.published, notice.summary) for notice in listing.notices] == [
        ("www.gov.cn/zhengce/content/202611/content_1.htm", "国务院关于某事的意见", date(2026, 11, 19), ""),
        ("www.gov.cn/zhengce/zuixin/202611/content_2.htm", "关于某措施的通知", date(2026, 11, 18), "副题"),
    ]
    assert listing.next is None


KEV = """{"title": "CISA Catalog of Known Exploited Vulnerabilities", "catalogVersion": "2026.11.20", "count": %d,
"vulnerabilities": [{"cveID": "CVE-2026-1000", "vendorProject": "Example", "product": "Server",
"vulnerabilityName": "Example Server Path Traversal Vulnerability", "dateAdded": "2026-11-20",
"shortDescription": "Example Server lets anyone read files.", "requiredAction": "Apply mitigations.", "dueDate": "2026-12-11",
"knownRansomwareCampaignUse": "Unknown", "notes": "https://example.org/advisory", "cwes": ["CWE-22"]}]}"""


def test_a_row_of_kev_is_a_vulnerability_with_its_fields_line_by_line() -> None:
    listing = sources.kind("json").parse(config.source_of({"preset": "cisa/kev"}), fetched("cisa/kev", KEV % 1))
    (notice,) = listing.notices
    assert listing.complete
    assert (notice.key, notice.title, notice.published, notice.url) == (
        "CVE-2026-1000",
        "CVE-2026-1000 Example Server Path Traversal Vulnerability",
        date(2026, 11, 20),
        "https://nvd.nist.gov/vuln/detail/CVE-2026-1000",
    )
    assert 'knownRansomwareCampaignUse: Unknown\ncwes: ["CWE-22"]\n' in (notice.text or "")
    assert ("cve", "CVE-2026-1000") in notice.labels
    with pytest.raises(ParseError, match="1 of 2 rows"):
        sources.kind("json").parse(config.source_of({"preset": "cisa/kev"}), fetched("cisa/kev", KEV % 2))
