"""Settings refuse what would make every answer worthless."""

import pickle

import pytest

from mailgate.records import Reason
from mailgate.validator import Advice, Level, Settings, StartTls, Status
from mailgate.validator._words import Finding, advice_for, reason_of

GOOD = {"level": Level.SMTP, "helo": "probe.sender.test", "mail_from": "probe@sender.test"}


@pytest.mark.parametrize(
    "helo", [None, "", "localhost", "probe", "mx.example.com", "example.org", "a.example", "x.localhost"]
)
def test_placeholders_for_helo(helo: str | None) -> None:
    with pytest.raises(ValueError, match="helo"):
        Settings(**{**GOOD, "helo": helo})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "mail_from",
    [
        *(None, "", "probe", "probe@localhost", "probe@example.com", "probe@mail.example.net", "a b@sender.test"),
        *("é@sender.test", "probe@sender.test\r\nRCPT TO:<x@y.test>", "<probe@sender.test>"),
    ],
)
def test_placeholders_for_mail_from(mail_from: str | None) -> None:
    with pytest.raises(ValueError, match="mail_from"):
        Settings(**{**GOOD, "mail_from": mail_from})  # type: ignore[arg-type]


def test_helo_cannot_carry_commands() -> None:
    with pytest.raises(ValueError, match="helo"):
        Settings(**{**GOOD, "helo": "probe.sender.test\r\nQUIT"})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "name",
    [
        *("connections", "per_domain", "per_mx_group", "recipients_per_connection", "refusals_per_connection"),
        *("strikes", "max_mail_hosts", "dns_lookups", "look_ahead"),
    ],
)
def test_limits_begin_at_one(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        Settings(**{name: 0})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((f"{what}_seconds", 0.0) for what in ("dial", "greeting", "command", "session", "dns")),
        *((f"{what}_seconds", -1.0) for what in ("pace", "rest", "quit", "max_wait")),
        *(("max_age_days", -1.0), ("greylist_delays", (300.0, -1.0)), ("command_seconds", float("nan"))),
        *(("port", 0), ("port", 65_536), ("source_ip", "here"), ("level", "smtp"), ("starttls", "never")),
    ],
)
def test_values_that_cannot_work_are_refused_with_their_name(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=name):
        Settings(**{name: value})  # type: ignore[arg-type]


def test_families() -> None:
    with pytest.raises(ValueError, match="ip_family"):
        Settings(ip_family="both")


def test_only_smtp_needs_a_name_and_settings_travel() -> None:
    assert Settings(level=Level.DNS).helo is None
    settings = Settings(**GOOD, starttls=StartTls.NEVER)  # type: ignore[arg-type]
    assert pickle.loads(pickle.dumps(settings)) == settings


@pytest.mark.parametrize(
    ("status", "reason", "advice"),
    [
        (Status.VALID, Finding.ACCEPTED, Advice.SEND),
        (Status.INVALID, Reason.MAILBOX_NOT_FOUND, Advice.DROP),
        (Status.INVALID, Reason.MAILBOX_FULL, Advice.REVIEW),
        (Status.INVALID, Finding.NULL_MX, Advice.DROP),
        (Status.CATCH_ALL, Finding.ACCEPTED, Advice.REVIEW),
        (Status.UNKNOWN, Reason.GREYLISTED, Advice.RETRY),
        (Status.UNKNOWN, Reason.RATE_LIMITED, Advice.RETRY),
        (Status.UNKNOWN, Reason.DNS_ERROR, Advice.RETRY),
        (Status.UNKNOWN, Finding.CONNECT_FAILED, Advice.RETRY),
        (Status.UNKNOWN, Reason.BLOCKED, Advice.FIX_SENDER),
        (Status.UNKNOWN, Reason.SENDER_REJECTED, Advice.FIX_SENDER),
        (Status.UNKNOWN, Finding.PORT25_BLOCKED, Advice.FIX_SENDER),
        (Status.UNKNOWN, Reason.POLICY, Advice.REVIEW),
        (Status.UNKNOWN, Finding.CATCH_ALL_UNDETERMINED, Advice.REVIEW),
    ],
)
def test_advice(status: Status, reason: Reason | Finding, advice: Advice) -> None:
    assert advice_for(status, reason) is advice


def test_words_of_reasons() -> None:
    assert reason_of("null_mx") is Finding.NULL_MX
    assert reason_of("mailbox_full") is Reason.MAILBOX_FULL
    with pytest.raises(ValueError, match="nonsense"):
        reason_of("nonsense")
