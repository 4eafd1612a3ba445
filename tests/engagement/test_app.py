"""The WSGI application, every call inside wsgiref's validator. Numbers in names are those of the security rules."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from mailgate.engagement import (
    Actor,
    BurstRule,
    EventType,
    IPRanges,
    KeepIP,
    LinkSigner,
    TrackingApp,
    TrackingEvent,
    TrackingSettings,
)
from mailgate.records import KeyRing

from .conftest import ISSUED, Answer, Client

URL = "https://shop.example/?a=1&b=2"
IDS = {"message_id": "m-1", "recipient_id": "r-1", "stream": "news", "tenant": "acme"}
LATER = ISSUED + 3_600.0
PIXEL_HEADERS = {
    "Content-Type": "image/gif",
    "Content-Length": "43",
    "Cache-Control": "no-store, private, max-age=0",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
}


class World:
    """An app, what it recorded, and a clock that can be set."""

    def __init__(self, signer: LinkSigner, **options: Any) -> None:
        self.now = LATER
        self.signer = signer
        self.events: list[TrackingEvent] = []
        self.errors: list[tuple[Exception, TrackingEvent | None]] = []
        options.setdefault("sink", self.events.append)
        sink = options.pop("sink")
        self.app = TrackingApp(
            signer,
            sink,
            clock=lambda: self.now,
            on_error=lambda error, event: self.errors.append((error, event)),
            **options,
        )
        self.get = Client(self.app)

    def click(self, url: str = URL, **environ: str | None) -> Answer:
        return self.get("/c/" + self.signer.sign("click", url, issued=ISSUED, **IDS), **environ)  # type: ignore[arg-type]

    def open(self, **environ: str | None) -> Answer:
        return self.get("/o/" + self.signer.sign("open", issued=ISSUED, **IDS) + ".gif", **environ)  # type: ignore[arg-type]


@pytest.fixture
def world(signer: LinkSigner) -> World:
    return World(signer)


def is_pixel(answer: Answer) -> bool:
    return answer.status == "200 OK" and answer.headers == PIXEL_HEADERS and answer.body.startswith(b"GIF89a")


def test_an_open(world: World) -> None:
    answer = world.open()
    assert is_pixel(answer)
    assert len(answer.body) == 43
    (event,) = world.events
    assert event.type is EventType.OPEN
    assert (event.message_id, event.recipient_id, event.stream, event.tenant) == ("m-1", "r-1", "news", "acme")
    assert event.url == ""
    assert event.at.timestamp() == LATER
    assert event.age_seconds == 3_600
    assert event.issued_at.timestamp() == ISSUED
    assert (event.method, event.actor, event.actor_reason, event.client) == ("GET", Actor.HUMAN, "browser", "chrome")
    assert event.ip_prefix == "192.0.2.0/24"
    assert event.user_agent == ""
    assert event.counted
    assert event.first
    assert event.amends == ""


def test_a_click(world: World) -> None:
    answer = world.click()
    assert answer.status == "302 Found"
    assert answer.headers == {
        "Location": URL,
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Length": "0",
        "Cache-Control": "no-store, private",
        "Referrer-Policy": "no-referrer",
        "X-Robots-Tag": "noindex, nofollow",
    }
    assert answer.body == b""
    (event,) = world.events
    assert (event.type, event.url) == (EventType.CLICK, URL)


def test_every_event_has_an_id_of_its_own(world: World) -> None:
    for _ in range(50):
        world.open()
    assert len({event.id for event in world.events}) == 50
    assert len({event.tid for event in world.events}) == 1
    assert [event.first for event in world.events] == [True] + [False] * 49


BAD_TOKENS = ["", "x", "A" * 100, "A" * 5_000, "é", "\n", "\0", "..", "%0a", "=", "A" * 40 + "=", "A" * 40 + "\r\nX: y"]


@pytest.mark.parametrize("token", BAD_TOKENS)
def test_01_02_a_bad_token_is_answered_like_every_other(world: World, token: str) -> None:
    assert is_pixel(world.get(f"/o/{token}.gif"))
    missing = [world.get(f"/c/{token}"), world.get("/c/nonsense"), world.get("/"), world.get("/nothing/here")]
    assert {answer.status for answer in missing} == {"404 Not Found"}
    assert len({(tuple(sorted(answer.headers.items())), answer.body) for answer in missing}) == 1
    assert b"AAAA" not in missing[0].body
    assert world.events == []


def test_01_altered_tokens_make_no_events(world: World, signer: LinkSigner) -> None:
    token = signer.sign("open", issued=ISSUED)
    for at in range(0, len(token), 3):
        altered = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
        assert is_pixel(world.get(f"/o/{altered}.gif"))
    assert world.events == []
    assert world.app.counts["bad_token"] == len(range(0, len(token), 3))


def test_04_tokens_of_other_purposes_are_bad(world: World, signer: LinkSigner) -> None:
    tokens = {
        "o": signer.sign("open", issued=ISSUED),
        "c": signer.sign("click", URL, issued=ISSUED),
        "u": signer.sign("unsubscribe", issued=ISSUED),
    }
    for (mine, token), route in itertools.product(tokens.items(), "ocu"):
        answer = world.get(f"/{route}/{token}")
        good = mine == route and route != "u"
        assert is_pixel(answer) if route == "o" else (answer.status == ("302 Found" if good else "404 Not Found"))
    assert len(world.events) == 2


def test_05_06_keys(signer: LinkSigner) -> None:
    other = LinkSigner(KeyRing.of("quite another secret, 32 bytes !"), signer.base_url)
    world = World(other)
    assert world.get("/c/" + signer.sign("click", URL)).status == "404 Not Found"
    assert world.get("/c/" + other.sign("click", URL)).status == "302 Found"


@pytest.mark.parametrize(
    ("age_days", "signal", "counted"),
    [(0.1, None, True), (89, None, True), (91, "stale", False), (366, "stale", False)],
)
def test_07_old_opens(world: World, age_days: float, signal: str | None, counted: bool) -> None:
    world.now = ISSUED + age_days * 86_400
    assert is_pixel(world.open())
    (event,) = world.events
    assert event.counted is counted
    assert ("stale" in event.signals) is (signal == "stale")


@pytest.mark.parametrize(
    ("age_seconds", "signal", "counted"),
    [
        (3_600, None, True),
        (364 * 86_400, None, True),
        (366 * 86_400, "stale", False),
        (-299, "fast", True),
        (-301, "future", False),
    ],
)
def test_07_old_and_future_clicks_still_lead_there(
    world: World, age_seconds: float, signal: str | None, counted: bool
) -> None:
    world.now = ISSUED + age_seconds
    assert world.click().headers["Location"] == URL
    (event,) = world.events
    assert event.counted is counted
    assert (signal in event.signals) if signal else not {"stale", "future", "fast"} & set(event.signals)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://bücher.example/ä?ö=ü", "https://xn--bcher-kva.example/%C3%A4?%C3%B6=%C3%BC"),
        ("https://e.example/%2F?%20#frag", "https://e.example/%2F?%20#frag"),
        ("https://u:p@e.example:8443/", "https://u:p@e.example:8443/"),
        ("https://[2001:db8::1]:8080/x", "https://[2001:db8::1]:8080/x"),
        ("https://e.example/" + "a=1&" * 2_000, "https://e.example/" + "a=1&" * 2_000),
    ],
)
def test_10_destinations(world: World, url: str, expected: str) -> None:
    answer = world.click(url)
    assert answer.headers["Location"] == expected
    assert world.events[0].url == url


def test_a_destination_that_became_unsafe_is_not_redirected_to(signer: LinkSigner) -> None:
    """A token that an older or careless version signed: right MAC, wrong destination."""
    states = signer._signing["click"]
    for url in ("javascript:alert(1)", "https://e.example/\r\nSet-Cookie: a=b", "//e.example/", ""):
        token = signer._seal(states, 2, b"\0\0\0\1\0\0", url)
        assert signer.verify("click", token).url == url
        world = World(signer)
        assert world.get(f"/c/{token}").status == "404 Not Found"
        assert world.events == []


@pytest.mark.parametrize("kind", ["open", "click"])
def test_11_head(world: World, kind: str) -> None:
    ask: Callable[..., Answer] = getattr(world, kind)
    full, head = ask(), ask(method="HEAD")
    assert head.status == full.status
    assert head.headers == full.headers
    assert head.body == b""
    event = world.events[1]
    assert (event.method, event.actor, event.actor_reason) == ("HEAD", Actor.MACHINE, "head")
    missing = world.get("/c/x", "HEAD")
    assert (missing.status, missing.body) == ("404 Not Found", b"")
    assert missing.headers == world.get("/c/x").headers


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "PUT", "DELETE", "POST", "PATCH"])
def test_12_other_methods(world: World, signer: LinkSigner, method: str) -> None:
    for path in ("/o/x.gif", "/c/x", "/c/" + signer.sign("click", URL), "/o/" + signer.sign("open")):
        answer = world.get(path, method)
        assert answer.status == "405 Method Not Allowed"
        assert answer.headers["Allow"] == "GET, HEAD"
        assert "Location" not in answer.headers
    assert world.events == []


def test_19_a_failing_sink_costs_an_event_and_nothing_else(signer: LinkSigner) -> None:
    def fail(event: TrackingEvent) -> None:
        raise OSError(f"disk full at {event.type}")

    world = World(signer, sink=fail)
    assert is_pixel(world.open())
    assert world.click().headers["Location"] == URL
    assert world.app.counts["sink_error"] == 2
    assert [(str(error), event.type if event else None) for error, event in world.errors] == [
        ("disk full at open", EventType.OPEN),
        ("disk full at click", EventType.CLICK),
    ]


def test_19_a_bug_of_ours_costs_no_page_either(signer: LinkSigner) -> None:
    world = World(signer)

    def broken() -> float:
        raise RuntimeError("no clock")

    world.app._clock = broken
    assert is_pixel(world.open())
    assert world.click().headers["Location"] == URL
    assert world.app.counts["bug"] == 2
    assert [type(error) for error, _ in world.errors] == [RuntimeError, RuntimeError]


FORWARDED = [
    ((), "192.0.2.77", "1.2.3.4", "192.0.2.0/24", "nobody is trusted"),
    (("10.0.0.0/8",), "192.0.2.77", "1.2.3.4", "192.0.2.0/24", "this peer is not"),
    (("10.0.0.0/8",), "10.1.2.3", "1.2.3.4", "1.2.3.0/24", "this one is"),
    (("10.0.0.0/8",), "10.1.2.3", "9.9.9.9, 1.2.3.4, 10.0.0.5", "1.2.3.0/24", "the right-most that is not ours"),
    (("10.0.0.0/8",), "10.1.2.3", "1.2.3.4, evil\r\n", "10.1.2.0/24", "what is no address ends the search"),
    (("10.0.0.0/8",), "10.1.2.3", "evil\r\nX: y, 1.2.3.4", "1.2.3.0/24", "left of it nobody looks"),
    (("10.0.0.0/8",), "10.1.2.3", "", "10.1.2.0/24", "an empty field"),
    (("10.0.0.0/8",), "10.1.2.3", None, "10.1.2.0/24", "no field"),
    (("10.0.0.0/8",), "10.1.2.3", "10.0.0.1, 10.0.0.2", "10.0.0.0/24", "only ours: the left-most"),
    (("10.0.0.0/8",), "10.1.2.3", "1.2.3.4:5678", "1.2.3.0/24", "with a port"),
    (("10.0.0.0/8",), "10.1.2.3", "[2001:db8:1:2::3]:443", "2001:db8:1::/48", "IPv6 with a port"),
    (("10.0.0.0/8",), "10.1.2.3", "2001:db8:1:2::3", "2001:db8:1::/48", "IPv6"),
    (("10.0.0.0/8",), "10.1.2.3", "::ffff:1.2.3.4", "1.2.3.0/24", "IPv4 written as IPv6"),
    (("2001:db8::/32",), "2001:db8::9", "1.2.3.4", "1.2.3.0/24", "a trusted peer on IPv6"),
    (("unix",), "", "1.2.3.4", "1.2.3.0/24", "a proxy on a Unix socket"),
    (("10.0.0.0/8",), "", "1.2.3.4", "", "a Unix socket that is not trusted"),
    (("unix",), "nonsense", "1.2.3.4", "1.2.3.0/24", "no address at all is like a socket"),
    (("10.0.0.0/8",), "10.1.2.3", "," * 10_000 + "1.2.3.4", "1.2.3.0/24", "a long field"),
]


@pytest.mark.parametrize(("trusted", "peer", "forwarded", "kept", "why"), FORWARDED)
def test_20_whose_address_it_is(
    signer: LinkSigner, trusted: tuple[str, ...], peer: str, forwarded: str | None, kept: str, why: str
) -> None:
    world = World(signer, settings=TrackingSettings(trusted_proxies=trusted))
    world.click(REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR=forwarded)
    assert world.events[0].ip_prefix == kept, why


@pytest.mark.parametrize(
    ("keep", "address", "kept"),
    [
        (KeepIP.NONE, "192.0.2.77", ""),
        (KeepIP.PREFIX, "192.0.2.77", "192.0.2.0/24"),
        (KeepIP.PREFIX, "2001:db8:1:2:3::4", "2001:db8:1::/48"),
        (KeepIP.FULL, "192.0.2.77", "192.0.2.77"),
        (KeepIP.FULL, "2001:db8:1:2:3::4", "2001:db8:1:2:3::4"),
        ("none", "192.0.2.77", ""),
    ],
)
def test_how_much_of_an_address_is_kept(signer: LinkSigner, keep: Any, address: str, kept: str) -> None:
    world = World(signer, settings=TrackingSettings(keep_ip=keep))
    world.open(REMOTE_ADDR=address)
    assert world.events[0].ip_prefix == kept


def test_21_a_user_agent_is_kept_only_when_asked_and_then_escaped(signer: LinkSigner) -> None:
    agent = ("Mozilla/5.0 \x1b[31m\r\nX: y \t\0 " + "🙂é".encode().decode("latin-1") + "x" * 65_536)[:65_536]
    world = World(signer)
    world.open(HTTP_USER_AGENT=agent)
    assert world.events[0].user_agent == ""
    keeping = World(signer, settings=TrackingSettings(keep_user_agent=True))
    keeping.open(HTTP_USER_AGENT=agent)
    kept = keeping.events[0].user_agent
    assert kept.startswith(r"Mozilla/5.0 \x1b[31m\r\nX: y \t\x00 ")
    assert len(kept) <= 512
    assert kept.isprintable()
    short = World(signer, settings=TrackingSettings(keep_user_agent=True))
    short.open(HTTP_USER_AGENT="é🙂".encode().decode("latin-1"))
    assert short.events[0].user_agent == "é🙂"


@pytest.mark.parametrize(
    ("base", "paths"),
    [
        ("https://t.example/", ["/c/{}", "/c/{}/", "//c//{}", "/c/{}.gif", "c/{}", "///c/{}///"]),
        ("https://e.example/t/x/", ["/t/x/c/{}", "/c/{}", "//t/x//c/{}/"]),
    ],
)
def test_22_paths(ring: KeyRing, base: str, paths: list[str]) -> None:
    signer = LinkSigner(ring, base)
    world = World(signer)
    token = signer.sign("click", URL)
    for path in paths:
        for query in ("", "utm_source=x&fbclid=y", "%0a"):
            environ = {"QUERY_STRING": query, "SCRIPT_NAME": ""}
            if not path.startswith("/"):
                continue
            assert world.get(path.format(token), **environ).status == "302 Found", path
    assert world.get("/mounted/c/" + token).status == "404 Not Found"
    assert world.get("/c/" + token, SCRIPT_NAME="/mounted").status == "302 Found"
    assert world.get("/c/" + token + "/more").status == "404 Not Found"


@pytest.mark.parametrize(
    "environ",
    [{"HTTP_SEC_PURPOSE": "prefetch"}, {"HTTP_SEC_PURPOSE": "prefetch;prerender"}, {"HTTP_PURPOSE": "Prefetch"},
     {"HTTP_X_MOZ": "prefetch"}, {"HTTP_X_PURPOSE": "preview"}],
)  # fmt: skip
def test_23_prefetch(world: World, environ: dict[str, str]) -> None:
    world.click(**environ)
    assert (world.events[0].actor, world.events[0].actor_reason) == (Actor.MACHINE, "prefetch")


AGENTS = [
    ({}, Actor.HUMAN, "browser"),
    ({"HTTP_USER_AGENT": ""}, Actor.MACHINE, "ua_missing"),
    ({"HTTP_USER_AGENT": "-"}, Actor.MACHINE, "ua_missing"),
    ({"HTTP_USER_AGENT": "Mozilla/5.0"}, Actor.MACHINE, "apple_mpp"),
    ({"HTTP_USER_AGENT": "python-requests/2.32"}, Actor.MACHINE, "ua_library"),
    ({"HTTP_USER_AGENT": "Barracuda Sentinel (EE)"}, Actor.MACHINE, "ua_scanner"),
    (
        {"HTTP_USER_AGENT": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"},
        Actor.MACHINE,
        "ua_bot",
    ),
    ({"HTTP_USER_AGENT": "Mozilla/5.0 (X) Gecko (via ggpht.com GoogleImageProxy)"}, Actor.UNKNOWN, "ua_proxy"),
    (
        {"HTTP_USER_AGENT": "Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko)"},
        Actor.UNKNOWN,
        "ua_ambiguous",
    ),
    ({"HTTP_USER_AGENT": "SomethingElse/1.0"}, Actor.UNKNOWN, "ua_other"),
    ({"HTTP_USER_AGENT": None}, Actor.MACHINE, "ua_missing"),
    ({"HTTP_ACCEPT": None}, Actor.HUMAN, "browser"),
    ({"HTTP_ACCEPT": None, "HTTP_ACCEPT_LANGUAGE": None}, Actor.UNKNOWN, "no_accept"),
]


@pytest.mark.parametrize(("environ", "actor", "reason"), AGENTS)
def test_labels(world: World, environ: dict[str, str | None], actor: Actor, reason: str) -> None:
    world.open(**environ)
    assert (world.events[0].actor, world.events[0].actor_reason) == (actor, reason)


def test_networks(signer: LinkSigner) -> None:
    settings = TrackingSettings(
        machine_networks=IPRanges(["192.0.2.0/28"]), shared_networks=IPRanges(["192.0.2.64/26", "2001:db8::/32"])
    )
    world = World(signer, settings=settings)
    for address in ("192.0.2.7", "192.0.2.77", "192.0.2.200", "2001:db8::1", ""):
        world.open(REMOTE_ADDR=address)
    assert [event.actor_reason for event in world.events] == [
        "ip_machine",
        "ip_shared",
        "browser",
        "ip_shared",
        "browser",
    ]


def test_throttle(signer: LinkSigner) -> None:
    world = World(signer, settings=TrackingSettings(throttle_per_second=1, burst=None))
    for _ in range(6):
        assert world.click().status == "302 Found"
    assert ["throttled" in event.signals for event in world.events] == [False] * 4 + [True] * 2
    world.click(REMOTE_ADDR="198.51.100.1")
    assert "throttled" not in world.events[-1].signals
    world.now += 10
    world.click()
    assert "throttled" not in world.events[-1].signals


def test_a_burst_is_corrected(signer: LinkSigner) -> None:
    world = World(signer)
    tokens = [
        signer.sign(
            "click",
            f"https://e.example/{n}",
            message_id="m",
            recipient_id="r",
            link_index=n,
            link_count=9,
            issued=ISSUED,
        )
        for n in range(4)
    ]
    for token in tokens:
        world.now += 0.5
        assert world.get("/c/" + token).status == "302 Found"
    kinds = [(event.amends != "", event.actor, event.actor_reason) for event in world.events]
    human, burst = (False, Actor.HUMAN, "browser"), (False, Actor.MACHINE, "burst")
    amended = (True, Actor.MACHINE, "burst")
    assert kinds == [human, human, burst, amended, amended, burst]
    assert {event.amends for event in world.events if event.amends} == {event.id for event in world.events[:2]}
    assert all(event.at == world.events[0].at for event in world.events if event.amends == world.events[0].id)


def test_no_memory_no_correction(signer: LinkSigner) -> None:
    world = World(signer, settings=TrackingSettings(burst=None))
    for n in range(5):
        world.click(f"https://e.example/{n}")
    assert [event.actor for event in world.events] == [Actor.HUMAN] * 5


def test_the_trap(signer: LinkSigner) -> None:
    world = World(signer, settings=TrackingSettings(burst=BurstRule(distinct_links=99, share=9)))
    world.click()
    world.now += 20
    token = signer.sign("click", "https://e.example/trap", trap=True, issued=ISSUED, **IDS)  # type: ignore[arg-type]
    assert world.get("/c/" + token).headers["Location"] == "https://e.example/trap"
    world.now += 20
    world.click()
    world.now += 31
    world.click()
    labels = [(event.actor, event.actor_reason, bool(event.amends)) for event in world.events]
    assert labels == [
        (Actor.HUMAN, "browser", False),
        (Actor.MACHINE, "trap", False),
        (Actor.MACHINE, "trap", True),
        (Actor.MACHINE, "trap", False),
        (Actor.HUMAN, "browser", False),
    ]


def test_the_mounted_unsubscribe_application(ring: KeyRing) -> None:
    seen: list[tuple[str, str]] = []

    def inner(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.append((environ["SCRIPT_NAME"], environ["PATH_INFO"]))
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
        return [b"ok"]

    for base in ("https://t.example/", "https://e.example/users/t/"):
        world = World(LinkSigner(ring, base), unsubscribe=inner)
        prefix = base.removesuffix("/").partition("example")[2]
        seen.clear()
        for path, method in (
            ("/u/TOKEN", "GET"),
            ("/u/TOKEN", "POST"),
            ("/u/", "GET"),
            ("/u", "GET"),
            ("/u/a/b", "GET"),
        ):
            assert world.get(prefix + path, method).body == b"ok"
            assert world.get(path, method, SCRIPT_NAME=prefix).body == b"ok"
        assert seen[::2] == [(prefix + "/u", x) for x in ("/TOKEN", "/TOKEN", "/", "", "/a/b")]
        assert seen[1::2] == seen[::2]
        assert world.get("/x/u/TOKEN").status == "404 Not Found"
    assert World(LinkSigner(ring, base)).get("/u/TOKEN").status == "404 Not Found"


ODD_VALUES = (
    None, "", "x" * 70_000, "\xff\xfe", "日本", "\ud800", "\r\nX: 1", "\0", "GET", "HEAD", "prefetch", "-1", "::1",
    "fe80::1%eth0", "1.2.3.4, [::1]:3, , x", "," * 10_000, "/" * 10_000, b"/o/x", 7,
)  # fmt: skip
ODD_FIELDS = (
    "REQUEST_METHOD", "PATH_INFO", "SCRIPT_NAME", "QUERY_STRING", "REMOTE_ADDR", "HTTP_USER_AGENT", "HTTP_ACCEPT",
    "HTTP_ACCEPT_LANGUAGE", "HTTP_X_FORWARDED_FOR", "HTTP_SEC_PURPOSE", "HTTP_X_MOZ",
)  # fmt: skip


def plain_call(app: Any, environ: dict[str, Any]) -> tuple[str, list[tuple[str, str]], bytes]:
    started: list[tuple[str, list[tuple[str, str]]]] = []
    body = b"".join(app(environ, lambda status, headers, _=None: started.append((status, headers))))
    ((status, headers),) = started
    return status, headers, body


@pytest.mark.parametrize("kind", ["open", "click"])
@pytest.mark.parametrize("field", ODD_FIELDS)
def test_whatever_a_server_hands_over_is_answered(signer: LinkSigner, kind: str, field: str) -> None:
    """Without wsgiref's validator, which would refuse such servers."""
    url = signer.open_url(**IDS) if kind == "open" else signer.click_url(URL, **IDS)
    path = url.removeprefix("https://t.example")
    settings = TrackingSettings(trusted_proxies=("192.0.2.0/24", "unix"), keep_user_agent=True, throttle_per_second=1)
    events: list[TrackingEvent] = []
    app = TrackingApp(signer, events.append, settings=settings)
    for value in (*ODD_VALUES, "missing"):
        environ: dict[str, Any] = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "REMOTE_ADDR": "192.0.2.1"}
        environ[field] = value
        if value == "missing":
            del environ[field]
        status, headers, body = plain_call(app, environ)
        assert status[:3] in ("200", "302", "404", "405")
        assert all(text.isascii() and text.isprintable() for header in headers for text in header)
        assert dict(headers)["Content-Length"] == str(len(body)) or environ.get("REQUEST_METHOD") == "HEAD"
        if field not in ("REQUEST_METHOD", "PATH_INFO"):
            assert status == ("200 OK" if kind == "open" else "302 Found")
    if field not in ("REQUEST_METHOD", "PATH_INFO"):
        # What only a broken server does (numbers, bytes) may cost the event, and is counted.
        assert len(events) + app.counts["bug"] >= len(ODD_VALUES) + 1
        assert app.counts["bug"] <= 2


def test_a_hook_that_fails_costs_no_answer(signer: LinkSigner) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the hook")

    app = TrackingApp(signer, fail, on_error=fail)
    assert is_pixel(Client(app)(signer.open_url(message_id="m").removeprefix("https://t.example")))
    assert (app.counts["sink_error"], app.counts["bug"]) == (1, 1)


def test_counts(world: World) -> None:
    world.open()
    world.click()
    world.click()
    world.get("/c/x")
    assert world.app.counts == {"open": 1, "click": 2, "bad_token": 1}


def test_settings_are_checked(signer: LinkSigner) -> None:
    with pytest.raises(ValueError, match="nonsense"):
        TrackingSettings(keep_ip="nonsense")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="does not appear"):
        TrackingApp(signer, print, settings=TrackingSettings(trusted_proxies=("nonsense",)))
    with pytest.raises(ValueError, match="above zero"):
        TrackingApp(signer, print, settings=TrackingSettings(throttle_per_second=0))


def test_to_event(world: World) -> None:
    world.click(HTTP_USER_AGENT="curl/8")
    event = world.events[0].to_event("ann@example.net")
    assert event.kind == "clicked"
    assert event.recipient == "ann@example.net"
    assert (event.source, event.ref, event.matched, event.stream, event.tenant) == (
        "tracking",
        "m-1",
        "token",
        "news",
        "acme",
    )
    assert event.detail == URL
    assert event.event_id == world.events[0].id
    assert event.meta_value("actor") == "machine"
    assert event.meta_value("recipient_id") == "r-1"
    assert event == type(event).from_dict(event.to_dict())
    world.open()
    assert world.events[1].to_event().kind == "opened"
    assert world.events[1].to_event().recipient is None


def test_an_event_as_json(world: World) -> None:
    world.click()
    data = world.events[0].to_dict()
    assert data["at"].endswith("+00:00")
    assert type(world.events[0]).from_dict(data) == world.events[0]
