"""Keys for everything that mailgate signs: references, return paths, tracked links, unsubscribe links.

Model: a `KeyRing` holds master secrets by a one-byte key id and signs with one of them. A purpose never shares a key
with another: `K[id, purpose] = HMAC-SHA256(master[id], "mailgate/v1/" + purpose)`, so a token made for one use is
worthless in another. Rotation is: add a key, sign with it, drop the old id when its tokens may die.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field

MIN_SECRET_BYTES = 16  # below 128 bits the truncated MAC would not be the weakest part
MAC_BYTES = 16
_PLACEHOLDERS = ("secret", "changeme", "password", "example", "default", "test", "key", "mailgate")


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

    def seal(self, purpose: str, payload: bytes, *, mac_bytes: int = MAC_BYTES) -> bytes:
        """`key id (1) + truncated HMAC-SHA256 (mac_bytes) + payload`."""
        key = self.derived_key(self.signing_key_id, purpose)
        assert key is not None  # noqa: S101 - __post_init__ made sure of it
        return bytes([self.signing_key_id]) + hmac.digest(key, payload, hashlib.sha256)[:mac_bytes] + payload

    def unseal(self, purpose: str, sealed: bytes, *, mac_bytes: int = MAC_BYTES) -> bytes | None:
        """The payload, or None when anything at all is wrong with the seal; compared in constant time."""
        if len(sealed) < 1 + mac_bytes:
            return None
        key = self.derived_key(sealed[0], purpose)
        if key is None:
            return None
        payload = sealed[1 + mac_bytes :]
        mac = hmac.digest(key, payload, hashlib.sha256)[:mac_bytes]
        return payload if hmac.compare_digest(mac, sealed[1 : 1 + mac_bytes]) else None


def _refuse_weak_secret(key_id: int, secret: bytes) -> None:
    if not isinstance(secret, bytes):
        raise TypeError(f"the secret of key id {key_id} is {type(secret).__name__}, not bytes")
    if len(secret) < MIN_SECRET_BYTES:
        raise ValueError(
            f"the secret of key id {key_id} has {len(secret)} bytes; at least {MIN_SECRET_BYTES} are needed"
        )
    text = secret.lower()
    if len(set(text)) < 6 or any(
        text.replace(word.encode(), b"").strip(b"-_ 0123456789!") == b"" for word in _PLACEHOLDERS
    ):
        raise ValueError(
            f"the secret of key id {key_id} is a placeholder; make one with: python -c 'import secrets; print(secrets.token_hex(32))'"
        )
