"""Shapes of a quote."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

ReasonCode = Literal["list_price", "package_share"]
_ID = "0192f0c4-7b1a-7c3e-9d55-1f2e3a4b5c6d"


class QuoteIn(BaseModel):
    """What is to be priced: a package and/or item groups."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    package_id: UUID | None = Field(None, description="套餐 · Package", examples=[_ID])
    item_group_ids: list[UUID] = Field(
        default_factory=list, max_length=100, description="加选组合项目 · Further item groups", examples=[[]]
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
    reasons: list[PriceReason] = Field(description="价格由来 · How the price came about")


class QuoteOut(BaseModel):
    """What it all costs: the total is the sum of the lines, to the fen."""

    lines: list[QuotedLineOut]
    total_fen: int = Field(description="合计,分 · Total, fen", examples=[14800])
