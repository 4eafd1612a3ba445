"""What a caller may choose about reading bounces; one frozen record, every default stated here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mailgate.bounce._engine import Dialect
from mailgate.records import MailLimits

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
    keep_headers: names of the returned message's fields that the report keeps (`BounceReport.returned_headers`).
    """

    limits: MailLimits | None = None
    dialects: tuple[Dialect, ...] = ()
    rules: Sequence[Any] = ()
    keep_headers: tuple[str, ...] = KEEP_HEADERS


DEFAULT_SETTINGS = BounceSettings()
