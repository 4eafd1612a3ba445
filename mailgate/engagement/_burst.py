"""Bursts: the one thing that tells a link scanner with a browser's headers from a person.

People click one link and read. Scanners fetch all links of a message within a second or two, a median of 43 seconds
after it was sent, and send a browser's User-Agent. So the requests of one message to one recipient are remembered for
half a minute. When enough different links were asked for within the window, this request is a machine's, and so were
those before it: for each of them a correction goes out. The same when the trap link, which nobody can see, is followed.

The memory is of this process and of bounded size. Behind several workers each sees a part of a burst; `find_bursts`
sees all of it afterwards, over the stored events.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import inf

from mailgate.engagement._event import Actor, Confidence, EventType, TrackingEvent

MAX_REMEMBERED = 64  # requests of one message and recipient
MAX_LINKS = 256  # of one message


@dataclass(frozen=True, slots=True, kw_only=True)
class BurstRule:
    """When requests are a burst: that many different links, or that share of the message's links (two at least), of
    one message and recipient within the window. trap_seconds: how far around a hit on the trap link everything of
    that message and recipient is a machine's. messages: how many are remembered.
    """

    window_seconds: float = 2.0
    distinct_links: int = 3
    share: float = 0.6
    trap_seconds: float = 30.0
    messages: int = 10_000

    def is_burst(self, clicks: Iterable[TrackingEvent]) -> bool:
        """True for clicks of one message within one window."""
        links = set()
        count = 0
        for event in clicks:
            links.add(event.tid if event.link_index is None else event.link_index)
            count = max(count, event.link_count or 0)
        return self.is_burst_of(len(links), count)

    def is_burst_of(self, links: int, count: int) -> bool:
        """True for so many different links, of so many that the message has (0: nobody knows), within one window."""
        return links >= self.distinct_links or (links >= 2 and links >= self.share * count > 0)


class _Recent:
    """The last requests of one message and recipient, and when each of its links was last asked for."""

    __slots__ = ("count", "events", "links", "trapped")

    def __init__(self) -> None:
        self.events: deque[tuple[float, TrackingEvent]] = deque(maxlen=MAX_REMEMBERED)
        self.links: dict[int | str, float] = {}
        self.count = 0
        self.trapped = -inf

    def add(self, now: float, event: TrackingEvent) -> None:
        self.events.append((now, event))
        if event.trap:
            self.trapped = now
        link = event.tid if event.link_index is None else event.link_index
        if event.type is EventType.CLICK and (link in self.links or len(self.links) < MAX_LINKS):
            self.links[link] = now
            self.count = max(self.count, event.link_count or 0)


class BurstWatch:
    """The memory of one process; safe to share between threads."""

    def __init__(self, rule: BurstRule) -> None:
        self._rule = rule
        self._lock = threading.Lock()
        self._recent: OrderedDict[tuple[str, str, str], tuple[float, TrackingEvent] | _Recent] = OrderedDict()

    def see(self, event: TrackingEvent, now: float) -> tuple[TrackingEvent, Sequence[TrackingEvent]]:
        """(the event, relabelled when it is part of a burst; earlier events to correct). now: `event.at` in seconds."""
        if not event.message_id and not event.recipient_id:
            return event, ()
        key = (event.tenant, event.message_id, event.recipient_id)
        with self._lock:
            recent = self._recent.get(key)
            if recent is None:
                # Most recipients ask once: nothing is built for them.
                self._recent[key] = (now, event)
                if len(self._recent) > self._rule.messages:
                    self._recent.popitem(last=False)
                return event, ()
            self._recent.move_to_end(key)
            if isinstance(recent, tuple):
                first = recent
                recent = self._recent[key] = _Recent()
                recent.add(*first)
            recent.add(now, event)
            if len(recent.links) < 2 and now - recent.trapped > self._rule.trap_seconds:
                return event, ()
            return self._judge(now, event, recent)

    def _judge(
        self, now: float, event: TrackingEvent, recent: _Recent
    ) -> tuple[TrackingEvent, Sequence[TrackingEvent]]:
        rule = self._rule
        if now - recent.trapped <= rule.trap_seconds:
            reason, seconds = "trap", rule.trap_seconds
        elif rule.is_burst_of(sum(now - at <= rule.window_seconds for at in recent.links.values()), recent.count):
            reason, seconds = "burst", rule.window_seconds
        else:
            return event, ()
        corrected = []
        for place, (at, old) in enumerate(recent.events):
            if old.actor is not Actor.MACHINE and now - at <= seconds:
                fixed = relabel(old, reason)
                recent.events[place] = (at, fixed)
                if old is not event:
                    corrected.append(fixed)
        return relabel(event, reason), corrected


def relabel(event: TrackingEvent, reason: str) -> TrackingEvent:
    """The event as a machine's; one that already was keeps the reason that it had."""
    signals = event.signals if reason in event.signals else (*event.signals, reason)
    if event.actor is Actor.MACHINE:
        return event._replace(signals=signals)
    return event._replace(actor=Actor.MACHINE, actor_reason=reason, confidence=Confidence.HIGH, signals=signals)


def correction(event: TrackingEvent, new_id: str) -> TrackingEvent:
    """The event that says so to a recorder which already has the first one."""
    return event._replace(id=new_id, amends=event.id)


def find_bursts(events: Iterable[TrackingEvent], rule: BurstRule, new_id: Callable[[], str]) -> Iterator[TrackingEvent]:
    """Corrections for stored events, of any number of processes, that turn out to be parts of a burst.

    events: in any order; corrections among them are taken into account, so that a second run finds nothing new.
    """
    amended = {}
    groups: dict[tuple[str, str, str], dict[str, TrackingEvent]] = {}
    for event in events:
        if event.amends:
            amended[event.amends] = event
        elif event.message_id or event.recipient_id:
            groups.setdefault((event.tenant, event.message_id, event.recipient_id), {})[event.id] = event
    for group in groups.values():
        current = sorted((_amended(event, amended) for event in group.values()), key=lambda event: event.at)
        for at, reason in sorted(_machine_events(current, rule).items()):
            if current[at].actor is not Actor.MACHINE:
                yield correction(relabel(current[at], reason), new_id())


def _amended(event: TrackingEvent, amended: dict[str, TrackingEvent]) -> TrackingEvent:
    by = amended.get(event.id)
    return event if by is None else by._replace(id=event.id, amends="")


def _machine_events(events: Sequence[TrackingEvent], rule: BurstRule) -> dict[int, str]:
    """Index and reason of the events that belong to a burst or lie around a hit on the trap; linear but for windows."""
    found: dict[int, str] = {}
    instants = [event.at.timestamp() for event in events]
    start = 0
    for end, event in enumerate(events):
        while instants[end] - instants[start] > rule.window_seconds:
            start += 1
        low = max(start, end - MAX_REMEMBERED)
        if event.type is EventType.CLICK and rule.is_burst(
            old for old in events[low : end + 1] if old.type is EventType.CLICK
        ):
            found.update(dict.fromkeys(range(low, end + 1), "burst"))
    traps = [instant for instant, event in zip(instants, events, strict=True) if event.trap]
    for at, instant in enumerate(instants):
        if any(abs(instant - trap) <= rule.trap_seconds for trap in traps[:MAX_REMEMBERED]):
            found[at] = "trap"
    return found
