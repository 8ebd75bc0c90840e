"""An edition of the knowledge base tried on exams that were, beside the one in use: what it would find and alarm that is not found now."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from uuid import UUID

from tjapi.exam.models import Exam
from tjapi.kernel.uow import UnitOfWork
from tjapi.knowledge import service as knowledge
from tjapi.knowledge.rules import Case
from tjapi.knowledge.service import Knowledge
from tjapi.result import views
from tjapi.result.schemas import TrialOut, TrialRowOut
from tjapi.result.service.case import before_of, put_together
from tjapi.result.service.findings import found_in

_AT_ONCE = 50
_SHOWN = 5
_Said = tuple[str, str, str]
"""A finding or an alarm: which of the two, its code, its name."""


async def try_edition(uow: UnitOfWork, version_id: UUID, most: int) -> TrialOut:
    """Say of the newest exams what a version finds and alarms that the one in use does not, and the other way round; nothing is changed.

    Of each exam its values as they are now are asked, whatever it was judged by. Raises KnowledgeVersionNotFound.
    """
    # What is tried is what it would find once it is signed.
    tried = replace(await knowledge.edition(uow, version_id), signed=True)
    now = await knowledge.active(uow)
    used = replace(now, signed=True) if now is not None else None
    past = {code for one in (tried, used) if one is not None for rule in one.rules for code in rule.past}
    exams = await views.newest_exams(uow, most)
    more: dict[_Said, list[str]] = {}
    fewer: dict[_Said, list[str]] = {}
    for first in range(0, len(exams), _AT_ONCE):
        some = exams[first : first + _AT_ONCE]
        for exam, case in await _cases(uow, some, past):
            new, old = _said_of(tried, case), _said_of(used, case) if used is not None else set()
            for held, said in ((more, new - old), (fewer, old - new)):
                for one in said:
                    held.setdefault(one, []).append(exam.exam_no)
    rows = [
        TrialRowOut(
            what="critical" if what == "critical" else "finding", code=code, name=name, more=len(more.get((what, code, name), ())),
            fewer=len(fewer.get((what, code, name), ())),
            exam_nos=[*more.get((what, code, name), ()), *fewer.get((what, code, name), ())][:_SHOWN],
        )
        for what, code, name in sorted(more.keys() | fewer.keys())
    ]  # fmt: skip
    return TrialOut(
        version_id=version_id, active_id=used.version_id if used is not None else None, exams=len(exams), changes=rows
    )


async def _cases(uow: UnitOfWork, exams: Sequence[Exam], past: Collection[str]) -> list[tuple[Exam, Case]]:
    rows = await views.case_values(uow, [exam.id for exam in exams])
    found = []
    for exam in exams:
        values, repeats = put_together([row for row in rows if row.exam_id == exam.id])
        before = await before_of(uow, exam, set(past) & values.keys())
        found.append(
            (exam, Case(exam.sex, exam.age_years, values, before, repeats, bool(exam.pregnant), exam.age_days))
        )
    return found


def _said_of(edition: Knowledge, case: Case) -> set[_Said]:
    """Return what an edition would say of an exam: the findings that are listed, and every alarm."""
    findings: set[_Said] = {("finding", advice.code, advice.name) for advice, _ in found_in(edition, case)}
    return findings | {("critical", fired.rule.code, fired.rule.name) for fired in edition.fired("critical", case)}
