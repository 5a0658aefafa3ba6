"""The tables, as an append-only list of migrations, each in one transaction. It reads and writes no rows.

Plain columns, so that Datasette or `sqlite3` can read them: moments are ISO 8601 in UTC, dates `YYYY-MM-DD`, lists and maps JSON.
A former migration is never edited: a new one is added below, and `VERSION` grows with the list.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from monitor.errors import SchemaError

if TYPE_CHECKING:
    from sqlite_utils import Database, Migrations

#: "noti" in ASCII: `file` and others can tell whose database it is.
APPLICATION_ID = 0x6E6F7469

FIRST = """
CREATE TABLE sources (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, url TEXT NOT NULL, host TEXT NOT NULL, how TEXT NOT NULL,
    present INTEGER NOT NULL DEFAULT 1, paused INTEGER NOT NULL DEFAULT 0, health TEXT NOT NULL DEFAULT 'new',
    baseline_at TEXT, rejoin INTEGER NOT NULL DEFAULT 0, accept INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL DEFAULT '{}', etag TEXT, last_modified TEXT, body_hash TEXT, validated_at TEXT,
    next_due_at TEXT, asked_until TEXT, interval_s REAL, last_check TEXT, last_ok TEXT, outcome TEXT, error TEXT,
    error_reason TEXT, hint TEXT, fails INTEGER NOT NULL DEFAULT 0, failed_since TEXT, told INTEGER, moved TEXT, served TEXT,
    counts TEXT NOT NULL DEFAULT '[]', rows TEXT NOT NULL DEFAULT '[]', short TEXT, check_id INTEGER,
    notices INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX sources_due ON sources (next_due_at) WHERE present AND NOT paused;
CREATE INDEX sources_host ON sources (host);
CREATE TABLE checks (
    id INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, at TEXT NOT NULL, until TEXT NOT NULL,
    count INTEGER NOT NULL DEFAULT 1, outcome TEXT NOT NULL, error TEXT, detail TEXT, new INTEGER NOT NULL DEFAULT 0,
    revised INTEGER NOT NULL DEFAULT 0, withdrawn INTEGER NOT NULL DEFAULT 0, rows INTEGER NOT NULL DEFAULT 0,
    slowest_ms INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX checks_source ON checks (source, id);
CREATE INDEX checks_until ON checks (until);
CREATE TABLE notices (
    id INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, key TEXT NOT NULL, url TEXT, address TEXT,
    title TEXT NOT NULL, row_title TEXT NOT NULL, published TEXT, row_published TEXT, origin TEXT,
    text TEXT NOT NULL DEFAULT '', labels TEXT NOT NULL DEFAULT '[]', first_seen TEXT NOT NULL, last_seen TEXT NOT NULL,
    listed INTEGER NOT NULL DEFAULT 1, state TEXT NOT NULL DEFAULT 'present', gone_by TEXT, gone_at TEXT,
    missing INTEGER NOT NULL DEFAULT 0, baseline INTEGER NOT NULL DEFAULT 0, seq INTEGER NOT NULL DEFAULT 1,
    row_print TEXT NOT NULL, row_how TEXT NOT NULL, page_print TEXT, page_how TEXT,
    number TEXT, issuers TEXT, signed TEXT, cves TEXT,
    UNIQUE (source, key)
);
CREATE INDEX notices_source ON notices (source, id);
CREATE INDEX notices_address ON notices (address);
CREATE INDEX notices_seen ON notices (first_seen);
CREATE INDEX notices_absent ON notices (source) WHERE state = 'withdrawn';
CREATE TABLE versions (
    notice INTEGER NOT NULL REFERENCES notices (id) ON DELETE CASCADE, seq INTEGER NOT NULL, fingerprint TEXT NOT NULL,
    row_print TEXT, page_print TEXT, title TEXT NOT NULL, published TEXT, seen_at TEXT NOT NULL, how TEXT NOT NULL,
    reason TEXT NOT NULL, attachments TEXT, text BLOB, text_key INTEGER, raw BLOB, raw_key INTEGER,
    PRIMARY KEY (notice, seq)
);
CREATE TABLE doubts (
    notice INTEGER NOT NULL REFERENCES notices (id) ON DELETE CASCADE, aspect TEXT NOT NULL, print TEXT NOT NULL,
    since TEXT NOT NULL, PRIMARY KEY (notice, aspect)
) WITHOUT ROWID;
CREATE TABLE attachments (
    id INTEGER PRIMARY KEY AUTOINCREMENT, notice INTEGER NOT NULL REFERENCES notices (id) ON DELETE CASCADE,
    url TEXT NOT NULL, name TEXT NOT NULL, media_type TEXT, sha256 TEXT REFERENCES blobs (sha256), bytes INTEGER,
    first_seen TEXT NOT NULL, gone INTEGER NOT NULL DEFAULT 0, UNIQUE (notice, url)
);
CREATE INDEX attachments_sha256 ON attachments (sha256);
CREATE TABLE blobs (sha256 TEXT PRIMARY KEY, bytes INTEGER NOT NULL, at TEXT NOT NULL, data BLOB NOT NULL);
CREATE TABLE readings (
    id INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL,
    notice INTEGER NOT NULL REFERENCES notices (id) ON DELETE CASCADE, url TEXT NOT NULL, host TEXT NOT NULL,
    purpose TEXT NOT NULL, why TEXT NOT NULL, step INTEGER NOT NULL DEFAULT 0, due_at TEXT, attempts INTEGER NOT NULL DEFAULT 0,
    urgent INTEGER NOT NULL DEFAULT 0, gone INTEGER NOT NULL DEFAULT 0,
    last_error TEXT, read_at TEXT, etag TEXT, last_modified TEXT, body_hash TEXT,
    validated_at TEXT, UNIQUE (notice, url)
);
CREATE INDEX readings_due ON readings (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX readings_source ON readings (source, due_at);
CREATE TABLE changes (
    id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, source TEXT,
    notice INTEGER REFERENCES notices (id) ON DELETE CASCADE, from_version INTEGER, to_version INTEGER,
    reason TEXT NOT NULL, silence TEXT, at TEXT NOT NULL, detail TEXT NOT NULL DEFAULT '', hold_until TEXT, tried TEXT
);
CREATE INDEX changes_source ON changes (source, id);
CREATE INDEX changes_notice ON changes (notice, id);
CREATE INDEX changes_at ON changes (at);
CREATE INDEX changes_held ON changes (hold_until) WHERE hold_until IS NOT NULL;
CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT, change INTEGER NOT NULL REFERENCES changes (id) ON DELETE CASCADE,
    channel TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'pending', attempts INTEGER NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL, due_at TEXT NOT NULL, since TEXT NOT NULL, lease_until TEXT,
    sent_at TEXT, last_error TEXT, detail TEXT,
    route TEXT NOT NULL, digest INTEGER NOT NULL DEFAULT 0, plain INTEGER NOT NULL DEFAULT 0,
    alone INTEGER NOT NULL DEFAULT 0, parked INTEGER NOT NULL DEFAULT 0, message TEXT, UNIQUE (change, channel)
);
CREATE INDEX deliveries_due ON deliveries (channel, due_at) WHERE state IN ('pending', 'sending');
CREATE INDEX deliveries_state ON deliveries (state, id);
CREATE TABLE channels (
    id TEXT PRIMARY KEY, broken TEXT, broken_since TEXT, next_try_at TEXT, fails INTEGER NOT NULL DEFAULT 0,
    recent TEXT NOT NULL DEFAULT '[]'
) WITHOUT ROWID;
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""

#: What a notice says of itself: of each version, and of the newest in columns of the notice; `record` are the labels of its page.
FACTS = """
ALTER TABLE versions ADD COLUMN facts TEXT;
ALTER TABLE notices ADD COLUMN facts TEXT;
ALTER TABLE notices ADD COLUMN record TEXT NOT NULL DEFAULT '[]';
ALTER TABLE notices ADD COLUMN effective TEXT;
ALTER TABLE notices ADD COLUMN deadline TEXT;
ALTER TABLE notices ADD COLUMN due TEXT;
ALTER TABLE notices ADD COLUMN severity TEXT;
CREATE INDEX notices_number ON notices (number) WHERE number IS NOT NULL;
CREATE INDEX notices_effective ON notices (effective) WHERE effective IS NOT NULL;
CREATE INDEX notices_deadline ON notices (deadline) WHERE deadline IS NOT NULL;
CREATE INDEX notices_due ON notices (due) WHERE due IS NOT NULL;
CREATE TABLE reminders (
    notice INTEGER NOT NULL REFERENCES notices (id) ON DELETE CASCADE, fact TEXT NOT NULL, date TEXT NOT NULL,
    days INTEGER NOT NULL, change INTEGER NOT NULL REFERENCES changes (id) ON DELETE CASCADE,
    PRIMARY KEY (notice, fact, date, days)
) WITHOUT ROWID;
CREATE INDEX reminders_change ON reminders (change);
"""

#: Since when a source that answers well is told to say nothing new for unusually long.
QUIET = """
ALTER TABLE sources ADD COLUMN quiet_since TEXT;
"""

#: The title that a notice's own page has; NULL while it was not read.
PAGE_TITLE = """
ALTER TABLE notices ADD COLUMN page_title TEXT;
"""

#: The index of words: `notices.entry` is the entry of what a notice says now (NULL: not indexed yet). It holds no texts; its
#: terms are those of `monitor.search`, all of them ASCII, in which a single Chinese character is a beginning of five.
SEARCH = """
CREATE VIRTUAL TABLE terms USING fts5 (title, text, files, about, content='', tokenize='ascii', prefix='5');
ALTER TABLE notices ADD COLUMN entry INTEGER;
CREATE INDEX notices_entry ON notices (entry);
"""

#: The same document in several places. `marks`: by what candidates are found (64-bit hashes; those of former states stay, the
#: comparison judges); `copies`: that `notice` is the same document as `of`, by which signal and why; `document` is the first.
COPIES = """
CREATE TABLE marks (mark INTEGER NOT NULL, notice INTEGER NOT NULL, PRIMARY KEY (mark, notice)) WITHOUT ROWID;
CREATE TABLE copies (
    notice INTEGER PRIMARY KEY REFERENCES notices (id) ON DELETE CASCADE, document INTEGER NOT NULL,
    of INTEGER NOT NULL, signal TEXT NOT NULL, reason TEXT NOT NULL, at TEXT NOT NULL
);
CREATE INDEX copies_document ON copies (document);
"""

#: What stored files say; the words that OCR found in their pictures (`page` is JSON: lines with their places); pictures beside
#: files, in the order in which a page shows them. Texts stand apart from `blobs`, whose rows are read through all their bytes.
TEXTS = """
CREATE TABLE texts (
    sha256 TEXT PRIMARY KEY REFERENCES blobs (sha256) ON DELETE CASCADE, kind TEXT NOT NULL, reader TEXT NOT NULL,
    scans INTEGER NOT NULL DEFAULT 0, pages INTEGER, problem TEXT, text TEXT NOT NULL
);
CREATE TABLE words (
    sha256 TEXT NOT NULL REFERENCES blobs (sha256) ON DELETE CASCADE, engine TEXT NOT NULL, scan INTEGER NOT NULL,
    page TEXT NOT NULL, PRIMARY KEY (sha256, engine, scan)
);
ALTER TABLE attachments ADD COLUMN kind TEXT NOT NULL DEFAULT 'file';
ALTER TABLE attachments ADD COLUMN place INTEGER NOT NULL DEFAULT 0;
"""

#: Notices that change too often, of which versions wait to be told together.
SUMMED_UP = """
CREATE INDEX doubts_flapping ON doubts (since) WHERE aspect = 'flapping';
"""

#: Names and statements, oldest first. The `user_version` of a database that has them all is their number.
MIGRATIONS = (
    ("0001_first", FIRST),
    ("0002_facts", FACTS),
    ("0003_quiet", QUIET),
    ("0004_page_title", PAGE_TITLE),
    ("0005_search", SEARCH),
    ("0006_copies", COPIES),
    ("0007_texts", TEXTS),
    ("0008_summed_up", SUMMED_UP),
)
VERSION = len(MIGRATIONS)


def version_of(conn: sqlite3.Connection) -> int:
    """The schema's version in a database; 0 for a new file. Raises SchemaError where the file is another program's."""
    version: int = conn.execute("PRAGMA user_version").fetchone()[0]
    application: int = conn.execute("PRAGMA application_id").fetchone()[0]
    tables: int = conn.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if tables and application != APPLICATION_ID:
        raise SchemaError("this SQLite file was not written by monitor; name another `database`")
    return version


def newer(version: int) -> str:
    """What is said of a database that a newer program wrote."""
    return (
        f"it has schema {version}, this monitor knows {VERSION}: install the newer monitor, or restore the copy that the upgrade"
        " left beside it"
    )


def migrations() -> Migrations:
    """The list as sqlite-utils applies it."""
    from sqlite_utils import Migrations

    found = Migrations("monitor")
    for name, script in MIGRATIONS:
        found(name=name)(_runs(script))
    return found


def _runs(script: str) -> Callable[[Database], None]:
    def run(db: Database, /) -> None:
        for statement in script.split(";\n"):
            if statement.strip():
                db.execute(statement)

    return run


def migrate(conn: sqlite3.Connection) -> bool:
    """Bring the tables up to date; whether anything was done. Raises SchemaError where they are newer than the program."""
    version = version_of(conn)
    if version > VERSION:
        raise SchemaError(newer(version))
    if version == VERSION:
        return False
    conn.execute(f"PRAGMA application_id = {APPLICATION_ID}")  # first: what a process leaves that dies here is known as ours
    from sqlite_utils import Database  # slow to import, and seldom needed

    db: Any = Database(conn)
    migrations().apply(db)
    conn.execute(f"PRAGMA user_version = {VERSION}")
    return True
