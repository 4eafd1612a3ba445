"""Dialects of mailbox providers, carriers and sending services."""

from __future__ import annotations

from mailgate.bounce._dialect import Dialect
from mailgate.bounce._lines import LISTED
from mailgate.records import Reason

GMAIL = Dialect(
    name="gmail",
    after=(
        "delivery to the following recipient failed permanently:",
        "delivery to the following recipients failed permanently:",
        "delivery to the following recipient has been delayed:",
        "delivery to the following recipients has been delayed:",
    ),
    until=("technical details of", "message will be retried"),
    shapes=LISTED,
)

GOOGLE_GROUPS = Dialect(
    name="google-groups",
    any_of=("google groups", "groups.google.com"),
    headers=(("x-failed-recipients", ""),),
    find=("headers",),
    header_names=("x-failed-recipients",),
    action="failed",
    hint=Reason.MAILING_LIST,
)

SUN_MESSAGING = Dialect(
    name="sun-messaging",
    all_of=("recipient address:",),
    any_of=(
        "this report relates to a message you sent",
        "your message cannot be delivered to the following",
        "reason:",
    ),
    find=("labels",),
    labels=("recipient address",),
)

EARTHLINK = Dialect(
    name="earthlink",
    explains="after",
    all_of=("unable to deliver your message", "* ["),
    shapes=frozenset(("<>:+", "<>:", "alone")),
    action="failed",
)

# AOL of old names screen names, not addresses.
AOL = Dialect(
    name="aol",
    after=("because they are not accepting mail from",),
    local_part=True,
    keep_own=False,
    action="failed",
)

EZWEB = Dialect(
    name="ezweb",
    any_of=(
        "the user(s) account is disabled",
        "the user(s) account is temporarily",
        "the following recipients did not receive this message",
        "each of the following recipients was rejected by a remote mail server",
        "your message was not delivered within",
        "user(s) account",
    ),
    find=("lines", "labels"),
    shapes=LISTED,
    labels=("recipient",),
    action="failed",
)

KDDI = Dialect(
    name="kddi",
    all_of=("your mail sent on",),
    find=("labels", "sentences"),
    labels=("could not be delivered to", "mail not delivered to"),
    action="failed",
)

POSTAL = Dialect(
    name="postal",
    all_of=("message token:", "rcpt to:"),
    find=("labels",),
    labels=("rcpt to",),
    action="failed",
)

PHQUERY = Dialect(
    name="phquery",
    after=("message not delivered to the following addresses:", "message not delivered to the following:"),
    until=("error detail",),
    shapes=LISTED | {"text"},
    local_part=True,
    action="failed",
)

FAILED_RECIPIENTS = Dialect(
    name="failed-recipients",
    after=("failed recipients ---", "failed recipients"),
    shapes=LISTED,
    action="failed",
)

SERVICES = (GMAIL, EARTHLINK, AOL, GOOGLE_GROUPS, SUN_MESSAGING, POSTAL, KDDI, PHQUERY, FAILED_RECIPIENTS)
SERVICES_LAST = (EZWEB,)
