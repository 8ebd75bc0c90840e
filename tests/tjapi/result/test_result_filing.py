"""Laboratory reports land on the right line of the right person, once, or not at all."""

import asyncio
import secrets
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from adapters.lis.contract import LabReport, UnparsableReport
from tests.tjapi.result.scene import (
    NOON,
    OpenUnit,
    Unfenced,
    cbc,
    exam_state,
    file,
    line_state,
    observation,
    report,
    state_of,
    visit,
)
from tests.tjapi.world import API, SignIn
from tjapi.catalog import service as catalog
from tjapi.exam import service as exams
from tjapi.examinee.rules import check_digit
from tjapi.kernel import inbox
from tjapi.kernel.ids import uuid7
from tjapi.kernel.jobs.spec import JobRun
from tjapi.kernel.runtime import Runtime
from tjapi.result import flows, repository, service
from tjapi.result.rules.raw import called_critical


@pytest.mark.requirement("E3.5", "I2")
async def test_a_report_is_filed_flagged_and_verifies_its_line(unit: OpenUnit) -> None:
    scene = await visit(unit, "CBC")
    filing = await file(unit, report(scene, "CBC", *cbc(WBC="12.5")))
    assert (filing.outcome, filing.reason, filing.exam_id, filing.campus_id) == ("filed", None, scene.exam_id, 1)
    state = await state_of(unit, scene)
    assert state["WBC"] == ("12.5", "H", "final")
    assert state["RBC"] == ("4.8", "", "final")
    assert await line_state(unit, scene, "CBC") == "verified"
    assert await exam_state(unit, scene) == "ready_for_review"


async def test_the_same_report_again_is_a_duplicate_and_adds_nothing(unit: OpenUnit) -> None:
    scene = await visit(unit, "CBC")
    await file(unit, report(scene, "CBC", *cbc()))
    again = await file(unit, report(scene, "CBC", *cbc(), message_id="M2", sent_at=NOON.replace(day=24)))
    assert again.outcome == "duplicate"
    async with unit() as uow:
        assert len(await repository.revisions_of_exam(uow, scene.exam_id)) == 5


@pytest.mark.requirement("X5")
async def test_a_correction_is_a_revision_and_history_keeps_both(unit: OpenUnit) -> None:
    scene = await visit(unit, "CBC")
    await file(unit, report(scene, "CBC", *cbc()))
    filing = await file(unit, report(scene, "CBC", observation("HGB", "105", status="C", minute=9)))
    assert filing.outcome == "revision"
    assert (await state_of(unit, scene))["HGB"] == ("105", "L", "corrected")
    async with unit() as uow:
        result = next(r for r in await repository.results(uow, scene.exam_id) if r.item_code == "HGB")
        history = await service.history(uow, result.id)
    assert [(r.seq, r.value, r.status) for r in history.revisions] == [(1, "150", "final"), (2, "105", "corrected")]
    assert history.revisions[1].range is not None
    assert history.revisions[1].lis_range_text == "their range"


async def test_a_changed_final_value_without_correction_is_kept_but_shows_the_graver(unit: OpenUnit) -> None:
    scene = await visit(unit, "CBC")
    await file(unit, report(scene, "CBC", *cbc()))
    changed = report(scene, "CBC", observation("HGB", "90", minute=9))
    filing = await file(unit, changed)
    assert (filing.outcome, filing.reason, filing.detail["contested"]) == (
        "unmatched",
        "final-changed-without-correction",
        ["HGB"],
    )
    # Both count until a person has decided, and the graver one is shown.
    assert (await state_of(unit, scene))["HGB"] == ("90", "L", "final")
    assert (await file(unit, changed)).outcome == "unmatched"
    await file(unit, report(scene, "CBC", observation("HGB", "90", status="C", minute=12)))
    assert (await file(unit, changed)).outcome == "duplicate"


async def test_a_preliminary_value_does_not_verify_and_a_withdrawn_one_steps_back(unit: OpenUnit) -> None:
    scene = await visit(unit, "GLU")
    await file(unit, report(scene, "GLU", observation("GLU", "5.0", status="P")))
    assert await line_state(unit, scene, "GLU") == "resulted"
    await file(unit, report(scene, "GLU", observation("GLU", "5.1", minute=1)))
    assert (await line_state(unit, scene, "GLU"), await exam_state(unit, scene)) == ("verified", "ready_for_review")
    await file(unit, report(scene, "GLU", observation("GLU", "5.1", status="W", minute=5)))
    assert (await line_state(unit, scene, "GLU"), await exam_state(unit, scene)) == ("collected", "in_progress")
    assert (await state_of(unit, scene))["GLU"] is None


async def test_unknown_codes_are_named_the_rest_is_filed_and_a_replay_files_what_is_mapped(unit: OpenUnit) -> None:
    scene = await visit(unit, "CBC")
    strange = f"Z{uuid7().hex[-8:]}"
    values = {o.code: o for o in cbc()}
    said = report(scene, "CBC", *(values[c] for c in ("WBC", "RBC", "HCT", "PLT")), observation(strange, "150"))
    filing = await file(unit, said)
    assert (filing.outcome, filing.reason, filing.detail["codes"]) == ("unmatched", "unknown-code", [strange])
    assert set(await state_of(unit, scene)) == {"WBC", "RBC", "HCT", "PLT"}
    assert await line_state(unit, scene, "CBC") == "resulted"
    async with unit() as uow:
        await catalog.map_external_code(uow, "lis", strange, scene.items["HGB"])
    replay = await file(unit, said)
    assert (replay.outcome, replay.detail["duplicate"], replay.detail["filed"]) == ("filed", 4, 1)
    assert await line_state(unit, scene, "CBC") == "verified"


async def test_a_code_that_is_mapped_while_a_message_is_found_to_wait_for_it_is_replayed_for_that_message(
    unit: OpenUnit,
) -> None:
    scene, strange = await visit(unit, "GLU"), f"Z{uuid7().hex[-8:]}"
    waiting = await _receive(unit, b"waits")

    async def mapped() -> list[UUID]:
        async with unit() as uow:
            await catalog.map_external_code(uow, "lis", strange, scene.items["GLU"])
        async with unit() as uow:
            return list(await inbox.waiting_for_code(uow, "lis", strange))

    async with unit() as uow:
        filing = await service.file_report(uow, waiting, "lis", report(scene, "GLU", observation(strange, "5.0")))
        found = asyncio.create_task(mapped())
        await asyncio.sleep(0.2)
        await inbox.end(uow, waiting, filing.outcome, reason=filing.reason, detail=filing.detail)
    assert (filing.outcome, filing.reason) == ("unmatched", "unknown-code")
    assert await found == [waiting]


@pytest.mark.parametrize(
    "changes",
    [
        {"exam_no": "X99999999"},
        {"exam_no": None, "patient_name": "张冠"},
        {"exam_no": None, "patient_name": "", "patient_birth_date": None},
        # Each on its own, beside our number and the right name.
        {"patient_name": "张冠"},
        {"patient_sex": "female"},
        {"patient_birth_date": date(1986, 3, 2)},
        {"patient_sex": "female", "patient_birth_date": None},
        # Nobody is named.
        {"exam_no": None, "patient_name": ""},
        {"exam_no": None, "patient_name": "", "patient_sex": "unknown", "patient_birth_date": None},
    ],
)
async def test_a_report_on_somebody_else_is_quarantined_and_nothing_is_filed(
    unit: OpenUnit, changes: dict[str, Any]
) -> None:
    scene = await visit(unit, "CBC")
    filing = await file(unit, report(scene, "CBC", *cbc(), **changes))
    assert (filing.outcome, filing.reason, filing.exam_id) == ("quarantined", "identity-mismatch", None)
    assert await state_of(unit, scene) == {}
    assert "张冠" not in str(filing.detail)


async def test_numbers_of_two_exams_in_one_report_are_not_believed(unit: OpenUnit) -> None:
    scene, other = await visit(unit, "CBC"), await visit(unit, "CBC")
    filing = await file(unit, report(scene, "CBC", *cbc(), barcode=other.barcodes["CBC"]))
    assert (filing.outcome, filing.reason) == ("quarantined", "identity-mismatch")
    assert (await state_of(unit, scene), await state_of(unit, other)) == ({}, {})


async def test_an_unknown_barcode_is_unmatched_and_a_known_filler_number_leads_home(unit: OpenUnit) -> None:
    scene = await visit(unit, "CBC")
    lost = await file(unit, report(scene, "CBC", *cbc(), barcode="999", placer_no=None))
    assert (lost.outcome, lost.reason, lost.detail["barcodes"]) == ("unmatched", "unknown-barcode", ["999"])
    filler = f"L{scene.exam_no}"
    await file(unit, report(scene, "CBC", *cbc(), filler_no=filler))
    corrected = observation("HGB", "99", status="C", minute=3)
    found = await file(unit, report(scene, "CBC", corrected, barcode=None, placer_no=None, filler_no=filler))
    assert found.outcome == "revision"


async def test_a_barcode_alone_finds_the_line_that_holds_the_item(unit: OpenUnit) -> None:
    scene = await visit(unit, "LIVER", "GLU")
    assert scene.barcodes["LIVER"] == scene.barcodes["GLU"]
    await file(unit, report(scene, "", observation("GLU", "5.0"), barcode=scene.barcodes["GLU"]))
    assert (await line_state(unit, scene, "GLU"), await line_state(unit, scene, "LIVER")) == ("verified", "released")
    strange = await file(unit, report(scene, "", observation("WBC", "5.0"), barcode=scene.barcodes["GLU"]))
    assert (strange.outcome, strange.reason) == ("unmatched", "item-not-ordered")


async def test_another_unit_is_not_filed_as_if_it_were_ours(unit: OpenUnit) -> None:
    scene = await visit(unit, "GLU")
    filing = await file(unit, report(scene, "GLU", observation("GLU", "90", unit="mg/24h")))
    assert (filing.outcome, filing.reason, filing.detail["units"]) == ("unmatched", "unit-differs", ["GLU"])
    assert await state_of(unit, scene) == {}


@pytest.mark.parametrize(
    ("status", "value", "reason"),
    [("X", "", "status-not-filed"), ("I", "5", "status-not-filed"), ("F", "", "no-value")],
)
async def test_what_holds_no_value_goes_to_a_person(unit: OpenUnit, status: str, value: str, reason: str) -> None:
    scene = await visit(unit, "GLU")
    filing = await file(unit, report(scene, "GLU", observation("GLU", value, status=status)))
    assert (filing.outcome, filing.reason) == ("unmatched", reason)


async def test_lines_that_are_not_live_take_no_results(unit: OpenUnit) -> None:
    scene = await visit(unit, "CBC", "GLU", checked_in=False)
    async with unit() as uow:
        await exams.cancel(uow, scene.exam_id, "改期")
    filing = await file(unit, report(scene, "CBC", *cbc()))
    assert (filing.outcome, filing.reason, filing.exam_id) == ("unmatched", "line-not-live", scene.exam_id)
    assert await state_of(unit, scene) == {}


async def test_several_numbered_parts_of_a_code_that_nobody_understands_are_one_value(unit: OpenUnit) -> None:
    scene = await visit(unit, "URINE")
    parts = (observation("UPRO", "第一行", sub_id="1"), observation("UPRO", "第二行", sub_id="2"))
    await file(unit, report(scene, "URINE", *parts))
    # A flag of the laboratory does not make us understand its words: a person looks.
    assert (await state_of(unit, scene))["UPRO"] == ("第一行\n第二行", None, "final")


async def test_messages_of_one_exam_that_come_together_lose_nothing(unit: OpenUnit) -> None:
    scene = await visit(unit, "CBC", "GLU", "URINE")
    urine = tuple(observation(code, "阴性") for code in ("UPRO", "UGLU", "UBLD", "ULEU"))
    said = [
        report(scene, "CBC", *cbc()), report(scene, "CBC", *cbc()), report(scene, "GLU", observation("GLU", "5.0")),
        report(scene, "URINE", *urine), report(scene, "CBC", observation("HGB", "99", status="C", minute=3)),
    ]  # fmt: skip
    filings = await asyncio.gather(*(file(unit, one) for one in said))
    assert sorted(f.outcome for f in filings).count("unmatched") == 0
    state = await state_of(unit, scene)
    assert len(state) == 10
    assert state["HGB"] == ("99", "L", "corrected")
    async with unit() as uow:
        assert len(await repository.revisions_of_exam(uow, scene.exam_id)) == 11
    assert await exam_state(unit, scene) == "ready_for_review"


async def test_revisions_cannot_be_changed_even_by_the_administrator(unit: OpenUnit, admin: asyncpg.Connection) -> None:
    scene = await visit(unit, "GLU")
    await file(unit, report(scene, "GLU", observation("GLU", "5.0")))
    for statement in (
        "update result_revision set raw_value = '4' where exam_id = $1",
        "delete from result_revision where exam_id = $1",
    ):
        with pytest.raises(asyncpg.PostgresError, match="append-only"):
            await admin.execute(statement, scene.exam_id)


class Parser:
    """A LIS whose parser answers what it is told."""

    def __init__(self, said: LabReport | None) -> None:
        self.lis = self
        self._said = said

    async def read(self, _source: str, _raw: bytes, _charset: str | None = None) -> LabReport:
        if self._said is None:
            raise UnparsableReport("OBX-3 is empty")
        return self._said


async def _receive(unit: OpenUnit, body: bytes) -> UUID:
    async with unit() as uow:
        message, _ = await inbox.receive(
            uow,
            source="lis",
            message_id=uuid7().hex,
            body=body,
            media_type="application/hl7-v2",
            gateway_received_at=None,
        )
    return message.id


def _run(runtime: Runtime, message_id: UUID, said: LabReport | None) -> JobRun:
    async def silent(_done: int, _total: int | None, _message: str | None) -> None: ...

    return JobRun(
        id=uuid7(), name="result.file_message", payload={"message_id": str(message_id)}, campus_id=None, attempts=0, fence=1,
        units=Unfenced(runtime), services=Parser(said), report=silent, created_by=uuid7(),
    )  # fmt: skip


@pytest.mark.requirement("E3.5", "I2")
async def test_what_the_database_refuses_ends_its_message_and_is_never_tried_again(
    runtime: Runtime, unit: OpenUnit
) -> None:
    scene = await visit(unit, "GLU")
    message = await _receive(unit, b"refused")
    # However it came past the parser: no text of PostgreSQL holds a NUL.
    said = report(scene, "GLU", replace(observation("GLU", "5.0"), range_text="3.9\0-6.1"))
    ended = {"outcome": "quarantined", "reason": "not-storable"}
    assert await flows.file_message(_run(runtime, message, said)) == ended
    assert await flows.file_message(_run(runtime, message, said)) == {"outcome": "quarantined"}
    assert await state_of(unit, scene) == {}


async def test_every_message_ends_once_in_one_state(runtime: Runtime, unit: OpenUnit) -> None:
    scene = await visit(unit, "GLU")
    first = await _receive(unit, b"one")
    said = report(scene, "GLU", observation("GLU", "5.0"))
    assert await flows.file_message(_run(runtime, first, said)) == {"outcome": "filed", "reason": None}
    assert await flows.file_message(_run(runtime, first, said)) == {"outcome": "filed"}
    second = await _receive(unit, b"two")
    assert await flows.file_message(_run(runtime, second, None)) == {
        "outcome": "quarantined",
        "reason": "unparsable",
    }
    async with unit() as uow:
        filed, refused = await inbox.get(uow, first), await inbox.get(uow, second)
        assert (filed.state, filed.exam_id, filed.campuses) == ("filed", scene.exam_id, [1])
        assert (refused.state, refused.reason, refused.detail) == (
            "quarantined",
            "unparsable",
            {"fault": "OBX-3 is empty"},
        )


@pytest.mark.requirement("E3.5")
async def test_a_whole_id_number_lets_a_name_be_another_one_and_nothing_else(unit: OpenUnit) -> None:
    scene = await visit(unit, "CBC", kind="resident")
    number = scene.id_number
    other = _number_of_a_man_born("19860301")
    said = report(scene, "CBC", *cbc(), exam_no=None, patient_name="另一名")
    assert (await file(unit, said)).detail["disagree"] == ["name"]
    assert (await file(unit, replace(said, id_numbers=(other,)))).detail["disagree"] == ["id_number", "name"]
    # A number that may be theirs, and is of no document: it says nothing, for or against.
    assert (await file(unit, replace(said, id_numbers=("0000012345",)))).detail["disagree"] == ["name"]
    assert (await file(unit, replace(said, id_numbers=(number,), patient_sex="female"))).detail["disagree"] == ["sex"]
    assert await state_of(unit, scene) == {}
    old = number[:6] + number[8:17]
    assert (await file(unit, replace(said, id_numbers=("0000012345", old)))).outcome == "filed"


@pytest.mark.requirement("E3.5")
@pytest.mark.parametrize(
    "spelling", ["WEI XIAOMING", "Xiaoming, Wei", "韦·小明", "韦 小明", "\u202d韦小\u200b明\u202c"]
)
async def test_a_name_in_any_spelling_is_the_name(unit: OpenUnit, spelling: str) -> None:
    scene = await visit(unit, "CBC", name="韦小明")
    assert (await file(unit, report(scene, "CBC", *cbc(), exam_no=None, patient_name=spelling))).outcome == "filed"


@pytest.mark.requirement("E3.5")
async def test_any_repetition_of_the_name_will_do(unit: OpenUnit) -> None:
    scene = await visit(unit, "CBC", name="韦小明")
    said = report(scene, "CBC", *cbc(), exam_no=None, patient_name="阿明", other_names=("别名", "WEI XIAOMING"))
    assert (await file(unit, said)).outcome == "filed"


def _number_of_a_man_born(day: str) -> str:
    body = f"69{secrets.randbelow(10_000):04d}{day}{secrets.randbelow(499) * 2 + 1:03d}"
    return body + check_digit(body)


@pytest.mark.requirement("E3.5", "I2")
async def test_a_number_of_ours_that_names_another_exam_or_another_person_contradicts_whatever_it_is_called(
    unit: OpenUnit,
) -> None:
    scene, other = await visit(unit, "CBC", kind="resident"), await visit(unit, "CBC", kind="resident")
    async with unit() as uow:
        person = (await exams.get(uow, other.exam_id)).examinee_id
        mine = (await exams.get(uow, scene.exam_id)).examinee_id
    said = report(scene, "CBC", *cbc(), exam_no=None)
    for number in (other.exam_no, other.exam_no.lower(), str(person), other.id_number):
        refused = await file(unit, replace(said, numbers=("0000012345", number)))
        assert (refused.outcome, refused.detail["disagree"]) == ("quarantined", ["number_of_another"]), number
    masked = replace(said, masked_id_numbers=(other.id_number[:6] + "*" * 8 + other.id_number[14:],))
    assert (await file(unit, masked)).detail["disagree"] == ["id_number"]
    assert await state_of(unit, scene) == {}
    own = ("0000012345", "A99999999999", scene.exam_no, str(mine), scene.id_number, "不是号码")
    shown = (scene.id_number[:6] + "*" * 8 + scene.id_number[14:],)
    assert (await file(unit, replace(said, numbers=own, masked_id_numbers=shown))).outcome == "filed"


@pytest.mark.requirement("E3.5", "I2")
@pytest.mark.parametrize("filler", ["0", "20261129-7"])
async def test_a_number_of_theirs_that_is_used_again_does_not_outweigh_ours(unit: OpenUnit, filler: str) -> None:
    filler = filler + uuid7().hex[-8:]
    scenes = [await visit(unit, "GLU", "CBC") for _ in range(3)]
    for i, scene in enumerate(scenes):
        only = [{}, {"placer_no": None}, {"placer_no": None}][i]
        filing = await file(unit, report(scene, "GLU", observation("GLU", f"5.{i}"), filler_no=filler, **only))
        assert (filing.outcome, filing.exam_id) == ("filed", scene.exam_id)
        assert (await state_of(unit, scene))["GLU"] == (f"5.{i}", "", "final")
    # A group without any number of ours beside one that has some belongs to no other exam than that one's.
    scene = await visit(unit, "GLU", "CBC")
    said = report(scene, "GLU", observation("GLU", "5.5"), filler_no=filler, placer_no=None)
    bare = report(scene, "CBC", *cbc(), filler_no=filler, placer_no=None, barcode=None)
    filing = await file(unit, replace(said, results=(*said.results, *bare.results)))
    assert (filing.outcome, filing.reason, filing.exam_id) == ("unmatched", "unknown-barcode", scene.exam_id)
    assert (await state_of(unit, scene))["GLU"] == ("5.5", "", "final")


@pytest.mark.requirement("E3.5", "I2")
async def test_a_number_of_theirs_leads_alone_and_not_to_another_exam_than_the_one_that_is_named(
    unit: OpenUnit,
) -> None:
    one, other, filler = await visit(unit, "GLU"), await visit(unit, "GLU"), uuid7().hex
    await file(unit, report(one, "GLU", observation("GLU", "5.0"), filler_no=filler))
    alone: dict[str, Any] = {"filler_no": filler, "placer_no": None, "barcode": None}
    stray = await file(unit, report(other, "GLU", observation("GLU", "5.9"), **alone))
    assert (stray.outcome, stray.reason) == ("unmatched", "unknown-barcode")
    stranger = await file(unit, report(other, "GLU", observation("GLU", "5.9"), exam_no=None, **alone))
    assert (stranger.outcome, stranger.reason) == ("quarantined", "identity-mismatch")
    found = await file(unit, report(one, "GLU", observation("GLU", "5.2", status="C", minute=4), **alone))
    assert (found.outcome, found.exam_id) == ("revision", one.exam_id)
    # Two numbers of ours that lead to two exams are not to be believed, whatever theirs says.
    torn = report(one, "GLU", observation("GLU", "5.3"), barcode=other.barcodes["GLU"], filler_no=filler)
    assert (await file(unit, torn)).detail["disagree"] == ["order"]


_HEAD = "MSH|^~\\&|LIS|LAB|TJ|TJ|20261123120000||ORU^R01|M1|P|2.5.1\r"


def _raw(flag: str, *, before: str = "", value: str = "7.9", charset: str = "utf-8", between: str = "|") -> bytes:
    said = f"{_HEAD}PID|1||A1||甲\r{before}OBR|1|||GLU^葡萄糖\rOBX|1|NM|K^钾||{value}|mmol/L|3.5-5.3|{flag}|||F\r"
    return said.replace("|", between).encode(charset)


@pytest.mark.requirement("E5.2", "E3.5")
@pytest.mark.parametrize(
    ("raw", "codes"),
    [
        pytest.param(_raw("HH"), ["K"], id="HH"),
        pytest.param(_raw("H H~A"), ["K"], id="several"),
        pytest.param(_raw("危急", charset="gb18030"), ["K"], id="in another charset"),
        pytest.param(_raw("危急"), ["K"], id="in words"),
        pytest.param(_raw("LL", value="1.9\r复查"), ["K"], id="a value that a line end broke"),
        pytest.param(_raw("AA", before="NTE|1||溶血\r请复查\r"), ["K"], id="a note that a line end broke"),
        pytest.param(_raw("panic", before="PID|2||A2||乙\r"), ["K"], id="two people"),
        pytest.param(_raw("HH", between="!"), ["K"], id="another separator"),
        pytest.param(_raw("HH").replace(b"\r", b"\n"), ["K"], id="line feeds"),
        pytest.param(_raw("HH").replace(b"K^", b"K\0^"), ["K"], id="what no database keeps"),
        pytest.param(_raw("H"), [], id="high"),
        pytest.param(_raw("", value="HH"), [], id="no flag"),
        pytest.param(b"MSH|", [], id="nothing"),
        pytest.param(b"", [], id="empty"),
        pytest.param(bytes(range(256)) * 4, [], id="noise"),
    ],
)
def test_what_is_called_critical_is_found_in_bytes_that_nobody_could_read(raw: bytes, codes: list[str]) -> None:
    assert called_critical(raw) == codes


async def _told(admin: asyncpg.Connection, message: UUID) -> int:
    asked = "select count(*) from live_event where topic = 'alarming_message' and data->>'message_id' = $1"
    return int(await admin.fetchval(asked, str(message)))


@pytest.mark.requirement("E5.2", "E3.5")
async def test_a_message_that_is_not_filed_and_calls_something_critical_is_alarming(
    runtime: Runtime, unit: OpenUnit, admin: asyncpg.Connection
) -> None:
    scene = await visit(unit, "GLU")
    nul = report(scene, "GLU", replace(observation("GLU", "5.0"), range_text="3.9\0-6.1"))
    raws = [*[_raw("HH")] * 3, _raw("H", value="5.6")]
    unread, refused, aside, calm = [await _receive(unit, raw) for raw in raws]
    await admin.execute("update inbox_message set campuses = '{1}' where id = any($1)", [unread, refused, aside, calm])
    await flows.file_message(_run(runtime, unread, None))
    await flows.file_message(_run(runtime, refused, nul))
    await flows.file_message(_run(runtime, calm, None))
    async with unit() as uow:
        await flows.set_message_aside(uow, {"message_id": str(aside)}, "dead")
    async with unit() as uow:
        ended = [await inbox.get(uow, one) for one in (unread, refused, aside, calm)]
        assert [m.reason for m in ended] == ["unparsable", "not-storable", "not-filed", "unparsable"]
        assert [m.detail.get(inbox.ALARMING) for m in ended] == [["K"], ["K"], ["K"], None]
    assert [await _told(admin, one) for one in (unread, refused, aside, calm)] == [1, 1, 1, 0]


@pytest.mark.requirement("E5.2", "E3.5")
@pytest.mark.parametrize("body", [b"", b"\x01", b"nothing that was sealed here, however long it may be"])
async def test_what_cannot_be_judged_when_it_is_set_aside_may_be_critical_and_says_so(
    unit: OpenUnit, admin: asyncpg.Connection, body: bytes
) -> None:
    message = await _receive(unit, _raw("HH"))
    await admin.execute("update inbox_message set campuses = '{1}', body = $2 where id = $1", message, body)
    async with unit() as uow:
        await flows.set_message_aside(uow, {"message_id": str(message)}, "dead")
    async with unit() as uow:
        ended = await inbox.get(uow, message)
        assert (ended.state, ended.reason) == ("quarantined", "not-filed")
        assert ended.detail[inbox.ALARMING] == ["?"]
        assert ended.detail["not_judged"]
    assert await _told(admin, message) == 1


@pytest.mark.requirement("E5.2", "E3.5")
@pytest.mark.parametrize(
    ("reason", "alarming"), [("unparsable", True), ("content-differs", True), ("not-production", False)]
)
async def test_a_message_that_is_refused_at_the_door_and_calls_something_critical_is_alarming(
    sign_in: SignIn, admin: asyncpg.Connection, reason: str, alarming: bool
) -> None:
    gateway, engineer = await sign_in("device-gateway"), await sign_in("interface")
    head = {
        "X-Source": "lis",
        "X-Message-Id": uuid7().hex,
        "X-Quarantine": reason,
        "Content-Type": "x-application/hl7-v2+er7",
    }
    for _ in range(2):
        kept = await gateway.post(f"{API}/inbound-messages", content=_raw("HH"), headers=head)
        assert (kept.status_code, kept.json()["state"]) == (202, "quarantined")
    message = kept.json()["id"]
    assert (await engineer.get(f"{API}/inbound-messages/{message}")).json()["alarming"] is alarming
    campuses = await admin.fetchval("select cardinality(campuses) from inbox_message where id = $1", UUID(message))
    assert await _told(admin, message) == (campuses if alarming else 0)


@pytest.mark.requirement("E3.5", "X13")
async def test_nobody_is_asked_to_release_what_nobody_could_read_afterwards(sign_in: SignIn, unit: OpenUnit) -> None:
    gateway, engineer = await sign_in("device-gateway"), await sign_in("interface")
    good = _raw("HH")
    answers = []
    for body in (good + b"PID|2||A2\r", good):
        head = {
            "X-Source": "lis",
            "X-Message-Id": uuid7().hex,
            "X-Quarantine": "unparsable",
            "Content-Type": "x-application/hl7-v2+er7",
        }
        message = (await gateway.post(f"{API}/inbound-messages", content=body, headers=head)).json()["id"]
        given = {"reason": "已与检验科核对"}
        answers.append(await engineer.post(f"{API}/inbound-messages/{message}:propose-release", json=given))
        in_charset = await engineer.post(
            f"{API}/inbound-messages/{message}:propose-release", json=given | {"charset": "utf-8"}
        )
    assert (answers[0].status_code, answers[0].json()["code"]) == (409, "message-unreadable")
    # What can be read by now may be released as before; then a release is proposed already.
    assert (answers[1].status_code, answers[1].json()["state"]) == (200, "proposed")
    assert in_charset.json()["code"] == "release-proposed"
