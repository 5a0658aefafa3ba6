"""`monitor preview`, `check`, `run`: looking at sources."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from monitor.cli import output, robots
from monitor.cli.common import DONE, FAILED, ask, counted, load, source_ids, terminal, unknown
from monitor.cli.output import Column
from monitor.errors import MonitorError, SourceError

if TYPE_CHECKING:
    from monitor.config import Config
    from monitor.model import Notice, Source

CHECK = ("source", "outcome", "new", "revised", "withdrawn", "error", "elapsed_ms")
PREVIEW = ("key", "title", "url", "published")


# --- check


@click.command()
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a source.")
@click.pass_context
def check(ctx: click.Context, sources: tuple[str, ...], as_json: bool) -> int:
    """Check sources now, due or not, read their pages, deliver what is due.

    Without names: all sources, but for those whose server asked to wait. With a daemon on this database, it does the work.
    """
    from monitor.daemon.logs import set_up

    config = load(ctx)
    ids = source_ids(config, sources)
    set_up(config, level="debug" if ctx.find_root().obj["verbose"] else "error")
    if not config.sources:
        output.warn(f"{config.path} has no source: add a [[source]]; monitor presets lists official ones")
    ids = ids if sources else _not_asked_to_wait(config, ids)
    # Scripts read stdout as JSON: what a console channel prints goes beside it.
    aside = contextlib.redirect_stdout(sys.stderr) if as_json else contextlib.nullcontext()
    with aside, _progress(len(ids), as_json) as advance:
        found = _by_daemon(config, ids, advance)
        if found is None:
            found = _by_ourselves(config, ids, advance)
    reports = {report["source"]: report for report in found["reports"]}
    return _show(config, [reports[id_] for id_ in ids if id_ in reports], found, as_json)


def _not_asked_to_wait(config: Config, ids: list[str]) -> list[str]:
    from monitor.cli.listing import stored_rows
    from monitor.store import lists

    now = datetime.now(UTC).isoformat()
    rows = stored_rows(config, lambda conn: lists.sources(conn, lists.Filter()))
    waiting = {row["id"]: row["asked_until"] for row in rows if row["asked_until"] and row["asked_until"] > now}
    paused = {row["id"] for row in rows if row["health"] == "paused"}
    for id_ in ids:
        if id_ in waiting:
            output.warn(
                f"{id_}: its server asked to wait until {output.local(waiting[id_], config.timezone)}; name it to check it now"
            )
        elif id_ in paused:
            output.warn(f"{id_}: paused; monitor resume {id_}")
    return [id_ for id_ in ids if id_ not in waiting and id_ not in paused]


class _progress:  # noqa: N801 - a context manager that is used like a function
    """A bar at a terminal for more than a few sources; nothing else."""

    def __init__(self, total: int, as_json: bool) -> None:
        self._bar: Any = None
        if total > 3 and terminal() and not as_json:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

            self._bar = Progress(
                TextColumn("checking"), BarColumn(), MofNCompleteColumn(), console=Console(stderr=True), transient=True
            )
            self._task = self._bar.add_task("check", total=total)

    def __enter__(self) -> Callable[[int], None]:
        if self._bar is not None:
            self._bar.start()
        return self._advance

    def _advance(self, done: int) -> None:
        if self._bar is not None:
            self._bar.update(self._task, completed=done)

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()


def _by_daemon(config: Config, ids: Sequence[str], advance: Callable[[int], None]) -> Mapping[str, Any] | None:
    """The result of the running daemon; None where there is none. Exit 3 where it does not answer in 30 s."""
    answer = ask(config, command="check", sources=list(ids))
    return None if answer is None else _result(config, answer["ticket"], advance)


def _result(config: Config, ticket: int, advance: Callable[[int], None]) -> Mapping[str, Any]:
    """What the daemon's checks of a ticket gave, once they are done."""
    while True:
        result = ask(config, command="result", ticket=ticket)
        if result is None:
            raise MonitorError("the daemon stopped meanwhile: run monitor check again")
        if result["done"]:
            return result
        advance(len(result["reports"]))
        time.sleep(0.2)


def _by_ourselves(config: Config, ids: Sequence[str], advance: Callable[[int], None]) -> Mapping[str, Any]:
    """The same without a daemon: this process takes the database's lock."""
    from monitor.daemon import Loops
    from monitor.daemon.asked import report_json, sent_json

    done: list[str] = []

    def progress(report: Any) -> None:
        done.append(report.source)
        advance(len(done))

    loops = Loops(config, only=ids)
    try:
        found = loops.check_now(ids, progress)
    except KeyboardInterrupt:
        output.warn("stopping when the looks under way have ended; Ctrl-C again stops at once")
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        raise
    finally:
        loops.close()
    return {
        "reports": [report_json(report) for report in found.reports],
        "sent": [sent_json(sent) for sent in found.sent],
        "remaining": found.remaining,
    }


def accepted(config: Config, ticket: int) -> int:
    """Wait for the check that the daemon takes after `accept`, and show it."""
    found = _result(config, ticket, lambda _: None)
    return _show(config, found["reports"], found, False)


def _show(config: Config, reports: Sequence[Mapping[str, Any]], found: Mapping[str, Any], as_json: bool) -> int:
    """Say what each check gave, what was sent, what remains; the exit code."""
    for report in reports:
        if as_json:
            click.echo(json.dumps({key: report[key] for key in CHECK}, ensure_ascii=False))
        else:
            _say(config, report)
    unsent = [sent for sent in found["sent"] if sent["error"]]
    if not as_json:
        sent = sum(len(one["deliveries"]) for one in found["sent"] if not one["error"])
        if sent:
            click.echo(f"{sent} {'delivery' if sent == 1 else 'deliveries'} sent")
        if found["remaining"]:
            pages = "1 page is" if found["remaining"] == 1 else f"{found['remaining']} pages are"
            click.echo(f"{pages} still to be read: the daemon reads them, or the next monitor check")
    for one in unsent:
        output.warn(f"channel {one['channel']}: not sent: {one['error']} — it stays owed; see monitor deliveries")
    return FAILED if unsent or any(report["outcome"] == "failed" for report in reports) else DONE


def _say(config: Config, report: Mapping[str, Any]) -> None:
    """One line a source, for people."""
    id_ = report["source"]
    due = output.local(report["next_due"], config.timezone)
    today = output.local(datetime.now(UTC).isoformat(), config.timezone)[:10]
    next_look = f"next look {due.removeprefix(today).strip()}"
    if report["outcome"] == "failed":
        click.secho(f"{id_}: failed: {output.visible(report['error'])}; {next_look}", fg="red" if terminal() else None)
        if report["hint"]:
            click.echo(f"  {output.visible(report['hint'])}")
        return
    if report["outcome"] == "baseline":
        newest = f"; newest: {output.visible(report['newest'])}" if report["newest"] else ""
        said = f"{counted(report['rows'], 'notice')} stored as the baseline, nothing told{newest}"
    elif report["outcome"] == "changed":
        told = [f"{report[kind]} {kind}" for kind in ("new", "revised", "withdrawn") if report[kind]]
        said = ", ".join(told) or "changed; see monitor changes"
    else:
        said = f"unchanged, {counted(report['rows'], 'notice')}"
    click.echo(f"{id_}: {said}; {next_look}")
    for problem in report["problems"]:
        click.echo(f"  {output.visible(problem)}")


# --- run


@click.command()
@click.pass_context
def run(ctx: click.Context) -> int:
    """Run the daemon, in the foreground; logs go to stderr. Ctrl-C or SIGTERM stop it, SIGHUP reads the configuration again."""
    from monitor.daemon import run as run_daemon
    from monitor.daemon.logs import set_up

    config = load(ctx)
    set_up(config, level="debug" if ctx.find_root().obj["verbose"] else config.log)
    for source in config.sources.values():
        if not source.policy.verify_tls:
            logging.getLogger("monitor").warning(
                "%s: verify_tls = false: whoever is on the way can change what it says", source.id
            )
    run_daemon(config, os.environ)
    return DONE


# --- preview


@click.command()
@click.argument("what", metavar="SOURCE|PRESET|URL")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a row.")
@click.option("--routes", is_flag=True, help="For each row: which route would take it, to which channels, and why.")
@click.pass_context
def preview(ctx: click.Context, what: str, as_json: bool, routes: bool) -> int:
    """Look once at a source, show the rows it would see, store nothing.

    For an address: find the feed or list there, and print a [[source]] to paste.
    """
    from monitor import sources
    from monitor.check.desk import utcnow
    from monitor.look import look
    from monitor.model import Listing

    if what.startswith(("http://", "https://")):
        return _address(ctx, what, as_json, routes)
    config, source = _which(ctx, what)
    if routes and config is None:
        raise click.UsageError("--routes needs a configuration: monitor init writes one")
    try:
        request = sources.kind(source.kind).begin(source, {}, utcnow())
        looked = look(source, request, utcnow)
        while isinstance(looked.result, Listing) and not looked.result.last_step and looked.result.next is not None:
            looked = look(source, looked.result.next, utcnow)
    except SourceError as error:
        output.warn(f"{source.id}: {error.message}")
        if hint := getattr(error, "hint", ""):
            output.warn(hint)
        return FAILED
    assert isinstance(looked.result, Listing)
    rows = [_row(notice) for notice in looked.result.notices]
    routed = [_routed(config, notice) for notice in looked.result.notices] if routes and config is not None else []
    for row, routing in zip(rows, routed, strict=False):
        row["routes"] = routing
    zone = config.timezone if config else "Asia/Shanghai"
    shown = rows if as_json else [row | {"published": output.local(row["published"], zone)} for row in rows]
    columns = [Column("published", "PUBLISHED"), Column("title", "TITLE", wide=True), Column("url", "URL")]
    output.rows(shown, columns, zone, as_json=as_json, keys=(*PREVIEW, "routes") if routed else PREVIEW)
    for problem in looked.result.problems:
        output.warn(f"{source.id}: {problem}")
    if not as_json:
        _say_routes(rows)
    if not rows:
        output.warn(f"{source.id}: no rows" + (", which allow_empty says is right" if source.allow_empty else ""))
        return DONE if source.allow_empty else FAILED
    output.hint(f"{counted(len(rows), 'row')} in {looked.elapsed:.1f} s; nothing was stored")
    if not as_json:
        robots.say(source.url, source.policy)
    return DONE


def _address(ctx: click.Context, url: str, as_json: bool, routes: bool) -> int:
    """What an address could be a source of; a configuration is only asked for what it allows."""
    from monitor.cli.address import preview_address
    from monitor.errors import ConfigError

    if routes:
        raise click.UsageError("--routes is for a source of the configuration: paste the [[source]] into it first")
    try:
        config = load(ctx)
    except ConfigError:
        config = None
    return preview_address(url, config, as_json=as_json)


def _row(notice: Notice) -> dict[str, Any]:
    from monitor.model import when_text

    return {"key": notice.key, "title": notice.title, "url": notice.url, "published": when_text(notice.published)}


def _which(ctx: click.Context, what: str) -> tuple[Config | None, Source]:
    """A source of the config, or a preset (which needs no config)."""
    from monitor import config as configs
    from monitor.errors import ConfigError

    presets = list(configs.presets())
    try:
        config: Config | None = load(ctx)
    except ConfigError:
        if what not in presets:
            raise
        config = None
    if config is not None and what in config.sources:
        return config, config.sources[what]
    if what in presets:
        return config, configs.source_of({"preset": what}, config, os.environ)
    raise unknown("source or preset", what, [*(config.sources if config else ()), *presets])


def _routed(config: Config, notice: Notice) -> dict[str, Any]:
    """What the routes would do with a row, were it new: channels with their route, or the silence; every route tried."""
    from monitor.match import Subject
    from monitor.model import Kind
    from monitor.route import route

    fields = {
        "source": notice.source_id,
        "kind": "new",
        "title": notice.title,
        "text": notice.text if notice.text is not None else notice.summary,
        "url": notice.url or "",
    } | dict(notice.labels)
    routing = route(Kind.NEW, Subject(fields), config.routes, tuple(config.channels), datetime.now(UTC), config.timezone)
    return {
        "channels": [{"channel": planned.channel, "route": planned.route} for planned in routing.deliveries],
        "silence": routing.silence,
        "tried": [{"route": tried.route, "matched": tried.matched, "reason": tried.reason} for tried in routing.tried],
    }


def _say_routes(rows: Sequence[Mapping[str, Any]]) -> None:
    for row in rows:
        if routing := row.get("routes"):
            to = ", ".join(f"{one['channel']} by {one['route']}" for one in routing["channels"])
            to = to or f"not told: {routing['silence']}"
            click.echo(f"{output.visible(row['title'])}: {to}")
            for tried in routing["tried"]:
                word = "matched" if tried["matched"] else "not matched"
                click.echo(f"  {tried['route']}: {word}: {output.visible(tried['reason'])}")
