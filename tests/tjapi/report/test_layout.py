"""What a report says of its results, as data: criticals that are critical themselves, no flag without a word, no calm beside a flag."""

from typing import Any
from uuid import UUID

import pytest

from tests.tjapi.report.specimens import Specimen, critical, nothing_found
from tjapi.report.rules import (
    Linked,
    content_digest,
    critical_entries,
    masked_name,
    not_told_before,
    printed_order,
    proof,
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
    assert {o["item"] for o in made.data()["others"]} == {r.item_name for r in made.results if r.flag}


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
    if not calm.startswith("一般检查"):
        assert data["overview"] == "有异常结果，见各项结果。"
    assert not data["all_judged_normal"]


def test_what_nobody_could_judge_is_neither_normal_nor_abnormal() -> None:
    made = Specimen(overview="本次体检所检项目未见明显异常。")
    made.item("检验科", "免疫", "乙肝表面抗原", "0.01", bounds=("0", "1"), flag="")
    made.results[-1].flag = None
    made.signed("检验科", summary="所检项目未见明显异常")
    data = made.data()
    item = data["departments"][0]["groups"][0]["items"][0]
    assert (item["flag"], data["undetermined"], data["abnormal"], data["all_judged_normal"]) == ("undetermined", 1, [], False)  # fmt: skip
    assert (data["overview"], data["departments"][0]["summary"]) == ("各项结果未判定。", "各项结果未判定。")
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
    assert made.data()["overview"].splitlines()[1] == "1. 甘油三酯边缘升高", "a doctor's own words are left alone"


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
