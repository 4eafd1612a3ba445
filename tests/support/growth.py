"""How the work of a reader grows with its input, told apart from the noise of a busy machine.

Linear and quadratic lie far apart when the input grows sixteenfold: 16 against 256. The least of several runs is the
one that was disturbed least, so a ratio of 80 separates them on any machine; no test depends on how fast one is.
"""

from __future__ import annotations

import time
from collections.abc import Callable

FACTOR = 16
ALLOWANCE = 5  # for caches and neighbours
RUNS = 5
TOO_FAST_TO_TELL_SECONDS = 0.0005


def is_linear(run: Callable[[int], object], size: int) -> bool:
    """True unless `run(16 * size)` costs more than five times what a linear reader would need over `run(size)`."""
    small = max(min(_seconds(run, size) for _ in range(RUNS)), TOO_FAST_TO_TELL_SECONDS)
    return any(_seconds(run, FACTOR * size) < ALLOWANCE * FACTOR * small for _ in range(RUNS))


def _seconds(run: Callable[[int], object], size: int) -> float:
    """CPU time of one run."""
    start = time.process_time()
    run(size)
    return time.process_time() - start
