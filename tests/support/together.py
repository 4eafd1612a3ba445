"""The same work in several processes at the same instant."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from typing import Any


def all_at_once(work: Callable[[], object], processes: int = 4) -> list[int | None]:
    """Exit codes of `processes` children that wait for one another and then do `work`."""
    context = multiprocessing.get_context("fork")
    ready = context.Barrier(processes)
    children = [context.Process(target=_wait_and_work, args=(ready, work)) for _ in range(processes)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    return [child.exitcode for child in children]


def _wait_and_work(ready: Any, work: Callable[[], object]) -> None:
    ready.wait()
    work()
