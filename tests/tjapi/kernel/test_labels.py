"""Label printers: what we write is what a printer that goes by the manual reads, and a scanner reads it back."""

import json
from typing import Any

import pypdfium2
import pytest
import zxingcpp
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image, ImageChops

from tests.tjapi.kernel.test_documents import NOW, TEMPLATES
from tests.tjapi.labels import Paper, read_tspl, read_zpl
from tjapi.kernel.documents import DocumentRenderer, Sheet, render
from tjapi.kernel.documents.engine import Part, render_labels
from tjapi.kernel.documents.labels import LANGUAGES, Bars, Label

WIDTH, HEIGHT = 400, 240
READERS = {"zpl": read_zpl, "tspl": read_tspl}
NAMES = ["tube_label", "exam_label"]
VALUES = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=8)
ROWS = st.lists(
    st.binary(min_size=WIDTH // 8, max_size=WIDTH // 8) | st.integers(0, 255).map(lambda n: bytes([n] * (WIDTH // 8)))
    | st.integers(1, 50).map(lambda n: b"\x0f" * n + bytes(WIDTH // 8 - n)),
    min_size=1, max_size=30,
)  # fmt: skip


def sample(name: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((TEMPLATES / name / "sample.json").read_text("utf-8"))
    return data


def printed(name: str, data: dict[str, Any], language: str) -> Paper:
    made = render_labels([Part(name, json.dumps(data))], language, templates=TEMPLATES)
    assert (made.labels, made.missing_glyphs) == (1, ())
    (paper,) = READERS[language](made.content)
    return paper


@given(ROWS, st.integers(0, HEIGHT - 30), VALUES, st.sampled_from(sorted(LANGUAGES)))
@example([bytes([0x0F] * 50)] * 3, 0, "^~_\\>", "zpl")
@example([bytes([0xFF] * 25 + [0xF0] * 20 + [0] * 5)], 200, '"\\"^', "tspl")
def test_every_dot_and_every_character_arrives(rows: list[bytes], top: int, value: str, language: str) -> None:
    blank = bytes(WIDTH // 8)
    whole = (*[blank] * top, *rows, *[blank] * (HEIGHT - top - len(rows)))
    label = Label(WIDTH, HEIGHT, whole, (Bars(value, 40, 60, 80, 1),))
    (paper,) = READERS[language](LANGUAGES[language](label))
    assert paper.values == [value]
    expected = Image.frombytes("1", (WIDTH, HEIGHT), bytes(255 - byte for row in whole for byte in row)).convert("L")
    drawn = Paper()
    drawn.size(WIDTH, HEIGHT)
    drawn.bars(40, 60, 80, 1, value)
    assert ImageChops.difference(paper.sheet, ImageChops.darker(expected, drawn.sheet)).getbbox() is None


@pytest.mark.requirement("E1.5")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_a_label_scans_back_from_the_dots_of_a_printer(name: str, language: str) -> None:
    data = sample(name)
    paper = printed(name, data, language)
    assert paper.scanned() == paper.values == [data.get("barcode", data["exam"]["exam_no"])]
    assert min(paper.quiet) >= 10  # modules of light on either side, as ISO/IEC 15417 asks


@pytest.mark.requirement("E1.5")
@pytest.mark.parametrize("name", NAMES)
def test_a_label_scans_back_from_its_pdf(name: str) -> None:
    data = sample(name)
    page = pypdfium2.PdfDocument(render(name, data, now=NOW, templates=TEMPLATES).pdf)[0]
    read = zxingcpp.read_barcodes(page.render(scale=203 / 72 * 2).to_pil())
    assert [(code.text, code.format.name) for code in read] == [
        (data.get("barcode", data["exam"]["exam_no"]), "Code128")
    ]


@pytest.mark.parametrize("name", ["王䶮", "𠮷田", "覃", "阿卜杜热西提·买买提艾力·阿卜杜热合曼江山"])
def test_any_name_is_drawn_and_stays_on_the_label(name: str) -> None:
    with_name, another = (
        printed("tube_label", {**sample("tube_label"), "person": {"name": n, "sex": "女", "age": "36岁"}}, "zpl")
        for n in (name, "口" * len(name))
    )
    drawn = ImageChops.difference(with_name.sheet, another.sheet).getbbox()
    assert drawn is not None
    left, top, right, bottom = drawn
    assert right - left >= 14 * len(name)  # its characters stand side by side
    assert left >= 8
    assert top >= 8
    assert right <= (392 if len(name) > 12 else 280)  # sex and age stand beside a short one
    assert bottom <= 60
    assert with_name.scanned() == another.scanned() == with_name.values


def test_two_names_do_not_look_alike() -> None:
    sheets = [
        printed(
            "exam_label", {**sample("exam_label"), "person": {"name": name, "sex": "男", "age": "42岁"}}, "tspl"
        ).sheet
        for name in ("韦䶮", "韦龚", "韦𠮷")
    ]
    assert len({sheet.tobytes() for sheet in sheets}) == 3


async def test_a_worker_writes_what_we_write_and_many_documents_make_one_file() -> None:
    data = sample("tube_label")
    async with DocumentRenderer(TEMPLATES) as renderer:
        for language in LANGUAGES:
            there = await renderer.render_labels([Sheet("tube_label", data)] * 2, language)
            here = render_labels([Part("tube_label", json.dumps(data))], language, templates=TEMPLATES)
            assert (there.content, there.labels) == (here.content * 2, 2)
        guide = Sheet("guide_sheet", sample("guide_sheet"))
        sheets = [guide, Sheet("tube_label", data), Sheet("request_form", sample("request_form")), guide]
        made, again = [await renderer.render_set(sheets, now=NOW) for _ in range(2)]
        with pytest.raises(ValueError, match="no such language"):
            await renderer.render_labels(sheets, "epl")
    assert made.pdf == again.pdf
    pages = [
        (round(p.get_width() / 72 * 25.4), round(p.get_height() / 72 * 25.4)) for p in pypdfium2.PdfDocument(made.pdf)
    ]
    assert pages == [(210, 297), (50, 30), (148, 210), (210, 297)]
    alone = sum(len(render(s.template, s.data, now=NOW, templates=TEMPLATES).pdf) for s in sheets)
    assert len(made.pdf) < alone * 0.7  # each face is embedded once
