"""`python -m mailgate.cli` is `mailgate`."""

from mailgate.cli import entry_point

entry_point()
