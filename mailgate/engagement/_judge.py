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


def verdict_of(environ: Mapping[str, Any], further: tuple[str, ...]) -> Verdict:
    """The label of a request, from its header fields and the signals that its token and address gave.

    A few hundred combinations of header fields make up nearly all traffic, so their verdicts are kept.
    """
    get = environ.get
    agent = get("HTTP_USER_AGENT")
    purpose = get("HTTP_SEC_PURPOSE") or get("HTTP_PURPOSE") or get("HTTP_X_MOZ") or get("HTTP_X_PURPOSE") or ""
    return _verdict(
        agent[:MAX_AGENT_CHARACTERS] if agent else "",
        environ["REQUEST_METHOD"] == "HEAD",
        purpose[:MAX_AGENT_CHARACTERS],
        "HTTP_ACCEPT" in environ,
        "HTTP_ACCEPT_LANGUAGE" in environ,
        further,
    )


@lru_cache(maxsize=8_192)
def _verdict(
    user_agent: str, is_head: bool, purpose: str, has_accept: bool, has_language: bool, further: tuple[str, ...]
) -> Verdict:
    agent = read_agent(user_agent)
    found = [agent.signal] if agent.signal else []
    if is_head:
        found.append("head")
    if "prefetch" in purpose.lower() or "preview" in purpose.lower():
        found.append("prefetch")
    if not has_accept:
        found.append("no_accept")
    if not has_language:
        found.append("no_accept_language")
    return judge(agent, (*found, *further))


def judge(agent: Agent, signals: tuple[str, ...]) -> Verdict:
    """The label that follows from the signals; in which order they stand does not matter."""
    for signal, actor, confidence in _ROWS:
        if signal in signals:
            return Verdict(actor, signal, confidence, signals, agent.client, agent.agent_class)
    weak = [signal for signal in _WEAK if signal in signals]
    if len(weak) > 1:
        return Verdict(Actor.UNKNOWN, weak[0], Confidence.LOW, signals, agent.client, agent.agent_class)
    confidence = Confidence.LOW if weak else Confidence.MEDIUM
    return Verdict(Actor.HUMAN, agent.agent_class, confidence, signals, agent.client, agent.agent_class)
