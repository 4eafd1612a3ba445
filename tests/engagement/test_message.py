"""Rewriting messages: the parts that people read, and not a byte beside them."""

from __future__ import annotations

import base64
import email
import email.policy
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailgate.engagement import (
    AlreadySigned,
    LinkSigner,
    MessageLinks,
    MessageResult,
    PartSkipped,
    PixelPlace,
    Place,
    RewritePolicy,
    Skipped,
    rewrite_message,
)
from mailgate.records import Mail, ParseError
from tests.support import needs

from .conftest import CORPUS, messages

MESSAGES = messages(CORPUS)
HTML = '<html><body><a href="https://e.example/?a=1&amp;b=2">x</a></body></html>'
TEXT = "Look: https://e.example/?a=1&b=2\n"
BOTH = RewritePolicy(plain_text=True)
TRACKED = re.compile(rb"https://t\.example/[co]/[A-Za-z0-9_-]+(?:\.gif)?")


def check_message(raw: bytes, facts: list[dict[str, Any]], signer: LinkSigner, links: MessageLinks) -> list[str]:
    """What is not exact about one message; empty when all is."""
    result = rewrite_message(raw, links, force=True)
    faults = []
    html = [part for part in result.parts if part.content_type == "text/html"]
    for fact in facts:
        part = html[fact["part"]]
        for place, key in ((Place.HTML, "n_http"), (Place.COMMENT, "n_mso_http")):
            count = sum(link.skipped is None and link.place is place for link in part.links)
            if count != fact[key] and part.skipped is not PartSkipped.ATTACHMENT:
                faults.append(f"{key} {count}, expected {fact[key]}")
    for link in result.tracked:
        if signer.verify(*signer.token_of(link.tracked_url or "") or ("click", "")).url != link.url:
            faults.append(f"the token leads elsewhere: {link.url}")
    if result.undo() != raw:
        faults.append("undo is not exact")
    if outside_parts(result.message, result) != outside_parts(raw, result):
        faults.append("a byte outside the rewritten parts changed")
    if rewrite_message(result.message, links, force=True).message != result.message:
        faults.append("the second run changes something")
    faults += what_people_read(raw, result)
    return faults


def outside_parts(message: bytes, result: MessageResult) -> bytes:
    """The message without the bodies of the parts that were rewritten (and without their encoding field)."""
    bodies = {part.path for part in result.parts if part.skipped is None}
    mail = Mail.read(message)
    out, at = b"", 0
    for path, part in leaves(mail):
        if path in bodies:
            header = message[at : part.body_start]
            if any(row.re_encoded and row.path == path for row in result.parts):
                header = re.sub(rb"(?i)content-transfer-encoding:[^\n]*\n", b"", header)
            out += header
            at = part.body_end or 0
    return out + message[at:]


def leaves(part: Any, path: str = "") -> list[tuple[str, Any]]:
    if not part.parts:
        return [(path or "1", part)]
    return [
        leaf
        for number, child in enumerate(part.parts, 1)
        for leaf in leaves(child, f"{path}.{number}" if path else str(number))
    ]


def what_people_read(raw: bytes, result: MessageResult) -> list[str]:
    """With tracked URLs and pixel taken out, every part decodes to what it was."""
    faults = []
    rows = {row.path: row for row in result.parts}
    before, after = leaves(Mail.read(raw)), leaves(Mail.read(result.message))
    if len(before) != len(after):
        return ["another number of parts"]
    for (path, old), (_, new) in zip(before, after, strict=True):
        row = rows.get(path)
        if row is None or row.skipped is not None:
            if old.raw_body != new.raw_body:
                faults.append(f"part {path} changed")
            continue
        rest = old.content()
        pieces = TRACKED.split(re.sub(rb'<img src="https://t\.example/o/[^>]*>', b"", new.content()))
        at = 0
        for piece in pieces:
            found = rest.find(piece, at)
            if found < 0:
                faults.append(f"part {path}: lost {piece[:60]!r}")
                break
            at = found + len(piece)
    return faults


@pytest.mark.parametrize("name", MESSAGES)
def test_real_messages_are_exact(name: str, signer: LinkSigner, links: MessageLinks) -> None:
    raw, facts = MESSAGES[name]
    assert check_message(raw, facts, signer, links) == []


def test_every_message_of_the_corpora_is_exact(signer: LinkSigner, links: MessageLinks) -> None:
    """The HTML mails by their facts; all other mails (bounces, reports) by what must not change."""
    corpora = Path(needs.corpora())
    odd = {}
    for name, (raw, facts) in messages(corpora / "html_email").items():
        if faults := check_message(raw, facts, signer, links):
            odd[name] = faults
    others = [path for path in sorted(corpora.glob("*/**/*.eml")) if "html_email" not in path.parts]
    for path in others:
        raw = path.read_bytes()
        if faults := check_message(raw, [], signer, links):
            odd[str(path)] = faults
        result = rewrite_message(raw, links, policy=BOTH, force=True)
        assert result.undo() == raw, path
    assert len(others) > 100
    assert odd == {}


def message(*parts: tuple[str, str], head: str = "", eol: str = "\n") -> bytes:
    """A multipart/alternative out of (header fields, body)."""
    lines = [
        *head.splitlines(),
        "MIME-Version: 1.0",
        'Content-Type: multipart/alternative; boundary="=_b"',
        "",
        "preamble",
    ]
    for fields, body in parts:
        lines += ["--=_b", *fields.splitlines(), "", *body.splitlines()]
    return eol.join([*lines, "--=_b--", "epilogue", ""]).encode()


def single(fields: str, body: str) -> bytes:
    return f"Subject: x\nMIME-Version: 1.0\n{fields}\n\n{body}".encode()


def html_of(raw: bytes) -> str:
    part = next(part for part in Mail.read(raw).walk() if part.content_type == "text/html")
    return part.text()


@pytest.mark.parametrize("eol", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["7bit", "8bit", "quoted-printable", "base64", "binary", ""])
def test_transfer_encodings_are_kept(links: MessageLinks, signer: LinkSigner, encoding: str, eol: str) -> None:
    body = HTML.replace("=", "=3D") if encoding == "quoted-printable" else HTML
    if encoding == "base64":
        text = base64.b64encode(HTML.encode()).decode()
        body = "\n".join(text[at : at + 60] for at in range(0, len(text), 60))
    field = f"\nContent-Transfer-Encoding: {encoding}" if encoding else ""
    raw = message(("Content-Type: text/plain", TEXT), (f"Content-Type: text/html; charset=utf-8{field}", body), eol=eol)
    result = rewrite_message(raw, links)
    assert result.undo() == raw
    (link,) = result.tracked
    assert html_of(result.message) == HTML.replace("https://e.example/?a=1&amp;b=2", link.tracked_url or "").replace(
        "</body>", f'<img src="{links.open()}" width="1" height="1" alt="" style="border:0"></body>'
    )
    assert (encoding.encode() in result.message) if encoding else True
    assert max(map(len, result.message.splitlines())) <= (76 if encoding == "quoted-printable" else 500)
    assert outside_parts(result.message, result) == outside_parts(raw, result)


def test_a_line_that_becomes_too_long_goes_to_quoted_printable(links: MessageLinks) -> None:
    body = "<p>" + "".join(f'<a href="https://e.example/{n}">x</a>' for n in range(20)) + "é</p>"
    for fields in (
        "Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit\nX-After: 1",
        "X-Before: 1\nContent-Type: text/html;\n charset=utf-8\nX-After: 1",
        "Content-Transfer-Encoding:\n 8bit\nContent-Type: text/html; charset=utf-8",
    ):
        raw = single(fields, body)
        result = rewrite_message(raw, links)
        assert result.parts[0].re_encoded
        assert result.message.isascii()
        assert max(map(len, result.message.splitlines())) <= 76
        mail = Mail.read(result.message)
        assert mail.transfer_encoding == "quoted-printable"
        assert len(mail.headers.get_all("content-transfer-encoding")) == 1
        assert mail.headers.get("x-after") == ("1" if "After" in fields else None)
        assert mail.text().count("https://t.example/c/") == 20
        assert "é</p><img" in mail.text()
        assert result.undo() == raw
        assert rewrite_message(result.message, links).message == result.message
    assert (
        not rewrite_message(single("Content-Type: text/html\nContent-Transfer-Encoding: binary", body), links)
        .parts[0]
        .re_encoded
    )


def test_a_long_line_that_is_not_touched_stays(links: MessageLinks) -> None:
    raw = single("Content-Type: text/html", "<p>" + "x" * 5_000 + "</p>\n" + HTML)
    result = rewrite_message(raw, links)
    assert not result.parts[0].re_encoded
    assert b"x" * 5_000 in result.message


def test_a_message_without_mime_fields(links: MessageLinks) -> None:
    raw = ("Subject: x\n\n" + " ".join(f"https://e.example/{n}" for n in range(20)) + "\n").encode()
    result = rewrite_message(raw, links, policy=BOTH)
    assert result.parts[0].re_encoded
    mail = Mail.read(result.message)
    assert mail.headers.get("mime-version") == "1.0"
    assert mail.transfer_encoding == "quoted-printable"
    assert len(result.tracked) == 20
    assert result.undo() == raw


def test_plain_text_only_when_asked(links: MessageLinks) -> None:
    raw = message(("Content-Type: text/plain", TEXT), ("Content-Type: text/html", HTML))
    default, both = rewrite_message(raw, links), rewrite_message(raw, links, policy=BOTH)
    assert default.parts[0].skipped is PartSkipped.POLICY
    assert TEXT.encode() in default.message
    assert [part.skipped for part in both.parts] == [None, None]
    # One destination, one token, wherever it stands.
    assert len({link.tracked_url for link in both.tracked}) == 1
    assert [link.index for link in both.tracked] == [0, 0]


def test_numbers_run_over_all_parts(links: MessageLinks, signer: LinkSigner) -> None:
    raw = message(
        ("Content-Type: text/plain", "https://e.example/1\nhttps://e.example/2"),
        ("Content-Type: text/html", '<a href="https://e.example/3"><a href="https://e.example/1">'),
    )
    found = rewrite_message(raw, links, policy=BOTH).tracked
    assert [(link.url[-1], link.index) for link in found] == [("1", 0), ("2", 1), ("3", 2), ("1", 0)]
    assert {signer.verify(*signer.token_of(x.tracked_url or "") or ("", "")).link_count for x in found} == {3}


def test_one_pixel_a_message(links: MessageLinks) -> None:
    raw = message(("Content-Type: text/html", HTML), ("Content-Type: text/html", HTML))
    result = rewrite_message(raw, links)
    assert [part.pixel for part in result.parts] == [True, False]
    assert result.pixel
    assert result.message.count(b"<img") == 1
    assert rewrite_message(result.message, links).message == result.message
    assert not rewrite_message(raw, links, policy=RewritePolicy(pixel=PixelPlace.NONE)).pixel


def test_a_plain_message_gets_no_pixel(links: MessageLinks) -> None:
    raw = single("Content-Type: text/plain", TEXT)
    assert rewrite_message(raw, links).message == raw
    assert not rewrite_message(raw, links, policy=BOTH).pixel


LEFT_ALONE = [
    ("Content-Type: text/html\nContent-Disposition: attachment; filename=a.html", HTML, PartSkipped.ATTACHMENT),
    ("Content-Type: text/html\nContent-Disposition: x-odd", HTML, PartSkipped.ATTACHMENT),
    ("Content-Type: text/html\nContent-Transfer-Encoding: x-uuencode", HTML, PartSkipped.ENCODING),
    ("Content-Type: text/html\nContent-Transfer-Encoding: base64", "not base64!", PartSkipped.ENCODING),
    ("Content-Type: text/html; charset=utf-7", HTML, PartSkipped.CHARSET),
    ("Content-Type: text/html", "<pre>\n-----BEGIN PGP SIGNED MESSAGE-----\n" + HTML, PartSkipped.SIGNED),
]


@pytest.mark.parametrize(("fields", "body", "why"), LEFT_ALONE)
def test_parts_that_are_left_alone(links: MessageLinks, fields: str, body: str, why: PartSkipped) -> None:
    raw = message(("Content-Type: text/plain", TEXT), (fields, body))
    result = rewrite_message(raw, links)
    assert result.message == raw
    assert result.parts[1].skipped is why


@pytest.mark.parametrize(
    "content_type", ["text/x-amp-html", "text/calendar", "application/pkcs7-mime", "application/xhtml+xml"]
)
def test_types_that_are_not_ours(links: MessageLinks, content_type: str) -> None:
    raw = message((f"Content-Type: {content_type}", HTML))
    result = rewrite_message(raw, links, policy=BOTH)
    assert result.message == raw
    assert result.parts == ()


def nested(container: str, inner: str) -> bytes:
    return f"""\
Subject: x
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=outer

--outer
Content-Type: {container}; boundary=inner

{inner}
--outer
Content-Type: text/html

{HTML}
--outer--
""".encode()


@pytest.mark.parametrize("container", ["multipart/signed", "multipart/encrypted"])
def test_signed_parts_are_closed(links: MessageLinks, container: str) -> None:
    inner = (
        f"--inner\nContent-Type: text/html\n\n{HTML}\n--inner\nContent-Type: application/pgp-signature\n\nx\n--inner--"
    )
    raw = nested(container, inner)
    result = rewrite_message(raw, links)
    assert [(part.path, part.skipped) for part in result.parts] == [("1.1", PartSkipped.SIGNED), ("2", None)]
    assert inner.encode() in result.message
    assert result.parts[1].pixel


def test_messages_in_the_message_are_closed(links: MessageLinks) -> None:
    inner = f"--inner\nContent-Type: message/rfc822\n\nContent-Type: text/html\n\n{HTML}\n--inner--"
    result = rewrite_message(nested("multipart/digest", inner), links)
    assert inner.encode() in result.message
    assert [part.path for part in result.parts] == ["2"]


def test_an_encoded_container_is_left_alone(links: MessageLinks) -> None:
    inner = base64.b64encode(f"--inner\nContent-Type: text/html\n\n{HTML}\n--inner--\n".encode()).decode()
    raw = (
        "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=inner\n"
        f"Content-Transfer-Encoding: base64\n\n{inner}\n"
    ).encode()
    result = rewrite_message(raw, links)
    assert result.message == raw
    assert [part.skipped for part in result.parts] == [PartSkipped.PLACE]


def test_a_signed_message_is_refused_unless_forced(links: MessageLinks) -> None:
    raw = b"DKIM-Signature: v=1; b=x\n" + single("Content-Type: text/html", HTML)
    with pytest.raises(AlreadySigned, match="before it is signed"):
        rewrite_message(raw, links)
    assert rewrite_message(raw, links, force=True).pixel


def test_limits_are_those_of_mail(links: MessageLinks) -> None:
    with pytest.raises(ParseError, match="too_large"):
        rewrite_message(b"x" * (25 * 1024 * 1024 + 1), links)


def test_a_mail_is_taken_as_well_as_bytes(links: MessageLinks) -> None:
    raw = single("Content-Type: text/html", HTML)
    assert rewrite_message(Mail.read(raw), links).message == rewrite_message(raw, links).message


def test_the_standard_library_reads_the_same(links: MessageLinks) -> None:
    raw = message(
        ("Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit", "äöü " + TEXT),
        (
            "Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: quoted-printable",
            HTML.replace("=", "=3D"),
        ),
        head="Subject: =?utf-8?q?=C3=A4?=\nList-Unsubscribe: <https://e.example/u>",
    )
    result = rewrite_message(raw, links, policy=BOTH)
    parsed = email.message_from_bytes(result.message, policy=email.policy.default)
    assert parsed["subject"] == "ä"
    assert parsed["list-unsubscribe"] == "<https://e.example/u>"
    texts = [part.get_content() for part in parsed.walk() if part.get_content_maintype() == "text"]
    assert texts[0].startswith("äöü Look: https://t.example/c/")
    assert "https://t.example/o/" in texts[1]


@settings(max_examples=150)
@given(data=st.binary(max_size=300), cut=st.integers(0, 400))
def test_any_bytes_can_be_undone(links: MessageLinks, data: bytes, cut: int) -> None:
    base = message(("Content-Type: text/html\nContent-Transfer-Encoding: quoted-printable", HTML))
    for raw in (data, base[:cut], base[:cut] + data, data + base):
        assert rewrite_message(raw, links, policy=BOTH, force=True).undo() == raw


HOSTILE = [
    "=",
    "= ",
    "=3D",
    "=\n",
    " ",
    "\t",
    " \n",
    "<a href=http://e/>",
    "http://e ",
    "<",
    "A",
    "A\n",
    "A=",
    "é",
    "--=_b\n",
    ">\n",
]


@pytest.mark.parametrize("encoding", ["7bit", "quoted-printable", "base64"])
@pytest.mark.parametrize("piece", HOSTILE)
def test_long_hostile_bodies(links: MessageLinks, piece: str, encoding: str) -> None:
    """Nothing that is quadratic gets through this in reasonable time."""
    for before, after in (("", ""), ("<a href=3Dhttp://e/1>", "<a href=3Dhttp://e/2>")):
        body = before + piece * (300_000 // len(piece)) + after
        for content_type in ("text/html; charset=iso-2022-jp", "text/plain"):
            raw = single(f"Content-Type: {content_type}\nContent-Transfer-Encoding: {encoding}", body)
            assert rewrite_message(raw, links, policy=BOTH).undo() == raw


def test_the_report_as_json(links: MessageLinks) -> None:
    raw = message(("Content-Type: text/plain", TEXT), ("Content-Type: text/html", HTML + "<a href=#>"))
    report = json.loads(json.dumps(rewrite_message(raw, links).to_dict()))
    assert [part["path"] for part in report["parts"]] == ["1", "2"]
    assert [part["skipped"] for part in report["parts"]] == ["policy", None]
    assert report["parts"][1]["links"][1]["skipped"] == str(Skipped.FRAGMENT)
