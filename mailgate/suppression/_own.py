"""Our own format, lossless: JSON Lines or CSV, with a version in its head; written here and read back here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mailgate.suppression._guard import guard, unguard
from mailgate.suppression._records import Suppression

VERSION = 1
MARK = "mailgate_suppression"  # in the first object of JSON Lines
# The first name says what it is and in which version; the rest are fields of `Suppression`.
OWN_COLUMNS = (
    "mailgate_suppression_1",
    "key",
    "tenant",
    "stream",
    "reason",
    "created",
    "refreshed",
    "expires",
    "count",
    "source",
    "detail",
    "display",
    "hash_check",
)
_NULLABLE = frozenset(("refreshed", "expires", "detail", "display", "hash_check"))
# What stands for None in a cell: an empty detail and no detail are not the same.
_NONE = "\\N"


def head(hash_check: str | None, secret: str | None) -> dict[str, Any]:
    """The first object of a JSON Lines export."""
    return {MARK: VERSION, "hash_check": hash_check} | ({} if secret is None else {"secret": secret})


def cells_of(entry: Suppression, hash_check: str | None) -> list[str]:
    """A CSV row of an entry, guarded against being run as a formula."""
    fields = entry.to_dict() | {"hash_check": hash_check if entry.key.startswith("#") else None}
    values = [entry.pattern, *(fields[name] for name in OWN_COLUMNS[1:])]
    return [_NONE if value is None else guard(_escape(str(value))) for value in values]


def own_cells(columns: Sequence[str], cells: Sequence[str]) -> dict[str, Any]:
    """The fields of a CSV row, as JSON Lines would have them."""
    fields: dict[str, Any] = {}
    for name, cell in zip(columns[1:], cells[1:], strict=True):
        fields[name] = None if cell == _NONE and name in _NULLABLE else _unescape(unguard(cell))
    if "count" in fields:
        fields["count"] = int(fields["count"]) if str(fields["count"]).isdigit() else fields["count"]
    return fields


def hash_check_of(fields: Mapping[str, Any]) -> str | None:
    """The check value of the key that made the hashes, where a record has one."""
    value = fields.get("hash_check")
    return value if isinstance(value, str) and value else None


def _escape(cell: str) -> str:
    return "\\" + cell if cell.startswith("\\") else cell


def _unescape(cell: str) -> str:
    return cell[1:] if cell.startswith("\\") else cell
