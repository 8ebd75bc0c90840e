"""Shapes of reports."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from tjapi.report.rules import ReportState


class RecallIn(BaseModel):
    """Why a report is recalled."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)
    reason: str = Field(min_length=1, max_length=200, description="原因 · Reason", examples=["结果更正"])


class ReportOut(BaseModel):
    """A version of a report."""

    id: UUID
    exam_id: UUID
    version: int = Field(examples=[1])
    state: ReportState = Field(examples=["published"])
    job_id: UUID = Field(description="生成任务 · The job that renders it: /jobs/{job_id}")
    sha256: str | None = Field(
        description="PDF 的 SHA-256 · SHA-256 of the PDF",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    )
    pages: int | None = Field(examples=[6])
    size: int | None = Field(description="字节 · Bytes", examples=[184320])
    requested_at: datetime
    generated_at: datetime | None
    published_at: datetime | None
    recalled_at: datetime | None = Field(examples=[None])


class ReportsOut(BaseModel):
    """The versions of an exam's report, newest first."""

    items: list[ReportOut]
