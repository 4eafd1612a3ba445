"""Dialects of groupware and of mail servers that run on Windows, and of the filters in front of them."""

from __future__ import annotations

from mailgate.bounce._dialect import Dialect
from mailgate.bounce._lines import ALONE, LISTED
from mailgate.records import Reason

# X.400 names hold the address as `dda:SMTP=`; a display name alone is completed by the reader.
EXCHANGE_55 = Dialect(
    name="exchange-5.5",
    after=("did not reach the following recipient(s):", "did not reach the following recipient:"),
    find=("patterns", "lines", "sentences"),
    patterns=(
        r"dda:(?:SMTP|RFC-?822)=(?P<address>[^\s;]{3,320})",
        r"^(?P<address>[^\s<>()\"]{1,256}@[^\s<>()\"]{1,255}) on \w{3}, ",
        r"^.{1,100}?[<('](?:SMTP:)?(?P<address>[^\s<>()']{1,256}@[^\s<>()']{1,255})[>)'] on \w{3}, ",
    ),
    shapes=frozenset(("on", "alone", "name")),
    action="failed",
)

EXCHANGE_2000 = Dialect(
    name="exchange-2000",
    after=(
        "the following recipient(s) could not be reached:",
        "the following recipient(s) cannot be reached:",
        "folgende(r) empfänger konnte(n) nicht erreicht werden:",
        "destinataire(s) suivant(s) n'a/n'ont pas",
        "no se puede localizar a los siguientes destinatarios:",
        "impossible de joindre le(s) destinataire(s) suivant(s)",
        "impossibile raggiungere i seguenti destinatari",
        "impossibile raggiungere il seguente destinatario",
        "não foi possível contatar o(s) seguinte(s) destinatário(s)",
        "de volgende geadresseerde(n)",
    ),
    find=("lines", "patterns"),
    shapes=frozenset(("on", "alone", "name")),
    patterns=(r"[<('](?:SMTP:)?(?P<address>[^\s<>()']{1,256}@[^\s<>()']{1,255})[>)']",),
    action="failed",
)

# The block of codes is the same in every language: `user@host` and below it `#550 5.1.1 RESOLVER.…` or a server's
# words.
EXCHANGE_2007 = Dialect(
    name="exchange-2007",
    after=(
        "diagnostic information for administrators:",
        "diagnostic information for administrators",
        "diagnoseinformationen für administratoren",
        "informations de diagnostic pour les administrateurs",
        "información de diagnóstico para los administradores",
        "informazioni di diagnostica per gli amministratori",
        "informações de diagnóstico para administradores",
        "diagnostisk information för administratörer",
        "diagnostisk information til administratorer",
        "diagnostische gegevens voor beheerders",
        "administratörsinformation",
        "diagnosegegevens voor beheerders",
        "diagnostiikkatiedot järjestelmänvalvojille",
        "diagnostické informace pro správce",
        "diagnosztikai adatok rendszergazdák",
        "informații de diagnosticare pentru administratori",
        "yöneticiler için tanılama bilgileri",
        "διαγνωστικές πληροφορίες για διαχειριστές",
        "діагностичні відомості для адміністраторів",
        "系統管理員的診斷資訊",
        "관리자를 위한 진단 정보",
        "管理者向けの診断情報",
        "диагностические сведения для администраторов",
        "informacje diagnostyczne dla administratorów",
        "管理员的诊断信息",
    ),
    find=("lines", "patterns"),
    shapes=ALONE | {"<>:", ":"},
    patterns=(r"##rfc822;(?P<address>[^\s<>;]{3,320})",),
    action="failed",
)

DOMINO = Dialect(
    name="domino",
    any_of=("because:", "weil:", "parce que", "perché:"),
    after=("was not delivered to:", "wurde nicht zugestellt an:", "n'a pas été remis à :", "non è stato recapitato a:"),
    until=("because:", "weil:", "parce que", "perché:"),
    shapes=LISTED,
    action="failed",
)

DOMINO_USER = Dialect(
    name="domino-user",
    any_of=(
        "not listed in domino directory",
        "not listed in public name & address book",
        "not listed in the domino directory",
    ),
    find=("lines", "patterns"),
    shapes=LISTED,
    patterns=(r"\((?P<address>[^\s()]{3,320})\) not listed in",),
    action="failed",
    hint=Reason.MAILBOX_NOT_FOUND,
)

NOTES = Dialect(
    name="notes",
    after=("failure reasons",),
    shapes=LISTED,
    action="failed",
)

GROUPWISE = Dialect(
    name="groupwise",
    any_of=(
        "undeliverable recipient(s)",
        "message that you sent was undeliverable to the following",
        "was undeliverable to the following:",
    ),
    after=("undeliverable recipient(s)", "undeliverable to the following:", "undeliverable to the following"),
    shapes=LISTED,
    action="failed",
)

IMAIL = Dialect(
    name="imail",
    any_of=(
        "delivery failed ",
        "unknown user:",
        "unknown host:",
        "user mailbox exceeds allowed size:",
        "invalid final delivery userid:",
        "undeliverable to ",
        "mailbox not found:",
    ),
    find=("patterns",),
    patterns=(
        r"^\s{0,4}(?:delivery failed \d{1,5} attempts?|unknown user|unknown host|user mailbox exceeds allowed size"
        r"|invalid final delivery userid|mailbox not found|user unknown|account disabled)"
        r":\s{0,4}<?(?P<address>[^\s<>]{3,320})",
        r"\bundeliverable to <?(?P<address>[^\s<>]{3,320})",
    ),
    action="failed",
)

MDAEMON = Dialect(
    name="mdaemon",
    after=(
        "did not receive a copy of your message:",
        "did not receive a copy of this message:",
        "has not yet received a copy of your message",
        "have not yet received a copy of your message",
    ),
    until=("session transcript", "--- session"),
    shapes=LISTED,
)

MAILENABLE = Dialect(
    name="mailenable",
    any_of=("recipient: [smtp:", "[smtp:"),
    find=("patterns",),
    patterns=(r"\[SMTP:(?P<address>[^\s\[\]]{3,320})\]",),
    action="failed",
)

LSMTP = Dialect(name="lsmtp", any_of=("error-for:",), find=("labels",), labels=("error-for",), action="failed")

INTERSCAN = Dialect(
    name="interscan",
    any_of=("sent <<< rcpt to:", "sent >>> rcpt to:", "received >>> 5", "received <<< 5"),
    find=("patterns",),
    patterns=(r"Sent [<>]{3} RCPT TO:\s?<(?P<address>[^\s<>]{3,320})>",),
    action="failed",
)

M_FILTER = Dialect(
    name="m-filter",
    any_of=("m-filter", "-------server message"),
    until=("-------server message", "-------smtp command"),
    shapes=LISTED,
    action="failed",
)

# To the sender alone: what it writes to recipients and to administrators names no list.
AMAVIS = Dialect(
    name="amavis",
    any_of=("our content checker found", "our internal reference code for your message"),
    after=("to the following recipient", "a message from <"),
    shapes=LISTED,
    action="failed",
)

MAILMARSHAL = Dialect(
    name="mailmarshal",
    after=("the following recipients were affected",),
    until=("additional information",),
    shapes=LISTED,
    action="failed",
)

SURFCONTROL = Dialect(
    name="surfcontrol",
    any_of=("failed to send to identified host", "message could not be sent", "addressed to:"),
    all_of=("transcript of the attempts",),
    find=("labels", "lines"),
    labels=("addressed to",),
    shapes=frozenset((":",)),
    action="failed",
)

MAILFOUNDRY = Dialect(
    name="mailfoundry",
    all_of=("unable to deliver message to:", "delivery failed for the following reason"),
    find=("labels",),
    labels=("unable to deliver message to",),
    action="failed",
)

X6 = Dialect(
    name="x6",
    any_of=("we had trouble delivering your message", "rejected recipient <"),
    find=("patterns",),
    patterns=(
        r"rejected recipient <(?P<address>[^\s<>]{3,320})>",
        r"(?:could not be|cannot be|failed to be) delivered to <?(?P<address>[^\s<>]{3,320})",
    ),
    action="failed",
)

IRONPORT = Dialect(
    name="ironport",
    any_of=("the following message to <",),
    find=("patterns",),
    patterns=(r"the following message to <(?P<address>[^\s<>]{3,320})>",),
    action="failed",
)

COMMUNIGATE = Dialect(
    name="communigate",
    any_of=("failed to deliver to '", "failed to deliver to the address '"),
    find=("patterns",),
    patterns=(r"failed to deliver to (?:the address )?'(?P<address>[^\s']{3,320})'",),
    action="failed",
)

INTERMAIL = Dialect(
    name="intermail",
    any_of=("was not delivered for the following reason", "this message was undeliverable due to the following reason"),
    find=("lines", "labels", "sentences"),
    labels=("recipient", "recipients", "rcpt to"),
    shapes=LISTED,
    keep_own=False,
    action="failed",
)

# Dovecot's delivery agent says "mailbox full" by a disposition notification; a Sieve reject looks alike and is none.
DOVECOT_QUOTA = Dialect(
    name="dovecot-quota",
    any_of=("was automatically rejected:\nquota exceeded", "was automatically rejected: quota exceeded"),
    find=("patterns",),
    patterns=(r"your message to <(?P<address>[^\s<>]{3,320})> was automatically rejected",),
    action="failed",
    hint=Reason.MAILBOX_FULL,
)

X3 = Dialect(
    name="x3",
    any_of=("delevery to the following recipients", "this is an automatically generated delivery status notification"),
    after=("to the following recipients", "to the following recipient"),
    until=("technical details",),
    shapes=LISTED,
)

WINDOWS = (
    EXCHANGE_55,
    EXCHANGE_2000,
    EXCHANGE_2007,
    DOMINO,
    NOTES,
    DOMINO_USER,
    GROUPWISE,
    MDAEMON,
    MAILENABLE,
    LSMTP,
    INTERSCAN,
    MAILFOUNDRY,
    M_FILTER,
    AMAVIS,
    MAILMARSHAL,
    SURFCONTROL,
    X6,
    IRONPORT,
    COMMUNIGATE,
    DOVECOT_QUOTA,
    X3,
    IMAIL,
    INTERMAIL,
)
