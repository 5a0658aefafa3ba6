"""Cookies that a browser got, for plain requests: which of them belong to a request (RFC 6265, section 5.4), and a pass as small
JSON and back. It sends nothing and reads no clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from monitor.model import Cookie, Pass

#: More cookies, or longer ones (characters in all), than any site needs are not kept.
MOST, LONGEST = 60, 16_384


def header(cookies: Iterable[Cookie], url: str, now: datetime, own: str = "") -> str:
    """The value of `Cookie` for a request; `own` are the source's, which win. "" for none."""
    parts = urlsplit(url)
    host, path = (parts.hostname or "").lower(), parts.path or "/"
    taken = {pair.partition("=")[0].strip() for pair in own.split(";")}
    fitting = [
        cookie
        for cookie in cookies
        if _for_host(cookie.domain, host)
        and _for_path(cookie.path, path)
        and (parts.scheme == "https" or not cookie.secure)
        and (cookie.expires is None or cookie.expires > now.timestamp())
        and cookie.name not in taken
    ]
    fitting.sort(key=lambda cookie: -len(cookie.path))
    pairs = [f"{cookie.name}={cookie.value}" for cookie in fitting]
    return "; ".join([*([own.strip()] if own.strip() else []), *pairs])


def _for_host(domain: str, host: str) -> bool:
    bare = domain.lower()
    return host == bare or (bare.startswith(".") and (host == bare[1:] or host.endswith(bare)))


def _for_path(path: str, asked: str) -> bool:
    return asked == path or (asked.startswith(path) and (path.endswith("/") or asked[len(path)] == "/"))


def kept(fresh: Iterable[Cookie], before: Iterable[Cookie] = (), hosts: Iterable[str] = ()) -> tuple[Cookie, ...]:
    """As many as are remembered: those that a browser got at `hosts`, and of those of before the ones of other hosts. What no
    header could carry is left out."""
    others = [cookie for cookie in before if not any(_for_host(cookie.domain, host) for host in hosts)]
    found: list[Cookie] = []
    length = 0
    for cookie in (*fresh, *others):
        length += len(cookie.name) + len(cookie.value)
        written = cookie.name + cookie.value
        if length <= LONGEST and len(found) < MOST and written.isprintable() and ";" not in written:
            found.append(cookie)
    return tuple(found)


def dump(given: Pass) -> dict[str, Any]:
    """A pass as JSON."""
    return {
        "how": given.how,
        "user_agent": given.user_agent,
        "cookies": [[c.name, c.value, c.domain, c.path, c.expires, c.secure] for c in given.cookies],
        "plain": list(given.plain),
        "unlike": {what: at.isoformat() for what, at in given.unlike},
    }


def load(found: Mapping[str, Any]) -> Pass:
    """The inverse of `dump`."""
    return Pass(
        how=found["how"],
        user_agent=found["user_agent"],
        cookies=tuple(Cookie(*fields) for fields in found["cookies"]),
        plain=tuple(found["plain"]),
        unlike=tuple((what, datetime.fromisoformat(at)) for what, at in found["unlike"].items()),
    )
