"""Why one recipient failed, judged from the facts of one report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mailgate.records import EnhancedStatus, Fault, Permanence, Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseFacts:
    """What a report says about one recipient, as read, nothing concluded.

    action: the RFC 3464 word (failed, delayed, delivered, relayed, expanded), None when the report has none.
    status: the Status field; in a free-form report None (codes in `text` are found here). status_text: the field whole.
    diagnostic_type, diagnostic_code: of the Diagnostic-Code field, or what a dialect took for it (type None).
    text: the lines about this recipient in the notification: a paragraph, a transcript; `""` when there are none.
    recipient: the address the sender knows. final_recipient: the one that the report names as final.
    remote_mta, reporting_mta: host names without their type.
    dialect: the row of the engine that read the report, None for a machine-readable one.
    hint: what the dialect's own words say about the reason; weaker than a remote reply, stronger than no text at all.
    """

    action: str | None = None
    status: EnhancedStatus | None = None
    status_text: str | None = None
    diagnostic_type: str | None = None
    diagnostic_code: str | None = None
    text: str = ""
    recipient: str | None = None
    final_recipient: str | None = None
    remote_mta: str | None = None
    reporting_mta: str | None = None
    dialect: str | None = None
    hint: Reason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """The conclusion about one recipient.

    smtp_code, enhanced_status, smtp_command: of the reply that decided; None when no reply stands in the report.
    evidence: the name of the row that decided and the line it read, `row: line`.
    other_address: the address that the reply names when it is another one of the same domain; then nobody may be
    suppressed for it.
    retry_after_seconds: what the reply asks for. block_list: the list it names.
    """

    reason: Reason
    permanence: Permanence
    smtp_code: int | None = None
    enhanced_status: EnhancedStatus | None = None
    smtp_command: str | None = None
    evidence: str = ""
    other_address: str | None = None
    retry_after_seconds: int | None = None
    block_list: str | None = None

    @property
    def fault(self) -> Fault:
        """Who has to act, by the reason."""
        return self.reason.fault


def judge(facts: CauseFacts, rules: Sequence[Any] = ()) -> Cause:
    """Why this recipient failed and whether that can change.

    rules: a caller's own rows, tried before ours.
    """
    if facts.action in ("delivered", "relayed", "expanded"):
        permanence = Permanence.DELIVERED
    elif facts.action == "delayed" or (
        facts.action is None and facts.status is not None and facts.status.status_class == 4
    ):
        permanence = Permanence.TRANSIENT
    elif facts.status is not None and facts.status.status_class == 4:
        permanence = Permanence.EXPIRED
    else:
        permanence = Permanence.PERMANENT
    return Cause(reason=facts.hint or Reason.UNKNOWN, permanence=permanence, enhanced_status=facts.status)
