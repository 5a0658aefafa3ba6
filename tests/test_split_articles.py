"""An article that its site has split into several pages is one text, whatever happens to one of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.check import parts
from tests.house import House, Row, Site

TITLE = "关于印发《数据安全管理办法》的通知"
FIRST, SECOND, THIRD = "第一条 为了规范数据处理活动，制定本办法。", "第二条 本办法适用于境内。", "第三条 自发布之日起施行。"


def page(text: str, links: str, title: str = TITLE) -> bytes:
    return (
        f"<html><head><meta charset='utf-8'><title>{title}_示例部</title></head><body><h1>{title}</h1>"
        f"<div id='zoom'><p>示例部令</p><p>{text}</p>{links}<p>（责编：甲）</p></div></body></html>"
    ).encode()


def pager(at: int, of: int) -> str:
    """People's Daily: numbers in brackets, and a picture that says "next page"."""
    names = [f"/p/a{'' if n == 1 else f'-{n}'}.html" for n in range(1, of + 1)]
    numbers = "".join(f"<a href='{name}'>【{n}】</a>" for n, name in enumerate(names, 1))
    after = f"<center><a href='{names[at]}'><img src='/img/next_page.jpg'></a></center>" if at < of else ""
    return f"<div class='zdfy'>{numbers}</div>{after}"


def script(at: int, of: int) -> str:
    """TRS: the links are written by a script."""
    return f'<script>function createPageHTML(a,b,c,d){{}} createPageHTML({of},{at},"a","html");</script>'


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site([Row("old", "关于旧事项的通知", "2026-01-01")])
    yield made
    made.close()


def serve(site: Site, *pages: tuple[str, bytes]) -> None:
    for path, body in pages:
        site.bodies[path] = body
        site.types[path] = "text/html; charset=utf-8"


def numbered(site: Site, texts: tuple[str, ...]) -> None:
    serve(
        site,
        *((f"/p/a{'' if n == 1 else f'-{n}'}.html", page(said, pager(n, len(texts)))) for n, said in enumerate(texts, 1)),
    )


def house_with(tmp_path: Path, site: Site) -> House:
    house = House(tmp_path, site, "follow = true\n")
    house.check()
    site.rows.insert(0, Row("a", TITLE, "2026-01-12"))
    return house


def text_of(house: House) -> str:
    with house.loops.store.read() as conn:
        return str(conn.execute("SELECT text FROM notices WHERE row_title = ?", (TITLE,)).fetchone()["text"])


def asked(site: Site) -> list[str]:
    return [path for path, _ in site.asked if path.startswith("/p/a")]


@pytest.mark.parametrize("links", [pager, lambda at, of: script(at - 1, of)], ids=["links", "script"])
def test_all_its_pages_are_one_text_with_what_they_repeat_once(tmp_path: Path, site: Site, links: object) -> None:
    sign = "-" if links is pager else "_"
    names = ["/p/a.html", *(f"/p/a{sign}{n if sign == '-' else n - 1}.html" for n in (2, 3))]
    serve(site, *((n, page(t, links(at, 3))) for at, (n, t) in enumerate(zip(names, (FIRST, SECOND, THIRD), strict=True), 1)))  # type: ignore[operator]
    house = house_with(tmp_path, site)
    try:
        house.check()
        assert text_of(house) == "\n".join(("示例部令", FIRST, SECOND, THIRD, "（责编：甲）"))
        assert asked(site) == names
        assert house.told()[-1] == ("new", TITLE)
    finally:
        house.close()


def test_an_edit_on_the_second_page_alone_is_a_revision(tmp_path: Path, site: Site) -> None:
    numbered(site, (FIRST, SECOND))
    house = house_with(tmp_path, site)
    try:
        house.check()
        numbered(site, (FIRST, SECOND.replace("境内", "境内外")))
        house.clock.on(hours=2)
        house.check()
        assert house.told()[-1] == ("revised", TITLE)
        assert "境内外" in text_of(house)
    finally:
        house.close()


@pytest.mark.parametrize("status", [503, 500, 403])
def test_half_an_article_is_not_a_revision_but_a_failed_reading(tmp_path: Path, site: Site, status: int) -> None:
    numbered(site, (FIRST, SECOND))
    house = house_with(tmp_path, site)
    try:
        house.check()
        whole, told = text_of(house), house.told()
        site.status["/p/a-2.html"] = status
        site.bodies.pop("/p/a-2.html")
        house.clock.on(hours=2)
        house.check()
        assert text_of(house) == whole
        assert house.told() == told
    finally:
        house.close()


def test_a_second_page_that_is_not_there_ends_the_article(tmp_path: Path, site: Site) -> None:
    numbered(site, (FIRST, SECOND))
    site.bodies.pop("/p/a-2.html")
    house = house_with(tmp_path, site)
    try:
        house.check()
        assert FIRST in text_of(house)
        assert {n["title"]: n["state"] for n in house.notices()}[TITLE] == "present"
    finally:
        house.close()


@pytest.mark.parametrize(
    ("path", "title", "said"),
    [
        ("/p/a-2.html", "关于召开工作会议的通知", SECOND),  # the next article
        ("/p/a-2.html", TITLE, FIRST),  # the site takes any number and shows the first page
    ],
)
def test_what_does_not_go_on_with_the_text_is_left_out(tmp_path: Path, site: Site, path: str, title: str, said: str) -> None:
    serve(site, ("/p/a.html", page(FIRST, pager(1, 2))), (path, page(said, pager(2, 2), title)))
    house = house_with(tmp_path, site)
    try:
        house.check()
        assert text_of(house) == "\n".join(("示例部令", FIRST, "（责编：甲）"))
    finally:
        house.close()


def test_pages_without_end_are_bounded(tmp_path: Path, site: Site) -> None:
    numbered(site, tuple(f"第{n}条 各单位应当遵守本条的规定。" for n in range(1, parts.MOST + 11)))
    house = house_with(tmp_path, site)
    try:
        house.check()
        assert len(asked(site)) == parts.MOST
    finally:
        house.close()


def test_two_pages_that_name_each_other_as_the_next_are_read_once_each(tmp_path: Path, site: Site) -> None:
    serve(
        site,
        ("/p/a.html", page(FIRST, "<a href='/p/a-2.html'>下一页</a>")),
        ("/p/a-2.html", page(SECOND, "<a href='/p/a-3.html'>下一页</a>")),
        ("/p/a-3.html", page(FIRST, "<a href='/p/a-2.html'>下一页</a>")),
    )
    house = house_with(tmp_path, site)
    try:
        house.check()
        assert asked(site) == ["/p/a.html", "/p/a-2.html", "/p/a-3.html"]
        assert text_of(house).count(FIRST) == 1
    finally:
        house.close()
