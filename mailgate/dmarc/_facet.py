"""What a record says apart from its address and its count.

A report of 200,000 records holds a few dozen such outcomes; each is judged once. Judging is here and nowhere else, so
that full rows and the rollup cannot disagree.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from mailgate.dmarc._fields import RecordFields
from mailgate.dmarc._report import DKIM_WORDS, SPF_WORDS, DkimResult, OverrideReason, ReportRow, SpfResult
from mailgate.records import ParseError, domain_to_ascii

MAX_COUNT_DIGITS = 12
_MAX_NAME = 255  # a domain name has at most 253 characters (RFC 1035 2.3.4)
_MAX_DOMAIN = 1_000  # as written, before it is encoded
_MAPPED = b"\0" * 10 + b"\xff\xff"


class Outcome(NamedTuple):
    """The part of an outcome that the rollup keeps: the key of its cells.

    reasons: override types, sorted, each once. arc: a reason's comment says arc=pass. dkim: (domain, selector, word)
    of each result; spf: (domain, word). Domains are A-labels in lower case, cut to 255 characters.
    """

    header_from: str
    disposition: str
    dkim_aligned: bool
    spf_aligned: bool
    reasons: tuple[str, ...]
    arc: bool
    dkim: tuple[tuple[str, str, str], ...]
    spf: tuple[tuple[str, str], ...]

    @property
    def dmarc_pass(self) -> bool:
        """Either aligned identifier passed."""
        return self.dkim_aligned or self.spf_aligned

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values."""
        return {
            "header_from": self.header_from,
            "disposition": self.disposition,
            "dkim_aligned": self.dkim_aligned,
            "spf_aligned": self.spf_aligned,
            "reasons": list(self.reasons),
            "arc": self.arc,
            "dkim": [list(result) for result in self.dkim],
            "spf": [list(result) for result in self.spf],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Outcome:
        """Read what `to_dict` wrote."""
        return cls(
            header_from=str(data["header_from"]),
            disposition=str(data["disposition"]),
            dkim_aligned=bool(data["dkim_aligned"]),
            spf_aligned=bool(data["spf_aligned"]),
            reasons=tuple(map(str, data["reasons"])),
            arc=bool(data["arc"]),
            dkim=tuple((str(domain), str(selector), str(word)) for domain, selector, word in data["dkim"]),
            spf=tuple((str(domain), str(word)) for domain, word in data["spf"]),
        )


class Facet:
    """One judged outcome, its two forms made when they are asked for.

    usable: the record has exactly one `row`. dkim_count: DKIM result elements, also those that are not kept.
    seen_again: more than one record said so, so it is worth a template.
    """

    __slots__ = ("_fields", "_max_results", "_outcome", "_row", "defects", "dkim_count", "seen_again", "usable")

    def __init__(self, fields: RecordFields, max_results: int) -> None:
        self._fields = fields
        self._max_results = max_results
        self._row: ReportRow | None = None
        self._outcome: Outcome | None = None
        self.seen_again = False
        self.usable = fields.rows == 1
        self.dkim_count = len(fields.dkim_results)
        self.defects = _defects(fields)

    @property
    def row(self) -> ReportRow:
        """A `ReportRow` without address and count; header_from is "" where the record has none."""
        if self._row is None:
            self._row = _row(self._fields, self._max_results)
        return self._row

    @property
    def outcome(self) -> Outcome:
        """The key of the rollup's cells; header_from is "" where the record has none."""
        if self._outcome is None:
            self._outcome = _outcome(self._fields, self._max_results)
        return self._outcome


def _defects(fields: RecordFields) -> tuple[str, ...]:
    if fields.dkim and fields.spf and fields.header_from and not fields.identities_alias and not fields.reasons:
        return ()
    found = []
    if not fields.dkim or not fields.spf:
        found.append("missing_alignment_result")
    if not fields.header_from:
        found.append("missing_header_from")
    if fields.identities_alias:
        found.append("identities_alias")
    if any(not kind for kind, _ in fields.reasons):
        found.append("unspecified_reason")
    return tuple(found)


def _row(fields: RecordFields, max_results: int) -> ReportRow:
    return ReportRow(
        source_ip="",
        count=0,
        disposition=_word(fields.disposition) or "unspecified",
        dkim=_word(fields.dkim) or None,
        spf=_word(fields.spf) or None,
        reasons=tuple(
            OverrideReason(type=_word(kind) or "unspecified", comment=comment or None)
            for kind, comment in fields.reasons[:max_results]
        ),
        header_from=_word(fields.header_from),
        envelope_from=fields.envelope_from or None,
        envelope_to=fields.envelope_to or None,
        dkim_results=tuple(
            DkimResult(
                domain=domain or None, selector=selector or None, result=_word(result), human_result=text or None
            )
            for domain, selector, result, text in fields.dkim_results[:max_results]
        ),
        spf_results=tuple(
            SpfResult(
                domain=domain or None, scope=_word(scope) or None, result=_word(result), human_result=text or None
            )
            for domain, scope, result, text in fields.spf_results[:max_results]
        ),
    )


def _word(text: str | None) -> str:
    return text.lower() if text else ""


def _outcome(fields: RecordFields, max_results: int) -> Outcome:
    """Runs for each new kind of record; the lists are quicker than generators."""
    reasons = fields.reasons[:max_results]
    dkims = [
        (domain_key(domain), selector[:_MAX_NAME].lower() if selector else "", _known(result, DKIM_WORDS))
        for domain, selector, result, _ in fields.dkim_results[:max_results]
    ]
    spfs = [
        (domain_key(domain), _known(result, SPF_WORDS)) for domain, _, result, _ in fields.spf_results[:max_results]
    ]
    return Outcome(
        domain_key(fields.header_from),
        (_word(fields.disposition) or "unspecified")[:_MAX_NAME],
        _word(fields.dkim) == "pass",
        _word(fields.spf) == "pass",
        tuple(sorted({(_word(kind) or "unspecified")[:_MAX_NAME] for kind, _ in reasons})) if reasons else (),
        any("arc=pass" in comment.lower() for _, comment in reasons if comment) if reasons else False,
        tuple(dkims),
        tuple(spfs),
    )


def _known(text: str | None, words: frozenset[str]) -> str:
    word = text.lower() if text else ""
    return word if word in words else "other"


@lru_cache(maxsize=4_096)
def _domain_key(domain: str) -> str:
    try:
        return domain_to_ascii(domain)[:_MAX_NAME]
    except ParseError:
        return domain.lower()[:_MAX_NAME]


def domain_key(domain: str | None) -> str:
    """A domain as it is compared: A-labels, lower case, no trailing dot, at most 255 characters; "" for None."""
    return _domain_key(domain[:_MAX_DOMAIN]) if domain else ""


@lru_cache(maxsize=32_768)
def source_address(text: str) -> str | None:
    """The normal form of an address, white space around it off; None when it is none.

    Leading zeros, brackets, zones and host names are none: two readers would take them for two addresses.
    """
    text = text.strip()
    try:
        if ":" not in text:
            return text if socket.inet_ntoa(socket.inet_pton(socket.AF_INET, text)) == text else None
        packed = socket.inet_pton(socket.AF_INET6, text)
    except (OSError, ValueError):
        return None
    if packed.startswith(_MAPPED):
        return socket.inet_ntoa(packed[12:])
    written = socket.inet_ntop(socket.AF_INET6, packed)
    if "." in written:  # some systems write ::/96 with dots
        high, low = packed[12] * 256 + packed[13], packed[14] * 256 + packed[15]
        return f"::{high:x}:{low:x}" if high else f"::{low:x}"
    return written


@lru_cache(maxsize=4_096)
def message_count(text: str) -> int | None:
    """One to twelve ASCII digits as a number, else None (Python's own `int` takes 1_000 and Arabic-Indic digits)."""
    text = text.strip()
    return int(text) if len(text) <= MAX_COUNT_DIGITS and text.isascii() and text.isdigit() else None


def _maker() -> Callable[[ReportRow, str, int], ReportRow]:
    """A copier of rows that sets address and count: several times as fast as a frozen dataclass's constructor."""
    new = object.__new__
    own = ("source_ip", "count")
    set_ip, set_count = (getattr(ReportRow, name).__set__ for name in own)
    others = tuple(getattr(ReportRow, name) for name in ReportRow.__slots__ if name not in own)
    pairs = tuple((slot.__set__, slot.__get__) for slot in others)

    def make(row: ReportRow, source_ip: str, count: int) -> ReportRow:
        made = new(ReportRow)
        set_ip(made, source_ip)
        set_count(made, count)
        for put, get in pairs:
            put(made, get(row))
        return made

    return make


make_row = _maker()
