"""What a report prints of earlier exams holds, or the report says that it does not: it outlives none of them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

import pytest

from tests.tjapi.examinee.people import merge, pair, undo
from tests.tjapi.world import API, House, Visit, house, until
from tjapi.kernel.jobs.runner import Runner
from tjapi.report.rules import outlived

pytestmark = pytest.mark.requirement("E6.3", "E4.5", "E3.5")


@pytest.fixture(scope="module")
async def place(worker_name: str) -> AsyncIterator[House]:
    async with house(f"past_{worker_name}") as built:
        yield built


@contextlib.asynccontextmanager
async def _at_work(place: House) -> AsyncIterator[None]:
    held = place.runtime
    # Orders for a laboratory that is not here.
    await place.admin.execute("delete from job where name not like 'report.%'")
    stop = asyncio.Event()
    task = asyncio.create_task(Runner(held.units, held.jobs, held.services, slots=2, lease=30, sweep=60).run(stop))
    yield
    stop.set()
    await task


async def _work_done(place: House) -> None:
    async with _at_work(place):

        async def over() -> bool:
            waiting = "select count(*) from job where name like 'report.%' and state in ('queued', 'running')"
            return not await place.admin.fetchval(waiting)

        await until(over, seconds=60)


async def _published(place: House, visit: Visit) -> dict[str, Any]:
    chief = await place.sign_in("chief")
    asked = (await chief.post(f"{visit.place}/reports")).json()
    await _work_done(place)
    answer = await chief.post(f"{API}/reports/{asked['id']}:publish")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def _outdated(place: House, visit: Visit) -> tuple[list[bool], list[str]]:
    """Whether each published version is outdated, and what of it an open task says."""
    await _work_done(place)
    chief = await place.sign_in("chief")
    reports = (await chief.get(f"{visit.place}/reports")).json()["items"]
    tasks = (await chief.get(f"{API}/amendment-tasks", params={"state": "open", "page_size": 200})).json()["items"]
    return (
        [r["outdated"] for r in reports if r["state"] == "published"],
        [t["past"] for t in tasks if t["exam_id"] == str(visit.exam_id) and t["past"]],
    )


async def _two(place: House) -> tuple[Visit, Visit]:
    one = await place.world.finalized("GLU")
    return one, await place.world.finalized("GLU", examinee_id=one.examinee_id)


async def test_a_report_is_outdated_by_a_corrected_and_by_a_withdrawn_value_that_it_prints_of_an_earlier_exam(
    place: House,
) -> None:
    one, two = await _two(place)
    first = await _published(place, two)
    assert await _outdated(place, two) == ([False], [])
    await place.world.file(one, status="C", GLU="4.70")
    states, said = await _outdated(place, two)
    assert states == [True]
    assert len(said) == 1
    assert said[0].endswith(" 5")
    chief = await place.sign_in("chief")
    task = next(
        t for t in (await chief.get(f"{API}/amendment-tasks", params={"state": "open", "page_size": 200})).json()["items"]
        if t["exam_id"] == str(two.exam_id)
    )  # fmt: skip
    refused = await chief.post(f"{API}/amendment-tasks/{task['id']}:close", json={"outcome": "已电话告知"})
    assert (refused.status_code, refused.json()["code"]) == (409, "amendment-needed")
    # Printed anew it says what is known; nothing else was to be done.
    again = await _published(place, two)
    assert again["id"] != first["id"]
    assert await _outdated(place, two) == ([False], [])
    await place.world.file(one, status="W", GLU="4.70")
    assert (await _outdated(place, two))[0] == [True]


async def test_a_version_that_waits_to_be_published_goes_with_the_past_that_it_prints(place: House) -> None:
    one, two = await _two(place)
    chief = await place.sign_in("chief")
    asked = (await chief.post(f"{two.place}/reports")).json()
    await _work_done(place)
    await place.world.file(one, status="C", GLU="4.70")
    await _work_done(place)
    report = (await chief.get(f"{API}/reports/{asked['id']}")).json()
    assert (report["state"], report["failure"]) == ("failed", "results_changed")


async def test_a_report_is_outdated_by_an_exam_that_is_no_more_of_its_person(place: House) -> None:
    front = await place.sign_in("front")
    of, other = [UUID(person) for person in await pair(front)]
    one = await place.world.finalized("GLU", examinee_id=of)
    two = await place.world.finalized("GLU", examinee_id=other)
    made = await merge(front, str(one.examinee_id), str(other))
    assert made.status_code == 200, made.text
    await _published(place, two)
    assert await _outdated(place, two) == ([False], [])
    undone = await undo(front, made.json()["id"])
    assert undone.status_code == 200, undone.text
    states, said = await _outdated(place, two)
    assert (states, len(said)) == ([True], 1)


async def test_what_was_never_printed_outdates_nothing(place: House) -> None:
    front = await place.sign_in("front")
    of, other = [UUID(person) for person in await pair(front)]
    one = await place.world.finalized("GLU", examinee_id=of)
    two = await place.world.finalized("GLU", examinee_id=other)
    await _published(place, two)
    assert (await merge(front, str(one.examinee_id), str(other))).status_code == 200
    assert await _outdated(place, two) == ([False], [])


def _chart(*points: tuple[str, str], name: str = "葡萄糖") -> dict[str, Any]:
    return {"name": name, "points": [{"label": label, "value": value, "flag": ""} for label, value in points]}


@pytest.mark.parametrize(
    ("now", "gone"),
    [
        ([_chart(("2024", "7.5"), ("2025", "6.1"), ("2026", "5"))], []),
        ([_chart(("2023", "9"), ("2024", "7.5"), ("2025", "6.1"), ("2026", "5"))], []),
        ([_chart(("2024", "7.5"), ("2025", "6.1"), ("2026", "8"))], []),
        ([_chart(("2024", "7.4"), ("2025", "6.1"), ("2026", "5"))], ["葡萄糖 2024 7.5"]),
        ([_chart(("2024", "7.5"), ("2026", "5"))], ["葡萄糖 2025 6.1"]),
        ([_chart(("2024", "7.5"), ("2025", "6.1"), ("2026-06", "4"), ("2026", "5"))], ["葡萄糖 2025 6.1"]),
        ([], ["葡萄糖 2024 7.5", "葡萄糖 2025 6.1"]),
    ],
)
def test_what_is_printed_of_earlier_exams_holds_as_long_as_each_point_does_and_the_last_is_the_last(
    now: Sequence[dict[str, Any]], gone: list[str]
) -> None:
    printed = [_chart(("2024", "7.5"), ("2025", "6.1"), ("2026", "5"))]
    assert outlived(printed, now) == gone
