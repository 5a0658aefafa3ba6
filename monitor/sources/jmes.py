"""JMESPath expressions (https://jmespath.org/specification.html), and templates whose {…} are expressions, asked of a JSON value.

It reads no bytes and knows nothing of notices. A plain name is a dictionary look-up, not a walk through the library.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import jmespath
from jmespath import exceptions
from jmespath.functions import Functions, signature

from monitor.sources import rows

#: What an expression gives of a value; None where it finds nothing, or a function in it does not take what it found.
Asked = Callable[[Any], Any]
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HOLE = re.compile(r"\{([^{}]*)\}")
_QUOTES = "; a name that is not letters, digits and _ alone is written in double quotes"


class _More(Functions):  # type: ignore[misc]  # jmespath ships no types; so too below
    """Functions beside those of the specification, for values that are documents themselves."""

    @signature({"types": ["string", "null"]})  # type: ignore[untyped-decorator]
    def _func_parse_json(self, written: str | None) -> Any:
        """What JSON inside a string says; null where it is none."""
        return None if not written else json.loads(written)

    @signature({"types": ["string", "null"]})  # type: ignore[untyped-decorator]
    def _func_html_text(self, markup: str | None) -> str | None:
        """The text of a piece of HTML, a line a paragraph."""
        return None if markup is None else rows.plain(markup)


_OPTIONS = jmespath.Options(custom_functions=_More())


@lru_cache(maxsize=4096)
def compiled(expression: str) -> Asked:
    """The expression, ready to be asked. Raises ValueError with a sentence that says what is wrong, and where."""
    if not expression.strip():
        raise ValueError("an empty expression finds nothing; leave the key out")
    if _PLAIN.fullmatch(expression):
        return lambda value: value.get(expression) if isinstance(value, dict) else None
    try:
        parsed = jmespath.compile(expression)
        for node in _nodes(parsed.parsed):
            if node["type"] == "function_expression":
                _check_function(node["value"], len(node["children"]))
    except exceptions.ParseError as error:
        raise ValueError(f'"{expression}" is not JMESPath: {_reason(error)}') from error
    except RecursionError as error:
        raise ValueError("the expression nests too deeply") from error
    except ValueError as error:
        raise ValueError(f'"{expression}" is not JMESPath: {error}') from error

    def ask(value: Any) -> Any:
        try:
            return parsed.search(value, _OPTIONS)
        except (ArithmeticError, AttributeError, TypeError, ValueError):  # JMESPathError is a ValueError; the rest: odd values
            return None

    return ask


def _nodes(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield node
    for child in node["children"]:
        if isinstance(child, dict) and "type" in child:
            yield from _nodes(child)


def _check_function(name: str, given: int) -> None:
    """Raises ValueError where there is no such function, or it takes another number of arguments."""
    known = _More.FUNCTION_TABLE.get(name)
    if known is None:
        raise ValueError(f"there is no function {name}()")
    wanted = known["signature"]
    more = bool(wanted) and wanted[-1].get("variadic", False)
    if given < len(wanted) or (given > len(wanted) and not more):
        raise ValueError(f"{name}() takes {'at least ' if more else ''}{len(wanted)}, not {given} arguments")


def _reason(error: exceptions.ParseError) -> str:
    if isinstance(error, exceptions.IncompleteExpressionError):
        return "it ends too early"
    place = f'"{error.token_value}" cannot stand at character {error.lex_position + 1}'
    return place + _QUOTES if isinstance(error, exceptions.LexerError) or error.token_type == "NUMBER" else place  # noqa: S105 - a kind of token, no secret


def is_template(written: str) -> bool:
    """Whether an address is written as a template with {…}, not as one expression."""
    return "{" in written or written.startswith(("http://", "https://"))


@lru_cache(maxsize=1024)
def template(written: str) -> Asked:
    """A template, ready to be filled in: each {…} is an expression whose value is percent-encoded (RFC 3986). It gives None where
    one of them finds neither text nor a number. Raises ValueError with a sentence."""
    parts = _HOLE.split(written)
    if len(parts) == 1:
        raise ValueError(f'"{written}" is the same for every row; name a field in it, such as "{{id}}"')
    if any("{" in part or "}" in part for part in parts):
        raise ValueError(f'"{written}" has a brace without its partner')
    asked = [compiled(expression) for expression in parts[1::2]]

    def fill(value: Any) -> str | None:
        made = [parts[0]]
        for ask, after in zip(asked, parts[2::2], strict=True):
            found = scalar(ask(value))
            if not found:
                return None
            made += (quote(found, safe=""), after)
        return "".join(made)

    return fill


def scalar(value: Any) -> str | None:
    """Text, or a number as text; None for all else. A whole float is written as the whole number that it is."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return str(int(value)) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else str(value)
