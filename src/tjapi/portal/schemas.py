"""Shapes of the portal."""

from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from tjapi.appointment.schemas import AppointmentOut
from tjapi.employer.rules.campaigns import AddOns, MemberState
from tjapi.kernel.validation import Whole
from tjapi.pricing.schemas import QuoteOut

_ID = "0192f0c4-7b1a-7c3e-9d55-1f2e3a4b5c6d"


class ExamineeTokenIn(BaseModel):
    """What the examinee holds in hand: the guide sheet and the ID card."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)
    exam_no: str = Field(min_length=8, max_length=20, description="体检号 · Exam number", examples=["A26112200017"])
    access_code: str = Field(pattern=r"^\d{8}$", description="一次性查询码 · One-time code", examples=["40718265"])
    id_number_last4: str = Field(
        pattern=r"^[0-9A-Za-z]{4}$", description="证件号后四位 · Last four of the ID number", examples=["123X"]
    )


class MeOut(BaseModel):
    """The examinee, masked."""

    name: str = Field(examples=["张三"])
    sex: str = Field(examples=["male"])
    birth_date: date = Field(examples=["1990-03-07"])
    id_number: str = Field(description="脱敏 · Masked", examples=["450122********1234"])


class MyAppointmentsOut(BaseModel):
    """The examinee's appointments, latest day first."""

    items: list[AppointmentOut]


class Input(BaseModel):
    """What a client sends: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class MemberLinksIn(Input):
    """Whom to send a link, and how long it lives."""

    member_ids: list[UUID] = Field(min_length=1, max_length=500, description="成员 · Members", examples=[[_ID]])
    days: Whole = Field(14, ge=1, le=60, description="有效天数 · Days it lives", examples=[14])


class MemberLinkOut(BaseModel):
    """A link, shown only here: an older one of the member ends."""

    member_id: UUID
    list_no: int = Field(description="名单序号 · Number in the list", examples=[17])
    name: str = Field(examples=["张三"])
    phone_masked: str | None = Field(examples=["138****1234"])
    link_token: str = Field(
        description="签名链接,放入小程序地址 · Signed; part of the address that is sent", examples=["Zm9v"]
    )
    expires_at: datetime


class MemberLeftOut(BaseModel):
    """A member without a link, and why."""

    member_id: UUID
    code: str = Field(description="原因代码 · Reason code", examples=["no_identity"])
    zh: str = Field(examples=["名单上没有证件号和电话,无法核对本人"])
    en: str = Field(examples=["The list says neither an ID number nor a phone"])


class MemberLinksOut(BaseModel):
    """The links that were made, and who has none."""

    items: list[MemberLinkOut]
    left_out: list[MemberLeftOut]


class MemberLinkState(BaseModel):
    """A link that was made: whether it lives, was used, or was tried wrongly. The link itself is never shown again."""

    link_id: UUID
    member_id: UUID
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = Field(description="最近一次进入 · When somebody came in by it last", examples=[None])
    failures: int = Field(description="连续输错次数,五次即作废 · Wrong tries in a row; five end it", examples=[0])
    ended_at: datetime | None = Field(description="作废时间 · When it was ended", examples=[None])
    live: bool = Field(examples=[True])


class MemberTokenIn(Input):
    """A link, and the last four of the ID number or of the phone number."""

    link_token: str = Field(
        min_length=20, max_length=300, pattern=r"^[A-Za-z0-9_-]+$", description="链接 · Link", examples=["Zm9v" * 8]
    )
    last4: str = Field(
        pattern=r"^[0-9A-Za-z]{4}$",
        description="证件号或电话后四位 · Last four of the ID or phone number",
        examples=["123X"],
    )


class OfferedGroup(BaseModel):
    """An item group that is part of something, or may be chosen."""

    item_group_id: UUID
    name: str = Field(examples=["腹部超声"])
    price_fen: int = Field(description="原价,分 · List price, fen", examples=[8000])
    precaution: str | None = Field(description="注意事项 · What one is told", examples=["空腹"])


class OfferedChoice(BaseModel):
    """Of these item groups so many are chosen: exactly, where a package asks for it, else at most."""

    name: str = Field(examples=["超声三选二"])
    choose: int = Field(examples=[2])
    exactly: bool = Field(examples=[True])
    groups: list[OfferedGroup]


class OfferedPackage(BaseModel):
    """A package of the group."""

    package_id: UUID
    name: str = Field(examples=["男性基础套餐"])
    groups: list[OfferedGroup]
    choices: list[OfferedChoice]


class SelectionIn(Input):
    """What a member chooses: one of the group's packages, and item groups of its options and of the group's."""

    package_id: UUID | None = Field(
        None, description="套餐,缺省为分组第一个 · Package; the group's first if absent", examples=[None]
    )
    choice_ids: list[UUID] = Field(
        default_factory=list, max_length=100, description="自选的组合项目 · Item groups chosen", examples=[[]]
    )
    self_paid_ids: list[UUID] | None = Field(
        None, max_length=50, description="自费加项,全部;缺省则不变 · Item groups added on, all of them; as they are if absent", examples=[[]],
    )  # fmt: skip


class SelectionOut(BaseModel):
    """What a member has chosen."""

    package_id: UUID | None
    choice_ids: list[UUID]
    self_paid_ids: list[UUID] = Field(description="自费加项 · Item groups added on", examples=[[]])


class WhyNot(BaseModel):
    """Why something cannot be had."""

    code: str = Field(examples=["choice-invalid"])
    zh: str = Field(examples=["所选项目不符合分组规则"])
    en: str = Field(examples=["The choice does not fit the group"])


class MemberBooking(BaseModel):
    """When a member comes."""

    exam_no: str = Field(examples=["A26112200017"])
    exam_date: date
    appointment: AppointmentOut | None = Field(
        description="时段,单位统一安排时为空 · The session; none where the unit only named a day"
    )


class MemberOfferOut(BaseModel):
    """What a member's campaign offers, what the member has chosen and booked, and who pays what."""

    campaign_name: str = Field(examples=["桂澄机械 2026 年度体检"])
    employer_name: str = Field(examples=["桂澄机械有限公司"])
    campus_id: int = Field(examples=[1])
    starts_on: date
    ends_on: date
    name: str = Field(description="本人 · Oneself", examples=["张三"])
    id_number_masked: str | None = Field(examples=["450122********1234"])
    group_name: str | None = Field(description="分组,未归组为空 · Group", examples=["男职工"])
    packages: list[OfferedPackage]
    included: list[OfferedGroup] = Field(description="分组必含项目 · What the group always adds")
    choices: list[OfferedChoice] = Field(description="分组的可选项目 · What the group lets choose")
    add_ons: list[OfferedGroup] = Field(
        description="可自费加的项目;实际价格及各自承担见试算 · What may be added on; a quote says the price and who pays"
    )
    add_ons_paid: AddOns | None = Field(
        description="加项由谁承担,未归组为空 · Who pays add-ons; none without a group", examples=["self_paid"]
    )
    selection: SelectionOut
    quote: QuoteOut | None = Field(
        description="价格及单位承担与个人承担;选择不完整时为空 · Who pays what; none while the choice is not complete"
    )
    quote_refused: WhyNot | None = Field(description="不能计价的原因 · Why there is no price", examples=[None])
    state: MemberState = Field(examples=["listed"])
    booking: MemberBooking | None
    changeable: bool = Field(
        description="现在可以选择、预约或更改 · Whether anything may be changed now", examples=[True]
    )
