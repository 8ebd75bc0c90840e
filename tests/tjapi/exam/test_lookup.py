"""One look-up for all that a front desk scans or types, and registration straight from a card."""

import asyncio
import base64
import secrets
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from tests.tjapi.world import API, SignIn, World, key, portrait
from tjapi import demo
from tjapi.exam import service as exams
from tjapi.exam.rules import check_digit, exam_no, exam_no_read
from tjapi.exam.schemas import ExamIn, ExamLookup
from tjapi.examinee import service as examinees
from tjapi.kernel.problem import PermissionMissing
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.security.principal import Principal
from tjapi.report import service as reports
from tjapi.visit import invented_person

pytestmark = pytest.mark.requirement("E1.2")
CASES = Path(__file__).parents[2] / "cases"
FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")


@pytest.fixture
def world(runtime: Runtime, sign_in: SignIn) -> World:
    return World(runtime, sign_in)


async def find(client: Any, sought: str, **more: Any) -> list[dict[str, Any]]:
    answer = await client.post(f"{API}/exams:search", json={"key": sought, **more})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def register(world: World, examinee_id: UUID, *, days_ago: int = 0, campus_id: int = 1) -> str:
    """An exam of a day of the past."""
    groups = await world.groups()
    new = ExamIn(
        campus_id=campus_id, examinee_id=examinee_id, item_group_ids=[groups["GLU"]], exam_date=date(2026, 11, 20) - timedelta(days=days_ago)
    )  # fmt: skip
    async with world.runtime.units.open(demo.LOADER) as uow:
        return str((await exams.register(uow, new)).id)


async def test_any_key_finds_the_person_and_the_past_exams_newest_first_in_one_call(
    world: World, sign_in: SignIn
) -> None:
    front, card = await sign_in("front"), {**invented_person(), "name": "张三"}
    visit_card = "V" + secrets.token_hex(6)
    met = await front.post(f"{API}/examinees", json={"campus_id": 1, **card}, headers=key())
    person = met.json()["id"]
    await front.post(f"{API}/examinees/{person}/identifiers", json={"kind": "visit_card", "number": visit_card})
    ids = [await register(world, UUID(person), days_ago=days) for days in (400, 30, 800)]
    newest_first = [ids[1], ids[0], ids[2]]
    numbers = [(await front.get(f"{API}/exams/{exam}")).json()["exam_no"] for exam in ids]
    keys = (
        ("zs", "name"), ("张三", "name"), ("zhangs", "name"), (card["id_number"], "id_number"), (numbers[2].lower(), "exam_no"),
        (numbers[0], "exam_no"), (f"+86 {card['phone']}", "phone"), (f";{visit_card}?", "card_no"),
    )  # fmt: skip
    for sought, kind in keys:
        for by in ("any", kind):
            found = {item["examinee"]["id"]: item for item in await find(front, sought, by=by, page_size=50)}
            assert person in found, (sought, by)
            assert [exam["id"] for exam in found[person]["exams"]] == newest_first, (sought, by)
            if kind != "name":
                assert list(found) == [person], (sought, by)
    old = card["id_number"][:6] + card["id_number"][8:17]
    assert [item["examinee"]["id"] for item in await find(front, old)] == [person], "the old 15 digits"
    shown = (await find(front, card["id_number"]))[0]
    assert card["id_number"] not in str(shown)
    listed = (await front.get(f"{API}/exams", params={"examinee_id": person})).json()["items"]
    counts = {"line_count", "done_count"}
    same = [{k: v for k, v in exam.items() if k not in counts} for exam in listed]
    assert sorted(shown["exams"], key=str) == sorted(same, key=str), "an exam looks the same wherever it is listed"


async def test_a_wrong_digit_of_an_exam_number_finds_nobody_and_says_so_where_the_kind_is_chosen(
    world: World, sign_in: SignIn
) -> None:
    front, visit = await sign_in("front"), await world.registered()
    number = visit.exam_no
    wrong = number[:-2] + str((int(number[-2]) + 1) % 10) + number[-1]
    assert await find(front, wrong) == []
    for by, sought, zh, en in (
        ("exam_no", wrong, "不是体检号,或校验位不符", "not an exam number, or its check digit is wrong"),
        ("phone", "zs", "不是电话号码", "not a phone number"),
        ("card_no", "卡", "不是卡号", "not a card number"),
    ):
        for language, message in (("zh", zh), ("en", en)):
            answer = await front.post(
                f"{API}/exams:search", json={"key": sought, "by": by}, headers={"Accept-Language": language}
            )
            assert (answer.status_code, answer.json()["code"]) == (422, "lookup-key-invalid")
            assert [(e["pointer"], e["message"]) for e in answer.json()["errors"]] == [("/key", message)]


def test_an_exam_number_is_read_in_any_spelling_and_only_whole() -> None:
    for code in ("A", "B2", "NN12"):
        for running in (1, 9999, 10_000, 123_456):
            number = exam_no(code, date(2026, 11, 23), running)
            assert exam_no_read(f" {number[:4]} {number[4:].lower()}") == number
    number = exam_no("A", date(2026, 11, 23), 17)
    assert number[-1] == check_digit(number[1:-1])
    assert exam_no_read(number[:-1]) is None
    assert exam_no_read("zs") is exam_no_read("690101199003077937") is exam_no_read("") is None


async def test_pages_of_people_and_of_exams_hold_everybody_once(world: World, sign_in: SignIn) -> None:
    front, surname = await sign_in("front"), "亓官"
    entered = []
    for last in "甲乙丙":
        body = {"campus_id": 1, **invented_person(), "name": surname + last}
        entered.append((await front.post(f"{API}/examinees", json=body, headers=key())).json()["id"])
    body = {"key": "qiguan", "page_size": 2}
    first = (await front.post(f"{API}/exams:search", json=body)).json()
    second = (await front.post(f"{API}/exams:search", json={**body, "page_token": first["next_page_token"]})).json()
    assert [i["examinee"]["id"] for i in first["items"] + second["items"]] == sorted(entered, reverse=True)
    assert second["next_page_token"] is None
    alien = await front.post(f"{API}/exams:search", json={"key": "zs", "page_token": first["next_page_token"]})
    assert alien.json()["code"] == "page-token-invalid"
    ids = [await register(world, UUID(entered[0]), days_ago=days) for days in (0, 0, 7, 7, 9)]
    found = next(i for i in await find(front, surname + "甲", exams_each=3))
    assert (len(found["exams"]), found["more_exams"]) == (3, True)
    place, seen, token = f"{API}/examinees/{entered[0]}/exams", [], None
    while True:
        params = {"page_size": 3, **({"page_token": token} if token else {})}
        page = (await front.get(place, params=params)).json()
        seen += page["items"]
        if (token := page["next_page_token"]) is None:
            break
    assert sorted(exam["id"] for exam in seen) == sorted(ids)
    assert [(e["exam_date"], e["id"]) for e in seen] == sorted(((e["exam_date"], e["id"]) for e in seen), reverse=True)
    assert [e["id"] for e in seen][:3] == [e["id"] for e in found["exams"]]


@pytest.mark.requirement("D3", "P2")
async def test_an_exam_of_another_campus_is_told_on_no_path(
    world: World, sign_in: SignIn, admin: asyncpg.Connection
) -> None:
    front, other = await sign_in("front"), await sign_in("front.b")
    card = invented_person()
    here = (await front.post(f"{API}/examinees", json={"campus_id": 1, **card}, headers=key())).json()["id"]
    there = (await other.post(f"{API}/examinees", json={"campus_id": 2, **card}, headers=key())).json()["id"]
    assert here == there
    mine = await register(world, UUID(here))
    theirs = await register(world, UUID(here), campus_id=2, days_ago=3)
    number = (await other.get(f"{API}/exams/{theirs}")).json()["exam_no"]
    for sought in (card["id_number"], card["phone"], card["name"]):
        for client, shown in ((front, mine), (other, theirs)):
            found = next(i for i in await find(client, sought, page_size=50) if i["examinee"]["id"] == here)
            assert [exam["id"] for exam in found["exams"]] == [shown]
            assert found["more_exams"] is False
    assert await find(front, number) == [], "its number finds nobody, although the person is known"
    assert len(await find(other, number)) == 1
    for path in (f"/examinees/{here}/exams", f"/exams?examinee_id={here}", f"/exams?exam_no={number}"):
        text = (await front.get(API + path)).text
        assert theirs not in text, path
        assert number not in text, path
    refused = await front.get(f"{API}/exams/{theirs}")
    assert refused.status_code == 404
    assert number not in refused.text
    unmet = invented_person()
    stranger = (await other.post(f"{API}/examinees", json={"campus_id": 2, **unmet}, headers=key())).json()["id"]
    for sought in (unmet["id_number"], unmet["phone"]):
        assert await find(front, sought) == []
    assert (await front.get(f"{API}/examinees/{stranger}/exams")).json()["code"] == "examinee-not-found"


async def test_a_key_is_nowhere_in_clear_and_a_look_up_leaves_a_trace(
    world: World, sign_in: SignIn, admin: asyncpg.Connection
) -> None:
    front, card = await sign_in("front"), invented_person()
    person = (await front.post(f"{API}/examinees", json={"campus_id": 1, **card}, headers=key())).json()["id"]
    last = await admin.fetchval("select max(id) from audit_event")
    for sought in (card["id_number"], card["phone"], card["name"]):
        await find(front, sought)
    await front.get(f"{API}/examinees/{person}/exams")
    rows = await admin.fetch(
        "select action, object_id, detail::text as detail from audit_event where id > $1 order by id", last
    )
    assert [row["action"] for row in rows] == ["examinee.searched"] * 3 + ["exam.history_read"]
    assert rows[-1]["object_id"] == person
    whole = str([tuple(row) for row in rows])
    assert not any(secret in whole for secret in (card["id_number"], card["phone"], card["name"]))


async def test_who_may_see_exams_but_not_people_may_not_look_people_up(world: World, runtime: Runtime) -> None:
    seer = Principal("staff", uuid4(), frozenset({"exam.read"}), campuses=(1,), departments=None)
    both = Principal("staff", uuid4(), frozenset({"exam.read", "examinee.read"}), campuses=(1,), departments=None)
    person, card = await world.person()
    sought = ExamLookup(key=card["id_number"])
    async with runtime.units.read(both) as uow:
        assert [found.examinee.id for found in await exams.look_up(uow, sought, None)] == [person]
    with pytest.raises(PermissionMissing):
        async with runtime.units.read(seer) as uow:
            await exams.look_up(uow, sought, None)


@pytest.mark.requirement("E6.1")
async def test_a_past_exam_shows_the_version_of_its_report_that_its_owner_may_see(
    world: World, sign_in: SignIn
) -> None:
    front, visit = await sign_in("front"), await world.finalized()

    async def shown() -> int | None:
        found: list[dict[str, Any]] = (await front.get(f"{API}/examinees/{visit.examinee_id}/exams")).json()["items"]
        version: int | None = found[0]["report_version"]
        return version

    assert await shown() is None
    first = await world.published(visit)
    assert await shown() == 1
    await world.published(visit)
    assert await shown() == 2
    async with world.runtime.units.open(await world.staff("chief")) as uow:
        current = next(r for r in await reports.versions(uow, visit.exam_id) if r.state == "published")
        assert current.id != first
        await reports.recall(uow, current.id, "有误")
    assert await shown() is None


@pytest.mark.requirement("E1.3", "E1.4")
async def test_a_card_that_is_read_registers_an_exam_and_enters_or_reuses_the_one_person(
    world: World, sign_in: SignIn, admin: asyncpg.Connection
) -> None:
    front, groups, card = await sign_in("front"), await world.groups(), invented_person()
    photo = base64.b64encode(portrait("BMP", (102, 126))).decode()
    read = {
        **card,
        "sex": "1" if card["sex"] == "male" else "2",
        "birth_date": card["birth_date"].replace("-", ""),
        "nation": "08",
        "photo": photo,
    }
    order = {"campus_id": 1, "id_card": read, "item_group_ids": [str(groups["GLU"])]}
    once = key()
    first = await front.post(f"{API}/exams", json=order, headers=once)
    assert first.status_code == 201, first.text
    replayed = await front.post(f"{API}/exams", json=order, headers=once)
    assert (replayed.json(), replayed.headers["idempotency-replayed"]) == (first.json(), "true")
    meant = order | {"despite": ["second_exam"]}
    others = await asyncio.gather(*(front.post(f"{API}/exams", json=meant, headers=key()) for _ in range(3)))
    people = {answer.json()["examinee_id"] for answer in (first, *others)}
    assert len(people) == 1
    assert len({answer.json()["id"] for answer in (first, *others)}) == 4
    person = people.pop()
    assert (await front.get(f"{API}/examinees/{person}/photo")).status_code == 200
    assert await admin.fetchval("select count(*) from examinee_photo where examinee_id = $1", UUID(person)) == 1
    async with world.runtime.units.read(demo.LOADER) as uow:
        assert (await examinees.get(uow, UUID(person))).nation == "壮族"


@pytest.mark.requirement("E1.3")
async def test_a_card_that_is_refused_registers_nothing_and_names_its_field_inside_the_request(
    world: World, sign_in: SignIn, admin: asyncpg.Connection
) -> None:
    front, groups, card = await sign_in("front"), await world.groups(), invented_person()
    order = {"campus_id": 1, "item_group_ids": [str(groups["GLU"])]}
    other_sex = "female" if card["sex"] == "male" else "male"
    number = card["id_number"]
    wrong = number[:17] + ("1" if number[17] != "1" else "2")
    before = await admin.fetchrow("select (select count(*) from exam), (select count(*) from examinee)")
    person, _ = await world.person()
    cases: tuple[tuple[dict[str, Any], str, list[str]], ...] = (
        ({"id_card": {**card, "sex": other_sex}}, "id-card-contradiction", ["/id_card/sex"]),
        ({"id_card": {**card, "id_number": wrong}}, "id-number-invalid", ["/id_card/id_number"]),
        ({"id_card": {**card, "nation": "57", "sex": "x"}}, "examinee-details-invalid", ["/id_card/sex", "/id_card/nation"]),
        ({"id_card": {**card, "photo": "AAAA"}}, "photo-invalid", ["/id_card/photo"]),
        ({"id_card": card, "examinee_id": str(person)}, "examinee-not-named", ["/examinee_id", "/id_card"]),
        ({}, "examinee-not-named", ["/examinee_id", "/id_card"]),
    )  # fmt: skip
    for change, code, pointers in cases:
        answer = await front.post(f"{API}/exams", json={**order, **change}, headers=key())
        assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
        assert [e["pointer"] for e in answer.json()["errors"]] == pointers
    after = await admin.fetchrow("select (select count(*) from exam), (select count(*) from examinee)")
    assert (after[0], after[1]) == (before[0], before[1] + 1)


@pytest.mark.requirement("P2")
async def test_who_may_register_exams_but_not_people_may_not_do_so_with_a_card(world: World, runtime: Runtime) -> None:
    clerk = Principal("staff", uuid4(), frozenset({"exam.write"}), campuses=(1,), departments=None)
    groups = await world.groups()
    new = ExamIn.model_validate({"campus_id": 1, "id_card": invented_person(), "item_group_ids": [groups["GLU"]]})
    with pytest.raises(PermissionMissing):
        async with runtime.units.open(clerk) as uow:
            await exams.register(uow, new)


@pytest.mark.requirement("E1.2")
async def test_a_tube_leads_to_its_person_and_its_exam(world: World, sign_in: SignIn) -> None:
    front, visit = await sign_in("front"), await world.checked_in("GLU", "CBC")
    later = await register(world, visit.examinee_id, days_ago=-400)
    tubes = (await front.get(f"{API}/exams/{visit.exam_id}/tubes")).json()["items"]
    assert tubes
    for tube in tubes:
        for by in ("any", "barcode"):
            for sought in (tube["barcode"], f" {tube['barcode']} ", tube["barcode"].translate(FULL_WIDTH)):
                found = await find(front, sought, by=by)
                assert [item["examinee"]["id"] for item in found] == [str(visit.examinee_id)], (sought, by)
                assert found[0]["named_exam_id"] == str(visit.exam_id)
                assert later in {exam["id"] for exam in found[0]["exams"]}
    assert (await find(front, visit.exam_no))[0]["named_exam_id"] == str(visit.exam_id)
    assert (await find(front, visit.card["phone"], by="phone"))[0]["named_exam_id"] is None
    assert await find(front, "999999999999", by="barcode") == []
    assert await find(await sign_in("front.b"), tubes[0]["barcode"]) == []


@pytest.mark.requirement("E1.2")
async def test_a_rare_surname_is_found_by_its_reading(world: World, sign_in: SignIn) -> None:
    """36-surnames.tsv."""
    front = await sign_in("front")
    for row in (CASES / "36-surnames.tsv").read_text("utf-8").splitlines()[1:]:
        name, sought, _ = row.split("\t")
        met = await front.post(
            f"{API}/examinees", json={"campus_id": 1, **invented_person(), "name": name}, headers=key()
        )
        found = await find(front, sought, by="name", page_size=50)
        assert met.json()["id"] in {item["examinee"]["id"] for item in found}, name
