"""What a reply means: the tables in their order, and the one function that asks them.

The order is the idea. Words of single providers are unmistakable and come first. Then what is about the sending side,
because servers send it with the recipient's codes; then the recipient's wishes, mailbox and domain, the message, the
exact enhanced codes, the road, the servers; then the enhanced codes in general, and the bare code last.

BUGS. What is known to be misread:

- A code alone (`550` without words) is taken for an unknown mailbox, as RFC 5321 means it, with the evidence
  `code:550-rcpt`; half of those refusals are about something else, so whoever acts on it should look at the evidence.
- `Access denied` and `Rejected` without more are taken for a refusal of the sender.
- A sentence in a language of which no row has the words is judged by its codes.
- Words that a server quotes from somewhere else ("your message said: mailbox full") are taken for its own.
"""

from __future__ import annotations

from functools import cache, lru_cache

from mailgate.records._reasons import Fault, Permanence, Reason
from mailgate.records._reply_rows_access import ACCESS_PROVIDER_ROWS
from mailgate.records._reply_rows_content import CONTENT_FALLBACK, CONTENT_ROWS
from mailgate.records._reply_rows_gateway import GATEWAY_ROWS
from mailgate.records._reply_rows_mailbox import MAILBOX_PROVIDER_ROWS
from mailgate.records._reply_rows_recipient import (
    DOMAIN_ROWS,
    ENHANCED_ADDRESS_ROWS,
    MAILBOX_ROWS,
    NOT_FOUND_ROWS,
    RESTRICTED_ROWS,
)
from mailgate.records._reply_rows_rest import (
    ENHANCED_ROWS,
    GENERAL_ROWS,
    LATE_ROWS,
    LATER_REPLY_ROWS,
    LOCAL_ROWS,
    POLICY_ROWS,
    PROTOCOL_ROWS,
    SERVER_ROWS,
    build_fallbacks,
)
from mailgate.records._reply_rows_sender import SENDER_ROWS
from mailgate.records._reply_rules import Reading, ReplyRow, ReplyTable, table_of
from mailgate.records._reply_words import words_of
from mailgate.records._status import EnhancedStatus

_PERMANENCE = {2: Permanence.DELIVERED, 4: Permanence.TRANSIENT, 5: Permanence.PERMANENT}
_PASSING = frozenset((Fault.NETWORK, Fault.SERVER))


def all_rows() -> tuple[ReplyRow, ...]:
    """The whole table in its order."""
    return (
        *MAILBOX_PROVIDER_ROWS,
        *GATEWAY_ROWS,
        *ACCESS_PROVIDER_ROWS,
        *SENDER_ROWS,
        *RESTRICTED_ROWS,
        *MAILBOX_ROWS,
        *CONTENT_ROWS,
        *DOMAIN_ROWS,
        *ENHANCED_ADDRESS_ROWS,
        *NOT_FOUND_ROWS,
        *ENHANCED_ROWS,
        *LOCAL_ROWS,
        *LATER_REPLY_ROWS,
        *LATE_ROWS,
        *SERVER_ROWS,
        *PROTOCOL_ROWS,
        *CONTENT_FALLBACK,
        *POLICY_ROWS,
        *GENERAL_ROWS,
        *build_fallbacks(),
    )


@cache
def own_table() -> ReplyTable:
    """Our table, indexed when the first reply is judged."""
    return ReplyTable(all_rows())


def find_row(
    text: str,
    *,
    code: int | None,
    status: EnhancedStatus | None,
    stage: str,
    rules: tuple[ReplyRow, ...] = (),
    remote_host: str | None = None,
) -> ReplyRow | None:
    """The first row that says something about the reply: the caller's rows, then ours."""
    return _find_row(words_of(text), code, status, stage, rules, (remote_host or "").lower().rstrip("."))


@lru_cache(maxsize=8192)
def _find_row(
    words: str, code: int | None, status: EnhancedStatus | None, stage: str, rules: tuple[ReplyRow, ...], host: str
) -> ReplyRow | None:
    reading = Reading(words, code, status, stage, host)
    if rules:
        row = table_of(rules).match(reading)
        if row is not None:
            return row
    return own_table().match(reading)


def usual_permanence(reason: Reason, code: int | None, status: EnhancedStatus | None) -> Permanence:
    """By the reply code; without one by the status; without either: faults of the road and of servers pass."""
    if code is not None:
        return _PERMANENCE.get(code // 100, Permanence.TRANSIENT)
    if status is not None:
        return _PERMANENCE[status.status_class]
    return Permanence.TRANSIENT if reason.fault in _PASSING else Permanence.PERMANENT
