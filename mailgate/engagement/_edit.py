"""Replacing parts of a text or of bytes, and putting them back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import AnyStr, Generic, NamedTuple


class Edit(NamedTuple, Generic[AnyStr]):
    """`old`, which stands at original[start:end], becomes `new`. A named tuple: a mail has a hundred of them."""

    start: int
    end: int
    old: AnyStr
    new: AnyStr


def splice(original: AnyStr, edits: Iterable[Edit[AnyStr]]) -> AnyStr:
    """`original` with the edits made; they are in order and do not overlap."""
    pieces: list[AnyStr] = []
    at = 0
    for start, end, _, new in edits:
        pieces.append(original[at:start])
        pieces.append(new)
        at = end
    pieces.append(original[at:])
    return original[:0].join(pieces)


def inverse(edits: Iterable[Edit[AnyStr]]) -> list[Edit[AnyStr]]:
    """The edits that undo these."""
    inverted = []
    shift = 0
    for start, _, old, new in edits:
        inverted.append(Edit(start + shift, start + shift + len(new), new, old))
        shift += len(new) - len(old)
    return inverted
