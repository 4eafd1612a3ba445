"""The WSGI application behind an unsubscribe link (RFC 8058 3.2, PEP 3333).

GET and HEAD show a page and change nothing, because scanners follow every link in a mail. POST acts: with the body that
a mailbox provider sends (`List-Unsubscribe=One-Click`, no cookie, no session) or with that of the page's own form.
The answer to a POST is never a redirect (RFC 8058 3.1) and is 200 only after `sink` has returned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mailgate.records import Event, KeyRing
from mailgate.unsubscribe._event import event_of
from mailgate.unsubscribe._form import read_form
from mailgate.unsubscribe._page import CONFIRM_FIELD, CONFIRM_VALUE, Page, masked
from mailgate.unsubscribe._token import MAX_TOKEN_CHARACTERS, Subscription, UnsubscribeSigner
from mailgate.unsubscribe._wording import WORDINGS, Wording, choose_wording

if TYPE_CHECKING:
    from wsgiref.types import StartResponse

_METHODS = ("GET", "HEAD", "POST")
_HTML = "text/html; charset=utf-8"
_TEXT = "text/plain; charset=utf-8"

Answer = tuple[str, bytes, str, tuple[tuple[str, str], ...]]


class UnsubscribeApp:
    """A WSGI callable; mount it anywhere, the last segment of the path is the token.

    keys: the ring that signed the links. sink: takes the `Event` (kind `unsubscribed`) and returns when it is stored;
    whatever it raises is answered with 503 and `Retry-After`, because a lost unsubscribe is worse than a repeated one.
    recipient_of: the address behind a `recipient_id`, None when it is gone; called on POST only. Without it such an
    event has no recipient and `recipient_id` in its `meta`.
    list_names: what people call a stream, by stream. show_address: show a masked address on the page.
    wordings, default_language: texts by BCP 47 tag, and which is taken when the browser asks for none of them.
    clock: the time of an event. on_error: gets every exception that was answered with 503.
    """

    def __init__(
        self,
        *,
        keys: KeyRing,
        sink: Callable[[Event], object],
        recipient_of: Callable[[str], str | None] | None = None,
        list_names: Mapping[str, str] | None = None,
        show_address: bool = True,
        wordings: Mapping[str, Wording] = WORDINGS,
        default_language: str = "en",
        page: Page | None = None,
        retry_after_seconds: int = 300,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        on_error: Callable[[Exception], object] | None = None,
    ) -> None:
        if default_language not in wordings:
            raise ValueError(f"no wording for the default language {default_language!r}")
        self._signer = UnsubscribeSigner(keys=keys)
        self._sink = sink
        self._recipient_of = recipient_of
        self._list_names = dict(list_names or {})
        self._show_address = show_address
        self._wordings = dict(wordings)
        self._default_language = default_language
        self._page = page or Page()
        self._retry_after = str(retry_after_seconds)
        self._clock = clock
        self._on_error = on_error

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        wording = choose_wording(str(environ.get("HTTP_ACCEPT_LANGUAGE") or ""), self._wordings, self._default_language)
        try:
            status, body, content_type, extra = self._answer(environ, wording)
        except Exception as error:  # noqa: BLE001 - the WSGI entry: whatever fails, the wish was not stored
            if self._on_error is not None:
                with suppress(Exception):  # a hook that fails shall not cost the answer
                    self._on_error(error)
            status, body, content_type, extra = self._unavailable(wording)
        start_response(status, self._headers(body, content_type, wording, extra))
        return [] if environ.get("REQUEST_METHOD") == "HEAD" else [body]

    def _answer(self, environ: dict[str, Any], wording: Wording) -> Answer:
        method = environ.get("REQUEST_METHOD")
        if method not in _METHODS:
            return "405 Method Not Allowed", b"", _TEXT, (("Allow", ", ".join(_METHODS)),)
        subscription = self._signer.read(_token_of(environ))
        if subscription is None:
            return "404 Not Found", self._page.not_found(wording), _HTML, ()
        if method == "POST":
            return self._act(environ, subscription, wording)
        address = masked(subscription.recipient) if self._show_address and subscription.recipient else None
        body = self._page.question(wording, list_name=self._list_name(subscription), address=address)
        return "200 OK", body, _HTML, ()

    def _act(self, environ: dict[str, Any], subscription: Subscription, wording: Wording) -> Answer:
        form = read_form(environ) or {}
        one_click = _one_click(form)
        if not one_click and form.get(CONFIRM_FIELD) != CONFIRM_VALUE:
            return "400 Bad Request", self._page.bad_request(wording), _HTML, ()
        if subscription.recipient_id is not None and self._recipient_of is not None:
            recipient = self._recipient_of(subscription.recipient_id)
            if recipient is None:
                return "404 Not Found", self._page.not_found(wording), _HTML, ()
        else:
            recipient = subscription.recipient
        method = "one-click" if one_click else "page"
        self._sink(event_of(subscription, recipient=recipient, at=self._clock(), method=method))
        if one_click:
            return "200 OK", b"", _TEXT, ()
        return "200 OK", self._page.done(wording, list_name=self._list_name(subscription)), _HTML, ()

    def _unavailable(self, wording: Wording) -> Answer:
        return (
            "503 Service Unavailable",
            self._page.unavailable(wording),
            _HTML,
            (("Retry-After", self._retry_after),),
        )

    def _list_name(self, subscription: Subscription) -> str | None:
        return None if subscription.stream is None else self._list_names.get(subscription.stream)

    def _headers(
        self, body: bytes, content_type: str, wording: Wording, extra: tuple[tuple[str, str], ...]
    ) -> list[tuple[str, str]]:
        return [
            ("Content-Type", content_type),
            ("Content-Length", str(len(body))),
            ("Content-Language", wording.language),
            ("Vary", "Accept-Language"),
            ("Cache-Control", "no-store, private"),
            ("Content-Security-Policy", self._page.security_policy),
            ("Referrer-Policy", "no-referrer"),
            ("X-Content-Type-Options", "nosniff"),
            ("X-Frame-Options", "DENY"),
            ("X-Robots-Tag", "noindex, nofollow"),
            *extra,
        ]


def _token_of(environ: Mapping[str, Any]) -> str:
    """The last segment of the path that is not empty: `/u/TOKEN`, `/u/TOKEN/` and `//TOKEN` are alike."""
    path = str(environ.get("PATH_INFO") or "").rstrip("/")[-MAX_TOKEN_CHARACTERS - 1 :]
    return path.rpartition("/")[2]


def _one_click(form: Mapping[str, str]) -> bool:
    """RFC 8058 3.1; stray white space and semicolons at the end are read through."""
    return form.get("List-Unsubscribe", "").strip(" \t\r\n;").lower() == "one-click"
