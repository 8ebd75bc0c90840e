"""Meeting people: by what a document says, or by what is typed from it; and what the desk hears anew."""

from datetime import date
from uuid import UUID

from tjapi.examinee import repository
from tjapi.examinee.errors import (
    CampusNotFound,
    ExamineeDetailsDiffer,
    ExamineeDetailsInvalid,
    ExamineeNameDiffers,
    IdCardContradiction,
    IdNumberInvalid,
)
from tjapi.examinee.events import ExamineeAmended, ExamineeRegistered
from tjapi.examinee.models import Examinee
from tjapi.examinee.rules import (
    FAULTS,
    Fault,
    IdNumber,
    IdNumberFault,
    PhotoFile,
    birth_date_fault,
    clean_name,
    folded,
    name_keys,
    normalise_phone,
    parse_id_number,
)
from tjapi.examinee.schemas import ExamineePatch, IdCardPayload
from tjapi.examinee.service.photos import keep_photo
from tjapi.examinee.service.reading import ADDRESS, ID_NUMBER, PHONE, get, locked, opened, place
from tjapi.kernel.clock import business_day
from tjapi.kernel.ids import uuid7
from tjapi.kernel.problem import FieldError, PreconditionFailed
from tjapi.kernel.security.fields import mask_id_number, mask_phone
from tjapi.kernel.uow import UnitOfWork


async def meet(
    uow: UnitOfWork, payload: IdCardPayload, campus_id: int, *, photo: PhotoFile | None = None
) -> tuple[Examinee, bool]:
    """Find the holder of a document, or enter them; say whether they are new. Two at once end with one person.

    `photo` is the one of the document, whose bytes are stored already. What the document or the desk says anew about phone, address and nation replaces what was known. Raises CampusNotFound,
    IdNumberInvalid, IdCardContradiction, ExamineeDetailsInvalid, ExamineeNameDiffers, ExamineeDetailsDiffer.
    """
    if campus_id not in uow.principal.campuses:
        raise CampusNotFound(errors=[FieldError("/campus_id", "not-found", "没有这个院区", "no such campus")])
    today = business_day(uow.now)
    document = _document(payload, today)
    _refuse_contradictions(payload, document)
    birth_date = _birth_date(payload, document, today)
    sex = document.sex or payload.sex if document else payload.sex
    name = _name(payload.name)
    if document is not None:
        index = uow.cipher.blind_index(document.number, ID_NUMBER)
        await repository.lock_identifier(uow, document.kind, index)
        known = await repository.meet(uow, document.kind, index, campus_id)
        if known is not None:
            again = await _met_again(uow, known, payload, name, sex, birth_date)
            await _keep_photo(uow, again, photo)
            return again, False
    person = Examinee(
        id=uuid7(), name=name, sex=sex, birth_date=birth_date, id_kind=payload.id_kind,
        nation=payload.nation, version=1, created_at=uow.now, updated_at=uow.now,
    )  # fmt: skip
    if document is not None:
        person.id_number_sealed = uow.cipher.seal(document.number, place(person.id, ID_NUMBER))
        person.id_number_index = uow.cipher.blind_index(document.number, ID_NUMBER)
        person.id_number_masked = mask_id_number(document.number)
    _set_phone(uow, person, _phone(payload.phone))
    _set_address(uow, person, payload.address)
    await repository.add(uow, person, campus_id, name_keys(name))
    await uow.audit("examinee.registered", "examinee", person.id, campus_id=campus_id)
    await _keep_photo(uow, person, photo)
    await uow.publish(ExamineeRegistered(campus_id=campus_id, examinee_id=person.id))
    return person, True


async def _keep_photo(uow: UnitOfWork, person: Examinee, photo: PhotoFile | None) -> None:
    if photo is not None:
        await keep_photo(uow, person.id, photo, "id_card")


async def introduce(uow: UnitOfWork, examinee_id: UUID, campus_id: int) -> None:
    """Let a campus know somebody who comes to it of their own accord; by the document, as at its desk.

    Raises ExamineeNotFound; CampusNotFound for a person without a document whom the campus does not know.
    """
    person = await get(uow, examinee_id)
    if await repository.is_met(uow, examinee_id, campus_id):
        return
    if person.id_number_index is None:
        raise CampusNotFound(
            errors=[FieldError("/campus_id", "unknown-there", "请先到该院区前台登记", "register at that desk first")]
        )
    await repository.meet(uow, person.id_kind, bytes(person.id_number_index), campus_id)


def _document(payload: IdCardPayload, today: date) -> IdNumber | None:
    if payload.id_kind == "none":
        if payload.id_number is not None:
            raise _number_problem("number_not_expected")
        return None
    if payload.id_number is None:
        raise _number_problem("number_missing")
    try:
        return parse_id_number(payload.id_kind, payload.id_number, today)
    except IdNumberFault as fault:
        raise _number_problem(fault.fault) from None


def _number_problem(fault: Fault) -> IdNumberInvalid:
    return IdNumberInvalid(errors=[FieldError("/id_number", fault, *FAULTS[fault])])


def _refuse_contradictions(payload: IdCardPayload, document: IdNumber | None) -> None:
    if document is None:
        return
    errors = []
    if document.sex is not None and payload.sex not in ("unknown", document.sex):
        errors.append(
            FieldError("/sex", "contradicts_id_number", "性别与证件号码不一致", "the sex contradicts the ID number")
        )
    if document.birth_date is not None and payload.birth_date not in (None, document.birth_date):
        errors.append(
            FieldError(
                "/birth_date",
                "contradicts_id_number",
                "出生日期与证件号码不一致",
                "the birth date contradicts the ID number",
            )
        )
    if errors:
        raise IdCardContradiction(errors=errors)


def _birth_date(payload: IdCardPayload, document: IdNumber | None, today: date) -> date:
    birth = (document.birth_date if document else None) or payload.birth_date
    if birth is None:
        raise ExamineeDetailsInvalid(
            errors=[
                FieldError(
                    "/birth_date",
                    "missing",
                    "该证件号码不含出生日期,请填写",
                    "the number does not say the birth date: give it",
                )
            ]
        )
    fault = birth_date_fault(birth, today)
    if fault is not None:
        raise ExamineeDetailsInvalid(errors=[FieldError("/birth_date", fault, *FAULTS[fault])])
    return birth


def _name(raw: str) -> str:
    name = clean_name(raw)
    if not folded(name):
        raise ExamineeDetailsInvalid(errors=[FieldError("/name", "invalid", "请填写姓名", "give a name")])
    return name


async def _met_again(
    uow: UnitOfWork, examinee_id: UUID, payload: IdCardPayload, name: str, sex: str, birth_date: date
) -> Examinee:
    person = await locked(uow, examinee_id)
    if folded(person.name) != folded(name):
        raise ExamineeNameDiffers(
            errors=[FieldError("/name", "differs", "与已登记的姓名不同", "differs from the name that is known")]
        )
    if person.birth_date != birth_date:
        raise ExamineeDetailsDiffer(
            errors=[
                FieldError(
                    "/birth_date", "differs", "与已登记的出生日期不同", "differs from the birth date that is known"
                )
            ]
        )
    if sex != "unknown" and person.sex not in ("unknown", sex):
        raise ExamineeDetailsDiffer(
            errors=[FieldError("/sex", "differs", "与已登记的性别不同", "differs from the sex that is known")]
        )
    changed = ["sex"] if person.sex == "unknown" and sex != "unknown" else []
    person.sex = sex if changed else person.sex
    given = {field: value for field in ("nation", "phone", "address") if (value := getattr(payload, field)) is not None}
    await _amend(uow, person, ExamineePatch.model_validate(given), changed)
    return person


async def amend(uow: UnitOfWork, examinee_id: UUID, patch: ExamineePatch, version: int) -> Examinee:
    """Change phone, address, nation. Raises ExamineeNotFound, PreconditionFailed, ExamineeDetailsInvalid."""
    person = await locked(uow, examinee_id)
    if person.version != version:
        raise PreconditionFailed
    await _amend(uow, person, patch, [])
    return person


async def _amend(uow: UnitOfWork, person: Examinee, patch: ExamineePatch, changed: list[str]) -> None:
    """Set what is given and differs; leave a trace and a fact only when something did."""
    given = patch.model_fields_set
    if "nation" in given and patch.nation != person.nation:
        person.nation = patch.nation
        changed.append("nation")
    phone = _phone(patch.phone)
    if "phone" in given and phone != opened(uow, person, person.phone_sealed, PHONE):
        _set_phone(uow, person, phone)
        changed.append("phone")
    if "address" in given and patch.address != opened(uow, person, person.address_sealed, ADDRESS):
        _set_address(uow, person, patch.address)
        changed.append("address")
    if not changed:
        return
    person.version += 1
    person.updated_at = uow.now
    await uow.audit("examinee.amended", "examinee", person.id, detail={"fields": changed})
    await uow.publish(ExamineeAmended(campus_id=None, examinee_id=person.id))


def _phone(raw: str | None) -> str | None:
    if raw is None:
        return None
    phone = normalise_phone(raw)
    if phone is None:
        raise ExamineeDetailsInvalid(errors=[FieldError("/phone", "invalid", "电话号码无效", "not a phone number")])
    return phone


def _set_phone(uow: UnitOfWork, person: Examinee, phone: str | None) -> None:
    person.phone_sealed = None if phone is None else uow.cipher.seal(phone, place(person.id, PHONE))
    person.phone_index = None if phone is None else uow.cipher.blind_index(phone, PHONE)
    person.phone_masked = None if phone is None else mask_phone(phone)


def _set_address(uow: UnitOfWork, person: Examinee, address: str | None) -> None:
    person.address_sealed = None if address is None else uow.cipher.seal(address, place(person.id, ADDRESS))
