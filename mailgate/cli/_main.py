"""From the words on the command line to one verb's `run`, and from every way it can end to an exit status."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from types import ModuleType
from typing import NoReturn

from mailgate import __version__
from mailgate.cli import _exit
from mailgate.records import MailgateError, ParseError

# The verbs in the order of a first day: read what came back, then keep the list, then look ahead.
VERBS: tuple[tuple[str, str], ...] = (
    ("scan", "read everything new in Maildirs once: the cron job"),
    ("bounce", "say what bounces, delays and autoreplies report"),
    ("fbl", "say what complaints (feedback reports) report"),
    ("dmarc", "roll up DMARC and TLS reports into a table or a page"),
    ("suppress", "the list of addresses not to mail: check, filter, import, …"),
    ("validate", "check a list of addresses before a send"),
    ("track", "signed open and click links: sign, rewrite, serve, stats"),
    ("unsubscribe", "List-Unsubscribe headers and the page behind them"),
)

USAGE = """\
usage: mailgate VERB ...

Keeps your mail arriving: reads bounces, complaints and DMARC reports, and keeps a list of addresses not to mail again.

verbs:
{verbs}

first steps:
  mailgate scan ~/Maildir --db mail.db            read what came back, fill the suppression list
  mailgate suppress filter --db mail.db < list    your recipient list without the dead addresses
  mailgate bounce message.eml                     what one bounce says

Every verb teaches itself: mailgate VERB --help
"""


class _Parser(argparse.ArgumentParser):
    """argparse, ending with the exit status that sysexits has for wrong usage."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(_exit.USAGE, f"{self.prog}: {message}\nTry: {self.prog} --help\n")


def entry_point() -> NoReturn:
    """The `mailgate` program."""
    sys.exit(main())


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line (without the program's name) and answer its exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        status = _run(words)
        sys.stdout.flush()
        return status
    except _exit.Exit as error:
        return _end(error.code, error.words)
    except BrokenPipeError:
        # The reader (head, less) has enough. Python would complain again while closing stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _exit.OK
    except KeyboardInterrupt:
        return _end(_exit.INTERRUPTED, "interrupted")
    except ParseError as error:
        return _end(_exit.DATA, str(error))
    except MailgateError as error:
        return _end(getattr(error, "exit_status", _exit.TRY_LATER), str(error))
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else _exit.USAGE
    except Exception:  # noqa: BLE001 - the roof: whatever is left is our bug, and its status must be ours
        traceback.print_exc()
        return _end(_exit.BUG, "this is a bug in mailgate; the lines above say where")


def _run(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        print(usage(), end="", file=sys.stdout if words else sys.stderr)
        return _exit.OK if words else _exit.USAGE
    if words[0] in ("-V", "--version"):
        print(f"mailgate {__version__}")
        return _exit.OK
    verb = words[0]
    if verb not in dict(VERBS):
        raise _exit.Exit(_exit.USAGE, f"mailgate: no verb {verb!r}; verbs are: {', '.join(name for name, _ in VERBS)}")
    module = load(verb)
    arguments = build_parser(verb, module).parse_args(words[1:])
    return int(module.run(arguments))


def load(verb: str) -> ModuleType:
    """The module of one verb."""
    return importlib.import_module(f"mailgate.cli._{verb}")


def build_parser(verb: str, module: ModuleType) -> argparse.ArgumentParser:
    """The parser of one verb, with its examples at the end of its help."""
    examples = "".join(f"  {line}\n" for example in module.EXAMPLES for line in example.splitlines())
    parser = _Parser(
        prog=f"mailgate {verb}",
        description=module.DESCRIPTION,
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    module.configure(parser)
    return parser


def usage() -> str:
    """The help of `mailgate` itself."""
    return USAGE.format(verbs="\n".join(f"  {name:<12} {summary}" for name, summary in VERBS))


def _end(status: int, words: str) -> int:
    print(words if words.startswith("mailgate") else f"mailgate: {words}", file=sys.stderr)
    return status
