"""Mutated documents, messages and requests: no exception, always undone, never done twice, always an answer.

MAILGATE_FUZZ sets how many of each.
"""

from __future__ import annotations

import os
import random

from mailgate.engagement import LinkSigner, MessageLinks, RewritePolicy, TrackingApp, rewrite_html, rewrite_message

from .conftest import CORPUS, ISSUED, ROOT, Client, documents, messages

COUNT = int(os.environ.get("MAILGATE_FUZZ", "2500"))
HTML_PIECES = (
    b"<",
    b">",
    b'"',
    b"'",
    b"=",
    b"/",
    b"<!--",
    b"-->",
    b"<a href=",
    b"https://",
    b"&amp;",
    b"\0",
    b"\r\n",
    b"\xff",
    b" ",
    b"<![CDATA[",
    b"<svg>",
    b"<title>",
    b"</",
    b"{{",
    b"<!--[if mso]>",
    b"<![endif]-->",
    b"</body>",
    b"<script>",
)
MESSAGE_PIECES = (
    *HTML_PIECES,
    b"=\r\n",
    b"=3D",
    b"\n\n",
    b"Content-Transfer-Encoding: base64\n",
    b"Content-Type: text/html\n",
    b"--",
    b"\n--",
    b"boundary=",
    b"charset=utf-16",
    b"charset=iso-2022-jp",
    b"\x1b$B",
    b"QUJD",
    b"=",
)


def mutated(rng: random.Random, data: bytes, pieces: tuple[bytes, ...], largest: int) -> bytes:
    """A part of `data` with a few places changed, cut, doubled or filled."""
    start = rng.randrange(max(1, len(data) - largest))
    out = bytearray(data[start : start + rng.randrange(1, largest)])
    for _ in range(rng.randrange(1, 8)):
        at = rng.randrange(len(out) + 1)
        end = min(len(out), at + rng.choice((0, 0, 1, 3, 40)))
        choice = rng.random()
        if choice < 0.6:
            out[at:end] = rng.choice(pieces)
        elif choice < 0.8:
            del out[at:end]
        else:
            out[at:at] = out[rng.randrange(len(out) + 1) :][:60]
    return bytes(out)


def test_documents(links: MessageLinks) -> None:
    rng = random.Random(1)
    found = [document.html for document in documents(CORPUS)]
    for number in range(COUNT):
        html = mutated(rng, rng.choice(found), HTML_PIECES, 3_000)
        charset = rng.choice((None, "utf-8", "shift_jis", "iso-2022-jp", "windows-1251"))
        result = rewrite_html(html, links, charset=charset)
        assert result.undo() == html, number
        again = rewrite_html(result.html, links, charset=charset)
        assert again.html == result.html, number


def test_messages(links: MessageLinks) -> None:
    rng = random.Random(2)
    found = [raw for raw, _ in messages(CORPUS).values()]
    found += [(ROOT / "fixtures" / "engagement" / "newsletter.eml").read_bytes()] * 10
    policy = RewritePolicy(plain_text=True)
    for number in range(COUNT):
        raw = rng.choice(found)
        body = max(0, raw.find(b"\n\n"))
        data = (
            mutated(rng, raw[:6_000], MESSAGE_PIECES, 6_000)
            if rng.random() < 0.5
            else raw[:body] + mutated(rng, raw[body:], MESSAGE_PIECES, 4_000)
        )
        result = rewrite_message(data, links, policy=policy, force=True)
        assert result.undo() == data, number
        assert rewrite_message(result.message, links, policy=policy, force=True).undo() == result.message, number


def test_requests(signer: LinkSigner) -> None:
    rng = random.Random(3)
    events: list[object] = []
    app = TrackingApp(signer, events.append, clock=lambda: ISSUED + 60.0)
    get = Client(app)
    good = [signer.open_url(message_id="m"), signer.click_url("https://e.example/", message_id="m")]
    texts = (
        "",
        "\r\nX: y",
        "\xff" * 50,
        "\0",
        "prefetch",
        "x" * 5_000,
        "Mozilla/5.0",
        "1.2.3.4, ::1",
        "🙂".encode().decode("latin-1"),
    )
    fields = (
        "HTTP_USER_AGENT",
        "HTTP_X_FORWARDED_FOR",
        "HTTP_SEC_PURPOSE",
        "HTTP_ACCEPT",
        "REMOTE_ADDR",
        "HTTP_REFERER",
    )
    for _ in range(COUNT):
        path = rng.choice(good).removeprefix("https://t.example")
        data = mutated(rng, path.encode(), (b"/", b".gif", b"A", b"\n", b"\xc3\xa4", b"%0a", b"u", b"//", b"\0"), 200)
        environ: dict[str, str | None] = {name: rng.choice((*texts, None)) for name in rng.sample(fields, 3)}
        answer = get("/" + data.decode("latin-1").lstrip("/"), rng.choice(("GET", "HEAD", "POST")), **environ)
        assert answer.status.split()[0] in ("200", "302", "404", "405")
        assert answer.headers.get("Location", "https://e.example/") == "https://e.example/"
    assert app.counts["bug"] == app.counts["sink_error"] == 0
