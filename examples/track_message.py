"""Track the links of a finished message, just before it is DKIM-signed and handed to the MTA.

Every byte that is not a link (or the pixel) stays: see what changed, and that it can be undone.

Prints:
    3 links tracked, 1 pixel, undone exactly: True
    0 https://shop.example/spring?item=12&utm_source=newsletter
    1 https://shop.example/sale
    1 https://shop.example/sale (for Outlook)
    2 https://shop.example/map/
    left alone: mailto:tea@shop.example (scheme)
    left alone: #hours (fragment)
    left alone: https://shop.example/imprint (opt_out)
    lines changed: 8 of 70
"""

import secrets
from pathlib import Path

from mailgate.engagement import LinkSigner, Place, rewrite_message
from mailgate.records import KeyRing

NEWSLETTER = Path(__file__).parent.parent / "fixtures" / "engagement" / "newsletter.eml"


def main() -> None:
    """One message to one recipient, as it would go out."""
    signer = LinkSigner(KeyRing.of(secrets.token_hex()), "https://t.example/")
    message = NEWSLETTER.read_bytes()
    links = signer.for_message(message_id="2026-11-a", recipient_id=signer.recipient_id_of("ann@recipient.example"))
    result = rewrite_message(message, links)
    # Here: DKIM-sign result.message, give it to the MTA.

    distinct = {link.index for link in result.tracked}
    print(f"{len(distinct)} links tracked, {result.pixel:d} pixel, undone exactly: {result.undo() == message}")
    found = [link for part in result.parts for link in part.links]
    for link in sorted(result.tracked, key=lambda link: (link.index, link.place is Place.COMMENT)):
        print(link.index, link.url + (" (for Outlook)" if link.place is Place.COMMENT else ""))
    for link in found:
        if link.skipped:
            print(f"left alone: {link.url} ({link.skipped})")
    lines = message.splitlines()
    changed = set(lines) - set(result.message.splitlines())
    print(f"lines changed: {len(changed)} of {len(lines)}")


if __name__ == "__main__":
    main()
