"""From the words on the command line to one verb's `run`, and from every way it can end to an exit status."""

from __future__ import annotations

import argparse
import importlib
import io
import os
import sys
import traceback
from collections.abc import Sequence
from types import ModuleType
from typing import Any, NoReturn

from mailgate import __version__
from mailgate.cli import _exit, _output
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
        self.exit(_exit.USAGE, f"{self.prog}: {_output.printable(message)}\nTry: {self.prog} --help\n")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """With nothing left over: what a command does not know is said by the command, not by the verb above it."""
        known, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return known, unknown


def entry_point() -> NoReturn:
    """The `mailgate` program."""
    sys.exit(main())


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line (without the program's name) and answer its exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    _prepare_streams()
    return _flushed(_status(words))


def _status(words: list[str]) -> int:
    try:
        return _run(words)
    except _exit.Exit as error:
        return _end(error.code, error.words)
    except BrokenPipeError:
        return _exit.OK  # the reader (head, less) has enough
    except KeyboardInterrupt:
        return _end(_exit.INTERRUPTED, "interrupted")
    except ParseError as error:
        return _end(_exit.DATA, str(error))
    except MailgateError as error:
        return _end(getattr(error, "exit_status", _exit.TRY_LATER), str(error))
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else _exit.USAGE
    except OSError as error:
        # A full disk, a file that was taken away: the world's state and no bug, and it may be better the next time.
        words_of_it = (error.strerror or str(error)).lower()
        return _end(_exit.TRY_LATER, f"{error.filename}: {words_of_it}" if error.filename else words_of_it)
    except Exception:  # noqa: BLE001 - the roof: whatever is left is our bug, and its status must be ours
        traceback.print_exc()
        return _end(_exit.BUG, "this is a bug in mailgate; the lines above say where")


def _prepare_streams() -> None:
    """Streams that were closed (`>&-`) are empty ones, and no locale is too small for what is printed."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            null = os.open(os.devnull, os.O_RDWR)  # takes the stream's own number, which no database may get
            setattr(sys, name, open(null, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 - as long as we run
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _flushed(status: int) -> int:
    """`status` once stdout has taken everything; else another, and Python does not complain again at the end."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _discard_output()
    except OSError as error:
        _discard_output()
        if status == _exit.OK:
            return _end(_exit.TRY_LATER, f"stdout: {(error.strerror or str(error)).lower()}")
    return status


def _discard_output() -> None:
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)


def _run(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        print(usage(), end="", file=sys.stdout if words else sys.stderr)
        return _exit.OK if words else _exit.USAGE
    if words[0] in ("-V", "--version"):
        print(f"mailgate {__version__}")
        return _exit.OK
    verb = words[0]
    if verb not in dict(VERBS):
        raise _exit.Exit(_exit.USAGE, _no_verb(verb))
    module = load(verb)
    arguments = build_parser(verb, module).parse_args(words[1:])
    return int(module.run(arguments))


def _no_verb(word: str) -> str:
    """What to say about a first word that is none: a command of the list is often tried as a verb."""
    from difflib import get_close_matches  # only here: most runs name a verb

    names = [name for name, _ in VERBS]
    commands = {command: f"suppress {command}" for command, _, _ in load("suppress").COMMANDS}
    near = get_close_matches(word, [*names, *commands], 1)
    meant = f"; did you mean: mailgate {commands.get(near[0], near[0])}" if near else ""
    return f"mailgate: no verb {word!r}{meant}; verbs are: {', '.join(names)}"


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
    _output.say(words if words.startswith("mailgate") else f"mailgate: {words}")
    return status
