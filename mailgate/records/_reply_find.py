"""The SMTP reply that stands somewhere inside a free text: a Diagnostic-Code, a transcript, a paragraph.

A three-digit number is a reply code when its surroundings say so: it stands at the start of a line or after `said:`, an
enhanced status of its class follows, a known word comes before. Ports, sizes, times, counts and queue ids have none of
that. Of several the best placed wins, then the first: later refusals in a session are consequences of the first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from mailgate.records._reply import Stage
from mailgate.records._status import EnhancedStatus

MAX_DIAGNOSTIC_CHARACTERS = 8_000
_MAX_REPLY_CHARACTERS = 2_000
_MAX_CANDIDATES = 200
_BEST_SCORE = 14  # at the start of the text, with its enhanced status behind it: nothing stands better

# It looks behind when it has the digits: a pattern that looks behind first is tried at each character.
_CODE = re.compile(r"([245]\d\d)(?<![\w.@/+-]...)(?=[ \t:;,)\]\"'\n-]|$)", re.DOTALL)
_WHOLE = re.compile(r"([45]\d\d)[ -](?=[45]\.\d{1,3}\.\d{1,3}[ \n])")
_STATUS_AFTER = re.compile(r"[ \t:;\"'(-]{1,4}#?([245])\.\d{1,3}\.\d{1,3}(?!\.?\d)")
_ARROW_IN = re.compile(r"[>\s]{0,20}<<< ?([245]\d\d)([ -]?)(.*)")
_ARROW_OUT = re.compile(r"[>\s]{0,20}>>> ?([A-Za-z]{4})")
# Words and marks before a reply code; compared with the lower-case text before it, its punctuation taken off.
_INTRODUCES = (
    "said", "says", "reply", "replied", "response", "responded", "returned", "answer", "answered", "reason", "error",
    "error code", "error_code", "errorcode", "result", "status", "code", "diagnostic", "transcript", "was", "smtp",
    "command", "data", "connection", "rcpt to", "mail from", "with", "tempfailed", "mail+rcpt", "because", "message",
    "rcpt_to]", "to me", "->", "]",
)  # fmt: skip
_PUNCTUATION = " \t\n:;\"'(<#[="
_NOT_A_CODE_BEFORE = frozenset(
    ("port", "line", "size", "year", "pid", "id", "limit", "over", "than", "most", "least", "for", "of", "after", "in",
     "about", "used")
)  # fmt: skip
_NOT_A_CODE_AFTER = re.compile(
    r"[ -]?(?:[kmg]?i?b|bytes?|kbytes?|octets|seconds?|secs?|minutes?|hours?|days?|times|messages|recipients|attempts"
    r"|%)\b",
    re.IGNORECASE,
)
_LINE_MARKS = " \t>|*\"'#([-"
_STOP_LINE = re.compile(
    r"[ \t>]*(?:giving up on |i'm not going to try|-{2,}|<<< |>>> |\.{3} while|quit\b|rset\b|"
    r"[A-Za-z-]{3,30}-(?:mta|recipient|code|date): |$)",
    re.IGNORECASE,
)
_LETTER = re.compile(r"[^\W\d_]")
_LINE_CODES = r"(?:^|(?<=[\s:;\"'])){code}[ -](?:#?{digit}\.\d{{1,3}}\.\d{{1,3}}(?=\s|$))?"
_LEADING_STATUS = re.compile(r"[\s:;\"'(-]{0,6}#?([245])\.(\d{1,3})\.(\d{1,3})(?=[\s:;,)\]-]|$)[\s:;]*")
_STAGE_OF = {
    "mail": Stage.MAIL,
    "rcpt": Stage.RCPT,
    "data": Stage.DATA,
    "bdat": Stage.DATA,
    "end ": Stage.DATA,
    "ehlo": Stage.EHLO,
    "helo": Stage.EHLO,
    "star": Stage.STARTTLS,
    "auth": Stage.AUTH,
    "init": Stage.CONNECT,
}
# How programs say which command was refused; the first four letters after these words name it.
_COMMAND_FOLLOWS = (
    "in reply to ", "after sending ", "after pipelined ", "after ", "did not like our ", "sent: ", "smtp:", "command: "
)  # fmt: skip
# The same in other words, the surest first. Before the words stands a piece of them that several have in common: one
# search for it rules them all out.
_SAYS_COMMAND: tuple[tuple[str, str, Stage], ...] = (
    ("failed ", "failed after i sent the message", Stage.DATA),
    ("failed ", "failed on data", Stage.DATA),
    (" like ", "did not like our eom", Stage.DATA),
    (" like ", "does not like recipient", Stage.RCPT),
    ("rcpt", "rcpt_to", Stage.RCPT),
    ("rcpt", "rcpt command", Stage.RCPT),
    ("rcpt", "mail+rcpt", Stage.RCPT),
    ("rcpt", "rcpt-to validation", Stage.RCPT),
    ("rejected", "recipient address rejected", Stage.RCPT),
    ("rejected", "but sender was rejected", Stage.MAIL),
    ("mail from command", "mail from command", Stage.MAIL),
    ("rejected", "my name was rejected", Stage.EHLO),
    ("greeting", "but greeting failed", Stage.CONNECT),
    ("greeting", "initial server greeting", Stage.CONNECT),
    ("greeting", "in initial greeting", Stage.CONNECT),
    ("refused to talk to me", "refused to talk to me", Stage.CONNECT),
)
_PIECES = tuple(dict.fromkeys(piece for piece, _, _ in _SAYS_COMMAND))
_SAYS_NOTHING = ("service unavailable", "remote protocol error", "transaction failed", "not delivered")
# A reply that quotes another reply, of another class and about somebody else, is not about what it quotes.
_QUOTED_REPLY = re.compile(r"([245])\d\d (?<![\w.]....)[245]\.\d{1,3}\.\d{1,3}(?=\s)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundReply:
    """A reply found in a text.

    code, enhanced_status: None when the text has none. stage: the command it answers, None when the text does not say.
    text: the words of the reply, the codes of its lines taken out; the whole input when there is no reply in it.
    line: the reply as it stands there, at most 300 characters.
    """

    code: int | None
    enhanced_status: EnhancedStatus | None
    stage: Stage | None
    text: str
    line: str


def find_reply(text: str, *, status: EnhancedStatus | None = None, recipient: str | None = None) -> FoundReply:
    """The reply that decided, found in free text.

    status: what the report says beside it; of two equal codes the one of its class is taken.
    recipient: in a transcript of several, the first refusal that names it wins over the first refusal.
    At most 8,000 characters are read.

    >>> found = find_reply("host mx.example[192.0.2.1] said: 550 5.1.1 no such user (in reply to RCPT TO command)")
    >>> found.code, str(found.enhanced_status), found.stage.value
    (550, '5.1.1', 'rcpt')
    """
    text = text[:MAX_DIAGNOSTIC_CHARACTERS]
    return _from_transcript(text, recipient) or _from_prose(text, status)


def _from_transcript(text: str, recipient: str | None) -> FoundReply | None:
    """Sendmail's transcript: `>>> RCPT To:<…>`, `<<< 550 …`, and its own sum `<user@example.com>... User unknown`."""
    if "<<<" not in text and "... " not in text:
        return None
    refusals = _refusals(text)
    named = [one for one in refusals if recipient and recipient.lower() in " ".join(one[1]).lower()]
    causes = named or [one for one in refusals if not _needs_recipient(one[0], one[1])]
    if not causes and recipient:
        summary = _summary(text, recipient)
        if summary is not None:
            return summary
    if not refusals:
        return None
    code, lines, stage = (causes or refusals)[0]
    if stage is Stage.DATA and any(_needs_recipient(code, lines) for code, lines, _ in refusals):
        stage = Stage.RCPT  # pipelining: the answer to RCPT is read after DATA was sent
    whole = " ".join(lines)
    return _found(code, whole, stage, f"{code} {whole}")


def _refusals(text: str) -> list[tuple[int, list[str], Stage | None]]:
    """Every `<<<` reply of class 4 or 5: its code, its lines, the command before it."""
    refusals: list[tuple[int, list[str], Stage | None]] = []
    stage: Stage | None = None
    open_code = 0
    for line in text.splitlines() if "<<<" in text else ():
        sent = _ARROW_OUT.match(line)
        if sent is not None:
            stage = _STAGE_OF.get(sent[1].lower())
            continue
        got = _ARROW_IN.match(line)
        if got is None:
            open_code = 0
            continue
        code = int(got[1])
        if code == open_code:
            status = _LEADING_STATUS.match(got[3])
            refusals[-1][1].append(got[3] if status is None else got[3][status.end() :])
        elif code >= 400:
            refusals.append((code, [got[3]], stage))
        open_code = code if got[2] == "-" and code >= 400 else 0
    return refusals


def _summary(text: str, recipient: str) -> FoundReply | None:
    """Sendmail's own line about the recipient, unless it only says that something went wrong."""
    mark = f"{recipient}>... "
    at = text.lower().find(mark.lower())
    if at < 0:
        return None
    start = text.rfind("\n", 0, at) + 1
    words = text[at + len(mark) :].split("\n", 1)[0].strip()
    if words.lower().startswith(_SAYS_NOTHING) or len(words) < 4:
        return None
    code = _CODE.match(text[start:at].lstrip(" >\t"))
    if code is None:
        return FoundReply(code=None, enhanced_status=None, stage=None, text=words, line=_one_line(words))
    return _found(int(code[1]), text[start:at].lstrip(" >\t")[3:] + f"{mark}{words}", None, text[start:].split("\n")[0])


def _needs_recipient(code: int, lines: list[str]) -> bool:
    return code == 503 or "valid recipients" in " ".join(lines).lower()


def _from_prose(text: str, status: EnhancedStatus | None) -> FoundReply:
    whole = _WHOLE.match(text)
    if whole is not None:  # most Diagnostic-Codes: the reply and nothing else
        return _found(int(whole[1]), _until_stop(text[3 : 3 + _MAX_REPLY_CHARACTERS]), find_stage(text), text)
    best: re.Match[str] | None = None
    best_score = 3  # below it a number is just a number
    for count, match in enumerate(_CODE.finditer(text)):
        if count >= _MAX_CANDIDATES or best_score >= _BEST_SCORE:
            break
        score = _score(text, match, status)
        if score > best_score:
            best, best_score = match, score
    stage = find_stage(text)
    if best is None:
        return FoundReply(
            code=None,
            enhanced_status=EnhancedStatus.find(text),
            stage=stage,
            text=text[:_MAX_REPLY_CHARACTERS],
            line=_one_line(text),
        )
    rest = _until_stop(text[best.end() : best.end() + _MAX_REPLY_CHARACTERS])
    if best.start() > 0 and _LETTER.search(rest) is None:
        # The code stands behind its words: "mailbox unavailable. [SMTP Error Code 550]".
        rest = f" {text[max(0, best.start() - _MAX_REPLY_CHARACTERS) : best.start()]}"
    return _found(int(best[1]), rest, stage, best[1] + rest)


def _score(text: str, match: re.Match[str], status: EnhancedStatus | None) -> int:
    before, after = text[max(0, match.start() - 60) : match.start()], text[match.end() : match.end() + 24]
    digit = match[1][0]
    score = 0
    followed = _STATUS_AFTER.match(after)
    if followed is not None and followed[1] == digit:
        score += 8
    if (not before.strip() and match.start() < 60) or before.endswith((";", "; ")):
        score += 6
    elif not before[before.rfind("\n") + 1 :].strip(_LINE_MARKS) or _is_introduced(before):
        score += 5
    elif before.endswith(": "):
        score += 3
    if after[:1] in " -" and (after[1:2].isalpha() or after[1:2] in "<#[(\"'"):
        score += 1
    if status is not None and digit == str(status.status_class):
        score += 2
    if digit == "2" and (status is None or status.status_class != 2):
        score -= 6
    if followed is None and (_last_word(before) in _NOT_A_CODE_BEFORE or _NOT_A_CODE_AFTER.match(after)):
        score -= 8
    return score


def _is_introduced(before: str) -> bool:
    lead = before.lower().rstrip(_PUNCTUATION)
    if lead.endswith(">") and "<" in lead:
        lead = lead[: lead.rfind("<")].rstrip(_PUNCTUATION)  # "after RCPT TO:<user@example.com>: 550"
    elif " size=" in lead:
        lead = lead[: lead.rfind("<")].rstrip(_PUNCTUATION) if "<" in lead else lead
    return lead.endswith(_INTRODUCES)


def _last_word(before: str) -> str:
    lead = before.rstrip(" =:#")
    return lead[-12:].lower().rpartition(" ")[2].lstrip("(")


def _until_stop(rest: str) -> str:
    """The reply itself: until the line that begins something else, without what the program says about it."""
    if "\n" in rest:
        first, *others = rest.split("\n")
        kept = [first]
        for line in others:
            if _STOP_LINE.match(line):
                break
            kept.append(line)
        rest = "\n".join(kept)
    for mark in ("(in reply to ", "(state "):
        at = rest.find(mark)
        if at >= 0:
            rest = rest[:at]
    return rest


def find_stage(text: str) -> Stage | None:
    """The command that the text says was refused: "in reply to RCPT TO", "after end of data"; None when it does not.

    >>> find_stage("SMTP error from remote mail server after initial connection").value
    'connect'
    """
    lower = text[:MAX_DIAGNOSTIC_CHARACTERS].lower()
    for words in _COMMAND_FOLLOWS:
        if words not in lower:
            continue
        start = lower.find(words)
        while start >= 0:
            stage = _STAGE_OF.get(lower[start + len(words) : start + len(words) + 4])
            if stage is not None:
                return stage
            start = lower.find(words, start + 1)
    there = {piece for piece in _PIECES if piece in lower}
    if not there:
        return None
    return next((stage for piece, words, stage in _SAYS_COMMAND if piece in there and words in lower), None)


@lru_cache(maxsize=512)
def _line_codes(code: int) -> re.Pattern[str]:
    """RFC 5321 4.2.1: every line of a reply repeats the code; reports join the lines, codes and all."""
    return re.compile(_LINE_CODES.format(code=code, digit=str(code)[0]))


def _found(code: int, rest: str, stage: Stage | None, line: str) -> FoundReply:
    quoted = next((match for match in _QUOTED_REPLY.finditer(rest) if match[1] != str(code)[0]), None)
    if quoted is not None and rest[: quoted.start()].strip(" -:;.0123456789"):
        rest = rest[: quoted.start()]
    leading = _LEADING_STATUS.match(rest)
    if leading is not None:
        own: EnhancedStatus | None = EnhancedStatus(int(leading[1]), int(leading[2]), int(leading[3]))
        words = rest[leading.end() :]
    else:
        own = EnhancedStatus.find(rest)
        own = own if own is not None and own.status_class == code // 100 else None
        words = rest.lstrip(" -:;")
    if str(code) in words:
        words = _line_codes(code).sub(" ", words)
    return FoundReply(code=code, enhanced_status=own, stage=stage, text=" ".join(words.split()), line=_one_line(line))


def _one_line(text: str) -> str:
    return " ".join(text[:600].split())[:300]
