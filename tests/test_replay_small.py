"""One page version by version through both loops: what its readers are told, and what they are spared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from monitor import decide
from monitor.decide.doubt import doubtful, files_print
from monitor.model import Attachment
from monitor.store import notices
from tests.house import House, Site

PAGE = """
[[source]]
id = "page"
kind = "page"
url = "{url}/page"
"""
SELECTED = PAGE + 'select = ["main"]\n'
LINES = [f"第{n}条 各单位应当在每年第{n}季度末之前，向主管部门报送书面总结，并说明下一步的安排。" for n in range(1, 9)]


def page(lines: Sequence[str] = LINES, *, head: str = "<h1>管理办法</h1>", tail: str = "", inside: str = "main") -> str:
    """A page of paragraphs with a menu above."""
    text = "".join(f"<p>{line}</p>" for line in lines)
    return f"<html><body><div><a href=/>首页</a></div><{inside}>{head}{text}{tail}</{inside}></body></html>"


WHOLE = page()
LOADING = page([], head="<p>Chargement en cours ...</p>")
EMPTY = page([], head="")
REWRITTEN = page(["本办法自即日起废止，相关事项按照新办法执行。"], head="<h1>管理办法</h1>")
SHORTER = page(LINES[:3] + LINES[4:])
HEADLESS = page(head="")


def linked(address: str) -> str:
    return page(tail=f"<p>全文见<a href='{address}'>这里</a>。</p>")


def tokened(kept: str) -> list[str]:
    """The same link with another token at each look."""
    return [linked(kept.format(f"{n}f3a9c0d7e{n}b5")) for n in range(1, 7)]


#: versions, one a check, the first being the baseline → the number of the checks in which a revision is told
MAINTENANCE = page(
    ["尊敬的用户：为了给您提供更好的服务，本网站正在进行系统升级维护，维护期间将暂停访问，请您稍后再试。"] * 9,
    head="<h1>系统维护</h1>",
)
QUIET: dict[str, list[str]] = {
    "still loading, and back": [WHOLE, LOADING, WHOLE, WHOLE],
    "still loading for three checks, and back": [WHOLE, LOADING, LOADING, LOADING, WHOLE, WHOLE],
    "no text for three checks, and back": [WHOLE, EMPTY, EMPTY, EMPTY, WHOLE, WHOLE],
    "maintenance for three checks, and back": [WHOLE, MAINTENANCE, MAINTENANCE, MAINTENANCE, WHOLE, WHOLE],
    "maintenance of a short page, and back": [REWRITTEN, MAINTENANCE, MAINTENANCE, REWRITTEN, REWRITTEN],
    "a heading missing once": [WHOLE, HEADLESS, WHOLE, WHOLE],
    "a paragraph missing once": [WHOLE, SHORTER, WHOLE, WHOLE],
    "most of it missing once": [WHOLE, page(LINES[:2]), WHOLE, WHOLE],
    "another level of heading": [WHOLE, page(head="<h2>管理办法</h2>"), WHOLE],
    "signs at headings": [WHOLE, *[page(head=f"<h1>管理办法<a href='#a'>{sign}</a></h1>") for sign in "¶#§"], WHOLE],
    "a mail address hidden from robots": [
        page(tail="<p>a@b.cn</p>"),
        page(tail="<p><a class=__cf_email__ data-cfemail=2a4b6a48044944>[email&#160;protected]</a></p>"),
    ],
    "all of it twice, for another screen": [WHOLE, WHOLE.replace("</main>", "</main>" + WHOLE[WHOLE.index("<main>") :][:-14])],
    "a token in a link": tokened("https://files.example.org/download/list.pdf?token={}"),
    "a token in the path of a link": tokened("https://files.example.org/download/{}/list.pdf"),
    "a token that is all of a link": tokened("https://files.example.org/file/{}/view"),
}
TOLD: dict[str, tuple[list[str], list[int]]] = {
    "a word": ([WHOLE, WHOLE.replace("书面", "电子"), WHOLE.replace("书面", "电子")], [1]),
    "a line more": ([WHOLE, page([*LINES, "第九条 本办法由主管部门负责解释。"])], [1]),
    "a paragraph less": ([WHOLE, SHORTER, SHORTER, SHORTER], [2]),
    "all rewritten, far shorter": ([WHOLE, REWRITTEN, REWRITTEN, REWRITTEN], [2]),
    "all is something else for over a day": ([WHOLE, *[MAINTENANCE] * 6], [5]),
    "a paragraph less, and then another word": ([WHOLE, SHORTER, SHORTER.replace("书面", "电子")], [2]),
    "back to what it was": ([WHOLE, page([*LINES, "第九条"]), WHOLE, WHOLE], [1, 3]),
    "most missing, in another way each time, for over a day": (
        [WHOLE, *[page([f"第{n}条"]) for n in range(1, 6)], page(["第5条"])],
        [5],
    ),
    "another file behind the same words": (
        [linked(f"/f/a{n}.pdf") for n in (1, 2, 2, 2)],
        [2],
    ),
    "another shared document behind the same words": (
        [linked(f"https://share.example.org/file/d/{name}/view") for name in ("1yCnbLhVfK1l", "1oc2KDS79dQ6", "1oc2KDS79dQ6")],
        [2],
    ),
}


def revisions(house: House, site: Site, versions: Sequence[str]) -> list[int]:
    """The numbers of the checks, six hours apart, in which a revision was told."""
    told: list[int] = []
    for number, body in enumerate(versions):
        site.bodies["/page"] = body.encode()
        house.clock.on(hours=6)
        house.check()
        told += [number] * (len([kind for kind, _ in house.told() if kind == "revised"]) - len(told))
    assert {kind for kind, _ in house.told()} <= {"revised", "failing", "recovered"}
    return told


@pytest.mark.parametrize("source", [PAGE, SELECTED], ids=["bare", "selected"])
@pytest.mark.parametrize("versions", QUIET.values(), ids=list(QUIET))
def test_what_is_no_edit_is_not_told(build: Callable[..., House], site: Site, source: str, versions: list[str]) -> None:
    site.bodies["/page"] = versions[0].encode()
    assert revisions(build(source), site, versions) == []


@pytest.mark.parametrize("source", [PAGE, SELECTED], ids=["bare", "selected"])
@pytest.mark.parametrize(("versions", "checks"), TOLD.values(), ids=list(TOLD))
def test_an_edit_is_told_once_at_the_next_check_but_one_at_the_latest(
    build: Callable[..., House], site: Site, source: str, versions: list[str], checks: list[int]
) -> None:
    site.bodies["/page"] = versions[0].encode()
    assert revisions(build(source), site, versions) == checks


def test_a_page_that_leads_to_a_login_is_a_failed_check_and_one_that_always_led_elsewhere_is_none(
    build: Callable[..., House], site: Site
) -> None:
    def lead(to: str, body: str) -> None:
        site.status["/page"], site.headers["/page"] = 302, {"Location": to}
        site.bodies["/page"], site.bodies[to], site.types[to] = b"", body.encode(), "text/html; charset=utf-8"

    lead("/guide", WHOLE)
    house = build(PAGE)
    house.check()
    site.bodies["/guide"] = WHOLE.replace("书面", "电子").encode()
    house.clock.on(hours=6)
    assert house.check()["page"].outcome == "changed"
    lead("/login", page(["请输入用户名和密码登录系统。忘记密码请联系管理员。"] * 9, head="<h1>用户登录</h1>"))
    for _ in range(4):
        house.clock.on(hours=6)
        assert house.check()["page"].outcome == "failed"
    assert [kind for kind, _ in house.told() if kind == "revised"] == ["revised"]


def test_a_replaced_document_is_named_in_both_versions(build: Callable[..., House], site: Site) -> None:
    site.bodies["/page"] = linked("/f/a1.pdf").encode()
    house = build(PAGE)
    assert revisions(house, site, [linked(f"/f/a{n}.pdf") for n in (1, 2, 2)]) == [2]
    with house.loops.store.read() as conn:
        (change,) = house.changes()
        files = [notices.version(conn, change["notice"], change[side]) for side in ("from_version", "to_version")]
    assert change["reason"] == "attachments"
    assert [[file.url.rpartition("/")[2] for file in one.attachments] for one in files if one] == [["a1.pdf"], ["a2.pdf"]]


# --- the rules alone

TEXT = "甲一\n乙二\n丙三"
STANDS = decide.Known(1, "page", None, "管理办法", "1:a", "page/1:0", text=TEXT, former=frozenset({"1:f"}))
DOUBTED = {
    "another text": ("甲一\n乙二\n丁四", None),
    "a line more": ("甲一\n乙二\n丙三\n丁四", None),
    "a line less": ("甲一\n丙三", "lines are missing, none is new"),
    "a line less and one altered": ("甲一\n丙四", None),
    "lines in another order": ("丙三\n甲一\n乙二", None),
    "the same text": ("甲一\n乙二\n丙三", "only linked files are others"),
    "nothing": ("", "most of the text is missing"),
    "not compared": (None, None),
}


@pytest.mark.parametrize(("said", "why"), DOUBTED.values(), ids=list(DOUBTED))
def test_what_has_to_stand_before_it_counts(said: str | None, why: str | None) -> None:
    assert doubtful(STANDS, "row", "1:b", "管理办法", said) == why
    assert doubtful(STANDS, "row", "1:f", "管理办法", said) == "a former state"
    seen = replace(STANDS, doubts={"row": "1:b"})
    assert doubtful(seen, "row", "1:b", "管理办法", said) is None
    assert doubtful(seen, "page", "1:b", "管理办法", said) == why


@pytest.mark.parametrize(("hours", "over"), [(23, False), (24, True)])
def test_doubt_is_over_after_a_day_but_for_linked_files(hours: int, over: bool) -> None:
    waiting = replace(STANDS, doubts={"row": "1:c"}, waited={"row": timedelta(hours=hours)})
    assert (doubtful(waiting, "row", "1:b", "管理办法", "甲一\n丙三") is None) is over
    assert (doubtful(waiting, "row", "1:f", "管理办法", "甲一\n丙三") is None) is over
    assert doubtful(waiting, "row", "1:b", "管理办法", TEXT) == "only linked files are others"


@pytest.mark.parametrize(
    ("title", "said", "why"),
    [
        ("系统维护公告", "本网站正在升级，请稍后再试，敬请谅解。", "all is something else"),
        ("系统维护公告", "本网站正在升级，《管理 办法》请稍后再看。", None),
        ("管理办法（修订）", "本办法自即日起施行，请遵照执行。", None),
        ("系统维护公告", "甲一\n乙二\n丙三\n丁四", None),
    ],
    ids=["neither title nor words", "its title in the text", "its title, edited", "its words"],
)
def test_a_page_that_says_something_else_entirely_is_doubted_for_a_day(title: str, said: str, why: str | None) -> None:
    assert doubtful(STANDS, "row", "1:b", title, said, own=True) == why
    again = replace(STANDS, doubts={"row": "1:b"}, waited={"row": timedelta(hours=23)})
    assert doubtful(again, "row", "1:b", title, said, own=True) == why
    assert doubtful(replace(again, waited={"row": timedelta(hours=24)}), "row", "1:b", title, said, own=True) is None
    assert doubtful(STANDS, "row", "1:b", title, said) is None, "what a list or a feed says is not served in place of another"


def test_another_title_over_the_same_words_counts_at_once() -> None:
    assert doubtful(STANDS, "row", "1:b", "管理办法", TEXT, titled=True) is None


def test_a_file_is_known_by_its_name_whatever_follows_it() -> None:
    def files(*urls: str) -> str | None:
        return files_print(Attachment(url=url, name="附件") for url in urls)

    assert files() is None
    assert files("https://a.cn/f/1.pdf?t=1") == files("http://a.cn/f/1.pdf?t=2")
    assert files("https://a.cn/f/1.pdf", "https://a.cn/f/2.pdf") == files("https://a.cn/f/2.pdf", "https://a.cn/f/1.pdf")
    assert files("https://a.cn/f/1.pdf") != files("https://a.cn/f/2.pdf")
    assert files("https://a.cn/down?id=1") != files("https://a.cn/down?id=2")
