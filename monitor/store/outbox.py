"""The outbox: what is owed to each channel, claimed, settled, parked. One row a (change, channel); only a receipt closes it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from monitor.model import NO_FACTS, Attachment, Change, Delivery, DeliveryState, Facts, Version, When, when_from
from monitor.store import changes, copies, files, notices, said
from monitor.store.database import chunks, dumps, marks, moment, stamp


@dataclass(frozen=True, slots=True)
class Debt:
    """One delivery to be written: to which channel, when, by which route."""

    channel: str
    due_at: datetime
    route: str
    digest: bool = False


def owe(conn: sqlite3.Connection, change: int, debts: Iterable[Debt], now: datetime) -> int:
    """Write deliveries; one that exists stands, or becomes due sooner where it was not tried yet: a route that matches later, by
    a word of an annex, may be more urgent than the one before. The number written anew."""
    written = 0
    for debt in debts:
        due, at = stamp(debt.due_at), stamp(now)
        new = conn.execute(
            "INSERT INTO deliveries (change, channel, created_at, due_at, since, route, digest) VALUES (?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (change, channel) DO NOTHING",
            (change, debt.channel, at, due, due, debt.route, int(debt.digest)),
        ).rowcount
        if not new:
            conn.execute(
                "UPDATE deliveries SET due_at = ?, since = ?, route = ?, digest = ? WHERE change = ? AND channel = ?"
                " AND state = 'pending' AND attempts = 0 AND due_at > ?",
                (due, due, debt.route, int(debt.digest), change, debt.channel, due),
            )
        written += new
    return written


def owes(conn: sqlite3.Connection, change: int) -> bool:
    """Whether a change has any delivery."""
    return conn.execute("SELECT 1 FROM deliveries WHERE change = ?", (change,)).fetchone() is not None


def channels_of(conn: sqlite3.Connection, change: int) -> list[str]:
    """The channels that a change is owed to, or was sent on."""
    rows = conn.execute("SELECT channel FROM deliveries WHERE change = ? ORDER BY channel", (change,))
    return [row["channel"] for row in rows]


def start(conn: sqlite3.Connection) -> int:
    """At start every claim is void: the lock makes this process the only sender. The number of deliveries freed."""
    return conn.execute("UPDATE deliveries SET state = 'pending', lease_until = NULL WHERE state = 'sending'").rowcount


def sync(conn: sqlite3.Connection, channels: Iterable[str]) -> int:
    """Make the tables follow the config: what is owed to a channel that left is expired. The number of such deliveries."""
    wanted = set(channels)
    for id_ in sorted(wanted):
        conn.execute("INSERT INTO channels (id) VALUES (?) ON CONFLICT DO NOTHING", (id_,))
    owed = {
        row["channel"] for row in conn.execute("SELECT DISTINCT channel FROM deliveries WHERE state IN ('pending', 'sending')")
    }
    gone = 0
    for id_ in sorted(owed - wanted):
        gone += conn.execute(
            "UPDATE deliveries SET state = 'expired', last_error = 'the channel left the configuration'"
            " WHERE channel = ? AND state IN ('pending', 'sending')",
            (id_,),
        ).rowcount
    for row in conn.execute("SELECT id FROM channels").fetchall():
        if row["id"] not in wanted:
            conn.execute("DELETE FROM channels WHERE id = ?", (row["id"],))
    return gone


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """What is remembered of a channel: whether it is broken, when it may be tried next, what it was sent in the last minute;
    `fails` counts the tries in a row that failed for a reason that may pass; a request to wait ends them: it is an answer."""

    id: str
    broken: str | None
    broken_since: datetime | None
    next_try_at: datetime | None
    recent: tuple[datetime, ...]
    fails: int = 0

    @property
    def doubtful(self) -> bool:
        """Whether its last answer was a failure: one message tries it before all the others follow."""
        return self.broken is not None or self.fails > 0


def channel(conn: sqlite3.Connection, channel_id: str) -> ChannelRow:
    """One channel; a blank one where nothing is remembered."""
    row = conn.execute("SELECT * FROM channels WHERE id = ?", (channel_id,)).fetchone()
    if row is None:
        return ChannelRow(channel_id, None, None, None, ())
    recent = tuple(datetime.fromisoformat(at) for at in json.loads(row["recent"]))
    return ChannelRow(channel_id, row["broken"], moment(row["broken_since"]), moment(row["next_try_at"]), recent, row["fails"])


def due_channels(conn: sqlite3.Connection, now: datetime) -> list[str]:
    """Channels to which something is due, or that are broken with something parked, and which may be tried."""
    rows = conn.execute(
        "SELECT DISTINCT d.channel FROM deliveries d LEFT JOIN channels c ON c.id = d.channel WHERE d.state = 'pending'"
        " AND d.due_at <= ? AND (c.next_try_at IS NULL OR c.next_try_at <= ?)"
        " UNION SELECT c.id FROM channels c WHERE c.broken IS NOT NULL AND (c.next_try_at IS NULL OR c.next_try_at <= ?)"
        " AND EXISTS (SELECT 1 FROM deliveries d WHERE d.state = 'refused' AND d.channel = c.id AND d.parked)",
        (stamp(now), stamp(now), stamp(now)),
    )
    return sorted(row["channel"] for row in rows)


def due(
    conn: sqlite3.Connection, channel_id: str, now: datetime, limit: int, *, least_tried_first: bool = False
) -> list[Delivery]:
    """What is due to a channel, oldest change first; or what was tried least, so that none stands in the way of all others."""
    order = "attempts, change" if least_tried_first else "change"
    rows = conn.execute(
        f"SELECT * FROM deliveries WHERE channel = ? AND state = 'pending' AND due_at <= ? ORDER BY {order} LIMIT ?",  # noqa: S608 - one of two fixed orders
        (channel_id, stamp(now), limit),
    )
    return [of(row) for row in rows]


def parked(conn: sqlite3.Connection, channel_id: str) -> list[Delivery]:
    """The delivery that a broken channel is tried with where nothing else is due: of those it refused, the one tried least."""
    rows = conn.execute(
        "SELECT * FROM deliveries WHERE state = 'refused' AND channel = ? AND parked ORDER BY attempts, change LIMIT 1",
        (channel_id,),
    )
    return [of(row) for row in rows]


def claimed(conn: sqlite3.Connection, channel_id: str) -> list[Delivery]:
    """What is being sent to a channel now."""
    rows = conn.execute("SELECT * FROM deliveries WHERE channel = ? AND state = 'sending' ORDER BY change", (channel_id,))
    return [of(row) for row in rows]


def claim(conn: sqlite3.Connection, ids: Iterable[int], until: datetime) -> None:
    """They are being sent, by this process, until the lease is over."""
    conn.executemany(
        "UPDATE deliveries SET state = 'sending', lease_until = ? WHERE id = ?", [(stamp(until), id_) for id_ in ids]
    )


def of(row: sqlite3.Row) -> Delivery:
    """A row of the table as the noun."""
    return Delivery(
        row["id"],
        row["change"],
        row["channel"],
        DeliveryState(row["state"]),
        row["attempts"],
        datetime.fromisoformat(row["created_at"]),
        datetime.fromisoformat(row["due_at"]),
        row["last_error"],
        moment(row["sent_at"]),
        bool(row["digest"]),
        bool(row["plain"]),
        bool(row["alone"]),
        datetime.fromisoformat(row["since"]),
        bool(row["parked"]),
    )


def sent(conn: sqlite3.Connection, ids: Iterable[int], now: datetime, detail: str, message: str) -> None:
    """The service took them in one message."""
    conn.executemany(
        "UPDATE deliveries SET state = 'sent', sent_at = ?, lease_until = NULL, last_error = NULL, detail = ?, message = ?,"
        " attempts = attempts + 1, parked = 0 WHERE id = ?",
        [(stamp(now), detail or None, message, id_) for id_ in ids],
    )


def again(conn: sqlite3.Connection, ids: Iterable[int], due_at: datetime, error: str | None, *, tried: bool) -> None:
    """Back to pending; `tried` whether this counts as an attempt."""
    conn.executemany(
        "UPDATE deliveries SET state = 'pending', lease_until = NULL, due_at = max(due_at, ?), attempts = attempts + ?,"
        " last_error = coalesce(?, last_error) WHERE id = ?",
        [(stamp(due_at), int(tried), error, id_) for id_ in ids],
    )


def close(conn: sqlite3.Connection, ids: Iterable[int], state: DeliveryState, error: str, *, parked: bool = False) -> None:
    """Refused or expired; `parked` where the channel is to blame: it is tried with it, and its first success puts it back."""
    conn.executemany(
        "UPDATE deliveries SET state = ?, lease_until = NULL, attempts = attempts + 1, last_error = ?, parked = ? WHERE id = ?",
        [(state, error, int(parked), id_) for id_ in ids],
    )


def simplify(conn: sqlite3.Connection, ids: Iterable[int], error: str, *, plain: bool) -> None:
    """The content was refused: a lone one goes again as title and link, the rows of a group go again one by one."""
    column = "plain" if plain else "alone"
    conn.executemany(
        f"UPDATE deliveries SET state = 'pending', lease_until = NULL, attempts = attempts + 1, last_error = ?, {column} = 1"  # noqa: S608 - one of two fixed names
        " WHERE id = ?",
        [(error, id_) for id_ in ids],
    )


def blame_channel(conn: sqlite3.Connection, ids: Iterable[int]) -> None:
    """They were refused on the channel's account: if they are again after it took others, it is on their own."""
    conn.executemany("UPDATE deliveries SET parked = 1 WHERE id = ?", [(id_,) for id_ in ids])


def apart(conn: sqlite3.Connection, ids: Iterable[int]) -> None:
    """They never go in one message with others again."""
    conn.executemany("UPDATE deliveries SET alone = 1 WHERE id = ?", [(id_,) for id_ in ids])


def retry(conn: sqlite3.Connection, ids: Sequence[int], now: datetime, channels: Collection[str] | None = None) -> list[int]:
    """Put refused and expired deliveries back, as if they had never been tried; all of them where none is named, of `channels`
    alone where those are given. Those that were put back. Their channels are tried at once, except where one asked to wait."""
    rows = [row for row in _over(conn, ids) if channels is None or row["channel"] in channels]
    for row in rows:
        conn.execute(
            "UPDATE deliveries SET state = 'pending', due_at = ?, since = ?, attempts = 0, plain = 0, alone = 0, parked = 0"
            " WHERE id = ?",
            (stamp(now), stamp(now), row["id"]),
        )
    for id_ in sorted({row["channel"] for row in rows}):
        conn.execute("UPDATE channels SET next_try_at = NULL WHERE id = ? AND (broken IS NOT NULL OR fails > 0)", (id_,))
    return [row["id"] for row in rows]


def homeless(conn: sqlite3.Connection, ids: Sequence[int], channels: Collection[str]) -> list[int]:
    """Those of the refused and expired deliveries, all of them where none is named, whose channel is none of these."""
    return [row["id"] for row in _over(conn, ids) if row["channel"] not in channels]


def _over(conn: sqlite3.Connection, ids: Sequence[int]) -> list[sqlite3.Row]:
    """The refused and expired deliveries, or those of them that are named."""
    if not ids:
        return conn.execute("SELECT id, channel FROM deliveries WHERE state IN ('refused', 'expired') ORDER BY id").fetchall()
    return [row for part in chunks(ids) for row in conn.execute(
        f"SELECT id, channel FROM deliveries WHERE state IN ('refused', 'expired') AND id IN ({marks(part)})", part)]  # noqa: S608 - only question marks are put in  # fmt: skip


def missing(conn: sqlite3.Connection, ids: Sequence[int]) -> list[int]:
    """Those of the ids that are no delivery."""
    found = {row["id"] for part in chunks(ids) for row in conn.execute(
        f"SELECT id FROM deliveries WHERE id IN ({marks(part)})", part)}  # noqa: S608 - only question marks are put in  # fmt: skip
    return [id_ for id_ in ids if id_ not in found]


def spent(conn: sqlite3.Connection, channel_id: str, times: Sequence[datetime]) -> None:
    """Remember what a channel was sent in the last minute: it outlives a restart."""
    conn.execute("UPDATE channels SET recent = ? WHERE id = ?", (dumps([stamp(at) for at in times]), channel_id))


def wait(conn: sqlite3.Connection, channel_id: str, until: datetime | None, fails: int | None = None) -> None:
    """Try a channel no sooner than `until`; `fails` how many tries failed in a row, None where that stands."""
    conn.execute(
        "UPDATE channels SET next_try_at = ?, fails = coalesce(?, fails) WHERE id = ?",
        (stamp(until) if until else None, fails, channel_id),
    )


def broken(conn: sqlite3.Connection, channel_id: str, reason: str, now: datetime, until: datetime) -> bool:
    """The channel refuses everything; whether that is news."""
    row = conn.execute("SELECT broken FROM channels WHERE id = ?", (channel_id,)).fetchone()
    conn.execute(
        "UPDATE channels SET broken = ?, broken_since = coalesce(broken_since, ?), next_try_at = ? WHERE id = ?",
        (reason, stamp(now), stamp(until), channel_id),
    )
    return row is not None and row["broken"] is None


def mended(conn: sqlite3.Connection, channel_id: str, now: datetime) -> int:
    """The channel takes messages again: what waited on its account is due now, and its time begins anew; what was parked is owed
    again. The number put back."""
    conn.execute(
        "UPDATE channels SET broken = NULL, broken_since = NULL, next_try_at = NULL, fails = 0 WHERE id = ?", (channel_id,)
    )
    conn.execute(
        "UPDATE deliveries SET since = max(since, ?), due_at = CASE WHEN attempts THEN min(due_at, ?) ELSE due_at END"
        " WHERE channel = ? AND state = 'pending'",
        (stamp(now), stamp(now), channel_id),
    )
    return conn.execute(
        "UPDATE deliveries SET state = 'pending', due_at = ?, since = ? WHERE channel = ? AND state = 'refused' AND parked",
        (stamp(now), stamp(now), channel_id),
    ).rowcount


# --- what a message is made of


@dataclass(frozen=True, slots=True)
class Owed:
    """One change with all that a message says of it. `thread` is the id of the first message about the document on this channel;
    `also`: where else it is seen; `gone`: where it was withdrawn."""

    change: Change
    title: str
    url: str | None
    published: When | None
    labels: tuple[tuple[str, str], ...]
    before: Version | None
    after: Version | None
    attachments: tuple[Attachment, ...]
    thread: str | None
    facts: Facts = NO_FACTS
    also: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


def owed(conn: sqlite3.Connection, change_id: int, channel_id: str) -> Owed | None:
    """All that a message about a change says, as it is now; None where the change is gone."""
    change = changes.load(conn, change_id)
    if change is None:
        return None
    row = None
    if change.notice is not None:
        row = conn.execute("SELECT * FROM notices WHERE id = ?", (change.notice,)).fetchone()
    if row is None:
        url = conn.execute("SELECT url FROM sources WHERE id = ?", (change.source,)).fetchone() if change.source else None
        return Owed(change, change.source or "", url["url"] if url else None, None, (), None, None, (), None)
    labels = [(name, value) for name, value in json.loads(row["labels"])]
    labels += [("issuer", row["origin"])] if row["origin"] and not row["issuers"] else []
    seen = [row["id"], *copies.others(conn, row["id"])]
    first = conn.execute(
        f"SELECT d.message FROM deliveries d JOIN changes c ON c.id = d.change WHERE c.notice IN ({marks(seen)})"  # noqa: S608 - only question marks are put in
        " AND d.channel = ? AND d.state = 'sent' AND d.message IS NOT NULL ORDER BY d.sent_at, d.id LIMIT 1",
        (*seen, channel_id),
    ).fetchone()
    return Owed(
        change,
        row["title"],
        row["url"],
        when_from(row["published"]),
        tuple(labels),
        files.version_with_texts(conn, notices.version(conn, row["id"], change.before)),
        files.version_with_texts(conn, notices.version(conn, row["id"], change.after)),
        files.with_texts(conn, files.attachments_of(conn, row["id"])),
        first["message"] if first else None,
        said.load(row["facts"]),
        *copies.places(conn, row["id"]),
    )
