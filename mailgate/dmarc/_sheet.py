"""The sources of a view as CSV, for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

from mailgate.dmarc._text import spelled

COLUMNS = (
    "domain", "ip", "name", "class", "messages", "pass", "fail", "pass_rate", "header_from", "dkim_domains",
    "spf_domains", "first", "last", "orgs",
)  # fmt: skip

TLS_COLUMNS = ("domain", "day", "success", "failure", "success_rate")

# A spreadsheet takes these for the start of a formula (and a tab or CR makes some look at the next character).
APOSTROPHE = "'"
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def to_csv(view: Mapping[str, Any]) -> str:
    """One row a source, those that fail most first in each domain; `other` sums up the rest (RFC 4180, CRLF).

    A cell that a spreadsheet could take for a formula gets an apostrophe in front.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for domain, found in view["domains"].items():
        for source in found["sources"]:
            messages, passed = source["messages"], source["pass"]
            row = {
                **source,
                "domain": domain,
                "fail": messages - passed,
                "pass_rate": f"{passed / messages:.4f}" if messages else "",
            }
            writer.writerow([_cell(row.get(column)) for column in COLUMNS])
    return text.getvalue()


def tls_to_csv(view: Mapping[str, Any]) -> str:
    """The TLS sessions of a view, one row for each domain and day; as safe as `to_csv`."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(TLS_COLUMNS)
    for domain, found in view["tls"].items():
        for day, (success, failure) in found["by_day"].items():
            rate = f"{success / (success + failure):.4f}" if success + failure else ""
            writer.writerow([_cell(value) for value in (domain, day, success, failure, rate)])
    return text.getvalue()


def _cell(value: object) -> str | int:
    if isinstance(value, int):
        return value
    if isinstance(value, list):
        return guarded(" ".join(map(str, value)))
    return "" if value is None else guarded(str(value))


def guarded(text: str) -> str:
    """`text` as a spreadsheet shows it and never runs it, and as a terminal shows it: control characters spelled.

    >>> guarded('=HYPERLINK("http://x")')
    '\\'=HYPERLINK("http://x")'
    """
    is_formula = text.lstrip(" ").startswith(_FORMULA_STARTS)
    return f"{APOSTROPHE if is_formula else ''}{spelled(text)}"
