"""Scenario 6: a tracked message goes through Postfix into a Maildir, a real browser shows it, and a person clicks.

Chromium runs inside the namespace, so it asks the bed's own DNS and can reach nothing else.
"""

from __future__ import annotations

import email
import email.policy
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from mailgate.engagement import LinkSigner, MessageLinks, SQLiteSink, TrackingApp, TrackingEvent, rewrite_message
from mailgate.engagement import read_sqlite as recorded
from tests.acceptance.bed import Bed
from tests.acceptance.scenarios import KEYS, empty, served
from tests.support import needs

pytestmark = pytest.mark.browser

BASE = "http://www.sender.test:8080/t/"
# A query with everything that a careless redirect breaks, and a fragment, which only the browser sees.
DESTINATION = (
    "http://www.sender.test:8081/caf%C3%A9/%2e%2e%2fx;v=1?a=1&b=%2F%3F&c=x+y%20z&empty=&u=http%3A%2F%2Fx#part-2"
)
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-sync",
    "--disable-component-update", "--disable-default-apps", "--disable-extensions", "--no-first-run",
    "--no-default-browser-check", "--disable-quic", "--disable-features=OptimizationHints,MediaRouter,Translate",
)  # fmt: skip

HTML = f"""\
<!doctype html>
<html><head><title>News</title><style>a {{ color: #06c }}</style></head>
<body><p>Grüße, this week:</p>
<p><a id="offer" href="{DESTINATION.replace("&", "&amp;")}">Look at the offer</a>
<a id="other" href="http://www.sender.test:8081/other">or at something else</a></p>
</body></html>
"""


@pytest.fixture(scope="module")
def browser(bed: Bed) -> Iterator[Any]:
    """Chromium inside the namespace, driven from outside over a pipe."""
    sync_playwright = needs.module("playwright.sync_api").sync_playwright
    chromium = needs.program("chromium")
    inside = bed.folder / "chromium"
    inside.write_text(f'#!/bin/sh\nexec {" ".join(bed.namespace.command([chromium]))} "$@"\n')
    inside.chmod(0o755)
    with sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=str(inside), args=list(FLAGS))
        try:
            yield launched
        finally:
            launched.close()


class Landing:
    """The page that a link leads to; remembers what was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        if environ["PATH_INFO"] != "/favicon.ico":
            self.asked.append(environ["QUERY_STRING"])
        start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
        return [b"<!doctype html><title>Landed</title><p>You are here."]


def news() -> bytes:
    made = email.message.EmailMessage(policy=email.policy.SMTP)
    made["From"], made["To"] = "News <news@sender.test>", "Ann <web@sender.test>"
    made["Subject"], made["Message-ID"] = "News of the week", "<week-47@sender.test>"
    made.set_content("Look at the offer.")
    made.add_alternative(HTML, subtype="html", cte="quoted-printable")
    return made.as_bytes()


def links(issued: float) -> MessageLinks:
    return LinkSigner(KEYS, BASE).for_message(
        message_id="week-47", recipient_id="r-4711", stream="news", tenant="shop", issued=issued
    )


def delivered(bed: Bed, message: bytes) -> str:
    """Send it, wait for it, and give back the HTML that a mail program would show."""
    bed.send("news@sender.test", ["web@sender.test"], message)
    (file,) = bed.settle("web", 1)
    received = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    file.unlink()
    part = received.get_body(("html",))
    assert part is not None
    return str(part.get_content())


def person(browser: Any, html: str, folder: Path) -> Any:
    """A page with the mail as a mail program hands it to a browser: a file."""
    file = folder / "mail.html"
    file.write_text(html, encoding="utf-8")
    page = browser.new_page(user_agent=AGENT, locale="de-DE")
    page.set_default_timeout(10_000)
    page.goto(file.as_uri(), wait_until="load")
    return page


def events(db: Path) -> list[TrackingEvent]:
    return list(recorded(db))


def counted(bed: Bed, db: Path) -> tuple[dict[str, int], dict[str, int]]:
    """What `mailgate track stats` says about the one message: opens, clicks."""
    run = bed.mailgate("track", "stats", str(db), "--json")
    assert run.returncode == 0, run.stderr
    (row,) = [row for row in map(json.loads, run.stdout.splitlines()) if row["group"] == "message"]
    assert (row["tenant"], row["message"]) == ("shop", "week-47")
    return row["opens"], row["clicks"]


def test_an_open_and_a_click_arrive_and_the_browser_ends_at_the_exact_destination(
    bed: Bed, browser: Any, tmp_path: Path
) -> None:
    hour_ago = time.time() - 3600
    result = rewrite_message(news(), links(hour_ago))
    assert [link.url for link in result.tracked] == [DESTINATION, "http://www.sender.test:8081/other"]
    empty(bed.maildir("web") / "new")
    html = delivered(bed, result.message)
    db, landing = tmp_path / "track.db", Landing()
    with SQLiteSink(db) as sink, served(bed, landing, 8081), served(bed, TrackingApp(LinkSigner(KEYS, BASE), sink)):
        page = person(browser, html, tmp_path)
        assert page.inner_text("#offer") == "Look at the offer"
        (opened,) = events(db)
        page.click("#offer")
        page.wait_for_url(lambda url: ":8081/" in url)
        assert page.url == DESTINATION
        assert page.title() == "Landed"
        page.close()
    assert landing.asked == [urlsplit(DESTINATION).query]
    opened_again, clicked = events(db)
    assert opened_again == opened
    for event in (opened, clicked):
        assert (event.message_id, event.recipient_id) == ("week-47", "r-4711")
        assert (event.stream, event.tenant) == ("news", "shop")
        assert (event.issued, event.method, event.agent_class) == (int(hour_ago), "GET", "browser")
        assert (event.actor, event.counted, event.first) == ("human", True, True)
    assert (opened.type, opened.url) == ("open", "")
    assert (clicked.type, clicked.url, clicked.link_index, clicked.link_count) == ("click", DESTINATION, 0, 2)

    opens, clicks = counted(bed, db)
    assert (opens["people"], opens["requests"]) == (1, 1)
    assert (clicks["people"], clicks["requests"]) == (1, 1)


def test_the_same_person_twice_counts_once_and_a_scanner_not_at_all(bed: Bed, browser: Any, tmp_path: Path) -> None:
    html = delivered(bed, rewrite_message(news(), links(time.time() - 3600)).message)
    db = tmp_path / "track.db"
    with SQLiteSink(db) as sink, served(bed, Landing(), 8081), served(bed, TrackingApp(LinkSigner(KEYS, BASE), sink)):
        for _ in range(2):
            page = person(browser, html, tmp_path)
            page.click("#other")
            page.wait_for_url(lambda url: ":8081/" in url)
            page.close()
        scanner = browser.new_page(user_agent="Mozilla/5.0 (compatible; SomeScanner/1.0; bot)")
        scanner.goto((tmp_path / "mail.html").as_uri(), wait_until="load")
        scanner.close()
    found = events(db)
    assert [(event.type, event.first) for event in found if event.actor == "human"] == [
        ("open", True), ("click", True), ("open", False), ("click", False),
    ]  # fmt: skip
    assert [event.type for event in found if event.actor == "machine"] == ["open"]
    opens, clicks = counted(bed, db)
    assert (opens["people"], opens["requests"], opens["machine_requests"]) == (1, 3, 1)
    assert (clicks["people"], clicks["requests"], clicks["machine_requests"]) == (1, 2, 0)


def test_a_mail_is_shown_and_leads_on_while_the_store_is_away(bed: Bed, browser: Any, tmp_path: Path) -> None:
    html = delivered(bed, rewrite_message(news(), links(time.time() - 3600)).message)
    app = TrackingApp(LinkSigner(KEYS, BASE), SQLiteSink(tmp_path / "there" / "is" / "no" / "such.db"))
    with served(bed, Landing(), 8081), served(bed, app):
        page = person(browser, html, tmp_path)
        page.click("#offer")
        page.wait_for_url(lambda url: ":8081/" in url)
        assert page.url == DESTINATION
        page.close()
    assert app.counts["sink_error"] == 2
