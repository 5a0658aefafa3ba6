"""The documentation can fail: what it names exists, what exists is named, and what it shows is what comes out."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from monitor import config, sources
from monitor.cli import COMMANDS
from monitor.config.models import TABLES, keys
from monitor.config.schema import schema
from monitor.match import parse
from monitor.model import Kind
from monitor.senders import BUILT_IN
from monitor.store import Store

ROOT = Path(__file__).parents[1]
READMES = [ROOT / "README.md", ROOT / "README.zh-CN.md"]
CONFIGURATION, OPERATIONS = ROOT / "docs" / "configuration.md", ROOT / "docs" / "operations.md"
PAGES = [*READMES, *sorted((ROOT / "docs").glob("*.md")), ROOT / "CHANGELOG.md"]
SCHEMA = schema()
ENVIRON = {"MAIL_PASSWORD": "a-secret", "WECOM_KEY": "0123-4567", "FEED_TOKEN": "b-secret"}
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LOOK_ERRORS = {"SourceError", "FetchError", "TooLarge", "Forbidden", "Challenge", "ParseError", "EmptyListing"}


def blocks(page: Path, language: str) -> list[str]:
    return [body for named, body in BLOCK.findall(page.read_text("utf-8")) if named == language]


def coded(text: str) -> set[str]:
    """What stands between backticks, outside of blocks."""
    return set(re.findall(r"`([^`\n]+)`", BLOCK.sub("", text)))


def commands(page: Path) -> set[str]:
    """The commands that a page names, in text (`monitor x`, or `x` in a list of them) and in blocks of shell."""
    named = coded(page.read_text("utf-8"))
    lines = [*named, *(line for body in blocks(page, "sh") for line in body.splitlines())]
    found = [re.match(r"(?:\S*/)?monitor (?:--config \S+ )?([a-z]+)\b", line) for line in lines]
    return {command[1] for command in found if command} | (named & COMMANDS.keys())


def schema_keys() -> list[tuple[str, str]]:
    found = []
    for name, table in SCHEMA["properties"].items():
        found += [(name, key) for key in table.get("items", table)["properties"]]
    return found


def chapter_of(table: str) -> str:
    """What the page on the configuration says under the heading of a table."""
    heading = f"## [[{table}]]" if "items" in SCHEMA["properties"][table] else f"## [{table}]"
    chapter = CONFIGURATION.read_text("utf-8").partition(heading + "\n")[2].partition("\n## ")[0]
    assert chapter, heading
    return chapter


@pytest.mark.parametrize("page", READMES, ids=lambda page: page.name)
def test_a_readme_names_every_command_and_no_other(page: Path) -> None:
    assert commands(page) == set(COMMANDS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_a_page_names_exists(page: Path) -> None:
    assert commands(page) <= COMMANDS.keys()


@pytest.mark.parametrize(("table", "key"), schema_keys(), ids=lambda value: value)
def test_every_key_of_the_configuration_is_documented_under_its_table(table: str, key: str) -> None:
    chapter = chapter_of(table)
    assert f"`{key}`" in chapter or re.search(rf"^{key}\s*=", chapter, re.MULTILINE)


def default_in(chapter: str, key: str) -> str:
    """The default that a table of keys, or a block with all of them, gives for a key."""
    row = re.search(rf"^\|[^|]*`{key}`[^|]*\|([^|]*)\|", chapter, re.MULTILINE)
    line = re.search(rf"^{key}\s*=\s*(\S+)", chapter, re.MULTILINE)
    return row[1] if row else line[1] if line else ""


def is_shown(default: object) -> bool:
    """Whether a default is one that a reader has to know; none is what is written as nothing."""
    return isinstance(default, str | int | bool) and default != ""


DEFAULTS = [
    (name, key, field.default)
    for name, model in TABLES.items()
    for key, field in zip(keys(model), model.model_fields.values(), strict=True)
    if is_shown(field.default)
]
OPTIONS = [
    (kind, key, field.default)
    for kind in sources.BUILT_IN
    for key, field in sources.kind(kind).Options.model_fields.items()
    if key != "url"
]


@pytest.mark.parametrize(("table", "key", "default"), DEFAULTS, ids=str)
def test_every_default_is_the_documented_one(table: str, key: str, default: object) -> None:
    assert json.dumps(default, ensure_ascii=False) in default_in(chapter_of(table), key)


@pytest.mark.parametrize(("kind", "key", "default"), OPTIONS, ids=str)
def test_every_key_of_a_kind_is_documented_there_with_its_default(kind: str, key: str, default: object) -> None:
    chapter = CONFIGURATION.read_text("utf-8").partition(f"**`{kind}`**")[2].partition("\n**`")[0].partition("\n## ")[0]
    assert f"`{key}`" in chapter
    if is_shown(default):
        assert json.dumps(default, ensure_ascii=False) in default_in(chapter, key)


def test_no_key_is_documented_that_does_not_exist() -> None:
    known = {key for _, key in schema_keys()}
    for first, *_ in re.findall(r"^\|((?: ?`[a-z_]+`,?)+) \|", CONFIGURATION.read_text("utf-8"), re.MULTILINE):
        assert set(re.findall(r"`([a-z_]+)`", first)) <= known


@pytest.mark.parametrize("kind", sources.BUILT_IN)
def test_every_kind_of_source_is_documented(kind: str) -> None:
    assert f"**`{kind}`**" in CONFIGURATION.read_text("utf-8")


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_of_change_is_documented(kind: str) -> None:
    assert f"`{kind}`" in CONFIGURATION.read_text("utf-8")


@pytest.mark.parametrize("scheme", [name for name, where in BUILT_IN.items() if where.startswith("monitor.")])
def test_every_sender_of_our_own_is_documented(scheme: str) -> None:
    assert f"`{scheme}://`" in CONFIGURATION.read_text("utf-8")


def _values(node: ast.expr) -> set[str]:
    """The words that an expression may be; nothing for a name, whose value is given elsewhere."""
    if isinstance(node, ast.Constant):
        return {str(node.value)}
    if isinstance(node, ast.IfExp):
        return _values(node.body) | _values(node.orelse)
    if isinstance(node, ast.JoinedStr):
        return {"".join(str(part.value) if isinstance(part, ast.Constant) else "NNN" for part in node.values)}
    assert isinstance(node, ast.Name | ast.BoolOp | ast.Attribute), ast.dump(node)
    return set()


@cache
def failing_reasons() -> set[str]:
    """Every reason that a failed look can have, out of the code that raises it."""
    found = {"offline", "fault"}  # of changes and records, not of looks
    for path in (ROOT / "monitor").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "default_reason":
                found |= _values(node.value)
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func).rpartition(".")[2]
            if called == "failed" and path.parent.name == "fetch" and len(node.args) > 1:
                found |= _values(node.args[1])
            if called == "Odd":
                found |= _values(node.args[0])
            if called in LOOK_ERRORS:
                found |= {word for given in node.keywords if given.arg == "reason" for word in _values(given.value)}
    return found


def test_the_reasons_are_found_in_the_code() -> None:
    assert {"http NNN", "timeout", "dns", "tls", "truncated", "forbidden", "select", "short", "challenge"} <= failing_reasons()


@pytest.mark.parametrize("reason", sorted(failing_reasons()))
def test_every_reason_of_a_failing_source_says_what_to_do(reason: str) -> None:
    table = OPERATIONS.read_text("utf-8").partition("## When a source fails")[2]
    rows = [line for line in table.splitlines() if line.startswith("| `") and f"`{reason}`" in line.split("|")[1]]
    assert len(rows) == 1
    assert all(cell.strip() for cell in rows[0].split("|")[1:4])


def test_no_reason_is_documented_that_nothing_raises() -> None:
    table = OPERATIONS.read_text("utf-8").partition("## When a source fails")[2].partition("\n## ")[0]
    named = {
        word for line in table.splitlines() if line.startswith("| `") for word in re.findall(r"`([^`]+)`", line.split("|")[1])
    }
    assert named == failing_reasons()


def test_both_readmes_say_the_same() -> None:
    english, chinese = READMES
    assert commands(english) == commands(chinese)
    for language in ("sh", "toml"):
        ours, theirs = (
            [re.sub(r"\s+#.*", "", line).rstrip() for body in blocks(page, language) for line in body.splitlines()]
            for page in READMES
        )
        assert ours == theirs
    shape = [
        [re.sub(r"[^#|-].*", "", line) for line in page.read_text("utf-8").splitlines() if line.startswith(("#", "|", "- "))]
        for page in READMES
    ]
    assert shape[0] == shape[1]
    figures = [
        re.findall(r"\d[\d,.]*", page.read_text("utf-8").partition("benchmarks/")[2].partition("##")[0]) for page in READMES
    ]
    assert figures[0] == figures[1]


TOML = [(page, number, body) for page in PAGES for number, body in enumerate(blocks(page, "toml"))]


@pytest.mark.parametrize(("page", "number", "body"), TOML, ids=[f"{page.name}-{number}" for page, number, _ in TOML])
def test_every_configuration_that_is_shown_is_good(tmp_path: Path, page: Path, number: int, body: str) -> None:
    (tmp_path / "mail").write_text("mailtos://user:secret@smtp.example.org?to=team@example.org")
    path = tmp_path / "monitor.toml"
    path.write_text(body, "utf-8")
    path.chmod(0o600)
    assert config.check_channels(config.load(path, ENVIRON | {"CREDENTIALS_DIRECTORY": str(tmp_path)})) == []


def test_the_first_configuration_has_five_lines() -> None:
    assert all(len(blocks(page, "toml")[0].splitlines()) == 5 for page in READMES)


def test_what_the_page_on_datasette_asks_the_database_can_answer(tmp_path: Path) -> None:
    page = ROOT / "docs" / "datasette.md"
    with Store(tmp_path / "x.db") as store, store.read() as conn:
        [question] = blocks(page, "sql")
        conn.execute(question)
        for table in re.findall(r"`(\w+)`", "\n".join(re.findall(r"^\| (`.*?) \|", page.read_text("utf-8"), re.M))):
            conn.execute(f"SELECT * FROM {table}")
        for table, asked in re.findall(r"/copy/(\w+)\?(\S+)`", page.read_text("utf-8")):
            for column in re.findall(r"(?:_sort|_sort_desc|_facet)=(\w+)|_where=(\w+)|(?<![_\w])([a-z]+)=\w+", asked):
                conn.execute(f"SELECT {''.join(column)} FROM {table}")


def test_every_example_of_the_match_language_can_be_read() -> None:
    table = CONFIGURATION.read_text("utf-8").partition("### The match language")[2]
    examples = [example for line in table.splitlines() if line.startswith("| `") for example in coded(line.split("|")[1])]
    assert len(examples) > 10
    for example in examples:
        parse(example)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_make_target_that_is_named_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert "demo" in targets
    text = " ".join([*coded(page.read_text("utf-8")), *blocks(page, "sh")])
    assert set(re.findall(r"\bmake ([a-z]+)", text)) <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_leads_to_a_file(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text("utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_of_the_project_that_are_named_exist(page: Path) -> None:
    for named in re.findall(r"(?<![\w./~])((?:benchmarks|tests|config|docs|monitor)/[\w./]+\.\w+)", page.read_text("utf-8")):
        assert (ROOT / named).exists(), named


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_speaks_of_one_machine_or_of_a_registry(page: Path) -> None:
    text = page.read_text("utf-8")
    for forbidden in (r"\bpy(?:pi|thonhosted)\.", r"(?<![\w.])/(?:work|root|home|Users|tmp)/", r"\bbadge"):
        assert not re.search(forbidden, text), forbidden


def test_the_unit_for_systemd_says_what_the_text_says() -> None:
    unit = (ROOT / "config" / "monitor.service").read_text("utf-8").splitlines()
    named = coded(OPERATIONS.read_text("utf-8").partition("## systemd")[2].partition("\n## ")[0])
    settings = {line for line in named if re.fullmatch(r"[A-Z][A-Za-z]+=\S+", line)} - {"RELOADING=1", "STOPPING=1"}
    settings -= {"READY=1", "WATCHDOG=1"}  # what monitor says, not the unit
    assert len(settings) > 2
    assert settings <= set(unit)
    assert {"Type=notify", "RestartPreventExitStatus=2", "ExecReload=/bin/kill -HUP $MAINPID"} <= set(unit)


@pytest.mark.parametrize(("page", "language"), list(zip(READMES, ("en", "zh"), strict=True)), ids=("en", "zh"))
def test_the_messages_that_a_readme_shows_are_the_demos(page: Path, language: str) -> None:
    new, revised = blocks(page, "")
    command = [sys.executable, "-m", "monitor", "demo", "--language", language]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", timeout=60, check=False)
    assert ran.returncode == 0
    assert new in ran.stdout
    assert revised in ran.stdout
