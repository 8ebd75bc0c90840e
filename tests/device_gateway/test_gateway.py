"""The gateway as a process, between a real sender and a real HTTP server."""

import asyncio
import hashlib
import os
import signal
import sqlite3
import time
from pathlib import Path

from adapters.wire import mllp
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
        assert health["refused"] == 1
    assert [(row[1], row[2]) for row in rows(tmp_path)] == [(0, "delivered"), (1, "refused")]


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
