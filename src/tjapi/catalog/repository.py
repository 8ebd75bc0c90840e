"""Questions to the catalog's tables, and how starter rows are written."""

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import delete, or_, select, text, tuple_, union
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.orm import InstrumentedAttribute, aliased
from sqlalchemy.sql.elements import ColumnElement

from tjapi.catalog.models import (
    Department,
    ExamPackage,
    ExamPackageGroup,
    ExamPackageOption,
    ExamPackageOptionGroup,
    ExternalCode,
    Item,
    ItemGroup,
    ItemGroupExclusion,
    ItemGroupItem,
    ItemRange,
    ItemUnit,
    OutsideLab,
)
from tjapi.catalog.rules import Subject
from tjapi.catalog.schemas import Row
from tjapi.kernel.uow import UnitOfWork

_ABOUT = 31
"""By so many days an age in days may differ from the same by the calendar, and more."""
_SHARE_CODES = text("select pg_advisory_xact_lock_shared(hashtextextended(:system, 14))")
_HOLD_CODES = text("select pg_advisory_xact_lock(hashtextextended(:system, 14))")


async def departments(uow: UnitOfWork) -> Sequence[Department]:
    """Return every department, in order."""
    return (await uow.session.scalars(select(Department).order_by(Department.sort, Department.id))).all()


async def hold_catalog(uow: UnitOfWork) -> None:
    """Wait for whoever takes a catalog file over: two at once would take each other's codes for new."""
    await uow.session.execute(_HOLD_CODES, {"system": "catalog file"})


async def every_item(uow: UnitOfWork) -> Sequence[Item]:
    """Return every item, in order."""
    query = select(Item).order_by(Item.sort, Item.code).execution_options(populate_existing=True)
    return (await uow.session.scalars(query)).all()


async def every_item_group(uow: UnitOfWork, *, lock: bool = False) -> Sequence[ItemGroup]:
    """Return every item group, in order."""
    query = select(ItemGroup).order_by(ItemGroup.sort, ItemGroup.code).execution_options(populate_existing=True)
    return (await uow.session.scalars(query.with_for_update() if lock else query)).all()


async def latest_packages(uow: UnitOfWork) -> Sequence[ExamPackage]:
    """Return the latest edition of every package, by code."""
    query = select(ExamPackage).ext(distinct_on(ExamPackage.code))
    query = query.order_by(ExamPackage.code, ExamPackage.edition.desc()).execution_options(populate_existing=True)
    return (await uow.session.scalars(query)).all()


async def add_items(uow: UnitOfWork, rows: Sequence[Row]) -> None:
    """Enter items."""
    if rows:
        await uow.session.execute(insert(Item).values(list(rows)))


async def outside_labs(uow: UnitOfWork) -> Sequence[OutsideLab]:
    """Return every outside laboratory, by code."""
    return (await uow.session.scalars(select(OutsideLab).order_by(OutsideLab.code))).all()


async def outside_lab(uow: UnitOfWork, lab_id: UUID) -> OutsideLab | None:
    """Return an outside laboratory."""
    return await uow.session.get(OutsideLab, lab_id)


async def put_outside_lab(uow: UnitOfWork, row: Row) -> OutsideLab:
    """Enter an outside laboratory or change the one of this code."""
    made = insert(OutsideLab).values(**row)
    made = made.on_conflict_do_update(
        index_elements=["code"], set_={"name": made.excluded.name, "active": made.excluded.active}
    )
    return (await uow.session.scalars(made.returning(OutsideLab), execution_options={"populate_existing": True})).one()


async def items(uow: UnitOfWork, ids: Collection[UUID]) -> Sequence[Item]:
    """Return the items of these ids that exist."""
    return (await uow.session.scalars(select(Item).where(Item.id.in_(ids)))).all()


async def item_codes(uow: UnitOfWork) -> frozenset[str]:
    """Return the codes of every item."""
    return frozenset((await uow.session.scalars(select(Item.code))).all())


async def private_codes(uow: UnitOfWork) -> frozenset[str]:
    """Return the codes of the items that are private."""
    return frozenset((await uow.session.scalars(select(Item.code).where(Item.private))).all())


async def private_words(uow: UnitOfWork) -> frozenset[str]:
    """Return by what private items, and the groups that hold them, are called: here, and by other systems."""
    said = union(
        select(Item.code).where(Item.private), select(Item.name).where(Item.private), select(ItemGroup.code).where(ItemGroup.private),
        select(ItemGroup.name).where(ItemGroup.private), select(ExternalCode.code).join(Item, Item.id == ExternalCode.item_id).where(Item.private),
    )  # fmt: skip
    return frozenset((await uow.session.scalars(said)).all())


async def items_page(
    uow: UnitOfWork, *, q: str | None, active: bool | None, after: Sequence[str] | None, size: int
) -> Sequence[Item]:
    """Return a page of items, one too many, by sort and code. `q` is a part of the name or a prefix of the code."""
    wanted = _named(Item.name, Item.code, q)
    if active is not None:
        wanted.append(Item.active.is_(active))
    if after is not None:
        wanted.append(tuple_(Item.sort, Item.code) > (int(after[0]), after[1]))
    query = select(Item).where(*wanted).order_by(Item.sort, Item.code).limit(size + 1)
    return (await uow.session.scalars(query)).all()


async def ranges_of(uow: UnitOfWork, item_ids: Collection[UUID]) -> Sequence[ItemRange]:
    """Return the reference ranges of items, of whomever and whenever."""
    query = select(ItemRange).where(ItemRange.item_id.in_(item_ids))
    return (await uow.session.scalars(query.order_by(ItemRange.sex, ItemRange.method, ItemRange.age_from_days))).all()


async def ranges_near(uow: UnitOfWork, item_ids: Collection[UUID], subject: Subject) -> Sequence[ItemRange]:
    """Return the ranges of items that may hold for somebody on a day: the chooser decides. By days, ages are known only about."""
    days, r = subject.age.days, ItemRange
    query = select(r).where(
        r.item_id.in_(item_ids), r.sex.in_(("any", subject.sex)), r.pregnant.in_({False, bool(subject.pregnant)}),
        r.valid_from <= subject.on, or_(r.valid_to.is_(None), r.valid_to >= subject.on),
        or_(r.age_from_days.is_(None), r.age_from_days <= days + _ABOUT), or_(r.age_to_days.is_(None), r.age_to_days >= days - _ABOUT),
    )  # fmt: skip
    return (await uow.session.scalars(query)).all()


async def units_of(uow: UnitOfWork, item_ids: Collection[UUID]) -> Sequence[ItemUnit]:
    """Return the other units of items."""
    query = select(ItemUnit).where(ItemUnit.item_id.in_(item_ids)).order_by(ItemUnit.item_id, ItemUnit.unit)
    return (await uow.session.scalars(query)).all()


async def item_groups(uow: UnitOfWork, ids: Collection[UUID]) -> Sequence[ItemGroup]:
    """Return the item groups of these ids that exist."""
    return (await uow.session.scalars(select(ItemGroup).where(ItemGroup.id.in_(ids)))).all()


async def item_groups_of_codes(uow: UnitOfWork, codes: Collection[str]) -> Sequence[ItemGroup]:
    """Return the item groups of these codes that exist."""
    return (await uow.session.scalars(select(ItemGroup).where(ItemGroup.code.in_(codes)))).all()


async def packages_of_codes(uow: UnitOfWork, codes: Collection[str]) -> Sequence[ExamPackage]:
    """Return the packages of these codes that exist."""
    return (
        await uow.session.scalars(select(ExamPackage).where(ExamPackage.code.in_(codes)).order_by(ExamPackage.edition))
    ).all()


async def item_groups_page(
    uow: UnitOfWork,
    *,
    q: str | None,
    department_id: int | None,
    active: bool | None,
    after: Sequence[str] | None,
    size: int,
) -> Sequence[ItemGroup]:
    """Return a page of item groups, one too many, by sort and code."""
    wanted = _named(ItemGroup.name, ItemGroup.code, q)
    if department_id is not None:
        wanted.append(ItemGroup.department_id == department_id)
    if active is not None:
        wanted.append(ItemGroup.active.is_(active))
    if after is not None:
        wanted.append(tuple_(ItemGroup.sort, ItemGroup.code) > (int(after[0]), after[1]))
    query = select(ItemGroup).where(*wanted).order_by(ItemGroup.sort, ItemGroup.code).limit(size + 1)
    return (await uow.session.scalars(query)).all()


async def items_of_groups(uow: UnitOfWork, group_ids: Collection[UUID]) -> Sequence[tuple[UUID, Item]]:
    """Return (item group, item) in the order of each group."""
    query = (
        select(ItemGroupItem.item_group_id, Item)
        .join(Item, Item.id == ItemGroupItem.item_id)
        .where(ItemGroupItem.item_group_id.in_(group_ids))
        .order_by(ItemGroupItem.item_group_id, ItemGroupItem.sort, Item.code)
    )
    return [(row[0], row[1]) for row in await uow.session.execute(query)]


async def left_out_items(uow: UnitOfWork, live: Collection[UUID], aside: Collection[UUID]) -> Sequence[tuple[str, str]]:
    """Return name and code of the items of `aside`, and of every laboratory's groups, that are in no `live` group."""
    kept = select(ItemGroupItem.item_id).where(ItemGroupItem.item_group_id.in_(live))
    query = (
        select(Item.name, Item.code)
        .distinct()
        .join(ItemGroupItem, ItemGroupItem.item_id == Item.id)
        .join(ItemGroup, ItemGroup.id == ItemGroupItem.item_group_id)
        .where(or_(ItemGroup.performed_by == "lis", ItemGroup.id.in_(aside)), Item.id.not_in(kept))
    )
    return [(row[0], row[1]) for row in await uow.session.execute(query)]


async def package(uow: UnitOfWork, package_id: UUID) -> ExamPackage | None:
    """Return a package."""
    return await uow.session.get(ExamPackage, package_id)


async def packages_page(
    uow: UnitOfWork, *, q: str | None, active: bool | None, after: Sequence[str] | None, size: int
) -> Sequence[ExamPackage]:
    """Return a page of packages, one too many, by code and edition."""
    wanted = _named(ExamPackage.name, ExamPackage.code, q)
    if active is not None:
        wanted.append(ExamPackage.active.is_(active))
    if after is not None:
        wanted.append(tuple_(ExamPackage.code, ExamPackage.edition) > (after[0], int(after[1])))
    query = select(ExamPackage).where(*wanted).order_by(ExamPackage.code, ExamPackage.edition).limit(size + 1)
    return (await uow.session.scalars(query)).all()


async def groups_of_package(uow: UnitOfWork, package_id: UUID) -> Sequence[ItemGroup]:
    """Return the item groups of a package, in its order."""
    query = (
        select(ItemGroup)
        .join(ExamPackageGroup, ExamPackageGroup.item_group_id == ItemGroup.id)
        .where(ExamPackageGroup.package_id == package_id)
        .order_by(ExamPackageGroup.sort, ItemGroup.code)
    )
    return (await uow.session.scalars(query)).all()


async def options_of_package(uow: UnitOfWork, package_id: UUID) -> Sequence[tuple[ExamPackageOption, ItemGroup]]:
    """Return (option, item group that may be chosen) of a package, in its order."""
    query = (
        select(ExamPackageOption, ItemGroup)
        .join(ExamPackageOptionGroup, ExamPackageOptionGroup.option_id == ExamPackageOption.id)
        .join(ItemGroup, ItemGroup.id == ExamPackageOptionGroup.item_group_id)
        .where(ExamPackageOption.package_id == package_id)
        .order_by(ExamPackageOption.sort, ExamPackageOptionGroup.sort, ItemGroup.code)
    )
    return [(row[0], row[1]) for row in await uow.session.execute(query)]


async def exclusions(uow: UnitOfWork, group_ids: Collection[UUID]) -> Sequence[ItemGroupExclusion]:
    """Return what these item groups may not be ordered with."""
    table = ItemGroupExclusion
    query = select(table).where(or_(table.first_id.in_(group_ids), table.second_id.in_(group_ids)))
    return (await uow.session.scalars(query.order_by(table.first_id, table.second_id))).all()


async def packages_with_both(
    uow: UnitOfWork, group_id: UUID, others: Collection[UUID], today: date
) -> Sequence[tuple[UUID, str]]:
    """Return which packages that are in use, or will be, hold an item group and one of others as fixed ones: the other, and the package's name."""
    one, other = aliased(ExamPackageGroup), aliased(ExamPackageGroup)
    query = (
        select(other.item_group_id, ExamPackage.name)
        .join(one, one.package_id == other.package_id)
        .join(ExamPackage, ExamPackage.id == one.package_id)
        .where(one.item_group_id == group_id, other.item_group_id.in_(others), ExamPackage.active)
        .where(or_(ExamPackage.valid_to.is_(None), ExamPackage.valid_to >= today))
        .order_by(ExamPackage.name)
    )
    return [(row[0], row[1]) for row in await uow.session.execute(query)]


async def put_exclusions(uow: UnitOfWork, rows: Sequence[Row], *, of: UUID | None = None) -> None:
    """Write exclusions; `of`: and make those of an item group exactly these."""
    table = ItemGroupExclusion
    if of is not None:
        await uow.session.execute(delete(table).where(or_(table.first_id == of, table.second_id == of)))
    if rows:
        await uow.session.execute(insert(table).values(list(rows)).on_conflict_do_nothing())


async def item_group_locked(uow: UnitOfWork, group_id: UUID) -> ItemGroup | None:
    """Return an item group under its row lock."""
    query = select(ItemGroup).where(ItemGroup.id == group_id).with_for_update()
    return (await uow.session.scalars(query.execution_options(populate_existing=True))).first()


async def add_item_group(uow: UnitOfWork, row: Row, item_ids: Sequence[UUID]) -> bool:
    """Enter an item group with its items; False: its code is taken."""
    made = insert(ItemGroup).values(**row).on_conflict_do_nothing(index_elements=["code"]).returning(ItemGroup.id)
    if (await uow.session.execute(made)).first() is None:
        return False
    held = [{"item_group_id": row["id"], "item_id": item_id, "sort": sort} for sort, item_id in enumerate(item_ids)]
    await uow.session.execute(insert(ItemGroupItem).values(held))
    return True


async def latest_package(uow: UnitOfWork, code: str) -> ExamPackage | None:
    """Return the latest edition of a package under its row lock."""
    query = select(ExamPackage).where(ExamPackage.code == code).order_by(ExamPackage.edition.desc()).limit(1)
    return (await uow.session.scalars(query.with_for_update().execution_options(populate_existing=True))).first()


async def add_package(
    uow: UnitOfWork, row: Row, group_ids: Sequence[UUID], options: Sequence[tuple[Row, Sequence[UUID]]]
) -> bool:
    """Enter an edition of a package; False: it is there already."""
    made = insert(ExamPackage).values(**row).on_conflict_do_nothing(index_elements=["code", "edition"])
    if (await uow.session.execute(made.returning(ExamPackage.id))).first() is None:
        return False
    held = [{"package_id": row["id"], "item_group_id": group, "sort": sort} for sort, group in enumerate(group_ids)]
    await uow.session.execute(insert(ExamPackageGroup).values(held))
    for option, members in options:
        await uow.session.execute(insert(ExamPackageOption).values(**option, package_id=row["id"]))
        chosen = [{"option_id": option["id"], "item_group_id": g, "sort": sort} for sort, g in enumerate(members)]
        await uow.session.execute(insert(ExamPackageOptionGroup).values(chosen))
    return True


async def items_of_codes(uow: UnitOfWork, system: str, codes: Collection[str]) -> Sequence[tuple[str, Item]]:
    """Return (their code, our item) for those codes of a system that are mapped."""
    query = (
        select(ExternalCode.code, Item)
        .join(Item, Item.id == ExternalCode.item_id)
        .where(ExternalCode.system == system, ExternalCode.code.in_(codes))
    )
    return [(row[0], row[1]) for row in await uow.session.execute(query)]


async def external_code(uow: UnitOfWork, system: str, code: str) -> ExternalCode | None:
    """Return one mapping under its row lock."""
    query = select(ExternalCode).where(ExternalCode.system == system, ExternalCode.code == code).with_for_update()
    return (await uow.session.scalars(query)).first()


async def await_mappings(uow: UnitOfWork, system: str) -> None:
    """Wait for whoever maps codes of a system, and make the next one wait until this transaction has ended."""
    await uow.session.execute(_SHARE_CODES, {"system": system})


async def put_external_code(uow: UnitOfWork, system: str, code: str, item_id: UUID) -> None:
    """Write a mapping; two at once end with the later one, not with an error. Waits for those who found the code unknown."""
    await uow.session.execute(_HOLD_CODES, {"system": system})
    values = {"item_id": item_id, "created_at": uow.now, "created_by": uow.principal.id}
    query = insert(ExternalCode).values(system=system, code=code, **values)
    await uow.session.execute(query.on_conflict_do_update(index_elements=["system", "code"], set_=values))


async def external_codes_page(
    uow: UnitOfWork, *, system: str | None, item_id: UUID | None, after: Sequence[str] | None, size: int
) -> Sequence[ExternalCode]:
    """Return a page of mappings, one too many, by system and code."""
    wanted: list[ColumnElement[bool]] = []
    if system is not None:
        wanted.append(ExternalCode.system == system)
    if item_id is not None:
        wanted.append(ExternalCode.item_id == item_id)
    if after is not None:
        wanted.append(tuple_(ExternalCode.system, ExternalCode.code) > (after[0], after[1]))
    query = select(ExternalCode).where(*wanted).order_by(ExternalCode.system, ExternalCode.code).limit(size + 1)
    return (await uow.session.scalars(query)).all()


async def put_departments(uow: UnitOfWork, rows: Sequence[Row]) -> dict[str, int]:
    """Insert or update departments by code; return code → id."""
    query = insert(Department).values(list(rows))
    changed = {name: query.excluded[name] for name in ("name", "kind", "sort")}
    found = await uow.session.execute(
        query.on_conflict_do_update(index_elements=["code"], set_=changed).returning(Department.code, Department.id)
    )
    return {row[0]: row[1] for row in found}


async def put_items(uow: UnitOfWork, rows: Sequence[Row]) -> dict[str, UUID]:
    """Insert or update items by code, keeping the id of a row that is there, and its limits; return code → id."""
    query = insert(Item).values(list(rows))
    kept = ("id", "code", "judged", "laboratory_first", "plausible_low", "plausible_high", "delta_percent", "private")
    changed = {name: query.excluded[name] for name in rows[0] if name not in kept}
    found = await uow.session.execute(
        query.on_conflict_do_update(index_elements=["code"], set_=changed).returning(Item.code, Item.id)
    )
    return {row[0]: row[1] for row in found}


async def add_coded(
    uow: UnitOfWork, table: type[ItemGroup | ExamPackage], rows: Sequence[Row]
) -> tuple[dict[str, UUID], frozenset[str]]:
    """Insert item groups or packages whose code is not there in any edition; return code → id of all, and the codes that are new."""
    codes = [row["code"] for row in rows]
    there = {
        row[0]: row[1] for row in await uow.session.execute(select(table.code, table.id).where(table.code.in_(codes)))
    }
    new = [row for row in rows if row["code"] not in there]
    if new:
        await uow.session.execute(insert(table).values(new))
    return there | {row["code"]: row["id"] for row in new}, frozenset(row["code"] for row in new)


async def drop_ranges(uow: UnitOfWork, ids: Collection[UUID]) -> None:
    """Delete ranges."""
    await uow.session.execute(delete(ItemRange).where(ItemRange.id.in_(ids)))


async def add_ranges(uow: UnitOfWork, rows: Sequence[Row]) -> None:
    """Insert ranges that are not there yet; one that is keeps what the hospital made of it, its sign-off above all."""
    await uow.session.execute(insert(ItemRange).values(list(rows)).on_conflict_do_nothing(index_elements=["id"]))


async def add_units(uow: UnitOfWork, rows: Sequence[Row]) -> None:
    """Insert units that are not there yet; one that is keeps what the hospital made of it."""
    await uow.session.execute(insert(ItemUnit).values(list(rows)).on_conflict_do_nothing())


async def add_group_items(uow: UnitOfWork, rows: Sequence[Row]) -> None:
    """Give new item groups their items."""
    if rows:
        await uow.session.execute(insert(ItemGroupItem).values(list(rows)))


async def add_package_groups(uow: UnitOfWork, rows: Sequence[Row]) -> None:
    """Give new packages their item groups."""
    if rows:
        await uow.session.execute(insert(ExamPackageGroup).values(list(rows)))


def _named(
    name: InstrumentedAttribute[str], code: InstrumentedAttribute[str], q: str | None
) -> list[ColumnElement[bool]]:
    return [] if not q else [or_(name.icontains(q, autoescape=True), code.istartswith(q, autoescape=True))]
