"""Take everything out again, for other programs and for archives: JSON lines, a table (CSV), or a folder of files.

What comes from outside is data in all three: no cell of the table is a formula, no name of a file a way out.
Nothing is overwritten, and what is there under the name that was asked for is whole: it is written beside it first.
"""

from __future__ import annotations

import contextlib
import csv
import json
import os
import shutil
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from monitor.cli.common import DONE, FAILED, counted, is_free, place, reading

if TYPE_CHECKING:
    from sqlite3 import Connection

#: What begins a formula in a spreadsheet, in the narrow and the wide form that programs for Chinese and Japanese take for it.
FORMULA = tuple("=+-@\t\r\n＝＋－＠")
#: Bytes of a name that file systems take, less what is put before it.
LONGEST = 150
COLUMNS = (
    "notice", "version", "source", "key", "state", "title", "url", "published", "seen_at", "reason", "first_seen", "last_seen",
    "number", "issuers", "signed", "attachments", "text",
)  # fmt: skip
Row = dict[str, Any]


@click.command()
@click.argument("file", metavar="FILE", default="-")
@click.option("--source", "sources", multiple=True, metavar="GLOB", help="Only these sources. Repeats.")
@click.option("--since", "since_", metavar="WHEN", help="First seen from a time, a date or an age on.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["json", "csv", "folder"]),
    help="Else by the name: x.csv, x/, JSON.",
)
@click.pass_context
def export(ctx: click.Context, file: str, sources: tuple[str, ...], since_: str | None, form: str | None) -> int:
    """Write notices with the text of all their versions to FILE ("-": standard output); never overwrites.

    As JSON lines, one notice a line; as CSV, one version a line; or as a folder, with the attachments as files.
    """
    from datetime import UTC, datetime

    from monitor.cli.listing import known_or_stored, since
    from monitor.store import lists

    where = place(ctx)
    form = form or ("folder" if file.endswith(("/", os.sep)) else "csv" if file.lower().endswith(".csv") else "json")
    moment = since(since_, where.timezone, datetime.now(UTC)) if since_ else None
    for name in sources:
        known_or_stored(where, name)
    if file == "-" and form == "folder":
        raise click.UsageError("a folder needs a name: monitor export --format folder DIR")
    if file != "-" and not is_free(Path(file)):
        return FAILED
    with reading(where) as store, store.read() as conn:
        ids = lists.export(conn, lists.Filter(sources, since=moment))
        if file == "-":
            _WRITERS[form](conn, ids, sys.stdout)
            return DONE
        with _beside(Path(file)) as made:
            if form == "folder":
                write_folder(conn, ids, made)
            else:
                with made.open("x", encoding="utf-8-sig" if form == "csv" else "utf-8", newline="") as out:
                    _WRITERS[form](conn, ids, out)
    click.echo(f"{counted(len(ids), 'notice')} written to {file}")
    return DONE


@contextlib.contextmanager
def _beside(file: Path) -> Iterator[Path]:
    """A name beside it to write under; it gets its own name when all is written, and is gone if it is not."""
    made = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        yield made
        made.rename(file)
    finally:
        if made.is_dir():
            shutil.rmtree(made, ignore_errors=True)
        else:
            made.unlink(missing_ok=True)


def whole(conn: Connection, ids: Iterable[int]) -> Iterator[Row]:
    """Each notice with the text and the files of each of its versions, oldest first."""
    from monitor.store import lists, notices

    for id_ in ids:
        found = lists.show(conn, id_)
        for version in found["versions"]:
            version["text"] = notices.text_of(conn, id_, version["seq"])
            version["attachments"] = lists.files_of(conn, id_, version["seq"])
        found["former_texts"] = lists.former_texts(conn, found)
        yield found


def write_json(conn: Connection, ids: Iterable[int], out: IO[str]) -> None:
    """One notice a line."""
    for found in whole(conn, ids):
        out.write(json.dumps(found, ensure_ascii=False) + "\n")


def write_csv(conn: Connection, ids: Iterable[int], out: IO[str]) -> None:
    """One version a line, under a line of headings (RFC 4180)."""
    table = csv.writer(out)
    table.writerow(COLUMNS)
    for found in whole(conn, ids):
        table.writerows(_lines(found))


def _lines(found: Row) -> Iterator[list[str]]:
    facts = found["facts"]
    for version in found["versions"]:
        row = {**found, **version, "notice": found["id"], "version": version["seq"]}
        row["number"], row["signed"] = facts.get("number"), facts.get("signed")
        row["issuers"] = "、".join(facts.get("issuers") or ())
        row["attachments"] = "\n".join(file["name"] for file in version["attachments"])
        yield [cell(row[column]) for column in COLUMNS]


def cell(value: object) -> str:
    """A cell that no spreadsheet takes for a formula: one that could be gets an apostrophe before it (OWASP, CSV Injection)."""
    said = "" if value is None else str(value)
    return "'" + said if said.startswith(FORMULA) else said


_WRITERS: Mapping[str, Callable[[Connection, Iterable[int], IO[str]], None]] = {"json": write_json, "csv": write_csv}


def write_folder(conn: Connection, ids: Iterable[int], folder: Path) -> None:
    """A folder a notice: `notice.json`, the text of each version and its page as the site sent it, each file that was fetched;
    `index.csv` has all versions."""
    folder.mkdir()
    with (folder / "index.csv").open("x", encoding="utf-8-sig", newline="") as out:
        table = csv.writer(out)
        table.writerow(("folder", *COLUMNS))
        for found in whole(conn, ids):
            place = f"{found['id']} {name_of(found['title'] or found['key'])}"
            table.writerows([place, *line] for line in _lines(found))
            _write_notice(conn, found, folder / place)


def _write_notice(conn: Connection, found: Row, folder: Path) -> None:
    from monitor.store import files, notices

    folder.mkdir()
    written: dict[str, str] = {}
    for version in found["versions"]:
        (folder / f"version {version['seq']}.txt").write_text(version["text"], "utf-8")
        if (page := notices.raw_of(conn, found["id"], version["seq"])) is not None:
            (folder / f"version {version['seq']}.raw").write_bytes(page)  # no name by which a click would run what is in it
        for file in version["attachments"]:
            sha256 = file["sha256"]
            if sha256 and sha256 not in written:
                data = files.blob(conn, sha256)
                if data is None:
                    continue
                written[sha256] = f"{len(written) + 1} {name_of(file['name'])}"
                (folder / written[sha256]).write_bytes(data)
            file["file"] = written.get(sha256)
    (folder / "notice.json").write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", "utf-8")


def name_of(said: str) -> str:
    """A name for a file that every system takes: no separators, no controls, no dots or spaces at its ends, not too long, with
    the suffix that it had."""
    plain = "".join("_" if char in '/\\:*?"<>|' or unicodedata.category(char)[0] == "C" else char for char in said).strip(" .")
    stem, dot, suffix = plain.rpartition(".")
    if not stem or len(suffix) > 10:
        stem, dot, suffix = plain, "", ""
    cut = stem.encode()[: LONGEST - len(suffix.encode())].decode(errors="ignore").strip(" .")
    return (cut or "_") + dot + suffix
