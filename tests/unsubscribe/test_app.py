"""The application: GET asks, POST acts, nothing else does anything (every call runs through wsgiref.validate)."""

import io
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest

from mailgate.records import EventKind, MailgateError
from mailgate.unsubscribe import WORDINGS, Page, Subscription, Wording, choose_wording
from tests.unsubscribe.wsgi import ANN, ONE_CLICK, SIGNER, TOKEN, Answer, Store, app, call, post

NOW = datetime(2026, 11, 21, 9, 30, 15, tzinfo=UTC)
MULTIPART = (
    b'--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n',
    "multipart/form-data; boundary=x",
)


class Elements(HTMLParser):
    """What a document holds: element names, attributes, text."""

    def __init__(self, document: bytes) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(document.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


# --- GET and HEAD --------------------------------------------------------------------------------------------------


def test_get_shows_a_form_and_changes_nothing() -> None:
    store = Store()
    application = app(store)
    for _ in range(50):
        answer = call(application)
        assert answer.code == 200
    assert store.events == []
    page = Elements(answer.body)
    assert {"main", "h1", "form", "button"} <= set(page.tags)
    assert ("method", "post") in page.attributes
    assert "ann@" not in page.text
    assert "a…@example.net" in page.text


def test_head_is_get_without_a_body() -> None:
    store = Store()
    got, head = call(app(store)), call(app(store), "HEAD")
    assert head.code == 200
    assert head.body == b""
    assert head.headers == got.headers
    assert store.events == []


def test_the_page_loads_nothing_and_runs_nothing() -> None:
    answer = call(app())
    page = Elements(answer.body)
    assert not {"script", "img", "iframe", "object", "base"} & set(page.tags)
    assert [value for name, value in page.attributes if name in ("src", "href", "action")] == ["data:,"]
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert b"url(" not in answer.body
    assert b"@import" not in answer.body
    policy = answer.header("Content-Security-Policy") or ""
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "form-action 'self'" in policy
    assert "frame-ancestors 'none'" in policy


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Cache-Control", "no-store, private"),
        ("Referrer-Policy", "no-referrer"),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
        ("X-Robots-Tag", "noindex, nofollow"),
        ("Vary", "Accept-Language"),
    ],
)
def test_every_answer_has_the_headers_of_a_private_page(name: str, value: str) -> None:
    answers = [call(app()), call(app(), "HEAD"), post(app()), call(app(), path="/x"), call(app(), "PUT")]
    answers.append(post(app(Store(error=OSError("down")))))
    assert {answer.header(name) for answer in answers} == {value}
    assert {answer.header("Set-Cookie") for answer in answers} == {None}
    assert {answer.header("Location") for answer in answers} == {None}


@pytest.mark.parametrize(
    ("path", "script_name", "query"),
    [
        (f"/{TOKEN}", "", ""),
        (f"/{TOKEN}/", "", ""),
        (f"//{TOKEN}//", "", ""),
        (f"/u/{TOKEN}", "", ""),
        (f"/{TOKEN}", "/mail/u", ""),
        (f"/{TOKEN}", "", "utm_source=x&fbclid=y"),
        (TOKEN, "/u", ""),
    ],
)
def test_the_token_is_found_wherever_the_app_is_mounted(path: str, script_name: str, query: str) -> None:
    store = Store()
    environ = {"SCRIPT_NAME": script_name, "QUERY_STRING": query}
    if not path.startswith("/"):
        environ["PATH_INFO"] = "/" + path
    assert call(app(store), path=path, environ=environ).code == 200
    assert post(app(store), path=path, environ=environ).code == 200
    assert len(store.events) == 1


# --- POST ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "content_type", "why"),
    [
        (ONE_CLICK, "application/x-www-form-urlencoded", "as RFC 8058 has it"),
        (*MULTIPART, "the other encoding"),
        (MULTIPART[0].replace(b"\r\n", b"\n"), MULTIPART[1], "with bare LF"),
        (MULTIPART[0], 'multipart/form-data; boundary="x"', "a quoted boundary"),
        (MULTIPART[0], "Multipart/Form-Data; charset=utf-8; Boundary=x", "case and a further parameter"),
        (MULTIPART[0].replace(b'"List-Unsubscribe"', b"List-Unsubscribe"), MULTIPART[1], "a name without quotes"),
        (ONE_CLICK, "application/x-www-form-urlencoded; charset=UTF-8", "a charset"),
        (ONE_CLICK + b"\r\n", "application/x-www-form-urlencoded", "a line end behind it"),
        (ONE_CLICK + b";", "application/x-www-form-urlencoded", "a semicolon behind it"),
        (b"a=b&" + ONE_CLICK + b"&c=d", "application/x-www-form-urlencoded", "further fields"),
        (b"List-Unsubscribe=one-click", "application/x-www-form-urlencoded", "lower case"),
        (b"List%2DUnsubscribe=One%2DClick", "application/x-www-form-urlencoded", "escapes"),
        (ONE_CLICK, "", "no content type"),
        (ONE_CLICK, "text/plain", "a content type of somebody's own"),
    ],
)
def test_one_click_unsubscribes(body: bytes, content_type: str, why: str) -> None:
    store = Store()
    answer = post(app(store, clock=lambda: NOW), body, content_type=content_type)
    assert answer.code == 200, why
    assert answer.body == b""
    (event,) = store.events
    assert event.kind is EventKind.UNSUBSCRIBED
    assert (event.recipient, event.tenant, event.stream, event.ref) == ("ann@example.net", "shop", "news", "winter-42")
    assert (event.source, event.matched, event.at) == ("unsubscribe", "token", NOW)
    assert event.meta_value("method") == "one-click"


def test_the_form_of_the_page_unsubscribes_and_says_so() -> None:
    store = Store()
    answer = post(app(store), b"confirm=unsubscribe")
    assert answer.code == 200
    assert b"You are unsubscribed" in answer.body
    assert store.events[0].meta_value("method") == "page"


@pytest.mark.parametrize(
    ("body", "content_type", "environ", "why"),
    [
        (b"", "application/x-www-form-urlencoded", {}, "empty"),
        (b"List-Unsubscribe=No", "application/x-www-form-urlencoded", {}, "another value"),
        (b"Unsubscribe=One-Click", "application/x-www-form-urlencoded", {}, "another field"),
        (b"confirm=no", "application/x-www-form-urlencoded", {}, "the form says something else"),
        (b'{"List-Unsubscribe": "One-Click"}', "application/json", {}, "JSON"),
        (ONE_CLICK + b"&x=" + b"y" * 5_000, "application/x-www-form-urlencoded", {}, "over 4 KiB"),
        (ONE_CLICK, "multipart/form-data; boundary=x", {}, "multipart without its boundary"),
        (ONE_CLICK, "multipart/form-data", {}, "multipart without a boundary parameter"),
        (MULTIPART[0], "multipart/form-data; boundary=y", {}, "another boundary"),
        (ONE_CLICK, "application/x-www-form-urlencoded", {"CONTENT_LENGTH": "x"}, "a length that is no number"),
        (ONE_CLICK, "application/x-www-form-urlencoded", {"CONTENT_LENGTH": "5"}, "a length that cuts it"),
        (ONE_CLICK, "application/x-www-form-urlencoded", {"CONTENT_LENGTH": "9" * 30}, "a length beyond all"),
        (b"&" * 4_000, "application/x-www-form-urlencoded", {}, "thousands of fields"),
        (b"a=%ff%fe&b=\xff", "application/x-www-form-urlencoded", {}, "broken text"),
    ],
)
def test_other_bodies_are_refused_and_do_nothing(
    body: bytes, content_type: str, environ: dict[str, str], why: str
) -> None:
    store = Store()
    if "CONTENT_LENGTH" in environ and not environ["CONTENT_LENGTH"].isdigit():
        # The validator of the standard library does not let such a request through; servers do.
        answer = unvalidated(app(store), body, content_type, environ)
    else:
        answer = post(app(store), body, content_type=content_type, environ=environ)
    assert answer.code == 400, why
    assert store.events == []


def unvalidated(application: Any, body: bytes, content_type: str, environ: dict[str, Any]) -> Answer:
    started: list[Any] = []
    request = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": f"/{TOKEN}",
        "CONTENT_TYPE": content_type,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        **environ,
    }
    content = b"".join(application(request, lambda status, headers: started.append((status, headers))))
    return Answer(*started[0], content)


@pytest.mark.parametrize("limit", [4_095, 4_096, 4_097])
def test_the_limit_of_the_body(limit: int) -> None:
    store = Store()
    body = ONE_CLICK + b"&x=" + b"y" * (limit - len(ONE_CLICK) - 3)
    assert post(app(store), body).code == (200 if limit <= 4_096 else 400)
    assert len(store.events) == (1 if limit <= 4_096 else 0)


class Endless:
    """An input that never ends and remembers how much was taken."""

    def __init__(self) -> None:
        self.taken = 0

    def read(self, size: int) -> bytes:
        self.taken += size
        return b"x" * size


class Broken:
    """A connection that is gone."""

    def read(self, size: int) -> bytes:
        raise OSError("connection reset")


def test_no_more_is_read_than_the_limit() -> None:
    endless = Endless()
    environ = {"CONTENT_LENGTH": "", "wsgi.input_terminated": True, "wsgi.input": endless}
    assert unvalidated(app(), b"", "", environ).code == 400
    assert endless.taken == 4_097
    short = Endless()
    assert unvalidated(app(), b"", "", {"CONTENT_LENGTH": "99999999", "wsgi.input": short}).code == 400
    assert short.taken == 0


def test_a_chunked_body_is_read_where_the_server_ends_it() -> None:
    store = Store()
    environ = {"CONTENT_LENGTH": "", "wsgi.input_terminated": True, "wsgi.input": io.BytesIO(ONE_CLICK)}
    assert unvalidated(app(store), b"", "", environ).code == 200
    without = {"CONTENT_LENGTH": "", "wsgi.input": io.BytesIO(ONE_CLICK)}
    assert unvalidated(app(store), b"", "", without).code == 400, "nobody knows where such a body ends"
    assert len(store.events) == 1


def test_a_connection_that_breaks_is_a_bad_request() -> None:
    assert unvalidated(app(), ONE_CLICK, "", {"wsgi.input": Broken()}).code == 400


def test_twice_and_fifty_times_at_once_is_one_event() -> None:
    store = Store()
    application = app(store, clock=lambda: NOW)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: post(application).code, range(50)))
    assert answers == [200] * 50
    assert len({event.event_id for event in store.events}) == 1


def test_leaving_again_a_year_later_is_another_event() -> None:
    store = Store()
    post(app(store, clock=lambda: NOW))
    post(app(store, clock=lambda: NOW + timedelta(seconds=20)))
    post(app(store, clock=lambda: NOW + timedelta(days=365)))
    ids = [event.event_id for event in store.events]
    assert ids[0] == ids[1] != ids[2]


@pytest.mark.parametrize(
    "agent", ["", "curl/8.0", "Java/17", "python-requests/2", "x" * 65_536, "\x1b[31m\r\nX: y", "💥"]
)
def test_no_user_agent_is_kept_from_unsubscribing(agent: str) -> None:
    store = Store()
    environ = {"HTTP_USER_AGENT": agent, "HTTP_X_FORWARDED_FOR": "1.2.3.4, evil\r\n", "REMOTE_ADDR": "192.0.2.9"}
    assert post(app(store), environ=environ).code == 200
    (event,) = store.events
    assert "192.0.2.9" not in str(event.to_dict())
    assert "1.2.3.4" not in str(event.to_dict())


@pytest.mark.parametrize("error", [OSError("disk"), MailgateError("locked"), RuntimeError("bug"), TimeoutError()])
@pytest.mark.parametrize("body", [ONE_CLICK, b"confirm=unsubscribe"])
def test_a_store_that_is_down_is_said(error: Exception, body: bytes) -> None:
    seen: list[Exception] = []
    answer = post(app(Store(error=error), on_error=seen.append, retry_after_seconds=120), body)
    assert answer.code == 503
    assert answer.header("Retry-After") == "120"
    assert seen == [error]
    assert b"unsubscribed" not in answer.body.lower()
    assert b"still subscribed" in answer.body
    assert call(app(Store(error=error))).code == 200, "the page does not need the store"


def test_a_hook_that_fails_costs_no_answer() -> None:
    def fail(_: Exception) -> None:
        raise RuntimeError("the hook")

    assert post(app(Store(error=OSError("disk")), on_error=fail), ONE_CLICK).code == 503


@pytest.mark.parametrize("name", ["REQUEST_METHOD", "PATH_INFO", "CONTENT_TYPE", "CONTENT_LENGTH", "wsgi.input"])
@pytest.mark.parametrize("value", [None, "", "x" * 70_000, "日本", "\ud800", "\r\nX: 1", "-1", b"x", 7, "missing"])
def test_whatever_a_server_hands_over_is_answered(name: str, value: object) -> None:
    """Without wsgiref's validator, which would refuse such servers."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": f"/{TOKEN}",
        "CONTENT_TYPE": "application/x-www-form-urlencoded",
        "CONTENT_LENGTH": str(len(ONE_CLICK)),
        "wsgi.input": io.BytesIO(ONE_CLICK),
    }
    environ[name] = value
    if value == "missing":
        del environ[name]
    store = Store()
    started: list[str] = []
    application = app(store)
    body = b"".join(application(environ, lambda status, headers, _=None: started.append(status)))
    (status,) = started
    assert status[:3] in ("200", "400", "404", "405", "503")
    assert len(store.events) == (status == "200 OK")
    assert isinstance(body, bytes)


# --- everything else -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "DELETE", "PATCH", "TRACE"])
@pytest.mark.parametrize("path", [f"/{TOKEN}", "/nothing"])
def test_other_methods_do_nothing(method: str, path: str) -> None:
    store = Store()
    answer = call(app(store), method, path)
    assert answer.code == 405
    assert answer.header("Allow") == "GET, HEAD, POST"
    assert store.events == []


BAD_PATHS = [
    "",
    "/",
    "//",
    "/A",
    f"/{TOKEN[:-1]}",
    f"/{TOKEN}A",
    f"/{TOKEN}=",
    f"/{TOKEN[:-1]}é",
    "/" + "A" * 5_000,
    "/" + "A" * 100_000,
    f"/{TOKEN}/x",
    f"/{TOKEN}\n",
    "/\0",
    "/..",
    "/favicon.ico",
]


@pytest.mark.parametrize("path", BAD_PATHS)
def test_whatever_is_wrong_with_a_link_the_answer_is_one_page(path: str) -> None:
    store = Store()
    expected = call(app(), path="/wrong")
    for answer in (call(app(store), path=path), post(app(store), path=path)):
        assert answer.code == 404
        assert (answer.headers, answer.body) == (expected.headers, expected.body)
    assert store.events == []


def test_an_id_is_looked_up_on_post_only() -> None:
    token = SIGNER.token(Subscription(recipient_id="4711", stream="news"))
    asked: list[str] = []

    def recipient_of(recipient_id: str) -> str | None:
        asked.append(recipient_id)
        return "ann@example.net"

    store = Store()
    application = app(store, recipient_of=recipient_of)
    assert call(application, path=f"/{token}").code == 200
    assert asked == []
    assert post(application, path=f"/{token}").code == 200
    assert asked == ["4711"]
    (event,) = store.events
    assert (event.recipient, event.meta_value("recipient_id")) == ("ann@example.net", "4711")


def test_an_id_without_a_look_up_goes_to_the_sink() -> None:
    store = Store()
    token = SIGNER.token(Subscription(recipient_id="4711"))
    assert post(app(store), path=f"/{token}").code == 200
    assert (store.events[0].recipient, store.events[0].meta_value("recipient_id")) == (None, "4711")


def test_an_id_that_is_gone_and_a_look_up_that_fails() -> None:
    token = SIGNER.token(Subscription(recipient_id="4711"))

    def fails(recipient_id: str) -> str | None:
        raise OSError("database")

    store = Store()
    assert post(app(store, recipient_of=lambda _: None), path=f"/{token}").code == 404
    assert post(app(store, recipient_of=fails), path=f"/{token}").code == 503
    assert store.events == []


# --- words and looks -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("ja, fr;q=0.5, en;q=0.1", "fr"),
        ("en;q=0.1, nl;q=0.9", "nl"),
        ("*", "en"),
        ("pt-BR", "pt"),
        ("de;q=0", "en"),
        ("de;q=x, it", "it"),
        (",,;;q=1,", "en"),
        ("x" * 10_000, "en"),
        ("DE", "de"),
    ],
)
def test_the_language_is_what_the_browser_asks_for(header: str, language: str) -> None:
    assert choose_wording(header, WORDINGS, "en").language == language
    answer = call(app(), environ={"HTTP_ACCEPT_LANGUAGE": header})
    assert answer.header("Content-Language") == language
    assert f'<html lang="{language}"'.encode() in answer.body


@pytest.mark.parametrize("wording", WORDINGS.values(), ids=lambda wording: wording.language)
def test_every_language_says_everything(wording: Wording) -> None:
    texts = [text for name in Wording.__dataclass_fields__ if isinstance(text := getattr(wording, name), str)]
    assert all(text.strip() for text in texts)
    assert "{list}" in wording.question
    assert "{address}" in wording.question
    assert "{list}" in wording.question_anonymous
    assert "{address}" not in wording.question_anonymous
    assert "{list}" in wording.done
    used = set(re.findall(r"\{\w+\}", " ".join(texts)))
    assert used == {"{list}", "{address}"}
    store = Store()
    environ = {"HTTP_ACCEPT_LANGUAGE": wording.language}
    assert wording.button in Elements(call(app(store), environ=environ).body).text
    assert wording.done_title in Elements(post(app(store), b"confirm=unsubscribe", environ=environ).body).text
    assert wording.not_found_title in Elements(call(app(store), path="/x", environ=environ).body).text
    assert wording.bad_request_title in Elements(post(app(store), b"x=y", environ=environ).body).text
    assert wording.unavailable_title in Elements(post(app(Store(error=OSError())), environ=environ).body).text


def test_the_words_can_be_replaced() -> None:
    base = {name: getattr(WORDINGS["en"], name) for name in Wording.__dataclass_fields__}
    own = Wording(**{**base, "language": "he", "right_to_left": True, "button": "<Leave> & go"})
    application = app(wordings={"he": own}, default_language="he")
    answer = call(application)
    assert b'lang="he" dir="rtl"' in answer.body
    assert b"&lt;Leave&gt; &amp; go" in answer.body
    with pytest.raises(ValueError, match="default language"):
        app(wordings={"he": own})


def test_lists_have_names_for_people() -> None:
    application = app(list_names={"news": "<b>Winter</b> News"})
    assert b"Stop sending &lt;b&gt;Winter&lt;/b&gt; News to a" in call(application).body
    assert b"You will not receive &lt;b&gt;Winter" in post(application, b"confirm=unsubscribe").body
    other = SIGNER.token(Subscription(recipient="ann@example.net", stream="other"))
    assert b"this kind of mail" in call(application, path=f"/{other}").body


def test_the_address_can_be_hidden_altogether() -> None:
    assert b"example.net" not in call(app(show_address=False)).body


def test_hostile_text_in_a_token_stays_text() -> None:
    token = SIGNER.token(Subscription(recipient='<script>"@<img src=x>', stream="{address}{list}<i>"))
    body = call(app(list_names={"{address}{list}<i>": "{address}"}), path=f"/{token}").body
    assert {"script", "img", "i"}.isdisjoint(Elements(body).tags)


def test_the_style_sheet_can_be_replaced_and_the_policy_follows() -> None:
    plain, own = Page(), Page(css="body{color:red}")
    assert own.security_policy != plain.security_policy
    answer = call(app(page=own))
    assert b"<style>body{color:red}</style>" in answer.body
    assert answer.header("Content-Security-Policy") == own.security_policy
    with pytest.raises(ValueError, match="style"):
        Page(css="</style><script>")


def test_the_event_names_what_the_token_names() -> None:
    store = Store()
    token = SIGNER.token(Subscription(recipient="ann@example.net"))
    post(app(store), path=f"/{token}")
    (event,) = store.events
    assert (event.tenant, event.stream, event.ref) == ("", None, None)
    assert ANN.stream == "news"
