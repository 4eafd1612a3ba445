"""A cache in front of any `Resolve` callable: bounded by TTL and by size, one question in flight a name."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

from mailgate.records import Lookup, LookupStatus, Resolve
from mailgate.resolver._names import normal_name, normal_type

# A day bounds what a mistaken TTL can do (RFC 1035 calls zero to 68 years legal); hosts move in hours.
MAX_TTL_SECONDS = 86_400
# RFC 2308 5: negative answers longer than one to three hours cause more trouble than queries.
MAX_NEGATIVE_TTL_SECONDS = 3_600
# About 400 bytes an entry: 40 MB when full.
MAX_ENTRIES = 100_000


class CachingResolver:
    """A `Resolve` callable that asks `resolve` once for as long as the answer's TTL holds.

    Callers that ask the same while the question is in flight wait for the one answer. TEMPFAIL is handed to
    those who wait and then forgotten. The least recently used entry goes first when `max_entries` are kept.
    The `ttl_seconds` of a cached answer is what is left of it. clock: seconds that only grow.
    """

    def __init__(
        self,
        resolve: Resolve,
        *,
        max_entries: int = MAX_ENTRIES,
        max_ttl_seconds: int = MAX_TTL_SECONDS,
        max_negative_ttl_seconds: int = MAX_NEGATIVE_TTL_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if max_entries < 1:
            raise ValueError(f"max_entries must be at least 1, not {max_entries!r}")
        self._resolve = resolve
        self._max_entries = max_entries
        self._max_ttl = max_ttl_seconds
        self._max_negative_ttl = max_negative_ttl_seconds
        self._clock = clock
        self._entries: dict[tuple[str, str], tuple[float, Lookup]] = {}
        self._flights: dict[tuple[str, str], _Flight] = {}

    def __len__(self) -> int:
        return len(self._entries)

    async def __call__(self, name: str, rrtype: str) -> Lookup:
        """The cached answer, or that of the one question in flight."""
        key = normal_name(name), normal_type(rrtype)
        cached = self._cached(key)
        if cached is not None:
            return cached
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = _Flight(asyncio.ensure_future(self._ask(key)))
        return await flight.wait()

    def _cached(self, key: tuple[str, str]) -> Lookup | None:
        entry = self._entries.pop(key, None)
        if entry is None:
            return None
        expires, lookup = entry
        left = expires - self._clock()
        if left <= 0:
            return None
        self._entries[key] = entry  # put back at the end: most recently used
        return replace(lookup, ttl_seconds=int(left))

    async def _ask(self, key: tuple[str, str]) -> Lookup:
        try:
            lookup = await self._resolve(*key)
        finally:
            del self._flights[key]
        ttl = self._ttl_of(lookup)
        if ttl > 0:
            while len(self._entries) >= self._max_entries:
                del self._entries[next(iter(self._entries))]
            self._entries[key] = self._clock() + ttl, lookup
        return lookup

    def _ttl_of(self, lookup: Lookup) -> int:
        if lookup.status is LookupStatus.TEMPFAIL:
            return 0
        limit = self._max_ttl if lookup.status is LookupStatus.FOUND else self._max_negative_ttl
        return min(lookup.ttl_seconds, limit)


class _Flight:
    """One question and those who wait for it; it is given up only when nobody waits any more."""

    def __init__(self, task: asyncio.Future[Lookup]) -> None:
        self._task = task
        self._waiting = 0

    async def wait(self) -> Lookup:
        self._waiting += 1
        try:
            return await asyncio.shield(self._task)
        finally:
            self._waiting -= 1
            if not self._waiting and not self._task.done():
                self._task.cancel()
