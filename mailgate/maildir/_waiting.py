"""A message file in a Maildir, its name taken apart, and what came of reading and finishing it.

A file name is `unique` or `unique:2,FLAGS`. The unique part usually begins with the second of delivery; the room
needs no more than that of it, and any name a file system allows is read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

# Seconds, then perhaps microseconds as the maildir convention has them (`1700000000.M12345P678.host`).
_DELIVERED = re.compile(r"(\d{1,18})(?:\.M(\d{1,9}))?")
_NEVER = 10**18

DeliveryOrder = tuple[int, int, str]


def delivery_order(name: str) -> DeliveryOrder:
    """A sort key: the second and microsecond of delivery that the name tells, then the name itself.

    Names that do not begin with a number come last, by name.

    >>> sorted(["b", "1700000000.M9P1.h", "999999999.M1P1.h", "1700000000.M10P1.h", "a"], key=delivery_order)
    ['999999999.M1P1.h', '1700000000.M9P1.h', '1700000000.M10P1.h', 'a', 'b']
    """
    found = _DELIVERED.match(name)
    if found is None:
        return _NEVER, 0, name
    return int(found[1]), int(found[2] or 0), name


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One message file that waits to be read.

    root: the Maildir as the caller named it. folder: "" for the Maildir itself, else the way to the sub-folder
    (`.Archive`, `.A.B`). subdir: `new` or `cur`. name: the file's name; bytes that are no UTF-8 are surrogate escapes,
    so escape it before it reaches a terminal or a log.
    """

    root: str
    folder: str = ""
    subdir: str
    name: str

    @property
    def path(self) -> str:
        """The file, as `root` is absolute or relative."""
        return os.path.join(self.root, self.folder, self.subdir, self.name)

    @property
    def unique(self) -> str:
        """The name without its flags; stays the same when a program moves the file to `cur` or flags it."""
        return self.name.partition(":")[0]

    @property
    def flags(self) -> str:
        """The flags behind `:2,`, as they stand; "" when there are none.

        >>> Waiting(root="box", subdir="cur", name="1700000000.M1P2.mx:2,FS").flags
        'FS'
        """
        info = self.name.partition(":")[2]
        return info[2:] if info.startswith("2,") else ""

    @property
    def finished_name(self) -> str:
        """The name that `cur` gives it once it is finished: with the Seen flag, other flags kept, in ASCII order.

        QUIRK: information of another kind than `:2,` is nobody's business and stays as it is.
        """
        unique, colon, info = self.name.partition(":")
        if colon and info and not info.startswith("2,"):
            return self.name
        return f"{unique}:2,{''.join(sorted(set(self.flags) | {'S'}))}"

    def to_dict(self) -> dict[str, str]:
        """The record as JSON values."""
        return {"root": self.root, "folder": self.folder, "subdir": self.subdir, "name": self.name}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Waiting:
        """Read what `to_dict` wrote."""
        return cls(root=data["root"], folder=data["folder"], subdir=data["subdir"], name=data["name"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What reading one message gave: its bytes, or why there are none.

    error: None when `data` is there, else `vanished` (another program took the file), `too_large` (more than
    `max_bytes`; nothing of it was read), `not_a_file` (a directory, link, pipe … took its place) or `unreadable`.
    detail: the system's words for the last one.
    """

    message: Waiting
    data: bytes | None = None
    error: str | None = None
    detail: str = ""


class Outcome(StrEnum):
    """What became of one message."""

    FINISHED = "finished"  # it is in `cur` with the Seen flag
    KEPT = "kept"  # it stays where it was
    VANISHED = "vanished"  # another program moved or took it
    FAILED = "failed"  # the system refused the rename; it stays where it was


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """What finishing or keeping one message did.

    now: where the message is after it: None when it vanished. detail: the system's words when it failed.
    """

    message: Waiting
    outcome: Outcome
    now: Waiting | None = None
    detail: str = ""
