"""Human, machine or unknown: rows of signals, the first of which decides (see the manual for how far to trust it)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from mailgate.engagement._agents import MAX_AGENT_CHARACTERS, Agent, read_agent
from mailgate.engagement._event import Actor, Confidence

FAST_SECONDS = 10  # people need longer than this from the sending of a mail to a click; few scanners are this fast too

# Signals in the order in which they decide: (signal, actor, confidence).
_ROWS: tuple[tuple[str, Actor, Confidence], ...] = (
    ("trap", Actor.MACHINE, Confidence.HIGH),
    ("burst", Actor.MACHINE, Confidence.HIGH),
    ("head", Actor.MACHINE, Confidence.HIGH),
    ("prefetch", Actor.MACHINE, Confidence.HIGH),
    ("ua_scanner", Actor.MACHINE, Confidence.HIGH),
    ("ip_machine", Actor.MACHINE, Confidence.HIGH),
    ("ua_bot", Actor.MACHINE, Confidence.HIGH),
    ("ua_library", Actor.MACHINE, Confidence.HIGH),
    ("apple_mpp", Actor.MACHINE, Confidence.HIGH),
    ("ua_missing", Actor.MACHINE, Confidence.MEDIUM),
    ("ua_proxy", Actor.UNKNOWN, Confidence.LOW),
    ("ip_shared", Actor.UNKNOWN, Confidence.LOW),
    ("ua_ambiguous", Actor.UNKNOWN, Confidence.LOW),
    ("ua_other", Actor.UNKNOWN, Confidence.LOW),
)
# Signals that decide nothing alone; two of them make it unknown.
_WEAK = ("fast", "no_accept", "no_accept_language")


class Verdict(NamedTuple):
    """actor, actor_reason, confidence, signals, client and agent_class of a `TrackingEvent`."""

    actor: Actor
    reason: str
    confidence: Confidence
    signals: tuple[str, ...]
    client: str
    agent_class: str


def signals_of(environ: Mapping[str, Any]) -> tuple[Agent, tuple[str, ...]]:
    """What the header fields of a request tell."""
    get = environ.get
    agent = _agent(get("HTTP_USER_AGENT", "")[:MAX_AGENT_CHARACTERS])
    found = []
    if agent[2]:
        found.append(agent[2])
    if environ["REQUEST_METHOD"] == "HEAD":
        found.append("head")
    purpose = get("HTTP_SEC_PURPOSE") or get("HTTP_PURPOSE") or get("HTTP_X_MOZ") or get("HTTP_X_PURPOSE")
    if purpose and ("prefetch" in purpose.lower() or "preview" in purpose.lower()):
        found.append("prefetch")
    if "HTTP_ACCEPT" not in environ:
        found.append("no_accept")
    if "HTTP_ACCEPT_LANGUAGE" not in environ:
        found.append("no_accept_language")
    return agent, tuple(found)


@lru_cache(maxsize=8_192)
def judge(agent: Agent, signals: tuple[str, ...]) -> Verdict:
    """The label that follows from the signals. Deterministic, and the same signals in any order give the same label."""
    for signal, actor, confidence in _ROWS:
        if signal in signals:
            return Verdict(actor, signal, confidence, signals, agent.client, agent.agent_class)
    weak = [signal for signal in _WEAK if signal in signals]
    if len(weak) > 1:
        return Verdict(Actor.UNKNOWN, weak[0], Confidence.LOW, signals, agent.client, agent.agent_class)
    confidence = Confidence.LOW if weak else Confidence.MEDIUM
    return Verdict(Actor.HUMAN, agent.agent_class, confidence, signals, agent.client, agent.agent_class)


_agent = lru_cache(maxsize=4_096)(read_agent)
