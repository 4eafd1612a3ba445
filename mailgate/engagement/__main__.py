"""`python -m mailgate.engagement`: the verb `track` alone."""

import sys

from mailgate.cli import main

raise SystemExit(main(["track", *sys.argv[1:]]))
