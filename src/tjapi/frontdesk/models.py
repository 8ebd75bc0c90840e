"""Tables of the front desk."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import LargeBinary, SmallInteger
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from tjapi.kernel.db import Base

Moment = TIMESTAMP(timezone=True)


class AccessCode(Base):
    """The one-time code of an exam; only its keyed digest is kept."""

    __tablename__ = "access_code"

    exam_id: Mapped[UUID] = mapped_column(primary_key=True)
    campus_id: Mapped[int] = mapped_column(SmallInteger)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    failures: Mapped[int] = mapped_column(server_default="0")
    issued_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)
    used_at: Mapped[datetime | None] = mapped_column(Moment)
