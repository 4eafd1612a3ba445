"""Tokens: what a tracked link says, sealed so that only we can write it and only for one use.

    token = base64url( key id (1) | mac (16) | head (1) | issued (4) | fields | destination )      without padding
    mac   = HMAC-SHA256(K[key id, purpose], everything after mac | base id)[:16]

The MAC stands first, so it is checked before a byte of the rest is looked at. `head` holds the purpose in its two low
bits and then one bit for each thing that is there: stream, tenant, link position, trap, compressed destination; its
top bit is the version. A field is a varint length and UTF-8; what is not there costs nothing. The destination is last
and needs no length. The base id (16 bytes of SHA-256 over host and path of the base URL) is authenticated and not
sent: a token is worth nothing under another tracking host. The scheme is not in it, so that moving from http to https
keeps links in sent mail alive.

Purposes never share a key, so a token for a pixel verifies nowhere else. One token has one spelling: the alphabet is
strict, padding is refused, unused bits of the last character must be zero.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
import zlib
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from mailgate.engagement._errors import InvalidToken, UnsafeURL
from mailgate.engagement._url import check_url, is_plain
from mailgate.records import KeyRing, address_key

if TYPE_CHECKING:
    from hashlib import _Hash

MAX_TOKEN_CHARACTERS = 4_096  # longer path segments are cut by proxies; nothing longer is decoded
MIN_TOKEN_CHARACTERS = 32  # 24 bytes: key id, mac, head, issued and two empty fields
COMPRESS_ABOVE_BYTES = 300  # the median link of real mail has 67 bytes, 95 % have at most 353
MAX_URL_BYTES = 16_384  # after decompression
MAX_ID_BYTES = 1_000

_MAC_END = 17
_FIELDS_AT = 22
_MAC_BYTES = 16

_HAS_STREAM = 0x04
_HAS_TENANT = 0x08
_HAS_LINK = 0x10
_IS_TRAP = 0x20
_IS_COMPRESSED = 0x40
_OTHER_VERSION = 0x80

_TO_URL = bytes.maketrans(b"+/", b"-_")
# `!` is in no base64 alphabet: what must not occur becomes it, and the strict decoder refuses it.
_FROM_URL = bytes.maketrans(b"-_+/=", b"+/!!!")
_PADDING = (b"", b"!", b"==", b"=")
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_LAST_CHARACTERS = (_ALPHABET, "", _ALPHABET[::16], _ALPHABET[::4])
_SMALL = tuple(bytes((n,)) for n in range(128))
_BASE = re.compile(r"(https?)://([A-Za-z0-9.\-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?((?:/[A-Za-z0-9._~-]+)*)/?")


class Purpose(StrEnum):
    """What a token is for. Each has a key of its own."""

    OPEN = "open"
    CLICK = "click"
    UNSUBSCRIBE = "unsubscribe"

    @property
    def path(self) -> str:
        """The path segment under the base URL."""
        return self.value[0]


_CODES: dict[str, int] = {Purpose.OPEN: 1, Purpose.CLICK: 2, Purpose.UNSUBSCRIBE: 3}


class Claims(NamedTuple):
    """What a valid token says.

    A named tuple and not a dataclass: one is made for every request, and this takes a tenth of the time.

    message_id, recipient_id, stream, tenant: the caller's opaque ids, `""` when not given.
    url: the destination exactly as signed, `""` for a pixel. link_index: which distinct link of the message, from 0;
    link_count: how many there are; None when not given. trap: True for the hidden link that only machines follow.
    issued: seconds since the epoch. key_id: of the key that signed. tid: 16 hexadecimal digits, the same for the same
    token, and of no use for making one.
    """

    purpose: Purpose
    message_id: str
    recipient_id: str
    stream: str
    tenant: str
    url: str
    link_index: int | None
    link_count: int | None
    trap: bool
    issued: int
    key_id: int
    tid: str

    @property
    def issued_at(self) -> datetime:
        """`issued` as an instant."""
        return datetime.fromtimestamp(self.issued, UTC)

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values."""
        return {**self._asdict(), "purpose": str(self.purpose)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Claims:
        """Read what `to_dict` wrote."""
        return cls(**{**data, "purpose": Purpose(data["purpose"])})


class LinkSigner:
    """Signs and verifies tracked links under one base URL; holds no state and is safe to share between threads.

    keys: the key ring; its signing key signs, all its keys verify.
    base_url: where the tracking app is reached, `https://t.example.com/` or with a path (`https://example.com/t/`);
    ASCII, path of unreserved characters only (ValueError otherwise).
    former_base_urls: bases that verify and no longer sign, for links in mail sent before a move.
    clock: seconds since the epoch.

    >>> signer = LinkSigner(KeyRing.of(b"0123456789abcdefghijklmnopqrstuv"), "https://t.example/")
    >>> token = signer.sign("click", "https://shop.example/?a=1&b=2", message_id="m1", recipient_id="r1", issued=0)
    >>> signer.verify("click", token).url
    'https://shop.example/?a=1&b=2'
    >>> signer.verify("open", token)
    Traceback (most recent call last):
    mailgate.engagement._errors.InvalidToken: not a valid token
    """

    def __init__(
        self,
        keys: KeyRing,
        base_url: str,
        *,
        former_base_urls: Iterable[str] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.keys = keys
        self.base_url, base_id = _read_base(base_url)
        self.clock = clock
        self._base_id = base_id
        self._former_base_ids = tuple(_read_base(url)[1] for url in former_base_urls)
        self._states: dict[str, dict[int, tuple[_Hash, _Hash]]] = {
            purpose: {key_id: _states(keys, key_id, purpose) for key_id in keys.secrets} for purpose in Purpose
        }
        self._signing: dict[str, tuple[_Hash, _Hash]] = {
            purpose: states[keys.signing_key_id] for purpose, states in self._states.items()
        }
        self._signing_id = bytes((keys.signing_key_id,))

    def __reduce__(self) -> tuple[Any, ...]:
        # Worker processes get the settings; hash states do not pickle.
        return (_rebuild, (self.keys, self.base_url, self._former_base_ids, self.clock))

    def sign(
        self,
        purpose: Purpose | str,
        url: str = "",
        *,
        message_id: str = "",
        recipient_id: str = "",
        stream: str = "",
        tenant: str = "",
        link_index: int | None = None,
        link_count: int | None = None,
        trap: bool = False,
        issued: float | None = None,
        as_written: bool = False,
    ) -> str:
        """The token, at most 4,096 characters of the base64url alphabet.

        url: the destination of a click, absolute http or https; nothing else is signed (UnsafeURL).
        as_written: sign spaces, quotes, angle brackets, backslashes and a missing host too; see `check_url`.
        message_id, recipient_id, stream, tenant: ids without control characters (ValueError). A token can be read by
        everybody, so it never carries an address: a recipient_id with an `@` is refused; `recipient_id_of` makes an id.
        issued: seconds since the epoch, now when None.
        """
        if purpose == "click":
            if is_plain(url) is None:
                check_url(url, as_written=as_written)
        elif url:
            raise ValueError(f"only a click has a destination: {purpose!r}, {url!r}")
        head, fields = _pack(message_id, recipient_id, stream, tenant)
        if link_index is not None:
            head |= _HAS_LINK
            fields += _varint(link_index) + _varint(link_count or 0)
        if trap:
            head |= _IS_TRAP
        seconds = int(self.clock() if issued is None else issued)
        return self._seal(self._signing[purpose], _CODES[purpose] | head, seconds.to_bytes(4, "big") + fields, url)

    def verify(self, purpose: Purpose | str, token: str) -> Claims:
        """What the token says. Raises InvalidToken, and nothing else, for every text that is not exactly such a token.

        The time it takes does not depend on how the token is wrong, and only up to 4,096 characters on its length.
        """
        raw, tid = self._open_token(purpose, token)
        return _read(raw, purpose, tid)

    def _open_token(self, purpose: Purpose | str, token: str) -> tuple[bytes, str]:
        """(the bytes of a token whose MAC is right, its tid)."""
        states = self._states[purpose]
        length = len(token)
        if not MIN_TOKEN_CHARACTERS <= length <= MAX_TOKEN_CHARACTERS:
            raise InvalidToken
        if token[-1] not in _LAST_CHARACTERS[length & 3]:
            raise InvalidToken
        try:
            raw = a2b_base64(token.encode("ascii").translate(_FROM_URL) + _PADDING[length & 3], strict_mode=True)
        except ValueError:  # binascii.Error and UnicodeEncodeError
            raise InvalidToken from None
        key_id = raw[0]
        # A key id that is not ours is checked against a key that is, and refused afterwards like any other fault.
        inner, outer = states.get(key_id) or self._signing[purpose]
        digest = outer.copy()
        content = inner.copy()
        content.update(raw[_MAC_END:] + self._base_id)
        digest.update(content.digest())
        mac = digest.digest()
        if not hmac.compare_digest(mac[:_MAC_BYTES], raw[1:_MAC_END]):
            mac = self._former_mac(inner, outer, raw)
        if key_id not in states:
            raise InvalidToken
        return raw, mac[_MAC_BYTES:24].hex()

    def click_url(self, url: str, **fields: Any) -> str:
        """The tracked link that leads to `url`; fields as in `sign`."""
        return f"{self.base_url}c/{self.sign(Purpose.CLICK, url, **fields)}"

    def open_url(self, **fields: Any) -> str:
        """The address of the pixel; fields as in `sign`."""
        return f"{self.base_url}o/{self.sign(Purpose.OPEN, **fields)}.gif"

    def unsubscribe_url(self, **fields: Any) -> str:
        """An unsubscribe link with a token of ours, for a caller who handles it; fields as in `sign`."""
        return f"{self.base_url}u/{self.sign(Purpose.UNSUBSCRIBE, **fields)}"

    def for_message(
        self,
        *,
        message_id: str = "",
        recipient_id: str = "",
        stream: str = "",
        tenant: str = "",
        issued: float | None = None,
    ) -> MessageLinks:
        """The links of one message to one recipient; what they share is packed once. Fields as in `sign`."""
        head, fields = _pack(message_id, recipient_id, stream, tenant)
        seconds = int(self.clock() if issued is None else issued)
        return MessageLinks(self, head, seconds.to_bytes(4, "big") + fields)

    def recipient_id_of(self, address: str) -> str:
        """An opaque id for an address: 16 characters, the same for the same address under the same signing secret.

        A keyed digest, so nobody without the secret can test a guess. It changes when the signing key changes.
        Raises ParseError when `address` is none.
        """
        mac = self.keys.mac(self.keys.signing_key_id, "engagement/recipient", address_key(address).encode())
        assert mac is not None  # noqa: S101 - the ring made sure of its signing key
        return _encode(mac[:12])

    def token_of(self, url: str) -> tuple[Purpose, str] | None:
        """(purpose, token) of a link under the base URL, None for every other URL; nothing is verified."""
        if not url.startswith(self.base_url):
            return None
        segment, slash, token = url[len(self.base_url) :].partition("/")
        if not slash or segment not in _PURPOSES:
            return None
        return _PURPOSES[segment], re.split("[?#]", token, maxsplit=1)[0].rstrip("/").removesuffix(".gif")

    def _seal(self, states: tuple[_Hash, _Hash], head: int, body: bytes, url: str) -> str:
        destination = url.encode()
        if len(destination) > COMPRESS_ABOVE_BYTES:
            head, destination = _compress(head, destination, url)
        payload = _SMALL[head] + body + destination
        content = states[0].copy()
        content.update(payload + self._base_id)
        digest = states[1].copy()
        digest.update(content.digest())
        raw = self._signing_id + digest.digest()[:_MAC_BYTES] + payload
        token = b2a_base64(raw, newline=False).translate(_TO_URL).rstrip(b"=").decode("ascii")
        if len(token) > MAX_TOKEN_CHARACTERS:
            raise UnsafeURL("too_long", url)
        return token

    def _former_mac(self, inner: _Hash, outer: _Hash, raw: bytes) -> bytes:
        found = None
        for base_id in self._former_base_ids:
            content, digest = inner.copy(), outer.copy()
            content.update(raw[_MAC_END:] + base_id)
            digest.update(content.digest())
            mac = digest.digest()
            if hmac.compare_digest(mac[:_MAC_BYTES], raw[1:_MAC_END]):
                found = mac
        if found is None:
            raise InvalidToken
        return found


class MessageLinks:
    """Signs the links of one message; made by `LinkSigner.for_message`."""

    __slots__ = ("_body", "_head", "_signer")

    def __init__(self, signer: LinkSigner, head: int, body: bytes) -> None:
        self._signer = signer
        self._head = head
        self._body = body

    @property
    def base_url(self) -> str:
        """The base URL of the links."""
        return self._signer.base_url

    def click(
        self,
        url: str,
        *,
        link_index: int | None = None,
        link_count: int | None = None,
        trap: bool = False,
        as_written: bool = False,
    ) -> str:
        """The tracked link that leads to `url`; arguments as in `LinkSigner.sign`."""
        if is_plain(url) is None:
            check_url(url, as_written=as_written)
        signer, head, body = self._signer, self._head | 2, self._body
        if link_index is not None:
            head |= _HAS_LINK
            body += _varint(link_index) + _varint(link_count or 0)
        if trap:
            head |= _IS_TRAP
        return f"{signer.base_url}c/{signer._seal(signer._signing['click'], head, body, url)}"

    def open(self) -> str:
        """The address of the pixel."""
        signer = self._signer
        return f"{signer.base_url}o/{signer._seal(signer._signing['open'], self._head | 1, self._body, '')}.gif"

    def is_own_pixel(self, token: str) -> bool:
        """True for a pixel token (with or without `.gif`) of this message to this recipient, whenever it was issued."""
        try:
            raw = self._signer._open_token(Purpose.OPEN, token.removesuffix(".gif"))[0]
        except InvalidToken:
            return False
        return raw[_FIELDS_AT:] == self._body[4:] and raw[_MAC_END] == self._head | 1

    def unsubscribe(self) -> str:
        """An unsubscribe link with a token of ours."""
        signer = self._signer
        token = signer._seal(signer._signing["unsubscribe"], self._head | 3, self._body, "")
        return f"{signer.base_url}u/{token}"


_PURPOSES = {purpose.path: purpose for purpose in Purpose}


def _states(keys: KeyRing, key_id: int, purpose: Purpose) -> tuple[_Hash, _Hash]:
    states = keys.hmac_states(key_id, f"engagement/{purpose}")
    assert states is not None  # noqa: S101 - callers pass the ring's own ids
    return states


def _rebuild(keys: KeyRing, base_url: str, former: tuple[bytes, ...], clock: Callable[[], float]) -> LinkSigner:
    signer = LinkSigner(keys, base_url, clock=clock)
    signer._former_base_ids = former
    return signer


def _read_base(url: str) -> tuple[str, bytes]:
    """(the base URL with one trailing slash, its id)."""
    match = _BASE.fullmatch(url)
    if match is None or match[0].endswith("//"):
        raise ValueError(f"not a base URL like https://t.example.com/ or https://example.com/t/: {url!r}")
    scheme, host, port, path = match[1], match[2].lower(), match[3] or "", match[4]
    if port == {"http": ":80", "https": ":443"}[scheme]:
        port = ""
    place = f"{host}{port}{path}/"
    return f"{scheme}://{place}", hashlib.sha256(b"mailgate/base/" + place.encode()).digest()[:16]


def _pack(message_id: str, recipient_id: str, stream: str, tenant: str) -> tuple[int, bytes]:
    """(bits of `head`, the fields)."""
    together = message_id + recipient_id + stream + tenant
    if not together.isprintable() or "@" in recipient_id:
        _refuse_ids(message_id=message_id, recipient_id=recipient_id, stream=stream, tenant=tenant)
    if len(together) < 128 and together.isascii():
        # Every length is one byte of ASCII itself, so that all is encoded at once.
        fields = f"{chr(len(message_id))}{message_id}{chr(len(recipient_id))}{recipient_id}"
        head = 0
        if stream:
            head = _HAS_STREAM
            fields += f"{chr(len(stream))}{stream}"
        if tenant:
            head |= _HAS_TENANT
            fields += f"{chr(len(tenant))}{tenant}"
        return head, fields.encode()
    packed = _field(message_id) + _field(recipient_id)
    head = 0
    if stream:
        head |= _HAS_STREAM
        packed += _field(stream)
    if tenant:
        head |= _HAS_TENANT
        packed += _field(tenant)
    return head, packed


def _refuse_ids(**ids: str) -> NoReturn:
    for name, value in ids.items():
        if not value.isprintable():
            raise ValueError(f"{name} holds a character that is not printable: {value[:100]!r}")
    raise ValueError(
        f"recipient_id={ids['recipient_id'][:100]!r} looks like an address, and a link can be read by everybody;"
        " pass an opaque id (LinkSigner.recipient_id_of makes one)"
    )


def _field(text: str) -> bytes:
    raw = text.encode()
    if len(raw) > MAX_ID_BYTES:
        raise ValueError(f"an id has at most {MAX_ID_BYTES} bytes: {text[:100]!r}…")
    return _varint(len(raw)) + raw


def _varint(number: int) -> bytes:
    """Seven bits a byte, low bits first, the top bit on all but the last."""
    if 0 <= number < 128:
        return _SMALL[number]
    if not 0 <= number < 1 << 28:
        raise ValueError(f"a count from 0 to {(1 << 28) - 1}, not {number!r}")
    return bytes((number & 127 | 128,)) + _varint(number >> 7)


def _encode(raw: bytes) -> str:
    return b2a_base64(raw, newline=False).translate(_TO_URL).rstrip(b"=").decode("ascii")


def _compress(head: int, destination: bytes, url: str) -> tuple[int, bytes]:
    if len(destination) > MAX_URL_BYTES:
        raise UnsafeURL("too_long", url)
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    shorter = deflate.compress(destination) + deflate.flush()
    if len(shorter) >= len(destination):
        return head, destination
    return head | _IS_COMPRESSED, shorter


def _read(raw: bytes, purpose: Purpose | str, tid: str) -> Claims:
    """The claims behind a good MAC. They are ours, so a fault here means that another version wrote them."""
    try:
        head = raw[_MAC_END]
        at = _FIELDS_AT + 1
        end = at + raw[_FIELDS_AT]
        if raw[_FIELDS_AT] > 127:
            at, end = _span(raw, _FIELDS_AT)
        message_id = raw[at:end].decode()
        at = end + 1
        size = raw[end]
        if size > 127:
            at, end = _span(raw, end)
        else:
            end = at + size
        recipient_id = raw[at:end].decode()
        stream = tenant = ""
        index = count = None
        trap = False
        if head > 3:
            if head & _HAS_STREAM:
                at, end = _span(raw, end)
                stream = raw[at:end].decode()
            if head & _HAS_TENANT:
                at, end = _span(raw, end)
                tenant = raw[at:end].decode()
            if head & _HAS_LINK:
                index, end = _number(raw, end)
                count, end = _number(raw, end)
            trap = head & _IS_TRAP != 0
        url = _decompress(raw[end:]) if head & _IS_COMPRESSED else raw[end:].decode()
    except (IndexError, ValueError, zlib.error):
        raise InvalidToken from None
    known = _CODES[purpose]
    if head & 3 != known or head & _OTHER_VERSION or end > len(raw):
        raise InvalidToken
    return tuple.__new__(
        Claims,
        (
            _MEMBERS[known],
            message_id,
            recipient_id,
            stream,
            tenant,
            url,
            index,
            count or None,
            trap,
            int.from_bytes(raw[18:22], "big"),
            raw[0],
            tid,
        ),
    )


_MEMBERS = (None, Purpose.OPEN, Purpose.CLICK, Purpose.UNSUBSCRIBE)


def _span(raw: bytes, at: int) -> tuple[int, int]:
    """(start, end) of the field whose length stands at `at`."""
    length, at = _number(raw, at)
    if at + length > len(raw):
        raise ValueError("a field that is cut")
    return at, at + length


def _number(raw: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while raw[at] > 127 and shift < 21:
        number |= (raw[at] & 127) << shift
        shift += 7
        at += 1
    return number | raw[at] << shift, at + 1


def _decompress(data: bytes) -> str:
    inflate = zlib.decompressobj(-15)
    return inflate.decompress(data, MAX_URL_BYTES).decode()
