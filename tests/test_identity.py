"""The same document in several places is one; in doubt two notices are two."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor import facts, identity
from monitor.identity import Card

DAY = date(2026, 1, 8)
ORDER = "".join(
    f"第{n}条 各省、自治区、直辖市主管部门应当于{n}月底前完成第{n}项工作，并将结果报送部里，逾期不予受理。" for n in range(1, 31)
)
TITLE = "关于印发《“人工智能+制造”专项行动实施意见》的通知"
REPRINT = "通知 | 八部门印发《“人工智能+制造”专项行动实施意见》"


def card(
    title: str, text: str = "", *, source: str = "", after: int = 0, number: str = "", cve: str = "", files: tuple[str, ...] = ()
) -> Card:
    said = facts.read(title, f"{number}\n{text}\n{cve}" if number or cve else text, published=DAY)
    return Card(source or title[:3] + str(after), title, text, DAY + timedelta(days=after), said, frozenset(files))


def weekly(number: int) -> str:
    return "本周收集整理信息安全漏洞，其中高危漏洞、中危漏洞、低危漏洞的情况如下。" * 6 + "".join(
        f"产品{number * 100 + n}存在命令执行漏洞，攻击者可利用该漏洞获取权限。" for n in range(40)
    )


SAME = {
    "original and reprint, by number": (
        card(TITLE, ORDER[:600], number="工信部联科〔2025〕279号"),
        card(REPRINT, ORDER[:200], number="工信部联科[2025]279号", after=14),
        "number",
    ),
    "original and reprint, by text": (card(TITLE, ORDER), card(REPRINT, ORDER + "（来源：工信部网站）", after=3), "text"),
    "a rubric, an addition, typography": (
        card("【安全圈】某公司发布《数据安全白皮书》（附全文）", ORDER),
        card("某公司发布「数据安全白皮书」", ORDER[: len(ORDER) // 2]),
        "title",
    ),
    "two columns of one site": (card(TITLE, "", source="tz"), card(TITLE, "", source="zxzc", after=1), "title"),
    "a cut title with the whole text": (card(TITLE, ORDER), card("关于印发《“人工智能+制造”专项行动实施…", ORDER), "text"),
    "Chinese and other figures": (card("三问一图读懂某办法", ORDER), card("3问1图 | 读懂某办法", ORDER), "text"),
    "how many bodies is not said alike": (
        card("四部门制定《互联网政务应用安全管理规定》", ORDER),
        card("中央网信办等制定发布《互联网政务应用安全管理规定》", ORDER),
        "text",
    ),
    "another headline over the same long text": (
        card("万万没想到，这才是黑客的目标", ORDER),
        card("防火墙正在爆雷", ORDER + "完"),
        "text",
    ),
    "the same scanned pages": (
        card("某部印发《工作办法》", "", files=("a", "b", "c")),
        card("通知 | 某部等印发《工作办法》", "", files=("a", "b", "c", "d"), after=2),
        "file",
    ),
}
TWO = {
    "two issues of a bulletin": (card("CNVD漏洞周报2026年第1期", weekly(1)), card("CNVD漏洞周报2026年第2期", weekly(2), after=7)),
    "two issues with the same text so far": (card("安全周报（第一期）", ORDER), card("安全周报（第二期）", ORDER)),
    "two batches": (card("关于公布示范项目名单（第三批）的通知", ORDER), card("关于公布示范项目名单（第四批）的通知", ORDER)),
    "two spans of days": (card("上周关注的漏洞(20240701-20240707)", ORDER), card("上周关注的漏洞(20240708-20240714)", ORDER)),
    "two numbers": (card(TITLE, ORDER, number="工信部科〔2025〕1号"), card(TITLE, ORDER, number="工信部科〔2025〕2号")),
    "a draft and the final text": (
        card("国家数据局就《可信数据空间发展行动计划》公开征求意见", ORDER),
        card("国家数据局印发《可信数据空间发展行动计划》", ORDER),
    ),
    "a text and its interpretation": (card(TITLE, ORDER), card("《“人工智能+制造”专项行动实施意见》解读", ORDER)),
    "a text and its repeal": (card("关于印发《某办法》的通知", ORDER), card("关于废止《某办法》的通知", ORDER)),
    "a digest that holds a notice": (
        card("某部印发《工作办法》", ORDER[:900]),
        card("今日要闻：标准发布；某部印发工作办法；多家公司被罚", ORDER + weekly(9)),
    ),
    "two flaws in one form": (
        card("某产品命令执行漏洞通告", ORDER, cve="CVE-2026-11111"),
        card("某产品命令执行漏洞通告", ORDER, cve="CVE-2026-22222"),
    ),
    "the same title months later": (card("关于开展安全检查的通知", ORDER), card("关于开展安全检查的通知", weekly(3), after=90)),
    "the same title without texts, weeks later": (
        card("关于开展安全检查工作的通知"),
        card("关于开展安全检查工作的通知", after=20),
    ),
    "short titles without texts": (card("安全公告", source="a"), card("安全公告", source="b")),
    "the same form attached to two notices": (
        card("关于申报试点项目的通知", "", files=("form",)),
        card("关于开展人才培训报名工作的函", "", files=("form",)),
    ),
    "two texts named in one manner": (card("某部印发《甲类工作办法》", ORDER), card("某部印发《乙类工作规程》", weekly(4))),
}


@pytest.mark.parametrize(("one", "other", "signal"), SAME.values(), ids=list(SAME))
def test_copies_of_one_document_are_recognised_and_the_reason_is_given(one: Card, other: Card, signal: str) -> None:
    for a, b in ((one, other), (other, one)):
        found = identity.same(a, b)
        assert found is not None
        assert (found.signal, bool(found.reason)) == (signal, True)
    assert identity.keys(one) & identity.keys(other), "they share a key by which they are found"


@pytest.mark.parametrize(("one", "other"), TWO.values(), ids=list(TWO))
def test_in_doubt_two_notices_are_two(one: Card, other: Card) -> None:
    assert identity.same(one, other) is None
    assert identity.same(other, one) is None


def test_a_title_that_one_source_gives_again_and_again_names_nothing() -> None:
    bulletin = "每日网络安全资讯推送与提醒"
    known = {1: card(bulletin, source="a"), 2: card(bulletin, source="a", after=1)}
    assert identity.find(card(bulletin, source="b", after=1), known) is None
    assert identity.find(card(bulletin, source="a", after=1), {1: known[1]}) is None
    assert identity.find(card(bulletin, source="b", after=1), {1: known[1]}) is not None


def test_the_oldest_copy_is_the_one_that_is_named() -> None:
    known = {4: card(TITLE, ORDER, source="a"), 9: card(REPRINT, ORDER, source="b")}
    found = identity.find(card(REPRINT, ORDER, source="c"), known)
    assert found is not None
    assert found[0] == 4


texts = st.text(alphabet="一二三人工智能制造安全漏洞通知《》（）第号期0123456789 abc|【】", max_size=80)


@given(texts, texts, texts, texts)
def test_it_is_the_same_from_both_sides_and_any_text_is_taken(title: str, other: str, said: str, more: str) -> None:
    a, b = card(title, said * 9, source="a"), card(other, more * 9, source="b")
    assert (identity.same(a, b) is None) == (identity.same(b, a) is None)
