"""The secrets that sign references, links and unsubscribe tokens, from a file that only its owner may read."""

from __future__ import annotations

import os
import re
import stat

from mailgate.cli import _exit
from mailgate.records import KeyRing

HELP = (
    "secrets that sign: one `ID SECRET` a line (ID 0 to 255), the first signs, the others are only accepted; "
    "make one with: (umask 077; echo 0 $(openssl rand -hex 32) > mailgate.keys)"
)
_LINE = re.compile(r"(\d{1,3})[ \t]+(\S+)")
_MAX_BYTES = 64 * 1024


def read_key_file(path: str) -> KeyRing:
    """The key ring in a file; ends the program with status 78 and plain words when it cannot be used."""
    try:
        with open(path, encoding="ascii") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read(_MAX_BYTES)
    except OSError as error:
        raise _exit.Exit(_exit.CONFIG, f"{path}: {(error.strerror or str(error)).lower()}") from error
    except UnicodeDecodeError as error:
        raise _exit.Exit(_exit.CONFIG, f"{path}: not ASCII; {HELP}") from error
    if mode & stat.S_IROTH:
        raise _exit.Exit(_exit.CONFIG, f"{path}: everybody on this machine can read it; run: chmod o-r {path}")
    return _ring(path, text)


def _ring(path: str, text: str) -> KeyRing:
    secrets: dict[int, bytes] = {}
    signing = None
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise _exit.Exit(_exit.CONFIG, f"{path}:{number}: not of the form `ID SECRET`; {HELP}")
        key_id = int(match[1])
        if key_id in secrets:
            raise _exit.Exit(_exit.CONFIG, f"{path}:{number}: the key id {key_id} stands twice")
        secrets[key_id] = match[2].encode("ascii")
        signing = key_id if signing is None else signing
    if signing is None:
        raise _exit.Exit(_exit.CONFIG, f"{path}: no secret in it; {HELP}")
    try:
        return KeyRing(secrets=secrets, signing_key_id=signing)
    except ValueError as error:
        raise _exit.Exit(_exit.CONFIG, f"{path}: {error}") from error
