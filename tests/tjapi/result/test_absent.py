"""A computed item without a value says why: on the sheet, in the results, on the report; it is never computed of a bound, and never missing."""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from adapters.lis.contract import LabObservation
from tests.tjapi.result.scene import NOON, OpenUnit, Scene, file, line_state, observation, report, state_of, visit
from tests.tjapi.world import World
from tjapi import demo
from tjapi.exam import service as exams
from tjapi.exam.service import PastExam, PastLine
from tjapi.kernel.runtime import Runtime
from tjapi.report import views as report_views
from tjapi.report.layout import report_data
from tjapi.result import repository, service
from tjapi.result import service as results
from tjapi.result.models import ResultQuestion
from tjapi.result.rules.absence import Input, why_none
from tjapi.result.schemas import AnswerIn
from tjapi.result.service import PastResults, PastValue
from tjapi.result.service.book import Book

pytestmark = pytest.mark.requirement("E3.2", "E3.3", "E4.1")
SignIn = Callable[..., Awaitable[httpx.AsyncClient]]
DOCTOR = replace(demo.LOADER, kind="staff", name="核实医生")
LATER = NOON + timedelta(hours=2)
LIPID = {"TC": "5.0", "HDL": "1.4", "TG": "1.2", "LDL": "2.9", "APOA1": "1.3", "APOB": "0.9", "LPA": "120"}


def _said(values: dict[str, str], **more: str) -> tuple[LabObservation, ...]:
    return tuple(observation(code, value) for code, value in (values | more).items() if value)


async def _lipid(unit: OpenUnit, **more: str) -> Scene:
    scene = await visit(unit, "LIPID-FULL")
    await file(unit, report(scene, "LIPID-FULL", *_said(LIPID, **more)))
    return scene


async def _open(unit: OpenUnit, scene: Scene) -> list[ResultQuestion]:
    async with unit() as uow:
        return [q for q in await repository.questions_of(uow, scene.exam_id) if q.closed_at is None]


async def _printed(unit: OpenUnit, scene: Scene) -> dict[str, str]:
    """What the report names as without a result, and why."""
    async with unit() as uow:
        rows = await report_views.source(uow, scene.exam_id)
    data = report_data(rows, [], hospital_name="试", version=1, watermark=None, printed_at=NOON)
    return {line["name"].partition("：")[2] or line["name"]: line["why"] for line in data["unperformed"]}


async def _told(client: httpx.AsyncClient, scene: Scene) -> dict[str, tuple[str, str | None]]:
    """What the results say is missing, in both languages."""
    answer = await client.get(f"/api/v1/exams/{scene.exam_id}/results")
    return {
        one["item_code"]: (one["reason"], one["reason_en"])
        for department in answer.json()["departments"]
        for one in department["missing"]
    }


@pytest.fixture
async def doctor(sign_in: SignIn) -> httpx.AsyncClient:
    return await sign_in("doctor")


@pytest.mark.parametrize(
    ("more", "why", "why_en"),
    [
        ({"TC": "<4.0"}, "由总胆固醇计算,而总胆固醇为<4.0,不是确切数值", "computed from TC, which is <4.0: a bound, no number"),
        ({"HDL": ">5"}, "由高密度脂蛋白胆固醇计算,而高密度脂蛋白胆固醇为>5,不是确切数值", "computed from HDL, which is >5: a bound, no number"),
        ({"TC": "4.0", "HDL": "5.0"}, "由总胆固醇 4.0、高密度脂蛋白胆固醇 5.0计算,公式不适用于这些数值", "computed from TC 4.0, HDL 5.0: the formula yields nothing of these"),
    ],
)  # fmt: skip
async def test_a_computed_item_that_nothing_can_be_computed_of_says_why(
    unit: OpenUnit, doctor: httpx.AsyncClient, more: dict[str, str], why: str, why_en: str
) -> None:
    scene = await _lipid(unit, **more)
    for question in await _open(unit, scene):
        async with unit(DOCTOR) as uow:
            answer = {"undetermined": "not_judged", "implausible": "confirmed"}[question.kind]
            await service.answer(uow, question.id, AnswerIn(answer=answer, reason="已核实"))
    assert await line_state(unit, scene, "LIPID-FULL") == "verified"
    assert "NONHDL" not in await state_of(unit, scene)
    assert (await _told(doctor, scene))["NONHDL"] == (why, why_en)
    assert (await _printed(unit, scene))["非高密度脂蛋白胆固醇"] == f"未报告结果：{why}"
    # A plain value comes after all: it is computed, and nothing is missing.
    values = _said({"TC": "5.0", "HDL": "1.4"})
    late = tuple(replace(one, status="C", observed_at=NOON + timedelta(minutes=9)) for one in values)
    await file(unit, report(scene, "LIPID-FULL", *late, reported_at=LATER))
    assert (await state_of(unit, scene))["NONHDL"] == ("3.60", "", "corrected")
    assert await _told(doctor, scene) == {}
    assert await _printed(unit, scene) == {}


async def test_what_has_no_value_is_not_counted_as_normal(unit: OpenUnit) -> None:
    scene = await _lipid(unit, TC="4.0", HDL="4.5")
    async with unit() as uow:
        rows = await report_views.source(uow, scene.exam_id)
    calm = [row for row in rows.results if row.flag == ""]
    data = report_data(replace(rows, results=calm), [], hospital_name="试", version=1, watermark=None, printed_at=NOON)
    assert calm
    assert data["all_judged_normal"] is False
    assert data["sentence"] == "本次体检已判定的项目未见明显异常，另有项目未判定。另有 1 项未检查，见“未检项目”。"
    whole = report_data(
        replace(rows, results=calm, given_up=()), [], hospital_name="试", version=1, watermark=None, printed_at=NOON
    )
    assert whole["all_judged_normal"] is True


async def test_a_value_that_is_corrected_into_a_bound_takes_what_was_computed_with_it(
    unit: OpenUnit, doctor: httpx.AsyncClient
) -> None:
    scene = await _lipid(unit)
    assert (await state_of(unit, scene))["NONHDL"] is not None
    await file(unit, report(scene, "LIPID-FULL", observation("TC", "<4.0", status="C", minute=9), reported_at=LATER))
    assert (await state_of(unit, scene))["NONHDL"] is None
    assert "<4.0" in (await _printed(unit, scene))["非高密度脂蛋白胆固醇"]


async def test_an_unread_input_says_so_and_its_answer_is_computed_with(
    unit: OpenUnit, doctor: httpx.AsyncClient
) -> None:
    scene = await _lipid(unit, TC="溶血")
    assert (await _told(doctor, scene))["NONHDL"][0] == "由总胆固醇计算,而总胆固醇的结果未能读取,尚待核实"
    (question,) = [q for q in await _open(unit, scene) if q.kind == "unread"]
    async with unit(DOCTOR) as uow:
        given = AnswerIn(answer="value", value="5.0", reason="已与检验科核实", kept_because="检验科口头报告")
        await service.answer(uow, question.id, given)
    assert (await state_of(unit, scene))["NONHDL"] is not None
    assert await _told(doctor, scene) == {}


async def test_an_unread_input_that_has_no_value_leaves_what_was_computed_with_its_reason(
    unit: OpenUnit, doctor: httpx.AsyncClient
) -> None:
    scene = await _lipid(unit, TC="溶血")
    (question,) = [q for q in await _open(unit, scene) if q.kind == "unread"]
    async with unit(DOCTOR) as uow:
        await service.answer(uow, question.id, AnswerIn(answer="no_value", reason="标本溶血"))
    assert (await _printed(unit, scene))[
        "非高密度脂蛋白胆固醇"
    ] == "未报告结果：由总胆固醇计算,而总胆固醇无结果:标本溶血"


async def test_of_values_that_contradict_each_other_nothing_is_computed_until_one_holds(
    unit: OpenUnit, doctor: httpx.AsyncClient
) -> None:
    scene = await _lipid(unit)
    await file(unit, report(scene, "LIPID-FULL", observation("TC", "6.0"), reported_at=LATER))
    assert (await state_of(unit, scene))["NONHDL"] is None
    assert (await _told(doctor, scene))["NONHDL"][0] == "由总胆固醇计算,而总胆固醇的结果相互矛盾,尚待核实"
    (question,) = [q for q in await _open(unit, scene) if q.kind == "contested"]
    async with unit(DOCTOR) as uow:
        shown = (await service.get_question(uow, question.id)).values
        held = next(v.revision_id for v in shown if v.value == "6.0")
        await service.answer(uow, question.id, AnswerIn(answer="keep", revision_id=held, reason="复测"))
    now = (await state_of(unit, scene))["NONHDL"]
    assert now is not None
    assert now[0] == "4.60"
    assert await _told(doctor, scene) == {}


async def test_a_rate_is_not_computed_of_a_creatinine_below_a_bound(unit: OpenUnit, doctor: httpx.AsyncClient) -> None:
    scene = await visit(unit, "RENAL-FULL")
    values = {"CREA": "<18", "UREA": "5", "UA": "300", "CYSC": "0.8", "B2MG": "1.5"}
    await file(unit, report(scene, "RENAL-FULL", *_said(values)))
    assert "EGFR" not in await state_of(unit, scene)
    assert (await _told(doctor, scene))["EGFR"][0] == "由肌酐计算,而肌酐为<18,不是确切数值"


async def test_what_the_laboratory_withdraws_of_what_it_computes_itself_is_not_missing_in_silence(
    unit: OpenUnit, doctor: httpx.AsyncClient
) -> None:
    scene = await _lipid(unit, NONHDL="3.6")
    await file(unit, report(scene, "LIPID-FULL", observation("NONHDL", "3.6", status="W"), reported_at=LATER))
    assert (await _told(doctor, scene))["NONHDL"][0] == "检验科已撤回该项结果"


async def test_a_line_that_is_half_reported_says_nothing_of_what_is_still_awaited(
    unit: OpenUnit, doctor: httpx.AsyncClient
) -> None:
    scene = await _lipid(unit, HDL="")
    assert await _told(doctor, scene) == {}
    assert await line_state(unit, scene, "LIPID-FULL") == "resulted"


@pytest.mark.parametrize(
    ("standing", "said", "words"),
    [
        ("refused", "", "已拒检"), ("waived", "", "已弃检"), ("deferred", "", "已延期"), ("not_ordered", "", "不在本次体检项目中"),
        ("given_up", "凝块", "无结果:凝块"), ("text", "", "不是数值"), ("contested", "", "相互矛盾"), ("unread", "", "未能读取"),
        ("censored", "<18", "为<18,不是确切数值"),
    ],
)  # fmt: skip
def test_every_reason_names_the_input(standing: Any, said: str, words: str) -> None:
    found = why_none([Input("CREA", "肌酐", standing, None, said)], None)
    assert found is not None
    assert found.zh == f"由肌酐计算,而肌酐{words}" or (found.zh.startswith("由肌酐计算,而肌酐") and words in found.zh)
    assert found.en.startswith("computed from CREA, which ")


def test_while_an_input_is_awaited_nothing_is_said_and_a_person_outside_of_the_domain_is_named() -> None:
    exact = Input("CREA", "肌酐", "exact", Decimal(80), "80", "final")
    assert why_none([exact, Input("TC", "总胆固醇", "awaited")], None) is None
    found = why_none([exact], ("公式仅适用于满18岁者", "the formula holds from 18 years of age on"))
    assert found is not None
    assert found.zh == "公式仅适用于满18岁者"


@pytest.mark.parametrize(
    ("height", "why"),
    [(">200", "由身高计算,而身高为>200,不是确切数值"), ("0", "由身高 0、体重 65计算,公式不适用于这些数值")],
)
async def test_a_department_signs_without_what_cannot_be_computed_and_says_why(
    unit: OpenUnit, doctor: httpx.AsyncClient, height: str, why: str
) -> None:
    scene = await visit(unit, "GENERAL")
    place = f"/api/v1/exams/{scene.exam_id}/departments/{scene.departments['GENERAL']}"
    values = {"HEIGHT": height, "WEIGHT": "65", "SBP": "118", "DBP": "74", "PULSE": "72"}
    body = {
        "results": [
            {"item_id": str(scene.items[code]), "value": value, "kept_because": "已复核"}
            for code, value in values.items()
        ]
    }
    entered = await doctor.put(f"{place}/results", json=body, headers={"If-Match": '"0"'})
    assert entered.status_code == 200, entered.text
    (bmi,) = [item for item in entered.json()["items"] if item["item_code"] == "BMI"]
    assert (bmi["current"], bmi["no_value_because"]) == (None, why)
    signed = await doctor.post(f"{place}/sheet:sign", json={"summary": None}, headers={"If-Match": '"1"'})
    assert signed.status_code == 200, signed.text
    assert await line_state(unit, scene, "GENERAL") == "verified"
    assert (await _told(doctor, scene))["BMI"][0] == why
    assert (await _printed(unit, scene))["体重指数"] == f"未报告结果：{why}"


async def test_an_archive_says_why_what_it_could_be_computed_of_gave_nothing(
    runtime: Runtime, unit: OpenUnit, sign_in: SignIn, doctor: httpx.AsyncClient
) -> None:
    morning, archive = datetime(2025, 3, 4, 1, 0, tzinfo=UTC), f"absent-{secrets.token_hex(4)}"
    person, _ = await World(runtime, sign_in).person()
    past = PastExam(
        archive_no=secrets.token_hex(6), examinee_id=person, exam_date=morning.date(), package_code=None, package_name="旧套餐",
        lines=(PastLine("LIPID-FULL", 1_000),), checked_in_at=morning, ready_at=morning + timedelta(hours=5),
        finalized_at=morning + timedelta(days=1),
    )  # fmt: skip
    async with unit() as uow:
        exam_id = (await exams.import_past(uow, 1, archive, [past]))[past.archive_no]
        values = tuple(PastValue("LIPID-FULL", code, said) for code, said in (LIPID | {"TC": "<4.0"}).items())
        brought = PastResults(exam_id=exam_id, observed_at=morning, sheets=(), values=values)
        await results.import_past(uow, archive, [brought])
    answer = await doctor.get(f"/api/v1/exams/{exam_id}/results")
    missing = [one for department in answer.json()["departments"] for one in department["missing"]]
    assert [(one["item_code"], one["reason"]) for one in missing] == [
        ("NONHDL", "由总胆固醇计算,而总胆固醇为<4.0,不是确切数值")
    ]


async def test_of_a_line_that_is_set_aside_nothing_is_computed(unit: OpenUnit, doctor: httpx.AsyncClient) -> None:
    scene = await _lipid(unit, TC="<4.0")
    async with unit(DOCTOR) as uow:
        book = await Book.open(uow, scene.exam_id)
        line = book.lines[scene.lines["LIPID-FULL"]]
        (item,) = [one for one in book.items_of(line) if one.code == "NONHDL"]
        standing = {one.code: one.standing for one in book.inputs_of(line, item)}
        assert standing == {"TC": "censored", "HDL": "exact"}
        for state, told in (("refused", "refused"), ("waived", "waived"), ("substituted", "not_ordered")):
            line.state = state
            assert {one.standing for one in book.inputs_of(line, item)} == {told}
        uow.session.expunge(line)
