"""`mailgate` that is killed with -9, or stopped, at an instant that can be chosen again: at the Nth call of a function.

`python -m tests.acceptance.doomed NAME:N VERB …` kills itself right before the Nth call of the function NAME (`*`: of
any; `execute`: a statement of a database; `rename`: a message that is moved; or one of ours). `NAME:N>NAME:N` counts
the second only after the first has come. `stop@…` stops instead, until SIGCONT. The clock would be another way to
choose an instant, but so many milliseconds are something else on every machine.
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import Any

from mailgate.cli import main


def run(instant: str, words: list[str]) -> int:
    """One command line under that fate."""
    what, _, where = instant.rpartition("@")
    fate = signal.SIGSTOP if what == "stop" else signal.SIGKILL
    steps = [(name, int(number)) for name, _, number in (step.partition(":") for step in where.split(">"))]
    name, left = steps.pop(0)

    def watch(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal name, left
        if event not in ("call", "c_call"):
            return
        called = argument.__name__ if event == "c_call" else frame.f_code.co_name
        if name not in ("*", called):
            return
        left -= 1
        if left == 0 and steps:
            name, left = steps.pop(0)
        elif left == 0:
            os.kill(os.getpid(), fate)

    sys.setprofile(watch)
    try:
        return main(words)
    finally:
        sys.setprofile(None)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1], sys.argv[2:]))
