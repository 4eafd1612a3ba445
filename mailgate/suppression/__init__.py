r"""The list of addresses not to mail, and the policy that fills it."""

from mailgate.suppression._errors import (
    BadAddress,
    ImportRefused,
    RemovalRefused,
    StoreMismatch,
    StoreUnavailable,
)
from mailgate.suppression._keys import Folding
from mailgate.suppression._policy import Action, Decision, suppress_for
from mailgate.suppression._records import (
    Added,
    Applied,
    Effect,
    EntryKind,
    LogLine,
    Outcome,
    Suppression,
    SuppressionReason,
    Verdict,
)
from mailgate.suppression._settings import PolicySettings
from mailgate.suppression._store import SuppressionStore

__all__ = [
    "Action",
    "Added",
    "Applied",
    "BadAddress",
    "Decision",
    "Effect",
    "EntryKind",
    "Folding",
    "ImportRefused",
    "LogLine",
    "Outcome",
    "PolicySettings",
    "RemovalRefused",
    "StoreMismatch",
    "StoreUnavailable",
    "Suppression",
    "SuppressionReason",
    "SuppressionStore",
    "Verdict",
    "suppress_for",
]
