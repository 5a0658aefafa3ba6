"""Which pictures of a page are wanted, and the bytes of a file or picture against those that lay at its address before. Pure; it
writes nothing.

Other bytes are a revision, but: a page that came instead of the file is a fault; a file that lost all of its text, or is one that
lay there formerly, must be seen again; a picture that says the same words was only saved anew.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from monitor.model import Attachment, Document, Source

#: A page with fewer characters than this for each of its pictures hardly has any text: what it says stands in them.
SCANTY = 100
#: The same where words in pictures can be recognised: screenshots of tables among some text count, too.
SCANTY_FOR_OCR = 500
#: Pictures of one page that are wanted at most.
MOST_PICTURES = 60


def scanty(text: str, pictures: int) -> bool:
    """Whether a page hardly has any text compared with its pictures."""
    return len(text) < SCANTY * pictures


def pictures(source: Source, document: Document, *, baseline: bool, ocr: bool) -> tuple[Attachment, ...]:
    """The pictures of a page that are fetched, numbered in its order: all or none of them. `ocr`: whether their words can be
    recognised. Those of a baseline are not news, and are left where they are."""
    files = {one.url for one in document.attachments}
    shown = [url for url in document.images if url not in files]
    count = len(shown)
    if source.pictures == "none" or (baseline and source.pictures != "all"):
        return ()
    enough = len(document.text) >= (SCANTY_FOR_OCR if ocr else SCANTY) * count
    if enough and source.pictures != "all":
        return ()
    return tuple(Attachment(url, str(n), kind="picture") for n, url in enumerate(shown[:MOST_PICTURES], 1))


@dataclass(frozen=True, slots=True)
class Bytes:
    """What lies at the address. `text` is "" where there is none, or none was recognised yet; `pictures`: there are pictures of
    words in it; `problem` says why there is no text."""

    sha256: str
    kind: str
    text: str = ""
    pictures: bool = False
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class FileVerdict:
    """What a look at a file means. `act`: first | same | replaced | alike | doubt | fault; `reason` says why."""

    act: str
    reason: str


def judge_file(now: Bytes, before: Bytes | None, *, picture: bool, former: Collection[str], doubted: str | None) -> FileVerdict:
    """`before` is None where nothing has lain there so far; `former` are the hashes that did, `doubted` one that was seen and did
    not count."""
    if now.kind == "page":
        return FileVerdict("fault", now.problem or "a page came instead of the file")
    if before is None:
        return FileVerdict("first", "first reading")
    if now.sha256 == before.sha256:
        return FileVerdict("same", "as it was")
    if picture and now.text and now.text == before.text:
        return FileVerdict("alike", "the same words")
    if doubted != now.sha256:
        if now.sha256 in former:
            return FileVerdict("doubt", "a former state")
        if (before.text or before.pictures) and not (now.text or now.pictures):
            return FileVerdict("doubt", now.problem or "its text is gone")
    return FileVerdict("replaced", "picture" if picture else "attachment")
