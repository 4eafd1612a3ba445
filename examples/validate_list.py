"""Clean a list before a send, with the library: duplicates and dead domains out, the rest with what is known about it.

DNS is a mapping here, so that the example runs anywhere; in production it is `CachingResolver(DnsResolver())`, and with
`level=Level.SMTP`, `helo` and `mail_from` the mail hosts are asked too (see the manual, MANNERS).

Prints:
    ann@example.net: send (mail_host_found)
    ANN+news@Gmail.com: send (mail_host_found)
    a.nn@gmail.com: same person as ANN+news@Gmail.com
    bob@gmial.com: drop (domain_not_found), did you mean bob@gmail.com?
    cid@no-mail.example: drop (null_mx)
    support@example.net: send (mail_host_found), a role
    dora@@example.net: drop (two_at_signs at character 6)
    eve@overloaded.example: retry (dns_error) in 3600 s
    3 of 8 rows to send
"""

import asyncio

from mailgate.records import LookupStatus
from mailgate.resolver import StaticResolver
from mailgate.validator import Advice, Level, Settings, Validation, Validator, dedupe_key

ROWS = [
    {"id": 1, "email": "ann@example.net"},
    {"id": 2, "email": "ANN+news@Gmail.com"},
    {"id": 3, "email": "a.nn@gmail.com"},
    {"id": 4, "email": "bob@gmial.com"},
    {"id": 5, "email": "cid@no-mail.example"},
    {"id": 6, "email": "support@example.net"},
    {"id": 7, "email": "dora@@example.net"},
    {"id": 8, "email": "eve@overloaded.example"},
]
ZONE = {
    "example.net": {"MX": ["10 mx.example.net"]},
    "mx.example.net": {"A": ["9.9.9.9"]},
    "gmail.com": {"MX": ["5 gmail-smtp-in.l.google.com"]},
    "gmail-smtp-in.l.google.com": {"A": ["8.8.8.8"]},
    "no-mail.example": {"MX": ["0 ."]},
    "overloaded.example": LookupStatus.TEMPFAIL,
}


def words(result: Validation) -> str:
    """One line about one result."""
    said = f"{result.advice} ({result.reason}"
    said += f" at character {result.position + 1})" if result.position is not None else ")"
    if result.retry_after is not None:
        said += f" in {result.retry_after} s"
    if result.suggestion is not None:
        said += f", did you mean {result.suggestion}?"
    return said + (", a role" if result.role else "")


async def clean() -> list[int]:
    """The ids of the rows that may be mailed."""
    to_send, seen = [], {}
    async with Validator(Settings(level=Level.DNS), resolve=StaticResolver(ZONE)) as validator:
        rows = ((row, row["email"]) for row in ROWS)
        async for row, result in validator.stream_rows(rows, ordered=True, total=len(ROWS)):
            if result.mailbox is not None:
                first = seen.setdefault(dedupe_key(result.mailbox), result.input)
                if first != result.input:
                    print(f"{result.input}: same person as {first}")
                    continue
            print(f"{result.input}: {words(result)}")
            if result.advice is Advice.SEND:
                to_send.append(row["id"])
    return to_send


def main() -> None:
    """Eight rows, three of them worth a mail."""
    to_send = asyncio.run(clean())
    print(f"{len(to_send)} of {len(ROWS)} rows to send")


if __name__ == "__main__":
    main()
