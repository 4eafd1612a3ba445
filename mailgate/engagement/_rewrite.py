"""Rewriting HTML: only the bytes of the link values that are replaced change, and one pixel comes in."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, AnyStr, Generic

from mailgate.engagement._edit import Edit, inverse, splice
from mailgate.engagement._encoding import View
from mailgate.engagement._links import (
    MAX_VALUE_CHARACTERS,
    Link,
    PixelPlace,
    Place,
    RewritePolicy,
    Skipped,
    opts_out,
    says_unsubscribe,
)
from mailgate.engagement._plan import Found, Numbers, Signing
from mailgate.engagement._references import decode_attribute
from mailgate.engagement._token import MAX_TOKEN_CHARACTERS, MessageLinks
from mailgate.engagement._tokenizer import Document, Href, attributes, tokenize
from mailgate.engagement._url import has_host, has_userinfo, is_plain

# Gmail shows about this much of a message and hides the rest, with the pixel and the footer.
CLIP_BYTES = 102 * 1024
_LINK_TEXT_CHARACTERS = 500
_START = itemgetter(0)

DEFAULT_POLICY = RewritePolicy()


@dataclass(frozen=True, slots=True, kw_only=True)
class RewriteResult(Generic[AnyStr]):
    """A rewritten document and what was done to it.

    html: of the type that was given. links: every `href` of `a`, `area` (and VML in conditional comments), in document
    order. pixel_at: where the pixel was put, an offset in the original; None when none was put.
    edits: what was replaced, offsets in the original. bytes_delta: how much longer it is, in units of `html`.
    warnings: words for the sender, one each: `clipped` (longer than the 102 KB that Gmail shows), `no_host` (a link
    like `http://`), `userinfo` (`https://bank@evil/`), `placeholders` (rewritten before rendering), `unclosed` (a tag
    or comment that never ends hides the rest), `charset` (the bytes cannot be rewritten in place: nothing was done),
    `many_links` (the policy's `max_links` are rewritten, the others left alone and not listed).
    """

    html: AnyStr
    links: tuple[Link, ...] = ()
    pixel_at: int | None = None
    edits: tuple[Edit[AnyStr], ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def bytes_delta(self) -> int:
        """How much longer the document became."""
        return sum(len(edit.new) - len(edit.old) for edit in self.edits)

    @property
    def tracked(self) -> tuple[Link, ...]:
        """The links that were replaced."""
        return tuple(link for link in self.links if link.skipped is None)

    def undo(self) -> AnyStr:
        """The document as it was, byte for byte."""
        return splice(self.html, inverse(self.edits))

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON values, without the document."""
        return {
            "links": [link.to_dict() for link in self.links],
            "pixel_at": self.pixel_at,
            "bytes_delta": self.bytes_delta,
            "warnings": list(self.warnings),
        }


def rewrite_html(
    html: AnyStr, links: MessageLinks, *, policy: RewritePolicy = DEFAULT_POLICY, charset: str | None = None
) -> RewriteResult[AnyStr]:
    """The document with its links tracked and a pixel in it (HTML Standard 13.2.5).

    html: text, or bytes in `charset` (of the Content-Type; then the document's own `meta`, UTF-8, windows-1252).
    Every byte outside the replaced values and the pixel stays as it is. What is left alone, and why, is in
    `result.links`; mailto, tel, anchors, relative links, placeholders, opt-outs and links of our own always are.
    Doing it twice changes nothing the second time. Never raises for any document; takes linear time.

    >>> from mailgate.engagement import LinkSigner
    >>> from mailgate.records import KeyRing
    >>> signer = LinkSigner(KeyRing.of(b"0123456789abcdefghijklmnopqrstuv"), "https://t.example/")
    >>> result = rewrite_html('<a href="https://e.example/?a=1&amp;b=2">x</a>', signer.for_message(message_id="m1"))
    >>> result.links[0].url
    'https://e.example/?a=1&b=2'
    >>> result.undo()
    '<a href="https://e.example/?a=1&amp;b=2">x</a>'
    """
    view = View.of(html, charset)
    if view is None:
        return RewriteResult(html=html, warnings=("charset",))
    document = HtmlDocument(view, links, policy)
    signing = Signing(links, Numbers([document.found], by_position=policy.by_position))
    return document.rewrite(html, signing, document.extras())


class HtmlDocument:
    """One document between finding its links and replacing them, so that a message can number all of its links."""

    def __init__(self, view: View, links: MessageLinks, policy: RewritePolicy) -> None:
        self._view = view
        self._links = links
        self._policy = policy
        self._document = tokenize(view.text, max_hrefs=policy.max_links)
        self.found = self._find() if policy.links else []

    def _find(self) -> list[Found]:
        own = self._links.base_url.partition("://")[2].lower()
        found: list[Found] = []
        for href in self._document.hrefs:
            url, skipped = self._judge(href, own)
            found.append(Found(href.start, href.end, Place.COMMENT if href.hidden else Place.HTML, url, skipped))
        return found

    def _judge(self, href: Href, own: str) -> tuple[str, Skipped | None]:
        text, policy = self._view.text, self._policy
        if href.end - href.start > MAX_VALUE_CHARACTERS:
            return text[href.start : href.start + 200], Skipped.TOO_LONG
        if href.end - href.start == 1 and text[href.start] == "#":
            return "#", Skipped.FRAGMENT  # half of all links of templates
        url, skipped = policy.judge(decode_attribute(self._view.value(href.start, href.end)), own)
        if skipped is None:
            if "track" in text[href.tag_start : href.tag_end].lower() and opts_out(attributes(text, href)):
                return url, Skipped.OPT_OUT
            if policy.skip_unsubscribe and (says_unsubscribe(url) or says_unsubscribe(_text_of(self._view, href))):
                return url, Skipped.UNSUBSCRIBE
        return url, skipped

    def extras(self) -> str:
        """Pixel and trap as HTML; `""` when there is nothing to put or it is there already."""
        wanted = ""
        links, policy = self._links, self._policy
        if policy.trap_url is not None:
            trap = links.click(policy.trap_url, trap=True)
            wanted = f'<a href="{trap}" aria-hidden="true" tabindex="-1" style="font-size:0;line-height:0"></a>'
        if policy.pixel is not PixelPlace.NONE:
            wanted += f'<img src="{links.open()}" width="1" height="1" alt="" style="border:0">'
        return wanted if wanted and not self.has_extras() else ""

    def has_extras(self) -> bool:
        """True when a pixel of this very message is in it already; one of a quoted older message does not count."""
        return any(map(self._links.is_own_pixel, self._pixels()))

    def _pixels(self) -> Iterator[str]:
        start = f"{self._links.base_url}o/"
        for piece in self._view.text.split(start)[1:]:
            yield piece[: MAX_TOKEN_CHARACTERS + 10].partition('"')[0]

    def rewrite(self, html: AnyStr, signing: Signing, extras: str) -> RewriteResult[AnyStr]:
        """The document with its links replaced and `extras` put in."""
        view, document = self._view, self._document
        report, changes = signing.sign(self.found)
        at = self._place() if extras else None
        if at is not None:
            insort(changes, (at, at, extras), key=_START)
        edits: tuple[Edit[AnyStr], ...] = view.edits(changes)
        new = splice(html, edits)
        return RewriteResult(
            html=new,
            links=report,
            pixel_at=None if at is None else next(edit.start for edit in edits if edit.start == edit.end),
            edits=edits,
            warnings=_warnings(new, report, document, len(view.text)),
        )

    def _place(self) -> int:
        document = self._document
        if self._policy.pixel is PixelPlace.TOP:
            return _top(self._view.text, document)
        for at in (document.body_end, document.html_end):
            if at is not None:
                return at
        return document.end


def _text_of(view: View, href: Href) -> str:
    """The beginning of what stands between a link's tags."""
    text = view.value(href.tag_end, href.tag_end + _LINK_TEXT_CHARACTERS)
    end = text.lower().find("</a")
    return decode_attribute(text[:end] if end >= 0 else text)


def _top(text: str, document: Document) -> int:
    """Behind `<body>`; in a fragment at its very start."""
    for at in (document.body_start, document.head_end, document.html_start):
        if at is not None:
            return at
    if text[:1] == "\ufeff":
        return 1
    return document.end if text[:200].lstrip("\xef\xbb\xbf \t\r\n").lower().startswith("<!doctype") else 0


def _warnings(html: str | bytes, found: tuple[Link, ...], document: Document, length: int) -> tuple[str, ...]:
    words = []
    if len(html) > CLIP_BYTES:
        words.append("clipped")
    odd = {link.url for link in found if link.skipped is None and not is_plain(link.url)}
    if not all(map(has_host, odd)):
        words.append("no_host")
    if any(map(has_userinfo, odd)):
        words.append("userinfo")
    if any(link.skipped is Skipped.PLACEHOLDER for link in found):
        words.append("placeholders")
    if document.end < length:
        words.append("unclosed")
    if document.has_more:
        words.append("many_links")
    return tuple(words)
