"""Shapes of what is done with a unit's members."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from tjapi.employer.rules.campaigns import CampaignState, RepricingOutcome
from tjapi.exam.rules import ExamState
from tjapi.groupdesk.rules import Standing
from tjapi.kernel.validation import WHOLE, Day, out_of_range

_ID = "0192f0c4-7b1a-7c3e-9d55-1f2e3a4b5c6d"
_EARLIEST, _LATEST = date(2000, 1, 1), date(2099, 12, 31)
MOST_AT_ONCE = 50
"""Commands over more exams are jobs."""


def _in_this_century(value: date) -> date:
    if not _EARLIEST <= value <= _LATEST:
        raise out_of_range(_EARLIEST, _LATEST)
    return value


class Input(BaseModel):
    """What a client sends: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class DayIn(Input):
    """A day of the plan, or a session of it: so many of the campaign's members."""

    day: Annotated[Day, AfterValidator(_in_this_century)] = Field(description="日期 · Day", examples=["2026-03-02"])
    session_id: UUID | None = Field(
        None,
        description="时段;缺省为当天任一有号源的时段 · Session; without one, whichever of the day's has a place",
        examples=[None],
    )
    quota: Annotated[int, Field(ge=1, le=10_000), WHOLE] = Field(description="人数上限 · Most members", examples=[200])


class BookMembersIn(Input):
    """Whom to book, and over which days: in the order of the list, a day after the other."""

    days: list[DayIn] = Field(min_length=1, max_length=400, description="日程 · The plan")
    member_ids: list[UUID] = Field(
        default_factory=list,
        max_length=5_000,
        description="指定成员;缺省为全部未预约成员 · These members; absent: all that are listed",
        examples=[[]],
    )
    group_id: UUID | None = Field(None, description="只预约该分组 · Of this group only", examples=[None])


class BatchOut(BaseModel):
    """A batch under way; its result counts booked, full, refused and skipped."""

    job_id: UUID = Field(description="后台任务,见 /jobs · Its job, see /jobs", examples=[_ID])
    campaign_id: UUID = Field(description="团检任务 · Campaign", examples=[_ID])
    members: int = Field(description="待预约人数 · Members to be booked", examples=[2000])


class TransferIn(Input):
    """Who goes to which group."""

    group_id: UUID = Field(description="新分组 · The other group", examples=[_ID])
    member_ids: list[UUID] = Field(
        min_length=1, max_length=MOST_AT_ONCE, description="成员 · Members", examples=[[_ID]]
    )


class Moved(BaseModel):
    """A member who changed groups."""

    member_id: UUID = Field(description="成员 · Member", examples=[_ID])
    exam_id: UUID | None = Field(description="已重新计价的体检 · The exam that was repriced", examples=[None])
    before_fen: int | None = Field(description="原价,分 · Price before, fen", examples=[None])
    after_fen: int | None = Field(description="现价,分 · Price now, fen", examples=[None])


class LeftAlone(BaseModel):
    """A member who was left alone, and why."""

    member_id: UUID = Field(description="成员 · Member", examples=[_ID])
    code: str = Field(description="原因代码 · Reason code", examples=["arrived"])
    zh: str = Field(description="中文说明 · In Chinese", examples=["已报到,不再换组"])
    en: str = Field(description="英文说明 · In English", examples=["Has arrived: not moved any more"])


class TransferOut(BaseModel):
    """Who moved, and who was left alone and why."""

    moved: list[Moved]
    left_alone: list[LeftAlone]


class RepriceIn(Input):
    """Whose prepared exams are priced anew after a change of plan, package or cap."""

    group_id: UUID | None = Field(
        None, description="只限该分组;缺省为全部 · Of this group only; absent: all", examples=[None]
    )


class RepricingOut(BaseModel):
    """What became of a member when prepared exams were priced anew."""

    member_id: UUID = Field(description="成员 · Member", examples=[_ID])
    list_no: int = Field(description="名单序号 · Number in the list", examples=[17])
    exam_id: UUID = Field(description="体检 · Exam", examples=[_ID])
    outcome: RepricingOutcome = Field(
        description="结果:已重新计价、无变化、未动 · Priced anew, the same as before, left alone", examples=["repriced"]
    )
    before_fen: int = Field(description="原价,分 · Price before, fen", examples=[50000])
    after_fen: int = Field(description="现价,分 · Price now, fen", examples=[45000])
    code: str | None = Field(description="未动的原因代码 · Why it was left alone", examples=[None])
    zh: str | None = Field(description="中文说明 · In Chinese", examples=[None])
    en: str | None = Field(description="英文说明 · In English", examples=[None])


class DecisionIn(Input):
    """How a member comes to an end; `listed` takes a decision back."""

    member_id: UUID = Field(description="成员 · Member", examples=[_ID])
    decision: Literal["done", "no_show", "cancelled", "listed"] = Field(
        description="判定 · Decision", examples=["cancelled"]
    )
    reason: str | None = Field(None, min_length=1, max_length=200, description="原因 · Reason", examples=["出差"])


class DecisionsIn(Input):
    """Members who are brought to an end."""

    decisions: list[DecisionIn] = Field(min_length=1, max_length=MOST_AT_ONCE, description="判定 · Decisions")


class ProgressOut(BaseModel):
    """How far a unit has come in a campaign. arrived = finished + unfinished; all standings sum to the total."""

    campaign_id: UUID = Field(description="团检任务 · Campaign", examples=[_ID])
    campaign_name: str = Field(description="名称 · Name", examples=["桂澄机械 2026 年度体检"])
    employer_id: UUID = Field(description="单位 · Employer", examples=[_ID])
    employer_code: str = Field(description="单位编号 · Code", examples=["GL001"])
    employer_name: str = Field(description="单位名称 · Name of the unit", examples=["桂澄机械有限公司"])
    state: CampaignState = Field(description="状态 · State", examples=["open"])
    total: int = Field(description="名单人数 · Members", examples=[200])
    listed: int = Field(description="未预约 · Not booked", examples=[20])
    booked: int = Field(description="已预约未到 · Booked, not here yet", examples=[60])
    arrived: int = Field(description="已到检 · Arrived", examples=[115])
    unfinished: int = Field(description="到检未完成 · Arrived, not finished", examples=[15])
    finished: int = Field(description="已完成 · Finished", examples=[100])
    no_show: int = Field(description="未到检 · Did not come", examples=[3])
    cancelled: int = Field(description="已取消 · Cancelled", examples=[2])


class ProgressListOut(BaseModel):
    """Units whose campaign is not completed, and how many they are."""

    count: int = Field(description="单位任务数 · How many", examples=[1])
    items: list[ProgressOut]


class StandingOut(BaseModel):
    """A member and how far they have come."""

    member_id: UUID = Field(description="成员 · Member", examples=[_ID])
    list_no: int = Field(description="名单序号 · Number in the list", examples=[17])
    name: str = Field(description="姓名 · Name", examples=["张三"])
    department: str | None = Field(description="部门 · Department", examples=["一车间"])
    group_code: str | None = Field(description="分组 · Group", examples=["F1"])
    standing: Standing = Field(description="进度 · Standing", examples=["unfinished"])
    exam_id: UUID | None = Field(description="体检 · Exam", examples=[_ID])
    exam_no: str | None = Field(description="体检号 · Exam number", examples=["A26112200017"])
    exam_date: date | None = Field(description="体检日期 · Day of the exam", examples=["2026-03-02"])
    exam_state: ExamState | None = Field(description="体检状态 · State of the exam", examples=["in_progress"])
