r"""Engagement (being built)."""

from mailgate.engagement._errors import AlreadySigned, InvalidToken, UnsafeURL
from mailgate.engagement._links import Link, PixelPlace, Place, RewritePolicy, Skipped
from mailgate.engagement._message import MessageResult, PartResult, PartSkipped, rewrite_message
from mailgate.engagement._rewrite import RewriteResult, rewrite_html
from mailgate.engagement._token import Claims, LinkSigner, MessageLinks, Purpose

__all__ = [
    "AlreadySigned",
    "Claims",
    "InvalidToken",
    "Link",
    "LinkSigner",
    "MessageLinks",
    "MessageResult",
    "PartResult",
    "PartSkipped",
    "PixelPlace",
    "Place",
    "Purpose",
    "RewritePolicy",
    "RewriteResult",
    "Skipped",
    "UnsafeURL",
    "rewrite_html",
    "rewrite_message",
]
