"""Many reports in four tables: by feedback type, reporting provider, source IP and our stream.

A summary is a set of reports, each known by its `report_id`, so merging is associative, commutative and idempotent: the
same report counted in two places, or read twice, counts once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mailgate.fbl._events import report_id
from mailgate.fbl._report import FeedbackReport

_UNKNOWN = "unknown"
_Row = tuple[str, str, str, str, int, bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackSummary:
    """Counts of reports. rows: by `report_id` (type, provider, source IP, stream, incidents, recipient named).

    >>> summarize([]).reports
    0
    """

    rows: Mapping[str, _Row] = field(default_factory=dict)

    @property
    def reports(self) -> int:
        """How many different reports."""
        return len(self.rows)

    @property
    def incidents(self) -> int:
        """How many incidents they stand for (RFC 5965 3.2); a report that does not say stands for one."""
        return sum(row[4] for row in self.rows.values())

    @property
    def with_recipient(self) -> int:
        """In how many the complainer could be named."""
        return sum(row[5] for row in self.rows.values())

    def by(self, what: str) -> tuple[tuple[str, int], ...]:
        """(value, reports), most first. what: `feedback_type`, `reporter`, `source_ip` or `stream`."""
        if what not in _COLUMNS:
            raise ValueError(f"no such table: {what!r}; there are {', '.join(_COLUMNS)}")
        column = _COLUMNS.index(what)
        counts = Counter(str(row[column]) for row in self.rows.values())
        return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    def merge(self, other: FeedbackSummary) -> FeedbackSummary:
        """Both together; a report that is in both counts once."""
        return FeedbackSummary(rows={**self.rows, **other.rows})

    def to_dict(self) -> dict[str, Any]:
        """The tables as JSON values, and `rows`, from which they can be merged with others."""
        return {
            "reports": self.reports,
            "incidents": self.incidents,
            "with_recipient": self.with_recipient,
            **{f"by_{column}": dict(self.by(column)) for column in _COLUMNS},
            "rows": {identity: list(row) for identity, row in self.rows.items()},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> FeedbackSummary:
        """Read what `to_dict` wrote."""
        return cls(rows={identity: tuple(row) for identity, row in data["rows"].items()})


_COLUMNS = ("feedback_type", "reporter", "source_ip", "stream")


def summarize(reports: Iterable[FeedbackReport]) -> FeedbackSummary:
    """The summary of `reports`, which may come one at a time; about 500 bytes are kept of each."""
    return FeedbackSummary(rows={report_id(report): _row(report) for report in reports})


def _row(report: FeedbackReport) -> _Row:
    return (
        report.complaint_type or report.feedback_type or _UNKNOWN,
        report.reporter or _UNKNOWN,
        report.source_ip or _UNKNOWN,
        report.stream or _UNKNOWN,
        1 if report.incidents is None else report.incidents,
        bool(report.recipients),
    )
