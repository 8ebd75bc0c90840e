"""What a member costs: the plan's discount, the cap, and who pays what of each line, to the fen."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.tjapi.employer.scene import BASIC_M, CBC, GENERAL, GLU, Unit, listed, plan
from tjapi.catalog.rules import starter_id
from tjapi.employer import service as employers
from tjapi.employer.errors import MemberNotPlaced
from tjapi.employer.schemas import MemberPatch
from tjapi.pricing import service
from tjapi.pricing.errors import CapExceeded, ChoiceInvalid
from tjapi.pricing.rules import allocate, employer_shares, reduced

ECG = starter_id("item_group", "ECG")
MAN: dict[str, Any] = {"id_kind": "none", "id_number": None, "sex": "male", "employee_no": "1"}
prices = st.lists(st.integers(0, 500_000), min_size=1, max_size=30)


@pytest.mark.requirement("E7.2")
@given(
    prices,
    st.none() | st.integers(0, 10_000),
    st.integers(0, 5_000_000),
    st.integers(0, 100_000),
    st.none() | st.integers(0, 3_000_000),
)
@example(listed=[1] * 10, rate=5_000, amount=0, floor=0, cap=5)
def test_lines_sum_to_the_total_and_each_line_to_its_two_shares(
    listed: list[int], rate: int | None, amount: int, floor: int, cap: int | None
) -> None:
    total = reduced(sum(listed), rate_bp=rate, amount_fen=None if rate is not None else amount, floor_fen=floor)
    lines = allocate(total, listed)
    shares = employer_shares(lines, cap)
    assert sum(lines) == total
    assert min(floor, sum(listed)) <= total <= sum(listed)
    assert all(0 <= share <= price for share, price in zip(shares, lines, strict=True))
    assert sum(shares) == (total if cap is None else min(cap, total))
    # Of the lines in their order, the employer pays all up to one, which may be shared, and nothing after it.
    shared = [i for i, (s, p) in enumerate(zip(shares, lines, strict=True)) if s < p]
    assert all(shares[i] == 0 for i in shared[1:])


def test_a_rate_is_rounded_half_up_once() -> None:
    assert reduced(1001, rate_bp=8_500, amount_fen=None, floor_fen=0) == 851  # 850.85
    assert reduced(10, rate_bp=8_500, amount_fen=None, floor_fen=0) == 9  # 8.5
    assert reduced(1000, rate_bp=None, amount_fen=300, floor_fen=800) == 800


async def _quote(unit: Unit, group: dict[str, Any], **chosen: Any) -> service.Quote:
    made = await plan(unit, G={"name": "组", "criteria": [{"sex": "male"}], **group})
    [member] = await listed(unit, made.campaign_id, **MAN)
    async with unit() as uow:
        found = (
            await employers.amend_member(uow, member, MemberPatch.model_validate(chosen), 1)
            if chosen
            else await employers.member(uow, member)
        )
        quote = await service.quote_member(uow, found)
    for line in quote.lines:
        assert sum(reason["amount_fen"] for reason in line.reasons) == line.price_fen
        assert line.person_share_fen + line.employer_share_fen == line.price_fen
    return quote


def _codes(line: service.QuotedLine) -> list[str]:
    return [reason["code"] for reason in line.reasons]


@pytest.mark.requirement("E7.2", "E2.2")
async def test_a_package_at_a_rate_keeps_its_total_and_the_employer_pays_it(unit: Unit) -> None:
    quote = await _quote(
        unit, {"package_ids": [BASIC_M], "discounts": [{"target": "package", "target_id": BASIC_M, "rate_bp": 8_500}]}
    )
    assert quote.total_fen == 12_580  # 148.00 at 85 %
    assert sum(line.employer_share_fen for line in quote.lines) == quote.total_fen
    assert _codes(quote.lines[0]) == ["list_price", "package_share", "discount", "employer_pays"]


@pytest.mark.requirement("E7.2", "E2.2")
async def test_the_row_of_an_item_group_goes_before_that_of_everything(unit: Unit) -> None:
    everything, one = (
        {"target": "everything", "rate_bp": 5_000},
        {"target": "item_group", "target_id": CBC, "amount_fen": 100, "floor_fen": 1_950},
    )
    quote = await _quote(unit, {"item_group_ids": [CBC, GLU], "discounts": [everything, one]})
    assert [(line.item_group.code, line.price_fen) for line in quote.lines] == [("CBC", 1_950), ("GLU", 300)]


@pytest.mark.requirement("E2.2", "E2.5")
async def test_what_exceeds_the_cap_is_the_persons_and_says_so(unit: Unit) -> None:
    quote = await _quote(unit, {"item_group_ids": [CBC, GLU], "cap_fen": 2_100})
    assert [(line.employer_share_fen, line.person_share_fen) for line in quote.lines] == [(2_000, 0), (100, 500)]
    assert quote.lines[1].reasons[-1]["zh"] == "单位承担上限 21.00 元,本项超出 5.00 元自费"
    with pytest.raises(CapExceeded):
        await _quote(unit, {"item_group_ids": [CBC, GLU], "cap_fen": 2_100, "beyond_cap": "refused"})


@pytest.mark.requirement("E2.5")
async def test_add_ons_are_the_members_own_unless_the_group_lets_them_draw_on_the_cap(unit: Unit) -> None:
    own = await _quote(unit, {"item_group_ids": [CBC], "cap_fen": 9_000}, self_paid_ids=[GLU])
    assert [(line.employer_share_fen, line.person_share_fen) for line in own.lines] == [(2_000, 0), (0, 600)]
    assert _codes(own.lines[1]) == ["list_price", "self_paid"]
    within = await _quote(
        unit, {"item_group_ids": [CBC], "cap_fen": 2_400, "add_ons": "within_cap"}, self_paid_ids=[GLU]
    )
    assert [(line.employer_share_fen, line.person_share_fen) for line in within.lines] == [(2_000, 0), (400, 200)]


@pytest.mark.requirement("E2.2")
async def test_a_member_chooses_what_the_group_offers_and_no_more(unit: Unit) -> None:
    choices = [{"name": "任选", "choose": 1, "item_group_ids": [GLU, GENERAL]}]
    group = {"item_group_ids": [CBC], "choices": choices}
    quote = await _quote(unit, group, choice_ids=[GLU])
    assert [line.item_group.code for line in quote.lines] == ["CBC", "GLU"]
    for wrong in ([GLU, GENERAL], [ECG]):
        with pytest.raises(ChoiceInvalid):
            await _quote(unit, group, choice_ids=wrong)
    with pytest.raises(ChoiceInvalid):
        await _quote(unit, group, package_id=BASIC_M)


@pytest.mark.requirement("E2.2")
async def test_what_the_package_has_is_not_ordered_twice(unit: Unit) -> None:
    quote = await _quote(unit, {"package_ids": [BASIC_M], "item_group_ids": [CBC]})
    assert [line.item_group.code for line in quote.lines].count("CBC") == 1
    assert quote.package is not None


async def test_who_belongs_to_no_group_has_no_price(unit: Unit) -> None:
    made = await plan(unit, W={"name": "女", "criteria": [{"sex": "female"}], "item_group_ids": [CBC]})
    [member] = await listed(unit, made.campaign_id, **MAN)
    async with unit() as uow:
        with pytest.raises(MemberNotPlaced):
            await service.quote_member(uow, await employers.member(uow, member))
