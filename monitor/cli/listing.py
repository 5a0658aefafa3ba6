"""`monitor sources`, `notices`, `changes`, `deliveries`: what is stored, filtered."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from monitor.cli import output
from monitor.cli.common import ID, place, reading, unknown
from monitor.cli.output import Column, terminal

if TYPE_CHECKING:
    from monitor.cli.common import Place
    from monitor.config import Config
    from monitor.store.lists import Filter

SOURCES = ("id", "kind", "url", "health", "last_check", "last_ok", "outcome", "error", "notices", "next_due")
NOTICES = (
    "id", "source", "key", "url", "title", "published", "first_seen", "last_seen", "state", "versions", "number", "issuers",
    "signed", "cves", "attachments", "same_as", "effective", "deadline", "severity", "facts",
)  # fmt: skip
CHANGES = ("id", "at", "kind", "source", "notice", "title", "url", "reason", "silence", "from_version", "to_version")
DELIVERIES = ("id", "change", "channel", "state", "attempts", "created_at", "due_at", "last_error", "sent_at")
#: Rows shown at a terminal where no limit is asked for.
AT_TERMINAL = 50


def since(text: str, zone: str, now: datetime) -> datetime:
    """A moment, a date in `zone`, or an age ("90m", "7d"). Raises a usage error."""
    units = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
    written = text.strip()
    try:
        if (age := re.fullmatch(r"(\d{1,9})([smhdw])", written)) is not None:
            return now - timedelta(**{units[age[2]]: int(age[1])})
        if len(written) == 10:
            moment = datetime.combine(date.fromisoformat(written), time())
        else:
            moment = datetime.fromisoformat(written)
        return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC)  # before everything
    except ValueError:
        raise click.UsageError(f'--since "{text}" is no time, date or age: 2026-01-08, 2026-01-08T10:00+08:00, 90m, 7d') from None


def filters(kinds: str | None, states: str, *, cursor: bool = True) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The options of every listing; `kinds` (None: it has none) and `states` say what theirs filter by; `cursor`: whether its
    rows can be had by id."""

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        options = [
            click.option("--json", "as_json", is_flag=True, help="One JSON object a line."),
            click.option("--limit", type=ID, help="At most so many rows (50 at a terminal, else all)."),
            click.option("--state", "states", multiple=True, help=f"Only these: {states}. Repeats."),
        ]
        if kinds is not None:
            options.append(click.option("--kind", "kinds", multiple=True, help=f"Only these: {kinds}. Repeats."))
        if cursor:
            said = "Rows with a greater id, oldest first: a cursor for scripts."
            options.append(click.option("--after", type=ID, metavar="ID", help=said))
        options += [
            click.option("--since", "since_", metavar="WHEN", help="From a time, a date or an age (90m, 7d) on."),
            click.option("--source", "sources", multiple=True, metavar="GLOB", help="Only these sources. Repeats."),
        ]
        for option in options:
            command = option(command)
        return click.pass_context(command)

    return add


def wanted(
    config: Config | Place, sources: tuple[str, ...], since_: str | None, states: tuple[str, ...], limit: int | None,
    as_json: bool, kinds: tuple[str, ...] = (), after: int | None = None,
) -> Filter:  # fmt: skip
    """What the options of a listing ask for. Raises a usage error."""
    from monitor.store.lists import Filter

    for name in sources:
        known_or_stored(config, name)
    if limit is None and terminal() and not as_json:
        limit = AT_TERMINAL
    moment = since(since_, config.timezone, datetime.now(UTC)) if since_ else None
    return Filter(sources, kinds, states, moment, after, limit)


def known_or_stored(config: Config | Place, name: str) -> None:
    """A usage error for the name of no source; a glob may match none, and a source that left the config may have history."""
    if name in config.sources or set(name) & set("*?["):
        return
    from monitor.store import lists

    stored = stored_rows(config, lists.source_ids)
    if name not in stored:
        raise unknown("source", name, [*config.sources, *stored])


def stored_rows(config: Config | Place, query: Callable[[Any], list[Any]]) -> list[Any]:
    """What a query finds; nothing where there is no database yet."""
    if not config.database.exists():
        return []
    with reading(config) as store, store.read() as conn:
        return query(conn)


def choice(given: tuple[str, ...], allowed: Sequence[str], option: str) -> None:
    for one in given:
        if one not in allowed:
            hint = get_close_matches(one, allowed, 1, 0.5)
            said = f' — did you mean "{hint[0]}"?' if hint else f"; it is one of: {', '.join(allowed)}"
            raise click.UsageError(f'--{option} "{one}" is unknown{said}')


def choice_of_kinds(given: tuple[str, ...]) -> None:
    """The same for kinds of source; which there are is looked up only where one is named."""
    if given:
        from monitor import sources

        choice(given, sources.names(), "kind")


def _listed(
    where: Place,
    each: Callable[[Any, Filter], Iterator[dict[str, Any]]],
    asked: Filter,
    columns: Sequence[Column],
    keys: Sequence[str],
    as_json: bool,
    shown: Callable[[dict[str, Any]], dict[str, Any]] = lambda row: row,
) -> list[dict[str, Any]]:
    """Show rows as they are read, however many there are; those that a person at a terminal sees, nothing for others."""
    if not where.database.exists():
        return []
    with reading(where) as store, store.read() as conn:
        rows = each(conn, asked)
        kept = list(rows) if terminal() and not as_json else []
        output.rows(rows if as_json else map(shown, kept or rows), columns, where.timezone, as_json=as_json, keys=keys)
    return kept


@click.command()
@filters("feed, list, page, …", "new, ok, failing, quiet, paused")
def sources(ctx: click.Context, as_json: bool, **given: Any) -> None:
    """List the sources of the configuration, in its order: health, last check, next one."""
    from monitor.model import Health
    from monitor.store import lists

    where = place(ctx)
    choice_of_kinds(given["kinds"])
    choice(given["states"], tuple(Health), "state")
    asked = wanted(where, **given, as_json=as_json)
    stored = stored_rows(where, lambda conn: lists.sources(conn, replace(asked, limit=None)))
    rows = {row["id"]: row for row in stored}
    if where.changed is not None:
        known = set(stored_rows(where, lists.source_ids))
        rows |= {row["id"]: row for row in _new(where.changed, asked) if row["id"] not in known}
    found = [rows[id_] for id_ in where.sources if id_ in rows][: asked.limit]
    columns = [
        Column("id", "SOURCE"), Column("health", "HEALTH"), Column("notices", "NOTICES"),
        Column("last_check", "LAST CHECK", time=True), Column("outcome", "OUTCOME"),
        Column("next_due", "NEXT", time=True), Column("error", "ERROR", wide=True),
    ]  # fmt: skip
    output.rows(found, columns, where.timezone, as_json=as_json, keys=SOURCES)
    for row in found if not as_json and terminal() else []:
        if row["asked_until"]:
            output.hint(f"{row['id']}: the server asked to wait until {output.local(row['asked_until'], where.timezone)}")
        if row["hint"]:
            output.hint(f"{row['id']}: {output.visible(row['hint'])}")


def _new(config: Config, wanted: Filter) -> list[dict[str, Any]]:
    """The sources of the config that a filter leaves, as if none was looked at so far."""
    if wanted.since is not None or (wanted.states and "new" not in wanted.states):
        return []
    blank: dict[str, Any] = dict.fromkeys((*SOURCES, "asked_until", "hint")) | {"health": "new", "notices": 0}
    return [
        blank | {"id": source.id, "kind": source.kind, "url": source.url}
        for source in config.sources.values()
        if source.enabled
        and (not wanted.sources or any(fnmatchcase(source.id, glob) for glob in wanted.sources))
        and (not wanted.kinds or source.kind in wanted.kinds)
    ]


@click.command()
@filters("of source: feed, list, page, …", "present, withdrawn")
def notices(ctx: click.Context, as_json: bool, **given: Any) -> None:
    """List notices, newest first."""
    from monitor.store import lists

    where = place(ctx)
    choice_of_kinds(given["kinds"])
    choice(given["states"], ("present", "withdrawn"), "state")
    asked = wanted(where, **given, as_json=as_json)
    columns = [
        Column("id", "ID"), Column("published", "PUBLISHED"), Column("source", "SOURCE"), Column("state", "STATE"),
        Column("versions", "V"), Column("title", "TITLE", wide=True),
    ]  # fmt: skip

    def shown(row: dict[str, Any]) -> dict[str, Any]:
        return row | {"published": output.local(row["published"], where.timezone)}

    if found := _listed(where, lists.each_notice, asked, columns, NOTICES, as_json, shown):
        output.hint(f"monitor show {found[0]['id']} shows one whole; monitor diff ID what changed in it")


@click.command()
@filters("new, revised, withdrawn, restored, gap, failing, recovered, note, reminder", "told, silenced")
def changes(ctx: click.Context, as_json: bool, **given: Any) -> None:
    """List changes, newest first."""
    from monitor.model import Kind
    from monitor.store import lists

    where = place(ctx)
    choice(given["kinds"], tuple(Kind), "kind")
    choice(given["states"], ("told", "silenced"), "state")
    asked = wanted(where, **given, as_json=as_json)
    columns = [
        Column("id", "ID"), Column("at", "AT", time=True), Column("kind", "KIND"), Column("source", "SOURCE"),
        Column("reason", "REASON"), Column("silence", "NOT TOLD"), Column("said", "WHAT", wide=True),
    ]  # fmt: skip

    def shown(row: dict[str, Any]) -> dict[str, Any]:
        return row | {"said": row["title"] or row["detail"]}

    if found := _listed(where, lists.each_change, asked, columns, CHANGES, as_json, shown):
        output.hint(f"monitor explain {found[0]['id']} says why it was or was not told")


@click.command()
@filters("of change: new, revised, …", "pending, sending, sent, refused, expired")
def deliveries(ctx: click.Context, as_json: bool, **given: Any) -> None:
    """List deliveries, newest first."""
    from monitor.model import DeliveryState, Kind
    from monitor.store import lists

    where = place(ctx)
    choice(given["kinds"], tuple(Kind), "kind")
    choice(given["states"], tuple(DeliveryState), "state")
    asked = wanted(where, **given, as_json=as_json)
    columns = [
        Column("id", "ID"), Column("change", "CHANGE"), Column("channel", "CHANNEL"), Column("state", "STATE"),
        Column("attempts", "TRIES"), Column("created_at", "SINCE", time=True), Column("due_at", "DUE", time=True),
        Column("sent_at", "SENT", time=True), Column("last_error", "ERROR", wide=True),
    ]  # fmt: skip
    found = _listed(where, lists.each_delivery, asked, columns, DELIVERIES, as_json)
    if any(row["state"] in ("refused", "expired") for row in found):
        output.hint("monitor retry puts refused and expired deliveries back")
