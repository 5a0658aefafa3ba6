"""What a file is, by its first bytes and what is packed in it, never by its name alone. It reads no text.

A name decides only where the content leaves it open: a page of HTML is a document where it was saved by an office program, or has
the name of one and looks like one; else it is a page that came instead of the file.
"""

from __future__ import annotations

import codecs
import re
import zipfile
from io import BytesIO

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OPENING = re.compile(
    rb"\s*(?:<\?xml[^>]*+>\s*+|<!--(?:(?!-->).)*+-->\s*+)*+<(?:!doctype\s++html|html|head|body|table|meta|div|script)\b",
    re.I | re.S,
)
_PICTURES = (
    (b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff", "jpeg"), (b"GIF87a", "gif"), (b"GIF89a", "gif"), (b"BM", "bmp"),
    (b"II*\x00", "tiff"), (b"MM\x00*", "tiff"),
)  # fmt: skip
_MAGIC = (
    (b"{\\rtf", "rtf"), (b"Rar!\x1a\x07", "rar"), (b"7z\xbc\xaf\x27\x1c", "7z"), (b"\x1f\x8b", "gz"),
)  # fmt: skip
#: Streams of an OLE file, each with what it makes of it.
_STREAMS = (
    ("EncryptedPackage", "encrypted"), ("WordDocument", "doc"), ("Workbook", "xls"), ("Book", "xls"),
    ("PowerPoint Document", "ppt"),
)  # fmt: skip
_OFFICE_PAGE = re.compile(rb"urn:schemas-microsoft-com:(?:office|vml)|name=[\"']?ProgId|content=[\"']?(?:Word|Excel)\.", re.I)
_OFFICE_XML = re.compile(rb"<\?mso-application\s+progid=\"(Word|Excel)")
_OFFICE_NAMES = frozenset({"doc", "xls", "wps", "et", "rtf"})
_PAGE_NAMES = frozenset({"htm", "html", "shtml", "mht", "mhtml"})
_SCRIPTED = re.compile(rb"<(?:script|form|iframe)\b", re.I)
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\ufffd\ufffe\uffff]")


def kind_of(data: bytes, name: str) -> str:
    """`pdf`, `docx`, `doc`, `xlsx`, `xls`, `ods`, `pptx`, `ppt`, `odt`, `ofd`, `zip`, `image`, `text`, `xml`, `rtf`, `html` (a
    document saved as a page), `mht`, `wordxml`; and of what cannot be read: `page` (a page instead of the file), `encrypted`,
    `rar`, `7z`, `gz`, `ole`, `empty`, `unknown`, `zip?` (packed, and damaged beyond its list of members)."""
    if not data.strip(b"\0 \r\n\t"):
        return "empty"
    if b"%PDF-" in data[:1024]:
        return "pdf"
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _packed(data)
    if data.startswith(OLE):
        return _compound(data)
    for magic, kind in _MAGIC:
        if data.startswith(magic):
            return kind
    if picture(data):
        return "image"
    return _written(data, extension(name))


def extension(name: str) -> str:
    """What follows the last full stop of a name, in small letters."""
    return name.rpartition(".")[2].lower().strip() if "." in name else ""


def picture(data: bytes) -> str | None:
    """Which format of picture it is; None where it is none."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    return next((kind for magic, kind in _PICTURES if data.startswith(magic)), None)


def _packed(data: bytes) -> str:
    try:
        with zipfile.ZipFile(BytesIO(data)) as packed:
            names = {name.replace("\\", "/").lstrip("./") for name in packed.namelist()}
            kind = packed.read("mimetype")[:100].decode("ascii", "replace") if "mimetype" in names else ""
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, NotImplementedError, KeyError):
        return "zip?"
    if any(name.lower().rpartition("/")[2] == "ofd.xml" for name in names):
        return "ofd"
    if "[Content_Types].xml" in names:
        for folder, found in (("word/", "docx"), ("xl/", "xlsx"), ("ppt/", "pptx")):
            if any(name.startswith(folder) for name in names):
                return found
    if "opendocument" in kind:
        return "ods" if "spreadsheet" in kind else "odt"
    return "zip"


def _compound(data: bytes) -> str:
    """By the names in its directory, which are UTF-16 wherever they stand."""
    for name, kind in _STREAMS:
        if name.encode("utf-16-le") + b"\0\0" in data:
            return kind
    return "ole"


def _written(data: bytes, extension_: str) -> str:
    head = data[:4000]
    if found := _OFFICE_XML.search(head):
        return "wordxml" if found[1] == b"Word" else "xml"
    if re.match(rb"(?:From|MIME-Version|Date|Subject):", head, re.I) and b"multipart/related" in head:
        return "mht"
    if _OPENING.match(head.removeprefix(codecs.BOM_UTF8)):
        by_name = extension_ in _PAGE_NAMES or (
            extension_ in _OFFICE_NAMES and b"<table" in data.lower() and not _SCRIPTED.search(data)
        )
        return "html" if by_name or _OFFICE_PAGE.search(head) else "page"
    if decoded(data) is not None:
        return "xml" if head.lstrip().startswith(b"<?xml") else "text"
    return "unknown"


def decoded(data: bytes) -> str | None:
    """Bytes of text as text: by their mark, else UTF-8, else GB 18030; None where they are none."""
    for mark, codec in ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if data.startswith(mark):
            return data[len(mark) :].decode(codec, "replace")
    for codec in ("utf-8", "gb18030"):
        try:
            found = data.decode(codec)
        except UnicodeDecodeError:
            continue
        return None if _CONTROLS.search(found[:100_000]) else found
    return None
