"""Words for people: text of strangers made safe for a page, and numbers with their nouns."""

from __future__ import annotations

import html
import unicodedata

# Control, format (bidi overrides among them), surrogate, private, unassigned and line-separating characters.
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def escaped(text: object) -> str:
    """HTML text or attribute value: markup escaped, every character that shows nothing or turns text around spelled.

    >>> escaped('<b>"\\u202e')
    '&lt;b&gt;&quot;\\\\u202e'
    """
    return html.escape(spelled(str(text)), quote=True)


def spelled(text: str) -> str:
    """The text with every character that shows nothing or turns text around written as an escape."""
    return text if text.isprintable() else "".join(map(_spelled, text))


def many(number: int, one: str) -> str:
    """A number with its noun.

    >>> many(1, "report"), many(2_000, "report")
    ('1 report', '2,000 reports')
    """
    return f"{number:,} {one}{'' if number == 1 else 's'}"


def _spelled(character: str) -> str:
    if unicodedata.category(character) not in _UNSAFE:
        return character
    return character.encode("unicode_escape").decode("ascii")
