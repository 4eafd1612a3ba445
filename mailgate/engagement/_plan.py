"""From found links to edits: numbering over all documents of a message, then signing, one token a destination."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from mailgate.engagement._errors import UnsafeURL
from mailgate.engagement._links import Link, Place, Skipped
from mailgate.engagement._token import MessageLinks


class Found(NamedTuple):
    """A link before it is signed: where its value stands, what it leads to, and why it is left alone (or None)."""

    start: int
    end: int
    place: Place
    url: str
    skipped: Skipped | None


class Numbers:
    """The number of each tracked link of a message, from 0: of its destination, or of its place.

    The same destination in the HTML, in the branch for Outlook and in the text part has the same number, so that it
    has the same token. By position, every occurrence in HTML has its own; a link for Outlook or in the text has that
    of the first link with its destination.
    """

    def __init__(self, documents: Iterable[Sequence[Found]], *, by_position: bool) -> None:
        self._by_position = by_position
        self._of_url: dict[str, int] = {}
        self.count = 0
        wanted = [found for document in documents for found in document if found.skipped is None]
        for found in wanted:
            if by_position and found.place is Place.HTML:
                self._of_url.setdefault(found.url, self.count)
                self.count += 1
        if by_position:
            self._next_place = iter(range(self.count))
        for found in wanted:
            if found.url not in self._of_url:
                self._of_url[found.url] = self.count
                self.count += 1

    def take(self, found: Found) -> int:
        """The number of a link; to be asked once for each, in document order."""
        if self._by_position and found.place is Place.HTML:
            return next(self._next_place)
        return self._of_url[found.url]


class Signing:
    """Signs the links of one message, each (destination, number) once."""

    def __init__(self, links: MessageLinks, numbers: Numbers) -> None:
        self._links = links
        self._numbers = numbers
        self._signed: dict[tuple[str, int], str | Skipped] = {}

    def sign(self, document: Sequence[Found]) -> tuple[tuple[Link, ...], list[tuple[int, int, str]]]:
        """(the report, what is to be replaced as (start, end, new text)) of one document."""
        report: list[Link] = []
        changes: list[tuple[int, int, str]] = []
        for found in document:
            start, end, place, url, skipped = found
            if skipped is None:
                index = self._numbers.take(found)
                outcome = self._tracked_url(url, index)
                if not isinstance(outcome, Skipped):
                    changes.append((start, end, outcome))
                    report.append(Link(url, place, start, end, index, outcome, None))
                    continue
                skipped = outcome
            report.append(Link(url, place, start, end, None, None, skipped))
        return tuple(report), changes

    def _tracked_url(self, url: str, index: int) -> str | Skipped:
        outcome = self._signed.get((url, index))
        if outcome is None:
            outcome = self._signed[(url, index)] = self._click(url, index)
        return outcome

    def _click(self, url: str, index: int) -> str | Skipped:
        try:
            return self._links.click(url, link_index=index, link_count=self._numbers.count, as_written=True)
        except UnsafeURL as error:
            return Skipped.TOO_LONG if error.reason == "too_long" else Skipped.UNSAFE
