"""Shapes of examinees."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from tjapi.examinee.rules import (
    ConsentForm,
    Contradiction,
    Evidence,
    GuardianRelation,
    IdentifierKind,
    IdKind,
    PhotoSource,
    Sex,
)
from tjapi.kernel.paging import MAX_PAGE
from tjapi.kernel.validation import Whole

_ID = "0192f0c4-7b1a-7c3e-9d55-1f2e3a4b5c6d"
# The photo of a card is 102 × 126: 38 KB as a bitmap, a third more in Base64.
_MOST_PHOTO = 400_000
Nation = Annotated[
    str,
    Field(min_length=1, max_length=40, description="民族(名称或 01–56)或国籍 · Nation, or its code", examples=["汉族"]),
]
Phone = Annotated[str, Field(min_length=5, max_length=30, description="电话 · Phone", examples=["13800001234"])]
Address = Annotated[
    str, Field(min_length=1, max_length=200, description="住址 · Address", examples=["广西南宁市青秀区某路 1 号"])
]


def _written(given: object) -> object:
    return given.isoformat() if isinstance(given, date) else given


class Input(BaseModel):
    """What a client sends: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class IdCardPayload(Input):
    """What a reader reads from an identity document, or what is typed from it; in the reader's own codes and spellings.

    Sex and birth date may be left out where the number says them; what is given must agree with the number.
    """

    name: str = Field(min_length=1, max_length=64, description="姓名 · Name", examples=["张三"])
    sex: str = Field(
        "unknown", min_length=1, max_length=10, examples=["male"],
        description="性别:male、female、unknown,或读卡器的 1、2、0、9、男、女;可由证件号码得出 · Sex, or the reader's code; the number may say it",
    )  # fmt: skip
    nation: Nation | None = None
    birth_date: Annotated[str | None, BeforeValidator(_written)] = Field(
        None, min_length=1, max_length=20, examples=["1990-03-07"],
        description="出生日期,如 1990-01-01 或 19900101;可由证件号码得出 · Birth date; the number may say it",
    )  # fmt: skip
    address: Address | None = None
    id_kind: IdKind = Field(description="证件类型 · Kind of document", examples=["resident"])
    id_number: str | None = Field(
        None, min_length=1, max_length=40, description="证件号码,15 位旧号自动升位 · Number; old 15-digit ones are converted",
        examples=["690101199003077937"],
    )  # fmt: skip
    issuer: str | None = Field(
        None, min_length=1, max_length=60, description="签发机关 · Issuing authority", examples=["示例市公安局"]
    )
    valid_from: str | None = Field(
        None, min_length=1, max_length=20, description="有效期起 · Valid from", examples=["20200101"]
    )
    valid_until: str | None = Field(
        None, min_length=1, max_length=20, description="有效期止,或“长期” · Valid until, or 长期 (for ever)", examples=["20400101"]
    )  # fmt: skip
    phone: Phone | None = None
    photo: str | None = Field(
        None, min_length=1, max_length=_MOST_PHOTO, examples=[None],
        description="证件照片,Base64 (JPEG、PNG 或 BMP) · The card's photo, Base64 (JPEG, PNG or BMP)",
    )  # fmt: skip


class ExamineeIn(IdCardPayload):
    """Whom a campus meets."""

    campus_id: Whole = Field(ge=1, le=32_000, description="院区编号 · Campus id", examples=[1])


class ExamineePatch(Input):
    """What is to change; an absent field stays, null empties it."""

    nation: Nation | None = None
    phone: Phone | None = None
    address: Address | None = None


class ExamineeSearch(Input):
    """By exactly one of `q`, `id_number`, `phone`, `card_no`. In a body, because addresses are logged and bodies are not."""

    q: str | None = Field(
        None,
        min_length=1,
        max_length=64,
        description="姓名、全拼或拼音首字母的开头 · Beginning of name, pinyin or initials",
        examples=["zs"],
    )
    id_number: str | None = Field(
        None, min_length=1, max_length=40, description="完整证件号码 · The whole ID number", examples=[None]
    )
    phone: str | None = Field(
        None, min_length=5, max_length=30, description="完整电话 · The whole phone number", examples=[None]
    )
    card_no: str | None = Field(
        None, min_length=1, max_length=60, description="完整卡号(体检卡、就诊卡、HIS 患者号) · The whole number of a card", examples=[None]
    )  # fmt: skip
    page_size: Whole = Field(50, ge=1, le=MAX_PAGE, description="每页条数 · Rows per page", examples=[50])
    page_token: str | None = Field(
        None,
        max_length=600,
        description="上一页返回的 next_page_token · The next_page_token of the page before",
        examples=[None],
    )


class UnmaskIn(Input):
    """Why somebody needs to see what is masked; it stays in the audit trail."""

    purpose: str = Field(
        min_length=2,
        max_length=200,
        description="用途,记入审计 · Purpose, kept in the audit trail",
        examples=["电话通知复查"],
    )


class ExamineeOut(BaseModel):
    """An examinee, masked."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID = Field(description="受检者编号 · Examinee id", examples=[_ID])
    name: str = Field(description="姓名 · Name", examples=["张三"])
    sex: Sex = Field(description="性别 · Sex", examples=["male"])
    birth_date: date = Field(description="出生日期 · Birth date", examples=["1990-03-07"])
    nation: str | None = Field(description="民族或国籍 · Nation", examples=["汉族"])
    id_kind: IdKind = Field(description="证件类型 · Kind of document", examples=["resident"])
    id_number_masked: str | None = Field(
        description="证件号码,脱敏 · ID number, masked", examples=["690101********7937"]
    )
    phone_masked: str | None = Field(description="电话,脱敏 · Phone, masked", examples=["138****1234"])
    id_valid_until: date | None = Field(
        description="证件有效期止;长期或未读到则为空 · The document's last day; null if for ever or not known",
        examples=["2040-01-01"],
    )
    version: int = Field(description="版本,用于 If-Match · Version, for If-Match", examples=[1])
    created_at: datetime = Field(description="建档时间 · Known since", examples=["2026-11-23T08:00:00+08:00"])
    updated_at: datetime = Field(description="最近修改时间 · Last changed", examples=["2026-11-23T08:00:00+08:00"])


class ExamineeMet(ExamineeOut):
    """Whom the campus met, and whether they were new."""

    created: bool = Field(description="是否新建 · Whether the person was new", examples=[True])
    age_years: int = Field(description="年龄,今天的周岁 · Age today, completed years", examples=[36])
    document_expired: bool = Field(
        description="证件已过有效期,请核对 · The document is past its last day: check it", examples=[False]
    )
    unprintable: list[str] = Field(
        default_factory=list, examples=[[]],
        description="姓名中所有字体都没有的字,标签和纸面上显示为〓 · Characters of the name that no font has: paper shows 〓 in their place",
    )  # fmt: skip


class UnmaskedOut(BaseModel):
    """What is masked elsewhere."""

    id: UUID = Field(description="受检者编号 · Examinee id", examples=[_ID])
    id_number: str | None = Field(description="证件号码 · ID number", examples=["690101199003077937"])
    phone: str | None = Field(description="电话 · Phone", examples=["13800001234"])
    address: str | None = Field(description="住址 · Address", examples=["广西南宁市青秀区某路 1 号"])


class PhotoOut(BaseModel):
    """A version of a photo: who took it, when, from where. Its bytes are under `/photos/{version}`."""

    version: int = Field(description="版本 · Version", examples=[1])
    source: PhotoSource = Field(description="来源:读卡器或拍照 · Card reader or camera", examples=["camera"])
    taken_at: datetime = Field(description="时间 · When", examples=["2026-11-23T08:00:00+08:00"])
    taken_by_name: str = Field(description="操作人 · By whom", examples=["前台甲"])
    media_type: str = Field(description="格式 · Media type", examples=["image/jpeg"])
    width: int = Field(description="宽,像素 · Width, pixels", examples=[480])
    height: int = Field(description="高,像素 · Height, pixels", examples=[640])
    size: int = Field(description="字节数 · Bytes", examples=[61234])


class PhotosOut(BaseModel):
    """The versions of a photo, newest first; the first is the current one."""

    items: list[PhotoOut]


class IdentifierIn(Input):
    """A card or number of another system by which a person is found from now on."""

    kind: IdentifierKind = Field(description="种类 · Kind", examples=["visit_card"])
    number: str = Field(min_length=1, max_length=60, description="号码 · Number", examples=["6901000012345"])


class IdentifierOut(BaseModel):
    """A card or number of another system, masked."""

    id: UUID = Field(description="编号 · Id", examples=[_ID])
    kind: IdentifierKind = Field(description="种类 · Kind", examples=["visit_card"])
    number_masked: str = Field(description="号码,脱敏 · Number, masked", examples=["*********2345"])
    added_at: datetime = Field(description="登记时间 · When", examples=["2026-11-23T08:00:00+08:00"])
    added_by_name: str = Field(description="操作人 · By whom", examples=["前台甲"])


class IdentifiersOut(BaseModel):
    """The cards and numbers of a person."""

    items: list[IdentifierOut]


class EvidenceOut(BaseModel):
    """What speaks for two entries being one person, or against it."""

    code: Evidence = Field(description="依据 · Evidence", examples=["same_name"])
    points: int = Field(description="分值,负数为反证 · Points; negative speaks against it", examples=[30])


class DuplicateOut(BaseModel):
    """Two entries that may be one person, masked. `examinee` was entered later."""

    examinee: ExamineeOut
    other: ExamineeOut
    score: int = Field(description="相似度 0–100 · Likeness, 0 to 100", examples=[70])
    evidence: list[EvidenceOut] = Field(description="依据 · Why")
    contradictions: list[Contradiction] = Field(
        description="合并时须明确接受的矛盾 · What a merge must accept explicitly", examples=[["birth_date"]]
    )


Reason = Annotated[
    str, Field(min_length=2, max_length=200, description="原因 · Reason", examples=["同一人换证后重复建档"])
]


class DistinctionIn(Input):
    """Two entries that are two people."""

    examinee_ids: list[UUID] = Field(
        min_length=2, max_length=2, description="两条档案 · The two entries",
        examples=[[_ID, "0192f0c4-7b1a-7c3e-9d55-1f2e3a4b5c6e"]],
    )  # fmt: skip
    reason: Reason | None = None


class DistinctionOut(BaseModel):
    """不是同一人: who decided that two entries are two people, and when."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID = Field(description="判定编号 · Decision id", examples=[_ID])
    first_id: UUID = Field(description="其中一条 · One of them", examples=[_ID])
    second_id: UUID = Field(description="另一条 · The other", examples=["0192f0c4-7b1a-7c3e-9d55-1f2e3a4b5c6e"])
    reason: str | None = Field(description="原因 · Reason", examples=["双胞胎"])
    decided_by_name: str = Field(description="操作人 · By whom", examples=["前台甲"])
    decided_at: datetime = Field(description="时间 · When", examples=["2026-11-23T08:00:00+08:00"])
    withdrawn_at: datetime | None = Field(
        description="撤销时间 · When it was withdrawn", examples=["2026-11-23T09:00:00+08:00"]
    )


class DistinctionsOut(BaseModel):
    """What was decided of a person, newest first."""

    items: list[DistinctionOut]


class MergeIn(Input):
    """Into whom somebody is merged, and why. What the two contradict each other in is accepted by name."""

    survivor_id: UUID = Field(
        description="保留的档案 · The entry that goes on", examples=["0192f0c4-7b1a-7c3e-9d55-1f2e3a4b5c6e"]
    )
    reason: Reason
    accept_contradictions: list[Contradiction] = Field(
        default_factory=list, max_length=3, examples=[[]],
        description="明确接受的矛盾,须有相应权限 · Contradictions accepted explicitly; needs a permission of its own",
    )  # fmt: skip


class UndoMergeIn(Input):
    """Why a merge is undone."""

    reason: Reason


class MergeOut(BaseModel):
    """合并: which entry was found to be which, by whom and why; undone or not."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID = Field(description="合并编号 · Merge id", examples=[_ID])
    merged_id: UUID = Field(description="被合并的档案 · The entry that was merged", examples=[_ID])
    survivor_id: UUID = Field(
        description="保留的档案 · The entry that goes on", examples=["0192f0c4-7b1a-7c3e-9d55-1f2e3a4b5c6e"]
    )
    score: int = Field(description="合并时的相似度 · Likeness at the time", examples=[70])
    contradictions: list[Contradiction] = Field(description="已接受的矛盾 · Contradictions accepted", examples=[[]])
    reason: str = Field(description="原因 · Reason", examples=["同一人换证后重复建档"])
    merged_by_name: str = Field(description="操作人 · By whom", examples=["前台甲"])
    merged_at: datetime = Field(description="时间 · When", examples=["2026-11-23T08:00:00+08:00"])
    undone_by_name: str | None = Field(description="撤销人 · Undone by whom", examples=["前台乙"])
    undone_at: datetime | None = Field(description="撤销时间 · Undone when", examples=["2026-11-24T08:00:00+08:00"])
    undo_reason: str | None = Field(description="撤销原因 · Why it was undone", examples=["系双胞胎"])
    followed: dict[str, int] = Field(
        description="随合并转移(撤销时原样转回)的记录数,按表 · How many rows of which table followed, and come back when it is undone",
        examples=[{"exam": 2, "report": 1}],
    )
    stayed: dict[str, int] = Field(
        description="撤销后留在保留档案的、合并之后新增的记录数,按表,须人工核对归属 · Rows that came after the merge and stayed with the survivor when it was undone: somebody should look whose they are",
        examples=[{"exam": 1}],
    )


class MergesOut(BaseModel):
    """The merges of a person's archive, newest first."""

    items: list[MergeOut]


class ConsentIn(Input):
    """In which form a guardian consents to the child's personal data being handled."""

    form: ConsentForm = Field(description="同意形式 · Form of the consent", examples=["signed_paper"])


class GuardianIn(Input):
    """Who answers for a minor. The phone finds the child; an ID number is not asked for unless one wants it kept."""

    name: str = Field(min_length=1, max_length=64, description="姓名 · Name", examples=["张建国"])
    relation: GuardianRelation = Field(description="与受检者关系 · What they are to the examinee", examples=["father"])
    phone: Phone
    id_kind: IdKind = Field("none", description="证件类型 · Kind of document", examples=["none"])
    id_number: str | None = Field(
        None, min_length=1, max_length=40, description="证件号码,可不填 · ID number, may be left out", examples=[None]
    )
    consent: ConsentIn | None = Field(None, description="已取得的同意 · Consent that was given")


class GuardianOut(BaseModel):
    """A guardian, masked."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID = Field(description="监护人编号 · Guardian id", examples=[_ID])
    name: str = Field(description="姓名 · Name", examples=["张建国"])
    relation: GuardianRelation = Field(description="与受检者关系 · What they are to the examinee", examples=["father"])
    phone_masked: str = Field(description="电话,脱敏 · Phone, masked", examples=["138****1234"])
    id_kind: IdKind = Field(description="证件类型 · Kind of document", examples=["none"])
    id_number_masked: str | None = Field(
        description="证件号码,脱敏 · ID number, masked", examples=["690101********7937"]
    )
    added_at: datetime = Field(description="登记时间 · When", examples=["2026-11-23T08:00:00+08:00"])
    added_by_name: str = Field(description="操作人 · By whom", examples=["前台甲"])
    consent_form: ConsentForm | None = Field(
        description="同意形式;尚未同意则为空 · Form of the consent; null before it", examples=["signed_paper"]
    )
    consented_at: datetime | None = Field(
        description="同意时间 · When they consented", examples=["2026-11-23T08:00:00+08:00"]
    )
    consent_by_name: str | None = Field(description="记录人 · By whom that was written down", examples=["前台甲"])


class GuardiansOut(BaseModel):
    """Who answers for a minor."""

    consent_required: bool = Field(
        description="今天未满 14 周岁,报到前须有监护人同意 · Below 14 today: a guardian consents before check-in",
        examples=[True],
    )
    items: list[GuardianOut]


class GuardianUnmaskedOut(BaseModel):
    """What is masked elsewhere."""

    id: UUID = Field(description="监护人编号 · Guardian id", examples=[_ID])
    phone: str = Field(description="电话 · Phone", examples=["13800001234"])
    id_number: str | None = Field(description="证件号码 · ID number", examples=["690101199003077937"])
