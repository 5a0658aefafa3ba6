"""Cases of JSON answers that are cut, wrong in shape, or tell fewer rows than they say."""

from __future__ import annotations

import json

from tests.hostile.pages import catalogue, rows
from tests.hostile.table import Case, Page, calm, fault

ALL = rows(20)
WHOLE = catalogue(ALL).encode()
JSON = "application/json"


def bad(id_: str, covers: tuple[str, str], body: bytes, *says: str, **more: object) -> Case:
    return fault(id_, "json", covers, Page(body, JSON), "json", *says, kind="json", **more)  # type: ignore[arg-type]


def shaped(**data: object) -> bytes:
    return json.dumps(data, ensure_ascii=False).encode()


ERROR = ("error page", "json error")
CASES: tuple[Case, ...] = (
    bad("json-cut", ("cut without length", "no end tag"), WHOLE[: len(WHOLE) // 2]),
    bad("json-error-object", ERROR, shaped(code=500, msg="system error", data=None)),
    bad("json-no-rows-key", ERROR, shaped(code=0, message="ok")),
    bad("json-rows-null", ERROR, shaped(code=0, data=None)),
    bad("json-rows-a-text", ERROR, shaped(code=0, data="not available")),
    bad("json-rows-an-object", ERROR, shaped(code=0, data={"error": "busy"})),
    bad("json-rows-of-nulls", ERROR, shaped(code=0, data=[None] * 20)),
    bad("json-rows-of-numbers", ERROR, shaped(code=0, data=list(range(20)))),
    bad("json-rows-without-titles", ERROR, shaped(code=0, data=[{"x": i} for i in range(20)])),
    bad("json-a-number", ERROR, b"42"),
    bad("json-null", ERROR, b"null"),
    bad("json-empty-object", ERROR, b"{}"),
    fault(
        "json-not-a-number",
        "json",
        ("heavy", "big integers"),
        Page(WHOLE[:-1] + b', "x": [NaN, Infinity, 1e999999]}', JSON),
        "json",
        kind="json",
        outcome="failed|unchanged",
    ),
    bad("html-for-json", ("error page", "maintenance"), b"<html><body>busy</body></html>"),
    fault(
        "fewer-rows-than-it-says",
        "json",
        ("short list", "half"),
        Page(catalogue(ALL[:15], count=20).encode(), JSON),
        "json",
        "15",
        "20",
        kind="json",
        options='count = "count"\n',
    ),
    calm("json-with-a-mark", "json", ("charset", "byte order mark"), Page(b"\xef\xbb\xbf" + WHOLE, JSON), kind="json"),
    calm("json-called-html", "json", ("charset", "false meta"), Page(WHOLE, "text/html; charset=gbk"), kind="json"),
    calm(
        "json-in-gbk",
        "json",
        ("charset", "gbk labelled otherwise"),
        Page(catalogue(ALL).encode("gbk"), "application/json; charset=gbk"),
        kind="json",
    ),
    calm(
        "json-with-more-fields",
        "json",
        ("noise", "counters"),
        *(Page(catalogue(ALL, took=n, now=f"10:{n}").encode(), JSON) for n in (11, 12)),
        kind="json",
    ),
    calm(
        "json-escaped",
        "json",
        ("addresses", "raw and encoded path"),
        Page(json.dumps(json.loads(WHOLE)).encode(), JSON),
        kind="json",
    ),
)
