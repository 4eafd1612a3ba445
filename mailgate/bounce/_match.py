"""Is a report about a message of ours? The proofs, from the surest to the weakest.

Anybody can send a report about anything. What only a receiver of our message can know proves that it was ours: our
signed return path, our signed reference in the returned header, a Message-ID that our log knows. The classic VERP
address (`bounces+user=domain@host`) is not signed; it proves only that the sender of the report knew the form, and
counts as a proof because most senders have nothing better; set no `verp_domains` to do without.

`matched` names what was found:

    return_path   our signed return path, in an address field of the report or in the returned Return-Path
    ref           our X-Mailgate-Ref in the returned header
    batv          a BATV tag (draft-levine-smtp-batv) made with one of our keys
    message_id    the caller's log knows the Message-ID of the returned message
    envelope_id   the caller's log knows the Original-Envelope-Id (RFC 3461 4.4)
    feedback_id   the caller knows the Feedback-ID of the returned header
    verp          a classic VERP address at one of our domains
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from mailgate.records import REF_HEADER, Headers, MessageRef, RefSigner

MAX_LOCAL_PART_OCTETS = 64

# Where the address stands to which the report was delivered. `To` is rewritten by some and kept by most.
_ADDRESS_FIELDS = (
    "to", "delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-delivered-to", "x-original-recipient",
    "apparently-to", "x-rcpt-to", "resent-to",
)  # fmt: skip
_MAX_ADDRESSES = 50
_ADDRESS = re.compile(r"(?<![\w.+=!#$%&'*/?^`{|}~-])[\w.+=!#$%&'*/?^`{|}~-]+@[\w.-]+")
_PRVS = re.compile(r"prvs=(?:([0-9]{4}[0-9a-f]{6})=(.+)|([^/=]+)/([0-9]{4}[0-9a-f]{6}))", re.IGNORECASE | re.DOTALL)
_BTV1 = re.compile(r"btv1==[^=]+==(.+)", re.IGNORECASE | re.DOTALL)
_SRS0 = re.compile(r"srs0[=+-]([^=]+)=([^=]+)=([^=]+)=(.+)", re.IGNORECASE | re.DOTALL)
_SRS1 = re.compile(r"srs1[=+-][^=]+=[^=]+=[=+-]([^=]+)=([^=]+)=([^=]+)=(.+)", re.IGNORECASE | re.DOTALL)
_ESCAPED = re.compile(r"%([0-9A-Fa-f]{2})")
# What an unquoted local part may hold (RFC 5321 4.1.2 Atom), less our escape character.
_VERP_SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_+=!#$&'*/?^`{|}~")

Known = Callable[[str], "MessageRef | bool | None"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchSettings:
    """What is ours.

    ref_signer: writes and reads our references. recipient_of: names the recipient of a reference that had no room for
    it; None when it does not know. verp_domains: our domains for classic VERP addresses, sub-domains included; () takes
    none for a proof. verp_prefixes: what stands before the recipient in them, `bounces+`, `news-return-`; () takes
    everything up to the first `+`. batv_keys: key number (0 to 9) to key. known_message_id, known_envelope_id,
    known_feedback_id: asked with the text without angle brackets; True or a `MessageRef` when it is ours.

    The callables must pickle when reports are read in several processes.
    """

    ref_signer: RefSigner | None = None
    recipient_of: Callable[[str], str | None] | None = None
    verp_domains: tuple[str, ...] = ()
    verp_prefixes: tuple[str, ...] = ()
    batv_keys: Mapping[int, bytes] = field(default_factory=dict, repr=False)
    known_message_id: Known | None = None
    known_envelope_id: Known | None = None
    known_feedback_id: Known | None = None


NO_MATCH_SETTINGS = MatchSettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What shows that a report is about a message of ours.

    matched: the name of the surest proof, None when there is none. ref: our reference when one was read, with its
    recipient when it is known. verp_recipient: the recipient that a classic VERP address names. evidence: the field
    and the value.
    """

    matched: str | None = None
    ref: MessageRef | None = None
    verp_recipient: str | None = None
    evidence: str = ""

    @property
    def recipient(self) -> str | None:
        """Whom the proof names; None when it names nobody."""
        named = None if self.ref is None else self.ref.recipient
        return named or self.verp_recipient


NO_PROOF = Proof()


def find_proof(
    headers: Headers,
    *,
    returned: Headers | None = None,
    message_id: str | None = None,
    envelope_id: str | None = None,
    settings: MatchSettings = NO_MATCH_SETTINGS,
) -> Proof:
    """The surest proof that a report with these header fields is about a message of ours.

    headers: of the report. returned: of the returned message, None when it has none. message_id, envelope_id: what the
    report says the message had, with or without angle brackets.
    """
    if settings == NO_MATCH_SETTINGS:
        return NO_PROOF
    addresses = list(_addresses(headers, returned))
    verp = next((found for found in (_verp_proof(name, a, settings) for name, a in addresses) if found), None)
    for proof in _proofs(addresses, returned, message_id, envelope_id, settings):
        named = proof if verp is None else replace(proof, verp_recipient=verp.verp_recipient)
        return _with_recipient(named, settings)
    return verp or NO_PROOF


def _proofs(
    addresses: list[tuple[str, str]],
    returned: Headers | None,
    message_id: str | None,
    envelope_id: str | None,
    settings: MatchSettings,
) -> Iterable[Proof]:
    signer = settings.ref_signer
    if signer is not None:
        for name, address in addresses:
            ref = signer.read_return_path(unwrap(address))
            if ref is not None:
                yield Proof(matched="return_path", ref=ref, evidence=f"{name}: {address}")
        for value in [] if returned is None else returned.get_all(REF_HEADER):
            ref = signer.read_header(value)
            if ref is not None:
                yield Proof(matched="ref", ref=ref, evidence=f"{REF_HEADER}: {value[:80]}")
    for name, address in addresses:
        if batv_is_ours(address, settings.batv_keys):
            yield Proof(matched="batv", evidence=f"{name}: {address}")
    feedback_id = None if returned is None else returned.get("feedback-id")
    for matched, known, said in (
        ("message_id", settings.known_message_id, message_id),
        ("envelope_id", settings.known_envelope_id, envelope_id),
        ("feedback_id", settings.known_feedback_id, feedback_id),
    ):
        answer = known(said.strip().strip("<>")) if known is not None and said else None
        if answer:
            yield Proof(
                matched=matched,
                ref=answer if isinstance(answer, MessageRef) else None,
                evidence=f"{matched}: {said}"[:300],
            )


def _with_recipient(proof: Proof, settings: MatchSettings) -> Proof:
    if proof.ref is None or proof.ref.recipient is not None or settings.recipient_of is None:
        return proof
    return replace(proof, ref=replace(proof.ref, recipient=settings.recipient_of(proof.ref.ref)))


def _verp_proof(name: str, address: str, settings: MatchSettings) -> Proof | None:
    if not settings.verp_domains:
        return None
    recipient = verp_decode(unwrap(address), domains=settings.verp_domains, prefixes=settings.verp_prefixes)
    if recipient is None:
        return None
    return Proof(matched="verp", verp_recipient=recipient, evidence=f"{name}: {address}")


def _addresses(headers: Headers, returned: Headers | None) -> Iterable[tuple[str, str]]:
    """(field name, address) of everything that may be our return path, at most 50."""
    count = 0
    for source, names in ((headers, _ADDRESS_FIELDS), (returned, ("return-path", "x-envelope-from", "sender"))):
        for name in names if source is not None else ():
            for value in source.get_all(name) if source is not None else ():
                for match in _ADDRESS.finditer(value[:10_000]):
                    count += 1
                    if count > _MAX_ADDRESSES:
                        return
                    yield name, match[0]


def verp_encode(recipient: str, *, bounce: str, delimiter: str = "+") -> str:
    """The classic VERP address: `bounces+user=domain@host` for `user@domain`.

    bounce: the plain bounce address, `bounces@host`. Everything that cannot stand in an unquoted local part is written
    as `%` and two hex digits of its UTF-8 (and `%` itself too). Raises ValueError when an address has no `@` or the
    local part gets longer than 64 octets (RFC 5321 4.5.3.1.1); use `RefSigner.return_path` for those.

    >>> verp_encode("user+tag@example.com", bounce="bounces@news.example")
    'bounces+user+tag=example.com@news.example'
    """
    local, at, domain = recipient.rpartition("@")
    prefix, bounce_at, host = bounce.rpartition("@")
    if not (at and bounce_at and local and domain and prefix and host):
        raise ValueError(f"not an address: {recipient!r} or {bounce!r}")
    if delimiter in prefix:
        raise ValueError(f"the bounce address must not hold the delimiter {delimiter!r}: {bounce!r}")
    encoded = f"{prefix}{delimiter}{_escaped(local)}={_escaped(domain)}"
    if len(encoded) > MAX_LOCAL_PART_OCTETS:
        raise ValueError(f"a VERP address of {len(encoded)} octets does not fit a local part of 64: {recipient!r}")
    return f"{encoded}@{host}"


def verp_decode(address: str, *, domains: tuple[str, ...] = (), prefixes: tuple[str, ...] = ()) -> str | None:
    """The recipient in a classic VERP address; None when it is none.

    domains: take only addresses at these domains and below them; () takes any. prefixes: what must stand before the
    recipient, compared without case; () takes everything up to the first `+`. The last `=` is the `@`.

    >>> verp_decode("bounces+user+tag=example.com@news.example")
    'user+tag@example.com'
    """
    local, at, host = address.strip().strip("<>").rpartition("@")
    if not at or not _is_ours(host.lower().rstrip("."), domains):
        return None
    rest = _after_prefix(local, prefixes)
    user, sign, domain = (rest or "").rpartition("=")
    if not sign or not user or "." not in domain.strip("."):
        return None
    try:
        return f"{_unescaped(user)}@{_unescaped(domain)}"
    except UnicodeDecodeError:
        return None


def _after_prefix(local: str, prefixes: tuple[str, ...]) -> str | None:
    if not prefixes:
        return local.partition("+")[2] or None
    lower = local.lower()
    return next((local[len(prefix) :] for prefix in prefixes if lower.startswith(prefix.lower())), None)


def _is_ours(host: str, domains: tuple[str, ...]) -> bool:
    return not domains or any(host == domain.lower() or host.endswith(f".{domain.lower()}") for domain in domains)


def _escaped(text: str) -> str:
    return "".join(
        character if character in _VERP_SAFE else "".join(f"%{octet:02X}" for octet in character.encode("utf-8"))
        for character in text
    )


def _unescaped(text: str) -> str:
    if "%" not in text:
        return text
    raw = text.encode("utf-8", "surrogatepass")
    return re.sub(rb"%([0-9A-Fa-f]{2})", lambda match: bytes([int(match[1], 16)]), raw).decode("utf-8")


def unwrap(address: str) -> str:
    """The address inside a BATV (`prvs=`, `btv1==`) or SRS (`SRS0=`, `SRS1=`) address; others as they are.

    Nothing is verified: the hashes are somebody else's. At most four wrappings are taken off.

    >>> unwrap("SRS1=HHH=mid.example==GGG=TT=example.com=user@fwd.example")
    'user@example.com'
    """
    for _ in range(4):
        local, at, domain = address.strip().strip("<>").rpartition("@")
        inner = _unwrapped(local, domain) if at else None
        if inner is None:
            return address
        address = inner
    return address


def _unwrapped(local: str, domain: str) -> str | None:
    prvs = _PRVS.fullmatch(local)
    if prvs is not None:
        return f"{prvs[2] or prvs[3]}@{domain}"
    btv1 = _BTV1.fullmatch(local)
    if btv1 is not None:
        return f"{btv1[1]}@{domain}"
    srs = _SRS1.fullmatch(local) or _SRS0.fullmatch(local)
    return None if srs is None else f"{srs[4]}@{srs[3]}"


def batv_is_ours(address: str, keys: Mapping[int, bytes]) -> bool:
    """True when the address is a `prvs=` one whose tag was made with one of our keys.

    The day in the tag is not checked: a report may come long after it. keys: key number to key.
    """
    local, at, domain = address.strip().strip("<>").rpartition("@")
    match = _PRVS.fullmatch(local) if at and keys else None
    if match is None:
        return False
    tag, user = (match[1], match[2]) if match[1] else (match[4], match[3])
    key = keys.get(int(tag[0]))
    if key is None:
        return False
    # draft-levine-smtp-batv 2.1: the first three octets of HMAC-SHA1 over key number, day and the original address.
    expected = hmac.new(key, f"{tag[:4]}{user}@{domain}".lower().encode(), hashlib.sha1).hexdigest()[:6]
    return hmac.compare_digest(expected, tag[4:].lower())
