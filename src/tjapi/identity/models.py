"""Tables of identity: hospital-wide. Accounts, roles and clients are changed by functions of the database alone (0064)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger, Text
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from tjapi.kernel.db import Base

Moment = TIMESTAMP(timezone=True)


class Campus(Base):
    """院区."""

    __tablename__ = "campus"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]


class Staff(Base):
    """A person who works here and signs in. `token_version` grows when every token must end."""

    __tablename__ = "staff"
    __table_args__ = (CheckConstraint("status in ('active', 'disabled')", name="status"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    title: Mapped[str] = mapped_column(server_default="")
    password_hash: Mapped[str] = mapped_column(deferred=True)  # which the reading role may not read
    status: Mapped[str] = mapped_column(server_default="active")
    token_version: Mapped[int] = mapped_column(server_default="1")
    version: Mapped[int] = mapped_column(server_default="1")
    all_departments: Mapped[bool] = mapped_column(server_default="false")
    departments: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger), server_default="{}")
    campuses: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger), server_default="{}")
    created_at: Mapped[datetime] = mapped_column(Moment)
    approved_at: Mapped[datetime | None] = mapped_column(Moment)
    must_change_password: Mapped[bool] = mapped_column(server_default="false")
    password_set_by: Mapped[UUID | None]
    password_changed_at: Mapped[datetime | None] = mapped_column(Moment)
    password_history: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}", deferred=True)
    guess_epoch: Mapped[int] = mapped_column(server_default="0")


class Role(Base):
    """A named set of permissions."""

    __tablename__ = "role"

    code: Mapped[str] = mapped_column(primary_key=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    permissions: Mapped[list[str]] = mapped_column(ARRAY(Text))
    version: Mapped[int] = mapped_column(server_default="1")


class StaffRole(Base):
    """A role that a member of staff holds."""

    __tablename__ = "staff_role"

    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    role_code: Mapped[str] = mapped_column(ForeignKey("role.code"), primary_key=True)


class StaffSession(Base):
    """A login; its access and refresh tokens end when it is revoked."""

    __tablename__ = "staff_session"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(Moment)
    source: Mapped[str] = mapped_column(server_default="")
    token_version: Mapped[int] = mapped_column(server_default="0")
    last_used_at: Mapped[datetime | None] = mapped_column(Moment)
    must: Mapped[str] = mapped_column(server_default="")
    stepped_up_at: Mapped[datetime | None] = mapped_column(Moment)
    revoked_at: Mapped[datetime | None] = mapped_column(Moment)


class SecondFactor(Base):
    """What an authenticator holds too; unconfirmed until a code of it was seen. `last_step`: codes up to it were used."""

    __tablename__ = "staff_second_factor"

    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(Moment)
    confirmed_at: Mapped[datetime | None] = mapped_column(Moment)
    last_step: Mapped[int] = mapped_column(BigInteger, server_default="0")
    recovery: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")


class RefreshToken(Base):
    """One use each. Only the digest is kept."""

    __tablename__ = "refresh_token"
    __table_args__ = (Index("ix_refresh_token_session_id", "session_id"),)

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    session_id: Mapped[UUID] = mapped_column(ForeignKey("staff_session.id"))
    expires_at: Mapped[datetime] = mapped_column(Moment)
    used_at: Mapped[datetime | None] = mapped_column(Moment)


class ApiClient(Base):
    """A system that calls us: its scopes are permissions."""

    __tablename__ = "api_client"
    __table_args__ = (CheckConstraint("status in ('active', 'revoked')", name="status"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    secret_hash: Mapped[str] = mapped_column(deferred=True)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    campuses: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger))
    status: Mapped[str] = mapped_column(server_default="active")
    token_version: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[datetime] = mapped_column(Moment)
    approved_at: Mapped[datetime | None] = mapped_column(Moment)
    created_by: Mapped[UUID | None]
