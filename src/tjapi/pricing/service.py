"""The verbs of pricing: a quote."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from tjapi.catalog import service as catalog
from tjapi.catalog.service import ExamPackage, ItemGroup, PackageOption
from tjapi.examinee import service as examinees
from tjapi.kernel.clock import business_day
from tjapi.kernel.problem import FieldError
from tjapi.kernel.uow import UnitOfWork
from tjapi.pricing.errors import (
    ItemGroupContained,
    ItemGroupNotForSex,
    ItemGroupNotOffered,
    ItemGroupsExclude,
    ItemGroupTwice,
    ItemGroupUnsuitable,
    PackageChoiceInvalid,
    PackageNotOffered,
)
from tjapi.pricing.rules import Misfit, Person, allocate, contained, misfits
from tjapi.pricing.schemas import ChoiceIn, ContainedOut, PriceReason, QuotedLineOut, QuoteIn, QuoteOut


@dataclass(frozen=True, slots=True)
class QuotedLine:
    """What one item group costs, and why; `reasons` are PriceReason as JSON, whose amounts sum to the price.

    `pointer` is where in the request it was asked for.
    """

    item_group: ItemGroup
    list_price_fen: int
    price_fen: int
    reasons: list[dict[str, Any]]
    pointer: str = "/package_id"


@dataclass(frozen=True, slots=True)
class Contained:
    """An item group that was left out, because another one that is ordered examines all of it."""

    item_group: ItemGroup
    within: ItemGroup


@dataclass(frozen=True, slots=True)
class Quote:
    """What it all costs: package lines in the package's order, then what was added in the order asked for."""

    lines: tuple[QuotedLine, ...]
    contained: tuple[Contained, ...] = ()

    @property
    def total_fen(self) -> int:
        """The sum of the lines."""
        return sum(line.price_fen for line in self.lines)


async def quote(
    uow: UnitOfWork, package_id: UUID | None, added_group_ids: Sequence[UUID], *, choices: Sequence[ChoiceIn] = (),
    person: Person | None = None, on: date | None = None, beside: Collection[UUID] = (),
) -> Quote:  # fmt: skip
    """Say what is ordered and what it costs: the package with what was chosen in it, and what was added.

    What another group examines wholly is left out and said to be: of what was added nothing is charged, of what the package holds its
    share is given back where an added group examines it. `beside` is what the exam has already. `person` None, or facts of them that are
    not known, refuse nothing. Raises ExamPackageNotFound, ItemGroupNotFound, PackageNotOffered, PackageChoiceInvalid, ItemGroupNotOffered,
    ItemGroupTwice, ItemGroupContained, ItemGroupsExclude, ItemGroupUnsuitable, ItemGroupNotForSex.
    """
    package = await catalog.package(uow, package_id) if package_id is not None else None
    bundled = await _bundled(uow, package, choices, on or business_day(uow.now))
    added = await catalog.item_groups(uow, added_group_ids)
    _refuse_twice([group for _, group in bundled], added)
    asked = [*bundled, *((f"/item_group_ids/{i}", group) for i, group in enumerate(added))]
    _refuse_retired(asked)
    there = await catalog.item_groups(
        uow, [group_id for group_id in beside if group_id not in {g.id for _, g in asked}]
    )
    lines, left_out = await _resolved(uow, package, bundled, asked, there)
    await _refuse_exclusions(uow, lines, there)
    _refuse_misfits(lines, person or Person())
    return Quote(tuple(lines), tuple(left_out))


async def ask(uow: UnitOfWork, asked: QuoteIn) -> Quote:
    """Answer a quote for somebody registered, for somebody described, or for nobody in particular. Raises what `quote` raises, ExamineeNotFound."""
    on = asked.on or business_day(uow.now)
    person = Person(asked.sex, asked.age_years, asked.pregnant)
    if asked.examinee_id is not None:
        known = await examinees.get(uow, asked.examinee_id)
        birth = known.birth_date
        years = on.year - birth.year - ((on.month, on.day) < (birth.month, birth.day))
        person = Person(known.sex, years, asked.pregnant)
    return await quote(uow, asked.package_id, asked.item_group_ids, choices=asked.choices, person=person, on=on)


async def _bundled(
    uow: UnitOfWork, package: ExamPackage | None, choices: Sequence[ChoiceIn], on: date
) -> list[tuple[str, ItemGroup]]:
    """Return what the package holds and what was chosen in it, each with where it was asked for."""
    if package is None:
        if choices:
            raise PackageChoiceInvalid(
                errors=[FieldError("/choices", "no-package", "没有选择套餐", "there is no package")]
            )
        return []
    fixed = [("/package_id", group) for group in await catalog.package_groups(uow, package.id)]
    if not package.active or not fixed:
        raise PackageNotOffered(
            errors=[FieldError("/package_id", "not-offered", "套餐已停用或没有项目", "out of use, or empty")]
        )
    if (package.valid_from and on < package.valid_from) or (package.valid_to and on > package.valid_to):
        zh = f"套餐有效期 {package.valid_from or ''} 至 {package.valid_to or ''}"
        en = f"valid from {package.valid_from or ''} to {package.valid_to or ''}"
        raise PackageNotOffered(errors=[FieldError("/package_id", "not-valid", zh, en)])
    return fixed + _chosen(await catalog.package_options(uow, package.id), choices)


def _chosen(options: Sequence[PackageOption], choices: Sequence[ChoiceIn]) -> list[tuple[str, ItemGroup]]:
    errors, chosen = [], []
    by_option: dict[UUID, tuple[int, ChoiceIn]] = {}
    for k, choice in enumerate(choices):
        if choice.option_id in by_option or all(o.id != choice.option_id for o in options):
            errors.append(
                FieldError(
                    f"/choices/{k}/option_id",
                    "unknown",
                    "套餐没有这个可选组,或重复",
                    "no such option of the package, or twice",
                )
            )
        by_option[choice.option_id] = (k, choice)
    for option in options:
        answer = by_option.get(option.id)
        k, picked = (answer[0], answer[1].item_group_ids) if answer is not None else (0, [])
        members = {group.id: group for group in option.groups}
        if len(picked) != option.choose or len(set(picked)) != len(picked):
            pointer = f"/choices/{k}/item_group_ids" if answer is not None else "/choices"
            zh = f"「{option.name}」须从 {len(members)} 项中选 {option.choose} 项"
            errors.append(FieldError(pointer, "choose", zh, f"{option.name}: choose {option.choose} of {len(members)}"))
        for i, group_id in enumerate(picked):
            pointer = f"/choices/{k}/item_group_ids/{i}"
            if group_id in members:
                chosen.append((pointer, members[group_id]))
            else:
                errors.append(
                    FieldError(pointer, "not-in-option", f"不在「{option.name}」中", f"is not in {option.name}")
                )
    if errors:
        raise PackageChoiceInvalid(errors=errors)
    return chosen


async def _resolved(
    uow: UnitOfWork, package: ExamPackage | None, bundled: Sequence[tuple[str, ItemGroup]], asked: Sequence[tuple[str, ItemGroup]],
    there: Sequence[ItemGroup],
) -> tuple[list[QuotedLine], list[Contained]]:  # fmt: skip
    """Price what is left when what is contained was left out."""
    groups = {group.id: group for group in (*there, *(group for _, group in asked))}
    items = await catalog.group_items(uow, list(groups))
    within = contained({key: [one.id for one in items[key]] for key in groups}, list(groups))
    out = [(group, groups[within[group.id]]) for _, group in asked if group.id in within]
    if there and len(out) == len(asked) > 0:
        raise ItemGroupContained(
            errors=[
                FieldError(pointer, "contained", *_say_contained(group, groups[within[group.id]]))
                for pointer, group in asked
            ]
        )
    in_package = {group.id for _, group in bundled}
    # A group that the package itself holds twice costs nothing either way: its price is fixed. One that was added gives the share back.
    doubled = {group.id for group, holder in out if group.id in in_package and holder.id in in_package}
    held = [(pointer, group) for pointer, group in bundled if group.id not in doubled]
    lines = _shared(package, held) if package is not None else []
    lines += [_listed(pointer, group) for pointer, group in asked[len(bundled) :]]
    return [line for line in lines if line.item_group.id not in within], [
        Contained(group, holder) for group, holder in out
    ]


def _say_contained(group: ItemGroup, holder: ItemGroup) -> tuple[str, str]:
    return f"{group.name} 已包含在 {holder.name} 中,不重复计费", f"{group.name} is part of {holder.name} and not billed"


async def _refuse_exclusions(uow: UnitOfWork, lines: Sequence[QuotedLine], there: Sequence[ItemGroup]) -> None:
    names = {group.id: group.name for group in there} | {line.item_group.id: line.item_group.name for line in lines}
    pairs = await catalog.exclusions(uow, names)
    errors = []
    for line in reversed(lines):  # what was asked for last is what is one too many
        for pair in [pair for pair in pairs if line.item_group.id in pair]:
            other = next(iter(pair - {line.item_group.id}))
            reason, name = pairs.pop(pair), line.item_group.name
            errors.append(
                FieldError(
                    line.pointer,
                    "excluded",
                    f"{name} 与 {names[other]} 互斥:{reason}",
                    f"{name} and {names[other]}: {reason}",
                )
            )
    if errors:
        raise ItemGroupsExclude(errors=errors)


_MISFITS: dict[Misfit, tuple[str, str]] = {
    "wrong-sex": ("不适用于受检者性别", "not for the examinee's sex"),
    "too-young": ("未到适用年龄", "the examinee is too young for it"),
    "too-old": ("超过适用年龄", "the examinee is too old for it"),
    "pregnant": ("孕期不宜", "not during pregnancy"),
}


def _refuse_misfits(lines: Sequence[QuotedLine], person: Person) -> None:
    found = [(line, kind) for line in lines for kind in misfits(line.item_group, person)]
    if not found:
        return
    problem = ItemGroupNotForSex if {kind for _, kind in found} == {"wrong-sex"} else ItemGroupUnsuitable
    raise problem(
        errors=[
            FieldError(
                line.pointer,
                kind,
                f"{line.item_group.name}:{_MISFITS[kind][0]}",
                f"{line.item_group.name}: {_MISFITS[kind][1]}",
            )
            for line, kind in found
        ]
    )


def _shared(package: ExamPackage, held: Sequence[tuple[str, ItemGroup]]) -> list[QuotedLine]:
    shares = allocate(package.price_fen, [group.price_fen for _, group in held])
    zh, en = f"套餐「{package.name}」分摊", f"Share of the package {package.name}"
    return [
        QuotedLine(
            group, group.price_fen, share,
            [_list_price(group), PriceReason(code="package_share", zh=zh, en=en, amount_fen=share - group.price_fen).model_dump()],
            pointer,
        )
        for (pointer, group), share in zip(held, shares, strict=True)
    ]  # fmt: skip


def _listed(pointer: str, group: ItemGroup) -> QuotedLine:
    return QuotedLine(group, group.price_fen, group.price_fen, [_list_price(group)], pointer)


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


def _refuse_retired(placed: Sequence[tuple[str, ItemGroup]]) -> None:
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
    left_out = [
        ContainedOut(item_group_id=c.item_group.id, name=c.item_group.name, contained_in=c.within.id, zh=zh, en=en)
        for c in priced.contained
        for zh, en in [_say_contained(c.item_group, c.within)]
    ]
    return QuoteOut(lines=lines, contained=left_out, total_fen=priced.total_fen)


__all__ = ["Contained", "Person", "Quote", "QuotedLine", "ask", "quote", "shape"]
