"""Which charset the bytes of an answer are in. Pure: bytes and a Content-Type in, a Python codec name out; it decodes nothing for
keeps.

Labels lie, most of all on Chinese pages: "gb2312" stands for GBK and often for UTF-8, "iso-8859-1" is what a server says when
nobody told it. So a label is believed only if the bytes bear it out. Order: byte order mark; UTF-16 by its zero bytes; strict
UTF-8; the label of the header, then of the page (a meta element or XML declaration); UTF-8 with a few damaged bytes; GB18030.
No statistical detector: on short Chinese texts they guess Korean and Cyrillic. Only where no label is, GB18030 and Big5 are told
apart, by which of the two gives the commonest characters.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from monitor.fetch import labels

#: A label may leave this share of characters undecoded (a page cut by its editor in the middle of a character).
TOLERATED = 0.005
_SAMPLE = 1 << 20  # bytes on which damage is measured; a hostile body is nothing but damage
_NEAR, _FAR = 4096, 65536  # bytes in which a page declares its charset; late declarations come after long scripts

_TEXTUAL = re.compile(
    r"text/.*|.*\+xml|.*\+json|application/(?:xml|json|javascript|x-javascript|ecmascript|ld\+json|xhtml|rss|atom|rdf|soap"
    r"|x-www-form-urlencoded|jsonp|x-json|yaml|x-yaml|xml-dtd|sql|csv)"
)
_UNSURE = frozenset({"application/octet-stream", "binary/octet-stream", "application/x-download", "application/force-download"})
_MAGIC = (
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"\x1f\x8b\x08", "application/gzip"),
    (b"<?xml", "application/xml"),
    (b"{", "application/json"),
    (b"[", "application/json"),
)
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\x84\x31\x95\x33", "gb18030"))

_PARAMETER = re.compile(r"""(?:^|[;\s])charset\s*+=\s*+["']?\s*+([^\s"';,]{1,64})""", re.IGNORECASE)
_DECLARATION = re.compile(rb"""^\s*+<\?xml[^>]{0,256}?encoding\s*+=\s*+["']\s*+([A-Za-z0-9._:-]{1,64})""")
_META = re.compile(rb"""<meta\b[^>]{0,256}?charset\s*+=\s*+["']?\s*+([A-Za-z0-9._:-]{1,64})""", re.IGNORECASE)
_RUN = re.compile(rb"[\x80-\xff]+")
_THREES = re.compile(rb"(?:[\xe3-\xe9\xef][\x80-\xbf]{2})+")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")
_BEYOND_LATIN = re.compile(r"[\u0100-\u07ff]")
_GB2312_RUN = re.compile(rb"(?:[\xa1-\xf7][\xa1-\xfe])+")
#: The commonest characters of Chinese texts, as they are written on either side; so many tell, and so many times more of them.
_COMMON = re.compile(
    "[的一是不了在人有我他這这個个們们中來来上大為为和國国地到以說说時时要就出會会可也你對对生能而子那得於于自之年過过發发後后]"
)
_ENOUGH, _TIMES = 5, 3
_CHINESE = frozenset({"gb18030", "big5hkscs"})
_EURO = "monitor.euro"  # an error handler, see repair()


def media_type(body: bytes, header: str | None) -> str:
    """The media type, lower case and without parameters: the header's, or a guess by the first bytes where it says nothing."""
    said = (header or "").partition(";")[0].strip().lower()
    if "/" in said:
        return said
    start = body[:1024].removeprefix(b"\xef\xbb\xbf").lstrip()
    for magic, name in _MAGIC:
        if start.startswith(magic):
            return name
    if start.startswith(b"<"):
        return "text/html"
    return "application/octet-stream" if b"\0" in start and not _utf16(body) else "text/plain"


def detect(body: bytes, header: str | None, *, override: str = "") -> str | None:
    """The Python codec for `body`, to be used as `body.decode(name, "replace")`; None for binary media.

    `header` is the whole Content-Type, None if there was none. `override` is the user's own label: it is believed unseen.
    Raises ValueError where `override` is not a label of the WHATWG Encoding Standard.
    """
    if override and labels.codec(override) is None:
        raise ValueError(f'encoding "{override}" is not a known charset; write for example "gb18030", "big5" or "utf-8"')
    media = media_type(body, header)
    if media not in _UNSURE and not _TEXTUAL.fullmatch(media):
        return None
    if media in _UNSURE and _looks_binary(body):
        return None
    return labels.codec(override) or _textual(body, media, header)


def repair(body: bytes, codec: str | None) -> bytes:
    """The same text with the euro sign as GB18030 has it, where it stands as the byte 0x80: so GBK is written by Windows, and
    Python's codec does not know it. Every other body is returned as it is."""
    if codec != "gb18030" or not 0 < body.count(b"\x80") < 100_000:
        return body
    text = body.decode(codec, _EURO)
    return body if text == body.decode(codec, "replace") else text.encode(codec)


def declared(body: bytes, media: str) -> str | None:
    """The codec that the page itself names, in its first 4 KiB or, late, in 64 KiB; None if none, or none that is known."""
    head = body[:_FAR]
    if "html" not in media:
        found = _DECLARATION.search(head[:_NEAR]) if "xml" in media or media in _UNSURE or media == "text/plain" else None
        return _ascii_codec(found[1]) if found else None
    head = _without_comments(head)
    for part in (head[:_NEAR], head):
        for found in (_DECLARATION.search(part), *_META.finditer(part)):
            codec = _ascii_codec(found[1]) if found else None
            if codec:
                return codec
    return None


def _without_comments(head: bytes) -> bytes:
    first, *rest = head.split(b"<!--")
    return first + b"".join(part.partition(b"-->")[2] for part in rest)


def _ascii_codec(label: bytes) -> str | None:
    """The codec for a label that was itself readable as ASCII, so that the page cannot be UTF-16 whatever it says."""
    codec = labels.codec(label.decode("ascii"))
    return "utf-8" if codec and codec.startswith("utf-16") else codec


def _textual(body: bytes, media: str, header: str | None) -> str:
    for mark, codec in _BOMS:
        if body.startswith(mark) and _read(body, codec).fits:
            return codec
    wide = _utf16(body)
    if wide:
        return wide
    found = _PARAMETER.search(header or "")
    labelled = labels.codec(found[1]) if found else None
    if labelled and labelled.startswith("utf-16"):
        # A letter without zero bytes may still be UTF-16 if it is all Chinese; plain UTF-8 is not.
        if not _is_utf8(body) and _read(body, labelled).fits:
            return labelled
        labelled = None
    inner = declared(body, media)
    if labelled == "cp1252" and inner:
        labelled = None  # the server's default, not anybody's knowledge of this page
    candidates = [codec for codec in (labelled, inner) if codec]
    if body.isascii():
        return candidates[0] if candidates else "utf-8"
    if _is_utf8(body) and not _ambiguous(body, candidates):
        return "utf-8"
    return _legacy(body, candidates)


def _legacy(body: bytes, candidates: list[str]) -> str:
    """The codec for a body that is neither ASCII nor clean UTF-8: the first label that fits it, else what damages it least."""
    readings = []
    for codec in candidates:
        if codec == "cp1252" and (_paired(body) or _is_big5(body)):
            continue
        reading = _read(body, codec)
        if reading.fits:
            return codec
        readings.append((reading.lost, codec))
    if _read(body, "utf-8").lost_share < 0.1 or _mostly_utf8(body):
        return "utf-8"
    if not _CHINESE & set(candidates) and _is_big5(body):
        return "big5hkscs"
    readings.append((_read(body, "gb18030").lost, "gb18030"))
    return min(readings, key=lambda pair: pair[0])[1]


@dataclass(frozen=True, slots=True)
class _Reading:
    """A trial: the text, and how many of its characters were lost."""

    text: str
    lost: int

    @property
    def fits(self) -> bool:
        return self.lost <= TOLERATED * len(self.text) and self.lost_share < 0.5

    @property
    def lost_share(self) -> float:
        """Lost characters among those that are not ASCII: on a page of much markup and little text, the share that tells."""
        strange = len(self.text) - len(self.text.encode("ascii", "ignore"))
        return self.lost / strange if strange else 0.0


def _read(body: bytes, codec: str) -> _Reading:
    try:
        return _Reading(body.decode(codec), 0)
    except UnicodeDecodeError:
        text = body[:_SAMPLE].decode(codec, _EURO if codec == "gb18030" else "replace")
        return _Reading(text, text.count("\ufffd"))


def _euro(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return "€" if error.object[error.start] == 0x80 else "\ufffd", error.end


codecs.register_error(_EURO, _euro)


def _is_utf8(body: bytes) -> bool:
    """Whether the body is clean UTF-8; it may break off within its last character."""
    try:
        text, used = codecs.utf_8_decode(body, "strict", False)
    except UnicodeDecodeError:
        return False
    return used == len(body) or not text.isascii()


def _mostly_utf8(body: bytes) -> bool:
    """Whether most bytes above ASCII stand in threes as Chinese has them in UTF-8: damaged UTF-8, since no other charset's do."""
    high = sum(map(len, _RUN.findall(body)))
    return high >= 30 and sum(map(len, _THREES.findall(body))) > high / 2


def _ambiguous(body: bytes, candidates: list[str]) -> bool:
    """Whether clean UTF-8 may be GBK all the same, as its label says: a few characters ("一" is D2 BB) are Cyrillic or Greek in
    UTF-8, and a short text may have no others. UTF-8 that is Chinese has characters from U+0800 on."""
    if not _CHINESE & set(candidates):
        return False
    text = body.decode("utf-8", "ignore")
    return max(text) < "\u0800" and bool(_BEYOND_LATIN.search(text))


def _utf16(body: bytes) -> str | None:
    """UTF-16 without a mark, told by where the zero bytes of its ASCII characters stand."""
    head = body[:_NEAR]
    if not head.isascii() and _read(body, "utf-8").fits:
        return None
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if not head or max(even, odd) * 10 < len(head) or min(even, odd) * 20 > max(even, odd):
        return None
    codec = "utf-16-le" if odd > even else "utf-16-be"
    return codec if not _CONTROL.search(head.decode(codec, "replace")) and _read(body, codec).fits else None


def _paired(body: bytes) -> bool:
    """Whether the bytes above ASCII come in pairs as GB2312 has them: so do no Latin letters, which stand alone."""
    runs = _RUN.findall(body)
    return sum(1 for run in runs if _GB2312_RUN.fullmatch(run)) >= 0.9 * len(runs)


def _is_big5(body: bytes) -> bool:
    """Whether the body is traditional Chinese in Big5: read as GB18030, it would be rare characters."""
    big5 = _read(body[:_SAMPLE], "big5hkscs")
    if not big5.fits:
        return False
    common = _COMMON.findall(big5.text)
    return len(common) >= _ENOUGH and len(common) >= _TIMES * len(_COMMON.findall(_read(body[:_SAMPLE], "gb18030").text))


def _looks_binary(body: bytes) -> bool:
    return not body.startswith((b"\xff\xfe", b"\xfe\xff")) and b"\0" in body[:_NEAR] and _utf16(body) is None
