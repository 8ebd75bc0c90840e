"""Whoever signs a conclusion has read of every critical value that stands: by its own entry, or by one that says it as gravely."""

from datetime import UTC, datetime
from typing import Any, cast

import pytest

from adapters.lis.contract import LabObservation, LabReport, LabResult
from tests.tjapi.conclusion.test_derived import Desk, Review, _answer, _answered, _asked, _of_alerts, _printed, _seen_to
from tests.tjapi.world import UNREMARKABLE, SignIn, Visit, World
from tjapi import demo
from tjapi.exam import service as exams
from tjapi.kernel.ids import uuid7
from tjapi.kernel.runtime import Runtime
from tjapi.knowledge.characters import simplified
from tjapi.requisition import service as requisitions
from tjapi.result import service as results

pytestmark = pytest.mark.requirement("E4.3", "E5.2")


@pytest.fixture
def world(runtime: Runtime, sign_in: SignIn) -> World:
    return World(runtime, sign_in)


async def _described(world: World, group: str, **values: str) -> tuple[Visit, Review, dict[str, Any]]:
    """A department describes something critical, somebody is told, and a draft is made."""
    visit = await world.checked_in(group)
    desk = Desk(await world.sign_in("doctor"), visit, group)
    usual = {i["item_code"]: UNREMARKABLE.get(i["item_code"], "5") for i in (await desk.sheet())["items"]}
    await desk.enter(**usual | values)
    await _seen_to(world, visit, "confirm")
    await _answered(world, visit)
    assert (await desk.sign()).status_code == 200
    review = Review(world, visit)
    made: dict[str, Any] = (await review.call("generate")).json()
    return visit, review, made


@pytest.mark.parametrize(
    ("group", "values", "word", "beside"),
    [
        ("CT-CHEST", {"CT-CHEST": "右肺上叶见小结节。左侧气胸，肺压缩约30%。", "CT-CHEST-LR": "2类"}, "气胸", "结节"),
    ],
    ids=["pneumothorax"],
)
async def test_a_soft_finding_of_the_same_description_does_not_tell_of_what_is_critical_in_it(
    world: World, group: str, values: dict[str, str], word: str, beside: str
) -> None:
    visit, review, made = await _described(world, group, **values)
    (own,) = _of_alerts(made)
    assert word in own["title"]
    assert "立即" in own["advice"]
    assert any(beside in e["title"] for e in made["entries"] if e is not own)
    cards = (await _printed(world, visit))["conclusions"]
    assert [c["title"] for c in cards if c["level"]] == [own["title"].replace(":", "：")]
    rest = [e for e in made["entries"] if e is not own]
    assert (await review.put("见下。", rest)).status_code == 200
    assert (await review.call("sign")).json()["code"] == "critical-not-concluded"


@pytest.mark.requirement("E5.1", "E3.4")
@pytest.mark.parametrize(
    "told",
    ["右側氣胸，肺壓縮約30%。", "右侧气 胸，肺压缩约30%。", "右侧气\n胸，肺压缩约30%。"],
    ids=["traditional", "blank", "line end"],
)
async def test_what_is_critical_alarms_in_either_writing_and_over_blanks_and_line_ends(world: World, told: str) -> None:
    _, _, made = await _described(world, "CT-CHEST", **{"CT-CHEST": told, "CT-CHEST-LR": "2类"})
    (own,) = _of_alerts(made)
    assert "气胸" in simplified(own["title"])
    assert "30%" in own["detail"]


async def test_an_entry_of_a_long_description_says_what_is_critical_in_it(world: World) -> None:
    told = "颅骨骨质未见明显异常，双侧大脑半球灰白质分界清晰，脑沟、脑裂未见明显增宽，脑室系统形态、大小未见明显异常，中线结构居中，小脑及脑干形态、密度未见明显异常。左侧基底节区脑出血，量约10ml。"
    _, _, made = await _described(world, "CT-HEAD", **{"CT-HEAD": told})
    (own,) = _of_alerts(made)
    assert "脑出血" in own["title"]
    assert "脑出血，量约10ml" in own["detail"]


async def test_what_the_laboratory_calls_critical_is_told_beside_a_finding_that_can_wait(world: World) -> None:
    visit = await world.checked_in("LIPID")
    await world.file(visit, flags={"TC": "panic"}, TC="6.5", TG="1.0", LDL="3.0", HDL="1.3")
    await _seen_to(world, visit, "confirm")
    for question in await _asked(world, visit):
        await _answer(world, question, "confirmed" if question["kind"] == "implausible" else "abnormal")
    review = Review(world, visit)
    made = (await review.call("generate")).json()
    (own,) = _of_alerts(made)
    assert (own["key"], "检验科标为危急" in own["detail"]) == ("critical:LAB-CRITICAL-TC", True)
    assert any(e["key"] == "finding:TC-HIGH" for e in made["entries"])
    # Its findings merged into one entry, that tells of both.
    soft = next(e for e in made["entries"] if e["key"] == "finding:TC-HIGH")
    both = own | {"title": "总胆固醇危急值", "keys": [*own["keys"], *soft["keys"]]}
    rest = [e for e in made["entries"] if e not in (own, soft)]
    assert (await review.put("见下。", [both, *rest])).status_code == 200
    assert (await review.call("sign")).status_code == 200


async def test_what_is_left_out_is_named_one_by_one(world: World) -> None:
    visit = await world.checked_in("ELECTROLYTE")
    await world.file(visit, flags={"K": "panic", "NA": "panic"}, K="4.2", NA="140")
    for question in await _asked(world, visit):
        await _answer(world, question, "confirmed")
    await _seen_to(world, visit, "confirm")
    review = Review(world, visit)
    made = (await review.call("generate")).json()
    assert (
        await review.put("见各项结果。", [e for e in made["entries"] if e not in _of_alerts(made)])
    ).status_code == 200
    refused = (await review.call("sign")).json()
    assert refused["code"] == "critical-not-concluded"
    assert len({e["message"] for e in refused["errors"]}) == 2


@pytest.mark.requirement("E3.4")
async def test_nobody_calls_normal_what_cannot_be_excluded_to_be_critical(world: World) -> None:
    visit = await world.checked_in("COAG", examinee_id=await world.young())
    await world.file(visit, INR=">3")
    question = next(q for q in await _asked(world, visit) if q["item_code"] == "INR")
    assert (await _answer(world, question, "normal")).status_code == 422
    assert (await _answer(world, question, "not_judged")).status_code == 200
    await _answered(world, visit)
    await _seen_to(world, visit, "confirm")
    (own,) = _of_alerts((await Review(world, visit).call("generate")).json())
    assert "不能排除危急值" in own["detail"]
    assert "不能排除" in own["advice"]


@pytest.mark.requirement("E3.4")
async def test_nobody_calls_normal_what_the_laboratory_calls_critical(world: World) -> None:
    visit = await world.checked_in("HBV")
    await world.file(visit, flags={"HBSAG": "HH"}, HBSAG="见备注")
    question = next(q for q in await _asked(world, visit) if (q["item_code"], q["kind"]) == ("HBSAG", "undetermined"))
    assert (await _answer(world, question, "normal")).status_code == 422
    assert (await _answer(world, question, "abnormal")).status_code == 200


async def test_a_critical_value_that_was_taken_out_is_listed_again(world: World) -> None:
    visit = await world.checked_in("ELECTROLYTE")
    await world.file(visit, K="7.1")
    await _seen_to(world, visit, "confirm")
    await _answered(world, visit, "not_judged")
    review = Review(world, visit)
    made = (await review.call("generate")).json()
    (own,) = _of_alerts(made)
    rest = [e for e in made["entries"] if e["key"] != own["key"]]
    assert (await review.put("见各项结果。", rest)).status_code == 200
    assert (await review.call("sign")).json()["code"] == "critical-not-concluded"
    again = (await review.call("generate")).json()
    assert [e["key"] for e in _of_alerts(again)] == [own["key"]]


async def test_no_finding_advises_to_wait_where_all_of_it_is_critical(world: World) -> None:
    visit = await world.checked_in("CBC")
    await world.file(visit, WBC="0.7", HGB="140", PLT="200", RBC="4.5", HCT="0.42")
    await _seen_to(world, visit, "confirm")
    await _answered(world, visit, "not_judged")
    made = (await Review(world, visit).call("generate")).json()
    (own,) = _of_alerts(made)
    beside = [e for e in made["entries"] if e is not own and set(e["result_ids"]) <= set(own["result_ids"])]
    assert beside
    assert all("立即" in e["advice"] for e in beside)


async def _reported(world: World, visit: Visit, code: str, value: str, flag: str) -> None:
    """The laboratory reports something that was not ordered, from the first tube."""
    async with world.runtime.units.open(demo.LOADER) as uow:
        exam, now = await exams.get(uow, visit.exam_id), datetime.now(UTC)
        tube = (await requisitions.tubes(uow, visit.exam_id))[0]
        said = LabObservation(code, code, "", "NM", value, "mmol/L", "", (flag,) if flag else (), "F", now)
        result = LabResult(tube.barcode, None, None, "GLU", "", now, now, "F", (said,))
        report = LabReport(
            uuid7().hex[:20],
            now,
            "LIS",
            exam.exam_no,
            exam.name,
            cast("Any", exam.sex),
            exam.birth_date,
            None,
            (result,),
        )
        assert (await results.file_report(uow, uuid7(), "lis", report)).outcome == "unmatched"


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("flag", ["HH", ""], ids=["their alarm", "ours"])
async def test_what_is_critical_and_stands_at_no_result_is_concluded_all_the_same(
    world: World, flag: str, signed: bool
) -> None:
    visit = await world.checked_in("GLU")
    await world.file(visit, GLU="5.0")
    review = Review(world, visit)
    if signed:
        assert (await review.call("generate")).status_code == 200
        assert (await review.call("sign")).status_code == 200
    await _reported(world, visit, "K", "7.9", flag)
    await _seen_to(world, visit, "confirm")
    if signed:
        # The first doctor did not see it: the conclusion is a draft again, with an entry more.
        assert (await review.shown())["state"] == "draft"
    made = (await review.call("generate")).json()
    (own,) = _of_alerts(made)
    assert own["title"] == "钾危急值"
    assert "未列入本次结果" in own["detail"]
    assert "立即" in own["advice"]
    assert "钾危急值" in made["overview"]
    # What the machine says itself is signed as it stands.
    assert (await review.call("sign")).status_code == 200
    back = await review.call("return", {"reason": "再看一遍"}, who="chief")
    assert back.status_code == 200, back.text
    assert (await review.put("见各项结果。", [])).status_code == 200
    assert (await review.call("sign")).json()["code"] == "critical-not-concluded"
    assert (await review.call("generate")).status_code == 200
    assert (await review.call("sign")).status_code == 200
    cards = (await _printed(world, visit))["conclusions"]
    assert [(c["title"], c["level"]) for c in cards] == [("钾危急值", "critical")]


async def test_words_that_ask_nobody_to_act_stay_beside_the_critical_value_that_they_do_not_tell(world: World) -> None:
    visit = await world.checked_in("ELECTROLYTE")
    await world.file(visit, K="2.2")
    await _seen_to(world, visit, "confirm")
    await _answered(world, visit, "not_judged")
    review = Review(world, visit)
    made = (await review.call("generate")).json()
    (own,) = _of_alerts(made)
    mild = own | {"advice": "低钾饮食少吃,随访"}
    entries = [mild if e["key"] == own["key"] else e for e in made["entries"]]
    assert (await review.put("见各项结果。", entries)).status_code == 200
    assert (await review.call("sign")).json()["code"] == "critical-not-concluded"
    again = (await review.call("generate")).json()
    assert [e["advice"] for e in again["entries"] if e["key"] == own["key"]] == [own["advice"]]
    assert [e["stale"] for e in again["entries"] if e["advice"] == mild["advice"]] == [True]
    # It stays so, however often it is made anew, until the reviewer stands by it beside the critical value.
    assert (await review.call("sign")).json()["code"] == "conclusion-stale"
    again = (await review.call("generate")).json()
    assert [e["stale"] for e in again["entries"] if e["advice"] == mild["advice"]] == [True]
    kept = [e | ({"confirmed": True} if e["stale"] else {}) for e in again["entries"]]
    assert (await review.put("见各项结果。", kept)).status_code == 200
    assert (await review.call("sign")).status_code == 200


@pytest.mark.requirement("E4.4")
@pytest.mark.parametrize("place", ["advice", "lifestyle"])
async def test_no_entry_that_tells_of_a_critical_value_says_that_nothing_is_to_be_done(
    world: World, place: str
) -> None:
    """Merged with a deviated septum under the septum's advice, also where the value's own entry came back beside it."""
    visit = await world.checked_in("ELECTROLYTE")
    await world.file(visit, K="2.2")
    await _seen_to(world, visit, "confirm")
    await _answered(world, visit, "not_judged")
    review = Review(world, visit)
    made = (await review.call("generate")).json()
    (own,) = _of_alerts(made)
    merged = own | {
        "title": f"鼻中隔偏曲、{own['title']}",
        "advice": "",
        "lifestyle": "",
        place: "无鼻塞、头痛者不需处理。",
    }
    entries = [merged if e["key"] == own["key"] else e for e in made["entries"]]
    assert (await review.put("见各项结果。", entries)).status_code == 200
    again = (await review.call("generate")).json()
    assert [e["advice"] for e in again["entries"] if e["key"] == own["key"]] == [own["advice"]]
    kept = [e | ({"confirmed": True} if e["stale"] else {}) for e in again["entries"]]
    assert (await review.put("见各项结果。", kept)).status_code == 200
    refused = await review.call("sign")
    assert refused.json()["code"] == "critical-not-concluded", refused.text
    assert [(e["code"], e["pointer"]) for e in refused.json()["errors"]] == [
        ("left-alone", f"/entries/{i}/advice") for i, e in enumerate(kept) if e["title"].startswith("鼻")
    ]
    apart = [
        e | ({"title": "鼻中隔偏曲", "detail": "", "result_ids": []} if e["title"].startswith("鼻") else {})
        for e in kept
    ]
    assert (await review.put("见各项结果。", apart)).status_code == 200
    # It is not among the results: whoever signs answers for it.
    signed = await review.call("sign", {"confirmed": ["鼻中隔偏曲"]})
    assert signed.status_code == 200, signed.text


@pytest.mark.parametrize("known", ["answered", "measured"])
@pytest.mark.parametrize("flag", ["", "HH"], ids=["ours", "theirs"])
async def test_what_nobody_could_read_is_concluded_until_a_value_stands(world: World, flag: str, known: str) -> None:
    visit = await world.checked_in("ELECTROLYTE")
    await world.file(visit, ends="unmatched", flags={"K": flag} if flag else None, K="6.8 溶血")
    await _seen_to(world, visit, "confirm")
    (question,) = [q for q in await _asked(world, visit) if q["item_code"] == "K"]
    client = await world.sign_in("doctor")
    said = {"answer": "no_value"} if known == "measured" else {"answer": "value", "value": "4.1"}
    body = said | {"reason": "溶血", "kept_because": "已重采复核"}
    answer = await client.post(f"/api/v1/result-questions/{question['id']}:answer", json=body)
    assert answer.status_code == 200, answer.text
    if known == "measured":
        await world.file(visit, status="C", K="4.1")
    await _answered(world, visit, "not_judged")
    standing = [
        c
        for c in (await client.get("/api/v1/critical-values", params={"exam_id": str(visit.exam_id)})).json()["items"]
        if c["corrected_at"] is None and not c["result_ids"]
    ]
    assert standing == []


@pytest.mark.requirement("E4.3", "E3.4")
async def test_grave_words_of_two_organs_are_two_entries_each_with_its_own_sentence(world: World) -> None:
    examinee_id, _ = await world.person(sex="male")
    visit = await world.checked_in("US-ABD", "CT-CHEST", examinee_id=examinee_id)
    said = {
        "US-LIVER": "肝右叶见低回声占位，大小52×48mm，考虑肝癌可能。", "US-GB": "胆囊壁局限性增厚，约12mm，胆囊癌不除外。",
        "CT-CHEST": "右肺上叶见实性结节18mm，边缘毛刺。", "CT-CHEST-LR": "2类",
    }  # fmt: skip
    doctor = await world.sign_in("doctor")
    for group in ("US-ABD", "CT-CHEST"):
        desk = Desk(doctor, visit, group)
        usual = {
            i["item_code"]: i["normal_default"] or UNREMARKABLE.get(i["item_code"], "5")
            for i in (await desk.sheet())["items"]
        }
        await desk.enter(**usual | {code: text for code, text in said.items() if code in usual})
        await _seen_to(world, visit, "confirm")
        await _answered(world, visit)
        assert (await desk.sign()).status_code == 200
    own = {e["key"]: e for e in _of_alerts((await Review(world, visit).call("generate")).json())}
    assert sorted(own) == ["critical:TEXT-GRAVE-CT-CHEST", "critical:TEXT-GRAVE-US-GB", "critical:TEXT-GRAVE-US-LIVER"]
    liver, gallbladder, chest = (own[f"critical:TEXT-GRAVE-{code}"] for code in ("US-LIVER", "US-GB", "CT-CHEST"))
    assert "低回声占位" in liver["title"]
    assert "增厚" not in gallbladder["title"], "what only describes names nothing"
    assert "胆囊癌" in gallbladder["title"]
    assert "毛刺" not in chest["title"]
    for entry, code in ((liver, "US-LIVER"), (gallbladder, "US-GB"), (chest, "CT-CHEST")):
        assert said[code].rstrip("。").split("，")[0] in entry["detail"]
    cards = [c for c in (await _printed(world, visit))["conclusions"] if c["level"] == "urgent"]
    assert {c["title"] for c in cards} >= {e["title"].replace(":", "：") for e in own.values()}
