"""What the words around a reply say: which lines are about whom, when to try again, on which list we stand."""

from __future__ import annotations

import re

MAX_RETRY_SECONDS = 7 * 24 * 3600
MAX_STRANGERS = 50  # other recipients whose lines are told apart

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_RETRY_WORDS = ("again", "retry", "come back", "greylisted", "graylisted", "deferred", "wait", "resend")
# Both read lower-case text.
_CLOCK = re.compile(r"(?:back|again|after|in|for|wait|retry)\b[^\d\n]{0,20}(\d{1,2}):(\d{2}):(\d{2})\b")
_AMOUNT = re.compile(
    r"(?:again|retry|come back|greylisted|graylisted|deferred|wait|resend)[^\d\n]{0,40}\b(\d{1,6}) ?"
    r"(s|sec|secs|seconds?|m|min|mins|minutes?|h|hours?|days?)\b"
)
_LIST_WORDS = ("blocked using", "blocked by", "listed ", "list at", "found in", "dnsbl", "rejected by", "listing in")
_LIST = re.compile(
    r"(?:blocked using|listed (?:in|at|by|on)|blocked by|blacklist(?:ed)? (?:in|at|by|on)|list at|found in|dnsbl:? |"
    r"rejected by|listing in)[ :]{1,2}(?:the )?([a-z0-9][a-z0-9-]{0,62}(?:\.[a-z0-9-]{1,63}){1,5})\b"
)
# Lists that replies name without a zone, the longer names first.
_KNOWN_LISTS = (
    "spamhaus sbl", "spamhaus xbl", "spamhaus pbl", "spamhaus zen", "spamhaus dbl", "spamhaus css", "spamhaus",
    "spamcop",
    "barracudacentral", "sorbs", "uceprotect", "abusix", "cloudmark", "proofpoint", "senderbase", "mailspike",
    "spamrats", "psbl", "invaluement", "s3140", "s3150", "attrbl",
)  # fmt: skip
_FIELD_LINE = re.compile(
    r"[ \t>]*(?:content-[a-z-]{2,40}|mime-version|subject|from|to|cc|date|sent(?: date)?|message-id|reporting-mta|"
    r"received-from-mta|dsn-gateway|arrival-date|original-envelope-id|original-recipient|final-recipient|action|"
    r"remote-mta|last-attempt-date|will-retry-until|x-[a-z-]{2,40}|received|return-path|charset) ?:"
    r"|[ \t]*(?:mail from|rcpt to|message token|ori?ginal message id) ?:"
    r"|[ \t]*--[\w=.+/-]{8,}$",
    re.IGNORECASE,
)
_STARTS_WITH_ADDRESS = re.compile(
    r"[ \t>*\"'(-]{0,24}(?:[45]\d\d (?:[45][\d.]{4,10} )?)?<?([^\s<>()\"',;:]{1,320}@[^\s<>()\"',;:]{1,255})"
)
_NEUTRAL_LINE = re.compile(r"[ \t>]*(?:\.\.\. while|-{3,}|={3,}|$)", re.IGNORECASE)


def lines_about(text: str, *recipients: str | None) -> str:
    """The lines of a notification that are not header fields and not about another recipient.

    A line that starts with an address opens that recipient's lines; an empty line, a ruler or "... while talking to"
    ends them.
    """
    ours = tuple({address.lower().strip("<>") for address in recipients if address})
    kept: list[str] = []
    strangers: set[str] = set()
    others = False
    for line in text.split("\n"):
        if (":" in line or "--" in line) and _FIELD_LINE.match(line):
            continue
        if "@" in line and (named := _STARTS_WITH_ADDRESS.match(lower := line.lower())) is not None:
            others = bool(ours) and not any(address in lower for address in ours)
            if others:
                strangers.add(named[1].rstrip(".>"))
        elif others and _NEUTRAL_LINE.match(line):
            others = False
        if not others and len(strangers) <= MAX_STRANGERS:
            kept.append(line)
    if strangers:
        kept = [line for line in kept if "@" not in line or not _is_about(line.lower(), strangers)]
    return "\n".join(kept).strip()


def _is_about(lower: str, addresses: set[str]) -> bool:
    return any(address in lower for address in addresses)


def retry_after_seconds(text: str) -> int | None:
    """Seconds after which the server asks to try again, at most a week; None when it does not say.

    >>> retry_after_seconds("450 4.7.1 Greylisting in action, please come back in 00:05:00")
    300
    """
    lower = text.lower()
    if not any(word in lower for word in _RETRY_WORDS):
        return None
    clock = _CLOCK.search(lower)
    if clock is not None:
        seconds = int(clock[1]) * 3600 + int(clock[2]) * 60 + int(clock[3])
    else:
        amount = _AMOUNT.search(lower)
        if amount is None:
            return None
        seconds = int(amount[1]) * _UNITS[amount[2][0].lower()]
    return seconds if 0 < seconds <= MAX_RETRY_SECONDS else None


def block_list(text: str) -> str | None:
    """The name of the block list that the text speaks of: its zone when that stands there, else its common name.

    >>> block_list("554 5.7.1 Client host [192.0.2.1] blocked using zen.spamhaus.org; see https://check.spamhaus.org")
    'zen.spamhaus.org'
    """
    lower = text.lower()
    if any(word in lower for word in _LIST_WORDS):
        zone = _LIST.search(lower)
        if zone is not None and not zone[1].replace(".", "").isdigit():
            return zone[1]
    return next((name for name in _KNOWN_LISTS if name in lower), None)
