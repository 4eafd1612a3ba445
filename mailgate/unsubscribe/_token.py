"""The token of an unsubscribe link: it says who leaves which list, and only we can write or read it.

Model. The link has to work for years and without a database, so the token carries the recipient itself; and an address
must not stand readable in a URL (proxies, logs, referrers). So the claims are sealed with a synthetic initialisation
vector, the construction of SIV (RFC 5297 2.1) built from the one primitive that the standard library has, HMAC-SHA256:

    siv    = HMAC(K_mac, len(context) + context + claims)[:n]
    sealed = claims XOR (HMAC(K_enc, siv + 0) + HMAC(K_enc, siv + 1) + …)
    token  = key id + siv + sealed

`siv` is the authentication tag and the nonce at once: there is no random number to repeat, the same claims give the
same token, and a changed bit anywhere gives other claims whose tag does not fit. What an onlooker learns is the length
of the claims (padded to 16 bytes) and whether two tokens are equal. K_mac and K_enc are derived from the key ring under
two purposes of their own, so no other token of mailgate is worth anything here, and the reverse.

Two forms. The long one (n = 16, base64url) goes into URLs and subjects. The short one (n = 10, base32, lower case) goes
into the local part of a mailto address, which has 64 octets (RFC 5321 4.5.3.1.1) and may be folded to lower case; when
the address does not fit it is left out and bound in as `context`: the mail then has to come from that very address.

Neither expires: an unsubscribe link of ten years ago is still a wish to leave.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mailgate.records import KeyRing, ParseError, address_key

MAX_TOKEN_CHARACTERS = 4_096
MAX_CLAIM_BYTES = 512

_LONG_MAC_BYTES = 16
_SHORT_MAC_BYTES = 10  # 80 bits, guessed only online, one mail a guess
_PADDING_BYTES = 16
_BLOCK_BYTES = 32

_HAS_STREAM = 0x01
_IS_ID = 0x02
_IS_BOUND = 0x04
_FLAGS = frozenset((0, _HAS_STREAM, _IS_ID, _HAS_STREAM | _IS_ID, _IS_BOUND, _HAS_STREAM | _IS_BOUND))

_BASE64URL = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
_BASE32 = frozenset("abcdefghijklmnopqrstuvwxyz234567")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """Who gets which mail: what an unsubscribe link says.

    recipient: the address as it was mailed. recipient_id: the caller's own opaque id instead, when the address shall
    not even stand sealed in a link; exactly one of the two is given. tenant, stream: whose mail and which kind;
    stream None: the mail of that tenant as a whole. ref: the caller's id of the message or send, when the link shall
    tell which mail made people leave (the link then differs from message to message).
    """

    recipient: str | None = None
    recipient_id: str | None = None
    tenant: str = ""
    stream: str | None = None
    ref: str | None = None

    def __post_init__(self) -> None:
        if (self.recipient is None) == (self.recipient_id is None):
            raise ValueError("a subscription has a recipient or a recipient_id, not both and not neither")
        if self.recipient == "" or self.recipient_id == "" or self.stream == "" or self.ref == "":
            raise ValueError(f"an empty text is not a value here; leave it out: {self!r}")

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values."""
        return {
            "recipient": self.recipient,
            "recipient_id": self.recipient_id,
            "tenant": self.tenant,
            "stream": self.stream,
            "ref": self.ref,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Subscription:
        """Read what `to_dict` wrote."""
        return cls(**{name: data[name] for name in ("recipient", "recipient_id", "tenant", "stream", "ref")})


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsubscribeSigner:
    """Writes and reads the tokens; a forged, cut or altered one reads as None.

    >>> signer = UnsubscribeSigner(keys=KeyRing.of(b"0123456789abcdefghijklmnopqrstuv"))
    >>> token = signer.token(Subscription(recipient="ann@example.net", stream="news"))
    >>> len(token), "ann" in token
    (66, False)
    >>> signer.read(token).recipient
    'ann@example.net'
    >>> signer.read(token[:-1]) is None
    True
    """

    keys: KeyRing

    def token(self, subscription: Subscription) -> str:
        """The long form: 66 to 1,410 characters of the base64url alphabet, no padding.

        Raises ValueError when a value is longer than 255 bytes in UTF-8 or cannot be encoded.
        """
        claims = _claims(subscription)
        claims += bytes(-len(claims) % _PADDING_BYTES)
        sealed = _seal(self.keys, claims, b"", _LONG_MAC_BYTES)
        return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode("ascii")

    def read(self, token: str) -> Subscription | None:
        """What the token says; None unless it is exactly one that we wrote."""
        if not 0 < len(token) <= MAX_TOKEN_CHARACTERS or not _BASE64URL.issuperset(token):
            return None
        try:
            sealed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except (binascii.Error, ValueError):
            return None
        # One token, one text: the unused bits of the last character would give each token three or fifteen more.
        if base64.urlsafe_b64encode(sealed).rstrip(b"=").decode("ascii") != token:
            return None
        claims = _unseal(self.keys, sealed, b"", _LONG_MAC_BYTES)
        return None if claims is None else _read_claims(claims, None)

    def short_token(self, subscription: Subscription, *, max_characters: int) -> str | None:
        """The short form, lower case, at most `max_characters`; None when not even tenant and stream fit.

        Read it with `read_short`. `ref` is left out; a recipient that does not fit is bound and not carried.
        """
        for carried in (True, False):
            claims = _short_claims(subscription, carried)
            if claims is None:
                continue
            context = b"" if carried else _context(subscription.recipient)
            if context is None:
                continue
            sealed = _seal(self.keys, claims, context, _SHORT_MAC_BYTES)
            token = base64.b32encode(sealed).rstrip(b"=").decode("ascii").lower()
            if len(token) <= max_characters:
                return token
        return None

    def read_short(self, token: str, *, sender: str | None) -> Subscription | None:
        """What the short form says, None unless it is ours.

        sender: the address that the mail comes from; used when the token only binds the recipient.
        """
        token = token.lower()
        if not 0 < len(token) <= MAX_TOKEN_CHARACTERS or not _BASE32.issuperset(token):
            return None
        try:
            sealed = base64.b32decode(token.upper() + "=" * (-len(token) % 8))
        except (binascii.Error, ValueError):
            return None
        if base64.b32encode(sealed).rstrip(b"=").decode("ascii").lower() != token:
            return None
        for context, bound in ((b"", None), (_context(sender), sender)):
            claims = None if context is None else _unseal(self.keys, sealed, context, _SHORT_MAC_BYTES)
            if claims is not None:
                return _read_claims(claims, bound)
        return None


def _claims(subscription: Subscription) -> bytes:
    flags = (_HAS_STREAM if subscription.stream is not None else 0) | (
        _IS_ID if subscription.recipient_id is not None else 0
    )
    who = subscription.recipient if subscription.recipient is not None else subscription.recipient_id
    values = (subscription.tenant, subscription.stream or "", subscription.ref or "", who or "")
    return bytes([flags]) + b"".join(map(_field, values))


def _short_claims(subscription: Subscription, carried: bool) -> bytes | None:
    """Without ref and padding; with the recipient, or (for an address only) without."""
    if carried:
        plain = Subscription(
            recipient=subscription.recipient,
            recipient_id=subscription.recipient_id,
            tenant=subscription.tenant,
            stream=subscription.stream,
        )
        return _claims(plain)
    if subscription.recipient is None:
        return None
    flags = _IS_BOUND | (_HAS_STREAM if subscription.stream is not None else 0)
    return bytes([flags]) + _field(subscription.tenant) + _field(subscription.stream or "")


def _field(text: str) -> bytes:
    raw = text.encode("utf-8")
    if len(raw) > 255:
        raise ValueError(f"longer than 255 bytes: {text[:80]!r}…")
    return bytes([len(raw)]) + raw


def _read_claims(claims: bytes, bound: str | None) -> Subscription | None:
    """The claims behind a good seal. They are ours, so a fault here means another version of mailgate wrote them."""
    if not claims or claims[0] not in _FLAGS or (bound is None) is bool(claims[0] & _IS_BOUND):
        return None
    fields: list[str] = []
    at = 1
    for _ in range(2 if claims[0] & _IS_BOUND else 4):
        end = at + 1 + claims[at] if at < len(claims) else len(claims) + 1
        if end > len(claims):
            return None
        try:
            fields.append(claims[at + 1 : end].decode("utf-8"))
        except UnicodeDecodeError:
            return None
        at = end
    if claims[at:].strip(b"\0") or len(claims) - at >= _PADDING_BYTES:
        return None
    return _subscription(claims[0], fields, bound)


def _subscription(flags: int, fields: list[str], bound: str | None) -> Subscription | None:
    who = bound if bound is not None else fields[3]
    try:
        return Subscription(
            recipient=None if flags & _IS_ID else who,
            recipient_id=who if flags & _IS_ID else None,
            tenant=fields[0],
            stream=fields[1] if flags & _HAS_STREAM else None,
            ref=(fields[2] or None) if bound is None else None,
        )
    except ValueError:
        return None


def _context(address: str | None) -> bytes | None:
    """The comparison form of an address, so that `Ann@Example.NET` may answer for `ann@example.net`."""
    try:
        return None if address is None else address_key(address).encode("utf-8")
    except (ParseError, UnicodeEncodeError):
        return None


def _seal(keys: KeyRing, claims: bytes, context: bytes, mac_bytes: int) -> bytes:
    key_id = keys.signing_key_id
    mac_key, stream_key = _keys(keys, key_id)
    siv = _siv(mac_key, claims, context, mac_bytes)
    return bytes([key_id]) + siv + _xor(stream_key, siv, claims)


def _unseal(keys: KeyRing, sealed: bytes, context: bytes, mac_bytes: int) -> bytes | None:
    if not 1 + mac_bytes < len(sealed) <= 1 + mac_bytes + 4 * MAX_CLAIM_BYTES or sealed[0] not in keys.secrets:
        return None
    mac_key, stream_key = _keys(keys, sealed[0])
    siv = sealed[1 : 1 + mac_bytes]
    claims = _xor(stream_key, siv, sealed[1 + mac_bytes :])
    # The tag is compared before anything is read out of the claims.
    return claims if hmac.compare_digest(_siv(mac_key, claims, context, mac_bytes), siv) else None


def _keys(keys: KeyRing, key_id: int) -> tuple[bytes, bytes]:
    mac_key = keys.derived_key(key_id, "unsubscribe/v1/mac")
    stream_key = keys.derived_key(key_id, "unsubscribe/v1/stream")
    assert mac_key is not None and stream_key is not None  # noqa: S101, PT018 - callers looked the key id up
    return mac_key, stream_key


def _siv(key: bytes, claims: bytes, context: bytes, mac_bytes: int) -> bytes:
    # The length of the tag is in, so that the short form is never the long one cut off.
    head = bytes([mac_bytes]) + len(context).to_bytes(4, "big") + context
    return hmac.digest(key, head + claims, hashlib.sha256)[:mac_bytes]


def _xor(key: bytes, siv: bytes, data: bytes) -> bytes:
    blocks = -(-len(data) // _BLOCK_BYTES)
    stream = b"".join(hmac.digest(key, siv + bytes([index]), hashlib.sha256) for index in range(blocks))
    return (int.from_bytes(data, "big") ^ int.from_bytes(stream[: len(data)], "big")).to_bytes(len(data), "big")
