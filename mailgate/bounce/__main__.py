"""`python -m mailgate.bounce` is `mailgate bounce`."""

import sys

from mailgate.cli import main

raise SystemExit(main(["bounce", *sys.argv[1:]]))
