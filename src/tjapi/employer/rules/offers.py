"""Whether what a group offers holds together, judged when it is saved: nobody should find out at the desk that it never could. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from uuid import UUID

from tjapi.employer.rules.campaigns import Criterion

Exclusions = Mapping[frozenset[UUID], str]
_OLDEST = 200
_MOST_TRIED = 12
"""Of so many that exclude each other every combination is tried; of more they are taken one after the other."""


@dataclass(frozen=True, slots=True)
class Offered:
    """An item group, and for whom it is."""

    id: UUID
    name: str
    sex: str = "any"
    age_from: int | None = None
    age_to: int | None = None
    active: bool = True


@dataclass(frozen=True, slots=True)
class OfferedPackage:
    """A package, for whom and when it is, and what it holds."""

    id: UUID
    name: str
    sex: str = "any"
    active: bool = True
    valid_from: date | None = None
    valid_to: date | None = None
    groups: tuple[Offered, ...] = ()


@dataclass(frozen=True, slots=True)
class OfferedChoice:
    """So many of these."""

    name: str
    choose: int
    groups: tuple[Offered, ...]


@dataclass(frozen=True, slots=True)
class OfferFault:
    """Where a group contradicts itself, and how."""

    pointer: str
    code: str
    zh: str
    en: str


def offer_faults(
    criteria: Sequence[Criterion], packages: Sequence[OfferedPackage], further: Sequence[Offered], choices: Sequence[OfferedChoice],
    exclusions: Exclusions, period: tuple[date, date],
) -> list[OfferFault]:  # fmt: skip
    """Return what of a group's offer can never be: retired, for nobody whom the rule admits, excluding each other, not to be chosen so often."""
    admitted = list(criteria) or [Criterion()]
    found = [fault for i, package in enumerate(packages) for fault in _package_faults(i, package, admitted, period)]
    for j, group in enumerate(further):
        found += _group_faults(f"/item_group_ids/{j}", group, admitted)
    for k, choice in enumerate(choices):
        for j, group in enumerate(choice.groups):
            found += _group_faults(f"/choices/{k}/item_group_ids/{j}", group, admitted)
    found += _excluded_faults(packages, further, exclusions)
    bases = [{*(one.id for one in package.groups), *(one.id for one in further)} for package in packages]
    found += _choice_faults(choices, bases or [{one.id for one in further}], exclusions)
    return found


def _package_faults(
    i: int, package: OfferedPackage, admitted: Sequence[Criterion], period: tuple[date, date]
) -> list[OfferFault]:
    pointer, name = f"/package_ids/{i}", package.name
    if not package.active or not package.groups:
        return [OfferFault(pointer, "not-offered", f"{name}:已停用或没有项目", f"{name}: out of use, or empty")]
    if (package.valid_to and package.valid_to < period[0]) or (package.valid_from and package.valid_from > period[1]):
        return [
            OfferFault(pointer, "not-valid", f"{name}:有效期不含任务期间", f"{name}: not valid in the campaign's days")
        ]
    found = [
        OfferFault(pointer, "not-offered", f"{name}:{one.name} 已停用", f"{name}: {one.name} is out of use")
        for one in package.groups
        if not one.active
    ]
    if not _fits_somebody(admitted, [Offered(package.id, name, package.sex), *package.groups]):
        found.append(_for_nobody(pointer, name))
    return found


def _group_faults(pointer: str, group: Offered, admitted: Sequence[Criterion]) -> list[OfferFault]:
    if not group.active:
        return [OfferFault(pointer, "not-offered", f"{group.name} 已停用", f"{group.name} is out of use")]
    return [] if _fits_somebody(admitted, [group]) else [_for_nobody(pointer, group.name)]


def _for_nobody(pointer: str, name: str) -> OfferFault:
    return OfferFault(
        pointer, "fits-nobody", f"{name}:不适用于分组条件所含的任何人(性别或年龄)",
        f"{name}: fits nobody whom the group's rule admits, by sex or age",
    )  # fmt: skip


def _fits_somebody(admitted: Sequence[Criterion], groups: Sequence[Offered]) -> bool:
    return any(
        sex in ("any", row.sex) or row.sex == "any"
        for row in admitted
        for sex in [_one_sex(one.sex for one in groups)]
        if sex is not None and _one_age(row, groups)
    )


def _one_sex(sexes: Iterable[str]) -> str | None:
    """Return for which sex all of it is; None: some of it for each, which nobody is."""
    said = {sex for sex in sexes if sex != "any"}
    if len(said) > 1:
        return None
    return next(iter(said), "any")


def _one_age(row: Criterion, groups: Sequence[Offered]) -> bool:
    low = max([row.age_from or 0, *(one.age_from or 0 for one in groups)])
    high = min(
        [
            _OLDEST if row.age_to is None else row.age_to,
            *(_OLDEST if one.age_to is None else one.age_to for one in groups),
        ]
    )
    return low <= high


def _excluded_faults(
    packages: Sequence[OfferedPackage], further: Sequence[Offered], exclusions: Exclusions
) -> list[OfferFault]:
    found: dict[tuple[str, frozenset[UUID]], OfferFault] = {}
    own = [(f"/item_group_ids/{j}", one) for j, one in enumerate(further)]
    held = [[(f"/package_ids/{i}", one) for one in package.groups] for i, package in enumerate(packages)]
    for together in [[*inside, *own] for inside in held] or [own]:
        for (_, first), (pointer, second) in combinations(together, 2):
            pair = frozenset((first.id, second.id))
            if pair in exclusions:
                found.setdefault((pointer, pair), _excluded(pointer, first, second, exclusions[pair]))
    return list(found.values())


def _excluded(pointer: str, first: Offered, second: Offered, reason: str) -> OfferFault:
    return OfferFault(
        pointer, "excluded", f"{second.name} 与 {first.name} 互斥:{reason}", f"{second.name} and {first.name}: {reason}"
    )  # fmt: skip


def _choice_faults(
    choices: Sequence[OfferedChoice], bases: Sequence[set[UUID]], exclusions: Exclusions
) -> list[OfferFault]:
    found = []
    excludes: Callable[[UUID, UUID], bool] = lambda one, other: frozenset((one, other)) in exclusions  # noqa: E731 - said once, here
    for k, choice in enumerate(choices):
        names = {one.id: one.name for one in choice.groups}
        free = [{one for one in names if not any(excludes(one, held) for held in base)} for base in bases]
        for j, one in enumerate(choice.groups):
            if not any(one.id in some for some in free):
                zh, en = (
                    f"{one.name} 与分组已含项目互斥,无法选择",
                    f"{one.name} is excluded by what the group holds already",
                )
                found.append(OfferFault(f"/choices/{k}/item_group_ids/{j}", "excluded", zh, en))
        most = max((_most_together(some, excludes) for some in free), default=0)
        if most < choice.choose <= len(names):
            zh = f"「{choice.name}」因互斥最多只能同时选 {most} 项"
            found.append(
                OfferFault(f"/choices/{k}/choose", "unsatisfiable", zh, f"{choice.name}: at most {most} go together")
            )
    return found


def _most_together(some: set[UUID], excludes: Callable[[UUID, UUID], bool]) -> int:
    """Return how many of these can be chosen at once."""
    bound = sorted(one for one in some if any(excludes(one, other) for other in some if other != one))
    free = len(some) - len(bound)
    if len(bound) <= _MOST_TRIED:
        for size in range(len(bound), 0, -1):
            if any(not any(excludes(*pair) for pair in combinations(tried, 2)) for tried in combinations(bound, size)):
                return free + size
        return free
    taken: list[UUID] = []
    for one in sorted(bound, key=lambda one: sum(excludes(one, other) for other in bound)):
        if not any(excludes(one, other) for other in taken):
            taken.append(one)
    return free + len(taken)
