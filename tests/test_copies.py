"""The same document in several places is one message on each channel; what is only alike is told; a flaw is told again when it
gets worse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.house import House, Row

TITLE = "关于印发《“人工智能+制造”专项行动实施意见》的通知"
REPRINT = "通知 | 八部门印发《“人工智能+制造”专项行动实施意见》"
ORDER = "\n".join(f"第{n}条 各单位应当于{n}月底前完成第{n}项工作，并将结果报送部里，逾期不予受理。" for n in range(1, 30))

TWO = """
[[source]]
id = "a"
kind = "list"
url = "{url}/list/"
items = "ul.l > li"
date = "span"
follow = true
[[source]]
id = "b"
kind = "list"
url = "{url}/list/index_1.html"
items = "ul.l > li"
date = "span"
follow = true
"""
CHANNELS = """
[[channel]]
id = "one"
url = "console://"
[[channel]]
id = "two"
url = "console://"
"""


class Both:
    """Two sources over one site: the rows before `split` are source a's, the others source b's."""

    def __init__(self, build: Callable[..., House], routes: str = "") -> None:
        self.house = build(TWO, channels=CHANNELS, extra=routes)
        site, original = self.house.site, list(self.house.site.rows)
        self.a: list[Row] = original[:6]
        self.b: list[Row] = original[6:]
        site._list = self._list  # type: ignore[method-assign]  # two lists instead of pages of one
        self._sync()
        self.house.check()

    def _list(self, page: int) -> str:
        rows = self.b if page else self.a
        items = "".join(f"<li><a href='/p/{row.name}.html'>{row.title}</a><span>{row.date}</span></li>" for row in rows)
        return f"<html><head><title>list</title></head><body><ul class='l'>{items}</ul></body></html>"

    def _sync(self) -> None:
        self.house.site.rows = self.a + self.b

    def publish(self, source: str, row: Row) -> None:
        (self.a if source == "a" else self.b).insert(0, row)
        self._sync()
        self.house.check(source)

    def sent(self) -> list[tuple[str, str]]:
        """(channel, title) of what was sent or is owed, oldest first."""
        titles = {change["id"]: change["title"] for change in self.house.changes()}
        return [(row["channel"], titles[row["change"]]) for row in self.house.deliveries()]

    def silences(self) -> list[tuple[str, str | None]]:
        return [(change["title"], change["silence"]) for change in self.house.changes() if change["kind"] == "new"]


@pytest.mark.parametrize(("first", "second"), [((TITLE, "a"), (REPRINT, "b")), ((REPRINT, "b"), (TITLE, "a"))])
def test_two_copies_are_one_message_a_channel_in_either_order(
    build: Callable[..., House], first: tuple[str, str], second: tuple[str, str]
) -> None:
    both = Both(build)
    for place, (title, source) in enumerate((first, second)):
        both.publish(source, Row(f"x{place}", title, "2026-01-12", ORDER))
    assert both.sent() == [("one", first[0]), ("two", first[0])]
    assert [silence for _, silence in both.silences()] == [None, "same as 13"]
    rows = {row["title"]: row for row in both.house.notices()}
    assert rows[TITLE]["same_as"] == [rows[REPRINT]["id"]]
    assert rows[REPRINT]["same_as"] == [rows[TITLE]["id"]]


def test_a_copy_is_told_where_the_first_was_not(build: Callable[..., House]) -> None:
    routes = """
[[route]]
sources = ["a"]
channels = ["one"]
[[route]]
sources = ["b"]
channels = ["one", "two"]
"""
    both = Both(build, routes)
    both.publish("a", Row("x0", TITLE, "2026-01-12", ORDER))
    both.publish("b", Row("x1", REPRINT, "2026-01-12", ORDER))
    assert both.sent() == [("one", TITLE), ("two", REPRINT)]


def test_a_copy_of_what_was_there_at_first_sight_is_told(build: Callable[..., House]) -> None:
    both = Both(build)
    old = both.a[0]
    page = "\n".join(f"{n}、{old.title}的第{n}项安排如下，请各单位按时办理并报送材料。" for n in range(40))
    old.page = page
    both.house.clock.on(days=2)
    both.house.check()
    both.publish("b", Row("x1", old.title, "2026-01-12", page))
    assert both.sent()[-2:] == [("one", old.title), ("two", old.title)]


def test_what_is_only_alike_is_told(build: Callable[..., House]) -> None:
    both = Both(build)
    both.publish("a", Row("x0", "关于公布示范项目名单（第三批）的通知", "2026-01-12", ORDER))
    both.publish("b", Row("x1", "关于公布示范项目名单（第四批）的通知", "2026-01-12", ORDER))
    assert len(both.sent()) == 4


def test_a_source_may_keep_out_of_it(build: Callable[..., House]) -> None:
    both = Both(build)
    text = both.house.path.read_text("utf-8").replace('id = "b"', 'id = "b"\nsame = "off"')
    both.house.path.write_text(text, "utf-8")
    both.house.reopen()
    both.publish("a", Row("x0", TITLE, "2026-01-12", ORDER))
    both.publish("b", Row("x1", REPRINT, "2026-01-12", ORDER))
    assert len(both.sent()) == 4


def test_where_it_was_withdrawn_a_copy_elsewhere_is_news(build: Callable[..., House], capsys: pytest.CaptureFixture[str]) -> None:
    both = Both(build)
    both.publish("a", Row("x0", TITLE, "2026-01-12", ORDER))
    both.house.site.page_of("x0").page = ""
    for _ in range(3):
        both.house.clock.on(days=1)
        both.house.check("a")
    assert both.house.told()[-1] == ("withdrawn", TITLE)
    capsys.readouterr()
    both.publish("b", Row("x1", REPRINT, "2026-01-12", ORDER))
    assert both.silences()[-1] == (REPRINT, None)
    assert f"曾见于（已撤下）：{both.house.site.url}/p/x0.html" in capsys.readouterr().out
    both.publish("b", Row("x2", REPRINT, "2026-01-12", ORDER))
    assert both.silences()[-1] == (REPRINT, "same as 14")


def test_an_edit_of_a_copy_is_told(build: Callable[..., House]) -> None:
    both = Both(build)
    both.publish("a", Row("x0", TITLE, "2026-01-12", ORDER))
    both.publish("b", Row("x1", REPRINT, "2026-01-12", ORDER))
    both.house.site.page_of("x1").page = ORDER.replace("3月底前", "2月底前")
    both.house.clock.on(days=2)
    both.house.check("b")
    assert both.house.told()[-1] == ("revised", REPRINT)


def flaw(severity: str, *more: str) -> str:
    return "\n".join(["漏洞编号：CVE-2026-12345", f"危害级别：{severity}", "某产品存在命令执行漏洞。", *more])


@pytest.mark.parametrize(
    ("later", "worse"),
    [
        (flaw("中危"), None),
        (flaw("高危"), None),
        (flaw("超危"), "severity"),
        (flaw("高危", "knownRansomwareCampaignUse: Known"), "ransomware"),
    ],
)
def test_a_known_flaw_is_told_again_only_when_it_gets_worse(build: Callable[..., House], later: str, worse: str | None) -> None:
    both = Both(build)
    both.publish("a", Row("x0", "某产品命令执行漏洞 CVE-2026-12345", "2026-01-12", flaw("高危")))
    both.publish("b", Row("x1", "Vendor advisory for CVE-2026-12345", "2026-01-13", later))
    changes: list[dict[str, Any]] = both.house.changes()
    escalated = [change for change in changes if change["reason"] == "escalated"]
    assert [change["detail"] for change in escalated] == ([worse] if worse else [])
    assert len(both.sent()) == (4 if worse else 2)
    both.house.clock.on(days=2)
    both.house.check()
    assert len(both.sent()) == (4 if worse else 2)
