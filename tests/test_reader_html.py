"""Pages as people read them: what of a page is its text, what stands around it, and what is no page at all."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor import text
from monitor.errors import ParseError
from monitor.html import dom
from monitor.model import Document, Fetched, ReadPolicy, Request, Validators
from monitor.readers import html

URL = "https://www.example.gov.cn/zwgk/2026/art_1.html"
LONG = "为进一步规范数据安全管理，提升行业治理能力，现就有关事项通知如下，请各单位认真贯彻落实。" * 3
MENU = '<div class="menu"><a href="/">首页</a><a href="/zw/">政务公开</a><a href="/fw/">办事服务</a></div>'


def got(page: str | bytes, media_type: str = "text/html", url: str = URL) -> Fetched:
    body = page.encode() if isinstance(page, str) else page
    return Fetched(Request(url), 200, url, body, media_type, "utf-8", Validators(), datetime(2026, 11, 22, 4, tzinfo=UTC))


def read(page: str, **policy: tuple[str, ...]) -> Document:
    return html.Html().read(got(page), ReadPolicy(**policy))


def body(inner: str, head: str = "") -> str:
    return f"<html><head>{head}</head><body>{inner}</body></html>"


def around(main: str, head: str = "") -> str:
    """A page with a menu above and a footer below its text."""
    return body(f'{MENU}{main}<div class="foot"><a href="/about">关于我们</a> 版权所有：示例部 京ICP备00000000号</div>', head)


# Text, block by block


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<p>一</p><p>二</p>", "一\n二"),
        ("<h1>题</h1>正文<p>段", "题\n正文\n段"),
        ("甲<br>乙<br/>丙", "甲\n乙\n丙"),
        ("<ul><li>一</li><li>二</li></ul>", "一\n二"),
        ("<p>工<b>业</b>和<span>信</span>息<font color=red>化</font>部</p>", "工业和信息化部"),
        ("<p>one\n  <i>two</i>\n three</p>", "one two three"),
        ("<p>工业和\n      信息化部</p>", "工业和信息化部"),
        ("<p>第<span>\u00a0</span>1 条</p>", "第 1 条"),
        ("<p>10<sup>3</sup> kg</p>", "103 kg"),
        ("<pre>a  b\n  c</pre>", "a b\nc"),
        ("<span style='display: block'>一</span><span style='display:block'>二</span>", "一\n二"),
        ("<p>前</p><!-- 注释 --><p>后</p>", "前\n后"),
        ("<p>a<!-- x -->b</p>", "ab"),
        ("<p>一</p><p>&nbsp;</p><p>\u200b</p><p>二</p>", "一\n二"),
        ("<h2>范围<a href=#scope>#</a></h2><p>见 <a href=#s1>#1</a>", "范围\n见 #1"),
        ("<pre>a\n\nb</pre><p>c", "a\n\nb\nc"),
    ],
)
def test_text_has_a_line_for_each_block_and_words_stay_whole(markup: str, expected: str) -> None:
    assert dom.text_of(dom.parse(markup)) == expected


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<table><tr><th>编号</th><th>名称</th></tr><tr><td>1</td><td>甲</td></tr></table>", "编号 | 名称\n1 | 甲"),
        ("<table><tr><td><p>1</p></td><td><p>甲<br>乙</p></td></tr></table>", "1 | 甲 乙"),
        ("<table><tr><td>1</td><td></td><td>3</td></tr></table>", "1 | | 3"),
        ("<table><tr><td></td><td> </td></tr><tr><td>a</td><td>b</td></tr></table>", "a | b"),
        ("<table><tr><td><p>一</p><p>二</p></td></tr></table>", "一\n二"),
        ("<table><tr><td>左</td><td><table><tr><td>a</td><td>b</td></tr></table></td></tr></table>", "左\na | b"),
        ("<table><tr><td>菜单</td><td>" + "<p>段</p>" * 30 + "</td></tr></table>", "菜单\n" + "\n".join(["段"] * 30)),
        ("<table><caption>表 1</caption><tbody><tr><td>a</td><td>b</td></tr></tbody></table>后", "表 1\na | b\n后"),
    ],
)
def test_a_row_of_data_is_one_line_and_a_table_for_layout_is_none(markup: str, expected: str) -> None:
    assert dom.text_of(dom.parse(markup)) == expected


@pytest.mark.parametrize(
    "hidden",
    [
        "<script>var a = '不见'</script>",
        "<style>p{content:'不见'}</style>",
        "<noscript>不见</noscript>",
        "<template><p>不见</p></template>",
        "<select><option>不见</option></select>",
        "<textarea>不见</textarea>",
        "<svg><title>不见</title></svg>",
        "<div style='color:red; DISPLAY : none'>不见</div>",
        "<div hidden>不见</div>",
        "<i aria-hidden='true'>不见</i>",
        "<input type='hidden' value='不见'>",
    ],
)
def test_what_is_not_shown_is_not_text_but_what_follows_is(hidden: str) -> None:
    assert dom.text_of(dom.parse(f"<p>前{hidden}后</p>")).replace("\n", "") == "前后"


def test_content_that_waits_for_its_script_is_content() -> None:
    page = body(f'{MENU}<div id="js_content" style="visibility: hidden; opacity: 0;"><section>正文</section></div>')
    assert read(page).text == "正文"


def test_noscript_counts_where_it_is_all_there_is() -> None:
    assert read(body("<script>x()</script><noscript><p>停机公告：今晚维护</p></noscript>")).text == "停机公告：今晚维护"


def test_a_page_put_together_from_parts_is_read_to_its_end() -> None:
    page = f"<html><body>{MENU}</body></html>\n<div class='TRS_Editor'><p>正文</p></div></body></html>"
    assert read(page).text == "正文"


# The main text


@pytest.mark.parametrize(
    "container",
    [
        "<div id=zoom>{}</div>",
        "<div class='view TRS_UEDITOR trs_paper_default'>{}</div>",
        "<div class='article_con'><div class=TRS_Editor>{}</div></div>",
        "<td id=UCAP-CONTENT>{}</td>",
        "<div class='ccontent center' id=con_con>{}</div>",
        "<div class=xxgk_con>{}</div>",
        "<div class=art-con>{}</div>",
        "<div id=zoom class=Three_xilan_07>{}</div>",
        "<div class=pages_content>{}</div>",
        "<div class=zsy_comain>{}</div>",
        "<div class=moe-detail-box>{}</div>",
        "<div id=downloadContent>{}</div>",
        "<div id=BodyLabel>{}</div>",
        "<div class=article>{}</div>",
        "<div class=detail>{}</div>",
        "<article>{}</article>",
        "<main><div>{}</div></main>",
        "<div class=unknown><p>{}</p></div>",
    ],
)
def test_menus_and_footers_are_left_out_of_any_known_container_and_of_dense_text(container: str) -> None:
    assert read(around(container.format(LONG))).text == LONG


@pytest.mark.parametrize(
    ("inside", "why"),
    [
        ("<div class=bdsharebuttonbox>分享到：<a href=#>微博</a></div>", "share bar"),
        ("<div id=qr_container>扫一扫在手机打开当前页</div>", "QR code"),
        ("<p>浏览次数：1234 次</p>", "counter"),
        ("<p>【打印】【关闭窗口】</p>", "tools"),
        ("<p>字号：大 中 小</p>", "tools"),
        ("<p>上一篇：关于旧事的通知</p><p>下一篇：没有了</p>", "neighbours"),
        ("<div class=related>相关链接<ul><li><a href=a.html>另一通知的标题</a></li></ul></div>", "related list"),
        ("<style>.a{}</style><script>count()</script>", "script"),
    ],
)
def test_a_tool_inside_the_container_is_not_text(inside: str, why: str) -> None:
    assert read(around(f"<div class=TRS_Editor><p>正文</p>{inside}<p>落款</p></div>")).text == "正文\n落款", why


@pytest.mark.parametrize(
    "kept", ["打印机应当符合下列要求", "上一年度的预算", "共浏览 3 页文件", "大", "分享经济发展报告", "阅读本通知后请回复"]
)
def test_a_line_that_only_sounds_like_a_tool_stays(kept: str) -> None:
    assert kept in read(around(f"<div class=TRS_Editor><p>正文</p><p>{kept}</p></div>")).text.split("\n")


def test_an_empty_container_is_passed_over_for_the_next() -> None:
    assert read(around(f"<div id=zoom> <p>&nbsp;</p></div><div class=TRS_Editor>{LONG}</div>")).text == LONG


def test_nested_and_repeated_containers_are_read_once() -> None:
    nested = f"<div class=TRS_Editor><div class=TRS_Editor>{LONG}</div></div>"
    assert read(around(nested)).text == LONG
    assert read(around(f"<div id=UCAP-CONTENT>{LONG}</div><div id=UCAP-CONTENT>{LONG}</div>")).text == LONG


def test_a_text_in_several_editors_is_read_whole() -> None:
    assert read(around("<div class=TRS_Editor>一</div><div class=TRS_Editor>二</div>")).text == "一\n二"


def test_a_container_swallowed_by_something_hidden_is_found() -> None:
    assert (
        read(around(f"<div style='display:none'><table><tr><td><div id=zoom>{LONG}</div></td></tr></table></div>")).text == LONG
    )


def test_text_split_over_sections_is_not_cut_to_one_of_them() -> None:
    sections = "".join(f"<section><h2>第{n}章</h2><p>{LONG}{n}</p></section>" for n in range(4))
    found = read(around(f"<div class=x>{sections}</div>")).text
    assert [f"第{n}章" in found and f"{LONG}{n}" in found for n in range(4)] == [True] * 4
    assert "首页" not in found


def test_the_first_and_last_lines_of_a_dense_text_belong_to_it_and_counters_do_not() -> None:
    paragraphs = "".join(f"<p>{LONG}{n}</p>" for n in range(4))
    page = around("<div><div><p>二〇二六年版</p><div class=x>{0}</div><p>文号：示办〔2026〕1号</p></div><p>浏览 {1}</p></div>")
    found = read(page.format(paragraphs, 12)).text
    assert found.startswith("二〇二六年版\n")
    assert found.endswith("文号：示办〔2026〕1号")
    assert read(page.format(paragraphs, 13)).text == found


def test_a_page_without_a_dense_text_is_read_whole() -> None:
    found = read(body("<h3>服务状态</h3><p>正常</p><table><tr><td>备份</td><td>延迟</td></tr></table>")).text
    assert found == "服务状态\n正常\n备份 | 延迟"


# What the user selects and leaves out


PAGE = around("<div id=a><p>一</p><div class=b>二</div></div><div class=b>三 2026-01-01</div>", head="<title>通知公告</title>")


@pytest.mark.parametrize(
    ("select", "expected"),
    [
        (("#a",), "一\n二"),
        ((".b",), "二\n三 2026-01-01"),
        ((".b", "#a"), "一\n二\n三 2026-01-01"),
        (("#a, .b",), "一\n二\n三 2026-01-01"),
        (("#a p",), "一"),
    ],
)
def test_selected_parts_come_in_document_order_and_once(select: tuple[str, ...], expected: str) -> None:
    assert read(PAGE, select=select).text == expected


def test_a_selector_that_matches_nothing_is_named_with_the_page() -> None:
    with pytest.raises(ParseError, match=r'"#gone".*"通知公告"') as caught:
        read(PAGE, select=("#gone",))
    assert caught.value.reason == "select"


def test_ignored_elements_and_texts_are_left_out() -> None:
    assert read(PAGE, select=("#a",), ignore=(".b",)).text == "一"
    assert read(PAGE, select=(".b",), ignore_text=(r"\d{4}-\d\d-\d\d$",)).text == "二\n三"
    with pytest.raises(ParseError, match="matches nothing"):
        read(PAGE, select=("#a .b",), ignore=("#a",))


def test_a_hidden_element_is_read_where_the_user_names_it() -> None:
    assert read(body("<p>别的</p><div id=x hidden>要的</div>"), select=("#x",)).text == "要的"


@pytest.mark.parametrize("pattern", ["(a+)+$", "("])
def test_a_pattern_that_is_wrong_or_too_slow_is_named(pattern: str) -> None:
    start = time.monotonic()
    with pytest.raises(ParseError) as caught:
        read(body(f"<p>{'a' * 5000}!{'x' * 5000}</p>"), ignore_text=(pattern,))
    assert caught.value.reason == "pattern"
    assert pattern in str(caught.value)
    assert time.monotonic() - start < 5


@pytest.mark.parametrize("key", ["select", "ignore"])
def test_what_is_not_css_is_named(key: str) -> None:
    with pytest.raises(ParseError, match=r"div\[\[") as caught:
        read(PAGE, **{key: ("div[[",)})
    assert caught.value.reason == "select"


# What stands around the text


@pytest.mark.parametrize(
    ("head", "inner", "title"),
    [
        ('<meta name="ArticleTitle" content="关于甲的通知"><title>关于甲的通知-示例部</title>', "<h1>别的</h1>", "关于甲的通知"),
        ("<title>关于甲的通知_示例网</title>", "<h1>示例部</h1><div id=con_title>关于甲的通知</div>", "关于甲的通知"),
        ("<title>示例部</title>", "<h1>关于乙的公告</h1>", "关于乙的公告"),
        ("<title>关于丙的公告 - 中华人民共和国工业和信息化部</title>", "", "关于丙的公告"),
        ("<title>关于丁的公告_新闻中心_示例网</title>", "", "关于丁的公告"),
        ("<title>关于戊的公告--示例部门户网站</title>", "<h1><a href='/'>示例部</a></h1>", "关于戊的公告"),
        ("<title>关于己的公告_示例部</title>", "<h1>示例部</h1>", "关于己的公告"),
        ("<title>2024-2026年行动计划</title>", "", "2024-2026年行动计划"),
        ("<title>Privacy Policy | Example</title>", "", "Privacy Policy"),
        ('<meta property="og:title" content="关于庚的公告">', "", "关于庚的公告"),
        ("<title>  </title>", "", None),
        ("", "<svg><title>图标</title></svg>", None),
    ],
)
def test_the_title_is_the_notices_not_the_sites(head: str, inner: str, title: str | None) -> None:
    assert read(body(f"{inner}<div id=zoom>正文</div>", head)).title == title


@pytest.mark.parametrize(
    ("head", "inner", "published"),
    [
        ('<meta name="PubDate" content="2026-01-08 10:22">', "", datetime(2026, 1, 8, 2, 22, tzinfo=UTC)),
        ('<meta name="pubdate" content="2026.01.08">', "", date(2026, 1, 8)),
        ('<meta property="article:published_time" content="2026-01-08T10:22:00Z">', "", datetime(2026, 1, 8, 10, 22, tzinfo=UTC)),
        ("", "<span id=con_time>2026-01-08 10:22</span>", datetime(2026, 1, 8, 2, 22, tzinfo=UTC)),
        ("", "<span id=pubtime>2026年01月08日 10:22</span>", datetime(2026, 1, 8, 2, 22, tzinfo=UTC)),
        ("", "<div class=pages-date>2026-01-08</div>", date(2026, 1, 8)),
        ("", "<p>发布时间：2026-01-08 10:22　来源：办公厅</p>", datetime(2026, 1, 8, 2, 22, tzinfo=UTC)),
        ("", "<p>成文日期：2025年12月31日</p><p>发布日期：2026年1月8日</p>", date(2026, 1, 8)),
        ("", "<table><tr><td>发布日期：</td><td>2026年1月8日</td></tr></table>", date(2026, 1, 8)),
        ("", "<time datetime='2026-01-08'>前天</time>", date(2026, 1, 8)),
        ("", "<p>更新时间：2026-01-08</p>", None),
        ("", "<span id=publish_time>3小时前</span>", None),
        ("", "", None),
    ],
)
def test_the_time_of_publication_is_what_the_page_says_outside_its_text(head: str, inner: str, published: object) -> None:
    page = body(f"<h1>通知</h1>{inner}<div id=zoom>会议时间：2020年5月5日</div>", head)
    assert read(page).published == published


@pytest.mark.parametrize(
    ("head", "inner", "issuer"),
    [
        ('<meta name="ContentSource" content="办公厅">', "", "办公厅"),
        ('<meta name="ContentSource" content="本站">', "", None),
        ("", "<p>来源：科技司　发布时间：2026-01-08</p>", "科技司"),
        ("", "<p>2026-01-08 来源：新华社 字体：大 中 小</p>", "新华社"),
        ("", "<p>【发布单位】商务部</p>", "商务部"),
        (
            "",
            "<table><tr><td>发文机关：</td><td>国务院办公厅</td><td>成文日期：</td><td>2026年</td></tr></table>",
            "国务院办公厅",
        ),
        ('<meta name="ContentSource" content="网站">', "<p>发布机构：工业和信息化部 财政部</p>", "工业和信息化部 财政部"),
        ("", "<p>来源：</p>", None),
    ],
)
def test_the_issuer_is_what_the_page_says_outside_its_text(head: str, inner: str, issuer: str | None) -> None:
    assert read(body(f"<h1>通知</h1>{inner}<div id=zoom>来源：正文里的</div>", head)).issuer == issuer


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        (
            "<a href='./P020260108.pdf'>附件：1.名单.pdf</a>",
            ("https://www.example.gov.cn/zwgk/2026/P020260108.pdf", "附件：1.名单.pdf"),
        ),
        ("<a href='/a/b.DOCX?x=1'>申报表（下载次数：12）</a>", ("https://www.example.gov.cn/a/b.DOCX?x=1", "申报表")),
        (
            "<a href='%E5%90%8D%E5%8D%95.xls'>下载</a>",
            ("https://www.example.gov.cn/zwgk/2026/%E5%90%8D%E5%8D%95.xls", "名单.xls"),
        ),
        ("<a href='/down.jsp?file=a.ofd'>公告</a>", ("https://www.example.gov.cn/down.jsp?file=a.ofd", "公告")),
        ("<a href='/api/file/17' download='办法.wps'>点击下载</a>", ("https://www.example.gov.cn/api/file/17", "办法.wps")),
        ("<a href='t1.html'>附 件2：说明</a>", ("https://www.example.gov.cn/zwgk/2026/t1.html", "附 件2：说明")),
        ("<a href='t1.html'>相关通知</a>", None),
        ("<a href='javascript:void(0)'>附件.pdf</a>", None),
        ("<a href='#fj'>附件</a>", None),
        ("<a>附件.pdf</a>", None),
        ("<a href='a.pdf' style='display:none'>旧.pdf</a>", None),
    ],
)
def test_files_are_found_by_their_address_their_name_or_the_word_annex(link: str, expected: tuple[str, str] | None) -> None:
    found = read(around(f"<div id=zoom>正文{link}</div>")).attachments
    assert [(one.url, one.name) for one in found] == ([expected] if expected else [])


def test_files_outside_the_text_count_only_where_the_page_says_attachments() -> None:
    page = around(
        "<div id=zoom>正文<a href=b.pdf>乙.pdf</a></div><div class=attachment><a href=a.doc>甲</a><a href=b.pdf>乙</a></div>"
        "<p>附件：<a href=c.zip>丙</a></p><div class=foot><a href=help.pdf>网站使用帮助</a></div>"
    )
    assert [one.name for one in read(page).attachments] == ["乙.pdf", "甲", "丙"]


def test_pictures_of_the_text_are_named_and_icons_are_not() -> None:
    page = around(
        "<img src=/logo.png><div id=zoom>正文<img src=a.png>"
        "<img data-src='https://img.example.cn/b' src='data:image/gif;base64,R0'>"
        "<img src='/icons/pdf.gif'><img src=c.png width=16><img src='data:image/png;base64,aa'><img src=a.png></div>"
    )
    assert read(page).images == ("https://www.example.gov.cn/zwgk/2026/a.png", "https://img.example.cn/b")


def test_links_follow_the_pages_base() -> None:
    page = body("<div id=zoom>正文<a href=a.pdf>甲.pdf</a></div>", head="<base href='/files/'>")
    assert read(page).attachments[0].url == "https://www.example.gov.cn/files/a.pdf"


# Pages that are none


@pytest.mark.parametrize(
    "page",
    [
        "",
        "   ",
        "<html><body></body></html>",
        body("<script>location.href='/x'</script>"),
        body("<div>Loading…</div>"),
        body("<p>Chargement en cours...</p>"),
        body("<div>正在加载</div><div>请稍候</div>"),
        body("<div><h2>Cookies</h2><p>Ce site utilise des cookies.</p></div><main>Chargement en cours ...</main>"),
        body("<div id=app></div><noscript>You need to enable JavaScript to run this app.</noscript>"),
        body("<p>，。</p>"),
        body("<img src='/logo.png'>"),
    ],
)
def test_a_page_without_text_is_an_error_never_an_empty_document(page: str) -> None:
    with pytest.raises(ParseError) as caught:
        read(page)
    assert caught.value.reason == "no text"
    assert URL in str(caught.value)


def test_a_page_that_is_a_picture_or_a_file_is_a_document() -> None:
    assert read(around("<div id=zoom><img src=scan.jpg></div>")).images
    assert read(body("<a href=a.pdf><img src=/icons/pdf.gif></a>")).attachments


@pytest.mark.parametrize(
    "page",
    [
        body("<h2>您访问的页面不存在或已删除！</h2><a href='/'>返回首页</a>"),
        body("<p>该内容已被发布者删除</p>"),
        body("<p>此内容因违规无法查看</p><p>由用户投诉并经平台审核，涉嫌违规</p>"),
        body("<h1>404 Not Found</h1><hr>nginx", head="<title>404 Not Found</title>"),
        body("页面不存在"),
        body(MENU + "<p>很抱歉</p>", head="<title>页面不存在_示例网</title>"),
        body("<p>The content has been deleted by the author.</p>"),
    ],
)
def test_a_page_that_says_it_is_gone_is_gone(page: str) -> None:
    assert read(page).gone
    assert read(page, select=("#zoom",)).gone


@pytest.mark.parametrize(
    "page",
    [
        around(f"<div id=zoom>{LONG}举报后该内容已被删除。{LONG}{LONG}</div>"),
        body("<p>该内容暂时无法查看</p>"),
        body("<p>系统维护中</p>"),
        body(f"<p>{LONG}</p>", head="<title>关于清理页面不存在问题的通知</title>"),
        body("<h1>404</h1><p>个城市</p>"),
    ],
)
def test_a_page_that_speaks_of_deletion_or_of_trouble_is_not_gone(page: str) -> None:
    assert read(page).gone is None


@pytest.mark.parametrize(
    ("page", "whole"),
    [
        (body("<p>正文</p>"), True),
        ("<html><body><p>正文", False),
        ("<html><body><p>正文</BODY>", True),
        ("<p>正文</p>", True),
    ],
)
def test_a_page_that_ends_too_soon_is_read_and_said_to(page: str, whole: bool) -> None:
    found = read(page)
    assert found.text == "正文"
    assert (found.problems == ()) is whole


# What is read


@pytest.mark.parametrize(
    ("media_type", "start", "takes"),
    [
        ("text/html", "x", True),
        ("application/xhtml+xml", "<?xml version='1.0'?><html/>", True),
        ("text/plain", "x", True),
        ("", "<!DOCTYPE html><p>x", True),
        ("application/octet-stream", "<!-- a --><HTML>", True),
        ("", "%PDF-1.4", False),
        ("application/pdf", "<html>", False),
        ("application/json", "{}", False),
        ("application/xml", "<rss/>", False),
    ],
)
def test_the_reader_takes_pages(media_type: str, start: str, takes: bool) -> None:
    assert html.Html().reads(got(start, media_type)) is takes


def test_plain_text_is_read_as_it_stands() -> None:
    found = html.Html().read(
        got("Contact: a@example.org\r\nExpires: 2027 <b>\n", "text/plain"), ReadPolicy(ignore_text=("Exp.*",))
    )
    assert (found.title, found.text) == (None, "Contact: a@example.org")
    with pytest.raises(ParseError, match="plain text"):
        html.Html().read(got("x", "text/plain"), ReadPolicy(select=("p",)))


@pytest.mark.parametrize("start", ["<!-- -->" * 5_000, "<?xml ?>" * 5_000, " " * 60_000])
def test_what_a_page_begins_with_is_looked_at_once_however_it_goes_on(start: str) -> None:
    assert html.Html().read(got(start + "公告。", "text/plain"), ReadPolicy()).text.endswith("公告。")


def test_an_xml_declaration_with_another_encoding_changes_nothing() -> None:
    assert read("<?xml version='1.0' encoding='gb2312'?>" + body("<p>正文</p>")).text == "正文"


# Hostile pages


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        ("<div>" * 100_000 + "x", "too deep"),
        ("<p>x" * 450_000, "too large"),
        ("<div>" * 1_500 + "深处的正文" + "</div>" * 1_500 + "<p>其后", None),
        ("<p " + " ".join(f"a{n}=1" for n in range(100_000)) + ">x</p>", None),
        ("<table><tr><td>a</td><td>" * 80 + "x", None),
        ("<b>x<p>y" * 20_000, None),
        ("<" * 1_000_000 + "<p>x", None),
        ("<!--" * 200_000, "no text"),
        ("<p>x\0y", None),
        ("<div class=share>" * 240 + "<p>x " * 5_000, None),
        ("<div class=TRS_Editor>x</div>" * 20_000, None),
        ("<a href=a.pdf>x</a>" * 20_000, None),
        (("<" + "a" * 16_380 + " >") * 40 + "<p>x", None),
        ("<p>x</p><a href='?" + "&".join(f"p{n}=1" for n in range(80)) + "'>下一页</a>", None),
    ],
)
def test_a_hostile_page_costs_bounded_time_and_is_read_whole_or_refused(page: str, reason: str | None) -> None:
    start = time.process_time()
    if reason is None:
        assert read(body(page)).text
    else:
        with pytest.raises(ParseError) as caught:
            read(body(page))
        assert caught.value.reason == reason
    assert time.process_time() - start < 10


def test_depth_loses_nothing() -> None:
    found = read(body("<div>" * 1_500 + "深处的正文" + "</div>" * 1_500 + "<p>其后"))
    assert found.text == "深处的正文\n其后"


_PARTS = [
    "<p>", "</p>", "<div>", "</div>", "<table>", "<tr>", "<td>", "</td>", "</tr>", "</table>", "<pre>", "</pre>",
    "<a href=a.pdf>", "</a>", "<script>", "</script>", "<!--", "-->", "<li>", "<br>", "<b>", "</b>", "</html>", "</body>",
    "<body>", "<html>", "<div id=zoom>", "<div style=display:none>", "<div class=share>", "&nbsp;", "&#0;", "&", "<", ">",
    "正文", " ", "x", "\u200b", "\ud800", "\x00", "<noscript>", "</noscript>", "<svg>", "<title>", "</title>", "<select>",
    "<option>", "<h1>", "</h1>", "\n",
]  # fmt: skip
_MARKUP = st.lists(
    st.sampled_from(_PARTS) | st.text(max_size=8),
    max_size=60,
).map("".join)


def attempt(markup: str) -> Document | ParseError:
    try:
        return html.Html().read(got(markup.encode("utf-8", "replace")), ReadPolicy())
    except ParseError as error:
        return error


@given(_MARKUP)
def test_any_markup_gives_clean_text_or_a_named_error(markup: str) -> None:
    found = attempt(markup)
    if isinstance(found, ParseError):
        assert found.reason in {"no text", "too deep"}
    else:
        assert found.text == text.clean(found.text)
        assert found.text.encode("utf-8").decode("utf-8") == found.text
        assert found.gone or found.text or found.images or found.attachments


@given(_MARKUP)
def test_text_is_the_same_whether_comments_stand_in_it_or_not(markup: str) -> None:
    once = dom.text_of(dom.parse(f"<div>{text.clean(markup.replace('<', ''))}</div>"))
    commented = dom.text_of(dom.parse(f"<div><!-- a -->{text.clean(markup.replace('<', ''))}<!-- b --></div>"))
    assert once == commented
