"""What a notice says of itself, in lines of a message: number, who issued it, its dates; of a flaw, its ids and severity."""

from __future__ import annotations

from monitor.model import Facts, When, when_text
from monitor.render.escape import cut
from monitor.render.words import Words

#: Characters of a list of addressees, of names, of ids.
ADDRESSEES, LIST = 120, 300
#: Labels of a source that say what a fact says: they are not shown beside it.
SAME = {
    "number": ("number", "文号", "发文字号"),
    "issuers": ("issuer", "发文机关", "发布单位"),
    "signed": ("signed", "成文日期", "发文日期"),
    "cves": ("cve", "cves", "cveID"),
    "severity": ("severity", "等级", "hazardLevel"),
    "exploited": ("ransomware", "exploited"),
    "due": ("due", "dueDate"),
    "deadline": ("deadline",),
    "effective": ("effective",),
}
#: So many issuers stand in a title; beyond, the first and how many there are.
TITLED = 2


def who(issuers: tuple[str, ...], words: Words) -> str:
    """Who issued it, short enough for a title."""
    if len(issuers) <= TITLED:
        return words.listed(list(issuers))
    return words("bodies", who=issuers[0], n=len(issuers))


def lines(facts: Facts, words: Words, *, annexes: bool) -> list[str]:
    """The facts that are known, one a line; `annexes` where no file of the notice is listed anyway."""
    severity = words.severity(facts.severity) if facts.severity else ""
    if facts.cvss is not None:
        severity = f"{severity} (CVSS {facts.cvss:g})" if severity else f"CVSS {facts.cvss:g}"
    exploited = None if facts.exploited is None else words("yes" if facts.exploited else "no")
    said: list[tuple[str, str | None]] = [
        ("number", facts.number),
        ("issuers", words.listed(list(facts.issuers)) if len(facts.issuers) > TITLED else None),
        ("cves", words.listed([*facts.cves, *facts.ids])),
        ("severity", severity),
        ("exploited", exploited),
        ("signed", _day(facts.signed)),
        ("effective", _day(facts.effective)),
        ("deadline", _day(facts.deadline)),
        ("due", _day(facts.due)),
        ("addressees", cut(words.listed(list(facts.addressees)), ADDRESSEES)),
        ("annexes", words.listed(list(facts.annexes)) if annexes else None),
    ]
    return [words.fact(f"fact.{name}", cut(value, LIST)) for name, value in said if value]


def doubled(facts: Facts) -> frozenset[str]:
    """The labels that say again what a known fact says."""
    return frozenset(label for fact, labels in SAME.items() if getattr(facts, fact) not in (None, ()) for label in labels)


def _day(when: When | None) -> str | None:
    return when_text(when)
