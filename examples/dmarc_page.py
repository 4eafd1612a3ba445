"""DMARC reports to one page, by the library: read, add up, name the senders, judge, write HTML.

Prints:
    150 DMARC and 5 TLS reports; 1 copy counted once
    example.com: 96.8% of 89,869 messages passed
    most failures: 203.0.113.25 (misaligned), 0 of 877 passed
    policy: stay at p=none
      because: 4 sources with at least 0.1% of the mail: less than 98% passes
      because: 1 failing source new in the last 14 days: wait, find out who it is
    wrote dmarc.html, a page that needs nothing else
"""

import tempfile
from pathlib import Path

from mailgate.dmarc import Networks, ViewOptions, name_sources, page, rollup, view

REPORTS = Path(__file__).parent.parent / "fixtures" / "dmarc" / "reports"
OURS = Networks.parse(
    """
    192.0.2.0/24       our mail server
    2001:db8:25::/48   our mail server
    198.51.100.0/25    newsletter service
    203.0.113.80       old web server
    """
)


def main() -> None:
    """Files in, one page out."""
    total = rollup([REPORTS])
    shown = name_sources(view(total, ViewOptions(domains=["example.com"])), OURS)
    print(
        f"{shown['reports']} DMARC and {shown['tls_reports']} TLS reports; "
        f"{shown['duplicates_ignored']} copy counted once"
    )
    domain = shown["domains"]["example.com"]
    print(f"example.com: {domain['rate']:.1%} of {domain['messages']:,} messages passed")
    worst = domain["sources"][0]
    print(f"most failures: {worst['ip']} ({worst['class']}), {worst['pass']} of {worst['messages']} passed")
    readiness = domain["readiness"]
    print(f"policy: {readiness['answer']} at p={readiness['current']}")
    for blocker in readiness["blockers"]:
        print(f"  because: {blocker['text']}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dmarc.html"
        path.write_text(page(shown, title="Who sends as us"), encoding="utf-8")
        print(f"wrote {path.name}, a page that needs nothing else")


if __name__ == "__main__":
    main()
