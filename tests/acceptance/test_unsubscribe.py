"""Scenario 5: scanners change nothing, one click does, and Postfix itself then refuses that stream and no other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mailgate.unsubscribe import Subscription, UnsubscribeApp, UnsubscribeSigner
from tests.acceptance.bed import Bed
from tests.acceptance.scenarios import KEYS, fetch, key_file, served, submit, submitting, unsubscribing


@pytest.fixture
def submission(bed: Bed) -> Iterator[str]:
    with submitting(bed) as db:
        yield db


def test_unsubscribing_by_one_click_stops_this_stream_and_no_other(bed: Bed, submission: str, tmp_path: Path) -> None:
    unsubscribing(bed, "web", submission, key_file(tmp_path))


def test_postfix_defers_while_the_list_is_away(bed: Bed, submission: str) -> None:
    assert submit(bed, "127.0.0.31", "ok@target.test") == "250"
    away = Path(submission).with_name("away.db")
    for suffix in ("", "-wal", "-shm"):
        file = Path(submission + suffix)
        if file.exists():
            file.rename(str(away) + suffix)
    assert submit(bed, "127.0.0.31", "ok@target.test").startswith("451")
    for suffix in ("", "-wal", "-shm"):
        file = Path(str(away) + suffix)
        if file.exists():
            file.rename(submission + suffix)
    assert submit(bed, "127.0.0.31", "ok@target.test") == "250"


def test_a_store_that_is_down_is_not_a_promise(bed: Bed) -> None:
    def down(event: object) -> None:
        raise OSError("the disk is gone")

    token = UnsubscribeSigner(keys=KEYS).token(Subscription(recipient="ok@target.test", stream="news"))
    app = UnsubscribeApp(keys=KEYS, sink=down)
    with served(bed, app) as site:
        assert fetch(f"{site}/{token}", b"List-Unsubscribe=One-Click") == 503
