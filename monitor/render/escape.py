"""Outside text becomes text, Markdown or HTML in which it is only text; addresses; cutting without harm.

What would be markup, a mention or a tag is replaced by the full-width character that reads the same ("＊", "＠", "＜"), not by a
backslash: WeCom, DingTalk, Feishu, Slack, Discord and Telegram each read Markdown in their own way, and most show a backslash.
It decides nothing about what a message says or how it is laid out.
"""

from __future__ import annotations

import html as entities
import re
from urllib.parse import quote, urlsplit

import regex

from monitor.text import clean, line

ELLIPSIS = "…"

_GRAPHEME = regex.compile(r"\X")
_URL = re.compile(r"https?://[A-Za-z0-9\-._~:/?#@!$&'*+,;=%]+", re.IGNORECASE)
_HOST = re.compile(r"[\w.\-]+(?::\d{1,5})?|\[[0-9A-Fa-f:.]+\](?::\d{1,5})?")

#: An address, or a mention: an @ that is no mail address, and one before a word that calls everybody wherever it stands.
_MENTION = re.compile(
    _URL.pattern + r"|(?<![A-Za-z0-9])@(?=\S)|@(?=(?:all|every|here|channel|room|group|team|所有|全体|全员|大家))",
    re.IGNORECASE,
)
#: What begins a tag, an autolink or a mention in angle brackets: <at id=all>, <@U1>, <!channel>, <#C1>, </b>, <https://…>.
_TAG = re.compile(r"<(?=\s*[@!#&/?:|])|<(?=[A-Za-z])")
_ENTITY = re.compile(r"&(?=#?\w{1,31};)")
_MARKUP = str.maketrans({"*": "＊", "_": "＿", "`": "｀", "~": "～", "[": "［", "]": "］", "|": "｜", "\\": "＼"})
_LINE_START = re.compile(r"^(?:[#>+=\-]|:(?=-))", re.MULTILINE)
_WIDE = str.maketrans({"#": "＃", ">": "＞", "+": "＋", "=": "＝", "-": "－", ":": "："})
_NUMBERED = re.compile(r"^(\d{1,9})([.)])(?=\s|$)", re.MULTILINE)
_URL_MARKUP = re.compile(r"[()*~\[\]@]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_URL_ENTITY = re.compile(r"(&#?\w{1,31});")


def plain(raw: str) -> str:
    """Outside text for plain text: clean, without mentions and without what a service would take for a tag."""
    return calm(clean(raw))


def calm(text: str) -> str:
    """The same for text that must not be cleaned, since its white space is part of a difference."""
    return _uncalled(_TAG.sub("＜", text.replace("\t", " ")))


def calm_html(markup: str) -> str:
    """The same for HTML whose text is escaped already: a service may be given its plain text."""
    return _uncalled(markup.replace("\t", " ").replace("&lt;", "＜"))


def markdown(raw: str) -> str:
    """Outside text for Markdown: no character of it is markup, in any line. Addresses stay as they lead."""
    text = plain(raw)
    out = []
    at = 0
    for found in _URL.finditer(text):
        out += [_words(text[at : found.start()]), inert(found[0])]
        at = found.end()
    text = "".join([*out, _words(text[at:])])
    text = _LINE_START.sub(lambda found: found[0].translate(_WIDE), text)
    return _NUMBERED.sub(lambda found: found[1] + ("．" if found[2] == "." else "）"), text)


def html(raw: str) -> str:
    """Outside text for HTML, between tags or in a quoted attribute. Some services get it turned into plain text: see `plain`."""
    return entities.escape(plain(raw))


def address(url: str) -> str | None:
    """The address as it may be shown and clicked: http(s), without credentials, in ASCII but for the host; None if it is none."""
    try:
        parts = urlsplit(line(url).replace(" ", "%20"))
    except ValueError:
        return None
    if parts.scheme.lower() not in ("http", "https") or not _HOST.fullmatch(parts.netloc):
        return None
    rest = quote(parts._replace(scheme="", netloc="").geturl(), safe="/?#!$&'()*+,;=:%[]~-._")
    return f"{parts.scheme.lower()}://{parts.netloc}{rest}"


def cut(text: str, limit: int) -> str:
    """The text in at most `limit` characters, with "…" where it was cut, never within a grapheme."""
    if len(text) <= limit:
        return text
    kept = 0
    for grapheme in _GRAPHEME.finditer(text, endpos=limit + 1):
        if grapheme.end() > limit - len(ELLIPSIS):
            break
        kept = grapheme.end()
    return text[:kept].rstrip() + ELLIPSIS


def measure(text: str, unit: str) -> int:
    """How much of a limit a text takes: `unit` is "bytes" (of UTF-8) or "characters" (code points)."""
    return len(text.encode("utf-8", "replace")) if unit == "bytes" else len(text)


def _uncalled(text: str) -> str:
    return _MENTION.sub(lambda found: found[0].replace("@", "＠" if found[0] == "@" else "%40"), text)


def _words(text: str) -> str:
    return _ENTITY.sub("＆", text.translate(_MARKUP))


def inert(url: str) -> str:
    """The same address with what Markdown would take for markup percent-encoded (RFC 3986, section 2.1)."""
    return _URL_ENTITY.sub(r"\1%3B", _URL_MARKUP.sub(lambda found: f"%{ord(found[0]):02X}", url))
