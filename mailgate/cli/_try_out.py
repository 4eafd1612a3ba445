"""A WSGI application on this machine for a try-out: threads, no request line in the log, ended by Ctrl-C or SIGTERM."""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
from collections.abc import Iterator
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from mailgate.cli import _exit, _output

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication


class _Handler(WSGIRequestHandler):
    """The request log without anything that a terminal would obey, and without the tokens, which are secrets."""

    def log_message(self, format: str, *args: object) -> None:
        _output.say(f"{self.command or '-'} {args[1] if len(args) > 1 else ''}".rstrip())


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Server6(_Server):
    address_family = socket.AF_INET6


def serve(app: WSGIApplication, host: str, port: int) -> None:
    """Serve until a signal comes. Ends the program with status 69 when the address cannot be had."""
    try:
        kind = _Server6 if ":" in host else _Server
        server = make_server(host, port, app, server_class=kind, handler_class=_Handler)
    except OverflowError as error:
        raise _exit.Exit(_exit.USAGE, "--port is from 0 to 65535") from error
    except OSError as error:
        raise _exit.Exit(_exit.UNAVAILABLE, f"{host} port {port}: {error}") from error
    with server:
        shown = f"[{host}]" if ":" in host else host
        _output.say(f"serving on http://{shown}:{server.server_port}/ (for a try-out; end with Ctrl-C)")
        with _ended_by_signals(server):
            server.serve_forever(poll_interval=0.1)


@contextlib.contextmanager
def _ended_by_signals(server: WSGIServer) -> Iterator[None]:
    """Ctrl-C and SIGTERM end the server between two requests (wsgiref would now and then swallow KeyboardInterrupt)."""
    former = {}
    for number in (signal.SIGINT, signal.SIGTERM):
        # shutdown waits for serve_forever to end, so it cannot be called from where serve_forever runs.
        former[number] = signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
