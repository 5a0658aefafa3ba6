"""The house keeps its shape: who imports whom, which rooms are pure, how large a room may be."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "monitor"
#: Top to bottom: a room imports only rooms above it.
ORDER = [
    "errors", "lookup", "model", "text", "mask", "pattern", "urls", "shields", "facts", "html", "diff", "schedule", "decide",
    "identity", "match", "search", "route", "render", "sources", "discover", "readers", "senders", "glance", "config",
    "fetch", "browser", "sandbox", "programs", "documents", "look", "pace", "control", "words", "store", "tell", "check",
    "deliver", "daemon", "cli",
]  # fmt: skip
PURE = {
    "mask",
    "pattern",
    "model",
    "shields",
    "text",
    "urls",
    "facts",
    "html",
    "diff",
    "schedule",
    "decide",
    "identity",
    "match",
    "search",
    "route",
    "render",
    "sources",
    "discover",
    "readers",
    "words",
}
IMPURE_LIBRARIES = {
    "requests", "urllib3", "sqlite3", "sqlite_utils", "apprise", "socket", "subprocess", "threading", "os", "time", "io",
    "pathlib", "multiprocessing", "concurrent", "asyncio", "shutil", "tempfile",
}  # fmt: skip
IMPURE_CALLS = {"now", "utcnow", "today", "open", "urandom", "monotonic", "sleep"}
NEVER = {
    "store": {"fetch", "sources", "readers", "senders", "render"},
    "deliver": {"check"},
    "senders": {"sources"},
}
#: The two loop bodies, where one poisonous row must stop nobody.
LOOP_BODIES = {"monitor/check/loop.py", "monitor/deliver/loop.py"}

MODULES = sorted(ROOT.rglob("*.py"))


def room(path: Path) -> str:
    """The room of a file: its first name below the package."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def imported(path: Path) -> set[str]:
    """Dotted names of all that a file imports, wherever in the file."""
    found: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import; name the room"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def rooms_imported(path: Path) -> set[str]:
    return {name.split(".")[1] for name in imported(path) if name.startswith("monitor.") and name.split(".")[1] != "__version__"}


MOST = [path for path in MODULES if path.name not in ("__init__.py", "__main__.py") or path.parent != ROOT]


@pytest.mark.parametrize("path", MOST, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_room_imports_only_rooms_above_it(path: Path) -> None:
    own = room(path)
    for other in rooms_imported(path) - {own}:
        assert ORDER.index(other) < ORDER.index(own), f"{own} imports {other}, which stands below it"
        assert other not in NEVER.get(own, set()), f"{own} must never import {other}"


@pytest.mark.parametrize("path", [p for p in MOST if room(p) in PURE], ids=lambda path: str(path.relative_to(ROOT)))
def test_a_pure_room_touches_no_network_database_thread_clock_or_file(path: Path) -> None:
    for name in imported(path):
        if name != "io.BytesIO":  # which is memory
            assert name.split(".")[0] not in IMPURE_LIBRARIES, f"{name} in a pure room"
        assert not name.startswith("apscheduler.schedulers"), name
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            assert called not in IMPURE_CALLS, f"{path.name}:{node.lineno} calls {called}()"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_room_stays_small(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= 500
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= 60, f"{path.name}:{node.lineno} {node.name} has {length} lines"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_a_loop_body_catches_everything(path: Path) -> None:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ExceptHandler):
            names = {n.id for n in ast.walk(node.type) if isinstance(n, ast.Name)} if node.type else {"Exception"}
            cleans_up = isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None
            if names & {"Exception", "BaseException"} and not cleans_up:
                where = path.relative_to(ROOT.parent).as_posix()
                assert where in LOOP_BODIES, f"{where}:{node.lineno} catches everything"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_room_opens_with_what_it_does(path: Path) -> None:
    assert ast.get_docstring(tree(path)), path


def test_no_circle_of_imports() -> None:
    graph: dict[str, set[str]] = {}
    names = {".".join(p.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__"): p for p in MODULES}
    for name, path in names.items():
        found: set[str] = set()
        for dotted in imported(path):
            best = dotted if dotted in names else dotted.rpartition(".")[0]
            if best in names and best != name:
                found.add(best)
        graph[name] = found
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, f"circle: {' -> '.join((*trail, name))}"
        if name in done:
            return
        for other in sorted(graph[name]):
            visit(other, (*trail, name))
        done.add(name)

    for name in sorted(graph):
        visit(name, ())


def test_every_room_is_on_the_map() -> None:
    page = (ROOT.parent / "docs" / "architecture.md").read_text("utf-8")
    for name in {room(path) for path in MOST} - {"__init__", "__main__"}:
        assert f"`{name}" in page, f"docs/architecture.md does not name {name}"
