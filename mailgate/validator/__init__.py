"""To come."""

from mailgate.validator._dedupe import dedupe_key
from mailgate.validator._syntax import ALL_FORMS, Mailbox, SyntaxFault, SyntaxOptions, SyntaxReason, check_syntax

__all__ = ["ALL_FORMS", "Mailbox", "SyntaxFault", "SyntaxOptions", "SyntaxReason", "check_syntax", "dedupe_key"]
