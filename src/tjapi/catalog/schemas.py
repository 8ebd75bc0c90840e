"""Shapes of the catalog, and of the starter files."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, model_validator

from tjapi.catalog.citing import Citing
from tjapi.catalog.rules import ApplicableSex, DepartmentKind, ItemKind, PerformedBy, printed_range
from tjapi.kernel.validation import WHOLE, Day, Moment, Whole

_ID = "0192f0c4-7b1a-7c3e-9d55-1f2e3a4b5c6d"
_OTHER_ID = "0192f0c4-7b1a-7c3e-9d55-1f2e3a4b5c6e"
_FROM_THE_BEGINNING = date(2000, 1, 1)


class Input(BaseModel):
    """What a client sends: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class Output(BaseModel):
    """What a row becomes."""

    model_config = ConfigDict(from_attributes=True)


class DepartmentOut(Output):
    """A department."""

    id: int = Field(description="科室编号 · Department id", examples=[4])
    code: str = Field(description="代码 · Code", examples=["LAB"])
    name: str = Field(description="名称 · Name", examples=["检验科"])
    kind: DepartmentKind = Field(description="类别 · Kind", examples=["lab"])
    sort: int = Field(description="排序 · Order", examples=[40])
    place: str | None = Field(description="地点,印在指引单上 · Where it is, as printed", examples=["五层 503"])


class DepartmentsOut(BaseModel):
    """Every department, in order."""

    items: list[DepartmentOut]


class ItemOut(Output):
    """An item: one observable."""

    id: UUID = Field(description="项目编号 · Item id", examples=[_ID])
    code: str = Field(description="代码 · Code", examples=["HGB"])
    name: str = Field(description="名称 · Name", examples=["血红蛋白"])
    kind: ItemKind = Field(description="结果类型 · Kind of result", examples=["numeric"])
    unit: str | None = Field(description="显示单位 · Unit as printed", examples=["g/L"])
    ucum: str | None = Field(description="UCUM 单位 · UCUM unit", examples=["g/L"])
    loinc: str | None = Field(description="LOINC 代码 · LOINC code", examples=["718-7"])
    decimals: int | None = Field(description="小数位数 · Decimals", examples=[0])
    choices: list[str] | None = Field(description="可选值 · Values to choose from", examples=[None])
    normal_default: str | None = Field(description="缺省正常值 · Default when normal", examples=[None])
    sort: int = Field(description="排序 · Order", examples=[130])
    active: bool = Field(description="是否启用 · In use", examples=[True])
    judged: bool = Field(
        description="是否需判定正常异常,否则无参考区间时不追问 · Whether a value is to be normal or abnormal",
        examples=[True],
    )
    laboratory_first: bool | None = Field(
        description="检验科区间优先;空为按院区 · The laboratory's range goes first; null: as the campus has it",
        examples=[None],
    )
    plausible_low: Decimal | None = Field(
        description="合理下限,低于此值须核实 · Below it a value is asked back", examples=["10"]
    )
    plausible_high: Decimal | None = Field(
        description="合理上限,高于此值须核实 · Above it a value is asked back", examples=["300"]
    )
    delta_percent: int | None = Field(
        description="与上次体检相差超过此百分比须核实 · Asked back when it differs from the last exam by more",
        examples=[50],
    )
    private: bool = Field(
        description="私密项目:须知情同意,另出密封报告 · Private: needs consent, told in a report of its own",
        examples=[False],
    )


class RangePolicyIn(Input):
    """Which range goes first at a campus, where an item does not say so itself."""

    laboratory_first: bool = Field(description="检验科区间优先 · The laboratory's range goes first", examples=[True])


class RangePolicyOut(BaseModel):
    """Which range goes first at a campus."""

    campus_id: int = Field(examples=[1])
    laboratory_first: bool = Field(examples=[False])
    changed_at: datetime | None = Field(description="空为从未改过 · null: never changed", examples=[None])


class RangePoliciesOut(BaseModel):
    """Which range goes first at each campus that may be seen."""

    items: list[RangePolicyOut]


class ItemRangeOut(Citing, Output):
    """A reference range. Bounds are inclusive; numbers are strings, so that no digit is lost."""

    @model_validator(mode="after")
    def _as_judged(self) -> Self:
        self.__dict__["text"] = printed_range(self.low, self.high, self.text)
        return self

    id: UUID = Field(description="参考区间编号 · Range id", examples=[_ID])
    sex: ApplicableSex = Field(description="适用性别 · Sex", examples=["male"])
    age_from: str | None = Field(
        description="起始年龄,含,按周岁、整月、周或天 · From this age by the calendar, inclusive: d days, w weeks, m months, y years",
        examples=["18y"],
    )
    age_to: str | None = Field(
        description="截止年龄,含;59y 至六十岁生日前一天 · To this age, inclusive: 59y until the day before the sixtieth birthday",
        examples=[None],
    )
    age_from_days: int | None = Field(description="起始日龄,约数 · About the same in days", examples=[6574])
    age_to_days: int | None = Field(description="截止日龄,约数 · About the same in days", examples=[None])
    method: str = Field(description="方法,空为不限 · Method, empty for any", examples=[""])
    pregnant: bool = Field(
        description="仅适用于孕妇 · Only for who is pregnant",
        examples=[False],
    )
    low: Decimal | None = Field(description="下限,含 · Low, inclusive", examples=["130"])
    high: Decimal | None = Field(description="上限,含 · High, inclusive", examples=["175"])
    critical_low: Decimal | None = Field(description="危急值下限,达到即危急 · Critical at or below", examples=["50"])
    critical_high: Decimal | None = Field(description="危急值上限,达到即危急 · Critical at or above", examples=["200"])
    normal_texts: list[str] | None = Field(description="正常的文字结果 · Texts that are normal", examples=[None])
    text: str = Field(description="打印用参考区间 · As printed", examples=["130–175"])
    source: str = Field(description="来源 · Source", examples=["WS/T 405-2012"])
    critical_source: str | None = Field(
        description="危急值来源 · Source of the critical bounds", examples=["domain defaults"]
    )
    verified: bool = Field(description="是否已对照原文核实 · Checked against the source", examples=[False])
    valid_from: date = Field(description="生效日期 · Valid from", examples=["2012-12-25"])
    valid_to: date | None = Field(description="失效日期,含 · Valid to, inclusive", examples=[None])


class ItemDetail(ItemOut):
    """An item with its reference ranges."""

    ranges: list[ItemRangeOut]


class ItemGroupOut(Output):
    """An item group: what is ordered and priced."""

    id: UUID = Field(description="组合项目编号 · Item group id", examples=[_ID])
    code: str = Field(description="代码 · Code", examples=["CBC"])
    name: str = Field(description="名称 · Name", examples=["血常规"])
    department_id: int = Field(description="科室编号 · Department id", examples=[4])
    price_fen: int = Field(description="原价,分 · List price, fen", examples=[2000])
    specimen: str | None = Field(description="标本 · Specimen", examples=["whole_blood"])
    container: str | None = Field(description="容器 · Container", examples=["EDTA-2"])
    fasting: bool = Field(description="是否空腹 · Fasting", examples=[False])
    section: str | None = Field(description="检验组 · Section of the laboratory", examples=["chemistry"])
    minutes_after: int | None = Field(
        description="餐后(负荷后)采集时间,分钟 · Minutes after the meal or the load", examples=[None]
    )
    send_out: bool = Field(description="是否外送 · Sent to another laboratory", examples=[False])
    groups_per_tube: int | None = Field(description="每管最多项目数 · Most groups in one tube", examples=[None])
    precaution: str | None = Field(description="注意事项 · What the examinee is told", examples=["憋尿"])
    performed_by: PerformedBy = Field(description="执行方 · Performed by", examples=["lis"])
    sex: ApplicableSex = Field(description="适用性别 · For which sex", examples=["any"])
    resource: str | None = Field(description="占用的预约资源 · Resource that a booking takes", examples=[None])
    age_from_years: int | None = Field(description="适用年龄起,含 · From this age, inclusive", examples=[18])
    age_to_years: int | None = Field(description="适用年龄止,含 · To this age, inclusive", examples=[None])
    not_when_pregnant: bool = Field(description="孕期禁忌 · Not for who is pregnant", examples=[False])
    version: int = Field(examples=[1])
    sort: int = Field(description="排序 · Order", examples=[40])
    active: bool = Field(description="是否启用 · In use", examples=[True])


class ExclusionOut(BaseModel):
    """An item group that may not be ordered beside, and why."""

    item_group_id: UUID = Field(examples=[_ID])
    name: str = Field(examples=["胸部低剂量CT"])
    reason: str = Field(examples=["胸部 CT 已包含胸片所见"])


class ItemGroupDetail(ItemGroupOut):
    """An item group with its items, in order, and what it may not be ordered with."""

    items: list[ItemOut]
    exclusions: list[ExclusionOut]


class ExamPackageOut(Output):
    """A package: item groups at one fixed price."""

    id: UUID = Field(description="套餐编号 · Package id", examples=[_ID])
    code: str = Field(description="代码 · Code", examples=["BASIC-M"])
    name: str = Field(description="名称 · Name", examples=["男性基础套餐"])
    sex: ApplicableSex = Field(description="适用性别 · For which sex", examples=["male"])
    price_fen: int = Field(description="套餐价,分 · Price, fen", examples=[19800])
    edition: int = Field(description="版本 · Edition", examples=[1])
    valid_from: date | None = Field(description="生效日期 · Valid from", examples=["2026-01-01"])
    valid_to: date | None = Field(description="失效日期,含 · Valid to, inclusive", examples=[None])
    active: bool = Field(description="是否启用 · In use", examples=[True])


class PackageOptionOut(BaseModel):
    """Of these item groups exactly `choose` are chosen."""

    id: UUID = Field(description="可选组编号 · Option id", examples=[_ID])
    name: str = Field(examples=["超声三选二"])
    choose: int = Field(description="选择个数 · How many are chosen", examples=[2])
    groups: list[ItemGroupOut]


class ExamPackageDetail(ExamPackageOut):
    """A package with its item groups and their items, in order, and what is to be chosen."""

    groups: list[ItemGroupDetail]
    options: list[PackageOptionOut]


Years = Annotated[int, Field(ge=0, le=150), WHOLE]
ResourceCode = Annotated[str, Field(pattern=r"^[A-Z0-9][A-Z0-9_-]*$", max_length=40)]


class SuitabilityIn(Input):
    """For whom an item group is, and what a booking of it takes."""

    sex: ApplicableSex = Field("any", description="适用性别 · For which sex", examples=["any"])
    age_from_years: Years | None = Field(None, description="适用年龄起,含 · From this age", examples=[18])
    age_to_years: Years | None = Field(None, description="适用年龄止,含 · To this age", examples=[None])
    not_when_pregnant: bool = Field(False, description="孕期禁忌 · Not for who is pregnant", examples=[True])
    resource: ResourceCode | None = Field(
        None, description="占用的预约资源 · Resource that a booking takes", examples=["CT"]
    )


class ItemGroupIn(SuitabilityIn):
    """A new item group."""

    code: Annotated[str, Field(pattern=r"^[A-Z0-9][A-Z0-9_-]*$", max_length=40)] = Field(
        description="代码 · Code", examples=["CT-KNEE"]
    )
    name: str = Field(min_length=1, max_length=80, description="名称 · Name", examples=["膝关节CT"])
    department_id: Whole = Field(ge=1, le=32_000, description="科室编号 · Department id", examples=[4])
    price_fen: Whole = Field(ge=0, le=100_000_000, description="原价,分 · List price, fen", examples=[22000])
    specimen: str | None = Field(
        None, pattern=r"^[a-z_]+$", max_length=40, description="标本 · Specimen", examples=[None]
    )
    container: str | None = Field(
        None, min_length=1, max_length=40, description="容器,送检项目必填 · Container", examples=[None]
    )
    fasting: bool = Field(False, description="是否空腹 · Fasting", examples=[False])
    performed_by: PerformedBy = Field(description="执行方 · Performed by", examples=["department"])
    sort: Whole = Field(ge=0, le=1_000_000, description="排序 · Order", examples=[930])
    item_ids: list[UUID] = Field(
        min_length=1, max_length=200, description="明细项目,按打印顺序 · Items, in printing order", examples=[[_ID]]
    )


class ItemGroupPatch(Input):
    """What changes of an item group; what is not named stays. An exam that has it keeps what it had."""

    name: str = Field("", max_length=80, description="名称 · Name", examples=["膝关节CT"])
    price_fen: Annotated[int, Field(ge=0, le=100_000_000), WHOLE] | None = Field(
        None, description="原价,分 · List price, fen", examples=[22000]
    )
    active: bool | None = Field(None, description="是否启用 · In use", examples=[True])
    suitability: SuitabilityIn | None = Field(None, description="适用范围与预约资源,整体替换 · Replaces all of it")


class ExclusionIn(Input):
    """An item group that may not be ordered beside, and why."""

    item_group_id: UUID = Field(description="组合项目 · Item group", examples=[_ID])
    reason: str = Field(min_length=1, max_length=100, description="原因 · Reason", examples=["胸部 CT 已包含胸片所见"])


class ExclusionsIn(Input):
    """Everything that an item group may not be ordered with."""

    exclusions: list[ExclusionIn] = Field(max_length=100)


class PackageOptionIn(Input):
    """Of these item groups exactly `choose` are chosen."""

    name: str = Field(min_length=1, max_length=40, description="名称 · Name", examples=["超声三选二"])
    choose: Whole = Field(ge=1, le=50, description="选择个数 · How many are chosen", examples=[2])
    item_group_ids: list[UUID] = Field(
        min_length=2, max_length=50, description="组合项目 · Item groups", examples=[[_ID, _ID[:-1] + "e"]]
    )


class ExamPackageIn(Input):
    """A package, or the next edition of one: it succeeds the one before it on its first day."""

    code: Annotated[str, Field(pattern=r"^[A-Z0-9][A-Z0-9_-]*$", max_length=40)] = Field(
        description="代码 · Code", examples=["BASIC-M"]
    )
    name: str = Field(min_length=1, max_length=80, description="名称 · Name", examples=["男性基础套餐"])
    sex: ApplicableSex = Field(description="适用性别 · For which sex", examples=["male"])
    price_fen: Whole = Field(ge=0, le=100_000_000, description="套餐价,分 · Price, fen", examples=[19800])
    valid_from: Day = Field(
        ge=date(2000, 1, 1), le=date(2099, 12, 31), description="生效日期 · Valid from", examples=["2027-01-01"]
    )
    valid_to: Day | None = Field(
        None,
        ge=date(2000, 1, 1),
        le=date(2099, 12, 31),
        description="失效日期,含 · Valid to, inclusive",
        examples=[None],
    )
    item_group_ids: list[UUID] = Field(
        min_length=1, max_length=200, description="必含组合项目 · Item groups it always holds", examples=[[_ID]]
    )
    options: list[PackageOptionIn] = Field(default_factory=list, max_length=20)


class PackageCopyIn(Input):
    """A package like another one, under a code of its own."""

    code: Annotated[str, Field(pattern=r"^[A-Z0-9][A-Z0-9_-]*$", max_length=40)] = Field(
        description="新代码 · Its code", examples=["BASIC-M-2027"]
    )
    name: str = Field(min_length=1, max_length=80, description="名称 · Name", examples=["男性基础套餐(2027)"])
    price_fen: Annotated[int, Field(ge=0, le=100_000_000), WHOLE] | None = Field(
        None, description="套餐价,缺省不变,分 · Price, the same if absent, fen", examples=[None]
    )
    valid_from: Day = Field(
        ge=date(2000, 1, 1), le=date(2099, 12, 31), description="生效日期 · Valid from", examples=["2027-01-01"]
    )
    valid_to: Day | None = Field(
        None, ge=date(2000, 1, 1), le=date(2099, 12, 31), description="失效日期,含 · Valid to, inclusive", examples=[None]
    )  # fmt: skip


FileNumber = Annotated[str, Field(pattern=r"^-?[0-9]{1,12}(\.[0-9]{1,10})?$", max_length=24)]
"""A number as text, so that no digit is lost."""
FileCode = Annotated[str, Field(pattern=r"^[A-Z0-9][A-Z0-9_-]*$", max_length=40)]


class FileItem(Input):
    """An item in a catalog file; what it measures, by `kind` and `unit`, is never changed by a file."""

    code: FileCode = Field(examples=["HGB"])
    name: str = Field(min_length=1, max_length=80, examples=["血红蛋白"])
    kind: ItemKind = Field(examples=["numeric"])
    unit: str | None = Field(None, max_length=40, examples=["g/L"])
    ucum: str | None = Field(None, max_length=40, examples=["g/L"])
    loinc: str | None = Field(None, pattern=r"^[0-9]{1,7}-[0-9]$", examples=["718-7"])
    decimals: Annotated[int, Field(ge=0, le=6), WHOLE] | None = Field(None, examples=[0])
    choices: list[Annotated[str, Field(min_length=1, max_length=200)]] | None = Field(
        None, max_length=100, examples=[None]
    )
    normal_default: str | None = Field(None, max_length=200, examples=[None])
    sort: Whole = Field(ge=0, le=1_000_000, examples=[130])
    active: bool = Field(True, examples=[True])
    judged: bool = Field(True, examples=[True])
    laboratory_first: bool | None = Field(None, examples=[None])
    plausible_low: FileNumber | None = Field(None, examples=["10"])
    plausible_high: FileNumber | None = Field(None, examples=["300"])
    delta_percent: Annotated[int, Field(ge=1, le=10_000), WHOLE] | None = Field(None, examples=[50])
    private: bool | None = Field(None, examples=[False])


class FileExclusion(Input):
    """An item group that may not be ordered beside, and why."""

    code: FileCode = Field(examples=["CT-CHEST"])
    reason: str = Field(min_length=1, max_length=100, examples=["胸部 CT 已包含胸片所见"])


class FileGroup(SuitabilityIn):
    """An item group in a catalog file; the items of one that is known are never changed by a file."""

    code: FileCode = Field(examples=["CBC"])
    name: str = Field(min_length=1, max_length=80, examples=["血常规"])
    department: FileCode = Field(description="科室代码 · Code of the department", examples=["LAB"])
    price_fen: Whole = Field(ge=0, le=100_000_000, examples=[2000])
    specimen: str | None = Field(None, pattern=r"^[a-z_]+$", max_length=40, examples=["whole_blood"])
    container: str | None = Field(None, min_length=1, max_length=40, examples=["EDTA-2"])
    fasting: bool = Field(False, examples=[False])
    section: str | None = Field(None, pattern=r"^[a-z_]{1,20}$", examples=["haematology"])
    minutes_after: Annotated[int, Field(ge=1, le=1_440), WHOLE] | None = Field(None, examples=[None])
    send_out: bool = Field(False, examples=[False])
    groups_per_tube: Annotated[int, Field(ge=1, le=100), WHOLE] | None = Field(None, examples=[None])
    precaution: str | None = Field(None, min_length=1, max_length=200, examples=[None])
    performed_by: PerformedBy = Field(examples=["lis"])
    sort: Whole = Field(ge=0, le=1_000_000, examples=[40])
    active: bool = Field(True, examples=[True])
    items: list[FileCode] = Field(min_length=1, max_length=200, examples=[["HGB"]])
    excludes: list[FileExclusion] = Field(default_factory=list, max_length=100)


class FileOption(Input):
    """Of these item groups exactly `choose` are chosen."""

    name: str = Field(min_length=1, max_length=40, examples=["超声三选二"])
    choose: Whole = Field(ge=1, le=50, examples=[2])
    groups: list[FileCode] = Field(min_length=2, max_length=50, examples=[["US-ABD", "US-THYROID"]])


class FilePackage(Input):
    """The latest edition of a package in a catalog file; one that differs from what is known becomes the next edition."""

    code: Annotated[str, Field(pattern=r"^[A-Z0-9][A-Z0-9_-]*$", max_length=40)] = Field(examples=["BASIC-M"])
    name: str = Field(min_length=1, max_length=80, examples=["男性基础套餐"])
    sex: ApplicableSex = Field(examples=["male"])
    price_fen: Whole = Field(ge=0, le=100_000_000, examples=[19800])
    valid_from: Day | None = Field(None, ge=date(2000, 1, 1), le=date(2099, 12, 31), examples=["2027-01-01"])
    valid_to: Day | None = Field(None, ge=date(2000, 1, 1), le=date(2099, 12, 31), examples=[None])
    groups: list[FileCode] = Field(min_length=1, max_length=200, examples=[["CBC"]])
    options: list[FileOption] = Field(default_factory=list, max_length=20)


class CatalogFile(Input):
    """Items, item groups and packages by their codes, so that they can be taken to another hospital. Reference ranges travel not."""

    format: Literal["tjapi-catalog"] = Field(examples=["tjapi-catalog"])
    version: Whole = Field(ge=1, le=1, description="文件格式版本 · Version of the format", examples=[1])
    exported_at: Moment | None = Field(None, examples=["2026-11-27T08:30:00+08:00"])
    items: list[FileItem] = Field(default_factory=list, max_length=5_000)
    item_groups: list[FileGroup] = Field(default_factory=list, max_length=2_000)
    packages: list[FilePackage] = Field(default_factory=list, max_length=500)


class CatalogImportIn(Input):
    """A file, and whether it is taken over or only looked at."""

    file: CatalogFile
    commit: bool = Field(False, description="否:只预览 · False: say only what would change", examples=[False])


class CatalogChange(BaseModel):
    """A row of a file that is new or changes something."""

    kind: Literal["item", "item_group", "package"] = Field(examples=["item_group"])
    code: str = Field(examples=["CBC"])
    change: Literal["added", "changed", "new_edition"] = Field(examples=["changed"])
    fields: list[str] = Field(description="变化的字段 · What differs", examples=[["price_fen"]])


class CatalogImportOut(BaseModel):
    """What a file changes, or would change."""

    committed: bool = Field(examples=[False])
    same: int = Field(description="无变化的行数 · Rows that change nothing", examples=[412])
    changes: list[CatalogChange]


class ExternalCodeIn(Input):
    """To which item a code leads."""

    item_id: UUID = Field(description="项目编号 · Item id", examples=[_ID])


class ExternalCodeOut(Output):
    """What another system calls an item."""

    system: str = Field(description="外部系统 · The other system", examples=["lis"])
    code: str = Field(description="外部代码 · Its code", examples=["HGB"])
    item_id: UUID = Field(description="项目编号 · Item id", examples=[_ID])


class OutsideLabIn(Input):
    """A laboratory to which specimens are sent."""

    name: str = Field(min_length=1, max_length=80, description="名称 · Name", examples=["桂海医学检验所"])
    active: bool = Field(True, description="是否启用 · In use", examples=[True])


class OutsideLabOut(Output):
    """A laboratory to which specimens are sent."""

    id: UUID = Field(examples=[_ID])
    code: str = Field(description="代码 · Code", examples=["GHYJ"])
    name: str = Field(description="名称 · Name", examples=["桂海医学检验所"])
    active: bool = Field(description="是否启用 · In use", examples=[True])


class OutsideLabsOut(BaseModel):
    """Every outside laboratory, by code."""

    items: list[OutsideLabOut]


class StarterOut(BaseModel):
    """How many rows of each table the starter content names."""

    departments: int
    items: int
    ranges: int
    units: int
    item_groups: int
    packages: int


Age = Annotated[str, Field(pattern=r"^[0-9]{1,3}[dwmy]$")]
Code = Annotated[str, Field(pattern=r"^[A-Z0-9][A-Z0-9_-]*$", max_length=40)]


Bound = Annotated[
    Decimal,
    Field(max_digits=24, decimal_places=10),
    WithJsonSchema({"type": "string", "pattern": r"^-?[0-9]{1,12}(\.[0-9]{1,10})?$", "maxLength": 24}),
]
"""A bound of a range, as text in JSON, so that no digit is lost."""


class RangeBody(Citing, Input):
    """What a reference range says, and for whom; `age_to = "59y"` lasts until the sixtieth birthday."""

    sex: ApplicableSex = "any"
    age_from: Age | None = None
    age_to: Age | None = None
    method: str = Field("", max_length=40)
    pregnant: bool = False
    low: Bound | None = None
    high: Bound | None = None
    critical_low: Bound | None = None
    critical_high: Bound | None = None
    normal_texts: list[Annotated[str, Field(max_length=200)]] | None = Field(None, max_length=100)
    text: str = Field("", max_length=80)
    source: str = Field(min_length=1, max_length=200)
    critical_source: str | None = Field(None, max_length=200)
    verified: bool = False

    @model_validator(mode="after")
    def _as_judged(self) -> Self:
        """What is printed of bounds is the bounds; a free text beside them would be a second range."""
        self.__dict__["text"] = printed_range(self.low, self.high, self.text)
        return self


class StarterRange(RangeBody):
    """A reference range in a starter file."""

    valid_from: date = _FROM_THE_BEGINNING
    valid_to: date | None = None


class RangeIn(RangeBody):
    """A reference range of an edition: it takes the place of the one for the same people. `withdrawn`: nothing takes its place."""

    item: Code = Field(description="项目代码 · Item", examples=["CREA"])
    withdrawn: bool = Field(False, description="停用 · Holds no more", examples=[False])

    @property
    def key(self) -> str:
        """For whom it is."""
        return self.key_of(self.item, self)

    @staticmethod
    def key_of(item: str, row: Any) -> str:
        """Return for whom a range is, whatever holds it."""
        said = (item, row.sex, row.age_from or "", row.age_to or "", row.method, "pregnant" if row.pregnant else "")
        return "|".join(said)

    @classmethod
    def of(cls, item: str, row: Any) -> "RangeIn":
        """Return a range that is kept as an edition would say it."""
        return cls.model_validate({name: getattr(row, name) for name in RangeBody.model_fields} | {"item": item})


class StarterItem(Input):
    """An item in a starter file."""

    code: Code
    name: str = Field(min_length=1, max_length=80)
    kind: ItemKind
    unit: str | None = Field(None, max_length=40)
    ucum: str | None = Field(None, max_length=40)
    loinc: str | None = Field(None, pattern=r"^[0-9]{1,7}-[0-9]$")
    decimals: int | None = Field(None, ge=0, le=6)
    choices: list[str] | None = None
    normal_default: str | None = Field(None, max_length=200)
    sort: int
    ranges: list[StarterRange] = Field(default_factory=list)


class StarterLimit(Input):
    """When a value of an item in a starter file is asked about; see the columns of `item`."""

    item: Code
    judged: bool = True
    laboratory_first: bool | None = None
    plausible_low: Decimal | None = None
    plausible_high: Decimal | None = None
    delta_percent: int | None = Field(None, gt=0)
    source: str = Field(min_length=1, max_length=200)
    verified: bool = False


class StarterUnit(Input):
    """Another unit of an item in a starter file: ours = theirs × factor + addend."""

    item: Code
    unit: str = Field(min_length=1, max_length=40)
    factor: Decimal = Field(gt=0)
    addend: Decimal = Decimal(0)
    source: str = Field(min_length=1, max_length=200)
    verified: bool = False


class StarterDepartment(Input):
    """A department in a starter file."""

    id: int = Field(ge=1, le=32_000)
    code: Code
    name: str = Field(min_length=1, max_length=80)
    kind: DepartmentKind
    sort: int


class StarterGroup(Input):
    """An item group in a starter file, naming its items by code, in order."""

    code: Code
    name: str = Field(min_length=1, max_length=80)
    department: Code
    price_fen: int = Field(ge=0)
    specimen: str | None = Field(None, pattern=r"^[a-z_]+$")
    container: str | None = Field(None, max_length=40)
    fasting: bool = False
    section: str | None = Field(None, pattern=r"^[a-z_]+$", max_length=20)
    minutes_after: int | None = Field(None, ge=1, le=1440)
    send_out: bool = False
    groups_per_tube: int | None = Field(None, ge=1, le=50)
    precaution: str | None = Field(None, min_length=1, max_length=40)
    performed_by: PerformedBy
    sex: ApplicableSex = "any"
    resource: Code | None = None
    age_from_years: int | None = Field(None, ge=0, le=150)
    age_to_years: int | None = Field(None, ge=0, le=150)
    not_when_pregnant: bool = False
    sort: int
    items: list[Code] = Field(min_length=1)


class StarterPackage(Input):
    """A package in a starter file, naming its item groups by code, in order."""

    code: Code
    name: str = Field(min_length=1, max_length=80)
    sex: ApplicableSex
    price_fen: int = Field(ge=0)
    groups: list[Code] = Field(min_length=1)


class StarterExclusion(Input):
    """Two item groups that nobody orders together."""

    groups: list[Code] = Field(min_length=2, max_length=2)
    reason: str = Field(min_length=1, max_length=100)


class Starter(Input):
    """Everything the starter files hold."""

    departments: list[StarterDepartment]
    items: list[StarterItem]
    units: list[StarterUnit] = Field(default_factory=list)
    limits: list[StarterLimit] = Field(default_factory=list)
    item_groups: list[StarterGroup]
    packages: list[StarterPackage]
    exclusions: list[StarterExclusion] = Field(default_factory=list)
    private: list[Code] = Field(default_factory=list)
    """The items that are private."""

    @model_validator(mode="after")
    def _hangs_together(self) -> "Starter":
        """Codes are unique, whatever is named exists, and no package holds a group that does not fit its sex."""
        faults = [
            *self._twice(),
            *self._of_items(),
            *self._of_units(),
            *self._of_limits(),
            *self._of_groups(),
            *self._of_packages(),
        ]
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def _twice(self) -> list[str]:
        kinds: dict[str, Sequence[Any]] = {
            "items": self.items,
            "item_groups": self.item_groups,
            "packages": self.packages,
            "departments": self.departments,
        }
        return [
            f"{kind}/{code}: twice"
            for kind, rows in kinds.items()
            for code, times in Counter([row.code for row in rows]).items()
            if times > 1
        ]

    def _of_items(self) -> list[str]:
        choosing = [i for i in self.items if i.kind in ("enumerated", "multi_select")]
        return [f"items/{i.code}/choices: none to choose from" for i in choosing if not i.choices] + [
            f"items/{i.code}/normal_default: is none of the choices"
            for i in self.items
            if i.normal_default and i.choices and i.normal_default not in i.choices
        ]

    def _of_limits(self) -> list[str]:
        codes = {i.code for i in self.items}
        times = Counter(limit.item for limit in self.limits)
        strange = [f"private/{code}: no such item" for code in self.private if code not in codes]
        return (
            strange
            + [f"limits/{code}: no such item" for code in times.keys() - codes]
            + [f"limits/{code}: twice" for code, n in times.items() if n > 1]
        )

    def _of_units(self) -> list[str]:
        units = {i.code: i.unit for i in self.items}
        times = Counter((u.item, u.unit) for u in self.units)
        return (
            [f"units/{item}/{unit}: twice" for (item, unit), n in times.items() if n > 1]
            + [f"units/{u.item}/{u.unit}: no item {u.item}" for u in self.units if u.item not in units]
            + [f"units/{u.item}/{u.unit}: is the item's own" for u in self.units if units.get(u.item) == u.unit]
        )

    def _of_groups(self) -> list[str]:
        items, departments = {i.code for i in self.items}, {d.code for d in self.departments}
        return (
            [
                f"item_groups/{g.code}/items: no item {code}"
                for g in self.item_groups
                for code in g.items
                if code not in items
            ]
            + [
                f"item_groups/{g.code}/department: no {g.department}"
                for g in self.item_groups
                if g.department not in departments
            ]
            + [
                f"item_groups/{g.code}/container: what the LIS does needs one, what a department does has none"
                for g in self.item_groups
                if (g.container is None) == (g.performed_by == "lis")
            ]
        )

    def _of_packages(self) -> list[str]:
        groups = {g.code: g for g in self.item_groups}
        held = [(p, code) for p in self.packages for code in p.groups]
        return [f"packages/{p.code}/groups: no item group {code}" for p, code in held if code not in groups] + [
            f"packages/{p.code}/groups: {code} does not fit its sex"
            for p, code in held
            if code in groups and groups[code].sex not in ("any", p.sex)
        ]


Row = dict[str, Any]
"""A row as it is written: column → value."""
