"""`mailgate validate`: check a list of addresses before a send."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from mailgate.cli import _exit, _output
from mailgate.cli._progress import Progress as Bar
from mailgate.cli._validate_output import Sink, Unanswered
from mailgate.cli._validate_rows import Pump, Table, open_table
from mailgate.records import Resolve
from mailgate.validator import (
    Advice,
    Level,
    Progress,
    Settings,
    StartTls,
    Status,
    SyntaxOptions,
    Validator,
    read_domains,
)

SUMMARY = "check a list of addresses before a send"
DESCRIPTION = """\
Checks addresses by their form, by DNS and, with --level smtp, by asking the mail hosts politely: several recipients a
connection, few connections a host, never DATA. CSV or one address a line in, the same rows plus result columns out.

`valid`, `invalid` (a fact says so), `catch_all` (the domain accepts everything) or `unknown` (nobody can say): what is
about us and not about the mailbox is unknown. Probe only your own, consented lists, and not from the address that sends
your mail. --doctor says whether this machine can probe at all. A list longer than 20,000 lines is asked about fastest
when it is sorted by domain.
"""
EXAMPLES = (
    "mailgate validate --level syntax ann@example.net ann@@example.net",
    "mailgate validate --level syntax recipients.csv > checked.csv",
    "mailgate validate --level syntax --json - < recipients.csv",
    "mailgate validate --level syntax --state run.db recipients.csv > checked.csv    # killed? run it again",
    "mailgate scan Maildir --db mail.db && mailgate validate --level syntax --only send --bare recipients.csv"
    " | mailgate suppress filter --db mail.db > to-send.csv",
)
# Settings whose options have other names, for errors.
_OPTIONS = {
    "helo": "--helo",
    "mail_from": "--mail-from",
    "per_domain": "--per-domain",
    "per_mx_group": "--per-mx",
    "connections": "--connections",
    "recipients_per_connection": "--recipients",
    "pace_seconds": "--pace",
    "rest_seconds": "--rest",
    "dial_seconds": "--dial-timeout",
    "greeting_seconds": "--command-timeout",
    "command_seconds": "--command-timeout",
    "greylist_delays": "--greylist-delay",
    "max_wait_seconds": "--max-wait",
    "source_ip": "--source-ip",
    "port": "--port",
}
_WORDS = frozenset((*map(str, Status), *map(str, Advice)))


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of the verb."""
    add = parser.add_argument
    add("inputs", nargs="*", metavar="FILE|-|ADDRESS", help="one list (CSV or an address a line), or addresses")
    add("--level", choices=[str(level) for level in Level], default="dns", help="how far to look; default dns")
    add("--column", metavar="NAME", help="the address column of a list, by name or number from 1")
    add("--state", metavar="FILE", help="keep results there: a run that was killed goes on where it was")
    add("--json", action="store_true", help="one JSON line an address")
    add("--full", action="store_true", help="--json with everything the verdict was drawn from")
    add("--only", metavar="WORD[,WORD]", help="only these: statuses (valid, unknown, …) or advice (send, drop, …)")
    add("--bare", action="store_true", help="rows as they came, without result columns: for the next program")
    add("--unordered", action="store_true", help="rows as they are done: no slow host holds back the others")
    add("--redact", action="store_true", help="no mailbox in the output: ***@example.net")
    add("--output", default="-", metavar="FILE", help="where the rows go; default: stdout")
    add("--doctor", action="store_true", help="say whether this machine can probe (port 25, HELO, resolver)")
    add("--doctor-host", action="append", metavar="NAME", help="a mail host to be greeted by, instead of large ones")
    _configure_form(parser.add_argument_group("form and flags"))
    dns = parser.add_argument_group("DNS")
    dns.add_argument("--resolver", metavar="IP[:PORT]", help="the server to ask; default: the system's")
    dns.add_argument("--allow-private", action="store_true", help="also mail hosts with private addresses")
    dns.add_argument("--allow-special-use", action="append", default=[], metavar="DOMAIN", help="ask DNS for it too")
    _configure_smtp(parser.add_argument_group("SMTP (--level smtp)"))


def _configure_form(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--allow-quoted-local", action="store_true", help='"with quotes"@example.net, legal and hardly ever meant')
    add("--allow-address-literal", action="store_true", help="user@[192.0.2.1], the same")
    add("--allow-dotless", action="store_true", help="single-label domains")
    add("--no-smtputf8", action="store_true", help="local parts must be ASCII")
    add("--disposable", metavar="FILE", help="domains of throw-away addresses, one a line")
    add("--free", metavar="FILE", help="domains of free mail providers, one a line")


def _configure_smtp(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--helo", metavar="NAME", help="this host's name, as its PTR record gives it (required)")
    add("--mail-from", metavar="ADDRESS", help="an address of yours that takes mail (required)")
    add("--source-ip", metavar="IP", help="the address to probe from")
    add("--port", type=int, default=25, metavar="N", help="default 25")
    add("--connections", type=int, default=32, metavar="N", help="open at a time; default 32")
    add("--per-domain", type=int, default=3, metavar="N", help="of these to one domain; default 3")
    add("--per-mx", type=int, default=4, metavar="N", help="of these to one group of mail hosts; default 4")
    add("--recipients", type=int, default=10, metavar="N", help="asked about on one connection; default 10")
    add("--pace", type=float, default=1.0, metavar="SECONDS", help="between connections to one group; default 1")
    add("--rest", type=float, default=300.0, metavar="SECONDS", help="after a host told us off; default 300")
    add("--dial-timeout", type=float, default=10.0, metavar="SECONDS", help="for a connection; default 10")
    add("--command-timeout", type=float, default=30.0, metavar="SECONDS", help="for each answer; default 30")
    add("--greylist-delay", type=float, action="append", metavar="SECONDS",
        help="before a greylisted address is asked again; default 300, once")  # fmt: skip
    add("--max-wait", type=float, metavar="SECONDS",
        help="how long an address may wait for a second chance; default 900, for single addresses 0")  # fmt: skip
    add("--no-retry", action="store_true", help="do not wait for second chances: say unknown and when to ask again")
    add("--starttls", choices=[str(word) for word in StartTls], default="if_required", help="default if_required")
    add("--ip-family", choices=["4-first", "6-first", "4-only", "6-only"], default="4-first", help="default 4-first")
    add("--no-catch-all", action="store_true", help="do not ask for a random address (accepted ones stay unknown)")


def run(args: argparse.Namespace) -> int:
    """Check everything; status 0 whatever the verdicts are, 69 when port 25 is closed to this machine."""
    addresses = _addresses(args)
    settings = _settings(args, one_by_one=bool(addresses))
    if args.doctor:
        from mailgate.cli._validate_doctor import examine

        return examine(settings, _resolver(args), hosts=args.doctor_host, as_json=args.json)
    if not args.inputs and sys.stdin.isatty():
        words = "mailgate validate: a file, - or addresses are needed; try: mailgate validate --help"
        raise _exit.Exit(_exit.USAGE, words)
    with contextlib.ExitStack() as stack:
        only, resolve, name = _only(args), _resolver(args), (args.inputs or ["-"])[0]
        table = None if addresses else open_table(_open(stack, name), args.column, name=name)
        style = "full" if args.full else "json" if args.json else "rows"
        output = _output_file(stack, args.output, args.inputs)
        sink = Sink(output, table, style=style, redact=args.redact, only=only, bare=args.bare)
        return asyncio.run(_validate(args, settings, resolve, sink, table, addresses))


def _addresses(args: argparse.Namespace) -> list[str]:
    """The addresses among the words; [] when the one word is a list. Exit 64 for both at once."""
    addresses = [word for word in args.inputs if "@" in word and not os.path.exists(word)]
    if addresses and len(addresses) != len(args.inputs):
        others = ", ".join(repr(word) for word in args.inputs if word not in addresses)
        raise _exit.Exit(_exit.USAGE, f"either one list or addresses, not both; no such address: {others}")
    if len(args.inputs) > 1 and not addresses:
        raise _exit.Exit(_exit.USAGE, f"one list at a time, not {len(args.inputs)}")
    return addresses


def _only(args: argparse.Namespace) -> frozenset[str] | None:
    if args.only is None:
        return None
    words = frozenset(word.strip() for word in args.only.split(","))
    if not words <= _WORDS:
        wrong = ", ".join(sorted(words - _WORDS))
        raise _exit.Exit(_exit.USAGE, f"--only knows {', '.join(sorted(_WORDS))}; not {wrong}")
    return words


def _settings(args: argparse.Namespace, *, one_by_one: bool) -> Settings:
    level = Level(args.level)
    wait = args.max_wait if args.max_wait is not None else 0.0 if one_by_one else 900.0
    try:
        return Settings(
            level=Level.DNS if args.doctor and not (args.helo and args.mail_from) else level,
            helo=args.helo,
            mail_from=args.mail_from,
            syntax=SyntaxOptions(
                allow_quoted_local=args.allow_quoted_local,
                allow_address_literal=args.allow_address_literal,
                allow_smtputf8=not args.no_smtputf8,
                allow_dotless=args.allow_dotless,
            ),
            connections=args.connections,
            per_domain=args.per_domain,
            per_mx_group=args.per_mx,
            recipients_per_connection=args.recipients,
            pace_seconds=args.pace,
            rest_seconds=args.rest,
            dial_seconds=args.dial_timeout,
            command_seconds=args.command_timeout,
            greeting_seconds=args.command_timeout,
            session_seconds=max(90.0, 3 * args.command_timeout),
            greylist_delays=tuple(args.greylist_delay or (300.0,)),
            max_wait_seconds=0.0 if args.no_retry else wait,
            catch_all=not args.no_catch_all,
            starttls=StartTls(args.starttls),
            ip_family=args.ip_family,
            source_ip=args.source_ip,
            port=args.port,
            allow_private=args.allow_private,
            allow_special_use=tuple(args.allow_special_use),
            disposable=_domains(args.disposable),
            free=_domains(args.free),
        )
    except ValueError as error:
        name, _, rest = str(error).partition(" ")
        raise _exit.Exit(_exit.CONFIG, f"mailgate validate: {_OPTIONS.get(name, name)} {rest}") from error


def _domains(path: str | None) -> frozenset[str] | None:
    if path is None:
        return None
    try:
        return read_domains(Path(path))
    except OSError as error:
        raise _exit.Exit(_exit.CONFIG, f"{path}: {(error.strerror or str(error)).lower()}") from error
    except UnicodeDecodeError as error:
        raise _exit.Exit(_exit.CONFIG, f"{path} is not a list of domains in UTF-8: {error}") from error


def _resolver(args: argparse.Namespace) -> Resolve | None:
    if args.level == "syntax" and not args.doctor:
        return None
    from mailgate.cli._validate_dns import Doubting, resolver

    found = resolver(args.resolver)
    return Doubting(found) if args.resolver is None and not args.doctor else found


def _open(stack: contextlib.ExitStack, path: str) -> BinaryIO:
    if path == "-":
        try:
            # Not sys.stdin.buffer: a thread that waits in it holds its lock, and Python aborts when it wants to exit.
            return io.FileIO(sys.stdin.fileno(), closefd=False)
        except (OSError, ValueError):  # replaced by something that is no file
            return sys.stdin.buffer
    try:
        return stack.enter_context(open(path, "rb"))
    except FileNotFoundError as error:
        raise _exit.Exit(_exit.DATA, f"{path} is neither a file nor an address") from error
    except IsADirectoryError as error:
        raise _exit.Exit(_exit.DATA, f"{path} is a directory; name one list in it") from error
    except OSError as error:
        raise _exit.Exit(_exit.DATA, f"{path}: {(error.strerror or str(error)).lower()}") from error


def _output_file(stack: contextlib.ExitStack, path: str, inputs: list[str]) -> TextIO:
    if path == "-":
        return sys.stdout
    try:
        if any(os.path.exists(name) and os.path.exists(path) and os.path.samefile(name, path) for name in inputs):
            raise _exit.Exit(_exit.USAGE, f"--output {path} is the list itself: it would be emptied before it is read")
        return stack.enter_context(open(path, "w", encoding="utf-8", newline=""))
    except OSError as error:
        raise _exit.Exit(_exit.CONFIG, f"{path}: {(error.strerror or str(error)).lower()}") from error


async def _validate(
    args: argparse.Namespace,
    settings: Settings,
    resolve: Resolve | None,
    sink: Sink,
    table: Table | None,
    addresses: list[str],
) -> int:
    rows: Any = ((None, word) for word in addresses)
    if table is not None:
        rows = ((row, table.address(row)) for row in table.rows)
        if not _is_file(args.inputs):
            rows = Pump(rows)
    total = len(addresses) or _count(args.inputs, table)
    bar, unanswered = _Bar(total), Unanswered()
    with bar:
        validator = Validator(settings, resolve=resolve, state=args.state, on_progress=bar.show)
        async with validator:
            sink.begin()
            async for row, result in validator.stream_rows(rows, ordered=not args.unordered, total=total):
                sink.write(row, result)
                unanswered.see(result)
            blocked = validator.port25_blocked
    if table is not None:
        _output.say(_summary(sink))
        if sink.too_wide:
            words = "more fields than the first row; their result columns stand further to the right"
            _output.say(f"{_plural(sink.too_wide, 'row has', 'rows have')} {words}")
    if blocked:
        words = "port 25 seems to be closed to this machine; see: mailgate validate --doctor"
        raise _exit.Exit(_exit.UNAVAILABLE, words)
    if unanswered.count > 1:
        words = "DNS had no answer for any domain: does the resolver work? See: mailgate validate --doctor"
        raise _exit.Exit(_exit.UNAVAILABLE, words)
    if unanswered.count:
        _output.say("DNS had no answer; whether the resolver works says: mailgate validate --doctor")
    return _exit.OK


def _plural(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def _summary(sink: Sink) -> str:
    counts = ", ".join(f"{count:,} {status}" for status, count in sorted(sink.counts.items()))
    done = sum(sink.counts.values())
    left_out = f"; {_plural(sink.written, 'row', 'rows')} written" if sink.written != done else ""
    return f"{_plural(done, 'address', 'addresses')}: {counts or 'the list is empty'}{left_out}"


def _is_file(inputs: list[str]) -> bool:
    return bool(inputs) and inputs[0] != "-" and stat.S_ISREG(os.stat(inputs[0]).st_mode)


def _count(inputs: list[str], table: Table | None) -> int | None:
    """Lines of a list, for the bar that a person looks at; None where nobody looks, or a pipe cannot tell."""
    if table is None or not _is_file(inputs) or not sys.stderr.isatty():
        return None
    with open(inputs[0], "rb") as file:
        lines = sum(block.count(b"\n") for block in _blocks(file))
    return max(lines - (table.header is not None), 1)


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    while block := file.read(io.DEFAULT_BUFFER_SIZE * 8):
        yield block


class _Bar(Bar):
    """The bar, with the validator's own estimate: it knows which hosts are slow, and who rests."""

    def __init__(self, total: int | None) -> None:
        super().__init__(total, "validating")
        self._progress: Progress | None = None

    def show(self, progress: Progress) -> None:
        """Where the run is now."""
        self._progress = progress
        self.advance(progress.done - self.done)

    def line(self) -> str:
        """Rate and share as ever; the time left is the estimate."""
        progress = self._progress
        if progress is None:
            return super().line()
        parts = [f"{self.label}: {progress.done:,}" + (f" of about {progress.total:,}" if progress.total else " done")]
        parts.append(f"{progress.rate:,.0f}/s")
        if progress.open_connections:
            parts.append(f"{progress.open_connections} connections")
        if progress.deferred:
            parts.append(f"{progress.deferred:,} greylisted")
        if progress.resting_groups:
            parts.append(f"{progress.resting_groups} hosts resting")
        if progress.eta_seconds is not None:
            minutes, seconds = divmod(round(progress.eta_seconds), 60)
            parts.append(f"{minutes} min {seconds:02} s left" if minutes else f"{seconds} s left")
        return ", ".join(parts)
