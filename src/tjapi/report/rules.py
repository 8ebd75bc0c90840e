"""States of a report; what differs between two versions."""

import hashlib
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from tjapi.knowledge.words import after_list_number
from tjapi.result.rules.choices import folded

ReportState = Literal["rendering", "failed", "generated", "sealed", "published", "superseded", "recalled"]
ReportFlag = Literal["", "high", "low", "critical_high", "critical_low", "critical", "abnormal", "undetermined"]
Verdict = Literal["genuine", "outdated", "superseded", "recalled", "unknown"]
"""What became of a printed report. Outdated: it is genuine, and a result that came or changed afterwards is being worked in."""
VERDICTS: dict[str, Verdict] = {
    "published": "genuine",
    "outdated": "outdated",
    "superseded": "superseded",
    "recalled": "recalled",
}
MOVES: dict[str, frozenset[str]] = {
    "rendering": frozenset({"generated", "failed"}),
    "failed": frozenset(),
    "generated": frozenset({"sealed", "failed"}),
    "sealed": frozenset({"published", "failed"}),
    "published": frozenset({"superseded", "recalled"}),
    "superseded": frozenset(),
    "recalled": frozenset(),
}

ReportFailure = Literal[
    "results_changed",
    "no_seal",
    "seal_invalid",
    "not_rendered",
    "reviewed_again",
    "person_changed",
    "consent_withdrawn",
]
"""Why a version did not come to be."""
FAILURES = (
    "results_changed", "no_seal", "seal_invalid", "not_rendered", "reviewed_again", "person_changed", "consent_withdrawn",
)  # fmt: skip

ReportKind = Literal["main", "private"]
"""The report of an exam, and the one of its private items, which is sealed by itself and handed to the person alone."""
ChangeSection = Literal["person", "result", "conclusion", "overview", "unperformed", "signature"]
ChangeKind = Literal["added", "removed", "changed"]

_ARROWS = {
    "high": " ↑",
    "low": " ↓",
    "critical_high": " ↑ 危急",
    "critical_low": " ↓ 危急",
    "critical": " 危急",
    "abnormal": " 异常",
    "undetermined": " 未判定",
}


KINDS = ("disease", "finding", "risk")
"""疾病 → 阳性发现 → 危险因素 (主检报告撰写共识)."""


def flag_shown(flag: str | None, alert: str | None, *, undetermined: bool) -> ReportFlag:
    """Return the mark of a result: that of its flag, critical while an alert of class A stands, never critical once a person dismissed it.

    `alert`: None, `standing` or `dismissed`. So the list of critical values and the report cannot contradict each other.
    """
    mark = _FLAGS.get(flag or "", "")
    if alert == "standing":
        return _CRITICAL.get(mark, "critical")
    if alert == "dismissed":
        mark = _ORDINARY.get(mark, mark)
    return "undetermined" if undetermined and not mark else mark


_FLAGS: Mapping[str, ReportFlag] = {
    "H": "high",
    "L": "low",
    "HH": "critical_high",
    "LL": "critical_low",
    "A": "abnormal",
}
_CRITICAL: Mapping[str, ReportFlag] = {
    "high": "critical_high", "low": "critical_low", "critical_high": "critical_high", "critical_low": "critical_low",
}  # fmt: skip
_ORDINARY: Mapping[str, ReportFlag] = {"critical_high": "high", "critical_low": "low"}

_HEADING = re.compile(r"[：:]\s*$|^\s*(?:【|[一二三四五六七八九十]+、)")


def as_numbered(text: str, titles: Sequence[str]) -> str:
    """Return an overview whose numbered lines are in the order and under the numbers of the cards that follow it.

    A line belongs to the card whose title it says. One that is about none of them loses its number, which would be another card's. What
    bears no list number is left word for word, after what it follows; numbered lines stay under their heading.
    """
    sections: list[tuple[list[str], list[tuple[int, list[str]]]]] = [([], [])]
    taken: set[int] = set()
    for line in text.splitlines():
        said = after_list_number(line)
        before, blocks = sections[-1]
        if said is None:
            if blocks and _HEADING.search(line):
                sections.append(([line], []))
            else:
                (blocks[-1][1] if blocks else before).append(line)
            continue
        places = [i for i, title in enumerate(titles) if title and title in said and i not in taken]
        place = max(places, key=lambda i: (titles[i] == said, len(titles[i])), default=len(titles))
        taken.add(place)
        blocks.append((place, [said]))
    told: list[str] = []
    for before, blocks in sections:
        told += before
        for place, (first, *more) in sorted(blocks, key=lambda block: block[0]):
            told += [f"{place + 1}. {first}" if place < len(titles) else f"· {first}", *more]
    return "\n".join(told)


@dataclass(frozen=True, slots=True)
class Linked:
    """An entry of a conclusion: its kind, whether a rule of class A that still holds makes it critical, and its results, by id: whether each is critical."""

    kind: str
    critical: bool
    results: Mapping[UUID, bool]


def critical_of_itself(by_rule: bool, alerts: Collection[str | None]) -> bool:
    """Say whether an entry is critical by a rule of class A that still holds: not where a person dismissed what its results alarmed of.

    `alerts`: of each of its results None, `standing` or `dismissed`. One that stands is enough; where none was ever raised the rule decides.
    """
    return by_rule and ("standing" in alerts or "dismissed" not in alerts)


def critical_entries(entries: Sequence[Linked]) -> frozenset[int]:
    """Return the places of the entries that are critical themselves: by their own rule, or because a critical result is theirs.

    What an entry that is critical by itself rests on is told there, and no other entry is critical for it. Else a critical result belongs
    to the entry that rests on the fewest results: 血糖显著升高 owns its glucose, 代谢综合征 only cites it. Where nothing else was concluded
    of it, whoever cites it owns it: no critical value is without a critical conclusion for being shared.
    """
    grave = {place for place, entry in enumerate(entries) if entry.critical}
    found = set(grave)
    for result_id in {i for entry in entries for i, critical in entry.results.items() if critical}:
        citing = {place: len(entry.results) for place, entry in enumerate(entries) if result_id in entry.results}
        if grave & citing.keys():
            continue
        least = min(citing.values())
        found |= {place for place, size in citing.items() if size == least}
    return frozenset(found)


def printed_order(
    entries: Sequence[Linked],
    critical: Collection[int],
    urgent: Collection[int] = (),
    soon: Mapping[int, int] | None = None,
) -> list[int]:
    """Return the places of entries as they are printed: criticals, then diseases, positive findings, risk factors; within these as they stood.

    `urgent`: what only words call grave (part of `critical`) or what is advised for today; it follows what is critical. `soon`: the days within
    which somebody is to be seen for what is grave by the knowledge base; that stands before what is chronic, the shortest first.
    """
    days = soon or {}

    def rank(place: int) -> tuple[int, int]:
        kind = KINDS.index(entries[place].kind)
        if place in urgent or place in critical:
            return (1 if place in urgent else 0), kind
        return (2, days[place]) if place in days else (3, kind)

    return sorted(range(len(entries)), key=rank)


def uncited(alerts: Sequence[Collection[UUID]], cited: Collection[UUID]) -> list[int]:
    """Return the places of the alerts, each the results that it names, of which no entry rests on all: those that name most first.

    What names several results tells of each of them, so that an alert of one of these alone is not told again.
    """
    said = set(cited)
    places = []
    for place in sorted(range(len(alerts)), key=lambda place: -len(alerts[place])):
        if not said.issuperset(alerts[place]):
            places.append(place)
            said.update(alerts[place])
    return places


def not_told_before(detail: str, told: set[str], names: Collection[str]) -> str:
    """Return a detail without those parts about its results that stand word for word under an entry before; `told` learns what is said.

    A result whose part is left out still stands among the results of the entry.
    """
    parts, own = detail.split("；"), [folded(name) for name in names]
    kept = [part for part in parts if part not in told or not any(folded(part).startswith(name) for name in own)]
    told.update(parts)
    return "；".join(kept)


_MOST_NAMED = 6


def nothing_needs_anything(departments: Sequence[str], examined: int, by_doctor: Sequence[str] = ()) -> str:
    """Return what somebody is told of whom everything that was examined is as it should be: what that was, and that it says nothing of the rest.

    `by_doctor`: of what a doctor alone can say whether it is, which is named; then nobody is told that nothing needs anything.
    """
    where = _enumerated(departments, "个科室")
    found = "所检项目未见明显异常，没有需要处理的发现。"
    if by_doctor:
        found = f"已判定的项目未见明显异常；{_enumerated(by_doctor, '项')}没有可直接对照的参考范围，请由医生判断。"
    return f"本次体检在{where}共检查 {examined} 项，{found}这只说明所检项目当时的情况，没有检查的不在其中；如有不适，请及时就诊。"


def _enumerated(names: Sequence[str], unit: str) -> str:
    named = "、".join(names[:_MOST_NAMED])
    return f"{named}等 {len(names)} {unit}" if len(names) > _MOST_NAMED else named


def masked_name(name: str) -> str:
    """Return a name of which the first character is left: 张*, 欧**; never how long a long one is."""
    return name[:1] + "*" * min(len(name) - 1, 2)


def proof(data: Mapping[str, Any]) -> dict[str, str]:
    """Return what a holder of the paper may compare with it, and nothing else that is personal."""
    return {
        "name": masked_name(data["person"]["name"]), "exam_no": data["exam"]["exam_no"], "exam_date": data["exam"]["date"],
        "digest": data["digest"],
    }  # fmt: skip


def chart(trend: Any) -> dict[str, Any]:
    """Return the name and the points of a trend as a report prints them, oldest first; no alert speaks of values of other days."""
    points = [
        {"label": p.exam_date.isoformat(), "value": p.value, "flag": _FLAGS.get(p.flag or "", "")}
        for p in reversed(trend.points)
    ]
    return {"name": trend.item_name, "points": points}


def outlived(printed: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what charts print of earlier exams and holds no longer; the last point of each is the exam's own.

    A point that was printed is to be there still, and the one that the exam is compared with is to be the last one before it. What is known of
    earlier exams besides, and was never printed, makes nothing untrue.
    """
    past = {chart["name"]: _before(chart) for chart in now}
    gone: list[str] = []
    for chart in printed:
        was, held = _before(chart), past.get(chart["name"], [])
        lost = [point for point in was if point not in held]
        if not lost and was[-1:] != held[-1:]:
            lost = was[-1:]
        gone += [f"{chart['name']} {label} {value}" for label, value, _ in lost]
    return gone


def _before(chart: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    return [(p["label"], p["value"], p["flag"]) for p in chart["points"][:-1]]


def content_digest(data: Mapping[str, Any]) -> str:
    """Return what is printed to compare a paper with what was sealed: sixteen hexadecimal digits in fours, of all that the report says."""
    said = {key: value for key, value in data.items() if key != "digest"}
    plain = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    return fours(hashlib.sha256(plain).hexdigest())


def fours(digest: str) -> str:
    """Return the beginning of a digest as people compare it: 9F86 D081 884C 7D65."""
    return " ".join(re.findall("....", digest[:16].upper()))


def changes(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> list[tuple[ChangeSection, ChangeKind, str, str | None, str | None]]:
    """Return what differs between the data of two versions: section, kind, name, text before, text after; in the order of the later one."""
    old, new = dict(_told(before)), dict(_told(after))
    found: list[tuple[ChangeSection, ChangeKind, str, str | None, str | None]] = []
    for key in [*new, *(k for k in old if k not in new)]:
        was, now = old.get(key), new.get(key)
        if was != now:
            kind: ChangeKind = "added" if was is None else "removed" if now is None else "changed"
            found.append((key[0], kind, key[1], was, now))
    return found


def _told(data: Mapping[str, Any]) -> Iterator[tuple[tuple[ChangeSection, str, int], str]]:
    """Yield every statement of a report under a name that it keeps from version to version; like names are numbered."""
    seen: dict[tuple[ChangeSection, str], int] = {}

    def under(section: ChangeSection, name: str, text: str) -> tuple[tuple[ChangeSection, str, int], str]:
        seen[section, name] = number = seen.get((section, name), 0) + 1
        return (section, name, number), text

    for name in ("name", "sex", "birth_date", "age"):
        yield under("person", name, data["person"][name])
    if data["overview"]:
        yield under("overview", "overview", data["overview"])
    for entry in data["conclusions"]:
        yield under(
            "conclusion",
            entry["title"],
            "\n".join(filter(None, (entry["detail"], entry["advice"], entry["lifestyle"]))),
        )
    for department in data["departments"]:
        for group in department["groups"]:
            for item in group["items"]:
                unit, bounds = (
                    f" {item['unit']}" if item["unit"] else "",
                    f"（{item['range']}）" if item["range"] else "",
                )
                text = f"{item['value']}{unit}{_ARROWS.get(item['flag'], '')}{bounds}"
                yield under("result", " / ".join((department["name"], group["name"], item["name"])), text)
        if department["summary"]:
            yield under("result", f"{department['name']} / 小结", department["summary"])
    for line in data.get("unperformed", ()):
        yield under("unperformed", f"{line['department']} / {line['name']}", line["why"])
    for role in ("initial", "final"):
        signed = data["signatures"][role]
        yield under("signature", role, f"{signed['name']} {signed['at']}".strip())
