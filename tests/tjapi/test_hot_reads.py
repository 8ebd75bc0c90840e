"""The reads whose JSON the database builds: each fits its documented shape, and says what the tables say through the ORM."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx
import pytest
from pydantic import BaseModel
from sqlalchemy import select

from tests.tjapi.world import API, SignIn, Visit, World
from tjapi.catalog import service as catalog
from tjapi.conclusion import service as conclusion
from tjapi.conclusion.schemas import ConclusionIn, ReviewOut
from tjapi.conclusion.service.claiming import claim_out, live
from tjapi.exam import service as exams
from tjapi.exam.models import ExamLine
from tjapi.exam.rules import GONE, UNDONE
from tjapi.exam.schemas import ExamListItem, ExamOut
from tjapi.kernel.paging import Page
from tjapi.kernel.runtime import Runtime
from tjapi.kernel.uow import UnitOfWork
from tjapi.result import repository as results
from tjapi.result.models import Result, ResultRevision
from tjapi.result.rules.flags import ABNORMAL
from tjapi.result.schemas import DepartmentResultsOut, ExamResultsOut, ResultOut
from tjapi.result.service.reading import line_out, shown_flag, value_out

OpenUnit = Callable[..., Any]


@pytest.fixture
def world(runtime: Runtime, sign_in: SignIn) -> World:
    return World(runtime, sign_in)


@pytest.fixture
async def visit(world: World) -> Visit:
    """Values of every kind: flagged, without a range, taken back, corrected; words with quotes; a claim and a draft."""
    visit = await world.checked_in("GENERAL", "GLU", "RENAL", "URINE")
    doctor = await world.sign_in("doctor")
    desk = f"{visit.place}/departments/{visit.departments['GENERAL']}"
    sheet = (await doctor.get(f"{desk}/sheet")).json()
    given = {"SBP": "152", "DBP": "95", "HEIGHT": "170", "WEIGHT": "85", "PULSE": "72"}
    body = [
        {"item_id": i["item_id"], "value": given[i["item_code"]]} for i in sheet["items"] if i["item_code"] in given
    ]
    stored = await doctor.put(f"{desk}/results", json={"results": body}, headers={"If-Match": '"0"'})
    weight = next(i["item_id"] for i in sheet["items"] if i["item_code"] == "WEIGHT")
    changed = await doctor.put(
        f"{desk}/results",
        json={"results": [{"item_id": weight, "value": None}]},
        headers={"If-Match": stored.headers["etag"]},
    )
    lines = [{"id": line["id"], "text": line["text"]} for line in changed.json()["lines"]]
    said = {"lines": [*lines, {"text": '病人说 "没事"\\ 与 </p>\t换行'}]}
    answer = await doctor.put(f"{desk}/summary", json=said, headers={"If-Match": changed.headers["etag"]})
    assert answer.status_code == 200, answer.text
    await world.file(visit, GLU="7.4", UA="<40", CREA="60", UREA="5", UPRO="阳性(1+)")
    return visit


def _plain(model: BaseModel) -> Any:
    """What a model means, so that two spellings of one moment are one."""
    return model.model_dump()


def _same_keys(passed: Any, modelled: Any, place: str = "") -> None:
    """The JSON has the fields of the models in every depth; order and spelling of moments are free."""
    if isinstance(modelled, dict) and isinstance(passed, dict):
        assert passed.keys() == modelled.keys(), place
        for key, value in modelled.items():
            _same_keys(passed[key], value, f"{place}/{key}")
    elif isinstance(modelled, list) and isinstance(passed, list):
        assert len(passed) == len(modelled), place
        for i, (one, other) in enumerate(zip(passed, modelled, strict=True)):
            _same_keys(one, other, f"{place}/{i}")
    else:
        assert type(passed) is type(modelled), place


def _agree(model: type[BaseModel], content: str, expected: BaseModel) -> None:
    """The passed JSON is the model's: the same values in the same fields."""
    made = model.model_validate_json(content)
    assert _plain(made) == _plain(expected)
    _same_keys(json.loads(content), json.loads(expected.model_dump_json()))


async def _departments(uow: UnitOfWork, exam_id: UUID, view: str) -> list[DepartmentResultsOut]:
    """What departments found, built from the tables one by one."""
    query = (
        select(Result, ResultRevision, ExamLine.name)
        .join(ExamLine, ExamLine.id == Result.line_id)
        .join(ResultRevision, ResultRevision.id == Result.current_revision_id, isouter=True)
        .where(Result.exam_id == exam_id)
        .order_by(ExamLine.sort, ExamLine.code, Result.id)
    )
    lines = await results.sheet_lines(uow, exam_id)
    told = {one for line in lines for one in line.result_ids}
    found: dict[int, list[ResultOut]] = {}
    for result, revision, line_name in (await uow.session.execute(query)).all():
        worded = revision is not None and revision.numeric is None and result.id in told
        if view == "abnormal" and not worded and (revision is None or revision.flag not in ABNORMAL):
            continue
        out = ResultOut(
            id=result.id, line_id=result.line_id, line_name=line_name, item_id=result.item_id, item_code=result.item_code,
            item_name=result.item_name, current=value_out(revision, shown_flag(result, revision)) if revision is not None else None,
        )  # fmt: skip
        found.setdefault(result.department_id, []).append(out)
    sheets = {s.department_id: s for s in await results.sheets(uow, exam_id)}
    return [
        DepartmentResultsOut(
            department_id=d.id, department_name=d.name, state=sheets[d.id].state if d.id in sheets else "draft",
            summary=sheets[d.id].summary if d.id in sheets else "", signer_name=sheets[d.id].signer_name if d.id in sheets else None,
            signed_at=sheets[d.id].signed_at if d.id in sheets else None, stale=sheets[d.id].stale if d.id in sheets else False,
            lines=[line_out(line) for line in lines if line.department_id == d.id and not line.removed],
            results=[] if view == "summaries" else found.get(d.id, []), missing=[],
        )
        for d in await catalog.departments(uow)
        if d.id in found or d.id in sheets
    ]  # fmt: skip


async def _passed(client: httpx.AsyncClient, path: str) -> httpx.Response:
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    return answer


@pytest.mark.requirement("E9.1")
async def test_an_exam_says_what_its_tables_say(world: World, visit: Visit, unit: OpenUnit) -> None:
    answer = await _passed(await world.sign_in("front"), visit.place)
    async with unit() as uow:
        expected = ExamOut.model_validate((await exams.describe(uow, visit.exam_id)).model_dump(exclude={"contained"}))
    _agree(ExamOut, answer.text, expected)
    assert answer.headers["etag"] == f'"{expected.version}"'


@pytest.mark.requirement("E9.2")
async def test_a_list_of_exams_says_how_far_each_is(world: World, visit: Visit, unit: OpenUnit) -> None:
    answer = await _passed(await world.sign_in("front"), f"{API}/exams?exam_no={visit.exam_no}")
    async with unit() as uow:
        exam, lines = await exams.get(uow, visit.exam_id), await exams.lines(uow, visit.exam_id)
        kept = [line for line in lines if line.state not in GONE]
        done = [line for line in kept if line.state not in UNDONE]
        item = ExamListItem(**exams.summary(exam).model_dump(), line_count=len(kept), done_count=len(done))
    assert 0 < len(done) < len(kept)
    _agree(Page[ExamListItem], answer.text, Page[ExamListItem](items=[item], next_page_token=None))


async def test_pages_of_exams_meet_without_gap_or_overlap(world: World) -> None:
    front = await world.sign_in("front")
    made = [str((await world.registered("GLU")).exam_id) for _ in range(3)]
    first = (await _passed(front, f"{API}/exams?page_size=2")).json()
    then = (await _passed(front, f"{API}/exams?page_size=2&page_token={first['next_page_token']}")).json()
    seen = [exam["id"] for exam in first["items"] + then["items"]]
    assert seen == sorted(seen, reverse=True)
    assert set(made) <= set(seen)


@pytest.mark.requirement("E4.2")
@pytest.mark.parametrize("abnormal", [False, True])
async def test_results_say_what_their_tables_say(world: World, visit: Visit, unit: OpenUnit, *, abnormal: bool) -> None:
    answer = await _passed(await world.sign_in("doctor"), f"{visit.place}/results?abnormal={abnormal}")
    async with unit() as uow:
        departments = await _departments(uow, visit.exam_id, "abnormal" if abnormal else "all")
    assert sum(len(d.results) for d in departments) >= (2 if abnormal else 10)
    _agree(ExamResultsOut, answer.text, ExamResultsOut(exam_id=visit.exam_id, departments=departments))


@pytest.mark.requirement("E4.2")
@pytest.mark.parametrize("view", ["all", "abnormal", "summaries"])
async def test_a_review_says_what_its_tables_say(world: World, visit: Visit, unit: OpenUnit, view: str) -> None:
    reviewer = await world.sign_in("reviewer")
    answer = await _passed(reviewer, f"{visit.place}/review?view={view}")
    async with unit() as uow:
        departments = await _departments(uow, visit.exam_id, view)
        expected = await _review(uow, visit.exam_id, departments)
    assert expected.outstanding
    _agree(ReviewOut, answer.text, expected)
    assert answer.headers["etag"] == '"0"'
    chosen = visit.departments["GENERAL"]
    one = await _passed(reviewer, f"{visit.place}/review?view={view}&department_id={chosen}")
    of_one = expected.model_copy(update={"departments": [d for d in departments if d.department_id == chosen]})
    _agree(ReviewOut, one.text, of_one)


@pytest.mark.requirement("E4.2")
async def test_a_review_holds_claim_and_conclusion(world: World, unit: OpenUnit) -> None:
    visit = await world.ready("GLU", "RENAL")
    async with unit(await world.staff("reviewer")) as uow:
        await conclusion.claim(uow, visit.exam_id)
        draft = {
            "overview": '综述 "一"\n二',
            "entries": [{"kind": "finding", "title": "手写"}, {"kind": "risk", "title": "吸烟"}],
        }
        await conclusion.write(uow, visit.exam_id, ConclusionIn.model_validate(draft), 0)
    answer = await _passed(await world.sign_in("reviewer"), f"{visit.place}/review")
    async with unit() as uow:
        expected = await _review(uow, visit.exam_id, await _departments(uow, visit.exam_id, "all"))
    assert expected.claim is not None
    assert len(expected.conclusion.entries) == 2
    _agree(ReviewOut, answer.text, expected)
    assert answer.headers["etag"] == f'"{expected.conclusion.version}"'


async def _review(uow: UnitOfWork, exam_id: UUID, departments: list[DepartmentResultsOut]) -> ReviewOut:
    state, held = await exams.completeness(uow, exam_id), await live(uow, exam_id)
    return ReviewOut(
        exam=await exams.describe(uow, exam_id), complete=state.complete, outstanding=state.outstanding, departments=departments, unread=[],
        conclusion=await conclusion.get(uow, exam_id), claim=claim_out(held) if held is not None else None, unsigned=False,
    )  # fmt: skip
