"""Questions that the portal asks of its own tables."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import update

from tjapi.kernel.db import Look
from tjapi.kernel.uow import UnitOfWork
from tjapi.portal.models import PortalSession

_SESSION = "select tj.examinee_session($1, $2)"


async def session_is_open(look: Look, session: UUID, examinee: UUID) -> bool:
    """Say whether a session lives and its client was not revoked: asked before there is a context, so by a definer function."""
    row = await look.row(_SESSION, session, examinee)
    return row is not None and bool(row[0])


async def end_sessions(uow: UnitOfWork, examinee_ids: Collection[UUID]) -> None:
    """End the sessions of people at every campus that one holds."""
    open_ones = (PortalSession.examinee_id.in_(examinee_ids), PortalSession.expires_at > uow.now)
    await uow.session.execute(update(PortalSession).where(*open_ones).values(expires_at=uow.now))
