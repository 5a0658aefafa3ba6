"""What a site's robots.txt (RFC 9309) says of an address: shown by `monitor preview`, not enforced; nothing is crawled."""

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


def say(url: str, policy: FetchPolicy) -> None:
    """Look at robots.txt of the address's site: a refusal is a sentence on stderr, a permission a hint at a terminal."""
    from monitor.check.desk import utcnow
    from monitor.fetch import fetch
    from monitor.model import Fetched, Request

    parts = urlsplit(url)
    place = urlunsplit((parts.scheme, parts.netloc, "/robots.txt", "", ""))
    try:
        got = fetch(Request(place), policy, now=utcnow)
    except SourceError:
        return  # a site without robots.txt says nothing
    if not isinstance(got, Fetched) or "html" in got.media_type:
        return
    rules = RobotFileParser(place)
    rules.parse(got.text.splitlines())
    if rules.can_fetch(NAME, url):
        output.hint(f"{place} allows this address")
    else:
        output.warn(f"{place} asks programs not to fetch this address: decide whether you may, and look seldom")
