"""`mailgate suppress check`, `list`, `history` and `stats`: they change nothing."""

from __future__ import annotations

import argparse
from itertools import islice

from mailgate.cli import _exit, _output
from mailgate.cli._suppress_common import (
    REASONS,
    add_list_options,
    add_scope_options,
    addresses,
    at_least_nothing,
    many,
    open_store,
    scope,
    until,
)
from mailgate.suppression import EntryKind, Suppression, SuppressionReason, Verdict

_MAX_ROWS = 1_000  # of a table; more is read by programs, which take --json


def configure(name: str, parser: argparse.ArgumentParser) -> None:
    """The options of one command."""
    add_list_options(parser)
    parser.add_argument("--json", action="store_true", help="JSON lines instead of a table")
    if name == "check":
        parser.add_argument("addresses", nargs="+", metavar="ADDRESS", help="- reads them from stdin, one a line")
        add_scope_options(parser, "which kind of mail it is; without it an entry of any kind says no")
    elif name == "history":
        parser.add_argument("address", metavar="ADDRESS", help="an address, a domain, or *.domain")
    elif name == "list":
        parser.add_argument("--tenant", metavar="NAME", help="only entries of this tenant")
        parser.add_argument("--stream", metavar="NAME", help="only entries of this stream; * are those of every stream")
        parser.add_argument("--reason", choices=REASONS, metavar="REASON", help=", ".join(REASONS))
        parser.add_argument("--kind", choices=[str(kind) for kind in EntryKind], help="what the entry names")
        parser.add_argument("--expired", action="store_true", help="also those that have expired")
        parser.add_argument(
            "--limit", type=at_least_nothing, metavar="N", help=f"rows; default {_MAX_ROWS}, with --json all"
        )


def run(args: argparse.Namespace) -> int:
    """The command."""
    return {"check": _check, "list": _list, "history": _history, "stats": _stats}[args.command](args)


def _check(args: argparse.Namespace) -> int:
    blocked = False
    with open_store(args) as store:
        asked = list(addresses(args.addresses))
        for address, verdict in zip(
            asked, store.check_many(asked, tenant=args.tenant, stream=args.stream), strict=True
        ):
            blocked = blocked or verdict.blocked
            if args.json:
                print(_output.json_line({"input": address, **verdict.to_dict()}))
            else:
                print(f"{_output.printable(address)}: {_words(verdict)}")
    return _exit.NO if blocked else _exit.OK


def _words(verdict: Verdict) -> str:
    if not verdict.blocked:
        return "not suppressed"
    if verdict.key is None:
        return "suppressed: cannot be read as an address"
    return "suppressed: " + "; ".join(_reason(entry) for entry in verdict.entries)


def _reason(entry: Suppression) -> str:
    parts = [f"{entry.reason} since {entry.created.date()}"]
    parts += [f"until {until(entry)}"] if entry.expires else []
    parts += [f"for {scope(entry)}"] if entry.stream != "*" else []
    parts += [f"by {entry.pattern}"] if entry.kind is not EntryKind.ADDRESS or entry.folded_by else []
    return _output.printable(" ".join(parts))


def _list(args: argparse.Namespace) -> int:
    with open_store(args) as store:
        entries = store.list(
            tenant=args.tenant,
            stream=args.stream,
            reason=None if args.reason is None else SuppressionReason(args.reason),
            kind=None if args.kind is None else EntryKind(args.kind),
            expired=args.expired,
        )
        if args.json:
            for entry in islice(entries, args.limit):
                print(_output.json_line(entry.to_dict()))
            return _exit.OK
        limit = _MAX_ROWS if args.limit is None else args.limit
        shown = list(islice(entries, limit))
        more = next(entries, None) is not None
    rows = [
        (e.pattern, e.reason, scope(e), e.created.date(), until(e), e.count, e.source.partition(":")[0]) for e in shown
    ]
    print(_output.table(["address", "reason", "for", "since", "until", "count", "source"], rows))
    if more:
        _output.say(f"only the first {limit}; --limit shows more, --json and `export` all")
    return _exit.OK


def _history(args: argparse.Namespace) -> int:
    with open_store(args) as store:
        lines = store.history(args.address)
    if args.json:
        for line in lines:
            print(_output.json_line(line.to_dict()))
        return _exit.OK
    rows = [
        (
            line.at.strftime("%Y-%m-%d %H:%M:%S"),
            line.op,
            line.reason or "",
            line.stream,
            line.actor,
            line.source,
            line.note,
        )
        for line in lines
    ]
    if not rows:
        _output.say(f"{_output.printable(args.address)}: nothing ever happened to it")
        return _exit.OK
    print(_output.table(["at (UTC)", "what", "reason", "stream", "who", "source", "why"], rows))
    return _exit.OK


def _stats(args: argparse.Namespace) -> int:
    with open_store(args) as store:
        stats = store.stats()
    if args.json:
        print(_output.json_line(stats.to_dict()))
        return _exit.OK
    rows = [(one.tenant, one.stream, one.reason, one.entries, one.expired) for one in stats.scopes]
    print(_output.table(["tenant", "stream", "reason", "entries", "expired"], rows))
    print(
        f"{many(stats.entries, 'entry', 'entries')}, {stats.domains:,} of them for domains;"
        f" {many(stats.failing, 'address', 'addresses')} with counted failures;"
        f" {many(stats.events, 'event', 'events')} remembered; {many(stats.log_lines, 'line', 'lines')} in the log"
    )
    if stats.unfinished_imports:
        _output.say(f"{stats.unfinished_imports} unfinished imports: run them again with the same file")
    return _exit.OK
