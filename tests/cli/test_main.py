import os
import subprocess
import sys

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
