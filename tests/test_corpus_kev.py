"""47 real versions of a catalogue of 1,250 to 1,330 rows, one of them published truncated, through the real fetch, parse, decide
and store: what is told is what a plain comparison of dictionaries finds, row for row, and nothing else."""

from __future__ import annotations

import hashlib
import json
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from monitor.store import notices
from tests.house import House, Site

FIELDS = (
    "vendorProject",
    "product",
    "shortDescription",
    "requiredAction",
    "dueDate",
    "knownRansomwareCampaignUse",
    "notes",
    "cwes",
)
SOURCE = """
[[source]]
id = "kev"
kind = "json"
url = "{url}/kev.json"
items = "vulnerabilities"
key = "cveID"
title = "vulnerabilityName"
date = "dateAdded"
text = {fields}
complete = true
""".replace("{fields}", json.dumps(FIELDS))

Row = dict[str, Any]


@pytest.fixture(scope="module")
def versions(corpus: Path) -> list[bytes]:
    """The bytes of every version, in the order of time."""
    with tarfile.open(corpus / "histories" / "cisa_kev_json" / "versions.tar.xz") as archive:
        members = sorted((member for member in archive if member.isfile()), key=lambda member: member.name)
        return [data.read() for member in members if (data := archive.extractfile(member)) is not None]


@pytest.fixture
def kev() -> Iterator[Site]:
    made = Site()
    yield made
    made.close()


def rows_of(body: bytes) -> dict[str, Row] | None:
    """The rows by their ids; None where the bytes are not whole JSON."""
    try:
        return {row["cveID"]: row for row in json.loads(body)["vulnerabilities"]}
    except ValueError:
        return None


def named(house: House, changes: list[dict[str, Any]], kind: str) -> list[str]:
    """The keys of the notices that changes of a kind are about."""
    with house.loops.store.read() as conn:
        found = [notices.row(conn, change["notice"]) for change in changes if change["kind"] == kind]
    return sorted(row["key"] for row in found if row is not None)


def fields_changed(house: House, change: dict[str, Any]) -> set[str]:
    """The names at the head of the lines that differ between the two versions of a change."""
    with house.loops.store.read() as conn:
        before, after = (notices.text_of(conn, change["notice"], change[side]) for side in ("from_version", "to_version"))
    return {line.partition(":")[0] for line in set(before.splitlines()) ^ set(after.splitlines())}


@pytest.mark.corpus
def test_every_added_and_altered_row_is_told_and_no_other(versions: list[bytes], kev: Site, tmp_path: Path) -> None:
    assert len(versions) == 47
    kev.bodies["/kev.json"] = versions[0]
    house = House(tmp_path, kev, SOURCE)
    try:
        assert house.check()["kev"].outcome == "baseline"
        before = rows_of(versions[0])
        assert before is not None
        told, added, altered, failed, cpu = 0, 0, 0, [], 0.0
        for number, body in enumerate(versions[1:], 1):
            house.clock.on(hours=12)
            kev.bodies["/kev.json"] = body
            started = time.process_time()
            report = house.check()["kev"]
            cpu += time.process_time() - started
            changes = [change for change in house.changes()[told:] if change["kind"] not in ("failing", "recovered")]
            told += len(changes)
            now = rows_of(body)
            if now is None:
                failed.append(number)
                assert (report.outcome, changes) == ("failed", []), number
                continue
            new = now.keys() - before.keys()
            other = {key for key in now.keys() & before.keys() if now[key] != before[key]}
            assert named(house, changes, "new") == sorted(new), number
            assert named(house, changes, "revised") == sorted(other), number
            assert len(changes) == len(new) + len(other), number
            fields = {(key, name) for key in other for name in FIELDS if now[key][name] != before[key][name]}
            for change in (change for change in changes if change["kind"] == "revised"):
                (key,) = named(house, [change], "revised")
                assert fields_changed(house, change) == {name for altered_, name in fields if altered_ == key}, (number, key)
            added, altered, before = added + len(new), altered + len(other), now
        assert failed == [23]
        assert {notice["key"]: notice["state"] for notice in house.notices()} == dict.fromkeys(before, "present")
        print(
            f"{len(versions) - 1} checks: {added} rows added, {altered} altered, all told; false: 0; truncated: {failed}; "
            f"{cpu / (len(versions) - 1) * 1000:.0f} ms CPU a check"
        )
    finally:
        house.close()


@pytest.mark.corpus
def test_each_publication_in_other_bytes_is_unchanged(versions: list[bytes], kev: Site, tmp_path: Path) -> None:
    kev.bodies["/kev.json"] = versions[-1]
    house = House(tmp_path, kev, SOURCE)
    try:
        house.check()
        value = json.loads(versions[-1])
        for indent in (None, 1, 8):
            kev.bodies["/kev.json"] = json.dumps(value, indent=indent, sort_keys=indent == 1).encode()
            assert hashlib.sha256(kev.bodies["/kev.json"]).digest() != hashlib.sha256(versions[-1]).digest()
            assert house.check()["kev"].outcome == "unchanged"
        assert house.changes() == []
    finally:
        house.close()
