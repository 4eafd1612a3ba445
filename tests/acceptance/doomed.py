"""`mailgate` that is killed with -9, or stopped, at an instant that can be chosen again: at the Nth call of a function.

`python -m tests.acceptance.doomed NAME:N VERB …` kills itself right before the Nth call of the function NAME (`*`: of
any; `execute`: a statement of a database; `rename`: a message that is moved; or one of ours). `stop@NAME:N` stops
instead, until SIGCONT. The clock would be another way to choose an instant, but so many milliseconds are something else
on every machine.
"""

from __future__ import annotations

import os
import signal
import sys
from collections import Counter
from types import FrameType
from typing import Any

from mailgate.cli import main


def run(instant: str, words: list[str]) -> int:
    """One command line under that fate."""
    what, at, where = instant.rpartition("@")
    name, _, number = where.partition(":")
    fate = signal.SIGSTOP if at and what == "stop" else signal.SIGKILL
    left = int(number)
    calls: Counter[str] = Counter()

    def watch(frame: FrameType, event: str, argument: Any) -> None:
        if event not in ("call", "c_call"):
            return
        called = argument.__name__ if event == "c_call" else frame.f_code.co_name
        if name in ("*", called):
            calls[name] += 1
            if calls[name] == left:
                os.kill(os.getpid(), fate)

    sys.setprofile(watch)
    try:
        return main(words)
    finally:
        sys.setprofile(None)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1], sys.argv[2:]))
