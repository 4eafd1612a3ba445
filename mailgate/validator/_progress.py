"""How far a run is, and an estimate of the time left that knows about large providers.

The rate so far says little about the rest: most lists end with one large provider whose four connections are the
pace of everything. So the estimate is the longest of three: the rest at the rate so far, the largest group's queue at
that group's own pace, and the time until a resting group may be asked again.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mailgate.validator._validation import Validation

if TYPE_CHECKING:
    from mailgate.validator._engine import Engine

_ANSWERS_BEFORE_ESTIMATE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A moment of a run.

    done, total: addresses; total is None when nobody said. by_status: done ones by status. rate: addresses a second
    so far. eta_seconds: until the end, None when nothing can be said. open_connections, resting_groups, deferred
    (addresses that wait for their time): now.
    """

    done: int
    total: int | None
    by_status: Mapping[str, int] = field(default_factory=dict)
    rate: float = 0.0
    eta_seconds: float | None = None
    open_connections: int = 0
    resting_groups: int = 0
    deferred: int = 0

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values."""
        return {
            "done": self.done,
            "total": self.total,
            "by_status": dict(self.by_status),
            "rate": round(self.rate, 2),
            "eta_seconds": None if self.eta_seconds is None else round(self.eta_seconds, 1),
            "open_connections": self.open_connections,
            "resting_groups": self.resting_groups,
            "deferred": self.deferred,
        }


class Counter:
    """Counts a run's results and makes `Progress` of them."""

    def __init__(self, total: int | None, engine: Engine) -> None:
        self._total = total
        self._engine = engine
        self._done = 0
        self._by_status: dict[str, int] = {}
        self._started = time.monotonic()

    def count(self, result: Validation) -> None:
        """One more is done."""
        self._done += 1
        status = result.status.value
        self._by_status[status] = self._by_status.get(status, 0) + 1

    def progress(self, per_mx_group: int) -> Progress:
        """Where the run is now."""
        gate = self._engine.gate
        rate = self._done / max(time.monotonic() - self._started, 1e-9)
        return Progress(
            done=self._done,
            total=self._total,
            by_status=dict(self._by_status),
            rate=rate,
            eta_seconds=self._eta(rate, per_mx_group),
            open_connections=gate.open,
            resting_groups=gate.resting(),
            deferred=self._engine.deferred,
        )

    def _eta(self, rate: float, per_mx_group: int) -> float | None:
        if self._total is None or not rate:
            return None
        left = max(self._total - self._done, 0)
        queued = sum(group.pending for group in self._engine.gate.groups())
        # What is not read yet is taken to be like what is queued.
        scale = max(left / queued, 1.0) if queued else 1.0
        slowest = 0.0
        for group in self._engine.gate.groups():
            if group.pending and group.answered >= _ANSWERS_BEFORE_ESTIMATE:
                seconds_each = group.busy_seconds / group.answered
                slowest = max(slowest, group.pending * scale * seconds_each / per_mx_group)
        return max(left / rate, slowest, self._engine.gate.longest_rest())
