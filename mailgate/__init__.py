"""mailgate: everything around an MTA that decides whether the mail keeps arriving.

Import the room you need: `mailgate.validator`, `mailgate.suppression`, `mailgate.bounce`,
`mailgate.fbl`, `mailgate.dmarc`, `mailgate.engagement`, `mailgate.unsubscribe`,
`mailgate.maildir`, `mailgate.resolver`. What they share is in `mailgate.records`.
This module imports nothing, so that a cron job pays only for the rooms it uses.
"""

__version__ = "0.1.0"
