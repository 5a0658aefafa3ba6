"""The catalogue of ready sources: one TOML file per issuing body, shipped with the program. It asks no
live site: `verified` says what an entry was checked against."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import monitor
from monitor.errors import ConfigError

#: Keys of a [[preset]] that are about the preset; all others are keys of a [[source]].
ABOUT = ("id", "column", "verified", "note")


@dataclass(frozen=True, slots=True)
class Preset:
    """One ready source. `body` and `body_en` name who issues, `column` which of its lists; `keys` are those of the [[source]];
    `verified` is a date and what was seen ("2026-11-22, structure only")."""

    name: str
    body: str
    body_en: str
    column: str
    kind: str
    url: str
    verified: str
    note: str
    keys: Mapping[str, Any]


def folder() -> Path:
    """Where the catalogue is: in the installed package, else in the repository."""
    package = Path(monitor.__file__).parent
    installed = package / "presets"
    return installed if installed.is_dir() else package.parent / "config" / "presets"


@cache
def presets() -> Mapping[str, Preset]:
    """Every preset by its name, sorted. Raises ConfigError where a file of the catalogue is damaged."""
    found: dict[str, Preset] = {}
    for path in sorted(folder().glob("*.toml")):
        if path.name != "monitor.toml":  # the default config is installed beside them
            for preset in read(path):
                if preset.name in found:
                    raise ConfigError(f'{path}: preset "{preset.name}" exists already')
                found[preset.name] = preset
    return dict(sorted(found.items()))


def read(path: Path) -> list[Preset]:
    """The presets of one file; [defaults] holds keys that all of them have. Raises ConfigError."""
    try:
        document = tomllib.loads(path.read_text("utf-8"))
        body, shared = document["body"], document.get("defaults", {})
        return [_preset(body, shared | table) for table in document["preset"]]
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"preset file {path} cannot be read: {error}") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"preset file {path} needs [body] and [[preset]] tables: {error}") from error


def _preset(body: Mapping[str, str], table: Mapping[str, Any]) -> Preset:
    return Preset(
        name=table["id"],
        body=body["name"],
        body_en=body["name_en"],
        column=table["column"],
        kind=table["kind"],
        url=table["url"],
        verified=table["verified"],
        note=table.get("note", ""),
        keys={key: value for key, value in table.items() if key not in ABOUT},
    )
