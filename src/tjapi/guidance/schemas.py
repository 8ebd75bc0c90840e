"""Shapes of guidance."""

from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from tjapi.exam.rules import ExamState, LineState
from tjapi.exam.schemas import Outstanding, Reason
from tjapi.guidance.rules import Decision, SheetPolicyMode, TicketState
from tjapi.kernel.validation import Day, Whole

_ID = "0192f0c4-7b1a-7c3e-9d55-1f2e3a4b5c6d"


class Input(BaseModel):
    """What a client sends: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class RoomIn(Input):
    """A room as it is kept."""

    campus_id: Whole = Field(ge=1, le=32_000, description="院区编号 · Campus id", examples=[1])
    code: str = Field(
        pattern=r"^[A-Z][A-Z0-9]{0,7}$", description="代码,叫号前缀 · Code, called before the number", examples=["C"]
    )
    name: str = Field(min_length=1, max_length=40, examples=["超声二室"])
    department_id: Whole = Field(ge=1, le=32_000, description="科室编号 · Department id", examples=[6])
    place: str = Field("", max_length=60, description="位置 · Where it is", examples=["三楼东侧"])
    minutes: Whole = Field(5, ge=1, le=240, description="每人约需分钟 · Minutes a person takes", examples=[8])
    sort: Whole = Field(0, ge=0, le=10_000, examples=[10])
    open: bool = Field(True, description="是否开放 · Whether it is open", examples=[True])


class RoomOut(BaseModel):
    """A room and its queue."""

    id: UUID
    campus_id: int = Field(examples=[1])
    code: str = Field(examples=["C"])
    name: str = Field(examples=["超声二室"])
    department_id: int = Field(examples=[6])
    place: str = Field(examples=["三楼东侧"])
    minutes: int = Field(examples=[8])
    sort: int = Field(examples=[10])
    open: bool = Field(examples=[True])
    queue: int = Field(description="排队人数,含正在检查 · People waiting or inside", examples=[4])
    wait_minutes: int = Field(description="预计等候,分钟 · Expected wait, minutes", examples=[32])


class RoomsOut(BaseModel):
    """Rooms, in their order."""

    items: list[RoomOut]


class OrderPair(Input):
    """One department's examinations before another's."""

    before_id: Whole = Field(ge=1, le=32_000, description="先检科室 · Department that comes first", examples=[4])
    after_id: Whole = Field(ge=1, le=32_000, description="后检科室 · Department that comes after", examples=[6])


class RoomOrderIn(Input):
    """What comes before what, in a campus: the whole of it."""

    campus_id: Whole = Field(ge=1, le=32_000, description="院区编号 · Campus id", examples=[1])
    pairs: list[OrderPair] = Field(max_length=200)


class RoomOrderOut(BaseModel):
    """What comes before what, in a campus."""

    campus_id: int = Field(examples=[1])
    pairs: list[OrderPair]


class TicketOut(BaseModel):
    """A place in a queue. `called_name` is what a screen may show."""

    id: UUID
    campus_id: int = Field(examples=[1])
    room_id: UUID
    room_name: str = Field(examples=["超声二室"])
    place: str = Field(examples=["三楼东侧"])
    exam_id: UUID
    number: str = Field(description="排队号 · What is called", examples=["C007"])
    called_name: str = Field(description="屏幕显示的姓名 · The name on the screen", examples=["张*"])
    state: TicketState = Field(examples=["waiting"])
    ahead: int | None = Field(None, description="前面还有几人 · People ahead", examples=[3])
    issued_at: datetime
    called_at: datetime | None = Field(examples=[None])
    calls: int = Field(description="已叫次数 · How often it was called", examples=[0])


class TicketsOut(BaseModel):
    """The queue of a room, in its turn."""

    items: list[TicketOut]


class GuidanceOut(BaseModel):
    """Where to go next: a ticket, or nowhere: `done` says that nothing is left for the person to do."""

    exam_id: UUID
    ticket: TicketOut | None
    done: bool = Field(
        description="已无待检项目,可交回指引单 · Nothing is left: hand in the guide sheet", examples=[False]
    )
    again: bool = Field(
        False,
        description="其他诊室已无可做项目,请回曾到过的诊室 · Nothing is left but where one has been already",
        examples=[False],
    )
    zh: str = Field("", description="给受检者的话 · What to tell the examinee", examples=[""])
    en: str = Field("", description="同上,英文 · The same in English", examples=[""])


class SheetPolicyIn(Input):
    """What becomes of open lines when the guide sheet comes back."""

    campus_id: Whole = Field(ge=1, le=32_000, description="院区编号 · Campus id", examples=[1])
    package_id: UUID | None = Field(
        None, description="套餐,缺省为全院区 · Package; the whole campus if absent", examples=[None]
    )
    mode: SheetPolicyMode = Field(
        description="refuse:自动拒检;ask:逐项决定 · Refuse them all, or ask on each", examples=["ask"]
    )
    reason: str = Field(
        "交回指引单时未检", min_length=1, max_length=200, description="自动拒检的原因 · Reason given for those refused"
    )


class SheetPolicyOut(BaseModel):
    """A policy."""

    id: UUID
    campus_id: int = Field(examples=[1])
    package_id: UUID | None = Field(examples=[None])
    mode: SheetPolicyMode = Field(examples=["ask"])
    reason: str = Field(examples=["交回指引单时未检"])


class SheetPoliciesOut(BaseModel):
    """The policies; a campus without one asks on each line."""

    items: list[SheetPolicyOut]


class DecisionIn(Input):
    """What becomes of one open line."""

    line_id: UUID = Field(examples=[_ID])
    decision: Decision = Field(description="拒检、弃检或延期 · Refused, waived or deferred", examples=["refused"])
    reason: Reason
    signature: str | None = Field(
        None, max_length=64, description="纸面签名人 · The name signed on paper", examples=["张三"]
    )
    due_on: Day | None = Field(None, le=date(2099, 12, 31), description="延期至 · Due, where deferred", examples=[None])


class ReturnIn(Input):
    """A guide sheet comes back, with decisions on what is open."""

    decisions: list[DecisionIn] = Field(default_factory=list, max_length=100)


class TakeBackIn(Input):
    """Why a guide sheet goes out again."""

    reason: str = Field(min_length=1, max_length=200, description="原因 · Reason", examples=["受检者同意继续检查"])


class OpenLineOut(BaseModel):
    """A line for which the person would still have to be here."""

    line_id: UUID
    name: str = Field(examples=["腹部超声"])
    department_id: int = Field(examples=[6])
    state: LineState = Field(examples=["released"])
    proposed: Decision | None = Field(
        description="按策略的处理,null 为须决定 · What the policy does; null: decide", examples=["refused"]
    )
    refund_fen: int = Field(description="可退个人部分,分 · What the person would get back, fen", examples=[12000])


class SheetReturnOut(BaseModel):
    """A guide sheet's return: what was open, what became of it, and what is outstanding now."""

    exam_id: UUID
    state: ExamState = Field(examples=["sheet_returned"])
    mode: SheetPolicyMode = Field(examples=["ask"])
    returned_at: datetime | None
    open_lines: list[OpenLineOut] = Field(description="未检项目 · Lines that are open")
    decided_line_ids: list[UUID] = Field(description="本次已处理项目 · Lines decided on when it came back")
    refund_fen: int = Field(description="建议退费合计,分 · Proposed refund, fen", examples=[12000])
    outstanding: list[Outstanding]
