"""One domain during a run: who waits to be asked, what is known, and the catch-all question (pure, no I/O).

Whether an acceptance means anything depends on the whole domain, so accepted addresses are held until one of three
things is known: another address was refused as unknown (then these exist), a random one was accepted (then nothing is
known of any), or the question cannot be answered. The random address is asked for once a run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from mailgate.records import SmtpReply, Stage
from mailgate.validator._gate import Group
from mailgate.validator._groups import Provider
from mailgate.validator._hosts import MailHosts
from mailgate.validator._judge import Verdict
from mailgate.validator._queue import Queue
from mailgate.validator._words import Layer

if TYPE_CHECKING:
    from mailgate.validator._run import Run


class Job:
    """One address that waits for its result.

    run: whom to tell. index, payload: its place and what the caller gave with it. text: as given. key: the form by
    which duplicates are found, "" when nobody looks for any. attempts: how often it was asked. returned: how often it
    was taken to a host and brought back unasked. patience: until when it may wait for a second chance, None before it
    had to. aside: it waits for its second chance with DNS. asked_dns_twice: it had that chance, or waits for it. again:
    other jobs with the same key.
    """

    __slots__ = (
        "again",
        "aside",
        "asked_dns_twice",
        "attempts",
        "index",
        "key",
        "patience",
        "payload",
        "returned",
        "run",
        "text",
    )

    def __init__(self, run: Run, index: int, text: str, payload: object, key: str = "") -> None:
        self.run = run
        self.index = index
        self.text = text
        self.payload = payload
        self.key = key
        self.attempts = 0
        self.returned = 0
        self.patience: float | None = None
        self.aside = False
        self.asked_dns_twice = False
        self.again: list[Job] | None = None

    def repeated(self, job: Job) -> None:
        """`job` is the same address again: it gets the same answer."""
        if self.again is None:
            self.again = []
        self.again.append(job)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A verdict with all that a result says about where it comes from."""

    verdict: Verdict
    layer: Layer
    stage: Stage | None = None
    reply: SmtpReply | None = None
    mx_host: str | None = None
    catch_all: bool | None = None
    retry_after: int | None = None


class RandomProbe(Enum):
    """Where the catch-all question stands."""

    NOT_ASKED = "not_asked"
    WAITING = "waiting"  # greylisted: to be asked again at its time
    IN_FLIGHT = "in_flight"
    ASKED = "asked"


class Domain:
    """One domain: its hosts, its queue, its knowledge.

    verdict: an outcome that holds for every address (no host, a refusal of us), None when each has to be asked; until
    `verdict_until` by the engine's clock, as `hosts` until `hosts_until`. limit: recipients a connection by the
    settings. at: index of the host that is asked now. failure: what ended its last session early. undecided: out of
    reach, and perhaps everybody is. come_back_at: when its greylisted addresses are asked again. held: accepted
    addresses that wait for the catch-all answer. suggestion: what was meant by the name, as seen when it was dead or
    not (`suggested_dead`; None: nobody looked). queued: the group in whose queue it stands.
    """

    __slots__ = (
        "active",
        "at",
        "catch_all",
        "come_back_at",
        "disposable",
        "failure",
        "free",
        "group",
        "held",
        "hosts",
        "hosts_until",
        "limit",
        "looking",
        "name",
        "needs_tls",
        "pending",
        "provider",
        "queued",
        "random",
        "random_address",
        "random_greylisted",
        "suggested_dead",
        "suggestion",
        "undecided",
        "verdict",
        "verdict_until",
    )

    def __init__(self, name: str, limit: int = 10) -> None:
        self.name = name
        self.limit = limit
        self.hosts: MailHosts | None = None
        self.hosts_until = 0.0
        self.looking = False
        self.group: Group[Domain] | None = None
        self.provider: Provider | None = None
        self.pending: Queue[Job] = Queue()
        self.held: Sequence[tuple[Job, Outcome]] = ()
        self.active = 0
        self.queued: Group[Domain] | None = None
        self.at = 0
        self.failure: Outcome | None = None
        self.verdict: Outcome | None = None
        self.verdict_until = 0.0
        self.catch_all: bool | None = None
        self.come_back_at = 0.0
        self.random = RandomProbe.NOT_ASKED
        self.random_address: str | None = None
        self.random_greylisted = False
        self.needs_tls = False
        self.undecided = False
        self.disposable: bool | None = None
        self.free: bool | None = None
        self.suggestion: str | None = None
        self.suggested_dead: bool | None = None

    def hold(self, job: Job, outcome: Outcome) -> None:
        """Keep an accepted address until it is known what that means."""
        if not isinstance(self.held, list):
            self.held = []
        self.held.append((job, outcome))

    def connections_wanted(self) -> int:
        """One for each connection's worth of recipients; one for a random address that is to be asked alone."""
        if self.undecided or self.verdict is not None:
            return 0
        if self.pending:
            return -(-len(self.pending) // self.recipients)
        return 1 if self.wants_random and not self.active else 0

    @property
    def recipients(self) -> int:
        """How many recipients go on one connection: the setting, unless its hosts are known to take fewer."""
        limits = [self.limit]
        if self.provider is not None and self.provider.recipients_per_connection is not None:
            limits.append(self.provider.recipients_per_connection)
        if self.group is not None and self.group.recipients is not None:
            limits.append(self.group.recipients)
        return min(limits)

    @property
    def wants_random(self) -> bool:
        """Somebody was accepted, and nothing says yet what that means."""
        return bool(self.held) and self.catch_all is None and self.random is RandomProbe.NOT_ASKED

    @property
    def is_idle(self) -> bool:
        """Nobody waits for it."""
        return not (self.pending or self.held or self.active or self.looking or self.undecided)

    @property
    def host(self) -> str | None:
        """The host to ask now."""
        return self.hosts.hosts[self.at] if self.hosts is not None and self.at < len(self.hosts.hosts) else None
