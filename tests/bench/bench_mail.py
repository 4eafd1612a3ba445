"""How fast `Mail` reads, beside the standard `email` package in the same run.

    python tests/bench/bench_mail.py [FOLDER]     # default: fixtures/mail

Best of several rounds, CPU time of one process, messages read into memory before. `email` enters returned messages
whether asked or not; `Mail` does not, so one row does it too. Then: a 20 MB message (time and memory beyond the
message itself), a 5 MB folded field, and how the time grows when hostile input doubles.
"""

from __future__ import annotations

import argparse
import base64
import email
import platform
import random
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from mailgate.records import Headers, Mail, ParseError, Part

ROUNDS = 7
SEED = 1
FIXTURES = Path(__file__).parents[2] / "fixtures" / "mail"


def best(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """The least CPU time of `rounds` runs, in seconds."""
    times = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return max(min(times), 1e-9)


def each(work: Callable[[bytes], object], corpus: list[bytes]) -> None:
    for raw in corpus:
        work(raw)


def messages(folder: Path) -> list[bytes]:
    paths = sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix in (".eml", ".txt", ".mail", ""))
    return [path.read_bytes() for path in paths if path.stat().st_size < 25 * 1024 * 1024]


# --- the same work, twice --------------------------------------------------------------------------------------------


def email_walk(raw: bytes) -> int:
    return sum(1 for _ in email.message_from_bytes(raw).walk())


def email_headers(raw: bytes) -> int:
    return sum(len(part.items()) for part in email.message_from_bytes(raw).walk())


def email_contents(raw: bytes) -> int:
    leaves = (part for part in email.message_from_bytes(raw).walk() if not part.is_multipart())
    return sum(len(part.get_payload(decode=True)) for part in leaves)


def mail_walk(raw: bytes) -> int:
    return sum(1 for _ in Mail.read(raw).walk())


def mail_headers(raw: bytes) -> int:
    return sum(len(list(part.headers.items())) for part in Mail.read(raw).walk())


def mail_contents(raw: bytes) -> int:
    return sum(len(part.content()) for part in Mail.read(raw).walk() if not part.parts)


def enter(mail: Mail) -> Iterator[Part]:
    """All parts, and those of the messages inside, as `email` walks."""
    for part in mail.walk():
        yield part
        if part.content_type in ("message/rfc822", "message/global"):
            yield from enter(part.message())


def mail_walk_inside(raw: bytes) -> int:
    return sum(1 for _ in enter(Mail.read(raw)))


def mail_contents_inside(raw: bytes) -> int:
    return sum(len(part.content()) for part in enter(Mail.read(raw)) if not part.parts)


ROWS: list[tuple[str, Callable[[bytes], int], Callable[[bytes], int]]] = [
    ("read, walk", mail_walk, email_walk),
    ("read, walk, returned messages too", mail_walk_inside, email_walk),
    ("read, walk, all header fields", mail_headers, email_headers),
    ("read, walk, decode all leaves", mail_contents, email_contents),
    ("the same, returned messages too", mail_contents_inside, email_contents),
]


def compare(corpus: list[bytes]) -> None:
    print(f"{'':36}{'mailgate/s':>12}{'email/s':>12}{'ratio':>8}")
    for name, ours, theirs in ROWS:
        our_time, their_time = best(partial(each, ours, corpus)), best(partial(each, theirs, corpus))
        count = len(corpus)
        print(f"{name:36}{count / our_time:12,.0f}{count / their_time:12,.0f}{their_time / our_time:7.1f}x")


# --- large messages --------------------------------------------------------------------------------------------------


def large(line_end: bytes, size: int) -> bytes:
    """A report that returns a message of `size` bytes."""
    block = base64.encodebytes(random.Random(SEED).randbytes(57_000))
    text = b"""From: mailer-daemon
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=BB

--BB

failed
--BB
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org

Final-Recipient: rfc822; a@example.org
Action: failed
Status: 5.1.1

--BB
Content-Type: message/rfc822

From: a@example.org
Message-ID: <1@example.org>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=CC

--CC

hello
--CC
Content-Type: application/pdf
Content-Transfer-Encoding: base64

%s
--CC--
--BB--
"""
    return (text % (block * (size // len(block)))).replace(b"\n", line_end)


def read_report(raw: bytes) -> None:
    """What a bounce reader asks of it."""
    mail = Mail.read(raw)
    _, status, returned = mail.parts
    assert len(list(Headers.groups(status.content()))) == 2
    assert returned.message().headers.get("message-id") == "<1@example.org>"


def show_large() -> None:
    print()
    for name, line_end in (("LF", b"\n"), ("CRLF", b"\r\n")):
        raw = large(line_end, 20_000_000)
        ours, theirs = best(partial(read_report, raw), 3), best(partial(email_walk, raw), 3)
        tracemalloc.start()
        read_report(raw)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        print(
            f"{len(raw) / 1e6:.0f} MB returned, {name:5}{ours:8.3f} s (email {theirs:.3f} s), "
            f"memory {1 + peak / len(raw):.3f} times its size"
        )
    status = b"Diagnostic-Code: smtp; 550" + b"\n  no such user here, and we have more to say about it" * 100_000
    seconds = best(lambda: [list(group.items()) for group in Headers.groups(status)], 3)
    print(f"{len(status) / 1e6:.0f} MB folded Diagnostic-Code   {seconds:8.3f} s")


# --- growth ----------------------------------------------------------------------------------------------------------

MIXED = b"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n"


def prefixed(size: int) -> bytes:
    """Fifty multiparts whose boundaries begin alike, and lines that begin like all of them."""
    opening = [b"Content-Type: multipart/mixed; boundary=%s\n\n--%s\n" % (b"b" * n, b"b" * n) for n in range(1, 50)]
    return b"".join(opening) + b"\n--" + (b"b" * 49 + b"x\n--") * (size // 53)


HOSTILE: list[tuple[str, Callable[[int], bytes]]] = [
    ("lines that are no field", lambda n: b"a:b\n" + b"x\nb:\n" * (n // 5) + b"\n"),
    ("lines of blanks in the header", lambda n: b"a:b\n" + b" \n" * (n // 2) + b"c:d\n\nx"),
    ("header fields", lambda n: b"a:\n" * (n // 3)),
    ("one folded field", lambda n: b"a: " + b"\n x" * (n // 3)),
    ("nothing but CR", lambda n: b"\r" * n),
    ("mixed line ends", lambda n: b"a: b\n\r\r\n \r" * (n // 10)),
    ("almost delimiters", lambda n: MIXED + b"\n--bx" * (n // 5)),
    ("almost delimiters, 49 deep", prefixed),
    ("mbox lines", lambda n: b"From x 10:10\na: b\n\n" + b"\n\nFrom x" * (n // 8)),
    ("comments", lambda n: b"Content-Type: text/plain" + b"(" * n + b"\n\n"),
    ("parameters", lambda n: b"Content-Type: text/plain" + b";a*1=%41" * (n // 8) + b"\n\n"),
    ("encoded-words", lambda n: b"Subject: " + b"=?utf-8?q?a?=" * (n // 13) + b"\n\n"),
    ("base64 blocks", lambda n: b"Content-Transfer-Encoding: base64\n\n" + b"YQ==\n" * (n // 5)),
    ("quoted-printable", lambda n: b"Content-Transfer-Encoding: quoted-printable\n\n" + b"= " * (n // 2)),
    ("uuencode", lambda n: b"Content-Transfer-Encoding: x-uuencode\n\nbegin 644 x\n" + b"M\n" * (n // 2)),
    ("guessed boundary", lambda n: b"Content-Type: multipart/mixed\n\n" + b"--a\n" * (n // 4)),
    ("groups of fields", lambda n: b"\na:b\n\n" * (n // 6)),
]


def everything(raw: bytes) -> None:
    try:
        for part in Mail.read(raw).walk():
            list(part.headers.items())
            part.headers.decoded("subject")
            part.text()
            part.param("a")
        for group in Headers.groups(raw):
            list(group.items())
    except ParseError:
        pass


def show_growth() -> None:
    print(f"\n{'hostile input, everything asked':36}{'1 MB':>10}{'2 MB':>10}{'4 MB':>10}{'growth':>8}")
    for name, make in HOSTILE:
        times = [best(partial(everything, make(size)), 2) for size in (1_000_000, 2_000_000, 4_000_000)]
        print(f"{name:36}{times[0]:9.3f}s{times[1]:9.3f}s{times[2]:9.3f}s{times[2] / times[1]:7.1f}x")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, default=FIXTURES)
    folder = parser.parse_args().folder
    corpus = messages(folder)
    size = sum(map(len, corpus))
    print(f"Python {platform.python_version()}, {len(corpus)} messages, {size / 1e6:.2f} MB, best of {ROUNDS}\n")
    compare(corpus)
    show_large()
    show_growth()


if __name__ == "__main__":
    main()
