"""The command line: the one place that imports every room, each only when its verb is called.

A verb is a module `_<verb>.py` here with SUMMARY, DESCRIPTION, EXAMPLES, `configure(parser)` and `run(args) -> int`.
Results go to stdout, words for people to stderr; exit statuses are those of `_exit`.
"""

from mailgate.cli._main import entry_point, main

__all__ = ["entry_point", "main"]
