"""What the demo's sites publish: a ministry's column in the way of the publish server, and articles of a WeChat account. Written by
hand after the structure of the real ones; but for the notice 工信部联科〔2025〕279号, all of it is made up.

It makes markup and nothing else.
"""

# ruff: noqa: E501 - pieces of markup in one line
from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

BODIES = "工业和信息化部　中央网信办　国家发展改革委　教育部　商务部　国务院国资委　市场监管总局　国家数据局"
OPINIONS = "《“人工智能+制造”专项行动实施意见》"
#: How the ministry's column names the block that holds its list, and the one that holds a menu.
LIST, MENU = "右侧内容", "顶部导航"
UNIT = "/api-gateway/jpaas-publish-server/front/page/build/unit"


@dataclass(frozen=True, slots=True)
class Published:
    """A notice or an article: the name of its page, its title, its day and its paragraphs; `signed` are the last of them, set to
    the right; `time` is the time of day."""

    name: str
    title: str
    day: str
    paragraphs: Sequence[str]
    signed: Sequence[str] = field(default=())
    time: str = "09:00"


NOTICES = [
    Published(
        "3",
        "关于开展2026年工业互联网安全检查的通知",
        "2026-01-06",
        [
            "工信厅网安函〔2026〕8号",
            "各地通信管理局：",
            "一、检查对象为工业互联网平台企业。",
            "二、请于2026年3月15日前报送检查总结。",
        ],
        ["工业和信息化部办公厅", "2026年1月5日"],
    ),
    Published("2", "关于公布2025年工业软件优秀案例名单的通知", "2026-01-05", ["现将名单予以公布。", "附件：优秀案例名单"]),
    Published("1", "关于修订软件业统计报表的通知", "2025-12-30", ["现印发修订后的报表，请遵照执行。"]),
]
#: The notice that appears while the demo runs, as it really was.
SEED = Published(
    "279",
    f"关于印发{OPINIONS}的通知",
    "2026-01-07",
    [
        "工信部联科〔2025〕279号",
        "各省、自治区、直辖市及计划单列市、新疆生产建设兵团工业和信息化主管部门，各有关单位：",
        f"现将{OPINIONS}印发给你们，请结合实际认真抓好落实。",
    ],
    [*BODIES.split("　"), "2025年12月25日"],
    "16:30",
)
#: Its edit, which the list does not show.
EDITED = Published(
    "3",
    NOTICES[0].title,
    NOTICES[0].day,
    [*NOTICES[0].paragraphs[:3], "二、请于2026年2月15日前报送检查总结，逾期不予受理。"],
    NOTICES[0].signed,
)
ARTICLES = [
    Published(
        "k7Qm2xVn4tLr8sWd1pYb3a",
        "漏洞预警 | 某网关存在命令执行漏洞",
        "2026-01-06",
        ["攻击者可发送恶意请求执行命令，建议尽快升级。"],
    ),
    Published("p9Hc5zEj6uGf0rKx2vTn7b", "安全周报（2026年第1期）", "2026-01-05", ["本周共收录漏洞 12 个。"]),
]
#: The same notice as a WeChat account reprints it.
REPRINT = Published(
    "e4Rw8bNq1yUi5oPa3sDf6c", f"通知 | 八部门印发{OPINIONS}", "2026-01-08", [*SEED.paragraphs], SEED.signed, "18:05"
)


def column() -> str:
    """The ministry's column: a frame, and scripts that name the units by which its parts are loaded."""
    units = "".join(
        f'<script parseType="buildstatic" url="{UNIT}" queryData="'
        f"{{'webId':'demo','pageId':'tz','tplSetId':'demo','tagId':'{tag}','pageType':'column','parseType':'buildstatic'}}\"></script>"
        for tag in (MENU, LIST)
    )
    return f"<html><head><title>通知-工业和信息化部</title></head><body><h3>通知</h3>{units}<p>网站标识码：bm07000001</p></body></html>"


def unit(notices: Sequence[Published], tag: str) -> str:
    """What the publish server answers for one unit."""
    rows = "".join(
        f'<li class="cf"><a class="fl" href="art/{one.name}.html" title="{escape(one.title)}">{escape(one.title[:18])}…</a>'
        f'<span class="fr">{one.day}</span></li>'
        for one in notices
    )
    menu = "<li><a href='/index.html'>首页</a></li><li><a href='/zwgk/index.html'>政务公开</a></li>"
    html = f'<div class="page-content"><ul>{rows}</ul></div>' if tag == LIST else f"<ul>{menu}</ul>"
    return json.dumps({"success": True, "code": "200", "data": {"html": html}}, ensure_ascii=False)


def document(one: Published) -> str:
    """A notice's own page on the ministry's site."""
    heading = f"<p>{BODIES}<br>{escape(one.title)}</p>" if one is SEED else ""
    return (
        f"<html><head><title>{escape(one.title)}</title><meta name='PubDate' content='{one.day} {one.time}'></head><body>"
        "<div class='dqwz'>您当前的位置：<a href='/'>首页</a> &gt; 通知</div>"
        f"<h1 id='con_title'>{escape(one.title)}</h1><div class='cinfo'>发布时间：{one.day} {one.time}　来源：科技司　分享到：微信 微博</div>"
        f"<div class='ccontent' id='con_con'>{heading}{_text(one)}</div>"
        f"<div>扫一扫在手机打开当前页　打印本页　阅读次数：{len(one.title)}</div><div class='footer'>友情链接　京ICP备04000001号</div></body></html>"
    )


def article(one: Published, loaded: int) -> str:
    """The page of a WeChat article: a short text in the middle of what the platform and the account set around it. The addresses
    of its pictures, counters and tokens are others each time it is `loaded`."""
    picture = f"https://mmbiz.qpic.cn/mmbiz_gif/0b1c2d/640?wx_fmt=gif&amp;tp=webp&amp;token={loaded * 7919 % 100003}"
    banner = f'<img data-type="gif" data-ratio="0.12" data-w="900" data-src="{picture}">'
    return (
        f'<html><head><title></title><meta property="og:title" content="{escape(one.title)}"></head><body><div id="js_article">'
        f'<img id="js_cover" alt="cover_image" src="{picture}"><h1 id="activity-name">{escape(one.title)}</h1><a id="js_name">中国信息安全</a>'
        '<span>在小说阅读器中沉浸阅读</span><div id="js_content" style="visibility: hidden;">'
        f"<section>{banner}<p>扫码订阅《中国信息安全》</p><p>邮发代号 2-786</p><p>征订热线：010-80000000</p></section>"
        f"<p>{BODIES}</p><p>关于印发{OPINIONS}的通知</p>{_text(one)}<p>（来源：工信部网站）</p>"
        f"<section><p>《中国信息安全》杂志倾力推荐</p><p>“企业成长计划”</p><p>点击下图 了解详情</p>{banner}</section></div>"
        "<div>预览时标签不可点</div></div><p>推荐阅读</p><p>微信扫一扫<br>关注该公众号</p><p>当前内容可能存在未经审核的第三方商业营销信息，请确认是否继续访问。</p>"
        f"<button>赞 {loaded}</button><button>分享</button><button>在看</button><button>留言</button><button>收藏</button><button>听过</button>"
        f'<script>var ct = "{_moment(one)}"; var read_num = "{4000 + loaded}";</script></body></html>'
        if one is REPRINT
        else f'<html><body><h1 id="activity-name">{escape(one.title)}</h1><a id="js_name">某安全实验室</a><div id="js_content">{_text(one)}</div></body></html>'
    )


def feed(articles: Sequence[Published], url: str) -> str:
    """A feed of articles of several accounts."""
    items = "".join(
        f"<item><title>{escape(one.title)}</title><link>{url}/s/{one.name}</link><description>{escape(one.paragraphs[0])}</description>"
        f"<author>{'中国信息安全' if one is REPRINT else '某安全实验室'}</author><pubDate>{one.day}T{one.time}:00+08:00</pubDate></item>"
        for one in articles
    )
    return f"<?xml version='1.0' encoding='utf-8'?><rss version='2.0'><channel><title>微信公众号安全文章</title>{items}</channel></rss>"


def _text(one: Published) -> str:
    left = "".join(f"<p>{escape(paragraph)}</p>" for paragraph in one.paragraphs)
    return left + "".join(f"<p style='text-align: right'>{escape(line)}</p>" for line in one.signed)


def _moment(one: Published) -> int:
    from datetime import datetime

    return int(datetime.fromisoformat(f"{one.day}T{one.time}:00+08:00").timestamp())
