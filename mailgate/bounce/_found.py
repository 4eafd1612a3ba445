"""One recipient while a report is being read: facts are collected here, conclusions are drawn once at the end."""

from __future__ import annotations

from dataclasses import dataclass, field

from mailgate.records import EnhancedStatus, Reason


@dataclass(slots=True)
class Found:
    """The facts about one recipient, in the words of `RecipientStatus`."""

    recipient: str | None = None
    original_recipient: str | None = None
    original_recipient_type: str | None = None
    final_recipient: str | None = None
    final_recipient_type: str | None = None
    actual_recipient: str | None = None
    mailed_recipient: str | None = None
    mailed_is_known: bool = False  # our own reference says that `recipient` was written to
    action: str | None = None
    status: EnhancedStatus | None = None
    status_text: str | None = None
    diagnostic_code: str | None = None
    diagnostic_type: str | None = None
    remote_mta: str | None = None
    remote_mta_type: str | None = None
    last_attempt_text: str | None = None
    will_retry_until_text: str | None = None
    final_log_id: str | None = None
    text: str = ""
    command: str = ""  # of the words no more than which command was refused, when the fields say the rest
    dialect: str | None = None
    hint: Reason | None = None
    reason: Reason | None = None  # known without a judgement
    about_other_mail: bool = False
    inferred: list[str] = field(default_factory=list)
    fields: tuple[tuple[str, str], ...] = ()
