"""`python -m mailgate.dmarc` is `mailgate dmarc`."""

import sys

from mailgate.cli import main

raise SystemExit(main(["dmarc", *sys.argv[1:]]))
