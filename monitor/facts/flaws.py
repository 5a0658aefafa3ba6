"""What a security notice says: the ids of flaws, their severity, whether they are exploited. It reads nothing of ministries."""

from __future__ import annotations

import re
from typing import NamedTuple

#: Ids are looked for in so much of a text, words about them in its beginning (characters).
_LOOKED_AT, _HEAD, _FIRST = 200_000, 20_000, 1_500

_DASH = r"\s?[-‐‑‒–—−－]\s?"
_CVE = re.compile(rf"(?<![A-Za-z0-9])CVE{_DASH}((?:19|20)\d{{2}}){_DASH}(\d{{4,7}})(?!\d)", re.I)
_CNVD = re.compile(rf"(?<![A-Za-z0-9])CNVD{_DASH}((?:C{_DASH})?(?:19|20)\d{{2}}){_DASH}(\d{{4,7}})(?!\d)", re.I)
_CNNVD = re.compile(rf"(?<![A-Za-z0-9])CNNVD{_DASH}((?:19|20)\d{{4}}){_DASH}(\d{{3,5}})(?!\d)", re.I)
_CNTA = re.compile(rf"(?<![A-Za-z0-9])CNTA{_DASH}((?:19|20)\d{{2}}){_DASH}(\d{{4}})(?!\d)", re.I)
_WIDE = str.maketrans("０１２３４５６７８９ＡＢＣＤＥＶＮａｂｃｄｅｖｎ", "0123456789ABCDEVNabcdevn")

_WORDS = {
    "critical": "critical", "超危": "critical", "严重": "critical", "紧急": "critical", "超高危": "critical",
    "high": "high", "important": "high", "高危": "high", "高": "high", "重要": "high",
    "medium": "medium", "moderate": "medium", "中危": "medium", "中": "medium", "中等": "medium",
    "low": "low", "低危": "low", "低": "low", "一般": "low",
}  # fmt: skip
_RATING = (
    r"超高危|超危|严重|紧急|高危|重要|中危|中等|低危|一般|critical|high|important|medium|moderate|low|[高中低](?![\u4e00-\u9fff])"
)
_SAID = re.compile(
    r"(?:(?:危害|漏洞|威胁|风险|影响|安全|综合)\s?(?:级别|等级|程度|评级)|severity(?:\s?(?:rating|level))?|定级|评级)\s?"
    rf"(?:[:：|为是]|is|of)?\s?[【\[(（\"“「『*]{{0,2}}\s?({_RATING})",
    re.I,
)
_LEADING = re.compile(rf"\s*({_RATING})", re.I)
_TITLED = re.compile(
    r"(超高危|超危|严重|高危)(?:的)?(?:安全)?(?:漏洞|缺陷)|【(超高危|超危|严重|高危|紧急)[^】]{0,6}】"
    r"|\b(critical|high)[- ]severity|^(critical|important|high|moderate|medium|low):\s",
    re.I,
)
_CVSS = re.compile(
    r"CVSS(?:\s?v?\s?[234](?:\.[01])?(?!\d))?(?:[^0-9\n]|\b3\.[01]\b){0,24}?(10(?:\.0)?|\d\.\d)(?![\d.]*[:/])", re.I
)
#: Said of this flaw, not of what may be, or of another.
_EXPLOITED = re.compile(
    r"(?P<no>(?:未|没有|尚无|暂无|未见)[^。;；,，\n]{0,12})?(?P<maybe>(?:可能|或许|容易|若|一旦|如果|是否|不太)[^。;；,，\n]{0,8})?"
    r"(?:(?:存在|发现|出现)?在野(?:外)?(?:被)?(?:积极|实际|主动)?利用|(?:已|现已|正在?|已经|正被)(?:经)?(?:在野(?:外)?)?(?:被|遭|遭到)[^。,，\n]{0,8}利用"
    r"|被(?:积极|主动|实际|活跃)利用的?(?:[^。，,\n]{0,8}漏洞|$)"
    r"|exploited in the wild|actively exploited|exploit(?:ed|ation) has been (?:detected|observed)|known exploited)",
    re.I,
)
_DUE = re.compile(
    r"(?:限|应|须|请)[^。\n]{0,6}?于?\s?((?:19|20)\d{2}\s?年\s?\d{1,2}\s?月\s?\d{1,2}\s?日)\s?(?:之?前)[^。\n]{0,12}(?:修复|整改|处置)"
)


class Said(NamedTuple):
    """A value, and the words that it was read from."""

    value: object
    words: str


def cves(text: str) -> tuple[str, ...]:
    """CVE ids in order of appearance, each once."""
    looked = text[:_LOOKED_AT].translate(_WIDE)
    return tuple(dict.fromkeys(f"CVE-{year}-{number}" for year, number in _CVE.findall(looked)))


def ids(text: str) -> tuple[str, ...]:
    """The ids of CNVD (flaws, and its announcements: CNTA) and CNNVD, each once."""
    looked = text[:_LOOKED_AT].translate(_WIDE)
    cnvd = (f"CNVD-{re.sub(_DASH, '-', year).upper()}-{number}" for year, number in _CNVD.findall(looked))
    cnnvd = (f"CNNVD-{month}-{number}" for month, number in _CNNVD.findall(looked))
    cnta = (f"CNTA-{year}-{number}" for year, number in _CNTA.findall(looked))
    return tuple(dict.fromkeys((*cnta, *cnvd, *cnnvd)))


def rating(word: str) -> str | None:
    """low, medium, high or critical for what a body calls it, or for a CVSS score."""
    leading = _LEADING.match(word)
    found = _WORDS.get(leading[1].lower()) if leading else None
    if found is None and (score := re.fullmatch(r"\s*(10(?:\.0)?|\d(?:\.\d)?)\s*", word)):
        return rated(float(score[1]))
    return found


def rated(score: float) -> str | None:
    """The rating of a CVSS base score (CVSS v3.1 and v4.0, qualitative severity rating scale)."""
    for low, name in ((9.0, "critical"), (7.0, "high"), (4.0, "medium"), (0.1, "low")):
        if score >= low:
            return name
    return None


def cvss(title: str, text: str, *, many: bool = False) -> Said | None:
    """The first CVSS score that a text names; of a text on `many` flaws, the one score that it begins with, if it is one."""
    looked = text[: _FIRST if many else _HEAD]
    found = [one for one in _CVSS.finditer(f"{title}\n{looked}") if float(one[1]) <= 10]
    if not found or (many and len({float(one[1]) for one in found}) > 1):
        return None
    return Said(float(found[0][1]), " ".join(found[0][0].split()))


def severity(title: str, text: str) -> Said | None:
    """The severity that a text names where it speaks of severity, or its title does; several different ones are none."""
    for where in (title, text[:_HEAD]):
        found = list(_SAID.finditer(where))
        if found:
            ratings = {rating(one[1]) for one in found}
            return Said(ratings.pop(), found[0][0]) if len(ratings) == 1 else None
    titled = _TITLED.search(title)
    return Said(rating(next(word for word in titled.groups() if word)), titled[0]) if titled else None


def exploited(title: str, text: str) -> Said | None:
    """Whether the text says that the flaw is exploited, or that it is not known to be."""
    for where in (title, text[:_HEAD]):
        for found in _EXPLOITED.finditer(where):
            if found["maybe"] is None:
                return Said(found["no"] is None, found[0])
    return None


def due(text: str) -> re.Match[str] | None:
    """Where a text says until when a flaw must be mended; group 1 is the date."""
    return _DUE.search(text[:_HEAD])
