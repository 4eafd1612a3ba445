"""How the verbs that read complaints set up their reader: our references and links name the recipient."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from mailgate.fbl import FeedbackSettings
from mailgate.records import Headers, KeyRing, MessageRef, RefSigner
from mailgate.unsubscribe import UnsubscribeSigner, find_subscription


def feedback_settings(args: argparse.Namespace, keys: KeyRing | None) -> FeedbackSettings:
    """How complaints are read."""
    domains = tuple(args.verp_domain)
    if keys is None:
        return FeedbackSettings(verp_domains=domains)
    reader = LinkReader(UnsubscribeSigner(keys=keys))
    return FeedbackSettings(refs=RefSigner(keys), readers=(("list-unsubscribe", reader),), verp_domains=domains)


@dataclass(frozen=True, slots=True)
class LinkReader:
    """Reads the token of our own List-Unsubscribe field as a reference; pickles, so that workers can have it."""

    signer: UnsubscribeSigner

    def __call__(self, headers: Headers) -> MessageRef | None:
        found = find_subscription(headers, self.signer)
        if found is None:
            return None
        return MessageRef(ref=found.ref or "", recipient=found.recipient, tenant=found.tenant, stream=found.stream)
