"""What is in the catalog: asked for, entered, changed, loaded."""

import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from importlib import resources
from typing import Any
from uuid import UUID

from tjapi.catalog import readings, repository
from tjapi.catalog.errors import (
    ExamPackageContradiction,
    ExamPackageEditionNotAhead,
    ExamPackageNotFound,
    ItemGroupCodeTaken,
    ItemGroupContradiction,
    ItemGroupNotFound,
    ItemNotFound,
    ItemRangesOverlap,
    OutsideLabNotFound,
    PrivateContent,
)
from tjapi.catalog.events import ExternalCodeMapped
from tjapi.catalog.models import Department, ExamPackage, ExternalCode, Item, ItemGroup, ItemRange, ItemUnit, OutsideLab
from tjapi.catalog.rules import (
    Subject,
    choose,
    first_day_of_age,
    last_day_of_age,
    names_any,
    overlaps,
    sharing,
    starter_id,
)
from tjapi.catalog.schemas import (
    ExamPackageDetail,
    ExamPackageIn,
    ExamPackageOut,
    ExclusionOut,
    ExclusionsIn,
    ItemDetail,
    ItemGroupDetail,
    ItemGroupIn,
    ItemGroupOut,
    ItemGroupPatch,
    ItemOut,
    ItemRangeOut,
    OutsideLabIn,
    PackageOptionOut,
    RangeIn,
    Row,
    Starter,
    StarterItem,
    StarterLimit,
    StarterOut,
    StarterRange,
    SuitabilityIn,
)
from tjapi.kernel.clock import business_day
from tjapi.kernel.ids import uuid7
from tjapi.kernel.problem import FieldError, PreconditionFailed, called
from tjapi.kernel.uow import UnitOfWork


async def place_departments(uow: UnitOfWork, places: Mapping[str, str]) -> None:
    """Say where departments (by code) are, as guide sheets print it; those not named stay where they are."""
    for department in await repository.departments(uow):
        if department.code in places:
            department.place = places[department.code]
    await uow.audit("catalog.departments_placed", "catalog", "departments", detail={"departments": sorted(places)})


@dataclass(frozen=True, slots=True)
class PackageOption:
    """Of these item groups exactly `choose` are chosen."""

    id: UUID
    name: str
    choose: int
    groups: list[ItemGroup]


async def departments(uow: UnitOfWork) -> Sequence[Department]:
    """Return every department, in order."""
    return await repository.departments(uow)


async def outside_labs(uow: UnitOfWork) -> Sequence[OutsideLab]:
    """Return every outside laboratory, by code."""
    return await repository.outside_labs(uow)


async def outside_lab_in_use(uow: UnitOfWork, lab_id: UUID) -> OutsideLab:
    """Return an outside laboratory to which specimens may be sent now. Raises OutsideLabNotFound."""
    lab = await repository.outside_lab(uow, lab_id)
    if lab is None or not lab.active:
        raise OutsideLabNotFound(
            errors=[FieldError("/outside_lab_id", "not-found", OutsideLabNotFound.zh, OutsideLabNotFound.en)]
        )
    return lab


async def put_outside_lab(uow: UnitOfWork, code: str, new: OutsideLabIn) -> OutsideLab:
    """Enter an outside laboratory, or say what it is called and whether it is in use."""
    lab = await repository.put_outside_lab(uow, {"id": uuid7(), "code": code, **new.model_dump()})
    await uow.audit("outside_lab.kept", "outside_lab", lab.id, detail={"code": code, "active": new.active})
    return lab


async def item(uow: UnitOfWork, item_id: UUID) -> Item:
    """Return an item. Raises ItemNotFound."""
    found = await repository.items(uow, [item_id])
    if not found:
        raise ItemNotFound
    return found[0]


async def items(uow: UnitOfWork, ids: Collection[UUID]) -> dict[UUID, Item]:
    """Return items by id, those that exist."""
    return {found.id: found for found in await repository.items(uow, ids)}


async def items_page(
    uow: UnitOfWork, *, q: str | None, active: bool | None, after: Sequence[str] | None, size: int
) -> Sequence[Item]:
    """Return a page of items by sort and code, one too many."""
    return await repository.items_page(uow, q=q, active=active, after=after, size=size)


async def describe_item(uow: UnitOfWork, item_id: UUID) -> ItemDetail:
    """Return an item with every reference range it has or had. Raises ItemNotFound."""
    found = await item(uow, item_id)
    ranges = [ItemRangeOut.model_validate(r) for r in await repository.ranges_of(uow, [item_id])]
    return ItemDetail(**ItemOut.model_validate(found).model_dump(), ranges=ranges)


async def item_groups(uow: UnitOfWork, ids: Sequence[UUID], place: str | None = None) -> list[ItemGroup]:
    """Return item groups in the order asked for; `place` is where in the request they were asked for, so that a refusal names each.

    Raises ItemGroupNotFound when one does not exist.
    """
    found = {group.id: group for group in await repository.item_groups(uow, ids)}
    unknown = [i for i, group_id in enumerate(ids) if group_id not in found]
    if unknown:
        named = [] if place is None else [f"{place}/{i}" for i in unknown]
        raise ItemGroupNotFound(
            errors=[FieldError(pointer, "not-found", "没有这个组合项目", "no such item group") for pointer in named]
        )
    return [found[group_id] for group_id in ids]


async def item_groups_page(
    uow: UnitOfWork,
    *,
    q: str | None,
    department_id: int | None,
    active: bool | None,
    after: Sequence[str] | None,
    size: int,
) -> Sequence[ItemGroup]:
    """Return a page of item groups by sort and code, one too many."""
    return await repository.item_groups_page(
        uow, q=q, department_id=department_id, active=active, after=after, size=size
    )


async def describe_item_group(uow: UnitOfWork, group_id: UUID) -> ItemGroupDetail:
    """Return an item group with its items. Raises ItemGroupNotFound."""
    return (await _group_details(uow, await item_groups(uow, [group_id])))[0]


async def private_codes(uow: UnitOfWork) -> frozenset[str]:
    """Return the codes of the items that are private."""
    return await repository.private_codes(uow)


async def hidden_words(uow: UnitOfWork) -> frozenset[str]:
    """Return by what private items, and the groups that hold them, are called, to who may not see what is private; none to who may."""
    return frozenset() if uow.principal.sees_private(None) else await repository.private_words(uow)


async def refuse_private(uow: UnitOfWork, raw: bytes) -> None:
    """Refuse bytes that name a private item, in any charset, to who may not see what is private. Raises PrivateContent.

    Whatever became of a message, filed or not: it is read for what it says.
    """
    if names_any(raw, await hidden_words(uow)):
        raise PrivateContent


async def item_codes(uow: UnitOfWork) -> frozenset[str]:
    """Return the codes of every item."""
    return await repository.item_codes(uow)


async def group_items(uow: UnitOfWork, group_ids: Collection[UUID]) -> dict[UUID, list[Item]]:
    """Return the items of each item group, in its order; a group without items has an empty list."""
    found: dict[UUID, list[Item]] = {group_id: [] for group_id in group_ids}
    for group_id, one in await repository.items_of_groups(uow, group_ids):
        found[group_id].append(one)
    return found


async def left_out_items(uow: UnitOfWork, live: Collection[UUID], aside: Collection[UUID]) -> Sequence[tuple[str, str]]:
    """Return name and code of what an exam of these item groups did not examine: set aside, or what a laboratory does and nobody asked for."""
    return await repository.left_out_items(uow, live, aside)


async def item_groups_of_codes(uow: UnitOfWork, codes: Collection[str]) -> dict[str, ItemGroup]:
    """Return item groups by code, those that exist."""
    return {group.code: group for group in await repository.item_groups_of_codes(uow, codes)}


async def packages_of_codes(uow: UnitOfWork, codes: Collection[str]) -> dict[str, ExamPackage]:
    """Return packages by code, those that exist."""
    return {found.code: found for found in await repository.packages_of_codes(uow, codes)}


async def package(uow: UnitOfWork, package_id: UUID) -> ExamPackage:
    """Return a package. Raises ExamPackageNotFound."""
    found = await repository.package(uow, package_id)
    if found is None:
        raise ExamPackageNotFound
    return found


async def packages_page(
    uow: UnitOfWork, *, q: str | None, active: bool | None, after: Sequence[str] | None, size: int
) -> Sequence[ExamPackage]:
    """Return a page of packages by code, one too many."""
    return await repository.packages_page(uow, q=q, active=active, after=after, size=size)


async def package_groups(uow: UnitOfWork, package_id: UUID) -> list[ItemGroup]:
    """Return the item groups of a package, in its order."""
    return list(await repository.groups_of_package(uow, package_id))


async def package_options(uow: UnitOfWork, package_id: UUID) -> list[PackageOption]:
    """Return what is to be chosen in a package, in its order."""
    found: dict[UUID, PackageOption] = {}
    for option, group in await repository.options_of_package(uow, package_id):
        found.setdefault(option.id, PackageOption(option.id, option.name, option.choose, [])).groups.append(group)
    return list(found.values())


async def exclusions(uow: UnitOfWork, group_ids: Collection[UUID]) -> dict[frozenset[UUID], str]:
    """Return the pairs among these item groups that nobody orders together, and why."""
    ids = set(group_ids)
    rows = await repository.exclusions(uow, ids)
    return {frozenset((r.first_id, r.second_id)): r.reason for r in rows if {r.first_id, r.second_id} <= ids}


async def describe_package(uow: UnitOfWork, package_id: UUID) -> ExamPackageDetail:
    """Return a package with its item groups and their items. Raises ExamPackageNotFound."""
    found = ExamPackageOut.model_validate(await package(uow, package_id))
    groups = await _group_details(uow, await package_groups(uow, package_id))
    options = [
        PackageOptionOut(
            id=o.id, name=o.name, choose=o.choose, groups=[ItemGroupOut.model_validate(g) for g in o.groups]
        )
        for o in await package_options(uow, package_id)
    ]
    return ExamPackageDetail(**found.model_dump(), groups=groups, options=options)


async def _group_details(uow: UnitOfWork, groups: Sequence[ItemGroup]) -> list[ItemGroupDetail]:
    ids = [group.id for group in groups]
    held, apart = await group_items(uow, ids), await repository.exclusions(uow, ids)
    others = {r.first_id for r in apart} | {r.second_id for r in apart}
    names = {group.id: group.name for group in await repository.item_groups(uow, others)}
    return [
        ItemGroupDetail(
            **ItemGroupOut.model_validate(group).model_dump(),
            items=[ItemOut.model_validate(one) for one in held[group.id]],
            exclusions=[
                ExclusionOut(item_group_id=other, name=names[other], reason=r.reason)
                for r in apart
                for one, other in ((r.first_id, r.second_id), (r.second_id, r.first_id))
                if one == group.id
            ],
        )
        for group in groups
    ]


async def units(uow: UnitOfWork, item_ids: Collection[UUID]) -> dict[UUID, list[ItemUnit]]:
    """Return the other units in which items may be reported; items without any are absent."""
    found: dict[UUID, list[ItemUnit]] = {}
    for one in await repository.units_of(uow, item_ids):
        found.setdefault(one.item_id, []).append(one)
    return found


async def choose_range(uow: UnitOfWork, item_id: UUID, subject: Subject) -> ItemRange | None:
    """Return the reference range of an item for a person on a day. None: there is none, so there is no flag."""
    return (await choose_ranges(uow, [item_id], subject)).get(item_id)


async def choose_ranges(
    uow: UnitOfWork, item_ids: Collection[UUID], subject: Subject, methods: Mapping[UUID, str] | None = None
) -> dict[UUID, ItemRange]:
    """Return the reference range of each item for a person on a day, in one query; items without one are absent.

    `methods`: by which other method than the subject's an item was measured.
    """
    return (await ranges_near(uow, item_ids, subject)).of(subject, methods)


async def ranges_near(uow: UnitOfWork, item_ids: Collection[UUID], subject: Subject) -> "HeldRanges":
    """Return the ranges of items that may hold for a person on a day, by whatever method, in one query."""
    return HeldRanges(await repository.ranges_near(uow, item_ids, subject))


async def hold_ranges(uow: UnitOfWork, item_ids: Collection[UUID]) -> "HeldRanges":
    """Return every reference range of items, of whichever day, to choose from for many people without asking again."""
    return HeldRanges(await repository.ranges_of(uow, item_ids))


class HeldRanges:
    """Reference ranges, read once."""

    def __init__(self, ranges: Sequence[ItemRange]) -> None:
        self._ranges: dict[UUID, list[ItemRange]] = {}
        for one in ranges:
            self._ranges.setdefault(one.item_id, []).append(one)

    def of(
        self, subject: Subject, methods: Mapping[UUID, str] | None = None, item_ids: Collection[UUID] | None = None
    ) -> dict[UUID, ItemRange]:
        """Return the range of each item, or of some, for a person on a day; items without one are absent."""
        chosen: dict[UUID, ItemRange] = {}
        for item_id in self._ranges if item_ids is None else self._ranges.keys() & item_ids:
            method = (methods or {}).get(item_id, subject.method)
            best = choose(self._ranges[item_id], replace(subject, method=method))
            if best is not None:
                chosen[item_id] = best
        return chosen

    def by_method(self, item_id: UUID, subject: Subject, method: str) -> ItemRange | None:
        """Return the range of an item for a person on a day, of a method where there is one of it, else of any."""
        return choose(self._ranges.get(item_id, ()), replace(subject, method=method))

    def method_of(self, item_id: UUID, said: Iterable[str]) -> str:
        """Return by which method an item was measured, of what a laboratory says of it: as its ranges call it, else in the laboratory's word."""
        known = {_plain(one.method): one.method for one in self._ranges.get(item_id, ()) if one.method}
        words = [word for word in said if word.strip()]
        return next((known[_plain(word)] for word in words if _plain(word) in known), words[0] if words else "")

    def on(self, day: date) -> dict[UUID, Sequence[ItemRange]]:
        """Return every range of each item that holds on a day, of whomever."""
        return {
            item_id: [r for r in held if r.valid_from <= day and (r.valid_to is None or day <= r.valid_to)]
            for item_id, held in self._ranges.items()
        }


async def item_of_external_code(uow: UnitOfWork, system: str, code: str) -> Item | None:
    """Return our item for another system's code; None when nobody has mapped it."""
    return (await items_of_external_codes(uow, system, [code])).get(code)


async def items_of_external_codes(uow: UnitOfWork, system: str, codes: Collection[str]) -> dict[str, Item]:
    """Return their code → our item, for those that are mapped.

    Whoever is told that a code leads nowhere has told so, committed, before it is mapped: what then goes through the messages that wait
    for the code misses none.
    """
    found = dict(await repository.items_of_codes(uow, system, codes))
    if len(found) == len(set(codes)):
        return found
    await repository.await_mappings(uow, system)
    return dict(await repository.items_of_codes(uow, system, codes))


async def map_external_code(uow: UnitOfWork, system: str, code: str, item_id: UUID) -> ExternalCode:
    """Say to which item another system's code leads, in place of what was said before. Raises ItemNotFound."""
    if not await repository.items(uow, [item_id]):
        raise ItemNotFound(errors=[FieldError("/item_id", "not-found", "没有这个项目", "no such item")])
    before = await repository.external_code(uow, system, code)
    if before is not None and before.item_id == item_id:
        return before
    was = None if before is None else str(before.item_id)
    await repository.put_external_code(uow, system, code, item_id)
    detail = {"item_id": str(item_id), "previous_item_id": was}
    await uow.audit("external_code.mapped", "external_code", f"{system}|{code}", detail=detail)
    await uow.publish(ExternalCodeMapped(campus_id=None, system=system, code=code, item_id=item_id))
    return ExternalCode(system=system, code=code, item_id=item_id, created_at=uow.now, created_by=uow.principal.id)


async def external_codes_page(
    uow: UnitOfWork, *, system: str | None, item_id: UUID | None, after: Sequence[str] | None, size: int
) -> Sequence[ExternalCode]:
    """Return a page of mappings by system and code, one too many."""
    return await repository.external_codes_page(uow, system=system, item_id=item_id, after=after, size=size)


async def add_item_group(uow: UnitOfWork, new: ItemGroupIn) -> ItemGroupDetail:
    """Enter an item group. Raises ItemNotFound, ItemGroupContradiction, ItemGroupCodeTaken."""
    known = await items(uow, new.item_ids)
    missing = [i for i, item_id in enumerate(new.item_ids) if item_id not in known]
    if missing:
        raise ItemNotFound(
            errors=[FieldError(f"/item_ids/{i}", "not-found", "没有这个项目", "no such item") for i in missing]
        )
    faults = _faults_of_ages(new, "")
    if not any(d.id == new.department_id for d in await departments(uow)):
        faults.append(FieldError("/department_id", "not-found", "没有这个科室", "no such department"))
    if (new.container is None) == (new.performed_by == "lis"):
        faults.append(
            FieldError(
                "/container",
                "contradiction",
                "送检项目必须有容器,科室检查不能有",
                "what the LIS does needs one, the rest has none",
            )
        )
    if len(set(new.item_ids)) < len(new.item_ids):
        faults.append(FieldError("/item_ids", "twice", "明细项目重复", "an item appears twice"))
    if faults:
        raise ItemGroupContradiction(errors=faults)
    row = {"id": uuid7(), **new.model_dump(exclude={"item_ids"}), "active": True}
    if not await repository.add_item_group(uow, row, new.item_ids):
        raise ItemGroupCodeTaken(errors=[FieldError("/code", "taken", "代码已被使用", "is taken")])
    await uow.audit("item_group.added", "item_group", row["id"], detail={"code": new.code})
    return await describe_item_group(uow, row["id"])


async def change_item_group(uow: UnitOfWork, group_id: UUID, patch: ItemGroupPatch, expected: int) -> ItemGroupDetail:
    """Change an item group for exams to come. Raises ItemGroupNotFound, PreconditionFailed, ItemGroupContradiction."""
    group = await _locked_group(uow, group_id)
    if group.version != expected:
        raise PreconditionFailed
    changes = patch.model_dump(exclude={"suitability"}, exclude_defaults=True)
    if patch.suitability is not None:
        faults = _faults_of_ages(patch.suitability, "/suitability")
        if faults:
            raise ItemGroupContradiction(errors=faults)
        changes |= patch.suitability.model_dump()
    was = {name: getattr(group, name) for name in changes if getattr(group, name) != changes[name]}
    for name in was:
        setattr(group, name, changes[name])
    if was:
        group.version += 1
        detail = {"was": was, "is": {name: changes[name] for name in was}}
        await uow.audit("item_group.changed", "item_group", group_id, detail=detail)
    return await describe_item_group(uow, group_id)


async def put_exclusions(uow: UnitOfWork, group_id: UUID, new: ExclusionsIn) -> ItemGroupDetail:
    """Say what an item group may not be ordered with, in place of what was said. Raises ItemGroupNotFound, ItemGroupContradiction."""
    await _locked_group(uow, group_id)
    there = {group.id for group in await repository.item_groups(uow, [e.item_group_id for e in new.exclusions])}
    errors = [
        FieldError(
            f"/exclusions/{i}/item_group_id",
            "not-found",
            "没有这个组合项目,或为其自身",
            "no such item group, or itself",
        )
        for i, e in enumerate(new.exclusions)
        if e.item_group_id == group_id or e.item_group_id not in there
    ]
    if not errors and new.exclusions:
        errors = await _packages_against(uow, group_id, new)
    if errors:
        raise ItemGroupContradiction(errors=errors)
    pairs = {frozenset((group_id, e.item_group_id)): e.reason for e in new.exclusions}
    rows = [{"first_id": min(pair), "second_id": max(pair), "reason": reason} for pair, reason in pairs.items()]
    await repository.put_exclusions(uow, rows, of=group_id)
    detail = {"exclusions": [str(e.item_group_id) for e in new.exclusions]}
    await uow.audit("item_group.exclusions_put", "item_group", group_id, detail=detail)
    return await describe_item_group(uow, group_id)


async def _packages_against(uow: UnitOfWork, group_id: UUID, new: ExclusionsIn) -> list[FieldError]:
    """Name what cannot be excluded, because a package that is in use holds both sides of it."""
    found = await repository.packages_with_both(
        uow, group_id, [one.item_group_id for one in new.exclusions], business_day(uow.now)
    )
    return [
        FieldError(
            f"/exclusions/{i}/item_group_id", "in-package", f"套餐「{name}」同时含有这两个项目",
            f"the package {name} holds both",
        )
        for i, one in enumerate(new.exclusions)
        for other, name in found
        if other == one.item_group_id
    ]  # fmt: skip


async def add_package(uow: UnitOfWork, new: ExamPackageIn) -> ExamPackageDetail:
    """Enter a package, or its next edition: the one before it ends the day before. Exams keep the edition they were made of.

    Raises ItemGroupNotFound, ExamPackageContradiction, ExamPackageEditionNotAhead.
    """
    await _refuse_contradictions(uow, new)
    before = await repository.latest_package(uow, new.code)
    if before is not None:
        if before.valid_from is not None and before.valid_from >= new.valid_from:
            raise ExamPackageEditionNotAhead(
                errors=[FieldError("/valid_from", "not-ahead", "须晚于上一版本", "after the one before it")]
            )
        if before.valid_to is None or before.valid_to >= new.valid_from:
            before.valid_to = new.valid_from - timedelta(days=1)
            await uow.session.flush()
    row = {
        "id": uuid7(), "edition": 1 if before is None else before.edition + 1, "active": True,
        **new.model_dump(exclude={"item_group_ids", "options"}),
    }  # fmt: skip
    options = [
        ({"id": uuid7(), "name": o.name, "choose": o.choose, "sort": sort}, o.item_group_ids)
        for sort, o in enumerate(new.options)
    ]
    if not await repository.add_package(uow, row, new.item_group_ids, options):
        raise ExamPackageEditionNotAhead
    await uow.audit(
        "exam_package.added", "exam_package", row["id"], detail={"code": new.code, "edition": row["edition"]}
    )
    return await describe_package(uow, row["id"])


async def _refuse_contradictions(uow: UnitOfWork, new: ExamPackageIn) -> None:
    placed = [(f"/item_group_ids/{i}", group_id) for i, group_id in enumerate(new.item_group_ids)]
    fixed = {group_id for _, group_id in placed}
    for k, option in enumerate(new.options):
        placed += [(f"/options/{k}/item_group_ids/{i}", group_id) for i, group_id in enumerate(option.item_group_ids)]
    found = {group.id: group for group in await repository.item_groups(uow, [group_id for _, group_id in placed])}
    unknown = [pointer for pointer, group_id in placed if group_id not in found]
    if unknown:
        raise ItemGroupNotFound(
            errors=[FieldError(p, "not-found", "没有这个组合项目", "no such item group") for p in unknown]
        )
    seen: set[UUID] = set()
    faults = []
    for pointer, group_id in placed:
        group = found[group_id]
        if group_id in seen:
            faults.append(FieldError(pointer, "twice", f"{group.name} 重复", f"{group.name} appears twice"))
        if group.sex not in ("any", new.sex):
            faults.append(
                FieldError(pointer, "wrong-sex", f"{group.name} 与套餐性别不符", f"{group.name} is not for its sex")
            )
        seen.add(group_id)
    for k, option in enumerate(new.options):
        if option.choose >= len(option.item_group_ids):
            faults.append(
                FieldError(f"/options/{k}/choose", "too-many", "须少于可选个数", "must be fewer than there are")
            )
    for pair, reason in (await exclusions(uow, fixed)).items():
        one, other = (found[group_id].name for group_id in sorted(pair))
        faults.append(
            FieldError("/item_group_ids", "excluded", f"{one} 与 {other} 互斥:{reason}", f"{one} and {other}: {reason}")
        )
    faults += await _option_faults(uow, new, found)
    if new.valid_to is not None and new.valid_to < new.valid_from:
        faults.append(FieldError("/valid_to", "before-start", "早于生效日期", "before the first day"))
    if faults:
        raise ExamPackageContradiction(errors=faults)


_BESIDE: dict[str, tuple[str, str]] = {
    "contained": ("已包含在固定项目", "is part of"),
    "contains": ("包含固定项目", "contains"),
    "shares": ("有部分项目与固定项目相同:", "shares items with"),
}


async def _option_faults(uow: UnitOfWork, new: ExamPackageIn, found: Mapping[UUID, ItemGroup]) -> list[FieldError]:
    """Name what is offered in an option although the package's fixed item groups exclude it, or examine some of it already."""
    apart = await exclusions(uow, set(found))
    items = {key: [one.id for one in held] for key, held in (await group_items(uow, list(found))).items()}
    faults = []
    for k, option in enumerate(new.options):
        for i, group_id in enumerate(option.item_group_ids):
            pointer, name = f"/options/{k}/item_group_ids/{i}", found[group_id].name
            for fixed in dict.fromkeys(new.item_group_ids):
                other = found[fixed].name
                if (reason := apart.get(frozenset((group_id, fixed)))) is not None:
                    faults.append(
                        FieldError(pointer, "excluded", f"{name} 与固定项目 {other} 互斥:{reason}", f"{name} and {other}: {reason}")
                    )  # fmt: skip
                elif fixed != group_id and (how := sharing(items[group_id], items[fixed])) is not None:
                    zh, en = _BESIDE[how]
                    faults.append(FieldError(pointer, how, f"{name} {zh} {other}", f"{name} {en} {other}"))
    return faults


async def _locked_group(uow: UnitOfWork, group_id: UUID) -> ItemGroup:
    found = await repository.item_group_locked(uow, group_id)
    if found is None:
        raise ItemGroupNotFound
    return found


def _faults_of_ages(given: SuitabilityIn, place: str) -> list[FieldError]:
    low, high = given.age_from_years, given.age_to_years
    if low is None or high is None or low <= high:
        return []
    return [FieldError(f"{place}/age_to_years", "before-start", "小于起始年龄", "is less than the first age")]


def read_starter() -> Starter:
    """Read and check the starter files that ship with this context. Ranges stand beside their item, or in files of their own by its code.

    Whether a row is verified is no word of the file: it is, where a reading names it with the figures that it has.
    """
    folder = resources.files("tjapi.catalog") / "starter"
    held: dict[str, list[Any]] = {}
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        if file.name.endswith(".toml"):
            for kind, rows in tomllib.loads(file.read_text(encoding="utf-8"), parse_float=str).items():
                held.setdefault(kind, []).extend(rows)
    items = {item["code"]: item for item in held["items"]}
    for row in held.pop("ranges", []):
        items[row["item"]].setdefault("ranges", []).append({k: v for k, v in row.items() if k != "item"})
    starter = Starter.model_validate(held)
    for item in starter.items:
        for one in item.ranges:
            one.verified = readings.is_read(readings.of_range(RangeIn.key_of(item.code, one), one))
    for limit in starter.limits:
        limit.verified = readings.is_read(readings.of_limit(limit))
    for unit in starter.units:
        unit.verified = readings.is_read(readings.of_unit(unit))
    return starter


async def load_starter(uow: UnitOfWork) -> StarterOut:
    """Bring the starter content in; again changes nothing. Raises ItemRangesOverlap.

    Rows are found by code. Departments and items named in the files become what the files say: nobody else changes them. Groups, packages,
    exclusions and units are only added: a price, a choice or a sign-off is the hospital's from the first day on. So are the ranges of items
    that have none yet; others are part of an edition, which is signed (`knowledge.bring_in`).
    """
    starter = read_starter()
    departments_by_code = await repository.put_departments(uow, [d.model_dump() for d in starter.departments])
    limits = {limit.item: limit for limit in starter.limits}
    items_by_code = await repository.put_items(
        uow, [_item_row(i, limits.get(i.code), private=i.code in starter.private) for i in starter.items]
    )
    judged = {one.item_id for one in await repository.ranges_of(uow, items_by_code.values())}
    new = [i for i in starter.items if items_by_code[i.code] not in judged]
    ranges = [_range_row(items_by_code[i.code], i.code, r) for i in new for r in i.ranges]
    if ranges:
        await _refuse_overlaps(uow, items_by_code, ranges)
        await repository.add_ranges(uow, ranges)
    await repository.add_units(
        uow, [{"item_id": items_by_code[u.item], **u.model_dump(exclude={"item"})} for u in starter.units]
    )
    groups = [
        {
            "id": starter_id("item_group", g.code), **g.model_dump(exclude={"department", "items"}),
            "department_id": departments_by_code[g.department], "active": True,
        }
        for g in starter.item_groups
    ]  # fmt: skip
    groups_by_code, new_groups = await repository.add_coded(uow, ItemGroup, groups)
    held = [
        {"item_group_id": groups_by_code[g.code], "item_id": items_by_code[code], "sort": sort}
        for g in starter.item_groups
        if g.code in new_groups
        for sort, code in enumerate(g.items)
    ]
    await repository.add_group_items(uow, held)
    packages = [
        {"id": starter_id("exam_package", p.code), **p.model_dump(exclude={"groups"}), "edition": 1, "active": True}
        for p in starter.packages
    ]
    packages_by_code, new_packages = await repository.add_coded(uow, ExamPackage, packages)
    offered = [
        {"package_id": packages_by_code[p.code], "item_group_id": groups_by_code[code], "sort": sort}
        for p in starter.packages
        if p.code in new_packages
        for sort, code in enumerate(p.groups)
    ]
    await repository.add_package_groups(uow, offered)
    pairs = [
        (*sorted(groups_by_code[code] for code in e.groups), e.reason)
        for e in starter.exclusions
        if new_groups.intersection(e.groups)
    ]
    await repository.put_exclusions(uow, [{"first_id": a, "second_id": b, "reason": reason} for a, b, reason in pairs])
    counts = StarterOut(
        departments=len(starter.departments),
        items=len(starter.items),
        ranges=sum(len(i.ranges) for i in starter.items),
        units=len(starter.units),
        item_groups=len(groups),
        packages=len(packages),
    )
    await uow.audit("catalog.starter_loaded", "catalog", "starter", detail=counts.model_dump())
    return counts


def _item_row(one: StarterItem, limit: StarterLimit | None, *, private: bool) -> Row:
    limits = limit or StarterLimit(item=one.code, source="-")
    return {
        "id": starter_id("item", one.code), **one.model_dump(exclude={"ranges"}), "active": True, "private": private,
        **limits.model_dump(include={"judged", "laboratory_first", "plausible_low", "plausible_high", "delta_percent"}),
    }  # fmt: skip


def _range_row(item_id: UUID, code: str, one: StarterRange) -> Row:
    key = f"{code}|{one.sex}|{one.age_from}|{one.age_to}|{one.method}|{one.valid_from}{'|pregnant' if one.pregnant else ''}"
    return {
        "id": starter_id("item_range", key),
        "item_id": item_id,
        "age_from_days": None if one.age_from is None else first_day_of_age(one.age_from),
        "age_to_days": None if one.age_to is None else last_day_of_age(one.age_to),
        **one.model_dump(),
    }


async def _refuse_overlaps(uow: UnitOfWork, items_by_code: Mapping[str, UUID], rows: Sequence[Row]) -> None:
    there = await repository.ranges_of(uow, items_by_code.values())
    known = {one.id for one in there}
    clashes = overlaps([*there, *(ItemRange(**row) for row in rows if row["id"] not in known)])
    if clashes:
        names = {item_id: code for code, item_id in items_by_code.items()}
        raise ItemRangesOverlap(
            errors=[
                FieldError(
                    f"/items/{names[a.item_id]}", "overlap",
                    f"{names[a.item_id]} 的参考区间重叠:{_say(a)[0]} 与 {_say(b)[0]}",
                    f"ranges of {names[a.item_id]} overlap: {_say(a)[1]} and {_say(b)[1]}",
                )
                for a, b in clashes
            ]
        )  # fmt: skip


def _say(one: ItemRange) -> tuple[str, str]:
    """Return whom a range is for, in a Chinese and in an English sentence; both ends belong to it."""
    zh, en = called("sex", one.sex)
    method, ages = f" {one.method}" if one.method else "", f" {one.age_from or ''}–{one.age_to or ''}"
    return (
        f"{zh}{'(孕期)' if one.pregnant else ''}{method}{ages}",
        f"{en}{' (pregnant)' if one.pregnant else ''}{method}{ages}",
    )


def _plain(method: str) -> str:
    return "".join(method.split()).casefold()
