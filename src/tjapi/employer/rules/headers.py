"""Where a list begins and ends: which table of a file it is, the rows that name its columns, and the rows below that are nobody. Pure."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from tjapi.employer.rules.cells import Cell, Field, header_key, header_text

Span = tuple[int, int, int, int]
"""Cells that are one: the first row and column and the last row and column, from 0."""
LineKind = Literal["person", "blank", "unnamed", "header", "footer"]

HEADER_WITHIN = 20
"""So many rows may stand above the one that names the columns: a title, whom to call, how to fill it in."""
_MOST_HEADER_ROWS = 3
SYNONYMS: dict[Field, tuple[str, ...]] = {
    "name": ("姓名", "名字", "员工姓名", "职工姓名", "受检人", "受检者", "受检者姓名", "体检人", "体检人姓名", "人员姓名", "name", "fullname"),
    "sex": ("性别", "sex", "gender"),
    "birth_date": ("出生日期", "出生年月日", "出生年月", "出生", "生日", "birthday", "birthdate", "dateofbirth"),
    "id_kind": ("证件类型", "证件类别", "证件种类", "idtype", "idkind"),
    "id_number": ("身份证号", "身份证号码", "身份证", "证件号码", "证件号", "居民身份证号", "居民身份证号码", "公民身份号码", "idnumber", "idno", "idcard"),
    "phone": ("手机", "手机号", "手机号码", "电话", "联系电话", "联系方式", "移动电话", "电话号码", "phone", "mobile", "tel"),
    "employee_no": ("工号", "员工号", "员工编号", "职工号", "职工编号", "人员编号", "employeeno", "employeeid", "staffno"),
    "department": ("部门", "所在部门", "车间", "班组", "部门名称", "department", "dept"),
    "post": ("岗位", "工种", "职务", "职位", "岗位名称", "post", "position", "job"),
    "marital_status": ("婚姻状况", "婚姻", "婚否", "婚姻状态", "maritalstatus", "married"),
    "hazards": ("危害因素", "接害因素", "职业危害因素", "接触危害因素", "职业病危害因素", "hazards", "hazard"),
    "group": ("分组", "体检分组", "组别", "分组编号", "体检组", "group"),
    "note": ("备注", "说明", "note", "remark"),
}  # fmt: skip
_FIELD_OF: dict[str, Field] = {word: name for name, words in SYNONYMS.items() for word in words}
_BRACKET = re.compile(r"[(（\[【\n/]")
_TOTAL = re.compile(
    r"(?:以上|本页|本表)?(?:合计|总计|小计|共计|总人数|合计人数|人数合计|人数|汇总|共|total|subtotal)[::]?\d*(?:人|名|份)?[。.]?",
    re.IGNORECASE,
)
_COUNT = re.compile(r"[\d.,¥元人名份男女::]+")
_NOTE = re.compile(
    r"(?:备注|附注|注|说明|填写说明|填表说明|注意|注意事项|温馨提示|提示|填表人|制表人|制表|填表|填报人|审核|审核人|经办人|负责人|单位盖章|单位\(盖章\)|盖章|"
    r"联系人|制表日期|填表日期|日期|单位名称|以下空白|以下无正文)(?:[::(\[【\d]|$)"
)
_NUMBERED = re.compile(r"(?:\d{1,2}|[一二三四五六七八九十]{1,2}|[①-⑳])[.、)].{4,}|\(\d{1,2}\).{4,}")
_SENTENCE = re.compile(r"[。;,!]")
_SHORTEST_SENTENCE, _LONGEST_NAME = 8, 24


@dataclass(frozen=True, slots=True)
class Header:
    """The rows that name the columns (from 0), what the columns are called, and which field each holds."""

    first: int
    last: int
    names: tuple[str, ...]
    fields: tuple[str, ...]

    @property
    def twice(self) -> list[str]:
        """The fields that more than one column holds."""
        known = [name for name in self.fields if name != "ignore"]
        return [name for name in dict.fromkeys(known) if known.count(name) > 1]


@dataclass(frozen=True, slots=True)
class TableSeen:
    """A table of a file as one must know it to choose: `listing` says whether it has the columns of a list and a row below them."""

    name: str
    hidden: bool
    has_columns: bool
    listing: bool


def choose_table(tables: Sequence[TableSeen], wanted: str | None) -> tuple[int, None] | tuple[None, str]:
    """Return which table is the list; else the refusal: where two could be, a person says which, and a hidden one is never taken unasked."""
    if wanted is not None:
        named = next((i for i, table in enumerate(tables) if table.name == wanted), None)
        return (named, None) if named is not None else (None, "no_such_table")
    found = [i for i, table in enumerate(tables) if table.listing and not table.hidden]
    if len(found) == 1:
        return found[0], None
    if found:
        return None, "several_tables"
    if any(table.listing for table in tables):
        return None, "only_hidden"
    return None, "no_rows" if any(table.has_columns and not table.hidden for table in tables) else "no_header"


def field_of(header: str, remembered: Mapping[str, str]) -> str:
    """Return which field a column holds: as it was said before for this employer, else by its name; `ignore` of a strange one."""
    found = _named(header, remembered)
    if found is None and _BRACKET.search(header):
        # What stands in brackets, in a second line or after a stroke says more of the same: 出生日期(yyyy-mm-dd), 姓名/Name.
        found = _FIELD_OF.get(header_key(_BRACKET.split(header, maxsplit=1)[0]))
    return found or "ignore"


def _named(header: str, remembered: Mapping[str, str]) -> str | None:
    return remembered.get(header) or _FIELD_OF.get(header_key(header))


def find_header(
    rows: Sequence[Sequence[Cell]], remembered: Mapping[str, str], spans: Sequence[Span] = ()
) -> Header | None:
    """Return what names the columns: the first row that has a name and one field more, with the rows below it that say more of the columns.

    A header over two rows is one: what is merged downwards is one name, what is merged across names the columns below it.
    """
    for first in range(min(len(rows), HEADER_WITHIN)):
        found = _header_at(rows, first, remembered, spans)
        if found is not None:
            return found
    return None


def _header_at(
    rows: Sequence[Sequence[Cell]], first: int, remembered: Mapping[str, str], spans: Sequence[Span]
) -> Header | None:
    names = [header_text(cell) for cell in rows[first]]
    alone, last = _names_columns(names, remembered), first
    while last + 1 < len(rows) and last - first + 1 < _MOST_HEADER_ROWS:
        under = [header_text(cell) for cell in rows[last + 1]]
        both = _joined(names, under, last, remembered, spans)
        # A title above names no column: what the two rows say together must be more than what the lower one says.
        if both is None or (not alone and (both == under or not _names_columns(both, remembered))):
            break
        names, last = both, last + 1
    if not _names_columns(names, remembered):
        return None
    return Header(first, last, tuple(names), tuple(field_of(name, remembered) for name in names))


def _names_columns(names: Sequence[str], remembered: Mapping[str, str]) -> bool:
    known = {field_of(name, remembered) for name in names if name}
    return "name" in known and len(known - {"ignore"}) > 1


def _joined(
    above: Sequence[str], below: Sequence[str], row: int, remembered: Mapping[str, str], spans: Sequence[Span]
) -> list[str] | None:
    """Return what columns are called by two rows of a header; None when the second row is none of the header."""
    width = max(len(above), len(below))
    tops, bottoms = [*above, *[""] * (width - len(above))], [*below, *[""] * (width - len(below))]
    reaching = {
        column for top, left, bottom, right in spans if top <= row < bottom for column in range(left, right + 1)
    }
    across = {
        column: left
        for top, left, bottom, right in spans
        if bottom == row and right > left
        for column in range(left, right + 1)
    }
    names, more = [], False
    carried = ""
    for column, (top, bottom) in enumerate(zip(tops, bottoms, strict=True)):
        group = tops[across[column]] if column in across else top or carried
        carried = group
        if not bottom or bottom == top or column in reaching:
            names.append(top)
            continue
        known = next((word for word in (bottom, group + bottom) if _named(word, remembered) is not None), None)
        if known is None and not (reaching and column in across):
            return None  # a word that names no column: this is somebody's row
        names.append(known or f"{group}{bottom}")
        more = True
    return names if more or reaching else None


def line_kind(cells: Sequence[Cell], header: Header) -> LineKind:
    """Say what a row below the header is: a person's, or blank, a total or a note, the header again, or nothing but columns that are not read."""
    said = [(name, text) for name, cell in zip(_fields(header, cells), cells, strict=True) if (text := _text(cell))]
    if not said:
        return "blank"
    if _is_header(cells, header):
        return "header"
    if _is_footer(said):
        return "footer"
    return "person" if any(name != "ignore" for name, _ in said) else "unnamed"


def _fields(header: Header, cells: Sequence[Cell]) -> list[str]:
    return [*header.fields, *["ignore"] * (len(cells) - len(header.fields))][: len(cells)]


def _text(cell: Cell) -> str:
    return "" if cell is None else unicodedata.normalize("NFKC", str(cell)).strip()


def _is_header(cells: Sequence[Cell], header: Header) -> bool:
    again = [
        header_key(header_text(cell)) == header_key(name)
        for cell, name, holds in zip(cells, header.names, header.fields, strict=False)
        if holds != "ignore" and cell not in ("", None)
    ]
    return len(again) > 1 and all(again)


def _is_footer(said: Sequence[tuple[str, str]]) -> bool:
    """Say whether a row is a total or a note. Whoever has a number of their own is never one."""
    first, others = re.sub(r"\s", "", said[0][1]), [text for _, text in said[1:]]
    if _TOTAL.fullmatch(first):
        return all(
            (_COUNT.fullmatch(re.sub(r"\s", "", text)) and len(text) < _SHORTEST_SENTENCE) or _TOTAL.fullmatch(text)
            for text in others
        )
    if any(name in ("id_number", "employee_no") for name, _ in said[1:]):
        return False
    if _NOTE.match(first):
        return True
    return not others and (
        _NUMBERED.match(first) is not None
        or len(first) > _LONGEST_NAME
        or (len(first) >= _SHORTEST_SENTENCE and _SENTENCE.search(first) is not None)
    )
