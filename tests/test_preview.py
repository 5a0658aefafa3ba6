"""`monitor preview` for a person: every preset shows its rows, an address of a known system gives the right kind of source, what
is broken says what came instead and what would fit; over loopback, on the pages of official sites."""

from __future__ import annotations

import dataclasses
import json
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from monitor import config, sources, urls
from monitor.check import desk
from monitor.cli import monitor
from monitor.cli.address import preset_at
from monitor.cli.common import guarded
from monitor.fetch import close
from monitor.model import Listing, Request, when_from
from tests.house import Site
from tests.sites import OfficialSite, same_moment
from tests.test_sites import NOW, PRESETS, looked

BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
#: What the pages of each site's structure must give where only their address is known: kind and keys.
SYSTEMS: dict[str, tuple[str, dict[str, Any]]] = {
    "cac/flfg": ("json", {"items": "list", "title": "topic", "link": "infourl", "date": "pubtime"}),
    "cac/wxfb": ("json", {"items": "list", "title": "topic", "link": "infourl", "date": "pubtime"}),
    "cnvd/list": ("list", {"items": "#flawList > tbody > tr", "next": "css:a.nextLink"}),
    "debian/dsa": ("feed", {}),
    "doonsec/rss": ("feed", {}),
    "ghsa/advisories": ("json", {"title": "summary", "link": "html_url", "date": "published_at"}),
    "gov/zuixin": ("json", {"title": "html_text(TITLE)", "link": "URL", "date": "DOCRELPUBTIME"}),
    **{
        f"miit/{column}": ("jpaas", {"items": "div.page-content > ul > li", "date": "span", "user_agent": BROWSER})
        for column in ("gg", "tz", "wjgs", "yjzj", "zcjd", "zxzc")
    },
    "moe/tongzhi": ("list", {"items": "#list > li", "date": "span"}),
    "moe/wenjian": (
        "list",
        {
            "items": "div.scy_lbsj-right-nr > ul > li",
            "date": "span",
            "next": "search?channelid=239993&page={page}",
            "first_next": 2,
        },
    ),
    "mofcom/zcfb": ("jpaas", {"items": "ul.txtList_01 > li", "date": "span"}),
    "msrc/guide": ("feed", {}),
    "nda/tzgg": ("list", {"items": "ul.u-list > li", "date": "span", "next": "index_pc_{page}.html", "first_next": 2}),
    "nda/zcfb": ("list", {"items": "ul.u-list > li", "date": "span"}),
    "ndrc/fzggwl": ("list", {"items": "div.list > ul.u-list > li", "date": "span", "next": "index_{page}.html"}),
    "ndrc/tz": ("list", {"items": "div.list > ul.u-list > li", "date": "span", "next": "index_{page}.html"}),
    "samr/zjwj": ("jpaas", {"items": "div.Three_zhnlist_02 > ul", "date": "li.nav04Left02_contenttime"}),
    "sasac/zcfb": (
        "list",
        {
            "items": "div.zsy_conlist > span > ul > li:not([style])",
            "date": "span",
            "next": "index_2603340_{page}.html",
            "downwards": r"maxPageNum2603340\s*=\s*(\d+)",
        },
    ),
}

HTTP = "[http]\ndelay = '0s'\nallow_private = ['127.0.0.0/8']\n"


@dataclass
class Ran:
    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def source(self) -> dict[str, Any]:
        """The first [[source]] that is printed to paste."""
        table: dict[str, Any] = tomllib.loads(self.out[self.out.index("[[source]]") :].split("\n\n")[0])["source"][0]
        return table


Preview = Callable[..., Ran]


@pytest.fixture
def preview(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Preview]:
    """Runs `monitor preview` with more configuration than [http], at the time of the sites' pages."""
    monkeypatch.setattr(desk, "utcnow", lambda: NOW)

    def run(*args: str, more: str = "") -> Ran:
        path = tmp_path / "monitor.toml"
        path.write_text(HTTP + more, "utf-8")
        path.chmod(0o600)
        code = guarded(monitor, ["--config", str(path), "preview", *args])
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    yield run
    close()


def page_2(block: str, id_: str, folder: Path) -> Listing:
    """What a pasted source sees on its second page."""
    path = folder / "pasted.toml"
    path.write_text(HTTP + block, "utf-8")
    path.chmod(0o600)
    source = config.load(path, {}).sources[id_]
    kind = sources.kind(source.kind)
    request: Request | None = kind.begin(source, {}, NOW)
    listing = Listing(())
    while request is not None and request.page < 3 and not (request.page == 2 and listing.notices):
        listing = kind.parse(source, looked(source, request))
        request = listing.next
    assert request is not None
    return kind.parse(source, looked(source, request))


def moved(name: str, site: OfficialSite) -> str:
    """A [[source]] of a preset, with the site's host on this machine."""
    preset = config.presets()[name]
    more = "".join(f"{key} = {json.dumps(site.here(preset.keys[key]))}\n" for key in ("cookie_from",) if key in preset.keys)
    return f'[[source]]\npreset = "{name}"\nurl = {json.dumps(site.here(preset.url))}\n{more}'


def check(ran: Ran, site: OfficialSite) -> None:
    """The rows are those of the site: address by address, each with its title and date."""
    wanted, later = site.expect["rows"], site.expect.get("rows_page2", [])
    assert len(ran.rows) in (len(wanted), len(wanted) + len(later))  # a span of time is asked to its end
    for row, one in zip(ran.rows, [*wanted, *later], strict=False):
        if one["url"] is not None and row["url"] is not None:
            assert urls.identity(site.there(row["url"]) or "") == urls.identity(one["url"])
        if site.expect.get("title_match") != "contains" and "id" not in one and not one["title"].endswith("…"):
            assert row["title"] == one["title"]
        assert same_moment(when_from(row["published"]), one["published"]), row


# --- presets


@pytest.mark.parametrize(("name", "folder"), PRESETS.items())
def test_every_preset_shows_the_rows_of_its_site(name: str, folder: str, preview: Preview) -> None:
    with OfficialSite(folder) as site:
        ran = preview(name, "--json", more=moved(name, site))
        assert (ran.code, ran.err) == (0, "")
        check(ran, site)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://www.miit.gov.cn/zwgk/zcwj/wjfb/tz/index.html", "miit/tz"),
        ("http://www.miit.gov.cn/zwgk/zcwj/wjfb/tz/", "miit/tz"),
        ("https://www.ndrc.gov.cn/xxgk/zcfb/tz", "ndrc/tz"),
        ("https://www.ndrc.gov.cn/xxgk/zcfb/tz/index.html", "ndrc/tz"),
        ("http://www.moe.gov.cn/was5/web/search?channelid=239993&page=1", "moe/wj"),
        ("https://raw.githubusercontent.com/cisagov/kev-data/develop/known_exploited_vulnerabilities.json", "cisa/kev"),
        ("https://www.ndrc.gov.cn/xxgk/zcfb/tz/index_1.html", None),
        ("https://www.ndrc.gov.cn/", None),
    ],
)
def test_the_address_of_a_presets_list_is_known(url: str, name: str | None) -> None:
    found = preset_at(url)
    assert (found.name if found else None) == name


# --- addresses


@pytest.mark.parametrize(("folder", "wanted"), SYSTEMS.items(), ids=SYSTEMS)
def test_an_address_of_a_known_system_gives_its_rows_and_the_right_kind(
    folder: str, wanted: tuple[str, dict[str, Any]], preview: Preview
) -> None:
    with OfficialSite(folder) as site:
        address = site.here(site.expect["url"])
        check(preview(address, "--json"), site)
        ran = preview(address)
        found = dict(ran.source)
        assert ran.code == 0
        assert (found.pop("kind"), found.pop("follow", None)) == (wanted[0], True)
        assert found.pop("url").startswith(site.url)
        assert found.pop("id")
        assert found == wanted[1]


@pytest.mark.parametrize("folder", ["miit/tz", "cac/flfg", "samr/zjwj", "sasac/zcfb", "moe/wenjian", "nda/tzgg", "gov/zuixin"])
def test_what_is_printed_for_an_address_works_when_it_is_pasted_and_knows_page_2(
    folder: str, preview: Preview, tmp_path: Path
) -> None:
    with OfficialSite(folder) as site:
        ran = preview(site.here(site.expect["url"]))
        block = ran.out[ran.out.index("[[source]]") :].split("\n\n")[0]
        check(preview(ran.source["id"], "--json", more=block), site)
        if later := site.expect.get("rows_page2"):
            second = page_2(block, ran.source["id"], tmp_path)
            keys = {urls.identity(site.there(notice.url) or "") for notice in second.notices}
            assert {urls.identity(row["url"]) for row in later if row["url"]} <= keys


def test_a_later_page_of_a_list_leads_to_its_first(preview: Preview) -> None:
    with OfficialSite("ndrc/fzggwl") as site:
        ran = preview(site.here("https://www.ndrc.gov.cn/xxgk/zcfb/fzggwl/index_1.html"))
        assert "is a later page of a list: page 1 is" in ran.err
        assert ran.source["url"] == f"{site.url}/xxgk/zcfb/fzggwl/index.html"


def test_an_address_of_a_preset_shows_its_rows_and_says_so(preview: Preview, monkeypatch: pytest.MonkeyPatch) -> None:
    with OfficialSite("miit/tz") as site:
        preset = config.presets()["miit/tz"]
        there = dataclasses.replace(preset, url=site.here(preset.url), keys={**preset.keys, "url": site.here(preset.url)})
        known = {**config.presets(), "miit/tz": there}
        monkeypatch.setattr("monitor.config.presets", lambda: known)
        monkeypatch.setattr("monitor.config.source.presets", lambda: known)
        ran = preview(there.url)
        assert ran.code == 0
        assert ran.source == {"preset": "miit/tz"}
        assert "there is a preset for it: 工业和信息化部, 通知 (checked: " in ran.out
        check(preview(there.url, "--json"), site)


def test_an_article_of_wechats_is_no_list_and_the_ways_to_follow_its_account_are_named(preview: Preview) -> None:
    with OfficialSite("wechat") as site:
        ran = preview(site.here(site.expect["url"]))
        assert ran.code == 1
        assert "“通知 | 八部门印发《“人工智能+制造”专项行动实施意见》”, of the account 中国信息安全" in ran.err
        assert "an article of WeChat's is one notice, not a list" in ran.err
        assert ran.source == {"preset": "doonsec"}
        assert """match = 'author:"中国信息安全"'""" in ran.out
        assert 'preset = "wechat/bridge"' in ran.out


EMPTY_FEED = "<rss version='2.0'><channel><title>f</title></channel></rss>"


@pytest.mark.parametrize(
    ("path", "media", "body", "said"),
    [
        ("/empty.xml", "application/rss+xml", EMPTY_FEED, "a feed, but it has no rows now"),
        ("/menu.json", "application/json", '{"menu": [{"label": "新闻"}]}', "no rows with a title and a link or a date"),
        (
            "/unit",
            "application/json",
            '{"success": true, "data": {"html": "<ul></ul>"}}',
            "name the address of the column's page",
        ),
        ("/page", "text/html", "<html><head><title>x</title></head><body><p>正文。</p></body></html>", 'kind = "page"'),
    ],
)
def test_an_address_without_rows_says_what_it_is(
    path: str, media: str, body: str, said: str, site: Site, preview: Preview
) -> None:
    site.bodies[path], site.types[path] = body.encode(), media
    ran = preview(site.url + path)
    assert (ran.code, ran.out) == (1, "")
    assert said in ran.err


# --- what is broken

ROWS = "".join(
    f"<div class='news'><a href='/a/t{n}.html'>关于第{n}项工作安排的通知</a><em>2026-01-{n:02d}</em></div>" for n in range(1, 9)
)
REBUILT = f"<html><head><title>新版通知公告</title></head><body><div id='list'>{ROWS}</div></body></html>"


def broken(site: Site, body: str, media: str = "text/html; charset=utf-8", kind: str = "list", keys: str = "") -> str:
    """A source whose list has become something else."""
    site.bodies["/list/"], site.types["/list/"] = body.encode(), media
    return f'[[source]]\nid = "a"\nkind = "{kind}"\nurl = "{site.url}/list/"\n{keys}\n'


def test_a_list_whose_selectors_match_nothing_says_which_and_what_would_fit_now(site: Site, preview: Preview) -> None:
    ran = preview("a", more=broken(site, REBUILT, keys='items = "ul.l > li"\ndate = "span"'))
    assert (ran.code, ran.out) == (1, "")
    assert "no row on the page titled “新版通知公告”" in ran.err
    assert 'items "ul.l > li" matches 0, link "a" matches 8, date "span" matches 0' in ran.err
    assert re.search(r"answers HTTP 200, text/html, [\d,]+ bytes, titled “新版通知公告”", ran.err)
    assert "this would fit now (8 rows, the first: 关于第1项工作安排的通知):" in ran.err
    assert 'items = "#list > div"\n' in ran.err
    assert 'date = "em"\n' in ran.err
    again = preview("a", "--json", more=broken(site, REBUILT, keys='items = "#list > div"\ndate = "em"'))
    assert len(again.rows) == 8


def test_a_page_that_refuses_says_its_status_and_title(site: Site, preview: Preview) -> None:
    more = broken(site, "<html><head><title>您访问的页面不存在</title></head></html>", keys='items = "ul.l > li"')
    site.status["/list/"] = 404
    ran = preview("a", more=more)
    assert ran.code == 1
    assert "a: 127.0.0.1: HTTP 404" in ran.err
    assert "the page that came is titled “您访问的页面不存在”" in ran.err
    assert f"it was expected at {site.url}/list/" in ran.err


def test_json_that_was_rebuilt_says_what_it_is_and_what_would_fit_now(site: Site, preview: Preview) -> None:
    rows = [{"id": n, "docTitle": f"第{n}号通知的标题", "pubDate": "2026-01-05", "docUrl": f"/a/{n}"} for n in range(5)]
    more = broken(
        site, json.dumps({"result": {"rows": rows}}), "application/json", "json", 'items = "data.list"\ntitle = "title"'
    )
    ran = preview("a", more=more)
    assert ran.code == 1
    assert 'has nothing at "data.list"' in ran.err
    for key in ('items = "result.rows"', 'title = "docTitle"', 'link = "docUrl"', 'date = "pubDate"'):
        assert f"  {key}\n" in ran.err


def test_a_feed_that_became_a_page_says_which_source_would_fit(site: Site, preview: Preview) -> None:
    ran = preview("a", more=broken(site, REBUILT, kind="feed"))
    assert ran.code == 1
    assert '  kind = "list"\n' in ran.err
    assert '  items = "#list > div"\n' in ran.err


def test_a_unit_of_the_publish_server_with_other_rows_says_what_would_fit(preview: Preview) -> None:
    with OfficialSite("miit/tz") as site:
        more = moved("miit/tz", site) + 'items = "table.none tr"\n'
        ran = preview("miit/tz", more=more)
        assert ran.code == 1
        assert "this would fit now (24 rows" in ran.err
        assert '  items = "div.page-content > ul > li"\n' in ran.err


@pytest.mark.parametrize(
    ("keys", "over"),
    [
        ('items = "ul.l > li"', ['items = "#list > div"', 'date = "em"']),
        ('items = "ul.l > li"\nlink = "a.old"', ['items = "#list > div"', 'date = "em"', 'link = "a"']),
        ('items = "ul.l > li"\ntitle = "em"', ['kind = "list"', 'url = "{url}/list/"', 'items = "#list > div"', 'date = "em"']),
    ],
)
def test_what_would_fit_is_only_what_has_to_be_written_over(keys: str, over: list[str], site: Site, preview: Preview) -> None:
    ran = preview("a", more=broken(site, REBUILT, keys=keys))
    fitting = ran.err.partition("this would fit now")[2].splitlines()[1:]
    assert fitting == [f"  {line.format(url=site.url)}" for line in over]


def test_a_shield_is_named_and_no_selector_is_guessed(site: Site, preview: Preview) -> None:
    more = broken(site, "<html><script>document.cookie='a=1';location.href='/'</script></html>", keys='items = "li"')
    site.status["/list/"] = 521
    ran = preview("a", more=more)
    assert ran.code == 1
    assert "anti-bot page: 加速乐" in ran.err
    assert "would fit" not in ran.err
    assert "a browser gets through" in ran.err
