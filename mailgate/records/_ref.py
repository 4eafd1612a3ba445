"""Our own reference on a message: the proof that it was ours and, when it comes back redacted, whom it went to."""

from __future__ import annotations

from dataclasses import dataclass

from mailgate.records._keys import KeyRing

REF_HEADER = "X-Mailgate-Ref"


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
        """The (name, value) of the X-Mailgate-Ref field, ASCII, folded where needed."""
        raise NotImplementedError

    def read_header(self, value: str) -> MessageRef | None:
        """What the field says, None unless its signature is ours."""
        raise NotImplementedError

    def return_path(self, ref: MessageRef, *, domain: str, prefix: str = "b") -> str:
        """A signed envelope sender: lower-case safe, local part at most 64 octets."""
        raise NotImplementedError

    def read_return_path(self, address: str) -> MessageRef | None:
        """What a bounce address says, None unless its signature is ours."""
        raise NotImplementedError
