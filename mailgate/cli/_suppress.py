"""`mailgate suppress`: the list of addresses not to mail."""

from __future__ import annotations

import argparse
import errno
import importlib
from typing import Any

from mailgate.cli import _exit

SUMMARY = "the list of addresses not to mail: check, filter, import, …"
DESCRIPTION = """\
Keeps the list of addresses that must not be mailed, with the reason of each, and cleans recipient lists with it.

`mailgate scan` fills it from bounces and complaints; `import` takes over the lists of other services; `filter` cleans a
recipient list before a send; `policy` lets Postfix refuse suppressed recipients by itself. Every entry has a reason, a
stream (kind of mail) and a source, and every change is in a log. A list that cannot be read never answers "allowed".

Streams have the names that you give them. `transactional` is the one that an unsubscribe from every stream leaves open:
who wants no newsletter still wants the password reset. Without --stream an entry of any stream blocks.
"""
EXAMPLES = (
    "mailgate suppress add --db mail.db nobody@target.test --reason hard_bounce",
    "mailgate suppress add --db mail.db reader@target.test --reason unsubscribe --stream news",
    "mailgate suppress check --db mail.db --stream receipts reader@target.test    # status 1: do not mail it",
    "mailgate suppress filter --db mail.db --stream news recipients.csv --blocked blocked.csv > clean.csv",
    "mailgate suppress import --db mail.db fixtures/suppression/lists/sendgrid-bounces.csv --reason hard_bounce",
    "mailgate suppress list --db mail.db --reason hard_bounce",
    "mailgate suppress history --db mail.db nobody@target.test",
    "mailgate suppress export --db mail.db --format csv --output list.csv",
    "mailgate suppress stats --db mail.db",
    "mailgate suppress policy --db mail.db --stream news < fixtures/suppression/policy/request.txt",
    'mailgate suppress remove --db mail.db nobody@target.test --note "typed wrong, now confirmed" --actor ann',
    'mailgate suppress erase --db mail.db reader@target.test --note "asked to be forgotten" --actor ann',
)

# (command, the module that runs it, one line)
COMMANDS = (
    ("add", "change", "put addresses or domains on the list"),
    ("remove", "change", "take entries off, with a note"),
    ("check", "look", "say whether addresses may be mailed"),
    ("filter", "filter", "clean a recipient list (CSV or lines)"),
    ("list", "look", "print the entries"),
    ("import", "move", "take in a list of ours or of another service"),
    ("export", "move", "write the list out"),
    ("history", "look", "everything that happened to one address"),
    ("stats", "look", "the list in numbers"),
    ("erase", "change", "forget people and keep their block"),
    ("expire", "change", "take out what has expired (look-ups do not wait for it)"),
    ("fold", "change", "let addresses that differ by dots or plus tags count as one"),
    ("policy", "policy", "answer Postfix: SMTPD access policy delegation"),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """One parser per command."""
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, _, words in COMMANDS:
        examples = [line for line in EXAMPLES if line.startswith(f"mailgate suppress {name} ")]
        command = commands.add_parser(
            name,
            help=words,
            description=words[0].upper() + words[1:] + ".",
            epilog="examples:\n" + "".join(f"  {line}\n" for line in examples) if examples else None,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        _module(name).configure(name, command)


def run(args: argparse.Namespace) -> int:
    """The command. Files that cannot be written end it with the system's own words."""
    _refuse_what_is_no_text(args)
    try:
        return int(_module(args.command).run(args))
    except BrokenPipeError:
        raise
    except OSError as error:
        code = _exit.TRY_LATER if error.errno == errno.ENOSPC else _exit.CONFIG
        words = (error.strerror or str(error)).lower()
        raise _exit.Exit(code, f"{error.filename}: {words}" if error.filename else words) from error


def _refuse_what_is_no_text(args: argparse.Namespace) -> None:
    """Bytes of a command line that are not of its locale (Python keeps them as lone surrogates) fit paths only."""
    for option in ("actor", "column", "detail", "evidence", "note", "source", "stream", "tenant"):
        text = getattr(args, option, None)
        if text and any("\ud800" <= character <= "\udfff" for character in text):
            raise _exit.Exit(_exit.USAGE, f"mailgate suppress: --{option} is no text in this locale: {text[:100]!r}")


def _module(name: str) -> Any:
    part = next(part for command, part, _ in COMMANDS if command == name)
    return importlib.import_module(f"mailgate.cli._suppress_{part}")
