"""The returned message: its header wherever it stands, and what of it names the message and the mailed address."""

from __future__ import annotations

import re

from mailgate.bounce._addresses import find_addresses, read_address
from mailgate.bounce._text import Notification, clean_message_id, is_encoded, looks_like_header, message_id_in
from mailgate.records import Headers, Mail, Part

MAX_HEADER_CHARACTERS = 64 * 1024  # of a returned copy in a text: as much as one header may have
MAX_RECEIVED_FIELDS = 30
MAX_LOOKED_AT_CHARACTERS = 8_000  # behind such a line, to see whether more fields follow
MAX_STARTS = 20  # lines with a colon that are tried as the start of a header

_FIRST_FIELD = re.compile(r"^[ \t>|]{0,12}(?=[A-Za-z][A-Za-z0-9-]{1,60}+[ \t]*+:)", re.MULTILINE)
_FOR = re.compile(r"\bfor <?([^\s<>;]{1,256}@[^\s<>;]{1,255})>?")
# Fields that the forwarding mailbox adds: they name the address that the message had arrived at before it went on.
_ARRIVED_AT = ("x-sieve-redirected-from", "x-forwarded-for", "delivered-to")
_SENDER_FIELDS = ("return-path", "sender", "from", "errors-to", "x-beenthere", "list-post", "reply-to")


def returned_headers(mail: Mail, note: Notification) -> Headers | None:
    """The header of the returned message: of its part, of a part's own header, or behind the separator of a text."""
    if note.returned is not None:
        headers = _headers_of(mail, note.returned)
        if len(headers):
            return headers
    if note.returned_headers is not None:
        return note.returned_headers
    return headers_in(note.rest) if note.rest else None


def _headers_of(mail: Mail, part: Part) -> Headers:
    """The header of a returned message; its body is neither copied nor looked at, however large it is."""
    start = part.body_start
    if start is None or is_encoded(part.headers.block.lower()):
        body, start, end = part.content(), 0, MAX_HEADER_CHARACTERS
    else:
        body, end = mail.raw, min(start + MAX_HEADER_CHARACTERS, part.body_end or 0)
    while body[start : start + 1] in (b"\n", b"\r"):
        start += 1
    at = body.find(b"\n\n", start, end)
    if at == -1:
        at = body.find(b"\r\n\r\n", start, end)
    block = body[start : at if at != -1 else end]
    if b"\r" in block or block[:1] in (b" ", b"\t", b">"):
        return Headers.parse(block)
    return Headers(block)


def headers_in(text: str) -> Headers | None:
    """The first header block in a text, quote marks and a common indent off; None when there is none."""
    head = text[:MAX_HEADER_CHARACTERS]
    for number, start in enumerate(_FIRST_FIELD.finditer(head)):
        if number == MAX_STARTS:
            break
        margin = start[0]
        piece = head[start.end() : start.end() + MAX_LOOKED_AT_CHARACTERS]
        if looks_like_header(piece.replace(f"\n{margin}", "\n") if margin else piece):
            block = head[start.end() :]
            if margin:
                block = block.replace(f"\n{margin.rstrip()}\n", "\n\n").replace(f"\n{margin}", "\n")
            end = block.find("\n\n")
            return Headers.parse(block[: end if end != -1 else None].encode("utf-8", "surrogateescape"))
    return None


def original_message_id(report: Headers, returned: Headers | None, note: Notification) -> str | None:
    """Message-ID of the message that the report is about, from the surest place to the least sure one (rule 52)."""
    if returned is not None:
        found = clean_message_id(returned.get("message-id"))
        if found is not None:
            return found
    if note.rest:
        found = message_id_in(note.rest)
        if found is not None:
            return found
    for name in ("x-original-message-id", "original-message-id"):
        found = clean_message_id(report.get(name))
        if found is not None:
            return found
    if "essage-i" in note.text or "essage I" in note.text:
        found = message_id_in(note.text)
        if found is not None:
            return found
    return answered_message_id(report) or _exim_id(note)


def answered_message_id(headers: Headers) -> str | None:
    """The message that In-Reply-To, else the last of References, names."""
    for name in ("in-reply-to", "references"):
        value = headers.get(name)
        if value and "<" in value:
            return clean_message_id(value[value.rindex("<") :])
    return None


def _exim_id(note: Notification) -> str | None:
    """Exim's own id of the message, when nothing else names it; its Message-ID is `E` and this at the sending host."""
    at = note.text.find("message identifier is:")
    return None if at == -1 else clean_message_id(note.text[at + 22 : at + 80].strip().split("\n")[0])


def mailed_to(returned: Headers, recipient: str) -> str | None:
    """The address that the sender wrote to, when the returned header shows that `recipient` is a forward target.

    Proof is a mailbox's own field (Delivered-To, X-Sieve-Redirected-From, …) with another address, while `recipient`
    stands in no To or Cc. A mailbox of the sender's own domains is none: that is a list, and the sender wrote to its
    members. None otherwise.
    """
    key = recipient.lower()
    for name in _ARRIVED_AT:
        if name not in returned:
            continue
        for value in returned.get_all(name):
            address = read_address(value)
            if address is None or address.lower() == key:
                continue
            if key not in addressed_to(returned) and f"@{address.rpartition('@')[2].lower()}" not in _senders(returned):
                return address
    return None


def _senders(returned: Headers) -> str:
    """The addresses that sent the message or take its bounces, as one lower-case text."""
    return " ".join([value for name in _SENDER_FIELDS for value in returned.get_all(name)]).lower()


def is_returned_bounce(returned: Headers | None) -> bool:
    """True when what came back was a bounce itself: nobody sends those on purpose, so it was not our mail."""
    path = None if returned is None else returned.get("return-path")
    return path is not None and (path in ("<>", "") or path.lower().startswith("<mailer-daemon"))


def addressed_to(returned: Headers) -> set[str]:
    """Lower-case addresses of To and Cc."""
    found: set[str] = set()
    for name in ("to", "cc"):
        for value in returned.get_all(name):
            found.update(address.lower() for address in find_addresses(value))
    return found


def only_recipient(returned: Headers, near: str) -> str | None:
    """The one address that the returned message went to: envelope fields, `for` of Received, then To; None when
    unclear.

    near: the notification, lower case; among several addresses of To the one whose domain it names is taken.
    """
    for name in ("x-envelope-to", "envelope-to", "x-rcpt-to"):
        address = read_address(returned.get(name) or "")
        if address is not None:
            return address
    candidates: list[str] = []
    for value in returned.get_all("received")[:MAX_RECEIVED_FIELDS]:
        match = _FOR.search(value)
        if match is not None:
            address = read_address(match[1])
            if address is not None:
                candidates.append(address)
    to = [address for value in returned.get_all("to") for address in find_addresses(value)]
    named = [address for address in to if address.rpartition("@")[2].lower() in near]
    if len({address.lower() for address in named}) == 1:
        return named[0]
    if candidates:
        return candidates[0]
    return to[0] if len({address.lower() for address in to}) == 1 else None
