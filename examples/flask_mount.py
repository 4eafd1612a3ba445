"""The tracking app inside a Flask application (pip install Flask), under /t, with the site around it untouched.

Prints:
    /: the shop
    /t/c/...: 302 https://shop.example/spring
    /t/c/nonsense: 404
    recorded: click by r-1, actor human
"""

import secrets

from flask import Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from mailgate.engagement import LinkSigner, TrackingApp, TrackingEvent
from mailgate.records import KeyRing

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


def make_site(signer: LinkSigner, events: list[TrackingEvent]) -> Flask:
    """A site whose /t belongs to the tracking app; a list stands in for a recorder."""
    site = Flask("shop")

    @site.get("/")
    def home() -> str:
        return "the shop"

    site.wsgi_app = DispatcherMiddleware(site.wsgi_app, {"/t": TrackingApp(signer, events.append)})  # type: ignore[method-assign]
    return site


def main() -> None:
    """Ask for a page of the site and for a tracked link."""
    events: list[TrackingEvent] = []
    signer = LinkSigner(KeyRing.of(secrets.token_hex()), "https://shop.example/t/")
    client = make_site(signer, events).test_client()
    link = signer.click_url("https://shop.example/spring", message_id="2026-11-a", recipient_id="r-1")
    headers = {"User-Agent": BROWSER, "Accept": "text/html", "Accept-Language": "en"}
    print("/:", client.get("/").text)
    answer = client.get(link.removeprefix("https://shop.example"), headers=headers)
    print("/t/c/...:", answer.status_code, answer.location)
    print("/t/c/nonsense:", client.get("/t/c/nonsense").status_code)
    print("recorded:", ", ".join(f"{event.type} by {event.recipient_id}, actor {event.actor}" for event in events))


if __name__ == "__main__":
    main()
