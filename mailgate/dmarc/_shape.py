r"""Shapes: why most records never reach Expat.

A reporter is a program: it writes the same tags around other texts, record after record, report after report. So a
piece of XML is cut into its *skeleton* (tags and white space) and its *holes* (what stands in `>…</`). A skeleton that
was never seen is filled with numbered marks, given to Expat and to the same functions that read any report; what comes
back says which hole holds the address, which the count. From then on the skeleton is a key of a look-up, and a record
costs one split and one look-up instead of some sixty calls from Expat into Python: about a fifth.

It is a proof, not a guess. A hole takes printable ASCII without `<`, `>` and `&` only; such text can stand in any
element without making XML of it or breaking XML, so a document is well-formed if and only if its skeleton is. What
could hide tags from a textual look (comments, CDATA, instructions: `<!`, `<?`) gives no shape. Nor does a skeleton in
which a mark comes back changed, or which is not exactly one record that is a child of `feedback`. Where there is no
shape, `_reader` goes to Expat with the whole report, and everything is judged there.

Above shapes lie *templates*: records of one report mostly differ in nothing but address and count. What is left when
these two are cut out is a key too, for what a record with that key says; a valid address and a valid count are texts
that a hole may hold. A record then costs four `partition` and one look-up, a tenth of what Expat takes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from operator import itemgetter
from typing import Any

from mailgate.dmarc._expat import FeedbackParser, InvalidBytes, Value
from mailgate.dmarc._fields import HeaderFields, RecordFields, header_fields, record_fields
from mailgate.dmarc._limits import DEFAULT_LIMITS
from mailgate.records import ParseError

# A text with any other character stays in the skeleton, where Expat sees it (and makes CR LF one LF).
HOLE = re.compile(r">([ !-%'-;=?-~]*+)</")
RECORD_START, RECORD_END = "<record>", "</record>"
MAX_CHARACTERS = 16 * 1024  # of a piece that is looked at for its shape; a usual record has 700
_DECLARATION = re.compile(r"<\?xml [^<>?]*\?>")
_MARK = re.compile(r"~\d+~")
_CACHED_SHAPES = 512

split = HOLE.split


class _Plan:
    """A tuple in which marks stand for texts: single values first, then tuples of tuples.

    holes: the places of the texts in `split(…)`, ascending.
    """

    __slots__ = ("_constants", "_lists", "_singles", "holes")

    def __init__(self, plan: tuple[Any, ...]) -> None:
        self.holes = sorted(set(_indexes(plan)))
        self._constants: list[Any] = []
        places = {hole: place for place, hole in enumerate(self.holes)}
        lists = [item for item in plan if isinstance(item, tuple)]
        self._singles = self._getter(plan[: len(plan) - len(lists)], places)
        self._lists = tuple([self._getter(item, places) for item in items] for items in lists)

    def filled(self, texts: list[Any]) -> Iterable[Any]:
        """The plan with the texts (one for each hole, in order) where their marks stood."""
        known = texts + self._constants
        singles: tuple[Any, ...] = self._singles(known)
        return singles + tuple([tuple([getter(known) for getter in items]) for items in self._lists])

    def _getter(self, items: Any, places: dict[int, int]) -> Callable[[list[Any]], Any]:
        """Gives one item, or a tuple of several, out of texts and constants."""
        if not isinstance(items, tuple):
            return itemgetter(self._place(items, places))
        if len(items) == 1:
            one = itemgetter(self._place(items[0], places))
            return lambda known: (one(known),)
        return itemgetter(*(self._place(item, places) for item in items))

    def _place(self, item: Any, places: dict[int, int]) -> int:
        index = _index(item) if isinstance(item, str) else None
        if index is not None:
            return places[index]
        self._constants.append(item)
        return len(places) + len(self._constants) - 1


class RecordShape:
    """Where the texts lie in `split(record)`. ip, count: index, None when the record has no such text in a hole.

    values: callable that gives the other texts as one hashable value, of which `fields` makes `RecordFields`.
    """

    __slots__ = ("_plan", "_single", "count", "ip", "values")

    def __init__(self, plan: RecordFields) -> None:
        self.ip = _index(plan.source_text)
        self.count = _index(plan.count_text)
        self._plan = _Plan(plan._replace(source_text=None, count_text=None))
        holes = self._plan.holes
        self.values: Callable[[list[str]], Any] = itemgetter(*holes) if holes else _nothing
        self._single = len(holes) == 1

    def fields(self, values: Any) -> RecordFields:
        """The texts in their places; address and count are left out (they are in `parts[ip]`, `parts[count]`)."""
        texts = [values.strip()] if self._single else [text.strip() for text in values]
        return RecordFields._make(self._plan.filled(texts))


class HeaderShape:
    """Where the texts lie in `split(header)`, the header being a report with one record that holds a text.

    record: index of that text, by which the caller knows its own record.
    """

    __slots__ = ("_plan", "record")

    def __init__(self, plan: HeaderFields, record: int) -> None:
        self._plan = _Plan(plan)
        self.record = record

    def fields(self, parts: list[str]) -> HeaderFields:
        """The texts in their places."""
        return HeaderFields._make(self._plan.filled([parts[hole].strip() for hole in self._plan.holes]))


@lru_cache(maxsize=_CACHED_SHAPES)
def record_shape(skeleton: str, holes: int) -> RecordShape | None:
    """The shape of one record without its end tag, white space before it; None when it has to go to Expat.

    skeleton: the even items of `split(record)` joined with NUL (which XML cannot hold). holes: how many odd items.
    """
    if "<!" in skeleton or "<?" in skeleton or skeleton.count("\0") != holes:
        return None
    children = _probe("<feedback>" + _marked(skeleton) + RECORD_END + "</feedback>")
    if children is None or [name for name, _ in children] != ["record"]:
        return None
    plan = record_fields(children[0][1])
    if not _is_clean(plan) or any(text and _index(text) is None for text in (plan.source_text, plan.count_text)):
        return None
    return RecordShape(plan)


@lru_cache(maxsize=_CACHED_SHAPES)
def header_shape(skeleton: str, holes: int) -> HeaderShape | None:
    """The shape of a report in which one record of a text stands for all records; None when it has to go to Expat."""
    declaration = _DECLARATION.match(skeleton)
    rest = skeleton[declaration.end() :] if declaration else skeleton
    if "<!" in rest or "<?" in rest or skeleton.count("\0") != holes:
        return None
    children = _probe(_marked(skeleton))
    records = [value for name, value in children or () if name == "record"]
    record = _index(records[0]) if len(records) == 1 and isinstance(records[0], str) else None
    if children is None or record is None:
        return None
    plan = header_fields(children, namespaced=False)
    return HeaderShape(plan, record) if _is_clean(plan) else None


def _marked(skeleton: str) -> str:
    literals = skeleton.split("\0")
    marked = [literals[0]]
    for number, literal in enumerate(literals[1:]):
        marked.append(f">~{2 * number + 1}~</{literal}")
    return "".join(marked)


def _probe(document: str) -> list[tuple[str, Value]] | None:
    """The children of the root; None for anything but a sound report without a namespace."""
    children: list[tuple[str, Value]] = []
    parser = FeedbackParser(lambda name, value: children.append((name, value)), DEFAULT_LIMITS)
    try:
        parser.feed(document.encode("latin-1"), final=True)
    except (ParseError, InvalidBytes):
        return None
    return None if parser.trailing or parser.namespaced else children


def _nothing(_parts: list[str]) -> tuple[()]:
    return ()


def _texts_in(plan: Any) -> Iterator[str]:
    for item in plan:
        if isinstance(item, str):
            yield item
        elif isinstance(item, tuple):
            yield from _texts_in(item)


def _is_clean(plan: Any) -> bool:
    """True when each mark came back alone, or not at all."""
    return all(_MARK.fullmatch(text) or not _MARK.search(text) for text in _texts_in(plan))


def _index(text: str | None) -> int | None:
    """The place that a mark names; None for anything else."""
    return int(text[1:-1]) if text and _MARK.fullmatch(text) else None


def _indexes(plan: Any) -> Iterator[int]:
    for text in _texts_in(plan):
        index = _index(text)
        if index is not None:
            yield index


def has_template(block: str, parts: list[str], shape: RecordShape) -> bool:
    """True when address and count are the only `<source_ip>` and `<count>` of the record, in this order.

    Then all records that are alike but for these two texts have this shape and the same other texts.
    """
    ip, count = shape.ip, shape.count
    if ip is None or count is None or ip > count:
        return False
    return (
        parts[ip - 1].endswith("<source_ip")
        and parts[ip + 1].startswith("source_ip>")
        and parts[count - 1].endswith("<count")
        and parts[count + 1].startswith("count>")
        and block.count("<source_ip>") == 1
        and block.count("<count>") == 1
    )
