"""What `monitor doctor` finds out about this machine: SQLite, time zones, proxies, extras. It asks no source."""

from __future__ import annotations

import platform
import re
import socket
import sqlite3
import zoneinfo
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from monitor.cli.verdicts import Verdict

if TYPE_CHECKING:
    from monitor.config import Config

#: The name under which monitor is installed, and an extra that is not for users.
PACKAGE, DEVELOPMENT = "notice-monitor", "test"
#: SQLite before this lacks statements that are used here.
OLDEST = (3, 35, 0)
#: How long a proxy may take to take a connection, in seconds.
PROXY_DEADLINE = 5.0
_REQUIREMENT = re.compile(r"([A-Za-z0-9][\w.-]*)[^;]*;.*\bextra\s*==\s*[\"']([\w-]+)[\"']")


def python() -> Verdict:
    """Python and the system, for reports."""
    return Verdict("ok", f"Python {platform.python_version()} on {platform.system()} {platform.release()} ({platform.machine()})")


def sqlite(version: str = sqlite3.sqlite_version, threadsafety: int = sqlite3.threadsafety) -> Verdict:
    """SQLite, with the bugs that concern a write-ahead log, and what monitor does about them."""
    found = tuple(int(part) for part in version.split("."))
    if found < OLDEST:
        return Verdict("broken", f"SQLite {version} is too old", "use a Python with SQLite 3.35 or newer")
    if threadsafety == 0:
        return Verdict("broken", f"SQLite {version} was built for one thread only", "use a Python with another SQLite")
    if not wal_reset_is_mended(found):
        return Verdict(
            "ok",
            f"SQLite {version}; before 3.51.3 it can damage a database that two programs write, or checkpoint, at once: monitor"
            " is one writer, and its readers never checkpoint",
            "open the database with other programs for reading only: sqlite3 -readonly FILE, datasette -i FILE",
        )
    return Verdict("ok", f"SQLite {version}")


def wal_reset_is_mended(version: tuple[int, ...]) -> bool:
    """Whether a release has the mended write-ahead log: 3.51.3, and the branches that were mended, too."""
    return version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)


def time_zone(config: Config) -> Verdict:
    """Where the rules of the time zone come from. (That there are any, the configuration has been asked for already.)"""
    for folder in map(Path, zoneinfo.TZPATH):
        if (folder / config.timezone).is_file():
            return Verdict("ok", f"time zone {config.timezone}: the system's data{_release(folder)}")
    try:
        return Verdict("ok", f"time zone {config.timezone}: data of the package tzdata {metadata.version('tzdata')}")
    except metadata.PackageNotFoundError:
        return Verdict("warning", "time zone data: of unknown origin", "install the system's tzdata")


def _release(folder: Path) -> str:
    try:
        with (folder / "tzdata.zi").open(encoding="ascii", errors="replace") as file:
            found = re.match(r"# version (\w+)", file.readline())
    except OSError:
        return ""
    return f", release {found[1]}" if found else ""


def extras(requirements: Iterable[str] | None = None) -> Iterator[Verdict]:
    """Which optional parts are installed. They are looked for, not loaded."""
    if requirements is None:
        try:
            requirements = metadata.requires(PACKAGE) or []
        except metadata.PackageNotFoundError:
            yield Verdict("ok", "extras: not known, since monitor runs without having been installed")
            return
    wanted: dict[str, list[str]] = {}
    for line in requirements:
        if (found := _REQUIREMENT.match(line)) and found[2] != DEVELOPMENT:
            wanted.setdefault(found[2], []).append(found[1])
    for extra, packages in sorted(wanted.items()):
        absent = [name for name in packages if not _is_installed(name)]
        if absent:
            step = f"only if you want it: pip install '{PACKAGE}[{extra}]'"
            yield Verdict("ok", f"extra {extra}: not installed ({', '.join(absent)} missing)", step)
        else:
            yield Verdict("ok", f"extra {extra}: installed ({', '.join(packages)})")


def _is_installed(package: str) -> bool:
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        return False
    return True


def proxies(config: Config, environ: Mapping[str, str]) -> Iterator[Verdict]:
    """The proxies of the configuration, each asked for a connection; those of the environment, which sources do not use."""
    named = dict.fromkeys([config.proxy, *(source.policy.proxy for source in config.sources.values() if source.enabled)])
    for proxy in filter(None, named):
        yield _proxy(proxy)
    around = [name for name in ("http_proxy", "https_proxy", "all_proxy") if environ.get(name) or environ.get(name.upper())]
    if around:
        yield Verdict(
            "warning",
            f"{', '.join(around)} of the environment is used by channels through Apprise, not by sources",
            "for sources: `proxy` of [http]",
        )
    elif not any(named):
        yield Verdict("ok", "no proxy")


def _proxy(proxy: str) -> Verdict:
    parts = urlsplit(proxy)
    place = (parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
    shown = f"proxy {place[0]}:{place[1]}"
    try:
        socket.create_connection(place, PROXY_DEADLINE).close()
    except OSError as error:
        return Verdict("broken", f"{shown} takes no connection ({error.strerror or error})", "check `proxy`, and that it runs")
    return Verdict(
        "warning",
        f"{shown} takes connections; the address guard can only refuse names that resolve on this machine",
        "make sure that the proxy itself refuses private addresses",
    )
