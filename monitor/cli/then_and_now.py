"""`monitor doctor SOURCE`: what a source saw when it was well and what it sees now, which selector finds what, which would fit.

It asks for the list as a check would, stores nothing and sends nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from statistics import median
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

import click

from monitor import browser, decide, sandbox, sources, text, urls
from monitor.check import passes
from monitor.check.desk import Desk, utcnow
from monitor.cli import output, robots
from monitor.cli.common import DONE, FAILED, counted
from monitor.cli.diagnosis import differing
from monitor.cli.finding import fetched
from monitor.cli.output import terminal
from monitor.cli.selectors import Examined, shared
from monitor.cli.selectors import examine as examined
from monitor.cli.steps import step_for
from monitor.cli.trials import desk_of, known
from monitor.cli.verdicts import Verdict, show, summary
from monitor.errors import Challenge, FetchError, SourceError
from monitor.look import LIGHT, weight
from monitor.mask import Mask
from monitor.model import Fetched, Listing, when_text
from monitor.store import lists, notices

if TYPE_CHECKING:
    from monitor.config import Config
    from monitor.model import Request, Source
    from monitor.store.sources import Row

T = TypeVar("T")

#: Titles that are shown of a list, steps that are taken to one, notices by which a list is known again.
TITLES, STEPS, KNOWN = 3, 3, 500


@dataclass(slots=True)
class _Now:
    """What came: the answers of each step, the rows of the last, or the error instead of them."""

    answers: list[tuple[Fetched, float]] = field(default_factory=list)
    listing: Listing | None = None
    error: SourceError | None = None


def examine(config: Config, source: Source) -> int:
    """Look at one source and say all that helps to mend it. Exit 1 where it is broken."""
    with desk_of(config) as desk:
        row = known(desk, source)
        keys, titles = _known(desk, source)
        click.secho(f"{source.id}: {source.kind}, {source.url}", bold=terminal())
        _print(config.mask, "then", _then(desk, source, row))
        now = _look(desk, source, row)
        found: Examined | None = None
        if now.answers:
            found = _examined(source, now.answers[-1][0], keys, titles)
        _print(config.mask, "now", _said(config, now, found))
        verdicts = list(_verdicts(desk, source, row, now, found, keys, titles))
    shown = show("Verdict", [replace(one, found=config.mask(one.found), step=config.mask(one.step)) for one in verdicts])
    if found is not None:
        names = [match.key for match in found.matches]
        shown += show("What its selectors find", _matches(config.mask, found), names)
        _print(config.mask, "would fit now", _fits(source, now, found, keys, titles))
    click.echo()
    click.echo(summary(shown))
    return FAILED if any(verdict.mark == "broken" for verdict in shown) else DONE


def _print(mask: Mask, heading: str, lines: Iterator[str]) -> None:
    for number, line in enumerate(lines):
        if not number:
            click.secho(heading.capitalize(), bold=terminal())
        click.echo("  " + mask(output.visible(line)))


def _known(desk: Desk, source: Source) -> tuple[frozenset[str], frozenset[str]]:
    """The keys and the folded titles of the newest notices of the source."""
    with desk.store.read() as conn:
        rows = lists.notice_rows(conn, lists.Filter((_glob(source.id),), limit=KNOWN))
    return frozenset(row["key"] for row in rows), frozenset(text.fold(row["title"]) for row in rows)


def _glob(id_: str) -> str:
    """An id as a pattern that means itself alone."""
    return "".join(f"[{character}]" if character in "*?[" else character for character in id_)


# --- then


def _then(desk: Desk, source: Source, row: Row) -> Iterator[str]:
    """The last check that went well, the first rows of that list, and since when it fails."""
    zone = desk.config.timezone
    with desk.store.read() as conn:
        good = lists.last_good(conn, source.id)
        rows = [notices.row(conn, mark.notice) for mark in row.memory.order[:TITLES]]
        failing = [one for one in lists.sources(conn, lists.Filter((_glob(source.id),))) if one["error"]]
    if good is None:
        yield "it was never looked at well" if row.failures else "it was never looked at"
    else:
        usual = f", usually {median(row.memory.counts):g}" if row.memory.counts else ""
        yield f"last well {output.local(good['until'], zone)}: {counted(good['rows'], 'row')}{usual}"
        for one in rows:
            if one is not None:
                yield _row(one["published"], one["title"], zone)
    if row.failures is not None and failing:
        since = output.local(row.failures.since.isoformat(), zone)
        yield f"failing since {since}, {counted(row.failures.count, 'check')}: {failing[0]['error']}"


def _row(published: str | None, title: str, zone: str) -> str:
    return f"  {output.local(published, zone) or 'undated':<10}  {output.visible(title)}"


# --- now


def _look(desk: Desk, source: Source, row: Row) -> _Now:
    """The steps to the list, as a check takes them, with the answers kept."""
    now = _Now()
    passes.recall(desk, source, row.state)
    try:
        request = sources.kind(source.kind).begin(source, passes.without(row.state), utcnow())
        for _ in range(STEPS):
            started = monotonic()
            with desk.pace.turn(urls.host(request.url)):
                got = _answer(source, passes.handed(desk, source, request))
            now.answers.append((got, monotonic() - started))
            now.listing = _worked_out(_parsed, source, got)
            if now.listing.last_step or now.listing.next is None:
                break
            request = now.listing.next
    except SourceError as error:
        now.error, now.listing = error, None
    return now


def _worked_out(work: Callable[..., T], source: Source, got: Fetched, *more: object) -> T:
    """Pure work on an answer; on a heavy one in a child. Raises ParseError."""
    if weight(got) <= LIGHT:
        return work(source, got, *more)
    return sandbox.run(work, source, got, *more)


def _parsed(source: Source, got: Fetched) -> Listing:
    return sources.kind(source.kind).parse(source, got)


def _answer(source: Source, request: Request) -> Fetched:
    """The whole answer, by the way that the source is asked. Raises SourceError."""
    if request.via != "browser":
        return fetched(request, source.policy)
    request = replace(request, validators=None)
    deadline = source.policy.deadline
    seen = browser.visit(request, source.policy, timezone=source.schedule.timezone, seconds=lambda: deadline)
    if seen.body is None:
        return fetched(request, source.policy)
    got = browser.fetched(request, source.policy, seen, utcnow())
    assert isinstance(got, Fetched)  # without validators nothing is "not modified"
    return got


def _examined(source: Source, got: Fetched, keys: frozenset[str], titles: frozenset[str]) -> Examined | None:
    try:
        return _worked_out(examined, source, got, keys, titles)
    except SourceError:
        return None  # what takes too long or too much to be parsed, which the look has said


def _said(config: Config, now: _Now, found: Examined | None) -> Iterator[str]:
    """What came: status, type, size, title, rows; or the error, and the shield if one answered."""
    for number, (got, seconds) in enumerate(now.answers, 1):
        step = f"step {number}: " if len(now.answers) > 1 else ""
        kind = f"{got.media_type or 'of an unknown type'}, {len(got.body):,} bytes in {seconds:.1f} s"
        title = f", titled “{found.title}”" if found is not None and found.title and number == len(now.answers) else ""
        led = f", from {got.url}" if urls.identity(got.url) != urls.identity(got.request.url) else ""
        yield f"{step}HTTP {got.status}, {kind}{title}{led}"
    error = now.error
    if error is not None:
        yield error.message
        if isinstance(error, FetchError) and error.page:
            yield f"the page that came with it is titled “{error.page}”"
    yield f"shield: {error.shield}" if isinstance(error, Challenge) else "shield: none was recognised"
    if now.listing is not None:
        yield counted(len(now.listing.notices), "row")
        for notice in now.listing.notices[:TITLES]:
            yield _row(when_text(notice.published), notice.title, config.timezone)
        if now.listing.next is not None:
            yield f"page 2: {now.listing.next.url}"


def _verdicts(
    desk: Desk,
    source: Source,
    row: Row,
    now: _Now,
    found: Examined | None,
    keys: frozenset[str],
    titles: frozenset[str],
) -> Iterator[Verdict]:
    """What a check would make of it, and what robots.txt says."""
    if now.error is not None:
        yield Verdict("broken", now.error.message, step_for(now.error, source.id))
        if now.error.reason not in ("dns", "refused", "unreachable", "connect", "timeout", "no browser"):
            yield from _robots(desk, source)
        return
    assert now.listing is not None
    rows = now.listing.notices
    doubt, _ = decide.too_short(source, row.memory, len(rows), decide.list_print(rows), utcnow())
    odd = now.listing.odd
    if odd is not None or doubt is not None:
        said = odd.said if odd else doubt or ""
        reason = odd.reason if odd else "short" if rows else "empty"
        step = step_for(SourceError(said, reason=reason), source.id)
        if found is not None and found.common > shared(rows, keys, titles):
            step = f"the site was rebuilt: write the lines below into {source.id}, then: monitor check {source.id}"
        yield Verdict("broken", said, step)
    elif keys and rows and not shared(rows, keys, titles):
        step = f"if that is right: monitor check {source.id} stores a new baseline; else correct the selectors or `url`"
        yield Verdict("warning", "none of these rows is known: another list?", step)
    else:
        common = f", {shared(rows, keys, titles)} of them known" if keys else ""
        yield Verdict("ok", f"a check would take this: {counted(len(rows), 'row')}{common}")
    for problem in now.listing.problems if rows else ():  # without rows, the selectors below say the same
        yield Verdict("warning", problem)
    yield from _robots(desk, source)


def _robots(desk: Desk, source: Source) -> Iterator[Verdict]:
    with desk.pace.turn(urls.host(source.url)):
        rules = robots.rules(source.url, source.policy)
    place = robots.place_of(source.url)
    if rules is None:
        yield Verdict("ok", f"{place}: there is none, or it says nothing")
    elif rules.can_fetch(robots.NAME, source.url):
        yield Verdict("ok", f"{place} allows this address")
    else:
        yield Verdict("warning", f"{place} asks programs not to fetch this address", robots.REFUSED)


def _matches(mask: Mask, found: Examined) -> Iterator[Verdict]:
    for match in found.matches:
        first = f"; the first: {match.first}" if match.first else ""
        yield Verdict("ok" if match.well else "warning", mask(f"{match.written}  {match.found}{first}"), "", match.key)


def _fits(source: Source, now: _Now, found: Examined, keys: frozenset[str], titles: frozenset[str]) -> Iterator[str]:
    """The lines to paste where the source itself sees nothing, or nothing that is known."""
    rows = now.listing.notices if now.listing is not None else ()
    if rows and (not keys or shared(rows, keys, titles) >= found.common):
        return
    fits = found.fits
    if fits is None or fits.listing is None:
        yield "nothing on it looks like a list of notices"
        return
    known_ = f"{found.common} of them known by address or title" if found.common else "none of them known"
    yield f"{fits.why}: {known_ if keys else 'nothing is known to compare them with'}; write into {source.id}:"
    for line in differing(source, fits, now.answers[-1][0]):
        yield f"    {line}"
