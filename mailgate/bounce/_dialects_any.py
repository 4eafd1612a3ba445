"""Rows for programs that nobody has described yet: the words that introduce a failed address in any notification.

They come last, look only at messages whose header or subject is the mail system's, and never take the report's own
addresses.
"""

from __future__ import annotations

from mailgate.bounce._dialect import Dialect
from mailgate.bounce._lines import LISTED
from mailgate.bounce._methods import FAILURE_WORDS
from mailgate.bounce._notice import Likeness

# Sentences that end in a list of recipients. Lower case; the list starts behind the earliest of them.
INTRODUCTIONS: tuple[str, ...] = (
    "did not reach the following recipient",
    "following recipient(s) could not be reached",
    "following recipients could not be reached",
    "not yet been delivered",
    "could not be delivered to the following",
    "couldn't be delivered to the following",
    "not be delivered to the following",
    "wasn't delivered to the following",
    "was not delivered to",
    "not delivered to the following",
    "undeliverable to the following",
    "unable to deliver message to the following",
    "unable to deliver your message to the following",
    "unable to deliver to the following",
    "failed to deliver to the following",
    "delivery to the following recipient",
    "delivery to the following address",
    "delivery has failed to these recipients",
    "delivery failed for the following",
    "delivery failed to the following",
    "deliver the message to the following",
    "deliver your message to the following",
    "the following recipient",
    "the following address",
    "the following user",
    "these recipients",
    "failed recipients",
    "failed recipient",
    "failed addresses",
    "undelivered recipients",
    "invalid recipients",
    "unknown recipients",
    "recipients were affected",
    "list of recipients",
    "receive a copy of your message",
    "receive your message",
    "failure reasons",
    "delivery errors",
    "error detail",
    "delivery error report",
    "folgende empfänger",
    "folgenden empfänger",
    "folgende adresse",
    "an folgende",
    "aux destinataires suivants",
    "au(x) destinataire(s) suivant(s)",
    "destinataires suivants",
    "adresse suivante",
    "adresses suivantes",
    "a los siguientes destinatarios",
    "los siguientes destinatarios",
    "la siguiente dirección",
    "siguientes direcciones",
    "ai seguenti destinatari",
    "ai destinatari seguenti",
    "al seguente",
    "seguenti destinatari",
    "seguintes destinatários",
    "seguinte destinatário",
    "seguintes endereços",
    "de volgende ontvanger",
    "volgende geadresseerde",
    "følgende modtager",
    "følgende mottaker",
    "följande mottagare",
    "seuraaville vastaanottajille",
    "następujących odbiorców",
    "do następujących adresatów",
    "následujícím příjemcům",
    "a következő címzett",
    "următorii destinatari",
    "следующим получателям",
    "следующие адреса",
    "следующим адресам",
    "получателям:",
    "次の受信者",
    "次のあて先",
    "以下のアドレス",
    "以下のメールアドレス",
    "宛先へのメッセージ",
    "以下收件人",
    "下列地址",
    "以下地址",
    "下列收件人",
    "收件人：",
    "다음 수신자",
    "다음 받는 사람",
    "al siguiente destinatario",
    "a la siguiente dirección",
    "a estos destinatarios",
    "au destinataire suivant",
    "les destinataires suivants",
    "à ces destinataires",
    "al destinatario seguente",
    "ai seguenti indirizzi",
    "a questi destinatari",
    "para os seguintes",
    "a estes destinatários",
    "aan de volgende",
    "deze geadresseerden",
    "til følgende",
    "till följande",
    "do následujících",
    "nasledujúcim príjemcom",
    "az alábbi címzett",
    "destinatarilor următori",
    "таким одержувачам",
    "στους παρακάτω παραλήπτες",
    "aşağıdaki alıcı",
    "şu alıcılara",
    "無法傳遞給下列收件者",
    "下列收件者",
    "以下收件者",
)

LISTED_RECIPIENTS = Dialect(
    name="any-list",
    after=INTRODUCTIONS,
    shapes=LISTED,
    likeness=Likeness.SURE,
    keep_own=False,
)

LABELLED = Dialect(
    name="any-label",
    find=("labels",),
    any_of=FAILURE_WORDS,
    labels=(
        "recipient", "recipients", "recipient(s)", "recipient address", "recipient email", "failed recipient",
        "failed recipients", "failed recipient(s)", "failed address", "failed addresses", "original address",
        "original recipient", "intended recipient", "final recipient", "final-recipient", "addressed to",
        "delivery failed", "delivery failed to", "could not be delivered to", "unable to deliver message to",
        "unable to deliver to", "undeliverable to", "undeliverable address", "mail to", "message to", "your message to",
        "error-for", "user", "email", "e-mail", "address", "to address", "mailbox", "user's mailbox is full",
        "mailbox full", "unknown user", "user unknown", "invalid user", "unknown recipient", "no such user",
        "invalid recipient", "user mailbox exceeds allowed size", "invalid final delivery userid", "bounced address",
        "empfänger", "destinataire", "destinatario", "destinatário", "ontvanger", "mottagare", "modtager", "mottaker",
        "odbiorca", "получатель", "адрес", "收件人", "收信人", "收信方", "收件地址", "宛先", "受信者", "あて先",
        "받는 사람", "수신자",
    ),
    likeness=Likeness.SURE,
    keep_own=False,
)  # fmt: skip

ANY_LINES = Dialect(
    name="any-line",
    any_of=FAILURE_WORDS,
    shapes=frozenset(("alone", "<>:", "<>:+", "<>+", ":", "...", "on", "[", "(", "-")),
    likeness=Likeness.SURE,
    keep_own=False,
)

SENTENCES = Dialect(
    name="any-sentence",
    any_of=FAILURE_WORDS,
    find=("sentences",),
    likeness=Likeness.SURE,
    keep_own=False,
)

COMMANDS = Dialect(
    name="any-transcript",
    any_of=("rcpt to", "rcpt  to"),
    find=("commands",),
    likeness=Likeness.SURE,
    keep_own=False,
)

HEADERS = Dialect(
    name="any-header",
    find=("headers",),
    header_names=(
        "x-failed-recipients",
        "x-bounced-address",
        "x-failed-recipient",
        "x-undelivered-to",
        "final-recipient",
    ),
)

SUBJECT = Dialect(name="any-subject", find=("subject",), likeness=Likeness.SURE, keep_own=False)

ANY = (LISTED_RECIPIENTS, COMMANDS, LABELLED, HEADERS, SENTENCES, ANY_LINES, SUBJECT)
