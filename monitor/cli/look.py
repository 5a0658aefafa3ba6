"""`monitor check`, `run`: looking at sources."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from monitor.cli import output
from monitor.cli.common import DONE, FAILED, ask, counted, load, source_ids
from monitor.cli.output import terminal
from monitor.errors import MonitorError, OldSchema

if TYPE_CHECKING:
    from monitor.config import Config

CHECK = ("source", "outcome", "new", "revised", "withdrawn", "error", "elapsed_ms")


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
    with aside, progress(len(ids), as_json) as advance:
        found = _by_daemon(config, ids, advance)
        if found is None:
            found = _by_ourselves(config, ids, advance)
    reports = {report["source"]: report for report in found["reports"]}
    paused = _paused(config) if sources else frozenset()
    return _show(config, [reports[id_] for id_ in ids if id_ in reports], found, as_json, paused)


def _paused(config: Config) -> frozenset[str]:
    from monitor.cli.listing import stored_rows
    from monitor.store import lists

    rows = stored_rows(config, lambda conn: lists.sources(conn, lists.Filter(states=("paused",))))
    return frozenset(row["id"] for row in rows)


def _not_asked_to_wait(config: Config, ids: list[str]) -> list[str]:
    from monitor.cli.listing import stored_rows
    from monitor.schedule import LONGEST_WAIT
    from monitor.store import Store, lists

    def stored() -> list[dict[str, Any]]:
        return stored_rows(config, lambda conn: lists.sources(conn, lists.Filter()))

    now, longest = datetime.now(UTC).isoformat(), (datetime.now(UTC) + LONGEST_WAIT).isoformat()
    try:
        rows = stored()
    except OldSchema:
        Store(config.database).close()  # brought up to date
        rows = stored()
    waiting = {row["id"]: row["asked_until"] for row in rows if now < (row["asked_until"] or "") < longest}
    paused = {row["id"] for row in rows if row["health"] == "paused"}
    for id_ in ids:
        if id_ in waiting:
            output.warn(
                f"{id_}: its server asked to wait until {output.local(waiting[id_], config.timezone)}; name it to check it now"
            )
        elif id_ in paused:
            output.warn(f"{id_}: paused, so not looked at; monitor resume {id_} ends that, or name it to look once")
    return [id_ for id_ in ids if id_ not in waiting and id_ not in paused]


class progress:  # noqa: N801 - a context manager that is used like a function
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


def _show(
    config: Config,
    reports: Sequence[Mapping[str, Any]],
    found: Mapping[str, Any],
    as_json: bool,
    paused: Collection[str] = (),
) -> int:
    """Say what each check gave, what was sent, what remains; the exit code."""
    from monitor.check.failed import NO_NETWORK

    for report in reports:
        if as_json:
            click.echo(json.dumps({key: report[key] for key in CHECK}, ensure_ascii=False))
        else:
            _say(config, report, paused=report["source"] in paused)
    failed = [report["source"] for report in reports if report["outcome"] == "failed"]
    if failed and (as_json or not terminal()):  # for whom only looks at stderr: cron
        output.warn(f"{len(failed)} of {counted(len(reports), 'source')} failed: {', '.join(failed)}; monitor sources says why")
    if len(reports) > 1 and all(report["reason"] in NO_NETWORK for report in reports):
        output.warn("none of them can be reached: this machine seems to be offline; check its network, name server and `proxy`")
    elif failed and not as_json:
        output.hint("monitor doctor SOURCE shows what a source saw when it was well, and sees now")
    unsent = [sent for sent in found["sent"] if sent["error"]]
    if not as_json:
        sent = sum(len(one["deliveries"]) for one in found["sent"] if not one["error"])
        if sent:
            click.echo(f"{sent} {'delivery' if sent == 1 else 'deliveries'} sent")
        if found["remaining"]:
            pages = "1 page is" if found["remaining"] == 1 else f"{found['remaining']} pages are"
            click.echo(f"{pages} still to be read: the daemon reads them, or the next monitor check")
    for one in unsent:
        output.warn(f"channel {one['channel']}: not sent: {one['error']} — monitor deliveries shows what becomes of it")
    return FAILED if unsent or failed else DONE


def _say(config: Config, report: Mapping[str, Any], *, paused: bool) -> None:
    """One line a source, for people."""
    id_ = report["source"]
    due = output.local(report["next_due"], config.timezone)
    today = output.local(datetime.now(UTC).isoformat(), config.timezone)[:10]
    next_look = "it stays paused" if paused else f"next look {due.removeprefix(today).strip()}"
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
