"""What gives access never leaves the configuration: wherever a secret may stand in words that others wrote, it becomes •••.

A server that repeats what it was sent repeats it in its own way of writing: every usual form of a value is known here. Pure; it
does not know which values are secrets.
"""

from __future__ import annotations

import base64
import html
import json
import logging
import quopri
import re
from collections.abc import Collection, Iterable
from functools import lru_cache
from urllib.parse import quote, quote_plus, unquote

MASK = "•••"
#: A shorter value would mask half a sentence and protect nothing.
SHORTEST = 4
#: Of a value inside base64, fewer characters than these could be anybody's.
_LEAST_BASE64 = 6
_OCTET = re.compile("%[0-9A-F]{2}")


class Mask:
    """Masks one set of secrets."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._plain: list[str] = []
        self._coded: list[str] = []
        self.add(secrets)

    def add(self, secrets: Iterable[str]) -> None:
        """Mask these too."""
        wanted = {secret for secret in secrets if len(secret) >= SHORTEST}
        plain = {form for secret in wanted for form in _written(secret)}
        coded = {core for secret in wanted for plain in {secret, unquote(secret)} for core in _base64(plain)}
        self._plain = sorted(plain.union(self._plain), key=len, reverse=True)
        self._coded = sorted(coded.union(self._coded), key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """The text with every secret, however it is written, as •••."""
        for form in self._plain:
            if form in text:
                text = text.replace(form, MASK)
        for core in self._coded:
            if core in text:
                text = re.sub(rf"[A-Za-z0-9+/_-]*{re.escape(core)}[A-Za-z0-9+/_-]*={{0,2}}", MASK, text)
        return text


class Masked(logging.Filter):
    """A log's filter: masks a record, its traceback too."""

    def __init__(self, mask: Mask) -> None:
        super().__init__()
        self.mask = mask

    def filter(self, record: logging.LogRecord) -> bool:
        said = record.getMessage()
        if record.exc_info:
            said += "\n" + logging.Formatter().formatException(record.exc_info)
            record.exc_info = record.exc_text = None
        record.msg, record.args = self.mask(said), ()
        return True


@lru_cache(maxsize=4096)
def mask_of(secrets: Collection[str]) -> Mask:
    """The mask of a set of secrets that is asked for again and again."""
    return Mask(secrets)


def _written(secret: str) -> set[str]:
    """A value as it may stand in text: in a URL, in JSON, in HTML, in a mail."""
    found = set()
    for plain in {secret, unquote(secret)}:
        coded = {quote(plain), quote(plain, safe=""), quote_plus(plain)}
        coded |= {_OCTET.sub(lambda octet: octet[0].lower(), one) for one in coded}
        found |= {plain, *coded, html.escape(plain), html.escape(plain, quote=False)}
        found |= {json.dumps(plain, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False)}
        octets = plain.encode("utf-8", "replace")
        found |= {quopri.encodestring(octets).replace(b"=\n", b"").decode("ascii"), repr(octets)[2:-1], octets.decode("latin-1")}
    return {form for form in found if len(form) >= SHORTEST}


def _base64(plain: str) -> set[str]:
    """What of a value is the same in base64 whatever stands before and after it, for each of the three places it may begin at."""
    octets = plain.encode("utf-8", "replace")
    found = set()
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + octets).decode("ascii")
        whole = coded[(0, 2, 3)[before] : len(coded) - (0, 3, 2)[(before + len(octets)) % 3]]
        if len(whole) >= _LEAST_BASE64:
            found |= {whole, whole.replace("+", "-").replace("/", "_")}
    return found
