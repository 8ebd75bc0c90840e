"""What a version of the knowledge base finds in a case: read once, kept, asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from tjapi.kernel.uow import UnitOfWork
from tjapi.knowledge import repository
from tjapi.knowledge.criticality import AS_SHIPPED, Clocks, clocks_of
from tjapi.knowledge.models import Finding, KnowledgeRule
from tjapi.knowledge.rules import (
    Case,
    Clause,
    Condition,
    Purpose,
    Verdict,
    bound_to,
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
    ContentIn,
    CriticalRuleIn,
    RuleIn,
)
from tjapi.knowledge.service.reading import held_version
from tjapi.knowledge.service.writing import rule_row
from tjapi.knowledge.yielding import GIVES_WAY, SEE_ALERT, asks_at_once, gives_way, rests_on_alarm


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
    own: "Advice | None" = None
    """What it advises where no alert stands: of a value of which a person has said that it is not critical."""

    def told_to(self, case: Case) -> "Advice":
        """Return what is advised to this person: the first variant whose condition holds says instead what it says at all.

        What cannot be said of the person (a value that nobody took) chooses nothing.
        """
        for variant in self.variants:
            if evaluate(variant["when"], case).holds:
                said = {name: value for name, value in variant.items() if name != "when" and value is not None}
                return replace(self, **said)
        return self

    def giving_way_to(self, case: Case, verdict: Verdict) -> "Advice":
        """Return the finding with what is advised where something that cannot wait stands on its organ; a variant like any other.

        Its own advice is kept for where a person dismisses that, if nothing but what it rests on itself says it.
        """
        own = [clause.known for clause in verdict.clauses if clause.known is not None]
        values = {code: one for code, one in case.values.items() if one not in own}
        repeats = {code: [one for one in more if one not in own] for code, more in case.repeats.items()}
        elsewhere = gives_way(verdict, replace(case, values=values, repeats=repeats))
        return replace(
            self, advice=GIVES_WAY, recheck_days=1, variants=({"advice": GIVES_WAY},), own=None if elsewhere else self
        )

    @property
    def is_at_once(self) -> bool:
        """Whether what is advised is already for this very day, and at once."""
        return (self.recheck_days or 0) == 1 and asks_at_once(self.advice)

    @property
    def seeing_alert(self) -> "Advice":
        """The finding with what is advised where a value that it rests on is critical: nobody is told to come at once, and to wait."""
        return replace(
            self, advice=SEE_ALERT, lifestyle="", recheck_days=1, variants=({"advice": SEE_ALERT},), own=self
        )


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
        grave: list[Clause] | None = None
        every = (r for r in self.rules if r.of_every and r.purpose == purpose)
        words = [code for code, known in case.values.items() if known.worded and (items is None or code in items)]
        said = speaking(case.values[code] for code in words)
        asked = [rule.asked_of(code) for rule in every for code in may_hold_in(rule.condition, words, said)]
        for rule in [*self.about(purpose, items), *asked]:
            if not rule.of_nothing and rule.items.isdisjoint(case.values):
                continue
            verdict = evaluate(rule.condition, case)
            if verdict.holds:
                told = rule.finding.told_to(case) if rule.finding is not None else None
                if told is not None and told.important_class is None and gives_way(verdict, case):
                    told = told.giving_way_to(case, verdict)
                if told is not None and told.important_class != "A" and not told.is_at_once:
                    grave = grave if grave is not None else self._grave(case)
                    told = told.seeing_alert if rests_on_alarm(verdict, grave) else told
                found.append(Fired(rule if told is rule.finding else replace(rule, finding=told), verdict))
        return found

    def _grave(self, case: Case) -> list[Clause]:
        """Return why something asks for action at once, of numbers and choices, also where a value such as ">30" only may; and what a laboratory calls critical."""
        said = [Clause(known, "") for known in case.values.values() if known.alarm]
        for rule in self.about("critical"):
            if rule.important_class != "A" or (not rule.of_nothing and rule.items.isdisjoint(case.values)):
                continue
            verdict = evaluate(rule.condition, case)
            if verdict.holds:
                said += verdict.clauses
            elif len(rule.items) == 1:
                said += [Clause(k, "") for k in verdict.unreadable if k.numeric is not None and k.comparator]
        return said


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
    if held is None or (not held.signed and (await held_version(uow, version_id)).signed_at is not None):
        read = await _read(uow, version_id)
        while len(_READ) >= _KEPT:
            _READ.pop(next(iter(_READ)))
        _READ[version_id] = read
    return _READ[version_id]


async def _read(uow: UnitOfWork, version_id: UUID) -> Knowledge:
    version = await held_version(uow, version_id)
    return _ready(
        version_id, version.number, await repository.findings(uow, version_id), await repository.rules(uow, version_id),
        clocks_of(version.clocks), signed=version.signed_at is not None,
    )  # fmt: skip


def in_memory(content: ContentIn) -> Knowledge:
    """Return a content as it would be asked once it is active: to try it before it is."""
    names = {f.code: f.name for f in content.findings}
    version_id = UUID(int=0)
    rules: list[RuleIn | CriticalRuleIn] = [*content.rules, *content.critical]
    return _ready(
        version_id, 0, [Finding(version_id=version_id, **f.model_dump()) for f in content.findings],
        [KnowledgeRule(**rule_row(version_id, r, names)) for r in sorted(rules, key=lambda r: r.code)], clocks_of(content.clocks),
        signed=True,
    )  # fmt: skip


_UNSIGNED = "（未签批）"
"""What is beside an alarm whose rule no chief physician has signed."""


def _ready(
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
