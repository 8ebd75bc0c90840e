"""The verbs of the knowledge base: write a version, look at how it differs, activate it; and what it finds in a case."""

import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from importlib import resources
from typing import Any
from uuid import UUID

from tjapi.catalog import service as catalog
from tjapi.kernel.clock import business_day, midnight
from tjapi.kernel.ids import uuid7
from tjapi.kernel.problem import FieldError
from tjapi.kernel.uow import UnitOfWork
from tjapi.knowledge import repository
from tjapi.knowledge.criticality import AS_SHIPPED, Clocks, clocks_of
from tjapi.knowledge.errors import (
    KnowledgeApproved,
    KnowledgeInvalid,
    KnowledgeKnown,
    KnowledgeNotApproved,
    KnowledgeNotDraft,
    KnowledgeOwnDraft,
    KnowledgeVersionNotFound,
)
from tjapi.knowledge.merging import Key, merged
from tjapi.knowledge.models import Finding, KnowledgeRule, KnowledgeVersion
from tjapi.knowledge.rules import (
    Case,
    Condition,
    ConditionInvalidError,
    Known,
    Purpose,
    Verdict,
    bound_to,
    check,
    evaluate,
    is_of_any_item,
    is_of_every_item,
    items_of,
    may_hold_in,
    may_hold_of_nothing,
    needs_past,
    speaking,
)
from tjapi.knowledge.schemas import (
    ChangeOut,
    ChangesOut,
    ContentIn,
    CriticalRuleIn,
    ExampleIn,
    FindingIn,
    Input,
    RuleIn,
    VersionIn,
    VersionOut,
)
from tjapi.knowledge.yielding import GIVES_WAY, gives_way

_ERRORS_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Advice:
    """A finding of a version, and what is advised."""

    code: str
    name: str
    kind: str
    importance: int
    icd10: str | None
    important_class: str | None
    advice: str
    lifestyle: str
    see: str | None
    recheck_days: int | None
    outranks: frozenset[str]
    variants: tuple[Mapping[str, Any], ...] = ()

    def told_to(self, case: Case) -> "Advice":
        """Return what is advised to this person: the first variant whose condition holds says instead what it says at all.

        What cannot be said of the person (a value that nobody took) chooses nothing.
        """
        for variant in self.variants:
            if evaluate(variant["when"], case).holds:
                said = {name: value for name, value in variant.items() if name != "when" and value is not None}
                return replace(self, **said)
        return self

    @property
    def giving_way(self) -> "Advice":
        """The finding with what is advised where something that cannot wait stands on its organ; a variant like any other."""
        return replace(self, advice=GIVES_WAY, recheck_days=1, variants=({"advice": GIVES_WAY},))


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of a version. `items`: what it looks at; `past`: what it, or the advice of its finding, compares with earlier exams.

    `of_nothing`: it may hold without any value. `of_every`: it looks at the words of every item, and fires once for each that it holds of.
    """

    code: str
    purpose: str
    name: str
    condition: Condition
    finding: Advice | None
    important_class: str | None
    action: str
    items: frozenset[str]
    past: frozenset[str]
    of_nothing: bool
    of_every: bool = False

    def asked_of(self, item_code: str) -> "Rule":
        """Return a rule of every item as it is asked of one."""
        return replace(self, condition=bound_to(self.condition, item_code), items=frozenset({item_code}))


@dataclass(frozen=True, slots=True)
class Fired:
    """A rule whose condition holds, and why."""

    rule: Rule
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Knowledge:
    """A version, ready to be asked."""

    version_id: UUID
    number: int
    findings: Mapping[str, Advice]
    rules: tuple[Rule, ...]
    signed: bool = True
    clocks: Clocks = AS_SHIPPED

    def of_any_item(self) -> Rule | None:
        """Return the rule of what a laboratory calls critical itself; None where the version has none."""
        return next((r for r in self.rules if r.purpose == "critical" and is_of_any_item(r.condition)), None)

    def about(self, purpose: Purpose, items: frozenset[str] | None = None) -> list[Rule]:
        """Return the rules of a purpose; with `items`, those that look at any of these, which those of every item do not."""
        return [r for r in self.rules if r.purpose == purpose and not r.of_every and (items is None or r.items & items)]

    def fired(self, purpose: Purpose, case: Case, items: frozenset[str] | None = None) -> list[Fired]:
        """Return the rules of a purpose that hold in a case, in the order of their codes, with the advice for this person.

        Nobody's finding is outranked here. What no chief physician has signed finds nothing: its wording and its advice are nobody's yet.
        It alarms all the same.
        """
        if purpose == "finding" and not self.signed:
            return []
        found = []
        every = (r for r in self.rules if r.of_every and r.purpose == purpose)
        words = [
            code for code, known in case.values.items() if known.numeric is None and (items is None or code in items)
        ]
        said = speaking(case.values[code] for code in words)
        asked = [rule.asked_of(code) for rule in every for code in may_hold_in(rule.condition, words, said)]
        for rule in [*self.about(purpose, items), *asked]:
            if not rule.of_nothing and rule.items.isdisjoint(case.values):
                continue
            verdict = evaluate(rule.condition, case)
            if verdict.holds:
                told = rule.finding.told_to(case) if rule.finding is not None else None
                if told is not None and told.important_class is None and gives_way(verdict, case):
                    told = told.giving_way
                found.append(Fired(rule if told is rule.finding else replace(rule, finding=told), verdict))
        return found


# A version never changes: what was read once is what it is. The active one and those by which exams under way are judged are kept.
_READ: dict[UUID, Knowledge] = {}
_KEPT = 4


def forget() -> None:
    """Read versions anew from now on."""
    _READ.clear()


async def active(uow: UnitOfWork) -> Knowledge | None:
    """Return the version in use; None before any is. A unit of work asks once: all of it is judged by the same rules."""
    held = uow.session.info
    if "knowledge" not in held:
        held["knowledge"] = await _active(uow)
    found: Knowledge | None = held["knowledge"]
    return found


async def _active(uow: UnitOfWork) -> Knowledge | None:
    version_id = await repository.active_id(uow)
    return None if version_id is None else await edition(uow, version_id)


async def edition(uow: UnitOfWork, version_id: UUID) -> Knowledge:
    """Return a version, in use or not: an exam is judged by that of its day. Raises KnowledgeVersionNotFound."""
    held = _READ.get(version_id)
    # That it is signed is the one thing of a version that may still come.
    if held is None or (not held.signed and (await _version(uow, version_id)).signed_at is not None):
        read = await _read(uow, version_id)
        while len(_READ) >= _KEPT:
            _READ.pop(next(iter(_READ)))
        _READ[version_id] = read
    return _READ[version_id]


async def _read(uow: UnitOfWork, version_id: UUID) -> Knowledge:
    version = await _version(uow, version_id)
    return _knowledge(
        version_id, version.number, await repository.findings(uow, version_id), await repository.rules(uow, version_id),
        clocks_of(version.clocks), signed=version.signed_at is not None,
    )  # fmt: skip


def in_memory(content: ContentIn) -> Knowledge:
    """Return a content as it would be asked once it is active: to try it before it is."""
    names = {f.code: f.name for f in content.findings}
    version_id = UUID(int=0)
    rules: list[RuleIn | CriticalRuleIn] = [*content.rules, *content.critical]
    return _knowledge(
        version_id, 0, [Finding(version_id=version_id, **f.model_dump()) for f in content.findings],
        [KnowledgeRule(**_rule_row(version_id, r, names)) for r in sorted(rules, key=lambda r: r.code)], clocks_of(content.clocks),
        signed=True,
    )  # fmt: skip


_UNSIGNED = "（未签批）"
"""What is beside an alarm whose rule no chief physician has signed."""


def _knowledge(
    version_id: UUID,
    number: int,
    findings: Sequence[Finding],
    rules: Sequence[KnowledgeRule],
    clocks: Clocks,
    *,
    signed: bool,
) -> Knowledge:
    by_code = {
        f.code: Advice(
            f.code, f.name, f.kind, f.importance, f.icd10, f.important_class, f.advice, f.lifestyle, f.see, f.recheck_days,
            frozenset(f.outranks), tuple(f.variants or ()),
        )
        for f in findings
    }  # fmt: skip
    past_of = {
        code: frozenset[str]().union(*(needs_past(v["when"]) for v in advice.variants))
        for code, advice in by_code.items()
    }
    held = tuple(
        Rule(
            r.code, r.purpose, r.name if signed or r.finding_code else f"{r.name}{_UNSIGNED}", r.condition,
            by_code[r.finding_code] if r.finding_code else None, r.important_class, r.action, items_of(r.condition),
            needs_past(r.condition) | past_of.get(r.finding_code or "", frozenset()), may_hold_of_nothing(r.condition), is_of_every_item(r.condition),
        )
        for r in rules
    )  # fmt: skip
    return Knowledge(version_id, number, by_code, held, signed, clocks)


def read_starter() -> ContentIn:
    """Read the starter files that ship with this context."""
    held: dict[str, Any] = {"findings": [], "rules": [], "critical": []}
    for file in sorted((resources.files("tjapi.knowledge") / "starter").iterdir(), key=lambda f: f.name):
        if file.name.endswith(".toml"):
            for kind, rows in tomllib.loads(file.read_text(encoding="utf-8")).items():
                if kind == "clocks":
                    held[kind] = rows
                else:
                    held[kind].extend(rows)
    return ContentIn.model_validate(held)


async def load_starter(uow: UnitOfWork, *, signed: bool = False) -> None:
    """Bring the content in that ships with this release. `signed`: the invented physicians of the demo have signed it."""
    await bring_in(uow, read_starter(), signed=signed)


async def bring_in(uow: UnitOfWork, content: ContentIn, *, signed: bool = False) -> None:
    """Bring shipped content in. The first is active at once; of a later release it is a draft, which the hospital looks at.

    Where the hospital has rows of its own, a second draft keeps these beside what is new. Unsigned it alarms from the first day on, and
    finds nothing. Twice is once.
    """
    await repository.lock(uow)
    version = await repository.of_content(uow, sha256_of(content))
    if version is None:
        before, now = await repository.shipped(uow), await repository.active_id(uow)
        version = await _add(uow, content, _SHIPPED)
        version.shipped = True
        if now is None:
            await _activate(uow, version)
        elif before is not None:
            await _keep_own(uow, before.id, now, content)
    if signed and version.signed_at is None:
        version.approved_by = version.signed_by = uow.principal.id
        version.approved_at = version.signed_at = uow.now


_SHIPPED = "随软件附带的起始内容"


async def _keep_own(uow: UnitOfWork, before_id: UUID, active_id: UUID, content: ContentIn) -> None:
    """Write what ships now with the hospital's own rows as a draft of its own, where there are any."""
    before, ours = await _content(uow, before_id), await _content(uow, active_id)
    rows, contested = merged(_by_code(before), _by_code(ours), _by_code(content))
    kept = ContentIn.model_validate({"clocks": ours.clocks} | {
        kind: [row for (of, _), row in rows.items() if of == name]
        for kind, name in (("findings", "finding"), ("rules", "rule"), ("critical", "critical"))
    })  # fmt: skip
    if kept == content or await repository.of_content(uow, sha256_of(kept)) is not None:
        return
    if lost := kept.faults():
        # A row of ours leads to one that ships no more: nobody can use that, and somebody has to see it.
        codes = sorted({code for _, code in lost})[:_ERRORS_SHOWN]
        await uow.audit("knowledge.own_rows_left", "knowledge_version", active_id, detail={"codes": codes})
        return
    both = "、".join(code for _, code in contested[:_ERRORS_SHOWN])
    await _add(uow, kept, f"{_SHIPPED},保留本院内容" + (f"；双方均有改动,取本院:{both}" if both else ""))


async def _content(uow: UnitOfWork, version_id: UUID) -> ContentIn:
    """Return a version as it would be written."""
    rules = await repository.rules(uow, version_id)
    return ContentIn.model_validate({
        "clocks": (await _version(uow, version_id)).clocks,
        "findings": [_fields(finding) for finding in await repository.findings(uow, version_id)],
        "rules": [
            {**_fields(rule, RuleIn), "finding": rule.finding_code} for rule in rules if rule.purpose == "finding"
        ],
        "critical": [_fields(rule, CriticalRuleIn) for rule in rules if rule.purpose == "critical"],
    })  # fmt: skip


def _by_code(content: ContentIn) -> dict[Key, dict[str, Any]]:
    kinds: tuple[tuple[str, Sequence[FindingIn | RuleIn | CriticalRuleIn]], ...] = (
        ("finding", content.findings), ("rule", content.rules), ("critical", content.critical),
    )  # fmt: skip
    return {(kind, row.code): row.model_dump(mode="json") for kind, rows in kinds for row in rows}


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
    if errors:
        raise KnowledgeInvalid(errors=errors[:_ERRORS_SHOWN])
    await repository.lock(uow)
    if await repository.of_content(uow, sha256_of(content)) is not None:
        raise KnowledgeKnown
    version = await _add(uow, content, given.note)
    return (await out(uow, [version]))[0]


async def approve(uow: UnitOfWork, version_id: UUID) -> VersionOut:
    """Approve a version as the head of the laboratory: its ranges, limits and critical values are those of our methods.

    Raises KnowledgeVersionNotFound, KnowledgeApproved, KnowledgeOwnDraft.
    """
    await repository.lock(uow)
    version = await _version(uow, version_id)
    if version.approved_at is not None:
        raise KnowledgeApproved
    if version.created_by == uow.principal.id:
        raise KnowledgeOwnDraft
    version.approved_by, version.approved_at = uow.principal.id, uow.now
    await uow.audit("knowledge.approved", "knowledge_version", version.id, detail={"number": version.number})
    return (await out(uow, [version]))[0]


async def activate(uow: UnitOfWork, version_id: UUID, effective_on: date | None = None) -> VersionOut:
    """Sign a version as chief physician, and put it into use: at once, or on the day from which it holds. Conclusions that exist keep theirs.

    The version before is retired then. What ships is active from the installation on, and is signed where it stands.
    Raises KnowledgeVersionNotFound, KnowledgeInvalid, KnowledgeNotDraft, KnowledgeNotApproved, KnowledgeOwnDraft.
    """
    today = business_day(uow.now)
    if effective_on is not None and effective_on < today:
        raise KnowledgeInvalid(
            errors=[FieldError("/effective_on", "past", "生效日期不能早于今天", "cannot be before today")]
        )
    await repository.lock(uow)
    version = await _version(uow, version_id)
    # What is in use cannot come into force later.
    if version.state == "active" and (version.signed_at is not None or (effective_on or today) > today):
        raise KnowledgeNotDraft
    if version.approved_at is None:
        raise KnowledgeNotApproved
    if uow.principal.id in (version.created_by, version.approved_by):
        raise KnowledgeOwnDraft
    version.signed_by, version.signed_at, version.effective_on = uow.principal.id, uow.now, effective_on
    await uow.audit(
        "knowledge.signed", "knowledge_version", version.id,
        detail={"number": version.number, "effective_on": effective_on.isoformat() if effective_on else None},
    )  # fmt: skip
    if version.state != "active":
        await _on_its_day(uow, version)
    return (await out(uow, [version]))[0]


async def _on_its_day(uow: UnitOfWork, version: KnowledgeVersion) -> None:
    today = business_day(uow.now)
    if version.effective_on is None or version.effective_on <= today:
        await _activate(uow, version)
        return
    version.state = "scheduled"
    await uow.enqueue(
        TAKE_EFFECT, {"version_id": str(version.id)}, campus_id=None, key=f"{version.id}:{version.effective_on}",
        delay=midnight(version.effective_on) - uow.now + _NOT_BEFORE,
    )  # fmt: skip


TAKE_EFFECT = "knowledge.take_effect"
_NOT_BEFORE = timedelta(seconds=5)
"""A worker whose clock is a little behind must not find the day before."""


async def take_effect(uow: UnitOfWork, version_id: UUID) -> bool:
    """Put a signed version into use whose day has come; twice is once. False: its day is another one now, or it is in use."""
    await repository.lock(uow)
    version = await _version(uow, version_id)
    if version.state != "scheduled" or version.effective_on is None or version.effective_on > business_day(uow.now):
        return False
    await _activate(uow, version)
    return True


async def changes(uow: UnitOfWork, version_id: UUID) -> ChangesOut:
    """Say how a version differs from the active one. Raises KnowledgeVersionNotFound."""
    await _version(uow, version_id)
    now = await repository.active_id(uow)
    theirs, ours = await _rows(uow, version_id), (await _rows(uow, now) if now is not None else {})
    found = []
    for key in sorted(theirs.keys() | ours.keys()):
        new, old = theirs.get(key), ours.get(key)
        if new == old:
            continue
        fields = sorted(f for f in new if new[f] != old.get(f)) if new is not None and old is not None else []
        change = "added" if old is None else "removed" if new is None else "changed"
        found.append(ChangeOut.model_validate({"what": key[0], "code": key[1], "change": change, "fields": fields}))
    return ChangesOut(version_id=version_id, active_id=now, changes=found)


async def versions(uow: UnitOfWork, *, after: Sequence[str] | None, size: int) -> Sequence[KnowledgeVersion]:
    """Return a page of versions, newest first, one too many."""
    return await repository.versions(uow, after=int(after[0]) if after else None, size=size)


async def findings_page(
    uow: UnitOfWork, *, q: str | None, kind: str | None, after: Sequence[str] | None, size: int
) -> Sequence[Finding]:
    """Return a page of the active version's findings, weightiest first, one too many."""
    now = await repository.active_id(uow)
    return await repository.findings_page(uow, now, q=q, kind=kind, after=after, size=size) if now else []


async def rules_page(
    uow: UnitOfWork, *, purpose: str | None, after: Sequence[str] | None, size: int
) -> Sequence[KnowledgeRule]:
    """Return a page of the active version's rules by code, one too many."""
    now = await repository.active_id(uow)
    return (
        await repository.rules_page(uow, now, purpose=purpose, after=after[0] if after else None, size=size)
        if now
        else []
    )


async def out(uow: UnitOfWork, found: Sequence[KnowledgeVersion]) -> list[VersionOut]:
    """Return the public shape of versions."""
    counts = await repository.counts(uow, [v.id for v in found])
    return [
        VersionOut.model_validate({
            "id": v.id, "number": v.number, "state": v.state, "note": v.note, "sha256": v.sha256, "created_at": v.created_at,
            "activated_at": v.activated_at, "approved_at": v.approved_at, "signed_at": v.signed_at, "effective_on": v.effective_on, **dict(zip(("findings", "rules", "critical", "unverified"), counts[v.id], strict=True)),
        })
        for v in found
    ]  # fmt: skip


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
    )


def _known(code: str, text: str, flag: str | None) -> Known:
    try:
        numeric = Decimal(text)
    except InvalidOperation:
        numeric = None
    return Known(code, code, text, numeric, flag=flag, chosen=tuple(text.split(";")) if ";" in text else ())


async def _add(uow: UnitOfWork, content: ContentIn, note: str) -> KnowledgeVersion:
    version = KnowledgeVersion(
        id=uuid7(), number=await repository.next_number(uow), state="draft", note=note, sha256=sha256_of(content),
        clocks=content.clocks, created_by=uow.principal.id, created_at=uow.now,
    )  # fmt: skip
    uow.session.add(version)
    await uow.session.flush()
    await repository.put(uow, Finding, [{"version_id": version.id, **f.model_dump()} for f in content.findings])
    names = {f.code: f.name for f in content.findings}
    rules: list[RuleIn | CriticalRuleIn] = [*content.rules, *content.critical]
    await repository.put(uow, KnowledgeRule, [_rule_row(version.id, r, names) for r in rules])
    await uow.audit("knowledge.written", "knowledge_version", version.id, detail={"number": version.number})
    return version


def _rule_row(version_id: UUID, rule: RuleIn | CriticalRuleIn, names: Mapping[str, str]) -> dict[str, Any]:
    finds = isinstance(rule, RuleIn)
    return {
        "version_id": version_id, "code": rule.code, "purpose": "finding" if finds else "critical",
        "name": names[rule.finding] if isinstance(rule, RuleIn) else rule.name, "condition": rule.condition,
        "finding_code": rule.finding if isinstance(rule, RuleIn) else None,
        "important_class": None if isinstance(rule, RuleIn) else rule.important_class,
        "action": "" if isinstance(rule, RuleIn) else rule.action,
        "fires": [e.model_dump(exclude_defaults=True) for e in rule.fires],
        "misses": [e.model_dump(exclude_defaults=True) for e in rule.misses], "source": rule.source, "verified": rule.verified,
    }  # fmt: skip


async def _activate(uow: UnitOfWork, version: KnowledgeVersion) -> None:
    uow.session.info.pop("knowledge", None)
    before = await repository.active(uow)
    if before is not None:
        before.state = "retired"
        await uow.session.flush()
    version.state, version.activated_by, version.activated_at = "active", version.signed_by or uow.principal.id, uow.now
    await uow.audit("knowledge.activated", "knowledge_version", version.id, detail={"number": version.number})
    await uow.session.flush()


async def _version(uow: UnitOfWork, version_id: UUID) -> KnowledgeVersion:
    found = await repository.version(uow, version_id)
    if found is None:
        raise KnowledgeVersionNotFound
    return found


async def _rows(uow: UnitOfWork, version_id: UUID) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the rows of a version as they are compared."""
    version = await _version(uow, version_id)
    found: dict[tuple[str, str], dict[str, Any]] = {("critical", "CLOCKS"): asdict(clocks_of(version.clocks))}
    for finding in await repository.findings(uow, version_id):
        found["finding", finding.code] = _fields(finding)
    for rule in await repository.rules(uow, version_id):
        found["critical" if rule.purpose == "critical" else "rule", rule.code] = _fields(rule)
    return found


def _fields(row: Finding | KnowledgeRule, shape: type[Input] | None = None) -> dict[str, Any]:
    """Return the columns of a row but its version; with `shape`, those that a client would write."""
    asked = {c.key for c in row.__table__.columns} - {"version_id"}
    return {key: getattr(row, key) for key in asked & (set(shape.model_fields) if shape is not None else asked)}


def sha256_of(content: ContentIn) -> str:
    """Return the digest of a content: equal content is one version."""
    said = json.dumps(content.model_dump(mode="json"), ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()
