"""The view over HTTP: read-only, cached by what is stored, hostile requests and broken stores included."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

from mailgate.dmarc import DmarcApp, Networks, RollupStore, StoreError, ViewOptions, read
from tests.support.dmarc_reports import record, report, story

NOW = datetime(2025, 1, 20, 12, tzinfo=UTC)


class Answer:
    def __init__(self, app: Any, path: str = "/", method: str = "GET", **headers: str) -> None:
        environ: dict[str, Any] = {"SCRIPT_NAME": "", "PATH_INFO": path, "QUERY_STRING": "", "REQUEST_METHOD": method}
        setup_testing_defaults(environ)
        environ.update({f"HTTP_{name.upper()}": value for name, value in headers.items()})

        def start_response(status: str, fields: list[tuple[str, str]], _info: object = None) -> Any:
            self.status, self.headers = status, dict(fields)
            return lambda _data: None

        body = validator(app)(environ, start_response)
        try:
            self.body = b"".join(body)
        finally:
            body.close()


@pytest.fixture
def store(tmp_path: Path) -> RollupStore:
    store = RollupStore.open(tmp_path / "mail.db")
    store.add(read(data) for data in story(days=5))
    return store


@pytest.fixture
def app(store: RollupStore) -> DmarcApp:
    return DmarcApp(store, clock=lambda: NOW)


def test_the_page_and_the_json_are_served(app: DmarcApp) -> None:
    page, view = Answer(app), Answer(app, "/view.json")
    assert (page.status, page.headers["Content-Type"]) == ("200 OK", "text/html; charset=utf-8")
    assert page.body.startswith(b"<!doctype html>")
    assert (view.status, view.headers["Content-Type"]) == ("200 OK", "application/json")
    said = json.loads(view.body)
    assert (said["schema"], said["reports"]) == ("mailgate.dmarc.view/1", 25)
    assert f"{said['domains']['example.com']['messages']:,}".encode() in page.body
    assert Answer(app, "").body == page.body


def test_answers_carry_what_caches_and_browsers_need(app: DmarcApp) -> None:
    answer = Answer(app)
    assert answer.headers["Cache-Control"] == "private, max-age=300, must-revalidate"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert (answer.headers["X-Content-Type-Options"], answer.headers["Referrer-Policy"]) == ("nosniff", "no-referrer")
    assert int(answer.headers["Content-Length"]) == len(answer.body)


@pytest.mark.parametrize("sent", ["{tag}", "W/{tag}", '"x", {tag}', "*"])
def test_an_answer_that_is_known_is_not_sent_again(app: DmarcApp, sent: str) -> None:
    tag = Answer(app).headers["ETag"]
    again = Answer(app, if_none_match=sent.replace("{tag}", tag))
    assert (again.status, again.body, again.headers["ETag"]) == ("304 Not Modified", b"", tag)


def test_the_tag_changes_with_the_store_the_day_the_options_and_the_path(store: RollupStore, app: DmarcApp) -> None:
    tags = [Answer(app).headers["ETag"], Answer(app, "/view.json").headers["ETag"]]
    tags.append(Answer(DmarcApp(store, clock=lambda: NOW.replace(day=21))).headers["ETag"])
    tags.append(Answer(DmarcApp(store, clock=lambda: NOW, options=ViewOptions(top=3))).headers["ETag"])
    store.add(read(report([record(count=77_777)], report_id="new")))
    changed = Answer(app)
    tags.append(changed.headers["ETag"])
    assert len(set(tags)) == 5
    assert b"77,777" in changed.body


def test_another_process_gives_the_same_tag(store: RollupStore, app: DmarcApp) -> None:
    assert Answer(DmarcApp(store, clock=lambda: NOW)).headers["ETag"] == Answer(app).headers["ETag"]


def test_head_is_get_without_a_body(app: DmarcApp) -> None:
    got, head = Answer(app), Answer(app, method="HEAD")
    assert (head.status, head.body) == (got.status, b"")
    assert head.headers == got.headers


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_can_be_written(app: DmarcApp, method: str) -> None:
    answer = Answer(app, method=method)
    assert (answer.status, answer.headers["Allow"]) == ("405 Method Not Allowed", "GET, HEAD")


@pytest.mark.parametrize("path", ["/x", "//", "/view.json/", "/../etc/passwd", "/\u00e9", "/%00"])
def test_other_paths_are_not_found(app: DmarcApp, path: str) -> None:
    answer = Answer(app, path)
    assert (answer.status, answer.headers["Cache-Control"]) == ("404 Not Found", "no-store")


def test_options_names_and_title(store: RollupStore) -> None:
    names = Networks.parse("192.0.2.0/24 Our server")
    answer = Answer(DmarcApp(store, options=ViewOptions(domains=["example.org"]), clock=lambda: NOW))
    assert b"example.com (" in answer.body  # told apart as foreign
    named = Answer(DmarcApp(store, names=names, title="Ours", clock=lambda: NOW))
    assert b"Our server" in named.body
    assert b"<h1>Ours</h1>" in named.body


def test_a_store_that_fails_is_a_503(store: RollupStore) -> None:
    class Broken(RollupStore):
        def version(self) -> str:
            raise StoreError("locked", exit_status=75)

    seen: list[Exception] = []
    app = DmarcApp(Broken(lambda: None, sqlite=True), clock=lambda: NOW, on_error=seen.append)
    answer = Answer(app)
    assert (answer.status, answer.headers["Retry-After"]) == ("503 Service Unavailable", "30")
    assert b"locked" not in answer.body
    assert [type(error) for error in seen] == [StoreError]


def test_a_bug_is_a_500_that_tells_nothing(store: RollupStore) -> None:
    def names(_ip: str) -> str:
        raise ZeroDivisionError("secret")

    seen: list[Exception] = []
    answer = Answer(DmarcApp(store, names=names, clock=lambda: NOW, on_error=seen.append))
    assert answer.status == "500 Internal Server Error"
    assert b"secret" not in answer.body
    assert [type(error) for error in seen] == [ZeroDivisionError]


def test_the_page_is_made_once_for_each_state(store: RollupStore) -> None:
    loads = 0

    class Counting(RollupStore):
        def load(self, **options: Any) -> Any:
            nonlocal loads
            loads += 1
            return super().load(**options)

    counting = Counting(store._connect, sqlite=True)
    app = DmarcApp(counting, clock=lambda: NOW)
    for _ in range(3):
        Answer(app)
        Answer(app, "/view.json")
    assert loads == 1
    store.add(read(report(report_id="another")))
    Answer(app)
    assert loads == 2
