"""Lines of a department's summary: made by the rules of the knowledge base, edited by the department; an edit is never overwritten."""

from collections.abc import Collection, Sequence
from uuid import UUID

from tjapi.exam.models import Exam
from tjapi.kernel.ids import uuid7
from tjapi.kernel.problem import FieldError
from tjapi.kernel.uow import UnitOfWork
from tjapi.knowledge import service as knowledge
from tjapi.knowledge.rules import KINDS, Case, Known
from tjapi.knowledge.service import Advice, Fired
from tjapi.knowledge.words import finding_line, nothing_found, told, valued
from tjapi.result import repository
from tjapi.result.errors import SummaryLineUnknown
from tjapi.result.models import DepartmentSheetLine
from tjapi.result.schemas import SummaryLineIn
from tjapi.result.service.case import case_of

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
        {c: [k for k in ks if k.department_id == department_id] for c, ks in case.repeats.items()},
    )  # fmt: skip


async def summarize(uow: UnitOfWork, exam: Exam, department_ids: Collection[int]) -> None:
    """Bring the generated lines of unsigned departments in line with what the rules find in their values now.

    A line that somebody edited keeps its words, and is marked stale when its rules find it no longer; one that was taken out stays out
    for as long as it would come back. What spans departments is found by the conclusion. The caller holds the exam's lock.
    """
    signed = {s.department_id for s in await repository.sheets(uow, exam.id) if s.state == "signed"}
    held: dict[int, list[DepartmentSheetLine]] = {}
    for line in await repository.sheet_lines(uow, exam.id):
        held.setdefault(line.department_id, []).append(line)
    for department_id in sorted(set(department_ids) - signed):
        await summarize_department(uow, exam, department_id, held.get(department_id, []))


async def summarize_department(
    uow: UnitOfWork, exam: Exam, department_id: int, held: Sequence[DepartmentSheetLine]
) -> Sequence[DepartmentSheetLine]:
    """Do so for one department, whose lines are `held` and whose sheet is not signed; return its lines as they are then."""
    active = await knowledge.active(uow)
    if active is None:
        return held
    case = await case_of(uow, exam.id)
    found = standing(active.fired("finding", of_department(case, department_id)))
    lines = await _bring(uow, exam, department_id, held, found, active.version_id)
    await uow.session.flush()
    return lines


async def _bring(
    uow: UnitOfWork, exam: Exam, department_id: int, held: Sequence[DepartmentSheetLine], found: Sequence[Found],
    version_id: UUID,
) -> list[DepartmentSheetLine]:  # fmt: skip
    by_finding = {line.finding_code: line for line in held if line.origin == "rule"}
    found_codes = {advice.code for advice, _ in found}
    lines = list(held)
    for code, line in by_finding.items():
        if code not in found_codes:
            if line.edited and not line.removed:
                line.stale = True
            else:
                await uow.session.delete(line)
                lines.remove(line)
    after = max((line.sort for line in held), default=0)
    for advice, fired in found:
        known = by_finding.get(advice.code)
        if known is None:
            after += 1
            known = DepartmentSheetLine(
                id=uuid7(), campus_id=exam.campus_id, exam_id=exam.id, department_id=department_id, sort=after, origin="rule",
                finding_code=advice.code, text="", edited=False, removed=False,
            )  # fmt: skip
            uow.session.add(known)
            lines.append(known)
        known.rule_codes, known.result_ids = [one.rule.code for one in fired], result_ids(fired)
        known.knowledge_version_id, known.stale = version_id, False
        if not known.edited:
            known.text = line_text(advice, fired)
    return sorted(lines, key=lambda line: (line.sort, line.id))


async def summary_lines(uow: UnitOfWork, exam_id: UUID) -> Sequence[DepartmentSheetLine]:
    """Return the lines of every department's summary, those taken out as well."""
    return await repository.sheet_lines(uow, exam_id)


async def put_lines(uow: UnitOfWork, exam: Exam, department_id: int, given: Sequence[SummaryLineIn]) -> None:
    """Make a department's lines what was sent, in that order: other words are an edit, no id a line by hand, absence takes a line out.

    Raises SummaryLineUnknown, naming every line that is none of the department's.
    """
    held = {line.id: line for line in await repository.sheet_lines(uow, exam.id, department_id)}
    strange = [
        FieldError(f"/lines/{i}/id", "unknown", "不是该科室的小结行", "no line of the department's summary")
        for i, one in enumerate(given)
        if one.id is not None and one.id not in held
    ]
    if strange:
        raise SummaryLineUnknown(errors=strange)
    kept = {one.id for one in given}
    for line in held.values():
        if line.id in kept:
            continue
        if line.origin == "manual":
            await uow.session.delete(line)
        else:
            line.removed = True
    for sort, one in enumerate(given, 1):
        if one.id is None:
            uow.session.add(
                DepartmentSheetLine(
                    id=uuid7(), campus_id=exam.campus_id, exam_id=exam.id, department_id=department_id, sort=sort, origin="manual",
                    text=one.text, edited=True,
                )
            )  # fmt: skip
            continue
        line = held[one.id]
        line.sort, line.removed = sort, False
        if line.text != one.text:
            line.text, line.edited = one.text, True
    await uow.session.flush()


def text_of(lines: Sequence[DepartmentSheetLine], values: Sequence[Known], *, complete: bool) -> str:
    """Return a summary as it is printed: the lines, then what is flagged and in none of them. `values` are the department's.

    未见异常 is said only where nothing stands beside it, and everything has its value.
    """
    shown = [line.text for line in lines if not line.removed]
    told_of = {result_id for line in lines if not line.removed for result_id in line.result_ids or ()}
    rest = [valued(known) for known in values if known.flag and known.result_id not in told_of]
    if rest:
        shown.append(f"其他异常：{'；'.join(dict.fromkeys(rest))}")
    if not shown:
        return nothing_found(values) if complete else ""
    return "\n".join(f"{i}. {text}" for i, text in enumerate(shown, 1))
