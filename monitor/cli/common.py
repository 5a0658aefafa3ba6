"""What the commands share: the configuration, the database for reading, exit codes, and errors as sentences on stderr."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import click

from monitor.cli import output
from monitor.errors import ConfigError, InUse, MonitorError, StoreError
from monitor.mask import Mask, Masked

if TYPE_CHECKING:
    from monitor.config import Config
    from monitor.glance import Glance
    from monitor.store import Store

DONE, FAILED, USAGE, IN_USE, UNUSABLE, INTERRUPTED = 0, 1, 2, 3, 4, 130
#: So many names are told where none is near; else the command that lists them.
FEW, LISTED = 8, {"source": "sources", "preset": "presets", "source or preset": "presets", "channel": "doctor"}
#: An id of a row: what SQLite can hold.
ID = click.IntRange(0, 2**63 - 1)


def guarded(command: click.Command, args: list[str] | None) -> int:
    """Run the command line; every error becomes a sentence on stderr and an exit code."""
    try:
        result = command.main(args, standalone_mode=False)
    except (KeyboardInterrupt, click.Abort):
        click.echo("\ninterrupted", err=True)
        return INTERRUPTED
    except click.ClickException as error:
        if type(error) is click.UsageError:  # a name of the user's own: how to call the command is no help there
            click.echo(error.message, err=True)
        else:
            error.show()
        return USAGE
    except ConfigError as error:
        for problem in error.problems:
            output.warn(problem)
        return USAGE
    except InUse as error:
        click.echo(str(error), err=True)
        return IN_USE
    except StoreError as error:
        click.echo(str(error), err=True)
        return UNUSABLE
    except MonitorError as error:
        click.echo(str(error), err=True)
        return FAILED
    except (BrokenPipeError, SystemExit):
        # Whoever read our output has gone (`monitor notices | head`; click and rich make a SystemExit of it): no further byte,
        # and no complaint at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except OSError as error:
        said = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        click.echo(said if error.errno != errno.ENOSPC else f"the disk is full, free some space ({said})", err=True)
        return FAILED
    return int(result) if isinstance(result, int) else DONE


class Fault:
    """What is said of an exception that nobody foresaw, as `sys.excepthook`: one sentence; the traceback where it was asked for.
    Secrets of the configuration are masked as soon as there is one."""

    def __init__(self, verbose: bool) -> None:
        self.verbose = verbose
        self.mask = Mask()
        if logging.lastResort is not None:  # what libraries warn of where no log was set up
            logging.lastResort.addFilter(Masked(self.mask))

    def __call__(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        said = f"a fault in monitor itself: {kind.__name__}: {error}\nplease report it, with what monitor -v says of the same"
        if self.verbose:
            said = "".join(traceback.format_exception(kind, error, trace)).rstrip()
        click.echo(self.mask(said), err=True)


def config_path(ctx: click.Context) -> Path:
    """Where the configuration is. Raises ConfigError, naming where it was looked for."""
    from monitor import glance

    return glance.find(ctx.find_root().obj["config"], os.environ, Path.cwd(), Path.home())


def load(ctx: click.Context) -> Config:
    """The configuration. Raises ConfigError with every problem."""
    from monitor import config

    found = config.load(config_path(ctx), os.environ)
    if isinstance(sys.excepthook, Fault):
        sys.excepthook.mask.add(found.secrets)
    return found


@dataclass(frozen=True, slots=True)
class Place:
    """What is needed to show what is stored: where it is, in what words, and the names of the sources; `changed`: the
    configuration, where the database does not know it yet."""

    database: Path
    timezone: str
    language: str
    sources: tuple[str, ...]
    changed: Config | None = None


def place(ctx: click.Context) -> Place:
    """Where what is stored is. A configuration that a monitor works with is not judged again. Raises ConfigError with every
    problem of another one."""
    from monitor import glance

    seen = glance.glance(config_path(ctx))
    if seen is not None and seen.database.exists() and _is_accepted(seen):
        return Place(seen.database, seen.timezone, seen.language, seen.sources)
    found = load(ctx)
    return Place(found.database, found.timezone, found.language, tuple(found.sources), found)


def _is_accepted(seen: Glance) -> bool:
    """Whether the last monitor on the database worked with this configuration."""
    from monitor.glance import ACCEPTED
    from monitor.store import Store, meta

    with Store(seen.database, writable=False) as store, store.read() as conn:
        return meta.value_of(conn, ACCEPTED) == seen.accepted


@contextlib.contextmanager
def reading(where: Config | Place) -> Iterator[Store]:
    """The database, for reading."""
    from monitor.store import Store

    with Store(where.database, writable=False) as store:
        yield store


def unknown(what: str, named: str, known: Sequence[str]) -> click.UsageError:
    """Exit 2, with the nearest name."""
    known = list(dict.fromkeys(known))
    near = get_close_matches(named, known, 1, 0.5)
    if near:
        return click.UsageError(f'no {what} "{named}" — did you mean "{near[0]}"?')
    if not known:
        there = "the configuration has none"
    else:
        there = f"there is {', '.join(known)}" if len(known) <= FEW else f"monitor {LISTED[what]} lists them"
    return click.UsageError(f'no {what} "{named}": {there}')


def source_ids(config: Config, named: Sequence[str]) -> list[str]:
    """The sources that are named, or every enabled one, in config order. Raises a usage error for one that is unknown or off."""
    for name in named:
        if name not in config.sources:
            raise unknown("source", name, list(config.sources))
        if not config.sources[name].enabled:
            raise click.UsageError(f'source "{name}" is off (enabled = false in {config.path}): switch it on first')
    return [id_ for id_, source in config.sources.items() if (id_ in named if named else source.enabled)]


def ask(config: Config, **question: Any) -> dict[str, Any] | None:
    """What the daemon on this database answers; None where there is none. Exit 3 where it does not answer in time."""
    from monitor import control

    try:
        answer = control.ask(control.socket_path(config.database), question)
    except control.NoAnswer as error:
        raise InUse(str(error)) from error
    return None if answer is None else dict(answer)


def counted(number: int, noun: str) -> str:
    """A number with its noun: "1 source", "2 sources", "3 deliveries"."""
    if number == 1:
        return f"{number} {noun}"
    return f"{number} {noun[:-1]}ies" if noun.endswith("ry") else f"{number} {noun}s"


def browserless(config: Config) -> list[str]:
    """A sentence for each source that wants a browser where none can be had."""
    wanting = [source for source in config.sources.values() if source.via == "browser"]
    if not wanting:
        return []
    from monitor import browser

    lacking = {source.id: browser.lacking(source.policy) for source in wanting}
    return [f'{config.path}: source "{id_}": {said}' for id_, said in lacking.items() if said]


def is_free(file: Path) -> bool:
    """Whether a file may be written here: it is not there yet and its folder is. Says on stderr why not."""
    said = ""
    if file.exists():
        said = f"{file} exists already and is not overwritten: name another file, or move that one away"
    elif not file.absolute().parent.is_dir():
        said = f"{file}: there is no folder {file.absolute().parent}: make it first"
    if said:
        click.echo(said, err=True)
    return not said
