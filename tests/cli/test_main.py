import os
import subprocess
import sys
from pathlib import Path

import pytest

from mailgate.cli import _exit, _main
from mailgate.records import MailgateError, ParseError


class Verb:
    """A verb whose `run` does what the test wants."""

    SUMMARY = "x"
    DESCRIPTION = "What it does."
    EXAMPLES = ("mailgate bounce a.eml",)

    def __init__(self, outcome: object) -> None:
        self.outcome = outcome

    def configure(self, parser: object) -> None:
        parser.add_argument("--number", type=int)  # type: ignore[attr-defined]

    def run(self, args: object) -> int:
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome  # type: ignore[return-value]


def status_of(outcome: object, monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(_main, "load", lambda verb: Verb(outcome))
    return _main.main(["bounce", *words])


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (0, 0),
        (1, 1),
        (_exit.Exit(_exit.UNAVAILABLE, "the server is away"), 69),
        (ParseError("too_large", "x"), 65),
        (MailgateError("the store is locked"), 75),
        (FileNotFoundError(2, "No such file or directory", "gone.eml"), 75),
        (ZeroDivisionError(), 70),
        (KeyboardInterrupt(), 130),
    ],
)
def test_every_end_has_its_exit_status(outcome: object, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert status_of(outcome, monkeypatch) == status


def test_a_bug_shows_where_it_is(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    status_of(ZeroDivisionError("oops"), monkeypatch)
    assert "ZeroDivisionError: oops" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--nonsense"], ["--number", "x"]])
def test_wrong_usage_ends_with_64_and_names_the_help(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status_of(0, monkeypatch, *words) == 64
    assert "mailgate bounce --help" in capsys.readouterr().err


def test_no_verb_shows_the_help_and_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert _main.main([]) == 64
    assert "suppress" in capsys.readouterr().err


def test_help_is_an_answer(capsys: pytest.CaptureFixture[str]) -> None:
    assert _main.main(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name, _ in _main.VERBS)


def test_an_unknown_verb_is_wrong_usage_and_the_verbs_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert _main.main(["bonce"]) == 64
    assert "bounce" in capsys.readouterr().err


PRINTS_FOR_EVER = """
import sys, types
from mailgate.cli import _main
def run(args):
    while True:
        print("x" * 1000)
verb = types.SimpleNamespace(SUMMARY="", DESCRIPTION="", EXAMPLES=(), configure=lambda parser: None, run=run)
_main.load = lambda name: verb
sys.exit(_main.main(["bounce"]))
"""


def test_a_reader_that_has_enough_is_no_error() -> None:
    writer = subprocess.Popen(
        [sys.executable, "-c", PRINTS_FOR_EVER], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ
    )
    assert writer.stdout is not None
    assert writer.stderr is not None
    writer.stdout.read(1)
    writer.stdout.close()
    assert writer.stderr.read() == b""
    writer.stderr.close()
    assert writer.wait() == 0


@pytest.mark.parametrize("verb", [name for name, _ in _main.VERBS])
def test_every_verb_teaches_itself(verb: str) -> None:
    module = _main.load(verb)
    parser = _main.build_parser(verb, module)
    text = parser.format_help()
    assert module.EXAMPLES
    for example in module.EXAMPLES:
        assert example.splitlines()[0] in text
    assert module.SUMMARY


@pytest.mark.parametrize(
    ("word", "meant"),
    [("bounse", "mailgate bounce"), ("filter", "mailgate suppress filter"), ("imports", "mailgate suppress import")],
)
def test_a_verb_that_is_nearly_one_is_guessed(word: str, meant: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _main.main([word]) == 64
    assert f"did you mean: {meant};" in capsys.readouterr().err


@pytest.mark.parametrize("words", [("suppress", "export", "--db", "x"), ("unsubscribe", "check", "x")])
def test_an_option_that_a_command_has_not_is_said_by_the_command(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    command = f"mailgate {words[0]} {words[1]}"
    assert _main.main([*words, "--nonsense"]) == 64
    said = capsys.readouterr().err
    assert said.endswith(f"{command}: unrecognized arguments: --nonsense\nTry: {command} --help\n")


@pytest.mark.parametrize(
    "words",
    [
        ("scan", "\x1b[31mx", "--db", "x"),
        ("bounce", "x", "--\x1b[31mx"),
        ("suppress", "list", "--db", "\x1b[31mx"),
        ("suppress", "filter", "--db", "x", "--kept", "y", "\x1b[31m/y"),
        ("dmarc", "--db", "\x1b[31mx"),
        ("validate", "\x1b[31mx"),
        ("track", "stats", "\x1b[31mx"),
    ],
)
def test_a_name_that_a_terminal_would_obey_is_escaped(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert _main.main(list(words)) in (64, 65, 69)
    assert "\x1b" not in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["scan", "bounce", "fbl", "dmarc"])
@pytest.mark.parametrize("number", ["-1", "x", "1.5", "10000000000"])
def test_a_number_of_processes_that_is_none(verb: str, number: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _main.main([verb, "--db", "x", "--jobs", number, "x"]) == 64
    assert f"mailgate {verb}: " in capsys.readouterr().err


BOUNCE = "fixtures/quickstart/Maildir/new/1795219201.M00001P1.mx.sender.test-postfix-unknown"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
@pytest.mark.parametrize("words", [["bounce", BOUNCE], ["bounce", "fixtures/bounce"], ["bounce", "--help"], ["--help"]])
def test_a_full_disk_is_no_bug_of_ours(words: list[str]) -> None:
    with open("/dev/full", "w") as full:
        run = subprocess.run(
            [sys.executable, "-m", "mailgate", *words], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert run.returncode in ([0, 75] if "--help" in words else [75])
    assert run.stderr in ("", "mailgate: no space left on device\n", "mailgate: stdout: no space left on device\n")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_streams_that_are_closed_are_empty_ones(closed: str) -> None:
    run = subprocess.run(
        ["sh", "-c", f'"$0" -W error -m mailgate bounce - "$1" {closed}', sys.executable, BOUNCE],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (run.returncode, run.stderr) == (0, "")
    assert (run.stdout == "") == (">&-" in closed.replace("2>&-", ""))


@pytest.mark.parametrize(
    "words",
    [["--help"], ["validate", "--help"], ["bounce", "fixtures/bounce/made"], ["dmarc", "fixtures/dmarc/reports"]],
)
def test_no_locale_is_too_small(words: list[str]) -> None:
    small = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    run = subprocess.run(
        [sys.executable, "-m", "mailgate", *words], env={**os.environ, **small}, capture_output=True, check=False
    )
    assert run.returncode == 0
    assert run.stdout.isascii()
    assert b"Traceback" not in run.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["scan", ".", "--db"],
        ["dmarc", "--db"],
        ["suppress", "list", "--db"],
        ["suppress", "import", "LIST", "--db"],
        ["suppress", "policy", "--db"],
    ],
)
def test_a_driver_that_is_not_installed_is_a_wrong_configuration(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    list_ = Path("fixtures/quickstart/recipients.csv").absolute()
    for folder in ("new", "cur"):
        (tmp_path / folder).mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    words = [str(list_) if word == "LIST" else word for word in words]
    assert _main.main([*words, "postgresql://localhost/mail"]) == 78
    assert "pip install 'psycopg[binary]'" in capsys.readouterr().err


@pytest.mark.parametrize("db", ["", "mysql://user:secret@localhost/mail"])
@pytest.mark.parametrize(
    "words",
    [["suppress", "list"], ["suppress", "add", "a@example.com"], ["dmarc", "LIST"], ["scan", "."]],
    ids=["list", "add", "dmarc", "scan"],
)
def test_a_database_that_can_be_none_is_wrong_usage(
    words: list[str], db: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # An empty one is a shell variable that is not set: what was to be kept would be lost without a word.
    for folder in ("new", "cur"):
        (tmp_path / folder).mkdir()
    (tmp_path / "LIST").write_text("a@example.com\n")
    monkeypatch.chdir(tmp_path)
    assert _main.main([*words, "--db", db]) == 64
    said = capsys.readouterr().err
    assert "--db" in said
    assert "secret" not in said


def python(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *words], capture_output=True, text=True, env=os.environ, check=False)


@pytest.mark.parametrize(
    ("room", "verb"),
    [
        ("maildir", "scan"),
        ("bounce", "bounce"),
        ("fbl", "fbl"),
        ("dmarc", "dmarc"),
        ("suppression", "suppress"),
        ("validator", "validate"),
        ("engagement", "track"),
        ("unsubscribe", "unsubscribe"),
    ],
)
def test_a_room_is_the_same_program_cut_to_its_verb(room: str, verb: str) -> None:
    run = python("-m", f"mailgate.{room}", "--help")
    assert run.returncode == 0
    assert run.stdout.startswith(f"usage: mailgate {verb}")


def test_reading_a_bounce_needs_no_dns_library_and_no_other_room() -> None:
    program = (
        "import sys; from mailgate.cli import main; status = main(['bounce', '--json', sys.argv[1]]);"
        "print(sorted(name for name in sys.modules if name.startswith(('dns', 'mailgate.')) and name.count('.') < 2),"
        " status, file=sys.stderr)"
    )
    mail = "fixtures/quickstart/Maildir/new/1795219201.M00001P1.mx.sender.test-postfix-unknown"
    run = python("-c", program, mail)
    assert run.stderr.strip() == "['mailgate.bounce', 'mailgate.cli', 'mailgate.records'] 0"
