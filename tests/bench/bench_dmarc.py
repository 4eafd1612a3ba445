"""DMARC reports: mailgate against bare Expat and parsedmarc, on the same inputs in the same run.

    python tests/bench/bench_dmarc.py                 all sets, five rounds, parsedmarc in an environment of its own
    python tests/bench/bench_dmarc.py --sets S,M --rounds 3 --without-peer

Sets: S: 600 generated reports of 5 to 50 records. R: wild reports (the folder named by MAILGATE_CORPORA, else the
fixtures). B: one report of 200,000 records, from gzip. M: 400 mails of S. D: S with no two records alike, where nothing
can be remembered. Each figure comes from a process of its own; rounds go around the implementations, so that a busy
machine spoils all of them alike; CPU times are medians, and ratios to bare Expat and to the peer say more than seconds.
What is counted is compared before what it took: when records or messages differ, the run is void and ends with 1.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import json
import os
import pickle
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
PEER = "parsedmarc==11.1.0"
SEED_S, SEED_B = 5, 7

# (implementation, sets that it is run on, at most so many rounds)
IMPLEMENTATIONS: tuple[tuple[str, str, int], ...] = (
    ("expat", "SRBD", 99),
    ("full", "SRBMD", 99),
    ("full, Expat only", "SRD", 99),
    ("rollup", "SRBMD", 99),
    ("parsedmarc", "SRBMD", 3),
    ("parsedmarc, no lookups", "SRM", 3),
)
SLOW = {("parsedmarc", "B"): 1}


# --- one measurement, in its own process -----------------------------------------------------------------------------


def child(implementation: str, data_set: str, folder: Path) -> dict[str, Any]:
    """CPU and wall time, peak memory and what was counted."""
    work = WORKS[implementation.partition(",")[0]](implementation, data_set)
    inputs = load(data_set, folder, unpacked=implementation == "expat")
    started, cpu = time.perf_counter(), time.process_time()
    reports, records, messages = work(inputs)
    return {
        "cpu": time.process_time() - cpu,
        "wall": time.perf_counter() - started,
        "rss_mb": peak_mb(),
        "reports": reports,
        "records": records,
        "messages": messages,
    }


def peak_mb() -> float:
    """Of this program alone: `ru_maxrss` begins with what the parent had when it forked."""
    status = Path("/proc/self/status")
    if status.exists():
        return next(int(line.split()[1]) / 1024 for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


Work = Callable[[Iterable[bytes]], tuple[int, int, int]]


def load(data_set: str, folder: Path, *, unpacked: bool) -> list[bytes]:
    if data_set == "B":
        packed = (folder / "B.xml.gz").read_bytes()
        return [gzip.decompress(packed)] if unpacked else [packed]
    with (folder / f"{data_set}.pickle").open("rb") as file:
        loaded: list[bytes] = pickle.load(file)
    return loaded


def expat_work(_implementation: str, _data_set: str) -> Work:
    from xml.parsers import expat

    def work(inputs: Iterable[bytes]) -> tuple[int, int, int]:
        for data in inputs:
            parser = expat.ParserCreate()
            with contextlib.suppress(expat.ExpatError):  # R has files that are not well-formed
                parser.Parse(data, True)
        return 0, 0, 0

    return work


def full_work(implementation: str, _data_set: str) -> Work:
    sys.path.insert(0, str(ROOT))
    from mailgate.dmarc import AggregateReport, Limits, parse_all
    from mailgate.dmarc._shape import MAX_CHARACTERS

    limits = Limits(max_field_bytes=MAX_CHARACTERS - 1) if "Expat only" in implementation else Limits()

    def work(inputs: Iterable[bytes]) -> tuple[int, int, int]:
        reports = records = messages = 0
        for data in inputs:
            for outcome in parse_all(data, limits=limits):
                if isinstance(outcome, AggregateReport):
                    reports += 1
                    records += len(outcome.rows)
                    messages += outcome.messages
        return reports, records, messages

    return work


def rollup_work(_implementation: str, _data_set: str) -> Work:
    sys.path.insert(0, str(ROOT))
    from mailgate.dmarc import Contribution, contributions

    def work(inputs: Iterable[bytes]) -> tuple[int, int, int]:
        reports = records = messages = 0
        for data in inputs:
            for found in contributions(data):
                if isinstance(found, Contribution):
                    reports += 1
                    records += found.records
                    messages += found.messages
        return reports, records, messages

    return work


def parsedmarc_work(implementation: str, data_set: str) -> Work:
    import parsedmarc
    import parsedmarc.utils

    # A record stays one record: the peer would split long reports by day.
    config = parsedmarc.ParserConfig(offline=True, always_use_local_files=True, normalize_timespan_threshold_hours=1e9)
    parsedmarc.MAX_DECOMPRESSED_REPORT_SIZE = parsedmarc.utils.MAX_DECOMPRESSED_REPORT_SIZE = 2**31
    if "no lookups" in implementation:
        known = {
            "ip_address": "192.0.2.1", "reverse_dns": None, "country": None, "base_domain": None, "name": None,
            "type": None, "asn": None, "asn_name": None, "asn_domain": None, "as_name": None, "as_domain": None,
        }  # fmt: skip

        def no_lookup(ip: str, **_options: object) -> dict[str, object]:
            return {**known, "ip_address": ip}

        parsedmarc.get_ip_address_info = no_lookup
    parse = parsedmarc.parse_report_email if data_set == "M" else parsedmarc.parse_report_file

    def work(inputs: Iterable[bytes]) -> tuple[int, int, int]:
        reports = records = messages = 0
        for data in inputs:
            try:
                found = parse(data, config=config)["report"]["records"]
            except parsedmarc.ParserError:
                continue
            reports += 1
            records += len(found)
            messages += sum(record["count"] for record in found)
        return reports, records, messages

    return work


WORKS: dict[str, Callable[[str, str], Work]] = {
    "expat": expat_work,
    "full": full_work,
    "rollup": rollup_work,
    "parsedmarc": parsedmarc_work,
}


# --- the run ---------------------------------------------------------------------------------------------------------


def make_sets(names: str, folder: Path) -> None:
    sys.path.insert(0, str(ROOT))
    from tests.support.dmarc_reports import distinct_reports, mail, small_reports, write_huge_report

    small = list(small_reports(SEED_S))
    made = {"S": small}
    if "M" in names:
        made["M"] = [mail(gzip.compress(data, mtime=0)) for data in small[:400]]
    if "D" in names:
        made["D"] = list(distinct_reports(SEED_S))
    if "R" in names:
        made["R"] = wild()
    for name, data in made.items():
        (folder / f"{name}.pickle").write_bytes(pickle.dumps(data))
        print(f"{name}: {len(data):,} inputs, {sum(map(len, data)) / 1e6:.1f} MB")
    if "B" in names:
        size = write_huge_report(folder / "B.xml.gz", SEED_B)
        print(f"B: {size / 1e6:.1f} MB of XML in {(folder / 'B.xml.gz').stat().st_size / 1e6:.1f} MB of gzip")


def wild() -> list[bytes]:
    """Plain XML reports from the wild. The peer drops records that have no alignment, so those sources stay out."""
    corpora = os.environ.get("MAILGATE_CORPORA")
    folder = Path(corpora) / "dmarc" / "raw" / "rua" if corpora else ROOT / "fixtures" / "dmarc" / "corpus"
    paths = sorted((folder / "danielsen__DmarcRua").glob("*.xml"))
    return [path.read_bytes() for path in paths if not path.name.startswith(("TestFeedback", "dmarc1"))]


def peer_python(folder: Path) -> Path:
    """The Python of an environment that holds the peer; made when it is not there."""
    home = folder / PEER.replace("==", "-")
    python = home / "bin" / "python"
    if not python.exists():
        print(f"making an environment for {PEER} in {home}")
        venv.create(home, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", PEER], check=True)
    return python


def measure(implementation: str, data_set: str, folder: Path, python: Path) -> dict[str, Any]:
    program = python if implementation.startswith("parsedmarc") else Path(sys.executable)
    command = [str(program), str(Path(__file__).resolve()), "--child", implementation, data_set, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{implementation} on {data_set} failed:\n{done.stderr[-2_000:]}")
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


def run(args: argparse.Namespace) -> int:
    cache = Path(args.cache) if args.cache else Path.home() / ".cache" / "mailgate-bench"
    cache.mkdir(parents=True, exist_ok=True)
    python = Path(sys.executable) if args.without_peer else peer_python(cache)
    print(f"{platform.python_implementation()} {platform.python_version()}, seeds {SEED_S} and {SEED_B}, {PEER}")
    status = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_sets(args.sets, folder)
        for data_set in args.sets.replace(",", ""):
            chosen = [
                (implementation, SLOW.get((implementation, data_set), most))
                for implementation, sets, most in IMPLEMENTATIONS
                if data_set in sets and not (args.without_peer and implementation.startswith("parsedmarc"))
            ]
            results: dict[str, list[dict[str, Any]]] = {implementation: [] for implementation, _ in chosen}
            for number in range(args.rounds):
                for implementation, most in chosen:
                    if number < most:
                        results[implementation].append(measure(implementation, data_set, folder, python))
            status |= tell(data_set, results)
    return status


def tell(data_set: str, results: dict[str, list[dict[str, Any]]]) -> int:
    """The table of one set; 1 when somebody counted something else."""
    medians = {name: statistics.median(found["cpu"] for found in many) for name, many in results.items()}
    counted = {name: (many[0]["reports"], many[0]["records"], many[0]["messages"]) for name, many in results.items()}
    agreed = {counts for name, counts in counted.items() if name != "expat"}
    floor, peer = medians.get("expat"), medians.get("parsedmarc")
    print(f"\n{data_set}: (reports, records, messages) = {' '.join(map(str, sorted(agreed)))}")
    print(f"  {'':<24}{'CPU s':>9}{'x Expat':>9}{'peer / this':>13}{'peak MB':>9}{'reports/s':>11}{'records/s':>12}")
    for name, median in medians.items():
        rss = max(found["rss_mb"] for found in results[name])
        reports, records, _ = counted[name] if name != "expat" else next(iter(sorted(agreed)), (0, 0, 0))
        ratio = f"{median / floor:.2f}" if floor else ""
        times = f"{peer / median:.1f}" if peer else ""
        rates = f"{reports / median:>11,.0f}{records / median:>12,.0f}"
        print(f"  {name:<24}{median:>9.3f}{ratio:>9}{times:>13}{rss:>9.0f}{rates}")
    if len(agreed) > 1:
        print(f"  VOID: the counts differ: {counted}")
        return 1
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", default="SRBMD")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--without-peer", action="store_true")
    parser.add_argument("--cache", help="where the peer's environment is kept; default ~/.cache/mailgate-bench")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        print(json.dumps(child(args.child[0], args.child[1], Path(args.child[2]))))
        return 0
    return run(args)


if __name__ == "__main__":
    sys.exit(main())
