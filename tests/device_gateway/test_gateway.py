"""The gateway as a process, between a real sender and a real HTTP server."""

import asyncio
import hashlib
import os
import signal
import sqlite3
import time
from pathlib import Path

import pytest

from adapters.wire import hl7v2, mllp
from tests.device_gateway.gateway_peers import Api, exchange, gateway, oru


def rows(folder: Path) -> list[tuple[str, int, str, bytes]]:
    with sqlite3.connect(folder / "journal.sqlite3") as journal:
        return list(journal.execute("SELECT message_id, conflict, state, body FROM message ORDER BY id"))


async def test_a_message_is_acknowledged_and_reaches_the_api_byte_for_byte(tmp_path: Path) -> None:
    api = Api()
    async with api.serving(), gateway(tmp_path, api) as gw:
        body = oru("M1", charset="gb18030")
        assert await exchange(gw.port, body) == [("AA", "M1")]
        await api.has("M1")
        assert api.inbox["lis", "M1"] == ("application/hl7-v2", body)
        health = await gw.drained()
        assert (health["status"], health["refused"]) == ("ok", 0)


async def test_a_duplicate_is_acknowledged_again_without_a_second_row(tmp_path: Path) -> None:
    api = Api()
    async with api.serving(), gateway(tmp_path, api) as gw:
        assert await exchange(gw.port, oru("M1"), oru("M1")) == [("AA", "M1")] * 2
        assert await exchange(gw.port, oru("M1")) == [("AA", "M1")]
        await gw.drained()
        assert len(api.posts) == 1
    assert len(rows(tmp_path)) == 1


async def test_the_same_id_with_other_bytes_is_kept_delivered_and_answered_ae_every_time(tmp_path: Path) -> None:
    api = Api()
    async with api.serving(), gateway(tmp_path, api) as gw:
        assert await exchange(gw.port, oru("M1", "5.1")) == [("AA", "M1")]
        await api.has("M1")
        assert await exchange(gw.port, oru("M1", "9.9")) == [("AE", "M1")]
        assert await exchange(gw.port, oru("M1", "9.9"), oru("M1", "5.1")) == [("AE", "M1"), ("AA", "M1")]
        health = await gw.drained()
        assert api.inbox["lis", "M1"][1] == oru("M1", "5.1")
        assert api.quarantined == [("M1", oru("M1", "9.9"))]
        assert health["refused"] == 0
    assert [(row[1], row[2]) for row in rows(tmp_path)] == [(0, "delivered"), (1, "delivered")]


async def test_undecodable_bytes_are_kept_answered_ae_and_handed_on_as_octets(tmp_path: Path) -> None:
    api = Api()
    async with api.serving(), gateway(tmp_path, api) as gw:
        garbage, nameless = oru("M7") + b"\xff\xfe", oru("")
        assert await exchange(gw.port, garbage, b"\x00nonsense", nameless) == [("AE", "M7"), ("AE", ""), ("AE", "")]
        ids = [f"sha256:{hashlib.sha256(body).hexdigest()}" for body in (garbage, b"\x00nonsense", nameless)]
        await api.has(*ids)
        assert [api.inbox["lis", each] for each in ids] == [
            ("application/octet-stream", body) for body in (garbage, b"\x00nonsense", nameless)
        ]
        # what was answered AE is said to the API as such: it is never filed by itself
        assert [api.reasons[each] for each in ids] == ["charset-doubtful", "unparsable", "no-usable-id"]


@pytest.mark.requirement("E3.5", "I2")
async def test_training_and_quality_control_are_answered_ae_and_set_aside_by_name(tmp_path: Path) -> None:
    api = Api()
    async with api.serving(), gateway(tmp_path, api) as gw:
        training, control = (oru(f"Q{i}").replace(b"|P|", b"|%s|" % code) for i, code in enumerate((b"T", b"Q")))
        assert await exchange(gw.port, training, control) == [("AE", "Q0"), ("AE", "Q1")]
        ids = [f"sha256:{hashlib.sha256(body).hexdigest()}" for body in (training, control)]
        await api.has(*ids)
        assert [api.reasons[each] for each in ids] == ["not-production", "not-production"]
        # The same number is good for what counts.
        assert await exchange(gw.port, oru("Q0")) == [("AA", "Q0")]


async def talk(port: int, *sent: bytes, answers: int) -> list[bytes]:
    """Send raw bytes one after another on one connection, each after a pause; return the frames that come back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    decoder = mllp.MllpDecoder()
    frames: list[bytes] = []
    for data in sent:
        writer.write(data)
        await writer.drain()
        await asyncio.sleep(0.05)
    async with asyncio.timeout(5):
        while len(frames) < answers and (data := await reader.read(65_536)):
            frames += decoder.feed(data)
    writer.close()
    return frames


def acknowledged(frame: bytes) -> list[tuple[str, str]]:
    return [
        (msa.value(1), msa.value(2))
        for each in hl7v2.split(frame).messages
        if (msa := hl7v2.decode(each).first("MSA")) is not None
    ]


@pytest.mark.requirement("E3.5")
async def test_a_frame_is_taken_however_its_end_is_written_and_never_lost_to_the_next(tmp_path: Path) -> None:
    api = Api()
    async with api.serving(), gateway(tmp_path, api) as gw:
        for number, end in enumerate((b"\x1c", b"\x1c\n", b"\x1c\r", b"\x1c\r\n")):
            (answer,) = await talk(gw.port, mllp.START + oru(f"E{number}") + end, answers=1)
            assert acknowledged(answer) == [("AA", f"E{number}")]
        whole = mllp.START + oru("N1") + b"\x1c" + mllp.START + oru("N2") + b"\x1c"
        assert [acknowledged(each) for each in await talk(gw.port, whole, answers=2)] == [
            [("AA", "N1")],
            [("AA", "N2")],
        ]
        await api.has("E0", "E1", "E2", "E3", "N1", "N2")


@pytest.mark.requirement("E3.5")
async def test_a_frame_that_the_next_begins_in_the_middle_of_is_kept_for_a_person_and_not_answered(
    tmp_path: Path,
) -> None:
    api, half = Api(), oru("H1")[:-30]
    async with api.serving(), gateway(tmp_path, api) as gw:
        answers = await talk(gw.port, mllp.START + half, mllp.frame(oru("H1")), answers=1)
        assert [acknowledged(each) for each in answers] == [[("AA", "H1")]]
        kept = f"sha256:{hashlib.sha256(half).hexdigest()}"
        await api.has("H1", kept)
        assert (api.reasons[kept], api.reasons["H1"]) == ("frame-not-ended", "")
        assert api.inbox["lis", kept][1] == half


@pytest.mark.requirement("E3.5")
async def test_each_message_of_a_batch_is_taken_up_and_acknowledged_in_one_frame(tmp_path: Path) -> None:
    api = Api()
    async with api.serving(), gateway(tmp_path, api) as gw:
        wrapped = b"FHS|^~\\&|LIS\rBHS|^~\\&|LIS\r%sBTS|%d\rFTS|1\r"
        single = wrapped % (oru("B1"), 1)
        assert [acknowledged(each) for each in await talk(gw.port, mllp.frame(single), answers=1)] == [[("AA", "B1")]]
        many = wrapped % (oru("B2") + oru("B3") + oru("B1", "9.9"), 3)
        (answer,) = await talk(gw.port, mllp.frame(many), answers=1)
        assert acknowledged(answer) == [("AA", "B2"), ("AA", "B3"), ("AE", "B1")]
        await api.has("B1", "B2", "B3")
        assert api.inbox["lis", "B3"] == ("application/hl7-v2", oru("B3"))


@pytest.mark.requirement("E3.5")
async def test_a_batch_that_counts_otherwise_is_named_and_kept_whole_while_its_messages_are_taken(
    tmp_path: Path,
) -> None:
    api = Api()
    async with api.serving(), gateway(tmp_path, api) as gw:
        short = b"BHS|^~\\&|LIS\r" + oru("B1") + oru("B2") + b"BTS|3\r"
        (answer,) = await talk(gw.port, mllp.frame(short), answers=1)
        assert acknowledged(answer) == [("AA", "B1"), ("AA", "B2"), ("AE", "")]
        assert b"BTS-1 says 3 messages, 2 are here" in answer
        kept = f"sha256:{hashlib.sha256(short).hexdigest()}"
        await api.has("B1", "B2", kept)
        assert api.reasons == {"B1": "", "B2": "", kept: "batch-differs"}


@pytest.mark.requirement("E3.5")
async def test_a_control_id_of_blanks_or_chinese_is_taken_and_echoed_and_no_two_are_one(tmp_path: Path) -> None:
    api = Api()
    names = ["AB 12 0001", "检验0004", "AB%2012%200001", "a|b".replace("|", "\\F\\")]
    async with api.serving(), gateway(tmp_path, api) as gw:
        answers = await exchange(gw.port, *map(oru, names))
        assert answers == [("AA", "AB 12 0001"), ("AA", "检验0004"), ("AA", "AB%2012%200001"), ("AA", "a|b")]
        await api.has("AB%2012%200001", "%E6%A3%80%E9%AA%8C0004", "AB%252012%25200001", "a%7Cb")
        assert set(api.reasons.values()) == {""}


@pytest.mark.requirement("E3.5")
async def test_two_senders_behind_one_channel_may_use_the_same_number(tmp_path: Path) -> None:
    api = Api()
    other = oru("M1", "9.9").replace(b"|LIS|LAB|", b"|POCT|\xe6\x80\xa5\xe8\xaf\x8a|")
    async with api.serving(), gateway(tmp_path, api) as gw:
        assert await exchange(gw.port, oru("M1"), other) == [("AA", "M1")] * 2
        assert await exchange(gw.port, other.replace(b"9.9", b"8.8")) == [("AE", "M1")]
        await gw.drained()
    with sqlite3.connect(tmp_path / "journal.sqlite3") as journal:
        kept = journal.execute("SELECT sender, conflict FROM message ORDER BY id").fetchall()
    assert kept == [("LIS/LAB", 0), ("POCT/%E6%80%A5%E8%AF%8A", 0), ("POCT/%E6%80%A5%E8%AF%8A", 1)]


@pytest.mark.requirement("E3.5")
async def test_utf8_under_a_declared_gb18030_is_answered_ae_and_kept_for_a_person(tmp_path: Path) -> None:
    api = Api()
    doubtful = oru("G1", "28.1").replace(b"UNICODE UTF-8", b"GB 18030-2000")
    async with api.serving(), gateway(tmp_path, api) as gw:
        assert await exchange(gw.port, doubtful) == [("AE", "G1")]
        kept = f"sha256:{hashlib.sha256(doubtful).hexdigest()}"
        await api.has(kept)
        assert (api.reasons[kept], api.inbox["lis", kept][1]) == ("charset-doubtful", doubtful)


@pytest.mark.requirement("E3.5")
async def test_a_journal_of_before_is_taken_over_with_what_waits_in_it(tmp_path: Path) -> None:
    api, name = Api(), "journal.sqlite3"
    async with gateway(tmp_path, api) as gw:
        await exchange(gw.port, oru("M1"), oru("M1", "9.9"), b"nonsense")
    with sqlite3.connect(tmp_path / name) as journal:
        journal.execute("ALTER TABLE message DROP COLUMN sender")
        journal.execute("ALTER TABLE message DROP COLUMN reason")
    async with api.serving(), gateway(tmp_path, api) as gw:
        await gw.drained()
        assert await exchange(gw.port, oru("M1")) == [("AA", "M1")]
        assert await exchange(gw.port, oru("M1", "7.7")) == [("AE", "M1")]
        assert sorted(set(api.reasons.values())) == ["content-differs", "unparsable"]


async def test_an_unwritable_journal_means_no_answer_and_the_peers_repeat_is_taken_once_it_works(
    tmp_path: Path,
) -> None:
    api = Api()
    async with api.serving(), gateway(tmp_path, api) as gw:
        lock = sqlite3.connect(tmp_path / "journal.sqlite3", isolation_level=None)
        lock.execute("DROP TABLE message")  # a broken journal, for root too
        assert await exchange(gw.port, oru("M1")) == []
        assert (await gw.health())["status"] == "journal_failed"
        lock.close()
    # a fresh start mends the table: the peer, who was told nothing, has kept its message and sends it again
    async with api.serving(), gateway(tmp_path, api) as gw:
        assert await exchange(gw.port, oru("M1")) == [("AA", "M1")]
        await api.has("M1")


async def test_a_kill_between_acknowledgement_and_delivery_loses_nothing(tmp_path: Path) -> None:
    api = Api()
    async with gateway(tmp_path, api) as gw:
        bodies = [oru(f"M{number}") for number in range(40)]
        assert await exchange(gw.port, *bodies) == [("AA", f"M{number}") for number in range(40)]
        os.kill(gw.process.pid, signal.SIGKILL)
        await gw.process.wait()
    assert api.inbox == {}
    async with api.serving(), gateway(tmp_path, api) as gw:
        await api.has(*(f"M{number}" for number in range(40)))
        await gw.drained()
    assert len(api.posts) == 40


async def test_an_api_that_is_down_busy_or_forgets_our_token_gets_everything_in_the_end(tmp_path: Path) -> None:
    api = Api()
    async with gateway(tmp_path, api) as gw:
        assert await exchange(gw.port, oru("M1")) == [("AA", "M1")]
        await asyncio.sleep(0.2)
        async with api.serving():
            await api.has("M1")
            api.failing = [503, 429, 500]
            await exchange(gw.port, oru("M2"))
            await api.has("M2")
            api.valid_token = "revoked"
            await exchange(gw.port, oru("M3"))
            await api.has("M3")
            assert api.tokens == 2
            assert (await gw.drained())["refused"] == 0


async def test_one_message_the_api_cannot_digest_does_not_hold_up_the_others(tmp_path: Path) -> None:
    api = Api(poison={"BAD": 500, "UGLY": 422})
    async with api.serving(), gateway(tmp_path, api) as gw:
        await exchange(gw.port, oru("BAD"), oru("UGLY"), *(oru(f"M{number}") for number in range(20)))
        await api.has(*(f"M{number}" for number in range(20)))
        api.poison.clear()
        await api.has("BAD")
        assert (await gw.drained())["refused"] == 1


async def test_a_peer_outside_the_allowed_networks_is_not_heard(tmp_path: Path) -> None:
    api = Api()
    async with gateway(tmp_path, api, ALLOWED_PEERS="10.0.0.0/8") as gw:
        try:
            answers = await exchange(gw.port, oru("M1"))
        except ConnectionError:
            answers = []
        assert answers == []
        assert (await gw.health())["pending"] == 0


async def test_silence_within_a_frame_and_oversize_frames_end_the_connection(tmp_path: Path) -> None:
    api = Api()
    async with gateway(tmp_path, api, INTER_BYTE_TIMEOUT="0.2", MAX_FRAME_BYTES="1000") as gw:
        reader, writer = await asyncio.open_connection("127.0.0.1", gw.port)
        writer.write(b"\x0bMSH|half")
        assert await asyncio.wait_for(reader.read(), 3) == b""
        writer.close()
        reader, writer = await asyncio.open_connection("127.0.0.1", gw.port)
        writer.write(mllp.frame(oru("M1")) + b"\x0b" + b"x" * 1200)
        assert b"MSA|AA|M1" in await asyncio.wait_for(reader.read(), 3)
        writer.close()
        assert (await gw.health())["pending"] == 1


async def test_a_frame_that_has_begun_is_answered_before_the_process_stops(tmp_path: Path) -> None:
    api = Api()
    async with gateway(tmp_path, api) as gw:
        reader, writer = await asyncio.open_connection("127.0.0.1", gw.port)
        whole = mllp.frame(oru("M1"))
        writer.write(whole[:50])
        await asyncio.sleep(0.1)
        gw.process.terminate()
        await asyncio.sleep(0.1)
        writer.write(whole[50:])
        assert b"MSA|AA|M1" in await asyncio.wait_for(reader.read(), 5)
        writer.close()
        assert await asyncio.wait_for(gw.process.wait(), 5) == 0
    assert [row[0] for row in rows(tmp_path)] == ["M1"]


async def test_concurrent_senders_share_fsyncs_and_nothing_is_lost(tmp_path: Path) -> None:
    api = Api()
    async with api.serving(), gateway(tmp_path, api) as gw:
        began = time.monotonic()
        answers = await asyncio.gather(
            *(exchange(gw.port, *(oru(f"S{sender}-{n}") for n in range(25))) for sender in range(8))
        )
        assert time.monotonic() - began < 5
        assert all(answer == [("AA", f"S{s}-{n}") for n in range(25)] for s, answer in enumerate(answers))
        await api.has(*(f"S{s}-{n}" for s in range(8) for n in range(25)))
        await gw.drained()
    assert len(api.posts) == 200
