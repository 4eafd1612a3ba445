"""A report while it is being read: values by attribute name, and what was odd about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mailgate.fbl._report import Fields
from mailgate.records import Headers


@dataclass(slots=True, kw_only=True)
class Draft:
    """What a dialect found. values: arguments of `FeedbackReport`. returned: the returned message's header."""

    form: str
    values: dict[str, Any] = field(default_factory=dict)
    fields: Fields = ()
    returned: Headers | None = None
    derived: list[str] = field(default_factory=list)
    defects: list[str] = field(default_factory=list)
    reporter: str | None = None

    def derive(self, name: str, value: Any) -> None:
        """Set a value that the report part does not say."""
        self.values[name] = value
        if name not in self.derived:
            self.derived.append(name)

    def note(self, defect: str) -> None:
        """Name an oddity once."""
        if defect not in self.defects:
            self.defects.append(defect)
