"""Whether a state that was seen counts, or has to stand first. Pure.

A state must stand, which is: be seen in a second check in a row, where a fault is likelier than an edit:

    characters are damaged          one charset taken for another, a byte lost on the way
    a former state                  servers that answer in turn, a copy in a cache
    most of the text is missing     a page half loaded, a shell without its text
    lines are missing, none is new  a part that was not loaded
    all is something else           a page of maintenance, login or error, served in place of the notice's own
    only linked files are others    addresses that are made anew for each visitor never stand
    only a row's date is another    servers that answer in turn; a date leaves no version by which it would be known again

Damaged characters and something else entirely only count after a day: a fault may well come twice. A notice that is in doubt for
a day, but for its files, is told in whatever state it is then.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta

from monitor import text, urls
from monitor.decide.nouns import Known, Say
from monitor.model import Attachment, Kind

#: A text that keeps less than this share of its length has lost most of itself.
LOSS = 0.5
#: Texts that share less than this of their runs of words have nothing to do with one another; one of so many words (a Chinese
#: character is one) is found by chance in few.
ALIKE, _RUN = 0.1, 4
#: Titles that share at least this of their pairs of words are one title, edited.
_RETITLED = 0.5
#: What is compared of a text, in characters: a notice names itself early.
_COMPARED = 20_000
#: Revised more often than this within a day is flapping.
FLAPS = 6
#: Doubt that lasts so long is over.
DOUBTED = timedelta(hours=24)

#: What stands for a character that could not be decoded.
_LOST = "\ufffd"
_WORDS = re.compile(r"[a-z0-9]+|[^\W_]")
_CUT = re.compile(r"[….·\s]+$")

DAMAGED = "characters are damaged"
FORMER = "a former state"
MOST = "most of the text is missing"
LINES = "lines are missing, none is new"
OTHER = "all is something else"
FILES = "only linked files are others"


def flapping(known: Known) -> Say:
    """What is told once of a notice that is revised again and again."""
    return Say(
        Kind.NOTE,
        "flapping",
        (("count", known.revised_today + 1),),
        known,
    )


def doubtful(
    known: Known, aspect: str, print_: str, title: str, said: str | None, *, titled: bool = False, own: bool = False
) -> str | None:
    """Why a state does not count yet; None if it counts, at once or because it has stood. `said` is its text (None where the text
    is not what is compared), `titled` whether its title is known to differ, `own` whether it is what a page of the notice's own
    says, in whose place something else may be served."""
    lost = (title + (said or "")).count(_LOST) > (known.title + known.text).count(_LOST)
    why = DAMAGED if lost else _doubt(known, print_, title, said, titled)
    if own and said is not None and why not in (DAMAGED, FORMER) and something_else(known, title, said):
        why = OTHER
    again = why not in (DAMAGED, OTHER) and known.doubts.get(aspect) == print_
    stood = again or (why != FILES and _waited(known, aspect))
    return None if stood else why


def has_stood(known: Known, aspect: str, print_: str) -> bool:
    """Whether a state was in doubt at the last look, too, or the notice for a day."""
    return known.doubts.get(aspect) == print_ or _waited(known, aspect)


def _waited(known: Known, aspect: str) -> bool:
    return known.waited.get(aspect, timedelta()) >= DOUBTED


def _doubt(known: Known, print_: str, title: str, said: str | None, titled: bool) -> str | None:
    if print_ in known.former:
        return FORMER
    if said is None:
        return None
    if len(said) < LOSS * len(known.text):
        return MOST
    if not known.text:
        return None
    if said == known.text:
        if not titled:
            return FILES
        return FORMER if title in known.titles and title != known.shown else None
    return LINES if _only_lost(known.text, said) else None


def something_else(known: Known, title: str, said: str) -> bool:
    """Whether what a page says has nothing of what is known of its notice: neither its title, be it in the text, nor words."""
    titles = {folded for one in (known.title, known.shown, known.page_title or "") if (folded := text.fold(_CUT.sub("", one)))}
    told = text.fold(f"{title}\n{said[:_COMPARED]}")
    if not titles or any(one in told or _retitled(one, text.fold(title)) for one in titles):
        return False
    before, after = (_runs(text.fold(one[:_COMPARED]), _RUN) for one in (known.text, said))
    return len(before & after) < max(1, ALIKE * min(len(before), len(after)))


def _retitled(before: str, after: str) -> bool:
    one, other = _runs(before, 2), _runs(after, 2)
    return len(one & other) >= max(1, _RETITLED * max(len(one), len(other)))


def _runs(folded: str, run: int) -> set[tuple[str, ...]]:
    """The runs of so many words in a folded text; of a shorter one all that it has."""
    words = _WORDS.findall(folded)
    return {tuple(words[at : at + run]) for at in range(max(1, len(words) - run + 1))} if words else set()


def _only_lost(before: str, after: str) -> bool:
    """Whether `after` is `before` without some of its lines."""
    left = iter(before.split("\n"))
    return len(after) < len(before) and all(line in left for line in after.split("\n"))


def files_print(files: Iterable[Attachment]) -> str | None:
    """Which documents a state links to; None if none. What follows the name of a file in its address (a token, a counter) does
    not say which document it is."""
    return "\n".join(sorted({_document(file.url) for file in files})) or None


def _document(url: str) -> str:
    address, _, query = urls.identity(url).partition("?")
    return address if not query or "." in address.rpartition("/")[2] else f"{address}?{query}"
