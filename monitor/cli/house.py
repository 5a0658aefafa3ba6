"""What `monitor doctor` finds out about the configuration's file, the database, the disk and the daemon. It asks no source."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.cli import output
from monitor.cli.common import counted
from monitor.cli.verdicts import Verdict
from monitor.errors import Damaged, InUse, MonitorError, SchemaError

if TYPE_CHECKING:
    from monitor.config import Config

#: Free space (bytes) below which it is told; a write-ahead log larger than this is.
SPACE, LARGE_LOG = 256 * 1024 * 1024, 256 * 1024 * 1024
#: A source that was due so long ago, and was not looked at, is told where a daemon runs.
OVERDUE = timedelta(minutes=15)
_RESTORE = "stop monitor, keep the file aside, put the newest backup in its place (docs/operations.md: Backup and restore)"


def configuration(config: Config) -> Iterator[Verdict]:
    """The file, who may read and change it, and what is odd in it."""
    numbers = ((len(config.sources), "source"), (len(config.channels), "channel"), (len(config.routes), "route"))
    yield Verdict("ok", f"{config.path}: {', '.join(counted(number, noun) for number, noun in numbers)}")
    yield from _rights(config.path, others=0o022, verb="changed", mend="go-w", owners=(0,))
    if config.holders:
        yield from _rights(
            config.path, others=0o044, verb="read", mend="go-r", holds=f", and holds secrets of {', '.join(config.holders)}"
        )
    for file in config.secret_files:
        yield from _rights(file, others=0o006, verb="read", mend="o-rwx", holds=", and holds a secret", owners=(0,))
    for source in config.sources.values():
        if not source.policy.verify_tls:
            yield Verdict("warning", f"{source.id}: verify_tls = false: whoever is on the way can change what it says")
    if not config.sources:
        yield Verdict("broken", "no source: nothing is looked at", "add a [[source]]; monitor presets lists official ones")
    if not config.channels:
        yield Verdict("broken", "no channel: changes are stored and told nowhere", "add a [[channel]]")
    yield _browser(config)
    yield _documents(config)


def _rights(path: Path, *, others: int, verb: str, mend: str, holds: str = "", owners: tuple[int, ...] = ()) -> Iterator[Verdict]:
    """Whether the file belongs to this user (or to one of `owners`), and others have none of the rights in `others`."""
    try:
        found = path.stat()
    except OSError as error:
        yield Verdict("broken", f"{path} cannot be looked at ({error.strerror})", "check the rights of its folder")
        return
    if others & 0o022 and found.st_uid not in (os.geteuid(), *owners):
        yield Verdict(
            "warning", f"{path} belongs to {_user(found.st_uid)}, who can change it", f"chown {_user(os.geteuid())} {path}"
        )
    mode = stat.S_IMODE(found.st_mode)
    if mode & others:
        yield Verdict("warning", f"{path} can be {verb} by others (mode {mode:04o}){holds}", f"chmod {mend} {path}")


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"


def _browser(config: Config) -> Verdict:
    """The browser that is found; where a source needs one that is not there, what is missing."""
    from monitor import browser
    from monitor.model import FetchPolicy

    wanting = [source for source in config.sources.values() if source.via == "browser"]
    policy = wanting[0].policy if wanting else FetchPolicy(browser=config.defaults.http.browser)
    said = browser.lacking(policy)
    if said is None:
        needed = f"for {counted(len(wanting), 'source')}" if wanting else "no source needs it"
        return Verdict("ok", f"browser: {browser.named(policy)}, {needed}")
    if not wanting:
        return Verdict("ok", 'no browser, and no source needs one (via = "browser")')
    named = ", ".join(source.id for source in wanting[:5])
    return Verdict("broken", f"{named}: {said}", f"install it, then: monitor preview {wanting[0].id}")


def _documents(config: Config) -> Verdict:
    """Whether attachments can be read, and what recognises words in pictures."""
    from monitor import documents
    from monitor.readers import files

    if not any(source.follow for source in config.sources.values()):
        return Verdict("ok", "attachments: no source follows its notices, so none are fetched")
    if files.missing("pdf", "xlsx", "doc", "image") is not None:
        return Verdict("warning", "attachments: only docx, OFD and saved pages are read", "install notice-monitor[docs]")
    engine = documents.engine(config.ocr)
    if engine is not None:
        return Verdict("ok", f"attachments are read; words in pictures by {engine.partition('/')[0]}")
    if config.ocr == "off":
        return Verdict("ok", 'attachments are read, but for words in pictures (ocr = "off")')
    said = "no OCR is installed" if config.ocr == "auto" else f"{config.ocr} is not installed"
    return Verdict("warning", f"attachments are read, but for words in pictures: {said}", documents.NO_OCR)


def database(config: Config) -> Iterator[Verdict]:
    """The disk, the file with its companions, what is in it, and who has it."""
    path = config.database
    folder = path.parent
    if not folder.is_dir():
        yield Verdict("broken", f"{folder}, the folder of the database, does not exist", f"mkdir -p {folder}")
        return
    yield _space(folder)
    if not os.access(folder, os.W_OK | os.X_OK):
        who = _user(os.geteuid())
        yield Verdict(
            "broken", f"{folder} cannot be written by {who}", "run monitor as the folder's owner, or name another `database`"
        )
    if not path.exists():
        yield Verdict("ok", f"{path} does not exist yet", "monitor check makes it")
        return
    yield from _files(path)
    yield from _guarded(lambda: list(_inside(config)))
    yield from _daemon(config)


def _space(folder: Path) -> Verdict:
    from monitor.store.space import LEAST

    free = shutil.disk_usage(folder).free
    if free < LEAST:
        found = f"only {free / 2**20:.0f} MiB free in {folder}: sources are not looked at below {LEAST // 2**20} MiB"
        return Verdict("broken", found, "free some space; nothing was lost")
    if free < SPACE:
        return Verdict("warning", f"only {free / 2**20:.0f} MiB free in {folder}", "free some space, before there is too little")
    return Verdict("ok", f"{free / 2**30:.1f} GiB free in {folder}")


def _files(path: Path) -> Iterator[Verdict]:
    """The database, its write-ahead log and its lock: one owner, and nobody else's to read."""
    names = [path.with_name(path.name + ending) for ending in ("", "-wal", "-shm", ".lock", ".sock")]
    files = [(file, file.stat()) for file in names if file.exists()]
    mine = os.geteuid()
    strange = {file.name: found.st_uid for file, found in files if found.st_uid != mine}
    if strange:
        listed = ", ".join(f"{name} to {_user(owner)}" for name, owner in strange.items())
        owner = _user(files[0][1].st_uid)
        step = (
            f"run every command as {owner}: sudo -u {owner} monitor …"
            if len(strange) == len(files)
            else f"give them one owner: chown {owner} {path}*"
        )
        usable = mine == 0 or all(os.access(file, os.R_OK | os.W_OK) for file, _ in files)
        yield Verdict("warning" if usable else "broken", f"you are {_user(mine)}; these belong to others: {listed}", step)
    for file, found in files:
        mode = stat.S_IMODE(found.st_mode)
        if mode & 0o077:
            yield Verdict("warning", f"{file} is open to others (mode {mode:04o})", f"chmod 600 {file}")
    log = path.with_name(path.name + "-wal")
    if log.exists() and log.stat().st_size > LARGE_LOG:
        size = f"{log.stat().st_size / 2**20:.0f} MiB"
        yield Verdict("warning", f"{log} has grown to {size}: another program keeps reading an old state", "close that program")


def _guarded(look: Callable[[], list[Verdict]]) -> list[Verdict]:
    try:
        return look()
    except MonitorError as error:
        advised = isinstance(error, SchemaError | Damaged)
        return [Verdict("broken", str(error), "" if advised else f"if that does not help: {_RESTORE}")]


def _inside(config: Config) -> Iterator[Verdict]:
    from monitor.cli.common import reading
    from monitor.store import lists

    with reading(config) as store, store.read() as conn:
        damage = store.damage()
        totals = lists.totals(conn)
        known = lists.sources(conn, lists.Filter())
    size = f"{config.database.stat().st_size / 2**20:.1f} MiB"
    if damage is not None:
        yield Verdict("broken", f"{config.database} is damaged: {damage}", _RESTORE)
        return
    yield Verdict("ok", f"{config.database} is sound, {size}")
    for state, step in (
        ("failing", "monitor sources --state failing"),
        ("quiet", "look at the sites: monitor sources --state quiet"),
    ):
        if ids := [row["id"] for row in known if row["health"] == state]:
            more = f" and {len(ids) - 5} more" if len(ids) > 5 else ""
            yield Verdict("warning", f"{state}: {counted(len(ids), 'source')}: {', '.join(ids[:5])}{more}", step)
    if totals["waiting"]:
        oldest = output.local(totals["oldest"], config.timezone)
        found = f"{counted(totals['waiting'], 'delivery')} waiting, the oldest since {oldest}"
        yield Verdict("warning", found, "monitor deliveries --state pending says why")
    for state in ("refused", "expired"):
        if totals[state]:
            step = f"monitor deliveries --state {state} says why; monitor retry puts them back"
            yield Verdict("warning", f"{counted(totals[state], 'delivery')} {state}", step)


def _daemon(config: Config) -> Iterator[Verdict]:
    """Whether a daemon has the database, answers, and looks at what is due."""
    from monitor.store.database import Lock

    lock = Lock(config.database)
    try:
        lock.take()
    except InUse as error:
        yield from _running(config, error)
        return
    except MonitorError as error:
        yield Verdict("broken", str(error))
        return
    lock.free()
    yield Verdict("warning", "no daemon is running on this database", "monitor run, or monitor check from time to time")


def _since(who: InUse) -> str:
    return f", pid {who.pid} since {who.since}" if who.pid else ""


def _running(config: Config, who: InUse) -> Iterator[Verdict]:
    from monitor import control
    from monitor.cli.common import reading
    from monitor.store import lists

    try:
        answers = control.ask(control.socket_path(config.database), {"command": "ping"}, timeout=10) is not None
    except control.NoAnswer:
        answers = False
    except MonitorError:  # it knows no such command: it answers
        answers = True
    if not answers:
        step = "if it is no `monitor check` that will end soon: its log says what it does; stop it and start it again"
        yield Verdict("warning", f"the database is in use{_since(who)}, but no daemon answers", step)
        return
    yield Verdict("ok", f"the daemon runs{_since(who)}")
    try:
        with reading(config) as store, store.read() as conn:
            due = {row["id"]: row["next_due"] for row in lists.sources(conn, lists.Filter()) if row["health"] != "paused"}
    except MonitorError:
        return  # told already
    before = (datetime.now(UTC) - OVERDUE).isoformat()
    late = [id_ for id_, at in due.items() if at and at < before]
    if late:
        found = f"{counted(len(late), 'source')} overdue for more than {OVERDUE.seconds // 60} minutes, {late[0]} among them"
        yield Verdict("warning", found, "its log says why: a full disk, a slow host, or many sources of one host")
