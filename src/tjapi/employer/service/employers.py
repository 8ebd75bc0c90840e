"""Units, their branches, and whom one calls."""

from collections.abc import Sequence
from uuid import UUID

from tjapi.employer import repository
from tjapi.employer.errors import (
    EmployerCodeTaken,
    EmployerContactNotFound,
    EmployerNotFound,
    EmployerTreeInvalid,
    MemberInvalid,
)
from tjapi.employer.models import Employer, EmployerContact
from tjapi.employer.schemas import (
    ContactIn,
    ContactOut,
    EmployerDetail,
    EmployerIn,
    EmployerOut,
    EmployerPatch,
    UnmaskedContactOut,
)
from tjapi.examinee.rules import folded, name_keys, normalise_phone
from tjapi.kernel.ids import uuid7
from tjapi.kernel.problem import FieldError, PreconditionFailed, naming
from tjapi.kernel.security.fields import mask_phone
from tjapi.kernel.uow import UnitOfWork

_INITIALS_OF = 12


async def create_employer(uow: UnitOfWork, new: EmployerIn) -> Employer:
    """Enter a unit. Raises EmployerCodeTaken, EmployerNotFound of its parent."""
    if new.parent_id is not None:
        with naming("/parent_id"):
            await employer(uow, new.parent_id)
    taken = await repository.employer_with(uow, new.code, new.uscc)
    if taken is not None:
        field = "code" if taken.code == new.code else "uscc"
        raise EmployerCodeTaken(errors=[FieldError(f"/{field}", "taken", "已被另一单位使用", "taken by another unit")])
    made = Employer(
        id=uuid7(), **new.model_dump(), initials=_initials(new.name), column_mapping={}, active=True, version=1, created_at=uow.now, updated_at=uow.now,
    )  # fmt: skip
    uow.session.add(made)
    await uow.audit("employer.created", "employer", made.id)
    return made


def _initials(name: str) -> str:
    """Return the initials of a unit's name in its usual reading, which comes first, for searching."""
    beginning = folded(name)[:_INITIALS_OF]
    keys = name_keys(beginning)
    return next((key for key in keys[1:] if key.isascii() and len(key) == len(beginning)), keys[0])


async def update_employer(uow: UnitOfWork, employer_id: UUID, patch: EmployerPatch, version: int) -> Employer:
    """Change a unit. Raises EmployerNotFound, PreconditionFailed, EmployerTreeInvalid."""
    found = await repository.employer(uow, employer_id, lock=True)
    if found is None:
        raise EmployerNotFound
    if found.version != version:
        raise PreconditionFailed
    given = patch.model_fields_set
    if patch.parent_id is not None:
        with naming("/parent_id"):
            await employer(uow, patch.parent_id)
        if employer_id in await repository.ancestors(uow, patch.parent_id):
            raise EmployerTreeInvalid(
                errors=[
                    FieldError(
                        "/parent_id", "cycle", "上级单位是本单位或其下级", "the parent is the unit itself or below it"
                    )
                ]
            )
    for field in given:
        setattr(found, field, getattr(patch, field))
    if "name" in given:
        found.initials = _initials(patch.name)
    found.version += 1
    found.updated_at = uow.now
    await uow.audit("employer.updated", "employer", found.id, detail={"fields": sorted(given)})
    return found


async def employer(uow: UnitOfWork, employer_id: UUID) -> Employer:
    """Return a unit. Raises EmployerNotFound."""
    found = await repository.employer(uow, employer_id)
    if found is None:
        raise EmployerNotFound
    return found


async def employers_page(
    uow: UnitOfWork,
    *,
    q: str | None,
    parent_id: UUID | None,
    active: bool | None,
    after: Sequence[str] | None,
    size: int,
) -> Sequence[Employer]:
    """Return a page of units by code, one too many; `q` is a part of the name, or the beginning of the code or the initials."""
    return await repository.employers_page(uow, q=q, parent_id=parent_id, active=active, after=after, size=size)


async def describe_employer(uow: UnitOfWork, employer_id: UUID) -> EmployerDetail:
    """Return a unit with its contacts, masked, and its branches. Raises EmployerNotFound."""
    found = await employer(uow, employer_id)
    return EmployerDetail(
        **EmployerOut.model_validate(found).model_dump(),
        contacts=[ContactOut.model_validate(row) for row in await repository.contacts(uow, employer_id)],
        branches=[EmployerOut.model_validate(row) for row in await repository.branches(uow, employer_id)],
    )


async def add_contact(uow: UnitOfWork, employer_id: UUID, new: ContactIn) -> EmployerContact:
    """Enter whom one calls. Raises EmployerNotFound, MemberInvalid of the number."""
    await employer(uow, employer_id)
    phone = normalise_phone(new.phone)
    if phone is None:
        raise MemberInvalid(errors=[FieldError("/phone", "invalid", "电话号码无效", "not a phone number")])
    made = EmployerContact(
        id=(contact_id := uuid7()), employer_id=employer_id, name=new.name, post=new.post, phone_sealed=uow.cipher.seal(phone, _place(contact_id)),
        phone_masked=mask_phone(phone), created_at=uow.now,
    )  # fmt: skip
    uow.session.add(made)
    await uow.audit("employer.contact_added", "employer", employer_id)
    return made


async def remove_contact(uow: UnitOfWork, employer_id: UUID, contact_id: UUID) -> None:
    """Forget a contact. Raises EmployerContactNotFound."""
    found = await _contact(uow, employer_id, contact_id)
    await uow.session.delete(found)
    await uow.audit("employer.contact_removed", "employer", employer_id)


async def unmask_contact(uow: UnitOfWork, employer_id: UUID, contact_id: UUID, purpose: str) -> UnmaskedContactOut:
    """Return a contact's number in full; who asked, and why, is kept with it. Raises EmployerContactNotFound."""
    found = await _contact(uow, employer_id, contact_id)
    await uow.audit("employer.contact_unmasked", "employer", employer_id, detail={"purpose": purpose})
    return UnmaskedContactOut(id=found.id, phone=uow.cipher.open(found.phone_sealed, _place(found.id)))


async def _contact(uow: UnitOfWork, employer_id: UUID, contact_id: UUID) -> EmployerContact:
    found = await repository.contact(uow, employer_id, contact_id)
    if found is None:
        raise EmployerContactNotFound
    return found


def _place(contact_id: UUID) -> str:
    return f"employer_contact|phone|{contact_id}"
