"""Facts of official texts: the own number, the issuers, the dates, as they really stand there; nothing is guessed."""

# ruff: noqa: E501 - tables of Chinese texts, a row a line
from __future__ import annotations

import time
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor import facts
from monitor.facts import BODIES, number
from monitor.model import Facts

PUBLISHED = date(2026, 1, 7)
EIGHT = (
    "工业和信息化部", "国家互联网信息办公室", "国家发展和改革委员会", "教育部", "商务部", "国务院国有资产监督管理委员会",
    "国家市场监督管理总局", "国家数据局",
)  # fmt: skip
SEED = """八部门关于印发《“人工智能+制造”专项行动实施意见》的通知
工信部联科〔2025〕279号
各省、自治区、直辖市及计划单列市、新疆生产建设兵团工业和信息化主管部门、党委网信办、教育厅（教委），各有关单位：
现将《“人工智能+制造”专项行动实施意见》印发给你们，请结合实际认真抓好落实。
工业和信息化部
中央网信办
国家发展改革委
教育部
商务部
国务院国资委
市场监管总局
国家数据局
2025年12月25日
“人工智能+制造”专项行动实施意见
为落实《国务院关于深入实施“人工智能+”行动的意见》（国发〔2025〕11号），制定本意见。"""


def read(title: str, text: str = "", **given: object) -> Facts:
    return facts.read(title, text, published=PUBLISHED, **given)  # type: ignore[arg-type]


def test_the_notice_that_this_was_asked_for() -> None:
    found = read("关于印发《“人工智能+制造”专项行动实施意见》的通知", SEED)
    assert found.number == "工信部联科〔2025〕279号"
    assert found.issuers == EIGHT
    assert (found.kind, found.signed) == ("通知", date(2025, 12, 25))
    assert found.addressees[-1] == "各有关单位"
    assert dict(found.words)["number"] == "工信部联科〔2025〕279号"
    assert "国家数据局 2025年12月25日" in dict(found.words)["signed"]


def test_a_reprint_says_the_same_of_the_document() -> None:
    signed = "工业和信息化部　中央网络安全和信息化委员会办公室\n国家发展和改革委员会　教育部　商务部\n国务院国有资产监督管理委员会　国家市场监督管理总局　国家数据局\n2025年12月25日"
    text = f"工信部联科〔2025〕279号\n各有关单位：\n现印发给你们。\n{signed}\n（来源：工信部网站）"
    found = read("通知 | 八部门印发《“人工智能+制造”专项行动实施意见》", text, origin="中国信息安全")
    assert (found.number, found.issuers, found.signed) == ("工信部联科〔2025〕279号", EIGHT, date(2025, 12, 25))


@pytest.mark.parametrize(
    ("written", "canon"),
    [
        ("工信部联科〔2025〕279号", "工信部联科〔2025〕279号"),
        ("工信部联科[2025]279号", "工信部联科〔2025〕279号"),
        ("工信部联科［2025］ 279 号", "工信部联科〔2025〕279号"),
        ("工信部联科（2025）279号", "工信部联科〔2025〕279号"),
        ("工信部联科【2025】第279号", "工信部联科〔2025〕279号"),
        ("发文字号：国办发〔2006〕82号", "国办发〔2006〕82号"),
        ("（国办函〔2004〕57号）", "国办函〔2004〕57号"),
        ("发改办高技〔2025〕0012号", "发改办高技〔2025〕12号"),
        ("财税〔2025〕5号", "财税〔2025〕5号"),
        ("银发〔2025〕101号", "银发〔2025〕101号"),
        ("国令第797号", "国令第797号"),
        ("中华人民共和国国务院令 第797号", "国令第797号"),
        ("中华人民共和国国务院令第七百九十七号"[:11] + "第797号", "国令第797号"),
        ("中华人民共和国工业和信息化部令 第68号", "工业和信息化部令第68号"),
        ("中华人民共和国主席令 第六十一号", "主席令第61号"),
        ("公告 2026年第3号", "公告2026年第3号"),
        ("工业和信息化部公告2026年第3号", "工业和信息化部公告2026年第3号"),
        ("中华人民共和国商务部公告 2026年 第12号", "商务部公告2026年第12号"),
        ("海关总署公告2025年第201号", "海关总署公告2025年第201号"),
        ("财政部 税务总局公告2026年第4号", "财政部税务总局公告2026年第4号"),
        ("2026年第3号公告", "公告2026年第3号"),
    ],
)
def test_a_number_has_one_spelling(written: str, canon: str) -> None:
    found = number.parse(written)
    assert found is not None
    assert found.canon == canon
    assert number.canon(canon) == canon


@pytest.mark.parametrize(
    "written",
    [
        "升级通告（20240818）",
        "某公告20240818",
        "根据国发〔2015〕50号文件要求",
        "第3号",
        "2026年第3号",
        "2025年12月25日",
        "CVE-2025-1234",
        "漏洞周报（2026年第3号）的说明",
        "",
        "号",
        "〔2025〕279号",
    ],
)
def test_what_is_no_number_or_part_of_a_sentence_is_none(written: str) -> None:
    assert number.parse(written) is None


@pytest.mark.parametrize(
    ("title", "text", "own"),
    [
        pytest.param(
            "关于某事的通知", "工信厅科函〔2026〕3号\n各单位：\n按国发〔2015〕50号办。", "工信厅科函〔2026〕3号", id="in the head"
        ),
        pytest.param(
            "关于某事的通知（工信厅科函〔2026〕3号）",
            "正文引用国发〔2015〕50号。",
            "工信厅科函〔2026〕3号",
            id="behind the title",
        ),
        pytest.param("关于某事的通知", "为落实《意见》（国发〔2015〕50号），现通知如下：", None, id="only cited"),
        pytest.param(
            "关于某事的通知",
            "关于某事的通知（国办函〔2004〕57号）\n正文。",
            "国办函〔2004〕57号",
            id="behind the title in the text",
        ),
        pytest.param("中华人民共和国国务院令", "第 797 号\n现公布条例。", "国令第797号", id="an order in two lines"),
        pytest.param("某条例", "中华人民共和国国务院令\n第797号\n现公布条例。", "国令第797号", id="an order in the text"),
        pytest.param(
            "中华人民共和国工业和信息化部公告", "2026年第3号\n批准标准。", "工业和信息化部公告2026年第3号", id="an announcement"
        ),
        pytest.param(
            "关于标准的公告",
            "工业和信息化部公告\n2026年第3号\n批准。",
            "工业和信息化部公告2026年第3号",
            id="announcement in the text",
        ),
        pytest.param(
            "市场监管总局发布《某规定》",
            "某规定\n（2026年1月6日国家市场监督管理总局令第91号公布 自2026年9月1日起施行）\n第一条",
            "国家市场监督管理总局令第91号",
            id="in the caption",
        ),
        pytest.param("漏洞周报2026年第3期", "本周共收录漏洞。\n第3号", None, id="a weekly has none"),
    ],
)
def test_the_own_number_is_told_from_those_cited(title: str, text: str, own: str | None) -> None:
    assert read(title, text).number == own


@pytest.mark.parametrize(
    ("title", "text", "issuers"),
    [
        pytest.param("国务院办公厅关于推进政务新媒体的意见", "", ("国务院办公厅",), id="by the title"),
        pytest.param("国务院办公厅转发国家地震局关于防震减灾意见的通知", "", ("国务院办公厅",), id="who forwards, not who wrote"),
        pytest.param("国务院办公厅、中央军委办公厅关于管理的通知", "", ("国务院办公厅", "中央军委办公厅"), id="two by the title"),
        pytest.param("工业和信息化部 财政部关于某事的通知", "", ("工业和信息化部", "财政部"), id="two with a space"),
        pytest.param("工业和信息化部等八部门关于某事的通知", "", ("工业和信息化部",), id="the first of eight"),
        pytest.param("关于某事的通知", "正文。\n某某市人民政府办公室\n2026年1月5日", ("某某市人民政府办公室",), id="one that is not known"),
        pytest.param("关于某事的通知", "正文。\n工信部    2026年1月5日", ("工业和信息化部",), id="beside the date"),
        pytest.param("关于某事的通知", "工信厅科函〔2026〕3号\n正文。", ("工业和信息化部",), id="by its number"),
        pytest.param("关于教育部工作的说明", "教育部负责。公安部配合。", (), id="only mentioned"),
        pytest.param("某漏洞的通告", "漏洞由某公司报送。\n2026年1月5日", (), id="a date without a body"),
        pytest.param("CNNVD | 关于某漏洞的通报", "正文。", ("国家信息安全漏洞库",), id="as the column"),
        pytest.param("CNVD漏洞周报2026年第3期", "正文。", ("国家信息安全漏洞共享平台",), id="its bulletin"),
        pytest.param("通知丨中央网信办印发《某指南》", "正文。", ("国家互联网信息办公室",), id="behind a column"),
        pytest.param("四部门发布《某规定》", "某规定\n（2026年1月6日中央网信办、工业和信息化部、公安部制定 2026年1月7日发布）", ("国家互联网信息办公室", "工业和信息化部", "公安部"), id="in the caption"),
        pytest.param("某市数据局印发《某方案》", "正文。", ("某市数据局",), id="one that is not known says something"),
        pytest.param("某公司发布产品补丁更新", "正文。", (), id="a company"),
        pytest.param("某市工信局召开推进会", "正文。", (), id="a clause that ends like a body"),
        pytest.param("李某签署国务院令 公布《某条例》", "正文。", (), id="who signed an order"),
        pytest.param("某国成立新网络司令部", "正文。", (), id="a word that holds a kind"),
        pytest.param("外滩大会：科技竞赛启动", "正文。", (), id="a meeting"),
        pytest.param("工信部通报21款应用；某公司被罚款数亿元", "正文。", (), id="several things"),
    ],
)  # fmt: skip
def test_who_issued_it(title: str, text: str, issuers: tuple[str, ...]) -> None:
    if title == "关于某事的通知" and "函〔" in text:
        assert read(title, text.replace("工信厅", "工信部")).issuers == issuers
    else:
        assert read(title, text).issuers == issuers


def test_the_origin_counts_only_where_nothing_else_says_who() -> None:
    assert read("关于某事的通知", "正文。", origin="工信部网站").issuers == ("工业和信息化部",)
    assert read("国务院关于某事的通知", "正文。", origin="工信部网站").issuers == ("国务院",)
    assert read("关于某事的通知", "正文。", origin="某某科技").issuers == ()


@pytest.mark.parametrize(
    ("origin", "issuers"),
    [
        ("工信微报", ()), ("CNVD漏洞平台", ("国家信息安全漏洞共享平台",)), ("国家互联网应急中心CNCERT", ("国家计算机网络应急技术处理协调中心",)),
        ("教育部政务新媒体", ("教育部",)), ("中国人民银行官网", ("中国人民银行",)), ("CNCERT国家工程研究中心", ()), ("公安部刑侦局", ()),
        ("新华社", ()), ("新华社、工信微报", ()), ("财政部 税务总局", ()), ("教育部考试中心", ()),
    ],
)  # fmt: skip
def test_an_origin_is_an_issuer_only_where_it_is_the_bodys_own_outlet(origin: str, issuers: tuple[str, ...]) -> None:
    assert read("某新闻", "正文。", origin=origin).issuers == issuers


def test_the_record_of_a_page_wins_but_does_not_shorten_the_signature() -> None:
    record = [("发文机关", "国务院办公厅、中央军委办公厅"), ("发文字号", "国办发〔1996〕25号"), ("成文日期", "1996年06月04日")]
    found = read("关于管理的通知", "正文。\n国务院\n1996年6月1日", labels=record)
    assert (found.issuers, found.number, found.signed) == (
        ("国务院办公厅", "中央军委办公厅"),
        "国办发〔1996〕25号",
        date(1996, 6, 4),
    )
    assert read("通知", SEED, labels=[("发文机关", "工业和信息化部等八部门")]).issuers == EIGHT


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("关于印发《某办法》的通知", "通知"), ("某某公告", "公告"), ("关于某事的意见", "意见"), ("关于某事的复函", "复函"),
        ("关于某事的通知（2026年修订）", "通知"), ("公开征求对《某办法（征求意见稿）》的意见", "征求意见"), ("某新闻", None),
        ("关于公开征求《某条例》意见的通知", "征求意见"), ("某条例", "条例"), ("国务院关于某事的批复_中国政府网", "批复"), ("关于发布《某指南——某地要求》的通知", "通知"), ("通知 | 工信部发布《某指南》（附全文）", "指南"),
        ("某局印发《某行动计划（2026—2028年）》（附全文）", "计划"), ("某部印发《某实施细则（试行）》", "细则"), ("某数据安全管理条例", "条例"),
        ("中华人民共和国工业和信息化部令", "令"), ("某局关于防范某软件的风险提示", "提示"), ("一图读懂《关于某事的通知》", "解读"),
        ("某负责人就《某条例》答记者问", "解读"), ("网络法治的中国智慧与中国方案", None), ("某某首批3项加密标准", None),
        ("21款应用被某部通报", None), ("某框架常用命令", None), ("研究人员警告可能泄露敏感指令", None), ("某地提出新的数据安全规定", None),
        ("某搜索功能空格过滤问题解决办法", None), ("某早报 | 甲事；某部关注乙事公告", None),
    ],
)  # fmt: skip
def test_the_kind_of_document(title: str, kind: str | None) -> None:
    assert read(title).kind == kind


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("本办法自2026年3月1日起施行。", date(2026, 3, 1)),
        ("本公告自2026年3月1日起正式实施", date(2026, 3, 1)),
        ("本规定自公布之日起施行。", PUBLISHED),
        ("本规定自发布之日起30日后施行。", date(2026, 2, 6)),
        ("本规定自二〇二六年五月一日起执行", date(2026, 5, 1)),
        ("本规定自发布之日起三个月后施行。", None),
        ("会议自2026年3月1日起举行", None),
        ("教育部\n2026年1月2日\n本规定自印发之日起施行。", date(2026, 1, 2)),
        ("教育部办公厅\n2026年1月2日\n某规定\n本规定自公布之日起施行。", date(2026, 1, 2)),
    ],
)
def test_from_when_it_is_in_force(text: str, day: date | None) -> None:
    assert read("某办法", text).effective == day


@pytest.mark.parametrize(
    ("title", "text", "day"),
    [
        ("公开征求对《某办法》的意见", "请在2026年2月7日前将意见反馈至邮箱。", date(2026, 2, 7)),
        ("公开征求对《某办法》的意见", "意见反馈截止时间为2026年2月7日。", date(2026, 2, 7)),
        ("公开征求对《某办法》的意见", "征求意见时间：2026年1月7日至2026年2月7日", date(2026, 2, 7)),
        ("关于某名单的公示", "公示时间：2026年1月7日至1月13日，如有异议请反映。", date(2026, 1, 13)),
        ("关于某名单的公示", "公示期：2026年1月7日—2026年1月13日", date(2026, 1, 13)),
        ("关于报送材料的通知", "请于2026年3月15日前报送总结。", None),
        ("公开征求对《某办法》的意见", "意见反馈时间截至2026年2月7日。", date(2026, 2, 7)),
        ("关于某名单的公示", "截至2026年1月6日，共收到申请12件；公示期5个工作日，如有异议请反映。", None),
        ("某产品安全问题通报；某办法公开征求意见", "请在2026年2月7日前将意见反馈至邮箱。", None),
    ],
)
def test_until_when_opinions_are_asked_for(title: str, text: str, day: date | None) -> None:
    assert read(title, text).deadline == day


def test_annexes_are_listed_by_name() -> None:
    assert read("通知", "正文。\n附件：1. 名单\n2. 申报表\n3．说明\n工信部\n2026年1月5日").annexes == ("名单", "申报表", "说明")
    assert read("通知", "正文。\n附件：示范项目名单").annexes == ("示范项目名单",)
    assert read("通知", "正文提到附件：的写法，不在行首").annexes == ()
    assert read("通知", "正文。\n附件1：某公告（征求意见稿）.pdf\n附件2：起草说明.docx\n中国人民银行").annexes == (
        "某公告（征求意见稿）",
        "起草说明",
    )
    assert read("通知", "正文。\n附件1\n名词解释\n一、某词。").annexes == ()


@pytest.mark.parametrize(
    ("name", "full"),
    [("工信部", "工业和信息化部"), ("国家网信办", "国家互联网信息办公室"), ("中央网信办", "国家互联网信息办公室"), ("发改委", "国家发展和改革委员会"),
     ("中华人民共和国教育部", "教育部"), ("央行", "中国人民银行"), ("CISA", "Cybersecurity and Infrastructure Security Agency"), ("某部", None)],
)  # fmt: skip
def test_a_body_is_one_whatever_it_is_called(name: str, full: str | None) -> None:
    assert BODIES.full(name) == full
    if full:
        assert name.removeprefix("中华人民共和国") in BODIES.names(full)


def test_users_add_bodies_and_names() -> None:
    more = BODIES.extended({"某某市数据局": ["市数据局"], "教育部": ["教部"]})
    assert more.find("市数据局、教部") == ("某某市数据局", "教育部")
    assert BODIES.find("市数据局、教部") == ()
    assert facts.read("通知", "正文。\n市数据局\n2026年1月5日", bodies=more).issuers == ("某某市数据局",)


def test_a_longer_name_is_not_cut_to_a_shorter() -> None:
    assert BODIES.find("国务院办公厅、国务院，教育部办公厅") == ("国务院办公厅", "国务院", "教育部办公厅")
    assert BODIES.find("CISAX CISA, xCISA") == ("Cybersecurity and Infrastructure Security Agency",)


# --- security notices


def test_a_flaw_says_its_ids_and_how_grave_it_is() -> None:
    found = read(
        "【高危】某路由器命令注入漏洞（CVE-2025-12345）",
        "cve－2025－12345、CVE-2024-1000000、CNVD-2025-01234、CNVD-C-2025-123456、CNNVD-202501-123。CVSS 3.1评分：9.8，已发现在野利用。",
    )
    assert found.cves == ("CVE-2025-12345", "CVE-2024-1000000")
    assert found.ids == ("CNVD-2025-01234", "CNVD-C-2025-123456", "CNNVD-202501-123")
    assert (found.severity, found.cvss, found.exploited) == ("high", 9.8, True)


@pytest.mark.parametrize(
    ("title", "text", "severity", "cvss", "exploited"),
    [
        ("通告", "危害等级：超危", "critical", None, None),
        ("通告", "漏洞级别为中危，目前未发现在野利用", "medium", None, False),
        ("通告", "CVSS v3.1 Base Score 7.5", "high", 7.5, None),
        ("通告", "CVSS:3.1/AV:N/AC:L", None, None, None),
        ("某系统高危漏洞预警", "详情见附件", "high", None, None),
        ("关于加强高危行业安全的通知", "高危行业企业应当", None, None, None),
        ("Advisory", "Severity: Important. It is exploited in the wild.", "high", None, True),
        ("公告", "CNVD对该漏洞的综合评级为“高危”。", "high", None, None),
        ("通报", "漏洞编号 | 危害等级\nA | 高\n综合评级为“高危”，另一漏洞的综合评级为“中危”。", None, None, None),
        ("某公司超高危漏洞", "CVSS评分高达9.8", "critical", 9.8, None),
        ("Important: Request mix-up CVE-2021-25122", "", "high", None, None),
        ("某漏洞", "该漏洞可能被利用来执行代码，一旦被黑客利用，后果严重。", None, None, None),
        ("某漏洞", "该漏洞已被多个组织利用", None, None, True),
        (
            "某目录增加了五个被积极利用的漏洞",
            "CVE-2024-1001 (CVSS 6.5)\nCVE-2024-1002 (CVSS 8.8)\nCVE-2024-1003\nCVE-2024-1004",
            None,
            None,
            True,
        ),
        ("某早报 | 甲漏洞；乙公司被罚", "甲漏洞的CVSS评分为9.8，危害等级：超危，已发现在野利用。", None, None, None),
        ("漏洞周报2026年第3期", "综合评级为“高危”", None, None, None),
    ],
)
def test_severity_is_read_where_it_is_spoken_of(
    title: str, text: str, severity: str | None, cvss: float | None, exploited: bool | None
) -> None:
    found = read(title, text)
    assert (found.severity, found.cvss, found.exploited) == (severity, cvss, exploited)


def test_the_fields_of_a_row_win() -> None:
    labels = [
        ("cve", "CVE-2026-1111"),
        ("severity", "CRITICAL"),
        ("cvss", "9.1"),
        ("dueDate", "2026-02-01"),
        ("exploited", "2026-01-02"),
    ]
    found = read("CVE-2026-1111", "vulnStatus: Analyzed", labels=labels)
    assert (found.cves, found.severity, found.cvss, found.due, found.exploited) == (
        ("CVE-2026-1111",),
        "critical",
        9.1,
        date(2026, 2, 1),
        True,
    )
    assert read("x", "", labels=[("hazardLevel", "3"), ("exploited", "no")]).exploited is False
    assert read("x", "", labels=[("危害级别", "高 (AV:N/AC:L/Au:N/C:C/I:C/A:C)")]).severity == "high"


def test_the_day_in_brackets_below_a_title_is_that_of_signing() -> None:
    text = "中共中央办公厅 国务院办公厅\n关于某事的意见\n（2026年1月2日）\n为促进某事，现提出如下意见。"
    found = read("中共中央办公厅 国务院办公厅关于某事的意见", text)
    assert (found.issuers, found.signed) == (("中共中央办公厅", "国务院办公厅"), date(2026, 1, 2))
    amended = "某法\n（2012年12月28日某会通过 根据2019年4月23日某会《决定》修正）\n第一条"
    assert read("某法", amended).signed is None


def test_every_fact_keeps_the_words_that_it_was_read_from() -> None:
    notice = read("关于印发《某办法》的通知", SEED + "\n本办法自2026年3月1日起施行。\n附件：某表")
    flaw = read("某系统严重漏洞", "CVE-2026-1111，CNVD-2026-01234，CVSS评分：9.8，已发现在野利用。请于2026年2月1日前修复。")
    asked = read("公开征求对《某办法》的意见", "请在2026年2月7日前将意见反馈至邮箱。")
    rated = read("某漏洞", "CVSS评分：9.8", labels=[("exploited", "yes")])
    for found in (notice, flaw, asked, rated):
        read_ = {name for name in found.__slots__ if name != "words" and getattr(found, name) not in (None, ())}
        assert read_ == {name for name, _ in found.words}
    assert {name for found in (notice, flaw, asked) for name, _ in found.words} == {*notice.__slots__} - {"words"}


# --- whatever comes


@given(st.text(max_size=400), st.text(max_size=2000), st.lists(st.tuples(st.text(max_size=20), st.text(max_size=60)), max_size=4))
def test_any_text_is_read(title: str, text: str, labels: list[tuple[str, str]]) -> None:
    found = facts.read(title, text, published=PUBLISHED, labels=labels)
    assert all(len(words) <= 120 for _, words in found.words)
    assert facts.read(title, text, published=PUBLISHED, labels=labels) == found


@pytest.mark.parametrize(
    "text",
    ["〔2025〕" * 100_000, "工业和信息化部" * 80_000, "附件：" * 200_000, "自2026年" * 150_000, "\n".join(["工信部"] * 200_000),
     "日" * 1_000_000, "CVE-2025-" * 120_000, "年月日\n" * 250_000, "截止" * 400_000 + "征求意见", "（" * 1_000_000, "令 " * 400_000],
    ids=lambda text: text[:8],
)  # fmt: skip
def test_a_hostile_text_costs_little(text: str) -> None:
    started = time.process_time()
    read("公开征求意见 " + text[:300], text)
    assert time.process_time() - started < 3  # the bound is on the kind of growth, not on the machine
