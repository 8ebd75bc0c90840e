"""The day's board: five counts that are exact at any moment, each with its list."""

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import pytest

from tests.tjapi.world import API, House, Visit, house
from tjapi import demo
from tjapi.exam import service as exams
from tjapi.exam.schemas import ExamIn

pytestmark = pytest.mark.requirement("E1.1")
COLUMNS = ("booked", "awaiting_payment", "checked_in", "blood_drawn", "examined")
# What the hospital means, over the lines themselves: a recount that shares nothing with the product's marks.
RECOUNT = """
with here as (select * from exam where campus_id = 1 and exam_date = (now() at time zone 'Asia/Shanghai')::date and state <> 'cancelled')
select count(*) booked,
  count(*) filter (where exists (select from exam_line l where l.exam_id = here.id and l.state not in ('withdrawn', 'substituted', 'refused', 'waived')
    and l.person_share_fen > l.paid_fen + l.remitted_fen)) awaiting_payment,
  count(*) filter (where checked_in_at is not null) checked_in,
  count(*) filter (where exists (select from exam_line l where l.exam_id = here.id and l.specimen in ('whole_blood', 'serum', 'plasma')
    and l.state in ('collected', 'resulted', 'verified'))) blood_drawn,
  count(*) filter (where checked_in_at is not null and exists (select from exam_line l where l.exam_id = here.id
      and l.state not in ('withdrawn', 'substituted'))
    and not exists (select from exam_line l where l.exam_id = here.id
      and l.state in ('ordered', 'released', 'sent', 'started', 'specimen_rejected'))) examined
from here
"""


@pytest.fixture
async def place(worker_name: str) -> AsyncIterator[House]:
    """A campus's day that nobody else writes to."""
    async with house(f"board_{worker_name}") as built:
        yield built


async def _board(front: httpx.AsyncClient) -> dict[str, int]:
    answer = (await front.get(f"{API}/board", params={"campus_id": 1})).json()
    return {column: answer[column] for column in COLUMNS}


async def _agrees(place: House, front: httpx.AsyncClient) -> dict[str, int]:
    """The board, a recount and the lists say the same."""
    told = await _board(front)
    recount = await place.admin.fetchrow(RECOUNT)
    assert recount is not None
    assert told == dict(recount)
    for column, count in told.items():
        listed = await front.get(f"{API}/board/{column}/exams", params={"campus_id": 1, "page_size": 200})
        assert len(listed.json()["items"]) == count, column
    return told


async def test_each_count_is_that_of_its_list_and_of_a_recount_after_every_step(place: House) -> None:
    world, front = place.world, await place.sign_in("front")
    visit = await world.registered("GENERAL", "GLU")
    # This campus lets unpaid people begin: what they owe is owed all the same, until somebody has paid it.
    assert await _agrees(place, front) == dict(zip(COLUMNS, (1, 1, 0, 0, 0), strict=True))
    for code, left in (("GENERAL", 1), ("GLU", 0)):
        paid = {"line_ids": [str(visit.lines[code])], "how": "paid", "reference": "SF-17"}
        for _ in range(2):  # twice is once
            assert (await front.post(f"{visit.place}/lines:cover", json=paid)).status_code == 200
        assert (await _agrees(place, front))["awaiting_payment"] == left
    await front.post(f"{visit.place}:check-in")
    tubes = (await front.get(f"{visit.place}/tubes")).json()["items"]
    await front.post(f"{API}/tubes/{tubes[0]['id']}:collect")
    assert await _agrees(place, front) == dict(zip(COLUMNS, (1, 0, 1, 1, 0), strict=True))
    body = {"line_ids": [str(visit.lines["GENERAL"])], "reason": "受检者要求"}
    await front.post(f"{visit.place}/lines:refuse", json=body)
    assert await _agrees(place, front) == dict(zip(COLUMNS, (1, 0, 1, 1, 1), strict=True))
    await front.post(f"{visit.place}/lines:reinstate", json=body)
    assert (await _agrees(place, front))["examined"] == 0
    cancelled = await world.registered("GLU")
    await front.post(f"{cancelled.place}:cancel", json={"reason": "改期"})
    assert (await _agrees(place, front))["booked"] == 1


@pytest.mark.requirement("E1.8", "E1.6")
async def test_a_refund_is_proposed_of_what_was_paid_and_never_of_more(place: House) -> None:
    """Refused, withdrawn, replaced, cancelled, or left open when the guide sheet comes back: whoever paid nothing gets nothing."""
    world, front = place.world, await place.sign_in("front")
    visit = await world.registered("GENERAL", "INTERNAL", "GLU", "CBC")
    price = {line["code"]: line["person_share_fen"] for line in (await front.get(visit.place)).json()["lines"]}

    async def money() -> tuple[int, int]:
        exam = (await front.get(visit.place)).json()
        return exam["owed_fen"], exam["refund_fen"]

    async def command(verb: str, *codes: str, **more: Any) -> httpx.Response:
        body = {"line_ids": [str(visit.lines[code]) for code in codes], **more}
        return await front.post(f"{visit.place}/lines:{verb}", json=body)

    assert await money() == (sum(price.values()), 0)
    await command("withdraw", "GENERAL", reason="不查")
    assert await money() == (price["INTERNAL"] + price["GLU"] + price["CBC"], 0), "unpaid: nothing to give back"
    await command("cover", "INTERNAL", "GLU", how="paid")
    await command("refuse", "INTERNAL", reason="不查")
    assert await money() == (price["CBC"], price["INTERNAL"])
    await command("reinstate", "INTERNAL", reason="还是查")
    assert await money() == (price["CBC"], 0), "what was paid is paid"
    await front.post(f"{visit.place}:check-in")
    sheet = (await front.get(f"{visit.place}/guide-sheet-return")).json()
    proposed = {line["name"]: line["refund_fen"] for line in sheet["open_lines"]}
    assert proposed == {"内科检查": price["INTERNAL"], "空腹血糖": price["GLU"], "血常规": 0}
    without = await command("cover", "CBC", how="remitted")
    assert (without.status_code, without.json()["code"]) == (422, "invalid")
    await command("cover", "CBC", how="remitted", reason="本院职工")
    await command("waive", "CBC", reason="仪器故障")
    assert await money() == (0, 0), "what was not asked for is not given back"
    gone = await command("cover", "CBC", how="paid")
    assert (gone.status_code, gone.json()["code"]) == (409, "line-state-conflict")
    await command("withdraw", "GLU", reason="不查")
    assert await money() == (0, price["GLU"])
    await front.post(f"{visit.place}:cancel", json={"reason": "离开"})
    assert await money() == (0, price["GLU"] + price["INTERNAL"])


@pytest.mark.requirement("E1.1")
async def test_what_is_covered_is_not_covered_again_in_another_way(place: House) -> None:
    """The number of a payment for which nothing is owed would be kept nowhere."""
    world, front = place.world, await place.sign_in("front")
    visit = await world.registered("GENERAL", "GLU", "CBC")

    async def cover(*codes: str, **said: Any) -> httpx.Response:
        body = {"line_ids": [str(visit.lines[code]) for code in codes], **said}
        return await front.post(f"{visit.place}/lines:cover", json=body)

    paid, remitted = {"how": "paid", "reference": "SF-1"}, {"how": "remitted", "reason": "本院职工"}
    once = (await cover("GENERAL", **paid)).json()
    assert (await cover("GLU", **remitted)).status_code == 200
    for code, said in (
        ("GENERAL", paid | {"reference": "SF-2"}), ("GENERAL", remitted), ("GENERAL", {"how": "paid"}), ("GLU", paid), ("GLU", remitted | {"reason": "义诊"}),
    ):  # fmt: skip
        before = (await front.get(visit.place)).json()
        refused = await cover("CBC", code, **said)
        assert (refused.status_code, refused.json()["code"]) == (409, "line-covered"), (code, said)
        assert [e["pointer"] for e in refused.json()["errors"]] == ["/line_ids/1"]
        assert (await front.get(visit.place)).json() == before, "nothing of it was taken up"
    # The very same again is a repetition, also together with what is still owed.
    again = await cover("GENERAL", "CBC", **paid)
    assert again.status_code == 200
    lines = {line["code"]: line for line in again.json()["lines"]}
    assert lines["GENERAL"] == next(line for line in once["lines"] if line["code"] == "GENERAL")
    assert lines["CBC"]["paid_fen"] == lines["CBC"]["person_share_fen"] > 0
    assert (await cover("GLU", **remitted)).status_code == 200


@pytest.mark.requirement("E1.1")
async def test_what_is_owed_may_be_paid_after_the_final_sign_off_and_changes_nothing_else(place: House) -> None:
    world, front = place.world, await place.sign_in("front")
    visit = await world.finalized("GLU")
    before = (await front.get(visit.place)).json()
    assert before["owed_fen"] == before["total_fen"] > 0
    paid = {"line_ids": [str(visit.lines["GLU"])], "how": "paid"}
    after = (await front.post(f"{visit.place}/lines:cover", json=paid)).json()
    assert (after["state"], after["owed_fen"], after["refund_fen"]) == ("finalized", 0, 0)
    assert after["lines"][0] == before["lines"][0] | {"paid_fen": before["total_fen"]}
    with pytest.raises(asyncpg.CheckViolationError):
        await place.admin.execute(
            "update exam_line set price_fen = 0, person_share_fen = 0 where exam_id = $1", visit.exam_id
        )


async def test_a_free_exam_never_awaits_payment_and_one_that_costs_does_until_it_is_covered(place: House) -> None:
    world, front, ids = place.world, await place.sign_in("front"), await place.world.groups()
    await place.admin.execute("update item_group set price_fen = 0 where code = 'GENERAL'")
    made = []
    for code in ("GENERAL", "GLU"):
        person, _ = await world.person()
        async with place.runtime.units.open(demo.LOADER) as uow:
            new = ExamIn(campus_id=1, examinee_id=person, item_group_ids=[ids[code]])
            made.append((await exams.register(uow, new, payment_required=True)).id)
    assert (await _agrees(place, front))["awaiting_payment"] == 1
    async with place.runtime.units.open(demo.LOADER) as uow:
        await exams.cover(uow, made[1], [line.id for line in await exams.lines(uow, made[1])], "paid")
    assert (await _agrees(place, front))["awaiting_payment"] == 0
    async with place.runtime.units.open(demo.LOADER) as uow:
        assert [line.state for line in await exams.lines(uow, made[1])] == ["released"]


async def test_the_board_is_exact_at_any_moment_of_a_burst_and_screens_hear_of_it(place: House) -> None:
    world, front, chance = place.world, await place.sign_in("front"), random.Random(20261125)
    visits = [await world.registered("GENERAL", "GLU", "CBC") for _ in range(8)]

    async def morning(visit: Visit) -> None:
        tubes = (await front.post(f"{visit.place}:check-in")).json()["tubes"]
        for tube in chance.sample(tubes, chance.randint(1, len(tubes))):
            await front.post(f"{API}/tubes/{tube['id']}:collect")
        verb = chance.choice(("refuse", "waive", "withdraw"))
        await front.post(
            f"{visit.place}/lines:{verb}", json={"line_ids": [str(visit.lines["GENERAL"])], "reason": "赶时间"}
        )

    async def watch(until: asyncio.Event) -> list[dict[str, int]]:
        seen = []
        while not until.is_set():
            seen.append(await _board(front))
        return seen

    heard: list[str] = []
    done = asyncio.Event()

    async def listen() -> None:
        async with front.stream("GET", f"{API}/live-events") as screen:
            async for line in screen.aiter_lines():
                heard.append(line)  # noqa: PERF401 - it is read while it grows

    listening, watching = asyncio.create_task(listen()), asyncio.create_task(watch(done))
    await asyncio.sleep(0.2)
    await asyncio.gather(*(morning(visit) for visit in visits))
    done.set()
    seen: list[dict[str, Any]] = await watching
    for column in COLUMNS[2:4]:  # a count of people who are here, or whose blood is drawn, only grows in this morning
        counts = [board[column] for board in seen]
        assert counts == sorted(counts), column
    final = await _agrees(place, front)
    assert (final["booked"], final["checked_in"], final["blood_drawn"]) == (8, 8, 8)
    async with asyncio.timeout(10):
        while len({visit.exam_id for visit in visits if any(str(visit.exam_id) in line for line in heard)}) < 8:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    listening.cancel()
