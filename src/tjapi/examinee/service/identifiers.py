"""Cards and numbers of other systems by which a person is found."""

from uuid import UUID

from tjapi.examinee import repository
from tjapi.examinee.errors import IdentifierNotFound, IdentifierNumberInvalid, IdentifierTaken
from tjapi.examinee.models import ExamineeIdentifier
from tjapi.examinee.rules import mask_card_no, normalise_card_no
from tjapi.examinee.schemas import IdentifierIn, IdentifierOut, IdentifiersOut
from tjapi.examinee.service.reading import get, locked
from tjapi.kernel.ids import uuid7
from tjapi.kernel.problem import FieldError
from tjapi.kernel.uow import UnitOfWork

IDENTIFIER = "identifier"


async def add_identifier(uow: UnitOfWork, examinee_id: UUID, new: IdentifierIn) -> IdentifierOut:
    """Let a card or number find a person; adding it twice is adding it once. Raises ExamineeNotFound, IdentifierNumberInvalid, IdentifierTaken."""
    examinee_id = (await locked(uow, examinee_id)).id
    number = normalise_card_no(new.number)
    if number is None:
        raise IdentifierNumberInvalid(
            errors=[FieldError("/number", "invalid", "卡号只含字母和数字", "a card number is of letters and digits")]
        )
    row = ExamineeIdentifier(
        id=uuid7(), examinee_id=examinee_id, kind=new.kind, number_index=uow.cipher.blind_index(number, IDENTIFIER),
        number_masked=mask_card_no(number), added_by=uow.principal.id, added_by_name=uow.principal.name, added_at=uow.now,
    )  # fmt: skip
    row.number_sealed = uow.cipher.seal(number, f"examinee_identifier|number|{row.id}")
    if await repository.add_identifier(uow, row):
        detail = {"kind": new.kind, "identifier_id": str(row.id)}
        await uow.audit("examinee.identifier_added", "examinee", examinee_id, detail=detail)
        return _out(row)
    known = await repository.identifier_of_number(uow, new.kind, row.number_index)
    if known is None or known.examinee_id != examinee_id:
        raise IdentifierTaken(
            errors=[FieldError("/number", "taken", "该卡号已属于另一位受检者", "belongs to somebody else already")]
        )
    return _out(known)


async def identifiers(uow: UnitOfWork, examinee_id: UUID) -> IdentifiersOut:
    """Return the cards and numbers of a person, masked. Raises ExamineeNotFound."""
    examinee_id = (await get(uow, examinee_id)).id
    await uow.audit("examinee.identifiers_listed", "examinee", examinee_id)
    return IdentifiersOut(items=[_out(row) for row in await repository.identifiers(uow, examinee_id)])


async def remove_identifier(uow: UnitOfWork, examinee_id: UUID, identifier_id: UUID) -> IdentifiersOut:
    """Take a card or number away: lost, or given to somebody else. Returns what is left. Raises ExamineeNotFound, IdentifierNotFound."""
    examinee_id = (await locked(uow, examinee_id)).id
    kind = await repository.remove_identifier(uow, examinee_id, identifier_id)
    if kind is None:
        raise IdentifierNotFound
    detail = {"kind": kind, "identifier_id": str(identifier_id)}
    await uow.audit("examinee.identifier_removed", "examinee", examinee_id, detail=detail)
    return IdentifiersOut(items=[_out(row) for row in await repository.identifiers(uow, examinee_id)])


def _out(row: ExamineeIdentifier) -> IdentifierOut:
    return IdentifierOut.model_validate(row, from_attributes=True)
