"""Every preset on a page of its site's structure: rows, next page, one document with its facts, as a user should get them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from monitor import config, facts, readers, sources, urls
from monitor.facts import BODIES
from monitor.fetch import close, fetch
from monitor.model import Fetched, Listing, Purpose, Request, Source, Validators
from monitor.sources import jpaas
from tests.sites import OfficialSite, expected, same_moment

NOW = datetime(2026, 11, 12, 12, 0, tzinfo=UTC)
PRESETS = {
    "cac/wxfb": "cac/wxfb",
    "cac/zcfg": "cac/flfg",
    "cnnvd/updated": "cnnvd/list",
    "cnvd/list": "cnvd/list",
    "cnvd/notice": "cnvd/webinfo",
    "debian/dsa": "debian/dsa",
    "doonsec": "doonsec/rss",
    "doonsec/warnings": "doonsec/list",
    "github/advisories": "ghsa/advisories",
    "gov/zuixin": "gov/zuixin",
    "miit/gg": "miit/gg",
    "miit/search": "miit/search",
    "miit/tz": "miit/tz",
    "miit/wjgs": "miit/wjgs",
    "miit/yjzj": "miit/yjzj",
    "miit/zcjd": "miit/zcjd",
    "miit/zxzc": "miit/zxzc",
    "moe/tz": "moe/tongzhi",
    "moe/wj": "moe/wenjian",
    "mofcom/zcfb": "mofcom/zcfb",
    "msrc/updates": "msrc/guide",
    "nda/tzgg": "nda/tzgg",
    "nda/zcfb": "nda/zcfb",
    "ndrc/fzggwl": "ndrc/fzggwl",
    "ndrc/tz": "ndrc/tz",
    "nvd/modified": "nvd/modified",
    "samr/zjwj": "samr/zjwj",
    "sasac/zcfb": "sasac/zcfb",
}


#: Other columns of the same sites, served by the same templates: the preset is tried at the address of the column that is here.
ALIKE = {
    "cac/bmgz": "cac/flfg",
    "cac/dfwx": "cac/wxfb",
    "cac/gfxwj": "cac/flfg",
    "cac/wxzf": "cac/wxfb",
    "cac/zcjd": "cac/flfg",
    "cac/zcwj": "cac/flfg",
    "doonsec/gossip": "doonsec/list",
    "doonsec/hot": "doonsec/list",
    "doonsec/original": "doonsec/list",
    "doonsec/reproduced": "doonsec/list",
    "miit/tg": "miit/gg",
    "miit/yj": "miit/tz",
    "moe/gggs": "moe/tongzhi",
    "moe/qtbm": "moe/tongzhi",
    "moe/zy": "moe/tongzhi",
    "mofcom/rcxwfb": "mofcom/zcfb",
    "nda/sjdt": "nda/tzgg",
    "nda/xwfb": "nda/tzgg",
    "nda/zcjd": "nda/tzgg",
    "nda/zjjd": "nda/zcfb",
    "ndrc/gg": "ndrc/tz",
    "ndrc/ghwb": "ndrc/tz",
    "ndrc/ghxwj": "ndrc/tz",
    "ndrc/qt": "ndrc/tz",
    "ndrc/tzgg": "ndrc/tz",
    "ndrc/xwfb": "ndrc/tz",
    "rsshub/route": "doonsec/rss",
    "samr/xwzj": "samr/zjwj",
    "samr/zcjd": "samr/zjwj",
    "sasac/qt": "sasac/zcfb",
    "sasac/zcjd": "sasac/zcfb",
    "wechat/bridge": "doonsec/rss",
}
#: Checked against the real thing, in the collection of real inputs.
REAL = {"cisa/kev"}


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    close()


def source_of(name: str, site: OfficialSite, *, at: str = "") -> Source:
    """The preset, with the site's host on this machine; `at`: at the address of another preset."""
    given = config.presets()[name]
    more = {key: site.here(value) for key, value in given.keys.items() if key == "cookie_from"}
    if at and "body" in given.keys:
        more["body"] = config.presets()[at].keys["body"]
    made = config.source_of({"preset": name, "url": site.here(config.presets()[at or name].url), **more})
    return replace(made, via="http", policy=replace(made.policy, allow_private=("127.0.0.0/8",)))


def looked(source: Source, request: Request) -> Fetched:
    got = fetch(replace(request, via="http"), source.policy, now=lambda: NOW)
    assert isinstance(got, Fetched)
    return got


def page_one(source: Source) -> Listing:
    kind = sources.kind(source.kind)
    listing = kind.parse(source, looked(source, kind.begin(source, {}, NOW)))
    found = list(listing.notices)
    while not listing.last_step and listing.next is not None:
        listing = kind.parse(source, looked(source, listing.next))
        found += listing.notices
    return replace(listing, notices=tuple(found))


def check_rows(site: OfficialSite, listing: Listing, wanted: list[dict[str, str]]) -> None:
    loose = site.expect.get("title_match") == "contains" or "id" in wanted[0]  # a preset may put the id before the title
    found = [(n.title, site.there(n.url), n.published) for n in listing.notices][: len(wanted)]
    assert len(found) == len(wanted)
    for (title, url, published), row in zip(found, wanted, strict=True):
        assert row["title"].strip("…") in title if loose or row["title"].endswith("…") else title == row["title"], row
        if row["url"] is not None:
            assert url is not None
            assert urls.identity(url) == urls.identity(row["url"]), row  # "//host/…" has the scheme of this machine's server
        assert same_moment(published, row["published"]), (published, row)


def test_every_preset_is_tried_on_a_page_of_its_site() -> None:
    assert PRESETS.keys() | ALIKE.keys() | REAL == config.presets().keys()


@pytest.mark.parametrize(("name", "folder"), ALIKE.items())
def test_the_rows_of_another_column_are_found_alike(name: str, folder: str) -> None:
    with OfficialSite(folder) as site:
        at = next(preset for preset, column in PRESETS.items() if column == folder)
        listing = page_one(source_of(name, site, at=at))
        check_rows(site, listing, site.expect["rows"])
        assert listing.problems == ()


@pytest.mark.parametrize(("name", "folder"), PRESETS.items())
def test_the_rows_of_a_preset_are_those_of_the_site(name: str, folder: str) -> None:
    with OfficialSite(folder) as site:
        listing = page_one(source_of(name, site))
        check_rows(site, listing, site.expect["rows"])
        assert listing.problems == ()


@pytest.mark.parametrize(("name", "folder"), [(n, f) for n, f in PRESETS.items() if expected(f).get("rows_page2")])
def test_the_next_page_follows(name: str, folder: str) -> None:
    with OfficialSite(folder) as site:
        source = source_of(name, site)
        first = page_one(source)
        if first.next is None:
            pytest.skip("this source is asked for one page only")
        second = sources.kind(source.kind).parse(source, looked(source, first.next))
        known = {n.key for n in first.notices}
        fresh = replace(second, notices=tuple(n for n in second.notices if n.key not in known))
        wanted = [
            row
            for row in site.expect["rows_page2"]
            if row["url"] not in {r["url"] for r in site.expect["rows"]} or not row["url"]
        ]
        check_rows(site, fresh, wanted)


def has_page(preset: str, folder: str) -> bool:
    """Whether a row of this preset has a page of its own, on the site itself."""
    detail = expected(folder).get("detail")
    followed = config.source_of({"preset": preset}).follow and detail and not detail.get("in_list")
    return bool(followed and detail["url"] and not detail["url"].startswith("https://mp.weixin"))


DETAILS = [(preset, folder) for preset, folder in PRESETS.items() if has_page(preset, folder)]


@pytest.mark.parametrize(("name", "folder"), [*DETAILS, ("miit/tz", "miit/seed")])
def test_a_document_says_what_it_says_and_nothing_else(name: str, folder: str) -> None:
    with OfficialSite(folder) as site:
        wanted = site.expect["detail"]
        source = source_of(name, site)
        got = looked(source, Request(site.here(wanted["url"]), Purpose.DOCUMENT, headers=source.headers))
        document = readers.read(got, source.reading)
        assert document.title == wanted["title"]
        for words in wanted["must_contain"]:
            assert words in document.text
        for words in wanted["must_not_contain"]:
            assert words not in document.text
        assert [site.there(a.url) for a in document.attachments] == wanted["attachments"]
        if wanted.get("published_from") != "list":
            assert same_moment(document.published, wanted["published"])
        said = facts.read(
            document.title or "", document.text, published=document.published, origin=document.issuer, labels=document.labels
        )
        assert said.number == wanted["number"]
        if "signed" in wanted:
            assert str(said.signed) == wanted["signed"]
        if "issuers" in wanted:
            assert said.issuers == tuple(BODIES.full(one) for one in wanted["issuers"])
        if "deadline" in wanted:
            assert str(said.deadline) == wanted["deadline"]


def test_every_body_of_the_catalogue_has_a_page_of_its_structure() -> None:
    bodies = {name.partition("/")[0] for name in config.presets()}
    assert bodies - {name.partition("/")[0] for name in PRESETS} <= {
        "cisa",
        "wechat",
        "rsshub",
    }  # a real page; a bridge of one's own


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"data":' * 50_000, b"<html>"])
def test_an_answer_of_the_publish_server_that_is_none_is_none(body: bytes) -> None:
    got = Fetched(
        Request("https://x.example/unit"), 200, "https://x.example/unit", body, "application/json", "utf-8", Validators(), NOW
    )
    assert jpaas.markup_of(got) is None
