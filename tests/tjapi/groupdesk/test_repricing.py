"""A change of group, plan, package or cap reaches prepared exams by one command, which says whom it priced anew and whom it left alone, and why."""

from typing import Any
from uuid import UUID

import asyncpg
import pytest

from tests.tjapi.employer.scene import CBC, GENERAL, GLU, Unit, listed, plan
from tests.tjapi.groupdesk.batch import Batch
from tests.tjapi.groupdesk.test_group_desk import _plan
from tjapi.catalog import service as catalog
from tjapi.catalog.schemas import ExamPackageIn
from tjapi.employer import service as employers
from tjapi.employer.errors import CampaignStateConflict
from tjapi.employer.schemas import GroupIn, MemberPatch
from tjapi.exam import service as exams
from tjapi.groupdesk import service
from tjapi.groupdesk.rules import LEFT_ALONE, left_alone
from tjapi.groupdesk.schemas import DecisionIn
from tjapi.kernel.ids import uuid7
from tjapi.pricing.errors import ChoiceInvalid, SexNotKnown
from tjapi.pricing.rules import Person, package_for

pytestmark = pytest.mark.requirement("E2.2")
CHEAP: dict[str, Any] = {"name": "基础", "criteria": [{}], "item_group_ids": [CBC]}


class Group:
    """An item group as far as it says for whom it is."""

    def __init__(self, sex: str) -> None:
        self.sex = sex
        self.age_from_years: int | None = None
        self.age_to_years: int | None = None
        self.not_when_pregnant = False


ANY, HERS, HIS = Group("any"), Group("female"), Group("male")


@pytest.mark.parametrize(
    ("offered", "sex", "taken"),
    [
        ([("a", "any", [ANY]), ("b", "any", [ANY])], "female", "a"), ([("m", "male", [ANY]), ("f", "female", [ANY])], "female", "f"),
        ([("m", "any", [HIS]), ("f", "any", [HERS])], "female", "f"), ([("f", "any", [HERS]), ("m", "any", [ANY, HIS])], "male", "m"),
        ([("m", "male", [ANY]), ("f", "female", [ANY])], None, None), ([("m", "male", [ANY])], "female", None), ([], "male", None),
        ([("m", "male", [ANY]), ("f", "female", [ANY])], "unknown", None), ([("m", "male", [ANY])], "unknown", None),
        ([("a", "any", [ANY]), ("m", "male", [ANY])], "unknown", "a"), ([("a", "any", [ANY]), ("b", "any", [ANY])], None, "a"),
        ([("m", "male", [ANY]), ("a", "any", [ANY])], "unknown", None), ([("a", "any", [HERS])], "unknown", None),
    ],
)  # fmt: skip
def test_who_chose_no_package_takes_the_first_that_is_for_their_sex(
    offered: Any, sex: str | None, taken: str | None
) -> None:
    assert package_for(offered, sex) == taken
    assert Person(sex).sex == sex


def test_who_has_arrived_or_ended_is_left_alone() -> None:
    assert [left_alone("booked", state) for state in ("prepared", "checked_in", "in_progress", "finalized", None)] == [None, "arrived", "arrived", "arrived", None]  # fmt: skip
    assert {left_alone(state, None) for state in ("done", "no_show", "cancelled")} == {"ended"}
    assert all(zh and en for zh, en in LEFT_ALONE.values())


async def _packages(unit: Unit) -> tuple[UUID, UUID]:
    """A package for men and one for women, of other prices."""
    made = []
    async with unit() as uow:
        for sex, price, groups in (("male", 3_000, [CBC, GLU]), ("female", 5_000, [CBC, GENERAL])):
            body = {
                "code": f"P{uuid7().hex[-10:].upper()}",
                "valid_from": "2026-01-01",
                "name": f"{sex} 套餐",
                "sex": sex,
                "price_fen": price,
                "item_group_ids": groups,
            }
            made.append((await catalog.add_package(uow, ExamPackageIn.model_validate(body))).id)
    return made[0], made[1]


async def _exam(unit: Unit, member: UUID) -> Any:
    async with unit() as uow:
        found = await employers.member(uow, member)
        assert found.exam_id is not None
        exam = await exams.get(uow, found.exam_id)
        lines = {line.code for line in await exams.live_lines(uow, exam.id)}
        return exam.id, exam.package_id, exam.total_fen, lines


async def test_members_take_the_package_of_their_sex_when_booked_and_when_moved(unit: Unit, batch: Batch) -> None:
    his, hers = await _packages(unit)
    made = await plan(unit, CHEAP=CHEAP, DEAR={"name": "按性别", "package_ids": [his, hers]})
    man = (
        await listed(
            unit, made.campaign_id, sex="male", birth_date="1990-03-07", id_kind="none", id_number=None, employee_no="1"
        )
    )[0]
    woman = (
        await listed(
            unit,
            made.campaign_id,
            sex="female",
            birth_date="1990-03-07",
            id_kind="none",
            id_number=None,
            employee_no="2",
        )
    )[0]
    await batch.run(await batch.ask(made.campaign_id, _plan(9)))
    async with unit() as uow:
        told = await service.transfer(uow, made.campaign_id, made.groups["DEAR"], [man, woman])
    assert {(m.member_id, m.after_fen) for m in told.moved} == {(man, 3_000), (woman, 5_000)}
    assert ((await _exam(unit, man))[1], (await _exam(unit, woman))[1]) == (his, hers)
    assert ((await _exam(unit, man))[3], (await _exam(unit, woman))[3]) == ({"CBC", "GLU"}, {"CBC", "GENERAL"})
    async with unit() as uow:  # and booked in the group from the beginning
        again = (
            await listed(
                unit,
                made.campaign_id,
                sex="female",
                birth_date="1991-03-07",
                id_kind="none",
                id_number=None,
                employee_no="3",
            )
        )[0]
        await service.transfer(uow, made.campaign_id, made.groups["DEAR"], [again])
    await batch.run(await batch.ask(made.campaign_id, _plan(9)))
    assert (await _exam(unit, again))[1] == hers


async def test_whom_the_other_group_s_package_or_cap_refuses_is_left_alone_by_name_and_the_others_move(
    unit: Unit, batch: Batch
) -> None:
    his, _ = await _packages(unit)
    made = await plan(
        unit, CHEAP=CHEAP, MEN={"name": "男", "package_ids": [his], "item_group_ids": [GENERAL]},
        CAPPED={"name": "限额", "item_group_ids": [CBC, GLU], "cap_fen": 2_100, "beyond_cap": "refused"},
    )  # fmt: skip
    man = (
        await listed(
            unit, made.campaign_id, sex="male", birth_date="1990-03-07", id_kind="none", id_number=None, employee_no="1"
        )
    )[0]
    other = (
        await listed(
            unit, made.campaign_id, sex="male", birth_date="1990-03-07", id_kind="none", id_number=None, employee_no="2"
        )
    )[0]
    await batch.run(await batch.ask(made.campaign_id, _plan(9, member_ids=[str(man)])))
    before = await _exam(unit, man)
    async with unit() as uow:
        told = await service.transfer(uow, made.campaign_id, made.groups["CAPPED"], [man, other])
    assert (told.moved, {(m.member_id, m.code) for m in told.left_alone}) == (
        [],
        {(man, "cap-exceeded"), (other, "cap-exceeded")},
    )
    assert all(m.zh and m.en for m in told.left_alone)
    assert await _exam(unit, man) == before
    async with unit() as uow:
        kept = await employers.member(uow, man)
        assert kept.group_id == made.groups["CHEAP"]
        told = await service.transfer(uow, made.campaign_id, made.groups["MEN"], [man, other])
    assert {m.member_id for m in told.moved} == {man, other}


async def test_a_line_that_was_refused_by_the_person_keeps_the_exam_in_its_group(unit: Unit, batch: Batch) -> None:
    made = await plan(
        unit,
        WIDE={"name": "甲", "criteria": [{}], "item_group_ids": [CBC, GLU]},
        OTHER={"name": "乙", "item_group_ids": [GENERAL]},
    )
    [member] = await listed(unit, made.campaign_id)
    await batch.run(await batch.ask(made.campaign_id, _plan(9)))
    async with unit() as uow:
        exam = (await employers.member(uow, member)).exam_id
        assert exam is not None
        [line] = [line for line in await exams.lines(uow, exam) if line.code == "GLU"]
        await exams.set_aside(uow, exam, [line.id], "refused", reason="本人拒检", signature="某某")
    async with unit() as uow:
        told = await service.transfer(uow, made.campaign_id, made.groups["OTHER"], [member])
    assert [(m.member_id, m.code) for m in told.left_alone] == [(member, "line_stuck")]


async def _changed(unit: Unit, campaign: UUID, **group: Any) -> None:
    async with unit() as uow:
        await employers.put_group(uow, campaign, "CHEAP", GroupIn.model_validate(CHEAP | group))


async def _outcomes(unit: Unit, campaign: UUID, job: UUID) -> dict[UUID, tuple[str, str | None, int, int]]:
    async with unit() as uow:
        rows = await service.repricings(uow, campaign, job, outcome=None, after=None, size=100)
    return {row.member_id: (row.outcome, row.code, row.before_fen, row.after_fen) for row in rows}


async def test_a_changed_plan_reaches_prepared_exams_by_one_command_that_names_whom_it_left_alone(
    unit: Unit, batch: Batch, admin: asyncpg.Connection
) -> None:
    made = await plan(unit, CHEAP=CHEAP)
    waiting, booked, arrived, ended = await listed(unit, made.campaign_id, 4)
    await batch.run(await batch.ask(made.campaign_id, _plan(9, member_ids=[str(m) for m in (booked, arrived, ended)])))
    async with unit() as uow:
        came = await employers.member(uow, arrived)
        assert came.exam_id is not None
        await exams.check_in(uow, came.exam_id)
        await service.decide(uow, made.campaign_id, [DecisionIn(member_id=ended, decision="cancelled")])
    before = await _exam(unit, arrived)
    job, counts = await batch.reprice(made.campaign_id)
    assert counts == {"repriced": 0, "same": 1, "left_alone": 1}
    await _changed(unit, made.campaign_id, item_group_ids=[CBC, GLU], cap_fen=2_100)
    job, counts = await batch.reprice(made.campaign_id, made.groups["CHEAP"])
    assert counts == {"repriced": 1, "same": 0, "left_alone": 1}
    assert await _outcomes(unit, made.campaign_id, job) == {
        booked: ("repriced", None, 2_000, 2_600),
        arrived: ("left_alone", "arrived", 2_000, 2_000),
    }
    assert await _exam(unit, arrived) == before
    shares = await admin.fetchrow(
        "select sum(employer_share_fen) as unit, sum(person_share_fen) as person from exam_line l join exam e on e.id = l.exam_id where e.member_id = $1", booked
    )  # fmt: skip
    assert (shares["unit"], shares["person"]) == (2_100, 500)
    job, counts = await batch.reprice(made.campaign_id)  # twice is once
    assert counts == {"repriced": 0, "same": 1, "left_alone": 1}
    assert waiting not in await _outcomes(unit, made.campaign_id, job)


async def test_who_cannot_be_priced_so_keeps_the_price_and_is_named_with_the_reason(unit: Unit, batch: Batch) -> None:
    made = await plan(unit, CHEAP=CHEAP)
    plain, dear = await listed(unit, made.campaign_id, 2)
    async with unit() as uow:
        await employers.amend_member(uow, dear, MemberPatch(self_paid_ids=[GLU]), 1)
    await batch.run(await batch.ask(made.campaign_id, _plan(9)))
    await _changed(unit, made.campaign_id, cap_fen=2_000, beyond_cap="refused", add_ons="within_cap")
    job, counts = await batch.reprice(made.campaign_id)
    assert counts == {"repriced": 0, "same": 1, "left_alone": 1}
    found = await _outcomes(unit, made.campaign_id, job)
    assert (found[plain][0], found[dear][:2]) == ("same", ("left_alone", "cap-exceeded"))


async def test_a_repricing_killed_in_the_middle_answers_for_everybody_when_it_goes_on(unit: Unit, batch: Batch) -> None:
    made = await plan(unit, CHEAP=CHEAP)
    members = await listed(unit, made.campaign_id, 4)
    await batch.run(await batch.ask(made.campaign_id, _plan(9)))
    await _changed(unit, made.campaign_id, item_group_ids=[CBC, GLU])
    job, killed = await batch.reprice(made.campaign_id, stop_after=2)
    assert killed is None
    assert len(await _outcomes(unit, made.campaign_id, job)) == 2
    job, counts = await batch.reprice(made.campaign_id, job_id=job)
    assert counts == {"repriced": 2, "same": 0, "left_alone": 0}
    assert await _outcomes(unit, made.campaign_id, job) == dict.fromkeys(members, ("repriced", None, 2000, 2600))


async def test_a_completed_campaign_is_not_priced_anew(unit: Unit, batch: Batch) -> None:
    made = await plan(unit, CHEAP=CHEAP)
    async with unit() as uow:
        await service.complete(uow, made.campaign_id)
    with pytest.raises(CampaignStateConflict):
        await batch.reprice(made.campaign_id)


@pytest.mark.requirement("E2.5")
async def test_a_choice_that_cannot_be_ordered_is_refused_before_it_is_kept(unit: Unit) -> None:
    made = await plan(
        unit, CHEAP=CHEAP | {"choices": [{"name": "任选", "choose": 1, "item_group_ids": [GLU, GENERAL]}]}
    )
    [member] = await listed(unit, made.campaign_id)
    for wrong, pointer in (({"choice_ids": [GLU, GENERAL]}, "/choice_ids"), ({"choice_ids": [CBC, uuid7()]}, "/choice_ids"), ({"package_id": uuid7()}, "/package_id")):  # fmt: skip
        with pytest.raises(ChoiceInvalid) as told:
            async with unit() as uow:
                await service.amend_member(uow, member, MemberPatch.model_validate(wrong), 1)
        assert [e.pointer for e in told.value.errors] == [pointer]
    async with unit() as uow:
        kept = await employers.member(uow, member)
        assert (kept.choice_ids, kept.package_id, kept.version) == ([], None, 1)
        assert (await service.amend_member(uow, member, MemberPatch(choice_ids=[GLU]), 1)).choice_ids == [GLU]


@pytest.mark.requirement("E2.4")
@pytest.mark.parametrize("together", [True, False])
async def test_whose_sex_is_not_known_is_given_no_package_that_is_by_sex(
    unit: Unit, batch: Batch, together: bool
) -> None:
    his, hers = await _packages(unit)
    made = await plan(unit, SEXED={"name": "按性别", "criteria": [{}], "package_ids": [his, hers]})
    [member] = await listed(
        unit, made.campaign_id, sex="unknown", birth_date="1990-03-07", id_kind="passport", id_number="E12345678", employee_no="1"
    )  # fmt: skip
    if together:
        counts = await batch.run(await batch.ask(made.campaign_id, _plan(9)))
        assert counts == {"booked": 0, "full": 0, "refused": 1, "skipped": 0}
        async with unit() as uow:
            left = await employers.member(uow, member)
        assert left.refusal is not None
        assert (left.refusal["code"], "性别" in left.refusal["zh"]) == ("sex-not-known", True)
    else:
        with pytest.raises(SexNotKnown) as told:
            async with unit() as uow:
                await service.book_member(uow, member, _plan(9).days)
        assert [e.pointer for e in told.value.errors] == ["/sex"]


async def test_a_woman_hears_that_the_men_s_group_has_no_package_for_her(unit: Unit, batch: Batch) -> None:
    his, _ = await _packages(unit)
    made = await plan(unit, CHEAP=CHEAP, MEN={"name": "男", "criteria": [{"sex": "male", "age_from": 130}], "package_ids": [his]})  # fmt: skip
    [woman] = await listed(unit, made.campaign_id, sex="female", birth_date="1990-03-07", id_kind="none", id_number=None, employee_no="1")  # fmt: skip
    for _ in range(2):  # listed, then booked
        async with unit() as uow:
            [told] = (await service.transfer(uow, made.campaign_id, made.groups["MEN"], [woman])).left_alone
        assert (told.code, told.zh, told.en) == (
            "package-for-other-sex", "分组没有适合女性的套餐", "in the group there is no package for a woman",
        )  # fmt: skip
        await batch.run(await batch.ask(made.campaign_id, _plan(9)))
