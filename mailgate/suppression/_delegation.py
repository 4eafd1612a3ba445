"""Answers for Postfix: its SMTP server asks before it accepts a recipient (SMTPD_POLICY_README), we say whether it may.

The protocol: `name=value` lines and an empty one; one `action=` line and an empty one back; the connection stays.
`RequestReader` is the protocol, `PolicyService.answer` the decision; neither waits for anything. Who asks for which
stream is not in the request by itself, so it comes, in this order, from: `policy_context`, which main.cf attaches to
one `check_policy_service` (Postfix 3.1); our own signed envelope sender; rules over the attributes; a default.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from mailgate.records import MailgateError, ParseError, RefSigner
from mailgate.suppression._lookup import key_of
from mailgate.suppression._records import Verdict
from mailgate.suppression._store import SuppressionStore

MAX_REQUEST_BYTES = 64 * 1024
ACCEPT = "DUNNO"  # no objection from us; later restrictions still decide
UNAVAILABLE_TEXT = "the suppression list cannot be read"
_UNSAFE = re.compile(r"[^\x20-\x7e]")


class WhenUnavailable(StrEnum):
    """What to tell Postfix when the list cannot be read."""

    DEFER = "defer"
    ACCEPT = "accept"
    REJECT = "reject"


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamRule:
    """attribute: of the request, such as `sender`, `sasl_username`, `client_address`; pattern: compared without regard
    to case, `*` stands for anything; stream, tenant: of a request that matches."""

    attribute: str
    pattern: str
    stream: str
    tenant: str | None = None

    @classmethod
    def parse(cls, text: str) -> StreamRule:
        """`[ATTRIBUTE:]PATTERN=[TENANT/]STREAM`; without an attribute it is the sender. ValueError.

        >>> StreamRule.parse("*@news.example.com=marketing").stream
        'marketing'
        """
        left, equals, right = text.rpartition("=")
        named = re.match(r"([a-z_]+):", left)
        attribute, pattern = (named[1], left[named.end() :]) if named else ("sender", left)
        if not equals or not pattern or not right:
            raise ValueError(f"a rule is [ATTRIBUTE:]PATTERN=[TENANT/]STREAM, not {text!r}")
        tenant, stream = _scope(right)
        return cls(attribute=attribute, pattern=pattern.lower(), stream=stream, tenant=tenant)

    def matches(self, request: Mapping[str, str]) -> bool:
        """True when the request's attribute is there and fits."""
        value = request.get(self.attribute, "").lower()
        return bool(value) and fnmatch.fnmatchcase(value, self.pattern)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyOptions:
    """How the service answers.

    stream, tenant: of requests that nothing else tells; stream None: any entry of any stream refuses.
    rules: the first that matches tells the stream. when_unavailable: see `WhenUnavailable`.
    text: of a refusal; `{reasons}` and `{since}` are filled in.
    """

    stream: str | None = None
    tenant: str = ""
    rules: tuple[StreamRule, ...] = ()
    when_unavailable: WhenUnavailable = WhenUnavailable.DEFER
    text: str = "recipient is on our suppression list ({reasons} since {since})"

    def __post_init__(self) -> None:
        try:
            self.text.format(reasons="", since="")
        except (LookupError, ValueError, AttributeError) as error:
            raise ValueError(
                f"the text may hold {{reasons}} and {{since}} and no other braces: {self.text!r}"
            ) from error


class RequestReader:
    """The protocol: bytes in, whole requests out."""

    def __init__(self, max_bytes: int = MAX_REQUEST_BYTES) -> None:
        self.max_bytes = max_bytes
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[dict[str, str]]:
        """The requests that `data` completes, as attributes by name; the first of a name counts.

        Raises ParseError (`too_large`, `not_a_request`); the connection is then worth nothing any more.
        """
        self._buffer += data
        requests: list[dict[str, str]] = []
        while True:
            end = self._buffer.find(b"\n\n")
            if end > self.max_bytes or (end == -1 and len(self._buffer) > self.max_bytes):
                raise ParseError("too_large", f"a policy request of more than {self.max_bytes} bytes")
            if end == -1:
                return requests
            requests.append(_attributes(bytes(self._buffer[:end])))
            del self._buffer[: end + 2]


class PolicyService:
    """Answers requests from a list. open_store: opens the list, called again after it could not be read.

    on_error(error) is told why a request was answered without the list.
    """

    def __init__(
        self,
        open_store: Callable[[], SuppressionStore],
        options: PolicyOptions,
        *,
        refs: RefSigner | None = None,
        on_error: Callable[[Exception], object] = lambda error: None,
    ) -> None:
        self.options = options
        self._open_store = open_store
        self._refs = refs
        self._on_error = on_error
        self._store: SuppressionStore | None = None

    def close(self) -> None:
        """Close the list."""
        if self._store is not None:
            self._store.close()
            self._store = None

    def reply(self, request: Mapping[str, str]) -> bytes:
        """The answer to one request as it goes over the wire."""
        return f"action={_UNSAFE.sub('?', self.answer(request))}\n\n".encode("ascii")

    def answer(self, request: Mapping[str, str]) -> str:
        """The action for one request: `DUNNO`, or a reply code and text (access(5))."""
        if request.get("request") != "smtpd_access_policy":
            return self._unavailable(f"not a request that we know: {request.get('request', '')[:80]!r}")
        recipient = request.get("recipient", "")
        if "@" not in recipient:
            return ACCEPT  # a state of the session that names no single recipient, or a name without a domain
        key = key_of(external_form(recipient))
        if key is None:
            return ACCEPT  # an address that nobody can put on the list; Postfix judges its syntax
        tenant, stream = self._scope(request)
        try:
            if self._store is None:
                self._store = self._open_store()
            self._store.verify()
            verdict = self._store.check(key, tenant=tenant, stream=stream)
        except (MailgateError, ValueError) as error:
            self.close()
            self._on_error(error)
            return self._unavailable(UNAVAILABLE_TEXT)
        return self._refusal(verdict) if verdict.blocked else ACCEPT

    def _scope(self, request: Mapping[str, str]) -> tuple[str, str | None]:
        context = request.get("policy_context", "")
        if context:
            tenant, stream = _scope(context)
            return self.options.tenant if tenant is None else tenant, stream
        ref = None if self._refs is None else self._refs.read_return_path(request.get("sender", ""))
        if ref is not None and ref.stream:
            return ref.tenant or self.options.tenant, ref.stream
        for rule in self.options.rules:
            if rule.matches(request):
                return self.options.tenant if rule.tenant is None else rule.tenant, rule.stream
        return self.options.tenant, self.options.stream

    def _refusal(self, verdict: Verdict) -> str:
        since = min(entry.created for entry in verdict.entries).date().isoformat()
        words: dict[str, Any] = {"reasons": ", ".join(verdict.reasons), "since": since}
        return f"550 5.7.1 {self.options.text.format(**words)}"

    def _unavailable(self, text: str) -> str:
        if self.options.when_unavailable is WhenUnavailable.ACCEPT:
            return ACCEPT
        if self.options.when_unavailable is WhenUnavailable.REJECT:
            return f"550 5.3.5 {text}"
        return f"451 4.3.5 {text}, try again later"


def external_form(recipient: str) -> str:
    """Postfix asks with the bare local part (`a b@c`); addresses are compared with quotes where they are needed.

    >>> external_form("a b@c.example")
    '"a b"@c.example'
    """
    local, _, domain = recipient.rpartition("@")
    if not re.search(r'[\s"(),:;<>@\[\]\\]', local) and not local.startswith(".") and ".." not in local:
        return recipient
    escaped = re.sub(r'(["\\])', r"\\\1", local)
    return f'"{escaped}"@{domain}'


def _scope(text: str) -> tuple[str | None, str]:
    tenant, slash, stream = text.rpartition("/")
    return (tenant if slash else None), stream


def _attributes(request: bytes) -> dict[str, str]:
    attributes: dict[str, str] = {}
    for line in request.split(b"\n"):
        name, equals, value = line.partition(b"=")
        if not equals:
            raise ParseError("not_a_request", f"a line without `=`: {line[:80]!r}")
        attributes.setdefault(name.decode("ascii", "replace"), value.decode("utf-8", "replace"))
    return attributes
