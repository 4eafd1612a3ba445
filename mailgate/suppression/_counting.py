"""Counted failures: how many different days, with no delivery between.

One instant is kept per UTC day, the latest, so that a delivery later on that day ends it and one before it does not.
The result does not depend on the order in which the events arrive, as long as a row exists: a delivery that is told
before the first failure of an address leaves no trace (a row for every delivered mail would outgrow the list itself),
so a failure that is older than it and arrives later counts.
"""

from __future__ import annotations

from dataclasses import dataclass

from mailgate.suppression._settings import PolicySettings

DAY_SECONDS = 86_400
MAX_DAYS_KEPT = 40  # more than any sensible `count_days`; bounds the row


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureCount:
    """The failures of one address. days: the latest failure of each day, in seconds, ascending; delivered: the last
    delivery, in seconds; total: all failures since the row was made."""

    days: tuple[int, ...] = ()
    delivered: int | None = None
    total: int = 0

    @classmethod
    def of_row(cls, days: str, delivered: int | None, total: int) -> FailureCount:
        """From the columns of the table."""
        return cls(days=tuple(int(day) for day in days.split(",") if day), delivered=delivered, total=total)

    @property
    def last(self) -> int:
        """The latest thing known, in seconds; what is older than the window of the policy can be forgotten."""
        return max(self.days[-1] if self.days else 0, self.delivered or 0)

    def days_text(self) -> str:
        """`days` as its column has it."""
        return ",".join(map(str, self.days))

    def with_failure(self, at: int, settings: PolicySettings) -> FailureCount:
        """One more final failure at `at`."""
        total = self.total + 1
        if self.delivered is not None and at <= self.delivered:
            return FailureCount(days=self.days, delivered=self.delivered, total=total)
        latest_of_day = {day // DAY_SECONDS: day for day in sorted((*self.days, at))}
        days = _in_window(tuple(sorted(latest_of_day.values())), settings)
        return FailureCount(days=days, delivered=self.delivered, total=total)

    def with_delivery(self, at: int) -> FailureCount:
        """A delivery at `at` ends every failure up to then."""
        delivered = at if self.delivered is None else max(at, self.delivered)
        return FailureCount(days=tuple(day for day in self.days if day > at), delivered=delivered, total=self.total)

    def reached(self, settings: PolicySettings) -> int | None:
        """The instant of the failure that made it enough, the latest such one; None when it is not enough."""
        needed, window = settings.count_days, settings.count_window_days
        for last in range(len(self.days) - 1, needed - 2, -1):
            first = self.days[last - needed + 1]
            if self.days[last] // DAY_SECONDS - first // DAY_SECONDS < window:
                return self.days[last]
        return None


def _in_window(days: tuple[int, ...], settings: PolicySettings) -> tuple[int, ...]:
    oldest = days[-1] // DAY_SECONDS - settings.count_window_days
    return tuple(day for day in days if day // DAY_SECONDS > oldest)[-max(MAX_DAYS_KEPT, settings.count_days) :]
