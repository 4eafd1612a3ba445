"""What the dialect engine looks at, and what it finds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mailgate.bounce._addresses import find_addresses, is_system_address
from mailgate.bounce._notice import Likeness
from mailgate.records import Headers

MAX_TEXT_CHARACTERS = 2_000  # of the lines kept for one recipient

_OWN_FIELDS = ("to", "delivered-to", "return-path", "envelope-to", "from")


@dataclass(slots=True)
class Draft:
    """One recipient found in a text, and what was said about it."""

    address: str
    text: str = ""
    alias: str | None = None
    inferred: bool = False


class Source:
    """What the engine looks at: the words, and of the report's header what a row asks for."""

    __slots__ = ("_known", "_own", "headers", "likeness", "lower", "subject", "text")

    def __init__(self, text: str, lower: str, headers: Headers, subject: str, likeness: Likeness) -> None:
        self.text = text
        self.lower = lower
        self.headers = headers
        self.subject = subject
        self.likeness = likeness
        self._own: frozenset[str] | None = None
        self._known: tuple[str, ...] | None = None

    @property
    def own(self) -> frozenset[str]:
        """Lower-case addresses of the report's own header: its sender and those it was sent to."""
        if self._own is None:
            self._own = frozenset(address.lower() for address in self._addresses(_OWN_FIELDS))
        return self._own

    @property
    def known(self) -> tuple[str, ...]:
        """Addresses that a bare local part may stand for."""
        if self._known is None:
            self._known = tuple(self._addresses(("x-failed-recipients", "to")))
        return self._known

    def _addresses(self, names: tuple[str, ...]) -> Iterator[str]:
        for name in names:
            for value in self.headers.get_all(name):
                yield from find_addresses(value)


def is_own(address: str, source: Source) -> bool:
    key = address.lower()
    return key in source.own or is_system_address(key)


def text_about(source: Source, address: str) -> str:
    """The lines of the notification that belong to one address: from the line that names it to the next empty one."""
    at = source.lower.find(address.lower())
    if at == -1:
        return ""
    start = source.text.rfind("\n", 0, at) + 1
    end = source.text.find("\n\n", at)
    return source.text[start : end if end != -1 else None][:MAX_TEXT_CHARACTERS].strip()
