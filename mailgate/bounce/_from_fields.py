r"""A machine-readable report: recipients out of its groups, the missing ones out of everything else.

Rule 9: a status part without a recipient group. Rule 18: a group whose recipient is a file, a pipe or a name. Rule 22:
an alias in place of its members. In each case the words know more than the fields.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mailgate.bounce._addresses import find_addresses
from mailgate.bounce._context import Context
from mailgate.bounce._dsn import fields_in_text, is_verification, recipients_of
from mailgate.bounce._engine import MAX_SHARED_CHARACTERS, MAX_TEXT_CHARACTERS
from mailgate.bounce._fields import Group, read_status_fields
from mailgate.bounce._found import Found
from mailgate.bounce._from_text import of_reading
from mailgate.bounce._returned import only_recipient
from mailgate.bounce._text import printable, split_status, text_of, unquoted

MIN_WORDS_CHARACTERS = 12  # around an address; less than that is brackets and a colon, and no words

_REPLY_CODE = re.compile(r"(?<![\w.])[245]\d\d[ -]", re.ASCII)
# What makes the words worth decoding beside a full diagnostic.
_MORE = (b"anded from", b"ated from", b"ated by", b"\n<<< ")
MAX_COMMAND_BYTES = 80  # "(in reply to end of DATA command)" with a fold
_NAME = re.compile(r"\w[\w.+=-]{0,63}")


@dataclass(slots=True)
class FieldReading:
    """What the fields gave. form: `dsn`, or `text` for fields that somebody wrote into a text."""

    found: list[Found]
    message: Group
    form: str
    evidence: str


def read_fields(context: Context) -> FieldReading | None:
    """The recipients of a delivery status part, or of such fields in the text; None when there are neither.

    An empty list of recipients means that the report is about nothing that was sent.
    """
    note = context.note
    if note.status is not None:
        text, rest = split_status(printable(text_of(note.status)))
        fields = read_status_fields(text)
        if not fields.recipients and not fields.message.items:
            return None
        note.add_rest(rest)
        form, evidence = "dsn", note.status.content_type
    else:
        words = note.words
        if "-recipient" not in words and "-Recipient" not in words and "-RECIPIENT" not in words:
            return None
        words = unquoted(note.text)
        in_text = fields_in_text(words, words.lower())
        if in_text is None:
            return None
        fields = in_text
        note.replace_text(words)
        form = "dsn" if context.mail.content_type == "multipart/report" else "text"
        evidence = "fields in the text"
    if is_verification(fields):
        return FieldReading([], fields.message, form, "address verification")
    for defect in fields.defects:
        context.note_defect(defect)
    found = _completed(context, recipients_of(fields))
    return FieldReading(found, fields.message, form, evidence)


def _completed(context: Context, found: list[Found]) -> list[Found]:
    """Recipients for groups that name none, and the notification's lines for each."""
    nameless = [one for one in found if one.recipient is None]
    if nameless or not found:
        found = _named(context, found, nameless)
    if len(found) > 1:
        _tell_aliases_apart(context, found)
    alone = len(found) == 1
    command = _command_alone(context)
    for one in found:
        if one.text:
            continue
        if command is not None and one.diagnostic_code and _REPLY_CODE.search(one.diagnostic_code) is not None:
            one.command = command
        else:
            one.text = _text_of(context, one, alone)
    for one in found:
        if one.action is None:
            one.action = context.said_action()
            one.inferred.append("action")
    return found


def _named(context: Context, found: list[Found], nameless: list[Found]) -> list[Found]:
    taken = {one.recipient.lower() for one in found if one.recipient is not None}
    reading = context.reading
    drafts = [draft for draft in reading.drafts if draft.address.lower() not in taken] if reading else []
    if reading is not None and drafts and (len(nameless) in (1, len(drafts)) or not found):
        if not found:
            return of_reading(context, reading)
        for one, draft in zip(nameless, drafts, strict=False):
            _fill(one, draft.address, draft.text)
        for draft in drafts[len(nameless) :]:
            found.append(_like(nameless[0], draft.address, draft.text))
        return found
    address = None if context.returned is None else only_recipient(context.returned, context.note.lower)
    if address is not None and address.lower() not in taken and len(nameless) <= 1:
        context.note_defect("recipient_from_returned_message")
        if not found:
            return [Found(recipient=address, inferred=["recipient"])]
        _fill(nameless[0], address, "")
    for one in found:
        if one.recipient is None:
            one.recipient = _bare_name(one.final_recipient) or _bare_name(one.original_recipient)
            context.note_defect("recipient_is_no_address" if one.recipient else "no_recipient")
    return found


def _fill(one: Found, address: str, text: str) -> None:
    one.recipient, one.text = address, text
    one.inferred.append("recipient")


def _like(first: Found, address: str, text: str) -> Found:
    """Another recipient of a group that stands for several."""
    other = Found(
        action=first.action,
        status=first.status,
        status_text=first.status_text,
        diagnostic_code=first.diagnostic_code,
        diagnostic_type=first.diagnostic_type,
        fields=first.fields,
    )
    _fill(other, address, text)
    return other


def _bare_name(text: str | None) -> str | None:
    """A recipient field's value when it is one word: a name that only the reporting host knows."""
    return text if text and _NAME.fullmatch(text) else None


def _tell_aliases_apart(context: Context, found: list[Found]) -> None:
    """Groups with the same Final-Recipient, an alias with several members (Exim, Sendmail): tell the members apart.

    The alias is who was written to, and stays the recipient; the member is final in the RFC's sense (RFC 3464 2.3.2),
    though the field says otherwise. What it says stays in `fields`.
    """
    by_final: dict[str, list[Found]] = {}
    for one in found:
        if one.recipient is not None and one.original_recipient is None:
            by_final.setdefault(one.recipient.lower(), []).append(one)
    for alias, same in by_final.items():
        if len(same) < 2:
            continue
        members = [one.actual_recipient for one in same]
        if None in members:
            members = _members(context, alias, same)
        if len({member.lower() for member in members if member}) != len(same):
            continue
        context.note_defect("alias_as_final_recipient")
        for one, member in zip(same, members, strict=True):
            one.final_recipient = member
            one.inferred.append("final_recipient")


def _members(context: Context, alias: str, same: list[Found]) -> list[str | None]:
    """The members of an alias that the words name, each to the group whose diagnostic names it, the rest in order."""
    reading = context.reading
    if reading is None:
        return []
    waiting = {
        draft.address.lower(): draft.address
        for draft in reading.drafts
        if draft.alias is not None and draft.alias.lower() == alias
    }
    members: list[str | None] = [None] * len(same)
    for number, one in enumerate(same):
        said = find_addresses((one.diagnostic_code or "").lower())
        key = next((address for address in said if address in waiting), None)
        if key is not None:
            members[number] = waiting.pop(key)
    left = iter(waiting.values())
    return [next(left, None) if given is None else given for given in members]


def _command_alone(context: Context) -> str | None:
    """Which command was refused, in the words of Postfix or Exim, when beside full diagnostics nothing else is news.

    None when the words may say more: an alias, a transcript, anything encoded. Nothing is decoded to find that out.
    """
    place = context.note.raw_range() if context.note.status is not None else None
    if place is None:
        return None
    raw = context.mail.raw
    start, end = place
    for piece in _MORE:
        if raw.find(piece, start, end) != -1:
            return None
    at = raw.find(b"(in reply to ", start, end)
    if at != -1:
        stop = raw.find(b")", at, min(at + MAX_COMMAND_BYTES, end))
        return raw[at : stop + 1].decode("latin-1") if stop != -1 else ""
    at = raw.find(b" after ", start, end)
    return raw[at : min(at + 24, end)].decode("latin-1") if at != -1 else ""


def _text_of(context: Context, one: Found, alone: bool) -> str:
    """The lines of the notification about one recipient; with no diagnostic, all of it when nobody else is in it."""
    words = context.note.words
    said = ""
    for address in (one.final_recipient, one.recipient, one.actual_recipient):
        if address and "@" in address:
            at = words.find(address)
            if at != -1:
                start = words.rfind("\n", 0, at) + 1
                end = words.find("\n\n", at)
                said = words[start : end if end != -1 else None][:MAX_TEXT_CHARACTERS].strip()
                if one.diagnostic_code is None and len(said) < len(address) + MIN_WORDS_CHARACTERS:
                    said = ""
                break
    if not said and one.diagnostic_code is None and alone:
        return context.note.text[:MAX_SHARED_CHARACTERS].strip()
    if "\n<<< " in words:
        # A session transcript (Sendmail): its first refusal is the cause, whatever the fields made of it (rule 31).
        start = words.rfind("\n\n", 0, words.find("\n<<< ")) + 2
        said = f"{said}\n{words[start : start + MAX_TEXT_CHARACTERS].strip()}".strip()
    return said
