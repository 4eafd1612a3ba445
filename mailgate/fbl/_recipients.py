"""Who complained: the search from what the report says to what our own mail carries, and None rather than a guess.

The order: Original-Rcpt-To where it is readable; our own signed reference in the returned message; VERP of domains that
the caller sends from; Removal-Recipient; header fields that are documented to hold the recipient; the one address of
To, when the report does not name a recipient at all. A report that redacts Original-Rcpt-To has redacted To as well, or
To is somebody else; so a redacted recipient is never looked for there. A reference whose signature is not ours makes
the whole returned header doubtful: then nothing is taken from it.
"""

from __future__ import annotations

from dataclasses import dataclass

from mailgate.fbl._draft import Draft
from mailgate.fbl._redacted import is_redacted
from mailgate.fbl._report import _TYPE_ALIASES
from mailgate.fbl._settings import FeedbackSettings
from mailgate.fbl._values import addresses, written_address
from mailgate.records import Headers, MessageRef, ParseError, address_key

# Fields in which the reporter's own system writes the recipient of the message.
# X-HmXmrOriginalRecipient: Microsoft JMRP. X-Apparently-To: Yahoo ("address via IP; date").
_DOCUMENTED = ("X-HmXmrOriginalRecipient", "X-Apparently-To")
# Where final delivery writes the envelope's recipient; used only when To is hidden and all of them agree.
_ENVELOPE = ("X-Original-To", "Envelope-To", "X-Envelope-To", "Delivered-To")
_NOT_A_RECIPIENT = ("From", "Sender", "Reply-To", "List-Post", "Return-Path")


@dataclass(frozen=True, slots=True)
class _Reference:
    ref: MessageRef | None = None
    matched: str | None = None
    forged: bool = False


def find_recipients(draft: Draft, settings: FeedbackSettings) -> None:
    """Set `recipients`, `recipient_source`, `ref`, `matched`, and `original_rcpt_to` when the report has none."""
    reference = _find_reference(draft, settings)
    values = draft.values
    values["ref"], values["matched"] = reference.ref, reference.matched
    if reference.forged:
        draft.note("forged_reference")
    if "recipients" in values:  # a dialect that says outright who complained, or that it does not know
        if not values["recipients"] and reference.ref is not None and reference.ref.recipient is not None:
            values["recipients"], values["recipient_source"] = (reference.ref.recipient,), reference.matched
        return
    found, source, matched = _search(draft, reference, settings)
    values["recipients"], values["recipient_source"] = found, source
    values["matched"] = matched
    _fill_original_rcpt_to(draft, reference, source)


def _search(
    draft: Draft, reference: _Reference, settings: FeedbackSettings
) -> tuple[tuple[str, ...], str | None, str | None]:
    """(recipients, where they were found, the proof that the mail was ours)."""
    written: tuple[str, ...] = draft.values.get("original_rcpt_to", ())
    named = reference.ref.recipient if reference.ref is not None else None
    plain = _readable(written)
    if plain:
        # Our own reference may name another one: the address we wrote to, which a forward led to the complainer.
        return _with(plain, named), "original-rcpt-to", reference.matched
    if named is not None:
        return (named,), reference.matched, reference.matched
    returned = None if reference.forged else draft.returned
    verp = _unsigned_verp(draft, returned, settings)
    if verp is not None:
        return (verp,), "verp", reference.matched
    removal = _readable(draft.values.get("removal_recipient", ()))
    if removal:
        return removal, "removal-recipient", reference.matched
    if returned is not None:
        found, source = _from_header(returned, settings, may_use_to=not written)
        return found, source, reference.matched
    return (), None, reference.matched


def _readable(written: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(address for address in written if not is_redacted(address)))


def _with(found: tuple[str, ...], named: str | None) -> tuple[str, ...]:
    return found if named is None or _key(named) in map(_key, found) else (*found, named)


def _key(address: str) -> str:
    try:
        return address_key(address)
    except ParseError:
        return address.lower()


def _find_reference(draft: Draft, settings: FeedbackSettings) -> _Reference:
    """Our reference in the returned message: a signed field, the signed envelope sender, or what `readers` know."""
    headers = draft.returned
    forged = False
    if settings.refs is not None:
        for name in settings.ref_headers if headers is not None else ():
            for value in headers.get_all(name) if headers is not None else ():
                ref = settings.refs.read_header(value)
                if ref is not None:
                    return _Reference(ref, "ref")
                # Other people's Feedback-IDs are no forgeries; only the field that is ours alone can be one.
                forged = forged or name == settings.ref_headers[0]
        for path in _envelope_senders(draft, headers):
            ref = settings.refs.read_return_path(path)
            if ref is not None:
                return _Reference(ref, "verp")
    for label, reader in settings.readers if headers is not None else ():
        ref = reader(headers) if headers is not None else None
        if ref is not None:
            return _Reference(ref, label)
    return _Reference(forged=forged)


def _envelope_senders(draft: Draft, headers: Headers | None) -> list[str]:
    senders = [draft.values.get("original_mail_from"), None if headers is None else headers.get("return-path")]
    return [written_address(sender) for sender in senders if sender]


def _unsigned_verp(draft: Draft, headers: Headers | None, settings: FeedbackSettings) -> str | None:
    """`bounces+jane=example.com@news.example` of a domain that the caller named (section 4 of the VERP draft)."""
    if not settings.verp_domains:
        return None
    domains = {domain.lower() for domain in settings.verp_domains}
    for sender in _envelope_senders(draft, headers):
        local, _, domain = sender.rpartition("@")
        coded = local.partition("+")[2]
        user, equals, host = coded.rpartition("=")
        if domain.lower() in domains and equals and user and "." in host:
            address = f"{user}@{host}"
            return None if is_redacted(address) else address
    return None


def _from_header(
    headers: Headers, settings: FeedbackSettings, *, may_use_to: bool
) -> tuple[tuple[str, ...], str | None]:
    for name in (*settings.recipient_headers, *_DOCUMENTED):
        value = headers.get(name)
        found = addresses(value.partition(" via ")[0]) if value else ()
        if len(found) == 1 and not is_redacted(found[0]):
            return found, name.lower()
    if not may_use_to:
        return (), None
    to = addresses(headers.get("to") or "")
    if to:
        usable = len(to) == 1 and not is_redacted(to[0]) and not _others(headers, to[0])
        return (to, "to") if usable else ((), None)
    return _from_envelope(headers)


def _others(headers: Headers, address: str) -> bool:
    """True when To does not name the one recipient: others stand in Cc, or it is the sender's or the list's own."""
    if addresses(headers.get("cc") or ""):
        return True
    key = _key(address)
    return any(key == _key(one) for name in _NOT_A_RECIPIENT for one in addresses(_bare(headers.get(name) or "")))


def _bare(text: str) -> str:
    return text.replace("mailto:", "")


def _from_envelope(headers: Headers) -> tuple[tuple[str, ...], str | None]:
    found = [(name.lower(), one) for name in _ENVELOPE for value in headers.get_all(name) for one in addresses(value)]
    keys = {_key(one) for _, one in found}
    if len(keys) == 1 and not is_redacted(found[0][1]):
        return (found[0][1],), found[0][0]
    return (), None


def _fill_original_rcpt_to(draft: Draft, reference: _Reference, source: str | None) -> None:
    """`original_rcpt_to` of a report that has none: whom we found, or what To says where nobody is suppressed by it."""
    values = draft.values
    if values.get("original_rcpt_to") or source == "removal-recipient":
        return
    if values["recipients"]:
        draft.derive("original_rcpt_to", values["recipients"])
        return
    if draft.returned is None or reference.forged:
        return
    to = addresses(draft.returned.get("to") or "")
    complaint = _TYPE_ALIASES.get(values.get("feedback_type") or "", "abuse") not in ("auth-failure", "not-spam")
    if to and (all(map(is_redacted, to)) or not complaint):
        draft.derive("original_rcpt_to", to)
