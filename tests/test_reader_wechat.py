# ruff: noqa: E501 - pages in one line each
"""WeChat: the article without its page; shares; deleted and guarded pages recognised; a reload is no change."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor import facts
from monitor.errors import Challenge, ParseError, SourceError
from monitor.facts import BODIES
from monitor.model import Document, Fetched, Purpose, ReadPolicy, Request, Validators
from monitor.readers import read
from monitor.readers.wechat import Wechat
from tests.sites import HERE, expected

URL = "https://mp.weixin.qq.com/s/rF8KEVOH2RuIaRQgONNxAQ"


def fetched(markup: str | bytes, url: str = URL) -> Fetched:
    body = markup if isinstance(markup, bytes) else markup.encode()
    return Fetched(
        Request(url, Purpose.DOCUMENT), 200, url, body, "text/html", "utf-8", Validators(), datetime(2026, 11, 20, tzinfo=UTC)
    )


def article(content: str, script: str = "", head: str = "") -> str:
    return (
        f'<html><head>{head}</head><body><div id="js_article"><h1 id="activity-name">关于某事的通知</h1><a id="js_name">某某发布</a>'
        f'<div id="js_content" style="visibility: hidden;">{content}</div></div><p>微信扫一扫关注该公众号</p>'
        f'<script>var ct = "1767866400"; var item_show_type = "0"; {script}</script></body></html>'
    )


def of(markup: str | bytes, url: str = URL) -> Document:
    return read(fetched(markup, url), ReadPolicy())


def test_the_article_that_this_was_asked_for() -> None:
    wanted = expected("wechat")["detail"]
    found = of((HERE / "wechat" / "seed.html").read_bytes(), "http://127.0.0.1:1/s/rF8KEVOH2RuIaRQgONNxAQ")
    assert (found.title, found.reader, found.gone) == (wanted["title"], "wechat/2", None)
    assert found.published == datetime.fromisoformat(wanted["published"])
    assert dict(found.labels) == {"account": wanted["account"], "source": wanted["source"]}
    assert found.issuer == wanted["source"]
    assert [words for words in wanted["must_contain"] if words not in found.text] == []
    assert [words for words in wanted["must_not_contain"] if words in found.text] == []
    assert len(found.images) == wanted["pictures"] == 24
    said = facts.read(found.title or "", found.text, published=found.published, origin=found.issuer, labels=found.labels)
    assert (said.number, said.signed) == (wanted["number"], date(2025, 12, 25))
    assert said.issuers == tuple(BODIES.full(one) for one in wanted["issuers"])
    assert said.addressees[-1] == "各有关单位"


def test_a_reload_with_other_addresses_tokens_and_counts_is_the_same() -> None:
    first, again = (of((HERE / "wechat" / name).read_bytes()) for name in ("seed.html", "seed_reloaded.html"))
    assert first == again


def test_what_an_account_sets_around_its_text_is_left_out_and_the_text_never() -> None:
    found = of(
        article(
            "<p>点击上方蓝字关注我们</p><p>第一条 扫码入场的单位应当登记，登记信息应当真实、准确、完整，不得以扫码为由收集无关的个人信息；违反本条规定的，由主管部门责令改正。</p><p>第二条 本办法自公布之日起施行。</p><p>（来源：某某部网站）</p><p>往期推荐</p><p>另一篇文章的标题</p><p>点赞、在看、转发</p>"
        )
    )
    assert found.text.split("\n")[0].startswith("第一条 扫码入场")
    assert found.text.split("\n")[-1] == "（来源：某某部网站）"
    assert found.issuer == "某某部网站"


def test_links_to_other_articles_are_no_part_of_one() -> None:
    others = "".join(
        f'<p><a href="https://mp.weixin.qq.com/s/{n}">如何学习第{n}课？</a></p><p><img data-src="https://mmbiz.qpic.cn/{n}/640"></p>'
        for n in range(3)
    )
    found = of(article(f"<p>正文第一段，说的是一件事。</p><p>PS：新版本本周发布。</p><p>往期推荐</p>{others}"))
    assert (found.text, found.images) == ("正文第一段，说的是一件事。\nPS：新版本本周发布。", ())
    inside = of(article(f"<p>正文第一段。</p><p>【相关阅读】</p>{others}<p>（来源：某某部网站）</p><p>点击下方卡片关注我们</p>"))
    assert inside.text == "正文第一段。\n（来源：某某部网站）"
    assert of(article("<p>正文。</p><p>推荐阅读</p><p>本条所称推荐阅读，是指平台推送。</p>")).text.endswith("是指平台推送。")


@pytest.mark.parametrize(
    "last",
    [
        "本办法自2026年1月1日起施行，《互联网广告管理暂行办法》同时废止。",
        "第三十条 本办法所称小程序，是指依托平台的应用。",
        "（三）不得强制扫码",
        "三、规范推荐阅读、订阅等服务",
        "对拒不改正的，暂停其视频号服务。",
    ],
)
def test_a_clause_that_names_what_accounts_advertise_is_never_cut(last: str) -> None:
    text = "第一条 为了规范互联网信息服务，保护公民、法人和其他组织的合法权益，制定本办法。"
    assert of(article(f"<p>{text}</p><p>{last}</p><p>扫码关注我们</p>")).text == f"{text}\n{last}"
    assert of(article(f"<p>{last}</p><p>{text}</p>")).text == f"{last}\n{text}"


@pytest.mark.parametrize("end", ["END", "- END -", "*END*", "— 完 —"])
def test_what_follows_the_word_end_is_left_out_but_for_the_source(end: str) -> None:
    tail = '<p>粉丝群开放啦</p><p><img data-src="https://mmbiz.qpic.cn/qr/640"></p><p>网罗圈内热点 专注网络安全</p><p>支持就点个三连吧！</p>'
    found = of(article(f"<p>正文第一段。</p><p>正文第二段。</p><p>{end}</p><p>来源：某某部网站</p>{tail}"))
    assert (found.text, found.images) == ("正文第一段。\n正文第二段。\n来源：某某部网站", ())


@pytest.mark.parametrize("after", ["附件：申报表", "报名请于3月1日前发送邮件", "第三条 " + "各单位应当落实责任，" * 8])
def test_what_matters_behind_the_word_end_stays(after: str) -> None:
    assert after in of(article(f"<p>正文第一段。</p><p>正文第二段。</p><p>END</p><p>{after}</p>")).text


def test_hidden_text_is_read_and_hidden_pieces_inside_are_not() -> None:
    found = of(
        article(
            '<p>正文第一段。</p><p style="display:none">看不见的话</p><section><p>正文<strong>第二</strong>段。</p></section>'
        )
    )
    assert found.text == "正文第一段。\n正文第二段。"


@pytest.mark.parametrize(
    ("image", "address"),
    [
        (
            '<img data-src="https://mmbiz.qpic.cn/mmbiz_jpg/abc/640?wx_fmt=jpeg&amp;from=appmsg&amp;tp=webp" data-ratio="1.4" data-w="1080">',
            "https://mmbiz.qpic.cn/mmbiz_jpg/abc/640?wx_fmt=jpeg",
        ),
        ('<img data-src="http://mmbiz.qpic.cn/mmbiz_png/abc/0?token=1" data-w="900">', "https://mmbiz.qpic.cn/mmbiz_png/abc/0"),
        ('<img data-src="https://mmbiz.qpic.cn/mmbiz_gif/abc/640?wx_fmt=gif" data-type="gif">', None),
        ('<img data-src="https://mmbiz.qpic.cn/a/640?wx_fmt=png" data-ratio="0.12" data-w="1080">', None),
        ('<img src="data:image/gif;base64,R0lGOD">', None),
        ('<img data-src="http://[mmbiz/0" data-w="900">', None),
    ],
)
def test_a_picture_is_named_by_what_stays_of_its_address(image: str, address: str | None) -> None:
    assert of(article(f"<p>正文。</p>{image}")).images == (() if address is None else (address,))


def test_a_picture_share_has_its_words_and_pictures_from_the_script() -> None:
    script = r"""
    window.a = {item_show_type: '8' || '', nick_name: JsDecode('某某发布'), create_time: JsDecode('2025-10-30 10:12'),
    content_noencode: JsDecode('第一行\x0a\x0a第二行 \x26amp; 完'), ct: '1761790349' || '',
    picture_page_info_list: [ {cdn_url: JsDecode('https://mmbiz.qpic.cn/mmbiz_jpg/p1/0?wx_fmt=jpeg\x26amp;from=appmsg')}, {cdn_url: JsDecode('https://mmbiz.qpic.cn/mmbiz_jpg/p2/0?wx_fmt=jpeg')} ]};"""
    found = of(
        f'<html><head><meta property="og:title" content="第一行"></head><body><div id="js_article"></div><script>{script}</script></body></html>'
    )
    assert (found.title, found.text) == ("第一行", "第一行\n第二行 & 完")
    assert found.images == (
        "https://mmbiz.qpic.cn/mmbiz_jpg/p1/0?wx_fmt=jpeg",
        "https://mmbiz.qpic.cn/mmbiz_jpg/p2/0?wx_fmt=jpeg",
    )
    assert (found.published, dict(found.labels)["account"]) == (datetime(2025, 10, 30, 2, 12, 29, tzinfo=UTC), "某某发布")


def test_a_text_share_has_its_words_from_the_script() -> None:
    script = r"var item_show_type = '10' || ''; ct = '1590487813' || ''; x = {nick_name: JsDecode('某某发布'), text_page_info: { content: JsDecode('大家好。\x0a\x0a文章明天迁移。') }}"
    found = of(
        rf'<html><head><meta property="og:title" content="大家好。\n\n文章明天迁移。"></head><body><div id="js_content">,</div><script>{script}</script></body></html>'
    )
    assert (found.title, found.text) == ("大家好。", "大家好。\n\n文章明天迁移。")


NOTICE = (
    '<html><body><div class="weui-msg"><div class="weui-msg__title warn">{}</div></div><p>微信公众平台运营中心</p></body></html>'
)


@pytest.mark.parametrize(
    "said",
    [
        "该内容已被发布者删除",
        "此内容因违规无法查看",
        "此内容被投诉且经审核涉嫌侵权，无法查看",
        "此帐号已被屏蔽，内容无法查看",
        "The content has been deleted by the author.",
    ],
)
def test_a_deleted_article_is_gone(said: str) -> None:
    assert (of(NOTICE.format(said)).gone or "") in said
    assert of(NOTICE.format(said)).gone


@pytest.mark.parametrize(
    "said", ["环境异常 当前环境异常，完成验证后即可继续访问。去验证", "操作频繁，请稍后再试", "请在微信客户端打开链接"]
)
def test_an_access_check_is_no_article_and_no_deletion(said: str) -> None:
    with pytest.raises(Challenge, match="access check") as caught:
        of(NOTICE.format(said))
    assert caught.value.hint


@pytest.mark.parametrize(
    ("said", "reason"),
    [("该内容暂时无法查看", "unavailable"), ("参数错误", "unavailable"), ("某公众号 已关注 历史消息", "no text")],
)
def test_other_pages_are_failed_readings(said: str, reason: str) -> None:
    with pytest.raises(ParseError) as caught:
        of(NOTICE.format(said))
    assert caught.value.reason == reason


def test_an_article_that_quotes_such_a_sentence_is_an_article() -> None:
    found = of(article("<p>页面显示“该内容已被发布者删除”或“环境异常，去验证”，这是平台的提示。</p>"))
    assert found.gone is None
    assert "该内容已被发布者删除" in found.text


def test_another_site_s_page_is_not_for_this_reader() -> None:
    assert not Wechat().reads(fetched("<html><body><div id='js_content'>正文</div></body></html>", "https://www.example.org/"))
    assert Wechat().reads(fetched(article("<p>正文</p>"), "http://127.0.0.1:1/s/copy"))


@given(st.text(max_size=600), st.text(max_size=200))
def test_any_page_is_read_or_refused(content: str, script: str) -> None:
    for markup in (article(content, script), content, f"<div class='weui-msg'>{content}</div>"):
        try:
            found = of(markup)
        except SourceError:
            continue
        assert found.reader == "wechat/2"
