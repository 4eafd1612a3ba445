"""The view over HTTP, read-only: the page and the JSON, cached by what is stored."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from mailgate.dmarc._contribution import canonical
from mailgate.dmarc._names import name_sources
from mailgate.dmarc._page import page
from mailgate.dmarc._store import RollupStore, StoreError
from mailgate.dmarc._view import ViewOptions, view

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

Environ: TypeAlias = dict[str, Any]
Headers: TypeAlias = list[tuple[str, str]]

MAX_AGE_SECONDS = 300
RETRY_AFTER_SECONDS = 30

# Nothing but its own style sheet may be used by the page, whatever a hostile report brings into it.
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_ALWAYS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Content-Security-Policy", _POLICY),
)
_PATHS = {"": "page", "/": "page", "/view.json": "view"}
_TYPES = {"page": "text/html; charset=utf-8", "view": "application/json"}


class DmarcApp:
    """A WSGI application (PEP 3333): `GET /` is the page, `GET /view.json` the view.

    store: where the rollup is. options: what to show; `at` is set to the day of `clock` at each request.
    names: a name for an address, or None (see `Networks`). clock: gives the instant now, aware.
    on_error: told about an exception that was answered with 500 or 503.

    Answers carry an ETag that changes with the store, the options and the day, and are `private` for
    `max_age_seconds`: what is in them is nobody else's business. It knows no users: put it behind a server that does.
    """

    def __init__(
        self,
        store: RollupStore,
        *,
        options: ViewOptions | None = None,
        names: Callable[[str], str | None] | None = None,
        title: str | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        max_age_seconds: int = MAX_AGE_SECONDS,
        on_error: Callable[[Exception], None] = lambda _error: None,
    ) -> None:
        self._store = store
        self._options = options or ViewOptions()
        self._names = names
        self._title = title
        self._clock = clock
        self._max_age_seconds = max_age_seconds
        self._on_error = on_error
        shown = self._options
        domains = None if shown.domains is None else sorted(shown.domains)
        self._settings = canonical([domains, str(shown.since), str(shown.until), shown.require_trust, shown.top, title])
        self._lock = threading.Lock()
        self._made: tuple[str, dict[str, bytes]] = ("", {})

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        try:
            status, headers, body = self._answer(environ)
        except StoreError as error:
            self._on_error(error)
            headers = [("Retry-After", str(RETRY_AFTER_SECONDS)), *_plain()]
            status, body = "503 Service Unavailable", b"The reports cannot be read just now.\n"
        except Exception as error:  # noqa: BLE001 - the WSGI entry: a bug is a 500, never a half-made page
            self._on_error(error)
            status, headers, body = "500 Internal Server Error", _plain(), b"Something went wrong here.\n"
        start_response(status, [*headers, *_ALWAYS, ("Content-Length", str(len(body)))])
        return [] if environ.get("REQUEST_METHOD") == "HEAD" else [body]

    def _answer(self, environ: Environ) -> tuple[str, Headers, bytes]:
        kind = _PATHS.get(environ.get("PATH_INFO", ""))
        if kind is None:
            return "404 Not Found", _plain(), b"Here are / and /view.json.\n"
        if environ.get("REQUEST_METHOD") not in ("GET", "HEAD"):
            return "405 Method Not Allowed", [("Allow", "GET, HEAD"), *_plain()], b"This can only be read.\n"
        version = self._version()
        tag = f'"{hashlib.sha256(f"{kind} {version}".encode()).hexdigest()[:32]}"'
        caching = [("ETag", tag), ("Cache-Control", f"private, max-age={self._max_age_seconds}, must-revalidate")]
        if _matches(environ.get("HTTP_IF_NONE_MATCH", ""), tag):
            return "304 Not Modified", caching, b""
        return "200 OK", [("Content-Type", _TYPES[kind]), *caching], self._bodies(version)[kind]

    def _version(self) -> str:
        """Of everything that answers depend on, the same in each process of a server."""
        return f"{self._store.version()} {self._clock().date().isoformat()} {self._settings}"

    def _bodies(self, version: str) -> dict[str, bytes]:
        """Both bodies, made once for each version."""
        with self._lock:
            if self._made[0] != version:
                found = view(self._store.load(), replace(self._options, at=self._clock().date()))
                if self._names is not None:
                    found = name_sources(found, self._names)
                text = page(found, title=self._title)
                self._made = (version, {"page": text.encode(), "view": canonical(found).encode()})
            return self._made[1]


def _plain() -> Headers:
    return [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store")]


def _matches(header: str, tag: str) -> bool:
    """If-None-Match, weakly compared (RFC 9110 13.1.2)."""
    return any(candidate.strip() in ("*", tag, f"W/{tag}") for candidate in header.split(","))
