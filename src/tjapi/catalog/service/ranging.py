"""Reference ranges as part of a dated edition: what an edition says of them holds from its day on, and ends what held before.

No range is ever changed: the one before ends the day before, so that an exam keeps what held on its own day.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from tjapi.catalog import repository
from tjapi.catalog.models import Item, ItemRange
from tjapi.catalog.rules import first_day_of_age, last_day_of_age, meeting
from tjapi.catalog.schemas import RangeIn, RangePolicyIn, RangePolicyOut, Starter
from tjapi.catalog.service.content import read_starter
from tjapi.identity import service as identity
from tjapi.kernel.ids import uuid7
from tjapi.kernel.problem import FieldError
from tjapi.kernel.uow import UnitOfWork

_SAID = (
    "low", "high", "critical_low", "critical_high", "normal_texts", "text", "source", "critical_source", "verified", "cite",
)  # fmt: skip
_MADE_OF_CONTENT = 5
_ONE_DAY = timedelta(days=1)


def shipped_ranges(starter: Starter | None = None) -> list[RangeIn]:
    """Return the ranges that ship and have not ended."""
    return [
        RangeIn.model_validate({**one.model_dump(exclude={"valid_from", "valid_to"}), "item": item.code})
        for item in (starter or read_starter()).items
        for one in item.ranges
        if one.valid_to is None
    ]


async def ranges_in_force(uow: UnitOfWork, on: date) -> dict[str, RangeIn]:
    """Return the ranges that hold from a day on, until somebody ends them, by what they are for."""
    return {row.key: row for row, _ in await _held(uow, on)}


async def item_units(uow: UnitOfWork) -> dict[str, str | None]:
    """Return the unit in which each item is kept, by its code."""
    return {item.code: item.unit for item in await repository.every_item(uow)}


async def ranges_tried(
    uow: UnitOfWork, rows: Sequence[RangeIn], on: date
) -> tuple[dict[str, list[ItemRange]], dict[str, list[ItemRange]]]:
    """Return the ranges of the items that a draft speaks of, by the item's code: as they are in force, and as they would be. Nothing is kept."""
    codes = {row.item for row in rows}
    now = {key: row for key, row in (await ranges_in_force(uow, on)).items() if row.item in codes}
    return _by_item(now.values(), on), _by_item((now | {row.key: row for row in rows}).values(), on)


def _by_item(rows: Iterable[RangeIn], on: date) -> dict[str, list[ItemRange]]:
    found: dict[str, list[ItemRange]] = {}
    for row in rows:
        if not row.withdrawn:
            found.setdefault(row.item, []).append(_row(UUID(int=0), row, on))
    return found


async def own_keys(uow: UnitOfWork, on: date) -> frozenset[str]:
    """Return which of them no release brought: the hospital's own."""
    return frozenset(row.key for row, held in await _held(uow, on) if held.id.version != _MADE_OF_CONTENT)


async def range_faults(uow: UnitOfWork, rows: Sequence[RangeIn], on: date) -> list[FieldError]:
    """Return what is wrong with ranges that are to hold: no such item, bounds that cross, the same twice, two for one person."""
    codes = await repository.item_codes(uow)
    found, seen = [], set()
    for i, row in enumerate(rows):
        at = f"/ranges/{i}"
        if row.item not in codes:
            found.append(FieldError(f"{at}/item", "item", f"没有项目 {row.item}", f"no item {row.item}"))
        for low, high in (("low", "high"), ("critical_low", "critical_high")):
            below, above = getattr(row, low), getattr(row, high)
            if below is not None and above is not None and below > above:
                found.append(FieldError(f"{at}/{low}", "bounds", "下限大于上限", "is above the upper bound"))
        if row.pregnant and row.sex == "male":
            found.append(FieldError(f"{at}/pregnant", "sex", "男性没有孕期区间", "no man is pregnant"))
        if row.key in seen:
            found.append(FieldError(at, "duplicate", "同一人群出现两次", "is there twice"))
        seen.add(row.key)
    if found:
        return found
    after = await ranges_in_force(uow, on) | {row.key: row for row in rows}
    place = {row.key: i for i, row in enumerate(rows)}
    by_item: dict[str, list[ItemRange]] = {}
    for row in after.values():
        if not row.withdrawn and row.item in {given.item for given in rows}:
            by_item.setdefault(row.item, []).append(_row(UUID(int=0), row, on))
    for item, held in by_item.items():
        for pair in meeting(held):
            keys = [RangeIn.key_of(item, one) for one in pair]
            at = next((f"/ranges/{place[key]}" for key in keys if key in place), "/ranges")
            found.append(FieldError(at, "overlap", f"{item} 的参考区间重叠", f"ranges of {item} overlap"))
    return found


async def put_ranges(uow: UnitOfWork, rows: Sequence[RangeIn], on: date) -> int:
    """Let ranges hold from a day on, or end (`withdrawn`); say how many are others then. Twice is once.

    One that was to begin that day or later never holds: another takes its place.
    """
    held: dict[str, list[tuple[RangeIn, ItemRange]]] = {}
    for one, stored in await _held(uow, on):
        held.setdefault(one.key, []).append((one, stored))
    items = {item.code: item for item in await repository.every_item(uow)}
    new: list[dict[str, Any]] = []
    changed = 0
    for row in rows:
        before = held.get(row.key, [])
        if before and not row.withdrawn and _said(before[-1][0]) == _said(row) and before[-1][1].valid_from <= on:
            continue
        if not before and row.withdrawn:
            continue
        changed += 1
        for _, stored in before:
            if stored.valid_from < on:
                stored.valid_to = on - _ONE_DAY
            else:
                await repository.drop_ranges(uow, [stored.id])
        if not row.withdrawn:
            new.append(_values(items[row.item].id, row, on))
    await uow.session.flush()
    if new:
        await repository.add_ranges(uow, new)
    if changed:
        await uow.audit("catalog.ranges_put", "catalog", "ranges", detail={"ranges": changed, "on": on.isoformat()})
    return changed


async def _held(uow: UnitOfWork, on: date) -> list[tuple[RangeIn, ItemRange]]:
    items: Mapping[UUID, Item] = {item.id: item for item in await repository.every_item(uow)}
    # Of what is for the same people the one that begins last stands last: it is the one that is to hold.
    found = sorted(await repository.ranges_of(uow, list(items)), key=lambda one: one.valid_from)
    return [
        (RangeIn.of(items[one.item_id].code, one), one) for one in found if one.valid_to is None or one.valid_to >= on
    ]


def _said(row: RangeIn) -> dict[str, Any]:
    said = {name: getattr(row, name) for name in _SAID}
    return {name: value.normalize() if isinstance(value, Decimal) else value for name, value in said.items()}


def _values(item_id: UUID, row: RangeIn, on: date) -> dict[str, Any]:
    return {
        **row.model_dump(exclude={"item", "withdrawn"}), "id": uuid7(), "item_id": item_id, "valid_from": on, "valid_to": None,
        "age_from_days": None if row.age_from is None else first_day_of_age(row.age_from),
        "age_to_days": None if row.age_to is None else last_day_of_age(row.age_to),
    }  # fmt: skip


def _row(item_id: UUID, row: RangeIn, on: date) -> ItemRange:
    return ItemRange(**_values(item_id, row, on))


async def range_policies(uow: UnitOfWork) -> list[RangePolicyOut]:
    """Return which range goes first at each campus that may be seen: ours, where nobody has said otherwise."""
    said = await repository.range_policies(uow)
    return [
        RangePolicyOut(
            campus_id=campus.id, laboratory_first=campus.id in said and said[campus.id].laboratory_first,
            changed_at=said[campus.id].changed_at if campus.id in said else None,
        )
        for campus in await identity.campuses(uow)
    ]  # fmt: skip


async def put_range_policy(uow: UnitOfWork, campus_id: int, given: RangePolicyIn) -> RangePolicyOut:
    """Say which range goes first at a campus from now on; what is judged already keeps its range. Raises CampusNotHeld."""
    await identity.held_campus(uow, campus_id)
    row = {
        "campus_id": campus_id,
        "laboratory_first": given.laboratory_first,
        "changed_by": uow.principal.id,
        "changed_at": uow.now,
    }
    await repository.put_range_policy(uow, row)
    detail = {"laboratory_first": given.laboratory_first}
    await uow.audit("catalog.range_policy_put", "range_policy", campus_id, campus_id=campus_id, detail=detail)
    return RangePolicyOut(campus_id=campus_id, laboratory_first=given.laboratory_first, changed_at=uow.now)


async def laboratory_goes_first(uow: UnitOfWork, campus_id: int) -> bool:
    """Say whether a campus lets the range that its laboratory sends go before ours; a unit of work asks once."""
    held = uow.session.info
    if "range_policies" not in held:
        held["range_policies"] = {
            key: row.laboratory_first for key, row in (await repository.range_policies(uow)).items()
        }
    return bool(held["range_policies"].get(campus_id, False))
