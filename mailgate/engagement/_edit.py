"""Replacing parts of a text or of bytes, and putting them back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import AnyStr, Generic


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit(Generic[AnyStr]):
    """`original[start:end]` becomes `new`."""

    start: int
    end: int
    new: AnyStr

    def encode(self: Edit[str], charset: str) -> Edit[bytes]:
        """The same edit of bytes, where one character is one byte."""
        return Edit(start=self.start, end=self.end, new=self.new.encode(charset))


def splice(original: AnyStr, edits: Iterable[Edit[AnyStr]]) -> AnyStr:
    """`original` with the edits made; they are in order and do not overlap."""
    pieces: list[AnyStr] = []
    at = 0
    for edit in edits:
        pieces.append(original[at : edit.start])
        pieces.append(edit.new)
        at = edit.end
    pieces.append(original[at:])
    return original[:0].join(pieces)


def inverse(original: AnyStr, edits: Iterable[Edit[AnyStr]]) -> tuple[Edit[AnyStr], ...]:
    """The edits that make `original` out of `splice(original, edits)`."""
    inverted = []
    shift = 0
    for edit in edits:
        start = edit.start + shift
        inverted.append(Edit(start=start, end=start + len(edit.new), new=original[edit.start : edit.end]))
        shift += len(edit.new) - (edit.end - edit.start)
    return tuple(inverted)
