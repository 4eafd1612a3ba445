"""The tracking app behind gunicorn (pip install gunicorn), with two workers that share one SQLite file.

    MAILGATE_FOLDER=/var/lib/mailgate gunicorn --workers 2 gunicorn_mount:application

Run as a program it starts just that, opens a mail and follows a link.

Prints:
    pixel: 200 image/gif
    link: 302 https://shop.example/?a=1&b=2
    somebody else's link: 404
    recorded: open by r-1, click by r-1
"""

import http.client
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from mailgate.engagement import LinkSigner, SQLiteSink, TrackingApp, TrackingSettings, read_events
from mailgate.records import KeyRing

# The folder holds the secret and the events; both belong to the user that gunicorn runs as.
FOLDER = Path(os.environ.get("MAILGATE_FOLDER", "."))
BASE_URL = "https://t.example/"


def make_app(folder: Path) -> TrackingApp:
    """One app a worker: the store is opened at the first event, after gunicorn has forked."""
    keys = KeyRing.of((folder / "secret").read_text().strip())
    # The proxy in front is on this machine; nobody else's X-Forwarded-For is believed.
    settings = TrackingSettings(trusted_proxies=("127.0.0.1", "unix"))
    return TrackingApp(LinkSigner(keys, BASE_URL), SQLiteSink(folder / "track.db"), settings=settings)


def get(port: int, path: str) -> tuple[int, str | None]:
    """(status, where it leads or what it is)."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path, headers={"User-Agent": "Mozilla/5.0 (X11; Linux) Gecko/20100101 Firefox/128.0"})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, answer.getheader("Location") or answer.getheader("Content-Type")


def main() -> None:
    """Start gunicorn on this file and be a reader."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "secret").write_text(os.urandom(32).hex())
        signer = make_app(folder).signer
        links = signer.for_message(message_id="2026-11-a", recipient_id="r-1")
        command = [
            sys.executable,
            "-m",
            "gunicorn",
            "--workers",
            "2",
            "--bind",
            "127.0.0.1:0",
            "gunicorn_mount:application",
        ]
        path = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
        environment = {**os.environ, "MAILGATE_FOLDER": name, "PYTHONPATH": path}
        with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as server:  # noqa: S603
            try:
                said = (re.search(r":(\d+) \(", line) for line in server.stderr or ())
                port = next((int(found[1]) for found in said if found), None)
                if port is None:
                    raise SystemExit("gunicorn did not start; is it installed? pip install gunicorn")
                status, kind = get(port, links.open().removeprefix("https://t.example"))
                print("pixel:", status, kind)
                status, target = get(
                    port, links.click("https://shop.example/?a=1&b=2").removeprefix("https://t.example")
                )
                print("link:", status, target)
                print("somebody else's link:", get(port, "/c/nonsense")[0])
            finally:
                server.terminate()
        events = list(read_events(folder / "track.db"))
        print("recorded:", ", ".join(f"{event.type} by {event.recipient_id}" for event in events))


if __name__ == "__main__":
    main()
elif "MAILGATE_FOLDER" in os.environ:
    application = make_app(FOLDER)
