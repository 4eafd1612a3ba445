"""`mailgate unsubscribe`: the header pair for a recipient, a checker for finished mails, the page on this machine."""

from __future__ import annotations

import argparse
import contextlib
import signal
import socket
import threading
from collections.abc import Iterator
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from mailgate.cli import _database, _exit, _inputs, _output
from mailgate.cli._keyfile import HELP as KEY_FILE_HELP
from mailgate.cli._keyfile import read_key_file
from mailgate.records import ParseError
from mailgate.suppression import SuppressionStore
from mailgate.unsubscribe import (
    Severity,
    Subscription,
    UnsubscribeApp,
    UnsubscribeLinks,
    check_unsubscribe_headers,
)

SUMMARY = "List-Unsubscribe headers and the page behind them"
DESCRIPTION = """\
headers  prints the List-Unsubscribe pair of one or many recipients, ready to be put into a message before it is signed
check    says what mailbox providers will not like about the unsubscribe headers of finished messages
serve    runs the page behind the links on this machine, for a try-out; production mounts mailgate.unsubscribe's
         WSGI application:

           mailgate unsubscribe serve --db mail.db --key-file mailgate.keys --port 8025
"""
EXAMPLES = (
    "(umask 077; echo 0 $(openssl rand -hex 32) > mailgate.keys)",
    "mailgate unsubscribe headers --key-file mailgate.keys --base-url https://news.example/u "
    "--mailto leave@news.example --stream news ann@example.net",
    "echo ann@example.net | mailgate unsubscribe headers --key-file mailgate.keys "
    "--base-url https://news.example/u --json -",
    "mailgate unsubscribe check fixtures/unsubscribe/good.eml",
)


def configure(parser: argparse.ArgumentParser) -> None:
    """The three actions and their options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="headers|check|serve")
    headers = actions.add_parser("headers", help="print the header pair of recipients", allow_abbrev=False)
    headers.add_argument("recipients", nargs="+", metavar="ADDRESS", help="an address; - reads one a line from stdin")
    headers.add_argument("--key-file", required=True, metavar="FILE", help=KEY_FILE_HELP)
    headers.add_argument("--base-url", required=True, metavar="URL", help="where the page is, https://news.example/u")
    headers.add_argument("--mailto", metavar="ADDRESS", help="the mailbox for requests by mail")
    headers.add_argument("--stream", help="which kind of mail is left; without it all of the tenant's")
    headers.add_argument("--tenant", default="", help="whose mail it is")
    headers.add_argument("--ref", help="your id of the message or send")
    headers.add_argument("--ids", action="store_true", help="ADDRESS is an id of yours and not an address")
    headers.add_argument("--json", action="store_true", help="one JSON line a recipient")
    check = actions.add_parser("check", help="check finished messages", allow_abbrev=False)
    check.add_argument("paths", nargs="+", metavar="PATH", help="a file, directory, Maildir or mbox; - for stdin")
    check.add_argument("--json", action="store_true", help="one JSON line a message")
    serve = actions.add_parser("serve", help="run the page on this machine, for a try-out", allow_abbrev=False)
    serve.add_argument("--db", required=True, metavar="PATH|URL", help="the list of addresses not to mail")
    serve.add_argument("--key-file", required=True, metavar="FILE", help=KEY_FILE_HELP)
    serve.add_argument("--host", default="127.0.0.1", help="default 127.0.0.1")
    serve.add_argument("--port", type=int, default=8025, help="default 8025; 0 takes a free one")
    serve.add_argument("--language", default="en", help="when the browser asks for none that we have; default en")


def run(args: argparse.Namespace) -> int:
    """Do the action that was named."""
    if args.action == "headers":
        return _headers(args)
    return _check(args) if args.action == "check" else _serve(args)


def _headers(args: argparse.Namespace) -> int:
    keys = read_key_file(args.key_file)
    try:
        links = UnsubscribeLinks(keys=keys, base_url=args.base_url, mailto_address=args.mailto)
    except ValueError as error:
        raise _exit.Exit(_exit.USAGE, str(error)) from error
    for name, value in (("--stream", args.stream), ("--tenant", args.tenant), ("--ref", args.ref)):
        if value is not None and not value.isprintable():
            raise _exit.Exit(_exit.USAGE, f"{name} holds a character that is not printable: {value[:100]!r}")
    status, first = _exit.OK, True
    for place, recipient in _inputs.words_or_lines(args.recipients):
        try:
            subscription = _subscription(recipient, args)
            pair = links.headers(subscription, fold=None if args.json else "\n ")
        except ValueError as error:
            status = _exit.DATA
            _output.say(_output.printable(f"{place}{recipient[:100]}: {error}"))
            continue
        if args.json:
            record = {"recipient": recipient, "url": links.url(subscription), "mailto": links.mailto(subscription)}
            print(_output.json_line({**record, "headers": dict(pair)}))
        else:
            print("" if first else "\n", end="")
            print("\n".join(f"{name}: {value}" for name, value in pair))
        first = False
    return status


def _subscription(recipient: str, args: argparse.Namespace) -> Subscription:
    if not args.ids and "@" not in recipient.strip("@"):
        raise ValueError("not an address (for an id of yours give --ids)")
    if not recipient.isprintable() or (not args.ids and " " in recipient.rpartition("@")[2]):
        raise ValueError("holds a control character or a space where none can be")
    return Subscription(
        recipient=None if args.ids else recipient,
        recipient_id=recipient if args.ids else None,
        tenant=args.tenant,
        stream=args.stream,
        ref=args.ref,
    )


def _check(args: argparse.Namespace) -> int:
    """0 when no message has an error; 1, or 65 for a message from stdin, when one has."""
    no = _exit.DATA if "-" in args.paths else _exit.NO
    status = _exit.OK
    for message in _inputs.messages(args.paths):
        name = _output.printable(message.name)
        try:
            if message.data is None:
                raise ParseError("unreadable", message.error or "")
            findings = check_unsubscribe_headers(message.data)
        except ParseError as error:
            status = _exit.DATA
            said = message.error or str(error)
            print(_output.json_line({"file": message.name, "error": said}) if args.json else f"{name}: {said}")
            continue
        if any(finding.severity is Severity.ERROR for finding in findings):
            status = status or no
        if args.json:
            record = {"file": message.name, "findings": [finding.to_dict() for finding in findings]}
            print(_output.json_line(record))
            continue
        for finding in findings:
            print(f"{name}: {finding.severity}: {_output.printable(finding.message)} [{finding.code}]")
        if not findings:
            print(f"{name}: ok")
    return status


class _Handler(WSGIRequestHandler):
    """The request log without anything that a terminal would obey, and without the tokens, which are secrets."""

    def log_message(self, format: str, *args: object) -> None:
        _output.say(f"{self.command or '-'} {args[1] if len(args) > 1 else ''}".rstrip())


class _Server6(WSGIServer):
    address_family = socket.AF_INET6


def _serve(args: argparse.Namespace) -> int:
    keys = read_key_file(args.key_file)
    with SuppressionStore.open(_database.where(args.db)) as store:
        try:
            app = UnsubscribeApp(
                keys=keys,
                sink=store.apply,
                default_language=args.language,
                on_error=lambda error: _output.say(_output.printable(f"not stored: {error}")),
            )
            kind = _Server6 if ":" in args.host else WSGIServer
            server = make_server(args.host, args.port, app, server_class=kind, handler_class=_Handler)
        except ValueError as error:
            raise _exit.Exit(_exit.USAGE, str(error)) from error
        except OverflowError as error:
            raise _exit.Exit(_exit.USAGE, "--port is from 0 to 65535") from error
        except OSError as error:
            raise _exit.Exit(_exit.UNAVAILABLE, f"{args.host} port {args.port}: {error}") from error
        with server:
            host = f"[{args.host}]" if ":" in args.host else args.host
            _output.say(f"serving on http://{host}:{server.server_port}/ (for a try-out; end with Ctrl-C)")
            with _ended_by_signals(server):
                server.serve_forever(poll_interval=0.1)
    return _exit.OK


@contextlib.contextmanager
def _ended_by_signals(server: WSGIServer) -> Iterator[None]:
    """Ctrl-C and SIGTERM end the server between two requests.

    Without this wsgiref would now and then swallow the KeyboardInterrupt: it catches everything while it answers.
    """
    former = {}
    for number in (signal.SIGINT, signal.SIGTERM):
        # shutdown waits for serve_forever to end, so it cannot be called from where serve_forever runs.
        former[number] = signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
