"""What texts say of themselves, and their words for the index, read before the transaction that stores them: inside it the answer
is looked up, and only what moved meanwhile is read again."""

from __future__ import annotations

from collections.abc import Sequence

from monitor import facts, identity, search
from monitor.facts import Bodies
from monitor.model import Facts, When


class Prepared:
    """See `store.said.Reads`; it remembers for the time of one check or reading."""

    def __init__(self, bodies: Bodies, *, copied: bool = True) -> None:
        self.bodies = bodies
        self.copied = copied
        self._shingles: dict[str, frozenset[int]] = {}
        self._read: dict[tuple[object, ...], Facts] = {}
        self._terms: dict[str, str] = {}

    def __call__(
        self, title: str, text: str, published: When | None, origin: str | None, labels: Sequence[tuple[str, str]]
    ) -> Facts:
        asked = (title, text, published, origin, tuple(labels))
        if asked not in self._read:
            self._read[asked] = facts.read(title, text, published=published, origin=origin, labels=labels, bodies=self.bodies)
        return self._read[asked]

    def ahead(self, title: str, text: str, published: When | None, origin: str | None, labels: Sequence[tuple[str, str]]) -> None:
        """Read now what will be asked for."""
        self(title, text, published, origin, labels)
        self.terms(title)
        self.terms(text)
        if self.copied:
            self.shingles(text)

    def terms(self, said: str) -> str:
        """A text as the index of words takes it."""
        if said not in self._terms:
            self._terms[said] = search.terms(said)
        return self._terms[said]

    def shingles(self, said: str) -> frozenset[int]:
        """A text as `identity` compares it."""
        if said not in self._shingles:
            self._shingles[said] = identity.shingles(said)
        return self._shingles[said]
