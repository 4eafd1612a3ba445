"""`mailgate suppress filter`: a recipient list in, the recipients that may be mailed out."""

from __future__ import annotations

import argparse
import contextlib
import sys
from typing import BinaryIO

from mailgate.cli import _exit, _inputs, _output
from mailgate.cli._suppress_common import add_list_options, add_scope_options, many, open_store
from mailgate.suppression import FilterReport, ImportRefused, filter_list


def configure(name: str, parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    add_list_options(parser)
    add_scope_options(parser, "which kind of mail it is; without it an entry of any kind blocks")
    parser.add_argument("file", nargs="?", metavar="FILE", help="CSV or an address a line; default: stdin")
    parser.add_argument("--kept", default="-", metavar="FILE", help="where the others go; default: stdout")
    parser.add_argument("--blocked", metavar="FILE", help="where the suppressed rows go, with the reasons")
    parser.add_argument("--column", metavar="NAME", help="the address column, by name or number from 1")
    parser.add_argument("--preload", action="store_true", help="read the list into memory first: faster for long lists")
    parser.add_argument("--json", action="store_true", help="the summary as one JSON line")


def run(args: argparse.Namespace) -> int:
    """The command. The summary goes to stderr, or to stdout where the rows do not."""
    args.file = _inputs.or_stdin(args.file, "mailgate suppress filter")
    _output.refuse_overwriting("mailgate suppress", [args.kept, args.blocked], [args.db, args.file])
    with contextlib.ExitStack() as stack:
        store = stack.enter_context(open_store(args))
        source = _open(stack, args.file, "rb", sys.stdin.buffer)
        kept = _open(stack, args.kept, "wb", sys.stdout.buffer)
        blocked = None if args.blocked is None else _open(stack, args.blocked, "wb", sys.stdout.buffer)
        try:
            report = filter_list(
                store.preload() if args.preload else store,
                source,
                kept,
                blocked,
                tenant=args.tenant,
                stream=args.stream,
                column=args.column,
            )
        except ImportRefused as error:
            raise _exit.Exit(_exit.DATA, f"{args.file}: {error}") from error
        kept.flush()
    words = _output.json_line(report.to_dict()) if args.json else _words(report)
    print(words, file=sys.stderr if "-" in (args.kept, args.blocked) else sys.stdout)
    return _exit.OK


def _open(stack: contextlib.ExitStack, path: str, mode: str, standard: BinaryIO) -> BinaryIO:
    if path == "-":
        return standard
    try:
        return stack.enter_context(open(path, mode))  # type: ignore[return-value]
    except OSError as error:
        code = _exit.DATA if mode == "rb" else _exit.CONFIG
        raise _exit.Exit(code, f"{path}: {(error.strerror or str(error)).lower()}") from error


def _words(report: FilterReport) -> str:
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in report.reasons)
    return f"{many(report.rows, 'row', 'rows')}: {report.kept:,} kept, {report.blocked:,} blocked" + (
        f" ({reasons})" if reasons else ""
    )
