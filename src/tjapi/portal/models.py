"""Tables of the portal."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, SmallInteger
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from tjapi.kernel.db import Base

Moment = TIMESTAMP(timezone=True)


class PortalSession(Base):
    """An examinee's access through a client."""

    __tablename__ = "portal_session"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    examinee_id: Mapped[UUID] = mapped_column(index=True)
    client_id: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)


class MemberLink(Base):
    """成员链接: lets one member of a campaign in, after the last digits of a number. A new one ends the one before; so do wrong tries."""

    __tablename__ = "member_link"
    __table_args__ = (
        Index("ix_member_link_campaign", "campaign_id", "id"),
        Index("uq_member_link_live", "member_id", unique=True, postgresql_where=sql("ended_at is null")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    campaign_id: Mapped[UUID]
    member_id: Mapped[UUID]
    created_by: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)
    failures: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    used_at: Mapped[datetime | None] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)


class MemberSession(Base):
    """A member's access through a client: to the own choice and booking, and to nothing that an examinee may see."""

    __tablename__ = "member_session"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    member_id: Mapped[UUID]
    link_id: Mapped[UUID] = mapped_column(ForeignKey("member_link.id"))
    client_id: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)
