"""Who reviews an exam: a claim with a lease, renewed by every step of its holder. Two doctors never review one exam."""

from datetime import timedelta
from uuid import UUID

from tjapi.conclusion import repository
from tjapi.conclusion.errors import ReviewClaimed, ReviewNotClaimed
from tjapi.conclusion.models import ReviewClaim
from tjapi.conclusion.schemas import ClaimOut
from tjapi.exam import service as exams
from tjapi.exam.models import Exam
from tjapi.identity import service as identity
from tjapi.kernel.uow import UnitOfWork
from tjapi.result.errors import SignerNotStaff

LEASE = timedelta(minutes=15)


async def claim(uow: UnitOfWork, exam_id: UUID) -> ClaimOut:
    """Claim an exam that is ready, or renew one's claim. Raises ExamNotFound, SignerNotStaff, ExamNotComplete, ReviewClaimed."""
    if uow.principal.kind != "staff":
        raise SignerNotStaff
    exam = await exams.lock(uow, exam_id)
    held = await hold(uow, exam)
    await uow.audit("review.claimed", "exam", exam_id, campus_id=exam.campus_id)
    return claim_out(held)


async def release(uow: UnitOfWork, exam_id: UUID) -> None:
    """Give a claim back. Raises ExamNotFound, ReviewNotClaimed."""
    exam = await exams.lock(uow, exam_id)
    held = await live(uow, exam_id)
    if held is None or held.by != uow.principal.id:
        raise ReviewNotClaimed
    await let_go(uow, exam_id)
    await uow.audit("review.released", "exam", exam_id, campus_id=exam.campus_id)


async def hold(uow: UnitOfWork, exam: Exam) -> ReviewClaim:
    """Take or renew the claim for a step of a review; the caller holds the exam's lock. Raises ReviewClaimed."""
    held = await repository.claim(uow, exam.id)
    if held is not None and held.until > uow.now and held.by != uow.principal.id:
        raise ReviewClaimed("已由 {name} 认领主检", "{name} reviews this exam", name=held.by_name)
    if held is None:
        held = ReviewClaim(exam_id=exam.id, campus_id=exam.campus_id)
        uow.session.add(held)
    if held.by != uow.principal.id or held.until <= uow.now:
        held.by, held.claimed_at = uow.principal.id, uow.now
        held.by_name = await identity.staff_name(uow, uow.principal.id) or uow.principal.name
    held.until = uow.now + LEASE
    await uow.session.flush()
    return held


async def live(uow: UnitOfWork, exam_id: UUID) -> ReviewClaim | None:
    """Return the claim that holds now."""
    held = await repository.claim(uow, exam_id)
    return held if held is not None and held.until > uow.now else None


async def let_go(uow: UnitOfWork, exam_id: UUID) -> None:
    """End whatever claim there is: a level of the review is done."""
    await repository.drop_claim(uow, exam_id)


def claim_out(held: ReviewClaim) -> ClaimOut:
    """Return the public shape of a claim."""
    return ClaimOut.model_validate(held, from_attributes=True)
