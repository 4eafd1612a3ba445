"""The page in a real browser: no error, no request, the numbers of the JSON; on a desk, on a phone, in the dark."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import reduce
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from mailgate.dmarc import DmarcApp, Rollup, RollupStore, page, read, rollup, view
from tests.support import needs
from tests.support.dmarc_reports import story, tls_report

pytestmark = pytest.mark.browser
FIXTURES = Path(__file__).parent.parent.parent / "fixtures" / "dmarc"
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run", "--disable-quic",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip
SIZES = ((1280, 900), (390, 844))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    sync_api = needs.module("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=needs.program("chromium"), args=list(FLAGS))
        yield launched
        launched.close()


def invented() -> Rollup:
    total = reduce(Rollup.merge, map(read, story(days=60)), Rollup())
    for day in range(60):
        total.update(read(tls_report(day, failure=day % 4)))
    return total


def wild() -> Rollup:
    return rollup([FIXTURES / "corpus", FIXTURES / "producers"])


class Opened:
    """A page in the browser, with everything that it asked for and complained about."""

    def __init__(self, browser: Any, url: str, width: int, height: int, scheme: str) -> None:
        self.context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        self.page = self.context.new_page()
        self.words: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.words.append(message.text))
        self.page.on("pageerror", lambda error: self.words.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(url)

    def numbers(self, selector: str, name: str) -> list[int]:
        found = self.page.locator(f"{selector} data.{name}").all()
        return [int(element.get_attribute("value")) for element in found]

    def close(self) -> None:
        self.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES, ids=["desk", "phone"])
@pytest.mark.parametrize("make", [invented, wild])
def test_the_page_shows_the_numbers_and_asks_for_nothing(
    browser: Any, tmp_path: Path, make: Any, size: tuple[int, int], scheme: str
) -> None:
    shown = view(make())
    path = tmp_path / "dmarc.html"
    path.write_text(page(shown))
    opened = Opened(browser, path.as_uri(), *size, scheme)
    try:
        assert opened.words == []
        assert [url for url in opened.requests if not url.startswith(("file:", "data:,"))] == []
        assert opened.requests[0] == path.as_uri()
        for name, domain in shown["domains"].items():
            section = f'section[data-domain="{name}"]'
            assert opened.numbers(f"{section} .tiles", "messages") == [domain["messages"]]
            assert opened.numbers(f"{section} .tiles", "dmarc_pass") == [domain["dmarc_pass"]]
            days = opened.page.locator(f"{section} .by-day g.day").count()
            assert days >= 1
        width = opened.page.evaluate("document.documentElement.scrollWidth")
        assert width <= size[0], "nothing may be wider than the screen"
    finally:
        opened.close()


def test_the_bars_of_a_chart_stand_on_one_line_and_keep_their_proportions(browser: Any, tmp_path: Path) -> None:
    shown = view(invented())
    path = tmp_path / "dmarc.html"
    path.write_text(page(shown))
    opened = Opened(browser, path.as_uri(), 1280, 900, "light")
    try:
        boxes = opened.page.evaluate(
            "[...document.querySelectorAll('.by-day g.day')].map(g => [...g.querySelectorAll('rect[fill^=url]')]"
            ".map(r => r.getBBox()).map(b => [b.x, b.y, b.width, b.height]))"
        )
        totals = [counts[0] for counts in shown["domains"]["example.com"]["by_day"].values()]
        assert len(boxes) == len(totals)
        largest = max(totals)
        tallest = max(sum(box[3] for box in bar) for bar in boxes)
        for bar, total in zip(boxes, totals, strict=True):
            assert abs(max(box[1] + box[3] for box in bar) - 220) < 0.2
            assert abs(sum(box[3] for box in bar) / tallest - total / largest) < 0.02
        lefts = [bar[0][0] for bar in boxes]
        assert lefts == sorted(lefts)
    finally:
        opened.close()


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


def test_the_page_works_under_its_own_policy(browser: Any, tmp_path: Path) -> None:
    """Served by the app, with its Content-Security-Policy in force."""
    store = RollupStore.open(tmp_path / "mail.db")
    store.add(invented())
    app = DmarcApp(store, clock=lambda: datetime(2025, 3, 2, tzinfo=UTC))
    with make_server("127.0.0.1", 0, app, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            opened = Opened(browser, f"http://127.0.0.1:{server.server_port}/", 1280, 900, "light")
            try:
                assert opened.words == []
                assert {url for url in opened.requests if not url.startswith("data:")} == {opened.page.url}
                colour = opened.page.evaluate("getComputedStyle(document.querySelector('.card')).borderTopLeftRadius")
                assert colour == "12px", "the style sheet is in force"
                assert opened.numbers("header", "reports") == [300]
            finally:
                opened.close()
        finally:
            server.shutdown()
            thread.join()
