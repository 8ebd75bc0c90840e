"""A version is written as a draft: what hangs together, and does what its examples say."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from tjapi.catalog import service as catalog
from tjapi.kernel.clock import business_day
from tjapi.kernel.ids import uuid7
from tjapi.kernel.problem import FieldError
from tjapi.kernel.uow import UnitOfWork
from tjapi.knowledge import repository
from tjapi.knowledge.criticality import rests_on_words
from tjapi.knowledge.errors import (
    KnowledgeInvalid,
    KnowledgeKnown,
)
from tjapi.knowledge.models import Finding, KnowledgeRule, KnowledgeVersion
from tjapi.knowledge.rules import (
    Case,
    Condition,
    ConditionInvalidError,
    Known,
    check,
    evaluate,
    items_of,
    leaves,
)
from tjapi.knowledge.schemas import (
    ContentIn,
    CriticalRuleIn,
    ExampleIn,
    RuleIn,
    VersionIn,
    VersionOut,
)
from tjapi.knowledge.service.reading import out

ERRORS_SHOWN = 100


async def write(uow: UnitOfWork, given: VersionIn) -> VersionOut:
    """Write a version as a draft. Every condition must be one that can be evaluated, of items that exist, and do what its examples say.

    Raises KnowledgeInvalid naming every field, KnowledgeKnown.
    """
    content = ContentIn.model_validate(given.model_dump(exclude={"note"}))
    known = await catalog.item_codes(uow)
    errors = [
        FieldError(at, "code", f"{code} 重复或不存在", f"{code} is there twice, or not at all")
        for at, code in content.faults()
    ]
    errors += faults(content, known)
    errors += unit_faults(content, await catalog.item_units(uow))
    errors += await catalog.range_faults(uow, content.ranges, business_day(uow.now))
    if errors:
        raise KnowledgeInvalid(errors=errors[:ERRORS_SHOWN])
    await repository.lock(uow)
    if await repository.of_content(uow, sha256_of(content)) is not None:
        raise KnowledgeKnown
    version = await add(uow, content, given.note)
    return (await out(uow, [version]))[0]


def faults(content: ContentIn, items: frozenset[str]) -> list[FieldError]:
    """Return what is wrong with the rules of a content: an enabled rule that never fires, or fires on its near miss, is a fault."""
    rules: list[tuple[str, RuleIn | CriticalRuleIn]] = [(f"/rules/{i}", r) for i, r in enumerate(content.rules)]
    rules += [(f"/critical/{i}", r) for i, r in enumerate(content.critical)]
    variants = [
        fault
        for i, finding in enumerate(content.findings)
        for n, variant in enumerate(finding.variants)
        for fault in _of_condition(f"/findings/{i}/variants/{n}/when", variant["when"], items)
    ]
    return [*variants, *(fault for at, rule in rules for fault in _of_rule(at, rule, items))]


def unit_faults(content: ContentIn, units: Mapping[str, str | None]) -> list[FieldError]:
    """Return rules that ask for an item in another unit than its own: values are kept in the item's, and such a rule never fires."""
    rules: list[tuple[str, Condition]] = [(f"/rules/{i}/condition", r.condition) for i, r in enumerate(content.rules)]
    rules += [(f"/critical/{i}/condition", r.condition) for i, r in enumerate(content.critical)]
    found = []
    for at, condition in rules:
        try:
            asked = [given for _, given in leaves(condition) if given.get("unit") and given.get("item") in units]
        except ConditionInvalidError:
            continue  # That it cannot be evaluated is said already.
        for given in asked:
            own = units[given["item"]] or ""
            if given["unit"] != own:
                code = given["item"]
                found.append(
                    FieldError(at, "unit", f"{code} 的单位是 {own or '无'},条件写的是 {given['unit']}", f"{code} is in {own or 'no unit'}, not {given['unit']}")
                )  # fmt: skip
    return found


def _of_condition(at: str, condition: Condition, items: frozenset[str]) -> list[FieldError]:
    try:
        check(condition)
    except ConditionInvalidError as wrong:
        return [FieldError(f"{at}{wrong.path}", "condition", "条件无法执行", f"cannot be evaluated: {wrong.wrong}")]
    strange = items_of(condition) - items
    return [FieldError(at, "item", f"没有项目 {code}", f"no item {code}") for code in sorted(strange)]


def _of_rule(at: str, rule: RuleIn | CriticalRuleIn, items: frozenset[str]) -> list[FieldError]:
    if wrong := _of_condition(f"{at}/condition", rule.condition, items):
        return wrong
    if isinstance(rule, CriticalRuleIn) and rule.important_class == "A" and rests_on_words(rule.condition):
        return [
            FieldError(f"{at}/important_class", "words", "仅凭描述文字不能定为 A 类,请定为 B 类,由人员立即查看", "a description alone is no class A: make it B, so that a person looks now")
        ]  # fmt: skip
    return [
        FieldError(f"{at}/{name}/{i}", "example", "该例与条件不符", "the condition does not do what this example says")
        for name, examples, wanted in (("fires", rule.fires, True), ("misses", rule.misses, False))
        for i, example in enumerate(examples)
        if bool(evaluate(rule.condition, example_case(example)).holds) is not wanted
    ]


def example_case(example: ExampleIn) -> Case:
    """Return the case that an example describes."""
    return Case(
        example.sex,
        example.age_years,
        {
            code: replace(_known(code, text, example.flags.get(code)), alarm=code in example.called)
            for code, text in example.values.items()
        },
        {code: [_known(code, text, None) for text in texts] for code, texts in example.before.items()},
        {code: [_known(code, text, None) for text in texts] for code, texts in example.repeats.items()},
        example.pregnant,
        example.age_days,
    )


def _known(code: str, text: str, flag: str | None) -> Known:
    try:
        numeric = Decimal(text)
    except InvalidOperation:
        numeric = None
    return Known(code, code, text, numeric, flag=flag, chosen=tuple(text.split(";")) if ";" in text else ())


async def add(uow: UnitOfWork, content: ContentIn, note: str, sha256: str | None = None) -> KnowledgeVersion:
    """Add a version as a draft, with its rows; `sha256`: of what it is made of, where that is not what it says."""
    version = KnowledgeVersion(
        id=uuid7(), number=await repository.next_number(uow), state="draft", note=note, sha256=sha256 or sha256_of(content),
        clocks=content.clocks, ranges=[row.model_dump(mode="json") for row in content.ranges], created_by=uow.principal.id, created_at=uow.now,
    )  # fmt: skip
    uow.session.add(version)
    await uow.session.flush()
    await repository.put(uow, Finding, [{"version_id": version.id, **f.model_dump()} for f in content.findings])
    names = {f.code: f.name for f in content.findings}
    rules: list[RuleIn | CriticalRuleIn] = [*content.rules, *content.critical]
    await repository.put(uow, KnowledgeRule, [rule_row(version.id, r, names) for r in rules])
    await uow.audit("knowledge.written", "knowledge_version", version.id, detail={"number": version.number})
    return version


def rule_row(version_id: UUID, rule: RuleIn | CriticalRuleIn, names: Mapping[str, str]) -> dict[str, Any]:
    """Return a rule as its row; `names` are those of findings, by code."""
    finds = isinstance(rule, RuleIn)
    return {
        "version_id": version_id, "code": rule.code, "purpose": "finding" if finds else "critical",
        "name": names[rule.finding] if isinstance(rule, RuleIn) else rule.name, "condition": rule.condition,
        "finding_code": rule.finding if isinstance(rule, RuleIn) else None,
        "important_class": None if isinstance(rule, RuleIn) else rule.important_class,
        "action": "" if isinstance(rule, RuleIn) else rule.action,
        "fires": [e.model_dump(exclude_defaults=True) for e in rule.fires],
        "misses": [e.model_dump(exclude_defaults=True) for e in rule.misses], "source": rule.source,
        "cite": rule.cite.model_dump() if rule.cite else None, "verified": rule.verified,
    }  # fmt: skip


def sha256_of(content: ContentIn) -> str:
    """Return the digest of a content: equal content is one version."""
    said = json.dumps(content.model_dump(mode="json"), ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()
