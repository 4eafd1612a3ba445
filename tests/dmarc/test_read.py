"""Map and reduce: any executor, any order of files; and the quick look that finds report mails."""

from __future__ import annotations

import gzip
import multiprocessing
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from mailgate.dmarc import Rollup, looks_like_report, read, rollup
from mailgate.records import Mail
from tests.support.dmarc_reports import mail, report, story, tls_report, zipped

FIXTURES = Path(__file__).parent.parent.parent / "fixtures"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reports")
    (folder / "below").mkdir()
    for number, data in enumerate(story(days=30)):
        (folder / ("below" if number % 2 else "") / f"{number:03}.xml").write_bytes(data)
    (folder / "t.json").write_bytes(tls_report())
    (folder / "readme.txt").write_text("hello")
    return folder


@pytest.fixture(scope="module")
def expected(folder: Path) -> str:
    return rollup([folder]).to_json()


def test_files_and_folders_are_read(folder: Path, expected: str) -> None:
    found = rollup([folder])
    assert (len(found.contributions), len(found.tls), len(found.refused)) == (150, 1, 1)
    total = Rollup()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        total.update(read(path.read_bytes()))
    assert total.to_json() == expected
    assert rollup([folder, folder / "t.json", folder / "below"]).to_json() == expected


class Immediate(Executor):
    """The smallest executor there is; runs nothing before it is asked for the last."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Future[Any], Any]] = []
        self.submitted = 0

    def submit(self, function: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.submitted += 1
        future: Future[Any] = Future()
        future.set_result(function(*args, **kwargs))
        return future


def test_any_executor_gives_the_same_json(folder: Path, expected: str) -> None:
    immediate = Immediate()
    assert rollup([folder], executor=immediate).to_json() == expected
    assert immediate.submitted == 3
    with ThreadPoolExecutor(3) as threads:
        assert rollup([folder], executor=threads).to_json() == expected
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as processes:
        assert rollup([folder], executor=processes).to_json() == expected


def test_a_file_that_cannot_be_opened_stops_nothing(folder: Path, expected: str) -> None:
    found = rollup([folder / "missing.xml", folder])
    assert sorted(refused.error for refused in found.refused.values()) == ["not_a_report", "unreadable"]
    assert len(found.contributions) == 150


def test_the_source_of_a_copy_is_its_bytes() -> None:
    data = report()
    merged = read(data).merge(read(data)).merge(read(Mail.read(mail(data)))).merge(read(mail(data)))
    ((_, sources),) = merged.copies.items()
    assert len(sources) == 2


def marked(**fields: str) -> Mail:
    made = EmailMessage()
    for name, value in fields.items():
        made[name.replace("_", "-")] = value
    made.set_content("Hello")
    return Mail.read(made.as_bytes())


PACKED = gzip.compress(report())
NAME = "google.com!example.com!1735689600!1735775999.xml.gz"


def attached(filename: str, content_type: str = "application/gzip", data: bytes = PACKED) -> Mail:
    """A mail whose subject says nothing."""
    made = mail(data, filename=filename, content_type=content_type)
    return Mail.read(made.replace(b"Subject: Report domain", b"Subject: Hello"))


def failure_report(subject: str) -> Mail:
    """A mail that returns another one, in which archives of strangers may lie."""
    made = EmailMessage()
    made["Subject"] = subject
    made.set_content("See the message.")
    returned = EmailMessage()
    returned["Subject"] = "Sale"
    returned.set_content("Buy")
    returned.add_attachment(b"PK\x03\x04 locked", maintype="application", subtype="zip", filename="offer.zip")
    made.add_attachment(returned)
    return Mail.read(made.as_bytes())


@pytest.mark.parametrize(
    "message",
    [
        marked(Subject="Report domain: example.com Submitter: google.com Report-ID: <1>"),
        marked(Subject="[Preview] Report Domain: example.com"),
        marked(Subject="Dmarc Aggregate Report Domain: {example.com}"),
        marked(Subject="=?utf-8?q?Report_Domain=3A_example=2Ecom?="),
        marked(Subject="Fwd: Report Domain: example.com"),
        attached(NAME),
        attached(NAME, "application/octet-stream"),
        attached(NAME, "text/plain"),
        attached(NAME.replace("xml.gz", "json"), "application/json", b"{}"),
        attached("dmarc.XML.gz"),
        marked(Subject="Ihr DMARC-Bericht"),
        marked(Subject="Report-Domain: example.com"),
        attached("x", "application/tlsrpt+gzip"),
        Mail.read(b"Content-Type: application/gzip\nContent-Transfer-Encoding: 8bit\n\n" + PACKED),
        Mail.read(
            b"MIME-Version: 1.0\nContent-Type: multipart/report; report-type=tlsrpt; boundary=b\n\n--b\n\nx\n--b--"
        ),
    ],
)
def test_report_mails_are_found(message: Mail) -> None:
    assert looks_like_report(message)


@pytest.mark.parametrize(
    "message",
    [
        marked(Subject="Monthly report"),
        marked(Subject="Undelivered Mail Returned to Sender"),
        marked(),
        attached("holiday.zip", "application/zip", zipped({"a.txt": b"x"})),
        attached("a!b.gz"),
        failure_report("FW: DMARC failure"),
        failure_report("Undeliverable: your question about DMARC"),
        Mail.read(b""),
    ],
)
def test_other_mails_are_not(message: Mail) -> None:
    assert not looks_like_report(message)


@pytest.mark.parametrize("path", sorted((FIXTURES / "dmarc" / "producers").iterdir()), ids=lambda path: path.name)
def test_mails_of_real_producers_are_found(path: Path) -> None:
    assert looks_like_report(Mail.read(path.read_bytes()))
