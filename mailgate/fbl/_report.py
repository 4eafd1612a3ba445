"""What one complaint says: the fields as they were written, and beside them whom it is about.

Nothing that the report part says is overwritten. What was taken from elsewhere (the returned message, the kind of
notice) stands in the same attributes and is named in `derived`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from mailgate.fbl._dates import parse_date
from mailgate.fbl._redacted import is_redacted
from mailgate.records import MessageRef

Fields = tuple[tuple[str, str], ...]

# What people and drafts wrote before RFC 5965 7.3, RFC 6430 and RFC 6591 fixed the words.
_TYPE_ALIASES = {
    "abuse": "abuse",
    "fraud": "fraud",
    "phishing": "fraud",
    "virus": "virus",
    "malware": "virus",
    "other": "other",
    "opt-out": "opt-out",
    "opt-out-list": "opt-out",
    "optout": "opt-out",
    "unsubscribe": "opt-out",
    "not-spam": "not-spam",
    "notspam": "not-spam",
    "not_spam": "not-spam",
    "miscategorized": "not-spam",
    "auth-failure": "auth-failure",
    "auth_failure": "auth-failure",
    "authentication-failure": "auth-failure",
    "dkim": "auth-failure",
    "dmarc": "auth-failure",
    "spam": "abuse",
    "complaint": "abuse",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthFailure:
    """The fields of an authentication failure report (RFC 6591 3.2, RFC 9991).

    auth_failure: `adsp`, `bodyhash`, `revoked`, `signature`, `spf`, `dmarc`, or another word as written, lower case.
    delivery_result: `delivered`, `spam`, `policy`, `reject`, `other`. identity_alignment: `dkim`, `spf`, `none`.
    dkim_canonicalized_header, dkim_canonicalized_body: decoded (RFC 6591 2.3); None when absent or not base64.
    spf_dns: the records that were found, as written, one a field.
    """

    auth_failure: str | None = None
    delivery_result: str | None = None
    identity_alignment: tuple[str, ...] = ()
    dkim_domain: str | None = None
    dkim_identity: str | None = None
    dkim_selector: str | None = None
    dkim_selector_dns: str | None = None
    dkim_adsp_dns: str | None = None
    dkim_canonicalized_header: bytes | None = None
    dkim_canonicalized_body: bytes | None = None
    spf_dns: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values; bytes that are not UTF-8 are lone surrogates (`surrogateescape`)."""
        return {
            "auth_failure": self.auth_failure,
            "delivery_result": self.delivery_result,
            "identity_alignment": list(self.identity_alignment),
            "dkim_domain": self.dkim_domain,
            "dkim_identity": self.dkim_identity,
            "dkim_selector": self.dkim_selector,
            "dkim_selector_dns": self.dkim_selector_dns,
            "dkim_adsp_dns": self.dkim_adsp_dns,
            "dkim_canonicalized_header": _bytes_to_text(self.dkim_canonicalized_header),
            "dkim_canonicalized_body": _bytes_to_text(self.dkim_canonicalized_body),
            "spf_dns": list(self.spf_dns),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> AuthFailure:
        """Read what `to_dict` wrote; keys that are missing take their defaults."""
        values = {name: data[name] for name in _AUTH_NAMES if name in data}
        for name in ("dkim_canonicalized_header", "dkim_canonicalized_body"):
            if values.get(name) is not None:
                values[name] = values[name].encode("utf-8", "surrogateescape")
        for name in ("identity_alignment", "spf_dns"):
            values[name] = tuple(values.get(name, ()))
        return cls(**values)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackReport:
    """One complaint, or one report in the same form that is none (`not-spam`, `auth-failure`).

    form: `arf` (RFC 5965), `jmrp` (Microsoft's old report without a report part), `bare` (another sender of bare
    returned messages), `text` (Exim's DMARC failure notice), `apple` (Apple Mail's unsubscribe), `ses` (Amazon's JSON),
    `xarf` (X-ARF without a feedback-report part).
    feedback_type: the word as written, lower case; None when the report has none. `complaint_type` is the same in the
    registry's words.
    original_rcpt_to: as written, redacted or not; when the report has none and it is in `derived`, the address that
    the returned message or our reference gives. removal_recipient: as written.
    recipients: who complained, as far as it can be known: never a redacted address, () rather than a guess.
    recipient_source: where they were found: `original-rcpt-to`, `ref`, `verp`, `removal-recipient`, a header's name.
    original_mail_from: "" for a null return path, None when absent.
    arrival_date_text: Arrival-Date, else the Received-Date of the drafts. source_ip: None when absent or masked.
    auth_failure: the fields of RFC 6591, None when the report is not about authentication and has none of them.
    original_message_id: of the returned message, else what the report part says; without angle brackets.
    ref: our own reference, when it was found and its signature is ours. matched: the proof that the mail was ours
    (`ref`, `verp`, or what `FeedbackSettings.readers` calls it).
    returned_headers: fields of the returned message, those of `FeedbackSettings.keep_headers`, as written.
    derived: names of the attributes above that the report part does not say. defects: oddities, one word each.
    fields: every field of the report part, in order, as written.
    message_id, subject, sender, date_text: of the report's own mail.
    """

    form: str
    feedback_type: str | None = None
    user_agent: str | None = None
    version: str | None = None
    original_mail_from: str | None = None
    original_rcpt_to: tuple[str, ...] = ()
    removal_recipient: tuple[str, ...] = ()
    arrival_date_text: str | None = None
    source_ip: str | None = None
    source_port: int | None = None
    reported_domain: tuple[str, ...] = ()
    reported_uri: tuple[str, ...] = ()
    incidents: int | None = None
    authentication_results: tuple[str, ...] = ()
    auth_failure: AuthFailure | None = None
    original_envelope_id: str | None = None
    reporting_mta: str | None = None
    original_message_id: str | None = None
    cfbl_feedback_id: str | None = None
    recipients: tuple[str, ...] = ()
    recipient_source: str | None = None
    reporter: str | None = None
    ref: MessageRef | None = None
    matched: str | None = None
    returned_headers: Fields = ()
    derived: tuple[str, ...] = ()
    defects: tuple[str, ...] = ()
    fields: Fields = ()
    message_id: str | None = None
    subject: str | None = None
    sender: str | None = None
    date_text: str | None = None

    @property
    def complaint_type(self) -> str | None:
        """`abuse`, `fraud`, `virus`, `other`, `opt-out`, `not-spam`, `auth-failure`; None: none of these."""
        return None if self.feedback_type is None else _TYPE_ALIASES.get(self.feedback_type)

    @property
    def arrival_date(self) -> datetime | None:
        """When the reported message arrived there, in UTC; None when absent or unreadable."""
        return parse_date(self.arrival_date_text)

    @property
    def date(self) -> datetime | None:
        """When the report was written, in UTC; None when absent or unreadable."""
        return parse_date(self.date_text)

    @property
    def redacted(self) -> bool:
        """True when an address of the complainer was given and hidden, or none at all."""
        written = (*self.original_rcpt_to, *self.removal_recipient)
        return not written or any(map(is_redacted, written))

    @property
    def stream(self) -> str | None:
        """The stream that our reference names, else the List-Id of the returned message (RFC 2919 3)."""
        if self.ref is not None and self.ref.stream is not None:
            return self.ref.stream
        list_id = self.returned_header("list-id")
        if list_id is None:
            return None
        return list_id.partition("<")[2].partition(">")[0].strip() or list_id

    def field(self, name: str) -> str | None:
        """The first field of that name of the report part as written, None when there is none."""
        return _first(self.fields, name)

    def returned_header(self, name: str) -> str | None:
        """The first kept field of that name of the returned message, None when there is none."""
        return _first(self.returned_headers, name)

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values, documented keys first. `ref` is the reference alone, `message_ref` all of it."""
        return {
            "kind": "feedback",
            "feedback_type": self.feedback_type,
            "user_agent": self.user_agent,
            "version": self.version,
            "original_mail_from": self.original_mail_from,
            "original_rcpt_to": list(self.original_rcpt_to),
            "removal_recipient": list(self.removal_recipient),
            "arrival_date": _instant(self.arrival_date),
            "source_ip": self.source_ip,
            "reported_domain": list(self.reported_domain),
            "reported_uri": list(self.reported_uri),
            "incidents": self.incidents,
            "authentication_results": list(self.authentication_results),
            "auth_failure": None if self.auth_failure is None else self.auth_failure.to_dict(),
            "original_message_id": self.original_message_id,
            "ref": None if self.ref is None else self.ref.ref or None,
            "derived": list(self.derived),
            "defects": list(self.defects),
            "form": self.form,
            "recipients": list(self.recipients),
            "recipient_source": self.recipient_source,
            "redacted": self.redacted,
            "matched": self.matched,
            "reporter": self.reporter,
            "complaint_type": self.complaint_type,
            "stream": self.stream,
            "message_ref": None if self.ref is None else _ref_to_dict(self.ref),
            "source_port": self.source_port,
            "original_envelope_id": self.original_envelope_id,
            "reporting_mta": self.reporting_mta,
            "cfbl_feedback_id": self.cfbl_feedback_id,
            "returned_headers": [list(field) for field in self.returned_headers],
            "message_id": self.message_id,
            "subject": self.subject,
            "sender": self.sender,
            "date": _instant(self.date),
            "fields": [list(field) for field in self.fields],
            "arrival_date_text": self.arrival_date_text,
            "date_text": self.date_text,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> FeedbackReport:
        """Read what `to_dict` wrote; keys that are missing take their defaults."""
        values = {name: data[name] for name in _REPORT_NAMES if name in data}
        for name in _TUPLES:
            values[name] = tuple(values.get(name, ()))
        for name in ("returned_headers", "fields"):
            values[name] = tuple((str(key), str(value)) for key, value in data.get(name, ()))
        ref, failure = data.get("message_ref"), data.get("auth_failure")
        values["ref"] = None if ref is None else MessageRef(**ref)
        values["auth_failure"] = None if failure is None else AuthFailure.from_dict(failure)
        return cls(**values)


_AUTH_NAMES = tuple(field.name for field in fields(AuthFailure))
_REPORT_NAMES = tuple(field.name for field in fields(FeedbackReport))
_TUPLES = (
    "original_rcpt_to",
    "removal_recipient",
    "reported_domain",
    "reported_uri",
    "authentication_results",
    "recipients",
    "derived",
    "defects",
)


def _first(pairs: Fields, name: str) -> str | None:
    wanted = name.lower()
    return next((value for key, value in pairs if key.lower() == wanted), None)


def _instant(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat()


def _bytes_to_text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "surrogateescape")


def _ref_to_dict(ref: MessageRef) -> dict[str, Any]:
    return {"ref": ref.ref, "recipient": ref.recipient, "tenant": ref.tenant, "stream": ref.stream}
