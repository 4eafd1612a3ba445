"""Complaints without a feedback-report part: one row for each kind of notice, with what gives it away.

Microsoft's old JMRP and AOL's notices before 2008 send nothing but the returned message; Exim reports a DMARC failure
in plain text; Apple Mail unsubscribes by a mail of its own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mailgate.fbl._draft import Draft
from mailgate.fbl._redacted import is_redacted
from mailgate.fbl._report import AuthFailure
from mailgate.fbl._returned import REPORT_TYPES, RETURNED_TYPES, find_returned
from mailgate.fbl._values import addresses, ip_address
from mailgate.records import Headers, Mail, Part

_MAX_TEXT_CHARACTERS = 64 * 1024


@dataclass(frozen=True, slots=True)
class _BareNotice:
    """A notice that is nothing but a returned message. header: a field of the returned message that proves it."""

    form: str
    reporter: str
    sender: str
    subject: str
    header: str | None = None


_BARE = (
    # QUIRK: Microsoft JMRP until about 2020, set-of-emails arf-22 to arf-24.
    _BareNotice("jmrp", "Microsoft", "staff@hotmail.com", "complaint about message", "x-hmxmroriginalrecipient"),
    _BareNotice("bare", "AOL", "scomp@aol.net", "client tos notification"),
)

_OTHER_REPORTS = REPORT_TYPES | {"message/delivery-status", "message/global-delivery-status"}
_EXIM_WRAPPINGS = ("multipart/report", "multipart/mixed")
_EXIM = re.compile(r"A message claiming to be from you has failed the published DMARC\s+policy for your domain\.")
_EXIM_FIELD = re.compile(r"^ {2,4}([A-Z][A-Za-z ]{2,30}): ([^\r\n]{0,500})", re.MULTILINE)
_EXIM_COPY = re.compile(r"^-{6} This is a copy of [^\r\n]*(?:\r?\n[ \t]+[^\r\n]*){0,3}\r?\n(?:\r?\n)?", re.MULTILINE)


def read_bare(mail: Mail, leaves: Sequence[Part]) -> Draft | None:
    """A returned message sent by one of the known senders, or one with the reporter's own field in its header."""
    if not mail.content_type.startswith("multipart/") or not any(p.content_type in RETURNED_TYPES for p in leaves):
        return None
    sender = _sender(mail)
    subject = (mail.headers.get("subject") or "").strip().lower()
    returned = None
    for row in _BARE:
        known = sender == row.sender and subject.startswith(row.subject)
        if not known and row.header is None:
            continue
        returned = returned or find_returned(leaves, None)
        if returned is not None and (known or (row.header is not None and row.header in returned)):
            draft = Draft(form=row.form, returned=returned, reporter=row.reporter)
            draft.derive("feedback_type", "abuse")
            return draft
    return None


def read_exim(mail: Mail, leaves: Sequence[Part]) -> Draft | None:
    """Exim's notice that a mail from our domain failed DMARC: prose, a few named lines, a copy of the header.

    QUIRK: gateways send the same prose as the first part of a multipart/report that has no feedback-report part.
    """
    if not leaves or leaves[0].content_type != "text/plain":
        return None
    if len(leaves) > 1 and (
        mail.content_type not in _EXIM_WRAPPINGS or any(part.content_type in _OTHER_REPORTS for part in leaves)
    ):
        return None
    text = leaves[0].text()[:_MAX_TEXT_CHARACTERS]
    start = _EXIM.search(text)
    if start is None:
        return None
    copy = _EXIM_COPY.search(text, start.end())
    pairs = tuple(_EXIM_FIELD.findall(text[start.end() : copy.start() if copy else len(text)]))
    said = {name.lower(): value.strip() for name, value in pairs}
    draft = Draft(form="text", fields=pairs, reporter=None)
    draft.derive("feedback_type", "auth-failure")
    draft.values["source_ip"] = ip_address(said.get("sender ip address", ""))
    draft.values["arrival_date_text"] = said.get("received date")
    draft.values["reported_domain"] = (said["sender domain"],) if said.get("sender domain") else ()
    draft.values["auth_failure"] = AuthFailure(
        auth_failure="dmarc",
        delivery_result=said["dmarc results"].lower() if said.get("dmarc results") else None,
        identity_alignment=_alignment(said),
    )
    if copy is not None:
        draft.returned = Headers.parse(text[copy.end() :].encode("utf-8", "surrogateescape"))
    elif len(leaves) > 1:
        draft.returned = find_returned(leaves, leaves[0])
    return draft


def _alignment(said: dict[str, str]) -> tuple[str, ...]:
    found = tuple(name for name in ("dkim", "spf") if said.get(f"{name} alignment", "").lower() == "yes")
    return found or (("none",) if "spf alignment" in said else ())


def read_apple(mail: Mail) -> Draft | None:
    """The mail that Apple Mail sends when its unsubscribe button is pressed: the sender wants to leave."""
    if (mail.headers.get("x-apple-unsubscribe") or "").strip().lower() != "true":
        return None
    draft = Draft(form="apple")
    draft.derive("feedback_type", "opt-out")
    sender = _sender_as_written(mail)
    if sender is not None and not is_redacted(sender):
        draft.derive("original_rcpt_to", (sender,))
        draft.derive("recipients", (sender,))
        draft.values["recipient_source"] = "from"
    return draft


def _sender(mail: Mail) -> str:
    return (_sender_as_written(mail) or "").lower()


def _sender_as_written(mail: Mail) -> str | None:
    found = addresses(mail.headers.get("from") or "")
    return found[0] if len(found) == 1 else None
