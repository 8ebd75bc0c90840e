"""Questions that the portal asks of its own tables."""

from uuid import UUID

from tjapi.kernel.db import Look

_SESSION = "select tj.examinee_session($1, $2)"


async def session_is_open(look: Look, session: UUID, examinee: UUID) -> bool:
    """Say whether a session lives and its client was not revoked: asked before there is a context, so by a definer function."""
    row = await look.row(_SESSION, session, examinee)
    return row is not None and bool(row[0])
