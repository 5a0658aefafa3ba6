"""An article that its site has split is read as one: each further page is a look of its own, in its host's turn.

It stores nothing and judges nothing of what the text means.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from monitor import text, urls
from monitor.check import passes
from monitor.check.desk import Desk
from monitor.errors import FetchError
from monitor.look import Looked, look
from monitor.model import Document, Purpose, Request, Source, Validators

#: More pages than this are no article.
MOST = 20
#: So many lines at the beginning and at the end of each page may be its frame: what all of them repeat.
_FRAME = 5
_COUNTED = re.compile(r"\s*[（(【\[]?\s*(?:第?\s*\d{1,2}\s*页?|\d{1,2}\s*/\s*\d{1,2})\s*[）)】\]]?$")


def whole(desk: Desk, source: Source, first: Looked) -> Looked:
    """`first` together with the pages that go on with it.

    Raises SourceError where one of them cannot be read: half an article would look like a revised one. One that is not there, or
    that is about something else, ends the article.
    """
    document = first.result
    if not isinstance(document, Document) or document.next is None or document.gone:
        return first
    pages, raw = [document], [first.raw or b""]
    seen = {urls.identity(first.url), urls.identity(first.request.url)}
    problems: tuple[str, ...] = ()
    while (after := pages[-1].next) is not None and urls.identity(after) not in seen:
        if len(pages) >= MOST:
            problems = (f"the article has more than {MOST} pages; the rest is not read",)
            break
        seen.add(urls.identity(after))
        request = Request(after, Purpose.DOCUMENT, via=first.request.via, headers=source.headers)
        try:
            with desk.pace.turn(urls.host(after)):
                looked = passes.learn(desk, source, look(source, passes.handed(desk, source, request), desk.now))
        except FetchError as error:
            if error.status not in (404, 410):
                raise
            problems = (f"page {len(pages) + 1} of the article answers {error.status}: {after}",)
            break
        page = looked.result
        if not isinstance(page, Document) or page.gone or not _goes_on(pages, page):
            break
        pages.append(page)
        raw.append(looked.raw or b"")
    joined = replace(_joined(pages), problems=(*document.problems, *problems))
    # "not modified" would speak of the first page alone
    return replace(first, result=joined, raw=b"\n".join(raw), validators=Validators(at=first.validators.at))


def _goes_on(pages: Sequence[Document], page: Document) -> bool:
    """Whether a page belongs to the article: the same title, if both have one, and a text that is new."""
    if any(page.text == known.text for known in pages):
        return False
    a, b = (text.fold(_COUNTED.sub("", one.title or "")) for one in (pages[0], page))
    return a.startswith(b) or b.startswith(a)


def _joined(pages: Sequence[Document]) -> Document:
    first = pages[0]
    lines = [page.text.split("\n") for page in pages]
    head, tail = _common(lines), _common([page[::-1] for page in lines])
    parts = [page[head if place else 0 : len(page) - (tail if place < len(pages) - 1 else 0)] for place, page in enumerate(lines)]
    return replace(
        first,
        text="\n".join(line for part in parts for line in part),
        attachments=tuple({one.url: one for page in reversed(pages) for one in reversed(page.attachments)}.values())[::-1],
        images=tuple(dict.fromkeys(image for page in pages for image in page.images)),
        next=None,
    )


def _common(pages: Sequence[Sequence[str]]) -> int:
    """How many lines all pages begin with alike, at most `_FRAME`, and never a whole page."""
    most = min(_FRAME, *(len(page) - 1 for page in pages)) if len(pages) > 1 else 0
    return next((at for at in range(most) if len({page[at] for page in pages}) > 1), max(most, 0))
