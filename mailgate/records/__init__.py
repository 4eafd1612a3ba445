r"""The small frozen records that the rooms share, and nothing else.

Every record has `to_dict`/`from_dict` and pickles, so it can cross a process or a wire.
"""

from mailgate.records._address import Address, address_key, domain_to_ascii, map_domain
from mailgate.records._errors import MailgateError, ParseError
from mailgate.records._event import Event, EventKind, event_id_of
from mailgate.records._keys import KeyRing
from mailgate.records._lookup import Lookup, LookupStatus, Resolve
from mailgate.records._mail import Headers, Mail, MailLimits, Part
from mailgate.records._reasons import FAULTS, Fault, Permanence, Reason
from mailgate.records._ref import REF_HEADER, MessageRef, RefSigner
from mailgate.records._reply import Meaning, SmtpReply, Stage, meaning_of
from mailgate.records._reply_find import FoundReply, find_reply, find_stage
from mailgate.records._reply_rules import ReplyRow
from mailgate.records._status import EnhancedStatus

__all__ = [
    "FAULTS",
    "REF_HEADER",
    "Address",
    "EnhancedStatus",
    "Event",
    "EventKind",
    "Fault",
    "FoundReply",
    "Headers",
    "KeyRing",
    "Lookup",
    "LookupStatus",
    "Mail",
    "MailLimits",
    "MailgateError",
    "Meaning",
    "MessageRef",
    "ParseError",
    "Part",
    "Permanence",
    "Reason",
    "RefSigner",
    "ReplyRow",
    "Resolve",
    "SmtpReply",
    "Stage",
    "address_key",
    "domain_to_ascii",
    "event_id_of",
    "find_reply",
    "find_stage",
    "map_domain",
    "meaning_of",
]
