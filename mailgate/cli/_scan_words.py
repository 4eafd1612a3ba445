"""What a scan found, in words and tables for the person whose cron job it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from mailgate.cli import _output
from mailgate.cli._scan_read import Found
from mailgate.records import Event, EventKind, Fault
from mailgate.suppression import Applied, Effect, Suppression

WIDTH = 120  # columns of the tables where no terminal tells: this text is mailed by cron and read in a mail program
MAX_ROWS = 50  # a person reads no more; the rest is counted and can be listed from the store

KINDS = {
    "bounce": "delivery reports (bounces, delays, successes)",
    "autoreply": "automatic replies",
    "feedback": "complaints",
    "unsubscribe": "unsubscribe requests",
    "dmarc": "DMARC or TLS reports",
}
_OURS = (Fault.SENDER, Fault.CONTENT)


@dataclass(slots=True)
class Tally:
    """Counts and the rows worth showing, in the order in which they came; bounded whatever the size of the scan."""

    read: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    left: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    unreadable_count: int = 0
    unmoved: list[tuple[str, str]] = field(default_factory=list)
    unmoved_count: int = 0
    repeated: int = 0
    suppressed: list[tuple[Event, Suppression]] = field(default_factory=list)
    suppressed_count: int = 0
    counted: Counter[str] = field(default_factory=Counter)
    ours: dict[str, tuple[int, Event]] = field(default_factory=dict)
    nameless: int = 0
    lifted: int = 0

    def message(self, found: Found) -> None:
        """One message was read."""
        self.read += 1
        if found.error is not None:
            self.unreadable_count += 1
            if len(self.unreadable) < MAX_ROWS:
                self.unreadable.append((found.message.path, found.error))
        elif found.kind is None:
            self.left += 1
        else:
            self.kinds[found.kind] += 1
        self.refused.update(found.refused)

    def could_not_move(self, found: Found, why: str) -> None:
        """What a message says is kept, but its file is still in `new`."""
        self.unmoved_count += 1
        if len(self.unmoved) < MAX_ROWS:
            self.unmoved.append((found.message.path, why))

    @property
    def is_uneventful(self) -> bool:
        """True when there is nothing that a person has to look at."""
        return not self.unreadable_count and not self.unmoved_count and not self.refused

    def event(self, event: Event, applied: Applied) -> None:
        """One event was applied."""
        if applied.effect is Effect.REPEATED:
            self.repeated += 1
        elif applied.effect is Effect.SUPPRESSED and applied.entry is not None:
            self.suppressed_count += 1
            if len(self.suppressed) < MAX_ROWS:
                self.suppressed.append((event, applied.entry))
        elif applied.effect is Effect.COUNTED and event.recipient is not None:
            self.counted[event.recipient] += 1
        elif applied.effect is Effect.LIFTED:
            self.lifted += 1
        elif event.kind is EventKind.BOUNCED and event.fault in _OURS:
            times, example = self.ours.get(str(event.reason), (0, event))
            self.ours[str(event.reason)] = (times + 1, example)
        elif event.kind is EventKind.COMPLAINED and event.recipient is None:
            self.nameless += 1

    def text(self, db: str) -> str:
        """Everything worth telling, as one text."""
        parts = [
            self._summary(),
            self._suppressed(db),
            self._ours(),
            self._counted(),
            self._unreadable(),
            self._unmoved(),
        ]
        return "\n\n".join(part for part in parts if part)

    def _summary(self) -> str:
        lines = [f"read {_many(self.read, 'message')}"]
        lines += [f"  {self.kinds[kind]:>6,}  {words}" for kind, words in KINDS.items() if self.kinds[kind]]
        if self.left:
            lines.append(f"  {self.left:>6,}  left where they are: nothing that mailgate knows")
        if self.unreadable_count:
            lines.append(f"  {self.unreadable_count:>6,}  left where they are: could not be read")
        if self.refused:
            words = ", ".join(f"{error} {times}" for error, times in sorted(self.refused.items()))
            lines.append(f"{_many(self.refused.total(), 'DMARC report')} refused: {words}")
        if self.repeated:
            lines.append(f"{_many(self.repeated, 'event')} known from an earlier scan, counted once")
        if self.nameless:
            lines.append(f"{_many(self.nameless, 'complaint')} that name nobody: see `mailgate fbl --help`")
        return "\n".join(lines)

    def _suppressed(self, db: str) -> str:
        if not self.suppressed_count:
            return "suppressed: nobody new" if self.read else ""
        rows = [
            (entry.display or entry.key, entry.reason, _duration(entry), _why(event))
            for event, entry in self.suppressed
        ]
        more = self.suppressed_count - len(rows)
        end = f"\n… and {more:,} more: mailgate suppress list --db {db}" if more else ""
        heading = f"suppressed: {_many(self.suppressed_count, 'entry', 'entries')}\n"
        return heading + _table(["address", "reason", "for", "because"], rows) + end

    def _ours(self) -> str:
        if not self.ours:
            return ""
        rows = [
            (reason, times, example.fault, example.recipient or "", _one_line(example.detail))
            for reason, (times, example) in sorted(self.ours.items(), key=lambda item: -item[1][0])
        ]
        heading = "refused because of us or our message, so nobody was suppressed; please repair:\n"
        return heading + _table(["reason", "times", "fault", "for example", "the reply"], rows)

    def _counted(self) -> str:
        if not self.counted:
            return ""
        rows = self.counted.most_common(MAX_ROWS)
        names = ", ".join(_output.printable(address) for address, _ in rows)
        return f"counted, not suppressed yet: {names}"

    def _unreadable(self) -> str:
        if not self.unreadable:
            return ""
        return "could not be read:\n" + _table(["file", "why"], self.unreadable)

    def _unmoved(self) -> str:
        if not self.unmoved:
            return ""
        heading = f"{_many(self.unmoved_count, 'message')} cannot be moved to `cur`; what they say is kept:\n"
        return heading + _table(["file", "why"], self.unmoved)


def _table(headers: list[str], rows: Sequence[Sequence[object]]) -> str:
    return _output.table(headers, rows, width=_output.terminal_width() or WIDTH)


def _why(event: Event) -> str:
    if event.kind is EventKind.COMPLAINED:
        return f"complained ({event.meta_value('feedback_type') or 'abuse'})"
    if event.kind is EventKind.UNSUBSCRIBED:
        return f"unsubscribed from {event.stream or 'everything'}"
    return f"{event.reason}: {_one_line(event.detail)}"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _duration(entry: Suppression) -> str:
    if entry.expires is None:
        return "ever"
    return _many((entry.expires - entry.created).days, "day")


def _many(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"
