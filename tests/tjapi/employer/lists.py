"""Lists as units send them: good rows, and rows that are wrong in every way that is known."""

import csv
import io
import random
import zipfile
from collections.abc import Sequence
from datetime import date
from typing import Any

import xlsxwriter

from tjapi.visit import invented_person

HEADERS = ("姓名", "性别", "出生日期", "身份证号码", "手机", "工号", "部门", "岗位", "婚否", "备注")
Line = list[Any]


def lines(count: int, first: int = 1) -> list[Line]:
    """Rows of people invented."""
    found = []
    for n in range(first, first + count):
        card = invented_person()
        found.append(
            [
                card["name"], "男" if card["sex"] == "male" else "女", card["birth_date"], card["id_number"], card["phone"], f"W{n:06d}",
                "一车间", "焊工", "已婚" if n % 2 else "未婚", "",
            ]
        )  # fmt: skip
    return found


BAD: tuple[tuple[int, Any, str, str], ...] = (
    (0, "", "姓名", "missing"),
    (0, "=HYPERLINK(1)", "姓名", "formula"),
    (1, "公", "性别", "sex_invalid"),
    (2, "1990-02-30", "出生日期", "date_invalid"),
    (2, "1990年3月", "出生日期", "date_incomplete"),
    (2, "03/07/1990", "出生日期", "date_ambiguous"),
    (3, 4.50122199001011e17, "身份证号码", "digits_lost"),
    (3, "4.4E+17", "身份证号码", "digits_lost"),
    (3, "690101199003070012", "身份证号码", "check_digit"),
    (3, "1234", "身份证号码", "format"),
    (4, "12ab", "手机", "phone_invalid"),
    (8, "保密", "婚否", "marital_status_invalid"),
    (9, "字" * 201, "备注", "too_long"),
)
"""Column, cell, and how the error names them. What contradicts the ID number comes out as a second error of the row."""


def spoil(found: list[Line], share: float, seed: int = 1) -> dict[int, tuple[str, str]]:
    """Spoil a share of the rows in turn in every way; return, by row of the file, the column and code that must be named."""
    chosen = random.Random(seed).sample(range(len(found)), int(len(found) * share))
    told = {}
    for i, at in enumerate(sorted(chosen)):
        column, cell, header, code = BAD[i % len(BAD)]
        found[at][column] = cell
        told[at + 2] = (header, code)
    return told


def xlsx(found: Sequence[Line], headers: Sequence[str] = HEADERS, title: str | None = None) -> bytes:
    """A workbook, as Excel would save it."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(
        out, {"constant_memory": True, "strings_to_formulas": False, "strings_to_numbers": False}
    ) as book:
        table, dates = book.add_worksheet(), book.add_format({"num_format": "yyyy-mm-dd"})
        top = 0
        if title is not None:
            table.write(0, 0, title)
            top = 1
        table.write_row(top, 0, headers)
        for r, row in enumerate(found, top + 1):
            for c, cell in enumerate(row):
                if isinstance(cell, date):
                    table.write_datetime(r, c, cell, dates)
                elif cell != "":
                    table.write(r, c, cell)
    return out.getvalue()


def comma_separated(found: Sequence[Line], encoding: str, headers: Sequence[str] = HEADERS) -> bytes:
    """A CSV in an encoding."""
    out = io.StringIO()
    csv.writer(out).writerows([headers, *found])
    return out.getvalue().encode(encoding)


def repacked(content: bytes, change: dict[str, bytes], *, remove: str = "") -> bytes:
    """A workbook some of whose parts are others."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name != remove:
                new.writestr(name, change.pop(name) if name in change else old.read(name))
        for name, part in change.items():
            new.writestr(name, part)
    return out.getvalue()
