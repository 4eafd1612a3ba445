"""Let Postfix refuse suppressed recipients by itself, so that no sending application has to be changed.

In production `mailgate suppress policy --db /var/lib/mailgate/mail.db --listen /var/spool/postfix/mailgate/policy` runs
as a service, and main.cf asks it, once for each kind of mail that it takes in:

    smtpd_recipient_restrictions =
        check_policy_service { unix:mailgate/policy, policy_context=newsletter },
        permit_mynetworks, reject

This example is both sides: it serves a list on a UNIX socket and asks as Postfix would.

Prints:
    ann@example.com, newsletter: 550 5.7.1 recipient is on our suppression list (unsubscribe since 2026-01-01)
    ann@example.com, receipts: DUNNO
    bob@example.com, newsletter: DUNNO
    bob@example.com, newsletter: 451 4.3.5 the suppression list cannot be read, try again later
"""

import asyncio
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from mailgate.suppression import PolicyOptions, PolicyService, SuppressionReason, SuppressionStore, policy_server


async def ask(path: Path, recipient: str, stream: str) -> None:
    """One request as Postfix sends it, and what comes back."""
    reader, writer = await asyncio.open_unix_connection(path)
    request = f"request=smtpd_access_policy\nprotocol_state=RCPT\nrecipient={recipient}\npolicy_context={stream}\n\n"
    writer.write(request.encode())
    answer = await reader.readuntil(b"\n\n")
    print(f"{recipient}, {stream}: {answer.decode().strip().removeprefix('action=')}")
    writer.close()
    await writer.wait_closed()


async def serve_and_ask(db: Path, socket: Path) -> None:
    """The service answers as long as the block is open."""
    service = PolicyService(lambda: SuppressionStore.open(db, create=False), PolicyOptions())
    async with policy_server(service, path=str(socket)):
        await ask(socket, "ann@example.com", "newsletter")
        await ask(socket, "ann@example.com", "receipts")
        await ask(socket, "bob@example.com", "newsletter")
        db.rename(db.with_suffix(".away"))  # a list that cannot be read never says yes
        await ask(socket, "bob@example.com", "newsletter")
    service.close()


def main() -> None:
    """A list with one entry, served and asked."""
    with tempfile.TemporaryDirectory() as folder:
        db = Path(folder) / "mail.db"
        with SuppressionStore.open(db) as store:
            store.add(
                "ann@example.com",
                SuppressionReason.UNSUBSCRIBE,
                stream="newsletter",
                at=datetime(2026, 1, 1, tzinfo=UTC),
                source="example",
            )
        asyncio.run(serve_and_ask(db, Path(folder) / "policy"))


if __name__ == "__main__":
    main()
