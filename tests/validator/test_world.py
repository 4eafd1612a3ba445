"""Every kind of host there is, on loopback: the expected result for each, and the servers' own logs as the witness."""

import random
from itertools import pairwise

import pytest

from mailgate.records import EnhancedStatus, Reason, ReplyRow
from mailgate.validator import Finding, StartTls, Status, Validation
from tests.support import needs
from tests.support.smtp_world import (
    EHLO,
    OK,
    SILENCE,
    Connection,
    Dialogue,
    Greylisting,
    HangUp,
    OnePerTransaction,
    Persona,
    knows,
    multiline,
    replies,
)
from tests.validator.world import World, server_tls, told

VALID, CATCH_ALL = ("valid", "accepted", False), ("catch_all", "accepted", True)
UNKNOWN_USER = ("invalid", "mailbox_not_found", None)


def unknown(reason: str) -> tuple[str, str, None]:
    return "unknown", reason, None


def silent_after_first(connection: Connection, recipient: str) -> str:
    connection.accepted += 1
    return OK if connection.accepted == 1 else SILENCE


PERSONAS = {
    "normal.test": (Persona(rcpt=knows("ann", "bob")), {"ann": VALID, "bob": VALID, "zoe": UNKNOWN_USER}),
    "only-good.test": (Persona(rcpt=knows("ann", "bob")), {"ann": VALID, "bob": VALID}),
    "catch-all.test": (Persona(), {"ann": CATCH_ALL, "zoe": CATCH_ALL}),
    "greylist.test": (
        Persona(rcpt=Greylisting(knows("ann", "bob"), 0.05)),
        {"ann": VALID, "bob": VALID, "zoe": UNKNOWN_USER},
    ),
    "greylist-good.test": (Persona(rcpt=Greylisting(knows("ann"), 0.05)), {"ann": VALID}),
    "greylist-for-long.test": (
        Persona(rcpt=Greylisting(knows("ann"), 600, "450 4.7.1 Greylisting in action, please come back in 00:10:00")),
        {"ann": unknown("greylisted")},
    ),
    "tarpit.test": (Persona(banner_delay=0.3, rcpt=knows("ann")), {"ann": VALID}),
    "too-slow.test": (Persona(banner_delay=30), {"ann": unknown("timeout")}),
    "drop.test": (Persona(banner=None), {"ann": unknown("connection_lost")}),
    "banner-421.test": (
        Persona(banner="421 4.7.0 mx.test Error: too many connections from 192.0.2.25"),
        {"ann": unknown("rate_limited")},
    ),
    "banner-421-bare.test": (Persona(banner="421"), {"ann": unknown("blocked")}),
    "banner-554.test": (
        Persona(banner="554 5.7.1 Service unavailable; Client host [192.0.2.25] blocked using zen.spamhaus.org"),
        {"ann": unknown("blocked"), "bob": unknown("blocked")},
    ),
    "dnsbl.test": (
        Persona(rcpt=lambda c, r: "550 5.7.1 Service unavailable; client [192.0.2.25] blocked using zen.spamhaus.org"),
        {"ann": unknown("blocked"), "bob": unknown("blocked")},
    ),
    "one-per-transaction.test": (
        Persona(rcpt=OnePerTransaction(knows("ann", "bob"))),
        {"ann": VALID, "bob": VALID, "zoe": UNKNOWN_USER},
    ),
    "one-per-connection.test": (
        Persona(rcpt=OnePerTransaction(knows("ann", "bob"), per_connection=True)),
        {"ann": VALID, "bob": VALID, "zoe": UNKNOWN_USER},
    ),
    "one-per-connection-good.test": (
        Persona(rcpt=OnePerTransaction(knows("ann", "bob"), per_connection=True)),
        {"ann": VALID, "bob": VALID},
    ),
    "hang-up.test": (
        Persona(rcpt=HangUp(knows("ann"), 5)),
        {"ann": VALID, **{f"u{i}": UNKNOWN_USER for i in range(12)}},
    ),
    "silent-later.test": (Persona(rcpt=silent_after_first), {"ann": unknown("catch_all_undetermined")}),
    "silent.test": (Persona(rcpt=lambda c, r: SILENCE), {"ann": unknown("timeout")}),
    "helo-only.test": (Persona(helo_only=True, rcpt=knows("ann")), {"ann": VALID, "zoe": UNKNOWN_USER}),
    "ehlo-refused.test": (
        Persona(ehlo_reply="550 5.7.1 <probe.sender.test>: Helo command rejected: Host not found"),
        {"ann": unknown("blocked")},
    ),
    "sender-refused.test": (
        Persona(mail_reply="550 5.1.8 <probe@sender.test>: Sender address rejected: Domain not found"),
        {"ann": unknown("sender_rejected"), "bob": unknown("sender_rejected")},
    ),
    "relay.test": (
        Persona(rcpt=lambda c, r: "554 5.7.1 <{rcpt}>: Relay access denied"),
        {"ann": unknown("relay_denied")},
    ),
    "full.test": (
        Persona(rcpt=replies(ann=OK, full="552 5.2.2 <{rcpt}>: user is over quota", later="452 4.2.2 mailbox full")),
        {"ann": VALID, "full": ("invalid", "mailbox_full", None), "later": unknown("mailbox_full")}
        | {"zoe": UNKNOWN_USER},
    ),
    "verify.test": (Persona(rcpt=lambda c, r: "252 2.1.5 Cannot VRFY user"), {"ann": unknown("accepted_unverified")}),
    "multi-line.test": (
        Persona(rcpt=lambda c, r: multiline(550, ["5.1.1 The email account", "5.1.1 does not exist"])),
        {"ann": UNKNOWN_USER},
    ),
    "huge.test": (Persona(rcpt=lambda c, r: multiline(250, ["x" * 900] * 60)), {"ann": CATCH_ALL}),
    "endless.test": (Persona(rcpt=lambda c, r: "250 " + "x" * 200_000), {"ann": unknown("protocol_error")}),
    "many-lines.test": (Persona(rcpt=lambda c, r: multiline(250, ["x"] * 200)), {"ann": unknown("protocol_error")}),
    "garbage.test": (Persona(banner="HTTP/1.1 400 Bad Request"), {"ann": unknown("protocol_error")}),
    "garbage-later.test": (Persona(rcpt=lambda c, r: "\x00\x01 what\r\nis this"), {"ann": unknown("protocol_error")}),
    "no-smtputf8.test": (
        Persona(extensions=("mx.test",), rcpt=knows("ann")),
        {"ann": VALID, "jörg": unknown("smtputf8_unsupported"), "zoe": UNKNOWN_USER},
    ),
    "smtputf8.test": (Persona(rcpt=knows("ann", "jörg")), {"ann": VALID, "jörg": VALID, "zoë": UNKNOWN_USER}),
}  # fmt: skip


@pytest.fixture(scope="module")
def lived() -> tuple[World, dict[str, Validation]]:
    """The whole world in one run, the list shuffled."""
    world = World({domain: persona for domain, (persona, _) in PERSONAS.items()})
    addresses = [f"{local}@{domain}" for domain, (_, expected) in PERSONAS.items() for local in expected]
    random.Random(42).shuffle(addresses)
    results = world.run(addresses, validator={"group_of": lambda host: host})
    assert sorted(result.input for result in results) == sorted(addresses)
    return world, {result.input: result for result in results}


@pytest.mark.parametrize("domain", PERSONAS)
def test_each_kind_of_host_gives_the_expected_result(domain: str, lived: tuple[World, dict[str, Validation]]) -> None:
    _, results = lived
    expected = {f"{local}@{domain}": result for local, result in PERSONAS[domain][1].items()}
    found = told(result for result in results.values() if result.input.endswith(f"@{domain}"))
    assert found == expected


def test_the_servers_saw_good_manners(lived: tuple[World, dict[str, Validation]]) -> None:
    """QUIT whenever a greeting came and the host did not hang up first; no DATA, no VRFY; limits never exceeded."""
    world, _ = lived
    assert world.smtp.log
    for dialogue in world.smtp.log:
        assert set(dialogue.verbs) <= {"EHLO", "HELO", "STARTTLS", "MAIL", "RCPT", "RSET", "QUIT"}, dialogue
        hung_up = not dialogue.replies or dialogue.replies[-1].startswith("421")
        if dialogue.replies and not hung_up and dialogue.verbs:
            assert dialogue.verbs[-1] == "QUIT", dialogue
        assert len(dialogue.domains) <= 1
        assert dialogue.closed is not None
    assert world.smtp.most_open <= 32
    assert max(world.smtp.most_open_by(lambda dialogue: dialogue.address).values()) <= 3


def test_no_random_address_where_none_was_needed(lived: tuple[World, dict[str, Validation]]) -> None:
    world, _ = lived
    asked = {local for _, expected in PERSONAS.values() for local in expected}

    def randoms(domain: str) -> list[str]:
        found = [r.partition("@")[0] for dialogue in world.log(domain) for r in dialogue.recipients]
        return [local for local in found if local not in asked]

    for domain in ("normal.test", "greylist.test", "hang-up.test", "helo-only.test", "full.test"):
        assert randoms(domain) == [], domain
    for domain in ("only-good.test", "catch-all.test", "tarpit.test", "one-per-connection-good.test"):
        (local,) = randoms(domain)
        assert local.isalnum()
        assert len(local) == 18
    # Greylisted itself, the same random address is asked again, not another one.
    assert len(randoms("greylist-good.test")) == 2
    assert len(set(randoms("greylist-good.test"))) == 1


def test_greylisted_addresses_come_back_in_time_and_with_the_same_triplet(
    lived: tuple[World, dict[str, Validation]],
) -> None:
    _, results = lived
    for domain in ("greylist.test", "greylist-good.test"):
        persona = PERSONAS[domain][0]
        assert isinstance(persona.rcpt, Greylisting)
        assert persona.rcpt.early == 0
    assert results["ann@greylist.test"].attempts == 2
    late = results["ann@greylist-for-long.test"]
    assert (late.attempts, late.retry_after) == (1, 600)


def test_a_host_that_hangs_up_after_five_refusals_never_has_to(lived: tuple[World, dict[str, Validation]]) -> None:
    world, _ = lived
    for dialogue in world.log("hang-up.test"):
        assert sum(reply.startswith("550") for reply in dialogue.replies) <= 5


def test_every_result_carries_what_it_was_drawn_from(lived: tuple[World, dict[str, Validation]]) -> None:
    _, results = lived
    full = results["full@full.test"]
    assert full.reply is not None
    assert (full.reply.code, full.reply.enhanced_status) == (552, EnhancedStatus(5, 2, 2))
    assert full.smtp_text == "<full@full.test>: user is over quota"
    assert (full.mx_host, str(full.stage), full.evidence != "") == ("mx.full.test", "rcpt", True)
    assert results["ann@banner-554.test"].stage is not None
    assert str(results["ann@banner-554.test"].stage) == "connect"
    assert str(results["ann@sender-refused.test"].stage) == "mail"
    for result in results.values():
        assert result.layer == "smtp"
        assert result.explanation.startswith(str(result.status))


def test_a_refusal_at_the_door_is_asked_for_once(lived: tuple[World, dict[str, Validation]]) -> None:
    """The sender, our name, our address: the next connection would be told the same."""
    world, _ = lived
    for domain in ("sender-refused.test", "banner-554.test", "ehlo-refused.test"):
        assert len(world.log(domain)) == 1


def test_three_strikes_and_no_more(lived: tuple[World, dict[str, Validation]]) -> None:
    world, _ = lived
    for domain in ("banner-421.test", "drop.test", "too-slow.test"):
        assert len(world.log(domain)) == 3


def test_recipients_share_a_connection(lived: tuple[World, dict[str, Validation]]) -> None:
    world, _ = lived
    assert len(world.log("normal.test")) == 1
    assert len(world.log("one-per-transaction.test")) == 1
    assert len(world.log("one-per-connection.test")) == 3


def test_starttls_where_it_is_required() -> None:
    needs.module("trustme")
    tls = server_tls()
    world = World(
        {
            "tls.test": Persona(tls=tls, tls_required=True, rcpt=knows("ann")),
            "tls-offered.test": Persona(tls=tls, rcpt=knows("ann")),
            "no-tls.test": Persona(tls_required=True),
        }
    )
    addresses = [f"{local}@{domain}" for domain in world.addresses for local in ("ann", "zoe")]
    results = told(world.run(addresses))
    assert results["ann@tls.test"] == results["ann@tls-offered.test"] == VALID
    assert results["zoe@tls.test"] == UNKNOWN_USER
    assert results["ann@no-tls.test"] == unknown("tls_required")
    (dialogue,) = world.log("tls.test")
    assert dialogue.encrypted
    assert dialogue.verbs == ["EHLO", "MAIL", "STARTTLS", "EHLO", "MAIL", "RCPT", "RCPT", "QUIT"]
    assert not world.log("tls-offered.test")[0].encrypted
    assert len(world.log("no-tls.test")) == 1


@pytest.mark.parametrize(
    ("mode", "encrypted", "reason"), [("never", False, "tls_required"), ("if_offered", True, "accepted")]
)
def test_starttls_settings(mode: str, encrypted: bool, reason: str) -> None:
    needs.module("trustme")
    world = World({"tls.test": Persona(tls=server_tls(), tls_required=True, rcpt=knows("ann"))})
    (result,) = world.run(["ann@tls.test"], starttls=StartTls(mode))
    assert str(result.reason) == reason
    assert world.log("tls.test")[0].encrypted is encrypted


def test_a_handshake_that_fails_is_no_verdict_about_anybody() -> None:
    class Liar(Persona):
        """Says 220 to STARTTLS and then speaks no TLS."""

        def answer(self, connection: Connection, line: str) -> str | None:
            return "220 yes" if line == "STARTTLS" else super().answer(connection, line)

    class Deaf(Connection):
        async def _encrypt(self, reply: str) -> None:
            self._busy = False
            self._send(reply + "\r\n250 this is no TLS")

    world = World({"liar.test": Liar(extensions=(*EHLO, "STARTTLS"), tls_required=True)})
    world.smtp.connection_class = Deaf
    (result,) = world.run(["ann@liar.test"], command_seconds=0.3)
    assert (str(result.status), str(result.reason)) == ("unknown", "tls_failed")


def test_the_next_host_only_before_rcpt() -> None:
    """Nolisting, a busy first host, a first host that greets and says nothing: the second is asked. Behind RCPT not."""
    world = World({"second.test": Persona(rcpt=knows("ann")), "lost.test": Persona(rcpt=lambda c, r: None)})
    second = ("mx.second.test", world.addresses["second.test"])
    for first, persona in {
        "nolisting.test": None,
        "busy.test": Persona(banner="421 4.3.2 too many connections"),
        "mute.test": Persona(ehlo_reply=SILENCE),
        "later.test": Persona(banner="450 4.3.2 come back later"),
        "dropping.test": Persona(banner=None),
    }.items():
        address = f"127.21.0.{len(world.addresses) + 1}"
        world.addresses[first] = address
        if persona is not None:
            world.smtp.personas[address] = persona
            world.smtp.addresses.append(address)
        world.names.domain(first, (f"mx1.{first}", address), second)
    world.names.domain("lost.test", ("mx.lost.test", world.addresses["lost.test"]), second)
    names = [f"ann@{d}" for d in world.addresses if d != "second.test"]
    results = told(world.run(names, command_seconds=0.3, validator={"group_of": lambda host: host}))
    assert results.pop("ann@lost.test") == unknown("connection_lost")
    assert set(results.values()) == {VALID}


def test_a_block_at_the_banner_is_not_taken_to_the_siblings() -> None:
    blocked = Persona(banner="554 5.7.1 Client host [192.0.2.25] blocked using zen.spamhaus.org")
    world = World({"a.test": blocked, "b.test": blocked, "other.test": Persona(rcpt=knows("ann"))})
    hosts = [(f"mx.{name}", world.addresses[name]) for name in ("a.test", "b.test", "other.test")]
    world.names.domain("siblings.test", *hosts[:2])
    world.names.domain("elsewhere.test", hosts[0], hosts[2])
    groups = {"mx.a.test": "g", "mx.b.test": "g", "mx.other.test": "h"}
    results = told(
        world.run(
            ["ann@siblings.test", "ann@elsewhere.test"], validator={"group_of": groups.__getitem__}, rest_seconds=0.01
        )
    )
    assert results["ann@siblings.test"] == unknown("blocked")
    assert results["ann@elsewhere.test"] in (VALID, unknown("blocked"))
    assert world.log("b.test") == []


def test_a_limited_number_of_hosts_is_tried() -> None:
    world = World({f"h{i}.test": Persona(banner=None) for i in range(5)})
    world.names.domain("many.test", *((f"mx.{name}", address) for name, address in world.addresses.items()))
    world.run(["ann@many.test"], max_mail_hosts=2, strikes=1)
    assert [len(world.log(f"h{i}.test")) for i in range(5)] == [1, 1, 0, 0, 0]


def test_private_targets_are_never_dialled_unless_asked_to() -> None:
    world = World({"inside.test": Persona()})
    (result,) = world.run(["ann@inside.test"], allow_private=False)
    assert (str(result.status), str(result.reason), str(result.layer)) == ("invalid", "mx_unusable", "dns")
    assert world.smtp.log == []


def test_the_source_address_and_the_hook_for_connections() -> None:
    world = World({"normal.test": Persona(rcpt=knows("ann"))})
    world.run(["ann@normal.test"], source_ip="127.99.0.1")
    assert world.log("normal.test")[0].peer == "127.99.0.1"
    dialled = []

    async def connect(address: str, port: int) -> object:
        from mailgate.validator._driver import dial

        dialled.append((address, port))
        return await dial(address, port, seconds=1, source_ip="127.99.0.2")

    again = World({"normal.test": Persona(rcpt=knows("ann"))})
    again.run(["ann@normal.test"], validator={"connect": connect})
    assert dialled == [(again.addresses["normal.test"], again.smtp.port)]
    assert again.log("normal.test")[0].peer == "127.99.0.2"


def test_ipv4_first_then_ipv6() -> None:
    world = World({"both.test": Persona(rcpt=knows("ann"))})
    world.names.records["mx.both.test", "AAAA"] = ("::1",)
    world.smtp.addresses.append("::1")
    world.smtp.personas["::1"] = Persona(rcpt=knows("ann"))
    world.run(["ann@both.test"])
    assert [dialogue.address for dialogue in world.smtp.log] == [world.addresses["both.test"]]
    world.smtp.log.clear()
    world.smtp.port, world.smtp._servers = 0, []
    world.names.records["mx.both.test", "A"] = ("127.22.0.1",)  # nobody listens there
    (result,) = world.run(["ann@both.test"])
    assert result.status is Status.VALID
    assert [dialogue.address for dialogue in world.smtp.log] == ["::1"]


def test_a_provider_that_accepts_everybody_is_not_asked_for_a_random_address() -> None:
    from mailgate.validator import Provider

    world = World({"yahoo-like.test": Persona()})
    rows = (Provider(name="like", suffixes=("mx.yahoo-like.test",), accepts_all=True),)
    (result,) = world.run(["ann@yahoo-like.test"], providers=rows)
    assert (result.status, result.reason) == (Status.CATCH_ALL, Finding.PROVIDER_ACCEPTS_ALL)
    assert world.smtp.recipients() == ["ann@yahoo-like.test"]


def test_a_provider_that_takes_one_recipient_gets_one() -> None:
    from mailgate.validator import Provider

    world = World({"outlook-like.test": Persona(rcpt=knows("ann", "bob"))})
    rows = (Provider(name="like", suffixes=("mx.outlook-like.test",), recipients_per_connection=1),)
    results = told(world.run(["ann@outlook-like.test", "bob@outlook-like.test"], providers=rows))
    assert set(results.values()) == {VALID}
    assert [len(dialogue.recipients) for dialogue in world.smtp.log] == [1, 1, 1]


def test_without_the_catch_all_question_an_acceptance_proves_nothing() -> None:
    world = World({"normal.test": Persona(rcpt=knows("ann", "bob"))})
    results = told(world.run(["ann@normal.test", "bob@normal.test", "zoe@normal.test"], catch_all=False))
    assert results["zoe@normal.test"] == UNKNOWN_USER
    assert results["ann@normal.test"] == ("unknown", "catch_all_undetermined", None)
    assert len(world.smtp.recipients()) == 3


def test_limits_hold_in_a_crowd() -> None:
    """60 domains on 6 groups of hosts, more work than any limit allows at once."""
    personas = {f"d{i}.g{i % 6}.test": Persona(delay_seconds=0.002, rcpt=knows("ann")) for i in range(60)}
    world = World(personas)
    addresses = [f"u{n}@{domain}" for n in range(6) for domain in personas]

    def group(host: str) -> str:
        return host.split(".")[-2]

    def domain(dialogue: Dialogue) -> str:
        return next(name for name, address in world.addresses.items() if address == dialogue.address)

    results = world.run(
        addresses,
        connections=9,
        per_domain=2,
        per_mx_group=3,
        recipients_per_connection=2,
        validator={"group_of": group},
    )
    assert len(results) == 360
    assert world.smtp.most_open <= 9
    assert max(world.smtp.most_open_by(domain).values()) <= 2
    assert max(world.smtp.most_open_by(lambda dialogue: group(domain(dialogue))).values()) <= 3
    assert max(len(dialogue.recipients) for dialogue in world.smtp.log) <= 3


def test_rows_of_ones_own_decide_before_the_table() -> None:
    world = World({"odd.test": Persona(rcpt=knows("ann", otherwise="550 5.7.1 not on the guest list"))})
    row = ReplyRow(name="text:guests", reason=Reason.MAILBOX_NOT_FOUND, phrases=("not on the guest list",))
    for rules, status in (((), "unknown"), ((row,), "invalid")):
        (result,) = world.run(["bob@odd.test"], rules=rules)
        assert (str(result.status), result.evidence == "text:guests") == (status, bool(rules))


def test_connections_to_one_group_are_paced() -> None:
    world = World({f"d{i}.shared.test": Persona(rcpt=knows("ann")) for i in range(5)})
    world.run([f"ann@{d}" for d in world.addresses], pace_seconds=0.05, validator={"group_of": lambda host: "one"})
    began = sorted(dialogue.opened for dialogue in world.smtp.log)
    gaps = [later - earlier for earlier, later in pairwise(began)]
    assert len(gaps) == 4
    assert min(gaps) > 0.03


def test_a_slow_host_is_left_before_somebody_is_cut_off() -> None:
    """Each answer takes a while: a session takes as many as fit, and another one takes the rest."""
    world = World({"slow.test": Persona(delay_seconds=0.1, rcpt=knows("ann"))})
    names = [f"u{i}@slow.test" for i in range(5)] + [f"ann+{i}@slow.test" for i in range(3)]
    results = told(world.run(names, per_domain=1, session_seconds=1.0, command_seconds=0.5, refusals_per_connection=9))
    assert set(results.values()) == {UNKNOWN_USER}
    assert len(world.smtp.log) > 1
    assert all(dialogue.verbs[-1] == "QUIT" for dialogue in world.smtp.log)


def test_port_25_closed_is_noticed_once() -> None:
    """Ten groups out of reach, none within: it is us, and the rest is not even dialled."""
    names = World({"x.test": Persona()})
    for i in range(40):
        names.names.domain(f"d{i}.test", (f"mx.d{i}.test", f"127.40.0.{i + 1}"))
    addresses = [f"{local}@d{i}.test" for i in range(40) for local in ("ann", "bob")]
    blocked = []
    results = told(
        names.run(
            addresses,
            connections=4,
            validator={"group_of": lambda host: host},
            look=lambda validator: blocked.append(validator.port25_blocked),
        )
    )
    assert blocked == [True]
    assert set(results.values()) == {unknown("port25_blocked")}
    assert len(results) == 80


def test_some_hosts_out_of_reach_are_just_that() -> None:
    world = World({"x.test": Persona(rcpt=knows("ann"), banner_delay=0.1)})
    for i in range(12):
        world.names.domain(f"d{i}.test", (f"mx.d{i}.test", f"127.40.0.{i + 1}"))
    results = told(
        world.run(["ann@x.test", *(f"ann@d{i}.test" for i in range(12))], validator={"group_of": lambda h: h})
    )
    assert results.pop("ann@x.test") == VALID
    assert set(results.values()) == {unknown("connect_failed")}
    alone = World({"x.test": Persona()})
    alone.names.domain("d.test", ("mx.d.test", "127.40.0.1"))
    assert told(alone.run(["ann@d.test"])) == {"ann@d.test": unknown("connect_failed")}
