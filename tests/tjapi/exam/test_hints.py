"""What results hint at of their person holds what may not be done meanwhile, until a person has spoken of it."""

from decimal import Decimal
from typing import Any

import pytest

from tests.tjapi.exam.test_suiting import _command, _correct, _enter, _reasons, _woman, world
from tests.tjapi.world import API, Visit, World, key
from tjapi.exam import service as exams
from tjapi.knowledge.rules import Known
from tjapi.result.rules.hints import hints_of

__all__ = ["world"]
pytestmark = pytest.mark.requirement("E1.3", "X15")


async def _consented(world: World, visit: Visit, *codes: str) -> None:
    async with world.runtime.units.open(await world.staff("front")) as uow:
        held = await exams.get(uow, visit.exam_id)
        await exams.consent(uow, visit.exam_id, [visit.lines[code] for code in codes], signature=held.name)


async def _asked(world: World, visit: Visit) -> bool:
    front = await world.sign_in("front")
    found = (await front.get(f"{visit.place}/completeness")).json()["outstanding"]
    return any(one["code"] == "pregnant_asked" for one in found)


async def _tested(world: World, visit: Visit, **values: str) -> None:
    async with world.runtime.units.open(await world.staff("front")) as uow:
        tubes = await exams.lines(uow, visit.exam_id)
        assert {line.code for line in tubes} >= set(values)
    await world.file(visit, groups=tuple(values), ends="filed revision unmatched", **values)


@pytest.mark.parametrize(
    ("said", "asked"), [({"UHCG": "阳性"}, True), ({"UHCG": "弱阳性"}, True), ({"BHCG": "25000"}, True), ({"UHCG": "阴性"}, False), ({"BHCG": "2.1"}, False)]
)  # fmt: skip
async def test_a_positive_test_holds_what_is_not_for_who_is_pregnant_until_a_person_has_asked_her(
    world: World, said: dict[str, str], asked: bool
) -> None:
    visit = await _woman(world, "CXR", "CT-HEAD", "MMG", "GENERAL", *said)
    await _consented(world, visit, *said)
    await _tested(world, visit, **said)
    held = {f"line:{visit.lines[code]}" for code in ("CXR", "CT-HEAD", "MMG")} if asked else set()
    assert set(await _reasons(world, visit)) == held
    assert await _asked(world, visit) is asked
    answer = await _enter(world, visit, "CXR", "未见异常")
    assert answer.status_code == (409 if asked else 200), answer.text
    if not asked:
        return
    assert answer.json()["code"] == "line-unsuitable"
    front = await world.sign_in("front")
    assert (await front.get(visit.place)).json()["pregnant"] is None
    await _correct(world, visit, pregnant=True)
    assert (await front.get(visit.place)).json()["pregnant"] is True
    assert set(await _reasons(world, visit)) == held
    assert await _asked(world, visit) is False
    await _correct(world, visit, pregnant=False)
    assert await _reasons(world, visit) == {}
    assert (await _enter(world, visit, "CXR", "未见异常")).status_code == 200


async def test_who_was_said_not_to_be_pregnant_is_asked_all_the_same_and_once(world: World) -> None:
    visit = await _woman(world, "CXR", "UHCG")
    await _correct(world, visit, pregnant=False)
    await _consented(world, visit, "UHCG")
    await _tested(world, visit, UHCG="阳性")
    assert await _asked(world, visit)
    assert await _reasons(world, visit) != {}
    await _correct(world, visit, pregnant=False)
    assert await _reasons(world, visit) == {}
    assert not await _asked(world, visit)
    await _tested(world, visit, UHCG="阳性")
    assert not await _asked(world, visit)


async def test_a_test_that_is_corrected_holds_nothing_any_more(world: World) -> None:
    visit = await _woman(world, "CXR", "UHCG")
    await _consented(world, visit, "UHCG")
    await _tested(world, visit, UHCG="阳性")
    assert await _asked(world, visit)
    await world.file(visit, status="C", groups=("UHCG",), ends="revision unmatched", UHCG="阴性")
    assert await _reasons(world, visit) == {}
    assert not await _asked(world, visit)


@pytest.mark.parametrize(
    ("words", "asked"), [("宫内早孕约7周,可见胎心", True), ("先兆流产", True), ("子宫大小正常,内膜8mm,未见孕囊", False)]
)
async def test_words_of_a_pregnancy_hold_it_as_well(world: World, words: str, asked: bool) -> None:
    visit = await _woman(world, "CT-CHEST", "US-GYN")
    assert (await _enter(world, visit, "US-GYN", words)).status_code == 200
    assert await _asked(world, visit) is asked
    assert bool(await _reasons(world, visit)) is asked


@pytest.mark.parametrize(("said", "held"), [("无", True), ("有", False)])
async def test_who_had_no_intercourse_is_examined_through_the_vagina_of_nobody_unasked(
    world: World, said: str, held: bool
) -> None:
    visit = await _woman(world, "GYN-HIST", "GYN", "TCT", "LEUKORRHEA", "US-GYN")
    doctor = await world.sign_in("doctor")
    place = f"{visit.place}/departments/{visit.departments['GYN-HIST']}"
    sheet = (await doctor.get(f"{place}/sheet")).json()
    item = next(one for one in sheet["items"] if one["item_code"] == "SEXUAL-HIST")
    body = {"results": [{"item_id": item["item_id"], "value": said}]}
    answer = await doctor.put(f"{place}/results", json=body, headers={"If-Match": f'"{sheet["version"]}"'})
    assert answer.status_code == 200, answer.text
    lines = {f"line:{visit.lines[code]}" for code in ("GYN", "TCT", "LEUKORRHEA")} if held else set()
    assert set(await _reasons(world, visit)) == lines
    if held:
        assert (await _enter(world, visit, "GYN", "未见异常")).json()["code"] == "line-unsuitable"
        assert (await _command(world, visit, "keep", "GYN")).status_code == 200
        assert f"line:{visit.lines['GYN']}" not in await _reasons(world, visit)
        ids = await world.groups()
        front = await world.sign_in("front")
        more = await front.post(
            f"{visit.place}/lines", json={"item_group_ids": [str(ids["HPV"])], "reason": "加做"}, headers=key()
        )
        assert (more.status_code, more.json()["errors"][0]["code"]) == (422, "no-intercourse"), more.text


async def test_a_girl_is_registered_for_no_examination_through_the_vagina(world: World) -> None:
    person, _ = await world.person(sex="female", years=12)
    ids = await world.groups()
    front = await world.sign_in("front")
    body = {"campus_id": 1, "examinee_id": str(person), "item_group_ids": [str(ids["GYN"])]}
    answer = await front.post(f"{API}/exams", json=body, headers=key())
    assert (answer.status_code, answer.json()["code"]) == (422, "item-group-unsuitable"), answer.text
    assert answer.json()["errors"][0]["code"] == "no-intercourse"


def _known(code: str, text: str, **more: Any) -> Known:
    return Known(code, code, text, **more)


@pytest.mark.parametrize(
    ("sex", "known", "found"),
    [
        ("female", _known("UHCG", "阳性"), ["pregnant:UHCG"]), ("male", _known("UHCG", "阳性"), []), ("unknown", _known("UHCG", "弱阳性"), ["pregnant:UHCG"]),
        ("female", _known("BHCG", "25", numeric=Decimal(25), unit="mIU/mL"), ["pregnant:BHCG"]), ("female", _known("BHCG", "24.9", numeric=Decimal("24.9"), unit="mIU/mL"), []),
        ("female", _known("CT", "宫内见孕囊,大小20mm"), ["pregnant:CT"]), ("female", _known("CT", "早孕不除外"), ["pregnant:CT"]),
        ("female", _known("CT", "右附件包块,异位妊娠待排"), ["pregnant:CT"]), ("female", _known("CT", "妊娠12周"), ["pregnant:CT"]),
        ("female", _known("CT", "未见孕囊及胎心"), []), ("female", _known("CT", "既往早孕流产史"), []), ("female", _known("CT", "孕2产1"), []),
        ("female", _known("CT", "见妊娠纹"), []), ("female", _known("CT", "否认妊娠"), []), ("female", _known("CT", "末次妊娠2019年"), []),
        ("female", _known("SEXUAL-HIST", "无"), ["no_intercourse:SEXUAL-HIST"]), ("female", _known("SEXUAL-HIST", "有"), []),
    ],
)  # fmt: skip
def test_what_values_hint_at(sex: str, known: Known, found: list[str]) -> None:
    assert hints_of(sex, [known]) == found


@pytest.mark.requirement("X7")
async def test_consent_is_signed_by_the_person_or_by_a_guardian_who_is_named_with_the_relation(world: World) -> None:
    person, _ = await world.person(sex="female", years=16)
    visit = await world.checked_in("GLU", "HIV", examinee_id=person)
    front = await world.sign_in("front")

    async def sign(name: str) -> Any:
        body = {"line_ids": [str(visit.lines["HIV"])], "signature": name}
        return await front.post(f"{visit.place}/lines:consent", json=body)

    refused = await sign("别人")
    assert (refused.status_code, refused.json()["code"]) == (422, "signature-not-theirs"), refused.text
    assert refused.json()["errors"][0]["pointer"] == "/signature"
    guardian = {"name": "张建国", "relation": "father", "phone": "13800001234", "id_kind": "none"}
    added = await front.post(f"{API}/examinees/{person}/guardians", json=guardian, headers=key())
    assert added.status_code in (200, 201), added.text
    assert (await sign("张建国")).status_code == 200
    steps = (await front.get(f"{visit.place}/line-steps")).json()["items"]
    assert [one["signature"] for one in steps if one["action"] == "consented"] == ["张建国(监护人·父亲)"]
    other = await world.checked_in("HIV")
    named = (await front.get(other.place)).json()["name"]
    body = {"line_ids": [str(other.lines["HIV"])], "signature": named}
    assert (await front.post(f"{other.place}/lines:consent", json=body)).status_code == 200
