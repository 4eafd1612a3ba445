"""From what was found to the records: causes are judged here, once for each recipient, and nothing is found any
more."""

from __future__ import annotations

from mailgate.bounce._addresses import split_type
from mailgate.bounce._autoreply import AutoReply
from mailgate.bounce._cause import CauseFacts, judge
from mailgate.bounce._context import Context
from mailgate.bounce._fields import Group
from mailgate.bounce._found import Found
from mailgate.bounce._lines import alias_in
from mailgate.bounce._match import NO_MATCH_SETTINGS, NO_PROOF, Proof, find_proof
from mailgate.bounce._report import BounceReport, RecipientStatus
from mailgate.bounce._returned import answered_message_id, mailed_to, original_message_id
from mailgate.bounce._ses import SesNotice
from mailgate.records import EnhancedStatus

MAX_PLAIN_STATUS = 12  # "5.111.222" and blanks; a longer Status field has a comment in it
MAX_TEXT_CHARACTERS = 2_000  # of the lines that a record keeps


def build_report(
    context: Context,
    found: list[Found],
    message: Group,
    *,
    form: str,
    evidence: str,
    dialect: str | None,
    ses: SesNotice | None = None,
) -> BounceReport:
    """The report of a bounce: message facts from its fields, its header and the returned message."""
    first = message.first
    reporting_mta = _without_type(first.get("reporting-mta"))
    arrival = first.get("arrival-date")
    envelope_id = first.get("original-envelope-id")
    returned = context.returned
    headers = context.headers
    message_id = original_message_id(headers, returned, context.note)
    if ses is not None:
        reporting_mta, arrival, envelope_id = ses.reporting_mta, ses.arrival_date_text, ses.envelope_id
        message_id = ses.message_id or message_id
    if message_id is None and envelope_id and envelope_id[:1] == "<" and "@" in envelope_id:
        message_id = envelope_id.strip("<>")  # QUIRK: Haraka takes the Message-ID for an envelope id
    proof = _proof(context, message_id, envelope_id)
    _use_proof(found, proof)
    recipients = tuple([_status(context, one, form, reporting_mta) for one in found])
    own_id = headers.get("message-id")
    return BounceReport(
        kind="bounce",
        form=form,
        recipients=recipients,
        defects=(*context.mail.defects, *context.defects),
        reporting_mta=reporting_mta,
        dsn_gateway=_without_type(first.get("dsn-gateway")),
        received_from_mta=_without_type(first.get("received-from-mta")),
        arrival_date_text=arrival,
        original_envelope_id=envelope_id,
        original_message_id=message_id,
        returned_headers=() if returned is None else tuple(returned.only(context.settings.keep_headers)),
        ref=proof.ref,
        matched=proof.matched,
        match_evidence=proof.evidence or None,
        evidence=evidence,
        dialect=dialect,
        message_id=own_id.strip("<>") or None if own_id else None,
        subject_text=headers.get("subject"),
        sender_text=headers.get("from"),
        date_text=headers.get("date"),
        fields=tuple(message.items),
    )


def autoreply_report(context: Context, reply: AutoReply) -> BounceReport:
    """The report of an automatic reply: whose it is, and which message it answers."""
    headers = context.headers
    own_id = headers.get("message-id")
    message_id = answered_message_id(headers)
    proof = _proof(context, message_id, None)
    return BounceReport(
        kind="autoreply",
        form="text",
        defects=(*context.mail.defects, *context.defects),
        original_message_id=message_id,
        ref=proof.ref,
        matched=proof.matched,
        match_evidence=proof.evidence or None,
        evidence=reply.evidence,
        message_id=own_id.strip("<>") or None if own_id else None,
        subject_text=headers.get("subject"),
        sender_text=headers.get("from"),
        date_text=headers.get("date"),
        autoreply=reply,
    )


def _proof(context: Context, message_id: str | None, envelope_id: str | None) -> Proof:
    settings = context.settings.match
    if settings is NO_MATCH_SETTINGS:
        return NO_PROOF
    return find_proof(
        context.headers,
        returned=context.returned,
        message_id=message_id,
        envelope_id=envelope_id,
        settings=settings,
    )


def _use_proof(found: list[Found], proof: Proof) -> None:
    """Whom our own reference names was written to; whoever else is reported stands behind a forward or in a list."""
    named = proof.recipient
    if named is None:
        return
    key = named.lower()
    known = [one for one in found if one.recipient is not None and one.recipient.lower() == key]
    for one in known:
        one.mailed_is_known = True
    if known:
        return
    for one in found:
        if one.recipient is None:
            one.recipient = named
            one.inferred.append("recipient")
        else:
            one.mailed_recipient = named


def _without_type(value: str | None) -> str | None:
    return split_type(value)[1] if value else None


def _status(context: Context, one: Found, form: str, reporting_mta: str | None) -> RecipientStatus:
    if one.mailed_recipient is None and one.recipient is not None and not one.mailed_is_known:
        one.mailed_recipient = _mailed(context, one, one.recipient)
    text = one.text or one.command
    status_text = one.status_text
    if status_text is not None and len(status_text) < MAX_PLAIN_STATUS:
        status_text = None
    cause = judge(
        CauseFacts(
            action=one.action,
            status=one.status,
            status_text=status_text,
            diagnostic_type=one.diagnostic_type,
            diagnostic_code=one.diagnostic_code,
            text=text,
            recipient=one.recipient,
            final_recipient=one.final_recipient,
            remote_mta=one.remote_mta,
            reporting_mta=reporting_mta,
            dialect=one.dialect,
            hint=one.hint,
        ),
        context.settings.rules,
    )
    return RecipientStatus(
        recipient=one.recipient,
        original_recipient=one.original_recipient,
        original_recipient_type=one.original_recipient_type,
        final_recipient=one.final_recipient,
        final_recipient_type=one.final_recipient_type,
        actual_recipient=one.actual_recipient,
        mailed_recipient=one.mailed_recipient,
        action=one.action,
        status=one.status or (cause.enhanced_status or EnhancedStatus.find(one.text) if form == "text" else None),
        status_text=one.status_text,
        smtp_code=cause.smtp_code,
        enhanced_status=cause.enhanced_status,
        smtp_command=cause.smtp_command,
        reason=one.reason or cause.reason,
        permanence=cause.permanence,
        diagnostic_code=one.diagnostic_code,
        diagnostic_type=one.diagnostic_type,
        remote_mta=one.remote_mta,
        remote_mta_type=one.remote_mta_type,
        last_attempt_text=one.last_attempt_text,
        will_retry_until_text=one.will_retry_until_text,
        final_log_id=one.final_log_id,
        retry_after_seconds=cause.retry_after_seconds,
        block_list=cause.block_list,
        evidence=cause.evidence,
        dialect=one.dialect,
        text=one.text[:MAX_TEXT_CHARACTERS],
        other_address=cause.other_address,
        never_mailed=one.mailed_recipient is not None,
        about_other_mail=one.about_other_mail,
        inferred=tuple(one.inferred),
        fields=one.fields,
    )


def _mailed(context: Context, one: Found, recipient: str) -> str | None:
    """The address that was written to, when the words or the returned header show that it was another one."""
    if one.original_recipient is None and one.text:
        alias = alias_in(one.text)
        if alias is not None and alias.lower() != recipient.lower():
            return alias
    return None if context.returned is None else mailed_to(context.returned, recipient)
