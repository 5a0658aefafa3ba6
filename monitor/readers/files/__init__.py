"""Readers of files: the bytes of an attachment or picture become its text. Pure: no I/O, no clock, no program is run.

What a file is, is told by its content (`kinds`). `READERS` names for each kind how it is read, with a number that grows when the
same bytes would be read differently. Words in pictures are recognised elsewhere and handed in: `read` says which pictures there
are, `picture_of` gives one, and `read` with their words gives the whole text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec

from monitor import text
from monitor.model import FileText, Scan
from monitor.readers.files import kinds, ofd, ooxml, pdf, picture, saved, sheet, word
from monitor.readers.files.flow import flow
from monitor.readers.files.nouns import Page, Unreadable
from monitor.readers.files.packed import Packed

__all__ = ["MISSING", "READERS", "missing", "picture_of", "read"]

#: Characters that are kept of one file.
MOST_TEXT = 4_000_000
#: How deep packed files are opened in packed files, and how many files of them all are read.
DEPTH, MOST_FILES = 2, 200

READERS = {
    "pdf": "pdf/1", "docx": "docx/1", "doc": "doc/1", "xlsx": "sheet/1", "xls": "sheet/1", "ods": "sheet/1", "pptx": "pptx/1",
    "odt": "odt/1", "ofd": "ofd/1", "zip": "zip/1", "image": "image/1", "text": "text/1", "html": "html/1", "mht": "html/1",
    "wordxml": "docx/1", "xml": "xml/1",
}  # fmt: skip
#: In the reader's name of a file for which a package is missing; other files without a reader have a greater number.
MISSING = 0
#: The packages that a kind needs, all of the extra `docs`.
_NEEDS = {
    "pdf": ("pypdfium2", "pypdf"), "xlsx": ("python_calamine",), "xls": ("python_calamine",), "ods": ("python_calamine",),
    "doc": ("olefile",), "image": ("PIL",),
}  # fmt: skip
_NOT_READ = {
    "page": "a page came instead of the file",
    "encrypted": "it is encrypted and asks for a password",
    "empty": "it is empty",
    "zip?": "it is no whole packed file: it was cut off, or is damaged",
    "rar": "it is a RAR archive, which is not opened",
    "7z": "it is a 7z archive, which is not opened",
    "gz": "it is a gzip file, which is not opened",
    "ppt": "it is a presentation of before 2007, which is not read",
    "rtf": "it is RTF, which is not read",
    "ole": "it is of an office program, but no kind that is read",
    "unknown": "what it is, is not known: nothing in it says so",
}


def missing(*these: str) -> str | None:
    """What has to be installed before files of these kinds can be read; None where everything is there."""
    absent = [name for kind in these for name in _NEEDS.get(kind, ()) if find_spec(name) is None]
    return "text not read: install notice-monitor[docs]" if absent else None


def read(data: bytes, name: str, seen: Mapping[int, Page] | None = None) -> FileText:
    """What a file says. `seen`: the words of its pictures, by number. What the bytes are raises nothing: the problem says it."""
    return _File(data, name, seen or {}, 0).text()


class _Budget:
    """How many files of packed ones may still be read."""

    def __init__(self) -> None:
        self.files = MOST_FILES


class _File:
    """One file on its way to its text; `offset` is how many numbers pictures before it have taken."""

    def __init__(
        self, data: bytes, name: str, seen: Mapping[int, Page], depth: int, offset: int = 0, budget: _Budget | None = None
    ) -> None:
        self.data, self.name, self.seen, self.depth, self.offset = data, name, seen, depth, offset
        self.budget = budget or _Budget()
        self.kind = kinds.kind_of(data, name)
        self.scans: tuple[Scan, ...] = ()
        self.pages: int | None = None
        self.span = 0

    def text(self) -> FileText:
        reader = READERS.get(self.kind, f"none/1:{self.kind}")
        if (absent := missing(self.kind)) is not None:
            return FileText(self.kind, f"none/{MISSING}:{self.kind}", problem=absent)
        try:
            said, problem = self._read()
        except Unreadable as error:
            return FileText(self.kind, reader, pages=self.pages, problem=f"it {error}")
        said = text.clean(said)
        if len(said) > MOST_TEXT:
            said, problem = said[:MOST_TEXT], f"only its first {MOST_TEXT} characters are kept"
        if not said and not self.scans and problem is None:
            problem = "there is no text in it"
        return FileText(self.kind, reader, said, self.pages, self.scans, problem)

    def _read(self) -> tuple[str, str | None]:
        if self.kind in ("pdf", "ofd"):
            return self._paged(pdf.read if self.kind == "pdf" else ofd.read)
        if self.kind in ("xlsx", "xls", "ods"):
            return sheet.read(self.data)
        if self.kind == "pptx":
            said, self.pages = ooxml.pptx(self.data)
            return said, None
        if self.kind == "image":
            return self._picture()
        if self.kind == "zip":
            return self._members()
        if self.kind == "page":
            title = saved.title(self.data)
            return "", _NOT_READ["page"] + (f": “{title}”" if title else "")
        simple: dict[str, Callable[[bytes], str]] = {
            "docx": ooxml.docx, "doc": word.read, "odt": ooxml.odt, "html": saved.page, "mht": saved.archive,
            "wordxml": ooxml.flat, "xml": lambda data: saved.sheets(data) or kinds.decoded(data) or "",
            "text": lambda data: kinds.decoded(data) or "",
        }  # fmt: skip
        if self.kind in simple:
            return simple[self.kind](self.data), None
        return "", _NOT_READ[self.kind]

    def _paged(
        self, reader: Callable[[bytes, Mapping[int, Page]], tuple[str, int, tuple[int, ...], str | None]]
    ) -> tuple[str, str | None]:
        seen = {number - self.offset: page for number, page in self.seen.items() if number > self.offset}
        said, self.pages, scans, problem = reader(self.data, seen)
        self.span = self.pages
        self.scans = tuple(Scan(self.offset + number, number, f"page {number}") for number in scans)
        return said, problem

    def _picture(self) -> tuple[str, str | None]:
        strips = picture.strips(self.data)
        if not strips:
            return "", "it is a picture too small to hold words"
        self.span = len(strips)
        self.scans = tuple(Scan(self.offset + number, number) for number in range(1, len(strips) + 1))
        return flow([self.seen.get(scan.number) for scan in self.scans]), None

    def _members(self) -> tuple[str, str | None]:
        """Each member headed by its name; what one of them does not say stands in its place."""
        packed = Packed(self.data)
        out: list[str] = []
        problem = None
        for name in packed.names:
            if name.rpartition("/")[2].startswith((".", "~$", "Thumbs.db")) or "__MACOSX/" in name:
                continue
            if self.budget.files == 0:
                problem = f"only its first {MOST_FILES} files were read"
                break
            self.budget.files -= 1
            out += ["", f"[{name}]", *self._member(packed, name)]
        return "\n".join(out), problem

    def _member(self, packed: Packed, name: str) -> list[str]:
        try:
            data = packed.read(name)
        except Unreadable as error:
            return [f"(it {error})"]
        member = _File(data, name, self.seen, self.depth + 1, self.offset + self.span, self.budget)
        if member.kind == "zip" and member.depth > DEPTH:
            return ["(it is packed too deep to be opened)"]
        found = member.text()
        self.span += member.span
        self.scans += tuple(
            Scan(one.number, one.inner, f"{name}, {one.where}" if one.where else name, (name, *one.path)) for one in found.scans
        )
        return [found.text] if found.text or found.problem is None else [f"({found.problem})"]


def picture_of(data: bytes, name: str, scan: Scan) -> bytes:
    """The grey picture (PGM) of a scan that `read` named. Raises Unreadable."""
    if scan.path:
        member = scan.path[0]
        inner = Scan(scan.number, scan.inner, scan.where, scan.path[1:])
        return picture_of(Packed(data).read(member), member, inner)
    kind = kinds.kind_of(data, name)
    if kind == "pdf":
        return pdf.picture(data, scan.inner)
    if kind == "ofd":
        return picture.strip(ofd.picture(data, scan.inner), 1)
    return picture.strip(data, scan.inner)
