"""What several tests share: the collection of real inputs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from tests.house import House, Site

#: How fast a machine is just now is no property of the code.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


def pytest_addoption(parser: pytest.Parser) -> None:
    """The long forms of the crash tests and of the state machine."""
    parser.addoption("--kills", type=int, default=20, help="how often the crash test kills the daemon (default 20)")
    parser.addoption("--notices", type=int, default=1000, help="how many notices appear meanwhile (default 1000)")
    parser.addoption("--every-step", action="store_true", help="kill at every step of a check, not at a spread of them")
    parser.addoption("--histories", type=int, default=25, help="how many histories the state machine tries (default 25)")
    parser.addoption("--steps", type=int, default=25, help="how many steps a history has at most (default 25)")


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The collection of real pages (MONITOR_CORPUS, else ../shared/corpus beside the project)."""
    place = Path(os.environ.get("MONITOR_CORPUS") or Path(__file__).parents[2] / "shared" / "corpus")
    if not place.is_dir():
        pytest.skip(f"the collection of real pages is not at {place}; set MONITOR_CORPUS")
    return place


@pytest.fixture
def site() -> Iterator[Site]:
    """A scripted site on loopback with twelve rows, newest first."""
    from tests.house import Row, Site

    rows = [
        Row(f"n{i}", f"关于第{i}项工作的通知", f"2026-01-{i:02d}", f"第{i}项正文。\n请于30日前办理。") for i in range(12, 0, -1)
    ]
    made = Site(rows)
    yield made
    made.close()


@pytest.fixture
def build(tmp_path: Path, site: Site) -> Iterator[Callable[..., House]]:
    """Builds a house over the site: `build(source_keys, channels=…, extra=…, monitor=…)`."""
    from tests.house import House

    houses: list[House] = []

    def make(*args: Any, **options: Any) -> House:
        houses.append(House(tmp_path, site, *args, **options))
        return houses[-1]

    yield make
    for house in houses:
        house.close()
