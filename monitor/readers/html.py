"""The reader of pages: HTML and plain text. How a page is read is in `monitor.html`; nothing is read here."""

from __future__ import annotations

from monitor.html import page
from monitor.model import Document, Fetched, ReadPolicy


class Html:
    """See `monitor.readers.Reader`."""

    name = "html/2"

    def reads(self, got: Fetched) -> bool:
        """HTML, XHTML and plain text; an answer without a useful type if it begins as a page does."""
        return page.is_page(got)

    def read(self, got: Fetched, policy: ReadPolicy) -> Document:
        """Title, text, attachments. Raises ParseError where there is neither text nor picture nor file, or nothing selected."""
        found = page.read(got, policy)
        return Document(
            title=found.title,
            text=found.text,
            reader=self.name,
            published=found.published,
            issuer=found.issuer,
            attachments=found.attachments,
            images=found.images,
            gone=found.gone,
            problems=found.problems,
            labels=found.labels,
            next=found.next,
        )
