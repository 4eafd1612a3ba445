"""What is to happen at which time, on one timer, and the tasks that run now."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable, Coroutine
from typing import Any


class Agenda:
    """Made and used within one event loop.

    next_time: when somebody else wants to be woken, None for never. on_time: called when a time has come. changed:
    called behind it, and at the end of every task. error: the first exception of a task; whoever waits raises it.
    """

    def __init__(
        self, *, next_time: Callable[[], float | None], on_time: Callable[[], None], changed: Callable[[], None]
    ) -> None:
        self._next_time = next_time
        self._on_time = on_time
        self._changed = changed
        self._loop = asyncio.get_running_loop()
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._sequence = itertools.count()
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.error: BaseException | None = None

    def at(self, when: float, action: Callable[[], None]) -> None:
        """Do `action` at a time of the loop's clock."""
        heapq.heappush(self._due, (when, next(self._sequence), action))
        self.set_timer()

    def set_timer(self) -> None:
        """Wake up for what comes first."""
        times = [self._due[0][0]] if self._due else []
        other = self._next_time()
        if other is not None:
            times.append(other)
        if not times or (self._timer is not None and self._timer.when() <= min(times)):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(min(times), lambda: self.spawn(self._wake()))

    async def _wake(self) -> None:
        self._timer = None
        now = self._loop.time()
        while self._due and self._due[0][0] <= now:
            heapq.heappop(self._due)[2]()
        self._on_time()
        self._changed()

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` as a task of its own."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self.fail(error)
        self._changed()

    def fail(self, error: BaseException) -> None:
        """Note an exception; the first one counts."""
        self.error = self.error or error

    async def close(self) -> None:
        """Cancel every task and wait for its end; nothing happens any more."""
        if self._timer is not None:
            self._timer.cancel()
        # A task that is cancelled before its first step cannot give back what was counted for it.
        await asyncio.sleep(0)
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
