"""Two entries become one archive, and two again when they were not: what belongs to whom, who sees it, and who may say so."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from sqlalchemy.exc import DBAPIError

from tests.conftest import SignIn
from tests.tjapi.examinee.people import OWNED, enter, found, holdings, merge, pair, twice, undo
from tests.tjapi.world import API, Visit, World, key, portrait, until
from tjapi import demo, tables
from tjapi.exam import service as exams
from tjapi.exam.schemas import ExamIn
from tjapi.examinee import service
from tjapi.examinee.errors import ExamineeKnownElsewhere, ExamineeNotFound
from tjapi.examinee.schemas import IdCardPayload, MergeIn
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.security.principal import Principal
from tjapi.visit import invented_person

pytestmark = pytest.mark.requirement("E1.2", "I1")
FRONT = frozenset({"examinee.merge"})
CAMPUS_1 = Principal("staff", UUID(int=301), FRONT, campuses=(1,), departments=None)
CAMPUS_2 = Principal("staff", UUID(int=302), FRONT, campuses=(2,), departments=None)
BOTH = Principal("staff", UUID(int=303), FRONT, campuses=(1, 2), departments=None)
Unit = Callable[..., Any]
PLANTED = {
    "critical_value": "rule_code = 'K'", "member": "name = '名单'", "appointment": "day >= '2031-01-01'",
    "appointment_wait": "day_to >= '2031-01-01'",
}  # fmt: skip


@pytest.fixture
def world(runtime: Runtime, sign_in: SignIn) -> World:
    return World(runtime, sign_in)


@pytest.fixture
async def behind(admin: asyncpg.Connection) -> AsyncIterator[asyncpg.Connection]:
    """Who puts rows behind the product takes them away again: others count appointments and members."""
    yield admin
    for table, mine in PLANTED.items():
        await admin.execute(f"delete from {table} where {mine}")


async def refusal(answer: httpx.Response) -> tuple[int, str, list[str]]:
    body = answer.json()
    return answer.status_code, body["code"], [error["code"] for error in body["errors"]]


async def lived(world: World, admin: asyncpg.Connection, card: dict[str, Any]) -> Visit:
    """Somebody who has had everything: a published report, a membership, a booking, a wait, a critical value, a card, photos."""
    front = await world.sign_in("front")
    person = await enter(front, card)
    visit = await world.finalized("GLU", examinee_id=UUID(person))
    visit.card = card
    await world.published(visit)
    await front.post(
        f"{API}/examinees/{person}/identifiers", json={"kind": "visit_card", "number": f"K{secrets.token_hex(5)}"}
    )
    for seed in (1, 2):
        await front.put(f"{API}/examinees/{person}/photo", content=portrait(seed=seed))
    session = await admin.fetchval("select id from appointment_session limit 1")
    new = "insert into appointment (id, campus_id, state, source, examinee_id, day, session_id, session_name, starts_at, ends_at, resources, made_by, made_at) values (gen_random_uuid(), 1, 'booked', 'desk', $1, '2031-01-02', $2, '上午', '08:00', '09:00', '{}', gen_random_uuid(), now())"
    await admin.execute(new, UUID(person), session)
    wait = "insert into appointment_wait (id, campus_id, examinee_id, day_from, day_to, resources, state, joined_at) values (gen_random_uuid(), 1, $1, '2031-01-02', '2031-01-02', '{}', 'waiting', now())"
    await admin.execute(wait, UUID(person))
    await _critical(admin, visit)
    await _member(admin, person)
    return visit


async def _critical(admin: asyncpg.Connection, visit: Visit) -> None:
    await admin.execute(
        "insert into critical_value (id, campus_id, exam_id, examinee_id, exam_no, department_id, rule_code, rule_name, important_class, knowledge_version_id,"
        " event_key, explanation, result_ids, revision_ids, state, version, detected_at, due_at)"
        " values (gen_random_uuid(), 1, $1, $2, $3, 1, 'K', '钾', 'A', gen_random_uuid(), 'e', '试', '{}', '{}', 'closed', 1, now(), now())",
        visit.exam_id, visit.examinee_id, visit.exam_no,
    )  # fmt: skip


async def _member(admin: asyncpg.Connection, person: str) -> None:
    """On the list of an employer, behind the product: what a list is made of is tested elsewhere."""
    async with admin.transaction():
        employer, campaign = await admin.fetchrow("select gen_random_uuid(), gen_random_uuid()")
        await admin.execute(
            "set local session_replication_role = replica"
        )  # the list's own campaign is of no interest here
        await admin.execute(
            "insert into member (id, campus_id, campaign_id, list_no, name, sex, id_kind, marital_status, hazards, placement, placement_reason, state,"
            " examinee_id, version, created_at, updated_at)"
            " values ($1, 1, $2, 1, '名单', 'unknown', 'none', 'unknown', '{}', 'none', '{}', 'listed', $3, 1, now(), now())",
            employer, campaign, UUID(person),
        )  # fmt: skip


async def test_every_table_that_holds_a_person_is_followed_by_a_merge() -> None:
    holding = {table.name for table in tables.METADATA.sorted_tables if "examinee_id" in table.columns}
    # Sessions end: whoever is signed in is asked again who they are.
    assert holding == OWNED.keys() | {"portal_session"}


async def test_everything_follows_every_key_finds_the_survivor_and_undoing_brings_back_exactly_that(
    world: World, behind: asyncpg.Connection
) -> None:
    admin = behind
    front = await world.sign_in("front")
    passport, card = twice()
    passport["phone"] = f"198{secrets.randbelow(10**8):08d}"
    visit = await lived(world, admin, passport)
    merged, survivor = str(visit.examinee_id), await enter(front, card)
    await front.put(f"{API}/examinees/{survivor}/photo", content=portrait(seed=9))
    own = await world.finalized("GLU", examinee_id=UUID(survivor))
    cards = (await front.get(f"{API}/examinees/{merged}/identifiers")).json()["items"]
    before = await holdings(admin, merged, survivor)
    printed = await admin.fetchrow("select name, sex, birth_date, age_years from exam where id = $1", visit.exam_id)

    # The exams are of one day and both have come to an end: nothing speaks against it.
    answer = await merge(front, merged, survivor)
    assert answer.status_code == 200, answer.text
    done = answer.json()
    assert done["followed"] == {
        "exam": 1, "report": 1, "critical_value": 1, "member": 1, "appointment": 1, "appointment_wait": 1, "examinee_identifier": 1,
        "examinee_photo": 2, "examinee_name_key": done["followed"]["examinee_name_key"],
    }  # fmt: skip
    left = await holdings(admin, merged)
    assert {table for table, _ in left} == {"examinee_campus"}, "the campus still knows the row that was merged"
    assert (
        await admin.fetchrow("select name, sex, birth_date, age_years from exam where id = $1", visit.exam_id)
        == printed
    )

    by: tuple[dict[str, str], ...] = (
        {"id_number": passport["id_number"]}, {"id_number": card["id_number"]}, {"phone": passport["phone"]}, {"phone": card["phone"]},
        {"q": card["name"]},
    )  # fmt: skip
    for keys in by:
        people = await found(front, **keys)
        assert survivor in people, keys
        assert merged not in people, keys
    looked = await front.post(f"{API}/exams:search", json={"key": visit.exam_no, "exams_each": 5})
    assert [p["examinee"]["id"] for p in looked.json()["items"]] == [survivor]
    assert {e["id"] for e in looked.json()["items"][0]["exams"]} == {str(visit.exam_id), str(own.exam_id)}
    assert (await front.get(f"{API}/examinees/{merged}")).json()["id"] == survivor
    for asked in (merged, survivor):
        listed = (await front.get(f"{API}/exams", params={"examinee_id": asked})).json()["items"]
        assert {e["id"] for e in listed} == {str(visit.exam_id), str(own.exam_id)}
        assert (await front.get(f"{API}/examinees/{asked}/identifiers")).json()["items"] == cards
        assert len((await front.get(f"{API}/appointments", params={"examinee_id": asked})).json()["items"]) == 1
    photos = (await front.get(f"{API}/examinees/{survivor}/photos")).json()["items"]
    assert sorted(p["version"] for p in photos) == [1, 2, 3]
    assert photos[0]["version"] == 1, "the survivor's was taken last: it is the face, whatever its number"

    later = await world.registered("GLU", examinee_id=UUID(merged))
    assert (await front.get(later.place)).json()["examinee_id"] == survivor, (
        "who is registered under the old id is the survivor"
    )
    undone = await undo(front, done["id"])
    assert undone.status_code == 200, undone.text
    after = await holdings(admin, merged, survivor)
    assert after.pop(("exam", str(later.exam_id))) == survivor, "what came since stays"
    assert after == before
    assert await found(front, id_number=passport["id_number"]) == [merged]
    assert (await front.get(f"{API}/examinees/{merged}")).json()["id"] == merged
    history = (await front.get(f"{API}/examinees/{merged}/merges")).json()["items"]
    assert [(m["id"], m["undo_reason"]) for m in history] == [(done["id"], "系双胞胎")]
    assert (await refusal(await merge(front, merged, survivor)))[1] == "examinees-distinct", "not again by mistake"


@pytest.mark.requirement("I5")
async def test_a_token_ends_with_the_merge_and_whoever_enters_anew_sees_the_reports_of_both(world: World) -> None:
    front = await world.sign_in("front")
    passport, card = twice()
    visits = []
    for one in (passport, card):
        visit = await world.finalized("GLU", examinee_id=UUID(await enter(front, one)))
        visit.card = one
        await world.published(visit)
        visits.append(visit)
    merged, survivor = (str(visit.examinee_id) for visit in visits)
    async with world.owner(visits[0]) as owner, world.owner(visits[1]) as other:
        assert len((await owner.get(f"{API}/me/reports")).json()["items"]) == 1
        link = (
            await owner.post(f"{API}/me/reports/{(await owner.get(f'{API}/me/reports')).json()['items'][0]['id']}:link")
        ).json()["url"]
        done = (await merge(front, merged, survivor)).json()
        for client in (owner, other):
            refused = await client.get(f"{API}/me/reports")
            assert (refused.status_code, refused.json()["code"]) == (401, "unauthenticated")
        assert (await owner.get(link.split("/", 3)[3] if link.startswith("http") else link)).status_code == 404
    # The guide sheet is of the merged entry, and so are the last four of the passport: they hold both documents.
    code = (await front.post(f"{visits[0].place}:issue-access-code")).json()["access_code"]
    visits[0].access_code = code
    async with world.owner(visits[0]) as owner:
        shown = {r["exam_id"] for r in (await owner.get(f"{API}/me/reports")).json()["items"]}
        assert shown == {str(visit.exam_id) for visit in visits}
        await undo(front, done["id"])
        assert (await owner.get(f"{API}/me/reports")).status_code == 401, "of two people nobody stays signed in as both"
    visits[0].access_code = (await front.post(f"{visits[0].place}:issue-access-code")).json()["access_code"]
    async with world.owner(visits[0]) as owner:
        assert {r["exam_id"] for r in (await owner.get(f"{API}/me/reports")).json()["items"]} == {
            str(visits[0].exam_id)
        }


async def test_either_document_meets_the_survivor_and_what_is_new_goes_there(sign_in: SignIn) -> None:
    front = await sign_in("front")
    passport, card = twice()
    passport["name"] = "QIN Wei"
    merged, survivor = await enter(front, passport), await enter(front, card)
    assert (await merge(front, merged, survivor)).status_code == 200
    met = await front.post(f"{API}/examinees", json={"campus_id": 1, **passport, "phone": "19912345678"}, headers=key())
    assert (met.status_code, met.json()["id"], met.json()["created"]) == (201, survivor, False)
    assert met.json()["name"] == card["name"], (
        "the passport is held against the entry that has it, not against the survivor's name"
    )
    assert met.json()["phone_masked"] == "199****5678"
    stranger = await front.post(f"{API}/examinees", json={"campus_id": 1, **passport, "name": "李四"}, headers=key())
    assert stranger.json()["code"] == "examinee-name-differs"
    number = f"K{secrets.randbelow(10**9):09d}"
    added = await front.post(f"{API}/examinees/{merged}/identifiers", json={"kind": "exam_card", "number": number})
    assert added.status_code == 201
    assert await found(front, card_no=number) == [survivor]
    amended = await front.get(f"{API}/examinees/{merged}")
    answer = await front.patch(
        f"{API}/examinees/{merged}", json={"nation": "瑶族"}, headers={"If-Match": amended.headers["etag"]}
    )
    assert (answer.status_code, answer.json()["id"]) == (200, survivor)


async def test_what_contradicts_is_accepted_by_name_and_by_somebody_who_may(
    sign_in: SignIn, admin: asyncpg.Connection
) -> None:
    front, chief = await sign_in("front"), await sign_in("chief")
    one, two = [await enter(front, invented_person() | {"name": "覃矛盾"}) for _ in range(2)]
    details = [(await front.get(f"{API}/examinees/{person}")).json() for person in (one, two)]
    differ = ["id_number"] + [what for what in ("sex", "birth_date") if details[0][what] != details[1][what]]
    assert await refusal(await merge(front, one, two)) == (409, "examinees-contradict", differ)
    some = await merge(front, one, two, accept_contradictions=differ[1:])
    assert await refusal(some) == (409, "examinees-contradict", ["id_number"])
    forbidden = await merge(front, one, two, accept_contradictions=differ)
    assert (await refusal(forbidden))[:2] == (403, "permission-missing")
    done = await merge(chief, one, two, accept_contradictions=["id_number", "sex", "birth_date"])
    assert (done.status_code, done.json()["contradictions"]) == (200, differ), "what did not differ was not accepted"
    told = await admin.fetchval(
        "select detail::text from audit_event where action = 'examinee.merged' and object_id = $1", one
    )
    assert '"id_number"' in told
    assert "换证" not in told


async def test_who_has_a_document_survives_and_nobody_merges_with_themselves(sign_in: SignIn) -> None:
    front = await sign_in("front")
    _, card = twice()
    bare = {k: v for k, v in card.items() if k != "id_number"} | {"id_kind": "none"}
    without, holder = await enter(front, bare), await enter(front, card)
    assert (await refusal(await merge(front, holder, without)))[:2] == (409, "survivor-without-document")
    assert (await refusal(await merge(front, holder, holder)))[:2] == (422, "same-examinee")
    assert (await merge(front, without, holder)).status_code == 200
    assert (await refusal(await merge(front, without, holder)))[:2] == (422, "same-examinee"), "twice"
    assert (await refusal(await merge(front, holder, without)))[:2] == (422, "same-examinee"), "and the other way round"
    third = await enter(front, twice()[1])
    assert (await refusal(await merge(front, third, without)))[:2] == (409, "examinee-merged-away")


async def test_two_open_exams_of_one_day_and_two_places_of_one_day_are_named(
    world: World, behind: asyncpg.Connection
) -> None:
    admin = behind
    front = await world.sign_in("front")
    one, two = await pair(front)
    visits = [await world.registered("GLU", examinee_id=UUID(person)) for person in (one, two)]
    answer = await merge(front, one, two)
    assert await refusal(answer) == (409, "exams-on-one-day", ["exams-on-one-day"])
    assert all(visit.exam_no in answer.json()["errors"][0]["message"] for visit in visits)
    unmoved = await admin.fetchval("select count(*) from examinee where merged_into_id = $1", UUID(two))
    assert unmoved == 0, "a refusal leaves nothing half done"
    await front.post(f"{visits[0].place}:cancel", json={"reason": "重复登记"})
    session = await admin.fetchval("select id from appointment_session limit 1")
    for person in (one, two):
        await admin.execute(
            "insert into appointment (id, campus_id, state, source, examinee_id, day, session_id, session_name, starts_at, ends_at, resources, made_by, made_at)"
            " values (gen_random_uuid(), 1, 'booked', 'desk', $1, '2031-02-03', $2, '上午', '08:00', '09:00', '{}', gen_random_uuid(), now())",
            UUID(person), session,
        )  # fmt: skip
    answer = await merge(front, one, two)
    assert await refusal(answer) == (409, "appointments-on-one-day", ["appointments-on-one-day"])
    assert "2031-02-03" in answer.json()["errors"][0]["message"]
    await admin.execute("update appointment set state = 'cancelled' where examinee_id = $1", UUID(one))
    assert (await merge(front, one, two)).status_code == 200


async def test_a_chain_leads_to_its_end_and_is_undone_from_there(sign_in: SignIn, admin: asyncpg.Connection) -> None:
    front = await sign_in("front")
    first, last = twice()
    between = first | {"id_number": f"G{secrets.randbelow(10**8):08d}"}
    a, b, c = [await enter(front, card) for card in (first, between, last)]
    before = await holdings(admin, a, b, c)
    one, two = (await merge(front, a, b)).json(), (await merge(front, b, c)).json()
    for person in (a, b, c):
        assert (await front.get(f"{API}/examinees/{person}")).json()["id"] == c
    assert await found(front, id_number=first["id_number"]) == [c]
    assert await found(front, q=last["name"]) == [c]
    steps = await admin.fetchval("select count(*) from examinee where merged_into_id = $1", UUID(c))
    assert steps == 2, "one step leads from each to the end"
    assert (await refusal(await undo(front, one["id"])))[:2] == (409, "merge-not-last")
    assert (await undo(front, two["id"])).status_code == 200
    assert await found(front, id_number=first["id_number"]) == [b]
    assert (await undo(front, one["id"])).status_code == 200
    assert await holdings(admin, a, b, c) == before
    assert (await refusal(await undo(front, one["id"])))[:2] == (409, "merge-undone")


async def test_names_brought_back_leave_those_of_others_who_were_merged(
    sign_in: SignIn, admin: asyncpg.Connection
) -> None:
    front = await sign_in("front")
    card = twice()[1]
    name = "黎" + card["name"]
    others = [
        card | {"name": name, "id_kind": "passport", "id_number": f"E{secrets.randbelow(10**8):08d}"} for _ in range(2)
    ]
    survivor, one, two = [await enter(front, entry) for entry in (card, *others)]
    before = await holdings(admin, survivor, one, two)
    merges = [(await merge(front, person, survivor)).json()["id"] for person in (one, two)]
    await undo(front, merges[0])
    assert sorted(await found(front, q=name)) == sorted([one, survivor]), "the other one's name finds the survivor yet"
    await undo(front, merges[1])
    assert sorted(await found(front, q=name)) == sorted([one, two])
    assert await holdings(admin, survivor, one, two) == before


async def test_both_ways_at_once_end_with_one_archive(sign_in: SignIn, admin: asyncpg.Connection) -> None:
    front = await sign_in("front")
    for _ in range(3):
        passport, other = twice()
        other |= {"id_kind": "passport", "id_number": f"G{secrets.randbelow(10**8):08d}"}
        one, two = await enter(front, passport), await enter(front, other)
        answers = await asyncio.gather(merge(front, one, two), merge(front, two, one), merge(front, one, two))
        assert sorted(answer.status_code for answer in answers) == [200, 422, 422], [a.text for a in answers]
        pointing = await admin.fetchval(
            "select count(*) from examinee where id = any($1) and merged_into_id is not null", [UUID(one), UUID(two)]
        )
        assert pointing == 1
        done = next(answer.json() for answer in answers if answer.status_code == 200)
        undone = await asyncio.gather(*(undo(front, done["id"]) for _ in range(3)))
        assert sorted(answer.status_code for answer in undone) == [200, 409, 409]


async def waits(admin: asyncpg.Connection) -> bool:
    """Whether somebody waits for somebody else's row."""
    waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    return bool(await admin.fetchval(waiting))


async def test_what_is_registered_while_people_are_merged_is_the_survivors(
    world: World, unit: Unit, admin: asyncpg.Connection
) -> None:
    front = await world.sign_in("front")
    one, two = await pair(front)
    body = await world.order(UUID(one), "GLU")
    async with unit(BOTH) as uow:
        await service.merge(uow, UUID(one), MergeIn(survivor_id=UUID(two), reason="重复建档"))
        registering = asyncio.create_task(front.post(f"{API}/exams", json=body, headers=key()))
        await until(lambda: waits(admin))
    assert (await registering).json()["examinee_id"] == two


async def test_what_is_being_registered_when_people_are_merged_follows(
    world: World, unit: Unit, admin: asyncpg.Connection
) -> None:
    front, desk = await world.sign_in("front"), await world.staff("front")
    one, two = await pair(front)
    order = ExamIn.model_validate(await world.order(UUID(one), "GLU"))
    async with unit(desk) as uow:
        exam = await exams.register(uow, order)
        merging = asyncio.create_task(merge(front, one, two))
        await until(lambda: waits(admin))
    assert (await merging).json()["followed"]["exam"] == 1
    assert await admin.fetchval("select examinee_id from exam where id = $1", exam.id) == UUID(two)


@pytest.mark.requirement("D3")
async def test_nobody_moves_what_a_campus_of_theirs_does_not_see(
    unit: Unit, sign_in: SignIn, admin: asyncpg.Connection
) -> None:
    passport, card = twice()
    async with unit(demo.LOADER) as uow:
        one, _ = await service.meet(uow, IdCardPayload.model_validate(passport), 1)
        two, _ = await service.meet(uow, IdCardPayload.model_validate(card), 1)
        await service.meet(uow, IdCardPayload.model_validate(card), 2)
    order = MergeIn(survivor_id=two.id, reason="重复建档")
    async with unit(CAMPUS_1) as uow:
        with pytest.raises(ExamineeKnownElsewhere):
            await service.merge(uow, one.id, order)
    async with unit(CAMPUS_2) as uow:
        with pytest.raises(ExamineeNotFound):
            await service.merge(uow, one.id, order)
    async with unit(BOTH) as uow:
        done = await service.merge(uow, one.id, order)
    async with unit(CAMPUS_2) as uow:
        assert (await service.get(uow, two.id)).id == two.id
        with pytest.raises(ExamineeNotFound):
            await service.get(uow, one.id)
    async with unit(CAMPUS_1) as uow:
        with pytest.raises(ExamineeKnownElsewhere):
            await service.undo_merge(uow, done.id, "有误")
    async with unit(BOTH) as uow:
        await service.undo_merge(uow, done.id, "有误")
    assert await admin.fetchval("select count(*) from examinee_campus where by_merge and examinee_id = $1", two.id) == 0


@pytest.mark.requirement("D3")
async def test_a_campus_that_knew_the_one_knows_the_other_until_it_is_undone(unit: Unit, sign_in: SignIn) -> None:
    front, other = await sign_in("front"), await sign_in("front.b")
    passport, card = twice()
    merged, survivor = await enter(front, passport), await enter(other, card, 2)
    async with unit(BOTH) as uow:
        done = await service.merge(uow, UUID(merged), MergeIn(survivor_id=UUID(survivor), reason="重复建档"))
    assert await found(front, id_number=passport["id_number"]) == [survivor]
    assert await found(other, q=card["name"]) == [survivor]
    assert (await front.get(f"{API}/examinees/{merged}")).json()["id"] == survivor
    # A third campus meets the passport: it is shown to whom it stands for as well.
    async with unit(BOTH) as uow:
        await service.undo_merge(uow, done.id, "有误")
    assert (await front.get(f"{API}/examinees/{survivor}")).status_code == 404, "known by the merge alone"
    assert (await front.get(f"{API}/examinees/{merged}")).json()["id"] == merged
    assert (await other.get(f"{API}/examinees/{survivor}")).status_code == 200


@pytest.mark.requirement("D3")
async def test_a_document_met_at_another_campus_shows_it_the_survivor_and_later_its_own_holder(
    unit: Unit, sign_in: SignIn
) -> None:
    front, other = await sign_in("front"), await sign_in("front.b")
    passport, card = twice()
    merged, survivor = await enter(front, passport), await enter(front, card)
    done = (await merge(front, merged, survivor)).json()
    met = await other.post(f"{API}/examinees", json={"campus_id": 2, **passport}, headers=key())
    assert met.json()["id"] == survivor
    assert (await refusal(await undo(front, done["id"])))[:2] == (403, "examinee-known-elsewhere"), (
        "campus 2 knows them by now"
    )
    async with unit(BOTH) as uow:
        await service.undo_merge(uow, UUID(done["id"]), "有误")
    assert (await other.get(f"{API}/examinees/{merged}")).json()["id"] == merged, "whose document it saw"
    assert (await other.get(f"{API}/examinees/{survivor}")).status_code == 404, "whom it knew by the merge alone"


async def test_past_every_service_nothing_goes_from_one_person_to_another(unit: Unit, world: World) -> None:
    front = await world.sign_in("front")
    visit = await world.checked_in("GLU")
    await front.put(f"{API}/examinees/{visit.examinee_id}/photo", content=portrait(seed=5))
    thief = await enter(front, twice()[1])
    attempts = (
        f"update exam set examinee_id = '{thief}' where id = '{visit.exam_id}'",
        f"update examinee_photo set examinee_id = '{thief}' where examinee_id = '{visit.examinee_id}'",
        f"update examinee_photo set version = 7 where examinee_id = '{visit.examinee_id}'",
        f"update examinee_photo set file = 'x' where examinee_id = '{visit.examinee_id}'",
        f"update examinee_merge set reason = '' where merged_id = '{visit.examinee_id}'",
        "delete from examinee_merge_row",
        "delete from examinee_distinction",
    )
    for attempt in attempts:
        async with unit(BOTH) as uow:
            raw = (await (await uow.session.connection()).get_raw_connection()).driver_connection
            assert raw is not None
            with pytest.raises((asyncpg.PostgresError, DBAPIError)):
                await raw.execute(attempt)
