"""A linear HTML tokenizer that knows exactly as much as rewriting links needs (HTML Standard 13.2.5).

The model. HTML is a sequence of text, comments and tags, and what a `<` begins depends on what came before it. So
everything is tokenized, but only what may concern us surfaces: one regular expression, `_SKIP`, runs over text, plain
comments and the tags that are none of ours, and stops in front of the first `<` that is interesting or odd. Tags that
it does not dare to skip are matched by `_TAG`, which is exact.

What is exact: where a tag ends (a `>` inside a quoted value does not end it), which attribute is the first `href`,
where comments end (`-->`, `--!>`, `<!-->`), elements whose content is text (script with its escaped states, style,
title, textarea, xmp, iframe, noembed, noframes, plaintext), CDATA sections and self-closing tags inside SVG and MathML.
An end of input inside a tag or a comment makes the rest of the input no tag at all, as in every browser.

Linear time. Every quantifier is possessive, so nothing is matched twice in two ways; and each thing that is looked for
to the end of the input and not found (a closing quote, `-->`, `</title>`) ends the run, so it is looked for once.

White space is the standard's: tab, line feed, form feed, carriage return, space. Letters are ASCII letters.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field

_WS = r"\t\n\f\r "
_VALUE = rf"""(?:"[^"]*+"|'[^']*+'|(?!["'])[^{_WS}>]*+)"""
_CAPTURED_VALUE = rf"""(?:"([^"]*+)"|'([^']*+)'|(?!["'])([^{_WS}>]*+))"""
# One attribute, exactly: a name (which may begin with `=` and may hold quotes), perhaps a value.
# A name with an `=` behind it and a quote that never closes matches nothing.
_NAME = rf"[{_WS}/]*+[^{_WS}/>][^{_WS}/>=]*+"
_ATTRIBUTE = rf"{_NAME}(?:[{_WS}]*+=[{_WS}]*+{_VALUE}|(?![{_WS}]*+=))"
# One attribute as people write it: a part of the above that is quick to check.
_PLAIN_ATTRIBUTE = (
    rf"""[{_WS}]++[^{_WS}/>="'<][^{_WS}/>="'<]*+"""
    rf"""(?:=(?:"[^"]*+"|'[^']*+'|[^{_WS}"'=<>`][^{_WS}"'=<>`]*+))?+"""
)

# Start tags that must surface, by their first letters: a, area; body; head, html; iframe; math; noembed, noframes;
# plaintext; script, style, svg; textarea, title; xmp; VML. Everything else is skipped in one go.
_OURS = (
    rf"[aA](?:[{_WS}/>]|[rR][eE])|[bB][oO][dD]|[hH][eEtT]|[iI][fF]|[mM][aA]|[nN][oO][eEfF]|[pP][lL]"
    r"|[sS](?:[cCvV]|[tT][yY])|[tT](?:[iI]|[eE][xX])|[vV]:|[xX][mM]"
)
_COMMENT = r"!--(?:-?>|[^-]*+(?:-(?!-!?>)[^-]*+)*+--!?>)"
_BOGUS_COMMENT = r"!(?!--)[^>]*+>|\?[^>]*+>|/(?![a-zA-Z])[^>]*+>"
_SKIP = re.compile(
    rf"[^<]*+(?:<(?:"
    rf"(?=[^a-zA-Z/!?])"  # a stray `<` in text
    rf"|/(?![bB][oO]|[hH][eEtT])[a-zA-Z][^>=]*+>"  # an end tag without attributes
    rf"|(?!{_OURS})[a-zA-Z][^{_WS}/>]*+(?:{_PLAIN_ATTRIBUTE})*+[{_WS}]*+/?+>"
    rf"|(?!!--\[[iI][fF])(?:{_COMMENT})"
    rf"|{_BOGUS_COMMENT}"
    rf")[^<]*+)*+"
)
# The last group ends in a slash when the tag closes itself; that of `<svg a=/>` belongs to the value.
_TAG = re.compile(rf"<(/?)([a-zA-Z][^{_WS}/>]*+)(?:{_ATTRIBUTE})*+([{_WS}/]*+)>")
_HREF = re.compile(
    rf"(?:(?![{_WS}/]*+[hH][rR][eE][fF][{_WS}/>=]){_ATTRIBUTE})*+"
    rf"[{_WS}/]*+[hH][rR][eE][fF][{_WS}]*+=[{_WS}]*+{_CAPTURED_VALUE}"
)
_EACH_ATTRIBUTE = re.compile(
    rf"[{_WS}/]*+([^{_WS}/>][^{_WS}/>=]*+)(?:[{_WS}]*+=[{_WS}]*+{_CAPTURED_VALUE}|(?![{_WS}]*+=))"
)
_CONDITION = re.compile(r"<!--\[[iI][fF][^\]>]*+\]>")
_COMMENT_END = re.compile(r"--!?>")
_HREF_WORD = re.compile(r"[hH][rR][eE][fF]")

_TEXT_ELEMENTS = frozenset(("style", "title", "textarea", "xmp", "iframe", "noembed", "noframes"))
_TEXT_END = {name: re.compile(rf"</{name}(?=[{_WS}/>])", re.IGNORECASE | re.ASCII) for name in _TEXT_ELEMENTS}
_SCRIPT_DATA = re.compile(rf"<!--|</script(?=[{_WS}/>])", re.IGNORECASE | re.ASCII)
_SCRIPT_ESCAPED = re.compile(rf"-->|<(/?)script(?=[{_WS}/>])", re.IGNORECASE | re.ASCII)

# Tags that end SVG and MathML when they stand in it (HTML Standard 13.2.6.5).
_BREAKOUT = (
    "b|big|blockquote|body|br|center|code|dd|div|dl|dt|em|embed|font|h1|h2|h3|h4|h5|h6|head|hr|i|img|li|listing|menu"
    "|meta|nobr|ol|p|pre|ruby|s|small|span|strong|strike|sub|sup|table|tt|u|ul|var"
)
_BREAKOUTS = frozenset(_BREAKOUT.split("|"))
# End tags in SVG that close what it stands in, if that was opened before it: somebody forgot `</svg>`.
_LEAVING = _BREAKOUTS | {"html", "tbody", "td", "th", "tr"}
# These two leave always.
_LEAVING_ALWAYS = frozenset(("br", "p"))
# `font` is an element of HTML with these, and of SVG without them.
_FONT_ATTRIBUTE = re.compile(rf"[{_WS}/\"'](?:color|face|size)[{_WS}/>=]", re.IGNORECASE | re.ASCII)
_START_TAG = re.compile(r"<([a-zA-Z][a-zA-Z0-9]*+)")
# Elements of SVG and MathML whose content is HTML again.
_HTML_INSIDE = {
    "svg": frozenset(("foreignobject", "desc", "title")),
    "math": frozenset(("mi", "mo", "mn", "ms", "mtext", "annotation-xml")),
}
_ROOTS = frozenset(_HTML_INSIDE)
_HAZARD = re.compile(
    rf"<!\[CDATA\[|<(?:script|plaintext|{'|'.join(sorted(_TEXT_ELEMENTS))})[{_WS}/>]", re.IGNORECASE | re.ASCII
)
_FOREIGN_NAMES = "|".join(
    sorted(
        {
            "a",
            "area",
            "script",
            "plaintext",
            *_TEXT_ELEMENTS,
            *_BREAKOUTS,
            *_ROOTS,
            *_ROOTS.union(*_HTML_INSIDE.values()),
        }
    )
)
_SKIP_FOREIGN = re.compile(
    rf"[^<]*+(?:<(?:"
    rf"(?=[^a-zA-Z/!?])"
    rf"|(?!/?(?:{_FOREIGN_NAMES})[{_WS}/>])/?[a-zA-Z][^{_WS}/>]*+(?:{_PLAIN_ATTRIBUTE})*+[{_WS}]*+/?+>"
    rf"|{_COMMENT}"
    rf"|!\[CDATA\[[^\]]*+(?:\](?!\]>)[^\]]*+)*+\]\]>"
    rf"|(?!!\[CDATA\[)(?:{_BOGUS_COMMENT})"
    rf")[^<]*+)*+",
    re.IGNORECASE | re.ASCII,
)


@dataclass(slots=True)
class Href:
    """The `href` of one start tag.

    start, end: offsets of the value without its quotes. tag_start, tag_end: of the whole tag. name: lower case.
    hidden: it stands in a conditional comment, which only Outlook reads.
    """

    start: int
    end: int
    tag_start: int
    tag_end: int
    name: str
    hidden: bool


@dataclass(slots=True)
class Document:
    """What one run over a document found.

    hrefs: in document order. body_start: behind the first `<body>`. head_end, html_start: behind `</head>`, `<html>`.
    body_end, html_end: in front of the last `</body>`, `</html>`. end: where markup stops: the length of the text, or
    the start of a tag, a comment or a text element that never ends. max_hrefs: how many are noted; has_more: there
    were more. last_hazard: see `_last_hazard`. first_tags: see `_is_open`.
    """

    hrefs: list[Href] = field(default_factory=list)
    html_start: int | None = None
    head_end: int | None = None
    body_start: int | None = None
    body_end: int | None = None
    html_end: int | None = None
    end: int = 0
    max_hrefs: int = sys.maxsize
    has_more: bool = False
    last_hazard: int | None = None
    first_tags: dict[str, int] | None = None


def tokenize(text: str, *, max_hrefs: int = sys.maxsize) -> Document:
    """Run over a whole document. Never raises, and takes linear time for every text."""
    document = Document(max_hrefs=max_hrefs)
    document.end = _run(text, 0, len(text), document, hidden=False)
    return document


def attributes(text: str, href: Href) -> list[tuple[str, str]]:
    """(name in lower case, raw value) of every attribute of the tag of `href`; `""` for a missing value."""
    start = href.tag_start + 1 + len(href.name)
    found = _EACH_ATTRIBUTE.finditer(text, start, href.tag_end - 1)
    return [(match[1].lower(), match[2] or match[3] or match[4] or "") for match in found]


def _run(text: str, at: int, end: int, document: Document, *, hidden: bool) -> int:
    """Tokenize text[at:end]; answers where markup stops."""
    skip = _SKIP.match
    tag = _TAG.match
    while True:
        match = skip(text, at, end)
        assert match is not None  # noqa: S101 - it matches everything, if only the empty text
        at = match.end()
        if at >= end:
            return end
        found = tag(text, at, end)
        if found is None:
            if not text.startswith("<!--", at, end):
                return _stop(text, at, end)
            after = _conditional_comment(text, at, end, document)
            if after < 0:
                return at
            at = after
            continue
        at = found.end()
        if found[1]:
            _note_end_tag(found, document, hidden)
            continue
        name = found[2].lower()
        if name in ("a", "area") or (hidden and name.startswith("v:")):
            _note_href(text, found, name, document, hidden)
        elif name in _NOTED:
            if not hidden:
                _note_start_tag(name, at, document)
        else:
            at = _special(text, name, found, end, document, hidden)
            if at < 0:
                return found.start()


_NOTED = frozenset(("html", "body", "head"))


def _stop(text: str, at: int, end: int) -> int:
    """A `<` that begins nothing that ends. `<` or `</` as the last characters are text."""
    return end if end - at <= 2 and text[at:end] in ("<", "</") else at


def _conditional_comment(text: str, at: int, end: int, document: Document) -> int:
    """Where the comment at `at` ends, -1 when it does not; the content of a conditional one is tokenized too."""
    close = _COMMENT_END.search(text, at + 4, end)
    if close is None:
        return -1
    condition = _CONDITION.match(text, at, close.start())
    # Most of them hold tables and styles for Outlook, and no link.
    if condition is not None and _HREF_WORD.search(text, condition.end(), close.start()):
        _run(text, condition.end(), close.start(), document, hidden=True)
    return close.end()


def _note_end_tag(found: re.Match[str], document: Document, hidden: bool) -> None:
    name = found[2].lower()
    if hidden:
        return
    if name == "body":
        document.body_end = found.start()
    elif name == "html":
        document.html_end = found.start()
    elif name == "head" and document.head_end is None:
        document.head_end = found.end()


def _note_start_tag(name: str, after: int, document: Document) -> None:
    if name == "body" and document.body_start is None:
        document.body_start = after
    elif name == "html" and document.html_start is None:
        document.html_start = after


def _note_href(text: str, tag: re.Match[str], name: str, document: Document, hidden: bool) -> None:
    if len(document.hrefs) >= document.max_hrefs:
        document.has_more = True
        return
    value = _HREF.match(text, tag.end(2), tag.end() - 1)
    if value is None:
        return
    group = value.lastindex or 0
    document.hrefs.append(
        Href(value.start(group), value.end(group), tag.start(), tag.end(), name, hidden),
    )


def _special(text: str, name: str, tag: re.Match[str], end: int, document: Document, hidden: bool) -> int:
    """Where tokenizing goes on behind the start tag of an element with rules of its own; -1 when it does not."""
    at = tag.end()
    if name in _TEXT_ELEMENTS:
        close = _TEXT_END[name].search(text, at, end)
        return -1 if close is None else close.start()
    if name == "script":
        return _script_end(text, at, end)
    if name == "plaintext":
        return -1
    if name in ("svg", "math") and not tag[3].endswith("/") and at < _last_hazard(text, document):
        return _foreign(text, at, end, document, name, hidden)
    return at


def _script_end(text: str, at: int, end: int) -> int:
    """Where `</script` begins (HTML Standard 13.2.5.4, 13.2.5.15 to 13.2.5.31), -1 when the script never ends."""
    while True:
        found = _SCRIPT_DATA.search(text, at, end)
        if found is None:
            return -1
        if found[0] != "<!--":
            return found.start()
        at = found.end() - 2  # the two hyphens may be those of `-->`
        double = False
        while True:
            found = _SCRIPT_ESCAPED.search(text, at, end)
            if found is None:
                return -1
            at = found.end()
            if found[0] == "-->":
                break
            if not found[1]:
                double = True
            elif double:
                double = False
            else:
                return found.start()


def _last_hazard(text: str, document: Document) -> int:
    """Behind this offset SVG and MathML may be read as if they were HTML: nothing there means another thing in them."""
    if document.last_hazard is None:
        document.last_hazard = max((match.end() for match in _HAZARD.finditer(text)), default=0)
    return document.last_hazard


def _foreign(text: str, at: int, end: int, document: Document, root: str, hidden: bool) -> int:
    """Tokenize SVG or MathML from behind its start tag; answers where HTML goes on, -1 when nothing does.

    Only what matters is kept of the open elements: the roots, and the elements in which HTML is written, each with
    the language of its content.
    """
    inside = [(root, root)]
    start = at
    while inside:
        match = _SKIP_FOREIGN.match(text, at, end)
        assert match is not None  # noqa: S101 - as above
        at = match.end()
        if at >= end:
            return end
        found = _TAG.match(text, at, end)
        if found is None:
            return -1 if text.startswith("<!", at, end) or _stop(text, at, end) < end else end
        at = found.end()
        name = found[2].lower()
        language = inside[-1][1]
        if found[1]:
            if name in _LEAVING and language != "html" and _is_open(text, name, start, document):
                return found.start()
            _close(inside, name)
        elif name in ("a", "area"):
            _note_href(text, found, name, document, hidden)
        elif language == "html" and (name in _TEXT_ELEMENTS or name in ("script", "plaintext")):
            at = _special(text, name, found, end, document, hidden)
            if at < 0:
                return -1
        elif language != "html" and _is_breakout(name, found):
            return found.start()
        elif not found[3].endswith("/"):
            if name in _ROOTS:
                inside.append((name, name if language == "html" else language))
            elif _is_html_inside(language, name, found):
                inside.append((name, "html"))
    return at


def _is_open(text: str, name: str, at: int, document: Document) -> bool:
    """True when an element that an end tag in SVG could close was opened before the SVG, as far as names tell."""
    if name in _LEAVING_ALWAYS:
        return True
    if document.first_tags is None:
        document.first_tags = {}
        for match in _START_TAG.finditer(text):
            document.first_tags.setdefault(match[1].lower(), match.start())
    return document.first_tags.get(name, at) < at


def _is_breakout(name: str, tag: re.Match[str]) -> bool:
    return name in _BREAKOUTS and (name != "font" or _FONT_ATTRIBUTE.search(tag[0]) is not None)


def _is_html_inside(root: str, name: str, tag: re.Match[str]) -> bool:
    if name not in _HTML_INSIDE.get(root, ()):
        return False
    return name != "annotation-xml" or "html" in tag[0].lower()


def _close(inside: list[tuple[str, str]], name: str) -> None:
    """Close the innermost open element of that name, if there is one, and what is open in it."""
    for index in range(len(inside) - 1, -1, -1):
        if inside[index][0] == name:
            del inside[index:]
            return
