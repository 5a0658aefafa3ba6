"""What a decision is made from, and the steps that it is made of. Values only; the rules are in the modules beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from monitor.model import Kind, Notice, Outcome, When

#: In place of how often a row is missing: it was seen under another address of its source, and in the list of this one not yet.
ELSEWHERE = -1


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one notice. `row_print` and `page_print` are the fingerprints that stand; `missing` counts the accepted
    checks in a row in which it was missing from between its neighbours (or is `ELSEWHERE`); `doubts` maps an aspect ("row",
    "page", "date") to a fingerprint, or a day, that was seen but does not count yet."""

    id: int
    key: str
    url: str | None
    title: str
    row_print: str
    row_how: str
    row_published: When | None = None
    page_print: str | None = None
    page_how: str = ""
    state: str = "present"
    gone_by: str | None = None
    missing: int = 0
    seq: int = 1
    doubts: Mapping[str, str] = field(default_factory=dict)
    former: frozenset[str] = frozenset()  # fingerprints of former versions
    titles: frozenset[str] = frozenset()  # what they were called
    revised_today: int = 0
    last_reason: str = ""
    text: str = ""  # the text that stands; "" where the row or page says what it said
    page_title: str | None = None  # that of its page, as `text`; None while it was not read
    shown: str = ""  # the title that people were shown, as `text`
    waited: Mapping[str, timedelta] = field(default_factory=dict)  # by aspect, for how long it has been in doubt


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a notice stood in the last accepted list."""

    notice: int
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class Memory:
    """What is known of a source. `order` is the last accepted list; `counts` are the rows of the first page in the last ten;
    `short` is a far shorter list that was not believed: (fingerprint of its keys, first seen, times); `began`: when it was
    first looked at."""

    source: str
    baseline: bool = False
    order: tuple[Mark, ...] = ()
    counts: tuple[int, ...] = ()
    short: tuple[str, datetime, int] | None = None
    rejoin: bool = False
    accept: bool = False
    began: datetime | None = None


@dataclass(frozen=True, slots=True)
class Add:
    """A notice that was never seen. `told` False at a baseline."""

    notice: Notice
    row_print: str
    how: str
    told: bool


@dataclass(frozen=True, slots=True)
class Revise:
    """The row of a known notice says something else, and it counts. `silence` where it is stored and not told."""

    known: Known
    notice: Notice
    row_print: str
    how: str
    reason: str
    silence: str | None = None


@dataclass(frozen=True, slots=True)
class Reread:
    """The row is read differently: stored, never told. Also takes over a new key or address."""

    known: Known
    notice: Notice
    row_print: str
    how: str


@dataclass(frozen=True, slots=True)
class Doubt:
    """A state that does not count before it is seen again."""

    known: Known
    aspect: str
    print: str


@dataclass(frozen=True, slots=True)
class Settle:
    """A doubt has gone: what stood before stands again."""

    known: Known
    aspect: str


@dataclass(frozen=True, slots=True)
class Readdress:
    """A known notice stands under another key or address: no change of its own."""

    known: Known
    notice: Notice


@dataclass(frozen=True, slots=True)
class Redate:
    """The row's date is another; told together as one note, or not at all."""

    known: Known
    published: When


@dataclass(frozen=True, slots=True)
class Miss:
    """Missing from between its neighbours, or from a complete list: counted."""

    known: Known


@dataclass(frozen=True, slots=True)
class Look:
    """Its page is to be read at once; `why` as in a reading."""

    known: Known
    why: str


@dataclass(frozen=True, slots=True)
class Withdraw:
    """It is gone."""

    known: Known
    by: str  # row | page
    reason: str


@dataclass(frozen=True, slots=True)
class Restore:
    """It is back."""

    known: Known
    reason: str


@dataclass(frozen=True, slots=True)
class Say:
    """A change about the source (or one notice, where `known` is given) that is not a version of a notice; `facts` are the
    numbers that its sentence names."""

    kind: Kind
    reason: str
    facts: tuple[tuple[str, object], ...]
    known: Known | None = None


Step = Add | Revise | Reread | Doubt | Settle | Readdress | Redate | Miss | Look | Withdraw | Restore | Say


@dataclass(frozen=True, slots=True)
class Seen:
    """One check's rows, in the list's order over all its pages. `first` is the number of rows on the first page; `more` whether
    a further page was wanted and not had (`limit` reached, or the last page came first); `paged`: a second page was had."""

    rows: tuple[Notice, ...]
    first: int
    complete: bool = False
    more: bool = False
    paged: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What a transaction has to do. `order` pairs each row's key with whether it is pinned."""

    outcome: Outcome
    steps: tuple[Step, ...]
    order: tuple[tuple[str, bool], ...]
    counts: tuple[int, ...]
    reason: str
