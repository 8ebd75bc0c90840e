"""Sharing a fixed price among lines; whom an item group fits; what another one contains or overlaps. Money is integer fen. Pure."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, Protocol, TypeVar

_WHOLE = 10_000
"""Rates are basis points."""


def allocate(total_fen: int, list_prices_fen: Sequence[int]) -> list[int]:
    """Share a fixed price among lines in proportion to their list prices; the shares are never negative and sum to the price.

    Each share is rounded half up; what rounding leaves over or takes too much goes to the dearest line (the first of them). Where the
    dearest cannot give enough, those that were rounded up give back one fen each, from the dearest on. Lines without a list price share
    only where no line has one: then equally.
    """
    if total_fen < 0 or any(price < 0 for price in list_prices_fen):
        raise ValueError("prices are not negative")
    if not list_prices_fen:
        if total_fen:
            raise ValueError("a price needs a line to carry it")
        return []
    weights = list(list_prices_fen) if any(list_prices_fen) else [1] * len(list_prices_fen)
    whole = sum(weights)
    shares = [(2 * total_fen * weight + whole) // (2 * whole) for weight in weights]
    by_price = sorted(range(len(weights)), key=lambda i: -weights[i])
    dearest = by_price[0]
    over = sum(shares) - total_fen
    given = min(over, shares[dearest])
    shares[dearest] -= given
    over -= given
    for i in by_price[1:]:
        if over == 0:
            break
        if shares[i] * whole > total_fen * weights[i]:
            shares[i] -= 1
            over -= 1
    return shares


SEXES = ("male", "female")
Misfit = Literal["wrong-sex", "too-young", "too-old", "pregnant", "no-intercourse"]
Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Person:
    """What decides whether an item group fits. None: not known, and then nothing is refused for it."""

    sex: str | None = None
    age_years: int | None = None
    pregnant: bool | None = None
    no_intercourse: bool | None = None


class Suiting(Protocol):
    """What an item group says of whom it fits; ages are completed years, both ends belong to it."""

    @property
    def sex(self) -> str: ...  # noqa: D102 - plain data
    @property
    def age_from_years(self) -> int | None: ...  # noqa: D102
    @property
    def age_to_years(self) -> int | None: ...  # noqa: D102
    @property
    def not_when_pregnant(self) -> bool: ...  # noqa: D102
    @property
    def precaution(self) -> str | None: ...  # noqa: D102


_NOT_WITHOUT_INTERCOURSE = re.compile(r"(?:无|没有)性(?:生活|经历|交)史?者?[^;；。]{0,4}(?:勿|不[可宜做能]|禁)")
"""What an item group tells the examinee where it goes through the vagina: 无性生活史者勿做."""
_MAY_HAVE_HAD = 14
"""Below that age nobody is examined so unasked."""


def misfits(group: Suiting, person: Person) -> list[Misfit]:
    """Return why an item group does not fit a person; empty: it does, as far as is known."""
    found: list[Misfit] = []
    if person.sex is not None and group.sex not in ("any", person.sex):
        found.append("wrong-sex")
    if person.age_years is not None:
        if group.age_from_years is not None and person.age_years < group.age_from_years:
            found.append("too-young")
        if group.age_to_years is not None and person.age_years > group.age_to_years:
            found.append("too-old")
    if person.pregnant and group.not_when_pregnant:
        found.append("pregnant")
    child = person.age_years is not None and person.age_years < _MAY_HAVE_HAD
    if (person.no_intercourse or child) and _NOT_WITHOUT_INTERCOURSE.search(group.precaution or ""):
        found.append("no-intercourse")
    return found


def package_for(offered: Sequence[tuple[Key, str, Sequence[Suiting]]], sex: str | None) -> Key | None:
    """Return which package of a group somebody takes who chose none: the first that is for their sex, as all that it holds is.

    `offered` are packages in the group's order, each with its sex and its item groups. Whose sex is not known takes what a man and a woman
    take alike. None: there is none for them, or it depends on the sex that is not known.
    """
    if sex not in SEXES:
        his, hers = (package_for(offered, one) for one in SEXES)
        return his if his == hers else None
    person = Person(sex)
    fitting = (
        key for key, of, groups in offered if of in ("any", sex) and not any(misfits(one, person) for one in groups)
    )
    return next(fitting, None)


def contained(items: Mapping[Key, Collection[object]], order: Sequence[Key]) -> dict[Key, Key]:
    """Return group → the group that examines all of it. Of two with the same items the later one is contained in the earlier.

    A group without items is contained in nothing. What contains a group is not itself contained in another.
    """
    sets = {key: frozenset(items[key]) for key in order}
    place = {key: i for i, key in enumerate(order)}
    found: dict[Key, Key] = {}
    for key in order:
        holders = [
            other
            for other in order
            if other != key
            and sets[key]
            and (sets[key] < sets[other] or (sets[key] == sets[other] and place[other] < place[key]))
        ]
        if holders:
            found[key] = max(holders, key=lambda other: (len(sets[other]), -place[other]))
    return found


Sharing = Literal["contained", "contains", "shares"]
"""What an item group that is asked for is to another one: part of it, more than it, or neither and with items in common."""
Way = Literal["substitute", "reinstate", "stays"]
"""What may become of a line that is in the way: another group may take its place, it may be carried out after all, or neither."""


@dataclass(frozen=True, slots=True)
class Overlap(Generic[Key]):
    """Two item groups that examine some of the same: the one that was added, the other one, and what both examine."""

    added: Key
    other: Key
    how: Sharing
    shared: frozenset[object]


def overlaps(
    items: Mapping[Key, Collection[object]], added: Sequence[Key], there: Collection[Key], together: Sequence[Key]
) -> list[Overlap[Key]]:
    """Return what would be examined, and paid, twice.

    `there` is what the exam has: whatever shares an item with it is refused. `together` is what is ordered in the same breath, the added
    groups included: of those, what another one contains is charged once by `contained`, and only what each has for itself cannot be.
    What a package holds is its maker's to say: two of its groups never stand in each other's way.
    """
    sets = {key: frozenset(group) for key, group in items.items()}
    found = []
    for i, key in enumerate(added):
        mine = sets[key]
        beside = [other for other in together if other not in added or other in added[:i]]
        for other in (*there, *beside):
            theirs = sets[other]
            if other == key or not mine & theirs:
                continue
            how: Sharing = "contained" if mine <= theirs else "contains" if mine > theirs else "shares"
            if other in there or how == "shares":
                found.append(Overlap(key, other, how, mine & theirs))
    return found


def instead(wanted: Collection[object], offered: Mapping[Key, Collection[object]]) -> list[Key]:
    """Return groups that together examine as much as can be had of what is wanted, and nothing else: the largest first, each item once."""
    left, found = set(wanted), []
    for key in sorted(offered, key=lambda key: -len(offered[key])):
        group = set(offered[key])
        if group and group <= left:
            found.append(key)
            left -= group
    return found


def reduced(total_fen: int, *, rate_bp: int | None, amount_fen: int | None, floor_fen: int) -> int:
    """Return a price after its discount: a rate of it (half up), or an amount less; never below the floor, and never more than before."""
    found = total_fen - (amount_fen or 0) if rate_bp is None else (total_fen * rate_bp + _WHOLE // 2) // _WHOLE
    return min(total_fen, max(found, floor_fen, 0))


def employer_shares(prices_fen: Sequence[int], cap_fen: int | None) -> list[int]:
    """Return what the employer pays of each line: all of it, or line by line until the cap is used up; one line may be shared."""
    left = sum(prices_fen) if cap_fen is None else cap_fen
    shares = []
    for price in prices_fen:
        share = min(price, left)
        shares.append(share)
        left -= share
    return shares
