import json
import sys

import pytest

from mailgate.cli import _output


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("a\x1b[31mred", r"a\x1b[31mred"),
        ("csi \x9b2J", r"csi \x9b2J"),
        ("right\u202eleft", r"right\u202eleft"),
        ("two\nlines\r", r"two\nlines\r"),
        ("lone \udcff", r"lone \udcff"),
        ("jörg 日本", "jörg 日本"),
        ("line\u2028separator", r"line\u2028separator"),
    ],
)
def test_nothing_that_steers_a_terminal_is_printed(text: str, shown: str) -> None:
    assert _output.printable(text) == shown


def test_a_json_line_is_ascii_and_reads_back() -> None:
    record = {"a": "jörg\x9b\u202e", "b": None, "c": ["\udcff"]}
    line = _output.json_line(record)
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line) == record


def test_a_table_aligns_and_keeps_everything_when_nobody_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False, raising=False)
    long = "x" * 300
    lines = _output.table(["name", "n"], [["a", 1], [long, 1000]]).splitlines()
    assert lines[0].startswith("name")
    assert lines[2].endswith("   1")
    assert long in lines[3]


def test_a_table_fits_the_width_and_cuts_the_widest_column_first() -> None:
    rows = [["short", "y" * 200, "z" * 30]]
    lines = _output.table(["a", "b", "c"], rows, width=60).splitlines()
    assert max(map(len, lines)) <= 60
    assert "short" in lines[2]
    assert "…" in lines[2]


def test_wide_characters_count_two_columns() -> None:
    lines = _output.table(["a", "b"], [["日本語", "x"], ["abc", "y"]], width=40).splitlines()
    assert lines[2].index("x") == 5
    assert lines[3].index("y") == 8


def test_an_empty_table_has_its_headers() -> None:
    assert _output.table(["a", "b"], [], width=40).splitlines()[0] == "a  b"
