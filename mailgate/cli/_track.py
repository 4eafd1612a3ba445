"""`mailgate track`: signed links, rewritten messages, the app on this machine, and what the events add up to."""

from __future__ import annotations

import argparse
import codecs
import contextlib
import os
import stat
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import IO, TYPE_CHECKING

from mailgate.cli import _database, _exit, _inputs, _output, _try_out
from mailgate.cli._keyfile import HELP as KEY_FILE_HELP
from mailgate.cli._keyfile import read_key_file
from mailgate.cli._progress import Progress
from mailgate.engagement import (
    InvalidToken,
    JsonLinesSink,
    KeepIP,
    LinkSigner,
    MessageLinks,
    PartSkipped,
    PixelPlace,
    RewritePolicy,
    Row,
    SinkError,
    SQLiteSink,
    Statistics,
    TrackingApp,
    TrackingEvent,
    TrackingSettings,
    UnsafeURL,
    read_events,
    rewrite_html,
    rewrite_message,
    statistics_page,
)
from mailgate.records import ParseError
from mailgate.suppression import SuppressionStore
from mailgate.unsubscribe import UnsubscribeApp

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

SUMMARY = "signed open and click links: sign, rewrite, serve, stats"
DESCRIPTION = """\
sign     prints tracked links for destinations (and the pixel), or with --read says what a tracked link holds
rewrite  puts tracked links and a pixel into a message before it is signed; every other byte stays
serve    runs the app behind the links on this machine, for a try-out; production mounts mailgate.engagement's WSGI
         application:

           mailgate track serve --key-file mailgate.keys --base-url http://127.0.0.1:8026/ --db track.db

stats    adds up recorded events, people and machines apart: a table, --json, or --html FILE (one page with charts)
"""
EXAMPLES = (
    "(umask 077; echo 0 $(openssl rand -hex 32) > mailgate.keys)",
    "mailgate track sign --key-file mailgate.keys --base-url https://t.example/ --message 2026-11-a --recipient r-1 "
    "https://shop.example/spring",
    "mailgate track rewrite --key-file mailgate.keys --base-url https://t.example/ --message 2026-11-a --recipient r-1 "
    "fixtures/engagement/newsletter.eml > tracked.eml",
    "mailgate track stats fixtures/engagement/events.jsonl",
    "mailgate track stats fixtures/engagement/events.jsonl --html opens-and-clicks.html",
)
MAX_BYTES = 25 * 1024 * 1024
_WARNINGS = {
    "clipped": "longer than the 102 KB that Gmail shows; the end and the pixel are hidden there",
    "no_host": "a link without a host, like http://, is tracked as it stands",
    "userinfo": "a link has a name before its host (https://name@host/), which mail filters dislike",
    "placeholders": "links that hold a template's placeholder are left alone; rewrite after rendering",
    "unclosed": "a tag or comment that never ends hides the rest of the document",
    "charset": "the charset cannot be rewritten in place; nothing was done",
    "many_links": "more links than are rewritten in one document; the others are left alone",
}
_LEFT_ALONE = {
    PartSkipped.ENCODING: "its transfer encoding cannot be decoded and written back",
    PartSkipped.CHARSET: "its charset cannot be rewritten in place",
    PartSkipped.PLACE: "it lies in a container that is itself encoded",
}
_GROUPS = ("message", "stream", "link", "day")


def configure(parser: argparse.ArgumentParser) -> None:
    """The four actions and their options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="sign|rewrite|serve|stats")
    sign = actions.add_parser("sign", help="print tracked links", allow_abbrev=False)
    _add_signer(sign)
    _add_ids(sign)
    sign.add_argument("urls", nargs="*", metavar="URL", help="a destination; - reads one a line from stdin")
    sign.add_argument("--open", action="store_true", help="print the address of the pixel too")
    sign.add_argument("--read", action="store_true", help="URL is a tracked link: say what it holds")
    sign.add_argument("--json", action="store_true", help="one JSON line a link")
    rewrite = actions.add_parser("rewrite", help="track the links of a message", allow_abbrev=False)
    _add_signer(rewrite)
    _add_ids(rewrite)
    rewrite.add_argument("path", nargs="?", metavar="FILE", help="a message; default and -: stdin")
    rewrite.add_argument("-o", "--output", metavar="FILE", help="where the result goes; default stdout")
    rewrite.add_argument("--html", action="store_true", help="FILE is an HTML document and not a message")
    rewrite.add_argument("--charset", help="of an HTML document")
    rewrite.add_argument("--pixel", choices=[str(place) for place in PixelPlace], default="bottom")
    rewrite.add_argument("--plain-text", action="store_true", help="rewrite links of text/plain parts too")
    rewrite.add_argument("--skip-unsubscribe", action="store_true", help="leave links alone that say unsubscribe")
    rewrite.add_argument("--skip-host", action="append", default=[], metavar="HOST", help="leave its links alone")
    rewrite.add_argument("--trap", metavar="URL", help="put in a link that only machines follow, which leads there")
    rewrite.add_argument("--force", action="store_true", help="rewrite although it is DKIM-signed")
    rewrite.add_argument("--json", action="store_true", help="print what would be done instead of the result")
    serve = actions.add_parser("serve", help="run the app on this machine, for a try-out", allow_abbrev=False)
    _add_signer(serve)
    where = serve.add_mutually_exclusive_group(required=True)
    where.add_argument("--db", metavar="PATH", help="record events in this SQLite file")
    where.add_argument("--json-lines", metavar="PATH", help="append events to this file")
    serve.add_argument("--unsubscribe-db", metavar="PATH|URL", help="serve unsubscribe links too, into this list")
    serve.add_argument(
        "--trusted-proxy", action="append", default=[], metavar="NETWORK", help="believe its X-Forwarded-For"
    )
    serve.add_argument("--keep-ip", choices=[str(keep) for keep in KeepIP], default="prefix")
    serve.add_argument("--host", default="127.0.0.1", help="default 127.0.0.1")
    serve.add_argument("--port", type=int, default=8026, help="default 8026; 0 takes a free one")
    stats = actions.add_parser("stats", help="add up recorded events", allow_abbrev=False)
    stats.add_argument("paths", nargs="+", metavar="FILE", help="an SQLite or JSON Lines file of events")
    stats.add_argument("--by", choices=_GROUPS, default="message", help="the rows of the table; default message")
    stats.add_argument("--since", type=_day, metavar="DAY", help="the first day (UTC), 2026-11-01")
    stats.add_argument("--until", type=_day, metavar="DAY", help="the last day (UTC)")
    stats.add_argument("--json", action="store_true", help="one JSON line a row, of all groups")
    stats.add_argument("--html", metavar="FILE", help="write one self-contained page with charts")
    stats.add_argument("--title", default="Opens and clicks", help="of the page")


def run(args: argparse.Namespace) -> int:
    """Do the action that was named."""
    actions: dict[str, Callable[[argparse.Namespace], int]] = {
        "sign": _read if args.action == "sign" and args.read else _sign,
        "rewrite": _rewrite,
        "serve": _serve,
        "stats": _stats,
    }
    return actions[args.action](args)


def _add_signer(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--key-file", required=True, metavar="FILE", help=KEY_FILE_HELP)
    parser.add_argument("--base-url", required=True, metavar="URL", help="where the app is reached, https://t.example/")


def _add_ids(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--message", default="", metavar="ID", help="your id of the message")
    parser.add_argument(
        "--recipient", default="", metavar="ID", help="your id of the recipient; an address becomes an opaque id"
    )
    parser.add_argument("--stream", default="", help="which kind of mail it is")
    parser.add_argument("--tenant", default="", help="whose mail it is")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"not a day like 2026-11-01: {text!r}") from None


def _signer(args: argparse.Namespace) -> LinkSigner:
    keys = read_key_file(args.key_file)
    try:
        return LinkSigner(keys, args.base_url)
    except ValueError as error:
        raise _exit.Exit(_exit.USAGE, str(error)) from error


def _links(args: argparse.Namespace) -> MessageLinks:
    signer = _signer(args)
    try:
        recipient = signer.recipient_id_of(args.recipient) if "@" in args.recipient else args.recipient
    except ParseError as error:
        raise _exit.Exit(_exit.USAGE, f"--recipient: {error}") from error
    try:
        return signer.for_message(
            message_id=args.message, recipient_id=recipient, stream=args.stream, tenant=args.tenant
        )
    except ValueError as error:
        raise _exit.Exit(_exit.USAGE, str(error)) from error


def _sign(args: argparse.Namespace) -> int:
    if not args.urls and not args.open:
        raise _exit.Exit(_exit.USAGE, "mailgate track sign: give a URL, or --open for the pixel")
    links = _links(args)
    status = _exit.OK
    if args.open:
        pixel = links.open()
        print(_output.json_line({"url": None, "tracked_url": pixel}) if args.json else pixel)
    for place, url in _inputs.words_or_lines(args.urls):
        try:
            tracked = links.click(url)
        except UnsafeURL as error:
            status = _exit.DATA
            _output.say(_output.printable(f"{place}{error}"))
            if args.json:
                print(_output.json_line({"url": url, "error": error.reason}))
            continue
        print(_output.json_line({"url": url, "tracked_url": tracked}) if args.json else tracked)
    return status


def _read(args: argparse.Namespace) -> int:
    """0 when every link is ours, 1 when one is not."""
    if not args.urls:
        raise _exit.Exit(_exit.USAGE, "mailgate track sign --read: give a tracked link, or - for one a line from stdin")
    signer = _signer(args)
    status = _exit.OK
    for place, url in _inputs.words_or_lines(args.urls):
        try:
            found = signer.token_of(url)
            claims = None if found is None else signer.verify(*found)
        except InvalidToken:
            claims = None
        if claims is None:
            status = _exit.NO
            print(
                _output.json_line({"tracked_url": url, "error": "invalid"}) if args.json else f"{place}not a valid link"
            )
            continue
        record = {**claims.to_dict(), "issued_at": claims.issued_at.isoformat()}
        if args.json:
            print(_output.json_line({"tracked_url": url, **record}))
            continue
        for name, value in record.items():
            if value is not None and value is not False and value != "" and name != "issued":
                print(f"{name}: {_output.printable(str(value))}")
    return status


def _rewrite(args: argparse.Namespace) -> int:
    if args.charset is not None:
        _check_charset(args.charset)
    message = _input(_inputs.or_stdin(args.path, "mailgate track rewrite"))
    links = _links(args)
    policy = RewritePolicy(
        pixel=PixelPlace(args.pixel),
        plain_text=args.plain_text,
        skip_unsubscribe=args.skip_unsubscribe,
        skip_hosts=tuple(args.skip_host),
        trap_url=args.trap,
    )
    try:
        if args.html:
            document = rewrite_html(message, links, policy=policy, charset=args.charset)
            data, report = document.html, document.to_dict()
            _say_warnings("", document.warnings)
        else:
            result = rewrite_message(message, links, policy=policy, force=args.force)
            data, report = result.message, result.to_dict()
            for part in result.parts:
                _say_warnings(f"part {part.path}: ", part.warnings)
                if part.skipped in _LEFT_ALONE:
                    _output.say(f"part {part.path} ({part.content_type}) is left alone: {_LEFT_ALONE[part.skipped]}")
    except UnsafeURL as error:  # only the trap's: links of the mail that are unsafe are left alone
        raise _exit.Exit(_exit.USAGE, str(error)) from error
    with _output_file(args.output) as file:
        file.write(_output.json_line(report).encode("ascii") + b"\n" if args.json else data)
    return _exit.OK


def _check_charset(name: str) -> None:
    try:
        codecs.lookup(name)
    except (LookupError, ValueError) as error:
        raise _exit.Exit(_exit.USAGE, f"--charset: no charset that Python knows: {name!r}") from error


def _say_warnings(place: str, warnings: tuple[str, ...]) -> None:
    for word in warnings:
        _output.say(f"{place}warning: {_WARNINGS[word]} [{word}]")


def _input(path: str) -> bytes:
    source = _inputs.Source(name=path, path=None if path == "-" else path)
    found = _inputs.read(source, max_bytes=MAX_BYTES)
    if found.data is None:
        raise _exit.Exit(_exit.DATA, f"{path}: {found.error}")
    if len(found.data) > MAX_BYTES:
        raise _exit.Exit(_exit.DATA, f"{path}: more than {MAX_BYTES} bytes")
    return found.data


@contextlib.contextmanager
def _output_file(path: str | None) -> Iterator[IO[bytes]]:
    if path is None:
        yield sys.stdout.buffer
        return
    try:
        file = open(path, "wb")  # noqa: SIM115 - closed below; only its opening is guarded
    except OSError as error:
        raise _exit.Exit(_exit.UNAVAILABLE, f"{path}: {(error.strerror or str(error)).lower()}") from error
    with file:
        yield file


def _serve(args: argparse.Namespace) -> int:
    signer = _signer(args)
    try:
        settings = TrackingSettings(trusted_proxies=tuple(args.trusted_proxy), keep_ip=KeepIP(args.keep_ip))
    except ValueError as error:
        raise _exit.Exit(_exit.USAGE, str(error)) from error
    with contextlib.ExitStack() as stack:
        sink = SQLiteSink(args.db) if args.db else JsonLinesSink(args.json_lines)
        stack.callback(sink.close)
        try:
            sink.open()
        except OSError as error:
            words = (error.strerror or str(error)).lower()
            raise _exit.Exit(_exit.UNAVAILABLE, f"{args.json_lines}: {words}") from error
        except SinkError as error:
            raise _exit.Exit(_exit.UNAVAILABLE, str(error)) from error
        unsubscribe: WSGIApplication | None = None
        if args.unsubscribe_db:
            store = stack.enter_context(SuppressionStore.open(_database.where(args.unsubscribe_db)))
            unsubscribe = UnsubscribeApp(keys=signer.keys, sink=store.apply)
        try:
            app = TrackingApp(signer, sink, unsubscribe=unsubscribe, settings=settings, on_error=_say_error)
        except ValueError as error:
            raise _exit.Exit(_exit.USAGE, f"--trusted-proxy: {error}") from error
        _try_out.serve(app, args.host, args.port)
        said = ", ".join(f"{count} {what}" for what, count in sorted(app.counts.items()))
        _output.say(f"served: {said or 'nothing'}")
    return _exit.OK


def _say_error(error: Exception, event: TrackingEvent | None) -> None:
    what = "not recorded" if event is not None else "a bug"
    _output.say(_output.printable(f"{what}: {error}"))


def _stats(args: argparse.Namespace) -> int:
    if args.since is not None and args.until is not None and args.until < args.since:
        raise _exit.Exit(_exit.USAGE, f"--until {args.until} is before --since {args.since}")
    _output.refuse_overwriting("mailgate track stats", [args.html], args.paths)
    for path in args.paths:
        if os.path.exists(path) and stat.S_ISFIFO(os.stat(path).st_mode):
            # To tell SQLite from lines a file is opened twice; of a pipe the first events would be lost.
            raise _exit.Exit(_exit.DATA, f"{path} is a pipe; write the events to a file first")
    bad = 0

    def events() -> Iterator[TrackingEvent]:
        nonlocal bad
        with Progress(None, "reading events") as progress:
            for path in args.paths:
                bad_lines: list[int] = []
                for event in read_events(path, grouped=len(args.paths) == 1, on_bad_line=bad_lines.append):
                    progress.advance()
                    if _is_within(event, args.since, args.until):
                        yield event
                if bad_lines:
                    bad += len(bad_lines)
                    _output.say(_passed_over(path, bad_lines))

    try:
        statistics = Statistics.of(events(), grouped=len(args.paths) == 1)
    except OSError as error:
        raise _exit.Exit(_exit.DATA, f"{error.filename}: {(error.strerror or str(error)).lower()}") from error
    except SinkError as error:
        raise _exit.Exit(_exit.DATA, str(error)) from error
    if bad and not statistics.events:
        raise _exit.Exit(_exit.DATA, "no events; a file that mailgate track serve or one of the sinks wrote is needed")
    if args.html:
        page = statistics_page(statistics, title=args.title, generated=datetime.now(UTC).date())
        with _output_file(args.html) as file:
            file.write(page.encode("utf-8", "replace"))  # a title of bytes that are no text in this locale
    if args.json:
        for row in statistics.rows():
            print(_output.json_line(row))
    elif not args.html:
        print(_table(statistics, args.by))
    return _exit.OK


def _passed_over(path: str, lines: list[int]) -> str:
    if len(lines) == 1:
        return f"{path}:{lines[0]}: no event, passed over"
    return f"{path}:{lines[0]}: no event, passed over, like {len(lines) - 1} more"


def _is_within(event: TrackingEvent, since: date | None, until: date | None) -> bool:
    if since is not None and event.at < datetime(since.year, since.month, since.day, tzinfo=UTC):
        return False
    return until is None or event.at < datetime(until.year, until.month, until.day, tzinfo=UTC) + timedelta(days=1)


def _table(statistics: Statistics, by: str) -> str:
    tallies = ["clicks"] if by == "link" else ["opens", "clicks"]
    headers = [by]
    for tally in tallies:
        headers += [tally, "people", "unclear", "incl. machines", "requests"]
    ranked = [(_name(key), row) for key, row in _ranked(statistics, by)]
    if by != "link":  # who follows two links would be in the sum twice
        ranked.append(("total", statistics.total))
    return _output.table(headers, [[name, *_cells(row, tallies)] for name, row in ranked])


def _ranked(statistics: Statistics, by: str) -> list[tuple[tuple[str, str], Row]]:
    if by == "day":
        return [(("", day.isoformat()), row) for day, row in sorted(statistics.by_day.items())]
    return statistics.ranked(by)


def _name(key: tuple[str, str]) -> str:
    tenant, name = key
    return f"{tenant} / {name or '-'}" if tenant else name or "-"


def _cells(row: Row, tallies: list[str]) -> Iterator[int]:
    for name in tallies:
        tally = row.opens if name == "opens" else row.clicks
        yield from (tally.unique, tally.people, tally.unclear, tally.with_machines, tally.requests)
