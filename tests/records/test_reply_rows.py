"""The table of replies as data: every row is reached, none is slow, what is about us is never the address's fault."""

import pytest

from mailgate.records import Fault, ParseError, SmtpReply, meaning_of
from mailgate.records._reply_meaning import all_rows
from mailgate.records._reply_rows_sender import SENDER_ROWS
from mailgate.records._reply_rules import Reading, ReplyRow, ReplyTable, compile_phrase
from mailgate.records._reply_words import MAX_TEXT_CHARACTERS, words_of

ROWS = all_rows()
# The verdict "this address takes no mail" rests on these; everything else leaves the question open.
ABOUT_THE_ADDRESS = {Fault.ADDRESS}


def judged(sample: str, row: ReplyRow) -> str:
    stage = row.stages[0] if row.stages else "rcpt"
    host = row.hosts[0] if row.hosts else None
    try:
        return SmtpReply.parse(sample).meaning(stage, remote_host=host).evidence
    except ParseError:
        return meaning_of(sample, stage=stage, remote_host=host).evidence


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_row_is_reached_by_its_sample(row: ReplyRow) -> None:
    assert judged(row.sample, row) == row.name


def test_every_row_has_a_name_of_its_own() -> None:
    names = [row.name for row in ROWS]
    assert sorted(names) == sorted(set(names))
    assert {name.partition(":")[0] for name in names} == {"provider", "text", "enhanced", "code"}


@pytest.mark.parametrize("row", [row for row in ROWS if row.phrases], ids=lambda row: row.name)
def test_every_phrase_can_be_found(row: ReplyRow) -> None:
    for phrase in row.phrases:
        spoken = phrase.replace("...", "some words").replace("~", "s")
        alone = ReplyTable([ReplyRow(name="x", reason=row.reason, phrases=(phrase,))])
        assert alone.match(reading(spoken)) is not None, phrase


def reading(text: str) -> Reading:
    return Reading(words_of(text), None, None, "rcpt", "")


@pytest.mark.parametrize(
    "row",
    [
        row
        for row in SENDER_ROWS
        if row.phrases and row.reason.fault is Fault.SENDER and row.classes == "45" and not row.statuses
    ],
    ids=lambda row: row.name,
)
def test_what_is_about_us_is_never_the_fault_of_the_address(row: ReplyRow) -> None:
    """Servers send it with any code at all: 550 5.1.1 is seen with "your IP address is blocked"."""
    for phrase in row.phrases:
        if "~" in phrase or "..." in phrase:
            continue
        for status in ("5.1.1", "5.2.1", "5.0.0"):
            meaning = SmtpReply.parse(f"550 {status} {phrase}").meaning()
            assert meaning.fault not in ABOUT_THE_ADDRESS, f"{status} {phrase}: {meaning}"


@pytest.mark.parametrize("row", [row for row in ROWS if row.phrases], ids=lambda row: row.name)
def test_no_row_is_slow_on_its_worst_text(row: ReplyRow) -> None:
    """The first words of each phrase over and over, the last never: whatever backtracks does it here.

    A quadratic pattern would need minutes for this; the test judges by getting done.
    """
    table = ReplyTable([row])
    worst = [" ".join(phrase.split()[:-1]) or phrase[:-1] for phrase in row.phrases]
    for start in worst:
        table.match(reading((start.replace("~", "") + " ") * 20_000))


def test_only_the_first_words_of_a_text_count_towards_its_cost() -> None:
    padded = "550 " + "word " * 100_000 + "user unknown"
    assert SmtpReply(code=550, lines=(padded,)).meaning().evidence == "code:550-rcpt"
    inside = "x" * (MAX_TEXT_CHARACTERS - 20) + " user unknown"
    assert SmtpReply(code=550, lines=(inside,)).meaning().evidence == "text:not-found"


def test_phrases_with_gaps_are_bounded() -> None:
    for row in ROWS:
        for phrase in (*row.phrases, *row.unless):
            test = compile_phrase(phrase)
            if isinstance(test, str):
                continue
            test.stands_in(" " + " ".join(p.replace("~", "") for p in phrase.split() if p != "...") + " ")
            pattern = test.pattern
            assert "*" not in pattern.replace("[^ ]* ", ""), phrase
            assert "+" not in pattern.replace("(?:[^ ]+ ){0,6}?", "").replace("\\+", ""), phrase
