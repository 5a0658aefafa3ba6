"""One SQLite file: opened, locked, migrated; one writer, any number of readers. It knows no table.

WAL, synchronous=FULL (a commit is on the disk before the first byte goes to a channel), foreign keys on. The writer is one
connection behind a lock in the one process that holds the lock file; readers are read-only connections, one per thread.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import sqlite3
import threading
import weakref
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from monitor.errors import Damaged, InUse, OldSchema, SchemaError, StoreError
from monitor.store import damage, schema
from monitor.store.holders import locked_by, read_only, rights
from monitor.store.space import Space

Connection = sqlite3.Connection

#: How long another program's lock on the file is waited for.
BUSY_MS = 30_000

#: KiB of pages that a connection for reading keeps: one of the many threads of a daemon, a command of its own.
MANY, ALONE = 256, 4000


def stamp(moment: datetime) -> str:
    """A moment as the database keeps it: fixed width, so that it sorts as text."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


def moment(value: str | None) -> datetime | None:
    """The inverse of `stamp`."""
    return datetime.fromisoformat(value) if value else None


def dumps(value: Any) -> str:
    """Small JSON, the same bytes for the same value."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


class Lock:
    """The right to write: an flock on `<database>.lock`, whose text says who holds it. Freed when a process dies."""

    def __init__(self, database: Path) -> None:
        self.path = database.with_name(database.name + ".lock")
        self._handle: int | None = None

    def take(self) -> None:
        """Raises InUse, naming the process that holds it, or StoreError where the folder cannot be written."""
        try:
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            said = f"{self.path} cannot be written ({error.strerror}): check the folder's owner and rights"
            raise StoreError(f"{said} ({rights(self.path)})") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = self._holder(handle)
            os.close(handle)
            pid, since = holder.get("pid"), holder.get("since")
            who = f"already running, pid {pid} since {since}" if pid else "already running"
            said = f"{who}: it has {self.path.with_suffix('')}; wait until it has ended, or stop it"
            raise InUse(said, pid=pid, since=since) from None
        now = datetime.now(UTC).astimezone().isoformat(timespec="seconds")
        mine = json.dumps({"pid": os.getpid(), "since": now}).encode()
        with contextlib.suppress(OSError):  # a full disk: the lock holds, told or not
            os.ftruncate(handle, os.pwrite(handle, mine, 0))
        self._handle = handle

    @staticmethod
    def _holder(handle: int) -> dict[str, Any]:
        try:
            found = json.loads(os.pread(handle, 4096, 0) or b"{}")
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def free(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


class _Reader:
    """One thread's read-only connection. It is closed with its thread, which alone holds it, or by `Store.close`."""

    def __init__(self, path: Path, cache: int) -> None:
        uri = f"{path.absolute().as_uri()}?mode=ro"
        if read_only(path) and not path.with_name(path.name + "-wal").exists():
            uri += "&immutable=1"  # nobody writes there, and SQLite's own notes beside it could not be written
        self.conn = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=BUSY_MS / 1000, check_same_thread=False)
        self.conn.row_factory = sqlite3.Row
        self.conn.execute(f"PRAGMA cache_size = -{cache}")

    def __del__(self) -> None:
        if (conn := getattr(self, "conn", None)) is not None:  # none where it could not be opened
            conn.close()


class Store:
    """The database. `write()` and `read()` give connections to the functions of the other modules of this room."""

    def __init__(self, path: Path, *, writable: bool = True) -> None:
        self.path = path
        self.writable = writable
        self.broken: Damaged | None = None  # once damage was met, nothing more is written
        self.writes = 0  # write transactions that were begun: while it stands, what was read stands too
        self._mutex = threading.RLock()
        self._local = threading.local()
        self._readers: weakref.WeakSet[_Reader] = weakref.WeakSet()
        self._lock = Lock(path)
        self.space = Space(path)
        self._conn: sqlite3.Connection | None = None
        if writable:
            self._lock.take()
            try:
                self._conn = self._open_writer()
            except BaseException:
                self._lock.free()
                raise
            self.space.hold()
        elif not path.exists():
            raise StoreError(f"{path} does not exist yet: `monitor check` or `monitor run` makes it")
        else:
            self._check_version()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open_writer(self) -> sqlite3.Connection:
        if (found := damage.find(self.path, damage.AT_START)) is not None:
            raise Damaged(damage.advice(self.path, found))
        with self._translated():
            conn = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=BUSY_MS / 1000)
            try:
                schema.version_of(conn)  # another program's file is left as it is
                os.chmod(self.path, 0o600)
                if conn.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
                    raise StoreError(f"{self.path}: this file system does not allow write-ahead logging; use a local disk")
                conn.execute("PRAGMA synchronous = FULL")
                conn.execute("PRAGMA foreign_keys = ON")
                conn.execute("PRAGMA cache_size = -8000")
                self._migrate(conn)
            except BaseException:
                conn.close()
                raise
        conn.row_factory = sqlite3.Row
        return conn

    def _migrate(self, conn: sqlite3.Connection) -> None:
        version = schema.version_of(conn)
        if 0 < version < schema.VERSION:
            copy = self.path.with_name(f"{self.path.name}.before-schema-{schema.VERSION}")
            if not copy.exists():
                _copy(conn, copy)
            _part(copy).unlink(missing_ok=True)  # of a copy whose process was killed
        schema.migrate(conn)

    def _check_version(self) -> None:
        with self.read() as conn:
            version = schema.version_of(conn)
        if version > schema.VERSION:
            raise SchemaError(f"{self.path}: {schema.newer(version)}")
        if version < schema.VERSION:
            raise OldSchema(f"{self.path} has schema {version} of {schema.VERSION}: `monitor run` or `monitor check` upgrades it")

    @contextlib.contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One write transaction (BEGIN IMMEDIATE): committed at the end, rolled back on any error."""
        if self._conn is None:
            raise StoreError(f"{self.path} was opened for reading")
        if self.broken is not None:
            raise Damaged(str(self.broken))
        with self._mutex, self._translated():
            self._conn.execute("BEGIN IMMEDIATE")
            self.writes += 1
            try:
                yield self._conn
            except BaseException:
                if self._conn.in_transaction:
                    self._conn.execute("ROLLBACK")
                raise
            try:
                self._conn.execute("COMMIT")
            except BaseException:
                if self._conn.in_transaction:
                    self._conn.execute("ROLLBACK")
                raise

    @contextlib.contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """This thread's read-only connection; each statement sees the last commit."""
        reader: _Reader | None = getattr(self._local, "reader", None)
        with self._translated():
            if reader is None:
                reader = self._local.reader = _Reader(self.path, MANY if self._conn is not None else ALONE)
                with self._mutex:
                    self._readers.add(reader)
            yield reader.conn

    def backup(self, target: Path) -> int:
        """A sound copy of the database while others write, by SQLite's own online backup; its size in bytes. Never overwrites."""
        if target.exists():
            raise StoreError(f"{target} exists already and is not overwritten")
        with self.read() as conn:
            conn.execute("BEGIN")  # one snapshot: without it, the copy would begin anew with each commit of the writer
            try:
                conn.execute("SELECT count(*) FROM sqlite_master").fetchone()
                _copy(conn, target)
            finally:
                conn.execute("ROLLBACK")
        return target.stat().st_size

    def damage(self) -> str | None:
        """What SQLite's quick check finds wrong; None for a sound database."""
        with self.read() as conn:
            found: str = conn.execute("PRAGMA quick_check(1)").fetchone()[0]
        return None if found == "ok" else found

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        """SQLite's errors as sentences that say what to do; where the disk is full, the reserve is given back."""
        try:
            yield
        except sqlite3.IntegrityError:
            raise
        except SchemaError as error:
            if str(self.path) in str(error):
                raise
            raise SchemaError(f"{self.path}: {error}") from None
        except sqlite3.DatabaseError as error:
            raise self._said(str(error)) from error
        except PermissionError as error:
            raise StoreError(f"{self.path} cannot be used ({error.strerror}): {rights(self.path)}") from error

    def _said(self, said: str) -> StoreError:
        if damage.speaks_of_damage(said):
            found = damage.find(self.path, damage.THEN) or damage.Damage(said)
            self.broken = self.broken or Damaged(damage.advice(self.path, found))
            return Damaged(str(self.broken))
        if "locked" in said:
            pid = locked_by(self.path)
            who = f"pid {pid}" if pid else "another program"
            said = f"{self.path}: database in use by {who} for longer than {BUSY_MS / 1000:g} s: close it (SQLite: {said})"
            return InUse(said, pid=pid)
        if "full" in said:
            self.space.give()
        advice = _advice(said)
        return StoreError(f"{self.path}: {advice}{f' ({rights(self.path)})' if 'rights' in advice else ''} (SQLite: {said})")

    def close(self) -> None:
        """Close every connection; the lock goes last."""
        with self._mutex:
            for reader in list(self._readers):
                reader.conn.close()
            self._readers.clear()
            self._local = threading.local()
            if self._conn is not None:
                self._conn.close()
                self._conn = None
                self.space.give()
        self._lock.free()


def _part(target: Path) -> Path:
    return target.with_name(target.name + ".part")


def _copy(conn: sqlite3.Connection, target: Path) -> None:
    """Copied beside its place first: what has the final name is whole."""
    part = _part(target)
    part.unlink(missing_ok=True)
    try:
        handle = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except OSError as error:
        raise StoreError(f"{part} cannot be written ({error.strerror})") from error
    os.close(handle)
    try:
        copy = sqlite3.connect(part)
        try:
            conn.backup(copy, pages=1000)
            copy.execute("PRAGMA journal_mode = DELETE")
        finally:
            copy.close()
        try:
            os.link(part, target)
        except FileExistsError:
            raise StoreError(f"{target} exists already and is not overwritten") from None
    finally:
        part.unlink(missing_ok=True)


def _advice(said: str) -> str:
    table = {
        "full": "the disk is full: nothing was lost, free some space",
        "readonly": "the database cannot be written: check the owner and rights of the file and its folder",
        "unable to open": "the database cannot be opened: check that its folder exists and its rights",
        "disk I/O": "the disk reports an error: check it before anything else",
    }
    return next((advice for word, advice in table.items() if word in said), "the database cannot be used")


def chunks(values: Iterable[object], size: int = 500) -> Iterable[list[object]]:
    """`values` in lists short enough for one statement."""
    taken = list(values)
    for start in range(0, len(taken), size):
        yield taken[start : start + size]


def marks(values: Sequence[object]) -> str:
    """As many question marks as there are values."""
    return ",".join("?" * len(values))
