"""Is it safe to tighten the policy? Evidence and conditions with their numbers, never a bare percentage.

RFC 9989 7.4 gives the order (a month at `none`, then as long at `quarantine`) and two conditions for `reject`; the
thresholds are ours and are constants here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from mailgate.dmarc._contribution import OTHER
from mailgate.dmarc._facet import Outcome
from mailgate.dmarc._report import PolicyPublished
from mailgate.dmarc._sources import SourceClass, class_of
from mailgate.dmarc._text import many

WINDOW_DAYS = 28  # RFC 9989 7.4: a month at each step
MIN_DAYS_WITH_DATA = 20
MIN_REPORTERS = 3
MIN_SHARE = 0.001  # of the window's mail; smaller sources do not decide
MIN_PASS_RATE = 0.98
MAX_FORWARDED_SHARE = 0.01
NEW_SOURCE_DAYS = 14
STALE_DAYS = 7
_MAX_LISTED = 20
_STEPS = ("none", "quarantine", "reject")


@dataclass(slots=True)
class WindowSource:
    """What one address did in the window. first: its first day ever."""

    ip: str
    first: date
    messages: int = 0
    passed: int = 0
    spf_only: int = 0
    classes: Counter[SourceClass] = field(default_factory=Counter)

    def add(self, outcome: Outcome, count: int, kind: SourceClass) -> None:
        """More of its messages."""
        self.messages += count
        self.classes[kind] += count
        if outcome.dmarc_pass:
            self.passed += count
            if not outcome.dkim_aligned:
                self.spf_only += count

    @property
    def rate(self) -> float:
        """Share that passed; 1 without messages."""
        return self.passed / self.messages if self.messages else 1.0

    def numbers(self) -> dict[str, Any]:
        """For a finding."""
        kind = class_of(self.classes)
        return {
            "ip": self.ip,
            "messages": self.messages,
            "pass": self.passed,
            "class": None if kind is None else str(kind),
            "first": self.first.isoformat(),
        }


@dataclass(slots=True)
class Window:
    """The last days with data that count as evidence, and what was in them."""

    first: date
    last: date
    messages: int = 0
    passed: int = 0
    forwarded: int = 0
    lists: int = 0
    acted_on: int = 0
    days_with_data: int = 0
    reporters: set[str] = field(default_factory=set)

    @classmethod
    def ending(cls, last: date) -> Window:
        """The window of `WINDOW_DAYS` that ends with `last`."""
        return cls(first=last - timedelta(days=WINDOW_DAYS - 1), last=last)

    def add(self, outcome: Outcome, messages: int, kind: SourceClass) -> None:
        """More messages."""
        self.messages += messages
        self.passed += messages * outcome.dmarc_pass
        self.forwarded += messages * (kind is SourceClass.FORWARDED_LIKE)
        self.lists += messages * ("mailing_list" in outcome.reasons)
        self.acted_on += messages * (outcome.disposition in ("quarantine", "reject"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """All that the judgement looks at. policies: first and last day of each policy seen.

    subdomains: (messages, passed) of header_from names below the domain that have no policy of their own.
    """

    window: Window
    sources: Iterable[WindowSource]
    policies: Mapping[PolicyPublished, tuple[date, date]]
    subdomains: Mapping[str, tuple[int, int]]
    at: date | None = None
    own: Callable[[str], bool] | None = None
    not_ours: Callable[[str], bool] | None = None

    def judge(self) -> dict[str, Any]:
        """`answer` (`stay`, `quarantine`, `reject`, `not_enough_evidence`), and every reason with its numbers."""
        current, since = self._current()
        target = _STEPS[min(_STEPS.index(current) + 1, 2)]
        evidence = list(self._evidence(current, since))
        sources = [source for source in self.sources if not self._is_not_ours(source)]
        blockers = evidence + ([] if current == "reject" else list(self._blockers(sources, target)))
        if current == "reject":
            answer = "stay"
        elif evidence:
            answer = "not_enough_evidence"
        else:
            answer = "stay" if blockers else target
        window = self.window
        return {
            "answer": answer,
            "current": current,
            "target": None if current == "reject" else target,
            "window": {
                "from": window.first.isoformat(),
                "to": window.last.isoformat(),
                "messages": window.messages,
                "pass": window.passed,
                "days_with_data": window.days_with_data,
                "reporters": len(window.reporters),
                "acted_on": window.acted_on,
            },
            "blockers": blockers,
            "warnings": list(self._warnings(sources, spf_blocks=current != "reject" and target == "reject")),
            "advice": list(self._advice()),
        }

    def _latest(self) -> PolicyPublished:
        return max(self.policies, key=lambda policy: (self.policies[policy][1], self.policies[policy][0], str(policy)))

    def _current(self) -> tuple[str, date]:
        """The policy in force, and since when it has been seen without a break.

        RFC 9989 4.7: t=y asks receivers to act one step lower; absent `p` means none.
        """
        latest = _in_force(self._latest())
        since = self.window.last
        for policy, (first, _) in self.policies.items():
            if _in_force(policy) == latest:
                since = min(since, first)
        for policy, (_, last) in self.policies.items():
            if _in_force(policy) != latest and last >= since:
                since = min(last + timedelta(days=1), self.window.last)
        return latest, since

    def _is_not_ours(self, source: WindowSource) -> bool:
        return source.ip == OTHER or (self.not_ours is not None and self.not_ours(source.ip))

    def _evidence(self, current: str, since: date) -> Iterable[dict[str, Any]]:
        window = self.window
        if self.at is not None and (self.at - window.last).days > STALE_DAYS:
            text = f"the newest report is of {window.last}, more than {STALE_DAYS} days ago"
            yield _finding("stale", text, newest=window.last.isoformat(), allowed_days=STALE_DAYS)
        days = (window.last - since).days + 1
        if days < WINDOW_DAYS:
            text = f"{days} of {WINDOW_DAYS} days seen at p={current}"
            yield _finding("too_few_days", text, days=days, needed=WINDOW_DAYS)
        if window.days_with_data < MIN_DAYS_WITH_DATA:
            text = f"data for {window.days_with_data} of the last {WINDOW_DAYS} days, {MIN_DAYS_WITH_DATA} are needed"
            yield _finding("too_few_days_with_data", text, days=window.days_with_data, needed=MIN_DAYS_WITH_DATA)
        if len(window.reporters) < MIN_REPORTERS:
            text = f"{many(len(window.reporters), 'organisation')} reporting, {MIN_REPORTERS} are needed"
            yield _finding("too_few_reporters", text, reporters=len(window.reporters), needed=MIN_REPORTERS)
        if not window.messages:
            yield _finding("no_mail", f"no mail in the last {WINDOW_DAYS} days", messages=0)

    def _decides(self, source: WindowSource) -> bool:
        """Large enough, or named by the owner."""
        if self.own is not None and self.own(source.ip):
            return True
        return source.messages >= MIN_SHARE * self.window.messages

    def _blockers(self, sources: list[WindowSource], target: str) -> Iterable[dict[str, Any]]:
        failing = [
            source
            for source in sources
            if source.messages
            and self._decides(source)
            and source.rate < MIN_PASS_RATE
            and (class_of(source.classes) is not SourceClass.FORWARDED_LIKE or self._is_own(source))
        ]
        new = [s for s in failing if (self.window.last - s.first).days < NEW_SOURCE_DAYS]
        if failing:
            sources_of = f"{many(len(failing), 'source')} with at least {MIN_SHARE:.1%} of the mail"
            text = f"{sources_of}: less than {MIN_PASS_RATE:.0%} passes"
            yield _finding("failing_sources", text, count=len(failing), sources=_listed(failing, _failing))
        if new:
            text = (
                f"{many(len(new), 'failing source')} new in the last {NEW_SOURCE_DAYS} days: wait, find out who it is"
            )
            yield _finding("new_failing_sources", text, count=len(new), sources=_listed(new, _failing))
        if target == "reject" and (only_spf := self._spf_only(sources)):
            yield _spf_finding(only_spf)

    def _is_own(self, source: WindowSource) -> bool:
        return self.own is not None and self.own(source.ip)

    def _spf_only(self, sources: list[WindowSource]) -> list[WindowSource]:
        """Sources that rely on SPF: more than 2 % of what they send passes without DKIM."""
        return [
            source
            for source in sources
            if source.messages and self._decides(source) and source.spf_only > (1 - MIN_PASS_RATE) * source.messages
        ]

    def _warnings(self, sources: list[WindowSource], *, spf_blocks: bool) -> Iterable[dict[str, Any]]:
        window = self.window
        if not spf_blocks and (only_spf := self._spf_only(sources)):
            yield _spf_finding(only_spf)
        indirect = max(window.forwarded, window.lists)
        if window.messages and indirect > MAX_FORWARDED_SHARE * window.messages:
            text = (
                f"{indirect / window.messages:.1%} of the mail is forwarded or from mailing lists; "
                "a domain whose people write to lists should not publish reject (RFC 9989 7.4)"
            )
            numbers = {"messages": indirect, "of": window.messages, "mailing_list": window.lists}
            yield _finding("indirect_mail", text, **numbers)
        failed = window.messages - window.passed
        if window.acted_on > failed:
            text = f"receivers acted on {window.acted_on:,} messages though only {failed:,} failed"
            yield _finding("disposition_without_failure", text, acted_on=window.acted_on, failed=failed)

    def _advice(self) -> Iterable[dict[str, Any]]:
        latest = self._latest()
        if self.subdomains:
            ranked = sorted(self.subdomains.items(), key=lambda item: (-item[1][0], item[0]))
            names = [{"name": name, "messages": m, "pass": p} for name, (m, p) in ranked[:_MAX_LISTED]]
            if latest.sp is None:
                text = f"{many(len(ranked), 'subdomain')} in From without a policy of its own: publish sp"
                yield _finding("publish_sp", text, count=len(ranked), subdomains=names)
            never = [item for item in names if not item["pass"]]
            if never and latest.np != "reject":
                text = f"{many(len(never), 'name')} below the domain never passed: np=reject is safe if unused"
                yield _finding("publish_np", text, count=len(never), subdomains=never)
        if latest.pct is not None and latest.pct != 100:
            text = f"pct={latest.pct} is gone from DMARC (RFC 9989); use t=y to try a policy out"
            yield _finding("pct_is_gone", text, pct=latest.pct)


def _in_force(policy: PolicyPublished) -> str:
    step = _STEPS.index(policy.p or "none")
    return _STEPS[max(step - 1, 0) if policy.testing == "y" else step]


def _failing(source: WindowSource) -> int:
    return source.messages - source.passed


def _listed(sources: list[WindowSource], weight: Callable[[WindowSource], int]) -> list[dict[str, Any]]:
    ranked = sorted(sources, key=lambda source: (-weight(source), source.ip))
    return [source.numbers() for source in ranked[:_MAX_LISTED]]


def _spf_finding(sources: list[WindowSource]) -> dict[str, Any]:
    messages = sum(source.spf_only for source in sources)
    text = f"{many(len(sources), 'source')} on SPF alone ({messages:,} messages): sign with DKIM first (RFC 9989 7.4)"
    listed = _listed(sources, lambda source: source.spf_only)
    return _finding("spf_only", text, count=len(sources), messages=messages, sources=listed)


def _finding(code: str, text: str, **numbers: Any) -> dict[str, Any]:
    return {"code": code, "text": text, **numbers}
