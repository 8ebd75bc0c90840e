"""Words beside a value are read as a description is: what is grave in them asks for a person, calm ones trouble nobody."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from tests.tjapi.conclusion.test_derived import Review, _of_alerts, _printed, _seen_to
from tests.tjapi.result.scene import OpenUnit, alerts_of, state_of, visit
from tests.tjapi.result.test_clicks import _alerts, _desk, _put, _rest
from tests.tjapi.result.wire import alarms, filed
from tests.tjapi.world import SignIn, World
from tjapi.kernel.runtime import Runtime
from tjapi.knowledge import service
from tjapi.knowledge.rules import Case, Known, evaluate
from tjapi.result.rules.notes import listed, told
from tjapi.result.rules.raw import called_critical
from tjapi.result.service.alarming import alarms_of

pytestmark = pytest.mark.requirement("E3.3", "E5.1")

EDITION = service.in_memory(service.read_starter())
HGB = "OBX|1|NM|HGB^血红蛋白^L||140|g/L|130-175||||F"

GRAVE = [
    "左乳触及 3cm 质硬肿块",
    "镜检疑似白血病",
    "不除外淋巴瘤",
    "肺癌术后复发",
    "考虑恶性肿瘤，请尽快复诊",
    "见癌细胞",
]
CALM = [
    "标本轻度脂血",
    "标本溶血，建议重新采血",
    "已复检",
    "复查结果一致，请结合临床",
    "血小板聚集，手工计数",
    "升高见于肝癌、胃癌、胰腺癌等恶性肿瘤",
    "CEA升高可见于结直肠癌患者",
    "本检测结果仅供参考，不能作为肿瘤诊断的唯一依据",
    "临床意义：用于肝癌的辅助诊断和疗效监测",
    ">10提示前列腺癌可能",
    "如有不适请及时就诊，以排除肿瘤",
    "未见异常细胞",
    "未见癌细胞",
    "危急值，已电话通知",
    "空腹血",
    "参考区间：孕期 110-150",
    "红细胞形态大致正常",
]


def _known(value: str, *remarks: str, code: str = "HGB", name: str = "血红蛋白") -> Known:
    number = Decimal(value) if value.replace(".", "").isdigit() else None
    return Known(code, name, value, number, remarks=tuple(said for one in remarks if (said := told(one))))


def _codes(known: Known) -> set[str]:
    return {one.rule.code for one in alarms_of(EDITION, Case("female", 45, {known.item_code: known}))}


@pytest.mark.parametrize("remark", GRAVE)
def test_a_grave_remark_beside_a_calm_value_asks_for_a_person(remark: str) -> None:
    assert _codes(_known("140", remark)) == {"TEXT-GRAVE"}


@pytest.mark.parametrize("remark", CALM)
def test_a_calm_remark_troubles_nobody(remark: str) -> None:
    assert _codes(_known("140", remark)) == set()
    assert listed(remark, "HGB", "血红蛋白") == ()


@pytest.mark.parametrize("remark", ["见大量异形细胞", "可见不明坏死物", "形态异常，性质不明"])
def test_what_nobody_understands_of_a_remark_is_listed(remark: str) -> None:
    assert listed(remark, "HGB", "血红蛋白") or "TEXT-GRAVE" in _codes(_known("140", remark))


def test_a_remark_is_no_finding_and_no_number_is_read_as_words() -> None:
    known = _known("140", "考虑恶性肿瘤", code="US-LIVER", name="肝脏超声")
    case = Case("female", 45, {"US-LIVER": known})
    assert not EDITION.fired("finding", case)
    assert evaluate({"concept": {"item": "US-LIVER", "in": ["MALIGNANCY"]}}, case).holds is None
    assert evaluate({"concept": {"item": "US-LIVER", "grave": True}}, case).holds


def test_a_critical_value_does_not_tell_of_what_stands_beside_it() -> None:
    assert "TEXT-GRAVE" in _codes(_known("50", "镜检疑似白血病"))


@pytest.fixture
def world(runtime: Runtime, sign_in: SignIn) -> World:
    return World(runtime, sign_in)


@pytest.mark.parametrize("place", ["value", "report"])
async def test_a_remark_of_a_laboratory_alarms_with_its_sentence(unit: OpenUnit, place: str) -> None:
    scene, note = await visit(unit, "CBC"), "NTE|1|L|镜检疑似白血病，建议骨髓穿刺"
    await filed(unit, scene, "CBC", *([HGB, note] if place == "value" else [note, HGB]))
    assert (await state_of(unit, scene))["HGB"] == ("140", "", "final")
    (alert,) = await alerts_of(unit, scene.exam_id)
    assert alert.rule_code == "TEXT-GRAVE"
    assert "附注：镜检疑似白血病，建议骨髓穿刺" in alert.explanation


async def test_a_calm_remark_of_a_laboratory_alarms_of_nothing(unit: OpenUnit) -> None:
    scene = await visit(unit, "CBC")
    await filed(unit, scene, "CBC", HGB, "NTE|1|L|标本轻度脂血，已复检", "NTE|2|L|降低见于白血病、再生障碍性贫血等")
    assert await alarms(unit, scene) == []


async def test_another_remark_beside_the_same_value_is_another_event(unit: OpenUnit) -> None:
    scene = await visit(unit, "CBC")
    await filed(unit, scene, "CBC", HGB, "NTE|1|L|镜检疑似白血病")
    await filed(unit, scene, "CBC", HGB, "NTE|1|L|镜检考虑淋巴瘤")
    assert len(await alarms(unit, scene)) == 2


async def test_grave_words_beside_what_nobody_could_read_alarm_as_well(unit: OpenUnit) -> None:
    scene = await visit(unit, "CBC")
    await filed(unit, scene, "CBC", "OBX|1|ST|HGB^血红蛋白^L||见附注|g/L|130-175||||F", "NTE|1|L|镜检疑似白血病")
    (alert,) = await alerts_of(unit, scene.exam_id)
    assert alert.rule_code == "CRITICAL-NOT-EXCLUDED"


def test_grave_words_beside_a_value_of_a_message_that_nobody_can_file_are_named() -> None:
    def said(note: str) -> list[str]:
        head = "MSH|^~\\&|LIS|LAB|TJ||20261123120000||ORU^R01|1|P|2.5.1\rPID|1||E1||某人||19860301|M"
        return called_critical(f"{head}\r{HGB}\rNTE|1|L|{note}\r".encode())

    assert said("镜检疑似白血病") == ["HGB"]
    assert said("标本轻度脂血") == []


@pytest.mark.parametrize("word", ["其他：左乳触及 3cm 质硬肿块", "其他:见菜花样肿物"])
def test_free_words_in_the_place_of_a_choice_ask_for_a_person(word: str) -> None:
    assert _codes(Known("THROAT", "咽喉", word)) == {"TEXT-GRAVE"}


async def test_a_remark_goes_from_the_door_to_alert_conclusion_and_report(world: World) -> None:
    seen, desk = await _desk(world, "GENERAL")
    said = "左乳触及3cm质硬肿块"
    assert (await _put(desk, "HEIGHT", value="170", remark=said)).status_code == 200
    await _rest(desk)
    assert (await desk.sign()).status_code == 200
    await _seen_to(world, seen, "confirm")
    made = (await Review(world, seen).call("generate")).json()
    (own,) = _of_alerts(made)
    assert said in own["detail"], own
    page = await _printed(world, seen)
    assert said in str(page["departments"])
    assert said in str(page["conclusions"]), page["conclusions"]


async def test_free_words_of_a_choice_item_are_read(unit: OpenUnit, world: World) -> None:
    seen, desk = await _desk(world, "ENT", sex="male")
    assert (await _put(desk, "THROAT", value="慢性咽炎", remark="右侧扁桃体见菜花样肿物")).status_code == 200
    assert [code for code, _ in await _alerts(world, seen)] == ["TEXT-GRAVE"]


async def test_a_remark_that_nobody_understands_is_listed_for_the_reviewer(world: World) -> None:
    seen, desk = await _desk(world, "GENERAL", sex="male")
    assert (await _put(desk, "HEIGHT", value="170", remark="左臂见一不明囊状物渗血")).status_code == 200
    assert (await _put(desk, "WEIGHT", value="65", remark="赤脚测量")).status_code == 200
    shown: dict[str, Any] = (await (await world.sign_in("reviewer")).get(f"{seen.place}/review")).json()
    assert [(one["item_code"], one["text"]) for one in shown["unread"]] == [("HEIGHT", "左臂见一不明囊状物渗血")]
    assert UUID(shown["unread"][0]["result_id"])
