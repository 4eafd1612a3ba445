"""A report in words: recipients that a dialect's row found, or the one that the returned message went to."""

from __future__ import annotations

from dataclasses import dataclass

from mailgate.bounce._context import Context
from mailgate.bounce._engine import MAX_SHARED_CHARACTERS, TextReading
from mailgate.bounce._found import Found
from mailgate.bounce._notice import Likeness, is_from_mail_system
from mailgate.bounce._returned import only_recipient
from mailgate.bounce._ses import SesNotice, read_ses


@dataclass(slots=True)
class WordReading:
    """What the words gave. is_anchored: the words are those of a program that we know."""

    found: list[Found]
    dialect: str
    is_anchored: bool = True
    ses: SesNotice | None = None


def read_words(context: Context) -> WordReading | None:
    """The recipients that a notification names; None when it names none and is not surely about a failure."""
    note = context.note
    if not note.words.strip() and "x-failed-recipients" not in context.headers:
        return None
    ses = read_ses(note)
    if ses is not None:
        return WordReading(ses.found, "amazon-ses", ses=ses)
    reading = context.reading
    if reading is not None:
        is_anchored = reading.dialect.likeness < Likeness.SURE
        return WordReading(of_reading(context, reading), reading.dialect.name, is_anchored)
    return _of_returned(context)


def is_quoted(context: Context, found: list[Found]) -> bool:
    """True when a sender that is no mail system only quotes the report: a help desk's receipt, a colleague's answer."""
    text = context.note.text
    if "\n>" not in text or is_from_mail_system(context.headers, by_path=False):
        return False
    lines = [line for line in text.split("\n") if "@" in line]
    for one in found:
        naming = [line for line in lines if one.recipient and one.recipient in line]
        if not naming or not all(line.startswith(">") for line in naming):
            return False
    return bool(found)


def of_reading(context: Context, reading: TextReading) -> list[Found]:
    """What the engine found, as recipients."""
    action = reading.dialect.action or context.said_action()
    found = []
    for draft in reading.drafts:
        one = Found(recipient=draft.address, action=action, dialect=reading.dialect.name, hint=reading.dialect.hint)
        one.text = draft.text
        if draft.alias and draft.alias.lower() != draft.address.lower():
            one.mailed_recipient = draft.alias
        one.inferred.append("action")
        found.append(one)
    return found


def _of_returned(context: Context) -> WordReading | None:
    """Nobody is named in what is surely a failure notice: the returned message knows whom it went to (rule 9)."""
    if context.likeness < Likeness.SURE or not is_from_mail_system(context.headers):
        return None
    returned = context.returned
    address = None if returned is None else only_recipient(returned, context.note.lower)
    if address is None:
        return None
    context.note_defect("recipient_from_returned_message")
    found = Found(recipient=address, action=context.said_action(), dialect="returned-message")
    found.text = context.note.text[:MAX_SHARED_CHARACTERS].strip()
    found.inferred.extend(("recipient", "action"))
    return WordReading([found], "returned-message", False)
