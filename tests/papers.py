"""Small documents for tests, each made by hand: what office programs, scanners and seals put into files, and little else."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from io import BytesIO
from xml.sax.saxutils import escape

A4 = (595, 842)
#: One placed run of text: from the left, from the bottom, size, words.
Placed = tuple[float, float, float, str]
#: A straight line: from where to where, from the left and from the bottom.
Drawn = tuple[float, float, float, float]


def packed(members: dict[str, bytes | str]) -> bytes:
    """A ZIP file."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in members.items():
            made.writestr(name, data)
    return out.getvalue()


# --- PDF


def pdf(
    pages: Iterable[Sequence[Placed]],
    *,
    scans: Iterable[int] = (),
    sideways: int = 0,
    rotate: int = 0,
    drawn: Sequence[Drawn] = (),
) -> bytes:
    """A PDF with a Chinese font that is not embedded; the pages numbered in `scans` (from 0) are covered by a picture instead.
    `sideways`: by how many degrees the text stands turned to the left; `rotate`: by how many the page says it is to be turned;
    `drawn`: lines on each page."""
    pages, scans = list(pages), set(scans)
    wide, high = A4
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"", _FONT, _picture()]
    kids = []
    for number, placed in enumerate(pages):
        if number in scans:
            content = b"q %d 0 0 %d 0 0 cm /P Do Q\n" % A4
        else:
            content = "".join(
                f"BT /F {size:g} Tf {_turned(x, y, sideways)} Tm <{said.encode('utf-16-be').hex()}> Tj ET\n"
                for x, y, size, said in placed
            ).encode()
            content += "".join(
                f"{_moved(x0, y0, sideways)} m {_moved(x1, y1, sideways)} l S\n" for x0, y0, x1, y1 in drawn
            ).encode()
        objects.append(b"<< /Length %d >>\nstream\n%sendstream" % (len(content), content))
        kids.append(len(objects) + 1)
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Rotate %d /Contents %d 0 R"
            b" /Resources << /Font << /F 3 0 R >> /XObject << /P 4 0 R >> >> >>"
            % (*((high, wide) if sideways % 180 else (wide, high)), rotate, len(objects))
        )
    objects[1] = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(kids), b" ".join(b"%d 0 R" % kid for kid in kids))
    return _assembled(objects)


def _turned(x: float, y: float, sideways: int) -> str:
    wide, high = A4
    places = {
        0: f"1 0 0 1 {x:g} {y:g}",
        90: f"0 1 -1 0 {high - y:g} {x:g}",
        180: f"-1 0 0 -1 {wide - x:g} {high - y:g}",
        270: f"0 -1 1 0 {y:g} {wide - x:g}",
    }
    return places[sideways]


def _moved(x: float, y: float, sideways: int) -> str:
    return " ".join(_turned(x, y, sideways).split()[-2:])


def ruled(
    rows: Sequence[Sequence[str]], widths: Sequence[float], *, top: float = 700, height: float = 40, size: float = 12
) -> tuple[list[Placed], list[Drawn]]:
    """A ruled table for `pdf`: its text and its lines. A cell that is "<" belongs to the one before, "^" to the one above; a line
    break in a cell is one."""
    lefts = [80.0]
    for wide in widths:
        lefts.append(lefts[-1] + wide)
    tops = [top - height * at for at in range(len(rows) + 1)]
    placed: list[Placed] = []
    drawn: list[Drawn] = [(lefts[0], tops[0], lefts[-1], tops[0]), (lefts[0], tops[-1], lefts[-1], tops[-1])]
    for y, row in enumerate(rows):
        for x, cell in enumerate(row):
            if cell not in ("<", "^"):
                placed += [
                    (lefts[x] + 4, tops[y] - 4 - size * (1.2 * at + 1), size, said)
                    for at, said in enumerate(cell.split("\n"))
                    if said
                ]
            if cell != "<":
                drawn.append((lefts[x], tops[y], lefts[x], tops[y + 1]))
            if cell != "^":
                drawn.append((lefts[x], tops[y], lefts[x + 1], tops[y]))
        drawn.append((lefts[-1], tops[y], lefts[-1], tops[y + 1]))
    return placed, drawn


_FONT = (
    b"<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-H /DescendantFonts [<< /Type /Font"
    b" /Subtype /CIDFontType0 /BaseFont /STSong-Light /CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 2 >>"
    b" /DW 1000 /W [1 95 500] /FontDescriptor << /Type /FontDescriptor /FontName /STSong-Light /Flags 4 /Ascent 880"
    b" /Descent -120 /CapHeight 880 /ItalicAngle 0 /StemV 93 /FontBBox [-25 -254 1000 880] >> >>] >>"
)


def _picture() -> bytes:
    rows = zlib.compress(bytes(60 * 80))
    return (
        b"<< /Type /XObject /Subtype /Image /Width 60 /Height 80 /ColorSpace /DeviceGray /BitsPerComponent 8"
        b" /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream" % (len(rows), rows)
    )


def _assembled(objects: Sequence[bytes]) -> bytes:
    out = b"%PDF-1.4\n"
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    return out + b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)


def typeset(
    paragraphs: Sequence[str], *, columns: int = 28, rows: int = 22, size: float = 16, title: str = "", number: str = "— {} —"
) -> list[list[Placed]]:
    """Paragraphs as a word processor sets them: indented by two characters, `columns` wide ones a line, `rows` lines a page, the
    page's number below. A centred `title` stands above the first; half-width characters take half a place."""
    lines: list[tuple[float, str]] = []
    if title:
        lines.append(((columns - width(title)) / 2, title))
    for paragraph in paragraphs:
        indent = 2.0
        line = ""
        for word in _words(paragraph):
            if width(line) + width(word) + indent > columns and line:
                lines.append((indent, line.rstrip(" ")))
                line, indent = "", 0.0
            line += word if line or word != " " else ""
        lines.append((indent, line))
    pages = [lines[at : at + rows] for at in range(0, len(lines), rows)] or [[]]
    left, top, step = 80.0, 842 - 100.0, 1.75 * size
    made: list[list[Placed]] = []
    for at, page in enumerate(pages, 1):
        placed: list[Placed] = [
            (left + indent * size, top - row * step, size, said) for row, (indent, said) in enumerate(page) if said
        ]
        made.append([*placed, *([(280.0, 40.0, 14.0, number.format(at))] if number else [])])
    return made


def width(said: str) -> float:
    """In wide characters."""
    return sum(0.5 if char.isascii() else 1.0 for char in said)


def _words(paragraph: str) -> list[str]:
    """What stays together at a line's end: words of letters, and wide characters with the marks that may not begin a line."""
    words: list[str] = []
    for char in paragraph:
        if words and (
            char in "，。；：、！？》）”" or (char.isascii() and char != " " and words[-1][-1:].isascii() and words[-1] != " ")
        ):
            words[-1] += char
        else:
            words.append(char)
    return words


def locked(data: bytes, password: str) -> bytes:
    """The same PDF, encrypted."""
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(BytesIO(data)))
    writer.encrypt(password, algorithm="RC4-128")
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


# --- Word, new and old

_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def paragraph(said: str, properties: str = "") -> str:
    """A paragraph of WordprocessingML."""
    return f'<w:p><w:pPr>{properties}</w:pPr><w:r><w:t xml:space="preserve">{escape(said)}</w:t></w:r></w:p>'


def table(rows: Sequence[Sequence[str]]) -> str:
    """A table of WordprocessingML; a line break in a cell begins another paragraph there."""
    made = "".join(
        "<w:tr>" + "".join("<w:tc>" + "".join(map(paragraph, cell.split("\n"))) + "</w:tc>" for cell in row) + "</w:tr>"
        for row in rows
    )
    return f"<w:tbl>{made}</w:tbl>"


def docx(body: str, **parts: str) -> bytes:
    """A Word document of that body; `parts` are further ones: `numbering`, `styles`, `footnotes`."""
    members: dict[str, bytes | str] = {
        "[Content_Types].xml": "<Types/>",
        "word/document.xml": f'<?xml version="1.0" encoding="UTF-8"?><w:document {_W}><w:body>{body}</w:body></w:document>',
    }
    for name, inner in parts.items():
        members[f"word/{name}.xml"] = f'<?xml version="1.0" encoding="UTF-8"?><w:{name} {_W}>{inner}</w:{name}>'
    return packed(members)


def doc(text: str, *, encrypted: bool = False, version: int = 0xC1) -> bytes:
    r"""A Word document of before 2007: one piece of Unicode. "\r" ends a paragraph, "\x1d" one in a cell, "\x07" a cell, "\x1c" a
    row."""
    body = (text + "\r").replace("\x1c", "\x07").replace("\x1d", "\r").encode("utf-16-le")
    start = 2048
    stops, flags = _paragraphs(text + "\r", start)
    header = bytearray(start)
    struct.pack_into("<HH", header, 0, 0xA5EC, version)
    struct.pack_into("<H", header, 0x0A, 0x0200 | (0x0100 if encrypted else 0))
    struct.pack_into("<i", header, 0x4C, len(text) + 1)
    main = bytes(header) + body
    main += bytes(-len(main) % 512)
    page = len(main) // 512
    main += _property_page(start, stops, flags)
    pieces = struct.pack("<II", 0, len(text) + 1) + struct.pack("<HIH", 0, start, 0)
    clx = b"\x02" + struct.pack("<I", len(pieces)) + pieces
    papx = struct.pack("<III", start, start + len(body), page)
    main = bytearray(main)
    struct.pack_into("<II", main, 0x1A2, 0, len(clx))
    struct.pack_into("<II", main, 0x102, len(clx), len(papx))
    return compound({"WordDocument": bytes(main), "1Table": clx + papx})


def _paragraphs(text: str, start: int) -> tuple[list[int], list[int]]:
    """Where each paragraph stops, and whether it is text (0), in a cell (1) or the end of a row (2)."""
    marks = [(at, char) for at, char in enumerate(text) if char in "\r\x07\x1c\x1d"]
    return [start + 2 * (at + 1) for at, _ in marks], [{"\r": 0, "\x1c": 2}.get(char, 1) for _, char in marks]


def _property_page(start: int, stops: Sequence[int], flags: Sequence[int]) -> bytes:
    page = bytearray(512)
    struct.pack_into(f"<{len(stops) + 1}I", page, 0, start, *stops)
    kinds = {1: struct.pack("<HHB", 0, 0x2416, 1), 2: struct.pack("<HHBHB", 0, 0x2416, 1, 0x2417, 1)}
    places, at = {}, 500
    for kind, sprms in kinds.items():  # as Word does, from the end of the page
        at = (at - 2 - len(sprms)) // 2 * 2
        words = (len(sprms) + 1) // 2
        page[at : at + 2 + len(sprms)] = bytes([0, words]) + sprms
        places[kind] = at // 2
    for run, kind in enumerate(flags):
        page[4 * (len(stops) + 1) + 13 * run] = places.get(kind, 0)
    page[511] = len(stops)
    return bytes(page)


def compound(streams: dict[str, bytes]) -> bytes:
    """An OLE file with these streams, none of which is short enough to need the short sectors."""
    sectors: list[bytes] = []
    chains: dict[int, int] = {}
    entries = [_entry("Root Entry", 5, 0xFFFFFFFE, 0, child=1)]
    for number, (name, data) in enumerate(streams.items(), 1):
        padded = data + bytes(-len(data) % 512) + bytes(max(0, 4096 - len(data)) // 512 * 512)
        first = len(sectors)
        for at in range(0, len(padded), 512):
            chains[len(sectors)] = len(sectors) + 1
            sectors.append(padded[at : at + 512])
        chains[len(sectors) - 1] = 0xFFFFFFFE
        entries.append(_entry(name, 2, first, len(padded), right=number + 1 if number < len(streams) else 0xFFFFFFFF))
    directory = b"".join(entries)
    directory += bytes(-len(directory) % 512)
    directory_at = len(sectors)
    for at in range(0, len(directory), 512):
        chains[len(sectors)] = len(sectors) + 1
        sectors.append(directory[at : at + 512])
    chains[len(sectors) - 1] = 0xFFFFFFFE
    fat_at = len(sectors)
    chains[fat_at] = 0xFFFFFFFD
    assert fat_at < 128
    sectors.append(struct.pack("<128I", *(chains.get(sector, 0xFFFFFFFF) for sector in range(128))))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack("<HHHHHHIII", 0x3E, 3, 0xFFFE, 9, 6, 0, 0, 0, 1)
    header += struct.pack("<IIIIIIII", directory_at, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0, fat_at)
    return header + b"\xff" * (512 - len(header)) + b"".join(sectors)


def _entry(name: str, kind: int, start: int, size: int, *, child: int = 0xFFFFFFFF, right: int = 0xFFFFFFFF) -> bytes:
    raw = name.encode("utf-16-le")
    return (
        raw.ljust(64, b"\0")
        + struct.pack("<HBBIII", len(raw) + 2, kind, 1, 0xFFFFFFFF, right, child)
        + bytes(16 + 4 + 16)
        + struct.pack("<IQ", start, size)
    )


# --- spreadsheets, OFD


def xlsx(sheets: dict[str, Sequence[Sequence[str | float]]], hidden: Iterable[str] = ()) -> bytes:
    """A workbook; a number is a number, everything else text."""
    names = list(sheets)
    states = dict.fromkeys(hidden, ' state="hidden"')
    book = "".join(
        f'<sheet name="{escape(name)}" sheetId="{at}" r:id="r{at}"{states.get(name, "")}/>' for at, name in enumerate(names, 1)
    )
    links = "".join(
        f'<Relationship Id="r{at}" Type="{_R}/worksheet" Target="worksheets/s{at}.xml"/>' for at in range(1, len(names) + 1)
    )
    members: dict[str, bytes | str] = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="{_P}"><Relationship Id="r1" Type="{_R}/officeDocument" Target="xl/workbook.xml"/>'
        "</Relationships>",
        "xl/workbook.xml": f'<workbook xmlns="{_S}" xmlns:r="{_R}"><sheets>{book}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_P}">{links}</Relationships>',
    }
    for at, rows in enumerate(sheets.values(), 1):
        written = "".join(
            f'<row r="{y}">'
            + "".join(_cell(chr(65 + x) + str(y), value) for x, value in enumerate(row) if value != "")
            + "</row>"
            for y, row in enumerate(rows, 1)
        )
        members[f"xl/worksheets/s{at}.xml"] = f'<worksheet xmlns="{_S}"><sheetData>{written}</sheetData></worksheet>'
    return packed(members)


_S = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_P = "http://schemas.openxmlformats.org/package/2006/relationships"


def _cell(place: str, value: str | float) -> str:
    if isinstance(value, str):
        return f'<c r="{place}" t="inlineStr"><is><t>{escape(value)}</t></is></c>'
    return f'<c r="{place}"><v>{value}</v></c>'


_OFD = 'xmlns:ofd="http://www.ofdspec.org/2016"'


def ofd(
    pages: Sequence[Sequence[Placed]],
    *,
    root: str = "Doc_0",
    loose: bool = False,
    extra: dict[str, bytes | str] | None = None,
    drawn: Sequence[Drawn] = (),
) -> bytes:
    """An OFD document: text with its places from the upper left corner, in millimetres. `loose`: as some programs pack it, with
    addresses that begin at the root, other letter cases and no folder for pages."""
    made: dict[str, bytes | str] = {
        "ofd.xml" if loose else "OFD.xml": f'<ofd:OFD {_OFD} Version="1.0" DocType="OFD"><ofd:DocBody><ofd:DocRoot>'
        f"{'/' if loose else ''}{root}/Document.xml</ofd:DocRoot></ofd:DocBody></ofd:OFD>",
    }
    listed = ""
    for at, placed in enumerate(pages):
        name = f"P{at}.xml" if loose else f"Pages/Page_{at}/Content.xml"
        listed += f'<ofd:Page ID="{at + 10}" BaseLoc="{f"/{root}/{name}" if loose else name}"/>'
        things = "".join(
            f'<ofd:TextObject ID="{n + 100}" Boundary="{x:g} {y - size:g} {width(said) * size:g} {size:g}" Size="{size:g}">'
            f'<ofd:TextCode X="0" Y="{size:g}" DeltaX="{_steps(said, size)}">{escape(said)}</ofd:TextCode></ofd:TextObject>'
            for n, (x, y, size, said) in enumerate(placed)
        )
        things += "".join(
            f'<ofd:PathObject ID="{n + 900}" Boundary="{min(x0, x1):g} {min(y0, y1):g} {abs(x1 - x0):g} {abs(y1 - y0):g}">'
            f"<ofd:AbbreviatedData>M 0 0 L {x1 - x0:g} {y1 - y0:g}</ofd:AbbreviatedData></ofd:PathObject>"
            for n, (x0, y0, x1, y1) in enumerate(drawn)
        )
        made[f"{root}/{name.lower() if loose else name}"] = (
            f'<ofd:Page {_OFD}><ofd:Content><ofd:Layer ID="1">{things}</ofd:Layer></ofd:Content></ofd:Page>'
        )
    made[f"{root}/Document.xml"] = (
        f"<ofd:Document {_OFD}><ofd:CommonData><ofd:PageArea><ofd:PhysicalBox>0 0 210 297</ofd:PhysicalBox></ofd:PageArea>"
        f"</ofd:CommonData><ofd:Pages>{listed}</ofd:Pages></ofd:Document>"
    )
    return packed(made | (extra or {}))


def _steps(said: str, size: float) -> str:
    return " ".join(f"{size * (0.5 if char.isascii() else 1):g}" for char in said[:-1])


# --- pictures


def png(width: int, height: int, dark: Iterable[tuple[int, int]] = ()) -> bytes:
    """A grey picture: white, with the rows from … to … of `dark` striped as letters are."""
    bands = list(dark)
    stripe = bytes(255 if x // 3 % 2 else 0 for x in range(width))
    rows = b"".join(b"\0" + (stripe if any(a <= y < b for a, b in bands) else b"\xff" * width) for y in range(height))
    out = b"\x89PNG\r\n\x1a\n"
    for kind, body in (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ):
        out += struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return out
