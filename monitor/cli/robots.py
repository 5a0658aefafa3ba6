"""What a site's robots.txt (RFC 9309) says of an address: shown by `monitor preview` and `doctor`, not enforced; nothing
is crawled."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit
from urllib.robotparser import RobotFileParser

from monitor.cli import output
from monitor.errors import SourceError

if TYPE_CHECKING:
    from monitor.model import FetchPolicy

#: The name under which robots.txt may speak of us.
NAME = "monitor"
#: What a person does about a refusal.
REFUSED = "decide whether you may, and look seldom"


def rules(url: str, policy: FetchPolicy) -> RobotFileParser | None:
    """What robots.txt of the address's site says; None where there is none, or it cannot be had."""
    from monitor.check.desk import utcnow
    from monitor.fetch import fetch
    from monitor.model import Fetched, Request

    place = place_of(url)
    try:
        got = fetch(Request(place), policy, now=utcnow)
    except SourceError:
        return None  # a site without robots.txt says nothing
    if not isinstance(got, Fetched) or "html" in got.media_type:
        return None
    found = RobotFileParser(place)
    found.parse(got.text.splitlines())
    return found


def place_of(url: str) -> str:
    """Where robots.txt of the address's site is."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, "/robots.txt", "", ""))


def say(url: str, policy: FetchPolicy) -> None:
    """Look at robots.txt of the address's site: a refusal is a sentence on stderr, a permission a hint at a terminal."""
    found = rules(url, policy)
    if found is None:
        return
    if found.can_fetch(NAME, url):
        output.hint(f"{place_of(url)} allows this address")
    else:
        output.warn(f"{place_of(url)} asks programs not to fetch this address: {REFUSED}")
