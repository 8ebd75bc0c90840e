"""What is set aside at the door is looked through all the same: what is critical in it, by anybody's word or our own limits, is told at once."""

import contextlib
import time
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from tests.tjapi.result.scene import OpenUnit, Unfenced
from tests.tjapi.result.test_result_filing import Parser
from tjapi.kernel import inbox
from tjapi.kernel.ids import uuid7
from tjapi.kernel.jobs.spec import JobRun
from tjapi.kernel.runtime import Runtime
from tjapi.operations import service as operations
from tjapi.result import flows
from tjapi.result.rules.raw import called_critical, made_out

pytestmark = pytest.mark.requirement("E3.5", "E5.2")


def _raw(*segments: str, sex: str = "M", charset: str = "utf-8") -> bytes:
    head = f"MSH|^~\\&|LIS|LAB|TJ||20261123120000||ORU^R01|{uuid7().hex[:12]}|P|2.5.1"
    return ("\r".join((head, f"PID|1||E1||某人||19860301|{sex}", "OBR|1|P1||X", *segments)) + "\r").encode(charset)


CRITICAL = [
    "OBX|1|NM|K^钾^L||7.9|mmol/L|3.5-5.3||||F",
    "OBX|1|NM|K||2.1|mmol/L|||||F",
    "OBX|1|ST|K||7.9 复检|mmol/L|||||F",
    "OBX|1|NM|K||7.2^HH|mmol/L|||||F",
    "OBX|1|NM|99^x^L^K^钾^LN||7.9|mmol/L|||||F",
    "OBX|1|NM|K||7900|μmol/L|||||F",
    "OBX|1|SN|K||>^10|mmol/L|||||F",
    "OBX|1|NM|CREA||8.0||||||F",
    "OBX|1|NM|K||4.1~7.9|mmol/L|||||F",
    "OBX|1|ST|K||危急值,已电话通知|mmol/L|||||F",
    "OBX|1|NM|K||4.1|mmol/L|||||F\rNTE|1||危急值，已电话通知张医生",
]
CALM = [
    "OBX|1|NM|K||4.1|mmol/L|3.5-5.3||||F",
    "OBX|1|NM|K||7.9|mmol/L|||||D",
    "OBX|1|NM|NOSUCH||7.9|mmol/L|||||F",
    "OBX|1|NM|CREA||80||||||F",
    "OBX|1|NM|K||4.1|mmol/L|||||F\rNTE|1||HH 表示危急值",
]


async def _door(unit: OpenUnit, held: Any, body: bytes) -> dict[str, Any]:
    async with unit() as uow:
        kept = await operations.receive_message(
            uow, source="lis", sender="", message_id=uuid7().hex, body=body, media_type="x", gateway_received_at=None, held=held
        )  # fmt: skip
    async with unit() as uow:
        return dict((await inbox.get(uow, kept.id)).detail)


@pytest.mark.parametrize(
    "held", ["content-differs", "charset-doubtful", "unparsable", "no-usable-id", "frame-not-ended"]
)
@pytest.mark.parametrize("obx", CRITICAL)
async def test_what_is_critical_in_a_message_refused_at_the_door_is_named(unit: OpenUnit, held: Any, obx: str) -> None:
    charset = "gb18030" if held == "charset-doubtful" else "utf-8"
    assert (await _door(unit, held, _raw(obx, charset=charset)))["alarming"] == [
        obx.split("|")[3].split("^", maxsplit=1)[0]
    ]


@pytest.mark.parametrize("obx", CALM)
async def test_what_is_not_critical_in_a_message_refused_at_the_door_is_named_nowhere(unit: OpenUnit, obx: str) -> None:
    assert "alarming" not in await _door(unit, "content-differs", _raw(obx))


async def test_a_test_message_alarms_of_nothing(unit: OpenUnit) -> None:
    assert "alarming" not in await _door(unit, "not-production", _raw(CRITICAL[0]))


async def test_a_message_under_a_used_number_is_looked_through(unit: OpenUnit) -> None:
    used = uuid7().hex
    for body in (_raw(CALM[0]), _raw(CRITICAL[0])):
        with contextlib.suppress(inbox.MessageContentDiffers):
            async with unit() as uow:
                await operations.receive_message(
                    uow, source="lis", sender="", message_id=used, body=body, media_type="x", gateway_received_at=None, held=None
                )  # fmt: skip
    async with unit() as uow:
        query = select(inbox.InboxMessage).where(inbox.InboxMessage.message_id.startswith(f"{used}#"))
        assert (await uow.session.execute(query)).scalar_one().detail["alarming"] == ["K"]


async def test_a_message_that_nobody_could_read_is_looked_through(unit: OpenUnit, runtime: Runtime) -> None:
    async with unit() as uow:
        told: dict[str, Any] = {
            "source": "lis",
            "message_id": uuid7().hex,
            "media_type": "x",
            "gateway_received_at": None,
        }
        message, _ = await inbox.receive(uow, **told, body=_raw(CRITICAL[0], "PID|1||E2||另一人||19860301|F"))

    async def silent(_done: int, _total: int | None, _message: str | None) -> None: ...

    run = JobRun(
        id=uuid7(), name="test", payload={"message_id": str(message.id)}, campus_id=None, attempts=0, fence=1, units=Unfenced(runtime),
        services=Parser(None), report=silent, created_by=uuid7(),
    )  # fmt: skip
    assert (await flows.file_message(run))["outcome"] == "quarantined"
    assert await _alarming(unit, message.id) == ["K"]


async def _alarming(unit: OpenUnit, message_id: UUID) -> list[str]:
    async with unit() as uow:
        return list((await inbox.get(uow, message_id)).detail["alarming"])


def test_the_sex_that_is_named_counts_and_two_are_none() -> None:
    assert made_out(_raw(CALM[0], sex="F")).sex == "female"
    assert made_out(_raw(CALM[0], "PID|1||E2||某||1986|F")).sex == ""


@pytest.mark.parametrize(
    "part", ["OBX|1|NM|K||7.9|m|||||F\r", "NTE|1||危急\r", "OBX|" + "~7" * 50 + "\r", "|", "x\r", "~7.9"]
)
def test_looking_through_bytes_costs_as_much_as_they_are_long(part: str) -> None:
    def cost(size: int) -> float:
        raw = _raw(part * (size // len(part)))
        began = time.perf_counter()
        called_critical(raw)
        return time.perf_counter() - began

    cost(1_000)
    # Far from a bound that a busy machine could miss: eight times as much is no sixty-four times.
    assert cost(800_000) < 40 * max(cost(100_000), 0.01)
