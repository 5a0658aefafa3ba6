"""The tables of a config file as pydantic models: keys, types, defaults, and what each key is for. They check one table alone;
what needs two tables, another file or a source's kind is checked in `build` and `source`.

Values stay as they were written ("15m"): that makes the defaults below those of the documentation, and of the schema.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

import regex
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from monitor import glance, pattern
from monitor.config import values
from monitor.html import dom
from monitor.model import Kind

#: Names that pages and users give charsets; each is known to the fetch room's table of the WHATWG labels.
ENCODINGS = (
    "utf-8", "gb18030", "gbk", "gb2312", "big5", "big5-hkscs", "utf-16le", "utf-16be", "euc-jp", "shift_jis", "iso-2022-jp",
    "euc-kr", "windows-1250", "windows-1251", "windows-1252", "iso-8859-1", "iso-8859-2", "iso-8859-15", "koi8-r",
)  # fmt: skip
#: How an address may be fetched.
WAYS = ("http", "browser")
#: When a notice's own page is read again after it was first seen (`recheck` of a source with follow = true).
RECHECK = ("1h", "6h", "1d", "3d", "7d", "30d")
_HEADER_NAME = regex.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, section 5.1


def _reads(reader: Callable[[str], object]) -> AfterValidator:
    """Check a value with a reader of `values` and keep it as it was written."""

    def checked(written: str) -> str:
        reader(written)
        return written

    return AfterValidator(checked)


def _strings(given: Any) -> Any:
    return [given] if isinstance(given, str) else given


def _selector(css: str) -> None:
    if not css.strip():
        raise ValueError("an empty CSS selector matches nothing; leave it out")
    dom.compiled((css,))


def _pattern(written: str) -> None:
    if not written:
        raise ValueError("an empty pattern matches everywhere; leave it out")
    try:
        pattern.compiled(written)
    except pattern.NoPattern as error:
        at = "" if error.position is None else f" at position {error.position}"
        raise ValueError(f"/{written}/ is not a regular expression: {error}{at}") from None


def _timezone(written: str) -> None:
    from zoneinfo import ZoneInfo, available_timezones

    try:
        ZoneInfo(written)
    except (OSError, ValueError, LookupError):
        hint = values.nearest(written, available_timezones())
        raise ValueError(f'"{written}" is not a time zone such as "Asia/Shanghai"{hint}') from None


def _proxy(written: str) -> None:
    if written and not regex.fullmatch(r"(?:https?|socks5h?)://[^\s/]+/?", written):
        raise ValueError('is not a proxy; write for example "http://proxy.lan:3128"')


def _hidden_address(written: str) -> None:
    """For addresses that may hold secrets: they are never repeated in the sentence."""
    if written and not regex.fullmatch(r"https?://[^\s/]+\S*", written):
        raise ValueError("is not a web address; it must begin with https:// or http://")


def _target(written: str) -> None:
    if not regex.match(r"[a-z][a-z0-9+.-]*://", written, flags=regex.IGNORECASE):
        raise ValueError(
            'is not an Apprise URL; it begins with a service, for example "mailtos://", "wecombot://" or "console://"'
        )


def _via(written: str) -> None:
    if written not in WAYS:
        raise ValueError(f'"{written}" is not a way to fetch; write "http" or "browser"')


def _encoding(written: str) -> None:
    if written and written.lower() not in ENCODINGS:
        hint = values.nearest(written.lower(), ENCODINGS)
        raise ValueError(f'"{written}" is not a charset that is known here, such as "gb18030" or "utf-8"{hint}')


def _headers(given: dict[str, str]) -> dict[str, str]:
    for name, value in given.items():
        if not _HEADER_NAME.fullmatch(name):
            raise ValueError(f'"{name}" cannot be the name of a header')
        if regex.search(r"[\x00-\x08\x0a-\x1f\x7f]", value):
            raise ValueError(f'the value of header "{name}" holds line ends or control characters')
    return given


def _database(written: str) -> None:
    if not written.strip() or written.endswith("/"):
        raise ValueError("names no file")


def _regexp(expression: str, *examples: str) -> Any:
    return Field(json_schema_extra={"pattern": expression, "examples": [*examples]})


_DURATION = r"^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+(\.[0-9]+)?s)?$"
Duration = Annotated[str, _reads(values.duration), _regexp(_DURATION, "30s", "15m", "1h30m")]
Span = Annotated[str, _reads(values.longer_than_zero), _regexp(_DURATION, "30s", "15m", "1h30m")]
Size = Annotated[str, _reads(values.size), _regexp(r"^[0-9]+ ?(B|[kK]B|MB|GB|[kK]iB|MiB|GiB)$", "512kB", "10MiB")]
Days = Annotated[str, _reads(values.days), _regexp(r"^[0-9]{1,3}d$", "7d", "1d")]
Clock = Annotated[str, _reads(values.clock), _regexp(r"^([01][0-9]|2[0-3]):[0-5][0-9]$", "09:00")]
Window = Annotated[str, _reads(values.window), _regexp(r"^[0-9]{2}:[0-9]{2} ?- ?[0-9]{2}:[0-9]{2}$", "22:00-08:00")]
Name = Annotated[str, _reads(values.name), _regexp(r"^[^\s\"'*?\[\]]{1,100}$")]
Address = Annotated[str, _reads(values.web_address), _regexp(r"^https?://")]
Timezone = Annotated[str, _reads(_timezone)]
Change = Annotated[Kind, Field(strict=False)]
Language = Literal["zh", "en"]
_ONE_OR_MORE = WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]})
#: Tuples, because pydantic copies a default list for every source.
Words = Annotated[tuple[str, ...], Field(strict=False)]
Selectors = Annotated[tuple[Annotated[str, _reads(_selector)], ...], Field(strict=False), BeforeValidator(_strings), _ONE_OR_MORE]
Patterns = Annotated[tuple[Annotated[str, _reads(_pattern)], ...], Field(strict=False), BeforeValidator(_strings), _ONE_OR_MORE]
Addresses = Annotated[tuple[Address, ...], Field(strict=False), BeforeValidator(_strings), _ONE_OR_MORE]


class Table(BaseModel):
    """What every table has: no unknown keys, and no guessing of types."""

    model_config = ConfigDict(extra="forbid", strict=True)


class MonitorTable(Table):
    """[monitor]: the whole of it, and what sources take unless they say otherwise."""

    database: Annotated[str, _reads(_database)] = Field(glance.DATABASE, description="the database, relative to this file")
    timezone: Timezone = Field(glance.TIMEZONE, description="of dates, digests, quiet hours and cron lines")
    language: Language = Field(glance.LANGUAGE, description="words of messages and pages")
    every: Span | None = Field(None, description='interval between two checks of a source, 1 minute or more; default "15m"')
    cron: str | None = Field(None, description='instead of every: five fields, days by name, e.g. "*/10 8-20 * * mon-fri"')
    failing_after: Duration = Field("6h", description="a failing source is told after 3 failed checks and this long")
    hold: Duration = Field("2m", description="a new notice waits at most this long for its own page")
    give_up: Span = Field("3d", description="a delivery that keeps failing is given up after this long")
    ocr: Literal["auto", "rapidocr", "tesseract", "off"] = Field(
        "auto", description="what recognises words in pictures; auto: what is installed"
    )
    alive: Duration = Field("7d", description='a sign of life where nothing was told for this long; "0s": never')
    log: Literal["debug", "info", "warning", "error"] = Field("info", description="what is written to stderr")
    log_format: Literal["text", "json"] = Field("text", description="how it is written")
    heartbeat: Annotated[str, _reads(_hidden_address)] = Field("", description="an address that is asked after each round")
    issuers: dict[str, list[str]] = Field(
        default_factory=dict, description='bodies that monitor does not know, with their other names: {"某某局" = ["某局"]}'
    )


class HttpTable(Table):
    """[http]: how addresses are asked."""

    deadline: Span = Field("30s", description="for a whole answer")
    max_bytes: Size = Field("10MiB", description="the largest answer, decompressed")
    per_host: int = Field(1, ge=1, le=64, description="requests at once to one host")
    delay: Duration = Field("1s", description="between two requests to one host; less than 1s only inside allow_private")
    allow_private: list[Annotated[str, _reads(values.private_item)]] = Field(
        [], description='networks or host:port that may be asked although they are private, e.g. "127.0.0.0/8"'
    )
    proxy: Annotated[str, _reads(_proxy)] = Field("", description='e.g. "http://proxy.lan:3128"')
    user_agent: str = Field("", description="default: monitor's own name and home page; of a browser, its own")
    browser: str = Field("", description='the browser\'s program, for via = "browser"; default: the first Chromium on PATH')


class SourceTable(Table):
    """[[source]]: one place that is looked at. Each kind adds keys of its own."""

    id: Name | None = Field(None, description="the identity of the source; default: the preset's name")
    preset: str | None = Field(None, description="a ready source; see `monitor presets`")
    kind: str | None = Field(None, description="how the answer is read")
    url: Address | None = Field(None, description="what is asked")
    enabled: bool = Field(True, description="false: kept, but not looked at")
    every: Span | None = Field(None, description="interval between two checks; default: that of [monitor]")
    cron: str | None = Field(None, description='instead of every: five fields, days by name, e.g. "*/10 8-20 * * mon-fri"')
    min: Span | None = Field(None, description="the shortest interval to which the source's own rhythm may lead")
    max: Span | None = Field(None, description="the longest interval to which the source's own rhythm may lead")
    tags: Words = Field((), description="words for yourself, to filter by")
    follow: bool = Field(False, description="read each notice's own page")
    pages: int = Field(5, ge=1, le=1000, description="how many pages of the list are asked at most where rows are new")
    backfill: int = Field(
        50, ge=0, le=1_000_000, description="how many of the notices found at first sight have their pages read"
    )
    since: Span = Field("7d", description="where a source that is asked by dates begins")
    complete: bool = Field(False, description="the answer is the whole catalogue: a row that is missing was withdrawn")
    allow_empty: bool = Field(False, description="no rows is a good answer")
    select: Selectors = Field((), description="CSS: the parts of a page that are its text")
    ignore: Selectors = Field((), description="CSS: the parts of a page that are left out")
    ignore_text: Patterns = Field((), description="regular expressions: what they match is left out")
    via: Annotated[str, _reads(_via)] = Field("http", description="how it is fetched", json_schema_extra={"enum": [*WAYS]})
    fallback: Addresses = Field((), description="addresses of the same list, asked where the first fails")
    encoding: Annotated[str, _reads(_encoding)] = Field("", description="the charset, where the site says a wrong one")
    user_agent: str | None = Field(None, description="default: that of [http]")
    headers: Annotated[dict[str, str], AfterValidator(_headers)] = Field(
        default_factory=dict, description="sent with each request"
    )
    method: Literal["GET", "POST"] = Field("GET", description="of the request for the list")
    body: str = Field("", description="of a POST")
    proxy: Annotated[str, _reads(_proxy)] | None = Field(None, description='default: that of [http]; "" for none')
    busy: list[Annotated[int, Field(ge=400, le=599)]] = Field(
        [], description="statuses by which the site says that it was asked too often, besides 429"
    )
    verify_tls: bool = Field(True, description="false: certificates are not checked, which is told at each start")
    deadline: Span | None = Field(None, description="default: that of [http]")
    max_bytes: Size | None = Field(None, description="default: that of [http]")
    max_attachment: Size = Field("50MiB", description="the largest attachment that is fetched")
    pictures: Literal["auto", "all", "none"] = Field(
        "auto", description="fetch the pictures of notices' pages; auto: where there is hardly any text beside them"
    )
    same: Literal["auto", "off"] = Field("auto", description="off: never joined with the same document elsewhere")
    recheck: list[Span] | None = Field(
        None, description=f"when a notice's page is read again; default with follow: {', '.join(RECHECK)}; [] for never"
    )
    workers: Words = Field((), description="names of the workers that may look at it; default: any")
    hold: Duration | None = Field(None, description="default: that of [monitor]")
    failing_after: Duration | None = Field(None, description="default: that of [monitor]")


class ChannelTable(Table):
    """[[channel]]: where messages go."""

    id: Name = Field(description="the name of the channel in routes")
    url: Annotated[str, _reads(_target)] = Field(description="an Apprise URL; ${VAR} or file:/path for what is secret in it")
    endpoint: Annotated[str, _reads(_hidden_address)] = Field("", description="robots only: a gateway that speaks the same API")
    format: Literal["text", "markdown", "html"] | None = Field(
        None, description="default: the richest that the service shows; robots show no html"
    )
    limit: int | None = Field(
        None, ge=100, le=10_000_000, description="longest message; default, and the most: the service's own limit"
    )
    rate: float | None = Field(
        None, ge=1, le=10_000, description="messages a minute, 1 or more; default: what the service allows"
    )
    group: int = Field(10, ge=0, le=10_000, description="more than this at once go as grouped messages; 0: never grouped")
    language: Language | None = Field(None, description="default: that of [monitor]")
    timezone: Timezone | None = Field(None, description="of the dates in messages; default: that of [monitor]")


class RouteTable(Table):
    """[[route]]: which change goes to which channels. From top to bottom, the first that matches wins."""

    sources: list[str] | None = Field(None, min_length=1, description='ids of sources, "*" as a wildcard; default: any')
    kinds: list[Change] | None = Field(None, min_length=1, description="kinds of change; default: any")
    match: str | None = Field(None, description='words, "phrases", AND OR NOT ( ), field:value, /regex/; default: any')
    channels: list[str] | None = Field(None, description="ids of channels; [] tells nobody; default: every channel")
    go_on: bool = Field(False, alias="continue", description="true: the routes below are tried too")
    digest: Clock | None = Field(None, description='one message a day at this time, e.g. "09:00"')
    quiet: Window | None = Field(None, description='held until the end of these hours, e.g. "22:00-08:00"')
    remind: list[Days] = Field(
        [], description='a reminder so long before a deadline or effective date of a notice, e.g. ["7d", "1d"]'
    )


#: The tables of a file, by name; those in `ARRAYS` are written [[name]] and may stand any number of times.
TABLES: dict[str, type[Table]] = {
    "monitor": MonitorTable,
    "http": HttpTable,
    "source": SourceTable,
    "channel": ChannelTable,
    "route": RouteTable,
}
ARRAYS = frozenset({"source", "channel", "route"})


def keys(model: type[BaseModel]) -> list[str]:
    """The keys of a table as they are written in the file."""
    return [field.alias or name for name, field in model.model_fields.items()]
