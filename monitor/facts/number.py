"""发文字号: the number of an official text, in its real forms, and in one spelling.

A text cites the numbers of others; its own stands in its head, alone on a line or in the title, never within a sentence.
Forms after GB/T 9704-2012, 7.2.5 (发文机关代字、年份、发文顺序号), and those of orders (令) and announcements (公告).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

_OPEN, _CLOSE = r"[〔\[(【{﹝〈<]", r"[〕\])】}﹞〉>]"
_DIGIT = "0-9〇○零一二三四五六七八九十百"
_PREFIX = r"(?P<prefix>[\u4e00-\u9fff]{1,16}(?:[·—-][\u4e00-\u9fff]{1,6})?)"
_YEARED = re.compile(
    rf"{_PREFIX}\s?{_OPEN}\s?(?P<year>(?:19|20)\d{{2}})\s?年?\s?{_CLOSE}\s?第?\s?(?P<n>\d{{1,5}}(?:-\d{{1,3}})?)\s?号"
)
_ORDER = re.compile(rf"(?P<prefix>[\u4e00-\u9fff ]{{0,60}}?令)\s?[(]?\s?第\s?(?P<n>[{_DIGIT}]{{1,5}})\s?号")
_NOTICE = re.compile(
    r"(?:(?P<body>[\u4e00-\u9fff 、]{0,80}?)(?P<type>公告|通告))?\s?[(]?\s?(?P<year>(?:19|20)\d{2})\s?(?:年\s?第?|第)\s?"
    rf"(?P<n>[{_DIGIT}]{{1,4}})\s?号\s?[)]?\s?(?P<type2>公告|通告)?"
)
_FRAME = " \t()[]【】〔〕《》:;。,.*#_-—|"
_LABEL = re.compile(r"^(?:发文字号|文\s?号|发文号|文件编号|公告号|发布文号)\s?:?\s*")
_CHINESE = {char: value for value, char in enumerate("〇一二三四五六七八九")} | {"零": 0, "○": 0}


class Number(NamedTuple):
    """A number in one spelling, and the words that it was read from."""

    canon: str
    words: str


def parse(text: str) -> Number | None:
    """The number that `text` consists of (with a label or in brackets, if any); None where it is none, or part of a sentence."""
    plain = _plain(text)
    bare = _LABEL.sub("", plain.strip(_FRAME + "〔〕")).strip(" ")
    for pattern in (_YEARED, _ORDER, _NOTICE):
        found = pattern.fullmatch(bare) or pattern.fullmatch(bare.strip(_FRAME)) or pattern.fullmatch(f"{bare}号")
        if found and (canon := _canon(pattern, found)):
            return Number(canon, text.strip()[:120])
    return None


def within(text: str) -> Iterator[Number]:
    """Every number with a year in brackets that a text names, its own and those it cites, in order."""
    plain = _plain(text)
    for found in _YEARED.finditer(plain):
        yield Number(_canon(_YEARED, found), found[0])


def canon(text: str) -> str:
    """A number as it is written, in the one spelling in which numbers are compared; what is none, without white space."""
    found = parse(text)
    return found.canon if found else re.sub(r"\s", "", text)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).replace("\u3000", " ")


def _canon(pattern: re.Pattern[str], found: re.Match[str]) -> str:
    number = _arabic(found["n"])
    if pattern is _YEARED:
        return f"{found['prefix']}〔{found['year']}〕{number}号"
    if pattern is _ORDER:
        body = re.sub(r"\s", "", found["prefix"]).removeprefix("中华人民共和国")
        return f"{'国令' if body in ('国务院令', '国令') else body}第{number}号"
    kind = found["type"] or found["type2"]
    if kind is None:
        return ""
    body = re.sub(r"\s", "", found["body"] or "").removeprefix("中华人民共和国")
    return f"{body}{kind}{found['year']}年第{number}号"


def _arabic(written: str) -> str:
    """A number in digits: 三 → 3, 二十一 → 21, 一百零三 → 103."""
    if written[0].isdigit():
        return "-".join(part.lstrip("0") or "0" for part in written.split("-"))
    if not set(written) & set("十百"):
        return "".join(str(_CHINESE[char]) for char in written).lstrip("0") or "0"
    total, unit = 0, 0
    for char in written:
        if char in "十百":
            total += (unit or 1) * (10 if char == "十" else 100)
            unit = 0
        else:
            unit = _CHINESE.get(char, 0)
    return str(total + unit)
