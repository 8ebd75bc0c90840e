"""The table of jobs, outbox and queue in one; and who works on them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Identity, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from tjapi.kernel.db import Base

STATES = ("queued", "running", "succeeded", "dead", "cancelled")


class Job(Base):
    """One piece of work. `fence` grows with each claim; a unit of work of an older claim cannot commit.

    `lost` counts the workers that died while they ran it, `overran` how often it went beyond its limits or brought its process down.
    """

    __tablename__ = "job"
    __table_args__ = (
        UniqueConstraint("name", "dedupe_key"),
        CheckConstraint(f"state in {STATES}", name="state"),
        Index("ix_job_ready", "run_at", "seq", postgresql_where=text("state = 'queued'")),
        Index("ix_job_lease", "lease_until", postgresql_where=text("state = 'running'")),
        Index(
            "ix_job_lane", "lane", "seq", postgresql_where=text("lane is not null and state in ('queued', 'running')")
        ),
        Index("ix_job_creator", "created_by", "created_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    name: Mapped[str]
    dedupe_key: Mapped[str]
    lane: Mapped[str | None]
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    campus_id: Mapped[int | None] = mapped_column(SmallInteger)
    state: Mapped[str] = mapped_column(server_default="queued")
    run_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    attempts: Mapped[int] = mapped_column(server_default="0")
    max_attempts: Mapped[int] = mapped_column(server_default="20")
    claims: Mapped[int] = mapped_column(server_default="0")
    lost: Mapped[int] = mapped_column(server_default="0")
    overran: Mapped[int] = mapped_column(server_default="0")
    fence: Mapped[int] = mapped_column(BigInteger, server_default="0")
    lease_until: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    worker: Mapped[str | None]
    cancel_requested: Mapped[bool] = mapped_column(server_default="false")
    done: Mapped[int] = mapped_column(server_default="0")
    total: Mapped[int | None]
    message: Mapped[str | None]
    result: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    error: Mapped[str | None]
    created_by: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    started_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    finished_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))


class WorkerBeat(Base):
    """A worker that lives. `beat_at` is its thread's word that the process is there, `loop_at` that its event loop turns."""

    __tablename__ = "worker_beat"

    name: Mapped[str] = mapped_column(primary_key=True)
    started_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    beat_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    loop_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    claimed_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    running: Mapped[int] = mapped_column(server_default="0")
