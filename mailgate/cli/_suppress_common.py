"""What the commands of `mailgate suppress` share: the options of the list and how it is opened."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from mailgate.cli import _database, _exit, _inputs
from mailgate.cli._keyfile import HELP as KEY_FILE_HELP
from mailgate.cli._keyfile import read_key_file
from mailgate.suppression import PolicySettings, Suppression, SuppressionReason, SuppressionStore

REASONS = [str(reason) for reason in SuppressionReason]


def add_list_options(parser: argparse.ArgumentParser, *, creates: bool = False) -> None:
    """`--db` and what belongs to it."""
    made = "made when absent" if creates else "which must be there"
    parser.add_argument(
        "--db", required=True, metavar="PATH|URL", help=f"the list: an SQLite file, {made}, or postgresql://…"
    )
    parser.add_argument("--key-file", metavar="FILE", help=f"for a list with hashed addresses: {KEY_FILE_HELP}")
    if creates:
        parser.add_argument(
            "--hashed", action="store_true", help="a new list keeps keyed hashes instead of addresses (with --key-file)"
        )


def add_scope_options(parser: argparse.ArgumentParser, stream_help: str) -> None:
    """`--tenant` and `--stream`."""
    parser.add_argument("--tenant", default="", metavar="NAME", help="whose mail it is, where there are several")
    parser.add_argument("--stream", metavar="NAME", help=stream_help)


def add_who_options(parser: argparse.ArgumentParser, *, required: bool) -> None:
    """`--actor` and `--note`."""
    parser.add_argument("--note", required=required, default="", metavar="TEXT", help="why, for the log")
    parser.add_argument("--actor", required=required, default="", metavar="NAME", help="who, for the log")


def open_store(
    args: argparse.Namespace, *, create: bool = False, settings: PolicySettings | None = None
) -> SuppressionStore:
    """The list that `--db` names. Without `create` a wrong path is an error, never an empty list."""
    keys = read_key_file(args.key_file) if args.key_file else None
    hashed = getattr(args, "hashed", False)
    if hashed and keys is None:
        raise _exit.Exit(_exit.USAGE, "mailgate suppress: --hashed needs --key-file")
    settings = settings or PolicySettings()
    where = _database.where(args.db)
    return SuppressionStore.open(where, create=create, hash_keys=keys, hashed=hashed, settings=settings)


def addresses(words: list[str]) -> Iterator[str]:
    """The addresses of a command line; `-` reads them from stdin, one a line."""
    return (address for _, address in _inputs.words_or_lines(words))


def expiry(text: str) -> datetime | timedelta:
    """A span from `90d`, an instant from ISO 8601. Raises argparse's own error."""
    match = re.fullmatch(r"(\d{1,5})d", text)
    if match:
        return timedelta(days=int(match[1]))
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"neither days like 90d nor an ISO 8601 date: {text!r}") from None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def at_least_nothing(text: str) -> int:
    """A number that is not negative. Raises argparse's own error."""
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise argparse.ArgumentTypeError(f"not a number from 0 on: {text!r}")
    return int(text)


def many(number: int, one: str, more: str) -> str:
    """A number with its noun."""
    return f"{number:,} {one if number == 1 else more}"


def until(entry: Suppression) -> str:
    """Until when an entry holds, as a person says it."""
    return "" if entry.expires is None else entry.expires.date().isoformat()


def scope(entry: Suppression) -> str:
    """The tenant and stream of an entry in one word."""
    stream = "every stream" if entry.stream == "*" else entry.stream
    return f"{entry.tenant}/{stream}" if entry.tenant else stream
