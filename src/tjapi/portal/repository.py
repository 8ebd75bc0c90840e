"""Questions that the portal asks of its own tables."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import select, text, update

from tjapi.kernel.db import Look
from tjapi.kernel.uow import UnitOfWork
from tjapi.portal.models import MemberLink, PortalSession

_SESSION = "select tj.portal_access($1, $2)"
_CAMPUS = text("select tj.member_campus(cast(:session as uuid))")


async def access(look: Look, session: UUID, subject: UUID) -> str | None:
    """Return what a session that lives opens, `own` or `member`: asked before there is a context, so of a definer function."""
    row = await look.row(_SESSION, session, subject)
    return None if row is None else row[0]


async def member_campus(uow: UnitOfWork, session: UUID) -> int | None:
    """Return the campus of the caller's own session."""
    return (await uow.session.execute(_CAMPUS, {"session": session})).scalar_one_or_none()


async def end_links(uow: UnitOfWork, member_ids: Collection[UUID]) -> int:
    """End the links of members; return how many lived."""
    query = update(MemberLink).where(MemberLink.member_id.in_(member_ids), MemberLink.ended_at.is_(None))
    found = await uow.session.execute(query.values(ended_at=uow.now).returning(MemberLink.id))
    return len(found.scalars().all())


async def links_page(
    uow: UnitOfWork, campaign_id: UUID, after: Sequence[str] | None, size: int
) -> Sequence[MemberLink]:
    """Return a page of a campaign's links, newest first, one too many."""
    query = select(MemberLink).where(MemberLink.campaign_id == campaign_id).order_by(MemberLink.id.desc())
    if after:
        query = query.where(MemberLink.id < UUID(after[0]))
    return (await uow.session.execute(query.limit(size + 1))).scalars().all()


async def link(uow: UnitOfWork, link_id: UUID) -> MemberLink | None:
    """Return a link under its row lock: tries are counted one after the other."""
    query = select(MemberLink).where(MemberLink.id == link_id).with_for_update()
    return (await uow.session.execute(query.execution_options(populate_existing=True))).scalar_one_or_none()


async def end_sessions(uow: UnitOfWork, examinee_ids: Collection[UUID]) -> None:
    """End the sessions of people at every campus that one holds."""
    open_ones = (PortalSession.examinee_id.in_(examinee_ids), PortalSession.expires_at > uow.now)
    await uow.session.execute(update(PortalSession).where(*open_ones).values(expires_at=uow.now))
