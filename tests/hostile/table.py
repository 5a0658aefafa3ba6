"""The shape of a case: baseline → fault → recovery, and what must be seen at each step. Data only; `play.py` runs it.

Every site case ends with the recovery: the same list with one new notice on top, of which exactly one `new` must be told on every
channel; before that, nothing but what a step's `tells` names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from tests.hostile.pages import BUILD, NEW, Row, rows
from tests.hostile_server import Script, answer

EVERY = timedelta(minutes=15)
DEADLINE = 1.0  # seconds, of every hostile source

#: What `why` stands for: the reasons that docs/operations.md lists.
GROUPS: dict[str, frozenset[str]] = {
    "slow": frozenset({"timeout"}),
    "broken": frozenset({"truncated", "protocol", "empty answer", "unreachable", "connect"}),
    "incomplete": frozenset({"incomplete", "truncated", "short", "empty", "not a list"}),
    "damaged": frozenset({"damaged"}),
    "large": frozenset({"too large"}),
    "head": frozenset({"too large", "protocol"}),
    "circle": frozenset({"redirect"}),
    "private": frozenset({"forbidden"}),
    "scheme": frozenset({"forbidden", "redirect", "bad address"}),
    "elsewhere": frozenset(
        {"elsewhere", "not a list", "empty", "short", "not a feed", "not json", "not a page", "no list", "challenge"}
    ),
    "name": frozenset({"dns"}),
    "refused": frozenset({"refused"}),
    "offline": frozenset({"offline"}),
    "certificate": frozenset({"tls"}),
    "handshake": frozenset({"handshake", "tls", "timeout"}),
    "not asked": frozenset({"not asked", "protocol", "empty answer"}),
    "wait": frozenset({"http 429", "http 503", "busy"}),
    "challenge": frozenset({"challenge"}),
    "status": frozenset(
        {"http 400", "http 403", "http 404", "http 405", "http 410", "http 418", "http 500", "http 502", "http 504"}
    ),
    "short": frozenset({"empty", "short", "not a list"}),
    "heavy": frozenset(
        {
            "short",
            "truncated",
            "too slow",
            "crashed",
            "too deep",
            "nesting",
            "too large",
            "not a list",
            "empty",
            "not json",
            "entities",
        }
    ),
    "feed": frozenset({"broken feed", "entities", "not a feed", "truncated", "empty", "short"}),
    "json": frozenset({"truncated", "not json", "no list", "count", "empty", "short"}),
}


@dataclass(frozen=True)
class Page:
    """An honest answer with this body: with an ETag, and 304 to whoever has it already."""

    body: bytes
    media: str = "text/html; charset=utf-8"
    fields: tuple[str, ...] = ()
    etag: bool = True

    def answer(self, head: bytes) -> bytes:
        tag = f'"{hashlib.sha256(self.body).hexdigest()[:16]}"'
        if self.etag and f"if-none-match: {tag}".encode() in head.lower():
            return answer(b"", f"ETag: {tag}", status="304 Not Modified", length=False)
        fields = (
            *((f"Content-Type: {self.media}",) if self.media else ()),
            *self.fields,
            *((f"ETag: {tag}",) if self.etag else ()),
        )
        return answer(self.body, *fields)


@dataclass(frozen=True)
class ByHead:
    """An answer that depends on the head of the request."""

    answer: Callable[[bytes], bytes]


#: What a server says: an honest page, bytes, a script, or what the request's head decides. In bytes and in a page, `{site}`,
#: `{other}` and `{canary}` stand for ports: of the site, of a second server that is allowed, of a listener that nobody may ask.
Say = Page | bytes | Script | ByHead


class Down:
    """Nobody listens."""


DOWN = Down()


@dataclass(frozen=True)
class Step:
    """One check of the source, what it must come to and what is told. `outcome`: alternatives divided by `|`; a `failing` in
    `tells` is meant where it comes to `failed`."""

    say: Say | Down
    outcome: str = "failed"
    why: str = ""  # a key of GROUPS, "" any
    says: tuple[str, ...] = ()  # parts of the sentence
    tells: tuple[str, ...] = ()  # kinds that this step tells
    after: timedelta = EVERY
    paths: Mapping[str, Say] = field(default_factory=dict)  # what other addresses answer
    due: tuple[float, float] | None = None  # seconds until the next check
    asks: int | None = None  # requests to the site, at most
    sent: int | None = None  # bytes that the site could send, at most
    act: str = ""  # a command that is run before the check: "accept"
    text: tuple[str, ...] = ()  # parts of what is told at this step
    never: tuple[str, ...] = ()  # what must not be in it


@dataclass(frozen=True)
class Case:
    """A source, its first look, the steps of the fault, and its recovery."""

    id: str
    family: str
    covers: tuple[tuple[str, str], ...]
    steps: tuple[Step, ...]
    kind: str = "list"
    options: str = ""
    first: Say | None = None  # the baseline; default: an honest page of `rows`
    paths: Mapping[str, Say] = field(default_factory=dict)
    last: Say | None = None  # the recovery; default: the same with one new notice on top
    ends: tuple[str, ...] = ("new",)  # what the recovery tells, besides `recovered`
    titles: tuple[str, ...] = (NEW.title,)  # titles that must be told as new by the end, each once on each channel
    tls: str = ""  # the certificates of the steps: see tls cases
    host: str = "127.0.0.1"
    resolver: str = ""  # how the name server fails during the steps
    both: bool = False  # the healthy source goes down as well
    baseline: bool = True  # False: the steps come before any good load
    slow: bool = False
    rows: int = 20
    url: str = "/list/"


def fault(
    id_: str,
    family: str,
    covers: tuple[str, str] | tuple[tuple[str, str], ...],
    say: Say | Down,
    why: str,
    *says: str,
    times: int = 3,
    at_once: bool = False,
    outcome: str = "failed",
    paths: Mapping[str, Say] | None = None,
    due: tuple[float, float] | None = None,
    asks: int | None = None,
    sent: int | None = None,
    **more: object,
) -> Case:
    """A fault that fails the check `times` times: told once, at the third, or at once."""
    told_at = 0 if at_once else 2
    steps = tuple(
        Step(
            say,
            outcome,
            why,
            says,
            ("failing",) if index == told_at else (),
            paths=paths or {},
            due=due if index == 0 else None,
            asks=asks,
            sent=sent,
        )
        for index in range(times)
    )
    return Case(id_, family, _pairs(covers), steps, **more)  # type: ignore[arg-type]  # the fields of Case


def slow(id_: str, family: str, covers: tuple[str, str], say: Say | Down, why: str, *says: str, **more: object) -> Case:
    """The same, where each check costs a deadline: one check, so that nothing is told."""
    return fault(id_, family, covers, say, why, *says, times=1, **more)  # type: ignore[arg-type]


def calm(
    id_: str,
    family: str,
    covers: tuple[str, str] | tuple[tuple[str, str], ...],
    *says: Say,
    last: Say | None = None,
    **more: object,
) -> Case:
    """What is no fault to a reader who looks closely: each load is unchanged, nothing is told."""
    return Case(id_, family, _pairs(covers), tuple(Step(say, "unchanged") for say in says), last=last, **more)  # type: ignore[arg-type]


def page(kind: str, *some: Row, media: str = "", **more: object) -> Page:
    """An honest page of these rows in the form of a kind."""
    body, usual = BUILD[kind](some)
    return Page(body, media or usual, **more)  # type: ignore[arg-type]


def good(kind: str = "list", count: int = 20) -> Page:
    return page(kind, *rows(count))


def renewed(kind: str = "list", count: int = 20) -> Page:
    return page(kind, NEW, *rows(count))


def _pairs(covers: tuple[str, str] | tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    return (covers,) if isinstance(covers[0], str) else covers  # type: ignore[return-value]
