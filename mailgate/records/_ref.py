r"""Our own reference on a message: the proof that it was ours and, when it comes back redacted, whom it went to.

Two carriers, both signed by a `KeyRing` (each with a purpose of its own, so neither passes for the other):

- the field `X-Mailgate-Ref`, written into the message. Its payload is base64url without padding, so no address stands
  in it for a redactor to find; white space is ignored when it is read, so folding and re-folding do not hurt.
- a return path, `b-<payload>@bounces.example`. Mail systems change the case of local parts and cut long ones, so the
  payload is base32 (RFC 4648 6), which survives lower- and upper-casing, and the local part has at most 64 octets
  (RFC 5321 4.5.3.1.1). That leaves 26 octets for what it says after key id and an 80-bit MAC: a short reference, and
  the recipient when both fit. When they do not, the reference alone is carried and the caller, who knows his own
  sends, names the recipient.

A payload is a list of fields, each one byte of tag and length and the bytes themselves; unknown tags are skipped, so
that later versions can add some. A reference that is a UUID or lower-case hex digits is packed as the bytes it stands
for, so a UUID fits a return path.
"""

from __future__ import annotations

import base64
import binascii
import re
import uuid
from dataclasses import dataclass

from mailgate.records._keys import KeyRing

REF_HEADER = "X-Mailgate-Ref"
MAX_LOCAL_PART_OCTETS = 64
RETURN_PATH_MAC_BYTES = 10  # 80 bits: a forger has one try per mail that he sends
MAX_HEADER_VALUE_CHARACTERS = 4_000

_HEADER_PURPOSE = "ref/header"
_PATH_PURPOSE = "ref/return-path"
_LINE = 72  # characters of payload a line, below the 78 of RFC 5322 2.1.1 with the fold
_BASE64URL = re.compile(r"[A-Za-z0-9_-]+")
_PREFIX = re.compile(r"[a-z0-9]{1,8}")
_DOMAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_REF, _RECIPIENT, _TENANT, _STREAM, _UUID_REF, _HEX_REF = 1, 2, 3, 4, 5, 6
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HEX = re.compile(r"(?:[0-9a-f]{2})+")
_MAX_FIELD = 0x1FFF


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRef:
    """What a reference says.

    ref: the caller's own id of the message or of the send. recipient: the address it was sent to, None when the
    reference is too short to carry it. tenant, stream: whose mail and which kind.
    """

    ref: str
    recipient: str | None = None
    tenant: str = ""
    stream: str | None = None


class RefSigner:
    """Writes and reads signed references; a forged, cut or altered one reads as None."""

    def __init__(self, keys: KeyRing) -> None:
        self.keys = keys

    def header(self, ref: MessageRef) -> tuple[str, str]:
        """The (name, value) of the X-Mailgate-Ref field, ASCII, folded with CRLF and a space where needed.

        Everything in `ref` is carried. Raises ValueError when it is longer than about 2,900 octets.
        """
        sealed = self.keys.seal(_HEADER_PURPOSE, _packed(ref))
        text = base64.urlsafe_b64encode(sealed).rstrip(b"=").decode("ascii")
        if len(text) > MAX_HEADER_VALUE_CHARACTERS:
            raise ValueError(f"a reference of {len(text)} characters does not fit into a header field")
        return REF_HEADER, "\r\n ".join(text[start : start + _LINE] for start in range(0, len(text), _LINE))

    def read_header(self, value: str) -> MessageRef | None:
        """What the field says, None unless its signature is ours.

        value: folded or not, in an encoded-word or not; at most 4,000 characters are looked at.
        """
        if len(value) > 2 * MAX_HEADER_VALUE_CHARACTERS:
            return None
        text = "".join(_without_encoded_words(value).split()).strip("<>\"'").rstrip("=")
        if not _BASE64URL.fullmatch(text) or len(text) > MAX_HEADER_VALUE_CHARACTERS:
            return None
        try:
            sealed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except (binascii.Error, ValueError):
            return None
        payload = self.keys.unseal(_HEADER_PURPOSE, sealed)
        return None if payload is None else _unpacked(payload)

    def return_path(self, ref: MessageRef, *, domain: str, prefix: str = "b") -> str:
        """A signed envelope sender, lower case, local part at most 64 octets.

        It carries reference, tenant, stream and recipient when they fit, else reference, tenant and stream, else the
        reference alone. Raises ValueError when even that does not fit (26 octets with the default prefix, 52 hex
        digits, or a UUID), or when `domain` or `prefix` (1 to 8 lower-case letters and digits) cannot stand in an
        address.
        """
        if not _PREFIX.fullmatch(prefix):
            raise ValueError(f"a prefix is 1 to 8 lower-case letters and digits, not {prefix!r}")
        if not _DOMAIN.fullmatch(domain):
            raise ValueError(f"not a domain: {domain!r}")
        shorter = MessageRef(ref=ref.ref, tenant=ref.tenant, stream=ref.stream)
        for candidate in (ref, shorter, MessageRef(ref=ref.ref)):
            sealed = self.keys.seal(_PATH_PURPOSE, _packed(candidate), mac_bytes=RETURN_PATH_MAC_BYTES)
            local = f"{prefix}-{base64.b32encode(sealed).rstrip(b'=').decode('ascii').lower()}"
            if len(local) <= MAX_LOCAL_PART_OCTETS:
                return f"{local}@{domain.lower()}"
        raise ValueError(f"the reference is too long for a return path: {ref.ref!r}")

    def read_return_path(self, address: str) -> MessageRef | None:
        """What a bounce address says, None unless its signature is ours; in any case, `<>` around it or not."""
        local, at, _ = address.strip().strip("<>").rpartition("@")
        if not at or len(local) > MAX_LOCAL_PART_OCTETS:
            return None
        text = local.strip('"').rpartition("-")[2].upper()
        try:
            sealed = base64.b32decode(text + "=" * (-len(text) % 8))
        except (binascii.Error, ValueError):
            return None
        if base64.b32encode(sealed).rstrip(b"=").decode("ascii") != text:
            return None  # bits after the last byte: not what we wrote
        payload = self.keys.unseal(_PATH_PURPOSE, sealed, mac_bytes=RETURN_PATH_MAC_BYTES)
        return None if payload is None else _unpacked(payload)


def _packed(ref: MessageRef) -> bytes:
    if not ref.ref:
        raise ValueError("a reference is not empty")
    if _UUID.fullmatch(ref.ref):
        packed = _field(_UUID_REF, bytes.fromhex(ref.ref.replace("-", "")))
    elif _HEX.fullmatch(ref.ref):
        packed = _field(_HEX_REF, bytes.fromhex(ref.ref))
    else:
        packed = _field(_REF, ref.ref.encode("utf-8"))
    if ref.recipient is not None:
        packed += _field(_RECIPIENT, ref.recipient.encode("utf-8"))
    if ref.tenant:
        packed += _field(_TENANT, ref.tenant.encode("utf-8"))
    if ref.stream is not None:
        packed += _field(_STREAM, ref.stream.encode("utf-8"))
    return packed


def _field(tag: int, raw: bytes) -> bytes:
    """Tag in the upper 3 bits, length in the lower 5; length 31 and up in two more bytes."""
    if len(raw) > _MAX_FIELD:
        raise ValueError(f"a field of {len(raw)} octets does not fit into a reference")
    if len(raw) < 31:
        return bytes([tag << 5 | len(raw)]) + raw
    return bytes([tag << 5 | 31]) + len(raw).to_bytes(2, "big") + raw


def _unpacked(payload: bytes) -> MessageRef | None:
    fields = _fields(payload)
    if fields is None:
        return None
    try:
        texts = {tag: raw.decode("utf-8") for tag, raw in fields.items() if tag in (_REF, _RECIPIENT, _TENANT, _STREAM)}
    except UnicodeDecodeError:
        return None
    ref = texts.get(_REF)
    if _UUID_REF in fields and len(fields[_UUID_REF]) == 16:
        ref = str(uuid.UUID(bytes=fields[_UUID_REF]))
    elif _HEX_REF in fields:
        ref = fields[_HEX_REF].hex()
    if not ref:
        return None
    return MessageRef(
        ref=ref, recipient=texts.get(_RECIPIENT), tenant=texts.get(_TENANT, ""), stream=texts.get(_STREAM)
    )


def _fields(payload: bytes) -> dict[int, bytes] | None:
    fields: dict[int, bytes] = {}
    at = 0
    while at < len(payload):
        tag, length = payload[at] >> 5, payload[at] & 31
        at += 1
        if length == 31:
            length = int.from_bytes(payload[at : at + 2], "big")
            at += 2
        raw = payload[at : at + length]
        at += length
        if len(raw) != length:
            return None
        fields.setdefault(tag, raw)
    return fields


def _without_encoded_words(value: str) -> str:
    """QUIRK: gateways that re-encode every field put even ASCII into RFC 2047 words; both encodings are undone."""
    if "=?" not in value:
        return value
    return _ENCODED_WORD.sub(_decoded_word, value)


_ENCODED_WORD = re.compile(r"=\?[A-Za-z0-9_-]{1,40}\?([bBqQ])\?([^?\s]{0,4000})\?=")


def _decoded_word(match: re.Match[str]) -> str:
    raw = match[2]
    if match[1] in "bB":
        try:
            return base64.b64decode(raw + "=" * (-len(raw) % 4)).decode("ascii", "replace")
        except (binascii.Error, ValueError):
            return raw
    # An underscore is a space in the Q encoding (RFC 2047 4.2); a letter of ours had to be written as =5F.
    spaced = raw.replace("_", " ")
    return re.sub(r"=([0-9A-Fa-f]{2})", lambda found: chr(int(found[1], 16)), spaced)
