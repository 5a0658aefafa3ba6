"""A served XML feed made fit for the parser: one root element, UTF-8, the usual slips mended, hostile or cut ones refused.

It reads no field of a feed; `feed` does.
"""

from __future__ import annotations

import html
import re
from html.entities import html5
from typing import NamedTuple

from lxml import etree

from monitor import text
from monitor.errors import ParseError

_ROOTS = frozenset({"rss", "rdf", "feed", "channel"})
#: A feed's root element begins within so many characters and tags; what comes later is another document's.
_HEAD, _HEAD_TAGS = 200_000, 200
#: A tag so long that its attributes are worth counting; the parser takes time in the square of their number.
_LONG_TAG = re.compile(r"<[A-Za-z][^<>]{2048,}+")
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_MOST_ATTRIBUTES = 512
#: What a server's own warnings are written in when they stand before the feed.
_WARNING_TAGS = frozenset(
    {"a", "b", "br", "code", "div", "em", "font", "hr", "i", "p", "pre", "small", "span", "strong", "table", "td", "tr", "u"}
)
_NAME = re.compile(r"<(?:[\w.-]+:)?([A-Za-z][\w.-]*)")
_ENTITY_DEFINITION = re.compile(r"<!ENTITY\s++(%?)\s*+[\w.-]++\s++(SYSTEM|PUBLIC)?", re.IGNORECASE)
_SUBSET_END = re.compile(r"\]\s*>")
_OPAQUE = r"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)"
_SLIPS = re.compile(
    _OPAQUE + r"|&#(?:x(?P<hex>[0-9A-Fa-f]{1,8})|(?P<decimal>[0-9]{1,9}));|&(?P<name>[A-Za-z][A-Za-z0-9]*);|&(?!#?\w+;)",
    re.DOTALL,
)
_NOTICES = re.compile(_OPAQUE + r"|<(?:[\w.-]+:)?(?P<notice>item|entry)[\s/>]", re.DOTALL | re.IGNORECASE)
_CLOSING = re.compile(r"</(?:[\w.-]+:)?(?:item|entry)\s*>", re.IGNORECASE)
_SPACES = re.compile(r"""((xmlns(?::[\w.-]+)?)\s*=\s*(?:"[^"<]*"|'[^'<]*'))""")
_XML_NAMES = frozenset({"amp", "lt", "gt", "quot", "apos"})
_CUT_HINT = "the answer was cut off on its way or by the site; if the next checks say the same, the site's feed is broken"


class Prepared(NamedTuple):
    """A document with one root element, for an XML parser; `notices` counts its item and entry elements."""

    body: bytes
    notices: int
    problems: tuple[str, ...]


def prepare(raw: str, url: str) -> Prepared:
    """`raw`, decoded and without controls, as a document of UTF-8 that holds the feed alone. Raises ParseError where it is
    something else, defines entities, or ends before its root element does."""
    problems: list[str] = []
    start, name, clean = _root(raw, url)
    if not clean:
        problems.append("other text stands before the feed (a warning of the server?); it was left out")
    body, rest = _whole(raw[start:], name, url)
    if rest.strip():
        problems.append("other text stands after the end of the feed; it was left out")
    if any(_QUOTED.sub("", tag[0]).count("=") > _MOST_ATTRIBUTES for tag in _LONG_TAG.finditer(body)):
        raise ParseError(
            f"{url} holds a tag of over {_MOST_ATTRIBUTES} attributes", hint="the feed is hostile", reason="broken feed"
        )
    body, mended = _mend(body, url)
    if mended:
        problems.append(f"the feed is not well-formed XML: {mended} loose ampersands or forbidden characters were mended")
    found = sum(1 for match in _NOTICES.finditer(body) if match["notice"])
    document = '<?xml version="1.0" encoding="utf-8"?>\n' + body
    return Prepared(document.encode("utf-8", "replace"), found, tuple(problems))


def confined(body: bytes) -> bytes:
    """The document of `prepare` with every item made well-formed by itself, so that a tag left open in one takes no other with
    it. The damaged one is what libxml2 makes of it."""
    document = body.decode()
    starts = [match.start() for match in _NOTICES.finditer(document) if match["notice"]]
    if not starts:
        return body
    head = document[: starts[0]]
    spaces = " ".join({name: declared for declared, name in _SPACES.findall(head)}.values())
    parts, end = [head], len(document)
    for at, following in zip(starts, [*starts[1:], end], strict=True):
        closing = _CLOSING.search(document, at, following)
        stop = closing.end() if closing else following
        parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True, huge_tree=True)
        root = etree.fromstring(f"<all {spaces}>{document[at:stop]}</all>".encode(), parser)
        parts += [etree.tostring(part, encoding="unicode", with_tail=False) for part in (root if root is not None else ())]
        if following == end and closing:
            parts.append(document[stop:])
    return "".join(parts).encode()


def _root(raw: str, url: str) -> tuple[int, str, bool]:
    """Where the root element of a feed begins, its name, and whether only declarations and comments stand before it. A server's
    warnings in HTML are passed over. Raises ParseError where something else comes first."""
    clean, end = True, 0
    raw = raw[:_HEAD]
    for _ in range(_HEAD_TAGS):
        at = raw.find("<", end)
        if at < 0:
            break
        clean = clean and not raw[end:at].strip()
        if raw.startswith("<!--", at):
            end = _past(raw, "-->", at)
        elif raw.startswith("<?", at):
            end = _instruction(raw, at)
        elif raw[at : at + 9].upper() == "<!DOCTYPE":
            end = _doctype(raw, at, url)
        elif (match := _NAME.match(raw, at)) is None:
            end = at + 1
        elif match[1].lower() in _ROOTS:
            return at, match[0][1:], clean
        elif match[1].lower() in _WARNING_TAGS:
            end = match.end()
        else:
            raise _foreign(raw, match[1].lower(), url)
    what = f"not a feed: it begins “{text.line(raw.lstrip()[:60])}”" if raw.strip() else "an empty answer"
    raise ParseError(f"{url} is {what}", hint="check the address of the source", reason="not a feed")


def _past(raw: str, mark: str, at: int) -> int:
    """The place after the next `mark`, or the end."""
    found = raw.find(mark, at)
    return len(raw) if found < 0 else found + len(mark)


def _instruction(raw: str, at: int) -> int:
    """The end of a processing instruction; an XML declaration that lacks its `?` ends before the next tag."""
    end, tag = _past(raw, "?>", at), raw.find("<", at + 1)
    return tag if at < tag < end and raw.startswith("<?xml", at) else end


def _doctype(raw: str, at: int, url: str) -> int:
    """The end of a document type declaration, which is left out. Raises ParseError where it defines entities: nested ones
    grow without bound, and no feed needs them. References to outside definitions (RSS 0.91's, HTML's) are never followed."""
    opened, closed = raw.find("[", at), raw.find(">", at)
    subset = _SUBSET_END.search(raw, opened) if 0 <= opened < closed else None
    end = subset.end() if subset else closed + 1
    if end == 0:
        raise ParseError(f"{url} ends within its document type", hint=_CUT_HINT, reason="truncated")
    for definition in _ENTITY_DEFINITION.finditer(raw, at, end):
        if not definition[2]:
            raise ParseError(
                f"{url} defines entities of its own, which could grow without bound; it was not read",
                hint="ask the publisher for a feed without <!ENTITY …>",
                reason="entities",
            )
    return end


def _foreign(raw: str, name: str, url: str) -> ParseError:
    """The error for a document whose root element is no feed's."""
    if name in ("html", "head", "body", "title", "meta", "script", "link", "style"):
        found = re.search(r"<title[^>]*>([^<]{0,400})", raw, re.IGNORECASE)
        title = text.line(html.unescape(found[1])) if found else ""
        what = f"an HTML page titled “{title}”" if title else "an HTML page without a title"
        hint = 'use the address of the feed itself, or kind = "list" for a page'
    else:
        what, hint = f"XML of another kind (root element <{name}>)", "check the address: RSS, RDF, Atom and JSON Feed are read"
    return ParseError(f"{url} is {what}, not a feed", hint=hint, reason="not a feed")


def _whole(raw: str, name: str, url: str) -> tuple[str, str]:
    """The root element and what stands after it. Raises ParseError where it does not end."""
    first = raw.find(">")
    if first > 0 and raw[first - 1] == "/":
        return raw[: first + 1], raw[first + 1 :]
    closes = list(re.finditer(rf"</{re.escape(name)}\s*(>|\Z)", raw, re.IGNORECASE))
    if not closes or re.search(r"<(?:[\w.-]+:)?(?:item|entry)[\s>]", raw[closes[-1].end() :]):
        raise ParseError(f"{url} ends before </{name}>: the feed was cut off", hint=_CUT_HINT, reason="truncated")
    last = closes[-1]
    rest = re.sub(r"<!--.*?(?:-->|\Z)", "", raw[last.end() :], flags=re.DOTALL)
    return raw[: last.start()] + f"</{name}>", rest


def _mend(body: str, url: str) -> tuple[str, int]:
    """Entities of HTML as numbers, loose ampersands escaped, references to forbidden characters dropped; how many of the last
    two there were. CDATA and comments stay as they are. Raises ParseError where one of them swallows the rest of the feed."""
    mended = 0

    def mend(match: re.Match[str]) -> str:
        nonlocal mended
        if name := match["name"]:
            if name in _XML_NAMES:
                return match[0]
            if (meant := html5.get(name + ";")) is not None:
                return "".join(f"&#{ord(sign)};" for sign in meant)
        elif match["hex"] or match["decimal"]:
            if _allowed(int(match["hex"], 16) if match["hex"] else int(match["decimal"])):
                return match[0]
            mended += 1
            return ""
        elif match[0] != "&":
            if not match[0].endswith(("]]>", "-->")):
                raise ParseError(f"{url} opens a CDATA section or comment that never ends", hint=_CUT_HINT, reason="truncated")
            return match[0]
        mended += 1
        return "&amp;" + match[0][1:]

    return _SLIPS.sub(mend, body), mended


def _allowed(number: int) -> bool:
    """Whether XML 1.0 (section 2.2) allows the character."""
    return number in (9, 10, 13) or 0x20 <= number < 0xD800 or 0xE000 <= number < 0xFFFE or 0x10000 <= number < 0x110000
