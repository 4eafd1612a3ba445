r"""The entry: what a message is. Questions in order, surest evidence first:

1. Is it a report of another kind (MDN, DMARC, feedback, a copy for the postmaster)? Then None.
2. Is there a machine-readable group, in a part of its own or written into the text?
3. Does a dialect's row find a recipient in the words?
4. Is it an automatic reply? Then an `autoreply`. Else None.
"""

from __future__ import annotations

import re

from mailgate.bounce._autoreply import is_challenge, other_kind, read_autoreply
from mailgate.bounce._build import autoreply_report, build_report
from mailgate.bounce._context import Context
from mailgate.bounce._fields import Group
from mailgate.bounce._found import Found
from mailgate.bounce._from_fields import read_fields
from mailgate.bounce._from_text import is_quoted, read_words
from mailgate.bounce._notice import is_from_mail_system, is_from_program, is_postmaster_copy
from mailgate.bounce._report import BounceReport
from mailgate.bounce._returned import is_returned_bounce
from mailgate.bounce._settings import DEFAULT_SETTINGS, BounceSettings
from mailgate.records import Mail, Reason

# Rows that take an address out of a sentence: people and shops write such sentences too.
_PROSE = frozenset(("any-sentence", "any-line", "any-subject"))
_ASKS_BACK = re.compile(rb"\n[Xx]-(?:boxbe|spamarrest|tmda|challenge)", re.IGNORECASE)


def parse(message: bytes | Mail, *, settings: BounceSettings = DEFAULT_SETTINGS) -> BounceReport | None:
    """What a message says about delivery, or that it is an automatic reply (RFC 3464, RFC 3834).

    message: raw RFC 5322 bytes with any line ends, or a `Mail`.
    Returns a `BounceReport`, one `RecipientStatus` per recipient, in message order; None when it is neither.
    Raises ParseError when the message is beyond the limits of `Mail`.
    """
    context = Context(_unwrapped(Mail.read(message, limits=settings.limits)), settings)
    if context.note.status is not None and is_postmaster_copy(context.headers, context.subject):
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
    if words is not None and words.is_anchored and is_quoted(context, words.found):
        words = None
    if words is None or not words.is_anchored:
        # Words that no program of ours is known by: the marks of other reports and of responders weigh more.
        if other_kind(context.mail) is not None:
            return None
        if words is not None and words.dialect in _PROSE and not is_from_program(context.headers):
            words = None
        if words is None or not is_from_mail_system(context.headers, by_path=False):
            # A reply whose null return path is its only likeness to a bounce may hold words of failure.
            reply = read_autoreply(context.mail, context.note.words)
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


def _mark(context: Context, found: list[Found]) -> None:
    """What must not suppress anybody: a challenge, and reports about mail that the reader of this mail did not send."""
    challenge = _ASKS_BACK.search(context.mail.headers.block) is not None and is_challenge(context.mail)
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
