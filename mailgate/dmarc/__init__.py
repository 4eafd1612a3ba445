r"""DMARC aggregate reports and TLS reports: read, added up without counting twice, and judged."""

from mailgate.dmarc._contribution import Cell, Contribution, TlsContribution, Trust
from mailgate.dmarc._facet import Outcome
from mailgate.dmarc._limits import DEFAULT_LIMITS, Limits
from mailgate.dmarc._parse import parse, parse_all
from mailgate.dmarc._read import contributions, looks_like_report, read, rollup
from mailgate.dmarc._report import (
    AggregateReport,
    DkimResult,
    OverrideReason,
    PolicyPublished,
    Refusal,
    ReportRow,
    SkippedRecord,
    SpfResult,
)
from mailgate.dmarc._rollup import Refused, Rollup
from mailgate.dmarc._seal import SealConflict
from mailgate.dmarc._sources import SourceClass, classify
from mailgate.dmarc._store import RollupStore, StoreError
from mailgate.dmarc._tls import TlsFailure, TlsPolicy, TlsReport
from mailgate.dmarc._trust import trust_of
from mailgate.dmarc._view import ViewOptions, view

__all__ = [
    "DEFAULT_LIMITS",
    "AggregateReport",
    "Cell",
    "Contribution",
    "DkimResult",
    "Limits",
    "Outcome",
    "OverrideReason",
    "PolicyPublished",
    "Refusal",
    "Refused",
    "ReportRow",
    "Rollup",
    "RollupStore",
    "SealConflict",
    "SkippedRecord",
    "SourceClass",
    "SpfResult",
    "StoreError",
    "TlsContribution",
    "TlsFailure",
    "TlsPolicy",
    "TlsReport",
    "Trust",
    "ViewOptions",
    "classify",
    "contributions",
    "looks_like_report",
    "parse",
    "parse_all",
    "read",
    "rollup",
    "trust_of",
    "view",
]
