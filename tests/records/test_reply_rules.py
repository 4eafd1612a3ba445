"""The engine: phrases, conditions, order, and what a row refuses to be."""

import pytest

from mailgate.records import EnhancedStatus, Reason, ReplyRow
from mailgate.records._reply_rules import Reading, ReplyTable, row, table_of
from mailgate.records._reply_words import words_of


def reading(
    text: str = "",
    code: int | None = 550,
    status: str | None = None,
    stage: str = "rcpt",
    host: str = "",
) -> Reading:
    return Reading(words_of(text), code, None if status is None else EnhancedStatus.parse(status), stage, host)


def spam(**conditions: object) -> ReplyTable:
    return ReplyTable([ReplyRow(name="x", reason=Reason.SPAM, **conditions)])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("phrase", "text", "stands"),
    [
        ("mailbox full", "your Mailbox-Full now", True),
        ("mailbox full", "mailbox fully working", False),
        ("mailbox full", "mymailbox full", False),
        ("blacklist~", "you are blacklisted", True),
        ("blacklist~", "blacklist", True),
        ("blacklist~", "notblacklisted", False),
        ("is blacklist~ here", "it is blacklisted here", True),
        ("is blacklist~ here", "it is blacklisted there", False),
        ("mailbox ... full", "mailbox full", True),
        ("mailbox ... full", "mailbox of our dear old friend full", True),
        ("mailbox ... full", "mailbox one two three four five six full", True),
        ("mailbox ... full", "mailbox one two three four five six seven full", False),
        ("mailbox ... is ... full", "mailbox of user is very full", True),
        ("mailbox ... full", "full mailbox", False),
        ("doesn't exist", "User doesn't exist", True),
        ("n'existe pas", "cette adresse n'existe pas", True),
        ("ist überfüllt", "Das Postfach ist ÜBERFÜLLT", True),
        ("用户不存在", "550该用户不存在。", True),
        ("容量を超え", "メールボックスの容量を超えています", True),
        ("容量を超え", "容量", False),
    ],
)
def test_phrases(phrase: str, text: str, stands: bool) -> None:
    assert (spam(phrases=(phrase,)).match(reading(text)) is not None) is stands


@pytest.mark.parametrize(
    ("conditions", "met", "unmet"),
    [
        ({"codes": (550, 551)}, reading(code=551), reading(code=552)),
        ({"codes": (0,), "phrases": ("no",)}, reading("no", code=None), reading("no", code=550)),
        ({"statuses": ("5.1.1",)}, reading(status="5.1.1"), reading(status="5.1.2")),
        ({"statuses": ("5.1.1",)}, reading(status="5.1.1"), reading(status="4.1.1")),
        ({"statuses": ("x.1.1",)}, reading(status="4.1.1"), reading(status="4.2.1")),
        ({"statuses": ("x.7.*",)}, reading(status="5.7.999"), reading(status="5.6.0")),
        ({"statuses": ("5.7.606-649",)}, reading(status="5.7.606"), reading(status="5.7.605")),
        ({"statuses": ("5.7.606-649",)}, reading(status="5.7.649"), reading(status="5.7.650")),
        ({"phrases": ("no",), "classes": "4"}, reading("no", code=450), reading("no", code=550)),
        ({"phrases": ("no",), "classes": "4"}, reading("no", code=None, status="4.0.0"), reading("no", code=None)),
        ({"phrases": ("no",), "stages": ("mail",)}, reading("no", stage="mail"), reading("no")),
        ({"phrases": ("no",), "hosts": ("qq.com",)}, reading("no", host="mx.qq.com"), reading("no", host="notqq.com")),
        ({"phrases": ("no",), "hosts": ("qq.com",)}, reading("no", host="qq.com"), reading("no")),
        ({"phrases": ("no",), "unless": ("but no",)}, reading("no"), reading("but no")),
        ({"codes": (550,), "unless": ("but",)}, reading("x"), reading("but")),
        ({"phrases": ("no",), "codes": (550,), "statuses": ("5.1.1",)}, reading("no", status="5.1.1"), reading("no")),
    ],
)
def test_conditions(conditions: dict[str, object], met: Reading, unmet: Reading) -> None:
    table = spam(**conditions)
    assert table.match(met) is not None
    assert table.match(unmet) is None


def test_the_first_row_that_fits_wins_whatever_it_is_filed_under() -> None:
    by_word = ReplyRow(name="word", reason=Reason.SPAM, phrases=("late",))
    by_code = ReplyRow(name="code", reason=Reason.POLICY, codes=(550,))
    by_status = ReplyRow(name="status", reason=Reason.BLOCKED, statuses=("5.7.1",))
    by_letters = ReplyRow(name="letters", reason=Reason.VIRUS, phrases=("病毒",))
    rows = [by_word, by_code, by_status, by_letters]
    everything = reading("late 病毒", status="5.7.1")
    for number in range(len(rows)):
        turned = rows[number:] + rows[:number]
        found = ReplyTable(turned).match(everything)
        assert found is not None
        assert found.name == turned[0].name


def test_a_table_answers_none_when_nothing_fits() -> None:
    assert ReplyTable([]).match(reading("anything")) is None
    assert spam(phrases=("no",)).match(reading("")) is None


def test_tables_of_callers_are_built_once() -> None:
    rows = (ReplyRow(name="x", reason=Reason.SPAM, phrases=("no",)),)
    assert table_of(rows) is table_of((ReplyRow(name="x", reason=Reason.SPAM, phrases=("no",)),))


def test_the_written_form_of_a_row() -> None:
    written = row("x", Reason.SPAM, " one two;\n three ...  four ;; ", unless="five", sample="550 one two")
    assert written.phrases == ("one two", "three ... four")
    assert written.unless == ("five",)


@pytest.mark.parametrize(
    ("conditions", "fault"),
    [
        ({}, "asks for nothing"),
        ({"phrases": ("...",)}, "a phrase needs words"),
        ({"phrases": ("",)}, "a phrase needs words"),
        ({"phrases": ("!!!",)}, "a phrase needs words"),
        ({"phrases": ("x" * 201,)}, "at most 200 characters"),
        ({"phrases": ("... full",)}, "each between words"),
        ({"phrases": ("full ...",)}, "each between words"),
        ({"phrases": ("a ... b ... c ... d",)}, "at most 2 gaps"),
        ({"phrases": ("abc~",)}, "needs 4 letters"),
        ({"phrases": ("no",), "unless": ("...",)}, "a phrase needs words"),
        ({"codes": (199,)}, "not a reply code"),
        ({"codes": (600,)}, "not a reply code"),
        ({"phrases": ("no",), "classes": "6"}, "classes"),
        ({"statuses": ("5.1",)}, "not a status pattern"),
        ({"statuses": ("3.1.1",)}, "not a status pattern"),
        ({"statuses": ("5.1.1-",)}, "not a status pattern"),
        ({"phrases": ("no",), "stages": ("vrfy",)}, "not a stage"),
    ],
)
def test_what_a_row_refuses(conditions: dict[str, object], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        spam(**conditions)


def test_rows_are_records() -> None:
    import json
    import pickle

    one = ReplyRow(
        name="x", reason=Reason.SPAM, phrases=("no",), codes=(550,), statuses=("5.7.*",), stages=("data",),
        hosts=("a.example",), unless=("yes",), classes="5", sample="550 no",
    )  # fmt: skip
    assert pickle.loads(pickle.dumps(one)) == one
    assert ReplyRow.from_dict(json.loads(json.dumps(one.to_dict()))) == one
