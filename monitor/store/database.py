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
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from monitor.errors import InUse, SchemaError, StoreError
from monitor.store import schema

#: How long another program's lock on the file is waited for.
BUSY_MS = 30_000


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
            raise StoreError(f"{self.path} cannot be written ({error.strerror}): check the folder's owner and rights") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = self._holder(handle)
            os.close(handle)
            pid, since = holder.get("pid"), holder.get("since")
            raise InUse(f"already running, pid {pid} since {since}", pid=pid, since=since) from None
        os.ftruncate(handle, 0)
        now = datetime.now(UTC).astimezone().isoformat(timespec="seconds")
        os.pwrite(handle, json.dumps({"pid": os.getpid(), "since": now}).encode(), 0)
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

    def __init__(self, path: Path) -> None:
        uri = f"{path.absolute().as_uri()}?mode=ro"
        self.conn = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=BUSY_MS / 1000, check_same_thread=False)
        self.conn.row_factory = sqlite3.Row
        self.conn.execute("PRAGMA cache_size = -1000")

    def __del__(self) -> None:
        if (conn := getattr(self, "conn", None)) is not None:  # none where it could not be opened
            conn.close()


class Store:
    """The database. `write()` and `read()` give connections to the functions of the other modules of this room."""

    def __init__(self, path: Path, *, writable: bool = True) -> None:
        self.path = path
        self.writable = writable
        self._mutex = threading.RLock()
        self._local = threading.local()
        self._readers: weakref.WeakSet[_Reader] = weakref.WeakSet()
        self._lock = Lock(path)
        self._conn: sqlite3.Connection | None = None
        if writable:
            self._lock.take()
            try:
                self._conn = self._open_writer()
            except BaseException:
                self._lock.free()
                raise
        elif not path.exists():
            raise StoreError(f"{path} does not exist yet: `monitor check` or `monitor run` makes it")
        else:
            self._check_version()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open_writer(self) -> sqlite3.Connection:
        with _translated(self.path):
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
        schema.migrate(conn)

    def _check_version(self) -> None:
        with self.read() as conn:
            version = schema.version_of(conn)
        if version > schema.VERSION:
            raise SchemaError(f"{self.path} has schema {version}, this monitor knows {schema.VERSION}: install the newer monitor")
        if version < schema.VERSION:
            raise SchemaError(
                f"{self.path} has schema {version} of {schema.VERSION}: `monitor run` or `monitor check` upgrades it"
            )

    @contextlib.contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One write transaction (BEGIN IMMEDIATE): committed at the end, rolled back on any error."""
        if self._conn is None:
            raise StoreError(f"{self.path} was opened for reading")
        with self._mutex, _translated(self.path):
            self._conn.execute("BEGIN IMMEDIATE")
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
        with _translated(self.path):
            if reader is None:
                reader = self._local.reader = _Reader(self.path)
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
        self._lock.free()


def _copy(conn: sqlite3.Connection, target: Path) -> None:
    """Copied beside its place first: what has the final name is whole."""
    part = target.with_name(target.name + ".part")
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


@contextlib.contextmanager
def _translated(path: Path) -> Iterator[None]:
    """SQLite's errors as sentences that say what to do."""
    try:
        yield
    except sqlite3.IntegrityError:
        raise
    except sqlite3.DatabaseError as error:
        said = str(error)
        raise StoreError(f"{path}: {_advice(said)} (SQLite: {said})") from error
    except PermissionError as error:
        raise StoreError(f"{path} cannot be used ({error.strerror}): check its owner and rights") from error


def _advice(said: str) -> str:
    table = {
        "full": "the disk is full: nothing was lost, free some space",
        "readonly": "the database cannot be written: check the owner and rights of the file and its folder",
        "locked": "another program holds the database for longer than 30 s: close it",
        "unable to open": "the database cannot be opened: check that its folder exists and its rights",
        "not a database": "this file is not a database: move it aside, or restore a backup",
        "malformed": "the database is damaged: stop monitor, keep the file aside and restore the newest backup",
        "disk I/O": "the disk reports an error: check it before anything else",
    }
    return next((advice for word, advice in table.items() if word in said), "the database cannot be used")
