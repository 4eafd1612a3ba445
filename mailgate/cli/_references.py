"""Our own marks in a returned message, as the readers of bounces and complaints want them."""

from __future__ import annotations

from dataclasses import dataclass

from mailgate.records import Headers, MessageRef
from mailgate.unsubscribe import UnsubscribeSigner, find_subscription


@dataclass(frozen=True, slots=True)
class LinkReader:
    """Reads the token of our own List-Unsubscribe field as a reference; pickles, so that workers can have it."""

    signer: UnsubscribeSigner

    def __call__(self, headers: Headers) -> MessageRef | None:
        found = find_subscription(headers, self.signer)
        if found is None:
            return None
        return MessageRef(ref=found.ref or "", recipient=found.recipient, tenant=found.tenant, stream=found.stream)
