"""Meeting, finding and unmasking people, in the database. Numbers are computed at random, none is a person's."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from cryptography.exceptions import InvalidTag

from tjapi.examinee import service
from tjapi.examinee.errors import (
    ExamineeDetailsDiffer,
    ExamineeDetailsInvalid,
    ExamineeNameDiffers,
    ExamineeNotFound,
    IdCardContradiction,
    IdNumberInvalid,
    SearchNotOneCriterion,
)
from tjapi.examinee.rules import check_digit
from tjapi.examinee.schemas import ExamineePatch, ExamineeSearch, IdCardPayload
from tjapi.identity.errors import CampusNotHeld
from tjapi.kernel.problem import PreconditionFailed
from tjapi.kernel.security.principal import Principal

Unit = Callable[..., Any]
SignIn = Callable[[str], Awaitable[httpx.AsyncClient]]
CAMPUS_1 = Principal("staff", UUID(int=101), campuses=(1,), departments=None)
CAMPUS_2 = Principal("staff", UUID(int=102), campuses=(2,), departments=None)


def new_number(born: str = "19900307", odd: bool = True) -> str:
    # No administrative division begins with 69.
    body = f"69{secrets.randbelow(10_000):04d}{born}{secrets.randbelow(499) * 2 + odd:03d}"
    return body + check_digit(body)


def card(**given: Any) -> IdCardPayload:
    return IdCardPayload.model_validate({"name": "张三", "id_kind": "resident", "id_number": new_number(), **given})


async def found(unit: Unit, *principal: Principal, **by: Any) -> list[UUID]:
    async with unit(*principal or (CAMPUS_1,)) as uow:
        return [person.id for person in await service.search(uow, ExamineeSearch(**by), None)]


@pytest.mark.requirement("E1.3")
async def test_a_card_read_twice_is_one_person_and_what_the_number_says_is_taken_from_it(
    unit: Unit, admin: asyncpg.Connection
) -> None:
    payload = card()
    async with unit(CAMPUS_1) as uow:
        person, created = await service.meet(uow, payload, 1)
    async with unit(CAMPUS_1) as uow:
        again, created_again = await service.meet(uow, payload, 1)
    assert (created, created_again) == (True, False)
    assert again.id == person.id
    assert (again.sex, again.birth_date, again.version) == ("male", date(1990, 3, 7), 1)
    actions = await admin.fetch("select action from audit_event where object_id = $1 order by id", str(person.id))
    assert [row["action"] for row in actions] == ["examinee.registered", "examinee.met"]


@pytest.mark.requirement("E1.3")
async def test_the_old_number_of_a_person_finds_the_new_one(unit: Unit) -> None:
    payload = card()
    assert payload.id_number is not None
    async with unit(CAMPUS_1) as uow:
        person, _ = await service.meet(uow, payload, 1)
    old = payload.id_number[:6] + payload.id_number[8:17]
    async with unit(CAMPUS_1) as uow:
        again, created = await service.meet(uow, card(id_number=old), 1)
    assert (again.id, created) == (person.id, False)
    assert await found(unit, id_number=old) == [person.id]


@pytest.mark.requirement("E1.3")
async def test_a_card_read_at_many_desks_at_once_is_one_person(unit: Unit, admin: asyncpg.Connection) -> None:
    payload = card()

    async def desk(principal: Principal) -> tuple[UUID, bool]:
        async with unit(principal) as uow:
            person, created = await service.meet(uow, payload, principal.campuses[0])
            return person.id, created

    met = await asyncio.gather(*(desk(p) for p in (CAMPUS_1, CAMPUS_2, CAMPUS_1, CAMPUS_2)))
    assert len({person for person, _ in met}) == 1
    assert [created for _, created in met].count(True) == 1
    assert await admin.fetchval("select count(*) from examinee_campus where examinee_id = $1", met[0][0]) == 2


@pytest.mark.requirement("D3")
async def test_a_campus_sees_a_person_only_once_it_has_met_them(unit: Unit) -> None:
    payload = card(name="覃海燕", phone="13900005678")
    async with unit(CAMPUS_1) as uow:
        person, _ = await service.meet(uow, payload, 1)
    for by in ({"q": "覃海燕"}, {"q": "qhy"}, {"id_number": payload.id_number}, {"phone": "13900005678"}):
        assert person.id not in await found(unit, CAMPUS_2, **by)
        assert person.id in await found(unit, CAMPUS_1, **by)
    async with unit(CAMPUS_2) as uow:
        with pytest.raises(ExamineeNotFound):
            await service.get(uow, person.id)
        with pytest.raises(ExamineeNotFound):
            await service.unmask(uow, person.id, "测试")
    async with unit(CAMPUS_2) as uow:
        again, created = await service.meet(uow, payload, 2)
    assert (again.id, created) == (person.id, False)
    assert person.id in await found(unit, CAMPUS_2, q="qinhai")


async def test_one_cannot_meet_somebody_for_a_campus_one_does_not_hold(unit: Unit) -> None:
    async with unit(CAMPUS_1) as uow:
        with pytest.raises(CampusNotHeld):
            await service.meet(uow, card(), 2)


@pytest.mark.requirement("E1.3")
async def test_another_name_on_a_known_number_is_refused_and_the_campus_does_not_learn_who_it_is(unit: Unit) -> None:
    payload = card(name="韦一")
    async with unit(CAMPUS_1) as uow:
        person, _ = await service.meet(uow, payload, 1)
    with pytest.raises(ExamineeNameDiffers) as refused:
        async with unit(CAMPUS_2) as uow:
            await service.meet(uow, payload.model_copy(update={"name": "韦二"}), 2)
    assert "韦一" not in str([refused.value, refused.value.errors])
    async with unit(CAMPUS_2) as uow:
        with pytest.raises(ExamineeNotFound):
            await service.get(uow, person.id)


async def test_another_spelling_of_the_same_name_is_the_same_name(unit: Unit) -> None:
    payload = card(name="艾力·买买提")
    async with unit(CAMPUS_1) as uow:
        person, _ = await service.meet(uow, payload, 1)
    async with unit(CAMPUS_1) as uow:
        again, _ = await service.meet(uow, payload.model_copy(update={"name": "艾力•买买提"}), 1)
    assert again.id == person.id


@pytest.mark.requirement("E1.3")
async def test_a_contradiction_between_card_and_number_is_refused_by_name(unit: Unit) -> None:
    async with unit(CAMPUS_1) as uow:
        with pytest.raises(IdCardContradiction) as refused:
            await service.meet(uow, card(sex="female", birth_date="1990-03-08"), 1)
    assert [error.pointer for error in refused.value.errors] == ["/sex", "/birth_date"]


@pytest.mark.requirement("E1.3")
async def test_a_wrong_number_a_missing_one_and_one_too_many_are_refused_by_name(unit: Unit) -> None:
    number = new_number()
    wrong = number[:17] + ("1" if number[17] != "1" else "2")
    cases = (
        (card(id_number=wrong), "check_digit"),
        (card(id_number=None), "number_missing"),
        (card(id_kind="none", birth_date="1990-03-07"), "number_not_expected"),
    )
    async with unit(CAMPUS_1) as uow:
        for payload, code in cases:
            with pytest.raises(IdNumberInvalid) as refused:
                await service.meet(uow, payload, 1)
            assert [(e.pointer, e.code) for e in refused.value.errors] == [("/id_number", code)]


async def test_what_the_number_does_not_say_must_be_given_and_possible(unit: Unit) -> None:
    async with unit(CAMPUS_1) as uow:
        for change, pointer in (
            ({}, "/birth_date"),
            ({"birth_date": "2990-01-01"}, "/birth_date"),
            ({"birth_date": "1990-01-01", "phone": "abcde"}, "/phone"),
        ):
            with pytest.raises(ExamineeDetailsInvalid) as refused:
                await service.meet(uow, card(id_kind="passport", id_number="E" + secrets.token_hex(6), **change), 1)
            assert [e.pointer for e in refused.value.errors] == [pointer]


async def test_a_passport_known_with_another_birth_date_is_looked_at_by_a_person(unit: Unit) -> None:
    payload = card(id_kind="passport", id_number="P" + secrets.token_hex(6), birth_date="1985-05-05", name="John Smith")
    async with unit(CAMPUS_1) as uow:
        person, _ = await service.meet(uow, payload, 1)
    assert person.sex == "unknown"
    async with unit(CAMPUS_1) as uow:
        again, _ = await service.meet(uow, payload.model_copy(update={"sex": "male"}), 1)
        assert (again.id, again.sex, again.version) == (person.id, "male", 2)
    for change in ({"birth_date": "1985-05-06"}, {"sex": "female"}):
        with pytest.raises(ExamineeDetailsDiffer):
            async with unit(CAMPUS_1) as uow:
                await service.meet(uow, payload.model_copy(update=change), 1)


async def test_people_without_a_document_are_never_taken_for_each_other(unit: Unit) -> None:
    payload = card(id_kind="none", id_number=None, birth_date="2026-01-01")
    async with unit(CAMPUS_1) as uow:
        one, first = await service.meet(uow, payload, 1)
        other, second = await service.meet(uow, payload, 1)
    assert first
    assert second
    assert one.id != other.id


@pytest.mark.requirement("E1.2")
async def test_a_person_is_found_by_name_pinyin_initials_number_and_phone(unit: Unit) -> None:
    number, phone = new_number(), f"137{secrets.randbelow(10**8):08d}"
    async with unit(CAMPUS_1) as uow:
        mother, _ = await service.meet(uow, card(name="张三丰", id_number=number, phone=phone), 1)
        child, _ = await service.meet(uow, card(name="张小丰", phone=f"+86 {phone}"), 1)
    for q in ("张三", "zhangsanf", "zs", "ZSF", " zhang san "):
        assert mother.id in await found(unit, q=q)
        assert child.id not in await found(unit, q=q)
    assert await found(unit, id_number=number.lower()) == [mother.id]
    assert await found(unit, phone=phone) == [child.id, mother.id]
    for nobody in ({"q": "三"}, {"q": "·"}, {"q": "%"}, {"phone": "abcde"}, {"id_number": "110"}):
        assert not {mother.id, child.id} & set(await found(unit, **nobody))


async def test_a_search_goes_by_exactly_one_thing(unit: Unit) -> None:
    for by in ({}, {"q": "zs", "phone": "13800001234"}):
        with pytest.raises(SearchNotOneCriterion):
            await found(unit, **by)


async def test_pages_of_a_search_hold_everybody_once(unit: Unit) -> None:
    surname = "禤"
    async with unit(CAMPUS_1) as uow:
        entered = [(await service.meet(uow, card(name=f"{surname}{c}"), 1))[0].id for c in "甲乙丙丁戊"]
    seen: list[UUID] = []
    after: UUID | None = None
    async with unit(CAMPUS_1) as uow:
        while rows := await service.search(uow, ExamineeSearch(q=surname, page_size=2), after):
            seen += [person.id for person in rows[:2]]
            after = rows[:2][-1].id
    assert seen == sorted(entered, reverse=True)


@pytest.mark.requirement("E1.2")
async def test_number_phone_and_address_are_nowhere_in_clear(unit: Unit, admin: asyncpg.Connection) -> None:
    number, phone, address = new_number(), f"136{secrets.randbelow(10**8):08d}", "广西南宁市某街七号"
    async with unit(CAMPUS_1) as uow:
        person, _ = await service.meet(uow, card(id_number=number, phone=phone, address=address), 1)
        await service.search(uow, ExamineeSearch(id_number=number), None)
        await service.unmask(uow, person.id, "核对")
    for table in ("examinee", "examinee_name_key", "audit_event", "job"):
        for row in await admin.fetch(f"select {table}::text as whole from {table}"):
            for secret in (number, phone, address):
                assert secret not in row["whole"]
                assert secret.encode().hex() not in row["whole"]
    shown = service.shape(person).model_dump_json()
    assert number not in shown
    assert phone not in shown
    assert person.id_number_masked == f"{number[:6]}********{number[-4:]}"


async def test_a_sealed_number_copied_to_another_person_does_not_open(unit: Unit, admin: asyncpg.Connection) -> None:
    async with unit(CAMPUS_1) as uow:
        one, _ = await service.meet(uow, card(phone="13511112222"), 1)
        other, _ = await service.meet(uow, card(phone="13533334444"), 1)
    await admin.execute(
        "update examinee set phone_sealed = (select phone_sealed from examinee where id = $1) where id = $2",
        one.id,
        other.id,
    )
    with pytest.raises(InvalidTag):
        async with unit(CAMPUS_1) as uow:
            await service.unmask(uow, other.id, "核对")


async def test_unmasking_shows_everything_and_keeps_who_and_why(unit: Unit, admin: asyncpg.Connection) -> None:
    payload = card(phone="13800001234", address="某路一号")
    async with unit(CAMPUS_1) as uow:
        person, _ = await service.meet(uow, payload, 1)
    async with unit(CAMPUS_1) as uow:
        shown = await service.unmask(uow, person.id, "电话通知复查")
    assert (shown.id_number, shown.phone, shown.address) == (payload.id_number, "13800001234", "某路一号")
    row = await admin.fetchrow(
        "select principal_id, detail::text as detail from audit_event where action = 'examinee.unmasked' and object_id = $1",
        str(person.id),
    )
    assert row["principal_id"] == CAMPUS_1.id
    assert "电话通知复查" in row["detail"]


async def test_reading_and_searching_leave_a_trace_without_personal_data(
    unit: Unit, runtime: Any, admin: asyncpg.Connection
) -> None:
    async with unit(CAMPUS_1) as uow:
        person, _ = await service.meet(uow, card(name="农某某"), 1)
    last = await admin.fetchval("select max(id) from audit_event")
    async with runtime.units.read(CAMPUS_1) as uow:
        await service.look_at(uow, person.id)
        await service.search(uow, ExamineeSearch(q="农某"), None)
    rows = await admin.fetch("select action, detail::text as detail from audit_event where id > $1 order by id", last)
    assert [row["action"] for row in rows] == ["examinee.read", "examinee.searched"]
    assert all("农" not in row["detail"] for row in rows)


async def test_what_the_desk_hears_anew_replaces_what_was_known(unit: Unit) -> None:
    payload = card(phone="13511112222")
    async with unit(CAMPUS_1) as uow:
        person, _ = await service.meet(uow, payload, 1)
    async with unit(CAMPUS_1) as uow:
        again, _ = await service.meet(uow, payload.model_copy(update={"phone": "13533334444", "address": "新址"}), 1)
    assert (again.version, again.phone_masked) == (2, "135****4444")
    assert person.id in await found(unit, phone="13533334444")
    assert person.id not in await found(unit, phone="13511112222")
    async with unit(CAMPUS_1) as uow:
        unsaid, _ = await service.meet(uow, payload.model_copy(update={"phone": None}), 1)
        assert (unsaid.version, unsaid.phone_masked) == (2, "135****4444")


async def test_an_amendment_needs_the_version_that_was_read_and_null_empties(unit: Unit) -> None:
    async with unit(CAMPUS_1) as uow:
        person, _ = await service.meet(uow, card(phone="13511112222", nation="壮"), 1)
    async with unit(CAMPUS_1) as uow:
        amended = await service.amend(uow, person.id, ExamineePatch.model_validate({"phone": None}), 1)
        assert (amended.version, amended.phone_masked, amended.nation) == (2, None, "壮族")
    async with unit(CAMPUS_1) as uow:
        with pytest.raises(PreconditionFailed):
            await service.amend(uow, person.id, ExamineePatch(nation="汉"), 1)
        with pytest.raises(ExamineeNotFound):
            await service.amend(uow, uuid4(), ExamineePatch(nation="汉"), 1)


def body(**given: Any) -> dict[str, Any]:
    return {"campus_id": 1, **card(**given).model_dump(mode="json")}


@pytest.mark.requirement("E1.3")
async def test_a_card_posted_again_with_its_key_is_answered_as_before_and_with_another_as_known(
    sign_in: SignIn,
) -> None:
    front, payload, key = await sign_in("front"), body(name="张三", phone="13800001234"), secrets.token_hex(16)
    first = await front.post("/api/v1/examinees", json=payload, headers={"Idempotency-Key": key})
    again = await front.post("/api/v1/examinees", json=payload, headers={"Idempotency-Key": key})
    known = await front.post("/api/v1/examinees", json=payload, headers={"Idempotency-Key": secrets.token_hex(16)})
    assert first.status_code == again.status_code == known.status_code == 201, first.text
    assert first.json() == again.json()
    assert (first.json()["created"], known.json()["created"]) == (True, False)
    assert first.json()["id"] == known.json()["id"]
    assert payload["id_number"] not in first.text
    assert (await front.post("/api/v1/examinees", json=payload)).json()["code"] == "idempotency-key-missing"


async def test_over_http_a_foreign_campus_is_not_found_and_a_contradiction_names_its_field(sign_in: SignIn) -> None:
    front = await sign_in("front")

    async def post(payload: dict[str, Any]) -> dict[str, Any]:
        answer = await front.post("/api/v1/examinees", json=payload, headers={"Idempotency-Key": secrets.token_hex(16)})
        return {**answer.json(), "status": answer.status_code}

    foreign = await post({**body(), "campus_id": 2})
    assert (foreign["status"], foreign["code"]) == (404, "campus-not-held")
    contradicted = await post(body(sex="female"))
    assert (contradicted["status"], contradicted["code"]) == (422, "id-card-contradiction")
    assert [error["pointer"] for error in contradicted["errors"]] == ["/sex"]


@pytest.mark.requirement("E1.2")
async def test_over_http_a_person_is_found_read_and_amended_masked_and_unmasked_only_by_right(sign_in: SignIn) -> None:
    front, other_campus = await sign_in("front"), await sign_in("front.b")
    payload = body(name="单小燕", phone="13700009999")
    made = (
        await front.post("/api/v1/examinees", json=payload, headers={"Idempotency-Key": secrets.token_hex(16)})
    ).json()
    where = f"/api/v1/examinees/{made['id']}"
    page = (await front.post("/api/v1/examinees:search", json={"q": "shanxiao"})).json()
    assert made["id"] in [person["id"] for person in page["items"]]
    read = await front.get(where)
    assert read.headers["etag"] == '"1"'
    assert payload["id_number"] not in read.text
    assert (await other_campus.get(where)).status_code == 404
    assert (await front.patch(where, json={"nation": "壮"})).status_code == 428
    assert (await front.patch(where, json={"nation": "壮"}, headers={"If-Match": '"7"'})).status_code == 412
    amended = await front.patch(where, json={"nation": "壮"}, headers={"If-Match": '"1"'})
    assert (amended.status_code, amended.headers["etag"], amended.json()["nation"]) == (200, '"2"', "壮族")
    doctor, auditor = await sign_in("doctor"), await sign_in("auditor")
    assert (await doctor.post(f"{where}:unmask", json={"purpose": "核对"})).status_code == 403
    shown = await front.post(f"{where}:unmask", json={"purpose": "核对"})
    assert (shown.status_code, shown.json()["id_number"]) == (200, payload["id_number"])
    trail = (
        await auditor.get("/api/v1/audit-events", params={"object_id": made["id"], "object_type": "examinee"})
    ).json()
    assert "核对" in str([event["detail"] for event in trail["items"]])
