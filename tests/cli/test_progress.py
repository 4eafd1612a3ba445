import io
import sys

import pytest

from mailgate.cli._progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_silent_when_nobody_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    file = io.StringIO()
    monkeypatch.setattr(sys, "stderr", file)
    with Progress(10, "reading") as bar:
        bar.advance(10)
    assert file.getvalue() == ""


def test_a_terminal_sees_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    file = Terminal()
    monkeypatch.setattr(sys, "stderr", file)
    with Progress(10, "reading") as bar:
        bar.advance(5)
        assert "5/10" in bar.line()
        assert "#" * 15 + "." * 15 in bar.line()
        bar.advance(5)
    assert "reading" in file.getvalue()
    assert file.getvalue().endswith("\n")


def test_without_a_total_it_counts() -> None:
    bar = Progress(None, "reading")
    bar.advance(1234)
    assert "1,234 done" in bar.line()
