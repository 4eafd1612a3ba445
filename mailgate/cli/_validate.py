"""`mailgate validate`: check a list of addresses before a send."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import csv
import os
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from mailgate.cli import _exit, _output
from mailgate.cli._progress import Progress as Bar
from mailgate.cli._validate_rows import COLUMNS, Table, open_table, redacted, result_cells, without_mailboxes
from mailgate.records import Resolve
from mailgate.validator import Level, Progress, Settings, StartTls, Validation, Validator, read_domains

SUMMARY = "check a list of addresses before a send"
DESCRIPTION = """\
Checks addresses by their form, by DNS and, with --level smtp, by asking the mail hosts politely: several recipients a
connection, few connections a host, never DATA. CSV or one address a line in, the same rows plus result columns out.

`valid`, `invalid` (a fact says so), `catch_all` (the domain accepts everything) or `unknown` (nobody can say): what is
about us and not about the mailbox is unknown. Probe only your own, consented lists, and not from the address that sends
your mail. --doctor says whether this machine can probe at all.
"""
EXAMPLES = (
    "mailgate validate --level syntax ann@example.net ann@@example.net",
    "mailgate validate --level syntax recipients.csv > checked.csv",
    "mailgate validate --level syntax --json - < recipients.csv",
    "mailgate validate --level syntax --state run.db recipients.csv > checked.csv    # killed? run it again",
)

SHAPE = (
    "input", "address", "status", "reason", "layer", "advice", "catch_all", "mx_host", "smtp_code", "enhanced_status",
    "smtp_text", "role", "disposable", "free", "suggestion", "retry_after", "checked_at",
)  # fmt: skip


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of the verb."""
    add = parser.add_argument
    add("inputs", nargs="*", metavar="FILE|-|ADDRESS", help="one list (CSV or an address a line), or addresses")
    add("--level", choices=[str(level) for level in Level], default="dns", help="how far to look; default dns")
    add("--column", metavar="NAME", help="the address column of a list, by name or number from 1")
    add("--state", metavar="FILE", help="keep results there: a run that was killed goes on where it was")
    add("--json", action="store_true", help="one JSON line an address")
    add("--full", action="store_true", help="--json with everything the verdict was drawn from")
    add("--redact", action="store_true", help="no mailbox in the output: ***@example.net")
    add("--output", default="-", metavar="FILE", help="where the rows go; default: stdout")
    add("--doctor", action="store_true", help="say whether this machine can probe (port 25, HELO, resolver)")
    lists = parser.add_argument_group("flags")
    lists.add_argument("--disposable", metavar="FILE", help="domains of throw-away addresses, one a line")
    lists.add_argument("--free", metavar="FILE", help="domains of free mail providers, one a line")
    dns = parser.add_argument_group("DNS")
    dns.add_argument("--resolver", metavar="IP[:PORT]", help="the server to ask; default: the system's")
    dns.add_argument("--allow-private", action="store_true", help="also mail hosts with private addresses")
    dns.add_argument("--allow-special-use", action="append", default=[], metavar="DOMAIN", help="ask DNS for it too")
    _configure_smtp(parser.add_argument_group("SMTP (--level smtp)"))


def _configure_smtp(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--helo", metavar="NAME", help="this host's name, as its PTR record gives it (required)")
    add("--mail-from", metavar="ADDRESS", help="an address of yours that takes mail (required)")
    add("--source-ip", metavar="IP", help="the address to probe from")
    add("--port", type=int, default=25, metavar="N", help="default 25")
    add("--connections", type=int, default=32, metavar="N", help="open at a time; default 32")
    add("--per-domain", type=int, default=3, metavar="N", help="of these to one domain; default 3")
    add("--per-mx", type=int, default=4, metavar="N", help="of these to one group of mail hosts; default 4")
    add("--pace", type=float, default=1.0, metavar="SECONDS", help="between connections to one group; default 1")
    add("--command-timeout", type=float, default=30.0, metavar="SECONDS", help="for each answer; default 30")
    add("--dial-timeout", type=float, default=10.0, metavar="SECONDS", help="for a connection; default 10")
    add("--max-wait", type=float, default=900.0, metavar="SECONDS",
        help="how long a greylisted address may wait for its second chance; default 900")  # fmt: skip
    add("--no-retry", action="store_true", help="do not wait for second chances: say unknown and when to ask again")
    add("--starttls", choices=[str(word) for word in StartTls], default="if_required", help="default if_required")
    add("--no-catch-all", action="store_true", help="do not ask for a random address (accepted ones stay unknown)")


def run(args: argparse.Namespace) -> int:
    """Check everything; status 0 whatever the verdicts are, 69 when port 25 is closed to this machine."""
    settings = _settings(args)
    resolve = _resolver(args)
    if args.doctor:
        from mailgate.cli._validate_doctor import examine

        return examine(settings, resolve)
    if not args.inputs and sys.stdin.isatty():
        raise _exit.Exit(
            _exit.USAGE, "mailgate validate: a file, - or addresses are needed; try: mailgate validate --help"
        )
    with contextlib.ExitStack() as stack:
        addresses = [word for word in args.inputs if "@" in word and not os.path.exists(word)]
        if addresses and len(addresses) != len(args.inputs):
            raise _exit.Exit(
                _exit.USAGE, f"either one list or addresses, not both; no such file: {_missing(args.inputs)}"
            )
        if len(args.inputs) > 1 and not addresses:
            raise _exit.Exit(_exit.USAGE, f"one list at a time, not {len(args.inputs)}")
        table = None if addresses else open_table(_open(stack, (args.inputs or ["-"])[0]), args.column)
        rows = ((None, word) for word in addresses) if table is None else _rows(table)
        sink = _sink(stack, args, table)
        return asyncio.run(_validate(settings, resolve, rows, sink, args, len(addresses) or None))


def _missing(words: list[str]) -> str:
    return ", ".join(repr(word) for word in words if "@" not in word and not os.path.exists(word)) or repr(words[0])


def _settings(args: argparse.Namespace) -> Settings:
    level = Level(args.level)
    try:
        return Settings(
            level=Level.DNS if args.doctor and not (args.helo and args.mail_from) else level,
            helo=args.helo,
            mail_from=args.mail_from,
            connections=args.connections,
            per_domain=args.per_domain,
            per_mx_group=args.per_mx,
            pace_seconds=args.pace,
            dial_seconds=args.dial_timeout,
            command_seconds=args.command_timeout,
            greeting_seconds=args.command_timeout,
            max_wait_seconds=0.0 if args.no_retry else args.max_wait,
            catch_all=not args.no_catch_all,
            starttls=StartTls(args.starttls),
            source_ip=args.source_ip,
            port=args.port,
            allow_private=args.allow_private,
            allow_special_use=tuple(args.allow_special_use),
            disposable=_domains(args.disposable),
            free=_domains(args.free),
        )
    except ValueError as error:
        raise _exit.Exit(_exit.CONFIG, f"mailgate validate: {error}") from error


def _domains(path: str | None) -> frozenset[str] | None:
    if path is None:
        return None
    try:
        return read_domains(Path(path))
    except (OSError, UnicodeDecodeError) as error:
        raise _exit.Exit(_exit.CONFIG, f"{path}: {error}") from error


def _resolver(args: argparse.Namespace) -> Resolve | None:
    if args.level == "syntax" and not args.doctor:
        return None
    from mailgate.resolver import CachingResolver, DnsResolver

    if args.resolver is None:
        return CachingResolver(DnsResolver())
    host, colon, port = args.resolver.rpartition(":")
    if not colon or ":" in host:
        host, port = args.resolver, "53"
    return CachingResolver(DnsResolver(nameservers=[host], port=int(port)))


def _open(stack: contextlib.ExitStack, path: str) -> BinaryIO:
    if path == "-":
        return sys.stdin.buffer
    try:
        return stack.enter_context(open(path, "rb"))
    except OSError as error:
        raise _exit.Exit(_exit.DATA, f"{path}: {(error.strerror or str(error)).lower()}") from error


def _rows(table: Table) -> Iterator[tuple[list[str], str]]:
    for row in table.rows:
        yield row, row[table.column].strip() if table.column < len(row) else ""


class _Sink:
    """Writes one result: a JSON line, a CSV row, or a block for people."""

    def __init__(self, args: argparse.Namespace, file: Any, table: Table | None) -> None:
        self.args = args
        self.file = file
        self.table = table
        self.counts: dict[str, int] = {}
        self.writer = csv.writer(file, delimiter=(table and table.delimiter) or ",", lineterminator="\n")
        if table is not None and not args.json and not args.full:
            self.writer.writerow([*(table.header or _header(table)), *COLUMNS])

    def write(self, row: list[str] | None, result: Validation) -> None:
        """One address is done."""
        self.counts[str(result.status)] = self.counts.get(str(result.status), 0) + 1
        said = without_mailboxes(result.to_dict()) if self.args.redact else result.to_dict()
        if self.args.json or self.args.full:
            print(_output.json_line(said if self.args.full else {name: said[name] for name in SHAPE}), file=self.file)
        elif row is not None and self.table is not None:
            if self.args.redact and self.table.column < len(row):
                row[self.table.column] = redacted(row[self.table.column])
            missing = len(self.table.header or _header(self.table)) - len(row)
            self.writer.writerow([*row, *[""] * max(missing, 0), *result_cells(said)])
        else:
            print(self._words(result), file=self.file)

    def _words(self, result: Validation) -> str:
        address = redacted(result.input) if self.args.redact else result.input
        parts = [f"{_output.printable(address)}: {result.status} ({result.reason}): {result.explanation}"]
        if result.suggestion and not self.args.redact:
            parts.append(f"did you mean {_output.printable(result.suggestion)}?")
        if result.reply is not None and not self.args.redact:
            parts.append(f"{result.mx_host} said: {_output.printable(str(result.reply))}")
        return "\n  ".join(parts)


def _header(table: Table) -> list[str]:
    return ["address"] if table.delimiter is None else []


def _sink(stack: contextlib.ExitStack, args: argparse.Namespace, table: Table | None) -> _Sink:
    if args.output == "-":
        return _Sink(args, sys.stdout, table)
    try:
        return _Sink(args, stack.enter_context(open(args.output, "w", encoding="utf-8", newline="")), table)
    except OSError as error:
        raise _exit.Exit(_exit.CONFIG, f"{args.output}: {(error.strerror or str(error)).lower()}") from error


async def _validate(
    settings: Settings,
    resolve: Resolve | None,
    rows: Iterator[tuple[Any, str]],
    sink: _Sink,
    args: argparse.Namespace,
    total: int | None,
) -> int:
    with Bar(total, "validating") as bar:

        def show(progress: Progress) -> None:
            bar.total = progress.total
            bar.advance(progress.done - bar.done)

        async with Validator(settings, resolve=resolve, state=args.state, on_progress=show) as validator:
            source: Any = rows if settings.level is Level.SYNTAX else _without_blocking(rows)
            async for row, result in validator.stream_rows(source, ordered=True, total=total):
                sink.write(row, result)
            blocked = validator.port25_blocked
    if sink.table is not None:
        counts = ", ".join(f"{count:,} {status}" for status, count in sorted(sink.counts.items()))
        _output.say(f"{sum(sink.counts.values()):,} addresses: {counts or 'none'}")
    if blocked:
        raise _exit.Exit(
            _exit.UNAVAILABLE, "port 25 seems to be closed to this machine; see: mailgate validate --doctor"
        )
    return _exit.OK


async def _without_blocking(rows: Iterator[tuple[Any, str]]) -> AsyncIterator[tuple[Any, str]]:
    """Rows of a pipe that may make us wait, read in a thread a few at a time, so that no connection waits with us."""
    loop = asyncio.get_running_loop()
    while batch := await loop.run_in_executor(None, _some, rows):
        for pair in batch:
            yield pair


def _some(rows: Iterator[tuple[Any, str]]) -> list[tuple[Any, str]]:
    batch = []
    for pair in rows:
        batch.append(pair)
        if len(batch) >= 500:
            break
    return batch
