"""Calls to the app as a server makes them, with the validator of the standard library around it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

from mailgate.records import Event, KeyRing
from mailgate.unsubscribe import Subscription, UnsubscribeApp, UnsubscribeSigner

KEYS = KeyRing.of(b"unsubscribe-test-0f1e2d3c4b5a6978")
SIGNER = UnsubscribeSigner(keys=KEYS)
ANN = Subscription(recipient="ann@example.net", tenant="shop", stream="news", ref="winter-42")
TOKEN = SIGNER.token(ANN)
ONE_CLICK = b"List-Unsubscribe=One-Click"


@dataclass
class Answer:
    """What came back."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def code(self) -> int:
        return int(self.status.split()[0])

    def header(self, name: str) -> str | None:
        return dict(self.headers).get(name)


@dataclass
class Store:
    """A sink that remembers, or fails."""

    events: list[Event] = field(default_factory=list)
    error: Exception | None = None

    def __call__(self, event: Event) -> None:
        if self.error is not None:
            raise self.error
        self.events.append(event)


def app(store: Store | None = None, **options: Any) -> UnsubscribeApp:
    return UnsubscribeApp(keys=KEYS, sink=store or Store(), **options)


def call(
    application: Callable[..., Iterable[bytes]],
    method: str = "GET",
    path: str = f"/{TOKEN}",
    body: bytes | None = None,
    *,
    content_type: str = "application/x-www-form-urlencoded",
    environ: dict[str, Any] | None = None,
) -> Answer:
    """One request. body None: no Content-Length; the validator checks both sides."""
    request: dict[str, Any] = {"REQUEST_METHOD": method, "SCRIPT_NAME": "", "PATH_INFO": path, "QUERY_STRING": ""}
    request["wsgi.input"] = io.BytesIO(body or b"")
    if body is not None:
        request |= {"CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": content_type}
    request |= environ or {}
    setup_testing_defaults(request)
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Callable[[bytes], object]:
        started.append((status, headers))
        return lambda data: None

    result = validator(application)(request, start)
    try:
        content = b"".join(result)
    finally:
        result.close()  # type: ignore[attr-defined]
    ((status, headers),) = started
    return Answer(status, headers, content)


def post(application: UnsubscribeApp, body: bytes = ONE_CLICK, **options: Any) -> Answer:
    return call(application, "POST", options.pop("path", f"/{TOKEN}"), body, **options)
