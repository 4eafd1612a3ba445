"""The page in a real browser: by mouse, by keyboard, on a phone, in the dark, without JavaScript."""

from __future__ import annotations

import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from tests.support import needs
from tests.unsubscribe.wsgi import ONE_CLICK, TOKEN, Store, app

pytestmark = pytest.mark.browser

FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"),
    *(
        "--disable-component-update",
        "--disable-sync",
        "--disable-default-apps",
        "--disable-extensions",
        "--no-first-run",
    ),
    *(
        "--no-first-run",
        "--disable-quic",
        "--disable-features=OptimizationHints,MediaRouter,Translate,DialMediaRouteProvider",
    ),
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@dataclass
class Site:
    """The app on a loopback port; seen: method and path of every request."""

    url: str
    store: Store
    seen: list[tuple[str, str]] = field(default_factory=list)


@pytest.fixture
def site() -> Iterator[Site]:
    store = Store()
    application = app(store, list_names={"news": "Winter News"})
    found = Site("", store)

    def watched(environ: dict[str, Any], start_response: Any) -> Any:
        found.seen.append((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        return application(environ, start_response)

    with make_server("127.0.0.1", 0, watched, handler_class=Quiet) as server:
        found.url = f"http://127.0.0.1:{server.server_port}/{TOKEN}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield found
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = needs.module("playwright.sync_api")
    program = needs.program("chromium")
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=program, args=list(FLAGS))
        yield running
        running.close()


@dataclass
class Visit:
    """A page, with everything it asked for and complained about."""

    page: Any
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@pytest.fixture
def visit(browser: Any) -> Iterator[Any]:
    contexts = []

    def make(**options: Any) -> Visit:
        context = browser.new_context(**{"locale": "en-GB", **options})
        contexts.append(context)
        found = Visit(context.new_page())
        found.page.on("request", lambda request: found.requests.append(request.url))
        found.page.on("console", lambda message: found.complaints.append(message.text))
        found.page.on("pageerror", lambda error: found.complaints.append(str(error)))
        return found

    yield make
    for context in contexts:
        context.close()


def test_by_mouse(site: Site, visit: Any) -> None:
    seen = visit()
    seen.page.goto(site.url)
    assert site.store.events == []
    assert "Winter News" in seen.page.inner_text("main")
    seen.page.get_by_role("button", name="Unsubscribe").click()
    seen.page.get_by_role("heading", name="You are unsubscribed").wait_for()
    (event,) = site.store.events
    assert (event.recipient, event.meta_value("method")) == ("ann@example.net", "page")
    assert seen.page.url == site.url, "no redirect"
    assert seen.complaints == [], "the browser accepts the page under its own policy"
    assert {url for url in seen.requests if not url.startswith("data:")} == {site.url}
    assert [method for method, _ in site.seen] == ["GET", "POST"], "not even a favicon is asked for"


def test_by_keyboard(site: Site, visit: Any) -> None:
    page = visit().page
    page.goto(site.url)
    page.keyboard.press("Tab")
    focused = page.evaluate("[document.activeElement.tagName, getComputedStyle(document.activeElement).outlineStyle]")
    assert focused == ["BUTTON", "solid"], "the first stop is the button, and it shows"
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="You are unsubscribed").wait_for()
    assert len(site.store.events) == 1


def test_without_javascript_and_in_another_language(site: Site, visit: Any) -> None:
    page = visit(java_script_enabled=False, locale="de-DE").page
    page.goto(site.url)
    page.get_by_role("button", name="Abmelden").click()
    page.get_by_role("heading", name="Sie sind abgemeldet").wait_for()
    assert len(site.store.events) == 1


def test_pressing_reload_and_back_is_harmless(site: Site, visit: Any) -> None:
    page = visit().page
    page.goto(site.url)
    page.get_by_role("button", name="Unsubscribe").click()
    page.get_by_role("heading", name="You are unsubscribed").wait_for()
    page.go_back()
    page.get_by_role("button", name="Unsubscribe").click()
    page.get_by_role("heading", name="You are unsubscribed").wait_for()
    assert len({event.event_id for event in site.store.events}) <= 2
    assert {event.recipient for event in site.store.events} == {"ann@example.net"}


def test_on_a_phone_nothing_sticks_out(site: Site, visit: Any) -> None:
    page = visit(viewport={"width": 320, "height": 560}, device_scale_factor=2, is_mobile=True, has_touch=True).page
    page.goto(site.url)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    box = page.get_by_role("button", name="Unsubscribe").bounding_box()
    assert box["height"] >= 44, "a finger has to hit it"
    page.get_by_role("button", name="Unsubscribe").tap()
    page.get_by_role("heading", name="You are unsubscribed").wait_for()
    assert len(site.store.events) == 1


CONTRAST = """() => {
  const light = (c) => {
    const [r, g, b] = c.match(/[\\d.]+/g).slice(0, 3).map((v) => v / 255)
      .map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (a, b) => {
    const [x, y] = [light(a), light(b)].sort((p, q) => q - p);
    return (x + 0.05) / (y + 0.05);
  };
  const body = getComputedStyle(document.body), button = getComputedStyle(document.querySelector('button'));
  const paper = body.backgroundColor;
  return [ratio(body.color, paper), ratio(button.color, button.backgroundColor), light(paper)];
}"""


@pytest.mark.parametrize(("scheme", "is_dark"), [("light", False), ("dark", True)])
def test_text_can_be_read_by_day_and_by_night(site: Site, visit: Any, scheme: str, is_dark: bool) -> None:
    page = visit(color_scheme=scheme).page
    page.goto(site.url)
    text, button, paper = page.evaluate(CONTRAST)
    assert text >= 7
    assert button >= 7
    assert (paper < 0.1) == is_dark


def test_a_page_that_is_framed_or_scripted_does_nothing(site: Site, visit: Any) -> None:
    seen = visit()
    seen.page.goto(site.url)
    seen.page.set_content(f'<iframe src="{site.url}" title="x"></iframe>')
    seen.page.wait_for_timeout(100)
    assert not any("Unsubscribe" in frame.content() for frame in seen.page.frames[1:])
    assert site.store.events == []


def test_one_click_as_a_mail_provider_sends_it(site: Site) -> None:
    request = urllib.request.Request(
        site.url, data=ONE_CLICK, headers={"Content-Type": "application/x-www-form-urlencoded", "User-Agent": ""}
    )
    with urllib.request.urlopen(request) as answer:
        assert (answer.status, answer.read(), answer.geturl()) == (200, b"", site.url)
    assert [event.meta_value("method") for event in site.store.events] == ["one-click"]
