"""An archive comes in whole or not at all, and only into exams that are being brought in."""

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.conftest import SignIn
from tests.tjapi.world import World
from tjapi.conclusion import service as conclusions
from tjapi.conclusion.errors import PastConclusionsInvalid
from tjapi.conclusion.service import PastConclusion, Signature
from tjapi.exam import service as exams
from tjapi.exam.errors import PastExamNotOpen, PastExamsInvalid
from tjapi.exam.service import PastExam, PastLine
from tjapi.examinee import service as examinees
from tjapi.examinee.errors import PeopleInvalid
from tjapi.examinee.schemas import IdCardPayload
from tjapi.kernel.clock import HOSPITAL_ZONE, business_day
from tjapi.kernel.runtime import Runtime
from tjapi.result import service as results
from tjapi.result.errors import PastResultsInvalid
from tjapi.result.service import PastResults, PastSheet, PastValue
from tjapi.visit import invented_person

Unit = Callable[..., Any]
pytestmark = pytest.mark.requirement("D2")
MORNING = datetime(2024, 3, 15, 8, 0, tzinfo=HOSPITAL_ZONE)


@pytest.fixture
async def world(runtime: Runtime, sign_in: SignIn) -> World:
    return World(runtime, sign_in)


async def past(world: World, *codes: str) -> PastExam:
    person, _ = await world.person()
    return PastExam(
        archive_no=secrets.token_hex(6), examinee_id=person, exam_date=MORNING.date(), package_code=None, package_name="旧套餐",
        lines=tuple(PastLine(code, 1_000) for code in codes or ("GENERAL", "GLU")), checked_in_at=MORNING,
        ready_at=MORNING + timedelta(hours=5), finalized_at=MORNING + timedelta(days=1),
    )  # fmt: skip


def values(*given: tuple[str, str, str]) -> tuple[PastValue, ...]:
    return tuple(PastValue(group, item, value) for group, item, value in given)


USUAL = values(
    ("GENERAL", "HEIGHT", "170"), ("GENERAL", "WEIGHT", "80.0"), ("GENERAL", "SBP", "128"), ("GENERAL", "DBP", "92"),
    ("GENERAL", "PULSE", "70"), ("GLU", "GLU", "<0.01"),
)  # fmt: skip


async def brought(world: World, unit: Unit, row: PastExam, given: tuple[PastValue, ...] = USUAL) -> UUID:
    doctor, reviewer, chief = [await world.staff(name) for name in ("doctor", "reviewer", "chief")]
    async with unit() as uow:
        (exam_id,) = (await exams.import_past(uow, 1, "test", [row])).values()
        sheet = PastSheet(1, doctor.id, "旧医生", MORNING)
        await results.import_past(
            uow, "test", [PastResults(exam_id=exam_id, observed_at=MORNING, values=given, sheets=(sheet,))]
        )
        signatures = [Signature(one.id, one.name, MORNING + timedelta(days=1)) for one in (reviewer, chief)]
        await conclusions.import_past(
            uow,
            "test",
            [
                PastConclusion(
                    exam_id=exam_id, overview="未见异常", entries=(), initial=signatures[0], final=signatures[1]
                )
            ],
        )
    return exam_id


async def test_a_past_exam_is_read_like_any_other_and_its_computed_items_are_computed(world: World, unit: Unit) -> None:
    exam_id = await brought(world, unit, await past(world))
    chief = await world.sign_in("chief")
    exam = (await chief.get(f"/api/v1/exams/{exam_id}")).json()
    assert (exam["state"], exam["exam_date"], exam["total_fen"]) == ("finalized", "2024-03-15", 2_000)
    assert {line["state"] for line in exam["lines"]} == {"verified"}
    found = (await chief.get(f"/api/v1/exams/{exam_id}/results")).json()
    shown = {r["item_code"]: r["current"] for d in found["departments"] for r in d["results"]}
    assert (shown["BMI"]["value"], shown["BMI"]["flag"], shown["BMI"]["source"]) == ("27.7", "H", "computed")
    assert (shown["DBP"]["flag"], shown["DBP"]["source"]) == ("H", "import:test")
    assert (shown["GLU"]["comparator"], shown["GLU"]["flag"]) == ("<", "LL")
    assert shown["GLU"]["range"]["low"] is not None
    lines = next(d for d in found["departments"] if d["department_id"] == 1)["lines"]
    assert any("血压" in line["text"] for line in lines)
    async with unit() as uow:
        assert await conclusions.stands(uow, exam_id)


async def test_bringing_an_archive_in_twice_is_bringing_it_in_once(world: World, unit: Unit) -> None:
    row = await past(world)
    await brought(world, unit, row)
    async with unit() as uow:
        assert await exams.import_past(uow, 1, "test", [row]) == {}


async def test_every_wrong_field_of_an_archive_is_named_and_nothing_of_it_is_kept(world: World, unit: Unit) -> None:
    good = await past(world)
    rows = [
        good, replace(await past(world), examinee_id=UUID(int=7)), replace(await past(world), lines=()),
        replace(await past(world), lines=(PastLine("NO-SUCH", -1),)), replace(await past(world), exam_date=business_day(datetime.now(UTC))),
        replace(await past(world), finalized_at=MORNING - timedelta(days=1)),
    ]  # fmt: skip
    with pytest.raises(PastExamsInvalid) as refused:
        async with unit() as uow:
            await exams.import_past(uow, 1, "test", rows)
    named = {error.pointer for error in refused.value.errors}
    assert {
        "/rows/1/examinee_id", "/rows/2/lines", "/rows/3/lines/0/code", "/rows/3/lines/0/price_fen", "/rows/4/exam_date", "/rows/5/checked_in_at",
    } <= named  # fmt: skip
    assert not any(pointer.startswith("/rows/0") for pointer in named)
    async with unit() as uow:
        assert len(await exams.import_past(uow, 1, "test", [good])) == 1


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (("GENERAL", "GLU", "5"), "item_code"), (("GENERAL", "WEIGHT", "heavy"), "value"), (("GENERAL", "HEIGHT", "170"), "item_code"),
    ],
)  # fmt: skip
async def test_values_that_live_entry_would_refuse_are_refused(
    world: World, unit: Unit, wrong: tuple[str, str, str], field: str
) -> None:
    given = (*USUAL[:1], *USUAL[2:], *values(wrong))
    with pytest.raises(PastResultsInvalid) as refused:
        await brought(world, unit, await past(world), given)
    assert [error.pointer for error in refused.value.errors] == [f"/rows/0/values/{len(given) - 1}/{field}"]


async def test_results_of_an_archive_never_reach_an_exam_that_took_place_here(world: World, unit: Unit) -> None:
    visit = await world.checked_in("GLU")
    with pytest.raises(PastExamNotOpen):
        async with unit() as uow:
            await results.import_past(
                uow, "test", [PastResults(exam_id=visit.exam_id, observed_at=MORNING, values=(), sheets=())]
            )


async def test_nor_do_they_reach_a_past_exam_that_is_closed(world: World, unit: Unit) -> None:
    exam_id = await brought(world, unit, await past(world))
    with pytest.raises(PastExamNotOpen):
        async with unit() as uow:
            await results.import_past(
                uow, "test", [PastResults(exam_id=exam_id, observed_at=MORNING, values=(), sheets=())]
            )


async def test_two_people_signed_then_too(world: World, unit: Unit) -> None:
    one = Signature((await world.staff("chief")).id, "旧医生", MORNING)
    async with unit() as uow:
        (exam_id,) = (await exams.import_past(uow, 1, "test", [await past(world)])).values()
        row = PastConclusion(exam_id=exam_id, overview="", entries=(), initial=one, final=one)
        with pytest.raises(PastConclusionsInvalid) as refused:
            await conclusions.import_past(uow, "test", [row])
    assert {error.pointer for error in refused.value.errors} == {"/rows/0/final", "/rows/0/overview"}


async def test_people_of_an_archive_are_those_who_are_known_and_never_entered_twice(unit: Unit) -> None:
    first, second = (IdCardPayload.model_validate(invented_person()) for _ in range(2))
    async with unit() as uow:
        known, _ = await examinees.meet(uow, first, 1)
    async with unit() as uow:
        ids = await examinees.import_people(uow, 2, [second, first])
    assert ids[1] == known.id
    async with unit() as uow:
        assert await examinees.import_people(uow, 2, [first, second]) == ids[::-1]
    with pytest.raises(PeopleInvalid) as refused:
        async with unit() as uow:
            await examinees.import_people(uow, 1, [first, first, second.model_copy(update={"id_number": "690101"})])
    assert {error.pointer for error in refused.value.errors} >= {"/rows/2/id_number"}
