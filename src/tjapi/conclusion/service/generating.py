"""A conclusion made of everything that was found, merged across departments; a reviewer's words, merges and removals stay."""

from uuid import UUID

from tjapi.conclusion.schemas import ConclusionOut
from tjapi.conclusion.service import following
from tjapi.conclusion.service.keeping import keep, replace
from tjapi.conclusion.service.writing import open_draft
from tjapi.kernel.uow import UnitOfWork
from tjapi.result import service as results


async def generate(uow: UnitOfWork, exam_id: UUID, expected: int) -> ConclusionOut:
    """Bring the draft in line with what is found now.

    The same finding from two departments is one entry with the results of both, and what a weightier finding stands in for is not
    listed. What a department took out of its summary, and no other found, is left out; what it wrote by hand becomes an entry, and so does a critical
    value of which no finding tells. Entries
    that a reviewer edited or merged keep their words, with links to all the results of their findings, and are stale when what they were
    written on is other now; removed ones stay removed while their results stay; the order that a reviewer gave stays, new entries
    follow within their kind.

    Raises ExamNotFound, PreconditionFailed, ExamStateConflict, ExamNotComplete, ConclusionStateConflict, ReviewClaimed.
    """
    exam, found = await open_draft(uow, exam_id, expected)
    edition = await results.edition_of(uow, exam)
    found.knowledge_version_id = edition.version_id if edition is not None else None
    _, _, entries = await following.remake(uow, exam, found)
    found.version += 1
    await following.seen(uow, found)
    await replace(uow, found, entries)
    await following.say(uow, found, entries)
    return await keep(uow, found, "generated")
