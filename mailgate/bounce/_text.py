r"""The text of a notification: which part it is, where it ends, and what of it is the returned message.

A text bounce is people's words, then the returned copy. Only the words are searched for recipients: the copy and its
header are full of other addresses (rule 42 of the corpus notes: examples in the prose become recipients otherwise).
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

from mailgate.records import Headers, Part

MAX_NOTIFICATION_CHARACTERS = 256 * 1024  # the longest real notification known is under 30 KiB

RETURNED_TYPES = frozenset(
    ("message/rfc822", "message/global", "message/rfc822-headers", "message/global-headers", "message/rfc822-header",
     "text/rfc822-headers", "text/rfc822-header", "text/rfc822", "message/partial", "message/external-body")
)  # fmt: skip
STATUS_TYPES = frozenset(("message/delivery-status", "message/global-delivery-status"))

# Lines that introduce the returned copy, lower case; found anywhere in a line. Each was seen in real notifications.
SEPARATORS: tuple[str, ...] = (
    "this is a copy of",                     # Exim
    "below this line is a copy",             # qmail, Yahoo
    "enclosed is a copy of the message",     # qmail of one provider, MIME
    "original message follows",              # IMail, Yahoo, LISTSERV
    "-- original message --",                # Gmail
    "--original message--",                  # Outlook, m-FILTER
    "- original message -",
    "-------original message",
    "-------original mail",                  # m-FILTER
    "original message headers",              # Exchange
    "original mail as follows",              # FML
    "header of the original message",        # 1&1, GMX, web.de
    "copy of the original message",          # OpenSMTPD
    "copy of the message header",            # MX Logic
    "this is a copy of your message",
    "copy of your message follows",
    "copy of your message is ",
    "copy of the original mail",
    "unsent message follows",                # Sendmail 5
    "message header follows",
    "message headers follow",                # DragonFly
    "unsent message below",
    "returned message -",                    # Notes
    "returned mail -",
    "returned message below",
    "undelivered message follows",
    "start of returned message",
    "original message text",
    "original message attached below",
    "original message below",
    "message text follows",
    "message contents follow",
    "text of the original message",
    "the original message was:",
    "your original message reads",
    "your message reads",
    "-----ursprüngliche nachricht",
    "----- ursprüngliche nachricht",
    "kopie der nachricht",
    "copie du message",
    "-----message d'origine",
    "-----mensaje original",
    "----- mensaje original",
    "-----messaggio originale",
    "----- messaggio originale",
    "-----oorspronkelijk bericht",
    "-----oprindelig meddelelse",
    "исходное сообщение",
    "原始邮件",
    "元のメッセージ",
)  # fmt: skip

_HEADER_LINE = (
    r"(?:Return-Path|Received|Message-ID|Date|From|To|Cc|Subject|MIME-Version|Content-Type|Content-Transfer-Encoding"
    r"|Reply-To|Sender|DKIM-Signature|In-Reply-To|References|X-[A-Za-z0-9-]{1,40}+)"
    r"[ \t]*+:[^\n]*+\n(?:[ \t]+[^\n]*+\n){0,20}+"
)
# Three header fields in a row without an indent: a returned header that nothing introduces (Zoho, old gateways).
_BARE_HEADER = re.compile(rf"^(?:{_HEADER_LINE}){{3}}", re.IGNORECASE | re.MULTILINE)
_HEADER_START = re.compile(rf"\s*(?:From [^\n]*+\n)?(?:{_HEADER_LINE}){{2}}", re.IGNORECASE)
_STATUS_END = re.compile(
    r"^(?:--[^\n]{1,200}\n[ \t]*(?:Content-[A-Za-z-]{4,30}:|\n)|(?:Return-Path|Received|Message-ID)[ \t]*:)",
    re.IGNORECASE | re.MULTILINE,
)
_MESSAGE_ID = re.compile(
    r"^[ \t>|*]{0,20}Message-?ID[ \t]*+:[ \t]*+(?:\r?\n[ \t>]++)?([^\s]{3,400})", re.IGNORECASE | re.MULTILINE
)
_QUOTED = re.compile(r"^[ \t]{0,8}(?:>[ \t]?){1,5}", re.MULTILINE)

_HTML_BREAK = re.compile(
    r"<(?:br|/?p|/?div|/?tr|/?td|/?li|/?ul|/?h[1-6]|hr|/?table|/?pre|/?blockquote)\b[^<>]*+>", re.IGNORECASE
)
_HTML_DROPPED = re.compile(r"<(style|script|title)\b[^<>]*+>[^<]*+", re.IGNORECASE)
_HTML_TAG = re.compile(r"<[/!A-Za-z][^<>]*+>")
_HTML_SPACES = re.compile(r"[ \t\r\f\v\xa0]+")


@dataclass(slots=True)
class Notification:
    """What people are told, and where the returned message is.

    text: the words before the returned copy; lower: the same, lower-cased (equal in length). rest: what follows them
    in the same part. status: a machine-readable part. returned: the part that is the returned message or its header,
    or a header block that stood in a part's own header.
    """

    text: str
    lower: str
    rest: str
    status: Part | None
    returned: Part | None
    returned_headers: Headers | None
    is_html: bool


def read_notification(mail: Part) -> Notification:
    """Sort the parts of a report by their use (RFC 6522 3); only the text that is needed is decoded."""
    status: Part | None = None
    returned: Part | None = None
    returned_headers: Headers | None = None
    plain: list[Part] = []
    hypertext: list[Part] = []
    for part in (mail,) if not mail.parts else mail.walk():
        kind = part.content_type
        if part is mail and kind.startswith("multipart/"):
            kind = "text/plain"  # no delimiter line was found: the whole body is text
        if kind in STATUS_TYPES:
            status = part if status is None else status
        elif kind in RETURNED_TYPES:
            if returned is None and returned_headers is None:
                returned = part
        elif returned is not None or returned_headers is not None or part.parts:
            continue
        elif part is not mail and _is_message_header(part.headers):
            # QUIRK: the returned header stands directly behind the boundary, as if it were the part's own.
            returned_headers = part.headers
        elif kind == "text/html":
            hypertext.append(part)
        elif kind.startswith("text/"):
            plain.append(part)
    text, is_html = _words(plain), False
    if hypertext and not text.strip():
        text, is_html = html_to_text("\n".join(part.text() for part in hypertext)[:MAX_NOTIFICATION_CHARACTERS]), True
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    text, rest = split_returned(text)
    return Notification(text, lower(text), rest, status, returned, returned_headers, is_html)


def _words(parts: list[Part]) -> str:
    if len(parts) == 1:
        return parts[0].text()[:MAX_NOTIFICATION_CHARACTERS]
    texts = []
    left = MAX_NOTIFICATION_CHARACTERS
    for part in parts:
        text = part.text()[:left]
        left -= len(text)
        texts.append(text)
        if left <= 0:
            break
    return "\n".join(texts)


def lower(text: str) -> str:
    """`text.lower()` of the same length: indexes into one fit the other (`İ` alone would grow)."""
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else text.replace("İ", "I").lower()


def split_returned(text: str) -> tuple[str, str]:
    """The words, and the returned copy that follows them; ("", "") parts may be empty."""
    lowered = lower(text)
    cut = len(text)
    for separator in SEPARATORS:
        at = lowered.find(separator, 0, cut)
        if at != -1:
            start = lowered.rfind("\n", 0, at) + 1
            # A separator in the first line of a text introduces nothing; it is part of a sentence.
            if lowered[:start].strip():
                cut = start
    if ":" in text[:cut]:
        match = _BARE_HEADER.search(text, 0, cut)
        if match is not None and text[: match.start()].strip():
            cut = match.start()
    return text[:cut], text[cut:]


def split_status(text: str) -> tuple[str, str]:
    """The fields of a delivery status part, and what a wrong boundary left behind them in the same part."""
    if "\n--" not in text and "essage-I" not in text:
        return text, ""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    match = _STATUS_END.search(text)
    return (text, "") if match is None else (text[: match.start()], text[match.start() :])


def message_id_in(text: str) -> str | None:
    """The first Message-ID field that stands in a text, quoted or not, without angle brackets."""
    match = _MESSAGE_ID.search(text[:MAX_NOTIFICATION_CHARACTERS])
    return None if match is None else clean_message_id(match[1])


def clean_message_id(value: str | None) -> str | None:
    """A Message-ID without angle brackets and comments; None when nothing is left (rule 52: with or without `@`)."""
    if not value:
        return None
    value = value.strip()
    start = value.find("<")
    if start != -1:
        end = value.find(">", start)
        value = value[start + 1 : end if end != -1 else None].strip()
    value = value.split(None, 1)[0] if value.split() else ""
    return value.strip("<>") or None


def looks_like_header(text: str) -> bool:
    """True when a text begins with two or more header fields of a message."""
    return _HEADER_START.match(text[:8_000]) is not None


def unquoted(text: str) -> str:
    """A text without the `> ` marks or the common indent of a forwarded copy."""
    if ">" in text and len(_QUOTED.findall(text)) * 2 > text.count("\n") // 2:
        text = _QUOTED.sub("", text)
    return text


def html_to_text(source: str) -> str:
    """The words of an HTML notification, one line a block; no tag is trusted to be closed."""
    source = _HTML_DROPPED.sub(" ", source)
    source = source.replace("\n", " ")
    source = _HTML_BREAK.sub("\n", source)
    source = html.unescape(_HTML_TAG.sub("", source))
    return "\n".join(_HTML_SPACES.sub(" ", line).strip() for line in source.split("\n"))


def _is_message_header(headers: Headers) -> bool:
    return "Message-ID" in headers and ("From" in headers or "Return-Path" in headers or "Received" in headers)
