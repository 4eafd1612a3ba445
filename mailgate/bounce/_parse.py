r"""The entry: what a message is. Questions in order, surest evidence first:

1. Is it a report of another kind (MDN, DMARC, feedback, a copy for the postmaster)? Then None.
2. Is there a machine-readable group, in a part of its own or written into the text?
3. Does a dialect's row find a recipient in the words?
4. Is it an automatic reply? Then an `autoreply`. Else None.
"""

from __future__ import annotations

from mailgate.bounce._autoreply import AutoReply, is_challenge, other_kind, read_autoreply
from mailgate.bounce._build import autoreply_report, build_report
from mailgate.bounce._context import Context
from mailgate.bounce._dialects_windows import DOVECOT_QUOTA
from mailgate.bounce._fields import Group
from mailgate.bounce._found import Found
from mailgate.bounce._from_fields import read_fields
from mailgate.bounce._from_text import WordReading, read_words
from mailgate.bounce._notice import is_from_mail_system, is_postmaster_copy
from mailgate.bounce._report import BounceReport
from mailgate.bounce._returned import is_returned_bounce
from mailgate.bounce._settings import DEFAULT_SETTINGS, BounceSettings
from mailgate.records import Mail, Reason


def parse(message: bytes | Mail, *, settings: BounceSettings = DEFAULT_SETTINGS) -> BounceReport | None:
    """What a message says about delivery, or that it is an automatic reply (RFC 3464, RFC 3834).

    message: raw RFC 5322 bytes with any line ends, or a `Mail`.
    Returns a `BounceReport`, one `RecipientStatus` per recipient, in message order; None when it is neither.
    Raises ParseError when the message is beyond the limits of `Mail`.
    """
    context = Context(_unwrapped(Mail.read(message, limits=settings.limits)), settings)
    if context.note.status is None:
        other = other_kind(context.mail)
        # QUIRK: Dovecot's delivery agent says "mailbox full" by a disposition notification (RFC 8098).
        if other is not None and not (other == "mdn" and context.reading_is(DOVECOT_QUOTA)):
            return None
    elif is_postmaster_copy(context.headers, context.subject):
        return None
    fields = read_fields(context)
    if fields is not None:
        if not fields.found:
            return None
        _mark(context, fields.found)
        dialect = next((one.dialect for one in fields.found if one.dialect is not None), None)
        return build_report(
            context, fields.found, fields.message, form=fields.form, evidence=fields.evidence, dialect=dialect
        )
    words = read_words(context)
    reply = _autoreply(context, words)
    if reply is not None:
        return autoreply_report(context, reply)
    if words is None or not words.found:
        return None
    _mark(context, words.found)
    return build_report(
        context,
        words.found,
        Group(),
        form="text",
        evidence=f"dialect:{words.dialect}",
        dialect=words.dialect,
        ses=words.ses,
    )


def _autoreply(context: Context, words: WordReading | None) -> AutoReply | None:
    """The automatic reply that this is, unless the words are surely those of a mail system.

    A reply whose null return path is its only likeness to a bounce may still hold words of failure ("this mailbox is no
    longer in use"); rows without anchors of their own are not believed against the marks of a responder.
    """
    if words is not None and (words.is_anchored or is_from_mail_system(context.headers, by_path=False)):
        return None
    return read_autoreply(context.mail, context.note.words)


def _mark(context: Context, found: list[Found]) -> None:
    """What must not suppress anybody: a challenge, and reports about mail that the reader of this mail did not send."""
    challenge = is_challenge(context.mail)
    other_mail = "postmaster notify" in context.subject.lower() or is_returned_bounce(context.returned)
    if challenge or other_mail:
        for one in found:
            one.about_other_mail = other_mail
            if challenge:
                one.reason = Reason.CHALLENGE


def _unwrapped(mail: Mail) -> Mail:
    """The report inside, when a relay put it whole into a message of its own (QUIRK: InterScan with a disclaimer,
    dsn_15).

    Anything else in a message/rfc822 part is a returned message, and that may well be a report itself (rule 1).
    """
    if not mail.parts or mail.parts[0].content_type != "message/rfc822" or "message-id" not in mail.headers:
        return mail
    inner = mail.parts[0].message()
    same = inner.headers.get("message-id") == mail.headers.get("message-id")
    return inner if same and inner.content_type == "multipart/report" else mail
