"""One archive per person: entries that are one person become one, and two again when they were not.

Neither row is lost. The merged one points at the survivor, and from then on every id, number, name, phone and card of either finds the
survivor. What belongs to the merged person follows in the same transaction: what is kept here, below; what later contexts keep, as their
reactions to `ExamineesMerged` say through `follow`. Which rows followed is written down, and undoing the merge brings those back and no
others: what came after the merge was given to the survivor, and stays there.

Whoever merges holds every campus that knows either of them. The campuses of the one know the other from then on, so that nobody loses
sight of somebody they examined.
"""

from collections.abc import Awaitable, Callable, Collection
from uuid import UUID

from tjapi.examinee import repository
from tjapi.examinee.errors import (
    ExamineeKnownElsewhere,
    ExamineeMergedAway,
    ExamineeNotFound,
    ExamineesContradict,
    ExamineesDistinct,
    MergeNotFound,
    MergeNotLast,
    MergeUndone,
    SurvivorWithoutDocument,
)
from tjapi.examinee.events import ExamineesMerged, ExamineesUnmerged
from tjapi.examinee.models import Examinee, ExamineeGuardian, ExamineeIdentifier, ExamineeMerge
from tjapi.examinee.rules import Contradiction, contradictions, likeness, name_keys
from tjapi.examinee.schemas import MergeIn, MergeOut, MergesOut
from tjapi.examinee.service.duplicates import found_distinct, keep_apart, same, traits
from tjapi.examinee.service.reading import get
from tjapi.kernel.ids import uuid7
from tjapi.kernel.problem import FieldError, PermissionMissing
from tjapi.kernel.uow import UnitOfWork

_DESPITE = "examinee.merge_contradicting"
_DIFFERS: dict[Contradiction, tuple[str, str]] = {
    "id_number": ("证件号码不同", "the ID numbers differ"),
    "sex": ("性别不同", "the sexes differ"),
    "birth_date": ("出生日期不同", "the birth dates differ"),
}
Repoint = Callable[[UnitOfWork, UUID, UUID, Collection[UUID] | None], Awaitable[list[UUID]]]
"""Gives rows of one person to another, all or those of these ids, and returns the ids of the rows that changed."""
GivenSince = Callable[[UnitOfWork, UUID, UUID], Awaitable[list[UUID]]]
"""Returns the ids of a person's rows that were made after a merge."""
OfExams = Callable[[UnitOfWork, Collection[UUID]], Awaitable[list[UUID]]]
"""Returns the ids of the rows that are of these exams."""
_OWN: dict[str, type[ExamineeIdentifier | ExamineeGuardian]] = {
    "examinee_identifier": ExamineeIdentifier,
    "examinee_guardian": ExamineeGuardian,
}


async def merge(uow: UnitOfWork, merged_id: UUID, order: MergeIn) -> MergeOut:
    """Merge somebody into whom they were found to be. Merging the same two again is refused: they are one already.

    Raises ExamineeNotFound, SameExaminee, ExamineeMergedAway, ExamineeKnownElsewhere, ExamineesDistinct, SurvivorWithoutDocument, ExamineesContradict,
    PermissionMissing, and what those raise to whom something of theirs belongs.
    """
    merged, survivor = await _both(uow, merged_id, order.survivor_id)
    await _refuse_uncovered(uow, [merged.id, survivor.id])
    if await found_distinct(uow, merged.id, survivor.id):
        raise ExamineesDistinct
    if merged.id_number_index is not None and survivor.id_number_index is None:
        raise SurvivorWithoutDocument
    one, two = traits(uow, merged), traits(uow, survivor)
    accepted = contradictions(one, two)
    _refuse_contradictions(uow, accepted, order.accept_contradictions)
    made = ExamineeMerge(
        id=uuid7(), merged_id=merged.id, survivor_id=survivor.id, score=likeness(one, two).score, contradictions=list(accepted),
        reason=order.reason, merged_by=uow.principal.id, merged_by_name=uow.principal.name, merged_at=uow.now,
    )  # fmt: skip
    uow.session.add(made)
    await uow.session.flush()
    # Whoever was merged into the one who is merged now points at the survivor as well: one step leads there.
    moved = await repository.point(uow, merged.id, survivor.id)
    await repository.keep_followed(uow, made.id, "examinee", [(str(one_id), None) for one_id in moved])
    merged.merged_into_id = survivor.id
    _touch(uow, merged, survivor)
    await repository.link(uow, survivor.id)
    await _take_along(uow, made)
    fact = {"merge_id": made.id, "merged_id": merged.id, "survivor_id": survivor.id}
    await uow.publish(ExamineesMerged(campus_id=None, **fact))
    return await _said(uow, made, "examinee.merged", {"score": made.score, "contradictions": made.contradictions})


async def undo_merge(uow: UnitOfWork, merge_id: UUID, reason: str) -> MergeOut:
    """They are two after all: what followed the merge goes back, and they are not suggested as one again.

    What came to the survivor since stays there. Where the survivor was merged in turn, that is undone first. Raises MergeNotFound,
    MergeUndone, MergeNotLast, ExamineeKnownElsewhere.
    """
    seen = await repository.merge(uow, merge_id)
    if seen is None:
        raise MergeNotFound
    entries = await repository.lock_entries(uow, {seen.merged_id, seen.survivor_id})
    made = await repository.merge(uow, merge_id, lock=True)
    if made is None or len(entries) < 2:  # noqa: PLR2004 - hidden since
        raise MergeNotFound
    if made.undone_at is not None:
        raise MergeUndone
    merged, survivor = entries[made.merged_id], entries[made.survivor_id]
    if merged.merged_into_id != survivor.id:
        raise MergeNotLast
    await _refuse_uncovered(uow, [merged.id, survivor.id])
    made.undone_by, made.undone_by_name, made.undone_at, made.undo_reason = (
        uow.principal.id, uow.principal.name, uow.now, reason,
    )  # fmt: skip
    merged.merged_into_id = None
    _touch(uow, merged, survivor)
    await uow.session.flush()
    back = [UUID(key) for key, _ in await repository.followed(uow, made.id, "examinee")]
    await repository.point(uow, survivor.id, merged.id, back)
    await _bring_back(uow, made, survivor)
    fact = {"merge_id": made.id, "merged_id": merged.id, "survivor_id": survivor.id}
    await uow.publish(ExamineesUnmerged(campus_id=None, **fact))
    # Last: what went back is no reason any more for a campus to know the survivor.
    await repository.link(uow, merged.id, unlink=survivor.id)
    await keep_apart(uow, merged.id, survivor.id, reason)
    return await _said(uow, made, "examinee.unmerged", {})


async def merges(uow: UnitOfWork, examinee_id: UUID) -> MergesOut:
    """Return the merges of a person's archive, undone or not, newest first. Raises ExamineeNotFound."""
    person = await get(uow, examinee_id)
    await uow.audit("examinee.merges_listed", "examinee", person.id)
    ids = [person.id, *(entry.id for entry in await repository.merged_into(uow, [person.id]))]
    rows = await repository.merges(uow, ids)
    counted = await repository.count_followed(uow, [row.id for row in rows])
    return MergesOut(items=[_out(row, *counted[row.id]) for row in rows])


async def follow(
    uow: UnitOfWork, event: ExamineesMerged | ExamineesUnmerged, table: str, repoint: Repoint, given_since: GivenSince,
    *, of_exams: OfExams | None = None,
) -> list[UUID]:  # fmt: skip
    """Let the rows of a table follow a merge, or go back when it is undone; return which: for the reactions of later contexts.

    `of_exams`: the rows are of exams, and go back with these, also those that were made since the merge.
    """
    if isinstance(event, ExamineesMerged):
        rows = await repoint(uow, event.merged_id, event.survivor_id, None)
        await repository.keep_followed(uow, event.merge_id, table, _keys(rows))
        return rows
    back = [UUID(key) for key, _ in await repository.followed(uow, event.merge_id, table)]
    if of_exams is not None:
        exams = await followed(uow, event, "exam")
        back = await of_exams(uow, exams) if exams else []
    rows = await repoint(uow, event.survivor_id, event.merged_id, back) if back else []
    left = await given_since(uow, event.survivor_id, event.merge_id)
    await repository.keep_followed(uow, event.merge_id, table, _keys(left), stayed=True)
    return rows


async def followed(uow: UnitOfWork, event: ExamineesMerged | ExamineesUnmerged, table: str) -> list[UUID]:
    """Return which rows of a table followed a merge."""
    return sorted(UUID(key) for key, _ in await repository.followed(uow, event.merge_id, table))


async def is_called_otherwise(uow: UnitOfWork, event: ExamineesMerged | ExamineesUnmerged) -> bool:
    """Say whether name, sex or birth date of the two entries differ: what is printed of one is not true of the other."""
    one, two = [await repository.entry(uow, person_id) for person_id in (event.merged_id, event.survivor_id)]
    assert one is not None  # the merge holds both
    assert two is not None
    return (one.name, one.sex, one.birth_date) != (two.name, two.sex, two.birth_date)


def _keys(rows: Collection[UUID]) -> list[tuple[str, str | None]]:
    return [(str(row_id), None) for row_id in rows]


async def _both(uow: UnitOfWork, merged_id: UUID, survivor_id: UUID) -> tuple[Examinee, Examinee]:
    """Return two people under their locks, taken in one order whoever is merged into whom."""
    if merged_id == survivor_id:
        raise same("/survivor_id")
    entries = await repository.lock_entries(uow, {merged_id, survivor_id})
    if len(entries) < 2:  # noqa: PLR2004 - one of them may not be seen
        pointer = "/survivor_id" if merged_id in entries else "path:examinee_id"
        raise ExamineeNotFound(errors=[FieldError(pointer, "not-found", ExamineeNotFound.zh, ExamineeNotFound.en)])
    merged, survivor = entries[merged_id], entries[survivor_id]
    # Somebody was faster, or chose an entry that stands for somebody else: it is not for us to guess whom was meant.
    for entry, pointer in ((merged, "path:examinee_id"), (survivor, "/survivor_id")):
        if entry.merged_into_id is not None:
            raise same(pointer) if entry.merged_into_id in entries else _merged_away(pointer)
    return merged, survivor


def _merged_away(pointer: str) -> ExamineeMergedAway:
    return ExamineeMergedAway(
        errors=[FieldError(pointer, "merged", "该档案已合并到另一条", "this entry was merged into another")]
    )


async def _refuse_uncovered(uow: UnitOfWork, ids: list[UUID]) -> None:
    whole = [*ids, *(entry.id for entry in await repository.merged_into(uow, ids))]
    if not await repository.covers(uow, whole):
        raise ExamineeKnownElsewhere


def _refuse_contradictions(
    uow: UnitOfWork, found: Collection[Contradiction], accepted: Collection[Contradiction]
) -> None:
    missing = [what for what in found if what not in accepted]
    if missing:
        raise ExamineesContradict(
            errors=[FieldError("/accept_contradictions", what, *_DIFFERS[what]) for what in missing]
        )
    if found and uow.principal.kind != "job" and not uow.principal.may(_DESPITE):
        raise PermissionMissing(_DESPITE)


def _touch(uow: UnitOfWork, *people: Examinee) -> None:
    for person in people:
        person.version += 1
        person.updated_at = uow.now


async def _take_along(uow: UnitOfWork, made: ExamineeMerge) -> None:
    """Let what this context keeps follow: names and cards, by which people are found, and photos."""
    was, now = made.merged_id, made.survivor_id
    keys = await repository.move_keys(uow, was, now)
    await repository.keep_followed(uow, made.id, "examinee_name_key", [(key, None) for key in keys])
    for name, table in _OWN.items():
        rows = await repository.repoint(uow, table, was, now, None)
        await repository.keep_followed(uow, made.id, name, _keys(rows))
    first = await repository.next_photo_version(uow, now)
    numbers = list(
        zip(versions := await repository.photo_versions(uow, was), range(first, first + len(versions)), strict=True)
    )
    await repository.move_photos(uow, was, now, numbers)
    followed = [(str(number), str(becomes)) for number, becomes in numbers]
    await repository.keep_followed(uow, made.id, "examinee_photo", followed)


async def _bring_back(uow: UnitOfWork, made: ExamineeMerge, survivor: Examinee) -> None:
    was, now = made.survivor_id, made.merged_id
    keys = [key for key, _ in await repository.followed(uow, made.id, "examinee_name_key")]
    await repository.bring_keys_back(uow, was, now, keys, name_keys(survivor.name))
    for name, table in _OWN.items():
        followed = [UUID(key) for key, _ in await repository.followed(uow, made.id, name)]
        await repository.repoint(uow, table, was, now, followed)
        left = await repository.given_since(uow, table, was, made.id)
        await repository.keep_followed(uow, made.id, name, _keys(left), stayed=True)
    photos = await repository.followed(uow, made.id, "examinee_photo")
    await repository.move_photos(uow, was, now, [(int(became or 0), int(number)) for number, became in photos])
    since = [(str(number), None) for number in await repository.photos_since(uow, was, made.merged_at)]
    await repository.keep_followed(uow, made.id, "examinee_photo", since, stayed=True)


async def _said(uow: UnitOfWork, made: ExamineeMerge, action: str, detail: dict[str, object]) -> MergeOut:
    """Leave a trace with both; why is kept with the merge, where row security shows it to those who know the two."""
    followed, stayed = (await repository.count_followed(uow, [made.id]))[made.id]
    for person, other in ((made.merged_id, made.survivor_id), (made.survivor_id, made.merged_id)):
        told = {"merge_id": str(made.id), "other_id": str(other), "survivor_id": str(made.survivor_id), **detail}
        await uow.audit(action, "examinee", person, detail={**told, "followed": followed, "stayed": stayed})
    return _out(made, followed, stayed)


def _out(row: ExamineeMerge, followed: dict[str, int], stayed: dict[str, int]) -> MergeOut:
    counted = {"followed": followed, "stayed": stayed}
    shown = {name: getattr(row, name) for name in MergeOut.model_fields if name not in counted}
    return MergeOut.model_validate({**shown, **counted})
