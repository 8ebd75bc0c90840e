"""What a report says of its results, as data: criticals that are critical themselves, no flag without a word, no calm beside a flag."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from tests.tjapi.report.specimens import Specimen, critical, nothing_found, one_item
from tjapi.conclusion.rules import ALERT_ADVICE, asks_today
from tjapi.knowledge.yielding import GIVES_WAY, SEE_ALERT
from tjapi.report.pages import report
from tjapi.report.rules import (
    Linked,
    as_numbered,
    content_digest,
    critical_entries,
    masked_name,
    not_told_before,
    printed_order,
    proof,
    uncited,
)

pytestmark = pytest.mark.requirement("E6.1", "E3.3")


def syndrome() -> Specimen:
    """The glucose is critical; what else rests on it is not."""
    made = Specimen()
    glucose = made.item("检验科", "血糖", "葡萄糖", "25.0", unit="mmol/L", bounds=("3.9", "6.1"), flag="HH")
    fat = made.item("检验科", "血脂", "甘油三酯", "2.4", unit="mmol/L", bounds=(None, "1.7"), flag="H")
    pressure = made.item("一般检查", "一般检查", "收缩压", "142", unit="mmHg", bounds=("90", "139"), flag="H")
    made.item("检验科二", "肝功能", "总胆红素", "25.2", unit="umol/L", bounds=(None, "21"), flag="H")
    said = {
        glucose: "葡萄糖 25.0 mmol/L，高于参考范围 3.9–6.1，属危急值",
        fat: "甘油三酯 2.4 mmol/L，高于参考上限 1.7",
        pressure: "收缩压 142 mmHg，高于参考范围 90–139",
    }
    made.found("risk", "甘油三酯边缘升高", rests_on=[fat], detail=said[fat])
    made.found("disease", "血压升高", rests_on=[pressure], detail=said[pressure])
    made.found("disease", "代谢综合征", rests_on=[glucose, fat, pressure], detail="；".join(said.values()))
    made.found("finding", "血糖显著升高", rests_on=[glucose], detail=said[glucose])
    return made


def test_a_critical_value_makes_its_own_entry_critical_and_none_that_only_cites_it() -> None:
    found = syndrome().data()["conclusions"]
    assert [(c["title"], c["level"]) for c in found] == [
        ("血糖显著升高", "critical"), ("血压升高", ""), ("代谢综合征", ""), ("甘油三酯边缘升高", ""),
    ]  # fmt: skip


def test_a_critical_value_that_one_entry_alone_cites_is_critical_there() -> None:
    a, b = UUID(int=1), UUID(int=2)
    assert critical_entries([Linked("disease", False, {a: True, b: False})]) == {0}
    assert critical_entries([Linked("disease", False, {a: False, b: False}), Linked("risk", True, {})]) == {1}
    both = [Linked("risk", False, {a: True}), Linked("disease", False, {a: True}), Linked("finding", False, {a: True, b: False})]  # fmt: skip
    assert critical_entries(both) == {0, 1}
    assert printed_order(both, critical_entries(both)) == [1, 0, 2]


def test_what_was_told_under_an_entry_is_not_told_again_word_for_word_under_the_next() -> None:
    found = {c["title"]: c for c in syndrome().data()["conclusions"]}
    assert found["血压升高"]["detail"] == "收缩压 142 mmHg，高于参考范围 90–139"
    assert found["血压升高"]["results"] == []  # the detail says it
    assert found["甘油三酯边缘升高"]["detail"] == "甘油三酯 2.4 mmol/L，高于参考上限 1.7"
    whole = found["代谢综合征"]
    assert (whole["detail"], [r["name"] for r in whole["results"]]) == ("", ["葡萄糖", "甘油三酯", "收缩压"])
    assert not_told_before("请戒烟；少饮酒", {"请戒烟"}, ["葡萄糖"]) == "请戒烟；少饮酒", "a doctor's own words stay"


def test_every_flagged_result_has_a_conclusion_or_stands_under_other_abnormal_results() -> None:
    data = syndrome().data()
    assert [(o["item"], o["value"], o["unit"], o["flag"], o["range"]) for o in data["others"]] == [
        ("总胆红素", "25.2", "μmol/L", "high", "≤ 21")
    ]
    assert next(a["item"] for a in data["abnormal"]) == "葡萄糖", "critical ones first"
    made = critical()
    made.entries.clear()
    data = made.data()
    alarmed = {r.item_name for r in made.results if r.flag in ("HH", "LL")}
    assert {o["item"] for o in data["others"]} == {r.item_name for r in made.results if r.flag} - alarmed
    assert [c["title"] for c in data["conclusions"]] == [
        f"{name}危急值" for name in (r.item_name for r in made.results) if name in alarmed
    ]


@pytest.mark.parametrize("calm", ["未见异常", "所检项目未见明显异常", "本次体检所检项目未见明显异常。", "1. 未见明显异常", "一般检查:未见异常"])  # fmt: skip
def test_no_summary_says_normal_beside_a_flag(calm: str) -> None:
    made = Specimen(overview=calm)
    made.item("一般检查", "一般检查", "收缩压", "142", unit="mmHg", bounds=("90", "139"), flag="H")
    made.item("内科", "内科", "心率", "70", unit="/min", bounds=("60", "100"))
    made.signed("一般检查", summary=f"步入诊室即测\n{calm}")
    made.signed("内科", summary="未见异常")
    data = made.data()
    summaries = {d["name"]: d["summary"] for d in data["departments"]}
    assert summaries == {"一般检查": "步入诊室即测\n有异常结果，见各项结果。", "内科": "未见异常"}
    machine = calm.startswith("本次体检")
    if not calm.startswith("一般检查"):
        assert data["overview"] == ("本次体检" if machine else "") + "有异常结果，见各项结果。"
    assert not data["all_judged_normal"]


def test_what_nobody_could_judge_is_neither_normal_nor_abnormal() -> None:
    made = Specimen(overview="本次体检所检项目未见明显异常。")
    made.item("检验科", "免疫", "乙肝表面抗原", "0.01", bounds=("0", "1"), flag="")
    made.results[-1].flag = None
    made.signed("检验科", summary="所检项目未见明显异常")
    data = made.data()
    item = data["departments"][0]["groups"][0]["items"][0]
    assert (item["flag"], data["undetermined"], data["abnormal"], data["all_judged_normal"]) == ("undetermined", 1, [], False)  # fmt: skip
    assert (data["overview"], data["departments"][0]["summary"]) == ("本次体检各项结果未判定。", "各项结果未判定。")
    made.results[-1].flag = "A"  # a person decided
    assert [a["flag"] for a in made.data()["abnormal"]] == ["abnormal"]
    made.results[-1].flag = ""
    assert (made.data()["undetermined"], made.data()["all_judged_normal"]) == (0, True)
    height = Specimen()
    height.item("一般检查", "一般检查", "身高", "168", unit="cm")
    assert height.data()["undetermined"] == 0, "what no range is made for is not judged by its nature"


def test_a_remark_stands_beside_its_value() -> None:
    made = nothing_found()
    made.results[0].remarks = ["标本轻度溶血,建议复查"]
    assert made.data()["departments"][0]["groups"][0]["items"][0]["remarks"] == ["标本轻度溶血，建议复查"]


def test_the_machines_list_follows_the_order_and_the_numbers_of_what_is_printed() -> None:
    made = syndrome()
    made.overview = "本次体检主要发现:\n" + "\n".join(f"{i}. {e.title}" for i, e in enumerate(made.entries, 1))
    assert made.data()["overview"].splitlines()[1] == "1. 血糖显著升高"
    made.overview = "请立即就医;" + made.overview
    assert made.data()["overview"].splitlines()[:3] == [
        "请立即就医；本次体检主要发现：",
        "1. 血糖显著升高",
        "2. 血压升高",
    ]
    made.overview = "1. 血压升高，请复查\n两周内\n2. 血糖显著升高\n3. 家族史：父亲糖尿病"
    assert made.data()["overview"].splitlines() == [
        "1. 血糖显著升高",
        "2. 血压升高，请复查",
        "两周内",
        "· 家族史：父亲糖尿病",
    ]
    made.overview = "血压偏高。"
    assert made.data()["overview"] == "危急：血糖显著升高，请立即就医。\n血压偏高。", (
        "criticals first, whoever wrote it"
    )


def described() -> Specimen:
    """Free texts that no rule knows and nobody judged, beside what is normal."""
    made = Specimen(overview="本次体检所检项目未见明显异常。")
    made.item("放射科", "胸片", "胸部 X 线所见", "右肺下叶见团块影,考虑恶性可能")
    made.results[-1].flag = None
    made.item("内科", "内科", "心率", "70", unit="/min", bounds=("60", "100"))
    made.item("内科", "内科", "肺部听诊", "双肺呼吸音粗，可闻及湿啰音")
    made.results[-1].flag = None
    made.signed("放射科", summary="未见明显异常")
    made.signed("内科", summary="所检项目未见明显异常")
    return made


def test_a_description_that_nobody_judged_allows_no_calm_sentence_anywhere() -> None:
    data = described().data()
    assert data["overview"] == data["sentence"] == "本次体检所见详见各项描述。"
    assert {d["summary"] for d in data["departments"]} == {"所见详见各项描述。"}
    assert (data["described"], data["undetermined"], data["all_judged_normal"]) == (2, 0, False)
    assert "未判定" not in [f["label"] for f in data["figures"]], (
        "a description is read; no row of the report is marked"
    )
    for lang, words in (("zh", "所见详见各项描述"), ("en", "See the departments for what was described.")):
        html = bytes(report(data, lang, "/r/x", outdated=False).body).decode()
        assert words in html
        assert "未见明显异常" not in html
        assert "Nothing out of the ordinary" not in html


def test_a_critical_result_without_a_conclusion_has_its_own_card_first_and_no_soft_advice() -> None:
    made = syndrome()
    made.overview = "本次体检主要发现:\n" + "\n".join(f"{i}. {e.title}" for i, e in enumerate(made.entries, 1))
    inr = made.item("检验科", "凝血", "国际标准化比值", "4.68", bounds=("0.8", "1.2"), flag="HH")
    data = made.data()
    first = data["conclusions"][0]
    assert (first["title"], first["level"], "立即" in first["advice"]) == ("国际标准化比值危急值", "critical", True)
    assert data["overview"].splitlines()[1] == "1. 国际标准化比值危急值"
    assert "国际标准化比值" not in {o["item"] for o in data["others"]}
    assert ("须立即就医", "2") in [(f["label"], f["value"]) for f in data["figures"]]
    made.entries.clear()
    made.overview = "本次体检有异常结果，见各项结果。"
    assert made.data()["overview"].splitlines()[1:] == ["1. 葡萄糖危急值", "2. 国际标准化比值危急值"]
    made.results = [r for r in made.results if r.result_id != inr]
    assert [c["title"] for c in made.data()["conclusions"]] == ["葡萄糖危急值"]


@pytest.mark.parametrize(
    ("flag", "alert", "shown"),
    [
        (None, "standing", "critical"), ("", "standing", "critical"), ("A", "standing", "critical"), ("H", "standing", "critical_high"), ("L", "standing", "critical_low"),
        ("HH", "standing", "critical_high"), ("HH", None, "critical_high"), ("HH", "dismissed", "high"), ("LL", "dismissed", "low"), ("", "dismissed", ""),
        ("H", None, "high"), (None, None, "undetermined"), (None, "dismissed", "undetermined"),
    ],
)  # fmt: skip
def test_the_list_of_critical_values_and_the_report_do_not_contradict_each_other(
    flag: str | None, alert: str | None, shown: str
) -> None:
    made = Specimen(overview="本次体检各项结果未判定。")
    made.item("检验科", "血常规", "血红蛋白", "48", unit="g/L", bounds=("115", "150"))
    made.results[-1].flag, made.results[-1].alert = flag, alert
    data = made.data()
    item, figures = data["departments"][0]["groups"][0]["items"][0], {f["label"]: f["value"] for f in data["figures"]}
    assert item["flag"] == shown
    assert figures.get("须立即就医") == ("1" if shown.startswith("critical") else None)
    assert [c["title"] for c in data["conclusions"]] == (["血红蛋白危急值"] if shown.startswith("critical") else [])
    html = bytes(report(data, "zh", "/r/x", outdated=False).body).decode()
    assert ("危急" in html) == shown.startswith("critical")


@pytest.mark.requirement("E5.2")
def test_what_one_alert_names_has_one_card_whether_or_not_some_of_it_is_concluded() -> None:
    made = Specimen(overview="请立即就医。")
    pressure = made.item("一般检查", "一般检查", "收缩压", "186", unit="mmHg", bounds=("90", "139"), flag="H")
    made.item("一般检查", "一般检查", "近期自觉症状", "头痛", flag="A")
    one, both = UUID(int=1), UUID(int=2)
    for row, alerts in zip(made.results, ((one, both), (both,)), strict=True):
        row.alert, row.alert_ids = "standing", alerts
    assert [(c["title"], c["level"]) for c in made.data()["conclusions"]] == [
        ("收缩压、近期自觉症状危急值", "critical")
    ]
    made.found("disease", "血压升高", rests_on=[pressure])
    told = [("收缩压、近期自觉症状危急值", "critical"), ("血压升高", "")]
    assert [(c["title"], c["level"]) for c in made.data()["conclusions"]] == told, "measured again is no answer to it"


@pytest.mark.requirement("E5.2")
def test_what_several_alerts_name_is_told_by_the_one_that_names_most() -> None:
    one, two, three, four = (UUID(int=n) for n in range(1, 5))
    assert uncited([[one], [one, two], [three], [four]], {four}) == [1, 2]
    assert uncited([[one, two], [two, three]], {one}) == [0, 1], "what names only some of it does not tell of the rest"


def test_what_the_laboratory_alone_calls_critical_says_so_beside_the_value() -> None:
    made = Specimen(overview="本次体检所检项目未见明显异常。")
    made.item("检验科", "肝功", "丙氨酸氨基转移酶", "30", unit="U/L", bounds=("7", "40"))
    made.results[-1].alert, made.results[-1].lab_alarm = "standing", True
    data = made.data()
    item = data["departments"][0]["groups"][0]["items"][0]
    assert (item["flag"], item["remarks"]) == ("critical", ["检验科标为危急"])
    assert data["overview"] == "本次体检主要发现：\n1. 丙氨酸氨基转移酶危急值"


def test_an_entry_is_critical_by_what_stands_now_and_not_by_what_it_was_made_of() -> None:
    made = Specimen()
    pressure = made.item("一般检查", "一般检查", "收缩压", "165", unit="mmHg", bounds=("90", "139"), flag="H")
    made.item("检验科", "血糖", "葡萄糖", "5.0", unit="mmol/L", bounds=("3.9", "6.1"))
    made.found("disease", "血糖显著升高合并血压升高", rests_on=[pressure])
    made.entries[-1].key, made.entries[-1].important_class = "finding:GLU-SEVERE", "A"
    assert made.data()["conclusions"][0]["level"] == ""
    made.entries[-1].own_critical = True
    assert made.data()["conclusions"][0]["level"] == "critical"


@pytest.mark.parametrize(
    ("alerts", "level"),
    [
        (("dismissed", None), ""), ((None, "dismissed"), ""), (("dismissed", "dismissed"), ""), (("dismissed", "standing"), "critical"), (("standing", None), "critical"),
        ((None, None), "critical"),
    ],
)  # fmt: skip
def test_an_entry_is_critical_by_its_rule_only_where_its_alert_was_not_dismissed(
    alerts: tuple[str | None, str | None], level: str
) -> None:
    made = Specimen(overview="血糖请复查。")
    sugar = made.item("检验科", "血糖", "葡萄糖", "25.0", unit="mmol/L", bounds=("3.9", "6.1"), flag="HH")
    urine = made.item("检验科", "尿常规", "尿糖", "3+", flag="A")
    for row, alert in zip(made.results[-2:], alerts, strict=True):
        row.alert, row.flag = alert, row.flag if alert else "H"
    made.found("disease", "血糖显著升高", rests_on=[sugar, urine])
    made.entries[-1].own_critical = True
    data = made.data()
    assert data["conclusions"][0]["level"] == level
    assert ("危急" in data["overview"]) == bool(level)
    if not level:
        assert "危急" not in bytes(report(data, "zh", "/r/x", outdated=False).body).decode()


def test_a_dismissed_critical_value_is_called_critical_by_no_sentence() -> None:
    made = Specimen()
    potassium = made.item("检验科", "电解质", "钾", "6.5", unit="mmol/L", bounds=("3.5", "5.3"), flag="HH")
    made.found("finding", "血钾升高", rests_on=[potassium], detail="钾 6.5 mmol/L，高于参考范围 3.5–5.3，属危急值")
    made.signed("检验科", summary="1. 血钾升高：钾 6.5 mmol/L，高于参考范围 3.5–5.3，属危急值")
    assert "危急" in made.data()["conclusions"][0]["detail"]
    made.results[-1].alert = "dismissed"
    data = made.data()
    assert "危急" not in data["conclusions"][0]["detail"] + data["departments"][0]["summary"]


def test_a_value_is_told_once_in_whatever_spelling_it_came() -> None:
    made = Specimen()
    urine = made.item("检验科", "尿常规", "尿白细胞酯酶", "阳性(2+)", flag="A")
    teeth = made.item("口腔科", "口腔", "牙齿", "牙结石;牙龈炎", flag="A")
    made.found("finding", "尿白细胞酯酶阳性", rests_on=[urine], detail="尿白细胞酯酶 2+，参考值为阴性")
    made.found("finding", "牙周病", rests_on=[teeth], detail="牙齿 牙结石；牙龈炎")
    data = made.data()
    assert [c["results"] for c in data["conclusions"]] == [[], []]
    assert data["departments"][1]["groups"][0]["items"][0]["value"] == "牙结石；牙龈炎"


def test_a_range_of_choices_shows_every_normal_one() -> None:
    made = Specimen()
    made.item("一般检查", "问诊", "饮酒", "每天", flag="A")
    row = made.results[-1]
    row.kind, row.choices, row.range_snapshot = "enumerated", ["从不", "偶尔", "每天"], {"low": None, "high": None, "text": "从不", "normal_texts": ["从不", "偶尔"]}  # fmt: skip
    assert made.data()["departments"][0]["groups"][0]["items"][0]["range"] == "从不、偶尔"


def test_what_is_stale_says_so_on_a_preview() -> None:
    made = syndrome()
    made.signed("一般检查", summary="血压偏高")
    made.sheets[-1].stale = made.entries[0].stale = True
    data = made.data()
    assert [c["title"] for c in data["conclusions"] if c["stale"]] == ["甘油三酯边缘升高"]
    assert [d["name"] for d in data["departments"] if d["stale"]] == ["一般检查"]
    assert bytes(report(data, "zh", "/r/x", outdated=False).body).decode().count("已过期，待更新") == 2
    data["overview_stale"], data["overview"] = True, "血糖偏高"
    assert bytes(report(data, "zh", "/r/x", outdated=False).body).decode().count("已过期，待更新") == 3


@pytest.mark.parametrize(("name", "masked"), [("张三", "张*"), ("欧阳修", "欧**"), ("岑布洛陀米洛甲·特康", "岑**"), ("王", "王"), ("𠮷田䶮", "𠮷**")])  # fmt: skip
def test_a_masked_name_is_its_first_character(name: str, masked: str) -> None:
    assert masked_name(name) == masked


def test_the_digest_is_of_everything_that_is_said_and_of_nothing_else() -> None:
    data = syndrome().data()
    digest = content_digest(data)
    assert digest == content_digest({**data, "digest": digest})
    assert len(digest) == 19
    changed: dict[str, Any] = {**data, "exam": {**data["exam"], "date": "2026-11-21"}}
    assert content_digest(changed) != digest
    assert proof({**data, "digest": digest}) == {
        "name": "覃**", "exam_no": "TA26112000017", "exam_date": "2026-11-20", "digest": digest,
    }  # fmt: skip


@pytest.mark.requirement("E5.2")
@pytest.mark.parametrize(
    "line",
    [
        "7.2 mmol/L，已电话告知本人", "1.5cm×1.0cm，TI-RADS 3类", "2026.5.20 复查", "0.8cm胆囊息肉样隆起", "1．5cm", "120 mmHg", "2026、2027 年复查", "123) 见下", "12:30 采样",
        "  3.0 mmol/L", "1.", "2、",
    ],
)  # fmt: skip
def test_a_line_without_a_list_number_stays_word_for_word_under_its_heading(line: str) -> None:
    said = f"1. 血钾升高：\n{line}\n2. 血压升高"
    assert as_numbered(said, ["血压升高", "血钾升高"]).splitlines() == ["1. 血压升高", "2. 血钾升高：", line]
    assert as_numbered(f"见下：\n{line}", ["血压升高"]) == f"见下：\n{line}"
    assert as_numbered(line, []) == line


@pytest.mark.requirement("E5.2")
@pytest.mark.parametrize("heading", ["甲状腺：", "【彩超】", "二、超声检查", "彩超:"])
def test_numbered_lines_stay_under_their_heading(heading: str) -> None:
    said = f"化验：\n1. 尿酸升高\n2. 血钾升高\n{heading}\n1.5cm 结节\n3. 甲状腺结节"
    assert as_numbered(said, ["甲状腺结节", "血钾升高", "尿酸升高"]).splitlines() == [
        "化验：", "2. 血钾升高", "3. 尿酸升高", heading, "1.5cm 结节", "1. 甲状腺结节",
    ]  # fmt: skip
    said = f"2. 血压升高\n{heading}\n7.2 mmol/L"
    assert as_numbered(said, ["血钾升高", "血压升高"]).splitlines() == ["2. 血压升高", heading, "7.2 mmol/L"]


@pytest.mark.requirement("E5.2")
@pytest.mark.parametrize("number", ["1. ", "1.", "1、", "1)", " 1 ）", "12．", "1.血", "01. "])
def test_whatever_writes_a_list_is_a_list_number(number: str) -> None:
    said = number.removesuffix("血") + "血钾升高"
    assert as_numbered(said, ["血压升高", "血钾升高"]) == "2. 血钾升高"
    assert as_numbered(f"{number.removesuffix('血')}尿酸", ["血压升高"]) == "· 尿酸"


@pytest.mark.requirement("E5.2")
@pytest.mark.parametrize(
    ("said", "printed"),
    [
        # The mark is of the value whose name stands last before it; nothing else in the sentence takes it away.
        ("钠 140，血红蛋白 40 g/L，属危急值", True), ("蛋白 1，血红蛋白 40，属危急值", True), ("血红蛋白 40，属危急值，蛋白 1", True), ("血红蛋白 40 g/L，低于参考下限 115，属危急值，钠 140", True),
        ("钠 140，属危急值", False), ("血红蛋白 40；钠 140，属危急值", False), ("血红蛋白 40，钠 140，属危急值", False), ("1. 低钠：钠 140，属危急值", False), ("蛋白 1，属危急值", False),
        # Of two results of one name one is critical.
        ("钾 6.5，属危急值", True), ("血钾 6.5，属危急值", True), ("收缩压（休息后复测）186，属危急值", False), ("收缩压 186，属危急值", True), ("血压 186/95，属危急值", True),
        # Nobody can say of which value it is.
        ("结果已复核，属危急值", True),
    ],
)  # fmt: skip
def test_a_mark_is_taken_from_the_value_beside_it_alone(said: str, printed: bool) -> None:
    made = Specimen(overview="请立即就医。")
    for name, value, alert in (
        ("血红蛋白", "40", "standing"), ("蛋白", "1", None), ("钠", "140", "dismissed"), ("钾", "6.5", "dismissed"), ("钾", "6.6", "standing"),
        ("收缩压", "190", "standing"), ("收缩压(休息后复测)", "186", "dismissed"),
    ):  # fmt: skip
        made.item("检验科", "血常规", name, value, unit="g/L", bounds=("0", "1"), flag="H")
        made.results[-1].alert = alert
    made.signed("检验科", summary=f"见下\n{said}")
    made.found("finding", "综合", rests_on=[row.result_id for row in made.results], detail=said)
    data = made.data()
    kept = said if printed else said.replace("，属危急值", "")
    assert data["departments"][0]["summary"] == f"见下\n{kept}"
    assert next(c["detail"] for c in data["conclusions"] if c["title"] == "综合") == kept


@pytest.mark.requirement("E5.2")
def test_of_results_of_one_name_an_entry_speaks_of_its_own() -> None:
    made = Specimen(overview="请立即就医。")
    for value, alert in (("6.5", "dismissed"), ("6.6", "standing")):
        made.item("检验科", "电解质", "钾", value, unit="mmol/L", bounds=("3.5", "5.3"), flag="HH")
        made.results[-1].alert = alert
    made.found("finding", "血钾升高", rests_on=[made.results[0].result_id], detail="钾 6.5，属危急值")
    made.found("finding", "高血钾", rests_on=[made.results[1].result_id], detail="钾 6.6，属危急值")
    details = {c["title"]: c["detail"] for c in made.data()["conclusions"]}
    assert (details["血钾升高"], details["高血钾"]) == ("钾 6.5", "钾 6.6，属危急值")


@pytest.mark.requirement("E1.8")
def test_what_a_doctor_signed_is_printed_where_nothing_was_examined() -> None:
    """Whoever was refused an examination, and said why, stands in their place among the departments."""
    made = nothing_found()
    made.signed("内科二", "农志明", "自述胸痛一周，已劝其当日到心内科就诊，本人拒绝检查。")
    data = made.data()
    assert [(d["name"], d["doctor"], d["summary"]) for d in data["departments"] if not d["groups"]] == [
        ("内科二", "农志明", "自述胸痛一周，已劝其当日到心内科就诊，本人拒绝检查。")
    ]


# --- the cover, and what only words call grave ---


def _figures(made: Specimen) -> dict[str, str]:
    return {one["label"]: one["value"] for one in made.data()["figures"]}


def test_the_cover_of_whoever_refused_everything_shows_no_nought_of_anything_abnormal() -> None:
    made = Specimen(overview="")
    made.unperformed = [
        SimpleNamespace(department="内科", name="内科检查", state="refused", holds=["心率", "心律", "肺部听诊"]),
        SimpleNamespace(department="心电图室", name="心电图", state="refused", holds=["心电图"]),
    ]
    assert _figures(made) == {"检查项目": "0", "未检项目": "4"}
    assert [line["holds"] for line in made.data()["unperformed"]] == [["心率", "心律", "肺部听诊"], []], (
        "what a group holds is named; one that holds itself alone is not named twice"
    )


def test_the_cover_counts_what_was_not_examined_beside_what_was() -> None:
    made = one_item()
    made.unperformed = [SimpleNamespace(department="内科", name="心电图", state="waived", holds=[])]
    assert _figures(made) == {"检查项目": "1", "异常结果": "0", "主检结论": "0", "未检项目": "1"}


@pytest.mark.requirement("E5.2")
def test_what_only_words_of_a_description_call_grave_is_to_be_seen_to_today_and_no_emergency_by_itself() -> None:
    made = Specimen(overview="见各项。")
    liver = made.item("超声科", "肝脏超声", "肝脏超声", "右叶见低回声占位", flag="A")
    potassium = made.item("检验科", "电解质", "钾", "6.5", unit="mmol/L", bounds=("3.5", "5.3"), flag="HH")
    made.found("finding", "肝占位", rests_on=[liver])
    made.found("finding", "血钾危急值", rests_on=[potassium])
    made.entries[0].own_critical = made.entries[0].only_words = True
    data = made.data()
    assert [(c["title"], c["level"]) for c in data["conclusions"]] == [("血钾危急值", "critical"), ("肝占位", "urgent")]
    assert data["overview"].splitlines()[:2] == [
        "危急：血钾危急值，请立即就医。",
        "须尽快处理：肝占位，请今天就与本院联系。",
    ]
    assert {one["label"]: one["value"] for one in data["figures"]}["须尽快处理"] == "1"
    page = bytes(report(data, "zh", "/r/x", outdated=False).body).decode()
    assert page.count("须尽快处理") >= 2
    made.results[0].alert = "standing"
    assert [c["level"] for c in made.data()["conclusions"]] == ["critical", "critical"], "a number of it is critical"


def test_what_is_advised_for_today_is_urgent_on_the_cover_and_comes_before_what_has_a_week() -> None:
    made = Specimen(overview="")
    pressure = made.item("一般检查", "一般检查", "收缩压", "150", unit="mmHg", bounds=("90", "139"), flag="H")
    potassium = made.item("检验科", "电解质", "钾", "5.6", unit="mmol/L", bounds=("3.5", "5.3"), flag="H")
    made.found("disease", "血压升高", rests_on=[pressure], advice="请一周内复测血压；出现剧烈头痛，请立即拨打 120。")
    made.found("finding", "血钾升高", rests_on=[potassium], advice="请当日复查血钾并做心电图。")
    data = made.data()
    assert [(c["title"], c["level"]) for c in data["conclusions"]] == [("血钾升高", "urgent"), ("血压升高", "")]
    assert {one["label"]: one["value"] for one in data["figures"]}["须尽快处理"] == "1"


@pytest.mark.parametrize(
    ("advice", "today"),
    [
        ("请次日前到肾内科就诊", True), ("请当日复查血钾并做心电图。", True), ("不要等待:请今天就与本院联系", True), ("请立即到急诊", True), ("请先在今天复查", True),
        ("出现胸痛、气促请立即拨打120", False), ("一周内复测血压。若头痛请立即就医", False), ("口渴多尿者请当日就诊", False), ("如有不适，请立即就医", False),
        ("请两周内到心内科就诊", False), ("", False),
    ],
)  # fmt: skip
def test_only_what_is_asked_of_everybody_is_asked_for_today(advice: str, today: bool) -> None:
    assert asks_today(advice) is today


@pytest.mark.requirement("E5.2")
def test_a_description_that_only_its_words_call_grave_stands_among_the_abnormal() -> None:
    made = Specimen(overview="见各项。")
    liver = made.item("超声科", "肝脏超声", "肝脏超声", "右叶见低回声占位")
    made.results[-1].flag = None
    made.found("finding", "肝脏超声：低回声占位", rests_on=[liver], advice="请今天就与本院联系。")
    made.entries[-1].own_critical = made.entries[-1].only_words = True
    data = made.data()
    assert [(row["item"], row["flag"]) for row in data["abnormal"]] == [("肝脏超声", "abnormal")]
    assert {one["label"]: one["value"] for one in data["figures"]}["异常结果"] == "1"


def test_the_cover_counts_what_is_critical_as_the_conclusions_do_not_each_value_of_it() -> None:
    made = Specimen(overview="")
    pressure = [
        made.item("一般检查", "一般检查", name, value, unit="mmHg", bounds=bounds, flag="HH")
        for name, value, bounds in (("收缩压", "242", ("90", "139")), ("舒张压", "138", ("60", "89")))
    ]
    made.found("finding", "血压极度升高", rests_on=pressure, advice="请立即就医。")
    figures = _figures(made)
    assert (figures["异常结果"], figures["主检结论"], figures["须立即就医"]) == ("2", "1", "1")
    assert "危急值" not in figures, "one number, one meaning"


def healthy() -> Specimen:
    """Somebody of whom everything was judged normal, or described in words that say nothing else."""
    made = Specimen(overview="本次体检所见详见各项描述。")
    made.item("内科", "内科", "心率", "70", unit="/min", bounds=("60", "100"))
    made.item("内科", "内科", "肺部听诊", "呼吸音清晰，未闻及干湿啰音", code="LUNG")
    made.item("超声科", "腹部超声", "肝脏超声", "肝脏大小形态正常，回声均匀，未见明显异常", code="US-LIVER")
    for row in made.results[1:]:
        row.flag = None
    made.signed("内科", summary="所见详见各项描述")
    made.signed("超声科", summary="所见详见各项描述")
    return made


@pytest.mark.requirement("E4.3")
def test_whoever_has_nothing_that_needs_anything_is_told_so_in_words_of_what_was_examined() -> None:
    data = healthy().data()
    assert (
        data["overview"]
        == data["sentence"]
        == (
            "本次体检在内科、超声科共检查 3 项，所检项目未见明显异常，没有需要处理的发现。"
            "这只说明所检项目当时的情况，没有检查的不在其中；如有不适，请及时就诊。"
        )
    )
    assert data["usual"]
    assert [d["summary"] for d in data["departments"]] == ["", ""], "a line that says nothing is not printed"
    english = bytes(report(data, "en", "/r/x", outdated=False).body).decode()
    assert "None of the 3 items examined" in english


@pytest.mark.requirement("E4.3")
@pytest.mark.parametrize(
    "spoils",
    [
        pytest.param(lambda made: setattr(made.results[0], "flag", "H"), id="flagged"),
        pytest.param(lambda made: setattr(made.results[0], "flag", None), id="not-judged"),
        pytest.param(lambda made: setattr(made.results[2], "raw_value", "肝右叶见一低回声团块"), id="a-finding"),
        pytest.param(lambda made: setattr(made.results[2], "raw_value", "肝脏回声如星空般闪烁"), id="not-understood"),
        pytest.param(lambda made: setattr(made.results[2], "raw_value", "肝癌术后改变，未见复发"), id="a-history"),
        pytest.param(lambda made: setattr(made.results[2], "raw_value", "拒检"), id="a-value-that-says-so"),
        pytest.param(lambda made: setattr(made.results[1], "remarks", ["患者自述胸痛"]), id="remarked"),
        pytest.param(lambda made: setattr(made.results[1], "alert", "standing"), id="alarmed"),
        pytest.param(
            lambda made: made.unperformed.append(SimpleNamespace(department="放射科", name="胸片", state="refused", holds=[])),
            id="something-refused",
        ),
    ],
)  # fmt: skip
def test_nobody_is_told_that_nothing_needs_anything_beside_what_may(spoils: Callable[[Specimen], None]) -> None:
    made = healthy()
    spoils(made)
    data = made.data()
    assert not data["usual"]
    assert "没有需要处理" not in data["overview"] + data["sentence"]
    for lang in ("zh", "en"):
        page = bytes(report(data, lang, "/r/x", outdated=False).body).decode()
        assert "没有需要处理" not in page
        assert "None of the" not in page


def test_what_only_a_doctor_can_judge_is_named_and_nobody_says_that_nothing_needs_anything() -> None:
    made = healthy()
    made.item("检验科", "甲状腺功能", "游离甲状腺素", "13", unit="pmol/L", code="FT4")
    made.results[-1].range_snapshot, made.results[-1].flag = {"text": "孕期按孕周与本院试剂判断"}, None
    made.results[-1].judged = False
    data = made.data()
    assert "已判定的项目未见明显异常；游离甲状腺素没有可直接对照的参考范围，请由医生判断。" in data["overview"]
    assert "没有需要处理" not in data["overview"]
    assert not data["usual"]


def test_whoever_left_something_out_is_told_so_in_the_same_sentence() -> None:
    made = Specimen(overview="本次体检所检项目未见明显异常。")
    made.item("内科", "内科", "心率", "70", unit="/min", bounds=("60", "100"))
    made.unperformed = [SimpleNamespace(department="内科", name="内科检查", state="refused", holds=["心律", "心音"])]
    assert made.data()["overview"] == "本次体检所检项目未见明显异常。另有 2 项未检查，见“未检项目”。"


def test_the_words_of_a_range_bear_chinese_marks() -> None:
    made = Specimen()
    made.item("检验科", "血常规", "血小板压积", "0.2", unit="%")
    made.results[-1].range_snapshot = {"text": "未成年人无通用区间,由专科判断"}
    assert made.data()["departments"][0]["groups"][0]["items"][0]["range"] == "未成年人无通用区间，由专科判断"


@pytest.mark.requirement("E4.3")
def test_what_is_grave_stands_before_what_is_chronic_the_shortest_time_first() -> None:
    made = Specimen(overview="")
    made.found("disease", "骨质疏松", advice="")
    made.found("disease", "心房颤动", advice="")
    made.found("finding", "肝脏占位伴肿瘤标志物升高", advice="")
    made.entries[1].soon, made.entries[2].soon = 7, 3
    assert [c["title"] for c in made.data()["conclusions"]] == ["肝脏占位伴肿瘤标志物升高", "心房颤动", "骨质疏松"]


@pytest.mark.requirement("E4.3")
def test_one_critical_value_is_told_on_one_card_and_a_disease_keeps_its_own() -> None:
    made = Specimen(overview="")
    potassium = made.item("检验科", "电解质", "钾", "7.0", unit="mmol/L", bounds=("3.5", "5.3"), flag="HH")
    made.found("finding", "血钾升高", rests_on=[potassium], advice=SEE_ALERT)
    made.found(
        "finding",
        "钾危急值",
        rests_on=[potassium],
        advice=ALERT_ADVICE,
        detail="钾 7.0 mmol/L，高于参考范围 3.5–5.3，属危急值",
    )
    (card,) = made.data()["conclusions"]
    assert (card["title"], card["detail"].split("；")[-1], card["level"]) == ("钾危急值", "即血钾升高", "critical")
    made.entries[0].kind = "disease"
    assert len(made.data()["conclusions"]) == 2


@pytest.mark.requirement("E5.3")
def test_what_a_person_dismissed_says_so_with_the_reason_and_is_no_matter_of_today() -> None:
    made = Specimen(overview="")
    glucose = made.item("检验科", "血糖", "葡萄糖", "2.2", unit="mmol/L", bounds=("3.9", "6.1"), flag="LL")
    made.found("finding", "血糖偏低", rests_on=[glucose], advice="请当日复查血糖。")
    made.results[0].alert, made.results[0].dismissed_for = "dismissed", "标本放置过久"
    data = made.data()
    assert [c["level"] for c in data["conclusions"]] == [""]
    assert data["abnormal"][0]["remarks"] == ["危急值提示已由医生排除（标本放置过久）"]
    made.results[0].alert, made.results[0].flag = None, "L"
    assert [c["level"] for c in made.data()["conclusions"]] == ["urgent"], "one that nobody dismissed"


@pytest.mark.requirement("E3.3")
def test_what_a_laboratory_flags_within_our_range_is_printed_with_its_own_range() -> None:
    made = Specimen(overview="")
    made.item("检验科", "肾功能", "尿素", "7.2", unit="mmol/L", bounds=("2.5", "7.5"))
    made.results[0].lis_flags, made.results[0].lis_range_text = "H", "2.6–7.0"
    data = made.data()
    assert data["departments"][0]["groups"][0]["items"][0]["remarks"] == ["检验科标 H，检验科参考 2.6–7.0"]
    assert not data["usual"]
    made.results[0].lis_flags = "N"
    assert data["departments"] != made.data()["departments"]


@pytest.mark.requirement("E4.3")
def test_today_is_said_once_of_an_organ_and_what_gives_way_names_where() -> None:
    made = Specimen(overview="")
    chest = made.item("放射科", "胸部CT", "胸部CT", "右肺占位，冠状动脉钙化，陈旧性病变")
    made.found("finding", "冠状动脉钙化", rests_on=[chest], advice=GIVES_WAY)
    made.found("finding", "胸部CT：占位", rests_on=[chest], advice="请今天就与本院联系。")
    made.found("finding", "陈旧性病变", rests_on=[chest], advice=GIVES_WAY)
    made.entries[1].own_critical = made.entries[1].only_words = True
    cards = made.data()["conclusions"]
    assert [c["title"] for c in cards] == ["胸部CT：占位", "冠状动脉钙化", "陈旧性病变"]
    assert sum("今天" in c["advice"] for c in cards) == 1
    assert all("见第 1 条" in c["advice"] for c in cards[1:])
    del made.entries[1]
    assert sum("今天" in c["advice"] for c in made.data()["conclusions"]) == 2, "where nothing says it, each does"
