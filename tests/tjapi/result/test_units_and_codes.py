"""Other units become ours by a factor that names its source, or go to a person; codes that nobody mapped are a list to work through."""

import asyncio
from decimal import Decimal

import pytest

from tests.tjapi.result.scene import OpenUnit, Unfenced, file, line_state, observation, report, state_of, visit
from tests.tjapi.world import API, SignIn
from tjapi.catalog import service as catalog
from tjapi.catalog.schemas import StarterUnit
from tjapi.critical_value import repository as critical_values
from tjapi.kernel import inbox
from tjapi.kernel.ids import uuid7
from tjapi.kernel.jobs.spec import JobRun
from tjapi.kernel.runtime import Runtime
from tjapi.result import flows, repository, service
from tjapi.result.rules.values import converted, parse, same_unit

STARTER = catalog.read_starter()
ITEMS = {item.code: item for item in STARTER.items}


@pytest.mark.requirement("E3.5")
async def test_a_value_in_another_unit_is_filed_in_ours_flagged_in_ours_and_keeps_what_was_said(unit: OpenUnit) -> None:
    scene = await visit(unit, "GLU")
    filing = await file(unit, report(scene, "GLU", observation("GLU", "126", unit="mg/dl")))
    assert filing.outcome == "filed"
    assert (await state_of(unit, scene))["GLU"] == ("6.994", "H", "final")
    async with unit() as uow:
        (result,) = await repository.results(uow, scene.exam_id)
        (said,) = (await service.history(uow, result.id)).revisions
    assert (said.unit, said.numeric) == ("mmol/L", "6.994")
    assert said.conversion is not None
    assert (said.conversion.value, said.conversion.unit, said.conversion.factor) == ("126", "mg/dl", "0.05551")
    assert said.conversion.source
    again = await file(unit, report(scene, "GLU", observation("GLU", "126.0", unit="mg/dL")))
    assert again.outcome == "duplicate"


@pytest.mark.requirement("E3.5", "E5.2")
async def test_what_is_critical_in_another_unit_is_critical(unit: OpenUnit) -> None:
    scene = await visit(unit, "GLU")
    await file(unit, report(scene, "GLU", observation("GLU", "450", unit="mg/dL")))
    async with unit() as uow:
        assert [a.rule_code for a in await critical_values.of_exam(uow, scene.exam_id)] == ["CRIT-GLU-HIGH"]


@pytest.mark.requirement("E3.5")
async def test_a_unit_without_a_factor_is_not_guessed_and_the_line_stays_open(unit: OpenUnit) -> None:
    scene = await visit(unit, "RENAL")
    filing = await file(unit, report(scene, "RENAL", observation("UREA", "20", unit="mg/dL")))
    assert (filing.outcome, filing.reason, filing.detail["units"]) == ("unmatched", "unit-differs", ["UREA"])
    assert await state_of(unit, scene) == {}
    assert await line_state(unit, scene, "RENAL") == "collected"


@pytest.mark.parametrize("row", STARTER.units, ids=lambda u: f"{u.item}-{u.unit}")
@pytest.mark.requirement("E3.5", "X15")
def test_every_shipped_unit_names_its_source_and_turns_a_plausible_value_into_a_plausible_one(row: StarterUnit) -> None:
    """Of each item a value in the middle of our range, said in their unit, comes back as it was."""
    item = ITEMS[row.item]
    assert row.source
    assert not same_unit(row.unit, item.unit)
    middle = Decimal(_MIDDLE[row.item])
    theirs = (middle - row.addend) / row.factor
    back = converted(parse(f"{theirs:.9f}"), row.factor, row.addend, item.decimals or 0).numeric
    assert back is not None
    assert abs(back - middle) <= Decimal(1).scaleb(-(item.decimals or 0)) / 2
    low, high = (Decimal(text) for text in _THEIRS[row.item, row.unit])
    assert low <= theirs <= high, "the factor is upside down, or of another unit"


# Written by hand, from what reports in these units look like: a value that is ordinary in ours, and between which it is ordinary in theirs.
_MIDDLE = {
    "HGB": "150", "MCHC": "335", "TP": "72", "ALB": "45", "GLOB": "28", "FIB": "3.0", "APOA1": "1.4", "APOB": "0.9", "LPA": "150",
    "CRP": "3", "HSCRP": "1", "HCT": "0.45", "WBC": "6", "PLT": "220", "RBC": "4.8", "K": "4.2", "NA": "140", "CL": "103", "CA": "2.35",
    "MG": "0.90", "P": "1.1", "FE": "18", "ZN": "14", "GLU": "5.2", "GLU-2H": "6.5", "CREA": "75", "UA": "320", "TBIL": "12", "DBIL": "4",
    "IBIL": "8", "TC": "4.8", "HDL": "1.3", "LDL": "2.8", "NONHDL": "3.4", "TG": "1.2", "HCY": "10", "ALT": "22", "AST": "20",
    "HBA1C": "5.5",
}  # fmt: skip
_THEIRS = {
    ("HGB", "g/dL"): ("12", "18"), ("MCHC", "g/dL"): ("30", "36"), ("TP", "g/dL"): ("6", "9"), ("ALB", "g/dL"): ("3.5", "5.5"),
    ("GLOB", "g/dL"): ("2", "4"), ("FIB", "mg/dL"): ("200", "400"), ("APOA1", "mg/dL"): ("100", "200"), ("APOB", "mg/dL"): ("60", "130"),
    ("LPA", "mg/dL"): ("5", "30"), ("CRP", "mg/dL"): ("0", "1"), ("HSCRP", "mg/dL"): ("0", "0.3"), ("HCT", "%"): ("35", "55"),
    ("WBC", "10^3/uL"): ("4", "10"), ("WBC", "K/uL"): ("4", "10"), ("WBC", "/uL"): ("4000", "10000"), ("PLT", "10^3/uL"): ("100", "400"),
    ("PLT", "K/uL"): ("100", "400"), ("RBC", "10^6/uL"): ("3.5", "6"), ("RBC", "M/uL"): ("3.5", "6"), ("K", "mEq/L"): ("3.5", "5.5"),
    ("NA", "mEq/L"): ("135", "147"), ("CL", "mEq/L"): ("95", "110"), ("CA", "mEq/L"): ("4.2", "5.2"), ("MG", "mEq/L"): ("1.4", "2.2"),
    ("CA", "mg/dL"): ("8.5", "10.5"), ("P", "mg/dL"): ("2.5", "4.5"), ("MG", "mg/dL"): ("1.6", "2.6"), ("FE", "ug/dL"): ("60", "170"),
    ("ZN", "ug/dL"): ("60", "130"), ("GLU", "mg/dL"): ("70", "110"), ("GLU-2H", "mg/dL"): ("70", "140"), ("CREA", "mg/dL"): ("0.6", "1.3"),
    ("CREA", "mmol/L"): ("0.05", "0.11"), ("UA", "mg/dL"): ("3", "7"), ("TBIL", "mg/dL"): ("0.2", "1.2"), ("DBIL", "mg/dL"): ("0", "0.4"),
    ("IBIL", "mg/dL"): ("0.2", "1"), ("TC", "mg/dL"): ("120", "200"), ("HDL", "mg/dL"): ("40", "60"), ("LDL", "mg/dL"): ("70", "130"),
    ("NONHDL", "mg/dL"): ("90", "160"), ("TG", "mg/dL"): ("50", "150"), ("HCY", "mg/L"): ("0.7", "2.1"), ("ALT", "ukat/L"): ("0.1", "0.7"),
    ("AST", "ukat/L"): ("0.1", "0.7"), ("HBA1C", "mmol/mol"): ("20", "42"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("said", "factor", "addend", "decimals", "ours"),
    [
        ("12.95", "10", "0", 0, "129.5"), ("13", "10", "0", 0, "130"), ("<0.01", "88.4", "0", 0, "<0.9"), (">500", "0.05551", "0", 2, ">27.755"),
        ("42", "0.09148", "2.152", 1, "5.99"), ("0", "10", "0", 1, "0"), ("100", "1", "0", 0, "100"),
    ],
)  # fmt: skip
def test_a_conversion_rounds_no_value_over_a_bound_and_keeps_its_comparator(
    said: str, factor: str, addend: str, decimals: int, ours: str
) -> None:
    found = converted(parse(said), Decimal(factor), Decimal(addend), decimals)
    assert (found.raw, found.text, parse(ours).numeric) == (ours, ours, found.numeric)
    assert found.comparator == parse(said).comparator


@pytest.mark.requirement("E3.5", "X4", "X13")
async def test_unmapped_codes_are_listed_with_count_and_time_and_mapping_one_files_all_that_wait_for_it(
    runtime: Runtime, unit: OpenUnit, sign_in: SignIn
) -> None:
    strange, scenes = f"Z{uuid7().hex[-10:]}", [await visit(unit, "GLU") for _ in range(3)]
    waiting = {}
    for n, scene in enumerate(scenes):
        async with unit() as uow:
            told = {
                "source": "lis",
                "message_id": f"{strange}-{n}",
                "body": f"{n}".encode(),
                "media_type": "application/hl7-v2",
            }
            message, _ = await inbox.receive(uow, **told, gateway_received_at=None)  # type: ignore[arg-type]
        said = report(scene, "GLU", observation(strange, "5.0"))
        waiting[message.id] = said
        async with unit() as uow:
            filing = await service.file_report(uow, message.id, "lis", said)
            await inbox.end(uow, message.id, filing.outcome, reason=filing.reason, exam_id=filing.exam_id, campus_id=filing.campus_id,
                            detail=filing.detail)  # fmt: skip
    engineer = await sign_in("interface")

    async def listed() -> list[dict[str, object]]:
        answer = await engineer.get(f"{API}/unmapped-codes", params={"system": "lis", "page_size": 200})
        return [row for row in answer.json()["items"] if row["code"] == strange]

    (row,) = await listed()
    assert (row["system"], row["messages"]) == ("lis", 3)
    assert str(row["first_seen_at"]) < str(row["last_seen_at"])
    mapped = await engineer.put(f"{API}/external-codes/lis/{strange}", json={"item_id": str(scenes[0].items["GLU"])})
    assert mapped.status_code == 200, mapped.text

    class Known:
        """The laboratory's parser, for the three messages of this test."""

        def __init__(self) -> None:
            self.lis = self

        async def read(self, _source: str, raw: bytes, _charset: str | None = None) -> object:
            return list(waiting.values())[int(raw)]

    async def silent(_done: int, _total: int | None, _message: str | None) -> None: ...

    def run(payload: dict[str, str]) -> JobRun:
        return JobRun(
            id=uuid7(), name="test", payload=payload, campus_id=None, attempts=0, fence=1, units=Unfenced(runtime), services=Known(),
            report=silent, created_by=uuid7(),
        )  # fmt: skip

    assert await flows.replay_mapped(run({"system": "lis", "code": strange})) == {"replayed": 3}
    ends = await asyncio.gather(*(flows.file_message(run({"message_id": str(m)})) for m in waiting))
    assert [end["outcome"] for end in ends] == ["filed"] * 3
    assert await listed() == []
    assert [await line_state(unit, scene, "GLU") for scene in scenes] == ["verified"] * 3
