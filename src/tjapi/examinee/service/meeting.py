"""Meeting people: by what a document says, or by what is typed from it; and what the desk hears anew."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from tjapi.examinee import repository
from tjapi.examinee.errors import (
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
    Sex,
    birth_date_fault,
    clean_name,
    country_of,
    folded,
    full_years,
    is_for_ever,
    is_one_name,
    name_keys,
    normalise_phone,
    parse_id_number,
    read_date,
    read_nation,
    read_sex,
)
from tjapi.examinee.schemas import ExamineeMet, ExamineePatch, IdCardPayload
from tjapi.examinee.service.photos import keep_photo
from tjapi.examinee.service.reading import ADDRESS, ID_NUMBER, PHONE, get, locked, opened, place, shape
from tjapi.identity import service as identity
from tjapi.identity.errors import CampusNotHeld
from tjapi.kernel.clock import business_day
from tjapi.kernel.ids import uuid7
from tjapi.kernel.problem import FieldError, PreconditionFailed, Problem
from tjapi.kernel.security.fields import mask_id_number, mask_phone
from tjapi.kernel.uow import UnitOfWork


async def meet(
    uow: UnitOfWork, payload: IdCardPayload, campus_id: int, *, photo: PhotoFile | None = None
) -> tuple[Examinee, bool]:
    """Find the holder of a document, or enter them; say whether they are new. Two at once end with one person.

    `photo` is the one of the document, whose bytes are stored already. What the document or the desk says anew about phone, address and nation replaces what was known. Raises CampusNotHeld,
    IdNumberInvalid, IdCardContradiction, ExamineeDetailsInvalid, ExamineeNameDiffers, ExamineeDetailsDiffer.
    """
    identity.refuse_foreign_campus(uow, campus_id)
    document, read = said_by(payload, business_day(uow.now))
    if document is not None:
        index = uow.cipher.blind_index(document.number, ID_NUMBER)
        await repository.lock_identifier(uow, document.kind, index)
        known = await repository.meet(uow, document.kind, index, read.country, campus_id)
        if known is not None:
            again = await _met_again(uow, known, payload, read)
            await _keep_photo(uow, again, photo)
            return again, False
    person = entered(uow, payload, document, read)
    await repository.add(uow, person, campus_id, name_keys(read.name))
    await uow.audit("examinee.registered", "examinee", person.id, campus_id=campus_id)
    await _keep_photo(uow, person, photo)
    await uow.publish(ExamineeRegistered(campus_id=campus_id, examinee_id=person.id))
    return person, True


async def meet_many(uow: UnitOfWork, payloads: Sequence[IdCardPayload], campus_id: int) -> list[Examinee | Problem]:
    """Do what `meet` does for many documents, in few statements; return the holder of each, or why there is none.

    Where somebody is refused the unit must not be committed: whoever keeps the others leaves these out and asks again. Raises CampusNotHeld.
    """
    identity.refuse_foreign_campus(uow, campus_id)
    read = [_read_or_refused(payload, business_day(uow.now)) for payload in payloads]
    keys = [_key(uow, one) for one in read]
    wanted = list({key for key in keys if key is not None})
    await repository.lock_identifiers(uow, wanted)
    met_as = dict(zip(wanted, await repository.meet_many(uow, wanted, campus_id), strict=True))
    known = {one.id: one for one in await repository.lock_many(uow, [found for found in met_as.values() if found])}
    answer: list[Examinee | Problem] = []
    new: list[Examinee] = []
    for payload, one, key in zip(payloads, read, keys, strict=True):
        holder = None if key is None else met_as[key]
        try:
            person = await _holder(uow, payload, one, None if holder is None else known[holder])
        except Problem as refusal:
            answer.append(refusal)
            continue
        answer.append(person)
        if holder is None:
            new.append(person)
    await repository.add_many(uow, new, campus_id, {person.id: name_keys(person.name) for person in new})
    await uow.audit_many("examinee.registered", "examinee", {person.id: {} for person in new}, campus_id=campus_id)
    await uow.publish_many([ExamineeRegistered(campus_id=campus_id, examinee_id=person.id) for person in new])
    return answer


def _read_or_refused(payload: IdCardPayload, today: date) -> "tuple[IdNumber | None, Read] | Problem":
    try:
        return said_by(payload, today)
    except Problem as refusal:
        return refusal


def _key(uow: UnitOfWork, read: "tuple[IdNumber | None, Read] | Problem") -> tuple[str, bytes, str] | None:
    if isinstance(read, Problem) or read[0] is None:
        return None
    return read[0].kind, uow.cipher.blind_index(read[0].number, ID_NUMBER), read[1].country


async def _holder(
    uow: UnitOfWork, payload: IdCardPayload, read: "tuple[IdNumber | None, Read] | Problem", person: Examinee | None
) -> Examinee:
    if isinstance(read, Problem):
        raise read
    document, said = read
    if person is None:
        return entered(uow, payload, document, said)
    if person.merged_into_id is not None:
        return await _met_again(uow, person.id, payload, said)
    return await _welcome(uow, person, person, payload, said)


def said_by(payload: IdCardPayload, today: date) -> tuple[IdNumber | None, "Read"]:
    """Return what a payload says of a person. Raises IdNumberInvalid, IdCardContradiction, ExamineeDetailsInvalid."""
    read = _understood(payload)
    document = _document(payload, today)
    _refuse_contradictions(read, document)
    sex = (document.sex if document else None) or read.sex
    return document, replace(read, sex=sex, birth_date=_birth_date(read, document, today))


def entered(uow: UnitOfWork, payload: IdCardPayload, document: IdNumber | None, read: "Read") -> Examinee:
    """Return a new person, not yet written. Raises ExamineeDetailsInvalid."""
    assert read.birth_date is not None
    person = Examinee(
        id=uuid7(), name=read.name, sex=read.sex, birth_date=read.birth_date, id_kind=payload.id_kind,
        nation=read.nation, version=1, created_at=uow.now, updated_at=uow.now,
        # Said always: a value that the database made would have to be read back, and until a campus has met them nobody sees the row.
        id_country=read.country if document is not None else "",
    )  # fmt: skip
    if document is not None:
        person.id_number_sealed = uow.cipher.seal(document.number, place(person.id, ID_NUMBER))
        person.id_number_index = uow.cipher.blind_index(document.number, ID_NUMBER)
        person.id_number_masked = mask_id_number(document.number)
    _set_validity(person, read)
    _set_phone(uow, person, _phone(payload.phone))
    _set_address(uow, person, payload.address)
    return person


def met(uow: UnitOfWork, person: Examinee, *, created: bool) -> ExamineeMet:
    """Return the public shape of somebody who was just met."""
    today = business_day(uow.now)
    return ExamineeMet(
        **shape(person).model_dump(), created=created, age_years=full_years(person.birth_date, today),
        document_expired=person.id_valid_until is not None and person.id_valid_until < today,
    )  # fmt: skip


async def _keep_photo(uow: UnitOfWork, person: Examinee, photo: PhotoFile | None) -> None:
    if photo is not None:
        await keep_photo(uow, person.id, photo, "id_card")


@dataclass(frozen=True, slots=True)
class Read:
    """What a document says, understood."""

    name: str
    sex: Sex
    nation: str | None
    birth_date: date | None
    issuer: str | None
    valid_from: date | None
    valid_until: date | None
    long_term: bool | None
    country: str = ""


def _understood(payload: IdCardPayload) -> Read:
    """Bring a reader's codes and spellings to one form. Raises ExamineeDetailsInvalid with every field that says nothing."""
    name, sex = clean_name(payload.name), read_sex(payload.sex)
    nation = read_nation(payload.nation) if payload.nation is not None else None
    birth_date = read_date(payload.birth_date) if payload.birth_date is not None else None
    for_ever = payload.valid_until is not None and is_for_ever(payload.valid_until)
    valid_from = read_date(payload.valid_from) if payload.valid_from is not None else None
    valid_until = read_date(payload.valid_until) if payload.valid_until is not None and not for_ever else None
    unread = [
        ("/name", not folded(name), "请填写姓名", "give a name"),
        ("/sex", sex is None, "性别代码无法识别", "not a code of a sex"),
        ("/nation", payload.nation is not None and nation is None, "民族代码无法识别", "not a code of a nation"),
        ("/birth_date", payload.birth_date is not None and birth_date is None, "出生日期无法识别或不存在", "not a date that exists"),
        ("/valid_from", payload.valid_from is not None and valid_from is None, "有效期起无法识别", "not a date that exists"),
        ("/valid_until", not for_ever and payload.valid_until is not None and valid_until is None, "有效期止无法识别", "not a date that exists"),
        ("/valid_until", valid_from is not None and valid_until is not None and valid_until < valid_from, "有效期止早于有效期起", "before it begins"),
    ]  # fmt: skip
    errors = [FieldError(pointer, "invalid", zh, en) for pointer, wrong, zh, en in unread if wrong]
    if errors or sex is None:
        raise ExamineeDetailsInvalid(errors=errors)
    known = payload.valid_until is not None
    return Read(name, sex, nation, birth_date, payload.issuer, valid_from, valid_until, for_ever if known else None, country_of(payload.id_kind, payload.issuer))  # fmt: skip


async def introduce(uow: UnitOfWork, examinee_id: UUID, campus_id: int) -> None:
    """Let a campus know somebody who comes to it of their own accord; by the document, as at its desk.

    Raises ExamineeNotFound; CampusNotHeld for a person without a document whom the campus does not know.
    """
    person = await get(uow, examinee_id)
    if await repository.is_met(uow, examinee_id, campus_id):
        return
    if person.id_number_index is None:
        raise CampusNotHeld(
            errors=[FieldError("/campus_id", "unknown-there", "请先到该院区前台登记", "register at that desk first")]
        )
    await repository.meet(uow, person.id_kind, bytes(person.id_number_index), person.id_country, campus_id)


def _document(payload: IdCardPayload, today: date) -> IdNumber | None:
    if payload.id_kind == "none":
        if payload.id_number is not None:
            raise number_problem("number_not_expected")
        return None
    if payload.id_number is None:
        raise number_problem("number_missing")
    try:
        return parse_id_number(payload.id_kind, payload.id_number, today)
    except IdNumberFault as fault:
        raise number_problem(fault.fault) from None


def number_problem(fault: Fault) -> IdNumberInvalid:
    """Return the refusal of a number."""
    return IdNumberInvalid(errors=[FieldError("/id_number", fault, *FAULTS[fault])])


def _refuse_contradictions(read: Read, document: IdNumber | None) -> None:
    if document is None:
        return
    errors = []
    if document.sex is not None and read.sex not in ("unknown", document.sex):
        errors.append(
            FieldError("/sex", "contradicts_id_number", "性别与证件号码不一致", "the sex contradicts the ID number")
        )
    if document.birth_date is not None and read.birth_date not in (None, document.birth_date):
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


def _birth_date(read: Read, document: IdNumber | None, today: date) -> date:
    birth = (document.birth_date if document else None) or read.birth_date
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


def _refuse_other_person(holder: Examinee, read: Read) -> None:
    """Refuse a document that is that of somebody known and says somebody else. Raises ExamineeNameDiffers, ExamineeDetailsDiffer."""
    if not is_one_name(holder.name, read.name):
        raise ExamineeNameDiffers(
            errors=[FieldError("/name", "differs", "与已登记的姓名不同", "differs from the name that is known")]
        )
    if holder.birth_date != read.birth_date:
        raise ExamineeDetailsDiffer(
            errors=[
                FieldError(
                    "/birth_date", "differs", "与已登记的出生日期不同", "differs from the birth date that is known"
                )
            ]
        )
    if read.sex != "unknown" and holder.sex not in ("unknown", read.sex):
        raise ExamineeDetailsDiffer(
            errors=[FieldError("/sex", "differs", "与已登记的性别不同", "differs from the sex that is known")]
        )


async def _met_again(uow: UnitOfWork, examinee_id: UUID, payload: IdCardPayload, read: Read) -> Examinee:
    """Meet the holder of a document that is known: it is held against the entry that has it, and what is new goes to whom that was merged into."""
    person = await locked(uow, examinee_id)
    holder = person if person.id == examinee_id else await repository.entry(uow, examinee_id)
    assert holder is not None  # `locked` went by it
    return await _welcome(uow, person, holder, payload, read)


async def _welcome(uow: UnitOfWork, person: Examinee, holder: Examinee, payload: IdCardPayload, read: Read) -> Examinee:
    """Take over what is new, of a person under the lock whose document `holder` has: themselves, or an entry that was merged into them."""
    _refuse_other_person(holder, read)
    changed = ["sex"] if person.sex == "unknown" and read.sex != "unknown" else []
    person.sex = read.sex if changed else person.sex
    holder.id_country = holder.id_country or read.country
    if _set_validity(holder, read):
        changed.append("document")
    given = {field: value for field in ("nation", "phone", "address") if (value := getattr(payload, field)) is not None}
    await _amend(uow, person, ExamineePatch.model_validate(given), changed)
    return person


def _set_validity(person: Examinee, read: Read) -> bool:
    """Take over who issued the document and for how long, where it was read; say whether that is new."""
    before = (person.id_issuer, person.id_valid_from, person.id_valid_until, person.id_long_term)
    person.id_issuer = read.issuer or person.id_issuer
    person.id_valid_from = read.valid_from or person.id_valid_from
    if read.long_term is not None:
        person.id_valid_until, person.id_long_term = read.valid_until, read.long_term
    return before != (person.id_issuer, person.id_valid_from, person.id_valid_until, person.id_long_term)


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
    nation = _nation(patch.nation)
    if "nation" in given and nation != person.nation:
        person.nation = nation
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


def _nation(raw: str | None) -> str | None:
    nation = None if raw is None else read_nation(raw)
    if raw is not None and nation is None:
        raise ExamineeDetailsInvalid(
            errors=[FieldError("/nation", "invalid", "民族代码无法识别", "not a code of a nation")]
        )
    return nation


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
