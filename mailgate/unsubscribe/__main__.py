"""`python -m mailgate.unsubscribe` is `mailgate unsubscribe`."""

import sys

from mailgate.cli import main

raise SystemExit(main(["unsubscribe", *sys.argv[1:]]))
