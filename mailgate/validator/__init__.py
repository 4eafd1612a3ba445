"""To come."""

from mailgate.validator._dedupe import dedupe_key
from mailgate.validator._flags import LARGE_PROVIDERS, ROLE_NAMES, is_role, read_domains, suggest_domain
from mailgate.validator._groups import PROVIDERS, Provider, group_mx
from mailgate.validator._hosts import HostRules, MailHosts, find_mail_hosts
from mailgate.validator._judge import Verdict, combine, judge, judge_catch_all, retry_hint
from mailgate.validator._probe import Answer, ProbeSettings, SmtpProbe, Target, Waiting
from mailgate.validator._progress import Progress
from mailgate.validator._settings import Level, Settings, StartTls
from mailgate.validator._state import StateError
from mailgate.validator._syntax import ALL_FORMS, Mailbox, SyntaxFault, SyntaxOptions, SyntaxReason, check_syntax
from mailgate.validator._validation import Validation
from mailgate.validator._validator import SourceAddressError, Validator, stream_sync, validate, validate_sync
from mailgate.validator._words import Advice, Finding, Layer, Status

__all__ = [
    "ALL_FORMS",
    "LARGE_PROVIDERS",
    "PROVIDERS",
    "ROLE_NAMES",
    "Advice",
    "Answer",
    "Finding",
    "HostRules",
    "Layer",
    "Level",
    "MailHosts",
    "Mailbox",
    "ProbeSettings",
    "Progress",
    "Provider",
    "Settings",
    "SmtpProbe",
    "SourceAddressError",
    "StartTls",
    "StateError",
    "Status",
    "SyntaxFault",
    "SyntaxOptions",
    "SyntaxReason",
    "Target",
    "Validation",
    "Validator",
    "Verdict",
    "Waiting",
    "check_syntax",
    "combine",
    "dedupe_key",
    "find_mail_hosts",
    "group_mx",
    "is_role",
    "judge",
    "judge_catch_all",
    "read_domains",
    "retry_hint",
    "stream_sync",
    "suggest_domain",
    "validate",
    "validate_sync",
]
