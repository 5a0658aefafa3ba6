"""An address for a person who looks: its answer, and what that suggests, confirmed by asking further. Nothing is stored."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from monitor.cli import output
from monitor.errors import FetchError, SourceError

if TYPE_CHECKING:
    from monitor.discover import Suggestion
    from monitor.model import Fetched, FetchPolicy, Request

#: Further addresses that are asked for one page, at most; and steps of one suggestion.
FURTHER, STEPS = 6, 3
#: The name of a browser, for sites that refuse all others; what the catalogue gives for such a site.
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"


def fetched(request: Request, policy: FetchPolicy) -> Fetched:
    """The answer, whatever was known before. Raises SourceError."""
    from monitor.check.desk import utcnow
    from monitor.fetch import fetch
    from monitor.model import Fetched

    got = fetch(replace(request, validators=None), policy, now=utcnow)
    assert isinstance(got, Fetched)  # without validators nothing is "not modified"
    return got


def fetched_somehow(request: Request, policy: FetchPolicy) -> tuple[Fetched, FetchPolicy]:
    """The answer, and the policy it came by: a site that says 403 to monitor's own name is asked once more with a browser's."""
    try:
        return fetched(request, policy), policy
    except FetchError as error:
        if error.status != 403 or policy.user_agent:
            raise
        named = replace(policy, user_agent=BROWSER)
        return fetched(request, named), named


def confirmed(found: list[Suggestion], policy: FetchPolicy) -> list[Suggestion]:
    """The suggestions that show rows: what one has yet to ask is asked. Of the units of one page, the first with rows is enough;
    so is any list for what only a script names."""
    sure: list[Suggestion] = []
    asked = 0
    for one in found:
        if one.ask is None:
            sure.append(one)
        elif asked < FURTHER and not any(other.rows and other.kind == one.kind for other in sure):
            asked += 1
            if (done := _completed(one, policy)) is not None:
                sure.append(done)
    return sure


def _completed(suggestion: Suggestion, policy: FetchPolicy) -> Suggestion | None:
    from monitor import discover

    one: Suggestion | None = suggestion
    for _ in range(STEPS):
        if one is None or one.ask is None:
            return one
        try:
            one = discover.completed(one, fetched(one.ask, policy))
        except SourceError as error:
            output.warn(f"{suggestion.ask.url if suggestion.ask else suggestion.url}: {suggestion.why}, but: {error.message}")
            return None
    return None
