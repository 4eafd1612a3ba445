import sys

from mailgate.cli import main

raise SystemExit(main(["scan", *sys.argv[1:]]))
