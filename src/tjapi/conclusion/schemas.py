"""Shapes of a conclusion."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from tjapi.conclusion.rules import ConclusionState, EntryKind, TaskState
from tjapi.exam.rules import ExamState
from tjapi.exam.schemas import ExamOut, Outstanding
from tjapi.result.schemas import ConfirmedOut, DepartmentResultsOut

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
    lifestyle: str = Field("", max_length=4000, description="生活指导 · Lifestyle", examples=["减盐,规律运动。"])
    result_ids: list[UUID] = Field(
        default_factory=list, max_length=50, description="所依据的结果 · The results it rests on", examples=[[_ID]]
    )
    key: str | None = Field(
        None, pattern=r"^(finding|line|critical):[A-Za-z0-9_-]{1,60}$", description="来源标识,原样送回 · Where it came from; send it back as it is",
        examples=["finding:HYPERTENSION"],
    )  # fmt: skip
    keys: list[Annotated[str, Field(pattern=r"^(finding|line|critical):[A-Za-z0-9_-]{1,60}$")]] = Field(
        default_factory=list, max_length=20,
        description="合并的全部来源;拆分的条目共用同一来源 · Every finding merged here; entries that share one are a finding split",
        examples=[["finding:HYPERTENSION", "finding:OBESITY"]],
    )  # fmt: skip
    confirmed: bool = Field(
        False, description="结果变化后确认原文仍成立 · The words stand although what they rest on has changed"
    )


class ConclusionIn(Input):
    """A conclusion as it shall be."""

    overview: str = Field(max_length=20_000, description="综述 · Overview", examples=["本次体检主要指标如下。"])
    overview_confirmed: bool = Field(
        False, description="结果变化后确认综述仍成立 · The overview stands although what it rests on has changed"
    )
    entries: list[EntryIn] = Field(
        default_factory=list,
        max_length=100,
        description="条目;按疾病、阳性发现、危险因素排列,同类保持提交顺序 · Entries; ordered by kind, then as sent",
    )


class ConfirmIn(Input):
    """A signature, with the words that it stands for although nothing of the exam supports them."""

    confirmed: list[Annotated[str, Field(min_length=1, max_length=4000)]] = Field(
        default_factory=list, max_length=200,
        description="已核对、确认保留的无结果依据的字句,与 asked 所列逐字相同 · Words that no result supports, looked at and meant: exactly as `asked` lists them",
        examples=[["肝硬化"]],
    )  # fmt: skip


class ReturnIn(Input):
    """Why a conclusion is returned."""

    reason: str = Field(min_length=1, max_length=200, description="原因 · Reason", examples=["遗漏血压偏高"])


class ReopenIn(Input):
    """Why a final sign-off is taken back."""

    reason: str = Field(min_length=1, max_length=200, description="原因 · Reason", examples=["终审后检验科更正血糖"])


class EntryOut(BaseModel):
    """One thing concluded."""

    id: UUID
    sort: int = Field(examples=[1])
    kind: EntryKind
    title: str = Field(examples=["血压偏高"])
    detail: str = Field(examples=["收缩压 142 mmHg"])
    advice: str = Field(examples=["低盐饮食,一周内复测血压。"])
    lifestyle: str = Field(description="生活指导 · Lifestyle", examples=["减盐,规律运动。"])
    result_ids: list[UUID]
    key: str | None = Field(
        description="来源标识:发现、科室小结的一行、未被任何发现包含的危急值 · Where it came from: a finding, a line of a department's summary, a critical value of which no finding speaks",
        examples=["finding:HYPERTENSION"],
    )  # fmt: skip
    keys: list[str] = Field(
        description="全部来源 · Every finding that it stands for", examples=[["finding:HYPERTENSION"]]
    )
    icd10: str | None = Field(examples=["I10"])
    rule_codes: list[str] = Field(description="发现它的规则 · The rules that found it", examples=[["HYPERTENSION-1"]])
    edited: bool = Field(description="经主检修改,重新汇总时保留 · Edited: kept when it is made anew")
    stale: bool = Field(
        description="经主检修改,而所依据的结果已变化;须修改或确认 · Edited, and what it rests on has changed: to be changed or confirmed"
    )
    manual: bool = Field(description="手工录入,不依据结果 · Written by hand, resting on no result")
    asked: list[str] = Field(
        default_factory=list,
        description="本次体检结果中没有依据、尚待签名者确认的字句 · Words that nothing of the exam supports: whoever signs confirms them",
        examples=[["肝硬化"]],
    )


class ConclusionOut(BaseModel):
    """A conclusion. Its version is the ETag; version 0: nothing was written yet."""

    exam_id: UUID
    version: int = Field(examples=[1])
    state: ConclusionState = Field(examples=["finalized"])
    overview: str = Field(examples=["本次体检主要指标如下。"])
    overview_stale: bool = Field(
        description="综述所依据的结果已变化;须修改或确认 · What the overview rests on has changed: to be changed or confirmed"
    )
    overview_asked: list[str] = Field(
        default_factory=list, description="综述中没有依据、尚待确认的字句 · The same of the overview", examples=[[]]
    )
    confirmed: list[ConfirmedOut] = Field(
        default_factory=list,
        description="已确认的无结果依据的字句;文字或结果变化后失效 · Words that were confirmed; no longer once they or the results change",
    )
    entries: list[EntryOut]
    initial_by: UUID | None
    initial_name: str | None = Field(examples=["蒙初审"])
    initial_at: datetime | None
    final_by: UUID | None
    final_name: str | None = Field(examples=["单终审"])
    final_at: datetime | None
    returned_reason: str | None = Field(description="最近一次退回的原因 · Why it was last returned", examples=[None])
    knowledge_version_id: UUID | None = Field(description="所用知识库版本 · The version of the knowledge base used")
    reopened_at: datetime | None = Field(
        description="取消终审的时间 · When the final sign-off was taken back, if it was"
    )


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
    reopened_at: datetime | None = Field(description="重新主检,排在最前 · Reviewed again: first in the queue")
    initial_by: UUID | None
    initial_name: str | None = Field(examples=["蒙初审"])
    claimed_name: str | None = Field(description="认领人 · Who reviews it", examples=["蒙初审"])
    claimed_until: datetime | None = Field(description="认领到期 · When the claim runs out")


class ClaimOut(BaseModel):
    """Who reviews an exam, and until when nobody else does. Any step of the review renews it."""

    exam_id: UUID
    by: UUID
    by_name: str = Field(examples=["蒙初审"])
    claimed_at: datetime
    until: datetime


class UnreadOut(BaseModel):
    """A sentence of a description that is neither understood nor known as normal: a person reads it. It blocks nothing."""

    result_id: UUID
    item_code: str = Field(examples=["US-LIVER"])
    item_name: str = Field(examples=["肝脏超声"])
    text: str = Field(examples=["肝右叶见不规则回声区"])


class ReviewOut(BaseModel):
    """Everything that a reviewer needs of an exam, in one answer."""

    exam: ExamOut
    complete: bool = Field(description="是否可以终审 · Whether nothing is outstanding")
    outstanding: list[Outstanding] = Field(description="未完成的原因 · What is outstanding, and why")
    departments: list[DepartmentResultsOut]
    unread: list[UnreadOut] = Field(description="未能识别、须人工阅读的描述 · Descriptions that a person reads")
    conclusion: ConclusionOut
    claim: ClaimOut | None
    unsigned: bool = Field(
        description="所用知识库版本未签批:只报危急值,未出任何发现与建议;签批后自动补出 · Judged by content that nobody signed: it alarms and found nothing; once it is signed"
        " what there is is found",
        examples=[False],
    )


class AmendmentTaskOut(BaseModel):
    """A result that came, or changed, after the final sign-off."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    exam_id: UUID
    exam_no: str = Field("", examples=["A26112300018"])
    name_masked: str = Field("", examples=["张*"])
    item_name: str | None = Field(None, description="哪项结果 · Of which item", examples=["葡萄糖"])
    was: str | None = Field(None, description="原值与现值 · What it was, and is", examples=["5.00 mmol/L"])
    now: str | None = Field(None, examples=["8.74 mmol/L"])
    result_id: UUID | None
    revision_id: UUID | None
    question_id: UUID | None = Field(
        description="检验科所报、未能读取的结果:待核实结果的编号 · Of a value that nobody could read: the question about it"
    )
    past: str | None = Field(
        description="所引往次体检结果已变化:已不成立的内容 · An earlier exam says something else: what was printed of it and holds no longer",
        examples=["葡萄糖 2025-11-20 7.50"],
    )
    person: str | None = Field(
        description="档案合并或撤销合并后,体检或报告所载受检者信息与档案不一致 · After people were merged or parted: what the exam or its report says of the person is not what the file says",
        examples=["体检登记的性别或出生日期与受检者档案不一致"],
    )
    state: TaskState = Field(examples=["open"])
    raised_at: datetime
    closed_by: UUID | None
    closed_at: datetime | None
    outcome: str | None = Field(examples=["已电话告知并重出报告"])


class TaskCloseIn(Input):
    """What became of it."""

    outcome: str = Field(
        min_length=1, max_length=400, description="处理结果 · What was done", examples=["已电话告知并重出报告"]
    )
