"""What the tests of this room share: one key ring, one signer, the corpus of HTML mail."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

from mailgate.engagement import LinkSigner, MessageLinks
from mailgate.records import KeyRing, Mail
from tests.support import needs

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / "fixtures" / "engagement" / "html_email"
SECRET = b"a test secret of forty-one bytes, not 42!"
ISSUED = 1_800_000_000


class Document(NamedTuple):
    """One HTML document of the corpus, with what was counted in it."""

    facts: dict[str, Any]
    html: bytes
    charset: str | None

    def __repr__(self) -> str:
        return str(self.facts["file"])


def documents(folder: Path) -> Iterator[Document]:
    """Every document that facts.jsonl lists."""
    for line in (folder / "facts.jsonl").read_text("utf-8").splitlines():
        facts = json.loads(line)
        raw = (folder / facts["file"]).read_bytes()
        if facts["kind"] == "html":
            yield Document(facts, raw, None)
            continue
        part = [part for part in Mail.read(raw).walk() if part.content_type == "text/html"][facts["part"]]
        yield Document(facts, part.content(), part.param("charset"))


def messages(folder: Path) -> dict[str, tuple[bytes, list[dict[str, Any]]]]:
    """Every message of the corpus: its bytes and the facts of its HTML parts."""
    found: dict[str, tuple[bytes, list[dict[str, Any]]]] = {}
    for line in (folder / "facts.jsonl").read_text("utf-8").splitlines():
        facts = json.loads(line)
        if facts["kind"] == "eml":
            found.setdefault(facts["file"], ((folder / facts["file"]).read_bytes(), []))[1].append(facts)
    return found


@pytest.fixture(scope="session")
def ring() -> KeyRing:
    return KeyRing.of(SECRET)


@pytest.fixture(scope="session")
def signer(ring: KeyRing) -> LinkSigner:
    return LinkSigner(ring, "https://t.example/", clock=lambda: ISSUED)


@pytest.fixture(scope="session")
def links(signer: LinkSigner) -> MessageLinks:
    return signer.for_message(message_id="m-1", recipient_id="r-1", stream="news")


CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
)


class Answer(NamedTuple):
    """What a WSGI application answered."""

    status: str
    headers: dict[str, str]
    body: bytes


class Client:
    """Calls a WSGI application as a browser behind a server would, with wsgiref's validator around it."""

    def __init__(self, app: Any) -> None:
        self._app = validator(app)

    def __call__(self, path: str, method: str = "GET", **environ: str | None) -> Answer:
        values: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "REMOTE_ADDR": "192.0.2.77",
            "HTTP_USER_AGENT": CHROME,
            "HTTP_ACCEPT": "text/html",
            "HTTP_ACCEPT_LANGUAGE": "en",
            "QUERY_STRING": "",
            **environ,
        }
        setup_testing_defaults(values)
        values = {name: value for name, value in values.items() if value is not None}
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], _: Any = None) -> Any:
            started.append((status, headers))
            return lambda data: None

        body: Any = self._app(values, start_response)
        try:
            content = b"".join(body)
        finally:
            body.close()
        ((status, headers),) = started
        assert len({name.lower() for name, _ in headers}) == len(headers)
        return Answer(status, dict(headers), content)


# Everything that would talk to anybody but 127.0.0.1 is switched off.
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--disable-extensions",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-quic",
    "--disable-features=OptimizationHints,MediaRouter,Translate,DialMediaRouteProvider",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
HREFS_OF = """texts => texts.map(text => {
  const found = new DOMParser().parseFromString(text, 'text/html').querySelectorAll('a,area');
  return [...found].filter(node => node.hasAttribute('href')).map(node => node.getAttribute('href'));
})"""


@pytest.fixture
def chromium_hrefs() -> Iterator[Callable[[list[str]], list[list[str]]]]:
    """The `href` of every `a` and `area` in the trees that Chromium builds, without running any of it."""
    chromium = needs.program("chromium")
    api = needs.module("playwright.sync_api")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        page = browser.new_page()
        yield lambda texts: page.evaluate(HREFS_OF, texts)
        browser.close()
