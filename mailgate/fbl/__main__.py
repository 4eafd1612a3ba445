"""`python -m mailgate.fbl` is `mailgate fbl`."""

import sys

from mailgate.cli import main

raise SystemExit(main(["fbl", *sys.argv[1:]]))
