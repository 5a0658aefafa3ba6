"""How a message is laid out in text, Markdown and HTML: headings, lines, excerpts, differences, links, borders.

It decides nothing about what a message says; `escape` makes outside text harmless.
"""

from __future__ import annotations

import html as entities
from typing import Protocol
from urllib.parse import urlsplit

from monitor.diff import Diff
from monitor.render import hunks
from monitor.render.escape import address, calm, calm_html, html, inert, markdown, plain
from monitor.text import clean, line

#: A longer address is not shown a second time as its own label (a robot's message has 4,096 bytes).
_LONG_URL = 500


class Writer(Protocol):
    """How the parts of a message are written in one format. Every method takes outside text and gives it escaped."""

    def heading(self, text: str) -> str:
        """One line that stands out."""
        ...

    def fact(self, text: str) -> str:
        """One line."""
        ...

    def excerpt(self, text: str) -> str:
        """Several lines of a document."""
        ...

    def diff(self, d: Diff, limit: int, language: str) -> str:
        """The changed characters, of `limit` characters or so; empty if not even the first of them has room."""
        ...

    def link(self, url: str, label: str) -> str:
        """An address on a line of its own, whole and to be clicked."""
        ...

    def join(self, blocks: list[tuple[str, bool]]) -> str:
        """Blocks below each other, with a blank line before those whose flag says so."""
        ...

    def group(self, entries: list[str]) -> str:
        """Messages below each other with a blank line, a border at which the sender may divide, between them."""
        ...


class Text:
    """Plain text, as a console, a plain mail or a robot's text message shows it."""

    def heading(self, text: str) -> str:
        return plain(line(text))

    def fact(self, text: str) -> str:
        return plain(line(text))

    def excerpt(self, text: str) -> str:
        return plain(_no_blank_lines(text))

    def diff(self, d: Diff, limit: int, language: str) -> str:
        return calm(hunks.text(d, limit=limit, language=language).strip("\n"))

    def link(self, url: str, label: str) -> str:
        return address(url) or plain(line(url))

    def join(self, blocks: list[tuple[str, bool]]) -> str:
        return _join(blocks, "\n")

    def group(self, entries: list[str]) -> str:
        return "\n\n".join(entries)


class Markdown:
    """The Markdown that all chat services read: bold, links, lines."""

    def heading(self, text: str) -> str:
        return f"**{markdown(line(text))}**"

    def fact(self, text: str) -> str:
        return markdown(line(text))

    def excerpt(self, text: str) -> str:
        return markdown(_no_blank_lines(text)).replace("\n", "  \n")

    def diff(self, d: Diff, limit: int, language: str) -> str:
        return hunks.markdown(d, limit=limit, language=language).strip("\n")

    def link(self, url: str, label: str) -> str:
        safe = address(url)
        if safe is None or urlsplit(safe).netloc.startswith("["):
            return markdown(line(url))
        target = inert(safe)
        return f"[{target if len(target) <= _LONG_URL else markdown(line(label))}]({target})"

    def join(self, blocks: list[tuple[str, bool]]) -> str:
        return _join(blocks, "  \n")

    def group(self, entries: list[str]) -> str:
        return "\n\n".join(entries)


class Html:
    """HTML for mail: inline styles, nothing loaded from outside."""

    def heading(self, text: str) -> str:
        return f'<p style="margin:0 0 8px;font-size:17px;font-weight:bold">{html(line(text))}</p>'

    def fact(self, text: str) -> str:
        return f'<p style="margin:0;color:#555">{html(line(text))}</p>'

    def excerpt(self, text: str) -> str:
        lines = html(_no_blank_lines(text)).replace("\n", "<br>\n")
        return f'<p style="margin:12px 0;padding-left:12px;border-left:3px solid #ccc">{lines}</p>'

    def diff(self, d: Diff, limit: int, language: str) -> str:
        shown = hunks.html(d, limit=limit, language=language)
        return f'<div style="margin:12px 0">{calm_html(shown)}</div>' if shown else ""

    def link(self, url: str, label: str) -> str:
        safe = address(url)
        if safe is None:
            return self.fact(url)
        shown = entities.escape(safe)
        return f'<p style="margin:8px 0 0;word-break:break-all"><a href="{shown}" rel="noreferrer">{shown}</a></p>'

    def join(self, blocks: list[tuple[str, bool]]) -> str:
        style = "font:15px/1.6 system-ui,'PingFang SC','Microsoft YaHei',sans-serif;color:#222;max-width:46em"
        inner = "\n".join(block for block, _ in blocks)
        return f'<div style="{style}">\n{inner}\n</div>'

    def group(self, entries: list[str]) -> str:
        return '\n\n<hr style="border:0;border-top:1px solid #ddd;margin:16px 0">\n\n'.join(entries)


WRITERS: dict[str, Writer] = {"text": Text(), "markdown": Markdown(), "html": Html()}


def _no_blank_lines(text: str) -> str:
    return "\n".join(each for each in clean(text).split("\n") if each)


def _join(blocks: list[tuple[str, bool]], end: str) -> str:
    out = ""
    for block, apart in blocks:
        out += (("\n\n" if apart else end) if out else "") + block
    return out
