"""Who may have been entered twice, and who was found not to be."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from tjapi.examinee import repository
from tjapi.examinee.errors import DistinctionNotFound, ExamineeNotFound, SameExaminee
from tjapi.examinee.models import Examinee, ExamineeDistinction
from tjapi.examinee.rules import (
    POINTS,
    IdKind,
    Likeness,
    Sex,
    Traits,
    contradictions,
    likeness,
    may_reach,
    spellings_of,
)
from tjapi.examinee.schemas import (
    DistinctionIn,
    DistinctionOut,
    DistinctionsOut,
    DuplicateOut,
    EvidenceOut,
    ExamineeOut,
)
from tjapi.examinee.service.reading import ID_NUMBER, get, opened
from tjapi.kernel.ids import uuid7
from tjapi.kernel.problem import FieldError, naming
from tjapi.kernel.uow import UnitOfWork

_PEOPLE_AT_ONCE = 200
_MOST_PEOPLE = 1_000


@dataclass(frozen=True, slots=True)
class Found:
    """A page of pairs, and how far the search came; None: to the end."""

    pairs: list[DuplicateOut]
    until: tuple[UUID, UUID | None] | None


async def duplicates(
    uow: UnitOfWork, campus_id: int, *, examinee_id: UUID | None, min_score: int, after: Sequence[str | None] | None, size: int
) -> Found:  # fmt: skip
    """Return pairs of entries that may be one person, of whom the campus has met at least one; the latest entered first.

    A page is as long as was found among a thousand people, so it may be short, or empty, before the end. Of one person, when
    `examinee_id` is given, all are found at once. Raises ExamineeNotFound.
    """
    if examinee_id is not None:
        person = await get(uow, examinee_id)
        pairs = await _pairs(uow, [person], None, min_score)
        await _leave_trace(uow, campus_id, len(pairs))
        return Found([_out(uow, *pair) for pair in pairs], None)
    last, within = (UUID(str(after[0])), after[1]) if after else (None, None)
    pairs = []
    if (
        last is not None and within is not None
    ):  # the rest of somebody's pairs, of whom the page before showed the first
        pairs = [p for p in await _of(uow, last, campus_id, min_score) if p[1].id < UUID(within)]
    seen = 0
    until: tuple[UUID, UUID | None] | None = None
    while len(pairs) <= size:
        people = await repository.met_people(uow, campus_id, last, _PEOPLE_AT_ONCE)
        if not people:
            break
        last = people[-1].id
        pairs += await _pairs(uow, [one for one in people if one.merged_into_id is None], campus_id, min_score)
        seen += len(people)
        if seen >= _MOST_PEOPLE and len(pairs) <= size:
            until = (last, None)
            break
    if len(pairs) > size:
        pairs = pairs[:size]
        until = (pairs[-1][0].id, pairs[-1][1].id)
    await _leave_trace(uow, campus_id, len(pairs))
    return Found([_out(uow, *pair) for pair in pairs], until)


async def distinguish(uow: UnitOfWork, decided: DistinctionIn) -> DistinctionOut:
    """Decide that two entries are two people; deciding it twice is deciding it once. Raises ExamineeNotFound, SameExaminee."""
    found = []
    for i, examinee_id in enumerate(decided.examinee_ids):
        with naming(f"/examinee_ids/{i}"):
            found.append(await get(uow, examinee_id))
    one, two = found
    if one.id == two.id:
        raise same("/examinee_ids/1")
    return _decision(await keep_apart(uow, one.id, two.id, decided.reason))


async def keep_apart(uow: UnitOfWork, one: UUID, two: UUID, reason: str | None) -> ExamineeDistinction:
    """Write down that two are two people, unless that stands already."""
    row = ExamineeDistinction(
        id=uuid7(), first_id=min(one, two), second_id=max(one, two), reason=reason, decided_by=uow.principal.id,
        decided_by_name=uow.principal.name, decided_at=uow.now,
    )  # fmt: skip
    if await repository.add_distinction(uow, row):
        # Why is kept with the decision, where row security shows it to those who know the two; the trail says that and by whom.
        detail = {"distinction_id": str(row.id), "other_id": str(row.second_id)}
        await uow.audit("examinee.distinguished", "examinee", row.first_id, detail=detail)
        return row
    standing = await repository.distinctions(uow, [one, two])
    if not standing:
        raise ExamineeNotFound  # hidden since
    return standing[0]


async def distinctions(uow: UnitOfWork, examinee_id: UUID) -> DistinctionsOut:
    """Return what was decided of a person, withdrawn or not, newest first. Raises ExamineeNotFound."""
    person = await get(uow, examinee_id)
    await uow.audit("examinee.distinctions_listed", "examinee", person.id)
    ids = [person.id, *(entry.id for entry in await repository.merged_into(uow, [person.id]))]
    return DistinctionsOut(items=[_decision(row) for row in await repository.distinctions_of(uow, ids)])


async def withdraw_distinction(uow: UnitOfWork, distinction_id: UUID) -> DistinctionOut:
    """They may be one person after all: they are suggested again. Twice is once. Raises DistinctionNotFound."""
    row = await repository.distinction(uow, distinction_id)
    if row is None:
        raise DistinctionNotFound
    if row.withdrawn_at is None:
        row.withdrawn_by, row.withdrawn_at = uow.principal.id, uow.now
        detail = {"distinction_id": str(row.id), "other_id": str(row.second_id)}
        await uow.audit("examinee.distinction_withdrawn", "examinee", row.first_id, detail=detail)
    return _decision(row)


def traits(uow: UnitOfWork, person: Examinee) -> Traits:
    """Return what is compared of an entry. Its number is opened to find its other spelling, and nothing of it is kept but digests."""
    number = opened(uow, person, person.id_number_sealed, ID_NUMBER)
    spellings = spellings_of(number) if number is not None else ()
    sex: Sex = person.sex  # type: ignore[assignment]  # the database holds nothing else
    kind: IdKind = person.id_kind  # type: ignore[assignment]  # the database holds nothing else
    numbers = frozenset(uow.cipher.blind_index(spelling, ID_NUMBER) for spelling in spellings)
    phone = None if person.phone_index is None else bytes(person.phone_index)
    return Traits(person.name, sex, person.birth_date, kind, numbers, phone)


def same(pointer: str) -> SameExaminee:
    """Return the refusal of somebody beside themselves."""
    return SameExaminee(errors=[FieldError(pointer, "same", "两条档案是同一人", "one and the same")])


Pair = tuple[Examinee, Examinee, Likeness]


async def _of(uow: UnitOfWork, examinee_id: UUID, campus_id: int, min_score: int) -> list[Pair]:
    """Return the pairs of one person; none when they were merged meanwhile."""
    people = [one for one in await repository.examinees(uow, [examinee_id]) if one.merged_into_id is None]
    return await _pairs(uow, people, campus_id, min_score)


async def _pairs(uow: UnitOfWork, people: Sequence[Examinee], campus_id: int | None, min_score: int) -> list[Pair]:
    """Return the likely pairs of these people, each once, in the order of a page."""
    told = {person.id: traits(uow, person) for person in people}
    asked = [(person.id, person.phone_index, list(told[person.id].numbers), person.birth_date) for person in people]
    candidates = await repository.candidates(uow, asked, campus_id)
    others = {other.id: other for other in await repository.examinees(uow, {two for _, two in candidates})}
    told |= {other.id: traits(uow, other) for other in others.values() if other.id not in told}
    whole = {person.id: person for person in people}
    likely = [
        (whole[one], others[two], like)
        for one, two in candidates
        if two in others
        and may_reach(told[one], told[two], min_score)
        and (like := likeness(told[one], told[two])).score >= min_score
    ]
    apart = await _apart(uow, {person.id for pair in likely for person in pair[:2]})
    left = [pair for pair in likely if frozenset((pair[0].id, pair[1].id)) not in apart]
    return sorted(left, key=lambda pair: (pair[0].id, pair[1].id), reverse=True)


async def _apart(uow: UnitOfWork, ids: Collection[UUID]) -> set[frozenset[UUID]]:
    """Return the pairs of these people that were found to be two: themselves, or an entry that was merged into one of them."""
    stands_for = {entry.id: entry.merged_into_id for entry in await repository.merged_into(uow, ids)}
    rows = await repository.distinctions(uow, [*ids, *stands_for])
    return {frozenset(stands_for.get(one) or one for one in (row.first_id, row.second_id)) for row in rows}


async def found_distinct(uow: UnitOfWork, one: UUID, two: UUID) -> bool:
    """Say whether somebody found these two, or entries that were merged into them, to be two people."""
    return frozenset((one, two)) in await _apart(uow, {one, two})


async def _leave_trace(uow: UnitOfWork, campus_id: int, found: int) -> None:
    await uow.audit(
        "examinee.duplicates_listed", "examinee", "duplicates", campus_id=campus_id, detail={"found": found}
    )


def _out(uow: UnitOfWork, one: Examinee, two: Examinee, like: Likeness) -> DuplicateOut:
    later, earlier = (one, two) if one.id > two.id else (two, one)
    return DuplicateOut(
        examinee=ExamineeOut.model_validate(later), other=ExamineeOut.model_validate(earlier), score=like.score,
        evidence=[EvidenceOut(code=code, points=POINTS[code]) for code in like.evidence],
        contradictions=list(contradictions(traits(uow, one), traits(uow, two))),
    )  # fmt: skip


def _decision(row: ExamineeDistinction) -> DistinctionOut:
    return DistinctionOut.model_validate(row)
