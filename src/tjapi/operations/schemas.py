"""Shapes of operations."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

MessageState = Literal["received", "filed", "duplicate", "revision", "quarantined", "unmatched"]
JobState = Literal["queued", "running", "succeeded", "dead", "cancelled"]


class MessageAccepted(BaseModel):
    """The message is stored durably."""

    id: UUID
    source: str
    message_id: str
    state: MessageState
    duplicate: bool = Field(description="此前已收到 · It was here before")


class MessageOut(BaseModel):
    """An inbound message and what became of it."""

    id: UUID
    source: str = Field(examples=["lis"])
    message_id: str = Field(examples=["LIS202611220001"])
    state: MessageState
    reason: str | None = Field(description="原因代码 · Reason code", examples=["unknown-code"])
    detail: dict[str, Any]
    exam_id: UUID | None
    media_type: str
    sha256: str
    attempts: int
    received_at: datetime
    ended_at: datetime | None


class JobOut(BaseModel):
    """A job as its owner sees it."""

    id: UUID
    name: str = Field(examples=["report.render"])
    state: JobState
    done: int = Field(description="已完成 · Done so far")
    total: int | None = Field(description="总数 · Of how many")
    message: str | None
    result: dict[str, Any] | None
    error: str | None = Field(description="错误代码 · Error code")
    attempts: int
    max_attempts: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class AuditEventOut(BaseModel):
    """Who did what, when."""

    id: int
    at: datetime
    principal_kind: str
    principal_id: UUID
    action: str = Field(examples=["exam.checked_in"])
    object_type: str
    object_id: str
    campus_id: int | None
    detail: dict[str, Any]
    request_id: str


class LiveEventOut(BaseModel):
    """A live event. Ids only: read the thing through its own operation."""

    topic: str = Field(examples=["exam"])
    at: datetime
    campus_id: int | None
    data: dict[str, Any]


class DictionaryEntry(BaseModel):
    """A code and its labels."""

    code: str
    zh: str
    en: str


class Dictionary(BaseModel):
    """The codes of one enumeration."""

    name: str
    entries: list[DictionaryEntry]


class DictionariesOut(BaseModel):
    """Every enumeration of the contract with labels in Chinese and English."""

    items: list[Dictionary]
