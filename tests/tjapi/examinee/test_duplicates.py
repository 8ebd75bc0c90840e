"""People entered twice are suggested, once each, with a score and its reasons; whom somebody found to be two is suggested no more."""

import secrets
from typing import Any

import asyncpg
import httpx
import pytest

from tests.conftest import SignIn
from tests.tjapi.examinee.people import enter, pair, twice
from tests.tjapi.world import API, key
from tjapi.visit import invented_person

pytestmark = pytest.mark.requirement("E1.2", "I1")
PLACE = f"{API}/examinee-duplicates"


async def suggested(client: httpx.AsyncClient, **params: Any) -> list[dict[str, Any]]:
    answer = await client.get(PLACE, params={"campus_id": 1, **params})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def all_pages(client: httpx.AsyncClient, size: int) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    params: dict[str, Any] = {"campus_id": 1, "page_size": size}
    while True:
        page = (await client.get(PLACE, params=params)).json()
        assert len(page["items"]) <= size
        pairs += [(found["examinee"]["id"], found["other"]["id"]) for found in page["items"]]
        if page["next_page_token"] is None:
            return pairs
        params["page_token"] = page["next_page_token"]


async def test_an_entry_beside_another_of_the_same_person_is_suggested_with_its_reasons(sign_in: SignIn) -> None:
    front = await sign_in("front")
    one, two = await pair(front)
    (found,) = await suggested(front, examinee_id=one)
    assert (found["examinee"]["id"], found["other"]["id"]) == (two, one), "the later first"
    assert (found["score"], found["contradictions"]) == (95, [])
    assert {e["code"]: e["points"] for e in found["evidence"]} == {
        "same_name": 30, "same_birth_date": 30, "same_sex": 10, "same_phone": 25,
    }  # fmt: skip
    assert await suggested(front, examinee_id=one, min_score=96) == []
    assert found["other"]["id_number_masked"].count("*") > 3


async def test_reading_phone_and_number_each_lead_to_a_pair_and_near_misses_to_none(sign_in: SignIn) -> None:
    front = await sign_in("front")
    card = invented_person() | {"name": "覃闭韦", "birth_date": "1987-06-05", "sex": "male", "id_kind": "none"}
    card.pop("id_number")
    one = await enter(front, card)
    sounds = await enter(front, card | {"name": "秦毕伟", "phone": "19900000001"})
    slip = await enter(front, card | {"birth_date": "1987-05-06"})
    twin = await enter(front, card | {"name": "覃闭陆", "sex": "male"})
    spouse = await enter(front, card | {"name": "黄兰", "sex": "female", "birth_date": "1988-01-01"})
    pairs = {frozenset((p["examinee"]["id"], p["other"]["id"])) for p in await suggested(front, examinee_id=one)}
    assert pairs == {frozenset((one, sounds)), frozenset((one, slip))}
    assert not any(other in {i for p in pairs for i in p} for other in (twin, spouse))


async def test_the_15_digits_of_a_number_under_another_kind_find_its_18(sign_in: SignIn) -> None:
    front = await sign_in("front")
    card = invented_person()
    while not card["birth_date"].startswith("19"):
        card = invented_person()
    old = card["id_number"][:6] + card["id_number"][8:17]
    wrong_kind = card | {"id_kind": "passport", "id_number": old, "name": "误录", "phone": "19900000002"}
    one, two = await enter(front, wrong_kind), await enter(front, card)
    for asked in (one, two):
        (found,) = await suggested(front, examinee_id=asked)
        assert (found["other"]["id"], found["score"] >= 80) == (one, True)
        assert "same_id_number" in {e["code"] for e in found["evidence"]}


async def test_pages_of_any_size_name_each_pair_once(sign_in: SignIn) -> None:
    front = await sign_in("front")
    one, two = twice()
    ids = [await enter(front, card) for card in (one, two)]
    ids += [await enter(front, one | {"id_number": f"G{secrets.randbelow(10**8):08d}"}) for _ in range(2)]
    whole = await all_pages(front, 200)
    assert len(whole) == len(set(whole)) == len({frozenset(found) for found in whole})
    assert sum(set(found) <= set(ids) for found in whole) == 6, "four entries are six pairs"
    assert await all_pages(front, 1) == await all_pages(front, 4) == whole
    forged = await front.get(PLACE, params={"campus_id": 1, "page_token": "AAAA", "page_size": 1})
    assert forged.json()["code"] == "page-token-invalid"


@pytest.mark.requirement("D3")
async def test_another_campus_learns_of_no_pair(sign_in: SignIn) -> None:
    front, other = await sign_in("front"), await sign_in("front.b")
    one, _ = await pair(front)
    assert await suggested(other, campus_id=1) == []
    refused = await other.get(PLACE, params={"campus_id": 2, "examinee_id": one})
    assert (refused.status_code, refused.json()["code"]) == (404, "examinee-not-found")


async def test_who_was_found_to_be_two_people_is_not_suggested_until_that_is_withdrawn(
    sign_in: SignIn, admin: asyncpg.Connection
) -> None:
    front = await sign_in("front")
    one, two = await pair(front)
    body = {"examinee_ids": [one, two], "reason": "双胞胎,见本人"}
    decided = await front.post(f"{API}/examinee-distinctions", json=body)
    assert decided.status_code == 201, decided.text
    again = await front.post(f"{API}/examinee-distinctions", json={"examinee_ids": [two, one]})
    assert again.json() == decided.json(), "deciding it twice is deciding it once, whichever comes first"
    assert await suggested(front, examinee_id=one) == []
    assert not any({one, two} == set(found) for found in await all_pages(front, 50))
    refused = await front.post(f"{API}/examinees/{one}:merge", json={"survivor_id": two, "reason": "同一人"})
    assert (refused.status_code, refused.json()["code"]) == (409, "examinees-distinct")
    listed = (await front.get(f"{API}/examinees/{two}/distinctions")).json()["items"]
    assert [row["reason"] for row in listed] == ["双胞胎,见本人"]
    place = f"{API}/examinee-distinctions/{decided.json()['id']}:withdraw"
    withdrawn = [(await front.post(place)).json()["withdrawn_at"] for _ in range(2)]
    assert withdrawn[0] == withdrawn[1] is not None
    assert len(await suggested(front, examinee_id=one)) == 1
    trail = "select string_agg(action || detail::text, ' ' order by id) from audit_event where object_id = any($1)"
    told = await admin.fetchval(trail, [one, two])
    assert "examinee.distinguished" in told
    assert "examinee.distinction_withdrawn" in told
    assert "双胞胎" not in told, "why is kept with the decision, under row security"
    rows = await admin.fetchval(
        "select count(*) from examinee_distinction where first_id = any($1::uuid[])", [one, two]
    )
    assert rows == 1, "what was decided once is history, not gone"


@pytest.mark.requirement("D3")
async def test_nobody_decides_about_people_of_another_campus_nor_about_one_alone(sign_in: SignIn) -> None:
    front, other = await sign_in("front"), await sign_in("front.b")
    one, two = await pair(front)
    place = f"{API}/examinee-distinctions"
    hidden = await other.post(place, json={"examinee_ids": [one, two]}, headers=key())
    assert hidden.json()["code"] == "examinee-not-found"
    same = await front.post(place, json={"examinee_ids": [one, one]})
    assert (same.status_code, same.json()["code"]) == (422, "same-examinee")
    decided = (await front.post(place, json={"examinee_ids": [one, two]})).json()["id"]
    gone = await other.post(f"{place}/{decided}:withdraw")
    assert gone.json()["code"] == "distinction-not-found"
