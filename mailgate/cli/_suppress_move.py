"""`mailgate suppress import` and `export`: whole lists."""

from __future__ import annotations

import argparse
import contextlib
import csv
import os
import sys
from collections.abc import Callable

from mailgate.cli import _exit, _output
from mailgate.cli._progress import Progress
from mailgate.cli._suppress_common import (
    REASONS,
    add_list_options,
    add_scope_options,
    expiry,
    many,
    open_store,
)
from mailgate.suppression import (
    EXPORT_FORMATS,
    IMPORT_FORMATS,
    ImportRefused,
    ImportReport,
    RejectedRecord,
    StoreMismatch,
    SuppressionReason,
    SuppressionStore,
)

_SHOWN = 10  # rejected records on stderr; all of them go to --rejects


def configure(name: str, parser: argparse.ArgumentParser) -> None:
    """The options of one command."""
    add_list_options(parser, creates=name == "import")
    parser.add_argument("--reason", choices=REASONS, metavar="REASON", help=", ".join(REASONS))
    if name == "import":
        add_scope_options(parser, "which kind of mail is blocked; default: as the file says, else every kind")
        parser.add_argument("files", nargs="+", metavar="FILE", help="a list; - reads it from stdin")
        parser.add_argument("--format", choices=("auto", *IMPORT_FORMATS), default="auto", help="default: recognised")
        parser.add_argument("--expires", type=expiry, metavar="WHEN", help="90d or a date, for records without one")
        parser.add_argument("--rejects", metavar="FILE", help="CSV of the records that were not taken, and why")
        parser.add_argument("--again", action="store_true", help="also a file that was imported before")
        parser.add_argument("--actor", default="", metavar="NAME", help="who, for the log")
        parser.add_argument("--json", action="store_true", help="one JSON line a file")
    else:
        parser.add_argument("--tenant", metavar="NAME", help="only entries of this tenant")
        parser.add_argument("--stream", metavar="NAME", help="only entries of this stream")
        parser.add_argument(
            "--format",
            choices=EXPORT_FORMATS,
            default="jsonl",
            help="jsonl (default) and csv lose nothing and can be imported; plain and sha256 are the addresses that"
            " are blocked now, or their hashes",
        )
        parser.add_argument("--full", action="store_true", help="with the log, counts and events: all there is")
        parser.add_argument("--output", metavar="FILE", help="default: stdout")


def run(args: argparse.Namespace) -> int:
    """The command."""
    return _import(args) if args.command == "import" else _export(args)


def _import(args: argparse.Namespace) -> int:
    _output.refuse_overwriting("mailgate suppress", [args.rejects], [args.db, *args.files])
    status = _exit.OK
    # A list that is made for files that are not there would be empty, and block nobody.
    unreadable = {path: why for path in args.files if (why := _why_unreadable(path)) is not None}
    for path, why in unreadable.items():
        status = _refused(args, path, why, _exit.DATA)
    with contextlib.ExitStack() as stack:
        files = [path for path in args.files if path not in unreadable]
        if not files:
            return status
        is_new = not os.path.exists(args.db) and "://" not in args.db
        store = stack.enter_context(open_store(args, create=True))
        reject = _rejecter(stack, args.rejects)
        for path in files:
            try:
                with Progress(None, path) as bar:
                    report = _import_one(store, path, args, reject, bar)
            except (ImportRefused, StoreMismatch) as error:
                status = _refused(args, path, str(error), error.exit_status)
                continue
            is_new = False
            print(_output.json_line({"file": path, **report.to_dict()}) if args.json else f"{path}: {_words(report)}")
            if report.rejected and args.rejects is None:
                _show_rejects(report)
        if is_new:
            _output.say(f"mailgate: {args.db} is a new list now with nobody on it: until it is filled it blocks nobody")
    return status


def _why_unreadable(path: str) -> str | None:
    if path == "-":
        return None
    if os.path.isdir(path):
        return "is a directory"
    if not os.path.exists(path):
        return "no such file or directory"
    return None if os.access(path, os.R_OK) else "permission denied"


def _refused(args: argparse.Namespace, path: str, why: str, status: int) -> int:
    """One bad file does not stop the others."""
    if args.json:
        print(_output.json_line({"file": path, "error": why}))
    _output.say(f"mailgate: {_output.printable(path)}: {_output.printable(why)}")
    return status


def _import_one(
    store: SuppressionStore,
    path: str,
    args: argparse.Namespace,
    reject: Callable[[RejectedRecord], object],
    bar: Progress,
) -> ImportReport:
    try:
        return store.import_(
            sys.stdin.buffer if path == "-" else path,
            format=args.format,
            reason=None if args.reason is None else SuppressionReason(args.reason),
            stream=args.stream,
            tenant=args.tenant,
            expires=args.expires,
            actor=args.actor,
            again=args.again,
            on_reject=reject,
            on_progress=lambda rows: bar.advance(rows - bar.done),
        )
    except OSError as error:
        raise _exit.Exit(_exit.DATA, f"{path}: {(error.strerror or str(error)).lower()}") from error


def _rejecter(stack: contextlib.ExitStack, path: str | None) -> Callable[[RejectedRecord], object]:
    if path is None:
        return lambda record: None
    file = open(path, "w", newline="", encoding="utf-8")  # noqa: SIM115 - closed by the stack
    writer = csv.writer(stack.enter_context(file))
    writer.writerow(["line", "text", "why"])
    # Printable, and with an apostrophe in front: what was refused is not run by a spreadsheet either.
    return lambda record: writer.writerow([record.line, "'" + _output.printable(record.text), record.why])


def _show_rejects(report: ImportReport) -> None:
    for record in report.rejects[:_SHOWN]:
        _output.say(f"  line {record.line}: {_output.printable(record.text[:80])}: {_output.printable(record.why)}")
    if report.rejected > _SHOWN:
        _output.say(f"  … and {report.rejected - _SHOWN:,} more: --rejects FILE takes them all")


def _words(report: ImportReport) -> str:
    if report.repeated:
        return f"imported before (import {report.number}); --again imports it once more"
    counts = [
        f"{report.added:,} added",
        f"{report.refreshed:,} refreshed",
        f"{report.unchanged:,} unchanged",
        f"{report.rejected:,} rejected",
    ]
    again = ", went on where it was stopped" if report.resumed else ""
    records = many(report.records, "record", "records")
    return f"{report.format}: {records}, {', '.join(counts)} (import {report.number}{again})"


def _export(args: argparse.Namespace) -> int:
    _output.refuse_overwriting("mailgate suppress", [args.output], [args.db])
    if args.full and args.format != "jsonl":
        raise _exit.Exit(_exit.USAGE, "mailgate suppress export: --full goes with --format jsonl only")
    with open_store(args) as store:
        count = store.export(
            sys.stdout.buffer if args.output is None else args.output,
            format=args.format,
            full=args.full,
            tenant=args.tenant,
            stream=args.stream,
            reason=None if args.reason is None else SuppressionReason(args.reason),
        )
    if args.output is not None:
        print(f"{args.output}: {many(count, 'entry', 'entries')}")
    return _exit.OK
