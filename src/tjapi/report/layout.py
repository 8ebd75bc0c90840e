"""From rows to the data of the `exam_report` template: every figure becomes the text that is printed."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from tjapi.exam.rules import age_text
from tjapi.kernel.clock import HOSPITAL_ZONE
from tjapi.report.rules import printed_unit
from tjapi.report.views import ReportSource
from tjapi.result.schemas import TrendOut

_SEX = {"male": "男", "female": "女", "unknown": "未知"}
_KEY_ITEMS = frozenset({"BMI", "SBP", "GLU", "HBA1C", "TC", "TG", "LDL", "UA", "ALT", "CREA", "HGB"})
_MOST_CHARTS = 8
_ORDER = {"disease": 0, "finding": 1, "risk": 2}
"""疾病 → 阳性发现 → 危险因素 (主检报告撰写共识)."""
_UNPERFORMED = {"refused": "拒检", "waived": "弃检", "deferred": "延期检查"}
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
    photo: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return what the template prints. Flags and ranges are those stored with each result; `photo` says which version of it is printed."""
    head, closing = rows.head, rows.conclusion
    conclusions, abnormal = _conclusions(rows), [r for r in rows.results if _FLAGS.get(r.flag or "")]
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
            "name": head.name, "sex": _SEX.get(head.sex, ""), "age": age_text(head.birth_date, head.exam_date), "birth_date": head.birth_date.isoformat(),
            "id_number_masked": head.id_number_masked or "", "phone_masked": head.phone_masked or "",
        },
        "photo": photo, "figures": _figures(rows, conclusions, abnormal), "conclusions": conclusions,
        "overview": (closing.overview or "") if closing else "",
        "abnormal": [{"department": r.department, **_abnormal(r)} for r in abnormal],
        "departments": departments,
        "trends": [_trend(t) for t in _shown(trends)], "verify_url": verify_url,
        "unperformed": [
            {"department": line.department, "name": line.name, "why": _UNPERFORMED[line.state]} for line in rows.unperformed
        ],
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
        "unit": printed_unit(row.unit),
        "range": _range(row),
    }


def _conclusions(rows: ReportSource) -> list[dict[str, Any]]:
    """Return what was concluded, diseases first, each with the results it rests on; one that rests on a critical value says so."""
    results = {r.result_id: _item(r) for r in rows.results}
    made = []
    for entry in sorted(rows.entries, key=lambda e: _ORDER[e.kind]):
        linked = [
            {k: results[i][k] for k in ("name", "value", "unit", "flag")} for i in entry.result_ids if i in results
        ]
        critical = any(r["flag"].startswith("critical") for r in linked)
        made.append(
            {
                "kind": entry.kind, "title": entry.title, "detail": entry.detail or "", "advice": entry.advice or "",
                "lifestyle": entry.lifestyle or "", "level": "critical" if critical else "", "results": linked,
            }
        )  # fmt: skip
    return made


def _figures(rows: ReportSource, conclusions: Sequence[Any], abnormal: Sequence[Any]) -> list[dict[str, str]]:
    """Return the figures of the cover; critical values only where there are any."""
    critical = sum(_FLAGS[r.flag].startswith("critical") for r in abnormal)
    figures = [("检查项目", len(rows.results), ""), ("异常结果", len(abnormal), ""), ("主检结论", len(conclusions), "")]
    if critical:
        figures.append(("危急值", critical, "critical_high"))
    return [{"label": label, "value": str(value), "flag": flag} for label, value, flag in figures]


def _shown(trends: Sequence[TrendOut]) -> Sequence[TrendOut]:
    """Return what is charted: what was flagged at any time, and what everybody asks about; eight at most."""
    asked = [t for t in trends if t.item_code in _KEY_ITEMS or any(p.flag for p in t.points)]
    return sorted(asked, key=lambda t: not any(p.flag for p in t.points))[:_MOST_CHARTS]


def _trend(trend: TrendOut) -> dict[str, Any]:
    return {
        "name": trend.item_name, "unit": printed_unit(trend.unit or ""), "change": _change(trend.change), "low": trend.low, "high": trend.high,
        "points": [
            {"label": p.exam_date.isoformat(), "value": p.value, "flag": _FLAGS.get(p.flag or "", "")} for p in reversed(trend.points)
        ],
    }  # fmt: skip


def _change(difference: str | None) -> str:
    if difference is None:
        return ""
    number = Decimal(difference)
    if not number:
        return "持平"
    return f"{'↑' if number > 0 else '↓'} {abs(number):f}"


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
