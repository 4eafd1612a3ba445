"""Which links are ours to track, and the record of what was done with each."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from mailgate.engagement._url import is_clean

MAX_VALUE_CHARACTERS = 65_536  # of an attribute value as written; a destination never needs more
MAX_LINKS = 10_000  # a newsletter has 10 to 100

_HTTP = re.compile(r"https?://", re.ASCII | re.IGNORECASE)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_HTML_SPACE = "\t\n\f\r "
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_LINE_BREAKS = re.compile("[\t\n\r]")
# Opening and closing marks of template languages; a link that holds a pair is not rendered yet.
_PLACEHOLDERS = (
    ("{{", "}}"), ("{%", "%}"), ("*|", "|*"), ("<%", "%>"), ("%%", "%%"), ("[[", "]]"), ("${", "}"),
)  # fmt: skip
_MARKS = re.compile(r"[{\[|<]|%%")

# Opt-out attributes and the values with which they do not opt out.
_OPT_OUT = {
    "data-no-track": ("false", "0"),
    "mc:disable-tracking": ("false", "0"),
}
_CLICK_TRACKING = "clicktracking"

# Words of an unsubscribe link, in its address or its text; only used by `skip_unsubscribe`.
_UNSUBSCRIBE = re.compile(
    r"unsubscri|un-subscri|opt[-_ ]?out|list-remove|remove me|abmeld|abbestell|austrag|d[ée]sabonn|d[ée]sinscri"
    r"|darse de baja|cancelar (?:la |tu |su )?suscripci|cancelar (?:a )?inscri|descadastr|disiscri|cancella(?:ti|zione)"
    r"|afmeld|uitschrijv|avregistrer|afmeld|avmeld|peruuta tilaus|wypisz|odhl[áa]s|odjav|leiratkoz|dezabon|отписаться"
    r"|отказаться от|відписатися|配信停止|購読解除|退订|取消订阅|退訂|取消訂閱|수신 ?거부|구독 ?취소",
    re.IGNORECASE,
)


class Skipped(StrEnum):
    """Why a link stays as it is."""

    EMPTY = "empty"
    FRAGMENT = "fragment"
    RELATIVE = "relative"
    SCHEME_RELATIVE = "scheme_relative"
    SCHEME = "scheme"
    PLACEHOLDER = "placeholder"
    OWN = "own"
    OPT_OUT = "opt_out"
    UNSUBSCRIBE = "unsubscribe"
    CONTROL = "control"
    UNSAFE = "unsafe"
    TOO_LONG = "too_long"


class PixelPlace(StrEnum):
    """Where the pixel goes."""

    BOTTOM = "bottom"
    TOP = "top"
    NONE = "none"


class Place(StrEnum):
    """Where a link stands."""

    HTML = "html"
    COMMENT = "comment"  # a conditional comment, which Outlook reads
    TEXT = "text"  # a text/plain part


class Link(NamedTuple):
    """One link of a document. A named tuple, because a mail has a hundred of them.

    url: decoded, outer white space and line breaks off. place: where it stands. start, end: offsets of its value in
    the original. index: which distinct tracked destination it is, from 0; None when it was left alone.
    tracked_url: what stands there now, None when it was left alone. skipped: why it was left alone.
    """

    url: str
    place: Place
    start: int
    end: int
    index: int | None = None  # type: ignore[assignment]  # in front of tuple.index, which nobody wants here
    tracked_url: str | None = None
    skipped: Skipped | None = None

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values."""
        return {
            "url": self.url,
            "place": str(self.place),
            "start": self.start,
            "end": self.end,
            "index": self.index,
            "tracked_url": self.tracked_url,
            "skipped": None if self.skipped is None else str(self.skipped),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RewritePolicy:
    """What is rewritten.

    links: rewrite links at all. pixel: where the pixel goes. plain_text: rewrite links of text/plain parts too (off:
    tracked links are long, and people read them there). scheme_relative: track `//host/path` as https.
    skip_unsubscribe: leave links alone whose address or text says unsubscribe.
    join_broken_urls: track a URL that is broken over lines as browsers read it, without the line breaks and tabs, when
    nothing else is odd about it (off: it is reported and left alone).
    by_position: give every occurrence of a link its own index and token (off: one token a destination, so that a link
    in Outlook's branch and its twin count as one).
    skip_hosts: hosts that are left alone, with everything under them (`example.com` covers `www.example.com`).
    trap_url: when given, a link that no person sees is put before the pixel; who follows it is a machine, and is led
    to `trap_url`. max_links: of one document; links beyond are left alone and not listed.
    """

    links: bool = True
    pixel: PixelPlace = PixelPlace.BOTTOM
    plain_text: bool = False
    scheme_relative: bool = False
    skip_unsubscribe: bool = False
    join_broken_urls: bool = True
    by_position: bool = False
    skip_hosts: tuple[str, ...] = ()
    trap_url: str | None = None
    max_links: int = MAX_LINKS
    _skip_hosts: frozenset[str] = field(init=False, repr=False, compare=False, default=frozenset())

    def __post_init__(self) -> None:
        object.__setattr__(self, "pixel", PixelPlace(self.pixel))
        object.__setattr__(self, "_skip_hosts", frozenset(host.lower().strip(".") for host in self.skip_hosts))

    def judge(self, value: str, own: str) -> tuple[str, Skipped | None]:
        """(the destination, why it is not tracked or None) of a decoded attribute value.

        own: host and path of the tracking base, lower case; links under it are never wrapped again.
        """
        url = value.strip(_HTML_SPACE)
        match = _HTTP.match(url)
        if match is None:
            if not (self.scheme_relative and url.startswith("//")):
                return url, _other(url)
            url = "https:" + url
            match = _HTTP.match(url)
            assert match is not None  # noqa: S101 - it was just written
        if url[match.end() : match.end() + len(own)].lower() == own:
            return url, Skipped.OWN
        if _CONTROL.search(url):
            joined = _LINE_BREAKS.sub("", url)
            if not self.join_broken_urls or _CONTROL.search(joined) or not is_clean(joined):
                return url, Skipped.CONTROL
            url = joined
        if _MARKS.search(url) and has_placeholder(url):
            return url, Skipped.PLACEHOLDER
        if self._skip_hosts and self._is_skipped_host(url[match.end() :]):
            return url, Skipped.OPT_OUT
        return url, None

    def _is_skipped_host(self, rest: str) -> bool:
        host = re.split(r"[/?#\\]", rest, maxsplit=1)[0].rpartition("@")[2].partition(":")[0].lower().strip(".")
        while host:
            if host in self._skip_hosts:
                return True
            host = host.partition(".")[2]
        return False


def has_placeholder(text: str) -> bool:
    """True when a template placeholder stands in it: `{{x}} {%x%} *|x|* <%x%> %%x%% [[x]] ${x}`.

    >>> has_placeholder("https://e.example/?n={{ name }}"), has_placeholder("https://e.example/?n=%7B")
    (True, False)
    """
    for opening, closing in _PLACEHOLDERS:
        at = text.find(opening)
        if at >= 0 and text.find(closing, at + 2) >= 0:
            return True
    return False


def opens_placeholder(text: str) -> bool:
    """True when the opening mark of a placeholder stands in it; for text in which a space may end what is seen."""
    return any(opening in text for opening, _ in _PLACEHOLDERS)


def opts_out(attributes: list[tuple[str, str]]) -> bool:
    """True when an attribute of the tag says that it shall not be tracked."""
    for name, value in attributes:
        if name in _OPT_OUT and value.strip().lower() not in _OPT_OUT[name]:
            return True
        if name == _CLICK_TRACKING and value.strip().lower() == "off":
            return True
    return False


def says_unsubscribe(text: str) -> bool:
    """True when an address or the text of a link speaks of unsubscribing."""
    return _UNSUBSCRIBE.search(text) is not None


def _other(url: str) -> Skipped:
    if not url:
        return Skipped.EMPTY
    if url.startswith("#"):
        return Skipped.FRAGMENT
    if _MARKS.search(url) and has_placeholder(url):
        return Skipped.PLACEHOLDER
    if url.startswith("//"):
        return Skipped.SCHEME_RELATIVE
    if _SCHEME.match(url):
        return Skipped.SCHEME
    return Skipped.CONTROL if _CONTROL.search(url) else Skipped.RELATIVE
