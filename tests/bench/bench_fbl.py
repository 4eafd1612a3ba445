"""How many complaints a second one process reads, beside the standard `email` package merely parsing the same files.

    python tests/bench/bench_fbl.py [FOLDER]

FOLDER: `.eml` files, the fixtures by default. CPU time, best of seven rounds; no threshold is checked here.
"""

from __future__ import annotations

import email
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

from mailgate import __version__
from mailgate.fbl import events, parse, summarize
from mailgate.records import Mail

ROUNDS = 7
SECONDS_A_ROUND = 0.7
FIXTURES = Path(__file__).parents[2] / "fixtures" / "fbl"


def best(work: Callable[[bytes], object], messages: list[bytes]) -> float:
    """Messages a second, the best of `ROUNDS`."""
    rates = []
    for _ in range(ROUNDS):
        count, start = 0, time.process_time()
        while (elapsed := time.process_time() - start) < SECONDS_A_ROUND:
            for message in messages:
                work(message)
            count += len(messages)
        rates.append(count / elapsed)
    return max(rates)


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FIXTURES
    messages = [path.read_bytes() for path in sorted(folder.rglob("*.eml"))]
    size = sum(map(len, messages)) / len(messages)
    reports = [report for report in map(parse, messages) if report is not None]
    rows = {
        "email.message_from_bytes": best(email.message_from_bytes, messages),
        "Mail.read": best(Mail.read, messages),
        "fbl.parse": best(parse, messages),
        "fbl.parse + events": best(lambda message: [events(r) for r in (parse(message),) if r], messages),
        "fbl.parse + to_dict": best(lambda message: [r.to_dict() for r in (parse(message),) if r], messages),
    }
    print(f"mailgate {__version__}, Python {platform.python_version()}, {len(messages)} messages of {size:,.0f} bytes")
    for name, rate in rows.items():
        print(f"{name:28} {rate:9,.0f}/s   {rate / rows['email.message_from_bytes']:.2f} of email")
    start = time.process_time()
    summarize(reports * 100)
    print(f"{'summarize':28} {len(reports) * 100 / (time.process_time() - start):9,.0f}/s")


if __name__ == "__main__":
    main()
