"""From rows to the data of the `exam_report` template: every figure becomes the text that is printed."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any
from uuid import UUID

from tjapi.conclusion.rules import made_by_machine, overview_of
from tjapi.exam.rules import age_text
from tjapi.kernel.clock import HOSPITAL_ZONE
from tjapi.knowledge.words import chinese, printed_unit, says_all_normal
from tjapi.report.rules import Linked, critical_entries, not_told_before, printed_order
from tjapi.report.views import ReportSource
from tjapi.result.rules.flags import undetermined
from tjapi.result.schemas import TrendOut

_SEX = {"male": "男", "female": "女", "unknown": "未知"}
_KEY_ITEMS = frozenset({"BMI", "SBP", "GLU", "HBA1C", "TC", "TG", "LDL", "UA", "ALT", "CREA", "HGB"})
_MOST_CHARTS = 8
_UNPERFORMED = {"refused": "拒检", "waived": "弃检", "deferred": "延期检查"}
_FLAGS = {"H": "high", "L": "low", "HH": "critical_high", "LL": "critical_low", "A": "abnormal"}
_SEE_RESULTS = "有异常结果，见各项结果。"
_SEE_OPEN = "各项结果未判定。"


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
    """Return what the template prints. Flags and ranges are those stored with each result; `photo` says which version of it is printed.

    Every flagged result stands under a conclusion or under `others` (其他异常), and no sentence says normal beside a flag.
    """
    head, closing = rows.head, rows.conclusion
    items = {r.result_id: _item(r) for r in rows.results}
    conclusions = _conclusions(rows, items)
    abnormal = [r for r in rows.results if _abnormal_flag(items[r.result_id])]
    abnormal.sort(key=lambda r: not items[r.result_id]["flag"].startswith("critical"))
    concluded = {result_id for entry in rows.entries for result_id in entry.result_ids}
    sheets = {sheet.department_id: sheet for sheet in rows.sheets}
    departments = []
    for (department_id, name), results in groupby(rows.results, lambda r: (r.department_id, r.department)):
        sheet, own = sheets.get(department_id), list(results)
        groups = [
            {"name": group, "items": [items[r.result_id] for r in members]}
            for group, members in groupby(own, lambda r: r.group_name)
        ]
        departments.append(
            {
                "name": name, "doctor": sheet.signer_name if sheet else "", "signed_at": _moment(sheet.signed_at) if sheet else "",
                "summary": _without_false_calm((sheet.summary or "") if sheet else "", [items[r.result_id] for r in own], (name,)),
                "groups": groups,
            }
        )  # fmt: skip
    return {
        "hospital": {"name": hospital_name, "campus": head.campus_name, "phone": "", "address": ""},
        "exam": {"exam_no": head.exam_no, "date": head.exam_date.isoformat(), "package": head.package_name or ""},
        "person": {
            "name": head.name, "sex": _SEX.get(head.sex, ""), "age": age_text(head.birth_date, head.exam_date), "birth_date": head.birth_date.isoformat(),
            "id_number_masked": head.id_number_masked or "", "phone_masked": head.phone_masked or "",
        },
        "photo": photo, "figures": _figures(rows, conclusions, [items[r.result_id] for r in abnormal]), "conclusions": conclusions,
        "overview": _overview(rows, conclusions, list(items.values())),
        "abnormal": [_row(r, items) for r in abnormal],
        "others": [_row(r, items) for r in abnormal if r.result_id not in concluded],
        "undetermined": sum(item["flag"] == "undetermined" for item in items.values()),
        "all_judged_normal": not abnormal and any(item["judged"] for item in items.values()),
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


def _item(row: Any) -> dict[str, Any]:
    flag = _FLAGS.get(row.flag or "", "")
    if undetermined(row.kind or "numeric", row.flag, judged=row.judged is not False):
        flag = "undetermined"
    return {
        "name": row.item_name,
        "value": row.raw_value or "",
        "flag": flag,
        "judged": row.flag is not None,
        "unit": printed_unit(row.unit),
        "range": _range(row),
        "remarks": [chinese(remark) for remark in row.remarks or ()],
    }


def _abnormal_flag(item: Mapping[str, Any]) -> bool:
    return item["flag"] not in ("", "undetermined")


def _conclusions(rows: ReportSource, items: Mapping[UUID, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return what was concluded, criticals first, then diseases, each with the results it rests on; nothing is told twice."""
    linked = [
        Linked(
            entry.kind,
            getattr(entry, "important_class", None) == "A",
            {i: items[i]["flag"].startswith("critical") for i in entry.result_ids if i in items},
        )
        for entry in rows.entries
    ]
    critical = critical_entries(linked)
    order = printed_order(linked, critical)
    cited = [[{k: items[i][k] for k in ("name", "value", "unit", "flag")} for i in one.results] for one in linked]
    told: set[str] = set()
    # A sentence stands under the entry that is about it alone; what rests on several results lists them.
    details = {
        place: not_told_before(chinese(rows.entries[place].detail or ""), told, [r["name"] for r in cited[place]])
        for place in sorted(order, key=lambda place: len(cited[place]))
    }
    made: list[dict[str, Any]] = []
    for place in order:
        entry, detail, results = rows.entries[place], details[place], cited[place]
        made.append(
            {
                "kind": entry.kind, "title": chinese(entry.title), "detail": detail, "advice": chinese(entry.advice or ""),
                "lifestyle": chinese(entry.lifestyle or ""), "level": "critical" if place in critical else "",
                "results": [r for r in results if not _said_in(detail, r)],
            }
        )  # fmt: skip
    return made


def _said_in(detail: str, result: Mapping[str, Any]) -> bool:
    """Say whether a detail tells of a result with its value, so that it need not stand beside it again."""
    valued, described = f"{result['name']} {result['value']}", f"{result['name']}："
    return any(
        part.startswith(described) or (part.startswith(valued) and part[len(valued) :][:1] not in (*"0123456789.",))
        for part in detail.split("；")
    )


def _overview(
    rows: ReportSource, conclusions: Sequence[Mapping[str, Any]], items: Collection[Mapping[str, Any]]
) -> str:
    """Return the reviewer's words; the machine's list in the order and under the numbers of the conclusions that follow."""
    said = (rows.conclusion.overview or "") if rows.conclusion is not None else ""
    if rows.entries and made_by_machine(said, [entry.title for entry in rows.entries]):
        return overview_of([entry["title"] for entry in conclusions])
    return _without_false_calm(said, items)


def _without_false_calm(text: str, items: Collection[Mapping[str, Any]], subjects: Collection[str] = ()) -> str:
    """Return a summary, less the sentences that call everything normal where something is flagged, or nothing was judged."""
    said = chinese(text)
    abnormal = any(_abnormal_flag(item) for item in items)
    unjudged = any(item["flag"] == "undetermined" for item in items) and not any(item["judged"] for item in items)
    if not (abnormal or unjudged) or not says_all_normal(said, subjects):
        return said
    kept = [line for line in said.splitlines() if not says_all_normal(line, subjects)]
    return "\n".join([*kept, _SEE_RESULTS if abnormal else _SEE_OPEN])


def _figures(
    rows: ReportSource, conclusions: Sequence[Any], abnormal: Sequence[Mapping[str, Any]]
) -> list[dict[str, str]]:
    """Return the figures of the cover; critical values only where there are any."""
    critical = sum(item["flag"].startswith("critical") for item in abnormal)
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


def _row(row: Any, items: Mapping[UUID, Mapping[str, Any]]) -> dict[str, Any]:
    item = dict(items[row.result_id])
    return {"department": row.department, "item": item.pop("name"), **item}


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
