"""What is not excluded may be there, and what does not get better is there: neither is ever read as its absence."""

import pytest

from tjapi.knowledge import service
from tjapi.knowledge.descriptions import read
from tjapi.knowledge.rules import Case, Known
from tjapi.result.service.alarming import alarms_of

pytestmark = pytest.mark.requirement("E3.4", "E5.1")

EDITION = service.in_memory(service.read_starter())


def said(text: str, item: str) -> dict[str, str]:
    return {one.concept: one.assertion for one in read(text, item).mentions}


def alarmed(text: str, item: str) -> bool:
    return bool(alarms_of(EDITION, Case("female", 45, {item: Known(item, item, text)})))


@pytest.mark.parametrize(
    "text",
    [
        "无法完全排除肺癌", "肺癌无法完全除外", "不足以排除肺癌", "难以完全除外肺癌", "肺癌难完全除外", "肺癌很难排除", "肺癌较难完全排除", "肺癌尚难排除",
        "尚难完全排除肺癌", "肺癌不完全排除", "肺癌不太能排除", "不宜排除肺癌", "不允许排除肺癌", "肺癌没有排除", "肺癌未予排除", "无证据排除肺癌",
        "没有依据排除肺癌", "检查结果不支持排除肺癌", "并非没有肺癌可能", "不是没有肺癌可能", "不无肺癌可能", "未必不是肺癌", "不否认肺癌可能",
        "肺癌不能否定", "肺癌可能性小但不能完全排除", "肺癌可能性小,但不能完全排除", "肺癌依据不足但不能除外", "未见明确肺癌征象但不能完全排除",
        "未见明确肺癌征象,但不能完全排除", "无明确肺癌证据,但不能除外", "不能将肺癌排除", "无法把肺癌完全除外", "目前尚不能绝对排除肺癌", "肺癌未被完全排除",
    ],
)  # fmt: skip
def test_what_is_not_excluded_is_possible_and_alarms(text: str) -> None:
    assert said(text, "CT-CHEST")["LUNG-MASS"] == "possible"
    assert alarmed(text, "CT-CHEST")


@pytest.mark.parametrize(
    ("text", "concept"),
    [
        ("肺癌已排除", "LUNG-MASS"), ("可完全排除肺癌", "LUNG-MASS"), ("气胸可排除", "PNEUMOTHORAX"), ("未见气胸,肺癌已除外", "PNEUMOTHORAX"),
        ("无气胸,不除外少量胸腔积液", "PNEUMOTHORAX"), ("否认肺癌", "LUNG-MASS"), ("肺癌可能性小", "LUNG-MASS"), ("未见气胸及肺癌", "LUNG-MASS"),
    ],
)  # fmt: skip
def test_what_is_excluded_stays_absent(text: str, concept: str) -> None:
    assert said(text, "CT-CHEST")[concept] == "absent"


def test_what_is_not_excluded_a_sentence_later_is_listed() -> None:
    assert read("未见明确肺癌证据。但不能完全除外。", "CT-CHEST").unread


@pytest.mark.parametrize(
    ("text", "item", "concept"),
    [
        ("未见气胸吸收", "CXR", "PNEUMOTHORAX"), ("未见胸腔积液减少", "CXR", "PLEURAL-EFFUSION"), ("未见右侧气胸好转", "CXR", "PNEUMOTHORAX"),
        ("无改变之右侧气胸", "CXR", "PNEUMOTHORAX"), ("未见明显吸收之右侧气胸", "CXR", "PNEUMOTHORAX"), ("未见血肿吸收", "CT-HEAD", "INTRACRANIAL-HEMORRHAGE"),
        ("未见动脉瘤缩小", "CT-HEAD", "ANEURYSM"), ("未见肿块缩小", "CT-CHEST", "LUNG-MASS"), ("未见肝占位消失", "US-LIVER", "LIVER-MASS"),
        ("未见脓肿吸收", "US-LIVER", "ABSCESS"), ("未见静脉血栓再通", "VARIX", "DVT"), ("未见夹层愈合", "US-HEART", "DISSECTION"),
        ("无右侧气胸明显好转", "CXR", "PNEUMOTHORAX"), ("未见气胸较前吸收", "CXR", "PNEUMOTHORAX"),
    ],
)  # fmt: skip
def test_what_does_not_get_better_is_there_and_alarms(text: str, item: str, concept: str) -> None:
    assert said(text, item)[concept] == "present"
    assert alarmed(text, item)


@pytest.mark.parametrize(
    ("text", "item", "concept"),
    [
        ("未见气胸、胸腔积液", "CXR", "PNEUMOTHORAX"), ("未见炎性改变及结节", "CT-CHEST", "LUNG-NODULE"), ("未见占位,血肿已吸收", "CT-HEAD", "BRAIN-MASS"),
        ("气胸吸收", "CXR", "PNEUMOTHORAX"), ("未见异常改变及占位", "CT-CHEST", "LUNG-MASS"),
    ],
)  # fmt: skip
def test_what_is_denied_with_a_word_of_change_near_stays_absent(text: str, item: str, concept: str) -> None:
    assert said(text, item)[concept] == "absent"
