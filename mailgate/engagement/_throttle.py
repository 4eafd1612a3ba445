"""A token bucket for each network: who asks too often is marked, and still answered."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

MAX_NETWORKS = 10_000
BURST_FACTOR = 4


class Throttle:
    """`is_over(address)` is True above `per_second` requests from one network (/24 or /48).

    Four seconds' worth may come at once. Bounded memory: the 10,000 networks seen last. Safe to share between threads.
    """

    def __init__(self, per_second: float, clock: Callable[[], float]) -> None:
        if per_second <= 0:
            raise ValueError(f"a rate above zero, not {per_second!r}")
        self._rate = per_second
        self._capacity = max(1.0, per_second * BURST_FACTOR)
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[bytes, tuple[float, float]] = OrderedDict()

    def is_over(self, packed: bytes | None) -> bool:
        """Count one request; True when there are too many."""
        network = b"" if packed is None else packed[:3] if len(packed) == 4 else packed[:6]
        now = self._clock()
        with self._lock:
            level, since = self._buckets.pop(network, (self._capacity, now))
            level = min(self._capacity, level + max(0.0, now - since) * self._rate)
            over = level < 1
            self._buckets[network] = (level if over else level - 1, now)
            if len(self._buckets) > MAX_NETWORKS:
                self._buckets.popitem(last=False)
        return over
