"""`monitor doctor`: machine, configuration and database, each with a verdict and the next step. It asks no source."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli import output
from monitor.cli.common import DONE, FAILED, config_path, counted, terminal
from monitor.errors import ConfigError, InUse, MonitorError, SchemaError

if TYPE_CHECKING:
    from monitor.config import Config
    from monitor.model import Channel

#: A verdict: good | note | bad, what was found, what to do.
Verdict = tuple[str, str, str]
#: Free space below this is a problem.
SPACE = 256 * 1024 * 1024


@click.command()
@click.pass_context
def doctor(ctx: click.Context) -> int:
    """Look at machine, configuration and database; say what is wrong and what to do."""
    verdicts = [_python(), _sqlite()]
    config: Config | None = None
    try:
        from monitor import config as configs

        path = config_path(ctx)
        config = configs.load(path, os.environ)
        verdicts.append(
            ("good", f"{path}: {counted(len(config.sources), 'source')}, {counted(len(config.channels), 'channel')}", "")
        )
        verdicts += _config(config, path)
    except ConfigError as error:
        verdicts += [("bad", problem, "mend it, then: monitor validate") for problem in error.problems]
    if config is not None:
        verdicts += _database(config)
    for verdict, found, step in verdicts:
        _say(verdict, found, step)
    return FAILED if any(verdict == "bad" for verdict, _, _ in verdicts) else DONE


def _say(verdict: str, found: str, step: str) -> None:
    colour = {"good": "green", "note": "yellow", "bad": "red"}[verdict] if terminal() else None
    click.echo(f"{click.style(f'{verdict:<5}', fg=colour)} {output.visible(found)}")
    if step:
        click.echo(f"      → {output.visible(step)}")


def _python() -> Verdict:
    version = ".".join(map(str, sys.version_info[:3]))
    return ("good", f"Python {version} on {sys.platform}", "")


def _sqlite() -> Verdict:
    """SQLite before 3.51.3 can corrupt a WAL when a checkpoint races a second writer; monitor has one writer by its lock."""
    version = sqlite3.sqlite_version
    if sqlite3.sqlite_version_info < (3, 35):
        return ("bad", f"SQLite {version} is too old", "use a Python with SQLite 3.35 or newer")
    if sqlite3.sqlite_version_info < (3, 51, 3):
        return ("note", f"SQLite {version}: let no other program write to the database (a bug before 3.51.3)", "")
    return ("good", f"SQLite {version}", "")


def _config(config: Config, path: Path) -> Iterator[Verdict]:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o022:
        yield ("note", f"{path} can be changed by others (mode {mode:04o})", f"chmod go-w {path}")
    if config.proxy:
        yield (
            "note",
            "a proxy is configured: the address guard can only refuse names that resolve on this machine",
            "make sure that the proxy itself refuses private addresses",
        )
    for source in config.sources.values():
        if not source.policy.verify_tls:
            yield ("note", f"{source.id}: verify_tls = false: whoever is on the way can change what it says", "")
    if not config.channels:
        yield ("bad", "no channel: changes are stored and told nowhere", "add a [[channel]]")
    if not config.sources:
        yield ("bad", "no source: nothing is looked at", "add a [[source]]; monitor presets lists official ones")
    yield from _channels(config)


def _channels(config: Config) -> Iterator[Verdict]:
    """What each channel's service can do; where its library can make nothing of a channel, what is wrong with it."""
    from monitor import config as configs

    unusable = configs.check_channels(config)
    for said in unusable:
        yield ("bad", said, "mend its url, then: monitor validate")
    for channel in config.channels.values():
        if not any(f'channel "{channel.id}"' in said for said in unusable):
            yield _channel(channel)


def _channel(channel: Channel) -> Verdict:
    from monitor.senders import sender

    id_ = channel.id
    try:
        traits = sender(channel.target).traits(channel)
    except MonitorError as error:
        return ("bad", str(error), "mend its url, then: monitor validate")
    if not traits.verified:
        return ("note", f"channel {id_}: its service does not tell whether it accepted a message", f"monitor test {id_}")
    return ("good", f"channel {id_}: its service tells whether it accepted a message", f"monitor test {id_}")


def _database(config: Config) -> Iterator[Verdict]:
    path = config.database
    folder = path.parent
    if not folder.is_dir():
        yield ("bad", f"{folder} does not exist", f"mkdir -p {folder}")
        return
    free = shutil.disk_usage(folder).free
    yield (
        ("good", f"{free / 1e9:.1f} GB free in {folder}", "")
        if free > SPACE
        else ("bad", f"only {free / 1e6:.0f} MB free in {folder}", "free some space: checks need it")
    )
    if not os.access(folder, os.W_OK):
        yield ("bad", f"{folder} cannot be written", "check its owner and rights")
    if not path.exists():
        yield ("good", f"{path} does not exist yet", "monitor check makes it")
        return
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        yield ("note", f"{path} can be read by others (mode {mode:04o})", f"chmod 600 {path}")
    yield from _guarded(path, lambda: _inside(config))
    yield _running(config)


def _guarded(path: Path, look: Callable[[], list[Verdict]]) -> list[Verdict]:
    try:
        return look()
    except MonitorError as error:
        return [("bad", str(error), "" if isinstance(error, SchemaError) else "if that does not help: restore the newest backup")]


def _inside(config: Config) -> list[Verdict]:
    from monitor.cli.common import reading
    from monitor.store import lists

    with reading(config) as store, store.read() as conn:
        sound = store.damage()
        totals = lists.totals(conn)
    verdicts: list[Verdict] = [
        ("good", f"{config.database} is sound, {config.database.stat().st_size / 1e6:.1f} MB", "")
        if sound is None
        else ("bad", f"{config.database} is damaged: {sound}", "stop monitor, keep the file aside, restore the newest backup")
    ]
    if totals["failing"]:
        verdicts.append(("note", f"failing: {counted(totals['failing'], 'source')}", "monitor sources --state failing"))
    if totals["waiting"]:
        oldest = output.local(totals["oldest"], config.timezone)
        verdicts.append(
            ("note", f"{totals['waiting']} deliveries wait, the oldest since {oldest}", "monitor deliveries --state pending")
        )
    for state in ("refused", "expired"):
        if totals[state]:
            verdicts.append(("note", f"{totals[state]} deliveries {state}", "monitor retry puts them back"))
    return verdicts


def _running(config: Config) -> Verdict:
    from monitor.store.database import Lock

    lock = Lock(config.database)
    try:
        lock.take()
    except InUse as error:
        return ("good", f"the daemon is {error}", "")
    except MonitorError as error:
        return ("bad", str(error), "")
    lock.free()
    return ("note", "no daemon is running on this database", "monitor run")
