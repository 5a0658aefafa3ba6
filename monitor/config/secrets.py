"""`${VAR}` and `file:` references in a config's values become the secrets that they stand for, and every secret is remembered so
that logs can be masked. Sentences name the variable or the file, never a value.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from monitor.mask import SHORTEST

_REFERENCE = re.compile(r"\$\$\{|\$\{([^}]*)(\}?)")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
#: What may stand in the user part or in a query value of a URL as it is (RFC 3986, section 2.3).
_PLAIN = re.compile(r"(?:[A-Za-z0-9._~-]|%[0-9A-Fa-f]{2})*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LARGEST = 64 * 1024
#: Names of headers and parameters whose values are secrets although they stand in the file itself.
_SECRET_NAME = re.compile(r"auth(?!ors?\b)|cookie|token|secret|key(?!word)|passw|pwd|session|signature|credential", re.IGNORECASE)
#: A name and its value in the body of a form or of JSON; a key is ASCII, unlike a word that is looked for.
_SETTING = re.compile(r"""["']?([\w.-]+)["']?\s*[=:]\s*["']?([!#$%(-+\--Z\\^-z|~]{6,})""")
#: A step of an address's path that is long enough to be a key.
_KEY = re.compile(r"[A-Za-z0-9_-]{16,}")


def refers(written: str) -> bool:
    """Whether a value takes its secret from elsewhere, rather than holding it."""
    return written.startswith("file:") or any(found[1] is not None for found in _REFERENCE.finditer(written))


class Secrets:
    """Reads references against one environment and one folder (that of the config file)."""

    def __init__(self, environ: Mapping[str, str], folder: Path) -> None:
        self._environ = environ
        self._folder = folder
        self._values: set[str] = set()
        self._fresh: set[str] = set()
        self.files: dict[Path, None] = {}

    @property
    def values(self) -> frozenset[str]:
        """Every secret seen so far, as it is and as it stands in a URL."""
        return frozenset(value for value in self._values if len(value) >= SHORTEST)

    @contextmanager
    def noted(self) -> Iterator[set[str]]:
        """Collects the secrets that are seen inside the block."""
        before, self._fresh = self._fresh, set()
        try:
            yield self._fresh
        finally:
            self._fresh = before | self._fresh

    def expand(self, written: str, *, url: bool = False) -> str:
        """The value with its references replaced; `$${` stands for `${`. In a URL, what stands for a user name, a password or a
        query value is percent-encoded unless it already is. Raises ValueError naming the variable or file."""
        if written.startswith("file:"):
            path = self._replaced(written.removeprefix("file:"), url=False, secret=False)
            return self._keep(self._read(path))
        return self._replaced(written, url=url, secret=True)

    def literal_url(self, target: str) -> None:
        """Remember the parts of a channel's URL that give access."""
        self._keep(target)
        self.literal_login(target)
        for piece in _KEY.findall(target.partition("://")[2]):
            self._keep(piece)

    def literal_login(self, url: str) -> bool:
        """Remember the password in a URL; whether there is one."""
        try:
            password = urlsplit(url).password
        except ValueError:
            return False
        return self._keep_all([password] if password else [])

    def literal_address(self, address: str) -> bool:
        """Remember what gives access in an address that is asked without a word: login, keys in the path, parameters; whether
        there is any."""
        try:
            parts = urlsplit(address)
        except ValueError:
            return False
        pieces = _KEY.findall(unquote(parts.path)) + [value for _, value in parse_qsl(parts.query) if len(value) >= 8]
        return self._keep_all([*pieces, address] if pieces else []) | self.literal_login(address)

    def literal_header(self, name: str, value: str) -> bool:
        """Remember the value of a header that gives access; whether it is one."""
        if not _SECRET_NAME.search(name):
            return False
        found = [value, value.rpartition(" ")[2], *(one.partition("=")[2].strip() for one in value.split(";") if "=" in one)]
        if value.lower().startswith("basic "):
            with suppress(ValueError):
                found.append(base64.b64decode(value[6:].strip(), validate=True).decode("utf-8", "replace").partition(":")[2])
        return self._keep_all(found)

    def literal_body(self, body: str) -> bool:
        """Remember the values in a body whose names say that they give access; whether there are any."""
        return self._keep_all(value for name, value in _SETTING.findall(body) if _SECRET_NAME.search(name))

    def _keep_all(self, found: Iterable[str]) -> bool:
        return bool([self._keep(value) for value in found])

    def _keep(self, value: str) -> str:
        self._values.add(value)
        self._fresh.add(value)
        return value

    def _replaced(self, written: str, *, url: bool, secret: bool) -> str:
        def one(found: re.Match[str]) -> str:
            if found[1] is None:
                return "${"
            value = self._variable(found[1], closed=bool(found[2]))
            if secret:
                self._keep(value)
            if url and _is_part(written, found) and not _PLAIN.fullmatch(value):
                value = quote(value, safe="")
                self._keep(value)
            return value

        return _REFERENCE.sub(one, written)

    def _variable(self, name: str, *, closed: bool) -> str:
        if not closed:
            raise ValueError("${ is not closed by }; write $${ for the characters themselves")
        if not _VARIABLE.fullmatch(name):
            raise ValueError(f"${{{name}}} does not name an environment variable; write $${{ for the characters themselves")
        value = self._environ.get(name)
        if value is None:
            raise ValueError(f"environment variable {name} is not set")
        return _one_line(value, f"environment variable {name}")

    def _read(self, written: str) -> str:
        path = self._folder / written
        self.files[path] = None
        try:
            if path.stat().st_size > _LARGEST:
                raise ValueError(f"file {path} is larger than a secret can be (64 KiB)")
            raw = path.read_bytes()
        except OSError as error:
            raise ValueError(f"file {path} cannot be read: {error.strerror or error}") from None
        try:
            return _one_line(raw.decode("utf-8-sig"), f"file {path}")
        except UnicodeDecodeError:
            raise ValueError(f"file {path} is not text in UTF-8") from None


def _one_line(value: str, where: str) -> str:
    value = value.strip()
    if not value:
        raise ValueError(f"{where} is empty")
    if _CONTROL.search(value):
        raise ValueError(f"{where} holds several lines or control characters; a secret is one line")
    return value


def _is_part(written: str, found: re.Match[str]) -> bool:
    """Whether the reference stands for a user name, a password or a query value of the URL it is in."""
    before, after = written[: found.start()], written[found.end() :]
    _, is_url, rest = before.partition("://")
    if not is_url:
        return False
    if "?" in rest:
        return rest.endswith("=")
    return "/" not in rest and "@" in re.split(r"[/?#]", after, maxsplit=1)[0]
