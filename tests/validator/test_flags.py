"""Flags and groups: rows with their reasons."""

from pathlib import Path

import pytest

from mailgate.validator import PROVIDERS, Provider, group_mx, is_role, read_domains, suggest_domain
from mailgate.validator._flags import LARGE_PROVIDERS, listed
from mailgate.validator._groups import provider_of


@pytest.mark.parametrize(
    ("local", "role"),
    [
        ("postmaster", True),
        ("PostMaster", True),
        ("abuse+x", True),
        ("info", True),
        ("info2", False),
        ("ann", False),
        ("", False),
    ],
)
def test_role_names(local: str, role: bool) -> None:
    assert is_role(local) is role


def test_role_names_of_ones_own() -> None:
    assert is_role("kantine", {"kantine"})
    assert not is_role("info", {"kantine"})


@pytest.mark.parametrize(
    ("domain", "dead", "suggestion", "why"),
    [
        ("gmial.com", False, "gmail.com", "neighbours swapped"),
        ("gamil.com", False, "gmail.com", "neighbours swapped"),
        ("gmal.com", False, "gmail.com", "a letter missing"),
        ("gmaill.com", False, "gmail.com", "a letter too many"),
        ("gmail.con", False, "gmail.com", "a wrong letter"),
        ("hotmial.com", False, "hotmail.com", ""),
        ("yaho.com", False, "yahoo.com", ""),
        ("gmail.com", False, None, "known itself"),
        ("ymail.com", False, None, "one letter from gmail.com, and known itself"),
        ("mail.com", False, None, "known itself"),
        ("gnial.com", False, None, "two slips, and the domain may be somebody's"),
        ("gnial.con", True, None, "three slips"),
        ("gmial.co", True, "gmail.com", "two slips, and DNS says that nobody is there"),
        ("gmial.co", False, None, "two slips, and nobody said that the domain is dead"),
        ("fmail.com", False, None, "another first letter is another name"),
        ("example.com", True, None, "nothing near"),
        ("qq.co", True, "qq.com", "nobody is there"),
        ("qq.co", False, None, "short names are near to everything"),
        ("gmx.dd", False, None, "the same"),
        ("xn--gmal-loa.com", True, None, ""),
        ("x" * 200, True, None, "longer than any of them"),
    ],
)
def test_suggestions(domain: str, dead: bool, suggestion: str | None, why: str) -> None:
    assert suggest_domain(domain, dead=dead) == suggestion, why


def test_nothing_known_is_corrected() -> None:
    assert [name for name in LARGE_PROVIDERS if suggest_domain(name, dead=True)] == []


def test_lists_of_domains(tmp_path: Path) -> None:
    path = tmp_path / "disposable.txt"
    path.write_text("\ufeff# throw-away\nMailinator.com\n\n .tempmail.example.  # x\n", encoding="utf-8")
    domains = read_domains(path)
    assert domains == {"mailinator.com", "tempmail.example"}
    assert listed("mailinator.com", domains) is True
    assert listed("eu.mailinator.com", domains) is True
    assert listed("notmailinator.com", domains) is False
    assert listed("mailinator.com", None) is None
    assert read_domains(["a", "#b"]) == {"a"}


@pytest.mark.parametrize(
    ("host", "group"),
    [
        ("gmail-smtp-in.l.google.com", "google"), ("ALT1.ASPMX.L.GOOGLE.COM.", "google"),
        ("aspmx2.googlemail.com", "google"), ("hotmail-com.olc.protection.outlook.com", "microsoft"),
        ("example-com.mail.protection.outlook.com", "microsoft"),
        ("x.y-v1.mx.microsoft", "microsoft"), ("mta5.am0.yahoodns.net", "yahoo"), ("mxs.mail.ru", "mail.ru"),
        ("mx1.bbc.co.uk", "bbc.co.uk"), ("mx.example.net", "example.net"), ("a.b.c.example.net", "example.net"),
        ("example.net", "example.net"), ("localhost", "localhost"), ("8.8.8.8", "8.8.8.0/24"),
        ("2001:4860:4860::8888", "2001:4860:4860::/48"), ("evilgoogle.com", "evilgoogle.com"),
    ],
)  # fmt: skip
def test_groups(host: str, group: str) -> None:
    assert group_mx(host) == group


def test_what_is_known_of_providers() -> None:
    microsoft = provider_of("hotmail-com.olc.protection.outlook.com")
    assert microsoft is not None
    assert microsoft.recipients_per_connection == 1
    business = provider_of("example-com.mail.protection.outlook.com")
    assert business is not None
    assert business.recipients_per_connection is None
    yahoo = provider_of("mta5.am0.yahoodns.net")
    assert yahoo is not None
    assert yahoo.accepts_all
    assert provider_of("mx.example.net") is None
    own = (Provider(name="own", suffixes=("example.net",), accepts_all=True), *PROVIDERS)
    assert provider_of("mx.example.net", own) is own[0]
    assert group_mx("mx.example.net", own) == "own"
