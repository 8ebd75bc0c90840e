"""What a front end needs of a refusal: which field it was, one name for one thing, words in the reader's language, and the limit itself."""

from datetime import date
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.conftest import SignIn
from tests.tjapi.world import API, World, key
from tjapi.kernel import problem
from tjapi.kernel.problem import NotFound, Problem
from tjapi.kernel.runtime import Runtime
from tjapi.operations.rules import DICTIONARIES

pytestmark = pytest.mark.requirement("P4")
NOBODY = "0192f0c4-7b1a-7c3e-9d55-1f2e3a4b5c6d"
ENGLISH = {"Accept-Language": "en"}
DAYS = {"starts_on": "2026-03-01", "ends_on": "2026-04-01"}
# who, path, body ({person} is an examinee, {unit} an employer), the field that names what does not exist
UNKNOWN: list[tuple[str, str, dict[str, Any], str]] = [
    ("front", "exams", {"campus_id": 1, "examinee_id": NOBODY, "item_group_ids": []}, "/examinee_id"),
    ("front", "exams", {"campus_id": 1, "examinee_id": "{person}", "package_id": NOBODY}, "/package_id"),
    ("front", "exams", {"campus_id": 1, "examinee_id": "{person}", "item_group_ids": [NOBODY]}, "/item_group_ids/0"),
    ("front", "quotes", {"package_id": NOBODY}, "/package_id"),
    ("front", "quotes", {"item_group_ids": [NOBODY]}, "/item_group_ids/0"),
    ("front", "quotes", {"examinee_id": NOBODY, "item_group_ids": []}, "/examinee_id"),
    (
        "front", "waiting-list", {"campus_id": 1, "examinee_id": NOBODY, "day_from": "2026-12-01", "day_to": "2026-12-11"},
        "/examinee_id",
    ),
    ("group", "employers", {"code": "NF-1", "name": "某单位", "parent_id": NOBODY}, "/parent_id"),
    ("group", "campaigns", {"campus_id": 1, "employer_id": NOBODY, "name": "年度", "year": 2026, **DAYS}, "/employer_id"),
    (
        "group", "campaigns", {"campus_id": 1, "employer_id": "{unit}", "contract_id": NOBODY, "name": "年度", "year": 2026, **DAYS},
        "/contract_id",
    ),
    ("admin", "rooms", {"campus_id": 1, "code": "Q", "name": "某室", "department_id": 999}, "/department_id"),
    ("admin", "guide-sheet-policies", {"campus_id": 1, "package_id": NOBODY, "mode": "ask", "reason": "逐项决定"}, "/package_id"),
]  # fmt: skip


@pytest.fixture
def world(runtime: Runtime, sign_in: SignIn) -> World:
    return World(runtime, sign_in)


async def _unit(world: World) -> str:
    group = await world.sign_in("group")
    code = f"NF{uuid4().hex[:8].upper()}"
    made = await group.post(f"{API}/employers", json={"code": code, "name": "某单位"}, headers=key())
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


@pytest.mark.parametrize(("who", "path", "body", "pointer"), UNKNOWN)
async def test_an_id_that_does_not_exist_is_named_by_its_field(
    world: World, who: str, path: str, body: dict[str, Any], pointer: str
) -> None:
    there = {"{person}": str((await world.person())[0]), "{unit}": await _unit(world)}
    given = {name: there.get(value, value) if isinstance(value, str) else value for name, value in body.items()}
    client = await world.sign_in(who)
    send = client.put if path == "guide-sheet-policies" else client.post
    answer = await send(f"{API}/{path}", json=given, headers=key())
    assert answer.status_code in (404, 422), answer.text
    assert [(e["pointer"], e["code"]) for e in answer.json()["errors"]] == [(pointer, "not-found")], answer.text


async def test_into_whom_one_merges_is_named_and_so_is_who_is_said_to_be_another(world: World) -> None:
    front, person = await world.sign_in("front"), str((await world.person())[0])
    for path, body, pointer in (
        (f"examinees/{person}:merge", {"survivor_id": NOBODY, "reason": "同一人"}, "/survivor_id"),
        ("examinee-distinctions", {"examinee_ids": [person, NOBODY]}, "/examinee_ids/1"),
    ):
        answer = await front.post(f"{API}/{path}", json=body, headers=key())
        assert answer.status_code == 404, answer.text
        assert [e["pointer"] for e in answer.json()["errors"]] == [pointer]


def test_what_names_its_fields_itself_is_left_as_it_is() -> None:
    class ThingAway(NotFound):
        """A thing."""

        abstract, zh, en = True, "没有", "none"

    own = problem.FieldError("/things/3", "not-found", "没有", "none")
    with pytest.raises(ThingAway) as refused, problem.naming("/thing_id"):
        raise ThingAway(errors=[own])
    assert refused.value.errors == (own,)
    with pytest.raises(ThingAway) as refused, problem.naming("/thing_id"):
        raise ThingAway
    assert [e.pointer for e in refused.value.errors] == ["/thing_id"]


async def test_a_campus_that_is_not_held_is_one_problem_wherever_it_is_named(world: World) -> None:
    front, group = await world.sign_in("front"), await world.sign_in("group")
    person, unit = str((await world.person())[0]), await _unit(world)
    refused = [
        await front.post(f"{API}/exams", json={"campus_id": 2, "examinee_id": person}, headers=key()),
        await front.post(
            f"{API}/waiting-list", headers=key(),
            json={"campus_id": 2, "examinee_id": person, "day_from": "2026-12-01", "day_to": "2026-12-11"},
        ),
        await group.post(
            f"{API}/campaigns", headers=key(), json={"campus_id": 2, "employer_id": unit, "name": "年度", "year": 2026, **DAYS}
        ),
    ]  # fmt: skip
    told = {(answer.status_code, answer.json()["code"]) for answer in refused}
    assert told == {(404, "campus-not-held")}, [answer.text for answer in refused]
    assert not {"campus-not-found", "appointment-campus-not-held"} & {row["code"] for row in problem.catalogue()}


async def test_a_state_is_said_in_the_readers_language(world: World) -> None:
    visit, front = await world.registered("GENERAL"), await world.sign_in("front")
    assert (await front.post(f"{visit.place}:cancel", json={"reason": "本人要求"})).status_code == 200
    again = await front.post(f"{visit.place}:check-in")
    assert again.json()["detail"] == "体检当前为「已取消」"
    english = await front.post(f"{visit.place}:check-in", headers=ENGLISH)
    assert english.json()["detail"] == "The exam is cancelled"


def test_every_conflict_about_a_state_knows_the_labels_of_its_states() -> None:
    def below(kind: type[Problem]) -> list[type[Problem]]:
        return [kind, *(deeper for one in kind.__subclasses__() for deeper in below(one))]

    about = [kind for kind in below(Problem) if kind.__name__.endswith("StateConflict")]
    assert len(about) >= 12
    assert not [kind.__name__ for kind in about if kind.states not in DICTIONARIES]


@pytest.mark.requirement("E1.3")
async def test_a_man_is_not_registered_as_pregnant_and_a_woman_may_be(world: World) -> None:
    front = await world.sign_in("front")
    people: dict[str, str] = {}
    while {"male", "female"} - people.keys():
        person, card = await world.person()
        people[card["sex"]] = str(person)
    for sex, status in (("male", 422), ("female", 201)):
        body = await world.order(people[sex], "GENERAL") | {"pregnant": True}  # type: ignore[arg-type]
        answer = await front.post(f"{API}/exams", json=body, headers=key())
        assert answer.status_code == status, answer.text
        if sex == "male":
            _pregnant(answer)
    _pregnant(await front.post(f"{API}/quotes", json={"sex": "male", "pregnant": True, "item_group_ids": []}))


def _pregnant(answer: httpx.Response) -> None:
    said = answer.json()
    assert (answer.status_code, said["code"]) == (422, "pregnancy-contradicts-sex"), answer.text
    assert (said["errors"][0]["pointer"], said["errors"][0]["message"]) == ("/pregnant", "受检者为男性,不能为怀孕")


async def test_a_day_out_of_range_is_told_the_range(world: World) -> None:
    group, front, unit = await world.sign_in("group"), await world.sign_in("front"), await _unit(world)
    body = {"campus_id": 1, "employer_id": unit, "name": "年度", "year": 2026, "starts_on": "1900-01-01", "ends_on": f"{date(2026, 4, 1)}"}  # fmt: skip
    for headers, sentence in (
        (None, "须在 2000-01-01 至 2099-12-31 之间"),
        (ENGLISH, "must be from 2000-01-01 to 2099-12-31"),
    ):
        answer = await group.post(f"{API}/campaigns", json=body, headers={**key(), **(headers or {})})
        assert _said(answer, "/starts_on") == sentence
    wait = {"campus_id": 1, "examinee_id": NOBODY, "day_from": "1900-01-01", "day_to": "9999-01-01"}
    for headers, early, late in (
        (None, "不能早于 2000-01-01", "不能晚于 2099-12-31"),
        (ENGLISH, "must not be before 2000-01-01", "must not be after 2099-12-31"),
    ):
        answer = await front.post(f"{API}/waiting-list", json=wait, headers={**key(), **(headers or {})})
        assert (_said(answer, "/day_from"), _said(answer, "/day_to")) == (early, late)


def _said(answer: httpx.Response, pointer: str) -> str:
    found = next(e for e in answer.json()["errors"] if e["pointer"] == pointer)
    assert (answer.status_code, found["code"]) == (422, "date_out_of_range"), answer.text
    return str(found["message"])
