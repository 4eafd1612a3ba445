"""All dialects in the order in which they are tried."""

from __future__ import annotations

from mailgate.bounce._dialects_any import ANY
from mailgate.bounce._dialects_services import SERVICES, SERVICES_LAST
from mailgate.bounce._dialects_unix import UNIX, UNIX_FIRST
from mailgate.bounce._dialects_windows import WINDOWS
from mailgate.bounce._engine import DialectTable

DIALECTS = (*UNIX_FIRST, *SERVICES, *WINDOWS, *UNIX, *SERVICES_LAST, *ANY)
DIALECT_TABLE = DialectTable(DIALECTS)
