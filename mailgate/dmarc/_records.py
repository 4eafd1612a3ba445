"""Records on their way to a sink: their own two texts checked, everything else looked up or judged once."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Protocol

from mailgate.dmarc._facet import Facet, message_count, source_address
from mailgate.dmarc._fields import RecordFields
from mailgate.dmarc._limits import DEFAULT_LIMITS, Limits
from mailgate.dmarc._shape import MAX_CHARACTERS, RecordShape, has_template, record_shape, split

_MAX_MEMO = 4_096
_MAX_OWN_TEXT = 64  # characters that an address or a count may have, white space included
# Where almost every record is of a new kind, looking for known kinds costs more than it saves.
_PATIENCE = 64

_Template = tuple[str, str, str]
_MAX_TEMPLATES = 512
_MAX_TEMPLATE_CHARACTERS = 2_048
# Shared by all documents of a process: a reporter writes the same lines every day. Emptied when full.
_templates: dict[_Template, Facet] = {}


class Sink(Protocol):
    """Takes the records of one document, in order.

    add: called with the judged outcome of a usable record, the normal form of its address, and its messages.
    """

    @property
    def add(self) -> Callable[[Facet, str, int], None]: ...

    def skip(self, number: int, source_text: str, count_text: str) -> None:
        """A record that cannot be counted: its place (from 1), its texts for address and count."""


class Records:
    """Gives each record of one document to `sink`. number: how many so far."""

    def __init__(self, sink: Sink, limits: Limits) -> None:
        self.number = 0
        self._sink = sink
        self._max_results = limits.max_results
        self._facets: dict[RecordFields, Facet] = {}
        self._shapes: dict[str, RecordShape] = {}
        self._templates = _templates if limits.max_results == DEFAULT_LIMITS.max_results else {}
        self._new_templates = 0

    def take_fields(self, fields: RecordFields) -> None:
        """One record out of Expat."""
        key = fields._replace(source_text=None, count_text=None)
        facet = self._facets.get(key)
        if facet is None:
            if len(self._facets) >= _MAX_MEMO:
                self._facets.clear()
            facet = self._facets[key] = Facet(key, self._max_results)
        self._take(facet, fields.source_text or "", fields.count_text or "")

    def take_blocks(self, blocks: list[str]) -> bool:
        """Records as text, each without its end tag; False as soon as one has no shape, the rest is not taken then."""
        templates, add = self._templates, self._sink.add
        for block in blocks:
            before, _, rest = block.partition("<source_ip>")
            source_text, _, rest = rest.partition("</source_ip>")
            between, _, rest = rest.partition("<count>")
            count_text, _, behind = rest.partition("</count>")
            facet = templates.get((before, between, behind))
            if facet is not None and len(source_text) < _MAX_OWN_TEXT and len(count_text) < _MAX_OWN_TEXT:
                address, messages = source_address(source_text), message_count(count_text)
                if address is not None and messages is not None:
                    self.number += 1
                    add(facet, address, messages)
                    continue
            if not self._take_shaped(block, (before, between, behind)):
                return False
        return True

    def _take_shaped(self, block: str, template: _Template) -> bool:
        parts = split(block)
        skeleton = "\0".join(parts[::2])
        shape = self._shapes.get(skeleton)
        if shape is None:
            if len(block) > MAX_CHARACTERS or self._too_varied(len(self._shapes)):
                return False
            shape = record_shape(skeleton, len(parts) // 2)
            if shape is None:
                return False
            self._shapes[skeleton] = shape
        facet = shaped_facet(shape, shape.values(parts), self._max_results)
        if facet.seen_again and not self._too_varied(self._new_templates):
            self._new_template(block, parts, shape, template, facet)
        facet.seen_again = True
        ip, count = shape.ip, shape.count
        self._take(facet, parts[ip] if ip is not None else "", parts[count] if count is not None else "")
        return True

    def _new_template(
        self, block: str, parts: list[str], shape: RecordShape, template: _Template, facet: Facet
    ) -> None:
        if not facet.usable or len(block) > _MAX_TEMPLATE_CHARACTERS:
            return
        if has_template(block, parts, shape):
            if len(self._templates) >= _MAX_TEMPLATES:
                self._templates.clear()
            self._templates[template] = facet
            self._new_templates += 1

    def _too_varied(self, kinds: int) -> bool:
        return kinds > _PATIENCE and kinds * 8 > self.number

    def _take(self, facet: Facet, source_text: str, count_text: str) -> None:
        self.number += 1
        source_text, count_text = source_text.strip(), count_text.strip()
        if facet.usable and len(source_text) < _MAX_OWN_TEXT and len(count_text) < _MAX_OWN_TEXT:
            address, messages = source_address(source_text), message_count(count_text)
            if address is not None and messages is not None:
                self._sink.add(facet, address, messages)
                return
        self._sink.skip(self.number, source_text, count_text)


@lru_cache(maxsize=_MAX_TEMPLATES)
def shaped_facet(shape: RecordShape, values: Any, max_results: int) -> Facet:
    """What records of that shape with these texts say."""
    return Facet(shape.fields(values), max_results)
