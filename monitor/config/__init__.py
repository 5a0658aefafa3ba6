"""The config file becomes a Config, or every problem at once with its file and line. It opens no database and asks no address.

`load` reads a file, `source_of` builds a single source outside of any file, `presets` is the catalogue.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from monitor import glance
from monitor.config import document
from monitor.config.build import Builder, Config
from monitor.config.catalogue import Preset, presets
from monitor.config.lines import Lines
from monitor.config.problems import Problems
from monitor.config.secrets import Secrets
from monitor.config.source import Defaults, Sources
from monitor.config.values import duration, duration_text, is_inside
from monitor.errors import ConfigError
from monitor.model import Source
from monitor.senders import scheme

__all__ = [
    "Config",
    "Preset",
    "check_channels",
    "duration",
    "duration_text",
    "is_inside",
    "load",
    "presets",
    "source_of",
]


def load(path: Path, environ: Mapping[str, str]) -> Config:
    """The config in a file, read once. Raises ConfigError with every problem."""
    raw = document.read(path)
    shown = _shown(path)
    content = document.decode(raw, shown)
    parsed = document.parse(content, shown)
    problems = Problems(shown, lambda: Lines(content))
    folder = path.parent.absolute()
    builder = Builder(parsed, problems, Secrets(environ, folder))
    config = builder.build(folder / path.name, glance.digest(raw))
    if loose := _loose_mode(path, builder.holders):
        problems.add((), loose)
    if problems:
        raise ConfigError(problems.sentences())
    return config


def source_of(table: Mapping[str, Any], config: Config | None = None, environ: Mapping[str, str] | None = None) -> Source:
    """A source that stands in no file, from the keys of a [[source]] table (for a look at a preset or an address); [monitor] and
    [http] are those of `config`, else the defaults. Raises ConfigError."""
    problems = Problems("", lambda: Lines(""))
    defaults = config.defaults if config else Defaults()
    folder = config.path.parent if config else Path.cwd()
    builder = Sources(defaults, problems, Secrets(environ or {}, folder))
    name = table.get("id") or table.get("preset") or "preview"
    source = builder.build({"id": name} | dict(table), (), f'source "{name}"')
    if problems or source is None:
        raise ConfigError(problems.sentences())
    return source


def check_channels(config: Config) -> list[str]:
    """A sentence for each channel of which its service's library can make nothing. Loads that library, so only for `validate` and
    `doctor`; sends nothing."""
    from monitor.senders.apprise import check_target

    problems = Problems(_shown(config.path), lambda: _lines(config.path))
    for number, (name, channel) in enumerate(config.channels.items()):  # they are in the order of the file
        if entry_points(group="monitor.senders", name=scheme(channel.target)):
            continue  # a third party's own service, which Apprise does not know
        if sentence := check_target(channel.target):
            problems.add(("channel", number, "url"), f'channel "{name}": {sentence}')
    return problems.sentences()


def _lines(path: Path) -> Lines:
    """The lines of a file that was read before; none where it is gone meanwhile."""
    try:
        return Lines(document.decode(document.read(path), _shown(path)))
    except ConfigError:
        return Lines("")


def _shown(path: Path) -> str:
    """The path as people say it: from the working directory where it lies below."""
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _loose_mode(path: Path, holders: list[str]) -> str | None:
    """A sentence if the file holds secrets and others may write it: whoever can change a channel can read what is sent there."""
    if not holders or os.name != "posix":
        return None
    mode = stat.S_IMODE(path.stat().st_mode)
    if not mode & (stat.S_IWGRP | stat.S_IWOTH):
        return None
    return (
        f"other users may write this file (mode {mode:04o}) and it holds the secrets of {', '.join(holders)}; "
        f"run `chmod go-w {path}`, or write them as ${{VAR}} or file:/path"
    )
