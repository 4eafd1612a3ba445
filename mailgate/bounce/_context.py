"""One message while it is being read: its parts, found once, and what was noticed on the way."""

from __future__ import annotations

from functools import lru_cache

from mailgate.bounce._dialects import DIALECT_TABLE, DIALECTS
from mailgate.bounce._engine import Dialect, DialectTable, Source, TextReading, read_text
from mailgate.bounce._notice import Likeness, likeness
from mailgate.bounce._returned import returned_headers
from mailgate.bounce._settings import BounceSettings
from mailgate.bounce._text import Notification
from mailgate.records import Headers, Mail

# Words that say that the mail system has not given up. Lower case.
_DELAY_WORDS: tuple[str, ...] = (
    "not yet been delivered", "been delayed", "is delayed", "was delayed", "delivery attempts will continue",
    "will continue to be made", "will be retried", "will keep trying", "will continue trying", "will continue to try",
    "warning message only", "warning only", "temporary failure report", "do not need to resend", "still being retried",
    "need not resend", "not yet received a copy", "delayed for more than", "message delayed", "delayed mail",
    "noch nicht zugestellt", "n'a pas encore été", "aún no se ha", "non è ancora stat", "ainda não foi",
    "まだ配信されて", "will retry for", "noch nicht übermittelt", "hat sich verzögert", "zustellung verzögert",
    "nog niet bezorgd", "is vertraagd", "a été retardé", "remise différée", "n'a toujours pas", "se ha retrasado",
    "entrega retrasada", "non è stato ancora", "è stato posticipato", "recapito ritardato", "foi adiad",
    "entrega atrasada", "еще не доставлен", "ещё не доставлен", "отложена", "задерживается", "配信が遅延", "配信遅延",
    "jeszcze dostarczon", "jest opóźnion", "已延迟", "尚未送达", "传递延迟", "尚未傳遞", "지연되",
    "ännu inte levererat", "har försenats", "er forsinket", "ble forsinket", "on viivästynyt", "bylo zpožděno",
    "se zpozdilo", "gecikti", "késleltetve", "a fost întârziat", "затримано", "відкладено", "καθυστέρησε",
)  # fmt: skip
# One of these is in each of the words above; most notices have none of them.
_DELAY_HINTS = (
    "delay", "yet", "attempts will", "continue", "retried", "trying", "warning", "temporary", "resend", "retry for",
    "niet bezorgd", "vertraagd", "forsinket", "retrasa", "ritardat", "posticipat", "atrasad", "foi adiad", "gecikti",
    "noch nicht", "toujours", "jeszcze", "zpozdilo",
)  # fmt: skip
_FOREIGN_DELAY_HINTS = (
    "zugestellt", "encore", "aún", "ancora", "ainda", "まだ", "noch nicht", "verzögert", "été retard", "différée",
    "toujours", "еще", "ещё", "отлож", "задерж", "遅延", "jeszcze", "opóźn", "延迟", "尚未", "지연", "ännu",
    "försenats", "viivästynyt", "zpo", "késleltetve", "întârziat", "затримано", "відкладено", "καθυστέρησε",
)  # fmt: skip
_GIVEN_UP_WORDS: tuple[str, ...] = (
    "not going to try again", "permanent error", "failed permanently", "gave up", "giving up on",
)  # fmt: skip
_SUCCESS_WORDS = (
    ("successfully delivered", "delivered"),
    ("successfully relayed", "relayed"),
    ("successfully expanded", "expanded"),
)
MAX_ACTION_CHARACTERS = 20_000  # of the notification, looked at for words of delay


class Context:
    """The message, its notification and its returned copy; the dialect engine's reading, made once when asked for."""

    __slots__ = (
        "_likeness", "_reading", "_returned", "_source", "_subject", "defects", "headers", "mail", "note", "settings"
    )  # fmt: skip

    def __init__(self, mail: Mail, settings: BounceSettings) -> None:
        self.mail = mail
        self.settings = settings
        self.headers = mail.headers
        self.note = Notification(mail)
        self.defects: list[str] = []
        self._subject: str | None = None
        self._likeness: Likeness | None = None
        self._source: Source | None = None
        self._reading: tuple[TextReading | None] | None = None
        self._returned: tuple[Headers | None] | None = None

    @property
    def subject(self) -> str:
        """Subject of the report, decoded; "" when it has none."""
        if self._subject is None:
            self._subject = self.headers.decoded("subject") or ""
        return self._subject

    @property
    def likeness(self) -> Likeness:
        """How much the message looks like the mail system's own."""
        if self._likeness is None:
            self._likeness = likeness(self.headers, self.subject, self.note.words)
        return self._likeness

    @property
    def source(self) -> Source:
        """What the dialect engine looks at."""
        if self._source is None:
            self._source = Source(self.note.text, self.note.lower, self.headers, self.subject, self.likeness)
        return self._source

    @property
    def reading(self) -> TextReading | None:
        """The first dialect that finds a recipient in the words."""
        if self._reading is None:
            table = _table(self.settings.dialects) if self.settings.dialects else DIALECT_TABLE
            # Ordinary mail ends here: hardly any row speaks for a message without a sign of the mail system.
            speaks = table.speaks_for(self.headers, self.likeness)
            self._reading = (read_text(self.source, table) if speaks else None,)
        return self._reading[0]

    @property
    def returned(self) -> Headers | None:
        """The header of the returned message."""
        if self._returned is None:
            self._returned = (returned_headers(self.mail, self.note),)
        return self._returned[0]

    def said_action(self) -> str:
        """`failed`, or what the words of the notification and the subject say instead (RFC 3464 2.3.3)."""
        said = f"{self.subject.lower()}\n{self.note.lower[:MAX_ACTION_CHARACTERS]}"
        if "success" in said:
            for words, action in _SUCCESS_WORDS:
                if words in said:
                    return action
        for hint in _DELAY_HINTS if said.isascii() else (*_DELAY_HINTS, *_FOREIGN_DELAY_HINTS):
            if hint in said:
                break
        else:
            return "failed"
        if not any(words in said for words in _DELAY_WORDS) or any(words in said for words in _GIVEN_UP_WORDS):
            return "failed"
        return "delayed"

    def note_defect(self, word: str) -> None:
        """Name an oddity once."""
        if word not in self.defects:
            self.defects.append(word)


@lru_cache(maxsize=8)
def _table(own: tuple[Dialect, ...]) -> DialectTable:
    return DialectTable((*own, *DIALECTS))
