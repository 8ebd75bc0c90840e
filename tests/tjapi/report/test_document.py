"""The report on paper: everything is on it, in order, in glyphs that exist, and no page is left with a heading or a signature alone."""

import io
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from PIL import Image

from tests.tjapi.report.specimens import (
    LONG_NAME,
    NOW,
    Specimen,
    critical,
    nothing_found,
    one_item,
    rare,
    sixty_items,
    three_years,
)
from tjapi.kernel.documents import RenderedDocument, render
from tjapi.knowledge.words import printed_unit

pytestmark = pytest.mark.requirement("E6.1")
TEMPLATES = Path(__file__).parents[3] / "report_templates"
HEADINGS = (
    "主检结论与健康建议",
    "异常结果汇总",
    "关键指标历次趋势",
    "各科室检查结果",
    "未检项目",
    "疾病",
    "阳性发现",
    "危险因素",
)


def printed(data: dict[str, Any], assets: dict[str, bytes] | None = None) -> tuple[RenderedDocument, list[str]]:
    """Render, and return the text of each page without its white space."""
    document = render("exam_report", data, assets or {}, now=NOW, templates=TEMPLATES)
    pages = pypdfium2.PdfDocument(document.pdf)
    return document, ["".join(page.get_textpage().get_text_bounded().split()) for page in pages]


@pytest.mark.parametrize(
    ("specimen", "pages", "said"),
    [
        pytest.param(lambda: rare("王䶮"), 2, ["王䶮", "未见明显异常"], id="rare-䶮"),
        pytest.param(lambda: rare("𠮷田䶮"), 2, ["𠮷田䶮"], id="rare-𠮷"),
        pytest.param(lambda: rare(LONG_NAME), 2, [LONG_NAME], id="twenty-characters"),
        pytest.param(one_item, 2, ["空腹血糖在参考范围内。", "5.1", "3.9–6.1", "检查项目"], id="one-item"),
        pytest.param(nothing_found, 2, ["所检项目未见明显异常，没有需要处理的发现。"], id="nothing-found"),
        pytest.param(
            critical,
            4,
            ["高钾血症危急", "血钾6.5mmol/L↑危急", "低剂量胸部CT拒检", "血钾危急值已于检查当日电话告知本人"],
            id="critical",
        ),
        pytest.param(
            sixty_items, 6, ["尿液分析第12项", "肾功能全套第8项", "脂肪肝（轻度）伴谷丙转氨酶升高"], id="sixty-items"
        ),
        pytest.param(
            three_years,
            4,
            ["关键指标历次趋势", "尿酸μmol/L参考≤360较上次↑31", "2024-11-20", "宫颈光滑"],
            id="three-years",
        ),
    ],
)
def test_each_kind_of_exam_is_printed_whole(specimen: Callable[[], Specimen], pages: int, said: list[str]) -> None:
    made = specimen()
    document, texts = printed(made.data(watermark=None))
    whole = "".join(texts)
    assert document.missing_glyphs == ()
    assert document.pages == pages
    assert [words for words in [*said, made.name, "TA26112000017", "第1页/共", "苏文澜"] if words not in whole] == []
    assert [r.item_name for r in made.results if r.item_name.replace(" ", "") not in whole] == []
    assert [e.title for e in made.entries if e.title.replace(" ", "") not in whole] == []
    bodies = [page.split("桂澄中医医院(演示)健康体检报告")[0] for page in texts]
    assert not [body for body in bodies if body.endswith(HEADINGS)], "a heading alone at the foot"
    assert "主检医师苏文澜" in bodies[-1]
    assert not bodies[-1].startswith("初审医师"), "the signatures stand alone on their page"
    assert document.seal_place is not None
    assert document.seal_place[0] == document.pages


def test_conclusions_stand_disease_first_each_with_the_results_it_rests_on() -> None:
    _, texts = printed(critical().data())
    whole = "".join(texts[1:])
    places = [
        whole.index(words)
        for words in ("危急，请立即就医1高钾血症", "阳性发现2甲状腺结节", "3血小板减少", "危险因素4肥胖")
    ]
    assert places == sorted(places)
    assert "3血小板减少相关结果血小板计数95×109/L↓" in whole  # 9 is a raised digit
    assert "4肥胖相关结果体重指数29.3kg/m2↑" in whole


def test_without_conclusions_nothing_is_called_unremarkable_beside_an_abnormal_result() -> None:
    made = critical()
    made.entries.clear()
    _, texts = printed(made.data())
    assert "未见明显异常" not in "".join(texts)
    assert "血钾危急值" in texts[1], "a critical result has its card all the same"
    for result in made.results:
        result.flag = {"HH": "H", "LL": "L"}.get(result.flag, result.flag)
    assert "主检未另列结论" in printed(made.data())[1][1]


def test_the_signatures_take_the_end_of_the_results_along_wherever_the_page_ends() -> None:
    for count in range(20, 64):
        made = one_item()
        for number in range(count):
            made.item("检验科", "空腹血糖", f"项目{number}", "5.0", unit="U/L", bounds=("3", "9"))
        _, texts = printed(made.data(watermark=None))
        assert not texts[-1].startswith("初审医师"), f"{count} rows"


def test_a_later_version_says_that_the_earlier_ones_are_void_on_its_cover_and_beside_the_seal() -> None:
    _, first = printed(nothing_found().data())
    _, second = printed(nothing_found().data(version=2))
    assert "此前版本作废" not in "".join(first)
    assert "本报告为第2版，此前版本作废。" in second[0]
    assert "本报告为第2版，此前版本作废。" in second[-1]


@pytest.mark.requirement("E1.4")
def test_the_photo_is_on_the_cover_where_there_is_one() -> None:
    picture = io.BytesIO()
    Image.new("RGB", (240, 320), (200, 60, 60)).save(picture, "JPEG")
    photo = {"file": "ab" * 32, "version": 3, "media_type": "image/jpeg"}
    document, _ = printed(nothing_found().data(photo=photo), {"photo": picture.getvalue()})
    without, _ = printed(nothing_found().data())
    covers = [pypdfium2.PdfDocument(d.pdf)[0] for d in (document, without)]
    found = [[o.get_bounds() for o in page.get_objects() if o.type == 3] for page in covers]
    assert [len(images) for images in found] == [1, 0]
    left, bottom, right, top = found[0][0]
    assert (round((right - left) / 72 * 25.4), round((top - bottom) / 72 * 25.4)) == (27, 36)


@pytest.mark.requirement("E6.3")
def test_eight_trends_at_most_are_drawn_two_in_a_row_with_their_band_and_the_flagged_points_red() -> None:
    data = three_years().data()
    names = [t["name"] for t in data["trends"]]
    assert len(names) == 8
    assert set(names[:4]) == {"空腹血糖", "尿酸", "收缩压", "总胆固醇"} | {"血红蛋白"} - {
        names[4]
    }  # flagged at any time come first
    document, texts = printed(data)
    whole = "".join(texts)
    assert "收缩压mmHg参考90–139较上次持平" in whole
    page = pypdfium2.PdfDocument(document.pdf)[1].render(scale=2).to_pil().convert("RGB")
    colours = {colour for _, colour in page.getcolors(1 << 24) or []}
    assert (192, 39, 29) in colours  # a red point
    assert (234, 243, 241) in colours  # the band
    flagged = sum(bool(p["flag"]) for t in data["trends"] for p in t["points"])
    assert flagged == 8


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ("10*9/L", "×10⁹/L"), ("10^12/L", "×10¹²/L"), ("x10^9/L", "×10⁹/L"), ("×10⁹/L", "×10⁹/L"), ("10E9/L", "×10⁹/L"), ("1000/uL", "×10³/uL"), ("x1000/uL", "×10³/uL"),
        ("10000/L", "×10⁴/L"), ("1000000/L", "×10⁶/L"), ("10*03/uL", "×10³/uL"), ("109/L", "×10⁹/L"), ("1012/L", "×10¹²/L"), ("10/uL", "10/uL"), ("1000", "1000"),
        ("umol/L", "μmol/L"), ("µmol/L", "μmol/L"), ("ug/L", "μg/L"), ("uIU/mL", "μIU/mL"), ("kg/m2", "kg/m²"), ("mm[Hg]", "mmHg"),
        ("Cel", "℃"), ("/min", "次/分"), ("1", ""), ("mL/min/1.73m2", "mL/min/1.73m²"), ("U/L", "U/L"), ("", ""), ("个/HP", "个/HP"),
    ],
)  # fmt: skip
def test_units_are_printed_as_a_laboratory_prints_them(given: str, made: str) -> None:
    assert printed_unit(given) == made
    assert printed_unit(made) == made


def test_the_same_data_and_moment_make_the_same_bytes_and_another_moment_others() -> None:
    data = critical().data()
    first, again = (render("exam_report", data, now=NOW, templates=TEMPLATES) for _ in range(2))
    later = render("exam_report", data, now=NOW + timedelta(seconds=1), templates=TEMPLATES)
    assert first.pdf == again.pdf
    assert first.sha256 != later.sha256


@pytest.mark.requirement("E6.1", "E3.5")
def test_who_examined_and_verified_stands_beside_what_a_laboratory_reports_and_nobody_where_it_says_nothing() -> None:
    made = one_item()
    made.item("检验科", "血常规", "血红蛋白", "132", unit="g/L", bounds=("115", "150"))
    glucose = made.results[0]
    glucose.examined_by, glucose.verified_by, glucose.reported_at = "蒙晓青", "覃柳英", NOW
    _, texts = printed(made.data())
    assert "空腹血糖检验者蒙晓青审核者覃柳英报告时间2026-11-2410:30" in "".join(texts)
    assert "".join(texts).count("检验者") == 1
    group = made.data()["departments"][0]["groups"][1]
    assert (group["examined_by"], group["verified_by"], group["reported_at"]) == ("", "", "")
