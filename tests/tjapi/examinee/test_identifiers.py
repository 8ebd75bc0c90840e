"""Cards and numbers of other systems: they find a person, belong to one, and are nowhere in clear."""

import asyncio
import secrets
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy import text

from tests.conftest import SignIn
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.security.principal import Principal
from tjapi.visit import invented_person

pytestmark = pytest.mark.requirement("E1.2")
API = "/api/v1"


def fresh() -> str:
    return "K" + "".join(secrets.choice("0123456789") for _ in range(12))


async def place_of(sign_in: SignIn, login: str = "front") -> tuple[str, str]:
    body = {"campus_id": 2 if login.endswith(".b") else 1, **invented_person()}
    met = await (await sign_in(login)).post(
        f"{API}/examinees", json=body, headers={"Idempotency-Key": secrets.token_hex(16)}
    )
    return met.json()["id"], f"{API}/examinees/{met.json()['id']}/identifiers"


async def people(client: Any, number: str) -> list[str]:
    answer = await client.post(f"{API}/examinees:search", json={"card_no": number})
    return [person["id"] for person in answer.json()["items"]]


async def test_a_card_finds_its_holder_until_it_is_taken_away(sign_in: SignIn) -> None:
    front, number = await sign_in("front"), fresh()
    person, place = await place_of(sign_in)
    assert await people(front, number) == []
    added = await front.post(place, json={"kind": "visit_card", "number": f";{number[:5]}-{number[5:].lower()}?"})
    assert (added.status_code, added.json()["number_masked"]) == (201, "*********" + number[-4:])
    again = await front.post(place, json={"kind": "visit_card", "number": number})
    assert again.json() == added.json(), "adding it twice is adding it once"
    assert await people(front, number) == [person]
    assert (await front.get(place)).json()["items"] == [added.json()]
    left = await front.post(f"{place}/{added.json()['id']}:remove")
    assert (left.status_code, left.json()["items"]) == (200, [])
    assert await people(front, number) == []
    gone = await front.post(f"{place}/{added.json()['id']}:remove")
    assert (gone.status_code, gone.json()["code"]) == (404, "identifier-not-found")


async def test_of_each_kind_a_number_belongs_to_one_person_whoever_asks_first(sign_in: SignIn) -> None:
    front, number = await sign_in("front"), fresh()
    (one, at_one), (two, at_two) = await place_of(sign_in), await place_of(sign_in)
    body = {"kind": "exam_card", "number": number}
    answers = await asyncio.gather(*(front.post(place, json=body) for place in (at_one, at_two) * 3))
    assert sorted({answer.status_code for answer in answers}) == [201, 409]
    holder = await people(front, number)
    assert holder in ([one], [two])
    refused = next(answer for answer in answers if answer.status_code == 409).json()
    assert (refused["code"], refused["errors"][0]["pointer"]) == ("identifier-taken", "/number")
    assert not any(secret in str(refused) for secret in (one, two, number))
    other = at_two if holder == [one] else at_one
    assert (await front.post(other, json={**body, "kind": "his_patient"})).status_code == 201, "another kind"
    assert sorted(await people(front, number)) == sorted([one, two])


async def test_what_is_no_number_names_its_field_in_both_languages(sign_in: SignIn) -> None:
    front = await sign_in("front")
    _, place = await place_of(sign_in)
    for language, message in (("zh", "卡号只含字母和数字"), ("en", "a card number is of letters and digits")):
        answer = await front.post(
            place, json={"kind": "exam_card", "number": "卡"}, headers={"Accept-Language": language}
        )
        assert answer.status_code == 422
        assert [(e["pointer"], e["message"]) for e in answer.json()["errors"]] == [("/number", message)]
    nobody = await front.post(f"{API}/examinees/{uuid4()}/identifiers", json={"kind": "exam_card", "number": "K1"})
    assert nobody.json()["code"] == "examinee-not-found"


@pytest.mark.requirement("D3")
async def test_another_campus_neither_finds_nor_touches_a_card_and_learns_no_name(
    sign_in: SignIn, runtime: Runtime
) -> None:
    front, other, number = await sign_in("front"), await sign_in("front.b"), fresh()
    person, place = await place_of(sign_in)
    added = (await front.post(place, json={"kind": "his_patient", "number": number})).json()
    assert await people(other, number) == []
    assert (await other.get(place)).status_code == 404
    assert (await other.post(f"{place}/{added['id']}:remove")).status_code == 404
    rows = text("select count(*) from examinee_identifier where examinee_id = :person")
    for campus, seen in ((1, 1), (2, 0)):
        async with runtime.units.read(Principal("staff", uuid4(), campuses=(campus,))) as uow:
            assert (await uow.session.execute(rows, {"person": UUID(person)})).scalar() == seen, "past every service"
    _, theirs = await place_of(sign_in, "front.b")
    refused = await other.post(theirs, json={"kind": "his_patient", "number": number})
    assert (refused.status_code, refused.json()["code"]) == (409, "identifier-taken")
    assert person not in refused.text
    crossed = await other.post(f"{theirs}/{added['id']}:remove")
    assert crossed.json()["code"] == "identifier-not-found"
    assert await people(front, number) == [person]


async def test_a_card_number_is_nowhere_in_clear_and_leaves_a_trace(sign_in: SignIn, admin: asyncpg.Connection) -> None:
    front, number = await sign_in("front"), fresh()
    person, place = await place_of(sign_in)
    added = (await front.post(place, json={"kind": "exam_card", "number": number})).json()
    await people(front, number)
    await front.post(f"{place}/{added['id']}:remove")
    rows = await admin.fetch(
        "select action, detail::text as detail from audit_event where object_id = $1 order by id", person
    )
    assert [row["action"] for row in rows][-2:] == ["examinee.identifier_added", "examinee.identifier_removed"]
    await front.post(place, json={"kind": "exam_card", "number": number})
    for table in ("examinee_identifier", "audit_event"):
        for row in await admin.fetch(f"select {table}::text as whole from {table}"):
            assert number not in row["whole"]
            assert number.encode().hex() not in row["whole"]
    assert await admin.fetchval("select count(*) from examinee_identifier where examinee_id = $1", UUID(person)) == 1
