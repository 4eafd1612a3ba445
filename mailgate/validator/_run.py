"""One list on its way through the engine: read ahead so far, handed out in order or as it comes, stored first.

The bound: at most `look_ahead` addresses are between the source and the caller, whatever they wait for. A source that
is a plain iterable is read in slices between events; an async one is read by a task of its own.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from mailgate.records import address_key
from mailgate.validator._domain import Job
from mailgate.validator._progress import Counter
from mailgate.validator._results import result_of_fault, result_of_form
from mailgate.validator._settings import Level
from mailgate.validator._state import Deferred, read_result, result_key
from mailgate.validator._syntax import Mailbox, SyntaxFault, check_syntax
from mailgate.validator._validation import Validation

if TYPE_CHECKING:
    from mailgate.validator._validator import Validator

_SLICE = 256
# Addresses whose domain DNS had no answer for wait for the end of the list; no more of them than this.
MAX_ASIDE = 10_000

Item = tuple[Any, str]
Source = Iterable[Item] | AsyncIterable[Item]


class Run:
    """See the module. max_wait_seconds: how long an address may wait for a second chance. over: nobody reads on."""

    def __init__(self, validator: Validator, *, ordered: bool, max_wait_seconds: float, total: int | None) -> None:
        self._validator = validator
        self._settings = validator.settings
        self._engine = validator.engine
        self._ordered = ordered
        self.over = False
        self.max_wait_seconds = max_wait_seconds
        self._index = 0
        self._next_out = 0
        self._waiting: dict[int, tuple[Any, Validation]] = {}
        self._out: deque[tuple[Any, Validation]] = deque()
        self._open = 0
        self._aside: list[tuple[Job, str]] = []
        self._behind_aside = 0
        self._exhausted = False
        self._wake = asyncio.Event()
        self._hungry = asyncio.Event()
        self._in_flight: dict[str, Job] = {}
        self._recent: OrderedDict[str, Validation] = OrderedDict()
        self._checked_at = validator.utcnow()
        self._buffer: deque[Item] = deque()
        self._finds_duplicates = self._settings.level is Level.SMTP
        # Only connections gain from a long look ahead.
        smtp = self._settings.level is Level.SMTP
        self._look_ahead = self._settings.look_ahead if smtp else min(self._settings.look_ahead, _SLICE * 8)
        self.counter = Counter(total, validator.engine)

    # --- the caller's side --------------------------------------------------------------------------------------------

    async def results(self, source: Source) -> AsyncGenerator[tuple[Any, Validation], None]:
        """Every item of `source` with its result."""
        feeder = None
        if isinstance(source, AsyncIterable):
            feeder = asyncio.create_task(self._feed(source))
            feeder.add_done_callback(lambda _: self._wake.set())
        else:
            iterator = iter(source)
        try:
            while True:
                self._wake.clear()
                if feeder is None:
                    self._fill(iterator)
                else:
                    self._drain_buffer(feeder)
                self._engine.pump()
                while self._out:
                    yield self._out.popleft()
                self._raise_errors(feeder)
                if self._aside and self._open == self._behind_aside and (self._exhausted or not self._room()):
                    self._ask_again()  # at the end, or when those set aside let nobody pass
                elif self._exhausted and not self._open:
                    return
                elif feeder is not None or self._exhausted or not self._room():
                    await self._wake.wait()
                else:
                    await asyncio.sleep(0)
        finally:
            self._validator.forget(self)
            self.over = True
            if self._open:
                self._engine.drop(self)
            if feeder is not None:
                feeder.cancel()
                await asyncio.gather(feeder, return_exceptions=True)

    def wake(self) -> None:
        """Something may have changed."""
        self._wake.set()

    @property
    def has_results(self) -> bool:
        """A result can be had without waiting."""
        return bool(self._out)

    def checked_at(self) -> datetime:
        """The time that results carry: that of the turn of the loop in which they were made."""
        return self._checked_at

    def _raise_errors(self, feeder: asyncio.Task[None] | None) -> None:
        if self._engine.error is not None:
            raise self._engine.error
        if feeder is not None and feeder.done() and not feeder.cancelled():
            error = feeder.exception()
            if error is not None:
                raise error

    # --- reading ahead ------------------------------------------------------------------------------------------------

    def _room(self) -> bool:
        if self._ordered:
            return self._index - self._next_out < self._look_ahead
        return self._open < self._look_ahead

    def _fill(self, iterator: Iterator[Item]) -> None:
        if self._exhausted or not self._room():
            return
        items = list(islice(iterator, _SLICE))
        self._exhausted = len(items) < _SLICE
        self._admit(items)

    async def _feed(self, source: AsyncIterable[Item]) -> None:
        async for item in source:
            self._buffer.append(item)
            self._wake.set()
            while len(self._buffer) >= _SLICE:
                self._hungry.clear()
                await self._hungry.wait()

    def _drain_buffer(self, feeder: asyncio.Task[None]) -> None:
        done = feeder.done()
        if done or self._room():
            items = list(self._buffer)
            self._buffer.clear()
            self._hungry.set()
            self._admit(items)
            self._exhausted = done

    def _admit(self, items: list[Item]) -> None:
        self._checked_at = self._validator.utcnow()
        if self._settings.level is Level.SYNTAX:
            for payload, text in items:
                self._finish_now(payload, self._form(text))
            return
        parsed = [(payload, text, check_syntax(text, self._settings.syntax)) for payload, text in items]
        stored = self._stored(parsed)
        for payload, text, checked in parsed:
            if isinstance(checked, SyntaxFault):
                self._finish_now(payload, result_of_fault(self._settings, checked, self._checked_at))
            else:
                self._admit_mailbox(payload, text, checked, stored)

    def _form(self, text: str) -> Validation:
        checked = check_syntax(text, self._settings.syntax)
        if isinstance(checked, SyntaxFault):
            return result_of_fault(self._settings, checked, self._checked_at)
        return result_of_form(self._settings, checked, self._checked_at)

    def _stored(self, parsed: list[tuple[Any, str, Mailbox | SyntaxFault]]) -> dict[str, Any]:
        """What the state file knows of these addresses, by their key."""
        state = self._validator.state
        if state is None:
            return {}
        keys = {address_key(c.envelope): c for _, _, c in parsed if isinstance(c, Mailbox)}
        hashes = {result_key(self._settings.level, key): key for key in keys}
        found = state.find(hashes, self._checked_at.timestamp())
        return {hashes[name]: value for name, value in found.items()}

    def _admit_mailbox(self, payload: Any, text: str, mailbox: Mailbox, stored: dict[str, Any]) -> None:
        key = ""
        if self._finds_duplicates or self._validator.state is not None:
            key = address_key(mailbox.envelope)
            known = stored.get(key)
            if isinstance(known, dict):
                return self._finish_now(payload, read_result(known, text, mailbox))
            if key in self._recent:
                return self._finish_now(payload, _as_given(self._recent[key], text, mailbox))
        job = Job(self, self._index, text, payload, key)
        self._index += 1
        self._open += 1
        if key:
            first = self._in_flight.setdefault(key, job)
            if first is not job:
                self._behind_aside += first.aside
                return first.repeated(job)
        if stored and isinstance(stored.get(key), Deferred):
            self._resume(job, mailbox.domain, stored[key])
        else:
            self._engine.admit(job, mailbox.domain, mailbox)

    def _resume(self, job: Job, domain: str, deferred: Deferred) -> None:
        """An earlier run was told to come back later: keep to that time."""
        job.attempts = deferred.attempts
        delay = deferred.due_at - self._checked_at.timestamp()
        if delay <= 0:
            self._engine.admit(job, domain)
        else:
            self._engine.ask_later(job, domain, delay)

    # --- results ------------------------------------------------------------------------------------------------------

    def _finish_now(self, payload: Any, result: Validation) -> None:
        """A result that needed nobody."""
        index, self._index = self._index, self._index + 1
        self.emit(index, payload, result)

    def put_aside(self, job: Job, domain: str) -> bool:
        """Keep an address whose domain DNS had no answer for until the end of the list; False when it had its turn."""
        if job.asked_dns_twice or self.max_wait_seconds <= 0 or len(self._aside) >= MAX_ASIDE:
            return False
        job.asked_dns_twice = job.aside = True
        self._aside.append((job, domain))
        self._open -= 1
        self._behind_aside += len(job.again or ())  # still open, and nobody works on them
        self._wake.set()
        return True

    def _ask_again(self) -> None:
        aside, self._aside = self._aside, []
        self._open += len(aside)
        self._behind_aside = 0
        for job, domain in aside:
            job.aside = False
            self._engine.ask_dns_again(job, domain)

    def deliver(self, job: Job, result: Validation) -> None:
        """The engine is done with a job: store its result, then hand it out, to duplicates too."""
        if self._validator.state is not None:
            self._validator.store(self, job, result)
        else:
            self.hand_out(job, result)

    def hand_out(self, job: Job, result: Validation) -> None:
        """The result is safe: give it to the caller."""
        if job.key:
            self._in_flight.pop(job.key, None)
            if self._finds_duplicates:
                self._remember(job.key, result)
        self._open -= 1
        self.emit(job.index, job.payload, result)
        for other in job.again or ():
            self._open -= 1
            mailbox = check_syntax(other.text, self._settings.syntax)
            if isinstance(mailbox, Mailbox):
                self.emit(other.index, other.payload, _as_given(result, other.text, mailbox))

    def _remember(self, key: str, result: Validation) -> None:
        self._recent[key] = result
        if len(self._recent) > self._settings.recent:
            self._recent.popitem(last=False)

    def emit(self, index: int, payload: Any, result: Validation) -> None:
        """Hand a result out, in its turn when the order counts."""
        self.counter.count(result)
        if not self._ordered:
            self._out.append((payload, result))
        else:
            self._waiting[index] = payload, result
            while self._next_out in self._waiting:
                self._out.append(self._waiting.pop(self._next_out))
                self._next_out += 1
        self._wake.set()


def _as_given(result: Validation, text: str, mailbox: Mailbox) -> Validation:
    return replace(result, input=text, mailbox=mailbox)
