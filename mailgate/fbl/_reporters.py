"""Who sent a report, in a name for people and for the summary."""

from __future__ import annotations

from mailgate.fbl._draft import Draft
from mailgate.fbl._values import addresses
from mailgate.records import Mail

# Beginning of User-Agent in lower case -> name. A feedback loop that one company runs for many (ReturnPathFBL and its
# successors) names the provider in Source.
_BY_USER_AGENT = (
    ("yahoo!-mail-feedback", "Yahoo"),
    ("aol scomp", "AOL"),
    ("jmrp/", "Microsoft"),
    ("ntesdmarcreporter", "Netease"),
    ("abusix", "abusix"),
    ("returnpathfbl", "Validity"),
    ("validity", "Validity"),
)
_FOR_OTHERS = ("Validity",)


def reporter_of(draft: Draft, mail: Mail) -> str | None:
    """The reporting provider: what the dialect knows, Source, the user agent, else the domain of the report's From."""
    if draft.reporter is not None:
        return draft.reporter
    agent = (draft.values.get("user_agent") or "").lower()
    name = next((name for beginning, name in _BY_USER_AGENT if agent.startswith(beginning)), None)
    if name is None or name in _FOR_OTHERS:
        source = next((value for key, value in draft.fields if key.lower() == "source" and draft.form == "arf"), None)
        name = source or name
    if name is not None:
        return name
    found = addresses(mail.headers.get("from") or "")
    return found[0].rpartition("@")[2].lower() if found else None
