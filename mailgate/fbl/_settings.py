"""Everything that can be set about reading complaints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mailgate.records import REF_HEADER, Headers, MailLimits, MessageRef, RefSigner


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackSettings:
    """How complaints are read; the defaults need nothing from the caller.

    refs: the signer of our references; without it a redacted recipient can only be found where it stands in clear.
    ref_headers: fields of the returned message that may hold such a reference. The first is ours alone: a wrong
    signature there makes the returned header doubtful (`forged_reference`); in the others it is somebody else's id.
    readers: further readers of references, each given the returned header: the token of an unsubscribe link, an id of
    a house of its own. A `MessageRef` with a recipient names the complainer; (name, reader) pairs, the name becomes
    `matched`. A reader must return None for what it did not sign itself.
    verp_domains: domains whose envelope senders are `anything+local=domain@…` and name the recipient (VERP). They
    are not signed, so name only domains that you send from.
    recipient_headers: fields of the returned message in which your own sender writes the recipient.
    sparse_user_agents: beginnings of User-Agent fields, lower case, of reporters that leave out what the returned
    header says; source IP, arrival date and envelope sender are then taken from there and named in `derived`.
    keep_headers: fields of the returned message that are kept in the report, behind From, To, Subject, Date and
    Message-ID, which always are.
    limits: bounds on the message, None for those of `MailLimits`.
    """

    refs: RefSigner | None = None
    ref_headers: tuple[str, ...] = (REF_HEADER, "CFBL-Feedback-ID")
    readers: tuple[tuple[str, Callable[[Headers], MessageRef | None]], ...] = ()
    verp_domains: tuple[str, ...] = ()
    recipient_headers: tuple[str, ...] = ()
    # QUIRK: Microsoft's current JMRP sends a report part with the three required fields only.
    sparse_user_agents: tuple[str, ...] = ("jmrp/", "microsoft", "hotmail", "outlook")
    keep_headers: tuple[str, ...] = (
        "Return-Path",
        "List-Id",
        "List-Unsubscribe",
        "Feedback-ID",
        "CFBL-Address",
        "CFBL-Feedback-ID",
        REF_HEADER,
    )
    limits: MailLimits | None = None
