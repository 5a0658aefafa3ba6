"""The small languages of a config file: durations, sizes, clock times, windows, networks, names. Pure.

Each reader takes what the user wrote and raises ValueError with a sentence that says what was written and how it is written well.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Iterable
from datetime import time, timedelta
from decimal import Decimal
from functools import lru_cache
from urllib.parse import urlsplit

_DURATION = re.compile(r"(?:(\d{1,5})d)?(?:(\d{1,6})h)?(?:(\d{1,7})m)?(?:(\d{1,8}(?:\.\d{1,6})?)s)?", re.ASCII)
_LONGEST = timedelta(days=3660)
_SIZE = re.compile(r"(\d{1,12})\s?(B|kB|KB|MB|GB|KiB|kiB|MiB|GiB)", re.ASCII)
_UNITS = {"B": 1, "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "kiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)", re.ASCII)
#: An address about which there is no doubt.
_USUAL_ADDRESS = re.compile(r"https?://[a-z0-9.-]*[a-z0-9](?::[1-9][0-9]{0,3})?(?:/[^\s$]*)?", re.ASCII)
#: Whatever stands before the last @, but the scheme.
_LOGIN = re.compile(r"\A\s*((?:[A-Za-z][A-Za-z0-9+.-]*)?:?/{1,3})?.*@", re.DOTALL)
#: Names of sources and channels: no white space, no quotes, nothing that a glob or a URL query would read differently.
_NAME = re.compile(r"[^\W_][\w./:+-]{0,99}")


def close(word: str, known: Iterable[str]) -> list[str]:
    """The known word that is nearest, alone in a list; nothing where none is near."""
    return difflib.get_close_matches(word, list(known), n=1)


def nearest(word: str, known: Iterable[str]) -> str:
    """` — did you mean "url"?` for the nearest known word, else ""."""
    found = close(word, known)
    return f' — did you mean "{found[0]}"?' if found else ""


@lru_cache(maxsize=4096)
def duration(written: str) -> timedelta:
    """`30s`, `15m`, `1h30m`, `1d`, `0.5s`, `0s`: days, hours, minutes, seconds in this order, each at most once."""
    found = _DURATION.fullmatch(written)
    if found is None or not any(found.groups()):
        raise ValueError(f'"{written}" is not a duration; write for example "30s", "15m", "1h30m" or "1d"')
    days, hours, minutes = (int(part or 0) for part in found.groups()[:3])
    micros = int(Decimal(found[4] or 0) * 1_000_000)
    value = timedelta(days=days, hours=hours, minutes=minutes, microseconds=micros)
    if value > _LONGEST:
        raise ValueError(f'"{written}" is longer than ten years')
    return value


def duration_text(value: timedelta) -> str:
    """The shortest way to write a duration that is not negative; `duration` reads it back to the same."""
    seconds, micros = value.seconds, value.microseconds
    fraction = f".{micros:06d}".rstrip("0") if micros else ""
    parts = [(value.days, "d"), (seconds // 3600, "h"), (seconds // 60 % 60, "m")]
    written = "".join(f"{number}{unit}" for number, unit in parts if number)
    if seconds % 60 or micros or not written:
        written += f"{seconds % 60}{fraction}s"
    return written


def longer_than_zero(written: str) -> timedelta:
    """A duration above zero."""
    value = duration(written)
    if not value:
        raise ValueError(f'"{written}" must be longer than zero')
    return value


@lru_cache(maxsize=1024)
def size(written: str) -> int:
    """`10MiB`, `50MB`, `512kB` in bytes, above zero."""
    found = _SIZE.fullmatch(written)
    if found is None or int(found[1]) == 0:
        raise ValueError(f'"{written}" is not a size; write for example "512kB", "10MiB" or "50MB"')
    return int(found[1]) * _UNITS[found[2]]


def days(written: str) -> int:
    """`7d`: whole days, at most 999; `0d` is the day itself."""
    found = re.fullmatch(r"(\d{1,3})d", written, re.ASCII)
    if found is None:
        raise ValueError(f'"{written}" is not a number of days; write for example "7d"')
    return int(found[1])


def clock(written: str) -> time:
    """`09:00`, without seconds or time zone."""
    found = _CLOCK.fullmatch(written)
    if found is None:
        raise ValueError(f'"{written}" is not a time of day; write for example "09:00"')
    return time(int(found[1]), int(found[2]))


def window(written: str) -> tuple[time, time]:
    """`22:00-08:00`: from (included) and to (not included); it may go over midnight."""
    start, dash, end = written.partition("-")
    if not dash or not (_CLOCK.fullmatch(start.strip()) and _CLOCK.fullmatch(end.strip())):
        raise ValueError(f'"{written}" is not a span of hours; write for example "22:00-08:00"')
    span = clock(start.strip()), clock(end.strip())
    if span[0] == span[1]:
        raise ValueError(f'"{written}" begins and ends at the same minute')
    return span


def name(written: str) -> str:
    """An id: letters (Chinese too) and digits, and `. _ - / : +` after the first of them; at most 100."""
    if not _NAME.fullmatch(written):
        raise ValueError(
            f'"{written}" cannot be a name; use letters, digits, "-", "_", "." and "/", and begin with a letter or digit'
        )
    return written


def web_address(written: str) -> str:
    """An absolute http or https address without a user name or password."""
    if _USUAL_ADDRESS.fullmatch(written):  # ten times as fast, and nearly always so
        return written
    shown = without_login(written)
    try:
        parts = urlsplit(written)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError as error:
        raise ValueError(f'"{shown}" is not an address' + (f": {error}" if shown == written else "")) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_fine or re.search(r"\s", written):
        raise ValueError(f'"{shown}" is not a web address; it must begin with https:// or http://')
    if parts.username is not None or parts.password is not None:
        raise ValueError("the address carries a user name or password, and addresses are shown; put the secret into headers")
    if "${" in written:
        raise ValueError("${…} is not replaced here, because addresses are shown; put the secret into headers")
    return written


def without_login(address: str) -> str:
    """What was written for an address, without what may be a user name and a password in it, however it is mistyped."""
    return _LOGIN.sub(r"\1…@", address)


def private_item(written: str) -> str:
    """One entry of allow_private: a network, or host:port."""
    bare = written.strip()
    try:
        ipaddress.ip_network(bare.strip("[]"), strict=False)
    except ValueError:
        host, _, port = bare.rpartition(":")
        if not host or re.search(r"[\s/]", host) or not re.fullmatch(r"\d{1,5}", port) or not 0 < int(port) < 65536:
            raise ValueError(f'"{written}" is neither a network ("10.0.0.0/8") nor host:port ("nas.lan:8080")') from None
    return written


def is_inside(url: str, allow_private: Iterable[str]) -> bool:
    """Whether the address's host is allow_private's own: a literal address (or `localhost`, for 127.0.0.1) in one of its
    networks, or one of its host:port. Other names are outside, wherever they lead."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return False
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        address = None
    for item in allow_private:
        bare = item.strip().lower()
        try:
            network = ipaddress.ip_network(bare.strip("[]"), strict=False)
        except ValueError:
            named, _, named_port = bare.rpartition(":")
            if named.strip("[]") == host and named_port == str(port):
                return True
            continue
        if address is not None and address in network:
            return True
    return False
