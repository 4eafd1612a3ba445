r"""The entry: what a message is, and one report from all that its parts say.

Order of questions, surest evidence first:

1. Is it a report of another kind (MDN, DMARC, feedback, a copy for the postmaster)? Then None.
2. Is there a machine-readable group, in a part of its own or written into the text? Then a `dsn`.
3. Does a dialect's row find a recipient in the words? Then a `text` report.
4. Is it an automatic reply? Then an `autoreply`. Else None.
"""

from __future__ import annotations

import re

from mailgate.bounce._addresses import find_addresses, split_type
from mailgate.bounce._cause import CauseFacts, judge
from mailgate.bounce._dialects import DIALECTS
from mailgate.bounce._dsn import fields_in_text, is_verification, recipients_of
from mailgate.bounce._engine import Source, TextReading, read_text, text_about
from mailgate.bounce._fields import StatusFields, read_status_fields
from mailgate.bounce._found import Found
from mailgate.bounce._lines import alias_in
from mailgate.bounce._notice import is_failure_subject, is_from_mail_system
from mailgate.bounce._report import BounceReport, RecipientStatus
from mailgate.bounce._returned import mailed_to, only_recipient, original_message_id, returned_headers
from mailgate.bounce._ses import SesNotice, read_ses
from mailgate.bounce._settings import DEFAULT_SETTINGS, BounceSettings
from mailgate.bounce._text import Notification, read_notification, split_status, unquoted
from mailgate.records import Headers, Mail

_OWN_FIELDS = ("to", "delivered-to", "return-path", "envelope-to", "from")
_NAME = re.compile(r"\w[\w.+=-]{0,63}")
# Words that say that the mail system has not given up. Lower case.
_DELAY_WORDS: tuple[str, ...] = (
    "not yet been delivered", "has been delayed", "is delayed", "was delayed", "delivery attempts will continue",
    "will continue to be made", "will be retried", "will keep trying", "will continue trying", "will continue to try",
    "warning message only", "warning only", "temporary failure report", "do not need to resend", "still being retried",
    "need not resend", "not yet received a copy", "delayed for more than", "message delayed", "delayed mail",
    "noch nicht zugestellt", "n'a pas encore été", "aún no se ha", "non è ancora stat", "ainda não foi",
    "まだ配信されて",
)  # fmt: skip
_GIVEN_UP_WORDS: tuple[str, ...] = (
    "not going to try again",
    "permanent error",
    "failed permanently",
    "gave up",
    "giving up on",
)


class _Reader:
    """One message being read: the parts, found once, and the facts as they are collected."""

    def __init__(self, mail: Mail, settings: BounceSettings) -> None:
        self.mail = mail
        self.settings = settings
        self.headers = mail.headers
        self.note: Notification = read_notification(mail)
        self.returned: Headers | None = None
        self.defects: list[str] = []
        self.dialect: str | None = None
        self.evidence = ""
        self.form = "text"
        self.message = StatusFields().message
        self.ses: SesNotice | None = None
        self._source: Source | None = None

    def report(self) -> BounceReport | None:
        """The report, None when this is not about delivery."""
        found = self._from_fields()
        if found is None:
            found = self._from_text()
        if not found:
            return None
        return self._built(found)

    # --- what was found, by form ---

    def _from_fields(self) -> list[Found] | None:
        note = self.note
        if note.status is not None:
            text, rest = split_status(note.status.text())
            note.rest = note.rest or rest
            fields = read_status_fields(text)
            if not fields.recipients and not fields.message.items:
                return None
            self.form, self.evidence = "dsn", note.status.content_type
        else:
            words = unquoted(note.text)
            in_text = fields_in_text(words, words.lower() if words is not note.text else note.lower)
            if in_text is None:
                return None
            fields = in_text
            self.evidence = "fields in the text"
            self.form = "dsn" if self.mail.content_type == "multipart/report" else "text"
            note.text, note.lower = words, words.lower()
        if is_verification(fields):
            return []
        self.message = fields.message
        self.defects.extend(fields.defects)
        self.returned = returned_headers(note)
        found = recipients_of(fields)
        return self._completed(found)

    def _from_text(self) -> list[Found] | None:
        note = self.note
        if not note.text.strip() and "x-failed-recipients" not in self.headers:
            return None
        self.ses = read_ses(note.text + note.rest, note.lower)
        if self.ses is not None:
            self.dialect, self.evidence = "amazon-ses", "dialect:amazon-ses"
            return self.ses.found
        reading = self._read_words()
        if reading is None:
            return self._from_returned()
        self.returned = returned_headers(note)
        self.dialect, self.evidence = reading.dialect.name, f"dialect:{reading.dialect.name}"
        return self._of_reading(reading)

    def _from_returned(self) -> list[Found] | None:
        """Nobody is named in the words of what is surely a failure notice: the returned message knows (rule 9)."""
        if not (is_from_mail_system(self.headers) and is_failure_subject(self.headers)):
            return None
        self.returned = returned_headers(self.note)
        address = None if self.returned is None else only_recipient(self.returned, self.note.lower)
        if address is None:
            return None
        self.dialect, self.evidence = "returned-message", "dialect:returned-message"
        self.defects.append("recipient_from_returned_message")
        return [Found(recipient=address, action=self._said_action(), text=self.note.text[:2_000].strip(),
                      dialect=self.dialect, inferred=["recipient", "action"])]  # fmt: skip

    # --- recipients ---

    def _completed(self, found: list[Found]) -> list[Found]:
        """Recipients for groups that name none, and the notification's lines for each."""
        nameless = [one for one in found if one.recipient is None]
        if nameless or not found:
            found = self._named(found, nameless)
        self._tell_aliases_apart(found)
        for one in found:
            if not one.text:
                one.text = self._text_of(one, alone=len(found) == 1)
            if one.action is None:
                one.action = self._said_action()
                one.inferred.append("action")
        return found

    def _named(self, found: list[Found], nameless: list[Found]) -> list[Found]:
        taken = {one.recipient.lower() for one in found if one.recipient is not None}
        reading = self._read_words()
        drafts = [draft for draft in reading.drafts if draft.address.lower() not in taken] if reading else []
        if reading is not None and drafts and (len(drafts) == len(nameless) or len(nameless) == 1 or not found):
            self.dialect = reading.dialect.name
            if not found:
                return self._of_reading(reading)
            first, rest = nameless[0], drafts[len(nameless) :]
            for one, draft in zip(nameless, drafts, strict=False):
                self._fill(one, draft.address, draft.text)
            for draft in rest:
                other = Found(action=first.action, status=first.status, status_text=first.status_text,
                fields=first.fields,
                              diagnostic_code=first.diagnostic_code, diagnostic_type=first.diagnostic_type)  # fmt: skip
                self._fill(other, draft.address, draft.text)
                found.append(other)
            return found
        address = None if self.returned is None else only_recipient(self.returned, self.note.lower)
        if address is not None and address.lower() not in taken and len(nameless) <= 1:
            self.defects.append("recipient_from_returned_message")
            if not found:
                return [Found(recipient=address, inferred=["recipient"])]
            self._fill(nameless[0], address, "")
        for one in found:
            if one.recipient is None:
                one.recipient = _bare_name(one.final_recipient) or _bare_name(one.original_recipient)
                self.defects.append("recipient_is_no_address" if one.recipient else "no_recipient")
        return found

    def _fill(self, one: Found, address: str, text: str) -> None:
        one.recipient, one.text = address, text
        one.inferred.append("recipient")

    def _tell_aliases_apart(self, found: list[Found]) -> None:
        """Groups with the same Final-Recipient, an alias with several members (Exim, Sendmail): take the members."""
        if len(found) < 2:
            return
        by_final: dict[str, list[Found]] = {}
        for one in found:
            if one.recipient is not None and one.original_recipient is None:
                by_final.setdefault(one.recipient.lower(), []).append(one)
        for alias, same in by_final.items():
            if len(same) < 2:
                continue
            members = [one.actual_recipient for one in same]
            if None in members:
                members = self._members(alias, same)
            if len({member.lower() for member in members if member}) != len(same):
                continue
            self.defects.append("alias_as_final_recipient")
            for one, member in zip(same, members, strict=True):
                one.mailed_recipient, one.recipient = one.recipient, member
                one.inferred.append("recipient")

    def _members(self, alias: str, same: list[Found]) -> list[str | None]:
        reading = self._read_words()
        if reading is None:
            return []
        waiting = [d.address for d in reading.drafts if d.alias is not None and d.alias.lower() == alias]
        members: list[str | None] = [None] * len(same)
        for number, one in enumerate(same):
            said = (one.diagnostic_code or "").lower()
            member = next((address for address in waiting if address.lower() in said), None)
            if member is not None:
                members[number] = member
                waiting.remove(member)
        for number, member in enumerate(members):
            if member is None and waiting:
                members[number] = waiting.pop(0)
        return members

    def _of_reading(self, reading: TextReading) -> list[Found]:
        action = reading.dialect.action or self._said_action()
        found = []
        for draft in reading.drafts:
            one = Found(recipient=draft.address, action=action, dialect=reading.dialect.name, hint=reading.dialect.hint)
            one.text = draft.text or reading.shared
            if draft.text and reading.shared and not _has_digits(draft.text):
                one.text = f"{draft.text}\n{reading.shared}"[:4_000]
            one.mailed_recipient = draft.alias if draft.alias and draft.alias.lower() != draft.address.lower() else None
            one.inferred.append("action")
            found.append(one)
        return found

    # --- words ---

    def _read_words(self) -> TextReading | None:
        return read_text(self._words(), (*self.settings.dialects, *DIALECTS) if self.settings.dialects else DIALECTS)

    def _words(self) -> Source:
        if self._source is None:
            headers = self.headers
            own: set[str] = set()
            for name in _OWN_FIELDS:
                for value in headers.get_all(name):
                    own.update(address.lower() for address in find_addresses(value))
            known = [
                address
                for name in ("x-failed-recipients", "to")
                for value in headers.get_all(name)
                for address in find_addresses(value)
            ]
            notification = is_from_mail_system(headers) or is_failure_subject(headers)
            self._source = Source(self.note.text, self.note.lower, headers, frozenset(own), notification, tuple(known))
        return self._source

    def _text_of(self, one: Found, *, alone: bool) -> str:
        """The lines of the notification about one recipient; all of it when it is about nobody else."""
        source = self._words()
        for address in (one.final_recipient, one.recipient, one.actual_recipient):
            if address and "@" in address:
                text = text_about(source, address)
                if text:
                    return text
        return self.note.text[:2_000].strip() if alone else ""

    def _said_action(self) -> str:
        lower = self.note.lower[:20_000]
        subject = (self.headers.decoded("subject") or "").lower()
        if not any(word in lower or word in subject for word in _DELAY_WORDS):
            return "failed"
        return "failed" if any(word in lower for word in _GIVEN_UP_WORDS) else "delayed"

    # --- the report ---

    def _built(self, found: list[Found]) -> BounceReport:
        headers, message = self.headers, self.message
        returned = self.returned
        mta = message.get("reporting-mta")
        reporting_mta = split_type(mta)[1] if mta else None
        gateway, received_from = message.get("dsn-gateway"), message.get("received-from-mta")
        arrival = message.get("arrival-date")
        envelope_id = message.get("original-envelope-id")
        message_id = original_message_id(headers, returned, self.note)
        if self.ses is not None:
            reporting_mta, arrival = self.ses.reporting_mta, self.ses.arrival_date_text
            message_id, envelope_id = self.ses.message_id or message_id, self.ses.envelope_id
        if message_id is None and envelope_id and envelope_id[:1] == "<" and "@" in envelope_id:
            message_id = envelope_id.strip("<>")
        kept: list[tuple[str, str]] = []
        if returned is not None:
            for name in self.settings.keep_headers:
                if name in returned:
                    kept.extend((name, value) for value in returned.get_all(name))
        return BounceReport(
            kind="bounce",
            form=self.form,
            recipients=tuple(self._status(one, reporting_mta) for one in found),
            defects=(*self.mail.defects, *dict.fromkeys(self.defects)),
            reporting_mta=reporting_mta,
            dsn_gateway=split_type(gateway)[1] if gateway else None,
            received_from_mta=split_type(received_from)[1] if received_from else None,
            arrival_date_text=arrival,
            original_envelope_id=envelope_id,
            original_message_id=message_id,
            returned_headers=tuple(kept),
            evidence=self.evidence,
            dialect=self.dialect,
            message_id=(headers.get("message-id") or "").strip("<>") or None,
            subject=headers.decoded("subject"),
            sender=headers.decoded("from"),
            date_text=headers.get("date"),
            fields=tuple(message.items),
        )

    def _status(self, one: Found, reporting_mta: str | None) -> RecipientStatus:
        if one.mailed_recipient is None and one.recipient is not None:
            self._find_mailed(one)
        cause = judge(
            CauseFacts(
                action=one.action,
                status=one.status,
                status_text=one.status_text,
                diagnostic_type=one.diagnostic_type,
                diagnostic_code=one.diagnostic_code,
                text=one.text,
                recipient=one.recipient,
                final_recipient=one.final_recipient,
                remote_mta=one.remote_mta,
                reporting_mta=reporting_mta,
                dialect=one.dialect,
                hint=one.hint,
            ),
            self.settings.rules,
        )
        status = one.status
        if status is None and self.form == "text":
            status = cause.enhanced_status
        return RecipientStatus(
            recipient=one.recipient,
            original_recipient=one.original_recipient,
            original_recipient_type=one.original_recipient_type,
            final_recipient=one.final_recipient,
            final_recipient_type=one.final_recipient_type,
            actual_recipient=one.actual_recipient,
            mailed_recipient=one.mailed_recipient,
            action=one.action,
            status=status,
            status_text=one.status_text,
            smtp_code=cause.smtp_code,
            enhanced_status=cause.enhanced_status,
            smtp_command=cause.smtp_command,
            reason=cause.reason,
            permanence=cause.permanence,
            diagnostic_code=one.diagnostic_code,
            diagnostic_type=one.diagnostic_type,
            remote_mta=one.remote_mta,
            remote_mta_type=one.remote_mta_type,
            last_attempt_text=one.last_attempt_text,
            will_retry_until_text=one.will_retry_until_text,
            final_log_id=one.final_log_id,
            retry_after_seconds=cause.retry_after_seconds,
            block_list=cause.block_list,
            evidence=cause.evidence,
            dialect=one.dialect,
            text=one.text[:2_000],
            other_address=cause.other_address,
            never_mailed=one.mailed_recipient is not None,
            about_other_mail=one.about_other_mail,
            inferred=tuple(one.inferred),
            fields=one.fields,
        )

    def _find_mailed(self, one: Found) -> None:
        """Whether the recipient is a forward target: the words say so, or the returned header shows it."""
        recipient = one.recipient or ""
        if one.original_recipient is None and "from" in one.text:
            alias = alias_in(one.text)
            if alias is not None and alias.lower() != recipient.lower():
                one.mailed_recipient = alias
                return
        if self.returned is not None:
            mailed = mailed_to(self.returned, recipient)
            if mailed is not None:
                one.mailed_recipient = mailed


def _bare_name(text: str | None) -> str | None:
    """A recipient field's value when it is one word: a name that only the reporting host knows."""
    return text if text and _NAME.fullmatch(text) else None


def _has_digits(text: str) -> bool:
    return any(character.isdigit() for character in text)


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


def parse(message: bytes | Mail, *, settings: BounceSettings = DEFAULT_SETTINGS) -> BounceReport | None:
    """What a message says about delivery, or that it is an automatic reply (RFC 3464, RFC 3834).

    message: raw RFC 5322 bytes with any line ends, or a `Mail`.
    Returns a `BounceReport`, one `RecipientStatus` per recipient, in message order; None when it is neither.
    Raises ParseError when the message is beyond the limits of `Mail`.
    """
    mail = Mail.read(message, limits=settings.limits)
    return _Reader(_unwrapped(mail), settings).report()
