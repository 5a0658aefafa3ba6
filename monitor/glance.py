"""A config file at a glance: which one it is, and the little that a listing needs of it. It judges nothing: `config` does.

What a monitor works with was judged when it was read, and its database says so (`accepted`). A listing beside it needs neither
the secrets of the channels nor the time that judging takes.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from monitor import __version__
from monitor.errors import ConfigError

#: Where a file says nothing else.
DATABASE: Final = "monitor.db"
TIMEZONE: Final = "Asia/Shanghai"
LANGUAGE: Final = "zh"
#: Under this name a database keeps what was accepted last.
ACCEPTED = "config"


@dataclass(frozen=True, slots=True)
class Glance:
    """What a file says where it is right; `sources` are their names, and `accepted` is what the database holds if it is."""

    database: Path
    timezone: str
    language: str
    sources: tuple[str, ...]
    accepted: str


def find(explicit: str | None, environ: Mapping[str, str], cwd: Path, home: Path) -> Path:
    """The config file: what `--config` names, else `$MONITOR_CONFIG`, else the first of the usual places. Raises ConfigError,
    saying where it was looked for, if there is none."""
    named = (explicit, "--config") if explicit else (environ.get("MONITOR_CONFIG"), "MONITOR_CONFIG")
    if named[0]:
        path = cwd / Path(named[0]).expanduser()
        if not path.exists():
            raise ConfigError(f"there is no config file {path} ({named[1]}); `monitor init` writes one")
        return path
    places = [cwd / "monitor.toml", cwd / "config" / "monitor.toml", home / ".config" / "monitor" / "monitor.toml"]
    for place in places:
        if place.is_file():
            return place
    looked = ", ".join(map(str, places))
    raise ConfigError(f"there is no config file; looked for {looked}. `monitor init` writes one, --config names another")


def digest(raw: bytes) -> str:
    """The SHA-256 (hex) of a file's content."""
    return hashlib.sha256(raw).hexdigest()


def accepted(content: str) -> str:
    """What a database keeps of a file with this digest: another version of the program may judge otherwise."""
    return f"{__version__} {content}"


def database_of(folder: Path, written: str) -> Path:
    """Where the database of a file in `folder` is."""
    return folder / Path(written).expanduser()


def glance(path: Path) -> Glance | None:
    """None where a closer look is needed to say anything."""
    try:
        raw = path.read_bytes()
        whole = tomllib.loads(raw.decode("utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return None
    monitor, tables = whole.get("monitor", {}), whole.get("source", [])
    if not isinstance(monitor, dict) or not isinstance(tables, list):
        return None
    names = [_name(table) for table in tables]
    return Glance(
        database_of(path.parent.absolute(), str(monitor.get("database", DATABASE))),
        str(monitor.get("timezone", TIMEZONE)),
        str(monitor.get("language", LANGUAGE)),
        tuple(name for name in names if name),
        accepted(digest(raw)),
    )


def _name(table: Any) -> str:
    """A source has its own name, or that of its preset."""
    return str(table.get("id") or table.get("preset") or "") if isinstance(table, dict) else ""
