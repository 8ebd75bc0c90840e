"""Shapes of critical values."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from tjapi.critical_value.rules import Channel, CriticalState, StepAction
from tjapi.knowledge.rules import ImportantClass


class Input(BaseModel):
    """What a client sends: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class DismissIn(Input):
    """Why it is none."""

    reason: str = Field(min_length=2, max_length=400, description="排除理由 · Reason", examples=["标本溶血,已重抽复核"])


class NotifyIn(Input):
    """An attempt to tell somebody. `reached` false: nobody was told."""

    channel: Channel = Field(description="途径 · Channel", examples=["phone"])
    told: str = Field(
        min_length=1, max_length=80, description="被通知人 · Who was told, or was to be", examples=["本人"]
    )
    reached: bool = Field(description="是否联系上 · Whether they were reached", examples=[True])
    read_back: str | None = Field(
        None, max_length=400, description="复述内容,A 类必填 · What was read back; class A needs it", examples=["血糖 25.0,马上去急诊"]
    )  # fmt: skip
    note: str | None = Field(None, max_length=400, description="备注 · Note", examples=[None])


class FollowUpIn(Input):
    """What was heard later."""

    note: str = Field(
        min_length=1, max_length=400, description="随访情况 · What was heard", examples=["已到急诊,血糖 18.2,收住院"]
    )


class CloseIn(Input):
    """How it ended; without an outcome two channels must have failed."""

    outcome: str | None = Field(
        None, min_length=1, max_length=400, description="转归 · Outcome", examples=["住院治疗后好转"]
    )


class PhoneOut(BaseModel):
    """How to reach whom an open critical value is of."""

    name: str = Field(examples=["张三"])
    phone: str | None = Field(description="电话 · Phone", examples=["13800001234"])


class CriticalStepOut(BaseModel):
    """One thing that was done."""

    model_config = ConfigDict(from_attributes=True)

    action: StepAction = Field(examples=["notified"])
    by_name: str = Field(examples=["蒙初审"])
    at: datetime
    channel: Channel | None = Field(examples=["phone"])
    told: str | None = Field(examples=["本人"])
    read_back: str | None = Field(examples=["血糖 25.0,马上去急诊"])
    note: str | None = Field(examples=[None])


class CriticalValueOut(BaseModel):
    """A critical value, why it was raised, and by when somebody must have seen to it."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    campus_id: int = Field(examples=[1])
    exam_id: UUID
    exam_no: str = Field(examples=["A26112300018"])
    name: str | None = Field(None, description="姓名等仅处置者可见 · Shown to who handles it", examples=["张三"])
    sex: str | None = Field(None, examples=["male"])
    age_years: int | None = Field(None, examples=[52])
    department_id: int = Field(examples=[4])
    rule_code: str = Field(examples=["CRIT-GLU-HIGH"])
    rule_name: str = Field(examples=["血糖过高"])
    important_class: ImportantClass = Field(examples=["A"])
    explanation: str = Field(description="触发原因 · Why it was raised", examples=["葡萄糖 25.0 mmol/L,≥ 22.2"])
    action: str = Field(description="处置建议 · What to do", examples=["立即测指尖血糖。"])
    result_ids: list[UUID]
    supersedes: UUID | None = Field(description="取代的前一条 · The one whose value was corrected")
    state: CriticalState = Field(examples=["detected"])
    version: int = Field(examples=[1])
    detected_at: datetime
    due_at: datetime
    overdue: bool = Field(description="已超时 · Past due and not dealt with")
    corrected_at: datetime | None = Field(
        description="结果已更正,原因不再成立 · The value was corrected; the reason is gone"
    )
    escalation_level: int = Field(description="已升级次数 · How often it was escalated", examples=[0])
    outcome: str | None = Field(examples=[None])


class CriticalValueDetail(CriticalValueOut):
    """A critical value with everything that was done about it."""

    steps: list[CriticalStepOut]
