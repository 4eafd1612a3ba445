"""`mailgate dmarc`: who sends as my domains, what fails, and is it safe to tighten the policy?"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from typing import Any, TypeVar

from mailgate.cli import _database, _exit, _inputs, _output
from mailgate.cli._dmarc_table import view_text
from mailgate.cli._jobs import add_jobs_option, ordered_map
from mailgate.cli._progress import Progress
from mailgate.dmarc import (
    Limits,
    Networks,
    Refusal,
    Rollup,
    RollupStore,
    ViewOptions,
    name_sources,
    page,
    parse_all,
    ptr_names,
    read,
    tls_to_csv,
    to_csv,
    view,
)
from mailgate.records import ParseError
from mailgate.resolver import CachingResolver, DnsResolver

T = TypeVar("T")

SUMMARY = "roll up DMARC and TLS reports into a table or a page"
DESCRIPTION = """\
Reads DMARC aggregate reports (RFC 7489, RFC 9990) and TLS reports (RFC 8460) and says who sends as your domains, who of
them fails, and whether the policy can be tightened. PATHs are xml, json, gzip and zip files, mails, directories,
Maildirs and mboxes; - reads one from stdin. Each report counts once, however often and in whatever form it came.

With --db it shows what `mailgate scan` has kept, and keeps there what it reads from PATHs.
"""
EXAMPLES = (
    "mailgate dmarc fixtures/dmarc/reports",
    "mailgate dmarc fixtures/dmarc/reports --domain example.com --html dmarc.html",
    "mailgate dmarc --reports --json fixtures/dmarc/reports/google.xml",
    "mailgate scan Maildir --db mail.db --quiet; mailgate dmarc --db mail.db",
)
_SOFT = ("not_a_report", "archive_no_report")


@dataclass(frozen=True, slots=True)
class _Read:
    """What one input adds. others: 1 when it is no report at all. error: why it could not be opened."""

    name: str
    rollup: Rollup | None = None
    others: int = 0
    error: str | None = None


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of the verb."""
    add = parser.add_argument
    add("paths", nargs="*", metavar="PATH", help="a file, directory, Maildir or mbox; - for stdin")
    add("--db", metavar="PATH|URL", help="the database of `mailgate scan`: show it, and keep in it what PATHs say")
    add("--state", metavar="FILE", help="a rollup as JSON: read when it is there, and written back with what PATHs say")
    add_jobs_option(parser)
    group = parser.add_argument_group("what to show")
    own_help = "ours, with all below it; reports for others are told apart; may be repeated"
    group.add_argument("--domain", action="append", metavar="DOMAIN", help=own_help)
    group.add_argument("--since", type=_day, metavar="DAY", help="reports from that day on (YYYY-MM-DD, UTC)")
    group.add_argument("--until", type=_day, metavar="DAY", help="reports up to that day")
    group.add_argument("--trusted-only", action="store_true", help="only reports whose mail passed DMARC at our server")
    name_help = "our server's name in Authentication-Results; may be repeated"
    group.add_argument("--authserv-id", action="append", default=[], metavar="NAME", help=name_help)
    group.add_argument("--networks", metavar="FILE", help="names for sources: a network and a name a line")
    group.add_argument("--own", metavar="FILE", help="networks of our own senders: readiness looks at each of them")
    group.add_argument("--not-ours", metavar="FILE", help="networks that are not ours: readiness leaves them out")
    group.add_argument("--ptr", action="store_true", help="ask DNS for the names of the sources shown")
    group.add_argument("--top", type=_positive, default=50, metavar="N", help="rows of each ranking; default 50")
    group = parser.add_argument_group("how to show it")
    group.add_argument("--json", action="store_true", help="the view as JSON; with --reports one line a report")
    group.add_argument("--csv", action="store_true", help="the sources as CSV")
    group.add_argument("--tls", action="store_true", help="with --csv: TLS sessions by domain and day instead")
    group.add_argument("--html", metavar="FILE", help="also write the view as one self-contained page")
    group.add_argument("--reports", action="store_true", help="one line a report instead of the rollup")
    group = parser.add_argument_group("maintenance")
    group.add_argument("--seal", type=_day, metavar="DAY", help="turn reports that ended before that day into sums")


def run(args: argparse.Namespace) -> int:
    """Read, keep, show."""
    wrong = next((words for is_wrong, words in _wrong_together(args) if is_wrong), None)
    if wrong is not None:
        raise _exit.Exit(_exit.USAGE, f"mailgate dmarc: {wrong}")
    read = [*args.paths, args.db, args.networks, args.own, args.not_ours]
    _output.refuse_overwriting("mailgate dmarc", [args.html, args.state], read)
    if args.reports:
        return _print_reports(args)
    options = _options(args)
    names = _networks(args.networks)
    rollup, status = _rollup(args)
    shown = view(rollup, options)
    shown = _named(shown, names, ptr=args.ptr)
    if args.html:
        made_at = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
        _write(args.html, page(shown, made_at=made_at))
    if args.json:
        print(json.dumps(shown, indent=1))
    elif args.csv:
        print(tls_to_csv(shown) if args.tls else to_csv(shown), end="")
    else:
        print(view_text(shown))
    return status


def _wrong_together(args: argparse.Namespace) -> list[tuple[object, str]]:
    """(whether it was asked for, what to say): nothing that was asked for is silently left out."""
    kept = args.db is not None or args.state
    return [
        (not args.paths and not kept, "nothing to read: give PATHs, --db or --state"),
        (args.json and args.csv, "--json or --csv, not both"),
        (args.reports and not args.paths, "--reports reads PATHs"),
        (args.reports and args.csv, "--reports comes as a table or as --json"),
        (
            args.reports and (kept or args.html),
            "--reports keeps nothing and makes no page: leave out --db, --state, --html",
        ),
        (args.tls and not args.csv, "--tls goes with --csv; everything else shows both"),
        (args.seal and not kept, "--seal needs --db or --state: what is not kept is not sealed"),
        (args.since and args.until and args.until < args.since, f"--until {args.until} is before --since {args.since}"),
    ]


# --- the rollup ------------------------------------------------------------------------------------------------------


def _rollup(args: argparse.Namespace) -> tuple[Rollup, int]:
    """Everything to show, kept where it was asked to be kept; and the exit status."""
    new, status = _read_paths(args) if args.paths else (Rollup(), _exit.OK)
    total = Rollup()
    if args.state:
        if os.path.exists(args.state):
            total = _kept(args.state)
        total.update(new)
        if args.seal:
            total = total.seal(_instant(args.seal))
        if args.paths or args.seal:
            _write(args.state, total.to_json())
    if args.db is not None:
        with RollupStore.open(_database.where(args.db), create=bool(args.paths)) as store:
            if args.paths:
                store.add(new)
            if args.seal:
                _output.say(f"mailgate dmarc: {store.seal(args.seal):,} reports are sums now")
            total.update(store.load())
    if not args.state and args.db is None:
        total.update(new)
    return total, status


def _kept(path: str) -> Rollup:
    return _parsed(path, Rollup.from_json, " is no file of --state")


def _parsed(path: str, parse: Callable[[str], T], what: str = "") -> T:
    """A file of the user's own, read by `parse`. Ends the program with words about it: 78 unreadable, 65 malformed."""
    try:
        with open(path, encoding="utf-8") as file:
            return parse(file.read())
    except OSError as error:
        raise _exit.Exit(_exit.CONFIG, f"mailgate dmarc: {path}: {error.strerror}") from error
    except (ParseError, UnicodeDecodeError) as error:
        why = error.message if isinstance(error, ParseError) else "not UTF-8"
        raise _exit.Exit(_exit.DATA, f"mailgate dmarc: {path}{what}: {why}") from error


def _read_paths(args: argparse.Namespace) -> tuple[Rollup, int]:
    worker = partial(_read, authserv_ids=tuple(args.authserv_id))
    total, others, status = Rollup(), 0, _exit.OK
    with Progress(None, "reading") as bar:
        for found in ordered_map(worker, _inputs.sources(args.paths), args.jobs):
            bar.advance()
            others += found.others
            if found.error is not None:
                _output.say(f"{_output.printable(found.name)}: {_output.printable(found.error)}")
                status = _exit.DATA
            elif found.rollup is not None:
                for refused in found.rollup.refused.values():
                    _output.say(f"{_output.printable(found.name)}: refused: {_output.printable(refused.message)}")
                total.update(found.rollup)
    if others:
        _output.say(f"{others:,} {'input is' if others == 1 else 'inputs are'} no DMARC or TLS report")
    if not total.contributions and not total.tls:
        status = _exit.DATA
    return total, status


def _read(source: _inputs.Source, authserv_ids: tuple[str, ...]) -> _Read:
    data = _inputs.read(source, max_bytes=Limits().max_bytes)
    if data.data is None:
        return _Read(data.name, error=data.error)
    rollup = read(data.data, authserv_ids=authserv_ids)
    if all(refused.error in _SOFT for refused in rollup.refused.values()) and rollup.refused:
        return _Read(data.name, others=1)
    return _Read(data.name, rollup=rollup)


# --- one line a report -----------------------------------------------------------------------------------------------


def _print_reports(args: argparse.Namespace) -> int:
    status = _exit.OK
    rows: list[tuple[object, ...]] = []
    with Progress(None, "reading") as bar:
        for lines in ordered_map(_summaries, _inputs.sources(args.paths), args.jobs):
            bar.advance()
            for line, words in lines:
                if words:
                    status = _exit.DATA
                    _output.say(f"{_output.printable(line['file'])}: {_output.printable(words)}")
                if args.json:
                    print(_output.json_line(line))
                elif not words:
                    rows.append(_row(line))
    if rows:
        print(_output.table(("file", "kind", "from", "for", "period", "messages", "passed", "defects"), rows))
    return status


def _summaries(source: _inputs.Source) -> list[tuple[dict[str, Any], str]]:
    """(line, words about its error or "") of each report in one input."""
    data = _inputs.read(source, max_bytes=Limits().max_bytes)
    if data.data is None:
        return [({"file": data.name, "error": "unreadable"}, data.error or "cannot be read")]
    found: list[tuple[dict[str, Any], str]] = []
    for outcome in parse_all(data.data):
        if isinstance(outcome, Refusal):
            found.append(({"file": data.name, "error": outcome.error}, str(outcome)))
        else:
            found.append(({"file": data.name, **outcome.summary()}, ""))
    return found


def _row(line: dict[str, Any]) -> tuple[object, ...]:
    if line["kind"] == "tlsrpt":
        domains = sorted({policy[1] for policy in line["policies"] if policy[1]})
        total = line["success"] + line["failure"]
        period, passed, whose = line["begin"][:10], line["success"], ", ".join(domains)
    else:
        total, passed, whose = line["messages"], line["dmarc_pass"], line["domain"]
        period = f"{datetime.fromtimestamp(line['begin'], UTC):%Y-%m-%d}"
    share = f"{passed / total:.1%}" if total else ""
    defects = ", ".join(line["defects"])
    return line["file"], line["kind"], line["org_name"], whose, period, total, share, defects


# --- options ---------------------------------------------------------------------------------------------------------


def _options(args: argparse.Namespace) -> ViewOptions:
    own, not_ours = _networks(args.own), _networks(args.not_ours)
    return ViewOptions(
        domains=args.domain,
        since=args.since,
        until=args.until,
        require_trust=args.trusted_only,
        at=datetime.now(UTC).date(),
        top=args.top,
        own=None if own is None else own.__contains__,
        not_ours=None if not_ours is None else not_ours.__contains__,
    )


def _networks(path: str | None) -> Networks | None:
    return None if path is None else _parsed(path, Networks.parse)


def _named(shown: dict[str, Any], networks: Networks | None, *, ptr: bool) -> dict[str, Any]:
    """Names from the table first, then from DNS."""
    found: dict[str, str] = {}
    if ptr:
        ips = [source["ip"] for domain in shown["domains"].values() for source in domain["sources"]]
        found = asyncio.run(_ask(ips))
    if networks is None and not found:
        return shown
    return name_sources(shown, lambda ip: (networks(ip) if networks else None) or found.get(ip))


async def _ask(ips: list[str]) -> dict[str, str]:
    return await ptr_names(ips, CachingResolver(DnsResolver()))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"not a day like 2025-01-31: {text!r}") from error


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a number of 1 or more is needed: {text!r}")
    return int(text)


def _instant(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def _write(path: str, text: str) -> None:
    """The file, whole or not at all: a reader never sees half of it."""
    folder = os.path.dirname(os.path.abspath(path))
    try:
        handle, temporary = tempfile.mkstemp(dir=folder, prefix=".mailgate-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            os.chmod(temporary, _mode(path))
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise _exit.Exit(_exit.CONFIG, f"mailgate dmarc: {path} cannot be written: {error.strerror}") from error


def _mode(path: str) -> int:
    """That of the file it replaces, else that of any new file."""
    try:
        return os.stat(path).st_mode & 0o777
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask
