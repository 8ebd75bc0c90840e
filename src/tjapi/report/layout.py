"""From rows to the data of the `exam_report` template: every figure becomes the text that is printed."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from tjapi.kernel.clock import HOSPITAL_ZONE
from tjapi.report.views import ReportSource
from tjapi.result.schemas import TrendOut

_SEX = {"male": "男", "female": "女", "unknown": "未知"}
_KEY_ITEMS = frozenset({"BMI", "SBP", "GLU", "HBA1C", "TC", "TG", "LDL", "UA", "ALT", "CREA", "HGB"})
_MOST_CHARTS = 8
_FLAGS = {"H": "high", "L": "low", "HH": "critical_high", "LL": "critical_low", "A": "abnormal"}


def report_data(
    rows: ReportSource,
    trends: Sequence[TrendOut],
    *,
    hospital_name: str,
    version: int,
    watermark: str | None,
    printed_at: datetime,
    verify_url: str = "",
) -> dict[str, Any]:
    """Return what the template prints. Flags and ranges are those stored with each result."""
    head, closing = rows.head, rows.conclusion
    sheets = {sheet.department_id: sheet for sheet in rows.sheets}
    departments = []
    for (department_id, name), results in groupby(rows.results, lambda r: (r.department_id, r.department)):
        sheet = sheets.get(department_id)
        groups = [
            {"name": group, "items": [_item(r) for r in members]}
            for group, members in groupby(results, lambda r: r.group_name)
        ]
        departments.append(
            {
                "name": name, "doctor": sheet.signer_name if sheet else "", "signed_at": _moment(sheet.signed_at) if sheet else "",
                "summary": (sheet.summary or "") if sheet else "", "groups": groups,
            }
        )  # fmt: skip
    return {
        "hospital": {"name": hospital_name, "campus": head.campus_name, "phone": "", "address": ""},
        "exam": {"exam_no": head.exam_no, "date": head.exam_date.isoformat(), "package": head.package_name or ""},
        "person": {
            "name": head.name, "sex": _SEX.get(head.sex, ""), "age": f"{head.age_years} 岁", "birth_date": head.birth_date.isoformat(),
            "id_number_masked": head.id_number_masked or "", "phone_masked": head.phone_masked or "",
        },
        "conclusions": [
            {"kind": e.kind, "title": e.title, "detail": e.detail or "", "advice": e.advice or "", "lifestyle": e.lifestyle or ""}
            for e in rows.entries
        ],
        "overview": (closing.overview or "") if closing else "",
        "abnormal": [{"department": r.department, **_abnormal(r)} for r in rows.results if _FLAGS.get(r.flag or "")],
        "departments": departments,
        "trends": [_trend(t) for t in _shown(trends)], "verify_url": verify_url,
        "signatures": {
            "initial": {"name": closing.initial_name or "", "at": _moment(closing.initial_at)} if closing else {"name": "", "at": ""},
            "final": {"name": closing.final_name or "", "at": _moment(closing.final_at)} if closing else {"name": "", "at": ""},
        },
        "version": version, "watermark": watermark, "printed_at": _moment(printed_at),
    }  # fmt: skip


def _item(row: Any) -> dict[str, str]:
    return {
        "name": row.item_name,
        "value": row.raw_value or "",
        "flag": _FLAGS.get(row.flag or "", ""),
        "unit": row.unit,
        "range": _range(row),
    }


def _shown(trends: Sequence[TrendOut]) -> Sequence[TrendOut]:
    """Return what is charted: what was flagged at any time, and what everybody asks about; eight at most."""
    asked = [t for t in trends if t.item_code in _KEY_ITEMS or any(p.flag for p in t.points)]
    return sorted(asked, key=lambda t: not any(p.flag for p in t.points))[:_MOST_CHARTS]


def _trend(trend: TrendOut) -> dict[str, Any]:
    return {
        "name": trend.item_name, "unit": trend.unit or "", "low": trend.low, "high": trend.high,
        "points": [
            {"label": p.exam_date.isoformat(), "value": p.value, "flag": _FLAGS.get(p.flag or "", "")} for p in reversed(trend.points)
        ],
    }  # fmt: skip


def _abnormal(row: Any) -> dict[str, str]:
    item = _item(row)
    return {"item": item.pop("name"), **item}


def _range(row: Any) -> str:
    snapshot = row.range_snapshot
    if not snapshot:
        return row.lis_range_text or ""
    low, high = snapshot.get("low"), snapshot.get("high")
    if low is not None and high is not None:
        return f"{low}–{high}"
    if high is not None:
        return f"≤ {high}"
    if low is not None:
        return f"≥ {low}"
    return snapshot.get("text") or ""


def _moment(moment: datetime | None) -> str:
    return moment.astimezone(HOSPITAL_ZONE).strftime("%Y-%m-%d %H:%M") if moment else ""
