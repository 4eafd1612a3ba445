"""Expat under limits: from UTF-8 pieces to the children of `feedback`, one small tree at a time.

A tree is a list of (local name, value): value is the text of an element without children, else its own list. Each
child of the root is handed over when it ends and forgotten, so memory does not grow with the report.

No entity is ever declared: a DOCTYPE is refused at its first byte, before its subset is read (attribute defaults alone
can blow 112 KB up to 1 GB). Expat before 2.6 reads a token again with each piece until it is complete, which is
quadratic; so a token that stays open for `max_token_bytes` is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias
from xml.parsers import expat

from mailgate.dmarc._limits import Limits
from mailgate.records import MailgateError, ParseError

Tree: TypeAlias = "list[tuple[str, str | Tree]]"
Value: TypeAlias = "str | Tree"

_INVALID_TOKEN = expat.errors.codes[expat.errors.XML_ERROR_INVALID_TOKEN]
_PARTIAL_CHAR = expat.errors.codes[expat.errors.XML_ERROR_PARTIAL_CHAR]
_SEPARATOR = " "  # no namespace name and no element name holds one
_MAX_KNOWN_NAMES = 1_000


class InvalidBytes(MailgateError):
    """Expat met what may be bytes that are illegal in UTF-8. error: the ParseError to raise when they are not.

    A signal between two modules of this room, never seen outside.
    """

    def __init__(self, error: ParseError) -> None:
        super().__init__(error)
        self.error = error


class FeedbackParser:
    """Feeds Expat; calls `on_child(name, value)` at the end of each child of the root.

    root: local name of the root element, None before it. namespaced: the root is in a namespace. ended: the root is
    closed, and nothing behind it is read. Raises ParseError: `dtd_forbidden`, `xml_not_wellformed`, `not_a_report`
    (another root), `too_deep`, `too_many_elements`, `field_too_long`, `token_too_long`; and InvalidBytes.
    """

    def __init__(self, on_child: Callable[[str, Value], None], limits: Limits) -> None:
        self._limits = limits
        self._on_child = on_child
        self.root: str | None = None
        self.namespaced = False
        self.ended = False
        self._fed = 0
        self._texts: list[str] = []
        self._parser = parser = expat.ParserCreate("utf-8", _SEPARATOR)
        parser.buffer_text = True
        parser.ordered_attributes = True  # a list for each element, which is cheaper than a mapping
        parser.CharacterDataHandler = self._texts.append
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler, parser.EndElementHandler = self._handlers()

    def _handlers(self) -> tuple[Callable[[str, object], None], Callable[[str], None]]:
        """The two functions that run for every element; closures, because attribute look-ups cost as much again."""
        limits, texts, on_child = self._limits, self._texts, self._on_child
        max_depth, max_elements, max_field = limits.max_element_depth, limits.max_elements, limits.max_field_bytes
        open_at: list[int] = []  # for each open element: how many items there were when it began
        items: Tree = []  # finished elements whose parent is still open
        push, pop, append, clear = open_at.append, open_at.pop, items.append, texts.clear
        names: dict[str, str] = {}
        started = 0

        def start(name: str, _attributes: object) -> None:
            nonlocal started
            depth = len(open_at)
            if depth > 1:
                started += 1
                if depth >= max_depth:
                    raise self._error("too_deep", f"elements nested deeper than {max_depth}")
                if started > max_elements:
                    raise self._error("too_many_elements", f"more than {max_elements} elements in one of feedback's")
            elif depth == 1:
                started = 0
            else:
                self._open_root(name)
            push(len(items))
            if texts:
                clear()

        def end(name: str) -> None:
            first = pop()
            local = names.get(name)
            if local is None:
                local = name.rpartition(_SEPARATOR)[2]
                if len(names) < _MAX_KNOWN_NAMES:
                    names[name] = local
            value: Value
            if len(items) > first:
                value = items[first:]
                del items[first:]
            elif texts:
                value = (texts[0] if len(texts) == 1 else "".join(texts)).strip()
                if len(value) > max_field:
                    raise self._error("field_too_long", f"more than {max_field} characters", field=local[:100])
            else:
                value = ""
            if texts:
                clear()
            depth = len(open_at)
            if depth > 1:
                append((local, value))
            elif depth == 1:
                on_child(local, value)
            else:
                self.ended = True

        return start, end

    def feed(self, piece: bytes, *, final: bool = False) -> None:
        """More of the document; `final` with the last piece, which may be empty."""
        if self.trailing:
            return
        self._fed += len(piece)
        try:
            self._parser.Parse(piece, final)
        except expat.ExpatError as error:
            if not self.ended:  # behind the root: text, NULs or a second root; the report itself is complete
                self._raise(error)
            return
        if not final and not self.ended:
            if self._fed - max(self._parser.CurrentByteIndex, 0) > self._limits.max_token_bytes:
                raise self._error("token_too_long", f"one tag or comment of over {self._limits.max_token_bytes} bytes")
            if len(self._texts) > 1 and sum(map(len, self._texts)) > self._limits.max_field_bytes:
                raise self._error("field_too_long", f"a text of over {self._limits.max_field_bytes} characters")

    @property
    def trailing(self) -> bool:
        """True when something that XML does not allow there stands behind the root element; it is not read."""
        return self.ended and self._parser.ErrorCode != 0

    def _open_root(self, name: str) -> None:
        namespace, _, local = name.rpartition(_SEPARATOR)
        self.root = local
        self.namespaced = bool(namespace)
        if local != "feedback":
            raise self._error("not_a_report", f"the root element is {local[:100]!r}, not 'feedback'", field="feedback")

    def _doctype(self, name: str, _system: object, _public: object, _subset: object) -> None:
        if name.lower() == "html":
            raise self._error("not_a_report", "an HTML page")
        raise self._error("dtd_forbidden", "a document type declaration; reports have none", field="!DOCTYPE")

    def _error(self, error: str, message: str, *, field: str | None = None) -> ParseError:
        return ParseError(error, message, field=field, offset=max(self._parser.CurrentByteIndex, 0))

    def _raise(self, error: expat.ExpatError) -> None:
        words = expat.ErrorString(error.code) or "not well-formed"
        found = ParseError("xml_not_wellformed", words, offset=max(self._parser.ErrorByteIndex, 0))
        if error.code in (_INVALID_TOKEN, _PARTIAL_CHAR):
            raise InvalidBytes(found) from error
        raise found from error


def offset_of(pieces: Iterable[bytes], element: str, before: int) -> int | None:
    """Byte offset of the start of an element, `before` others of its name standing before it; None when not there."""
    parser = expat.ParserCreate("utf-8", _SEPARATOR)
    found: list[int] = []

    def start(name: str, _attributes: object) -> None:
        if name.rpartition(_SEPARATOR)[2] == element and len(found) <= before:
            found.append(parser.CurrentByteIndex)

    parser.StartElementHandler = start
    try:
        for piece in pieces:
            parser.Parse(piece, False)
            if len(found) > before:
                return found[before]
    except expat.ExpatError:
        pass  # text behind the root
    return found[before] if len(found) > before else None
