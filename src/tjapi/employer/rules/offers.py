"""Whether what a group offers holds together, judged when it is saved: nobody should find out at the desk that it never could. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from uuid import UUID

from tjapi.catalog.rules import sharing
from tjapi.employer.rules.campaigns import Criterion

Exclusions = Mapping[frozenset[UUID], str]
_OLDEST = 200
_SEXES = {"male": ("男性", "men"), "female": ("女性", "women")}
_MOST_TRIES = 20_000
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
    items: frozenset[UUID] = frozenset()


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
    exclusions: Exclusions, period: tuple[date, date], discounted: Sequence[UUID | None] = (),
) -> list[OfferFault]:  # fmt: skip
    """Return what of a group's offer can never be.

    That is: nothing at all, retired, for nobody whom the rule admits, for one sex of two, twice,
    excluding each other or examining the same, not to be chosen so often, cheaper by a package that it lacks.

    `discounted`: by row of the discount plan, the package it is of.
    """
    admitted = list(criteria) or [Criterion()]
    found = (
        []
        if packages or further or choices
        else [OfferFault("", "empty", "分组没有任何项目", "the group offers nothing")]
    )
    found += _twice_faults(packages, further, choices) + _sex_faults(criteria, packages)
    held = {package.id for package in packages}
    found += [
        OfferFault(
            f"/discounts/{i}/target_id", "not-in-group", "分组不含该套餐", "the group does not offer this package"
        )
        for i, one in enumerate(discounted)
        if one is not None and one not in held
    ]
    found += [fault for i, package in enumerate(packages) for fault in _package_faults(i, package, admitted, period)]
    for j, group in enumerate(further):
        found += _group_faults(f"/item_group_ids/{j}", group, admitted)
    for k, choice in enumerate(choices):
        for j, group in enumerate(choice.groups):
            found += _group_faults(f"/choices/{k}/item_group_ids/{j}", group, admitted)
    found += _excluded_faults(packages, further, exclusions)
    bases = [(*package.groups, *further) for package in packages] or [tuple(further)]
    found += _choice_faults(choices, bases, exclusions)
    return found


def _twice_faults(
    packages: Sequence[OfferedPackage], further: Sequence[Offered], choices: Sequence[OfferedChoice]
) -> list[OfferFault]:
    lists: list[tuple[str, Sequence[Offered | OfferedPackage]]] = [
        ("/package_ids", packages),
        ("/item_group_ids", further),
    ]
    lists += [(f"/choices/{k}/item_group_ids", choice.groups) for k, choice in enumerate(choices)]
    return [
        OfferFault(f"{pointer}/{j}", "twice", f"{one.name} 重复", f"{one.name} appears twice")
        for pointer, some in lists
        for j, one in enumerate(some)
        if any(other.id == one.id for other in some[:j])
    ]


def _sex_faults(criteria: Sequence[Criterion], packages: Sequence[OfferedPackage]) -> list[OfferFault]:
    """Name a sex that the rule admits and for which there is no package; a group whose members are put there by hand admits whom a person puts."""
    asked = [sex for sex in _SEXES if any(row.sex in ("any", sex) for row in criteria)]
    served = [
        sex
        for sex in asked
        if any(one.sex in ("any", sex) and all(g.sex in ("any", sex) for g in one.groups) for one in packages)
    ]
    return [
        OfferFault(
            "/package_ids", "no-package-for-sex", f"分组含{_SEXES[sex][0]},但没有适合的套餐",
            f"it admits {_SEXES[sex][1]}, and has no package for them",
        )
        for sex in asked
        if served and sex not in served
    ]  # fmt: skip


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
            elif sharing(second.items, first.items) == "shares" and not pointer.startswith("/package_ids"):
                found.setdefault((pointer, pair), _overlapping(pointer, first, second))
    return list(found.values())


def _excluded(pointer: str, first: Offered, second: Offered, reason: str) -> OfferFault:
    return OfferFault(
        pointer, "excluded", f"{second.name} 与 {first.name} 互斥:{reason}", f"{second.name} and {first.name}: {reason}"
    )  # fmt: skip


def _overlapping(pointer: str, first: Offered, second: Offered) -> OfferFault:
    return OfferFault(
        pointer, "overlaps", f"{second.name} 与 {first.name} 有部分相同项目,不能同时开",
        f"{second.name} and {first.name} share some of their items: they cannot be ordered together",
    )  # fmt: skip


def _against(one: Offered, base: Sequence[Offered], exclusions: Exclusions) -> str | None:
    """Say why something cannot be chosen beside what is there anyway: excluded by it, part of it, or sharing items with it."""
    if any(frozenset((one.id, held.id)) in exclusions for held in base if held.id != one.id):
        return "excluded"
    said = {"contained" if held.id == one.id else sharing(one.items, held.items) for held in base}
    return "contained" if "contained" in said else "overlaps" if "shares" in said else None


_AGAINST = {
    "excluded": ("与分组已含项目互斥,无法选择", "is excluded by what the group holds already"),
    "contained": ("已包含在分组已有项目中,无需选择", "is part of what the group holds already"),
    "overlaps": ("与分组已有项目部分重复,无法选择", "shares items with what the group holds already"),
}


def _choice_faults(
    choices: Sequence[OfferedChoice], bases: Sequence[Sequence[Offered]], exclusions: Exclusions
) -> list[OfferFault]:
    found = []
    known = {one.id: one for choice in choices for one in choice.groups}
    excludes: Callable[[UUID, UUID], bool] = lambda one, other: (  # noqa: E731 - said once, here
        frozenset((one, other)) in exclusions or sharing(known[one].items, known[other].items) is not None
    )
    offered: list[list[set[UUID]]] = []
    for k, choice in enumerate(choices):
        names = {one.id: one.name for one in choice.groups}
        free = [{one.id for one in choice.groups if _against(one, base, exclusions) is None} for base in bases]
        offered.append(free)
        for j, one in enumerate(choice.groups):
            if not any(one.id in some for some in free):
                code = next(why for base in bases if (why := _against(one, base, exclusions)))
                zh, en = _AGAINST[code]
                found.append(
                    OfferFault(f"/choices/{k}/item_group_ids/{j}", code, f"{one.name} {zh}", f"{one.name} {en}")
                )
        most = max((_most_together(some, excludes) for some in free), default=0)
        if most < choice.choose <= len(names):
            zh = f"「{choice.name}」因互斥最多只能同时选 {most} 项"
            found.append(
                OfferFault(f"/choices/{k}/choose", "unsatisfiable", zh, f"{choice.name}: at most {most} go together")
            )
    together = range(len(choices))
    if not found and len(choices) > 1 and not any(
        _all_at_once([(sorted(offered[k][b]), choices[k].choose) for k in together], excludes) for b in range(len(bases))
    ):  # fmt: skip
        named = "、".join(f"「{choice.name}」" for choice in choices)
        found.append(
            OfferFault("/choices", "unsatisfiable", f"{named}不能同时选满", "the choices cannot all be made at once")
        )
    return found


def _all_at_once(choices: Sequence[tuple[Sequence[UUID], int]], excludes: Callable[[UUID, UUID], bool]) -> bool:
    """Say whether every choice can be made in full beside the others. After so many tries it is taken as possible: the booking says the rest."""
    left = _MOST_TRIES

    def go(k: int, begin: int, need: int, taken: tuple[UUID, ...]) -> bool:
        nonlocal left
        if need == 0:
            return k + 1 == len(choices) or go(k + 1, 0, choices[k + 1][1], taken)
        some = choices[k][0]
        for i in range(begin, len(some) - need + 1):
            left -= 1
            if left < 0:
                return True
            one = some[i]
            if (
                one not in taken
                and not any(excludes(one, other) for other in taken)
                and go(k, i + 1, need - 1, (*taken, one))
            ):
                return True
        return False

    return go(0, 0, choices[0][1], ())


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
