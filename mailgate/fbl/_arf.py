"""A mail with a feedback-report part (RFC 5965 2), however it is wrapped."""

from __future__ import annotations

from collections.abc import Sequence

from mailgate.fbl._draft import Draft
from mailgate.fbl._fields import is_feedback, read_block, read_values
from mailgate.fbl._report import Fields
from mailgate.fbl._returned import REPORT_TYPES, RETURNED_TYPES, find_returned
from mailgate.records import Mail, ParseError, Part

_MARKER = b"feedback-type"
_LOOK_BYTES = 4_096


def read_arf(mail: Mail, leaves: Sequence[Part]) -> Draft | None:
    """The draft of a feedback report; None when the mail has no report part and does not claim one.

    Raises ParseError (`no_feedback_report`, `empty_feedback_report`) when the mail says that it is a feedback report
    and has neither fields nor a returned message.
    """
    claims = _claims(mail)
    report, pairs = _report_part(leaves, claims)
    if report is None and not claims:
        return None
    returned = find_returned(leaves, report)
    if not pairs and returned is None:
        if report is None:
            raise ParseError("no_feedback_report", "the mail says it is a feedback report and has no such part")
        raise ParseError("empty_feedback_report", "the feedback-report part has no field that can be read")
    draft = Draft(form="arf", returned=returned)
    if report is None:
        draft.note("missing_report_part")
    elif report.content_type not in REPORT_TYPES:
        draft.note("report_part_type")
    if not claims:
        draft.note("not_multipart_report")
    read_values(draft, pairs)
    return draft


def _claims(mail: Mail) -> bool:
    """RFC 5965 2, rule a."""
    if mail.content_type != "multipart/report":
        return False
    return (mail.param("report-type") or "").strip().lower() == "feedback-report"


def _report_part(leaves: Sequence[Part], claims: bool) -> tuple[Part | None, Fields]:
    for part in leaves:
        if part.content_type in REPORT_TYPES:
            return part, read_block(part.content())
    for part in leaves if len(leaves) > 1 else ():
        # QUIRK: gateways that do not know message/feedback-report turn the part into text or an attachment.
        if part.content_type in RETURNED_TYPES or not (claims or _looks_like_one(part)):
            continue
        content = part.content()
        pairs = read_block(content)
        # Somebody who writes about feedback reports quotes one behind his own words, and returns no message.
        if is_feedback(pairs) and (claims or _begins_with(pairs, content) or find_returned(leaves, part) is not None):
            return part, pairs
    return None, ()


def _begins_with(pairs: Fields, content: bytes) -> bool:
    return content.lstrip().lower().startswith(pairs[0][0].lower().encode("latin-1", "replace"))


def _looks_like_one(part: Part) -> bool:
    return _MARKER in part.raw_body[:_LOOK_BYTES].lower()
