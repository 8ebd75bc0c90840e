"""The LIS client against peers that behave, lie, fall silent and vanish."""

import asyncio
from datetime import datetime

import hl7
import pytest

from adapters.breaker import Breaker
from adapters.errors import OutcomeUnknown, Rejected, Unavailable
from adapters.lis import registry
from adapters.lis.contract import LisClient
from adapters.lis.hl7_mllp import Config, order_message
from adapters.wire import hl7v2, mllp
from tests.adapters.lis_peers import NOW, answer, mllp_peer, order, sandbox
from tjapi.kernel.embedded import free_port


def client(port: int, **settings: object) -> LisClient:
    return registry.client("hl7_mllp", {"host": "127.0.0.1", "port": port, "ack_timeout": 0.3, **settings})


@pytest.mark.parametrize("charset", ["UTF-8", "GB18030"])
def test_an_order_is_what_python_hl7_expects_of_an_oml_o21(charset: str) -> None:
    config = Config("h", 1, charset=charset)  # type: ignore[arg-type]
    raw = order_message(order(), "NW", "T1", datetime.now(NOW.tzinfo), config)
    read = hl7.parse(raw.decode(charset))
    assert [str(segment[0]) for segment in read] == ["MSH", "PID", "PV1", *["ORC", "OBR", "SPM"] * 2]
    assert str(read.segment("MSH")[10]) == "T1"
    assert str(read.segment("PID")[3]) == "E0001^^^TJ^PI~X0001^^^TJ^VN"
    assert (str(read.segment("PID")[5]), str(read.segment("PID")[8])) == ("陈珅", "F")
    assert [str(segment[2]) for segment in read.segments("ORC")] == ["B0001-1", "B0001-2"]
    assert {str(segment[2]) for segment in read.segments("SPM")} == {"B0001"}
    assert str(read.segment("SPM")[27]) == "EDTA"
    assert str(read.segment("PV1")[19]) == "X0001"


@pytest.mark.parametrize("charset", ["UTF-8", "GB18030"])
async def test_an_order_is_taken_and_its_repeat_is_recognised(charset: str) -> None:
    async with sandbox(free_port()) as lab:
        lis = client(lab.mllp_port, charset=charset)
        first = await lis.send_order(order(), message_id="T1")
        again = await lis.send_order(order(), message_id="T1")
        assert (first.message_id, again.message_id) == ("T1", "T1")
        tubes = (await lab.control.get("/orders")).json()["tubes"]
        assert [(tube["barcode"], tube["name"], len(tube["lines"])) for tube in tubes] == [("B0001", "陈珅", 2)]
        await lis.close()


async def test_a_group_the_laboratory_does_not_know_is_rejected_with_its_words_and_nothing_is_kept() -> None:
    async with sandbox(free_port()) as lab:
        lis = client(lab.mllp_port)
        with pytest.raises(Rejected, match="unknown group NOPE") as caught:
            await lis.send_order(order(groups=("CBC", "NOPE")), message_id="T1")
        assert caught.value.code == "AE"
        assert (await lab.control.get("/orders")).json() == {"tubes": []}
        await lis.close()


async def test_a_cancelled_group_is_not_measured_and_a_reported_one_cannot_be_cancelled() -> None:
    received: list[bytes] = []

    async def gateway(payload: bytes, writer: asyncio.StreamWriter) -> None:
        received.append(payload)
        writer.write(answer(payload))

    async with mllp_peer(gateway) as port, sandbox(port) as lab:
        await lab.post("/auto", enabled=False)
        lis = client(lab.mllp_port)
        await lis.send_order(order(), message_id="T1")
        await lis.cancel_order(order(groups=("CBC",)), message_id="T2")
        await lab.post("/receive", barcode="B0001")
        await lab.sent(1)
        report = registry.parser("hl7_mllp")(received[0])
        assert [result.group_code for result in report.results] == ["GLU"]
        with pytest.raises(Rejected, match="already reported"):
            await lis.cancel_order(order(groups=("CBC", "GLU")), message_id="T3")
        await lis.close()


async def test_nobody_listening_is_unavailable_and_the_breaker_opens() -> None:
    lis = client(free_port(), breaker_failures=2, breaker_seconds=60)
    for _ in range(2):
        with pytest.raises(Unavailable, match="Refused"):
            await lis.send_order(order(), message_id="T1")
    with pytest.raises(Unavailable, match="circuit open"):
        await lis.send_order(order(), message_id="T1")


def test_a_breaker_closes_again_after_its_time_and_one_success() -> None:
    moment = [0.0]
    breaker = Breaker(failures=2, seconds=5, clock=lambda: moment[0])
    breaker.failed()
    breaker.check()
    breaker.failed()
    with pytest.raises(Unavailable):
        breaker.check()
    moment[0] = 5.1
    breaker.check()
    breaker.failed()
    with pytest.raises(Unavailable):
        breaker.check()
    moment[0] = 11
    breaker.succeeded()
    breaker.failed()
    breaker.check()


async def test_a_dropped_acknowledgement_is_an_unknown_outcome_and_the_socket_is_not_used_again() -> None:
    connections: set[asyncio.StreamWriter] = set()

    async def silent_once(payload: bytes, writer: asyncio.StreamWriter) -> None:
        connections.add(writer)
        if len(connections) > 1:
            writer.write(answer(payload))

    async with mllp_peer(silent_once) as port:
        lis = client(port)
        with pytest.raises(OutcomeUnknown) as caught:
            await lis.send_order(order(), message_id="T1")
        assert caught.value.our_number == "T1"
        receipt = await lis.send_order(order(), message_id="T1")
        assert receipt.message_id == "T1"
        assert len(connections) == 2
        await lis.close()


async def test_a_peer_that_hangs_up_after_our_bytes_is_an_unknown_outcome() -> None:
    async def hang_up(payload: bytes, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with mllp_peer(hang_up) as port:
        lis = client(port)
        with pytest.raises(OutcomeUnknown):
            await lis.send_order(order(), message_id="T1")


async def test_an_acknowledgement_of_another_message_is_ignored() -> None:
    async def late_answer_first(payload: bytes, writer: asyncio.StreamWriter) -> None:
        other = payload.replace(b"|T2|", b"|T1|")
        writer.write(b"\r\n" + answer(other, "AR", "late") + mllp.frame(b"noise") + answer(payload, "AA", "mine"))

    async def only_another(payload: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(payload.replace(b"|T2|", b"|T1|")))

    async with mllp_peer(late_answer_first) as port:
        lis = client(port)
        assert (await lis.send_order(order(), message_id="T2")).text == "mine"
        await lis.close()
    async with mllp_peer(only_another) as port:
        lis = client(port)
        with pytest.raises(OutcomeUnknown):
            await lis.send_order(order(), message_id="T2")


async def test_one_message_is_in_flight_at_a_time_on_one_socket() -> None:
    busy, most, connections = 0, 0, set()

    async def slow(payload: bytes, writer: asyncio.StreamWriter) -> None:
        nonlocal busy, most
        connections.add(writer)
        busy += 1
        most = max(most, busy)
        await asyncio.sleep(0.01)
        busy -= 1
        writer.write(answer(payload))

    async with mllp_peer(slow) as port:
        lis = client(port)
        await asyncio.gather(*(lis.send_order(order(), message_id=f"T{number}") for number in range(8)))
        assert (most, len(connections)) == (1, 1)
        await lis.close()


async def test_a_cancelled_caller_leaves_no_answer_for_the_next() -> None:
    async def slow_then_quick(payload: bytes, writer: asyncio.StreamWriter) -> None:
        if hl7v2.control_id(payload) == "T1":
            await asyncio.sleep(0.05)
        writer.write(answer(payload))

    async with mllp_peer(slow_then_quick) as port:
        lis = client(port)
        sending = asyncio.create_task(lis.send_order(order(), message_id="T1"))
        await asyncio.sleep(0.02)
        sending.cancel()
        assert (await lis.send_order(order(), message_id="T2")).message_id == "T2"
        await lis.close()


def test_a_setting_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="prot"):
        registry.client("hl7_mllp", {"host": "h", "prot": 1})
