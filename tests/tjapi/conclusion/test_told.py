"""What was found is told choice by choice, what is critical by its own name, and what nobody examined as not examined."""

from typing import Any
from uuid import UUID

import pytest

from tests.tjapi.conclusion.test_alarms import _described
from tests.tjapi.conclusion.test_derived import NORMAL, Desk, Review, _of_alerts, _printed
from tests.tjapi.report.specimens import Specimen
from tests.tjapi.world import UNREMARKABLE, SignIn, Visit, World
from tjapi.catalog.service.content import read_starter
from tjapi.conclusion.rules import alarmed, is_alarmed
from tjapi.kernel.runtime import Runtime
from tjapi.knowledge.calm import says_only_normal
from tjapi.knowledge.rules import Clause, Known
from tjapi.knowledge.words import valued
from tjapi.report.pages import report
from tjapi.result.rules.choices import not_examined, untold
from tjapi.result.rules.flags import flag_of
from tjapi.result.rules.ranges import Range
from tjapi.result.rules.values import parse
from tjapi.result.service.summarizing import text_of

pytestmark = pytest.mark.requirement("E3.3", "E3.4")


@pytest.fixture
def world(runtime: Runtime, sign_in: SignIn) -> World:
    return World(runtime, sign_in)


async def _at(world: World, group: str, **values: str) -> tuple[Visit, Desk]:
    examinee_id, _ = await world.person(sex="male")
    visit = await world.checked_in(group, examinee_id=examinee_id)
    desk = Desk(await world.sign_in("doctor"), visit, group)
    shown = (await desk.sheet())["items"]
    usual = {i["item_code"]: i["normal_default"] or UNREMARKABLE.get(i["item_code"], "5") for i in shown}
    await desk.enter(**usual | values)
    return visit, desk


async def _summary(desk: Desk) -> str:
    said: str = (await desk.sheet())["proposed_summary"]
    return said


async def _draft(world: World, visit: Visit, desk: Desk) -> dict[str, Any]:
    answer = await desk.sign()
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = (await Review(world, visit).call("generate")).json()
    return made


async def _ecg(world: World) -> tuple[Visit, Review, dict[str, Any]]:
    return await _described(world, "ECG", **{"ECG": "室性心动过速;预激综合征", "ECG-HR": "90"})


@pytest.mark.requirement("E5.1")
async def test_a_department_names_a_critical_choice_by_its_finding_and_calls_only_that_one_critical(
    world: World,
) -> None:
    visit, _, made = await _ecg(world)
    assert _of_alerts(made) == []
    (own,) = [e for e in made["entries"] if "心律失常" in e["title"]]
    wpw = next(e for e in made["entries"] if "预激" in e["title"])
    assert "危急" not in wpw["advice"]
    assert wpw["advice"] != own["advice"]
    page = await _printed(world, visit)
    (summary,) = [d["summary"] for d in page["departments"] if d["summary"]]
    assert summary.count("预激综合征——") == 1
    assert summary.count("室性心动过速") == 1
    assert page["others"] == []
    assert [c["title"] for c in page["conclusions"] if c["level"]] == [own["title"]]


async def test_each_abnormal_choice_that_no_finding_tells_is_named(world: World) -> None:
    visit, desk = await _at(world, "ENT", THROAT="慢性咽炎;扁桃体Ⅰ度肿大")
    said = await _summary(desk)
    assert "慢性咽炎" in said
    assert said.splitlines()[-1].endswith("其他异常：咽喉 扁桃体Ⅰ度肿大")
    await _draft(world, visit, desk)
    assert [r["value"] for r in (await _printed(world, visit))["others"]] == ["扁桃体Ⅰ度肿大"]


@pytest.mark.requirement("E5.1")
async def test_a_department_names_what_is_critical_in_a_description(world: World) -> None:
    visit, _, _ = await _described(world, "CXR", CXR="左侧气胸，肺压缩约30%。心影不大。")
    (summary,) = [d["summary"] for d in (await _printed(world, visit))["departments"] if d["summary"]]
    assert summary == "1. 气胸可能——胸部正位片：左侧气胸，肺压缩约30%"


async def test_a_choice_that_nothing_was_examined_is_not_examined_and_never_normal(world: World) -> None:
    visit, desk = await _at(world, "SURGERY-M", **{"PROSTATE-PALP": "拒检"})
    assert "未检：前列腺指诊（拒检）" in await _summary(desk)
    await _draft(world, visit, desk)
    page = await _printed(world, visit)
    assert ("前列腺指诊", "拒检") in [(one["name"], one["why"]) for one in page["unperformed"]]
    (item,) = [i for d in page["departments"] for g in d["groups"] for i in g["items"] if i["name"] == "前列腺指诊"]
    assert item["flag"] == ""
    assert page["figures"][0]["value"] == str(
        sum(len(g["items"]) for d in page["departments"] for g in d["groups"]) - 1
    )


async def test_a_calm_line_of_a_doctor_is_no_positive_finding_and_a_doubtful_one_is(world: World) -> None:
    visit, desk = await _at(world, "ENT")
    lines = ["心肺听诊未见异常", "腹部平软，无压痛", "鼻、咽、喉检查正常", "左侧声带活动度欠佳，余未见异常"]
    answer = await desk.call("PUT", "summary", {"lines": [{"text": text} for text in lines]})
    assert answer.status_code == 200, answer.text
    made = await _draft(world, visit, desk)
    assert [e["title"] for e in made["entries"]] == ["左侧声带活动度欠佳，余未见异常"]


@pytest.mark.parametrize(
    ("chosen", "told", "left"),
    [
        (("慢性咽炎", "扁桃体Ⅰ度肿大"), ["慢性咽炎：咽喉：慢性咽炎"], ("扁桃体Ⅰ度肿大",)),
        (("完全性右束支传导阻滞", "不完全性右束支传导阻滞"), ["不完全性右束支传导阻滞"], ("完全性右束支传导阻滞",)),
        (("窦性心律不齐", "预激综合征"), ["窦性心律不齐"], ("预激综合征",)),
        (("窦性心律不齐", "预激综合征"), ["预激综合征"], ()),
        (("视盘C/D增大", "黄斑变性"), ["视盘Ｃ／Ｄ增大；黃斑變性"], ()),
        (("龋齿",), ["口腔问题"], ()),
        (("龋齿",), [], ("龋齿",)),
    ],
)
def test_of_several_choices_each_is_told_by_its_own_name(
    chosen: tuple[str, ...], told: list[str], left: tuple[str, ...]
) -> None:
    assert untold(chosen, ("窦性心律不齐",), told) == left


NOTHING_DONE = (
    "拒检",
    "拒绝检查",
    "未查",
    "未检查",
    "不能配合",
    "无法配合检查",
    "未婚未查",
    "因月经期未查",
    "弃检（行动不便）",
    "放弃检查",
    "无法检查。",
)
SOMETHING = (
    "未检出",
    "未见异常",
    "未触及",
    "左侧结节，右侧未查",
    "未查见包块",
    "已切除",
    "无",
    "不清",
    "未检出，拒检史",
)


def test_words_that_say_that_nobody_examined_are_known_and_findings_are_none_of_them() -> None:
    assert [word for word in NOTHING_DONE if not not_examined(word)] == []
    assert [word for word in SOMETHING if not_examined(word)] == []


def test_no_choice_that_says_that_nothing_was_examined_is_normal_in_the_catalog_or_by_any_range() -> None:
    items = read_starter().items
    choices = {(item.code, choice) for item in items for choice in item.choices or () if not_examined(choice)}
    assert choices == {("ANUS", "拒检"), ("PROSTATE-PALP", "拒检")}
    assert not [
        item.code for item in items for one in item.ranges for text in one.normal_texts or () if not_examined(text)
    ]
    older = Range(normal_texts=("正常", "拒检"))
    assert [
        flag_of("enumerated", parse(word), older, ("正常", "增大", "拒检")) for word in ("正常", "增大", "拒检")
    ] == ["", "A", None]
    assert flag_of("multi_select", parse("正常;拒检"), older, ("正常", "增大", "拒检")) is None


CALM = (
    "心肺听诊未见异常",
    "腹部平软，无压痛",
    "鼻、咽、喉检查正常",
    "双侧动脉弹性正常，未见异常",
    "心律齐，未闻及病理性杂音",
    "肝脾肋下未触及",
    "双下肢无水肿",
)
DOUBTFUL = (
    "左侧声带活动度欠佳，余未见异常", "甲状腺结节大小正常", "未见明显异常，建议复查", "右侧睾丸未触及", "足背动脉搏动未触及", "左肾未见", "胆囊已切除，余正常",
    "右肺呼吸音未闻及", "腹部平软，有压痛", "乳腺结节，边界清晰", "不能排除异常", "心律不齐", "",
)  # fmt: skip


def test_only_what_is_calm_in_every_clause_is_no_finding() -> None:
    assert [text for text in CALM if not says_only_normal(text)] == []
    assert [text for text in DOUBTFUL if says_only_normal(text)] == []


def test_who_calls_a_value_abnormal_is_said_where_no_range_is_printed() -> None:
    weight = Known("BMI", "体重指数", "40.6", parse("40.6").numeric, flag="A")
    assert valued(Known(**{**_fields(weight), "called": "person"})) == "体重指数 40.6，医师判定异常"
    assert valued(Known(**{**_fields(weight), "called": "laboratory"})) == "体重指数 40.6，检验科标为异常"
    made = Specimen()
    made.item("一般检查", "一般检查", "体重指数", "40.6", unit="kg/m2", flag="A")
    made.item("检验科", "尿常规", "尿蛋白", "见备注", flag="A")
    made.item("检验科", "血脂", "甘油三酯", "2.4", unit="mmol/L", bounds=(None, "1.7"), flag="H")
    made.results[0].by_person, made.results[1].lis_flags = True, "A"
    data = made.data()
    assert [row["called"] for row in data["others"]] == ["person", "laboratory", ""]
    pages = {lang: bytes(report(data, lang, "/r/x", outdated=False).body).decode() for lang in ("zh", "en")}
    assert "不在参考范围" not in pages["zh"]
    assert "医师判定异常" in pages["zh"]
    assert "检验科标为异常" in pages["zh"]
    assert "called abnormal by a doctor" in pages["en"]
    assert "outside of their range" not in pages["en"]


def _fields(known: Known) -> dict[str, Any]:
    return {name: getattr(known, name) for name in Known.__dataclass_fields__}


@pytest.mark.parametrize("name", ["脂蛋白(a)", "收缩压(休息后复测)", "脂蛋白（a）"])
def test_a_value_that_the_detail_tells_is_not_told_again_whatever_the_width_of_the_brackets_in_its_name(
    name: str,
) -> None:
    made = Specimen()
    one = made.item("检验科", "血脂", name, "310", unit="mg/L", bounds=(None, "300"), flag="H")
    detail = valued(Known("LPA", name, "310", parse("310").numeric, unit="mg/L", flag="H", bounds=(None, "300")))
    made.found("finding", "脂蛋白升高", rests_on=[one], detail=detail)
    made.found("risk", "心血管风险", rests_on=[one], detail=detail)
    first, second = made.data()["conclusions"]
    assert (first["results"], bool(first["detail"])) == ([], True)
    assert ([r["value"] for r in second["results"]], second["detail"]) == (["310"], "")


def test_what_is_critical_of_a_description_stands_before_the_findings_that_tell_of_something_else() -> None:
    told = Known("CT", "胸部CT", "右肺小结节。左侧气胸。", described=True)
    text = text_of([], [told], complete=True, grave=[Clause(told, "气胸", ("气胸",))])
    assert text == "1. 胸部CT：左侧气胸，属危急值"


@pytest.mark.requirement("E5.1")
def test_only_the_choice_that_is_critical_itself_is_called_so() -> None:
    ecg = Known(
        "ECG",
        "心电图诊断",
        "室性心动过速;预激综合征",
        chosen=("室性心动过速", "预激综合征"),
        flag="A",
        result_id=UUID(int=1),
    )
    scan = Known("CT", "胸部CT", "右肺小结节。左侧气胸。", result_id=UUID(int=2))
    high = Known("K", "血钾", "6.8", parse("6.8").numeric, flag="HH", result_id=UUID(int=3))
    by = alarmed([Clause(ecg, "", ("室性心动过速",)), Clause(scan, "气胸", ("气胸",)), Clause(high, "")])
    assert is_alarmed([Clause(ecg, "", ("室性心动过速",))], by)
    assert not is_alarmed([Clause(ecg, "", ("预激综合征",))], by)
    assert not is_alarmed([Clause(ecg, "")], by)
    assert is_alarmed([Clause(scan, "", ("左侧气胸",))], by)
    assert not is_alarmed([Clause(scan, "", ("结节",))], by)
    assert is_alarmed([Clause(high, "偏高")], by)
    assert not is_alarmed([], by)


def _throat(summary: str = "") -> Specimen:
    made = Specimen()
    one = made.item("耳鼻喉科", "耳鼻喉", "咽喉", "慢性咽炎;扁桃体Ⅰ度肿大", flag="A")
    made.results[0].kind, made.results[0].judged = "multi_select", True
    made.found("finding", "慢性咽炎", rests_on=[one], detail="咽喉：慢性咽炎")
    if summary:
        made.signed("耳鼻喉科", summary=summary)
    return made


def test_each_abnormal_choice_that_no_entry_names_stands_under_the_others() -> None:
    (row,) = _throat().data()["others"]
    assert (row["item"], row["value"], row["flag"]) == ("咽喉", "扁桃体Ⅰ度肿大", "abnormal")
    made = _throat()
    made.results[0].alert = "standing"
    # Nobody has concluded yet what of it is critical: what is left may be.
    assert made.data()["others"][0]["flag"] == "critical"


@pytest.mark.requirement("E5.2")
def test_a_summary_calls_nothing_critical_that_a_person_dismissed_afterwards() -> None:
    made = _throat("1. 咽喉：扁桃体Ⅰ度肿大，属危急值\n2. 慢性咽炎：咽喉：慢性咽炎")
    made.results[0].alert = "dismissed"
    assert made.data()["departments"][0]["summary"] == "1. 咽喉：扁桃体Ⅰ度肿大\n2. 慢性咽炎：咽喉：慢性咽炎"


@pytest.mark.parametrize("words", ["心电图未见异常", "窦性心律，心电图正常", "未见明显异常"])
async def test_no_department_calls_normal_what_nobody_examined(world: World, words: str) -> None:
    examinee_id, _ = await world.person(sex="male")
    visit = await world.checked_in("GENERAL", "ECG", examinee_id=examinee_id)
    front, doctor = await world.sign_in("front"), await world.sign_in("doctor")
    desk = Desk(doctor, visit, "ECG")
    told = await desk.call("PUT", "summary", {"lines": [{"text": words}]})
    assert told.status_code == 200, told.text
    body = {"line_ids": [str(visit.lines["ECG"])], "reason": "本人拒绝", "signature": "签名"}
    refused = await front.post(f"{visit.place}/lines:refuse", json=body)
    assert refused.status_code == 200, refused.text
    answer = await desk.sign()
    assert (answer.status_code, answer.json()["code"]) == (409, "summary-contradicts-findings"), answer.text
    assert (await desk.call("PUT", "summary", {"lines": [{"text": "受检者拒检，建议择期补查"}]})).status_code == 200
    assert (await desk.sign()).status_code == 200


async def _ears(world: World) -> tuple[Visit, Desk]:
    """Somebody whose ears, nose and throat were looked at, and whose hearing they refused to have tested."""
    examinee_id, _ = await world.person(sex="male")
    visit = await world.checked_in("ENT", "HEARING", examinee_id=examinee_id)
    front = await world.sign_in("front")
    body = {"line_ids": [str(visit.lines["HEARING"])], "reason": "本人拒绝", "signature": "签名"}
    assert (await front.post(f"{visit.place}/lines:refuse", json=body)).status_code == 200
    desk = Desk(await world.sign_in("doctor"), visit, "ENT")
    await desk.enter(
        **{
            i["item_code"]: i["normal_default"]
            for i in (await desk.sheet())["items"]
            if i["line_id"] != str(visit.lines["HEARING"])
        }
    )
    return visit, desk


@pytest.mark.requirement("E4.3")
@pytest.mark.parametrize("words", ["双耳听力正常", "鼻咽未见异常，听力未见异常"], ids=["alone", "among others"])
async def test_one_organ_that_nobody_examined_is_called_normal_neither_by_the_department_nor_by_the_reviewer(
    world: World, words: str
) -> None:
    visit, desk = await _ears(world)
    refused = await desk.call("PUT", "summary", {"lines": [{"text": words}]})
    assert (refused.status_code, refused.json()["code"]) == (409, "summary-contradicts-findings"), refused.text
    assert [e["code"] for e in refused.json()["errors"]] == ["unexamined"]
    refused = await desk.sign(summary=words)
    assert (refused.status_code, refused.json()["code"]) == (409, "summary-contradicts-findings"), refused.text
    assert (await desk.call("PUT", "summary", {"lines": [{"text": "鼻腔未见异常"}]})).status_code == 200
    await _draft(world, visit, desk)
    review = Review(world, visit)
    assert (await review.put(words, [])).status_code == 200
    assert (await review.shown())["overview_stale"], "the draft says so before anybody signs"
    refused = await review.call("sign")
    assert (refused.status_code, refused.json()["code"]) == (409, "overview-contradicts-results"), refused.text
    assert [e["code"] for e in refused.json()["errors"]] == ["unexamined"]
    assert (await review.put("鼻腔、咽喉未见异常，听力未查。", [])).status_code == 200
    assert not (await review.shown())["overview_stale"]
    assert (await review.call("sign")).status_code == 200


@pytest.mark.requirement("E4.3")
async def test_the_reviewer_calls_no_laboratory_value_normal_that_nobody_asked_for(world: World) -> None:
    visit = await world.ready("GLU")
    review = Review(world, visit)
    assert (await review.put("血糖、血脂正常。", [])).status_code == 200
    refused = await review.call("sign")
    assert (refused.status_code, refused.json()["code"]) == (409, "overview-contradicts-results"), refused.text
    assert (await review.put("血糖正常。", [])).status_code == 200
    assert (await review.call("sign")).status_code == 200


# --- what a signature refuses is marked before ---


@pytest.mark.requirement("E3.4")
async def test_a_line_by_hand_is_stale_once_its_words_are_not_true_and_current_once_they_are(world: World) -> None:
    visit = await world.checked_in("GENERAL", "GLU")
    desk = Desk(await world.sign_in("doctor"), visit, "GENERAL")
    await desk.enter(**NORMAL)
    assert (await desk.call("PUT", "summary", {"lines": [{"text": "收缩压 118，血压正常"}]})).status_code == 200
    review = Review(world, visit)
    for systolic, stale in (("152", True), ("118", False)):
        await desk.enter(SBP=systolic)
        lines = (await desk.sheet())["lines"]
        assert [line["stale"] for line in lines if line["origin"] == "manual"] == [stale]
        assert ("summary_stale" in await review.reasons()) is stale
    assert (await desk.sign()).status_code == 200


@pytest.mark.requirement("E3.4")
async def test_a_signed_department_whose_words_tell_of_anothers_value_is_stale_once_that_is_corrected(
    world: World,
) -> None:
    visit = await world.checked_in("GENERAL", "GLU")
    desk = Desk(await world.sign_in("doctor"), visit, "GENERAL")
    await desk.enter(**NORMAL)
    await world.file(visit, GLU="8.74")
    assert (await desk.call("PUT", "summary", {"lines": [{"text": "空腹血糖 8.74，嘱复查"}]})).status_code == 200
    assert (await desk.sign()).status_code == 200
    review = Review(world, visit)
    assert await review.reasons() == set()
    await world.file(visit, status="C", GLU="5.00")
    assert [line["stale"] for line in (await desk.sheet())["lines"] if line["origin"] == "manual"] == [True]
    assert "summary_stale" in await review.reasons()
    await world.file(visit, status="C", GLU="8.74")
    assert await review.reasons() == set()


@pytest.mark.requirement("E4.3")
@pytest.mark.parametrize("field", ["title", "detail", "advice", "lifestyle"])
async def test_own_words_without_a_link_are_stale_once_a_signature_would_refuse_them(world: World, field: str) -> None:
    visit = await world.ready("GLU")
    review = Review(world, visit)
    own = {"kind": "finding", "title": "随访"} | {field: "空腹血糖正常"}
    assert (await review.put("见下。", [own])).status_code == 200
    assert (await review.call("sign")).status_code == 200
    await world.file(visit, status="C", GLU="8.74")
    draft = await review.shown()
    assert (draft["state"], [e["stale"] for e in draft["entries"] if e["manual"]]) == ("draft", [True])
    assert "conclusion_stale" in await review.reasons()
    await world.file(visit, status="C", GLU="5.00")
    draft = await review.shown()
    assert [e["stale"] for e in draft["entries"] if e["manual"]] == [False]


@pytest.mark.requirement("E4.3")
async def test_nobody_writes_a_condition_that_the_values_deny(world: World) -> None:
    visit = await world.ready("GLU")
    refused = await Review(world, visit).put("低血糖，请随身备糖。", [])
    assert (refused.status_code, refused.json()["code"]) == (409, "entry-figure-outdated"), refused.text


@pytest.mark.requirement("E4.3")
async def test_nobody_writes_another_size_than_the_description_gives(world: World) -> None:
    _, review, made = await _described(
        world, "CT-CHEST", **{"CT-CHEST": "右肺上叶见直径约5mm实性结节。", "CT-CHEST-LR": "2类"}
    )
    refused = await review.put("右肺上叶结节8mm，建议复查。", made["entries"])
    assert (refused.status_code, refused.json()["code"]) == (409, "entry-figure-outdated"), refused.text
    assert (await review.put("右肺上叶结节5mm，建议复查。", made["entries"])).status_code == 200


@pytest.mark.requirement("E5.2")
def test_a_critical_choice_that_no_line_tells_is_named_first() -> None:
    ecg = Known(
        "ECG",
        "心电图诊断",
        "窦性心律不齐;室性心动过速",
        flag="A",
        chosen=("窦性心律不齐", "室性心动过速"),
        result_id=UUID(int=1),
    )
    said = text_of([], [ecg], complete=True, grave=[Clause(ecg, "", found=("室性心动过速",))])
    assert said.splitlines()[0].startswith("1. 心电图诊断：室性心动过速")


@pytest.mark.requirement("E3.4")
async def test_an_edited_line_of_a_signed_department_is_current_again_once_it_is_true(world: World) -> None:
    visit = await world.checked_in("GENERAL", "GLU")
    desk = Desk(await world.sign_in("doctor"), visit, "GENERAL")
    await desk.enter(**NORMAL | {"SBP": "150", "DBP": "95"})
    await world.file(visit, GLU="8.74")
    line = (await desk.sheet())["lines"][0]
    words = {"id": line["id"], "text": f"{line['text']}，空腹血糖 8.74"}
    assert (await desk.call("PUT", "summary", {"lines": [words]})).status_code == 200
    assert (await desk.sign()).status_code == 200
    for sugar, stale in (("5.00", True), ("8.74", False)):
        await world.file(visit, status="C", GLU=sugar)
        assert [one["stale"] for one in (await desk.sheet())["lines"]] == [stale]
