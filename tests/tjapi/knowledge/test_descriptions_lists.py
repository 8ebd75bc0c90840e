"""A comma carries a denial on over a list, and over nothing that is named whole behind it."""

import pytest

from tjapi.knowledge.descriptions import read

pytestmark = pytest.mark.requirement("E3.4", "E5.1")


@pytest.mark.parametrize(
    ("text", "item", "concept", "assertion"),
    [
        ("肝内未见占位,脂肪肝", "US-LIVER", "FATTY-LIVER", "present"), ("未见占位,肝硬化", "US-LIVER", "CIRRHOSIS", "present"),
        ("未见结节,肺气肿", "CT-CHEST", "EMPHYSEMA", "present"), ("未见出血,脑萎缩", "CT-HEAD", "BRAIN-ATROPHY", "present"),
        ("未见心包积液,二尖瓣反流", "US-HEART", "VALVE-REGURGITATION", "present"), ("肝内未见占位,脂肪肝", "US-LIVER", "LIVER-MASS", "absent"),
        ("未见占位,结节,积液", "US-LIVER", "LIVER-NODULE", "absent"), ("未见占位,结节,积液", "US-LIVER", "ASCITES", "absent"),
        ("未见外痔,肛裂,肛瘘", "ANUS", "HEMORRHOIDS", "absent"), ("新旧脑梗死并存", "CT-HEAD", "CEREBRAL-INFARCT", "present"),
    ],
)  # fmt: skip
def test_what_is_named_whole_behind_a_comma_is_there(text: str, item: str, concept: str, assertion: str) -> None:
    assert {one.concept: one.assertion for one in read(text, item).mentions}[concept] == assertion
