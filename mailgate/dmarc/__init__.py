r"""DMARC aggregate reports and TLS reports: read, added up without counting twice, and judged."""

from mailgate.dmarc._app import DmarcApp
from mailgate.dmarc._contribution import Cell, Contribution, TlsContribution, Trust
from mailgate.dmarc._facet import Outcome
from mailgate.dmarc._limits import DEFAULT_LIMITS, Limits
from mailgate.dmarc._names import Networks, name_sources, ptr_names
from mailgate.dmarc._page import page
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
from mailgate.dmarc._sheet import to_csv
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
    "DmarcApp",
    "Limits",
    "Networks",
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
    "name_sources",
    "page",
    "parse",
    "parse_all",
    "ptr_names",
    "read",
    "rollup",
    "to_csv",
    "trust_of",
    "view",
]
