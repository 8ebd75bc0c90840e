"""The walk of a guide sheet, copies and versions: what is decided from values alone; and papers that must hold what they are given."""

import json
import random
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tjapi.kernel.test_documents import TEMPLATES, pages_of
from tjapi.catalog import service as catalog
from tjapi.exam.rules import age_text
from tjapi.frontdesk.layout import Press
from tjapi.frontdesk.rules import (
    NOT_TODAY,
    PaperExam,
    PaperLine,
    PaperTube,
    PrintContent,
    PrintedPaper,
    abbreviated,
    content_digest,
    papers,
    sheet_version,
    today,
    walk,
)
from tjapi.frontdesk.service import read_paper
from tjapi.kernel.documents import RenderedDocument, render
from tjapi.requisition.rules import PlannedLine, TubeKind, plan_tubes

PAPER = read_paper()
STARTER = catalog.read_starter()
DEPARTMENTS = {department.code: department for department in STARTER.departments}
LONGEST_NAME = "阿卜杜热西提江·买买提艾力·阿卜杜热合曼"  # twenty characters


def _line(number: int, code: str, state: str = "released") -> PaperLine:
    group = next(group for group in STARTER.item_groups if group.code == code)
    department = DEPARTMENTS[group.department]
    return PaperLine(
        UUID(int=number), group.code, group.name, department.id, department.code, department.name, department.kind, department.sort,
        f"五层 5{department.id:02d}", group.performed_by, group.specimen, group.section, group.fasting, group.minutes_after,
        group.precaution, state,
    )  # fmt: skip


def _exam(*codes: str, name: str = "韦䶮", package: str | None = "男性标准套餐") -> PaperExam:
    lines = [_line(i, code) for i, code in enumerate(codes, 1)]
    groups = {group.code: group for group in STARTER.item_groups}
    planned = plan_tubes(
        PlannedLine(
            line.line_id,
            TubeKind(
                groups[line.code].container or "", line.specimen or "", line.section or "", line.fasting, line.minutes_after or 0
            ),
        )
        for line in lines
        if line.performed_by == "lis"
    )  # fmt: skip
    names = {line.line_id: line.name for line in lines}
    tubes = [
        PaperTube(
            UUID(int=1000 + i), f"0100000000{i:02d}", tube.kind.container, tube.kind.specimen, tube.kind.section or None,
            tube.kind.fasting, tube.kind.minutes_after or None, tube.kind.send_out, [names[x.line_id] for x in tube.lines],
            [x.line_id for x in tube.lines],
        )
        for i, tube in enumerate(planned)
    ]  # fmt: skip
    return PaperExam(
        UUID(int=7), 1, "本部院区", "A26112600017", date(2026, 11, 26), package, UUID(int=8), name, "female", date(1990, 3, 7),
        "checked_in", lines, tubes,
    )  # fmt: skip


def _printed(exam: PaperExam, kind: Any, subject: str = "") -> RenderedDocument:
    content = PrintContent([exam], [PrintedPaper(exam.exam_id, kind, subject, 2, True, 3, "40718265")])
    press = Press(
        PAPER, hospital_name="桂海中医医院", watermark=None, printed_at=datetime(2026, 11, 25, 23, 30, tzinfo=UTC)
    )
    ((template, data, _),) = press.sheets(content)
    made = render(template, json.loads(json.dumps(data)), now=datetime(2026, 11, 26, tzinfo=UTC), templates=TEMPLATES)
    assert made.missing_glyphs == ()
    return made


CODES = [group.code for group in STARTER.item_groups]
STATES = st.sampled_from(["ordered", "released", "collected", "verified", "withdrawn", "refused", "waived"])
LINES = st.lists(st.tuples(st.sampled_from(CODES), STATES), max_size=30, unique_by=lambda line: line[0]).map(
    lambda found: [_line(i, code, state) for i, (code, state) in enumerate(found)]
)


@given(LINES)
def test_the_walk_passes_every_line_of_the_day_once_fasting_first_and_what_is_bound_to_a_time_last(
    lines: list[PaperLine],
) -> None:
    stops = walk(lines, PAPER.stations)
    walked = [line.line_id for stop in stops for line in stop.lines]
    assert sorted(walked) == sorted(line.line_id for line in lines if line.state not in NOT_TODAY)
    order = [(stop.minutes_after, not stop.fasting) for stop in stops]
    assert order == sorted(order)
    assert len({(stop.name, stop.minutes_after) for stop in stops}) == len(stops)
    hungry = [line for stop in stops if not stop.fasting for line in stop.lines if line.fasting]
    assert hungry == []


@given(LINES, st.randoms(use_true_random=False))
def test_what_is_done_already_does_not_change_the_paper_and_a_line_more_or_less_does(
    lines: list[PaperLine], luck: random.Random
) -> None:
    digest = content_digest(walk(lines, PAPER.stations))
    done = [replace(line, state="verified") if line.state == "released" else line for line in lines]
    assert content_digest(walk(done, PAPER.stations)) == digest
    live = today(lines)
    if live:
        gone = luck.choice(live)
        fewer = [replace(line, state="withdrawn") if line is gone else line for line in lines]
        assert content_digest(walk(fewer, PAPER.stations)) != digest


def test_a_version_stands_for_what_is_on_the_paper() -> None:
    assert sheet_version(b"a", None) == 1
    assert sheet_version(b"a", (4, b"a")) == 4
    assert sheet_version(b"b", (4, b"a")) == 5


def test_blood_and_gynaecological_specimens_have_their_stations() -> None:
    stops = walk(_exam("GLU", "CBC", "GLU-2H", "TCT", "GYN", "URINE", "US-PROSTATE", "US-ABD").lines, PAPER.stations)
    assert [(stop.name, stop.fasting, stop.specimens, [line.code for line in stop.lines]) for stop in stops] == [
        ("采血处", True, True, ["GLU", "CBC"]), ("超声科", True, False, ["US-PROSTATE", "US-ABD"]),
        ("妇科", False, False, ["TCT", "GYN"]), ("留尿处", False, True, ["URINE"]), ("采血处", False, True, ["GLU-2H"]),
    ]  # fmt: skip


def test_forms_go_with_imaging_and_with_specimens_that_travel_alone() -> None:
    exam = _exam("GLU", "TCT", "HPV", "US-ABD", "CXR", "GENERAL")
    found = papers(
        exam, copies=PAPER.copies, form_copies=PAPER.form_copies, section_form_copies=PAPER.section_form_copies
    )
    assert [(key.subject, copies) for key, copies in found if key.kind == "request_form"] == [
        ("4", 0), ("4:pathology", 1), ("4:molecular", 1), ("6", 1), ("7", 1),
    ]  # fmt: skip
    assert len([key for key, _ in found if key.kind == "tube_label"]) == len(exam.tubes)
    assert len(set(found)) == len(found)


@given(st.lists(st.text("肝肾功能血糖脂(全套)", min_size=1, max_size=14), min_size=1, max_size=12))
def test_a_labels_list_of_groups_is_short_or_says_how_many_there_are(names: list[str]) -> None:
    short = abbreviated(names, 26)
    assert short
    if len(names) > 2:
        assert len(short) <= 26 or f"等{len(names)}项" in short


def test_ages_are_written_as_paediatrics_writes_them() -> None:
    day = date(2026, 3, 1)
    births = [
        date(1990, 3, 1),
        date(1990, 3, 2),
        date(2025, 3, 1),
        date(2025, 3, 2),
        date(2026, 1, 1),
        date(2026, 2, 1),
        date(2026, 2, 2),
    ]
    assert [age_text(birth, day) for birth in births] == ["36岁", "35岁", "1岁", "11个月", "2个月", "1个月", "27天"]


@pytest.mark.requirement("E1.5")
@pytest.mark.parametrize("name", ["王䶮", "𠮷田", LONGEST_NAME])
@pytest.mark.parametrize("many", [1, 19, 30])
def test_a_guide_sheet_takes_two_pages_at_most_and_loses_nothing(name: str, many: int) -> None:
    codes = [code for code in CODES if code not in ("GENERAL", "INTERNAL", "CBC", "URINE", "LIVER", "RENAL", "LIPID")]
    exam = _exam(*codes[-many:], name=name, package="入职体检与年度健康体检联合套餐（女，已婚，含中医体质辨识）")
    pages = pages_of(_printed(exam, "guide_sheet"))
    assert len(pages) <= (1 if many == 1 else 2)
    text = "".join("".join(pages).split())
    assert all("".join(line.name.split()) in text for line in exam.lines)
    assert name in text


@pytest.mark.requirement("E1.5")
def test_the_largest_package_takes_two_pages_at_most() -> None:
    for package in STARTER.packages:
        assert _printed(_exam(*package.groups, package=package.name), "guide_sheet").pages <= 2, package.code


@pytest.mark.requirement("E1.5")
@pytest.mark.parametrize("kind", ["tube_label", "exam_label"])
def test_labels_and_forms_hold_the_longest_name(kind: str) -> None:
    exam = _exam("TUMOR-F", "HORMONE-F", "VITD", "US-ABD", name=LONGEST_NAME, package="入职体检与年度健康体检联合套餐")
    subject = str(exam.tubes[0].tube_id) if kind == "tube_label" else ""
    assert LONGEST_NAME in pages_of(_printed(exam, kind, subject))[0]
    form = pages_of(_printed(exam, "request_form", "4"))[0]
    assert [word in form for word in (LONGEST_NAME, exam.tubes[0].barcode, "补打", "女性激素")] == [True] * 4
