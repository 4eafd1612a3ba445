r"""The ways in which a row finds its recipients; a row names them in `find`, the first to find somebody counts.

Each gets the row, what is looked at, and the lines between the row's `after` and `until`; it gives drafts in the
order of the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

from mailgate.bounce._addresses import MAX_LINE_CHARACTERS, find_addresses, read_address
from mailgate.bounce._dialect import Dialect
from mailgate.bounce._lines import RecipientLine, alias_in, read_recipient_line
from mailgate.bounce._source import MAX_TEXT_CHARACTERS, Draft, Source, is_own, text_about

MAX_RECIPIENTS_IN_TEXT = 10_000
MAX_OWN_LINES = 200  # behind one recipient
MAX_CONTEXT_LINES = 8  # of a transcript or of what follows a hit


def _by_lines(dialect: Dialect, source: Source, lines: list[str]) -> list[Draft]:
    drafts: list[Draft] = []
    indent = base = -1
    previous_blank = True
    named = False  # whether the entry at hand has given an address
    own: list[str] = []

    def finish() -> None:
        if drafts and own:
            draft = drafts[-1]
            draft.text = "\n".join(own).strip()[:MAX_TEXT_CHARACTERS]
            draft.alias = draft.alias or alias_in(" ".join(line.strip() for line in own[:3]))
        own.clear()

    for line in lines:
        found = None
        if "@" in line or dialect.local_part:
            found = _recipient(dialect, source, line, indent, previous_blank)
        previous_blank = not line or line.isspace()
        if found is None:
            alias = alias_in(line) if dialect.aliases and "@" in line else None
            if alias is not None and not named:
                # Exim, Sendmail: a pipe, a file or a hidden address, and below it where it came from.
                finish()
                drafts.append(Draft(alias))
                named = True
            elif not previous_blank:
                width = len(line) - len(line.lstrip())
                base = width if base < 0 else base
                named = named and width > base
            if drafts and len(own) < MAX_OWN_LINES:
                own.append(line)
            continue
        finish()
        named = True
        base = found.indent
        if indent < 0 and dialect.same_indent:
            indent = found.indent
        drafts.append(Draft(found.address))
        drafts.extend(Draft(address) for address in found.others)
        if found.rest:
            own.append(found.rest)
        if len(drafts) > MAX_RECIPIENTS_IN_TEXT:
            break
    finish()
    return drafts


def _recipient(dialect: Dialect, source: Source, line: str, indent: int, previous_blank: bool) -> RecipientLine | None:
    if "@" not in line:
        if not dialect.local_part or not line.strip():
            return None
        return _local(dialect, source, line, indent)
    if dialect.blank_before and not previous_blank:
        return None
    if indent >= 0 and len(line) - len(line.lstrip()) != indent:
        return None
    found = read_recipient_line(line)
    if found is None or found.shape not in dialect.shapes:
        return None
    if not dialect.keep_own and not found.others and is_own(found.address, source):
        return None
    return found


_GAP = re.compile(r"\s{2,}|\t")
_LOCAL_PART = re.compile(r"\w[\w.+=-]{0,63}")


def _local(dialect: Dialect, source: Source, line: str, indent: int) -> RecipientLine | None:
    """A bare local part alone on its line: the full address must stand elsewhere, or the report's own domain is
    taken."""
    word = line.strip()
    if " " in word or "\t" in word:
        if "  " not in word and "\t" not in word:
            return None
        word = _GAP.split(word, maxsplit=1)[0]
    word = word.strip("<>*\"'")
    own_indent = len(line) - len(line.lstrip())
    if len(word) > 64 or _LOCAL_PART.fullmatch(word) is None or (indent >= 0 and own_indent != indent):
        return None
    address = _completed(word, source, dialect.after)
    return None if address is None else RecipientLine(address, "local", "", own_indent)


def _completed(local: str, source: Source, after: tuple[str, ...]) -> str | None:
    lowered = local.lower() + "@"
    for address in (*source.known, *find_addresses(source.text[:MAX_LINE_CHARACTERS])):
        if address.lower().startswith(lowered):
            return address
    if not after:
        return None
    sender = read_address(source.headers.get("from") or "")
    return None if sender is None else f"{local}@{sender.rpartition('@')[2]}"


def _by_labels(dialect: Dialect, source: Source, lines: list[str]) -> list[Draft]:
    """`Recipient: user@host`, also with the address on the next line; what follows belongs to it."""
    drafts: list[Draft] = []
    waiting = False
    for line in lines:
        stripped = line.strip(" \t*->|\u3000")
        label, colon, value = _label(stripped)
        if colon and label in dialect.labels:
            found = find_addresses(value)
            waiting = not found and not value.strip()
            drafts.extend(Draft(address) for address in found)
        elif waiting and stripped:
            recipient = read_recipient_line(line)
            if recipient is not None:
                drafts.append(Draft(recipient.address, recipient.rest))
            waiting = False
        elif drafts and stripped and len(drafts[-1].text) < MAX_TEXT_CHARACTERS:
            drafts[-1].text = f"{drafts[-1].text}\n{stripped}".strip()
    return drafts


def _label(line: str) -> tuple[str, str, str]:
    for mark in (":", "："):
        label, colon, value = line.partition(mark)
        if colon:
            return label.strip(" \t._…").lower(), colon, value
    # Tables: columns instead of a colon.
    gap = _GAP.search(line) if "@" in line else None
    return ("", "", "") if gap is None else (line[: gap.start()].lower(), " ", line[gap.end() :])


def _by_patterns(dialect: Dialect, source: Source, lines: list[str]) -> list[Draft]:
    """A row's own expressions, one line at a time; a hit has the lines up to the next hit, or since the one before."""
    hits: list[tuple[int, str]] = []
    for number, line in enumerate(lines):
        if len(line) > MAX_LINE_CHARACTERS:
            continue
        for pattern in dialect.patterns:
            match = compiled(pattern).search(line)
            address = None if match is None else read_address(match["address"])
            if address is not None:
                hits.append((number, address))
                break
    drafts = []
    for index, (number, address) in enumerate(hits):
        if dialect.explains == "before":
            first, last = hits[index - 1][0] + 1 if index else 0, number + 1
        else:
            first, last = number, hits[index + 1][0] if index + 1 < len(hits) else len(lines)
        drafts.append(Draft(address, _context(lines[first:last], before=dialect.explains == "before")))
    return drafts


def _context(lines: list[str], *, before: bool) -> str:
    said = [line for line in lines if line.strip()]
    return "\n".join(said[-MAX_CONTEXT_LINES:] if before else said[:MAX_CONTEXT_LINES])[:MAX_TEXT_CHARACTERS]


# Words before an address that make it the one that failed, and words of failure that must be near.
_TO = re.compile(
    r"(?:\bto|\bfor|\brecipients?|\baddress(?:es)?|\buser|\bmailbox|\baccount|\bmail|\bid|\battempts?|\bhost|\bfull|\bquota"
    r"|\bunknown|\bsize|\bwith|\bintended|\bis|\bà|\ban|\ba|\bper|\baan|\bdla|\bdo|\bpro|для|给|給|往|向|\bpara|\bvoor|\btil|\btill|\bdestinatario|\bdestinataire"
    r"|\bempfänger|至|到|宛|адрес\w{0,5}|\b(?:user|person|recipient|address|account|contact)\b[^@]{0,50},)(?:\(s\))?[\s:<(\['\"*=-]{0,12}$",
    re.IGNORECASE,
)
# Words behind an address that say something about it.
_SAID = re.compile(
    r"[\s>\"')\]]{1,4}(?:is|was|are|has|does|did|could|can|cannot|will|no|not|unknown|wurde|ist|existiert|n'est|n'a"
    r"|no es|não)\b|[\s>\"')\]]{0,4}(?:님|宛|さん|様|へ|に)",
    re.IGNORECASE,
)
# Whom to ask is not who failed.
_CONTACT = re.compile(r"\b(?:write to|reply to|contact)[\s:<\"]{0,4}$", re.IGNORECASE)
FAILURE_WORDS: tuple[str, ...] = (
    "deliver", "undeliver", "fail", "reject", "refus", "unknown", "bounce", "not found", "exist", "invalid", "is full",
    "mailbox full", "quota", "disabled", "no such", "unable", "error", "returned", "not accept", "unreachable",
    "could not", "couldn't", "cannot", "can't", "exceeds", "not sent", "wrong", "no longer", "not valid",
    "not a valid", "rcpt", "blocked", "trouble", "zugestellt", "unzustellbar", "nicht", "remis", "échou", "impossible",
    "entreg", "consegn", "recapit", "bezorg", "levere", "dostarcz", "достав", "退", "失敗", "エラー", "できません",
    "送信", "délivr", "avlever", "afgeleverd", "toimit", "doruč", "kézbesít", "livrat", "παράδοση", "παραδόθηκε",
    "teslim", "iletilemedi", "gönderilemedi", "无法", "無法", "失败", "배달", "전송", "발송", "반송", "未能", "gagal",
    "không", "נכשל", "ล้มเหลว", "فشل", "isporuk", "neuspje", "достъп", "isporuč", "nebyl", "nepodařilo", "nepodarilo",
    "không thành công", "dikirim", "ebaõnnest", "nepavyko", "neizdevās", "ni bilo mogoče", "zwrot",
)  # fmt: skip


def _by_sentences(dialect: Dialect, source: Source, lines: list[str]) -> list[Draft]:
    """`could not be delivered to user@host`: the words before the address say that it failed."""
    drafts: list[Draft] = []
    before = ""
    for number, line in enumerate(lines[:500]):
        line = line[:MAX_LINE_CHARACTERS]
        if "@" in line:
            position = 0
            for address in find_addresses(line):
                position = line.find(address, position)
                lead = f"{before} {line[:position]}"[-120:]
                window = f"{before} {line} {' '.join(lines[number + 1 : number + 4])[:200]}".lower()
                named = _SAID.match(line, position + len(address)) is not None or (
                    _TO.search(lead) is not None and _CONTACT.search(lead) is None
                )
                if named and any(word in window for word in FAILURE_WORDS):
                    context = "\n".join(text for text in lines[max(0, number - 1) : number + 6] if text.strip())
                    drafts.append(Draft(address, context[:MAX_TEXT_CHARACTERS]))
                position += len(address)
        before = line.strip()[-200:]
    return drafts


_COMMAND = re.compile(r"rcpt\s{0,3}to\s{0,3}:?\s{0,3}<?\s{0,3}([^\s<>]{3,320})", re.IGNORECASE)


def _by_commands(dialect: Dialect, source: Source, lines: list[str]) -> list[Draft]:
    """`RCPT TO:<user@host>` of a session transcript, followed by a refusal (4yz or 5yz) or by nothing."""
    drafts: list[Draft] = []
    for number, line in enumerate(lines):
        match = _COMMAND.search(line[:MAX_LINE_CHARACTERS]) if "@" in line else None
        address = None if match is None else read_address(match[1])
        if address is None:
            continue
        replies = [text for text in lines[number : number + 6] if text.strip()]
        following = next((text for text in replies[1:] if re.search(r"\b[245]\d\d[ -]", text)), "")
        if re.search(r"\b2\d\d[ -]", following):
            continue
        drafts.append(Draft(address, "\n".join(replies)[:MAX_TEXT_CHARACTERS]))
    return drafts


def _by_headers(dialect: Dialect, source: Source, lines: list[str]) -> list[Draft]:
    """A header field that lists the failed recipients (X-Failed-Recipients)."""
    drafts: list[Draft] = []
    for name in dialect.header_names:
        for value in source.headers.get_all(name.lower()):
            for item in value.replace(";", ",").split(","):
                address = read_address(item)
                if address is not None:
                    drafts.append(Draft(address, text_about(source, address)))
        if drafts:
            break
    return drafts


def _by_subject(dialect: Dialect, source: Source, lines: list[str]) -> list[Draft]:
    """`Undeliverable: user@host`, `Your message to user@host could not be delivered` in the subject."""
    subject = source.subject
    if not any(word in subject.lower() for word in FAILURE_WORDS):
        return []
    return [Draft(address, text_about(source, address)) for address in find_addresses(subject)]


@lru_cache(maxsize=512)
def compiled(pattern: str) -> re.Pattern[str]:
    """A dialect's pattern, compiled once."""
    return re.compile(pattern, re.IGNORECASE)


METHODS: Mapping[str, Callable[[Dialect, Source, list[str]], list[Draft]]] = {
    "lines": _by_lines,
    "labels": _by_labels,
    "patterns": _by_patterns,
    "sentences": _by_sentences,
    "commands": _by_commands,
    "headers": _by_headers,
    "subject": _by_subject,
}
