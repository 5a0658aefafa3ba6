"""The JSON Schema of the config file, for editors, made from the models; written by
`python -m monitor.config.schema > config/monitor.schema.json`.

It describes what the models check table by table; what two tables say of each other, and secrets, only `monitor validate` checks.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel

from monitor import sources
from monitor.config.models import ARRAYS, TABLES

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema(kinds: Iterable[str] = tuple(sources.BUILT_IN)) -> dict[str, Any]:
    """The schema of a whole file whose sources are of these kinds."""
    tables = {name: _table(model) for name, model in TABLES.items()}
    tables["source"] = _source(tables["source"], sorted(kinds))
    return {
        "$schema": _DIALECT,
        "title": "monitor.toml",
        "type": "object",
        "additionalProperties": False,
        "properties": {name: {"type": "array", "items": table} if name in ARRAYS else table for name, table in tables.items()},
    }


def _table(model: type[BaseModel]) -> dict[str, Any]:
    made = model.model_json_schema(by_alias=True)
    table: dict[str, Any] = _tidy(made, made.pop("$defs", {}))
    return table


def _tidy(node: Any, definitions: dict[str, Any]) -> Any:
    """Without titles, null (which TOML has not), references, and examples of nothing."""
    if isinstance(node, list):
        return [_tidy(item, definitions) for item in node if item != {"type": "null"}]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _tidy(definitions[node["$ref"].rpartition("/")[2]], definitions)
    kept = {key: value for key, value in node.items() if not _is_noise(key, value)}
    found: dict[str, Any] = {key: _tidy(value, definitions) for key, value in kept.items() if key != "properties"}
    if "properties" in kept:
        found["properties"] = {key: _tidy(value, definitions) for key, value in kept["properties"].items()}
    if len(found.get("anyOf", ())) == 1:
        found |= found.pop("anyOf")[0]
    return found


def _is_noise(key: str, value: Any) -> bool:
    return (
        (key == "title" and isinstance(value, str)) or (key == "default" and value is None) or (key == "examples" and not value)
    )


def _source(common: dict[str, Any], kinds: list[str]) -> dict[str, Any]:
    """[[source]]: the common keys and those of every kind; with `kind` given, only those of that kind."""
    own = {kind: _table(sources.kind(kind).Options) for kind in kinds}
    merged = dict(common["properties"])
    for table in own.values():
        for key, value in table.get("properties", {}).items():
            merged.setdefault(key, value)
    merged["kind"] = {**merged["kind"], "enum": kinds}
    return {
        **common,
        "properties": merged,
        "anyOf": [{"required": ["preset"]}, {"required": ["id", "kind", "url"]}],
        "allOf": [_of_kind(kind, table, sorted(common["properties"])) for kind, table in own.items()],
    }


def _of_kind(kind: str, table: dict[str, Any], common: list[str]) -> dict[str, Any]:
    is_kind = {"properties": {"kind": {"const": kind}}, "required": ["kind"]}
    keys = sorted({*common, *table.get("properties", {})})
    then: dict[str, Any] = {"propertyNames": {"enum": keys}, "properties": table.get("properties", {})}
    if table.get("required"):
        then["anyOf"] = [{"required": ["preset"]}, {"required": table["required"]}]
    return {"if": is_kind, "then": then}


def text(kinds: Iterable[str] = tuple(sources.BUILT_IN)) -> str:
    """The schema as the file holds it."""
    return json.dumps(schema(kinds), ensure_ascii=False, indent=2) + "\n"


def main(arguments: list[str]) -> None:
    """Write the schema to stdout; with `--installed`, of every kind that is installed here."""
    sys.stdout.write(text(sources.names() if "--installed" in arguments else sources.BUILT_IN))


if __name__ == "__main__":
    main(sys.argv[1:])
