"""The page behind the link: one self-contained HTML document without scripts and without requests to anywhere."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from html import escape

from mailgate.unsubscribe._wording import Wording

CONFIRM_FIELD = "confirm"
CONFIRM_VALUE = "unsubscribe"

# Sizes in rem and a column in ch: it follows the reader's own text size. Contrast of every pair is 7:1 or more.
CSS = """\
:root{color-scheme:light dark;--paper:#fff;--ink:#1b1b1b;--act:#0b3d91;--on:#fff}
@media (prefers-color-scheme:dark){:root{--paper:#16181c;--ink:#f0f0f0;--act:#a9c7ff;--on:#10131a}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:1.125rem/1.5 system-ui,sans-serif}
main{max-width:38ch;margin:12vh auto 0;padding:0 1.25rem;overflow-wrap:anywhere}
h1{font-size:1.5rem;line-height:1.25;margin:0 0 1rem}
button{font:inherit;font-weight:600;min-height:3rem;padding:.6rem 1.4rem;cursor:pointer}
button{border:2px solid var(--act);border-radius:.4rem;background:var(--act);color:var(--on)}
button:hover{text-decoration:underline}
button:focus-visible{outline:3px solid var(--ink);outline-offset:3px}
@media (max-width:30rem){main{margin-top:2rem}button{width:100%}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Writes the documents of the app and knows the headers that belong to them.

    css: the whole style sheet; the Content-Security-Policy allows this one by its hash and nothing else.
    """

    css: str = CSS
    security_policy: str = field(init=False)

    def __post_init__(self) -> None:
        if "</" in self.css:
            raise ValueError("the style sheet holds '</', which would end the style element")
        digest = base64.b64encode(hashlib.sha256(self.css.encode()).digest()).decode("ascii")
        policy = (
            f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; form-action 'self'; "
            "frame-ancestors 'none'; base-uri 'none'"
        )
        object.__setattr__(self, "security_policy", policy)

    def question(self, wording: Wording, *, list_name: str | None, address: str | None) -> bytes:
        """The form that asks; it posts to the very URL it stands at, whatever that is mounted under."""
        text = wording.question if address is not None else wording.question_anonymous
        text = text.replace("{list}", list_name or wording.this_mail).replace("{address}", address or "")
        form = (
            f'<form method="post"><input type="hidden" name="{CONFIRM_FIELD}" value="{CONFIRM_VALUE}">'
            f"<button>{escape(wording.button)}</button></form>"
        )
        return self._document(wording, wording.title, text, form)

    def done(self, wording: Wording, *, list_name: str | None) -> bytes:
        """What the person sees after the button was pressed and the wish was stored."""
        return self._document(
            wording, wording.done_title, wording.done.replace("{list}", list_name or wording.this_mail)
        )

    def not_found(self, wording: Wording) -> bytes:
        """The same document whatever is wrong with the link."""
        return self._document(wording, wording.not_found_title, wording.not_found)

    def bad_request(self, wording: Wording) -> bytes:
        """For a POST that says neither what a provider nor what the form says."""
        return self._document(wording, wording.bad_request_title, wording.bad_request)

    def unavailable(self, wording: Wording) -> bytes:
        """The wish could not be stored."""
        return self._document(wording, wording.unavailable_title, wording.unavailable)

    def _document(self, wording: Wording, title: str, text: str, form: str = "") -> bytes:
        direction = "rtl" if wording.right_to_left else "ltr"
        # The empty icon keeps browsers from asking for /favicon.ico.
        return (
            f'<!DOCTYPE html>\n<html lang="{escape(wording.language)}" dir="{direction}">\n<head>\n'
            f'<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f'<meta name="robots" content="noindex">\n'
            f'<link rel="icon" href="data:,">\n<title>{escape(title)}</title>\n<style>{self.css}</style>\n</head>\n'
            f"<body>\n<main>\n<h1>{escape(title)}</h1>\n<p>{escape(text)}</p>\n{form}\n</main>\n</body>\n</html>\n"
        ).encode("utf-8", "replace")


def masked(address: str) -> str:
    """Enough of an address for its owner to know it, too little for anybody else.

    >>> masked("jane.doe@example.com")
    'j…@example.com'
    """
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}…@{domain}"
