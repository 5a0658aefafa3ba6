"""The bytes of an answer become one JSON value, or the sentence that says what they are instead. It looks for no rows."""

from __future__ import annotations

import html
import json
import re
from typing import Any

from monitor import text
from monitor.errors import ParseError
from monitor.model import Fetched
from monitor.sources import rows

#: What scripts put around JSON: `callback(…);`, `var data = …;`, and the lines that keep it from being run as a script.
_WRAPPED = re.compile(r"(?:/\*.*?\*/\s*)?(?:(?:var|let|const)\s+)?[A-Za-z_$][\w$.]*\s*(?:\(|=(?!=))\s*", re.DOTALL)
_GUARD = re.compile(r"(?:\)\]\}',?|for\s*\(;;\);|while\s*\((?:1|true)\);)\s*")
_AFTER = re.compile(r"\s*+\)?\s*+;?\s*+")
_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_SHOWN_KEYS, _SHOWN_VALUE = 6, 60


def load(got: Fetched) -> tuple[Any, str]:
    """The value that the answer is, and the answer as text. NaN and Infinity, which JSON does not have, are read as null.

    Raises ParseError for all that is not one whole JSON value (a page, a feed, nothing, a part), and for numbers and nesting
    beyond all measure."""
    rows.refuse_binary(got)
    raw = got.text.lstrip("\ufeff").strip(" \t\r\n\0")
    _refuse_foreign(raw, got.url)
    decoder = json.JSONDecoder(parse_constant=lambda _: None, strict=False)  # a bare line end in a text is a line end
    guard = _GUARD.match(raw)
    start = guard.end() if guard else 0
    wrapper = _WRAPPED.match(raw, start)
    start = wrapper.end() if wrapper else start
    try:
        value, end = decoder.raw_decode(raw, start)
    except json.JSONDecodeError as error:
        raise _broken(raw, got.url, error) from error
    except RecursionError as error:
        raise too_deep(got.url) from error
    except ValueError as error:  # more digits than Python takes: sys.set_int_max_str_digits
        raise ParseError(f"{got.url} holds a number of thousands of digits", hint="tell the site", reason="not json") from error
    if not (_AFTER.fullmatch(raw, end) if wrapper else end == len(raw)):
        raise ParseError(
            f"{got.url} goes on after its JSON: {_shown(raw[end:])}", hint="check the address of the source", reason="not json"
        )
    return value, raw


def too_deep(url: str) -> ParseError:
    """The error for values within values without end."""
    return ParseError(f"{url} is JSON that nests too deeply", hint="check the address of the source", reason="nesting")


def _refuse_foreign(raw: str, url: str) -> None:
    if not raw:
        raise ParseError(f"{url} is an empty answer", hint="if it stays, open the address in a browser", reason="not json")
    if not raw.startswith("<"):
        return
    if re.search(r"<(?:rss|feed|rdf:RDF)\b", raw[:2000]):
        raise ParseError(f"{url} is a feed, not JSON", hint='use kind = "feed"', reason="not json")
    found = _TITLE.search(raw[:20_000])
    title = text.line(html.unescape(found[1])) if found else ""
    page = f"a page titled “{title}”" if title else "a page without a title"
    raise ParseError(
        f"{url} is {page}, not JSON",
        hint="open the address in a browser: it may ask for a login, or be out of order",
        reason="not json",
    )


def _broken(raw: str, url: str, error: json.JSONDecodeError) -> ParseError:
    """A part of JSON is cut off; anything else never was JSON."""
    if raw[:1] in '{["' or raw[:1].isalpha():
        said = f"{error.msg} at line {error.lineno}, character {error.colno} of {len(raw):,} characters"
        if error.pos < len(raw) and not error.msg.startswith("Unterminated"):
            said += f", before {_shown(raw[error.pos :])}"
    else:
        said = f"it begins with {_shown(raw)}"
    return ParseError(
        f"{url} is not whole JSON: {said}",
        hint="the answer was cut off, or is not JSON; if the next checks say the same, look at the address in a browser",
        reason="truncated",
    )


def _shown(raw: str) -> str:
    """The beginning of a text, in quotes."""
    line = text.line(raw[: 4 * _SHOWN_VALUE])
    return f"“{line}”" if len(line) <= _SHOWN_VALUE else f"“{line[: _SHOWN_VALUE - 1]}…”"


def described(value: Any) -> str:
    """What a value is, for a person who expected another: an error object is recognised by what it says."""
    if isinstance(value, dict):
        if not value:
            return "an empty object"
        said = [_shown(key) + _told(one) for key, one in list(value.items())[:_SHOWN_KEYS]]
        more = f" and {len(value) - _SHOWN_KEYS} more" if len(value) > _SHOWN_KEYS else ""
        return f"an object with {', '.join(said)}{more}"
    if isinstance(value, list):
        return f"a list of {len(value):,}"
    if isinstance(value, str):
        return f"the text {_shown(value)}" if value else "an empty text"
    return json.dumps(value) if value is None or isinstance(value, bool) else f"the number {value}"[:_SHOWN_VALUE]


def _told(value: Any) -> str:
    """A short value of a key; what is long or nested is left out."""
    if isinstance(value, str):
        return f": {_shown(value)}" if value else ""
    if isinstance(value, bool) or value is None:
        return f": {json.dumps(value)}"
    return f": {value}" if isinstance(value, int | float) and abs(value) < 1e15 else ""
