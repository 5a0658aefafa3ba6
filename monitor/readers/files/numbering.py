"""The numbers that Word puts before paragraphs by itself (第一条, （二）, 3.1): they stand in no text, but people read them."""

from __future__ import annotations

from dataclasses import dataclass, field

from lxml import etree

from monitor.readers.files.packed import attribute, local

_DIGITS = "〇一二三四五六七八九"
_ROMAN = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"), (9, "ix"),
    (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip
_COUNTING = frozenset({
    "chineseCounting", "chineseCountingThousand", "japaneseCounting", "taiwaneseCounting", "taiwaneseCountingThousand",
    "chineseLegalSimplified", "koreanCounting",
})  # fmt: skip
_CIRCLED = frozenset({"decimalEnclosedCircle", "decimalEnclosedCircleChinese"})


@dataclass(frozen=True, slots=True)
class _Level:
    """One level of a list: how its numbers look, where they begin, and the text around them ("第%1条")."""

    form: str
    start: int
    text: str


@dataclass(slots=True)
class Numbers:
    """The lists of one document, and how far each has counted."""

    _levels: dict[str, dict[int, _Level]] = field(default_factory=dict)  # by the id of the abstract list
    _lists: dict[str, str] = field(default_factory=dict)  # the id of a list, to its abstract one
    _starts: dict[tuple[str, int], int] = field(default_factory=dict)
    _styles: dict[str, tuple[str, int]] = field(default_factory=dict)
    _parents: dict[str, str] = field(default_factory=dict)
    _counts: dict[str, dict[int, int]] = field(default_factory=dict)

    def learn_lists(self, root: etree._Element) -> None:
        """Take in `numbering.xml`."""
        for one in root:
            if local(one) == "abstractNum":
                found = {int(attribute(level, "ilvl") or 0): _level(level) for level in one if local(level) == "lvl"}
                self._levels[attribute(one, "abstractNumId")] = found
            elif local(one) == "num":
                id_ = attribute(one, "numId")
                for part in one:
                    if local(part) == "abstractNumId":
                        self._lists[id_] = attribute(part, "val")
                    elif local(part) == "lvlOverride":
                        for start in part.iter("{*}startOverride"):
                            self._starts[id_, _number(attribute(part, "ilvl"))] = _number(attribute(start, "val"))

    def learn_styles(self, root: etree._Element) -> None:
        """Take in `styles.xml`: a style may belong to a list."""
        for style in root.iter("{*}style"):
            id_ = attribute(style, "styleId")
            for part in style.iter("{*}basedOn"):
                self._parents[id_] = attribute(part, "val")
            if (found := _named(style)) is not None:
                self._styles[id_] = found

    def before(self, properties: etree._Element | None) -> str:
        """What stands before a paragraph of these properties (`w:pPr`); it is counted by that."""
        found = self._place(properties)
        if found is None:
            return ""
        list_, depth = found
        levels = self._levels.get(self._lists.get(list_, ""), {})
        if depth not in levels:
            return ""
        counts = self._counts.setdefault(self._lists[list_], {})
        first = self._starts.pop((list_, depth), None)
        counts[depth] = first if first is not None else counts.get(depth, levels[depth].start - 1) + 1
        for deeper in [level for level in counts if level > depth]:
            del counts[deeper]
        if levels[depth].form in ("bullet", "none"):
            return ""
        said = levels[depth].text
        for level in range(9):
            if f"%{level + 1}" in said:
                form = levels[level].form if level in levels else "decimal"
                said = said.replace(f"%{level + 1}", written(counts.get(level, 1), form))
        return said

    def _place(self, properties: etree._Element | None) -> tuple[str, int] | None:
        if properties is None:
            return None
        own = _named(properties)
        style = next((attribute(one, "val") for one in properties if local(one) == "pStyle"), "")
        seen: set[str] = set()
        while own is None and style and style not in seen:
            seen.add(style)
            own, style = self._styles.get(style), self._parents.get(style, "")
        return own if own is not None and own[0] not in ("", "0") else None


def written(count: int, form: str) -> str:
    """A number as a list shows it; in digits where the form is not known."""
    if form in _COUNTING and 0 < count < 10_000:
        return _chinese(count)
    if form in ("ideographDigital", "japaneseDigitalTenThousand"):
        return "".join(_DIGITS[int(digit)] for digit in str(count))
    if form in _CIRCLED and 1 <= count <= 20:
        return chr(0x2460 + count - 1)
    if form.endswith("Letter") and count > 0:
        letters = chr(ord("a") + (count - 1) % 26) * ((count - 1) // 26 % 20 + 1)
        return letters.upper() if form.startswith("upper") else letters
    if form.endswith("Roman") and 0 < count < 4000:
        said, left = "", count
        for value, sign in _ROMAN:
            said += sign * (left // value)
            left %= value
        return said.upper() if form.startswith("upper") else said
    return f"{count:02d}" if form == "decimalZero" else str(count)


def _chinese(count: int) -> str:
    said, skipped = "", False
    for value, sign in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = count // value % 10
        if digit:
            said += ("零" if skipped and said else "") + _DIGITS[digit] + sign
            skipped = False
        else:
            skipped = True
    return said[1:] if said.startswith("一十") else said


def _level(level: etree._Element) -> _Level:
    values = {local(part): attribute(part, "val") for part in level.iter() if local(part) in ("start", "numFmt", "lvlText")}
    return _Level(values.get("numFmt", "decimal"), _number(values.get("start", "1"), 1), values.get("lvlText", ""))


def _named(element: etree._Element) -> tuple[str, int] | None:
    """The list and level that an element's `w:numPr` names."""
    for one in element.iter("{*}numPr"):
        values = {local(part): attribute(part, "val") for part in one}
        if "numId" in values:
            return values["numId"], _number(values.get("ilvl", "0"))
    return None


def _number(written_: str, otherwise: int = 0) -> int:
    return int(written_) if written_.isascii() and written_.isdigit() and len(written_) < 7 else otherwise
