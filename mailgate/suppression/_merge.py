"""Two statements about the same row become one: pure, and in any order the same.

The later statement's source and evidence win, of two at the same second the one that came first; the time of the first
stays; an expiry only ever moves away. What says nothing new leaves the entry exactly as it is.
"""

from __future__ import annotations

from dataclasses import replace

from mailgate.suppression._records import Suppression


def merge(old: Suppression, new: Suppression, *, count: int) -> Suppression:
    """`old` with what `new` adds; count: of the result.

    An old entry that had expired before the new one began says nothing any more: then it is `new` alone.
    """
    if old.expires is not None and old.expires <= new.created:
        return new
    later, earlier = (new, old) if new.last > old.last else (old, new)
    created = min(old.created, new.created)
    return replace(
        later,
        created=created,
        refreshed=None if later.last == created else later.last,
        expires=None if old.expires is None or new.expires is None else max(old.expires, new.expires),
        count=count,
        detail=later.detail if later.detail is not None else earlier.detail,
        display=later.display if later.display is not None else earlier.display,
    )
