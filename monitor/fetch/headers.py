"""Header fields: what we send, and what Retry-After, ETag, Last-Modified, Location and Content-Disposition say. Pure."""

from __future__ import annotations

import base64
import email.header
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from email.errors import HeaderParseError
from email.utils import parsedate_to_datetime
from urllib.parse import unquote, unquote_to_bytes

from monitor import __version__
from monitor.fetch import charset, labels
from monitor.model import Validators

USER_AGENT = f"monitor/{__version__} (+https://github.com/notice-monitor/monitor)"
#: A conditional request is asked unconditionally at least this often: some servers say 304 for ever.
TRUSTED = timedelta(hours=24)
_DAY = 86400.0
_DEFAULTS = (
    ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,application/json;q=0.9,*/*;q=0.8"),
    ("Accept-Language", "zh-CN,zh;q=0.9,en;q=0.8"),
)
#: These say how the message is framed, which is ours to say.
_FRAMING = frozenset(
    {"accept-encoding", "connection", "content-length", "expect", "host", "te", "trailer", "transfer-encoding", "upgrade"}
)
#: All that goes along to another host; any other field of a source may be a key.
HARMLESS = frozenset({"accept", "accept-language", "accept-encoding", "content-type", "user-agent"})
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_SECONDS = re.compile(r"[+-]?[0-9]+(?:\.[0-9]*)?")
_EXTENDED = re.compile(r"filename\*\s*=\s*\"?([A-Za-z0-9_.:-]*)'[^']*'([^;\s\"]*)", re.IGNORECASE)
_FILENAME = re.compile(r'filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"?|([^;]*))', re.IGNORECASE)


def outgoing(own: Iterable[tuple[str, str]], user_agent: str, body: bytes) -> dict[str, str]:
    """The fields to send, by name in lower case: ours, over them the source's `own`. What frames the message is not the source's
    to say and left out. Raises ValueError with a sentence, which never holds the value, for what cannot be sent."""
    fields = {name.lower(): value for name, value in _DEFAULTS} | {"user-agent": user_agent or USER_AGENT}
    if body:
        fields["content-type"] = "application/json" if body.lstrip()[:1] in (b"{", b"[") else "application/x-www-form-urlencoded"
    fields |= {name.lower(): value for name, value in own if name.lower() not in _FRAMING}
    for name, value in fields.items():
        if not _NAME.fullmatch(name) or _CONTROL.search(value):
            raise ValueError(f"header {name!r} holds a line break or another character that no header may have")
        fields[name] = value.strip().encode("utf-8").decode("latin-1")
    fields["accept-encoding"] = "gzip, deflate"
    return fields


def conditional(validators: Validators | None, now: datetime) -> dict[str, str]:
    """The fields that ask "only if it changed"; none where what we know is older than a day or not to be trusted."""
    if validators is None or validators.at is None or not timedelta(0) <= now - validators.at < TRUSTED:
        return {}
    fields = {"if-none-match": etag(validators.etag), "if-modified-since": http_date(validators.last_modified)}
    return {name: value for name, value in fields.items() if value}


def etag(value: str | None) -> str | None:
    """An ETag that can be sent back; None for garbage, for `*` (true of everything) and for the empty one (true for ever)."""
    bare = (value or "").strip()
    if not bare or len(bare) > 1024 or bare in ('""', 'W/""', "*") or not re.fullmatch(r"[\x21-\x7e\x80-\xff ]+", bare):
        return None
    return bare


def http_date(value: str | None) -> str | None:
    """The value if it is a date of HTTP or mail, else None."""
    bare = (value or "").strip()
    return bare if len(bare) <= 64 and bare.isprintable() and bare.isascii() and _moment(bare) else None


def retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds to wait as Retry-After asks (a number or a date; RFC 9110, section 10.2.3), within a day; None for garbage."""
    bare = (value or "").strip()
    if _SECONDS.fullmatch(bare):
        return min(max(float(bare), 0.0), _DAY)
    when = _moment(bare) if 0 < len(bare) <= 64 else None
    return min(max((when - now).total_seconds(), 0.0), _DAY) if when else None


def ahead(date: str | None, age: str | None, now: datetime) -> float | None:
    """By how many seconds `now` is later than a server's Date, with the time that the answer lay in a cache (RFC 9110, section
    6.6.1; RFC 9111, section 5.1). None where it tells no time, or one that no clock shows."""
    bare = (date or "").strip()
    when = _moment(bare) if 0 < len(bare) <= 64 else None
    if when is None or when.year < 2000:
        return None
    lay = int(age) if age and re.fullmatch(r"[0-9]{1,8}", age.strip(), re.ASCII) else 0
    return (now - when).total_seconds() - lay


def _moment(value: str) -> datetime | None:
    try:
        when = parsedate_to_datetime(value)
        return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def abroad(fields: Mapping[str, str]) -> dict[str, str]:
    """What of the fields goes along when a redirect leads to another host."""
    return {name: value for name, value in fields.items() if name in HARMLESS}


def filename(disposition: str | None) -> str | None:
    """The bare name of the file in Content-Disposition (RFC 6266), also as Chinese servers write it: raw UTF-8 or GBK,
    percent-encoded, or as in mail. No path, no control characters, 255 characters at most; None if there is none."""
    if not disposition:
        return None
    name = ""
    extended = _EXTENDED.search(disposition)
    if extended:
        name = unquote_to_bytes(extended[2]).decode(labels.codec(extended[1]) or "utf-8", "replace")
    elif found := _FILENAME.search(disposition):
        name = _as_meant(re.sub(r"\\(.)", r"\1", found[1]) if found[1] is not None else found[2])
    name = re.split(r"[/\\]", name)[-1]
    name = "".join(c for c in name if c.isprintable()).strip(" .\"'")
    return name[-255:] or None


def _as_meant(raw: str) -> str:
    """A name as http.client hands it (bytes read as Latin-1) in the writing of the server."""
    octets = raw.strip().encode("latin-1", "replace")
    if octets.isascii():
        if "=?" in raw:
            try:
                return str(email.header.make_header(email.header.decode_header(raw.strip())))
            except (HeaderParseError, LookupError, ValueError):
                return raw
        if "%" not in raw:
            return raw
        octets = unquote_to_bytes(raw.strip())
    return octets.decode(charset.detect(octets, "text/plain; charset=gbk") or "utf-8", "replace")


def location(raw: str) -> str:
    """A Location as http.client hands it, its bytes above ASCII and spaces percent-encoded, without control characters."""
    octets = re.sub(rb"[\x00-\x1f\x7f]", b"", raw.strip().encode("latin-1", "replace"))
    return re.sub(rb"[\x80-\xff ]", lambda found: b"%%%02X" % found[0][0], octets).decode("ascii")


def credentials(user: str | None, password: str | None) -> str | None:
    """The Authorization of `user:password@` in an address; None if there is none."""
    if user is None:
        return None
    pair = f"{unquote(user)}:{unquote(password or '')}"
    return "Basic " + base64.b64encode(pair.encode("utf-8")).decode("ascii")
