"""Which files this process holds open (Linux)."""

from __future__ import annotations

import os
from pathlib import Path


def is_held(path: Path) -> bool:
    """Whether this process has the file open, or one whose name begins with its name (`-wal`)."""
    for number in os.listdir("/proc/self/fd"):
        try:
            if os.readlink(f"/proc/self/fd/{number}").startswith(str(path)):
                return True
        except FileNotFoundError:
            continue
    return False
