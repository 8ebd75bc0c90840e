"""From rows to the data of the `exam_report` template: every figure becomes the text that is printed."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any
from uuid import UUID

from tjapi.conclusion.rules import ALERT_ADVICE, alert_title, asks_today, made_by_machine, overview_of
from tjapi.exam.rules import age_text
from tjapi.kernel.clock import HOSPITAL_ZONE
from tjapi.knowledge.calm import is_unjudged_text, says_all_normal
from tjapi.knowledge.descriptions import read
from tjapi.knowledge.names import Spoken
from tjapi.knowledge.rules import CALLED_CRITICAL
from tjapi.knowledge.words import (
    SAID_CRITICAL,
    Judgement,
    all_judged_normal,
    chinese,
    forbids_calm,
    judgement,
    printed_unit,
    sentence_of,
)
from tjapi.knowledge.yielding import GIVES_WAY, SEE_ALERT
from tjapi.report.rules import (
    Linked,
    as_numbered,
    chart,
    critical_entries,
    critical_of_itself,
    flag_shown,
    not_told_before,
    nothing_needs_anything,
    printed_order,
    uncited,
)
from tjapi.report.views import ReportSource
from tjapi.result.rules.choices import called_by, folded, not_examined, unexamined, untold
from tjapi.result.rules.flags import undetermined
from tjapi.result.rules.reading import chosen
from tjapi.result.rules.values import finding
from tjapi.result.schemas import TrendOut

_SEX = {"male": "男", "female": "女", "unknown": "未知"}
_KEY_ITEMS = frozenset({"BMI", "SBP", "GLU", "HBA1C", "TC", "TG", "LDL", "UA", "ALT", "CREA", "HGB"})
_MOST_CHARTS = 8
_GIVEN_UP = "未报告结果"
_UNPERFORMED = {"refused": "拒检", "waived": "弃检", "deferred": "延期检查"}
_MOST_NORMAL_WORDS = 4
_SEE_ABOVE = sentence_of(["described"])
_WIDE_FROM, _COLUMN = 0x2E7F, 14
"""Characters from here on take two places; so many places has the column of results."""
Item = dict[str, Any]


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
    judgements = {r.result_id: _judgement(r) for r in rows.results}
    entries = [*_alerts(rows, items), *rows.entries]
    for result_id in {i for entry in rows.entries if entry.only_words for i in entry.result_ids if i in items}:
        # A mass in words has no flag of a laboratory, and is abnormal all the same.
        items[result_id]["flag"] = items[result_id]["flag"] or "abnormal"
    abnormal = [r for r in rows.results if _abnormal_flag(items[r.result_id])]
    abnormal.sort(key=lambda r: not _critical(items[r.result_id]))
    sheets = {sheet.department_id: sheet for sheet in rows.sheets}
    examined = {of: list(results) for of, results in groupby(rows.results, _department_of)}
    examined |= {of: [] for of in map(_department_of, rows.sheets) if of not in examined}
    departments = []
    for (_, department_id, name), own in sorted(examined.items()):
        sheet = sheets.get(department_id)
        groups = [
            {"name": group, **_signed(members), "items": [items[r.result_id] for r in members]}
            for group, members in ((group, list(rows)) for group, rows in groupby(own, lambda r: r.group_name))
        ]
        said = _telling(sheet.summary or "") if sheet else ""
        departments.append(
            {
                "name": name, "doctor": sheet.signer_name if sheet else "", "signed_at": _moment(sheet.signed_at) if sheet else "",
                "summary": _without_false_calm(
                    _uncritical(said, [items[r.result_id] for r in own], items.values()), _flagged(own, items), [judgements[r.result_id] for r in own], department=True
                ),
                "stale": bool(sheet and sheet.stale), "groups": groups,
            }
        )  # fmt: skip
    told = list(judgements.values())
    # What has no value is not judged: of all that was asked for, it is no part that is normal.
    without: list[Judgement] = ["open"] * len(rows.given_up) if told else []
    whole = [*told, *without]
    conclusions = _conclusions(entries, items, {r.result_id: r.alert for r in rows.results})
    unperformed = _unperformed(rows, items)
    left_out = sum(max(len(line["holds"]), 1) for line in unperformed)
    usual = not left_out and _all_usual(rows.results, judgements)
    sentence = _sentence(rows, judgements, whole, left_out)
    return {
        "hospital": {"name": hospital_name, "campus": head.campus_name, "phone": "", "address": ""},
        "exam": {"exam_no": head.exam_no, "date": head.exam_date.isoformat(), "package": head.package_name or ""},
        "person": {
            "name": head.name, "sex": _SEX.get(head.sex, ""), "age": age_text(head.birth_date, head.exam_date), "pregnant": bool(head.pregnant), "birth_date": head.birth_date.isoformat(),
            "id_number_masked": head.id_number_masked or "", "phone_masked": head.phone_masked or "",
            "guardians": head.guardians or "",
        },
        "photo": photo, "figures": _figures(conclusions, list(items.values()), told, left_out), "conclusions": conclusions,
        "overview": _overview(rows, conclusions, items, told, sentence),
        "overview_stale": closing is not None and closing.overview_stale, "sentence": sentence, "usual": usual,
        "abnormal": [_row(r, items) for r in abnormal],
        "others": _others(abnormal, entries, items),
        "undetermined": sum(item["flag"] == "undetermined" for item in items.values()), "described": told.count("described"),
        "all_judged_normal": all_judged_normal(whole), "some_judged_normal": "normal" in told,
        "departments": departments,
        "trends": [_trend(t) for t in _shown(trends)], "verify_url": verify_url,
        "unperformed": unperformed,
        "signatures": {
            "initial": {"name": closing.initial_name or "", "at": _moment(closing.initial_at)} if closing else {"name": "", "at": ""},
            "final": {"name": closing.final_name or "", "at": _moment(closing.final_at)} if closing else {"name": "", "at": ""},
        },
        "version": version, "watermark": watermark, "printed_at": _moment(printed_at),
    }  # fmt: skip


def _signed(results: Sequence[Any]) -> dict[str, str]:
    """Return by whom a laboratory says that a group was examined and verified, and when it last reported on it; nothing of what it did not say."""
    named = {
        who: "、".join(dict.fromkeys(name for row in results if (name := getattr(row, who))))
        for who in ("examined_by", "verified_by")
    }
    return named | {"reported_at": _moment(max((row.reported_at for row in results if row.reported_at), default=None))}


def _all_usual(results: Sequence[Any], judgements: Mapping[UUID, Judgement]) -> bool:
    """Say whether everything is as it should be: every value judged normal, every description read to its end and denying all it speaks of.

    A remark, words that nobody understood, what somebody had once, and what was not judged may need something: a person reads these.
    """
    return bool(results) and all(_is_usual(row, judgements[row.result_id]) for row in results)


def _is_usual(row: Any, judged: Judgement) -> bool:
    if row.remarks or _by_laboratory(row) or judged not in ("normal", "unasked", "described") or _asks_a_doctor(row):
        return False
    if judged == "normal" or (judged == "unasked" and row.kind in ("numeric", "computed")):
        return True
    said = read(row.raw_value or "", row.item_code, row.item_name)
    return not said.unread and all(one.assertion == "absent" for one in said.mentions)


def _asks_a_doctor(row: Any) -> bool:
    """Say whether words stand where a figure's range would: 孕期按孕周与本院试剂判断."""
    snapshot = row.range_snapshot or {}
    bounds = {snapshot.get("low"), snapshot.get("high")} - {None}
    return row.kind in ("numeric", "computed") and not row.flag and bool(snapshot.get("text")) and not bounds


def _sentence(
    rows: ReportSource, judgements: Mapping[UUID, Judgement], whole: Collection[Judgement], left_out: int
) -> str:
    """Return what stands where nothing is concluded: never calm beside what is not."""
    asking = [row for row in rows.results if _asks_a_doctor(row)]
    if not left_out and _all_usual([row for row in rows.results if row not in asking], judgements):
        departments = dict.fromkeys(row.department for row in rows.results)
        return nothing_needs_anything(list(departments), len(rows.results), [row.item_name for row in asking])
    beside = f"另有 {left_out} 项未检查，见“未检项目”。" if left_out and rows.results else ""
    return f"本次体检{sentence_of(whole)}。{beside}"


def _unperformed(rows: ReportSource, items: Mapping[UUID, Item]) -> list[dict[str, Any]]:
    """Return what was not examined, and why: lines that were set aside, values that say so, and what no value will come of.

    `holds`: the items of a line, where it holds others than itself; so that a row and the cover count the same.
    """
    found: list[dict[str, Any]] = [
        {
            "department": line.department, "name": line.name, "why": _UNPERFORMED[line.state],
            "holds": [] if list(line.holds) == [line.name] else list(line.holds),
        }
        for line in rows.unperformed
    ]  # fmt: skip
    found += [
        {"department": row.department, "name": row.item_name, "why": items[row.result_id]["value"], "holds": []}
        for row in rows.results
        if _unexamined(row)
    ]
    return found + [
        {"department": item.department, "name": item.name, "why": f"{_GIVEN_UP}：{item.reason}", "holds": []}
        for item in rows.given_up
    ]


def _item(row: Any) -> Item:
    open_ = _undetermined(row)
    flag = flag_shown(row.flag, row.alert, undetermined=open_)
    remarks = [chinese(remark) for remark in row.remarks or ()]
    if row.lab_alarm and row.flag not in ("HH", "LL"):
        remarks.append(CALLED_CRITICAL)
    if row.alert == "dismissed" and row.dismissed_for:
        remarks.append(f"危急值提示已由医生排除（{chinese(row.dismissed_for)}）")
    if differing := _by_laboratory(row):
        remarks.append(differing)
    value = row.raw_value or ""
    value = value if row.kind in ("numeric", "computed") else chinese(value)
    return {
        "name": row.item_name,
        "value": value,
        # What would be broken in the column of results has the rest of the row.
        "number": row.kind in ("numeric", "computed"),
        "long": sum(2 if ord(one) > _WIDE_FROM else 1 for one in value) > _COLUMN,
        "flag": flag,
        "judged": row.flag is not None,
        "unit": printed_unit(row.unit),
        "range": _range(row),
        "called": _called(row),
        "remarks": remarks,
    }


_LABORATORY_FLAGS = frozenset({"H", "L", "HH", "LL", "A", "AA"})


def _by_laboratory(row: Any) -> str:
    """Return how a laboratory flags a number that lies within our range, with its own range; nothing where it says the same."""
    flags = [flag for flag in (row.lis_flags or "").split() if flag in _LABORATORY_FLAGS]
    if not flags or row.flag != "" or row.kind not in ("numeric", "computed"):
        return ""
    theirs = chinese(row.lis_range_text or "")
    return f"检验科标 {'、'.join(flags)}" + (f"，检验科参考 {theirs}" if theirs and theirs != _range(row) else "")


def _judgement(row: Any) -> Judgement:
    """Return what became of a result: the input of every sentence and figure that may be calm."""
    kind = row.kind or "numeric"
    flag = "A" if not row.flag and row.alert == "standing" else row.flag
    return judgement(
        flag, undetermined=_undetermined(row), described=is_unjudged_text(kind, row.flag, row.raw_value or ""),
        unexamined=_unexamined(row),
    )  # fmt: skip


def _undetermined(row: Any) -> bool:
    return undetermined(row.kind or "numeric", row.flag, judged=row.judged is not False) and not _unexamined(row)


def _chosen(row: Any) -> tuple[str, ...]:
    return chosen(row.raw_value or "") if row.kind == "multi_select" else ()


def _unexamined(row: Any) -> bool:
    """Say whether a value says that nothing was examined: it stands among what was not, with its reason."""
    return not row.flag and unexamined(row.kind or "numeric", _chosen(row) or (row.raw_value or "",))


def _abnormal_flag(item: Mapping[str, Any]) -> bool:
    return item["flag"] not in ("", "undetermined")


def _critical(item: Mapping[str, Any]) -> bool:
    return bool(item["flag"].startswith("critical"))


@dataclass(frozen=True, slots=True)
class _Alert:
    """A critical value that came after what was signed, or of which nothing is concluded yet, in a preview: it has a card all the same, first."""

    title: str
    detail: str
    result_ids: Sequence[UUID]
    advice: str = ALERT_ADVICE
    lifestyle: str = ""
    kind: str = "finding"
    own_critical: bool = True
    only_words: bool = False
    soon: int | None = None
    stale: bool = False


def _alerts(rows: ReportSource, items: Mapping[UUID, Item]) -> list[_Alert]:
    concluded = {result_id for entry in rows.entries for result_id in entry.result_ids}
    critical = [row for row in rows.results if _critical(items[row.result_id])]
    alerts: dict[UUID, list[Any]] = {}
    for row in critical:
        for alert_id in row.alert_ids:
            alerts.setdefault(alert_id, []).append(row)
    named = list(alerts.values())
    left = [named[place] for place in uncited([[row.result_id for row in own] for own in named], concluded)]
    left += [[row] for row in critical if not row.alert_ids and row.result_id not in concluded]
    return [
        _Alert(
            alert_title(row.item_name for row in own),
            "；".join(_with_range(items[row.result_id]) for row in own),
            [row.result_id for row in own],
        )
        for own in left
    ]


def _telling(summary: str) -> str:
    """Return a department's summary, or nothing where it only says that the descriptions above it say all."""
    return "" if summary.rstrip("。") == _SEE_ABOVE else summary


def _with_range(item: Item) -> str:
    said = f"{item['name']} {item['value']}{' ' if item['unit'] else ''}{item['unit']}"
    return f"{said}，参考 {item['range']}" if item["range"] else said


_CALLED_CRITICAL = re.compile(re.escape(SAID_CRITICAL))


def _uncritical(text: str, own: Collection[Mapping[str, Any]], every: Collection[Mapping[str, Any]]) -> str:
    """Return words in which nothing is called critical that a person dismissed, or that is not critical any more.

    The mark is of the value whose name stands last before it. Of several results of that name those count that the words are about (`own`), and
    one that is critical keeps the mark; where no name stands before it nobody knows whose it is, and it stays.
    """
    if SAID_CRITICAL not in text:
        return text

    def is_calm(names: Collection[str]) -> bool:
        told = [r for r in own if r["name"] in names] or [r for r in every if r["name"] in names]
        return bool(told) and not any(_critical(r) for r in told)

    kept, at = [], 0
    for start, end, names in Spoken((r["name"], "") for r in every).beside(text, _CALLED_CRITICAL):
        if is_calm(names):
            kept.append(text[at:start])
            at = end
    return "".join([*kept, text[at:]])


def _conclusions(
    entries: Sequence[Any], items: Mapping[UUID, Item], alerts: Mapping[UUID, str | None]
) -> list[dict[str, Any]]:
    """Return what was concluded, criticals first, then diseases, each with the results it rests on; nothing is told twice.

    What only words of a description call grave, and what is advised for today, is `urgent`: no critical value, and nothing that waits.
    """
    linked = [
        Linked(
            entry.kind,
            critical_of_itself(entry.own_critical, [alerts[i] for i in entry.result_ids if i in alerts]),
            {i: _critical(items[i]) for i in entry.result_ids if i in items},
        )
        for entry in entries
    ]
    critical = critical_entries(linked)
    # What is to be done today stands before what has a week, and nobody who must act today reads a calm cover.
    urgent = {
        place
        for place, entry in enumerate(entries)
        if (
            place not in critical
            and not entry.stale
            and _is_for_today(entry.advice or "")
            and not _is_dismissed([alerts.get(i) for i in entry.result_ids])
        )
        or (place in critical and entry.only_words and not any(linked[place].results.values()))
    }
    soon = {place: entry.soon for place, entry in enumerate(entries) if entry.soon is not None}
    within = _told_within(entries, items, critical)
    order = [place for place in printed_order(linked, critical, urgent, soon) if place not in within]
    cited = [[{k: items[i][k] for k in ("name", "value", "unit", "flag")} for i in one.results] for one in linked]
    told: set[str] = set()
    # A sentence stands under the entry that is about it alone; what rests on several results lists them.
    details = {
        place: not_told_before(
            _uncritical(chinese(entries[place].detail or ""), cited[place], items.values()),
            told,
            [r["name"] for r in cited[place]],
        )
        for place in sorted(order, key=lambda place: len(cited[place]))
    }
    for place, whole in within.items():
        details[whole] = "；".join(filter(None, (details[whole], f"即{chinese(entries[place].title)}")))
    numbers = {place: number for number, place in enumerate(order, 1)}
    made: list[dict[str, Any]] = []
    for place in order:
        entry, detail, results = entries[place], details[place], cited[place]
        made.append(
            {
                "kind": entry.kind, "title": chinese(entry.title), "detail": detail,
                "advice": chinese(_beside_graver(entry, place, entries, {p: n for p, n in numbers.items() if p in urgent or p in critical})),
                "lifestyle": chinese(entry.lifestyle or ""), "level": "urgent" if place in urgent else "critical" if place in critical else "", "stale": entry.stale,
                "results": [r for r in results if not _said_in(detail, r)],
            }
        )  # fmt: skip
    return made


def _is_dismissed(alerts: Collection[str | None]) -> bool:
    """Say whether a person said of everything that something rests on that it is not critical."""
    return bool(alerts) and all(alert == "dismissed" for alert in alerts)


def _told_within(entries: Sequence[Any], items: Mapping[UUID, Item], critical: Collection[int]) -> dict[int, int]:
    """Return the places of findings that say of numbers what a critical entry says of the same ones, each with that one's: one value, one card.

    Only what advises nothing of its own: 血钾升高, see the alert, of 钾危急值. What is called a disease stays.
    """
    wholes = [place for place in critical if entries[place].advice == ALERT_ADVICE]
    found: dict[int, int] = {}
    for place, entry in enumerate(entries):
        ids = {i for i in entry.result_ids if i in items}
        if entry.advice != SEE_ALERT or entry.kind == "disease" or not ids or not all(items[i]["number"] for i in ids):
            continue
        whole = next((one for one in wholes if one != place and ids <= set(entries[one].result_ids)), None)
        if whole is not None:
            found[place] = whole
    return found


def _beside_graver(entry: Any, place: int, entries: Sequence[Any], graver: Mapping[int, int]) -> str:
    """Return what is advised of an entry; of one that gives way to graver words of its organ, where these stand: today is said once.

    `graver`: the numbers of what is critical or urgent, by place.
    """
    if entry.advice != GIVES_WAY:
        return entry.advice or ""
    words = [one for one in graver if one != place and entries[one].only_words]
    same = [one for one in words if not set(entries[one].result_ids).isdisjoint(entry.result_ids)]
    said = "、".join(str(number) for number in sorted(graver[one] for one in same or words))
    return f"同一部位另有须尽快处理的内容，见第 {said} 条；就诊时请医生一并判断。" if said else entry.advice


def _is_for_today(advice: str) -> bool:
    """Say whether advice asks for today by itself: what only refers to something graver is not counted beside it."""
    return advice not in (GIVES_WAY, SEE_ALERT) and asks_today(advice)


def _said_in(detail: str, result: Mapping[str, Any]) -> bool:
    """Say whether a detail tells of a result with its value, in whatever spelling, so that it need not stand beside it again."""
    name, value, text = folded(result["name"]), result["value"], folded(detail)
    spellings = {name + folded(one) for one in (value, finding(value))}
    # A value of several parts has the mark that parts are told by.
    return any(
        (at := text.find(said)) >= 0
        and text[at - 1 : at] in ("", ";")
        and text[at + len(said) :][:1] not in (*"0123456789.",)
        for said in spellings
    ) or any(part.startswith(f"{name}:") for part in text.split(";"))


_LEVELS = {"critical": "危急：{}，请立即就医。", "urgent": "须尽快处理：{}，请今天就与本院联系。"}
"""What an overview says of what it does not name itself."""


def _overview(
    rows: ReportSource,
    conclusions: Sequence[Mapping[str, Any]],
    items: Mapping[UUID, Item],
    judgements: Collection[Judgement],
    sentence: str,
) -> str:
    """Return the reviewer's words; a numbered list in the order and under the numbers of the conclusions that follow, criticals first.

    `judgements`: of what has a value; `sentence`: what stands in place of a machine's words where nothing is concluded.
    """
    said = (rows.conclusion.overview or "") if rows.conclusion is not None else ""
    titles = [entry["title"] for entry in conclusions]
    if said and made_by_machine(said, [entry.title for entry in rows.entries]):
        return overview_of(titles) if titles else sentence
    told = as_numbered(_without_false_calm(said, _flagged(rows.results, items), judgements), titles)
    unsaid = [
        f"{_LEVELS[entry['level']].format(entry['title'])}"
        for entry in conclusions
        if said and entry["level"] and entry["title"] not in told
    ]
    return "\n".join([*unsaid, *([told] if told else [])])


def _flagged(rows: Iterable[Any], items: Mapping[UUID, Item]) -> list[tuple[str, str]]:
    """Return what is flagged, by name and code."""
    return [(row.item_name, row.item_code) for row in rows if _abnormal_flag(items[row.result_id])]


def _without_false_calm(
    text: str, flagged: Collection[tuple[str, str]], judgements: Collection[Judgement], *, department: bool = False
) -> str:
    """Return words, less the lines that call everything, or what is flagged, normal where something is flagged or nobody judged it."""
    said = chinese(text)
    if not forbids_calm(judgements) or not says_all_normal(said, department=department, flagged=flagged):
        return said
    kept = [line for line in said.splitlines() if not says_all_normal(line, department=department, flagged=flagged)]
    # What is called the rest stands beside something that is named; where nothing is left, neither does it.
    if says_all_normal("\n".join(kept), department=department, flagged=flagged):
        kept = []
    return "\n".join([*kept, f"{sentence_of(judgements)}。"])


def _figures(
    conclusions: Sequence[Any], items: Collection[Item], judgements: Sequence[Judgement], unperformed: int
) -> list[dict[str, str]]:
    """Return the figures of the cover: what was not examined or not judged, and what cannot wait, only where there is any.

    Of items: examined, abnormal, not examined, not judged. Of conclusions: all, and those to be seen to at once or today. Where nothing was examined,
    no 0 of anything abnormal stands there: it would read as health.
    """
    abnormal = sum(_abnormal_flag(item) for item in items)
    critical, urgent = (sum(entry["level"] == level for entry in conclusions) for level in ("critical", "urgent"))
    unjudged = judgements.count("open")
    examined = len(judgements) - judgements.count("unexamined")
    figures = [("检查项目", examined, "")]
    if examined:
        figures += [("异常结果", abnormal, ""), ("主检结论", len(conclusions), "")]
    if unperformed:
        figures.append(("未检项目", unperformed, ""))
    if unjudged:
        figures.append(("未判定", unjudged, ""))
    if urgent:
        figures.append(("须尽快处理", urgent, "critical_high"))
    if critical:
        figures.append(("须立即就医", critical, "critical_high"))
    return [{"label": label, "value": str(value), "flag": flag} for label, value, flag in figures]


def _shown(trends: Sequence[TrendOut]) -> Sequence[TrendOut]:
    """Return what is charted: what was flagged at any time, and what everybody asks about; eight at most."""
    asked = [t for t in trends if t.item_code in _KEY_ITEMS or any(p.flag for p in t.points)]
    return sorted(asked, key=lambda t: not any(p.flag for p in t.points))[:_MOST_CHARTS]


def _trend(trend: TrendOut) -> dict[str, Any]:
    return {
        "name": trend.item_name, "unit": printed_unit(trend.unit or ""), "change": _change(trend.change), "low": trend.low, "high": trend.high,
        "points": chart(trend)["points"],
    }  # fmt: skip


def _change(difference: str | None) -> str:
    if difference is None:
        return ""
    number = Decimal(difference)
    if not number:
        return "持平"
    return f"{'↑' if number > 0 else '↓'} {abs(number):f}"


def _department_of(row: Any) -> tuple[int, int, str]:
    return row.department_sort, row.department_id, row.department


def _row(row: Any, items: Mapping[UUID, Mapping[str, Any]]) -> dict[str, Any]:
    item = dict(items[row.result_id])
    return {"department": row.department, "item": item.pop("name"), **item}


def _others(abnormal: Sequence[Any], entries: Sequence[Any], items: Mapping[UUID, Item]) -> list[dict[str, Any]]:
    """Return what is flagged and under no entry; of a value of several choices those that none of the entries that rest on it names."""
    found = []
    for row in abnormal:
        resting = [entry for entry in entries if row.result_id in entry.result_ids]
        told, parts = [f"{entry.title}\n{entry.detail or ''}" for entry in resting], _chosen(row)
        usual = (row.range_snapshot or {}).get("normal_texts") or ()
        left = untold(parts, usual, told) if parts else ()
        if not resting:
            found.append(_row(row, items))
        elif left:
            # What of it is critical has its own entry.
            grave = _critical(items[row.result_id]) and not any(entry.own_critical for entry in resting)
            flag = items[row.result_id]["flag"] if grave else "abnormal"
            found.append(_row(row, items) | {"value": chinese(";".join(left)), "flag": flag, "long": False})
    return found


def _called(row: Any) -> str:
    """Return who calls a result abnormal beside which no range is printed."""
    return called_by(row.flag, ranged=bool(_range(row)), by_person=row.by_person, marked=bool(row.lis_flags))


def _range(row: Any) -> str:
    snapshot = row.range_snapshot
    if not snapshot:
        return chinese(row.lis_range_text or "")
    low, high = snapshot.get("low"), snapshot.get("high")
    if low is not None and high is not None:
        return f"{low}–{high}"
    if high is not None:
        return f"≤ {high}"
    if low is not None:
        return f"≥ {low}"
    return _normal_choices(row, snapshot.get("normal_texts") or ()) or chinese(snapshot.get("text") or "")


def _normal_choices(row: Any, normal: Collection[str]) -> str:
    """Return every choice of an item that is normal: 从不、偶尔; nothing where there is one, or where there are too many to print."""
    usual = {finding(one) for one in normal}
    found = [choice for choice in row.choices or () if finding(choice) in usual and not not_examined(choice)]
    return "、".join(found) if 1 < len(found) <= _MOST_NORMAL_WORDS else ""


def _moment(moment: datetime | None) -> str:
    return moment.astimezone(HOSPITAL_ZONE).strftime("%Y-%m-%d %H:%M") if moment else ""
