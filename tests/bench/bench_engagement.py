"""How fast links are signed, HTML and messages rewritten, requests answered; beside bounds and peers in the same run.

    python tests/bench/bench_engagement.py [tokens] [rewrite] [messages] [hostile] [wsgi] [sinks] [waitress]

Everything without words. Best (waitress: median) of several rounds; CPU time of this process except behind waitress,
where requests a second of the wall clock count because the client takes part in it. Bounds: the least work that a
Python program could do for the task. Peers: itsdangerous, lxml, when they are installed. MAILGATE_CORPORA names the
folder of the full corpora; without it the copies in fixtures/ are measured.
"""

from __future__ import annotations

import hashlib
import hmac
import importlib
import os
import platform
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from mailgate.engagement import (
    JsonLinesSink,
    LinkSigner,
    RewritePolicy,
    SQLiteSink,
    TrackingApp,
    rewrite_html,
    rewrite_message,
)
from mailgate.records import KeyRing
from tests.engagement.conftest import CHROME, CORPUS, documents, messages
from tests.engagement.test_tokenizer import ADVERSARIAL

ROOT = Path(__file__).parents[2]
ROUNDS = 7
SECRET = b"a secret for the bench, 32 bytes!"
URL = "https://shop.example/products/2024/spring/collection?item=12345&utm_source=newsletter&x=1"[:86]
MESSAGE_ID, RECIPIENT_ID = "m" * 16, "r" * 12
SIGNER = LinkSigner(KeyRing.of(SECRET), "https://t.example/")
LINKS = SIGNER.for_message(message_id=MESSAGE_ID, recipient_id=RECIPIENT_ID)


def best(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """The least CPU time of `rounds` runs, in seconds."""
    times = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return max(min(times), 1e-9)


def peer(name: str) -> ModuleType | None:
    """An optional package; None, and a word about it, when it is missing."""
    try:
        return importlib.import_module(name)
    except ImportError:
        print(f"  ({name} is not installed: its row is missing)")
        return None


def corpus() -> Path:
    folder = os.environ.get("MAILGATE_CORPORA")
    return Path(folder) / "html_email" if folder else CORPUS


def row(name: str, value: str, note: str = "") -> None:
    print(f"  {name:<44} {value:>14}  {note}")


# Tokens -----------------------------------------------------------------------------------------------------------

_KEY = hashlib.sha256(SECRET).digest().ljust(64, b"\0")
_INNER = hashlib.sha256(bytes(octet ^ 0x36 for octet in _KEY))
_OUTER = hashlib.sha256(bytes(octet ^ 0x5C for octet in _KEY))
_TO_URL, _FROM_URL = bytes.maketrans(b"+/", b"-_"), bytes.maketrans(b"-_", b"+/")


def bound_sign(url: str, message_id: str, recipient_id: str) -> str:
    """The least that makes such a token: no checks, kept states, one spelling."""
    m, r = message_id.encode(), recipient_id.encode()
    payload = b"\2" + int(time.time()).to_bytes(4, "big") + bytes((len(m),)) + m + bytes((len(r),)) + r + url.encode()
    inner, outer = _INNER.copy(), _OUTER.copy()
    inner.update(payload)
    outer.update(inner.digest())
    raw = b"\0" + outer.digest()[:16] + payload
    return b2a_base64(raw, newline=False).translate(_TO_URL).rstrip(b"=").decode("ascii")


def bound_verify(token: str) -> tuple[str, str, str, int] | None:
    raw = a2b_base64(token.encode("ascii").translate(_FROM_URL) + b"=" * (-len(token) % 4))
    payload = raw[17:]
    inner, outer = _INNER.copy(), _OUTER.copy()
    inner.update(payload)
    outer.update(inner.digest())
    if not hmac.compare_digest(outer.digest()[:16], raw[1:17]):
        return None
    end = 6 + payload[5]
    at = end + 1
    last = at + payload[end]
    return (
        payload[6:end].decode(),
        payload[at:last].decode(),
        payload[last:].decode(),
        int.from_bytes(payload[1:5], "big"),
    )


def bench_tokens() -> None:
    """Alternating with the bound, so that a busy machine slows both."""
    count = 20_000
    urls = [f"{URL[:-6]}{number:06}" for number in range(count)]
    tokens = [SIGNER.sign("click", url, message_id=MESSAGE_ID, recipient_id=RECIPIENT_ID) for url in urls]
    bound_tokens = [bound_sign(url, MESSAGE_ID, RECIPIENT_ID) for url in urls]
    works: dict[str, Callable[[], object]] = {
        "sign bound": lambda: [bound_sign(url, MESSAGE_ID, RECIPIENT_ID) for url in urls],
        "sign": lambda: [SIGNER.sign("click", u, message_id=MESSAGE_ID, recipient_id=RECIPIENT_ID) for u in urls],
        "verify bound": lambda: [bound_verify(token) for token in bound_tokens],
        "verify": lambda: [SIGNER.verify("click", token) for token in tokens],
    }
    module = peer("itsdangerous")
    if module is not None:
        serializer = module.URLSafeSerializer(SECRET, signer_kwargs={"digest_method": hashlib.sha256})
        claims = [{"m": MESSAGE_ID, "r": RECIPIENT_ID, "u": url} for url in urls]
        theirs = [serializer.dumps(claim) for claim in claims]
        works["sign itsdangerous"] = lambda: [serializer.dumps(claim) for claim in claims]
        works["verify itsdangerous"] = lambda: [serializer.loads(token) for token in theirs]
    times = dict.fromkeys(works, 1e9)
    for _ in range(ROUNDS):
        for name, work in works.items():
            times[name] = min(times[name], best(work, 1))
    print(f"tokens: {len(tokens[0])} characters, {count} different ones")
    for what in ("sign", "verify"):
        own = times[what]
        for name in (what, f"{what} bound", f"{what} itsdangerous"):
            if name in times:
                ratio = times[name] / own
                row(name, f"{count / times[name]:,.0f}/s", "" if name == what else f"ours is {ratio:.2f} of it")


# Rewriting --------------------------------------------------------------------------------------------------------


def lxml_rewrite(html_module: Any, data: bytes) -> bytes:
    """As rewriters on lxml do it, its own `rewrite_links` too: every link of the tree, those of `a` set."""
    tree = html_module.fromstring(data)
    for element, attribute, url, _ in tree.iterlinks():
        if element.tag == "a" and attribute == "href" and url.startswith(("http://", "https://")):
            element.attrib["href"] = tracked(url)
    return written(html_module, tree)


def lxml_least(html_module: Any, data: bytes) -> bytes:
    """The least that one can ask of lxml: an XPath for the links of `a`, nothing decoded by us."""
    tree = html_module.fromstring(data)
    for element in tree.xpath("//a[@href]"):
        url = element.attrib["href"]
        if url.startswith(("http://", "https://")):
            element.attrib["href"] = tracked(url)
    return written(html_module, tree)


def tracked(url: str) -> str:
    """A signed link as ours, or the URL as it is when it cannot be signed."""
    try:
        return LINKS.click(url, as_written=True)
    except ValueError:
        return url


def written(html_module: Any, tree: Any) -> bytes:
    pixel = html_module.Element("img", {"src": LINKS.open(), "width": "1", "height": "1"})
    body = tree.find(".//body")
    (tree if body is None else body).append(pixel)
    return bytes(html_module.tostring(tree))


def bench_rewrite() -> None:
    found = [(document.html, document.charset) for document in documents(corpus())]
    size = sum(len(html) for html, _ in found)
    works: dict[str, Callable[[], object]] = {
        "rewrite_html": lambda: [rewrite_html(html, LINKS, charset=charset) for html, charset in found]
    }
    module = peer("lxml.html")
    if module is not None:
        works["lxml, all links of the tree"] = lambda: [lxml_rewrite(module, html) for html, _ in found]
        works["lxml, XPath for the links of a"] = lambda: [lxml_least(module, html) for html, _ in found]
    times = dict.fromkeys(works, 1e9)
    for _ in range(ROUNDS):
        for name, work in works.items():
            times[name] = min(times[name], best(work, 1))
    print(f"rewriting HTML: {len(found)} documents, {size:,} bytes, tokens and pixel included in all rows")
    own = times["rewrite_html"]
    for name, seconds in times.items():
        row(
            name,
            f"{size / seconds / 1e6:.1f} MB/s",
            "" if seconds == own else f"ours is {seconds / own:.1f} times that",
        )


def bench_messages() -> None:
    raws = [raw for raw, _ in messages(corpus()).values()]
    newsletter = (ROOT / "fixtures" / "engagement" / "newsletter.eml").read_bytes()
    size = sum(map(len, raws))
    everything = RewritePolicy(plain_text=True)
    seconds = best(lambda: [rewrite_message(raw, LINKS, force=True) for raw in raws])
    both = best(lambda: [rewrite_message(raw, LINKS, policy=everything, force=True) for raw in raws])
    one = best(lambda: [rewrite_message(newsletter, LINKS) for _ in range(100)])
    print(f"rewriting messages: {len(raws)} of {size:,} bytes")
    row("rewrite_message", f"{size / seconds / 1e6:.1f} MB/s", f"{len(raws) / seconds:,.0f} messages/s")
    row("the same, text parts too", f"{size / both / 1e6:.1f} MB/s")
    row("a newsletter of 3.6 kB in quoted-printable", f"{100 / one:,.0f}/s")


def bench_hostile() -> None:
    """10 MB of each pattern; the worst time is what counts."""
    size = 10_000_000
    print(f"hostile HTML: {size:,} bytes of one pattern, {len(ADVERSARIAL)} patterns, seconds of CPU time")
    times = []
    for pattern in ADVERSARIAL:
        data = (pattern * (size // len(pattern) + 1))[:size].encode()
        seconds = max(
            best(lambda text=text: rewrite_html(text, LINKS), 1)  # type: ignore[misc]
            for text in (data, data + b"\"'>", b"<svg>" + data + b"<title/>")
        )
        times.append((seconds, pattern))
    for seconds, pattern in sorted(times, reverse=True)[:8]:
        row(repr(pattern), f"{seconds:.2f} s")
    row("the worst of all", f"{max(times)[0]:.2f} s")


# Requests ---------------------------------------------------------------------------------------------------------


def environ(path: str) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "REMOTE_ADDR": "192.0.2.77",
        "HTTP_USER_AGENT": CHROME,
        "HTTP_ACCEPT": "*/*",
        "HTTP_ACCEPT_LANGUAGE": "en",
    }


def requests_of(count: int) -> dict[str, list[dict[str, Any]]]:
    """Requests of different recipients."""
    found: dict[str, list[dict[str, Any]]] = {"open": [], "click": [], "bad token": []}
    for number in range(count):
        links = SIGNER.for_message(message_id=MESSAGE_ID, recipient_id=f"r{number:011}")
        found["open"].append(environ(links.open().removeprefix("https://t.example")))
        found["click"].append(environ(links.click(URL).removeprefix("https://t.example")))
        found["bad token"].append(environ(links.open().removeprefix("https://t.example")[:-7] + "AAA"))
    return found


def start_response(status: str, headers: list[tuple[str, str]]) -> None:
    """What a server gives, without the server."""


def bench_wsgi() -> None:
    count = 20_000
    print(f"the app called directly: {count} different recipients, labels and burst memory, a list as the sink")
    for kind, requests in requests_of(count).items():
        events: list[object] = []
        app = TrackingApp(SIGNER, events.append)

        def work(app: TrackingApp = app, requests: list[dict[str, Any]] = requests) -> None:
            for request in requests:
                app(request, start_response)  # type: ignore[arg-type]

        row(kind, f"{count / best(work, 5):,.0f}/s")


def bench_sinks() -> None:
    """Seconds of the wall clock, because a sink waits for the disk."""
    count = 10_000
    print(f"the app called directly, with a sink: {count} clicks, one thread, wall clock, best of 3")
    requests = requests_of(count)["click"]
    kinds: dict[str, Callable[[str], Any]] = {
        "JsonLinesSink": JsonLinesSink,
        "SQLiteSink, committed before each answer": SQLiteSink,
        "SQLiteSink(durable=False)": lambda path: SQLiteSink(path, durable=False),
    }
    for name, make in kinds.items():
        times = []
        for _ in range(3):
            with tempfile.TemporaryDirectory() as folder:
                sink = make(os.path.join(folder, "events"))
                app = TrackingApp(SIGNER, sink)
                start = time.perf_counter()
                for request in requests:
                    app(request, start_response)  # type: ignore[arg-type]
                sink.close()
                times.append(time.perf_counter() - start)
        row(name, f"{count / min(times):,.0f}/s")


SERVER = """
import logging, sys
sys.path.insert(0, {root!r})
import waitress
from mailgate.engagement import LinkSigner, TrackingApp
from mailgate.engagement._app import _PIXEL_HEADERS, PIXEL
from mailgate.records import KeyRing

def null(environ, start_response):
    start_response("200 OK", [("Content-Type", "image/gif"), ("Content-Length", "2")])
    return [b"ok"]

def same(environ, start_response):
    start_response("200 OK", _PIXEL_HEADERS.copy())
    return [PIXEL]

logging.disable(logging.WARNING)
events = []
signer = LinkSigner(KeyRing.of({secret!r}), "https://t.example/")
app = dict(null=null, same=same).get(sys.argv[1]) or TrackingApp(signer, events.append)
server = waitress.create_server(app, host="127.0.0.1", port=0, threads=4)
print(server.effective_port, flush=True)
server.run()
"""


def bench_waitress() -> None:
    """Null apps and ours by turns, many short rounds, so that other work on the machine hits all.

    The null app answers with two header fields and two bytes; the second one with the bytes and header fields of ours,
    so that the difference is what we compute and not what the server writes. CPU time is that of the server process.
    """
    if peer("waitress") is None:
        return
    found = requests_of(300)
    wires = {kind: [wire(request["PATH_INFO"]) for request in found[kind]] for kind in ("open", "click")}
    source = SERVER.format(root=str(ROOT), secret=SECRET)
    processes = [
        subprocess.Popen([sys.executable, "-c", source, kind], stdout=subprocess.PIPE, text=True)
        for kind in ("null", "same", "ours")
    ]
    try:
        servers = [(int((process.stdout or sys.stdin).readline()), process.pid) for process in processes]
        for keep_alive in (False, True):
            compare(servers, wires, keep_alive)
    finally:
        for process in processes:
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()


def compare(servers: list[tuple[int, int]], wires: dict[str, list[bytes]], keep_alive: bool) -> None:
    null, same, ours = servers
    rows = {
        "null app": (null, wires["open"]),
        "null app with our answer": (same, wires["open"]),
        "open": (ours, wires["open"]),
        "click": (ours, wires["click"]),
    }
    rates: dict[str, list[float]] = {name: [] for name in rows}
    costs: dict[str, list[float]] = {name: [] for name in rows}
    order = list(rows)
    rng = random.Random(24)
    for _ in range(24):
        rng.shuffle(order)
        for name in order:
            (port, pid), requests = rows[name]
            before = cpu_seconds(pid)
            rates[name].append(requests_a_second(port, requests, keep_alive))
            costs[name].append((cpu_seconds(pid) - before) / (2 * len(requests)))
    mode = "keep-alive" if keep_alive else "a connection for each request, as mail clients do"
    print(f"behind waitress, 4 threads, 2 clients, median of 24 rounds by turns: {mode}")
    least = statistics.median(costs["null app"])
    for name, values in rates.items():
        ratio = statistics.median(value / base for value, base in zip(values, rates["null app"], strict=True))
        cost = statistics.median(costs[name])
        note = f"{cost * 1e6:.0f} us of CPU"
        if name != "null app":
            note += f"; of the null app {ratio:.2f} by the clock, {least / max(cost, 1e-9):.2f} by CPU time"
        row(name, f"{statistics.median(values):,.0f}/s", note)


def cpu_seconds(pid: int) -> float:
    """CPU time of a process, all threads, to the nanosecond (Linux)."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def wire(path: str) -> bytes:
    return (
        f"GET {path} HTTP/1.1\r\nHost: x\r\nUser-Agent: {CHROME}\r\nAccept: */*\r\nAccept-Language: en\r\n\r\n".encode()
    )


def requests_a_second(port: int, wires: list[bytes], keep_alive: bool) -> float:
    def client() -> None:
        connection: socket.socket | None = None
        for request in wires:
            if connection is None:
                connection = socket.create_connection(("127.0.0.1", port))
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(request)
            read_answer(connection)
            if not keep_alive:
                connection.close()
                connection = None
        if connection is not None:
            connection.close()

    threads = [threading.Thread(target=client) for _ in range(2)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return 2 * len(wires) / (time.perf_counter() - start)


def read_answer(connection: socket.socket) -> None:
    """One answer off the wire, at little cost for the client."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(4096)
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    while len(body) < length:
        body += connection.recv(4096)


BENCHES: dict[str, Callable[[], None]] = {
    "tokens": bench_tokens,
    "rewrite": bench_rewrite,
    "messages": bench_messages,
    "hostile": bench_hostile,
    "wsgi": bench_wsgi,
    "sinks": bench_sinks,
    "waitress": bench_waitress,
}


def main(names: list[str]) -> None:
    print(f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores")
    for name in ("itsdangerous", "lxml", "waitress"):
        try:
            from importlib.metadata import PackageNotFoundError, version

            print(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    for name in names or BENCHES:
        BENCHES[name]()


if __name__ == "__main__":
    main(sys.argv[1:])
