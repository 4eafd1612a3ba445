"""The tracking app inside a Django project (pip install Django), as one view under t/.

Prints:
    /: the shop
    /t/c/...: 302 https://shop.example/spring
    /t/o/...: 200 image/gif 43 bytes
    /t/c/nonsense: 404
    recorded: click by r-1, open by r-1
"""

import secrets
from collections.abc import Callable
from typing import Any

import django
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from mailgate.engagement import LinkSigner, TrackingApp, TrackingEvent
from mailgate.records import KeyRing

EVENTS: list[TrackingEvent] = []  # stands in for a recorder
SIGNER = LinkSigner(KeyRing.of(secrets.token_hex()), "https://shop.example/t/")


def mount(app: Any, prefix: str) -> Callable[..., HttpResponse]:
    """A Django view that hands everything under `prefix` to a WSGI application."""

    @csrf_exempt  # the application has no session; its tokens are its protection
    def view(request: HttpRequest, rest: str) -> HttpResponse:
        started: list[Any] = []
        # PEP 3333 keeps paths as Latin-1 text.
        path_info = "/" + rest.encode("utf-8").decode("latin-1")
        environ = {**request.environ, "SCRIPT_NAME": prefix, "PATH_INFO": path_info}  # type: ignore[attr-defined]
        body = b"".join(app(environ, lambda status, headers, error=None: started.extend((status, headers))))
        return HttpResponse(body, status=int(started[0].split()[0]), headers=dict(started[1]))

    return view


def home(request: HttpRequest) -> HttpResponse:
    """The rest of the site."""
    return HttpResponse("the shop")


urlpatterns = [path("", home), path("t/<path:rest>", mount(TrackingApp(SIGNER, EVENTS.append), "/t"))]


def main() -> None:
    """Ask for a page of the site and for a tracked link."""
    settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY=secrets.token_hex())
    django.setup()
    client = Client(headers={"User-Agent": "Mozilla/5.0 (X11; Linux) Gecko/20100101 Firefox/128.0"})
    links = SIGNER.for_message(message_id="2026-11-a", recipient_id="r-1")
    print("/:", client.get("/").content.decode())
    answer = client.get(links.click("https://shop.example/spring").removeprefix("https://shop.example"))
    print("/t/c/...:", answer.status_code, answer["Location"])
    answer = client.get(links.open().removeprefix("https://shop.example"))
    print("/t/o/...:", answer.status_code, answer["Content-Type"], len(answer.content), "bytes")
    print("/t/c/nonsense:", client.get("/t/c/nonsense").status_code)
    print("recorded:", ", ".join(f"{event.type} by {event.recipient_id}" for event in EVENTS))


if __name__ == "__main__":
    main()
