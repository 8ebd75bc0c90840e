"""The verbs of pricing: a quote."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tjapi.catalog import service as catalog
from tjapi.catalog.service import ExamPackage, ItemGroup
from tjapi.kernel.problem import FieldError
from tjapi.kernel.uow import UnitOfWork
from tjapi.pricing.errors import ItemGroupNotOffered, ItemGroupTwice, PackageNotOffered
from tjapi.pricing.rules import allocate
from tjapi.pricing.schemas import PriceReason, QuotedLineOut, QuoteOut


@dataclass(frozen=True, slots=True)
class QuotedLine:
    """What one item group costs, and why; `reasons` are PriceReason as JSON, whose amounts sum to the price."""

    item_group: ItemGroup
    list_price_fen: int
    price_fen: int
    reasons: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Quote:
    """What it all costs: package lines in the package's order, then what was added in the order asked for."""

    lines: tuple[QuotedLine, ...]

    @property
    def total_fen(self) -> int:
        """The sum of the lines."""
        return sum(line.price_fen for line in self.lines)


async def quote(uow: UnitOfWork, package_id: UUID | None, added_group_ids: Sequence[UUID]) -> Quote:
    """Price a package and added item groups.

    Raises ExamPackageNotFound, ItemGroupNotFound, PackageNotOffered, ItemGroupNotOffered, ItemGroupTwice.
    """
    package = await catalog.package(uow, package_id) if package_id is not None else None
    bundled = await catalog.package_groups(uow, package.id) if package is not None else []
    if package is not None and (not package.active or not bundled):
        raise PackageNotOffered(
            errors=[FieldError("/package_id", "not-offered", "套餐已停用或没有项目", "out of use, or empty")]
        )
    added = await catalog.item_groups(uow, added_group_ids)
    _refuse_twice(bundled, added)
    _refuse_retired(bundled, added)
    shared = _shared(package, bundled) if package is not None else []
    return Quote((*shared, *(_listed(group) for group in added)))


def _shared(package: ExamPackage, groups: Sequence[ItemGroup]) -> list[QuotedLine]:
    shares = allocate(package.price_fen, [group.price_fen for group in groups])
    zh, en = f"套餐「{package.name}」分摊", f"Share of the package {package.name}"
    return [
        QuotedLine(
            group, group.price_fen, share,
            [_list_price(group), PriceReason(code="package_share", zh=zh, en=en, amount_fen=share - group.price_fen).model_dump()],
        )
        for group, share in zip(groups, shares, strict=True)
    ]  # fmt: skip


def _listed(group: ItemGroup) -> QuotedLine:
    return QuotedLine(group, group.price_fen, group.price_fen, [_list_price(group)])


def _list_price(group: ItemGroup) -> dict[str, Any]:
    return PriceReason(code="list_price", zh="目录价", en="List price", amount_fen=group.price_fen).model_dump()


def _refuse_twice(bundled: Sequence[ItemGroup], added: Sequence[ItemGroup]) -> None:
    times = Counter(group.id for group in (*bundled, *added))
    errors = [
        FieldError(f"/item_group_ids/{i}", "twice", f"{group.name} 重复", f"{group.name} appears twice")
        for i, group in enumerate(added)
        if times[group.id] > 1
    ]
    if errors:
        raise ItemGroupTwice(errors=errors)


def _refuse_retired(bundled: Sequence[ItemGroup], added: Sequence[ItemGroup]) -> None:
    placed = [("/package_id", group) for group in bundled]
    placed += [(f"/item_group_ids/{i}", group) for i, group in enumerate(added)]
    errors = [
        FieldError(pointer, "not-offered", f"{group.name} 已停用", f"{group.name} is out of use")
        for pointer, group in placed
        if not group.active
    ]
    if errors:
        raise ItemGroupNotOffered(errors=errors)


def shape(priced: Quote) -> QuoteOut:
    """Return the public shape of a quote."""
    lines = [
        QuotedLineOut(
            item_group_id=line.item_group.id, code=line.item_group.code, name=line.item_group.name,
            list_price_fen=line.list_price_fen, price_fen=line.price_fen, reasons=[PriceReason.model_validate(reason) for reason in line.reasons],
        )
        for line in priced.lines
    ]  # fmt: skip
    return QuoteOut(lines=lines, total_fen=priced.total_fen)
