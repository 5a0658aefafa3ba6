"""One text being read for its facts, one after the other, each with its words. What a page's record or a row's fields say wins;
how each fact is found in the text is in the modules beside."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime

from monitor.facts import flaws, notice, number
from monitor.facts.bodies import Bodies
from monitor.model import Facts, When

#: What records and fields call a fact.
_NAMES = {
    "number": ("发文字号", "文号", "发文号", "发布文号", "文件编号", "filenumbername", "number"),
    "issuers": ("发文机关", "发布单位", "发布机构", "制发机关", "制定机关", "公布机关", "publishgroupname", "issuer", "issuers"),
    "signed": ("成文日期", "发文日期", "签发日期", "印发日期", "公布日期", "signed"),
    "effective": ("施行日期", "实施日期", "生效日期", "effective"),
    "deadline": ("征求意见截止", "截止日期", "截止时间", "deadline"),
    "due": ("处置期限", "duedate", "cisaactiondue", "due"),
    "cves": ("cve", "cves", "cveid", "cve_id", "cvecode"),
    "severity": ("severity", "等级", "危害等级", "漏洞等级", "危害级别", "hazardlevel", "baseseverity"),
    "cvss": ("cvss", "basescore", "cvssscore"),
    "exploited": ("exploited", "knownexploited", "cisaexploitadd"),
}
_NO = frozenset({"no", "false", "0", "unknown", "none", "否", "未知"})
#: A text on so many flaws has several scores; none is that of the text.
_MANY = 4
#: So much of a title's end shows its kind (characters).
_QUOTED = 20
_DIVIDED = re.compile(r"[\s、，,;；|]+")


class Reading:
    """One text being read: facts are found one after the other, each with its words."""

    def __init__(
        self, title: str, text: str, published: When | None, origin: str | None, labels: Sequence[tuple[str, str]], bodies: Bodies
    ) -> None:
        self.title, self.text, self.published, self.origin, self.bodies = title, text, published, origin, bodies
        self.lines = text.split("\n")
        self.said: dict[str, list[str]] = {}
        for name, value in labels:
            if value.strip():
                self.said.setdefault(re.sub(r"[\s:：_]", "", name).lower(), []).append(value.strip())
        day = published.date() if isinstance(published, datetime) else published
        self.today = day or date(2100, 1, 1)  # only dates with a year are read: the day bounds nothing then
        self.words: list[tuple[str, str]] = []
        self.digest = False  # several unrelated pieces: what is said of one is not said of the whole

    def facts(self) -> Facts:
        captioned, ordered = notice.caption(self.lines, self.bodies, self.today)
        signed_by = captioned or notice.signature(self.lines, self.bodies, self.today)
        own = self._number(ordered)
        self.digest = own is None and "关于" not in self.title and notice.is_digest(self.title)
        signed = self._day("signed", lambda: notice.Dated(signed_by.day, signed_by.words) if signed_by else None)
        kind = None if self.digest else notice.kind(self.title)
        official = bool(own or signed_by or kind)
        said = " ".join(self._labelled("cves"))
        cves = tuple(dict.fromkeys((*flaws.cves(said), *flaws.cves(f"{self.title}\n{self.text}"))))
        ids = flaws.ids(f"{said}\n{self.title}\n{self.text}")
        cvss = self._cvss(cves)
        return Facts(
            number=own.canon if own else None,
            issuers=self._issuers(signed_by, own),
            kind=self._quoted("kind", kind, self.title[-_QUOTED:]),
            signed=signed,
            effective=self._day(
                "effective", lambda: notice.effective(self.text, self.published if official else None, signed, self.today)
            ),
            deadline=self._day("deadline", lambda: notice.deadline(self.title, self.text, self.published, self.today)),
            addressees=self._listed("addressees", notice.addressees(self.title, self.lines)),
            annexes=self._listed("annexes", notice.annexes(self.lines)),
            cves=self._listed("cves", cves),
            ids=self._listed("ids", ids),
            severity=self._severity(cvss),
            cvss=cvss,
            exploited=self._exploited(),
            due=self._day("due", self._due),
            words=tuple(self.words),
        )

    def _labelled(self, fact: str) -> list[str]:
        return [value for name in _NAMES[fact] for value in self.said.get(name.replace("_", ""), ())]

    def _keep(self, fact: str, words: str) -> None:
        self.words.append((fact, " ".join(words.split())[:120]))

    def _listed(self, fact: str, values: tuple[str, ...]) -> tuple[str, ...]:
        if values:
            self._keep(fact, "，".join(values))
        return values

    def _quoted(self, fact: str, value: str | None, words: str) -> str | None:
        if value is not None:
            self._keep(fact, words)
        return value

    def _number(self, ordered: number.Number | None) -> number.Number | None:
        for said in self._labelled("number"):
            if found := number.parse(said):
                self._keep("number", said)
                return found
        found = ordered or notice.own_number(self.title, self.lines)
        if found:
            self._keep("number", found.words)
        return found

    def _issuers(self, signed_by: notice.Signature | None, own: number.Number | None) -> tuple[str, ...]:
        """From the record or the signature, whichever names more; else the title's beginning, the number, and the origin where
        that is a body's own site or account."""
        recorded = tuple(dict.fromkeys(body for said in self._labelled("issuers") for body in self._bodies_of(said)))
        signed = signed_by.issuers if signed_by else ()
        if recorded and len(recorded) >= len(signed):
            self._keep("issuers", " ".join(self._labelled("issuers")))
            return recorded
        if signed_by and signed:
            self._keep("issuers", signed_by.words)
            return signed
        titled, words = (notice.bulletin if self.digest else notice.titled)(self.title, self.bodies)
        if titled:
            self._keep("issuers", words)
            return titled
        places = self.bodies.places(own.canon) if own else []
        if own and places and places[0][0] == 0:
            self._keep("issuers", own.words)
            return (places[0][2],)
        outlet = self.bodies.outlet(self.origin) if self.origin else None
        if outlet is None:
            return ()
        self._keep("issuers", self.origin or "")
        return (outlet,)

    def _bodies_of(self, said: str) -> list[str]:
        """The bodies that a record names; one that is not known as it is written."""
        whole = self.bodies.full(said)
        if whole:
            return [whole]
        parts = (re.sub(r"等[一二三四五六七八九十\d]*(?:个)?(?:部门)?$", "", part) for part in _DIVIDED.split(said))
        return [self.bodies.full(part) or part for part in parts if 2 <= len(part) <= 40]

    def _day(self, fact: str, read: Callable[[], notice.Dated | None]) -> date | None:
        for said in self._labelled(fact):
            if day := notice.day_of(said, self.today):
                self._keep(fact, said)
                return day
        found = None if self.digest else read()
        if found is None:
            return None
        self._keep(fact, found.words)
        return found.day

    def _cvss(self, cves: Sequence[str]) -> float | None:
        for said in self._labelled("cvss"):
            if re.fullmatch(r"(?:10(?:\.0)?|\d(?:\.\d)?)", said):
                self._keep("cvss", said)
                return float(said)
        found = None if self.digest else flaws.cvss(self.title, self.text, many=len(cves) >= _MANY)
        if found is None or not isinstance(found.value, float):
            return None
        self._keep("cvss", found.words)
        return found.value

    def _severity(self, cvss: float | None) -> str | None:
        for said in self._labelled("severity"):
            if rating := flaws.rating(said):
                self._keep("severity", said)
                return rating
        found = None if self.digest else flaws.severity(self.title, self.text)
        if found is not None:
            self._keep("severity", found.words)
            return str(found.value)
        rated = flaws.rated(cvss) if cvss is not None else None
        return self._quoted("severity", rated, dict(self.words).get("cvss", ""))

    def _exploited(self) -> bool | None:
        for said in self._labelled("exploited"):
            self._keep("exploited", said)
            return said.lower() not in _NO
        found = None if self.digest else flaws.exploited(self.title, self.text)
        if found is None:
            return None
        self._keep("exploited", found.words)
        return bool(found.value)

    def _due(self) -> notice.Dated | None:
        found = flaws.due(self.text)
        day = notice.day_of(found[1], self.today) if found else None
        return notice.Dated(day, found[0]) if found and day else None
