"""A unit's people come: from the contract to next year's campaign, in the contract's own words."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Callable
from datetime import date, timedelta
from typing import Any

import pytest

from tests.journeys.contract import FrontEnd, example, operations
from tests.tjapi.world import House, Visit, house, until
from tjapi.kernel.clock import business_day
from tjapi.kernel.jobs.runner import Runner
from tjapi.visit import invented_person

CLERK, GROUPS = "group", ("CBC", "GLU")
_SUNDAY = 6


@pytest.fixture(scope="module")
async def place(worker_name: str) -> AsyncIterator[House]:
    """A hospital to which nobody else comes."""
    async with house(f"group_{worker_name}") as built:
        yield built


@pytest.fixture(scope="module")
async def wake(place: House) -> AsyncIterator[Callable[[], None]]:
    """A worker for what a campaign's clerk waits for; called, it looks at once."""
    held = place.runtime
    jobs = {name: spec for name, spec in held.jobs.items() if name.startswith(("employer.", "groupdesk."))}
    runner, stop = Runner(held.units, jobs, held.services, slots=2, lease=30, sweep=60), asyncio.Event()
    task = asyncio.create_task(runner.run(stop))
    yield runner.wake
    stop.set()
    await task


@pytest.fixture
def front_end(place: House) -> FrontEnd:
    return FrontEnd(place.sign_in)


def _list(people: int) -> bytes:
    """The columns of the example, and as many rows of invented people."""
    content = operations()["uploadMembers"][2]["requestBody"]["content"]["application/octet-stream"]["example"]
    header, *rows = list(csv.reader(io.StringIO(content)))
    written = io.StringIO()
    lines = csv.writer(written)
    lines.writerows([header, *rows])
    for card in (invented_person() for _ in range(people)):
        said = {"姓名": card["name"], "证件号码": card["id_number"], "手机号码": card["phone"]}
        lines.writerow([said[column] for column in header])
    return written.getvalue().encode()


async def _job(front_end: FrontEnd, wake: Callable[[], None], job_id: str) -> None:
    async def done() -> bool:
        wake()
        state = (await front_end.json("getJob", CLERK, job_id=job_id))["state"]
        assert state in ("queued", "running", "succeeded"), state
        return bool(state == "succeeded")

    await until(done)


@pytest.mark.requirement("E2.1", "E2.2", "E2.3", "E2.4", "E2.5", "E2.6")
async def test_from_the_contract_to_next_years_campaign(
    place: House, front_end: FrontEnd, wake: Callable[[], None]
) -> None:
    async def call(operation_id: str, **given: Any) -> Any:
        answer = await front_end(operation_id, CLERK, **given)
        return answer.json() if answer.content else None

    today = business_day(place.runtime.clock.now())
    starts, ends, day = today, today + timedelta(60), today + timedelta(7)
    day += timedelta(day.weekday() == _SUNDAY)  # a day off
    ids = await place.world.groups()

    # What was agreed upon, and who is to come.
    unit = (await call("createEmployer"))["id"]
    await call("addEmployerContact", employer_id=unit)
    spoken = await call(
        "createContract", employer_id=unit, signed_on=str(today), valid_from=str(starts), valid_to=str(ends)
    )
    assert [c["id"] for c in (await call("listContracts", query={"employer_id": unit}))["items"]] == [spoken["id"]]
    made = await call("createCampaign", employer_id=unit, year=starts.year, starts_on=str(starts), ends_on=str(ends))
    campaign = {"campaign_id": made["id"]}
    group = await call(
        "putCampaignGroup", **campaign, group_code="F1", package_ids=[], item_group_ids=[str(ids[g]) for g in GROUPS]
    )
    template = await front_end("getMemberTemplate", CLERK)
    assert template.content

    # The list comes as a file; it is looked at, then taken over.
    upload = await call("uploadMembers", **campaign, content=_list(4), media_type="application/octet-stream")

    async def previewed() -> Any:
        wake()
        seen = await call("getMemberImport", import_id=upload["id"])
        return seen if seen["state"] in ("previewed", "refused") else None

    seen = await until(previewed)
    assert (seen["state"], seen["total"], seen["added"], seen["bad"]) == ("previewed", 5, 5, 0), seen
    entries = await call("listMemberImportEntries", import_id=upload["id"], query={"kind": "error"})
    assert entries["items"] == []
    await call("commitMemberImport", import_id=upload["id"])

    async def committed() -> bool:
        wake()
        return bool((await call("getMemberImport", import_id=upload["id"]))["state"] == "committed")

    await until(committed)
    listed = (await call("listMembers", **campaign))["items"]
    assert len(listed) == 5
    lone = await call("addMember", **campaign)  # she is who the group of the example asks for
    assert (lone["placement"], lone["group_id"]) == ("matched", group["id"])
    people = [member["id"] for member in listed]
    await call("openCampaign", **campaign)
    moved = await call("transferMembers", **campaign, group_id=group["id"], member_ids=people)
    assert sorted(m["member_id"] for m in moved["moved"]) == sorted(people), moved

    # They are booked, and come; one of them wants more, and pays for it.
    batch = await call("bookMembers", **campaign, days=[{"day": str(day)}])
    assert batch["members"] == 6
    await _job(front_end, wake, batch["job_id"])
    standings = (await call("listStandings", **campaign))["items"]
    assert {s["standing"] for s in standings} == {"booked"}, standings
    exams = {s["member_id"]: s["exam_id"] for s in standings}
    extra = people[0]
    before = await front_end.json("getExam", exam_id=exams[extra])
    more = await front_end.json("addExamLines", exam_id=exams[extra], item_group_ids=[str(ids["LIPID"])])
    owed = {line["code"]: (line["person_share_fen"], line["employer_share_fen"]) for line in more["lines"]}
    lipid = next(line["price_fen"] for line in more["lines"] if line["code"] == "LIPID")
    assert owed["LIPID"] == (lipid, 0)
    assert (
        sum(e for _, e in owed.values())
        == sum(line["employer_share_fen"] for line in before["lines"])
        == before["total_fen"]
    )
    quote = await call("quoteMember", member_id=lone["id"])
    assert quote["employer_fen"] + quote["person_fen"] == quote["total_fen"]
    for member in people[:2]:
        desk = await front_end.json("checkIn", exam_id=exams[member])
        assert desk["exam"]["exam_date"] == str(today)
        for tube in desk["tubes"]:
            await front_end.json("collectTube", tube_id=tube["id"])
        exam = desk["exam"]
        lines = {line["code"]: line["id"] for line in exam["lines"]}
        await place.world.file(Visit(exam["examinee_id"], {}, exam["id"], exam["exam_no"], lines, {}))
    [progress] = [p for p in (await call("listCampaignProgress"))["items"] if p["campaign_id"] == made["id"]]
    assert (progress["total"], progress["booked"], progress["arrived"], progress["finished"]) == (6, 4, 2, 2), progress

    # The end: whoever is still open is decided upon; it is closed, opened once more, closed again.
    refused = await front_end("completeCampaign", CLERK, **campaign, refused="campaign-not-complete")
    open_ones = [*people[2:], lone["id"]]
    assert len(refused.json()["errors"]) == len(open_ones)
    await call("decideMembers", **campaign, decisions=[{"member_id": member} for member in open_ones])
    assert (await call("completeCampaign", **campaign))["state"] == "completed"
    assert made["id"] not in [p["campaign_id"] for p in (await call("listCampaignProgress"))["items"]]
    await front_end("putCampaignGroup", CLERK, **campaign, group_code="F1", refused="campaign-state-conflict")
    await call("reopenCampaign", **campaign)
    assert (await call("completeCampaign", **campaign))["state"] == "completed"

    # Next year's begins with this year's groups and people.
    year = date(starts.year + 1, starts.month, 1)
    coming = await call(
        "startNextCampaign", **campaign, year=year.year, starts_on=str(year), ends_on=str(year + timedelta(30))
    )
    assert coming["previous_id"] == made["id"]
    assert example("startNextCampaign")["with_members"]
    following = await call("getCampaign", campaign_id=coming["id"])
    assert {g["code"] for g in following["groups"]} == {"F1"}
    # Whoever was taken off this year's list is not on the next one.
    assert following["members"]["total"] == 2
    assert following["state"] == "draft"
