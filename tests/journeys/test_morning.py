"""A morning at the front desk in little: the bench's own, of 24 people at six desks; see `bench/morning.py`."""

import asyncio
import random
from uuid import UUID, uuid4

import pytest

from bench import messages, morning
from bench.load import connections, expect, request
from tests.tjapi.world import house
from tjapi import demo, installation
from tjapi.exam import service as exams
from tjapi.exam.schemas import ExamIn
from tjapi.examinee import service as examinees
from tjapi.examinee.schemas import IdCardPayload
from tjapi.kernel.jobs.runner import Runner
from tjapi.kernel.schema import connect
from tjapi.visit import invented_person

PEOPLE, DESKS = 24, 6


@pytest.mark.requirement("E1.1", "E1.5", "E3.5", "X1")
async def test_a_morning_of_many_desks_loses_nobody_and_its_board_is_exact_at_any_moment(worker_name: str) -> None:
    async with house(f"morning_{worker_name}") as place:
        ids, runtime = await place.world.groups(), place.runtime
        people: list[UUID] = []
        async with runtime.units.open(demo.LOADER) as uow:
            for _ in range(PEOPLE):
                person, _ = await examinees.meet(uow, IdCardPayload.model_validate(invented_person()), 1)
                order = ExamIn(campus_id=1, examinee_id=person.id, item_group_ids=[ids["CBC"], ids["GLU"]])
                people.append((await exams.register(uow, order)).id)
        said = dict(zip(people, await messages.of_exams(place.admin, people), strict=True))
        jobs = {name: spec for name, spec in runtime.jobs.items() if name.startswith("result.")}
        runner, stop = Runner(runtime.units, jobs, runtime.services, slots=2, lease=30, sweep=60), asyncio.Event()
        worker = asyncio.create_task(runner.run(stop))
        port = int(place.base_url.rpartition(":")[2])
        front = (await place.sign_in("front")).headers["authorization"].removeprefix("Bearer ")
        gateway = (await place.sign_in(installation.GATEWAY)).headers["authorization"].removeprefix("Bearer ")
        seen, watchers = morning.Seen(), (await connect(runtime.settings), await connect(runtime.settings))
        async with connections(port, 2 * DESKS + 4) as sockets:
            laboratory = sockets[-1]

            async def deliver(message: bytes) -> None:
                number = message.split(b"|")[9].decode()
                headers = {"X_Source": "lis", "X_Message_Id": number, "Content_Type": "application/hl7-v2"}
                await expect(laboratory, 202, request("POST", "/api/v1/inbound-messages", gateway, message, **headers))
                runner.wake()

            desk = morning.Hospital(front, front, sockets, watchers, deliver, random.Random(str(uuid4())))
            drawn, taken = asyncio.Queue[tuple[UUID, list[str]]](), asyncio.Queue[UUID]()
            company = [
                *(
                    asyncio.create_task(morning.draw_blood(desk, sockets[2 * DESKS + n], drawn, taken))
                    for n in range(2)
                ),
                asyncio.create_task(morning.report(desk, said, taken)),
                asyncio.create_task(morning.watch(desk, sockets[2 * DESKS + 2], seen)),
            ]
            await morning.check_in_all(desk, people, DESKS, drawn, seen)
            await drawn.join()
            await taken.join()
            assert await morning.filed(place.admin, PEOPLE) == []
            for task in company:
                task.cancel()
            ended = await asyncio.gather(*company, return_exceptions=True)
        stop.set()
        runner.wake()
        await worker
        assert [e for e in ended if not isinstance(e, asyncio.CancelledError)] == []
        assert seen.wrong == []
        assert seen.boards > 1
        assert seen.checked_in == PEOPLE
        assert await morning.lost(place.admin, people) == []
        for column, count in (await place.admin.fetchrow(morning.RECOUNT)).items():
            listed = await (await place.sign_in("front")).get(
                f"/api/v1/board/{column}/exams", params={"campus_id": 1, "page_size": 200}
            )
            assert len(listed.json()["items"]) == count, column
        for watcher in watchers:
            await watcher.close()
