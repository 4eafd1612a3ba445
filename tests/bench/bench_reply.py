"""How many replies and bounces are judged a second, beside the cheapest thing that could be done with the same texts.

    python tests/bench/bench_reply.py [path of the corpora folder]

Processor time, median of five rounds, in one process. The bound is one case-insensitive search for "user unknown" in
each text: what a list of a single pattern would cost. `distinct` empties the cache before each round, so that every
text is judged anew; `repeated` keeps it, as in a run over one provider's refusals.
"""

from __future__ import annotations

import json
import platform
import re
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from mailgate.bounce._cause import CauseFacts, judge
from mailgate.records import EnhancedStatus, Reason, SmtpReply, find_reply
from mailgate.records import _reply_meaning as table

FIXTURES = Path(__file__).parents[2] / "fixtures"
ROUNDS = 5
REPEATS = 20


def replies(corpora: Path | None) -> list[tuple[SmtpReply, str]]:
    lines = (FIXTURES / "replies" / "known.tsv").read_text(encoding="utf-8").splitlines()[1:]
    cells = [line.split("\t") for line in lines]
    found = [(SmtpReply.parse(cell[2].replace("\\n", "\r\n")), cell[0]) for cell in cells]
    if corpora is not None:
        for line in (corpora / "smtp_replies" / "smtp_replies.jsonl").read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            status = EnhancedStatus.parse(row["enhanced"]) if row["enhanced"] else None
            text = tuple(row["text"].split("\n"))
            found.append((SmtpReply(code=row["code"], enhanced_status=status, lines=text), row["stage"]))
    return found


def facts() -> list[CauseFacts]:
    found = []
    for line in (FIXTURES / "bounce_meaning" / "causes.jsonl").read_text(encoding="utf-8").splitlines():
        values = json.loads(line)["facts"]
        if "status" in values:
            values["status"] = EnhancedStatus.parse(values["status"])
        if "hint" in values:
            values["hint"] = Reason(values["hint"])
        found.append(CauseFacts(**values))
    return found


def rate(work: Callable[[], None], count: int, before: Callable[[], None]) -> float:
    """Items a second of processor time, median of the rounds."""
    rates = []
    for _ in range(ROUNDS):
        spent = 0.0
        for _ in range(REPEATS):
            before()
            started = time.process_time()
            work()
            spent += time.process_time() - started
        rates.append(count * REPEATS / spent)
    return statistics.median(rates)


def main() -> None:
    corpora = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    known, causes = replies(corpora), facts()
    texts = [reply.text for reply, _ in known]
    diagnostics = [one.diagnostic_code or one.text for one in causes]
    one_pattern = re.compile("user unknown", re.IGNORECASE)
    forget = table._find_row.cache_clear
    table.own_table()

    def keep() -> None:
        return None

    def bound() -> None:
        for text in texts:
            one_pattern.search(text)

    def meanings() -> None:
        for reply, stage in known:
            reply.meaning(stage)

    def judged() -> None:
        for one in causes:
            judge(one)

    def found() -> None:
        for text in diagnostics:
            find_reply(text)

    rows = table.all_rows()
    print(f"Python {platform.python_version()}, {len(rows)} rows, {sum(len(row.phrases) for row in rows)} phrases")
    bare = rate(bound, len(texts), keep)
    print(f"{'one pattern, no meaning (bound)':40s} {bare:12,.0f} /s")
    for name, work, count, before in (
        ("SmtpReply.meaning, distinct", meanings, len(known), forget),
        ("SmtpReply.meaning, repeated", meanings, len(known), keep),
        ("find_reply", found, len(diagnostics), keep),
        ("judge (bounces), distinct", judged, len(causes), forget),
        ("judge (bounces), repeated", judged, len(causes), keep),
    ):
        got = rate(work, count, before)
        print(f"{name:40s} {got:12,.0f} /s   1/{bare / got:.0f} of the bound")


if __name__ == "__main__":
    main()
