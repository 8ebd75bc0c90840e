"""Shapes of a quote."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from tjapi.kernel.validation import WHOLE, Day

ReasonCode = Literal["list_price", "package_share", "discount", "employer_pays", "beyond_cap", "self_paid"]
PersonSex = Literal["male", "female", "unknown"]
_ID = "0192f0c4-7b1a-7c3e-9d55-1f2e3a4b5c6d"


class ChoiceIn(BaseModel):
    """What is chosen of an option of the package."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    option_id: UUID = Field(description="可选组 · Option", examples=[_ID])
    item_group_ids: list[UUID] = Field(
        min_length=1, max_length=50, description="所选组合项目 · Item groups chosen", examples=[[_ID]]
    )


Choices = Annotated[
    list[ChoiceIn],
    Field(max_length=20, description="套餐可选项的选择 · Choices in the package", examples=[[]]),
]
Pregnant = Annotated[bool | None, Field(description="是否怀孕,未知为空 · Whether pregnant, if known", examples=[None])]


class QuoteIn(BaseModel):
    """What is to be priced: a package and/or item groups."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    package_id: UUID | None = Field(None, description="套餐 · Package", examples=[_ID])
    item_group_ids: list[UUID] = Field(
        default_factory=list, max_length=100, description="加选组合项目 · Further item groups", examples=[[]]
    )
    choices: Choices = Field(default_factory=list)
    examinee_id: UUID | None = Field(
        None, description="受检者,用于核对适用范围 · Examinee, to see what fits", examples=[None]
    )
    sex: PersonSex | None = Field(
        None, description="性别,未登记时 · Sex, of who is not registered", examples=["female"]
    )
    age_years: Annotated[int, Field(ge=0, le=150), WHOLE] | None = Field(
        None, description="年龄,未登记时 · Age, of who is not registered", examples=[34]
    )
    pregnant: Pregnant = None
    on: Day | None = Field(
        None,
        ge=date(2000, 1, 1),
        le=date(2099, 12, 31),
        description="体检日期,缺省为今天 · Day of the exam, today if absent",
        examples=["2026-12-01"],
    )


class PriceReason(BaseModel):
    """One step to a price; the amounts of a line's reasons sum to its price."""

    code: ReasonCode = Field(description="原因代码 · Reason code", examples=["package_share"])
    zh: str = Field(description="中文说明 · In Chinese", examples=["套餐「男性基础套餐」分摊"])
    en: str = Field(description="英文说明 · In English", examples=["Share of the package 男性基础套餐"])
    amount_fen: int = Field(description="对价格的影响,分 · Effect on the price, fen", examples=[-318])


class QuotedLineOut(BaseModel):
    """What one item group costs, and why."""

    item_group_id: UUID = Field(description="组合项目 · Item group", examples=[_ID])
    code: str = Field(description="代码 · Code", examples=["CBC"])
    name: str = Field(description="名称 · Name", examples=["血常规"])
    list_price_fen: int = Field(description="原价,分 · List price, fen", examples=[2000])
    price_fen: int = Field(description="价格,分 · Price, fen", examples=[1682])
    person_share_fen: int = Field(description="个人承担,分 · Paid by the person, fen", examples=[1682])
    employer_share_fen: int = Field(description="单位承担,分 · Paid by the employer, fen", examples=[0])
    reasons: list[PriceReason] = Field(description="价格由来 · How the price came about")


class ContainedOut(BaseModel):
    """An item group that was left out, because another one examines all of it: nobody pays twice."""

    item_group_id: UUID = Field(examples=[_ID])
    name: str = Field(examples=["肝功能"])
    contained_in: UUID = Field(description="包含它的组合项目 · The item group that contains it", examples=[_ID])
    zh: str = Field(examples=["肝功能 已包含在 肝功能全套 中,不重复计费"])
    en: str = Field(examples=["肝功能 is part of 肝功能全套 and not billed"])


class QuoteOut(BaseModel):
    """What it all costs: the total is the sum of the lines, to the fen."""

    lines: list[QuotedLineOut]
    contained: list[ContainedOut] = Field(description="因被包含而不计费 · Left out because contained")
    total_fen: int = Field(description="合计,分 · Total, fen", examples=[14800])
    person_fen: int = Field(description="个人承担合计,分 · Paid by the person in all, fen", examples=[14800])
    employer_fen: int = Field(description="单位承担合计,分 · Paid by the employer in all, fen", examples=[0])
