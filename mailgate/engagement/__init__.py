r"""Engagement: who opened and who clicked, by signed links that change nothing else in the mail.

Use it to track opens and clicks of your own mail: sign links, rewrite the finished message before it is DKIM-signed,
serve pixel and redirects from any WSGI server, and count people apart from machines.

    >>> from mailgate.records import KeyRing
    >>> signer = LinkSigner(KeyRing.of(b"0123456789abcdefghijklmnopqrstuv"), "https://t.example/")
    >>> links = signer.for_message(message_id="2026-11-a", recipient_id="r-4711", stream="news")
    >>> message = (b"Subject: hello\r\nMIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
    ...            b"<p><a href='https://shop.example/?a=1&amp;b=2'>Look</a></p>\r\n")
    >>> result = rewrite_message(message, links)
    >>> result.tracked[0].url
    'https://shop.example/?a=1&b=2'
    >>> result.undo() == message
    True

    >>> events = []
    >>> app = TrackingApp(signer, events.append)              # mount it at https://t.example/
    >>> environ = {"REQUEST_METHOD": "GET", "PATH_INFO": result.tracked[0].tracked_url.removeprefix("https://t.example")}
    >>> app(environ, lambda status, headers: print(status, dict(headers)["Location"]))
    302 Found https://shop.example/?a=1&b=2
    []
    >>> events[0].recipient_id, events[0].url
    ('r-4711', 'https://shop.example/?a=1&b=2')

What goes in. `LinkSigner`: a key ring, the base URL, ids of yours (at most 1,000 bytes each, opaque: a recipient_id
with an `@` is refused), destinations (absolute http and https, up to the 4,096 characters that a token may have;
longer ones than 300 bytes are compressed). `rewrite_html`: text or bytes of any charset; `rewrite_message`: any RFC
5322 bytes up to 25 MiB. `TrackingApp`: WSGI requests; a sink, which is any callable that takes a `TrackingEvent`.

What comes out. `RewriteResult` and `MessageResult`: the rewritten document, every link with what was done to it or
why it was left alone, and `undo()`, which gives the original back byte for byte. Events, from the app, to the sink:
`JsonLinesSink` (one line each), `SQLiteSink` (committed before the answer is sent), or your own. `Statistics` adds
them up, `statistics_page` draws them.

Errors. InvalidToken (it never says why), UnsafeURL for a destination that will not be signed, AlreadySigned for a
message with a DKIM-Signature, SinkError when a store cannot take events (the app answers all the same and counts it),
ParseError when a message is beyond the limits of `Mail`, ValueError for arguments.

Machines. A request is labelled by its signals: HEAD, prefetch headers, a User-Agent that names itself, none at all,
addresses in lists that you load (`IPRanges.parse`), the invisible trap link, and bursts: three different links of one
message within two seconds, or 60 % of them. When a burst shows only after its first requests, corrections (`amends`)
follow. `find_bursts` does the same over stored events of several processes; `Statistics` always does. Apple's Mail
Privacy Protection is a machine (it proves delivery); Gmail's and Yahoo's image proxies are unclear.

SECURITY. The destination is inside the MAC: there is no open redirect, and no parameter that could be one. Each
purpose has a key of its own; a token verifies for one use, under one base URL, in one spelling. Pixels answer alike
for every token; links that are not ours all get the same 404. A destination is checked when it is signed and again
before it goes into Location. The app never fetches anything, sets no cookie, keeps /24 and /48 of addresses and the
class of the User-Agent unless told otherwise, believes X-Forwarded-For only from proxies that you name, and escapes
what it keeps. Whoever has a link can make events with it; they carry the same `tid`, and a recipient counts once.

BUGS. A single click with a browser's headers cannot be told from a person's. A person who opens three links within two
seconds is taken for a scanner. Behind several processes corrections come late (with `Statistics`), because each sees
a part of the burst. A URL that a browser would repair in another way than `location` does (percent signs in host
names, `https:` without slashes) is redirected to as it is written. Placeholders are known by their marks only; rewrite
after rendering. SVG and MathML that hold misnested HTML are read without the full stack of open elements: of seeded
soup one document in four thousand has other links than Chromium's tree there, and none without SVG. UTF-7 and HZ are
left alone, and so is text that ends inside a two-byte set of ISO-2022. A part is rewritten in place in quoted-printable
and base64; one whose base64 is damaged is left alone.

    HTML Standard 13.2.5       tags, comments, character references    rewrite_html
    RFC 2045 6.7, 6.8          quoted-printable, base64                rewrite_message
    RFC 2104 2                 HMAC                                    LinkSigner
    RFC 3676 4.3               the signature line of a text            RewritePolicy.plain_text
    RFC 3986 2                 characters of a URL                     LinkSigner.sign
    RFC 3987 3.1               a destination in ASCII                  TrackingApp
    RFC 4291 2.5.5.2           IPv4 written as IPv6                    TrackingSettings.trusted_proxies
    RFC 5322 2.1.1             lines of at most 998 bytes              rewrite_message
    RFC 9110 15.4.3            302                                     TrackingApp
    PEP 3333                   WSGI                                    TrackingApp

DECISIONS.
The tokenizer is our own: libraries that build a tree write other bytes, drop what follows `</html>` and do not see
the branches for Outlook.
A tag's bytes are edited, never written: of the 230 documents of the corpus every one comes back by `undo`.
A URL that is broken over lines in an `href` is tracked as browsers read it, if nothing else is odd about it; with
anything else odd it is left alone and reported (`join_broken_urls=False` leaves all alone).
Links like `http://`, which templates hold as a stand-in, are tracked as they are, with a warning: what is in the mail
is the sender's, and a rewriter that repairs would hide it.
One token a destination and not a place: Outlook's branch and its twin are one link, and a click is one click.
302 and not 307: a redirect after a GET that nobody shall cache.
Old links work for ever and stop counting: people open old mail, and a dead link helps nobody.
Stored short links are not offered: real destinations fit, and a token needs no database that can be lost.
"""

from mailgate.engagement._app import TrackingApp, TrackingSettings
from mailgate.engagement._burst import BurstRule, find_bursts
from mailgate.engagement._client import KeepIP
from mailgate.engagement._edit import Edit
from mailgate.engagement._errors import AlreadySigned, InvalidToken, UnsafeURL
from mailgate.engagement._event import Actor, Confidence, EventType, TrackingEvent
from mailgate.engagement._json_lines import JsonLinesSink, read_json_lines
from mailgate.engagement._links import Link, PixelPlace, Place, RewritePolicy, Skipped
from mailgate.engagement._message import MessageResult, PartResult, PartSkipped, rewrite_message
from mailgate.engagement._page import statistics_page
from mailgate.engagement._ranges import IPRanges
from mailgate.engagement._recorded import read_events
from mailgate.engagement._rewrite import RewriteResult, rewrite_html
from mailgate.engagement._sqlite import SinkError, SQLiteSink, read_sqlite
from mailgate.engagement._statistics import Row, Statistics, Tally
from mailgate.engagement._token import Claims, LinkSigner, MessageLinks, Purpose

__all__ = [
    "Actor",
    "AlreadySigned",
    "BurstRule",
    "Claims",
    "Confidence",
    "Edit",
    "EventType",
    "IPRanges",
    "InvalidToken",
    "JsonLinesSink",
    "KeepIP",
    "Link",
    "LinkSigner",
    "MessageLinks",
    "MessageResult",
    "PartResult",
    "PartSkipped",
    "PixelPlace",
    "Place",
    "Purpose",
    "RewritePolicy",
    "RewriteResult",
    "Row",
    "SQLiteSink",
    "SinkError",
    "Skipped",
    "Statistics",
    "Tally",
    "TrackingApp",
    "TrackingEvent",
    "TrackingSettings",
    "UnsafeURL",
    "find_bursts",
    "read_events",
    "read_json_lines",
    "read_sqlite",
    "rewrite_html",
    "rewrite_message",
    "statistics_page",
]
