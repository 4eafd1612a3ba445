"""Bounces."""

from mailgate.bounce._engine import Dialect
from mailgate.bounce._parse import parse
from mailgate.bounce._report import BounceReport, RecipientStatus
from mailgate.bounce._settings import BounceSettings

__all__ = ["BounceReport", "BounceSettings", "Dialect", "RecipientStatus", "parse"]
