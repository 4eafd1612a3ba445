import os
from pathlib import Path

import pytest

from mailgate.cli import _inputs

MBOX = (
    b"From MAILER-DAEMON Sat Nov 21 00:01:19 2026\nSubject: one\n\nbody\nFrom the start of a line\n>From quoted\n\n"
    b"From a@b.example Sat Nov 21 00:01:20 2026 +0000\nSubject: two\n\nFrom hell\n\n"
)


def names_and_data(*paths: Path) -> list[tuple[str, bytes | None]]:
    return [(found.name, found.data) for found in _inputs.messages([str(path) for path in paths])]


def test_a_file_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(b"Subject: x\n\n")
    assert names_and_data(tmp_path / "a.eml") == [(str(tmp_path / "a.eml"), b"Subject: x\n\n")]


def test_an_mbox_is_split_only_at_real_separators(tmp_path: Path) -> None:
    (tmp_path / "box").write_bytes(MBOX)
    found = names_and_data(tmp_path / "box")
    assert [name.rsplit("#")[-1] for name, _ in found] == ["1", "2"]
    assert b"".join(data or b"" for _, data in found) == MBOX
    assert b"Subject: two" in (found[1][1] or b"")


def test_crlf_mboxes_are_split_too(tmp_path: Path) -> None:
    (tmp_path / "box").write_bytes(MBOX.replace(b"\n", b"\r\n"))
    assert len(names_and_data(tmp_path / "box")) == 2


def test_one_message_with_a_from_line_stays_whole(tmp_path: Path) -> None:
    first = MBOX[: MBOX.index(b"From a@b")]
    (tmp_path / "a").write_bytes(first)
    assert names_and_data(tmp_path / "a") == [(str(tmp_path / "a"), first)]


def test_a_maildir_gives_cur_and_new_and_its_folders_but_not_tmp(tmp_path: Path) -> None:
    for box in (tmp_path / "M", tmp_path / "M" / ".Bounces"):
        for folder in ("new", "cur", "tmp"):
            (box / folder).mkdir(parents=True)
            (box / folder / f"1.{folder}").write_bytes(b"Subject: x\n\n")
    (tmp_path / "M" / "dovecot.index").write_bytes(b"not a mail")
    found = [os.path.relpath(name, tmp_path) for name, _ in names_and_data(tmp_path / "M")]
    assert found == ["M/cur/1.cur", "M/new/1.new", "M/.Bounces/cur/1.cur", "M/.Bounces/new/1.new"]


def test_a_maildir_file_with_two_mails_is_never_split(tmp_path: Path) -> None:
    for folder in ("new", "cur"):
        (tmp_path / folder).mkdir()
    (tmp_path / "new" / "1").write_bytes(MBOX)
    assert names_and_data(tmp_path) == [(str(tmp_path / "new" / "1"), MBOX)]


def test_a_directory_is_read_by_name_and_to_its_bottom(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "2").write_bytes(b"2")
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "c").write_bytes(b"3")
    assert [data for _, data in names_and_data(tmp_path)] == [b"1", b"2", b"3"]


def test_what_is_not_there_is_an_error_and_the_rest_goes_on(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    found = list(_inputs.messages([str(tmp_path / "nowhere"), str(tmp_path / "a")]))
    assert found[0].data is None
    assert found[0].error == "no such file or directory"
    assert found[1].data == b"1"


def test_a_file_above_the_limit_is_read_to_one_byte_more(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 100)
    (found,) = _inputs.messages([str(tmp_path / "a")], max_bytes=10)
    assert found.data == b"x" * 11


def test_a_link_to_a_directory_is_not_followed_within_a_directory(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "loop").symlink_to(tmp_path / "d")
    (tmp_path / "d" / "a").write_bytes(b"1")
    assert [data for _, data in names_and_data(tmp_path / "d")] == [b"1"]


@pytest.mark.parametrize("content", [b"", b"From ", b"From a\n", b"\n\n"])
def test_odd_files_are_one_message(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)
    assert names_and_data(tmp_path / "a") == [(str(tmp_path / "a"), content)]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
def test_a_folder_of_a_maildir_that_may_not_be_read_is_said_and_the_other_is_read(tmp_path: Path) -> None:
    for folder in ("new", "cur"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "1").write_bytes(b"Subject: x\n\n")
    (tmp_path / "cur").chmod(0)
    found = list(_inputs.messages([str(tmp_path)]))
    (tmp_path / "cur").chmod(0o700)
    assert [(one.name, one.error) for one in found] == [
        (str(tmp_path / "cur"), "permission denied"),
        (str(tmp_path / "new" / "1"), None),
    ]


def test_a_folder_of_a_maildir_that_cannot_be_listed_is_said(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    found = list(_inputs._folder(str(tmp_path / "cur")))
    assert [(one.name, one.error) for one in found] == [(str(tmp_path / "cur"), "no such file or directory")]


def test_what_is_no_file_in_a_maildir_is_said_and_not_waited_for(tmp_path: Path) -> None:
    for folder in ("new", "cur"):
        (tmp_path / folder).mkdir()
    os.mkfifo(tmp_path / "new" / "1")
    (tmp_path / "new" / "2").mkdir()
    (tmp_path / "new" / "3").write_bytes(b"Subject: x\n\n")
    found = list(_inputs.messages([str(tmp_path)]))
    assert [(os.path.basename(one.name), one.error) for one in found] == [
        ("1", "is no file"),
        ("2", "is no file"),
        ("3", None),
    ]
