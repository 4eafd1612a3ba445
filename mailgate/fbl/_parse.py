"""From a mail to a `FeedbackReport`: which kind of report it is, then what every kind has in common."""

from __future__ import annotations

from mailgate.fbl._arf import read_arf
from mailgate.fbl._draft import Draft
from mailgate.fbl._notices import read_apple, read_bare, read_exim
from mailgate.fbl._recipients import find_recipients
from mailgate.fbl._report import FeedbackReport
from mailgate.fbl._reporters import reporter_of
from mailgate.fbl._returned import fill_sparse, keep, take_message_id
from mailgate.fbl._ses import read_ses
from mailgate.fbl._settings import FeedbackSettings
from mailgate.fbl._values import encodable, message_id
from mailgate.fbl._xarf import merge_xarf, read_xarf
from mailgate.records import Mail

DEFAULT_SETTINGS = FeedbackSettings()
_ALWAYS_KEPT = ("From", "To", "Subject", "Date", "Message-ID")  # `report_id` is made of them


def parse(message: bytes | Mail, *, settings: FeedbackSettings = DEFAULT_SETTINGS) -> FeedbackReport | None:
    r"""What a complaint says (RFC 5965), in every form that providers send.

    message: raw RFC 5322 bytes, any line ends, at most `MailLimits.max_bytes` (25 MiB); or a `Mail`.
    Returns a `FeedbackReport`; None when the message is no complaint and no report in a complaint's form.
    Raises ParseError when it claims to be one and nothing of it can be read (`no_feedback_report`,
    `empty_feedback_report`), or when the message is beyond a limit.
    Oddities that were read through are listed in `report.defects`.

    >>> parse(b"Subject: hello\n\nhi") is None
    True
    """
    mail = Mail.read(message, limits=settings.limits)
    draft = _read(mail)
    if draft is None:
        return None
    agent = (draft.values.get("user_agent") or "").lower()
    if draft.form == "arf" and agent.startswith(settings.sparse_user_agents):
        fill_sparse(draft)
    take_message_id(draft)
    find_recipients(draft, settings)
    values = draft.values
    values.setdefault("date_text", mail.headers.get("date"))
    if draft.returned is not None:
        values["returned_headers"] = keep(draft.returned, (*_ALWAYS_KEPT, *settings.keep_headers))
    return FeedbackReport(
        form=draft.form,
        fields=draft.fields,
        reporter=reporter_of(draft, mail),
        derived=tuple(draft.derived),
        message_id=message_id(mail.headers.get("message-id")),
        subject=_decoded(mail, "subject"),
        sender=_decoded(mail, "from"),
        defects=(*mail.defects, *draft.defects),
        **values,
    )


def _decoded(mail: Mail, name: str) -> str | None:
    value = mail.headers.decoded(name)
    return None if value is None else encodable(value)


def _read(mail: Mail) -> Draft | None:
    leaves = [part for part in mail.walk() if not part.parts]
    # First, because in a mail that says it is a feedback report the prose tells more than a missing part.
    notice = read_exim(mail, leaves)
    if notice is not None:
        return notice
    draft = read_arf(mail, leaves)
    if draft is not None:
        if draft.values.get("feedback_type") == "xarf":
            merge_xarf(draft, leaves)
        return draft
    return read_bare(mail, leaves) or read_xarf(mail, leaves) or read_ses(mail, leaves) or read_apple(mail)
