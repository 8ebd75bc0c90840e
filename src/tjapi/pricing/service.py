"""The verbs of pricing: a quote."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from tjapi.catalog import service as catalog
from tjapi.catalog.service import ExamPackage, ItemGroup, PackageOption
from tjapi.employer import service as employers
from tjapi.employer.errors import MemberNotPlaced
from tjapi.employer.rules.campaigns import years_on
from tjapi.employer.service import CampaignGroup, Member
from tjapi.examinee import service as examinees
from tjapi.kernel.clock import business_day
from tjapi.kernel.problem import FieldError, Problem, naming
from tjapi.kernel.uow import UnitOfWork
from tjapi.pricing.errors import (
    CapExceeded,
    ChoiceInvalid,
    ItemGroupContained,
    ItemGroupNotForSex,
    ItemGroupNotOffered,
    ItemGroupOverlaps,
    ItemGroupsExclude,
    ItemGroupTwice,
    ItemGroupUnsuitable,
    PackageChoiceInvalid,
    PackageForOtherSex,
    PackageNotOffered,
    PregnancyContradictsSex,
    SexNotKnown,
)
from tjapi.pricing.rules import (
    SEXES,
    Misfit,
    Overlap,
    Person,
    Way,
    allocate,
    contained,
    employer_shares,
    instead,
    misfits,
    overlaps,
    package_for,
    reduced,
)
from tjapi.pricing.schemas import ChoiceIn, ContainedOut, PriceReason, QuotedLineOut, QuoteIn, QuoteOut


@dataclass(frozen=True, slots=True)
class QuotedLine:
    """What one item group costs, and why; `reasons` are PriceReason as JSON, whose amounts sum to the price.

    `pointer` is where in the request it was asked for. Who pays is a reason of its own, of amount 0: it does not change the price.
    """

    item_group: ItemGroup
    list_price_fen: int
    price_fen: int
    reasons: list[dict[str, Any]]
    pointer: str = "/package_id"
    employer_share_fen: int = 0

    @property
    def person_share_fen(self) -> int:
        """What the person pays of it."""
        return self.price_fen - self.employer_share_fen


@dataclass(frozen=True, slots=True)
class Contained:
    """An item group that was left out, because another one that is ordered examines all of it."""

    item_group: ItemGroup
    within: ItemGroup


_MOST_ADD_ONS = 500
_NAMED = 3
"""How many shared items a refusal names."""


@dataclass(frozen=True, slots=True)
class Quote:
    """What it all costs: package lines in the package's order, then what was added in the order asked for."""

    lines: tuple[QuotedLine, ...]
    contained: tuple[Contained, ...] = ()
    package: ExamPackage | None = None

    @property
    def total_fen(self) -> int:
        """The sum of the lines."""
        return sum(line.price_fen for line in self.lines)


async def quote(
    uow: UnitOfWork, package_id: UUID | None, added_group_ids: Sequence[UUID], *, choices: Sequence[ChoiceIn] = (),
    person: Person | None = None, on: date | None = None, beside: Mapping[UUID, Way] | None = None, apart: Collection[UUID] = (),
) -> Quote:  # fmt: skip
    """Say what is ordered and what it costs: the package with what was chosen in it, and what was added.

    What another group examines wholly is left out and said to be: of what was added nothing is charged, of what the package holds its
    share is given back where an added group examines it. What overlaps otherwise is refused: `beside` is what the exam has already, and
    what may become of it. `person` None, or facts of them that are not known, refuse nothing, and nothing is asked of what is `apart`: it
    is priced and not examined. Raises ExamPackageNotFound,
    ItemGroupNotFound, PackageNotOffered, PackageChoiceInvalid, ItemGroupNotOffered, ItemGroupTwice, ItemGroupOverlaps, ItemGroupContained,
    ItemGroupsExclude, ItemGroupUnsuitable, ItemGroupNotForSex.
    """
    with naming("/package_id"):
        package = await catalog.package(uow, package_id) if package_id is not None else None
    bundled = await _bundled(uow, package, choices, on or business_day(uow.now))
    added = await catalog.item_groups(uow, added_group_ids, "/item_group_ids")
    _refuse_twice([group for _, group in bundled], added)
    asked = [*bundled, *((f"/item_group_ids/{i}", group) for i, group in enumerate(added))]
    _refuse_retired(asked)
    ways = {group_id: way for group_id, way in (beside or {}).items() if group_id not in {g.id for _, g in asked}}
    there = await catalog.item_groups(uow, list(ways))
    lines, left_out = await _resolved(uow, package, bundled, asked, there, ways)
    await _refuse_exclusions(uow, lines, there)
    _refuse_misfits([line for line in lines if line.item_group.id not in apart], person or Person())
    return Quote(tuple(lines), tuple(left_out), package)


async def ask(uow: UnitOfWork, asked: QuoteIn) -> Quote:
    """Answer a quote for somebody registered, for somebody described, or for nobody in particular. Raises what `quote` raises, ExamineeNotFound."""
    on = asked.on or business_day(uow.now)
    person = Person(asked.sex, asked.age_years, asked.pregnant)
    if asked.examinee_id is not None:
        with naming("/examinee_id"):
            known = await examinees.get(uow, asked.examinee_id)
        birth = known.birth_date
        years = on.year - birth.year - ((on.month, on.day) < (birth.month, birth.day))
        person = Person(known.sex, years, asked.pregnant)
    refuse_pregnant_man(person)
    return await quote(uow, asked.package_id, asked.item_group_ids, choices=asked.choices, person=person, on=on)


def refuse_pregnant_man(person: Person) -> None:
    """Refuse what cannot be; raises PregnancyContradictsSex."""
    if person.pregnant and person.sex == "male":
        raise PregnancyContradictsSex(
            errors=[FieldError("/pregnant", "contradicts-sex", "受检者为男性,不能为怀孕", "the examinee is a man")]
        )


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
    _refuse_not_valid(package, on)
    return fixed + _chosen(await catalog.package_options(uow, package.id), choices)


def _refuse_not_valid(package: ExamPackage, on: date) -> None:
    if (package.valid_from and on < package.valid_from) or (package.valid_to and on > package.valid_to):
        zh = f"套餐有效期 {package.valid_from or ''} 至 {package.valid_to or ''}"
        en = f"valid from {package.valid_from or ''} to {package.valid_to or ''}"
        raise PackageNotOffered(errors=[FieldError("/package_id", "not-valid", zh, en)])


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
    there: Sequence[ItemGroup], ways: Mapping[UUID, Way],
) -> tuple[list[QuotedLine], list[Contained]]:  # fmt: skip
    """Price what is left when what is contained was left out. Raises ItemGroupOverlaps, ItemGroupContained."""
    groups = {group.id: group for group in (*there, *(group for _, group in asked))}
    held = await catalog.group_items(uow, list(groups))
    names = {one.id: one.name for group in held.values() for one in group}
    items = {key: [one.id for one in held[key]] for key in groups}
    added = [group.id for _, group in asked[len(bundled) :]]
    twice = overlaps(items, added, list(ways), [group.id for _, group in asked])
    if twice:
        await _refuse_overlaps(uow, twice, asked, groups, items, names, ways)
    within = contained({group.id: items[group.id] for _, group in asked}, [group.id for _, group in asked])
    out = [(group, groups[within[group.id]]) for _, group in asked if group.id in within]
    in_package = {group.id for _, group in bundled}
    # A group that the package itself holds twice costs nothing either way: its price is fixed. One that was added gives the share back.
    doubled = {group.id for group, holder in out if group.id in in_package and holder.id in in_package}
    shared = [(pointer, group) for pointer, group in bundled if group.id not in doubled]
    lines = _shared(package, shared) if package is not None else []
    lines += [_listed(pointer, group) for pointer, group in asked[len(bundled) :]]
    return [line for line in lines if line.item_group.id not in within], [
        Contained(group, holder) for group, holder in out
    ]


async def _refuse_overlaps(
    uow: UnitOfWork, twice: Sequence[Overlap[UUID]], asked: Sequence[tuple[str, ItemGroup]], groups: Mapping[UUID, ItemGroup],
    items: Mapping[UUID, Sequence[UUID]], names: Mapping[UUID, str], ways: Mapping[UUID, Way],
) -> None:  # fmt: skip
    """Refuse what would be examined twice: name the other group, what both examine, and what may be ordered in its place."""
    pointers = {group.id: pointer for pointer, group in asked}
    offered = await _sold_alone(uow)
    errors = []
    for one in twice:
        covered = {item for key in (*ways, one.other) for item in items[key]}
        rest = [item for item in items[one.added] if item not in covered]
        others = {key: [i.id for i in group] for key, (_, group) in offered.items() if key not in groups}
        further = "、".join(offered[key][0].name for key in instead(rest, others))
        shared = [names[item] for item in items[one.added] if item in one.shared]
        zh, en = _say_overlap(one, groups[one.added].name, groups[one.other].name, shared, further, ways.get(one.other))
        errors.append(FieldError(pointers[one.added], one.how, zh, en))
    problem = ItemGroupContained if {one.how for one in twice} == {"contained"} else ItemGroupOverlaps
    raise problem(errors=errors)


async def _sold_alone(uow: UnitOfWork) -> dict[UUID, tuple[ItemGroup, Sequence[Any]]]:
    rows = await catalog.item_groups_page(uow, q=None, department_id=None, active=True, after=None, size=_MOST_ADD_ONS)
    items = await catalog.group_items(uow, [row.id for row in rows])
    return {row.id: (row, items[row.id]) for row in rows}


def _say_overlap(
    one: Overlap[UUID], group: str, other: str, shared: Sequence[str], further: str, way: Way | None
) -> tuple[str, str]:
    """Return what is wrong and the way out; `way` None: both were asked for at once."""
    few, many = "、".join(shared[:_NAMED]), len(shared) > _NAMED
    both = f"{few} 等 {len(shared)} 项" if many else few
    both_en = f"{few} and {len(shared) - _NAMED} more" if many else few
    if one.how == "contained":
        zh, en = (
            f"{group} 的内容已全部包含在已开的 {other} 中",
            f"everything of {group} is part of {other}, which the exam has",
        )
        return (zh + ",可恢复该项", en + ": reinstate that line") if way == "reinstate" else (zh + ",无需再开", en)
    zh = f"{group} 包含已开的 {other}" if one.how == "contains" else f"{group} 与 {other} 都有 {both}"
    en = (
        f"{group} contains {other}, which the exam has"
        if one.how == "contains"
        else f"{group} and {other} share {both_en}"
    )
    if way == "substitute":
        zh, en = f"{zh},请用换项以 {group} 代替 {other}", f"{en}: substitute {group} for that line"
    elif way == "reinstate":
        zh, en = f"{zh},可恢复该项后再换项", f"{en}: reinstate that line, then substitute it"
    elif way is None:
        zh, en = f"{zh},只能选其一", f"{en}: choose one of them"
    else:
        zh, en = f"{zh},该项已开始,不能换项", f"{en}, and is under way: it cannot be substituted"
    return (f"{zh};可改开:{further}", f"{en}; what is further in it: {further}") if further else (zh, en)


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


_SEXES = {"male": ("男性", "man"), "female": ("女性", "woman")}
_MISFITS: dict[Misfit, tuple[str, str]] = {
    "wrong-sex": ("不适用于受检者性别", "not for the examinee's sex"),
    "too-young": ("未到适用年龄", "the examinee is too young for it"),
    "too-old": ("超过适用年龄", "the examinee is too old for it"),
    "pregnant": ("孕期不宜", "not during pregnancy"),
    "no-intercourse": ("无性生活史者或幼女勿做", "not for who has had no intercourse, nor for a girl"),
}


def _refuse_misfits(lines: Sequence[QuotedLine], person: Person) -> None:
    refuse_unsuited(
        [(line.pointer, line.item_group.name, kind) for line in lines for kind in misfits(line.item_group, person)]
    )


def refuse_unsuited(found: Sequence[tuple[str, str, Misfit]]) -> None:
    """Refuse what does not suit a person, each its place, name and reason: in the same words wherever it is found."""
    if found:
        problem = ItemGroupNotForSex if {kind for _, _, kind in found} == {"wrong-sex"} else ItemGroupUnsuitable
        raise problem(errors=[FieldError(place, kind, *say_misfit(name, kind)) for place, name, kind in found])


def say_misfit(name: str, kind: Misfit) -> tuple[str, str]:
    """Return a sentence of why something does not suit a person."""
    zh, en = _MISFITS[kind]
    return f"{name}:{zh}", f"{name}: {en}"


async def unsuited(uow: UnitOfWork, group_ids: Collection[UUID], person: Person) -> dict[UUID, list[Misfit]]:
    """Return which of these item groups do not suit a person, and why: of what is ordered already, judged as an order is."""
    groups = await catalog.item_groups(uow, list(group_ids))
    return {group.id: found for group in groups if (found := misfits(group, person))}


async def quote_member(
    uow: UnitOfWork,
    member: Member,
    *,
    person: Person | None = None,
    on: date | None = None,
    apart: Collection[UUID] = (),
) -> Quote:
    """Price what a member of a campaign is examined for, and say what of each line the employer pays.

    The package's lines come first, then what the group adds, what the member chose, and what was added on; in this order the cap is used
    up. Add-ons are the member's own unless the group lets them draw on the cap. `person` None: whom the list describes, on the campaign's
    first day. Raises MemberNotPlaced, ChoiceInvalid, CapExceeded, and what a quote raises.
    """
    if member.group_id is None:
        raise MemberNotPlaced
    group = await employers.group(uow, member.group_id)
    whom = person or await _as_listed(uow, member)
    return await _quote_member(uow, member, group, await _chosen_package(uow, group, member, whom), whom, on, apart)


async def _quote_member(
    uow: UnitOfWork,
    member: Member,
    group: CampaignGroup,
    package_id: UUID | None,
    whom: Person,
    on: date | None,
    apart: Collection[UUID] = (),
) -> Quote:
    options = await catalog.package_options(uow, package_id) if package_id is not None else []
    choices = [choice for option in options if (choice := _choice(option, member)) is not None]
    there = {g.id for g in await catalog.package_groups(uow, package_id)} if package_id is not None else set()
    there |= {group_id for choice in choices for group_id in choice.item_group_ids}
    _refuse_other_choices(group, member, there)
    await _refuse_doubled_choices(uow, member)
    # What the group adds and the package has already is not ordered twice.
    further = [g for g in dict.fromkeys((*group.item_group_ids, *member.choice_ids)) if g not in there]
    places = [
        f"/choice_ids/{list(member.choice_ids).index(g)}" if g in member.choice_ids else "/group_id" for g in further
    ]
    places += [f"/self_paid_ids/{i}" for i in range(len(member.self_paid_ids))]
    with _said_of_member(places):
        priced = await quote(
            uow, package_id, [*further, *member.self_paid_ids], choices=choices, person=whom, on=on, apart=apart
        )
    own_ids = set(member.self_paid_ids)
    ordered = _discounted(group, package_id, [line for line in priced.lines if line.item_group.id not in own_ids])
    own = [_discounted_alone(group, line) for line in priced.lines if line.item_group.id in own_ids]
    within = [*ordered, *own] if group.add_ons == "within_cap" else ordered
    shares = employer_shares([line.price_fen for line in within], group.cap_fen)
    if group.beyond_cap == "refused" and sum(shares) < sum(line.price_fen for line in within):
        raise CapExceeded
    lines = [_with_share(line, share, group.cap_fen) for line, share in zip(within, shares, strict=True)]
    alone = (_self_paid(line) for line in own if group.add_ons != "within_cap")
    return replace(priced, lines=(*lines, *alone))


@contextmanager
def _said_of_member(places: Sequence[str]) -> Iterator[None]:
    """Name what is wrong where a member's choice says it: what is ordered beside the package came of several lists."""
    try:
        yield
    except Problem as refusal:
        named = {f"/item_group_ids/{i}": place for i, place in enumerate(places)}
        refusal.errors = tuple(
            replace(
                error,
                pointer=named.get(
                    error.pointer, "/choice_ids" if error.pointer.startswith("/choices") else error.pointer
                ),
            )
            for error in refusal.errors
        )
        raise


async def add_ons(uow: UnitOfWork, member: Member) -> list[ItemGroup]:
    """Return what a member may add on beside the group's own: sold alone, in use, for whom the list describes; none while in no group.

    What the package or the group holds, or lets choose, is chosen there and not added on.
    """
    if member.group_id is None:
        return []
    group = await employers.group(uow, member.group_id)
    whom = await _as_listed(uow, member)
    chosen = member.package_id in group.package_ids
    offered = await _offered_packages(uow, group.package_ids)
    package_id = member.package_id if chosen else package_for(offered, whom.sex)
    ordered = set(group.item_group_ids)
    if package_id is not None:
        ordered |= {g.id for g in await catalog.package_groups(uow, package_id)}
    own = ordered | {UUID(g) for choice in group.choices for g in choice["item_group_ids"]}
    if package_id is not None:
        own |= {g.id for option in await catalog.package_options(uow, package_id) for g in option.groups}
    rows = [row for row, _ in (await _sold_alone(uow)).values()]
    fitting = [row for row in rows if row.price_fen > 0 and row.id not in own and not misfits(row, whom)]
    # What would be refused, or come to nothing, beside what is ordered anyway is not offered; what is more than that is.
    items = await catalog.group_items(uow, [*ordered, *(row.id for row in fitting)])
    keys = {key: [one.id for one in group] for key, group in items.items()}
    in_the_way = overlaps(keys, [row.id for row in fitting], ordered, [])
    refused = {one.added for one in in_the_way if one.how != "contains"}
    return [row for row in fitting if row.id not in refused]


class MemberQuotes:
    """Quotes for many members in one unit: what a group, a package and choices come to is worked out once, for whomever it is."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._held: dict[Any, Quote] = {}
        self._groups: dict[UUID, CampaignGroup] = {}
        self._packages: dict[Any, UUID | None] = {}

    async def of(self, member: Member, *, person: Person, on: date) -> Quote:
        """Return what `quote_member` would. Raises what it raises."""
        if member.group_id is None:
            raise MemberNotPlaced
        if member.group_id not in self._groups:
            self._groups[member.group_id] = await employers.group(self._uow, member.group_id)
        group, taken = self._groups[member.group_id], (member.group_id, member.package_id, person.sex)
        if taken not in self._packages:
            self._packages[taken] = await _chosen_package(self._uow, group, member, person)
        package_id = self._packages[taken]
        order = (member.group_id, package_id, tuple(member.choice_ids), tuple(member.self_paid_ids))
        if order not in self._held:
            # Nobody in particular: whom it suits is asked of each, what it costs is the same for all.
            self._held[order] = await _quote_member(self._uow, member, group, package_id, Person(), on)
        found = self._held[order]
        if found.package is not None:
            _refuse_not_valid(found.package, on)
        _refuse_misfits(found.lines, person)
        return found


async def _as_listed(uow: UnitOfWork, member: Member) -> Person:
    campaign = await employers.campaign(uow, member.campaign_id)
    age = None if member.birth_date is None else years_on(member.birth_date, campaign.starts_on)
    return Person(None if member.sex == "unknown" else member.sex, age)


def _choice(option: PackageOption, member: Member) -> ChoiceIn | None:
    """Return what a member chose in an option; None: nothing yet, which the quote refuses by the option's name."""
    offered = {group.id for group in option.groups}
    picked = [g for g in dict.fromkeys(member.choice_ids) if g in offered]
    return ChoiceIn(option_id=option.id, item_group_ids=picked) if picked else None


async def _offered_packages(
    uow: UnitOfWork, package_ids: Sequence[UUID]
) -> list[tuple[UUID, str, Sequence[ItemGroup]]]:
    return [
        (package_id, (await catalog.package(uow, package_id)).sex, await catalog.package_groups(uow, package_id))
        for package_id in package_ids
    ]


async def _package_for(uow: UnitOfWork, package_ids: Sequence[UUID], sex: str | None, pointer: str) -> UUID | None:
    """Return which of these packages is somebody's. Raises PackageForOtherSex, SexNotKnown."""
    if not package_ids:
        return None
    found = package_for(await _offered_packages(uow, package_ids), sex)
    if found is not None:
        return found
    if sex not in SEXES:
        raise SexNotKnown(errors=[FieldError("/sex", "sex-unknown", SexNotKnown.zh, SexNotKnown.en)])
    zh, en = (f"没有适合{_SEXES[sex][0]}的套餐", f"there is no package for a {_SEXES[sex][1]}")
    raise PackageForOtherSex(errors=[FieldError(pointer, "wrong-sex", f"分组{zh}", f"in the group {en}")])


async def _chosen_package(uow: UnitOfWork, group: CampaignGroup, member: Member, whom: Person) -> UUID | None:
    """Return the package that a member chose, else the one that suits their sex. Raises ChoiceInvalid, PackageForOtherSex, SexNotKnown."""
    if member.package_id is None:
        return await _package_for(uow, group.package_ids, whom.sex, "/group_id")
    if member.package_id not in group.package_ids:
        raise ChoiceInvalid(
            errors=[FieldError("/package_id", "not-offered", "分组不含该套餐", "the group does not offer this package")]
        )
    return await _package_for(uow, [member.package_id], whom.sex, "/package_id")


async def _refuse_doubled_choices(uow: UnitOfWork, member: Member) -> None:
    """Refuse what is chosen twice, and what is part of something else that was chosen: it would count as a choice and be nothing."""
    chosen = list(member.choice_ids)
    known = {group.id: group for group in await catalog.item_groups(uow, list(dict.fromkeys(chosen)))} if chosen else {}
    items = {key: [one.id for one in group] for key, group in (await catalog.group_items(uow, list(known))).items()}
    within = contained(items, list(dict.fromkeys(chosen))) if len(known) > 1 else {}
    errors = []
    for i, key in enumerate(chosen):
        pointer, name = f"/choice_ids/{i}", known[key].name
        if key in chosen[:i]:
            errors.append(FieldError(pointer, "twice", f"{name} 重复", f"{name} appears twice"))
        elif (holder := within.get(key)) is not None:
            other = known[holder].name
            errors.append(
                FieldError(
                    pointer, "contained", f"{name} 的内容已包含在所选的 {other} 中", f"{name} is part of {other}, which was chosen"
                )
            )  # fmt: skip
    if errors:
        raise ChoiceInvalid(errors=errors)


def _refuse_other_choices(group: CampaignGroup, member: Member, there: Collection[UUID]) -> None:
    """Refuse what neither the package nor the group offers, or more of it than may be chosen."""
    chosen, errors = set(member.choice_ids) - set(there), []
    for choice in group.choices:
        offered = {UUID(g) for g in choice["item_group_ids"]}
        picked = len(chosen & offered)
        chosen -= offered
        if picked > choice["choose"]:
            errors.append(
                FieldError(
                    "/choice_ids",
                    "too-many",
                    f"{choice['name']}:最多选 {choice['choose']} 项",
                    f"{choice['name']}: at most {choice['choose']}",
                )
            )
    if chosen:
        errors.append(
            FieldError("/choice_ids", "not-offered", "分组不含所选项目", "the group does not offer what was chosen")
        )
    if errors:
        raise ChoiceInvalid(errors=errors)


def _discounted(group: CampaignGroup, package_id: UUID | None, lines: Sequence[QuotedLine]) -> list[QuotedLine]:
    """Apply the discount plan: the row that names an item group, else the one of its package, else that of everything else together."""
    plan = {(row["target"], row["target_id"]): row for row in group.discounts}
    scopes: dict[str, tuple[dict[str, Any], list[int]]] = {}
    for i, line in enumerate(lines):
        row = plan.get(("item_group", str(line.item_group.id)))
        if row is None and any(reason["code"] == "package_share" for reason in line.reasons):
            row = plan.get(("package", str(package_id)))
        row = row or plan.get(("everything", None))
        if row is not None:
            scopes.setdefault(f"{row['target']}|{row['target_id']}", (row, []))[1].append(i)
    found = list(lines)
    for row, places in scopes.values():
        before = [found[i].price_fen for i in places]
        total = reduced(sum(before), rate_bp=row["rate_bp"], amount_fen=row["amount_fen"], floor_fen=row["floor_fen"])
        for i, price in zip(places, allocate(total, before), strict=True):
            found[i] = _cheaper(found[i], price, row)
    return found


def _discounted_alone(group: CampaignGroup, line: QuotedLine) -> QuotedLine:
    """An add-on has a discount where the plan names its item group."""
    row = next((r for r in group.discounts if r["target_id"] == str(line.item_group.id)), None)
    if row is None:
        return line
    price = reduced(line.price_fen, rate_bp=row["rate_bp"], amount_fen=row["amount_fen"], floor_fen=row["floor_fen"])
    return _cheaper(line, price, row)


def _cheaper(line: QuotedLine, price_fen: int, row: dict[str, Any]) -> QuotedLine:
    if price_fen == line.price_fen:
        return line
    if row["rate_bp"] is not None:
        zh, en = f"打折方案:{row['rate_bp'] / 100:g}%", f"Discount plan: {row['rate_bp'] / 100:g} %"
    else:
        zh, en = f"打折方案:减 {_yuan(row['amount_fen'])} 元", f"Discount plan: {_yuan(row['amount_fen'])} yuan off"
    reason = PriceReason(code="discount", zh=zh, en=en, amount_fen=price_fen - line.price_fen)
    return replace(line, price_fen=price_fen, reasons=[*line.reasons, reason.model_dump()])


def _with_share(line: QuotedLine, share_fen: int, cap_fen: int | None) -> QuotedLine:
    if share_fen == line.price_fen:
        reason = PriceReason(code="employer_pays", zh="单位承担", en="Paid by the employer", amount_fen=0)
    else:
        beyond = _yuan(line.price_fen - share_fen)
        zh = f"单位承担上限 {_yuan(cap_fen or 0)} 元,本项超出 {beyond} 元自费"
        en = f"Beyond the employer's cap of {_yuan(cap_fen or 0)} yuan: {beyond} yuan are the person's"
        reason = PriceReason(code="beyond_cap", zh=zh, en=en, amount_fen=0)
    return replace(line, employer_share_fen=share_fen, reasons=[*line.reasons, reason.model_dump()])


def _self_paid(line: QuotedLine) -> QuotedLine:
    reason = PriceReason(code="self_paid", zh="加项自费", en="Added on, paid by the person", amount_fen=0)
    return replace(line, reasons=[*line.reasons, reason.model_dump()])


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"


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


def shape_contained(left_out: Sequence[Contained]) -> list[ContainedOut]:
    """Return the public shape of what was left out because another group examines all of it."""
    return [
        ContainedOut(item_group_id=c.item_group.id, name=c.item_group.name, contained_in=c.within.id, zh=zh, en=en)
        for c in left_out
        for zh, en in [_say_contained(c.item_group, c.within)]
    ]


def shape(priced: Quote) -> QuoteOut:
    """Return the public shape of a quote."""
    lines = [
        QuotedLineOut(
            item_group_id=line.item_group.id, code=line.item_group.code, name=line.item_group.name,
            list_price_fen=line.list_price_fen, price_fen=line.price_fen, person_share_fen=line.person_share_fen,
            employer_share_fen=line.employer_share_fen, reasons=[PriceReason.model_validate(reason) for reason in line.reasons],
        )
        for line in priced.lines
    ]  # fmt: skip
    employer = sum(line.employer_share_fen for line in priced.lines)
    person = priced.total_fen - employer
    return QuoteOut(
        lines=lines,
        contained=shape_contained(priced.contained),
        total_fen=priced.total_fen,
        person_fen=person,
        employer_fen=employer,
    )


__all__ = [
    "Contained",
    "Misfit",
    "Person",
    "Quote",
    "QuotedLine",
    "add_ons",
    "ask",
    "quote",
    "quote_member",
    "refuse_pregnant_man",
    "refuse_unsuited",
    "say_misfit",
    "shape",
    "shape_contained",
    "unsuited",
]
