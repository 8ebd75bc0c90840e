"""The journal by itself, and what the settings accept."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from device_gateway.channel import ChannelSpec, parse_channels
from device_gateway.journal import Arrival, Journal, Stored
from device_gateway.protocols import hl7v2
from device_gateway.settings import GatewaySettings


def arrival(message_id: str, sha256: str = "a") -> Arrival:
    return Arrival("lis", message_id, sha256, "application/hl7-v2", b"x", "2026-08-01T09:30:00+08:00")


async def test_a_stored_message_is_on_disk_when_store_returns(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "deep" / "journal.sqlite3")
    assert await journal.store(arrival("M1")) == Stored(new=True, conflict=False)
    with sqlite3.connect(tmp_path / "deep" / "journal.sqlite3") as other:
        assert other.execute("SELECT message_id, state FROM message").fetchall() == [("M1", "pending")]
    assert await journal.store(arrival("M1")) == Stored(new=False, conflict=False)
    assert await journal.store(arrival("M1", "b")) == Stored(new=True, conflict=True)
    assert await journal.store(arrival("M1", "b")) == Stored(new=False, conflict=True)
    journal.close()


async def test_work_that_fails_does_not_undo_what_shares_its_transaction(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite3")
    outcomes = await asyncio.gather(
        journal.store(arrival("M1")),
        journal.settle(1, "nonsense", ""),
        journal.store(arrival("M2")),
        return_exceptions=True,
    )
    assert isinstance(outcomes[1], sqlite3.IntegrityError)
    assert await journal.waiting(10) == [1, 2]
    journal.close()


async def test_only_old_delivered_messages_are_pruned(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite3")
    for message_id in ("M1", "M2", "M3"):
        await journal.store(arrival(message_id))
    await journal.settle(1, "delivered", "202")
    await journal.settle(2, "refused", "422")
    assert await journal.prune(1) == 0
    assert await journal.prune(0) == 1
    backlog = await journal.backlog()
    assert (backlog.pending, backlog.refused) == (1, 1)
    journal.close()


def test_channels_are_named_and_checked() -> None:
    assert parse_channels("lis=mllp://127.0.0.1:2575, his=mllp://[::1]:1") == [
        ChannelSpec("lis", "mllp", "127.0.0.1", 2575),
        ChannelSpec("his", "mllp", "::1", 1),
    ]
    for wrong in ("lis", "lis=tcp://h:1", "lis=mllp://h:1,lis=mllp://h:2", "陈=mllp://h:1"):
        with pytest.raises(ValueError, match="channel"):
            parse_channels(wrong)


def test_a_secret_is_read_from_its_file_each_time(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    settings = GatewaySettings(client_secret_file=file)
    with pytest.raises(OSError, match="secret"):
        settings.secret()
    file.write_text("one\n")
    assert settings.secret() == "one"
    file.write_text("two\n")
    assert settings.secret() == "two"


@pytest.mark.parametrize("message_id", ["", "x" * 200, "病" * 30])
def test_an_id_that_cannot_travel_in_a_header_is_replaced_by_the_hash(message_id: str) -> None:
    frame = hl7v2.read(f"MSH|^~\\&|L|L|T||20260801||ORU^R01|{message_id}|P|2.5.1\r".encode())
    assert frame.message_id == f"sha256:{frame.sha256}"
    assert frame.fault is not None
