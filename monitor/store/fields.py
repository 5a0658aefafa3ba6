"""What a notice says, field by field, as queries look at it: the match of a route, and a search. It judges nothing."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping

from monitor.facts import Bodies
from monitor.model import Facts, when_text
from monitor.store import said

#: Fields that a notice and its labels both may fill: what both say is said.
_JOINED = frozenset({"issuer", "cve"})


def labels_of(row: sqlite3.Row) -> tuple[tuple[str, str], ...]:
    """What a notice's row and the record of its page say in labels: name and value."""
    return tuple((name, value) for column in ("labels", "record") for name, value in json.loads(row[column]))


def fields_of(conn: sqlite3.Connection, row: sqlite3.Row, bodies: Bodies) -> dict[str, str]:
    """The fields of a whole row of `notices`: a body that issued it stands there under all its names, and beside the names of its
    annexes what its files and pictures say."""
    found = said_by(labels_of(row), said.load(row["facts"]), row["origin"] or "", bodies)
    texts = conn.execute(
        "SELECT t.text FROM attachments a JOIN texts t ON t.sha256 = a.sha256 WHERE a.notice = ? AND NOT a.gone AND t.text <> ''"
        " ORDER BY a.place, a.id",
        (row["id"],),
    )
    found["annex"] = "\n".join((found["annex"], *(text["text"] for text in texts))).strip("\n")
    return found | {"title": row["title"], "text": row["text"], "url": row["url"] or ""}


def said_by(labels: Iterable[tuple[str, str]], facts: Facts, origin: str, bodies: Bodies) -> dict[str, str]:
    """The fields that labels and facts give; `origin`: from where a copy says that it is."""
    found: dict[str, str] = {}
    for name, value in labels:
        found[name] = f"{found[name]} {value}" if found.get(name) else value
    return found | _facts(facts, found, origin, bodies)


def _facts(facts: Facts, labels: Mapping[str, str], origin: str, bodies: Bodies) -> dict[str, str]:
    """What the notice says of itself; what its labels say of the same counts too."""
    found = {
        "number": facts.number,
        "issuer": " ".join((*(name for body in facts.issuers for name in bodies.names(body)), origin)),
        "doctype": facts.kind,
        "addressee": " ".join(facts.addressees),
        "annex": " ".join(facts.annexes),
        "signed": when_text(facts.signed),
        "effective": when_text(facts.effective),
        "deadline": when_text(facts.deadline),
        "cve": " ".join((*facts.cves, *facts.ids)),
        "severity": facts.severity,
        "cvss": None if facts.cvss is None else str(facts.cvss),
        "exploited": None if facts.exploited is None else "yes" if facts.exploited else "no",
        "due": when_text(facts.due),
    }
    return {
        name: " ".join(part for part in (value, labels.get(name)) if part) if name in _JOINED else value or labels.get(name, "")
        for name, value in found.items()
    }
