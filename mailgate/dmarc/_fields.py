"""From the small trees of `_expat` to named texts, nothing judged: which text stands where in a record and a header.

Both results are made of strings, None, tuples and plain numbers only, so that `_shape` can learn where each text lies.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeAlias

from mailgate.dmarc._expat import Tree, Value

Texts: TypeAlias = tuple[str | None, ...]


class RecordFields(NamedTuple):
    """The texts of one `record`; None: no such element. rows: `row` elements, or 2 when a number stands there twice."""

    source_text: str | None
    count_text: str | None
    rows: int
    disposition: str | None
    dkim: str | None
    spf: str | None
    header_from: str | None
    envelope_from: str | None
    envelope_to: str | None
    identities_alias: bool
    reasons: tuple[Texts, ...]  # type, comment
    dkim_results: tuple[Texts, ...]  # domain, selector, result, human_result
    spf_results: tuple[Texts, ...]  # domain, scope, result, human_result


class HeaderFields(NamedTuple):
    """The texts of everything but the records; the first three are how many such elements there are."""

    report_metadata: int
    policy_published: int
    date_ranges: int
    data_range_alias: bool
    namespaced: bool
    org_names: tuple[str, ...]
    emails: tuple[str, ...]
    report_ids: tuple[str, ...]
    begins: tuple[str, ...]
    ends: tuple[str, ...]
    extra_contact_info: tuple[str, ...]
    errors: tuple[str, ...]
    generator: tuple[str, ...]
    version: tuple[str, ...]
    domains: tuple[str, ...]
    policy: tuple[tuple[str, str], ...]  # (element, text) of each child of policy_published but domain


_POLICY_ELEMENTS = frozenset({"p", "sp", "np", "pct", "adkim", "aspf", "fo", "testing", "discovery_method"})


def record_fields(record: Value) -> RecordFields:
    """What a `record` element holds. Elements that the schema does not know are passed over (RFC 9990 3.1.1.7).

    Of a text that stands there again, in the same element or in a second one of its parent, the first is taken.
    """
    source_ip = count = None
    rows = addresses = counts = 0
    alias = False
    evaluated: Tree = []
    identifiers: Tree = []
    dkims: list[Texts] = []
    spfs: list[Texts] = []
    for name, value in _children(record):
        if name == "row":
            rows += 1
            for inner, text in _children(value):
                if inner == "source_ip":
                    addresses += 1
                    source_ip = _text(text)
                elif inner == "count":
                    counts += 1
                    count = _text(text)
                elif inner == "policy_evaluated":
                    evaluated += _children(text)
        elif name in ("identifiers", "identities"):
            alias = alias or name == "identities"
            identifiers += _children(value)
        elif name == "auth_results":
            for inner, result in _children(value):
                if inner == "dkim":
                    dkims.append(_texts(_children(result), ("domain", "selector", "result", "human_result")))
                elif inner == "spf":
                    spfs.append(_texts(_children(result), ("domain", "scope", "result", "human_result")))
    disposition, dkim, spf = _texts(evaluated, ("disposition", "dkim", "spf"))
    header_from, envelope_from, envelope_to = _texts(identifiers, ("header_from", "envelope_from", "envelope_to"))
    return RecordFields(
        source_ip,
        count,
        max(rows, addresses, counts),
        disposition,
        dkim,
        spf,
        header_from,
        envelope_from,
        envelope_to,
        alias,
        tuple([_texts(_children(value), ("type", "comment")) for name, value in evaluated if name == "reason"]),
        tuple(dkims),
        tuple(spfs),
    )


def header_fields(children: Iterable[tuple[str, Value]], *, namespaced: bool) -> HeaderFields:
    """What the children of `feedback` hold that are no records; `children` in document order."""
    top = list(children)
    metadata = [item for name, value in top if name == "report_metadata" for item in _children(value)]
    policy = [item for name, value in top if name == "policy_published" for item in _children(value)]
    ranges = [(name, value) for name, value in metadata if name in ("date_range", "data_range")]
    dates = [item for _, value in ranges for item in _children(value)]
    return HeaderFields(
        report_metadata=sum(name == "report_metadata" for name, _ in top),
        policy_published=sum(name == "policy_published" for name, _ in top),
        date_ranges=len(ranges),
        data_range_alias=any(name == "data_range" for name, _ in ranges),
        org_names=_all(metadata, "org_name"),
        emails=_all(metadata, "email"),
        report_ids=_all(metadata, "report_id"),
        begins=_all(dates, "begin"),
        ends=_all(dates, "end"),
        extra_contact_info=_all(metadata, "extra_contact_info"),
        errors=_all(metadata, "error"),
        generator=_all(metadata, "generator"),
        version=_all(top, "version"),
        domains=_all(policy, "domain"),
        policy=tuple((name, _text(value) or "") for name, value in policy if name in _POLICY_ELEMENTS),
        namespaced=namespaced,
    )


def _children(value: Value) -> Tree:
    return [] if isinstance(value, str) else value


def _text(value: Value) -> str | None:
    """An element's text; None when elements stand where the schema has text."""
    return value if isinstance(value, str) else None


def _texts(tree: Tree, names: tuple[str, ...]) -> Texts:
    """The texts of the named children, the first of each; None for those that are not there."""
    found: dict[str, str | None] = {}
    for name, value in tree:
        if name not in found:
            found[name] = _text(value)
    return tuple(map(found.get, names))


def _all(tree: Iterable[tuple[str, Value]], wanted: str) -> tuple[str, ...]:
    return tuple(_iter_all(tree, wanted))


def _iter_all(tree: Iterable[tuple[str, Value]], wanted: str) -> Iterator[str]:
    for name, value in tree:
        if name == wanted:
            yield _text(value) or ""
