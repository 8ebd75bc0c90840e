"""People as they are kept: read, locked, opened by right."""

import hmac
from collections.abc import Collection
from uuid import UUID

from tjapi.examinee import repository
from tjapi.examinee.errors import ExamineeNotFound
from tjapi.examinee.models import Examinee
from tjapi.examinee.rules import kind_for_life, spellings_of, spellings_sought
from tjapi.examinee.schemas import ExamineeOut, UnmaskedOut
from tjapi.kernel.clock import business_day
from tjapi.kernel.uow import UnitOfWork

ID_NUMBER, PHONE, ADDRESS = "id_number", "phone", "address"


async def get(uow: UnitOfWork, examinee_id: UUID) -> Examinee:
    """Return a person whom one may see; of one who was merged, whom they were merged into. Raises ExamineeNotFound."""
    person = await repository.examinee(uow, examinee_id)
    if person is None:
        raise ExamineeNotFound
    return person


async def survivor_id(uow: UnitOfWork, examinee_id: UUID) -> UUID:
    """Return the id under which a person's things are: their own, or that of whom they were merged into."""
    return await repository.survivor_id(uow, examinee_id)


async def many(uow: UnitOfWork, ids: Collection[UUID]) -> dict[UUID, Examinee]:
    """Return people by the id that was asked for, those whom one may see; for one who was merged, whom they were merged into."""
    entries = await repository.examinees(uow, ids)
    others = {entry.merged_into_id for entry in entries if entry.merged_into_id is not None}
    survivors = {person.id: person for person in await repository.examinees(uow, others)} if others else {}
    people = {entry.id: survivors.get(entry.merged_into_id) if entry.merged_into_id else entry for entry in entries}
    return {asked: person for asked, person in people.items() if person is not None}


async def locked(uow: UnitOfWork, examinee_id: UUID) -> Examinee:
    """Return a person under the row lock. Raises ExamineeNotFound."""
    person = await repository.examinee(uow, examinee_id, lock="change")
    if person is None:
        raise ExamineeNotFound
    return person


async def kept(uow: UnitOfWork, examinee_id: UUID) -> Examinee:
    """Return a person to whom something is about to be given: until it is theirs, nobody merges them away. Raises ExamineeNotFound."""
    person = await repository.examinee(uow, examinee_id, lock="keep")
    if person is None:
        raise ExamineeNotFound
    return person


async def look_at(uow: UnitOfWork, examinee_id: UUID) -> ExamineeOut:
    """Return a person, masked, and leave a trace of who looked. Raises ExamineeNotFound."""
    person = await get(uow, examinee_id)
    await uow.audit("examinee.read", "examinee", person.id)
    return shape(person)


async def number_ends_with(uow: UnitOfWork, examinee_id: UUID, ending: str) -> bool:
    """Say whether an ID number of a person ends so; a mask may show fewer characters than are asked for. Raises ExamineeNotFound.

    Whoever was entered under two documents may hold either in hand.
    """
    person = await get(uow, examinee_id)
    entries = [person, *await repository.merged_into(uow, [person.id])]
    numbers = [opened(uow, entry, entry.id_number_sealed, ID_NUMBER) or "" for entry in entries]
    wanted = ending.upper().encode()
    return True in [hmac.compare_digest(number[-len(ending) :].upper().encode(), wanted) for number in numbers]


async def has_number(uow: UnitOfWork, examinee_id: UUID, said: Collection[str]) -> bool | None:
    """Say whether a whole ID number that somebody else's system names is a person's: True, False: it is another one's, None: nothing is said.

    Whoever was entered under two documents has both. Only of a document that one has for life another number is another person: passports
    and permits are renewed, and what stands where a number belongs may be a number of theirs. The digests are compared, nothing is opened
    but to find the old spelling of 15 digits.
    """
    if not said:
        return None
    people = [
        *await repository.examinees(uow, [examinee_id]),
        *await repository.merged_into(uow, [examinee_id]),
    ]
    known: set[bytes] = set()
    for entry in people:
        number = opened(uow, entry, entry.id_number_sealed, ID_NUMBER)
        known.update(uow.cipher.blind_index(spelling, ID_NUMBER) for spelling in spellings_of(number or "") if spelling)
    wanted = {number: {uow.cipher.blind_index(one, ID_NUMBER) for one in spellings_sought(number)} for number in said}
    if any(not digests.isdisjoint(known) for digests in wanted.values()):
        return True
    held = {entry.id_kind for entry in people}
    another = any(kind_for_life(number, business_day(uow.now)) in held for number in said)
    return False if another else None


async def numbers_shown(uow: UnitOfWork, examinee_id: UUID) -> list[str]:
    """Return the ID numbers of a person in every spelling, for a rule that compares them and keeps none. Nothing of them leaves a unit."""
    people = [
        *await repository.examinees(uow, [examinee_id]),
        *await repository.merged_into(uow, [examinee_id]),
    ]
    numbers = [opened(uow, entry, entry.id_number_sealed, ID_NUMBER) or "" for entry in people]
    return [spelling for number in numbers for spelling in spellings_of(number) if spelling]


async def unmask(uow: UnitOfWork, examinee_id: UUID, purpose: str) -> UnmaskedOut:
    """Return what is masked elsewhere; who asked, and why, is kept with it. Raises ExamineeNotFound."""
    person = await get(uow, examinee_id)
    await uow.audit("examinee.unmasked", "examinee", person.id, detail={"purpose": purpose})
    return UnmaskedOut(
        id=person.id,
        id_number=opened(uow, person, person.id_number_sealed, ID_NUMBER),
        phone=opened(uow, person, person.phone_sealed, PHONE),
        address=opened(uow, person, person.address_sealed, ADDRESS),
    )


def shape(person: Examinee) -> ExamineeOut:
    """Return the public, masked shape of a person."""
    return ExamineeOut.model_validate(person)


def place(examinee_id: UUID, column: str) -> str:
    """Return where a sealed field belongs."""
    return f"examinee|{column}|{examinee_id}"


def opened(uow: UnitOfWork, person: Examinee, sealed: bytes | None, column: str) -> str | None:
    """Return a sealed field of a person in clear."""
    return None if sealed is None else uow.cipher.open(sealed, place(person.id, column))
