"""A TOML document becomes a Config: tables are checked one by one, then what they say of each other. Every problem is collected.
It reads no file but those that `file:` references name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from fnmatch import fnmatchcase
from importlib.metadata import entry_points
from pathlib import Path as FilePath
from typing import Any, TypeVar

from monitor import glance, match, schedule
from monitor.config import values
from monitor.config.lines import Path
from monitor.config.models import ARRAYS, TABLES, ChannelTable, HttpTable, MonitorTable, RouteTable, keys
from monitor.config.problems import Problems, check
from monitor.config.secrets import Secrets, refers
from monitor.config.source import Defaults, Sources
from monitor.facts import BODIES, Bodies
from monitor.mask import Mask
from monitor.model import Channel, Kind, Source
from monitor.route import Route
from monitor.senders import ROBOTS, scheme
from monitor.senders.native import native

_Single = TypeVar("_Single", MonitorTable, HttpTable)
_SECRET_KEYS = {"monitor": ("heartbeat",), "http": ("proxy",), "channel": ("url", "endpoint")}


@dataclass(frozen=True, slots=True)
class Config:
    """A whole config file, checked. Sources and channels are in its order; `delay` is in seconds and may be below 1 only because
    allow_private names something (other hosts keep to 1 s); `secrets` are the values that `mask` masks, `secret_files` those
    that some of them came from, `holders` the tables in which others stand as they are; `digest` is the file's SHA-256 (hex)."""

    path: FilePath
    database: FilePath
    timezone: str
    language: str
    log: str
    log_format: str
    heartbeat: str = field(repr=False)
    give_up: timedelta
    alive: timedelta
    ocr: str
    delay: float
    per_host: int
    allow_private: tuple[str, ...]
    proxy: str = field(repr=False)
    sources: dict[str, Source] = field(repr=False)
    channels: dict[str, Channel] = field(repr=False)
    routes: tuple[Route, ...] = field(repr=False)
    bodies: Bodies = field(repr=False)
    secrets: frozenset[str] = field(repr=False)
    mask: Mask = field(repr=False, compare=False)
    secret_files: tuple[FilePath, ...]
    holders: tuple[str, ...]
    digest: str
    defaults: Defaults = field(repr=False)


class Builder:
    """Builds one document. `problems` is complete after `build`, and what `build` gave is to be used only if there are none."""

    def __init__(self, document: Mapping[str, Any], problems: Problems, secrets: Secrets) -> None:
        self._tables = _tables(document, problems)
        self._problems = problems
        self._secrets = secrets
        self.holders: list[str] = []  # whose secrets stand in the file itself

    def build(self, path: FilePath, digest: str) -> Config:
        """The config of the file at `path`."""
        defaults = self.defaults()
        sources = self._sources(defaults)
        channels = self._channels(defaults)
        routes = self._routes(list(sources), list(channels))
        monitor, http = defaults.monitor, defaults.http
        return Config(
            path=path,
            database=glance.database_of(path.parent, monitor.database),
            timezone=monitor.timezone,
            language=monitor.language,
            log=monitor.log,
            log_format=monitor.log_format,
            heartbeat=monitor.heartbeat,
            give_up=values.duration(monitor.give_up),
            alive=values.duration(monitor.alive),
            ocr=monitor.ocr,
            delay=values.duration(http.delay).total_seconds(),
            per_host=http.per_host,
            allow_private=tuple(http.allow_private),
            proxy=http.proxy,
            sources={name: source for name, source in sources.items() if source},
            channels={name: channel for name, channel in channels.items() if channel},
            routes=routes,
            bodies=BODIES.extended(monitor.issuers) if monitor.issuers else BODIES,
            secrets=self._secrets.values,
            mask=Mask(self._secrets.values),
            secret_files=tuple(self._secrets.files),
            holders=tuple(self.holders),
            digest=digest,
            defaults=defaults,
        )

    def defaults(self) -> Defaults:
        """[monitor] and [http]; the defaults stand for what is wrong with them."""
        known = Defaults(
            monitor=self._table("monitor", MonitorTable) or MonitorTable(), http=self._table("http", HttpTable) or HttpTable()
        )
        if known.monitor.every and known.monitor.cron is not None:
            self._problems.add(("monitor", "cron"), '[monitor]: "every" and "cron" exclude each other')
        if known.monitor.cron is not None:
            try:
                schedule.parse_cron(known.monitor.cron, known.monitor.timezone)
            except ValueError as error:
                self._problems.add(("monitor", "cron"), f'[monitor]: "cron": {error}')
        if values.duration(known.http.delay) < timedelta(seconds=1) and not known.http.allow_private:
            said = f'[http]: "delay" is "{known.http.delay}"; 1 second is the least, except for addresses inside allow_private'
            self._problems.add(("http", "delay"), said)
        return known

    def _table(self, name: str, model: type[_Single]) -> _Single | None:
        path, subject = (name,), f"[{name}]"
        given, broken = self._expanded(name, self._tables[name], path, subject)
        hidden = _SECRET_KEYS[name]
        for key in hidden:
            if isinstance(value := given.get(key), str):
                kept = self._secrets.literal_login(value) if key == "proxy" else self._secrets.literal_address(value)
                if kept and not refers(self._tables[name][key]):
                    self.holders.append(f"{subject} {key}")
        return check(model, given, self._problems, path, subject, known=keys(model), hidden=hidden, broken=broken)

    def _sources(self, defaults: Defaults) -> dict[str, Source | None]:
        """By id; None where one has problems, so that routes may still name it."""
        builder = Sources(defaults, self._problems, self._secrets)
        found: dict[str, Source | None] = {}
        first: dict[str, Path] = {}
        for number, given in enumerate(self._tables["source"]):
            name = given.get("id", given.get("preset"))
            path, subject = ("source", number), _subject("source", number, name)
            source = builder.build(given, path, subject)
            if self._is_taken(name, first, path, subject):
                continue
            if isinstance(name, str):
                found[name] = source
        self._too_often(builder.too_often, defaults)
        self.holders += builder.holders
        return found

    def _too_often(self, outside: list[str], defaults: Defaults) -> None:
        if outside:
            more = f" and {len(outside) - 1} more" if len(outside) > 1 else ""
            said = (
                f'[monitor]: "every" is "{defaults.monitor.every}"; 1 minute is the least, except for addresses inside '
                f'allow_private, and source "{outside[0]}"{more} is outside'
            )
            self._problems.add(("monitor", "every"), said)

    def _is_taken(self, name: object, first: dict[str, Path], path: Path, subject: str) -> bool:
        if not isinstance(name, str):
            return False
        if name in first:
            place = self._problems.line((*first[name], "id")) or self._problems.line(first[name])
            self._problems.add((*path, "id"), f"{subject}: this id is taken already, in line {place}; ids must differ")
            return True
        first[name] = path
        return False

    def _channels(self, defaults: Defaults) -> dict[str, Channel | None]:
        found: dict[str, Channel | None] = {}
        first: dict[str, Path] = {}
        for number, given in enumerate(self._tables["channel"]):
            name = given.get("id")
            path, subject = ("channel", number), _subject("channel", number, name)
            known, broken = self._expanded("channel", given, path, subject)
            hidden = _SECRET_KEYS["channel"]
            url = given.get("url")
            if isinstance(url, str) and not refers(url) and not url.lower().startswith("console:"):
                self.holders.append(subject)
            table = check(
                ChannelTable, known, self._problems, path, subject, known=keys(ChannelTable), hidden=hidden, broken=broken
            )
            if not self._is_taken(name, first, path, subject) and isinstance(name, str):
                found[name] = self._channel(table, defaults) if table else None
            if table:
                self._robots_own(table, path, subject)
        return found

    def _robots_own(self, table: ChannelTable, path: Path, subject: str) -> None:
        """What is said to a channel that does not heed it is a mistake that would stay silent."""
        name = scheme(native(table.url))
        if table.endpoint and name not in ROBOTS and not entry_points(group="monitor.senders", name=name):
            said = f'{subject}: "endpoint" is for robots only ({", ".join(sorted(ROBOTS))}); leave it out'
            self._problems.add((*path, "endpoint"), said)
        if table.format == "html" and name in ROBOTS:
            said = f'{subject}: "format" is "html", which no robot shows; write "markdown" or "text", or leave it out'
            self._problems.add((*path, "format"), said)

    def _channel(self, table: ChannelTable, defaults: Defaults) -> Channel:
        target = native(table.url)
        for written in {table.url, target}:
            self._secrets.literal_url(written)
        return Channel(
            id=table.id,
            target=target,
            endpoint=table.endpoint,
            format=table.format,
            limit=table.limit,
            rate=table.rate,
            group=table.group,
            language=table.language or defaults.monitor.language,
            timezone=table.timezone or defaults.monitor.timezone,
        )

    def _routes(self, sources: list[str], channels: list[str]) -> tuple[Route, ...]:
        found = []
        for number, given in enumerate(self._tables["route"]):
            path, subject = ("route", number), _subject("route", number, None)
            table = check(RouteTable, given, self._problems, path, subject, known=keys(RouteTable))
            if table is None:
                continue
            self._names(table, sources, channels, path, subject)
            if Kind.REMINDER in (table.kinds or ()) and not table.remind:
                said = f'{subject}: "kinds" names "reminder", but nothing says how long before: add remind = ["7d"]'
                self._problems.add((*path, "kinds"), said)
            found.append(
                Route(
                    name=subject,
                    sources=tuple(table.sources or ()),
                    kinds=tuple(table.kinds or ()),
                    match=self._query(table.match, path, subject),
                    channels=None if table.channels is None else tuple(table.channels),
                    go_on=table.go_on,
                    digest=values.clock(table.digest) if table.digest else None,
                    quiet=values.window(table.quiet) if table.quiet else None,
                    remind=tuple(values.days(ahead) for ahead in table.remind),
                )
            )
        return tuple(found)

    def _names(self, table: RouteTable, sources: list[str], channels: list[str], path: Path, subject: str) -> None:
        """What a route names must exist: a route for nothing is a mistake that would stay silent."""
        for glob in table.sources or ():
            if not any(fnmatchcase(name, glob) for name in sources):
                hint = values.nearest(glob, sources)
                self._problems.add((*path, "sources"), f'{subject}: "{glob}" names no source{hint}')
        for name in table.channels or ():
            if name not in channels:
                hint = values.nearest(name, channels)
                self._problems.add((*path, "channels"), f'{subject}: there is no channel "{name}"{hint}')

    def _query(self, written: str | None, path: Path, subject: str) -> match.Query | None:
        if written is None:
            return None
        try:
            return match.parse(written)
        except ValueError as error:
            self._problems.add((*path, "match"), f'{subject}: "match": {error}')
            return None

    def _expanded(self, table: str, given: Mapping[str, Any], path: Path, subject: str) -> tuple[dict[str, Any], set[str]]:
        """The table with secrets filled in, and the keys that were left out because theirs could not be."""
        known, broken = dict(given), set()
        for key in _SECRET_KEYS[table]:
            value = known.get(key)
            if isinstance(value, str):
                try:
                    known[key] = self._secrets.expand(value, url=True)
                except ValueError as error:
                    self._problems.add((*path, key), f'{subject}: "{key}": {error}')
                    broken.add(key)
                    del known[key]
        return known, broken


def _subject(table: str, number: int, name: object) -> str:
    return f'{table} "{name}"' if isinstance(name, str) and name else f"{table} {number + 1}"


def _tables(document: Mapping[str, Any], problems: Problems) -> dict[str, Any]:
    """The tables of the document by name, none missing; what is no table of ours is a problem."""
    tables: dict[str, Any] = {name: [] if name in ARRAYS else {} for name in TABLES}
    for name, value in document.items():
        if name not in TABLES:
            problems.add((name,), _stray(name, value))
        elif name in ARRAYS:
            if isinstance(value, list) and all(isinstance(one, dict) for one in value):
                tables[name] = value
            else:
                problems.add((name,), f"[[{name}]] is written with two brackets, once for each {name}")
        elif isinstance(value, dict):
            tables[name] = value
        else:
            problems.add((name,), f"[{name}] is one table, written with single brackets")
    return tables


def _stray(name: str, value: object) -> str:
    written = {table: f"[[{table}]]" if table in ARRAYS else f"[{table}]" for table in TABLES}
    if not isinstance(value, dict | list):
        home = next((table for table in TABLES if name in keys(TABLES[table])), None)
        return f'key "{name}" stands before any table' + (f"; it belongs under {written[home]}" if home else "")
    hint = next((f" — did you mean {written[table]}?" for table in TABLES if f'"{table}"' in values.nearest(name, TABLES)), "")
    return f"unknown table [{name}]{hint}"
