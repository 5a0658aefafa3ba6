"""The bytes of a config file become a TOML document, or sentences that say what is wrong and where. It knows no keys."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from monitor.config.lines import Lines
from monitor.errors import ConfigError

_POSITION = re.compile(r"(?P<what>.*?) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)", re.DOTALL)
_QUOTES = 'text needs quotes, for example every = "15m"'
#: What tomllib says (its beginning), and what a person can do about it.
_MEANS = {
    "Expected newline or end of document": f"a line has only one value; {_QUOTES}",
    "Invalid value": f"this is no value that TOML knows; {_QUOTES}, true and false are written small",
    "Expected '=' after a key": "a key needs a value: key = value",
    "Invalid statement": "neither a key nor a [table]; names in other scripts need quotes",
    "Illegal character '\\n'": 'the text is not closed; it ends with " on the same line',
    "Unterminated string": "the text is not closed",
    "Unescaped '\\' in a string": "a backslash means something in \"…\"; write the text in '…' instead",
    "Expected ']'": "the table's name is not closed with ]",
    "Unclosed array": "the list is not closed with ]",
    "Unclosed inline table": "the table is not closed with }",
}


def read(path: Path) -> bytes:
    """The file. Raises ConfigError where it cannot be read."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise ConfigError(f"there is no config file {path}; `monitor init` writes one") from None
    except IsADirectoryError:
        raise ConfigError(f"{path} is a folder; name the file in it, for example {path / 'monitor.toml'}") from None
    except OSError as error:
        raise ConfigError(f"config file {path} cannot be read: {error.strerror or error}") from None


def decode(raw: bytes, shown: str) -> str:
    """The text, with or without a byte order mark. Raises ConfigError where it is not UTF-8."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in raw[:200]:
        raise ConfigError(f"{shown}: the file is UTF-16, and TOML is UTF-8; save it as UTF-8")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        guess = "; it looks like GBK" if _is_gbk(raw) else ""
        raise ConfigError(f"{shown}:{line}: the file is not UTF-8{guess}; save it as UTF-8") from None


def _is_gbk(raw: bytes) -> bool:
    try:
        found = raw.decode("gb18030")
    except UnicodeDecodeError:
        return False
    return any("\u4e00" <= character <= "\u9fff" for character in found)


def parse(content: str, shown: str) -> dict[str, Any]:
    """The document. Raises ConfigError with line and column where it is not TOML."""
    try:
        return tomllib.loads(content)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(_explained(str(error), content, shown)) from None
    except RecursionError:
        raise ConfigError(f"{shown}: lists or tables are nested too deeply") from None
    except ValueError as error:  # a number with more digits than Python reads
        raise ConfigError(f"{shown}: a value is beyond what can be read: {error}") from None


def _explained(said: str, content: str, shown: str) -> str:
    found = _POSITION.fullmatch(said)
    if found is None:
        return f"{shown}: not valid TOML: {said}"
    if found["line"]:
        line, column = int(found["line"]), int(found["column"])
    else:
        line, column = content.rstrip().count("\n") + 1, len(content.rstrip().rpartition("\n")[2]) + 1
    if found["what"].startswith(("Cannot overwrite", "Cannot declare")) and (twice := Lines(content).repeated(line)):
        first, again = twice
        name = ".".join(str(part) for part in again.path if isinstance(part, str))
        what = f"table [{name}]" if again.header else f'key "{again.path[-1]}"'
        return f"{shown}:{again.line}:{again.column}: {what} stands here for a second time; the first is in line {first.line}"
    meaning = next((means for start, means in _MEANS.items() if found["what"].startswith(start)), "")
    return f"{shown}:{line}:{column}: not valid TOML: {meaning or found['what']}"
