"""People of another system's archive, in bulk: found by their document, or entered; never two of one."""

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from tjapi.examinee import repository
from tjapi.examinee.errors import PeopleInvalid
from tjapi.examinee.events import ExamineeRegistered
from tjapi.examinee.models import Examinee
from tjapi.examinee.rules import IdNumber, is_one_name, name_keys
from tjapi.examinee.schemas import IdCardPayload
from tjapi.examinee.service.meeting import entered, number_problem, said_by
from tjapi.identity import service as identity
from tjapi.kernel.clock import business_day
from tjapi.kernel.problem import FieldError, Problem
from tjapi.kernel.uow import UnitOfWork


async def import_people(uow: UnitOfWork, campus_id: int, rows: Sequence[IdCardPayload]) -> list[UUID]:
    """Enter people of an archive, in few statements; return the id of each row's person.

    As `meet` does, whoever holds a document that is known is that person, whom the campus has met from now on; what the archive says
    of their phone, address and nation does not replace what is known here. Every row has a document, for without one nobody would find
    the same person again. Raises CampusNotHeld, PeopleInvalid naming every field.
    """
    identity.refuse_foreign_campus(uow, campus_id)
    people = _read(uow, rows)
    keys: list[tuple[str, bytes, str]] = [
        (document.kind, person.id_number_index or b"", person.id_country) for document, person in people
    ]
    await repository.lock_identifiers(uow, keys)
    met = await repository.meet_many(uow, keys, campus_id)
    known = {
        entry.id: entry for entry in await repository.examinees(uow, {found for found in met if found is not None})
    }
    differing = [
        FieldError(f"/rows/{i}/name", "differs", "与已登记的姓名或出生日期不同", "differs from the name or birth date that is known")
        for i, (found, (_, person)) in enumerate(zip(met, people, strict=True))
        if found is not None
        and not (is_one_name(known[found].name, person.name) and known[found].birth_date == person.birth_date)
    ]  # fmt: skip
    if differing:
        raise PeopleInvalid(errors=differing)
    new = [person for found, (_, person) in zip(met, people, strict=True) if found is None]
    await repository.add_many(uow, new, campus_id, {person.id: name_keys(person.name) for person in new})
    if new:
        await uow.audit("examinee.imported", "examinee", "archive", campus_id=campus_id, detail={"people": len(new)})
    for person in new:
        await uow.publish(ExamineeRegistered(campus_id=campus_id, examinee_id=person.id))
    return [
        (known[found].merged_into_id or found) if found is not None else person.id
        for found, (_, person) in zip(met, people, strict=True)
    ]


def _read(uow: UnitOfWork, rows: Sequence[IdCardPayload]) -> list[tuple[IdNumber, Examinee]]:
    """Return each row's document and person, not yet written. Raises PeopleInvalid."""
    errors: list[FieldError] = []
    people: list[tuple[IdNumber, Examinee]] = []
    today = business_day(uow.now)
    for i, payload in enumerate(rows):
        try:
            document, said = said_by(payload, today)
            if document is None:
                raise number_problem("number_missing")
            people.append((document, entered(uow, payload, document, said)))
        except Problem as wrong:
            errors += [FieldError(f"/rows/{i}{e.pointer}", e.code, e.zh, e.en) for e in wrong.errors]
    times = Counter((document.kind, document.number) for document, _ in people)
    if not errors:
        errors = [
            FieldError(f"/rows/{i}/id_number", "duplicate", "证件号码重复", "the number is there twice")
            for i, (document, _) in enumerate(people)
            if times[document.kind, document.number] > 1
        ]
    if errors:
        raise PeopleInvalid(errors=errors)
    return people
