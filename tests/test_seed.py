"""The notice that this program was asked for, end to end: 工信部联科〔2025〕279号 of eight bodies, on its ministry's list and
reprinted by a WeChat account, through the real loops to a mailbox and a robot. All pages are on loopback, the clock is ours."""

# ruff: noqa: E501 - tables of words, and pages in one line
from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from monitor.cli import monitor
from monitor.cli.common import guarded
from monitor.store import notices
from monitor.text import fold
from tests.house import House, Site
from tests.receivers import Mail, SmtpReceiver, WeComReceiver
from tests.sites import HERE, expected

BODIES = [
    "工业和信息化部", "国家互联网信息办公室", "国家发展和改革委员会", "教育部", "商务部",
    "国务院国有资产监督管理委员会", "国家市场监督管理总局", "国家数据局",
]  # fmt: skip
NUMBER, SIGNED = "工信部联科〔2025〕279号", "2025-12-25"
TITLE = "关于印发《“人工智能+制造”专项行动实施意见》的通知"
REPRINT = "通知 | 八部门印发《“人工智能+制造”专项行动实施意见》"
SENTENCE = "现将《“人工智能+制造”专项行动实施意见》印发给你们，请结合实际认真抓好落实。"
ARTICLE = "/s/rF8KEVOH2RuIaRQgONNxAQ"
COLUMN = "/zwgk/zcwj/wjfb/tz/index.html"
PAGE = "/zwgk/zcwj/wjfb/tz/art/2026/art_736f32e911eff7dd065dcc33b7ff05a5.html"
ANNEX = "/zwgk/zcwj/wjfb/tz/art/2026/files/rgzn_zhizao_ssyj.pdf"
UNIT = "/api-gateway/jpaas-publish-server/front/page/build/unit"
#: What stands around the article and must reach nobody.
NOISE = (
    "在小说阅读器中沉浸阅读", "邮发代号", "征订热线", "010-80000000", "扫码订阅", "倾力推荐", "企业成长计划", "点击下图", "了解详情",
    "预览时标签不可点", "微信扫一扫", "使用小程序", "推荐阅读", "专家解读 | 推动", "阅读原文", "在看", "听过", "留言", "收藏", "轻触", "第三方商业营销信息",
    "cover_image", "mmbiz", "qrcode", "继续滑动看下一个", "关注该公众号", "阅读 4178",
    "扫一扫在手机打开当前页", "打印本页", "关闭窗口", "阅读次数", "上一篇", "下一篇", "友情链接", "网站标识码", "您当前的位置",
)  # fmt: skip


def plain_page(said: str) -> bytes:
    """A page of WeChat's without an article."""
    return (
        '<!DOCTYPE html><html><head><title></title><meta property="og:site_name" content="微信公众平台"></head><body><div class="weui-msg"><div class="weui-msg__text-area">'
        f'<h2 class="weui-msg__title">{said}</h2></div></div></body></html>'
    ).encode()


DELETED = plain_page("该内容已被发布者删除")
GUARDED = plain_page("环境异常</h2><p>当前环境异常，完成验证后即可继续访问。</p><a>去验证</a><h2>")


class World(Site):
    """The ministry's site, Doonsec's feed and WeChat, on one loopback port; every address of theirs leads here. `listed` and
    `reprinted` say whether the notice is there yet."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.listed = self.reprinted = False
        self.article = self._file("wechat/seed.html")
        self.page = self._file("miit/seed/detail.html")
        self.annex = b"%PDF-1.4\n%annex\n"
        self.scans: list[bytes] = []

    def _file(self, name: str) -> bytes:
        """A page of tests/sites, with the names of its hosts replaced by this one."""
        text = (HERE / name).read_text("utf-8")
        hosts = r"https?://(?:www\.miit\.gov\.cn|www\.nda\.gov\.cn|mp\.weixin\.qq\.com|mmbiz\.qpic\.cn)"
        return re.sub(hosts, self.url, text).encode()

    def reload(self) -> None:
        """WeChat serves the article again: other picture addresses, counters and tokens."""
        first, again = self._file("wechat/seed.html"), self._file("wechat/seed_reloaded.html")
        self.article = again if self.article == first else first

    def answer(self, path: str) -> tuple[int, str, bytes]:
        html, bare = "text/html; charset=utf-8", path.partition("?")[0]
        known: dict[str, Callable[[], tuple[str, bytes]]] = {
            COLUMN: lambda: (html, self._file("miit/tz/column.html")),
            UNIT: lambda: ("application/json", self._unit(path)),
            PAGE: lambda: (html, self.page),
            ANNEX: lambda: ("application/pdf", self.annex),
            "/rss.xml": lambda: ("application/xml", self._feed()),
            ARTICLE: lambda: (html, self.article),
        }
        if bare in known and self.status.get(bare, 200) == 200:
            return (200, *known[bare]())
        if bare.startswith("/mmbiz_") and self.scans:
            return 200, "image/png", self.scans[self.places.index(bare)]
        return super().answer(path)

    @cached_property
    def places(self) -> list[str]:
        """Where the 24 pages of the annex lie, in their order."""
        article = self._file("wechat/seed.html").decode()
        return re.findall(rf'data-ratio="1.4142"[^>]*data-src="{self.url}(/mmbiz_[^"?]*)', article)

    def _unit(self, path: str) -> bytes:
        if "%E5%8F%B3%E4%BE%A7%E5%86%85%E5%AE%B9" not in path:  # 右侧内容, the block that holds the list
            return self._file("miit/tz/nav.json")
        answer: dict[str, Any] = json.loads(self._file("miit/tz/list.json"))
        if not self.listed:
            answer["data"]["html"] = re.sub(rf'<li class="cf"><a class="fl" href="{PAGE}".*?</li>', "", answer["data"]["html"])
        return json.dumps(answer, ensure_ascii=False).encode()

    def _feed(self) -> bytes:
        feed = self._file("doonsec/rss/list.xml").decode()
        if not self.reprinted:
            feed = re.sub(r"<item><title>通知 \|.*?</item>", "", feed)
        return feed.encode()


MIIT = '[[source]]\npreset = "miit/tz"\nurl = "{url}' + COLUMN + '"\nbackfill = 0\n'
DOONSEC = '[[source]]\npreset = "doonsec"\nurl = "{url}/rss.xml"\nbackfill = 0\n'


@dataclass
class Home:
    """A house over the world, with a mailbox and a robot."""

    house: House
    world: World
    mailbox: SmtpReceiver
    robot: WeComReceiver

    def cli(self, capsys: pytest.CaptureFixture[str], *args: str) -> str:
        """What a command prints on the house's database."""
        self.house.loops.flush()
        capsys.readouterr()
        assert guarded(monitor, ["--config", str(self.house.path), *args]) == 0
        return capsys.readouterr().out

    @property
    def mail(self) -> Mail:
        (one,) = self.mailbox.accepted
        return one

    def look_again(self, hours: float) -> None:
        """Let so many hours go by and look, as often as something is due."""
        self.house.clock.on(hours=hours)
        self.house.check()

    def later_readings(self) -> int:
        """How often the article or page was asked for after the first time."""
        return sum(path in (ARTICLE, PAGE) and status in (200, 304) for path, status in self.world.asked) - 1


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.close()


Build = Callable[..., Home]


@pytest.fixture
def home(tmp_path: Path, world: World) -> Iterator[Build]:
    """Builds a house that has its baseline: `home(MIIT)`, `home(DOONSEC, routes)`."""
    houses: list[House] = []
    with SmtpReceiver() as mailbox, WeComReceiver() as robot:

        def build(source: str, routes: str = "") -> Home:
            channels = (
                f'[[channel]]\nid = "mail"\nurl = "{mailbox.target()}"\n'
                f'[[channel]]\nid = "wecom"\nurl = "{robot.target}"\nendpoint = "{robot.url}"\n'
            )
            house = House(tmp_path, world, source, channels=channels, extra=routes)
            houses.append(house)
            assert {report.outcome.value for report in house.check().values()} == {"baseline"}
            assert not mailbox.accepted
            return Home(house, world, mailbox, robot)

        yield build
        for house in houses:
            house.close()


def published(home: Build, source: str, routes: str = "") -> Home:
    """A house in which the notice has just appeared at this source."""
    made = home(source, routes)
    made.world.listed, made.world.reprinted = source is MIIT, source is DOONSEC
    made.house.check()
    return made


SOURCES = [
    pytest.param(MIIT, TITLE, "2026-01-07", id="on the ministry's list"),
    pytest.param(DOONSEC, REPRINT, "2026-01-08", id="reprinted by a WeChat account"),
]


@pytest.mark.parametrize(("source", "title", "day"), SOURCES)
def test_it_is_one_message_with_all_that_it_says_and_nothing_of_what_surrounds_it(
    source: str, title: str, day: str, home: Build
) -> None:
    made = published(home, source)
    (robot,) = made.robot.accepted.texts
    text, html = made.mail.part("plain"), made.mail.part("html")
    for said in (text, html, robot):
        for wanted in (title, NUMBER, SIGNED, day, SENTENCE, *BODIES):
            assert fold(wanted) in fold(said.replace("\\", "")), wanted  # a robot's markdown sets some signs in full width
        assert [word for word in NOISE if word in said] == []
    assert str(made.mail.message["Subject"]) == f"【新】工业和信息化部等8部门：{title}"
    assert "主送：各省、自治区、直辖市及计划单列市" in text
    assert ("作者：中国信息安全" in text) is (source is DOONSEC)
    assert made.house.told() == [("new", title)]


@pytest.mark.parametrize("source", [MIIT, DOONSEC], ids=["on the list", "reprinted"])
def test_programs_get_number_issuers_and_day_of_signing(source: str, home: Build, capsys: pytest.CaptureFixture[str]) -> None:
    made = published(home, source)
    rows = [json.loads(line) for line in made.cli(capsys, "notices", "--json").splitlines()]
    (row,) = [row for row in rows if row["number"]]
    assert (row["number"], row["signed"], row["issuers"]) == (NUMBER, SIGNED, BODIES)
    shown = json.loads(made.cli(capsys, "show", str(row["id"]), "--json"))
    assert SENTENCE in shown["text"]
    assert [word for word in NOISE if word in shown["text"]] == []


def test_the_day_of_signing_is_no_date_of_the_calendar(home: Build, capsys: pytest.CaptureFixture[str]) -> None:
    made = published(home, MIIT)
    assert "BEGIN:VEVENT" not in made.cli(capsys, "calendar", "--past", "9999d")
    made.world.page = made.world.page.replace(
        SENTENCE.encode(), f"{SENTENCE}请于2026年3月31日前反馈意见。本意见自2026年5月1日起施行。".encode()
    )
    made.look_again(2)
    assert made.house.told() == [("new", TITLE), ("revised", TITLE)]
    written = made.cli(capsys, "calendar", "--past", "9999d")
    assert re.findall(r"DTSTART;VALUE=DATE:(\d+)", written) == ["20260331", "20260501"]


@pytest.mark.parametrize("source", [MIIT, DOONSEC], ids=["on the list", "reprinted"])
@pytest.mark.parametrize(
    ("match", "matches"),
    [
        ("issuer:工信部", True),
        ("issuer:工业和信息化部", True),
        ("issuer:国家数据局 AND issuer:网信办", True),
        ("issuer:财政部", False),
        ("number:279号", True),
        ("number:工信部联科〔2025〕279号", True),
        ("number:工信部联科[2025]279号", True),
        ("number:280号", False),
        ("signed:2025-12-25", True),
        ("signed >= 2025-12-01", True),
        ("signed >= 2026-01-01", False),
        ("addressee:数据管理部门", True),
        ("人工智能 AND (制造 OR 工业)", True),
        ("邮发代号 OR 征订热线 OR 打印本页", False),
    ],
)
def test_routes_can_ask_for_what_it_says(source: str, match: str, matches: bool, home: Build) -> None:
    made = published(home, source, f'[[route]]\nmatch = "{match}"\nchannels = ["wecom"]\n')
    assert (len(made.robot.accepted), len(made.mailbox.accepted)) == (int(matches), 0)


# --- read again


def test_the_article_loaded_again_is_never_revised(home: Build) -> None:
    made = published(home, DOONSEC)
    for hours in (1.1, 6, 24, 72, 168, 720):
        made.world.reload()
        made.look_again(hours)
    assert made.later_readings() >= 5
    assert made.house.told() == [("new", REPRINT)]
    assert [change["kind"] for change in made.house.changes()] == ["new"]
    (notice,) = [row for row in made.house.notices() if row["title"] == REPRINT]
    assert notice["versions"] == 2  # as the feed tells of it, and as the article is
    assert len(made.robot.accepted) == len(made.mailbox.accepted) == 1


def test_an_edit_of_the_article_is_told_once_with_its_words(home: Build) -> None:
    made = published(home, DOONSEC)
    made.world.reload()
    made.world.article = made.world.article.replace("认真抓好落实".encode(), "认真贯彻落实".encode())
    made.look_again(1.1)
    made.look_again(6)
    assert made.house.told() == [("new", REPRINT), ("revised", REPRINT)]
    assert (
        re.search(r"认真.{0,4}抓好.{0,12}贯彻.{0,4}落实", made.robot.accepted.texts[1]) or "贯彻" in made.robot.accepted.texts[1]
    )
    assert made.mailbox.accepted[1].message["In-Reply-To"] == made.mailbox.accepted[0].message["Message-ID"]


def test_a_deleted_article_is_withdrawn_at_the_second_look_with_our_copy(home: Build, capsys: pytest.CaptureFixture[str]) -> None:
    made = published(home, DOONSEC)
    made.world.article = DELETED
    made.look_again(1.1)
    assert made.house.told() == [("new", REPRINT)]
    made.look_again(1)
    assert made.house.told() == [("new", REPRINT), ("withdrawn", REPRINT)]
    said = made.robot.accepted.texts[1]
    assert "我们存的副本" in said
    assert SENTENCE in said
    assert SENTENCE in made.mailbox.accepted[1].part("plain")
    (row,) = [json.loads(line) for line in made.cli(capsys, "notices", "--state", "withdrawn", "--json").splitlines()]
    assert (row["number"], row["signed"]) == (NUMBER, SIGNED)
    assert SENTENCE in json.loads(made.cli(capsys, "show", str(row["id"]), "--json"))["text"]


def test_an_article_that_is_back_at_the_second_look_was_never_gone(home: Build) -> None:
    made = published(home, DOONSEC)
    there, made.world.article = made.world.article, DELETED
    made.look_again(1.1)
    made.world.article = there
    made.look_again(1)
    made.look_again(24)
    assert made.house.told() == [("new", REPRINT)]


def test_an_access_check_is_a_failed_reading_and_nothing_is_told(home: Build) -> None:
    made = published(home, DOONSEC)
    there, made.world.article = made.world.article, GUARDED
    for hours in (1.1, 2, 4, 24):
        made.look_again(hours)
    with made.house.loops.store.read() as conn:
        (notice,) = [row for row in made.house.notices() if row["title"] == REPRINT]
        (failed,) = conn.execute(
            "SELECT last_error FROM readings WHERE notice = ? AND purpose = 'document' AND last_error IS NOT NULL",
            (notice["id"],),
        ).fetchall()
        assert "WeChat wants to know who asks" in failed["last_error"]
        assert SENTENCE in notices.text_of(conn, notice["id"], notice["versions"])
    made.world.article = there
    made.look_again(24)
    assert made.house.told() == [("new", REPRINT)]
    assert [row["state"] for row in made.house.notices()] == ["present"] * 3


def test_an_access_check_at_first_holds_no_message_and_the_article_makes_no_second_one(home: Build) -> None:
    made = home(DOONSEC)
    there, made.world.article = made.world.article, GUARDED
    made.world.reprinted = True
    made.house.check()
    (said,) = made.robot.accepted.texts
    assert fold(REPRINT) in fold(said)
    assert "环境异常" not in said
    made.world.article = there
    made.look_again(1)
    made.look_again(6)
    assert made.house.told() == [("new", REPRINT)]
    (notice,) = [row for row in made.house.notices() if row["title"] == REPRINT]
    assert (notice["number"], notice["issuers"]) == (NUMBER, BODIES)


# --- one article under many links

LONG = "__biz=MzA5MzE5MDAzOA==", "mid=2664257777", "idx=1", "sn=0402567"
LINKS = [
    f"http://mp.weixin.qq.com/s?{'&amp;'.join(LONG)}&amp;chksm=8b5f&amp;scene=58&amp;subscene=0#rd",
    f"https://mp.weixin.qq.com/s?{'&amp;'.join(reversed(LONG))}#rd",
    f"https://mp.weixin.qq.com/s/?{'&amp;'.join(LONG[2:] + LONG[:2])}&amp;scene=1&amp;from=timeline",
    f"https://mp.weixin.qq.com/s?{'&amp;amp;'.join(LONG)}",
]


def feed(*items: str) -> bytes:
    return f"<rss version='2.0'><channel><title>f</title>{''.join(items)}</channel></rss>".encode()


def item(title: str, link: str, guid: str = "") -> str:
    return f"<item><title>{title}</title><link>{link}</link>{guid and f'<guid>{guid}</guid>'}<pubDate>Thu, 08 Jan 2026 10:05:00 GMT</pubDate></item>"


OLD = item("另一篇", "https://mp.weixin.qq.com/s/0000000000000000000000")


@pytest.mark.parametrize("with_guid", [False, True])
def test_one_article_under_links_of_another_order_is_one_notice_in_one_feed_and_from_check_to_check(
    with_guid: bool, home: Build, world: World
) -> None:
    plain = DOONSEC.replace("/rss.xml", "/many.xml") + "follow = false\n"
    world.bodies["/many.xml"] = feed(OLD)
    made = home(plain)
    for links in ([LINKS[0]], [LINKS[1], LINKS[0]], [LINKS[2]], [LINKS[3], LINKS[2]]):
        world.bodies["/many.xml"] = feed(*(item(REPRINT, link, link if with_guid else "") for link in links), OLD)
        made.look_again(1)
    assert made.house.told() == [("new", REPRINT)]
    assert len(made.house.notices()) == 2
    assert len(made.robot.accepted) == 1


def test_two_articles_of_one_message_are_two_notices(home: Build, world: World) -> None:
    plain = DOONSEC.replace("/rss.xml", "/many.xml") + "follow = false\n"
    world.bodies["/many.xml"] = feed(OLD)
    made = home(plain)
    world.bodies["/many.xml"] = feed(item("头条", LINKS[1]), item("次条", LINKS[1].replace("idx=1", "idx=2")), OLD)
    made.look_again(1)
    assert sorted(made.house.told()) == [("new", "头条"), ("new", "次条")]


def test_the_truth_that_is_asked_for_here_is_that_of_the_pages() -> None:
    for folder in ("wechat", "miit/seed"):
        detail = expected(folder)["detail"]
        assert (detail["number"], detail["signed"], len(detail["issuers"])) == (NUMBER, SIGNED, len(BODIES))
        assert set(detail["must_not_contain"]) - {"轻触阅读原文", "分享到"} <= set(NOISE)
