"""What a source is, by what reporters say about its mail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from enum import StrEnum

from mailgate.dmarc._facet import Outcome

# RFC 7489 7.2, RFC 9990 3.1.6: the reporter's own word that somebody passed the mail on.
FORWARD_REASONS = frozenset({"forwarded", "mailing_list", "trusted_forwarder"})


class SourceClass(StrEnum):
    """The worst first; the rule of each:

    unauthenticated: DMARC failed, and neither DKIM nor SPF passed for any domain. misaligned: DMARC failed, though
    DKIM or SPF passed (for another domain, or not as strictly as asked). forwarded_like: DKIM passed in alignment
    while SPF passed for nobody, as when mail is passed on unchanged; or DMARC failed and the reporter says that the
    mail was forwarded, came from a mailing list, or had arc=pass. pass: DMARC passed otherwise.
    """

    UNAUTHENTICATED = "unauthenticated"
    MISALIGNED = "misaligned"
    FORWARDED_LIKE = "forwarded_like"
    PASS = "pass"  # noqa: S105 - no password


_WORST_FIRST = tuple(SourceClass)


def classify(outcome: Outcome) -> SourceClass:
    """The class of messages with one outcome."""
    spf_passed = any(word == "pass" for _, word in outcome.spf)
    if outcome.dmarc_pass:
        forwarded = not outcome.spf_aligned and outcome.spf and not spf_passed
        return SourceClass.FORWARDED_LIKE if forwarded else SourceClass.PASS
    if outcome.arc or not FORWARD_REASONS.isdisjoint(outcome.reasons):
        return SourceClass.FORWARDED_LIKE
    if spf_passed or any(word == "pass" for _, _, word in outcome.dkim):
        return SourceClass.MISALIGNED
    return SourceClass.UNAUTHENTICATED


def class_of(classes: Mapping[SourceClass, int]) -> SourceClass | None:
    """The class of a source: that of most of its messages, the worse one in a tie; None without messages."""
    counts = Counter(classes)
    found = max(_WORST_FIRST, key=lambda name: counts[name])
    return found if counts[found] else None
