"""One scan at a time, and no lock that outlives its process."""

import gc
import multiprocessing
import os
import signal
import subprocess
import sys
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from mailgate.maildir import Maildir, MaildirBusy, MaildirError


@pytest.fixture
def box(tmp_path: Path) -> Path:
    return make(tmp_path / "box")


def make(path: Path) -> Path:
    for folder in ("tmp", "new", "cur"):
        (path / folder).mkdir(parents=True)
    return path


def test_a_second_scan_is_busy_and_the_first_goes_on(box: Path) -> None:
    (box / "new" / "1.x").write_bytes(b"x")
    with Maildir(box) as first:
        with pytest.raises(MaildirBusy, match="another scan") as caught, Maildir(box):
            pass
        assert isinstance(caught.value, MaildirError)
        assert caught.value.path == str(box)
        assert [r.outcome for r in first.finish_many(first.pending())] == ["finished"]
    with Maildir(box):
        pass


def test_one_maildir_by_another_name_is_busy_too(box: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(box)
    with Maildir(box), pytest.raises(MaildirBusy), Maildir(tmp_path / "link"):
        pass


def test_two_maildirs_do_not_hinder_each_other(box: Path, tmp_path: Path) -> None:
    with Maildir(box), Maildir(make(tmp_path / "other")):
        pass


def test_listing_and_reading_need_no_lock(box: Path) -> None:
    (box / "new" / "1.x").write_bytes(b"x")
    with Maildir(box):
        other = Maildir(box)
        assert [other.read(m).data for m in other.pending()] == [b"x"]


def test_a_maildir_can_be_entered_again_and_not_twice(box: Path) -> None:
    maildir = Maildir(box)
    with maildir:
        with pytest.raises(ValueError, match="under way"):
            maildir.__enter__()
        with pytest.raises(MaildirBusy), Maildir(box):
            pass
    with maildir:
        pass


def test_an_error_inside_releases_the_lock(box: Path) -> None:
    with pytest.raises(KeyError), Maildir(box):
        raise KeyError
    with Maildir(box):
        pass


def test_a_scan_that_is_forgotten_releases_the_lock(box: Path) -> None:
    Maildir(box).__enter__()
    gc.collect()
    with Maildir(box):
        pass


def test_nothing_is_left_in_the_maildir(box: Path) -> None:
    with Maildir(box):
        assert sorted(os.listdir(box)) == ["cur", "new", "tmp"]
    assert sorted(os.listdir(box)) == ["cur", "new", "tmp"]


def test_a_sub_folder_is_locked_when_its_turn_has_come(box: Path) -> None:
    (make(box / ".A") / "new" / "1.x").write_bytes(b"x")
    with Maildir(box, folders=True) as maildir:
        assert [m.folder for m in maildir.pending()] == [".A"]
        with pytest.raises(MaildirBusy), Maildir(box / ".A"):
            pass
    with Maildir(box / ".A"), Maildir(box, folders=True) as maildir, pytest.raises(MaildirBusy) as caught:
        list(maildir.pending())
    assert caught.value.path == str(box / ".A")


HOLDER = """
from mailgate.maildir import Maildir
with Maildir(sys.argv[1]):
    print("holding", flush=True)
    sys.stdin.readline()
"""


def spawn(code: str, *arguments: str) -> subprocess.Popen[str]:
    root = str(Path(__file__).parents[2])
    return subprocess.Popen(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {root!r})\n{code}", *arguments],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_the_kernel_releases_the_lock_of_a_killed_process(box: Path) -> None:
    with spawn(HOLDER, str(box)) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "holding\n"
        with pytest.raises(MaildirBusy), Maildir(box):
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        with Maildir(box):
            pass


# A worker of a process pool outlives its parent that was killed; it must not hold the parent's lock.
WITH_A_CHILD = """
import os, time
from mailgate.maildir import Maildir
with Maildir(sys.argv[1]):
    child = os.fork()
    if child == 0:
        os.write(1, b"child is there\\n")
        sys.stdin.readline()
        os._exit(0)
    os.waitpid(child, 0)
"""


def test_a_forked_child_does_not_keep_the_lock_of_its_killed_parent(box: Path) -> None:
    with spawn(WITH_A_CHILD, str(box)) as parent:
        assert parent.stdout is not None
        assert parent.stdin is not None
        assert parent.stdout.readline() == "child is there\n"
        with pytest.raises(MaildirBusy), Maildir(box):
            pass
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        with Maildir(box):
            pass
        parent.stdin.write("end\n")


def _try(path: str, answer: Connection) -> None:
    try:
        with Maildir(path):
            answer.send("entered")
    except MaildirBusy:
        answer.send("busy")


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_child_process_is_another_scan(box: Path, method: str) -> None:
    context = multiprocessing.get_context(method)
    for expected, held in (("busy", True), ("entered", False)):
        ours, theirs = context.Pipe()
        maildir = Maildir(box)
        if held:
            maildir.__enter__()
        child = context.Process(target=_try, args=(str(box), theirs))
        child.start()
        assert ours.recv() == expected
        child.join()
        ours.close()
        theirs.close()
        maildir.__exit__(None, None, None)
