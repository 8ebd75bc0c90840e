"""What stands of an exam's results, statement by statement: which of its revisions say one thing of one measurement."""

from uuid import UUID

from tjapi.kernel.uow import UnitOfWork
from tjapi.result import repository
from tjapi.result.models import HeldRevision
from tjapi.result.rules.flags import lab_critical
from tjapi.result.rules.revisions import Stated, standing, statement
from tjapi.result.service.book import LIS, TRANSCRIBED, fact_of, value_of


async def stated_of(uow: UnitOfWork, exam_id: UUID) -> dict[UUID, Stated]:
    """Return every revision of an exam as a statement, by its id."""
    of_result: dict[UUID, list[HeldRevision]] = {}
    for revision in await repository.revisions_of_exam(uow, exam_id):
        of_result.setdefault(revision.result_id, []).append(revision)
    found: dict[UUID, Stated] = {}
    for result_id, said in of_result.items():
        stands = {f.id for f in standing(fact_of(r, said) for r in said)}
        for r in said:
            # What was entered or computed here has no moment of its own: unchanged values make no revision, and signing one is no measurement.
            theirs = r.source.startswith(LIS) or r.source == TRANSCRIBED
            word = statement(
                r.status, r.observed_at if theirs else None, alarm=lab_critical((r.lis_flags or "").split())
            )
            found[r.id] = Stated(r.id, result_id, value_of(r).same, word, r.id in stands)
    return found
