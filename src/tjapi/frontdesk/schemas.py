"""Shapes of the front desk."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from tjapi.appointment.schemas import AppointmentOut, PlaceIn
from tjapi.exam.schemas import DespiteSecond, ExamOrdered, ExamOut, Unprintable
from tjapi.examinee.schemas import IdCardPayload
from tjapi.frontdesk.rules import CheckDecision, CheckMethod, CheckOutcome, DocumentKind, PrintFormat, Station
from tjapi.kernel.validation import WHOLE, Day, Whole
from tjapi.pricing.schemas import Choices, Pregnant
from tjapi.requisition.schemas import TubeOut

_EXAM = "0192f0c4-7b1a-7c3e-9d55-1f2e3a4b5c6d"
_TUBE = "0192f0c4-7b1a-7c3e-9d55-1f2e3a4b5c6e"
MOST_PAPERS = 10_000
"""Copies in one file."""
Section = Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,20}$")]


class Input(BaseModel):
    """What a client sends: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class AccessCodeOut(BaseModel):
    """A one-time code; shown only here."""

    access_code: str = Field(
        description="一次性查询码,印在指引单上 · One-time code, printed on the guide sheet", examples=["40718265"]
    )
    expires_at: datetime


class PaperIn(Input):
    """What is to be printed. A kind alone means every paper of this kind: all tubes, all request forms that print by default."""

    exam_id: UUID = Field(description="体检 · Exam", examples=[_EXAM])
    kind: DocumentKind = Field(description="打印件 · Paper", examples=["tube_label"])
    tube_id: UUID | None = Field(None, description="试管,仅试管标签 · The tube of a tube label", examples=[_TUBE])
    department_id: Annotated[int, Field(ge=1, le=32_000), WHOLE] | None = Field(
        None, description="科室,仅申请单 · The department of a request form", examples=[None]
    )
    section: Section | None = Field(
        None, description="检验组,仅单独出单者 · The section of a form of its own", examples=[None]
    )
    copies: Annotated[int, Field(ge=1, le=20), WHOLE] | None = Field(
        None, description="份数,缺省见清单 · Copies", examples=[1]
    )
    access_code: Annotated[str, StringConstraints(pattern=r"^[0-9]{8}$")] | None = Field(
        None,
        description="刚生成的查询码,印在指引单上 · The code just issued, for the guide sheet",
        examples=[None],
    )


class UnitPapersIn(Input):
    """The papers of a unit's people: person by person in the order of the campaign's list, of each the kinds in the order given."""

    campaign_id: UUID = Field(description="团检任务 · Campaign", examples=[_EXAM])
    kinds: list[DocumentKind] = Field(
        min_length=1, max_length=4, description="打印件 · Papers", examples=[["guide_sheet", "tube_label"]]
    )
    day: Day | None = Field(None, description="只限该体检日 · Of this day only", examples=["2026-03-02"])
    group_id: UUID | None = Field(None, description="只限该分组 · Of this group only", examples=[None])


class PrintIn(Input):
    """What is to be printed, in order, into one file."""

    format: PrintFormat = Field(
        "pdf", description="格式;ZPL/TSPL 仅标签 · ZPL and TSPL for labels only", examples=["zpl"]
    )
    papers: list[PaperIn] = Field(
        default_factory=list,
        max_length=2_000,
        description="所选打印件,与 unit 二选一 · What was chosen; or give `unit`",
    )
    unit: UnitPapersIn | None = Field(
        None, description="整个单位,与 papers 二选一 · A whole unit; or give `papers`", examples=[None]
    )


class PrintLink(BaseModel):
    """How to print one paper: send `body` to `href`. It is logged as a print."""

    format: PrintFormat = Field(examples=["pdf"])
    method: Literal["POST"] = Field(examples=["POST"])
    href: str = Field(examples=["/api/v1/document-prints"])
    body: PrintIn


class DocumentOut(BaseModel):
    """A paper that can be printed of an exam."""

    kind: DocumentKind = Field(description="打印件 · Paper", examples=["tube_label"])
    title: str = Field(description="名称 · Name", examples=["血清 黄盖 促凝胶管"])
    tube_id: UUID | None = Field(examples=[_TUBE])
    barcode: str | None = Field(description="条码 · Bar code", examples=["010000000018"])
    department_id: int | None = Field(examples=[None])
    section: str | None = Field(examples=["chemistry"])
    copies: int = Field(description="缺省份数,0 为不缺省打印 · Default copies; 0: only when asked for", examples=[1])
    printed: int = Field(description="已打印份数 · Copies printed so far", examples=[0])
    outdated: bool = Field(
        description="最近一次打印后内容已变 · It changed since it was printed last", examples=[False]
    )
    links: list[PrintLink] = Field(description="打印方式 · How to print it")


class DocumentsOut(BaseModel):
    """Everything that can be printed of an exam, in the order of printing."""

    exam_id: UUID
    exam_no: str = Field(examples=["A26112200017"])
    guide_sheet_version: int = Field(
        description="指引单版本,项目变化即加一 · Version of the guide sheet: the next one when its lines change",
        examples=[1],
    )
    items: list[DocumentOut]


class PrintedPaperOut(BaseModel):
    """A paper that was printed, and which copies of it."""

    exam_id: UUID
    kind: DocumentKind = Field(examples=["tube_label"])
    subject: str = Field(description="试管或科室 · Tube, or department", examples=[_TUBE])
    copies: int = Field(examples=[1])
    first_copy: int = Field(description="从第几份起 · Number of the first copy", examples=[2])
    reprint: bool = Field(description="补打 · Printed before", examples=[True])
    version: int | None = Field(description="指引单版本 · Version of the guide sheet", examples=[None])


class PrintOut(BaseModel):
    """A print: who, when, what; and where its file is."""

    id: UUID
    campus_id: int = Field(examples=[1])
    format: PrintFormat = Field(examples=["zpl"])
    printed_at: datetime
    printed_by: UUID
    printed_by_name: str = Field(examples=["韦前台"])
    url: str = Field(
        description="文件地址;每次取得的内容相同 · Where the file is; the same every time",
        examples=["/api/v1/document-prints/0192f0c4-7b1a-7c3e-9d55-1f2e3a4b5c6d/file"],
    )
    copies: int = Field(description="总份数 · Copies in all", examples=[3])
    job_id: UUID | None = Field(
        description="文件较大时由此后台任务生成,见 /jobs · The job that makes a large file, see /jobs", examples=[None]
    )
    papers: list[PrintedPaperOut] = Field(
        description="打印件;由后台任务生成者见各次体检的打印记录 · The papers; of a print made by a job they are in each exam's prints"
    )


class PrintsOut(BaseModel):
    """The prints of an exam, newest first; of each, the papers of this exam."""

    items: list[PrintOut]


class CheckInOut(BaseModel):
    """What check-in gives: the exam, its tubes with barcodes, the one-time code, and what can be printed now."""

    exam: ExamOut
    tubes: list[TubeOut]
    access: AccessCodeOut
    documents: DocumentsOut
    unprintable: Unprintable = Field(default_factory=list)


class Paper(BaseModel):
    """`paper.toml`: default copies, names on paper, stations of the walk."""

    model_config = ConfigDict(extra="forbid")

    copies: dict[str, int]
    form_copies: dict[str, int]
    section_form_copies: dict[str, int]
    sections: dict[str, str]
    specimens: dict[str, str]
    containers: dict[str, str]
    stations: list[Station]


class BoardOut(BaseModel):
    """The day's five counts of a campus, of one moment. Cancelled exams count nowhere."""

    campus_id: int = Field(examples=[1])
    day: date
    booked: int = Field(description="当日已预约 · Booked for the day", examples=[86])
    awaiting_payment: int = Field(
        description="待交费;零元体检不计 · Something priced is not paid; never a free exam", examples=[4]
    )
    checked_in: int = Field(description="已报到 · Checked in", examples=[52])
    blood_drawn: int = Field(description="已抽血 · Blood was drawn", examples=[47])
    examined: int = Field(description="已检查:受检者已无待做项目 · Nothing is left for the person to do", examples=[31])


class CheckInIn(Input):
    """What is meant, of a check-in that is asked back."""

    despite: DespiteSecond = Field(default_factory=list)


class OwnBookingIn(PlaceIn):
    """What somebody books: a place, and what is examined then."""

    campus_id: Whole = Field(ge=1, le=32_000, description="院区编号 · Campus id", examples=[1])
    package_id: UUID | None = Field(None, description="套餐 · Package", examples=[_EXAM])
    item_group_ids: list[UUID] = Field(
        default_factory=list, max_length=100, description="加选组合项目 · Further item groups", examples=[[]]
    )
    choices: Choices = Field(default_factory=list)
    pregnant: Pregnant = None
    hold_id: UUID | None = Field(None, description="先前的占位 · The place that was kept", examples=[None])
    despite: DespiteSecond = Field(default_factory=list)


class BookingIn(OwnBookingIn):
    """A booking at the desk: for an examinee who is known, or for the holder of a document as the card reader read it."""

    examinee_id: UUID | None = Field(
        None, description="受检者,与 id_card 二选一 · Examinee; or else id_card", examples=[_EXAM]
    )
    id_card: IdCardPayload | None = Field(
        None, description="读卡内容,建档或沿用已有档案 · What the card reader read: its holder is found or entered", examples=[None]
    )  # fmt: skip
    over_waiting_list: bool = Field(
        default=False, description="知有人候补仍占用 · Take it although others wait for the session", examples=[False]
    )


class BookingOut(BaseModel):
    """A booking: the place, and the exam that it is for."""

    appointment: AppointmentOut
    exam: ExamOrdered | None
    unprintable: Unprintable = Field(default_factory=list)


class IdentityCheckIn(BaseModel):
    """How somebody was held against whose exam this is, and what was seen."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    method: CheckMethod = Field(
        description="方式:读证件、比对照片、外部人脸比对 · Card read, photo compared, or a device that compares faces",
        examples=["face_match"],
    )
    outcome: CheckOutcome = Field(
        description="结论:本人、存疑、非本人 · Same, doubtful, or somebody else", examples=["same"]
    )
    score: Annotated[int, Field(ge=0, le=100), WHOLE] | None = Field(
        None, description="人脸比对相似度 0–100 · Score of the device, 0 to 100", examples=[97]
    )
    device: str | None = Field(
        None, min_length=1, max_length=60, description="比对设备 · The device", examples=["入口 1 号机"]
    )
    department_id: Annotated[int, Field(ge=1, le=32_000), WHOLE] | None = Field(
        None, description="科室;前台核验则不填 · Department; left out at the desk", examples=[None]
    )
    note: str | None = Field(None, min_length=1, max_length=200, description="备注 · Note", examples=[None])


class IdentityDecisionIn(BaseModel):
    """What a second person decides, and why."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    decision: CheckDecision = Field(
        description="裁定:本人或非本人 · The same person, or somebody else", examples=["same"]
    )
    reason: str = Field(min_length=2, max_length=200, description="理由 · Why", examples=["核对户口簿与本人一致"])


class IdentityCheckOut(BaseModel):
    """替检核验: how, by whom, what was seen, and what a second person decided."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID = Field(description="核验编号 · Id of the check", examples=[_EXAM])
    exam_id: UUID = Field(description="体检 · Exam", examples=[_EXAM])
    department_id: int | None = Field(description="科室;前台为空 · Department; null at the desk", examples=[None])
    method: CheckMethod = Field(description="方式 · How", examples=["face_match"])
    score: int | None = Field(description="相似度 0–100 · Score of the device", examples=[97])
    device: str | None = Field(description="比对设备 · The device", examples=["入口 1 号机"])
    outcome: CheckOutcome = Field(description="结论 · What was seen", examples=["same"])
    note: str | None = Field(description="备注 · Note", examples=[None])
    checked_by_name: str = Field(description="核验人 · By whom", examples=["前台甲"])
    checked_at: datetime = Field(description="时间 · When", examples=["2026-11-23T08:00:00+08:00"])
    decision: CheckDecision | None = Field(description="裁定 · Decision of a second person", examples=[None])
    decision_reason: str | None = Field(description="裁定理由 · Why", examples=[None])
    decided_by_name: str | None = Field(description="裁定人 · Decided by whom", examples=[None])
    decided_at: datetime | None = Field(description="裁定时间 · Decided when", examples=[None])


class IdentityChecksOut(BaseModel):
    """The identity checks of an exam, newest first."""

    items: list[IdentityCheckOut]
