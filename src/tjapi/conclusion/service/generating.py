"""A conclusion made of everything that was found, merged across departments; a reviewer's words and removals stay."""

from collections.abc import Sequence
from uuid import UUID

from tjapi.conclusion import repository
from tjapi.conclusion.models import Conclusion, ConclusionEntry
from tjapi.conclusion.rules import in_order, made_by_machine, overview_of
from tjapi.conclusion.schemas import ConclusionOut
from tjapi.conclusion.service import writing
from tjapi.kernel.ids import uuid7
from tjapi.kernel.uow import UnitOfWork
from tjapi.knowledge import service as knowledge
from tjapi.result import service as results
from tjapi.result.service import Found


async def generate(uow: UnitOfWork, exam_id: UUID, expected: int) -> ConclusionOut:
    """Bring the draft in line with what is found now.

    The same finding from two departments is one entry with the results of both, and what a weightier finding stands in for is not
    listed. What a department took out of its summary, and no other found, is left out; what it wrote by hand becomes an entry. Entries
    that a reviewer edited keep their words (and are stale when nothing finds them any more); removed ones stay removed; the order that
    a reviewer gave stays, new entries follow within their kind.

    Raises ExamNotFound, PreconditionFailed, ExamStateConflict, ExamNotComplete, ConclusionStateConflict, ReviewClaimed.
    """
    exam, found = await writing.open_draft(uow, exam_id, expected)
    active = await knowledge.active(uow)
    case = await results.case_of(uow, exam_id)
    said = results.standing(active.fired("finding", case)) if active is not None else []
    lines = await results.summary_lines(uow, exam_id)
    taken_out = {line.finding_code for line in lines if line.removed} - {
        line.finding_code for line in lines if not line.removed
    }
    wanted = [_of_finding(exam.id, exam.campus_id, one) for one in said if one[0].code not in taken_out]
    wanted += [
        ConclusionEntry(
            id=uuid7(), exam_id=exam.id, campus_id=exam.campus_id, kind="finding", title=line.text[:200], detail="", advice="",
            lifestyle="", result_ids=[], key=f"line:{line.id}", rule_codes=[], edited=False, stale=False, icd10=None,
        )
        for line in lines
        if line.origin == "manual" and not line.removed
    ]  # fmt: skip
    before = list(await repository.entries(uow, exam_id))
    merged = _merged(found, before, wanted)
    if not found.overview or made_by_machine(found.overview, [e.title for e in before]):
        found.overview = overview_of([e.title for e in merged], case.every)
    found.version += 1
    found.knowledge_version_id = active.version_id if active is not None else None
    await writing.replace(uow, found, merged)
    return await writing.keep(uow, found, "generated")


def _merged(
    found: Conclusion, before: Sequence[ConclusionEntry], wanted: Sequence[ConclusionEntry]
) -> list[ConclusionEntry]:
    by_key = {entry.key: entry for entry in wanted}
    kept: list[ConclusionEntry] = []
    for entry in before:
        again = by_key.pop(entry.key, None) if entry.key is not None else None
        if entry.key is None or entry.edited:
            copy = writing.copied(entry)
            copy.stale = entry.key is not None and again is None
            if again is not None:
                copy.result_ids, copy.rule_codes = again.result_ids, again.rule_codes
            kept.append(copy)
        elif again is not None:
            kept.append(again)
    removed = set(found.removed_keys)
    return in_order([*kept, *(entry for key, entry in by_key.items() if key not in removed)])


def _of_finding(exam_id: UUID, campus_id: int, one: Found) -> ConclusionEntry:
    advice, fired = one
    return ConclusionEntry(
        id=uuid7(), exam_id=exam_id, campus_id=campus_id, kind=advice.kind, title=advice.name, detail=results.reasons(fired),
        advice=advice.advice, lifestyle=advice.lifestyle, result_ids=results.found_result_ids(fired), key=f"finding:{advice.code}",
        icd10=advice.icd10, rule_codes=[f.rule.code for f in fired], edited=False, stale=False,
    )  # fmt: skip
