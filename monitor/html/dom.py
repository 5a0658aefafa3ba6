"""Markup to a tree, and a tree to the text that a reader of the page sees, block by block.

It fetches nothing, never alters a tree and knows nothing of notices. No recursion: depth and size of a page cost memory and time
in proportion, never the stack.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import cast

from cssselect import HTMLTranslator, SelectorError
from lxml import etree

from monitor import text
from monitor.errors import ParseError

Element = etree._Element

#: Elements that begin and end a line (HTML Standard §15.3, "flow content", with table parts that stand outside a row of cells).
BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "dialog", "dir", "div", "dl",
    "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hgroup", "hr",
    "html", "legend", "li", "listing", "main", "menu", "nav", "ol", "p", "plaintext", "pre", "search", "section", "summary",
    "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul", "xmp", "br",
})  # fmt: skip
#: Elements whose content nobody reads as text.
UNREAD = frozenset({
    "audio", "canvas", "datalist", "embed", "head", "iframe", "input", "link", "meta", "noframes", "noscript", "object",
    "param", "rp", "script", "select", "style", "svg", "template", "textarea", "video",
})  # fmt: skip
#: What 10 MiB of an honest page hold at most, with room; it bounds the time that a hostile one takes.
MOST_ELEMENTS = 400_000
_CELLS = frozenset({"td", "th"})
_VERBATIM = frozenset({"pre", "listing", "plaintext", "xmp"})
_PERMALINKS = frozenset("#¶§🔗⚓")
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none", re.I)
_BLOCK_STYLE = re.compile(r"display\s*:\s*(?:block|flex|grid|table|list-item)", re.I)
_BLANK = re.compile(r"[\s\u200b-\u200f\u2060\ufeff\xad]*")
_SPACE = re.compile(r"[ \t\r\n\f]+")
_WIDE = "\u2e80-\u303f\u3041-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff01-\uff60\U00020000-\U0003ffff"
#: A line break of the source between two wide characters is no space (CSS Text Level 3 §4.1.3).
_WRAPPED = re.compile(rf"(?<=[{_WIDE}])[ \t]*\n[ \t\n]*(?=[{_WIDE}])")
_LONG_TAG = re.compile(r"<([a-zA-Z][\w:-]*+)[^<>]{16384,}+")
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2})+")
#: The parser drops all that follows the first of these; pages put together from parts have them in the middle.
_EARLY_END = re.compile(r"</(?:html|body)\s*>", re.I)
#: A row with a cell of more blocks than this is page layout, not data.
_CELL_BLOCKS = 20


def parse(markup: str) -> Element:
    """The page's root element; a page without any markup gives an empty body. Comments are left out.

    Raises ParseError: reason "too deep" where elements are nested deeper than the parser goes (2,048), since a page cut off there
    would be read as a shorter one; "too large" where there are more than `MOST_ELEMENTS`.
    """
    markup = _EARLY_END.sub("", markup.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n"))
    page = _LONG_TAG.sub(_bounded, markup).encode("utf-8", "replace")
    for huge in (False, True):  # the small limits first: depth 256, 10 MB of text in one place
        parser = etree.HTMLParser(encoding="utf-8", huge_tree=huge, remove_comments=True, remove_pis=True)
        try:
            root = cast("Element | None", etree.fromstring(page, parser))
        except etree.XMLSyntaxError as error:
            raise ParseError(f"the page cannot be parsed as HTML: {error}", hint="look at what the address serves") from error
        if not any(entry.type_name == "ERR_RESOURCE_LIMIT" for entry in parser.error_log):
            return _plain_addresses(_bounded_tree(etree.fromstring(b"<html><body/></html>") if root is None else root))
    raise ParseError(
        "the page's elements are nested more than 2,048 deep",
        reason="too deep",
        hint="no browser shows such a page whole; look at what the address serves",
    )


def _bounded_tree(root: Element) -> Element:
    if next(islice(root.iter(), MOST_ELEMENTS, None), None) is not None:
        raise ParseError(
            f"the page has more than {MOST_ELEMENTS:,} elements", reason="too large", hint="watch a page that shows a part of it"
        )
    return root


def _plain_addresses(root: Element) -> Element:
    """Mail addresses that Cloudflare hides from robots (`data-cfemail`: hexadecimal, each byte XOR the first) as people see them;
    the service hides them or not as it likes."""
    for hidden in root.iter("a", "span"):
        code = hidden.get("data-cfemail")
        if code and len(code) <= 1000 and _HEX.fullmatch(code):
            key, *letters = bytes.fromhex(code)
            del hidden[:]
            hidden.text = text.line(bytes(letter ^ key for letter in letters).decode("utf-8", "replace"))
    return root


def _bounded(tag: re.Match[str]) -> str:
    """The tag without its attributes where there are absurdly many: libxml2 takes time in the square of their number."""
    bare = _QUOTED.sub("", tag[0])
    return f"<{tag[1]}" if len(bare.split()) > 512 or bare.count("=") > 512 else tag[0]


def invisible(element: Element) -> bool:
    """Whether the element and all in it is not for reading: scripts, forms' inner parts, what is hidden by attribute or by
    `display:none`. `visibility:hidden` is content: pages set it until their script has run (WeChat's #js_content)."""
    if element.tag in UNREAD:
        return True
    if not element.keys():
        return False
    style = element.get("style")
    if style is not None and _HIDDEN_STYLE.search(style):
        return True
    hidden = element.get("hidden")
    return (hidden is not None and hidden != "until-found") or element.get("aria-hidden") == "true"


def seen(elements: Iterable[Element], root: Element, skip: Collection[Element] = ()) -> Iterator[Element]:
    """Those of `root`'s descendants that `walk` would come to: cheaper where they are few."""
    known = {root: True}
    for element in elements:
        path = []
        here: Element | None = element
        while here is not None and here not in known:
            path.append(here)
            here = here.getparent()
        visible = here is not None and known[here]
        for above in reversed(path):
            visible = visible and not _skipped(above, skip, False)
            known[above] = visible
        if known[element]:
            yield element


def walk(root: Element, skip: Collection[Element] = (), *, noscript: bool = False) -> Iterator[tuple[str, Element]]:
    """("start" | "end" | "skipped", element) in document order for what is visible below and including `root`.

    The root itself is taken even if hidden: who names it wants it. An element of `skip`, or an invisible one, is told once as
    "skipped" (its tail is still text of its parent). `noscript` counts that element's content as visible.
    """
    events = etree.iterwalk(root, events=("start", "end"))
    dropped: Element | None = None
    for event, element in events:
        if dropped is not None and element is dropped:
            dropped = None
            yield "skipped", element
        elif event == "start" and element is not root and _skipped(element, skip, noscript):
            dropped = element
            events.skip_subtree()
        else:
            yield event, element


def _skipped(element: Element, skip: Collection[Element], noscript: bool) -> bool:
    if element in skip or (element.tag == "a" and _is_permalink(element)):
        return True
    return invisible(element) and not (noscript and element.tag == "noscript")


def _is_permalink(link: Element) -> bool:
    """The sign at a heading that links to itself: software for documentation shows it or not as it likes."""
    return len(link) == 0 and (link.text or "").strip() in _PERMALINKS and "#" in (link.get("href") or "")


class _Writer:
    """Collects text in lines; white space is collapsed as a browser does."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.fresh = True  # nothing on this line yet
        self.spaced = True  # the line ends with a space
        self.verbatim = 0
        self.row: Element | None = None  # the row of cells that is being written, on one line
        self.row_from = 0
        self.line_from = 0
        self.cells = 0

    def add(self, piece: str | None) -> None:
        if not piece:
            return
        if self.verbatim and self.row is None:
            self.pieces.append(piece)
            self.fresh = self.spaced = piece.endswith("\n")
            self.line_from = len(self.pieces)
            return
        if "\n" in piece:
            piece = _SPACE.sub(" ", _WRAPPED.sub("", piece))
        elif "  " in piece or "\t" in piece or "\r" in piece or "\f" in piece:
            piece = _SPACE.sub(" ", piece)
        if self.spaced:
            piece = piece.removeprefix(" ")
        if piece:
            self.pieces.append(piece)
            self.fresh, self.spaced = False, piece.endswith(" ")

    def cut(self) -> None:
        """End the line; inside a row of cells, a space."""
        if self.row is not None:
            self.add(" ")
        elif not self.fresh:
            written = self.pieces[self.line_from :]
            if written and all(_BLANK.fullmatch(piece) for piece in written):
                del self.pieces[self.line_from :]  # `<p>&nbsp;</p>` is spacing
            else:
                self.pieces.append("\n")
            self.fresh = self.spaced = True
            self.line_from = len(self.pieces)

    def start(self, element: Element) -> None:
        tag = element.tag
        if tag in BLOCKS or _is_block(element):
            self.cut()
        if tag in _VERBATIM:
            self.verbatim += 1
        elif tag == "tr" and self.row is None and is_data_row(element):
            self.row, self.row_from, self.cells = element, len(self.pieces), 0
        elif tag in _CELLS and self.row is not None and element.getparent() is self.row:
            if self.cells:
                self.pieces.append(" | ")
                self.fresh, self.spaced = False, True
            self.cells += 1

    def end(self, element: Element) -> None:
        tag = element.tag
        if element is self.row:
            self.row = None
            if all(not piece.strip(" |") for piece in self.pieces[self.row_from :]):
                del self.pieces[self.row_from :]
                self.fresh = self.spaced = True
        if tag in _VERBATIM:
            self.verbatim -= 1
        if tag in BLOCKS or _is_block(element):
            self.cut()


def _is_block(element: Element) -> bool:
    style = element.get("style")
    return style is not None and _BLOCK_STYLE.search(style) is not None


def is_data_row(row: Element) -> bool:
    """Whether a `tr` holds data (its cells belong on one line) rather than the layout of a page: two cells or more, no table in
    them, and none of them a text of many paragraphs."""
    cells = [child for child in row if child.tag in _CELLS]
    if len(cells) < 2 or next(islice(row.iter("table", "tr"), 1, None), None) is not None:
        return False
    return all(sum(1 for _ in islice(cell.iter("p", "div", "li", "br"), _CELL_BLOCKS + 1)) <= _CELL_BLOCKS for cell in cells)


def raw_text(root: Element, skip: Collection[Element] = (), *, noscript: bool = False) -> str:
    """`text_of` before it is cleaned: for joining several parts that are cleaned once."""
    writer = _Writer()
    for event, element in walk(root, skip, noscript=noscript):
        if event == "start":
            writer.start(element)
            writer.add(element.text)
            continue
        if event == "end":
            writer.end(element)
        if element is not root:
            writer.add(element.tail)
    return "".join(writer.pieces)


def text_of(root: Element, skip: Collection[Element] = (), *, noscript: bool = False) -> str:
    """The visible text of an element: a line for each block, `a | b` for a row of a table, `pre` as it stands; cleaned."""
    return text.clean(raw_text(root, skip, noscript=noscript))


def line_of(root: Element) -> str:
    """The visible text of an element on one line: a title, a label; most have a short text and nothing in them."""
    own = root.text or ""
    return text.line(own) if len(root) == 0 and "\n" not in own else text.line(raw_text(root))


@lru_cache(maxsize=1024)
def compiled(css: tuple[str, ...]) -> etree.XPath:
    """Several CSS selectors (Selectors Level 3) as one query. Raises ValueError with a sentence where one is not CSS."""
    paths = []
    for one in css:
        try:
            paths.append(HTMLTranslator().css_to_xpath(one))
        except SelectorError as error:
            raise ValueError(f'"{one}" is not a CSS selector: {error}') from error
    try:
        return etree.XPath(" | ".join(paths))
    except etree.XPathError as error:
        raise ValueError(f"{', '.join(css)} cannot be used as CSS selectors: {error}") from error


def matches(root: Element, css: Sequence[str]) -> list[Element]:
    """All that the selectors match, in document order. Raises ValueError where one is not CSS."""
    if not css:
        return []
    try:
        return [found for found in cast("list[Element]", compiled(tuple(css))(root)) if isinstance(found, Element)]
    except etree.XPathError as error:
        raise ValueError(f"{', '.join(css)} cannot be looked for in this page: {error}") from error


def ranked(root: Element, *tables: Mapping[str, int]) -> list[dict[Element, int]]:
    """For each table, the elements below and including `root` that it names, in document order, with the lowest number that it
    gives to a name of theirs: `tag`, `#id`, `.class`, `tag.class`, `[itemprop=…]` or `[role=…]`. One pass over the page: far
    cheaper than as many selectors."""
    found: list[dict[Element, int]] = [{} for _ in tables]
    places: dict[tuple[object, ...], list[tuple[int, int]]] = {}  # most of a page's elements share their names
    for element in root.iter():
        get = element.get
        key = (element.tag, get("class"), get("id"), get("itemprop"), get("role"))
        known = places.get(key)
        if known is None:
            names = _names(element)
            lowest = [min((table[name] for name in names if name in table), default=None) for table in tables]
            places[key] = known = [(number, place) for number, place in enumerate(lowest) if place is not None]
        for number, place in known:
            found[number][element] = place
    return found


def _names(element: Element) -> list[str]:
    tag = str(element.tag)
    classes = (element.get("class") or "").split()
    names = [tag, *(f".{name}" for name in classes), *(f"{tag}.{name}" for name in classes)]
    names += [f"#{(element.get('id') or '').strip()}"]
    return names + [f"[{name}={element.get(name)}]" for name in ("itemprop", "role")]


def outermost(elements: Sequence[Element]) -> list[Element]:
    """Those that lie in none of the others, in the same order: so that nested matches are not read twice."""
    among = set(elements)
    return [element for element in elements if not any(above in among for above in element.iterancestors())]
