"""A tracked mail in a real browser: the pixel is loaded, the link is followed, both are recorded."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest

from mailgate.engagement import (
    Actor,
    EventType,
    LinkSigner,
    RewritePolicy,
    Statistics,
    TrackingApp,
    TrackingEvent,
    read_events,
    rewrite_html,
    rewrite_message,
    statistics_page,
)
from mailgate.records import KeyRing, Mail
from tests.support import needs

from .conftest import CHROME, CHROMIUM_FLAGS, ROOT, SECRET

pytestmark = pytest.mark.browser

LANDING = b"<!doctype html><title>landing</title><p>Here you are."


class QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


class ThreadingServer(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class World:
    """A tracking app and, on a port of its own, the page that its links lead to."""

    def __init__(self) -> None:
        self.events: list[TrackingEvent] = []
        self.landed: list[str] = []
        self.shop = ""
        self.app: TrackingApp | None = None

    def track(self, environ: dict[str, Any], start_response: Any) -> Any:
        assert self.app is not None
        return self.app(environ, start_response)

    def land(self, environ: dict[str, Any], start_response: Any) -> Any:
        if "landing" in environ["PATH_INFO"]:
            self.landed.append(environ["PATH_INFO"] + "?" + environ["QUERY_STRING"])
        start_response("200 OK", [("Content-Type", "text/html"), ("Content-Length", str(len(LANDING)))])
        return [LANDING]


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """The base URL of a WSGI application on a free port."""
    server = make_server("127.0.0.1", 0, app, server_class=ThreadingServer, handler_class=QuietHandler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    with serving(world.track) as base, serving(world.land) as world.shop:
        world.app = TrackingApp(LinkSigner(KeyRing.of(SECRET), base), world.events.append)
        yield world


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    chromium = needs.program("chromium")
    api = needs.module("playwright.sync_api")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@contextmanager
def new_page(browser: Any, **options: Any) -> Iterator[Any]:
    """A page in a context of its own, without the word "headless" in its User-Agent."""
    context = browser.new_context(user_agent=CHROME, **options)
    yield context.new_page()
    context.close()


def test_a_mail_is_opened_and_its_link_followed(browser: Any, world: World, tmp_path: Path) -> None:
    assert world.app is not None
    target = f'{world.shop}landing/ä b?x=1&y=%2F&z="<é>#part'
    html = f"""<!DOCTYPE html><html><body><h1>News</h1>
    <!-- <a id="no" href="{world.shop}landing/no"> --><title></title>
    <p><a id="go" class='x' title="1 > 0"
    href='{world.shop}landing/ä b?x=1&amp;y=%2F&z=&quot;&lt;é&gt;#part'>go</a></p></body></html>"""
    links = world.app.signer.for_message(message_id="m", recipient_id="r")
    result = rewrite_html(html.encode(), links)
    assert [link.url for link in result.tracked] == [target]
    (tmp_path / "mail.html").write_bytes(result.html)
    with new_page(browser) as page:
        page.goto((tmp_path / "mail.html").as_uri())
        page.wait_for_load_state("networkidle")
        pixel = page.locator("img")
        assert pixel.count() == 1
        assert pixel.evaluate("image => [image.complete, image.naturalWidth, image.naturalHeight]") == [True, 1, 1]
        assert pixel.evaluate("image => image.getBoundingClientRect().width") == 1
        page.click("#go")
        page.wait_for_url("**/landing/**")
        # Exactly where the link would have led without us.
        direct = page.evaluate("url => new URL(url).href", target)
        assert page.url == direct
        assert page.evaluate("document.referrer") == ""
        assert page.title() == "landing"
    assert world.landed == ["/landing/\xc3\xa4 b?x=1&y=%2F&z=%22%3C%C3%A9%3E"]
    assert [(event.type, event.actor, event.client) for event in world.events] == [
        (EventType.OPEN, Actor.HUMAN, "chrome"),
        (EventType.CLICK, Actor.HUMAN, "chrome"),
    ]
    assert world.events[1].url == target


def test_a_whole_message_is_opened(browser: Any, world: World, tmp_path: Path) -> None:
    """The newsletter of the fixtures, as a mail client would show its HTML part."""
    assert world.app is not None
    raw = (ROOT / "fixtures" / "engagement" / "newsletter.eml").read_bytes()
    links = world.app.signer.for_message(message_id="m", recipient_id="r")
    result = rewrite_message(raw, links, policy=RewritePolicy())
    part = next(part for part in Mail.read(result.message).walk() if part.content_type == "text/html")
    (tmp_path / "mail.html").write_bytes(part.content())
    with new_page(browser) as page:
        page.goto((tmp_path / "mail.html").as_uri())
        page.wait_for_load_state("networkidle")
        hrefs = page.eval_on_selector_all("a[href],area[href]", "nodes => nodes.map(node => node.getAttribute('href'))")
        tracked = [href for href in hrefs if "/c/" in href]
        assert len(tracked) == 3
        # The shop does not exist: its name resolves to nothing, but the browser has asked for the right page.
        with page.expect_event("requestfailed") as failed:
            page.click("a.button")
        assert failed.value.url == "https://shop.example/sale"
    assert {event.type for event in world.events} == {EventType.OPEN, EventType.CLICK}
    assert all(event.message_id == "m" for event in world.events)


@pytest.mark.parametrize("width", [320, 390, 800, 1_400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_of_statistics(browser: Any, tmp_path: Path, width: int, scheme: str) -> None:
    statistics = Statistics.of(read_events(ROOT / "fixtures" / "engagement" / "events.jsonl"))
    path = tmp_path / "page.html"
    path.write_text(statistics_page(statistics, generated=date(2026, 11, 30)), encoding="utf-8")
    requests: list[str] = []
    complaints: list[str] = []
    with new_page(browser, viewport={"width": width, "height": 800}, color_scheme=scheme) as page:
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.goto(path.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(15, 20, 27)"
        assert dark is (scheme == "dark")
        assert page.locator("svg.columns").count() == 2
        boxes = page.eval_on_selector_all(
            "svg.columns rect.people", "nodes => nodes.map(node => node.getBoundingClientRect().height)"
        )
        assert max(boxes) > 20
        overlap = page.evaluate(TEXTS_OVERLAP)
        assert overlap == []
    assert requests == [path.as_uri()]
    assert complaints == []


# Pairs of axis labels that lie on one another.
TEXTS_OVERLAP = """() => [...document.querySelectorAll('svg.columns')].flatMap(svg => {
  const boxes = [...svg.querySelectorAll('text')].map(node => [node.textContent, node.getBoundingClientRect()]);
  return boxes.flatMap(([a, x], i) => boxes.slice(i + 1)
    .filter(([b, y]) => x.left < y.right && y.left < x.right && x.top < y.bottom && y.top < x.bottom)
    .map(([b]) => a + '/' + b));
})"""
