"""The readers of documents that were saved as something else: a page (HTML, MHTML), XML of Excel 2003, plain text. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import message_from_bytes

from monitor.errors import ParseError
from monitor.html import dom
from monitor.readers.files.kinds import decoded
from monitor.readers.files.nouns import Unreadable
from monitor.readers.files.packed import attribute, local, tree

_CHARSET = re.compile(rb"charset\s*+=\s*+[\"']?\s*+([\w-]{3,20})", re.I)
#: No honest row skips more empty cells than this.
_MOST_SKIPPED = 200


def page(data: bytes) -> str:
    """The text of a document that was saved as a page."""
    declared = _CHARSET.search(data[:4000])
    codec = declared[1].decode("ascii").lower() if declared else ""
    markup = decoded(data)
    if codec and codec not in ("utf-8", "utf8", "gb2312", "gbk", "gb18030", "unicode"):
        try:
            markup = data.decode(codec)
        except (LookupError, UnicodeDecodeError):
            markup = decoded(data)
    try:
        return dom.text_of(dom.parse(markup if markup is not None else data.decode("utf-8", "replace")))
    except ParseError as error:
        raise Unreadable(error.message) from None


def title(data: bytes) -> str:
    """The title of a page that came instead of a file; "" where it has none."""
    found = re.search(
        r"<title[^>]{0,200}>([^<]{1,300})", decoded(data[:20_000]) or data[:20_000].decode("utf-8", "replace"), re.I
    )
    return " ".join(found[1].split())[:80] if found else ""


def archive(data: bytes) -> str:
    """The text of a page that was saved with its pictures in one file (MHTML)."""
    message = message_from_bytes(data)
    for part in message.walk():
        if part.get_content_type() in ("text/html", "application/xhtml+xml"):
            body = part.get_payload(decode=True)
            if isinstance(body, bytes):
                return page(body)
    raise Unreadable("is no whole page: its text is missing")


def sheets(data: bytes) -> str:
    """The text of what Excel 2003 wrote as one file of XML: as `sheet` gives a spreadsheet. "" for any other XML."""
    return "\n".join(line for one in tree(data).iter("{*}Worksheet") for line in (f"\n[{attribute(one, 'Name')}]", *_rows(one)))


def _rows(sheet: object) -> Iterator[str]:
    for row in sheet.iter("{*}Row"):  # type: ignore[attr-defined]  # an element of lxml
        cells: list[str] = []
        for cell in row:
            if local(cell) != "Cell":
                continue
            index = attribute(cell, "Index")
            if index.isdigit() and len(cells) < int(index) - 1 <= len(cells) + _MOST_SKIPPED:
                cells += [""] * (int(index) - 1 - len(cells))
            said = " ".join("".join(data.itertext()) for data in cell if local(data) == "Data")
            cells.append(" ".join(said.replace("|", "｜").split()))
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            yield " | ".join(cells)
