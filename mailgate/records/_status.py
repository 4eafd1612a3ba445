"""Enhanced mail system status codes (RFC 3463)."""

from __future__ import annotations

import re
from dataclasses import dataclass

# RFC 3463 2: class is 2, 4 or 5; subject and detail are numbers of one to three digits without leading zeros.
# QUIRK: leading zeros ("5.0.01") are sent by some hosts; they are read and not kept.
# It looks behind only once it has the digit and the dot: a pattern that looks behind first is tried at each character.
_CODE = re.compile(r"([245])\.(?<![\d.][245]\.)(\d{1,3})\.(\d{1,3})(?![\d]|\.\d)", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class EnhancedStatus:
    """One code: class (2, 4 or 5), subject and detail, each a number (RFC 3463 2).

    >>> str(EnhancedStatus.parse("5.1.1"))
    '5.1.1'
    """

    status_class: int
    subject: int
    detail: int

    @classmethod
    def parse(cls, text: str) -> EnhancedStatus:
        """Read exactly one code; `ValueError` for anything else."""
        match = _CODE.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"not an enhanced status code: {text!r}")
        return cls(int(match[1]), int(match[2]), int(match[3]))

    @classmethod
    def find(cls, text: str) -> EnhancedStatus | None:
        """The first code that stands in `text`, not as a part of an IP address or a longer number; else None."""
        match = _CODE.search(text)
        return None if match is None else cls(int(match[1]), int(match[2]), int(match[3]))

    def __str__(self) -> str:
        return f"{self.status_class}.{self.subject}.{self.detail}"

    @property
    def is_generic(self) -> bool:
        """True for X.0.0 and X.Y.0, which say nothing about the cause (RFC 3463 3.1)."""
        return self.detail == 0

    def to_dict(self) -> str:
        """The code as its text."""
        return str(self)

    @classmethod
    def from_dict(cls, data: str) -> EnhancedStatus:
        """Read what `to_dict` wrote."""
        return cls.parse(data)
