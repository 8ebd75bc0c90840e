"""What the rules of the knowledge base find of an exam's values, and how it is said. Pure."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from tjapi.knowledge.rules import KINDS, Case
from tjapi.knowledge.service import Advice, Fired, Knowledge
from tjapi.knowledge.words import finding_line, told

Found = tuple[Advice, list[Fired]]
"""A finding, and the rules that found it."""


def standing(fired: Sequence[Fired]) -> list[Found]:
    """Return what was found, weightiest first, each with the rules that found it.

    What another finding outranks is not listed; what it was found by stands with the one that is: a creatinine of 400 belongs to the kidney
    failure that outranks it, and is no other result that nobody concluded on.
    """
    by_code: dict[str, tuple[Advice, list[Fired]]] = {}
    for one in fired:
        if one.rule.finding is not None:
            by_code.setdefault(one.rule.finding.code, (one.rule.finding, []))[1].append(one)
    outranked = {code for advice, _ in by_code.values() for code in advice.outranks}
    below = {code: _below(code, by_code) for code in by_code}
    found = [
        (advice, [*own, *(one for other, (_, more) in by_code.items() if other in below[code] for one in more)])
        for code, (advice, own) in by_code.items()
        if code not in outranked
    ]
    return sorted(found, key=lambda pair: (KINDS.index(pair[0].kind), -pair[0].importance, pair[0].code))


def _below(code: str, by_code: Mapping[str, Found]) -> set[str]:
    """Return what was found that a finding outranks, itself or by another one that it outranks."""
    reached: set[str] = set()
    left = [code]
    while left:
        for other in by_code[left.pop()][0].outranks:
            if other in by_code and other not in reached and other != code:
                reached.add(other)
                left.append(other)
    return reached


def found_in(edition: Knowledge | None, case: Case, items: frozenset[str] | None = None) -> list[Found]:
    """Return what the rules of an edition find in a case: nothing in what is neither normal nor abnormal, until a person has said what it is."""
    return standing(edition.fired("finding", case.decided, items)) if edition is not None else []


def reasons(fired: Sequence[Fired]) -> str:
    """Return why something was found, in the words of whoever reads the report."""
    return told(clause for one in fired for clause in one.verdict.clauses)


def line_text(advice: Advice, fired: Sequence[Fired]) -> str:
    """Return what a department's summary says of a finding."""
    return finding_line(advice.name, (clause for one in fired for clause in one.verdict.clauses))


def result_ids(fired: Sequence[Fired]) -> list[UUID]:
    """Return the results that made it be found, each once."""
    return list(dict.fromkeys(result_id for one in fired for result_id in one.verdict.result_ids))


def of_department(case: Case, department_id: int) -> Case:
    """Return the part of a case that a department answers for."""
    return Case(
        case.sex, case.age_years, {c: k for c, k in case.values.items() if k.department_id == department_id}, case.before,
        {c: [k for k in ks if k.department_id == department_id] for c, ks in case.repeats.items()}, case.pregnant, case.age_days,
    )  # fmt: skip
