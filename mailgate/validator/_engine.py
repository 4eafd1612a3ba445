"""What keeps many domains going at once: look-ups, sessions, second chances, and who gets which verdict.

The model: an address enters once (`admit`) and leaves once (`_deliver`). In between it stands in its domain's queue,
is on a connection, is held for the catch-all answer, or waits for its time. Nothing waits in a task of its own: tasks
exist for each look-up and each connection, so a million addresses cost no more than the limits allow connections.

What ends a session early decides for those behind it: a host out of reach sends the domain to its next host; 421, a
block and a hang-up send its group to rest; a refusal of us at the door is the answer for everybody who stands there.
"""

from __future__ import annotations

import asyncio
import secrets
import string
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from mailgate.records import Reason, Resolve, Stage
from mailgate.validator._agenda import Agenda
from mailgate.validator._domain import Domain, Job, Outcome, RandomProbe
from mailgate.validator._driver import Connect, TimeLimits, run_probe
from mailgate.validator._gate import Gate, GateLimits, Group
from mailgate.validator._groups import group_mx, provider_of
from mailgate.validator._hosts import MailHosts
from mailgate.validator._judge import Verdict, combine, judge_catch_all, retry_hint
from mailgate.validator._lookups import LookUps
from mailgate.validator._probe import Answer, ProbeSettings, SmtpProbe, Target
from mailgate.validator._queue import Queue
from mailgate.validator._reach import Reach
from mailgate.validator._results import describe_domain, result_of_outcome
from mailgate.validator._settings import Level, Settings, StartTls
from mailgate.validator._state import Deferred, DomainFacts, State
from mailgate.validator._syntax import Mailbox, check_syntax
from mailgate.validator._words import AnyReason, Finding, Layer, Status

if TYPE_CHECKING:
    from mailgate.validator._run import Run

MAX_DOMAINS = 20_000
MAX_HELD = 10
MAX_RETURNS = 4  # an address that four connections took and did not ask about is not taken again
DNS_FAILURE_SECONDS = 30.0
UNREACHABLE_SECONDS = 600.0
REFUSAL_SECONDS = 3_600.0
_LETTERS = string.ascii_lowercase + string.digits
_FOUND = Outcome(
    verdict=Verdict(status=Status.VALID, reason=Finding.MAIL_HOST_FOUND, evidence="dns:mx"), layer=Layer.DNS
)


def random_local() -> str:
    """A local part that nobody has: 18 letters and digits, the first a letter."""
    return secrets.choice(string.ascii_lowercase) + "".join(secrets.choice(_LETTERS) for _ in range(17))


@dataclass(slots=True)
class _Session:
    """One connection. parting: the answer that ended it before its time. taken: recipients it took so far."""

    domain: Domain
    group: Group[Domain]
    host: str
    at: int
    started: float
    parting: Outcome | None = None
    taken: int = 0


class Engine:
    """See the module. Made and used within one event loop.

    facts, put_off: what a state file is to keep, taken by whoever writes it. changed: called when something may have
    happened for those who wait.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        resolve: Resolve,
        connect: Connect | None,
        random_local: Callable[[], str],
        utcnow: Callable[[], datetime],
        group_of: Callable[[str], str] | None,
        state: State | None,
        changed: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._random_local = random_local
        self._utcnow = utcnow
        self._group_of = group_of or (lambda host: group_mx(host, settings.providers))
        self._state = state
        self._now = asyncio.get_running_loop().time
        self._limits = _time_limits(settings)
        self.gate: Gate[Domain] = Gate(_gate_limits(settings), self._now)
        self._agenda = Agenda(next_time=self.gate.next_time, on_time=self.pump, changed=changed)
        self.lookups = LookUps(settings, resolve, spawn=self._agenda.spawn, found=self._looked_up)
        self.reach = Reach(settings, resolve, connect)
        self._domains: dict[str, Domain] = {}
        self._forget_at = MAX_DOMAINS
        self._closing = False
        self.deferred = 0
        self.facts: list[tuple[str, DomainFacts, int, int]] = []
        self.put_off: list[tuple[Job, Deferred]] = []

    @property
    def error(self) -> BaseException | None:
        """An exception of ours in a task; whoever waits raises it."""
        return self._agenda.error

    def fail(self, error: BaseException) -> None:
        """Let whoever waits raise this exception; the first one counts."""
        self._agenda.fail(error)

    # --- in and out ---------------------------------------------------------------------------------------------------

    def admit(self, job: Job, name: str, mailbox: Mailbox | None = None) -> None:
        """Take an address of domain `name`; `pump` has to follow. mailbox: `job.text` parsed, when it is at hand."""
        domain = self._domains.get(name) or self._new_domain(name)
        now = self._now()
        if domain.verdict is not None:
            if domain.verdict_until > now:
                return self._deliver(domain, job, domain.verdict, mailbox)
            domain.verdict = None
        if domain.hosts is not None and domain.hosts_until <= now and domain.is_idle:
            domain.hosts = None
            self._leave_group(domain)
        if domain.hosts is None:
            domain.pending.append(job)
            self.lookups.add(domain)
        elif self._settings.level is Level.DNS:
            self._deliver(domain, job, _FOUND, mailbox)
        else:
            self._enqueue(domain, job)

    def drop(self, run: Run) -> None:
        """Nobody waits for the addresses of `run` any more: those that were not asked yet are forgotten."""
        for domain in self._domains.values():
            if domain.held:
                domain.held = [(job, outcome) for job, outcome in domain.held if job.run is not run]
            if domain.pending:
                jobs, domain.pending = domain.pending, Queue()
                for job in jobs:
                    if job.run is not run:
                        domain.pending.append(job)
                if domain.group is not None:
                    domain.group.pending += len(domain.pending) - len(jobs)

    def pump(self) -> None:
        """Begin every look-up and every connection that may begin now."""
        if self._closing:
            return
        self.lookups.pump()
        while (chosen := self.gate.next()) is not None:
            self._agenda.spawn(self._serve(*chosen))
        if self.reach.undecided and (self.reach.ever or not (self.gate.open or self.lookups.busy)):
            self._decide_reach()
        self._agenda.set_timer()

    def _deliver(self, domain: Domain, job: Job, outcome: Outcome, mailbox: Mailbox | None = None) -> None:
        mailbox = mailbox or self._parsed(job)
        result = result_of_outcome(self._settings, domain, mailbox, outcome, job.attempts, job.run.checked_at())
        job.run.deliver(job, result)

    def _parsed(self, job: Job) -> Mailbox:
        mailbox = check_syntax(job.text, self._settings.syntax)
        assert isinstance(mailbox, Mailbox)  # noqa: S101 - nothing else is admitted
        return mailbox

    def _deliver_pending(self, domain: Domain, outcome: Outcome) -> None:
        while domain.pending:
            self._deliver(domain, self._take(domain), outcome)

    def _take(self, domain: Domain) -> Job:
        if domain.group is not None:
            domain.group.pending -= 1
        return domain.pending.popleft()

    # --- domains ------------------------------------------------------------------------------------------------------

    def _new_domain(self, name: str) -> Domain:
        if len(self._domains) >= self._forget_at:
            self._forget_domains()
        domain = self._domains[name] = Domain(name, self._settings.recipients_per_connection)
        describe_domain(self._settings, domain)
        if self._state is not None:
            facts = self._state.domain(name, self._utcnow().timestamp())
            domain.catch_all = facts.catch_all
            if facts.hosts is not None:
                self._use_hosts(domain, facts.hosts)
        return domain

    def _forget_domains(self) -> None:
        """Drop domains that nobody waits for, down to half the bound; looked at again only after a good many more."""
        excess = len(self._domains) - MAX_DOMAINS // 2
        for domain in [domain for domain in self._domains.values() if domain.is_idle][:excess]:
            self._leave_group(domain)
            del self._domains[domain.name]
        self._forget_at = max(MAX_DOMAINS, len(self._domains) * 3 // 2)

    def _looked_up(self, domain: Domain, hosts: MailHosts) -> None:
        evidence = f"dns:{'; '.join(hosts.notes)}"[:200] if hosts.notes else "dns:mx"
        verdict = Verdict(status=hosts.status, reason=hosts.reason, evidence=evidence)
        outcome = Outcome(verdict=verdict, layer=Layer.DNS)
        if hosts.status is not Status.VALID:
            self._has_no_host(domain, outcome, hosts.ttl_seconds)
        else:
            self._use_hosts(domain, hosts)
            self._keep(domain, hosts=hosts)
            if self._settings.level is Level.DNS:
                self._deliver_pending(domain, outcome)
            else:
                self._want(domain)
        self.pump()

    def _has_no_host(self, domain: Domain, outcome: Outcome, ttl_seconds: int) -> None:
        unknown = outcome.verdict.status is Status.UNKNOWN
        seconds = DNS_FAILURE_SECONDS if unknown else min(max(ttl_seconds, 60), 3600)
        domain.verdict, domain.verdict_until = outcome, self._now() + seconds
        while domain.pending:
            job = self._take(domain)
            if not (unknown and job.run.put_aside(job, domain.name)):
                self._deliver(domain, job, outcome)

    def ask_dns_again(self, job: Job, name: str) -> None:
        """Admit an address for whose domain DNS had no answer before; `pump` has to follow."""
        domain = self._domains.get(name) or self._new_domain(name)
        if domain.verdict is not None and domain.verdict.layer is Layer.DNS:
            domain.verdict = None
        self.admit(job, name)

    def _use_hosts(self, domain: Domain, hosts: MailHosts) -> None:
        domain.hosts = hosts
        domain.hosts_until = self._now() + min(max(hosts.ttl_seconds, 60), 86_400)
        if self._settings.level is Level.SMTP:
            self._ask_host(domain, 0)

    def _ask_host(self, domain: Domain, at: int) -> None:
        """From now on the domain asks its host number `at`, under the limits of that host's group."""
        domain.at = at
        host = domain.host
        assert host is not None  # noqa: S101 - hosts that are used are never empty
        group = self.gate.group(self._group_of(host))
        if domain.group is not group:
            self._leave_group(domain)
            group.pending += len(domain.pending)
            group.members += 1
            domain.group = group
        domain.provider = provider_of(host, self._settings.providers)

    def _leave_group(self, domain: Domain) -> None:
        if domain.group is not None:
            domain.group.pending -= len(domain.pending)
            domain.group.members -= 1
            domain.group = None

    def _keep(self, domain: Domain, *, hosts: MailHosts | None = None, catch_all: bool | None = None) -> None:
        """Note a fact for the state file."""
        if self._state is not None:
            now = int(self._utcnow().timestamp())
            until = now + (hosts.ttl_seconds if hosts else 0)
            facts = DomainFacts(catch_all=catch_all, hosts=hosts)
            self.facts.append((domain.name, facts, now + self._settings.catch_all_ttl_seconds, until))

    # --- connections --------------------------------------------------------------------------------------------------

    def _enqueue(self, domain: Domain, job: Job, *, first: bool = False) -> None:
        group = domain.group
        assert group is not None  # noqa: S101 - a domain with hosts has one
        if self.reach.port25_blocked:
            return self._deliver(domain, job, _unanswered(Finding.PORT25_BLOCKED))
        if self._is_away(group) and not self._may_stay(job, group):
            return self._deliver(domain, job, self._away(domain, group))
        if first:
            domain.pending.appendleft(job)
        else:
            domain.pending.append(job)
        group.pending += 1
        self.gate.want(domain, group)

    def _want(self, domain: Domain) -> None:
        """The domain may have work for a connection, or its group none for it."""
        group = domain.group
        if group is None or domain.looking:
            return
        if self.reach.port25_blocked:
            self._give_up_reaching(domain)
        elif domain.verdict is not None:
            self._close_again(domain, domain.verdict)
        if self._is_away(group):
            self._send_away(domain, group)
        self.gate.want(domain, group)

    async def _serve(self, domain: Domain, group: Group[Domain]) -> None:
        """One connection for one domain."""
        host = domain.host
        assert host is not None  # noqa: S101 - a domain without hosts has no group to ask
        session = _Session(domain, group, host, domain.at, self._now())
        probe = None
        try:
            sock = await self.reach.host(host)
            if sock is not None:
                probe = self._probe(session)
                await run_probe(probe, sock, limits=self._limits, host=host)
        finally:
            self.gate.release(domain, group)
        if probe is None:
            self._not_reached(session)
        else:
            self._after(session, probe)
        self._want(domain)
        self.pump()

    def _probe(self, session: _Session) -> SmtpProbe:
        settings, domain = self._settings, session.domain
        required = settings.starttls is StartTls.IF_REQUIRED
        return SmtpProbe(
            ProbeSettings(
                helo=settings.helo or "",
                mail_from=settings.mail_from or "",
                recipients=domain.recipients,
                refusals=settings.refusals_per_connection,
                starttls=StartTls.IF_OFFERED if required and domain.needs_tls else settings.starttls,
                rules=settings.rules,
            ),
            next_target=lambda: self._next_target(session),
            next_random=lambda: self._next_random(domain),
            answered=lambda answer: self._answered(session, answer),
            host=session.host,
        )

    def _next_target(self, session: _Session) -> Target | None:
        domain, settings = session.domain, self._settings
        # A slow host is left before its time is up, so that nobody is cut off in the middle of a question.
        latest = settings.session_seconds - settings.command_seconds
        if session.taken and 0 < latest < self._now() - session.started:
            return None
        # Where a connection takes one recipient the random address needs one for itself, before too many wait for it;
        # until then the next one asked may be refused, and no random address is needed.
        if not domain.pending or (domain.recipients == 1 and domain.wants_random and len(domain.held) >= MAX_HELD):
            return None
        job = self._take(domain)
        job.attempts += 1
        session.taken += 1
        mailbox = self._parsed(job)
        return Target(mailbox.envelope, smtputf8=mailbox.smtputf8, token=job)

    def _next_random(self, domain: Domain) -> Target | None:
        if not domain.wants_random:
            return None
        domain.random = RandomProbe.IN_FLIGHT
        if domain.random_address is None:
            domain.random_address = f"{self._random_local()}@{domain.name}"
        return Target(domain.random_address, random=True)

    # --- answers ------------------------------------------------------------------------------------------------------

    def _answered(self, session: _Session, answer: Answer) -> None:
        domain, verdict = session.domain, answer.verdict
        outcome = Outcome(
            verdict=verdict, layer=Layer.SMTP, stage=answer.stage, reply=answer.reply, mx_host=session.host
        )
        if _tells_us_off(outcome):
            session.parting = outcome
        job = answer.target.token
        if answer.target.random:
            self._random_answered(domain, answer)
        elif verdict.status is Status.VALID:
            self._accepted(domain, job, outcome)
        elif verdict.reason is not Reason.GREYLISTED or not self._put_off(domain, job, answer):
            self._deliver(domain, job, outcome)
            if verdict.proves_no_catch_all:
                self._learn(domain, False)

    def _accepted(self, domain: Domain, job: Job, outcome: Outcome) -> None:
        if domain.provider is not None and domain.provider.accepts_all:
            verdict = Verdict(
                status=Status.CATCH_ALL,
                reason=Finding.PROVIDER_ACCEPTS_ALL,
                evidence=f"provider:{domain.provider.name}",
            )
            self._deliver(domain, job, replace(outcome, verdict=verdict, catch_all=True))
        elif domain.catch_all is not None or domain.random is RandomProbe.ASKED or not self._settings.catch_all:
            self._deliver_accepted(domain, job, outcome)
        else:
            domain.hold(job, outcome)

    def _deliver_accepted(self, domain: Domain, job: Job, outcome: Outcome) -> None:
        verdict = combine(outcome.verdict, domain.catch_all)
        self._deliver(domain, job, replace(outcome, verdict=verdict, catch_all=domain.catch_all))

    def _random_answered(self, domain: Domain, answer: Answer) -> None:
        catch_all = judge_catch_all(answer.verdict)
        if catch_all is not None:
            self._learn(domain, catch_all)
        elif answer.verdict.reason is not Reason.GREYLISTED or not self._put_off_random(domain, answer):
            self._release_held(domain)

    def _learn(self, domain: Domain, catch_all: bool) -> None:
        if domain.catch_all is None:
            domain.catch_all = catch_all
            self._keep(domain, catch_all=catch_all)
        self._release_held(domain)

    def _release_held(self, domain: Domain) -> None:
        """The catch-all question is answered, or will not be: those who waited for it get their verdict."""
        if domain.held or domain.random is not RandomProbe.NOT_ASKED:
            domain.random = RandomProbe.ASKED
        held, domain.held = domain.held, ()
        for job, outcome in held:
            self._deliver_accepted(domain, job, outcome)

    # --- second chances -----------------------------------------------------------------------------------------------

    def _can_wait(self, job: Job, until: float) -> bool:
        if job.patience is None:
            job.patience = self._now() + job.run.max_wait_seconds
        return until <= job.patience

    def _delay(self, attempts: int, answer: Answer) -> float | None:
        """Seconds until a greylisted address may be asked again; None when it was asked often enough."""
        delays = self._settings.greylist_delays
        if attempts > len(delays):
            return None
        hint = retry_hint(answer.reply) if answer.reply is not None else None
        return max(delays[attempts - 1], hint or 0)

    def _put_off(self, domain: Domain, job: Job, answer: Answer) -> bool:
        """Let a greylisted address come back in time; False when it may not, or cannot wait so long."""
        delay = self._delay(job.attempts, answer)
        if delay is None:
            return False
        delay = self._together(domain, delay)
        if not self._can_wait(job, self._now() + delay):
            return False
        if self._state is not None:
            due = int(self._utcnow().timestamp() + delay) + 1
            self.put_off.append((job, Deferred(due, job.attempts)))
        self.ask_later(job, domain.name, delay)
        return True

    def _together(self, domain: Domain, delay: float) -> float:
        """A little longer than `delay`, so that those of a domain who were told to wait come back on one connection."""
        due = self._now() + delay
        if domain.come_back_at < due:
            domain.come_back_at = due + min(delay * 0.25, 2.0)
        return min(domain.come_back_at - self._now(), 2 * delay + 2.0)

    def ask_later(self, job: Job, name: str, delay: float) -> None:
        """Bring an address back after `delay` seconds."""
        self.deferred += 1

        def come_back() -> None:
            self.deferred -= 1
            if not job.run.over:
                self.admit(job, name)

        self._agenda.at(self._now() + delay, come_back)

    def _put_off_random(self, domain: Domain, answer: Answer) -> bool:
        """The same for the random address, once; those who were accepted wait with it."""
        delay = self._delay(1, answer)
        if delay is None or domain.random_greylisted:
            return False
        if not all(self._can_wait(job, self._now() + delay) for job, _ in domain.held):
            return False
        domain.random, domain.random_greylisted = RandomProbe.WAITING, True

        def come_back() -> None:
            if domain.random is RandomProbe.WAITING:
                domain.random = RandomProbe.NOT_ASKED
                self._want(domain)

        self._agenda.at(self._now() + delay, come_back)
        return True

    # --- after a session ----------------------------------------------------------------------------------------------

    def _after(self, session: _Session, probe: SmtpProbe) -> None:
        domain, group = session.domain, session.group
        self.gate.answered(group, probe.recipient_count, self._now() - session.started)
        domain.needs_tls = domain.needs_tls or probe.encrypted
        if probe.too_many:
            group.recipients = max(1, probe.recipient_count)
        if probe.failure is not None:
            session.parting = Outcome(
                verdict=probe.failure,
                layer=Layer.SMTP,
                stage=probe.failure_stage,
                reply=probe.failure_reply,
                mx_host=session.host,
            )
        domain.failure = session.parting
        self._bring_back(domain, probe)
        if session.parting is not None:
            if probe.failure is not None and not probe.asked:
                self._refused_at_the_door(session, session.parting)
            elif _tells_us_off(session.parting):
                self._strike(domain, group, session.started)

    def _bring_back(self, domain: Domain, probe: SmtpProbe) -> None:
        """Recipients that were taken and not asked go to the front again, unless they had that too often."""
        for target in reversed(probe.returned):
            if target.random:
                self._release_held(domain)
                continue
            job: Job = target.token
            job.attempts -= 1
            job.returned += 1
            if job.returned > MAX_RETURNS:
                self._deliver(domain, job, domain.failure or _unanswered(Reason.TOO_MANY_RECIPIENTS))
            elif not job.run.over:
                self._enqueue(domain, job, first=True)

    def _refused_at_the_door(self, session: _Session, failure: Outcome) -> None:
        """Nobody could be asked: try another host, another time, or never."""
        domain, group = session.domain, session.group
        for_good = failure.reply is not None and failure.reply.code >= 500
        told_off = _tells_us_off(failure)
        other = self._other_host(session, another_group=for_good)
        if other is not None and (failure.reply is None or failure.stage is not Stage.MAIL):
            if domain.at == session.at:
                self._ask_host(domain, other)
            if told_off and domain.group is not group:
                self._strike(domain, group, session.started)
            return
        self._ask_host(domain, 0)
        self._release_held(domain)
        if for_good or not told_off:
            self._close_domain(domain, failure, REFUSAL_SECONDS if for_good else UNREACHABLE_SECONDS)
        if told_off:
            self._strike(domain, group, session.started)

    def _other_host(self, session: _Session, *, another_group: bool) -> int | None:
        """The next host to try; with `another_group` the next one that somebody else runs."""
        hosts = session.domain.hosts.hosts if session.domain.hosts is not None else ()
        for index in range(session.at + 1, min(len(hosts), self._settings.max_mail_hosts)):
            if not another_group or self._group_of(hosts[index]) != session.group.name:
                return index
        return None

    def _close_domain(self, domain: Domain, outcome: Outcome, seconds: float) -> None:
        """One answer for everybody of the domain, for a while."""
        domain.verdict, domain.verdict_until = outcome, self._now() + seconds
        self._release_held(domain)
        self._deliver_pending(domain, outcome)

    def _close_again(self, domain: Domain, outcome: Outcome) -> None:
        """A session that was open when the domain was closed brought somebody back, or had somebody accepted."""
        self._deliver_pending(domain, outcome)
        if not domain.active:
            self._release_held(domain)

    def _strike(self, domain: Domain, group: Group[Domain], started: float) -> None:
        if self.gate.strike(group, started=started):
            for waiting in [domain, *group.waiting]:
                if waiting.group is group:
                    self._send_away(waiting, group)
            if group.left_alone:
                self.gate.dismiss(group)

    def _is_away(self, group: Group[Domain]) -> bool:
        return group.left_alone or (group.strikes > 0 and group.not_before > self._now())

    def _may_stay(self, job: Job, group: Group[Domain]) -> bool:
        return not group.left_alone and self._can_wait(job, group.not_before)

    def _away(self, domain: Domain, group: Group[Domain]) -> Outcome:
        """What somebody gets who cannot wait for a group that rests, or that is left alone."""
        seconds = REFUSAL_SECONDS if group.left_alone else group.not_before - self._now() + 1
        outcome = domain.failure or _unanswered(Reason.BLOCKED, evidence=f"group:{group.name}")
        return replace(outcome, retry_after=int(seconds))

    def _send_away(self, domain: Domain, group: Group[Domain]) -> None:
        """The group rests, or is left alone: whoever cannot wait that long gets the reason for it."""
        outcome = self._away(domain, group)
        staying: Queue[Job] = Queue()
        while domain.pending:
            job = self._take(domain)
            if self._may_stay(job, group):
                staying.append(job)
            else:
                self._deliver(domain, job, outcome)
        domain.pending = staying
        group.pending += len(staying)
        if not all(self._may_stay(job, group) for job, _ in domain.held):
            self._release_held(domain)

    # --- out of reach -------------------------------------------------------------------------------------------------

    def _not_reached(self, session: _Session) -> None:
        domain = session.domain
        if domain.at != session.at:
            return
        other = self._other_host(session, another_group=False)
        if other is not None:
            self._ask_host(domain, other)
            return
        self._ask_host(domain, 0)
        if self.reach.failed(domain, session.group.name):
            self._give_up_reaching(domain)
        elif self.reach.port25_blocked:
            for blocked in list(self._domains.values()):
                if blocked.group is not None:
                    self._give_up_reaching(blocked)
            self._decide_reach()

    def _decide_reach(self) -> None:
        for domain in self.reach.decide():
            self._give_up_reaching(domain)

    def _give_up_reaching(self, domain: Domain) -> None:
        self._release_held(domain)
        if self.reach.port25_blocked:
            self._deliver_pending(domain, _unanswered(Finding.PORT25_BLOCKED))
        else:
            hosts = domain.hosts.hosts[: self._settings.max_mail_hosts] if domain.hosts is not None else ()
            outcome = _unanswered(Finding.CONNECT_FAILED, evidence=f"dial:{','.join(hosts)}"[:200])
            self._close_domain(domain, outcome, UNREACHABLE_SECONDS)

    async def close(self) -> None:
        """End every session with a QUIT, and every look-up."""
        self._closing = True
        await self._agenda.close()


def _gate_limits(settings: Settings) -> GateLimits:
    return GateLimits(
        connections=settings.connections,
        per_domain=settings.per_domain,
        per_mx_group=settings.per_mx_group,
        pace_seconds=settings.pace_seconds,
        rest_seconds=settings.rest_seconds,
        strikes=settings.strikes,
    )


def _time_limits(settings: Settings) -> TimeLimits:
    return TimeLimits(
        greeting=settings.greeting_seconds,
        command=settings.command_seconds,
        session=settings.session_seconds,
        quit=settings.quit_seconds,
    )


def _unanswered(reason: AnyReason, *, evidence: str = "none") -> Outcome:
    return Outcome(verdict=Verdict(status=Status.UNKNOWN, reason=reason, evidence=evidence), layer=Layer.SMTP)


def _tells_us_off(outcome: Outcome) -> bool:
    """421, a block, a limit, a hang-up, silence, "not now" at the door: what a group has to rest for."""
    verdict, reply = outcome.verdict, outcome.reply
    if verdict.reason in (Finding.CONNECTION_LOST, Finding.TIMEOUT) or verdict.is_about_us:
        return True
    if reply is None or reply.code // 100 != 4:
        return False
    return reply.code == 421 or outcome.stage is not Stage.RCPT
