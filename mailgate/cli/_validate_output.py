"""What `mailgate validate` writes: a row with result columns, a JSON line, or words for people."""

from __future__ import annotations

import csv
import io
from typing import Any, TextIO

from mailgate.cli import _output
from mailgate.cli._validate_rows import Table
from mailgate.records import Reason
from mailgate.validator import Finding, Layer, Validation

COLUMNS = (
    "status",
    "reason",
    "advice",
    "catch_all",
    "suggestion",
    "smtp_code",
    "enhanced_status",
    "smtp_text",
    "checked_at",
)
SHAPE = (
    "input", "address", "status", "reason", "layer", "advice", "catch_all", "mx_host", "smtp_code", "enhanced_status",
    "smtp_text", "role", "disposable", "free", "suggestion", "retry_after", "checked_at",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Sink:
    """Writes results one by one, behind `begin`.

    style: "rows", "json", "full" (JSON with all that the verdict was drawn from). only: statuses and pieces of advice
    whose rows are wanted, None for all. bare: rows as they came, without result columns. too_wide: how many rows had
    more fields than the header, so that their result columns stand further to the right.
    """

    def __init__(
        self, file: TextIO, table: Table | None, *, style: str, redact: bool, only: frozenset[str] | None, bare: bool
    ) -> None:
        self._file = file
        self._table = table
        self._style = style
        self._redact = redact
        self._only = only
        self._bare = bare
        self.counts: dict[str, int] = {}
        self.written = 0
        if isinstance(file, io.TextIOWrapper):
            file.reconfigure(encoding="utf-8", errors="surrogateescape")
        delimiter, line_end = (table.delimiter, table.line_end) if table is not None else (None, "\n")
        self._writer = csv.writer(file, delimiter=delimiter or ",", lineterminator=line_end)
        self._width = 0
        self.too_wide = 0

    def begin(self) -> None:
        """Write what stands before the first row."""
        if self._table is not None and self._style == "rows":
            self._write_header(self._table)

    def _write_header(self, table: Table) -> None:
        numbered = [f"column {number}" for number in range(1, table.width + 1)]
        names = table.header or (["address"] if table.delimiter is None else numbered)
        self._width = len(names)
        if self._bare:
            if table.header is not None:
                self._write_row(table.header)
        else:
            self._writer.writerow([*names, *COLUMNS])

    def write(self, row: list[str] | None, result: Validation) -> None:
        """One address is done."""
        status = str(result.status)
        self.counts[status] = self.counts.get(status, 0) + 1
        if self._only is not None and self._only.isdisjoint((status, str(result.advice))):
            return
        self.written += 1
        if self._style != "rows":
            print(_output.json_line(self._record(result)), file=self._file)
        elif self._table is None or row is None:
            print(self._words(result), file=self._file)
        else:
            self._write_result(self._table, row, result)

    def _write_result(self, table: Table, row: list[str], result: Validation) -> None:
        if self._redact and table.address(row):
            address = table.address(row)
            row = [cell.replace(address, redacted(address)) for cell in row]
        if self._bare:
            self._write_row(row)
        else:
            missing = [""] * (self._width - len(row))
            self.too_wide += len(row) > self._width
            self._writer.writerow([*row, *missing, *result_cells(result, redact=self._redact)])

    def _write_row(self, row: list[str]) -> None:
        if self._table is not None and self._table.delimiter is None:
            self._file.write(row[0] + self._table.line_end)  # a list of addresses stays one: no quotes
        else:
            self._writer.writerow(row)

    def _record(self, result: Validation) -> dict[str, Any]:
        said = result.to_dict()
        record = said if self._style == "full" else {name: said[name] for name in SHAPE}
        if self._redact:
            for name in ("input", "address", "suggestion"):
                record[name] = None if record[name] is None else redacted(record[name])
            record["smtp_text"] = None
        return record

    def _words(self, result: Validation) -> str:
        address = redacted(result.input) if self._redact else result.input
        if self._bare:
            return _output.printable(address)
        why = f"{result.status} ({result.reason})" if self._redact else result.explanation
        parts = [f"{_output.printable(address)}: {_output.printable(why)}"]
        if result.suggestion and not self._redact:
            parts.append(f"did you mean {_output.printable(result.suggestion)}?")
        return "\n  ".join(parts)


class Unanswered:
    """Whether DNS answered anything at all in a run."""

    def __init__(self) -> None:
        self._domains: set[str] = set()
        self._answered = False

    def see(self, result: Validation) -> None:
        """One address is done."""
        if self._answered or result.layer is Layer.SYNTAX or result.mailbox is None:
            return
        if result.reason in (Reason.DNS_ERROR, Finding.DNS_TIMEOUT):
            if len(self._domains) < 2:
                self._domains.add(result.mailbox.domain)
        elif result.reason is not Finding.SPECIAL_USE_DOMAIN:
            self._answered = True

    @property
    def count(self) -> int:
        """Domains that DNS had no answer for, 2 standing for more; 0 when it had one for any."""
        return 0 if self._answered else len(self._domains)


def result_cells(result: Validation, *, redact: bool = False) -> list[str]:
    """The result columns of one row; text from outside cannot become a formula in a spreadsheet."""
    said = result.to_dict()
    if redact:
        said["smtp_text"] = None
        said["suggestion"] = None if said["suggestion"] is None else redacted(said["suggestion"])
    return [_guarded(said[name]) for name in COLUMNS]


def _guarded(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = " ".join(_output.printable(str(value)).split())
    return "'" + text if text.startswith(_FORMULA) else text


def redacted(address: str) -> str:
    """An address whose mailbox cannot be read any more: the domain stays.

    >>> redacted("ann@example.net")
    '***@example.net'
    """
    return "***" + address[address.rfind("@") :] if "@" in address else "***"
