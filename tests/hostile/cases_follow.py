"""Cases of notices' own pages: edited, withdrawn, restored, flapping, shielded, and those of WeChat."""

from __future__ import annotations

from datetime import timedelta

from tests.hostile.cases_status import CAPTCHA, JSL, RUISHU, WAF
from tests.hostile.pages import NEW, document, error_page, rows
from tests.hostile.table import EVERY, Case, Page, Say, Step, good, renewed
from tests.hostile_server import answer, hold

ROWS = 6
HOUR = timedelta(hours=1, minutes=2)
LONG = timedelta(hours=8)
TITLE = rows(ROWS)[0].title  # of n6, the newest
LINES = (
    "各省、自治区、直辖市有关部门：",
    "为做好相关工作，现将有关事项通知如下。",
    "一、申报单位应当于2026年3月1日前提交材料。",
    "二、每家单位申报项目不超过3项。",
    "三、联系人：张三，电话 010-12345678。",
)
TEXT = Page(document(TITLE, *LINES).encode())
EDITED = Page(document(TITLE, *LINES[:3], "二、每家单位申报项目不超过5项。", LINES[4]).encode())
SHORTER = Page(document(TITLE, LINES[0]).encode())
GONE = answer(error_page("404 Not Found"), "Content-Type: text/html", status="404 Not Found")
GONE_410 = answer(error_page("410 Gone"), "Content-Type: text/html", status="410 Gone")


def at(say: Say, *tells: str, after: timedelta = EVERY, text: tuple[str, ...] = ()) -> Step:
    """The list as before; the newest notice's page answers so."""
    return Step(good("list", ROWS), "changed|unchanged", tells=tells, after=after, paths={"/p/n6.html": say}, text=text)


def series(id_: str, covers: tuple[str, str], *steps: Step, first: Say = TEXT, last: Say | None = None) -> Case:
    return Case(
        id_,
        "follow",
        (covers,),
        steps,
        options="follow = true\n",
        rows=ROWS,
        paths={"/p/n6.html": first},
        last=renewed("list", ROWS),
        titles=(NEW.title,),
    )


def wechat(words: str, *, warn: bool = True) -> Page:
    """A message page of WeChat's article server."""
    return Page(
        (
            '<!DOCTYPE html><html><head><meta charset="utf-8"><title>微信公众平台</title></head>'
            '<body id="activity-detail" class="zh_CN">'
            f'<div class="weui-msg"><div class="weui-msg__icon-area"><i class="weui-icon-warn weui-icon_msg"></i></div>'
            f'<div class="weui-msg__text-area"><div class="weui-msg__title{" warn" if warn else ""}">{words}</div>'
            "</div></div></body></html>"
        ).encode()
    )


def counted(number: int) -> Page:
    return Page(
        document(TITLE, *LINES, extra=f"<p>浏览次数：{number} 次 | 打印时间：2026-01-12 10:{number % 60:02d}</p>").encode()
    )


EDIT = ("silent edit", "text")
STATES = ("flapping", "page between two states")
CASES: tuple[Case, ...] = (
    series(
        "a-number-edited",
        EDIT,
        at(EDITED, "revised", after=HOUR, text=("每家单位申报项目不超过", "-3-", "+5+")),
        at(EDITED),
        at(EDITED, after=LONG),
    ),
    series("the-page-as-it-was", EDIT, at(TEXT, after=HOUR), at(TEXT, after=LONG)),
    series("most-of-the-text-gone-once", EDIT, at(SHORTER, after=HOUR), at(TEXT, after=EVERY), at(TEXT, after=LONG)),
    series("page-counters", ("noise", "counters"), *(at(counted(n), after=LONG) for n in (101, 102, 2911)), first=counted(100)),
    series(
        "page-between-two-states",
        STATES,
        at(EDITED, "revised", after=HOUR),
        at(TEXT, after=LONG),
        at(EDITED, after=timedelta(minutes=30)),
        at(EDITED, after=timedelta(days=2)),
    ),
    series(
        "page-withdrawn-404",
        ("withdrawn", "withdrawn"),
        at(GONE, after=HOUR),
        at(GONE, "withdrawn", after=timedelta(minutes=20), text=(TITLE,)),
        at(GONE, after=LONG),
    ),
    series(
        "page-withdrawn-410",
        ("withdrawn", "withdrawn"),
        at(GONE_410, after=HOUR),
        at(GONE_410, "withdrawn", after=timedelta(minutes=20)),
    ),
    series(
        "page-404-once",
        ("withdrawn", "missing once"),
        at(GONE, after=HOUR),
        at(TEXT, after=timedelta(minutes=20)),
        at(TEXT, after=LONG),
    ),
    series(
        "page-restored",
        ("withdrawn", "restored"),
        at(GONE, after=HOUR),
        at(GONE, "withdrawn", after=timedelta(minutes=20)),
        at(TEXT, "restored", after=timedelta(days=1, hours=1), text=(TITLE,)),
    ),
    series(
        "page-fails-with-500",
        ("error page", "database error"),
        at(answer(b"x", status="500 Internal Server Error"), after=HOUR),
        at(answer(b"x", status="500 Internal Server Error"), after=LONG),
        at(TEXT, after=LONG),
    ),
    series(
        "page-hangs",
        ("slow", "hang"),
        at(hold(), after=HOUR),
        at(TEXT, after=LONG),
    ),
    series(
        "page-soft-404-once",
        ("error page", "soft 404"),
        at(Page(error_page("404 页面不存在")), after=HOUR),
        at(TEXT, after=timedelta(minutes=20)),
    ),
    series(
        "page-maintenance-once",
        ("error page", "maintenance"),
        at(Page(error_page("系统维护中")), after=HOUR),
        at(TEXT, after=timedelta(minutes=20)),
    ),
    *(
        series(
            f"page-shield-{name}",
            covers,
            at(say, after=HOUR),
            at(say, after=timedelta(minutes=20)),
            at(say, after=LONG),
            at(TEXT, after=LONG),
        )
        for name, covers, say in (
            ("jsl", ("challenge", "521"), answer(JSL, "Content-Type: text/html", status="521 ")),
            ("ruishu", ("challenge", "412"), answer(RUISHU, "Content-Type: text/html", status="412 Precondition Failed")),
            ("waf", ("challenge", "page with 200"), Page(WAF)),
            ("captcha", ("challenge", "captcha"), Page(CAPTCHA)),
        )
    ),
    series(
        "wechat-deleted",
        ("wechat", "deleted"),
        at(wechat("该内容已被发布者删除"), after=HOUR),
        at(wechat("该内容已被发布者删除"), "withdrawn", after=timedelta(minutes=20), text=(TITLE,)),
        at(wechat("该内容已被发布者删除"), after=LONG),
    ),
    series(
        "wechat-violation",
        ("wechat", "violation"),
        at(wechat("此内容因违规无法查看"), after=HOUR),
        at(wechat("此内容因违规无法查看"), "withdrawn", after=timedelta(minutes=20), text=(TITLE,)),
    ),
    series(
        "wechat-verify",
        ("wechat", "verify page"),
        *(at(wechat("环境异常，完成验证后即可继续访问", warn=False), after=LONG) for _ in range(3)),
        at(TEXT, after=LONG),
    ),
    series(
        "wechat-parameter-error",
        ("wechat", "parameter error"),
        *(at(wechat("参数错误"), after=LONG) for _ in range(3)),
        at(TEXT, after=LONG),
    ),
)
