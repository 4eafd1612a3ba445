"""Finding, reading and finishing messages, beside other programs that do as they like."""

import os
import pickle
import random
import signal
import subprocess
import sys
import tempfile
import tracemalloc
from pathlib import Path

import pytest

from mailgate.maildir import Maildir, MaildirError, Outcome, Waiting, read
from mailgate.records import MailgateError


@pytest.fixture
def box(tmp_path: Path) -> Path:
    return make(tmp_path / "box")


def make(path: Path) -> Path:
    for folder in ("tmp", "new", "cur"):
        (path / folder).mkdir(parents=True)
    return path


def put(folder: Path, name: str, data: bytes = b"x") -> Path:
    (folder / name).write_bytes(data)
    return folder / name


def names(box: Path, **options: bool) -> list[str]:
    return [os.path.join(m.folder, m.subdir, m.name) for m in Maildir(box, **options).pending()]


# --- what waits ------------------------------------------------------------------------------------------------------


def test_messages_wait_in_delivery_order(box: Path) -> None:
    for name in ("1000.M9P1.mx", "b", "1000.M10P1.mx", "999.x", "a", "1000.M9P1.mx:2,S"):
        put(box / "new", name)
    assert names(box) == [
        "new/999.x", "new/1000.M9P1.mx", "new/1000.M9P1.mx:2,S", "new/1000.M10P1.mx", "new/a", "new/b",
    ]  # fmt: skip


def test_cur_is_read_when_asked(box: Path) -> None:
    put(box / "new", "2.x")
    put(box / "cur", "1.x:2,FS")
    put(box / "tmp", "3.x")
    assert names(box) == ["new/2.x"]
    assert names(box, cur=True) == ["new/2.x", "cur/1.x:2,FS"]


def test_sub_folders_are_read_when_asked_at_any_depth(box: Path) -> None:
    put(box / "new", "1.x")
    put(make(box / ".B") / "new", "2.x")
    put(make(box / ".A") / "new", "3.x")
    put(make(box / ".A.Sub") / "new", "4.x")
    put(make(box / ".A" / ".Deep") / "cur", "5.x:2,")
    assert names(box) == ["new/1.x"]
    assert names(box, folders=True) == ["new/1.x", ".A/new/3.x", ".A.Sub/new/4.x", ".B/new/2.x"]
    assert ".A/.Deep/cur/5.x:2," in names(box, folders=True, cur=True)


def test_what_is_no_maildir_folder_is_passed_over(box: Path, tmp_path: Path) -> None:
    (box / ".git").mkdir()
    put(box, ".hidden-file")
    put(make(box / "visible") / "new", "1.x")  # no leading dot: not a sub-folder of a Maildir
    put(make(tmp_path / "other") / "new", "2.x")
    (box / ".link").symlink_to(tmp_path / "other")
    assert names(box, folders=True, cur=True) == []


def test_only_regular_files_wait(box: Path, tmp_path: Path) -> None:
    secret = put(tmp_path, "secret", b"not yours")
    put(box / "new", "1.x")
    put(box / "new", ".nfs0001")
    (box / "new" / "2.dir").mkdir()
    (box / "new" / "3.link").symlink_to(secret)
    (box / "new" / "4.dangling").symlink_to(tmp_path / "nowhere")
    os.mkfifo(box / "new" / "5.pipe")
    assert names(box) == ["new/1.x"]


def test_names_of_any_bytes(box: Path) -> None:
    raw = os.fsencode(box / "new") + b"/1700000000.\xff\xfe \n.mx"
    with open(raw, "wb") as file:
        file.write(b"hello")
    with Maildir(box) as maildir:
        (message,) = maildir.pending()
        assert maildir.read(message).data == b"hello"
        assert maildir.finish(message).outcome is Outcome.FINISHED
    assert os.listdir(os.fsencode(box / "cur")) == [b"1700000000.\xff\xfe \n.mx:2,S"]


@pytest.mark.parametrize("missing", ["new", "cur"])
def test_a_folder_that_is_no_maildir(box: Path, missing: str) -> None:
    (box / missing).rmdir()
    with pytest.raises(MaildirError, match=f"no folder '{missing}'") as caught:
        list(Maildir(box).pending())
    assert caught.value.path == str(box)
    assert isinstance(caught.value, MailgateError)
    with pytest.raises(MaildirError), Maildir(box):
        pass


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MaildirError, match="is no Maildir"):
        list(Maildir(tmp_path / "nowhere").pending())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may do everything")
@pytest.mark.parametrize("mode", [0o000, 0o400, 0o500])
def test_a_maildir_that_may_not_be_changed_is_refused_before_anything_is_read(box: Path, mode: int) -> None:
    (box / "new").chmod(mode)
    try:
        with pytest.raises(MaildirError, match="may not read and rename in 'new'"), Maildir(box):
            pass
    finally:
        (box / "new").chmod(0o700)


AS_NOBODY = """
import os
from mailgate.maildir import Maildir, MaildirError
os.setgroups([]); os.setgid(65534); os.setuid(65534)
box = Maildir(sys.argv[1])
print([(m.name, box.read(m).error) for m in box.pending()])
try:
    with box:
        print("entered")
except MaildirError as error:
    print(error.message)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_somebody_elses_maildir_can_be_listed_and_not_scanned() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        box = make(Path(folder) / "box")
        put(box / "new", "1.x").chmod(0o644)
        put(box / "new", "2.x").chmod(0o600)
        with spawn(AS_NOBODY, str(box)) as other:
            output, _ = other.communicate()
    assert output.splitlines() == [
        "[('1.x', None), ('2.x', 'unreadable')]",
        "this user may not read and rename in 'new'",
    ]


# --- reading ---------------------------------------------------------------------------------------------------------


def test_reading_gives_the_bytes_as_they_are(box: Path) -> None:
    data = b"From: a\r\n\r\n\0\xff\n"
    put(box / "new", "1.x", data)
    maildir = Maildir(box)
    (message,) = maildir.pending()
    reading = maildir.read(message)
    assert (reading.data, reading.error, reading.message) == (data, None, message)
    assert pickle.loads(pickle.dumps(reading)) == reading


def test_an_empty_file_has_empty_data(box: Path) -> None:
    put(box / "new", "1.x", b"")
    maildir = Maildir(box)
    assert [maildir.read(m).data for m in maildir.pending()] == [b""]


@pytest.mark.parametrize(("size", "error"), [(99, None), (100, None), (101, "too_large")])
def test_the_size_limit(box: Path, size: int, error: str | None) -> None:
    put(box / "new", "1.x", b"x" * size)
    maildir = Maildir(box, max_bytes=100)
    (message,) = maildir.pending()
    assert maildir.read(message).error == error


def test_a_file_of_a_kind_that_tells_no_size_is_still_limited() -> None:
    # Files in /proc say that they are empty and are not: what a file does that grows while it is read.
    if not Path("/proc/self/status").exists():
        pytest.skip("needs a /proc file system")
    message = Waiting(root="/proc", folder="self", subdir="", name="status")
    whole = read(message).data
    assert whole is not None
    assert len(whole) > 100
    assert read(message, max_bytes=100).error == "too_large"


def test_a_message_that_vanished_is_a_value_and_the_others_go_on(box: Path) -> None:
    for number in range(3):
        put(box / "new", f"{number}.x")
    with Maildir(box) as maildir:
        messages = list(maildir.pending())
        (box / "new" / "1.x").rename(box / "cur" / "1.x:2,")  # an IMAP server was quicker
        assert [maildir.read(m).error for m in messages] == [None, "vanished", None]
        results = maildir.finish_many(messages)
    assert [r.outcome for r in results] == [Outcome.FINISHED, Outcome.VANISHED, Outcome.FINISHED]
    assert [r.now is None for r in results] == [False, True, False]
    assert sorted(os.listdir(box / "cur")) == ["0.x:2,S", "1.x:2,", "2.x:2,S"]


def test_what_takes_the_place_of_a_file_is_not_read(box: Path, tmp_path: Path) -> None:
    secret = put(tmp_path, "secret", b"not yours")
    for number in range(3):
        put(box / "new", f"{number}.x")
    maildir = Maildir(box)
    messages = list(maildir.pending())
    for number in range(3):
        (box / "new" / f"{number}.x").unlink()
    (box / "new" / "0.x").symlink_to(secret)
    os.mkfifo(box / "new" / "1.x")
    (box / "new" / "2.x").mkdir()
    assert [maildir.read(m).error for m in messages] == ["not_a_file"] * 3


# --- finishing -------------------------------------------------------------------------------------------------------


def test_finish_moves_from_new_to_cur_with_the_seen_flag(box: Path) -> None:
    data = os.urandom(100)
    inode = put(box / "new", "1.x", data).stat().st_ino
    with Maildir(box) as maildir:
        (message,) = maildir.pending()
        finish = maildir.finish(message)
    assert finish.outcome is Outcome.FINISHED
    assert finish.now == Waiting(root=str(box), subdir="cur", name="1.x:2,S")
    assert os.listdir(box / "new") == []
    assert (box / "cur" / "1.x:2,S").read_bytes() == data
    assert (box / "cur" / "1.x:2,S").stat().st_ino == inode
    assert pickle.loads(pickle.dumps(finish)) == finish


def test_in_cur_the_flag_is_added_and_others_are_kept(box: Path) -> None:
    for name in ("1.x:2,FR", "2.x:2,S", "3.x"):
        put(box / "cur", name)
    with Maildir(box, cur=True) as maildir:
        outcomes = [r.outcome for r in maildir.finish_many(maildir.pending())]
    assert outcomes == [Outcome.FINISHED] * 3
    assert sorted(os.listdir(box / "cur")) == ["1.x:2,FRS", "2.x:2,S", "3.x:2,S"]


def test_finish_in_a_sub_folder_stays_there(box: Path) -> None:
    put(make(box / ".A.B") / "new", "1.x")
    with Maildir(box, folders=True) as maildir:
        maildir.finish_many(list(maildir.pending()))
    assert os.listdir(box / ".A.B" / "cur") == ["1.x:2,S"]


def test_keep_leaves_a_message_where_it_is(box: Path) -> None:
    put(box / "new", "1.x")
    with Maildir(box) as maildir:
        (message,) = maildir.pending()
        kept = maildir.keep(message)
    assert (kept.outcome, kept.now) == (Outcome.KEPT, message)
    assert names(box) == ["new/1.x"]


def test_finish_again_is_vanished_and_changes_nothing(box: Path) -> None:
    put(box / "new", "1.x")
    with Maildir(box) as maildir:
        (message,) = maildir.pending()
        first, second = maildir.finish_many([message, message])
        assert (first.outcome, second.outcome) == (Outcome.FINISHED, Outcome.VANISHED)
        assert first.now is not None
        assert maildir.finish(first.now).outcome is Outcome.FINISHED
        (box / "cur" / "1.x:2,S").unlink()
        assert maildir.finish(first.now).outcome is Outcome.VANISHED


@pytest.mark.parametrize("taken", [["1.x:2,S"], ["1.x:2,S", "1.x_1:2,S"]])
def test_a_name_that_is_taken_in_cur_is_never_replaced(box: Path, taken: list[str]) -> None:
    put(box / "new", "1.x", b"new one")
    for name in taken:
        put(box / "cur", name, b"old one")
    with Maildir(box) as maildir:
        finish = maildir.finish(next(iter(maildir.pending())))
    assert finish.outcome is Outcome.FINISHED
    assert finish.now is not None
    assert Path(finish.now.path).read_bytes() == b"new one"
    assert all((box / "cur" / name).read_bytes() == b"old one" for name in taken)
    assert os.listdir(box / "new") == []


def test_a_hard_link_of_a_message_in_cur_is_moved_all_the_same(box: Path) -> None:
    # rename(2) does nothing, and says success, when both names are links to one file.
    os.link(put(box / "new", "1.x"), box / "cur" / "1.x:2,S")
    with Maildir(box) as maildir:
        assert maildir.finish(next(iter(maildir.pending()))).outcome is Outcome.FINISHED
    assert os.listdir(box / "new") == []


def test_a_refused_rename_is_a_value(box: Path) -> None:
    put(box / "new", "1.x")
    put(box / "new", "n" * 254)  # a legal name; with `:2,S` it is too long for the file system
    with Maildir(box) as maildir:
        results = maildir.finish_many(list(maildir.pending()))
    assert [r.outcome for r in results] == [Outcome.FINISHED, Outcome.FAILED]
    assert results[1].detail
    assert results[1].now == results[1].message
    assert os.listdir(box / "new") == ["n" * 254]


def test_finish_needs_the_scan_of_its_own_maildir(box: Path, tmp_path: Path) -> None:
    put(box / "new", "1.x")
    maildir = Maildir(box)
    (message,) = maildir.pending()
    with pytest.raises(ValueError, match="within a scan"):
        maildir.finish(message)
    with Maildir(make(tmp_path / "other")) as other, pytest.raises(ValueError, match="within a scan"):
        other.finish(message)
    assert names(box) == ["new/1.x"]


# --- many ------------------------------------------------------------------------------------------------------------


def test_a_hundred_thousand_messages(box: Path) -> None:
    count = 100_000
    directory = os.open(box / "new", os.O_RDONLY)
    seconds = list(range(1_600_000_000, 1_600_000_000 + count))
    random.Random(1).shuffle(seconds)
    for second in seconds:
        os.close(os.open(f"{second}.M1P1.mx.example.com", os.O_CREAT | os.O_WRONLY, 0o600, dir_fd=directory))
    os.close(directory)
    tracemalloc.start()
    found = 0
    last = ""
    for message in Maildir(box).pending():
        assert message.name > last
        last = message.name
        found += 1
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == count
    assert peak < count * 500  # the names and their sort keys; no object, let alone content, is kept for each


# --- beside other programs -------------------------------------------------------------------------------------------

TAKER = """
import os, random
box, seed = sys.argv[1], int(sys.argv[2])
chance = random.Random(seed)
print("ready", flush=True)
sys.stdin.readline()
taken = 0
names = os.listdir(os.path.join(box, "new"))
chance.shuffle(names)
for name in names[: len(names) // 2]:
    try:
        if chance.random() < 0.5:
            os.rename(os.path.join(box, "new", name), os.path.join(box, "cur", name + ":2,"))
        else:
            os.rename(os.path.join(box, "new", name), os.path.join(box, "tmp", name))
        taken += 1
    except FileNotFoundError:
        pass
print(taken, flush=True)
"""


def spawn(code: str, *arguments: str) -> subprocess.Popen[str]:
    root = str(Path(__file__).parents[2])
    return subprocess.Popen(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {root!r})\n{code}", *arguments],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_another_program_takes_messages_all_the_time(box: Path) -> None:
    count = 2_000
    for number in range(count):
        put(box / "new", f"{number}.x", b"%d" % number)
    with spawn(TAKER, str(box), "7") as taker:
        assert taker.stdin is not None
        assert taker.stdout is not None
        assert taker.stdout.readline() == "ready\n"
        outcomes = {Outcome.FINISHED: 0, Outcome.VANISHED: 0}
        with Maildir(box) as maildir:
            pending = maildir.pending()
            waiting = [next(pending)]
            taker.stdin.write("go\n")
            taker.stdin.flush()
            for message in (*waiting, *pending):
                reading = maildir.read(message)
                assert reading.error in (None, "vanished")
                assert reading.data in (None, message.name.removesuffix(".x").encode())
                outcomes[maildir.finish(message).outcome] += 1
        taken = int(taker.stdout.readline())
    assert outcomes == {Outcome.FINISHED: count - taken, Outcome.VANISHED: taken}
    # Every message is somewhere exactly once.
    everywhere = [n.partition(":")[0] for sub in ("new", "cur", "tmp") for n in os.listdir(box / sub)]
    assert sorted(everywhere) == sorted(f"{number}.x" for number in range(count))


FINISHER = """
from mailgate.maildir import Maildir
with Maildir(sys.argv[1]) as maildir:
    batch = []
    for message in maildir.pending():
        batch.append(message)
        if len(batch) == 7:
            print(sum(r.outcome == "finished" for r in maildir.finish_many(batch)), flush=True)
            batch.clear()
    maildir.finish_many(batch)
print("done", flush=True)
"""


def test_killed_at_any_instant_every_message_is_there_once(box: Path) -> None:
    count = 400
    for number in range(count):
        put(box / "new", f"{number}.x", b"%d" % number)
    chance = random.Random(11)
    runs, done = 0, False
    while not done:
        runs += 1
        assert runs < 200
        with spawn(FINISHER, str(box)) as finisher:
            assert finisher.stdout is not None
            for _ in range(chance.randrange(1, 6)):  # so many batches, and then some instant of the next
                done = done or finisher.stdout.readline() == "done\n"
            finisher.send_signal(signal.SIGKILL)
            rest = finisher.stdout.read()
            done = done or rest.endswith("done\n")
        everywhere = [n for sub in ("new", "cur") for n in os.listdir(box / sub)]
        assert sorted(n.partition(":")[0] for n in everywhere) == sorted(f"{number}.x" for number in range(count))
        assert all(n.endswith(":2,S") for n in os.listdir(box / "cur"))
    assert runs > 5
    assert os.listdir(box / "new") == []
    assert {p.read_bytes() for p in (box / "cur").iterdir()} == {b"%d" % number for number in range(count)}
