"""A network namespace that holds only loopback: nothing that runs in it can reach another machine.

`ip netns exec` also lays /etc/netns/NAME over /etc, the only clean way to give Postfix a resolver of its own.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

_CLONE_NEWNET = 0x40000000
SECONDS_TO_STOP = 10.0


class Namespace:
    """Made with `ip netns add`, deleted with everything that still runs in it."""

    def __init__(self, name: str, etc: dict[str, str]) -> None:
        self.name = name
        self._started: list[subprocess.Popen[bytes]] = []
        self.etc = Path("/etc/netns") / name
        self.etc.mkdir(parents=True, exist_ok=True)
        for file, text in etc.items():
            (self.etc / file).write_text(text)
        _run(["ip", "netns", "add", name])
        self.run(["ip", "link", "set", "lo", "up"])

    def command(self, words: Sequence[str]) -> list[str]:
        """The words that run a program inside."""
        return ["ip", "netns", "exec", self.name, *words]

    def run(self, words: Sequence[str], **options: object) -> subprocess.CompletedProcess[str]:
        """Run a program inside and wait for it; its output is in the error when it fails."""
        return _run(self.command(words), **options)

    def start(self, words: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
        """Start a program inside; what it says goes to `log`."""
        with log.open("ab") as file:
            process = subprocess.Popen(self.command(words), stdout=file, stderr=file, stdin=subprocess.DEVNULL)
        self._started.append(process)
        return process

    @contextmanager
    def entered(self) -> Iterator[None]:
        """This thread, and the threads and programs that it starts, are inside."""
        home = os.open("/proc/self/ns/net", os.O_RDONLY)
        there = os.open(f"/var/run/netns/{self.name}", os.O_RDONLY)
        try:
            _setns(there)
            yield
        finally:
            _setns(home)
            os.close(there)
            os.close(home)

    def processes(self) -> list[int]:
        """The ids of what runs inside."""
        output = subprocess.run(["ip", "netns", "pids", self.name], capture_output=True, text=True, check=True).stdout
        return [int(word) for word in output.split() if int(word) != os.getpid()]

    def delete(self) -> list[int]:
        """End everything inside and remove the namespace; answers the ids that had to be killed."""
        deadline = time.monotonic() + SECONDS_TO_STOP
        for number in self.processes():
            _signal(number, 15)
        while self.processes() and time.monotonic() < deadline:
            for process in self._started:
                process.poll()
            time.sleep(0.05)
        killed = self.processes()
        for number in killed:
            _signal(number, 9)
        for process in self._started:
            process.wait()
        _run(["ip", "netns", "delete", self.name])
        for file in self.etc.iterdir():
            file.unlink()
        self.etc.rmdir()
        return killed


def _setns(descriptor: int) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if library.setns(descriptor, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def _signal(number: int, which: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(number, which)


def _run(words: Sequence[str], **options: object) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(words, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done  # type: ignore[no-any-return]
