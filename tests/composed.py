"""Ten composed people from the front desk to the printed report, to be read as a chief physician and as the patient would.

What is measured is composed; what is found, advised and printed is the product's own.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pypdfium2

from tests.tjapi.conclusion.test_derived import Desk, Review, _answered, _printed
from tests.tjapi.world import API, UNREMARKABLE, Visit, World, key
from tjapi import demo
from tjapi.catalog import service as catalog
from tjapi.content.checking import healthy
from tjapi.examinee import service as examinees
from tjapi.examinee.schemas import IdCardPayload
from tjapi.kernel.clock import business_day
from tjapi.kernel.documents import render
from tjapi.kernel.settings import project_file
from tjapi.visit import id_number, invented_person

BASIC = (
    "GENERAL-FULL",
    "INTERNAL-FULL",
    "ECG",
    "CBC5",
    "URINE-SED",
    "LIVER-FULL",
    "RENAL-FULL",
    "GLU",
    "LIPID",
    "US-ABD",
)


@dataclass(frozen=True)
class Person:
    """Somebody composed: who they are, what is examined, what is measured of them (anything else is unremarkable), and what is refused."""

    name: str
    sex: str
    years: int
    groups: tuple[str, ...] = BASIC
    values: dict[str, str] = field(default_factory=dict)
    pregnant: bool | None = None
    refuses: bool = False
    must: tuple[str, ...] = ()
    """Words that must stand in the titles of the conclusions."""
    never: tuple[str, ...] = ()
    """Words that must stand nowhere in the conclusions."""
    critical: tuple[str, ...] = ()
    """Words of the conclusions that are printed as critical: these, and no other."""


PEOPLE = {
    "healthy": Person("甲康健", "female", 34, never=("疾病", "危急", "异常", "升高", "偏")),
    "hypertensive-crisis": Person(
        "乙压高", "male", 52, (*BASIC, "BP-REPEAT"), values={"SBP": "242", "DBP": "138", "SBP-2": "236", "DBP-2": "134"},
        must=("血压",), never=("血压偏低", "保持目前"), critical=("血压",),
    ),
    "new-diabetic": Person(
        "丙糖友", "male", 46, (*BASIC, "HBA1C"), {"GLU": "9.8", "HBA1C": "8.1", "TG": "3.4", "UGLU": "阳性(2+)"},
        must=("糖尿病",), never=("低血糖", "糖尿病前期"),
    ),
    "pregnant": Person(
        "丁孕期", "female", 29, ("GENERAL", "INTERNAL", "CBC5", "URINE-SED", "GLU", "THYROID"), {"HGB": "112", "GLU": "4.6", "FT4": "13", "FT3": "4.5", "TSH": "2"},
        pregnant=True, never=("贫血", "减重", "胸片", "X线"),
    ),
    "child": Person(
        "戊小宝", "male", 8, ("GENERAL", "INTERNAL", "CBC5", "URINE-SED"), {"HEIGHT": "128", "WEIGHT": "27", "HGB": "122", "SBP": "100", "DBP": "62"},
        never=("肥胖", "限酒", "戒烟", "高血压", "血压升高", "消瘦"),
    ),
    "cancer-on-ultrasound": Person(
        "己肝占", "male", 61, (*BASIC, "TUMOR-2"),
        {"US-LIVER": "肝右叶见一低回声团块，大小约4.2×3.8cm，边界不清，内见血流信号，考虑原发性肝癌可能，建议进一步检查。", "AFP": "860"},
        must=("肝",), never=("脂肪肝", "定期复查即可", "良性"),
    ),
    "hbv-carrier": Person(
        "庚乙肝", "female", 38, (*BASIC, "HBV"), {"HBSAG": "阳性", "HBEAB": "阳性", "HBCAB": "阳性", "HBSAB": "阴性", "ALT": "28"},
        must=("乙",), never=("接种乙肝疫苗即可", "肝硬化"),
    ),
    "yang-deficient": Person(
        "辛阳虚", "female", 41, ("GENERAL", "TCM"),
        {"TCM-YX": "62", "TCM-PH": "45", "TCM-TYPE": "阳虚质", "TCM-TONGUE": "淡白", "TCM-COAT": "薄白", "TCM-PULSE": "沉"},
        must=("阳虚",), never=("清热", "苦寒", "阴虚"),
    ),
    "elderly-polypathic": Person(
        "壬高龄", "male", 82, (*BASIC, "CXR", "ELECTROLYTE"),
        {"CREA": "400", "UREA": "24", "HGB": "88", "EGFR": "11", "SBP": "168", "DBP": "72", "GLU": "8.2", "K": "5.6", "UA": "560", "ECG": "心房颤动"},
        must=("肾", "血压", "心房颤动"), never=("2000 mL", "动物肝脏与绿叶", "如有不适或再次出现"),
    ),
    "all-refused": Person("癸拒检", "male", 45, ("GENERAL", "INTERNAL"), refuses=True, never=("正常", "未见异常")),
}  # fmt: skip


async def play(world: World, person: Person) -> tuple[Visit, dict[str, Any]]:
    """Play a person's visit to the two signatures, and return the data of what is printed."""
    visit = await _registered(world, person)
    if person.refuses:
        doctor = await world.sign_in("doctor")
        body = {"line_ids": [str(line) for line in visit.lines.values()], "reason": "本人拒检", "signature": "本人签名"}
        refused = await doctor.post(f"{visit.place}/lines:refuse", json=body)
        assert refused.status_code == 200, refused.text
    else:
        await _measured(world, visit, person)
    review = Review(world, visit)
    made = await review.call("generate")
    assert made.status_code == 200, made.text
    for step, who in (("sign", "reviewer"), ("finalize", "chief")):
        signed = await review.call(step, who=who)
        assert signed.status_code == 200, signed.text
    return visit, await _printed(world, visit, hospital="桂澄中医医院（演示）")


async def _registered(world: World, person: Person) -> Visit:
    today = business_day(world.runtime.clock.now())
    born = date(today.year - person.years, 1, 1) + timedelta(days=(today - date(today.year, 1, 1)).days // 2)
    card = invented_person(person.sex) | {
        "name": person.name, "birth_date": born.isoformat(), "id_number": id_number(born, person.sex),
    }  # fmt: skip
    async with world.runtime.units.open(demo.LOADER) as uow:
        known, _ = await examinees.meet(uow, IdCardPayload.model_validate(card), 1)
    front = await world.sign_in("front")
    body = await world.order(known.id, *person.groups)
    if person.pregnant is not None:
        body["pregnant"] = person.pregnant
    answer = await front.post(f"{API}/exams", json=body, headers=key())
    assert answer.status_code == 201, answer.text
    exam = answer.json()
    visit = Visit(
        known.id, card, exam["id"], exam["exam_no"], {line["code"]: line["id"] for line in exam["lines"]},
        {line["code"]: line["department_id"] for line in exam["lines"]},
    )  # fmt: skip
    if person.years < _ALONE_FROM:
        guardian = {"name": "戊父", "relation": "father", "phone": "17700000000"}
        added = await front.post(f"{API}/examinees/{known.id}/guardians", json=guardian)
        assert added.status_code == 201, added.text
        consent = f"{API}/examinees/{known.id}/guardians/{added.json()['id']}:consent"
        assert (await front.post(consent, json={"form": "in_person"})).status_code == 200
    checked = await front.post(f"{visit.place}:check-in", headers=key())
    assert checked.status_code == 200, checked.text
    visit.tubes = checked.json()["tubes"]
    return visit


async def _measured(world: World, visit: Visit, person: Person) -> None:
    usual = (
        UNREMARKABLE
        | _SCORES
        | {"WEIGHT": "62"}
        | {
            code: known.text
            for code, known in healthy(
                catalog.read_starter().items, person.sex, person.years, pregnant=bool(person.pregnant)
            )
        }
    )
    told = usual | person.values
    if visit.tubes:
        await world.file(visit, **told)
    doctor = await world.sign_in("doctor")
    one_of_each = {department: group for group, department in visit.departments.items()}
    for department, group in one_of_each.items():
        if department == _LABORATORY:
            continue
        desk = Desk(doctor, visit, group)
        answer = await doctor.get(f"{desk.place}/sheet")
        if answer.status_code != 200:
            continue
        items = {i["item_code"] for i in answer.json()["items"]}
        await desk.enter(**{code: told[code] for code in items & told.keys() - _COMPUTED})
    for _ in range(2):
        # What is answered may ask the next one.
        await _told(world, visit)
        await _answered(world, visit, "normal")
    for department, group in one_of_each.items():
        if department == _LABORATORY:
            continue
        desk = Desk(doctor, visit, group)
        assert (await desk.sign()).status_code == 200
        # What its signature makes final may be asked about; what was answered is signed anew.
        await _told(world, visit)
        await _answered(world, visit, "normal")
        if (await desk.sheet())["stale"]:
            await desk.reopen()
            assert (await desk.sign()).status_code == 200


async def _told(world: World, visit: Visit) -> None:
    """Confirm every critical value that nobody has looked at, and tell the patient of it."""
    client = await world.sign_in("reviewer")
    listed = await client.get(f"{API}/critical-values", params={"exam_id": str(visit.exam_id)})
    for alert in listed.json()["items"]:
        if alert["state"] == "detected":
            place = f"{API}/critical-values/{alert['id']}"
            tag = {"If-Match": (await client.get(place)).headers["etag"]}
            confirmed = await client.post(f"{place}:confirm", headers=tag)
            assert confirmed.status_code == 200, confirmed.text
            told = {"channel": "phone", "told": "本人", "reached": True, "read_back": "马上去急诊"}
            tag = {"If-Match": confirmed.headers["etag"]}
            assert (await client.post(f"{place}:notify", json=told, headers=tag)).status_code == 200


_SCORES = {f"TCM-{kind}": "22" for kind in ("QX", "YX", "YIX", "TS", "SR", "XY", "QY", "TB")} | {"TCM-PH": "78"}
"""Of nine constitutions the even one."""
_ALONE_FROM = 14
_LABORATORY = next(one.id for one in catalog.read_starter().departments if one.code == "LAB")
_COMPUTED = {item.code for item in catalog.read_starter().items if item.kind == "computed"}


def printed(data: dict[str, Any], now: datetime) -> bytes:
    """Return the pages of a report as the patient receives them."""
    return render("exam_report", data, now=now, templates=project_file("report_templates")).pdf


def keep(folder: Path, name: str, pdf: bytes) -> None:
    """Leave a report in a folder, and its pages as pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.pdf").write_bytes(pdf)
    document = pypdfium2.PdfDocument(pdf)
    for number, page in enumerate(document, 1):
        page.render(scale=1.4).to_pil().save(folder / f"{name}-{number}.png")
    document.close()
