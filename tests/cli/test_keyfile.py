from pathlib import Path

import pytest

from mailgate.cli import _exit
from mailgate.cli._keyfile import read_key_file

NEW = "4f1de2d7c1a6b09f31b2c3d4e5f60718"
OLD = "0918273645aabbccddeeff0011223344"


def key_file(folder: Path, text: str, mode: int = 0o600) -> str:
    path = folder / "keys"
    path.write_text(text)
    path.chmod(mode)
    return str(path)


def test_the_first_key_signs_and_all_are_accepted(tmp_path: Path) -> None:
    ring = read_key_file(key_file(tmp_path, f"# ours\n7 {NEW}\n\n 3\t{OLD}\n"))
    assert ring.signing_key_id == 7
    assert dict(ring.secrets) == {7: NEW.encode(), 3: OLD.encode()}


def test_a_group_may_read_it(tmp_path: Path) -> None:
    assert read_key_file(key_file(tmp_path, f"0 {NEW}\n", 0o640)).signing_key_id == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no secret"),
        ("# only words\n", "no secret"),
        (f"0 {NEW}\n0 {OLD}\n", ":2: the key id 0 stands twice"),
        (f"{NEW}\n", ":1: not of the form"),
        (f"256 {NEW}\n", "0 to 255"),
        ("0 short\n", "bytes"),
        ("0 changemechangemechangeme\n", "placeholder"),
        (f"0 {NEW} extra\n", ":1: not of the form"),
        ("0 schlüsselschlüsselschlüssel\n", "not ASCII"),
    ],
)
def test_what_cannot_be_used_is_said_with_file_and_line(tmp_path: Path, text: str, words: str) -> None:
    path = key_file(tmp_path, text)
    with pytest.raises(_exit.Exit) as caught:
        read_key_file(path)
    assert caught.value.code == 78
    assert words in caught.value.words
    assert caught.value.words.startswith(path)


def test_a_file_that_everybody_can_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(_exit.Exit, match="chmod o-r"):
        read_key_file(key_file(tmp_path, f"0 {NEW}\n", 0o644))


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(_exit.Exit, match="no such file"):
        read_key_file(str(tmp_path / "none"))
