"""From a reply to a verdict about the mailbox, and from two verdicts to one (pure).

The table of replies lives in `mailgate.records` (`SmtpReply.meaning`), because bounces need it too. Here is what only
a probe knows: that a refusal before RCPT says nothing about the mailbox, that an acceptance is still subject to the
catch-all question, and what a bare code means when nobody wrote a word beside it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mailgate.records import EnhancedStatus, Reason, ReplyRow, SmtpReply, Stage
from mailgate.validator._words import AnyReason, Finding, Status

# What only a fact about the address supports: these and nothing else make an address invalid.
_ABOUT_THE_ADDRESS = frozenset(
    (
        Reason.MAILBOX_NOT_FOUND,
        Reason.MAILBOX_MOVED,
        Reason.MAILBOX_DISABLED,
        Reason.MAILBOX_FULL,
        Reason.BAD_ADDRESS,
        Reason.DOMAIN_NOT_FOUND,
        Reason.DOMAIN_NOT_ACCEPTING,
    )
)
_KNOWS_ITS_USERS = frozenset((Reason.MAILBOX_NOT_FOUND, Reason.MAILBOX_MOVED, Reason.MAILBOX_DISABLED))
# Codes that say something by themselves (RFC 5321 4.2.3, RFC 4954 4, RFC 7504 4), unlike "other 5xx".
_SPEAKING_CODES = frozenset((500, 501, 502, 503, 504, 521, 523, 530, 534, 535, 538, 555, 556))
_BARE: dict[int, AnyReason] = {
    550: Reason.MAILBOX_NOT_FOUND,
    551: Reason.MAILBOX_NOT_FOUND,
    552: Reason.MAILBOX_FULL,
    553: Reason.MAILBOX_NOT_FOUND,
}
# A bounce tells these apart; whoever asks about a mailbox learns the same from all of them: it is about us.
_SAID_IN_ONE_WORD: dict[AnyReason, AnyReason] = {
    Reason.REPUTATION: Reason.BLOCKED,
    Reason.PTR_MISSING: Reason.BLOCKED,
    Reason.AUTH_FAILED: Reason.SENDER_REJECTED,
}
_WORD = re.compile(r"[a-z0-9]+")
# Words that say no more than the code: the standard texts of RFC 5321 4.2.3 and their like.
_EMPTY_WORDS = frozenset(
    _WORD.findall(
        "no not ok error failed failure transaction rejected refused denied sorry bye permanent permanently temporary "
        "temporarily requested action mail taken aborted available unavailable service try again later please"
    )
)


# Words about the client, the connection or the way it asks. Of a text that no row knows they say that it is not about
# the mailbox: a code alone may be weak evidence, a code against its own words is none.
_NOT_THE_MAILBOX = frozenset(
    _WORD.findall(
        "ip ips client clients connection connections connect connecting connected network networks isp mta spam "
        "spammer spammers spamming antispam attack attacks harvest harvesting harvester verification verifications "
        "verify callout callouts callback callbacks probe probes probing bounce bounces backscatter block blocked "
        "blocking blocks blacklist blacklisted blocklist blocklisted banned ban listed listing dynamic residential "
        "dialup reverse rdns ptr dns helo ehlo sender senders spf dkim dmarc tls ssl encryption encrypted certificate "
        "country region geo traffic rate frequency frequently limit limits limited many volume reputation throttled "
        "throttling abuse abusive policy policies security firewall filter filtered greylist greylisted relay relaying "
        "auth authenticate authentication authenticated authorized permission permitted protocol synchronization "
        "trust trusted untrusted suspicious suspected unsolicited"
    )
)
_IP_ADDRESS = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]*\w)", re.ASCII)
_A_NAME = re.compile(r"\S*(?:@|://|\w[.]\w)\S*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one reply says about the recipient.

    status: VALID for an acceptance, still subject to the catch-all question (`combine`). evidence: what decided,
    `enhanced:5.1.1`, `text:mailbox-full`, `code:550`; `code:` is weak evidence.
    """

    status: Status
    reason: AnyReason
    evidence: str

    @property
    def is_about_the_address(self) -> bool:
        """A refusal that another client would have met too."""
        return self.status is Status.INVALID

    @property
    def proves_no_catch_all(self) -> bool:
        """A domain that knows who is not there does not accept everybody; a full mailbox proves nothing of the kind."""
        return self.status is Status.INVALID and self.reason in _KNOWS_ITS_USERS

    @property
    def is_about_us(self) -> bool:
        """A block or a rate limit: whoever goes on asking makes it worse."""
        return self.reason in (Reason.BLOCKED, Reason.RATE_LIMITED)


def judge(
    reply: SmtpReply,
    stage: Stage = Stage.RCPT,
    *,
    rules: tuple[ReplyRow, ...] = (),
    remote_host: str | None = None,
) -> Verdict:
    """What a reply says about the recipient, given the command that it answers; the first rule that fits decides.

    rules: rows of your own, tried before ours. remote_host: the server's name, for what is known of single providers.

    >>> str(judge(SmtpReply.parse("550 5.1.1 no such user")).status)
    'invalid'
    >>> str(judge(SmtpReply.parse("550 5.7.1 Client host [192.0.2.25] blocked using zen.spamhaus.org")).reason)
    'blocked'
    """
    if reply.code < 400:
        return _judge_acceptance(reply.code, stage)
    meaning = reply.meaning(stage, rules=rules, remote_host=remote_host)
    reason: AnyReason = meaning.reason or Reason.UNKNOWN
    reason = _SAID_IN_ONE_WORD.get(reason, reason)
    evidence = meaning.evidence
    bare = _bare_reason(reply, stage, evidence)
    if bare is not None:
        reason, evidence = bare, "text:not-the-mailbox" if bare is Reason.POLICY else f"code:{reply.code}"
    if stage is not Stage.RCPT:
        return Verdict(status=Status.UNKNOWN, reason=_before_rcpt(reason, reply.code, stage), evidence=evidence)
    invalid = reply.code >= 500 and _class_of(reply.enhanced_status) != 4 and reason in _ABOUT_THE_ADDRESS
    return Verdict(status=Status.INVALID if invalid else Status.UNKNOWN, reason=reason, evidence=evidence)


def _judge_acceptance(code: int, stage: Stage) -> Verdict:
    evidence = f"code:{code}"
    if stage is Stage.RCPT and code == 250:
        return Verdict(status=Status.VALID, reason=Finding.ACCEPTED, evidence=evidence)
    if stage is Stage.RCPT and code == 251:
        return Verdict(status=Status.VALID, reason=Finding.ACCEPTED_FORWARDED, evidence=evidence)
    reason = Finding.ACCEPTED_UNVERIFIED if stage is Stage.RCPT and code == 252 else Reason.PROTOCOL_ERROR
    return Verdict(status=Status.UNKNOWN, reason=reason, evidence=evidence)


def _class_of(status: EnhancedStatus | None) -> int | None:
    return None if status is None else status.status_class


def _bare_reason(reply: SmtpReply, stage: Stage, evidence: str) -> AnyReason | None:
    """The simple table of codes, for a reply that says nothing else; None: leave it as it was read.

    POLICY where only the code speaks of the mailbox, and the words of something else.
    """
    if (
        stage is Stage.RCPT
        and reply.code in _BARE
        and evidence.startswith("code:")
        and _speaks_of_something_else(reply)
    ):
        return Reason.POLICY
    status = reply.enhanced_status
    if status is not None and (status.subject, status.detail) != (0, 0):
        return None
    if reply.code < 500 and _says_nothing(reply):
        # 450 and 451 are also lookup failures and full disks, but those say so.
        if stage is Stage.CONNECT:
            return Reason.BLOCKED if reply.code == 421 else None
        return Reason.GREYLISTED if stage is Stage.RCPT and reply.code in (450, 451) else None
    if stage is not Stage.RCPT or reply.code < 500 or not evidence.startswith("code:"):
        return None
    if reply.code in _BARE:
        return _BARE[reply.code]
    return Reason.MAILBOX_NOT_FOUND if reply.code not in _SPEAKING_CODES and _says_nothing(reply) else None


def _says_nothing(reply: SmtpReply) -> bool:
    return _EMPTY_WORDS.issuperset(_WORD.findall(reply.text[:500].lower()))


def _speaks_of_something_else(reply: SmtpReply) -> bool:
    """The words are about the client, or the way it asks; addresses, host names and links in them say nothing."""
    text = reply.text[:500].lower()
    if _IP_ADDRESS.search(text) is not None:
        return True
    return not _NOT_THE_MAILBOX.isdisjoint(_WORD.findall(_A_NAME.sub(" ", text)))


def _before_rcpt(reason: AnyReason, code: int, stage: Stage) -> AnyReason:
    """Nobody was named yet: words that blame the mailbox are about the sender, or about us."""
    if reason not in _ABOUT_THE_ADDRESS:
        return reason
    if code < 500:
        return Reason.TEMPORARY_FAILURE
    return Reason.SENDER_REJECTED if stage is Stage.MAIL else Reason.BLOCKED


def combine(target: Verdict, catch_all: bool | None) -> Verdict:
    """The verdict about the target once it is known, or known to stay unknown, whether the domain takes everybody."""
    if target.status is not Status.VALID or catch_all is False:
        return target
    if catch_all:
        return Verdict(status=Status.CATCH_ALL, reason=target.reason, evidence=target.evidence)
    return Verdict(status=Status.UNKNOWN, reason=Finding.CATCH_ALL_UNDETERMINED, evidence=target.evidence)


def judge_catch_all(random: Verdict) -> bool | None:
    """What the reply to an address that nobody has says about the domain; None when it was not about the address."""
    if random.status is Status.VALID:
        return True
    return False if random.status is Status.INVALID else None


_HOURS = re.compile(r"\b(\d{1,2}):([0-5]\d):([0-5]\d)\b")
_SPAN = re.compile(r"\b(\d{1,5})\s{0,3}(s|sec|secs|second|seconds|m|min|mins|minute|minutes|h|hour|hours)\b", re.ASCII)
_UNITS = {"s": 1, "m": 60, "h": 3600}
MAX_HINT_SECONDS = 86_400


def retry_hint(reply: SmtpReply) -> int | None:
    """Seconds after which the server says that it may be asked again; None when it does not say.

    >>> retry_hint(SmtpReply.parse("451 4.7.1 Greylisting in action, please come back in 00:05:00"))
    300
    """
    text = reply.text[:1_000].lower()
    clock = _HOURS.search(text)
    if clock is not None:
        seconds = int(clock[1]) * 3600 + int(clock[2]) * 60 + int(clock[3])
    else:
        span = _SPAN.search(text)
        if span is None:
            return None
        seconds = int(span[1]) * _UNITS[span[2][0]]
    return min(seconds, MAX_HINT_SECONDS) or None
