"""`python -m mailgate.suppression` is `mailgate suppress`."""

import sys

from mailgate.cli import main

raise SystemExit(main(["suppress", *sys.argv[1:]]))
