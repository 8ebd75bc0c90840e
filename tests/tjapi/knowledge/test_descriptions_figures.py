"""Of a range of categories the higher counts, and of a size that changed the one that is now."""

import pytest

from tjapi.knowledge.descriptions import read
from tjapi.knowledge.grades import categories

pytestmark = pytest.mark.requirement("E3.4", "E5.1")


def grades(text: str, item: str) -> set[str]:
    return {grade for one in read(text, item).mentions for grade in one.grades}


@pytest.mark.parametrize(
    ("text", "item", "grade"),
    [
        ("左乳结节,BI-RADS 3～4A类", "US-BREAST", "bi:4a"), ("左乳结节,BI-RADS 3-4A", "US-BREAST", "bi:4a"), ("左乳结节,BI-RADS 3/4A", "US-BREAST", "bi:4a"),
        ("左乳结节,BI-RADS 3类或4A类", "US-BREAST", "bi:4a"), ("左乳结节,BI-RADS 3至4a", "US-BREAST", "bi:4a"), ("左乳结节,3～4A类", "US-BREAST", "bi:4a"),
        ("左叶结节,TI-RADS 3-4a类", "US-THYROID", "ti:4a"), ("左叶结节,C-TIRADS 3～4B类", "US-THYROID", "ti:4b"), ("右肺结节,Lung-RADS 3-4A", "CT-CHEST", "lung:4a"),
        ("左叶结节,ACR TI-RADS TR5", "US-THYROID", "ti:5"), ("左叶结节,ACR TI-RADS TR4", "US-THYROID", "ti:4"), ("左叶结节,TIRADS-5", "US-THYROID", "ti:5"),
        ("左叶结节,TI-RADS 2-3类", "US-THYROID", "ti:3"), ("左叶结节TI-RADS 3类、4枚", "US-THYROID", "ti:3"), ("左叶结节,TI-RADS 3类,4-5mm", "US-THYROID", "ti:3"),
    ],
)  # fmt: skip
def test_of_a_range_of_categories_the_higher_counts(text: str, item: str, grade: str) -> None:
    assert grades(text, item) == {grade}
    assert any(one.grave for one in read(text, item).mentions) is (grade[-1] not in "123")


def test_a_value_that_is_a_range_is_its_higher_category() -> None:
    assert categories("BI-RADS 3～4A类") == {("bi", "4a")}
    assert categories("3-4a类", "ti") == {("ti", "4a")}


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("右肺结节,由5mm增大至16mm", "16"), ("右肺结节较前(5mm)增大至16mm", "16"), ("右肺结节较去年8mm增大,现15mm", "15"), ("右肺结节8×6mm,前次12×10mm", "8"),
        ("右肺结节5mm,较前(12mm)缩小", "5"), ("右肺结节原16mm,现8mm", "8"), ("右肺结节12mm缩小至5mm", "5"), ("右肺结节16mm,较前增大", "16"),
        ("右肺结节,较前16mm", "16"), ("右肺前段结节16mm", "16"), ("右肺结节,2024年5mm,现约16mm", "16"), ("右肺结节5mm→16mm", "16"),
    ],
)  # fmt: skip
def test_of_a_size_that_changed_the_one_that_is_now_counts(text: str, size: str) -> None:
    nodule = next(one for one in read(text, "CT-CHEST").mentions if one.concept == "LUNG-NODULE")
    assert str(nodule.size_mm) == size
    assert nodule.grave is (int(size) >= 15)
