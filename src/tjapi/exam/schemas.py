"""Shapes of an exam."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from tjapi.exam.rules import Covering, Doubt, ExamState, LineAction, LineState
from tjapi.examinee.rules import LookupKind
from tjapi.examinee.schemas import ExamineeOut, IdCardPayload
from tjapi.kernel.validation import Day, Whole
from tjapi.pricing.schemas import Choices, ContainedOut, Pregnant

# The exam number holds two digits of the year.
_EARLIEST, _LATEST = date(2000, 1, 1), date(2099, 12, 31)


class Input(BaseModel):
    """What a client sends: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


Despite = Annotated[
    list[Doubt],
    Field(
        max_length=4, examples=[[]],
        description="明知仍登记:日期已过、当天已有体检、当天不开诊、一年以后 · Meant all the same: a day that is past, a second exam of the day, a day on which the campus is closed, a day more than a year ahead",
    ),
]  # fmt: skip


DespiteSecond = Annotated[
    list[Literal["second_exam"]],
    Field(max_length=1, examples=[[]], description="明知当天已有体检 · Meant all the same: a second exam of the day"),
]
"""Where a day that cannot be had is refused, and not asked back."""


class ExamIn(Input):
    """A registration: an examinee who is known, or the holder of a document as the card reader read it; a package and/or item groups."""

    campus_id: Whole = Field(ge=1, le=32_000, description="院区编号 · Campus id", examples=[1])
    examinee_id: UUID | None = Field(
        None,
        description="受检者,与 id_card 二选一 · Examinee; or else id_card",
        examples=["0192f0c4-7b1a-7c3e-9d55-1f2e3a4b5c6d"],
    )
    id_card: IdCardPayload | None = Field(
        None, description="读卡内容,建档或沿用已有档案 · What the card reader read: its holder is found or entered", examples=[None]
    )  # fmt: skip
    package_id: UUID | None = Field(
        None, description="套餐 · Package", examples=["0192f0c4-7b1a-7c3e-9d55-1f2e3a4b5c6e"]
    )
    item_group_ids: list[UUID] = Field(
        default_factory=list, max_length=100, description="加选组合项目 · Further item groups", examples=[[]]
    )
    choices: Choices = Field(default_factory=list)
    pregnant: Pregnant = None
    exam_date: Day | None = Field(
        None,
        ge=_EARLIEST,
        le=_LATEST,
        description="体检日期,缺省为今天 · Day of the exam, today if absent",
        examples=["2026-11-23"],
    )
    despite: Despite = Field(default_factory=list)


class CancelIn(Input):
    """Why an exam is cancelled."""

    reason: str = Field(min_length=1, max_length=200, description="原因 · Reason", examples=["受检者要求改期"])


_LINE = "0192f0c4-7b1a-7c3e-9d55-1f2e3a4b5c6d"
Reason = Annotated[str, Field(min_length=1, max_length=200, description="原因 · Reason", examples=["受检者拒绝采血"])]
_WHY = "原因 · Reason"
Chosen = Annotated[
    list[UUID], Field(min_length=1, max_length=100, description="项目 · Lines of the exam", examples=[[_LINE]])
]
ItemGroups = Annotated[
    list[UUID], Field(min_length=1, max_length=50, description="组合项目 · Item groups", examples=[[_LINE]])
]


class LinesIn(Input):
    """Item groups to be added."""

    item_group_ids: ItemGroups
    reason: str | None = Field(None, max_length=200, description="原因 · Reason", examples=["医生建议"])


class SubstituteIn(Input):
    """Item groups in the place of a line."""

    line_id: UUID = Field(description="被替换的项目 · The line that makes room", examples=[_LINE])
    item_group_ids: ItemGroups
    reason: str = Field(min_length=1, max_length=200, description=_WHY, examples=["改做沉渣镜检"])


class SetAsideIn(Input):
    """Lines that will not be carried out, and why."""

    line_ids: Chosen
    reason: Reason
    signature: str | None = Field(
        None, max_length=64, description="纸面签名人 · The name signed on paper", examples=["张三"]
    )


class DeferIn(SetAsideIn):
    """Lines that will be carried out later."""

    reason: str = Field(min_length=1, max_length=200, description=_WHY, examples=["今日未空腹"])
    due_on: Day = Field(le=_LATEST, description="延期至 · The day by which they are due", examples=["2026-12-07"])


class ReinstateIn(Input):
    """Lines that are to be carried out after all."""

    line_ids: Chosen
    reason: str = Field(min_length=1, max_length=200, description=_WHY, examples=["受检者同意检查"])


class KeepIn(Input):
    """Lines that are to be carried out although they do not suit the person."""

    line_ids: Chosen
    reason: str = Field(min_length=1, max_length=200, description=_WHY, examples=["影像科医生评估后同意,已签知情同意"])


class ConsentIn(Input):
    """The person agrees that private items are examined."""

    line_ids: Chosen
    signature: str = Field(
        min_length=1,
        max_length=60,
        description="本人在纸面同意书上的签名 · The name signed on paper",
        examples=["张三"],
    )


class HoldIn(Input):
    """Why an exam stops for the time being."""

    reason: str = Field(min_length=1, max_length=200, description=_WHY, examples=["受检者发热"])


class FactsIn(Input):
    """What an exam shall say of its person; what is left out stays. Nothing but a reason confirms what it says."""

    sex: Literal["male", "female", "unknown"] | None = Field(None, description="性别 · Sex", examples=["female"])
    birth_date: Day | None = Field(None, description="出生日期 · Birth date", examples=["1990-03-07"])
    pregnant: bool | None = Field(None, description="是否怀孕 · Pregnant", examples=[False])
    reason: str = Field(min_length=1, max_length=200, description=_WHY, examples=["证件号码录入有误"])


class LineStepOut(BaseModel):
    """What somebody commanded on a line."""

    id: UUID
    line_id: UUID
    line_name: str = Field(examples=["血常规"])
    action: LineAction = Field(examples=["refused"])
    from_state: LineState | None = Field(examples=["released"])
    reason: str | None = Field(examples=["受检者拒绝采血"])
    signature: str | None = Field(examples=["张三"])
    due_on: date | None = Field(examples=[None])
    by: UUID
    by_name: str = Field(examples=["韦前台"])
    at: datetime


class LineStepsOut(BaseModel):
    """Everything that was commanded on an exam's lines, in order."""

    items: list[LineStepOut]


class ExamLookup(Input):
    """Whatever the front desk scans or types. In a body, because addresses are logged and bodies are not."""

    key: str = Field(
        min_length=1, max_length=64, examples=["zs"],
        description="证件号、体检号、试管条码、电话、卡号,或姓名、全拼、首字母的开头 · ID, exam, phone or card number, a tube's barcode; or the beginning of a name or its pinyin",
    )  # fmt: skip
    by: LookupKind = Field("any", description="按什么查,any 为逐一尝试 · As what; any tries each", examples=["any"])
    employer_id: UUID | None = Field(
        None, description="只查该单位的受检者 · Only people examined for this employer", examples=[None]
    )
    campaign_id: UUID | None = Field(
        None, description="只查该团检任务的受检者 · Only people examined in this campaign", examples=[None]
    )
    exams_each: Whole = Field(
        10, ge=1, le=50, description="每人最近几次体检 · How many of the newest exams of each person", examples=[10]
    )
    page_size: Whole = Field(20, ge=1, le=50, description="每页人数 · People per page", examples=[20])
    page_token: str | None = Field(
        None,
        max_length=600,
        description="上一页返回的 next_page_token · The next_page_token of the page before",
        examples=[None],
    )


class LineOut(BaseModel):
    """An item group ordered in an exam."""

    id: UUID
    item_group_id: UUID
    code: str = Field(examples=["CBC"])
    name: str = Field(examples=["血常规"])
    department_id: int = Field(examples=[4])
    performed_by: Literal["lis", "department"]
    specimen: str | None = Field(examples=["whole_blood"])
    container: str | None = Field(examples=["EDTA-2"])
    fasting: bool = Field(examples=[False])
    state: LineState = Field(examples=["verified"])
    list_price_fen: int = Field(description="原价,分 · List price, fen", examples=[2000])
    price_fen: int = Field(description="价格,分 · Price, fen", examples=[1682])
    person_share_fen: int = Field(description="个人承担,分 · Paid by the person, fen", examples=[1682])
    employer_share_fen: int = Field(description="单位承担,分 · Paid by the employer, fen", examples=[0])
    paid_fen: int = Field(0, description="个人已付,分 · Paid by the person so far, fen", examples=[1682])
    remitted_fen: int = Field(0, description="免收,分 · Not asked of the person, fen", examples=[0])
    reason: str | None = Field(
        None, description="退项、拒检、弃检或延期的原因 · Why it was set aside", examples=["受检者拒绝采血"]
    )
    due_on: date | None = Field(None, description="延期至 · Due, where deferred", examples=[None])
    replaces_id: UUID | None = Field(
        None, description="替换了哪一项 · The line in whose place it came", examples=[None]
    )
    private: bool = Field(description="私密项目 · Private", examples=[False])
    consented_at: datetime | None = Field(description="知情同意时间 · When consent was recorded", examples=[None])
    consent_withdrawn_at: datetime | None = Field(
        None,
        description="撤回同意时间;结果不再出具报告 · When it was withdrawn: no further report tells of it",
        examples=[None],
    )
    price_reasons: list[dict[str, Any]] = Field(
        description="价格由来 · How the price came about",
        examples=[
            [
                {
                    "code": "package_share",
                    "zh": "套餐「男性基础套餐」分摊",
                    "en": "Share of the package 男性基础套餐",
                    "amount_fen": -318,
                }
            ]
        ],
    )


class CoverIn(Input):
    """What the person owes for lines was paid, or is not asked for."""

    line_ids: list[UUID] = Field(
        min_length=1, max_length=100, description="项目 · Lines", examples=[["0192f0c4-7b1a-7c3e-9d55-1f2e3a4b5c6d"]]
    )
    how: Covering = Field(description="paid 已交费;remitted 免收 · Paid, or not asked for", examples=["paid"])
    reference: str | None = Field(
        None,
        min_length=1,
        max_length=64,
        description="收费处凭证号 · The cashier's number for it",
        examples=["SF20261129-0017"],
    )
    reason: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="免收的原因,免收时必填 · Why it is not asked for",
        examples=["本院职工"],
    )

    @model_validator(mode="after")
    def _with_reason(self) -> Self:
        if self.how == "remitted" and self.reason is None:
            raise PydanticCustomError("missing", "a reason is needed")
        return self


class Outstanding(BaseModel):
    """One thing that keeps an exam from being finalized: what, where, why."""

    code: str = Field(description="原因代码 · Reason code", examples=["line_released"])
    source: str = Field(
        description="来源:项目或科室 · Line or department", examples=["line:0192f0c4-7b1a-7c3e-9d55-1f2e3a4b5c6d"]
    )
    department_id: int | None = Field(examples=[4])
    zh: str = Field(examples=["血常规:等待采集"])
    en: str = Field(examples=["Blood count: waiting for the specimen"])


class CompletenessOut(BaseModel):
    """What is outstanding."""

    exam_id: UUID
    state: ExamState = Field(examples=["in_progress"])
    complete: bool = Field(examples=[False])
    outstanding: list[Outstanding]


class ExamSummary(BaseModel):
    """An exam in a list."""

    id: UUID
    campus_id: int = Field(examples=[1])
    exam_no: str = Field(description="体检号 · Exam number", examples=["A26112200017"])
    examinee_id: UUID
    name: str = Field(examples=["张三"])
    sex: str = Field(examples=["male"])
    age_years: int = Field(examples=[36])
    package_name: str | None = Field(examples=["男性基础套餐"])
    state: ExamState = Field(examples=["checked_in"])
    exam_date: date
    total_fen: int = Field(description="合计,分 · Total, fen", examples=[19800])
    owed_fen: int = Field(description="个人待交,分 · What the person still owes, fen", examples=[0])
    refund_fen: int = Field(
        description="建议退费:已付而不再应收,分 · Proposed refund: what was paid and is not owed any more, fen",
        examples=[0],
    )
    registered_at: datetime
    sheet_returned_at: datetime | None = Field(
        None, description="指引单交回时间 · When the guide sheet came back", examples=[None]
    )
    checked_in_at: datetime | None = Field(examples=["2026-11-23T08:41:07+08:00"])
    finalized_at: datetime | None = Field(examples=[None])
    report_version: int | None = Field(
        description="受检者现在可见的报告版本 · Version of the report that its owner may see now", examples=[None]
    )


class FoundPerson(BaseModel):
    """Somebody whom a key may mean, and their past exams, newest first: those of the campuses one holds."""

    examinee: ExamineeOut
    exams: list[ExamSummary]
    more_exams: bool = Field(
        description="还有更早的体检,见 /examinees/{id}/exams · There are earlier ones", examples=[False]
    )
    named_exam_id: UUID | None = Field(
        None,
        description="以体检号或试管条码查询时,所指的体检 · The exam whose number, or whose tube's barcode, the key is",
        examples=[None],
    )


class ExamListItem(ExamSummary):
    """An exam in a list, with how far it is."""

    line_count: int = Field(description="项目数,不含已退项目 · Lines, those taken out left away", examples=[12])
    done_count: int = Field(description="已完成或不再等待的项目数 · Lines of them that nothing waits for", examples=[7])


Unprintable = Annotated[
    list[str],
    Field(
        examples=[[]],
        description="姓名中所有字体都没有的字,标签和纸面上显示为〓,请手写或另行标明 · Characters of the name that no font has: paper shows 〓 in their place, so say otherwise who it is",
    ),
]


class ExamOut(ExamSummary):
    """An exam with its lines."""

    version: int = Field(examples=[1])
    hold_reason: str | None = Field(None, description="暂停原因 · Why it is on hold", examples=[None])
    birth_date: date = Field(examples=["1990-03-07"])
    pregnant: Pregnant = None
    lines: list[LineOut]


class ExamOrdered(ExamOut):
    """An exam after something was ordered, and what of it is no line of its own."""

    contained: list[ContainedOut] = Field(
        default_factory=list, examples=[[]],
        description="本次所选中已包含在其他项目中、不另开的项目 · What was asked for and is examined by another group that is ordered",
    )  # fmt: skip


class ExamMade(ExamOrdered):
    """An exam that was just registered, and what of the name cannot be printed."""

    unprintable: Unprintable
