"""The shipped and the hospital's medical content, held against itself: what is missing, what cannot be right, what harms. Pure.

`check` answers with faults; what nobody has read in its source is no fault and is counted by `unverified`. `tjapi content` prints both.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from tjapi.catalog.citing import Citation, register
from tjapi.catalog.coverage import gaps, miscoded
from tjapi.catalog.readings import (
    Reading,
    grade_of,
    is_read,
    of_item,
    of_limit,
    of_range,
    of_standard,
    of_unit,
    readings,
)
from tjapi.catalog.rules import range_for
from tjapi.catalog.schemas import RangeIn, Starter, StarterItem, StarterRange
from tjapi.knowledge import service as knowledge
from tjapi.knowledge.readings import of_critical, of_finding, of_rule
from tjapi.knowledge.rules import Case, Known, evaluate, items_of, leaves
from tjapi.knowledge.schemas import ContentIn, CriticalRuleIn, RuleIn


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a row: which check saw it, where the row is, and what it is, in Chinese and English."""

    check: str
    at: str
    zh: str
    en: str


def check(
    catalog: Starter, content: ContentIn, on: date | None = None, read: Sequence[Reading] | None = None
) -> list[Fault]:
    """Hold the items and the knowledge against each other; an empty list is a content that hangs together.

    `on`: the day on which it is to be in force, and its standards with it; None asks nothing of days. `read`: what was read of its sources,
    as shipped; a hospital's own content has none.

    It does not say that a row is right: that its number is the standard's, only who has read the standard can say.
    """
    items = {item.code: item for item in catalog.items}
    return [
        *_codes(content, items),
        *_doubles(content),
        *_idle(content),
        *_unreachable(content, items),
        *_alarms_of_the_healthy(content, catalog),
        *_ranges(catalog),
        *_terms(catalog, content),
        *_orphans(catalog),
        *(_withdrawn(catalog, content, on) if on is not None else ()),
        *misread(catalog, content, readings() if read is None else read),
    ]


def unverified(catalog: Starter, content: ContentIn) -> dict[str, tuple[int, int]]:
    """Return, by kind of row, how many nobody has read in their source, and how many there are."""
    rows: Mapping[str, Sequence[bool]] = {
        "ranges": [one.verified for item in catalog.items for one in item.ranges],
        "limits": [limit.verified for limit in catalog.limits],
        "units": [unit.verified for unit in catalog.units],
        "findings": [finding.verified for finding in content.findings],
        "rules": [rule.verified for rule in content.rules],
        "critical": [rule.verified for rule in content.critical],
    }
    return {kind: (sum(not one for one in held), len(held)) for kind, held in rows.items()}


def graded(catalog: Starter, content: ContentIn) -> dict[str, tuple[int, int, int]]:
    """Return, by kind of what can be read, how much was read in the source itself, how much where somebody quotes it, and how much there is."""
    counts: dict[str, list[int]] = {}
    for key, figures in _readable(catalog, content):
        held = counts.setdefault(key.split("/", 1)[0], [0, 0, 0])
        grade = grade_of(key, figures)
        held[0] += grade == "primary"
        held[1] += grade == "secondary"
        held[2] += 1
    return {kind: (one, two, all_) for kind, (one, two, all_) in counts.items()}


def _readable(catalog: Starter, content: ContentIn) -> Iterator[tuple[str, str]]:
    """Yield whatever of the content can be read in a source, and its figures as they are now."""
    for item in catalog.items:
        yield from of_item(item).items()
        for one in item.ranges:
            yield from of_range(RangeIn.key_of(item.code, one), one).items()
    for limit in catalog.limits:
        yield from of_limit(limit).items()
    for unit in catalog.units:
        yield from of_unit(unit).items()
    for said, standard in register().items():
        yield from of_standard(said, standard).items()
    for finding in content.findings:
        yield from of_finding(finding).items()
    for rule in content.rules:
        yield from of_rule(rule).items()
    for alarm in content.critical:
        yield from of_critical(alarm).items()


def misread(catalog: Starter, content: ContentIn, read: Sequence[Reading]) -> Iterator[Fault]:
    """Yield readings of rows that are not there, or whose figures are others by now; and rows that say of themselves what nobody has read."""
    if not read:
        return
    now: dict[str, set[str]] = {}
    for key, figures in _readable(catalog, content):
        now.setdefault(key, set()).add(figures)
    for one in read:
        for key, figures in one.rows.items():
            if key not in now:
                yield Fault("readings", key, f"{one.code} 所读的行不存在", f"{one.code} read it, and it is not there")
            elif figures not in now[key]:
                shown = "、".join(sorted(now[key]))
                yield Fault(
                    "readings", key, f"{one.code} 读到 {figures},现为 {shown},须重新核对",
                    f"{one.code} read {figures}; it is {shown} now, which somebody has to read",
                )  # fmt: skip
    yield from _contradicted(catalog, content)


_UNREAD = "未核原文"
"""What a source says of itself while nobody has read it."""


def _contradicted(catalog: Starter, content: ContentIn) -> Iterator[Fault]:
    """Yield rows whose words and whose readings say different things: read and called unread, or called verified and never read."""
    rows: list[tuple[str, dict[str, str], Any]] = [
        *(
            (f"ranges/{key}", of_range(key, one), one)
            for item in catalog.items
            for one in item.ranges
            for key in [RangeIn.key_of(item.code, one)]
        ),
        *((f"limits/{row.item}", of_limit(row), row) for row in catalog.limits),
        *((f"units/{row.item}|{row.unit}", of_unit(row), row) for row in catalog.units),
        *((f"findings/{row.code}", of_finding(row), row) for row in content.findings),
        *((f"rules/{row.code}", of_rule(row), row) for row in content.rules),
        *((f"critical/{row.code}", of_critical(row), row) for row in content.critical),
    ]
    for at, said, row in rows:
        if row.verified and not is_read(said):
            yield Fault("readings", at, "标为已核,却无核对记录", "it says that it is verified, and nobody has read it")
        for words, of in _sourced(said, row):
            if is_read(of) and _UNREAD in words:
                yield Fault(
                    "readings",
                    at,
                    f"已有核对记录,来源仍写 {_UNREAD}",
                    "it was read, and its source says that it was not",
                )


def _sourced(said: dict[str, str], row: Any) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each source that a row names with what is to be read there: critical bounds have one of their own."""
    bounds = {key: figures for key, figures in said.items() if key.startswith("bounds/")}
    yield row.source, {key: figures for key, figures in said.items() if key not in bounds}
    if bounds:
        yield row.critical_source or "", bounds


def _rules(content: ContentIn) -> Iterator[tuple[str, RuleIn | CriticalRuleIn]]:
    yield from ((f"rules/{rule.code}", rule) for rule in content.rules)
    yield from ((f"critical/{rule.code}", rule) for rule in content.critical)


# --- the language: codes that lead nowhere, examples that do not hold ---


def _codes(content: ContentIn, items: Mapping[str, StarterItem]) -> Iterator[Fault]:
    for at, code in content.faults():
        yield Fault("codes", at.lstrip("/"), f"{code} 重复或不存在", f"{code} is there twice, or not at all")
    for wrong in knowledge.unit_faults(content, {code: item.unit for code, item in items.items()}):
        yield Fault("units", wrong.pointer.lstrip("/"), wrong.zh, wrong.en)
    for wrong in knowledge.faults(content, frozenset(items)):
        yield Fault("examples", wrong.pointer.lstrip("/"), wrong.zh, wrong.en)


# --- one thing under two names ---


def _doubles(content: ContentIn) -> Iterator[Fault]:
    """Findings of one name, and rules of one condition that find different things."""
    names = Counter(finding.name for finding in content.findings)
    for finding in content.findings:
        if names[finding.name] > 1:
            yield Fault(
                "doubles",
                f"findings/{finding.code}",
                f"名称 {finding.name} 有多条",
                f"several are called {finding.name}",
            )
    first: dict[str, str] = {}
    for rule in content.rules:
        other = first.setdefault(repr(rule.condition), rule.finding)
        if other != rule.finding:
            yield Fault(
                "doubles", f"rules/{rule.code}", f"与 {other} 的条件相同", f"its condition is that of a rule of {other}"
            )


def _idle(content: ContentIn) -> Iterator[Fault]:
    """Findings that no rule makes, and findings that outrank each other in a circle: none of them would be listed."""
    made = {rule.finding for rule in content.rules}
    outranks = {finding.code: set(finding.outranks) for finding in content.findings}
    for finding in content.findings:
        at = f"findings/{finding.code}"
        if finding.code not in made:
            yield Fault("idle", at, "没有规则得出此发现", "no rule finds it")
        if finding.code in _below(finding.code, outranks):
            yield Fault("idle", at, "互相取代,均不会列出", "they outrank each other in a circle")


def _below(code: str, outranks: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    left = list(outranks.get(code, ()))
    while left:
        one = left.pop()
        if one not in found:
            found.add(one)
            left += outranks.get(one, ())
    return found


# --- rules that can never hold ---


def _unreachable(content: ContentIn, items: Mapping[str, StarterItem]) -> Iterator[Fault]:
    """Rules that ask for flags none of which a range of the item can give, or for a choice that the item does not have."""
    for at, rule in _rules(content):
        for name, given in leaves(rule.condition):
            item = items.get(given.get("item", ""))
            if item is None:
                continue
            if name == "flag" and not _flags(item) & set(given["in"]):
                asked = "/".join(given["in"])
                yield Fault(
                    "unreachable", at, f"{item.code} 不会有标志 {asked}", f"{item.code} is never flagged {asked}"
                )
            if name == "is" and item.choices:
                for choice in set(given["in"]) - set(item.choices):
                    yield Fault(
                        "unreachable", at, f"{item.code} 没有选项 {choice}", f"{item.code} has no choice {choice}"
                    )


def _flags(item: StarterItem) -> set[str]:
    """Return the flags that an item's ranges can give. What a laboratory flags of its own range is one of these as well."""
    if item.kind not in ("numeric", "computed"):
        return {"A", "N"}
    bounds = {
        "L": any(one.low is not None for one in item.ranges),
        "H": any(one.high is not None for one in item.ranges),
        "LL": any(one.critical_low is not None for one in item.ranges),
        "HH": any(one.critical_high is not None for one in item.ranges),
    }
    return {flag for flag, there in bounds.items() if there} | {"N"}


# --- what fires of the healthy ---

_AGES = (1, 4, 8, 14, 20, 30, 45, 60, 70, 85)
_PEOPLE = (
    *((sex, years, False) for sex in ("male", "female") for years in _AGES),
    ("female", 30, True),
    ("female", 42, True),
)
_HALF, _A_LITTLE = Decimal(2), Decimal(30)


def _alarms_of_the_healthy(content: ContentIn, catalog: Starter) -> Iterator[Fault]:
    """Rules that fire on somebody all of whose values are in the middle of their ranges, and whose choices are the normal ones.

    Rules over what numbers make together are not asked: the middles of ranges are nobody's, and do not add up.
    """
    said: set[str] = set()
    for sex, years, pregnant in _PEOPLE:
        own = [item for item in catalog.items if item.code not in _of_the_other_sex(catalog, sex)]
        case = Case(sex, years, dict(healthy(own, sex, years, pregnant=pregnant)), pregnant=pregnant)
        for at, rule in _rules(content):
            if (
                at in said
                or not items_of(rule.condition)
                or any(n in ("sum", "product") for n, _ in leaves(rule.condition))
            ):
                continue
            if evaluate(rule.condition, case).holds:
                said.add(at)
                yield Fault(
                    "healthy", at, f"各项均正常的 {years} 岁{'孕妇' if pregnant else '男性' if sex == 'male' else '女性'}也会触发",
                    f"fires on a {'pregnant woman' if pregnant else sex} of {years} whose values are all normal",
                )  # fmt: skip


def _of_the_other_sex(catalog: Starter, sex: str) -> set[str]:
    """Return the items that only item groups of the other sex examine."""
    groups = [(group.sex, set(group.items)) for group in catalog.item_groups]
    mine = {code for whose, codes in groups if whose in ("any", sex) for code in codes}
    return {code for _, codes in groups for code in codes} - mine


def healthy(
    items: Iterable[StarterItem], sex: str, years: int, *, pregnant: bool = False
) -> Iterator[tuple[str, Known]]:
    """Yield what somebody would have of whom nothing is remarkable: the middle of each range, and the choices that are usual."""
    for item in items:
        if item.kind in ("numeric", "computed"):
            one = range_for(item, sex, f"{years}y", pregnant=pregnant)
            number = _middle(one) if one is not None else None
            if one is not None and number is not None:
                number = round(number, item.decimals or 0) if _fits(round(number, item.decimals or 0), one) else number
                text = f"{number:f}"
                yield item.code, Known(item.code, item.name, text, number, unit=item.unit, flag="N")
        elif item.normal_default:
            yield item.code, Known(item.code, item.name, item.normal_default, flag="N", chosen=(item.normal_default,))


def _fits(number: Decimal, one: StarterRange) -> bool:
    return (one.low is None or number >= one.low) and (one.high is None or number <= one.high)


def _middle(one: StarterRange) -> Decimal | None:
    if one.low is not None and one.high is not None:
        return (one.low + one.high) / _HALF
    if one.high is not None:
        return one.high / _HALF
    return one.low + abs(one.low) / _A_LITTLE if one.low is not None else None


# --- ranges ---


def _ranges(catalog: Starter) -> Iterator[Fault]:
    """Who has no range, or two, of an item that is judged."""
    unjudged = [limit.item for limit in catalog.limits if not limit.judged]
    yield from (Fault("ranges", fault.path, fault.zh, fault.en) for fault in gaps(catalog.items, unjudged))


# --- the words of others: LOINC, ICD-10 ---

_CHAPTERS = (
    "A00-B99", "C00-D48", "D50-D89", "E00-E90", "F00-F99", "G00-G99", "H00-H59", "H60-H95", "I00-I99", "J00-J99", "K00-K93", "L00-L99",
    "M00-M99", "N00-N99", "O00-O99", "P00-P96", "Q00-Q99", "R00-R99", "S00-T98", "V01-Y98", "Z00-Z99",
)  # fmt: skip
"""The chapters of ICD-10, of which a code must be (WHO ICD-10, tabular list; U codes are for use in an emergency)."""


def _terms(catalog: Starter, content: ContentIn) -> Iterator[Fault]:
    yield from (Fault("terms", fault.path, fault.zh, fault.en) for fault in miscoded(catalog.items))
    for finding in content.findings:
        if finding.icd10 is not None and not valid_icd10(finding.icd10):
            yield Fault(
                "terms", f"findings/{finding.code}", f"ICD-10 没有 {finding.icd10}", f"ICD-10 has no {finding.icd10}"
            )


def valid_icd10(code: str) -> bool:
    """Say whether a code lies in a chapter of ICD-10."""
    return re.fullmatch(r"[A-Z]\d\d(\.\d{1,2})?", code) is not None and any(
        low <= code[:3] <= high for low, high in (chapter.split("-") for chapter in _CHAPTERS)
    )


# --- what nobody can order ---


_ON_DEMAND = frozenset({"BP-REPEAT"})
"""What no package holds on purpose: it is ordered of whom a first measurement asks for it."""


def _orphans(catalog: Starter) -> Iterator[Fault]:
    """Items that no item group examines, and item groups that stand in no package: nobody would ever see them."""
    grouped = {code for group in catalog.item_groups for code in group.items}
    offered = {code for package in catalog.packages for code in package.groups}
    for item in catalog.items:
        if item.code not in grouped:
            yield Fault("orphans", f"items/{item.code}", "不属于任何组合项目", "no item group examines it")
    for group in catalog.item_groups:
        if group.code not in offered and group.code not in _ON_DEMAND:
            yield Fault("orphans", f"item_groups/{group.code}", "不在任何套餐内", "it stands in no package")


# --- what is cited ---


def cited_rows(catalog: Starter, content: ContentIn) -> Iterator[tuple[str, Citation]]:
    """Yield where each row is that cites something, and what; a range that ends by itself cites nothing that must still hold."""
    rows: list[tuple[str, Citation | None]] = [
        *(
            (f"items/{item.code}/ranges/{i}", one.cite)
            for item in catalog.items
            for i, one in enumerate(item.ranges)
            if one.valid_to is None
        ),
        *((f"findings/{finding.code}", finding.cite) for finding in content.findings),
        *((at, rule.cite) for at, rule in _rules(content)),
    ]
    yield from ((at, cite) for at, cite in rows if cite is not None)


def _withdrawn(catalog: Starter, content: ContentIn, on: date) -> Iterator[Fault]:
    """Rows in force whose standard is not any more."""
    for at, cite in cited_rows(catalog, content):
        if cite.is_withdrawn(on):
            said = f"{cite.standard}{f'.{cite.part}' if cite.part else ''}{f'-{cite.edition}' if cite.edition else ''}"
            yield Fault(
                "withdrawn",
                at,
                f"所引 {said} 已于 {cite.withdrawn_on} 废止",
                f"{said} was withdrawn on {cite.withdrawn_on}",
            )
