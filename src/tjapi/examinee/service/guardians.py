"""Who answers for a minor, and the consent without which a child below 14 is not examined."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from tjapi.examinee import repository
from tjapi.examinee.errors import ExamineeOfAge, GuardianConsentMissing, GuardianInvalid, GuardianNotFound
from tjapi.examinee.models import ExamineeGuardian
from tjapi.examinee.rules import (
    FAULTS,
    ConsentForm,
    Fault,
    IdNumberFault,
    clean_name,
    folded,
    is_minor,
    is_one_name,
    needs_consent,
    normalise_phone,
    parse_id_number,
)
from tjapi.examinee.schemas import GuardianIn, GuardianOut, GuardiansOut, GuardianUnmaskedOut
from tjapi.examinee.service.reading import PHONE, get, kept, locked
from tjapi.kernel.clock import business_day
from tjapi.kernel.ids import uuid7
from tjapi.kernel.problem import FieldError
from tjapi.kernel.security.fields import mask_id_number, mask_phone
from tjapi.kernel.uow import UnitOfWork


async def add_guardian(uow: UnitOfWork, examinee_id: UUID, new: GuardianIn) -> GuardianOut:
    """Write down who answers for a minor, with their consent if it was given. Raises ExamineeNotFound, ExamineeOfAge, GuardianInvalid."""
    person = await kept(uow, examinee_id)
    if not is_minor(person.birth_date, business_day(uow.now)):
        raise ExamineeOfAge
    phone, number = _read(uow, new)
    row = ExamineeGuardian(
        id=uuid7(), examinee_id=person.id, name=clean_name(new.name), relation=new.relation, phone_index=uow.cipher.blind_index(phone, PHONE),
        phone_masked=mask_phone(phone), id_kind=new.id_kind, added_by=uow.principal.id, added_by_name=uow.principal.name, added_at=uow.now,
    )  # fmt: skip
    row.phone_sealed = uow.cipher.seal(phone, _place(row.id, "phone"))
    if number is not None:
        row.id_number_sealed = uow.cipher.seal(number, _place(row.id, "id_number"))
        row.id_number_masked = mask_id_number(number)
    uow.session.add(row)
    detail = {"guardian_id": str(row.id), "relation": row.relation}
    await uow.audit("examinee.guardian_added", "examinee", person.id, detail=detail)
    if new.consent is not None:
        await _consent(uow, row, new.consent.form)
    return _out(row)


async def guardians(uow: UnitOfWork, examinee_id: UUID) -> GuardiansOut:
    """Return who answers for somebody, masked. Raises ExamineeNotFound."""
    person = await get(uow, examinee_id)
    await uow.audit("examinee.guardians_listed", "examinee", person.id)
    rows = await repository.guardians(uow, person.id)
    required = needs_consent(person.birth_date, business_day(uow.now))
    return GuardiansOut(consent_required=required, items=[_out(row) for row in rows])


_RELATION = {"father": "父亲", "mother": "母亲", "grandparent": "祖父母", "other": "其他监护人"}


async def signed_as(uow: UnitOfWork, examinee_id: UUID, names: Sequence[str], signature: str) -> str | None:
    """Return as whom somebody has signed for a person: by their name, which may be any of `names`, or as who answers for them; None: as neither."""
    if any(is_one_name(name, signature) for name in names):
        return signature
    for row in await repository.guardians(uow, examinee_id):
        if is_one_name(row.name, signature):
            return f"{signature}(监护人·{_RELATION.get(row.relation, row.relation)})"
    return None


async def consent(uow: UnitOfWork, examinee_id: UUID, guardian_id: UUID, form: ConsentForm) -> GuardianOut:
    """A guardian consents; the first time is what is kept. Raises ExamineeNotFound, GuardianNotFound."""
    row = await _guardian(uow, examinee_id, guardian_id)
    if row.consented_at is None:
        await _consent(uow, row, form)
    return _out(row)


async def end_guardian(uow: UnitOfWork, examinee_id: UUID, guardian_id: UUID) -> GuardiansOut:
    """Somebody answers for the minor no longer, or takes the consent back. Raises ExamineeNotFound, GuardianNotFound."""
    row = await _guardian(uow, examinee_id, guardian_id)
    row.ended_at = uow.now
    await uow.audit("examinee.guardian_ended", "examinee", row.examinee_id, detail={"guardian_id": str(row.id)})
    return await guardians(uow, examinee_id)


async def unmask_guardian(uow: UnitOfWork, examinee_id: UUID, guardian_id: UUID, purpose: str) -> GuardianUnmaskedOut:
    """Return what is masked elsewhere; who asked, and why, is kept with it. Raises ExamineeNotFound, GuardianNotFound."""
    row = await _guardian(uow, examinee_id, guardian_id)
    detail = {"guardian_id": str(row.id), "purpose": purpose}
    await uow.audit("examinee.guardian_unmasked", "examinee", row.examinee_id, detail=detail)
    sealed = row.id_number_sealed
    return GuardianUnmaskedOut(
        id=row.id, phone=uow.cipher.open(row.phone_sealed, _place(row.id, "phone")),
        id_number=None if sealed is None else uow.cipher.open(sealed, _place(row.id, "id_number")),
    )  # fmt: skip


async def refuse_unconsented(uow: UnitOfWork, examinee_id: UUID, birth_date: date, pointer: str) -> None:
    """Refuse to examine a child for whom nobody has consented. Raises GuardianConsentMissing.

    `birth_date` spares everybody else the question.
    """
    if not needs_consent(birth_date, business_day(uow.now)):
        return
    rows = await repository.guardians(uow, examinee_id)
    if any(row.consented_at is not None for row in rows):
        return
    error = (
        FieldError(pointer, "consent-missing", "监护人尚未同意", "no guardian has consented yet")
        if rows
        else FieldError(pointer, "guardian-missing", "尚未登记监护人", "no guardian is known")
    )
    raise GuardianConsentMissing(errors=[error])


async def _guardian(uow: UnitOfWork, examinee_id: UUID, guardian_id: UUID) -> ExamineeGuardian:
    person = await locked(uow, examinee_id)
    row = await repository.guardian(uow, person.id, guardian_id)
    if row is None:
        raise GuardianNotFound
    return row


async def _consent(uow: UnitOfWork, row: ExamineeGuardian, form: ConsentForm) -> None:
    row.consent_form, row.consented_at = form, uow.now
    row.consent_by, row.consent_by_name = uow.principal.id, uow.principal.name
    detail = {"guardian_id": str(row.id), "form": form}
    await uow.audit("examinee.guardian_consented", "examinee", row.examinee_id, detail=detail)


def _read(uow: UnitOfWork, new: GuardianIn) -> tuple[str, str | None]:
    """Return phone and ID number in their one spelling. Raises GuardianInvalid with every field that is none."""
    errors = []
    phone = normalise_phone(new.phone)
    if phone is None:
        errors.append(FieldError("/phone", "invalid", "电话号码无效", "not a phone number"))
    if not folded(new.name):
        errors.append(FieldError("/name", "invalid", "请填写姓名", "give a name"))
    number: str | None = None
    fault: Fault | None = None
    if (new.id_kind == "none") != (new.id_number is None):
        fault = "number_missing" if new.id_number is None else "number_not_expected"
    elif new.id_number is not None:
        try:
            number = parse_id_number(new.id_kind, new.id_number, business_day(uow.now)).number
        except IdNumberFault as wrong:
            fault = wrong.fault
    if fault is not None:
        errors.append(FieldError("/id_number", fault, *FAULTS[fault]))
    if errors or phone is None:
        raise GuardianInvalid(errors=errors)
    return phone, number


def _place(guardian_id: UUID, column: str) -> str:
    return f"examinee_guardian|{column}|{guardian_id}"


def _out(row: ExamineeGuardian) -> GuardianOut:
    return GuardianOut.model_validate(row)
