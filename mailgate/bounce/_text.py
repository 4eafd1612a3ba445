r"""The text of a notification: which part it is, where it ends, and what of it is the returned message.

A text bounce is people's words, then the returned copy. Only the words are searched for recipients: the copy and its
header are full of other addresses (rule 42 of the corpus notes: examples in the prose become recipients otherwise).
"""

from __future__ import annotations

import html
import re

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

# A piece of each separator, common to many: one search for it rules them all out.
_PIECES = ("copy", "original m", "unsent", "returned m", "follows", "s follow", "header", "message reads", "-----")
_BY_PIECE: tuple[tuple[str, tuple[str, ...]], ...] = tuple(
    (piece, tuple(one for one in SEPARATORS if next((p for p in _PIECES if p in one), one) == piece))
    for piece in dict.fromkeys(next((p for p in _PIECES if p in one), one) for one in SEPARATORS)
)
_BY_PIECE_ASCII = tuple((piece, separators) for piece, separators in _BY_PIECE if piece.isascii())

_HEADER_LINE = (
    r"(?:Return-Path|Received|Message-ID|Date|From|To|Cc|Subject|MIME-Version|Content-Type|Content-Transfer-Encoding"
    r"|Reply-To|Sender|DKIM-Signature|In-Reply-To|References|X-[A-Za-z0-9-]{1,40}+)"
    r"[ \t]*+:[^\n]*+\n(?:[ \t]+[^\n]*+\n){0,20}+"
)
_BARE_NAMES = ("\nmessage-id", "\nreceived:", "\nsubject:")
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


class Notification:
    """What people are told, and where the returned message is.

    status: a machine-readable part. returned: the part that is the returned message or its header. returned_headers: a
    returned header that stood in a part's own header. Texts are decoded when they are asked for.
    """

    __slots__ = ("_hypertext", "_lower", "_plain", "_rest", "_text", "_words", "returned", "returned_headers", "status")

    def __init__(self, mail: Part) -> None:
        self.status: Part | None = None
        self.returned: Part | None = None
        self.returned_headers: Headers | None = None
        self._plain: list[Part] = []
        self._hypertext: list[Part] = []
        self._words: str | None = None
        self._text: str | None = None
        self._lower: str | None = None
        self._rest = ""
        if mail.parts:
            for part in mail.walk():
                self._sort(part)
        elif mail.content_type == "text/html":
            self._hypertext.append(mail)
        elif mail.content_type in STATUS_TYPES:
            self.status = mail
        else:
            # Also a multipart in which no delimiter line was found: the whole body is text.
            self._plain.append(mail)

    def _sort(self, part: Part) -> None:
        """Sort the parts of a report by their use (RFC 6522 3)."""
        kind = part.content_type
        if kind in STATUS_TYPES:
            if self.status is None:
                self.status = part
        elif kind in RETURNED_TYPES:
            if self.returned is None and self.returned_headers is None:
                self.returned = part
        elif part.parts or self.returned is not None or self.returned_headers is not None:
            return
        elif kind == "text/html":
            self._hypertext.append(part)
        elif kind.startswith("text/"):
            if b"essage-i" in part.headers.block.lower() and _is_message_header(part.headers):
                # QUIRK: the returned header stands directly behind the boundary, as if it were the part's own.
                self.returned_headers = part.headers
            else:
                self._plain.append(part)

    def raw_range(self) -> tuple[int, int] | None:
        """Where the one plain text part lies in the mail's `raw`, when it needs no decoding; None otherwise."""
        if len(self._plain) != 1:
            return None
        part = self._plain[0]
        start, end = part.body_start, part.body_end
        if start is None or end is None:
            return None
        return None if is_encoded(part.headers.block.lower()) else (start, end)

    @property
    def words(self) -> str:
        """The text of the notification, whole, with LF line ends, at most `MAX_NOTIFICATION_CHARACTERS`."""
        if self._words is None:
            text = _joined(self._plain)
            if self._hypertext and not text.strip():
                text = html_to_text(_joined(self._hypertext))
            if "\r" in text:
                text = text.replace("\r\n", "\n").replace("\r", "\n")
            self._words = printable(text)
        return self._words

    @property
    def text(self) -> str:
        """The words before the returned copy."""
        if self._text is None:
            self._text, rest = split_returned(self.words)
            self._rest = rest or self._rest
        return self._text

    @property
    def rest(self) -> str:
        """What follows the words: the returned copy, when it stands in the same part."""
        if self._text is None:
            self._text, rest = split_returned(self.words)
            self._rest = rest or self._rest
        return self._rest

    @property
    def lower(self) -> str:
        """`text`, lower-cased, equal in length."""
        if self._lower is None:
            self._lower = lower(self.text)
        return self._lower

    def replace_text(self, text: str) -> None:
        """Take another reading of the words (quote marks off) from now on."""
        self._words = self._text = text
        self._lower = None

    def add_rest(self, rest: str) -> None:
        """A returned copy that was found somewhere else."""
        self._rest = self._rest or rest


def text_of(part: Part) -> str:
    """`Part.text`; without its cost for the ASCII text in a plain encoding that nine of ten parts are."""
    block = part.headers.block.lower()
    if not is_encoded(block) and _is_ascii_superset(block):
        raw = part.raw_body
        if raw.isascii():
            return raw.decode("ascii")
    return part.text()


def is_encoded(block: bytes) -> bool:
    """Whether a part's header, lower case, may name a transfer encoding that changes the bytes."""
    at = block.rfind(b"transfer-encoding")  # signatures, which name the field, stand before it
    if at == -1:
        return False
    value = block[at + 17 : at + 40]
    return not (b"7bit" in value or b"8bit" in value)


def _is_ascii_superset(block: bytes) -> bool:
    """Whether ASCII bytes mean ASCII in the charset that a header, lower case, names: ISO-2022-JP is 7-bit, and is not.

    Only the parameter's own value counts: a subject may be an encoded-word in another charset.
    """
    at = block.find(b"charset")
    if at == -1:
        return True
    value = block[at + 7 : at + 24]
    return b"us-ascii" in value or b"utf-8" in value


def _joined(parts: list[Part]) -> str:
    if len(parts) == 1:
        return text_of(parts[0])[:MAX_NOTIFICATION_CHARACTERS]
    texts = []
    left = MAX_NOTIFICATION_CHARACTERS
    for part in parts:
        text = text_of(part)[:left]
        left -= len(text)
        texts.append(text)
        if left <= 0:
            break
    return "\n".join(texts)


def printable(text: str) -> str:
    """`text` without lone surrogates, which some charsets (UTF-7) can decode to and which no file can hold."""
    if text.isascii():
        return text
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode("utf-8")
    return text


def lower(text: str) -> str:
    """`text.lower()` of the same length: indexes into one fit the other (`İ` alone would grow)."""
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else text.replace("İ", "I").lower()


def split_returned(text: str) -> tuple[str, str]:
    """The words, and the returned copy that follows them; ("", "") parts may be empty."""
    lowered = lower(text)
    cut = len(text)
    for piece, separators in _BY_PIECE_ASCII if text.isascii() else _BY_PIECE:
        at = lowered.find(piece, 0, cut)
        while at != -1:
            start = lowered.rfind("\n", 0, at) + 1
            end = lowered.find("\n", at)
            line = lowered[start : end if end != -1 else None]
            # A separator in the first line of a text introduces nothing; it is part of a sentence.
            if any(one in line for one in separators) and lowered[:start].strip():
                cut = start
                break
            at = -1 if end == -1 else lowered.find(piece, end, cut)
    for name in _BARE_NAMES:
        if lowered.find(name, 0, cut) != -1:
            match = _BARE_HEADER.search(text, 0, cut)
            if match is not None and text[: match.start()].strip():
                cut = match.start()
            break
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
    if (text[:1] == ">" or "\n>" in text or "\n >" in text) and len(_QUOTED.findall(text)) * 2 > text.count("\n") // 2:
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
