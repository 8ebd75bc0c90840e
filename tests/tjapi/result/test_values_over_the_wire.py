"""Values as laboratories write them, from the bytes of a message to what is on file: raw kept, read with care, flagged only where sure."""

import pytest

from adapters.lis import registry
from adapters.wire import hl7v2
from tests.tjapi.result.scene import OpenUnit, Scene, file, visit
from tjapi.result import repository

pytestmark = pytest.mark.requirement("E3.2", "E3.3", "E3.5", "I2")
GROUPS = ("CBC", "URINE", "ANA", "BLOOD-TYPE", "GLU", "RENAL", "SYPHILIS")


def _message(scene: Scene, code: str, value: str, charset: str) -> bytes:
    group = next(g for g in GROUPS if code in _HELD[g])
    said = {"UTF-8": "UNICODE UTF-8", "GB18030": "GB 18030-2000"}[charset]
    when = "20261123120000+0800"
    return hl7v2.build(
        [
            ["MSH", "LIS", "LAB", "TJAPI", "", when, "", ("ORU", "R01", "ORU_R01"), f"V-{code}", "P", "2.5.1", *[""] * 4, "CHN", said],
            ["PID", "1", "", [(scene.exam_no, "", "", "TJ", "VN")], "", (scene.name,), "", "19860301", "M"],
            ["OBR", "1", "", "", (group, group, "L"), *[""] * 17, when, "", "LAB", "F"],
            ["OBX", "1", "ST", (code, code, "L"), "", value, "", "", "", "", "", "F", "", "", when],
            ["SPM", "1", (scene.barcodes[group],), "", ("urine" if group.startswith("URINE") else "blood",)],
        ],
        charset=charset,
    )  # fmt: skip


_HELD = {
    "CBC": ("WBC", "HGB", "PLT"), "URINE": ("UPRO", "UGLU", "UBLD", "ULEU"), "ANA": ("ANA",), "BLOOD-TYPE": ("RHD",), "GLU": ("GLU",),
    "RENAL": ("CREA",), "SYPHILIS": ("TRUST",),
}  # fmt: skip


@pytest.mark.parametrize("charset", ["UTF-8", "GB18030"])
async def test_what_was_written_is_kept_and_flagged_only_where_there_is_no_doubt(unit: OpenUnit, charset: str) -> None:
    scene = await visit(unit, *GROUPS)
    said = {
        "GLU": ("<0.01", "<", "0.01", "LL"), "CREA": ("＞１０００", ">", "1000", "HH"), "WBC": (">3.0", ">", "3.0", None),
        "HGB": ("≥175", ">=", "175", None), "UPRO": ("±", "", None, "A"),
        "UGLU": ("＋＋", "", None, "A"), "UBLD": ("（－）", "", None, ""), "ULEU": ("弱阳性", "", None, "A"),
        "ANA": ("1:320", "", None, None), "RHD": ("Rh(+)", "", None, None), "TRUST": ("非阳性", "", None, None),
    }  # fmt: skip
    for code, (value, *_) in said.items():
        filing = await file(unit, registry.parser("hl7_mllp")(_message(scene, code, value, charset)))
        # "<0.01" of a glucose is filed, flagged, and asked about.
        assert filing.reason == ("value-implausible" if code == "GLU" else None), (code, filing)
    clotted = await file(unit, registry.parser("hl7_mllp")(_message(scene, "PLT", "标本凝集", charset)))
    assert clotted.reason == "value-unread"
    async with unit() as uow:
        codes = {r.id: r.item_code for r in await repository.results(uow, scene.exam_id)}
        found = {codes[r.result_id]: r for r in await repository.revisions_of_exam(uow, scene.exam_id)}
    kept = {
        code: (r.raw_value, r.comparator, None if r.numeric is None else f"{r.numeric:f}", r.flag)
        for code, r in found.items()
        if code in said
    }
    assert kept == said
