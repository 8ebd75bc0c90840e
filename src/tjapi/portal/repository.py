"""Questions that the portal asks of its own tables."""

from uuid import UUID

from sqlalchemy import text

from tjapi.kernel.uow import UnitOfWork

_SESSION = text("select tj.examinee_session(:session, :examinee)")


async def session_is_open(uow: UnitOfWork, session: UUID, examinee: UUID) -> bool:
    """Say whether a session lives and its client was not revoked: asked before there is a context, so by a definer function."""
    return bool((await uow.session.execute(_SESSION, {"session": session, "examinee": examinee})).scalar())
