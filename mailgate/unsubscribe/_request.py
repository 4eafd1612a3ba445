"""Unsubscribing by mail: the answer to the `mailto:` URI of List-Unsubscribe (RFC 2369 3.2)."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from mailgate.records import Event, Headers, Mail, ParseError, address_key
from mailgate.unsubscribe._event import event_of
from mailgate.unsubscribe._token import Subscription, UnsubscribeSigner

MAX_SUBJECT_CHARACTERS = 8_000
_MAX_FIELDS = 50  # delivery fields looked at

# Where the address that the mail was sent to can stand, the one nearest to the envelope first.
_DELIVERED = ("X-Original-To", "Envelope-To", "X-Envelope-To", "Delivered-To", "To", "Cc")
_NOT_TOKEN = re.compile(r"[^A-Za-z0-9_-]+")
_NOT_MAILBOX = re.compile(r"[\s<>,;:\"()]+")
_MIN_TOKEN_CHARACTERS = 40
_MAX_CANDIDATES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsubscribeRequest:
    """A mail that asks for leaving a list, with a token of ours as its proof.

    subscription: who leaves what. sender: the address it came from, which need not be the subscription's. found: where
    the token stood, `subject` or `address`. date: of the mail, None when absent or unreadable.
    """

    subscription: Subscription
    sender: str | None
    found: str
    date: datetime | None = None

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values."""
        return {
            "subscription": self.subscription.to_dict(),
            "sender": self.sender,
            "found": self.found,
            "date": None if self.date is None else self.date.isoformat(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> UnsubscribeRequest:
        """Read what `to_dict` wrote."""
        return cls(
            subscription=Subscription.from_dict(data["subscription"]),
            sender=data["sender"],
            found=data["found"],
            date=None if data["date"] is None else datetime.fromisoformat(data["date"]),
        )


def parse_request(message: bytes | Mail, *, signer: UnsubscribeSigner) -> UnsubscribeRequest | None:
    """The request in a mail; None when it carries no token of ours, whatever its subject says.

    The token is looked for in the subject (any word of it) and behind the `+` of the address it was sent to. A short
    token that binds the recipient instead of carrying it counts only when the mail comes from that address. Raises
    ParseError when the message is beyond a limit of `MailLimits`.
    """
    mail = Mail.read(message)
    headers = mail.headers
    sender = _sender(headers)
    found, where = _in_subject(headers, signer), "subject"
    if found is None:
        found, where = _in_address(headers, signer, sender), "address"
    if found is None:
        return None
    return UnsubscribeRequest(subscription=found, sender=sender, found=where, date=_date(headers.get("date")))


def events(request: UnsubscribeRequest, *, at: datetime | None = None) -> tuple[Event, ...]:
    """The one event of a request. at: when it was read; taken when the mail has no date, or one in the future."""
    when = request.date or at
    when = when if at is None or when is None else min(when, at)
    subscription = request.subscription
    return (event_of(subscription, recipient=subscription.recipient, at=when, method="mail"),)


def find_subscription(headers: Headers, signer: UnsubscribeSigner) -> Subscription | None:
    """What the List-Unsubscribe field of one of our own mails says; None when there is no token of ours in it.

    For complaints: a provider that hides the recipient leaves this field alone.

    >>> from mailgate.records import KeyRing
    >>> signer = UnsubscribeSigner(keys=KeyRing.of(b"0123456789abcdefghijklmnopqrstuv"))
    >>> token = signer.token(Subscription(recipient="ann@example.net"))
    >>> headers = Headers.parse(f"List-Unsubscribe: <https://example.com/u/{token}>".encode())
    >>> find_subscription(headers, signer).recipient
    'ann@example.net'
    """
    for value in headers.get_all("list-unsubscribe")[:_MAX_FIELDS]:
        found = _first_token("".join(value.split()), signer)
        if found is not None:
            return found
    return None


def _in_subject(headers: Headers, signer: UnsubscribeSigner) -> Subscription | None:
    subject = (headers.decoded("subject") or "")[:MAX_SUBJECT_CHARACTERS]
    # QUIRK: a long subject without blanks is folded in the middle by some clients; then the parts are one token.
    return _first_token(subject, signer) or _first_token("".join(subject.split()), signer)


def _first_token(text: str, signer: UnsubscribeSigner) -> Subscription | None:
    """The first of at most 50 words that is a token of ours; `%20` counts as a blank, for clients that leave it."""
    words = (word for word in _NOT_TOKEN.split(text.replace("%20", " ")) if len(word) >= _MIN_TOKEN_CHARACTERS)
    for word in itertools.islice(words, _MAX_CANDIDATES):
        found = signer.read(word) or signer.read(word.removeprefix("unsubscribe"))
        if found is not None:
            return found
    return None


def _in_address(headers: Headers, signer: UnsubscribeSigner, sender: str | None) -> Subscription | None:
    values = (value for name in _DELIVERED for value in headers.get_all(name)[:_MAX_FIELDS])
    words = (word for value in values for word in _NOT_MAILBOX.split(value[:MAX_SUBJECT_CHARACTERS]))
    tokens = (word.rpartition("@")[0].partition("+")[2] for word in words if "@" in word and "+" in word)
    for token in itertools.islice(tokens, _MAX_CANDIDATES):
        found = signer.read_short(token, sender=sender)
        if found is not None:
            return found
    return None


def _sender(headers: Headers) -> str | None:
    """The one address of From."""
    value = headers.get("from") or ""
    inner = value.rpartition("<")[2].partition(">")[0].strip() if "<" in value else value.partition("(")[0].strip()
    try:
        address_key(inner)
    except ParseError:
        return None
    return inner


def _date(text: str | None) -> datetime | None:
    if text is None or len(text) > 200:
        return None
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError, AttributeError):
        return None
    return found if found.tzinfo is not None else None
