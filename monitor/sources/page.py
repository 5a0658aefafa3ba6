"""The kind `page`: a page without a list is one notice, whose text is watched. How a page is read is in `monitor.html`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from monitor import urls
from monitor.errors import ParseError
from monitor.html import dom, page
from monitor.model import Fetched, Listing, Notice, Request, Source
from monitor.sources import rows


def _selector(css: str) -> str:
    if not css.strip():
        raise ValueError("an empty CSS selector matches nothing; leave the key out")
    dom.compiled((css,))
    return css


class PageOptions(BaseModel):
    """What a source of kind `page` says of its page. Its text is shaped by `select`, `ignore` and `ignore_text`."""

    model_config = ConfigDict(extra="forbid")

    title: Annotated[str, AfterValidator(_selector)] | None = Field(
        None, description="CSS selector of the notice's title; absent: the page's own title"
    )


class Page:
    """The door: see `monitor.sources.SourceKind`."""

    Options = PageOptions
    version = 1
    shaping = frozenset({"title"})

    def begin(self, source: Source, state: Mapping[str, Any], now: datetime) -> Request:
        """The source's own address; a page needs no state."""
        return rows.first_request(source)

    def parse(self, source: Source, got: Fetched) -> Listing:
        """One notice, with the key "page". Its time is unknown: what a page says of that changes whenever it is published again.

        Raises ParseError where the page has no text, is no page, or says that its content is gone.
        """
        if not page.is_page(got):
            raise ParseError(
                f"{got.url} is {got.media_type or 'of an unknown type'}, not a page",
                reason="not a page",
                hint="the kind `page` takes HTML and plain text; see the other kinds for feeds, lists and JSON",
            )
        options: PageOptions = source.options or PageOptions(title=None)
        found = page.read(got, source.reading, title=options.title)
        if found.gone is not None:
            raise ParseError(f'{got.url} says "{found.gone}"', reason="gone", hint="correct the address, or remove this source")
        if found.menus:
            raise ParseError(
                f"{got.url} shows nothing but links and what stands around a text",
                reason="no text",
                hint="if its text is there in a browser, name its place by `select`, or a menu's where a menu is to be watched",
            )
        if not found.text:
            raise ParseError(
                f"{got.url} has pictures or files but no text",
                reason="no text",
                hint="the kind `page` watches text; watch the page that links to the files as a list",
            )
        notice = Notice(
            source_id=source.id,
            key="page",
            url=urls.join(got.url, source.url),
            title=found.title or rows.file_name(got.url),
            text=found.text,
            attachments=(*found.attachments, *found.documents),
        )
        return Listing(
            notices=(notice,),
            complete=source.complete,
            problems=(*found.problems, *rows.doubts(got, got.text)),
            odd=rows.damaged(got, got.text),
        )
