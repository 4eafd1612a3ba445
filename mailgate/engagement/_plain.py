"""URLs in text/plain, found as mail clients find them."""

from __future__ import annotations

import re

from mailgate.engagement._encoding import View
from mailgate.engagement._links import Place, RewritePolicy, Skipped, opens_placeholder, says_unsubscribe
from mailgate.engagement._plan import Found

# A quoted line, a signature's first line (RFC 3676 4.3) which ends the search, or a URL.
_LINE_OR_URL = re.compile(
    r"(?P<quote>^>[^\n]*+)|(?P<signature>^-- ?\r?$)"
    r"|(?<![A-Za-z0-9+.-])(?P<url>[hH][tT][tT][pP][sS]?://[!#-;=?-_a-z{|}~]++)",
    re.MULTILINE,
)
_TRAILING = ".,;:!?'*_"
_BRACKETS = {")": "(", "]": "[", "}": "{"}


def find_urls(view: View, own: str, policy: RewritePolicy) -> list[Found]:
    """The URLs of a text, in order: not those in quoted lines (`>`) and none below the signature line (`-- `).

    Punctuation behind a URL is not a part of it, nor is a closing bracket that was opened before it. A URL that goes on
    in characters which are not ASCII is left alone, because nobody can tell where it ends.
    """
    text = view.text
    found: list[Found] = []
    for match in _LINE_OR_URL.finditer(text):
        if match["quote"] is not None:
            continue
        if match["signature"] is not None or len(found) >= policy.max_links:
            break
        start = match.start()
        end = start + _length(match[0])
        url, skipped = policy.judge(text[start:end], own)
        if skipped is None:
            if opens_placeholder(text[start : match.end() + 2]):
                skipped = Skipped.PLACEHOLDER
            elif text[end : end + 1] > "\x7f":
                skipped = Skipped.UNSAFE
            elif policy.skip_unsubscribe and says_unsubscribe(url):
                skipped = Skipped.UNSUBSCRIBE
        found.append(Found(start, end, Place.TEXT, url, skipped))
    return found


def _length(text: str) -> int:
    """How much of a run of URL characters is the URL."""
    surplus = {close: text.count(close) - text.count(opening) for close, opening in _BRACKETS.items()}
    end = len(text)
    while end:
        last = text[end - 1]
        if surplus.get(last, 0) > 0:
            surplus[last] -= 1
        elif last not in _TRAILING:
            break
        end -= 1
    return end
