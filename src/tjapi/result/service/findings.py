"""What the rules of the knowledge base find of an exam's values, and how it is said. Pure."""

from collections.abc import Sequence
from uuid import UUID

from tjapi.knowledge.rules import KINDS, Case
from tjapi.knowledge.service import Advice, Fired, Knowledge
from tjapi.knowledge.words import finding_line, told

Found = tuple[Advice, list[Fired]]
"""A finding, and the rules that found it."""


def standing(fired: Sequence[Fired]) -> list[Found]:
    """Return what was found, weightiest first, each with the rules that found it; what another finding outranks is not listed."""
    by_code: dict[str, tuple[Advice, list[Fired]]] = {}
    for one in fired:
        if one.rule.finding is not None:
            by_code.setdefault(one.rule.finding.code, (one.rule.finding, []))[1].append(one)
    outranked = {code for advice, _ in by_code.values() for code in advice.outranks}
    found = [pair for code, pair in by_code.items() if code not in outranked]
    return sorted(found, key=lambda pair: (KINDS.index(pair[0].kind), -pair[0].importance, pair[0].code))


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
        {c: [k for k in ks if k.department_id == department_id] for c, ks in case.repeats.items()}, case.pregnant,
    )  # fmt: skip
