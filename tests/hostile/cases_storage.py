"""Cases of storage: what is done to the database or to the clock, and what must be seen. `test_storage.py` does it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Refusal:
    """A database that cannot be used: `monitor run` and `monitor check` end with `code`, and the sentence holds `says`.

    `{path}`, `{pid}`, `{owner}`, `{mode}`, `{backup}` and `{schema}` are filled in by the test.
    """

    id: str
    covers: tuple[tuple[str, str], ...]
    code: int
    says: tuple[str, ...]
    untouched: bool = True  # the file is the same, byte for byte, afterwards


REFUSALS = (
    Refusal("read-only-file", (("not writable", "read-only"),), 4, ("{path}", "{owner}", "{mode}")),
    Refusal("read-only-folder", (("not writable", "read-only"),), 4, ("{folder}",)),
    Refusal("another-owner", (("not writable", "wrong owner"),), 4, ("{path}", "{owner}", "{mode}")),
    Refusal(
        "damaged-in-the-middle",
        (("damaged", "quick_check's word"), ("damaged", "newest sound backup"), ("damaged", "never overwritten")),
        4,
        ("{path}", "{quick_check}", "{backup}", "mv"),
    ),
    Refusal("damaged-without-a-backup", (("damaged", "quick_check's word"), ("damaged", "never overwritten")), 4, ("{path}",)),
    Refusal("damaged-head", (("damaged", "never overwritten"),), 4, ("{path}",)),
    Refusal("not-a-database", (("damaged", "never overwritten"),), 4, ("{path}", "not a database")),
    Refusal("cut-to-half", (("damaged", "never overwritten"),), 4, ("{path}",)),
    Refusal("newer-schema", (("schema", "newer than the program"),), 4, ("{newer}", "{schema}")),
    Refusal("already-running", (("two daemons", "already running"),), 3, ("already running", "pid {pid}", "since")),
    Refusal("locked-for-long", (("locked", "by another program"),), 3, ("in use", "pid {pid}")),
)

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")


@dataclass(frozen=True)
class Jump:
    """The clock goes from `at` by `by` at once, while nothing is asked; then an interval is lived tick by tick."""

    id: str
    covers: tuple[tuple[str, str], ...]
    by: timedelta
    at: datetime = datetime(2026, 1, 12, 10, 0, tzinfo=SHANGHAI)
    zone: str = "Asia/Shanghai"
    checks: int = 1  # of each source within one interval after the jump: late ones run once
    schedule: str = 'every = "15m"'


JUMPS = (
    Jump("back-an-hour", (("clock", "back"),), timedelta(hours=-1)),
    Jump("back-a-day", (("clock", "back"),), timedelta(days=-1)),
    Jump("back-to-1970", (("clock", "back"),), timedelta(days=-56 * 365)),
    Jump("forward-an-hour", (("clock", "forward"),), timedelta(hours=1)),
    Jump("forward-a-year", (("clock", "forward"),), timedelta(days=365)),
    Jump("suspended-for-a-night", (("clock", "suspend"),), timedelta(hours=9)),
    Jump("suspended-for-a-week", (("clock", "suspend"),), timedelta(days=7)),
    Jump(
        "summer-time-begins",
        (("clock", "daylight saving"),),
        timedelta(0),
        datetime(2026, 3, 29, 1, 55, tzinfo=BERLIN),
        "Europe/Berlin",
    ),
    Jump(
        "summer-time-ends",
        (("clock", "daylight saving"),),
        timedelta(0),
        datetime(2026, 10, 25, 2, 55, tzinfo=BERLIN),
        "Europe/Berlin",
    ),
)
