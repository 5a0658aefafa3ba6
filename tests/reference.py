"""What may and what must be told, from what a site has shown: a small reference, written from the rules of the two loops alone.

It knows nothing of how monitor works. It is given every answer that the site gave, and what was told thereupon; `Wrong` names the
rule that is broken. Where the rules leave freedom it allows each way, and a comment says "free". The numbers of the rules are
those of the design: 6 baseline, 7 overlap, 8 withdrawn, 9 looked at again, 11 doubt, 15 pages, 16 failures, 17 read differently.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

EVERY = timedelta(minutes=15)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
FAILING_AFTER = timedelta(hours=6)
RECHECK = (HOUR, 6 * HOUR, DAY, 3 * DAY, 7 * DAY, 30 * DAY)
#: So many pages of a baseline are read.
BACKFILL = 50
#: "After `every`" with the spread that a schedule may have.
SOON, LATE = EVERY * 0.9, EVERY * 1.1
#: So long may a page rest after a look that failed.
PATIENCE = HOUR * 1.1


class Wrong(AssertionError):
    """Something was told that may not be, or was not told that must be."""


def must(holds: object, why: str) -> None:
    if not holds:
        raise Wrong(why)


@dataclass(frozen=True)
class Shown:
    """A row of the list, or a page. `date` and `text` are None where it has none."""

    title: str
    date: str | None = None
    text: str | None = None


#: What a page can be besides `Shown`: gone (404, 410, the site says so), or no answer that can be read.
GONE, FAULT = "gone", "fault"


@dataclass(frozen=True)
class ListLook:
    """A page of the list, as it was answered: keys and rows in their order, or None where there is nothing that can be read."""

    page: int
    rows: tuple[tuple[str, Shown], ...] | None


@dataclass(frozen=True)
class PageLook:
    key: str
    shown: Shown | str


@dataclass(frozen=True)
class Told:
    """A change. `key` is its notice's; `view` what the version that it tells of says."""

    kind: str
    key: str | None
    reason: str
    silence: str | None
    view: Shown | None


@dataclass
class Facet:
    """A value that is looked at again and again, and how long it has stood."""

    value: Any
    since: datetime
    last: datetime
    looks: int = 1
    before: Any = None

    def see(self, value: Any, at: datetime) -> None:
        if value != self.value:
            self.before, self.value, self.since, self.looks = self.value, value, at, 1
        elif at != self.last:
            self.looks += 1
        self.last = at

    def seen_twice(self) -> bool:
        return self.looks >= 2 and self.last - self.since >= SOON

    def stands(self) -> bool:
        """Nobody may doubt it any longer."""
        return self.looks >= 2 and self.last - self.since >= LATE


@dataclass
class Known:
    """One notice: what was told of it, and what was seen of it. `mass`: whether its row's date changed with most others'."""

    key: str
    told: Shown
    row: Facet
    first_seen: datetime
    baseline: bool
    paged: bool
    former: set[Shown] = field(default_factory=set)
    dates: set[str | None] = field(default_factory=set)  # that its row ever had
    page: Facet | None = None
    looked: datetime | None = None  # at its page, with whatever result
    fault: bool = False  # that look was no answer
    other: datetime | None = None  # since when its page says something else than was told
    doubtful: tuple[str | None, datetime | None] = (None, None)  # what its page says, and since when, at whatever address
    state: str = "present"
    gone_at: datetime | None = None  # when it was withdrawn last
    by_list: bool = False  # withdrawn because its row was missing
    unlisted: bool = False  # its row was missing from a list since it was withdrawn
    listed: datetime | None = None  # since when its row is back, where it is withdrawn
    between: tuple[str, str] | None = None
    missed: datetime | None = None  # since when its row is missing from between its neighbours
    missing_sure: int = 0
    missing_maybe: int = 0
    mass: bool | None = False
    revised: list[datetime] = field(default_factory=list)
    tail: bool = False  # it came up from the end of the list: free, whether it is new or was there before anybody looked
    many: bool = False  # of a baseline so large that not all its pages are read: free, which
    free_row: bool = False  # the next look at it may be taken without a word (rule 17)
    free_page: bool = False
    looked_free: bool = False
    taken: Shown | None = None  # what its row said when it was taken without a word
    summed: datetime | None = None  # when what its flapping became was told last
    free_date: str | None = None  # its first, or that of its row while it was withdrawn: may be taken without a word

    def tell(self, view: Shown) -> None:
        self.former.add(self.told)
        self.told = view

    def flapping(self, now: datetime) -> bool:
        return sum(now - one < DAY * 1.1 for one in self.revised) >= 6


def _alike(one: str, other: str) -> bool:
    lines = [set(text.split("\n")) for text in (one, other)]
    return 2 * len(lines[0] & lines[1]) >= max(map(len, lines))


@dataclass
class Model:
    """One source. `pages` is the limit; `recheck` whether pages are looked at again."""

    pages: int
    follow: bool
    complete: bool = False
    known: dict[str, Known] = field(default_factory=dict)
    order: tuple[str, ...] = ()
    baseline: bool = False
    paused: bool = False
    rejoin: bool = False  # was paused: the next list must show that it overlaps
    accept: bool = False
    counts: list[tuple[int, int, bool, bool]] = field(default_factory=list)  # see `_counted`
    last: Sequence[tuple[str, Shown]] = ()
    short: tuple[Any, datetime, int, bool] | None = None  # the short list, since when, how often, was there a fault between
    fails: int = 0
    failed_since: datetime | None = None
    failing_told: bool = False
    came: datetime | None = None  # when something new came last

    # ---- one step of the world

    def step(
        self,
        at: datetime,
        looks: Sequence[ListLook | PageLook],
        outcome: str | None,
        told: Sequence[Told],
        standing: Mapping[str, Shown],
        *,
        crashed: bool = False,
    ) -> None:
        """The site answered `looks`, the check of the list (if there was one) had `outcome`, and `told` came of all that;
        `standing` is what every known notice says then. `crashed`: the process died on the way; only what was written counts."""
        left, quiet_since = list(told), self.came
        lists = {look.page: look for look in looks if isinstance(look, ListLook)}
        pages = [look for look in looks if isinstance(look, PageLook)]
        self._silent(left, at, crashed=crashed)
        fresh: dict[str, Known] = {}
        if outcome is not None:
            fresh = self._check(at, [lists[page] for page in sorted(lists)], outcome, left, set(standing))
        else:
            must(not lists, "the list was asked although no check was due")
        must(not (self.paused and looks), "a paused source is looked at")
        for look in pages:
            self._page(at, look)
        for one in [one for one in left if one.key is not None]:
            left.remove(one)
            self._told(at, one, fresh)
        self._house(at, left, quiet_since)
        self._taken(at, standing)
        self._owed_new(fresh)
        if not crashed:
            self._owed(at, {look.key for look in pages})

    def _taken(self, at: datetime, standing: Mapping[str, Shown]) -> None:
        """What may be taken without a word was, where it stands."""
        for known in self.known.values():
            stands = self._view(standing.get(known.key, known.told), known)
            if known.looked_free:
                known.looked_free = False
                summed_later = known.flapping(at) and known.summed != at
                known.told = known.told if summed_later else stands  # it is summed up, whatever was read differently
            elif known.flapping(at):
                continue  # it is summed up later, its date with it
            elif stands.date != known.told.date and (stands.date == known.free_date or known.mass is not False):
                known.told, known.free_date = Shown(known.told.title, stands.date, known.told.text), None

    def _silent(self, left: list[Told], at: datetime, *, crashed: bool) -> None:
        """Only what keeps changing, or is known from another address, may be stored without a word; in a crash, what is new may
        still be held."""
        for one in [one for one in left if one.silence is not None]:
            if crashed and one.kind == "new" and one.silence == "held":
                continue
            if one.kind == "new" and str(one.silence).startswith("same as") and one.view is not None:
                must(self._is_copy(one.view), f"promise 2: {one} is silent, and nothing else says so")
                continue
            must(one.kind == "revised" and one.key in self.known, f"{one} is silent: {one.silence}")
            known = self.known[str(one.key)]
            if one.silence == "withdrawn" and one.reason == "flapping":
                must(known.state == "withdrawn", f"{one} is silent, and it is present")
                left.remove(one)
                continue
            if one.silence == "as it was told last" and one.view is not None and self._view(one.view, known) == known.told:
                left.remove(one)
                continue
            must("flapping" in str(one.silence) and known.flapping(at), f"rule 11: {one} is silent, and it does not flap")
            left.remove(one)
            known.revised.append(at)

    def _is_copy(self, view: Shown) -> bool:
        """Whether a known notice that stands says the same, or what is a copy of one that did; where one of them was not read, it
        has the same title. Free: one with the same title that says most of it, and how copies of copies have changed since."""
        same = [known for known in self.known.values() if self._says(known, view)]
        seen = {known.key for known in same}
        while same:
            one = same.pop()
            if one.state == "present":
                return True
            more = [k for k in self.known.values() if k.key not in seen and self._related(k, one)]
            same += more
            seen |= {known.key for known in more}
        return False

    @staticmethod
    def _related(one: Known, other: Known) -> bool:
        texts = one.told.text, other.told.text
        return one.told.title == other.told.title or bool(texts[0] and texts[1] and _alike(texts[0], texts[1]))

    @staticmethod
    def _says(known: Known, view: Shown) -> bool:
        if known.told.text is None or view.text is None:
            return view.title in (known.told.title, known.row.value.title)
        return known.told.text == view.text or (known.told.title == view.title and _alike(known.told.text, view.text))

    # ---- the list

    def _check(self, at: datetime, looks: list[ListLook], outcome: str, left: list[Told], keys: set[str]) -> dict[str, Known]:
        must(looks and looks[0].page == 0, "a check begins with the first page of the list")
        allowed = self._judge(at, looks)
        must((outcome != "failed") in allowed, f"rule 8: the check is {outcome}; right would be {allowed} (True: accepted)")
        self._walked(looks, outcome)
        if outcome == "failed":
            self._failed(at, looks, left)
            return {}
        rows = [row for look in looks if look.rows for row in look.rows]
        anew = any(one.kind == "note" and one.reason in ("accepted", "rebaselined") for one in left)
        self._well_again(left)
        fresh = self._accepted(at, looks, dict(rows), left, keys)
        self.order = tuple(dict.fromkeys(key for key, _ in rows))
        changed = bool(fresh) or outcome != "unchanged"
        if anew:
            self.counts.clear()  # a list that was accepted is the new measure
        self.counts.append((len(looks[0].rows or ()), len(rows), changed, rows != self.last))
        self.last = rows
        self.short, self.accept, self.rejoin, self.baseline = None, False, False, True
        return fresh

    def _judge(self, at: datetime, looks: list[ListLook]) -> set[bool]:
        """Whether a list can be accepted; both where that is free."""
        first = looks[0].rows
        if first is None:
            return {False}
        if not first:
            return {False, True} if self.accept or min(self._medians(), default=1.0) == 0 else {False}
        broken = any(look.rows is None for look in looks[1:])
        if self.accept:
            return {True, False} if broken else {True}
        ways = {broken is False}
        if broken:
            ways = {False, True}  # free: a fault on a further page fails the check, or it is judged by what came
        total = sum(len(look.rows or ()) for look in looks)
        for size, column in ((len(first), 0), (total, 1)):  # free: which rows are counted, and in which checks
            for counts in self._counted():
                usual = [int(one[column]) for one in counts[-10:]]
                if usual and size < 0.6 * statistics.median(usual):
                    ways.add(False)
                else:
                    ways.add(True)
        sure = len(first) < 0.6 * min(self._medians(), default=0.0) and total < 0.6 * min(self._medians(), default=0.0)
        if not sure:
            return ways
        short = self.short
        if short is not None and short[0] == frozenset(first) and short[2] >= 2 and at - short[1] >= DAY:
            return {True, False} if broken or short[3] else {True}
        if short is not None and short[2] >= 2 and at - short[1] >= DAY:
            return {True, False}  # free: it changed a little meanwhile
        return {False}

    def _counted(self) -> list[list[tuple[int, int, bool, bool]]]:
        """Rows of the first page, of all; whether something was told, whether the list was another than before. Free: which of
        them are the last ten."""
        some = [[one for one in self.counts if one[2]], [one for one in self.counts if one[3]]]
        return [self.counts, *some, [one for one in self.counts if one[2] or one[3]]]

    def _medians(self) -> list[float]:
        found = []
        for column in (0, 1):
            for counts in self._counted():
                if usual := [int(one[column]) for one in counts[-10:]]:
                    found.append(float(statistics.median(usual)))
        return found

    def _walked(self, looks: list[ListLook], outcome: str) -> None:
        """Rule 7: which pages are asked."""
        must([look.page for look in looks] == list(range(len(looks))), "pages are asked one after another")
        must(len(looks) <= self.pages, f"rule 7: {len(looks)} pages were asked, the limit is {self.pages}")
        if self.complete or not self.baseline:
            return  # free: at the baseline, and where all of a catalogue is asked for
        for count in range(1, len(looks)):
            goes_on = self._goes_on(looks[:count])
            must(goes_on is not False, f"promise 5: page {count + 1} was asked without need")
        last = looks[-1].rows
        ended = not last or len(looks) == self.pages or outcome == "failed"
        must(ended or self._goes_on(looks) is not True, f"rule 7: page {len(looks) + 1} was not asked")

    def _goes_on(self, looks: list[ListLook]) -> bool | None:
        """Whether the list does not yet overlap what is known; None where that is free."""
        rows = [row for look in looks for row in look.rows or ()]
        unknown = [self._is_unknown(key, dict(rows)) for key, _ in rows[-3:]]
        overlap = self._overlap(rows)
        if overlap is False or (any(one is True for one in unknown) and self.pages > 1):
            return True
        if None in unknown or overlap is None or self.rejoin:
            return None
        return False

    def _is_unknown(self, key: str, rows: dict[str, Shown]) -> bool | None:
        """Free: a row under a new address that says what a known one said, and what came up from the end of the list."""
        if key in self.known:
            return False
        return None if self._titled(rows[key].title) or self._in_tail(key, rows) else True

    def _titled(self, title: str) -> Known | None:
        """A notice whose row said so last."""
        return next((known for known in self.known.values() if known.row.value.title == title), None)

    def _overlap(self, rows: Sequence[tuple[str, Shown]]) -> bool | None:
        """Whether an unpinned row is known; None where that is free (all that are known may be pinned)."""
        maybe = False
        places = {key: place for place, key in enumerate(self.order)}
        moved = any(places.get(key, place) != place for place, (key, _) in enumerate(rows)) or any(
            key not in places for key, _ in rows
        )
        for place, (key, shown) in enumerate(rows):
            if key not in self.known:
                maybe |= self._titled(shown.title) is not None
                continue
            above_newer = any((shown.date or "") < (later.date or "") for _, later in rows[place + 1 :])
            kept = moved and places.get(key) == place
            if not above_newer and not kept:
                return True
            maybe = True
        return None if maybe else False

    def _failed(self, at: datetime, looks: list[ListLook], left: list[Told]) -> None:
        first = looks[0].rows
        if first:
            same = self.short is not None and self.short[0] == frozenset(first)
            if self.short is None:
                self.short = (frozenset(first), at, 1, False)
            elif same:
                self.short = (self.short[0], self.short[1], self.short[2] + 1, self.short[3])
            else:  # free: whether a list that is short in another way begins anew; what is told is judged by the later
                self.short = (frozenset(first), self.short[1], self.short[2] + 1, True)
        elif self.short is not None:
            self.short = (*self.short[:3], True)
        self.fails += 1
        self.failed_since = self.failed_since or at
        due = self.fails >= 3 and at - self.failed_since >= FAILING_AFTER and not self.failing_told
        found = self._take(left, "failing")
        must(found == due, f"rule 16: {found} times told as failing after {self.fails} failures since {self.failed_since}")
        self.failing_told |= due

    def _well_again(self, left: list[Told]) -> None:
        found = self._take(left, "recovered")
        must(found == self.failing_told, f"rule 16: {found} times told as recovered; failing was told: {self.failing_told}")
        self.fails, self.failed_since, self.failing_told = 0, None, False

    @staticmethod
    def _take(left: list[Told], kind: str, reason: str | None = None) -> int:
        found = [one for one in left if one.kind == kind and reason in (None, one.reason) and one.key is None]
        for one in found:
            left.remove(one)
        return len(found)

    def _accepted(
        self, at: datetime, looks: list[ListLook], rows: dict[str, Shown], left: list[Told], keys: set[str]
    ) -> dict[str, Known]:
        if self.short is not None or self.accept:
            notes = self._take(left, "note", "accepted")
            ways = (0, 1) if self.accept or self.short is None or not self._was_short(looks) else (1,)
            must(notes in ways, f"rule 8: {notes} notes that a short list is accepted")
        begins = not self.baseline
        if self.rejoin and self.baseline:
            begins = self._rejoined(rows, looks, left)
        self._readdressed(rows, left, keys, begins=begins)
        gaps = self._take(left, "gap")
        goes_on = False if begins and not self.baseline else self._goes_on(looks)
        if goes_on and len(looks) < self.pages and self._overlap(list(rows.items())):
            goes_on = None  # free: all of the list was seen, down to its end, and it overlaps
        ways = {None: (0, 1), True: (1,), False: (0,)}[goes_on]
        if begins or self.complete or not rows:  # free: of no rows, which a person accepted
            ways = (0, 1) if self.baseline else (0,)
        must(gaps in ways, f"rule 7: {gaps} gaps told, {ways} are right")
        both = [(self.known[key], shown) for key, shown in rows.items() if key in self.known]
        self._together(both, len(rows))
        for known, shown in both:
            self._row(at, known, shown)
        self._dates(at, both, len(rows), left)
        fresh = {}
        for key, shown in rows.items():
            if key in self.known:
                continue
            fresh[key] = Known(
                key, Shown(shown.title, shown.date), Facet(shown, at, at), at, begins, not key.startswith("title:")
            )
            fresh[key].tail = self._in_tail(key, rows)
            fresh[key].many = begins and len(rows) > BACKFILL
        self._missing(at, rows, begins=begins)
        self.known |= fresh
        if fresh:
            self.came = at
        return {} if begins else fresh

    def _in_tail(self, key: str, rows: dict[str, Shown]) -> bool:
        """Whether a row stands below all of the list that was seen last, and is no newer."""
        place, order = list(rows).index(key), list(rows)
        known = {one: found for one in order if (found := self.known.get(one) or self._titled(rows[one].title))}
        above = [known[one] for one in order[:place] if one in known]
        newest = max((one.row.value.date or "" for one in above), default="")
        below = any(one in known and known[one].key in self.order for one in order[place + 1 :])
        return bool(above) and not below and (rows[key].date or "") <= newest

    def _was_short(self, looks: list[ListLook]) -> bool:
        size = sum(len(look.rows or ()) for look in looks)
        return size < 0.6 * min(self._medians(), default=0.0)

    def _rejoined(self, rows: dict[str, Shown], looks: list[ListLook], left: list[Told]) -> bool:
        """Rule 6: after a pause it goes on where it overlaps, else there is a new baseline and a note; whether it is that."""
        notes = self._take(left, "note", "rebaselined")
        overlap = self._overlap(looks[0].rows or ())
        if overlap is True:
            must(notes == 0, "rule 6: it overlaps what is known, and was begun anew")
        if all(self._is_unknown(key, rows) is True for key in rows):
            must(notes == 1, "rule 6: nothing overlaps what is known, and no note says so")
        return bool(notes)

    def _readdressed(self, rows: dict[str, Shown], left: list[Told], keys: set[str], *, begins: bool) -> None:
        """All rows under new addresses: one note, nothing new. One of them alone, and where the list begins anew: free (it is
        new, or it is the same)."""
        notes = self._take(left, "note", "readdressed")
        unknown = [key for key in rows if key not in self.known]
        again, doubtful = {}, set()
        for key in unknown:
            old = [one for one in self.known.values() if one.row.value.title == rows[key].title and one.key not in rows]
            if old:  # of several, that which is known no longer
                again[key] = min(old, key=lambda one: one.key in keys).key
                if len(old) > 1 and not any(one.key in self.order for one in old):
                    doubtful.add(key)
        found = sum(old in self.order for old in again.values())
        mass = len(again) >= 3 and not any(key in self.known for key in rows) and found > len(self.order) / 2
        taken = {key: old for key, old in again.items() if old not in keys}
        if mass and not begins:  # free: of what left the list before, and has another date now, or may be one of several
            sure = {key for key, old in again.items() if old in self.order or self.known[old].row.value.date == rows[key].date}
            sure -= doubtful
            must(sure <= taken.keys(), f"promise 2: rows under new addresses are told as new: {sorted(sure - taken.keys())}")
            differently = any(self.known[old].free_row for old in again.values())  # rule 17: without a word
            must(notes or differently, f"promise 3: {len(again)} rows stand under new addresses, and no note says so")
        must(notes <= 1 and bool(taken) >= bool(notes), "a note on new addresses, and there are none")
        for key, old in taken.items():
            known = self.known.pop(old)
            known.key, known.page, known.between = key, None, None
            self.known[key] = known
            self.order = tuple(key if one == old else one for one in self.order)

    @staticmethod
    def _together(both: list[tuple[Known, Shown]], count: int) -> None:
        """Which dates changed together with those of over half the rows. Free: of those that were known or of all, and whether
        within one check."""
        now = [known for known, shown in both if shown.date != known.row.value.date]
        since = [known for known, shown in both if shown.date != known.told.date]
        shares = {len(some) > whole / 2 for some in (now, since) for whole in (len(both), count)}
        for known in now:  # free: of one that changed with the others before, and was not told since it was out of sight
            waiting = known.mass is not False and known.row.value.date != known.told.date
            known.mass = shares == {True} if len(shares) == 1 else None
            known.mass = None if waiting and known.mass is False else known.mass
        for known in since:
            if len(shares) > 1 or (shares == {True} and known.mass is False):
                known.mass = None  # free: of one that changed a little before the others, whether it is one of them

    def _dates(self, at: datetime, both: list[tuple[Known, Shown]], count: int, left: list[Told]) -> None:
        """Rule 11: dates of over half the rows together are one note. Free: what stands later than the others."""
        if self._take(left, "note", "dates"):
            late = [known for known, shown in both if shown.date != known.told.date and known.mass is not False]
            must(late, "rule 11: a note on dates, and not over half of them changed")
            dated = [k for k in late if k.row.value.date is not None]
            anew = [k for k in dated if Shown(k.told.title, k.row.value.date, k.told.text) not in k.former]
            must(anew or any(k.row.looks >= 2 for k in late), "rule 11: dates that were there before count at once")
            for known in late:
                if known.mass or not known.flapping(at):  # else free: the note tells of it, or its own sum later
                    known.tell(Shown(known.told.title, known.row.value.date, known.told.text))
        owed = [k for k, shown in both if k.mass and k.row.stands() and shown.date not in (None, k.told.date, k.free_date)]
        must(len(owed) <= count / 2, f"rule 11: dates of over half the rows changed, and no note says so: {owed}")

    def _row(self, at: datetime, known: Known, shown: Shown) -> None:
        known.row.see(shown, at)
        known.dates.add(shown.date)
        if known.free_row:
            known.free_row, known.looked_free, known.taken = False, True, shown
        if known.state == "withdrawn":
            known.listed, known.free_date = known.listed or at, shown.date
        if known.told.date is None:
            known.free_date = shown.date
        known.between, known.missed, known.missing_sure, known.missing_maybe = None, None, 0, 0

    def _missing(self, at: datetime, rows: dict[str, Shown], *, begins: bool) -> None:
        """Rule 8: which rows are missing from between rows that are still there, or from the catalogue. Free: whether those count
        that are missing where it begins anew."""
        order = list(rows)
        for known in self.known.values():
            if known.key in rows:
                continue
            known.unlisted, known.listed = known.state == "withdrawn", None
            if self.complete:
                known.missing_sure += not begins
                known.missing_maybe += 1
                continue
            if known.key in self.order:
                place = self.order.index(known.key)
                above, below = self.order[:place], self.order[place + 1 :]
                if not any(key in rows for key in above) or not any(key in rows for key in below):
                    continue
                known.missing_maybe = 1
                if above[-1] in rows and below[0] in rows and order.index(above[-1]) < order.index(below[0]):
                    known.between, known.missing_sure, known.missed = (above[-1], below[0]), 1, at
            elif known.missing_maybe:
                known.missing_maybe += 1  # free: whether rows around it are still there
                above_, below_ = known.between or ("", "")
                if above_ in rows and below_ in rows and order.index(above_) < order.index(below_):
                    known.missing_sure += 1
                else:
                    known.between = None  # it may have rolled off meanwhile

    # ---- pages

    def _page(self, at: datetime, look: PageLook) -> None:
        known = self.known.get(look.key)
        if known is None:
            return  # the address of a row whose check came to nothing
        known.looked, known.fault = at, look.shown == FAULT
        if look.shown == FAULT:
            return
        if known.page is None:
            known.page = Facet(look.shown, at, at)
        else:
            known.page.see(look.shown, at)
        if isinstance(look.shown, Shown):
            known.other = None if look.shown.text == known.told.text else known.other or at
            if look.shown.text != known.doubtful[0]:
                known.doubtful = look.shown.text, at
        if isinstance(look.shown, Shown) and known.free_page:
            known.free_page, known.looked_free = False, True
        if isinstance(look.shown, Shown) and self.follow and known.told.text is None:  # rule 10: the first reading only enriches
            row = known.row.value.title  # which may be cut short
            whole = look.shown.title != row and look.shown.title.startswith(row)
            known.told = Shown(look.shown.title if whole else known.told.title, known.told.date, look.shown.text)

    # ---- what was told

    def _told(self, at: datetime, one: Told, fresh: dict[str, Known]) -> None:
        key = str(one.key)
        must(key in self.known, f"{one} is about a notice that the site never showed")
        known = self.known[key]
        match one.kind:
            case "new":
                must(fresh.pop(key, None), f"{one}: it was known, or belongs to the baseline")
            case "revised":
                self._revised(at, known, one)
            case "withdrawn":
                must(known.state == "present", f"{one}: it was withdrawn before")
                by_page = known.page is not None and known.page.value == GONE and known.page.seen_twice()
                by_list = known.missing_maybe >= 2 and (self.complete or not known.paged)
                must(by_page or by_list, f"rule 8: {one}: {known.page}, its row was missing {known.missing_maybe} times")
                known.state, known.by_list, known.unlisted, known.gone_at = "withdrawn", by_list, False, at
                known.listed = None if known.key not in self.order else at
            case "restored":
                must(known.state == "withdrawn", f"{one}: it was not withdrawn")
                page_ok = known.page is not None and known.page.value != GONE
                back = known.listed is not None and (known.by_list or known.unlisted)
                must(page_ok or back, f"{one}: neither page nor row is back")
                known.state, known.listed, known.missing_sure, known.missing_maybe = "present", None, 0, 0
                if not page_ok:
                    known.page = None  # what its page said before is over
                if one.view is not None:
                    known.told = self._view(one.view, known)
            case "note" if one.reason == "flapping":
                must(known.flapping(at), f"rule 11: {one}: it does not flap: {known.revised}")
            case _:
                raise Wrong(f"{one}: no such change is told of a notice")

    def _view(self, view: Shown, known: Known) -> Shown:
        """Of a version from the list alone, its text is as it was."""
        return Shown(view.title, view.date, (view.text or known.told.text) if self.follow else None)

    def _revised(self, at: datetime, known: Known, one: Told) -> None:
        must(one.view is not None, f"{one} tells of no version")
        assert one.view is not None
        view, page = self._view(one.view, known), known.page
        seen_page = page.value if page is not None and isinstance(page.value, Shown) else Shown("")
        must(view != known.told, f"{one}: nothing differs from what was told: {known.told}")
        titles = {known.row.value.title, seen_page.title, known.told.title}
        if one.reason == "flapping":  # summed up before the look of this step
            known.summed = at
            titles |= {shown.title for shown in (known.row.before, page and page.before) if isinstance(shown, Shown)}
        must(view.title in titles, f"{one}: nobody showed this title: {known}")
        was = {was.date for was in known.former} | (known.dates if one.reason == "flapping" else set())
        if view.date != known.row.value.date and view.date in was:
            view = Shown(view.title, known.told.date, view.text)  # many dates changed meanwhile, of which a note told
        must(view.date in (known.row.value.date, known.told.date), f"{one}: no row showed this date: {known}")
        must(view.text in (seen_page.text, known.told.text), f"{one}: no page showed this text: {known}")
        if view.title == known.told.title and view.text == known.told.text:
            must(known.mass is not True, f"rule 11: {one}: its date changed together with over half of the others'")
        lost = view.text is not None and known.told.text is not None and len(view.text) < len(known.told.text) / 3
        lost |= view.date is None and known.told.date is not None
        if view in known.former or lost:
            again = known.row.looks >= 2 or (page is not None and page.seen_twice())
            again |= known.other is not None and at - known.other >= DAY  # whatever it says then
            text, since = known.doubtful
            again |= view.text == text and since is not None and at - since >= SOON
            must(again, f"rule 11: {one}: it went back to a former state, or lost most of it, and counts at first sight: {known}")
        known.tell(view)
        known.revised.append(at)

    @staticmethod
    def _house(at: datetime, left: list[Told], quiet_since: datetime | None) -> None:
        for one in left:
            quiet = one.kind == "note" and one.reason == "quiet" and quiet_since is not None and at - quiet_since >= DAY
            must(quiet, f"{one}: nothing calls for it")

    # ---- what must have been told

    @staticmethod
    def _owed_new(fresh: dict[str, Known]) -> None:
        lost = [key for key, known in fresh.items() if not known.tail]
        must(not lost, f"promise 1: not told as new: {lost}")
        for known in fresh.values():
            known.baseline = True

    def _owed(self, at: datetime, looked: set[str]) -> None:
        for known in self.known.values():
            if known.state == "present":
                self._owed_present(at, known)
            else:
                self._owed_withdrawn(at, known)
            if known.paged and not self.paused:
                self._owed_look(at, known, known.key in looked)

    def _owed_present(self, at: datetime, known: Known) -> None:
        row, page, told = known.row, known.page, known.told
        gone = page is not None and page.value == GONE
        must(not (gone and page and page.stands()), f"rule 8: its page is gone, it is not withdrawn: {known}")
        by_list = self.complete or not known.paged
        must(not (by_list and known.missing_sure >= 2), f"rule 8: its row is missing, it is not withdrawn: {known}")
        if known.flapping(at):
            return  # free: it is summarised
        seen = page.value if page is not None and isinstance(page.value, Shown) else None
        # free: where the page had the title that was told after the row had another, or has it anew: a row may be cut short
        fresher = self.follow and seen is not None and page is not None and page.last >= row.since
        fresher &= seen is not None and (seen.title == told.title or (page is not None and not page.stands()))
        # free: a row that may be cut short, while its page cannot be read, or that was taken without a word
        fresher |= (known.fault or known.taken == row.value) and self.follow and told.title.startswith(row.value.title)
        if row.stands() and row.last == max(row.last, at - EVERY) and not fresher:
            must(row.value.title == told.title, f"promise 1: a new title is not told: {known}")
        if row.stands() and row.value.date not in (None, known.free_date) and known.mass is False:
            must(row.value.date == told.date, f"promise 1: a new date is not told: {known}")
        if self.follow and seen is not None and page is not None and page.stands():
            must(seen.text == told.text, f"promise 1: a new text is not told: {known}")
            must(seen.title == told.title or row.last >= page.since, f"promise 1: a page's new title is not told: {known}")

    def _owed_withdrawn(self, at: datetime, known: Known) -> None:
        page = known.page
        back = page is not None and page.value != GONE and page.stands()
        must(not back or (self.complete and known.by_list), f"promise 1: its page is back, it is not restored: {known}")
        listed = known.listed is not None and known.row.last - known.listed >= LATE
        if known.by_list and listed:
            raise Wrong(f"promise 1: its row is back, it is not restored: {known}")
        if known.unlisted and listed and known.listed is not None:
            unread = known.looked is None or known.looked < known.listed
            must(not unread, f"promise 1: its row is back, and nobody looked at its page: {known}")

    def _owed_look(self, at: datetime, known: Known, looked: bool) -> None:
        """Rules 8, 9, 15: which pages must be looked at by now."""
        if looked:
            return
        if known.missed is not None and known.state == "present":
            read = known.looked is not None and known.looked >= known.missed
            must(read, f"rule 8: its row is missing from between its neighbours, and nobody looks at its page: {known}")
        page = known.page
        if page is not None and known.looked is not None:
            gone = page.value == GONE and known.state == "present"
            other = isinstance(page.value, Shown) and self.follow and page.value.text != known.told.text
            other &= not known.flapping(at)  # it is summarised
            rest = PATIENCE if known.fault else LATE
            must(not (gone or other) or at - known.looked < rest, f"rule 11: a doubt, and nobody looks again: {known}")
        if not self.follow:
            return
        if known.looked is None and known.many:
            return
        if known.looked is None:
            must(known.baseline and at - known.first_seen < DAY, f"rule 15: nobody read its page: {known}")
            return
        resting = known.fault and at - known.looked < PATIENCE
        due = [
            max((start + step for step in RECHECK if start + step * 1.1 + EVERY <= at), default=start)
            for start in (known.first_seen, known.gone_at)  # free: whether the plan begins anew where it is gone
            if start is not None
        ]
        must(resting or known.looked >= min(due), f"rule 9: nobody looked again at {due}: {known}")

    # ---- what else the world can do

    def pause(self, paused: bool) -> None:
        """Nothing is looked at while it is paused; then its list must show that it overlaps."""
        self.paused = paused
        self.rejoin |= not paused

    def reconfigured(self) -> None:
        """Rule 17: what is read differently from now on is not revised."""
        for known in self.known.values():
            known.free_row = known.free_page = True

    def states(self) -> Counter[tuple[str, str]]:
        """Every notice that must be known, and whether it is present."""
        return Counter((known.key, known.state) for known in self.known.values())
