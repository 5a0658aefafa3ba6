"""The bytes of a config file become a TOML document, or sentences that say what is wrong and where. It knows no keys."""

from __future__ import annotations

import re
import tomllib
import unicodedata
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
    "Found invalid character": "a control character stands here, which nobody sees; delete it",
    "Illegal character": "a control character stands here, which nobody sees; delete it",
    "Cannot mutate immutable namespace": "a name stands twice in { }, or a table in { } is written on below",
}
#: What stands on a Chinese keyboard or comes with a copied page, and what TOML wants in its place.
_INSTEAD = {
    **dict.fromkeys("“”„‟＂", 'write " in its place'),
    **dict.fromkeys("‘’‚‛＇", "write ' in its place"),
    "＝": "write = in its place",
    "，": "write , in its place",
    "＃": "write # in its place",
    **dict.fromkeys("［【〔", "write [ in its place"),
    **dict.fromkeys("］】〕", "write ] in its place"),
    "｛": "write { in its place",
    "｝": "write } in its place",
    "\u3000": "write an ordinary space in its place",
    "\u00a0": "write an ordinary space in its place",
    **dict.fromkeys("\ufeff\u200b\u200c\u200d\u2060\u200e\u200f\u00ad", "nobody sees it: delete it"),
}
#: A larger file is no configuration: tens of thousands of sources fit.
LARGEST = 8 * 1024 * 1024


def read(path: Path) -> bytes:
    """The file. Raises ConfigError where it cannot be read."""
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except FileNotFoundError:
        raise ConfigError(f"there is no config file {path}; `monitor init` writes one") from None
    except IsADirectoryError:
        raise ConfigError(f"{path} is a folder; name the file in it, for example {path / 'monitor.toml'}") from None
    except OSError as error:
        raise ConfigError(f"config file {path} cannot be read: {error.strerror or error}") from None
    if len(raw) > LARGEST:
        raise ConfigError(f"{path} is larger than a configuration can be ({LARGEST // 2**20} MiB): is it another file?")
    return raw


def decode(raw: bytes, shown: str) -> str:
    """The text, with or without a byte order mark. Raises ConfigError where it is not UTF-8."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")) or _is_utf16(raw):
        raise ConfigError(f"{shown}: the file is UTF-16, and TOML is UTF-8; save it as UTF-8")
    if (place := raw.find(b"\x00")) >= 0:
        line = raw.count(b"\n", 0, place) + 1
        raise ConfigError(f"{shown}:{line}: zero bytes stand here, so the file was damaged; restore it, or write this part anew")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        guess = "; it looks like GBK" if _is_gbk(raw) else ""
        raise ConfigError(f"{shown}:{line}: the file is not UTF-8{guess}; save it as UTF-8") from None


def _is_utf16(raw: bytes) -> bool:
    """Whether every other of the first bytes is zero, as in a file that is mostly ASCII."""
    first = raw[:200]
    return len(first) > 1 and any(4 * half.count(0) > 3 * len(half) for half in (first[::2], first[1::2])) and any(first)


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
    except ValueError:  # the one that tomllib does not make its own
        raise ConfigError(f"{shown}: a number has more digits than can be read") from None


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
    meaning = _odd(content, line, column) or next(
        (means for start, means in _MEANS.items() if found["what"].startswith(start)), ""
    )
    return f"{shown}:{line}:{column}: not valid TOML: {meaning or found['what']}"


def _odd(content: str, line: int, column: int) -> str:
    """What is wrong with a character that only looks like the one TOML wants, or like nothing at all."""
    lines = content.split("\n")
    character = lines[line - 1][column - 1 : column] if 0 < line <= len(lines) else ""
    if character not in _INSTEAD:
        return "this is JSON; a configuration is TOML" if content.lstrip()[:1] == "{" else ""
    name = unicodedata.name(character, "").lower()
    shown = f"{character} ({name})" if character.isprintable() else f"U+{ord(character):04X} ({name})"
    return f"the character {shown} stands here; {_INSTEAD[character]}"
