"""Why one recipient failed, judged from the facts of one report."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mailgate.bounce._hints import block_list, lines_about, retry_after_seconds
from mailgate.records import (
    EnhancedStatus,
    Fault,
    FoundReply,
    Meaning,
    Permanence,
    Reason,
    ReplyRow,
    Stage,
    find_reply,
    find_stage,
    meaning_of,
)

MAX_CHARACTERS = 8_000  # of a diagnostic and of the lines beside it; what decides stands in the first few

# How much each kind of evidence weighs. Words say what happened; an exact enhanced code is a good second; words that
# stand on every other notice ("policy", "try again", "giving up") and bare codes decide when nothing better is there.
_WEIGHTS = {"provider": 4, "text": 4, "enhanced": 3, "code": 2, "none": 0}
_SOFT_ROWS = frozenset(("text:policy", "text:later", "text:server", "text:expired", "text:protocol", "text:spam-word"))
# Bare codes that half of all refusals carry, whatever their cause.
_VAGUE_ROWS = frozenset(("code:550-rcpt", "code:552-rcpt", "code:554", "code:500-other"))
_SOFT_WEIGHT = 2
_VAGUE_WEIGHT = 1
_EXACT_WEIGHT = 3
_OWN_RULE_WEIGHT = 5
_DONE = frozenset(("delivered", "relayed", "expanded"))
_COMMAND_OF = {
    Stage.CONNECT: "CONN",
    Stage.EHLO: "EHLO",
    Stage.STARTTLS: "STARTTLS",
    Stage.AUTH: "AUTH",
    Stage.MAIL: "MAIL",
    Stage.RCPT: "RCPT",
    Stage.DATA: "DATA",
}
# Lower case. Mail systems that never had a reply to show say only that their time was over.
_GAVE_UP = (
    "retry timeout exceeded", "retry time not reached", "queued too long", "in the queue too long", "in queue too long",
    "envelope expired", "message expired", "queue.expired", "delivery time expired", "delivery expired",
    "message timed out", "could not deliver for", "could not be delivered for", "not going to try again",
    "hosts have been failing for", "host has been down for", "aborted after", "unable to deliver this message after",
    "unable to deliver message after", "too many retries", "maximum retries",
)  # fmt: skip
_GAVE_UP_AFTER = re.compile(r"delivery failed \d{1,4} attempts|deliver for the last \d{1,9} seconds")
_LISTED = frozenset((Reason.BLOCKED, Reason.REPUTATION, Reason.SPAM, Reason.POLICY, Reason.PTR_MISSING))


@dataclass(slots=True, kw_only=True)
class CauseFacts:
    """What a report says about one recipient, as read, nothing concluded.

    action: the RFC 3464 word (failed, delayed, delivered, relayed, expanded), None when the report has none.
    status: the Status field; in a free-form report None (codes in `text` are found here). status_text: the field whole.
    diagnostic_type, diagnostic_code: of the Diagnostic-Code field, or what a dialect took for it (type None).
    text: the lines about this recipient in the notification: a paragraph, a transcript; `""` when there are none.
    recipient: the address the sender knows. final_recipient: the one that the report names as final.
    remote_mta, reporting_mta: host names without their type.
    dialect: the row of the engine that read the report, None for a machine-readable one.
    hint: what the dialect's own words say about the reason; weaker than a remote reply, stronger than no text at all.
    """

    action: str | None = None
    status: EnhancedStatus | None = None
    status_text: str | None = None
    diagnostic_type: str | None = None
    diagnostic_code: str | None = None
    text: str = ""
    recipient: str | None = None
    final_recipient: str | None = None
    remote_mta: str | None = None
    reporting_mta: str | None = None
    dialect: str | None = None
    hint: Reason | None = None


@dataclass(slots=True, kw_only=True)
class Cause:
    """The conclusion about one recipient.

    smtp_code, enhanced_status, smtp_command: of the reply that decided; None when no reply stands in the report.
    evidence: the name of the row that decided and the line it read, `row: line`.
    other_address: the address that the reply names when it is another one of the same domain; then nobody may be
    suppressed for it.
    retry_after_seconds: what the reply asks for. block_list: the list it names.
    """

    reason: Reason
    permanence: Permanence
    smtp_code: int | None = None
    enhanced_status: EnhancedStatus | None = None
    smtp_command: str | None = None
    evidence: str = ""
    other_address: str | None = None
    retry_after_seconds: int | None = None
    block_list: str | None = None

    @property
    def fault(self) -> Fault:
        """Who has to act, by the reason."""
        return self.reason.fault


@dataclass(slots=True)
class _Reading:
    """One text of the report, read: the reply in it and what that means, with the weight of its evidence."""

    found: FoundReply
    meaning: Meaning
    weight: int


def judge(facts: CauseFacts, rules: Sequence[ReplyRow] = ()) -> Cause:
    """Why this recipient failed and whether that can change.

    The Diagnostic-Code is read first, then the notification's lines about the recipient; the one with the stronger
    evidence decides, words before codes. Status has its say where the words have none (X.0.0 never has).

    rules: a caller's own rows, tried before ours.
    """
    if facts.action in _DONE:
        return _success(facts)
    own = tuple(rules)
    readings: list[_Reading] = []
    stage: Stage | None = None
    for text in _texts(facts):
        found = find_reply(text, status=facts.status, recipient=facts.final_recipient or facts.recipient)
        stage = stage or found.stage or find_stage(facts.text)
        readings.append(_read(text, found, facts, stage, own))
        if not own and readings[0].weight >= _EXACT_WEIGHT and readings[0].found.code is not None:
            break  # the Diagnostic-Code has said all
    best = _best(readings)
    reason, evidence = best.meaning.reason or Reason.UNKNOWN, best.meaning.evidence
    if best.weight <= _VAGUE_WEIGHT:
        reason, evidence = Reason.UNKNOWN, f"vague {evidence}"
    # QUIRK: a challenge may dress as a failure (Boxbe) and then speaks of the sender; what knows it is sure.
    if facts.hint is not None and (best.weight < _EXACT_WEIGHT or facts.hint is Reason.CHALLENGE):
        reason, evidence = facts.hint, f"dialect:{facts.dialect}"
    reply = best.found if best.found.code is not None else next((r.found for r in readings if r.found.code), best.found)
    whole = f"{(facts.diagnostic_code or '')[:MAX_CHARACTERS]}\n{facts.text[:MAX_CHARACTERS]}"
    permanence = _permanence(facts, reply, reason, whole.lower())
    if reason is Reason.UNKNOWN and (permanence is Permanence.EXPIRED or _only_late(permanence, reply)):
        reason, evidence = Reason.EXPIRED, f"permanence:{permanence}"
    return Cause(
        reason=reason,
        permanence=permanence,
        smtp_code=reply.code,
        enhanced_status=_effective_status(facts.status, reply.enhanced_status),
        smtp_command=None if stage is None else _COMMAND_OF[stage],
        evidence=f"{evidence}: {best.found.line}".rstrip(": "),
        other_address=_other_address(facts, reply, reason),
        retry_after_seconds=retry_after_seconds(whole) if permanence is not Permanence.PERMANENT else None,
        block_list=block_list(whole) if reason in _LISTED else None,
    )


def _best(readings: list[_Reading]) -> _Reading:
    """The Diagnostic-Code when it says something exact, else whatever weighs most; of equals the first."""
    if len(readings) == 1:
        return readings[0]
    heaviest = max(readings, key=lambda reading: reading.weight)
    first = readings[0]
    return first if first.weight >= _EXACT_WEIGHT and heaviest.weight < _OWN_RULE_WEIGHT else heaviest


def _only_late(permanence: Permanence, reply: FoundReply) -> bool:
    return permanence is Permanence.TRANSIENT and reply.code is None


def _texts(facts: CauseFacts) -> Iterator[str]:
    """What there is to read, the surest first; at least one text."""
    diagnostic = facts.diagnostic_code
    given = False
    if diagnostic and diagnostic.strip():
        given = True
        is_program = facts.diagnostic_type is not None and facts.diagnostic_type.lower() == "x-unix"
        yield f"x-unix; {diagnostic}" if is_program else diagnostic
    about = lines_about(facts.text[:MAX_CHARACTERS], facts.final_recipient, facts.recipient)
    if about:
        given = True
        yield about
    if facts.status_text or not given:
        yield facts.status_text or ""


def _read(
    text: str, found: FoundReply, facts: CauseFacts, stage: Stage | None, rules: tuple[ReplyRow, ...]
) -> _Reading:
    code = found.code if found.code is None or found.code >= 400 else None
    status = _effective_status(facts.status, found.enhanced_status)
    meaning = _meaning(found.text, code, status, stage, rules, facts.remote_mta)
    weight = _weight(meaning)
    if weight <= _VAGUE_WEIGHT and len(found.text) < len(text):
        # The reply says nothing; a line before or after it may ("mail.local: unknown user: a").
        other = _meaning(text, code, status, stage, rules, facts.remote_mta)
        if _weight(other) > weight:
            meaning, weight = other, _weight(other)
    return _Reading(found, meaning, weight)


def _meaning(
    text: str,
    code: int | None,
    status: EnhancedStatus | None,
    stage: Stage | None,
    rules: tuple[ReplyRow, ...],
    remote_host: str | None,
) -> Meaning:
    return meaning_of(
        text, code=code, enhanced_status=status, stage=stage or Stage.RCPT, rules=rules, remote_host=remote_host
    )


def _weight(meaning: Meaning) -> int:
    if meaning.evidence in _SOFT_ROWS:
        return _SOFT_WEIGHT
    if meaning.evidence in _VAGUE_ROWS:
        return _VAGUE_WEIGHT
    return _WEIGHTS.get(meaning.evidence.partition(":")[0], _OWN_RULE_WEIGHT)


def _effective_status(status: EnhancedStatus | None, own: EnhancedStatus | None) -> EnhancedStatus | None:
    """Of the Status field and the code in the reply the one that says more; of equals the reply's."""
    if own is None or (own.is_generic and status is not None and not status.is_generic):
        return status
    return own


def _permanence(facts: CauseFacts, reply: FoundReply, reason: Reason, lower: str) -> Permanence:
    status_class = None if facts.status is None else facts.status.status_class
    code_class = None if reply.code is None else reply.code // 100
    if facts.action == "delayed":
        # QUIRK: OpenSMTPD 6.8 calls its final notice "delayed"; the envelope has expired all the same.
        return Permanence.EXPIRED if "envelope expired" in lower else Permanence.TRANSIENT
    if facts.action is None and (status_class or code_class) in (2, 4):
        return Permanence.DELIVERED if (status_class or code_class) == 2 else Permanence.TRANSIENT
    if status_class == 4 and code_class == 5 and facts.status == reply.enhanced_status and reason is not Reason.EXPIRED:
        return Permanence.PERMANENT  # "550 4.2.1": the code decides, Status only repeats what the server wrote
    if status_class == 4 or code_class == 4:
        return Permanence.EXPIRED
    if code_class == 5:
        return Permanence.PERMANENT
    if reason is Reason.EXPIRED or any(words in lower for words in _GAVE_UP) or _GAVE_UP_AFTER.search(lower):
        return Permanence.EXPIRED
    # No reply and no exact code: the road was blocked until the mail system gave up (Exim, Courier: 5.0.0).
    vague = facts.status is None or facts.status.is_generic
    return Permanence.EXPIRED if vague and reason in _ROAD else Permanence.PERMANENT


def _success(facts: CauseFacts) -> Cause:
    found = find_reply(facts.diagnostic_code or "", status=facts.status)
    code = found.code if found.code is not None and found.code < 300 else None
    return Cause(
        reason=Reason.UNKNOWN,
        permanence=Permanence.DELIVERED,
        smtp_code=code,
        enhanced_status=_effective_status(facts.status, found.enhanced_status if code is not None else None),
        evidence=f"action:{facts.action}",
    )


_ROAD = frozenset(
    (Reason.CONNECTION_FAILED, Reason.DNS_ERROR, Reason.GREYLISTED, Reason.TLS_FAILED, Reason.TEMPORARY_FAILURE)
)
_SUBJECT = re.compile(r"[\s:;,(\"']*(?:<([^<>\s@]{1,64}@[^<>\s]{1,255})>|([\w.+=-]{1,64}@[\w.-]{1,255}))")
_OWNERS = frozenset(("postmaster", "abuse", "support", "admin", "helpdesk", "hostmaster", "webmaster", "mailer-daemon"))


def _other_address(facts: CauseFacts, reply: FoundReply, reason: Reason) -> str | None:
    """The address that the reply starts with, when it is another one of the recipient's own domain.

    QUIRK: nullmailer answers for all recipients of a message with the reply that was meant for one of them.
    """
    if reply.code is None or reason is Reason.MAILBOX_MOVED or reason.fault not in (Fault.ADDRESS, Fault.MAILBOX):
        return None
    match = _SUBJECT.match(reply.text)
    if match is None:
        return None
    named = (match[1] or match[2]).rstrip(".")
    local, _, domain = named.lower().rpartition("@")
    known = {address.lower() for address in (facts.recipient, facts.final_recipient) if address}
    same_domain = any(address.rpartition("@")[2] == domain for address in known)
    if not same_domain or local in _OWNERS or any(_alike(named.lower(), address) for address in known):
        return None
    return named


def _alike(one: str, other: str) -> bool:
    """The same mailbox as far as spelling goes: tags, dots, quotes and a garbled encoding do not count."""
    if one.rpartition("@")[2] != other.rpartition("@")[2]:
        return False
    plain, other_plain = _plain(one), _plain(other)
    if plain == other_plain:
        return True
    garbled = not (one.isascii() and other.isascii()) or "\\" in one or "?" in one
    return garbled and _ASCII_LETTERS.sub("", plain) == _ASCII_LETTERS.sub("", other_plain)


_OCTAL = re.compile(r"\\([0-3][0-7]{2})")  # QUIRK: Exim writes the octets of UTF-8 so
_SIGNS = re.compile(r"[\W_]+")
_ASCII_LETTERS = re.compile(r"[^a-z0-9]+")


def _plain(address: str) -> str:
    local = address.rpartition("@")[0].partition("+")[0]
    octets = _OCTAL.sub(lambda match: chr(int(match[1], 8)), local)
    if octets != local:
        local = octets.encode("latin-1", "replace").decode("utf-8", "replace")
    return _SIGNS.sub("", local)
