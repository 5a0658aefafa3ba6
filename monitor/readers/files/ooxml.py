"""The readers of what newer office programs write, which is XML in a ZIP: Word's docx, PowerPoint's pptx, OpenDocument's odt.

Paragraphs a line each, tables as rows `a | b`, in the document's order, with the numbers that lists put before paragraphs; what
was struck out while changes were tracked is not there, what was put in is. Headers and footers are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from monitor.readers.files.nouns import Unreadable
from monitor.readers.files.numbering import Numbers
from monitor.readers.files.packed import Packed, attribute, local, tree

#: Of tracked changes, fields and fallbacks: what is not read.
_UNREAD = frozenset({
    "del", "moveFrom", "delText", "delInstrText", "Fallback", "pPr", "rPr", "sectPr", "tblPr", "trPr", "tcPr", "annotation",
    "tracked-changes",
})  # fmt: skip
_SIGNS = {"tab": " ", "ptab": " ", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}


def docx(data: bytes) -> str:
    """The text of a Word document."""
    packed = Packed(data)
    main = packed.find("word/document.xml") or next(
        (name for name in packed.names if re.fullmatch(r"word/document\d*\.xml", name, re.I)), None
    )
    if main is None:
        raise Unreadable("is no whole Word document: its text is missing")
    numbers = Numbers()
    for part, learn in (("word/numbering.xml", numbers.learn_lists), ("word/styles.xml", numbers.learn_styles)):
        if (name := packed.find(part)) is not None:
            learn(packed.xml(name))
    lines = list(_Text(numbers).blocks(packed.xml(main)))
    for part, element in (("word/footnotes.xml", "footnote"), ("word/endnotes.xml", "endnote")):
        if (name := packed.find(part)) is not None:
            for note in packed.xml(name).iter("{*}" + element):
                lines += _Text(numbers).blocks(note) if attribute(note, "type") in ("", "normal") else ()
    return "\n".join(lines)


def flat(data: bytes) -> str:
    """The text of what Word 2003 wrote as one file of XML."""
    return "\n".join(line for body in tree(data).iter("{*}body") for line in _Text(Numbers()).blocks(body))


class _Text:
    """The walk through one part of a Word document. A field's result is read, but for the number of a page, which an edit
    elsewhere changes; fields stand in fields, and go across paragraphs."""

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers
        self._fields: list[str] = []  # of each open field: "code", "result" or "page"

    def blocks(self, root: etree._Element) -> Iterator[str]:
        """The paragraphs and table rows below an element, in order."""
        for child in root:
            name = local(child)
            if name == "p":
                yield from self._paragraph(child)
            elif name == "tbl":
                yield from self._table(child)
            elif name not in _UNREAD:
                yield from self.blocks(child)

    def _paragraph(self, paragraph: etree._Element) -> Iterator[str]:
        """A paragraph, and behind it what stands in frames on it."""
        properties = next((child for child in paragraph if local(child) == "pPr"), None)
        if properties is not None and any(local(one) == "del" for mark in properties.iter("{*}rPr") for one in mark):
            properties = None  # the paragraph's end was struck out: its number goes with it
        frames: list[etree._Element] = []
        said = "".join(self._run(paragraph, frames)).strip()
        yield (self._numbers.before(properties) + said) if said else ""
        for frame in frames:
            yield from self.blocks(frame)

    def _run(self, element: etree._Element, frames: list[etree._Element]) -> Iterator[str]:
        for child in element:
            name = local(child)
            if name == "fldChar":
                self._field(attribute(child, "fldCharType"))
            elif name == "instrText":
                if self._fields and "PAGEREF" in (child.text or ""):
                    self._fields[-1] = "page"
            elif name == "txbxContent":
                frames.append(child)
            elif name in _SIGNS or name in ("t", "sym"):
                if not self._fields or self._fields[-1] == "result":
                    yield _SIGNS[name] if name in _SIGNS else child.text or "" if name == "t" else _symbol(child)
            elif name not in _UNREAD:
                yield from self._run(child, frames)

    def _field(self, kind: str) -> None:
        if kind == "begin":
            self._fields.append("code")
        elif kind == "separate" and self._fields and self._fields[-1] == "code":
            self._fields[-1] = "result"
        elif kind == "end" and self._fields:
            self._fields.pop()

    def _table(self, table: etree._Element) -> Iterator[str]:
        for row in table.iter("{*}tr"):
            if next(row.iterancestors("{*}tbl")) is not table:
                continue  # of a table in a cell, which is read as that cell's text
            cells = []
            for cell in _cells(row):
                said = " ".join(line for line in self.blocks(cell) if line)
                cells.append(" ".join(said.replace("|", "｜").split()))
            if any(cells):
                yield " | ".join(cells) if len(cells) > 1 else cells[0]


def _symbol(element: etree._Element) -> str:
    """A character of a symbol font; most are box marks, of which only ☑ and □ are told apart."""
    return {"F0FE": "☑", "F052": "☑", "F0A8": "□", "F06F": "□", "F0A3": "□"}.get(attribute(element, "char").upper(), "")


def _cells(row: etree._Element) -> Iterator[etree._Element]:
    for child in row:
        if local(child) == "tc":
            yield child
        elif local(child) in ("sdt", "sdtContent", "ins", "customXml"):
            yield from _cells(child)


def pptx(data: bytes) -> tuple[str, int]:
    """The text of a presentation, slide by slide, and how many slides there are."""
    packed = Packed(data)
    slides = sorted(
        (int(found[1]), name) for name in packed.names if (found := re.fullmatch(r"ppt/slides/slide(\d{1,5})\.xml", name, re.I))
    )
    lines: list[str] = []
    for _, name in slides:
        for element in packed.xml(name).iter("{*}p", "{*}tr"):
            if local(element) == "tr":
                cells = [" ".join(_words(cell).split()) for cell in element if local(cell) == "tc"]
                lines.append(" | ".join(cells) if any(cells) else "")
            elif next(element.iterancestors("{*}tr"), None) is None:
                lines.append(_words(element))
        lines.append("")
    return "\n".join(lines), len(slides)


def _words(element: etree._Element) -> str:
    return "".join(one.text or "" for one in element.iter("{*}t"))


def odt(data: bytes) -> str:
    """The text of an OpenDocument text."""
    packed = Packed(data)
    main = packed.find("content.xml")
    if main is None:
        raise Unreadable("is no whole document: its text is missing")
    if (manifest := packed.find("META-INF/manifest.xml")) is not None and b"encryption-data" in packed.read(manifest):
        raise Unreadable("is encrypted and asks for a password")
    return "\n".join(_open_blocks(packed.xml(main)))


def _open_blocks(root: etree._Element) -> Iterator[str]:
    for child in root:
        name = local(child)
        if name in ("p", "h"):
            yield "".join(_open_run(child))
        elif name == "table-row":
            cells = [" ".join(" ".join(_open_blocks(cell)).split()) for cell in child if local(cell) == "table-cell"]
            if any(cells):
                yield " | ".join(cells) if len(cells) > 1 else cells[0]
        elif name not in _UNREAD:
            yield from _open_blocks(child)


def _open_run(element: etree._Element) -> Iterator[str]:
    yield element.text or ""
    for child in element:
        name = local(child)
        if name in ("tab", "s"):
            yield " "
        elif name == "line-break":
            yield "\n"
        elif name not in _UNREAD:
            yield from _open_run(child)
        yield child.tail or ""
