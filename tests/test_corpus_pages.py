"""Real pages: each gives its text, without the site's menus, and the same text when it is captured again."""

from __future__ import annotations

import json
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor import text
from monitor.errors import ParseError
from monitor.fetch import charset
from monitor.model import Document, Fetched, ReadPolicy, Request, Validators
from monitor.readers import html

pytestmark = pytest.mark.corpus
AT = datetime(2026, 11, 22, tzinfo=UTC)


def read(path: Path, url: str = "https://www.example.gov.cn/a/b.html", policy: ReadPolicy | None = None) -> Document:
    body = path.read_bytes()
    fitting = charset.detect(body, None)
    return html.Html().read(Fetched(Request(url), 200, url, body, "text/html", fitting, Validators(), AT), policy or ReadPolicy())


def index(folder: Path) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = json.loads((folder / "index.json").read_text("utf-8"))
    return rows


def fingerprint(document: Document) -> str:
    return text.fingerprint({"title": document.title, "text": document.text})


MENU_WORDS = ("首页", "当前位置", "版权所有", "ICP备", "扫一扫", "打印本页", "网站地图", "无障碍", "加入收藏")


@pytest.mark.parametrize(
    ("name", "title", "first", "last", "published", "issuer"),
    [
        (
            "html/cmse_manned_space_1.html",
            "天宫一号与神舟九号载人交会对接任务第二场新闻发布会",
            "2012年6月24日",
            "（责任编辑：系统管理员）",
            "2012-06-24",
            None,
        ),
        (
            "html/deqing_gov_statistics.html",
            "1-10月德清县固定资产投资结构趋稳趋优",
            "1-10月，全县固定资产投资完成246.79亿元",
            "（德清县发改局）",
            "2016-11-22 01:53:00+00:00",
            "省发改委",
        ),
        (
            "html/npc_gazette_2007.html",
            "全国人民代表大会常务委员会关于批准财政部发行特别国债购买外汇及调整2007 年末国债余额限额的决议",
            "全国人民代表大会常务委员会",
            "批准2007年末国债余额限额调整为53365.53亿元。",
            "2007-08-20",
            None,
        ),
        (
            "html/sxmu_supervision_law.html",
            "中华人民共和国监察法",
            "中华人民共和国监察法",
            "《中华人民共和国行政监察法》同时废止。",
            "2018-05-17",
            None,
        ),
        (
            "html_gb2312/163_9.html",
            "5月20日至31日，京沪高速无锡至江阴大桥至广陵枢纽段封闭！",
            "下周一，",
            "来源：无锡交警",
            "2019-05-17",
            None,
        ),
    ],
)
def test_a_page_is_read_from_its_first_sentence_to_its_last_without_menus(
    corpus: Path, name: str, title: str, first: str, last: str, published: str | None, issuer: str | None
) -> None:
    found = read(corpus / "gov_pages" / name)
    assert found.title == title
    assert found.text.startswith(first)
    assert found.text.endswith(last)
    assert (str(found.published) if found.published else None) == published
    assert found.issuer == issuer
    assert not [word for word in MENU_WORDS if word in found.text]


def test_policies_give_their_text_number_issuer_and_nothing_of_the_page(corpus: Path) -> None:
    folder = corpus / "gov_pages"
    rows = [row for row in index(folder) if row["file"].startswith("gov_cn_policies/") and "doc_no" in row]
    assert len(rows) == 30
    for row in rows:
        found = read(folder / row["file"], row["url"])
        assert found.issuer == row["issuer"], row["file"]
        said, head = text.fold(found.text), text.fold("".join(found.text.split("\n")[:8]))
        assert text.fold(row["doc_no"]) in said, row["file"]
        assert head[:10] == text.fold(row["title"])[:10], row["file"]
        assert not [word for word in (*MENU_WORDS, "索引号", "主题分类") if word in found.text], row["file"]


def test_policies_crawled_again_a_day_later_are_the_same(corpus: Path) -> None:
    folder = corpus / "gov_pages" / "gov_cn_policies"
    pairs = [(path, folder / "recrawl_next_day" / path.name) for path in sorted((folder / "fragments").glob("*.html"))]
    assert len(pairs) == 15
    differing = [(a, b) for a, b in pairs if fingerprint(read(a)) != fingerprint(read(b))]
    # The first crawl of one page holds a broken entity where the second holds a space: it really says something else.
    assert [a.name for a, _ in differing] == ["812245351598.html"]
    first, second = (read(path).text for path in differing[0])
    assert first.replace("&bsp;", "").replace(" \n", "\n") == second


def test_one_article_captured_three_times_is_one_version(corpus: Path) -> None:
    found = [read(path) for path in sorted((corpus / "gov_pages" / "same_article_recaptured").glob("*.html"))]
    assert len(found) == 3
    assert len({fingerprint(one) for one in found}) == 1
    assert "广州南沙国际邮轮母港将于11月17日正式开港" in found[0].text
    assert {str(one.published) for one in found} == {"2019-08-13 06:07:00+00:00"}


def test_a_shield_page_is_no_text(corpus: Path) -> None:
    for path in sorted((corpus / "gov_pages" / "waf").glob("jsl_*.html")):
        with pytest.raises(ParseError) as caught:
            read(path)
        assert caught.value.reason == "no text"


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("article--01.html", "大家好，我是轩辕。", "程序员赛道太卷，逆向工程师怎么样？"),
        ("gne-wechat-1.html", "今天凌晨，三星在美国旧金山举行发布会", "经过文刃重新编排"),
    ],
)
def test_articles_of_wechat_are_read_without_what_surrounds_them(corpus: Path, name: str, first: str, last: str) -> None:
    found = read(corpus / "wechat" / "article_html_raw" / name, "https://mp.weixin.qq.com/s/x")
    assert found.text.startswith(first)
    assert found.text.endswith(last)
    assert "微信扫一扫" not in found.text
    assert found.images


@pytest.mark.parametrize(
    ("name", "gone"),
    [
        ("deleted-by-author--01.html", "该内容已被发布者删除"),
        ("deleted-by-author--06.html", "The content has been deleted by the author"),
        ("violation--01.html", "此内容因违规无法查看"),
        ("unavailable--01.html", None),
        ("aboutbiz--biz-MjM5ODMxNzE2NQ.html", None),
        ("article--01.html", None),
    ],
)
def test_deleted_articles_say_so(corpus: Path, name: str, gone: str | None) -> None:
    assert read(corpus / "wechat" / "article_html_raw" / name).gone == gone


def test_versions_of_an_advisory_differ_where_they_were_edited(corpus: Path) -> None:
    folder = corpus / "diff_ground_truth" / "kafka_cve_list_versions"
    found = {path.stem: read(path).text for path in folder.glob("*.html")}
    assert "Fixed versions | 2.8.2, 3.0.2, 3.1.2, 3.2.3" in found["cve-list-changed-versions-affected"]
    lines = {name: set(said.split("\n")) for name, said in found.items()}
    edited = lines["cve-list-changed-fixed-versions"] ^ lines["cve-list-changed-versions-affected"]
    assert {line.partition(" | ")[0] for line in edited} == {"Versions affected", "Fixed versions"}


def test_a_page_that_is_still_loading_is_an_error_and_its_return_is_no_change(corpus: Path) -> None:
    series = "sante-numerique-france--mon-espace-sant-accessibility-statement"
    folder = corpus / "histories" / "ota_raw_html"
    corrected = json.loads((folder / "corrected_labels.json").read_text("utf-8"))
    labels = {row["file"]: row["label"] for row in json.loads((folder / series / "index.json").read_text("utf-8"))["versions"]}
    words = {"content_change": "change", "no_content_change": "quiet"}
    last, wrong = "", []
    with tarfile.open(folder / series / "versions.tar.xz") as archive:
        for member in sorted((m for m in archive.getmembers() if m.isfile()), key=lambda m: m.name):
            name = member.name.rpartition("/")[2]
            wanted = corrected.get(f"{series}/{name}", {}).get("want") or words.get(labels[name], "either")
            page = archive.extractfile(member)
            assert page is not None
            url = "https://www.example.org/accessibility"
            answer = Fetched(Request(url), 200, url, page.read(), "text/html", "utf-8", Validators(), AT)
            try:
                said = fingerprint(html.Html().read(answer, ReadPolicy()))
            except ParseError:
                seen = "error"
            else:
                seen = "change" if last and said != last else "quiet"
                last = said
            if wanted not in (seen, "either"):
                wrong.append((name, wanted, seen))
    assert wrong == []
