"""Finding people by what the desk scans or types."""

import contextlib
from collections.abc import Collection, Sequence
from uuid import UUID

from tjapi.examinee import repository
from tjapi.examinee.errors import LookupKeyInvalid, SearchNotOneCriterion
from tjapi.examinee.models import Examinee
from tjapi.examinee.repository import Found
from tjapi.examinee.rules import LookupKind, born_after, folded, normalise_card_no, normalise_phone, spellings_sought
from tjapi.examinee.schemas import ExamineeSearch
from tjapi.examinee.service.identifiers import IDENTIFIER
from tjapi.examinee.service.reading import ID_NUMBER, PHONE
from tjapi.kernel.clock import business_day
from tjapi.kernel.problem import FieldError
from tjapi.kernel.uow import UnitOfWork

_HOLDERS = 10
_CRITERIA: dict[str, LookupKind] = {"q": "name", "id_number": "id_number", "phone": "phone", "card_no": "card_no"}
_NOT_A: dict[LookupKind, tuple[str, str]] = {
    "phone": ("不是电话号码", "not a phone number"),
    "card_no": ("不是卡号", "not a card number"),
    "exam_no": ("不是体检号,或校验位不符", "not an exam number, or its check digit is wrong"),
}


async def search(uow: UnitOfWork, by: ExamineeSearch, after: UUID | None) -> Sequence[Examinee]:
    """Return a page of people, the latest entered first, one too many, and leave a trace. Raises SearchNotOneCriterion.

    `q` is the beginning of a name, of its pinyin or of its initials; the others match whole.
    """
    criteria = [field for field in _CRITERIA if getattr(by, field) is not None]
    if len(criteria) != 1:
        raise SearchNotOneCriterion
    return await _found(
        uow, getattr(by, criteria[0]), _CRITERIA[criteria[0]], criteria[0], Found(after, by.page_size), ()
    )


async def look_up(
    uow: UnitOfWork,
    key: str,
    by: LookupKind,
    after: UUID | None,
    size: int,
    *,
    of_exam_no: Collection[UUID] | None,
    of_barcode: Collection[UUID] = (),
    among: Collection[UUID] | None = None,
) -> Sequence[Examinee]:
    """Return whom a key may mean, the latest entered first, one too many, and leave a trace. Raises LookupKeyInvalid.

    `any` tries the key as everything that it can be. `of_exam_no` is whose exam has this number; None when it is no exam number at all;
    `of_barcode` is whose tube has it.
    `among`: nobody else is meant.
    """
    impossible = (
        (by == "phone" and normalise_phone(key) is None)
        or (by == "card_no" and normalise_card_no(key) is None)
        or (by == "exam_no" and of_exam_no is None)
    )
    if impossible:
        raise LookupKeyInvalid(errors=[FieldError("/key", f"not_{by}", *_NOT_A[by])])
    return await _found(uow, key, by, by, Found(after, size, among), [*(of_exam_no or ()), *of_barcode])


async def holders(uow: UnitOfWork, numbers: Collection[str]) -> list[set[UUID]]:
    """Return for each of these numbers whose it is: our own id, an ID number, a card or number of another system.

    Leaves no trace: it finds for whom a message must not be filed.
    """
    everybody = Found(None, _HOLDERS, None)
    found = []
    for number in numbers:
        ids: set[UUID] = set()
        with contextlib.suppress(ValueError):
            ids |= {person.id for person in await repository.examinees(uow, [UUID(number)])}
        indexes = [uow.cipher.blind_index(one, ID_NUMBER) for one in spellings_sought(number)]
        ids |= set(await repository.ids_by_id_number(uow, indexes, everybody))
        if card := normalise_card_no(number):
            index = uow.cipher.blind_index(card, IDENTIFIER)
            ids |= set(await repository.ids_by_identifier(uow, index, everybody))
        found.append({await repository.survivor_id(uow, one) for one in ids})
    return found


async def _found(
    uow: UnitOfWork, key: str, by: LookupKind, told: str, wanted: Found, also: Collection[UUID]
) -> Sequence[Examinee]:
    def tried(kind: LookupKind) -> bool:
        return by in ("any", kind)

    after, size, among = wanted.after, wanted.size, wanted.among
    ids = {one for one in also if (after is None or one < after) and (among is None or one in among)}
    prefix = folded(key)
    # No name begins with a digit, and a long number would only be sought in vain.
    if tried("name") and prefix and not (by == "any" and prefix[0].isdigit()):
        ids |= set(await repository.ids_by_name_prefix(uow, prefix, wanted))
    if tried("id_number"):
        numbers = [uow.cipher.blind_index(number, ID_NUMBER) for number in spellings_sought(key)]
        ids |= set(await repository.ids_by_id_number(uow, numbers, wanted))
    if tried("phone") and (phone := normalise_phone(key)):
        index = uow.cipher.blind_index(phone, PHONE)
        ids |= set(await repository.ids_by_phone(uow, index, wanted))
        ids |= set(await repository.ids_by_guardian(uow, index, born_after(business_day(uow.now)), wanted))
    if tried("card_no") and (card := normalise_card_no(key)):
        ids |= set(await repository.ids_by_identifier(uow, uow.cipher.blind_index(card, IDENTIFIER), wanted))
    page = sorted(ids, reverse=True)[: size + 1]
    # Given only ids, the database asks who may be seen for these few and not for everybody first; whom it hides is not found.
    people = sorted(await repository.examinees(uow, page), key=lambda person: person.id, reverse=True) if page else []
    await uow.audit("examinee.searched", "examinee", "search", detail={"by": told, "found": min(len(people), size)})
    return people
