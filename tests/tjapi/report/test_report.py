"""A report is made of a finalized exam, once, and what its owner may see is decided at each download."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pypdfium2 as pdfium
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.tjapi.world import API, PDF, House, SignIn, World, house, until, working
from tjapi import demo
from tjapi.kernel.runtime import Runtime
from tjapi.report import service as reports
from tjapi.report.rules import MOVES

pytestmark = pytest.mark.requirement("E6.1")


@pytest.fixture
def world(runtime: Runtime, sign_in: SignIn) -> World:
    return World(runtime, sign_in)


async def _publish(client: httpx.AsyncClient, report_id: UUID) -> httpx.Response:
    return await client.post(f"{API}/reports/{report_id}:publish")


@pytest.mark.parametrize("upto", ["registered", "checked_in", "ready"])
async def test_there_is_no_report_of_an_exam_that_is_not_finalized(world: World, upto: str) -> None:
    visit, chief = await getattr(world, upto)("GLU"), await world.sign_in("chief")
    answer = await chief.post(f"{visit.place}/reports")
    assert (answer.status_code, answer.json()["code"]) == (409, "exam-not-finalized")


async def test_while_a_version_is_rendered_asking_again_gives_that_one(world: World, admin: asyncpg.Connection) -> None:
    visit, chief = await world.finalized("GLU"), await world.sign_in("chief")
    answers = await asyncio.gather(*(chief.post(f"{visit.place}/reports") for _ in range(5)))
    assert [a.status_code for a in answers] == [202] * 5
    assert len({a.json()["id"] for a in answers}) == 1
    assert answers[0].json()["state"] == "rendering"
    jobs = "select count(*) from job where name = 'report.render' and payload ->> 'exam_id' = $1"
    assert await admin.fetchval(jobs, str(visit.exam_id)) == 1
    early = await _publish(chief, UUID(answers[0].json()["id"]))
    assert (early.status_code, early.json()["code"]) == (409, "report-not-ready")
    download = await chief.get(f"{API}/reports/{answers[0].json()['id']}/pdf")
    assert (download.status_code, download.json()["code"]) == (409, "report-not-ready")


async def test_bytes_are_kept_once_for_a_version_and_a_second_rendering_changes_nothing(world: World) -> None:
    visit, chief = await world.finalized("GLU"), await world.sign_in("chief")
    report_id = await world.generated(visit)
    address = await world.runtime.storage.put(b"%PDF-another rendering")
    async with world.runtime.units.open(demo.LOADER, "worker") as uow:
        await reports.keep(uow, report_id, file=address, sha256="00" * 32, pages=9, size=1)
        await reports.seal(uow, report_id, file=address, sha256="00" * 32, size=1)
    kept = (await chief.get(f"{API}/reports/{report_id}")).json()
    assert (kept["sha256"], kept["pages"], kept["state"]) == (hashlib.sha256(PDF).hexdigest(), 1, "sealed")
    copies = await asyncio.gather(*(chief.get(f"{API}/reports/{report_id}/pdf") for _ in range(10)))
    assert {copy.content for copy in copies} == {PDF}
    assert {copy.headers["cache-control"] for copy in copies} == {"no-store"}


async def test_each_download_by_staff_leaves_its_trace(world: World, admin: asyncpg.Connection) -> None:
    visit, chief = await world.finalized("GLU"), await world.sign_in("chief")
    report_id = await world.generated(visit)
    for _ in range(2):
        await chief.get(f"{API}/reports/{report_id}/pdf")
    traced = "select count(*) from audit_event where action = 'report.downloaded' and object_id = $1"
    assert await admin.fetchval(traced, str(report_id)) == 2


async def test_a_new_version_supersedes_the_published_one_for_its_owner_too(world: World) -> None:
    visit, chief = await world.finalized("GLU"), await world.sign_in("chief")
    async with world.owner(visit) as owner:
        first = await world.published(visit)
        assert [r["id"] for r in (await owner.get(f"{API}/me/reports")).json()["items"]] == [str(first)]
        assert (await owner.get(f"{API}/me/reports/{first}/pdf")).content == PDF
        second = await world.generated(visit)
        assert (await owner.get(f"{API}/me/reports/{second}/pdf")).status_code == 404  # not published: unknown
        published = await _publish(chief, second)
        assert (published.status_code, published.json()["version"]) == (200, 2)
        versions = (await chief.get(f"{visit.place}/reports")).json()["items"]
        assert [(v["version"], v["state"]) for v in versions] == [(2, "published"), (1, "superseded")]
        gone = await owner.get(f"{API}/me/reports/{first}/pdf")
        assert (gone.status_code, gone.json()["code"]) == (410, "report-superseded")
        assert [r["id"] for r in (await owner.get(f"{API}/me/reports")).json()["items"]] == [str(second)]


async def test_a_recalled_report_is_gone_for_its_owner_at_the_next_request_and_its_bytes_stay(world: World) -> None:
    visit, chief = await world.finalized("GLU"), await world.sign_in("chief")
    report_id = await world.published(visit)
    async with world.owner(visit) as owner:
        assert (await owner.get(f"{API}/me/reports/{report_id}/pdf")).status_code == 200
        recalled = await chief.post(f"{API}/reports/{report_id}:recall", json={"reason": "结果更正"})
        assert (recalled.status_code, recalled.json()["state"]) == (200, "recalled")
        gone = await owner.get(f"{API}/me/reports/{report_id}/pdf")
        assert (gone.status_code, gone.headers["content-type"]) == (410, "application/problem+json")
        assert (await owner.get(f"{API}/me/reports")).json()["items"] == []
    assert (await chief.get(f"{API}/reports/{report_id}/pdf")).content == PDF
    again = await chief.post(f"{API}/reports/{report_id}:recall", json={"reason": "again"})
    assert (again.status_code, again.json()["code"]) == (409, "report-state-conflict")
    assert (await _publish(chief, report_id)).status_code == 409


async def test_an_older_version_does_not_take_the_place_of_a_later_one(world: World) -> None:
    visit, chief = await world.finalized("GLU"), await world.sign_in("chief")
    older = await world.generated(visit)
    later = await world.published(visit)
    answer = await _publish(chief, older)
    assert (answer.status_code, answer.json()["code"]) == (409, "report-state-conflict")
    assert (await chief.get(f"{API}/reports/{later}")).json()["state"] == "published"


async def test_of_two_publications_at_once_one_is_told_of_the_conflict(world: World) -> None:
    visit, chief = await world.finalized("GLU"), await world.sign_in("chief")
    report_id = await world.generated(visit)
    answers = await asyncio.gather(*(_publish(chief, report_id) for _ in range(4)))
    assert sorted(a.status_code for a in answers) == [200, 409, 409, 409]


async def test_the_database_refuses_the_steps_that_the_table_of_states_lacks(
    world: World, admin: asyncpg.Connection
) -> None:
    report_id = await world.generated(await world.finalized("GLU"))
    for start in MOVES:
        await admin.execute("set session_replication_role = replica")
        await admin.execute("update report set state = $1 where id = $2", start, report_id)
        await admin.execute("set session_replication_role = origin")
        for to in set(MOVES) - MOVES[start] - {start}:
            with pytest.raises(DBAPIError, match="may not go"):
                async with world.runtime.units.open(demo.LOADER) as uow:
                    await uow.session.execute(
                        text("update report set state = :to where id = :id"), {"to": to, "id": report_id}
                    )


async def test_an_unknown_report_and_one_of_another_campus_are_the_same_404(world: World) -> None:
    report_id = await world.published(await world.finalized("GLU"))
    stranger, chief = await world.sign_in("front.b"), await world.sign_in("chief")
    for client, which in ((stranger, report_id), (chief, uuid4())):
        for path in ("", "/pdf"):
            answer = await client.get(f"{API}/reports/{which}{path}")
            assert (answer.status_code, answer.json()["code"]) == (404, "report-not-found")


@pytest.fixture
async def place(worker_name: str) -> AsyncIterator[House]:
    async with house(f"render_{worker_name}") as built:
        yield built


async def test_a_version_is_rendered_once_even_when_its_job_runs_twice(place: House) -> None:
    visit, chief = await place.world.finalized("GLU", "CBC"), await place.sign_in("chief")
    await place.admin.execute("delete from job")  # orders for a laboratory that is not here
    asked: dict[str, Any] = (await chief.post(f"{visit.place}/reports")).json()

    async def job(state: str) -> bool:
        return (await chief.get(f"{API}/jobs/{asked['job_id']}")).json()["state"] == state  # type: ignore[no-any-return]

    async with working(place.runtime.settings):
        await until(lambda: job("succeeded"), seconds=60)
        made = (await chief.get(f"{API}/reports/{asked['id']}")).json()
        # As if the worker had died after its last commit and before it said so.
        await place.admin.execute("update job set state = 'queued' where id::text = $1", asked["job_id"])
        await until(lambda: job("succeeded"))
    again = (await chief.get(f"{API}/reports/{asked['id']}")).json()
    assert (made, made["state"]) == (again, "sealed")
    content = (await chief.get(f"{API}/reports/{asked['id']}/pdf")).content
    assert (hashlib.sha256(content).hexdigest(), len(content)) == (made["sha256"], made["size"])
    pages = pdfium.PdfDocument(content)
    words = "".join(page.get_textpage().get_text_bounded() for page in pages)
    assert len(pages) == made["pages"]
    assert visit.exam_no in words
    assert visit.card["id_number"] not in words
    generated = "select count(*) from audit_event where action = 'report.generated' and object_id = $1"
    assert await place.admin.fetchval(generated, asked["id"]) == 1
    # What was rendered, what it was made of, and what was sealed.
    assert len(list(place.runtime.settings.state.glob("files/??/*"))) == 3
