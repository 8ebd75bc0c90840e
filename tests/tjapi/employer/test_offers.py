"""What a group offers is judged when it is saved: what nobody could ever be examined for is refused, with the field named."""

from dataclasses import replace
from datetime import date
from itertools import combinations
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tjapi.employer.scene import CBC, GLU, Unit, listed, plan
from tjapi.catalog import service as catalog
from tjapi.catalog.errors import ExamPackageContradiction, ItemGroupContradiction
from tjapi.catalog.rules import starter_id
from tjapi.catalog.schemas import ExamPackageIn, ExclusionsIn
from tjapi.employer import service as employers
from tjapi.employer.errors import CampaignGroupInvalid
from tjapi.employer.rules.campaigns import Criterion
from tjapi.employer.rules.offers import Offered, OfferedChoice, OfferedPackage, offer_faults
from tjapi.employer.schemas import GroupIn, MemberPatch
from tjapi.groupdesk import service as groupdesk
from tjapi.pricing.errors import ChoiceInvalid

TCD, ECG, VITD = (starter_id("item_group", code) for code in ("TCD", "ECG", "VITD"))
CBC5 = starter_id("item_group", "CBC5")
pytestmark = pytest.mark.requirement("E2.2")
PERIOD = date(2027, 3, 1), date(2027, 3, 31)


def _one(name: str, **said: Any) -> Offered:
    return Offered(uuid4(), name, **said)


BLOOD, URINE, PELVIC, PROSTATE = _one("血常规"), _one("尿常规"), _one("妇科", sex="female"), _one("前列腺", sex="male")
CT, MRI, OLD, GONE = _one("CT"), _one("磁共振"), _one("老年项目", age_from=60), _one("停用项目", active=False)
WBC, HGB, ESR, CRP = (uuid4() for _ in range(4))
HALF, WHOLE = _one("血常规三", items=frozenset({WBC})), _one("血常规五", items=frozenset({WBC, HGB}))
LEFT, RIGHT = _one("炎症甲", items=frozenset({ESR, WBC})), _one("炎症乙", items=frozenset({ESR, CRP}))
X_CT_MRI = {frozenset((CT.id, MRI.id)): "同日不宜"}


def _package(*groups: Offered, **said: Any) -> OfferedPackage:
    return OfferedPackage(uuid4(), "套餐", groups=groups, **said)


CASES: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "what holds together": ({"packages": [_package(BLOOD, URINE)], "further": [CT]}, []),
    "a woman's package for men": (
        {"criteria": [Criterion("male")], "packages": [_package(BLOOD), _package(BLOOD, sex="female")]}, [("/package_ids/1", "fits-nobody")],
    ),
    "a woman's item in the men's package": ({"criteria": [Criterion("male")], "packages": [_package(PELVIC)]}, [("/package_ids/0", "fits-nobody")]),
    "a package for both, that no one person fits": ({"packages": [_package(PELVIC, PROSTATE)]}, [("/package_ids/0", "fits-nobody")]),
    "a woman's package for everybody": ({"packages": [_package(BLOOD, sex="female"), _package(BLOOD, sex="male")]}, []),
    "one row of the rule admits women": ({"criteria": [Criterion("male"), Criterion("female", age_from=40)], "further": [PELVIC]}, []),
    "an item for men alone": ({"criteria": [Criterion("female")], "further": [BLOOD, PROSTATE]}, [("/item_group_ids/1", "fits-nobody")]),
    "an item for the old in a group of the young": ({"criteria": [Criterion(age_to=40)], "further": [OLD]}, [("/item_group_ids/0", "fits-nobody")]),
    "a package out of use": ({"packages": [_package(BLOOD, active=False)]}, [("/package_ids/0", "not-offered")]),
    "an empty package": ({"packages": [_package()]}, [("/package_ids/0", "not-offered")]),
    "a package with something out of use": ({"packages": [_package(BLOOD, GONE)]}, [("/package_ids/0", "not-offered")]),
    "a package of last year": ({"packages": [_package(BLOOD, valid_to=date(2026, 12, 31))]}, [("/package_ids/0", "not-valid")]),
    "a package of next year": ({"packages": [_package(BLOOD, valid_from=date(2027, 4, 1))]}, [("/package_ids/0", "not-valid")]),
    "a package that ends in the middle": ({"packages": [_package(BLOOD, valid_to=date(2027, 3, 15))]}, []),
    "an item out of use": ({"further": [GONE]}, [("/item_group_ids/0", "not-offered")]),
    "exclusive ones in a package": ({"packages": [_package(CT, MRI)]}, [("/package_ids/0", "excluded")]),
    "an exclusive one beside a package": ({"packages": [_package(CT)], "further": [BLOOD, MRI]}, [("/item_group_ids/1", "excluded")]),
    "exclusive ones beside": ({"further": [CT, MRI]}, [("/item_group_ids/1", "excluded")]),
    "exclusive packages, of which one takes one": ({"packages": [_package(CT), _package(MRI)]}, []),
    "a choice of exclusive ones, one of them": ({"choices": [OfferedChoice("影像", 1, (CT, MRI))]}, []),
    "a choice of exclusive ones, both": ({"choices": [OfferedChoice("影像", 2, (CT, MRI))]}, [("/choices/0/choose", "unsatisfiable")]),
    "a choice that the package excludes": (
        {"packages": [_package(CT)], "choices": [OfferedChoice("任选", 1, (MRI, BLOOD))]}, [("/choices/0/item_group_ids/0", "excluded")],
    ),
    "a choice that every package excludes": (
        {"packages": [_package(CT)], "choices": [OfferedChoice("任选", 1, (MRI,))]},
        [("/choices/0/item_group_ids/0", "excluded"), ("/choices/0/choose", "unsatisfiable")],
    ),
    "a choice that one of the packages allows": ({"packages": [_package(CT), _package(BLOOD)], "choices": [OfferedChoice("任选", 1, (MRI,))]}, []),
    "a choice for nobody": (
        {"criteria": [Criterion("male")], "choices": [OfferedChoice("任选", 1, (PELVIC, BLOOD))]}, [("/choices/0/item_group_ids/0", "fits-nobody")],
    ),
    "nothing at all": ({}, [("", "empty")]),
    "the same twice": ({"further": [BLOOD, BLOOD]}, [("/item_group_ids/1", "twice")]),
    "the same twice in a choice": ({"choices": [OfferedChoice("任选", 1, (BLOOD, URINE, BLOOD))]}, [("/choices/0/item_group_ids/2", "twice")]),
    "a man's package alone for both": ({"criteria": [Criterion()], "packages": [_package(BLOOD, sex="male")]}, [("/package_ids", "no-package-for-sex")]),
    "a man's package alone for whom a person puts there": ({"packages": [_package(BLOOD, sex="male")]}, []),
    "a package of men's items for both": ({"criteria": [Criterion()], "packages": [_package(PROSTATE), _package(PROSTATE, BLOOD)]}, [("/package_ids", "no-package-for-sex")]),
    "two of which one is part of the other": ({"choices": [OfferedChoice("任选", 2, (HALF, WHOLE))]}, [("/choices/0/choose", "unsatisfiable")]),
    "one of two of which one is part of the other": ({"choices": [OfferedChoice("任选", 1, (HALF, WHOLE))]}, []),
    "two choices that exclude each other": (
        {"choices": [OfferedChoice("甲", 1, (CT,)), OfferedChoice("乙", 1, (MRI,))]}, [("/choices", "unsatisfiable")],
    ),
    "two choices of the same": ({"choices": [OfferedChoice("甲", 1, (CT,)), OfferedChoice("乙", 1, (CT,))]}, [("/choices", "unsatisfiable")]),
    "two choices of which one may be another": ({"choices": [OfferedChoice("甲", 1, (CT,)), OfferedChoice("乙", 1, (CT, MRI, URINE))]}, []),
    "fixed ones that share items": ({"further": [LEFT, RIGHT]}, [("/item_group_ids/1", "overlaps")]),
    "a fixed one that shares items with the package": ({"packages": [_package(LEFT)], "further": [RIGHT]}, [("/item_group_ids/0", "overlaps")]),
    "a fixed one that holds another": ({"further": [HALF, WHOLE]}, []),
    "a package's own that share items": ({"packages": [_package(LEFT, RIGHT)]}, []),
    "a choice of what is there already": (
        {"further": [WHOLE], "choices": [OfferedChoice("任选", 1, (HALF, CT))]}, [("/choices/0/item_group_ids/0", "contained")],
    ),
    "a choice that shares items with what is there": (
        {"further": [LEFT], "choices": [OfferedChoice("任选", 1, (RIGHT, CT))]}, [("/choices/0/item_group_ids/0", "overlaps")],
    ),
    "a discount on a package that is not there": (
        {"packages": [_package(BLOOD)], "discounted": [None, uuid4()]}, [("/discounts/1/target_id", "not-in-group")],
    ),
    "a choice out of use": ({"choices": [OfferedChoice("任选", 1, (BLOOD, GONE))]}, [("/choices/0/item_group_ids/1", "not-offered")]),
}  # fmt: skip


@pytest.mark.parametrize("kind", CASES)
def test_what_can_never_be_is_named_by_its_field(kind: str) -> None:
    said, expected = CASES[kind]
    given_: dict[str, Any] = {"criteria": [], "packages": [], "further": [], "choices": []} | said
    found = offer_faults(**given_, exclusions=X_CT_MRI, period=PERIOD)
    assert [(fault.pointer, fault.code) for fault in found] == expected
    assert all(fault.zh and fault.en for fault in found)


@given(st.integers(1, 7), st.sets(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=8), st.integers(1, 7))
def test_so_many_can_be_chosen_as_some_combination_allows(count: int, pairs: set[tuple[int, int]], choose: int) -> None:
    groups = [Offered(UUID(int=i + 1), str(i)) for i in range(count)]
    exclusions = {frozenset((UUID(int=a + 1), UUID(int=b + 1))): "" for a, b in pairs if a != b}
    most = max(
        size
        for size in range(count + 1)
        if any(
            all(frozenset((a.id, b.id)) not in exclusions for a, b in combinations(some, 2))
            for some in combinations(groups, size)
        )
    )
    found = offer_faults([], [], [], [OfferedChoice("任选", choose, tuple(groups))], exclusions, PERIOD)
    assert bool(found) == (most < choose <= count)


def test_nothing_of_an_offer_depends_on_the_order_of_the_rule() -> None:
    rows = [Criterion("male"), Criterion("female", age_from=50)]
    for criteria in (rows, rows[::-1]):
        assert not offer_faults(
            criteria, [_package(PELVIC), _package(BLOOD)], [replace(OLD, sex="male")], [], {}, PERIOD
        )


async def test_a_group_that_excludes_itself_is_refused_when_it_is_saved_and_nothing_of_it_is_kept(unit: Unit) -> None:
    made = await plan(unit)

    async def put() -> None:
        async with unit() as uow:  # nothing of it is kept: the catalogue is every test's
            exclusive = {"exclusions": [{"item_group_id": str(VITD), "reason": "同日不宜"}]}
            await catalog.put_exclusions(uow, TCD, ExclusionsIn.model_validate(exclusive))
            await employers.put_group(uow, made.campaign_id, "X", GroupIn(name="互斥", item_group_ids=[TCD, VITD]))

    with pytest.raises(CampaignGroupInvalid) as told:
        await put()
    assert [(e.pointer, e.code) for e in told.value.errors] == [("/item_group_ids/1", "excluded")]
    async with unit() as uow:
        assert [group.code for group in await employers.groups(uow, made.campaign_id)] == ["ALL"]


async def test_an_exclusion_of_what_a_package_holds_together_is_refused_by_the_package(unit: Unit) -> None:
    new = {"exclusions": [{"item_group_id": str(GLU), "reason": "同日不宜"}]}
    with pytest.raises(ItemGroupContradiction) as told:
        async with unit() as uow:
            await catalog.put_exclusions(uow, CBC, ExclusionsIn.model_validate(new))
    assert {(e.pointer, e.code) for e in told.value.errors} == {("/exclusions/0/item_group_id", "in-package")}


@pytest.mark.parametrize(
    ("fixed", "option", "code"), [([CBC, GLU], [CBC5, ECG], "contains"), ([CBC5, GLU], [CBC, ECG], "contained"), ([TCD, GLU], [VITD, ECG], "excluded")]
)  # fmt: skip
async def test_a_package_s_option_that_its_fixed_ones_exclude_or_examine_is_refused(
    unit: Unit, fixed: list[UUID], option: list[UUID], code: str
) -> None:
    async def put() -> None:
        async with unit() as uow:  # nothing of it is kept
            exclusive = {"exclusions": [{"item_group_id": str(VITD), "reason": "同日不宜"}]}
            await catalog.put_exclusions(uow, TCD, ExclusionsIn.model_validate(exclusive))
            body = {
                "code": f"P{uuid4().hex[:10].upper()}", "valid_from": "2026-01-01", "name": "套餐", "sex": "any", "price_fen": 100,
                "item_group_ids": fixed, "options": [{"name": "任选", "choose": 1, "item_group_ids": option}],
            }  # fmt: skip
            await catalog.add_package(uow, ExamPackageIn.model_validate(body))

    with pytest.raises(ExamPackageContradiction) as told:
        await put()
    assert [(e.pointer, e.code) for e in told.value.errors] == [("/options/0/item_group_ids/0", code)]


@pytest.mark.requirement("E2.5")
@pytest.mark.parametrize(("chosen", "code"), [([VITD, VITD], "twice"), ([CBC5, CBC], "contained")])
async def test_what_is_chosen_twice_is_not_two_choices(unit: Unit, chosen: list[UUID], code: str) -> None:
    choice = {"name": "任选", "choose": 2, "item_group_ids": [VITD, CBC5, CBC]}
    made = await plan(unit, ALL={"name": "全员", "criteria": [{}], "item_group_ids": [GLU], "choices": [choice]})
    [member] = await listed(unit, made.campaign_id)
    with pytest.raises(ChoiceInvalid) as told:
        async with unit() as uow:
            await groupdesk.amend_member(uow, member, MemberPatch(choice_ids=chosen), 1)
    assert [(e.pointer, e.code) for e in told.value.errors] == [("/choice_ids/1", code)]
