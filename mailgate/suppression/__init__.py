r"""The list of addresses not to mail, and the policy that fills it."""

from mailgate.suppression._delegation import (
    PolicyOptions,
    PolicyService,
    RequestReader,
    StreamRule,
    WhenUnavailable,
)
from mailgate.suppression._erase import Erased
from mailgate.suppression._errors import (
    BadAddress,
    ImportRefused,
    RemovalRefused,
    StoreMismatch,
    StoreUnavailable,
)
from mailgate.suppression._export import FORMATS as EXPORT_FORMATS
from mailgate.suppression._filter import Checker, FilterReport, filter_list
from mailgate.suppression._formats import NAMES as IMPORT_FORMATS
from mailgate.suppression._front import Front
from mailgate.suppression._import import ImportReport, RejectedRecord
from mailgate.suppression._keys import FOLDING_DOMAINS, FOLDING_RULES, Folding
from mailgate.suppression._policy import Action, Decision, suppress_for
from mailgate.suppression._records import (
    EVERY,
    Added,
    Applied,
    Effect,
    EntryKind,
    LogLine,
    Outcome,
    ScopeStats,
    Stats,
    Suppression,
    SuppressionReason,
    Verdict,
)
from mailgate.suppression._service import policy_server, serve_stream
from mailgate.suppression._settings import PolicySettings
from mailgate.suppression._store import SuppressionStore

__all__ = [
    "EVERY",
    "EXPORT_FORMATS",
    "FOLDING_DOMAINS",
    "FOLDING_RULES",
    "IMPORT_FORMATS",
    "Action",
    "Added",
    "Applied",
    "BadAddress",
    "Checker",
    "Decision",
    "Effect",
    "EntryKind",
    "Erased",
    "FilterReport",
    "Folding",
    "Front",
    "ImportRefused",
    "ImportReport",
    "LogLine",
    "Outcome",
    "PolicyOptions",
    "PolicyService",
    "PolicySettings",
    "RejectedRecord",
    "RemovalRefused",
    "RequestReader",
    "ScopeStats",
    "Stats",
    "StoreMismatch",
    "StoreUnavailable",
    "StreamRule",
    "Suppression",
    "SuppressionReason",
    "SuppressionStore",
    "Verdict",
    "WhenUnavailable",
    "filter_list",
    "policy_server",
    "serve_stream",
    "suppress_for",
]
