"""How people write what a list asks for: headers, numbers, dates, sexes, in every spelling that Excel and habit have invented. Pure."""

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Literal, get_args
from uuid import UUID

from tjapi.employer.rules.campaigns import MaritalStatus
from tjapi.examinee.rules import (
    FAULTS,
    IdKind,
    IdNumber,
    IdNumberFault,
    Sex,
    birth_date_fault,
    clean_name,
    folded,
    normalise_phone,
    parse_id_number,
)

Cell = str | float | int | bool | date | datetime | None
Field = Literal[
    "name", "sex", "birth_date", "id_kind", "id_number", "phone", "employee_no", "department", "post", "marital_status", "hazards",
    "group", "note", "ignore",
]  # fmt: skip
FIELDS: tuple[Field, ...] = get_args(Field)
EntryKind = Literal["error", "warning", "update"]

SHEET_REFUSALS: dict[str, tuple[str, str]] = {
    "empty": ("文件为空", "the file is empty"),
    "not_a_list": ("不是 XLSX、XLS 或 CSV 文件", "it is no XLSX, XLS or CSV file"),
    "macros": ("文件含有宏,请另存为不含宏的 .xlsx", "it holds macros: save it as .xlsx without them"),
    "encrypted": ("文件有密码保护", "it is protected by a password"),
    "damaged": ("文件已损坏", "it is damaged"),
    "inflates": ("压缩包展开后过大", "it inflates beyond every bound"),
    "too_wide": ("表格超过 100 列或 50000 行", "the table has more than 100 columns or 50,000 rows"),
    "encoding": ("文本文件应为 UTF-8、GB18030 或 UTF-16 编码", "a text must be UTF-8, GB18030 or UTF-16"),
    "no_header": ("前二十行中没有列名:至少需要姓名和另一列", "no row of the first twenty names the columns: a name and one more are needed"),
    "several_tables": ("不止一张工作表有名单的列:请指定读取哪一张", "more than one table has the columns of a list: say which one is to be read"),
    "only_hidden": ("只有隐藏的工作表有名单的列:请取消隐藏,或指定该表", "a hidden table alone has the columns of a list: show it, or say that it is to be read"),
    "no_such_table": ("没有这张工作表", "there is no such table"),
    "too_many_tables": ("工作表超过 30 张", "it has more than 30 tables"),
    "name_twice": ("姓名列出现两次:请改为每行一人", "two columns hold names: give each person a row"),
    "no_rows": ("没有数据行", "it has no rows"),
    "error_values": ("含有 Excel 错误值,且无法定位,请改正后重新保存", "it holds errors of Excel's (#N/A), and does not say where: correct them and save it again"),
    "unreadable": ("无法读取", "it cannot be read"),
}  # fmt: skip
SENTENCES: dict[str, tuple[str, str]] = {
    "missing": ("必填", "is required"),
    "too_long": ("内容过长", "is too long"),
    "formula": ("含有公式,请粘贴为数值", "holds a formula: paste values"),
    "error_value": ("单元格是 Excel 错误值,内容已丢失,请改正后重新填写", "holds an error of Excel's (#N/A, #REF!): what was there is lost; type it again"),
    "control_character": ("含有控制字符", "holds a control character"),
    "not_text": ("应为文本", "must be text"),
    "digits_lost": ("Excel 已把号码变成科学计数法,末几位丢失;请把该列设为文本后重新填写", "Excel has turned the number into scientific notation and lost its last digits: make the column text and type it again"),
    "date_invalid": ("不是有效日期", "is not a date"),
    "date_incomplete": ("日期缺少日", "lacks the day"),
    "date_ambiguous": ("日期有歧义,请写成 1990-03-07", "is ambiguous: write it as 1990-03-07"),
    "sex_invalid": ("性别无法识别", "is not a sex"),
    "marital_status_invalid": ("婚姻状况无法识别", "is not a marital status"),
    "id_kind_invalid": ("证件类型无法识别", "is not a kind of document"),
    "number_of_resident": ("该号码是居民身份证号,请更正证件类型", "the number is that of a resident identity card: correct the kind of document"),
    "number_of_hk_mo_tw_resident": ("该号码属于港澳台居民居住证,请更正证件类型", "the number is that of a residence permit for people of Hong Kong, Macao and Taiwan: correct the kind of document"),
    "number_of_foreign_permanent": ("该号码属于外国人永久居留身份证,请更正证件类型", "the number is that of a foreigner's permanent residence card: correct the kind of document"),
    "phone_invalid": ("电话号码无效", "is not a phone number"),
    "contradicts_id_number": ("与证件号码不一致", "contradicts the ID number"),
    "no_identity": ("证件号码和工号至少填一项", "give an ID number or an employee number"),
    "twice_in_file": ("与本文件第 {row} 行重复", "is in row {row} of this file as well"),
    "employee_no_taken": ("该工号属于名单中另一人", "this employee number is another's on the list"),
    "changed_meanwhile": ("名单在预览后已被更改,请重新上传", "the list was changed after the preview: upload the file again"),
    **SHEET_REFUSALS,
    "group_unknown": ("没有这个分组", "is no group of this campaign"),
    "known_as_another": ("该证件号码已登记为另一姓名,请人工核对", "this ID number is known under another name: check it by hand"),
    "locked": ("成员已预约或已终结,不再更改", "the member is booked or has come to an end: not changed"),
    "not_placed_none": ("没有符合条件的分组", "fits no group"),
    "not_placed_ambiguous": ("同时符合多个分组", "fits several groups"),
    "changed": ("将更新", "will change"),
    "said_twice": ("两列内容不一致", "two columns say different things"),
    "column_twice": ("有两列,以先出现且有内容的为准", "two columns hold this: the first that says something counts"),
    "hidden_table": ("隐藏的工作表,未读取", "a hidden table: not read"),
    "hidden_table_read": ("隐藏的工作表,按指定读取", "a hidden table, read because it was asked for"),
    "other_table": ("另一张工作表,未读取", "another table: not read"),
    "hidden_row": ("该行在文件中是隐藏的(如被筛选),仍会导入", "this row is hidden in the file, by a filter perhaps: it is taken all the same"),
    "hidden_rows": ("文件中有隐藏的行,仍会导入", "the file has hidden rows: they are taken all the same"),
    "hidden_column": ("该列在文件中是隐藏的,仍会读取", "this column is hidden in the file: it is read all the same"),
    "hidden_unknown": ("XLS 看不出哪些行被隐藏,请核对人数,或另存为 .xlsx", "an XLS does not say which rows are hidden: check the number of people, or save it as .xlsx"),
    "header_again": ("重复的列名行,未导入", "the names of the columns again: not taken"),
    "footer": ("合计或说明行,未导入", "a total or a note: not taken"),
    "unnamed": ("第 {row} 行起共 {count} 行只有序号等未读取的列,未导入", "from row {row} on {count} rows hold nothing but columns that are not read: not taken"),
    **dict(FAULTS.items()),
}  # fmt: skip
"""What is said about a cell. `{…}` are filled from the entry's detail, which never holds the cell's content."""

_PUNCTUATION = re.compile(r"[\s*:：()（）\[\]【】_\-/\\.。、,，]+|必填|选填")
_LONGEST = {"name": 64, "department": 60, "post": 60, "note": 200, "employee_no": 40, "group": 60}
_TEXTS = tuple(_LONGEST)
_SAID_ONCE = frozenset({"name", "sex", "birth_date", "id_kind", "id_number", "employee_no", "group"})
"""Who somebody is: where two columns say it, they say the same."""
_BREAK = re.compile(r"\s*[\n\t]\s*")
_CHINESE = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_PLAIN_NAME = re.compile(r"[\u4e00-\u9fff]+")
"""A name of nothing but common characters is clean as it is: of ten thousand, nearly all."""
_SCIENTIFIC = re.compile(r"\d(\.\d+)?[eE]\+?\d{1,2}")
_TO_LOOK_AT = frozenset("=@+-'#")
ERROR_VALUE = "#N/A"
_ERROR_VALUES = frozenset(
    (
        ERROR_VALUE, "#VALUE!", "#REF!", "#DIV/0!", "#NUM!", "#NAME?", "#NULL!", "#SPILL!", "#CALC!", "#FIELD!", "#BLOCKED!", "#CONNECT!",
        "#BUSY!", "#UNKNOWN!", "#GETTING_DATA", "#EXTERNAL!", "#PYTHON!",
    )
)  # fmt: skip
"""What a cell shows of which Excel has lost the value."""
"""With these a formula may begin, or a text that Excel was told is one."""
_SIGNED = re.compile(r"[+-][\d\s()-]*")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_MOST_EXACT = 10**15
"""The last whole number of which Excel keeps every digit is below this: it keeps fifteen."""
_SEXES: dict[str, Sex] = {
    **dict.fromkeys(("男", "男性", "男士", "先生", "m", "male", "man", "1", "♂", "男.", "boy"), "male"),
    **dict.fromkeys(("女", "女性", "女士", "小姐", "f", "female", "woman", "2", "♀", "girl"), "female"),
    **dict.fromkeys(("", "未知", "不详", "未说明", "未知性别", "0", "9", "u", "unknown", "-", "/"), "unknown"),
}
_MARITAL: dict[str, MaritalStatus] = {
    **dict.fromkeys(("未婚", "单身", "否", "10", "single", "n", "no"), "single"),
    **dict.fromkeys(
        ("已婚", "有配偶", "初婚", "再婚", "复婚", "是", "20", "21", "22", "23", "married", "y", "yes"), "married"
    ),
    **dict.fromkeys(("离异", "离婚", "离", "40", "divorced"), "divorced"),
    **dict.fromkeys(("丧偶", "30", "widowed"), "widowed"),
    **dict.fromkeys(("", "未知", "不详", "未说明", "90", "unknown", "-", "/"), "unknown"),
}
_ID_KINDS: dict[str, IdKind] = {
    **dict.fromkeys(
        (
            "",
            "身份证",
            "居民身份证",
            "二代身份证",
            "第二代身份证",
            "第二代居民身份证",
            "中华人民共和国居民身份证",
            "大陆身份证",
            "身份证号",
            "身份证号码",
            "居民身份证号",
            "居民身份证号码",
            "临时身份证",
            "临时居民身份证",
            "户口簿",
            "户口本",
            "居民户口簿",
            "idcard",
            "resident",
            "01",
            "1",
        ),
        "resident",
    ),
    **dict.fromkeys(
        (
            "港澳台居民居住证",
            "港澳台居住证",
            "居住证",
            "港澳居民居住证",
            "港澳居住证",
            "台湾居民居住证",
            "台湾居住证",
            "中华人民共和国港澳居民居住证",
            "中华人民共和国台湾居民居住证",
            "中华人民共和国港澳台居民居住证",
            "hk_mo_tw_resident",
            "hkmotwresident",
        ),
        "hk_mo_tw_resident",
    ),
    **dict.fromkeys(
        (
            "港澳居民来往内地通行证",
            "港澳居民往来内地通行证",
            "港澳来往内地通行证",
            "港澳通行证",
            "港澳居民通行证",
            "回乡证",
            "hk_mo_travel_permit",
        ),
        "hk_mo_travel_permit",
    ),
    **dict.fromkeys(
        (
            "台湾居民来往大陆通行证",
            "台湾居民往来大陆通行证",
            "台湾来往大陆通行证",
            "台湾通行证",
            "台湾居民通行证",
            "台胞证",
            "tw_travel_permit",
        ),
        "tw_travel_permit",
    ),
    **dict.fromkeys(
        (
            "外国人永久居留身份证",
            "外国人永久居留证",
            "永久居留身份证",
            "永久居留证",
            "中华人民共和国外国人永久居留身份证",
            "永居证",
            "五星卡",
            "foreign_permanent",
            "foreignpermanent",
        ),
        "foreign_permanent",
    ),
    **dict.fromkeys(
        ("护照", "普通护照", "因私护照", "因私普通护照", "中国护照", "外国护照", "中华人民共和国护照", "passport"),
        "passport",
    ),
    **dict.fromkeys(("无", "无证件", "none"), "none"),
}
_TOLD_BY_NUMBER: tuple[IdKind, ...] = ("resident", "hk_mo_tw_resident", "foreign_permanent")
_YEAR_FIRST = re.compile(
    r"(\d{4})\s*[-/.年\s]\s*(\d{1,2})\s*[-/.月\s]\s*(\d{1,2})\s*日?(?:[T\s]+0{1,2}:00(?::00(?:\.0+)?)?)?"
)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_NO_DAY = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*月?|\d{6}|\d{4}年?")
_MONTHS = {
    name: i
    for i, name in enumerate(("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1)
}
_WORDED = re.compile(r"(\d{1,2})[-\s]([A-Za-z]{3})[a-z]*[-\s,]+(\d{4})")
_DAY_OR_MONTH_FIRST = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})")
_SHORT_YEAR = re.compile(r"\d{2}[-/.年]\d{1,2}[-/.月]\d{1,2}日?")
_SERIAL = re.compile(r"[1-6]\d{4}")
_EXCEL_EPOCH = date(1899, 12, 30)
_BEFORE_NO_DAY = date(1900, 2, 28)
"""What a reader makes of Excel's 60, the 29th of February of a year that had none, and of its 59: nobody knows which was meant."""
_SERIALS = (366, 73_050)
"""Days that Excel counts as a serial number and that can be a birth date: 1900-12-31 to 2099."""
_MOST_HAZARDS, _LONGEST_HEADER = 20, 100
_LATER_THAN_A_MONTH = 12


class CellFault(ValueError):  # noqa: N818 - named for the finding
    """What is wrong with a cell: a code of SENTENCES. It never holds the cell."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(slots=True)
class Row:
    """What a row says, in one spelling, and what is wrong with it: pairs of column and code."""

    number: int
    name: str = ""
    sex: Sex = "unknown"
    birth_date: date | None = None
    id_kind: IdKind = "none"
    id_number: str | None = None
    phone: str | None = None
    employee_no: str | None = None
    department: str | None = None
    post: str | None = None
    marital_status: MaritalStatus = "unknown"
    hazards: list[str] = field(default_factory=list)
    group: str | None = None
    note: str | None = None
    faults: list[tuple[Field, str]] = field(default_factory=list)


@lru_cache(maxsize=4096)
def header_key(text: Cell) -> str:
    """Return a header as it is compared: half-width, no spaces, stars, brackets or 必填."""
    return _PUNCTUATION.sub("", unicodedata.normalize("NFKC", str(text or ""))).casefold()


def header_text(cell: Cell) -> str:
    """Return what a cell names a column by; nothing of one that names none."""
    try:
        return as_text(cell)[:_LONGEST_HEADER] if cell is not None else ""
    except CellFault:
        return ""


def read_row(number: int, cells: Sequence[Cell], fields: Sequence[str], today: date) -> Row:
    """Read one row; `fields` say what each column holds."""
    row = Row(number)
    given: dict[str, Cell] = {}
    for name, cell in zip(fields, cells, strict=False):
        if cell is None or cell == "" or name == "ignore":
            continue
        if name in _SAID_ONCE and name in given and str(given[name]).strip() != str(cell).strip():
            row.faults.append((name, "said_twice"))  # type: ignore[arg-type]
        given.setdefault(name, cell)
    for name in _TEXTS:
        if name in given:
            _text_field(row, name, given[name])
    if not row.name and not any(column == "name" for column, _ in row.faults):
        row.faults.append(("name", "missing"))
    _identity(row, given, today)
    if "marital_status" in given:
        _worded(row, "marital_status", given["marital_status"], _MARITAL)
    if "hazards" in given:
        _hazards(row, given["hazards"])
    if "phone" in given:
        _phone(row, given["phone"])
    if (
        row.id_number is None
        and row.employee_no is None
        and not any(c in ("id_number", "employee_no") for c, _ in row.faults)
    ):
        row.faults.append(("id_number", "no_identity"))
    return row


def one_line(text: str) -> str:
    """Return a text on one line: a break in a cell is how it is shown, a blank between words and nothing between Chinese characters."""
    if text.isprintable():
        return text
    said = text.strip()
    beside = [(said[found.start() - 1], said[found.end()]) for found in _BREAK.finditer(said)]
    parts = _BREAK.split(said)
    joints = ["" if _CHINESE.match(left) and _CHINESE.match(right) else " " for left, right in beside]
    return "".join(one for pair in zip(parts, [*joints, ""], strict=True) for one in pair)


def _text_field(row: Row, name: str, cell: Cell) -> None:
    try:
        text = as_text(cell)
        text = text if name == "note" else one_line(text)
    except CellFault as fault:
        row.faults.append((name, fault.code))  # type: ignore[arg-type]
        return
    if name == "name" and not _PLAIN_NAME.fullmatch(text):
        text = clean_name(text)
        text = text if folded(text) else ""
    if len(text) > _LONGEST[name]:
        row.faults.append((name, "too_long"))  # type: ignore[arg-type]
    elif text:
        setattr(row, name, text)


def as_text(cell: Cell) -> str:
    """Return a cell as text: whole numbers without their point, no apostrophe before. Raises CellFault of formulas, error values and control characters."""
    if isinstance(cell, str):
        text = cell.strip()
        if text[:1] not in _TO_LOOK_AT and text.isprintable():  # as nearly every cell is
            return text
        if text[:1] in "=@" and text:
            raise CellFault("formula")
        if text.upper() in _ERROR_VALUES:
            raise CellFault("error_value")
        if text[:1] in "+-" and not _SIGNED.fullmatch(text):
            raise CellFault("formula")
        if _CONTROL.search(text):
            raise CellFault("control_character")
        return text.removeprefix("'")
    if isinstance(cell, bool) or cell is None:
        raise CellFault("not_text")
    if isinstance(cell, float | int):
        if not math.isfinite(cell):
            raise CellFault("not_text")
        if cell != int(cell):
            return str(cell)
        if abs(cell) >= _MOST_EXACT:
            raise CellFault("digits_lost")
        return str(int(cell))
    return cell.isoformat()[:10]


def _identity(row: Row, given: Mapping[str, Cell], today: date) -> None:
    kind: IdKind = "resident"
    if "id_kind" in given:
        try:
            said = header_key(as_text(given["id_kind"]))
            kind = _ID_KINDS[said]
        except (CellFault, KeyError) as fault:
            row.faults.append(("id_kind", _said_or(fault, "id_kind_invalid")))
    sex_said = _worded(row, "sex", given["sex"], _SEXES) if "sex" in given else None
    birth_said = _birth(row, given["birth_date"], today) if "birth_date" in given else None
    if "id_number" not in given:
        return
    document: IdNumber | None
    try:
        document = parse_id_number(kind, _number_text(given["id_number"]), today)
    except IdNumberFault as fault:
        document = _of_its_own_kind(as_text(given["id_number"]), today) if fault.fault == "kind" else None
        if document is None:
            row.faults.append(("id_number", fault.fault))
            return
        if "id_kind" in given:
            row.faults.append(("id_kind", f"number_of_{document.kind}"))
            return
    except CellFault as fault:
        row.faults.append(("id_number", fault.code))
        return
    row.id_kind, row.id_number = document.kind, document.number
    if document.sex is not None:
        if sex_said not in (None, "unknown", document.sex):
            row.faults.append(("sex", "contradicts_id_number"))
        row.sex = document.sex
    if document.birth_date is not None:
        if birth_said is not None and birth_said != document.birth_date:
            row.faults.append(("birth_date", "contradicts_id_number"))
        row.birth_date = document.birth_date


def _of_its_own_kind(text: str, today: date) -> IdNumber | None:
    """Return the document whose number this is by its digits and its check digit alone."""
    for kind in _TOLD_BY_NUMBER:
        try:
            return parse_id_number(kind, text, today)
        except IdNumberFault:
            continue
    return None


def _said_or(fault: Exception, code: str) -> str:
    """Return what is wrong with a word: that Excel lost it, else that it is none of the known ones."""
    return fault.code if isinstance(fault, CellFault) and fault.code == "error_value" else code


def _number_text(cell: Cell) -> str:
    text = as_text(cell)
    if _SCIENTIFIC.fullmatch(text):
        raise CellFault("digits_lost")
    return text


def _worded(row: Row, name: Literal["sex", "marital_status"], cell: Cell, words: Mapping[str, str]) -> str | None:
    try:
        found = words[header_key(as_text(cell)) if cell not in ("-", "/") else "-"]
    except (CellFault, KeyError) as fault:
        row.faults.append((name, _said_or(fault, f"{name}_invalid")))
        return None
    setattr(row, name, found)
    return found


def _birth(row: Row, cell: Cell, today: date) -> date | None:
    try:
        birth = as_date(cell)
    except CellFault as fault:
        row.faults.append(("birth_date", fault.code))
        return None
    wrong = birth_date_fault(birth, today)
    if wrong is not None:
        row.faults.append(("birth_date", wrong))
        return None
    row.birth_date = birth
    return birth


def as_date(cell: Cell) -> date:
    """Return the day of a cell. Raises CellFault, saying whether it is none, incomplete, or may be read in two ways."""
    if isinstance(cell, date):
        day = cell.date() if isinstance(cell, datetime) else cell
        if day == _BEFORE_NO_DAY:
            raise CellFault("date_ambiguous")
        return day
    if isinstance(cell, float | int) and not isinstance(cell, bool) and _SERIALS[0] <= cell <= _SERIALS[1]:
        return _EXCEL_EPOCH + timedelta(days=int(cell))
    return _read_date(unicodedata.normalize("NFKC", as_text(cell)).strip())


def _read_date(text: str) -> date:
    if found := _YEAR_FIRST.fullmatch(text) or _COMPACT.fullmatch(text):
        return _day(int(found[1]), int(found[2]), int(found[3]))
    if found := _WORDED.fullmatch(text):
        return _day(int(found[3]), _MONTHS.get(found[2].casefold(), 0), int(found[1]))
    if found := _DAY_OR_MONTH_FIRST.fullmatch(text):
        return _either_first(int(found[1]), int(found[2]), int(found[3]))
    if _SERIAL.fullmatch(text):
        return _EXCEL_EPOCH + timedelta(days=int(text))
    if _NO_DAY.fullmatch(text):
        raise CellFault("date_incomplete")
    raise CellFault("date_ambiguous" if _SHORT_YEAR.fullmatch(text) else "date_invalid")


def _either_first(first: int, second: int, year: int) -> date:
    """Read 25/12/1990 and 12/25/1990, which can be read in one way only; 03/07/1990 can be read in two."""
    if first > _LATER_THAN_A_MONTH:
        return _day(year, second, first)
    if second > _LATER_THAN_A_MONTH or first == second:
        return _day(year, first, second)
    raise CellFault("date_ambiguous")


def _day(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise CellFault("date_invalid") from None


def _hazards(row: Row, cell: Cell) -> None:
    try:
        found = _parts(as_text(cell))
    except CellFault as fault:
        row.faults.append(("hazards", fault.code))
        return
    if len(found) > _MOST_HAZARDS or any(len(p) > _LONGEST["post"] for p in found):
        row.faults.append(("hazards", "too_long"))
    else:
        row.hazards = list(found)


@lru_cache(maxsize=1024)
def _parts(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part for part in re.split(r"[,，、;；/\s]+", text) if part))


def _phone(row: Row, cell: Cell) -> None:
    try:
        phone = normalise_phone(as_text(cell))
    except CellFault as fault:
        row.faults.append(("phone", fault.code))
        return
    if phone is None:
        row.faults.append(("phone", "phone_invalid"))
    row.phone = phone


def group_named(said: str, groups: Mapping[str, UUID]) -> UUID | None:
    """Return the group that a list names by its code or its name; `groups` by folded code and name."""
    return groups.get(folded(said))
