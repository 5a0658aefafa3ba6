"""An address becomes a source to paste: feeds by content and link, lists by their repeated rows."""

# ruff: noqa: E501 - tables of cases, a case a line
from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


DOWN = r"maxPageNum77\s*=\s*(\d+)"


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
    assert dict(found.keys) == {"items": "ul.u-list > li", "date": "span"}
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
        ("<script>createPageHTML(34, 0, 'index', 'html');</script>", {"next": "index_{page}.html"}),
        ("<script>createPageHTML(34, 1, 'list', 'shtml');</script>", {"next": "list_{page}.shtml", "first_next": 2}),
        (
            "<script>createPageHTML('pages', 34, 1, 'index', 'html', 800);</script>",
            {"next": "index_{page}.html", "first_next": 2},
        ),
        ("<script>createPageHTML(1, 0, 'index', 'html');</script>", {}),
        ("<script>var maxPageNum77=9;var pageName77='index_77_';</script>", {"next": "index_77_{page}.html", "downwards": DOWN}),
        ("<script>var maxPageNum77=1;var pageName77='index_77_';</script>", {}),
        ("<a class='next' href='index_1.html'>下一页</a>", {"next": "css:a.next"}),
        ("<a href='index_1.html'>下一页</a>", {"next": "index_{page}.html"}),
        ("<a href='index_2.html'>下一页</a>", {"next": "index_{page}.html", "first_next": 2}),
        ("<a href='?kind=3&page=2'>下一页 &gt;</a>", {"next": "?kind=3&page={page}", "first_next": 2}),
        ("<a href='/elsewhere/index_2.html'>下一页</a>", {}),
        ("<a href='javascript:next()'>下一页</a>", {}),
        ("", {}),
    ],
)
def test_the_way_to_page_2_is_found(addition: str, following: dict[str, str | int]) -> None:
    found = discover.best(discover.suggest(got(LIST.replace("</body>", f"{addition}</body>"))))
    assert found is not None
    assert {key: value for key, value in found.keys.items() if key not in ("items", "date")} == following


NUMBERED = LIST.replace("</body>", "<script>var totalData=50,pageSize=8;</script><a href='index_pc_1.html'>首页</a></body>")


@pytest.mark.parametrize(
    ("page", "file", "first"),
    [
        (
            LIST.replace("</body>", "<script>createPageHTML(34, 3, 'index', 'html');</script></body>"),
            "index_3.html",
            "index.html",
        ),
        (LIST.replace("</body>", "<script>createPageHTML(34, 0, 'index', 'html');</script></body>"), "index.html", None),
        (LIST.replace("</body>", "<a href='search?page=1'>首页</a></body>"), "search?page=4", "search?page=1"),
        (NUMBERED, "index_pc_3.html", "index_pc_1.html"),
        (NUMBERED, "index_pc_1.html", None),
        (LIST, "t20260101_12.html", None),
    ],
)
def test_a_later_page_knows_the_first(page: str, file: str, first: str | None) -> None:
    place = "https://www.example.gov.cn/xxgk/tz/"
    assert discover.first_page(got(page, place + file)) == (place + first if first else None)


def test_a_file_that_is_numbered_has_a_page_2_where_the_page_says_that_there_is_more() -> None:
    found = discover.best(discover.suggest(got(NUMBERED, "https://www.example.gov.cn/tz/index_pc_1.html")))
    assert found is not None
    assert (found.keys["next"], found.keys["first_next"]) == ("index_pc_{page}.html", 2)
    few = NUMBERED.replace("totalData=50", "totalData=8")
    found = discover.best(discover.suggest(got(few, "https://www.example.gov.cn/tz/index_pc_1.html")))
    assert found is not None
    assert "next" not in found.keys


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


# --- what is a row and what is not

PROSE = "<p>" + "现将有关事项通知如下，请各单位结合实际认真抓好落实，并及时报送进展情况。" * 8 + "</p>"
LINKS = "".join(f"<li><a href='/a/t{i}.html'>关于第{i}项工作的相关报道和解读</a></li>" for i in range(1, 9))
DATED = "".join(f"<li><a href='/a/t{i}.html'>关于第{i}项工作的相关报道</a><i>2026-01-{i:02d}</i></li>" for i in range(1, 9))


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        pytest.param(f"<div class='wrap'><ul>{LINKS}</ul></div>", 8, id="titles without dates that lead to documents"),
        pytest.param(f"<div class='sidebar'><ul>{LINKS}</ul></div>", 0, id="the same at the side"),
        pytest.param(f"<nav><ul>{LINKS}</ul></nav>", 0, id="the same in a menu"),
        pytest.param(f"<ul>{LINKS.replace('/a/t', '/column/x').replace('.html', '/')}</ul>", 8, id="numbered folders"),
        pytest.param(f"<div id='zoom'>{PROSE}</div><ul>{DATED}</ul>", 0, id="related links with dates beside a text"),
        pytest.param(f"<div id='zoom'>{PROSE}<ul>{DATED}</ul></div>", 8, id="a list with dates within a text"),
        pytest.param(f"<div id='zoom'>{PROSE}<ul>{LINKS}</ul></div>", 0, id="links within a text"),
        pytest.param(f"<ul class='a'>{DATED}</ul><ul class='b'>{LINKS.replace('/a/', '/b/')}</ul>", 8, id="a ranking beside a list"),
        pytest.param(f"<ul>{DATED}<li style='display:none'><a href='/a/x9.html'>模板稿件请勿删除</a><i>2020-01-01</i></li></ul>", 8, id="hidden"),
    ],
)  # fmt: skip
def test_rows_are_notices_and_not_what_else_repeats(body: str, rows: int) -> None:
    found = discover.best(discover.suggest(got(f"<html><body>{body}</body></html>")))
    assert (found.rows if found else 0) == rows


def test_rows_that_stand_in_several_lists_are_one_list() -> None:
    lists = "".join(f"<ul class='five'>{ROWS.replace('./t', f'./{part}t')}</ul><hr>" for part in "abc")
    found = discover.best(discover.suggest(got(f"<html><body><div class='lists'>{lists}</div></body></html>")))
    assert found is not None
    assert (found.keys["items"], found.rows) == ("ul.five > li", 24)


def test_nested_links_are_no_rows() -> None:
    more = (
        "<div class='popbox'><ul>"
        + "".join(f"<li><a href='/jd/{i}.html'>专家解读之第{i}篇</a></li>" for i in range(4))
        + "</ul></div>"
    )
    rows = "".join(
        f"<li><a href='./t{i}.html'>关于第{i}项工作安排的通知</a>{more}<span>2026-01-{i:02d}</span></li>" for i in range(1, 7)
    )
    found = discover.best(discover.suggest(got(f"<html><body><ul class='u-list'>{rows}</ul></body></html>")))
    assert found is not None
    assert [notice.title for notice in found.listing.notices] == [f"关于第{i}项工作安排的通知" for i in range(1, 7)]


# --- JSON

ROW = {
    "id": "a{n}",
    "docTitle": "关于第{n}项工作安排的通知",
    "url": "/a/{n}.html",
    "pubTime": "2026-01-0{n} 08:00:00",
    "views": "3{n}",
}


def answer(**changed: object) -> list[dict[str, object]]:
    """Five rows of the usual kind; a field changed to None is left out."""
    rows = [
        {key: str(value).format(n=n) if isinstance(value, str) else value for key, value in (ROW | changed).items()}
        for n in range(1, 6)
    ]
    return [{key: value for key, value in row.items() if value is not None} for row in rows]


@pytest.mark.parametrize(
    ("value", "keys"),
    [
        (answer(), {"title": "docTitle", "link": "url", "date": "pubTime"}),
        ({"data": {"list": answer()}}, {"items": "data.list", "title": "docTitle", "link": "url", "date": "pubTime"}),
        ({"数据": answer()}, {"items": '"数据"', "title": "docTitle", "link": "url", "date": "pubTime"}),
        (answer(docTitle="<em>关于</em>第{n}项工作"), {"title": "html_text(docTitle)", "link": "url", "date": "pubTime"}),
        (answer(pubTime=1767600000000), {"title": "docTitle", "link": "url", "date": "pubTime"}),
        (answer(updateTime="2026-01-05 08:00:00"), {"title": "docTitle", "link": "url", "date": "pubTime"}),
        (answer(coverUrl="/pic/{n}.png", api_url="https://api.example.org/{n}"), {"title": "docTitle", "link": "url", "date": "pubTime"}),
        (answer(url=None), {"title": "docTitle", "date": "pubTime", "key": "id"}),
        (answer(url=None, level="高危"), {"title": "docTitle", "date": "pubTime", "key": "id"}),
        (answer(url=None, summary="第{n}项的摘要"), {"title": "docTitle", "date": "pubTime", "key": "id", "text": ["summary"]}),
        ([{"wrap": [{"data": row}]} for row in answer()], {"title": "wrap[0].data.docTitle", "link": "wrap[0].data.url", "date": "wrap[0].data.pubTime"}),
        ({"menu": [{"name": "新闻中心", "children": []}] * 4}, None),
        ({"codes": [{"label": "高危漏洞", "value": str(n)} for n in range(9)]}, None),
        ([], None),
        ({"total": 3, "rows": []}, None),
        ([1, 2, 3], None),
    ],
)  # fmt: skip
def test_a_json_answer_is_a_list_by_its_fields(value: object, keys: dict[str, object] | None) -> None:
    found = discover.best(discover.suggest(got(json.dumps(value, ensure_ascii=False), "https://www.example.gov.cn/list.json")))
    assert (dict(found.keys) if found else None) == keys
    if found is not None:
        assert found.kind == "json"
        assert [notice.title for notice in found.listing.notices][:1] in (["关于第1项工作安排的通知"], ["关于第1项工作"])
        assert all(notice.published for notice in found.listing.notices)


def test_the_parameter_of_an_interface_that_is_the_page_is_written_out() -> None:
    found = discover.best(discover.suggest(got(json.dumps(answer()), "https://www.example.gov.cn/list?pageNo=1&size=5")))
    assert found is not None
    assert found.keys["page_param"] == "pageNo"


def test_json_that_a_page_without_rows_names_in_its_script_is_asked() -> None:
    page = "<html><body><div id='list'></div><script>$.getJSON('./ZUIXIN.json?v=1', show)</script></body></html>"
    (found,) = discover.suggest(got(page))
    assert (found.kind, found.listing, found.ask.url if found.ask else "") == (
        "json",
        None,
        "https://www.example.gov.cn/xxgk/tz/ZUIXIN.json?v=1",
    )
    done = discover.completed(found, got(json.dumps(answer()), found.ask.url))
    assert done is not None
    assert (done.rows, discover.toml(done).split("\n")[1:4]) == (
        5,
        ['id = "example/tz"', 'kind = "json"', 'url = "https://www.example.gov.cn/xxgk/tz/ZUIXIN.json?v=1"'],
    )


# --- the publish server


def unit(tag: str) -> str:
    query = f"{{'webId':'w','pageId':'p','tplSetId':'t','tagId':'{tag}'}}"
    return f'<script parseType="buildstatic" url="/api-gateway/jpaas-publish-server/front/page/build/unit" queryData="{query}"></script>'


def unit_answer(ask: Request, html: str) -> Fetched:
    return replace(got(json.dumps({"success": True, "data": {"html": html}}), ask.url), request=ask)


def test_a_unit_of_a_column_is_named_where_its_list_is_not_the_likeliest() -> None:
    page = f"<html><body>{unit('顶部导航')}{unit('左侧栏目')}{unit('公示区')}</body></html>"
    found = discover.suggest(got(page))
    assert [one.kind for one in found] == ["jpaas"] * 3
    menu, list_, _ = found
    assert menu.ask is not None
    assert list_.ask is not None
    assert discover.completed(menu, unit_answer(menu.ask, f"<ul>{MENU}</ul>")) is None
    done = discover.completed(list_, unit_answer(list_.ask, f"<ul class='gs'>{ROWS}</ul>"))
    assert done is not None
    assert (done.rows, dict(done.keys)) == (8, {"items": "ul.gs > li", "date": "span", "tag": "公示区"})
    assert 'tag = "公示区"' in discover.toml(done)


def test_a_unit_that_is_silent_is_asked_in_the_other_spelling() -> None:
    (found,) = discover.suggest(got(f"<html><body>{unit('分页列表')}</body></html>"))
    assert found.ask is not None
    again = discover.completed(found, unit_answer(found.ask, ""))
    assert again is not None
    assert again.ask is not None
    assert "parseType=bulidstatic" in again.ask.url
    assert discover.completed(again, unit_answer(again.ask, "")) is None
    done = discover.completed(again, unit_answer(again.ask, f"<ul>{ROWS}</ul>"))
    assert done is not None
    assert done.rows == 8


# --- what is pasted


def test_the_id_of_a_pasted_source_is_none_that_is_taken() -> None:
    found = discover.best(discover.suggest(got(LIST)))
    assert found is not None
    names = [
        tomllib.loads(discover.toml(found, taken))["source"][0]["id"]
        for taken in ([], ["example/tz"], ["example/tz", "example/tz-2"])
    ]
    assert names == ["example/tz", "example/tz-2", "example/tz-3"]


def test_rows_without_a_page_are_not_followed() -> None:
    found = discover.best(discover.suggest(got(json.dumps(answer(url=None)))))
    assert found is not None
    assert "follow" not in tomllib.loads(discover.toml(found))["source"][0]


# --- whatever comes

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["2026-01-05", "/a/1.html", "通知一则通知"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=6) | st.sampled_from(["title", "url", "date"]), inner, max_size=4)
    ),
    max_leaves=30,
)
PIECES = st.sampled_from(
    ["<ul>", "</ul>", "<li>", "</li>", "<a href='/a/1.html'>", "</a>", "<tr>", "<td>", "通知公告一则", "2026-01-05", "<div id='1x' class='a b--c 9'>", "</div>",
     "<script>", "createPageHTML(3, 0, 'index', 'html')", "</script>", "<script queryData=\"{'webId':'w','pageId':'p','tplSetId':'t','tagId':'x'}\">", "<span>", "<", "&", "\x00", "\ud800"]
)  # fmt: skip


@given(VALUES | st.lists(VALUES, min_size=3, max_size=5))
def test_no_json_breaks_it(value: object) -> None:
    found = discover.suggest(got(json.dumps(value)))
    assert all(tomllib.loads(discover.toml(one)) for one in found)


@given(st.lists(PIECES, max_size=60).map("".join))
def test_no_page_breaks_it(page: str) -> None:
    found = discover.suggest(got(page.encode("utf-8", "surrogatepass")))
    assert all(tomllib.loads(discover.toml(one)) for one in found)
    discover.first_page(got(page.encode("utf-8", "surrogatepass")))
