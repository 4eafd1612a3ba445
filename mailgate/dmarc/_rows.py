"""Full reports: every usable record as a row, what could not be used told with its texts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mailgate.dmarc._containers import Document
from mailgate.dmarc._facet import Facet, make_row
from mailgate.dmarc._header import Header
from mailgate.dmarc._limits import Limits
from mailgate.dmarc._reader import read_feedback
from mailgate.dmarc._report import AggregateReport, ReportRow, SkippedRecord

_MAX_SKIPPED = 100
_MAX_SHOWN = 100


class RowSink:
    """Collects rows."""

    def __init__(self) -> None:
        self.rows: list[ReportRow] = []
        self.skipped: list[SkippedRecord] = []
        self.unusable = 0
        self.dkim_results = 0
        self.defects: set[str] = set()

    def add(self, facet: Facet, source_ip: str, count: int) -> None:
        """A usable record."""
        self.rows.append(make_row(facet.row, source_ip, count))
        self.dkim_results += facet.dkim_count
        if facet.defects:
            self.defects.update(facet.defects)

    def skip(self, number: int, source_text: str, count_text: str) -> None:
        """A record that cannot be counted."""
        self.unusable += 1
        self.defects.add("bad_record")
        if len(self.skipped) < _MAX_SKIPPED:
            texts = source_text[:_MAX_SHOWN], count_text[:_MAX_SHOWN]
            self.skipped.append(SkippedRecord(number=number, source_ip=texts[0], count=texts[1]))

    def finish(self, header: Header, defects: set[str]) -> AggregateReport:
        """The report."""
        rows = self.rows
        if "missing_header_from" in self.defects:
            domain = header.policy_published.domain
            rows = [row if row.header_from else replace(row, header_from=domain) for row in rows]
        named: dict[str, Any] = {name: getattr(header, name) for name in Header.__slots__}
        return AggregateReport(
            **named,
            rows=tuple(rows),
            records=len(rows) + self.unusable,
            skipped=tuple(self.skipped),
            dkim_results=self.dkim_results,
            defects=tuple(sorted(defects | self.defects)),
        )


def read_report(document: Document, limits: Limits) -> AggregateReport:
    """One XML document as a full report; raises ParseError."""
    header, sink, defects = read_feedback(document, limits, RowSink)
    return sink.finish(header, defects)
