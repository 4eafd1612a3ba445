"""How the verbs that read complaints set up their reader: our references and links name the recipient."""

from __future__ import annotations

from dataclasses import dataclass

from mailgate.fbl import FeedbackSettings
from mailgate.records import Headers, KeyRing, MessageRef, RefSigner
from mailgate.unsubscribe import UnsubscribeSigner, find_subscription


def feedback_settings(keys: KeyRing | None, verp_domains: tuple[str, ...] = ()) -> FeedbackSettings:
    """Settings that find hidden recipients by everything our keys sign: references, return paths, unsubscribe links."""
    if keys is None:
        return FeedbackSettings(verp_domains=verp_domains)
    reader = LinkReader(UnsubscribeSigner(keys=keys))
    return FeedbackSettings(refs=RefSigner(keys), readers=(("list-unsubscribe", reader),), verp_domains=verp_domains)


@dataclass(frozen=True, slots=True)
class LinkReader:
    """Reads the token of our own List-Unsubscribe field as a reference; pickles, so that workers can have it."""

    signer: UnsubscribeSigner

    def __call__(self, headers: Headers) -> MessageRef | None:
        found = find_subscription(headers, self.signer)
        if found is None:
            return None
        return MessageRef(ref=found.ref or "", recipient=found.recipient, tenant=found.tenant, stream=found.stream)
