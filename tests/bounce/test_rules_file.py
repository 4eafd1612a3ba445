"""A user's own rows: what a file may say, that it is tried first, and that every mistake names its line."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailgate.bounce import BounceSettings, Likeness, parse, read_rules
from mailgate.records import ParseError, Reason, SmtpReply

WHOLE = """\
# our own filter
[[reply]]
name = "acme-filter"
reason = "spam"
phrases = ["refused by ACME", "acme ... filter"]
unless = ["virus"]
codes = [550, 554]
classes = "5"
statuses = ["5.7.*"]
stages = ["data"]
hosts = ["acme.example"]
sample = "550 5.7.1 refused by acme"

[[reply]]
name = "acme-moved"
reason = "mailbox_moved"
codes = [599]

[[dialect]]
name = "acme-notice"
anchors = ["The Acme mail robot"]
any_of = ["could not deliver", "cannot deliver"]
recipient = ["Who: {address} ... what:"]
after = ["deliver"]
until = ["regards"]
action = "failed"
hint = "mailbox_full"
explains = "after"
likeness = "none"

[dialect.headers]
X-Acme = "robot"
"""

NOTICE = b"""\
From: robot@acme.example
To: bounces@news.example
Subject: x
X-Acme: Robot 1.0

The Acme mail robot could not deliver.
Who: user@example.com with regret, what: xyzzy
Regards
"""


def test_a_whole_file() -> None:
    rules = read_rules(WHOLE)
    first, second = rules.replies
    assert first.name == "rule:acme-filter"
    assert first.reason is Reason.SPAM
    assert (first.codes, first.classes, first.hosts) == ((550, 554), "5", ("acme.example",))
    reply = SmtpReply.parse("550 5.7.1 Refused by ACME!")
    assert reply.meaning("data", rules=rules.replies, remote_host="mx.acme.example").reason is Reason.SPAM
    assert reply.meaning("rcpt", rules=rules.replies, remote_host="mx.acme.example").reason is not Reason.SPAM
    assert SmtpReply.parse("599 x").meaning(rules=rules.replies).evidence == second.name == "rule:acme-moved"
    (dialect,) = rules.dialects
    assert (dialect.name, dialect.hint, dialect.likeness) == ("acme-notice", Reason.MAILBOX_FULL, Likeness.NONE)


def test_its_rows_read_what_nobody_else_reads() -> None:
    assert parse(NOTICE) is None
    report = parse(NOTICE, settings=read_rules(WHOLE).merged_into(BounceSettings()))
    assert report is not None
    (one,) = report.recipients
    assert (one.recipient, one.reason, one.action) == ("user@example.com", Reason.MAILBOX_FULL, "failed")


def test_its_rows_stand_before_others() -> None:
    first = read_rules('[[reply]]\nname = "a"\nreason = "spam"\nphrases = ["xyzzy"]')
    second = read_rules('[[reply]]\nname = "b"\nreason = "virus"\nphrases = ["xyzzy"]')
    both = second.merged_into(first.merged_into(BounceSettings()))
    assert [row.name for row in both.rules] == ["rule:b", "rule:a"]


@pytest.mark.parametrize("text", ["", "# nothing\n", b"", b"\xef\xbb\xbf# with a byte order mark\n"])
def test_an_empty_file_has_no_rows(text: str | bytes) -> None:
    rules = read_rules(text)
    assert (rules.replies, rules.dialects) == ((), ())


REPLY = '[[reply]]\nname = "a"\nreason = "spam"\nphrases = ["x y"]\n'
DIALECT = '[[dialect]]\nname = "d"\nanchors = ["x"]\n'


@pytest.mark.parametrize(
    ("text", "line", "field", "fault"),
    [
        ("x = 1", 1, None, "only"),
        ("\n\n[server]\nx = 1", 3, None, "only"),
        ('reply = "x"', None, "reply", "for each row"),
        ("[reply]\nname = 1", None, "reply", "for each row"),
        ("[[reply]]", 1, "reply[0].name", "name is missing"),
        ('[[reply]]\nname = "a b"', 2, "reply[0].name", "letters, digits"),
        ('[[reply]]\nname = ""', 2, "reply[0].name", "a text is needed"),
        ('[[reply]]\nname = "a"', 1, "reply[0].reason", "reason is missing"),
        ('[[reply]]\nname = "a"\nreason = "spim"', 3, "reply[0].reason", "is no reason"),
        ('[[reply]]\nname = "a"\nreason = 5', 3, "reply[0].reason", "a text is needed"),
        ('[[reply]]\nname = "a"\nreason = "spam"', 1, "reply[0].phrases", "give phrases"),
        (REPLY + 'unless = "x"', 5, "reply[0].unless", "a list of texts"),
        (REPLY + "codes = [1.5]", 5, "reply[0].codes", "a list of numbers"),
        (REPLY + "codes = [true]", 5, "reply[0].codes", "a list of numbers"),
        (REPLY + "codes = [99]", 5, "reply[0].codes", "not a reply code"),
        (REPLY + 'statuses = ["5.1"]', 5, "reply[0].statuses", "not a status pattern"),
        (REPLY + 'stages = ["vrfy"]', 5, "reply[0].stages", "not a stage"),
        (REPLY + 'classes = "7"', 5, "reply[0].classes", "classes"),
        (REPLY + 'unless = ["..."]', 5, "reply[0].unless", "needs words"),
        (REPLY + "pattern = 'x.*y'", 5, "reply[0].pattern", "no such field"),
        (REPLY + REPLY, 6, "reply[1].name", "twice"),
        (
            REPLY + "\n" + '[[reply]]\nname = "b"\nreason = "spam"\nphrases = ["... x"]',
            9,
            "reply[1].phrases",
            "between",
        ),
        ('[[dialect]]\nname = "d"', 1, "dialect[0].anchors", "known by"),
        (DIALECT + 'recipient = ["no address"]', 4, "dialect[0].recipient", "{address} once"),
        (DIALECT + 'recipient = ["{address} {address}"]', 4, "dialect[0].recipient", "{address} once"),
        (DIALECT + 'recipient = ["{address} ... ... ... x"]', 4, "dialect[0].recipient", "two gaps"),
        (DIALECT + 'action = "bounced"', 4, "dialect[0].action", "one of failed"),
        (DIALECT + 'hint = "spim"', 4, "dialect[0].hint", "is no reason"),
        (DIALECT + 'explains = "nowhere"', 4, "dialect[0].explains", "after, before"),
        (DIALECT + 'likeness = "very"', 4, "dialect[0].likeness", "none, notice or sure"),
        (DIALECT + 'headers = "x"', 4, "dialect[0].headers", "a table"),
        (DIALECT + "patterns = ['(a+)+']", 4, "dialect[0].patterns", "no such field"),
    ],
)
def test_mistakes_name_their_line_and_field(text: str, line: int | None, field: str | None, fault: str) -> None:
    with pytest.raises(ParseError) as caught:
        read_rules(text)
    assert caught.value.error == "bad_rules"
    assert caught.value.field == field
    assert fault in caught.value.message
    if line is not None:
        assert caught.value.message.startswith(f"line {line}:")


@pytest.mark.parametrize("text", ["a =", "[[reply]", "x = \x00", 'name = "a', "[" * 2_000])
def test_what_is_no_toml_says_where(text: str) -> None:
    with pytest.raises(ParseError, match=re.compile("line|end of document|deep", re.IGNORECASE)):
        read_rules(text)


def test_limits() -> None:
    with pytest.raises(ParseError, match="characters"):
        read_rules("#" * 1_000_001)
    read_rules("#" * 1_000_000)
    with pytest.raises(ParseError, match="more than"):
        read_rules("[[reply]]\n" * 2_001)
    with pytest.raises(ParseError, match="UTF-8"):
        read_rules(b"\xff\xfe")


def test_no_template_is_slow() -> None:
    rules = read_rules(DIALECT.replace('["x"]', '["a"]') + 'recipient = ["a ... b ... {address}", "a a a {address}"]\n')
    settings_ = rules.merged_into(BounceSettings())
    body = b"a " * 100_000 + b"a@b " * 50_000
    parse(b"Return-Path: <>\nFrom: mailer-daemon@x.example\nSubject: failure notice\n\n" + body, settings=settings_)


def test_the_manual_shows_a_file_that_is_read() -> None:
    from mailgate.bounce import _rules_file

    manual = _rules_file.__doc__ or ""
    example = "\n".join(line[4:] for line in manual.splitlines() if line.startswith("    "))
    rules = read_rules(example)
    assert (len(rules.replies), len(rules.dialects)) == (1, 1)
    assert Path(_rules_file.__file__).name == "_rules_file.py"


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.text(alphabet="[]reply=dialct\"\n'x.{}#, ", max_size=80))
def test_any_text_is_rows_or_a_parse_error(text: str) -> None:
    try:
        read_rules(text)
    except ParseError as error:
        word = error.error
    else:
        word = "bad_rules"
    assert word == "bad_rules"
