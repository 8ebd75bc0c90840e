"""What is ordered: choices in a package, what is contained, what excludes each other, whom it fits; by one path for quotes, exams and additions."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tjapi.world import API, SignIn, World, key
from tjapi.kernel.clock import business_day
from tjapi.kernel.runtime import Runtime
from tjapi.pricing.rules import Person, contained, misfits

pytestmark = pytest.mark.requirement("E8.2", "E1.3")


@pytest.fixture
def world(runtime: Runtime, sign_in: SignIn) -> World:
    return World(runtime, sign_in)


async def _quote(world: World, *groups: str, **more: Any) -> httpx.Response:
    ids = await world.groups()
    body = {"item_group_ids": [str(ids[code]) for code in groups], **more}
    return await (await world.sign_in("front")).post(f"{API}/quotes", json=body)


async def _package(world: World, code: str, **more: Any) -> dict[str, Any]:
    """A package of two fixed groups and two of three ultrasounds."""
    ids = await world.groups()
    body = {
        "code": code, "name": "可选套餐", "sex": "any", "price_fen": 40_000, "valid_from": "2026-01-01",
        "item_group_ids": [str(ids["LIVER"]), str(ids["CBC"])],
        "options": [{"name": "三选二", "choose": 2, "item_group_ids": [str(ids[c]) for c in ("US-ABD", "US-THYROID", "US-CAROTID")]}],
        **more,
    }  # fmt: skip
    answer = await (await world.sign_in("admin")).post(f"{API}/exam-packages", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_so_many_are_chosen_of_an_option_and_share_the_packages_price(world: World) -> None:
    package, ids = await _package(world, "CHOOSE-A"), await world.groups()
    option = package["options"][0]["id"]

    async def choose(*codes: str, which: str = option) -> httpx.Response:
        choices = [{"option_id": which, "item_group_ids": [str(ids[c]) for c in codes]}] if codes else []
        return await _quote(world, package_id=package["id"], choices=choices)

    quote = (await choose("US-ABD", "US-CAROTID")).json()
    assert [line["code"] for line in quote["lines"]] == ["LIVER", "CBC", "US-ABD", "US-CAROTID"]
    assert quote["total_fen"] == sum(line["price_fen"] for line in quote["lines"]) == 40_000
    for answer, pointer, code in (
        (await choose(), "/choices", "choose"),
        (await choose("US-ABD"), "/choices/0/item_group_ids", "choose"),
        (await choose("US-ABD", "US-ABD"), "/choices/0/item_group_ids", "choose"),
        (await choose("US-ABD", "ECG"), "/choices/0/item_group_ids/1", "not-in-option"),
        (await choose("US-ABD", "US-CAROTID", which=package["id"]), "/choices/0/option_id", "unknown"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (422, "package-choice-invalid")
        assert (pointer, code) in {(e["pointer"], e["code"]) for e in answer.json()["errors"]}
    english = await (await world.sign_in("front")).post(
        f"{API}/quotes", json={"package_id": package["id"]}, headers={"Accept-Language": "en"}
    )
    assert english.json()["errors"][0]["message"] == "三选二: choose 2 of 3"


async def test_an_exam_is_made_of_the_choices(world: World) -> None:
    package, ids = await _package(world, "CHOOSE-B"), await world.groups()
    person, _ = await world.person()
    body: dict[str, Any] = {"campus_id": 1, "examinee_id": str(person), "package_id": package["id"]}
    front = await world.sign_in("front")
    refused = await front.post(f"{API}/exams", json=body, headers=key())
    assert (refused.status_code, refused.json()["code"]) == (422, "package-choice-invalid")
    choice = {"option_id": package["options"][0]["id"], "item_group_ids": [str(ids["US-ABD"]), str(ids["US-THYROID"])]}
    made = await front.post(f"{API}/exams", json=body | {"choices": [choice]}, headers=key())
    assert [line["code"] for line in made.json()["lines"]] == ["LIVER", "CBC", "US-ABD", "US-THYROID"]
    assert made.json()["total_fen"] == 40_000


async def test_what_another_group_contains_is_said_and_not_billed(world: World) -> None:
    quote = (await _quote(world, "LIVER", "GLU", "LIVER-FULL")).json()
    assert [line["code"] for line in quote["lines"]] == ["GLU", "LIVER-FULL"]
    assert quote["total_fen"] == 600 + 9000
    assert [(c["name"], c["zh"]) for c in quote["contained"]] == [
        ("肝功能", "肝功能 已包含在 肝功能全套 中,不重复计费")
    ]
    package = await _package(world, "CONTAIN-A", options=[])
    alone = (await _quote(world, package_id=package["id"])).json()
    share = {line["code"]: line["price_fen"] for line in alone["lines"]}
    more = (await _quote(world, "LIVER-FULL", package_id=package["id"])).json()
    assert more["total_fen"] == 40_000 - share["LIVER"] + 9000, "the package's share of it is given back"
    double = await _package(
        world, "CONTAIN-B", options=[], item_group_ids=[str((await world.groups())[c]) for c in ("LIVER", "LIVER-FULL")]
    )
    fixed = (await _quote(world, package_id=double["id"])).json()
    assert (fixed["total_fen"], [line["code"] for line in fixed["lines"]]) == (40_000, ["LIVER-FULL"])


async def test_adding_to_an_exam_what_it_contains_already_is_refused(world: World) -> None:
    visit, ids = await world.registered("LIVER-FULL"), await world.groups()
    front = await world.sign_in("front")
    answer = await front.post(f"{visit.place}/lines", json={"item_group_ids": [str(ids["LIVER"])]}, headers=key())
    assert (answer.status_code, answer.json()["code"]) == (422, "item-group-contained")
    assert answer.json()["errors"][0]["pointer"] == "/item_group_ids/0"


async def test_groups_that_exclude_each_other_are_refused_by_name_on_every_path(world: World) -> None:
    answer = await _quote(world, "CXR", "GLU", "CT-CHEST")
    assert (answer.status_code, answer.json()["code"]) == (422, "item-groups-exclude")
    assert [(e["pointer"], e["code"]) for e in answer.json()["errors"]] == [("/item_group_ids/2", "excluded")]
    assert "胸部 CT 已包含胸片所见" in answer.json()["errors"][0]["message"]
    visit, ids = await world.registered("CXR"), await world.groups()
    front, more = await world.sign_in("front"), {"item_group_ids": [str(ids["CT-CHEST"])]}
    added = await front.post(f"{visit.place}/lines", json=more, headers=key())
    assert (added.status_code, added.json()["code"]) == (422, "item-groups-exclude")


async def test_what_does_not_fit_the_person_is_refused_with_the_reason(world: World) -> None:
    for groups, person, found in (
        (("GYN", "CBC"), {"sex": "male"}, [("item-group-not-for-sex", "/item_group_ids/0", "wrong-sex")]),
        (("CBC", "CXR", "GYN"), {"sex": "female", "pregnant": True},
         [("item-group-unsuitable", "/item_group_ids/1", "pregnant"), ("item-group-unsuitable", "/item_group_ids/2", "pregnant")]),
    ):  # fmt: skip
        answer = (await _quote(world, *groups, **person)).json()
        assert [(answer["code"], e["pointer"], e["code"]) for e in answer["errors"]] == found
    assert (await _quote(world, "CBC", "GYN", "CXR", sex="female", pregnant=False)).status_code == 200
    assert (await _quote(world, "GYN", "CXR")).status_code == 200, "of nobody in particular nothing is known"


async def test_pregnancy_is_remembered_when_something_is_added(world: World, admin: asyncpg.Connection) -> None:
    person, _ = await world.person(sex="female")
    ids, front = await world.groups(), await world.sign_in("front")
    order = await world.order(person, "CBC")
    exam = (await front.post(f"{API}/exams", json=order | {"pregnant": True}, headers=key())).json()
    body = {"item_group_ids": [str(ids["GLU"]), str(ids["CT-HEAD"])]}
    answer = await front.post(f"{API}/exams/{exam['id']}/lines", json=body, headers=key())
    assert (answer.status_code, answer.json()["code"]) == (422, "item-group-unsuitable")
    assert [(e["pointer"], e["code"]) for e in answer.json()["errors"]] == [("/item_group_ids/1", "pregnant")]
    assert await admin.fetchval("select count(*) from exam_line where exam_id = $1", UUID(exam["id"])) == 1


async def test_the_next_edition_succeeds_the_one_before_on_its_day_and_neither_is_edited(world: World) -> None:
    first = await _package(world, "EDITION", options=[])
    today = business_day(world.runtime.clock.now())
    begins = today + timedelta(days=10)
    second = await _package(world, "EDITION", options=[], price_fen=44_000, valid_from=str(begins))
    assert (first["edition"], second["edition"]) == (1, 2)
    front = await world.sign_in("front")
    ended = (await front.get(f"{API}/exam-packages/{first['id']}")).json()
    assert ended["valid_to"] == str(begins - timedelta(days=1))

    async def price(package: dict[str, Any], day: date) -> Any:
        answer = (await _quote(world, package_id=package["id"], on=str(day))).json()
        return answer.get("total_fen", answer.get("code"))

    assert [await price(first, today), await price(second, today)] == [40_000, "package-not-offered"]
    assert [await price(first, begins), await price(second, begins)] == ["package-not-offered", 44_000]
    body = {
        "code": "EDITION",
        "name": "x",
        "sex": "any",
        "price_fen": 1,
        "valid_from": str(begins),
        "item_group_ids": second["groups"][0]["id"],
    }
    admin = await world.sign_in("admin")
    late = await admin.post(f"{API}/exam-packages", json=body | {"item_group_ids": [second["groups"][0]["id"]]})
    assert (late.status_code, late.json()["code"]) == (409, "exam-package-edition-not-ahead")


async def test_a_package_that_contradicts_itself_is_refused_where_it_does(world: World) -> None:
    ids, admin = await world.groups(), await world.sign_in("admin")
    body = {
        "code": "WRONG", "name": "x", "sex": "male", "price_fen": 1, "valid_from": "2027-01-01", "valid_to": "2026-01-01",
        "item_group_ids": [str(ids[c]) for c in ("CXR", "CT-CHEST", "GYN", "CXR")],
        "options": [{"name": "o", "choose": 2, "item_group_ids": [str(ids["US-ABD"]), str(ids["CXR"])]}],
    }  # fmt: skip
    answer = await admin.post(f"{API}/exam-packages", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "exam-package-contradiction")
    assert {(e["pointer"], e["code"]) for e in answer.json()["errors"]} == {
        ("/item_group_ids/2", "wrong-sex"), ("/item_group_ids/3", "twice"), ("/options/0/item_group_ids/1", "twice"),
        ("/options/0/choose", "too-many"), ("/item_group_ids", "excluded"), ("/valid_to", "before-start"),
        # The film in the option is excluded by the tomography of the base.
        ("/options/0/item_group_ids/1", "excluded"),
    }  # fmt: skip


async def test_item_groups_are_entered_and_changed_by_right_with_a_trace(
    world: World, admin: asyncpg.Connection
) -> None:
    keeper, ids = await world.sign_in("admin"), await world.groups()
    item = (await keeper.get(f"{API}/item-groups/{ids['CT-HEAD']}")).json()["items"][0]["id"]
    body = {
        "code": "CT-KNEE", "name": "膝关节CT", "department_id": 5, "price_fen": 22_000, "performed_by": "department", "sort": 930, "item_ids": [item],
    }  # fmt: skip
    made = await keeper.post(f"{API}/item-groups", json=body)
    assert made.status_code == 201, made.text
    place, tag = f"{API}/item-groups/{made.json()['id']}", {"If-Match": made.headers["etag"]}
    suits = {"age_from_years": 18, "age_to_years": 70, "not_when_pregnant": True, "resource": "CT"}
    changed = await keeper.patch(place, json={"price_fen": 23_000, "suitability": suits}, headers=tag)
    assert (changed.json()["price_fen"], changed.json()["resource"], changed.json()["version"]) == (23_000, "CT", 2)
    stale = await keeper.patch(place, json={"price_fen": 1}, headers=tag)
    assert stale.status_code == 412
    try:
        front = await world.sign_in("front")
        for age, code in ((17, "too-young"), (71, "too-old")):
            quote = await front.post(f"{API}/quotes", json={"item_group_ids": [made.json()["id"]], "age_years": age})
            assert quote.json()["errors"][0]["code"] == code
        for age in (18, 70):
            quote = await front.post(f"{API}/quotes", json={"item_group_ids": [made.json()["id"]], "age_years": age})
            assert quote.json()["total_fen"] == 23_000
        apart = await keeper.put(
            f"{place}/exclusions", json={"exclusions": [{"item_group_id": str(ids["BMD"]), "reason": "同日辐射"}]}
        )
        assert [e["name"] for e in apart.json()["exclusions"]] == ["骨密度"]
        seen = (await keeper.get(f"{API}/item-groups/{ids['BMD']}")).json()["exclusions"]
        assert [e["reason"] for e in seen] == ["同日辐射"], "an exclusion is of both"
        assert (await keeper.put(f"{place}/exclusions", json={"exclusions": []})).json()["exclusions"] == []
        assert (await keeper.post(f"{API}/item-groups", json=body)).json()["code"] == "item-group-code-taken"
        assert (await front.patch(place, json={"price_fen": 1}, headers=tag)).status_code == 403
    finally:
        version = (await keeper.get(place)).headers["etag"]
        await keeper.patch(place, json={"active": False}, headers={"If-Match": version})
    trail = await admin.fetch(
        "select action, detail from audit_event where object_id = $1 order by id", made.json()["id"]
    )
    assert [row["action"] for row in trail][:2] == ["item_group.added", "item_group.changed"]
    assert '"price_fen": 22000' in trail[1]["detail"]


KINDS = st.dictionaries(st.integers(0, 6), st.frozensets(st.integers(0, 5), max_size=4), max_size=6)


@given(KINDS)
def test_whatever_is_left_out_is_examined_by_what_stays(items: dict[int, frozenset[int]]) -> None:
    within = contained(items, list(items))
    for group, holder in within.items():
        assert items[group] <= items[holder]
        assert holder not in within, "what contains another is not itself left out"
    left = [group for group in items if group not in within]
    assert {one for group in items for one in items[group]} == {one for group in left for one in items[group]}
    assert not any(items[a] < items[b] for a in left for b in left if items[a])


class _Group:
    sex, age_from_years, age_to_years, not_when_pregnant = "female", 18, 65, True
    precaution = ""


def test_bounds_of_age_belong_to_it_and_what_is_not_known_refuses_nothing() -> None:
    assert misfits(_Group(), Person()) == []
    assert misfits(_Group(), Person("female", 18, pregnant=False)) == []
    assert misfits(_Group(), Person("female", 65)) == []
    assert misfits(_Group(), Person("male", 17, pregnant=True)) == ["wrong-sex", "too-young", "pregnant"]
    assert misfits(_Group(), Person("unknown", 66)) == ["wrong-sex", "too-old"]
