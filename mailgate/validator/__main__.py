"""`python -m mailgate.validator` is `mailgate validate`."""

import sys

from mailgate.cli import main

raise SystemExit(main(["validate", *sys.argv[1:]]))
