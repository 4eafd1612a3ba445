"""From an outcome to the record that the caller gets (pure)."""

from __future__ import annotations

from datetime import datetime

from mailgate.records import Reason
from mailgate.validator._domain import Domain, Outcome
from mailgate.validator._flags import is_role, listed, suggest_domain
from mailgate.validator._hosts import MailHosts
from mailgate.validator._judge import Verdict, retry_hint
from mailgate.validator._settings import Settings
from mailgate.validator._state import RETRY_SECONDS
from mailgate.validator._syntax import Mailbox, SyntaxFault
from mailgate.validator._validation import Validation
from mailgate.validator._words import Advice, Finding, Layer, Status, advice_for

_FORM_IS_RIGHT = Outcome(
    verdict=Verdict(status=Status.VALID, reason=Finding.SYNTAX_OK, evidence="syntax"), layer=Layer.SYNTAX
)
_GREYLISTED_SECONDS = 300  # postgrey's default


def describe_domain(settings: Settings, domain: Domain) -> None:
    """Set the flags that hang on the domain alone."""
    domain.disposable = listed(domain.name, settings.disposable)
    domain.free = listed(domain.name, settings.free)


def result_of_fault(settings: Settings, fault: SyntaxFault, checked_at: datetime) -> Validation:
    """The result for a string that is no address."""
    advice = settings.advice.get(str(fault.reason)) or Advice.DROP
    return Validation(
        input=fault.original,
        mailbox=None,
        status=Status.INVALID,
        reason=fault.reason,
        layer=Layer.SYNTAX,
        advice=advice,
        checked_at=checked_at,
        evidence="syntax",
        position=fault.position,
    )


def result_of_form(settings: Settings, mailbox: Mailbox, checked_at: datetime) -> Validation:
    """The result where nothing but the form was asked for."""
    domain = mailbox.domain
    return _result(
        settings,
        mailbox,
        _FORM_IS_RIGHT,
        checked_at,
        disposable=listed(domain, settings.disposable),
        free=listed(domain, settings.free),
        suggested=suggest_domain(domain, dead=False, known=settings.large_providers),
    )


def result_of_outcome(
    settings: Settings, domain: Domain, mailbox: Mailbox, outcome: Outcome, attempts: int, checked_at: datetime
) -> Validation:
    """The result for an address of a domain."""
    dead = outcome.layer is Layer.DNS and outcome.verdict.status is Status.INVALID
    if domain.suggested_dead is not dead:
        domain.suggested_dead = dead
        domain.suggestion = suggest_domain(domain.name, dead=dead, known=settings.large_providers)
    return _result(
        settings,
        mailbox,
        outcome,
        checked_at,
        disposable=domain.disposable,
        free=domain.free,
        suggested=domain.suggestion,
        hosts=domain.hosts,
        attempts=attempts,
    )


def _result(
    settings: Settings,
    mailbox: Mailbox,
    outcome: Outcome,
    checked_at: datetime,
    *,
    disposable: bool | None,
    free: bool | None,
    suggested: str | None,
    hosts: MailHosts | None = None,
    attempts: int = 0,
) -> Validation:
    verdict = outcome.verdict
    status, reason = verdict.status, verdict.reason
    advice = (settings.advice and settings.advice.get(str(reason))) or advice_for(status, reason)
    return Validation(
        input=mailbox.original,
        mailbox=mailbox,
        status=status,
        reason=reason,
        layer=outcome.layer,
        advice=advice,
        checked_at=checked_at,
        evidence=verdict.evidence,
        stage=outcome.stage,
        reply=outcome.reply,
        mx_host=outcome.mx_host or (hosts.hosts[0] if hosts is not None else None),
        catch_all=outcome.catch_all,
        implicit_mx=hosts is not None and hosts.implicit_mx,
        role=is_role(mailbox.local, settings.role_names),
        disposable=disposable,
        free=free,
        suggestion=None if suggested is None else f"{mailbox.local}@{suggested}",
        retry_after=_retry_after(outcome) if advice is Advice.RETRY else None,
        attempts=attempts,
    )


def _retry_after(outcome: Outcome) -> int:
    hint = retry_hint(outcome.reply) if outcome.reply is not None else None
    usual = _GREYLISTED_SECONDS if outcome.verdict.reason is Reason.GREYLISTED else RETRY_SECONDS
    return outcome.retry_after or hint or usual
