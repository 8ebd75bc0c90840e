"""Questions that the front desk asks of its own tables."""

from uuid import UUID

from sqlalchemy import select

from tjapi.frontdesk.models import AccessCode
from tjapi.kernel.uow import UnitOfWork


async def access_code(uow: UnitOfWork, exam_id: UUID) -> AccessCode | None:
    """Return the code of an exam, locked."""
    return (
        await uow.session.execute(select(AccessCode).where(AccessCode.exam_id == exam_id).with_for_update())
    ).scalar_one_or_none()
