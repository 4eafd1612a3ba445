"""What counts as made unreadable, by shape and by no provider in particular."""

import pytest

from mailgate.fbl import is_redacted

HIDDEN = (
    "redacted",
    "redacted@",
    "@example.com",
    "",
    "undisclosed recipients",
    "redacted@163.com",
    "redacted-address@aol.example",
    "Redacted@Example.COM",
    "[redacted]@example.com",
    "(hidden)@example.com",
    "email-redacted@example.com",
    "redacted+5f3@example.com",
    "hashed@example.com",
    "anonymized.user@example.com",
    "undisclosed@example.com",
    "removed@example.com",
    "recipient-removed@example.com",
    "address.withheld@example.com",
    "unknown@example.com",
    "xxx@example.com",
    "XXXXXXXX@example.com",
    "jxxxxx@example.com",
    "x.x.x@example.com",
    "j***e@example.com",
    "***@***.com",
    "jane@***.com",
    "ja…@example.com",
    "ja...@example.com",
    "j•••e@example.com",
    "??????@example.com",
    "-@example.com",
    "someone@redacted.example",
    "someone@redacted.invalid",
    "someone@xxxxx.com",
    "d41d8cd98f00b204e9800998ecf8427e@example.com",
    "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709@example.com",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855@example.com",
    "md5:d41d8cd98f00b204e9800998ecf8427e@example.com",
    "SHA1-da39a3ee5e6b4b0d3255bfef95601890afd80709@example.com",
    "redact@example.com",
    "removed_by_fbl@example.com",
    "email-protected@example.com",
    "someone@removed",
    "0@0",
    "x@x.x",
    "ann@example.com; bob@example.com",
    "hidden by policy of example.com@example.com",
    "ann@example.com for spam",
    "rZ8cqXWGiKHzhz1MsFRGTysHia4=@example.com",
    "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU@example.com",
)
PLAIN = (
    "ann@example.com",
    "user@example.com",
    "recipient@example.com",
    "max@x.com",
    "maxx@example.com",
    "foxxx@example.com",
    "xavier@example.com",
    "x@example.com",
    "hidden.valley@example.com",
    "private@example.com",
    "privacy@example.com",
    "unknown.user7@example.com",
    "mr.removed2@example.com",
    "redactedly@example.com",
    "deadbeef@example.com",
    "0123456789abcdef@example.com",
    "4915112345678901234567890123456@example.com",
    "dpdcnf87nu@privaterelay.appleid.com",
    "bounces+1137616-c1ad-xsj399=163.com@example.com",
    "jörg@example.com",
    '"quoted local"@example.com',
    '"a@b, c"@example.com',
    "ann@[192.0.2.1]",
    "protected.species@example.com",
    "md5@example.com",
    "fbl@example.com",
    "max@xx.example",
    "this-local-part-does-not-exist-on-yahoo@yahoo.com",
)


@pytest.mark.parametrize("address", HIDDEN)
def test_hidden(address: str) -> None:
    assert is_redacted(address)


@pytest.mark.parametrize("address", PLAIN)
def test_plain(address: str) -> None:
    assert not is_redacted(address)
