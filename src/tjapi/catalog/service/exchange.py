"""Packages copied, and the catalog as a file: told by codes, so that another hospital, or this one next year, can take it over.

A file adds and amends; it takes nothing away. What would change the meaning of what is known already is refused by name: the kind and the
unit of an item (its results would be compared with others), the items of an item group (exams that are under way would miss some). A
package that differs becomes the next edition: exams keep the edition they were made of. A preview is the import itself, undone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Literal, cast
from uuid import UUID

from tjapi.catalog import repository
from tjapi.catalog.errors import (
    CatalogFileInvalid,
    ExamPackageCodeTaken,
    ExamPackageContradiction,
    ExamPackageEditionNotAhead,
    ItemGroupNotFound,
)
from tjapi.catalog.models import ExamPackage, Item, ItemGroup
from tjapi.catalog.rules import ApplicableSex
from tjapi.catalog.schemas import (
    CatalogChange,
    CatalogFile,
    CatalogImportIn,
    CatalogImportOut,
    ExamPackageDetail,
    ExamPackageIn,
    FileExclusion,
    FileGroup,
    FileItem,
    FileOption,
    FilePackage,
    PackageCopyIn,
    PackageOptionIn,
)
from tjapi.catalog.service.content import add_package, departments, package, package_groups, package_options
from tjapi.kernel.clock import business_day
from tjapi.kernel.ids import uuid7
from tjapi.kernel.problem import FieldError
from tjapi.kernel.uow import UnitOfWork

_FIRST_DAY = date(2000, 1, 1)
_ITEM = (
    "name", "kind", "unit", "ucum", "loinc", "decimals", "choices", "normal_default", "sort", "active", "judged", "laboratory_first", "plausible_low",
    "plausible_high", "delta_percent", "private",
)  # fmt: skip
_NUMBERS = ("plausible_low", "plausible_high")
"""Numbers that a file holds as text."""
_MEANING = ("kind", "unit")
"""What a value of an item means: never changed by a file."""
_GROUP = (
    "name", "price_fen", "specimen", "container", "fasting", "section", "minutes_after", "send_out", "groups_per_tube", "precaution",
    "performed_by", "sex", "resource", "age_from_years", "age_to_years", "not_when_pregnant", "sort", "active",
)  # fmt: skip
_Kind = Literal["item", "item_group", "package"]


def _numbers_of(row: FileItem) -> dict[str, Any]:
    """Return an item of a file as its columns hold it."""
    values = row.model_dump()
    return values | {name: None if values[name] is None else Decimal(values[name]) for name in _NUMBERS}


async def copy_package(uow: UnitOfWork, package_id: UUID, new: PackageCopyIn) -> ExamPackageDetail:
    """Enter a package like another one. Raises ExamPackageNotFound, ExamPackageCodeTaken, and what entering a package raises."""
    source = await package(uow, package_id)
    if await repository.latest_package(uow, new.code) is not None:
        raise ExamPackageCodeTaken(errors=[FieldError("/code", "taken", "代码已被使用", "is taken")])
    made = ExamPackageIn(
        code=new.code, name=new.name, sex=cast("ApplicableSex", source.sex), price_fen=source.price_fen if new.price_fen is None else new.price_fen,
        valid_from=new.valid_from, valid_to=new.valid_to, item_group_ids=[g.id for g in await package_groups(uow, package_id)],
        options=[
            PackageOptionIn(name=o.name, choose=o.choose, item_group_ids=[g.id for g in o.groups])
            for o in await package_options(uow, package_id)
        ],
    )  # fmt: skip
    copied = await add_package(uow, made)
    detail = {"from": source.code, "edition": source.edition}
    await uow.audit("exam_package.copied", "exam_package", copied.id, detail=detail)
    return copied


async def export_catalog(uow: UnitOfWork) -> CatalogFile:
    """Return every item and item group, and the latest edition of every package that is in use."""
    known = await _Known.read(uow)
    await uow.audit("catalog.exported", "catalog", "file")
    return CatalogFile(
        format="tjapi-catalog", version=1, exported_at=uow.now, items=[known.file_item(item) for item in known.items.values()],
        item_groups=[known.file_group(group) for group in known.groups.values()],
        packages=[await _file_package(uow, one) for one in known.packages.values() if one.active],
    )  # fmt: skip


async def import_catalog(uow: UnitOfWork, new: CatalogImportIn) -> CatalogImportOut:
    """Take a file over, all of it or nothing; without `commit` say what it would change. Taking it over twice is once.

    Raises CatalogFileInvalid, naming every row and field.
    """
    await repository.hold_catalog(uow)
    savepoint = await uow.session.begin_nested()
    done = _Import(new.file)
    await done.run(uow)
    if done.errors:
        raise CatalogFileInvalid(errors=done.errors)
    if new.commit:
        counts: dict[str, int] = {}
        for change in done.changes:
            counts[f"{change.kind}_{change.change}"] = counts.get(f"{change.kind}_{change.change}", 0) + 1
        await uow.audit("catalog.imported", "catalog", "file", detail=counts)
    else:
        await uow.session.flush()
        await savepoint.rollback()
    return CatalogImportOut(committed=new.commit, same=done.same, changes=done.changes)


@dataclass(slots=True)
class _Known:
    """What the catalog holds, by code."""

    items: dict[str, Item]
    groups: dict[str, ItemGroup]
    packages: dict[str, ExamPackage]
    departments: dict[int, str]
    items_of: dict[UUID, list[str]]
    excludes: dict[UUID, list[FileExclusion]]

    @classmethod
    async def read(cls, uow: UnitOfWork, *, lock: bool = False) -> "_Known":
        items = await repository.every_item(uow)
        groups = await repository.every_item_group(uow, lock=lock)
        items_of: dict[UUID, list[str]] = {}
        for group_id, item in await repository.items_of_groups(uow, [g.id for g in groups]):
            items_of.setdefault(group_id, []).append(item.code)
        codes = {g.id: g.code for g in groups}
        excludes: dict[UUID, list[FileExclusion]] = {}
        for pair in await repository.exclusions(uow, list(codes)):
            for one, other in ((pair.first_id, pair.second_id), (pair.second_id, pair.first_id)):
                excludes.setdefault(one, []).append(FileExclusion(code=codes[other], reason=pair.reason))
        for rows in excludes.values():
            rows.sort(key=lambda row: row.code)
        packages = {p.code: p for p in await repository.latest_packages(uow)}
        names = {d.id: d.code for d in await departments(uow)}
        return cls({i.code: i for i in items}, {g.code: g for g in groups}, packages, names, items_of, excludes)

    @staticmethod
    def file_item(item: Item) -> FileItem:
        said = {name: getattr(item, name) for name in _ITEM}
        numbers = {name: None if said[name] is None else f"{said[name]:f}" for name in _NUMBERS}
        return FileItem.model_validate({"code": item.code, **said, **numbers})

    def file_group(self, group: ItemGroup) -> FileGroup:
        return FileGroup.model_validate(
            {
                "code": group.code, "department": self.departments[group.department_id], "items": self.items_of.get(group.id, []),
                "excludes": self.excludes.get(group.id, []), **{name: getattr(group, name) for name in _GROUP},
            }
        )  # fmt: skip


async def _file_package(uow: UnitOfWork, one: ExamPackage) -> FilePackage:
    return FilePackage.model_validate(
        {
            "code": one.code, "name": one.name, "sex": one.sex, "price_fen": one.price_fen, "valid_from": one.valid_from,
            "valid_to": one.valid_to, "groups": [g.code for g in await package_groups(uow, one.id)],
            "options": [
                FileOption(name=o.name, choose=o.choose, groups=[g.code for g in o.groups])
                for o in await package_options(uow, one.id)
            ],
        }
    )  # fmt: skip


@dataclass(slots=True)
class _Import:
    """A file on its way into the catalog."""

    file: CatalogFile
    changes: list[CatalogChange] = field(default_factory=list)
    errors: list[FieldError] = field(default_factory=list)
    same: int = 0

    async def run(self, uow: UnitOfWork) -> None:
        """Take over as much as has no fault; with a fault nothing of it stays."""
        known = await _Known.read(uow, lock=True)
        self._refuse_twice()
        await self._items(uow, known)
        await self._groups(uow, known)
        if not self.errors:
            await uow.session.flush()
            known = await _Known.read(uow)
            await self._exclusions(uow, known)
        if not self.errors:
            await self._packages(uow, known)

    def _refuse_twice(self) -> None:
        for place, rows in (
            ("items", self.file.items),
            ("item_groups", self.file.item_groups),
            ("packages", self.file.packages),
        ):
            seen: set[str] = set()
            for i, row in enumerate(cast("Sequence[FileItem]", rows)):
                if row.code in seen:
                    self._fault(
                        f"/file/{place}/{i}/code", "twice", f"代码 {row.code} 重复", f"{row.code} appears twice"
                    )
                seen.add(row.code)

    async def _items(self, uow: UnitOfWork, known: _Known) -> None:
        added = []
        for i, row in enumerate(self.file.items):
            there = known.items.get(row.code)
            if there is None:
                added.append({"id": uuid7(), **_numbers_of(row), "private": bool(row.private)})
                self._say("item", row.code, "added", [])
                continue
            values = _numbers_of(row)
            if row.private is None:  # a file that says nothing of it lifts no mark
                values["private"] = there.private
            differs = _differing(there, values, _ITEM)
            for name in (name for name in differs if name in _MEANING):
                self._fault(
                    f"/file/items/{i}/{name}", "meaning-differs", f"{row.code} 已存在,结果类型和单位不能由文件更改",
                    f"{row.code} is known: its kind and unit are not changed by a file",
                )  # fmt: skip
            self._amend("item", there, values, differs)
        if not self.errors:
            await repository.add_items(uow, added)
            for made in added:
                known.items[made["code"]] = Item(**made)

    async def _groups(self, uow: UnitOfWork, known: _Known) -> None:
        codes = {code: number for number, code in known.departments.items()}
        for i, row in enumerate(self.file.item_groups):
            place = f"/file/item_groups/{i}"
            self._check_group(place, row, known, codes)
            there, values = known.groups.get(row.code), row.model_dump()
            if there is not None:
                differs = _differing(there, values, _GROUP)
                if sorted(known.items_of.get(there.id, [])) != sorted(row.items):
                    self._fault(
                        f"{place}/items", "items-differ", f"{row.code} 已存在,其明细项目不能由文件更改,请用新代码",
                        f"{row.code} is known: its items are not changed by a file; take another code",
                    )  # fmt: skip
                if known.departments[there.department_id] != row.department:
                    differs.append("department")
                    there.department_id = codes.get(row.department, there.department_id)
                self._amend("item_group", there, values, differs)
                if differs:
                    there.version += 1
                continue
            self._say("item_group", row.code, "added", [])
            if self.errors:
                continue
            made = {
                "id": uuid7(),
                "code": row.code,
                "department_id": codes[row.department],
                **{n: values[n] for n in _GROUP},
            }
            await repository.add_item_group(uow, made, [known.items[code].id for code in row.items])

    def _check_group(self, place: str, row: FileGroup, known: _Known, codes: Mapping[str, int]) -> None:
        if row.department not in codes:
            self._fault(f"{place}/department", "not-found", "没有这个科室", "no such department")
        for k, code in enumerate(row.items):
            if code not in known.items and code not in {item.code for item in self.file.items}:
                self._fault(f"{place}/items/{k}", "not-found", f"没有项目 {code}", f"no item {code}")
        if len(set(row.items)) < len(row.items):
            self._fault(f"{place}/items", "twice", "明细项目重复", "an item appears twice")
        if (row.container is None) == (row.performed_by == "lis"):
            self._fault(
                f"{place}/container", "contradiction", "送检项目必须有容器,科室检查不能有",
                "what the LIS does needs one, the rest has none",
            )  # fmt: skip
        low, high = row.age_from_years, row.age_to_years
        if low is not None and high is not None and low > high:
            self._fault(f"{place}/age_to_years", "before-start", "小于起始年龄", "is less than the first age")

    async def _exclusions(self, uow: UnitOfWork, known: _Known) -> None:
        told = {change.code for change in self.changes if change.kind == "item_group"}
        for i, row in enumerate(self.file.item_groups):
            group = known.groups[row.code]
            before = {(e.code, e.reason) for e in known.excludes.get(group.id, [])}
            pairs = []
            for k, other in enumerate(row.excludes):
                if other.code not in known.groups or other.code == row.code:
                    self._fault(f"/file/item_groups/{i}/excludes/{k}/code", "not-found", "没有这个组合项目,或为其自身", "no such item group, or itself")  # fmt: skip
                elif (other.code, other.reason) not in before:
                    ids = sorted((group.id, known.groups[other.code].id))
                    pairs.append({"first_id": ids[0], "second_id": ids[1], "reason": other.reason})
            if pairs:
                await repository.put_exclusions(uow, pairs)
                if row.code not in told:
                    group.version += 1
                    self.same -= 1
                    self._say("item_group", row.code, "changed", ["excludes"])

    async def _packages(self, uow: UnitOfWork, known: _Known) -> None:
        for i, row in enumerate(self.file.packages):
            there = known.packages.get(row.code)
            before = await _file_package(uow, there) if there is not None else None
            # A file that says no first or last day does not say that there is none.
            said = [n for n in FilePackage.model_fields if not (n.startswith("valid_") and getattr(row, n) is None)]
            differs = [name for name in said if before is not None and getattr(before, name) != getattr(row, name)]
            if before is not None and not differs:
                self.same += 1
                continue
            if await self._enter(uow, f"/file/packages/{i}", row, known):
                self._say("package", row.code, "added" if before is None else "new_edition", differs)

    async def _enter(self, uow: UnitOfWork, place: str, row: FilePackage, known: _Known) -> bool:
        named = [(f"groups/{k}", code) for k, code in enumerate(row.groups)]
        named += [
            (f"options/{n}/groups/{k}", code) for n, o in enumerate(row.options) for k, code in enumerate(o.groups)
        ]
        missing = [(at, code) for at, code in named if code not in known.groups]
        for at, code in missing:
            self._fault(f"{place}/{at}", "not-found", f"没有组合项目 {code}", f"no item group {code}")
        if missing:
            return False
        try:
            new = ExamPackageIn(
                code=row.code, name=row.name, sex=row.sex, price_fen=row.price_fen,
                valid_from=row.valid_from or (_FIRST_DAY if row.code not in known.packages else business_day(uow.now)),
                valid_to=row.valid_to, item_group_ids=[known.groups[code].id for code in row.groups],
                options=[
                    PackageOptionIn(name=o.name, choose=o.choose, item_group_ids=[known.groups[c].id for c in o.groups])
                    for o in row.options
                ],
            )  # fmt: skip
            await add_package(uow, new)
        except (ExamPackageContradiction, ExamPackageEditionNotAhead, ItemGroupNotFound) as problem:
            found = problem.errors or (FieldError("", problem.slug(), problem.zh, problem.en),)
            for error in found:
                pointer = error.pointer.replace("/item_group_ids", "/groups")
                self._fault(f"{place}{pointer}", error.code, error.zh, error.en)
            return False
        return True

    def _amend(self, kind: _Kind, there: Item | ItemGroup, values: Mapping[str, Any], differs: Sequence[str]) -> None:
        if not differs:
            self.same += 1
            return
        for name in differs:
            if name in values and name != "department":
                setattr(there, name, values[name])
        self._say(kind, there.code, "changed", differs)

    def _say(
        self, kind: _Kind, code: str, change: Literal["added", "changed", "new_edition"], fields: Sequence[str]
    ) -> None:
        self.changes.append(CatalogChange(kind=kind, code=code, change=change, fields=sorted(fields)))

    def _fault(self, pointer: str, code: str, zh: str, en: str) -> None:
        self.errors.append(FieldError(pointer, code, zh, en))


def _differing(there: Item | ItemGroup, values: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    return [name for name in names if getattr(there, name) != values[name]]
