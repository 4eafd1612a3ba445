"""What a rollup shows: a pure function of the state, the same for the same state, all sums exact.

Two passes over the cells. The first adds up; the second fills in who the few sources are that will be shown, so that
a hundred thousand addresses cost a few numbers each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from statistics import median
from typing import Any

from mailgate.dmarc._contribution import OTHER, TlsContribution, Trust
from mailgate.dmarc._days import day_of, days_of
from mailgate.dmarc._facet import domain_key
from mailgate.dmarc._readiness import Readiness, Window, WindowSource
from mailgate.dmarc._rollup import Rollup
from mailgate.dmarc._seal import Entry
from mailgate.dmarc._sources import SourceClass, class_of, classify
from mailgate.dmarc._tally import Counts, Tally, tally_of

SCHEMA = "mailgate.dmarc.view/1"
_MAX_LISTED = 5  # header_from, DKIM and SPF domains named of one source
OUTLIER_SHARE = 0.9
OUTLIER_TIMES_MEDIAN = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewOptions:
    """What to show.

    domains: ours, with everything below them; reports for others are shown apart as `foreign`. None: all are ours.
    since, until: first and last day, by the day on which a report begins. require_trust: leave out reports whose mail
    did not pass at our own server. at: today; reports that begin later are kept apart as `future`, and evidence that
    ended long before is told as stale. None: nothing is judged by the clock.
    top: rows of each ranking; the rest is one row `other`. Of sources, half are those that fail most, the others the
    largest. own, not_ours: does an address belong to one of our own
    senders, or to somebody who is not us? See `Networks`.
    """

    domains: Collection[str] | None = None
    since: date | None = None
    until: date | None = None
    require_trust: bool = False
    at: date | None = None
    top: int = 50
    own: Callable[[str], bool] | None = None
    not_ours: Callable[[str], bool] | None = None


@dataclass(slots=True)
class _Detail:
    """Of a source that is shown."""

    header_from: Counter[str] = field(default_factory=Counter)
    dkim: Counter[str] = field(default_factory=Counter)
    spf: Counter[str] = field(default_factory=Counter)
    orgs: set[str] = field(default_factory=set)


def view(rollup: Rollup, options: ViewOptions | None = None) -> dict[str, Any]:
    """The rollup as JSON values, keys in a fixed order; schema `mailgate.dmarc.view/1`.

    `by_day`, `by_org`, `by_header_from` hold [messages, passed, DKIM aligned, SPF aligned]. A long report is spread
    over its days by overlap. `rate` is None where there are no messages. Sources: those that fail most come first.
    """
    options = options or ViewOptions()
    chosen = _Chosen(rollup, options)
    entries: dict[str, list[Entry]] = {}
    for entry in chosen.entries:
        entries.setdefault(entry.domain, []).append(entry)
    tallies = {domain: tally_of(found) for domain, found in sorted(entries.items())}
    policy_domains = set(tallies)
    domains = {
        domain: _domain(domain, tally, entries[domain], options, policy_domains) for domain, tally in tallies.items()
    }
    days = [day for tally in tallies.values() for day in tally.by_day]
    tls_days = [day_of(report.begin) for report in chosen.tls]
    all_days = days + tls_days
    return {
        "schema": SCHEMA,
        "from": min(all_days).isoformat() if all_days else None,
        "to": max(all_days).isoformat() if all_days else None,
        "domains": domains,
        "tls": _tls(chosen, options),
        "reports": sum(entry.reports for entry in chosen.entries),
        "tls_reports": len(chosen.tls),
        "duplicates_ignored": sum(len(sources) - 1 for sources in rollup.copies.values())
        + sum(seal.duplicates for seal in rollup.seals.values()),
        "conflicts": len(rollup.conflicts) + sum(seal.conflicts for seal in rollup.seals.values()),
        "foreign": _apart(chosen.foreign),
        "untrusted": _apart(chosen.untrusted),
        "future": _apart(chosen.future),
        "refused": _sorted_counts(Counter(refused.error for refused in rollup.refused.values())),
        "refused_by_org": _sorted_counts(Counter(r.org for r in rollup.refused.values() if r.org), options.top),
        "defects": _sorted_counts(chosen.defects),
    }


class _Chosen:
    """The entries that a view is about, and what was kept apart."""

    def __init__(self, rollup: Rollup, options: ViewOptions) -> None:
        self._options = options
        self._ours = None if options.domains is None else tuple(domain_key(domain) for domain in options.domains)
        self.foreign: list[Entry] = []
        self.untrusted: list[Entry] = []
        self.future: list[Entry] = []
        self.defects: Counter[str] = Counter()
        self.entries = [entry for entry in _entries(rollup) if self._takes(entry)]
        self.tls = [report for report in _tls_reports(rollup) if self._takes_tls(report)]

    def is_ours(self, domain: str) -> bool:
        """One of our domains, or below one."""
        return self._ours is None or any(domain == own or domain.endswith("." + own) for own in self._ours)

    def _takes(self, entry: Entry) -> bool:
        options = self._options
        if not self._in_time(entry.begin):
            return False
        apart = None
        if not self.is_ours(entry.domain):
            apart = self.foreign
        elif options.require_trust and entry.trust is not Trust.PASS:
            apart = self.untrusted
        elif options.at is not None and day_of(entry.begin) > options.at + timedelta(days=1):
            apart = self.future
        if apart is not None:
            apart.append(entry)
            return False
        self.defects.update(dict(entry.defects))
        return True

    def _takes_tls(self, report: TlsContribution) -> bool:
        options = self._options
        if not self._in_time(report.begin) or (options.require_trust and report.trust is not Trust.PASS):
            return False
        if options.at is not None and day_of(report.begin) > options.at + timedelta(days=1):
            return False
        self.defects.update(report.defects)
        return True

    def _in_time(self, begin: int) -> bool:
        day, options = day_of(begin), self._options
        return (options.since is None or day >= options.since) and (options.until is None or day <= options.until)


def _entries(rollup: Rollup) -> Iterator[Entry]:
    for _, contribution in sorted(rollup.contributions.items()):
        yield Entry.of(contribution)
    for _, seal in sorted(rollup.seals.items()):
        yield from seal.entries


def _tls_reports(rollup: Rollup) -> Iterator[TlsContribution]:
    for _, report in sorted(rollup.tls.items()):
        yield report
    for _, seal in sorted(rollup.seals.items()):
        yield from seal.tls


def _domain(
    domain: str, tally: Tally, entries: list[Entry], options: ViewOptions, policy_domains: set[str]
) -> dict[str, Any]:
    return {
        "messages": tally.messages,
        "dmarc_pass": tally.passed,
        "dkim_aligned": tally.dkim,
        "spf_aligned": tally.spf,
        "both": tally.both,
        "rate": rate(tally.passed, tally.messages),
        "reports": tally.reports,
        "disposition": dict(sorted(tally.disposition.items())),
        "reasons": dict(sorted(tally.reasons.items())),
        "classes": {str(kind): tally.classes[kind] for kind in SourceClass},
        "policy_seen": _policies(tally),
        "by_day": {day.isoformat(): counts for day, counts in sorted(tally.by_day.items())},
        "by_org": _top(tally.by_org, options.top),
        "outliers": _outliers(tally.by_org),
        "by_header_from": _top(tally.by_header_from, options.top),
        "by_selector": _top_words(tally.by_selector, options.top),
        "by_spf_domain": _top_words(tally.by_spf_domain, options.top),
        "sources": _sources(tally, entries, options.top),
        "source_ips": len(tally.sources),
        "readiness": _readiness(domain, tally, entries, options, policy_domains),
    }


def rate(part: int, whole: int) -> float | None:
    """A share, rounded to four places, never up to 1 when something is missing; None when there is no whole."""
    if not whole:
        return None
    share = round(part / whole, 4)
    return share if share < 1.0 or part == whole else 0.9999


def _policies(tally: Tally) -> list[dict[str, Any]]:
    found = [
        {**policy.to_dict(), "first": first.isoformat(), "last": last.isoformat()}
        for policy, (first, last) in tally.policies.items()
    ]
    return sorted(found, key=lambda item: (item["last"], item["first"], str(item)), reverse=True)


def _rank(item: tuple[str, Counts]) -> tuple[int, int, str]:
    return -item[1][0], -item[1][1], item[0]


def _top(sums: Mapping[str, Counts], top: int) -> dict[str, Counts]:
    ranked = sorted(((name, counts) for name, counts in sums.items() if name != OTHER), key=_rank)
    shown = dict(ranked[:top])
    rest = [counts for _, counts in ranked[top:]] + ([sums[OTHER]] if OTHER in sums else [])
    if rest:
        shown[OTHER] = [sum(column) for column in zip(*rest, strict=True)]
    return shown


def _top_words(sums: Mapping[str, Counter[str]], top: int) -> dict[str, dict[str, int]]:
    ranked = sorted(sums.items(), key=lambda item: (-item[1].total(), item[0]))
    shown = {name: dict(sorted(words.items())) for name, words in ranked[:top]}
    rest: Counter[str] = Counter()
    for _, words in ranked[top:]:
        rest.update(words)
    if rest:
        shown[OTHER] = dict(sorted(rest.items()))
    return shown


def _outliers(by_org: Mapping[str, Counts]) -> list[str]:
    """Organisations that claim over 90 % of all mail and over 100 times the median of the others: look twice."""
    total = sum(counts[0] for counts in by_org.values())
    found = []
    for org, counts in by_org.items():
        others = [c[0] for name, c in by_org.items() if name != org]
        if others and counts[0] > OUTLIER_SHARE * total and counts[0] > OUTLIER_TIMES_MEDIAN * median(others):
            found.append(org)
    return found


def _sources(tally: Tally, entries: Iterable[Entry], top: int) -> list[dict[str, Any]]:
    """Half of the rows for those that fail most, the others for the largest; failing ones first."""
    known = [(ip, source) for ip, source in tally.sources.items() if ip != OTHER]
    known.sort(key=lambda item: (item[1].passed - item[1].messages, -item[1].messages, item[0]))
    shown = {ip for ip, source in known[: (top + 1) // 2] if source.passed < source.messages}
    for ip, _ in sorted(known, key=lambda item: (-item[1].messages, item[0])):
        if len(shown) >= top:
            break
        shown.add(ip)
    details = _details(entries, shown)
    rows = []
    for ip, source in known:
        if ip not in shown:
            continue
        detail, kind = details[ip], class_of(source.classes)
        rows.append(
            {
                "ip": ip,
                "messages": source.messages,
                "pass": source.passed,
                "class": None if kind is None else str(kind),
                "classes": {str(name): source.classes[name] for name in SourceClass if source.classes[name]},
                "header_from": _names(detail.header_from),
                "dkim_domains": _names(detail.dkim),
                "spf_domains": _names(detail.spf),
                "first": source.first.isoformat(),
                "last": source.last.isoformat(),
                "orgs": len(detail.orgs),
            }
        )
    rest = [source for ip, source in known if ip not in shown] + (
        [tally.sources[OTHER]] if OTHER in tally.sources else []
    )
    if rest:
        classes: Counter[SourceClass] = Counter()
        for source in rest:
            classes.update(source.classes)
        rows.append(
            {
                "ip": OTHER,
                "messages": sum(source.messages for source in rest),
                "pass": sum(source.passed for source in rest),
                "class": None,
                "classes": {str(name): classes[name] for name in SourceClass if classes[name]},
                "sources": len(rest),
                "first": min(source.first for source in rest).isoformat(),
                "last": max(source.last for source in rest).isoformat(),
            }
        )
    return rows


def _details(entries: Iterable[Entry], shown: set[str]) -> dict[str, _Detail]:
    details = {ip: _Detail() for ip in shown}
    for entry in entries:
        org = entry.orgs[0][0] if entry.known_orgs else None
        for cell in entry.cells:
            outcome = cell.outcome
            for ip, count in cell.sources:
                if ip not in shown:
                    continue
                detail = details[ip]
                detail.header_from[outcome.header_from] += count
                for domain in {domain for domain, _, word in outcome.dkim if domain and word == "pass"}:
                    detail.dkim[domain] += count
                for domain in {domain for domain, word in outcome.spf if domain and word == "pass"}:
                    detail.spf[domain] += count
                if org is not None:
                    detail.orgs.add(org)
    return details


def _names(counts: Counter[str]) -> list[str]:
    return [name for name, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_MAX_LISTED]]


def _apart(entries: list[Entry]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for entry in entries:
        sums = found.setdefault(entry.domain, {"reports": 0, "messages": 0})
        sums["reports"] += entry.reports
        sums["messages"] += sum(org[1] for org in entry.orgs)
    return dict(sorted(found.items()))


def _sorted_counts(counts: Counter[str], top: int | None = None) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:top])


def _readiness(
    domain: str, tally: Tally, entries: list[Entry], options: ViewOptions, policy_domains: set[str]
) -> dict[str, Any]:
    last = max(tally.by_day)
    window = Window.ending(last)
    sources: dict[str, WindowSource] = {}
    for entry in entries:
        days = days_of(entry.begin, entry.end)
        if days[-1][0] < window.first or days[0][0] > window.last:
            continue
        window.reporters.update(org for org, *_ in entry.orgs)
        for cell in entry.cells:
            outcome, kind = cell.outcome, classify(cell.outcome)
            window.add(outcome, cell.messages, kind)
            for ip, count in cell.sources:
                source = sources.get(ip)
                if source is None:
                    source = sources[ip] = WindowSource(ip, tally.sources[ip].first)
                source.add(outcome, count, kind)
    window.days_with_data = sum(window.first <= day <= window.last for day in tally.by_day)
    subdomains = {
        name: (counts[0], counts[1])
        for name, counts in tally.by_header_from.items()
        if name.endswith("." + domain) and name not in policy_domains
    }
    readiness = Readiness(
        window=window,
        sources=sources.values(),
        policies=tally.policies,
        subdomains=subdomains,
        at=options.at,
        own=options.own,
        not_ours=options.not_ours,
    )
    return readiness.judge()


def _tls(chosen: _Chosen, options: ViewOptions) -> dict[str, Any]:
    domains: dict[str, dict[str, Any]] = {}
    for report in chosen.tls:
        day = day_of(report.begin).isoformat()
        for kind, domain, success, failure, results in report.policies:
            if not chosen.is_ours(domain):
                continue
            found = domains.setdefault(
                domain, {"success": 0, "failure": 0, "by_type": {}, "by_day": {}, "by_org": {}, "result_types": {}}
            )
            found["success"] += success
            found["failure"] += failure
            for group, key in (("by_type", kind), ("by_day", day), ("by_org", report.org)):
                sums = found[group].setdefault(key, [0, 0])
                sums[0] += success
                sums[1] += failure
            for name, count in results:
                found["result_types"][name] = found["result_types"].get(name, 0) + count
    for found in domains.values():
        found["rate"] = rate(found["success"], found["success"] + found["failure"])
        for group in ("by_type", "by_day", "result_types"):
            found[group] = dict(sorted(found[group].items()))
        found["by_org"] = _top(found["by_org"], options.top)
    return dict(sorted(domains.items()))
