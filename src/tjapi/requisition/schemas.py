"""Shapes of requisitions and tubes."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from tjapi.requisition.rules import RequisitionState, TubeState


class TubeOut(BaseModel):
    """A tube and what it is for."""

    id: UUID
    exam_id: UUID
    barcode: str = Field(examples=["010000000018"])
    container: str = Field(examples=["EDTA-2"])
    specimen: str = Field(examples=["whole_blood"])
    fasting: bool
    section: str | None = Field(description="检验组 · Section of the laboratory", examples=["chemistry"])
    minutes_after: int | None = Field(
        description="餐后(负荷后)采集时间,分钟 · Minutes after the meal or the load", examples=[None]
    )
    send_out: bool = Field(description="是否外送 · Sent to another laboratory", examples=[False])
    state: TubeState = Field(examples=["collected"])
    groups: list[str] = Field(description="组合项目 · Item groups", examples=[["血常规"]])
    collected_at: datetime | None


class TubesOut(BaseModel):
    """The tubes of an exam."""

    items: list[TubeOut]


class RequisitionOut(BaseModel):
    """An order to the LIS."""

    id: UUID
    exam_id: UUID
    placer_no: str = Field(examples=["A26112200017-1-01"])
    state: RequisitionState = Field(examples=["sent"])
    attempt: int = Field(examples=[1])
    planned_at: datetime
    sent_at: datetime | None
    error: str | None = Field(examples=[None])


class RequisitionsOut(BaseModel):
    """The orders of an exam."""

    items: list[RequisitionOut]
