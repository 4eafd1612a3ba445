"""Work spread over processes; results come in the order of the items."""

from __future__ import annotations

import argparse
import itertools
import os
import re
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future

T = TypeVar("T")
R = TypeVar("R")

ITEMS_PER_TASK = 64  # a task per message would cost more in pickling than the reading itself
_PR_SET_PDEATHSIG = 1  # prctl(2)
TASKS_AHEAD = 4  # tasks in flight a worker: keeps every worker busy and memory bounded


def add_jobs_option(parser: argparse.ArgumentParser) -> None:
    """`--jobs`."""
    parser.add_argument(
        "--jobs", type=_number, default=1, metavar="N", help="processes that read (0: one a processor); default 1"
    )


def _number(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,3}", text):
        raise argparse.ArgumentTypeError(f"not a number of processes from 0 to 999: {text!r}")
    return int(text)


def ordered_map(function: Callable[[T], R], items: Iterable[T], jobs: int = 1) -> Iterator[R]:
    """`function` of every item, in order, in `jobs` processes (0: one a processor; 1: in this one).

    function and items must pickle. At most `jobs * TASKS_AHEAD * ITEMS_PER_TASK` items are under way.
    """
    jobs = jobs or os.cpu_count() or 1
    if jobs == 1:
        yield from map(function, items)
        return
    # Here and not above: most runs read in one process, and these cost more to import than a message to read.
    from concurrent.futures import ProcessPoolExecutor

    batches = itertools.batched(items, ITEMS_PER_TASK) if hasattr(itertools, "batched") else _batched(items)
    with ProcessPoolExecutor(jobs, initializer=_follow_the_parent, initargs=(os.getpid(),)) as pool:
        pending: deque[Future[list[R]]] = deque()
        try:
            for batch in batches:
                pending.append(pool.submit(_run, function, tuple(batch)))
                if len(pending) >= jobs * TASKS_AHEAD:
                    yield from pending.popleft().result()
            while pending:
                yield from pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()


def _run(function: Callable[[T], R], batch: tuple[T, ...]) -> list[R]:
    return [function(item) for item in batch]


def _batched(items: Iterable[T]) -> Iterator[tuple[T, ...]]:
    iterator = iter(items)
    while batch := tuple(itertools.islice(iterator, ITEMS_PER_TASK)):
        yield batch


def _follow_the_parent(parent: int) -> None:
    """Interrupts are the parent's business; and a worker must not outlive a parent that was killed (Linux)."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before we asked
        os._exit(1)
