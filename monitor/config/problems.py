"""Collects what is wrong with a config file, each with its line, and says it in a sentence. It decides nothing itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from monitor.config.lines import Lines, Path
from monitor.config.values import close, nearest, without_login

_Model = TypeVar("_Model", bound=BaseModel)

_LIMITS = {"greater_than_equal": ("ge", "{} is the least"), "less_than_equal": ("le", "{} is the most"),
           "greater_than": ("gt", "it must be more than {}"), "less_than": ("lt", "it must be less than {}")}  # fmt: skip
_TYPES = {
    "string": "text in quotes",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false, without quotes",
    "list": "a list in brackets",
    "tuple": "a list in brackets",
    "dict": "a table of names and values",
    "model": "a table of names and values",
}


class Problems:
    """The problems of one file, or of a table that stands in none (`shown` is empty then)."""

    def __init__(self, shown: str, lines: Callable[[], Lines]) -> None:
        self._shown = shown
        self._read_lines = lines
        self._lines: Lines | None = None
        self._found: list[tuple[Path, str]] = []

    def add(self, path: Path, sentence: str) -> None:
        """A problem of the table or key at `path`."""
        self._found.append((path, sentence))

    def line(self, path: Path) -> int:
        """The line of a table or key, 0 if it is in no file."""
        if self._lines is None:
            self._lines = self._read_lines()
        return self._lines.line(path)

    def __bool__(self) -> bool:
        return bool(self._found)

    def sentences(self) -> list[str]:
        """Every problem once, in the order of the lines."""
        placed = sorted((self.line(path), number, text) for number, (path, text) in enumerate(self._found))
        if not self._shown:
            return list(dict.fromkeys(text for _, _, text in placed))
        prefixed = (f"{self._shown}:{line}: {text}" if line else f"{self._shown}: {text}" for line, _, text in placed)
        return list(dict.fromkeys(prefixed))


def check(
    model: type[_Model],
    given: Mapping[str, Any],
    problems: Problems,
    path: Path,
    subject: str,
    *,
    known: Collection[str],
    hidden: Collection[str] = (),
    broken: Collection[str] = (),
) -> _Model | None:
    """The table as its model; what is wrong goes to `problems`, and the rest is checked without it. None where a key is missing
    that the table cannot do without (not told where an unknown key was probably meant to be that one). `known`: keys for "did you
    mean"; `hidden`: keys whose values are not repeated; `broken`: keys that were left out because theirs was told already."""
    try:
        return model.model_validate(given)
    except ValidationError as failed:
        errors = failed.errors(include_url=False)
    told: set[Path] = set()
    extra = (str(error["loc"][0]) for error in errors if error["type"] == "extra_forbidden")
    meant = {word for key in extra for word in close(key, known)}
    for error in errors:
        where = _where(error["loc"], given)
        if where in told or (error["type"] == "missing" and where[0] in {*broken, *meant}):
            continue
        told.add(where)
        problems.add((*path, where[0]), f"{subject}: {_sentence(error, where, known, hidden)}")
    faulty = {error["loc"][0] for error in errors if error["loc"]}
    if any(error["type"] == "missing" for error in errors) or not faulty & given.keys():
        return None
    rest = {key: value for key, value in given.items() if key not in faulty}
    return check(model, rest, problems, path, subject, known=known, hidden=hidden, broken={*broken, *map(str, faulty)})


def _where(location: tuple[int | str, ...], given: Mapping[str, Any]) -> Path:
    """The key, and the item or name inside it, without what pydantic adds for the branches of a union."""
    key = location[0]
    value = given.get(str(key))
    inner = next((part for part in location[1:] if isinstance(part, int) or (isinstance(value, dict) and part in value)), None)
    return (key,) if inner is None or not isinstance(value, list | dict) else (key, inner)


def _sentence(error: Any, where: Path, known: Collection[str], hidden: Collection[str]) -> str:
    key, kind, context = str(where[0]), error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        return f'unknown key "{key}"{nearest(key, known)}'
    if kind == "missing":
        return f'"{key}" is missing'
    place = f'"{key}"'
    if len(where) > 1:
        place += f", item {where[1] + 1}," if isinstance(where[1], int) else f', "{where[1]}",'
    if kind in ("value_error", "assertion_error"):
        said = str(context["error"])
        return f"{place} {said}" if said.startswith(("is ", "names ")) else f"{place.rstrip(',')}: {said}"
    value = "" if key in hidden else f" {show(error['input'])}"
    if kind in ("literal_error", "enum"):
        allowed = re.findall(r"'([^']*)'", str(context["expected"]))
        hint = nearest(str(error["input"]), allowed)
        listed = ", ".join(map(show, allowed))
        return f"{place} is{value}, none of {listed}{hint}"
    if kind in _LIMITS:
        name, said = _LIMITS[kind]
        bound = context[name]
        return f"{place} is{value}; {said.format(int(bound) if bound == int(bound) else bound)}"
    if kind == "too_short":
        return f'{place} is an empty list; leave the key out if you mean "any"'
    expected = _TYPES.get(re.split(r"_", kind)[0])
    if expected is not None:
        return f"{place} must be {expected}, not{value}" if value else f"{place} must be {expected}"
    return f"{place}: {error['msg'][:1].lower()}{error['msg'][1:]}"


def show(value: object) -> str:
    """A value as TOML writes it, cut to 60 characters."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, str):
        shown = f'"{without_login(value) if "//" in value else value}"'
    elif isinstance(value, list):
        shown = "[" + ", ".join(map(show, value)) + "]"
    else:
        shown = str(value)
    return shown if len(shown) <= 60 else shown[:59] + "…"
