"""A first-in, first-out queue that costs next to nothing while it is short.

A run holds one for each of its domains and groups. `collections.deque` allots room for 64 items at once, 600 bytes, and
nearly all of these queues hold one or none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

ItemT = TypeVar("ItemT")
_CLEAR_AT = 64


class Queue(Generic[ItemT]):
    """`append`, `appendleft`, `popleft`, length, iteration and truth, as a deque has them."""

    __slots__ = ("_head", "_items")

    def __init__(self) -> None:
        self._items: list[ItemT] = []
        self._head = 0  # what stands before it was taken already

    def __len__(self) -> int:
        return len(self._items) - self._head

    def __iter__(self) -> Iterator[ItemT]:
        return iter(self._items[self._head :])

    def append(self, item: ItemT) -> None:
        """Last in line."""
        self._items.append(item)

    def appendleft(self, item: ItemT) -> None:
        """First in line."""
        if self._head:
            self._head -= 1
            self._items[self._head] = item
        else:
            self._items.insert(0, item)

    def popleft(self) -> ItemT:
        """The first in line, taken out. Raises IndexError when there is none."""
        if self._head >= len(self._items):
            raise IndexError("an empty queue")
        item = self._items[self._head]
        self._head += 1
        if self._head == len(self._items):
            self._items.clear()
            self._head = 0
        elif self._head >= _CLEAR_AT and 2 * self._head >= len(self._items):
            del self._items[: self._head]
            self._head = 0
        return item
