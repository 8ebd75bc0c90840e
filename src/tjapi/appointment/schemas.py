"""Shapes of calendars, availability, appointments and the waiting list."""

from datetime import date, datetime, time
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from tjapi.appointment.rules import AppointmentSource, AppointmentState, ResourceScope, WaitState
from tjapi.catalog.rules import ApplicableSex
from tjapi.kernel.validation import WHOLE, Day, Whole

_ID = "0192f0c4-7b1a-7c3e-9d55-1f2e3a4b5c6d"
_EARLIEST, _LATEST = date(2000, 1, 1), date(2099, 12, 31)
_MOST = 10_000
Code = Annotated[str, Field(pattern=r"^[A-Z0-9][A-Z0-9_-]*$", max_length=40)]


def _clock(value: object) -> object:
    """Let a time of day be nothing but HH:MM."""
    if isinstance(value, str) and len(value) == 5 and value[2] == ":" and value.replace(":", "0").isdigit():  # noqa: PLR2004
        return value
    if isinstance(value, time):
        return value
    raise PydanticCustomError("string_pattern_mismatch", "not a time of day")


ClockTime = Annotated[
    time, BeforeValidator(_clock), Field(json_schema_extra={"format": "", "pattern": r"^([01]\d|2[0-3]):[0-5]\d$"})
]
ShownTime = Annotated[str, BeforeValidator(lambda v: f"{v:%H:%M}" if isinstance(v, time) else v)]


class Input(BaseModel):
    """What a client sends: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class Output(BaseModel):
    """What a row becomes."""

    model_config = ConfigDict(from_attributes=True)


class PolicyIn(Input):
    """How a campus books."""

    hold_minutes: Whole = Field(10, ge=1, le=240, description="占位保留分钟数 · Minutes a hold lasts", examples=[10])
    offer_minutes: Whole = Field(
        120, ge=1, le=10_080, description="候补名额保留分钟数 · Minutes an offer to who waited lasts", examples=[120]
    )
    horizon_days: Whole = Field(90, ge=0, le=730, description="最多提前预约天数 · How many days ahead", examples=[90])
    walk_ins: bool = Field(
        True, description="是否接受未预约的受检者 · Whether those without an appointment are examined", examples=[True]
    )
    online: bool = Field(True, description="是否开放自助预约 · Whether examinees book for themselves", examples=[True])


class SessionIn(Input):
    """A session of a weekday. Weekday, start and sex say which one it is."""

    weekday: Whole = Field(ge=1, le=7, description="星期,1 为周一 · ISO weekday, 1 is Monday", examples=[1])
    name: str = Field(min_length=1, max_length=40, description="名称 · Name", examples=["上午 7:30–8:00"])
    starts_at: ClockTime = Field(description="开始 · From", examples=["07:30"])
    ends_at: ClockTime = Field(description="结束 · Until", examples=["08:00"])
    sex: ApplicableSex = Field(
        "any", description="适用性别,如女性专场 · For whom, such as a women's session", examples=["any"]
    )
    capacity: Whole = Field(ge=0, le=_MOST, description="名额 · Places", examples=[30])


class ResourceIn(Input):
    """Something scarce that item groups name by code."""

    code: Code = Field(
        description="代码,与组合项目的 resource 一致 · The code that item groups name", examples=["ENDOSCOPY"]
    )
    name: str = Field(min_length=1, max_length=40, description="名称 · Name", examples=["胃肠镜"])
    per: ResourceScope = Field(description="按天或按时段计 · Counted by day or by session", examples=["day"])
    capacity: Whole = Field(ge=0, le=_MOST, description="名额 · Places", examples=[20])
    weekdays: list[Annotated[int, Field(ge=1, le=7)]] | None = Field(
        None,
        max_length=7,
        description="开放的星期,缺省为每天 · On which weekdays, every day if absent",
        examples=[[1, 3, 5]],
    )


class CalendarIn(Input):
    """The whole calendar of a campus: what is not named any more is taken out of use."""

    policy: PolicyIn
    sessions: list[SessionIn] = Field(max_length=400)
    resources: list[ResourceIn] = Field(default_factory=list, max_length=100)


class SessionOut(Output):
    """A session of a weekday."""

    id: UUID = Field(examples=[_ID])
    weekday: int = Field(description="星期,1 为周一 · ISO weekday, 1 is Monday", examples=[1])
    name: str = Field(examples=["上午 7:30–8:00"])
    starts_at: ShownTime = Field(examples=["07:30"])
    ends_at: ShownTime = Field(examples=["08:00"])
    sex: ApplicableSex = Field(examples=["any"])
    capacity: int = Field(examples=[30])


class ResourceOut(Output):
    """Something scarce."""

    id: UUID = Field(examples=[_ID])
    code: str = Field(examples=["ENDOSCOPY"])
    name: str = Field(examples=["胃肠镜"])
    per: ResourceScope = Field(examples=["day"])
    capacity: int = Field(examples=[20])
    weekdays: list[int] | None = Field(examples=[[1, 3, 5]])


class PolicyOut(Output):
    """How a campus books."""

    hold_minutes: int = Field(examples=[10])
    offer_minutes: int = Field(examples=[120])
    horizon_days: int = Field(examples=[90])
    walk_ins: bool = Field(examples=[True])
    online: bool = Field(examples=[True])


class CalendarOut(BaseModel):
    """The calendar of a campus as it is in use."""

    campus_id: int = Field(examples=[1])
    version: int = Field(examples=[1])
    policy: PolicyOut
    sessions: list[SessionOut]
    resources: list[ResourceOut]


class SessionCapacity(Input):
    """Another capacity of a session, on this day."""

    session_id: UUID = Field(description="时段 · Session", examples=[_ID])
    capacity: Whole = Field(ge=0, le=_MOST, description="名额 · Places", examples=[10])


class ResourceCapacity(Input):
    """Another capacity of a resource, on this day; of one counted by session, in each session."""

    code: Code = Field(description="资源代码 · Resource", examples=["ENDOSCOPY"])
    capacity: Whole = Field(ge=0, le=_MOST, description="名额 · Places", examples=[8])


class DayIn(Input):
    """A day unlike its weekday. With nothing said, it is like its weekday again."""

    closed: bool = Field(False, description="是否停诊 · Whether nobody is examined", examples=[False])
    as_weekday: Annotated[int, Field(ge=1, le=7), WHOLE] | None = Field(
        None, description="按星期几执行(调休) · Worked like this weekday", examples=[1]
    )
    note: str = Field("", max_length=100, description="说明 · Note", examples=["国庆调休"])
    sessions: list[SessionCapacity] = Field(default_factory=list, max_length=100)
    resources: list[ResourceCapacity] = Field(default_factory=list, max_length=100)
    despite: list[Literal["booked"]] = Field(
        default_factory=list, max_length=1, examples=[[]],
        description="仍要更改,当天已有预约者另行改期 · Change it all the same; who is booked is moved by hand",
    )  # fmt: skip


class DayOut(BaseModel):
    """A day unlike its weekday."""

    day: date
    closed: bool = Field(examples=[False])
    as_weekday: int | None = Field(examples=[1])
    note: str = Field(examples=["国庆调休"])
    sessions: list[SessionCapacity]
    resources: list[ResourceCapacity]


class DaysOut(BaseModel):
    """The days unlike their weekday."""

    items: list[DayOut]


class ResourceFree(BaseModel):
    """What is left of a resource."""

    code: str = Field(description="资源代码 · Resource", examples=["ENDOSCOPY"])
    name: str = Field(examples=["胃肠镜"])
    capacity: int = Field(description="名额 · Places", examples=[20])
    taken: int = Field(description="已占 · Taken", examples=[17])
    free: int = Field(description="剩余 · Free", examples=[3])


class SessionFree(BaseModel):
    """What is left of a session."""

    session_id: UUID = Field(description="时段,预约时使用 · Session, for booking", examples=[_ID])
    name: str = Field(examples=["上午 7:30–8:00"])
    starts_at: ShownTime = Field(examples=["07:30"])
    ends_at: ShownTime = Field(examples=["08:00"])
    sex: ApplicableSex = Field(examples=["any"])
    capacity: int = Field(description="名额 · Places", examples=[30])
    taken: int = Field(description="已占 · Taken", examples=[12])
    free: int = Field(description="剩余 · Free", examples=[18])
    resources: list[ResourceFree] = Field(description="按时段计的资源 · Resources counted by session")


class DayFree(BaseModel):
    """What is left of a day."""

    day: date
    closed: bool = Field(description="停诊 · Closed", examples=[False])
    note: str = Field(examples=[""])
    sessions: list[SessionFree]
    resources: list[ResourceFree] = Field(description="按天计的资源 · Resources counted by day")


class AvailabilityOut(BaseModel):
    """What is left, day by day."""

    campus_id: int = Field(examples=[1])
    days: list[DayFree]


class PlaceIn(Input):
    """A place: a day and one of its sessions."""

    day: Day = Field(ge=_EARLIEST, le=_LATEST, description="日期 · Day", examples=["2026-11-30"])
    session_id: UUID = Field(description="时段 · Session", examples=[_ID])


class DeskPlaceIn(PlaceIn):
    """A place that a desk gives, which may go past those who wait for it."""

    over_waiting_list: bool = Field(
        default=False, description="知有人候补仍占用 · Take it although others wait for the session", examples=[False]
    )


class HoldIn(DeskPlaceIn):
    """A place to keep for some minutes, while the rest is filled in."""

    campus_id: Whole = Field(ge=1, le=32_000, description="院区编号 · Campus id", examples=[1])
    resources: list[Code] = Field(
        default_factory=list, max_length=20, description="需要的资源 · Resources needed", examples=[["ENDOSCOPY"]]
    )


class CancelAppointmentIn(Input):
    """Why an appointment is cancelled."""

    reason: str = Field(min_length=1, max_length=200, description="原因 · Reason", examples=["受检者有事"])


class AppointmentOut(Output):
    """An appointment."""

    id: UUID = Field(examples=[_ID])
    campus_id: int = Field(examples=[1])
    state: AppointmentState = Field(examples=["booked"])
    source: AppointmentSource = Field(description="来源 · How it came", examples=["desk"])
    examinee_id: UUID | None = Field(examples=[_ID])
    exam_id: UUID | None = Field(examples=[_ID])
    day: date
    session_id: UUID = Field(examples=[_ID])
    session_name: str = Field(examples=["上午 7:30–8:00"])
    starts_at: ShownTime = Field(examples=["07:30"])
    ends_at: ShownTime = Field(examples=["08:00"])
    resources: list[str] = Field(description="占用的资源 · Resources taken", examples=[["ENDOSCOPY"]])
    made_at: datetime
    expires_at: datetime | None = Field(description="占位失效时间 · When a hold ends", examples=[None])
    arrived_at: datetime | None = Field(examples=[None])
    ended_at: datetime | None = Field(examples=[None])
    end_reason: str | None = Field(examples=[None])


class AppointmentListed(AppointmentOut):
    """An appointment in the day's list."""

    name: str | None = Field(description="姓名 · Name", examples=["张三"])


class WaitIn(Input):
    """Who wants a place, in which days."""

    campus_id: Whole = Field(ge=1, le=32_000, description="院区编号 · Campus id", examples=[1])
    examinee_id: UUID = Field(description="受检者 · Examinee", examples=[_ID])
    day_from: Day = Field(ge=_EARLIEST, le=_LATEST, description="最早日期 · First day", examples=["2026-11-30"])
    day_to: Day = Field(ge=_EARLIEST, le=_LATEST, description="最晚日期 · Last day", examples=["2026-12-11"])
    starts_at: ClockTime | None = Field(
        None, description="只要这个时段 · Only the session that starts then", examples=["07:30"]
    )
    resources: list[Code] = Field(
        default_factory=list, max_length=20, description="需要的资源 · Resources needed", examples=[["ENDOSCOPY"]]
    )


class WaitOut(Output):
    """An entry of the waiting list; once offered, `appointment_id` is a hold to book with."""

    id: UUID = Field(examples=[_ID])
    campus_id: int = Field(examples=[1])
    examinee_id: UUID = Field(examples=[_ID])
    name: str | None = Field(None, description="姓名 · Name", examples=["张三"])
    day_from: date
    day_to: date
    starts_at: ShownTime | None = Field(examples=["07:30"])
    resources: list[str] = Field(examples=[["ENDOSCOPY"]])
    state: WaitState = Field(examples=["waiting"])
    joined_at: datetime
    offered_at: datetime | None = Field(examples=[None])
    appointment_id: UUID | None = Field(description="为其保留的占位 · The hold made for them", examples=[None])
    ended_at: datetime | None = Field(examples=[None])
