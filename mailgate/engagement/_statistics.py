"""What the events add up to: people and machines apart, by message, stream, link and day.

The unit is one recipient of one message. Whatever a recipient's devices, proxies and scanners asked for, they count
once: as a person when a request looks like a person's, else as unclear when one does not tell, else as a machine. So
`people + unclear` is what other products call unique opens (without machines), and with `machines` it is the number
that they show when they do not look. Requests are counted too.

Before counting, corrections are applied and bursts are looked for over all recorded events of a recipient, also those
that came to different processes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from typing import Any

from mailgate.engagement._burst import BurstRule, find_bursts
from mailgate.engagement._event import Actor, EventType, TrackingEvent

_RANK = {Actor.HUMAN: 0, Actor.UNKNOWN: 1, Actor.MACHINE: 2}


@dataclass(slots=True)
class Tally:
    """Recipients by the best label that any of their requests has, and the requests by label.

    people, unclear, machines: recipients (of one message each). requests: all; machine_requests: those of machines.
    """

    people: int = 0
    unclear: int = 0
    machines: int = 0
    requests: int = 0
    machine_requests: int = 0

    @property
    def unique(self) -> int:
        """Recipients that are not only machines."""
        return self.people + self.unclear

    @property
    def with_machines(self) -> int:
        """All recipients for whom anything was requested."""
        return self.people + self.unclear + self.machines

    def add(self, labels: Iterable[Actor]) -> None:
        """Count one recipient, whose requests have these labels."""
        labels = list(labels)
        if not labels:
            return
        best = min(labels, key=_RANK.__getitem__)
        if best is Actor.HUMAN:
            self.people += 1
        elif best is Actor.UNKNOWN:
            self.unclear += 1
        else:
            self.machines += 1
        self.requests += len(labels)
        self.machine_requests += labels.count(Actor.MACHINE)

    def to_dict(self) -> dict[str, int]:
        """The record as JSON values, the two sums among them."""
        return {
            "unique": self.unique,
            "people": self.people,
            "unclear": self.unclear,
            "machines": self.machines,
            "with_machines": self.with_machines,
            "requests": self.requests,
            "machine_requests": self.machine_requests,
        }


@dataclass(slots=True)
class Row:
    """Opens and clicks of one message, stream, link or day."""

    opens: Tally = field(default_factory=Tally)
    clicks: Tally = field(default_factory=Tally)

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values."""
        return {"opens": self.opens.to_dict(), "clicks": self.clicks.to_dict()}


@dataclass(slots=True)
class Statistics:
    """The sums. by_message, by_stream: by (tenant, name); by_link: by (tenant, destination); by_day: by UTC date.

    machine_reasons: why requests were taken for a machine's. clients: mail clients and browsers behind the opens and
    clicks of people and unclear ones, by recipient. events: requests read; corrections: how many had their label
    changed; uncounted: tokens that were too old or from the future, which are in no other number.
    """

    total: Row = field(default_factory=Row)
    by_message: dict[tuple[str, str], Row] = field(default_factory=dict)
    by_stream: dict[tuple[str, str], Row] = field(default_factory=dict)
    by_link: dict[tuple[str, str], Row] = field(default_factory=dict)
    by_day: dict[date, Row] = field(default_factory=dict)
    machine_reasons: Counter[str] = field(default_factory=Counter)
    clients: Counter[str] = field(default_factory=Counter)
    events: int = 0
    corrections: int = 0
    uncounted: int = 0

    @classmethod
    def of(cls, events: Iterable[TrackingEvent], *, rule: BurstRule | None = None, grouped: bool = False) -> Statistics:
        """Add up events.

        events: in any order; about half a kilobyte of memory each, unless they are `grouped` (all events of one
        message to one recipient behind one another, as `read_sqlite(path, grouped=True)` gives them).
        rule: what a burst is; None takes the default.
        """
        statistics = cls()
        for group in _groups(events, grouped=grouped):
            statistics._add(group, rule or BurstRule())
        return statistics

    def _add(self, group: list[TrackingEvent], rule: BurstRule) -> None:
        """Count all events of one recipient of one message."""
        current = self._settled(group, rule)
        if not current:
            return
        first = current[0]
        opens = [event for event in current if event.type is EventType.OPEN]
        clicks = [event for event in current if event.type is EventType.CLICK]
        for row in (
            self.total,
            self.by_message.setdefault((first.tenant, first.message_id), Row()),
            self.by_stream.setdefault((first.tenant, first.stream), Row()),
        ):
            row.opens.add(event.actor for event in opens)
            row.clicks.add(event.actor for event in clicks)
        for url in {event.url for event in clicks}:
            row = self.by_link.setdefault((first.tenant, url), Row())
            row.clicks.add(event.actor for event in clicks if event.url == url)
        self._add_days(opens, clicks)
        self.machine_reasons.update(event.actor_reason for event in current if event.actor is Actor.MACHINE)
        self.clients.update(
            {event.client or event.agent_class for event in current if event.actor is not Actor.MACHINE}
        )

    def _settled(self, group: list[TrackingEvent], rule: BurstRule) -> list[TrackingEvent]:
        """The counted events with their last label."""
        amended = {event.amends: event for event in group if event.amends}
        for event in find_bursts(group, rule, new_id=str):
            amended[event.amends] = event
        settled = {}
        for event in group:
            if event.amends:
                continue
            self.events += 1
            by = amended.get(event.id)
            if by is not None:
                self.corrections += 1
                event = by
            if event.counted:
                settled[event.amends or event.id] = event
            else:
                self.uncounted += 1
        return list(settled.values())

    def _add_days(self, opens: list[TrackingEvent], clicks: list[TrackingEvent]) -> None:
        """A recipient counts on the day of the first request that has their best label."""
        for name, events in (("opens", opens), ("clicks", clicks)):
            if events:
                best = min(events, key=lambda event: (_RANK[event.actor], event.at))
                row = self.by_day.setdefault(best.at.date(), Row())
                tally: Tally = getattr(row, name)
                tally.add(event.actor for event in events)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Every row as JSON values: `total`; `message`, `stream`, `link`, the most clicked first; `day`."""
        yield {
            "group": "total",
            **self.total.to_dict(),
            "events": self.events,
            "corrections": self.corrections,
            "uncounted": self.uncounted,
            "machine_reasons": dict(self.machine_reasons.most_common()),
            "clients": dict(self.clients.most_common()),
        }
        for group in ("message", "stream", "link"):
            for (tenant, name), row in self.ranked(group):
                yield {"group": group, "tenant": tenant, group: name, **row.to_dict()}
        for day, row in sorted(self.by_day.items()):
            yield {"group": "day", "day": day.isoformat(), **row.to_dict()}

    def ranked(self, group: str) -> list[tuple[tuple[str, str], Row]]:
        """The rows of `message`, `stream` or `link`, those with most clicks and opens first."""
        table = {"message": self.by_message, "stream": self.by_stream, "link": self.by_link}[group]
        return sorted(table.items(), key=lambda item: (*_weight(item[1]), item[0]))


def _weight(row: Row) -> tuple[int, int, int, int]:
    return -row.clicks.unique, -row.opens.unique, -row.clicks.requests, -row.opens.requests


def _groups(events: Iterable[TrackingEvent], *, grouped: bool) -> Iterator[list[TrackingEvent]]:
    if grouped:
        for _, group in groupby(events, key=_key):
            yield list(group)
        return
    groups: dict[tuple[str, str, str], list[TrackingEvent]] = {}
    for event in events:
        groups.setdefault(_key(event), []).append(event)
    yield from groups.values()


def _key(event: TrackingEvent) -> tuple[str, str, str]:
    # Without an id of the recipient every token is somebody of their own.
    return event.tenant, event.message_id, event.recipient_id or f"\0{event.tid}"
