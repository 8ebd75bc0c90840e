"""The one-time code of an exam."""

import hmac
from datetime import timedelta
from uuid import UUID

from tjapi.exam import service as exams
from tjapi.frontdesk import repository
from tjapi.frontdesk.models import AccessCode
from tjapi.frontdesk.schemas import AccessCodeOut
from tjapi.kernel.security.fields import random_code
from tjapi.kernel.uow import UnitOfWork

_LIFE = timedelta(days=30)
_MOST_FAILURES = 5


async def issue_access_code(uow: UnitOfWork, exam_id: UUID) -> AccessCodeOut:
    """Make a new one-time code for an exam; an older one ends. Raises ExamNotFound."""
    exam = await exams.lock(uow, exam_id)
    code = random_code(8)
    row = await repository.access_code(uow, exam_id)
    if row is None:
        row = AccessCode(exam_id=exam_id, campus_id=exam.campus_id)
        uow.session.add(row)
    row.digest, row.failures, row.used_at = digest(uow, exam_id, code), 0, None
    row.issued_at, row.expires_at = uow.now, uow.now + _LIFE
    await uow.audit("access_code.issued", "exam", exam_id, campus_id=exam.campus_id)
    return AccessCodeOut(access_code=code, expires_at=row.expires_at)


async def redeem_access_code(uow: UnitOfWork, exam_id: UUID, code: str, *, identity_agrees: bool) -> bool:
    """Use up a code; five failures end it. Says nothing about which part was wrong."""
    row = await repository.access_code(uow, exam_id)
    if not is_open(uow, row) or row is None:
        return False
    if not (hmac.compare_digest(bytes(row.digest), digest(uow, exam_id, code)) and identity_agrees):
        row.failures += 1
        return False
    row.used_at = uow.now
    return True


def is_open(uow: UnitOfWork, row: AccessCode | None) -> bool:
    """Say whether a code opens something still."""
    return row is not None and row.used_at is None and row.expires_at > uow.now and row.failures < _MOST_FAILURES


def digest(uow: UnitOfWork, exam_id: UUID, code: str) -> bytes:
    """Return what is kept of a code."""
    return uow.cipher.blind_index(f"{exam_id}|{code}", "access-code")
