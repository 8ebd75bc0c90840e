"""Shapes of a conclusion."""

from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from tjapi.conclusion.rules import ConclusionState, EntryKind
from tjapi.exam.rules import ExamState

_ID = "0192f0c4-7b1a-7c3e-9d55-1f2e3a4b5c6d"


class Input(BaseModel):
    """What a client sends: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class EntryIn(Input):
    """One thing concluded. Without results it is marked as written by hand."""

    kind: EntryKind = Field(description="类别:疾病、阳性发现、危险因素 · Kind", examples=["finding"])
    title: str = Field(min_length=1, max_length=200, description="名称 · Title", examples=["血压偏高"])
    detail: str = Field("", max_length=2000, description="依据 · Detail", examples=["收缩压 142 mmHg"])
    advice: str = Field("", max_length=4000, description="建议 · Advice", examples=["低盐饮食,一周内复测血压。"])
    result_ids: list[UUID] = Field(
        default_factory=list, max_length=50, description="所依据的结果 · The results it rests on", examples=[[_ID]]
    )


class ConclusionIn(Input):
    """A conclusion as it shall be."""

    overview: str = Field(max_length=20_000, description="综述 · Overview", examples=["本次体检主要指标如下。"])
    entries: list[EntryIn] = Field(
        default_factory=list,
        max_length=100,
        description="条目;按疾病、阳性发现、危险因素排列,同类保持提交顺序 · Entries; ordered by kind, then as sent",
    )


class ReturnIn(Input):
    """Why a conclusion is returned."""

    reason: str = Field(min_length=1, max_length=200, description="原因 · Reason", examples=["遗漏血压偏高"])


class EntryOut(BaseModel):
    """One thing concluded."""

    id: UUID
    sort: int = Field(examples=[1])
    kind: EntryKind
    title: str = Field(examples=["血压偏高"])
    detail: str = Field(examples=["收缩压 142 mmHg"])
    advice: str = Field(examples=["低盐饮食,一周内复测血压。"])
    result_ids: list[UUID]
    manual: bool = Field(description="手工录入,不依据结果 · Written by hand, resting on no result")


class ConclusionOut(BaseModel):
    """A conclusion. Its version is the ETag; version 0: nothing was written yet."""

    exam_id: UUID
    version: int = Field(examples=[1])
    state: ConclusionState = Field(examples=["finalized"])
    overview: str = Field(examples=["本次体检主要指标如下。"])
    entries: list[EntryOut]
    initial_by: UUID | None
    initial_name: str | None = Field(examples=["蒙初审"])
    initial_at: datetime | None
    final_by: UUID | None
    final_name: str | None = Field(examples=["单终审"])
    final_at: datetime | None
    returned_reason: str | None = Field(description="最近一次退回的原因 · Why it was last returned", examples=[None])


class QueueItem(BaseModel):
    """An exam that waits for a reviewer."""

    exam_id: UUID
    exam_no: str = Field(examples=["A26112200017"])
    name: str = Field(examples=["张三"])
    sex: str = Field(examples=["male"])
    age_years: int = Field(examples=[36])
    exam_date: date
    exam_state: ExamState
    conclusion_state: ConclusionState
    ready_at: datetime
    initial_by: UUID | None
    initial_name: str | None = Field(examples=["蒙初审"])
