"""What a caller may choose about reading bounces; one frozen record, every default stated here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mailgate.bounce._dialect import Dialect
from mailgate.bounce._match import NO_MATCH_SETTINGS, MatchSettings
from mailgate.records import MailLimits, ReplyRow

KEEP_HEADERS = (
    "Message-ID", "From", "To", "Subject", "Date", "Feedback-ID", "List-Id", "List-Unsubscribe", "CFBL-Feedback-ID",
    "X-Mailgate-Ref",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class BounceSettings:
    """How bounces are read.

    limits: bounds on the message; None takes `MailLimits()`.
    dialects: a caller's own rows for free-form notifications, tried before ours.
    rules: a caller's own rows for reasons, tried before ours.
    match: what proves that a report is about a message of ours; without it `matched` is always None.
    keep_headers: names of the returned message's fields that the report keeps (`BounceReport.returned_headers`).
    """

    limits: MailLimits | None = None
    dialects: tuple[Dialect, ...] = ()
    rules: Sequence[ReplyRow] = ()
    match: MatchSettings = NO_MATCH_SETTINGS
    keep_headers: tuple[str, ...] = KEEP_HEADERS


DEFAULT_SETTINGS = BounceSettings()
