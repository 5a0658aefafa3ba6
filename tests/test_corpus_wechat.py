"""Real pages of WeChat: every kind is told apart, and the text is the article's."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.errors import ParseError
from monitor.model import Document, Fetched, Purpose, ReadPolicy, Request, Validators
from monitor.readers import read

pytestmark = pytest.mark.corpus
CHROME = (
    "往期推荐", "微信扫一扫", "预览时标签不可点", "轻点两下取消赞", "继续滑动看下一个", "使用小程序", "轻触阅读原文",
)  # fmt: skip


def of(corpus: Path, name: str) -> Document:
    body = (corpus / "wechat" / "article_html_raw" / name).read_bytes()
    url = "https://mp.weixin.qq.com/s/copy"
    return read(
        Fetched(
            Request(url, Purpose.DOCUMENT), 200, url, body, "text/html", "utf-8", Validators(), datetime(2026, 11, 20, tzinfo=UTC)
        ),
        ReadPolicy(),
    )


ARTICLES = {
    "article--01.html": (
        "AI编程害死我了，给我的抓包软件埋了一个大雷！",
        "轩辕的编程宇宙",
        1984,
        4,
        "大家好，我是轩辕。",
        "可以在评论区回复1。",
    ),
    "article-share--03.html": (
        "和死神赛跑：趁父亲还在世，我想用人工智能留住他",
        "阮一峰的网络日志",
        13942,
        0,
        "阮一峰（公众号",
        "我把手机递给了他。",
    ),
    "gne-wechat-1.html": ("三星 Galaxy S20 系列手机正式发布", "爱否科技", 1760, 6, "今天凌晨，三星在美国", "经过文刃重新编排"),
    "picture-share--03.html": ("发工资了，时隔两年半，好开心", "神光的编程秘籍", 103, 4, "发工资了", "后面还是工作之余输出吧"),
    "text-share--02.html": ("大家好，我是轩辕之风", "轩辕的编程宇宙", 134, 0, "大家好，我是轩辕之风", "有趣的技术故事🙏🙏"),
}
GONE = {
    "deleted-by-author--01.html": "该内容已被发布者删除",
    "deleted-by-author--06.html": "The content has been deleted by the author",
    "violation--01.html": "此内容因违规无法查看",
}
NO_ARTICLE = {
    "unavailable--01.html": "unavailable",
    "aboutbiz--biz-MjM5ODMxNzE2NQ.html": "no text",
    "aboutbiz--biz-MjM5OTM0OTE1Mg.html": "no text",
    "aboutbiz--biz-MzAxODU1ODg2Mg.html": "no text",
}


def test_every_page_of_the_collection_is_judged(corpus: Path) -> None:
    names = {path.name for path in (corpus / "wechat" / "article_html_raw").glob("*.html")}
    assert names == {*ARTICLES, *GONE, *NO_ARTICLE}


@pytest.mark.parametrize("name", ARTICLES)
def test_an_article_is_read_without_its_page(corpus: Path, name: str) -> None:
    title, account, length, pictures, first, last = ARTICLES[name]
    found = of(corpus, name)
    assert (found.title or "").startswith(title)
    assert dict(found.labels)["account"] == account
    assert abs(len(found.text) - length) <= max(5, length // 100)
    assert (found.text.startswith(first), found.text.endswith(last)) == (True, True)
    assert len(found.images) == pictures
    assert found.published is not None
    assert found.gone is None
    assert [words for words in CHROME if words in found.text] == []


@pytest.mark.parametrize("name", GONE)
def test_what_was_deleted_is_gone(corpus: Path, name: str) -> None:
    found = of(corpus, name)
    assert (found.gone, found.text, found.title) == (GONE[name], "", None)


@pytest.mark.parametrize("name", NO_ARTICLE)
def test_what_is_no_article_is_a_failed_reading(corpus: Path, name: str) -> None:
    with pytest.raises(ParseError) as caught:
        of(corpus, name)
    assert caught.value.reason == NO_ARTICLE[name]
