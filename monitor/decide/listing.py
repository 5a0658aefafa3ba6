"""One list against what is known of its source: new, revised, gone, gaps. Pure; it writes nothing.

First sight is a baseline; a list must overlap what is known; fewer rows are not withdrawals; read differently is not revised.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from statistics import median

from monitor import text
from monitor.decide.doubt import FLAPS, doubtful, files_print, flapping, has_stood
from monitor.decide.nouns import (
    ELSEWHERE,
    Add,
    Decision,
    Doubt,
    Known,
    Look,
    Memory,
    Miss,
    Readdress,
    Redate,
    Reread,
    Restore,
    Revise,
    Say,
    Seen,
    Settle,
    Step,
    Withdraw,
)
from monitor.decide.pages import shown_title
from monitor.decide.same import TOGETHER, day_of, match
from monitor.model import Kind, Notice, Outcome, Source

#: A list under this share of the usual number of rows is not believed.
SHORT = 0.6
#: A short list is accepted when it was seen this often, over at least this long.
SHORT_TIMES, SHORT_SPAN = 3, timedelta(hours=24)
#: Characters of a row's text whose fingerprint is kept.
SHORT_TEXT = 4096


def row_how(source: Source) -> str:
    """How the rows of a source are read: what a followed page says is not asked of its row."""
    return source.how + ("+follow" if source.follow else "")


def row_print(source: Source, notice: Notice) -> str:
    """The fingerprint of a row: its title, and its text where the row is all that is read, with the files that the text links to.
    A date never enters it."""
    said = _said(source, notice)
    files = files_print(notice.attachments) if said is not None and notice.text is not None and notice.attachments else None
    if files or (said is not None and len(said) > SHORT_TEXT):
        return _long_print(notice.title, said, files)
    return _short_print(notice.title, said)


@lru_cache(maxsize=4)
def _long_print(title: str, said: str | None, files: str | None) -> str:
    """The fingerprint of a row with a long text, such as a page; kept while one check asks for it again and again."""
    return text.fingerprint({"title": title, "text": said, "files": files})


def _said(source: Source, notice: Notice) -> str | None:
    """What a row says besides its title; None where its page is read."""
    return None if source.follow else (notice.text if notice.text is not None else notice.summary)


@lru_cache(maxsize=4096)
def _short_print(title: str, said: str | None) -> str:
    """The fingerprint of a row that is not long; kept, because most rows say the same in every check."""
    return text.fingerprint({"title": title, "text": said})


def list_print(rows: Sequence[Notice]) -> str:
    """The fingerprint of a whole list: the same short list, or another one?"""
    return text.fingerprint({"keys": "\n".join(sorted(row.key for row in rows))})


def too_short(
    source: Source, memory: Memory, rows: int, whole: str, now: datetime, odd: str = ""
) -> tuple[str | None, Say | None]:
    """Whether a first page of `rows` rows is to be believed: (why not, None), (None, what is said because it is short and
    accepted all the same) or (None, None). `whole` is `list_print` of it; `odd` says what else speaks against it."""
    usual = median(memory.counts) if memory.counts else 0
    accepted = Say(Kind.NOTE, "accepted", (("rows", rows), ("usual", f"{usual:g}")))
    if memory.accept:
        return None, accepted if rows < SHORT * usual else None
    if rows == 0 and not source.allow_empty and not (memory.counts and usual == 0):
        return (f"list empty, usually {usual:g} rows" if usual else "list without a single row: no baseline yet"), None
    if not odd and (source.allow_empty or rows >= SHORT * usual):
        return None, None
    if memory.short and memory.short[0] == whole:
        _, since, times = memory.short
        if times + 1 >= SHORT_TIMES and now - since >= SHORT_SPAN:
            return None, accepted
    counted = f"{rows} rows, usually {usual:g}" if usual else f"{rows} rows: no baseline yet"
    return f"{odd} ({counted})" if odd else counted, None


def wants_more(rows: Sequence[Notice], known: set[str], memory: Memory, pinned: set[str]) -> bool:
    """Whether the next page is asked too: one of the last three rows is unknown, or no unpinned row is known. Not at a
    baseline. `known` holds the keys that are known."""
    if not memory.baseline or not rows:
        return False
    if any(row.key not in known for row in rows[-3:]):
        return True
    return not any(row.key in known and row.key not in pinned for row in rows)


def pinned_keys(rows: Sequence[Notice], known: Mapping[str, Known], memory: Memory) -> set[str]:
    """The keys of rows at the head of the list that stand above a newer row, or kept their place while others moved. Pins are
    few: where that is true of over half of the list, one wrong date or another order made it so, and none is pinned."""
    days = [day_of(row.published) for row in rows]
    pairs = [(a, b) for a, b in itertools.pairwise(days) if a and b]
    falling = sum(a > b for a, b in pairs) >= sum(a < b for a, b in pairs)
    before = {mark.notice: place for place, mark in enumerate(memory.order)}
    places = {row.key: before.get(known[row.key].id) if row.key in known else None for row in rows}
    moved = any(place is not None and place < i for i, place in enumerate(places.values()))
    newest_below = _newest_below(days)
    found: set[str] = set()
    for i, row in enumerate(rows):
        mine = days[i]
        below = newest_below[i]
        older = falling and mine is not None and below is not None and below > mine
        if not (older or (moved and places[row.key] == i)):
            break
        found.add(row.key)
    return found if len(found) * 2 <= len(rows) else set()


def list_end(memory: Memory) -> int | None:
    """The id of the last notice of the list that is remembered, pinned ones aside; None where nothing is remembered."""
    return next((mark.notice for mark in reversed(memory.order) if not mark.pinned), None)


def from_below(rows: Sequence[Notice], known: Mapping[str, Known], memory: Memory, end: Known | None, *, paged: bool) -> set[str]:
    """The keys of unknown rows that stood below the `end` (`list_end`) of the list that is remembered, where nobody looked, and
    came into sight because rows above them left or a further page was had: old notices, not new ones.

    That is only said of dated rows in a list that runs newest first: they stand below every remembered row and are older than
    its end. On a first page there are no more of them than remembered rows have left it: a list that only grows has new rows.
    Nor is a row old from after the day on which the source was first looked at: it went by unseen, in a long burst.
    """
    began = day_of(memory.began)
    days = [day_of(row.published) for row in rows]
    pairs = [(a, b) for a, b in itertools.pairwise(days) if a and b]
    oldest = day_of(end.row_published) if end else None
    if oldest is None or end is None or sum(a > b for a, b in pairs) <= sum(a < b for a, b in pairs):
        return set()
    here = {k.id for row in rows if (k := known.get(row.key))}
    remembered = {mark.notice for mark in memory.order}
    last = max((i for i, row in enumerate(rows) if row.key in known and known[row.key].id in remembered), default=len(rows))
    found = {
        row.key
        for row, day in zip(rows[last + 1 :], days[last + 1 :], strict=True)
        if row.key not in known and day and (day < oldest or (day == oldest and end.id in here)) and not (began and day > began)
    }
    return found if paged or len(found) <= len(remembered - here) else set()


def _newest_below(days: Sequence[str | None]) -> list[str | None]:
    """For each place, the newest day that stands below it."""
    result: list[str | None] = []
    newest: str | None = None
    for day in reversed(days):
        result.append(newest)
        if day is not None and (newest is None or day > newest):
            newest = day
    return result[::-1]


def decide(source: Source, memory: Memory, known: Sequence[Known], seen: Seen, accepted: Say | None) -> Decision:
    """One accepted list against what is known. `known` holds every notice of the source that one of the rows may be (by key, and
    by address or title where keys may have changed) and every one of `memory.order` (or, for a complete list, all that are
    present); `accepted` is what is said where a short list is believed all the same."""
    by_key = {k.key: k for k in known}
    first_sight = not memory.baseline
    matched, readdressed = match(row_how(source), memory, by_key, known, seen)
    overlap = any(k is not None for k in matched.values())
    rebaseline = memory.rejoin and not first_sight and not overlap
    steps: list[Step] = []
    if accepted:
        steps.append(accepted)
    if rebaseline:
        steps.append(Say(Kind.NOTE, "rebaselined", (("rows", len(seen.rows)),)))
    rows = {row.key: k for row in seen.rows if (k := matched[row.key]) is not None}
    pinned = pinned_keys(seen.rows, rows, memory)
    told = not first_sight and not rebaseline
    end = next((k for k in known if k.id == list_end(memory)), None)
    old = {row.key for row in seen.rows} if not told else set()
    if told and not (source.complete or seen.complete):
        old = from_below(seen.rows, rows, memory, end, paged=seen.paged)
    steps += _rows(source, memory, matched, seen, old)
    if readdressed:
        steps.append(Say(Kind.NOTE, "readdressed", (("count", readdressed), ("rows", len(seen.rows)))))
    if told:
        steps += _gone(source, memory, known, {k.id for k in rows.values()}, seen)
        if not source.allow_empty and (gap := _gap(memory, rows, seen, pinned, old)) is not None:
            steps.append(gap)
    changed = any(_is_change(step) for step in steps)
    outcome = Outcome.BASELINE if not told else Outcome.CHANGED if changed else Outcome.UNCHANGED
    return Decision(
        outcome,
        tuple(steps),
        _order(memory, rows, seen, pinned, steps),
        (seen.first,) if accepted or rebaseline else (*memory.counts, seen.first)[-10:],
        "first sight" if first_sight else "no overlap after a pause" if rebaseline else "compared by key",
    )


def oldest_first(rows: Sequence[Notice]) -> list[Notice]:
    """The rows in the order in which they were published: by their days where all have one; else, and within a day, upwards,
    since lists run newest first."""
    upwards = list(reversed(rows))
    days = {row.key: day for row in upwards if (day := day_of(row.published)) is not None}
    return sorted(upwards, key=lambda row: days[row.key]) if len(days) == len(upwards) else upwards


def _is_change(step: Step) -> bool:
    return (isinstance(step, Add) and step.told) or isinstance(step, Revise | Withdraw | Restore | Say)


def _rows(source: Source, memory: Memory, matched: Mapping[str, Known | None], seen: Seen, old: set[str]) -> list[Step]:
    """What each row says: new, revised, read differently, or nothing. `old` are the keys of rows that are stored and not told."""
    how = row_how(source)
    listed = {mark.notice for mark in memory.order}
    steps: list[Step] = []
    redated: list[tuple[Known, Notice]] = []
    done: set[str] = set()
    shifted = 0  # rows whose date is taken with what is read differently
    for row in seen.rows:
        if row.key in done:
            continue
        done.add(row.key)
        known = matched[row.key]
        print_ = row_print(source, row)
        if known is None:
            steps.append(Add(row, print_, how, told=row.key not in old))
            continue
        if known.state == "withdrawn" and known.gone_by == "row":
            steps.append(Restore(known, "listed again"))
        elif known.state == "withdrawn" and known.url and known.id not in listed:
            steps.append(Look(known, "recheck"))  # before its address is another: what is to be read moves with it
        if known.row_how != how:
            steps.append(Reread(known, row, print_, how))
            shifted += row.published is not None and day_of(known.row_published) not in (None, day_of(row.published))
            if "date" in known.doubts:
                steps.append(Settle(known, "date"))  # its day is taken with it
            continue
        if known.key != row.key or known.url != row.url:
            steps.append(Readdress(known, row))
        steps += _revision(source, known, row, print_)
        if row.published and known.row_published is None:
            steps.append(Redate(known, row.published))  # a date that is known at last is no change
        elif row.published and day_of(known.row_published) != day_of(row.published):
            redated.append((known, row))
        elif "date" in known.doubts:
            steps.append(Settle(known, "date"))
    return steps + _dates(source, redated, {step.known.id for step in steps if isinstance(step, Reread)}, seen, shifted)


def _revision(source: Source, known: Known, row: Notice, print_: str) -> list[Step]:
    """The row's words against those that stand."""
    doubt = known.doubts.get("row")
    if print_ == known.row_print:
        return [Settle(known, "row")] if doubt else []
    said, titled = _said(source, row), row.title != known.title
    if doubtful(known, "row", print_, row.title, said, titled=titled, own=source.kind == "page"):
        return [Doubt(known, "row", print_)]
    # taken without a word, but for its day, which has to stand like any other
    reread = Reread(known, replace(row, published=known.row_published or row.published), print_, row_how(source))
    if said is None and titled and shown_title(row.title, known.page_title) == known.shown:  # its page said so before
        return [reread] if row.title == known.shown else [reread, Look(known, "recheck")]  # or the row is cut short: which?
    if said and said == known.text and titled and known.title in said.split("\n"):
        return [reread]  # its words all stand: only what marks the title is another
    return _revised(source, known, row, "title" if titled else "attachments" if said and said == known.text else "text")


def _revised(source: Source, known: Known, row: Notice, reason: str) -> list[Step]:
    """A revision; one too many within a day is flapping: told once, then silent."""
    print_, how = row_print(source, row), row_how(source)
    if known.revised_today < FLAPS:
        return [Revise(known, row, print_, how, reason)]
    silent = Revise(known, row, print_, how, "flapping", silence="flapping")
    return [silent] if known.last_reason == "flapping" else [flapping(known), silent]


def _dates(source: Source, redated: Sequence[tuple[Known, Notice]], reread: set[int], seen: Seen, shifted: int) -> list[Step]:
    """Dates alone, where they stand: of over half of the rows together one note, else each a revision. One that changed with the
    others and stands later than they, because it was out of sight, is not told by itself; nor is that of what is withdrawn.
    `shifted` more have changed with them, and are taken without a word."""
    together = (len(redated) + shifted) * 2 > len(seen.rows) and len(redated) > 1
    steps: list[Step] = []
    stood: list[tuple[Known, Notice]] = []
    for known, row in redated:
        day = str(day_of(row.published))
        if row_print(source, row) != known.row_print and known.id not in reread:
            continue  # its words are others, too, and told: its date goes with them
        if has_stood(known, "date", day) or has_stood(known, "date", day + TOGETHER):
            stood.append((known, row))
        else:
            steps.append(Doubt(known, "date", day + TOGETHER if together else day))
    if together and len(stood) * 2 <= len(seen.rows):
        return steps
    for known, row in stood:
        if together or known.doubts.get("date", "").endswith(TOGETHER) or known.state != "present":
            steps += [Redate(known, row.published)] if row.published else []
        else:
            steps += _revised(source, known, row, "date")
    if together:
        steps.append(Say(Kind.NOTE, "dates", (("count", len(stood)), ("rows", len(seen.rows)))))
    return steps


def _gone(source: Source, memory: Memory, known: Sequence[Known], present: set[int], seen: Seen) -> list[Step]:
    """Rows that are no longer there: rolled off the end is nothing; from between its neighbours, or a complete list, counts."""
    by_id = {k.id: k for k in known}
    if seen.complete:
        absent = [k for k in known if k.id not in present and k.state == "present"]
    else:
        places = [mark for mark in memory.order if mark.notice in by_id]
        there = [i for i, mark in enumerate(places) if mark.notice in present]
        last = max((i for i in there if not places[i].pinned), default=0)
        between = [places[i] for i in range(there[0] + 1, last)] if there else []
        # a pinned row that is gone may only have been unpinned: its page can say so, its absence cannot
        absent = [k for mark in between if (k := by_id[mark.notice]).id not in present and (k.url or not mark.pinned)]
    steps: list[Step] = []
    for k in absent:
        if k.state != "present" or k.missing == ELSEWHERE:
            continue
        if k.url and not seen.complete:
            steps += [Miss(k), Look(k, "missing")] if k.missing == 0 else []
        elif k.missing + 1 >= 2:
            where = "missing from the catalogue" if seen.complete else "missing"
            steps.append(Withdraw(k, "row", f"{where} in two checks"))
        else:
            steps.append(Miss(k))
    return steps


def _order(
    memory: Memory, rows: Mapping[str, Known], seen: Seen, pinned: set[str], steps: Sequence[Step]
) -> tuple[tuple[str, bool], ...]:
    """The list as it is to be remembered: its rows, and behind their neighbour those that are missing for the first time and have
    no page that could be asked."""
    ghosts = {step.known.id: step.known for step in steps if isinstance(step, Miss) and not step.known.url}
    places = {k.id: key for key, k in rows.items()}
    behind: dict[str | None, list[str]] = {}
    last: str | None = None
    for mark in memory.order:
        last = places.get(mark.notice, last)
        if mark.notice in ghosts:
            behind.setdefault(last, []).append(ghosts[mark.notice].key)
    order = [(key, False) for key in behind.get(None, [])]
    for row in seen.rows:
        order.append((row.key, row.key in pinned))
        order += [(key, False) for key in behind.get(row.key, [])]
    return tuple(order)


def _gap(memory: Memory, rows: Mapping[str, Known], seen: Seen, pinned: set[str], old: set[str]) -> Say | None:
    """Whether notices may have come and gone between two checks; not where the rows at the end are known under other keys."""
    if not memory.order or seen.complete or not seen.rows:
        return None
    if all(row.key in rows for row in seen.rows):
        return None
    overlap = any(key not in pinned for key in rows)
    if not overlap:
        return Say(Kind.GAP, "no overlap", (("rows", len(seen.rows)),))
    unknown = any(row.key not in rows and row.key not in old for row in seen.rows[-3:])
    if seen.more and seen.paged and unknown:
        return Say(Kind.GAP, "more pages", (("rows", len(seen.rows)),))
    return None
