"""Shapes of employers, campaigns, groups and members."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from tjapi.employer.rules.campaigns import (
    AddOns,
    BeyondCap,
    CampaignState,
    DiscountTarget,
    ImportState,
    MaritalStatus,
    MemberState,
    Placement,
)
from tjapi.employer.rules.cells import one_line
from tjapi.examinee.rules import IdKind, Sex
from tjapi.kernel.validation import WHOLE, Day, Whole, out_of_range

_ID = "0192f0c4-7b1a-7c3e-9d55-1f2e3a4b5c6d"
_EARLIEST, _LATEST = date(2000, 1, 1), date(2099, 12, 31)
_BORN_FROM = date(1850, 1, 1)
_MOST_FEN = 100_000_000
_MOST_BASIS_POINTS = 10_000


def _within(earliest: date, latest: date) -> AfterValidator:
    def check(value: date) -> date:
        if not earliest <= value <= latest:
            raise out_of_range(earliest, latest)
        return value

    return AfterValidator(check)


PlannedDay = Annotated[Day, _within(_EARLIEST, _LATEST)]
BirthDay = Annotated[Day, _within(_BORN_FROM, _LATEST)]
Code = Annotated[
    str, Field(min_length=1, max_length=32, pattern=r"^[A-Za-z0-9_-]+$", description="编号 · Code", examples=["GL001"])
]
Fen = Annotated[int, Field(ge=0, le=_MOST_FEN), WHOLE]
CampusId = Annotated[int, Field(ge=1, le=32_000, description="院区编号 · Campus id", examples=[1]), WHOLE]
Quota = Annotated[int, Field(ge=1, le=10_000), WHOLE]
Age = Annotated[int, Field(ge=0, le=130), WHOLE]
BasisPoints = Annotated[int, Field(ge=0, le=_MOST_BASIS_POINTS), WHOLE]

Word = Annotated[str, Field(min_length=1, max_length=60), AfterValidator(one_line)]
EmployeeNo = Annotated[str, AfterValidator(one_line)]


class Input(BaseModel):
    """What a client sends: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class Output(BaseModel):
    """What a row becomes."""

    model_config = ConfigDict(from_attributes=True)


class EmployerIn(Input):
    """A unit, or a branch of one."""

    code: Code
    name: str = Field(min_length=1, max_length=100, description="名称 · Name", examples=["桂澄机械有限公司"])
    uscc: str | None = Field(
        None, min_length=18, max_length=18, pattern=r"^[0-9A-HJ-NPQRTUWXY]{18}$", examples=["91450100MA5K00000X"],
        description="统一社会信用代码 · Unified social credit code",
    )  # fmt: skip
    parent_id: UUID | None = Field(None, description="上级单位 · The unit it is a branch of", examples=[None])
    address: str | None = Field(
        None, min_length=1, max_length=200, description="地址 · Address", examples=["某路 1 号"]
    )
    industry: str | None = Field(None, min_length=1, max_length=60, description="行业 · Industry", examples=["制造业"])


class EmployerPatch(Input):
    """What is to change; an absent field stays, null empties what may be empty."""

    name: str = Field("", min_length=1, max_length=100, description="名称 · Name", examples=["桂澄机械有限公司"])
    parent_id: UUID | None = Field(None, description="上级单位 · The unit it is a branch of", examples=[None])
    address: str | None = Field(
        None, min_length=1, max_length=200, description="地址 · Address", examples=["某路 2 号"]
    )
    industry: str | None = Field(None, min_length=1, max_length=60, description="行业 · Industry", examples=["制造业"])
    active: bool = Field(True, description="是否启用 · In use", examples=[True])


class EmployerOut(Output):
    """A unit."""

    id: UUID = Field(description="单位 · Employer id", examples=[_ID])
    code: str = Field(description="单位编号 · Code", examples=["GL001"])
    name: str = Field(description="名称 · Name", examples=["桂澄机械有限公司"])
    uscc: str | None = Field(
        description="统一社会信用代码 · Unified social credit code", examples=["91450100MA5K00000X"]
    )
    parent_id: UUID | None = Field(description="上级单位 · The unit it is a branch of", examples=[None])
    address: str | None = Field(description="地址 · Address", examples=["某路 1 号"])
    industry: str | None = Field(description="行业 · Industry", examples=["制造业"])
    active: bool = Field(description="是否启用 · In use", examples=[True])
    version: int = Field(description="版本,用于 If-Match · Version, for If-Match", examples=[1])


class ContactIn(Input):
    """Whom one calls."""

    name: str = Field(min_length=1, max_length=64, description="姓名 · Name", examples=["韦经理"])
    post: str | None = Field(None, min_length=1, max_length=60, description="职务 · Post", examples=["人力资源"])
    phone: str = Field(min_length=5, max_length=30, description="电话 · Phone", examples=["13800001234"])


class ContactOut(Output):
    """A contact, masked."""

    id: UUID = Field(description="联系人 · Contact id", examples=[_ID])
    name: str = Field(description="姓名 · Name", examples=["韦经理"])
    post: str | None = Field(description="职务 · Post", examples=["人力资源"])
    phone_masked: str = Field(description="电话,脱敏 · Phone, masked", examples=["138****1234"])


class UnmaskContactIn(Input):
    """Why somebody needs the whole number; it stays in the audit trail."""

    purpose: str = Field(
        min_length=2,
        max_length=200,
        description="用途,记入审计 · Purpose, kept in the audit trail",
        examples=["通知体检时间"],
    )


class UnmaskedContactOut(BaseModel):
    """A contact's number in full."""

    id: UUID = Field(description="联系人 · Contact id", examples=[_ID])
    phone: str = Field(description="电话 · Phone", examples=["13800001234"])


class EmployerDetail(EmployerOut):
    """A unit with its contacts and branches."""

    contacts: list[ContactOut]
    branches: list[EmployerOut]


class ContractIn(Input):
    """What was agreed upon."""

    campus_id: CampusId
    employer_id: UUID = Field(description="单位 · Employer", examples=[_ID])
    contract_no: Code
    name: str = Field(min_length=1, max_length=100, description="名称 · Name", examples=["2026 年度职工体检"])
    signed_on: PlannedDay | None = Field(None, description="签订日期 · Signed on", examples=["2026-01-05"])
    valid_from: PlannedDay = Field(description="有效期起 · Valid from", examples=["2026-01-01"])
    valid_to: PlannedDay = Field(description="有效期止 · Valid to", examples=["2026-12-31"])
    terms: str = Field("", max_length=4000, description="条款 · Terms", examples=["统收,按实际到检结算"])


class ContractOut(Output):
    """A contract."""

    id: UUID = Field(description="合同 · Contract id", examples=[_ID])
    campus_id: int = Field(description="院区 · Campus", examples=[1])
    employer_id: UUID = Field(description="单位 · Employer", examples=[_ID])
    contract_no: str = Field(description="合同号 · Number", examples=["HT-2026-001"])
    name: str = Field(description="名称 · Name", examples=["2026 年度职工体检"])
    signed_on: date | None = Field(description="签订日期 · Signed on", examples=["2026-01-05"])
    valid_from: date = Field(description="有效期起 · Valid from", examples=["2026-01-01"])
    valid_to: date = Field(description="有效期止 · Valid to", examples=["2026-12-31"])
    terms: str = Field(description="条款 · Terms", examples=["统收,按实际到检结算"])


class CampaignIn(Input):
    """A unit's people, to be examined in one campus in one period."""

    campus_id: CampusId
    employer_id: UUID = Field(description="单位 · Employer", examples=[_ID])
    contract_id: UUID | None = Field(None, description="合同 · Contract", examples=[None])
    name: str = Field(min_length=1, max_length=100, description="名称 · Name", examples=["桂澄机械 2026 年度体检"])
    year: Whole = Field(ge=2000, le=2099, description="年度 · Year", examples=[2026])
    starts_on: PlannedDay = Field(description="开始日期 · From", examples=["2026-03-02"])
    ends_on: PlannedDay = Field(description="结束日期 · To", examples=["2026-03-31"])
    daily_quota: Quota | None = Field(None, description="每日人数上限 · Most members a day", examples=[200])


class CampaignPatch(Input):
    """What is to change; an absent field stays."""

    name: str = Field("", min_length=1, max_length=100, description="名称 · Name", examples=["桂澄机械 2026 年度体检"])
    contract_id: UUID | None = Field(None, description="合同 · Contract", examples=[None])
    starts_on: PlannedDay = Field(_EARLIEST, description="开始日期 · From", examples=["2026-03-02"])
    ends_on: PlannedDay = Field(_LATEST, description="结束日期 · To", examples=["2026-04-30"])
    daily_quota: Quota | None = Field(None, description="每日人数上限 · Most members a day", examples=[150])


class CriterionIn(Input):
    """One row of a group's rule: all of it must hold; what is left out asks for nothing."""

    sex: Literal["male", "female", "any"] = Field("any", description="性别 · Sex", examples=["female"])
    age_from: Age | None = Field(None, description="年龄下限(含) · Age from, inclusive", examples=[40])
    age_to: Age | None = Field(None, description="年龄上限(含) · Age to, inclusive", examples=[59])
    marital_status: MaritalStatus | None = Field(None, description="婚姻状况 · Marital status", examples=["married"])
    posts: list[Word] = Field(
        default_factory=list, max_length=50, description="岗位,任一 · Posts, any of", examples=[["焊工"]]
    )
    hazards: list[Word] = Field(
        default_factory=list, max_length=50, description="危害因素,任一 · Hazards, any of", examples=[["噪声"]]
    )


class ChoiceIn(Input):
    """自选: choose n of these item groups."""

    name: Word = Field(description="名称 · Name", examples=["肿瘤标志物任选两项"])
    choose: Whole = Field(ge=1, le=50, description="可选项数 · How many", examples=[2])
    item_group_ids: list[UUID] = Field(
        min_length=1, max_length=50, description="可选组合项目 · From these", examples=[[_ID]]
    )


class DiscountIn(Input):
    """One row of the discount plan: of a target, a rate (8500 = 八五折) or an amount off, never below the floor.

    For an item group the row that names it counts, else the one that names its package, else that of everything.
    """

    target: DiscountTarget = Field(description="适用范围 · What it applies to", examples=["package"])
    target_id: UUID | None = Field(None, description="套餐或组合项目 · Package or item group", examples=[_ID])
    rate_bp: BasisPoints | None = Field(None, description="折扣率,万分比 · Rate paid, basis points", examples=[8500])
    amount_fen: Fen | None = Field(None, description="减额,分 · Amount off, fen", examples=[None])
    floor_fen: Fen = Field(0, description="底价,分 · Never below, fen", examples=[0])


class GroupIn(Input):
    """A group: who belongs, what they are examined for, and what the employer pays of it."""

    name: str = Field(min_length=1, max_length=60, description="名称 · Name", examples=["已婚女职工"])
    sort: Whole = Field(0, ge=0, le=1_000, description="排序 · Order", examples=[10])
    criteria: list[CriterionIn] = Field(
        default_factory=list, max_length=30, description="分组条件,满足任一行 · Rules: one row must hold"
    )
    package_ids: list[UUID] = Field(
        default_factory=list,
        max_length=10,
        description="套餐,成员取其一 · Packages, of which a member takes one",
        examples=[[_ID]],
    )
    item_group_ids: list[UUID] = Field(
        default_factory=list, max_length=50, description="另含组合项目 · Item groups besides", examples=[[]]
    )
    choices: list[ChoiceIn] = Field(default_factory=list, max_length=10, description="自选 · Choices", examples=[[]])
    cap_fen: Fen | None = Field(
        None, description="单位承担上限,分 · Most the employer pays for one, fen", examples=[50000]
    )
    beyond_cap: BeyondCap = Field(
        "self_paid",
        description="超出上限部分:自费或不允许 · What exceeds the cap: self-paid or refused",
        examples=["self_paid"],
    )
    add_ons: AddOns = Field(
        "self_paid", description="加项:自费或计入上限 · Add-ons: self-paid or within the cap", examples=["self_paid"]
    )
    discounts: list[DiscountIn] = Field(
        default_factory=list, max_length=60, description="打折方案 · Discount plan", examples=[[]]
    )


class GroupOut(Output):
    """A group, and how many belong to it."""

    id: UUID = Field(description="分组 · Group id", examples=[_ID])
    campaign_id: UUID = Field(description="团检任务 · Campaign", examples=[_ID])
    code: str = Field(description="编号 · Code", examples=["F1"])
    name: str = Field(description="名称 · Name", examples=["已婚女职工"])
    sort: int = Field(description="排序 · Order", examples=[10])
    criteria: list[CriterionIn] = Field(description="分组条件 · Rules")
    package_ids: list[UUID] = Field(description="套餐 · Packages", examples=[[_ID]])
    item_group_ids: list[UUID] = Field(description="另含组合项目 · Item groups besides", examples=[[]])
    choices: list[ChoiceIn] = Field(description="自选 · Choices", examples=[[]])
    cap_fen: int | None = Field(description="单位承担上限,分 · Most the employer pays for one, fen", examples=[50000])
    beyond_cap: BeyondCap = Field(description="超出上限部分 · What exceeds the cap", examples=["self_paid"])
    add_ons: AddOns = Field(description="加项 · Add-ons", examples=["self_paid"])
    discounts: list[DiscountIn] = Field(description="打折方案 · Discount plan", examples=[[]])


class CampaignOut(Output):
    """A campaign."""

    id: UUID = Field(description="团检任务 · Campaign id", examples=[_ID])
    campus_id: int = Field(description="院区 · Campus", examples=[1])
    employer_id: UUID = Field(description="单位 · Employer", examples=[_ID])
    contract_id: UUID | None = Field(description="合同 · Contract", examples=[None])
    previous_id: UUID | None = Field(description="上一次 · The one before", examples=[None])
    name: str = Field(description="名称 · Name", examples=["桂澄机械 2026 年度体检"])
    year: int = Field(description="年度 · Year", examples=[2026])
    state: CampaignState = Field(description="状态 · State", examples=["open"])
    starts_on: date = Field(description="开始日期 · From", examples=["2026-03-02"])
    ends_on: date = Field(description="结束日期 · To", examples=["2026-03-31"])
    daily_quota: int | None = Field(description="每日人数上限 · Most members a day", examples=[200])
    version: int = Field(description="版本,用于 If-Match · Version, for If-Match", examples=[1])
    opened_at: datetime | None = Field(description="启动时间 · Opened", examples=[None])
    completed_at: datetime | None = Field(description="完成时间 · Completed", examples=[None])


class CampaignDetail(CampaignOut):
    """A campaign with its groups and, by placement and state, how many members it has."""

    groups: list[GroupOut]
    members: dict[str, int] = Field(
        description="成员数:合计、按状态、未归组 · Members: in all, by state, not placed",
        examples=[{"total": 200, "listed": 180, "booked": 20, "none": 1, "ambiguous": 2}],
    )


class MemberIn(Input):
    """One person of an employer's list."""

    name: str = Field(min_length=1, max_length=64, description="姓名 · Name", examples=["李四"])
    sex: Sex = Field(
        "unknown", description="性别,可由证件号码得出 · Sex, unless the number says it", examples=["female"]
    )
    birth_date: BirthDay | None = Field(None, description="出生日期 · Birth date", examples=["1980-03-07"])
    id_kind: IdKind = Field("none", description="证件类型 · Kind of document", examples=["resident"])
    id_number: str | None = Field(
        None, min_length=1, max_length=40, description="证件号码 · Number", examples=["690101198003077844"]
    )
    phone: str | None = Field(None, min_length=5, max_length=30, description="电话 · Phone", examples=["13800001234"])
    employee_no: EmployeeNo | None = Field(
        None, min_length=1, max_length=40, description="工号 · Employee number", examples=["0017"]
    )
    department: Word | None = Field(None, description="部门 · Department", examples=["一车间"])
    post: Word | None = Field(None, description="岗位 · Post", examples=["焊工"])
    marital_status: MaritalStatus = Field("unknown", description="婚姻状况 · Marital status", examples=["married"])
    hazards: list[Word] = Field(
        default_factory=list, max_length=20, description="危害因素 · Hazards", examples=[["噪声"]]
    )
    note: str | None = Field(None, min_length=1, max_length=200, description="备注 · Note", examples=[None])


class MemberPatch(Input):
    """What is to change; an absent field stays, null empties it. The group is found anew where nobody assigned it."""

    phone: str | None = Field(None, min_length=5, max_length=30, description="电话 · Phone", examples=["13800001234"])
    department: Word | None = Field(None, description="部门 · Department", examples=["一车间"])
    post: Word | None = Field(None, description="岗位 · Post", examples=["焊工"])
    marital_status: MaritalStatus = Field("unknown", description="婚姻状况 · Marital status", examples=["married"])
    hazards: list[Word] = Field(
        default_factory=list, max_length=20, description="危害因素 · Hazards", examples=[["噪声"]]
    )
    note: str | None = Field(None, min_length=1, max_length=200, description="备注 · Note", examples=[None])
    package_id: UUID | None = Field(None, description="所选套餐 · The package chosen", examples=[None])
    choice_ids: list[UUID] = Field(
        default_factory=list, max_length=100, description="自选的组合项目 · Item groups chosen", examples=[[]]
    )
    self_paid_ids: list[UUID] = Field(
        default_factory=list, max_length=50, description="加项 · Item groups added on", examples=[[]]
    )


class RefusalOut(BaseModel):
    """Why something did not happen."""

    code: str = Field(description="原因代码 · Reason code", examples=["member-not-placed"])
    zh: str = Field(description="中文说明 · In Chinese", examples=["成员未归入唯一分组"])
    en: str = Field(description="英文说明 · In English", examples=["The member belongs to no one group"])


class MemberOut(Output):
    """A member, masked."""

    id: UUID = Field(description="成员 · Member id", examples=[_ID])
    campaign_id: UUID = Field(description="团检任务 · Campaign", examples=[_ID])
    list_no: int = Field(description="名单序号 · Number in the list", examples=[17])
    employee_no: str | None = Field(description="工号 · Employee number", examples=["0017"])
    name: str = Field(description="姓名 · Name", examples=["张三"])
    unprintable: list[str] = Field(
        default_factory=list, examples=[[]],
        description="姓名中所有字体都没有的字,标签和纸面上显示为〓 · Characters of the name that no font has: paper shows 〓 in their place",
    )  # fmt: skip
    sex: Sex = Field(description="性别 · Sex", examples=["male"])
    birth_date: date | None = Field(description="出生日期 · Birth date", examples=["1990-03-07"])
    id_kind: IdKind = Field(description="证件类型 · Kind of document", examples=["resident"])
    id_number_masked: str | None = Field(description="证件号码,脱敏 · Number, masked", examples=["110105********793X"])
    phone_masked: str | None = Field(description="电话,脱敏 · Phone, masked", examples=["138****1234"])
    department: str | None = Field(description="部门 · Department", examples=["一车间"])
    post: str | None = Field(description="岗位 · Post", examples=["焊工"])
    marital_status: MaritalStatus = Field(description="婚姻状况 · Marital status", examples=["married"])
    hazards: list[str] = Field(description="危害因素 · Hazards", examples=[["噪声"]])
    note: str | None = Field(description="备注 · Note", examples=[None])
    group_id: UUID | None = Field(description="分组 · Group", examples=[_ID])
    placement: Placement = Field(description="归组方式 · How placed", examples=["matched"])
    placement_reason: dict[str, list[str]] = Field(
        description="未归组原因:各分组不符之处,或同时符合的分组 · Why not placed: what each group misses, or the groups that all fit",
        examples=[{"F1": ["missing_marital_status"]}],
    )
    package_id: UUID | None = Field(description="所选套餐 · The package chosen", examples=[None])
    choice_ids: list[UUID] = Field(description="自选的组合项目 · Item groups chosen", examples=[[]])
    self_paid_ids: list[UUID] = Field(description="加项 · Item groups added on", examples=[[]])
    state: MemberState = Field(description="状态 · State", examples=["listed"])
    examinee_id: UUID | None = Field(description="受检者 · Examinee", examples=[None])
    exam_id: UUID | None = Field(description="体检 · Exam", examples=[None])
    refusal: RefusalOut | None = Field(
        description="上次预约未成的原因 · Why the last try to book failed", examples=[None]
    )
    decided_reason: str | None = Field(description="终结原因 · Why it was decided so", examples=[None])
    version: int = Field(description="版本,用于 If-Match · Version, for If-Match", examples=[1])


class NextCampaignIn(Input):
    """When the next campaign takes place."""

    name: str = Field(min_length=1, max_length=100, description="名称 · Name", examples=["桂澄机械 2027 年度体检"])
    year: Whole = Field(ge=2000, le=2099, description="年度 · Year", examples=[2027])
    starts_on: PlannedDay = Field(description="开始日期 · From", examples=["2027-03-01"])
    ends_on: PlannedDay = Field(description="结束日期 · To", examples=["2027-03-31"])
    with_members: bool = Field(
        True, description="沿用名单(终结为取消的除外) · Take over the list, but for those cancelled", examples=[True]
    )


class ReopenIn(Input):
    """Why a completed campaign is opened again; it stays in the audit trail."""

    reason: str = Field(min_length=2, max_length=200, description="原因 · Reason", examples=["补检三人"])


class TableOut(Output):
    """A table of a file."""

    name: str = Field(description="工作表 · Table", examples=["名单"])
    hidden: bool = Field(description="是否隐藏 · Hidden", examples=[False])
    has_columns: bool = Field(description="是否有名单的列 · Has the columns of a list", examples=[True])


class ImportOut(Output):
    """An import: what the file says, and what it would change or has changed."""

    id: UUID = Field(description="导入 · Import id", examples=[_ID])
    campaign_id: UUID = Field(description="团检任务 · Campaign", examples=[_ID])
    kind: Literal["xlsx", "xls", "csv"] = Field(
        description="文件类型,按内容判断 · Kind, by its content", examples=["xlsx"]
    )
    size: int = Field(description="字节数 · Bytes", examples=[48213])
    state: ImportState = Field(description="状态 · State", examples=["previewed"])
    refusal: RefusalOut | None = Field(description="不能读取的原因 · Why it could not be read", examples=[None])
    tables: list[TableOut] = Field(description="文件的工作表 · The file's tables")
    table_read: str | None = Field(description="读取的工作表 · The table that was read", examples=["名单"])
    headers: list[str] = Field(description="文件的列 · The file's columns", examples=[["姓名", "身份证号", "手机"]])
    mapping: dict[str, str] = Field(
        description="列对应:列名 → 字段 · Columns: header → field", examples=[{"姓名": "name", "身份证号": "id_number"}]
    )
    total: int = Field(description="数据行数 · Rows", examples=[200])
    added: int = Field(description="新增 · New", examples=[190])
    changed: int = Field(description="变更 · Changed", examples=[6])
    same: int = Field(description="无变化 · The same", examples=[2])
    bad: int = Field(description="错误行 · Rows with errors", examples=[2])
    job_id: UUID | None = Field(description="后台任务,见 /jobs · Its job, see /jobs", examples=[_ID])
    created_at: datetime = Field(description="上传时间 · Uploaded", examples=["2026-11-23T08:30:00+08:00"])
    committed_at: datetime | None = Field(description="导入时间 · Taken over", examples=[None])


class ImportEntryOut(BaseModel):
    """One thing to say about a row. What would change, or has changed, is said with the old and the new; numbers are masked."""

    row_no: int = Field(
        description="文件行号,从 1 起;0 表示整个文件 · Row of the file, from 1; 0: the whole file", examples=[18]
    )
    kind: Literal["error", "warning", "update"] = Field(description="类别 · Kind", examples=["error"])
    header: str = Field(description="列名或工作表名 · Column, or table", examples=["身份证号"])
    code: str = Field(description="原因代码 · Reason code", examples=["check_digit"])
    zh: str = Field(description="中文说明 · In Chinese", examples=["证件号码校验位不正确"])
    en: str = Field(description="英文说明 · In English", examples=["the check digit of the number is wrong"])
    before: str | None = Field(None, description="变更前,号码脱敏 · Before, numbers masked", examples=[None])
    after: str | None = Field(None, description="变更后,号码脱敏 · After, numbers masked", examples=[None])


class MappingIn(Input):
    """How the columns are to be read: header → field, remembered for the employer; and which table is the list, where several could be."""

    mapping: dict[
        Annotated[str, Field(max_length=100)],
        Literal[
            "name", "sex", "birth_date", "id_kind", "id_number", "phone", "employee_no", "department", "post", "marital_status",
            "hazards", "group", "note", "ignore",
        ],
    ] = Field(default_factory=dict, max_length=100, description="列名 → 字段 · Header → field", examples=[{"员工": "name"}])  # fmt: skip
    table: str | None = Field(
        None, min_length=1, max_length=60, description="读取哪张工作表 · Which table is the list", examples=["名单"]
    )


class CommitIn(Input):
    """What is taken over: everything, or nothing if a row has an error; or the valid rows."""

    mode: Literal["atomic", "valid_rows"] = Field(
        "atomic", description="整体导入或只导入有效行 · All or nothing, or valid rows", examples=["atomic"]
    )
