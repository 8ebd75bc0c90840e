"""Documents: the same data make the same pages, Chinese is set properly, and a template can do no harm."""

import asyncio
import base64
import io
import json
import logging
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import psutil
import pypdfium2
import pytest
from PIL import Image

from tjapi.kernel.documents import (
    DocumentRenderer,
    RenderedDocument,
    RenderTimeout,
    RenderTooLarge,
    TemplateInvalid,
    TemplateNotFound,
    missing_glyphs,
    render,
)
from tjapi.kernel.documents.codes import code128, qr_code
from tjapi.kernel.documents.coverage import coverage
from tjapi.kernel.documents.fonts import FontSet, load_fonts
from tjapi.kernel.documents.templating import unit
from tjapi.kernel.documents.textflow import NO_END, NO_START, Typesetter
from tjapi.kernel.documents.theme import TextStyle

TEMPLATES = Path(__file__).parents[3] / "report_templates"
NAMES = sorted(path.parent.name for path in TEMPLATES.glob("*/template.toml"))
NOW = datetime(2026, 11, 22, 8, 30, tzinfo=timezone(timedelta(hours=8)))
MM = 72 / 25.4
SPIN = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
ABOUT_A_SECOND = "{% for a in range(200) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"


def sample(name: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((TEMPLATES / name / "sample.json").read_text("utf-8"))
    return data


def pages_of(document: RenderedDocument) -> list[str]:
    return [page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(document.pdf)]


def text_of(document: RenderedDocument) -> str:
    return "\n".join(pages_of(document))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty house of templates that shares our fonts and schema."""
    templates = tmp_path_factory.mktemp("templates")
    (templates / "_shared").symlink_to(TEMPLATES / "_shared")
    (templates / "secret.txt").write_text("secret")
    return templates


@pytest.fixture(scope="module")
def template(folder: Path) -> Callable[..., str]:
    def write(body: str, settings: str = "") -> str:
        name = f"t{len(list(folder.iterdir()))}"
        (folder / name).mkdir()
        (folder / name / "template.toml").write_text(f'title = "测试"\n{settings}', "utf-8")
        (folder / name / "body.xml.j2").write_text(body, "utf-8")
        return name

    return write


@pytest.fixture(scope="module")
def show(folder: Path, template: Callable[..., str]) -> Callable[..., RenderedDocument]:
    """Render a body made on the spot."""

    def run(body: str, *, settings: str = "", assets: dict[str, bytes] | None = None, **data: Any) -> RenderedDocument:
        whole = body if "<document" in body else f'<document title="测试">{body}</document>'
        return render(template(whole, settings), data, assets or {}, now=NOW, templates=folder)

    return run


Show = Callable[..., RenderedDocument]


# -- the same bytes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
async def test_the_same_data_make_the_same_bytes_here_and_in_a_worker(name: str, renderer: DocumentRenderer) -> None:
    here = render(name, sample(name), now=NOW, templates=TEMPLATES)
    again = render(name, sample(name), now=NOW, templates=TEMPLATES)
    there = await renderer.render(name, sample(name), now=NOW)
    assert here.pdf == again.pdf == there.pdf
    assert here.sha256 == there.sha256
    assert here.missing_glyphs == ()


def test_the_dates_in_the_file_are_those_given() -> None:
    first = render("tube_label", sample("tube_label"), now=NOW, templates=TEMPLATES)
    later = render("tube_label", sample("tube_label"), now=NOW + timedelta(days=1), templates=TEMPLATES)
    assert pypdfium2.PdfDocument(first.pdf).get_metadata_dict()["CreationDate"] == "D:20261122083000+08'00'"
    assert first.sha256 != later.sha256


# -- Chinese ----------------------------------------------------------------------------------------------------------


def test_hundreds_of_different_characters_are_copied_out_as_themselves(show: Show) -> None:
    text = "".join(map(chr, range(0x4E00, 0x4E00 + 700))) + "𠮷AWil1.µ≥"
    assert "".join(text_of(show("<p>{{ text }}</p>", text=text)).split()) == text


def test_a_report_is_small_enough_for_a_phone() -> None:
    document = render("exam_report", sample("exam_report"), now=NOW, templates=TEMPLATES)
    assert len(document.pdf) / document.pages <= 20 * 1024


def test_text_can_be_copied_out_of_the_file_with_rare_characters_and_in_order() -> None:
    text = text_of(render("exam_report", sample("exam_report"), now=NOW, templates=TEMPLATES))
    assert "王䶮" in text
    assert "𠮷田䶮" in text
    assert "低密度脂蛋白胆固醇" in text
    assert "第 1 页 / 共" in text


def test_no_line_begins_with_a_closing_mark_or_ends_with_an_opening_one() -> None:
    setter = Typesetter(load_fonts(TEMPLATES), set())
    dice = random.Random(20261122)
    words = [
        "谷丙",
        "升高",
        "（ALT",
        "）",
        "，",
        "。",
        "“偏高”",
        "《指南》",
        "≥140/90 mmHg",
        "；",
        "3.5–9.5",
        "血",
        "：",
        "、",
    ]
    broken = 0
    for _ in range(300):
        text = "检" + "".join(dice.choice(words) + dice.choice(["体", "查", "项目"]) for _ in range(40))
        style = TextStyle(9, 14, align=dice.choice(["left", "justify"]))
        lines = setter.set(text, style, dice.uniform(90, 300))
        shown = ["".join(piece.text for piece in line.fragments) for line in lines]
        broken += len(lines)
        assert "".join(shown).replace(" ", "") == text.replace(" ", "")
        assert not [line for line in shown if line[0] in NO_START or line[-1] in NO_END]
    assert broken > 2000


def test_two_marks_in_a_row_share_their_blank_halves() -> None:
    setter = Typesetter(load_fonts(TEMPLATES), set())
    assert setter.set("（肝），肾", TextStyle(10, 14), 500)[0].width == pytest.approx(10 * (5 - 0.5 - 0.5))


def test_a_text_that_must_stay_on_one_line_shrinks_and_then_ends_with_an_ellipsis() -> None:
    setter = Typesetter(load_fonts(TEMPLATES), set())
    style = TextStyle(10, 14, shrink=True)
    for count in (10, 14, 40):
        (line,) = setter.set("项" * count, style, 100)
        assert line.width <= 100
        assert line.fragments[-1].text.endswith("…") is (count == 40)


def test_what_no_font_has_is_drawn_as_geta_and_logged_without_its_neighbours(
    show: Show, caplog: pytest.LogCaptureFixture
) -> None:
    assert missing_glyphs("王\ue123䶮𠮷☐⁹\n⁰", templates=TEMPLATES) == {"\ue123"}
    with caplog.at_level(logging.WARNING):
        document = show("<p>{{ name }}</p>", name="王\ue123")
    assert "王〓" in text_of(document)
    assert document.missing_glyphs == ("U+E123",)
    assert "U+E123" in caplog.text
    assert "王" not in caplog.text


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ("×10^9/L", "×10<sup>9</sup>/L"),
        ("10*12/L", "10<sup>12</sup>/L"),
        ("mL/min/1.73m2", "mL/min/1.73m<sup>2</sup>"),
        ("10^-3", "10<sup>−3</sup>"),
        ("10*9 mm", "10*9 mm"),
        ("100–1012", "100–1012"),
        ("< 5 & <b>", "&lt; 5 &amp; &lt;b&gt;"),
        (None, ""),
    ],
)
def test_exponents_of_a_unit_are_raised(given: str | None, made: str) -> None:
    assert unit(given) == made


def test_superscript_digits_in_data_are_raised_digits(show: Show) -> None:
    assert "10 9 /L" in " ".join(text_of(show("<p>×10⁹/L</p>")).replace("10", "10 ").replace("/", " /").split())


# -- pages ------------------------------------------------------------------------------------------------------------


def test_a_long_table_repeats_its_header_and_loses_no_row(show: Show) -> None:
    body = (
        '<h2>标题</h2><table><col/><col align="right"/><head><cell>项目甲</cell><cell>结果乙</cell></head>'
        "{% for i in range(150) %}{% if i % 10 == 0 %}<row kind='group'><cell span='2'>组{{ i }}</cell></row>{% endif %}"
        "<row><cell>行{{ i }}号</cell><cell>{{ i }}</cell></row>{% endfor %}</table>"
    )
    pages = pages_of(show(body))
    assert len(pages) > 2
    assert all(page.count("项目甲") == 1 for page in pages)
    assert all(f"行{i}号" in "".join(pages) for i in range(150))
    assert not [page for page in pages if page.split()[-1].startswith("组")]


def test_a_heading_stays_with_what_it_introduces(show: Show) -> None:
    for filler in range(20, 60):
        pages = pages_of(show(f"{'<p>正文</p>' * filler}<h2>标题</h2><p>第一段</p>"))
        assert [("标题" in page) is ("第一段" in page) for page in pages] == [True] * len(pages)


def test_a_row_taller_than_a_page_is_cut_not_lost(show: Show) -> None:
    text = "".join(f"第{i}句。" for i in range(1500))
    document = show(
        "<table><col width='20'/><col/><row><cell>描述</cell><cell>{{ text }}</cell></row></table>", text=text
    )
    assert document.pages > 1
    assert "".join(text_of(document).split()).replace("描述", "") == text


def test_a_tube_has_one_label_of_fifty_by_thirty_millimetres() -> None:
    data = sample("tube_label")
    document = render("tube_label", data, now=NOW, templates=TEMPLATES)
    assert pypdfium2.PdfDocument(document.pdf)[0].get_size() == pytest.approx((50 * MM, 30 * MM), abs=0.1)
    (page,) = pages_of(document)
    assert data["barcode"] in page
    assert data["person"]["name"] in page


def test_the_printed_bars_are_those_of_code_128(show: Show) -> None:
    body = '<document title="b" size="120x30" margins="5"><barcode value="T2026112000017" module="0.5"/></document>'
    page = pypdfium2.PdfDocument(show(body).pdf)[0]
    picture = page.render(scale=8).to_pil().convert("1")
    row = [picture.getpixel((x, int(8 * MM * 8))) == 0 for x in range(picture.width)]
    starts = [x for x in range(1, len(row)) if row[x] and not row[x - 1]]
    ends = [x for x in range(1, len(row)) if not row[x] and row[x - 1]]
    module = 0.5 * MM * 8
    seen = [(round((a - starts[0]) / module), round((b - a) / module)) for a, b in zip(starts, ends, strict=True)]
    assert seen == list(code128("T2026112000017")[1])


def test_a_qr_code_has_its_three_finders() -> None:
    side, runs = qr_code("https://tj.example.invalid/q/7K4M", "M")
    top = [(column, length) for column, row, length in runs if row == 0]
    assert top[0] == (0, 7)
    assert top[-1] == (side - 7, 7)
    assert (0, side - 1, 7) in runs


def test_pictures_charts_watermark_and_columns_are_drawn(show: Show) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (60, 30), (200, 0, 0)).save(buffer, "PNG")
    body = (
        '<document title="all"><watermark>演示</watermark><columns widths="1 2"><column><image key="seal" width="20"/>'
        '</column><column><p class="muted">右栏</p></column></columns><chart low="3.9" high="6.1"><series>'
        '<point label="2024" value="5.1"/><point label="2026" value="6.4" class="high"/></series></chart></document>'
    )
    document = show(body, assets={"seal": buffer.getvalue()})
    text = text_of(document)
    assert {"演示", "右栏", "2026", "6.4"} <= set(text.split()) | {part for part in ("演示",) if part in text}
    picture = pypdfium2.PdfDocument(document.pdf)[0].render(scale=1).to_pil().convert("RGB")
    red, green, blue = picture.getpixel((int(26 * MM), int(20 * MM)))
    assert red > 150 > green + blue


# -- what a template may not do ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        "<p>{{ ''.__class__.__mro__[1].__subclasses__() }}</p>",
        "<p>{{ x.__class__ }}</p>",
        "<p>{% include '../secret.txt' %}</p>",
        "<p>{% include '/etc/passwd' %}</p>",
        "<p>{% include '../../' ~ '../../../../../../../../etc/hostname' %}</p>",
        "<p>{{ '{0.__class__}'.format(x) }}</p>",
        "<p>{{ self.__init__.__globals__ }}</p>",
        "<p>{{ '<b>1</b>' | safe }}</p>",
        "<p>{{ undefined_name }}</p>",
        "{% for %}",
        "<script>1</script>",
        "<p onclick='x'>1</p>",
        "<image key='nobody'/>",
        "<table><col/><row><cell>1</cell><cell>2</cell></row></table>",
        "<p>unclosed",
    ],
)
def test_a_template_cannot_leave_its_sandbox_or_its_vocabulary(show: Show, body: str) -> None:
    with pytest.raises(TemplateInvalid):
        show(body, x="y")


def test_a_schema_error_names_template_line_and_tag(show: Show) -> None:
    with pytest.raises(TemplateInvalid, match="script") as caught:
        show('<document title="x">\n<p>1</p>\n<script/></document>')
    assert caught.value.line == 3


def test_a_template_error_names_what_is_missing_and_where(show: Show) -> None:
    with pytest.raises(TemplateInvalid, match="'nobody' is undefined") as caught:
        show('<document title="x">\n<p>{{ nobody }}</p></document>')
    assert caught.value.line == 2


def test_an_error_never_quotes_the_data(show: Show) -> None:
    for body in ("<barcode value='{{ name }}'/>", "<spacer height='{{ name }}'/>", "{{ name + 1 }}", "{{ {}[name] }}"):
        with pytest.raises(TemplateInvalid) as caught:
            show(body, name="张某某")
        assert "张" not in str(caught.value)


@pytest.mark.parametrize(
    "prologue",
    [
        '<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;">]>',
        '<!DOCTYPE d [<!ENTITY c SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE d SYSTEM "http://127.0.0.1:9/x.dtd" [<!ENTITY c "">]>',
    ],
)
def test_document_types_and_entities_are_refused(show: Show, prologue: str) -> None:
    with pytest.raises(TemplateInvalid):
        show(f'{prologue}<document title="x"><p>&c;</p></document>')


def test_markup_in_data_is_text_and_unprintable_characters_vanish(show: Show) -> None:
    name = '<b>O\'Neil & "王"</b>\x00\x0b{{ 7 * 7 }}'
    document = show("<grid><field label='{{ name }}'>{{ name }}</field></grid><p>{{ name | lines }}</p>", name=name)
    assert text_of(document).count('<b>O\'Neil & "王"</b>{{ 7 * 7 }}') == 3


def test_what_is_left_empty_is_drawn_as_nothing(show: Show) -> None:
    body = '<grid columns="2"><field label="送检人">{{ x }}</field><field label="备注"> </field></grid><p>{{ x }}</p>'
    assert "送检人" in text_of(show(body, x=""))


def test_only_plain_data_reach_a_template(show: Show) -> None:
    for value in (object(), b"bytes", {1, 2}, float("nan")):
        with pytest.raises((TypeError, ValueError)):
            show("<p>{{ value }}</p>", value=value)


def test_pages_and_input_have_limits(show: Show) -> None:
    with pytest.raises(RenderTooLarge, match="3 pages"):
        show("<p>1</p>" + "<pagebreak/><p>2</p>" * 5, settings="[limits]\npages = 3")
    with pytest.raises(RenderTooLarge, match="XML"):
        show("{% for i in range(90000) %}<p>{{ '甲' * 100 }}</p>{% endfor %}")
    with pytest.raises(RenderTooLarge, match="data"):
        show("<p/>", blob="x" * (17 * 2**20))


def test_a_picture_that_is_none_is_refused(show: Show) -> None:
    svg = b"<svg xmlns='http://www.w3.org/2000/svg'/>"
    cut = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVQI12P4")
    for bad in (svg, cut, b""):
        with pytest.raises(TemplateInvalid):
            show("<image key='k'/>", assets={"k": bad})


@pytest.mark.parametrize("name", ["nobody", "../exam_report", "_shared", "exam_report/../exam_report", ""])
def test_an_unknown_template_is_not_found(name: str) -> None:
    with pytest.raises(TemplateNotFound):
        render(name, {}, now=NOW, templates=TEMPLATES)


# -- workers ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
async def renderer() -> AsyncIterator[DocumentRenderer]:
    async with DocumentRenderer(TEMPLATES) as made:
        yield made


@pytest.fixture(scope="module")
async def rough(folder: Path) -> AsyncIterator[DocumentRenderer]:
    """A renderer whose templates are ours to break."""
    async with DocumentRenderer(folder, timeout=10, memory_bytes=1 * 2**30) as made:
        yield made


async def test_a_worker_killed_while_rendering_is_replaced_and_the_document_made(
    rough: DocumentRenderer, template: Callable[..., str]
) -> None:
    name = template(f'{ABOUT_A_SECOND}<document title="x"><p>好</p></document>')
    await rough.render(template('<document title="x"/>'), {}, now=NOW)
    (before,) = rough.worker_pids
    task = asyncio.create_task(rough.render(name, {}, now=NOW))
    await asyncio.sleep(0.1)
    os.kill(before, signal.SIGKILL)
    assert "好" in text_of(await task)
    assert rough.worker_pids != [before]


async def test_a_worker_killed_while_idle_is_replaced(rough: DocumentRenderer, template: Callable[..., str]) -> None:
    name = template('<document title="x"><p>好</p></document>')
    await rough.render(name, {}, now=NOW)
    os.kill(rough.worker_pids[0], signal.SIGKILL)
    assert (await rough.render(name, {}, now=NOW)).pages == 1


async def test_a_render_that_takes_too_long_is_stopped_and_the_next_one_works(
    rough: DocumentRenderer, template: Callable[..., str]
) -> None:
    spin, good = template(f'{SPIN}<document title="x"/>'), template('<document title="x"><p>好</p></document>')
    started = time.monotonic()
    with pytest.raises(RenderTimeout):
        await rough.render(spin, {}, now=NOW, timeout=0.3)
    assert time.monotonic() - started < 2
    assert (await rough.render(good, {}, now=NOW)).pages == 1


async def test_a_cancelled_render_leaves_no_worker_running(
    rough: DocumentRenderer, template: Callable[..., str]
) -> None:
    name = template(f'{SPIN}<document title="x"/>')
    await rough.render(template('<document title="x"/>'), {}, now=NOW)
    (pid,) = rough.worker_pids
    task = asyncio.create_task(rough.render(name, {}, now=NOW))
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not psutil.pid_exists(pid)


async def test_memory_is_capped(rough: DocumentRenderer, template: Callable[..., str]) -> None:
    with pytest.raises(RenderTooLarge, match="memory"):
        await rough.render(template("<document title='x'><p>{{ 'x' * 3000000000 }}</p></document>"), {}, now=NOW)


async def test_errors_of_a_worker_are_those_of_the_library(
    rough: DocumentRenderer, template: Callable[..., str]
) -> None:
    with pytest.raises(TemplateInvalid, match="script") as caught:
        await rough.render(template("<document title='x'>\n<script/></document>"), {}, now=NOW)
    assert caught.value.line == 2
    with pytest.raises(TemplateNotFound):
        await rough.render("nobody", {}, now=NOW)


async def test_a_worker_is_replaced_after_its_share_and_knows_nothing_of_our_environment(
    folder: Path, template: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TJ_DATABASE_URL", "postgresql://secret")
    name = template('<document title="x"><p>好</p></document>')
    async with DocumentRenderer(folder, recycle_after=2) as made:
        (first,) = made.worker_pids
        assert "TJ_DATABASE_URL" not in psutil.Process(first).environ()
        await made.render(name, {}, now=NOW)
        assert made.worker_pids == [first]
        await made.render(name, {}, now=NOW)
        await made.render(name, {}, now=NOW)
        assert made.worker_pids != [first]
        (second,) = made.worker_pids
    assert not psutil.pid_exists(second)
    with pytest.raises(RuntimeError, match="closed"):
        await made.render(name, {}, now=NOW)


def test_a_busy_worker_ends_with_its_parent(folder: Path, template: Callable[..., str]) -> None:
    name = template(f'{SPIN}<document title="x"/>')
    script = (
        "import asyncio, sys\nfrom datetime import datetime, UTC\nfrom pathlib import Path\n"
        "from tjapi.kernel.documents import DocumentRenderer\n"
        "async def main():\n"
        f"    async with DocumentRenderer(Path({str(folder)!r}), timeout=60) as r:\n"
        "        print(r.worker_pids[0], flush=True)\n"
        f"        await r.render({name!r}, {{}}, now=datetime(2026, 1, 1, tzinfo=UTC))\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        worker = psutil.Process(int(parent.stdout.readline()))
        time.sleep(0.2)
        parent.kill()
    _, alive = psutil.wait_procs([worker], timeout=3)
    assert not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]


def test_a_naive_and_an_aware_time_are_both_dates() -> None:
    for now in (datetime(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC)):
        assert render("tube_label", sample("tube_label"), now=now, templates=TEMPLATES).pages == 1


def test_what_the_desk_is_told_of_the_fonts_is_what_the_fonts_have() -> None:
    fonts, told = FontSet(TEMPLATES / "_shared" / "fonts"), coverage(TEMPLATES)
    drawn = frozenset[str]().union(*(face.characters for face in fonts.chain(bold=False)))
    points = [chr(point) for point in range(0x21, 0x323B0) if not 0xD800 <= point < 0xE000 and point != 0xFFFF]
    assert [c for c in points if told.has(c) != (c in drawn)] == []
    for name in ("สมชาย", "Żółć", "Жучков", "Nguyễn", "Σωκράτης", "王䶮", "𠮷田", "艾力·测试", "李 四\u200b"):
        assert told.missing(name) == []
        assert fonts.missing(name.replace(" ", "")) == set()
    assert told.missing("محمد 王") == list(dict.fromkeys("محمد"))


def test_bold_faces_draw_what_the_regular_ones_do() -> None:
    fonts = FontSet(TEMPLATES / "_shared" / "fonts")
    regular, bold = (
        frozenset[str]().union(*(face.characters for face in fonts.chain(bold=heavy))) for heavy in (False, True)
    )
    assert regular - bold == frozenset()


def test_a_thai_name_is_printed_and_can_be_copied_out(show: Show) -> None:
    document = show("<p>{{ name }}</p>", name="สมชาย Żółć")
    assert document.missing_glyphs == ()
    assert "สมชาย Żółć" in text_of(document)
