"""How much of a message a reader takes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class MailLimits:
    """Bounds on what a reader takes on. At the limit is allowed, above it is a ParseError (a long field is cut).

    max_bytes: the whole message (`too_large`). max_depth: multiparts and messages inside one another, the message
    itself being 0; also through `Part.message` (`too_deep`). max_parts: parts of one message without itself
    (`too_many_parts`). max_header_field_bytes: one field with its folds; what lies beyond is not read.
    """

    max_bytes: int = 25 * 1024 * 1024
    max_depth: int = 50
    max_parts: int = 1_000
    max_header_field_bytes: int = 64 * 1024

    def to_dict(self) -> dict[str, int]:
        """The record as JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> MailLimits:
        """Read what `to_dict` wrote."""
        return cls(**data)
