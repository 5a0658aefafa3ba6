"""A message says who issued what and which characters changed, fits its channel, and lets nothing from outside act in it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
import regex
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from lxml import html as lxml_html
from markdown_it import MarkdownIt

from monitor.model import HOUSE_KINDS, Attachment, Change, Channel, Kind, Message, Version
from monitor.render import SUBJECT, Told, message_id, render
from monitor.render.escape import address, cut, html, markdown, measure, plain
from monitor.render.words import _EN, _ZH

NOW = datetime(2025, 11, 24, 12, 0, tzinfo=UTC)  # 20:00 in Shanghai
URL = "https://www.miit.gov.cn/art/2025/art_12_3.html?a=1&b=2"
FILES = (Attachment("https://x.cn/1.pdf", "附件1_方案.pdf", sha256="aa"), Attachment("https://x.cn/2.docx", "附件2.docx"))
TEXT = "关于开展试点的通知\n各省工业和信息化主管部门：\n第一条 申报截止时间为3月1日。\n第二条 联系邮箱 a@miit.gov.cn。"
OLD = Version(7, 1, "1:a", "关于开展试点的通知", TEXT, date(2025, 11, 20), datetime(2025, 11, 20, 1, tzinfo=UTC))
NEW = replace(OLD, seq=2, title="关于开展应用试点的通知", text=TEXT.replace("3月1日", "4月1日"), published=date(2025, 11, 21))
LABELS = (
    ("issuer", "工业和信息化部"),
    ("number", "工信部联科〔2025〕12号"),
    ("cve", "CVE-2025-1"),
    ("cve", "CVE-2025-2"),
    ("vendor", "Apache"),
)
FORMATS = ("text", "markdown", "html")


def told(kind: Kind = Kind.NEW, reason: str = "", detail: str = "", id: int = 5, notice: int | None = 7, **fields) -> Told:
    fields = {"source": "miit/tz", "title": OLD.title, "url": URL, "published": date(2025, 11, 20), "labels": LABELS} | fields
    return Told(Change(id, kind, fields["source"], notice, None, None, reason, None, NOW, detail), **fields)


def house(kind: Kind, reason: str, detail: str = "", source: str | None = "miit/tz") -> Told:
    return told(kind, reason, detail, notice=None, source=source, title=source or "", url=None, published=None, labels=())


def said(
    *changes: Told, limit: int = 100_000, unit: str = "characters", format: str = "text", language: str = "zh", **more
) -> Message:
    channel = Channel("ops", "console://", language=language, timezone=more.pop("timezone", "Asia/Shanghai"))
    return render(changes, channel, limit=limit, unit=unit, format=format, now=NOW, **more)


def test_a_new_notice_says_who_issued_what_when_and_what_it_is_about() -> None:
    message = said(told(after=OLD, attachments=FILES, also=("doonsec",)))
    assert message.title == "【新】工业和信息化部：关于开展试点的通知"
    assert message.body.split("\n") == [
        "【新】工业和信息化部：关于开展试点的通知",
        "来源：miit/tz · 日期：2025-11-20",
        "文号：工信部联科〔2025〕12号",
        "CVE：CVE-2025-1、CVE-2025-2",
        "vendor：Apache",
        "附件：附件1_方案.pdf、附件2.docx",
        "另见：doonsec",
        "",
        "各省工业和信息化主管部门：",
        "第一条 申报截止时间为3月1日。",
        "第二条 联系邮箱 a@miit.gov.cn。",
        "",
        URL,
    ]
    assert (message.link, message.at, message.format, message.text) == (URL, NOW, "text", message.body)


def test_a_revised_notice_says_what_changed_from_what_to_what() -> None:
    now = replace(NEW, attachments=(replace(FILES[0], sha256="bb"), Attachment("https://x.cn/3.xlsx", "附件3.xlsx")))
    message = said(told(Kind.REVISED, "title, text, date", before=replace(OLD, attachments=FILES), after=now, title=NEW.title))
    lines = message.body.split("\n")
    assert lines[:8] == [
        "【改】工业和信息化部：关于开展应用试点的通知",
        "来源：miit/tz · 日期：2025-11-20",
        "变动：标题、正文、日期 (第 1 版 → 第 2 版)",
        "旧标题：关于开展试点的通知",
        "新标题：关于开展应用试点的通知",
        "日期：2025-11-20 → 2025-11-21",
        "新增附件：附件3.xlsx",
        "删去附件：附件2.docx",
    ]
    assert lines[8] == "附件内容变了：附件1_方案.pdf"
    assert lines[-1] == URL
    shown = "\n".join(lines[9:-1])
    assert "3" in shown
    assert "4" in shown
    assert "申报截止时间为" in shown
    assert "a@miit.gov.cn" not in shown  # an unchanged clause is not shown as changed


@pytest.mark.parametrize("format", FORMATS)
def test_a_difference_shows_the_old_and_the_new_characters_in_every_format(format: str) -> None:
    before, after = replace(OLD, text="共计甲万元"), replace(OLD, seq=2, text="共计乙万元")
    body = said(told(Kind.REVISED, "text", before=before, after=after), format=format).body
    assert body.count("甲") == 1
    assert body.count("乙") == 1


def test_a_withdrawn_notice_says_what_our_copy_says_and_from_when_it_is() -> None:
    body = said(told(Kind.WITHDRAWN, "gone", "last seen 2025-11-23 08:00 UTC", before=OLD)).body
    assert "【撤】" in body
    assert "撤下：2025-11-24 20:00" in body
    assert "副本：第 1 版，取于 2025-11-20 09:00" in body
    assert "last seen 2025-11-23 08:00 UTC" in body
    assert "第一条 申报截止时间为3月1日。" in body
    assert body.endswith(URL)


def test_a_notice_that_came_back_otherwise_than_it_went_shows_the_difference() -> None:
    same = said(told(Kind.RESTORED, before=OLD, after=replace(OLD, seq=2))).body
    other = said(told(Kind.RESTORED, before=OLD, after=NEW)).body
    assert "恢复：2025-11-24 20:00" in same
    assert "a@miit.gov.cn" in same
    assert "a@miit.gov.cn" not in other
    assert "4" in other


@pytest.mark.parametrize(
    ("kind", "reason", "source", "zh", "en"),
    [
        (Kind.GAP, "no overlap", "miit/tz", "【漏？】可能有遗漏：miit/tz", "[gap] possible gap: miit/tz"),
        (Kind.FAILING, "http 503", "miit/tz", "【障】看不到了：miit/tz", "[failing] cannot be seen any more: miit/tz"),
        (
            Kind.FAILING,
            "offline",
            None,
            "【障】本机连不上网，所有来源都看不到",
            "[failing] this machine is offline: no source can be seen",
        ),
        (Kind.RECOVERED, "answers again", "miit/tz", "【好】恢复正常：miit/tz", "[recovered] well again: miit/tz"),
        (Kind.RECOVERED, "online", None, "【好】本机恢复联网", "[recovered] this machine is online again"),
        (Kind.NOTE, "moved", "miit/tz", "【注】网址永久改变：miit/tz", "[note] moved for good: miit/tz"),
        (Kind.NOTE, "channel", None, "【注】发送通道有变", "[note] about a channel"),
        (Kind.NOTE, "alive", None, "【注】monitor 运行正常", "[note] monitor is running"),
        (Kind.NOTE, "something", "x", "【注】说明：x", "[note] note: x"),
    ],
)
def test_what_is_about_monitor_itself_says_what_happened_to_what_and_what_to_do(
    kind: Kind, reason: str, source: str | None, zh: str, en: str
) -> None:
    change = house(kind, reason, "since 2025-11-24 06:00 UTC\nlook at the site", source)
    assert said(change).title == zh
    assert said(change, language="en").title == en
    assert said(change).body.startswith(zh + "\n")
    assert "since 2025-11-24 06:00 UTC\nlook at the site" in said(change).body
    assert (reason in said(change).body) is (kind is not Kind.RECOVERED)  # that it is well again is the title


def test_a_reminder_is_about_its_notice() -> None:
    message = said(told(Kind.REMINDER, "deadline", "2025-12-01"))
    assert message.title == "【提醒】工业和信息化部：关于开展试点的通知"
    assert "2025-12-01" in message.body
    assert URL in message.body


def test_both_languages_have_the_same_words() -> None:
    assert _ZH.keys() == _EN.keys()
    assert {f"marker.{kind}" for kind in Kind} <= _ZH.keys()
    assert {str(kind) for kind in HOUSE_KINDS} <= _ZH.keys()
    for key, phrase in _ZH.items():
        assert set(re.findall(r"\{\w*\}", phrase)) == set(re.findall(r"\{\w*\}", _EN[key])), key


def test_times_are_those_of_the_channel() -> None:
    at = datetime(2025, 11, 20, 23, 30, tzinfo=UTC)
    assert "日期：2025-11-21 07:30" in said(told(published=at)).body
    assert "Date: 2025-11-20 18:30" in said(told(published=at), language="en", timezone="America/New_York").body


def test_without_an_issuer_the_source_speaks() -> None:
    assert said(told(labels=())).title == "【新】miit/tz：关于开展试点的通知"
    assert said(told(labels=(("author", "安全客"),))).title == "【新】安全客：关于开展试点的通知"


def test_a_label_of_any_name_is_only_a_label() -> None:
    labels = tuple((name, "x") for name in (*_ZH, "{0.__class__}", "</b>"))
    assert "{0.__class__}：x" in said(told(labels=labels)).body


def test_several_changes_are_short_entries_with_a_blank_line_between_them_and_nothing_left_out() -> None:
    long = "很长" * 400
    changes = [
        told(after=OLD),
        told(Kind.REVISED, "text", id=6, notice=8, source="ndrc", before=OLD, after=NEW, also=("doonsec",)),
        told(Kind.GAP, "no overlap", long, id=7, notice=None, labels=(), title="miit/tz"),
    ]
    message = said(*changes, limit=200)
    assert message.title == "3 条更新 · miit/tz 等"
    entries = message.body.split("\n\n")
    assert entries == [
        f"【新】工业和信息化部：关于开展试点的通知\n来源：miit/tz · 日期：2025-11-20\n{URL}",
        f"【改】工业和信息化部：关于开展试点的通知\n来源：ndrc · 日期：2025-11-20\n变动：正文\n另见：doonsec\n{URL}",
        f"【漏？】可能有遗漏：miit/tz\n来源：miit/tz · 时间：2025-11-24 20:00\n{long}\n{URL}",
    ]
    assert message.link is None


@pytest.mark.parametrize("format", FORMATS)
def test_every_entry_of_a_group_stands_between_blank_lines_and_has_none_inside(format: str) -> None:
    changes = [told(Kind.NOTE, "dates", "a\n\nb", id=n, title=f"t{n}\n\nx", url=f"https://x.cn/{n}") for n in range(12)]
    entries = [each for each in said(*changes, format=format).body.split("\n\n") if "<hr" not in each]
    assert len(entries) == 12
    assert all(f"https://x.cn/{n}" in entry and f"t{n} x" in entry for n, entry in enumerate(entries))


@pytest.mark.parametrize(
    ("changes", "more", "title"),
    [
        ([told(), told(id=6)], {}, "2 条更新 · miit/tz"),
        ([told(), told(id=6)], {"digest": True}, "汇总：2 条更新 · miit/tz"),
        ([told(), told(id=6, source="x")], {"language": "en"}, "2 updates · miit/tz and others"),
        ([told(source=None), told(id=6, source=None)], {}, "2 条更新"),
        ([told()], {"digest": True}, "【新】工业和信息化部：关于开展试点的通知"),
    ],
)
def test_the_title_of_a_group_counts_and_names(changes: list[Told], more: dict, title: str) -> None:
    assert said(*changes, **more).title == title


def test_plain_is_title_and_link_only_as_text() -> None:
    message = said(told(after=OLD, attachments=FILES), format="markdown", plain=True)
    assert message.format == "text"
    assert message.body == message.text == f"【新】工业和信息化部：关于开展试点的通知\n{URL}"


def test_the_id_is_that_of_the_channel_and_the_changes_whatever_their_order() -> None:
    assert regex.fullmatch("m[0-9a-f]{24}", message_id("ops", [1, 2]))
    assert message_id("ops", [1, 2]) == message_id("ops", [2, 1]) == message_id("ops", iter([2, 1]))
    assert len({message_id("ops", [1, 2]), message_id("ops", [12]), message_id("mail", [1, 2]), message_id("ops", [1])}) == 4
    assert said(told()).id == said(told(), plain=True).id == message_id("ops", [5])


@pytest.mark.parametrize(
    ("changes", "thread"),
    [
        ([told(thread="m1")], "m1"),
        ([told()], None),
        ([told(thread="m1"), told(id=6, thread="m1")], "m1"),
        ([told(thread="m1"), told(id=6, notice=8, thread="m2")], None),
        ([told(notice=None, thread=None), told(id=6, notice=None, thread=None)], None),
    ],
)
def test_the_thread_is_that_of_the_one_notice(changes: list[Told], thread: str | None) -> None:
    assert said(*changes).thread == thread


def test_nothing_told_is_no_message() -> None:
    with pytest.raises(ValueError, match="at least one change"):
        said()


# ---- limits ----------------------------------------------------------------------------------------------------------------

BIG = Version(7, 3, "1:c", "题" * 400, "\n".join(f"第{n}条 内容{n}。" * 20 for n in range(200)), date(2025, 1, 1), NOW)
BIGGER = replace(BIG, seq=4, title="题" * 399 + "目", text=BIG.text.replace("内容", "新的内容"))
MANY = tuple(Attachment(f"https://x.cn/{n}.pdf", f"附件{n}.pdf") for n in range(80))


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    ("limit", "unit"), [(4096, "bytes"), (2048, "bytes"), (1024, "characters"), (512, "bytes"), (700, "characters")]
)
@pytest.mark.parametrize(
    "change",
    [
        told(after=BIG, title=BIG.title, attachments=MANY, also=("a", "b")),
        told(Kind.REVISED, "title, text", before=BIG, after=BIGGER, title=BIGGER.title),
        told(Kind.REVISED, "text", before=OLD, after=BIG),
        told(Kind.WITHDRAWN, "gone", before=BIG, title=BIG.title),
        told(Kind.FAILING, "http 503", "做这个。" * 2000, notice=None),
    ],
    ids=["new", "revised", "rewritten", "withdrawn", "failing"],
)
def test_one_change_fits_its_channel_and_keeps_its_link(change: Told, limit: int, unit: str, format: str) -> None:
    if format == "html" and limit < 2048 and unit == "bytes":
        limit *= 4  # the frame alone has more
    message = said(change, limit=limit, unit=unit, format=format)
    assert measure(message.body, unit) <= limit
    assert "art_12_3.html" in message.body
    assert "…" in message.body  # what was cut shows
    assert measure(message.text, unit) <= limit
    assert message.text.endswith(URL)


def test_where_even_title_and_link_are_too_much_the_link_is_whole() -> None:
    message = said(told(after=BIG, title=BIG.title), limit=64, unit="bytes")
    assert message.body.endswith(f"\n{URL}")
    assert "…" in message.body


def test_a_text_uses_the_room_there_is() -> None:
    change = told(Kind.REVISED, "text", before=BIG, after=replace(BIG, seq=4, text=BIGGER.text))
    body = said(change, limit=4096, unit="bytes", format="text").body
    assert measure(body, "bytes") > 3000


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("ab cd", 4, "ab…"),
        ("👩‍👩‍👧‍👦x", 4, "…"),
        ("x👩‍👩‍👧‍👦y", 8, "x…"),
        ("e\u0301e\u0301e\u0301", 4, "e\u0301…"),
        ("", 1, ""),
    ],
)
def test_a_cut_is_never_within_a_grapheme(text: str, limit: int, expected: str) -> None:
    assert cut(text, limit) == expected


@settings(deadline=None)
@given(st.text(), st.integers(1, 40))
def test_a_cut_text_is_short_enough_and_begins_as_it_did(text: str, limit: int) -> None:
    short = cut(text, limit)
    assert len(short) <= limit
    assert short == text or (short.endswith("…") and text.startswith(short[:-1]))


# ---- nothing from outside acts ---------------------------------------------------------------------------------------------

CALLS = [
    "@all",
    "@ALL",
    "@everyone",
    "@here",
    "@channel",
    "@所有人",
    "@全体成员",
    "a@all",
    "@\u200ball",
    "@138",
    "<@all>",
    "<@U1>",
]
TAGS = [
    "<at id=all></at>",
    '<at user_id="all">x</at>',
    "<!channel>",
    "<!everyone>",
    "<#C1>",
    "<@&1>",
    "< @all>",
    "<font color=red>",
]
TAGS += [
    "<script>alert(1)</script>",
    "<img src=x onerror=y>",
    "<https://evil.example|x>",
    "<!-- x",
    "</div>",
    "&lt;b&gt;",
    "&#64;all;",
]
MARKS = [
    "[x](https://evil.example)",
    "![x](https://evil.example/p.png)",
    "[x]: https://evil.example",
    "# x",
    "x\n===",
    "x\n---",
    "***",
]
MARKS += [
    "**x**",
    "_x_",
    "~~x~~",
    "`x`",
    "```\nx",
    "> x",
    "- x",
    "+ x",
    "1. x",
    "7) x",
    "||x||",
    "a|b\n-|-\n1|2",
    "\\",
    "    x",
    "\tx",
]
MARKS += ["https://x.cn/_a_/*b*/[c](d)~e~&copy;@all", "http://u:p@evil.example/"]
ACTS = ["\r\nBcc: x@y.z", "\x1b[31m", "\x00", "\x9b", "\u202egnp.exe", "\u2066x", "\u2028x", "\ufeff"]
NASTY = st.lists(
    st.sampled_from([*CALLS, *TAGS, *MARKS, *ACTS, "\n", " ", "人工智能", "关于"]) | st.text(max_size=6), max_size=6
).map("".join)

FORBIDDEN = regex.compile(r"[\p{Cc}--[\n]]|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]", regex.VERSION1)
MENTION = regex.compile(
    r"(?<![A-Za-z0-9])@[^\s\u2060]|@(?:all|everyone|here|channel|所有人|全体成员)|<\s*[@!#&]|<\s*/?at\b", regex.IGNORECASE
)
MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
INERT = {"paragraph_open", "paragraph_close", "inline", "text", "softbreak", "hardbreak"}


def kinds_of(source: str) -> set[str]:
    """What a Markdown reader sees in a text."""
    tokens = MARKDOWN.parse(source)
    return {token.type for token in tokens} | {child.type for token in tokens for child in token.children or ()}


@settings(max_examples=400, deadline=None)
@given(NASTY)
def test_outside_text_in_plain_text_calls_nobody_and_moves_nothing(raw: str) -> None:
    shown = plain(raw)
    assert not FORBIDDEN.search(shown)
    assert not MENTION.search(shown)
    assert not re.search(r"<[A-Za-z/!@#&]", shown)
    assert plain(shown) == shown


@settings(max_examples=600, deadline=None)
@given(NASTY)
def test_outside_text_in_markdown_is_only_text(raw: str) -> None:
    shown = markdown(raw)
    assert kinds_of(shown) <= INERT
    assert not FORBIDDEN.search(shown)
    assert not MENTION.search(shown)
    assert not re.search(r"[*`~\[\]|\\]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|^[#>+=-]|^\d+[.)]\s", shown, re.MULTILINE)
    bold = f"**{markdown('【新】' + ' '.join(raw.split()))}**"
    assert kinds_of(bold) <= INERT | {"strong_open", "strong_close"}


@settings(max_examples=400, deadline=None)
@given(NASTY)
def test_outside_text_in_html_is_only_text(raw: str) -> None:
    shown = html(raw)
    assert not FORBIDDEN.search(shown)
    parsed = lxml_html.fragment_fromstring(f'<div title="{shown}">{shown}</div>')
    assert len(parsed) == 0
    assert set(parsed.attrib) == {"title"}
    assert parsed.text_content() == parsed.attrib["title"]
    assert not regex.search(r"(?<![A-Za-z0-9])@[^\s\u2060]|@(?:all|everyone|here)", parsed.text_content(), regex.IGNORECASE)


@pytest.mark.parametrize(
    ("escape", "raw", "shown"),
    [
        (plain, "请 @所有人 看 <at id=all>", "请 ＠所有人 看 ＜at id=all>"),
        (plain, "反馈至 li@miit.gov.cn", "反馈至 li@miit.gov.cn"),
        (plain, "a < b & c > d, 3<5", "a < b & c > d, 3<5"),
        (plain, "见 https://medium.com/@user/a_b", "见 https://medium.com/%40user/a_b"),
        (markdown, "1. 总则 *重要* [点此](http://e.vil)", "1． 总则 ＊重要＊ ［点此］(http://e.vil)"),
        (markdown, "附件1_方案.pdf", "附件1＿方案.pdf"),
        (markdown, "https://x.cn/a_b/_c_", "https://x.cn/a_b/%5Fc%5F"),
        (markdown, "# 标题\n- 项\n2025 年", "＃ 标题\n－ 项\n2025 年"),
        (html, "3 < 5", "3 &lt; 5"),
        (html, "<b>&\"'", "＜b&gt;&amp;&quot;&#x27;"),
    ],
)
def test_what_is_escaped_reads_the_same(escape, raw: str, shown: str) -> None:
    assert escape(raw) == shown


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (URL, URL),
        ("HTTP://x.cn/a b", "http://x.cn/a%20b"),
        ("https://x.cn/关于?q=一", "https://x.cn/%E5%85%B3%E4%BA%8E?q=%E4%B8%80"),
        ('https://x.cn/"><script>', "https://x.cn/%22%3E%3Cscript%3E"),
        ("https://x.cn/@all", "https://x.cn/%40all"),
        ("https://x.cn/a%20b#/r", "https://x.cn/a%20b#/r"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000/"),
        ("http://[::1]:80/", "http://[::1]:80/"),
        ("javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("https://user@evil.example/", None),
        ("https://<b>/", None),
        ("http://[::1/", None),
        ("x.cn/a", None),
        ("", None),
    ],
)
def test_only_an_address_of_the_web_becomes_a_link(url: str, shown: str | None) -> None:
    assert address(url) == shown


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=30), NASTY)
def test_a_link_leads_where_it_says_and_nowhere_else(path: str, more: str) -> None:
    url = f"https://x.cn/{path}{more}"
    assume(address(url))
    tokens = MARKDOWN.parse(said(told(title="t", labels=(), url=url), format="markdown", plain=False).body)
    links = [child for token in tokens for child in token.children or () if child.type == "link_open"]
    assert len(links) == 1
    assert links[0].attrs["href"].startswith("https://x.cn/")
    page = lxml_html.fragment_fromstring(said(told(title="t", labels=(), url=url), format="html").body)
    assert [each.get("href") for each in page.iter("a")] == [address(url)] == [each.text for each in page.iter("a")]


NASTY_CHANGE = st.builds(
    lambda kind, title, text, other, label, name, url, id: told(
        kind,
        label,
        text,
        id=id,
        title=title,
        source=name,
        url=url,
        labels=((name, label), ("issuer", label)),
        also=(title,),
        attachments=(Attachment(url, name),),
        before=replace(OLD, title=other, text=other, attachments=(Attachment(url, name),)),
        after=replace(OLD, title=title, text=text),
    ),
    st.sampled_from(Kind),
    *[NASTY] * 5,
    NASTY.map(lambda path: f"https://x.cn/{path}") | NASTY,
    st.integers(1, 99),
)
OURS = {"strong_open", "strong_close", "link_open", "link_close"}


@settings(max_examples=150, deadline=None)
@given(st.lists(NASTY_CHANGE, min_size=1, max_size=3), st.sampled_from(FORMATS), st.booleans(), st.sampled_from([300, 4000]))
def test_no_message_lets_anything_from_outside_act(changes: list[Told], format: str, short: bool, limit: int) -> None:
    message = said(*changes, limit=limit, unit="bytes", format=format, plain=short)
    for shown in (message.title, message.body, message.text):
        assert not FORBIDDEN.search(shown)
        shown.encode("utf-8")
    assert "\n" not in message.title
    assert len(message.title) <= SUBJECT
    assert not MENTION.search(message.title)
    assert not MENTION.search(message.text)
    if message.format == "markdown":
        assert not MENTION.search(message.body)
        for token in MARKDOWN.parse(message.body):
            for child in token.children or ():
                assert child.type not in ("image", "html_inline")
                assert child.type != "link_open" or child.attrs["href"].startswith(("http://", "https://"))
    if message.format == "html":
        page = lxml_html.fragments_fromstring(message.body)
        elements = [each for top in page for each in top.iter()]
        assert not {each.tag for each in elements} & {"script", "img", "iframe", "style", "at", "font", "form", "link"}
        assert all(value.startswith(("http://", "https://")) for each in elements for value in each.xpath("@href|@src"))
        assert not any(name.startswith("on") for each in elements for name in each.attrib)
