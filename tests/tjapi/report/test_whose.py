"""Whose a report is after two people were merged, or parted again: nobody holds what is printed of a stranger, and what is in doubt is not given out."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.tjapi.examinee.people import enter, merge, undo
from tests.tjapi.report.test_past import _published, _work_done
from tests.tjapi.world import API, House, Visit, house
from tjapi.visit import invented_person

pytestmark = pytest.mark.requirement("E1.2", "E6.1", "E12.1")
CONTRADICTIONS = ["id_number", "sex", "birth_date"]


@pytest.fixture(scope="module")
async def place(worker_name: str) -> AsyncIterator[House]:
    async with house(f"whose_{worker_name}") as built:
        yield built


async def _reports(place: House, visit: Visit) -> list[tuple[str, bool, str | None]]:
    chief = await place.sign_in("chief")
    items = (await chief.get(f"{visit.place}/reports")).json()["items"]
    return [(one["state"], one["outdated"], one["failure"]) for one in items]


async def _tasks(place: House, visit: Visit) -> list[dict[str, Any]]:
    chief = await place.sign_in("chief")
    tasks = (await chief.get(f"{API}/amendment-tasks", params={"state": "open", "page_size": 200})).json()["items"]
    return [one for one in tasks if one["exam_id"] == str(visit.exam_id) and one["person"]]


async def _reasons(place: House, visit: Visit) -> list[str]:
    front = await place.sign_in("front")
    return [one["code"] for one in (await front.get(f"{visit.place}/completeness")).json()["outstanding"]]


async def _stranger(front: httpx.AsyncClient, visit_sex: str, **other: Any) -> str:
    card = invented_person("female" if visit_sex == "male" else "male") | other
    return await enter(front, card)


async def _held_by(place: House, visit: Visit) -> tuple[set[str], set[str]]:
    """Whose the exam is, and whose its reports and critical values are."""
    sql = "select examinee_id::text from {} where exam_id = $1"
    exam = await place.admin.fetch("select examinee_id::text from exam where id = $1", visit.exam_id)
    of = [await place.admin.fetch(sql.format(table), visit.exam_id) for table in ("report", "critical_value")]
    return {row[0] for row in exam}, {row[0] for rows in of for row in rows}


async def _act(place: House, visit: Visit, who: str, verb: str, body: dict[str, Any] | None = None) -> None:
    client = await place.sign_in(who)
    at = f"{visit.place}/conclusion"
    tag = {"If-Match": (await client.get(at)).headers["etag"]}
    method, where = ("PUT", at) if verb == "write" else ("POST", f"{at}:{verb}")
    answer = await client.request(method, where, json=body, headers=tag)
    assert answer.status_code == 200, (verb, answer.text)


async def _visit(place: House) -> tuple[Visit, str]:
    front = await place.sign_in("front")
    card = invented_person("male")
    person = await enter(front, card)
    visit = await place.world.finalized("GLU", examinee_id=UUID(person))
    return visit, person


async def test_what_is_finalized_is_held_against_the_file_that_it_belongs_to_now(place: House) -> None:
    visit, person = await _visit(place)
    report = await _published(place, visit)
    front, chief = await place.sign_in("front"), await place.sign_in("chief")
    other = await _stranger(front, "male")
    made = await merge(chief, person, other, accept_contradictions=CONTRADICTIONS)
    assert made.status_code == 200, made.text
    assert await _reasons(place, visit) == ["facts_differ"]
    assert await _reports(place, visit) == [("published", True, None)]
    [task] = await _tasks(place, visit)
    closed = await chief.post(f"{API}/amendment-tasks/{task['id']}:close", json={"outcome": "无妨"})
    assert (closed.status_code, closed.json()["code"]) == (409, "amendment-needed")
    refused = await chief.post(f"{visit.place}/reports")
    assert (refused.status_code, refused.json()["code"]) == (409, "exam-not-complete")
    assert [one["code"] for one in refused.json()["errors"]] == ["facts_differ"]
    # They are two after all: what was printed is true of its person again.
    assert (await undo(chief, made.json()["id"])).status_code == 200
    assert await _reasons(place, visit) == []
    assert await _reports(place, visit) == [("published", False, None)]
    assert await _tasks(place, visit) == []
    assert (await chief.get(f"{API}/reports/{report['id']}/pdf")).status_code == 200


async def test_what_is_sealed_is_not_published_of_somebody_else(place: House) -> None:
    visit, person = await _visit(place)
    chief, front = await place.sign_in("chief"), await place.sign_in("front")
    asked = (await chief.post(f"{visit.place}/reports")).json()
    await _work_done(place)
    other = await _stranger(front, "male")
    assert (await merge(chief, person, other, accept_contradictions=CONTRADICTIONS)).status_code == 200
    assert await _reports(place, visit) == [("failed", False, "person_changed")]
    published = await chief.post(f"{API}/reports/{asked['id']}:publish")
    assert published.status_code == 409, published.text


async def test_a_person_of_another_name_has_the_report_made_anew(place: House) -> None:
    """Sex and birth date agree, and so nothing of the exam is in doubt: only what is printed."""
    front, chief = await place.sign_in("front"), await place.sign_in("chief")
    card = invented_person("male")
    visit = await place.world.finalized("GLU", examinee_id=UUID(await enter(front, card)))
    await _published(place, visit)
    passport = card | {"name": "韦正名", "id_kind": "passport", "id_number": "E90817263"}
    other = await enter(front, passport)
    made = await merge(front, str(visit.examinee_id), other, accept_contradictions=CONTRADICTIONS)
    assert made.status_code == 200, made.text
    assert await _reasons(place, visit) == []
    assert await _reports(place, visit) == [("published", True, None)]
    assert [one["person"] for one in await _tasks(place, visit)] == [
        "已发布报告所载姓名、性别或出生日期与受检者档案不一致"
    ]
    # That a doubt about the person ends does not make true what is printed.
    seen = await front.post(f"{visit.place}/identity-checks", json={"method": "photo", "outcome": "different"})
    same = {"decision": "same", "reason": "核对户口簿"}
    assert (await chief.post(f"{API}/identity-checks/{seen.json()['id']}:decide", json=same)).status_code == 200
    assert len(await _tasks(place, visit)) == 1
    assert (await _reports(place, visit))[0] == ("published", True, None)
    again = await _published(place, visit)
    assert await _tasks(place, visit) == []
    assert (await _reports(place, visit))[0] == ("published", False, None)
    # Parted again, the first person holds neither the exam of a stranger nor a report that prints one.
    undone = await undo(chief, made.json()["id"])
    assert undone.status_code == 200, undone.text
    assert (await chief.get(f"{API}/reports/{again['id']}")).json()["state"] == "recalled"
    newest = (await _reports(place, visit))[0]
    assert newest[0] == "rendering"
    mine = {str(visit.examinee_id)}
    assert await _held_by(place, visit) == (mine, mine)


async def test_a_report_made_since_the_merge_goes_back_with_its_exam_and_is_recalled(place: House) -> None:
    visit, person = await _visit(place)
    front, chief = await place.sign_in("front"), await place.sign_in("chief")
    other = await _stranger(front, "male")
    made = await merge(chief, person, other, accept_contradictions=CONTRADICTIONS)
    # What the exam says of its person is corrected to the file, and all is signed anew.
    await _act(place, visit, "chief", "reopen", {"reason": "登记有误"})
    file = (await front.get(f"{API}/examinees/{other}")).json()
    facts = {"sex": file["sex"], "birth_date": file["birth_date"], "reason": "按档案更正"}
    corrected = await front.post(f"{visit.place}:correct-facts", json=facts)
    assert corrected.status_code == 200, corrected.text
    words = {"overview": "核对后见各项结果。", "entries": [{"kind": "finding", "title": "血糖复核"}]}
    await _act(place, visit, "reviewer", "write", words)
    await _act(place, visit, "reviewer", "sign")
    await _act(place, visit, "chief", "finalize")
    report = await _published(place, visit)
    undone = await undo(chief, made.json()["id"])
    assert undone.status_code == 200, undone.text
    assert (await chief.get(f"{API}/reports/{report['id']}")).json()["state"] == "recalled"
    assert await _reasons(place, visit) == ["facts_differ"]
    assert len(await _tasks(place, visit)) == 1
    assert await _held_by(place, visit) == ({person}, {person})
