"""From the rows that concern an address to the rows that block it: pure."""

from __future__ import annotations

from collections.abc import Sequence

from mailgate.suppression._records import EVERY, REASON_CODES, SuppressionReason
from mailgate.suppression._rows import EXPIRES, REASON, STREAM, TENANT, Row

_ALLOW = REASON_CODES[SuppressionReason.ALLOW]
_UNSUBSCRIBE = REASON_CODES[SuppressionReason.UNSUBSCRIBE]


def judge(
    own: Sequence[Row],
    of_domain: Sequence[Row],
    *,
    tenant: str,
    stream: str | None,
    transactional: Sequence[str],
    now: int,
) -> list[Row]:
    """The rows that block.

    own: rows of the address; of_domain: rows of its domains. stream: None or `*` when it is not known or all: then an
    entry of any stream blocks, and only an allowance for every stream counts.
    An allowance lifts the blocks of a domain, never one of the address itself.
    """
    if not of_domain:
        return [row for row in own if row[REASON] != _ALLOW and _blocks(row, tenant, stream, transactional, now)]
    blocking = [row for row in own if row[REASON] != _ALLOW and _blocks(row, tenant, stream, transactional, now)]
    if any(_allows(row, tenant, stream, now) for rows in (own, of_domain) for row in rows):
        return blocking
    return blocking + [
        row for row in of_domain if row[REASON] != _ALLOW and _blocks(row, tenant, stream, transactional, now)
    ]


def _blocks(row: Row, tenant: str, stream: str | None, transactional: Sequence[str], now: int) -> bool:
    if row[EXPIRES] is not None and row[EXPIRES] <= now:
        return False
    if row[TENANT] != tenant and row[TENANT] != EVERY:
        return False
    if stream is None or stream == EVERY or row[STREAM] == stream:
        return True
    if row[STREAM] != EVERY:
        return False
    # Who leaves every newsletter still wants the password reset that they ask for.
    return row[REASON] != _UNSUBSCRIBE or stream not in transactional


def _allows(row: Row, tenant: str, stream: str | None, now: int) -> bool:
    return bool(
        row[REASON] == _ALLOW
        and (row[EXPIRES] is None or row[EXPIRES] > now)
        and row[TENANT] in (tenant, EVERY)
        and row[STREAM] in (stream, EVERY)
    )
