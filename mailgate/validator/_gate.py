"""Who may open a connection now: limits overall, for each domain and for each MX host group, pacing and rest.

The model: a domain that has somebody to ask stands in the queue of its group; a group that may connect stands in the
queue of the gate. Both queues turn, so that neither a list sorted by domain nor one large provider keeps the others
waiting, and every step costs the same however long the list is. Times come from outside: nothing here waits.

Invariants: open connections never exceed a limit; two connections to one group begin at least `pace_seconds` apart; a
resting group gets none; a group that was left alone after its last strike never gets one again.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from mailgate.validator._queue import Queue

# Groups that nothing is remembered about are forgotten when there are more.
MAX_IDLE_GROUPS = 20_000
# A strike is forgotten after so many answers without a new one: a long run to a large provider is not one mishap.
ANSWERS_THAT_FORGIVE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class GateLimits:
    """The fields are those of `Settings`."""

    connections: int = 32
    per_domain: int = 3
    per_mx_group: int = 4
    pace_seconds: float = 1.0
    rest_seconds: float = 300.0
    strikes: int = 3


class Asker(Protocol):
    """A domain, as the gate sees it. group: whose limits hold for it now; it may change while it stands in a queue.

    queued: the group in whose queue it stands, None when in none; the gate's own.
    """

    active: int
    queued: Any

    @property
    def group(self) -> Any: ...

    def connections_wanted(self) -> int:
        """How many connections it has work for, the open ones included."""
        ...


AskerT = TypeVar("AskerT", bound=Asker)


class Group(Generic[AskerT]):
    """One MX host group: its open connections, its queue, its record.

    recipients: how many it takes on one connection; None: the setting. not_before: nothing begins earlier.
    members: domains that point here; pending: addresses that wait. answered, busy_seconds: what its sessions brought
    so far, for the estimate of the time left.
    """

    __slots__ = (
        "active",
        "answered",
        "answers_since_strike",
        "busy_seconds",
        "left_alone",
        "listed",
        "members",
        "name",
        "not_before",
        "pending",
        "recipients",
        "resting_since",
        "strikes",
        "waiting",
    )

    def __init__(self, name: str) -> None:
        self.name = name
        self.active = 0
        self.waiting: Queue[AskerT] = Queue()
        self.listed = False
        self.not_before = 0.0
        self.resting_since = -1.0
        self.strikes = 0
        self.answers_since_strike = 0
        self.left_alone = False
        self.recipients: int | None = None
        self.answered = 0
        self.busy_seconds = 0.0
        self.pending = 0
        self.members = 0

    @property
    def is_idle(self) -> bool:
        """Nothing would be lost by forgetting it."""
        return not (self.members or self.active or self.waiting or self.listed or self.strikes or self.recipients)


class Gate(Generic[AskerT]):
    """Hands out connections. clock: seconds that only grow."""

    def __init__(self, limits: GateLimits, clock: Callable[[], float]) -> None:
        self._limits = limits
        self._clock = clock
        self._groups: dict[str, Group[AskerT]] = {}
        self._forget_at = MAX_IDLE_GROUPS
        self._ready: deque[Group[AskerT]] = deque()
        self._later: list[tuple[float, str, Group[AskerT]]] = []
        self.open = 0

    def group(self, name: str) -> Group[AskerT]:
        """The group of that name, made when it is new."""
        group = self._groups.get(name)
        if group is None:
            if len(self._groups) >= self._forget_at:
                self._forget_idle()
            group = self._groups[name] = Group(name)
        return group

    def groups(self) -> list[Group[AskerT]]:
        """All groups that are known."""
        return list(self._groups.values())

    def want(self, asker: AskerT, group: Group[AskerT]) -> None:
        """`asker` may have work: put it in its group's queue unless it stands there; it leaves any other queue."""
        if asker.queued is not group and not group.left_alone and self._has_work(asker):
            asker.queued = group
            group.waiting.append(asker)
            self._consider(group)

    def next(self) -> tuple[AskerT, Group[AskerT]] | None:
        """The next domain that may connect now, its connection counted as open; None when nobody may."""
        self._wake()
        while self._ready and self.open < self._limits.connections:
            group = self._ready.popleft()
            group.listed = False
            now = self._clock()
            if group.not_before > now or group.active >= self._limits.per_mx_group:
                self._consider(group)
                continue
            asker = self._first_with_work(group)
            if asker is None:
                continue
            asker.active += 1
            group.active += 1
            self.open += 1
            group.not_before = max(group.not_before, now + self._limits.pace_seconds)
            self.want(asker, group)
            self._consider(group)
            return asker, group
        return None

    def release(self, asker: AskerT, group: Group[AskerT]) -> None:
        """The connection is closed."""
        asker.active -= 1
        group.active -= 1
        self.open -= 1
        self._consider(group)

    def next_time(self) -> float | None:
        """When `next` may have an answer that it has not now; None when only a release or new work can change it."""
        return self._later[0][0] if self._later else None

    def answered(self, group: Group[AskerT], recipients: int, seconds: float) -> None:
        """A session brought so many answers in so much time."""
        group.answered += recipients
        group.busy_seconds += seconds
        group.answers_since_strike += recipients
        if group.strikes and not group.left_alone and group.answers_since_strike >= ANSWERS_THAT_FORGIVE:
            group.strikes = 0

    def strike(self, group: Group[AskerT], *, started: float) -> bool:
        """The group told us off in a session that began at `started`; True when that was a new strike.

        Sessions that were already open when the rest began are the same mishap. Each rest is twice as long as the one
        before; after the last strike the group is left alone.
        """
        if started <= group.resting_since or group.left_alone:
            return False
        now = self._clock()
        group.strikes += 1
        group.answers_since_strike = 0
        group.resting_since = now
        group.not_before = now + self._limits.rest_seconds * 2 ** (group.strikes - 1)
        group.left_alone = group.strikes >= self._limits.strikes
        return True

    def dismiss(self, group: Group[AskerT]) -> None:
        """Nobody waits for the group any more."""
        while group.waiting:
            asker = group.waiting.popleft()
            if asker.queued is group:
                asker.queued = None

    def resting(self) -> int:
        """How many groups rest now."""
        now = self._clock()
        return sum(1 for group in self._groups.values() if group.strikes and group.not_before > now)

    def longest_rest(self) -> float:
        """Seconds until the last group that rests and that somebody waits for may be asked again."""
        now = self._clock()
        rests = (g.not_before - now for g in self._groups.values() if g.strikes and g.pending and not g.left_alone)
        return max(0.0, max(rests, default=0.0))

    # --- the queues ---------------------------------------------------------------------------------------------------

    def _has_work(self, asker: AskerT) -> bool:
        return asker.active < self._limits.per_domain and asker.connections_wanted() > asker.active

    def _first_with_work(self, group: Group[AskerT]) -> AskerT | None:
        while group.waiting:
            asker = group.waiting.popleft()
            if asker.queued is not group:
                continue  # it went over to another group, and stands there
            asker.queued = None
            if asker.group is group:
                if self._has_work(asker):
                    return asker
            elif asker.group is not None:
                self.want(asker, asker.group)
        return None

    def _consider(self, group: Group[AskerT]) -> None:
        if group.listed or not group.waiting or group.left_alone or group.active >= self._limits.per_mx_group:
            return
        group.listed = True
        if group.not_before > self._clock():
            heapq.heappush(self._later, (group.not_before, group.name, group))
        else:
            self._ready.append(group)

    def _wake(self) -> None:
        now = self._clock()
        while self._later and self._later[0][0] <= now:
            group = heapq.heappop(self._later)[2]
            group.listed = False
            self._consider(group)

    def _forget_idle(self) -> None:
        now = self._clock()
        for name, group in list(self._groups.items()):
            if group.is_idle and group.not_before <= now:
                del self._groups[name]
        self._forget_at = max(MAX_IDLE_GROUPS, len(self._groups) * 3 // 2)
