"""Text from outside is cleaned here, once, at the border; what is stored, compared and shown has gone through `clean`.

It does not decode bytes, read HTML or judge whether two texts are the same document. Three forms:

    clean   what is stored: people read it, so Chinese punctuation, ², ①, ℃ and ㎡ stay as they were written
    line    the same on one line (titles)
    fold    what is compared and searched: letter case, width, punctuation and white space no longer matter
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping

import regex

#: Combining marks in a row that are kept: UAX #15, "stream-safe text". Normalising longer runs takes quadratic time.
MAX_MARKS = 30

_SPACES = "\t \xa0\u1680\u2000-\u200a\u202f\u205f\u3000\u3164\uffa0"  # Hangul fillers are blank, too

#: Neighbours between which a zero-width (non-)joiner means something: Arabic to Myanmar and the like, symbols, emoji.
_JOINED = "\u0590-\u109f\u1700-\u1cff\u2190-\u2bff\ufe0f\U0001f000-\U0001faff"

_SURROGATES = re.compile("[\ud800-\udfff]")
_LINE_ENDS = re.compile("\r\n?|[\v\f\x85\u2028\u2029]")
_INVISIBLE = re.compile(
    "["
    "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"  # C0 and C1 controls
    "\xad\u034f\u180e\u200b\u2060-\u2064\ufeff"  # zero width, soft hyphen, byte order mark
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidirectional controls: without any they are balanced
    "\u206a-\u206f\ufff9-\ufffc\U000e0000-\U000e007f"  # deprecated, annotation and tag characters
    "\ufdd0-\ufdef" + "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000)) + "]+"
)
_JOINERS = re.compile(f"(?<![{_JOINED}])[\u200c\u200d]++|[\u200c\u200d]++(?![{_JOINED}])")
_MARKS = regex.compile(rf"(\p{{M}}{{{MAX_MARKS}}})\p{{M}}+")

#: What NFKC may rewrite without loss: full-width letters and digits, Kangxi and CJK radicals, Latin ligatures, half-width kana.
#: CJK compatibility ideographs are already unified by NFC.
_COMPATIBLE = re.compile("[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\u2e9f\u2ef3\u2f00-\u2fd5\ufb00-\ufb06\uff61-\uff9f]+")

#: Characters that `clean` leaves as they are wherever they stand, so that most texts need no further look.
_ORDINARY = re.compile("[\n -~\u4e00-\u9fff、-〃〈-】〔-〛！（），：；？‘’“”…—]*+")

#: Characters of a long text; so many different ones are replaced one after another, which is faster than all at once.
_LONG, _FEW = 400, 40

_SPACE_RUN = re.compile(f"[{_SPACES}]+")
_OTHER_SPACE = re.compile(f"[{_SPACES.replace(' ', '')}]")
_LINE_EDGE = re.compile(" *\n *")
_BLANK_RUN = re.compile("\n{3,}")


def clean(raw: str) -> str:
    """The stored form of `raw`: encodes as strict UTF-8, NFC, no control besides a newline, nothing invisible.

    White space is folded to one space within a line and stripped at its ends; at most one blank line in a row stays. Lone
    surrogates, non-characters, bidirectional controls and zero-width characters are dropped; a zero-width joiner stays
    inside emoji and in scripts that need it. Full-width letters and digits, Kangxi radicals and CJK compatibility ideographs
    become the ordinary ones; everything whose rewriting would change what is read stays. Idempotent, linear in time.
    """
    if _is_clean(raw):
        return raw
    letters = "".join(set(raw))  # a long text has few different characters: most steps are seen there not to be needed
    text = _LINE_ENDS.sub("\n", raw) if _LINE_ENDS.search(letters) else raw
    if _SURROGATES.search(letters):  # pairs become their character, lone ones go
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")
        letters = "".join(set(text))
    if _INVISIBLE.search(letters):
        text = _visible(text, "".join(_INVISIBLE.findall(letters)))
    if not text.isascii():
        if "\u200c" in letters or "\u200d" in letters:
            text = _JOINERS.sub("", text)
        if _COMPATIBLE.search(letters):
            text = _COMPATIBLE.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text)
        text = _compose(text)
    if "  " in text or _OTHER_SPACE.search(letters):
        text = _SPACE_RUN.sub(" ", text)
    if " \n" in text or "\n " in text:
        text = _LINE_EDGE.sub("\n", text)
    return (_BLANK_RUN.sub("\n\n", text) if "\n\n\n" in text else text).strip(" \n")


def _visible(text: str, dropped: str) -> str:
    """`text` without the invisible characters, of which those of `dropped` are in it."""
    if len(dropped) > _FEW:
        return _INVISIBLE.sub("", text)
    for char in dropped:
        text = text.replace(char, "")
    return text


def _is_clean(raw: str) -> bool:
    """Whether `raw` is seen at a glance to be clean already; False decides nothing."""
    if raw[:1] in ("\n", " ") or raw[-1:] in ("\n", " "):
        return False
    if "  " in raw or ("\n" in raw and (" \n" in raw or "\n " in raw or "\n\n\n" in raw)):
        return False
    return (raw.isascii() and raw.isprintable()) or _ORDINARY.fullmatch(raw) is not None


def line(raw: str) -> str:
    """`clean` on one line: for titles and names."""
    if "\n" not in raw and _is_clean(raw):
        return raw
    return _SPACE_RUN.sub(" ", clean(raw).replace("\n", " "))


def _compose(text: str) -> str:
    """NFC with runs of combining marks cut, before (time) and after (one mark may become two)."""
    text = unicodedata.normalize("NFC", _MARKS.sub(r"\1", text))
    cut: str = _MARKS.sub(r"\1", text)
    return cut


def _foldings() -> dict[int, str]:
    """Compatibility characters → what they stand for, one step deep, so that ㎡ becomes m² and not m2.

    Superscripts, subscripts, fractions and encircled numbers are left out: 10² is not 102, and ①2 is not 12.
    """
    table: dict[int, str] = {}
    blocks = ((0x00A0, 0x0590), (0x1E00, 0x3400), (0xFB00, 0xFB07), (0xFE10, 0xFFF0), (0x1D400, 0x1D800), (0x1F100, 0x1F200))
    for first, last in blocks:
        for code in range(first, last):
            kind, _, points = unicodedata.decomposition(chr(code)).partition(" ")
            if kind.startswith("<") and kind not in ("<super>", "<sub>", "<fraction>", "<circle>"):
                text = "".join(chr(int(point, 16)) for point in points.split())
                if not text.startswith(" "):  # a spacing accent is not a space and an accent
                    table[code] = text
    for group, stands_for in _PUNCTUATION:
        table.update((ord(char), stands_for) for char in group)
    closed = {code: "".join(table.get(ord(char), char) for char in text.casefold()) for code, text in table.items()}
    closed.update(dict.fromkeys((*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0), 0x200C, 0x200D), ""))  # variation selectors
    return closed


_PUNCTUATION = (
    ("“”„‟«»″＂「」『』﹁﹂﹃﹄〝〞〟", '"'),
    ("‘’‚‛′＇`´｀", "'"),
    ("‐‑‒–—―−﹘﹣－─━⸺", "-"),
    ("〔【［﹝〖", "["),
    ("〕】］﹞〗", "]"),
    ("《〈＜‹", "<"),
    ("》〉＞›", ">"),
    ("。｡．﹒", "."),
    ("，﹐", ","),
    ("､﹑", "、"),
    ("·・•‧∙⋅･", "·"),
    ("～〜∼﹏", "~"),
)
_FOLDINGS = _foldings()
_DASHES = re.compile("-{2,}")
_DOTS = re.compile(r"\.{3,}")
#: White space counts only between two letters or digits of scripts that separate words by it.
_WORD = r"[^\W_\u2e80-\ua4cf\uf900-\ufaff\U00020000-\U0003ffff]"
_LOOSE_SPACE = re.compile(rf" (?:(?<!{_WORD} )|(?!{_WORD}))")


def fold(text: str) -> str:
    """The comparing form: two texts that differ only in typography fold to the same string. Idempotent; not for people.

    Folded: letter case, full and half width, compatibility characters, kinds of quotation marks, dashes and brackets, and
    white space (line ends included), which stays, as one space, only between two words of an alphabetic script.
    """
    text = clean(text).casefold().replace("\n", " ")
    plain = text.isascii()
    text = text.replace("`", "'") if plain else _translated(text)
    text = _SPACE_RUN.sub(" ", text) if "  " in text else text
    text = _LOOSE_SPACE.sub("", text.strip(" "))
    text = _DASHES.sub("-", text) if "--" in text else text
    text = _DOTS.sub("...", text) if "...." in text else text
    return text if plain else _compose(text)  # case folding takes letters and marks apart


def _translated(text: str) -> str:
    """`text` with what `_FOLDINGS` says; what it puts in is in none of its keys, so that the order does not matter."""
    if len(text) < _LONG:
        return text.translate(_FOLDINGS)
    folded = [char for char in set(text) if ord(char) in _FOLDINGS]
    if len(folded) > _FEW:
        return text.translate(_FOLDINGS)
    for char in folded:
        text = text.replace(char, _FOLDINGS[ord(char)])
    return text


#: Characters between which a line's end is no space: Chinese, Japanese, Korean, and their punctuation.
WIDE = (
    "\u1100-\u115f\u2014\u2018\u2019\u201c\u201d\u2026\u2e80-\u303f\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff"
    "\ufe30-\ufe6f\uff01-\uff60\U00020000-\U0003ffff"
)
_IS_WIDE = re.compile(f"[{WIDE}]")


def is_wide(char: str) -> bool:
    """Whether the character is one of `WIDE`."""
    return _IS_WIDE.match(char) is not None


def glued(a: str, b: str) -> str:
    """Two parts of a paragraph that a line's end has broken: with a space only between words that have one."""
    a, b = a.rstrip(), b.lstrip()
    if not a or not b:
        return a + b
    if a[-1] == "\xad":  # a word divided at the line's end; "CNNVD-ID" keeps its hyphen
        return a[:-1] + ("" if a[-2:-1].islower() and b[0].islower() else "-") + b
    return a + b if is_wide(a[-1]) or is_wide(b[0]) or a[-1] in "-/‐_" else f"{a} {b}"


def fingerprint(fields: Mapping[str, str | None]) -> str:
    """`"1:"` and 32 hex digits (SHA-256, cut) over the cleaned fields, whatever their order.

    Fields that are None or empty do not count, so a field that is added later leaves the fingerprints of what lacks it as
    they are. The number before the colon changes if ever the same fields give another hash.
    """
    digest = hashlib.sha256()
    for name in sorted(fields):
        value = clean(fields[name] or "").encode()
        if value:
            key = name.encode()
            digest.update(b"%d:%s=%d:%s;" % (len(key), key, len(value), value))  # lengths keep neighbours apart
    return f"1:{digest.hexdigest()[:32]}"
