"""Pages written after the structure of real sites: title, time, source, text, pager and record, whatever the site's own names."""

# ruff: noqa: E501 - markup as sites write it
from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from monitor.html import dom, parts
from monitor.html import page as pages
from monitor.model import Document, Fetched, ReadPolicy, Request, Validators
from monitor.readers import html

FIRST = "为进一步规范数据处理活动，保障数据安全，现就有关事项通知如下，请结合实际认真抓好落实。"
SECOND = "各地区、各部门要高度重视，加强组织领导，落实工作责任；遇到重大问题，及时报告。"
TEXT = f"{FIRST}\n{SECOND}"
BODY = f"<p>　　{FIRST}</p><p>　　{SECOND}</p>"
TITLE = "示例省示例厅关于做好数据安全工作的通知"


@dataclass
class Structure:
    """One site's page, and what a person reads there."""

    url: str
    page: str
    published: str | None
    issuer: str | None = None
    text: str = TEXT
    title: str = TITLE
    next: str | None = None
    labels: dict[str, str] = field(default_factory=dict)


STRUCTURES = {
    # the date stands between source and tools, without a label; another date is the day's
    "province, date in the byline": Structure(
        "https://www.example.gov.cn/xw/t20260401_1.htm",
        f"""<title>{TITLE}_部门动态_中国示例--示例省人民政府门户网站</title></head><body>
        <div class="top_link"><p class="datep"><i>2026年04月02日</i><i>星期四</i></p></div>
        <div class="top-news"><span>当前位置：<a href="../">首页</a> &gt; <a href="./">部门动态</a></span></div>
        <div class="xl-nr"><h3>{TITLE}</h3><h5 class="ly"><span>[省示例厅]</span>&nbsp; 2026-04-01&nbsp; 字号：<a href="#">T</a> | <a href="#">T</a></h5>
        <div class="htmlcon"><div class="TRS_Editor">{BODY}</div></div></div>
        <div class="xglj"><h4>相关链接：</h4><ul><li>查看“<a href="/was5/">数据安全</a> ”相关链接</li></ul></div>
        <div class="scdy"><a>【收藏】</a><a>【打印】</a><a>【关闭】</a></div><div class="footer">版权所有：示例省</div>""",
        "2026-04-01",
    ),
    "province, split by a script of TRS": Structure(
        "https://www.example.gov.cn/yw/202609/t20260918_693227.shtml",
        f"""<title>{TITLE}_要闻_示例省人民政府门户网站</title></head><body>
        <div class="logo"><h1><a href="/"><span>示例省人民政府网站</span></a></h1></div>
        <div class="detail"><h3></h3><h2>{TITLE}</h2><ul><li><span alt="时间：2017-11-08"><i>时间：</i>2026-09-18 06:23</span>
        <span><i>来源：</i>
            示例日报
        </span></li><li><span>打印</span><span><i>字体：</i><a>放大</a> <a>正常</a></span><span>分享</span></li></ul>
        <div class="article-body"><div class="TRS_Editor">{BODY}</div></div>
        <p><script>function createPageHTML(_nPageCount,_nCurrIndex,_sPageName,_sPageExt){{}}
        createPageHTML(3,0,"t20260918_693227","shtml");</script></p><dl><dt>扫一扫在手机打开当前页面</dt></dl></div>""",
        "2026-09-17 22:23:00+00:00",
        "示例日报",
        next="https://www.example.gov.cn/yw/202609/t20260918_693227_1.shtml",
    ),
    "newspaper, split into numbered pages": Structure(
        "http://paper.example.cn/n1/2026/0615/c1013-31153719.html",
        f"""<title>{TITLE}--文化--示例网</title></head><body><div class="path"><a href="/">示例网</a>&gt;&gt;<a href="/c">文化</a></div>
        <div class="text_title"><h3></h3><h1>{TITLE}</h1><div class="fl">2026年06月15日08:18&nbsp;&nbsp;来源：<a href="/c">示例网-文化频道</a></div></div>
        <div class="fl text_con"><div class="box_con" id="rwb_zw"><div class="box_pic"></div>{BODY}
        <div class="zdfy"><a href="/n1/2026/0615/c1013-31153719.html">【1】</a><a href="/n1/2026/0615/c1013-31153719-2.html">【2】</a></div>
        <center><table><tr><td><a href="/n1/2026/0615/c1013-31153719-2.html"><img src="/img/next_page.jpg"></a></td></tr></table></center></div>
        <div class="box_read"><h2>推荐阅读</h2><p><strong>专题</strong> 一段介绍，说的是别的事。<a href="/x">【详细】</a></p></div></div>""",
        "2026-06-15 00:18:00+00:00",
        "示例网-文化频道",
        next="http://paper.example.cn/n1/2026/0615/c1013-31153719-2.html",
    ),
    "news agency": Structure(
        "http://www.example-news.cn/2026-12/10/c_1125.htm",
        f"""<title>{TITLE}-示例新闻</title></head><body><div class="h-news"><div class="h-title">
        {TITLE}
        </div><div class="h-info"><span class="h-time"> 2026-11-10 07:57:40</span><span>
        来源：
        <em id="source"> 示例社</em></span></div></div><div class="main"><div class="s-item"><a></a> 微信 </div>
        <div id="p-detail">{BODY}<div class="zan-wap"><div class="zan-i">+1</div></div>
        <div class="p-tags"><a class="advise">【纠错】</a>
        责任编辑：
        某某</div></div><div class="relate-news">新闻<span>评论</span></div></div>""",
        "2026-11-09 23:57:40+00:00",
        "示例社",
        text=f"{TEXT}\n责任编辑：某某",
    ),
    "institution, counter in the byline": Structure(
        "http://www.example-hospital.cn/article_1.shtml",
        f"""<title>{TITLE}</title></head><body><ul><li><h3><a href="/">首页</a></h3></li><li><h3><a href="/y">概况</a></h3></li></ul>
        <div style="float:right"><table><tr><td><img src="/i/house.png"></td><td>位置：<a href="/">首页</a> &gt; <a href="/t">动态</a></td></tr></table>
        <div id="T1"><div class="title">{TITLE}</div><div>来源：本站原创&nbsp; 作者：某支部<br>时间：2026年10月31日 23:00&nbsp; 浏览：<span id="c">33</span></div></div>
        <div id="div_content"><div id="z">{BODY}</div></div><div>上一篇：<a href="/1">没有了</a></div><div>下一篇：<a href="/2">某会</a></div></div>""",
        "2026-10-31 15:00:00+00:00",
    ),
    "blog engine, told to machines": Structure(
        "http://www.example-blog.cn/post/1.html",
        f"""<title>{TITLE}-示例传媒</title><script type="application/ld+json">{{"title": "x", "pubDate": "2026-09-11T02:46:57"}}</script></head>
        <body><div class="here"><a href="/">首页</a>&gt;<a href="/c">时政</a></div><div class="post"><h2 class="post-title">{TITLE}</h2>
        <h6><i></i>示例传媒 <i></i>1665 <i></i>0</h6><div class="post-body"><p style="display:none">原标题</p>{BODY}</div>
        <h5><a href="/t">甲</a> <a href="/u">乙</a></h5></div><div class="relate"><span>相关文章</span><div><a href="/2">别的事
        <p>4月20日，某省首次发布白皮书。记者获悉，去年全省案件赔偿数额同比增幅超过六成，创下历年新高。</p></a><span>2026年11月03日</span></div></div>""",
        "2026-09-10 18:46:57+00:00",
    ),
    "bureau, title only in the record": Structure(
        "http://cz.example.gov.cn/detail.html",
        f"""</head><body><div class="function"><a href="javascript:window.print();">打印本页</a></div>
        <table><tr><td>报送单位：</td><td>市示例局</td><td>主题分类：</td><td><span></span></td></tr>
        <tr><td>发文字号：</td><td>示财〔2026〕1号</td><td>成文日期：</td><td>2026-01-04</td></tr>
        <tr><td>标　　题：</td><td colspan="3"><span>
        {TITLE}
        </span></td></tr></table><div class="TRS_PreAppend">{BODY}</div>""",
        None,
        labels={"发文字号": "示财〔2026〕1号", "成文日期": "2026-01-04"},
    ),
    "ministry, record inside the frame of the text": Structure(
        "https://www.example.gov.cn/gk/202603/t20260305_1.shtml",
        f"""<title>{TITLE}--中华人民共和国示例部</title></head><body><div class="nav"><a href="/">首页</a></div>
        <div class="main_detail"><table><tr><td>标题：</td><td>{TITLE}</td></tr>
        <tr><td>索引号：</td><td>4/2026-00001</td><td>发文字号：</td><td>示〔2026〕88号</td><td>发文单位：</td><td>示例部</td></tr>
        <tr><td>成文日期：</td><td>2026年03月01日</td><td>公开日期：</td><td>2026年03月05日</td></tr></table><div id="content">{BODY}</div></div>""",
        "2026-03-05",
        "示例部",
        labels={
            "索引号": "4/2026-00001",
            "发文字号": "示〔2026〕88号",
            "发文单位": "示例部",
            "成文日期": "2026年03月01日",
            "公开日期": "2026年03月05日",
        },
    ),
    "university, title before the column's name": Structure(
        "http://jw.example.edu.cn/info/1.htm",
        f"""<title>{TITLE}-纪检</title></head><body><table><tr><td><a href="/">首页</a></td></tr></table><div>{TITLE}</div>
        <table><tr><td>来源:</td><td>发布时间: 2026-05-17</td><td>浏览次数: 2168</td></tr></table><div class="v_news_content">{BODY}</div>""",
        "2026-05-17",
    ),
    "publisher's account, date below the title": Structure(
        "http://dy.example.com/v2/1.html",
        f"""<title>{TITLE}_示例订阅</title></head><body><div class="article_title"><h2> {TITLE} </h2><div class="share_box">
        <p class="when"><span>2026-05-17</span> <span>·</span> <span>示例报道</span></p><div>分享到</div></div></div><div id="endText">{BODY}</div>""",
        "2026-05-17",
    ),
}  # fmt: skip


def read(url: str, markup: str) -> Document:
    got = Fetched(
        Request(url), 200, url, markup.encode(), "text/html", "utf-8", Validators(), datetime(2026, 11, 22, 4, tzinfo=UTC)
    )
    return html.Html().read(got, ReadPolicy())


@pytest.mark.parametrize("name", STRUCTURES)
def test_a_page_of_this_structure_says_what_a_person_reads_there(name: str) -> None:
    wanted = STRUCTURES[name]
    found = read(wanted.url, f"<html><head><meta charset='utf-8'>{wanted.page}</body></html>")
    assert found.title == wanted.title
    assert found.text == wanted.text
    assert (str(found.published) if found.published else None) == wanted.published
    assert found.issuer == wanted.issuer
    assert found.next == wanted.next
    assert dict(found.labels) == wanted.labels
    assert found.images == ()


@pytest.mark.parametrize("name", STRUCTURES)
def test_its_counters_and_the_day_of_the_look_are_no_part_of_it(name: str) -> None:
    """A page that is loaded again with other counters is the same page."""
    page = f"<html><head>{STRUCTURES[name].page}</body></html>"
    later = (
        page.replace(">33<", ">34<")
        .replace("2168", "2169")
        .replace("1665", "1666")
        .replace("+1", "+2")
        .replace("04月02日", "04月03日")
    )
    first, second = (read(STRUCTURES[name].url, one) for one in (page, later))
    assert (first.title, first.text) == (second.title, second.text)


# The next page of an article

HERE = "https://www.example.gov.cn/zw/202601/t20260108_1234.html"


@pytest.mark.parametrize(
    ("here", "link", "follows"),
    [
        (HERE, '<a href="t20260108_1234_1.html">下一页</a>', "t20260108_1234_1.html"),
        (HERE, '<a href="t20260108_1234_2.html">下一页 &gt;</a>', "t20260108_1234_2.html"),
        (HERE, '<a href="?page=2">下一页</a>', "?page=2"),
        (HERE + "?page=2", '<a href="?page=3">[3]</a>', "?page=3"),
        (HERE.replace("1234", "1234_1"), '<a href="t20260108_1234_2.html">3</a>', "t20260108_1234_2.html"),
        (HERE.replace("1234", "1234_2"), '<a href="t20260108_1234_3.html">Next page</a>', "t20260108_1234_3.html"),
        # another article, another list, the page itself, the page before, another site, nothing but a number
        (HERE, '<a href="t20260108_1235.html">下一篇</a>', None),
        (HERE, '<a href="t20260108_1235.html">下一页</a>', None),
        (HERE, '<a href="index_1.html">下一页</a>', None),
        (HERE, '<a href="t20260108_1234.html">下一页</a>', None),
        (HERE.replace("1234", "1234_2"), '<a href="t20260108_1234_1.html">下一页</a>', None),
        (HERE, '<a href="https://other.example.cn/zw/202601/t20260108_1234_1.html">下一页</a>', None),
        (HERE, '<a href="t20260108_1234_5.html">下一页</a>', None),
        (HERE, '<a href="t20260108_1234_2.html">附件2</a>', None),
        (HERE, '<a href="javascript:next()">下一页</a>', None),
        ("https://www.example.gov.cn/zw/index.html", '<a href="index_1.html">下一页</a>', None),
        ("https://www.example.gov.cn/zw/", '<script>createPageHTML(9, 0, "index", "html");</script>', None),
        (HERE, '<script>createPageHTML(1, 0, "t20260108_1234", "html");</script>', None),
        (HERE, '<script>createPageHTML(2, 0, "index", "html");</script>', None),
        (HERE.replace("1234", "1234_1"), '<script>createPageHTML(2,1,"t20260108_1234","html");</script>', None),
    ],
)  # fmt: skip
def test_only_the_same_address_with_the_next_number_goes_on_with_a_text(here: str, link: str, follows: str | None) -> None:
    root = dom.parse(f"<body><div id=zoom>{BODY}</div>{link}</body>")
    wanted = (
        None
        if follows is None
        else HERE.rpartition("/")[0] + "/" + (HERE.rpartition("/")[2] if follows[0] == "?" else "") + follows
    )
    assert parts.following(root, here, here) == wanted


@pytest.mark.parametrize(
    "line",
    [
        "【1】【2】【3】",
        "首页 上一页 1 2 3 下一页 尾页",
        "[1] [2]",
        "上一页 下一页",
        "共 3 页 第 1 页 下一页",
        "1 2 下一页 >>",
        "第1页 / 共3页 下一页",
    ],
)
def test_links_to_other_pages_are_no_text(line: str) -> None:
    assert pages.without_tools(f"正文。\n{line}") == "正文。"


@pytest.mark.parametrize(
    "line",
    ["1 2 3", "第1页", "2026", "见[1]和[2]。", "首页", "[1] 某某. 数据安全. 2026.", "12/24", "上一页所列各项，由各部门负责。"],
)
def test_what_only_looks_like_such_links_stays(line: str) -> None:
    assert pages.without_tools(f"正文。\n{line}") == f"正文。\n{line}"


def test_no_line_takes_long_to_be_told_from_a_tool() -> None:
    hostile = (
        "【打印】 " * 15 + "x】",
        "打印 " * 25 + "x",
        "1" * 70 + "下一页x",
        "【1】" * 19 + "x 上一页",
        "来源：浏览：" + "1," * 60 + "x",
    )
    started = time.perf_counter()
    for line in hostile:
        pages.without_tools(line)
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("来源：甲 时间：2026-01-08 浏览次数：1,234次", "来源：甲 时间：2026-01-08"),
        ("发布时间：2026-01-08 【浏览：12】 来源：甲", "发布时间：2026-01-08 来源：甲"),
        ("【纠错】 责任编辑：某某", "责任编辑：某某"),
        ("责任编辑：某某 【打印】【关闭】", "责任编辑：某某"),
        ("发布时间：各地应当公开浏览：网站、报刊。", "发布时间：各地应当公开浏览：网站、报刊。"),
        ("【纠错】机制应当健全", "【纠错】机制应当健全"),
    ],
)
def test_a_byline_is_read_without_its_counter(line: str, kept: str) -> None:
    assert pages.without_tools(line) == kept
