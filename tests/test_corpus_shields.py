"""Real shield pages are recognised, and nothing else of all that was collected is taken for one."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.shields import recognise

pytestmark = pytest.mark.corpus
#: Sites behind a shield set these with every page.
COOKIES = ("__jsluid_s", "acw_tc")
ARCHIVES = (
    "calfire_incidents_json", "cisa_kev_json", "cnvd_list_polls", "cnvd_records", "daily_feed_digest", "gb2260_mca_code_tables",
    "miit_stats_list_md", "ota_raw_html", "ota_text",
)  # fmt: skip


def test_every_real_shield_page_is_recognised(corpus: Path) -> None:
    found = {path.name: recognise(200, (), path.read_bytes()) for path in (corpus / "gov_pages" / "waf").iterdir()}
    assert len(found) == 4
    assert {shield.name for shield in found.values() if shield} == {"加速乐", "知道创宇 创宇盾"}
    assert all(found.values())


def taken(files: Iterator[tuple[str, bytes]]) -> tuple[int, list[str]]:
    """How many files, and which are taken for a shield's: with status 200 and a shield's cookies, or as a refusal."""
    count, found = 0, []
    for name, body in files:
        count += 1
        if recognise(200, COOKIES, body) or recognise(403, (), body):
            found.append(name)
    return count, found


@pytest.mark.parametrize(
    ("folder", "least"), [("gov_pages", 60), ("wechat", 350), ("feeds", 500), ("documents", 45), ("diff_ground_truth", 60)]
)
def test_no_page_feed_article_or_document_is_taken_for_one(corpus: Path, folder: str, least: int) -> None:
    paths = (path for path in sorted((corpus / folder).rglob("*")) if path.is_file() and "waf" not in path.parts)
    count, found = taken((path.name, path.read_bytes()) for path in paths)
    assert count >= least
    assert found == []


def versions(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.name == "versions.tar.xz":
            with tarfile.open(path) as archive:
                for member in archive:
                    if member.isfile() and (file := archive.extractfile(member)) is not None:
                        yield f"{path.parent.name}/{member.name}", file.read()
        elif path.is_file():
            yield path.name, path.read_bytes()


@pytest.mark.parametrize("folder", ARCHIVES)
def test_no_version_of_any_history_is_taken_for_one(corpus: Path, folder: str) -> None:
    count, found = taken(versions(corpus / "histories" / folder))
    assert count >= 2
    assert found == []


def test_every_folder_of_the_collection_is_looked_through(corpus: Path) -> None:
    assert {path.name for path in corpus.iterdir() if path.is_dir()} == {
        "gov_pages", "wechat", "feeds", "documents", "diff_ground_truth", "histories",
    }  # fmt: skip
    assert {path.name for path in (corpus / "histories").iterdir() if path.is_dir()} == set(ARCHIVES)
