"""The empty list that a unit fills in."""

import io

import xlsxwriter

from tjapi.employer.rules.headers import SYNONYMS
from tjapi.employer.sheets.texts import MOST_ROWS

_HEADED = (
    "姓名*",
    "性别",
    "出生日期",
    "证件类型",
    "证件号码*",
    "手机号码",
    "工号",
    "部门",
    "岗位",
    "婚姻状况",
    "危害因素",
    "分组",
    "备注",
)
_EXAMPLE = ("张三", "男", "1990-03-07", "身份证", "", "", "0017", "一车间", "焊工", "已婚", "噪声、粉尘", "", "")


def template() -> bytes:
    """Return an empty list to be filled in: columns by name, text where Excel would spoil numbers, an example that is a comment."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False}) as book:
        table = book.add_worksheet("名单")
        text = book.add_format({"num_format": "@"})
        head = book.add_format({"bold": True, "bg_color": "#DCE6F1", "num_format": "@"})
        table.set_column(0, len(_HEADED) - 1, 16, text)
        for column, header in enumerate(_HEADED):
            table.write_string(0, column, header, head)
            table.write_comment(0, column, f"例:{_EXAMPLE[column]}" if _EXAMPLE[column] else "文本格式")
        table.freeze_panes(1, 0)
        table.data_validation(1, 1, MOST_ROWS, 1, {"validate": "list", "source": ["男", "女"]})
        table.data_validation(1, 9, MOST_ROWS, 9, {"validate": "list", "source": ["未婚", "已婚", "离异", "丧偶"]})
    return out.getvalue()


assert {h.rstrip("*") for h in _HEADED} <= {word for words in SYNONYMS.values() for word in words}
