"""Dialects of mail servers that run on Unix: what each of them writes to people.

A row's anchors are sentences of that program, lower case. The order matters only where one row's anchors occur in the
text of another; the narrower row comes first.
"""

from __future__ import annotations

from mailgate.bounce._dialect import Dialect
from mailgate.bounce._lines import ALONE, LISTED
from mailgate.bounce._notice import Likeness
from mailgate.records import Reason

_PARAGRAPH = frozenset(("<>:", "<>:+"))

JAMES = Dialect(
    name="apache-james",
    any_of=("james mail server", "this is the james"),
    find=("lines", "labels"),
    after=("failed recipient(s):", "failed recipients:", "error message:"),
    until=("error message:", "message details:", "error message below:"),
    shapes=LISTED,
    action="failed",
)

JAMES_DETAILS = Dialect(
    name="james-details",
    all_of=("message details:", "rcpt to:", "error message"),
    find=("labels",),
    labels=("rcpt to", "failed recipient", "failed recipient(s)"),
    action="failed",
)

QMAIL = Dialect(
    name="qmail",
    explains="after",
    any_of=(
        "this is the qmail-send program",
        "this is the qmail program",
        "this is the indimail",
        "this is the notqmail",
    ),
    shapes=_PARAGRAPH,
    blank_before=True,
)

# Yahoo, secureserver and others with qmail's paragraphs and other words around them.
QMAIL_LIKE = Dialect(
    name="qmail-like",
    explains="after",
    any_of=(
        "i wasn't able to deliver your message",
        "i've given up. sorry it didn't work out",
        "does not like recipient.",
        "unable to deliver your message to the following address",
        "unable to deliver message to the following address",
        "your mail was not delivered to the following address",
        "was unable to deliver your message to",
    ),
    shapes=_PARAGRAPH,
    blank_before=True,
)

# "Hi. This is the …" opens every QSBMF message, in whatever language and with whatever program name follows it.
QSBMF = Dialect(name="qsbmf", explains="after", any_of=("hi. this is",), shapes=_PARAGRAPH, blank_before=True)

X2_NOTICE = Dialect(
    name="x2-notice",
    any_of=("notice: delivery failure", "your delivery to the following address has been failed"),
    find=("labels",),
    labels=("delivery failed", "failed address", "address"),
    action="failed",
)

POSTFIX = Dialect(
    name="postfix",
    explains="after",
    any_of=(
        "this is the postfix program",
        "this is the postfix on",
        "this is the mail system at host",
        "the postfix program",
        "your message could not\nbe delivered to one or more recipients",
        "that the message returned\nbelow could not be delivered",
    ),
    shapes=frozenset(("<>:", "<>:+", ":")),
)

EXIM = Dialect(
    name="exim",
    explains="after",
    after=(
        "address(es) failed:",
        "addresses failed:",
        "address failed:",
        "address\nfailed:",
        "addresses\nfailed:",
        "has not yet been delivered is:",
        "have not yet been delivered are:",
        "not yet been delivered to the following address",
        "not been delivered to the following address",
        "has not yet been delivered are:",
        "has not yet been delivered to:",
        "доставлено одному или нескольким получателям:",
    ),
    shapes=LISTED | {"text"},
    aliases=True,
    local_part=True,
)

ZOHO = Dialect(
    name="zoho",
    any_of=("error_code :", "responsecode ", "[status: error, address:"),
    find=("patterns", "lines"),
    patterns=(
        r"\[Status: ?\w{1,20}, ?Address: ?<?(?P<address>[^\s<>,]{3,320})",
        r"^\s{0,8}(?P<address>[^\s<>,;:]{3,320}) (?=.{0,200}ERROR_CODE)",
    ),
)

SENDMAIL = Dialect(
    name="sendmail",
    after=(
        "addresses had permanent fatal errors",
        "addresses had transient non-fatal errors",
        "addresses had fatal errors",
        "addresses had delivery problems",
        "addresses had delivery errors",
        "addresses had successful delivery notifications",
        "addresses has permanent fatal errors",
        "addresses have delivery notifications",
    ),
    until=(
        "transcript of session follows",
        "non-delivered information",
        "message header follows",
    ),
    shapes=LISTED | {"text"},
    aliases=True,
    local_part=True,
)

# Sendmail 5 gives no list of addresses: they stand in the transcript alone.
SENDMAIL_TRANSCRIPT = Dialect(
    name="sendmail-transcript",
    explains="before",
    after=("transcript of session follows",),
    find=("patterns", "commands"),
    patterns=(
        r"^\s{0,8}(?:[45]\d\d )?(?:[45]\.\d{1,3}\.\d{1,3} )?"
        r"<?(?P<address>[^\s<>()]{1,256}@[^\s<>()]{1,255}?)>?\s{0,3}\.\.\.",
    ),
)

COURIER = Dialect(
    name="courier",
    any_of=("running the courier mail server", "courier mail server", "delivery status notification from"),
    shapes=_PARAGRAPH | ALONE,
)

OPENSMTPD = Dialect(
    name="opensmtpd",
    explains="after",
    any_of=("this is the mailer-daemon, please do not reply", "this is the opensmtpd mailer"),
    shapes=frozenset((":", "<>:+", "<>:", "alone")),
)

DRAGONFLY = Dialect(
    name="dragonfly",
    any_of=("dragonfly mail agent", "there was an error delivering your mail to"),
    find=("patterns",),
    patterns=(r"error delivering your mail to <(?P<address>[^<>\s]{1,320})>",),
    action="failed",
)

SMAIL = Dialect(
    name="smail",
    any_of=(
        "message log follows:",
        "failed addresses follow:",
        "|------------------------- message log",
        "failed addresses follow",
    ),
    find=("lines", "patterns"),
    patterns=(r"<(?P<address>[^\s<>]{3,320})> \.\.\. ",),
    action="failed",
)

# A mailing list that refuses a post: the recipient that the sender knows is the list.
FML = Dialect(
    name="fml",
    likeness=Likeness.NONE,
    headers=(("x-mlserver", "fml"),),
    any_of=(
        "duplicated message-id in <",
        "not a member",
        "mail loop",
        "loop",
        "not permitted",
        "reject",
        "denied",
        "too big",
    ),
    find=("patterns",),
    patterns=(
        r"duplicated message-id in <(?P<address>[^\s<>]{3,320})>",
        r"(?:mailing list|ML|members? of|posts? to|article to)\W{0,4}<?(?P<address>[^\s<>()]{1,256}@[^\s<>()]{3,255})",
        r"^\W{0,4}<(?P<address>[^\s<>]{3,320})>",
    ),
    action="failed",
    hint=Reason.MAILING_LIST,
)

# The programs that most mail servers run; the anchors of each are its own.
UNIX_FIRST = (QMAIL, EXIM, POSTFIX, DRAGONFLY)
UNIX = (
    FML,
    JAMES,
    X2_NOTICE,
    OPENSMTPD,
    SENDMAIL,
    QMAIL_LIKE,
    QSBMF,
    ZOHO,
    COURIER,
    SENDMAIL_TRANSCRIPT,
    SMAIL,
    JAMES_DETAILS,
)
