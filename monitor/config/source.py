"""One [[source]] table becomes a Source: its preset filled in, its kind's own keys told apart, what is inherited inherited. It
asks no address, and judges tables one by one; what two sources must not share is looked at in `build`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any

from pydantic import BaseModel

from monitor import schedule, sources
from monitor.config import models, values
from monitor.config.catalogue import presets
from monitor.config.lines import Path
from monitor.config.models import HttpTable, MonitorTable, SourceTable
from monitor.config.problems import Problems, check
from monitor.config.secrets import Secrets, refers
from monitor.errors import PluginError
from monitor.mask import SHORTEST
from monitor.model import PAGE_HEADERS, FetchPolicy, ReadPolicy, Schedule, Source

#: Keys whose values may hold secrets: `${VAR}` and `file:` are replaced there, and no sentence repeats the value.
SECRET_KEYS = ("headers", "body", "proxy")
_POLICY_KEYS = frozenset({"deadline", "max_bytes", "max_attachment", "proxy", "verify_tls", "user_agent", "encoding", "busy"})
_COMMON = frozenset(models.keys(SourceTable))
DEFAULT_EVERY = "15m"
_CANONICAL = json.JSONEncoder(ensure_ascii=True, sort_keys=True, separators=(",", ":"))
_RECHECK = tuple(map(values.duration, models.RECHECK))
_MINUTE = timedelta(minutes=1)
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Defaults:
    """What sources and channels take unless they say otherwise."""

    monitor: MonitorTable = field(default_factory=MonitorTable)
    http: HttpTable = field(default_factory=HttpTable, repr=False)


@dataclass(slots=True)
class Sources:
    """Builds sources one after another; `too_often` collects those that must not have the interval of [monitor], `holders` those
    whose secrets stand in the file itself."""

    defaults: Defaults
    problems: Problems
    secrets: Secrets
    too_often: list[str] = field(default_factory=list)
    holders: list[str] = field(default_factory=list)
    _plain_policy: FetchPolicy = field(init=False)

    def __post_init__(self) -> None:
        self._plain_policy = self._own_policy(SourceTable())

    def build(self, given: Mapping[str, Any], path: Path, subject: str) -> Source | None:
        """The source; None where too much is wrong with it, which the problems then say."""
        merged = self._with_preset(given, path, subject)
        if merged is None:
            return None
        kind = self._kind(merged, path, subject)
        own = _own_keys(kind) if kind else _own_keys_of_all()
        meant = self._unknown_keys(merged, own, path, subject)
        with self.secrets.noted() as own_secrets:
            merged, broken = self._expanded(merged, path, subject)
        common = {key: value for key, value in merged.items() if key in _COMMON}
        table = check(SourceTable, common, self.problems, path, subject, known=(), hidden=SECRET_KEYS, broken=broken)
        for key in ("id", "url"):
            if key not in merged and key not in meant:
                self.problems.add(path, f'{subject}: "{key}" is missing')
        if table is None:
            return None
        plan = self._schedule(table, path, subject)
        if table.body and table.method != "POST":
            self.problems.add((*path, "body"), f'{subject}: "body" needs method = "POST"')
        self._page_headers(table, path, subject)
        if kind is None:
            return None
        mine = {key: value for key, value in merged.items() if key in own}
        options = check(sources.kind(kind).Options, mine, self.problems, path, subject, known=own, broken=meant)
        if options is None:
            return None
        made = self._source(kind, table, options, plan, own_secrets)
        self._agreed(made, path, subject)
        return made

    def _agreed(self, made: Source, path: Path, subject: str) -> None:
        """What the kind says of its options beside the keys that every source has."""
        problems = getattr(sources.kind(made.kind), "problems", None)
        for key, said in (problems(made) if problems is not None else {}).items():
            self.problems.add((*path, key), f'{subject}: "{key}": {said}')

    def _with_preset(self, given: Mapping[str, Any], path: Path, subject: str) -> dict[str, Any] | None:
        """The table over the keys of its preset. `every` and `cron` replace each other."""
        wanted = given.get("preset")
        if not isinstance(wanted, str):
            return dict(given)
        found = presets().get(wanted)
        if found is None:
            hint = values.nearest(wanted, presets()) or "; see `monitor presets`"
            self.problems.add((*path, "preset"), f'{subject}: there is no preset "{wanted}"{hint}')
            return None
        own = dict(found.keys)
        if "every" in given or "cron" in given:
            own = {key: value for key, value in own.items() if key not in ("every", "cron")}
        return {"id": found.name} | own | dict(given)

    def _kind(self, merged: Mapping[str, Any], path: Path, subject: str) -> str | None:
        name = merged.get("kind")
        if not isinstance(name, str):
            if name is None:
                listed = ", ".join(sources.names())
                self.problems.add(path, f'{subject}: "kind" is missing; write one of {listed}, or name a preset')
            return None
        try:
            sources.kind(name)
        except PluginError as error:
            known = sources.names()
            said = str(error) if name in known else f'there is no kind "{name}"{values.nearest(name, known)}'
            self.problems.add((*path, "kind"), f"{subject}: {said}")
            return None
        return name

    def _unknown_keys(self, merged: Mapping[str, Any], own: frozenset[str], path: Path, subject: str) -> set[str]:
        """Tells of them; the keys that they were probably meant to be."""
        meant: set[str] = set()
        for key in merged.keys() - _COMMON - own:
            owner = next((name for name in sources.BUILT_IN if key in _own_keys(name)), None)
            near = [] if owner else values.close(key, [*_COMMON, *own])
            hint = f'; it belongs to kind = "{owner}"' if owner else values.nearest(key, near)
            self.problems.add((*path, key), f'{subject}: unknown key "{key}"{hint}')
            meant.update(near)
        return meant

    def _expanded(self, merged: dict[str, Any], path: Path, subject: str) -> tuple[dict[str, Any], set[str]]:
        """The table with secrets filled in, and the keys that were left out because theirs could not be."""
        broken: set[str] = set()
        if merged.keys().isdisjoint(SECRET_KEYS):
            return merged, broken
        found = dict(merged)
        for key in SECRET_KEYS:
            value = merged.get(key)
            try:
                if isinstance(value, str):
                    found[key] = self.secrets.expand(value, url=key == "proxy")
                    holds = self.secrets.literal_login if key == "proxy" else self.secrets.literal_body
                    self._holds(subject, value, holds(found[key]))
                elif key == "headers" and isinstance(value, dict):
                    found[key] = {name: self._header(name, one, path, subject) for name, one in value.items()}
            except ValueError as error:
                self.problems.add((*path, key), f'{subject}: "{key}": {error}')
                broken.add(key)
                del found[key]
        return found, broken

    def _header(self, name: str, value: Any, path: Path, subject: str) -> Any:
        if not isinstance(value, str):
            return value
        try:
            self._holds(subject, value, self.secrets.literal_header(name, expanded := self.secrets.expand(value)))
        except ValueError as error:
            self.problems.add((*path, "headers", name), f'{subject}: "headers", "{name}": {error}')
            return ""
        return expanded

    def _holds(self, subject: str, written: str, secret: bool) -> None:
        """Remember that a secret stands in the file itself."""
        if secret and not refers(written) and subject not in self.holders:
            self.holders.append(subject)

    def _source(self, kind: str, table: SourceTable, options: BaseModel, plan: Schedule, own_secrets: set[str]) -> Source:
        monitor = self.defaults.monitor
        policy = self._policy(table)
        with self.secrets.noted() as of_proxy:
            self.secrets.literal_login(policy.proxy)
        recheck = _RECHECK if table.follow else ()
        if table.recheck is not None:
            recheck = tuple(map(values.duration, table.recheck))
        return Source(
            id=table.id or "",
            kind=kind,
            url=table.url or "",
            schedule=plan,
            tags=table.tags,
            options=options,
            enabled=table.enabled,
            follow=table.follow,
            pages=table.pages,
            backfill=table.backfill,
            since=values.duration(table.since),
            complete=table.complete,
            allow_empty=table.allow_empty,
            recheck=recheck,
            same=table.same,
            pictures=table.pictures,
            fallback=table.fallback,
            method=table.method,
            body=table.body,
            headers=tuple(table.headers.items()),
            secrets=frozenset(secret for secret in own_secrets | of_proxy if len(secret) >= SHORTEST),
            via=table.via,
            hold=values.duration(table.hold or monitor.hold),
            failing_after=values.duration(table.failing_after or monitor.failing_after),
            reading=ReadPolicy(table.select, table.ignore, table.ignore_text),
            policy=policy,
            workers=table.workers,
            how=how(kind, table, options),
        )

    def _policy(self, table: SourceTable) -> FetchPolicy:
        if not table.model_fields_set & _POLICY_KEYS:
            return self._plain_policy
        return self._own_policy(table)

    def _own_policy(self, table: SourceTable) -> FetchPolicy:
        http = self.defaults.http
        return FetchPolicy(
            deadline=values.duration(table.deadline or http.deadline).total_seconds(),
            max_bytes=values.size(table.max_bytes or http.max_bytes),
            max_attachment=values.size(table.max_attachment),
            allow_private=tuple(http.allow_private),
            proxy=http.proxy if table.proxy is None else table.proxy,
            verify_tls=table.verify_tls,
            busy=tuple(table.busy),
            user_agent=http.user_agent if table.user_agent is None else table.user_agent,
            encoding=table.encoding,
            browser=http.browser,
        )

    def _page_headers(self, table: SourceTable, path: Path, subject: str) -> None:
        """A browser repeats headers to wherever it is redirected, so none goes along that may be a key."""
        if table.via != "browser":
            return
        for name in table.headers:
            if name.lower() not in PAGE_HEADERS:
                said = (
                    f'{subject}: "headers", "{name}": with via = "browser" only these are sent: {", ".join(sorted(PAGE_HEADERS))}'
                )
                self.problems.add((*path, "headers", name), said)

    def _schedule(self, table: SourceTable, path: Path, subject: str) -> Schedule:
        monitor = self.defaults.monitor
        if table.every and table.cron is not None:
            self.problems.add((*path, "cron"), f'{subject}: "every" and "cron" exclude each other')
        cron = table.cron if table.cron or table.every else monitor.cron
        if table.cron is not None:
            self._cron(table.cron, (*path, "cron"), subject)
        low, high = (values.duration(one) if one else None for one in (table.min, table.max))
        if cron and (low or high):
            self.problems.add((*path, "min" if low else "max"), f'{subject}: "min" and "max" go with "every", not with "cron"')
        if low and high and low > high:
            self.problems.add((*path, "min"), f'{subject}: "min" is "{table.min}", which is longer than "max", "{table.max}"')
        every = None if cron else values.duration(table.every or monitor.every or DEFAULT_EVERY)
        self._not_too_often(table, every, path, subject)
        return Schedule(every=every, cron=cron, timezone=monitor.timezone, low=low, high=high)

    def _cron(self, line: str, path: Path, subject: str) -> None:
        try:
            schedule.parse_cron(line, self.defaults.monitor.timezone)
        except ValueError as error:
            self.problems.add(path, f'{subject}: "cron": {error}')

    def _not_too_often(self, table: SourceTable, every: timedelta | None, path: Path, subject: str) -> None:
        """A minute is the least; inside allow_private a second is."""
        asked = {"every": every, "min": values.duration(table.min) if table.min else None}
        for key, value in asked.items():
            if value is None or value >= _MINUTE or table.url is None:
                continue
            inside = values.is_inside(table.url, self.defaults.http.allow_private)
            if inside and value >= _SECOND:
                continue
            written = getattr(table, key)
            if written is None:
                self.too_often.append(table.id or "")
                continue
            least = "1 second is the least" if inside else "1 minute is the least, except for addresses inside allow_private"
            self.problems.add((*path, key), f'{subject}: "{key}" is "{written}"; {least}')


def how(kind: str, table: SourceTable, options: BaseModel) -> str:
    """`list/1:9f86d081`: the kind, its version, and a hash of the options that shape text or key. Only what differs from its
    default is hashed, so that a new optional key leaves old hashes alone."""
    known = sources.kind(kind)
    shaping = options.model_dump(mode="json", include=set(known.shaping), exclude_defaults=True)
    reading = {
        "select": table.select,
        "ignore": table.ignore,
        "ignore_text": table.ignore_text,
        "via": "" if table.via == "http" else table.via,
        "encoding": table.encoding.lower(),
    }
    shaping |= {key: value for key, value in reading.items() if value}
    return f"{kind}/{known.version}:{hashlib.sha256(_CANONICAL.encode(shaping).encode()).hexdigest()[:8]}"


@cache
def _own_keys(kind: str) -> frozenset[str]:
    return frozenset(models.keys(sources.kind(kind).Options))


@cache
def _own_keys_of_all() -> frozenset[str]:
    return frozenset().union(*map(_own_keys, sources.BUILT_IN))
