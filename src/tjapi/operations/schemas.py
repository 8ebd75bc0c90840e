"""Shapes of operations."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

MessageState = Literal["received", "filed", "duplicate", "revision", "quarantined", "unmatched"]
QuarantineReason = Literal[
    "content-differs", "charset-doubtful", "unparsable", "no-usable-id", "batch-differs", "frame-not-ended", "outside-a-frame",
    "not-production",
]  # fmt: skip
JobState = Literal["queued", "running", "succeeded", "dead", "cancelled"]


class MessageAccepted(BaseModel):
    """The message is stored durably."""

    id: UUID
    source: str = Field(examples=["lis"])
    message_id: str = Field(examples=["LIS202611220001"])
    state: MessageState = Field(examples=["received"])
    duplicate: bool = Field(description="此前已收到 · It was here before", examples=[False])


class MessageOut(BaseModel):
    """An inbound message and what became of it."""

    id: UUID
    source: str = Field(examples=["lis"])
    sender: str = Field(description="发送方(MSH-3/MSH-4) · Whose number it is", examples=["LIS/LAB"])
    message_id: str = Field(examples=["LIS202611220001"])
    state: MessageState = Field(examples=["unmatched"])
    reason: str | None = Field(description="原因代码 · Reason code", examples=["unknown-code"])
    detail: dict[str, Any] = Field(examples=[{"codes": ["HGB2"]}])
    exam_id: UUID | None = Field(examples=[None])
    alarming: bool = Field(
        description="含检验科标为危急、尚未归属到人的结果 · It says something critical, and nobody knows of whom",
        examples=[False],
    )
    media_type: str = Field(examples=["application/hl7-v2"])
    sha256: str = Field(examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"])
    attempts: int = Field(examples=[0])
    received_at: datetime
    ended_at: datetime | None


class JobOut(BaseModel):
    """A job as its owner sees it."""

    id: UUID
    name: str = Field(examples=["report.render"])
    state: JobState = Field(examples=["succeeded"])
    done: int = Field(description="已完成 · Done so far", examples=[3])
    total: int | None = Field(description="总数 · Of how many", examples=[3])
    message: str | None = Field(examples=["rendered"])
    result: dict[str, Any] | None = Field(examples=[{"pages": 6}])
    error: str | None = Field(description="错误代码 · Error code", examples=[None])
    attempts: int = Field(examples=[1])
    max_attempts: int = Field(examples=[8])
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class AuditEventOut(BaseModel):
    """Who did what, when."""

    id: int = Field(examples=[1203])
    at: datetime
    principal_kind: str = Field(examples=["staff"])
    principal_id: UUID
    action: str = Field(examples=["exam.checked_in"])
    object_type: str = Field(examples=["exam"])
    object_id: str = Field(examples=["0192f0c4-7b1a-7c3e-9d55-1f2e3a4b5c6d"])
    campus_id: int | None = Field(examples=[1])
    detail: dict[str, Any] = Field(examples=[{}])
    request_id: str = Field(examples=["0192f0c47b1a7c3e9d551f2e3a4b5c6d"])
    source: str = Field(
        description="来源地址;系统自身所为为空 · The address it was asked from; empty: the system by itself",
        examples=["10.20.3.41"],
    )


class DictionaryEntry(BaseModel):
    """A code and its labels."""

    code: str = Field(examples=["checked_in"])
    zh: str = Field(examples=["已报到"])
    en: str = Field(examples=["Checked in"])


class Dictionary(BaseModel):
    """The codes of one enumeration."""

    name: str = Field(examples=["exam_state"])
    entries: list[DictionaryEntry]


class DictionariesOut(BaseModel):
    """Every enumeration of the contract with labels in Chinese and English."""

    items: list[Dictionary]
