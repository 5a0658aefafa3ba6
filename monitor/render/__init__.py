"""Changes become a message that fits its channel: who issued what, what it is about, and exactly which characters changed.

One change is a message of its own; several are a grouped message of short entries. Everything from outside is escaped by `escape`
and laid out by `formats`, differences are shown by `hunks`, monitor's own words stand in `words`. It sends nothing, divides
nothing and reads no clock.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from monitor.decide import scanty
from monitor.diff import Diff, diff
from monitor.model import HOUSE_KINDS, NO_FACTS, Attachment, Change, Channel, Facts, Kind, Message, Version, When
from monitor.render import said
from monitor.render.attached import pictures, reworded, words_of_pictures
from monitor.render.escape import ELLIPSIS, address, cut, measure
from monitor.render.escape import plain as harmless
from monitor.render.formats import WRITERS, Writer
from monitor.render.words import Words
from monitor.text import clean, fold, line

__all__ = ["Told", "message_id", "render"]

#: Characters: a title as a subject; a title or a label's value in a message; the first lines of a text; a difference.
SUBJECT, VALUE, EXCERPT, DIFFERENCE = 120, 300, 400, 20_000
#: Files of which a message shows what changed inside.
FILES = 5
#: Lines of the words of pictures.
LINES = 10
#: Labels that say who speaks stand before the title; these come first after it.
_ISSUERS = ("issuer", "author")
_FIRST = ("number", "severity", "cve", "deadline", "effective")


@dataclass(frozen=True, slots=True)
class Told:
    """One change with all that a message may say of it, as it is known when the delivery is claimed. `before` and `after` are the
    versions that the change is about; `also` are other sources or addresses of the same document, `gone` those where it was
    withdrawn; `thread` is the id of the first message about the same notice, if there was one."""

    change: Change
    source: str | None
    title: str
    url: str | None
    published: When | None = None
    before: Version | None = None
    after: Version | None = None
    labels: tuple[tuple[str, str], ...] = ()
    also: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    thread: str | None = None
    facts: Facts = NO_FACTS


class _Shape(StrEnum):
    HEADING = "heading"
    FACT = "fact"
    EXCERPT = "excerpt"
    DIFF = "diff"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a message, not yet escaped. Where a limit forbids all of it, parts of the highest `rank` are left out first;
    0 is never left out. `apart`: a blank line before it."""

    shape: _Shape
    text: str = ""
    diff: Diff | None = None
    rank: int = 0
    apart: bool = False


@dataclass(frozen=True, slots=True)
class _Tongue:
    """The channel's language and clock."""

    words: Words
    zone: ZoneInfo

    def when(self, when: When | None) -> str:
        """A date as it is, a moment in the channel's time zone to the minute."""
        if when is None:
            return self.words("unknown")
        return f"{when.astimezone(self.zone):%Y-%m-%d %H:%M}" if isinstance(when, datetime) else when.isoformat()


def render(
    told: Sequence[Told],
    channel: Channel,
    *,
    limit: int,
    unit: str,
    format: str,
    plain: bool = False,
    digest: bool = False,
    now: datetime,
) -> Message:
    """The message that tells of one change, or of several in short.

    `limit` counts `unit` ("bytes" of UTF-8 or "characters"); `format` is text, markdown or html. The texts and differences of one
    change are cut to the limit, its link never; several are written out whole with a blank line between them, at which the
    sender divides. `plain`: only titles and links, as text. `now` is aware. Raises ValueError where nothing is told.
    """
    if not told:
        raise ValueError("nothing is told: a message needs at least one change")
    tongue = _Tongue(Words(channel.language), ZoneInfo(channel.timezone))
    alone = told[0] if len(told) == 1 else None
    chosen = "text" if plain or format not in WRITERS else format
    parts: Callable[[Told, _Tongue], list[_Part]] = _bare if plain else _whole if alone else _short

    entries = [parts(each, tongue) for each in told]

    def body(name: str) -> str:
        writer = WRITERS[name]
        if alone is not None:
            return _fit(entries[0], writer, limit, unit, tongue.words.language)
        return writer.group([_write(entry, writer, tongue.words.language) for entry in entries])

    written = body(chosen)
    one_notice = len({each.change.notice for each in told}) == 1 and told[0].change.notice is not None
    return Message(
        title=_subject(told, tongue, digest=digest),
        body=written,
        format=chosen,
        text=written if chosen == "text" else body("text"),
        id=message_id(channel.id, (each.change.id for each in told)),
        thread=told[0].thread if one_notice or alone else None,
        link=address(alone.url) if alone and alone.url else None,
        at=now.astimezone(UTC),
    )


def message_id(channel: str, changes: Iterable[int]) -> str:
    """ "m" and 24 hex digits (SHA-256, cut): the same for the same changes on the same channel, whatever their order."""
    said = f"{channel}\n{','.join(str(each) for each in sorted(changes))}"
    return "m" + hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:24]


# ---- what a message says ---------------------------------------------------------------------------------------------------


def _subject(told: Sequence[Told], tongue: _Tongue, *, digest: bool) -> str:
    if len(told) == 1:
        return cut(harmless(line(_title(told[0], tongue))), SUBJECT)
    count = tongue.words("digest" if digest else "updates", n=len(told))
    sources = list(dict.fromkeys(line(each.source) for each in told if each.source))
    if not sources:
        return count
    named = sources[0] if len(sources) == 1 else tongue.words("and_others", source=sources[0])
    return cut(harmless(f"{count} · {named}"), SUBJECT)


def _title(told: Told, tongue: _Tongue) -> str:
    """Marker, who says it, title; of a house change, what happened to what."""
    change = told.change
    marker = tongue.words.marker(change.kind)
    title = cut(line(told.title or told.url or told.source or ""), VALUE)
    if change.kind in HOUSE_KINDS:
        return marker + tongue.words.house(change.kind, change.reason, title)
    issuers = told.facts.issuers or tuple(_values(told, *_ISSUERS)[:2])
    who = said.who(issuers, tongue.words) if issuers else line(told.source or "")
    return marker + (tongue.words("by", who=who, title=title) if who else title)


def _values(told: Told, *names: str) -> list[str]:
    """The values of the first of these labels that has any, each once."""
    for name in names:
        found = [cut(line(value), VALUE) for label, value in told.labels if label == name and line(value)]
        if found:
            return list(dict.fromkeys(found))
    return []


def _bare(told: Told, tongue: _Tongue) -> list[_Part]:
    return [_Part(_Shape.HEADING, _title(told, tongue)), *_link(told, tongue, apart=False)]


def _short(told: Told, tongue: _Tongue) -> list[_Part]:
    """An entry of a grouped message: no blank line in it."""
    change, words = told.change, tongue.words
    parts = [_Part(_Shape.HEADING, _title(told, tongue)), _origin(told, tongue)]
    if change.kind is Kind.REVISED and change.reason:
        parts.append(_Part(_Shape.FACT, words.fact("changed", words.reason(change.reason))))
    if change.detail:
        said = tongue.words(f"escalated.{change.detail}") if change.reason == "escalated" else change.detail
        parts.append(_Part(_Shape.EXCERPT, said))
    return [*parts, *_also(told, tongue), *_link(told, tongue, apart=False)]


def _whole(told: Told, tongue: _Tongue) -> list[_Part]:
    """A message of its own."""
    by_kind: dict[Kind, Callable[[Told, _Tongue], list[_Part]]] = {
        Kind.NEW: _new,
        Kind.REVISED: _revised,
        Kind.WITHDRAWN: _withdrawn,
        Kind.RESTORED: _restored,
        Kind.REMINDER: _reminder,
    }
    about = by_kind.get(told.change.kind, _house)(told, tongue)
    return [_Part(_Shape.HEADING, _title(told, tongue)), _origin(told, tongue), *about, *_link(told, tongue, apart=True)]


def _origin(told: Told, tongue: _Tongue) -> _Part:
    """The line under the title: which source, and of which date; of a house change, when."""
    words = tongue.words
    facts = [words.fact("source", line(told.source))] if told.source else []
    if told.change.kind in HOUSE_KINDS or told.published is None:
        facts.append(words.fact("at", tongue.when(told.change.at)))
    else:
        facts.append(words.fact("published", tongue.when(told.published)))
    return _Part(_Shape.FACT, " · ".join(facts))


def _new(told: Told, tongue: _Tongue) -> list[_Part]:
    about = [*_labels(told, tongue), *_files(told, tongue), *_also(told, tongue), *_detail(told)]
    return [*about, *_excerpt(told.after, told), *_words_of_pictures(told, tongue)]


def _words_of_pictures(told: Told, tongue: _Tongue) -> list[_Part]:
    """The first lines of what the pictures of a page say that hardly says anything else, as far as it is known."""
    shown = pictures(told.attachments)
    said = words_of_pictures(told.attachments)
    if not said or told.after is None or not scanty(told.after.text, len(shown)):
        return []
    lines = said.split("\n")
    first = cut("\n".join(lines[:LINES]), 2 * EXCERPT)
    rest = len(lines) - len(first.split("\n"))
    words = tongue.words
    heading = _Part(_Shape.FACT, words("pictures_say", n=len(shown)), rank=1, apart=True)
    more = [_Part(_Shape.FACT, words("more_lines", n=rest), rank=1)] if rest else []
    return [heading, _Part(_Shape.EXCERPT, first, rank=1), *more]


def _revised(told: Told, tongue: _Tongue) -> list[_Part]:
    words, before, after = tongue.words, told.before, told.after
    changed = words.reason(told.change.reason)
    if told.change.reason == "escalated":
        worse = f"{changed}: {words(f'escalated.{told.change.detail}')}"
        parts = [_Part(_Shape.FACT, words.fact("changed", worse), rank=1), *_labels(told, tongue), *_also(told, tongue)]
        return [*parts, *_excerpt(told.after, told)]
    if before is not None and after is not None:
        versions = words("versions", before=before.seq, after=after.seq)
        changed = f"{changed} ({versions})" if changed else versions
    parts = [_Part(_Shape.FACT, words.fact("changed", changed), rank=3)] if changed else []
    if before is not None and after is not None:
        if before.title != after.title:
            parts += [
                _Part(_Shape.FACT, words.fact("old_title", before.title), rank=2),
                _Part(_Shape.FACT, words.fact("new_title", after.title), rank=2),
            ]
        if before.published != after.published:
            change = words("was_now", was=tongue.when(before.published), now=tongue.when(after.published))
            parts.append(_Part(_Shape.FACT, words.fact("published", change), rank=2))
        parts += _changed_files(before.attachments, after.attachments, tongue)
    parts += [*_also(told, tongue), *_detail(told)]
    if before is not None and after is not None:
        if before.text != after.text:
            parts.append(_Part(_Shape.DIFF, diff=diff(before.text, after.text), apart=True))
        parts += _reworded_files(before.attachments, after.attachments, tongue)
    return parts


def _reworded_files(before: tuple[Attachment, ...], after: tuple[Attachment, ...], tongue: _Tongue) -> list[_Part]:
    """What changed in the texts of files, each under its name; the last ones are left out first."""
    words = tongue.words
    parts: list[_Part] = []
    found = reworded(before, after)
    for each in found[:FILES]:
        name = words.fact("inside", cut(line(each.name), VALUE)) if each.name else words("pictures")
        heading = _Part(_Shape.FACT, name, rank=1, apart=True)
        parts += [heading, _Part(_Shape.DIFF, diff=diff(each.old, each.new), rank=1, apart=True)]
    if len(found) > FILES:
        parts.append(_Part(_Shape.FACT, words("more_files", n=len(found) - FILES), rank=1))
    return parts


def _withdrawn(told: Told, tongue: _Tongue) -> list[_Part]:
    words = tongue.words
    copy = told.before or told.after
    parts = [_Part(_Shape.FACT, words.fact("withdrawn_at", tongue.when(told.change.at)), rank=3), *_labels(told, tongue)]
    parts += [*_files(told, tongue), *_also(told, tongue), *_detail(told)]
    if copy is not None:
        taken = words("taken", version=words("version", seq=copy.seq), at=tongue.when(copy.seen_at))
        parts.append(_Part(_Shape.FACT, words.fact("copy", taken), rank=2))
        excerpt = _excerpt(copy, told)
        parts += [_Part(_Shape.FACT, words.fact("withdrawn", ""), rank=1, apart=True), *excerpt] if excerpt else []
    return parts


def _restored(told: Told, tongue: _Tongue) -> list[_Part]:
    at = _Part(_Shape.FACT, tongue.words.fact("restored_at", tongue.when(told.change.at)), rank=3)
    parts = [at, *_labels(told, tongue), *_also(told, tongue), *_detail(told)]
    before, after = told.before, told.after
    if before is not None and after is not None and before.text != after.text:  # it came back otherwise than it went
        return [*parts, _Part(_Shape.DIFF, diff=diff(before.text, after.text), apart=True)]
    return [*parts, *_excerpt(after or before, told)]


def _reminder(told: Told, tongue: _Tongue) -> list[_Part]:
    """The date that comes nearer, and in how many days."""
    words, day = tongue.words, getattr(told.facts, told.change.reason, None)
    if day is None:
        return [*_labels(told, tongue), *_detail(told)]
    days = (day - told.change.at.astimezone(tongue.zone).date()).days
    left = words("today") if days <= 0 else words("days_left", n=days)
    about = _Part(_Shape.FACT, words.fact(f"fact.{told.change.reason}", f"{day.isoformat()} ({left})"), rank=1)
    return [about, *_labels(told, tongue), *_files(told, tongue), *_also(told, tongue), *_excerpt(told.after, told)]


def _house(told: Told, tongue: _Tongue) -> list[_Part]:
    """Gap, failing, recovered and note: `detail` says what, since when and what to do."""
    reason = line(told.change.reason) if told.change.kind is not Kind.RECOVERED else ""  # that it is well is the title
    parts = [_Part(_Shape.FACT, tongue.words.fact("reason", reason), rank=2)] if reason else []
    return [*parts, *_also(told, tongue), *_detail(told)]


def _labels(told: Told, tongue: _Tongue) -> list[_Part]:
    """What a notice says of itself, then what its source says of it in labels: known names first, the others in their own
    words."""
    has_files = bool(told.attachments or (told.after and told.after.attachments))
    facts = said.lines(told.facts, tongue.words, annexes=not has_files)
    doubled = said.doubled(told.facts)
    names = [name for name in dict.fromkeys(name for name, _ in told.labels) if name not in doubled]
    shown = None if told.facts.issuers else next((name for name in _ISSUERS if name in names), None)  # the title names it
    ordered = [name for name in _FIRST if name in names] + [name for name in names if name not in _FIRST and name != shown]
    lines = [tongue.words.label(line(name), tongue.words.listed(values)) for name in ordered if (values := _values(told, name))]
    return [_Part(_Shape.FACT, each, rank=3) for each in facts] + [_Part(_Shape.FACT, each, rank=4) for each in lines]


def _detail(told: Told) -> list[_Part]:
    return [_Part(_Shape.EXCERPT, clean(told.change.detail), apart=True)] if told.change.detail.strip() else []


def _excerpt(version: Version | None, told: Told) -> list[_Part]:
    """The first lines of a text, without the title that many texts begin with."""
    if version is None:
        return []
    first, _, rest = clean(version.text[: 20 * EXCERPT]).partition("\n")
    titles = {fold(told.title), fold(version.title)}
    text = cut((rest if fold(first) in titles else f"{first}\n{rest}").strip(), EXCERPT)
    return [_Part(_Shape.EXCERPT, text, apart=True)] if text else []


def _files(told: Told, tongue: _Tongue) -> list[_Part]:
    files = told.attachments or (told.after.attachments if told.after else ())
    names = [cut(line(each.name or each.url), VALUE) for each in files if each.kind == "file"]
    return [_Part(_Shape.FACT, tongue.words.fact("attachments", tongue.words.listed(names)), rank=4)] if names else []


def _changed_files(before: tuple[Attachment, ...], after: tuple[Attachment, ...], tongue: _Tongue) -> list[_Part]:
    """Attachments that came, went, or have another content at the same address (where both contents are known)."""
    old, new = ({each.url: each for each in files if each.kind == "file"} for files in (before, after))
    pairs = [(old[url], new[url]) for url in old if url in new]
    other = [(a, b) for a, b in pairs if a.sha256 and b.sha256 and a.sha256 != b.sha256]
    found = {
        "added": [each for url, each in new.items() if url not in old],
        "removed": [each for url, each in old.items() if url not in new],
        "replaced": [b for a, b in other if not a.text or a.text != b.text],
        "resaved": [b for a, b in other if a.text and a.text == b.text],
    }
    words = tongue.words
    return [
        _Part(_Shape.FACT, words.fact(key, words.listed([cut(line(each.name or each.url), VALUE) for each in files])), rank=2)
        for key, files in found.items()
        if files
    ]


def _also(told: Told, tongue: _Tongue) -> list[_Part]:
    found = {"also": told.also, "gone": told.gone}
    words = tongue.words
    return [_Part(_Shape.FACT, words.fact(key, words.listed(list(some))), rank=5) for key, some in found.items() if some]


def _link(told: Told, tongue: _Tongue, *, apart: bool) -> list[_Part]:
    label = tongue.words("house_link" if told.change.kind in HOUSE_KINDS else "link")
    return [_Part(_Shape.LINK, f"{label}\n{told.url}", apart=apart)] if told.url else []


# ---- making it fit ---------------------------------------------------------------------------------------------------------


def _write(parts: list[_Part], writer: Writer, language: str, room: int = DIFFERENCE) -> str:
    """The parts below each other; texts and differences have `room` characters each."""
    blocks = []
    for part in parts:
        if part.diff is not None:
            block = writer.diff(part.diff, room, language) or writer.fact(ELLIPSIS)
        elif part.shape is _Shape.LINK:
            label, _, url = part.text.partition("\n")
            block = writer.link(url, label)
        elif part.shape is _Shape.EXCERPT:
            block = writer.excerpt(cut(part.text, room))
        else:
            block = writer.heading(part.text) if part.shape is _Shape.HEADING else writer.fact(part.text)
        blocks.append((block, part.apart))
    return writer.join(blocks)


def _fit(parts: list[_Part], writer: Writer, limit: int, unit: str, language: str) -> str:
    """The parts within the limit: first texts and differences are cut, then parts are left out, last the title is cut."""

    def fits(written: str) -> bool:
        return measure(written, unit) <= limit

    written = _write(parts, writer, language)
    if fits(written):
        return written
    left = parts
    while not fits(_write(left, writer, language, 0)) and any(part.rank for part in left):
        left = _less(left)
    if fits(_write(left, writer, language, 0)):
        return _most(lambda room: _write(left, writer, language, room), fits, min(limit, DIFFERENCE))
    return _most(lambda room: _write(_titled(left, room), writer, language, 0), fits, VALUE)


def _less(parts: list[_Part]) -> list[_Part]:
    """Without the last part of the highest rank, and with "…" in its place, once for neighbours."""
    rank = max(part.rank for part in parts)
    at = max(at for at, part in enumerate(parts) if part.rank == rank)
    gone = _Part(_Shape.FACT, ELLIPSIS)
    before, after = parts[:at], parts[at + 1 :]
    beside = [part for part in (*before[-1:], *after[:1]) if part == gone]
    return [*before, *([] if beside else [gone]), *after]


def _titled(parts: list[_Part], room: int) -> list[_Part]:
    return [replace(part, text=cut(part.text, room)) if part.shape is _Shape.HEADING else part for part in parts]


def _most(write: Callable[[int], str], fits: Callable[[str], bool], most: int) -> str:
    """What is written with the largest room, up to `most`, that fits; with none, where even that does not."""
    best, low, high = write(0), 0, most
    while low < high:
        room = (low + high + 1) // 2
        written = write(room)
        if fits(written):
            best, low = written, room
        else:
            high = room - 1
    return best
