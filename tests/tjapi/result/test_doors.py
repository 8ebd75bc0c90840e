"""Two hundred values and more, as laboratories and people spell them, through every door: each is that number, or a person looks.

Nothing is a text in a numeric item, nothing is lost. What each spelling means is said by how it was made, not by our own reading of it.
"""

import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import product
from typing import Any
from uuid import UUID

import httpx
import pytest

from adapters.lis import hl7_mllp
from adapters.wire import hl7v2
from tests.conftest import SignIn
from tests.tjapi.result.scene import OpenUnit, Scene, Unfenced, visit
from tests.tjapi.result.test_reading import AROUND, NUMBERS, SIGNS, UNSURE, _rows
from tests.tjapi.world import API, World
from tjapi.exam import service as exams
from tjapi.exam.service import PastExam, PastLine
from tjapi.kernel.clock import HOSPITAL_ZONE
from tjapi.kernel.ids import uuid7
from tjapi.kernel.jobs.spec import JobRun
from tjapi.kernel.runtime import Runtime
from tjapi.operations import service as operations
from tjapi.result import flows, repository
from tjapi.result import service as results
from tjapi.result.errors import PastResultsInvalid
from tjapi.result.service import PastResults, PastValue

pytestmark = pytest.mark.requirement("E3.3", "E3.5")
Take = Callable[[bytes, str], Awaitable[UUID]]


@dataclass(frozen=True, slots=True)
class Raw:
    """A spelling and the number that it says; `number` None: it leaves a doubt."""

    text: str
    number: Decimal | None
    comparator: str = ""


def _comparators() -> Mapping[str, str]:
    return dict(zip(SIGNS, ("<", ">=", ">", ">", "<", ">", "<=", "<", "<="), strict=True))


SAFE = [
    *(Raw(around.format(n), Decimal(n)) for around, n in product(AROUND, NUMBERS)),
    *(Raw(sign.format(n), Decimal(n), comparator) for (sign, comparator), n in product(_comparators().items(), NUMBERS)),
]  # fmt: skip
DOUBTFUL = [
    Raw(doubt.format(n), None) for doubt, n in product(UNSURE, NUMBERS) if n != ".5" and (doubt, n) != ("{}e99", "0")
]
# For doors that take one value at a time, or few: every spelling and every number is among them.
SOME = SAFE[::3]
# Words, and which flags they may lead to: None is undetermined, neither normal nor abnormal.
FLAGS: Mapping[str, tuple[str | None, ...]] = {"none": ("",), "none, or undetermined": ("", None)}
WORDS = [(item, text, FLAGS.get(expected, (None,))) for item, text, expected in _rows("17-negative-spellings.tsv")]

LABORATORY = {
    "CBC5": "WBC RBC HGB HCT PLT MCV MCH MCHC RDW-CV MPV PDW PCT-PLT NEUT NEUT-P LYMPH LYMPH-P MONO MONO-P EOS EOS-P BASO BASO-P",
    "LIVER-FULL": "ALT AST TBIL DBIL TP ALB GGT ALP CHE TBA PA AFU", "RENAL": "UREA CREA UA", "LIPID": "TC TG HDL LDL", "GLU": "GLU",
    "ELECTROLYTE": "K NA CL CA P MG", "TCO2": "TCO2", "COAG": "PT INR APTT TT FIB DDIMER", "THYROID-FULL": "TSH FT3 FT4 T3 T4 TGAB TPOAB",
    "CARDIAC": "LDH CK CKMB HBDH", "IMMUNE": "IGG IGA C3 C4",
}  # fmt: skip
NUMERIC = [code for codes in LABORATORY.values() for code in codes.split()]
MOLAR = ["K", "NA", "CL", "TCO2", "CA", "P", "MG", "UREA", "TC", "TG", "HDL", "LDL", "GLU"]
"""Whose unit is mmol/L; the first four are never said in mg/dL."""
QUALITATIVE = {
    "UPRO": ["UPRO", "UGLU", "UBLD", "ULEU", "UKET", "UBIL", "UNIT", "UVC"],
    "HBSAG": ["HBSAG", "HBEAG", "HCVAB", "TPAB", "TRUST", "HPAB", "ANA"],
}
WORDED = {
    "URINE-SED": "UPRO UGLU UBLD ULEU UKET UBIL UNIT UVC",
    "HBV": "HBSAG HBEAG",
    "HCV": "HCVAB",
    "SYPHILIS": "TPAB TRUST",
    "HPAB": "HPAB",
    "ANA": "ANA",
}
GROUPS = LABORATORY | WORDED
GROUP_OF = {code: group for group, codes in GROUPS.items() for code in codes.split()}


def _fits(raw: Raw) -> Sequence[str]:
    """Return the items that a spelling is tried on: those whose unit stands in it, or never does."""
    return MOLAR[:4] if "mg/dL" in raw.text else MOLAR if "mmol" in raw.text else NUMERIC


def spread(raws: Iterable[Raw]) -> list[dict[str, Raw]]:
    """Spread spellings over exams, one for each item."""
    played: list[dict[str, Raw]] = []
    for raw in sorted(raws, key=lambda raw: len(_fits(raw))):
        free = ((exam, code) for exam in played for code in _fits(raw) if code not in exam)
        exam, code = next(free, (None, _fits(raw)[0]))
        if exam is None:
            played.append(exam := {})
        exam[code] = raw
    return played


def spread_words() -> list[dict[str, tuple[str, tuple[str | None, ...]]]]:
    """Spread the qualitative spellings likewise."""
    played: list[dict[str, tuple[str, tuple[str | None, ...]]]] = []
    for item, text, flags in WORDS:
        free = ((exam, code) for exam in played for code in QUALITATIVE[item] if code not in exam)
        exam, code = next(free, (None, QUALITATIVE[item][0]))
        if exam is None:
            played.append(exam := {})
        exam[code] = (text, flags)
    return played


def test_more_than_two_hundred_values_go_through_each_door() -> None:
    assert (len(SAFE), len(DOUBTFUL), len(WORDS)) == (232, 125, 17)
    assert sum(len(exam) for exam in spread(SAFE + DOUBTFUL)) == len(SAFE) + len(DOUBTFUL)
    assert sum(len(exam) for exam in spread_words()) == len(WORDS)
    assert len(SOME) + len(DOUBTFUL) > 200


# --- the laboratory's doors ---


def _message(scene: Scene, message_id: str, said: Mapping[str, str]) -> bytes:
    """Return one message on all groups of an exam: an order for each, its observations and its specimen."""
    when = "20261123120000+0800"
    segments: list[list[hl7v2.Field]] = [
        ["MSH", "LIS", "LAB", "TJAPI", "", when, "", ("ORU", "R01", "ORU_R01"), message_id, "P", "2.5.1", *[""] * 4, "CHN", "UNICODE UTF-8"],
        ["PID", "1", "", [(scene.exam_no, "", "", "TJ", "VN")], "", (scene.name,), "", "19860301", "M"],
    ]  # fmt: skip
    reported = [group for group in GROUPS if any(GROUP_OF[code] == group for code in said)]
    for order, group in enumerate(reported, 1):
        segments.append(["OBR", str(order), "", "", (group, group, "L"), *[""] * 17, when, "", "LAB", "F"])
        own = [(code, value) for code, value in said.items() if GROUP_OF[code] == group]
        segments += [["OBX", str(n), "ST", (code, code, "L"), "", value, *[""] * 5, "F", "", "", when] for n, (code, value) in enumerate(own, 1)]  # fmt: skip
        segments.append(
            ["SPM", "1", (scene.barcodes[group],), "", ("urine" if group.startswith("URINE") else "blood",)]
        )
    return hl7v2.build(segments)


async def _filed(runtime: Runtime, message_id: UUID) -> Mapping[str, Any]:
    async def silent(_done: int, _total: int | None, _message: str | None) -> None: ...

    run = JobRun(
        id=uuid7(), name="result.file_message", payload={"message_id": str(message_id)}, campus_id=None, attempts=0, fence=1,
        units=Unfenced(runtime), services=runtime.services, report=silent, created_by=UUID(int=1),
    )  # fmt: skip
    return await flows.file_message(run)


@pytest.fixture(params=["hl7", "rest"])
async def take(request: pytest.FixtureRequest, unit: OpenUnit, sign_in: SignIn) -> Take:
    """Takes a message up through a door of the laboratory's, and names it."""
    gateway = await sign_in("device-gateway")

    async def over_the_wire(body: bytes, message_id: str) -> UUID:
        async with unit() as uow:
            answer = await operations.receive_message(
                uow, source="lis", sender="LIS|LAB", message_id=message_id, body=body, media_type="application/hl7-v2",
                gateway_received_at=None, held=None,
            )  # fmt: skip
        return answer.id

    async def posted(body: bytes, message_id: str) -> UUID:
        headers = {"X-Source": "lis", "X-Message-Id": message_id, "Content-Type": "application/hl7-v2"}
        answer = await gateway.post(f"{API}/inbound-messages", content=body, headers=headers)
        assert answer.status_code == 202, answer.text
        return UUID(answer.json()["id"])

    return over_the_wire if request.param == "hl7" else posted


@dataclass(frozen=True, slots=True)
class _Kept:
    """What became of an exam's values: numbers and words that stand, and what is asked of a person, by item code."""

    numbers: dict[str, tuple[Decimal | None, str]]
    words: dict[str, tuple[str, str | None]]
    asked: dict[str, dict[str, str]]
    """By kind of question, the raw value by item."""
    texts: list[str]
    """Numeric items of which any revision, current or not, is a text; one that takes a value away says nothing."""


async def _kept(unit: OpenUnit, exam_id: UUID) -> _Kept:
    async with unit() as uow:
        said = {r.id: r for r in await repository.revisions_of_exam(uow, exam_id)}
        found = {r.id: r for r in await repository.results(uow, exam_id)}
        questions = [q for q in await repository.questions_of(uow, exam_id) if q.closed_at is None]
    worded = {code for codes in QUALITATIVE.values() for code in codes}
    now = {r.item_code: said[r.current_revision_id] for r in found.values() if r.current_revision_id is not None}
    asked: dict[str, dict[str, str]] = {}
    for question in questions:
        asked.setdefault(question.kind, {})[question.item_code] = question.raw_value
    codes = {revision.id: found[revision.result_id].item_code for revision in said.values()}
    return _Kept(
        {code: (r.numeric, r.comparator) for code, r in now.items() if code not in worded},
        {code: (r.raw_value, r.flag) for code, r in now.items() if code in worded}, asked,
        [
            codes[r.id]
            for r in said.values()
            if codes[r.id] not in worded and r.numeric is None and (r.status, r.raw_value) != ("entered_in_error", "")
        ],
    )  # fmt: skip


def _safe(said: Mapping[str, Raw]) -> dict[str, tuple[Decimal | None, str]]:
    return {code: (raw.number, raw.comparator) for code, raw in said.items() if raw.number is not None}


async def test_a_laboratorys_values_are_that_number_or_asked_of_a_person(
    runtime: Runtime, unit: OpenUnit, take: Take
) -> None:
    for said in spread(SAFE + DOUBTFUL):
        scene = await visit(unit, *LABORATORY)
        name = secrets.token_hex(8)
        filing = await _filed(
            runtime, await take(_message(scene, name, {code: raw.text for code, raw in said.items()}), name)
        )
        kept = await _kept(unit, scene.exam_id)
        doubtful = {code: raw.text for code, raw in said.items() if raw.number is None}
        assert {code: kept.numbers.get(code) for code in said} == {code: _safe(said).get(code) for code in said}
        assert kept.asked.get("unread", {}) == doubtful
        assert kept.texts == []
        async with unit() as uow:
            outstanding = {one.code for one in (await exams.completeness(uow, scene.exam_id)).outstanding}
        assert ("result_unread" in outstanding) == bool(doubtful)
        if doubtful:
            assert (filing["outcome"], filing["reason"]) == ("unmatched", "value-unread")


async def test_a_laboratorys_findings_are_normal_in_every_spelling_and_undetermined_by_a_number(
    runtime: Runtime, unit: OpenUnit, take: Take
) -> None:
    for said in spread_words():
        scene = await visit(unit, *WORDED)
        name = secrets.token_hex(8)
        await _filed(runtime, await take(_message(scene, name, {code: text for code, (text, _) in said.items()}), name))
        kept = await _kept(unit, scene.exam_id)
        assert {code: text for code, (text, _) in kept.words.items()} == {
            code: text for code, (text, _) in said.items()
        }
        for code, (text, flags) in said.items():
            flag = kept.words[code][1]
            assert flag in flags, (code, text)
            assert (code in kept.asked.get("undetermined", {})) == (flag is None), (code, text)


# --- the staff's doors ---

DESK = {"HEIGHT": "cm", "WAIST": "cm", "HIP": "cm", "SBP": "mmHg", "DBP": "mmHg", "PULSE": "次/分", "TEMP": "℃", "RESP": "次/分", "SPO2": "%"}  # fmt: skip
"""Numeric items of a department, and their units."""


def _in_unit(raw: Raw, unit: str) -> str:
    return raw.text.replace("mmol/L", unit).replace("mmol/l", unit.lower())


def _shuffled(text: str) -> int:
    """Return an order that has nothing to do with how the spellings were made, and is the same every time."""
    return int.from_bytes(text.encode()[::-1]) % 10_007


async def test_a_departments_wrong_values_are_named_and_its_safe_ones_are_that_number(
    unit: OpenUnit, sign_in: SignIn
) -> None:
    doctor, scene = await sign_in("doctor"), await visit(unit, "GENERAL-FULL")
    place = f"{API}/exams/{scene.exam_id}/departments/{scene.departments['GENERAL-FULL']}"

    async def put(version: int, said: Mapping[str, str]) -> httpx.Response:
        given = [
            {"item_id": str(scene.items[code]), "value": text, "kept_because": "已复测"} for code, text in said.items()
        ]
        return await doctor.put(f"{place}/results", json={"results": given}, headers={"If-Match": f'"{version}"'})

    mixed = sorted(SOME + DOUBTFUL, key=lambda raw: _shuffled(raw.text))
    words = [text for _, text, _ in WORDS]
    for version, first in enumerate(range(0, len(mixed), len(DESK))):
        said = dict(zip(DESK, mixed[first:], strict=False))
        texts = {code: _in_unit(raw, DESK[code]) for code, raw in said.items()}
        wrong = {code: "not-a-number" for code, raw in said.items() if raw.number is None}
        # A choice is one of its choices and nothing else.
        whole = texts | ({"NUTRITION": words[version]} if version < len(words) else {})
        wrong |= {"NUTRITION": "not-a-choice"} if version < len(words) else {}
        before = await _kept(unit, scene.exam_id)
        if wrong:
            refused = await put(version, whole)
            assert refused.status_code == 422, whole
            places = list(whole)
            assert [(e["pointer"], e["code"]) for e in refused.json()["errors"]] == [
                (f"/results/{places.index(code)}/value", wrong[code]) for code in places if code in wrong
            ]
            assert await _kept(unit, scene.exam_id) == before
        entered = await put(version, {code: text for code, text in texts.items() if code not in wrong})
        assert entered.status_code == 200, (texts, entered.text)
        kept = await _kept(unit, scene.exam_id)
        assert {code: kept.numbers[code] for code in said if code not in wrong} == _safe(said)
        assert kept.texts == []


async def _asked_of_all(
    runtime: Runtime, unit: OpenUnit, sign_in: SignIn, codes: Iterable[str]
) -> tuple[Scene, dict[str, UUID]]:
    """Return an exam of whose items nothing could be read, and its questions."""
    scene, gateway, name = await visit(unit, *LABORATORY), await sign_in("device-gateway"), secrets.token_hex(8)
    headers = {"X-Source": "lis", "X-Message-Id": name, "Content-Type": "application/hl7-v2"}
    body = _message(scene, name, dict.fromkeys(codes, "见备注"))
    taken = await gateway.post(f"{API}/inbound-messages", content=body, headers=headers)
    await _filed(runtime, UUID(taken.json()["id"]))
    async with unit() as uow:
        open_now = [q for q in await repository.questions_of(uow, scene.exam_id) if q.closed_at is None]
    return scene, {q.item_code: q.id for q in open_now}


async def _answer(client: httpx.AsyncClient, question_id: UUID, value: str) -> httpx.Response:
    body = {"answer": "value", "reason": "已核对原始记录", "value": value}
    return await client.post(f"{API}/result-questions/{question_id}:answer", json=body)


async def test_an_answer_that_leaves_a_doubt_is_refused_and_the_question_stays(
    runtime: Runtime, unit: OpenUnit, sign_in: SignIn
) -> None:
    doctor = await sign_in("doctor")
    scene, questions = await _asked_of_all(runtime, unit, sign_in, NUMERIC)
    for said in spread(DOUBTFUL):
        for code, raw in said.items():
            refused = await _answer(doctor, questions[code], raw.text)
            assert refused.status_code == 422, (code, raw.text)
            assert [e["pointer"] for e in refused.json()["errors"]] == ["/value"], (code, raw.text)
    kept = await _kept(unit, scene.exam_id)
    assert (kept.numbers, kept.texts, set(kept.asked["unread"])) == ({}, [], set(NUMERIC))


async def test_an_answer_that_leaves_no_doubt_is_that_number(runtime: Runtime, unit: OpenUnit, sign_in: SignIn) -> None:
    doctor = await sign_in("doctor")
    for said in spread(SOME):
        scene, questions = await _asked_of_all(runtime, unit, sign_in, said)
        for code, raw in said.items():
            answered = await _answer(doctor, questions[code], raw.text)
            assert answered.status_code == 200, (code, raw.text, answered.text)
        kept = await _kept(unit, scene.exam_id)
        assert {code: kept.numbers.get(code) for code in said} == _safe(said)
        assert (kept.texts, kept.asked.get("unread")) == ([], None)


# --- the archive's door ---

MORNING = datetime(2024, 3, 15, 8, 0, tzinfo=HOSPITAL_ZONE)


async def _brought(
    world: World, unit: OpenUnit, groups: Mapping[str, str], archive: str, rows: Sequence[Mapping[str, str]]
) -> list[UUID]:
    """Bring an archive of these values in, one exam for each row."""
    past = [
        PastExam(
            archive_no=secrets.token_hex(6), examinee_id=(await world.person())[0], exam_date=MORNING.date(), package_code=None,
            package_name="旧套餐", lines=tuple(PastLine(group, 1_000) for group in groups), checked_in_at=MORNING,
            ready_at=MORNING + timedelta(hours=5), finalized_at=MORNING + timedelta(days=1),
        )
        for _ in rows
    ]  # fmt: skip
    async with unit() as uow:
        known = await exams.import_past(uow, 1, archive, past)
        ids = [known[exam.archive_no] for exam in past]
        brought = [
            PastResults(
                exam_id=exam_id, observed_at=MORNING, sheets=(),
                values=tuple(PastValue(GROUP_OF[code], code, text) for code, text in row.items()),
            )
            for exam_id, row in zip(ids, rows, strict=True)
        ]  # fmt: skip
        await results.import_past(uow, archive, brought)
    return ids


async def test_an_archives_doubtful_values_are_named_each_and_its_safe_ones_are_that_number(
    runtime: Runtime, unit: OpenUnit, sign_in: SignIn
) -> None:
    world, archive, played = World(runtime, sign_in), f"doors-{secrets.token_hex(4)}", spread(SAFE + DOUBTFUL)
    texts = [{code: raw.text for code, raw in said.items()} for said in played]
    with pytest.raises(PastResultsInvalid) as refused:
        await _brought(world, unit, LABORATORY, archive, texts)
    assert {(error.pointer, error.code) for error in refused.value.errors} == {
        (f"/rows/{i}/values/{j}/value", "not-a-number")
        for i, said in enumerate(played)
        for j, raw in enumerate(said.values())
        if raw.number is None
    }
    async with unit() as uow:
        assert await exams.imported(uow, archive) == set()
    safe = [{code: raw.text for code, raw in said.items() if raw.number is not None} for said in played]
    for exam_id, said in zip(await _brought(world, unit, LABORATORY, archive, safe), played, strict=True):
        kept = await _kept(unit, exam_id)
        assert {code: kept.numbers.get(code) for code in said} == {code: _safe(said).get(code) for code in said}
        assert kept.texts == []


async def test_an_archives_findings_are_normal_in_every_spelling_and_by_a_number_neither_normal_nor_abnormal(
    runtime: Runtime, unit: OpenUnit, sign_in: SignIn
) -> None:
    played = spread_words()
    rows = [{code: text for code, (text, _) in said.items()} for said in played]
    ids = await _brought(World(runtime, sign_in), unit, WORDED, f"doors-{secrets.token_hex(4)}", rows)
    for exam_id, said in zip(ids, played, strict=True):
        kept = await _kept(unit, exam_id)
        assert {code: text for code, (text, _) in kept.words.items()} == {
            code: text for code, (text, _) in said.items()
        }
        assert all(kept.words[code][1] in flags for code, (_, flags) in said.items()), kept.words


# --- words that take a value back, at every door ---

RETRACTED = {
    "K": ("4.1", "REPORTED IN ERROR"),
    "NA": ("140", "更正：125"),
    "HBSAG": ("阴性", "更正为阳性"),
    "HBEAG": ("阴性", "弱阳性(1.2)"),
}
"""Values with the note that the laboratory puts beside each."""


def _noted(scene: Scene, message_id: str) -> bytes:
    """Return a message on these values, each with its note behind it."""
    lines = _message(scene, message_id, {code: value for code, (value, _) in RETRACTED.items()}).decode().split("\r")
    noted = []
    for line in lines:
        noted.append(line)
        if line.startswith("OBX|"):
            noted.append(f"NTE|1|L|{RETRACTED[line.split('|')[3].split('^')[0]][1]}")
    return "\r".join(noted).encode()


async def test_a_laboratorys_own_words_against_its_values_are_heard_at_each_of_its_doors(
    runtime: Runtime, unit: OpenUnit, take: Take
) -> None:
    scene, name = await visit(unit, "ELECTROLYTE", "HBV"), secrets.token_hex(8)
    filed = await _filed(runtime, await take(_noted(scene, name), name))
    kept = await _kept(unit, scene.exam_id)
    assert filed["reason"] == "value-implausible"
    assert {kind: set(items) for kind, items in kept.asked.items()} == {
        "implausible": {"K", "NA"},
        "undetermined": {"HBSAG", "HBEAG"},
    }


async def test_a_laboratorys_own_words_in_a_file_of_messages_are_heard(unit: OpenUnit) -> None:
    scene = await visit(unit, "ELECTROLYTE", "HBV")
    message = _noted(scene, secrets.token_hex(8)).decode().strip("\r")
    parted, faults = hl7_mllp.split(f"FHS|^~\\&|LIS\rBHS|^~\\&|LIS\r{message}\rBTS|1\rFTS|1\r".encode())
    assert (len(parted), faults) == (1, ())
    async with unit() as uow:
        await results.file_report(uow, uuid7(), "lis", hl7_mllp.parse(parted[0]))
    kept = await _kept(unit, scene.exam_id)
    assert {kind: set(items) for kind, items in kept.asked.items()} == {
        "implausible": {"K", "NA"},
        "undetermined": {"HBSAG", "HBEAG"},
    }


async def test_an_answer_with_words_that_take_it_back_is_refused(
    runtime: Runtime, unit: OpenUnit, sign_in: SignIn
) -> None:
    doctor = await sign_in("doctor")
    _, questions = await _asked_of_all(runtime, unit, sign_in, ["K", "NA"])
    for code, (value, note) in list(RETRACTED.items())[:2]:
        refused = await _answer(doctor, questions[code], f"{value} {note}")
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/value")


async def test_an_archives_words_that_take_a_value_back_are_no_number_and_no_finding(
    runtime: Runtime, unit: OpenUnit, sign_in: SignIn
) -> None:
    world, archive = World(runtime, sign_in), f"doors-{secrets.token_hex(4)}"
    rows = [{code: f"{value}，{note}" for code, (value, note) in RETRACTED.items()}]
    groups = dict.fromkeys(("ELECTROLYTE", "HBV"), "")
    with pytest.raises(PastResultsInvalid) as refused:
        await _brought(world, unit, groups, archive, rows)
    assert [(e.pointer, e.code) for e in refused.value.errors] == [
        ("/rows/0/values/0/value", "not-a-number"),
        ("/rows/0/values/1/value", "not-a-number"),
    ]
    words = [{code: text for code, text in rows[0].items() if code in ("HBSAG", "HBEAG")}]
    (exam_id,) = await _brought(world, unit, groups, archive, words)
    kept = await _kept(unit, exam_id)
    assert {code: flag for code, (_, flag) in kept.words.items()} == {"HBSAG": None, "HBEAG": None}
