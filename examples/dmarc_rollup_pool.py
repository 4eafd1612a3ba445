"""Reports read by several processes of one machine: the standard process pool, the same result to the last byte.

Prints:
    one process and a pool of two agree: 150 reports
"""

from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from mailgate.dmarc import rollup

REPORTS = Path(__file__).parent.parent / "fixtures" / "dmarc" / "reports"


def main() -> None:
    """Any `concurrent.futures.Executor` goes in the same place."""
    alone = rollup([REPORTS])
    with ProcessPoolExecutor(2) as pool:
        shared = rollup([REPORTS], executor=pool)
    assert shared.to_json() == alone.to_json()
    print(f"one process and a pool of two agree: {len(shared.contributions)} reports")


if __name__ == "__main__":
    main()
