"""Tables of the portal."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import SmallInteger
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from tjapi.kernel.db import Base


class PortalSession(Base):
    """An examinee's access through a client."""

    __tablename__ = "portal_session"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    examinee_id: Mapped[UUID] = mapped_column(index=True)
    client_id: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
