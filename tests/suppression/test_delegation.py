"""SMTPD access policy delegation: the protocol, which stream a request is for, and what is answered."""

from __future__ import annotations

import asyncio
import io
import os
import random
import socket
import stat
from pathlib import Path

import pytest

from mailgate.records import KeyRing, MessageRef, ParseError, RefSigner
from mailgate.suppression import (
    PolicyOptions,
    PolicyService,
    RequestReader,
    StreamRule,
    SuppressionReason,
    SuppressionStore,
    WhenUnavailable,
    policy_server,
    serve_stream,
)
from mailgate.suppression._delegation import external_form
from tests.suppression.conftest import Backend

R = SuppressionReason


def request(recipient: str = "gone@example.com", **attributes: str) -> dict[str, str]:
    return {"request": "smtpd_access_policy", "protocol_state": "RCPT", "recipient": recipient, **attributes}


def wire(*requests: dict[str, str]) -> bytes:
    return "".join("".join(f"{name}={value}\n" for name, value in one.items()) + "\n" for one in requests).encode()


@pytest.fixture
def store(backend: Backend) -> SuppressionStore:
    made = backend.open()
    made.add("gone@example.com", R.HARD_BOUNCE)
    made.add("left@example.com", R.UNSUBSCRIBE, stream="news")
    made.add("theirs@example.com", R.COMPLAINT, tenant="acme")
    made.add('"a b"@example.com', R.MANUAL)
    return made


def service(backend: Backend, **options: object) -> PolicyService:
    return PolicyService(lambda: backend.open(create=False), PolicyOptions(**options))  # type: ignore[arg-type]


# --- answers ---------------------------------------------------------------------------------------------------------


def test_a_suppressed_recipient_is_refused_with_the_reason(store: SuppressionStore, backend: Backend) -> None:
    answering = service(backend)
    assert answering.answer(request()) == (
        "550 5.7.1 recipient is on our suppression list (hard_bounce since 2026-01-01)"
    )
    assert answering.answer(request("Gone@EXAMPLE.com")).startswith("550 ")
    assert answering.answer(request("other@example.com")) == "DUNNO"
    assert answering.reply(request("other@example.com")) == b"action=DUNNO\n\n"


@pytest.mark.parametrize("recipient", ["", "postmaster", "broken@", "@example.com"])
def test_what_is_on_no_list_is_none_of_our_business(store: SuppressionStore, backend: Backend, recipient: str) -> None:
    assert service(backend).answer(request(recipient)) == "DUNNO"


def test_postfix_asks_without_quotes(store: SuppressionStore, backend: Backend) -> None:
    assert service(backend).answer(request("a b@example.com")).startswith("550 ")
    assert external_form("plain@example.com") == "plain@example.com"
    assert external_form('we"ird\\@x@example.com') == '"we\\"ird\\\\@x"@example.com'
    assert external_form("jörg@example.com") == "jörg@example.com"


@pytest.mark.parametrize(
    ("options", "attributes", "blocked"),
    [
        ({}, {}, True),
        ({"stream": "news"}, {}, True),
        ({"stream": "receipts"}, {}, False),
        ({"stream": "receipts"}, {"policy_context": "news"}, True),
        ({"stream": "news"}, {"policy_context": "receipts"}, False),
        ({"stream": "news", "tenant": "acme"}, {}, False),
        ({"stream": "news", "tenant": "acme"}, {"policy_context": "/news"}, True),
        ({"stream": "receipts", "rules": ("*@news.example=news",)}, {"sender": "Bounce@News.Example"}, True),
        ({"stream": "receipts", "rules": ("*@news.example=news",)}, {"sender": "a@shop.example"}, False),
        ({"stream": "receipts", "rules": ("sasl_username:app1=news",)}, {"sasl_username": "APP1"}, True),
        ({"stream": "receipts", "rules": ("sasl_username:app1=news",)}, {"sender": "app1"}, False),
        ({"rules": ("*=receipts", "x@y=news")}, {"sender": "x@y"}, False),
        ({"rules": ("*=acme/news",)}, {"sender": "x@y"}, False),
    ],
)  # fmt: skip
def test_who_asks_decides_which_stream_it_is(
    store: SuppressionStore, backend: Backend, options: dict[str, object], attributes: dict[str, str], blocked: bool
) -> None:
    if "rules" in options:
        options = options | {"rules": tuple(StreamRule.parse(rule) for rule in options["rules"])}  # type: ignore[attr-defined]
    answer = service(backend, **options).answer(request("left@example.com", **attributes))
    assert answer.startswith("550 ") is blocked


def test_a_context_can_name_the_tenant(store: SuppressionStore, backend: Backend) -> None:
    answering = service(backend)
    assert answering.answer(request("theirs@example.com", policy_context="acme/news")).startswith("550 ")
    assert answering.answer(request("theirs@example.com", policy_context="news")) == "DUNNO"


class Refs(RefSigner):
    """A signer that knows one return path."""

    def __init__(self, ref: MessageRef | None) -> None:
        super().__init__(KeyRing.of("a secret of thirty-two characters"))
        self.ref = ref

    def read_return_path(self, address: str) -> MessageRef | None:
        return self.ref if address == "b-signed@bounces.example" else None


def test_our_own_signed_sender_tells_the_stream(store: SuppressionStore, backend: Backend) -> None:
    def answer(ref: MessageRef | None, **attributes: str) -> str:
        asked = request("left@example.com", sender="b-signed@bounces.example", **attributes)
        options = PolicyOptions(stream="receipts")
        answering = PolicyService(lambda: backend.open(create=False), options, refs=Refs(ref))
        return answering.answer(asked)

    assert answer(MessageRef(ref="1", stream="news")).startswith("550 ")
    assert answer(MessageRef(ref="1")) == "DUNNO"
    assert answer(None) == "DUNNO"
    assert answer(MessageRef(ref="1", stream="news"), policy_context="receipts") == "DUNNO"


@pytest.mark.parametrize("text", ["", "x", "=", "a=", "=b", "sender:=b", "sender:a="])
def test_a_rule_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="rule"):
        StreamRule.parse(text)


def test_rules_as_they_are_written() -> None:
    assert StreamRule.parse("a@b=news") == StreamRule(attribute="sender", pattern="a@b", stream="news")
    assert StreamRule.parse("client_address:::1=t/s") == StreamRule(
        attribute="client_address", pattern="::1", stream="s", tenant="t"
    )
    assert StreamRule.parse("sender:a=b@c=news").pattern == "a=b@c"


@pytest.mark.parametrize("text", ["{nonsense}", "{", "}", "{0}", "{reasons.x}", "{reasons!z}"])
def test_a_text_that_cannot_be_filled_in_is_refused_at_once(text: str) -> None:
    with pytest.raises(ValueError, match="braces"):
        PolicyOptions(text=text)


def test_the_text_of_a_refusal_can_be_chosen_and_stays_on_its_line(store: SuppressionStore, backend: Backend) -> None:
    answering = service(backend, text="nein: {reasons}\naction=DUNNO é")
    assert answering.reply(request()) == b"action=550 5.7.1 nein: hard_bounce?action=DUNNO ?\n\n"


# --- when the list cannot be read ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("choice", "start"), [("defer", "451 4.3.5 "), ("reject", "550 5.3.5 "), ("accept", "DUNNO")])
def test_a_list_that_cannot_be_read_defers_unless_told_otherwise(tmp_path: Path, choice: str, start: str) -> None:
    told: list[Exception] = []
    path = tmp_path / "mail.db"
    answering = PolicyService(
        lambda: SuppressionStore.open(path, create=False),
        PolicyOptions(when_unavailable=WhenUnavailable(choice)),
        on_error=told.append,
    )
    assert answering.answer(request()).startswith(start)
    assert len(told) == 1
    with SuppressionStore.open(path) as made:
        made.add("gone@example.com")
    assert answering.answer(request()).startswith("550 5.7.1 "), "it is asked again once it is there"
    os.rename(path, tmp_path / "elsewhere")
    assert answering.answer(request("other@example.com")).startswith(start), "at once, not a moment later"
    os.rename(tmp_path / "elsewhere", path)
    assert answering.answer(request("other@example.com")) == "DUNNO"
    answering.close()


def test_the_default_is_to_defer() -> None:
    assert PolicyOptions().when_unavailable is WhenUnavailable.DEFER


@pytest.mark.parametrize("asked", [{}, {"request": "junk"}, {"recipient": "gone@example.com"}])
def test_another_kind_of_request_is_deferred(backend: Backend, asked: dict[str, str]) -> None:
    assert service(backend).answer(asked).startswith("451 ")


# --- the protocol ----------------------------------------------------------------------------------------------------

POSTFIX_3 = """\
request=smtpd_access_policy
protocol_state=RCPT
protocol_name=ESMTP
client_address=127.0.0.1
client_name=localhost
client_port=45678
reverse_client_name=localhost
server_address=127.0.0.1
server_port=25
helo_name=app.example
sender=news@sender.example
recipient=gone@example.com
recipient_count=0
queue_id=
instance=123.456.7
size=0
etrn_domain=
stress=
sasl_method=
sasl_username=
sasl_sender=
ccert_subject=
ccert_issuer=
ccert_fingerprint=
ccert_pubkey_fingerprint=
encryption_protocol=
encryption_cipher=
encryption_keysize=0
policy_context=news=x

"""


def test_a_real_request_is_read() -> None:
    [read] = RequestReader().feed(POSTFIX_3.encode())
    assert (read["recipient"], read["policy_context"], read["queue_id"]) == ("gone@example.com", "news=x", "")


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 10_000])
def test_requests_come_in_any_pieces(size: int) -> None:
    data = POSTFIX_3.encode() * 3
    reader = RequestReader()
    read = [one for start in range(0, len(data), size) for one in reader.feed(data[start : start + size])]
    assert len(read) == 3
    assert read[0] == read[1] == read[2]


def test_the_first_of_a_name_counts() -> None:
    assert RequestReader().feed(b"a=1\na=2\n\n") == [{"a": "1"}]


def test_requests_have_a_limit() -> None:
    line = b"request=smtpd_access_policy\n"
    for size in (99, 100):
        body = (line + b"x=").ljust(size, b"y")
        assert len(RequestReader(max_bytes=100).feed(body + b"\n\n")) == 1
    for data in ((line + b"x=").ljust(101, b"y") + b"\n\n", b"y=" + b"x" * 101):
        with pytest.raises(ParseError, match="too_large"):
            RequestReader(max_bytes=100).feed(data)


@pytest.mark.parametrize("data", [b"\n\n", b"junk\n\n", b"a=1\njunk\n\n", b"GET / HTTP/1.1\r\n\r\n\n\n"])
def test_what_is_no_request_ends_the_connection(data: bytes) -> None:
    with pytest.raises(ParseError, match="not_a_request"):
        RequestReader().feed(data)


def test_any_bytes_are_requests_or_refused() -> None:
    pieces = [
        b"request=smtpd_access_policy",
        b"\n",
        b"\n\n",
        b"=",
        b"recipient=a@b",
        b"\x00",
        b"\xff",
        b"sender=",
        b"\r",
        b" ",
    ]
    random_ = random.Random(5)
    for _ in range(20_000):
        reader = RequestReader(max_bytes=200)
        try:
            for _ in range(3):
                reader.feed(b"".join(random_.choices(pieces, k=random_.randrange(12))))
        except ParseError:
            continue


def test_one_connection_on_stdin_and_stdout(store: SuppressionStore, backend: Backend) -> None:
    target = io.BytesIO()
    serve_stream(service(backend), io.BytesIO(wire(request(), request("other@example.com"))), target)
    first, second, rest = target.getvalue().split(b"\n\n")
    assert first.startswith(b"action=550 ")
    assert (second, rest) == (b"action=DUNNO", b"")


# --- sockets ---------------------------------------------------------------------------------------------------------


def ask(address: object, family: socket.AddressFamily, *requests: bytes) -> list[bytes]:
    with socket.socket(family) as client:
        client.settimeout(10)
        client.connect(address)  # type: ignore[arg-type]
        answers = []
        for one in requests:
            client.sendall(one)
            answer = b""
            while not answer.endswith(b"\n\n"):
                more = client.recv(1_000)
                if not more:
                    return [*answers, b"closed"]
                answer += more
            answers.append(answer)
        return answers


def test_a_tcp_server_answers_many_connections(store: SuppressionStore, backend: Backend) -> None:
    async def run() -> list[list[bytes]]:
        async with policy_server(service(backend), host="127.0.0.1", port=0) as server:
            address = server.sockets[0].getsockname()
            asked = [wire(request()), wire(request("other@example.com"))]
            calls = (asyncio.to_thread(ask, address, socket.AF_INET, *asked) for _ in range(20))
            return await asyncio.gather(*calls)

    for first, second in asyncio.run(run()):
        assert first.startswith(b"action=550 ")
        assert second == b"action=DUNNO\n\n"


def test_a_unix_socket_has_its_mode_and_goes_with_the_server(
    store: SuppressionStore, backend: Backend, tmp_path: Path
) -> None:
    path = str(tmp_path / "policy")
    for _ in range(2):  # the second time over a socket that a dead server left

        async def run() -> list[bytes]:
            async with policy_server(service(backend), path=path, mode=0o606):
                assert stat.S_IMODE(os.stat(path).st_mode) == 0o606
                return await asyncio.to_thread(ask, path, socket.AF_UNIX, wire(request()))

        assert asyncio.run(run())[0].startswith(b"action=550 ")
        assert not os.path.exists(path)
        left = socket.socket(socket.AF_UNIX)
        left.bind(path)
        left.close()


def test_a_socket_in_use_and_a_plain_file_are_left_alone(backend: Backend, tmp_path: Path) -> None:
    busy = str(tmp_path / "busy")
    plain = tmp_path / "plain"
    plain.write_text("mine")

    async def run(path: str) -> None:
        async with policy_server(service(backend), path=path):
            pass

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(busy)
        listener.listen()
        for path in (busy, str(plain)):
            with pytest.raises(OSError, match=r"listens|no socket"):
                asyncio.run(run(path))
    assert plain.read_text() == "mine"


def test_a_broken_client_harms_nobody_else(store: SuppressionStore, backend: Backend) -> None:
    async def run() -> tuple[list[bytes], list[bytes]]:
        async with policy_server(service(backend), host="127.0.0.1", port=0) as server:
            address = server.sockets[0].getsockname()
            broken = await asyncio.to_thread(ask, address, socket.AF_INET, b"junk\n\n")
            half = socket.create_connection(address)
            half.sendall(b"request=smtpd_access")
            good = await asyncio.to_thread(ask, address, socket.AF_INET, wire(request()))
            half.close()
            return broken, good

    broken, good = asyncio.run(run())
    assert broken == [b"closed"]
    assert good[0].startswith(b"action=550 ")


def test_open_connections_end_with_the_server(store: SuppressionStore, backend: Backend) -> None:
    async def run() -> bytes:
        async with policy_server(service(backend), host="127.0.0.1", port=0) as server:
            client = socket.create_connection(server.sockets[0].getsockname())
            client.settimeout(10)
            await asyncio.to_thread(client.sendall, wire(request()))
            await asyncio.to_thread(client.recv, 1_000)
        try:
            return await asyncio.to_thread(client.recv, 10)
        finally:
            client.close()

    assert asyncio.run(run()) == b""
