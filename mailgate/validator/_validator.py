"""The `Validator`: one set of limits, caches and connections for all that is asked through it; its blocking twins."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from contextlib import aclosing
from datetime import UTC, datetime
from itertools import repeat
from types import TracebackType
from typing import Any, TypeVar

from mailgate.records import MailgateError, Resolve
from mailgate.validator._domain import Job
from mailgate.validator._driver import Connect, can_bind
from mailgate.validator._engine import Engine, random_local
from mailgate.validator._progress import Progress
from mailgate.validator._run import Run, Source
from mailgate.validator._settings import Level, Settings
from mailgate.validator._state import State, StateError, result_key
from mailgate.validator._validation import Validation

_STORE_AT_ONCE = 200
_STORE_EVERY_SECONDS = 0.25
_PROGRESS_EVERY_SECONDS = 0.25

PayloadT = TypeVar("PayloadT")


class SourceAddressError(MailgateError):
    """`source_ip` is not an address of this machine."""

    exit_status = 78


async def no_resolver(name: str, rrtype: str) -> Any:
    """Stands where nobody gave a resolver and the level needs none."""
    raise ValueError(
        "this level asks DNS: give resolve=, for instance mailgate.resolver's CachingResolver(DnsResolver())"
    )


class Validator:
    """Validates addresses within one set of limits; `async with Validator(settings, resolve=…) as validator:`.

    settings: what to do. resolve: DNS as an async callable (levels dns and smtp). connect: `await connect(address,
    port)` gives a connected, non-blocking socket; for a way out of your own. state: path of a SQLite file in which
    results are kept, so that the next run goes on where this one was. on_progress: called with a `Progress` at most
    four times a second. utcnow, random_local, group_of: the time, the local part of random addresses, and the MX host
    group of a host name, for those who know better.

    One event loop; several streams at a time share the limits. Raises StateError and SourceAddressError when entered.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        resolve: Resolve | None = None,
        connect: Connect | None = None,
        state: str | os.PathLike[str] | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        utcnow: Callable[[], datetime] = lambda: datetime.now(UTC),
        random_local: Callable[[], str] = random_local,
        group_of: Callable[[str], str] | None = None,
    ) -> None:
        if resolve is None and settings.level is not Level.SYNTAX:
            raise ValueError(f"level {settings.level} needs resolve=")
        self.settings = settings
        self.utcnow = utcnow
        self._resolve = no_resolver if resolve is None else resolve
        self._connect = connect
        self._state_path = state
        self._on_progress = on_progress
        self._random_local = random_local
        self._group_of = group_of
        self._runs: list[Run] = []
        self._unstored: list[tuple[Run, Job, Validation]] = []
        self._store_timer: asyncio.TimerHandle | None = None
        self._progress_timer: asyncio.TimerHandle | None = None
        self.state: State | None = None
        self._engine: Engine | None = None

    async def __aenter__(self) -> Validator:
        settings = self.settings
        if settings.source_ip is not None and not can_bind(settings.source_ip):
            raise SourceAddressError(f"source_ip is not an address of this machine: {settings.source_ip!r}")
        if self._state_path is not None:
            self.state = State(self._state_path, max_age_seconds=settings.max_age_days * 86_400)
        self._engine = Engine(
            settings,
            resolve=self._resolve,
            connect=self._connect,
            random_local=self._random_local,
            utcnow=self.utcnow,
            group_of=self._group_of,
            state=self.state,
            changed=self._changed,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.engine.close()
        self._flush()
        if self._progress_timer is not None:
            self._progress_timer.cancel()
        if self.state is not None:
            self.state.close()
            self.state = None

    @property
    def engine(self) -> Engine:
        """The engine; ValueError outside of `async with`."""
        if self._engine is None:
            raise ValueError("a Validator is used within `async with`")
        return self._engine

    @property
    def port25_blocked(self) -> bool:
        """True when no mail host at all could be reached, so that it must be this machine."""
        return self.engine.reach.port25_blocked

    async def validate(self, address: str, *, max_wait_seconds: float = 0.0) -> Validation:
        """The result for one address; without waiting for a second chance unless `max_wait_seconds` says so."""
        run = self._begin(ordered=False, max_wait_seconds=max_wait_seconds, total=1)
        async with aclosing(run.results([(None, address)])) as results:
            async for _, result in results:
                return result
        raise AssertionError("a stream of one address gave none")

    async def stream(
        self,
        addresses: Iterable[str] | AsyncIterable[str],
        *,
        ordered: bool = False,
        max_wait_seconds: float | None = None,
        total: int | None = None,
    ) -> AsyncGenerator[Validation, None]:
        """One result for each address, as they come, or in the order of the list.

        addresses: any number; they are read as far ahead as `settings.look_ahead` and no further. An iterable that
        blocks stalls every connection: give an async one. ordered: a slow host then holds back what comes behind it.
        max_wait_seconds: instead of the setting. total: for the estimate in `Progress`.
        """
        if isinstance(addresses, AsyncIterable):
            source: Source = _pair_up(addresses)
        else:
            source = zip(repeat(None), addresses)
        run = self._begin(ordered=ordered, max_wait_seconds=max_wait_seconds, total=total)
        async with aclosing(run.results(source)) as results:
            async for _, result in results:
                yield result

    async def stream_rows(
        self,
        rows: Iterable[tuple[PayloadT, str]] | AsyncIterable[tuple[PayloadT, str]],
        *,
        ordered: bool = False,
        max_wait_seconds: float | None = None,
        total: int | None = None,
    ) -> AsyncGenerator[tuple[PayloadT, Validation], None]:
        """`stream` for addresses that belong to something: pairs of anything and its address, out as anything and its
        result."""
        run = self._begin(ordered=ordered, max_wait_seconds=max_wait_seconds, total=total)
        async with aclosing(run.results(rows)) as results:
            async for pair in results:
                yield pair

    def _begin(self, *, ordered: bool, max_wait_seconds: float | None, total: int | None) -> Run:
        wait = self.settings.max_wait_seconds if max_wait_seconds is None else max_wait_seconds
        run = Run(self, ordered=ordered, max_wait_seconds=wait, total=total)
        self._runs.append(run)
        self._report_progress()
        return run

    def progress(self) -> Progress:
        """Where the run that was begun last is now; zeros when there is none."""
        if not self._runs:
            return Progress(done=0, total=None)
        return self._runs[-1].counter.progress(self.settings.per_mx_group)

    @property
    def has_results(self) -> bool:
        """A result can be had without waiting."""
        return any(run.has_results for run in self._runs)

    # --- what runs and engine call ------------------------------------------------------------------------------------

    def forget(self, run: Run) -> None:
        """The run is over."""
        self._runs.remove(run)
        if self._on_progress is not None:
            self._on_progress(run.counter.progress(self.settings.per_mx_group))

    def _changed(self) -> None:
        for run in self._runs:
            run.wake()

    def store(self, run: Run, job: Job, result: Validation) -> None:
        """Keep a result; it is handed out once it is safe."""
        self._unstored.append((run, job, result))
        if len(self._unstored) >= _STORE_AT_ONCE:
            self._flush()
        elif self._store_timer is None:
            self._store_timer = asyncio.get_running_loop().call_later(_STORE_EVERY_SECONDS, self._flush)

    def _flush(self) -> None:
        if self._store_timer is not None:
            self._store_timer.cancel()
            self._store_timer = None
        engine = self.engine
        if self.state is None or not (self._unstored or engine.put_off or engine.facts):
            return
        level = self.settings.level
        done, self._unstored = self._unstored, []
        put_off, engine.put_off = engine.put_off, []
        facts, engine.facts = engine.facts, []
        try:
            self.state.store(
                [(result_key(level, job.key), result) for _, job, result in done],
                [(result_key(level, job.key), deferred) for job, deferred in put_off],
                facts,
            )
        except StateError as error:
            engine.fail(error)
            self._changed()
            return
        for run, job, result in done:
            run.hand_out(job, result)

    def _report_progress(self) -> None:
        self._progress_timer = None
        if self._on_progress is None or not self._runs:
            return
        self._on_progress(self.progress())
        self._progress_timer = asyncio.get_running_loop().call_later(_PROGRESS_EVERY_SECONDS, self._report_progress)


async def _pair_up(addresses: AsyncIterable[str]) -> AsyncIterator[tuple[None, str]]:
    async for address in addresses:
        yield None, address


async def validate(address: str, settings: Settings, *, resolve: Resolve | None = None) -> Validation:
    """The result for one address, with limits of its own. For more than one, keep a `Validator`."""
    async with Validator(settings, resolve=resolve) as validator:
        return await validator.validate(address)


def validate_sync(address: str, settings: Settings, *, resolve: Resolve | None = None) -> Validation:
    """`validate` for code without an event loop.

    >>> str(validate_sync("nobody@example..com", Settings(level=Level.SYNTAX)).reason)
    'empty_label'
    """
    return asyncio.run(validate(address, settings, resolve=resolve))


def stream_sync(
    addresses: Iterable[str],
    settings: Settings,
    *,
    resolve: Resolve | None = None,
    connect: Connect | None = None,
    state: str | os.PathLike[str] | None = None,
    ordered: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
) -> Iterator[Validation]:
    """`Validator.stream` for code without an event loop; what it opened is closed when the iterator is.

    The event loop runs while the next result is waited for, in the caller's thread: whoever takes long over a result
    lets open connections wait.

    >>> [str(r.status) for r in stream_sync(["a@example.com", "b"], Settings(level=Level.SYNTAX), ordered=True)]
    ['valid', 'invalid']
    """
    with asyncio.Runner() as runner:

        async def enter() -> Validator:
            return await validator.__aenter__()

        async def some(results: AsyncGenerator[Validation, None]) -> list[Validation]:
            """At least one result, and those that are there already; none at the end."""
            found: list[Validation] = []
            async for result in results:
                found.append(result)
                if len(found) >= _STORE_AT_ONCE or not validator.has_results:
                    break
            return found

        validator = Validator(settings, resolve=resolve, connect=connect, state=state, on_progress=on_progress)
        runner.run(enter())
        stream = validator.stream(addresses, ordered=ordered)
        try:
            while found := runner.run(some(stream)):
                yield from found
        finally:

            async def leave() -> None:
                await stream.aclose()
                await validator.__aexit__(None, None, None)

            runner.run(leave())
