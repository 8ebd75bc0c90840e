"""Shapes of requisitions, tubes and their hand-over."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from tjapi.kernel.validation import Scanned, Whole
from tjapi.requisition.rules import (
    BackHow,
    ExtraKind,
    HandoverOutcome,
    HandoverState,
    RejectReason,
    RequisitionState,
    TubeAction,
    TubeState,
)

_ID = "0192f0c4-7b1a-7c3e-9d55-1f2e3a4b5c6d"
_BARCODE = "010000000018"
Barcode = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,40}$"), Scanned]


class Input(BaseModel):
    """What a client sends: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


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
    reject_reason: RejectReason | None = Field(description="拒收原因 · Why it was rejected", examples=[None])
    replaces_id: UUID | None = Field(
        description="代替的被拒试管 · The rejected tube in whose place it is drawn", examples=[None]
    )


class RejectIn(Input):
    """Why a specimen is refused."""

    reason: RejectReason = Field(description="拒收原因 · Reason", examples=["haemolysed"])
    note: str | None = Field(
        None, min_length=1, max_length=200, description="说明,其他原因必填 · Note; needed for another reason", examples=[None]
    )  # fmt: skip


class ReturnIn(Input):
    """A tube that comes back from outside."""

    note: str | None = Field(None, min_length=1, max_length=200, description="说明 · Note", examples=["外送机构退回"])


class TubeRejectedOut(BaseModel):
    """The refused tube, and the one that is drawn in its place."""

    tube: TubeOut
    replacement: TubeOut = Field(description="重新采集的试管,条码为新 · To be drawn, under a new bar code")


class CustodyStepOut(BaseModel):
    """A step of a tube."""

    id: UUID
    action: TubeAction = Field(description="动作 · What was done", examples=["handed_over"])
    state: TubeState = Field(description="此步之后的状态 · State after it", examples=["handed_over"])
    reason: RejectReason | None = Field(examples=[None])
    note: str | None = Field(examples=[None])
    place: str | None = Field(description="地点 · Where", examples=["采血处"])
    handover_id: UUID | None = Field(description="交接单 · Hand-over list", examples=[_ID])
    list_no: str | None = Field(description="交接单号 · Its number", examples=["J01261127003"])
    by: UUID
    by_name: str = Field(description="操作人,系统为空 · Who; empty: the system", examples=["李四"])
    at: datetime


class CustodyOut(BaseModel):
    """Everything that was done with a tube, in order."""

    tube_id: UUID
    barcode: str = Field(examples=[_BARCODE])
    state: TubeState = Field(examples=["received"])
    planned_at: datetime
    replaces_id: UUID | None = Field(
        description="代替的被拒试管 · The rejected tube in whose place it is drawn", examples=[None]
    )
    replaced_by_id: UUID | None = Field(description="重新采集的试管 · The tube drawn in its place", examples=[None])
    steps: list[CustodyStepOut]


class HandoverIn(Input):
    """Who hands over what, from where to where."""

    campus_id: Whole = Field(ge=1, le=32_000, description="院区编号 · Campus id", examples=[1])
    from_place: str = Field(min_length=1, max_length=60, description="交出地点 · From where", examples=["采血处"])
    to_place: str | None = Field(
        None, min_length=1, max_length=60, description="接收地点,缺省为检验科或外送机构 · To where; the laboratory if absent", examples=["检验科"]
    )  # fmt: skip
    outside_lab_id: UUID | None = Field(
        None, description="外送机构,院内交接不填 · Outside laboratory, if it leaves the house", examples=[None]
    )


class BarcodesIn(Input):
    """What was scanned."""

    barcodes: list[Barcode] = Field(min_length=1, max_length=200, examples=[[_BARCODE]])


class DepartureIn(Input):
    """The tubes leave."""

    counted: Whole = Field(ge=1, le=10_000, description="清点支数 · Tubes counted by hand", examples=[24])
    carrier: str | None = Field(
        None, min_length=1, max_length=60, description="送检人 · Who carries them", examples=["王五"]
    )


class SignReceiptIn(Input):
    """What arrived. Within the house whoever signs is the receiver."""

    counted: Whole = Field(
        ge=0, le=10_000, description="实收支数,不含拒收 · Tubes taken in, counted by hand; without refused ones", examples=[24]
    )  # fmt: skip
    whole: bool = Field(
        False,
        description="整单接收;否则未扫描的为缺失 · All of it arrived; else what was not scanned is missing",
        examples=[True],
    )
    receiver_name: str | None = Field(
        None, min_length=1, max_length=60, description="外送机构签收人 · Who took them at the outside laboratory", examples=[None]
    )  # fmt: skip
    note: str | None = Field(None, min_length=1, max_length=200, examples=[None])


class CancelHandoverIn(Input):
    """Why a list is dropped."""

    reason: str = Field(min_length=1, max_length=200, description="原因 · Reason", examples=["改为明早送检"])


class HandoverCounts(BaseModel):
    """How many tubes."""

    listed: int = Field(0, description="在单上 · On the list", examples=[24])
    waiting: int = Field(0, description="未接收 · Not there yet", examples=[0])
    received: int = Field(0, description="已接收 · Received", examples=[23])
    rejected: int = Field(0, description="途中或接收时拒收 · Refused on arrival", examples=[0])
    missing: int = Field(0, description="缺失 · Missing", examples=[1])
    elsewhere: int = Field(0, description="出现在其他交接单 · Turned up on another list", examples=[0])
    extra: int = Field(0, description="多出 · Too many", examples=[0])
    out: int = Field(0, description="外送未回 · Sent out and not back", examples=[0])


class HandoverOut(BaseModel):
    """A hand-over list."""

    id: UUID
    campus_id: int = Field(examples=[1])
    list_no: str = Field(description="交接单号 · Number", examples=["J01261127003"])
    state: HandoverState = Field(examples=["handed_over"])
    from_place: str = Field(examples=["采血处"])
    to_place: str = Field(examples=["检验科"])
    outside_lab_id: UUID | None = Field(examples=[None])
    outside_lab_name: str | None = Field(examples=[None])
    opened_by_name: str = Field(examples=["李四"])
    opened_at: datetime
    handed_over_by_name: str | None = Field(description="交出人 · Who handed over", examples=["李四"])
    handed_over_at: datetime | None
    counted: int | None = Field(description="交出时清点支数 · Counted when handed over", examples=[24])
    carrier: str | None = Field(examples=["王五"])
    received_by_name: str | None = Field(description="签收人 · Who signed", examples=[None])
    received_at: datetime | None
    note: str | None = Field(examples=[None])
    cancelled_at: datetime | None
    cancel_reason: str | None = Field(examples=[None])
    counts: HandoverCounts


class HandoverTubeOut(BaseModel):
    """A tube on a list."""

    tube_id: UUID
    exam_id: UUID
    barcode: str = Field(examples=[_BARCODE])
    container: str = Field(examples=["SST"])
    specimen: str = Field(examples=["serum"])
    state: TubeState = Field(description="试管现在的状态 · State of the tube now", examples=["received"])
    outcome: HandoverOutcome | None = Field(
        description="交接结果,未接收为空 · What became of it here", examples=["received"]
    )
    outcome_at: datetime | None
    back_at: datetime | None = Field(description="外送回来的时间 · When it, or its result, came back", examples=[None])
    back_how: BackHow | None = Field(description="以何种方式回来 · As what", examples=[None])


class HandoverExtraOut(BaseModel):
    """What was scanned at the receipt and stands not on the list."""

    barcode: str = Field(examples=[_BARCODE])
    tube_id: UUID | None
    kind: ExtraKind = Field(description="已照收,或不能接收的原因 · Taken in, or why not", examples=["received"])
    at: datetime


class HandoverDetail(HandoverOut):
    """A hand-over list with its tubes, in the order in which they were scanned."""

    tubes: list[HandoverTubeOut]
    extras: list[HandoverExtraOut]


class TubesOut(BaseModel):
    """The tubes of an exam."""

    items: list[TubeOut]


class RequisitionLineOut(BaseModel):
    """An item group ordered, by the number that the LIS has of it."""

    placer_no: str = Field(description="医嘱号 · Order number", examples=["A26112200017-1-01"])
    line_id: UUID
    name: str = Field(examples=["血常规"])
    sent_at: datetime | None
    cancelled_at: datetime | None = Field(description="已撤销 · Taken back", examples=[None])


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
    lines: list[RequisitionLineOut] = Field(default_factory=list)


class RequisitionsOut(BaseModel):
    """The orders of an exam."""

    items: list[RequisitionOut]
