"""Rewriting HTML: the right links, nothing else, and back again."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailgate.engagement import (
    LinkSigner,
    MessageLinks,
    PixelPlace,
    Place,
    Purpose,
    RewritePolicy,
    RewriteResult,
    Skipped,
    rewrite_html,
)
from mailgate.records import KeyRing
from tests.support import needs

from .conftest import CORPUS, SECRET, Document, documents

DOCUMENTS = list(documents(CORPUS))
EDGE_CASES = [json.loads(line) for line in (CORPUS / "edge_cases.jsonl").read_text("utf-8").splitlines()]
PLAIN = RewritePolicy(pixel=PixelPlace.NONE)


def digest(urls: list[str]) -> str:
    return hashlib.sha256("\n".join(urls).encode()).hexdigest()[:32]


def is_http(url: str) -> bool:
    return url.lower().startswith(("http://", "https://"))


def check_document(document: Document, signer: LinkSigner, links: MessageLinks) -> list[str]:
    """What is not exact about one document; empty when all is."""
    facts, html = document.facts, document.html
    result = rewrite_html(html, links, charset=document.charset)
    faults = []
    for place, key in ((Place.HTML, ""), (Place.COMMENT, "mso_")):
        found = [link for link in result.links if link.place is place]
        tracked = [link for link in found if link.skipped is None]
        placeholders = [link for link in found if link.skipped is Skipped.PLACEHOLDER and is_http(link.url)]
        if len(tracked) != facts[f"n_{key}http"]:
            faults.append(f"{key}tracked {len(tracked)}, expected {facts[f'n_{key}http']}")
        if len(placeholders) != facts[f"n_{key}http_placeholder"]:
            faults.append(f"{key}placeholders {len(placeholders)}")
        # The digest is over the values as written; ours have broken lines joined.
        raw = [link.url if link.skipped else html[link.start : link.end].decode("latin-1") for link in found]
        if (
            "\n" not in "".join(raw).strip()
            and digest([x.url for x in found if is_http(x.url)]) != facts[f"{key}urls_sha256_128"]
        ):
            faults.append(f"{key}the URLs differ")
    for link in result.tracked:
        assert link.tracked_url is not None
        if signer.verify(*signer.token_of(link.tracked_url) or ("click", "")).url != link.url:
            faults.append(f"the token leads elsewhere: {link.url}")
    if result.undo() != html:
        faults.append("undo is not exact")
    if put_back(html, result) != html:
        faults.append("a byte outside the links changed")
    if rewrite_html(result.html, links, charset=document.charset).html != result.html:
        faults.append("the second run changes something")
    return faults


def put_back(html: bytes, result: RewriteResult[bytes]) -> bytes:
    """The original out of the rewritten bytes, by the report alone: links and pixel by their text, in order."""
    rest = result.html
    out = b""
    changes = [(x.start, (x.tracked_url or "").encode(), html[x.start : x.end]) for x in result.tracked]
    if result.pixel_at is not None:
        pixel = next(edit.new for edit in result.edits if edit.start == edit.end)
        changes.append((result.pixel_at, pixel, b""))
    for start, new, old in sorted(changes, key=lambda change: change[0]):
        keep = start - len(out)
        out += rest[:keep] + old
        assert rest[keep:].startswith(new)
        rest = rest[keep + len(new) :]
    return out + rest


@pytest.mark.parametrize("document", DOCUMENTS, ids=repr)
def test_real_documents_are_exact(document: Document, signer: LinkSigner, links: MessageLinks) -> None:
    assert check_document(document, signer, links) == []


def test_the_whole_corpus_is_exact(signer: LinkSigner, links: MessageLinks) -> None:
    folder = Path(needs.corpora()) / "html_email"
    found = list(documents(folder))
    odd = {str(document): faults for document in found if (faults := check_document(document, signer, links))}
    assert len(found) >= 200
    assert odd == {}


@pytest.mark.parametrize("case", EDGE_CASES, ids=lambda case: case["id"])
def test_edge_cases(case: dict[str, Any], ring: KeyRing) -> None:
    signer = LinkSigner(ring, case.get("tracker_base", "https://t.example/"))
    result = rewrite_html(case["html"], signer.for_message(message_id="m"))
    assert [link.url for link in result.tracked] == case["rewrite"], case["why"]
    assert [signer.verify(*signer.token_of(x.tracked_url or "") or ("", "")).url for x in result.tracked] == case[
        "rewrite"
    ]
    assert result.undo() == case["html"]


@pytest.mark.parametrize("document", DOCUMENTS[::6], ids=repr)
def test_every_prefix_can_be_undone(document: Document, links: MessageLinks) -> None:
    html = document.html[-600:] if len(document.html) > 600 else document.html
    for length in range(len(html)):
        assert rewrite_html(html[:length], links).undo() == html[:length]


SOUP = st.lists(
    st.sampled_from(
        [
            '<a href="https://e.example/',
            '">',
            "<a href='http://f.example/?a&amp;b'>",
            "<a href=https://g.example>",
            "</a>",
            "<!--",
            "-->",
            "<!--[if mso]>",
            "<![endif]",
            "<body>",
            "</body>",
            "</html>",
            "<title>",
            "</title>",
            "é",
            "<svg>",
            "&#x2f;",
            "\n",
            "\0",
            "'",
            "x",
            "{{",
            "}}",
            "<",
            ">",
        ]
    ),
    max_size=25,
).map("".join)


@settings(max_examples=300)
@given(text=SOUP, place=st.sampled_from(PixelPlace), by_position=st.booleans(), trap=st.booleans())
def test_tag_soup_can_be_undone_and_is_done_once(
    links: MessageLinks, text: str, place: PixelPlace, by_position: bool, trap: bool
) -> None:
    policy = RewritePolicy(pixel=place, by_position=by_position, trap_url="https://trap.example/" if trap else None)
    result = rewrite_html(text, links, policy=policy)
    assert result.undo() == text
    assert len(result.html) - len(text) == result.bytes_delta
    if place is not PixelPlace.NONE:
        again = rewrite_html(result.html, links, policy=policy)
        assert again.html == result.html
    # Bytes and text are rewritten alike.
    assert rewrite_html(text.encode(), links, policy=policy).html == result.html.encode()


@settings(max_examples=200)
@given(
    data=st.binary(max_size=200),
    charset=st.sampled_from([None, "utf-8", "shift_jis", "utf-16", "iso-2022-jp", "x", "johab"]),
)
def test_any_bytes_can_be_undone(links: MessageLinks, data: bytes, charset: str | None) -> None:
    html = b"<a href='http://e.example/" + data + b"'>"
    assert rewrite_html(html, links, charset=charset).undo() == html


SKIPPED = [
    ("", Skipped.EMPTY),
    ("  ", Skipped.EMPTY),
    ("#top", Skipped.FRAGMENT),
    ("#", Skipped.FRAGMENT),
    ("/relative", Skipped.RELATIVE),
    ("page.html", Skipped.RELATIVE),
    ("?q=1", Skipped.RELATIVE),
    ("www.e.example", Skipped.RELATIVE),
    ("//e.example/", Skipped.SCHEME_RELATIVE),
    ("mailto:ann@e.example", Skipped.SCHEME),
    ("tel:+1", Skipped.SCHEME),
    ("cid:part1", Skipped.SCHEME),
    ("javascript:alert(1)", Skipped.SCHEME),
    ("JAVASCRIPT:alert(1)", Skipped.SCHEME),
    ("data:text/html,x", Skipped.SCHEME),
    ("ftp://e.example/", Skipped.SCHEME),
    ("https:e.example", Skipped.SCHEME),
    ("java&#9;script:x", Skipped.CONTROL),
    ("{{ url }}", Skipped.PLACEHOLDER),
    ("*|URL|*", Skipped.PLACEHOLDER),
    ("[[url]]", Skipped.PLACEHOLDER),
    ("%%url%%", Skipped.PLACEHOLDER),
    ("${url}", Skipped.PLACEHOLDER),
    ("{% url %}", Skipped.PLACEHOLDER),
    ("&lt;%= url %&gt;", Skipped.PLACEHOLDER),
    ("https://e.example/?n={{ name }}", Skipped.PLACEHOLDER),
    ("https://{{ host }}/", Skipped.PLACEHOLDER),
    ("https://t.example/c/x", Skipped.OWN),
    ("HTTP://T.EXAMPLE/u/x", Skipped.OWN),
    ("https://e.example/a&#0;b", None),
    ("https://e.example/a&#1;b", Skipped.CONTROL),
    ("https://e.example/a\nb c", Skipped.CONTROL),
    ("https://e.example/" + "\\x".replace("x", ""), None),
    ("https://e.example/%7B%7B", None),
    ("https://e.example/?a[[]", None),
    ("https://e.example/a b", None),
    ("https://t.example.evil.example/", None),
    ("http://", None),
]


@pytest.mark.parametrize(("value", "skipped"), SKIPPED)
def test_what_is_left_alone_and_why(links: MessageLinks, value: str, skipped: Skipped | None) -> None:
    html = f'<a href="{value}">x</a>'
    result = rewrite_html(html, links, policy=PLAIN)
    (link,) = result.links
    assert link.skipped is skipped
    assert (result.html == html) is (skipped is not None)
    assert (link.index is None) is (link.tracked_url is None) is (skipped is not None)


def tracked(html: str, links: MessageLinks, **options: object) -> list[str]:
    policy = RewritePolicy(pixel=PixelPlace.NONE, **options)  # type: ignore[arg-type]
    return [link.url for link in rewrite_html(html, links, policy=policy).tracked]


def test_option_links(links: MessageLinks) -> None:
    result = rewrite_html("<a href=http://e.example>", links, policy=RewritePolicy(links=False))
    assert result.links == ()
    assert result.html.startswith("<a href=http://e.example><img")


def test_option_scheme_relative(links: MessageLinks) -> None:
    assert tracked("<a href=//e.example/x>", links) == []
    assert tracked("<a href=//e.example/x>", links, scheme_relative=True) == ["https://e.example/x"]


def test_option_join_broken_urls(links: MessageLinks, signer: LinkSigner) -> None:
    html = '<a href="https://e.example/a\n\tb">'
    assert tracked(html, links) == ["https://e.example/ab"]
    assert tracked(html, links, join_broken_urls=False) == []
    assert tracked('<a href="https://e.example/a\nb c">', links) == []


@pytest.mark.parametrize(
    "html",
    [
        "<a href=https://e.example/unsubscribe?x>x</a>",
        "<a href=https://e.example/x>To <b>opt out</b></a>",
        "<a href=https://e.example/x>Newsletter abbestellen</a>",
        "<a href=https://e.example/x>Se d&eacute;sabonner</a>",
        "<a href=https://e.example/x>配信停止</a>",
    ],
)
def test_option_skip_unsubscribe(links: MessageLinks, html: str) -> None:
    assert len(tracked(html, links)) == 1
    assert tracked(html, links, skip_unsubscribe=True) == []
    (link,) = rewrite_html(html, links, policy=RewritePolicy(skip_unsubscribe=True)).links
    assert link.skipped is Skipped.UNSUBSCRIBE


def test_option_skip_hosts(links: MessageLinks) -> None:
    html = "".join(
        f"<a href=https://{host}/>" for host in ("e.example", "www.E.example:8", "u@e.example", "xe.example")
    )
    assert tracked(html, links, skip_hosts=("e.example.",)) == ["https://xe.example/"]


def test_option_max_links(links: MessageLinks) -> None:
    html = "".join(f"<a href=https://e.example/{n}>" for n in range(5))
    assert len(tracked(html, links, max_links=3)) == 3
    result = rewrite_html(html, links, policy=RewritePolicy(max_links=3))
    assert len(result.links) == 3
    assert result.warnings == ("many_links",)
    assert "many_links" not in rewrite_html(html, links, policy=RewritePolicy(max_links=5)).warnings


@pytest.mark.parametrize(
    ("attribute", "opts_out"),
    [
        ("data-no-track", True), ("data-no-track=''", True), ("DATA-NO-TRACK=1", True), ("data-no-track=false", False),
        ("clicktracking=off", True), ("clicktracking='OFF'", True), ("clicktracking=on", False),
        ("clicktracking", False), ("mc:disable-tracking", True), ("mc:disable-tracking='true'", True),
        ("mc:disable-tracking=false", False),
        ("data-track", False), ("title='data-no-track'", False), ("x=clicktracking=off", False),
    ],
)  # fmt: skip
def test_opt_out_attributes(links: MessageLinks, attribute: str, opts_out: bool) -> None:
    for html in (f"<a {attribute} href=https://e.example/>", f"<a href=https://e.example/ {attribute}>"):
        assert (tracked(html, links) == []) is opts_out, html


def test_one_destination_has_one_token(links: MessageLinks, signer: LinkSigner) -> None:
    html = (
        "<!--[if mso]><v:rect href='https://e.example/b'><![endif]--><a href='https://e.example/a'>"
        "<a href='https://e.example/b'><a href='https://e.example/a'><a href=mailto:x>"
    )
    found = rewrite_html(html, links).links
    assert [link.index for link in found] == [0, 1, 0, 1, None]
    assert found[0].tracked_url == found[2].tracked_url
    assert found[1].tracked_url == found[3].tracked_url
    claims = [signer.verify(*signer.token_of(link.tracked_url or "") or ("", "")) for link in found[:4]]
    assert [(claim.link_index, claim.link_count) for claim in claims] == [(0, 2), (1, 2), (0, 2), (1, 2)]
    assert (claims[0].message_id, claims[0].recipient_id, claims[0].stream) == ("m-1", "r-1", "news")


def test_option_by_position(links: MessageLinks) -> None:
    html = (
        "<!--[if mso]><v:rect href='https://e.example/b'><a href='https://e.example/c'><![endif]-->"
        "<a href='https://e.example/a'><a href='https://e.example/b'><a href='https://e.example/a'>"
    )
    found = rewrite_html(html, links, policy=RewritePolicy(by_position=True)).links
    assert [link.index for link in found] == [1, 3, 0, 1, 2]
    assert len({link.tracked_url for link in found}) == 4


PIXEL = [
    ("<html><body>x</body></html>", "bottom", 13, "before </body>"),
    ("<HTML><BODY>x</BODY></HTML>", "bottom", 13, "upper case"),
    ("<body>x<!-- </body> --></body>", "bottom", 23, "not in a comment"),
    ("<body>x</body><body>y</body>", "bottom", 21, "before the last one, once"),
    ("<html>x</html>", "bottom", 7, "before </html>"),
    ("<p>x</p>\n", "bottom", 9, "at the end"),
    ("<p>x</p><!-- y", "bottom", 8, "not in a comment that never ends"),
    ("<p>x</p><title>y", "bottom", 8, "not in a title that never ends"),
    ("<p>x</p><a href='y", "bottom", 8, "not in a tag that never ends"),
    ("<script>'</body>'</script></body>", "bottom", 26, "not in a script"),
    ("<!--[if mso]></body><![endif]-->x", "bottom", 33, "not for Outlook only"),
    ("", "bottom", 0, "in nothing"),
    ("<html><head></head><body class='>'>x</body></html>", "top", 35, "behind <body>"),
    ("<html><head></head>x</html>", "top", 19, "behind </head>"),
    ("<html>x</html>", "top", 6, "behind <html>"),
    ("<p>x</p>", "top", 0, "at the start"),
    ("\ufeff<p>x</p>", "top", 1, "behind a byte order mark"),
    ("<!DOCTYPE html><p>x</p>", "top", 23, "never before a doctype"),
]


@pytest.mark.parametrize(("html", "place", "at", "why"), PIXEL)
def test_where_the_pixel_goes(links: MessageLinks, html: str, place: str, at: int, why: str) -> None:
    result = rewrite_html(html, links, policy=RewritePolicy(pixel=PixelPlace(place)))
    pixel = f'<img src="{links.open()}" width="1" height="1" alt="" style="border:0">'
    assert result.pixel_at == at, why
    assert result.html == html[:at] + pixel + html[at:]


def test_the_pixel_is_not_hidden(links: MessageLinks) -> None:
    """Gmail does not load what is not displayed."""
    html = rewrite_html("x", links).html
    assert "display" not in html
    assert "visibility" not in html


def test_no_pixel_twice_but_one_beside_that_of_a_quoted_message(signer: LinkSigner, links: MessageLinks) -> None:
    once = rewrite_html("<body>x</body>", links).html
    assert rewrite_html(once, links).html == once
    assert (
        rewrite_html(once, signer.for_message(message_id="m-1", recipient_id="r-1", stream="news", issued=5)).html
        == once
    )
    reply = signer.for_message(message_id="m-2", recipient_id="r-1", stream="news")
    assert rewrite_html(once, reply).html.count("<img") == 2


def test_option_trap(links: MessageLinks, signer: LinkSigner) -> None:
    result = rewrite_html("<body>x</body>", links, policy=RewritePolicy(trap_url="https://e.example/trap"))
    assert 'aria-hidden="true" tabindex="-1"' in result.html
    url = result.html.partition('<a href="')[2].partition('"')[0]
    claims = signer.verify(*signer.token_of(url) or ("", ""))
    assert claims.trap
    assert claims.url == "https://e.example/trap"
    assert rewrite_html(result.html, links, policy=RewritePolicy(trap_url="https://e.example/trap")).html == result.html


def test_warnings(links: MessageLinks) -> None:
    def warnings(html: str) -> tuple[str, ...]:
        return rewrite_html(html, links).warnings

    assert warnings("<a href=https://e.example>") == ()
    assert warnings("x" * 102 * 1024) == ("clipped",)
    assert warnings("<a href=http://>") == ("no_host",)
    assert warnings("<a href=https://bank.example@e.example>") == ("userinfo",)
    assert warnings("<a href='{{ x }}'>") == ("placeholders",)
    assert warnings("x<!-- y") == ("unclosed",)
    assert rewrite_html(b"+ADw-a href=x", links, charset="utf-7").warnings == ("charset",)


def test_a_value_that_is_too_long(links: MessageLinks) -> None:
    noise = "".join(hashlib.sha256(str(n).encode()).hexdigest() for n in range(100))
    for value in (noise, "x" * 70_000):
        (link,) = rewrite_html(f"<a href=https://e.example/{value}>", links).links
        assert link.skipped is Skipped.TOO_LONG
        assert len(link.url) < 70_000


CHARSETS = [
    ("utf-8", "https://e.example/ä", "utf-8"),
    ("UTF8", "https://e.example/ä", "utf-8"),
    (None, "https://e.example/ä", "utf-8"),
    (None, "https://e.example/ä–", "cp1252"),
    ("iso-8859-1", "https://e.example/ä–", "cp1252"),
    ("us-ascii", "https://e.example/ä", "utf-8"),
    ("windows-1251", "https://e.example/я", "cp1251"),
    ('"koi8-r"', "https://e.example/я", "koi8-r"),
    ("shift_jis", "https://e.example/ソ表", "shift_jis"),
    ("gb18030", "https://e.example/中文", "gb18030"),
    ("big5", "https://e.example/功", "big5"),
    ("euc-kr", "https://e.example/한", "euc-kr"),
    ("iso-2022-jp", "https://e.example/日本", "iso-2022-jp"),
    ("iso-2022-kr", "https://e.example/한", "iso-2022-kr"),
    ("utf-16", "https://e.example/ä𝒳", "utf-16"),
    ("utf-16le", "https://e.example/ä", "utf-16-le"),
    ("utf-16be", "https://e.example/ä", "utf-16-be"),
    ("utf-32", "https://e.example/ä", "utf-32"),
    ("johab", "https://e.example/한", "johab"),
    ("cp037", "https://e.example/ä", "cp037"),
    ("x-unknown", "https://e.example/ä", "utf-8"),
    ("utf-8", "https://e.example/ä", "cp1252"),
]


@pytest.mark.parametrize(("declared", "url", "codec"), CHARSETS)
def test_charsets(signer: LinkSigner, links: MessageLinks, declared: str | None, url: str, codec: str) -> None:
    text = f'<p title="日本 ä ソ">x</p><a href="{url}">y</a></body>'
    html = text.encode(codec, "ignore")
    result = rewrite_html(html, links, charset=declared)
    (link,) = result.tracked
    assert link.url == url.encode(codec, "ignore").decode(codec)
    assert signer.verify(*signer.token_of(link.tracked_url or "") or ("", "")).url == link.url
    assert html[link.start : link.end] if codec not in ("utf-16", "utf-32") else True
    decoded = result.html.decode(codec)
    assert decoded.startswith(html.decode(codec).partition("<a")[0])
    assert decoded.endswith("</a>" + links_pixel(links) + "</body>")
    assert result.undo() == html


def links_pixel(links: MessageLinks) -> str:
    return f'<img src="{links.open()}" width="1" height="1" alt="" style="border:0">'


def test_the_meta_element_says_the_charset_when_nobody_else_does(links: MessageLinks) -> None:
    for meta in (
        b'<meta charset="windows-1251">',
        b"<META http-equiv=Content-Type content='text/html; charset=windows-1251'>",
    ):
        html = meta + "<a href='https://e.example/я'>".encode("cp1251")
        assert rewrite_html(html, links).links[0].url == "https://e.example/я"
        assert rewrite_html(html, links, charset="koi8-r").links[0].url == "https://e.example/ъ".replace(
            "ъ", b"\xff".decode("koi8-r")
        )


def test_undecodable_bytes_survive(links: MessageLinks) -> None:
    html = b"\xff\xfe\xfd\x80 <a href='https://e.example/'>\xc3\x28</a>\x00"[1:]
    result = rewrite_html(html, links, charset="utf-8")
    assert len(result.tracked) == 1
    assert result.undo() == html


def test_a_broken_utf16_document_is_left_alone(links: MessageLinks) -> None:
    html = "<a href='https://e.example/'>".encode("utf-16") + b"\0"
    result = rewrite_html(html, links, charset="utf-16")
    assert result.html == html
    assert result.warnings == ("charset",)


def test_a_document_that_ends_inside_a_two_byte_set_is_left_alone(links: MessageLinks) -> None:
    html = "<a href='https://e.example/'>x</a>日".encode("iso-2022-jp").removesuffix(b"\x1b(B")
    result = rewrite_html(html, links, charset="iso-2022-jp")
    assert (result.html, result.warnings) == (html, ("charset",))


def test_the_report_as_json(links: MessageLinks) -> None:
    result = rewrite_html("<a href=https://e.example/><a href=#>", links)
    report = json.loads(json.dumps(result.to_dict()))
    assert [row["skipped"] for row in report["links"]] == [None, "fragment"]
    assert report["bytes_delta"] == result.bytes_delta
    assert report["pixel_at"] == 37


def test_purposes_of_what_was_put_in(signer: LinkSigner, links: MessageLinks) -> None:
    result = rewrite_html("<a href=https://e.example/>", links)
    pixel = result.html.partition('<img src="')[2].partition('"')[0]
    found = signer.token_of(pixel)
    assert found is not None
    assert found[0] is Purpose.OPEN
    assert signer.verify(*found).message_id == "m-1"
    assert LinkSigner(KeyRing.of(SECRET), "https://t.example/").verify(*found).recipient_id == "r-1"
