"""The one form in which reply texts are compared: lower-case words with single spaces between and around them.

Punctuation, case, accents, underscores and line ends differ from server to server and mean nothing; `Mailbox-full`,
`MAILBOX_FULL` and `mailbox full.` are the same words. Three things are taken out before that, because their letters
are somebody's name and not the server's opinion: mail addresses become `xaddr` (`spam@example.com` does not speak of
spam), host names become `xhost` (`antispam.example.com` neither) and IP addresses become `xip`. Host names that do
say something stay: those of block lists and of the pages that replies point to. A host that is only quoted
(`host mx.example[192.0.2.1] said:`) is taken out whole: its IP address is not ours.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Replies are at most 512 octets a line (RFC 5321 4.5.3.1.5); the words that matter stand in the first few lines.
MAX_TEXT_CHARACTERS = 2_000
_MAX_KEPT_CHARACTERS = 64  # of a word

ADDRESS_WORD = "xaddr"
IP_WORD = "xip"
HOST_WORD = "xhost"

_LOCAL = r"\w.+=!#$%&'*/?^`{|}~-"
# The look-behind lets a match start only where a run of local-part characters starts, so each run is read once.
_ADDRESS = re.compile(rf"<[^<>\n]{{1,320}}@[^<>\n]{{0,255}}>|(?<![{_LOCAL}])[{_LOCAL}]+@[\w.-]+")
_IPV4 = re.compile(r"(?<![\w.])\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?!\.?\w)")
_IPV6 = re.compile(r"(?<![\w:])[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){3,7}(?:\.\d{1,3}){0,3}(?![\w:])")
_TWO_COLONS = re.compile(r":[0-9a-f]{0,4}:[0-9a-f]{0,4}(?:[:\].]|$)")
# A name with a top-level domain. Of two labels only where the second is no English word, because sentences are joined
# without a space ("Mailbox full.In case of").
_TOP = (
    "com|net|org|edu|gov|mil|int|info|biz|test|example|invalid|local|localdomain|lan|internal|de|fr|jp|cn|ru|uk|nl|pl"
    "|es|br|au|ca|ch|se|fi|dk|kr|tw|cz|hu|ro|ua|gr|pt|tr|il|za|mx|ar|eu"
)
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?<![\w.@-])(?:{_LABEL}\.(?:{_TOP})|(?:{_LABEL}\.){{2,8}}(?:[a-z]{{2}}|{_TOP}))(?![\w-])(?!\.\w)")
_TELLING_LABELS = frozenset(
    ("rbl", "dnsbl", "dnsrbl", "bl", "dul", "zen", "sbl", "xbl", "pbl", "cbl", "psbl", "blacklist", "blocklist",
     "surbl", "uribl", "hostkarma", "spamhaus", "spamcop", "sorbs", "barracudacentral", "barracudanetworks",
     "senderbase", "talosintelligence", "abuseat", "abusix", "uceprotect", "spamrats", "spameatingmonkey",
     "mailspike", "invaluement", "backscatterer", "manitu", "njabl", "ordb", "gbudb", "junkemailfilter", "spfbl",
     "dnswl", "proofpoint", "cloudmark", "openspf", "open-spf", "pobox", "google", "t-online", "att", "godaddy",
     "secureserver", "unified-layer", "comcast", "boxbe", "spamarrest", "greylisting", "facebook", "mimecast")
)  # fmt: skip
_QUOTED_HOST = re.compile(r"\bhost [\w.-]{1,255} ?\[[0-9a-f.:x]{2,45}\](?::\d{1,5})? said:")
_ASCII_WORDS = {code: " " for code in range(128) if not chr(code).isalnum()}
_ACCENTS = re.compile("[\u0300-\u036f]")
# Letters that have no parts, and that half of all servers write without their stroke.
_LETTERS = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ı": "i", "ß": "ss", "æ": "ae", "œ": "oe"})
_WORDS = re.compile(r"[^\W_]+")


def words_of(text: str) -> str:
    """The text in its comparison form, one space at each end.

    At most `MAX_TEXT_CHARACTERS` are read.

    >>> words_of("<spam@example.com>... Mailbox_FULL (192.0.2.1)")
    ' xaddr mailbox full xip '
    """
    lowered = text[:MAX_TEXT_CHARACTERS].lower()
    if "said:" in lowered:
        lowered = _QUOTED_HOST.sub(" said ", lowered)
    if _TWO_COLONS.search(lowered):
        lowered = _IPV6.sub(f" {IP_WORD} ", lowered)
    if "@" in lowered or "." in lowered:
        # Word by word: the patterns are slow, and few words need them.
        lowered = " ".join([_marked(word) if "@" in word or "." in word[1:-2] else word for word in lowered.split()])
    if lowered.isascii():
        return f" {' '.join(lowered.translate(_ASCII_WORDS).split())} "
    # Accents off, and only those: the voicing marks of kana and the parts of hangul are put together again.
    plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", lowered).lower()).translate(_LETTERS)
    return f" {' '.join(_WORDS.findall(unicodedata.normalize('NFC', plain)))} "


def _marked(word: str) -> str:
    if "@" in word:
        word = _ADDRESS.sub(f" {ADDRESS_WORD} ", word)
        if "." not in word:
            return word
    return _with_names_marked(word) if len(word) <= _MAX_KEPT_CHARACTERS else _with_names_marked.__wrapped__(word)


@lru_cache(maxsize=4096)  # statuses, hosts and the last words of sentences come again and again
def _with_names_marked(word: str) -> str:
    return _HOST.sub(_host, _IPV4.sub(f" {IP_WORD} ", word))


def _host(match: re.Match[str]) -> str:
    return match[0] if _TELLING_LABELS.intersection(match[0].split(".")) else f" {HOST_WORD} "
