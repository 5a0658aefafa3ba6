"""A suggestion as a [[source]] to paste, with an id made of its address."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

from monitor.discover.suggestion import Suggestion


def toml(suggestion: Suggestion, taken: Collection[str] = ()) -> str:
    """The [[source]] of a suggestion, ready to paste; its id is none of those that are taken."""
    keys: dict[str, Any] = {"id": id_of(suggestion, taken)}
    keys |= {"kind": suggestion.kind, "url": suggestion.url, **suggestion.keys}
    listing = suggestion.listing
    if listing is None or any(notice.url for notice in listing.notices):
        keys["follow"] = True
    return "\n".join(["[[source]]", *(f"{key} = {_written(value)}" for key, value in keys.items())])


def id_of(suggestion: Suggestion, taken: Collection[str] = ()) -> str:
    """What the source of a suggestion is called; none of those that are taken."""
    return _free(name_for(suggestion.page or suggestion.url), taken)


def name_for(url: str) -> str:
    """A short id for a source at an address: "miit/tz" for www.miit.gov.cn/zwgk/wjfb/tz/."""
    parts = urlsplit(url)
    labels = [label for label in (parts.hostname or "source").split(".") if label not in ("www", "wap", "m")]
    stem = [part for part in parts.path.split("/") if part and not re.fullmatch(r"(index|default|list|rss|feed)\w*\.?\w*", part)]
    tail = re.sub(r"\.\w+$", "", stem[-1]) if stem else ""
    return "/".join(re.sub(r"[^\w.-]+", "-", name) for name in (labels[0], tail) if name)


def _free(name: str, taken: Collection[str]) -> str:
    number = 2
    while (f"{name}-{number}" if number > 2 or name in taken else name) in taken:
        number += 1
    return f"{name}-{number}" if name in taken else name


def _written(value: Any) -> str:
    """A value as TOML writes it."""
    if isinstance(value, bool | int):
        return json.dumps(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{json.dumps(name, ensure_ascii=False)} = {_written(one)}" for name, one in value.items()) + " }"
    return "[" + ", ".join(map(_written, value)) + "]"
