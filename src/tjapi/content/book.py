"""The content book: every range, rule and advice as a chief physician reads and signs it, page by page. Pure: data for `report_templates/content_book`."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from tjapi.catalog.citing import Citing
from tjapi.catalog.schemas import Starter, StarterRange
from tjapi.content.checking import unverified
from tjapi.knowledge.criticality import clocks_of
from tjapi.knowledge.phrasing import in_words
from tjapi.knowledge.rules import FindingKind
from tjapi.knowledge.schemas import ContentIn, FindingIn
from tjapi.knowledge.words import printed_unit

_KINDS: Mapping[FindingKind, str] = {"disease": "疾病", "finding": "阳性发现", "risk": "危险因素"}
_COUNTED = {
    "ranges": "参考区间", "limits": "可信界限", "units": "单位换算", "findings": "发现与建议", "rules": "发现的规则", "critical": "危急值与重要异常",
}  # fmt: skip
_SIGNED_BY = ("编写", "检验科负责人", "主检医师")
_SEXES = {"any": "", "male": "男", "female": "女"}
_AGES = {"d": "天", "w": "周", "m": "个月", "y": "岁"}


def book(
    catalog: Starter, content: ContentIn, *, hospital: str, edition: str, note: str, sha256: str, printed: date,
    signed: Mapping[str, tuple[str, date]],
) -> dict[str, Any]:  # fmt: skip
    """Return the data of the content book. `signed` says who signed as 编写, 检验科负责人, 主检医师, and when."""
    names = {item.code: item.name for item in catalog.items}
    called_so = {finding.code: finding.name for finding in content.findings}
    conditions: dict[str, list[str]] = {}
    for rule in content.rules:
        conditions.setdefault(rule.finding, []).append(in_words(rule.condition, names))
    counted = unverified(catalog, content)
    return {
        "hospital": {"name": hospital}, "edition": edition, "printed_at": printed.isoformat(), "note": note, "sha256": sha256,
        "counts": [{"name": name, "unverified": str(counted[kind][0]), "rows": str(counted[kind][1])} for kind, name in _COUNTED.items()],
        "signatures": [
            {"role": role, "name": signed[role][0] if role in signed else "", "day": signed[role][1].isoformat() if role in signed else ""}
            for role in _SIGNED_BY
        ],
        "clocks": _clocks(content),
        "ranges": [
            {"name": item.name, "unit": printed_unit(item.unit or ""), "rows": [_range(one) for one in item.ranges]}
            for item in sorted(catalog.items, key=lambda item: item.sort)
            if item.ranges
        ],
        "criticals": [
            {"code": rule.code, "name": rule.name, "level": rule.important_class, "condition": in_words(rule.condition, names),
             "action": rule.action, "source": _source(rule), "read": _read(verified=rule.verified)}
            for rule in sorted(content.critical, key=lambda rule: (rule.important_class, rule.code))
        ],
        "findings": [
            _finding(finding, conditions.get(finding.code, ()), called_so, names)
            for finding in sorted(content.findings, key=lambda finding: (-finding.importance, finding.code))
        ],
    }  # fmt: skip


def _finding(
    finding: FindingIn, conditions: Sequence[str], names: Mapping[str, str], items: Mapping[str, str]
) -> dict[str, Any]:
    return {
        "code": finding.code, "name": finding.name, "kind": _KINDS[finding.kind], "icd10": finding.icd10 or "",
        "level": finding.important_class or "", "see": finding.see or "",
        "recheck": f"{finding.recheck_days} 天内复查" if finding.recheck_days else "", "conditions": list(conditions),
        "advice": finding.advice, "lifestyle": finding.lifestyle, "outranks": "、".join(names.get(code, code) for code in finding.outranks),
        "source": _source(finding), "read": _read(verified=finding.verified),
        "variants": [
            {"when": in_words(one["when"], items), "advice": one.get("advice", ""), "lifestyle": one.get("lifestyle", ""),
             "recheck": f"{one['recheck_days']} 天内复查" if "recheck_days" in one else ""}
            for one in finding.variants
        ],
    }  # fmt: skip


def _clocks(content: ContentIn) -> str:
    clocks = clocks_of(content.clocks)
    seen = "，".join(f"{level} 类 {minutes} 分钟内须有人处理" for level, minutes in (("A", clocks.a), ("B", clocks.b)))
    return f"{seen}；逾期每 {clocks.again} 分钟提醒，共 {clocks.levels} 级，最高级每 {clocks.highest_again} 分钟。"


def _range(one: StarterRange) -> dict[str, str]:
    critical = "，".join(
        f"{sign} {bound}" for sign, bound in (("≤", one.critical_low), ("≥", one.critical_high)) if bound is not None
    )
    return {
        "whom": _whom(one), "range": one.text or "、".join(one.normal_texts or ()) or _between(one.low, one.high), "critical": critical,
        "source": "；".join(dict.fromkeys(part for part in (_source(one), one.critical_source) if part)), "read": _read(verified=one.verified),
    }  # fmt: skip


def _source(row: Citing) -> str:
    """Return where a row comes from, and since when that is in force."""
    since = row.cite.words if row.cite is not None else ""
    return f"{row.source}〔{since}〕" if since else row.source


def _between(low: Decimal | None, high: Decimal | None) -> str:
    if low is not None and high is not None:
        return f"{low}–{high}"
    return f"≥ {low}" if low is not None else f"≤ {high}" if high is not None else ""


def _whom(one: StarterRange) -> str:
    ages = [
        f"满 {_age(one.age_from)}" if one.age_from else "",
        f"至 {_age(one.age_to)}" if one.age_to else "",
    ]
    return (
        "，".join(part for part in (_SEXES[one.sex], "孕期" if one.pregnant else "", "".join(ages), one.method) if part)
        or "任何人"
    )


def _age(age: str) -> str:
    return f"{age[:-1]} {_AGES[age[-1]]}"


def _read(*, verified: bool) -> str:
    return "已核" if verified else "未核"
