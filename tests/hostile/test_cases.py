"""A hostile site: each case of the tables is played from baseline to recovery, and the promises hold at every step."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from monitor.fetch import close, fetch, tls
from tests.hostile import certificates, play, play_channels
from tests.hostile.cases import CASES
from tests.hostile.cases_channel import CASES as CHANNEL_CASES
from tests.hostile.cases_channel import ChannelCase
from tests.hostile.table import Case
from tests.hostile.world import Names


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[Names]:
    """Names are looked up in the case's own table: nothing leaves the machine."""
    own = Names()
    defaults: dict[str, Any] = fetch.__kwdefaults__
    monkeypatch.setitem(defaults, "resolve", own)
    yield own
    own.over.set()


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    roots = tmp_path / "roots.pem"
    certificates.authority().cert_pem.write_to_path(roots)
    monkeypatch.setenv("SSL_CERT_FILE", str(roots))
    close()
    tls.forget()
    yield
    close()
    tls.forget()


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, id=f"{case.family}-{case.id}", marks=[pytest.mark.slow] if case.slow else []) for case in CASES],
)
def test_a_fault_is_seen_through_and_nothing_is_lost(
    case: Case, tmp_path: Path, names: Names, request: pytest.FixtureRequest
) -> None:
    if case.tls:
        request.getfixturevalue("trusted")
    play.play(case, tmp_path, names)


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=case.id, marks=[pytest.mark.slow] if case.slow else []) for case in CHANNEL_CASES]
)
def test_a_channel_that_fails_loses_nothing_and_delays_no_other(case: ChannelCase, tmp_path: Path) -> None:
    with play_channels.player(case, tmp_path) as played:
        played.play()
