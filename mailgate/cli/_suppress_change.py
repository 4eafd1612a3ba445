"""`mailgate suppress add`, `remove`, `erase`, `expire` and `fold`."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime, timedelta

from mailgate.cli import _exit, _output
from mailgate.cli._suppress_common import (
    REASONS,
    add_list_options,
    add_scope_options,
    add_who_options,
    addresses,
    at_least_nothing,
    expiry,
    many,
    open_store,
    scope,
    until,
)
from mailgate.suppression import (
    EVERY,
    FOLDING_DOMAINS,
    FOLDING_RULES,
    BadAddress,
    EntryKind,
    Folding,
    PolicySettings,
    RemovalRefused,
    SuppressionReason,
)


def configure(name: str, parser: argparse.ArgumentParser) -> None:
    """The options of one command."""
    add_list_options(parser, creates=name == "add")
    if name in ("add", "remove", "erase"):
        parser.add_argument("addresses", nargs="+", metavar="ADDRESS", help=_ADDRESS_HELP[name])
        parser.add_argument("--json", action="store_true", help="one JSON line for each result")
    if name in _OPTIONS:
        _OPTIONS[name](parser)


def run(args: argparse.Namespace) -> int:
    """The command."""
    return _RUN[args.command](args)


def _add_options(parser: argparse.ArgumentParser) -> None:
    add_scope_options(parser, "which kind of mail is blocked; default: every kind")
    parser.add_argument("--reason", choices=REASONS, default="manual", metavar="REASON", help=", ".join(REASONS))
    parser.add_argument("--expires", type=expiry, metavar="WHEN", help="90d or a date; default: by the reason")
    parser.add_argument("--source", default="manual", metavar="TEXT", help="where it comes from")
    parser.add_argument("--detail", metavar="TEXT", help="the evidence")
    parser.add_argument("--force", action="store_true", help="replace an entry, a nearer expiry included")
    add_who_options(parser, required=False)


def _remove_options(parser: argparse.ArgumentParser) -> None:
    add_scope_options(parser, "only entries of this stream")
    parser.add_argument("--reason", choices=REASONS, metavar="REASON", help="only entries of this reason")
    parser.add_argument("--evidence", default="", metavar="TEXT", help="proof of a new consent, for an unsubscribe")
    add_who_options(parser, required=True)


def _erase_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--forget-block", action="store_true", help="keep nothing: they can be mailed again")
    add_who_options(parser, required=True)


def _expire_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--log-detail-days",
        type=at_least_nothing,
        metavar="N",
        help="forget the evidence in lines of the log that are older",
    )


def _fold_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("rules", nargs="+", metavar="RULE", help=f"of {', '.join(FOLDING_RULES)}; or: off")
    parser.add_argument(
        "--domain", action="append", metavar="DOMAIN", help=f"where it holds; default: {', '.join(FOLDING_DOMAINS)}"
    )


def _add(args: argparse.Namespace) -> int:
    status = _exit.OK
    expires = _expires(args)
    with open_store(args, create=True) as store:
        for address in addresses(args.addresses):
            try:
                added = store.add(
                    address,
                    SuppressionReason(args.reason),
                    tenant=args.tenant,
                    stream=args.stream or EVERY,
                    expires=expires,
                    source=args.source,
                    detail=args.detail,
                    actor=args.actor,
                    note=args.note,
                    force=args.force,
                )
            except ValueError as error:  # BadAddress among them
                status = _bad(args, address, error)
                continue
            if args.json:
                print(_output.json_line({"input": address, **added.to_dict()}))
            else:
                entry = added.entry
                # An address without its @ is a domain, and blocks everybody there: that must be seen.
                who = {EntryKind.DOMAIN: "all of ", EntryKind.SUBDOMAINS: "all of "}.get(entry.kind, "")
                shown = f"{who}{_output.printable(entry.pattern)} ({entry.reason}, {_output.printable(scope(entry))}"
                print(f"{added.outcome}: {shown}{f', until {until(entry)}' if entry.expires else ''})")
    return status


def _expires(args: argparse.Namespace) -> datetime | None:
    """The instant that `--expires` means. One that is over makes an entry that blocks nobody, so it says so."""
    now = datetime.now(UTC)
    instant: datetime | None = now + args.expires if isinstance(args.expires, timedelta) else args.expires
    if instant is not None and instant <= now:
        _output.say(
            f"{instant.isoformat(timespec='seconds')} is over already: an entry that expires then blocks nobody"
        )
    return instant


def _remove(args: argparse.Namespace) -> int:
    status = _exit.OK
    with open_store(args) as store:
        for address in addresses(args.addresses):
            try:
                removed = store.remove(
                    address,
                    note=args.note,
                    actor=args.actor,
                    reason=None if args.reason is None else SuppressionReason(args.reason),
                    tenant=args.tenant,
                    stream=args.stream,
                    evidence=args.evidence,
                )
            except (BadAddress, RemovalRefused) as error:
                status = _bad(args, address, error)
                continue
            if args.json:
                print(_output.json_line({"input": address, "removed": [entry.to_dict() for entry in removed]}))
                continue
            if not removed:
                _output.say(f"{_output.printable(address)}: no such entry")
            for entry in removed:
                shown = f"{_output.printable(entry.pattern)} ({entry.reason}, {_output.printable(scope(entry))})"
                print(f"removed: {shown}")
    return status


def _erase(args: argparse.Namespace) -> int:
    with open_store(args) as store:
        erased = store.erase(
            *addresses(args.addresses), actor=args.actor, note=args.note, keep_block=not args.forget_block
        )
    if args.json:
        print(_output.json_line(erased.to_dict()))
    else:
        kept = "kept as hash" if erased.kept_block else "deleted"
        entries, lines = many(erased.entries, "entry", "entries"), many(erased.log_lines, "line", "lines")
        print(f"erased: {entries} {kept}, {lines} of the log cleaned")
    if not erased.scrubbed:
        _output.say("the old pages are still in the file, because others were using it; run it again when they are not")
    return _exit.OK


def _expire(args: argparse.Namespace) -> int:
    with open_store(args, settings=PolicySettings(log_detail_days=args.log_detail_days)) as store:
        print(f"expired: {many(store.expire(), 'entry', 'entries')}")
    return _exit.OK


def _fold(args: argparse.Namespace) -> int:
    try:
        folding = None if args.rules == ["off"] else Folding(
            rules=tuple(args.rules), domains=tuple(args.domain or FOLDING_DOMAINS)
        )  # fmt: skip
    except ValueError as error:
        raise _exit.Exit(_exit.USAGE, f"mailgate suppress fold: {error}") from error
    with open_store(args) as store:
        reached = store.set_folding(folding)
    reach = many(reached, "entry also holds", "entries also hold")
    print("folding is off" if folding is None else f"folding is on: {reach} for other spellings")
    return _exit.OK


def _bad(args: argparse.Namespace, address: str, error: Exception) -> int:
    if args.json:
        print(_output.json_line({"input": address, "error": str(error)}))
    _output.say(_output.printable(str(error)))
    return _exit.DATA


_ADDRESS_HELP = {
    "add": "an address, a domain (example.com), all below a domain (*.example.com); - reads them from stdin",
    "remove": "an address or domain as it was added; - reads them from stdin",
    "erase": "an address; - reads them from stdin",
}
_OPTIONS = {
    "expire": _expire_options,
    "add": _add_options,
    "remove": _remove_options,
    "erase": _erase_options,
    "fold": _fold_options,
}
_RUN = {"add": _add, "remove": _remove, "erase": _erase, "expire": _expire, "fold": _fold}
