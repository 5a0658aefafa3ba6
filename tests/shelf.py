"""A source's memory without a database, for tests of the pure rules: a decision's steps are remembered as the rules need them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from monitor import decide
from monitor.decide import Decision, Known, Mark, Memory, Say, Seen, Step
from monitor.model import Notice, Source, When

START = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
FIRST_DAY = date(2026, 1, 1)


def source(**options: object) -> Source:
    """A list whose rows have pages that are not followed."""
    return Source("s", "list", "https://example.org/list/", how="list/1:0a", **options)  # type: ignore[arg-type]  # options of one test


def row(key: str, *, title: str = "", day: When | int | None = -1, text: str | None = None, page: bool = True) -> Notice:
    """A row whose day follows from its letter: the later in the alphabet, the newer. `day`: None for no date, or days after the
    first of January."""
    number = ord(key[0]) - ord("a") if day == -1 else day
    published = FIRST_DAY + timedelta(days=number) if isinstance(number, int) else number
    url = f"https://example.org/p/{key}.html" if page else None
    return Notice("s", key, url, title or f"关于{key}事项的通知", published, text=text)


def rows(keys: str, **same: object) -> list[Notice]:
    """One row a letter."""
    return [row(key, **same) for key in keys]  # type: ignore[arg-type]  # the options of `row`


def words(steps: Sequence[Step]) -> list[str]:
    """Each step as a few words."""
    return [_word(step) for step in steps]


def _word(step: Step) -> str:
    match step:
        case decide.Add():
            return f"{'new' if step.told else 'stored'} {step.notice.key}"
        case decide.Revise():
            silent = f" ({step.silence})" if step.silence else ""
            return f"revised {step.known.key}: {step.reason}{silent}"
        case decide.Look():
            return f"look {step.known.key}: {step.why}"
        case decide.Say():
            return f"{step.kind} {step.reason}" + (f" {step.known.key}" if step.known else "")
        case _:
            return f"{type(step).__name__.lower()} {step.known.key}"


#: What a person is told of.
TOLD = ("new", "revised", "withdraw", "restore", "gap", "note")


def told(said: Sequence[str]) -> list[str]:
    """Those of the words that reach a person."""
    return [word for word in said if word.partition(" ")[0] in TOLD and not word.endswith(")")]


class Shelf:
    """What is known of one source, kept as the rules say. `see` takes one accepted list."""

    def __init__(self, of: Source | None = None) -> None:
        self.source = of or source()
        self.memory = Memory("s")
        self.known: dict[int, Known] = {}
        self.last: Decision | None = None

    def at(self, key: str) -> Known:
        """What is known of one key."""
        return next(k for k in self.known.values() if k.key == key)

    def become(self, key: str, **changed: object) -> None:
        """Something happened to a notice outside of its list."""
        self._set(self.at(key), **changed)

    def _set(self, k: Known, **changed: object) -> None:
        self.known[k.id] = replace(self.known[k.id], **changed)  # type: ignore[arg-type]  # fields of Known

    def see(
        self,
        listed: Sequence[Notice],
        *,
        complete: bool = False,
        more: bool = False,
        paged: bool = False,
        accepted: Say | None = None,
    ) -> list[str]:
        """Decide on one list and remember it; the steps as words."""
        seen = Seen(tuple(listed), len(listed), complete or self.source.complete, more, paged)
        decision = self.last = decide.decide(self.source, self.memory, list(self.known.values()), seen, accepted)
        for step in decision.steps:
            self._take(step)
        ids = {k.key: k.id for k in self.known.values()}
        here = {notice.key for notice in listed}
        for k in list(self.known.values()):
            if k.key in here:
                self.known[k.id] = replace(k, missing=0)
        self.memory = replace(
            self.memory,
            baseline=True,
            rejoin=False,
            accept=False,
            short=None,
            counts=decision.counts,
            order=tuple(Mark(ids[key], pinned) for key, pinned in decision.order),
        )
        return words(decision.steps)

    def _take(self, step: Step) -> None:
        match step:
            case decide.Add():
                id_, n = len(self.known) + 1, step.notice
                said = n.text if n.text is not None else n.summary
                self.known[id_] = Known(id_, n.key, n.url, n.title, step.row_print, step.how, n.published, text=said)
            case decide.Revise() | decide.Reread():
                self._new_version(step)
            case decide.Doubt():
                self._set(step.known, doubts={**step.known.doubts, step.aspect: step.print})
            case decide.Settle():
                self._set(step.known, doubts={a: p for a, p in step.known.doubts.items() if a != step.aspect})
            case decide.Readdress():
                self._set(step.known, key=step.notice.key, url=step.notice.url)
            case decide.Redate():
                doubts = {a: p for a, p in step.known.doubts.items() if a != "date"}
                self._set(step.known, row_published=step.published, doubts=doubts)
            case decide.Miss():
                self._set(step.known, missing=step.known.missing + 1)
            case decide.Withdraw():
                self._set(step.known, state="withdrawn", gone_by=step.by, missing=0)
            case decide.Restore():
                self._set(step.known, state="present", gone_by=None, missing=0)

    def _new_version(self, step: decide.Revise | decide.Reread) -> None:
        k, n = self.known[step.known.id], step.notice
        counted = isinstance(step, decide.Revise)
        said = n.text if n.text is not None else n.summary
        self.known[k.id] = replace(
            k,
            key=n.key,
            url=n.url,
            title=n.title,
            row_print=step.row_print,
            row_how=step.how,
            row_published=n.published or k.row_published,
            seq=k.seq + 1,
            text=k.text if self.source.follow else said,
            former=(k.former | {k.row_print}) - {step.row_print},
            doubts={a: p for a, p in k.doubts.items() if a != "row" and not (counted and a == "date")},
            revised_today=k.revised_today + counted,
            last_reason=step.reason if isinstance(step, decide.Revise) else k.last_reason,
        )
