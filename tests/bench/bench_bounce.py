"""How fast bounces are read, beside flufl.bounce and the bare `email` package in the same run.

    python tests/bench/bench_bounce.py [FOLDER] [--jobs]     # default: fixtures/bounce

CPU time of one process, messages read into memory before, the least of several alternating rounds. `email` parses and
walks and does nothing else; flufl.bounce gets a message parsed by `email`, as it wants. Then hostile sizes: time, how
it grows when the input doubles, and memory beyond the message. `--jobs` also measures the command line with one and
with two processes on the files, wall time, start-up included.
"""

from __future__ import annotations

import argparse
import contextlib
import email
import io
import logging
import platform
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from mailgate.bounce import parse
from mailgate.records import Mail, ParseError

ROOT = Path(__file__).parents[2]
ROUNDS = 7
JOBS_MESSAGES = 20_000


def read_bytes(folder: Path) -> list[bytes]:
    paths = sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix in (".eml", ".txt", ".mail", ""))
    return [path.read_bytes() for path in paths]


def ours(raw: bytes) -> None:
    with contextlib.suppress(ParseError):
        parse(raw)


def mail_walk(raw: bytes) -> None:
    with contextlib.suppress(ParseError):
        for _ in Mail.read(raw).walk():
            pass


def email_walk(raw: bytes) -> None:
    for _ in email.message_from_bytes(raw).walk():
        pass


def flufl() -> Callable[[bytes], None] | None:
    try:
        from flufl.bounce import all_failures
    except ImportError:
        return None
    logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL)

    def read(raw: bytes) -> None:
        # Some of its detectors fail on mail without a From; it prints that and goes on.
        with contextlib.suppress(Exception), contextlib.redirect_stderr(io.StringIO()):
            all_failures(email.message_from_bytes(raw))

    return read


def rates(corpus: list[bytes], readers: dict[str, Callable[[bytes], None]]) -> dict[str, float]:
    """Messages a second of each reader; the rounds alternate, so that a busy machine is busy for all."""
    least = dict.fromkeys(readers, float("inf"))
    for _ in range(ROUNDS):
        for name, read in readers.items():
            start = time.process_time()
            for raw in corpus:
                read(raw)
            least[name] = min(least[name], time.process_time() - start)
    return {name: len(corpus) / seconds for name, seconds in least.items()}


def compare(corpus: list[bytes]) -> None:
    readers: dict[str, Callable[[bytes], None]] = {
        "mailgate.bounce": ours,
        "mailgate Mail, walk": mail_walk,
        "email, walk": email_walk,
    }
    peer = flufl()
    if peer is not None:
        readers["flufl.bounce"] = peer
    else:
        print("flufl.bounce is not installed: pip install flufl.bounce")
    found = rates(corpus, readers)
    for name, rate in found.items():
        print(f"{name:<24}{rate:>9,.0f} messages/s   {found['mailgate.bounce'] / rate:>5.2f} x")


HEAD = (
    b"Return-Path: <>\nFrom: mailer-daemon@mx.example\nTo: <b@s.example>\nSubject: Undelivered Mail\n"
    b"MIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nwords\n--b\n"
    b"Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx\n\n"
)
GROUP = (
    b"Final-Recipient: rfc822; ada%d@target.example\nAction: failed\nStatus: 5.1.1\n"
    b"Diagnostic-Code: smtp; 550 5.1.1 <ada%d@target.example> unknown user\n\n"
)
TAIL = b"--b\nContent-Type: message/rfc822\n\nMessage-ID: <a@b>\nTo: ada@target.example\n\n"


def returned(factor: float) -> bytes:
    return HEAD + GROUP % (1, 1) + TAIL + (b"y" * 76 + b"\n") * int(20_000_000 * factor / 77) + b"--b--\n"


def groups(factor: float) -> bytes:
    return HEAD + b"".join(GROUP % (n, n) for n in range(int(10_000 * factor))) + TAIL + b"\n--b--\n"


def diagnostic(factor: float) -> bytes:
    folds = b"\n 550-5.1.1 unknown user here now x" * int(5_000_000 * factor / 35)
    return HEAD + (GROUP % (1, 1)).rstrip() + folds + b"\n\n" + TAIL + b"\n--b--\n"


def nested(factor: float) -> bytes:
    levels = (b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(int(2_000 * factor)))
    return b"From: mailer-daemon@x\nSubject: Undelivered\n" + b"".join(levels) + b"Content-Type: text/plain\n\nhi\n"


def lines(factor: float) -> bytes:
    text = b"".join(b"user%d@x.example\n" % n for n in range(int(10_000 * factor)))
    return b"Return-Path: <>\nSubject: failure notice\n\nCould not be delivered to the following addresses:\n\n" + text


def hostile() -> None:
    makers = {
        "20 MB returned message": returned,
        "10,000 recipient groups": groups,
        "5 MB folded Diagnostic-Code": diagnostic,
        "2,000 nested multiparts": nested,
        "10,000 recipients in words": lines,
    }
    for name, make in makers.items():
        seconds = [least_seconds(make(factor)) for factor in (0.5, 1)]
        message = make(1)
        tracemalloc.start()
        ours(message)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        print(
            f"{name:<28}{seconds[1]:>8.3f} s   twice the input: {seconds[1] / max(seconds[0], 1e-4):.1f} x   "
            f"memory beyond the message: {peak / 1e6:.2f} MB of {len(message) / 1e6:.1f} MB"
        )


def least_seconds(message: bytes) -> float:
    times = []
    for _ in range(3):
        start = time.process_time()
        ours(message)
        times.append(time.process_time() - start)
    return min(times)


def jobs(corpus: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for number in range(JOBS_MESSAGES):
            (Path(folder) / f"{number:06}.eml").write_bytes(corpus[number % len(corpus)])
        seconds = {count: min(command_seconds(folder, count) for _ in range(2)) for count in (1, 2)}
    print(
        f"mailgate bounce --json, {JOBS_MESSAGES:,} files: {JOBS_MESSAGES / seconds[1]:,.0f} messages/s alone, "
        f"{JOBS_MESSAGES / seconds[2]:,.0f} with --jobs 2: {seconds[1] / seconds[2]:.2f} x"
    )


def command_seconds(folder: str, count: int) -> float:
    command = [sys.executable, "-m", "mailgate", "bounce", "--json", "--jobs", str(count), folder]
    start = time.perf_counter()
    subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "fixtures" / "bounce")
    parser.add_argument("--jobs", action="store_true", help="measure the command line with one and two processes too")
    arguments = parser.parse_args()
    corpus = read_bytes(arguments.folder)
    print(f"Python {platform.python_version()}, {len(corpus)} messages, {sum(map(len, corpus)):,} bytes")
    compare(corpus)
    hostile()
    if arguments.jobs:
        jobs(corpus)


if __name__ == "__main__":
    main()
