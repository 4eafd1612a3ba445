"""Keys for everything that mailgate signs: references, return paths, tracked links, unsubscribe links.

Model: a `KeyRing` holds master secrets by a one-byte key id and signs with one of them. A purpose never shares a key
with another: `K[id, purpose] = HMAC-SHA256(master[id], "mailgate/v1/" + purpose)`, so a token made for one use is
worthless in another. Rotation is: add a key, sign with it, drop the old id when its tokens may die.

HMAC hashes one block of padded key before the data and one before the inner digest (RFC 2104 2). Both blocks are the
same for every token of a key, so their SHA-256 states are kept and copied: half the work of a MAC over 100 bytes.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hashlib import _Hash

MIN_SECRET_BYTES = 16  # below 128 bits the truncated MAC would not be the weakest part
MAC_BYTES = 16
_BLOCK_BYTES = 64  # of SHA-256
# Words of secrets that stand in manuals and templates; a secret made of nothing but these, digits and marks is refused.
_PLACEHOLDER = re.compile(
    rb"change[-_ ]?(?:me|this|it)|passw(?:ord|d)|passphrase|placeholder|replace|insecure|default|mailgate|example"
    rb"|secret|string|sample|django|random|dummy|please|private|token|admin|value|your|here|test|salt|demo|sign|key"
    rb"|app|dev|foo|bar|the|me|my|is|it|to|[-_ 0-9!.:#*<>{}$]"
)


@dataclass(frozen=True, kw_only=True, repr=False)
class KeyRing:
    """Master secrets by key id (0 to 255), one of which signs.

    secrets: at least one; each at least 16 bytes and not a placeholder (`ValueError` otherwise). A `str` is UTF-8.
    signing_key_id: the id that signs; every other id is only accepted.
    The secrets never show in `repr`.
    """

    secrets: Mapping[int, bytes]
    signing_key_id: int
    _derived: dict[tuple[int, str], bytes] = field(default_factory=dict, init=False, compare=False)
    _states: dict[tuple[int, str], tuple[_Hash, _Hash]] = field(default_factory=dict, init=False, compare=False)

    def __post_init__(self) -> None:
        if not self.secrets:
            raise ValueError("a key ring needs at least one secret")
        for key_id, secret in self.secrets.items():
            if not 0 <= key_id <= 255:
                raise ValueError(f"a key id is a number from 0 to 255, not {key_id!r}")
            _refuse_weak_secret(key_id, secret)
        if self.signing_key_id not in self.secrets:
            raise ValueError(f"no secret has the signing key id {self.signing_key_id!r}")
        object.__setattr__(self, "secrets", dict(self.secrets))

    @classmethod
    def of(cls, secret: bytes | str) -> KeyRing:
        """A ring with one secret under key id 0."""
        return cls(secrets={0: secret.encode() if isinstance(secret, str) else secret}, signing_key_id=0)

    def __repr__(self) -> str:
        return f"KeyRing(key_ids={sorted(self.secrets)}, signing_key_id={self.signing_key_id})"

    def derived_key(self, key_id: int, purpose: str) -> bytes | None:
        """The 32-byte key of one purpose; None when the key id is unknown (a retired key, or a forged token)."""
        cached = self._derived.get((key_id, purpose))
        if cached is not None:
            return cached
        secret = self.secrets.get(key_id)
        if secret is None:
            return None
        key = hmac.digest(secret, b"mailgate/v1/" + purpose.encode(), hashlib.sha256)
        self._derived[(key_id, purpose)] = key
        return key

    def __getstate__(self) -> dict[str, Any]:
        # Hash states do not pickle; what was derived is derived again.
        return {"secrets": self.secrets, "signing_key_id": self.signing_key_id, "_derived": {}, "_states": {}}

    def hmac_states(self, key_id: int, purpose: str) -> tuple[_Hash, _Hash] | None:
        """SHA-256 after the inner and after the outer padded key of one purpose; None when the key id is unknown.

        For callers who make many MACs: copy a state before updating it (or use `mac`).
        """
        states = self._states.get((key_id, purpose))
        if states is None:
            key = self.derived_key(key_id, purpose)
            if key is None:
                return None
            padded = key.ljust(_BLOCK_BYTES, b"\0")
            states = (
                hashlib.sha256(bytes(octet ^ 0x36 for octet in padded)),
                hashlib.sha256(bytes(octet ^ 0x5C for octet in padded)),
            )
            self._states[(key_id, purpose)] = states
        return states

    def mac(self, key_id: int, purpose: str, data: bytes) -> bytes | None:
        """HMAC-SHA256 of `data` (32 bytes) under the key of one purpose; None when the key id is unknown."""
        states = self.hmac_states(key_id, purpose)
        if states is None:
            return None
        inner, outer = states[0].copy(), states[1].copy()
        inner.update(data)
        outer.update(inner.digest())
        return outer.digest()

    def seal(self, purpose: str, payload: bytes, *, mac_bytes: int = MAC_BYTES) -> bytes:
        """`key id (1) + truncated HMAC-SHA256 (mac_bytes) + payload`."""
        mac = self.mac(self.signing_key_id, purpose, payload)
        assert mac is not None  # noqa: S101 - __post_init__ made sure of it
        return bytes([self.signing_key_id]) + mac[:mac_bytes] + payload

    def unseal(self, purpose: str, sealed: bytes, *, mac_bytes: int = MAC_BYTES) -> bytes | None:
        """The payload, or None when anything at all is wrong with the seal; compared in constant time."""
        if len(sealed) < 1 + mac_bytes:
            return None
        payload = sealed[1 + mac_bytes :]
        mac = self.mac(sealed[0], purpose, payload)
        if mac is None:
            return None
        return payload if hmac.compare_digest(mac[:mac_bytes], sealed[1 : 1 + mac_bytes]) else None


def _refuse_weak_secret(key_id: int, secret: bytes) -> None:
    if not isinstance(secret, bytes):
        raise TypeError(f"the secret of key id {key_id} is {type(secret).__name__}, not bytes")
    if len(secret) < MIN_SECRET_BYTES:
        raise ValueError(
            f"the secret of key id {key_id} has {len(secret)} bytes; at least {MIN_SECRET_BYTES} are needed"
        )
    if len(set(secret)) < 6 or not _PLACEHOLDER.sub(b"", secret.lower()):
        raise ValueError(
            f"the secret of key id {key_id} is a placeholder;"
            " make one with: python -c 'import secrets; print(secrets.token_hex(32))'"
        )
