"""The unsubscribe page, and tracked links beside it, as one WSGI application for gunicorn or any other server.

    gunicorn --workers 4 "wsgi_app:make_app('mail.db', 'mailgate.secret', 'https://t.example.com/')"

Workers may be killed at any instant: an event is committed before its answer is sent.

Prints:
    a scanner looks at the unsubscribe page: 200 OK
    on the list: nobody
    one click in the mail program: 200 OK
    on the list: ann@example.com (unsubscribe, news)
    a click on a link: 302 Found https://shop.example/?a=1&b=2
    recorded: click by r-4711
"""

import io
import secrets
import tempfile
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

from mailgate.engagement import LinkSigner, SQLiteSink, TrackingApp, read_events
from mailgate.records import KeyRing
from mailgate.suppression import SuppressionStore
from mailgate.unsubscribe import Subscription, UnsubscribeApp, UnsubscribeLinks


def make_app(db: str, secret_file: str, base_url: str) -> TrackingApp:
    """The application behind `base_url`: /o/ and /c/ record opens and clicks, /u/ unsubscribes."""
    keys = KeyRing.of(Path(secret_file).read_text().strip())
    page = UnsubscribeApp(keys=keys, sink=SuppressionStore.open(db).apply)
    return TrackingApp(LinkSigner(keys, base_url), SQLiteSink(db), unsubscribe=page)


def ask(app: TrackingApp, url: str, body: bytes = b"") -> str:
    """One request as a web server hands it over: the status, and where it leads."""
    environ: dict[str, Any] = {"PATH_INFO": url.removeprefix("https://t.example.com")}
    environ |= {"REQUEST_METHOD": "POST" if body else "GET", "wsgi.input": io.BytesIO(body)}
    environ |= {"CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": "application/x-www-form-urlencoded"}
    setup_testing_defaults(environ)
    answers: list[str] = []
    list(app(environ, lambda status, headers: answers.append(f"{status} {dict(headers).get('Location', '')}".rstrip())))
    return answers[0]


def main() -> None:
    """A mail goes out, and people do what people do."""
    with tempfile.TemporaryDirectory() as name:
        db, secret_file, base_url = f"{name}/mail.db", Path(name, "mailgate.secret"), "https://t.example.com/"
        secret_file.write_text(secrets.token_hex())
        app = make_app(db, str(secret_file), base_url)
        keys = KeyRing.of(secret_file.read_text())
        reader = Subscription(recipient="ann@example.com", stream="news")
        leave = UnsubscribeLinks(keys=keys, base_url=f"{base_url}u").url(reader)
        offer = LinkSigner(keys, base_url).click_url("https://shop.example/?a=1&b=2", recipient_id="r-4711")

        print("a scanner looks at the unsubscribe page:", ask(app, leave))
        print("on the list:", listed(db))
        print("one click in the mail program:", ask(app, leave, b"List-Unsubscribe=One-Click"))
        print("on the list:", listed(db))
        print("a click on a link:", ask(app, offer))
        print("recorded:", *(f"{event.type} by {event.recipient_id}" for event in read_events(db)))


def listed(db: str) -> str:
    """Who is not to be mailed."""
    with SuppressionStore.open(db) as store:
        return ", ".join(f"{entry.key} ({entry.reason}, {entry.stream})" for entry in store.list()) or "nobody"


if __name__ == "__main__":
    main()
