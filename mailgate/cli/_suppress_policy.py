"""`mailgate suppress policy`: answers Postfix's SMTP server, so that it refuses suppressed recipients by itself."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
from dataclasses import replace

from mailgate.cli import _exit, _output
from mailgate.cli._keyfile import read_key_file
from mailgate.cli._suppress_common import add_list_options, open_store
from mailgate.records import RefSigner
from mailgate.suppression import (
    PolicyOptions,
    PolicyService,
    StoreUnavailable,
    StreamRule,
    WhenUnavailable,
    policy_server,
    serve_stream,
)

_DESCRIPTION = """\
Answers SMTPD access policy requests, so that Postfix refuses suppressed recipients while a message is handed in.

Without --listen it serves one connection on stdin and stdout, for spawn(8). master.cf:
  suppress unix - n n - 0 spawn user=mailgate argv=/usr/bin/mailgate suppress policy --db /var/lib/mailgate/mail.db
main.cf, one line for each kind of mail (policy_context, Postfix 3.1 and later, names the stream):
  smtpd_recipient_restrictions =
    check_policy_service { unix:private/suppress, policy_context=marketing }, ...
Where one Postfix takes in several kinds of mail, --stream-of tells them apart by the envelope sender or by any other
attribute of the request. Without a stream an entry of any kind refuses.
While the list cannot be read it answers 451, so that the mail is tried again; --when-unavailable says otherwise.
"""


def configure(name: str, parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.description = _DESCRIPTION
    add_list_options(parser)
    parser.add_argument(
        "--listen", type=_place, metavar="HOST:PORT|PATH", help="a TCP address, or the path of a UNIX socket"
    )
    parser.add_argument("--mode", type=_mode, default="660", metavar="OCTAL", help="of the UNIX socket; default 660")
    parser.add_argument("--stream", metavar="NAME", help="of requests that nothing else tells")
    parser.add_argument("--tenant", default="", metavar="NAME", help="of requests that nothing else tells")
    parser.add_argument(
        "--stream-of", action="append", default=[], type=_rule, metavar="[ATTRIBUTE:]PATTERN=[TENANT/]STREAM",
        help="the stream of requests whose attribute (sender, sasl_username, …) fits; the first that fits counts",
    )  # fmt: skip
    parser.add_argument(
        "--when-unavailable", choices=[str(word) for word in WhenUnavailable], default="defer",
        help="what to answer while the list cannot be read; default: defer",
    )  # fmt: skip
    parser.add_argument("--text", metavar="TEXT", help="of a refusal; {reasons} and {since} are filled in")
    parser.add_argument("--quiet", action="store_true", help="do not say on stderr why the list cannot be read")


def run(args: argparse.Namespace) -> int:
    """Serve until the connection ends, or until SIGTERM or SIGINT."""
    service = PolicyService(
        lambda: open_store(args),
        _options(args),
        refs=RefSigner(read_key_file(args.key_file)) if args.key_file else None,
        on_error=lambda error: None if args.quiet else _output.say(f"mailgate suppress policy: {error}"),
    )
    _refuse_wrong_setup(args)
    try:
        if args.listen is None:
            serve_stream(service, sys.stdin.buffer, sys.stdout.buffer)
        else:
            asyncio.run(_listen(service, args))
    finally:
        service.close()
    return _exit.OK


def _refuse_wrong_setup(args: argparse.Namespace) -> None:
    """A list made with another key never works, so say it now; one that is not there now may be there later."""
    with contextlib.suppress(StoreUnavailable):
        open_store(args).close()


async def _listen(service: PolicyService, args: argparse.Namespace) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    host, port, path = args.listen
    try:
        async with policy_server(service, host=host, port=port, path=path, mode=args.mode) as listening:
            names = ", ".join(str(one.getsockname()) for one in listening.sockets)
            _output.say(f"mailgate suppress policy: listening on {names}")
            await stop.wait()
    except OSError as error:
        where = f"{host}:{port}" if path is None else path
        raise _exit.Exit(_exit.UNAVAILABLE, f"{where}: {error.strerror or error}") from error


def _options(args: argparse.Namespace) -> PolicyOptions:
    options = PolicyOptions(
        stream=args.stream,
        tenant=args.tenant,
        rules=tuple(args.stream_of),
        when_unavailable=WhenUnavailable(args.when_unavailable),
    )
    if args.text is None:
        return options
    try:
        return replace(options, text=args.text)
    except ValueError as error:
        raise _exit.Exit(_exit.USAGE, f"mailgate suppress policy: {error}") from error


def _place(text: str) -> tuple[str | None, int | None, str | None]:
    """(host, port, None) of a TCP address, or (None, None, path)."""
    host, colon, port = text.rpartition(":")
    if "/" in text or not (port.isascii() and port.isdigit()):
        if not text:
            raise argparse.ArgumentTypeError("neither HOST:PORT nor the path of a socket: ''")
        return None, None, text
    if not colon or int(port) > 65_535:
        raise argparse.ArgumentTypeError(f"not HOST:PORT with a port up to 65535: {text!r}")
    return host.strip("[]"), int(port), None


def _mode(text: str) -> int:
    try:
        mode = int(text, 8)
    except ValueError:
        mode = -1
    if not 0 <= mode <= 0o777:
        raise argparse.ArgumentTypeError(f"not the octal mode of a file, such as 660: {text!r}")
    return mode


def _rule(text: str) -> StreamRule:
    try:
        return StreamRule.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
