"""`mailgate` that is killed with -9 at an instant that can be chosen again: at the Nth call of a function in C.

`python -m tests.acceptance.doomed NAME:N VERB …` kills itself right before the Nth call of NAME (`*`: of anything;
`execute`: a statement of a database; `rename`: a message that is moved). `count` instead of NAME:N runs to the end and
writes how many calls there were to stderr, as its last line. The clock would be another way to choose, but a test that
waits so many milliseconds hits something else on every machine.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections import Counter
from types import FrameType
from typing import Any

from mailgate.cli import main


def run(where: str, words: list[str]) -> int:
    """One command line under that fate."""
    name, _, number = where.partition(":")
    fatal = int(number or 0)
    calls: Counter[str] = Counter()

    def watch(frame: FrameType, event: str, argument: Any) -> None:
        if event != "c_call":
            return
        called = argument.__name__
        calls["*"] += 1
        calls[called] += 1
        if fatal and calls[name] == fatal and name in ("*", called):
            os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(watch)
    try:
        return main(words)
    finally:
        sys.setprofile(None)
        if not fatal:
            print(json.dumps(calls), file=sys.stderr)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1], sys.argv[2:]))
