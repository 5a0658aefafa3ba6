"""The parts of an official text: its head, the line of addressees, the signature, the annexes; and the dates that it sets.

Order of the parts after GB/T 9704-2012, 7.3. Only beginnings and signatures are looked at for structure, so that a text of any
length costs the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import takewhile
from typing import NamedTuple

from monitor.facts import number
from monitor.facts.bodies import Bodies
from monitor.facts.when import parse_when
from monitor.model import When

#: Lines of a head; lines above a date that may be its signature; characters of a line that may be one.
_HEAD, _SIGNERS, _SIGNATURE = 14, 14, 120
#: So many lines of a text are looked through for a signature, and characters for the dates that it sets.
_LINES, _LOOKED_AT = 4_000, 60_000

_CHINESE_DIGIT = "〇○零一二三四五六七八九十"
_DATE = (
    rf"(?:(?:19|20)\d{{2}}|[{_CHINESE_DIGIT}]{{4}})\s?年\s?(?:\d{{1,2}}|[{_CHINESE_DIGIT}]{{1,2}})\s?月\s?"
    rf"(?:\d{{1,2}}|[{_CHINESE_DIGIT}]{{1,3}})\s?日"
)
_SIGNED = re.compile(rf"^(?P<who>.{{0,100}}?)\s*[(（]?\s?(?P<date>{_DATE})\s?[)）]?\s?(?:[(（]?印发[)）]?)?[。.]?$")
_BODY_LIKE = re.compile(
    r"(?!.*(?:召开|举办|举行|承办|出席|入选|签署|组织|成功|宣布|探访|到访|关闭|发生|建立|开展|获|荣|加入|亮相|参加|走进|联合举|推出|启动|首部|走访|调研|加快|成立|建设(?!部|厅|局|委|领导|和)"
    r"|[布当破迷格时结全战]局|(?:院|部|局|委|厅|会|中心|公司|安)[与和][\u4e00-\u9fff]{3}))"
    r"[\u4e00-\u9fff]{2,30}(?:部|委|局|署|办|办公室|委员会|厅|院|中心|政府|银行|总局|管理局|办公厅|管理部门|秘书处|(?<!公)司"
    r"|(?:委员|协|学|常委|管委|联合|理事|基金|商|工|研究|促进|证监|监管|监督管理)会)"
)
_BY_HEAD = re.compile(
    r"^(?P<body>[\u4e00-\u9fff]{0,20}?)(?:主任|部长|署长|局长|行长|主席|总理|院长|检察长)\s?[:：\s]\s?[\u4e00-\u9fff· ]{2,12}$"
)
_KINDS = (
    "通知", "公告", "通告", "意见", "决定", "命令", "令", "批复", "复函", "函", "答复", "公报", "报告", "通报", "决议", "议案",
    "纪要", "办法", "规定", "条例", "细则", "规则", "指南", "方案", "规划", "计划", "目录", "标准", "解读", "公示", "预警",
    "提示", "倡议书",
)  # fmt: skip
_KIND = re.compile(rf"({'|'.join(_KINDS)})$")
#: Words that end other titles too: kinds only of what a title names in 《》, or calls 关于 … or 印发.
_COMMON = frozenset({
    "意见", "报告", "指南", "方案", "规划", "计划", "目录", "标准", "提示", "纪要", "函", "命令", "决定", "决议", "议案", "答复",
    "规则",
})  # fmt: skip
_NAMED = re.compile(r"关于|印发|《|风险提示$")
#: Rules are called so in their own title, which is plain words; who reports on some tells of more.
_RULES = frozenset({"办法", "规定", "条例", "细则"})
_PLAIN = re.compile(r"[\u4e00-\u9fff、“”·()（）]{3,60}")
_REPORTED = re.compile(r"美国|欧盟|提出|颁布|违反|相关|新的|限制|解决|触犯|出台|拟|将")
_ORDER = re.compile(r"[\u4e00-\u9fff ]*(?:部|院|局|委|会|署|行|主席|政府|办公室)令")
_VERB = re.compile(r"(?:被[^，,；;]{0,12}|遭|官方|已|连续|再次|[条款批家个份])$")
_EXPLAINS = re.compile(r"(?:解读|答记者问|读懂|图解|解答|问答|浅谈|谈谈)")
_TRAILING = re.compile(
    r"\s*[(（〔\[【][^()（）〔〕\[\]【】]{0,60}[)）〕\]】]\s*$|\s*[_|].{0,30}$|\s+[-—]\s+.{0,30}$|[》」”\"' ]+$"
)
_COLUMN = re.compile(r"^(?P<column>.{1,12}?)\s?[|｜丨]\s?|^【(?P<other>.{1,12}?)】")
_DIGEST = re.compile(
    r"早报|晚报|日报|快报|周报|月报|周刊|快讯|速览|牛.?览|资讯|盘点|汇总|合集|观察(?:[（(]|$)|热点|回顾|动态推送|上周关注度|信息与动态"
)
#: A title's piece between semicolons is at least so long.
_PIECE = 8
_MANY = re.compile(r"(?:等\s?)?([一二两三四五六七八九十]{1,3}|\d{1,2})\s?(?:个)?部门")
_ADDRESSED = re.compile(r"^(?=.{2,600}$)[^。；;!?！？]{2,600}[：:]$")
_WHO_ACTS = re.compile(
    r"^(?:各|有关|相关|部|省|市|中央|国务院|全国|机关|直属|本)|(?:部门|单位|企业|委员会|政府|厅|局|委|办|机构|院|校|司|集团|公司|委员|协会|银行|中心|部|会)(?:[（(][^()（）]*[)）])?[：:]$"
)
_NOT_WHO = re.compile(r"如下|附件|来源|时间|日期|电话|地址|邮箱|编辑|作者|标题|关于|事项|摘要|联系人")
_ANNEX = re.compile(r"^附\s?件?\s?(?:[:：]\s*|(?=\d{1,2}[.．、]))(.*)$")
_ANNEX_EACH = re.compile(r"^附\s?件\s?\d{1,2}\s?[:：]\s*(.{2,120})$")
_ANNEX_ROW = re.compile(r"^(?:附件\s?)?\d{1,2}\s?[.．、:：]\s*(.{2,120})$")

_FROM = re.compile(
    rf"自\s?(?P<date>{_DATE})\s?起\s?(?:正式)?(?:施行|实施|执行|生效|启用)|(?P<other>{_DATE})\s?起\s?(?:正式)?(?:施行|实施|执行|生效)"
    r"|自\s?(?P<act>发布|公布|印发|颁布|签发|公告|下发)\s?之日起\s?(?:(?P<days>\d{1,3}|[一二三四五六七八九十]{1,3})\s?(?P<unit>日|天|个?月)\s?(?:后|之?后)\s?)?(?:正式)?(?:施行|实施|执行|生效)"
)
_ASKED = re.compile(r"征求意见|公开征求|征集意见|意见征集|征求.{0,60}意见|意见反馈|反馈意见|公示")
_UNTIL = re.compile(
    rf"(?:截止|截至|止)(?:时间|日期)?\s?(?:为|是|至|到)?\s?[:：]?\s?(?P<a>{_DATE})"
    rf"|(?:于|在)\s?(?P<b>{_DATE})\s?(?:\d{{1,2}}[:：时点]\d{{0,2}}分?)?\s?(?:\([^()]{{0,10}}\)|（[^（）]{{0,10}}）)?\s?(?:之?以?前)"
    rf"|(?:公示(?:期|时间)?|征求意见(?:时间|期限|期)?|征集(?:时间|期)|期限|反馈时间|时间)\s?(?:为|是)?\s?[:：]?\s?(?:自|从)?\s?(?P<from>{_DATE})\s?(?:起)?\s?(?:至|到|-|—|–|~|～)+\s?"
    rf"(?P<c>{_DATE}|\d{{1,2}}\s?月\s?\d{{1,2}}\s?日)"
)


_AS_OF = re.compile(r"时间|日期|期限|反馈|征集|征求意见|公示")


#: Lines of a head that may be its caption, and its length (characters).
_CAPTION, _LONGEST_CAPTION = 6, 160
_CAPTIONED = re.compile(
    rf"[(（]\s?(?P<date>{_DATE})\s?"
    r"(?:(?P<order>[\u4e00-\u9fff]{2,30}令\s?第\s?\S{1,6}\s?号)|(?P<who>[\u4e00-\u9fff、 ]{2,100}?))?\s?"
    rf"(?:制定|公布|发布|印发)?[，,、\s]*(?:{_DATE}\s?(?:公布|发布)|自\s?{_DATE}\s?起\s?施行)?\s?[)）]"
)


class Signature(NamedTuple):
    """Who signed and when; `words` are the lines."""

    issuers: tuple[str, ...]
    day: date
    words: str


class Dated(NamedTuple):
    """A day, and the words that it was read from."""

    day: date
    words: str


def day_of(written: str, today: date) -> date | None:
    """A written date as a day."""
    found = parse_when(written, today)
    return found.date() if isinstance(found, datetime) else found


def own_number(title: str, lines: Sequence[str]) -> number.Number | None:
    """The text's own number: in brackets at the title's end, or alone on a line of the head; of an order or announcement in two
    lines, both together."""
    bracketed = re.search(r"[(（【\[]([^()（）【】]{4,60}号)\s?[)）】\]]?\s*$", title)
    if bracketed and (found := number.parse(bracketed[1])):
        return found
    if found := number.parse(title):
        return found
    head = [line for line in lines[: 3 * _HEAD] if line.strip()][:_HEAD]
    for place, line in enumerate(head):
        if len(line) > 120:
            continue
        found = number.parse(line) or _two_lines(head, place, title)
        if found:
            return found
        ended = re.search(r"[(（]([^()（）]{4,60}号)[)）]\s*$", line)
        if (
            ended
            and len(line) < 100
            and not re.search(r"[。；;，,]", line[: ended.start()])
            and (found := number.parse(ended[1]))
        ):
            return found
    return None


def caption(lines: Sequence[str], bodies: Bodies, today: date) -> tuple[Signature | None, number.Number | None]:
    """What stands in brackets below the title: the day, or the day, who and by which order ("2024年5月6日某某令第91号公布"). Of
    several days (passed, amended, amended again) none is taken."""
    head = [line.strip() for line in lines[: 2 * _HEAD] if line.strip()][:_CAPTION]
    for line in head:
        found = _CAPTIONED.fullmatch(line) if len(line) <= _LONGEST_CAPTION else None
        day = day_of(found["date"], today) if found else None
        if found is None or day is None:
            continue
        said = (found["who"] or "").strip()
        ordered = number.parse(found["order"]) if found["order"] else None
        issuers = bodies.find(found["order"] or "") or _signers(said, bodies)
        return Signature(issuers, day, line), ordered and number.Number(ordered.canon, line)
    return None, None


def _two_lines(head: Sequence[str], place: int, title: str) -> number.Number | None:
    """ "中华人民共和国国务院令" above "第797号", or "公告" above (or in the title) "2026年第3号"."""
    line = head[place].strip()
    if not re.fullmatch(r"[(（]?\s?(?:(?:19|20)\d{2}\s?年?\s?)?第?\s?\S{1,6}\s?号\s?[)）]?", line):
        return None
    above = head[place - 1].strip() if place else ""
    for before in (above, re.sub(r"[(（].*", "", title).strip()):
        whole = f"{before} {line}"
        fits = before.endswith(("令", "公告", "通告")) and len(before) <= 60 and "关于" not in before
        if fits and (found := number.parse(whole)):
            return number.Number(found.canon, whole[:120])
    return None


def signature(lines: Sequence[str], bodies: Bodies, today: date) -> Signature | None:
    """The first signature: bodies, alone on their lines, and the date below them or beside the last."""
    looked = lines[:_LINES]
    for place, line in enumerate(looked):
        if len(line) > _SIGNATURE or "日" not in line:
            continue
        found = _SIGNED.match(line.strip())
        if found is None or (day := day_of(found["date"], today)) is None:
            continue
        beside = _signers(found["who"], bodies) if found["who"].strip() else ()
        if found["who"].strip() and not beside:
            continue
        above: list[tuple[str, ...]] = []
        at, by_head = place - 1, False
        while at >= 0 and place - at <= 2 * _SIGNERS and len(above) < _SIGNERS:
            if looked[at].strip():
                head = _signed_by_head(looked[at], bodies)
                signers = _signers(looked[at], bodies) if head is None else head
                if not signers and head is None:
                    break
                by_head = by_head or head is not None
                above.insert(0, signers)
            at -= 1
        issuers = tuple(dict.fromkeys(body for signers in (*above, beside) for body in signers))
        if issuers or by_head:
            return Signature(issuers, day, " ".join(" ".join(looked[at + 1 : place + 1]).split())[:120])
    return None


def _signers(line: str, bodies: Bodies) -> tuple[str, ...]:
    """The bodies that a line consists of; none where it says anything else."""
    bare = re.sub(r"[\s,，、;；|*]+", " ", line.replace("中华人民共和国", "")).strip()
    if not bare or len(bare) > _SIGNATURE or bare.endswith(("：", ":", "。")):
        return ()
    found: list[str] = []
    for name in bare.split(" "):
        places = bodies.places(name)
        if full := bodies.full(name):
            found.append(full)
        elif places and sum(end - start for start, end, _ in places) == len(name):
            found += [full for _, _, full in places]
        elif _BODY_LIKE.fullmatch(name):
            found.append(name)
        else:
            return ()
    return tuple(found)


def _signed_by_head(line: str, bodies: Bodies) -> tuple[str, ...] | None:
    """Of an order, signed by the head of its body ("部长 某某"): the body, if it is named; None where the line is none such."""
    found = _BY_HEAD.match(line.strip())
    return None if found is None else bodies.find(found["body"])


_SAYS = re.compile(
    r"(关于|转发|批转|印发|公布|发布|对|就|《|[:：|｜]|(?<!司)令|公告|通告|公开|漏洞周报|周报|月报|通报|发文|联合)"
)


def titled(title: str, bodies: Bodies) -> tuple[tuple[str, ...], str]:
    """The bodies at a title's beginning, before what it is about, or as its column ("CNNVD | …"); and those words."""
    title = title.strip()
    if (column := _COLUMN.match(title)) is not None:
        named = column["column"] or column["other"]
        if full := bodies.full(named.strip()):
            return (full,), named
        title = title[column.end() :]
    head, how, *_ = (*re.split(_SAYS, title.replace("中华人民共和国", ""), maxsplit=1), "")
    head = head.strip()
    if not head or len(head) > 100:
        return (), ""
    bare = _MANY.sub("", re.sub(r"(?:等|联合)\s*$", "", head))
    signers = _signers(bare, bodies)
    if how in ("对", "《", "", *":：|｜") and any(one not in bodies for one in signers):
        return (), ""  # a body that is not known is one only where it says something
    return (signers, head) if signers else ((), "")


def is_digest(title: str) -> bool:
    """Whether a title announces several unrelated pieces: what such a text says of one thing is not said of the whole."""
    bare = re.sub(r"《[^《》]{0,80}》|[(（][^()（）]{0,60}[)）]|^【[^】]{0,12}】", "", title)
    return _DIGEST.search(bare) is not None or sum(len(part.strip()) >= _PIECE for part in bare.split("；")) > 1


def bulletin(title: str, bodies: Bodies) -> tuple[tuple[str, ...], str]:
    """The body whose bulletin a title announces ("CNVD漏洞周报…"), and its words."""
    places = bodies.places(title[:60])
    if places and places[0][0] == 0 and re.match(r"(?:漏洞)?(?:周报|月报|年报)", title[places[0][1] :]):
        return (places[0][2],), title[: places[0][1]]
    return (), ""


def kind(title: str) -> str | None:
    """文种: the word that the title ends with, without what stands in brackets behind it."""
    column = _COLUMN.match(title.strip())
    bare = title.strip()[column.end() :] if column else title.strip()
    while (shorter := _TRAILING.sub("", bare)) != bare and shorter:
        bare = shorter
    if _EXPLAINS.search(title):
        return "解读"
    if re.search(r"征求.{0,200}意见(?:的(?:通知|公告|函))?$", bare):
        return "征求意见"
    found = _KIND.search(bare)
    if found is None or _VERB.search(bare[: found.start()]):
        return None
    if found[1] == "令":
        fits = _ORDER.fullmatch(bare) is not None
    elif found[1] in _RULES:
        fits = _NAMED.search(title) is not None or (_PLAIN.fullmatch(bare) is not None and not _REPORTED.search(bare))
    else:
        fits = found[1] not in _COMMON or _NAMED.search(title) is not None
    return found[1] if fits else None


def addressees(title: str, lines: Sequence[str]) -> tuple[str, ...]:
    """Who is addressed: the line of the head that ends with a colon and names who must act; divided where it has commas."""
    head = [line.strip() for line in lines[: 3 * _HEAD] if line.strip()][:_HEAD]
    for line in head:
        if line == title.strip() or not _ADDRESSED.match(line) or _NOT_WHO.search(line) or not _WHO_ACTS.search(line):
            continue
        parts = [part.strip() for part in re.split(r"[，,；;]", line.rstrip("：: "))]
        return tuple(part for part in parts if part)[:20]
    return ()


def annexes(lines: Sequence[str]) -> tuple[str, ...]:
    """The annexes that a text lists by name after "附件：", or each after its own "附件1："."""
    for place, line in enumerate(lines[:_LINES]):
        if len(line) < 200 and _ANNEX_EACH.match(line.strip()):
            each = (_ANNEX_EACH.match(row.strip()) for row in lines[place : place + 31])
            return tuple(_annex(row[1]) for row in takewhile(lambda row: row is not None, each) if row is not None)
        found = _ANNEX.match(line.strip()) if len(line) < 200 and line.lstrip().startswith("附") else None
        if found is None:
            continue
        rows = [found[1], *(row for row in lines[place + 1 : place + 31] if row.strip())]
        names: list[str] = []
        for number_, row in enumerate(rows):
            listed = _ANNEX_ROW.match(row.strip())
            if listed:
                names.append(_annex(listed[1]))
            elif number_ == 0 and row.strip():
                return (_annex(row),)
            elif number_:
                break
        if names:
            return tuple(names)
    return ()


def _annex(name: str) -> str:
    """An annex's name, without the sentence's end and the file's."""
    return re.sub(r"\s*\.(?:pdf|docx?|xlsx?|wps|ofd|zip|rar)?$", "", name.strip(" 。;；"), flags=re.I)[:120]


def _in_force(text: str) -> re.Match[str] | None:
    """The first sentence that says it of the text itself ("本办法自…起施行"), not of another that it reports on."""
    for found in _FROM.finditer(text):
        before = re.split(r"[。；;\n]", text[max(0, found.start() - 60) : found.start()])[-1]
        if re.search(r"本|现予|予以|现将|^\s*$", before) and "》" not in before[-3:]:
            return found
    return None


def effective(text: str, published: When | None, signed: date | None, today: date) -> Dated | None:
    """From when it is in force: a date, or so many days after its publication where that is known."""
    found = _in_force(text[:_LOOKED_AT]) or (_in_force(text[-_LOOKED_AT:]) if len(text) > _LOOKED_AT else None)
    if found is None:
        return None
    if written := found["date"] or found["other"]:
        day = day_of(written, today)
        return Dated(day, found[0]) if day else None
    base = signed or (None if found["act"] in ("印发", "签发", "下发") else _date(published))  # a copy is published later
    if base is None:
        return None
    if found["days"]:
        count = int(number._arabic(found["days"]))
        if "月" in found["unit"]:
            return None  # months after a date that is itself inferred: too much is guessed
        base += timedelta(days=count)
    return Dated(base, found[0])


def deadline(title: str, text: str, published: When | None, today: date) -> Dated | None:
    """Until when opinions or objections may be sent, where the text asks for them."""
    looked = text[:_LOOKED_AT]
    if not (_ASKED.search(title) or _ASKED.search(looked[:400])):
        return None
    first: Dated | None = None
    for found in _UNTIL.finditer(looked):
        around = looked[max(0, found.start() - 60) : found.end() + 60]
        if not re.search(r"意见|建议|反馈|公示|异议|征集|反映", around):
            continue
        written = found["a"] or found["b"] or found["c"]
        if found[0].startswith("截至") and not _AS_OF.search(looked[max(0, found.start() - 12) : found.start()]):
            continue  # "as of"
        year = re.match(rf"(?:19|20)\d{{2}}|[{_CHINESE_DIGIT}]{{4}}", found["from"] or "")
        if year and not re.match(r"(?:19|20)\d{2}", written):
            written = f"{year[0]}年{written}"
        if day := day_of(written, today):
            first = first or Dated(day, found[0])
    return first


def _date(when: When | None) -> date | None:
    return when.date() if isinstance(when, datetime) else when
