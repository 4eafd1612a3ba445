"""Recorded events, whatever kind of file they are in."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

from mailgate.engagement._event import TrackingEvent
from mailgate.engagement._json_lines import read_json_lines
from mailgate.engagement._sqlite import read_sqlite

_SQLITE_MAGIC = b"SQLite format 3\0"


def read_events(
    path: str | os.PathLike[str], *, grouped: bool = False, on_bad_line: Callable[[int], object] | None = None
) -> Iterator[TrackingEvent]:
    """The events that `SQLiteSink` or `JsonLinesSink` recorded in a file.

    grouped: all events of one message to one recipient behind one another; JSON Lines are read whole for it (about
    half a kilobyte of memory an event), SQLite sorts on disk. on_bad_line: see `read_json_lines`.
    Raises OSError when there is no such file, SinkError when it is another database.
    """
    with open(path, "rb") as file:
        is_sqlite = file.read(len(_SQLITE_MAGIC)) == _SQLITE_MAGIC
    if is_sqlite:
        yield from read_sqlite(path, grouped=grouped)
        return
    events = read_json_lines(path, on_bad_line=on_bad_line)
    if not grouped:
        yield from events
        return
    yield from sorted(
        events,
        key=lambda event: (event.tenant, event.message_id, event.recipient_id, "" if event.recipient_id else event.tid),
    )
