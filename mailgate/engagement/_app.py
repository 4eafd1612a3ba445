"""The WSGI application behind tracked links (PEP 3333).

    GET /o/TOKEN.gif     always 200 and the same 43-byte image, whatever the token
    GET /c/TOKEN         302 to the destination in the token; 404, always the same, for everything else
    /u/...               handed to the WSGI application that was mounted for unsubscribing

The answer never depends on the recorder: when the sink fails, people still see their mail and get to their page, and
the failure is counted and reported. The event is given to the sink before the answer is sent, so that an answer which
was sent is an event which was taken (with a sink that stores before it returns: which is stored).
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from mailgate.engagement._burst import BurstRule, BurstWatch, correction
from mailgate.engagement._client import KeepIP, Peers, kept_address
from mailgate.engagement._errors import InvalidToken, UnsafeURL
from mailgate.engagement._event import EventType, TrackingEvent
from mailgate.engagement._judge import FAST_SECONDS, verdict_of
from mailgate.engagement._ranges import IPRanges
from mailgate.engagement._text import printable
from mailgate.engagement._throttle import Throttle
from mailgate.engagement._token import Claims, LinkSigner
from mailgate.engagement._url import location

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

DAY_SECONDS = 86_400
REMEMBERED_TOKENS = 65_536
KEPT_CLAIMS = 2_048

# The smallest image that every client takes: one transparent pixel, not padded and not disguised.
PIXEL = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00"
    b"\x00\x02\x02D\x01\x00;"
)
_NOT_FOUND = b"This link is not valid.\n"
_NOT_ALLOWED = b"This method is not allowed here.\n"
_BROKEN = b"Something went wrong here.\n"

_PRIVATE = [
    ("Referrer-Policy", "no-referrer"),
    ("X-Robots-Tag", "noindex, nofollow"),
]
_PIXEL_HEADERS = [
    ("Content-Type", "image/gif"),
    ("Content-Length", str(len(PIXEL))),
    ("Cache-Control", "no-store, private, max-age=0"),
    *_PRIVATE,
]
_REDIRECT_HEADERS = [
    # A redirect has no body; the type is there because PEP 3333 validators want one.
    ("Content-Type", "text/plain; charset=utf-8"),
    ("Content-Length", "0"),
    ("Cache-Control", "no-store, private"),
    *_PRIVATE,
]


def _text_headers(body: bytes) -> list[tuple[str, str]]:
    return [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store, private"),
        *_PRIVATE,
    ]


_NOT_FOUND_HEADERS = _text_headers(_NOT_FOUND)
_NOT_ALLOWED_HEADERS = [*_text_headers(_NOT_ALLOWED), ("Allow", "GET, HEAD")]
_BROKEN_HEADERS = _text_headers(_BROKEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingSettings:
    """How requests are read and what is kept of them.

    trusted_proxies: networks whose X-Forwarded-For is believed; `unix` for a proxy on a Unix socket.
    keep_ip: none, prefix (/24, /48) or full. keep_user_agent: record the header itself (512 characters, escaped), not
    only its class. open_max_age_days, click_max_age_days: older tokens work as before and do not count.
    future_seconds: how far ahead another machine's clock may be. machine_networks, shared_networks: addresses that
    label a request `machine`, or `unknown` (proxies that people use too).
    burst: see `BurstRule`; None switches the memory off. throttle_per_second: requests a second from one network
    (and four times as many at once) above which events are marked `throttled`; None: never.
    """

    trusted_proxies: tuple[str, ...] = ()
    keep_ip: KeepIP = KeepIP.PREFIX
    keep_user_agent: bool = False
    open_max_age_days: float = 90
    click_max_age_days: float = 365
    future_seconds: float = 300
    machine_networks: IPRanges = field(default_factory=IPRanges)
    shared_networks: IPRanges = field(default_factory=IPRanges)
    burst: BurstRule | None = field(default_factory=BurstRule)
    throttle_per_second: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "keep_ip", KeepIP(self.keep_ip))


class EventIds:
    """Calling it gives 24 random hexadecimal digits.

    Drawn 256 at a time: asking the system lets other threads run, and behind a threaded server the way back to this
    one costs ten times what the whole request does. A forked process throws away what its parent drew.
    """

    def __init__(self) -> None:
        self._pid = 0
        self._ids: list[str] = []

    def __call__(self) -> str:
        if self._pid != os.getpid():
            self._ids, self._pid = [], os.getpid()
        try:
            return self._ids.pop()
        except IndexError:
            raw = os.urandom(12 * 256).hex()
            ids = [raw[at : at + 24] for at in range(0, len(raw), 24)]
            self._ids = ids[1:]
            return ids[0]


class TrackingApp:
    """Serves pixels and redirects, and gives every request to `sink` as a `TrackingEvent`.

    signer: verifies the tokens. sink: called with each event in the thread of the request, before the answer.
    unsubscribe: a WSGI application for the paths under `/u/` (404 when None). settings: see `TrackingSettings`.
    on_error: called with (error, event or None) when the sink fails or something here is broken.
    clock: seconds since the epoch.

    Any WSGI server can run it, at the root or mounted under the path of the signer's base URL. It holds no file and no
    socket; `counts` has what happened since the process started: `open`, `click`, `bad_token`, `sink_error`, `bug`.
    """

    def __init__(
        self,
        signer: LinkSigner,
        sink: Callable[[TrackingEvent], object],
        *,
        unsubscribe: WSGIApplication | None = None,
        settings: TrackingSettings | None = None,
        on_error: Callable[[Exception, TrackingEvent | None], object] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.signer = signer
        self.settings = settings or TrackingSettings()
        self.counts: Counter[str] = Counter()
        self._sink = sink
        self._unsubscribe = unsubscribe
        self._on_error = on_error
        self._clock = clock
        self._base_path = [piece for piece in signer.base_url.split("/")[3:] if piece]
        self._peers = Peers(self.settings.trusted_proxies)
        self._burst = BurstWatch(self.settings.burst) if self.settings.burst is not None else None
        rate = self.settings.throttle_per_second
        self._throttle = Throttle(rate, clock) if rate is not None else None
        self._max_age = {
            EventType.OPEN: self.settings.open_max_age_days * DAY_SECONDS,
            EventType.CLICK: self.settings.click_max_age_days * DAY_SECONDS,
        }
        self._has_networks = bool(len(self.settings.machine_networks) or len(self.settings.shared_networks))
        self._new_id = EventIds()
        # Image proxies, previewers and people come back with the same token; a good one is read once.
        self._verify_open = lru_cache(KEPT_CLAIMS)(partial(signer.verify, "open"))
        self._verify_click = lru_cache(KEPT_CLAIMS)(partial(signer.verify, "click"))
        self._seen: dict[str, None] = {}
        self._lock = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        segment, token = self._route(_text(environ.get("PATH_INFO")))
        if segment == "u" and self._unsubscribe is not None:
            return self._unsubscribe(_mounted(environ), start_response)
        if segment == "o":
            return self._answer_open(environ, start_response, token)
        if segment == "c":
            return self._answer_click(environ, start_response, token)
        return _say(environ, start_response, "404 Not Found", _NOT_FOUND_HEADERS, _NOT_FOUND)

    def _route(self, path: str) -> tuple[str, str]:
        """(segment, token); slashes too many, a suffix `.gif` and the path of the base URL do not matter."""
        pieces = path.split("/")
        if len(pieces) != 3 or pieces[0]:
            pieces = ["", *(piece for piece in pieces if piece)]
        if self._base_path and pieces[1 : 1 + len(self._base_path)] == self._base_path:
            pieces = ["", *(piece for piece in pieces[1 + len(self._base_path) :] if piece)]
        if len(pieces) == 3:
            return pieces[1], pieces[2].removesuffix(".gif")
        return (pieces[1] if len(pieces) > 1 and pieces[1] == "u" else ""), ""

    def _answer_open(self, environ: WSGIEnvironment, start_response: StartResponse, token: str) -> Iterable[bytes]:
        method = environ.get("REQUEST_METHOD")
        if method not in ("GET", "HEAD"):
            return _say(environ, start_response, "405 Method Not Allowed", _NOT_ALLOWED_HEADERS, _NOT_ALLOWED)
        try:
            self._record(EventType.OPEN, environ, self._verify_open(token))
        except InvalidToken:
            self._count("bad_token")
        except Exception as error:  # noqa: BLE001 - the WSGI entry: mail is shown whatever is broken here
            self._report("bug", error, None)
        start_response("200 OK", _PIXEL_HEADERS.copy())
        return [PIXEL] if method == "GET" else []

    def _answer_click(self, environ: WSGIEnvironment, start_response: StartResponse, token: str) -> Iterable[bytes]:
        method = environ.get("REQUEST_METHOD")
        if method not in ("GET", "HEAD"):
            return _say(environ, start_response, "405 Method Not Allowed", _NOT_ALLOWED_HEADERS, _NOT_ALLOWED)
        try:
            claims = self._verify_click(token)
            target = location(claims.url)
        except (InvalidToken, UnsafeURL):
            self._count("bad_token")
            return _say(environ, start_response, "404 Not Found", _NOT_FOUND_HEADERS, _NOT_FOUND)
        except Exception as error:  # noqa: BLE001 - the WSGI entry
            self._report("bug", error, None)
            return _say(environ, start_response, "500 Internal Server Error", _BROKEN_HEADERS, _BROKEN)
        try:
            self._record(EventType.CLICK, environ, claims)
        except Exception as error:  # noqa: BLE001 - the WSGI entry: people get to their page whatever is broken here
            self._report("bug", error, None)
        start_response("302 Found", [("Location", target), *_REDIRECT_HEADERS])
        return []

    def _record(self, event_type: EventType, environ: WSGIEnvironment, claims: Claims) -> None:
        now = self._clock()
        event = self._event(event_type, environ, claims, now)
        if self._burst is None:
            self._give(event)
            return
        event, corrected = self._burst.see(event, now)
        self._give(event)
        for old in corrected:
            self._give(correction(old, self._new_id()))

    def _event(self, event_type: EventType, environ: WSGIEnvironment, claims: Claims, now: float) -> TrackingEvent:
        settings = self.settings
        age = now - claims.issued
        packed = self._peers.address_of(environ)
        signals: tuple[str, ...] = ("trap",) if claims.trap else ()
        counted = True
        if age < FAST_SECONDS:
            if age < -settings.future_seconds:
                signals, counted = (*signals, "future"), False
            else:
                signals = (*signals, "fast")
        elif age > self._max_age[event_type]:
            signals, counted = (*signals, "stale"), False
        if self._has_networks and packed is not None:
            signals = self._with_networks(signals, packed)
        if self._throttle is not None and self._throttle.is_over(packed):
            signals = (*signals, "throttled")
        verdict = verdict_of(environ, signals)
        # In the order of the fields: keywords would cost as much as the rest of this function.
        fields = (
            self._new_id(),
            event_type,
            datetime.fromtimestamp(now, UTC),
            claims.issued,
            claims.message_id,
            claims.recipient_id,
            claims.stream,
            claims.tenant,
            claims.link_index,
            claims.link_count,
            claims.url,
            claims.trap,
            environ["REQUEST_METHOD"],
            verdict.actor,
            verdict.reason,
            verdict.confidence,
            verdict.signals,
            verdict.client,
            verdict.agent_class,
            printable(_text(environ.get("HTTP_USER_AGENT"))) if settings.keep_user_agent else "",
            kept_address(packed, settings.keep_ip),
            claims.tid,
            counted,
            self._is_first(claims.tid, event_type),
            "",
            claims.key_id,
        )
        return tuple.__new__(TrackingEvent, fields)

    def _with_networks(self, signals: tuple[str, ...], packed: bytes) -> tuple[str, ...]:
        if self.settings.machine_networks.has(packed):
            return (*signals, "ip_machine")
        return (*signals, "ip_shared") if self.settings.shared_networks.has(packed) else signals

    def _is_first(self, tid: str, event_type: EventType) -> bool:
        """Count the request; True when its token is new to this process."""
        seen = self._seen
        with self._lock:
            self.counts[event_type.value] += 1
            if tid in seen:
                return False
            seen[tid] = None
            if len(seen) > REMEMBERED_TOKENS:
                del seen[next(iter(seen))]
        return True

    def _give(self, event: TrackingEvent) -> None:
        try:
            self._sink(event)
        except Exception as error:  # noqa: BLE001 - a part of the WSGI entry: a sink is the caller's code
            self._report("sink_error", error, event)

    def _count(self, what: str) -> None:
        with self._lock:
            self.counts[what] += 1

    def _report(self, what: str, error: Exception, event: TrackingEvent | None) -> None:
        self._count(what)
        if self._on_error is None:
            return
        try:
            self._on_error(error, event)
        except Exception:  # noqa: BLE001 - a part of the WSGI entry: a hook that fails shall not cost the answer
            self._count("bug")


def _text(value: object) -> str:
    """A value of the environment; a server that breaks PEP 3333 may leave it out or have something else there."""
    return value if isinstance(value, str) else ""


def _say(
    environ: WSGIEnvironment, start_response: StartResponse, status: str, headers: list[tuple[str, str]], body: bytes
) -> Iterable[bytes]:
    start_response(status, headers.copy())
    return [] if environ.get("REQUEST_METHOD") == "HEAD" else [body]


def _mounted(environ: WSGIEnvironment) -> dict[str, Any]:
    """The environment of the application under `/u`: its own root in SCRIPT_NAME, the rest in PATH_INFO."""
    path = _text(environ.get("PATH_INFO"))
    at = path.find("/u")
    while path[at + 2 : at + 3] not in ("", "/"):
        at = path.find("/u", at + 1)
    inner = dict(environ)
    inner["SCRIPT_NAME"] = _text(environ.get("SCRIPT_NAME")) + path[:at].rstrip("/") + "/u"
    inner["PATH_INFO"] = path[at + 2 :]
    return inner
